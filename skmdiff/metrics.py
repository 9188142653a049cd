"""How close synthetic rows come to real ones, and whether they were copied.

Every function takes whole tables: DataFrames or 2-D arrays with the same columns in the same order. A column
is categorical when its dtype says so (category, string, boolean, or objects that are not all numbers);
`categorical_features` names the columns of an array of numbers that are categories too. No score is good or
bad by itself: read each beside what fresh real rows and independent columns score with as many rows, as
``skmdiff demo`` prints them.
"""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import pairwise_distances_chunked, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from ._checks import categorical_mask, check_table, read_column

__all__ = ["c2st", "copy_share", "coverage_precision", "dcr_share", "shape_error", "trend_error"]

# histogram gradient boosting bins at most this many levels of one column
_MAX_LEVELS = 255


def shape_error(real, synthetic, *, categorical_features="from_dtype"):
    """Mean difference of the single columns.

    For a numeric column the Kolmogorov-Smirnov statistic, the largest gap between the two empirical
    distribution functions; for a categorical one the total variation, half the sum of the gaps between the
    shares of the levels. Lower is better: 0 is ideal, 1 the worst. It misleads because it sees no dependence:
    columns drawn independently of each other score as well as fresh real rows.

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

    Examples
    --------
    >>> from skmdiff.metrics import shape_error
    >>> shape_error([[0, "a"], [1, "a"]], [[0, "a"], [1, "b"]])
    0.25
    """
    (a, b), categorical = _aligned([real, synthetic], categorical_features)
    errors = [
        _total_variation(p, q) if is_category else _kolmogorov_smirnov(p, q)
        for p, q, is_category in zip(a, b, categorical, strict=True)
    ]
    return float(np.mean(errors))


def trend_error(real, synthetic, *, n_bins=10, categorical_features="from_dtype"):
    """Mean difference of the pairs of columns.

    For two numeric columns half the absolute gap between the Pearson correlations; for every other pair the
    total variation between the two contingency tables, numeric columns cut into bins of equal width over the
    real range. Lower is better: 0 is ideal, 1 the worst. It misleads because a correlation sees straight
    lines only, and because a contingency table of many cells has a large error from few rows alone.

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
        The mean over the pairs, between 0 and 1; nan if there is no pair to compare.

    Examples
    --------
    >>> from skmdiff.metrics import trend_error
    >>> round(trend_error([[0, 0], [1, 1]], [[0, 1], [1, 0]]), 6)
    1.0
    """
    (a, b), categorical = _aligned([real, synthetic], categorical_features)
    numeric = [j for j, is_category in enumerate(categorical) if not is_category]
    correlations = [_correlations([table[j] for j in numeric]) for table in (a, b)]
    # a column that is constant has no correlation in the real table; in the synthetic one it counts as 0
    real_pairs, synthetic_pairs = correlations[0], np.nan_to_num(correlations[1])
    errors = (np.abs(real_pairs - synthetic_pairs) / 2)[np.isfinite(real_pairs)].tolist()
    cells = [_cells(p, q, is_category, n_bins) for p, q, is_category in zip(a, b, categorical, strict=True)]
    for i in range(len(cells)):
        for j in range(i + 1, len(cells)):
            if categorical[i] or categorical[j]:
                pair = [cells[i][side] * cells[j][2] + cells[j][side] for side in (0, 1)]
                errors.append(_total_variation(*pair))
    return float(np.mean(errors)) if errors else float("nan")


def c2st(real, synthetic, *, max_rows=5000, categorical_features="from_dtype", random_state=None):
    """Area under the ROC curve of a classifier that tells synthetic rows from real ones.

    Gradient boosted trees, five folds, the same number of rows from both tables. Lower is better: 0.5 is
    ideal (the trees guess), 1 the worst (they are always right); values a little below 0.5 are chance. Give
    real rows that the generator was NOT fitted on, or a copy of the training rows scores 0.5. It misleads
    with few rows, where trees learn little: compare values got from the same numbers of rows only.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare, of five rows or more; the longer one is cut to a random part as long as the
        shorter one.
    max_rows : int, default=5000
        Rows of each table to use at most.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows, of the folds and of the trees.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import c2st
    >>> rng = np.random.RandomState(0)
    >>> auc = c2st(rng.normal(size=(300, 2)), 9 + rng.normal(size=(300, 2)), random_state=0)
    >>> round(auc, 2)
    1.0
    """
    rng = check_random_state(random_state)
    (a, b), categorical = _aligned([real, synthetic], categorical_features)
    n = min(len(a[0]), len(b[0]), max_rows)
    rows = np.vstack([_some(table, n, rng) for table in _tree_matrices(a, b, categorical)])
    origin = np.repeat([0, 1], n)
    trees = HistGradientBoostingClassifier(
        categorical_features=categorical, early_stopping=False, random_state=rng.randint(2**31)
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=rng.randint(2**31))
    # a few thousand rows: threads cost more than they save, most of all where cores are shared
    with threadpool_limits(1, user_api="openmp"):
        guess = cross_val_predict(trees, rows, origin, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(origin, guess))


def coverage_precision(
    real, synthetic, *, reference=None, n_neighbors=5, categorical_features="from_dtype"
):
    """Share of the real rows that are met, and share of the synthetic rows that are plausible.

    Around every real row lies the ball that reaches to its `n_neighbors`-th real neighbour. Coverage is the
    share of these balls that hold a synthetic row; precision the share of the synthetic rows that lie in any
    of them (Naeem et al., 2020). Distances are taken between standardised numeric columns and one-hot
    columns. Higher is better for both: 1 is the most, and fresh real rows score somewhat less. Coverage
    misleads where rows are copied (a copy scores as high as fresh rows); precision where the generator
    shrinks towards the middle, which it rewards. Both depend on the numbers of rows.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare; take as many rows of each.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Rows that give the means, deviations and levels of the space; those of `real` by default.
    n_neighbors : int, default=5
        Neighbours inside a ball.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    coverage, precision : float

    References
    ----------
    Naeem, M. F., Oh, S. J., Uh, Y., Choi, Y., & Yoo, J. (2020). Reliable fidelity and diversity metrics for
    generative models. ICML.

    Examples
    --------
    >>> from skmdiff.metrics import coverage_precision
    >>> coverage_precision([[0.0], [1.0], [5.0], [6.0]], [[0.5], [0.6], [9.0]], n_neighbors=1)
    (0.5, 0.6666666666666666)
    """
    reference = real if reference is None else reference
    a, b = _one_hot_space([reference, real, synthetic], categorical_features)[1:]
    radius = NearestNeighbors(n_neighbors=min(n_neighbors, len(a) - 1)).fit(a).kneighbors()[0][:, -1]
    coverage = np.mean(_nearest(b, a) <= radius)
    # by blocks: the whole matrix of distances of two long tables does not fit the memory
    inside = pairwise_distances_chunked(b, a, reduce_func=lambda block, start: (block <= radius).any(axis=1))
    return float(coverage), float(np.mean(np.concatenate(list(inside))))


def copy_share(train, synthetic):
    """Share of the synthetic rows that equal a training row cell by cell.

    Ideal is what fresh real rows score: 0 where a column is continuous, more where a table has few different
    rows. Higher means copying. It misleads where one column is continuous: a row copied but for the last
    digit does not count, so read it with :func:`dcr_share`.

    Parameters
    ----------
    train, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, and the rows it drew.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> from skmdiff.metrics import copy_share
    >>> copy_share([[1, "a"], [2, "b"]], [[1, "a"], [1, "b"]])
    0.5
    """
    (a, b), _ = _aligned([train, synthetic], "from_dtype")
    seen = set(_tuples(a))
    return float(np.mean([row in seen for row in _tuples(b)]))


def dcr_share(
    train, holdout, synthetic, *, n_repeats=5, categorical_features="from_dtype", random_state=None
):
    """Share of the synthetic rows that lie nearer to the training rows than to held-out ones.

    Distance to the closest record, in the space of :func:`coverage_precision`, to as many training as
    held-out rows; ties count half; the mean over several choices of rows. Ideal is 0.5, what fresh real rows
    score: higher means that training rows leak, up to 1 for copies if the two tables are equally long, and up to
    0.5 + m / 2 n where only m of the n training rows are compared (.625 for a split of 80 to 20). It
    misleads in two ways: its standard error is about ``0.5 / sqrt(n)`` for the n rows of the shorter table,
    and 0.5 proves no privacy.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, real rows that it never saw, and the rows it drew.
    n_repeats : int, default=5
        Number of choices of rows from the longer one of `train` and `holdout`.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of these choices.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> from skmdiff.metrics import dcr_share
    >>> dcr_share([[0.0], [1.0]], [[5.0], [6.0]], [[0.1], [0.9], [1.2], [5.5]], random_state=0)
    0.75
    """
    rng = check_random_state(random_state)
    a, b, rows = _one_hot_space([train, holdout, synthetic], categorical_features)
    n = min(len(a), len(b))
    shares = []
    for _ in range(n_repeats):
        gap = _nearest(_some(a, n, rng), rows) - _nearest(_some(b, n, rng), rows)
        shares.append(np.mean(gap < -1e-6) + np.mean(np.abs(gap) <= 1e-6) / 2)
    return float(np.mean(shares))


def _aligned(tables, categorical_features):
    """The columns of each table as arrays, and which of them are categorical in the first table."""
    tables = [check_table(table, min_samples=1) for table in tables]
    if len({table.shape[1] for table in tables}) > 1:
        counts = [table.shape[1] for table in tables]
        raise ValueError(f"the tables must have the same columns, got {counts} of them")
    split = [[read_column(table, j) for j in range(table.shape[1])] for table in tables]
    return split, categorical_mask(tables[0], categorical_features, split[0]).tolist()


def _kolmogorov_smirnov(a, b):
    """Largest gap between the empirical distribution functions of two samples."""
    a, b = np.sort(a), np.sort(b)
    seen = np.concatenate([a, b])
    gaps = np.searchsorted(a, seen, side="right") / len(a) - np.searchsorted(b, seen, side="right") / len(b)
    return np.abs(gaps).max()


def _total_variation(a, b):
    """Half the sum of the gaps between the shares of the values of two samples."""
    p, q, n_levels = _level_codes(a, b)
    gaps = np.bincount(p, minlength=n_levels) / len(p) - np.bincount(q, minlength=n_levels) / len(q)
    return np.abs(gaps).sum() / 2


def _level_codes(a, b):
    """Two columns as codes 0, 1, ... of their values, and the number of different values."""
    codes = {}
    pair = [np.array([codes.setdefault(value, len(codes)) for value in column.tolist()]) for column in (a, b)]
    return *pair, len(codes)


def _correlations(columns):
    """The correlations of each pair of columns (n_pairs,), nan where one of them is constant."""
    if len(columns) < 2:
        return np.empty(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.corrcoef(columns)[np.triu_indices(len(columns), 1)]


def _cells(a, b, is_category, n_bins):
    """Two columns as codes of levels or bins, and the number of codes."""
    if is_category:
        return _level_codes(a, b)
    inner_edges = np.histogram_bin_edges(a.astype(float), n_bins)[1:-1]
    return np.digitize(a, inner_edges), np.digitize(b, inner_edges), n_bins


def _tree_matrices(a, b, categorical):
    """Two tables as numbers: categories by falling frequency, the rarest beyond `_MAX_LEVELS` as one."""
    columns = []
    for p, q, is_category in zip(a, b, categorical, strict=True):
        both = np.concatenate([p, q])
        if is_category:
            *pair, n_levels = _level_codes(p, q)
            both = np.concatenate(pair)
            rank = np.empty(n_levels, dtype=int)
            rank[np.argsort(-np.bincount(both), kind="stable")] = np.arange(n_levels)
            both = np.minimum(rank[both], _MAX_LEVELS - 1)
        columns.append(both)
    return np.split(np.column_stack(columns).astype(float), [len(a[0])])


def _some(rows, n, rng):
    """n different rows in random order."""
    return rows[rng.permutation(len(rows))[:n]]


def _one_hot_space(tables, categorical_features):
    """Each table as standardised numeric and one-hot columns, scaled by the first one."""
    split, categorical = _aligned(tables, categorical_features)
    blocks = [[] for _ in tables]
    for j, is_category in enumerate(categorical):
        scale = _one_hot if is_category else _standardised
        for table, columns in zip(blocks, split, strict=True):
            table.append(scale(split[0][j], columns[j]))
    return [np.hstack(table) for table in blocks]


def _standardised(reference, column):
    reference = reference.astype(float)
    return ((column.astype(float) - reference.mean()) / (reference.std() or 1.0))[:, None]


def _one_hot(reference, column):
    """A level that the reference does not have is a row of zeros."""
    known, codes, _ = _level_codes(reference, column)
    return (codes[:, None] == np.arange(known.max() + 1)).astype(float)


def _nearest(records, rows):
    """Distance of each row to the nearest record."""
    return NearestNeighbors(n_neighbors=1).fit(records).kneighbors(rows)[0][:, 0]


def _tuples(columns):
    return zip(*(column.tolist() for column in columns), strict=True)
