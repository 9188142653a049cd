"""The two factors of the log-density of clean encoded rows: log p(numbers) and log p(categories | numbers).

log p(numbers) comes from the probability-flow ODE with all categories unknown, see `solvers.log_density_change`;
log p(categories | numbers) from the posteriors of the denoiser, one column at a time, each given those before it (the
chain rule). Cells that are unknown take part in neither, so that the density is the marginal of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch

from . import solvers
from .denoiser import Denoiser, denoise, log_probability_of_categories
from .noise import UNKNOWN, preconditioning, unknown_or_known
from .prior import MixturePrior

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
        seen = (~unknown[:, self.blocks]).to(x)
        at = Levels(unknown | self.model.layout.is_categorical, self.smallest_level)
        noised, change = solvers.log_density_change(
            partial(_denoised, self.model, at),
            partial(self._with_diagonal, at, seen),
            x,
            self.grid,
            self._columns,
            seen,
            self.smallest_level[self.blocks],
        )
        return noised[:, self._columns], change

    @cached_property
    def _columns(self) -> torch.Tensor:
        return self.model.layout.start[self.blocks]

    @cached_property
    def _directions(self) -> torch.Tensor | None:
        return probes(len(self.blocks), self.grid)

    @cached_property
    def _is_prior_alone(self) -> bool:
        prior = self.model.prior
        return prior is not None and prior.weight == 1 and self.model.is_untrained

    @cached_property
    def _without_prior(self) -> Denoiser:
        return self.model.without_prior()

    def _with_diagonal(
        self, at: Levels, seen: torch.Tensor, x: torch.Tensor, level: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Denoised numbers (B, k), and the derivative of each by its own noised number where it is `seen`."""
        model = self.model
        if model.prior is None:
            return self._by_network(model, at, seen, x, level)
        means, entries = self._by_prior(model.prior, at, x, level)
        if self._is_prior_alone:
            return means, entries * seen
        rest, of_rest = self._by_network(self._without_prior, at, seen, x, level)
        sigma = at.of_rows(x, level).index_select(1, self.blocks)
        skip, weight = preconditioning(sigma)[0], model.prior.weight
        return rest + weight * (means - skip * x[:, self._columns]), of_rest + weight * (entries - skip) * seen

    def _by_network(
        self, model: Denoiser, at: Levels, seen: torch.Tensor, x: torch.Tensor, level: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same of a model without a mixture, by differentiation."""
        return solvers.diagonal(partial(_denoised, model, at), x, level, self._columns, self._directions, seen)

    def _by_prior(
        self, prior: MixturePrior, at: Levels, x: torch.Tensor, level: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same of a mixture, in closed form."""
        layout = self.model.layout
        sigma = at.of_rows(x, level).index_select(1, layout.numeric_block)
        which = torch.searchsorted(layout.numeric_block, self.blocks)
        with torch.no_grad():
            means, entries = prior.with_diagonal(x.index_select(1, layout.numeric), sigma)
        return means[:, which], entries[:, which]


@dataclass(frozen=True)
class Levels:
    """The levels of columns: unknown cells (B, n_blocks) are not seen, others do not go below their smallest level."""

    unknown: torch.Tensor
    smallest: torch.Tensor

    def of_rows(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """(B, n_blocks) at the level of the rows x."""
        return torch.where(self.unknown, UNKNOWN, torch.maximum(level.expand(len(x))[:, None], self.smallest))


def _denoised(model: Denoiser, at: Levels, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """D(x; level), (B, p)."""
    return denoise(model, x, level.expand(len(x)), at.of_rows(x, level))


def probes(n_columns: int, x: torch.Tensor) -> torch.Tensor | None:
    """None, for the exact trace, up to MAX_EXACT_TRACE columns; fixed random signs above, (n_probes, n_columns)."""
    if n_columns <= MAX_EXACT_TRACE:
        return None
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (MAX_EXACT_TRACE, n_columns))
    return torch.as_tensor(signs, dtype=x.dtype, device=x.device)
