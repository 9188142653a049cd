"""Conditions as users write them -> what rows are to have, in the code and cell by cell.

A condition is a value, for a number or a date a range (low, high), for a category a list or set of categories. Each is
checked against what fit saw: every error names the column, the rule, what was seen and the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics.streams import START_STREAM, row_uniforms
from .._table.cells import is_missing
from .._table.codec import TableCodec
from .._table.columns import Block, Column, ConstantColumn, EmptyColumn, nearest_codes
from .._table.constants import Parameter
from .._table.constraints.constraints import Constraints
from .._table.constraints.limits import ColumnChoices, ColumnLimits, Limits
from .._table.frames import column_index, column_names, is_frame, native_column, plain_container
from .matches import Matches, Query
from .propagation import propagate
from .starts import Adjust, choose_starts

SEVERAL = list | tuple | set | frozenset


class ColumnConditions:
    """What one column is to have in n rows, read condition by condition.

    Parameters
    ----------
    column : the fitted column; n_rows : int

    Attributes
    ----------
    asked : (n_rows,) of bool
    low, high : (n_rows,) cells, the ends of what a number or a date may be
    mask : (n_rows,) the index, in `masks`, of the categories allowed
    masks : dict, for the indices of categories the index of their mask
    """

    def __init__(self, column: Column, n_rows: int) -> None:
        self.column = column
        self.parameter = Parameter(f"conditions[{column.name!r}]", _INSTEAD.get(column.kind, ""))
        self.asked = np.zeros(n_rows, dtype=bool)
        self.mask = np.zeros(n_rows, dtype=np.intp)
        self.masks: dict[tuple[int, ...], int] = {}
        if column.kind == "numeric":
            least, most = column.range
            self.low, self.high = np.full(n_rows, least), np.full(n_rows, most)

    def read(self, condition: Any, rows: np.ndarray) -> None:
        """One condition for some rows."""
        condition = plain(condition)
        if isinstance(self.column, ConstantColumn):
            self._check_constant(condition)
        elif self.column.kind == "categorical":
            categories = sorted(condition, key=repr) if isinstance(condition, SEVERAL) else [condition]
            if not categories:
                raise self.parameter.error(ValueError, "allow at least one category", condition)
            self.allow(self._indices(categories), rows)
        elif isinstance(condition, SEVERAL):
            self._read_range(condition, rows)
        else:
            self.put([condition], rows)

    def put(self, values: Sequence | np.ndarray, rows: np.ndarray) -> None:
        """Values for some rows, one for all or one each."""
        if isinstance(self.column, ConstantColumn):
            self.column.parse(values, self.parameter)
        elif self.column.kind == "categorical":
            indices = self._indices(values)
            for index in np.unique(indices):
                self.allow(indices[indices == index][:1], rows[indices == index])
        else:
            self.low[rows] = self.high[rows] = self.column.parse(values, self.parameter)
            self.asked[rows] = True

    def limits(self) -> ColumnLimits:
        """The ends of what its cells may be."""
        return ColumnLimits(self.asked, self.low[self.asked], self.high[self.asked])

    def choices(self) -> ColumnChoices:
        """The categories that its cells may be."""
        return ColumnChoices(np.where(self.asked, self.mask, -1), list(self.masks))

    def allow(self, indices: np.ndarray, rows: np.ndarray) -> None:
        """Categories, by their indices, for some rows."""
        key = tuple(np.unique(indices).tolist())
        self.mask[rows], self.asked[rows] = self.masks.setdefault(key, len(self.masks)), True

    def _indices(self, values: Sequence | np.ndarray) -> np.ndarray:
        """Indices of categories."""
        return nearest_codes(self.column.encode(self.column.parse(values, self.parameter)), self.column.codes)

    def _check_constant(self, condition: Any) -> None:
        """Raise unless the one value of the column is allowed: one of some, or between the two of a range."""
        if self.column.is_ordered and isinstance(condition, list | tuple) and len(condition) == 2:
            low, high = self._ends(condition)
            is_allowed = low <= self.column.range[0] <= high
        else:
            values = list(condition) if isinstance(condition, SEVERAL) else [condition]
            is_allowed = (self.column.read(values, self.parameter) == self.column.range[0]).any()
        if not is_allowed:
            raise self.parameter.error(ValueError, self.column.range_rule(), condition)

    def _read_range(self, condition: Any, rows: np.ndarray) -> None:
        if not isinstance(condition, list | tuple) or len(condition) != 2:
            rule = "be a value or a range (low, high), a tuple or list with None for an open end"
            raise self.parameter.error(ValueError, rule, condition)
        low, high = self._ends(condition)
        if low > high and None not in condition:
            raise self.parameter.error(ValueError, "be a range (low, high) with low <= high", condition)
        least, most = self.column.range
        if high < least or low > most:
            raise self.parameter.error(ValueError, self.column.range_rule(), condition)
        low, high = self.column.inward(low, high)
        if low > high:
            rule = "hold a value of the steps seen in fit"
            raise self.parameter.error(ValueError, rule, condition)
        self.low[rows], self.high[rows] = low, high
        self.asked[rows] = True

    def _ends(self, condition: Any) -> list:
        """The ends of a range, those of fit where they are open."""
        return [
            default if end is None else self.column.read([plain(end)], self.parameter)[0]
            for end, default in zip(condition, self.column.range, strict=True)
        ]


_INSTEAD = {"numeric": " or a range (low, high) of them"}


def plain(condition: Any) -> Any:
    """A list instead of an array or Series; of an array without dimensions its cell."""
    if isinstance(condition, np.generic):
        return condition
    as_list = getattr(condition, "tolist", None) or getattr(condition, "to_list", None)
    return condition if as_list is None else as_list()


@dataclass(frozen=True)
class Conditions:
    """What the rows of a call are to have.

    query : over the blocks of the table and, last, of the target
    columns : the conditions on each column, by its index
    """

    query: Query
    columns: dict[int, ColumnConditions]


@dataclass(frozen=True)
class ResolvedQuery:
    """One value for all that is given.

    chosen, given, adjust : as `choose_starts` gives them
    cells : by the index of a column (n,) of bool, the rows that it is given in, and their cells
    limits : of numbers and dates, the ends of what their cells may be
    """

    chosen: np.ndarray
    given: np.ndarray
    adjust: Adjust
    cells: dict[int, tuple[np.ndarray, np.ndarray]]
    limits: Limits

    def asked_rows(self) -> dict[int, np.ndarray]:
        """For the index of a column the rows (n,) of bool whose cell is given."""
        return {j: asked for j, (asked, _) in self.cells.items()}


def resolve(conditions: Conditions, matches: Matches, codec: TableCodec, seed: int) -> ResolvedQuery:
    """The starting rows, the code and the cells of what is given: one value for all that the rows are to have."""
    query = conditions.query
    uniforms = row_uniforms(seed ^ START_STREAM, 0, len(query.low), 1 + len(matches.blocks))
    chosen, given, adjust = choose_starts(matches, query, uniforms)
    cells = {
        j: (column.asked, _cells_of(column, codec, j, given))
        for j, column in conditions.columns.items()
        if column.column.width
    }
    return ResolvedQuery(chosen, given, adjust, cells, limits_of(conditions.columns))


def limits_of(columns: Mapping[int, ColumnConditions]) -> Limits:
    """The ends of what numbers and dates may be, and the categories that others may be."""
    return Limits(
        {j: column.limits() for j, column in columns.items() if column.column.kind == "numeric"},
        {j: column.choices() for j, column in columns.items() if column.column.kind == "categorical"},
    )


def _cells_of(conditions: ColumnConditions, codec: TableCodec, j: int, given: np.ndarray) -> np.ndarray:
    """Cells (m,) of a given column; those chosen within a range are set to what the column can hold in it.

    The network is to see their code, so that the other columns fit them: it is put into `given`.
    """
    column, rows = conditions.column, conditions.asked
    start = sum(c.width for c in codec.columns_[:j])
    codes = given[rows, start : start + column.width]
    if column.kind == "categorical":
        return column.decode(codes)
    low, high = conditions.low[rows], conditions.high[rows]
    is_range = low < high
    cells = low.copy()
    if is_range.any():
        cells[is_range] = np.clip(column.decode(codes[is_range, :1]), low[is_range], high[is_range])
    given[rows, start : start + column.width] = column.encode(cells)
    return cells


# --- the containers of conditions


def read_conditions(conditions: Any, codec: TableCodec, constraints: Constraints, n_samples: int) -> Conditions:
    """What the rows of a call are to have in the columns of the table.

    Parameters
    ----------
    conditions : dict, list of dicts, DataFrame, or array of all columns
    """
    columns: dict[int, ColumnConditions] = {}

    def of(j: int) -> ColumnConditions:
        column = codec.columns_[j]
        if isinstance(column, EmptyColumn):
            raise ValueError(f"conditions[{column.name!r}] cannot be met: the column has no value in the table of fit.")
        return columns.setdefault(j, ColumnConditions(column, n_samples))

    conditions = plain_container(conditions)
    if isinstance(conditions, Mapping):
        _read_row(conditions, np.arange(n_samples), codec, of)
    elif is_frame(conditions) or isinstance(conditions, np.ndarray):
        _check_length(conditions, n_samples)
        _read_frame(conditions, codec, of)
    else:
        for i, row in enumerate(_checked_list(conditions, n_samples)):
            _read_row(row, np.array([i]), codec, of)
    stated = {j: column.asked.copy() for j, column in columns.items()}
    propagate(columns, of, constraints.dependences)
    constraints.check(limits_of(columns), n_samples)
    query = _query(columns, codec, n_samples)
    # what follows from conditions helps to find rows; only what was asked for is given
    for j, asked in stated.items():
        columns[j].asked = asked
    return Conditions(query, {j: columns[j] for j in stated})


def _read_row(conditions: Mapping, rows: np.ndarray, codec: TableCodec, of: Callable[[int], ColumnConditions]) -> None:
    for key, condition in conditions.items():
        if not is_missing(condition):
            of(_index_of(key, codec)).read(condition, rows)


def _read_frame(conditions: Any, codec: TableCodec, of: Callable[[int], ColumnConditions]) -> None:
    if is_frame(conditions):
        indices = [_index_of(name, codec) for name in conditions.columns]
    elif conditions.ndim != 2 or conditions.shape[1] != len(codec.columns_):
        raise ValueError(
            f"conditions as an array must have shape (n_samples, {len(codec.columns_)}), got {conditions.shape}."
        )
    else:
        indices = list(range(len(codec.columns_)))
    for k, j in enumerate(indices):
        cells = codec.read_column(native_column(conditions, k), j)
        if len(cells.observed):
            of(j).put(cells.observed, np.flatnonzero(~cells.missing))


def _checked_list(conditions: Any, n_samples: int) -> Sequence[Mapping]:
    if not isinstance(conditions, list | tuple) or not all(isinstance(row, Mapping) for row in conditions):
        raise TypeError(
            "conditions must be a dict, a list of dicts, one a row, or a frame with one condition a row, "
            f"got {type(conditions).__name__} {conditions!r:.80}."
        )
    _check_length(conditions, n_samples)
    return conditions


def _check_length(conditions: Any, n_samples: int) -> None:
    if len(conditions) != n_samples:
        raise ValueError(
            f"conditions with one entry a row must have n_samples={n_samples} of them, got {len(conditions)}."
        )


def _index_of(key: Any, codec: TableCodec) -> int:
    """The index of the column that a key names."""
    index = column_index(key, codec.template_)
    if index is None:
        raise ValueError(
            f"conditions must name columns seen in fit, {column_names(codec.template_)}, got the unknown {key!r}."
        )
    return index


# --- queries, in the code


def _query(columns: Mapping[int, ColumnConditions], codec: TableCodec, n_samples: int) -> Query:
    """The code of what columns are to have."""
    low = np.full((n_samples, len(codec.blocks_)), np.nan)
    high, masks = low.copy(), {}
    block_of = np.cumsum([0, *[len(column.blocks) for column in codec.columns_]])
    for j, conditions in columns.items():
        column, b, rows = conditions.column, block_of[j], conditions.asked
        if column.kind == "categorical":
            masks[b] = np.zeros((len(conditions.masks), len(column.codes)), dtype=bool)
            for categories, k in conditions.masks.items():
                masks[b][k, list(categories)] = True
            low[rows, b] = high[rows, b] = conditions.mask[rows]
        elif column.width:
            low[rows, b] = column.encode(conditions.low[rows])[:, 0]
            high[rows, b] = column.encode(conditions.high[rows])[:, 0]
    return Query(low, high, masks)


def query_of_codes(W: np.ndarray, blocks: Sequence[Block]) -> Query:
    """The query for rows just like W (n, p), NaN in the blocks that are free."""
    low, masks = W[:, [block.start for block in blocks]].copy(), {}
    for b, block in enumerate(blocks):
        seen = ~np.isnan(low[:, b])
        if block.codes is not None:
            codes = W[seen, block.start : block.stop]
            categories, indices = np.unique(nearest_codes(codes, block.codes), return_inverse=True)
            low[seen, b] = indices.ravel()
            masks[b] = categories[:, None] == np.arange(len(block.codes))
    return Query(low, low, masks)


def with_target(query: Query, wanted: np.ndarray, blocks: Sequence[Block]) -> Query:
    """A query with that for the code (n, width) of targets behind it."""
    target = query_of_codes(wanted, [block._replace(start=0, stop=wanted.shape[1]) for block in blocks])
    masks = {query.low.shape[1] + b: mask for b, mask in target.masks.items()}
    return Query(np.hstack([query.low, target.low]), np.hstack([query.high, target.high]), {**query.masks, **masks})
