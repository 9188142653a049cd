"""The denoiser D(x_t; sigma) ~ E[x_0 | x_t]: one network over all columns, a noise level per column.

Shapes: B rows, p encoded columns in n_blocks blocks (one a table column), of which n_numeric have width 1 and
n_categorical carry the codes of their categories.

Numbers, EDM preconditioning per column: D = m(x_t) + c_out F, loss (D - x_0)^2 / c_out^2. Without a mixture m(x_t) is
c_skip x_t, the mean where a column is standard normal and depends on nothing; with one it is that of the mixture
(`prior.py`), a function of all columns, and the network learns what the mixture does not know. Categories: a posterior
(`categories.py`), whose prior is of the mixture as well; the denoised value is the mean code and the loss the
cross-entropy. Both losses are means over columns.

The network sees periodic features of the noised numbers (learnt frequencies, Gorishniy et al. 2022, "On
embeddings for numerical features in tabular deep learning"), what the codes say of their categories, an embedding of
the noise level of the row, and how far the noise level of each column is from it (nothing where they agree).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .._numerics.blocks import Block
from .categories import NarrowColumns, WideColumn, WideHead, is_wide
from .noise import UNKNOWN, preconditioning
from .prior import MixturePrior

LEVEL_FEATURES = 16
FREQUENCY_RANGE = 0.1, 8.0  # cycles per standard deviation of a column


class Layout:
    """Where the columns of a table lie in its encoded rows; index tensors of the blocks."""

    def __init__(
        self, blocks: Sequence[Block], device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        def index(values: Sequence) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.long, device=device)

        def tensor(values: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(values, dtype=dtype, device=device)

        numeric = [i for i, b in enumerate(blocks) if b.codes is None]
        self.n_blocks, self.n_columns, self.n_numeric = len(blocks), max(b.stop for b in blocks), len(numeric)
        self.is_categorical = torch.tensor([b.codes is not None for b in blocks], device=device)
        self.start, self.numeric_block = index([b.start for b in blocks]), index(numeric)
        self.block_of_column = index([i for i, b in enumerate(blocks) for _ in range(b.start, b.stop)])
        self.numeric = self.start[self.numeric_block]
        self.coded = index([j for b in blocks if b.codes is not None for j in range(b.start, b.stop)])
        self.narrow = NarrowColumns(blocks, index, tensor)
        self.wide = [WideColumn(b, i, index, tensor) for i, b in enumerate(blocks) if is_wide(b)]


class PeriodicFeatures(nn.Module):
    """x -> (x, sin 2 pi f x, cos 2 pi f x) for learnt frequencies f of each numeric column."""

    def __init__(self, n_numeric: int, n_frequencies: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.empty(n_numeric, n_frequencies))
        self.n_outputs = n_numeric * (2 * n_frequencies + 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, n_outputs) features of the numbers x (B, n_numeric)."""
        angle = (2 * math.pi * x[:, :, None] * self.frequencies).flatten(1)
        return torch.cat([x, angle.sin(), angle.cos()], 1)


class ResidualBlock(nn.Module):
    """h + one hidden layer of h, shifted by the embedding of the noise level."""

    def __init__(self, width: int, hidden: int, n_level: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, hidden)
        self.level = nn.Linear(n_level, hidden, bias=False)
        self.leave = nn.Linear(hidden, width)

    def forward(self, h: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """(B, width) from h (B, width) and the embedding `level` (B, n_level)."""
        return h + self.leave(functional.silu(self.enter(self.norm(h)) + self.level(level)))


class Denoiser(nn.Module):
    """The network F and the two denoised readings of it, means for numbers and log-probabilities for categories."""

    def __init__(
        self,
        layout: Layout,
        hidden_layer_sizes: tuple[int, ...],
        n_frequencies: int,
        prior: MixturePrior | None = None,
    ) -> None:
        super().__init__()
        self.layout, self.prior = layout, prior
        width = hidden_layer_sizes[0]
        self.periodic = PeriodicFeatures(layout.n_numeric, n_frequencies)
        n_inputs = self.periodic.n_outputs + len(layout.coded) + 3 * layout.n_blocks
        self.enter = nn.Linear(n_inputs, width)
        self.level_features = nn.Linear(2 * LEVEL_FEATURES, 64)
        self.blocks = nn.ModuleList(ResidualBlock(width, n, 64) for n in hidden_layer_sizes)
        self.norm = nn.LayerNorm(width)
        # at least one: torch warns of layers without weights, which a table of one wide column would have
        self.leave = nn.Linear(width, max(1, layout.n_numeric + len(layout.narrow.block_of_category)))
        self.wide = nn.ModuleList(WideHead(width, column) for column in layout.wide)

    def network(
        self, x: torch.Tensor, row_level: torch.Tensor, sigma: torch.Tensor, evidence: torch.Tensor
    ) -> torch.Tensor:
        """The last hidden layer (B, width), of the arguments of `forward` and the evidence of narrow columns."""
        layout = self.layout
        c_in = torch.where(sigma < UNKNOWN, (sigma**2 + 1).rsqrt(), 0.0)
        x = x * c_in.index_select(1, layout.block_of_column)
        known, unknown = sigma == 0, sigma >= UNKNOWN
        offset = (sigma.clamp_min(1e-3) / row_level[:, None]).log().masked_fill(known | unknown, 0.0) / 4
        level = self._level_embedding(row_level)
        if layout.narrow.n_columns:
            own = layout.narrow.by_column(evidence).log_softmax(-1)
            x = x.index_copy(1, layout.narrow.coded, layout.narrow.mean_codes(own))
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

    def _level_embedding(self, row_level: torch.Tensor) -> torch.Tensor:
        """(B, 64) of the levels (B,) of the rows."""
        octaves = torch.arange(LEVEL_FEATURES, device=row_level.device, dtype=row_level.dtype)
        angle = row_level.log()[:, None] / 4 * 2 ** (octaves / 4)
        return functional.silu(self.level_features(torch.cat([angle.sin(), angle.cos()], 1)))

    def forward(
        self, x: torch.Tensor, row_level: torch.Tensor, sigma: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Denoised numbers (B, n_numeric), and log-probabilities of categories.

        `x` (B, p) noised rows, `row_level` (B,) their noise level, `sigma` (B, n_blocks) those of their columns.
        The log-probabilities are those of the narrow columns, then logits of each wide one (`categories.py`).
        """
        layout = self.layout
        evidence = layout.narrow.evidence(x, sigma)
        h = self.network(x, row_level, sigma, evidence)
        out = self.leave(h)
        means, evidence = self.without_network(x, sigma, evidence)
        c_out = preconditioning(sigma.index_select(1, layout.numeric_block))[1]
        means = means + c_out * out[:, : layout.n_numeric]
        narrow = layout.narrow.log_posterior(out[:, layout.n_numeric :], evidence)
        wide = [head(column, h, x, sigma) for head, column in zip(self.wide, layout.wide, strict=True)]
        return means, [narrow, *wide]

    @property
    def is_untrained(self) -> bool:
        """Whether the network adds nothing to the numbers, as before training."""
        n_numeric = self.layout.n_numeric
        return not (self.leave.weight[:n_numeric].any() or self.leave.bias[:n_numeric].any())

    def without_prior(self) -> Denoiser:
        """The same network, which corrects nothing."""
        out = copy(self)
        out.prior = None
        return out

    def without_network(
        self, x: torch.Tensor, sigma: torch.Tensor, evidence: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Means of the numbers (B, n_numeric) and the evidence of narrow columns, by the mixture if there is one."""
        layout = self.layout
        level, numbers = sigma.index_select(1, layout.numeric_block), x.index_select(1, layout.numeric)
        means = preconditioning(level)[0] * numbers
        if self.prior is None:
            return means, evidence
        likelihoods = evidence - layout.narrow.log_frequencies
        of_mixture, log_prior = self.prior(numbers, level, likelihoods)
        if log_prior is not None:
            evidence = evidence.lerp(log_prior + likelihoods, self.prior.weight_of_category)
        return means.lerp(of_mixture, self.prior.weight), evidence


def log_probability_of_categories(
    layout: Layout, log_probabilities: list[torch.Tensor], x_0: torch.Tensor
) -> torch.Tensor:
    """Log-probability (B, n_blocks) of the categories that clean rows x_0 have; zero for numbers."""
    narrow, *wide = log_probabilities
    out = x_0.new_zeros(len(x_0), layout.n_blocks)
    if layout.narrow.n_columns:
        out = out.index_copy(1, layout.narrow.block, layout.narrow.log_probability_of(x_0, narrow))
    for column, values in zip(layout.wide, wide, strict=True):
        out = out.index_copy(1, column.block, column.log_probability_of(x_0, values))
    return out


def probabilities_of(layout: Layout, log_probabilities: list[torch.Tensor]) -> dict[int, torch.Tensor]:
    """Probabilities (B, n_categories) of the categories of every categorical column, by the index of its block."""
    narrow, *wide = log_probabilities
    blocks, sizes = layout.narrow.block.tolist(), layout.narrow.n_categories
    out = {block: narrow[:, i, :n].exp() for i, (block, n) in enumerate(zip(blocks, sizes, strict=True))}
    out.update({int(column.block): values.softmax(-1) for column, values in zip(layout.wide, wide, strict=True)})
    return out


def _draw_frequencies(n_numeric: int, n_frequencies: int, generator: torch.Generator) -> torch.Tensor:
    """Frequencies of each column, one in each of n_frequencies strata of FREQUENCY_RANGE, log-uniform."""
    low, high = (math.log(f) for f in FREQUENCY_RANGE)
    u = torch.rand(n_numeric, n_frequencies, generator=generator, device=generator.device, dtype=torch.float32)
    strata = torch.arange(n_frequencies, device=generator.device)
    return torch.exp(low + (high - low) * (strata + u) / n_frequencies)


def initialise(model: Denoiser, generator: torch.Generator) -> None:
    """Draw the weights; the layers that end a branch start at zero: D starts as it is without the network."""
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
                n_numeric, n_frequencies = module.frequencies.shape
                module.frequencies.copy_(_draw_frequencies(n_numeric, n_frequencies, generator))
        model.leave.weight.zero_()
        for module in model.modules():
            if isinstance(module, ResidualBlock):
                module.leave.weight.zero_()
            elif isinstance(module, WideHead):
                module.categories.weight.zero_()


def denoise(model: Denoiser, x: torch.Tensor, row_level: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """E[x_0 | x_t], (B, p): means for numbers, mean codes for categories."""
    means, log_probabilities = model(x, row_level, sigma)
    return denoised_rows(model.layout, x, means, log_probabilities)


def denoised_rows(
    layout: Layout, x: torch.Tensor, means: torch.Tensor, log_probabilities: list[torch.Tensor]
) -> torch.Tensor:
    """E[x_0 | x_t], (B, p), of what the denoiser makes of rows x."""
    out = torch.empty_like(x)
    out[:, layout.numeric] = means
    narrow, *wide = log_probabilities
    if layout.narrow.n_columns:
        out[:, layout.narrow.coded] = layout.narrow.mean_codes(narrow)
    for column, values in zip(layout.wide, wide, strict=True):
        out[:, column.columns] = column.mean_codes(values)
    return out


def denoising_loss(
    model: Denoiser, x_0: torch.Tensor, row_level: torch.Tensor, sigma: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """Loss of every column of every row, (B, n_blocks), zero where the column is known."""
    layout = model.layout
    x = x_0 + noise * sigma.index_select(1, layout.block_of_column)
    means, log_probabilities = model(x, row_level, sigma)
    c_out = preconditioning(sigma.index_select(1, layout.numeric_block))[1]
    error = (means - x_0.index_select(1, layout.numeric)) / c_out.clamp_min(1e-6)
    loss = -log_probability_of_categories(layout, log_probabilities, x_0)
    loss = loss.index_copy(1, layout.numeric_block, error**2)
    return loss.masked_fill(sigma == 0, 0.0)
