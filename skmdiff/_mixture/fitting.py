"""How a mixture of a given shape is fitted: components cut out of the embedding, then expectation-maximisation.

The first components are clusters of the embedding, so that rows which are near in the table but far on the manifold are
in different ones, or clusters of the table itself. Expectation-maximisation keeps to the optimum that it starts near.

A component of few rows would have directions of these rows alone. So its covariance is a mean of its rows' and of the
covariance within all components, as if of `prior_rows` rows, and its shares of categories are drawn towards those of
the table. Directions and variances of that covariance are those of maximum likelihood, by the principal axes of the
covariance scaled by the variances (Joreskog 1967, "Some contributions to maximum likelihood factor analysis").
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from .mixture import MixedRows, Mixture, by_column, log_joint

LEAST_RISE = 1e-3  # of the mean log-density, in nats, below which the iterations end
SMALLEST_VARIANCE = 1e-3  # of a number, of which columns have about 1
LEAST_UNIQUE = 0.01  # of the variance of a number, at least, is its alone: else likelihoods grow without bounds
SHARE_ROWS = 2.0  # rows of the shares of the table that count in each component
MEAN_ROWS = 0.5
RAKING_ITERATIONS = 50


@dataclass(frozen=True)
class MixtureShape:
    """What is chosen before a fit.

    n_components : M
    n_factors : r, the directions of a component
    prior_rows : rows that the covariance within all components counts as in each
    clusters_of : what the first components are clusters of, "embedding", "table" or "rescaled table"
    """

    n_components: int
    n_factors: int
    prior_rows: float
    clusters_of: str = "embedding"


def fit_mixture(
    rows: MixedRows,
    components: np.ndarray,
    shape: MixtureShape,
    n_iterations: int,
    weight: np.ndarray | None = None,
) -> Mixture:
    """The mixture of rows from their first components (n,), by weight (n,) or all alike; 1 iteration keeps these."""
    weight = np.ones(len(rows)) if weight is None else weight
    members = (components[:, None] == np.arange(shape.n_components)).astype(float)
    mixture = update(rows, members * weight[:, None], shape)
    return continue_fit(mixture, rows, shape, n_iterations - 1, weight)


def continue_fit(
    mixture: Mixture, rows: MixedRows, shape: MixtureShape, n_iterations: int, weight: np.ndarray | None = None
) -> Mixture:
    """Expectation-maximisation from a mixture on, which may be of other rows."""
    weight, last = np.ones(len(rows)) if weight is None else weight, -np.inf
    for _ in range(n_iterations):
        joint = log_joint(mixture, rows)
        total = logsumexp(joint, axis=1, keepdims=True)
        members, mean = np.exp(joint - total), np.average(total[:, 0], weights=weight)
        if mean - last < LEAST_RISE * rows.numbers.shape[1]:
            break
        mixture, last = update(rows, members * weight[:, None], shape, mixture), mean
    return mixture


def with_shares(mixture: Mixture, rows: MixedRows, weight: np.ndarray | None = None) -> Mixture:
    """The mixture in which all categories have the shares that they have in rows, by weight (n,) or all alike.

    Those of its components are multiplied by one factor a category, and their sums made 1 again, until all agree
    (Deming & Stephan 1940, "On a least squares adjustment of a sampled frequency table"). What no row has keeps a share
    near 0.
    """
    weight = np.ones(len(rows)) if weight is None else weight
    columns = by_column(rows.has_category.T @ weight + 1e-6, rows.n_categories)
    raked = [
        _raked(shares, mixture.weights, of_column / of_column.sum())
        for shares, of_column in zip(mixture.shares_by_column, columns, strict=True)
    ]
    return replace(mixture, shares=np.hstack([mixture.shares[:, :0], *raked]))


def _raked(shares: np.ndarray, weights: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Shares (M, k) of one column by components, with the mean `wanted` (k,) by weights (M,)."""
    for _ in range(RAKING_ITERATIONS):
        shares = shares * (wanted / (weights @ shares))
        shares = shares / shares.sum(axis=1, keepdims=True)
    return shares


def update(rows: MixedRows, members: np.ndarray, shape: MixtureShape, previous: Mixture | None = None) -> Mixture:
    """The mixture of memberships (n, M) times weights."""
    X, size = rows.numbers, np.maximum(members.sum(axis=0), 1e-9)
    mean = members.sum(axis=1) @ X / size.sum()
    means = (members.T @ X + MEAN_ROWS * mean) / (size + MEAN_ROWS)[:, None]
    previous_variances = None if previous is None else previous.variances
    loadings, variances = spread_about(X, means, members, shape, previous_variances)
    return Mixture(size / size.sum(), means, loadings, variances, shares_of(rows, members), rows.n_categories)


def spread_about(
    X: np.ndarray, means: np.ndarray, members: np.ndarray, shape: MixtureShape, variances: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Loadings (M, q, r) and variances (M, q) of rows X about means (M, q); covariances only for directions."""
    size = members.sum(axis=0)
    if shape.n_factors:
        scatter = np.stack([scatter_about(X, mean, part) for mean, part in zip(means, members.T, strict=True)])
        return factors(drawn_together(scatter, size, shape.prior_rows), shape.n_factors, variances)
    squares = np.maximum(members.T @ X**2 - 2 * means * (members.T @ X) + size[:, None] * means**2, 0)
    return np.zeros((*means.shape, 0)), np.maximum(drawn_together(squares, size, shape.prior_rows), SMALLEST_VARIANCE)


def drawn_together(scatter: np.ndarray, size: np.ndarray, prior_rows: float) -> np.ndarray:
    """Covariances of scatters (M, ...) of weight `size` (M,), each with what all have in common as of `prior_rows`."""
    size = size.reshape(-1, *[1] * (scatter.ndim - 1))
    within = scatter.sum(axis=0) / max(size.sum(), 1e-9)
    return (scatter + prior_rows * within) / (size + prior_rows)


def scatter_about(X: np.ndarray, mean: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(q, q) sum of the squares of X about a mean, by memberships (n,); rows of none are left out."""
    some = part > 1e-6
    offsets = X[some] - mean
    return (offsets.T * part[some]) @ offsets


def factors(
    covariance: np.ndarray, n_factors: int, variances: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Loadings (M, q, r) and variances (M, q) of covariances (M, q, q), from variances that are near, or from half."""
    total = np.diagonal(covariance, axis1=1, axis2=2)
    least = np.maximum(SMALLEST_VARIANCE, LEAST_UNIQUE * total)
    n_factors = min(n_factors, total.shape[1])
    n_iterations, variances = (4, np.maximum(total / 2, least)) if variances is None else (1, variances)
    for _ in range(n_iterations):
        scale = np.sqrt(variances)
        values, axes = np.linalg.eigh(covariance / (scale[:, :, None] * scale[:, None]))
        values, axes = values[:, -n_factors:], axes[:, :, -n_factors:]
        loadings = scale[:, :, None] * axes * np.sqrt(np.maximum(values - 1, 0))[:, None]
        variances = np.maximum(total - (loadings**2).sum(axis=2), least)
    return loadings, variances


def shares_of(rows: MixedRows, members: np.ndarray) -> np.ndarray:
    """The shares (M, all categories) of the categories of each column, drawn towards those of the table."""
    size = members.sum(axis=0)[:, None]
    counts = (rows.has_category.T @ members).T
    of_table = counts.sum(axis=0) + 0.5
    column = np.repeat(np.arange(len(rows.n_categories)), rows.n_categories)
    of_table /= np.bincount(column, of_table)[column]
    return (counts + SHARE_ROWS * of_table) / (size + SHARE_ROWS)
