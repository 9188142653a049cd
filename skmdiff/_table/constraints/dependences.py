"""Exact dependences between columns, held one after the other: what a column follows from first, then the column.

Cells that are given stay. So the dependences are gone through twice. From the last to the first, where the column on
the right of "determines", or the left one of a sum, is given or limited, those it follows from are moved to agree with
it. Then from the first to the last each column is set to what it follows from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np

from ..._numerics.warnings_ import warn_user
from ..cells import Cells
from ..columns import Column, EmptyColumn
from .combinations import UNLIMITED, Combinations
from .formulas import Formula
from .limits import Limits
from .rows import DependentRows
from .sums import Sum, is_number

EQUALS, DETERMINES, SEEN_WITH = "==", "determines", "seen with"

Dependence = Sum | Combinations


@dataclass(frozen=True)
class WrittenDependence:
    """One dependence as it was written.

    name, label : for messages, short and with the dependence written out
    word : EQUALS, DETERMINES or SEEN_WITH
    inputs : indices of the columns that another one follows from
    output : the index of that one; of SEEN_WITH the column on the right
    formula : of EQUALS
    is_found : whether it was found in the table, not written by the user
    """

    name: str
    label: str
    word: str
    inputs: tuple[int, ...]
    output: int
    formula: Formula | None = None
    is_found: bool = False

    def columns(self) -> tuple[int, ...]:
        """The columns that it is about."""
        return (self.output, *self.inputs)

    def learn(self, columns: Sequence[Column], cells: Sequence[Cells]) -> Dependence:
        """The dependence, ready to be held, from the fitted columns and the `Cells` of the table of fit."""
        if self.formula is not None:
            return Sum(self.label, self.output, self.formula, columns)
        is_function = self.word == DETERMINES
        return Combinations(self.label, self.inputs, self.output, is_function, columns, cells)


class Dependences:
    """The dependences of a table.

    Parameters
    ----------
    written : list of WrittenDependence
    columns : list of the fitted columns

    Attributes
    ----------
    ordered : list of Sum and Combinations after `learn`, those that others follow from first
    held : the same, where columns are given that follow from others: functions with all that follows from theirs
    """

    def __init__(self, written: Sequence[WrittenDependence], columns: Sequence[Column]) -> None:
        kept = [one for one in written if not any(isinstance(columns[j], EmptyColumn) for j in one.columns())]
        for one in kept:
            check_dependence(one, columns)
        self.columns, self.written = columns, in_order(kept, columns)
        self.ordered: list[Dependence] = []
        self.held: list[Dependence] = []

    def column_indices(self) -> set[int]:
        """The columns that depend or are depended on."""
        return {j for one in self.written for j in one.columns()}

    def learn(self, cells: Sequence[Cells]) -> None:
        """Learn what was seen from the `Cells` of the table of fit; warn of what it breaks."""
        self.ordered = [one.learn(self.columns, cells) for one in self.written]
        self.held = with_followers(self.ordered)
        for one, dependence in zip(self.written, self.ordered, strict=True):
            n, n_rows = 0 if one.is_found else int(dependence.broken(cells).sum()), len(cells[0].missing)
            if n:
                warn_user(f"{one.label}, is broken by {n} of {n_rows} rows of X. All rows returned will hold it.")

    def hold(
        self, columns: Sequence[np.ndarray], limits: Limits, settled: Mapping[int, np.ndarray]
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """The columns with cells moved where rows break a dependence, and (n,) of bool, the rows moved.

        settled : by the index of a column (n,) of bool, cells that stay beside those that `limits` fix
        """
        rows = DependentRows(columns, limits, settled, self.column_indices())
        before = {j: (cells.copy(), rows.fixed[j].copy()) for j, cells in rows.cells.items()}
        for one in reversed(self.held):
            _hold_backwards(one, rows)
        for one in self.ordered:
            free = np.flatnonzero(~np.all([rows.fixed[j] for j in one.columns()], axis=0))
            one.repair(rows, free)
            rows.settle(one.columns())
        return _moved_columns(columns, rows, before)


def with_followers(ordered: Sequence[Dependence]) -> list[Dependence]:
    """Dependences with all functions of a column in one: see `Combinations.with_followers`."""
    held: list[Dependence] = []
    functions = [one for one in ordered if isinstance(one, Combinations) and one.is_function]
    for one in ordered:
        if one not in functions:
            held.append(one)
        elif not any(set(one.columns()) <= set(other.columns()) for other in held if isinstance(other, Combinations)):
            held.append(one.with_followers(functions))
    return held


def _hold_backwards(one: Dependence, rows: DependentRows) -> None:
    """Agree with the column that follows from others in the rows where it is given or limited."""
    limited = np.any([rows.fixed[j] for j in one.outputs], axis=0)
    for j in one.outputs:
        if j in rows.choices:
            limited |= rows.choices[j].which != UNLIMITED
        if j in rows.ends:
            limited |= rows.ends[j][2]
    some = np.flatnonzero(limited & ~np.all([rows.fixed[j] for j in one.inputs], axis=0))
    one.repair(rows, some)
    rows.settle(one.columns(), some)


def _moved_columns(
    columns: Sequence[np.ndarray], rows: DependentRows, before: Mapping[int, tuple[np.ndarray, np.ndarray]]
) -> tuple[list[np.ndarray], np.ndarray]:
    """The columns with the cells that were moved, and the rows of these."""
    out, moved = list(columns), np.zeros(len(next(iter(before.values()))[0]), dtype=bool)
    for j, (cells, fixed) in before.items():
        changed = np.asarray(rows.cells[j] != cells, dtype=bool) & ~fixed
        if changed.any():
            out[j] = out[j].copy()
            out[j][changed] = rows.cells[j][changed].astype(out[j].dtype)
            moved |= changed
    return out, moved


def check_dependence(one: WrittenDependence, columns: Sequence[Column]) -> None:
    """Raise unless the columns of a sum hold numbers."""
    for j in one.columns():
        if one.word == EQUALS and not is_number(columns[j]):
            raise ValueError(
                f"{one.label}: column {columns[j].name!r} must hold numbers, got {columns[j].content}. "
                f"For others write (left, {DETERMINES!r}, right)."
            )


def in_order(written: Sequence[WrittenDependence], columns: Sequence[Column]) -> list[WrittenDependence]:
    """Those first that others follow from."""
    order = column_order(written)
    if isinstance(order, CycleError):
        circle = set(order.args[1])
        names = " <- ".join(repr(columns[j].name) for j in order.args[1])
        labels = ", ".join(one.label for one in written if one.output in circle and circle & set(one.inputs))
        raise ValueError(f"constraints must not run in a circle, got {names} by {labels}. Leave one of them out.")
    return sorted(written, key=lambda one: order.index(one.output))


def column_order(written: Collection[WrittenDependence]) -> list[int] | CycleError:
    """Indices of columns, those first that others follow from; the error of a circle where there is one."""
    sources: dict[int, list[int]] = {}
    for one in written:
        sources.setdefault(one.output, []).extend(one.inputs)
    try:
        return list(TopologicalSorter(sources).static_order())
    except CycleError as error:
        return error
