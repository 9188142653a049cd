"""Rows of a table while dependences between its columns are put right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from .limits import ColumnLimits, Limits


class DependentRows:
    """The cells of some columns, which of them stay, and what the others may be.

    Parameters
    ----------
    columns : list of (n,) cells
    limits : of the cells
    settled : by the index of a column (n,) of bool, more cells that stay
    indices : of the columns needed

    Attributes
    ----------
    cells : by the index of a column (n,); given cells are as they are given
    fixed : by the index of a column (n,) of bool, the cells that stay
    ends : by the index of a column the (n,) low and high ends of its cells, and where they are wanted, (n,) of bool
    """

    def __init__(
        self, columns: Sequence[np.ndarray], limits: Limits, settled: Mapping[int, np.ndarray], indices: Collection[int]
    ) -> None:
        self.choices = limits.choices
        self.cells: dict[int, np.ndarray] = {}
        self.fixed: dict[int, np.ndarray] = {}
        self.ends: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        for j in indices:
            self._read(j, columns[j], limits.of(j))
            if j in settled:
                self.fixed[j] |= settled[j]

    def _read(self, j: int, cells: np.ndarray, given: ColumnLimits | None) -> None:
        n = len(cells)
        self.fixed[j] = np.zeros(n, dtype=bool)
        if j in self.choices:
            alone = np.array([len(chosen) == 1 for chosen in self.choices[j].sets] + [False])  # -1 is the last
            self.fixed[j] |= alone[self.choices[j].which]
        if given is None:
            self.cells[j] = cells.copy()
            return
        stays = np.asarray(given.low == given.high, dtype=bool)
        rows = np.flatnonzero(given.rows)
        self.cells[j] = promoted(cells, given.low)
        self.cells[j][rows[stays]] = given.low[stays]
        self.fixed[j][rows[stays]] = True
        if not stays.all():
            low, high = np.zeros(n, dtype=given.low.dtype), np.zeros(n, dtype=given.low.dtype)
            low[rows], high[rows] = given.low, given.high
            self.ends[j] = low, high, given.rows

    def put(self, j: int, rows: np.ndarray, cells: np.ndarray) -> None:
        """Other cells (m,) in some rows, by their indices."""
        self.cells[j][rows] = cells

    def settle(self, indices: Collection[int], rows: np.ndarray | None = None) -> None:
        """Let the cells of columns stay from now on, in some rows or in all."""
        for j in indices:
            self.fixed[j][slice(None) if rows is None else rows] = True


def promoted(cells: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A copy of cells in a dtype that can hold the others too."""
    if cells.dtype == object or other.dtype == object or {cells.dtype.kind, other.dtype.kind} & set("mM"):
        return cells.astype(object if cells.dtype.kind not in "mM" else np.result_type(cells, other))
    return cells.astype(np.result_type(cells, other))
