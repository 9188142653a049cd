"""Clusters of rows, where expectation-maximisation starts."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from sklearn.cluster import KMeans

N_RESCALINGS = 2
LEAST_WITHIN = 0.01  # of the variance of a column: none counts for more than ten times its spread
CONSTANT = 1e-12  # less variance is rounding
EMPTY = 1e-300  # the weight of a cluster of no rows


def first_components(points: np.ndarray, n_components: int, seed: int, weight: np.ndarray | None = None) -> np.ndarray:
    """(n,) the component of each of the points (n, k): their clusters, or what is the same where few differ."""
    if n_components == 1:
        return np.zeros(len(points), dtype=int)
    if len(np.unique(points.sum(axis=1))) <= n_components:  # else more of them differ, surely
        distinct, same = np.unique(points, axis=0, return_inverse=True)
        if len(distinct) <= n_components:
            return same.ravel()
    return KMeans(n_components, n_init=1, random_state=seed).fit(points, sample_weight=weight).labels_


def rescaled_components(
    points: np.ndarray, clusters: np.ndarray, n_components: int, seed: int, weight: np.ndarray | None = None
) -> np.ndarray:
    """The same with each column in units of its spread within the clusters (n,) found before, again and again.

    Clusters that a few columns tell are lost in the noise of many others; the more of them is found, the more these
    columns count (Diday & Govaert 1977, "Classification automatique avec distances adaptatives").
    """
    for _ in range(N_RESCALINGS if n_components > 1 else 0):
        clusters = first_components(points / spread_within(points, clusters, weight), n_components, seed, weight)
    return clusters


def spread_within(points: np.ndarray, clusters: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """(k,) standard deviation of each column of points (n, k) about the means of their clusters (n,)."""
    weight = np.ones(len(points)) if weight is None else weight
    weight = weight[:, None] / weight.sum()
    members = csr_array((weight[:, 0], clusters, np.arange(len(points) + 1)))
    means = members.T @ points / np.maximum(members.sum(axis=0), EMPTY)[:, None]
    within = (weight * (points - means[clusters]) ** 2).sum(axis=0)
    total = (weight * (points - (weight * points).sum(axis=0)) ** 2).sum(axis=0)
    return np.sqrt(np.where(total > CONSTANT, np.maximum(within, LEAST_WITHIN * total), 1.0))
