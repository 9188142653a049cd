"""What the mixture on the manifold says of noised rows: the part of the denoiser that is not learnt by a network.

With the level sigma_j of each column the noised numbers of a component have the covariance
L L^T + diag(psi + sigma^2), and a noised category the evidence P = sum_k theta_k l_k of the likelihoods l_k of its
codes. Weight, density and evidence give the responsibility r of each component for a row, and in closed form

    E[x_0 | x_t] = sum_m r_m (mu + psi w (x_t - mu) + (1 - psi w) L z),    w = 1 / (psi + sigma^2),
    p(k | the other columns) = sum_m r_m / P_m theta_mk,

with z the mean of the factors given the row. A column that is known (sigma = 0) keeps its value, one that is unknown
(w = 0, l_k = 1) says nothing. All levels may differ, from row to row and from column to column.

Wide columns of categories take no part: they keep the frequencies of the table.

Shapes: B rows, M components, q numbers, r factors; arrays of components have M first, so that products run over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from .._numerics.blocks import Block, coded_blocks
from .categories import NarrowColumns, is_narrow
from .noise import UNKNOWN
from .state import Prior

ToTensor = Callable[[np.ndarray], torch.Tensor]
Entries = Sequence[torch.Tensor]
Root = list[list[torch.Tensor]]


class MixturePrior:
    """The tensors of a mixture, and what it says of rows.

    Parameters
    ----------
    prior : Prior, the mixture and its weights against what is said without it
    blocks, narrow : of the table
    tensor : callable that makes tensors of arrays
    """

    def __init__(self, prior: Prior, blocks: Sequence[Block], narrow: NarrowColumns, tensor: ToTensor) -> None:
        mixture, self.weight, self.narrow = prior.mixture, prior.weight, narrow
        self.log_weights = tensor(np.log(mixture.weights))[:, None]
        self.means, self.variances = tensor(mixture.means)[:, None], tensor(mixture.variances)[:, None]
        self.loadings = tensor(mixture.loadings)
        self.n_factors = self.loadings.shape[2]
        self.pairs = tensor(pairs_of(mixture.loadings))
        is_in = [is_narrow(block) for block, _ in coded_blocks(blocks)]
        shares = [shares for shares, narrow_too in zip(mixture.shares_by_column, is_in, strict=True) if narrow_too]
        self.weight_of_category = tensor(prior.weight * prior.category_weights[is_in].repeat(narrow.n_categories))
        longest = max(narrow.n_categories, default=0)
        padded = [np.pad(of_column, ((0, 0), (0, longest - of_column.shape[1]))) for of_column in shares]
        self.shares = tensor(np.stack(padded) if padded else np.zeros((0, len(mixture.weights), 0)))

    def __call__(
        self, numbers: torch.Tensor, level: torch.Tensor, likelihoods: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """E[x_0 | x_t] of the numbers (B, q), and log p(category | other columns) (B, all narrow categories), or None.

        `numbers` (B, q) at the levels `level` (B, q); `likelihoods` (B, all narrow categories), logarithms.
        """
        log_joint, component_means, *_ = self._given_numbers(numbers, level)
        if not self.narrow.n_columns:
            return _known_kept(numbers, level, _mean(log_joint.softmax(0), component_means)), None
        evidence = self._evidence(likelihoods)
        responsibility = (log_joint + evidence.log().sum(0).T).softmax(0)
        return _known_kept(numbers, level, _mean(responsibility, component_means)), self._log_prior(
            responsibility, evidence
        )

    def with_diagonal(self, numbers: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """E[x_0 | x_t] (B, q) with all categories unknown, and its derivatives, each by the column's own x_t, (B, q).

        No number is known. The derivatives are Var(x_0 | x_t) / sigma^2 (Efron 2011, "Tweedie's formula and selection
        bias"), 0 for what is unknown. Variances are those within components and that of the components' means.
        """
        log_joint, component_means, precision, root = self._given_numbers(numbers, level)
        responsibility = log_joint.softmax(0)
        mean = _mean(responsibility, component_means)
        free = 1 - self.variances * precision
        variances = self.variances * free
        if root:
            wide = [[entry[:, :, None] for entry in row] for row in root]
            half = forward_substitution(wide, self.loadings[:, None].unbind(3))
            variances = variances + free**2 * sum(part.square() for part in half)
        variance = _mean(responsibility, variances + (component_means - mean) ** 2)
        return mean, (variance / level**2).masked_fill(level >= UNKNOWN, 0.0)

    def _given_numbers(
        self, numbers: torch.Tensor, level: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Root]:
        """Of components given noised numbers: log of weight times density (M, B) and means of the numbers (M, B, q).

        Logarithms are up to a constant a row. Then the precisions of the noised numbers beside the directions
        (M, B, q), and R of `_factors`.
        """
        unknown = level >= UNKNOWN
        variance = self.variances + level**2
        precision = (1 / variance).masked_fill(unknown, 0.0)
        offsets = numbers - self.means
        weighted = precision * offsets
        squares = (weighted * offsets).sum(2) + variance.log().masked_fill(unknown, 0.0).sum(2)
        log_joint = self.log_weights - 0.5 * squares
        component_means = self.means + self.variances * weighted
        root: Root = []
        if self.n_factors:
            factors, gain, root = self._factors(precision, weighted)
            log_joint = log_joint + gain
            component_means = component_means + (1 - self.variances * precision) * torch.bmm(factors, self.loadings.mT)
        return log_joint, component_means, precision, root

    def _factors(self, precision: torch.Tensor, weighted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, Root]:
        """The mean of the factors (M, B, r) given the numbers, what they add to the log-density (M, B), and R below.

        With A = I + L^T w L = R R^T it is A^-1 L^T w (x - mu), and they add |R^-1 L^T w (x - mu)|^2 / 2 - log det R.
        """
        products = torch.bmm(precision, self.pairs).unbind(2)
        root = cholesky(products, self.n_factors)
        half = forward_substitution(root, torch.bmm(weighted, self.loadings).unbind(2))
        squares = torch.stack(half).square().sum(0)
        log_determinant = torch.stack([row[-1] for row in root]).log().sum(0)
        return torch.stack(back_substitution(root, half), 2), 0.5 * squares - log_determinant, root

    def _evidence(self, likelihoods: torch.Tensor) -> torch.Tensor:
        """P (C, B, M) of every narrow column, up to a factor a row and column."""
        by_column = self.narrow.by_column(likelihoods)
        scaled = (by_column - by_column.amax(2, keepdim=True)).exp()
        return torch.bmm(scaled.transpose(0, 1), self.shares.mT)

    def _log_prior(self, responsibility: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
        """log p(category | other columns), up to a constant a column, (B, all narrow categories)."""
        prior = torch.bmm(responsibility.T / evidence, self.shares)
        return prior.transpose(0, 1).flatten(1).index_select(1, self.narrow.in_padded).log()


def _mean(responsibility: torch.Tensor, component_means: torch.Tensor) -> torch.Tensor:
    """The mean (B, q) over components of their means (M, B, q), by responsibilities (M, B)."""
    return torch.einsum("mb,mbq->bq", responsibility, component_means)


def _known_kept(numbers: torch.Tensor, level: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """The mean (B, q), of numbers that are known their value to the last bit."""
    return torch.where(level == 0, numbers, mean)


# --- small symmetric systems, very many at once: an entry of a matrix is an array over all of them, for a library
# would solve them one by one


def pairs_of(loadings: np.ndarray) -> np.ndarray:
    """Products (M, q, r (r + 1) / 2) of loadings (M, q, r): of j and i, i >= j, the pairs of one j together."""
    products = [loadings[:, :, j:] * loadings[:, :, j : j + 1] for j in range(loadings.shape[2])]
    return np.concatenate(products, axis=2) if products else loadings


def cholesky(products: Entries, n: int) -> Root:
    """R (lower), with R R^T = I + the symmetric matrix of which `products` are the entries, as in `pairs_of`."""
    root: Root = [[] for _ in range(n)]
    entries = iter(products)
    for j in range(n):
        for i in range(j, n):
            value = next(entries)
            for k in range(j):
                value = value - root[i][k] * root[j][k]
            root[i].append((value + 1).sqrt() if i == j else value / root[j][j])
    return root


def forward_substitution(root: Root, b: Entries) -> list[torch.Tensor]:
    """R^-1 b."""
    out: list[torch.Tensor] = []
    for row, value in zip(root, b, strict=True):
        for entry, known in zip(row, out, strict=False):
            value = value - entry * known
        out.append(value / row[-1])
    return out


def back_substitution(root: Root, b: Entries) -> list[torch.Tensor]:
    """R^-T b."""
    out = list(b)
    for j in reversed(range(len(root))):
        for k in range(j + 1, len(root)):
            out[j] = out[j] - root[k][j] * out[k]
        out[j] = out[j] / root[j][j]
    return out
