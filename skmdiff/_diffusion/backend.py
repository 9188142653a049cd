"""The door: numpy in, numpy out. Devices, generators and networks are made here and do not leave.

A fitted denoiser is a `DenoiserState` of numpy arrays and plain values; the network is rebuilt from it at each
call, so that pickles, other processes and other devices need nothing special. Rows are always worked on in
blocks of BLOCK_ROWS rows (the last one padded), because the last bits of a matrix product depend on its shape:
the same row of the same block then has the same bits whatever else is asked for.

What the caller has switched on or off in torch and numpy (gradients, autocast, default dtype, floating-point errors)
changes nothing here: every function of the door runs in `_usual_state`, and every tensor is made with a dtype.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch

from .._numerics.blocks import Block
from .._numerics.interrupts import once_to_its_end
from . import RHO, SIGMA_MAX, SIGMA_MIN, solvers
from .denoiser import Denoiser, Layout, denoise, initialise, probabilities_of
from .density import NumbersFlow, log_probability_of_known
from .noise import UNKNOWN, ReverseProcess, unknown_or_known
from .prior import MixturePrior
from .readout import Reader, has_categories_to_read, plan_readings
from .resuming import TrainingFile, file_of
from .state import DenoiserState, DensityQuery, NetworkShape, Prior
from .training import Batches, Trainer, TrainingHistory, TrainingPlan, TrainingRows, train

__all__ = [
    "BLOCK_ROWS",
    "RHO",
    "SIGMA_MAX",
    "SIGMA_MIN",
    "DenoiserState",
    "DensityQuery",
    "NetworkShape",
    "Prior",
    "ReverseProcess",
    "TrainingHistory",
    "TrainingPlan",
    "TrainingRows",
    "fit_denoiser",
    "log_density",
    "noise_of_columns",
    "probabilities",
    "remove_noise",
    "resolve_device",
    "sample_block",
    "states_of_block",
]

BLOCK_ROWS = 1024
DEVICES = "device must be 'auto', 'cpu' or a GPU of CUDA such as 'cuda' or 'cuda:1'"
N_PROBES = 8

Report = Callable[[TrainingHistory, Callable[[], DenoiserState]], object]


def resolve_device(device: str | torch.device) -> torch.device:
    """The torch device meant by `device`: "auto" takes a GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"{DEVICES}, got {device!r}.") from error
    if resolved.type not in ("cpu", "cuda"):
        raise ValueError(f"{DEVICES}, got {device!r}: other kinds of device are not supported; use device='cpu'.")
    n_found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if resolved.type == "cuda" and (resolved.index or 0) >= n_found:
        raise ValueError(
            f"device={device!r} asks for a GPU, but torch finds {n_found or 'none'}; use device='auto' or 'cpu'."
        )
    return resolved


def device_at_hand(device: str) -> torch.device:
    """The device that a denoiser was trained on; where there is none like it now, what "auto" takes."""
    try:
        return resolve_device(device)
    except ValueError:
        return resolve_device("auto")


@contextmanager
def _usual_state() -> Iterator[None]:
    """Torch and numpy as they are when nothing was switched on or off."""
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False) if torch.cuda.is_available() else nullcontext(),
        np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
    ):
        yield


def _build(
    blocks: list[Block],
    shape: NetworkShape,
    device: str | torch.device,
    dtype: torch.dtype,
    prior: Prior | None = None,
) -> Denoiser:
    """The network without weights; made on the meta device, which needs no random numbers."""
    layout = Layout(blocks, device, dtype)
    of_rows = None
    if prior is not None:
        of_rows = MixturePrior(
            prior, blocks, layout.narrow, lambda values: torch.as_tensor(values, dtype=dtype, device=device)
        )
    with torch.device("meta"):
        model = Denoiser(layout, shape.hidden_layer_sizes, shape.n_frequencies, of_rows)
    return model.to(dtype).to_empty(device=device)


def _load(state: DenoiserState, dtype: torch.dtype = torch.float32) -> Denoiser:
    device = device_at_hand(state.device)
    model = _build(state.blocks, state.shape, device, dtype, state.prior)
    weights = {name: torch.as_tensor(value, dtype=dtype, device=device) for name, value in state.weights.items()}
    model.load_state_dict(weights)
    return model.requires_grad_(False)


@once_to_its_end
def _import_for_training() -> None:
    """One step of an optimiser: torch imports much of itself (torch._dynamo, sympy) no earlier than there."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter])
    parameter.grad = torch.zeros(1)
    optimizer.step()


@_usual_state()
def fit_denoiser(
    rows: TrainingRows,
    blocks: list[Block],
    shape: NetworkShape,
    plan: TrainingPlan,
    prior: Prior | None = None,
    *,
    device: str = "auto",
    seed: int = 0,
    report: Report = lambda history, state: None,
    first_weights: dict[str, np.ndarray] | None = None,
    checkpoint: str | os.PathLike | None = None,
) -> tuple[DenoiserState, TrainingHistory]:
    """Train a denoiser.

    Parameters
    ----------
    rows : TrainingRows
    blocks : list of Block
    shape : NetworkShape
    plan : TrainingPlan
    prior : Prior, default=None
        What the network corrects.
    device : str, default="auto"
        A torch device; "auto" takes a GPU where there is one.
    seed : int, default=0
        Of the first weights and of everything that training draws.
    report : callable(history, function that returns the state so far), called at every evaluation
        The training stops where it returns what is true.
    first_weights : dict of array, default=None
        Weights of a network of the same shape to begin with; None for random ones.
    checkpoint : str or path-like, default=None
        Folder of the file of the training, from which it goes on if it is there, see `resuming`.

    Returns
    -------
    state : DenoiserState
    history : TrainingHistory

    Raises
    ------
    ValueError
        For a device that torch does not know or find, and a file of the training that is damaged.
    OSError
        Where the file of the training cannot be written.
    """
    _import_for_training()
    torch_device = resolve_device(device)
    generator = torch.Generator(torch_device).manual_seed(seed)
    model = _build(blocks, shape, torch_device, torch.float32, prior)
    initialise(model, generator)
    if first_weights is not None:
        model.load_state_dict({name: torch.as_tensor(value) for name, value in first_weights.items()})
    batches, file = Batches(rows, torch_device), None
    if checkpoint is not None:
        file = TrainingFile(file_of(checkpoint, rows, batches, blocks, shape, plan, prior, model, seed))

    def state_with(weights: dict[str, np.ndarray]) -> DenoiserState:
        return DenoiserState(blocks, shape, weights, str(torch_device), rows.noise, plan.sigma_max, prior)

    def told(trainer: Trainer) -> object:
        return report(trainer.history, lambda: state_with(weights_of(trainer.average.averaged_model())))

    weights, history = _trained(model, batches, plan, generator, told, file)
    return state_with(weights), history


def weights_of(model: Denoiser) -> dict[str, np.ndarray]:
    """The weights of a network as arrays."""
    return {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}


def _trained(
    model: Denoiser,
    batches: Batches,
    plan: TrainingPlan,
    generator: torch.Generator,
    report: Callable[[Trainer], object],
    file: TrainingFile | None,
) -> tuple[dict[str, np.ndarray], TrainingHistory]:
    """The weights of a training and its history: those of its file, if it came to its end before."""
    found = None if file is None else file.result()
    if found is not None:
        return found
    if file is not None:
        file.check_space(sum(parameter.numel() for parameter in model.parameters()))
    history = train(model, batches, plan, generator, report, file)
    weights = weights_of(model)
    if file is not None and history.stop_reason not in ("max_time", "callback"):
        file.write_result(weights, history)
    return weights, history


@_usual_state()
def sample_block(
    state: DenoiserState,
    x: np.ndarray,
    known: np.ndarray,
    process: ReverseProcess,
    u: np.ndarray,
    probe: np.ndarray | None = None,
) -> np.ndarray:
    """Run the reverse process on one block of BLOCK_ROWS starts.

    Parameters
    ----------
    x : array (BLOCK_ROWS, p), rows at the level process.sigma_start; known columns hold their clean values
    known : array (n_blocks,) or (BLOCK_ROWS, n_blocks) of bool, table columns that are conditions, of all rows or each
    process : ReverseProcess
    u : array (BLOCK_ROWS, n_blocks) of uniform numbers, by which categories are read
    probe : array (BLOCK_ROWS, p) of standard normals, where columns have noise

    Returns
    -------
    x : array (BLOCK_ROWS, p), clean rows; a categorical column holds the code of the category read
    """
    return _reverse(state, x, known, process, u, probe, lambda x: None)


@_usual_state()
def states_of_block(
    state: DenoiserState,
    x: np.ndarray,
    known: np.ndarray,
    process: ReverseProcess,
    u: np.ndarray,
    probe: np.ndarray | None = None,
) -> np.ndarray:
    """What `sample_block` goes through, (BLOCK_ROWS, n_steps + 2, p): rows at the levels of the grid, clean ones last.

    Parameters are those of `sample_block`.
    """
    states: list[np.ndarray] = []
    out = _reverse(state, x, known, process, u, probe, lambda x: states.append(x.double().cpu().numpy()))
    return np.stack([*states, out], axis=1)


def _reverse(
    state: DenoiserState,
    x: np.ndarray,
    known: np.ndarray,
    process: ReverseProcess,
    u: np.ndarray,
    probe: np.ndarray | None,
    record: Callable[[torch.Tensor], None],
) -> np.ndarray:
    """`sample_block`, with every state of the solver given to `record`."""
    model = _load(state)
    layout, device = model.layout, model.enter.weight.device

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)

    is_known = torch.as_tensor(known, device=device)
    noise, grid = tensor(state.noise), process.grid()
    reader = None
    if has_categories_to_read(layout, is_known):
        reader = Reader(model, is_known, noise, tensor(u), plan_readings(grid, int(layout.is_categorical.sum())))
    with torch.inference_mode():
        out = solvers.reverse(
            _level_by_level(model, is_known, noise),
            tensor(x),
            tensor(grid),
            ~is_known[..., layout.block_of_column],
            noise[layout.block_of_column],
            None if probe is None else tensor(probe),
            reader,
            record,
        )
    return out.double().cpu().numpy()


def _level_by_level(model: Denoiser, known: torch.Tensor, noise: torch.Tensor) -> solvers.DenoiseAt:
    """D(x; level): known columns at 0, the others at the level, or at their noise (n_blocks,) where that is more."""

    def denoiser(x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        row_level = level.expand(len(x))
        return denoise(model, x, row_level, torch.where(known, 0.0, torch.maximum(row_level[:, None], noise)))

    return denoiser


@_usual_state()
def probabilities(state: DenoiserState, W: np.ndarray) -> dict[int, np.ndarray]:
    """Probabilities of the categories of every column given the other columns that are known, one column at a time.

    Works in float64, so that a row's value does not depend on the rows that come with it.

    Parameters
    ----------
    W : array (n, p), NaN where a column is unknown

    Returns
    -------
    probability : dict of array (n, n_categories), by the index of the block
    """
    model = _load(state, torch.float64)
    unknown = np.isnan(W[:, [block.start for block in state.blocks]])
    device = model.enter.weight.device
    out: dict[int, list[np.ndarray]] = {b: [] for b, block in enumerate(state.blocks) if block.codes is not None}
    with torch.inference_mode():
        for rows in _slices(len(W)):
            x = torch.as_tensor(np.nan_to_num(W[rows]), device=device)
            sigma = unknown_or_known(torch.as_tensor(unknown[rows], device=device), x.dtype)
            found = model(x, x.new_full((len(x),), state.sigma_max), sigma)[1]
            for b, values in probabilities_of(model.layout, found).items():
                out[b].append(values.cpu().numpy())
    return {b: np.concatenate(parts) for b, parts in out.items()}


def _slices(n: int) -> Iterator[slice]:
    """Of n rows, BLOCK_ROWS at a time."""
    return (slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS))


@_usual_state()
def remove_noise(state: DenoiserState, W: np.ndarray) -> np.ndarray:
    """Rows W (n, p) without their noise: E[clean | row seen], by the denoiser at the level of the noise.

    As much noise is added as a column has already (see `solvers.clean_mean`); the mean over N_PROBES additions,
    each with its mirror image, stands for the row. Columns without noise are conditions,
    those of the target, behind the columns of W, are unknown.
    """
    model = _load(state, torch.float64)
    device, p = model.enter.weight.device, W.shape[1]
    noise = torch.as_tensor(state.noise, dtype=torch.float64, device=device)
    is_target = torch.tensor([block.start >= p for block in state.blocks], device=device)
    denoiser = _at_one_level(model, torch.where(is_target, UNKNOWN, noise), noise[noise > 0].min())
    of_column = noise[model.layout.block_of_column]
    rows = torch.as_tensor(np.pad(W, ((0, 0), (0, len(of_column) - p))), device=device)
    total = torch.zeros_like(rows)
    with torch.inference_mode():
        for probe in _mirrored_normals(len(of_column), device):
            x = rows + of_column * probe
            total += solvers.clean_mean(denoiser(x), x, 1.0, 1.0)
    clean = total / (2 * N_PROBES)
    return torch.where(of_column > 0, clean, rows)[:, :p].cpu().numpy()


def _at_one_level(
    model: Denoiser, sigma: torch.Tensor, row_level: torch.Tensor
) -> Callable[[torch.Tensor], torch.Tensor]:
    """D(x) with the levels (n_blocks,) of the columns and the level () of the rows."""
    return lambda x: denoise(model, x, row_level.expand(len(x)), sigma.expand(len(x), -1))


def _mirrored_normals(n_columns: int, device: torch.device) -> torch.Tensor:
    """(2 N_PROBES, n_columns) fixed standard normals and their mirror images."""
    normals = torch.as_tensor(np.random.default_rng(0).standard_normal((N_PROBES, n_columns)), device=device)
    return torch.cat([normals, -normals])


def noise_of_columns(state: DenoiserState) -> np.ndarray:
    """(p,) level of the measurement noise of each column of the encoded table."""
    return np.repeat(state.noise, [block.stop - block.start for block in state.blocks])


@_usual_state()
def log_density(
    state: DenoiserState,
    query: DensityQuery,
    process: ReverseProcess,
    start_density: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Log-density of clean encoded rows, a density over the numbers times a probability of the categories.

    log p(numbers), by the probability-flow ODE with the categories unknown, plus log p(category | numbers,
    categories before it) one column at a time. Works in float64, so that a row's value does not depend on
    the rows that come with it.

    Parameters
    ----------
    query : DensityQuery
    process : ReverseProcess, whose grid is followed upwards
    start_density : callable(array (m, k), array (m, k) of bool) -> array (m,)
        Log-density, at process.sigma_start, of noised numbers that are not hidden, and which of them are not missing.

    Returns
    -------
    log_density : array (n,)
    """
    model = _load(state, torch.float64)
    device = model.enter.weight.device
    flow = _flow(model, query, process)
    out = np.zeros(len(query.W))
    for rows in _slices(len(query.W)):
        x = torch.as_tensor(query.W[rows], dtype=torch.float64, device=device)
        unknown = torch.as_tensor(query.hidden | query.missing[rows], device=device)
        out[rows] = log_probability_of_known(model, x, unknown, state.sigma_max).cpu().numpy()
        if len(flow.blocks):
            noised, change = flow.up(x, unknown)
            seen = ~unknown[:, flow.blocks]
            out[rows] += change.cpu().numpy() + start_density(noised.cpu().numpy(), seen.cpu().numpy())
    return out


def _flow(model: Denoiser, query: DensityQuery, process: ReverseProcess) -> NumbersFlow:
    """The flow of the numbers that are not hidden."""
    device, blocks = model.enter.weight.device, model.layout.numeric_block
    blocks = blocks[~torch.as_tensor(query.hidden, device=device)[blocks]]
    grid = torch.as_tensor(process.grid()[::-1].copy(), device=device)
    return NumbersFlow(model, blocks, grid, torch.as_tensor(query.smallest_level, device=device))
