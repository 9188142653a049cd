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
from functools import cached_property
from types import MethodType
from typing import Any

import numpy as np

from .._table import dtypes
from . import trees
from .arrays import checked_shape, read_array, write_array
from .container import Members
from .errors import ModelFileError
from .single_values import READERS as SINGLE_VALUES
from .single_values import WRITERS, check_keys, check_type, parts_of


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
    check_keys(list(value))
    return {"dict": [[encoder.write(k, path), encoder.write(v, f"{path}[{k!r}]")] for k, v in value.items()]}


def _write_set(encoder: Encoder, value: set, path: str) -> dict:
    check_keys(list(value))
    return {"set": [encoder.write(one, path) for one in sorted(value, key=repr)]}


COLLECTIONS: dict[type, Callable] = {list: _write_list, tuple: _write_tuple, dict: _write_dict, set: _write_set}


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
        self._work = 0  # that the boosted trees read so far took

    def read(self, node: Any) -> Any:
        """The value of JSON."""
        if isinstance(node, list):
            return [self.read(one) for one in node]
        if not isinstance(node, dict):
            return node
        if len(node) != 1:
            raise ModelFileError("a value must have one kind")
        [(kind, parts)] = node.items()
        if kind in SINGLE_VALUES:
            return SINGLE_VALUES[kind](parts)
        if kind not in READERS:
            raise ModelFileError(f"no kind of value: {kind[:40]!r}")
        return READERS[kind](self, parts)

    def all_of(self, parts: Any) -> list:
        """The values of a list of nodes, which the JSON itself holds: it is as long as it is written."""
        return [self.read(one) for one in check_type(parts, list)]

    def array(self, name: Any) -> np.ndarray:
        """The array of a member, read once."""
        if check_type(name, str) not in self._arrays:
            if name not in self.said:
                raise ModelFileError(f"nothing says what the array {name[:40]!r} is")
            self._arrays[name] = read_array(self.said[name], name, self.members)
        return self._arrays[name]

    def cells(self, parts: Any) -> np.ndarray:
        """An array of objects."""
        shape, cells = parts_of(parts, list, list)
        out = np.empty(len(cells), dtype=object)
        for k, cell in enumerate(cells):
            out[k] = self.read(cell)
        return out.reshape(checked_shape(shape))

    def object_(self, parts: Any) -> Any:
        """An object of a registered class."""
        name, number, fields = parts_of(parts, str, int, dict)
        if name not in self.registry:
            raise ModelFileError(f"no class of model files: {name[:40]!r}")
        kind = self.registry[name]
        if not set(kind.fields) <= set(fields) <= {*kind.fields, *kind.optional}:
            raise ModelFileError(f"{name} does not have the fields that it is to have")
        if hasattr(kind.cls, "_fields"):
            return self._numbered(number, kind.cls(**{field: self.read(value) for field, value in fields.items()}))
        out = self._numbered(number, object.__new__(kind.cls))  # before its fields, which may refer to it
        vars(out).update({field: self.read(value) for field, value in fields.items()})
        return out

    def same(self, number: Any) -> Any:
        """An object that was read before."""
        if check_type(number, int) not in self._objects:
            raise ModelFileError("a value refers to an object that is not there")
        return self._objects[number]

    def method(self, parts: Any) -> Any:
        """A method of an object, of those that are allowed."""
        name, said = parts_of(parts, str, dict)
        owner = self.read(said)
        if not any(type(owner) is kind.cls and name in kind.methods for kind in self.registry.values()):
            raise ModelFileError(f"no method of model files: {name[:40]!r}")
        return getattr(owner, name)

    def boosted(self, parts: Any) -> Any:
        """A classifier of boosted trees; all those of a file take little work for its size."""
        number, node = parts_of(parts, int, dict)
        said = self.read(node)
        self._work += trees.work_of(said)
        if self._work > max(trees.FREE_WORK, self.members.n_bytes * trees.WORK_PER_BYTE):
            raise ModelFileError("its boosted trees would take too long to make")
        return self._numbered(number, trees.read_boosted(said))

    def dict_(self, parts: Any) -> dict:
        """A dict, from its pairs."""
        pairs = [parts_of(pair, object, object) for pair in check_type(parts, list)]
        keys = [self.read(key) for key, _ in pairs]
        check_keys(keys)
        return dict(zip(keys, [self.read(value) for _, value in pairs], strict=True))

    def set_(self, parts: Any) -> set:
        """A set, from its members."""
        found = self.all_of(parts)
        check_keys(found)
        return set(found)

    def pandas_dtype(self, parts: Any) -> Any:
        """A dtype of pandas; categories are as keys are."""
        kind, *arguments = self.all_of(parts)
        for one in arguments:
            if type(one) is list:
                check_keys(one)
        return dtypes.read_pandas(kind, *arguments)

    def _numbered(self, number: int, value: Any) -> Any:
        if number in self._objects:
            raise ModelFileError("two objects have one number")
        self._objects[number] = value
        return value


READERS: dict[str, Callable[[Decoder, Any], Any]] = {
    "tuple": lambda decoder, parts: tuple(decoder.all_of(parts)),
    "dict": Decoder.dict_,
    "set": Decoder.set_,
    "array": Decoder.array,
    "cells": Decoder.cells,
    "object": Decoder.object_,
    "same": Decoder.same,
    "method": Decoder.method,
    "boosted": Decoder.boosted,
    "pandas_dtype": Decoder.pandas_dtype,
    "polars_dtype": lambda decoder, parts: dtypes.read_polars(*decoder.all_of(parts)),
}
