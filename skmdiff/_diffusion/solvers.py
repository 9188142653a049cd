"""Steps of the reverse process, and the log-density along it.

The probability-flow ODE of the variance-exploding process, dx = (x - D(x; sigma)) / sigma d sigma, is linear in x
given D. In h = log(sigma / sigma') it is integrated exactly for a D that is linear in log sigma between two
levels, which is the second-order multistep rule of Lu et al. 2022, "DPM-Solver++", algorithm 2 (x_0 prediction).
"""

import torch


def multistep(x, denoised, previous, sigma, sigma_next, h_previous):
    """One step sigma -> sigma_next of DPM-Solver++(2M); first order where there is no `previous` estimate."""
    ratio = sigma_next / sigma
    if previous is not None:
        h = -torch.log(ratio)
        denoised = denoised + h / (2 * h_previous) * (denoised - previous)
    return ratio * x + (1 - ratio) * denoised


def reverse(denoise, x, grid, moving):
    """From x at the level grid[0] down to D(x; grid[-1]).

    Parameters
    ----------
    denoise : callable(x, level) -> E[x_0 | x], level a number of the grid
    x : tensor (B, p)
    grid : tensor of decreasing levels, (n_steps + 1,)
    moving : tensor (p,) of bool, False where the column is a condition and stays as it is
    """
    previous = h_previous = None
    for i in range(len(grid) - 1):
        denoised = denoise(x, grid[i])
        last = i == len(grid) - 2
        step = multistep(x, denoised, None if last else previous, grid[i], grid[i + 1], h_previous)
        x = torch.where(moving, step, x)
        previous, h_previous = denoised, torch.log(grid[i] / grid[i + 1])
    return torch.where(moving, denoise(x, grid[-1]), x)


def divergence(denoise, x, sigma, columns, probes):
    """D(x) and the trace of its Jacobian over `columns`, exact where `probes` is None.

    Otherwise Hutchinson's estimate with the given probes (n_probes, len(columns)) of +-1, the same for every row.
    """
    directions = torch.eye(len(columns), dtype=x.dtype, device=x.device) if probes is None else probes
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        denoised = denoise(x, sigma)[:, columns]
        trace = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for direction in directions:
            (gradient,) = torch.autograd.grad(denoised @ direction, x, torch.ones_like(trace), retain_graph=True)
            trace += gradient[:, columns] @ direction
    return denoised.detach(), trace / (1 if probes is None else len(probes))


def log_density_change(denoise, x, grid, columns, probes):
    """Carry x up the probability-flow ODE, from the level grid[0] to grid[-1], over `columns`.

    Returns x at grid[-1] and log p(x; grid[0]) - log p(x; grid[-1]). In s = log sigma the flow is
    dx/ds = x - D(x), integrated exactly for a D that is linear in s between two levels, its second value taken
    at a predicted x; d log p / ds = -div(x - D) (instantaneous change of variables, Chen et al. 2018, "Neural
    ordinary differential equations", theorem 1) by the trapezoidal rule.
    """
    change = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    denoised, trace = divergence(denoise, x, grid[0], columns, probes)
    for sigma, sigma_next in zip(grid[:-1], grid[1:], strict=True):
        ratio, h = sigma_next / sigma, torch.log(sigma_next / sigma)
        ahead = x.clone()
        ahead[:, columns] = ratio * x[:, columns] - (ratio - 1) * denoised
        with torch.no_grad():
            slope = denoise(ahead, sigma_next)[:, columns] - denoised
        x = ahead
        x[:, columns] -= ((ratio - 1) / h - 1) * slope
        previous = trace
        denoised, trace = divergence(denoise, x, sigma_next, columns, probes)
        change += h * (len(columns) - (previous + trace) / 2)
    return x, change
