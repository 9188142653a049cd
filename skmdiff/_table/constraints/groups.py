"""Columns that are compared with each other, and rows moved to where they hold the constraints between them.

The values of a group are integers (int64) or floats, each on the grid of its column, see `grids.py`. The rows that
break a constraint are moved in three steps.

1. Where a > b although a <= b is wanted, the two are swapped, or, where the table often has a = b, both set to the
   middle. A sample that is out of order is close to equality. Swapped, it is as close on the right side. The middle is
   the nearest point; a row there is one of many where the table has such rows, and betrays itself where it has none.
   Neither takes a row farther from any row that holds the constraints: all such steps together take it at most twice
   as far as the nearest such row is.
2. Lower bounds are carried up along the orders and upper bounds down, rounded inward to the grids of the columns.
3. From the lowest column up, each value is rounded to its grid, put between its bounds, and raises the lower bounds of
   those above it. There is always room: the upper bounds have been carried down to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cells import Cells
from ..grids import Grid, at_least, at_most, nearest_on
from .limits import Limits

OFTEN = 0.05  # about the fraction of samples that are out of order

Values = Mapping[int, np.ndarray]  # of columns, by their indices


@dataclass(frozen=True)
class Pair:
    """The order of two columns, by their indices.

    ties : fraction of the rows of fit in which they are equal
    """

    label: str
    lower: int
    upper: int
    strict: bool
    ties: float = 0.0

    def broken(self, x: Values) -> np.ndarray:
        """(n,) of bool, for the values of columns."""
        low, high = x[self.lower], x[self.upper]
        return low >= high if self.strict else low > high

    def columns(self) -> tuple[int, ...]:
        return self.lower, self.upper


@dataclass(frozen=True)
class Bound:
    """Ends of the values of a column, both allowed."""

    label: str
    index: int
    low: Any
    high: Any

    def broken(self, x: Values) -> np.ndarray:
        """As of a `Pair`."""
        return (x[self.index] < self.low) | (x[self.index] > self.high)

    def columns(self) -> tuple[int, ...]:
        return (self.index,)


@dataclass(frozen=True)
class Multiple:
    """The grid of the multiples of a number."""

    label: str
    index: int
    grid: Grid

    def broken(self, x: Values) -> np.ndarray:
        """As of a `Pair`."""
        return nearest_on(self.grid, x[self.index]) != x[self.index]

    def columns(self) -> tuple[int, ...]:
        return (self.index,)


@dataclass(frozen=True)
class Axis:
    """A column in a group: its grid, the ends of what it may hold, and those of what fit saw.

    is_fixed : whether it has one value only
    """

    name: str
    dtype: np.dtype
    grid: Grid
    low: Any
    high: Any
    least: Any
    most: Any
    is_fixed: bool


def to_space(cells: np.ndarray, space: np.dtype) -> np.ndarray:
    """Cells (n,) as int64 or float64."""
    values = np.asarray(cells).astype(space)
    return values.view(np.int64) if space.kind in "mM" else values


def from_space(values: np.ndarray, space: np.dtype, dtype: np.dtype) -> np.ndarray:
    """Cells of a dtype."""
    return (values.view(space) if space.kind in "mM" else values).astype(dtype)


@dataclass(frozen=True)
class Group:
    """Columns that are compared with each other.

    space : the dtype in which they are
    axes : by the index of the column, lower ones first
    pairs : by the order of their lower columns
    single : the rules on one column
    """

    space: np.dtype
    axes: dict[int, Axis]
    pairs: list[Pair]
    single: list[Bound | Multiple]

    def rules(self) -> list[Bound | Multiple | Pair]:
        return [*self.single, *self.pairs]

    def values(self, columns: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """Cells of the columns (n,) of a table as values."""
        return {j: to_space(columns[j], self.space) for j in self.axes}

    def read(self, cells: Sequence[Cells]) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """Values of the `Cells` of a table, anything where they are missing, and where that is (n,)."""
        x, missing = {}, {j: cells[j].missing for j in self.axes}
        for j, axis in self.axes.items():
            x[j] = np.zeros(len(missing[j]), dtype=axis.least.dtype)
            x[j][~missing[j]] = to_space(cells[j].observed, self.space)
        return x, missing

    def broken(self, x: Values) -> np.ndarray:
        """(n,) of bool, the rows that break a constraint."""
        return np.any([rule.broken(x) for rule in self.rules()], axis=0)

    def ends(self, n_rows: int, limits: Limits) -> tuple[dict, dict, dict]:
        """Bounds by themselves, of n rows: dicts of low, high and whether a cell is to stay, (n,) each."""
        low: dict[int, np.ndarray] = {}
        high: dict[int, np.ndarray] = {}
        fixed: dict[int, np.ndarray] = {}
        for j, axis in self.axes.items():
            dtype = axis.least.dtype
            low[j], high[j] = np.full(n_rows, axis.low, dtype=dtype), np.full(n_rows, axis.high, dtype=dtype)
            fixed[j] = np.full(n_rows, axis.is_fixed)
            given = limits.of(j)
            if given is not None:
                rows = np.flatnonzero(given.rows)
                least, most = to_space(given.low, self.space), to_space(given.high, self.space)
                low[j][rows] = np.maximum(low[j][rows], at_least(axis.grid, least))
                high[j][rows] = np.minimum(high[j][rows], at_most(axis.grid, most))
                stays = least == most
                low[j][rows[stays]] = high[j][rows[stays]] = least[stays]
                fixed[j][rows[stays]] = True
        return low, high, fixed

    def reach(self, low: Values, high: Values, fixed: Values) -> tuple[dict, dict]:
        """Bounds carried up and down along the orders."""
        low, high = dict(low), dict(high)
        for pair in self.pairs:
            below = at_least(self.axes[pair.upper].grid, low[pair.lower], pair.strict)
            low[pair.upper] = np.where(fixed[pair.upper], low[pair.upper], np.maximum(low[pair.upper], below))
        for pair in reversed(self.pairs):
            above = at_most(self.axes[pair.lower].grid, high[pair.upper], pair.strict)
            high[pair.lower] = np.where(fixed[pair.lower], high[pair.lower], np.minimum(high[pair.lower], above))
        return low, high

    def conflict(self, low: Values, high: Values, fixed: Values) -> tuple[str, str] | None:
        """Why there are no values within bounds, as (rule, values) in words for the first such row; else None."""
        for j in self.axes:
            rules = [rule for rule in self.single if rule.index == j]
            if not rules:
                continue
            bad, stays = low[j] > high[j], fixed[j]
            bad[stays] |= np.any([rule.broken({j: low[j][stays]}) for rule in rules], axis=0)
            if bad.any():
                row = np.argmax(bad)
                return " with ".join(rule.label for rule in rules), self._shown(j, row, fixed, low, high)
        low = dict(low)
        for pair in self.pairs:
            j, need = pair.upper, low[pair.lower]
            raised = at_least(self.axes[j].grid, need, pair.strict)
            bad = np.where(fixed[j], need >= high[j] if pair.strict else need > high[j], raised > high[j])
            if bad.any():
                row = np.argmax(bad)
                return pair.label, (
                    self._shown(pair.lower, row, fixed, low=low) + " and " + self._shown(j, row, fixed, high=high)
                )
            low[j] = np.where(fixed[j], low[j], np.maximum(low[j], raised))
        return None

    def _shown(self, j: int, row: np.intp, fixed: Values, low: Values | None = None, high: Values | None = None) -> str:
        """In words, the ends of a column in a row."""
        ends = [(words, end[j][row : row + 1]) for words, end in (("at least", low), ("at most", high)) if end]
        shown = [f"{words} {from_space(end, self.space, self.axes[j].dtype)[0]}" for words, end in ends]
        if fixed[j][row]:
            shown = [f"equal to {from_space(ends[0][1], self.space, self.axes[j].dtype)[0]}"]
        return f"{self.axes[j].name!r} {' and '.join(shown)}"

    def project(self, x: Values, limits: Limits) -> dict[int, np.ndarray]:
        """Values x (m,) of rows moved to where they hold the constraints; see the head of this module."""
        low, high, fixed = self.ends(len(next(iter(x.values()))), limits)
        least, most = self._within_seen(x, low, high, fixed)
        seen = self.reach(least, most, fixed)
        # the range seen is left only where nothing else holds the constraints, and then as little as may be
        enough = np.all([seen[0][j] <= seen[1][j] for j in self.axes], axis=0)
        low, high = (
            {j: np.where(enough, narrow[j], wide[j]) for j in self.axes}
            for narrow, wide in zip(seen, self.reach(low, high, fixed), strict=True)
        )
        x = self._order(x, low, high, fixed)
        return self._on_grids({j: np.clip(x[j], least[j], most[j]) for j in x}, low, high, fixed)

    def _within_seen(self, x: Values, low: Values, high: Values, fixed: Values) -> tuple[dict, dict]:
        """Bounds within the range that fit saw, extended to x where x is beyond."""
        low, high = dict(low), dict(high)
        for j, axis in self.axes.items():
            least = at_least(axis.grid, np.minimum(axis.least, x[j]))
            most = at_most(axis.grid, np.maximum(axis.most, x[j]))
            low[j] = np.where(fixed[j], low[j], np.maximum(low[j], least))
            high[j] = np.where(fixed[j], high[j], np.minimum(high[j], most))
        return low, high

    def _order(self, x: Values, low: Values, high: Values, fixed: Values) -> dict[int, np.ndarray]:
        """Values put in order: step 1."""
        x = dict(x)
        for _ in range(len(self.axes) ** 2):
            x = {j: np.clip(x[j], low[j], high[j]) for j in x}
            if not any((x[pair.lower] > x[pair.upper]).any() for pair in self.pairs):
                break
            for pair in self.pairs:
                a, b = x[pair.lower], x[pair.upper]
                # the bounds of the others follow a cell that stays: only another one that stays is out of order
                wrong = (a > b) & ~(fixed[pair.lower] | fixed[pair.upper])
                middle = midway(a, b)
                x[pair.lower] = np.where(wrong, middle if pair.ties > OFTEN else b, a)
                x[pair.upper] = np.where(wrong, middle if pair.ties > OFTEN else a, b)
        return x

    def _on_grids(self, x: Values, low: Values, high: Values, fixed: Values) -> dict[int, np.ndarray]:
        """Values within their bounds and on their grids: step 3."""
        low, out = dict(low), {}
        for j, axis in self.axes.items():
            inside = np.minimum(np.maximum(nearest_on(axis.grid, x[j]), low[j]), high[j])
            out[j] = np.where(fixed[j], low[j], inside)
            for pair in self.pairs:
                if pair.lower == j:
                    need = at_least(self.axes[pair.upper].grid, out[j], pair.strict)
                    low[pair.upper] = np.where(fixed[pair.upper], low[pair.upper], np.maximum(low[pair.upper], need))
        return out


def midway(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Middles of numbers."""
    return b + (a - b) // 2 if a.dtype.kind == "i" else 0.5 * a + 0.5 * b
