"""The mixture on the manifold: components with a normal distribution of the numbers and shares of categories each.

A component m has the weight pi_m, the mean mu_m of the numbers, directions L_m (q, r) along which they vary together, a
variance psi_m of each number beside, and the shares theta_m of the categories of each column:

    p(row) = sum_m pi_m N(numbers; mu_m, L_m L_m^T + diag(psi_m)) prod_c theta_m[category of column c],

a mixture of factor analysers (Ghahramani & Hinton 1996, "The EM algorithm for mixtures of factor analyzers"): the
directions span the tangent space of the manifold there. Noise of any level in any column adds to psi_m, so that
the density, the responsibilities and the mean of what is behind the noise are all in closed form.

Shapes: n rows, q numbers, M components, r factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.special import logsumexp

from .._numerics.blocks import Block, coded_blocks

LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class MixedRows:
    """Encoded rows, their numbers and categories apart.

    numbers : (n, q)
    categories : (n, C) index of the category in each column of categories
    n_categories : (C,) how many there are in each
    """

    numbers: np.ndarray
    categories: np.ndarray
    n_categories: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> MixedRows:
        """The same of some rows."""
        return replace(self, numbers=self.numbers[rows], categories=self.categories[rows])

    @cached_property
    def has_category(self) -> csr_array:
        """(n, all categories) of 0 and 1."""
        n, n_columns = self.categories.shape
        first = np.cumsum([0, *self.n_categories[:-1]])[:n_columns]
        ends = np.arange(n + 1) * n_columns
        return csr_array(
            (np.ones(n * n_columns), (self.categories + first).ravel(), ends), shape=(n, self.n_categories.sum())
        )


@dataclass(frozen=True)
class Mixture:
    """Arrays of the components.

    weights : (M,), of the sum 1
    means : (M, q)
    loadings : (M, q, r), the directions
    variances : (M, q), beside the directions
    shares : (M, all categories), above 0 and of the sum 1 a component and column
    n_categories : (C,) how many categories each column has
    """

    weights: np.ndarray
    means: np.ndarray
    loadings: np.ndarray
    variances: np.ndarray
    shares: np.ndarray
    n_categories: np.ndarray

    @property
    def shares_by_column(self) -> list[np.ndarray]:
        """(M, n_categories) of each column of categories."""
        return by_column(self.shares, self.n_categories)

    @property
    def n_uniforms(self) -> int:
        """Uniform numbers that a row drawn takes: the component, and each category."""
        return 1 + len(self.n_categories)

    @property
    def n_normals(self) -> int:
        """Standard normal numbers that a row drawn takes."""
        return self.loadings.shape[2] + self.means.shape[1]


def by_column(values: np.ndarray, n_categories: np.ndarray) -> list[np.ndarray]:
    """(..., n_categories) of each column of categories, of values (..., all categories)."""
    return np.split(values, np.cumsum(n_categories)[:-1], axis=-1) if len(n_categories) else []


def numeric_columns(blocks: Sequence[Block]) -> np.ndarray:
    """(q,) columns of the code that are numbers."""
    return np.array([block.start for block in blocks if block.codes is None], dtype=int)


def split_code(W: np.ndarray, blocks: Sequence[Block]) -> MixedRows:
    """Encoded rows W (n, p) as numbers and categories; a category is the one whose code is nearest."""
    coded = coded_blocks(blocks)
    categories = [
        np.argmax(W[:, block.start : block.stop] @ codes.T - (codes**2).sum(axis=1) / 2, axis=1)
        for block, codes in coded
    ]
    n_categories = np.array([len(codes) for _, codes in coded], dtype=int)
    return MixedRows(W[:, numeric_columns(blocks)], as_columns(categories, len(W)), n_categories)


def as_columns(categories: list[np.ndarray], n_rows: int) -> np.ndarray:
    """(n, C) of C arrays (n,), which may be none."""
    return np.column_stack(categories) if categories else np.zeros((n_rows, 0), dtype=int)


def join_code(rows: MixedRows, blocks: Sequence[Block]) -> np.ndarray:
    """Encoded rows (n, p): the inverse of `split_code`."""
    W = np.empty((len(rows), max(block.stop for block in blocks)))
    W[:, numeric_columns(blocks)] = rows.numbers
    coded = coded_blocks(blocks)
    for (block, codes), k in zip(coded, rows.categories.T, strict=True):
        W[:, block.start : block.stop] = codes[k]
    return W


def log_joint(mixture: Mixture, rows: MixedRows, level: float | np.ndarray = 0.0) -> np.ndarray:
    """(n, M) log of the weight of each component times its density at rows, numbers noised at a level () or (q,)."""
    out = log_normals(rows.numbers, mixture.means, mixture.loadings, mixture.variances + np.square(level))
    out += np.log(mixture.weights)
    if len(rows.n_categories):
        out += rows.has_category @ np.log(mixture.shares).T
    return out


def component_of(mixture: Mixture, W: np.ndarray, blocks: Sequence[Block]) -> np.ndarray:
    """(n,) index of the component that encoded rows W (n, p) are most probably of."""
    return log_joint(mixture, split_code(W, blocks)).argmax(axis=1)


def log_normals(X: np.ndarray, means: np.ndarray, loadings: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """(n, M) log-density of N(mu, L L^T + diag(psi)) of M components at rows X (n, q), by Woodbury's identity.

    With A = I + L^T psi^-1 L = R R^T, squared lengths are those by psi less those of R^-1 L^T psi^-1 (x - mu).
    """
    M, q, r = loadings.shape
    if r == 0:
        return -0.5 * (squared_lengths(X, means, variances) + np.log(variances).sum(axis=1) + q * LOG_2_PI)
    scaled = loadings / variances[:, :, None]
    root = np.linalg.cholesky(np.eye(r) + loadings.transpose(0, 2, 1) @ scaled)
    log_determinant = np.log(variances).sum(axis=1) + 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    onto = scaled @ np.linalg.inv(root).transpose(0, 2, 1)
    squares = np.empty((len(X), M))
    for m in range(M):
        offsets = X - means[m]
        squares[:, m] = offsets**2 @ (1 / variances[m]) - ((offsets @ onto[m]) ** 2).sum(axis=1)
    return -0.5 * (squares + log_determinant + q * LOG_2_PI)


def squared_lengths(X: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """(n, M) of the differences of rows X (n, q) from means (M, q), in units of variances (M, q)."""
    precision = 1 / variances
    scaled = means * precision
    return X**2 @ precision.T - 2 * (X @ scaled.T) + (means * scaled).sum(axis=1)


def log_density(mixture: Mixture, rows: MixedRows, level: float | np.ndarray = 0.0) -> np.ndarray:
    """(n,) log-density of rows, their numbers noised at a level."""
    return logsumexp(log_joint(mixture, rows, level), axis=1)


def log_density_of_seen(
    mixture: Mixture, rows: MixedRows, numbers: np.ndarray, categories: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """(n,) log-density of the cells of rows that are seen, `numbers` (n, q) and `categories` (n, C) of bool.

    Numbers are noised at levels (q,).
    """
    out = np.tile(np.log(mixture.weights), (len(rows), 1))
    patterns, pattern = np.unique(numbers, axis=0, return_inverse=True)
    for k, cells in enumerate(patterns):
        some = pattern.ravel() == k
        variances = mixture.variances[:, cells] + np.square(level[cells])
        out[some] += log_normals(
            rows.numbers[some][:, cells], mixture.means[:, cells], mixture.loadings[:, cells], variances
        )
    for shares, category, seen in zip(mixture.shares_by_column, rows.categories.T, categories.T, strict=True):
        out[seen] += np.log(shares[:, category[seen]]).T
    return logsumexp(out, axis=1)


def draw(mixture: Mixture, uniforms: np.ndarray, normals: np.ndarray, weights: np.ndarray | None = None) -> MixedRows:
    """Rows drawn by uniform numbers (n, n_uniforms) and standard normal ones (n, n_normals).

    `weights` (n, M) are those of the components for each row, by default the mixture's for all.
    """
    component = index_of(mixture.weights[None] if weights is None else weights, uniforms[:, 0])
    r = mixture.loadings.shape[2]
    along = np.einsum("nqr,nr->nq", mixture.loadings[component], normals[:, :r])
    numbers = mixture.means[component] + along + np.sqrt(mixture.variances[component]) * normals[:, r:]
    categories = [
        index_of(shares[component], u) for shares, u in zip(mixture.shares_by_column, uniforms.T[1:], strict=True)
    ]
    return MixedRows(numbers, as_columns(categories, len(component)), mixture.n_categories)


def index_of(weights: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Indices (n,) at fractions u (n,) of the cumulated weights (n or 1, k)."""
    ends = np.cumsum(weights, axis=1)
    return np.minimum((ends <= u[:, None] * ends[:, -1:]).sum(axis=1), weights.shape[1] - 1)
