"""Posteriors over the categories of columns: few categories with a logit each, many categories of low rank.

The posterior of a category k with the code w_k, given a noised code x_t, is the softmax over the categories of

    F_k + log frequency of k + (x_t . w_k - |w_k|^2 / 2) / sigma^2,

the last part being the exact Gaussian likelihood of the code. Without F it is the posterior of a column that depends on
nothing, by Bayes's rule; its mean code is what the network is given in place of the noised code of a narrow column, as
in Bayesian flow networks (Graves et al. 2023): the clean code where the noise is small, zero where nothing is known, on
one scale at all levels. A narrow column (one-hot codes) has an output of the network for each F_k. A wide one, whose K
categories have codes of fewer than K dimensions, has

    F_k = b_k + e_k . (A h),

with the last hidden layer h, a head A of as many outputs as the codes have dimensions, and learnt e_k and b_k that
start at zero: the untrained posterior is exact for a column that depends on nothing, and rare categories keep their
frequency.

Shapes: B rows of p encoded columns; n_columns narrow columns, of which the widest has n_widest categories.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeGuard

import numpy as np
import torch
from scipy.linalg import block_diag
from torch import nn

from .._numerics.blocks import Block
from .noise import UNKNOWN

SMALLEST_VARIANCE = 1e-4

ToIndex = Callable[[Sequence], torch.Tensor]
ToTensor = Callable[[np.ndarray], torch.Tensor]


class CategoricalBlock(Protocol):
    """A `Block` of categories."""

    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...
    @property
    def codes(self) -> np.ndarray: ...
    @property
    def frequencies(self) -> np.ndarray: ...


def is_wide(block: Block) -> TypeGuard[CategoricalBlock]:
    """Whether a block is of more categories than its codes have dimensions."""
    return block.codes is not None and block.codes.shape[1] < block.codes.shape[0]


def is_narrow(block: Block) -> TypeGuard[CategoricalBlock]:
    """Whether a block is of categories with one-hot codes."""
    return block.codes is not None and not is_wide(block)


def variance_of(level: torch.Tensor) -> torch.Tensor:
    """Variance of the noise on a code, infinite where the column is unknown; any shape."""
    return torch.where(level < UNKNOWN, level**2 + SMALLEST_VARIANCE, math.inf)


class NarrowColumns:
    """The categorical columns with one-hot codes, all at once, as index tensors."""

    def __init__(self, blocks: Sequence[Block], index: ToIndex, tensor: ToTensor) -> None:
        narrow = [(i, block) for i, block in enumerate(blocks) if is_narrow(block)]
        self.n_columns, self.n_categories = len(narrow), [len(block.codes) for _, block in narrow]
        self.block = index([i for i, _ in narrow])
        self.block_of_category = index([i for i, block in narrow for _ in block.codes])
        self.coded = index([j for _, block in narrow for j in range(block.start, block.stop)])
        self.codes = tensor(block_diag(*[block.codes for _, block in narrow]) if narrow else np.zeros((0, 0)))
        self.half_norm = (self.codes**2).sum(1) / 2
        self.log_frequencies = tensor(np.log(np.concatenate([np.zeros(0), *[b.frequencies for _, b in narrow]])))
        self._pad(index)

    def _pad(self, index: ToIndex) -> None:
        """Index table between the flat list of all categories and an (n_columns, n_widest) array."""
        total, longest = sum(self.n_categories), max(self.n_categories, default=0)
        starts = np.cumsum([0, *self.n_categories])[:-1]
        rows = [[*range(s, s + n), *[total] * (longest - n)] for s, n in zip(starts, self.n_categories, strict=True)]
        self.padded = index(rows).reshape(self.n_columns, longest)
        self.is_category = self.padded < total
        self.in_padded = index(torch.nonzero(self.is_category.flatten()).flatten().tolist())

    def by_column(self, values: torch.Tensor) -> torch.Tensor:
        """One value a category, (B, all categories), as an array (B, n_columns, n_widest), -inf where padded."""
        padding = values.new_full((len(values), 1), -math.inf)
        return torch.cat([values, padding], 1).index_select(1, self.padded.flatten()).unflatten(1, self.padded.shape)

    def log_likelihoods(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x | category) at sigma = 1, up to a constant, (B, all categories)."""
        return x.index_select(1, self.coded) @ self.codes.T - self.half_norm

    def nearest_categories(self, x: torch.Tensor) -> torch.Tensor:
        """Category of every column whose code is nearest to x, (B, n_columns) of ints."""
        return self.by_column(self.log_likelihoods(x)).argmax(-1)

    def evidence(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """log of frequency times likelihood (B, all categories): what each column says of itself."""
        variance = variance_of(sigma.index_select(1, self.block_of_category))
        return self.log_frequencies + self.log_likelihoods(x) / variance

    def log_posterior(self, f: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
        """Log-probabilities (B, n_columns, n_widest), -inf where padded; `f` (B, all categories) of the network."""
        return self.by_column(f + evidence).log_softmax(-1)

    def mean_codes(self, log_probabilities: torch.Tensor) -> torch.Tensor:
        """Expected codes of all columns, (B, width of all codes)."""
        return log_probabilities.flatten(1).index_select(1, self.in_padded).exp() @ self.codes

    def log_probability_of(self, x_0: torch.Tensor, log_probabilities: torch.Tensor) -> torch.Tensor:
        """Log-probability of the categories of clean rows x_0, (B, n_columns)."""
        return log_probabilities.gather(2, self.nearest_categories(x_0)[:, :, None])[:, :, 0]


class WideColumn:
    """One column of many categories."""

    def __init__(self, block: CategoricalBlock, number: int, index: ToIndex, tensor: ToTensor) -> None:
        self.block, self.columns = index([number]), slice(block.start, block.stop)
        self.codes, self.log_frequencies = tensor(block.codes), tensor(np.log(block.frequencies))
        self.half_norm = (self.codes**2).sum(1) / 2

    def log_likelihoods(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x | category) at sigma = 1, up to a constant, (B, n_categories)."""
        return x[:, self.columns] @ self.codes.T - self.half_norm

    def mean_codes(self, logits: torch.Tensor) -> torch.Tensor:
        """Expected codes, (B, width of the code)."""
        return logits.softmax(-1) @ self.codes

    def log_probability_of(self, x_0: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Log-probability of the category of clean rows x_0, (B, 1)."""
        return logits.log_softmax(-1).gather(1, self.log_likelihoods(x_0).argmax(1, keepdim=True))


class WideHead(nn.Module):
    """The weights of the low-rank logits of a wide column: A in `enter`, e_k and b_k in `categories`."""

    def __init__(self, width: int, column: WideColumn) -> None:
        super().__init__()
        n_categories, rank = column.codes.shape
        self.enter = nn.Linear(width, rank)
        self.categories = nn.Linear(rank, n_categories)

    def forward(self, column: WideColumn, h: torch.Tensor, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Log-probabilities (B, n_categories) up to a constant, from the last hidden layer h (B, width)."""
        precision = 1 / variance_of(sigma.index_select(1, column.block))
        # one matrix product for both parts, because passes over so many categories are what costs
        rows = torch.cat([self.enter(h), x[:, column.columns] * precision, -precision], 1)
        categories = torch.cat([self.categories.weight, column.codes, column.half_norm[:, None]], 1)
        return torch.addmm(self.categories.bias + column.log_frequencies, rows, categories.T)
