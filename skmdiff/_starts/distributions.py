"""Which training row a start comes from: distributions over these rows, independent or stratified draws.

* data: every row by its weight, the distribution of the table;
* balanced: every class alike, or every cluster of the embedding where there are no classes, and rows by weight within;
* uniform: alike in volume on the manifold, see `volumes.py`.

A stratified batch of k rows takes of each mode, see `modes.py`, as many rows as systematic sampling does (Madow & Madow
1944, "On the theory of systematic sampling"): points at distances 1/k along the distribution, mode after mode, from one
random number on. A mode of mass p gets k p rows, rounded up or down at random: it is met for sure where k p >= 1, and
no design meets more modes whose rows each have the distribution by itself. Within its mode a batch has one row in each
of as many strata of equal mass, runs of rows along a tree that cuts the embedding at medians. Modes are those of the
table: an embedding in few dimensions may put one on top of another, or tear it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import HDBSCAN
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KernelDensity

from .._manifold.learner import ManifoldModel
from .._numerics.neighbors import nearest
from .._numerics.weights import indices_at
from .modes import modes
from .source import Source
from .volumes import volumes

DENSITIES = {"data", "balanced", "uniform"}
DESIGNS = {"iid", "stratified"}
LEAST_KERNEL_WEIGHT = 1e-12  # of the largest
COPY_DISTANCE = 1e-12  # squared, up to rounding
CLUSTER_ROWS, CLUSTER_FRACTION, SMALLEST_CLUSTER, CLUSTERED_FRACTION = 2000, 0.02, 5, 0.5


@dataclass(frozen=True)
class RowDistribution:
    """A distribution over n rows.

    order : (n,) of rows
    ends : (n,) the cumulated probability along it
    groups : (n,) the group of each row, in one run of the order; None for one group
    """

    order: np.ndarray
    ends: np.ndarray
    groups: np.ndarray | None = None

    def rows_at(self, u: np.ndarray) -> np.ndarray:
        """Rows (m,) at quantiles u (m,) of the distribution."""
        return self.order[indices_at(self.ends, u * self.ends[-1])]

    @property
    def weights(self) -> np.ndarray:
        """(n,) weight of each row."""
        weights = np.empty(len(self.order))
        weights[self.order] = np.diff(self.ends, prepend=0)
        return weights

    def group_masses(self, some: np.ndarray | None = None) -> np.ndarray:
        """(n_groups,) mass of each group, in their order; only of `some` rows, (n,) of bool."""
        masses = np.diff(self.ends, prepend=0)
        masses = masses if some is None else masses * some[self.order]
        if self.groups is None:
            return masses.sum(keepdims=True)
        return np.add.reduceat(masses, np.flatnonzero(np.diff(self.groups[self.order], prepend=-1)))

    def rows_with_target(
        self, u: np.ndarray, wanted: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Rows of the wanted classes, by weight (n,) or all alike."""
        order = self.order[np.argsort(target[self.order], kind="stable")]
        ranked = target[order]
        low = np.searchsorted(ranked, wanted, "left")
        high = np.searchsorted(ranked, wanted, "right")
        if weight is None:
            return order[low + (u * (high - low)).astype(int)]
        ends = np.cumsum(np.append(0.0, weight[order]))
        index = indices_at(ends[1:], ends[low] + u * (ends[high] - ends[low]))
        return order[np.clip(index, low, high - 1)]


def row_distribution(
    density: str, design: str, source: Source, model: ManifoldModel, in_units: Callable[[], np.ndarray]
) -> RowDistribution:
    """The distribution over the rows of a source with the fitted manifold `model`.

    `in_units` makes the rows (n, q) between which distances in the table are measured.
    """
    weights = np.ones(len(source.rows)) if source.weight is None else source.weight
    classes = source.target if source.is_class else None
    if density == "balanced":
        groups = np.unique(clusters(model.embedding_) if classes is None else classes, return_inverse=True)[1]
        weights = weights / np.bincount(groups, weights)[groups]
    if density == "uniform":
        weights = volumes(in_units())
    if design == "iid":
        return RowDistribution(np.arange(len(weights)), np.cumsum(weights))
    groups = modes(in_units())
    if classes is not None:
        groups = np.unique(np.column_stack([classes, groups]), axis=0, return_inverse=True)[1].ravel()
    order = tree_order(model.embedding_, groups)
    return RowDistribution(order, np.cumsum(weights[order]), groups)


def clusters(Z: np.ndarray) -> np.ndarray:
    """(n,) cluster of each row of the embedding: HDBSCAN of at most CLUSTER_ROWS rows, the others by the nearest.

    Where HDBSCAN leaves more than half of the rows out of clusters, it has found chance groups in one cloud: all
    rows are one cluster.
    """
    some = np.random.default_rng(0).permutation(len(Z))[:CLUSTER_ROWS]
    least = max(SMALLEST_CLUSTER, int(CLUSTER_FRACTION * len(some)))
    if len(some) <= 2 * least:
        return np.zeros(len(Z), dtype=int)
    found = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(Z[some])
    if np.mean(found >= 0) < CLUSTERED_FRACTION:
        return np.zeros(len(Z), dtype=int)
    members = some[found >= 0]
    return found[found >= 0][nearest(Z[members], Z, 1)[1][:, 0]]


def tree_order(Z: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n,) order of the rows: group after group, and in each along a tree that halves it at medians of Z."""
    order = np.argsort(groups, kind="stable")
    size = np.unique(groups, return_counts=True)[1]
    while (size > 1).any():
        first, part, rows = np.cumsum(size) - size, np.repeat(np.arange(len(size)), size), Z[order]
        centred = rows - (np.add.reduceat(rows, first) / size[:, None])[part]
        widest = np.add.reduceat(centred**2, first).argmax(axis=1)
        along = np.take_along_axis(rows, widest[part][:, None], axis=1)[:, 0]
        order = order[np.lexsort((along, part))]
        size = np.stack([size // 2, size - size // 2], axis=1).ravel()
        size = size[size > 0]
    return order


def strata(
    distribution: RowDistribution, wanted: np.ndarray, target: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Strata of a batch, in random order: where they start, and their mass (m,), as quantiles of what they are of.

    That is the distribution or, with `target` (n,), its rows of the class that is `wanted` (m,).
    """
    rng = np.random.default_rng(seed)
    low, mass = np.empty(len(wanted)), np.empty(len(wanted))
    for value in np.unique(wanted):
        batch = rng.permutation(np.flatnonzero(wanted == value))
        of_groups = distribution.group_masses(None if target is None else target == value)
        low[batch], mass[batch] = systematic_strata(of_groups, len(batch), rng.random())
    return low, mass


def systematic_strata(masses: np.ndarray, n_strata: int, u: float) -> tuple[np.ndarray, np.ndarray]:
    """Starts and masses (n_strata,) of strata of groups that have these masses one after another, by one number u.

    A group has as many strata as points (i + u) / n_strata lie in it, all alike.
    """
    ends = np.cumsum(masses) / masses.sum()
    group = indices_at(ends, (np.arange(n_strata) + u) / n_strata)
    count = np.bincount(group, minlength=len(masses))
    mass = np.diff(ends, prepend=0)[group] / count[group]
    first = np.cumsum(count) - count
    return (ends - np.diff(ends, prepend=0))[group] + mass * (np.arange(n_strata) - first[group]), mass


def kernel_density(Z: np.ndarray, weights: np.ndarray, random_state: int) -> KernelDensity:
    """A fitted KernelDensity over points Z (n, k) with weights (n,).

    The bandwidth has the largest leave-one-out likelihood on at most CLUSTER_ROWS points, scaled to all of them by
    Scott's rule, n^(-1 / (k + 4)).
    """
    some = np.random.default_rng(random_state).permutation(len(Z))[:CLUSTER_ROWS]
    weights = np.maximum(weights, LEAST_KERNEL_WEIGHT * weights.max())  # a tree takes the logarithm of a node's weight
    points, w = Z[some], weights[some]
    squares = euclidean_distances(points, squared=True)
    np.fill_diagonal(squares, np.inf)
    to_nearest = np.where(squares > COPY_DISTANCE, squares, np.inf).min(axis=1)  # copies say nothing of the distances
    reach = np.sqrt(np.median(to_nearest)) if np.isfinite(to_nearest).all() else 1.0
    grid = reach * np.geomspace(0.25, 16, 25)
    likelihoods = [_left_out_likelihood(squares, w, bandwidth, Z.shape[1]) for bandwidth in grid]
    bandwidth = grid[np.argmax(likelihoods)] * (len(some) / len(Z)) ** (1 / (Z.shape[1] + 4))
    return KernelDensity(bandwidth=bandwidth).fit(Z, sample_weight=weights)


def _left_out_likelihood(squares: np.ndarray, weights: np.ndarray, bandwidth: float, k: int) -> float:
    """Weighted mean log-density of points by the kernels of the others, up to a constant."""
    kernel = logsumexp(np.log(weights) - squares / (2 * bandwidth**2), axis=1) - k * np.log(bandwidth)
    return float(np.average(kernel, weights=weights))
