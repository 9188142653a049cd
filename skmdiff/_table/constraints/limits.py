"""What the cells of single rows are to be: cells that stay as they are, and cells within a range."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


@dataclass(frozen=True)
class Limits:
    """The limits of a table, by the index of the column; a column that is not there has none."""

    by_column: Mapping[int, ColumnLimits] = field(default_factory=dict)

    @classmethod
    def fixed(cls, cells: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> Limits:
        """Of cells that stay: by the index of a column the rows (n,) of bool, and their cells (m,)."""
        return cls({j: ColumnLimits(rows, values, values) for j, (rows, values) in cells.items()})

    def of(self, column: int) -> ColumnLimits | None:
        return self.by_column.get(column)

    def take(self, rows: np.ndarray) -> Limits:
        """The limits of some rows, by their indices, ascending."""
        return Limits({j: limits.take(rows) for j, limits in self.by_column.items()})

    def only(self, columns: Collection[int]) -> Limits:
        """The limits of some columns."""
        return Limits({j: limits for j, limits in self.by_column.items() if j in columns})
