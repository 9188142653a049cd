"""Noise levels: the grid of the sampler, the draw of the training, the preconditioning.

A row of the encoded table is x_0 (p columns, each of variance about sigma_data = 1). Its noised version at the
level sigma is x_t = x_0 + sigma * eps, eps ~ N(0, I) (variance exploding, Karras et al. 2022, "Elucidating the
design space of diffusion-based generative models", EDM below). Every column of the table has a level of its own:

* 0: the column is known, it is a condition;
* the level of its row: the column is being generated;
* UNKNOWN, above any level of a row: nothing is known of the column, the denoiser sees a zero in its place;
* anything between: the column is known up to noise of that standard deviation.
"""

import numpy as np
import torch

LOG_SIGMA_MEAN, LOG_SIGMA_STD = -1.2, 1.5
UNKNOWN = 100.0


def karras_grid(sigma_start, sigma_min, n_steps, rho=7.0):
    """Decreasing levels sigma_start = s_0 > ... > s_n_steps = sigma_min (EDM, equation 5)."""
    ramp = np.linspace(0.0, 1.0, n_steps + 1)
    grid = (sigma_start ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_start ** (1 / rho))) ** rho
    grid[0], grid[-1] = sigma_start, sigma_min
    return grid


def preconditioning(sigma):
    """c_skip, c_out, c_in of EDM (table 1) for sigma_data = 1; `sigma` a tensor of any shape."""
    total = sigma**2 + 1
    return 1 / total, sigma * total.rsqrt(), total.rsqrt()


def draw_levels(n_rows, sigma_min, sigma_max, generator):
    """One level a row, log-normal cut to [sigma_min, sigma_max], stratified over the rows.

    The n_rows quantiles are one a stratum of equal mass (low discrepancy): the loss of a batch then varies
    less than with independent draws, at no cost. Their order is random, so that rows with special tasks, which
    come first in a batch, see every level.
    """
    normal = torch.distributions.Normal(LOG_SIGMA_MEAN, LOG_SIGMA_STD)
    low, high = (float(normal.cdf(torch.tensor(np.log(s)))) for s in (sigma_min, sigma_max))
    strata = torch.randperm(n_rows, generator=generator, device=generator.device)
    u = (strata + torch.rand(n_rows, generator=generator, device=generator.device)) / n_rows
    return normal.icdf(low + (high - low) * u.clamp(1e-6, 1 - 1e-6)).exp()
