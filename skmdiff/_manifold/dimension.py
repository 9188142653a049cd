"""Intrinsic dimension of a table: how many directions its rows vary in close up."""

from typing import NamedTuple

import numpy as np

from .._numerics.neighbors import nearest

DIMENSION_NEIGHBORS, DIMENSION_ROWS = 30, 500
SMALL = 0.15  # fraction of the largest variance below which a direction of a neighbourhood is thickness or bend


class IntrinsicDimension(NamedTuple):
    """Two estimates of the number of directions in which rows vary close up.

    maximum_likelihood : float, from the distances to the nearest rows
    local_pca : float, from the variances around a row
    """

    maximum_likelihood: float
    local_pca: float


def maximum_likelihood(radii: np.ndarray) -> float:
    """Dimension of the manifold from sorted distances (n, k) to neighbours on it.

    The inverse of the mean of log(r_k / r_j) over rows and j < k (Levina & Bickel 2004, "Maximum likelihood
    estimation of intrinsic dimension", with the mean taken before the inverse, as MacKay & Ghahramani proposed).
    """
    distinct = radii[:, :-1] > 0  # copies say nothing of the dimension
    logs = np.log(np.broadcast_to(radii[:, -1:], distinct.shape)[distinct] / radii[:, :-1][distinct])
    mean = logs.mean() if logs.size else 0.0
    return 1 / mean if mean > 0 else 1.0


def local_pca(neighborhoods: np.ndarray) -> float:
    """Mean number of principal directions of neighbourhoods (m, k, p) with a variance of at least SMALL of the largest.

    Fukunaga & Olsen 1971, "An algorithm for finding intrinsic dimensionality of data".
    """
    centred = neighborhoods - neighborhoods.mean(axis=1, keepdims=True)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    return max(1.0, float(np.mean(np.sum(variances >= SMALL * np.maximum(variances[:, :1], 1e-300), axis=1))))


def estimate_dimension(W: np.ndarray, seed: int | None) -> IntrinsicDimension:
    """Two estimates for rows W (n, p), over their nearest rows."""
    rows = np.random.default_rng(seed).permutation(len(W))[:DIMENSION_ROWS]
    distances, around = nearest(W, W[rows], min(DIMENSION_NEIGHBORS + 1, len(W)))
    return IntrinsicDimension(float(maximum_likelihood(distances[:, 1:])), local_pca(W[around]))
