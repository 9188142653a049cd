"""Conditions as users write them -> what rows are to have, in the code and cell by cell.

A condition is a value, for a number or a date a pair (low, high), for a category a list or set of levels. Each is
checked against what fit saw: every error names the column, the rule and what was seen.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np

from .._diffusion import load_backend
from .._numerics.streams import START_STREAM, row_uniforms
from .._table.cells import is_missing
from .._table.columns import EmptyColumn, nearest_codes
from .._table.dates import DateColumn, at_least, at_most, read_tick, seen_range
from .._table.frames import column_index, column_names, is_frame, native_column
from .matches import Matches, Query

SHOWN = 10
DECIMAL_SLACK = 1e-6  # of a step of the grid, for bounds such as 1.1


class Reader:
    """What one column is to have in n rows, read condition by condition.

    Parameters
    ----------
    column : the fitted column; n_rows : int

    Attributes
    ----------
    asked : (n_rows,) of bool
    low, high : (n_rows,) cells, the ends of what a number may be
    mask, masks : (n_rows,) the place of the levels allowed, of bool each, in a list
    """

    def __init__(self, column, n_rows):
        self.column, self.name = column, column.name
        self.asked = np.zeros(n_rows, dtype=bool)
        self.mask, self.masks = np.zeros(n_rows, dtype=np.intp), {}
        if column.kind == "numeric":
            self.least, self.most = seen_range(column)
            self.low, self.high = np.full(n_rows, self.least), np.full(n_rows, self.most)

    def read(self, condition, rows):
        """One condition for some rows."""
        if not isinstance(condition, np.generic):
            as_list = getattr(condition, "tolist", None) or getattr(condition, "to_list", None)
            condition = condition if as_list is None else as_list()  # of an array without dimensions its cell
        several = isinstance(condition, list | tuple | set | frozenset)
        if self.column.kind == "constant":
            self._check_constant(list(condition) if several else [condition], condition)
        elif self.column.kind == "categorical":
            levels = sorted(condition, key=repr) if several else [condition]
            if not levels:
                raise ValueError(f"conditions[{self.name!r}] must allow at least one level, got {condition!r}.")
            self.allow(self._levels(levels), rows)
        elif isinstance(condition, tuple):
            self._read_range(condition, rows)
        else:
            self.put([condition], rows)

    def put(self, values, rows):
        """Values for some rows, one for all or one each."""
        if self.column.kind == "constant":
            for value in values:
                self._check_constant([value], value)
            return
        if self.column.kind == "categorical":
            levels = self._levels(values)
            for level in np.unique(levels):
                self.allow(levels[levels == level][:1], rows[levels == level])
            return
        self.low[rows] = self.high[rows] = self._seen(self._values(values))
        self.asked[rows] = True

    def allow(self, levels, rows):
        """Levels, by their places, for some rows."""
        key = tuple(np.unique(levels).tolist())
        self.mask[rows], self.asked[rows] = self.masks.setdefault(key, len(self.masks)), True

    def _check_constant(self, allowed, condition):
        """Raise unless the one value of the column is allowed: one of some, or between the two of a pair."""
        value = self.column.value[0]
        if self.column.value.dtype.kind in "mM":
            allowed = [
                cell
                if cell is None
                else read_tick(cell, self.column.value.dtype.kind, getattr(cell, "tzinfo", None) is not None)
                for cell in allowed
            ]
        is_range = isinstance(condition, tuple) and self.column.value.dtype != object and len(allowed) == 2
        allowed = [value if cell is None else cell for cell in allowed] if is_range else allowed
        if not (allowed[0] <= value <= allowed[1] if is_range else value in allowed):
            raise ValueError(
                f"conditions[{self.name!r}] must be the one value seen in fit, {value!s}, got {condition!r}."
            )

    def _levels(self, values):
        """Places of levels."""
        if not isinstance(self.column, DateColumn):
            unseen = [value for value in values if value not in self.column.positions]
            if unseen:
                raise ValueError(
                    f"conditions[{self.name!r}] must be a level seen in fit, {self._shown_levels()}, got {unseen[0]!r}."
                )
            cells = np.empty(len(values), dtype=object)
            cells[:] = list(values)
        else:
            cells = self._cells(self._values(values), self.column.dtype)
        return nearest_codes(self.column.encode(cells), self.column.codes)

    def _shown_levels(self):
        levels = self.column.levels
        more = f", ... ({len(levels)} in all)" if len(levels) > SHOWN else ""
        return ", ".join(map(repr, levels[:SHOWN])) + more

    def _values(self, values):
        """Cells of the column's kind."""
        if isinstance(self.column, DateColumn):
            return read_dates(values, self.column, self.name)
        cells = np.asarray(
            [float(value) if isinstance(value, Decimal) else value for value in values]
            if isinstance(values, list)
            else values
        )
        if cells.dtype.kind not in "iufb" or cells.ndim != 1 or not np.isfinite(cells).all():
            raise ValueError(
                f"conditions[{self.name!r}] must be a finite number or a pair (low, high) of them, got {values[0]!r}."
            )
        with np.errstate(over="ignore"):
            # the float of the column that .1 is written as may lie beside the double
            return cells.astype(self.least.dtype) if self.least.dtype.kind == "f" else cells

    def _seen(self, values):
        """Values that the column may hold, in its dtype."""
        outside = (values < self.least) | (values > self.most)
        if outside.any():
            self._raise_outside(values[outside][0])
        return self._cells(values, self.least.dtype)

    def _cells(self, values, dtype):
        """Values in the dtype of the column, which must hold them as they are."""
        cells = values.astype(dtype)
        if (cells != values).any():
            seen = f"ticks of {dtype}" if dtype.kind in "mM" else "whole as the numbers"
            raise ValueError(f"conditions[{self.name!r}] must be {seen} seen in fit, got {values[cells != values][0]}.")
        return cells

    def _raise_outside(self, got):
        raise ValueError(
            f"conditions[{self.name!r}] must lie in the range seen in fit, from {self.least} to {self.most}, got {got}."
        )

    def _read_range(self, ends, rows):
        if len(ends) != 2:
            raise ValueError(f"conditions[{self.name!r}] must be a value or a pair (low, high), got {ends!r}.")
        low, high = (
            default if end is None else self._values([end])[0]
            for end, default in zip(ends, (self.least, self.most), strict=True)
        )
        if low > high:
            raise ValueError(f"conditions[{self.name!r}] must be a pair (low, high) with low <= high, got {ends!r}.")
        if high < self.least or low > self.most:
            self._raise_outside(ends)
        low, high = inner_ends(max(low, self.least), min(high, self.most), self.column)
        if low > high:
            raise ValueError(
                f"conditions[{self.name!r}] must hold a value of the steps seen in fit, got the empty range {ends!r}."
            )
        self.low[rows], self.high[rows] = low, high
        self.asked[rows] = True


def inner_ends(low, high, column):
    """The ends of a range moved inward to values that the column may hold."""
    if isinstance(column, DateColumn):
        step, origin = column.step, column.origin
        low, high = at_least(low, column.dtype), at_most(high, column.dtype)
        if column.wall is not None and column.clock_step > step:
            return low, high  # the steps of clocks are not even ones
        ticks = [int(end.astype(np.int64)) - int(origin) for end in (low, high)]
        inner = [origin + step * -(-ticks[0] // step), origin + step * (ticks[1] // step)]
        return np.array(inner).astype(column.dtype)
    dtype, least, most = column.least.dtype, column.least, column.most
    if dtype.kind in "iub":
        low, high = math.ceil(low), math.floor(high)
    elif column.decimals is not None:
        scale = 10.0**column.decimals
        low, high = np.ceil(low * scale - DECIMAL_SLACK) / scale, np.floor(high * scale + DECIMAL_SLACK) / scale
    return (low, high) if low > high else tuple(dtype.type(min(max(end, least), most)) for end in (low, high))


def read_dates(values, column, name):
    """Dates or durations as ticks, in UTC."""
    if isinstance(values, np.ndarray) and values.dtype.kind == column.dtype.kind:
        return values
    zoned = column.wall is not None
    try:
        return np.array([read_tick(value, column.dtype.kind, zoned) for value in values])
    except (TypeError, ValueError, AttributeError) as error:
        kind = "duration" if column.dtype.kind == "m" else "date with a time zone" if zoned else "date"
        raise ValueError(
            f"conditions[{name!r}] must be a {kind} or a pair (low, high) of them, got {values[0]!r}."
        ) from error


@dataclass(frozen=True)
class Given:
    """What n rows are to have.

    query : Query, over the blocks of the table and of the target
    readers : dict of Reader, by the number of the column
    """

    query: Query
    readers: dict

    def resolved(self, matches, codec, seed):
        """The starting rows, the code and the cells of what is given: see `Resolved`."""
        uniforms = row_uniforms(seed ^ START_STREAM, 0, len(self.query.low), 1 + len(matches.blocks))
        chosen, given, adjust = matches.resolve(self.query, uniforms)
        cells = {
            j: (reader.asked, _cells_of(reader, codec, j, given))
            for j, reader in self.readers.items()
            if reader.column.width
        }
        return Resolved(chosen, given, adjust, cells, limits_of(self.readers))


@dataclass(frozen=True)
class Resolved:
    """One value for all that is given.

    chosen, given, adjust : as `Matches.resolve` gives them
    cells : dict, for the number of a column (n,) of bool, the rows that it is given in, and their cells
    limits : dict, of numbers and dates the same rows and the ends of what their cells may be
    """

    chosen: np.ndarray
    given: np.ndarray
    adjust: object
    cells: dict
    limits: dict

    def put(self, W):
        """Rows W (n, p or fewer columns) with what is given: after whatever moved them."""
        given = self.given[:, : W.shape[1]]
        return np.where(np.isnan(given), W, given)

    def asked(self, codec):
        """(n, n_indicators) of bool, the indicators of gaps of given columns."""
        out = np.zeros((len(self.given), codec.n_indicators_), dtype=bool)
        for j, k in codec.indicator_of_.items():
            if j in self.cells:
                out[:, k] |= self.cells[j][0]
        return out


def limits_of(readers):
    """The ends of what numbers and dates may be, as `limits` of `TableCodec.decode`."""
    return {
        j: (reader.asked, reader.low[reader.asked], reader.high[reader.asked])
        for j, reader in readers.items()
        if reader.column.kind == "numeric"
    }


def _cells_of(reader, codec, j, given):
    """Cells (m,) of a given column; those drawn within a range are set to what the column may hold in it."""
    column, rows = reader.column, reader.asked
    place = sum(c.width for c in codec.columns_[:j])
    codes = given[rows, place : place + column.width]
    if column.kind == "categorical":
        return column.decode(codes)
    low, high = reader.low[rows], reader.high[rows]
    is_range = low < high
    cells = low.copy()
    if is_range.any():
        cells[is_range] = np.clip(column.decode(codes[is_range]), low[is_range], high[is_range])
    given[rows, place : place + 1] = column.encode(cells)
    return cells


def read_conditions(conditions, codec, n_samples):
    """What the rows of a call are to have: a `Given` over the blocks of the table.

    Parameters
    ----------
    conditions : dict, list of dicts, DataFrame, or array of all columns
    """
    readers = {}

    def reader(j):
        column = codec.columns_[j]
        if isinstance(column, EmptyColumn):
            raise ValueError(f"conditions[{column.name!r}] cannot be met: the column has no value in the table of fit.")
        return readers.setdefault(j, Reader(column, n_samples))

    if isinstance(conditions, Mapping):
        for key, condition in conditions.items():
            if not is_missing(condition):
                reader(_place(key, codec)).read(condition, np.arange(n_samples))
    elif is_frame(conditions) or isinstance(conditions, np.ndarray):
        _check_length(conditions, n_samples)
        _read_frame(conditions, codec, reader)
    else:
        _read_list(_checked_list(conditions, n_samples), codec, reader)
    codec.constraints_.check(limits_of(readers), n_samples)
    return Given(_query(readers, codec, n_samples), readers)


def _read_frame(conditions, codec, reader):
    if not is_frame(conditions):
        if conditions.ndim != 2 or conditions.shape[1] != len(codec.columns_):
            raise ValueError(
                f"conditions as an array must have shape (n_samples, {len(codec.columns_)}), got {conditions.shape}."
            )
        places = range(len(codec.columns_))
    else:
        places = [_place(name, codec) for name in conditions.columns]
    for k, j in enumerate(places):
        cells = codec.read_column(native_column(conditions, k), j)
        if len(cells.observed):
            reader(j).put(cells.observed, np.flatnonzero(~cells.missing))


def _read_list(conditions, codec, reader):
    for i, row in enumerate(conditions):
        for key, condition in row.items():
            if not is_missing(condition):
                reader(_place(key, codec)).read(condition, np.array([i]))


def _checked_list(conditions, n_samples):
    if not isinstance(conditions, list | tuple) or not all(isinstance(row, Mapping) for row in conditions):
        raise TypeError(
            "conditions must be a dict, a list of dicts, one a row, or a frame with one condition a row, "
            f"got {type(conditions).__name__}."
        )
    _check_length(conditions, n_samples)
    return conditions


def _check_length(conditions, n_samples):
    if len(conditions) != n_samples:
        raise ValueError(
            f"conditions with one entry a row must have n_samples={n_samples} of them, got {len(conditions)}."
        )


def _place(key, codec):
    """The number of the column that a key names."""
    place = column_index(key, codec.template_)
    if place is None:
        raise ValueError(
            f"conditions must name columns seen in fit, {column_names(codec.template_)}, got the unknown {key!r}."
        )
    return place


def _query(readers, codec, n_samples):
    """The code of what columns are to have."""
    low = np.full((n_samples, len(codec.blocks_)), np.nan)
    high, masks = low.copy(), {}
    of_column = np.cumsum([column.width > 0 for column in codec.columns_]) - 1
    for j, reader in readers.items():
        if not reader.column.width:
            continue
        b, rows = of_column[j], reader.asked
        if reader.column.kind == "categorical":
            masks[b] = np.zeros((len(reader.masks), len(reader.column.codes)), dtype=bool)
            for levels, k in reader.masks.items():
                masks[b][k, list(levels)] = True
            low[rows, b] = high[rows, b] = reader.mask[rows]
        else:
            low[rows, b] = reader.column.encode(reader.low[rows])[:, 0]
            high[rows, b] = reader.column.encode(reader.high[rows])[:, 0]
    return Query(low, high, masks)


def query_of_codes(W, blocks):
    """The query for rows just like W (n, p), NaN in the blocks that are free."""
    low, masks = W[:, [block.start for block in blocks]].copy(), {}
    for b, block in enumerate(blocks):
        seen = ~np.isnan(low[:, b])
        if block.codes is not None:
            levels, places = np.unique(
                nearest_codes(W[seen, block.start : block.stop], block.codes), return_inverse=True
            )
            low[seen, b] = places.ravel()
            masks[b] = levels[:, None] == np.arange(len(block.codes))
    return Query(low, low, masks)


def with_target(given, wanted, blocks):
    """The same with the code (n, width) of targets behind."""
    target = query_of_codes(wanted, [block._replace(start=0, stop=wanted.shape[1]) for block in blocks])
    low, high = given.query.low, given.query.high
    masks = {low.shape[1] + b: mask for b, mask in target.masks.items()}
    return Given(
        Query(np.hstack([low, target.low]), np.hstack([high, target.high]), {**given.query.masks, **masks}),
        given.readers,
    )


def resolve(sampler, conditions, wanted, n_samples, seed):
    """One value for all that the rows of a call are to have, with the code (n_samples, width) of targets or None.

    None where there is nothing to resolve: for classes alone rows start from those of the class.
    """
    if conditions is None and (wanted is None or sampler.target_.is_categorical):
        return None
    given = read_conditions({} if conditions is None else conditions, sampler.codec_, n_samples)
    if sampler.target_ is not None:
        wanted = np.full((n_samples, sampler.target_.width), np.nan) if wanted is None else wanted
        given = with_target(given, wanted, sampler.target_.blocks(0))
    return given.resolved(matches_of(sampler), sampler.codec_, seed)


def matches_of(sampler):
    """The training rows of a fitted sampler, and what its network says of them."""
    backend = load_backend()
    return Matches(
        sampler.rows_,
        sampler.denoiser_.blocks,
        sampler.source_,
        sampler.row_weight_,
        partial(backend.probabilities, sampler.denoiser_),
    )
