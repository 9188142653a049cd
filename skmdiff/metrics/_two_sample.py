"""Distributions of rows: a classifier that tells two tables apart, and two distances.

The distances are between rows in the space of `_tables`; x, x' are real and y, y' synthetic::

    energy distance   sqrt(2 E|x - y| - E|x - x'| - E|y - y'|)
    squared MMD       E k(x, x') + E k(y, y') - 2 E k(x, y),   k(x, y) = exp(-|x - y|^2 / 2 h^2)
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import pairwise_distances_chunked, roc_auc_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from .._numerics.checks import check_real, random_stream
from ._tables import (
    WORKING_MEMORY,
    CategoricalFeatures,
    Seed,
    Table,
    aligned,
    check_max_rows,
    random_rows,
    tree_matrices,
    two_in_space,
)

# this many rows give the median distance with sufficient accuracy
_BANDWIDTH_ROWS = 1000


def c2st(
    real: Table,
    synthetic: Table,
    *,
    max_rows: int = 5000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Area under the ROC curve of a classifier that tells synthetic rows from real ones.

    The classifier is histogram gradient boosting, tested by five-fold cross-validation on the same number of rows from
    both tables. Lower is better: 0.5 is ideal (the trees guess), 1 the worst (they are always right); a little below
    0.5 is chance. Give real rows that the generator was NOT fitted on, or a copy of the training rows scores 0.5. It
    misleads with few rows, where trees learn little: compare scores of the same numbers of rows only. And one
    difference in one column, such as numbers that are not rounded as the real ones are, is enough for a score of 1.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare, of five rows or more; of the longer one as many random rows are used as the shorter
        one has.
    max_rows : int, default=5000
        Maximum number of rows of each table to use.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows, of the folds and of the trees.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or fewer than five rows, or `max_rows` is below 5.

    References
    ----------
    Lopez-Paz, D., & Oquab, M. (2017). Revisiting classifier two-sample tests. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import c2st
    >>> rng = np.random.RandomState(0)
    >>> auc = c2st(rng.normal(size=(300, 2)), 9 + rng.normal(size=(300, 2)), random_state=0)
    >>> round(auc, 2)
    1.0
    """
    check_max_rows(max_rows, 5)
    rng = random_stream(random_state)
    (a, b), categorical = aligned([real, synthetic], categorical_features, min_rows=5)
    n = min(len(a[0]), len(b[0]), max_rows)
    matrices, is_category = tree_matrices([a, b], categorical)
    rows = np.nan_to_num(np.vstack([random_rows(matrix, n, rng) for matrix in matrices]))
    origin = np.repeat([0, 1], n)
    trees = HistGradientBoostingClassifier(
        categorical_features=is_category, early_stopping=False, random_state=rng.randint(2**31)
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=rng.randint(2**31))
    # for a few thousand rows threads cost more time than they save
    with threadpool_limits(1, user_api="openmp"):
        guess = cross_val_predict(trees, rows, origin, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(origin, guess))


def energy_distance(
    real: Table,
    synthetic: Table,
    *,
    reference: Table | None = None,
    max_rows: int = 5000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Energy distance: how much farther apart real and synthetic rows are than rows of one table.

    The square root of ``2 E|x - y| - E|x - x'| - E|y - y'|`` over real x, x' and synthetic y, y', between
    standardised numeric columns and one-hot columns; with one column it is `scipy.stats.energy_distance`.
    Lower is better: 0 is ideal, and there is no upper bound. It is zero for equal distributions only, so it sees every
    difference, but few of them well: in many columns all distances are similar, and it sees means first. Pairs of a
    row with itself count, as in SciPy, so that n fresh real rows score about ``sqrt(2 E|x - x'| / n)``, not 0.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare; take as many rows of each.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Rows that give the means and standard deviations of the space; those of `real` by default.
    max_rows : int, default=5000
        Maximum number of rows of each table to use.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    float
        0 or more.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or `max_rows` is below 1.

    References
    ----------
    Székely, G. J., & Rizzo, M. L. (2013). Energy statistics: a class of statistics based on distances.
    Journal of Statistical Planning and Inference.

    Examples
    --------
    >>> from skmdiff.metrics import energy_distance
    >>> energy_distance([[-1.0], [1.0]], [[-1.0], [1.0]])
    0.0
    """
    check_max_rows(max_rows)
    rng = random_stream(random_state)
    a, b = (random_rows(part, max_rows, rng) for part in two_in_space(real, synthetic, reference, categorical_features))
    squared = 2 * _mean_distance(a, b) - _mean_distance(a, a) - _mean_distance(b, b)
    # rounding may make 0 negative
    return float(np.sqrt(max(0.0, squared)))


def mmd(
    real: Table,
    synthetic: Table,
    *,
    reference: Table | None = None,
    bandwidth: float | None = None,
    max_rows: int = 2000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Squared maximum mean discrepancy with a Gaussian kernel.

    ``E k(x, x') + E k(y, y') - 2 E k(x, y)`` over different real rows x, x' and different synthetic rows y,
    y', with ``k(x, y) = exp(-|x - y|^2 / 2 h^2)``, between standardised numeric columns and one-hot columns.
    Lower is better: 0 is ideal, the mean score of fresh real rows, and 2 the worst. The estimate is unbiased, so it may
    be a little below 0. It misleads at the wrong bandwidth, since it sees differences at about that scale; in many
    columns the median distance as bandwidth makes it see little but means.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare, of two rows or more.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Rows that give the means and standard deviations of the space; those of `real` by default.
    bandwidth : float, default=None
        Standard deviation of the kernel, above 0; by default the median distance between real rows.
    max_rows : int, default=2000
        Maximum number of rows of each table to use.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    float
        At most 2.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or fewer than two rows, or `bandwidth` or `max_rows` is out of range.

    References
    ----------
    Gretton, A., Borgwardt, K. M., Rasch, M. J., Schölkopf, B., & Smola, A. (2012). A kernel two-sample test.
    JMLR.

    Examples
    --------
    >>> from skmdiff.metrics import mmd
    >>> round(mmd([[0.0], [0.0]], [[9.0], [9.0]]), 6)
    2.0
    """
    check_max_rows(max_rows)
    rng = random_stream(random_state)
    a, b = (random_rows(part, max_rows, rng) for part in two_in_space(real, synthetic, reference, categorical_features))
    if min(len(a), len(b)) < 2:
        raise ValueError(f"real and synthetic must have two rows or more, got {len(a)} and {len(b)}")
    bandwidth = median_distance(a) if bandwidth is None else check_bandwidth(bandwidth)
    across = gaussian_kernel(a, b, bandwidth).mean()
    return float(_mean_off_diagonal(a, bandwidth) + _mean_off_diagonal(b, bandwidth) - 2 * across)


def gaussian_kernel(a: np.ndarray, b: np.ndarray, bandwidth: float) -> np.ndarray:
    """exp(-|a - b|^2 / 2 h^2) of each pair of rows, (n_a, n_b)."""
    return np.exp(-euclidean_distances(a, b, squared=True) / (2 * bandwidth**2))


def median_distance(rows: np.ndarray) -> float:
    """Median distance between the first rows; their mean distance where the median is 0, and 1 where both are."""
    distances = pdist(rows[:_BANDWIDTH_ROWS])
    if not len(distances):
        return 1.0
    return float(np.median(distances) or distances.mean() or 1.0)


def check_bandwidth(bandwidth: float) -> float:
    check_real(bandwidth, "bandwidth")
    return bandwidth


def _mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance over all pairs, computed by blocks."""
    blocks = pairwise_distances_chunked(
        a, b, reduce_func=lambda block, start: block.sum(axis=1), working_memory=WORKING_MEMORY
    )
    return sum(block.sum() for block in blocks) / (len(a) * len(b))


def _mean_off_diagonal(rows: np.ndarray, bandwidth: float) -> float:
    n = len(rows)
    return (gaussian_kernel(rows, rows, bandwidth).sum() - n) / (n * (n - 1))
