"""Intrinsic dimension of a table: how many directions its rows vary in close up."""

import numpy as np

from .._numerics.neighbors import nearest

N_NEIGHBORS, TEST_ROWS = 30, 500
SMALL = 0.15  # share of the largest variance below which a direction of a neighbourhood is thickness or bend


def maximum_likelihood(radii):
    """Dimension of the manifold from sorted distances (n, k) to neighbours on it.

    The inverse of the mean of log(r_k / r_j) over rows and j < k (Levina & Bickel 2004, "Maximum likelihood
    estimation of intrinsic dimension", with the mean taken before the inverse, as MacKay & Ghahramani proposed).
    """
    distinct = radii[:, :-1] > 0  # copies say nothing of the dimension
    logs = np.log(np.broadcast_to(radii[:, -1:], distinct.shape)[distinct] / radii[:, :-1][distinct])
    mean = logs.mean() if logs.size else 0.0
    return 1 / mean if mean > 0 else 1.0


def local_pca(neighborhoods):
    """Mean number of principal directions of neighbourhoods (m, k, p) with a variance of at least SMALL of the largest.

    Fukunaga & Olsen 1971, "An algorithm for finding intrinsic dimensionality of data".
    """
    centred = neighborhoods - neighborhoods.mean(axis=1, keepdims=True)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    return max(1.0, float(np.mean(np.sum(variances >= SMALL * np.maximum(variances[:, :1], 1e-300), axis=1))))


def estimate_dimension(W, seed):
    """Two estimates for rows W (n, p), over their nearest rows.

    Returns
    -------
    dict with the keys "maximum_likelihood", from distances, and "local_pca", from variances
    """
    rows = np.random.default_rng(seed).permutation(len(W))[:TEST_ROWS]
    distances, around = nearest(W, W[rows], min(N_NEIGHBORS + 1, len(W)))
    return {"maximum_likelihood": float(maximum_likelihood(distances[:, 1:])), "local_pca": local_pca(W[around])}
