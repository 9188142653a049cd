"""The corrector of a fitted model: what it is learnt from, and what it makes of the log-density of rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import logsumexp

from .._corrector.corrector import Corrector
from .._corrector.features import Features, with_target
from .._corrector.fitting import Rows, fit_corrector
from .._numerics.deadlines import is_over, seconds_until
from .._numerics.progress import Progress
from .._numerics.streams import CORRECTOR_STREAM
from .._numerics.weights import rows_of
from .._table.checks import ReadTable
from .._table.codec import without_unseen
from .completion import MEAN_STEPS, draw_targets, predict_target
from .encoding import EncodedTable
from .fitting import Fitted
from .model import FittedModel, Request, draw, draw_missing, encode, run_of
from .settings import TrainingSettings
from .training import split_rows

MIN_ROWS = 2000
SAMPLES_PER_ROW, MAX_SAMPLES = 2, 150_000
TRIAL_SAMPLES = 1024  # by which the seconds of a corrector are foreseen
TIMES_DRAWING = 2.0  # as long as to draw samples it takes to learn from them too
HELD_OUT_FRACTION = 0.1  # where training held no row out
N_TARGETS = 16  # drawn for the log-density of a row, where targets are numbers


@dataclass(frozen=True)
class CorrectorSettings:
    """How samples are corrected: parameters of the sampler."""

    corrector: Any
    n_steps: int
    n_jobs: int | None


def with_corrector(
    fitted: Fitted,
    encoded: EncodedTable,
    settings: CorrectorSettings,
    training: TrainingSettings,
    seed: int,
    progress: Progress,
) -> Fitted:
    """What a fit leaves, with a corrector where one is asked for, there is time for it and held-out rows gain by it."""
    if settings.corrector is None or not is_correctable(fitted) or is_over(training.deadline):
        return fitted
    held_out, seen = held_out_rows(len(fitted.model.rows), training, seed)
    if not has_time(fitted.model, len(seen), settings, seed, training.deadline):
        return fitted
    features = Features(fitted.model.codec, fitted.model.target)
    samples = sample_features(fitted.model, features, len(seen), settings, seed, progress)
    progress.stage("corrector", n_reports=1)
    corrector = fit_corrector(
        settings.corrector,
        features,
        training_features(fitted.model, encoded, features, seen),
        training_features(fitted.model, encoded, features, held_out),
        samples,
        seed,
    )
    progress.report(gain_of(corrector))
    return replace(fitted, model=replace(fitted.model, corrector=corrector))


def has_time(model: FittedModel, n_rows: int, settings: CorrectorSettings, seed: int, deadline: float | None) -> bool:
    """Whether a corrector of so many rows can be learnt before a deadline: most of that is to draw samples."""
    if deadline is None:
        return True
    started, trial = time.perf_counter(), min(TRIAL_SAMPLES, n_samples_for(n_rows))
    draw(model, Request(trial), run_of(model, settings.n_steps, seed ^ CORRECTOR_STREAM, settings.n_jobs))
    seconds = (time.perf_counter() - started) * n_samples_for(n_rows) / trial
    return TIMES_DRAWING * seconds < seconds_until(deadline)


def n_samples_for(n_rows: int) -> int:
    """The samples that a corrector of so many rows learns from."""
    return min(SAMPLES_PER_ROW * n_rows, MAX_SAMPLES)


def is_correctable(fitted: Fitted) -> bool:
    """Whether samples are meant to be like the rows: not where these have noise that samples are free of."""
    model, noise = fitted.model, fitted.model.noise
    is_like = noise.cleaner is None and not noise.of_columns.any()
    is_whole = fitted.history.n_iter > 0 and fitted.history.stop_reason not in ("max_time", "diverged")
    return is_like and is_whole and len(model.rows) >= MIN_ROWS


def held_out_rows(n_rows: int, training: TrainingSettings, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows (m,) that decide and those that are learnt from: as in training or, if it held none out, by chance."""
    held_out, seen = split_rows(np.random.default_rng(seed), n_rows, training)
    if not len(held_out):
        held_out, seen = np.split(seen, [max(1, int(HELD_OUT_FRACTION * n_rows))])
    return held_out, seen


def training_features(model: FittedModel, encoded: EncodedTable, features: Features, rows: np.ndarray) -> Rows:
    """Features and weights of some training rows, NaN where a cell was missing."""
    missing = {j: cells.missing[rows] for j, cells in enumerate(encoded.table.cells)}
    return Rows(features.of(model.rows[rows], missing), rows_of(encoded.weight, rows))


def sample_features(
    model: FittedModel, features: Features, n_rows: int, settings: CorrectorSettings, seed: int, progress: Progress
) -> np.ndarray:
    """Features (n, k) of new samples of a model without a corrector, some for each of `n_rows` rows."""
    run = run_of(model, settings.n_steps, seed ^ CORRECTOR_STREAM, settings.n_jobs, progress)
    W, _ = draw(model, Request(n_samples_for(n_rows)), run)
    return features.of(W, draw_missing(model, W, run.seed, None))


def gain_of(corrector: Corrector | None) -> str:
    """What a corrector gains, in words."""
    if corrector is None:
        return "none, held-out rows gain nothing by it"
    return f"gain {corrector.gain:.4f} (standard error {corrector.gain_error:.4f}), odds to the power {corrector.alpha}"


def log_correction(model: FittedModel, table: ReadTable) -> np.ndarray:
    """(n,) what the corrector adds to the log-density of the rows of a table; their targets are not known."""
    if model.corrector is None:
        return np.zeros(len(table))
    known, _ = without_unseen(model.codec, table)
    missing = {j: cells.missing for j, cells in enumerate(known.cells)}
    F = model.corrector.features.of_table(encode(model, known), missing)
    if model.target is None:
        return model.corrector.log_weight(F)
    values, log_probability = likely_targets(model, known)
    log_weight = [model.corrector.log_weight(with_target(F, of_rows)) for of_rows in values]
    return logsumexp(np.stack(log_weight, axis=1) + log_probability, axis=1)


def likely_targets(model: FittedModel, table: ReadTable) -> tuple[np.ndarray, np.ndarray]:
    """Targets as numbers (k, n or 1) and their log-probabilities (n or 1, k) given the rows of a table."""
    run = run_of(model, MEAN_STEPS, 0, None)
    if model.target.is_categorical:
        probabilities = predict_target(model, table, 1, run)
        return np.arange(probabilities.shape[1])[:, None], np.log(np.maximum(probabilities, np.finfo(float).tiny))
    codes = draw_targets(model, table, N_TARGETS, run)
    return np.stack([model.target.values_of(of_rows) for of_rows in codes]), np.full(
        (1, len(codes)), -np.log(N_TARGETS)
    )
