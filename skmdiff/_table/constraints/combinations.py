"""Columns that occur together as they were seen together: a function of columns, or fixed combinations.

A row whose combination was not seen is given the nearest of those that were: the one with the fewest cells changed,
those on the left counting most, then the one whose numbers are nearest, then the most frequent one. Cells that stay and
cells that are limited restrict the choice; where nothing is left to choose the row stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from ..cells import Cells
from ..columns import Column
from .rows import DependentRows

LEFT, RIGHT = 1.0, 0.5  # what a changed cell costs; one that follows from the others costs nothing
NEARNESS, FREQUENCY = 1e-3, 1e-6
UNLIMITED = -1


class SeenValues:
    """The values of one column, each with a number from 0 on.

    Parameters
    ----------
    column : the fitted column
    observed : cells of the table of fit
    """

    def __init__(self, column: Column, observed: np.ndarray) -> None:
        self.is_category = column.kind == "categorical" or observed.dtype.kind in "Ob"
        self.values = observed[:0]
        if self.is_category:
            known: Any = getattr(column, "categories", None)
            categories = list(dict.fromkeys(observed.tolist())) if known is None else known
            self.number_of = {category: k for k, category in enumerate(categories)}
            self.values = np.fromiter(categories, dtype=object, count=len(categories))
        else:
            self.values = np.unique(observed)

    def __len__(self) -> int:
        return len(self.values)

    def numbers(self, cells: np.ndarray) -> np.ndarray:
        """Numbers (n,) of cells: of a number the one of the nearest value, of an unseen category -1."""
        if self.is_category:
            return np.fromiter((self.number_of.get(cell, -1) for cell in cells.tolist()), np.intp, len(cells))
        right = np.clip(np.searchsorted(self.values, cells), 0, len(self.values) - 1)
        left = np.maximum(right - 1, 0)
        # differences of unsigned integers would be those modulo 2^64
        cells, values = (x.astype(np.float64) if x.dtype.kind == "u" else x for x in (cells, self.values))
        to_left = (cells <= values[left]) | (cells - values[left] <= values[right] - cells)
        return np.where(to_left & (cells != values[right]), left, right)

    def within(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first of the values from low to high, and the one after the last, of numbers and dates."""
        return np.searchsorted(self.values, low, side="left"), np.searchsorted(self.values, high, side="right")


class Combinations:
    """Columns that hold combinations seen in the table only.

    Parameters
    ----------
    label : for messages
    inputs, output : indices of the columns on the left and of the one on the right; `outputs` as an attribute
    is_function : whether the right one is a function of the others
    columns : list of the fitted columns
    cells : `Cells` of the table of fit

    Attributes
    ----------
    table : (k, n_columns) numbers of the values of each combination, the right column last
    counts : (k,) how often it was seen
    """

    def __init__(
        self,
        label: str,
        inputs: tuple[int, ...],
        output: int,
        is_function: bool,
        columns: Sequence[Column],
        cells: Sequence[Cells],
    ) -> None:
        self.label, self.inputs, self.is_function = label, inputs, is_function
        self.outputs: tuple[int, ...] = (output,)
        self.seen = {j: SeenValues(columns[j], cells[j].observed) for j in self.columns()}
        seen = self._numbers_of(cells)[1]
        self.table, self.counts = np.unique(seen, axis=0, return_counts=True)
        if is_function:
            self._keep_most_frequent()

    def columns(self) -> tuple[int, ...]:
        return (*self.inputs, *self.outputs)

    def with_followers(self, others: Sequence[Combinations]) -> Combinations:
        """The same with the columns that are functions of its own, and so on; `others`, those first that follow.

        A cell on the left is then chosen to agree with all that are given.
        """
        out, label = copy(self), [self.label]
        for other in others:
            known = out.columns()
            if other.outputs[0] in known or not set(other.inputs) <= set(known):
                continue
            left = out.table[:, [known.index(j) for j in other.inputs]]
            number_of = {tuple(row[:-1]): row[-1] for row in other.table.tolist()}
            follower = np.array([number_of.get(tuple(row), -1) for row in left.tolist()], dtype=np.intp)
            out.table, out.outputs = np.column_stack([out.table, follower]), (*out.outputs, *other.outputs)
            out.seen, label = {**out.seen, **other.seen}, [*label, other.label]
            out.table, out.counts = out.table[follower >= 0], out.counts[follower >= 0]
        out.label = " with ".join(label)
        return out

    def _numbers_of(self, cells: Sequence[Cells]) -> tuple[np.ndarray, np.ndarray]:
        """Rows in which nothing is missing, and the numbers of their values."""
        rows = np.flatnonzero(~np.any([cells[j].missing for j in self.columns()], axis=0))
        return rows, np.column_stack([self.seen[j].numbers(cells[j].take(rows).observed) for j in self.columns()])

    def _keep_most_frequent(self) -> None:
        """Of several values for the same cells on the left the most frequent one."""
        order = np.lexsort((-self.counts, *self.table[:, :-1].T))
        left = self.table[order, :-1]
        first = np.r_[True, (left[1:] != left[:-1]).any(axis=1)][: len(order)]
        self.table, self.counts = self.table[order[first]], self.counts[order[first]]

    def broken(self, cells: Sequence[Cells]) -> np.ndarray:
        """(n,) of bool, the rows in which nothing is missing and whose combination is not kept."""
        rows, numbers = self._numbers_of(cells)
        out = np.zeros(len(cells[self.outputs[0]].missing), dtype=bool)
        kept = set(map(tuple, self.table.tolist()))
        out[rows] = [row not in kept for row in map(tuple, numbers.tolist())]
        return out

    def repair(self, rows: DependentRows, some: np.ndarray) -> None:
        """Put some rows right, by their indices."""
        numbers = np.column_stack([self.seen[j].numbers(rows.cells[j][some]) for j in self.columns()])
        asked = np.column_stack([self._asked(j, rows, some) for j in self.columns()])
        fixed = np.column_stack([rows.fixed[j][some] for j in self.columns()])
        for k, part in grouped(np.hstack([numbers, fixed, asked])):
            allowed = self._within(asked[k], rows) & ((self.table == numbers[k]) | ~fixed[k]).all(axis=1)
            if allowed.any():
                self._put(rows, some[part], self.table[self._nearest(numbers[k], allowed)])

    def _put(self, rows: DependentRows, some: np.ndarray, combination: np.ndarray) -> None:
        for j, number in zip(self.columns(), combination.tolist(), strict=True):
            free = some[~rows.fixed[j][some]]
            rows.put(j, free, np.repeat(self.seen[j].values[number : number + 1], len(free)))

    def _nearest(self, numbers: np.ndarray, allowed: np.ndarray) -> np.intp:
        """The index of the nearest of the combinations allowed."""
        price = np.repeat([LEFT, 0.0 if self.is_function else RIGHT], [len(self.inputs), len(self.outputs)])
        differs = self.table != numbers
        cost = differs @ price - FREQUENCY * self.counts / self.counts.max()
        for k, j in enumerate(self.columns()):
            if not self.seen[j].is_category:
                cost = cost + NEARNESS * np.abs(self.table[:, k] - numbers[k]) / len(self.seen[j])
        return np.argmin(np.where(allowed, cost, np.inf))

    # --- what cells are limited to

    def _asked(self, j: int, rows: DependentRows, some: np.ndarray) -> np.ndarray:
        """(m, 2) what the cells of a column are limited to: the index of a set and 0, or the ends of numbers."""
        out = np.full((len(some), 2), UNLIMITED)
        if j in rows.choices:
            out[:, 0], out[:, 1] = rows.choices[j].which[some], 0
        elif j in rows.ends:
            low, high, where = rows.ends[j]
            limited = where[some] & ~rows.fixed[j][some]
            ends = self.seen[j].within(low[some][limited], high[some][limited])
            out[limited] = np.column_stack(ends)
        return out

    def _within(self, asked: np.ndarray, rows: DependentRows) -> np.ndarray:
        """(k,) of bool, the combinations within the limits of one row (2 n_columns,)."""
        sets = {j: rows.choices[j].sets for j in self.columns() if j in rows.choices}
        return self.allowed(dict(zip(self.columns(), asked.reshape(-1, 2).tolist(), strict=True)), sets)

    def allowed(self, asked: dict[int, list[int]], sets: Mapping[int, Sequence[tuple[int, ...]]]) -> np.ndarray:
        """(k,) of bool, the combinations within limits: see `_asked`."""
        out = np.ones(len(self.table), dtype=bool)
        for k, j in enumerate(self.columns()):
            first, stop = asked[j]
            if first == UNLIMITED:
                continue
            numbers = self.table[:, k]
            out &= np.isin(numbers, sets[j][first]) if j in sets else (numbers >= first) & (numbers < stop)
        return out


def grouped(keys: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """For every distinct row of keys (n, k) its first index, and the indices of all that are the same."""
    if not len(keys):
        return
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    stops = np.cumsum(np.bincount(which.ravel()))
    for k, start, stop in zip(first.tolist(), np.r_[0, stops[:-1]].tolist(), stops.tolist(), strict=True):
        yield k, order[start:stop]
