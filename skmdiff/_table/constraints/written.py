"""Constraints as they are written: tuples (left, operator, right), each read and checked by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

from ..._numerics.checks import is_auto
from ..columns import Column
from ..constants import Parameter, read_number
from ..frames import column_index, column_names
from ..grids import as_fraction
from ..identifiers import UNIQUE, is_unique
from .dependences import DETERMINES, EQUALS, SEEN_WITH, WrittenDependence
from .formulas import Formula, parse_formula
from .groups import Pair

ORDERS = {"<=": (False, False), "<": (False, True), ">=": (True, False), ">": (True, True)}  # turned round, strict
MULTIPLE = "multiple of"
OPERATORS = (*ORDERS, MULTIPLE, EQUALS, DETERMINES, SEEN_WITH, UNIQUE[0])


@dataclass(frozen=True)
class Constraint:
    """One constraint as the user wrote it.

    index, other : the columns left and right; `other` is None where there is a `constant` instead
    name, label : for messages, short and with the constraint written out
    """

    name: str
    label: str
    index: int
    operator: str
    other: int | None
    constant: object
    is_found: bool = False

    def pair(self) -> Pair:
        """The order of two columns."""
        assert self.other is not None
        turned, strict = ORDERS[self.operator]
        ends = (self.other, self.index) if turned else (self.index, self.other)
        return Pair(self.label, *ends, strict)

    def columns(self) -> tuple[int, ...]:
        """The columns that it is about."""
        return (self.index,) if self.other is None else (self.index, self.other)

    def parameter(self, instead: str = " or the name of a column") -> Parameter:
        """What its constant is written for."""
        return Parameter(f"{self.name}: the right side", instead)


def read_constraints(
    constraints: Any, columns: Sequence[Column], template: Any, name: str = "constraints", first: int = 0
) -> list[Constraint | WrittenDependence]:
    """The constraints of a list, each checked by itself; `name` and the index of the `first` one are for messages."""
    return [
        _read_one(f"{name}[{i}]", written, columns, template)
        for i, written in enumerate(constraints, start=first)
        if not is_auto(written) and not is_unique(written)
    ]


def unique_columns(constraints: Any, template: Any) -> set[int]:
    """The indices of the columns that the user calls unique."""
    written = enumerate(constraints) if isinstance(constraints, list | tuple) else ()
    return {_index_of(one[0], f"constraints[{i}]", template) for i, one in written if is_unique(one)}


def _read_one(name: str, written: Any, columns: Sequence[Column], template: Any) -> Constraint | WrittenDependence:
    if not isinstance(written, list | tuple) or len(written) != 3:
        raise TypeError(f"{name} must be a tuple (left, operator, right), got {written!r:.80}.")
    left, operator, right = written
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise ValueError(f"{name} must have an operator of {list(OPERATORS)}, got {operator!r}.")
    if operator == UNIQUE[0]:
        raise ValueError(f"{name} must have 'unique' on the right of 'is', got {right!r}.")
    if operator in (EQUALS, DETERMINES, SEEN_WITH):
        return _read_dependence(name, left, operator, right, template)
    index = _index_of(left, name, template)
    names = [column.name for column in columns]
    if not isinstance(right, str):
        return Constraint(name, f"{name}, {names[index]!r} {operator} {right!s}", index, operator, None, right)
    if operator == MULTIPLE:
        raise TypeError(f"{name} must have a number or a duration on the right of {MULTIPLE!r}, got {right!r}.")
    other = _index_of(right, name, template)
    return Constraint(name, f"{name}, {names[index]!r} {operator} {names[other]!r}", index, operator, other, None)


def _read_dependence(name: str, left: Any, word: str, right: Any, template: Any) -> WrittenDependence:
    several = isinstance(left, list | tuple) and word != EQUALS
    on_left = tuple(_index_of(key, name, template) for key in (left if several else [left]))
    names = column_names(template)
    shown = repr(names[on_left[0]]) if len(on_left) == 1 else repr(tuple(names[j] for j in on_left))
    label = f"{name}, {shown} {word} {right if word == EQUALS else repr(right)}"
    if word == EQUALS:
        formula = _read_formula(name, right, template)
        return WrittenDependence(name, label, word, tuple(formula.terms), on_left[0], formula)
    output = _index_of(right, name, template)
    if not on_left or len({*on_left, output}) <= len(on_left):
        raise ValueError(f"{name} must name different columns left and right, got {left!r} and {right!r}.")
    return WrittenDependence(name, label, word, on_left, output)


def _read_formula(name: str, right: Any, template: Any) -> Formula:
    if isinstance(right, Real | Decimal) and not isinstance(right, bool):
        return Formula({}, as_fraction(read_number(right, Parameter(f"{name}: the right side"))))
    if not isinstance(right, str):
        raise TypeError(f"{name} must have a sum of columns, as a string, on the right of {EQUALS!r}, got {right!r}.")
    if column_index(right, template) is not None:
        return Formula({_index_of(right, name, template): Fraction(1)}, Fraction(0))
    return parse_formula(right, lambda key: _index_of(key, name, template), f"{name}: the right side")


def _index_of(key: Any, name: str, template: Any) -> int:
    index = column_index(key, template) if isinstance(key, str | Integral) else None
    if index is None:
        raise ValueError(f"{name} must name columns of X, {column_names(template)}, got the unknown {key!r}.")
    return index


def check_columns(constraint: Constraint, columns: Sequence[Column]) -> None:
    """Raise unless the columns have an order, and two can be compared."""
    about = [columns[j] for j in constraint.columns()]
    for column in about:
        if not column.is_ordered:
            raise ValueError(
                f"{constraint.label}: column {column.name!r} must hold numbers, dates or durations, "
                f"got {column.content}."
            )
    if about[0].content != about[-1].content:
        raise ValueError(
            f"{constraint.label}: both columns must hold the same, got {about[0].content} and {about[1].content}."
        )
