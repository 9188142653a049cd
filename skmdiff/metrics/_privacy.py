"""Whether synthetic rows are copies of training rows, and whether they show which rows were trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from .._numerics.checks import check_fraction, check_integer, random_stream
from ._tables import SAME, CategoricalFeatures, Seed, Table, aligned, nearest, one_hot_space, random_rows


def copy_share(train: Table, synthetic: Table) -> float:
    """Fraction of the synthetic rows that equal a training row in every cell.

    Ideal is the score of fresh real rows: 0 where a column is continuous, more where a table has few different rows.
    A higher score means copying. It misleads where a column is continuous: a copy with one digit changed does not
    count, so read it together with :func:`dcr_share`.

    Parameters
    ----------
    train, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, and its samples.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the tables have different columns.

    Examples
    --------
    >>> from skmdiff.metrics import copy_share
    >>> copy_share([[1, "a"], [2, "b"]], [[1, "a"], [1, "b"]])
    0.5
    """
    (a, b), _ = aligned([train, synthetic])
    seen = set(row_tuples(a))
    return float(np.mean([row in seen for row in row_tuples(b)]))


def dcr_share(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    n_repeats: int = 5,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Fraction of the synthetic rows that lie nearer to the training rows than to held-out rows.

    It compares distances to the closest record (DCR), in the space of :func:`prdc`, among as many training rows as
    held-out rows. Ties count half, and the result is the mean over several random choices of rows. Ideal is 0.5, the
    score of fresh real rows. More means memorisation: copies score 1 if the two tables are equally long, and
    0.5 + m / 2 n if only m of the n training rows are compared (.625 for a split of 80 to 20). It misleads in two
    ways: its standard error is about ``0.5 / sqrt(n)`` for the n rows of the shorter table, and 0.5 does not prove
    privacy.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, real rows that it never saw, and its samples.
    n_repeats : int, default=5
        Number of random choices of rows from the longer one of `train` and `holdout`.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of these choices.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or `n_repeats` is below 1.

    References
    ----------
    Platzer, M., & Reutterer, T. (2021). Holdout-based empirical assessment of mixed-type synthetic data. Frontiers in
    Big Data.

    Examples
    --------
    >>> from skmdiff.metrics import dcr_share
    >>> dcr_share([[0.0], [1.0]], [[5.0], [6.0]], [[0.1], [0.9], [1.2], [5.5]], random_state=0)
    0.75
    """
    check_integer(n_repeats, "n_repeats", 1)
    a, b, rows = one_hot_space([train, holdout, synthetic], categorical_features)
    return fraction_nearer(a, b, rows, n_repeats, random_stream(random_state))


def dcr_ratio(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    quantile: float = 0.5,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> float:
    """Distance of the synthetic rows to the closest training row, divided by that of fresh real rows.

    The `quantile` of the distances from the synthetic rows to their closest training row, divided by the same quantile
    for the held-out rows, in the space of :func:`prdc`. Ideal is 1. Less means that the synthetic rows are too near to
    the training rows; copies score 0. More, without bound, means that they are far from the data. It misleads because
    bad rows are far from everything, so that a poor generator looks private, and because a quantile hides a few
    copies: look at a low quantile too.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, real rows that it never saw, and its samples.
    quantile : float, default=0.5
        Quantile of the distances to compare, between 0 and 1; the median by default.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        0 or more. If the distance of the held-out rows is 0: 1 if that of the synthetic rows is too, else infinity.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or `quantile` is not between 0 and 1.

    References
    ----------
    Zhao, Z., Kunar, A., Birke, R., & Chen, L. Y. (2021). CTAB-GAN: effective table data synthesizing. ACML.

    Examples
    --------
    >>> from skmdiff.metrics import dcr_ratio
    >>> dcr_ratio([[-1.0], [1.0]], [[-3.0], [3.0]], [[-2.0], [2.0]])
    0.5
    """
    check_fraction(quantile, "quantile")
    a, b, rows = one_hot_space([train, holdout, synthetic], categorical_features)
    return distance_ratio(nearest(a, b), nearest(a, rows), quantile)


def membership_inference(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    reference: Table | None = None,
    max_fpr: float = 0.01,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> tuple[float, float]:
    """How well an attacker tells the training rows from other real rows by means of the synthetic rows.

    The attacker calls a row a member of the training rows if a synthetic row is near it, in the space of :func:`prdc`.
    With `reference`, what counts is how much nearer a synthetic row is than a reference row, so that not all rows
    where the data are dense are called members. The first number is the fraction of the training rows found when at
    most a fraction `max_fpr` of the held-out rows is called members by mistake (true positive rate at a low false
    positive rate); the second is the area under the ROC curve. Lower is better: ideal are `max_fpr` and 0.5, the
    scores of fresh real rows, and 1 is the worst for both. The area misleads because it is a mean over all rows: a few
    copies change it little, but show in the first number. Both are too optimistic: this attack is simple, and a better
    one may find more. The standard error of the first number is about ``sqrt(max_fpr / n)`` for n held-out rows: with
    a hundred of them it says nothing.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, real rows that it never saw, and its samples.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Other real rows, in neither `train` nor `holdout`, that calibrate the attack.
    max_fpr : float, default=0.01
        Fraction of the held-out rows that may be called members, between 0 and 1.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    true_positive_rate, auc : float
        Both between 0 and 1.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or `max_fpr` is not between 0 and 1.

    References
    ----------
    Chen, D., Yu, N., Zhang, Y., & Fritz, M. (2020). GAN-Leaks: a taxonomy of membership inference attacks
    against generative models. CCS.

    Carlini, N., Chien, S., Nasr, M., Song, S., Terzis, A., & Tramèr, F. (2022). Membership inference attacks
    from first principles. IEEE S&P.

    Examples
    --------
    >>> from skmdiff.metrics import membership_inference
    >>> membership_inference([[0.0], [1.0]], [[5.0], [6.0]], [[0.0], [9.0]], max_fpr=0.0)
    (1.0, 1.0)
    """
    check_fraction(max_fpr, "max_fpr")
    tables = [train, holdout, synthetic] + ([] if reference is None else [reference])
    members, others, *known = one_hot_space(tables, categorical_features)
    return membership_attack(members, others, *known, max_fpr=max_fpr)


def memorisation_excess(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    ratio: float = 1 / 3,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> float:
    """Fraction of the synthetic rows that are memorised, minus that of fresh real rows.

    A row counts as memorised if the distance to its closest training row is less than `ratio` times that to the second
    closest, in the space of :func:`prdc`. The fraction of held-out rows that count is subtracted, because it is not 0:
    about ``ratio ** d`` for data of intrinsic dimension d, .11 in the plane. Ideal is 0. More, up to 1, means copies;
    less, down to -1, means that the synthetic rows avoid the training rows. It misleads where training rows occur
    twice: a copy of such a row has two closest rows at distance 0 and does not count.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, two or more, real rows that it never saw, and its samples.
    ratio : float, default=1/3
        Maximum ratio of the two distances of a memorised row, between 0 and 1.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        Between -1 and 1.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, `train` has one row, or `ratio` is not between 0 and 1.

    References
    ----------
    Yoon, T., Choi, J. Y., Kwon, S., & Ryu, E. K. (2023). Diffusion probabilistic models generalize when they
    fail to memorize. ICML workshop on structured probabilistic inference and generative modeling.

    Examples
    --------
    >>> from skmdiff.metrics import memorisation_excess
    >>> memorisation_excess([[0.0], [1.0], [2.0]], [[0.5], [1.5]], [[0.01], [1.0], [2.0], [0.4]])
    0.75
    """
    check_fraction(ratio, "ratio")
    a, b, rows = one_hot_space([train, holdout, synthetic], categorical_features)
    if len(a) < 2:
        raise ValueError(f"train must have two rows or more, got {len(a)}")
    return memorised_excess(nearest(a, b, n_neighbors=2), nearest(a, rows, n_neighbors=2), ratio)


def fraction_nearer(
    train: np.ndarray, holdout: np.ndarray, rows: np.ndarray, n_repeats: int, rng: np.random.RandomState
) -> float:
    """`dcr_share` of rows in one space."""
    n = min(len(train), len(holdout))
    to_train = _nearest_in_subsets(train, n, rows, n_repeats, rng)
    differences = to_train - _nearest_in_subsets(holdout, n, rows, n_repeats, rng)
    return float(np.mean(differences < -SAME) + np.mean(np.abs(differences) <= SAME) / 2)


def _nearest_in_subsets(
    records: np.ndarray, n: int, rows: np.ndarray, n_repeats: int, rng: np.random.RandomState
) -> np.ndarray:
    """Distances to the nearest of n random records, (n_repeats, n_rows); (1, n_rows) where there are n records only."""
    if len(records) == n:
        return nearest(records, rows).T
    return np.hstack([nearest(random_rows(records, n, rng), rows) for _ in range(n_repeats)]).T


def distance_ratio(fresh: np.ndarray, synthetic: np.ndarray, quantile: float = 0.5) -> float:
    """`dcr_ratio` of the distances to the nearest training rows."""
    unit, distance = (float(np.quantile(part[:, 0], quantile)) for part in (fresh, synthetic))
    if unit == 0:
        return 1.0 if distance == 0 else float("inf")
    return distance / unit


def membership_attack(
    members: np.ndarray, others: np.ndarray, rows: np.ndarray, calibration: np.ndarray | None = None, *, max_fpr: float
) -> tuple[float, float]:
    """`membership_inference` on rows in one space."""
    targets = np.vstack([members, others])
    distance = nearest(rows, targets)[:, 0]
    if calibration is not None:
        distance = (distance + SAME) / (nearest(calibration, targets)[:, 0] + SAME)
    is_member = np.repeat([1, 0], [len(members), len(others)])
    false_positive, true_positive, _ = roc_curve(is_member, -distance, drop_intermediate=False)
    return float(true_positive[false_positive <= max_fpr].max()), float(roc_auc_score(is_member, -distance))


def memorised_excess(fresh: np.ndarray, synthetic: np.ndarray, ratio: float = 1 / 3) -> float:
    """`memorisation_excess` of the distances to the two nearest training rows."""
    return float(memorised(synthetic, ratio).mean() - memorised(fresh, ratio).mean())


def memorised(distances: np.ndarray, ratio: float = 1 / 3) -> np.ndarray:
    """Whether each row is much nearer to its nearest training row than to the second nearest."""
    return distances[:, 0] < ratio * distances[:, 1]


def row_tuples(columns: list[np.ndarray]) -> Iterator[tuple[Any, ...]]:
    """The rows as tuples that can be compared: nan, which equals nothing, becomes None."""
    cells = [
        [None if cell != cell else cell for cell in column.tolist()] if column.dtype.kind == "f" else column.tolist()
        for column in columns
    ]
    return zip(*cells, strict=True)
