"""Constraints that a user states, held exactly in the rows of a table.

A constraint is (left, operator, right): a bound of a column, an order of two, or the multiples of a number. All that
a user states is read and checked here, once, against the columns that fit saw; `_groups.py` moves the rows.
"""

import math
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from numbers import Integral, Real

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..._numerics.warnings_ import warn_user
from ..columns import ConstantColumn, EmptyColumn, seen_decimals
from ..dates import DateColumn, read_tick, seen_range
from ..frames import column_index, column_names
from .grids import (
    ClockGrid,
    DecimalGrid,
    FloatGrid,
    WholeGrid,
    after,
    as_fraction,
    at_least,
    at_most,
    before,
    highest,
    lowest,
)
from .groups import Axis, Bound, Group, Multiple, Pair, from_space, to_space

ORDERS = {"<=": (False, False), "<": (False, True), ">=": (True, False), ">": (True, True)}  # turned round, strict
MULTIPLE = "multiple of"
LARGEST_WHOLE = 2**62


# --- what is stated


@dataclass(frozen=True)
class Stated:
    """One constraint as it is stated, `other` the number of a column or None, `constant` what is there instead."""

    label: str
    place: int
    operator: str
    other: int | None
    constant: object

    def pair(self):
        """The order of two columns."""
        turned, strict = ORDERS[self.operator]
        ends = (self.other, self.place) if turned else (self.place, self.other)
        return Pair(self.label, *ends, strict)


def read_stated(constraints, columns, template):
    """The constraints as `Stated`, each checked by itself."""
    if not isinstance(constraints, list | tuple):
        raise TypeError(
            f"constraints must be None or a list of tuples (left, operator, right), got {constraints!r:.80}."
        )
    return [_read_one(f"constraints[{i}]", stated, columns, template) for i, stated in enumerate(constraints)]


def _read_one(label, stated, columns, template):
    if not isinstance(stated, list | tuple) or len(stated) != 3:
        raise TypeError(f"{label} must be a tuple (left, operator, right), got {stated!r:.80}.")
    left, operator, right = stated
    if not isinstance(operator, str) or operator not in (*ORDERS, MULTIPLE):
        raise ValueError(f"{label} must have an operator of {[*ORDERS, MULTIPLE]}, got {operator!r}.")
    place = _place(left, label, columns, template)
    names = [column.name for column in columns]
    if not isinstance(right, str):
        return Stated(f"{label}, {names[place]!r} {operator} {right!s}", place, operator, None, right)
    if operator == MULTIPLE:
        raise TypeError(f"{label} must have a number or a duration on the right of {MULTIPLE!r}, got {right!r}.")
    other = _place(right, label, columns, template)
    return Stated(f"{label}, {names[place]!r} {operator} {names[other]!r}", place, operator, other, None)


def _place(key, label, columns, template):
    place = column_index(key, template) if isinstance(key, str | Integral) else None
    if place is None:
        raise ValueError(f"{label} must name columns of X, {column_names(template)}, got the unknown {key!r}.")
    return place


# --- what columns are


def kind_of(column, writer, label):
    """In words, what a column holds that has an order."""
    dtype = None if column.kind == "categorical" else np.asarray(range_of(column)[0]).dtype
    if dtype is None or dtype.kind not in "iufmM":
        held = "one string or bool" if column.kind == "constant" else "bools" if dtype is not None else "categories"
        raise ValueError(f"{label}: column {column.name!r} must hold numbers, dates or durations, got {held}.")
    if dtype.kind == "m":
        return "durations"
    zone = " with a time zone" if writer.time_zone is not None else " without a time zone"
    return "dates" + zone if dtype.kind == "M" else "numbers"


def range_of(column):
    """The least and the largest cell that fit saw."""
    return (column.value[0], column.value[0]) if isinstance(column, ConstantColumn) else seen_range(column)


def space_of(columns):
    """The dtype in which columns are compared: int64, float64, or the finest unit of dates or durations."""
    dtypes = [np.asarray(range_of(column)[0]).dtype for column in columns]
    if dtypes[0].kind in "mM":
        return np.result_type(*dtypes)
    return np.dtype(np.float64 if any(dtype.kind == "f" for dtype in dtypes) else np.int64)


def axis_of(column, space):
    """A column before any constraint."""
    ends = np.array(range_of(column))
    least, most = values = to_space(ends, space)
    fits = abs(int(least)) <= LARGEST_WHOLE >= abs(int(most)) if space.kind == "i" else True
    if space.kind in "mM":
        fits = (values.view(space).astype(ends.dtype) == ends).all()
    if not fits:
        raise ValueError(
            f"Column {column.name!r} of X must hold values within 2**62 steps to be constrained, got "
            f"those from {ends[0]} to {ends[1]}."
        )
    is_fixed = isinstance(column, ConstantColumn)
    low, high = (least, most) if is_fixed else (lowest(values.dtype), highest(values.dtype))
    return Axis(column.name, ends.dtype, grid_of(column, space, ends.dtype), low, high, least, most, is_fixed)


def grid_of(column, space, dtype):
    """The grid of a column's values."""
    if isinstance(column, DateColumn):
        per_tick = int(to_space(np.ones(1, dtype=np.int64).view(dtype), space)[0])
        if column.wall is not None and column.clock_step > column.step:
            return ClockGrid(column, per_tick)
        return WholeGrid(column.origin * per_tick, column.step * per_tick)
    if dtype.kind != "f":
        return WholeGrid()
    decimals = seen_decimals(column.value) if isinstance(column, ConstantColumn) else column.decimals
    return FloatGrid(dtype) if decimals is None else DecimalGrid(1, 10**decimals, dtype)


# --- rules on one column


def multiple_rule(stated, axis, space):
    """The rule, and the axis with the values that keep it."""
    if space.kind == "M":
        raise ValueError(f"{stated.label}: column {axis.name!r} must hold numbers or durations, got dates.")
    of = _multiplier(stated, axis, space)
    every = FloatGrid(axis.dtype) if axis.dtype.kind == "f" else WholeGrid()
    grid = axis.grid.multiples(of)
    if grid is None:
        raise ValueError(
            f"{stated.label}, cannot be met by the steps seen in fit, got those from "
            f"{from_space(np.array([axis.least]), space, axis.dtype)[0]} on."
        )
    return Multiple(stated.label, stated.place, every.multiples(of)), replace(axis, grid=grid)


def _multiplier(stated, axis, space):
    """What values are to be multiples of: a Fraction for floats, else a whole number."""
    of = stated.constant
    if space.kind == "m":
        tick, exact = floor_of(of, stated.label, axis, space, False)
        if not exact or tick <= 0:
            raise ValueError(
                f"{stated.label} must have a duration above 0, of whole units of its column, on the right, got {of!s}."
            )
        return tick
    _check_number(of, stated.label)
    if of <= 0 or seen_decimals(np.array([float(of)])) is None:
        raise ValueError(f"{stated.label} must have a number above 0 of at most 8 decimals on the right, got {of!r}.")
    # a whole number is a multiple of p/q in lowest terms where it is one of p
    return as_fraction(of) if axis.dtype.kind == "f" else as_fraction(of).numerator


def bound_rule(stated, axis, space, zoned):
    """The rule, and the axis with the ends that keep it."""
    turned, strict = ORDERS[stated.operator]
    floor, exact = floor_of(stated.constant, stated.label, axis, space, zoned)
    end = np.array([floor], dtype=axis.least.dtype)
    if turned:
        end = end if exact and not strict else after(end)
        rule = Bound(stated.label, stated.place, end[0], highest(end.dtype))
        return rule, replace(axis, low=max(axis.low, end[0]))
    end = before(end) if exact and strict else end
    rule = Bound(stated.label, stated.place, lowest(end.dtype), end[0])
    return rule, replace(axis, high=min(axis.high, end[0]))


def floor_of(constant, label, axis, space, zoned):
    """The greatest value of the space that is at most a constant, and whether it is the constant itself."""
    if space.kind in "mM":
        tick = _read_tick(constant, label, space, zoned)
        floor = tick.astype(space)
        return int(floor.astype(np.int64)) - int(floor > tick), floor == tick
    _check_number(constant, label)
    if space.kind == "f":
        with np.errstate(over="ignore"):
            return (axis.dtype.type(constant) if axis.dtype.kind == "f" else float(constant)), True
    floor = min(max(math.floor(constant), -LARGEST_WHOLE - 1), LARGEST_WHOLE + 1)
    return floor, floor == constant


def _check_number(constant, label):
    # numpy counts its durations among the whole numbers
    is_number = isinstance(constant, Real) and not isinstance(constant, bool | np.bool_ | np.timedelta64)
    if not is_number or not abs(constant) <= np.finfo(np.float64).max:
        raise TypeError(f"{label} must have a finite number or the name of a column on the right, got {constant!r}.")


def _read_tick(constant, label, space, zoned):
    kind = "duration" if space.kind == "m" else "date with a time zone" if zoned else "date without a time zone"
    try:
        if isinstance(constant, Real) and not isinstance(constant, np.timedelta64):
            raise TypeError("a number")
        tick = read_tick(constant, space.kind, zoned)
    except (TypeError, ValueError, AttributeError) as error:
        raise TypeError(
            f"{label} must have a {kind} or the name of a column on the right, got {constant!r}."
        ) from error
    if np.isnat(tick):
        raise ValueError(f"{label} must have a {kind} on the right, got NaT.")
    return tick


# --- groups of columns


class Constraints:
    """What is stated of a table, ready to be held.

    Parameters
    ----------
    stated : list of Stated
    columns : list of the fitted columns
    writers : list of Writer
    """

    def __init__(self, stated, columns, writers):
        # a cell that is missing keeps every rule, and so does a column without any other
        stated = [
            s
            for s in stated
            if not any(isinstance(columns[j], EmptyColumn) for j in (s.place, s.other) if j is not None)
        ]
        for s in stated:
            kinds = [kind_of(columns[j], writers[j], s.label) for j in (s.place, s.other) if j is not None]
            if kinds[0] != kinds[-1]:
                raise ValueError(f"{s.label}: both columns must hold the same, got {kinds[0]} and {kinds[1]}.")
        self.groups = [make_group(part, columns, writers) for part in connected(stated, len(columns))]

    def places(self):
        """The numbers of the columns that there are constraints on."""
        return {j for group in self.groups for j in group.axes}

    def hold(self, columns, limits, n_rows):
        """The columns of a table with cells moved where rows break a constraint, and (n,) of bool, the rows moved.

        columns : list of (n,) cells, None without any
        limits : dict, for the number of a column the rows (n,) of bool, and the least and the largest cell (m,) of
            these; where both are the same it stays. Constraints are broken where such cells break them.
        """
        columns, moved = list(columns), np.zeros(n_rows, dtype=bool)
        for group in self.groups:
            x = group.values(columns)
            for j, (rows, least, most) in limits.items():
                if j in x:
                    least, most = to_space(least, group.space), to_space(most, group.space)
                    x[j][rows] = np.where(least == most, least, x[j][rows])
            rows = np.flatnonzero(group.broken(x))
            if not len(rows):
                continue
            x = {j: values[rows] for j, values in x.items()}
            for j, values in group.project(x, part_of(limits, rows)).items():
                changed = values != x[j]
                columns[j] = columns[j].copy()
                columns[j][rows[changed]] = from_space(values[changed], group.space, columns[j].dtype)
                moved[rows[changed]] = True
        return columns, moved

    def check(self, limits, n_rows):
        """Raise where conditions, as limits, contradict the constraints."""
        for group in self.groups:
            found = group.conflict(*group.ends(n_rows, limits))
            if found:
                raise ValueError(f"conditions must not contradict {found[0]}, got {found[1]}.")

    def learn(self, cells):
        """Learn how often columns are equal from the `Cells` of the table of fit; warn of what it breaks."""
        for k, group in enumerate(self.groups):
            x, missing = group.read(cells)
            n_rows = len(cells[0].missing)
            for rule in group.rules():
                n = (rule.broken(x) & ~np.any([missing[j] for j in rule.places()], axis=0)).sum()
                if n:
                    warn_user(f"{rule.label}, is broken by {n} of {n_rows} rows of X. Rows drawn hold it.")
            self.groups[k] = replace(
                group, pairs=[replace(pair, ties=share_of_ties(pair, x, missing)) for pair in group.pairs]
            )


def share_of_ties(pair, x, missing):
    """Share of rows in which both columns hold the same."""
    same = (x[pair.lower] == x[pair.upper]) & ~missing[pair.lower] & ~missing[pair.upper]
    return float(same.mean())


def part_of(limits, rows):
    """The limits of some rows, by their places."""
    return {
        j: (mask[rows], *(cells[np.isin(np.flatnonzero(mask), rows)] for cells in ends))
        for j, (mask, *ends) in limits.items()
    }


def connected(stated, n_columns):
    """The constraints in parts that have no column in common."""
    ends = [(s.place, s.place if s.other is None else s.other) for s in stated]
    one, other = np.array(ends, dtype=int).reshape(-1, 2).T
    part = connected_components(
        coo_array((np.ones(len(one)), (one, other)), shape=(n_columns, n_columns)), directed=False
    )[1]
    return [[s for s in stated if part[s.place] == k] for k in dict.fromkeys(part[s.place] for s in stated)]


def make_group(stated, columns, writers):
    """The group of constraints that belong together."""
    pairs = [s.pair() for s in stated if s.other is not None]
    order = in_order(pairs, {s.place for s in stated}, columns)
    space = space_of([columns[j] for j in order])
    axes, own = {j: axis_of(columns[j], space) for j in order}, []
    for s in stated:
        if s.other is None:
            axis, zoned = axes[s.place], writers[s.place].time_zone is not None
            rule, axes[s.place] = (
                multiple_rule(s, axis, space) if s.operator == MULTIPLE else bound_rule(s, axis, space, zoned)
            )
            own.append(rule)
    axes = {j: on_grid(axis) for j, axis in axes.items()}
    group = Group(space, axes, sorted(pairs, key=lambda pair: order.index(pair.lower)), own)
    check_range(group)
    return group


def on_grid(axis):
    """An axis with its ends on the grid that its rules leave."""
    if axis.is_fixed:
        return axis
    low, high = (np.array([end], dtype=axis.least.dtype) for end in (axis.low, axis.high))
    return replace(axis, low=at_least(axis.grid, low)[0], high=at_most(axis.grid, high)[0])


def check_range(group):
    """Raise unless values within the range seen hold the constraints of a group."""
    limits = {
        j: (
            np.ones(1, dtype=bool),
            *(from_space(np.array([end]), group.space, axis.dtype) for end in (axis.least, axis.most)),
        )
        for j, axis in group.axes.items()
    }
    found = group.conflict(*group.ends(1, limits))
    if found:
        raise ValueError(f"{found[0]}, cannot be met within the range of X seen in fit, got {found[1]}.")


def in_order(pairs, places, columns):
    """Numbers of columns, lower ones first."""
    below = {j: [] for j in sorted(places)}
    for pair in pairs:
        below.setdefault(pair.upper, []).append(pair.lower)
    try:
        return list(TopologicalSorter(below).static_order())
    except CycleError as error:
        circle = " <= ".join(repr(columns[j].name) for j in error.args[1])
        stated = ", ".join(pair.label for pair in pairs if {pair.lower, pair.upper} <= set(error.args[1]))
        raise ValueError(
            f"constraints must not run in a circle, got {circle} by {stated}. Where two columns are "
            "equal, leave one out."
        ) from error
