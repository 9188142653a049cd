"""Constraints on the rows of a table, held exactly.

A constraint is (left, operator, right): a bound of a column, an order of two, the multiples of a number, or a
dependence between columns. All of it is read and checked once, against the columns that fit saw; `groups.py` and
`dependences.py` move the rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..._numerics.checks import is_auto
from ..._numerics.warnings_ import warn_user
from ..cells import Cells
from ..columns import Column, ConstantColumn, EmptyColumn
from ..constants import floor_tick, read_number, read_ticks
from ..grids import (
    FloatGrid,
    Grid,
    IntegerGrid,
    after,
    as_fraction,
    at_least,
    at_most,
    before,
    highest,
    lowest,
    seen_decimals,
)
from .dependences import Dependences, WrittenDependence
from .discovery import discover
from .groups import Axis, Bound, Group, Multiple, Pair, from_space, to_space
from .limits import ColumnLimits, Limits
from .written import MULTIPLE, ORDERS, Constraint, check_columns, read_constraints

ROUNDS = 4  # in which dependences follow the cells that orders and bounds move
LARGEST_INTEGER = 2**62


# --- columns that are compared


def space_of(columns: Sequence[Column]) -> np.dtype:
    """The dtype in which columns are compared: int64, float64, or the finest unit of dates or durations."""
    dtypes = [column.dtype for column in columns]
    if dtypes[0].kind in "mM":
        return np.result_type(*dtypes)
    return np.dtype(np.float64 if any(dtype.kind == "f" for dtype in dtypes) else np.int64)


def axis_of(column: Column, space: np.dtype) -> Axis:
    """A column before any constraint."""
    ends = np.array(column.range)
    values = to_space(ends, space)
    least, most = values
    fits = abs(int(least)) <= LARGEST_INTEGER >= abs(int(most)) if space.kind == "i" else True
    if space.kind in "mM":
        fits = (values.view(space).astype(ends.dtype) == ends).all()
    if not fits:
        raise ValueError(
            f"Column {column.name!r} of X must hold values within 2**62 steps to be constrained, got "
            f"those from {ends[0]} to {ends[1]}."
        )
    is_fixed = isinstance(column, ConstantColumn)
    low: Any
    high: Any
    low, high = (least, most) if is_fixed else (lowest(values.dtype), highest(values.dtype))
    grid = column.grid(space if space.kind in "mM" else None)
    return Axis(column.name, ends.dtype, grid, low, high, least, most, is_fixed)


# --- rules on one column


def multiple_rule(constraint: Constraint, axis: Axis, space: np.dtype) -> tuple[Multiple, Axis]:
    """The rule, and the axis with the values that keep it."""
    if space.kind == "M":
        raise ValueError(f"{constraint.label}: column {axis.name!r} must hold numbers or durations, got dates.")
    of = _multiplier(constraint, axis, space)
    every: Grid = FloatGrid(axis.dtype) if axis.dtype.kind == "f" else IntegerGrid()
    grid, multiples = axis.grid.multiples(of), every.multiples(of)
    if grid is None or multiples is None:
        raise ValueError(
            f"{constraint.label}, cannot be met by the steps seen in fit, got those from "
            f"{from_space(np.array([axis.least]), space, axis.dtype)[0]} on."
        )
    return Multiple(constraint.label, constraint.index, multiples), replace(axis, grid=grid)


def _multiplier(constraint: Constraint, axis: Axis, space: np.dtype) -> Fraction | int:
    """What values are to be multiples of: a Fraction for floats, else an integer."""
    of, parameter = constraint.constant, constraint.parameter("")
    if space.kind == "m":
        tick, exact = floor_tick(read_ticks([of], axis.dtype, False, parameter)[0], space)
        if not exact or tick <= 0:
            raise parameter.error(ValueError, f"be a duration above 0 that ticks of {space} can express", of)
        return tick
    number = read_number(of, parameter)
    if number <= 0 or seen_decimals(np.array([float(number)])) is None:
        raise parameter.error(ValueError, "be a number above 0 of at most 8 decimals", of)
    # an integer is a multiple of p/q in lowest terms where it is one of p
    return as_fraction(number) if axis.dtype.kind == "f" else as_fraction(number).numerator


def bound_rule(constraint: Constraint, axis: Axis, space: np.dtype, zoned: bool) -> tuple[Bound, Axis]:
    """The rule, and the axis with the ends that keep it."""
    turned, strict = ORDERS[constraint.operator]
    floor, exact = floor_of(constraint, axis, space, zoned)
    end = np.array([floor], dtype=axis.least.dtype)
    if turned:
        end = end if exact and not strict else after(end)
        rule = Bound(constraint.label, constraint.index, end[0], highest(end.dtype))
        return rule, replace(axis, low=max(axis.low, end[0]))
    end = before(end) if exact and strict else end
    rule = Bound(constraint.label, constraint.index, lowest(end.dtype), end[0])
    return rule, replace(axis, high=min(axis.high, end[0]))


def floor_of(constraint: Constraint, axis: Axis, space: np.dtype, zoned: bool) -> tuple[Any, bool]:
    """The greatest value of the space that is at most a constant, and whether it is the constant itself."""
    constant, parameter = constraint.constant, constraint.parameter()
    if space.kind in "mM":
        return floor_tick(read_ticks([constant], axis.dtype, zoned, parameter)[0], space)
    number = read_number(constant, parameter)
    if space.kind == "f":
        with np.errstate(over="ignore"):
            return (axis.dtype.type(float(number)) if axis.dtype.kind == "f" else float(number)), True
    floor = min(max(math.floor(number), -LARGEST_INTEGER - 1), LARGEST_INTEGER + 1)
    return floor, floor == number


# --- groups of columns


class Constraints:
    """The constraints of a table, ready to be held.

    Parameters
    ----------
    constraints : list of Constraint
    columns : list of the fitted columns
    writers : list of Writer
    """

    def __init__(
        self,
        constraints: Sequence[Constraint | WrittenDependence],
        columns: Sequence[Column],
        writers: Sequence[Any],
        written: Sequence[tuple] = (),
    ) -> None:
        # a cell that is missing keeps every rule, and so does a column without any other
        kept = [c for c in constraints if not any(isinstance(columns[j], EmptyColumn) for j in c.columns())]
        orders = [c for c in kept if isinstance(c, Constraint)]
        for constraint in orders:
            check_columns(constraint, columns)
        self.written = list(written)
        self.found = {c.label for c in kept if c.is_found}
        self.groups = [make_group(part, columns, writers) for part in connected(orders, len(columns))]
        self.dependences = Dependences([c for c in kept if isinstance(c, WrittenDependence)], columns)

    def column_indices(self) -> set[int]:
        """The columns that there are constraints on."""
        return {j for group in self.groups for j in group.axes} | self.dependences.column_indices()

    def hold(self, columns: Sequence, limits: Limits, n_rows: int) -> tuple[list, np.ndarray]:
        """The columns of a table with cells moved where rows break a constraint, and (n,) of bool, the rows moved.

        columns : list of (n,) cells, None without any
        limits : of the cells; constraints are broken where cells that stay break them
        """
        if not self.dependences.ordered:
            held, changed = self._hold_groups(columns, limits, n_rows)
            return held, np.any([*changed.values(), np.zeros(n_rows, dtype=bool)], axis=0)
        held, moved = list(columns), np.zeros(n_rows, dtype=bool)
        settled: dict[int, np.ndarray] = {}
        for _ in range(ROUNDS):
            held, rows = self.dependences.hold(held, limits, settled)
            held, changed = self._hold_groups(held, limits, n_rows)
            moved = np.any([moved, rows, *changed.values()], axis=0)
            if not any(cells.any() for cells in changed.values()):
                break
            settled = {j: cells | settled.get(j, False) for j, cells in changed.items()}
        return held, moved

    def _hold_groups(self, columns: Sequence, limits: Limits, n_rows: int) -> tuple[list, dict[int, np.ndarray]]:
        """The columns with cells moved by orders, bounds and multiples, and which cells these are."""
        columns, moved = list(columns), {}
        for group in self.groups:
            # Cells that stay count as they are asked for: what was decoded may be another value, as of a cell beyond
            # the range of fit, and the caller puts given cells in only at the end.
            x = _with_fixed(group.values(columns), limits, group.space)
            rows = np.flatnonzero(group.broken(x))
            if not len(rows):
                continue
            x = {j: values[rows] for j, values in x.items()}
            for j, values in group.project(x, limits.take(rows)).items():
                changed = values != x[j]
                columns[j] = columns[j].copy()
                columns[j][rows[changed]] = from_space(values[changed], group.space, columns[j].dtype)
                moved[j] = np.zeros(n_rows, dtype=bool)
                moved[j][rows[changed]] = True
        return columns, moved

    def check(self, limits: Limits, n_rows: int) -> None:
        """Raise where conditions, as limits, contradict the constraints."""
        for group in self.groups:
            found = group.conflict(*group.ends(n_rows, limits))
            if found:
                raise ValueError(f"conditions must not contradict {found[0]}, got {found[1]}.")

    def learn(self, cells: Sequence[Cells]) -> None:
        """Learn how often columns are equal, and what depends, from the `Cells` of fit; warn of what they break."""
        self.dependences.learn(cells)
        for k, group in enumerate(self.groups):
            x, missing = group.read(cells)
            n_rows = len(cells[0].missing)
            for rule in group.rules():
                if rule.label in self.found:
                    continue
                n = (rule.broken(x) & ~np.any([missing[j] for j in rule.columns()], axis=0)).sum()
                if n:
                    warn_user(f"{rule.label}, is broken by {n} of {n_rows} rows of X. All rows returned will hold it.")
            self.groups[k] = replace(
                group, pairs=[replace(pair, ties=fraction_of_ties(pair, x, missing)) for pair in group.pairs]
            )


def _with_fixed(x: dict[int, np.ndarray], limits: Limits, space: np.dtype) -> dict[int, np.ndarray]:
    """Values of columns (n,) with the cells that stay."""
    for j in x:
        given = limits.of(j)
        if given is not None:
            low, high = to_space(given.low, space), to_space(given.high, space)
            x[j][given.rows] = np.where(low == high, low, x[j][given.rows])
    return x


def fraction_of_ties(pair: Pair, x: dict[int, np.ndarray], missing: dict[int, np.ndarray]) -> float:
    """Fraction of rows in which both columns hold the same."""
    same = (x[pair.lower] == x[pair.upper]) & ~missing[pair.lower] & ~missing[pair.upper]
    return float(same.mean())


def connected(constraints: Sequence[Constraint], n_columns: int) -> list[list[Constraint]]:
    """The constraints in parts that have no column in common."""
    ends = [(c.index, c.index if c.other is None else c.other) for c in constraints]
    one, other = np.array(ends, dtype=int).reshape(-1, 2).T
    part = connected_components(
        coo_array((np.ones(len(one)), (one, other)), shape=(n_columns, n_columns)), directed=False
    )[1]
    return [[c for c in constraints if part[c.index] == k] for k in dict.fromkeys(part[c.index] for c in constraints)]


def make_group(constraints: Sequence[Constraint], columns: Sequence[Column], writers: Sequence[Any]) -> Group:
    """The group of constraints that belong together."""
    pairs = [c.pair() for c in constraints if c.other is not None]
    order = in_order(pairs, {c.index for c in constraints}, columns)
    space = space_of([columns[j] for j in order])
    axes = {j: axis_of(columns[j], space) for j in order}
    single: list[Bound | Multiple] = []
    for c in constraints:
        if c.other is None:
            axis, zoned = axes[c.index], writers[c.index].time_zone is not None
            rule, axes[c.index] = (
                multiple_rule(c, axis, space) if c.operator == MULTIPLE else bound_rule(c, axis, space, zoned)
            )
            single.append(rule)
    axes = {j: on_grid(axis) for j, axis in axes.items()}
    group = Group(space, axes, sorted(pairs, key=lambda pair: order.index(pair.lower)), single)
    check_range(group)
    return group


def on_grid(axis: Axis) -> Axis:
    """An axis with its ends on the grid that its rules leave."""
    if axis.is_fixed:
        return axis
    low, high = (np.array([end], dtype=axis.least.dtype) for end in (axis.low, axis.high))
    return replace(axis, low=at_least(axis.grid, low)[0], high=at_most(axis.grid, high)[0])


def check_range(group: Group) -> None:
    """Raise unless values within the range seen hold the constraints of a group."""
    one_row = np.ones(1, dtype=bool)
    limits = Limits(
        {
            j: ColumnLimits(
                one_row, *(from_space(np.array([end]), group.space, axis.dtype) for end in (axis.least, axis.most))
            )
            for j, axis in group.axes.items()
        }
    )
    found = group.conflict(*group.ends(1, limits))
    if found:
        raise ValueError(f"{found[0]}, cannot be met within the range of X seen in fit, got {found[1]}.")


def in_order(pairs: Sequence[Pair], indices: Collection[int], columns: Sequence[Column]) -> list[int]:
    """Indices of columns, lower ones first."""
    below: dict[int, list[int]] = {j: [] for j in sorted(indices)}
    for pair in pairs:
        below.setdefault(pair.upper, []).append(pair.lower)
    try:
        return list(TopologicalSorter(below).static_order())
    except CycleError as error:
        circle = " <= ".join(repr(columns[j].name) for j in error.args[1])
        written = ", ".join(pair.label for pair in pairs if {pair.lower, pair.upper} <= set(error.args[1]))
        raise ValueError(
            f"constraints must not run in a circle, got {circle} by {written}. Where two columns are "
            "equal, leave one out."
        ) from error


# --- of a table


def constraints_of(
    constraints: Any, columns: Sequence[Column], writers: Sequence[Any], template: Any, cells: Sequence[Cells]
) -> Constraints:
    """The constraints of a user on a table, with those found in it where he asks for that by "auto"."""
    listed = [constraints] if is_auto(constraints) else list(constraints or [])
    read = read_constraints(listed, columns, template)
    written = [one for one in listed if not is_auto(one)]
    found: list = []
    if len(written) < len(listed):
        dependences = [one for one in read if isinstance(one, WrittenDependence)]
        orders = {j for one in read if isinstance(one, Constraint) and one.other is not None for j in one.columns()}
        found = discover(columns, cells, dependences, orders)
        of_table = read_constraints(found, columns, template, "constraints_", first=len(written))
        read += [replace(one, is_found=True) for one in of_table]
    return Constraints(read, columns, writers, [*written, *found])
