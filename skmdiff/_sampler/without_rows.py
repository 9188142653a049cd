"""A fitted sampler without its training rows, for a model file that others may have.

What holds rows is the code, of which every number seen is a part, and what stands on the rows themselves: the source,
the embedding, what fills missing cells, charts. The code is made coarse (`coarse.py`); then the sampler draws rows, and
all that stood on training rows is made of these, as a fit makes it of a table. Network, trees and mixture stay: they
are what was learnt, of many rows each. Thresholds of trees that look at cells are moved between the numbers that are
left, and components of the mixture with too few rows are left out.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from .._corrector.corrector import Corrector
from .._corrector.features import Features
from .._files.errors import ModelFileError
from .._files.trees import half_way, is_boosted, thresholds_moved
from .._manifold.charts import Charts
from .._manifold.learner import ManifoldModel, distinct_rows
from .._manifold.lift import choose_lift
from .._manifold.noise import Cleaner, MeasurementNoise
from .._manifold.units import Units
from .._mixture.mixture import Mixture, component_of
from .._starts.source import build_source
from .._table.coarse import coarse_codec, coarse_target, copies_among, rare_cells, ticks_of
from .._table.codec import TableCodec, cells_that_stay
from .._table.constraints.combinations import Combinations
from .._table.constraints.constraints import Constraints
from .._table.constraints.written import read_constraints
from .encoding import EncodedTable
from .fitting import fit_charts
from .model import DecodedCells, FittedModel, Request, contract, decode, draw, draw_missing, run_of

LEAST_ROWS, MOST_ROWS = 2000, 20_000  # that stand for those of the table
FEWEST_ROWS = 50
SEED = 0


def without_rows(sampler: Any, k: int) -> Any:
    """A copy of a fitted sampler that holds no training row, and no cell that fewer than k rows hold."""
    model = sampler._model
    check_held_by_many(model, k)
    learnt = with_coarse_code(model, k)
    encoded = drawn_rows(sampler, learnt, k)
    out = copy(sampler)
    out._model = on_rows(learnt, encoded)
    out.corrector_ = out._model.corrector
    if model.manifold is not None:
        out.embedding_, out.manifold_ = out._model.manifold.embedding_, out._model.manifold.transformer_
    return out


def check_held_by_many(model: FittedModel, k: int) -> None:
    """Raise where categories or combinations are of too few rows, by name."""
    W = model.rows if model.hot_deck is None else model.hot_deck.rows
    found = rare_cells(model.codec, W[:, : model.n_outputs], k)
    if model.target is not None:
        found += [text.replace("'x0'", "'y'") for text in rare_cells(model.target.codec, W[:, model.n_outputs :], k)]
    for one in model.constraints.dependences.ordered:
        if isinstance(one, Combinations) and (one.counts < k).any():
            found.append(f"{one.label} has {(one.counts < k).sum()} such combination(s)")
    if found:
        raise ModelFileError(
            f"training_rows=False needs every category, and combination that a constraint keeps, in least_count={k} "
            f"rows or more, but {'; '.join(found)}. Put rare categories together before fit, fit with "
            "constraints=None, or lower least_count."
        )


# ---- what was learnt, of a coarse code ---------------------------------------------------------------------------


def with_coarse_code(model: FittedModel, k: int) -> FittedModel:
    """The model, all but its rows, without cells of fewer than k rows."""
    codec = coarse_codec(model.codec, k)
    target = None if model.target is None else coarse_target(model.target, k)
    least = k / len(model.rows)
    prior, starts = model.denoiser.prior, model.mixture_starts
    if prior is not None:
        prior = replace(prior, mixture=heavy_components(prior.mixture, least))
    if starts is not None:
        starts = replace(starts, mixture=heavy_components(starts.mixture, least))
    corrector = None if model.corrector is None else coarse_corrector(model.corrector, Features(codec, target))
    return replace(
        model,
        codec=codec,
        target=target,
        denoiser=replace(model.denoiser, prior=prior),
        mixture_starts=starts,
        corrector=corrector,
    )


def heavy_components(mixture: Mixture, least: float) -> Mixture:
    """The components of a mixture of at least such a weight."""
    heavy = mixture.weights >= min(least, mixture.weights.max())
    weights = mixture.weights[heavy] / mixture.weights[heavy].sum()
    return replace(
        mixture,
        weights=weights,
        means=mixture.means[heavy],
        loadings=mixture.loadings[heavy],
        variances=mixture.variances[heavy],
        shares=mixture.shares[heavy],
    )


def coarse_corrector(corrector: Corrector, features: Features) -> Corrector:
    """The corrector, its thresholds and edges half-way between the numbers that are left."""
    if not is_boosted(corrector.classifier):
        return replace(corrector, features=features)  # it is refused when it is written
    numbers = [ticks_of(column) for column in features.codec.columns_ if column.width]
    if features.target is not None:
        numbers.append(ticks_of(features.target.codec.columns_[0]))
    margins = tuple(
        replace(margin, edges=half_way(margin.edges, given))
        for margin, given in zip(corrector.margins, numbers, strict=False)
    )
    moved = thresholds_moved(corrector.classifier, numbers)
    return replace(corrector, features=features, classifier=moved, margins=margins)


# ---- rows in place of those of the table -------------------------------------------------------------------------


def drawn_rows(sampler: Any, model: FittedModel, k: int) -> EncodedTable:
    """As many rows as the table had, within bounds, that the model draws, encoded; none is a copy of a training row."""
    n_rows = int(np.clip(len(model.rows), LEAST_ROWS, MOST_ROWS))
    run = run_of(model, sampler.n_steps, SEED, sampler.n_jobs)
    W, _ = draw(model, Request(2 * n_rows), run)
    cells = model.codec.decode(contract(model, W))
    of_table = sampler._model.codec.decode(model.rows[:, : model.n_outputs])
    varies = [j for j, column in enumerate(model.codec.columns_) if column.width]
    is_copy = copies_among([cells[j] for j in varies], [of_table[j] for j in varies], k)
    rows = np.flatnonzero(~is_copy)[:n_rows]
    if len(rows) < FEWEST_ROWS:
        raise ModelFileError(
            f"training_rows=False needs samples that are no training rows, got {len(rows)} of {2 * n_rows}: the table "
            "has hardly any rows that it does not hold. Share its counts instead."
        )
    missing = {j: lacking[rows] for j, lacking in draw_missing(model, W, run.seed, None).items()}
    X = decode(model, contract(model, W[rows]), DecodedCells(missing))
    y = None if model.target is None else model.target.decode(W[rows, model.n_outputs :])
    return EncodedTable(model.codec, model.patterns, model.target, model.codec.read(X), y, SEED)


def on_rows(model: FittedModel, encoded: EncodedTable) -> FittedModel:
    """The model with all that stands on rows made of encoded ones."""
    manifold = None if model.manifold is None else manifold_of(model.manifold, encoded)
    source = None
    if model.source is not None and manifold is not None:
        source = source_of(model, encoded, manifold)
    return replace(
        model,
        rows=encoded.joint() if source is None else source.rows,
        row_weight=None,
        manifold=manifold,
        source=source,
        hot_deck=encoded.hot_deck,
        constraints=constraints_of_rows(model, encoded),
        noise=noise_of_rows(model, encoded, manifold),
    )


def manifold_of(manifold: ManifoldModel, encoded: EncodedTable) -> ManifoldModel:
    """The manifold with rows embedded as new ones are."""
    out, W = copy(manifold), encoded.complete
    vars(out).pop("neighbors_", None)
    out.table_, out.embedding_ = W, manifold.embed(W)
    out.landmarks_ = np.sort(distinct_rows(out._view(W))[0])
    out.landmark_embedding_ = out.embedding_[out.landmarks_] * out.scale_ + out.center_
    out.lift_ = choose_lift(out.shaped_embedding, W, out.random_state)
    return out


def source_of(model: FittedModel, encoded: EncodedTable, manifold: ManifoldModel) -> Any:
    """The source over the rows, with as many neighbours as before."""
    W, target, component = encoded.joint(), encoded.target, None
    if model.source.component is not None:
        component = component_of(model.denoiser.prior.mixture, W, encoded.blocks)
    return build_source(
        W,
        manifold.embedding_,
        cells_that_stay(encoded.blocks, W),
        model.source.neighborhoods.shape[1] - 1,
        target=None if target is None else target.values(encoded.y),
        is_class=model.source.is_class,
        target_width=model.source.target_width,
        component=component,
    )


def constraints_of_rows(model: FittedModel, encoded: EncodedTable) -> Constraints:
    """The constraints as they were written, with what is learnt of rows learnt of these."""
    codec, written = encoded.codec, model.constraints.written
    read = [replace(one, is_found=True) for one in read_constraints(written, codec.columns_, codec.template_)]
    out = Constraints(read, codec.columns_, codec.writers_, written)
    out.learn(encoded.table.cells)
    return out


def noise_of_rows(model: FittedModel, encoded: EncodedTable, manifold: ManifoldModel | None) -> MeasurementNoise:
    """The measurement noise, with what moves rows to the surface on charts of these rows."""
    old = model.noise.cleaner
    if old is None or manifold is None:
        return replace(model.noise, cleaner=None)
    units = Units({j: column for j, column in columns_by_start(encoded.codec).items() if j in old.units.columns})
    charts = fit_charts(encoded.codec, manifold, SEED, units)
    return replace(model.noise, cleaner=None if charts is None else cleaner_of(old, charts, units, encoded.complete))


def cleaner_of(old: Cleaner, charts: Charts, units: Units, W: np.ndarray) -> Cleaner:
    """The cleaner on charts of rows W (n, p), with what it keeps and how far rows may be off the surface as before."""
    some = np.random.default_rng(SEED).permutation(len(W))[: len(old.rows)]
    return replace(old, charts=charts, units=units, rows=charts.W[some], reach=old.reach_of(old.units.to(W[some])))


def columns_by_start(codec: TableCodec) -> dict[int, Any]:
    """The columns of a table by where their code begins."""
    starts = np.cumsum([0, *(column.width for column in codec.columns_)])[:-1]
    return dict(zip(starts.tolist(), codec.columns_, strict=True))
