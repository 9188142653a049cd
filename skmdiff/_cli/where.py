"""Conditions of the command line, ``sex=F`` or ``age=30..40``, as `sample` takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .._sampler.estimator import ManifoldDiffusionSampler
from .._sampler.model import fitted_model
from .dates import read_dates
from .dialect import DROPPED, LEARNT, NEW, TARGET, ColumnFormat, Dialect
from .numbers import NumberStyle

SIGN = re.compile(r"\s*(>=|<=|!=|=|>|<)\s*(.*)", re.DOTALL)
FORMS = "COLUMN=VALUE, COLUMN=A|B, COLUMN=LOW..HIGH, COLUMN>=LOW or COLUMN<=HIGH"
OF_LIBRARY = re.compile(r"conditions\[(['\"])(.+?)\1\] (.*?)(, got .*)?\.?", re.DOTALL)
MIDNIGHT = "T00:00:00.000000"
UNKNOWN = {NEW: "is an identifier, new rows get new ones", DROPPED: "was left out by --drop"}
ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class Where:
    """What rows are to have: conditions by the names of columns, and a target or None.

    texts : for each name what the user has written
    """

    conditions: dict[str, Any]
    target: Any
    texts: dict[str, str]

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Errors of the library on conditions say what the user has written."""
        try:
            yield
        except ValueError as error:
            found = OF_LIBRARY.fullmatch(str(error))
            if found is None or found[2] not in self.texts:
                raise ValueError(re.sub("^(conditions|y) must", "--where must", str(error))) from error
            raise ValueError(f"--where {self.texts[found[2]]!r}: {found[3].replace(MIDNIGHT, '')}") from error


def read_where(texts: Sequence[str], sampler: ManifoldDiffusionSampler, dialect: Dialect) -> Where:
    """The conditions of a call; each column may have one."""
    conditions: dict[str, Any] = {}
    written: dict[str, str] = {}
    for text in texts:
        column, sign, value = split(text, dialect)
        if column.name in conditions:
            raise ValueError(f"--where {text!r}: column {column.name!r} has a condition already")
        written[column.name] = text
        conditions[column.name] = read_condition(text, column, sign, value, categories_of(sampler, column))
    target = [conditions.pop(name) for name in dialect.names(TARGET) if name in conditions]
    if target and isinstance(target[0], tuple | list):
        raise ValueError("--where: a target takes one value only, as 'risk=good'")
    return Where(conditions, target[0] if target else None, written)


def split(text: str, dialect: Dialect) -> tuple[ColumnFormat, str, str]:
    """The column, the sign and the value of a condition."""
    names = dialect.names(LEARNT, TARGET)
    for name in sorted(dialect.names(), key=len, reverse=True):
        found = SIGN.fullmatch(text[len(name) :]) if text.startswith(name) else None
        if found is not None:
            check_asked(text, dialect[name], found[1])
            return dialect[name], found[1], found[2]
    raise ValueError(f"--where {text!r}: must be {FORMS} with one of the columns {', '.join(names)}")


def check_asked(text: str, column: ColumnFormat, sign: str) -> None:
    """Raise for a column without conditions, and for a sign that is none."""
    if column.role in UNKNOWN:
        raise ValueError(f"--where {text!r}: column {column.name!r} {UNKNOWN[column.role]}. Leave the condition out")
    if sign not in ("=", ">=", "<="):
        raise ValueError(f"--where {text!r}: must be {FORMS}, got the sign {sign!r}")


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
    if not dots:
        return read_value(text, column, value)
    least, most = (read_value(text, column, end) if end.strip() else None for end in (low, high))
    if least is not None and most is not None and least > most:
        raise ValueError(f"--where {text!r}: the lower end must stand first, COLUMN=LOW..HIGH")
    return least, most


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
