"""How well an embedding keeps neighbourhoods, and how near synthetic rows lie to a manifold."""

from __future__ import annotations

import numbers
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_scalar

from .._numerics.checks import random_stream
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

    Trustworthiness is that of `sklearn.manifold.trustworthiness`: a row among the `n_neighbors` nearest in the
    embedding but not in the table costs as much as its rank in the table exceeds `n_neighbors`. Continuity is the
    same with embedding and table exchanged: neighbours that the embedding separates cost. For both higher is better:
    1 is ideal, a random embedding scores about 0.5, and 0 is the worst. They mislead because they see ranks of near
    rows only: an embedding may distort distances, or fold distant parts together. Both are lower where the rows are
    few for the number of neighbours.

    Parameters
    ----------
    X : {DataFrame, array-like} of shape (n_rows, n_columns)
        The table; distances are taken between standardised numeric columns and one-hot columns.
    Z : array-like of shape (n_rows, n_components)
        The embedding of its rows.
    n_neighbors : int, default=5
        Number of neighbours, less than half the number of rows.
    max_rows : int, default=2000
        Maximum number of rows to use; the memory grows with its square.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns of the table: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    trustworthiness, continuity : float

    Raises
    ------
    ValueError
        If `Z` has another number of rows than `X`, or `n_neighbors` or `max_rows` is out of range.

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
    chosen = random_stream(random_state).permutation(len(x))[:max_rows]
    n_most = (len(chosen) - 1) // 2
    check_scalar(n_neighbors, "n_neighbors", numbers.Integral, min_val=1, max_val=n_most)
    x, z = x[chosen], z[chosen]
    both_ways = [float(trustworthiness(*pair, n_neighbors=n_neighbors)) for pair in ((x, z), (z, x))]
    return both_ways[0], both_ways[1]


def manifold_distance(
    rows: ArrayLike, distance: Callable[[np.ndarray], np.ndarray], *, reference: ArrayLike | None = None
) -> float:
    """Mean distance of rows to a known manifold, divided by that of reference rows if given.

    Lower is better: rows on the manifold score 0, and there is no upper bound. With the noisy rows that the generator
    was fitted on as `reference`, 1 means as noisy as these, and less means that noise was removed. Which of the two is
    better depends on whether the noise was to be learnt. It misleads because rows may all lie at one point of the
    manifold: read it together with coverage.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_columns)
        Rows of numbers.
    distance : callable
        From rows of shape (n, n_columns) to their distances from the manifold, of shape (n,). The toy manifolds of
        :mod:`skmdiff.datasets` have one each.
    reference : array-like of shape (n, n_columns), default=None
        Rows whose mean distance is the unit; by default distances are in the units of the columns.

    Returns
    -------
    float
        0 or more.

    Raises
    ------
    ValueError
        If the rows of `reference` are on the manifold.

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
        raise ValueError(
            f"reference must have rows off the manifold, got rows at mean distance {unit}; give others, or None"
        )
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

    At each synthetic row local principal components fit a plane of `n_components` dimensions to its `n_neighbors`
    nearest real rows, and another one to its nearest synthetic rows (without itself). The angle is the largest
    principal angle between the two. Lower is better, between 0 and pi / 2. Ideal is the score of fresh real rows,
    which is above 0, since planes fitted to few noisy rows tilt. It misleads where the dimension is not that of the
    data (planes in noise have random angles), where the manifold bends within a neighbourhood, and where rows shrink
    onto a smooth surface, which makes all planes less noisy.

    Parameters
    ----------
    real, synthetic : array-like of shape (n_rows, n_columns)
        Rows of numbers, more than `n_neighbors` of each; take as many of each.
    n_components : int
        Dimension of the planes: that of the manifold.
    n_neighbors : int, default=15
        Number of rows that a plane is fitted to, more than `n_components`.
    reference : array-like of shape (n_rows, n_columns), default=None
        Rows that give the means and standard deviations of the space; those of `real` by default.
    max_rows : int, default=1000
        Maximum number of synthetic rows at which angles are measured; neighbours are searched among all rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    float
        Between 0 and pi / 2.

    Raises
    ------
    TypeError
        If a column holds something other than numbers.
    ValueError
        If the tables have different columns, or `n_components`, `n_neighbors` or `max_rows` is out of range.

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
    chosen = random_stream(random_state).permutation(len(b))[:max_rows]
    among_real = NearestNeighbors(n_neighbors=n_neighbors).fit(a).kneighbors(b[chosen])[1]
    among_synthetic = NearestNeighbors(n_neighbors=n_neighbors).fit(b).kneighbors()[1][chosen]
    planes = _planes(a[among_real], n_components), _planes(b[among_synthetic], n_components)
    return float(np.mean(_largest_angle(*planes)))


def _mean_to(distance: Callable[[np.ndarray], np.ndarray], rows: ArrayLike) -> float:
    if not callable(distance):
        raise TypeError(f"distance must be a function of rows, got {distance!r:.80}.")
    points = as_2d_array(rows).astype(float)
    found = np.asarray(distance(points))
    if found.shape != (len(points),):
        raise ValueError(f"distance must return one number a row, shape ({len(points)},), got shape {found.shape}.")
    return float(np.mean(found))


def _planes(neighbours: np.ndarray, n_components: int) -> np.ndarray:
    """First principal components of each neighbourhood as orthonormal rows, (n, n_components, n_columns)."""
    centred = neighbours - neighbours.mean(axis=1, keepdims=True)
    return np.linalg.svd(centred, full_matrices=False)[2][:, :n_components]


def _largest_angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Largest principal angle between pairs of planes; its sine is the norm of what is left of one after projection."""
    rest = a - (a @ b.transpose(0, 2, 1)) @ b
    return np.arcsin(np.clip(np.linalg.norm(rest, ord=2, axis=(1, 2)), 0, 1))
