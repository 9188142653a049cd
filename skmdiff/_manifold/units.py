"""The code of a table with its numbers in units of their columns, in which a surface is smooth.

Normal scores keep the order of the rows' values and bend everything else: a surface that is smooth in the table is
rough in the code, by the noise of the empirical distribution function. So charts see columns of numbers that hardly
repeat less their mean, in standard deviations, and give their values back as scores. Columns of repeated values stay in
the code, in which a repeated value is an interval that a sample may move in without leaving the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from .._table.codec import TableCodec
from .._table.columns import Column
from .._table.numeric import QuantileColumn

DISTINCT = 0.5  # least fraction of the cells of a column that are distinct values


@dataclass(frozen=True)
class Units:
    """The columns of the code that are scores of numbers that hardly repeat, by their index in it."""

    columns: dict[int, QuantileColumn]

    @classmethod
    def of(cls, codec: TableCodec) -> Units:
        """Those of a table."""
        starts = np.cumsum([0, *(column.width for column in codec.columns_)])
        return cls(
            {int(j): column for j, column in zip(starts, codec.columns_, strict=False) if hardly_repeats(column)}
        )

    def to(self, W: np.ndarray) -> np.ndarray:
        """Rows (m, p) of the code in units of the columns, each less its middle, in standard deviations."""
        out = W.copy()
        for j, column in self.columns.items():
            out[:, j] = (column.decode(W[:, [j]]).astype(float) - middle(column)) / column.std
        return out

    def back(self, V: np.ndarray) -> np.ndarray:
        """The code of rows (m, p) in units of the columns; what is beyond the values of a column becomes their end."""
        out = V.copy()
        for j, column in self.columns.items():
            out[:, j] = column.encode(middle(column) + column.std * V[:, j])[:, 0]
        return out


CODE = Units({})  # all columns stay as they are


def hardly_repeats(column: Column) -> TypeGuard[QuantileColumn]:
    """Whether a column holds floats, with a score alone, most of which are distinct."""
    if not isinstance(column, QuantileColumn) or column.width > 1 or column.dtype.kind != "f":
        return False
    return len(column.values) >= DISTINCT * column.n


def middle(column: QuantileColumn) -> float:
    """Of the range of a column."""
    return float(column.least) / 2 + float(column.most) / 2
