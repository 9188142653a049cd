"""What conditions say of other columns, by the dependences between them; conditions that contradict one are an error.

A country that is given leaves the cities of that country. A sum and all its parts but one leave one value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from .._table.columns import Column, ConstantColumn
from .._table.constraints.combinations import UNLIMITED, Combinations, SeenValues, grouped
from .._table.constraints.dependences import Dependence, Dependences
from .._table.constraints.sums import Numbers, Sum

SHOWN = 3


class Condition(Protocol):
    """What is read of a `ColumnConditions`, and written."""

    column: Column
    asked: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mask: np.ndarray
    masks: dict[tuple[int, ...], int]

    def allow(self, indices: np.ndarray, rows: np.ndarray) -> None: ...


def propagate(asked: Mapping[int, Any], of: Callable[[int], Any], dependences: Dependences) -> None:
    """Narrow the conditions on columns that there are dependences between, from the last to the first and back.

    asked : the conditions by the index of a column; of : those of one column, made where there are none
    """
    ordered = dependences.ordered
    for one in [*reversed(ordered), *ordered, *dependences.held]:
        if asked.keys().isdisjoint(one.columns()):
            continue
        conditions = {j: of(j) for j in one.columns()}
        if isinstance(one, Sum):
            _narrow_sum(one, conditions)
        else:
            _narrow_combinations(one, conditions)


def _refuse(one: Dependence, conditions: Mapping[int, Condition], row: int) -> None:
    """Raise for the conditions of one row."""
    given = [_described(condition, row) for condition in conditions.values() if condition.asked[row]]
    values = " and ".join([", ".join(given[:-1]), given[-1]] if len(given) > 1 else given)
    raise ValueError(f"conditions must not contradict {one.label}, got {values}.")


def _described(condition: Condition, row: int) -> str:
    column = condition.column
    if column.kind == "categorical":
        categories = [column.categories[k] for k in list(condition.masks)[condition.mask[row]]]  # type: ignore[attr-defined]
        more = ", ..." if len(categories) > SHOWN else ""
        what = f"equal to {categories[0]!r}" if len(categories) == 1 else "one of "
        return f"{column.name!r} {what}" + (
            "" if len(categories) == 1 else ", ".join(map(repr, categories[:SHOWN])) + more
        )
    low, high = condition.low[row], condition.high[row]
    return f"{column.name!r} equal to {low}" if low == high else f"{column.name!r} from {low} to {high}"


# --- combinations that were seen


def _narrow_combinations(one: Combinations, conditions: Mapping[int, Condition]) -> None:
    asked = np.hstack([_asked(one.seen[j], condition, j in one.inputs) for j, condition in conditions.items()])
    sets = {j: list(condition.masks) for j, condition in conditions.items() if condition.column.kind == "categorical"}
    rows = np.flatnonzero((asked[:, ::2] != UNLIMITED).any(axis=1))
    for k, part in grouped(asked[rows]):
        limits = asked[rows[k]].reshape(-1, 2).tolist()
        allowed = one.allowed(dict(zip(conditions, limits, strict=True)), sets)
        if not allowed.any():
            _refuse(one, conditions, rows[k])
        for i, (j, condition) in enumerate(conditions.items()):
            _restrict(condition, one.seen[j], np.unique(one.table[allowed, i]), rows[part])


def _asked(seen: SeenValues, condition: Condition, is_input: bool) -> np.ndarray:
    """(n, 2) what the cells of a column are limited to, as `Combinations.allowed` takes it."""
    out = np.full((len(condition.asked), 2), UNLIMITED)
    rows = np.flatnonzero(condition.asked)
    if condition.column.kind == "categorical":
        out[rows, 0], out[rows, 1] = condition.mask[rows], 0
    elif len(rows):
        first, stop = seen.within(condition.low[rows], condition.high[rows])
        if is_input:  # a number between those seen goes with the nearest one
            none = first == stop
            nearest = seen.numbers(condition.low[rows])
            first, stop = np.where(none, nearest, first), np.where(none, nearest + 1, stop)
        out[rows] = np.column_stack([first, stop])
    return out


def _restrict(condition: Condition, seen: SeenValues, numbers: np.ndarray, rows: np.ndarray) -> None:
    """Allow only some values of a column, by their numbers, in some rows."""
    if len(numbers) == len(seen) or isinstance(condition.column, ConstantColumn):
        return
    if condition.column.kind == "categorical":
        condition.allow(numbers, rows)
        return
    low = np.maximum(condition.low[rows], seen.values[numbers[0]])
    high = np.minimum(condition.high[rows], seen.values[numbers[-1]])
    inside = low <= high
    condition.low[rows[inside]], condition.high[rows[inside]] = low[inside], high[inside]
    condition.asked[rows] = True


# --- sums


def _narrow_sum(one: Sum, conditions: Mapping[int, Condition]) -> None:
    """Solve for the one column whose value is not given; refuse what has no solution."""
    for condition in conditions.values():
        _fill_constant(condition)
    for j, condition in conditions.items():
        others = [other.asked & (other.low == other.high) for i, other in conditions.items() if i != j]
        rows = np.flatnonzero(np.all([condition.asked | True, *others], axis=0))
        if len(rows):
            _solve(one, j, conditions, rows)
    every = np.flatnonzero(np.all([condition.asked for condition in conditions.values()], axis=0))
    bad = every[_has_no_solution(one, conditions, every)]
    if len(bad):
        _refuse(one, conditions, bad[0])


def _fill_constant(condition: Any) -> None:
    if isinstance(condition.column, ConstantColumn):
        condition.low, condition.high = (np.full(len(condition.asked), end) for end in condition.column.range)
        condition.asked[:] = True


def _solve(one: Sum, j: int, conditions: Mapping[int, Condition], rows: np.ndarray) -> None:
    condition = conditions[j]
    cells = {i: other.low[rows] for i, other in conditions.items()}
    single = condition.asked[rows] & (condition.low[rows] == condition.high[rows])
    for numbers, part in one.by_numbers(cells):
        x: Numbers = numbers.read({i: values[part] for i, values in cells.items()})
        solved = {**x, j: numbers.solved(j, x)}
        least, most = numbers.dtype_ends(j, x[j])
        outside = np.asarray((solved[j] < least) | (solved[j] > most), dtype=bool)
        bad = np.where(single[part], numbers.off(x), numbers.off(solved) | outside)
        found = numbers.write(np.where(outside, x[j], solved[j]), one.parts[j].dtype)
        among, free = rows[part], ~single[part]
        is_range = condition.asked[among] & free
        bad |= is_range & ((found < condition.low[among]) | (found > condition.high[among]))
        if bad.any():
            _refuse(one, conditions, among[np.argmax(bad)])
        condition.low[among[free]] = condition.high[among[free]] = found[free]
        condition.asked[among[free]] = True


def _has_no_solution(one: Sum, conditions: Mapping[int, Condition], rows: np.ndarray) -> np.ndarray:
    """(m,) of bool, the rows in which the ends of ranges leave the sum no value."""
    low, high = ({j: getattr(c, end)[rows] for j, c in conditions.items()} for end in ("low", "high"))
    several = np.any([low[j] < high[j] for j in low], axis=0)
    out = np.zeros(len(rows), dtype=bool)
    for numbers, part in one.by_numbers(low):
        ends = [numbers.read({j: end[part] for j, end in cells.items()}) for cells in (low, high)]
        factors = numbers.factors.items()
        least, most = (
            sum((factor * ends[(factor > 0) == top][j] for j, factor in factors), start=numbers.constant)
            for top in (False, True)
        )
        out[part] = several[part] & np.asarray((least > 0) | (most < 0), dtype=bool)
    return out
