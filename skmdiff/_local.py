"""Neighbours, density and local regression on arrays: the numerics under `_manifold.py`.

Local-linear regression of a table W (n, p) on an embedding Z (n, k) at a point z: over the nearest rows with tricube
weights w_j (sum one), offsets o_j = z_j - z, their mean o and covariance S,

    slope b = sum_j G_j W_j,  G_j = (S S + r^2)^-1 S w_j (o_j - o)      (k, p)
    value m(z) = sum_j (w_j - o . G_j) W_j                               (p,)

so both are sums over neighbours with coefficients that depend on Z alone: a sparse matrix times W, which never
gathers (rows, neighbours, columns). The ridge is squared (filter s^2 / (s^2 + r^2) on an eigenvalue s of S): a
well-spread neighbourhood is fitted exactly to about r^2, and a direction in which the neighbours hardly vary
(s << r) gets slope zero, which is the local mean. r grows with the squared bandwidth, so a z far from every row
falls back to the mean of its neighbours instead of being extrapolated.

What a row gets never depends on the rows that come with it: searches go through blocks of one fixed shape, because
a matrix product rounds differently for different shapes, and distances are then computed again one by one.
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln
from sklearn.neighbors import NearestNeighbors

BLOCK = 256  # rows of every block handed to a matrix product
TREE_DIMENSIONS = 10  # above this a tree visits most rows and products are faster
EXACT_ROWS, EXACT_DIMENSIONS, SLACK = 10_000, 4, 0.5
CHUNK = 2_000_000  # array elements worked on at once


def in_blocks(function, X, filler):
    """Row-wise `function` of X (m, p) by blocks of exactly `BLOCK` rows; the last one is filled with `filler` (p,)."""
    blocks = []
    for start in range(0, len(X), BLOCK):
        rows = X[start : start + BLOCK]
        padding = np.repeat(filler[None], BLOCK - len(rows), axis=0)
        blocks.append(np.asarray(function(np.concatenate([rows, padding])))[: len(rows)])
    return np.concatenate(blocks)


def chunks(n_rows, width):
    """Slices of a row range such that `width` numbers a row stay within the working memory."""
    step = max(1, CHUNK // max(1, width))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def nearest(X_fit, X, n_neighbors):
    """Distances and indices (m, n_neighbors) of the rows of X_fit nearest to each row of X, near to far.

    Among more than 10 000 rows in 5 to 10 dimensions the search is approximate, for half the time or less: of 40 000
    rows in 8 dimensions it finds 94 to 99 % of the 20 to 80 nearest, at distances 0.1 to 0.4 % larger.
    """
    if X.shape[1] <= TREE_DIMENSIONS:
        large = len(X_fit) > EXACT_ROWS and X.shape[1] > EXACT_DIMENSIONS
        return cKDTree(X_fit).query(X, k=np.arange(1, n_neighbors + 1), eps=SLACK if large else 0.0)
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(X_fit)
    full = -len(X) % BLOCK
    padded = np.concatenate([X, np.repeat(X_fit[:1], full, axis=0)])
    return _exact(X_fit, X, search.kneighbors(padded, return_distance=False)[: len(X)])


def _exact(X_fit, X, indices):
    distances = distances_to(X_fit, X, indices)
    order = np.lexsort((indices, distances), axis=1)
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)


def distances_to(X_fit, X, indices):
    """Distances (m, k) from row i of X to the rows indices[i] of X_fit."""
    out = np.empty(indices.shape)
    for rows in chunks(len(X), indices.shape[1] * X.shape[1]):
        gap = X_fit[indices[rows]] - X[rows, None]
        out[rows] = np.sqrt(np.einsum("mkp,mkp->mk", gap, gap))
    return out


def neighbor_graph(Z, n_neighbors, labels=None, W=None):
    """Nearest other rows of each row in an embedding.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
        The embedding.
    n_neighbors : int
        Neighbours a row; where fewer other rows exist they are repeated in turn.
    labels : ndarray of shape (n,), optional
        Neighbours are taken from the rows of the same label; a row alone with its label is its own neighbour.
    W : ndarray of shape (n, p), optional
        Breaks exact ties in Z, among twice the number of neighbours.

    Returns
    -------
    graph : ndarray of shape (n, n_neighbors)
        Row indices, near to far.
    """
    graph = np.empty((len(Z), n_neighbors), dtype=np.intp)
    groups = np.zeros(len(Z), dtype=int) if labels is None else np.unique(labels, return_inverse=True)[1].ravel()
    order, counts = np.argsort(groups, kind="stable"), np.bincount(groups)
    for rows in np.split(order, np.cumsum(counts)[:-1]):
        own = Z[rows]
        found = nearest(own, own, min(len(rows), candidates(n_neighbors)))
        graph[rows] = rows[rank_neighbors(*found, n_neighbors, None if W is None else W[rows])]
    return graph


def candidates(n_neighbors):
    """Rows to search for, itself included, so that ties can be broken."""
    return 2 * n_neighbors + 1


def rank_neighbors(distances, indices, n_neighbors, W=None):
    """Neighbour graph (n, n_neighbors) from the nearest rows (n, c), each row's own index among them."""
    if indices.shape[1] == 1:
        return np.repeat(indices, n_neighbors, axis=1)
    if W is not None:
        indices = _break_ties(distances, indices, W)
    others = indices != np.arange(len(indices))[:, None]
    others[others.all(axis=1), -1] = False  # more than c copies of a row: it may be missing from its own list
    others = indices[others].reshape(len(indices), -1)
    return np.take(others, np.arange(n_neighbors) % others.shape[1], axis=1)


def _break_ties(distances, indices, W):
    tied = np.flatnonzero((np.diff(distances, axis=1) == 0).any(axis=1))
    ranked = indices.copy()
    in_table = distances_to(W, W[tied], indices[tied])
    order = np.lexsort((in_table, distances[tied]), axis=1)
    ranked[tied] = np.take_along_axis(indices[tied], order, axis=1)
    return ranked


def log_density(distances, n_dimensions):
    """k-nearest-neighbour log-density (n,) from sorted distances (n, k + 1), the first one to the row itself.

    log f = psi(k) - log(n - 1) - log V_d - d log r_k, the estimate whose mean is the Kozachenko-Leonenko entropy.
    Copies have r_k = 0 and no density: they get the smallest radius seen.
    """
    n, k = len(distances), distances.shape[1] - 1
    radius = distances[:, -1]
    positive = radius[radius > 0]
    radius = np.maximum(radius, positive.min() if positive.size else 1.0)
    log_ball = 0.5 * n_dimensions * np.log(np.pi) - gammaln(0.5 * n_dimensions + 1)
    return digamma(k) - np.log(n - 1) - log_ball - n_dimensions * np.log(radius)


def local_linear(Z_fit, W_fit, Z, n_neighbors, ridge):
    """Local-linear regression of W_fit (n, p) on Z_fit (n, k), at the rows of Z (m, k).

    Parameters
    ----------
    Z_fit, W_fit : ndarray of shape (n, k), (n, p)
        Rows of the embedding and of the table.
    Z : ndarray of shape (m, k)
        Where the regression is evaluated.
    n_neighbors : int
        Rows in a neighbourhood, at most n.
    ridge : float
        In units of the squared distance to the farthest neighbour, over k; see the module head.

    Returns
    -------
    values : ndarray of shape (m, p)
    slopes : ndarray of shape (m, k, p)
    """
    distances, indices = nearest(Z_fit, Z, n_neighbors)
    values = np.empty((len(Z), W_fit.shape[1]))
    slopes = np.empty((len(Z), Z.shape[1], W_fit.shape[1]))
    for rows, c_value, c_slope in _coefficients(Z_fit, Z, distances, indices, ridge):
        values[rows] = _apply(c_value, indices[rows], W_fit)
        for axis in range(Z.shape[1]):
            slopes[rows, axis] = _apply(c_slope[:, axis], indices[rows], W_fit)
    return values, slopes


def local_values(Z_fit, W_fit, Z, distances, indices, ridge):
    """The values of `local_linear` alone, over neighbourhoods already found."""
    values = np.empty((len(Z), W_fit.shape[1]))
    for rows, c_value, _ in _coefficients(Z_fit, Z, distances, indices, ridge):
        values[rows] = _apply(c_value, indices[rows], W_fit)
    return values


def leave_one_out(Z, W, rows, n_neighbors, ridge):
    """Mean squared error of the values at `rows`, each predicted from the others.

    The fit is linear in W, with h the coefficient of a row on itself: leaving it out divides its residual by 1 - h.
    """
    distances, indices = nearest(Z, Z[rows], n_neighbors)
    total = 0.0
    for part, coefficients, _ in _coefficients(Z, Z[rows], distances, indices, ridge):
        own = np.sum(coefficients * (indices[part] == rows[part, None]), axis=1, keepdims=True)
        residual = W[rows[part]] - _apply(coefficients, indices[part], W)
        total += np.sum((residual / np.maximum(1 - own, 1e-3)) ** 2)
    return total / (len(rows) * W.shape[1])


def _apply(coefficients, indices, W_fit):
    """sum_j coefficients[i, j] W_fit[indices[i, j]]."""
    m, k = indices.shape
    starts = np.arange(0, m * k + 1, k)
    return csr_matrix((coefficients.ravel(), indices.ravel(), starts), shape=(m, len(W_fit))) @ W_fit


def _coefficients(Z_fit, Z, distances, indices, ridge):
    """Chunks of (rows, value coefficients (c, j), slope coefficients (c, k, j)) over j neighbours."""
    k = Z.shape[1]
    reach = distances[:, -1] * (1.5 if indices.shape[1] == len(Z_fit) else 1.0)  # nothing can enter: keep the last
    weights = _tricube(distances, reach)
    damping = np.where(reach > 0, ridge * reach**2 / k, 1.0) ** 2
    for rows in chunks(len(Z), 3 * k * indices.shape[1]):
        offsets, w = Z_fit[indices[rows]] - Z[rows, None], weights[rows]
        mean = np.einsum("mj,mjk->mk", w, offsets)
        centred = offsets - mean[:, None]
        moment = (centred * w[:, :, None]).transpose(0, 2, 1)
        spread = moment @ centred
        system = spread @ spread + damping[rows, None, None] * np.eye(k)
        slope = np.linalg.solve(system, spread @ moment)
        yield rows, w - np.einsum("mk,mkj->mj", mean, slope), slope


def _tricube(distances, reach):
    """Weights (m, k) that sum to one and vanish at `reach` (m,); equal where all vanish."""
    with np.errstate(invalid="ignore"):
        ratio = np.clip(np.nan_to_num(distances / reach[:, None], nan=1.0), 0, 1)
    weights = (1 - ratio**3) ** 3
    total = weights.sum(axis=1, keepdims=True)
    lost = total <= 0
    return np.where(lost, 1 / distances.shape[1], weights / np.where(lost, 1.0, total))


def carry(W_fit, Z_fit, W, n_neighbors):
    """Embedding (m, k) of the rows of W from those of the nearest rows of W_fit (n, p): weights (1/d - 1/d_last)^2.

    A row of W_fit gets its own embedding (d = 0), and a neighbour enters or leaves with weight zero.
    """
    distances, indices = nearest(W_fit, W, min(n_neighbors + 1, len(W_fit)))
    last = distances[:, -1:]
    tiny = 1e-12 * (last + np.finfo(float).tiny)
    near = np.maximum(distances, tiny)
    weights = (tiny / near * (1 - distances / np.maximum(last, tiny))) ** 2
    total = weights.sum(axis=1, keepdims=True)
    lost = total <= 0
    weights = np.where(lost, 1 / distances.shape[1], weights / np.where(lost, 1.0, total))
    return _apply(weights, indices, Z_fit)
