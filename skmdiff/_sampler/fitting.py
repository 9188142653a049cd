"""What `fit` does, part by part: the manifold, the source on it, the noise, what is missing, and the denoiser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._diffusion import SIGMA_MAX, SIGMA_MIN, Prior
from .._manifold.charts import Charts, choose_charts
from .._manifold.learner import ManifoldModel
from .._manifold.noise import (
    MeasurementNoise,
    check_noise_level,
    levels_of_noise,
    make_cleaner,
    noise_of_levels,
    normal_residuals,
)
from .._manifold.units import CODE, Units
from .._mixture.choice import ChosenMixture, choose_mixture, manifold_score, of_all_rows
from .._mixture.mixture import component_of
from .._numerics.checks import is_auto
from .._numerics.deadlines import halfway, is_over, seconds_until
from .._numerics.progress import Progress
from .._numerics.streams import MISSING_STREAM
from .._numerics.weights import rows_of
from .._starts.from_mixture import START_LEVEL, MixtureStarts, gate_level, mixture_is_better
from .._starts.source import Source, build_source, choose_sigma_start
from .._table.checks import ReadTable
from .._table.codec import TableCodec, cells_that_stay, coded_columns, number_columns
from .._table.constraints.constraints import Constraints, constraints_of
from .._table.constraints.written import unique_columns
from .._table.identifiers import warn_of_identifiers
from .._table.missing.indicators import MissingnessModel
from .._table.missing.patterns import MissingPatterns
from .._table.target import Target, check_target
from .defaults import chosen_manifold, default_manifold_weight
from .encoding import EncodedTable
from .model import FittedModel
from .numeric_code import fit_codec
from .settings import ManifoldSettings, TableSettings, TrainingSettings
from .training import fit_denoiser, split_rows

if TYPE_CHECKING:
    from .._diffusion.backend import DenoiserState, TrainingHistory


@dataclass(frozen=True)
class Fitted:
    """What a fit leaves: the model, the history of the training, the embedding (n, k) of the rows, or None.

    manifold_scores : (n_manifolds,) see `manifold_score`
    """

    model: FittedModel
    history: Any
    embedding: np.ndarray | None
    manifold_scores: np.ndarray


def encode_table(
    table: ReadTable,
    y: np.ndarray | None,
    weight: np.ndarray | None,
    settings: TableSettings,
    seed: int,
    training: TrainingSettings,
) -> tuple[EncodedTable, Constraints]:
    """The codes of a table and its target, and the constraints on its columns."""
    codec = fit_codec(table, weight, settings, seed, training)
    constraints = fit_constraints(settings.constraints, codec, table)
    warn_of_identifiers(codec.columns_, table.cells)
    target = None
    if y is not None:
        y = check_target(y, len(table))
        target = Target(y, weight, settings.target_type)
    return EncodedTable(codec, MissingPatterns.of(table), target, table, y, seed, weight), constraints


def fit_constraints(constraints: Any, codec: TableCodec, table: ReadTable) -> Constraints:
    """The constraints of a table, ready to be held, with a warning of what its rows break.

    Columns that are to be unique leave the code.
    """
    codec.set_identifiers(unique_columns(constraints, codec.template_), table)
    out = constraints_of(constraints, codec.columns_, codec.writers_, codec.template_, table.cells)
    out.learn(table.cells)
    return out


def fit_model(
    encoded: EncodedTable,
    constraints: Constraints,
    on_manifold: ManifoldSettings,
    training: TrainingSettings,
    training_seed: int,
    progress: Progress,
) -> Fitted:
    """Fit everything behind the codes."""
    of_columns = check_noise_level(on_manifold.noise_level, encoded.codec)  # before minutes are spent
    progress.stage("manifold")
    manifold, scores = fit_manifold(encoded, on_manifold, training.deadline)
    progress.stage("mixture")
    mixture = fit_mixture(encoded, manifold, on_manifold, training, training_seed)
    progress.stage("starts")
    source, sigma_start = fit_source(encoded, manifold, mixture, on_manifold, training.deadline)
    missingness = fit_missingness(encoded)
    noise = fit_noise(encoded, manifold, on_manifold, of_columns)
    prior = None if mixture is None else prior_of(mixture, weight_of(on_manifold, encoded, training), training)
    starts = None
    if not is_over(training.deadline):
        starts = choose_starts(encoded, manifold, source, mixture, on_manifold, sigma_start)
    model = FittedModel(
        codec=encoded.codec,
        constraints=constraints,
        patterns=encoded.patterns,
        target=encoded.target,
        rows=encoded.joint() if source is None else source.rows,
        row_weight=encoded.weight,
        manifold=manifold,
        source=source,
        sigma_start=sigma_start,
        noise=noise,
        hot_deck=encoded.hot_deck,
        missingness=missingness,
        denoiser=None,
        mixture_starts=starts,
    )
    embedding = None if manifold is None else manifold.embedding_

    def learnt(denoiser: DenoiserState, history: TrainingHistory) -> Fitted:
        return Fitted(replace(model, denoiser=denoiser), history, embedding, scores)

    how = (prior, model.start_level, noise, training, training_seed, learnt, progress)
    fitted = learnt(*fit_denoiser(encoded, *how))
    if mixture is None:
        return fitted
    progress.stage("mixture")
    return replace(fitted, model=with_all_rows(encoded, mixture, fitted.model, training.deadline))


def fit_manifold(
    encoded: EncodedTable, settings: ManifoldSettings, deadline: float | None
) -> tuple[ManifoldModel | None, np.ndarray]:
    """The manifold model of a table by the user's learner, the best of a list of them, and the scores of all.

    None with "passthrough". Past a deadline learners but the first are left out, and scores are NaN.
    """
    if settings.is_passthrough:
        return None, np.zeros(0)
    W, seen = encoded.complete, number_columns(encoded.codec.blocks_)
    seed = encoded.seed % 2**32

    def fitted(transformer: Any) -> ManifoldModel:
        transformer = chosen_manifold(transformer, len(W), seen.sum())
        return ManifoldModel(transformer, max_landmarks=settings.max_landmarks, random_state=seed).fit(W, seen)

    joint = encoded.joint()

    def score(model: ManifoldModel) -> float:
        if is_over(deadline):
            return np.nan
        return manifold_score(joint, model.shaped_embedding, encoded.blocks, encoded.seed, encoded.weight)

    first, *others = settings.manifolds
    models = [fitted(first), *(fitted(transformer) for transformer in others if not is_over(deadline))]
    scores = np.full(1 + len(others), np.nan)
    scores[: len(models)] = [score(model) for model in models]
    is_known = not np.isnan(scores).all()
    return models[int(np.nanargmax(scores)) if is_known else 0], scores


def weight_of(settings: ManifoldSettings, encoded: EncodedTable, training: TrainingSettings) -> float:
    """The weight of the mixture in the denoiser."""
    if not is_auto(settings.manifold_weight):
        return float(settings.manifold_weight)
    return 1.0 if training.max_iter == 0 else default_manifold_weight(len(encoded.table))


def prior_of(chosen: ChosenMixture, weight: float, training: TrainingSettings) -> Prior:
    """What the denoiser corrects; without training that is all, and then the mixture itself."""
    category_weights = np.ones_like(chosen.category_weights) if training.max_iter == 0 else chosen.category_weights
    return Prior(chosen.mixture, weight, category_weights)


def fit_mixture(
    encoded: EncodedTable,
    manifold: ManifoldModel | None,
    settings: ManifoldSettings,
    training: TrainingSettings,
    seed: int,
) -> ChosenMixture | None:
    """The mixture on the manifold, of the rows that the denoiser is trained on; None where it has no weight."""
    if manifold is None or weight_of(settings, encoded, training) == 0:
        return None
    W = encoded.joint()
    rows = split_rows(np.random.default_rng(seed), len(W), training)[1]
    return choose_mixture(
        W[rows],
        manifold.shaped_embedding[rows],
        encoded.blocks,
        encoded.seed,
        rows_of(encoded.weight, rows),
        halfway(training.deadline),
    )


def choose_starts(
    encoded: EncodedTable,
    manifold: ManifoldModel | None,
    source: Source | None,
    chosen: ChosenMixture | None,
    settings: ManifoldSettings,
    sigma_start: float,
) -> MixtureStarts | None:
    """The mixture to start from; None to start between rows, where that is better or asked for."""
    if chosen is None or source is None or manifold is None or settings.n_neighbors == 0:
        return None
    Z, blocks, seed = manifold.shaped_embedding, encoded.blocks, encoded.seed
    if not mixture_is_better(source, Z, settings.n_neighbors, blocks, chosen.shape, gate_level(sigma_start), seed):
        return None
    level = max(sigma_start, START_LEVEL) if is_auto(settings.sigma_start) else sigma_start
    return MixtureStarts(chosen.mixture, blocks, source.is_class, level)


def with_all_rows(
    encoded: EncodedTable, chosen: ChosenMixture, model: FittedModel, deadline: float | None
) -> FittedModel:
    """A model with a mixture of all rows in place of that of the rows trained on, in its denoiser and its starts."""
    mixture = of_all_rows(chosen, encoded.joint(), encoded.blocks, encoded.weight, deadline).mixture
    denoiser, starts = model.denoiser, model.mixture_starts
    denoiser = replace(denoiser, prior=replace(denoiser.prior, mixture=mixture))
    starts = None if starts is None else replace(starts, mixture=mixture)
    return replace(model, denoiser=denoiser, mixture_starts=starts)


def fit_source(
    encoded: EncodedTable,
    manifold: ManifoldModel | None,
    chosen: ChosenMixture | None,
    settings: ManifoldSettings,
    deadline: float | None,
) -> tuple[Source | None, float]:
    """The source on the manifold and the noise level that rows start at; without a source, noise at SIGMA_MAX."""
    if manifold is None:
        return None, SIGMA_MAX
    target, y = encoded.target, encoded.y
    W = encoded.joint()
    source = build_source(
        W,
        manifold.embedding_,
        cells_that_stay(encoded.blocks, W),
        settings.n_neighbors,
        target=None if target is None else target.values(y),
        is_class=target is not None and target.is_categorical,
        target_width=0 if target is None else target.width,
        weight=encoded.weight,
        component=None if chosen is None else component_of(chosen.mixture, W, encoded.blocks),
        seconds=seconds_until(halfway(deadline)),
    )
    if not is_auto(settings.sigma_start):
        return source, float(settings.sigma_start)
    rng = np.random.default_rng(encoded.seed)
    # frequent values say what their numbers say: the test is to see each column once
    seen = source.of_columns(number_columns(encoded.blocks))
    how = settings.n_neighbors, SIGMA_MIN, SIGMA_MAX, rng, halfway(deadline)
    return source, choose_sigma_start(seen, manifold.embedding_, *how)


def fit_missingness(encoded: EncodedTable) -> MissingnessModel | None:
    """The model of what is missing; None where nothing is."""
    if not encoded.patterns.n_indicators:
        return None
    # not the random numbers that chose the donors
    W = encoded.joint(np.random.default_rng([encoded.seed, MISSING_STREAM]))
    indicators = encoded.patterns.indicators(encoded.table)
    return MissingnessModel(W, indicators, encoded.blocks, encoded.seed, encoded.weight)


def fit_noise(
    encoded: EncodedTable, manifold: ManifoldModel | None, settings: ManifoldSettings, of_columns: np.ndarray
) -> MeasurementNoise:
    """The measurement noise (n_features,) that a user gives or, by "auto", that rows have off the manifold.

    With noise samples are contracted too, if that is asked for.
    """
    codec, given = encoded.codec, settings.noise_level
    of_code = noise_of_levels(codec, encoded.table, of_columns)
    wanted = manifold is not None and (is_auto(given) or of_code.any())
    charts = fit_charts(encoded.codec, manifold, encoded.seed) if wanted else None
    if charts is None:
        return MeasurementNoise(of_columns, of_code)
    measured = normal_residuals(charts, encoded.seed)
    if is_auto(given):
        of_code[charts.surface] = measured.noise()
        of_columns = levels_of_noise(codec, of_code)
    contraction = 0.0 if is_auto(settings.contraction) else float(settings.contraction)
    return MeasurementNoise(of_columns, of_code, make_cleaner(charts, measured, of_code[charts.surface], contraction))


def fit_charts(
    codec: TableCodec, manifold: ManifoldModel, seed: int, units: Units = CODE, rows: np.ndarray | None = None
) -> Charts | None:
    """Charts of the numbers of a table on its manifold; None where the numbers leave no direction off it.

    `rows` are those that the charts are made of, by default all.
    """
    surface, d = ~coded_columns(codec.blocks_), manifold.n_dimensions
    if surface.sum() <= d:
        return None
    rows = np.arange(len(manifold.table_)) if rows is None else rows
    return choose_charts(units.to(manifold.table_[rows]), manifold.shaped_embedding[rows], surface, d, seed)
