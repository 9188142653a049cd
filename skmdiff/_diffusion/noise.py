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
TASKS = 0, 1, 2, 3, 4, 1, 5  # of the rows with a task, in turn; see `draw_column_levels`
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


def draw_column_levels(row_level, is_categorical, target, conditional_share, generator, missing=None):
    """The level of every column of every row of a batch, (n_rows, n_blocks).

    Most rows share one level over their columns: that is what sampling visits. `conditional_share` of the rows
    learn a conditional distribution instead, by one of these tasks:

    0. a random set of columns known;
    1. a random set known and the others unknown;
    2. categories unknown and numbers noised: their marginal density;
    3. the target known: class-conditional sampling;
    4. a random set at the level of another row;
    5. the target unknown and the others known: prediction.

    Without a target task 3 is 0 and task 5 is 1. Task 2 is a row at one level where the table has numbers only; where
    it has categories only, a random set of them noised and the others unknown.

    Where some `missing` (n_rows, n_blocks) of bool say what rows of the table lack, tasks 1, 2 and 5 also make that
    unknown: the density of a row with gaps. They are not the rows of the batch, since what is unknown must not
    tell fillers from values.
    """
    n_rows, n_blocks, device = len(row_level), len(is_categorical), row_level.device
    sigma = row_level[:, None].repeat(1, n_blocks)
    n_special = int(round(conditional_share * n_rows)) if n_blocks > 1 else 0
    if n_special == 0:
        return sigma

    def uniform(*shape):
        return torch.rand(*shape, generator=generator, device=device, dtype=row_level.dtype)

    known = uniform(n_special, n_blocks) < uniform(n_special, 1)
    task = torch.tensor(TASKS, device=device)[torch.arange(n_special, device=device) % len(TASKS)]
    if target is not None:
        is_target = torch.arange(n_blocks, device=device) == target
        known = torch.where((task == 3)[:, None], is_target, known)
        known = torch.where((task == 5)[:, None], ~is_target, known)
    if bool(is_categorical.any()) and not bool(is_categorical.all()):
        known = torch.where((task == 2)[:, None], ~is_categorical, known)
        numbers_known = (task == 1) & (uniform(n_special) < 0.5)
        known |= numbers_known[:, None] & ~is_categorical
    shared = row_level[:n_special]
    swapped = row_level[torch.randperm(n_rows, generator=generator, device=device)[:n_special]]
    unknown = torch.full_like(shared, UNKNOWN)
    known_level = torch.where(task == 4, swapped, torch.where(task == 2, shared, 0.0))
    hides = (task == 1) | (task == 5)
    other_level = torch.where(hides | (task == 2) & is_categorical.any(), unknown, shared)
    sigma[:n_special] = torch.where(known, known_level[:, None], other_level[:, None])
    if missing is not None:
        hidden = missing[:n_special] & (hides | (task == 2))[:, None]
        sigma[:n_special] = sigma[:n_special].masked_fill(hidden, UNKNOWN)
    return sigma
