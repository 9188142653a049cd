"""Files that are there as a whole or not at all: arrays and plain values, with a checksum.

Nothing in a file is code: it is an npz archive, read without pickle, with JSON in it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .whole_files import replacing

FORMAT = "skmdiff checkpoint 1"
SUFFIX = ".ckpt"
VALUES = "values"  # the name of the JSON among the arrays


@dataclass(frozen=True)
class Checkpoint:
    """Arrays by name, and values that JSON holds."""

    arrays: Mapping[str, np.ndarray]
    values: Mapping[str, Any]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace a file, or leave it as it was and raise an OSError."""
    values = np.frombuffer(json.dumps(checkpoint.values).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **checkpoint.arrays, **{VALUES: values})  # type: ignore[arg-type]
    content = buffer.getvalue()
    with replacing(path) as beside:
        beside.write_bytes(f"{FORMAT} {_checksum(content)}\n".encode() + content)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """What a file holds; None where there is none.

    Raises
    ------
    ValueError
        For a file that `write_checkpoint` has not written, or that has changed since.
    """
    try:
        header, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if header != f"{FORMAT} {_checksum(content)}".encode():
        raise ValueError(f"checkpoint file {path} is damaged: its checksum is not that of its content. Delete it.")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return Checkpoint(arrays, json.loads(arrays.pop(VALUES).tobytes()))


def fingerprint(*parts: Any) -> str:
    """A name (SHA-256) of arrays, dataclasses and plain values: another one if any bit of them is another."""
    digest = hashlib.sha256()
    for text in _texts(parts):
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()


def _texts(value: Any) -> list[bytes]:
    """The bytes of a value, piece by piece."""
    if isinstance(value, np.ndarray):
        return [f"{value.dtype.str}{value.shape}".encode(), np.ascontiguousarray(value).tobytes()]
    if is_dataclass(value):
        return _texts([type(value).__name__, *((f.name, getattr(value, f.name)) for f in fields(value))])
    if isinstance(value, Mapping):
        return _texts(sorted(value.items()))
    if isinstance(value, list | tuple):
        return [str(len(value)).encode(), *(text for part in value for text in _texts(part))]
    return [repr(value).encode()]


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
