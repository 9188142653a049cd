"""Columns of integers that only tell rows apart: 1, 2, ..., n, in any order.

They are recognised by two signs together: no value repeats, and the values fill their range or go up, row by row, by
one step. An ordinary measurement that fills two thirds of its range repeats: n draws from 1.5 n equally frequent
integers are all distinct with a probability below exp(-n / 3), 4e-8 for 51 rows.

A column that the user calls unique has no block in the code: it is not learnt. Its new cells are new identifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._numerics.warnings_ import warn_user
from .cells import Cells
from .columns import Column, Ties
from .constants import Parameter, Values
from .grids import seen_decimals

FEWEST_ROWS = 50  # more than this can be told from a coincidence
LARGEST_RANGE = 1.5  # of the values, over their number
UNIQUE = ("is", "unique")  # operator and right side of the constraint


def is_unique(written: Any) -> bool:
    """Whether a constraint, as users write it, calls a column unique."""
    is_written = isinstance(written, list | tuple) and len(written) == 3 and isinstance(written[2], str)
    return is_written and tuple(written[1:]) == UNIQUE


def looks_like_identifier(x: np.ndarray) -> bool:
    """Whether cells (n,) are integers that only tell rows apart."""
    if x.dtype.kind not in "iuf" or len(x) <= FEWEST_ROWS or seen_decimals(x) != 0:
        return False
    ordered = np.sort(x)
    if (ordered[:-1] == ordered[1:]).any():
        return False
    fills = int(ordered[-1]) - int(ordered[0]) < LARGEST_RANGE * len(x)
    return fills or counts_up(x)


def counts_up(x: np.ndarray) -> bool:
    """Whether each number is larger than the one before, by the same step."""
    return bool((x[1:] > x[:-1]).all() and len(np.unique(x[1:] - x[:-1])) == 1)


def warn_of_identifiers(columns: Sequence[Column], cells: Sequence[Cells]) -> None:
    """Give a warning for each column that looks like an identifier."""
    for column, x in zip(columns, cells, strict=True):
        if not isinstance(column, IdentifierColumn) and looks_like_identifier(x.observed):
            warn_user(
                f"Column {column.name!r} of X looks like an identifier: {len(x.observed)} distinct integers that fill "
                "their range or count up. Samples repeat its values. Drop the column, or get "
                f"new identifiers by constraints=[({column.name!r}, 'is', 'unique')]."
            )


class IdentifierColumn(Column):
    """A column without a block whose new cells are integers after the largest one seen.

    Parameters
    ----------
    x : ndarray of integers, or floats that are
    name : str, for messages
    """

    content = "identifiers"

    def __init__(self, x: np.ndarray, name: str) -> None:
        if x.dtype.kind not in "iuf" or not len(x) or seen_decimals(x) != 0:
            got = repr(x[0]) if len(x) else "nothing"
            raise ValueError(f"Column {name!r} of X must hold integers to be unique, got {got}.")
        self.name, self.n, self.dtype = name, len(x), x.dtype
        self.first, self.last = int(x.min()), int(x.max())
        n_repeats = len(x) - len(np.unique(x))
        if n_repeats:
            warn_user(f"Column {name!r} of X is to be unique, but {n_repeats} of {len(x)} cells repeat another.")

    @property
    def range(self) -> tuple[int, int]:
        return self.first, self.last

    @property
    def is_ordered(self) -> bool:
        """False: they are not to be compared."""
        return False

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        return np.empty((len(x), 0))

    def decode(self, block: np.ndarray) -> np.ndarray:
        return self.new(0, len(block))

    def new(self, first_row: int, n_rows: int) -> np.ndarray:
        """Identifiers (n_rows,) of new rows from an index on: the next integers after the largest seen."""
        first, largest = self.last + 1 + first_row, largest_integer(self.dtype)
        if first + n_rows - 1 > largest:
            raise ValueError(
                f"Column {self.name!r} must number {n_rows} new rows after {self.last}, but its dtype {self.dtype} "
                f"ends at {largest}. Convert it to int64, or number the rows from 1, before fit."
            )
        return np.arange(first, first + n_rows, dtype=self.dtype)

    def read(self, values: Values, parameter: Parameter) -> np.ndarray:
        raise parameter.error(ValueError, "not be given: the column holds identifiers, new ones in new rows", values[0])

    parse = read


def largest_integer(dtype: np.dtype) -> int:
    """The last integer up to which a dtype holds all."""
    return 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else int(np.iinfo(dtype).max)


def n_used(columns: Sequence[Column], cells: Sequence[Cells]) -> int:
    """How many identifiers after the last of fit a table may use already."""
    found = [
        int(x.observed.max()) - column.last
        for column, x in zip(columns, cells, strict=True)
        if isinstance(column, IdentifierColumn) and len(x.observed)
    ]
    return max([0, *found])


def renumbered(columns: Sequence[Column], cells: list, first_row: int) -> list:
    """Decoded cells, the identifiers among them as those of new rows from an index on."""
    return [
        column.new(first_row, len(x)) if isinstance(column, IdentifierColumn) else x
        for column, x in zip(columns, cells, strict=True)
    ]
