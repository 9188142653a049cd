"""Modes of a table at every scale: groups of rows in an order in which all modes, and modes of modes, are in one piece.

Single linkage of the rows by mutual reachability, the largest of the distance of two rows and their distances to the
CORE_NEIGHBORS-th nearest row, joins modes in a tree (HDBSCAN; Campello, Moulavi & Sander 2013, "Density-based
clustering based on hierarchical density estimates"). Where a branch parts into two of at least SMALLEST_MODE of the
rows each, it parts into modes; a branch that does so no more is one group. HDBSCAN would then choose between branches
and their parts, and so lose modes that are close together. Here nothing is chosen: groups are numbered along the tree,
so that the rows of every branch, large or small, have numbers in one run. A chance group in one cloud does no harm.
"""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist, squareform

from .._numerics.neighbors import nearest

MODE_ROWS = 2000  # that are joined in a tree
CORE_NEIGHBORS = 2
SMALLEST_MODE, FEWEST_ROWS = 0.005, 5
PIECE_NEIGHBORS = 10


def modes(X: np.ndarray) -> np.ndarray:
    """(n,) group of each of the rows X (n, p), numbered along the tree.

    Of at most MODE_ROWS rows; the others, and those that fell off a branch before it was a group, go with the nearest.
    """
    some = X[np.random.default_rng(0).permutation(len(X))[:MODE_ROWS]]
    if len(some) < 2 * FEWEST_ROWS:
        return np.zeros(len(X), dtype=int)
    group = groups_of_tree(reachability_tree(some), max(FEWEST_ROWS, int(SMALLEST_MODE * len(some))))
    members = group >= 0
    return group[members][nearest(some[members], X, 1)[1][:, 0]]


def pieces(X: np.ndarray) -> np.ndarray:
    """(n,) piece of each of the rows X (n, p): modes with a gap between them, which no row is across from.

    They are the connected parts of the graph of the nearest PIECE_NEIGHBORS rows, of at most MODE_ROWS rows; the others
    go with the nearest. Modes of no more rows than that belong to the mode beside them.
    """
    some = X[np.random.default_rng(0).permutation(len(X))[:MODE_ROWS]]
    n, k = len(some), min(PIECE_NEIGHBORS, len(some) - 1)
    near = nearest(some, some, k + 1)[1]
    graph = csr_array((np.ones(near.size), near.ravel(), np.arange(n + 1) * (k + 1)), shape=(n, n))
    return connected_components(graph, directed=False)[1][nearest(some, X, 1)[1][:, 0]]


def reachability_tree(X: np.ndarray) -> np.ndarray:
    """Single linkage of rows X (n, p) by mutual reachability, as SciPy's `linkage` has it."""
    distances = squareform(pdist(X))
    core = np.partition(distances, CORE_NEIGHBORS, axis=1)[:, CORE_NEIGHBORS]
    reach = np.maximum(distances, np.maximum(core[:, None], core))
    np.fill_diagonal(reach, 0.0)
    return linkage(squareform(reach, checks=False), "single")


def groups_of_tree(tree: np.ndarray, least: int) -> np.ndarray:
    """(n,) group of each leaf, -1 for those outside of groups: branches of `least` leaves or more that part no more."""
    n, children = len(tree) + 1, tree[:, :2].astype(int)
    size = np.concatenate([np.ones(n, dtype=int), tree[:, 3].astype(int)])
    parts = np.zeros(2 * n - 1, dtype=bool)
    for i, (a, b) in enumerate(children, start=n):
        parts[i] = parts[a] or parts[b] or min(size[a], size[b]) >= least
    top = np.full(2 * n - 1, -1)  # of each branch the group that it is, or lies in
    if not parts[-1]:
        return top[:n] + 1
    for i in range(2 * n - 2, n - 1, -1):
        for child in children[i - n]:
            is_group = parts[i] and not parts[child] and size[child] >= least
            top[child] = child if is_group else top[i]
    along = leaves_list(tree)
    seen, first = np.unique(top[along], return_index=True)
    number = np.full(2 * n, -1)
    number[seen[seen >= 0]] = np.argsort(np.argsort(first[seen >= 0]))
    return number[top[:n]]
