"""The denoiser D(x_t; sigma) ~ E[x_0 | x_t]: one network over all columns, a noise level per column.

Shapes: B rows, p encoded columns in n_blocks blocks (one a table column), of which n_numeric have width 1 and
n_categorical carry the code vectors of their levels.

Numbers, EDM preconditioning per column: D = c_skip x_t + c_out F, loss (F - (x_0 - c_skip x_t) / c_out)^2, which
is the error of D weighted by 1 / c_out^2. Categories: a posterior over the levels (`categories.py`); the denoised
value is the mean code and the loss the cross-entropy. Both losses are means over columns.

The network sees periodic features of the noised numbers (learnt frequencies, Gorishniy et al. 2022, "On
embeddings for numerical features in tabular deep learning"), the noised codes, an embedding of the row's level,
and how far each column's own level is from it (nothing where they agree).
"""

import math

import torch
from torch import nn
from torch.nn import functional

from .categories import NarrowColumns, WideColumn, WideHead, is_wide
from .noise import UNKNOWN, preconditioning

LEVEL_FEATURES = 16
FREQUENCY_RANGE = 0.1, 8.0  # cycles per standard deviation of a column


class Layout:
    """Where the columns of a table lie in its encoded rows; index tensors of the blocks."""

    def __init__(self, blocks, device="cpu", dtype=torch.float32):
        def index(values):
            return torch.tensor(values, dtype=torch.long, device=device)

        def codes(values):
            return torch.as_tensor(values, dtype=dtype, device=device)

        numeric = [i for i, b in enumerate(blocks) if b.codes is None]
        self.n_blocks, self.n_columns, self.n_numeric = len(blocks), max(b.stop for b in blocks), len(numeric)
        self.is_categorical = torch.tensor([b.codes is not None for b in blocks], device=device)
        self.start, self.numeric_block = index([b.start for b in blocks]), index(numeric)
        self.block_of_column = index([i for i, b in enumerate(blocks) for _ in range(b.start, b.stop)])
        self.numeric = self.start[self.numeric_block]
        self.coded = index([j for b in blocks if b.codes is not None for j in range(b.start, b.stop)])
        self.narrow = NarrowColumns(blocks, index, codes)
        self.wide = [WideColumn(b, i, index, codes) for i, b in enumerate(blocks) if is_wide(b)]


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
        # at least one: torch warns of layers without weights, which a table of one wide column would have
        self.leave = nn.Linear(width, max(1, layout.n_numeric + len(layout.narrow.block_of_level)))
        self.wide = nn.ModuleList(WideHead(width, column) for column in layout.wide)

    def network(self, x, row_level, sigma):
        """The last hidden layer for c_in x_t and the levels, (B, width)."""
        layout = self.layout
        c_in = torch.where(sigma < UNKNOWN, (sigma**2 + 1).rsqrt(), 0.0)
        x = x * c_in.index_select(1, layout.block_of_column)
        known, unknown = sigma == 0, sigma >= UNKNOWN
        offset = (sigma.clamp_min(1e-3) / row_level[:, None]).log().masked_fill(known | unknown, 0.0) / 4
        level = self._level_embedding(row_level)
        columns = [
            self.periodic(x.index_select(1, layout.numeric)),
            x.index_select(1, layout.coded),
            known.to(x),
            unknown.to(x),
            offset,
        ]
        h = self.enter(torch.cat(columns, 1))
        for block in self.blocks:
            h = block(h, level)
        return functional.silu(self.norm(h))

    def _level_embedding(self, row_level):
        octaves = torch.arange(LEVEL_FEATURES, device=row_level.device, dtype=row_level.dtype)
        angle = row_level.log()[:, None] / 4 * 2 ** (octaves / 4)
        return functional.silu(self.level_features(torch.cat([angle.sin(), angle.cos()], 1)))

    def forward(self, x, row_level, sigma):
        """Denoised numbers (B, n_numeric), log-probabilities of levels, and F of the numbers.

        `x` (B, p) noised rows, `row_level` (B,) their level, `sigma` (B, n_blocks) the levels of their columns.
        The log-probabilities are those of the narrow columns, then logits of each wide one (`categories.py`).
        """
        layout = self.layout
        h = self.network(x, row_level, sigma)
        out = self.leave(h)
        f = out[:, : layout.n_numeric]
        c_skip, c_out, _ = preconditioning(sigma.index_select(1, layout.numeric_block))
        means = c_skip * x.index_select(1, layout.numeric) + c_out * f
        narrow = layout.narrow.log_posterior(out[:, layout.n_numeric :], x, sigma)
        wide = [column.logits(head, h, x, sigma) for head, column in zip(self.wide, layout.wide, strict=True)]
        return means, [narrow, *wide], f


def own_levels(layout, log_probabilities, x_0):
    """Log-probability (B, n_blocks) of the levels that clean rows have; zero for numbers."""
    narrow, *wide = log_probabilities
    out = x_0.new_zeros(len(x_0), layout.n_blocks)
    if layout.narrow.n_columns:
        out = out.index_copy(1, layout.narrow.block, layout.narrow.own(narrow, x_0))
    for column, values in zip(layout.wide, wide, strict=True):
        out = out.index_copy(1, column.block, column.own(values, x_0))
    return out


def probabilities_of(layout, log_probabilities):
    """Probabilities (B, n_levels) of the levels of every category, a dict by the number of the block."""
    narrow, *wide = log_probabilities
    out = {
        block: narrow[:, place, : layout.narrow.n_levels[place]].exp()
        for place, block in enumerate(layout.narrow.block.tolist())
    }
    out.update({int(column.block): values.softmax(-1) for column, values in zip(layout.wide, wide, strict=True)})
    return out


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
        ends = [model.leave, *(block.leave for block in model.blocks), *(head.levels for head in model.wide)]
        for leave in ends:
            leave.weight.zero_()


def denoise(model, x, row_level, sigma):
    """E[x_0 | x_t], (B, p): means for numbers, mean codes for categories."""
    means, log_probabilities, _ = model(x, row_level, sigma)
    out = torch.empty_like(x)
    out[:, model.layout.numeric] = means
    narrow, *wide = log_probabilities
    if model.layout.narrow.n_columns:
        out[:, model.layout.narrow.coded] = model.layout.narrow.mean_codes(narrow)
    for column, values in zip(model.layout.wide, wide, strict=True):
        out[:, column.columns] = column.mean_codes(values)
    return out


def denoising_loss(model, x_0, row_level, sigma, noise):
    """Loss of every column of every row, (B, n_blocks), zero where the column is known."""
    layout = model.layout
    x = x_0 + noise * sigma.index_select(1, layout.block_of_column)
    _, log_probabilities, f = model(x, row_level, sigma)
    c_skip, c_out, _ = preconditioning(sigma.index_select(1, layout.numeric_block))
    x_numeric, x_0_numeric = x.index_select(1, layout.numeric), x_0.index_select(1, layout.numeric)
    target = (x_0_numeric - c_skip * x_numeric) / c_out.clamp_min(1e-6)
    loss = -own_levels(layout, log_probabilities, x_0)
    loss = loss.index_copy(1, layout.numeric_block, (f - target) ** 2)
    return loss.masked_fill(sigma == 0, 0.0)
