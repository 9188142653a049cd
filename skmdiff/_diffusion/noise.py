"""Noise levels: the grid of the reverse process, the draw of the training, the preconditioning.

A row of the encoded table is x_0 (p columns, each of variance about sigma_data = 1). Its noised version at the
level sigma is x_t = x_0 + sigma * eps, eps ~ N(0, I) (variance exploding, Karras et al. 2022, "Elucidating the
design space of diffusion-based generative models", EDM below). Every column of the table has a separate level:

* 0: the column is known, it is a condition;
* the level of its row: the column is being generated;
* UNKNOWN, above any level of a row: nothing is known of the column, the denoiser sees a zero instead;
* anything between: the column is known up to noise of that standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from . import RHO, SIGMA_MIN

# Defaults of solver and training; levels are in standard deviations of a column of the code.
LOG_SIGMA_MEAN, LOG_SIGMA_STD = -1.2, 1.5  # of the levels of training rows; the mean is that of EDM (table 1)
UNKNOWN = 100.0


@dataclass(frozen=True)
class ReverseProcess:
    """The reverse process: from the level sigma_start to sigma_min in n_steps on the grid of curvature rho."""

    sigma_start: float
    n_steps: int
    sigma_min: float = SIGMA_MIN
    rho: float = RHO

    def grid(self) -> np.ndarray:
        """(n_steps + 1,) decreasing levels."""
        return karras_grid(self.sigma_start, self.sigma_min, self.n_steps, self.rho)


def karras_grid(sigma_start: float, sigma_min: float, n_steps: int, rho: float = RHO) -> np.ndarray:
    """Decreasing levels sigma_start = s_0 > ... > s_n_steps = sigma_min, (n_steps + 1,) (EDM, equation 5)."""
    ramp = np.linspace(0.0, 1.0, n_steps + 1)
    grid = (sigma_start ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_start ** (1 / rho))) ** rho
    grid[0], grid[-1] = sigma_start, sigma_min
    return grid


def preconditioning(sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """c_skip, c_out, c_in of EDM (table 1) for sigma_data = 1; `sigma` a tensor of any shape."""
    total = sigma**2 + 1
    return 1 / total, sigma * total.rsqrt(), total.rsqrt()


def unknown_or_known(is_unknown: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Levels of columns that are unknown or known, of the shape of `is_unknown`."""
    return UNKNOWN * is_unknown.to(dtype)


def draw_levels(n_rows: int, sigma_min: float, sigma_max: float, generator: torch.Generator) -> torch.Tensor:
    """One level a row, (n_rows,), log-normal cut to [sigma_min, sigma_max], stratified over the rows.

    The n_rows quantiles are one a stratum of equal mass (low discrepancy): the loss of a batch then varies
    less than with independent draws, at no cost. Their order is random, so that rows with special tasks, which
    come first in a batch, see every level.
    """
    normal = torch.distributions.Normal(_scalar(LOG_SIGMA_MEAN), _scalar(LOG_SIGMA_STD))
    ends = [torch.tensor(np.log(sigma), dtype=torch.float64, device="cpu") for sigma in (sigma_min, sigma_max)]
    low, high = (float(normal.cdf(end)) for end in ends)
    strata = torch.randperm(n_rows, generator=generator, device=generator.device)
    u = (strata + torch.rand(n_rows, generator=generator, device=generator.device, dtype=torch.float32)) / n_rows
    return normal.icdf(low + (high - low) * u.clamp(1e-6, 1 - 1e-6)).exp()


def _scalar(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float32, device="cpu")
