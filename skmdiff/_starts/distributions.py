"""Which training row a start comes from: distributions over these rows, independent or stratified draws.

* data: every row by its weight, the distribution of the table;
* balanced: every class alike, or every cluster of the embedding where there are no classes, and rows by weight within;
* uniform: alike in volume on the manifold. A row stands for the volume of the ball that holds its k nearest rows, r_k^d
  with d the intrinsic dimension: the inverse of the k-nearest-neighbour density. Distances are those of the table,
  since an embedding tears and stretches. log r_k is averaged over a neighbourhood, because a single r_k is off by
  d / sqrt(k).

A stratified batch cuts the distribution into as many strata of equal mass as it has rows and draws one row of each;
each row by itself still has the distribution. Strata are runs of rows, cluster after cluster of the embedding and in
each along a tree that cuts it at medians: they are compact in the embedding, and a mode is spread over no more of them
than its mass fills.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import HDBSCAN
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KernelDensity

from .._manifold.dimension import maximum_likelihood
from .._manifold.learner import ManifoldModel
from .._numerics.neighbors import nearest
from .._numerics.weights import indices_at
from .source import Source

DENSITIES = {"data", "balanced", "uniform"}
DESIGNS = {"iid", "stratified"}
LEAST_KERNEL_WEIGHT = 1e-12  # of the largest
COPY_DISTANCE = 1e-12  # squared, up to rounding
VOLUME_NEIGHBORS, VOLUME_ROWS = 15, 5000
CLUSTER_ROWS, CLUSTER_FRACTION, SMALLEST_CLUSTER, CLUSTERED_FRACTION = 2000, 0.02, 5, 0.5


@dataclass(frozen=True)
class RowDistribution:
    """A distribution over n rows: `order` (n,) of rows, `ends` (n,) the cumulated probability along it."""

    order: np.ndarray
    ends: np.ndarray

    def rows_at(self, u: np.ndarray) -> np.ndarray:
        """Rows (m,) at quantiles u (m,) of the distribution."""
        return self.order[indices_at(self.ends, u * self.ends[-1])]

    @property
    def weights(self) -> np.ndarray:
        """(n,) weight of each row."""
        weights = np.empty(len(self.order))
        weights[self.order] = np.diff(self.ends, prepend=0)
        return weights

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


def row_distribution(density: str, design: str, source: Source, model: ManifoldModel) -> RowDistribution:
    """The distribution over the rows of a source with the fitted manifold `model`."""
    weights = np.ones(len(source.rows)) if source.weight is None else source.weight
    groups: np.ndarray = np.zeros(len(weights), dtype=int)
    if density == "balanced" or design == "stratified":
        groups = source.target if source.is_class and source.target is not None else clusters(model.embedding_)
    if density == "balanced":
        inverse = np.unique(groups, return_inverse=True)[1]
        weights = weights / np.bincount(inverse, weights)[inverse]
    if density == "uniform":
        weights = volumes(model.table_)
    order = tree_order(model.embedding_, groups) if design == "stratified" else np.arange(len(groups))
    return RowDistribution(order, np.cumsum(weights[order]))


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


def volumes(W: np.ndarray) -> np.ndarray:
    """(n,) volume on the manifold that each of the rows W (n, p) stands for, up to a factor."""
    some = W[np.random.default_rng(0).permutation(len(W))[:VOLUME_ROWS]]
    radii = nearest(some, some, min(VOLUME_NEIGHBORS + 1, len(some)))[0][:, 1:]
    apart = radii[:, -1][radii[:, -1] > 0]
    log_radius = np.log(np.maximum(radii[:, -1], apart.min() if apart.size else 1.0))
    around = nearest(some, W, min(VOLUME_NEIGHBORS + 1, len(some)))[1]
    log_volume = maximum_likelihood(radii) * log_radius[around].mean(axis=1)
    return np.exp(log_volume - log_volume.max())


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


def strata(groups: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stratum of each row of a batch within its group, in random order, and the number of strata of the group."""
    order = np.random.default_rng(seed).permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    first = np.cumsum(counts) - counts
    stratum = np.empty(len(groups), dtype=int)
    stratum[order] = np.arange(len(groups)) - np.repeat(first, counts)
    return stratum, counts[inverse]


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
