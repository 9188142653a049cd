"""Columns of a fitted code that hold no cell of few rows: each number that they hold stands for k rows or more.

A value that k rows hold stays. The other numbers, in their order, are put together in groups of at least k rows. In
place of the values of a group stands their mean, as one value seen once that owns the stretch of the score that the
group owned: codes mean what they meant, but for the order within a group, and numbers between two groups are
interpolated. Few rows between two values that stay have the middle of these in their place, and beyond the outermost
ones they are given to them: the ends of a column move inward.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from .codec import TableCodec
from .columns import CategoricalColumn, Column, nearest_codes
from .dates import DateColumn
from .grids import to_grid
from .identifiers import IdentifierColumn, largest_integer
from .integers import are_integers, between, offsets, origin_of
from .numeric import NumericColumn, QuantileColumn, StandardColumn
from .target import Target

LEAST_STEP = 10  # to which identifiers are rounded
END_DEVIATIONS, INWARD = 3.0, 50  # ends of a column that is not in scores: standard deviations, part of half its range


def rare_cells(codec: TableCodec, W: np.ndarray, k: int) -> list[str]:
    """What columns hold that fewer than k of the encoded rows W (n, n_outputs), NaN where missing, do; in words."""
    found, stop = [], 0
    for column in codec.columns_:
        start, stop = stop, stop + column.width
        n_rare = _n_rare(column, W[:, start:stop], k)
        if n_rare:
            found.append(f"column {column.name!r} has {n_rare} such value(s)")
    return found


def _n_rare(column: Column, W: np.ndarray, k: int) -> int:
    """Categories, frequent values or the one value of a column that fewer than k rows hold."""
    inner = column.inner if isinstance(column, DateColumn) else column
    if isinstance(inner, CategoricalColumn):
        held = nearest_codes(W[~np.isnan(W[:, 0])], inner.codes)
        return int((np.bincount(held, minlength=len(inner.codes)) < k).sum())
    if isinstance(inner, QuantileColumn):
        return int((inner.counts[inner.frequent] < k).sum()) or int(inner.n < k)
    return int(0 < inner.n < k)


def coarse_codec(codec: TableCodec, k: int) -> TableCodec:
    """The codec without cells of fewer than k rows, of the same code."""
    out = copy(codec)
    out.columns_ = [coarse_column(column, k) for column in codec.columns_]
    return out


def coarse_target(target: Target, k: int) -> Target:
    """The same of a target."""
    out = copy(target)
    out.codec = coarse_codec(target.codec, k)
    return out


def coarse_column(column: Column, k: int) -> Column:
    """A column without cells of fewer than k rows; categories and constants are as they were."""
    if isinstance(column, QuantileColumn):
        return coarse_quantiles(column, k)
    if isinstance(column, StandardColumn):
        return _coarse_standard(column)
    if isinstance(column, DateColumn) and isinstance(column.inner, NumericColumn):
        return _coarse_dates(column, k)
    return _coarse_identifiers(column) if isinstance(column, IdentifierColumn) else column


def coarse_quantiles(column: QuantileColumn, k: int) -> QuantileColumn:
    """A column of normal scores, its values in groups."""
    kept = (column.counts >= k) | column.frequent
    group = groups_of(kept, column.counts, k)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    out = copy(column)
    out.values = values_of_groups(column, kept, group, k)
    stays = np.bincount(group, kept) > 0
    out.counts = np.where(stays, np.maximum(np.add.reduceat(column.counts, first), 2), 1)
    out.masses, out.widths = np.add.reduceat(column.masses, first), np.add.reduceat(column.widths, first)
    out.frequent = np.logical_or.reduceat(column.frequent, first)
    out.edges = np.concatenate([[0], np.cumsum(out.widths)])
    out.edges[-1] = out.total = column.total
    if out.frequent.any():
        others = np.full(int(not column.frequent.all()), -1)
        out.category_values = np.append(others, np.flatnonzero(out.frequent))
    out.least, out.most = out.values[0], out.values[-1]
    return out


def groups_of(kept: np.ndarray, counts: np.ndarray, k: int) -> np.ndarray:
    """The group (n_values,) of each value in ascending order: one for each that stays, others by k rows or more.

    Others at an end that are too few join the value beside them.
    """
    starts = kept.copy()
    starts[1:] |= kept[:-1]
    starts[0] = True
    bounds = [*np.flatnonzero(starts), len(kept)]
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        if not kept[start]:
            starts[_starts_within(counts[start:stop], k) + start] = True
    if kept.any():
        ends = np.flatnonzero(kept)[[0, -1]]
        starts[ends[0]] &= counts[: ends[0]].sum() >= k or ends[0] == 0
        if counts[ends[1] + 1 :].sum() < k:
            starts[ends[1] + 1 :] = False
    return np.cumsum(starts) - 1


def _starts_within(counts: np.ndarray, k: int) -> np.ndarray:
    """Where groups of at least k rows begin in a run of values; the last one takes what is left."""
    ends, starts = np.cumsum(counts), [0]
    while True:
        before = ends[starts[-1] - 1] if starts[-1] else 0
        after = int(np.searchsorted(ends, before + k)) + 1
        if after >= len(ends) or ends[-1] - ends[after - 1] < k:
            return np.array(starts)
        starts.append(after)


def values_of_groups(column: QuantileColumn, kept: np.ndarray, group: np.ndarray, k: int) -> np.ndarray:
    """(n_groups,) the value that stays, the mean of a group of k rows, of fewer the middle of what is beside."""
    values, counts = column.values, column.counts
    first, last = np.flatnonzero(np.diff(group, prepend=-1)), np.flatnonzero(np.diff(group, append=len(group)))
    out, stays = _means(column, group), np.flatnonzero(kept)
    few = np.flatnonzero((np.bincount(group, counts) < k) & (np.bincount(group, kept) == 0))
    out[few] = _middles(
        values[np.maximum(first[few] - 1, 0)], values[np.minimum(last[few] + 1, len(values) - 1)], column
    )
    out[group[stays]] = values[stays]
    for g in np.flatnonzero((np.bincount(group, kept) == 0) & np.isin(out, values) & (first < last)):
        out[g] = _unseen(values[first[g] : last[g] + 1], out[g], column)
    return out


def _means(column: QuantileColumn, group: np.ndarray) -> np.ndarray:
    """(n_groups,) means of the cells of each group, on the grid of the column."""
    origin, weight = origin_of(column.values), column.counts.astype(float)
    means = np.bincount(group, weight * offsets(column.values, origin)) / np.bincount(group, weight)
    return to_grid(means, column.decimals, column.dtype, origin)


def _unseen(values: np.ndarray, mean: Any, column: QuantileColumn) -> Any:
    """In place of a mean that is one of the values the middle of two of them that is none, if there is one."""
    middles = _middles(values[:-1], values[1:], column)
    free = middles[~np.isin(middles, values)]
    return free[np.argmin(np.abs(free.astype(float) - float(mean)))] if len(free) else mean


def _middles(low: np.ndarray, high: np.ndarray, column: QuantileColumn) -> np.ndarray:
    """Middles of pairs of values, on their grid."""
    if are_integers(low):
        return between(low, high, np.full(len(low), 0.5))
    return to_grid(low.astype(float) / 2 + high.astype(float) / 2, column.decimals, low.dtype)


def _coarse_standard(column: StandardColumn) -> StandardColumn:
    """A column of mean and standard deviation; it ends within what was seen."""
    out = copy(column)
    out.within_range = False  # the ends are not known yet
    if column.origin:
        step = 2 ** max(0, int(np.log2(column.std)))
        out.origin = int(column.origin) // step * step
        out.mean = column.mean + (int(column.origin) - out.origin)
    ends = out.decode(np.array([[-END_DEVIATIONS], [END_DEVIATIONS]]))
    inward = (column.most / 2 - column.least / 2) / INWARD
    near = to_grid(np.array([column.least + inward, column.most - inward]), column.decimals, column.dtype)
    out.least = ends[0] if column.least < ends[0] else near[0]
    out.most = ends[1] if column.most > ends[1] else near[1]
    out.within_range = column.within_range
    return out


def _coarse_dates(column: DateColumn, k: int) -> DateColumn:
    """A column of dates: the integers of its steps in groups, counted from the first that is left."""
    out, inner = copy(column), coarse_column(column.inner, k)
    assert isinstance(inner, NumericColumn)
    shift = int(inner.least)
    if isinstance(inner, QuantileColumn):
        inner.values = inner.values - shift
    else:
        inner.mean = inner.mean - shift  # type: ignore[attr-defined]
    inner.least, inner.most = inner.least - shift, inner.most - shift
    out.inner, out.origin = inner, column.origin + column.step * shift
    out.last = out.origin + column.step * inner.most
    if column.wall is not None:
        out.clock_origin = column.clock_origin % column.clock_step
    return out


def _coarse_identifiers(column: IdentifierColumn) -> IdentifierColumn:
    """Identifiers whose first and last one are rounded outward."""
    out = copy(column)
    step = max(LEAST_STEP, 10 ** (len(str(abs(column.last))) - 2))
    out.first = column.first // step * step
    out.last = min(-(-column.last // step) * step, largest_integer(column.dtype) - column.n)
    return out


def ticks_of(column: Column) -> np.ndarray | None:
    """(m,) the numbers that a column of normal scores holds, of dates their ticks; None for another column."""
    inner = column.inner if isinstance(column, DateColumn) else column
    if not isinstance(inner, QuantileColumn):
        return None
    values = inner.values.astype(float)
    return float(column.origin) + float(column.step) * values if isinstance(column, DateColumn) else values


def copies_among(columns: Sequence[np.ndarray], of_table: Sequence[np.ndarray], k: int) -> np.ndarray:
    """(n,) of bool, rows that equal a row of the table that fewer than k of its rows are equal to."""
    counts: dict[tuple, int] = {}
    for row in zip(*(cells.tolist() for cells in of_table), strict=True):
        counts[row] = counts.get(row, 0) + 1
    return np.array([0 < counts.get(row, 0) < k for row in zip(*(cells.tolist() for cells in columns), strict=True)])
