"""Starts for `explore`: spread over a region of the embedding, or along a path over the manifold from row to row.

In a region there is one start in each of as many strata of equal volume. Of a few candidates in a stratum it is the one
farthest from the starts in the other strata (best candidates; Mitchell 1991, "Spectrally optimal sampling for
distribution ray tracing").

A path is a geodesic of the neighbour graph, whose edges are as long as they are in the table (Tenenbaum, de Silva &
Langford 2000, "A global geometric framework for nonlinear dimensionality reduction"). Its points are evenly spaced by
their distance along it; between two rows they lie on the straight line.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial.distance import cdist

from .._manifold.learner import ManifoldModel
from .._numerics.neighbors import distances_to, nearest
from .._numerics.streams import START_STREAM, row_uniforms
from .distributions import RowDistribution, tree_order
from .source import Source, draw_starts
from .volumes import volumes

CANDIDATES = 8  # starts in a stratum, of which one is chosen
RUN_ROWS = 256  # strata that are spread together
ROUNDS = 2


def region_points(
    region: Any, source: Source, model: ManifoldModel, X: np.ndarray, n_samples: int, seed: int
) -> np.ndarray:
    """(n_samples, p) clean starts spread evenly over the volume of a region, see `region_distribution`."""
    distribution = region_distribution(region, model, X)
    stratum = np.random.default_rng(seed).permutation(n_samples)
    parts = []
    for first in range(0, n_samples, RUN_ROWS):
        rows = np.arange(first, min(first + RUN_ROWS, n_samples))
        uniforms = row_uniforms(seed ^ START_STREAM, first, first + len(rows), CANDIDATES * source.n_draws)
        uniforms = uniforms.reshape(len(rows) * CANDIDATES, source.n_draws)
        quantiles = (np.repeat(stratum[rows], CANDIDATES) + uniforms[:, 0]) / n_samples
        starts = draw_starts(source, uniforms, distribution.rows_at(quantiles))
        starts = starts.reshape(len(rows), CANDIDATES, -1)
        parts.append(starts[np.arange(len(rows)), farthest(starts, ROUNDS)])
    return np.concatenate(parts)


def farthest(candidates: np.ndarray, n_rounds: int) -> np.ndarray:
    """(n,) which of its candidates (n, c, q) each point takes: the one whose nearest point taken is farthest.

    Points take theirs in turn, the first one its first; in further rounds each takes again, against all the others.
    """
    chosen, points = np.zeros(len(candidates), dtype=int), candidates[:, 0].copy()
    for n_round in range(n_rounds):
        for i in range(n_round == 0, len(points)):
            squares = cdist(candidates[i], points if n_round else points[:i], "sqeuclidean")
            if n_round:
                squares[:, i] = np.inf
            chosen[i] = squares.min(axis=1).argmax()
            points[i] = candidates[i, chosen[i]]
    return chosen


def region_distribution(region: Any, model: ManifoldModel, X: np.ndarray) -> RowDistribution:
    """The distribution over the rows in a region by the volume that each stands for, along a tree of the embedding.

    region : (low, high), corners (k,) of a box of the embedding, a callable of Z (n, k) that returns (n,) of bool, or
        None for all of it
    X : (n, q) the rows as distances in the table are measured
    """
    Z = model.embedding_
    inside = np.ones(len(Z), dtype=bool) if region is None else inside_region(region, Z)
    if not inside.any():
        raise ValueError(f"region must hold at least one training row, got {region!r}, which holds none.")
    weights = np.where(inside, volumes(X), 0.0)
    order = tree_order(model.shaped_embedding, np.zeros(len(Z), dtype=int))
    return RowDistribution(order, np.cumsum(weights[order]))


def inside_region(region: Any, Z: np.ndarray) -> np.ndarray:
    """(n,) of bool, the points Z (n, k) in a region."""
    if callable(region):
        inside = np.asarray(region(Z))
        if inside.shape != (len(Z),) or inside.dtype != bool:
            raise ValueError(
                f"region must return one bool a row, {len(Z)} in all, got shape {inside.shape} of {inside.dtype}."
            )
        return inside
    try:
        low, high = (np.broadcast_to(np.asarray(corner, dtype=float), Z.shape[1:]) for corner in region)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"region must be a callable or two corners of {Z.shape[1]} coordinates each, got {region!r}."
        ) from error
    return np.all((low <= Z) & (high >= Z), axis=1)


def path_points(
    model: ManifoldModel, rows_to_start_from: np.ndarray, waypoints: np.ndarray, n_points: int
) -> np.ndarray:
    """(n_points, p) rows along the geodesic through the training rows nearest to waypoints (m, q), evenly spaced.

    rows_to_start_from : (n, p) the encoded training rows, their targets included
    """
    W = model.table_
    stops = nearest(W, waypoints, 1)[1][:, 0]
    graph = connected_graph(W, model.neighbors_)
    legs = [geodesic(graph, a, b) for a, b in zip(stops[:-1], stops[1:], strict=True)]
    rows = np.concatenate([legs[0][:1], *[leg[1:] for leg in legs]])
    steps = np.linalg.norm(np.diff(W[rows], axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, length[-1], n_points)
    k = np.minimum(np.searchsorted(length, at, side="right") - 1, len(rows) - 1)
    after = np.minimum(k + 1, len(rows) - 1)
    fraction = (at - length[k]) / np.where(after > k, np.maximum(length[after] - length[k], np.finfo(float).tiny), 1.0)
    here, there = rows_to_start_from[rows[k]], rows_to_start_from[rows[after]]
    return here + fraction[:, None] * (there - here)


def geodesic(graph: csr_matrix, start: int, stop: int) -> np.ndarray:
    """Rows of the shortest path, both ends included."""
    before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)[1]
    rows = [stop]
    while rows[-1] != start:
        rows.append(before[rows[-1]])
    return np.array(rows[::-1])


def connected_graph(W: np.ndarray, neighbors: np.ndarray) -> csr_matrix:
    """Lengths of the edges of the neighbour graph, pieces of it joined where they are nearest in the table."""
    n, k = neighbors.shape
    # a zero in a sparse matrix would be no edge: copies have the smallest length
    lengths = np.maximum(distances_to(W, W, neighbors), np.finfo(float).tiny)
    graph = csr_matrix((lengths.ravel(), neighbors.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    n_pieces, piece = connected_components(graph, directed=False)
    while n_pieces > 1:
        smallest = np.flatnonzero(piece == np.argmin(np.bincount(piece)))
        others = np.setdiff1d(np.arange(n), smallest)
        distances, indices = nearest(W[others], W[smallest], 1)
        i = distances[:, 0].argmin()
        length = max(distances[i, 0], np.finfo(float).tiny)
        graph = graph + csr_matrix(([length], ([smallest[i]], [others[indices[i, 0]]])), shape=(n, n))
        n_pieces, piece = connected_components(graph, directed=False)
    return graph
