"""Steps of the reverse process, and the log-density along it.

The probability-flow ODE of the variance-exploding process is dx = (x - D(x; sigma)) / sigma d sigma. In the
angle phi = arctan(sigma) and the rotated state u = x / sqrt(1 + sigma^2) it reads du = -F d phi, where F is what
the preconditioned network puts out (D = c_skip x + c_out F for sigma_data = 1; "velocity" in Salimans & Ho 2022,
"Progressive distillation for fast sampling of diffusion models", appendix D). F vanishes for a standard normal
column, so the steps are exact there; solvers that hold D constant instead inflate the variance of such a
column.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Denoise = Callable[[torch.Tensor], torch.Tensor]  # x -> E[x_0 | x]
DenoiseAt = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # x, noise level -> E[x_0 | x]
# x, noise level -> columns of E[x_0 | x], and the derivative of each by its own x
WithDiagonal = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
# x, noise level -> x with some columns clean, E[x_0 | x] then, and the columns that still move
Read = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]

DIFFERENCE = 0.1  # of the level, between the two ends of a difference
LANCZOS_STEPS = 4
TINY = 1e-30


def velocity(denoised: torch.Tensor, u: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """F, from the denoised value and the rotated state u at the level tan(angle)."""
    return (denoised - torch.cos(angle) * u) / torch.sin(angle)


def multistep(
    u: torch.Tensor,
    f: torch.Tensor,
    f_previous: torch.Tensor | None,
    h: torch.Tensor,
    h_previous: torch.Tensor | None,
) -> torch.Tensor:
    """One Adams-Bashforth step of u by the angle h, second order; first order where there is no `f_previous`."""
    if f_previous is not None and h_previous is not None:
        f = f + h / (2 * h_previous).clamp_min(1e-12) * (f - f_previous)
    return u + h * f


def reverse(
    denoise: DenoiseAt,
    x: torch.Tensor,
    grid: torch.Tensor,
    moving: torch.Tensor,
    noise: torch.Tensor | float = 0.0,
    probe: torch.Tensor | None = None,
    read: Read | None = None,
    record: Callable[[torch.Tensor], None] = lambda x: None,
) -> torch.Tensor:
    """From x at the level grid[0] down to D(x; grid[-1]).

    A column with measurement noise goes down to the level of that noise only, because there is no cleaner row to learn
    from; clean values are then sampled given the noised ones, see `draw_clean`.

    Parameters
    ----------
    denoise : callable(x, level) -> E[x_0 | x], level a number of the grid
    x : tensor (B, p)
    grid : tensor of decreasing levels, (n_steps + 1,)
    moving : tensor (p,) or (B, p) of bool, False where the column is a condition and stays as it is
    noise : tensor (p,), the level of the measurement noise of each column, or 0.0 for none
    probe : tensor (B, p) of standard normals, for columns with noise
    read : callable(x, level), which denoises as well, and reads categories on the way; None for none
    record : callable(x), called with the state at every level of the grid, once what is read there is read
    """
    noise = torch.as_tensor(noise, dtype=x.dtype, device=x.device)
    levels = grid[:, None].clamp_min(noise)  # of each column
    angles = torch.arctan(levels)
    steps = angles[:-1] - angles[1:]
    f_previous = None

    def at(x: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return (x, denoise(x, level), moving) if read is None else read(x, level)

    for i, h in enumerate(steps):
        x, denoised, moving = at(x, grid[i])
        record(x)
        u = x * torch.cos(angles[i])
        f = velocity(denoised, u, angles[i])
        last = i == len(steps) - 1
        u = multistep(u, f, None if last else f_previous, h, steps[i - 1])
        x = torch.where(moving, u / torch.cos(angles[i + 1]), x)
        f_previous = f
    record(x)
    if probe is None:
        x, denoised, moving = at(x, grid[-1])
        return torch.where(moving, denoised, x)
    probe = torch.where(moving, probe, 0.0)  # what is known has no distribution to draw from
    return torch.where(moving, draw_clean(lambda x: at(x, grid[-1])[1], x, levels[-1], noise, probe), x)


def clean_mean(
    denoised: torch.Tensor, x: torch.Tensor, level: torch.Tensor | float, noise: torch.Tensor | float
) -> torch.Tensor:
    """E[clean row | x] for rows seen with the noise s = `noise` and t = `level` added to them.

    The score at the level sigma = sqrt(s^2 + t^2) is (D - x) / t^2, with D the expectation of the row seen, so that
    Tweedie's formula reads x + (1 + s^2 / t^2) (D - x) (Daras et al. 2023, "Ambient diffusion").
    """
    return denoised + (noise / level) ** 2 * (denoised - x)


def draw_clean(
    denoise: Denoise, x: torch.Tensor, level: torch.Tensor, noise: torch.Tensor, probe: torch.Tensor
) -> torch.Tensor:
    """A draw of the clean row given x: its mean m(x), and normal noise of its covariance where a column has noise.

    The covariance is sigma^2 J, J the Jacobian of m (Efron 2011, "Tweedie's formula and selection bias"; second order),
    which comes from differences of m. With a standard normal e, sigma J^(1/2) e has it.
    """
    sigma = (level**2 + noise**2).sqrt()
    mean = clean_mean(denoise(x), x, level, noise)

    def along(direction: torch.Tensor) -> torch.Tensor:
        step = torch.where(noise > 0, DIFFERENCE * sigma * direction, 0.0)
        ends = [clean_mean(denoise(x + sign * step), x + sign * step, level, noise) for sign in (1, -1)]
        return torch.where(noise > 0, (ends[0] - ends[1]) / (2 * DIFFERENCE * sigma), 0.0)

    return mean + sigma * root_times(along, torch.where(noise > 0, probe, 0.0))


def root_times(along: Denoise, vectors: torch.Tensor, n_steps: int = LANCZOS_STEPS) -> torch.Tensor:
    """J^(1/2) v for vectors (B, p), each row with a symmetric J, given `along`: directions (B, p) -> J times them.

    By Lanczos's method: as the root of J in the space of v, J v, J^2 v, ... (Chow & Saad 2014, "Preconditioned Krylov
    subspace methods for sampling multivariate Gaussian distributions"). Exact where J is positive and has as many
    different eigenvalues as there are steps.

    A covariance has no negative eigenvalues, a network's Jacobian may have. The most negative one, -c, tells how far
    off eigenvalues are: v stands for (v^2 - c^2) / v where it is above c and for 0 elsewhere (a shrinkage as in Gavish
    & Donoho 2017, "Optimal shrinkage of singular values").
    """
    length = vectors.norm(dim=1, keepdim=True).clamp_min(TINY)
    basis, tridiagonal = [vectors / length], vectors.new_zeros(len(vectors), n_steps, n_steps)
    for k in range(n_steps):
        image = along(basis[k])
        for j, direction in enumerate(basis):
            part = (image * direction).sum(dim=1)
            image = image - part[:, None] * direction
            if j == k:
                tridiagonal[:, k, k] = part
        size = image.norm(dim=1)
        if k + 1 < n_steps:
            tridiagonal[:, k, k + 1] = tridiagonal[:, k + 1, k] = size
            basis.append(image / size[:, None].clamp_min(TINY))
    values, axes = torch.linalg.eigh(tridiagonal)
    error, values = (-values[:, :1]).clamp_min(0), values.clamp_min(TINY)
    roots = (values - error**2 / values).clamp_min(0).sqrt()
    weights = axes @ (roots[:, :, None] * axes[:, :1].mT)
    return length * (weights.mT @ torch.stack(basis, dim=1))[:, 0]


def diagonal(
    denoise: DenoiseAt,
    x: torch.Tensor,
    sigma: torch.Tensor,
    columns: torch.Tensor,
    probes: torch.Tensor | None,
    seen: torch.Tensor | float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """D(x) and the diagonal of its Jacobian over the seen `columns` of each row, exact where `probes` is None.

    Otherwise Hutchinson's estimate with the given probes (n_probes, len(columns)) of +-1, the same for every row.
    """
    directions = torch.eye(len(columns), dtype=x.dtype, device=x.device) if probes is None else probes
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        denoised = denoise(x, sigma)[:, columns]
        entries = torch.zeros_like(denoised)
        for direction in directions:
            along = (denoised * seen) @ direction
            (gradient,) = torch.autograd.grad(along, x, torch.ones_like(along), retain_graph=True)
            entries += gradient[:, columns] * seen * direction
    return denoised.detach(), entries.detach() / (1 if probes is None else len(probes))


def log_density_change(
    denoise: DenoiseAt,
    with_diagonal: WithDiagonal,
    x: torch.Tensor,
    grid: torch.Tensor,
    columns: torch.Tensor,
    seen: torch.Tensor | float = 1.0,
    noise: torch.Tensor | float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Carry x up the probability-flow ODE, from the level grid[0] to grid[-1], over `columns`.

    `with_diagonal` makes of x and a level the denoised columns and the diagonal of their Jacobian, see `diagonal`.
    `seen` (B, len(columns)) is 1 for the cells whose density is meant and 0 for those that `denoise` does not know.
    Returns x at grid[-1] and log p(x; grid[0]) - log p(x; grid[-1]). In s = log sigma the flow is
    dx/ds = x - D(x), integrated exactly for a D that is linear in s between two levels, its second value taken
    at a predicted x; d log p / ds = -div(x - D) (instantaneous change of variables, Chen et al. 2018, "Neural
    ordinary differential equations", theorem 1) by the trapezoidal rule. A column with measurement noise,
    `noise` (len(columns),), stays at the level of the noise until the grid has come up to it.
    """
    change = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    denoised, entries = with_diagonal(x, grid[0])
    levels = grid[:, None].clamp_min(noise)
    for sigma_next, low, high in zip(grid[1:], levels[:-1], levels[1:], strict=True):
        ratio, h = high / low, torch.log(high / low)
        ahead = x.clone()
        ahead[:, columns] = ratio * x[:, columns] - (ratio - 1) * denoised
        with torch.no_grad():
            slope = denoise(ahead, sigma_next)[:, columns] - denoised
        x = ahead
        x[:, columns] -= torch.where(h > 0, (ratio - 1) / h - 1, 0.0) * slope
        previous = entries
        denoised, entries = with_diagonal(x, sigma_next)
        change += (h * (seen - (previous + entries) / 2)).sum(1)
    return x, change
