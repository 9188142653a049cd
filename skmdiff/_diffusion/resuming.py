"""The state of a training between two steps as arrays and plain values, and when it is written to a file.

The state is all that later steps depend on: weights, their moving average, the moments of the optimiser, its step size,
the random numbers, the best weights so far, the losses since the last evaluation. So a training that is read from a
file goes on to the same bits. Of the rows, whose repeated values are put elsewhere now and then, it has the state of
their random numbers before they were last drawn.

When files are written depends on the clock and changes no bit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils import parameters_to_vector

from .._numerics.blocks import Block
from .._numerics.checkpoints import (
    SUFFIX,
    Checkpoint,
    fingerprint,
    read_checkpoint,
    write_checkpoint,
)
from .._numerics.interrupts import Termination
from .._numerics.warnings_ import warn_user
from .._numerics.whole_files import check_folder, remove_leftovers
from .denoiser import Denoiser
from .state import NetworkShape, Prior
from .training import Batches, Trainer, TrainingHistory, TrainingPlan, TrainingRows

Weights = dict[str, np.ndarray]

LEAST_SECONDS = 1.0  # between two files
TIMES_COST = 100.0  # as long as it took to write the last one, at least
PROBE_STATES = 16  # vectors of weights that two files hold at most: a former one and a new one
OPTIMIZER = "optimizer"


def file_of(
    folder: str | os.PathLike,
    rows: TrainingRows,
    batches: Batches,
    blocks: list[Block],
    shape: NetworkShape,
    plan: TrainingPlan,
    prior: Prior | None,
    model: Denoiser,
    seed: int,
) -> Path:
    """The file of a training, named by all that its bits depend on but for the machine.

    Another table or other parameters have another file.
    """
    columns = [(b.start, b.stop, b.codes, b.frequencies) for b in blocks]
    data = replace(rows, rows=batches.rows.cpu().numpy(), rng=None)
    first = {name: value.cpu().numpy() for name, value in model.state_dict().items()}
    device = str(batches.device)
    parts = (data, columns, shape, replace(plan, deadline=None), prior, first, seed, device, torch.__version__)
    return Path(folder) / f"{fingerprint(*parts)[:32]}{SUFFIX}"


class TrainingFile:
    """The file of a training: what it held, and when it is written again.

    Attributes
    ----------
    found : Checkpoint or None
        What was there when the training began.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.found = path, read_checkpoint(path)
        self.termination = Termination()
        self._written, self._cost, self._is_broken = time.monotonic(), 0.0, False

    def check_space(self, n_weights: int) -> None:
        """Raise an OSError unless there is room for a file of a network of so many weights."""
        remove_leftovers(self.path)
        check_folder(self.path.parent, PROBE_STATES * n_weights * np.dtype(np.float32).itemsize)

    def result(self) -> tuple[Weights, TrainingHistory] | None:
        """The weights and the history of a training that came to its end; None for one that did not."""
        if self.found is None or not self.found.values["is_whole"]:
            return None
        return dict(self.found.arrays), TrainingHistory(**self.found.values["history"])

    def write_result(self, weights: Weights, history: TrainingHistory) -> None:
        """Write the weights chosen in place of the state: the training is whole."""
        self._write(Checkpoint(weights, {"is_whole": True, "history": asdict(history)}))

    @contextmanager
    def open(self, trainer: Trainer) -> Iterator[None]:
        """Put a trainer where the file was; inside, a SIGTERM waits for `after_step`."""
        if self.found is not None:
            restore(trainer, self.found)
        with self.termination.awaited():
            yield

    def after_step(self, trainer: Trainer, is_last: bool) -> None:
        """Write the state if it is time to, if it is the last step of a training that can go on, or upon a SIGTERM."""
        asked = self.termination.asked
        if asked or is_last or self._is_due():
            self._write(state_of(trainer))
        if asked:
            self.termination.pass_on()

    def _is_due(self) -> bool:
        return time.monotonic() - self._written >= max(LEAST_SECONDS, TIMES_COST * self._cost)

    def _write(self, checkpoint: Checkpoint) -> None:
        """Write; where that fails, say so once: the training is worth more than its file."""
        started = time.monotonic()
        try:
            write_checkpoint(self.path, checkpoint)
        except OSError as error:
            if not self._is_broken:
                warn_user(f"checkpoint file {self.path} cannot be written, the training goes on without: {error}.")
            self._is_broken = True
        self._written = time.monotonic()
        self._cost = self._written - started


def state_of(trainer: Trainer) -> Checkpoint:
    """All that later steps of a training depend on."""
    average, held_out = trainer.average, trainer.held_out
    values: dict[str, Any] = {
        "is_whole": False,
        "history": asdict(trainer.history),
        "n_updates": average.n_updates,
        "scheduler": trainer.scheduler.state_dict(),
        "rows": trainer.batches.rows_state,
    }
    tensors = {
        "weights": parameters_to_vector(trainer.model.parameters()),
        "average": average.weights,
        "proven": trainer.proven,
        "latest": trainer.latest,
        "generator": trainer.generator.get_state(),
        "losses": torch.tensor([float(loss) for loss in trainer.losses]),
        **optimizer_tensors(trainer.optimizer),
    }
    if held_out is not None:
        values["held_out"] = {"best": held_out.best, "since_best": held_out.since_best}
        if held_out.best_weights is not None:
            tensors["best_weights"] = held_out.best_weights
    return Checkpoint({name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}, values)


def restore(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Put a new trainer where a former one was."""
    arrays, values = checkpoint.arrays, checkpoint.values
    device, average, held_out = trainer.batches.device, trainer.average, trainer.held_out

    def tensor(name: str) -> torch.Tensor:
        return torch.tensor(arrays[name], device=device)

    set_weights(trainer.model, tensor("weights"))
    average.weights, average.n_updates = tensor("average"), values["n_updates"]
    trainer.proven, trainer.latest = tensor("proven"), tensor("latest")
    trainer.history = TrainingHistory(**values["history"])
    trainer.losses = list(tensor("losses"))
    trainer.generator.set_state(torch.tensor(arrays["generator"]))
    trainer.batches.draw_rows(values["rows"])
    restore_optimizer(trainer, arrays, values["scheduler"])
    if held_out is not None:
        held_out.best, held_out.since_best = values["held_out"]["best"], values["held_out"]["since_best"]
        held_out.best_weights = tensor("best_weights") if "best_weights" in arrays else None


def set_weights(model: Denoiser, weights: torch.Tensor) -> None:
    """Copy a vector of weights into the tensors of a model: where these lie in memory stays as in a new model."""
    parameters = list(model.parameters())
    with torch.no_grad():
        for parameter, part in zip(parameters, weights.split([p.numel() for p in parameters]), strict=True):
            parameter.copy_(part.view_as(parameter))


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What the optimiser remembers of each parameter, by name."""
    state = optimizer.state_dict()["state"]
    return {f"{OPTIMIZER}/{i}/{name}": value for i, of_one in state.items() for name, value in of_one.items()}


def restore_optimizer(trainer: Trainer, arrays: Any, scheduler: dict[str, Any]) -> None:
    """Put back what the optimiser remembers, and its step size."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, array in arrays.items():
        kind, _, rest = name.partition("/")
        if kind == OPTIMIZER:
            i, _, key = rest.partition("/")
            state.setdefault(int(i), {})[key] = torch.tensor(array)
    groups = trainer.optimizer.state_dict()["param_groups"]
    trainer.optimizer.load_state_dict({"state": state, "param_groups": groups})
    trainer.scheduler.load_state_dict(dict(scheduler))
    for group, rate in zip(trainer.optimizer.param_groups, scheduler["_last_lr"], strict=True):
        group["lr"] = rate
