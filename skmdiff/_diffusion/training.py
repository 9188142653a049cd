"""The training loop: batches, optimiser, moving average of the weights, held-out early stopping, time limit.

Functions of tensors and one generator. What is returned is the averaged weights that did best on the held-out
rows. A loss that is not finite ends the training with the best weights so far, and the history says so.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters

from . import SIGMA_MAX, SIGMA_MIN
from .denoiser import Denoiser, denoising_loss
from .noise import UNKNOWN, draw_levels
from .tasks import Columns, draw_column_levels

VALIDATION_REPEATS = 4
WARM_UP = 100
DIVERGED = 1e3  # an untrained denoiser has a loss of about one a column


@dataclass(frozen=True)
class TrainingPlan:
    """Settings of the training.

    max_iter : most optimiser steps, 0 for what is known without training
    batch_size : rows in a step
    learning_rate_init : largest step size of AdamW
    conditional_fraction : fraction of the rows of a batch with a task (see `tasks`)
    ema_decay : decay of the moving average of the weights, a step
    n_iter_no_change : evaluations without a better held-out loss before training stops
    evaluate_every : steps between two evaluations
    sigma_min, sigma_max : the smallest and the largest noise level
    deadline : when to stop, by `time.monotonic`, or None
    """

    max_iter: int
    batch_size: int
    learning_rate_init: float
    conditional_fraction: float
    ema_decay: float
    n_iter_no_change: int
    evaluate_every: int
    sigma_min: float = SIGMA_MIN
    sigma_max: float = SIGMA_MAX
    deadline: float | None = None


@dataclass(frozen=True)
class TrainingRows:
    """Data of the training: n encoded rows of p columns in n_blocks blocks, and m rows held out.

    rows : (n, p), or a function that returns such rows, called again now and then: it puts repeated values elsewhere
    noise : (n_blocks,) measurement noise of the rows, 0 for none; a column is learnt at levels from there on, because
        below there is nothing clean to learn from (Daras et al. 2023, "Ambient diffusion")
    missing : (n, n_blocks) of bool, the missing cells; None where none are
    cumulated_weight : (n,) cumulated weights of the rows, by which batches are sampled; None for equal weights
    held_out : (m, p); None to train to the last step
    held_out_weight : (m,) weights of the rows held out, by which their loss is a mean; None for equal weights
    target : index of the block of the target, or None
    rng : what `rows` draws by, where it is a function; None for one that cannot be put back
    """

    rows: np.ndarray | Callable[[], np.ndarray]
    noise: np.ndarray
    missing: np.ndarray | None = None
    cumulated_weight: np.ndarray | None = None
    held_out: np.ndarray | None = None
    held_out_weight: np.ndarray | None = None
    target: int | None = None
    rng: np.random.Generator | None = None


@dataclass
class TrainingHistory:
    """What happened: one entry of the curves an evaluation; why and when it stopped."""

    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    n_iter: int = 0
    stop_reason: str = "max_iter"
    seconds: float = 0.0


class Batches:
    """`TrainingRows` as tensors of a device, and batches of them."""

    def __init__(self, data: TrainingRows, device: torch.device) -> None:
        self.source, self.rng, self.device, self.target = data.rows, data.rng, device, data.target
        self.draw_rows()
        self.noise = self._tensor(data.noise)
        self.missing = None if data.missing is None else torch.as_tensor(data.missing, device=device)
        weight = data.cumulated_weight
        self.cumulated_weight = None if weight is None else torch.as_tensor(weight, device=device)
        self.held_out = None if data.held_out is None else self._tensor(data.held_out)
        self.held_out_weight = None if data.held_out_weight is None else self._tensor(data.held_out_weight)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)

    def draw_rows(self, state: dict | None = None) -> None:
        """The training rows again, with repeated values elsewhere in their intervals, or where a state has them."""
        if self.rng is not None and state is not None:
            self.rng.bit_generator.state = state
        self.rows_state = None if self.rng is None else self.rng.bit_generator.state
        self.rows = self._tensor(self.source() if callable(self.source) else self.source)

    def draw(self, n_draws: int, generator: torch.Generator) -> torch.Tensor:
        """(n_draws, p) training rows, sampled by weight."""
        return self.rows.index_select(0, draw_index(n_draws, len(self.rows), self.cumulated_weight, generator))

    def draw_noise_levels(
        self, n_rows: int, is_categorical: torch.Tensor, plan: TrainingPlan, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Levels (n_rows,) of rows and (n_rows, n_blocks) of their columns."""
        row_level = draw_levels(n_rows, plan.sigma_min, plan.sigma_max, generator)
        missing = draw_missing(n_rows, self.missing, self.cumulated_weight, generator)
        columns = Columns(is_categorical, self.target)
        sigma = draw_column_levels(row_level, columns, plan.conditional_fraction, generator, missing)
        known_only = ((sigma == 0) | (sigma >= UNKNOWN)).all(1)  # the network need not know that for every level
        row_level = torch.where(known_only, plan.sigma_max, row_level)
        return row_level, torch.where(sigma > 0, torch.maximum(sigma, self.noise), sigma)


def draw_index(
    n_draws: int, n_rows: int, cumulated_weight: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor:
    """Indices (n_draws,) of training rows, sampled by weights, whose cumulated sums (n_rows,) are given, or evenly."""
    if cumulated_weight is None:
        return torch.randint(n_rows, (n_draws,), generator=generator, device=generator.device)
    uniform = torch.rand(n_draws, generator=generator, device=generator.device, dtype=cumulated_weight.dtype)
    mass = uniform * cumulated_weight[-1]
    return torch.searchsorted(cumulated_weight, mass, right=True).clamp_max(n_rows - 1)


def draw_missing(
    n_draws: int, missing: torch.Tensor | None, cumulated_weight: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor | None:
    """Missing cells (n_draws, n_blocks) of rows sampled by weight from `missing` (n, n_blocks); None where none are."""
    if missing is None:
        return None
    return missing[draw_index(n_draws, len(missing), cumulated_weight, generator)]


def batch_loss(
    model: Denoiser,
    x_0: torch.Tensor,
    batches: Batches,
    plan: TrainingPlan,
    generator: torch.Generator,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean loss of clean rows x_0 (B, p) noised at random levels, a mean over the cells that are noised.

    By weight (B,) of the rows, or all alike.
    """
    row_level, sigma = batches.draw_noise_levels(len(x_0), model.layout.is_categorical, plan, generator)
    noise = torch.randn(x_0.shape, generator=generator, device=x_0.device, dtype=x_0.dtype)
    loss = denoising_loss(model, x_0, row_level, sigma, noise)
    if weight is None:
        return loss.sum() / (sigma > 0).sum().clamp_min(1)
    return weighted_loss(loss, sigma > 0, weight)


def weighted_loss(loss: torch.Tensor, is_noised: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean of the loss (B, n_blocks) over the cells that are noised, by weight (B,) of the rows."""
    total = (weight[:, None] * is_noised).sum()
    return (weight[:, None] * loss).sum() / total.clamp_min(torch.finfo(loss.dtype).tiny)


def learning_rate_factor(step: int, max_iter: int) -> float:
    """Linear warm-up, then half a cosine down to zero at max_iter."""
    warm_up = min(WARM_UP, max(1, max_iter // 10))
    progress = min(1.0, max(0.0, step - warm_up) / max(1, max_iter - warm_up))
    return min(1.0, (step + 1) / warm_up) * (0.5 + 0.5 * np.cos(np.pi * progress))


class MovingAverage:
    """Exponential moving average of a model's weights with the decay min(decay, (1 + t) / (10 + t)) at step t."""

    def __init__(self, model: Denoiser, decay: float) -> None:
        self.model, self.decay, self.n_updates = copy.deepcopy(model), decay, 0
        self.weights = parameters_to_vector(model.parameters()).detach().clone()

    def update(self, model: Denoiser) -> None:
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.weights.lerp_(parameters_to_vector(model.parameters()).detach(), 1 - decay)
        self.n_updates += 1

    def averaged_model(self) -> Denoiser:
        """The model with the averaged weights, for evaluation."""
        vector_to_parameters(self.weights, self.model.parameters())
        return self.model


class HeldOut:
    """Loss of a model on held-out rows (m, p), always at the same levels and noise; remembers the best weights."""

    def __init__(self, rows: torch.Tensor, batches: Batches, plan: TrainingPlan, seed: int) -> None:
        self.rows, self.batches, self.plan, self.seed = rows, batches, plan, seed
        self.best, self.since_best = DIVERGED, 0
        self.best_weights: torch.Tensor | None = None

    def loss(self, model: Denoiser) -> float:
        generator = torch.Generator(self.rows.device).manual_seed(self.seed)
        weight = self.batches.held_out_weight
        with torch.no_grad():
            losses = [
                batch_loss(model, self.rows, self.batches, self.plan, generator, weight)
                for _ in range(VALIDATION_REPEATS)
            ]
        return float(torch.stack(losses).mean())

    def compare(self, loss: float, weights: torch.Tensor) -> None:
        if loss < self.best:
            self.best, self.best_weights, self.since_best = loss, weights.clone(), 0
        else:
            self.since_best += 1


class Trainer:
    """One training run: the state that its steps share."""

    def __init__(self, model: Denoiser, batches: Batches, plan: TrainingPlan, generator: torch.Generator) -> None:
        self.model, self.batches, self.plan, self.generator = model, batches, plan, generator
        self.average = MovingAverage(model, plan.ema_decay)
        self.held_out = None
        if batches.held_out is not None:
            self.held_out = HeldOut(batches.held_out, batches, plan, generator.initial_seed() + 1)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=plan.learning_rate_init, betas=(0.9, 0.99), weight_decay=1e-2, fused=True
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: learning_rate_factor(step, plan.max_iter)
        )
        self.history = TrainingHistory()
        self.losses: list[torch.Tensor] = []  # since the last evaluation
        self.proven = self.latest = self.average.weights.clone()
        self.redraw_every = max(plan.evaluate_every, len(batches.rows) // plan.batch_size)

    def step(self, number: int) -> torch.Tensor:
        """One optimiser step on a random batch, step `number` from 1 on; returns its loss."""
        if number % self.redraw_every == 0:
            self.batches.draw_rows()
        x_0 = self.batches.draw(self.plan.batch_size, self.generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss = batch_loss(self.model, x_0, self.batches, self.plan, self.generator)
        loss.backward()
        clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.average.update(self.model)
        return loss.detach()

    def evaluate(self) -> str | None:
        """Take stock of the steps since the last evaluation; the reason to stop now, or None."""
        mean_loss, self.losses = float(torch.stack(self.losses).mean()), []
        if not mean_loss < DIVERGED:
            return "diverged"
        self.history.loss_curve.append(mean_loss)
        # the losses are those of the weights before each step, so they speak for the weights of the last evaluation
        self.proven, self.latest = self.latest, self.average.weights.clone()
        return None if self.held_out is None else self._compare(self.held_out)

    def _compare(self, held_out: HeldOut) -> str | None:
        """Compare the averaged weights with the best so far; the reason to stop now, or None."""
        loss = held_out.loss(self.average.averaged_model())
        self.history.validation_loss_curve.append(loss)
        held_out.compare(loss, self.average.weights)
        return "early_stopping" if held_out.since_best >= self.plan.n_iter_no_change else None

    def finish(self) -> None:
        """Load the best weights into the model: by the held-out rows where there are any, else the latest."""
        best = None if self.held_out is None else self.held_out.best_weights
        if best is None:
            best = self.proven if self.history.stop_reason == "diverged" else self.latest
        vector_to_parameters(best, self.model.parameters())


class Keeper(Protocol):
    """What keeps the state of a training, see `resuming`."""

    def open(self, trainer: Trainer) -> AbstractContextManager[None]: ...
    def after_step(self, trainer: Trainer, is_last: bool) -> None: ...


def train(
    model: Denoiser,
    batches: Batches,
    plan: TrainingPlan,
    generator: torch.Generator,
    report: Callable[[Trainer], object],
    keeper: Keeper | None = None,
) -> TrainingHistory:
    """Train `model` itself and load the weights chosen; returns the history.

    Without held-out rows it trains to max_iter and keeps the last averaged weights. `report` is called at every
    evaluation, and the training stops where it returns what is true. With a keeper it goes on where it has been.
    """
    trainer = Trainer(model, batches, plan, generator)
    with nullcontext() if keeper is None else keeper.open(trainer):
        _run(trainer, report, keeper)
    trainer.finish()
    return trainer.history


def _run(trainer: Trainer, report: Callable[[Trainer], object], keeper: Keeper | None) -> None:
    history, plan, started = trainer.history, trainer.plan, time.monotonic() - trainer.history.seconds
    if trainer.held_out is not None and not history.n_iter:
        trainer.held_out.compare(trainer.held_out.loss(trainer.model), trainer.latest)  # what is known without training
    for step in range(history.n_iter + 1, plan.max_iter + 1):
        trainer.losses.append(trainer.step(step))
        now = time.monotonic()
        history.n_iter, history.seconds = step, now - started
        reason = None
        if step % plan.evaluate_every == 0 or step == plan.max_iter:
            reason = _take_stock(trainer, report)
        reason = reason or _stop_for_time(trainer, report, keeper, now)
        if reason is not None:
            history.stop_reason = reason
            return


def _stop_for_time(
    trainer: Trainer, report: Callable[[Trainer], object], keeper: Keeper | None, now: float
) -> str | None:
    """Keep the state where there is a keeper; where time is up, take stock and return the reason to stop.

    The state is that before, without the evaluation that a training with more time would not make.
    """
    deadline = trainer.plan.deadline
    is_last = deadline is not None and now >= deadline
    if keeper is not None:
        keeper.after_step(trainer, is_last)
    if not is_last:
        return None
    reason = _take_stock(trainer, report) if trainer.losses else None
    return reason or "max_time"


def _take_stock(trainer: Trainer, report: Callable[[Trainer], object]) -> str | None:
    """Evaluate and report; the reason to stop now, or None."""
    reason, is_asked = trainer.evaluate(), report(trainer)
    return reason or ("callback" if is_asked else None)
