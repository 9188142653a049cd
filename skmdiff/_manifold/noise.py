"""Measurement noise: how much of it there is, and rows without it.

A row seen is a clean row plus independent noise, of standard deviation s_j in column j. It differs from its projection
on the surface that the charts of the manifold find by a normal residual r = P (w - projection), P (q, q) the projector
off the tangent space there: the scatter of clean rows, plus P times the noise. Over all rows r has a covariance R, of
which S = mean of P diag(s^2) P is noise. The best linear guess of the clean part is the Wiener filter (R - S) R^-1 r:
nothing where R is all noise, everything where there is little. In the coordinates in which R is the identity an
eigenvalue e of S leaves 1 - e, and nothing where 1 / e is as near to 1 as the largest eigenvalue of a sample covariance
of white noise (Marchenko & Pastur 1967).

The denoiser removes noise too, in every direction, from what it has learnt of all rows. Putting rows on the surface
afterwards gains only where the surface holds all of a clean row and is known well: where R is noise for the most part,
and few dimensions and many neighbours leave little of the noise (`NormalResiduals.are_noise`).
"""

from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from scipy.optimize import nnls

from .._numerics.checks import is_auto
from .._numerics.neighbors import nearest
from .._table.checks import ReadTable
from .._table.codec import TableCodec
from .._table.columns import Block, Column
from .._table.numeric import NumericColumn
from .charts import Charts, leave_out
from .units import CODE, Units

LARGEST_NOISE = 1.0  # in the code: a column that is all noise
MEASURED_ROWS = 1000
LARGEST_NOISE_LEFT, LEAST_NOISE_FRACTION = 0.5, 0.7
REACH_NEIGHBORS, REACH = 15, 1.5  # a sample may be as far from the surface as the rows around it, times this
SINGULAR = 1e-10  # of the largest eigenvalue


@dataclass(frozen=True)
class MeasurementNoise:
    """The measurement noise of a table, and what removes it.

    of_columns : (n_features,) standard deviations in the units of the columns, 0 where there is none
    of_code : (n_outputs,) noise levels in the code
    cleaner : Cleaner, or None where samples stay as the denoiser makes them
    """

    of_columns: np.ndarray
    of_code: np.ndarray
    cleaner: "Cleaner | None" = None

    @property
    def contraction(self) -> float:
        """Strength by which samples are moved to the surface."""
        return 0.0 if self.cleaner is None else self.cleaner.strength

    def of_blocks(self, blocks: list[Block]) -> np.ndarray:
        """(n_blocks,) noise levels of the blocks of a code that may go on behind the table's, without noise there."""
        return np.array([self.of_code[b.start] if b.start < len(self.of_code) else 0.0 for b in blocks])


@dataclass(frozen=True)
class NormalResiduals:
    """Normal residuals of training rows, each from the charts of the others.

    rows : (m,) the rows
    residuals : (m, q) r, of the variance that they have off the true surface
    normals : (m, q, q) projectors P
    noise_left : fraction of the variance of the noise that a row put on the surface keeps: along it, and by
        the error of the surface
    """

    rows: np.ndarray
    residuals: np.ndarray
    normals: np.ndarray
    noise_left: float

    def covariance(self) -> np.ndarray:
        """R."""
        return self.residuals.T @ self.residuals / len(self.residuals)

    def noise_covariance(self, noise: np.ndarray) -> np.ndarray:
        """S for the noise (q,)."""
        return np.einsum("mij,j,mkj->ik", self.normals, noise**2, self.normals, optimize=True) / len(self.normals)

    def are_noise(self, noise: np.ndarray) -> bool:
        """Whether rows put on the surface are nearer to clean ones than the denoiser's, for the noise (q,)."""
        fraction = np.trace(self.noise_covariance(noise)) / max(np.trace(self.covariance()), np.finfo(float).tiny)
        return bool(fraction >= LEAST_NOISE_FRACTION and self.noise_left <= LARGEST_NOISE_LEFT)

    def noise(self) -> np.ndarray:
        """(q,) noise if all of R is: the s_j^2 >= 0 whose S has the diagonal of R, by least squares."""
        squares = nnls(np.mean(self.normals**2, axis=0), np.mean(self.residuals**2, axis=0))[0]
        return np.minimum(LARGEST_NOISE, np.sqrt(squares))


def normal_residuals(charts: Charts, seed: int) -> NormalResiduals:
    """Normal residuals of at most MEASURED_ROWS rows of the charts."""
    rows = np.random.default_rng(seed).permutation(len(charts.W))[:MEASURED_ROWS]
    left = leave_out(charts.W[:, charts.surface], charts.patches[:, 1:], rows, charts.n_dimensions)
    normals = np.eye(left.frames.shape[1]) - left.frames @ left.frames.transpose(0, 2, 1)
    noise_left = charts.n_dimensions / normals.shape[1] + left.variance.mean()
    return NormalResiduals(rows, left.residuals / np.sqrt(1 + left.variance)[:, None], normals, noise_left)


@dataclass(frozen=True)
class Cleaner:
    """Takes encoded rows towards the surface of the charts.

    units : those in which the charts see the code
    kept : (q, q) what is kept of a normal residual r, as r @ kept
    strength : from 0 to 1, the fraction of the way that samples are moved
    rows : (m, p) training rows, in these units
    reach : (m,) distance from the surface that a sample near each of the rows may have
    """

    charts: Charts
    units: Units
    kept: np.ndarray
    strength: float
    rows: np.ndarray
    reach: np.ndarray

    def clean(self, W: np.ndarray) -> np.ndarray:
        """Rows seen, (m, p), without their noise off the surface."""
        V = self.units.to(W)
        _, normal = self.charts.residuals(V)
        return self._put(V, V[:, self.charts.surface] - normal + normal @ self.kept)

    def contract(self, W: np.ndarray) -> np.ndarray:
        """Samples (m, p), moved until they are no farther from the surface than the training rows around them."""
        V = self.units.to(W)
        projections, normal = self.charts.residuals(V)
        kept = normal @ self.kept
        length = np.maximum(np.linalg.norm(kept, axis=1), np.finfo(float).tiny)
        goal = projections + kept * np.minimum(1, self.reach_of(V) / length)[:, None]
        return self._put(V, (1 - self.strength) * V[:, self.charts.surface] + self.strength * goal)

    def reach_of(self, V: np.ndarray) -> np.ndarray:
        """(m,) distance from the surface that samples V (m, p) may have."""
        return self.reach[nearest(self.rows, V, 1)[1][:, 0]]

    def _put(self, V: np.ndarray, values: np.ndarray) -> np.ndarray:
        out = V.copy()
        out[:, self.charts.surface] = values
        return self.units.back(out)


def make_cleaner(
    charts: Charts, measured: NormalResiduals, noise: np.ndarray, contraction: float, units: Units = CODE
) -> Cleaner | None:
    """The cleaner of charts for the noise (q,), or one that moves samples by `contraction`; None for neither."""
    removes = noise.any() and measured.are_noise(noise)
    if not (removes or contraction):
        return None
    kept = np.eye(len(noise))
    if removes:
        kept = wiener(measured.covariance(), measured.noise_covariance(noise), len(measured.rows))
    rows = charts.W[measured.rows]
    lengths = np.sum((charts.residuals(rows)[1] @ kept) ** 2, axis=1)
    around = nearest(rows, rows, min(REACH_NEIGHBORS, len(rows)))[1]
    reach = REACH * np.sqrt(lengths[around].mean(axis=1))
    return Cleaner(charts, units, kept, 1.0 if removes else contraction, rows, reach)


def wiener(covariance: np.ndarray, noise_covariance: np.ndarray, n_rows: int) -> np.ndarray:
    """(q, q) filter F that takes a residual r to its clean part r @ F, for R measured on n_rows, and S."""
    values, vectors = np.linalg.eigh(covariance)
    seen = values > SINGULAR * max(values[-1], np.finfo(float).tiny)
    root, vectors = np.sqrt(values[seen]), vectors[:, seen]
    whitened = vectors / root
    noisy, axes = np.linalg.eigh(whitened.T @ noise_covariance @ whitened)
    edge = (1 + np.sqrt(len(root) / n_rows)) ** -2
    forth, back = whitened @ axes, (vectors * root) @ axes
    return (forth * np.where(noisy < edge, 1 - noisy, 0.0)) @ back.T


def noise_of_levels(codec: TableCodec, table: ReadTable, noise_level: np.ndarray) -> np.ndarray:
    """Noise (n_outputs,) in the code for standard deviations (n_features,) in the units of the columns.

    The code is not linear: a column's noise is the root mean square of what +-s does to the code of its values.
    """
    noise: list[float] = []
    for j, column in enumerate(codec.columns_):
        if noise_level[j] == 0:
            noise += [0.0] * column.width
            continue
        x = table.cells[j].observed.astype(np.float64)
        secant = (column.encode(x + noise_level[j]) - column.encode(x - noise_level[j]))[:, 0] / 2
        noise += [min(LARGEST_NOISE, np.sqrt(np.mean(secant**2))), *[0.0] * (column.width - 1)]
    return np.array(noise)


def levels_of_noise(codec: TableCodec, noise: np.ndarray) -> np.ndarray:
    """Standard deviations (n_features,) in the units of the columns; 0 for columns that are not numbers."""
    levels, start = np.zeros(len(codec.columns_)), 0
    for j, column in enumerate(codec.columns_):
        if is_measured(column):
            levels[j] = noise[start] * column.std
        start += column.width
    return levels


def is_measured(column: Column) -> TypeGuard[NumericColumn]:
    """Whether a column holds numbers that vary, dates not being measured."""
    return isinstance(column, NumericColumn)


def check_noise_level(noise_level: Any, codec: TableCodec) -> np.ndarray:
    """(n_features,) standard deviations asked for, zero for None and "auto"; a ValueError says what is wrong."""
    numeric = np.array([is_measured(column) for column in codec.columns_])
    if noise_level is None or is_auto(noise_level):
        return np.zeros(len(numeric))
    levels = _as_levels(noise_level, numeric)
    bad = ~(np.isfinite(levels) & (levels >= 0)) | (levels > 0) & ~numeric
    if bad.any():
        j = int(np.argmax(bad))
        raise ValueError(
            f"noise_level must be finite, at least 0, and 0 for a column that is not a number that "
            f"varies, got {float(levels[j])} for column {codec.columns_[j].name!r}."
        )
    return levels


def _as_levels(noise_level: Any, numeric: np.ndarray) -> np.ndarray:
    try:
        levels = np.asarray(noise_level, dtype=float)
        return np.where(numeric, levels, 0.0) if levels.ndim == 0 else levels.reshape(numeric.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"noise_level must be None, 'auto', a number or one number a column, {len(numeric)} in all, "
            f"got {noise_level!r}."
        ) from error
