"""The door: numpy in, numpy out. Devices, generators and networks are made here and do not leave.

A fitted denoiser is a `DenoiserState` of numpy arrays and plain values; the network is rebuilt from it at each
call, so that pickles, other processes and other devices need nothing special. Rows are always worked on in
whole blocks of BLOCK_ROWS (the last one padded), because the last bits of a matrix product depend on its shape:
the same row of the same block then has the same bits whatever else is asked for.
"""

from dataclasses import dataclass

import numpy as np
import torch

from .._numerics.interrupts import once_to_its_end
from . import solvers
from .denoiser import Denoiser, Layout, denoise, initialise, own_levels, probabilities_of
from .noise import UNKNOWN, karras_grid
from .training import TrainingPlan, train

__all__ = [
    "BLOCK_ROWS",
    "DenoiserState",
    "NetworkShape",
    "TrainingPlan",
    "fit_denoiser",
    "log_density",
    "noise_of_columns",
    "probabilities",
    "remove_noise",
    "sample_block",
]

BLOCK_ROWS = 1024
MAX_EXACT_TRACE = 16
N_PROBES = 8


@dataclass(frozen=True)
class NetworkShape:
    """What it takes, beside the blocks of the table, to build the network."""

    hidden_layer_sizes: tuple
    n_frequencies: int


@dataclass(frozen=True)
class DenoiserState:
    """A trained denoiser as arrays: the blocks of the table, the shape of the network, its weights.

    noise : (n_blocks,) the level of each column's own noise: that of the training rows, removed from what is drawn
    sigma_max : the largest level of training, and that of rows of which columns are known or unknown only
    """

    blocks: list
    shape: NetworkShape
    weights: dict
    device: str
    noise: np.ndarray
    sigma_max: float


def resolve_device(device):
    """The torch device meant by `device`: "auto" takes a GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device must be 'auto' or a torch device such as 'cpu' or 'cuda', got {device!r}.") from error
    n_found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if resolved.type == "cuda" and (resolved.index or 0) >= n_found:
        raise ValueError(
            f"device={device!r} asks for a GPU, but torch finds {n_found or 'none'}; use device='auto' or 'cpu'."
        )
    return resolved


def _build(blocks, shape, device, dtype):
    """The network without weights; made on the meta device, so that no random number is drawn."""
    layout = Layout(blocks, device, dtype)
    with torch.device("meta"):
        model = Denoiser(layout, shape.hidden_layer_sizes, shape.n_frequencies)
    return model.to(dtype).to_empty(device=device)


def _load(state, dtype=torch.float32):
    device = resolve_device("auto" if state.device == "cuda" and not torch.cuda.is_available() else state.device)
    model = _build(state.blocks, state.shape, device, dtype)
    model.load_state_dict({name: torch.as_tensor(value).to(device, dtype) for name, value in state.weights.items()})
    return model.requires_grad_(False)


@once_to_its_end
def _import_for_training() -> None:
    """One step of an optimiser: torch imports much of itself (torch._dynamo, sympy) no earlier than there."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter])
    parameter.grad = torch.zeros(1)
    optimizer.step()


def fit_denoiser(draw_rows, held_out_rows, blocks, shape, plan, *, device, seed, report):
    """Train a denoiser.

    Parameters
    ----------
    draw_rows : callable() -> array (n, p), the encoded training rows; called again for ties drawn anew
    held_out_rows : array (m, p) or None
    blocks : list of Block; shape : NetworkShape; plan : TrainingPlan
    device : str; seed : int; report : callable(history)

    Returns
    -------
    state : DenoiserState
    history : TrainingHistory
    """
    _import_for_training()
    torch_device = resolve_device(device)
    generator = torch.Generator(torch_device).manual_seed(seed)
    model = _build(blocks, shape, torch_device, torch.float32)
    initialise(model, generator)

    def tensor(rows):
        return torch.as_tensor(rows, dtype=torch.float32, device=torch_device)

    rows = tensor(draw_rows())
    redraw_every = max(plan.evaluate_every, len(rows) // plan.batch_size)

    def rows_at(step):
        nonlocal rows
        if step % redraw_every == 0:
            rows = tensor(draw_rows())
        return rows

    held_out = None if held_out_rows is None else tensor(held_out_rows)
    history = train(model, rows_at, held_out, plan, generator, report)
    weights = {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}
    return DenoiserState(blocks, shape, weights, torch_device.type, plan.noise, plan.sigma_max), history


def sample_block(state, x, known, sigma_start, sigma_min, n_steps, rho, probe=None):
    """Run the reverse process on one block of BLOCK_ROWS starts.

    Parameters
    ----------
    x : array (BLOCK_ROWS, p), rows at the level sigma_start; known columns hold their clean values
    known : array (n_blocks,) or (BLOCK_ROWS, n_blocks) of bool, table columns that are conditions, of all rows or each
    probe : array (BLOCK_ROWS, p) of standard normals, where columns have noise

    Returns
    -------
    x : array (BLOCK_ROWS, p), clean rows; a categorical column holds the mean code of its last probabilities
    """
    model = _load(state)
    layout, device = model.layout, model.enter.weight.device
    known = torch.as_tensor(known, device=device)
    grid = torch.as_tensor(karras_grid(sigma_start, sigma_min, n_steps, rho), dtype=torch.float32, device=device)
    least = torch.as_tensor(state.noise, dtype=torch.float32, device=device)
    denoiser = _level_by_level(model, known, least)
    with torch.inference_mode():
        x = torch.as_tensor(x, dtype=torch.float32, device=device)
        probe = None if probe is None else torch.as_tensor(probe, dtype=torch.float32, device=device)
        of_column = layout.block_of_column
        out = solvers.reverse(denoiser, x, grid, ~known[..., of_column], least[of_column], probe)
    return out.double().cpu().numpy()


def probabilities(state, W):
    """Probabilities of the levels of every category given the other columns that are known, one category at a time.

    Works in float64, so that a row's value does not depend on the rows that come with it.

    Parameters
    ----------
    W : array (n, p), NaN where a column is unknown

    Returns
    -------
    probability : dict of array (n, n_levels), by the number of the block
    """
    model = _load(state, torch.float64)
    unknown = np.isnan(W[:, [block.start for block in state.blocks]])
    device = model.enter.weight.device
    out = {b: [] for b, block in enumerate(state.blocks) if block.codes is not None}
    with torch.inference_mode():
        for start in range(0, len(W), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            x = torch.as_tensor(np.nan_to_num(W[rows]), device=device)
            sigma = torch.where(torch.as_tensor(unknown[rows], device=device), UNKNOWN, 0.0).to(x)
            found = model(x, x.new_full((len(x),), state.sigma_max), sigma)[1]
            for b, values in probabilities_of(model.layout, found).items():
                out[b].append(values.cpu().numpy())
    return {b: np.concatenate(parts) for b, parts in out.items()}


def remove_noise(state, W):
    """Rows W (n, p) without their noise: E[clean | row seen], by the denoiser at the level of the noise.

    With as much noise added as a column has of its own (see `solvers.clean_mean`), the mean over N_PROBES additions,
    each with its mirror image, stands for the row. Columns without noise are conditions,
    those of the target, behind the columns of W, are unknown.
    """
    model = _load(state, torch.float64)
    device, p = model.enter.weight.device, W.shape[1]
    noise = torch.as_tensor(state.noise, dtype=torch.float64, device=device)
    hidden = torch.tensor([block.start >= p for block in state.blocks], device=device)
    level = torch.where(hidden, UNKNOWN, noise)
    of_column = model.layout.block_of_column
    padding = len(of_column) - p
    probes = torch.as_tensor(np.random.default_rng(0).standard_normal((N_PROBES, len(of_column))), device=device)
    least = noise[noise > 0].min()
    rows = torch.as_tensor(np.pad(W, ((0, 0), (0, padding))), device=device)
    total = torch.zeros_like(rows)
    with torch.inference_mode():
        for probe in torch.cat([probes, -probes]):
            x = rows + noise[of_column] * probe
            denoised = denoise(model, x, least.expand(len(x)), level.expand(len(x), -1))
            total += solvers.clean_mean(denoised, x, 1.0, 1.0)
    clean = total / (2 * N_PROBES)
    return torch.where(noise[of_column] > 0, clean, rows)[:, :p].cpu().numpy()


def noise_of_columns(state):
    """(p,) level of the noise of each column of the encoded table."""
    return np.repeat(state.noise, [block.stop - block.start for block in state.blocks])


def _level_by_level(model, known, least):
    """D(x; level): known columns at 0, the others at the level, or at their own noise where that is more."""

    def denoiser(x, level):
        row_level = level.expand(len(x))
        return denoise(model, x, row_level, torch.where(known, 0.0, torch.maximum(row_level[:, None], least)))

    return denoiser


def log_density(state, W, hidden, missing, log_density_at_start, least, sigma_min, sigma_start, n_steps):
    """Log-density of clean encoded rows, a density over the numbers times a probability of the categories.

    log p(numbers), by the probability-flow ODE with the categories unknown, plus log p(category | numbers,
    categories before it) one column at a time. Works in float64, so that a row's value does not depend on
    the rows that come with it.

    Parameters
    ----------
    W : array (n, p)
    hidden : array (n_blocks,) of bool, table columns left unknown throughout: the density is the others' marginal
    missing : array (n, n_blocks) of bool, the same cell by cell
    log_density_at_start : callable(array (m, k), array (m, k) of bool) -> array (m,)
        Log-density at sigma_start of the noised numbers that are not hidden, and which of them are not missing.
    least : array (n_blocks,), the level that each column does not go below

    Returns
    -------
    log_density : array (n,)
    """
    model = _load(state, torch.float64)
    device = model.enter.weight.device
    numbers = model.layout.numeric_block
    numbers = numbers[~torch.as_tensor(hidden, device=device)[numbers]]
    grid = torch.as_tensor(karras_grid(sigma_start, sigma_min, n_steps)[::-1].copy(), device=device)
    least = torch.as_tensor(least, device=device)
    out = np.zeros(len(W))
    for start in range(0, len(W), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        x = torch.as_tensor(W[rows], dtype=torch.float64, device=device)
        unknown = torch.as_tensor(hidden | missing[rows], device=device)
        out[rows] = _log_probability_of_levels(model, x, unknown, state.sigma_max).cpu().numpy()
        if len(numbers):
            noised, change = _noise_up(model, x, unknown, numbers, grid, least)
            seen = ~unknown[:, numbers]
            out[rows] += change.cpu().numpy() + log_density_at_start(noised.cpu().numpy(), seen.cpu().numpy())
    return out


def _log_probability_of_levels(model, x, unknown, level):
    """Sum over the categories that are not `unknown` (B, n_blocks) of log p(level | numbers, categories before it)."""
    layout = model.layout
    row_level = x.new_full((len(x),), level)
    sigma = torch.where(layout.is_categorical | unknown, UNKNOWN, 0.0).to(x)
    total = x.new_zeros(len(x))
    with torch.no_grad():
        for block in torch.nonzero(layout.is_categorical).flatten().tolist():
            if not unknown[:, block].all():
                own = own_levels(layout, model(x, row_level, sigma)[1], x)
                total += torch.where(unknown[:, block], 0.0, own[:, block])
                sigma[:, block] = torch.where(unknown[:, block], UNKNOWN, 0.0).to(x)
    return total


def _noise_up(model, x, unknown, blocks, grid, least):
    """Numbers of the given blocks carried up the ODE over the increasing grid, and the change of log-density.

    Categories are unknown, as are the cells that are `unknown` (B, n_blocks).
    """
    columns = model.layout.start[blocks]
    seen = (~unknown[:, blocks]).to(x)
    unknown = unknown | model.layout.is_categorical

    def denoiser(x, level):
        row_level = level.expand(len(x))
        return denoise(model, x, row_level, torch.where(unknown, UNKNOWN, torch.maximum(row_level[:, None], least)))

    probes = _probes(len(columns), x)
    noised, change = solvers.log_density_change(denoiser, x, grid, columns, probes, seen, least[blocks])
    return noised[:, columns], change


def _probes(n_columns, x):
    """None, for the exact trace, up to MAX_EXACT_TRACE columns; fixed random signs above."""
    if n_columns <= MAX_EXACT_TRACE:
        return None
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (MAX_EXACT_TRACE, n_columns))
    return torch.as_tensor(signs, dtype=x.dtype, device=x.device)
