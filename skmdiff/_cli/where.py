"""Conditions of the command line, ``sex=F`` or ``age=30..40``, as `sample` takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._sampler.estimator import ManifoldDiffusionSampler
from .._sampler.model import fitted_model
from .dates import read_dates
from .dialect import LEARNT, TARGET, ColumnFormat, Dialect
from .numbers import NumberStyle

SIGN = re.compile(r"\s*(>=|<=|=)\s*(.*)")
ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class Where:
    """What rows are to have: conditions by the names of columns, and a target or None."""

    conditions: dict[str, Any]
    target: Any = None


def read_where(texts: Sequence[str], sampler: ManifoldDiffusionSampler, dialect: Dialect) -> Where:
    """The conditions of a call; each column may have one."""
    conditions: dict[str, Any] = {}
    for text in texts:
        column, sign, value = split(text, dialect)
        if column.name in conditions:
            raise ValueError(f"--where {text!r}: column {column.name!r} has a condition already")
        conditions[column.name] = read_condition(text, column, sign, value, categories_of(sampler, column))
    target = [conditions.pop(name) for name in dialect.names(TARGET) if name in conditions]
    if target and isinstance(target[0], tuple | list):
        raise ValueError("--where: a target takes one value only, as 'risk=good'")
    return Where(conditions, target[0] if target else None)


def split(text: str, dialect: Dialect) -> tuple[ColumnFormat, str, str]:
    """The column, the sign and the value of a condition."""
    names = dialect.names(LEARNT, TARGET)
    for name in sorted(names, key=len, reverse=True):
        found = SIGN.fullmatch(text[len(name) :]) if text.startswith(name) else None
        if found is not None:
            return dialect[name], found[1], found[2]
    raise ValueError(f"--where {text!r}: must be COLUMN=VALUE with one of the columns {', '.join(names)}")


def categories_of(sampler: ManifoldDiffusionSampler, column: ColumnFormat) -> dict[str, Any]:
    """The categories of a column, or the classes of a target, by their text; none of numbers and dates."""
    if column.role == TARGET:
        return {str(label): label for label in getattr(sampler, "classes_", [])}
    codec = fitted_model(sampler).codec
    found = next(fitted for fitted in codec.columns_ if fitted.name == column.name)
    return {str(category): category for category in getattr(found, "categories", [])}


def read_condition(text: str, column: ColumnFormat, sign: str, value: str, categories: dict[str, Any]) -> Any:
    """A value, a range or a list of categories."""
    if categories or column.is_category:
        if sign != "=":
            raise ValueError(f"--where {text!r}: column {column.name!r} holds categories, which have no order")
        several = [value] if value in categories else value.split("|")
        found = [categories.get(one.strip(), one.strip()) for one in several]
        return found[0] if len(found) == 1 else found
    if sign != "=":
        end = read_value(text, column, value)
        return (end, None) if sign == ">=" else (None, end)
    low, dots, high = value.partition("..")
    ends = [read_value(text, column, end) if end.strip() else None for end in (low, high)]
    return tuple(ends) if dots else read_value(text, column, value)


def read_value(text: str, column: ColumnFormat, value: str) -> Any:
    """A number or a date, as the column has them or as Python does."""
    value = value.strip().removeprefix(column.prefix).removesuffix(column.suffix or column.zone)
    if column.kind == "date":
        dates = [read_dates([value], date_format)[0] for date_format in (column.date_format, *ISO) if date_format]
        found = next((date for date in dates if date == date), None)
    else:
        found = as_number(value, column)
    if found is None:
        raise ValueError(f"--where {text!r}: column {column.name!r} holds {column.kind}s, {value!r} is none")
    return found


def as_number(value: str, column: ColumnFormat) -> int | float | None:
    """The number of a text; None for others."""
    style = NumberStyle(column.decimal, column.thousands)
    plain = style.plain(value) if style.matches(value) and not NumberStyle(".", "").matches(value) else value
    try:
        return int(plain) if re.fullmatch(r"[+-]?\d+", plain) else float(plain)
    except ValueError:
        return None
