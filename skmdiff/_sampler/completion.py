"""Rows completed given some of their cells, and conditional means, by a fitted model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .._conditional.matches import Matches
from .._conditional.network import predict
from .._conditional.queries import query_of_codes
from .._conditional.starts import choose_starts
from .._numerics.streams import START_STREAM, row_uniforms
from .._starts.draw import Plan, draw_rows
from .._table.checks import ReadTable
from .._table.codec import TableCodec
from .._table.columns import nearest_codes
from .._table.constraints.limits import Limits
from .._table.grids import to_grid
from .._table.integers import offsets, origin_of
from .._table.missing.hot_deck import with_unknown_target
from .model import DecodedCells, FittedModel, Request, Run, contract, decode, draw, matches_of, seen_limits

MEAN_STEPS = 4  # of the reverse process, for means: more draws of fewer steps say more of a mean
CHUNK_ROWS = 2048  # completed at once


def complete(model: FittedModel, table: ReadTable, n_draws: int, run: Run, first_row: int = 0) -> list:
    """`n_draws` tables, each in parts, in which the missing cells of a table are drawn given the others.

    Identifiers are those of new rows from the index `first_row` on.
    """
    parts = []
    for rows, drawn in _in_chunks(model, table, n_draws, run):
        of_cells = DecodedCells(limits=seen_limits(model, table.take(rows)), first_row=first_row + int(rows[0]))
        parts.append([decode(model, contract(model, W), of_cells) for W in drawn])
    return [list(tables) for tables in zip(*parts, strict=True)]


def complete_by_means(model: FittedModel, table: ReadTable, n_draws: int, run: Run, first_row: int = 0) -> list:
    """One table, in parts, whose missing cells hold means, or commonest categories, of draws given the others."""
    parts = []
    for rows, drawn in _in_chunks(model, table, n_draws, few_steps(run)):
        W = contract(model, drawn.reshape(-1, drawn.shape[-1])).reshape(*drawn.shape[:2], -1)
        parts.append(mean_table(model, W, seen_limits(model, table.take(rows)), first_row + int(rows[0])))
    return [parts]


def predict_target(model: FittedModel, table: ReadTable, n_draws: int, run: Run) -> np.ndarray:
    """E[y | X]: probabilities (m, n_classes), or means (m,) of numbers over draws."""
    target, blocks = model.target, model.denoiser.blocks
    if target.is_categorical:
        W = with_unknown_target(model.codec.encode(table), blocks[-1].stop)
        return predict(matches_of(model), query_of_codes(W, blocks), len(blocks) - 1)
    return np.mean([target.decode(codes) for codes in draw_targets(model, table, n_draws, run)], axis=0)


def draw_targets(model: FittedModel, table: ReadTable, n_draws: int, run: Run) -> np.ndarray:
    """Code (n_draws, m, width) of targets given the rows of a table."""
    chunks = _in_chunks(model, table, n_draws, few_steps(run))
    return np.concatenate([drawn[:, :, -model.target.width :] for _, drawn in chunks], axis=1)


def mean_rows(model: FittedModel, y: np.ndarray, n_draws: int, run: Run) -> Any:
    """E[X | y]: a table of one row a target (m,), of means over draws; equal targets share their draws.

    Of draws that are not corrected, as those of all means are.
    """
    model = replace(model, corrector=None)
    wanted = model.target.encode_wanted(y, len(y))
    distinct, which = np.unique(wanted, axis=0, return_inverse=True)
    request = Request(n_draws * len(distinct), wanted=np.tile(distinct, (n_draws, 1)))
    W, _ = draw(model, request, run)
    drawn = contract(model, W).reshape(n_draws, len(distinct), -1)
    return mean_table(model, drawn[:, which.ravel()], Limits())


def few_steps(run: Run) -> Run:
    """The same with the reverse process for means."""
    return replace(run, process=replace(run.process, n_steps=min(run.process.n_steps, MEAN_STEPS)))


def _in_chunks(model: FittedModel, table: ReadTable, n_draws: int, run: Run) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Completions of a table, some rows after the other: pairs of their indices (m,) and code (n_draws, m, p).

    With the code of a target behind. The first draws are those of a call for fewer.
    """
    W = with_unknown_target(model.codec.encode(table), model.denoiser.blocks[-1].stop)
    matches = matches_of(model)
    run.progress.stage("filling", len(W), unit="row")
    for k in range(0, len(W), CHUNK_ROWS):
        rows = np.arange(k, min(k + CHUNK_ROWS, len(W)))
        drawn = _draw_given(model, matches, np.tile(W[rows], (n_draws, 1)), replace(run, seed=run.seed ^ k))
        run.progress.advance(len(rows))
        yield rows, drawn.reshape(n_draws, len(rows), -1)


def _draw_given(model: FittedModel, matches: Matches, W: np.ndarray, run: Run) -> np.ndarray:
    """Code (m, p) of rows with the cells of W (m, p) that are not NaN."""
    blocks = model.denoiser.blocks
    uniforms = row_uniforms(run.seed ^ START_STREAM, 0, len(W), 1 + len(blocks))
    chosen, given, adjust = choose_starts(matches, query_of_codes(W, blocks), uniforms)
    plan = Plan(model.source, None, chosen=chosen, given=given, adjust=adjust)
    return draw_rows(model.denoiser, plan, run.process, len(W), run.seed, run.n_jobs)


def mean_table(model: FittedModel, drawn: np.ndarray, limits: Limits, first_row: int = 0) -> Any:
    """The table of the means over draws (n_draws, m, n_outputs): of numbers and dates; of categories the commonest.

    The means of integers are integers, and those of dates at the steps of their column. `limits` are those of cells
    that are to stay.
    """
    every = np.ones(drawn.shape[1], dtype=bool)
    cells = {j: (every, mean) for j, mean in _means_of_columns(model.codec, drawn).items()}
    return decode(model, drawn[0], DecodedCells(cells=cells, limits=limits, first_row=first_row))


def _means_of_columns(codec: TableCodec, drawn: np.ndarray) -> dict[int, np.ndarray]:
    out, start = {}, 0
    for j, column in enumerate(codec.columns_):
        if column.width:
            out[j] = mean_cells(drawn[:, :, start : start + column.width], column)
        start += column.width
    return out


def mean_cells(codes: np.ndarray, column: Any) -> np.ndarray:
    """Means (m,) of cells of a column by their codes (n_draws, m, width); see `mean_table`."""
    if column.kind == "categorical":
        indices = np.stack([nearest_codes(part, column.codes) for part in codes])
        return column.decode(column.codes[commonest(indices)])
    values = np.stack([column.decode(part) for part in codes])
    if values.dtype.kind in "mM":
        return column.middle(values)
    decimals = None if values.dtype.kind == "f" else column.decimals  # a mean of floats is none of the values seen
    origin = origin_of(values)
    return to_grid(offsets(values, origin).mean(axis=0), decimals, values.dtype, origin)


def commonest(values: np.ndarray) -> np.ndarray:
    """(m,) the commonest of numbers (n_draws, m); of equally common ones the first."""
    counts = np.array([(values == drawn).sum(axis=0) for drawn in values])
    return values[np.argmax(counts, axis=0), np.arange(values.shape[1])]
