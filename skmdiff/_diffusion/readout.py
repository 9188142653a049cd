"""Categories read on the way down, one after another, each given those read before.

At a level of the reverse process the denoiser knows the posterior p(c | x_t) of every category. A category drawn from
it and put, clean, in the place of its noised code leaves a row of the right joint distribution: it looks like a row of
the table with c known and the others noised, which training has seen (`tasks`). Then the next one is drawn given the
first, and so on: the chain rule, in any order of the columns. Read all at once, at the end, categories would be
independent given x_t, and what x_t leaves in doubt would not fit together. Columns that are read at once are
independent as well: so each row reads first what is most certain, for which that makes no difference, and last what is
in doubt, with all else known (as masked generators order their tokens, Chang et al. 2022, "MaskGIT").

Reading begins at the level READ_FROM: above, little is known of the row, and chains of conditional distributions add
their errors up. Each reading takes one evaluation of the network: its result is what the numbers go on by.
"""

from __future__ import annotations

import numpy as np
import torch

from .categories import NarrowColumns
from .denoiser import Denoiser, Layout, denoised_rows

READ_FROM = 0.6
READ_FRACTION = 0.3  # readings to the steps of the solver, at most
CERTAIN = 0.999  # a probability that is as good as 1: all such categories are read at once


def plan_readings(grid: np.ndarray, n_columns: int) -> dict[float, list[int]]:
    """For a level of the grid (n_steps + 1,) how many of n_columns categories are known after each reading there."""
    n_steps = len(grid) - 1
    n_readings = min(n_columns, max(1, round(READ_FRACTION * n_steps)))
    low = np.flatnonzero(grid[:-1] <= READ_FROM)
    steps = low[:n_readings] if low.size else np.array([n_steps - 1])
    known = np.ceil(n_columns * np.arange(1, n_readings + 1) / n_readings).astype(int)
    parts = np.array_split(known, len(steps))
    return {float(np.float32(grid[i])): part.tolist() for i, part in zip(steps, parts, strict=True)}


def draw_categories(probabilities: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """Categories (...,) at fractions u (...,) of the cumulated probabilities (..., n_categories)."""
    ends = probabilities.cumsum(-1)
    index = (ends <= u[..., None] * ends[..., -1:]).sum(-1)
    return index.clamp_max(probabilities.shape[-1] - 1)


class Reader:
    """Denoises rows (B, p), and reads their categories at some of the levels.

    Parameters
    ----------
    known : (n_blocks,) or (B, n_blocks) of bool, columns that are conditions
    noise : (n_blocks,) measurement noise, below which a column has no level
    u : (B, n_blocks) uniform numbers, which say what is read
    readings : of `plan_readings`
    """

    def __init__(
        self,
        model: Denoiser,
        known: torch.Tensor,
        noise: torch.Tensor,
        u: torch.Tensor,
        readings: dict[float, list[int]],
    ) -> None:
        self.model, self.noise, self.u, self.readings = model, noise, u, readings
        self.known = known.expand(u.shape).clone()

    def __call__(self, x: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rows x at a level with more of their categories read, what is expected of them, and what still moves."""
        means, log_probabilities = self._evaluate(x, level)
        for n_known in self.readings.get(float(level), []):
            x = self._read(x, log_probabilities, n_known)
            means, log_probabilities = self._evaluate(x, level)
        denoised = denoised_rows(self.model.layout, x, means, log_probabilities)
        return x, denoised, ~self.known[:, self.model.layout.block_of_column]

    def _evaluate(self, x: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        row_level = level.expand(len(x))
        sigma = torch.where(self.known, 0.0, torch.maximum(row_level[:, None], self.noise))
        return self.model(x, row_level, sigma)

    def _read(self, x: torch.Tensor, log_probabilities: list[torch.Tensor], n_known: int) -> torch.Tensor:
        """Rows x in which at least n_known of the categories are clean, by their probabilities here."""
        layout = self.model.layout
        codes, certainty = self._draw(x, log_probabilities)
        certainty = certainty.masked_fill(self.known & layout.is_categorical, 2.0)
        least = certainty.topk(n_known, dim=1).values[:, -1:].clamp_max(CERTAIN)
        chosen = layout.is_categorical & ~self.known & (certainty >= least)
        self.known = self.known | chosen
        return torch.where(chosen[:, layout.block_of_column], codes, x)

    def _draw(self, x: torch.Tensor, log_probabilities: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows x (B, p) with a category drawn in every column, and its largest probability (B, n_blocks)."""
        layout, (narrow, *wide) = self.model.layout, log_probabilities
        codes, certainty = x.clone(), x.new_full(self.known.shape, -1.0)
        if layout.narrow.n_columns:
            p = narrow.exp()
            index = draw_categories(p, self.u.index_select(1, layout.narrow.block))
            certainty[:, layout.narrow.block] = p.amax(-1)
            codes[:, layout.narrow.coded] = codes_of(layout.narrow, index)
        for column, logits in zip(layout.wide, wide, strict=True):
            p = logits.softmax(-1)
            index = draw_categories(p, self.u.index_select(1, column.block)[:, 0])
            certainty[:, column.block] = p.amax(-1, keepdim=True)
            codes[:, column.columns] = column.codes.index_select(0, index)
        return codes, certainty


def codes_of(narrow: NarrowColumns, index: torch.Tensor) -> torch.Tensor:
    """Codes (B, width of all codes) of the categories (B, n_columns)."""
    is_it = torch.arange(narrow.padded.shape[1], device=index.device) == index[:, :, None]
    return is_it.flatten(1).index_select(1, narrow.in_padded).to(narrow.codes) @ narrow.codes


def has_categories_to_read(layout: Layout, known: torch.Tensor) -> bool:
    """Whether some category of some row is not a condition."""
    return bool((layout.is_categorical & ~known).any())
