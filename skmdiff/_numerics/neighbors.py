"""Neighbours of rows in a table or an embedding, and what local regressions over them share.

What a row gets never depends on the rows that come with it: searches go through blocks of one fixed shape, because
a matrix product rounds differently for different shapes, and distances are then computed again one by one.
"""

import time
from collections.abc import Callable
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

BLOCK = 256  # rows of every block handed to a matrix product
TREE_DIMENSIONS = 10  # above this a tree visits most rows and products are faster
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 4  # beyond both the search is approximate
SLACKS = (0.5, 1.0, 2.0, 3.0, 5.0)  # how much farther a neighbour found may be than one missed: more in a hurry
TRIAL_ROWS = 1000
CHUNK_ELEMENTS = 2_000_000  # numbers worked on at once


def in_blocks(function: Callable[[np.ndarray], Any], X: np.ndarray, filler: np.ndarray) -> np.ndarray:
    """Row-wise `function` of X (m, p) by blocks of exactly `BLOCK` rows; the last one is filled with `filler` (p,)."""
    blocks = []
    for start in range(0, len(X), BLOCK):
        rows = X[start : start + BLOCK]
        padding = np.repeat(filler[None], BLOCK - len(rows), axis=0)
        blocks.append(np.asarray(function(np.concatenate([rows, padding])))[: len(rows)])
    return np.concatenate(blocks)


def chunks(n_rows: int, width: int) -> list[slice]:
    """Slices of a row range such that `width` numbers a row stay within the working memory."""
    step = max(1, CHUNK_ELEMENTS // max(1, width))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def nearest(
    X_fit: np.ndarray, X: np.ndarray, n_neighbors: int, seconds: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Distances and indices (m, n_neighbors) of the rows of X_fit nearest to each row of X, near to far.

    Among more than EXACT_ROWS rows in 5 to TREE_DIMENSIONS dimensions the search is approximate, which takes half the
    time: a few of the neighbours found are not among the nearest, but hardly farther. Only that search can be hurried,
    to take about so many seconds.
    """
    if X.shape[1] <= TREE_DIMENSIONS:
        large = len(X_fit) > EXACT_ROWS and X.shape[1] > EXACT_DIMENSIONS
        tree, ranks = cKDTree(X_fit), np.arange(1, n_neighbors + 1)
        return tree.query(X, k=ranks, eps=slack_for(tree, X, ranks, seconds) if large else 0.0)
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(X_fit)
    full = -len(X) % BLOCK
    padded = np.concatenate([X, np.repeat(X_fit[:1], full, axis=0)])
    return _exact(X_fit, X, search.kneighbors(padded, return_distance=False)[: len(X)])


def slack_for(tree: cKDTree, X: np.ndarray, ranks: np.ndarray, seconds: float) -> float:
    """The smallest of SLACKS with which a search takes so many seconds, by a trial on some rows; else the last."""
    if seconds == np.inf:
        return SLACKS[0]
    some = X[:: max(1, len(X) // TRIAL_ROWS)]
    for slack in SLACKS[:-1]:
        started = time.perf_counter()
        tree.query(some, k=ranks, eps=slack)
        if (time.perf_counter() - started) * len(X) / len(some) <= seconds:
            return slack
    return SLACKS[-1]


def _exact(X_fit: np.ndarray, X: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances = distances_to(X_fit, X, indices)
    order = np.lexsort((indices, distances), axis=1)
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)


def distances_to(X_fit: np.ndarray, X: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Distances (m, k) from row i of X to the rows indices[i] of X_fit."""
    out = np.empty(indices.shape)
    for rows in chunks(len(X), indices.shape[1] * X.shape[1]):
        offsets = X_fit[indices[rows]] - X[rows, None]
        out[rows] = np.sqrt(np.einsum("mkp,mkp->mk", offsets, offsets))
    return out


def neighbor_graph(
    Z: np.ndarray,
    n_neighbors: int,
    labels: np.ndarray | None = None,
    W: np.ndarray | None = None,
    seconds: float = np.inf,
) -> np.ndarray:
    """Nearest other rows of each row in an embedding.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
        The embedding.
    n_neighbors : int
        Neighbours a row; where fewer other rows exist they are repeated in turn.
    labels : ndarray of shape (n,), optional
        Neighbours are taken from the rows of the same label; a row alone with its label is its only neighbour.
    W : ndarray of shape (n, p), optional
        Breaks exact ties in Z, among twice the number of neighbours.
    seconds : float, default=inf
        What the search may take, where it can be hurried.

    Returns
    -------
    graph : ndarray of shape (n, n_neighbors)
        Row indices, near to far.
    """
    graph = np.empty((len(Z), n_neighbors), dtype=np.intp)
    groups = np.zeros(len(Z), dtype=int) if labels is None else np.unique(labels, return_inverse=True)[1].ravel()
    order, counts = np.argsort(groups, kind="stable"), np.bincount(groups)
    for rows in np.split(order, np.cumsum(counts)[:-1]):
        points = Z[rows]
        found = nearest(points, points, min(len(rows), n_candidates(n_neighbors)), seconds * len(rows) / len(Z))
        graph[rows] = rows[rank_neighbors(*found, n_neighbors, None if W is None else W[rows])]
    return graph


def n_candidates(n_neighbors: int) -> int:
    """Rows to search for, itself included, so that ties can be broken."""
    return 2 * n_neighbors + 1


def rank_neighbors(
    distances: np.ndarray,
    indices: np.ndarray,
    n_neighbors: int,
    W: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Neighbour graph (n, n_neighbors) from the nearest rows (n, c), the index of the row itself among them.

    The rows are all of a table, or those of the indices `rows` (n,).
    """
    if indices.shape[1] == 1:
        return np.repeat(indices, n_neighbors, axis=1)
    if W is not None:
        indices = _break_ties(distances, indices, W)
    others = indices != (np.arange(len(indices)) if rows is None else rows)[:, None]
    others[others.all(axis=1), -1] = False  # more than c copies of a row: it may be missing from its list
    others = indices[others].reshape(len(indices), -1)
    return np.take(others, np.arange(n_neighbors) % others.shape[1], axis=1)


def _break_ties(distances: np.ndarray, indices: np.ndarray, W: np.ndarray) -> np.ndarray:
    tied = np.flatnonzero((np.diff(distances, axis=1) == 0).any(axis=1))
    ranked = indices.copy()
    in_table = distances_to(W, W[tied], indices[tied])
    order = np.lexsort((in_table, distances[tied]), axis=1)
    ranked[tied] = np.take_along_axis(indices[tied], order, axis=1)
    return ranked


def carry(W_fit: np.ndarray, Z_fit: np.ndarray, W: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Embedding (m, k) of the rows of W from those of the nearest rows of W_fit (n, p): weights (1/d - 1/d_last)^2.

    A row of W_fit gets its embedding (d = 0), and a neighbour enters or leaves with weight zero.
    """
    distances, indices = nearest(W_fit, W, min(n_neighbors + 1, len(W_fit)))
    last = distances[:, -1:]
    tiny = 1e-12 * (last + np.finfo(float).tiny)
    near = np.maximum(distances, tiny)
    weights = normalised((tiny / near * (1 - distances / np.maximum(last, tiny))) ** 2)
    return np.einsum("mj,mjk->mk", weights, Z_fit[indices])


def normalised(weights: np.ndarray) -> np.ndarray:
    """Weights (m, k) over their sums; equal where all vanish."""
    total = weights.sum(axis=1, keepdims=True)
    lost = total <= 0
    return np.where(lost, 1 / weights.shape[1], weights / np.where(lost, 1.0, total))


def tricube(ratio: np.ndarray) -> np.ndarray:
    """Weights (1 - r^3)^3 of distances in units of the reach, nothing from there on."""
    return (1 - np.clip(ratio, 0, 1) ** 3) ** 3


def monomials(offsets: np.ndarray, degree: int) -> np.ndarray:
    """(m, j, q) the entries of offsets (m, j, k) and, with degree 2, all products of two of them."""
    if degree == 1:
        return offsets
    pairs = np.array(list(combinations_with_replacement(range(offsets.shape[2]), 2)))
    return np.concatenate([offsets, offsets[..., pairs[:, 0]] * offsets[..., pairs[:, 1]]], axis=2)


def n_terms(k: int, degree: int) -> int:
    """Terms of a polynomial of k variables, the constant included."""
    return 1 + k if degree == 1 else 1 + k + k * (k + 1) // 2
