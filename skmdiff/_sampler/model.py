"""The fitted model: all that `fit` learnt in one frozen object, and the functions that estimators are thin over.

A row goes through them like this:

    encode    table -> code W, missing cells filled from training rows
    draw      a request -> starts on the manifold -> reverse process -> code W
    decode    code W -> columns, with given cells and constraints -> table

State is numpy arrays and plain Python objects. It holds the training rows: `rows` and what was made of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._conditional.matches import Matches
from .._conditional.queries import ResolvedQuery, read_conditions, resolve, with_target
from .._corrector.corrector import Corrector
from .._diffusion import load_backend
from .._manifold.learner import ManifoldModel
from .._manifold.noise import MeasurementNoise
from .._numerics.progress import SILENT, Progress
from .._numerics.streams import MISSING_STREAM, row_uniforms
from .._starts.draw import Plan, draw_rows, plan_draw
from .._starts.from_mixture import MixtureStarts
from .._starts.in_piece import StartPieces
from .._starts.redraw import draw_with_rejection
from .._starts.source import Source
from .._table.checks import ReadTable
from .._table.codec import TableCodec, whole_columns
from .._table.columns import EmptyColumn
from .._table.constraints.constraints import Constraints
from .._table.constraints.limits import Limits
from .._table.identifiers import renumbered
from .._table.missing.hot_deck import HotDeck
from .._table.missing.indicators import N_CHAINS, MissingnessModel
from .._table.missing.patterns import MissingPatterns
from .._table.target import Target
from .encoding import complete_rows
from .parameters import check_run

if TYPE_CHECKING:
    from .._diffusion.backend import ReverseProcess


@dataclass(frozen=True)
class FittedModel:
    """What was learnt of a table.

    codec : columns <-> code
    constraints : what the rows returned hold
    patterns, missingness : which cells can be missing, and the model of when they are; None where none is
    target : the code of a target; None without one
    rows, row_weight : (n, p) encoded training rows with their targets, missing cells filled; their weights or None
    manifold : embedding, lift and neighbours of the rows; None with "passthrough"
    mixture_starts : what the reverse process starts from in place of the source, at a level of its own; or None
    source, sigma_start : where the reverse process starts, and at which noise level; the source is None for pure noise
    noise : measurement noise
    hot_deck : what fills missing cells; None where none was missing
    denoiser : the trained network as arrays
    corrector : what says which samples are drawn again; None where none is
    """

    codec: TableCodec
    constraints: Constraints
    patterns: MissingPatterns
    target: Target | None
    rows: np.ndarray
    row_weight: np.ndarray | None
    manifold: ManifoldModel | None
    source: Source | None
    sigma_start: float
    noise: MeasurementNoise
    hot_deck: HotDeck | None
    missingness: MissingnessModel | None
    denoiser: Any
    mixture_starts: MixtureStarts | None = None
    corrector: Corrector | None = None

    @property
    def start_level(self) -> float:
        """The noise level at which rows start that are asked for by nothing but their class."""
        return self.sigma_start if self.mixture_starts is None else self.mixture_starts.level

    @property
    def n_outputs(self) -> int:
        """Columns of the code of a table, without the target's."""
        return self.codec.n_outputs_


@dataclass(frozen=True)
class Request:
    """What the rows of one call are to be.

    wanted : (n_samples, width) code of the targets asked for, or None
    conditions : as users write them, or None
    """

    n_samples: int
    wanted: np.ndarray | None = None
    conditions: Any = None
    density: str = "data"
    design: str = "iid"


@dataclass(frozen=True)
class Run:
    """How the rows of one call are made: the seed, the reverse process, and threads as in joblib.

    The seed alone says which random numbers a row gets; threads and who is told of the progress change nothing.
    """

    seed: int
    process: ReverseProcess
    n_jobs: int | None = None
    progress: Progress = SILENT


@dataclass(frozen=True)
class DecodedCells:
    """What cells of a table are to be when it is decoded.

    missing : for the index of a column the rows (n_samples,) of bool in which it is missing
    cells : for the index of a column the rows (n_samples,) of bool whose cells are given, and these cells
    limits : of the cells that constraints may move
    first_row : index of the first row, from which identifiers go on
    """

    missing: dict = field(default_factory=dict)
    cells: dict = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    first_row: int = 0


def fitted_model(estimator: Any) -> FittedModel:
    """The model of a fitted `ManifoldDiffusionSampler`, for estimators built on it."""
    check_is_fitted(estimator)
    return estimator._model


def model_on_manifold(estimator: Any, method: str) -> FittedModel:
    """The model of a fitted estimator, for a method of it that needs a manifold."""
    model = fitted_model(estimator)
    if model.manifold is None:
        raise ValueError(f"{method} needs a manifold learner, got manifold='passthrough'.")
    return model


def run_of(model: FittedModel, n_steps: int, seed: int, n_jobs: int | None, progress: Progress = SILENT) -> Run:
    """A run of the model's reverse process in so many steps of the solver."""
    check_run(n_steps, n_jobs)  # both may have been set after the fit
    backend = load_backend()
    return Run(seed, backend.ReverseProcess(model.sigma_start, n_steps), n_jobs, progress)


# ---- table -> code ----------------------------------------------------------------------------------------------


def encode(model: FittedModel, table: ReadTable) -> np.ndarray:
    """Code (n, n_outputs) of rows, their missing cells filled from training rows."""
    W = model.codec.encode(table)
    if not np.isnan(W).any():
        return W
    return complete_rows(W, model.hot_deck or _hot_deck_of(model))


def rows_in_units(model: FittedModel) -> np.ndarray:
    """(n, q) training rows without their targets, between which distances in the table are measured."""
    return model.codec.in_units(model.manifold.table_)


def _hot_deck_of(model: FittedModel) -> HotDeck:
    """What fills missing cells of new rows where the table of fit had none."""
    return HotDeck(model.rows[:, : model.n_outputs], whole_columns(model.codec.blocks_), 0)


# ---- request -> code --------------------------------------------------------------------------------------------


def matches_of(model: FittedModel) -> Matches:
    """The training rows, to be searched for those that agree with conditions, and what the network says of them."""
    backend = load_backend()
    probabilities = partial(backend.probabilities, model.denoiser)
    return Matches(model.rows, model.denoiser.blocks, model.source, model.row_weight, probabilities)


def resolve_request(model: FittedModel, request: Request, seed: int) -> ResolvedQuery | None:
    """One start and one value of each given column for every row; None where there is nothing to resolve.

    Classes alone need no resolving: rows start from those of the class.
    """
    target, wanted, conditions = model.target, request.wanted, request.conditions
    if conditions is None and (wanted is None or target.is_categorical):
        return None
    conditions = {} if conditions is None else conditions
    found = read_conditions(conditions, model.codec, model.constraints, request.n_samples)
    if target is not None:
        wanted = np.full((request.n_samples, target.width), np.nan) if wanted is None else wanted
        found = replace(found, query=with_target(found.query, wanted, target.blocks(0)))
    return resolve(found, matches_of(model), model.codec, seed)


def draw(model: FittedModel, request: Request, run: Run) -> tuple[np.ndarray, ResolvedQuery | None]:
    """Code (n_samples, p) of a call, that of the target last, and what was resolved of conditions."""
    if request.conditions is not None:
        run.progress.stage("conditions")
    resolved = resolve_request(model, request, run.seed)
    run.progress.stage("samples", request.n_samples, unit="row")
    plan = plan_of(model, request, run, resolved)
    how = (model.denoiser, plan, plan.process_of(run.process), request.n_samples, run.seed, run.n_jobs)
    # with measurement noise samples are drawn behind the reverse process, and none is drawn again
    pieces = None if model.denoiser.noise.any() else plan.pieces
    if model.corrector is None and pieces is None:
        return draw_rows(*how, progress=run.progress), resolved
    accept = partial(log_acceptance, model, run.seed, resolved, pieces)
    return draw_with_rejection(*how, accept, progress=run.progress), resolved


def plan_of(model: FittedModel, request: Request, run: Run, resolved: ResolvedQuery | None = None) -> Plan:
    """How the rows of a call are drawn."""
    wanted = request.wanted
    return plan_draw(
        model.source,
        model.manifold,
        request.n_samples,
        run.seed,
        partial(rows_in_units, model),
        wanted=wanted,
        values=None if wanted is None else model.target.values_of(wanted),
        density=request.density,
        design=request.design,
        resolved=resolved,
        mixture=model.mixture_starts,
    )


def log_acceptance(
    model: FittedModel,
    seed: int,
    resolved: ResolvedQuery | None,
    pieces: StartPieces | None,
    W: np.ndarray,
    rows: np.ndarray,
) -> np.ndarray:
    """(m,) log-probabilities with which samples W (m, p), at indices `rows` of a call, are kept.

    By the pieces of the table that they start and end in, and by the corrector. That sees them with the cells missing
    that will be missing, also where a call then asks for all cells.
    """
    out = np.zeros(len(W))
    if pieces is not None:
        out += pieces.log_acceptance(model.codec.in_units(W[:, : model.n_outputs]), rows)
    if model.corrector is not None:
        missing = draw_missing(model, W, seed, resolved, rows)
        out += model.corrector.log_acceptance(model.corrector.features.of(W, missing))
    return out


def draw_missing(
    model: FittedModel, W: np.ndarray, seed: int, resolved: ResolvedQuery | None, rows: np.ndarray | None = None
) -> dict[int, np.ndarray]:
    """The rows of samples W in which columns are missing, as `DecodedCells` has them; given cells never are.

    By other random numbers than those that made the rows. `rows` are the indices of the samples in the call, by default
    all from the first on.
    """
    if model.missingness is None:
        return {}
    n_indicators = model.patterns.n_indicators
    rows = np.arange(len(W)) if rows is None else rows
    seen = None if resolved is None else seen_indicators(model.patterns, resolved, rows)
    if seen is None:
        return model.patterns.missing_rows(model.missingness.draw(W, missing_uniforms(seed, rows, n_indicators)))
    uniforms = missing_uniforms(seed, rows, N_CHAINS * n_indicators + 1)
    return model.patterns.missing_rows(model.missingness.draw_given(W, uniforms, seen))


def seen_indicators(patterns: MissingPatterns, resolved: ResolvedQuery, rows: np.ndarray) -> np.ndarray | None:
    """(m, n_indicators) of bool, of cells given in some rows of a call; None where no such cell is given in any row."""
    n_rows = len(resolved.chosen)
    seen = patterns.of_columns(resolved.asked_rows(), n_rows)
    return seen[np.minimum(rows, n_rows - 1)] if seen.any() else None


def missing_uniforms(seed: int, rows: np.ndarray, n_draws: int) -> np.ndarray:
    """Uniform numbers (m, n_draws) of rows of a call, for what is missing in them."""
    first = int(rows.min())
    return row_uniforms(seed ^ MISSING_STREAM, first, int(rows.max()) + 1, n_draws)[rows - first]


# ---- code -> table ----------------------------------------------------------------------------------------------


def contract(model: FittedModel, W: np.ndarray) -> np.ndarray:
    """Samples W, the columns of the table alone, moved to the manifold where that is asked for."""
    W = W[:, : model.n_outputs]
    return W if model.noise.cleaner is None else model.noise.cleaner.contract(W)


def decode(model: FittedModel, W: np.ndarray, of_cells: DecodedCells | None = None) -> Any:
    """The table of code W (n, n_outputs).

    Given cells are put in place here and nowhere else: W has what the network and the manifold made of them.
    """
    of_cells = DecodedCells() if of_cells is None else of_cells
    columns = renumbered(model.codec.columns_, model.codec.decode(W), of_cells.first_row)
    for j, (rows, given) in of_cells.cells.items():
        columns[j][rows] = given
    columns, _ = model.constraints.hold(columns, of_cells.limits, len(W))
    return model.codec.write(columns, of_cells.missing, len(W))


def decode_samples(
    model: FittedModel,
    W: np.ndarray,
    resolved: ResolvedQuery | None = None,
    missing: dict[int, np.ndarray] | None = None,
) -> Any:
    """The table of samples W, moved to the manifold where that is asked for, with their given cells."""
    cells = {} if resolved is None else resolved.cells
    limits = Limits() if resolved is None else resolved.limits
    return decode(model, contract(model, W), DecodedCells(missing or {}, cells, limits))


def seen_cells(model: FittedModel, table: ReadTable) -> dict:
    """For the index of a column with values the rows (n,) of bool that have it, and their cells."""
    return {
        j: (~x.missing, x.observed)
        for j, x in enumerate(table.cells)
        if not isinstance(model.codec.columns_[j], EmptyColumn)
    }


def seen_limits(model: FittedModel, table: ReadTable) -> Limits:
    """The cells of a table as limits that keep them as they are; of columns with constraints only."""
    return Limits.fixed(seen_cells(model, table)).only(model.constraints.column_indices())
