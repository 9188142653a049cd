"""Whether synthetic rows were copied from the training rows, and what they tell of who was among them."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.utils import check_random_state, check_scalar

from ._tables import SAME, CategoricalFeatures, Seed, Table, aligned, nearest, one_hot_space, some


def copy_share(train: Table, synthetic: Table) -> float:
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
    """Share of the synthetic rows that lie nearer to the training rows than to held-out ones.

    Distance to the closest record, in the space of :func:`prdc`, to as many training as
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
    check_scalar(n_repeats, "n_repeats", numbers.Integral, min_val=1)
    a, b, rows = one_hot_space([train, holdout, synthetic], categorical_features)
    return share_nearer(a, b, rows, n_repeats, check_random_state(random_state))


def dcr_ratio(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    quantile: float = 0.5,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> float:
    """Distance of the synthetic rows to the closest training row, in units of the distance of fresh real rows.

    The `quantile` of the distances from the synthetic rows to their closest training row, over that from the
    held-out rows, in the space of :func:`prdc`. Ideal is 1; below 1 the rows hug the training
    rows, down to 0 for copies; above 1 they lie off the data, without bound. It misleads because bad rows are
    far from everything, so a poor generator looks private, and because a quantile hides the few rows that are
    copied: look at a low one too.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, real rows that it never saw, and the rows it drew.
    quantile : float, default=0.5
        Which distance to compare, between 0 and 1; the median by default.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        0 or more; where the distance of the held-out rows is 0, 1 if the other one is too, else infinity.

    References
    ----------
    Zhao, Z., Kunar, A., Birke, R., & Chen, L. Y. (2021). CTAB-GAN: effective table data synthesizing. ACML.

    Examples
    --------
    >>> from skmdiff.metrics import dcr_ratio
    >>> dcr_ratio([[-1.0], [1.0]], [[-3.0], [3.0]], [[-2.0], [2.0]])
    0.5
    """
    check_scalar(quantile, "quantile", numbers.Real, min_val=0, max_val=1)
    a, b, rows = one_hot_space([train, holdout, synthetic], categorical_features)
    return ratio_of_distances(nearest(a, b), nearest(a, rows), quantile)


def membership_inference(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    reference: Table | None = None,
    max_fpr: float = 0.01,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> tuple[float, float]:
    """How well an attacker tells the training rows from other real rows by looking at the synthetic ones.

    The attacker holds a row to have been trained on where a synthetic row is near it, in the space of
    :func:`prdc`; with `reference`, where a synthetic row is nearer than a reference row is, so
    that rows from thick regions do not all look like members. Returned are the share of the training rows
    found when at most a share `max_fpr` of the held-out rows is accused (true positive rate at a low false
    positive rate), and the area under the ROC curve. Lower is better: ideal are `max_fpr` and 0.5, what fresh
    real rows score, and 1 is the worst for both. The area misleads because it averages over rows in no danger:
    a few rows copied whole hardly move it and show in the first number. Both misleads downwards: this attack
    is simple, and a better one may find more. The first number has a standard error of about
    ``sqrt(max_fpr / n)`` for n held-out rows: with a hundred of them it says nothing.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, real rows that it never saw, and the rows it drew.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Other real rows, in neither of the two tables, that calibrate the attack.
    max_fpr : float, default=0.01
        Share of the held-out rows that may be accused wrongly.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    true_positive_rate, auc : float

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
    check_scalar(max_fpr, "max_fpr", numbers.Real, min_val=0, max_val=1)
    tables = [train, holdout, synthetic] + ([] if reference is None else [reference])
    members, others, *known = one_hot_space(tables, categorical_features)
    return attack(members, others, *known, max_fpr=max_fpr)


def memorisation_excess(
    train: Table,
    holdout: Table,
    synthetic: Table,
    *,
    ratio: float = 1 / 3,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> float:
    """Share of the synthetic rows that sit on a training row, beyond that of fresh real rows.

    A row counts as memorised if its closest training row is nearer than `ratio` times the second closest, in
    the space of :func:`prdc`. The share of held-out rows that count is taken off, because it is
    not 0: about ``ratio ** d`` for data of d intrinsic dimensions, .11 in the plane. Ideal is 0; more means
    copies, up to 1; less means that rows keep away from the training rows, down to -1. It misleads where the
    training rows have doubles: a copy of one has two closest rows at distance 0 and does not count.

    Parameters
    ----------
    train, holdout, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, two or more, real rows that it never saw, and the rows it drew.
    ratio : float, default=1/3
        How much nearer the closest row must be, between 0 and 1.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    float
        Between -1 and 1.

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
    check_scalar(ratio, "ratio", numbers.Real, min_val=0, max_val=1)
    a, b, rows = one_hot_space([train, holdout, synthetic], categorical_features)
    if len(a) < 2:
        raise ValueError(f"train must have two rows or more, got {len(a)}")
    return excess_of_memorised(nearest(a, b, n_neighbors=2), nearest(a, rows, n_neighbors=2), ratio)


def share_nearer(
    train: np.ndarray, holdout: np.ndarray, rows: np.ndarray, n_repeats: int, rng: np.random.RandomState
) -> float:
    """`dcr_share` of rows of one space."""
    n = min(len(train), len(holdout))
    gaps = _nearest_of_some(train, n, rows, n_repeats, rng) - _nearest_of_some(holdout, n, rows, n_repeats, rng)
    return float(np.mean(gaps < -SAME) + np.mean(np.abs(gaps) <= SAME) / 2)


def _nearest_of_some(
    records: np.ndarray, n: int, rows: np.ndarray, n_repeats: int, rng: np.random.RandomState
) -> np.ndarray:
    """(n_repeats, n_rows) distances to the nearest of n records, others each time; one row where there are just n."""
    if len(records) == n:
        return nearest(records, rows).T
    return np.hstack([nearest(some(records, n, rng), rows) for _ in range(n_repeats)]).T


def ratio_of_distances(fresh: np.ndarray, drawn: np.ndarray, quantile: float = 0.5) -> float:
    """`dcr_ratio` of the distances to the nearest training rows."""
    unit, distance = (float(np.quantile(part[:, 0], quantile)) for part in (fresh, drawn))
    if unit == 0:
        return 1.0 if distance == 0 else float("inf")
    return distance / unit


def attack(
    members: np.ndarray, others: np.ndarray, rows: np.ndarray, calibration: np.ndarray | None = None, *, max_fpr: float
) -> tuple[float, float]:
    """`membership_inference` on rows of one space."""
    targets = np.vstack([members, others])
    distance = nearest(rows, targets)[:, 0]
    if calibration is not None:
        distance = (distance + SAME) / (nearest(calibration, targets)[:, 0] + SAME)
    is_member = np.repeat([1, 0], [len(members), len(others)])
    false_positive, true_positive, _ = roc_curve(is_member, -distance, drop_intermediate=False)
    return float(true_positive[false_positive <= max_fpr].max()), float(roc_auc_score(is_member, -distance))


def excess_of_memorised(fresh: np.ndarray, drawn: np.ndarray, ratio: float = 1 / 3) -> float:
    """`memorisation_excess` of the distances to the two nearest training rows."""
    return float(np.mean(drawn[:, 0] < ratio * drawn[:, 1]) - np.mean(fresh[:, 0] < ratio * fresh[:, 1]))


def row_tuples(columns: list[np.ndarray]) -> Iterator[tuple[Any, ...]]:
    """The rows as tuples; nan, which equals nothing, as None."""
    cells = [
        [None if cell != cell else cell for cell in column.tolist()] if column.dtype.kind == "f" else column.tolist()
        for column in columns
    ]
    return zip(*cells, strict=True)
