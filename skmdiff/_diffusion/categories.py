"""Posteriors over the levels of categorical columns: few levels with a logit each, many levels of low rank.

The posterior of a level k with the code w_k, given a noised code x_t, is the softmax over the levels of

    F_k + (x_t . w_k - |w_k|^2 / 2) / sigma^2,

the second part being the exact Gaussian likelihood of the code. A narrow column (one-hot codes) has an output of the
network for each F_k. A wide one, whose K levels have codes of fewer than K dimensions, has

    F_k = log share of k + b_k + e_k . (A h),

with the last hidden layer h, a head A of as many outputs as the codes have dimensions, and learnt e_k and b_k that
start at zero: the untrained posterior is exact for a column that depends on nothing, and rare levels keep their share.
"""

import math

import numpy as np
import torch
from scipy.linalg import block_diag
from torch import nn

from .noise import UNKNOWN

SMALLEST_VARIANCE = 1e-4


def is_wide(block):
    return block.codes is not None and block.codes.shape[1] < block.codes.shape[0]


def variance_of(level):
    return torch.where(level < UNKNOWN, level**2 + SMALLEST_VARIANCE, math.inf)


class NarrowColumns:
    """The categorical columns with one-hot codes, all at once: index tensors, B rows."""

    def __init__(self, blocks, index, codes):
        narrow = [i for i, b in enumerate(blocks) if b.codes is not None and not is_wide(b)]
        self.n_columns, self.n_levels = len(narrow), [len(blocks[i].codes) for i in narrow]
        self.block = index(narrow)
        self.block_of_level = index([i for i, n in zip(narrow, self.n_levels, strict=True) for _ in range(n)])
        self.coded = index([j for i in narrow for j in range(blocks[i].start, blocks[i].stop)])
        self.codes = codes(block_diag(*[blocks[i].codes for i in narrow]) if narrow else np.zeros((0, 0)))
        self.half_norm = (self.codes**2).sum(1) / 2
        self._pad(index)

    def _pad(self, index):
        """Index table between the flat list of all levels and an (n_columns, most levels) array."""
        total, longest = sum(self.n_levels), max(self.n_levels, default=0)
        starts = np.cumsum([0, *self.n_levels])
        rows = [[*range(s, s + n), *[total] * (longest - n)] for s, n in zip(starts, self.n_levels, strict=False)]
        self.padded = index(rows).reshape(self.n_columns, longest)
        self.is_level = self.padded < total

    def by_column(self, values):
        """One value a level, (B, all levels), as an array (B, n_columns, most levels), -inf where padded."""
        padding = values.new_full((len(values), 1), -math.inf)
        return torch.cat([values, padding], 1).index_select(1, self.padded.flatten()).unflatten(1, self.padded.shape)

    def log_likelihoods(self, x):
        """log p(x | level) at sigma = 1, up to a constant, of every level of every column."""
        return x.index_select(1, self.coded) @ self.codes.T - self.half_norm

    def nearest_levels(self, x):
        """Level of every column whose code is nearest to x, (B, n_columns) of ints."""
        return self.by_column(self.log_likelihoods(x)).argmax(-1)

    def log_posterior(self, f, x, sigma):
        """Log-probabilities (B, n_columns, most levels), -inf where padded; `f` one output a level."""
        variance = variance_of(sigma.index_select(1, self.block_of_level))
        return self.by_column(f + self.log_likelihoods(x) / variance).log_softmax(-1)

    def mean_codes(self, log_probabilities):
        """Expected codes of all columns, (B, width of all codes)."""
        return log_probabilities.exp()[:, self.is_level] @ self.codes

    def own(self, log_probabilities, x_0):
        """Log-probability of the levels that clean rows have, (B, n_columns)."""
        return log_probabilities.gather(2, self.nearest_levels(x_0)[:, :, None])[:, :, 0]


class WideColumn:
    """One categorical column of many levels."""

    def __init__(self, block, number, index, codes):
        self.block, self.columns = index([number]), slice(block.start, block.stop)
        self.codes, self.log_shares = codes(block.codes), codes(np.log(block.frequencies))
        self.half_norm = (self.codes**2).sum(1) / 2

    def log_likelihoods(self, x):
        return x[:, self.columns] @ self.codes.T - self.half_norm

    def logits(self, head, h, x, sigma):
        """Log-probabilities (B, n_levels) up to a constant, in one matrix product: passes over them are what costs."""
        precision = 1 / variance_of(sigma.index_select(1, self.block))
        rows = torch.cat([head.enter(h), x[:, self.columns] * precision, -precision], 1)
        levels = torch.cat([head.levels.weight, self.codes, self.half_norm[:, None]], 1)
        return torch.addmm(head.levels.bias + self.log_shares, rows, levels.T)

    def mean_codes(self, logits):
        return logits.softmax(-1) @ self.codes

    def own(self, logits, x_0):
        """Log-probability of the level that clean rows have, (B, 1)."""
        return logits.log_softmax(-1).gather(1, self.log_likelihoods(x_0).argmax(1, keepdim=True))


class WideHead(nn.Module):
    """The weights of the low-rank logits of a wide column: A in `enter`, e_k and b_k in `levels`."""

    def __init__(self, width, column):
        super().__init__()
        n_levels, rank = column.codes.shape
        self.enter = nn.Linear(width, rank)
        self.levels = nn.Linear(rank, n_levels)
