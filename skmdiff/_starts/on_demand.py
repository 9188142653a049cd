"""Neighbourhoods on the manifold that are searched for when they are asked for: a model file need not hold them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from .._numerics.neighbors import (
    EXACT_DIMENSIONS,
    EXACT_ROWS,
    SLACKS,
    TREE_DIMENSIONS,
    n_candidates,
    rank_neighbors,
)

TRIED_ROWS = 2000


class Neighborhoods:
    """The neighbourhoods of `build_source`, by indices of rows, as if they were an array (n, n_neighbors + 1).

    Parameters
    ----------
    Z : ndarray of shape (n, k) or None
        The embedding; None for one that is set later.
    labels : ndarray of shape (n,) or None
        Neighbours of a row are among those of its label.
    n_neighbors : int
    """

    def __init__(self, Z: np.ndarray | None, labels: np.ndarray | None, n_neighbors: int) -> None:
        self.Z, self.labels, self.n_neighbors = Z, labels, n_neighbors

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.Z), self.n_neighbors + 1  # type: ignore[arg-type]

    @cached_property
    def groups(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """The group (n,) of each row by its label, and the rows of each group."""
        n = self.shape[0]
        group = np.zeros(n, dtype=int) if self.labels is None else np.unique(self.labels, return_inverse=True)[1]
        order = np.argsort(group.ravel(), kind="stable")
        return group.ravel(), np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])

    @cached_property
    def trees(self) -> list[cKDTree]:
        """A tree of the embedding of each group."""
        return [cKDTree(self.Z[rows]) for rows in self.groups[1]]  # type: ignore[index]

    def __getitem__(self, rows: Any) -> np.ndarray:
        rows = np.arange(self.shape[0])[rows]
        out = np.empty((len(rows), self.n_neighbors + 1), dtype=np.intp)
        group, members = self.groups
        for g in np.unique(group[rows]):
            asked = group[rows] == g
            out[asked] = self._search(self.trees[g], members[g], rows[asked])
        return out

    def _search(self, tree: cKDTree, members: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Neighbourhoods (m, n_neighbors + 1) of some rows among the members of their group, all of them in `tree`."""
        own = np.searchsorted(members, rows)
        points = tree.data[own]
        is_large = len(members) > EXACT_ROWS and points.shape[1] > EXACT_DIMENSIONS
        ranks = np.arange(1, min(len(members), n_candidates(self.n_neighbors)) + 1)
        distances, indices = tree.query(points, k=ranks, eps=SLACKS[0] if is_large else 0.0)
        near = rank_neighbors(distances, indices, self.n_neighbors, rows=own)
        return np.column_stack([rows, members[near]])

    def finds(self, neighborhoods: np.ndarray) -> bool:
        """Whether all rows have as many neighbours, and they are those of an array: tried on some rows."""
        of_tree = 0 < self.n_neighbors and self.Z.shape[1] <= TREE_DIMENSIONS  # type: ignore[union-attr]
        if not of_tree or min(map(len, self.groups[1])) <= self.n_neighbors:
            return False
        some = np.random.default_rng(0).integers(len(neighborhoods), size=TRIED_ROWS)
        return bool((self[some] == neighborhoods[some]).all())
