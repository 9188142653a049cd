"""Neighbourhoods kept by an embedding, and how near synthetic rows keep to a manifold."""

from __future__ import annotations

import numbers
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state, check_scalar

from .._table.checks import as_2d_array
from ._tables import CategoricalFeatures, Seed, Table, check_max_rows, one_hot_space, two_in_space


def trustworthiness_continuity(
    X: Table,
    Z: ArrayLike,
    *,
    n_neighbors: int = 5,
    max_rows: int = 2000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> tuple[float, float]:
    """Whether neighbours in the embedding are neighbours in the table, and the other way round.

    Trustworthiness is that of `sklearn.manifold.trustworthiness`: rows that are among the `n_neighbors`
    nearest in the embedding but not in the table cost as much as their rank there exceeds `n_neighbors`.
    Continuity is the same with embedding and table exchanged: rows torn apart cost. Higher is better for
    both: 1 is ideal, about 0.5 what a random embedding scores, 0 the least. They mislead because they see
    ranks of near rows only: an embedding may be far from true to distances, or fold what lies far apart, and
    with few rows for the number of neighbours both fall.

    Parameters
    ----------
    X : {DataFrame, array-like} of shape (n_rows, n_columns)
        The table; distances are taken between standardised numeric columns and one-hot columns.
    Z : array-like of shape (n_rows, n_components)
        The embedding of its rows.
    n_neighbors : int, default=5
        Number of neighbours, less than half the number of rows.
    max_rows : int, default=2000
        Rows to use at most; the memory grows with their square.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns of the table: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    trustworthiness, continuity : float

    References
    ----------
    Venna, J., & Kaski, S. (2001). Neighborhood preservation in nonlinear projection methods: an experimental
    study. ICANN.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import trustworthiness_continuity
    >>> rows = np.random.RandomState(0).normal(size=(50, 2))
    >>> trustworthiness_continuity(rows, 3 * rows @ [[0, 1], [1, 0]])[1] > 0.95
    True
    """
    check_max_rows(max_rows, 3)
    x, z = one_hot_space([X], categorical_features)[0], as_2d_array(Z)
    if len(z) != len(x):
        raise ValueError(f"Z must have one row for each of the {len(x)} rows of X, got {len(z)}")
    chosen = check_random_state(random_state).permutation(len(x))[:max_rows]
    n_most = (len(chosen) - 1) // 2
    check_scalar(n_neighbors, "n_neighbors", numbers.Integral, min_val=1, max_val=n_most)
    x, z = x[chosen], z[chosen]
    both_ways = [float(trustworthiness(*pair, n_neighbors=n_neighbors)) for pair in ((x, z), (z, x))]
    return both_ways[0], both_ways[1]


def manifold_distance(
    rows: ArrayLike, distance: Callable[[np.ndarray], np.ndarray], *, reference: ArrayLike | None = None
) -> float:
    """Mean distance of rows to a manifold that is known, in units of that of reference rows if given.

    Lower is better: 0 lies on the manifold, and there is no bound. With the noisy rows that the generator was
    fitted on as `reference`, 1 means as noisy as they are and less means that noise was removed; which of the
    two is wanted depends on whether the noise is part of what was to be learnt. It misleads because rows may
    lie on the manifold and all in one place: read it with coverage.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_columns)
        Rows of numbers.
    distance : callable
        From rows of shape (n, n_columns) to their distances from the manifold, (n,); the toys of
        :mod:`skmdiff.datasets` bring theirs.
    reference : array-like of shape (n, n_columns), default=None
        Rows whose mean distance is the unit.

    Returns
    -------
    float
        0 or more.

    Examples
    --------
    >>> from skmdiff.datasets import make_von_mises_circle
    >>> from skmdiff.metrics import manifold_distance
    >>> circle = make_von_mises_circle(random_state=0)
    >>> manifold_distance([[3.0, 0.0], [0.0, 1.0]], circle.distance)
    1.0
    >>> manifold_distance([[3.0, 0.0], [0.0, 1.0]], circle.distance, reference=[[0.0, 0.5]])
    2.0
    """
    mean = _mean_to(distance, rows)
    if reference is None:
        return mean
    unit = _mean_to(distance, reference)
    if unit <= 0:
        raise ValueError(f"reference must lie off the manifold to be a unit, got rows at mean distance {unit}")
    return mean / unit


def tangent_angle(
    real: ArrayLike,
    synthetic: ArrayLike,
    *,
    n_components: int,
    n_neighbors: int = 15,
    reference: ArrayLike | None = None,
    max_rows: int = 1000,
    random_state: Seed = None,
) -> float:
    """Mean angle between the tangent planes of real and of synthetic rows, in radians.

    At each synthetic row a plane of `n_components` dimensions is fitted to its `n_neighbors` nearest real
    rows and another one to its nearest synthetic rows (itself not counted), by local principal components; the
    angle is the largest principal angle between the two. Lower is better, between 0 and pi / 2; ideal is what
    fresh real rows score, which is above 0, since planes fitted to few noisy rows tilt. It misleads where the
    dimension is not that of the data (planes in noise are at random angles), where the manifold bends within
    a neighbourhood, and where rows shrink onto a smooth surface, which straightens planes.

    Parameters
    ----------
    real, synthetic : array-like of shape (n_rows, n_columns)
        Rows of numbers, more than `n_neighbors` of each; take as many of each.
    n_components : int
        Dimension of the planes: that of the manifold.
    n_neighbors : int, default=15
        Rows that a plane is fitted to, more than `n_components`.
    reference : array-like of shape (n_rows, n_columns), default=None
        Rows that give the means and deviations of the space; those of `real` by default.
    max_rows : int, default=1000
        Synthetic rows to take the angle at, at most; neighbours are looked for among all.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    float
        Between 0 and pi / 2.

    References
    ----------
    Björck, Å., & Golub, G. H. (1973). Numerical methods for computing angles between linear subspaces.
    Mathematics of Computation.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import tangent_angle
    >>> line = np.linspace(0, 1, 50)[:, None] * [[1.0, 1.0]]
    >>> tangent_angle(line, line, n_components=1) < 1e-6
    True
    """
    check_max_rows(max_rows)
    a, b = two_in_space(real, synthetic, reference, None)
    check_scalar(n_components, "n_components", numbers.Integral, min_val=1, max_val=a.shape[1])
    most = min(len(a), len(b) - 1)
    check_scalar(n_neighbors, "n_neighbors", numbers.Integral, min_val=n_components + 1, max_val=most)
    chosen = check_random_state(random_state).permutation(len(b))[:max_rows]
    among_real = NearestNeighbors(n_neighbors=n_neighbors).fit(a).kneighbors(b[chosen])[1]
    among_synthetic = NearestNeighbors(n_neighbors=n_neighbors).fit(b).kneighbors()[1][chosen]
    planes = _planes(a[among_real], n_components), _planes(b[among_synthetic], n_components)
    return float(np.mean(_largest_angle(*planes)))


def _mean_to(distance: Callable[[np.ndarray], np.ndarray], rows: ArrayLike) -> float:
    return float(np.mean(distance(as_2d_array(rows).astype(float))))


def _planes(neighbours: np.ndarray, n_components: int) -> np.ndarray:
    """Orthonormal rows that span the first principal components of each neighbourhood, (n, n_components, p)."""
    centred = neighbours - neighbours.mean(axis=1, keepdims=True)
    return np.linalg.svd(centred, full_matrices=False)[2][:, :n_components]


def _largest_angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Largest principal angle of pairs of planes: its sine is what remains of one plane off the other."""
    off = a - (a @ b.transpose(0, 2, 1)) @ b
    return np.arcsin(np.clip(np.linalg.norm(off, ord=2, axis=(1, 2)), 0, 1))
