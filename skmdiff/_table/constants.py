"""What users write as constants, in conditions and in constraints: numbers, dates and durations.

The columns read them by their kind (`Column.read`, `Column.parse`). Every error names the parameter, the rule, the
value got and the way out: TypeError for a value of another kind, ValueError for one of the kind that will not do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from .cells import since_midnight

Values = Sequence | np.ndarray


class Parameter(NamedTuple):
    """What a constant is written for: the start of messages, and what may stand there instead."""

    name: str
    instead: str = ""

    def error(self, kind: type[Exception], rule: str, got: object) -> Exception:
        """The exception to raise for a value that breaks a rule."""
        shown = str(got) if isinstance(got, np.generic) else repr(got)
        return kind(f"{self.name} must {rule}, got {shown:.80}.")

    def kind_error(self, kind: type[Exception], wanted: str, got: object) -> Exception:
        """The same where the value is none of the kind wanted."""
        return self.error(kind, f"be {wanted}{self.instead}", got)


def describe(dtype: np.dtype, zoned: bool = False) -> str:
    """In words, what cells of a dtype are."""
    if dtype.kind == "M":
        return "dates with a time zone" if zoned else "dates without a time zone"
    return {"m": "durations", "b": "bools", "O": "strings"}.get(dtype.kind, "numbers")


def read_number(value: Any, parameter: Parameter, bools: bool = False) -> Any:
    """A finite number as it is written; a Decimal as the Fraction that it is."""
    # numpy counts its durations among the integers, and compares its numbers with a loss of digits
    value = value.item() if isinstance(value, np.number) and not isinstance(value, np.timedelta64) else value
    is_number = isinstance(value, Real | Decimal) and not isinstance(value, np.timedelta64)
    if not is_number or (isinstance(value, bool) and not bools):
        raise parameter.kind_error(TypeError, "a finite number", value)
    if not abs(value) <= sys.float_info.max:
        raise parameter.kind_error(ValueError, "a finite number", value)
    return Fraction(value) if isinstance(value, Decimal) else value


def read_numbers(values: Values, parameter: Parameter, bools: bool = False) -> np.ndarray:
    """Finite numbers (n,): integers where all are, else floats."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        numbers = [read_number(unwrapped(value), parameter, bools) for value in values]
        values = np.array([number if isinstance(number, Integral) else float(number) for number in numbers])
    if values.dtype.kind == "O":  # integers of more than 64 bits
        values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise parameter.kind_error(ValueError, "a finite number", values[~np.isfinite(values)][0])
    return values


def unwrapped(value: Any) -> Any:
    """A bool of numpy as that of Python; anything else as it is."""
    return bool(value) if isinstance(value, np.bool_) else value


def read_ticks(values: Values, dtype: np.dtype, zoned: bool, parameter: Parameter) -> np.ndarray:
    """Dates or durations (n,) of any unit; those of an array, and those with a time zone, in UTC."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != dtype.kind:
        values = np.array([read_tick(value, dtype.kind, zoned, parameter) for value in values])
    if np.isnat(values).any():
        raise parameter.kind_error(ValueError, _tick_rule(dtype.kind, zoned), np.datetime64("NaT"))
    return values


def read_tick(value: Any, kind: str, zoned: bool, parameter: Parameter) -> Any:
    """A date (kind "M") as datetime64 or a duration ("m") as timedelta64, of any library or a string.

    A time of the day is the duration since midnight.
    """
    if isinstance(value, Real) and not isinstance(value, np.timedelta64):
        raise parameter.kind_error(TypeError, _tick_rule(kind, zoned), value)
    try:
        if kind == "m":
            return since_midnight([value])[0] if isinstance(value, time) else np.timedelta64(value)
        return _instant(value) if zoned else _wall_time(value)
    except (TypeError, ValueError, AttributeError) as cause:
        error = ValueError if isinstance(value, str | datetime) else TypeError
        raise parameter.kind_error(error, _tick_rule(kind, zoned), value) from cause


def _tick_rule(kind: str, zoned: bool) -> str:
    if kind == "m":
        return "a duration (a timedelta of any library, such as pandas.Timedelta('15min'))"
    if zoned:
        return "a date with a time zone (pandas.Timestamp(..., tz=...), or a string with an offset such as +01:00)"
    return "a date without a time zone (a datetime of any library, or a string such as '2024-01-31')"


def _instant(value: Any) -> Any:
    """The instant in UTC of a date with a time zone."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("no time zone")
    return np.datetime64(value.replace(tzinfo=None)) - np.timedelta64(offset)


def _wall_time(value: Any) -> Any:
    if getattr(value, "tzinfo", None) is not None:
        raise ValueError("a time zone")
    return np.datetime64(value)


def floor_tick(tick: Any, dtype: np.dtype) -> tuple[int, bool]:
    """The last tick of a dtype at or before a date or duration, as an integer, and whether it is the same."""
    near = tick.astype(dtype)
    return int(near.astype(np.int64)) - int(near > tick), bool(near == tick)
