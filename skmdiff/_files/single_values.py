"""Single values as JSON, and back: scalars of numpy, numbers, dates and times, scalars and dtypes of pandas and polars.

What a value is made of is raw JSON of exactly the types listed here. A constructor is never given a number where it
takes a text, nor an object of the file, however it would take that: some of them need hours or all memory for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from .._table import dtypes
from .arrays import checked_dtype
from .errors import ModelFileError

LARGEST_EXPONENT, LONGEST_DECIMAL = 10_000, 10_000  # digits: a Decimal may be made an integer
PANDAS_TYPES, PANDAS_SCALARS = ("Timestamp", "Timedelta"), ("Timestamp", "Timedelta", "NaTType", "NAType")
NONE = type(None)
PLAIN = {NONE, bool, int, float, str, Decimal, Fraction, date, datetime, time, timedelta}
MANY, MOST_ALIKE = 1000, 100  # keys of a dict or members of a set, and those of one hash


# ---- what may be a key ------------------------------------------------------------------------------------------


def is_plain(value: Any) -> bool:
    """Whether a value is a single one, or a tuple of such: equality and hash of these look at no object of the file."""
    if type(value) is tuple:
        return all(map(is_plain, value))
    of_pandas = _is_of(value, "pandas") and type(value).__name__ in PANDAS_SCALARS
    return type(value) in PLAIN or isinstance(value, np.generic) or of_pandas


def check_keys(keys: list) -> None:
    """Raise unless all may be keys of a dict or members of a set, and few have one hash: these are all compared."""
    if not all(map(is_plain, keys)):
        raise ModelFileError("a key or a member of a set is no plain value")
    if len(keys) > MANY:
        counts = np.unique(np.fromiter(map(hash, keys), np.int64, len(keys)), return_counts=True)[1]
        if counts.max() > MOST_ALIKE:
            raise ModelFileError("keys or members of a set have one hash")


# ---- kind -> what a value is made of, None for what is not of the kind --------------------------------------------


def _is_of(value: Any, package: str) -> bool:
    return type(value).__module__.split(".")[0] == package


def _scalar(value: Any) -> list | None:
    if not isinstance(value, np.generic) or value.dtype.kind not in "biufmMU":
        return None
    plain = value.view(np.int64) if value.dtype.kind in "mM" else value
    return [value.dtype.str, plain.item()]


def _of_type(cls: type, parts: Callable) -> Callable:
    return lambda value: parts(value) if type(value) is cls else None


def _decimal(value: Decimal) -> str | None:
    return str(value) if is_short(value) else None


def is_short(value: Decimal) -> bool:
    """Whether a Decimal takes little when it is made an integer."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, str) or len(str(value)) <= LONGEST_DECIMAL and abs(exponent) <= LARGEST_EXPONENT


def _zone_of(value: Any) -> str | None:
    return None if value.tzinfo is None else dtypes.checked_time_zone(str(value.tzinfo))


def _pandas_scalar(value: Any) -> list | None:
    """A Timestamp, a Timedelta, NaT or NA of pandas."""
    if not _is_of(value, "pandas"):
        return None
    name = type(value).__name__
    if name in ("NAType", "NaTType"):
        return [name]
    if name == "Timestamp":
        return [name, value.to_datetime64(), _zone_of(value)]
    return [name, value.to_timedelta64()] if name == "Timedelta" else None


def _pandas_dtype(value: Any) -> list | None:
    return dtypes.write_pandas(value) if _is_of(value, "pandas") and hasattr(value, "na_value") else None


def _polars_dtype(value: Any) -> list | None:
    return dtypes.write_polars(value) if _is_of(value, "polars") and hasattr(value, "base_type") else None


def _type_name(value: Any) -> str | None:
    if value is Decimal:
        return "Decimal"
    is_pandas = isinstance(value, type) and value.__module__.split(".")[0] == "pandas"
    return value.__name__ if is_pandas and value.__name__ in PANDAS_TYPES else None


WRITERS: dict[str, Callable] = {
    "scalar": _scalar,
    "dtype": lambda value: value.str if isinstance(value, np.dtype) and value.kind in "biufmMUO" else None,
    "decimal": _of_type(Decimal, _decimal),
    "fraction": _of_type(Fraction, lambda value: [value.numerator, value.denominator]),
    "datetime": _of_type(datetime, lambda value: [value.replace(tzinfo=None).isoformat(), _zone_of(value), value.fold]),
    "date": _of_type(date, date.isoformat),
    "time": _of_type(time, lambda value: None if value.tzinfo else value.isoformat()),
    "timedelta": _of_type(timedelta, lambda value: [value.days, value.seconds, value.microseconds]),
    "pandas": _pandas_scalar,
    "pandas_dtype": _pandas_dtype,
    "polars_dtype": _polars_dtype,
    "type": _type_name,
}


# ---- and back ---------------------------------------------------------------------------------------------------


def parts_of(node: Any, *types: type | tuple[type, ...]) -> list:
    """What a value is made of: raw JSON, a list of exactly these types, `object` for any."""
    if type(node) is not list or len(node) != len(types):
        raise ModelFileError("a value is not made of what it is to be made of")
    for part, allowed in zip(node, types, strict=True):
        if allowed is not object:
            check_type(part, *(allowed if isinstance(allowed, tuple) else (allowed,)))
    return node


def check_type(part: Any, *types: type) -> Any:
    """Raise unless something is of exactly one of the types."""
    if type(part) not in types:
        raise ModelFileError(f"a value is made of {type(part).__name__}")
    return part


def read_float(node: Any) -> float:
    """The float of a text."""
    if check_type(node, str) not in ("nan", "inf", "-inf"):
        raise ModelFileError("a float that is written as a text must not be finite")
    return float(node)


SCALARS = {"b": (bool,), "i": (int,), "u": (int,), "m": (int,), "M": (int,), "f": (float, int), "U": (str,)}


def read_scalar(node: Any) -> np.generic:
    """A scalar of numpy, from its dtype and a plain value."""
    text, value = parts_of(node, str, (bool, int, float, str, dict))
    dtype = checked_dtype(text)
    if type(value) is dict and list(value) == ["float"]:
        value = read_float(value["float"])
    check_type(value, *SCALARS[dtype.kind])
    if dtype.kind in "mM":
        return np.array([value], dtype=np.int64).view(dtype)[0]
    if dtype.itemsize > (4 * max(1, len(value)) if dtype.kind == "U" else 64):
        raise ModelFileError("a scalar is larger than what it holds")
    return np.array([value], dtype=dtype)[0]


def _read_dtype(node: Any) -> np.dtype:
    return np.dtype(object) if check_type(node, str) == "|O" else checked_dtype(node)


def _read_decimal(node: Any) -> Decimal:
    if len(check_type(node, str)) > LONGEST_DECIMAL or not is_short(found := Decimal(node)):
        raise ModelFileError("a Decimal has too many digits")
    return found


def _read_datetime(node: Any) -> datetime:
    text, zone, fold = parts_of(node, str, (str, NONE), int)
    naive = datetime.fromisoformat(text).replace(fold=fold)
    return naive if zone is None else naive.replace(tzinfo=_zone(dtypes.checked_time_zone(zone)))


def _zone(name: Any) -> Any:
    from zoneinfo import ZoneInfo

    import pandas as pd

    return ZoneInfo(name) if "/" in name else pd.Timestamp(0, tz=name).tzinfo


def _read_pandas(node: Any) -> Any:
    import pandas as pd

    if node == ["NAType"] or node == ["NaTType"]:
        return pd.NA if node == ["NAType"] else pd.NaT
    name, value, *zone = check_type(node, list)
    if type(value) is not dict or list(value) != ["scalar"]:
        raise ModelFileError("a scalar of pandas is not made of one of numpy")
    ticks = read_scalar(value["scalar"])
    if name == "Timedelta" and isinstance(ticks, np.timedelta64) and not zone:
        return pd.Timedelta(ticks)
    if name != "Timestamp" or not isinstance(ticks, np.datetime64):
        raise ModelFileError(f"no scalar of pandas: {str(name)[:40]!r}")
    naive, [zone_name] = pd.Timestamp(ticks), parts_of(zone, (str, NONE))
    return naive if zone_name is None else naive.tz_localize("UTC").tz_convert(dtypes.checked_time_zone(zone_name))


def _read_type(node: Any) -> type:
    if node == "Decimal":
        return Decimal
    if check_type(node, str) not in PANDAS_TYPES:
        raise ModelFileError(f"no type of cells: {node[:40]!r}")
    import pandas as pd

    return getattr(pd, node)


READERS: dict[str, Callable[[Any], Any]] = {
    "float": read_float,
    "scalar": read_scalar,
    "dtype": _read_dtype,
    "decimal": _read_decimal,
    "fraction": lambda node: Fraction(*parts_of(node, int, int)),
    "datetime": _read_datetime,
    "date": lambda node: date.fromisoformat(check_type(node, str)),
    "time": lambda node: time.fromisoformat(check_type(node, str)),
    "timedelta": lambda node: timedelta(*parts_of(node, int, int, int)),
    "pandas": _read_pandas,
    "type": _read_type,
}
