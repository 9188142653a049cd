"""Local polynomial regression: values and slopes as weighted sums of the neighbours.

At a point the rows W_j (p,) of its neighbours are regressed on features f of their offsets o_j from it: f = o (degree
1), or o and all products of two of its entries (degree 2; Fan & Gijbels 1996, "Local polynomial modelling and its
applications"). With weights w_j (sum one), the mean f and covariance S of the features,

    slopes b = sum_j G_j W_j,  G_j = (S S + r^2)^-1 S w_j (f_j - f)      (q, p)
    value m = sum_j (w_j - f . G_j) W_j                                  (p,)

so both are sums over neighbours with coefficients that depend on the offsets alone. The ridge is squared (filter
s^2 / (s^2 + r^2) on an eigenvalue s of S): where the neighbours vary in all directions the fit is exact to about r^2,
and a direction in which they hardly vary (s << r) has slope zero, which is the local mean.

The lift regresses the table on the embedding at fixed neighbours; the charts regress it on coordinates of a tangent
plane, and need the slopes. Both choose the number of neighbours by leave-one-out error.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.sparse import csr_matrix

from .._numerics.neighbors import chunks, monomials, n_terms, nearest, normalised, tricube

SIZES = (15, 20, 30, 40, 60, 80)  # neighbours to try
EQUIVALENT = 1.2  # errors within this factor of the least are equivalent: noise hides smaller differences
RIDGE = 1e-5
LEAST_LEFT_OUT = 1e-3  # of 1 - h, what a row keeps of its residual when it is left out


def equivalent(errors: Iterable[float]) -> np.ndarray:
    """Which of some errors are equivalent to the least, (n,) of bool."""
    errors = np.array(list(errors))
    return errors <= EQUIVALENT * errors.min()


def regression_coefficients(
    offsets: np.ndarray, weights: np.ndarray, degree: int, ridge: float = RIDGE
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the neighbours in the value and in its slopes where the offsets are zero.

    Parameters
    ----------
    offsets : ndarray of shape (m, j, k)
        Offsets of the j neighbours of each of m points, of size about one.
    weights : ndarray of shape (m, j)
        Weights of the neighbours, of sum one.
    degree : {1, 2}
    ridge : float
        r of the module head times k.

    Returns
    -------
    value : ndarray of shape (m, j)
    slopes : ndarray of shape (m, k, j)
    """
    k = offsets.shape[2]
    features = monomials(offsets, degree)
    mean = np.einsum("mj,mjq->mq", weights, features)
    centred = features - mean[:, None]
    moment = (centred * weights[:, :, None]).transpose(0, 2, 1)
    covariance = moment @ centred
    system = covariance @ covariance + (ridge / k) ** 2 * np.eye(features.shape[2])
    slopes = np.linalg.solve(system, covariance @ moment)
    return weights - np.einsum("mq,mqj->mj", mean, slopes), slopes[:, :k]


def local_polynomial(
    Z_fit: np.ndarray, W_fit: np.ndarray, Z: np.ndarray, n_neighbors: int, degree: int, ridge: float = RIDGE
) -> np.ndarray:
    """Values of the regression of W_fit (n, p) on Z_fit (n, k) at the rows of Z (m, k).

    Weights are tricube in the distance, in units of that to the farthest neighbour. A point far from every row gets
    the mean of its neighbours, which hardly vary in units of their distance: nothing is extrapolated.

    Parameters
    ----------
    Z_fit, W_fit : ndarray of shape (n, k), (n, p)
        Rows of the embedding and of the table.
    Z : ndarray of shape (m, k)
        Where the regression is evaluated.
    n_neighbors : int
        Rows in a neighbourhood, at most n.
    degree : {1, 2}
    ridge : float

    Returns
    -------
    values : ndarray of shape (m, p)
    """
    values = np.empty((len(Z), W_fit.shape[1]))
    for rows in chunks(len(Z), n_neighbors):
        distances, indices = nearest(Z_fit, Z[rows], n_neighbors)
        for part, coefficients in _of_values(Z_fit, Z[rows], distances, indices, degree, ridge):
            values[rows][part] = _weighted_sum(coefficients, indices[part], W_fit)
    return values


def leave_one_out(
    Z: np.ndarray, W: np.ndarray, rows: np.ndarray, n_neighbors: int, degree: int, ridge: float = RIDGE
) -> float:
    """Mean squared error of the values at `rows`, each predicted from the others.

    The fit is linear in W, with h the coefficient of a row on itself: leaving it out divides its residual by 1 - h.
    """
    distances, indices = nearest(Z, Z[rows], n_neighbors)
    total = 0.0
    for part, coefficients in _of_values(Z, Z[rows], distances, indices, degree, ridge):
        h = np.sum(coefficients * (indices[part] == rows[part, None]), axis=1, keepdims=True)
        residual = W[rows[part]] - _weighted_sum(coefficients, indices[part], W)
        total += np.sum((residual / np.maximum(1 - h, LEAST_LEFT_OUT)) ** 2)
    return total / (len(rows) * W.shape[1])


def _weighted_sum(coefficients: np.ndarray, indices: np.ndarray, W_fit: np.ndarray) -> np.ndarray:
    """sum_j coefficients[i, j] W_fit[indices[i, j]], as a sparse product, which gathers no (m, j, p) rows."""
    m, k = indices.shape
    starts = np.arange(0, m * k + 1, k)
    return csr_matrix((coefficients.ravel(), indices.ravel(), starts), shape=(m, len(W_fit))) @ W_fit


def _of_values(
    Z_fit: np.ndarray, Z: np.ndarray, distances: np.ndarray, indices: np.ndarray, degree: int, ridge: float
) -> Iterator[tuple[slice, np.ndarray]]:
    """Chunks of points, and the coefficients (c, j) of their j neighbours in the value."""
    reach = distances[:, -1] * (1.5 if indices.shape[1] == len(Z_fit) else 1.0)  # nothing can enter: keep the last
    reach = np.where(reach > 0, reach, 1.0)
    weights = normalised(tricube(distances / reach[:, None]))
    for rows in chunks(len(Z), 3 * n_terms(Z.shape[1], degree) * indices.shape[1]):
        offsets = (Z_fit[indices[rows]] - Z[rows, None]) / reach[rows, None, None]
        yield rows, regression_coefficients(offsets, weights[rows], degree, ridge)[0]
