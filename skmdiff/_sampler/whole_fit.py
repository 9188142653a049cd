"""A fit from a table that was read to what the sampler keeps: the model, its contraction, its corrector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._numerics.progress import Progress
from .._numerics.streams import draw_seed
from .._numerics.warnings_ import warn_user
from .._table.checks import ReadTable
from .._table.codec import spread
from .contraction import Drawing, with_contraction
from .correction import CorrectorSettings, with_corrector
from .fitting import Fitted, encode_table, fit_model
from .settings import ManifoldSettings, TableSettings, TrainingSettings

# of `fit`, at most: table, manifold, starts, mixture twice, training, contraction, samples and corrector
N_STAGES = 9
DIVERGED = (
    "The training loss grew out of bounds or was not finite after step {0} with learning_rate_init={1}: the best "
    "weights until then are kept. Try a smaller learning_rate_init."
)


def fit_table(
    table: ReadTable,
    y: np.ndarray | None,
    weight: np.ndarray | None,
    params: Mapping[str, Any],
    settings: tuple[TableSettings, ManifoldSettings, TrainingSettings],
    random_state: np.random.RandomState,
    progress: Progress,
) -> Fitted:
    """What a sampler learns from a table, its target and weights; `settings` are a part of its parameters."""
    of_table, on_manifold, training = settings
    n_steps, n_jobs = params["n_steps"], params["n_jobs"]
    seed, training_seed = draw_seed(random_state), draw_seed(random_state)
    progress.stage("table")
    encoded, constraints = encode_table(table, y, weight, of_table, seed, training)
    fitted = fit_model(encoded, constraints, on_manifold, training, training_seed, progress)
    drawing = Drawing(n_steps, n_jobs, training_seed)
    progress.stage("contraction")
    fitted = with_contraction(fitted, encoded, on_manifold, drawing, training.deadline)
    correction = CorrectorSettings(params["corrector"], n_steps, n_jobs)
    return with_corrector(fitted, encoded, correction, training, training_seed, progress)


def attributes_of(fitted: Fitted, seen: np.ndarray) -> dict[str, Any]:
    """The attributes of a fitted sampler that users read, by name; `seen` (n,) are the rows of weight above 0."""
    model, history = fitted.model, fitted.history
    out = {
        "noise_level_": model.noise.of_columns,
        "contraction_": model.noise.contraction,
        "corrector_": model.corrector,
        "numeric_": model.codec.numeric,
        "sigma_start_": model.start_level,
        "loss_curve_": history.loss_curve,
        "validation_loss_curve_": history.validation_loss_curve,
        "n_iter_": history.n_iter,
        "stop_reason_": history.stop_reason,
        "constraints_": model.constraints.written,
    }
    if model.manifold is not None:
        out["manifold_"] = model.manifold.transformer_
        out["intrinsic_dimension_"] = model.manifold.intrinsic_dimension_
        out["embedding_"] = spread(fitted.embedding, ~seen)
        out["manifold_scores_"] = fitted.manifold_scores
    if model.target is not None and model.target.is_categorical:
        out["classes_"] = model.target.classes
    return out


def warn_if_diverged(history: Any, learning_rate_init: float) -> None:
    """Say it where training ended for that."""
    if history.stop_reason == "diverged":
        warn_user(DIVERGED.format(history.n_iter, learning_rate_init), ConvergenceWarning)
