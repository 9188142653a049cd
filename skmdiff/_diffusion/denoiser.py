"""The denoiser D(x_t; sigma) ~ E[x_0 | x_t]: one network over all columns, a noise level per column.

Shapes: B rows, p encoded columns in n_blocks blocks (one a table column), of which n_numeric have width 1 and
n_categorical carry the code vectors of their levels.

Numbers, EDM preconditioning per column: D = c_skip x_t + c_out F, loss (F - (x_0 - c_skip x_t) / c_out)^2, which
is the error of D weighted by 1 / c_out^2. Categories: the posterior over the K levels is a softmax of
F + (x_t . w_k - |w_k|^2 / 2) / sigma^2, the second part being the exact Gaussian likelihood of the code w_k; the
denoised value is the mean code and the loss the cross-entropy. Both losses are means over columns.

The network sees periodic features of the noised numbers (learnt frequencies, Gorishniy et al. 2022, "On
embeddings for numerical features in tabular deep learning"), the noised codes, an embedding of the row's level,
and how far each column's own level is from it (nothing where they agree).
"""

import math

import numpy as np
import torch
from scipy.linalg import block_diag
from torch import nn
from torch.nn import functional

from .noise import UNKNOWN, preconditioning

LEVEL_FEATURES = 16
FREQUENCY_RANGE = 0.1, 8.0  # cycles per standard deviation of a column


class Layout:
    """Where the columns of a table lie in its encoded rows; index tensors of the blocks."""

    def __init__(self, blocks, device="cpu", dtype=torch.float32):
        def index(values):
            return torch.tensor(values, dtype=torch.long, device=device)

        numeric = [i for i, b in enumerate(blocks) if b.codes is None]
        categorical = [i for i, b in enumerate(blocks) if b.codes is not None]
        self.n_blocks, self.n_columns = len(blocks), max(b.stop for b in blocks)
        self.n_numeric, self.n_categorical = len(numeric), len(categorical)
        self.n_levels = [len(blocks[i].codes) for i in categorical]
        self.is_categorical = torch.tensor([b.codes is not None for b in blocks], device=device)
        self.numeric_block, self.categorical_block = index(numeric), index(categorical)
        self.block_of_column = index([i for i, b in enumerate(blocks) for _ in range(b.start, b.stop)])
        self.block_of_level = index([i for i, n in zip(categorical, self.n_levels, strict=True) for _ in range(n)])
        self.numeric = index([blocks[i].start for i in numeric])
        self.coded = index([j for i in categorical for j in range(blocks[i].start, blocks[i].stop)])
        codes = block_diag(*[blocks[i].codes for i in categorical]) if categorical else np.zeros((0, 0))
        self.codes = torch.as_tensor(codes, dtype=dtype, device=device)
        self.half_norm = (self.codes**2).sum(1) / 2
        self._pad(index)

    def _pad(self, index):
        """Index table between the flat list of all levels and an (n_categorical, most levels) array."""
        total, longest = sum(self.n_levels), max(self.n_levels, default=0)
        starts = np.cumsum([0, *self.n_levels])
        rows = [[*range(s, s + n), *[total] * (longest - n)] for s, n in zip(starts, self.n_levels, strict=False)]
        self.padded = index(rows).reshape(self.n_categorical, longest)
        self.is_level = self.padded < total

    def by_column(self, values):
        """One value a level, (B, all levels), as an array (B, n_categorical, most levels), -inf where padded."""
        padding = values.new_full((len(values), 1), -math.inf)
        return torch.cat([values, padding], 1).index_select(1, self.padded.flatten()).unflatten(1, self.padded.shape)

    def log_probabilities(self, logits):
        """Log-softmax within each categorical column: (B, n_categorical, most levels), -inf where padded."""
        return self.by_column(logits).log_softmax(-1)

    def mean_codes(self, log_probabilities):
        """Expected code of every categorical column under the probabilities, (B, width of all codes)."""
        return log_probabilities.exp()[:, self.is_level] @ self.codes

    def log_likelihoods(self, x):
        """log p(x | level) at sigma = 1, up to a constant, of every level of every categorical column."""
        return x.index_select(1, self.coded) @ self.codes.T - self.half_norm

    def nearest_levels(self, x):
        """Level of every categorical column whose code is nearest to x, (B, n_categorical) of ints."""
        return self.by_column(self.log_likelihoods(x)).argmax(-1)


class PeriodicFeatures(nn.Module):
    """x -> (x, sin 2 pi f x, cos 2 pi f x) for learnt frequencies f of each numeric column."""

    def __init__(self, n_numeric, n_frequencies):
        super().__init__()
        self.frequencies = nn.Parameter(torch.empty(n_numeric, n_frequencies))
        self.n_outputs = n_numeric * (2 * n_frequencies + 1)

    def forward(self, x):
        angle = (2 * math.pi * x[:, :, None] * self.frequencies).flatten(1)
        return torch.cat([x, angle.sin(), angle.cos()], 1)


class ResidualBlock(nn.Module):
    def __init__(self, width, hidden, n_level):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, hidden)
        self.level = nn.Linear(n_level, hidden, bias=False)
        self.leave = nn.Linear(hidden, width)

    def forward(self, h, level):
        return h + self.leave(functional.silu(self.enter(self.norm(h)) + self.level(level)))


class Denoiser(nn.Module):
    """The network F and the two denoised readings of it, means for numbers and log-probabilities for levels."""

    def __init__(self, layout, hidden_layer_sizes, n_frequencies):
        super().__init__()
        self.layout = layout
        width = hidden_layer_sizes[0]
        self.periodic = PeriodicFeatures(layout.n_numeric, n_frequencies)
        n_inputs = self.periodic.n_outputs + len(layout.coded) + 3 * layout.n_blocks
        self.enter = nn.Linear(n_inputs, width)
        self.level_features = nn.Linear(2 * LEVEL_FEATURES, 64)
        self.blocks = nn.ModuleList(ResidualBlock(width, n, 64) for n in hidden_layer_sizes)
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, layout.n_numeric + len(layout.block_of_level))

    def network(self, x, row_level, sigma):
        """F(c_in x_t; levels), (B, n_numeric + all levels)."""
        layout = self.layout
        c_in = torch.where(sigma < UNKNOWN, (sigma**2 + 1).rsqrt(), 0.0)
        x = x * c_in.index_select(1, layout.block_of_column)
        known, unknown = sigma == 0, sigma >= UNKNOWN
        offset = (sigma.clamp_min(1e-3) / row_level[:, None]).log().masked_fill(known | unknown, 0.0) / 4
        level = self._level_embedding(row_level)
        columns = [self.periodic(x.index_select(1, layout.numeric)), x.index_select(1, layout.coded),
                   known.to(x), unknown.to(x), offset]
        h = self.enter(torch.cat(columns, 1))
        for block in self.blocks:
            h = block(h, level)
        return self.leave(functional.silu(self.norm(h)))

    def _level_embedding(self, row_level):
        octaves = torch.arange(LEVEL_FEATURES, device=row_level.device, dtype=row_level.dtype)
        angle = row_level.log()[:, None] / 4 * 2 ** (octaves / 4)
        return functional.silu(self.level_features(torch.cat([angle.sin(), angle.cos()], 1)))

    def forward(self, x, row_level, sigma):
        """Denoised numbers (B, n_numeric), log-probabilities (B, n_categorical, longest), and F of the numbers.

        `x` (B, p) noised rows, `row_level` (B,) their level, `sigma` (B, n_blocks) the levels of their columns.
        """
        layout = self.layout
        out = self.network(x, row_level, sigma)
        f = out[:, : layout.n_numeric]
        c_skip, c_out, _ = preconditioning(sigma.index_select(1, layout.numeric_block))
        means = c_skip * x.index_select(1, layout.numeric) + c_out * f
        return means, self._posterior(out[:, layout.n_numeric:], x, sigma), f

    def _posterior(self, f, x, sigma):
        layout = self.layout
        level = sigma.index_select(1, layout.block_of_level)
        variance = torch.where(level < UNKNOWN, level**2 + 1e-4, math.inf)
        return layout.log_probabilities(f + layout.log_likelihoods(x) / variance)


def _draw_frequencies(n_numeric, n_frequencies, generator):
    """Frequencies of each column, one in each of n_frequencies strata of FREQUENCY_RANGE, log-uniform."""
    low, high = (math.log(f) for f in FREQUENCY_RANGE)
    u = torch.rand(n_numeric, n_frequencies, generator=generator, device=generator.device)
    strata = torch.arange(n_frequencies, device=generator.device)
    return torch.exp(low + (high - low) * (strata + u) / n_frequencies)


def initialise(model, generator):
    """Draw the weights; the layers that end a branch start at zero, so that D starts at c_skip x_t."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.LayerNorm):
                module.reset_parameters()
            elif isinstance(module, PeriodicFeatures):
                module.frequencies.copy_(_draw_frequencies(*module.frequencies.shape, generator))
        for leave in [model.leave, *(block.leave for block in model.blocks)]:
            leave.weight.zero_()


def denoise(model, x, row_level, sigma):
    """E[x_0 | x_t], (B, p): means for numbers, mean codes for categories."""
    means, log_probabilities, _ = model(x, row_level, sigma)
    out = torch.empty_like(x)
    out[:, model.layout.numeric] = means
    if model.layout.n_categorical:
        out[:, model.layout.coded] = model.layout.mean_codes(log_probabilities)
    return out


def denoising_loss(model, x_0, row_level, sigma, noise):
    """Loss of every column of every row, (B, n_blocks); zero where the column is known."""
    layout = model.layout
    x = x_0 + noise * sigma.index_select(1, layout.block_of_column)
    means, log_probabilities, f = model(x, row_level, sigma)
    loss = x_0.new_zeros(len(x_0), layout.n_blocks)
    c_skip, c_out, _ = preconditioning(sigma.index_select(1, layout.numeric_block))
    x_numeric, x_0_numeric = x.index_select(1, layout.numeric), x_0.index_select(1, layout.numeric)
    target = (x_0_numeric - c_skip * x_numeric) / c_out.clamp_min(1e-6)
    loss = loss.index_copy(1, layout.numeric_block, (f - target) ** 2)
    if layout.n_categorical:
        levels = layout.nearest_levels(x_0)
        cross_entropy = -log_probabilities.gather(2, levels[:, :, None])[:, :, 0]
        loss = loss.index_copy(1, layout.categorical_block, cross_entropy)
    return loss.masked_fill(sigma == 0, 0.0)
