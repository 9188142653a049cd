"""The training loop: batches, optimiser, moving average of the weights, held-out early stopping, time limit.

Functions of tensors and one generator. What is returned is the averaged weights that did best on the held-out
rows. A loss that is not finite ends the training with the best weights so far, and the history says so.
"""

import copy
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters

from .denoiser import denoising_loss
from .noise import UNKNOWN, draw_levels
from .tasks import Columns, draw_column_levels

VALIDATION_REPEATS = 4
WARM_UP = 100
DIVERGED = 1e3  # an untrained denoiser has a loss of about one a column


@dataclass(frozen=True)
class TrainingPlan:
    """Everything the loop is told; units: optimiser steps, rows, seconds.

    noise : (n_blocks,) the levels of the noise that the training rows have of their own; a column is learnt at levels
        from its own noise on, because below it there is nothing clean to learn (Daras et al. 2023, "Ambient diffusion")
    ends : (n,) cumulated weights of the training rows, by which batches are drawn; None for all alike
    held_out_weight : weights of the rows held out, by which their loss is a mean; None for all alike
    """

    max_iter: int
    batch_size: int
    learning_rate_init: float
    sigma_min: float
    sigma_max: float
    conditional_share: float
    ema_decay: float
    n_iter_no_change: int
    evaluate_every: int
    target: int | None
    noise: np.ndarray
    max_time: float | None = None
    missing: np.ndarray | None = None  # (n, n_blocks) of bool, what each row of the table lacks; None without gaps
    ends: np.ndarray | None = None
    held_out_weight: np.ndarray | None = None


@dataclass
class TrainingHistory:
    """What happened: one entry of the curves an evaluation; why and when it stopped."""

    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    n_iter: int = 0
    stop_reason: str = "max_iter"
    seconds: float = 0.0


def batch_loss(model, x_0, plan, generator, weight=None):
    """Mean loss of a batch of clean rows noised at fresh levels, a mean over the columns to be generated.

    By weight (B,) of the rows, or all alike.
    """
    row_level = draw_levels(len(x_0), plan.sigma_min, plan.sigma_max, generator).to(x_0.dtype)
    sigma = draw_column_levels(
        row_level,
        Columns(model.layout.is_categorical, plan.target),
        plan.conditional_share,
        generator,
        draw_missing(plan, len(x_0), generator),
    )
    known_only = ((sigma == 0) | (sigma >= UNKNOWN)).all(1)  # the network need not know that for every level
    row_level = torch.where(known_only, plan.sigma_max, row_level)
    least = torch.as_tensor(plan.noise, dtype=sigma.dtype, device=sigma.device)
    sigma = torch.where(sigma > 0, torch.maximum(sigma, least), sigma)
    noise = torch.randn(x_0.shape, generator=generator, device=x_0.device, dtype=x_0.dtype)
    loss = denoising_loss(model, x_0, row_level, sigma, noise)
    if weight is None:
        return loss.sum() / (sigma > 0).sum().clamp_min(1)
    return weighted_loss(loss, sigma > 0, weight)


def weighted_loss(loss, is_noised, weight):
    """Mean of the loss (B, n_blocks) over the cells that are noised, by weight (B,) of the rows."""
    total = (weight[:, None] * is_noised).sum()
    return (weight[:, None] * loss).sum() / total.clamp_min(torch.finfo(loss.dtype).tiny)


def draw_index(n_draws, n_rows, plan, generator):
    """Places (n_draws,) among the training rows, drawn by weight."""
    if plan.ends is None:
        return torch.randint(n_rows, (n_draws,), generator=generator, device=generator.device)
    ends = torch.as_tensor(plan.ends, device=generator.device)
    mass = torch.rand(n_draws, generator=generator, device=generator.device, dtype=ends.dtype) * ends[-1]
    return torch.searchsorted(ends, mass, right=True).clamp_max(n_rows - 1)


def draw_missing(plan, n_rows, generator):
    """What rows of the table drawn at random lack, (n_rows, n_blocks) of bool; None without gaps."""
    if plan.missing is None:
        return None
    drawn = draw_index(n_rows, len(plan.missing), plan, generator)
    return torch.as_tensor(plan.missing[drawn.cpu().numpy()], device=generator.device)


def learning_rate_factor(step, max_iter):
    """Linear warm-up, then half a cosine down to zero at max_iter."""
    warm_up = min(WARM_UP, max(1, max_iter // 10))
    progress = min(1.0, max(0.0, step - warm_up) / max(1, max_iter - warm_up))
    return min(1.0, (step + 1) / warm_up) * (0.5 + 0.5 * np.cos(np.pi * progress))


class MovingAverage:
    """Exponential moving average of a model's weights with the decay min(decay, (1 + t) / (10 + t)) at step t."""

    def __init__(self, model, decay):
        self.model, self.decay, self.n_updates = copy.deepcopy(model), decay, 0
        self.weights = parameters_to_vector(model.parameters()).detach().clone()

    def update(self, model):
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.weights.lerp_(parameters_to_vector(model.parameters()).detach(), 1 - decay)
        self.n_updates += 1

    def averaged_model(self):
        """The model with the averaged weights, for evaluation."""
        vector_to_parameters(self.weights, self.model.parameters())
        return self.model


class HeldOut:
    """Loss of a model on held-out rows, always at the same levels and noise; remembers the best weights."""

    def __init__(self, rows, plan, seed):
        self.rows, self.plan, self.seed = rows, plan, seed
        weight = plan.held_out_weight
        self.weight = None if weight is None else torch.as_tensor(weight, dtype=rows.dtype, device=rows.device)
        self.best, self.best_weights, self.since_best = DIVERGED, None, 0

    def loss(self, model):
        generator = torch.Generator(self.rows.device).manual_seed(self.seed)
        with torch.no_grad():
            losses = [
                batch_loss(model, self.rows, self.plan, generator, weight=self.weight)
                for _ in range(VALIDATION_REPEATS)
            ]
        return float(torch.stack(losses).mean())

    def compare(self, loss, weights):
        if loss < self.best:
            self.best, self.best_weights, self.since_best = loss, weights.clone(), 0
        else:
            self.since_best += 1


class Trainer:
    """One training run: the state that its steps share."""

    def __init__(self, model, held_out_rows, plan, generator):
        self.model, self.plan, self.generator = model, plan, generator
        self.average = MovingAverage(model, plan.ema_decay)
        self.held_out = None
        if held_out_rows is not None:
            self.held_out = HeldOut(held_out_rows, plan, generator.initial_seed() + 1)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=plan.learning_rate_init, betas=(0.9, 0.99), weight_decay=1e-2, fused=True
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: learning_rate_factor(step, plan.max_iter)
        )
        self.history = TrainingHistory()
        self.proven = self.latest = self.average.weights.clone()

    def step(self, rows):
        """One optimiser step on a random batch of `rows`; returns its loss."""
        index = draw_index(self.plan.batch_size, len(rows), self.plan, self.generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss = batch_loss(self.model, rows.index_select(0, index), self.plan, self.generator)
        loss.backward()
        clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.average.update(self.model)
        return loss.detach()

    def evaluate(self, losses):
        """Take stock after the steps with the given losses; the reason to stop now, or None."""
        history, plan = self.history, self.plan
        mean_loss = float(torch.stack(losses).mean())
        if not mean_loss < DIVERGED:
            return "diverged"
        history.loss_curve.append(mean_loss)
        # the losses are those of the weights before each step, so they speak for the weights of the last evaluation
        self.proven, self.latest = self.latest, self.average.weights.clone()
        if self.held_out is not None:
            history.validation_loss_curve.append(self.held_out.loss(self.average.averaged_model()))
            self.held_out.compare(history.validation_loss_curve[-1], self.average.weights)
            if self.held_out.since_best >= plan.n_iter_no_change:
                return "early_stopping"
        return None

    def finish(self):
        """Load the best weights into the model: by the held-out rows where there are any, else the latest."""
        best = None if self.held_out is None else self.held_out.best_weights
        if best is None:
            best = self.proven if self.history.stop_reason == "diverged" else self.latest
        vector_to_parameters(best, self.model.parameters())


def train(model, draw_rows, held_out_rows, plan, generator, report):
    """Train `model` in place and load the weights chosen; returns the history.

    Parameters
    ----------
    draw_rows : callable(step) -> tensor (n, p), the training rows, whose ties may be drawn anew now and then
    held_out_rows : tensor (m, p) or None; None trains to max_iter and keeps the last averaged weights
    report : callable(history), called at every evaluation
    """
    trainer, started = Trainer(model, held_out_rows, plan, generator), time.monotonic()
    try:
        _run(trainer, draw_rows, started, report)
    except KeyboardInterrupt:
        if not trainer.history.loss_curve:
            raise
        trainer.history.stop_reason = "interrupted"
    trainer.finish()
    return trainer.history


def _run(trainer, draw_rows, started, report):
    history, plan, losses = trainer.history, trainer.plan, []
    for step in range(1, plan.max_iter + 1):
        losses.append(trainer.step(draw_rows(step)))
        history.n_iter, history.seconds = step, time.monotonic() - started
        out_of_time = plan.max_time is not None and history.seconds >= plan.max_time
        if step % plan.evaluate_every == 0 or step == plan.max_iter or out_of_time:
            reason, losses = trainer.evaluate(losses) or ("max_time" if out_of_time else None), []
            report(history)
            if reason is not None:
                history.stop_reason = reason
                return
