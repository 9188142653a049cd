"""Whether synthetic rows lie where real rows do, whether they cover all of them, and how diverse they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigvalsh
from scipy.special import entr
from sklearn.metrics import pairwise_distances_chunked

from .._numerics.checks import check_integer, random_stream
from ._tables import (
    SAME,
    WORKING_MEMORY,
    CategoricalFeatures,
    Seed,
    Table,
    check_max_rows,
    neighbour_radius,
    one_hot_space,
    random_rows,
    two_in_space,
)
from ._two_sample import check_bandwidth, gaussian_kernel, median_distance


class PRDC(NamedTuple):
    """What :func:`prdc` returns.

    Attributes
    ----------
    precision, recall, density, coverage : float
        The four measures.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(
    real: Table,
    synthetic: Table,
    *,
    reference: Table | None = None,
    n_neighbors: int = 5,
    categorical_features: CategoricalFeatures = "from_dtype",
) -> PRDC:
    """Precision, recall, density and coverage.

    The ball of a row is centred at the row and reaches to its `n_neighbors`-th neighbour in the same table.

    - precision: fraction of the synthetic rows inside any real ball. A few outliers, whose balls are large, raise it,
      and so do synthetic rows that lie near the middle only.
    - recall: fraction of the real rows inside any synthetic ball. Synthetic rows that spread too wide have large
      balls and raise it.
    - density: mean number of real balls around a synthetic row, divided by `n_neighbors`. It is 1 on average for
      fresh rows, and more, without bound, for synthetic rows where the data are dense.
    - coverage: fraction of the real balls that hold a synthetic row. Copies score as high as fresh rows, whose
      expectation for n rows of each is ``1 - prod_i (n - i) / (2 n - i)`` over i from 1 to `n_neighbors`: .969 for
      many rows and five neighbours.

    Higher is better, for density up to 1. All are at least 0, and all but density at most 1. Distances are Euclidean,
    between standardised numeric columns and one-hot columns; in many columns a few rows are neighbours of everything,
    and all four say less. All depend on the numbers of rows.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        The tables to compare, of two rows or more; take as many rows of each.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Rows that give the means and standard deviations of the space; those of `real` by default.
    n_neighbors : int, default=5
        Number of neighbours inside a ball; all of them if a table has fewer.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.

    Returns
    -------
    PRDC
        A named tuple of `precision`, `recall`, `density` and `coverage`.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, or fewer than two rows, or `n_neighbors` is below 1.

    References
    ----------
    Naeem, M. F., Oh, S. J., Uh, Y., Choi, Y., & Yoo, J. (2020). Reliable fidelity and diversity metrics for
    generative models. ICML.

    Kynkäänniemi, T., Karras, T., Laine, S., Lehtinen, J., & Aila, T. (2019). Improved precision and recall
    metric for assessing generative models. NeurIPS.

    Examples
    --------
    >>> from skmdiff.metrics import prdc
    >>> prdc([[0.0], [1.0], [5.0], [6.0]], [[0.5], [0.6], [9.0]], n_neighbors=1).density
    1.3333333333333333
    """
    a, b = _two_tables(real, synthetic, reference, n_neighbors, categorical_features)
    found = _ball_counts(a, b, neighbour_radius(a, n_neighbors), neighbour_radius(b, n_neighbors))
    return PRDC(
        precision=float(np.mean(found.n_balls > 0)),
        recall=float(np.mean(found.inside)),
        density=float(np.mean(found.n_balls) / min(n_neighbors, len(a) - 1)),
        coverage=float(np.mean(found.met)),
    )


def vendi_score(
    rows: Table,
    *,
    reference: Table | None = None,
    bandwidth: float | None = None,
    max_rows: int = 1000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Effective number of different rows.

    The exponential of the entropy of the eigenvalues of K / n, where K is the Gaussian kernel between the n rows, of
    standardised numeric columns and one-hot columns: n rows far from each other score n, k groups of equal rows,
    far apart and of one size, score k, and equal rows 1. Ideal is the score of as many real rows in the same space
    and at the same bandwidth, so give the real rows as `reference` and divide. It misleads because it sees diversity
    only: noise added to every row raises it, so read it together with precision.

    Parameters
    ----------
    rows : {DataFrame, array-like} of shape (n_rows, n_columns)
        The table to measure.
    reference : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
        Rows that give the space and the bandwidth; those of `rows` by default.
    bandwidth : float, default=None
        Standard deviation of the kernel, above 0. By default a quarter of the median distance between rows of
        `reference`; at the median distance itself all rows look similar.
    max_rows : int, default=1000
        Maximum number of rows to use; the time grows with its cube.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    float
        Between 1 and the number of rows used.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If `reference` has other columns, `bandwidth` is not above 0, or `max_rows` is below 1.

    References
    ----------
    Friedman, D., & Dieng, A. B. (2023). The Vendi score: a diversity evaluation metric for machine learning.
    TMLR.

    Examples
    --------
    >>> from skmdiff.metrics import vendi_score
    >>> round(vendi_score([[0.0], [0.0], [9.0], [9.0]], bandwidth=0.1), 6)
    2.0
    """
    check_max_rows(max_rows)
    rng = random_stream(random_state)
    space, x = one_hot_space([rows if reference is None else reference, rows], categorical_features)
    bandwidth = (
        median_distance(random_rows(space, max_rows, rng)) / 4 if bandwidth is None else check_bandwidth(bandwidth)
    )
    x = random_rows(x, max_rows, rng)
    eigenvalues = eigvalsh(gaussian_kernel(x, x, bandwidth) / len(x))
    # rounding makes some of the eigenvalues that are 0 negative
    return float(np.exp(entr(np.maximum(eigenvalues, 0)).sum()))


class _BallCounts(NamedTuple):
    """Number of real balls around each synthetic row; real rows in synthetic balls; real balls with synthetic rows."""

    n_balls: np.ndarray
    inside: np.ndarray
    met: np.ndarray


def _ball_counts(a: np.ndarray, b: np.ndarray, radius: np.ndarray, radius_b: np.ndarray) -> _BallCounts:
    """Compare every synthetic row with every real one, by blocks of synthetic rows."""
    n_balls, start = [], 0
    inside, met = np.zeros(len(a), dtype=bool), np.zeros(len(a), dtype=bool)
    for block in pairwise_distances_chunked(b, a, working_memory=WORKING_MEMORY):
        is_in = block <= radius + SAME
        n_balls.append(is_in.sum(axis=1))
        met |= is_in.any(axis=0)
        inside |= (block <= radius_b[start : start + len(block), None] + SAME).any(axis=0)
        start += len(block)
    return _BallCounts(np.concatenate(n_balls), inside, met)


def _two_tables(
    real: Table, synthetic: Table, reference: Table | None, n_neighbors: int, categorical_features: CategoricalFeatures
) -> tuple[np.ndarray, np.ndarray]:
    """Two tables in one space, each with at least two rows, so that each row has a neighbour."""
    check_integer(n_neighbors, "n_neighbors", 1)
    a, b = two_in_space(real, synthetic, reference, categorical_features)
    if min(len(a), len(b)) < 2:
        raise ValueError(f"real and synthetic must have two rows or more, got {len(a)} and {len(b)}")
    return a, b
