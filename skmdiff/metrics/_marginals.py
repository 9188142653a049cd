"""Single columns and pairs of columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from .._numerics.checks import check_integer
from ._tables import CategoricalFeatures, Table, aligned, category_codes, is_constant

# from a column of numbers and a number of bins to the edges between the bins
Edges: TypeAlias = Callable[[np.ndarray, int], np.ndarray]


def shape_error(real: Table, synthetic: Table, *, categorical_features: CategoricalFeatures = "from_dtype") -> float:
    """Mean difference of the single columns.

    For a numeric column the Kolmogorov-Smirnov statistic, the largest absolute difference between the two empirical
    distribution functions. For a categorical one the total variation, half the sum of the absolute differences between
    the fractions of the categories. A missing number counts as a number greater than all others, a missing category
    as one more category. Lower is better: 0 is ideal, 1 the worst. It misleads because it sees no dependence:
    independent columns score as well as fresh real rows. One minus this is the "column shapes" score of SDMetrics.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare; the numbers of rows may differ.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        The mean over the columns, between 0 and 1.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns.

    Examples
    --------
    >>> from skmdiff.metrics import shape_error
    >>> shape_error([[0, "a"], [1, "a"]], [[0, "a"], [1, "b"]])
    0.25
    """
    return float(np.mean(shape_errors(real, synthetic, categorical_features)))


def shape_errors(real: Table, synthetic: Table, categorical_features: CategoricalFeatures = "from_dtype") -> np.ndarray:
    """The difference of each column, (n_columns,): what `shape_error` is the mean of."""
    (a, b), categorical = aligned([real, synthetic], categorical_features)
    return np.array(
        [
            _total_variation(p, q) if is_category else _kolmogorov_smirnov(p, q)
            for p, q, is_category in zip(a, b, categorical, strict=True)
        ]
    )


def trend_error(
    real: Table, synthetic: Table, *, n_bins: int = 10, categorical_features: CategoricalFeatures = "from_dtype"
) -> float:
    """Mean difference of the pairs of columns.

    For two numeric columns half the absolute difference between the Pearson correlations, over the rows where neither
    cell is missing. For every other pair the total variation between the two contingency tables, in which numeric
    columns have bins of equal width over the real range, and missing cells have a separate bin or category. Lower is
    better: 0 is ideal, 1 the worst. It misleads because a correlation sees linear dependence only, and because a large
    contingency table of few rows has a large error by chance. One minus this is the "column pair trends" score of
    SDMetrics.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare, of two columns or more.
    n_bins : int, default=10
        Number of bins of a numeric column.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        The mean over the pairs, between 0 and 1; nan if there is no pair that can be compared.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns.

    Examples
    --------
    >>> from skmdiff.metrics import trend_error
    >>> round(trend_error([[0, 0], [1, 1]], [[0, 1], [1, 0]]), 6)
    1.0
    """
    check_integer(n_bins, "n_bins", 1)
    errors = [pair.error for pair in pair_errors(real, synthetic, n_bins, categorical_features)]
    return float(np.mean(errors)) if errors else float("nan")


class PairError(NamedTuple):
    """The difference of one pair of columns, which are given by their indices."""

    first: int
    second: int
    error: float


def pair_errors(
    real: Table, synthetic: Table, n_bins: int = 10, categorical_features: CategoricalFeatures = "from_dtype"
) -> list[PairError]:
    """The differences that `trend_error` is the mean of: first those of two numeric columns."""
    (a, b), categorical = aligned([real, synthetic], categorical_features)
    numeric = [j for j, is_category in enumerate(categorical) if not is_category]
    correlations = [_correlations([table[j] for j in numeric]) for table in (a, b)]
    # pairs with a constant real column have no correlation and are left out; a constant synthetic one counts as 0
    differences = np.abs(correlations[0] - np.nan_to_num(correlations[1])) / 2
    of_numbers = [
        PairError(numeric[i], numeric[j], float(difference))
        for (i, j), difference in zip(_pairs(len(numeric)), differences, strict=True)
        if np.isfinite(difference)
    ]
    bins = _all_bins(a, b, categorical, n_bins, _equal_width)
    return of_numbers + [
        PairError(i, j, float(_contingency_error(bins[i], bins[j])))
        for i, j in _pairs(len(bins))
        if categorical[i] or categorical[j]
    ]


def mutual_information_error(
    real: Table, synthetic: Table, *, n_bins: int = 10, categorical_features: CategoricalFeatures = "from_dtype"
) -> float:
    """Mean difference of the dependence of the pairs of columns, of any shape.

    For every pair the absolute difference between the normalised mutual informations, 2 I(A; B) / (H(A) + H(B)), of
    the real and of the synthetic table. Numeric columns have bins of equal mass in the real table, missing cells
    have a separate bin or category, and a constant column depends on nothing. Lower is better: 0 is ideal, 1 the worst.
    It misleads because it sees how much two columns depend on each other, not how: it does not see a changed sign. In
    few rows every pair looks dependent, so compare as many rows of each. Where most pairs are independent the mean is
    small for any table, so compare it with the score of independent columns.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare, of two columns or more.
    n_bins : int, default=10
        Number of bins of a numeric column.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        The mean over the pairs, between 0 and 1; nan if there is only one column.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns.

    Examples
    --------
    >>> from skmdiff.metrics import mutual_information_error
    >>> mutual_information_error([[0, 0], [1, 1]], [[0, 0], [1, 0]])
    1.0
    """
    check_integer(n_bins, "n_bins", 1)
    (a, b), categorical = aligned([real, synthetic], categorical_features)
    bins = _all_bins(a, b, categorical, n_bins, _equal_mass)
    errors = [_information_error(bins[i], bins[j]) for i, j in _pairs(len(bins))]
    return float(np.mean(errors)) if errors else float("nan")


def dependence_matrices(
    real: Table, synthetic: Table, n_bins: int = 10, categorical_features: CategoricalFeatures = "from_dtype"
) -> tuple[np.ndarray, np.ndarray]:
    """Normalised mutual information of the columns of both tables, (n_columns, n_columns) each, 1 on the diagonal.

    Bins are those of `mutual_information_error`, which is the mean difference of the entries off the diagonal.
    """
    (a, b), categorical = aligned([real, synthetic], categorical_features)
    bins = _all_bins(a, b, categorical, n_bins, _equal_mass)
    matrices = np.eye(len(bins)), np.eye(len(bins))
    for i, j in _pairs(len(bins)):
        for matrix, first, second in zip(matrices, bins[i][:2], bins[j][:2], strict=True):
            matrix[i, j] = matrix[j, i] = _normalised_information(first, second)
    return matrices


class _Bins(NamedTuple):
    """A column of both tables as codes of categories or bins, and the number of codes."""

    real: np.ndarray
    synthetic: np.ndarray
    n: int


def _contingency_error(first: _Bins, second: _Bins) -> float:
    """Total variation between the contingency tables of two columns."""
    return _total_variation(first.real * second.n + second.real, first.synthetic * second.n + second.synthetic)


def _information_error(first: _Bins, second: _Bins) -> float:
    """Difference of the normalised mutual information of two columns."""
    real = _normalised_information(first.real, second.real)
    return abs(real - _normalised_information(first.synthetic, second.synthetic))


def _pairs(n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n) for j in range(i + 1, n)]


def _kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference between the empirical distribution functions of two columns; nan is the greatest number."""
    a, b = np.sort(a), np.sort(b)
    seen = np.concatenate([a, b])
    differences = np.searchsorted(a, seen, side="right") / len(a) - np.searchsorted(b, seen, side="right") / len(b)
    return np.abs(differences).max()


def _total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Half the sum of the differences between the fractions of the values of two columns."""
    (p, q), n_categories = category_codes(a, b)
    differences = np.bincount(p, minlength=n_categories) / len(p) - np.bincount(q, minlength=n_categories) / len(q)
    return np.abs(differences).sum() / 2


def _correlations(columns: list[np.ndarray]) -> np.ndarray:
    """Correlation of each pair of columns, (n_pairs,); nan where one of them is constant."""
    known = [column[~np.isnan(column)] for column in columns]
    columns = [
        0.0 * column if len(seen) and is_constant(seen) else column for column, seen in zip(columns, known, strict=True)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        if len(columns) < 2 or not any(np.isnan(column).any() for column in columns):
            return np.corrcoef(columns)[np.triu_indices(len(columns), 1)] if len(columns) > 1 else np.empty(0)
        return np.array([_correlation(columns[i], columns[j]) for i, j in _pairs(len(columns))])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    both = ~(np.isnan(a) | np.isnan(b))
    return np.corrcoef(a[both], b[both])[0, 1] if both.sum() > 1 else np.nan


def _all_bins(
    a: list[np.ndarray], b: list[np.ndarray], categorical: list[bool], n_bins: int, edges: Edges
) -> list[_Bins]:
    return [
        _category_bins(p, q) if is_category else _number_bins(p.astype(float), q.astype(float), edges, n_bins)
        for p, q, is_category in zip(a, b, categorical, strict=True)
    ]


def _category_bins(a: np.ndarray, b: np.ndarray) -> _Bins:
    codes, n = category_codes(a, b)
    return _Bins(codes[0], codes[1], n)


def _number_bins(a: np.ndarray, b: np.ndarray, edges: Edges, n_bins: int) -> _Bins:
    """Two columns of numbers as codes of bins, n_bins where missing."""
    known = a[~np.isnan(a)]
    inner_edges = edges(known, n_bins) if len(known) else np.empty(0)
    codes = [np.where(np.isnan(part), n_bins, np.digitize(part, inner_edges)) for part in (a, b)]
    return _Bins(codes[0], codes[1], n_bins + 1)


def _equal_width(column: np.ndarray, n_bins: int) -> np.ndarray:
    least, most = column.min(), column.max()
    around = 0.5 * (least == most)
    return np.unique(np.linspace(least - around, most + around, n_bins + 1))[1:-1]


def _equal_mass(column: np.ndarray, n_bins: int) -> np.ndarray:
    return np.unique(np.quantile(column, np.linspace(0, 1, n_bins + 1)[1:-1]))


def _normalised_information(a: np.ndarray, b: np.ndarray) -> float:
    """Normalised mutual information of two columns of codes; 0 if both are constant."""
    alone = _entropy(a) + _entropy(b)
    shared = max(0.0, alone - _entropy(a * (b.max() + 1) + b))
    return 2 * shared / alone if alone > 0 else 0.0


def _entropy(codes: np.ndarray) -> float:
    fractions = np.unique(codes, return_counts=True)[1] / len(codes)
    return -(fractions * np.log(fractions)).sum()
