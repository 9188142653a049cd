"""Local charts of the manifold: the surface through the rows, found by moving least squares.

Near a row, its neighbourhood in the embedding is a patch of a d-dimensional surface in the table. With T (p, d) a frame
of the tangent space there and u the coordinates of the patch along T, the patch is regressed on a quadratic polynomial
of u with tricube weights; its value at the u of a point x is the projection of x on the surface, its slope the next T,
and the two are iterated (Levin 2003, "Mesh-independent surface interpolation"; Sober & Levin 2020, "Manifold
approximation by moving least-squares"). The embedding says which rows are neighbours on the manifold, and only that: a
stretched or noisy embedding changes nothing else, while neighbours in the table would cut across a fold.

The polynomial does not know where the rows end. On a surface of few dimensions a projection is not to leave the convex
hull of the nearest rows of the patch, along it; in many dimensions most of a distribution is at its edge.
"""

from dataclasses import dataclass

import numpy as np

from .._numerics.neighbors import chunks, n_terms, nearest, neighbor_graph, normalised, tricube
from .local_regression import SIZES, equivalent, regression_coefficients

ROWS_PER_TERM = 1.5  # of the polynomial, at least
CHART_TEST_ROWS = 300
N_ITERATIONS = 3
HULL_STEPS = 20
BOUNDED_DIMENSIONS = 3  # up to which a surface ends
SUPPORT_ROWS = 15  # of a patch, the nearest: a projection stays in their convex hull


@dataclass(frozen=True)
class Charts:
    """The surface through the rows W (n, p) of a table.

    patches : (n, k + 1) each row and its neighbours on the manifold, near to far
    surface : (p,) of bool, the columns that vary along the surface smoothly, the numbers: q of them
    n_dimensions : d
    """

    W: np.ndarray
    patches: np.ndarray
    surface: np.ndarray
    n_dimensions: int

    def project(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Projections (m, q) of rows X (m, p) on the surface, and orthonormal tangents (m, q, d) there."""
        nearest_row = nearest(self.W, X, 1)[1][:, 0]
        points, table = X[:, self.surface], self.W[:, self.surface]
        projections, frames = np.empty_like(points), np.empty((*points.shape, self.n_dimensions))
        for rows in chunks(len(X), 4 * self.patches.shape[1] * (points.shape[1] + self.n_dimensions**2)):
            patches = table[self.patches[nearest_row[rows]]]
            projections[rows], frames[rows], _ = project_on_patches(patches, points[rows], self.n_dimensions)
        return projections, frames

    def residuals(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Projections (m, q) of rows X (m, p), and the parts of X less these normal to the surface, (m, q)."""
        projections, frames = self.project(X)
        return projections, normal_parts(X[:, self.surface] - projections, frames)

    def new_residuals(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normal parts (m, q) of some rows of the table, as if they were new, and distances (m,) to the nearest others.

        The patch is that of the nearest other row, without the row.
        """
        distances, indices = nearest(self.W, self.W[rows], 2)
        second = (indices[:, 0] == rows).astype(int)
        others, each = indices[np.arange(len(rows)), second], distances[np.arange(len(rows)), second]
        patches, table = self.patches[others], self.W[:, self.surface]
        left = np.argsort(patches == rows[:, None], axis=1, kind="stable")[:, :-1]  # the row last, if it is there
        patches = np.take_along_axis(patches, np.sort(left, axis=1), axis=1)
        projections, frames, _ = project_on_patches(table[patches], table[rows], self.n_dimensions)
        return normal_parts(table[rows] - projections, frames), each


def project_on_patches(patches: np.ndarray, points: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Projections (m, q) of points (m, q) on the surfaces through patches (m, k, q), and tangents (m, q, d) there.

    Also (m,) the variance of a projection off the surface that independent noise of variance one in the patch gives it.
    """
    centre = patches.mean(axis=1)
    frames = np.linalg.svd(patches - centre[:, None], full_matrices=False)[2][:, :d].transpose(0, 2, 1)
    projections = centre
    for _ in range(N_ITERATIONS):
        along = np.einsum("mkq,mqd->mkd", patches - projections[:, None], frames)
        at = np.einsum("mq,mqd->md", points - projections, frames)
        if d <= BOUNDED_DIMENSIONS:
            at = _within(along[:, :SUPPORT_ROWS], at)
        distances = np.linalg.norm(patches - projections[:, None], axis=2)
        reach = np.maximum(distances.max(axis=1, keepdims=True), np.finfo(float).tiny) * (1 + 1e-4)
        weights = tricube(distances / reach)
        projections, slopes, variance = _regress(along - at[:, None], patches, weights)
        frames = np.linalg.qr(slopes.transpose(0, 2, 1))[0]
    return projections, frames, variance


def _within(along: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Points at (m, d); those outside the convex hull of `along` (m, k, d) are moved to about the nearest point of it.

    By conditional gradients (Frank & Wolfe 1956): from inside the hull each step goes towards the corner that is
    farthest in the direction of the point. A point is outside where that direction separates it from all corners.
    """
    inside = along.mean(axis=1)
    for _ in range(HULL_STEPS):
        corner = _farthest(along, at - inside)
        way = corner - inside
        length = np.maximum(np.sum(way**2, axis=1), np.finfo(float).tiny)
        inside = inside + way * np.clip(np.sum((at - inside) * way, axis=1) / length, 0, 1)[:, None]
    direction = at - inside
    outside = np.sum((_farthest(along, direction) - at) * direction, axis=1) < 0
    return np.where(outside[:, None], inside, at)


def _farthest(along: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Of points `along` (m, k, d) those farthest in the directions (m, d)."""
    farthest = np.einsum("mkd,md->mk", along, direction).argmax(axis=1)
    return along[np.arange(len(along)), farthest]


def _regress(
    offsets: np.ndarray, patches: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value (m, q) and slopes (m, d, q) of the polynomial of offsets (m, k, d) at 0, and the variance of the value."""
    k, d = offsets.shape[1:]
    scale = np.maximum(np.abs(offsets).max(axis=(1, 2), keepdims=True), np.finfo(float).tiny)
    degree = 2 if ROWS_PER_TERM * n_terms(d, 2) <= k else 1
    value, slopes = regression_coefficients(offsets / scale, normalised(weights), degree)
    return (value[:, None] @ patches)[:, 0], slopes @ patches / scale, np.sum(value**2, axis=1)


@dataclass(frozen=True)
class LeftOut:
    """Rows left out of their charts: how the surface through their neighbours misses them.

    residuals : (m, q) of the rows, normal to the surface; frames : (m, q, d) tangents at their projections
    variance : (m,) see `project_on_patches`
    """

    residuals: np.ndarray
    frames: np.ndarray
    variance: np.ndarray


def leave_out(table: np.ndarray, neighbors: np.ndarray, rows: np.ndarray, d: int) -> LeftOut:
    """Charts at some rows of a table (n, q), each from its neighbours (n, k) alone."""
    projections, frames, variance = project_on_patches(table[neighbors[rows]], table[rows], d)
    return LeftOut(normal_parts(table[rows] - projections, frames), frames, variance)


def normal_parts(residuals: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The parts of residuals (m, q) normal to orthonormal tangents (m, q, d)."""
    along = np.einsum("mqd,mq->md", frames, residuals)
    return residuals - np.einsum("mqd,md->mq", frames, along)


def choose_charts(W: np.ndarray, Z: np.ndarray, surface: np.ndarray, n_dimensions: int, seed: int) -> Charts:
    """Charts of the rows W (n, p) with the embedding Z (n, k).

    The size of a patch is the largest whose leave-one-out error, the squared distance of a row from the surface through
    its neighbours, is equivalent to the least.
    """
    table = W[:, surface]
    rows = np.random.default_rng(seed).permutation(len(W))[:CHART_TEST_ROWS]
    sizes = [size for size in SIZES if size < len(W)] or [len(W) - 1]
    graph = neighbor_graph(Z, sizes[-1], W=W)
    errors = [np.mean(leave_out(table, graph[:, :size], rows, n_dimensions).residuals ** 2) for size in sizes]
    size = sizes[np.flatnonzero(equivalent(errors))[-1]]
    patches = np.column_stack([np.arange(len(W)), graph[:, :size]])
    return Charts(W, patches, surface, n_dimensions)
