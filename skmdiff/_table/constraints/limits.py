"""What the cells of single rows are to be: cells that stay as they are, and cells within a range or of a set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class ColumnLimits(NamedTuple):
    """Ends of the cells of one column in some rows, both allowed; where they are the same the cell stays.

    rows : (n,) of bool, the rows that have limits, m of them
    low, high : (m,) cells
    """

    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def take(self, rows: np.ndarray) -> ColumnLimits:
        """Those of some rows, by their indices."""
        some = np.isin(np.flatnonzero(self.rows), rows)
        return ColumnLimits(self.rows[rows], self.low[some], self.high[some])


class ColumnChoices(NamedTuple):
    """The categories that the cells of one column may be.

    which : (n,) the index of the set of each row, -1 for any category
    sets : the sets, of indices of categories
    """

    which: np.ndarray
    sets: Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Limits:
    """The limits of a table, by the index of the column; a column that is not there has none.

    by_column : of numbers and dates, and of categories that stay
    choices : of categories
    """

    by_column: Mapping[int, ColumnLimits] = field(default_factory=dict)
    choices: Mapping[int, ColumnChoices] = field(default_factory=dict)

    @classmethod
    def fixed(cls, cells: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> Limits:
        """Of cells that stay: by the index of a column the rows (n,) of bool, and their cells (m,)."""
        return cls({j: ColumnLimits(rows, values, values) for j, (rows, values) in cells.items()})

    def of(self, column: int) -> ColumnLimits | None:
        return self.by_column.get(column)

    def take(self, rows: np.ndarray) -> Limits:
        """The limits of some rows, by their indices, ascending."""
        choices = {j: ColumnChoices(found.which[rows], found.sets) for j, found in self.choices.items()}
        return Limits({j: limits.take(rows) for j, limits in self.by_column.items()}, choices)

    def only(self, columns: Collection[int]) -> Limits:
        """The limits of some columns."""
        return Limits(
            {j: limits for j, limits in self.by_column.items() if j in columns},
            {j: choices for j, choices in self.choices.items() if j in columns},
        )
