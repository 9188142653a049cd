"""A model file: a tree of values and its arrays in one container, with what says who wrote it."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from .container import CHECKSUMS, Members, check_target, write_members
from .errors import ModelFileError
from .values import Decoder, Encoder, Registry

FORMAT, SCHEMA, TREE = "skmdiff model", 1, "model.json"


def write_file(path: str | os.PathLike, model: Any, registry: Registry, **said: Any) -> None:
    """Write a model, and what is said of it: whole or not at all."""
    target = check_target(path)
    encoder = Encoder(registry)
    tree = encoder.write(model)
    versions = {"numpy": np.__version__, "scikit-learn": sklearn.__version__}
    head = {"format": FORMAT, "schema": SCHEMA, **said, "versions": versions, "arrays": encoder.arrays, "model": tree}
    write_members(target, [*encoder.contents.items(), (TREE, json.dumps(head, allow_nan=False).encode())])


def read_file(path: str | os.PathLike, registry: Registry, cls: type) -> tuple[Any, dict]:
    """The model of a file, of the class `cls`, and what the file says of it; a `ModelFileError` names the file."""
    name = str(Path(path))
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                model, head = _read_archive(archive, os.fstat(file.fileno()).st_size, registry)
            if type(model) is not cls:
                raise ModelFileError(f"it does not hold a {cls.__name__}")
        except ModelFileError as error:
            raise ModelFileError(f"{name!r} cannot be read as a model file: {error}.") from error
        except Exception as error:  # whatever a file that was tampered with brings about
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            raise ModelFileError(
                f"{name!r} cannot be read as a model file, it is damaged or none ({reason})."
            ) from error
    return model, head


def is_model_file(path: str | os.PathLike) -> bool:
    """Whether a file looks like a model file; whether it is whole, `read_file` says."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {TREE, CHECKSUMS} <= set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _read_archive(archive: zipfile.ZipFile, size: int, registry: Registry) -> tuple[Any, dict]:
    members = Members(archive, size)
    head = json.loads(members.read(TREE))
    _check_head(head)
    tree, arrays = head.pop("model"), head.pop("arrays")
    if {*arrays, TREE, CHECKSUMS} != set(members.infos):
        raise ModelFileError("its members are not the arrays that it is to hold")
    return Decoder(registry, arrays, members).read(tree), head


def _check_head(head: Any) -> None:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ModelFileError(f"it does not say that its format is {FORMAT!r}")
    schema = head.get("schema")
    if schema != SCHEMA:
        newer = f"it was written by skmdiff {head.get('skmdiff')}, load it with that version or a later one"
        raise ModelFileError(f"its schema is {schema!r}, and this version reads schema {SCHEMA}: {newer}")
