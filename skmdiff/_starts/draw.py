"""The rows of a call: where they start, by a plan, and the reverse process that finishes them, by blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from .._diffusion import load_backend
from .._manifold.learner import ManifoldModel
from .._numerics.checks import check_option
from .._numerics.progress import SILENT, Progress
from .._numerics.streams import PROBE_STREAM, READ_STREAM, row_normals, row_uniforms
from .distributions import DENSITIES, DESIGNS, RowDistribution, row_distribution, strata
from .from_mixture import MixtureStarts
from .in_piece import StartPieces
from .source import Source, draw_starts

if TYPE_CHECKING:
    from .._diffusion.backend import DenoiserState, ReverseProcess


@dataclass(frozen=True)
class Plan:
    """How the n rows of a call are drawn.

    source, distribution : the rows to start from and the distribution over them; None for noise
    mixture : the mixture to start from in place of rows; None for rows
    wanted : (n, width) code of the classes asked for, or None; `values` (n,) their indices
    given : (n, p) code of the cells asked for, NaN elsewhere, the target's included; None without conditions
    adjust : callable(starts, rows of the call) -> starts with about the distribution given those cells
    strata : where the stratum of each row starts, and its mass (n,), as quantiles; None for independent draws
    chosen : (n,) the row of the source that each row starts from, where it is resolved in advance
    own_target : whether a row is to have the class of the row it starts from
    same_start : whether a sample that is drawn again starts from the same row, which the plan has shares of
    pieces : of the table, in which the rows are to end; None for anywhere
    """

    source: Source | None
    distribution: RowDistribution | None
    wanted: np.ndarray | None = None
    values: np.ndarray | None = None
    strata: tuple[np.ndarray, np.ndarray] | None = None
    chosen: np.ndarray | None = None
    own_target: bool = False
    given: np.ndarray | None = None
    adjust: Callable | None = None
    same_start: bool = False
    mixture: MixtureStarts | None = None
    pieces: StartPieces | None = None

    @property
    def n_draws(self) -> int:
        """Uniform numbers that a start takes."""
        starts = self.source if self.mixture is None else self.mixture
        return 0 if starts is None else starts.n_draws

    def process_of(self, process: ReverseProcess) -> ReverseProcess:
        """The reverse process from the noise level of the starts."""
        return process if self.mixture is None else replace(process, sigma_start=self.mixture.level)


def plan_draw(
    source: Source | None,
    model: ManifoldModel | None,
    n_samples: int,
    seed: int,
    in_units: Callable[[], np.ndarray],
    *,
    wanted: np.ndarray | None = None,
    values: np.ndarray | None = None,
    density: str = "data",
    design: str = "iid",
    resolved: Any = None,
    mixture: MixtureStarts | None = None,
) -> Plan:
    """The plan of a call, under conditions that are `resolved`; raises a ValueError where it cannot be followed.

    Starts are of `mixture`, if there is one, where no rows are asked for by their place on the manifold or their cells.
    `in_units` makes the rows (n, q) between which distances in the table are measured.
    """
    check_option(density, "density", DENSITIES)
    check_option(design, "design", DESIGNS)
    if resolved is not None:
        if (density, design) != ("data", "iid"):
            raise ValueError(
                "conditions, and numbers as y, need density='data' and design='iid', got "
                f"density={density!r}, design={design!r}."
            )
        return Plan(source, None, chosen=resolved.chosen, given=resolved.given, adjust=resolved.adjust)
    if source is None:
        if (density, design) != ("data", "iid"):
            raise ValueError(
                f"density={density!r}, design={design!r} need starts on a manifold, but the sampler was "
                "fitted with manifold='passthrough'. Shares of classes can be given as y."
            )
        return Plan(None, None, wanted, values)
    if density != "data" and wanted is not None:
        raise ValueError(f"density must be 'data' where y says which targets are wanted, got {density!r}.")
    if mixture is not None and (density, design) == ("data", "iid"):
        return Plan(source, None, wanted, values, mixture=mixture)
    in_units = cache(in_units)
    distribution, found = row_distribution(density, design, source, model, in_units), None
    if design == "stratified":
        target = None if values is None else source.target
        found = strata(distribution, np.zeros(n_samples) if values is None else values, target, seed)
    plan = Plan(
        source,
        distribution,
        wanted,
        values,
        found,
        own_target=density == "balanced" and source.is_class,
        same_start=(density, design) != ("data", "iid"),
    )
    if design == "iid":
        return plan
    # a stratum lies in one mode, and so does its middle
    starts = _choose(plan, np.full(n_samples, 0.5), np.arange(n_samples))
    return replace(plan, pieces=StartPieces.of(in_units(), starts))


def draw_rows(
    denoiser: DenoiserState,
    plan: Plan,
    process: ReverseProcess,
    n_samples: int,
    seed: int,
    n_jobs: int | None = None,
    progress: Progress = SILENT,
    finish: Callable | None = None,
) -> np.ndarray:
    """Encoded rows (n_samples, p) of a plan, the code of the target last.

    Complete blocks are made, whatever the number of rows, and n_jobs changes nothing. `finish` stands for the backend's
    `sample_block`.
    """
    backend = load_backend()
    levels = np.maximum(process.sigma_start, backend.noise_of_columns(denoiser))

    def block(start: int) -> np.ndarray:
        stop = start + backend.BLOCK_ROWS
        uniforms = draw_uniforms(plan.n_draws, seed, start, stop, Width.of(denoiser))
        x, given = starts_of(plan, np.arange(start, stop), uniforms, levels)
        return finish_block(denoiser, process, x, given, uniforms, _probe(denoiser, seed, start), finish)

    return in_blocks(block, n_samples, n_jobs, progress)


def draw_states(
    denoiser: DenoiserState, plan: Plan, process: ReverseProcess, n_samples: int, seed: int, n_jobs: int | None = None
) -> np.ndarray:
    """What the rows of `draw_rows` go through, (n_samples, n_steps + 2, p), clean rows last."""
    return draw_rows(denoiser, plan, process, n_samples, seed, n_jobs, finish=load_backend().states_of_block)


def draw_from(
    denoiser: DenoiserState,
    process: ReverseProcess,
    points: np.ndarray,
    seed: int,
    n_jobs: int | None = None,
    same_noise: bool = False,
) -> np.ndarray:
    """Encoded rows (n, p) from given clean starts; if all have the same noise, near starts give near rows."""
    backend = load_backend()
    levels = np.maximum(process.sigma_start, backend.noise_of_columns(denoiser))

    def block(start: int) -> np.ndarray:
        stop, noisy = start + backend.BLOCK_ROWS, 0 if same_noise else start
        uniforms = draw_uniforms(0, seed, noisy, 1 if same_noise else stop, Width.of(denoiser))
        uniforms = np.tile(uniforms, (backend.BLOCK_ROWS // len(uniforms), 1))
        x = _at(points, np.arange(start, stop)) + levels * row_normals(uniforms[:, : len(levels)])
        return finish_block(denoiser, process, x, None, uniforms, _probe(denoiser, seed, noisy))

    return in_blocks(block, len(points), n_jobs)


def in_blocks(
    block: Callable[[int], np.ndarray], n_samples: int, n_jobs: int | None, progress: Progress = SILENT
) -> np.ndarray:
    """The first n_samples rows of the blocks that `block` makes, each given its first row."""
    backend = load_backend()
    starts = range(0, n_samples, backend.BLOCK_ROWS)

    def told(start: int) -> np.ndarray:
        rows = block(start)
        progress.advance(min(len(rows), n_samples - start))
        return rows

    return np.concatenate(Parallel(n_jobs=n_jobs, prefer="threads")(delayed(told)(s) for s in starts))[:n_samples]


def _probe(denoiser: DenoiserState, seed: int, start: int) -> np.ndarray | None:
    """Normals for the draw of clean values in one block, of a separate stream; None where no column has noise."""
    backend = load_backend()
    if not denoiser.noise.any():
        return None
    width = denoiser.blocks[-1].stop
    return row_normals(row_uniforms(seed ^ PROBE_STREAM, start, start + backend.BLOCK_ROWS, width))


def finish_block(
    denoiser: DenoiserState,
    process: ReverseProcess,
    x: np.ndarray,
    given: np.ndarray | None,
    uniforms: np.ndarray,
    probe: np.ndarray | None,
    finish: Callable | None = None,
) -> np.ndarray:
    """One block of encoded rows from their starts x, with what is given (NaN where nothing is), or None.

    By the last ones of their uniform numbers, a category each, and the normals `probe`.
    """
    finish = load_backend().sample_block if finish is None else finish
    n_blocks = len(denoiser.blocks)
    known = np.zeros(n_blocks, dtype=bool)
    if given is not None:
        known = ~np.isnan(given[:, [block.start for block in denoiser.blocks]])
        x = np.where(np.isnan(given), x, given)
    return finish(denoiser, x, known, process, uniforms[:, -n_blocks:], probe)


@dataclass(frozen=True)
class Width:
    """How many random numbers a row takes: a column of the code one for its noise, a block one to be read by."""

    n_columns: int
    n_blocks: int

    @classmethod
    def of(cls, denoiser: DenoiserState) -> Width:
        return cls(denoiser.blocks[-1].stop, len(denoiser.blocks))


def draw_uniforms(n_draws: int, seed: int, start: int, stop: int, width: Width) -> np.ndarray:
    """Uniform numbers of the rows start..stop-1 of a call: n_draws of their starts, their noise, and what is read."""
    of_starts = row_uniforms(seed, start, stop, n_draws + width.n_columns)
    return np.hstack([of_starts, row_uniforms(seed ^ READ_STREAM, start, stop, width.n_blocks)])


def starts_of(
    plan: Plan, rows: np.ndarray, uniforms: np.ndarray, levels: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Starts (m, p) of rows of a call at the noise levels (p,), and the code of what is given, or None.

    From their `draw_uniforms`. Rows past the end of the call are made as well, with what its last row asks for: all
    blocks have one size.
    """
    n_draws, p = plan.n_draws, len(levels)
    noise = row_normals(uniforms[:, n_draws : n_draws + p])
    given = _at(plan.wanted, rows) if plan.given is None else _at(plan.given, rows)
    if plan.source is None:
        return np.sqrt(1 + levels**2) * noise, _padded(given, p)
    uniforms = uniforms[:, :n_draws]
    if plan.mixture is not None:
        return plan.mixture.draw(uniforms, _at(plan.values, rows)) + levels * noise, _padded(given, p)
    chosen = _choose(plan, uniforms[:, 0], rows)
    x = draw_starts(plan.source, uniforms, chosen)
    if plan.adjust is not None:
        x = plan.adjust(x, np.minimum(rows, len(plan.given) - 1))
    if plan.own_target:
        given = plan.source.rows[chosen, -plan.source.target_width :]
    return x + levels * noise, _padded(given, p)


def _padded(codes: np.ndarray | None, n_columns: int) -> np.ndarray | None:
    """Codes of the last columns as rows (m, n_columns), NaN where nothing is given; None stays None."""
    if codes is None:
        return None
    return np.pad(codes, ((0, 0), (n_columns - codes.shape[1], 0)), constant_values=np.nan)


def _choose(plan: Plan, u: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The training row that each row starts from."""
    if plan.chosen is not None:
        return _at(plan.chosen, rows)
    if plan.strata is not None:
        low, mass = plan.strata
        u = _at(low, rows) + u * _at(mass, rows)
    if plan.values is None:
        return plan.distribution.rows_at(u)
    source = plan.source
    return plan.distribution.rows_with_target(u, _at(plan.values, rows), source.target, source.weight)


def _at(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """Entries of the rows of a call; the last one for rows past its end."""
    return None if values is None else values[np.minimum(rows, len(values) - 1)]
