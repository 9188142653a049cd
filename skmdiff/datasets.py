"""One real mixed table, and toy manifolds whose truth is known.

Every toy lives in k = 2 or 3 intrinsic coordinates, is carried into `n_features` columns by an orthonormal
frame and gets normal noise of the same standard deviation in every column::

    data (n, p) = clean (n, p) + noise * N(0, I),
    clean = intrinsic (n, k) @ frame (k, p),    frame @ frame.T = I

so the distance to the true manifold splits into the part outside the span of the frame, a plain norm, and the
part inside it, for which each manifold has a formula. For p = k the frame is the identity.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from functools import partial
from importlib import resources
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from sklearn.utils import Bunch, check_scalar

from ._numerics.checks import check_integer, check_real, random_stream

__all__ = [
    "load_german_credit",
    "make_gaussian_grid",
    "make_linked_circles",
    "make_swiss_roll_nd",
    "make_torus",
    "make_von_mises_circle",
]


def load_german_credit(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the German credit table: 1000 rows, 7 integer and 14 categorical columns, no missing values.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Give pandas objects with dtypes int64 and category; pandas must be installed.

    Returns
    -------
    Bunch or tuple
        ``data`` of shape (1000, 20), object array or DataFrame; ``target`` of shape (1000,), "good" or "bad";
        ``frame``, the 21 columns together, of the kind of ``data``; ``feature_names``; ``target_names``;
        ``categorical_features``, the indices of the categorical columns of ``frame``; ``DESCR``, with source
        and licence (CC BY 4.0).

    Examples
    --------
    >>> from skmdiff.datasets import load_german_credit
    >>> credit = load_german_credit()
    >>> credit.data.shape, credit.target[:3].tolist()
    ((1000, 20), ['good', 'bad', 'good'])
    """
    folder = resources.files("skmdiff") / "data"
    with resources.as_file(folder / "german_credit.csv.gz") as path:
        names, columns = _read_columns(path)
    table: Any = _frame_of(names, columns) if as_frame else np.array([*zip(*columns, strict=True)], dtype=object)
    data, target = (table.iloc[:, :-1], table.iloc[:, -1]) if as_frame else (table[:, :-1], table[:, -1])
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=table,
        feature_names=names[:-1],
        target_names=["bad", "good"],
        categorical_features=[j for j, cells in enumerate(columns) if isinstance(cells[0], str)],
        DESCR=(folder / "german_credit.rst").read_text(encoding="utf-8"),
    )


def _read_columns(path: Path) -> tuple[list[str], list[list]]:
    """Names and columns of the table: integers where all cells are digits, else strings."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    columns = [list(cells) for cells in zip(*rows, strict=True)]
    return names, [list(map(int, cells)) if all(map(str.isdigit, cells)) else cells for cells in columns]


def _frame_of(names: list[str], columns: list[list]) -> Any:
    import pandas as pd

    typed = [pd.Categorical(cells) if isinstance(cells[0], str) else np.array(cells) for cells in columns]
    return pd.DataFrame(dict(zip(names, typed, strict=True)))


def make_swiss_roll_nd(
    n_samples: int = 1000,
    n_features: int = 10,
    *,
    noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Make the swiss roll of :func:`sklearn.datasets.make_swiss_roll` in any number of columns.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=10
        Number of columns, at least 3.
    noise : float, default=0.0
        Standard deviation of the normal noise in every column. The roll is 21 wide and reaches 14 from its
        axis.
    random_state : int, RandomState instance or None, default=None
        Seed of the frame, of the points and of the noise.

    Returns
    -------
    Bunch
        ``data`` and ``clean`` of shape (n_samples, n_features); ``t`` of shape (n_samples, 2), the angle
        along the spiral and the height; ``distance``, a function from rows of shape (n, n_features) to their
        distances from the roll, shape (n,).

    Examples
    --------
    >>> from skmdiff.datasets import make_swiss_roll_nd
    >>> roll = make_swiss_roll_nd(n_samples=200, noise=0.5, random_state=0)
    >>> roll.data.shape, bool(roll.distance(roll.clean).max() < 1e-6)
    ((200, 10), True)
    """
    rng = check_toy(n_samples, n_features, noise, random_state)
    angle = 1.5 * np.pi * (1 + 2 * rng.uniform(size=n_samples))
    height = 21 * rng.uniform(size=n_samples)
    intrinsic = np.column_stack([angle * np.cos(angle), height, angle * np.sin(angle)])
    return _embed(intrinsic, np.column_stack([angle, height]), _to_roll, n_features, noise, rng)


def make_torus(
    n_samples: int = 1000,
    n_features: int = 3,
    *,
    radius: float = 2.0,
    tube: float = 1.0,
    noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Make points spread evenly over the surface of a torus.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=3
        Number of columns, at least 3.
    radius, tube : float, default=2.0 and 1.0
        Radius of the ring and of its tube; ``radius`` is the larger one.
    noise : float, default=0.0
        Standard deviation of the normal noise in every column.
    random_state : int, RandomState instance or None, default=None
        Seed of the frame, of the points and of the noise.

    Returns
    -------
    Bunch
        ``data``, ``clean``, ``distance`` as in :func:`make_swiss_roll_nd`; ``t`` of shape (n_samples, 2), the
        angles around the ring and around the tube.

    Examples
    --------
    >>> from skmdiff.datasets import make_torus
    >>> make_torus(n_samples=5, random_state=0).distance([[3.0, 0.0, 0.0], [2.0, 0.0, 0.0]]).tolist()
    [0.0, 1.0]
    """
    rng = check_toy(n_samples, n_features, noise, random_state)
    check_real(radius, "radius")
    check_real(tube, "tube", high=radius)
    around = 2 * np.pi * rng.uniform(size=n_samples)
    # the surface is wider outside: the tube's angle a has density 1 + tube / radius * cos(a), inverted here
    grid = np.linspace(0, 2 * np.pi, 10_001)
    along = np.interp(2 * np.pi * rng.uniform(size=n_samples), grid + tube / radius * np.sin(grid), grid)
    ring = radius + tube * np.cos(along)
    intrinsic = np.column_stack([ring * np.cos(around), ring * np.sin(around), tube * np.sin(along)])
    to_torus = partial(_to_torus, radius=radius, tube=tube)
    return _embed(intrinsic, np.column_stack([around, along]), to_torus, n_features, noise, rng)


def make_gaussian_grid(
    n_samples: int = 1000,
    n_features: int = 2,
    *,
    n_side: int = 5,
    ratio: float = 0.9,
    noise: float = 0.05,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Make normal clusters on a square grid, turned by half a radian, with geometric weights.

    Independent columns have the distribution of a grid that is not turned, but not that of this one.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=2
        Number of columns, at least 2.
    n_side : int, default=5
        Number of clusters along one side; their centres are 1 apart.
    ratio : float, default=0.9
        Weight of a cluster relative to the one before it.
    noise : float, default=0.05
        Standard deviation of a cluster in every column.
    random_state : int, RandomState instance or None, default=None
        Seed of the frame, of the points and of the noise.

    Returns
    -------
    Bunch
        ``data``; ``clean``, the centre of each row's cluster; ``distance`` to the nearest centre, as in
        :func:`make_swiss_roll_nd`; ``t`` of shape (n_samples,), the cluster of each row; ``weights`` of shape
        (n_side ** 2,); ``centers`` of shape (n_side ** 2, n_features).

    Examples
    --------
    >>> from skmdiff.datasets import make_gaussian_grid
    >>> grid = make_gaussian_grid(n_samples=100, random_state=0)
    >>> grid.centers.shape, round(float(grid.weights[1] / grid.weights[0]), 3)
    ((25, 2), 0.9)
    """
    rng = check_toy(n_samples, n_features, noise, random_state)
    check_integer(n_side, "n_side", 1)
    check_real(ratio, "ratio")
    steps = np.arange(n_side) - (n_side - 1) / 2
    turn = np.array([[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])
    centers = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) @ turn
    weights = ratio ** np.arange(n_side**2)
    weights = weights / weights.sum()
    label = rng.choice(n_side**2, size=n_samples, p=weights)
    grid = _embed(centers[label], label, partial(_to_points, points=centers), n_features, noise, rng)
    grid.weights, grid.centers = weights, centers @ grid.frame
    return grid


def make_linked_circles(
    n_samples: int = 1000,
    n_features: int = 3,
    *,
    noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Make two unit circles, linked like two rings of a chain, half of the rows on each.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=3
        Number of columns, at least 3.
    noise : float, default=0.0
        Standard deviation of the normal noise in every column.
    random_state : int, RandomState instance or None, default=None
        Seed of the frame, of the points and of the noise.

    Returns
    -------
    Bunch
        ``data``, ``clean``, ``distance`` as in :func:`make_swiss_roll_nd`; ``t`` of shape (n_samples, 2), the
        angle and the circle, 0 or 1.

    Examples
    --------
    >>> from skmdiff.datasets import make_linked_circles
    >>> links = make_linked_circles(n_samples=100, random_state=0)
    >>> links.distance([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]).tolist()
    [0.0, 0.0]
    """
    rng = check_toy(n_samples, n_features, noise, random_state)
    angle = 2 * np.pi * rng.uniform(size=n_samples)
    second = np.arange(n_samples) % 2
    x, y = np.cos(angle), np.sin(angle)
    first_circle, second_circle = np.column_stack([x, y, 0 * x]), np.column_stack([1 + x, 0 * x, y])
    intrinsic = np.where(second[:, None] == 1, second_circle, first_circle)
    return _embed(intrinsic, np.column_stack([angle, second]), _to_linked_circles, n_features, noise, rng)


def make_von_mises_circle(
    n_samples: int = 1000,
    n_features: int = 2,
    *,
    kappa: float = 2.0,
    noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Make points on the unit circle whose angle follows the von Mises distribution.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=2
        Number of columns, at least 2.
    kappa : float, default=2.0
        Concentration of the angle around 0; 0 is the uniform distribution.
    noise : float, default=0.0
        Standard deviation of the normal noise in every column.
    random_state : int, RandomState instance or None, default=None
        Seed of the frame, of the points and of the noise.

    Returns
    -------
    Bunch
        ``data``, ``clean``, ``distance`` as in :func:`make_swiss_roll_nd`; ``t`` of shape (n_samples,), the
        angle.

    Examples
    --------
    >>> from skmdiff.datasets import make_von_mises_circle
    >>> circle = make_von_mises_circle(n_samples=100, random_state=0)
    >>> circle.distance([[0.0, 3.0], [1.0, 0.0]]).tolist()
    [2.0, 0.0]
    """
    rng = check_toy(n_samples, n_features, noise, random_state)
    check_at_least_0(kappa, "kappa")
    angle = rng.vonmises(0.0, kappa, size=n_samples)
    intrinsic = np.column_stack([np.cos(angle), np.sin(angle)])
    return _embed(intrinsic, angle, _to_circle, n_features, noise, rng)


def check_toy(
    n_samples: Any, n_features: Any, noise: Any, random_state: int | np.random.RandomState | None
) -> np.random.RandomState:
    """The stream of random numbers of a generator, whose parameters are checked first."""
    check_integer(n_samples, "n_samples", 1)
    check_integer(n_features, "n_features", 1)
    check_at_least_0(noise, "noise")
    return random_stream(random_state)


def check_at_least_0(value: Any, name: str) -> None:
    """Raise unless a number is finite and 0 or more."""
    check_scalar(value, name, Real)
    if not 0 <= value < np.inf:
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}.")


def _embed(
    intrinsic: np.ndarray,
    t: np.ndarray,
    to_manifold: Callable[[np.ndarray], np.ndarray],
    n_features: int,
    noise: float,
    rng: np.random.RandomState,
) -> Bunch:
    """Carry intrinsic points (n, k) into n_features columns, add the noise and pack what is known."""
    frame = _frame(intrinsic.shape[1], n_features, rng)
    clean = intrinsic @ frame
    data = clean + noise * rng.standard_normal(clean.shape)
    distance = partial(_distance, frame=frame, to_manifold=to_manifold)
    return Bunch(data=data, clean=clean, t=t, frame=frame, distance=distance)


def _frame(k: int, n_features: int, rng: np.random.RandomState) -> np.ndarray:
    """k orthonormal rows of length n_features."""
    if n_features < k:
        raise ValueError(f"n_features must be at least {k}, got {n_features}")
    if n_features == k:
        return np.eye(k)
    return np.linalg.qr(rng.standard_normal((n_features, k)))[0].T


def _distance(rows: np.ndarray, *, frame: np.ndarray, to_manifold: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    rows = np.asarray(rows, dtype=float)
    inside = rows @ frame.T
    outside = np.linalg.norm(rows - inside @ frame, axis=1)
    return np.hypot(to_manifold(inside), outside)


def _to_roll(points: np.ndarray) -> np.ndarray:
    """Distance to the swiss roll: the nearest of a grid of angles, then two Newton steps."""
    grid = np.linspace(1.5 * np.pi, 4.5 * np.pi, 20_001)
    plane, spacing = points[:, [0, 2]], grid[1] - grid[0]
    t = grid[cKDTree(_spiral(grid)[0]).query(plane)[1]]
    for _ in range(2):
        at, tangent, bend = _spiral(t)
        slope = ((at - plane) * tangent).sum(axis=1)
        curvature = (tangent**2).sum(axis=1) + ((at - plane) * bend).sum(axis=1)
        # never further than to the next angle of the grid, where the curvature may have either sign
        t = t - np.clip(slope / np.maximum(curvature, 1e-9), -spacing, spacing)
    t = np.clip(t, grid[0], grid[-1])
    beyond_edge = points[:, 1] - np.clip(points[:, 1], 0, 21)
    return np.hypot(np.linalg.norm(_spiral(t)[0] - plane, axis=1), beyond_edge)


def _spiral(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The curve t (cos t, sin t), its first and its second derivative, each of shape (n, 2)."""
    unit, normal = np.column_stack([np.cos(t), np.sin(t)]), np.column_stack([-np.sin(t), np.cos(t)])
    t = t[:, None]
    return t * unit, unit + t * normal, 2 * normal - t * unit


def _to_torus(points: np.ndarray, *, radius: float, tube: float) -> np.ndarray:
    return np.abs(np.hypot(np.hypot(points[:, 0], points[:, 1]) - radius, points[:, 2]) - tube)


def _to_points(rows: np.ndarray, *, points: np.ndarray) -> np.ndarray:
    return cKDTree(points).query(rows)[0]


def _to_circle(points: np.ndarray) -> np.ndarray:
    return np.abs(np.linalg.norm(points, axis=1) - 1)


def _to_linked_circles(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    return np.minimum(np.hypot(np.hypot(x, y) - 1, z), np.hypot(np.hypot(x - 1, z) - 1, y))
