"""A column that is a sum of others, row by row and exactly.

Where all columns are written in integers or decimals the sum is one of integers, in steps of 10^-D for the D that
writes every product: there is no rounding in it. Elsewhere it is one of floats, from left to right as it is written, so
that the same sum of the columns returned is the same float.

A row is put right by the first columns that can: the column on the left, which takes any value; then those on the
right, the widest first, within the range that fit saw; then those on the right beyond it. Cells that stay do.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import NamedTuple

import numpy as np

from ..cells import Cells
from ..columns import Column
from ..grids import has_decimals, seen_decimals
from .formulas import Formula, decimals_of
from .rows import DependentRows

SAFE = 2**61  # below, the integers of sums are int64, above those of Python
ULPS = 16  # the rounding error of a sum of floats, in units of the last bit of its largest part

Numbers = dict[int, np.ndarray]


class Part(NamedTuple):
    """A column of a sum: its dtype, its decimals (None off a grid), and the ends of what fit saw."""

    dtype: np.dtype
    decimals: int | None
    least: np.generic
    most: np.generic

    @classmethod
    def of(cls, column: Column) -> Part:
        constant = seen_decimals(np.array(column.range))
        return cls(column.dtype, getattr(column, "decimals", constant), *column.range)


class Integers:
    """Numbers in steps of 10^-decimals.

    factors : of the columns in the equation whose sum is to be zero, that of the left one below zero
    """

    def __init__(self, left: int, formula: Formula, parts: dict[int, Part], decimals: int) -> None:
        common = lcm(formula.constant.denominator, *(factor.denominator for factor in formula.terms.values()))
        self.left, self.parts, self.scale = left, parts, 10**decimals
        self.factors = {left: -common, **{j: int(factor * common) for j, factor in formula.terms.items()}}
        self.constant = int(formula.constant * common * self.scale)
        # a float on the left takes what the sum gives; the others stay on their grids
        self.steps = {j: 10 ** (decimals - (part.decimals or 0)) for j, part in parts.items()}
        if parts[left].dtype.kind == "f":
            self.steps[left] = 1

    def are_written(self, cells: Numbers) -> np.ndarray:
        """(n,) of bool, the rows whose cells are in such steps."""
        places = len(str(self.scale)) - 1
        floats = [x for x in cells.values() if x.dtype.kind == "f"]
        every = np.ones(len(cells[self.left]), dtype=bool)
        return np.all([every, *(has_decimals(x, places) for x in floats)], axis=0)

    def read(self, cells: Numbers) -> Numbers:
        largest = max((abs(self.factors[j]) * _largest(x) for j, x in cells.items()), default=0)
        dtype = np.dtype(np.int64 if largest * self.scale * (len(cells) + 1) + abs(self.constant) < SAFE else object)
        return {j: self.read_one(x, dtype) for j, x in cells.items()}

    def read_one(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        if x.dtype.kind == "f":
            scaled = np.rint(x.astype(np.float64) * self.scale)
            return np.array([int(v) for v in scaled], dtype=object) if dtype.kind == "O" else scaled.astype(dtype)
        return x.astype(dtype) * self.scale

    def write(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return (x / self.scale if dtype.kind == "f" else x // self.scale).astype(dtype)

    def residual(self, x: Numbers) -> np.ndarray:
        total = x[self.left] * self.factors[self.left] + self.constant
        return sum((factor * x[j] for j, factor in self.factors.items() if j != self.left), start=total)

    def off(self, x: Numbers) -> np.ndarray:
        """(n,) of bool, the rows in which the sum is another."""
        return np.asarray(self.residual(x) != 0, dtype=bool)

    def solved(self, j: int, x: Numbers) -> np.ndarray:
        """What column j is to be: on its grid, at most a step from where the equation holds."""
        factor, step = self.factors[j], self.steps[j]
        rest = self.residual({**x, j: x[j] * 0})
        return (-rest if factor > 0 else rest) // (abs(factor) * step) * step

    def dtype_ends(self, j: int, like: np.ndarray) -> tuple[int, int]:
        """Ends of what the dtype of column j can hold."""
        kind = self.parts[j].dtype
        most = 2**62 if like.dtype.kind != "O" else 2**2000
        if kind.kind == "f":
            return -most, most
        return max(np.iinfo(kind).min * self.scale, -most), min(int(np.iinfo(kind).max) * self.scale, most)


class Floats:
    """Numbers as floats."""

    def __init__(self, left: int, formula: Formula, parts: dict[int, Part]) -> None:
        self.left, self.parts = left, parts
        self.terms = {j: float(factor) for j, factor in formula.terms.items()}
        self.factors = {left: -1.0, **self.terms}
        self.constant = float(formula.constant)

    def read(self, cells: Numbers) -> Numbers:
        return {j: self.read_one(x, np.dtype(float)) for j, x in cells.items()}

    def read_one(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return x.astype(dtype)

    def write(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return x.astype(dtype)

    def evaluate(self, x: Numbers) -> np.ndarray:
        """The sum, from left to right."""
        total = np.zeros(1)
        for j, factor in self.terms.items():
            total = total + factor * x[j]
        return total + self.constant if self.constant else total

    def off(self, x: Numbers) -> np.ndarray:
        # parts of less than double precision are known to their own last bit
        error = sum(
            np.abs(self.factors[j] * values) * np.finfo(_float_of(self.parts[j].dtype)).eps for j, values in x.items()
        )
        return np.abs(x[self.left] - self.evaluate(x)) > ULPS * (error + abs(self.constant) * np.finfo(float).eps)

    def solved(self, j: int, x: Numbers) -> np.ndarray:
        if j == self.left:
            out = self.evaluate(x)
        else:
            out = (x[self.left] - self.evaluate({**x, j: x[j] * 0})) / self.factors[j]
        kind = self.parts[j].dtype
        return out.astype(kind).astype(float) if kind.kind == "f" else np.rint(out)

    def dtype_ends(self, j: int, like: np.ndarray) -> tuple[float, float]:
        kind = self.parts[j].dtype
        info = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        return float(info.min), float(info.max)


def _float_of(dtype: np.dtype) -> np.dtype:
    return dtype if dtype.kind == "f" else np.dtype(float)


def _largest(x: np.ndarray) -> int:
    return int(max(abs(float(x.min())), abs(float(x.max())))) + 1 if len(x) else 0


class Sum:
    """A column on the left that is a sum of those on the right.

    Parameters
    ----------
    label : for messages; left : int, the index of the column
    formula : the right side
    columns : list of the fitted columns
    """

    def __init__(self, label: str, left: int, formula: Formula, columns: Sequence[Column]) -> None:
        self.label, self.inputs, self.output, self.outputs = label, tuple(formula.terms), left, (left,)
        self.parts = {j: Part.of(columns[j]) for j in self.columns()}
        widest = sorted(self.inputs, key=lambda j: -float(self.parts[j].most) + float(self.parts[j].least))
        self.order = (left, *widest)
        self.floats = Floats(left, formula, self.parts)
        decimals = _common_decimals(left, formula, self.parts)
        self.integers = None if decimals is None else Integers(left, formula, self.parts, decimals)

    def columns(self) -> tuple[int, ...]:
        return (self.output, *self.inputs)

    def broken(self, cells: Sequence[Cells]) -> np.ndarray:
        """(n,) of bool, the rows in which nothing is missing and the sum is another."""
        there = ~np.any([cells[j].missing for j in self.columns()], axis=0)
        x = {j: cells[j].take(np.flatnonzero(there)).observed for j in self.columns()}
        out = np.zeros(len(there), dtype=bool)
        for numbers, rows in self.by_numbers(x):
            read = numbers.read({j: values[rows] for j, values in x.items()})
            out[np.flatnonzero(there)[rows]] = numbers.off(read)
        return out

    def by_numbers(self, cells: Numbers) -> list[tuple[Integers | Floats, np.ndarray]]:
        """The rows, by their indices, whose sums are those of integers, and the others."""
        n = len(cells[self.output])
        exact = np.zeros(n, dtype=bool) if self.integers is None else self.integers.are_written(cells)
        parts = [(self.integers, np.flatnonzero(exact)), (self.floats, np.flatnonzero(~exact))]
        return [(numbers, rows) for numbers, rows in parts if numbers is not None and len(rows)]

    def repair(self, rows: DependentRows, some: np.ndarray) -> None:
        """Put some rows right, by their indices."""
        cells = {j: rows.cells[j][some] for j in self.columns()}
        for numbers, part in self.by_numbers(cells):
            self._solve(numbers, rows, some[part])

    def _solve(self, numbers: Integers | Floats, rows: DependentRows, some: np.ndarray) -> None:
        start = numbers.read({j: rows.cells[j][some] for j in self.columns()})
        x, j = dict(start), self.output
        x[j] = np.clip(numbers.solved(j, x), *self._ends(j, numbers, rows, some, x, True))
        for beyond_seen in (False, True):
            for j in self.order:
                off = numbers.off(x)
                if not off.any():
                    break
                solved = np.clip(numbers.solved(j, x), *self._ends(j, numbers, rows, some, x, beyond_seen))
                x[j] = np.where(off, solved, x[j])
        right = ~numbers.off(x)
        for j in self.columns():
            changed = right & ~rows.fixed[j][some] & np.asarray(x[j] != start[j], dtype=bool)
            if changed.any():
                rows.put(j, some[changed], numbers.write(x[j][changed], self.parts[j].dtype))

    def _ends(
        self,
        j: int,
        numbers: Integers | Floats,
        rows: DependentRows,
        some: np.ndarray,
        x: Numbers,
        beyond_seen: bool,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ends of what column j may be in some rows."""
        low, high = (np.full(len(some), end, dtype=x[j].dtype) for end in numbers.dtype_ends(j, x[j]))
        if j in rows.ends:
            least, most, where = rows.ends[j]
            low = np.where(where[some], numbers.read_one(least[some], x[j].dtype), low)
            high = np.where(where[some], numbers.read_one(most[some], x[j].dtype), high)
        if not beyond_seen and j != self.output:
            part = self.parts[j]
            least, most = numbers.read_one(np.array([part.least, part.most], dtype=part.dtype), x[j].dtype)
            low, high = np.maximum(low, np.minimum(least, x[j])), np.minimum(high, np.maximum(most, x[j]))
        fixed = rows.fixed[j][some]
        return np.where(fixed, x[j], low), np.where(fixed, x[j], np.maximum(low, high))


def _common_decimals(left: int, formula: Formula, parts: dict[int, Part]) -> int | None:
    """The decimals that write the column on the left and all products exactly; None where floats are off a grid."""
    places = [part.decimals for part in parts.values()]
    if any(decimals is None for decimals in places):
        return None
    products = [(parts[j].decimals or 0) + decimals_of(factor) for j, factor in formula.terms.items()]
    return max([parts[left].decimals or 0, decimals_of(formula.constant), *products])


def is_number(column: Column) -> bool:
    """Whether a column can stand in a sum."""
    return column.is_ordered and column.dtype.kind in "iuf"
