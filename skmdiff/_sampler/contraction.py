"""The contraction of a fitted model: the one asked for, or the one by which samples stand off the surface as rows do.

Charts are the surface through training rows. A row that they have not seen stands off it by what the rows have off any
surface, and by the error of the charts; a sample by that and by the error of the denoiser. Where the rows lie on a
surface of few dimensions, far nearer to it than to each other, and samples stand off many times as much, the difference
is error that a projection removes. Elsewhere it is left alone: charts in many dimensions miss samples and rows alike,
and a projection takes from the variety of the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._manifold.charts import BOUNDED_DIMENSIONS, Charts
from .._manifold.noise import Cleaner, make_cleaner, normal_residuals
from .._manifold.units import Units
from .._numerics.checks import is_auto
from .._numerics.deadlines import is_over
from .._numerics.streams import CONTRACTION_STREAM
from .encoding import EncodedTable
from .fitting import Fitted, fit_charts
from .model import FittedModel, Request, draw, run_of
from .settings import ManifoldSettings

FEWEST_ROWS, CHART_ROWS = 100, 2000  # of the charts that decide
N_SAMPLES = 300  # and as many rows
MOST_OFF = 0.25  # of the distance to the nearest row: rows lie on the surface
LEAST_TIMES = 3.0  # as far off as rows: samples do not
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn: parameters of the sampler, and the seed."""

    n_steps: int
    n_jobs: int | None
    seed: int


def with_contraction(
    fitted: Fitted, encoded: EncodedTable, settings: ManifoldSettings, drawing: Drawing, deadline: float | None
) -> Fitted:
    """What a fit leaves, with samples moved to the surface where that is asked for or seen to be right.

    With measurement noise that was settled when the noise was. Past a deadline it is only done where it is asked for.
    """
    model = fitted.model
    if model.manifold is None or is_auto(settings.noise_level) or model.noise.of_code.any():
        return fitted
    units = Units.of(model.codec)
    if is_auto(settings.contraction):
        if is_over(deadline):
            return fitted
        strength = choose_contraction(model, units, encoded.seed, drawing)
    else:
        strength = float(settings.contraction)
    if not strength:
        return fitted
    cleaner = contracting(fit_charts(model.codec, model.manifold, encoded.seed, units), units, strength, encoded.seed)
    return replace(fitted, model=replace(model, noise=replace(model.noise, cleaner=cleaner)))


def contracting(charts: Charts | None, units: Units, strength: float, seed: int) -> Cleaner | None:
    """What moves samples to the surface of charts by a strength; None without charts."""
    if charts is None:
        return None
    return make_cleaner(charts, normal_residuals(charts, seed), np.zeros(charts.surface.sum()), strength, units)


def choose_contraction(model: FittedModel, units: Units, seed: int, drawing: Drawing) -> float:
    """The strength by which samples stand off the surface as rows do; 0 unless rows lie on one and samples do not."""
    n_rows = len(model.manifold.table_)
    if n_rows < FEWEST_ROWS or model.manifold.n_dimensions > BOUNDED_DIMENSIONS:
        return 0.0
    rows = np.random.default_rng(seed).permutation(n_rows)
    charts = fit_charts(model.codec, model.manifold, seed, units, np.sort(rows[:CHART_ROWS]))
    if charts is None:
        return 0.0
    of_rows, spacing = charts.new_residuals(rows_of_charts(charts, seed))
    of_rows = lengths(of_rows)
    if rms(of_rows) > MOST_OFF * rms(spacing):
        return 0.0
    W = draw_columns(model, drawing)
    of_samples = lengths(charts.residuals(units.to(W))[1])
    if not stand_off(of_samples, of_rows):
        return 0.0
    return nearest_strength(contracting(charts, units, 1.0, seed), W, np.median(of_rows))


def rows_of_charts(charts: Charts, seed: int) -> np.ndarray:
    """Some rows (m,) of charts at random."""
    return np.random.default_rng(seed).permutation(len(charts.W))[:N_SAMPLES]


def draw_columns(model: FittedModel, drawing: Drawing) -> np.ndarray:
    """Code (N_SAMPLES, n_outputs) of samples, without the target's."""
    run = run_of(model, drawing.n_steps, drawing.seed ^ CONTRACTION_STREAM, drawing.n_jobs)
    return draw(model, Request(N_SAMPLES), run)[0][:, : model.n_outputs]


def stand_off(of_samples: np.ndarray, of_rows: np.ndarray) -> bool:
    """Whether samples stand off the surface far more than rows: both on the whole and in the middle one."""
    return all(size(of_samples) > LEAST_TIMES * size(of_rows) for size in (rms, np.median))


def nearest_strength(cleaner: Cleaner, W: np.ndarray, off: float) -> float:
    """Of STRENGTHS the one by which samples W stand off the surface most nearly as far as `off`, in ratio.

    The middle one does: how far the farthest rows stand off is the error of charts where the surface is bent most.
    """
    tiny = np.finfo(float).tiny

    def miss(strength: float) -> float:
        V = cleaner.units.to(replace(cleaner, strength=strength).contract(W))
        return abs(np.log(max(np.median(lengths(cleaner.charts.residuals(V)[1])), tiny) / max(off, tiny)))

    return min(STRENGTHS, key=miss)


def lengths(residuals: np.ndarray) -> np.ndarray:
    """(m,) of residuals (m, q)."""
    return np.linalg.norm(residuals, axis=1)


def rms(x: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(x**2)))
