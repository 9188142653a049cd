"""A tree of values as JSON and arrays, and back.

None, bools, integers, finite floats, strings and lists are themselves. All else is a dict of one key, its kind, and
what it takes to make it again:

    {"float": "nan"}  {"tuple": [...]}  {"dict": [[key, value], ...]}  {"array": "a0.npy"}
    {"object": [class, number, {name: value, ...}]}

Classes are those of a registry, by names of its own: a file can name nothing else, and reading one calls nothing but
the constructors written here. An object that is met twice is written once and referred to by its number, so that what
was one object is one again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from types import MethodType
from typing import Any

import numpy as np

from .._table import dtypes
from . import trees
from .arrays import checked_dtype, read_array, write_array
from .container import Members
from .errors import ModelFileError


@dataclasses.dataclass(frozen=True)
class Kind:
    """A class whose objects a file may hold.

    cls : the class
    fields, optional : names of the attributes that its objects have, and of those that only some have
    methods : names of methods that may be held by another object
    """

    cls: type
    fields: tuple[str, ...]
    optional: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


def kind_of(cls: type, fields: str = "", optional: str = "", methods: str = "") -> Kind:
    """The kind of a class by names in one string; a dataclass or a named tuple knows its fields itself."""
    names = tuple(fields.split())
    if dataclasses.is_dataclass(cls):
        names = tuple(field.name for field in dataclasses.fields(cls))
    elif hasattr(cls, "_fields"):
        names = cls._fields
    return Kind(cls, names, tuple(optional.split()), tuple(methods.split()))


Registry = Mapping[str, Kind]


class Encoder:
    """Writes values. Afterwards `arrays` says what each array member is, and `contents` are the members.

    Parameters
    ----------
    registry : the classes that a file may hold, by name
    """

    def __init__(self, registry: Registry) -> None:
        self.names = {kind.cls: name for name, kind in registry.items()}
        self.registry = registry
        self.arrays: dict[str, dict] = {}
        self.contents: dict[str, bytes] = {}
        self._seen: dict[int, tuple[Any, Any]] = {}
        self._written: dict[tuple[str, bytes], str] = {}
        self._n_objects = 0

    def write(self, value: Any, path: str = "") -> Any:
        """A value as JSON; `path` says where it is, for messages."""
        if value is None or isinstance(value, bool | str) and type(value) in (bool, str) or type(value) is int:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if id(value) in self._seen:
            return self._seen[id(value)][1]
        if isinstance(value, list | tuple | dict | set) and type(value) in COLLECTIONS:
            return COLLECTIONS[type(value)](self, value, path)
        if isinstance(value, np.ndarray):
            return self._remembered(value, self._write_array(value, path))
        if type(value) in self.names:
            return self._write_object(value, path)
        for kind, write in WRITERS.items():
            written = write(value)
            if written is not None:
                return {kind: self.write(written, path)}
        return self._write_other(value, path)

    def _write_other(self, value: Any, path: str) -> Any:
        if isinstance(value, MethodType) and type(value.__self__) in self.names:
            kind = self.registry[self.names[type(value.__self__)]]
            if value.__name__ in kind.methods:
                return {"method": [value.__name__, self.write(value.__self__, path)]}
        if trees.is_boosted(value):
            number = self._new_number(value)
            return {"boosted": [number, self.write(trees.write_boosted(value), path)]}
        raise ModelFileError(f"a model file cannot hold {type(value).__name__} at {path or 'the top'}")

    def _remembered(self, value: Any, written: Any) -> Any:
        """What is written, to be written so again; the value is kept alive, as its identity stands for it."""
        self._seen[id(value)] = value, written
        return written

    def _new_number(self, value: Any) -> int:
        number = self._n_objects
        self._n_objects += 1
        self._remembered(value, {"same": number})
        return number

    def _write_object(self, value: Any, path: str) -> dict:
        name = self.names[type(value)]
        kind, number, found = self.registry[name], self._new_number(value), attributes(value)
        extra = set(found) - {*kind.fields, *kind.optional}
        if extra:
            raise ModelFileError(f"a model file does not know {sorted(extra)} of {name} at {path}")
        names = [field for field in (*kind.fields, *kind.optional) if field in found]
        return {"object": [name, number, {field: self.write(found[field], f"{path}.{field}") for field in names}]}

    def _write_array(self, value: np.ndarray, path: str) -> dict:
        if value.dtype == object:
            cells = [self.write(cell, f"{path}[{k}]") for k, cell in enumerate(value.ravel().tolist())]
            return {"cells": [list(value.shape), cells]}
        if type(value) is not np.ndarray or value.dtype.kind not in "biufmMU":
            raise ModelFileError(f"a model file cannot hold an array of {value.dtype} at {path}")
        said, content = write_array(value)
        key = (repr(said), hashlib.sha256(content).digest())
        if key not in self._written:
            name = self._written[key] = f"a{len(self.arrays)}.npy"
            self.arrays[name], self.contents[name] = said, content
        return {"array": self._written[key]}


def attributes(value: Any) -> dict:
    """The attributes of an object, without those that it makes from the others when they are asked for."""
    if hasattr(value, "_fields"):
        return value._asdict()
    cls = type(value)
    return {k: v for k, v in vars(value).items() if not isinstance(getattr(cls, k, None), cached_property)}


def _write_list(encoder: Encoder, value: list, path: str) -> list:
    return [encoder.write(one, f"{path}[{k}]") for k, one in enumerate(value)]


def _write_tuple(encoder: Encoder, value: tuple, path: str) -> dict:
    return {"tuple": [encoder.write(one, f"{path}[{k}]") for k, one in enumerate(value)]}


def _write_dict(encoder: Encoder, value: dict, path: str) -> dict:
    return {"dict": [[encoder.write(k, path), encoder.write(v, f"{path}[{k!r}]")] for k, v in value.items()]}


def _write_set(encoder: Encoder, value: set, path: str) -> dict:
    return {"set": [encoder.write(one, path) for one in sorted(value, key=repr)]}


COLLECTIONS: dict[type, Callable] = {list: _write_list, tuple: _write_tuple, dict: _write_dict, set: _write_set}


# ---- single values: kind -> what it is made of, None for what is not of the kind ----------------------------------


def _scalar(value: Any) -> list | None:
    if not isinstance(value, np.generic) or value.dtype.kind not in "biufmMU":
        return None
    plain = value.view(np.int64) if value.dtype.kind in "mM" else value
    return [value.dtype.str, plain.item()]


def _of_type(cls: type, parts: Callable) -> Callable:
    return lambda value: parts(value) if type(value) is cls else None


def _zone_of(value: Any) -> str | None:
    return None if value.tzinfo is None else dtypes.checked_time_zone(str(value.tzinfo))


def _pandas_scalar(value: Any) -> list | None:
    """A Timestamp, a Timedelta, NaT or NA of pandas."""
    if type(value).__module__.split(".")[0] != "pandas":
        return None
    name = type(value).__name__
    if name in ("NAType", "NaTType"):
        return [name]
    if name == "Timestamp":
        return [name, value.to_datetime64(), _zone_of(value)]
    return [name, value.to_timedelta64()] if name == "Timedelta" else None


def _pandas_dtype(value: Any) -> list | None:
    of_pandas = type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "na_value")
    return dtypes.write_pandas(value) if of_pandas else None


def _polars_dtype(value: Any) -> list | None:
    of_polars = type(value).__module__.split(".")[0] == "polars" and hasattr(value, "base_type")
    return dtypes.write_polars(value) if of_polars else None


def _type_name(value: Any) -> str | None:
    if value is Decimal:
        return "Decimal"
    is_pandas = isinstance(value, type) and value.__module__.split(".")[0] == "pandas"
    return value.__name__ if is_pandas and value.__name__ in PANDAS_TYPES else None


PANDAS_TYPES = ("Timestamp", "Timedelta")
WRITERS: dict[str, Callable] = {
    "scalar": _scalar,
    "dtype": lambda value: value.str if isinstance(value, np.dtype) and value.kind in "biufmMUO" else None,
    "decimal": _of_type(Decimal, str),
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


class Decoder:
    """Reads values that an `Encoder` of the same registry wrote; a `ModelFileError` for anything else.

    Parameters
    ----------
    registry : the classes that a file may hold, by name
    arrays : what each array member is
    members : of the file
    """

    def __init__(self, registry: Registry, arrays: Any, members: Members) -> None:
        self.registry, self.said, self.members = registry, arrays, members
        self._arrays: dict[str, np.ndarray] = {}
        self._objects: dict[int, Any] = {}

    def read(self, node: Any) -> Any:
        """The value of JSON."""
        if isinstance(node, list):
            return [self.read(one) for one in node]
        if not isinstance(node, dict):
            return node
        if len(node) != 1:
            raise ModelFileError("a value must have one kind")
        [(kind, parts)] = node.items()
        if kind not in READERS:
            raise ModelFileError(f"no kind of value: {kind[:40]!r}")
        return READERS[kind](self, parts)

    def array(self, name: Any) -> np.ndarray:
        """The array of a member, read once."""
        if name not in self._arrays:
            if name not in self.said:
                raise ModelFileError(f"nothing says what the array {str(name)[:40]!r} is")
            self._arrays[name] = read_array(self.said[name], name, self.members)
        return self._arrays[name]

    def cells(self, parts: list) -> np.ndarray:
        """An array of objects."""
        shape, cells = parts
        out = np.empty(len(cells), dtype=object)
        for k, cell in enumerate(cells):
            out[k] = self.read(cell)
        return out.reshape(shape)

    def object_(self, parts: list) -> Any:
        """An object of a registered class."""
        name, number, fields = parts
        if name not in self.registry:
            raise ModelFileError(f"no class of model files: {str(name)[:40]!r}")
        kind = self.registry[name]
        if not set(kind.fields) <= set(fields) <= {*kind.fields, *kind.optional}:
            raise ModelFileError(f"{name} does not have the fields that it is to have")
        if hasattr(kind.cls, "_fields"):
            return self._numbered(number, kind.cls(**{field: self.read(value) for field, value in fields.items()}))
        out = self._numbered(number, object.__new__(kind.cls))  # before its fields, which may refer to it
        vars(out).update({field: self.read(value) for field, value in fields.items()})
        return out

    def same(self, number: int) -> Any:
        """An object that was read before."""
        if number not in self._objects:
            raise ModelFileError("a value refers to an object that is not there")
        return self._objects[number]

    def method(self, parts: list) -> Any:
        """A method of an object, of those that are allowed."""
        name, owner = parts[0], self.read(parts[1])
        if not any(type(owner) is kind.cls and name in kind.methods for kind in self.registry.values()):
            raise ModelFileError(f"no method of model files: {str(name)[:40]!r}")
        return getattr(owner, name)

    def boosted(self, parts: list) -> Any:
        """A classifier of boosted trees."""
        number, said = parts
        return self._numbered(number, trees.read_boosted(self.read(said)))

    def _numbered(self, number: Any, value: Any) -> Any:
        if type(number) is not int or number in self._objects:
            raise ModelFileError("two objects have one number")
        self._objects[number] = value
        return value


def _read_float(decoder: Decoder, text: str) -> float:
    if text not in ("nan", "inf", "-inf"):
        raise ModelFileError("a float that is written as a text must not be finite")
    return float(text)


def _read_dict(decoder: Decoder, pairs: list) -> dict:
    return {decoder.read(key): decoder.read(value) for key, value in pairs}


def _read_scalar(decoder: Decoder, parts: list) -> np.generic:
    dtype, value = checked_dtype(parts[0]), decoder.read(parts[1])
    if dtype.kind in "mM":
        return np.array([value], dtype=np.int64).view(dtype)[0]
    if dtype.itemsize > 64 and dtype.kind != "U" or dtype.kind == "U" and dtype.itemsize > 4 * max(1, len(value)):
        raise ModelFileError("a scalar is larger than what it holds")
    return np.array([value], dtype=dtype)[0]


def _read_dtype(decoder: Decoder, text: str) -> np.dtype:
    return np.dtype(object) if text == "|O" else checked_dtype(text)


def _read_datetime(decoder: Decoder, parts: list) -> datetime:
    text, zone, fold = decoder.read(parts)
    naive = datetime.fromisoformat(text).replace(fold=int(fold))
    return naive if zone is None else naive.replace(tzinfo=_zone(zone))


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    import pandas as pd

    return ZoneInfo(name) if "/" in name else pd.Timestamp(0, tz=dtypes.checked_time_zone(name)).tzinfo


def _read_pandas(decoder: Decoder, parts: list) -> Any:
    import pandas as pd

    name, arguments = parts[0], decoder.read(parts[1:])
    if name in ("NAType", "NaTType"):
        return pd.NA if name == "NAType" else pd.NaT
    if name == "Timestamp":
        value, zone = arguments
        naive = pd.Timestamp(value)
        return naive if zone is None else naive.tz_localize("UTC").tz_convert(dtypes.checked_time_zone(zone))
    if name != "Timedelta":
        raise ModelFileError(f"no scalar of pandas: {str(name)[:40]!r}")
    return pd.Timedelta(arguments[0])


def _read_type(decoder: Decoder, name: str) -> type:
    if name == "Decimal":
        return Decimal
    if name not in PANDAS_TYPES:
        raise ModelFileError(f"no type of cells: {str(name)[:40]!r}")
    import pandas as pd

    return getattr(pd, name)


READERS: dict[str, Callable] = {
    "float": _read_float,
    "tuple": lambda decoder, parts: tuple(decoder.read(parts)),
    "dict": _read_dict,
    "set": lambda decoder, parts: set(decoder.read(parts)),
    "array": Decoder.array,
    "cells": Decoder.cells,
    "object": Decoder.object_,
    "same": Decoder.same,
    "method": Decoder.method,
    "boosted": Decoder.boosted,
    "scalar": _read_scalar,
    "dtype": _read_dtype,
    "decimal": lambda decoder, text: Decimal(text),
    "fraction": lambda decoder, parts: Fraction(*decoder.read(parts)),
    "datetime": _read_datetime,
    "date": lambda decoder, text: date.fromisoformat(text),
    "time": lambda decoder, text: time.fromisoformat(text),
    "timedelta": lambda decoder, parts: timedelta(*decoder.read(parts)),
    "pandas": _read_pandas,
    "pandas_dtype": lambda decoder, parts: dtypes.read_pandas(*decoder.read(parts)),
    "polars_dtype": lambda decoder, parts: dtypes.read_polars(*decoder.read(parts)),
    "type": _read_type,
}
