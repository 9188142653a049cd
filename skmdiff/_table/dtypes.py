"""Dtypes of pandas and polars as plain values, and back by the constructors listed here, by no other.

What is written is the name of a constructor and its arguments. Neither library is imported before a file has a dtype of
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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
POLARS_NAMES = {"Boolean", "String", "Categorical", "Date", "Time", "Null", "Float32", "Float64"}
POLARS_NAMES |= {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128)} | {"Float16"}


def checked_time_zone(name: Any) -> str | None:
    """The name of a time zone, that can name no file; None for none."""
    if name is not None and (not isinstance(name, str) or not TIME_ZONE.fullmatch(name) or "dateutil" in name):
        raise ValueError(f"no name of a time zone: {str(name)[:80]!r}")
    return name


def _unit(unit: Any) -> str:
    if unit not in ("s", "ms", "us", "ns"):
        raise ValueError(f"no unit of time: {str(unit)[:20]!r}")
    return unit


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
    return _chosen(PANDAS, kind)(*arguments)


def _category(categories: list | None, dtype: Any, ordered: bool) -> Any:
    import pandas as pd

    index = None if categories is None else pd.Index(categories, dtype=dtype)
    return pd.CategoricalDtype(index, ordered=bool(ordered))


def _zoned(unit: str, time_zone: str) -> Any:
    import pandas as pd

    return pd.DatetimeTZDtype(_unit(unit), checked_time_zone(time_zone))


def _string(storage: str, is_default: bool) -> Any:
    import pandas as pd

    if storage not in ("python", "pyarrow"):
        raise ValueError(f"no storage of strings: {str(storage)[:40]!r}")
    return pd.StringDtype(storage) if is_default else pd.StringDtype(storage, na_value=float("nan"))


def _nullable(name: str) -> Any:
    import pandas as pd

    if name not in NULLABLE:
        raise ValueError(f"no nullable dtype: {str(name)[:40]!r}")
    return pd.api.types.pandas_dtype(name)


def _arrow(name: str) -> Any:
    import pandas as pd

    found = _arrow_type(name)
    if found is None:
        raise ValueError(f"no type of Arrow that can be written: {str(name)[:80]!r}")
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

    if name in ARROW_NAMES:
        return pa.type_for_alias(ARROW_ALIASES.get(name, name))
    found = next(((kind, match) for kind, p in ARROW_PATTERNS.items() if (match := p.fullmatch(str(name)))), None)
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
    if kind in POLARS_NAMES:
        import polars as pl

        return getattr(pl, kind)()
    return _chosen(POLARS, kind)(*arguments)


def _datetime(unit: str, time_zone: str | None) -> Any:
    import polars as pl

    return pl.Datetime(_unit(unit), checked_time_zone(time_zone))  # type: ignore[arg-type]


def _duration(unit: str) -> Any:
    import polars as pl

    return pl.Duration(_unit(unit))  # type: ignore[arg-type]


def _decimal(precision: int | None, scale: int) -> Any:
    import polars as pl

    return pl.Decimal(precision, scale)


def _enum(categories: list) -> Any:
    import polars as pl

    return pl.Enum(categories)


POLARS: dict[str, Callable] = {"Datetime": _datetime, "Duration": _duration, "Decimal": _decimal, "Enum": _enum}


def _chosen(constructors: dict[str, Callable], kind: Any) -> Callable:
    if not isinstance(kind, str) or kind not in constructors:
        raise ValueError(f"no dtype that can be written: {str(kind)[:40]!r}")
    return constructors[kind]
