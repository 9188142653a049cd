"""Dtypes of pandas and polars as plain values, and back by the constructors listed here, by no other.

What is written is the name of a constructor and its arguments. Neither library is imported before a file has a dtype of
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

TIME_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-:]*(/[A-Za-z0-9_+\-]+){0,2}|[+\-]\d\d:\d\d")
NULLABLE = {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)} | {"Float32", "Float64", "boolean"}
ARROW_NAMES = {"bool", "string", "large_string", "float", "double", "halffloat", "date32[day]", "date64[ms]", "null"}
ARROW_NAMES |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
ARROW_ALIASES = {"halffloat": "float16", "float": "float32", "double": "float64"}
ARROW_PATTERNS = {
    "timestamp": re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=([^\]]{1,64}))?\]"),
    "duration": re.compile(r"duration\[(s|ms|us|ns)\]"),
    "time": re.compile(r"time(32|64)\[(s|ms|us|ns)\]"),
    "decimal": re.compile(r"decimal(128|256)\((\d{1,2}), (-?\d{1,2})\)"),
    "dictionary": re.compile(r"dictionary<values=(\w+), indices=(\w+), ordered=([01])>"),
}
LONGEST_NAME = 200  # of a type of Arrow
POLARS_NAMES = {"Boolean", "String", "Categorical", "Date", "Time", "Null", "Float32", "Float64"}
POLARS_NAMES |= {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128)} | {"Float16"}


def checked_time_zone(name: Any) -> str | None:
    """The name of a time zone, that can name no file; None for none."""
    if name is not None and (type(name) is not str or not TIME_ZONE.fullmatch(name) or "dateutil" in name):
        raise ValueError(f"no name of a time zone: {_shown(name)}")
    return name


def _one_of(known: Collection[str], text: Any, what: str) -> str:
    """A text that is one of those known; nothing else is compared with them, or shown: it may be any object."""
    if type(text) is not str or text not in known:
        raise ValueError(f"no {what}: {_shown(text)}")
    return text


def _shown(value: Any) -> str:
    return repr(value[:80]) if type(value) is str else f"a value of {type(value).__name__}"


def _unit(unit: Any) -> str:
    return _one_of(("s", "ms", "us", "ns"), unit, "unit of time")


# ---- pandas -----------------------------------------------------------------------------------------------------


def write_pandas(dtype: Any) -> list | None:
    """The constructor of an extension dtype of pandas and its arguments, plain or dtypes; None for another one."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        if dtype.categories is None:
            return ["category", None, None, bool(dtype.ordered)]
        return ["category", dtype.categories.tolist(), dtype.categories.dtype, bool(dtype.ordered)]
    if isinstance(dtype, pd.DatetimeTZDtype):
        return ["zoned", dtype.unit, checked_time_zone(str(dtype.tz))]
    if isinstance(dtype, pd.StringDtype):
        return ["string", dtype.storage, dtype == pd.StringDtype(dtype.storage)]
    if isinstance(dtype, pd.ArrowDtype) and _arrow_type(str(dtype.pyarrow_dtype)) == dtype.pyarrow_dtype:
        return ["arrow", str(dtype.pyarrow_dtype)]
    return ["nullable", str(dtype)] if str(dtype) in NULLABLE else None


def read_pandas(kind: Any, *arguments: Any) -> Any:
    """The dtype of a constructor and its arguments."""
    return PANDAS[_one_of(PANDAS, kind, "dtype that can be written")](*arguments)


def _category(categories: list | None, dtype: Any, ordered: bool) -> Any:
    """Of plain values, and of a dtype that was read: a text that names a dtype may name a file."""
    import pandas as pd

    of_numpy = isinstance(dtype, np.dtype) and dtype.kind in "biufcmMO"
    if type(categories) not in (list, type(None)) or not (
        dtype is None or of_numpy or isinstance(dtype, pd.api.extensions.ExtensionDtype)
    ):
        raise ValueError("no categories of a dtype that can be written")
    takes_texts = (
        dtype is None or of_numpy and dtype.kind == "O" or isinstance(dtype, pd.StringDtype) or "string" in str(dtype)
    )
    if categories and not takes_texts and any(isinstance(one, str) for one in categories):
        raise ValueError("categories are texts that would have to be read")
    index = None if categories is None else pd.Index(categories, dtype=dtype)
    return pd.CategoricalDtype(index, ordered=bool(ordered))


def _zoned(unit: str, time_zone: str) -> Any:
    import pandas as pd

    return pd.DatetimeTZDtype(_unit(unit), checked_time_zone(time_zone))


def _string(storage: str, is_default: bool) -> Any:
    import pandas as pd

    _one_of(("python", "pyarrow"), storage, "storage of strings")
    return pd.StringDtype(storage) if is_default else pd.StringDtype(storage, na_value=float("nan"))


def _nullable(name: str) -> Any:
    import pandas as pd

    return pd.api.types.pandas_dtype(_one_of(NULLABLE, name, "nullable dtype"))


def _arrow(name: str) -> Any:
    import pandas as pd

    found = _arrow_type(name)
    if found is None:
        raise ValueError(f"no type of Arrow that can be written: {_shown(name)}")
    return pd.ArrowDtype(found)


PANDAS: dict[str, Callable] = {
    "category": _category,
    "zoned": _zoned,
    "string": _string,
    "nullable": _nullable,
    "arrow": _arrow,
}


def _arrow_type(name: Any) -> Any:
    """The type of pyarrow that is shown so; None for one that is not listed here."""
    import pyarrow as pa

    if type(name) is not str or len(name) > LONGEST_NAME:
        return None
    if name in ARROW_NAMES:
        return pa.type_for_alias(ARROW_ALIASES.get(name, name))
    found = next(((kind, match) for kind, p in ARROW_PATTERNS.items() if (match := p.fullmatch(name))), None)
    if found is None:
        return None
    kind, match = found
    parts = match.groups()
    if kind == "timestamp":
        return pa.timestamp(parts[0], tz=checked_time_zone(parts[1]))
    if kind == "duration":
        return pa.duration(parts[0])
    if kind == "time":
        return (pa.time32 if parts[0] == "32" else pa.time64)(parts[1])
    if kind == "decimal":
        return (pa.decimal128 if parts[0] == "128" else pa.decimal256)(int(parts[1]), int(parts[2]))
    return pa.dictionary(_arrow_type(parts[1]), _arrow_type(parts[0]), parts[2] == "1")


# ---- polars -----------------------------------------------------------------------------------------------------


def write_polars(dtype: Any) -> list | None:
    """The same for a dtype of polars."""
    name = str(dtype.base_type())
    if name == "Datetime":
        return ["Datetime", dtype.time_unit, checked_time_zone(dtype.time_zone)]
    if name == "Duration":
        return ["Duration", dtype.time_unit]
    if name == "Decimal":
        return ["Decimal", dtype.precision, dtype.scale]
    if name == "Enum":
        return ["Enum", dtype.categories.to_list()]
    return [name] if name in POLARS_NAMES else None


def read_polars(kind: Any, *arguments: Any) -> Any:
    """The dtype of a constructor and its arguments."""
    _one_of({*POLARS_NAMES, *POLARS}, kind, "dtype that can be written")
    if kind in POLARS_NAMES:
        import polars as pl

        return getattr(pl, kind)()
    return POLARS[kind](*arguments)


def _datetime(unit: str, time_zone: str | None) -> Any:
    import polars as pl

    return pl.Datetime(_unit(unit), checked_time_zone(time_zone))  # type: ignore[arg-type]


def _duration(unit: str) -> Any:
    import polars as pl

    return pl.Duration(_unit(unit))  # type: ignore[arg-type]


def _decimal(precision: int | None, scale: int) -> Any:
    import polars as pl

    if any(type(n) is not int or not 0 <= n <= 38 for n in (scale, 38 if precision is None else precision)):
        raise ValueError("no digits of a decimal")
    return pl.Decimal(precision, scale)


def _enum(categories: list) -> Any:
    import polars as pl

    if type(categories) is not list or any(type(one) is not str for one in categories):
        raise ValueError("the categories of an enumeration are no texts")
    return pl.Enum(categories)


POLARS: dict[str, Callable] = {"Datetime": _datetime, "Duration": _duration, "Decimal": _decimal, "Enum": _enum}
