"""The training of the denoiser: which rows it sees, its plan, and whom it tells of its evaluations."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from .._diffusion import SIGMA_MIN, load_backend
from .._manifold.noise import MeasurementNoise
from .._numerics.checks import is_auto
from .._numerics.progress import Progress
from .._table.columns import Block
from .defaults import (
    CONDITIONAL_FRACTION,
    EMA_DECAY,
    N_EVALUATIONS,
    N_ITER_NO_CHANGE,
    default_batch_size,
    default_hidden_layer_sizes,
    default_max_iter,
    n_frequencies,
    n_held_out,
)
from .encoding import EncodedTable
from .settings import TrainingSettings
from .warm_start import first_weights

if TYPE_CHECKING:
    from .._diffusion.backend import (
        DenoiserState,
        NetworkShape,
        Prior,
        TrainingHistory,
        TrainingPlan,
        TrainingRows,
    )

    Learnt = Callable[[DenoiserState, TrainingHistory], Any]


def fit_denoiser(
    encoded: EncodedTable,
    prior: Prior | None,
    start_level: float,
    noise: MeasurementNoise,
    settings: TrainingSettings,
    seed: int,
    learnt: Learnt,
    progress: Progress,
) -> tuple[DenoiserState, TrainingHistory]:
    """The denoiser trained up to the noise level of the starts, and the history of its training.

    learnt : what the fit would leave with such a denoiser, for those who listen to the progress
    """
    backend = load_backend()
    rng = np.random.default_rng(seed)
    held_out, rows = split_rows(rng, len(encoded.table), settings)
    data = training_rows(encoded, noise, held_out, rows, rng)
    plan, shape = plan_training(settings, len(rows), encoded.blocks, max(start_level, data.noise.max()))
    if plan.max_iter:
        progress.stage("training", plan.max_iter, n_reports=-(-plan.max_iter // plan.evaluate_every))
    return backend.fit_denoiser(
        data,
        encoded.blocks,
        shape,
        plan,
        prior,
        device=settings.device,
        seed=seed,
        report=reporting(progress, learnt),
        first_weights=first_weights(settings.former, encoded, shape),
        checkpoint=settings.checkpoint,
    )


def training_rows(
    encoded: EncodedTable, noise: MeasurementNoise, held_out: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> TrainingRows:
    """The rows of a table to train on, and those held out, at such indices."""
    training, weight, n_out = encoded.take(rows), encoded.weight, len(held_out)
    return load_backend().TrainingRows(
        lambda: training.joint(rng),
        noise.of_blocks(encoded.blocks),
        missing=training.missing,
        cumulated_weight=None if weight is None else np.cumsum(training.weight),
        held_out=encoded.joint()[held_out] if n_out else None,
        held_out_weight=None if weight is None else weight[held_out],
        target=None if encoded.target is None else len(encoded.codec.blocks_),
        rng=rng,
    )


def reporting(progress: Progress, learnt: Learnt) -> Callable[[TrainingHistory, Callable[[], DenoiserState]], bool]:
    """What the training calls at every evaluation."""
    n_done = 0

    def report(history: TrainingHistory, state: Callable[[], DenoiserState]) -> bool:
        nonlocal n_done
        progress.advance(history.n_iter - n_done)
        n_done = history.n_iter
        return progress.report(losses(history), lambda: learnt(state(), deepcopy(history)))

    return report


def losses(history: TrainingHistory) -> str:
    """The last losses; a training that has diverged at once has none."""
    curves = {"loss": history.loss_curve, "held-out loss": history.validation_loss_curve}
    return ", ".join(f"{name} {curve[-1]:.4f}" for name, curve in curves.items() if curve)


def split_rows(rng: np.random.Generator, n_rows: int, settings: TrainingSettings) -> tuple[np.ndarray, np.ndarray]:
    """The rows held out of training, none without early stopping, and the others, in the order of a permutation."""
    order = rng.permutation(n_rows)
    is_trained = settings.early_stopping and settings.max_iter != 0
    n_out = n_held_out(n_rows, settings.validation_fraction) if is_trained else 0
    return order[:n_out], order[n_out:]


def plan_training(
    settings: TrainingSettings, n_rows: int, blocks: list[Block], sigma_max: float
) -> tuple[TrainingPlan, NetworkShape]:
    """The plan of the training on so many rows up to a noise level, and the shape of the network."""
    backend = load_backend()
    max_iter = default_max_iter(n_rows) if is_auto(settings.max_iter) else int(settings.max_iter)
    auto_sizes = is_auto(settings.hidden_layer_sizes)
    sizes = default_hidden_layer_sizes(n_rows) if auto_sizes else tuple(settings.hidden_layer_sizes)
    plan = backend.TrainingPlan(
        max_iter=max_iter,
        batch_size=default_batch_size(n_rows) if is_auto(settings.batch_size) else settings.batch_size,
        learning_rate_init=settings.learning_rate_init,
        conditional_fraction=CONDITIONAL_FRACTION,
        ema_decay=EMA_DECAY,
        n_iter_no_change=N_ITER_NO_CHANGE,
        evaluate_every=max(1, max_iter // N_EVALUATIONS),
        sigma_min=SIGMA_MIN,
        sigma_max=sigma_max,
        deadline=settings.deadline,
    )
    return plan, backend.NetworkShape(sizes, n_frequencies(sum(block.codes is None for block in blocks)))
