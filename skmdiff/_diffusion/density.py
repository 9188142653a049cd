"""The two factors of the log-density of clean encoded rows: log p(numbers) and log p(categories | numbers).

log p(numbers) comes from the probability-flow ODE with all categories unknown, see `solvers.log_density_change`;
log p(categories | numbers) from the posteriors of the denoiser, one column at a time, each given those before it (the
chain rule). Cells that are unknown take part in neither, so that the density is the marginal of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from . import solvers
from .denoiser import Denoiser, denoise, log_probability_of_categories
from .noise import UNKNOWN, unknown_or_known

MAX_EXACT_TRACE = 16


def log_probability_of_known(model: Denoiser, x: torch.Tensor, unknown: torch.Tensor, level: float) -> torch.Tensor:
    """Sum (B,) of log p(category | numbers, categories before it) over the categories that are not unknown.

    Parameters
    ----------
    x : (B, p) clean rows
    unknown : (B, n_blocks) of bool
    level : the level of the rows; all their columns are known or unknown
    """
    is_categorical = model.layout.is_categorical
    row_level = x.new_full((len(x),), level)
    sigma = unknown_or_known(is_categorical | unknown, x.dtype)
    total = x.new_zeros(len(x))
    with torch.no_grad():
        for block in torch.nonzero(is_categorical).flatten().tolist():
            if not unknown[:, block].all():
                found = log_probability_of_categories(model.layout, model(x, row_level, sigma)[1], x)
                total += torch.where(unknown[:, block], 0.0, found[:, block])
                sigma[:, block] = unknown_or_known(unknown[:, block], x.dtype)
    return total


@dataclass(frozen=True)
class NumbersFlow:
    """The flow that carries clean numbers up to the noise level of the starts.

    blocks : (k,) indices of the blocks of the numbers
    grid : (n_steps + 1,) increasing levels
    smallest_level : (n_blocks,) level that each column does not go below
    """

    model: Denoiser
    blocks: torch.Tensor
    grid: torch.Tensor
    smallest_level: torch.Tensor

    def up(self, x: torch.Tensor, unknown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Numbers (B, k) of rows x (B, p) at the last level, and the change (B,) of log-density on the way.

        Cells that are `unknown` (B, n_blocks) count for nothing.
        """
        columns = self.model.layout.start[self.blocks]
        seen = (~unknown[:, self.blocks]).to(x)
        noised, change = solvers.log_density_change(
            self._denoiser(unknown | self.model.layout.is_categorical),
            x,
            self.grid,
            columns,
            probes(len(columns), x),
            seen,
            self.smallest_level[self.blocks],
        )
        return noised[:, columns], change

    def _denoiser(self, unknown: torch.Tensor) -> solvers.DenoiseAt:
        """D(x; level): unknown cells (B, n_blocks) are not seen, the others are at the level or at their smallest."""

        def denoiser(x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
            row_level = level.expand(len(x))
            sigma = torch.where(unknown, UNKNOWN, torch.maximum(row_level[:, None], self.smallest_level))
            return denoise(self.model, x, row_level, sigma)

        return denoiser


def probes(n_columns: int, x: torch.Tensor) -> torch.Tensor | None:
    """None, for the exact trace, up to MAX_EXACT_TRACE columns; fixed random signs above, (n_probes, n_columns)."""
    if n_columns <= MAX_EXACT_TRACE:
        return None
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (MAX_EXACT_TRACE, n_columns))
    return torch.as_tensor(signs, dtype=x.dtype, device=x.device)
