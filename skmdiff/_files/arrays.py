"""Arrays as members of a model file: npy, the format of numpy, of plain dtypes only.

What an array of the file is to be is written beside it, in the tree of values; its npy header must be, byte for byte,
the one that follows from that, so that no header of a file is ever parsed.

Numbers take the smallest dtype that holds all of them exactly. Large arrays are written as planes, the first bytes of
all numbers, then the second ones, and so on: numbers of a column have first bytes in common, which then compress.
Numbers in ascending order are written as their differences, those of floats as differences of their bits. Bools of a
large array take a bit each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .container import Members
from .errors import ModelFileError

KINDS = "biufmMU"
PLANES_FROM = 4096  # numbers
LARGEST_CHARACTER = 0x10FFFF


def checked_dtype(text: Any) -> np.dtype:
    """The plain dtype of a text such as "<f8" or "<M8[ns]"."""
    if not isinstance(text, str) or len(text) > 40 or text[:1] not in "<>|" or text[1:2] not in KINDS:
        raise ModelFileError(f"no plain dtype: {str(text)[:40]!r}")
    try:
        dtype = np.dtype(text)
    except TypeError as error:
        raise ModelFileError(f"no plain dtype: {text!r}") from error
    if dtype.str != text or dtype.hasobject or dtype.fields or not 0 < dtype.itemsize <= 1 << 20:
        raise ModelFileError(f"no plain dtype: {text!r}")
    return dtype


def npy_header(dtype: str, shape: tuple[int, ...], fortran: bool) -> bytes:
    """Magic, version 1.0 and header of an npy file."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    padding = -(10 + len(text) + 1) % 64
    return (
        b"\x93NUMPY\x01\x00" + (len(text) + padding + 1).to_bytes(2, "little") + (text + " " * padding).encode() + b"\n"
    )


def is_fortran(array: np.ndarray) -> bool:
    """Whether an array lies column by column, which products of matrices may show in their last bits."""
    return array.flags.f_contiguous and not array.flags.c_contiguous


def narrowed(array: np.ndarray) -> np.ndarray:
    """The array in the smallest dtype that holds all of it exactly."""
    if array.dtype.kind in "iu" and array.size and array.itemsize > 1:
        least = np.result_type(np.min_scalar_type(array.min()), np.min_scalar_type(array.max()))
        return array.astype(least) if least.kind in "iu" and least.itemsize < array.itemsize else array
    if array.dtype == np.float64 and array.size:
        with np.errstate(all="ignore"):
            single = array.astype(np.float32)
        if single.astype(np.float64).tobytes() == array.tobytes():
            return single
    return array


def is_ascending(flat: np.ndarray) -> bool:
    """Whether a large array holds numbers of 4 or 8 bytes in ascending order."""
    large = flat.size >= PLANES_FROM and flat.dtype.kind in "iufmM" and flat.itemsize in (4, 8)
    return large and bool((flat[1:] >= flat[:-1]).all())


def steps_of(flat: np.ndarray) -> tuple[int, np.ndarray]:
    """The first of ascending numbers (n,), by the order of their bits, and the differences of the others, (n,)."""
    keys = _in_order(flat)
    steps = np.diff(keys, prepend=keys[:1])
    return int(keys[0]), steps.astype(np.min_scalar_type(steps.max()))


def from_steps(first: int, steps: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Numbers (n,) of a dtype from their first one and differences."""
    keys = np.cumsum(steps, dtype=f"u{dtype.itemsize}")
    keys += keys.dtype.type(first)
    if dtype.kind == "f":
        top = _top_bit(keys)
        is_negative = keys < top
        np.invert(keys, out=keys, where=is_negative)
        np.bitwise_xor(keys, top, out=keys, where=~is_negative)
    return keys.view(dtype)


def _in_order(flat: np.ndarray) -> np.ndarray:
    """The bits of numbers (n,) as unsigned integers; those of floats in the order of the floats."""
    bits = flat.view(f"u{flat.itemsize}")
    if flat.dtype.kind != "f":
        return bits
    top = _top_bit(bits)
    return np.where(bits & top, ~bits, bits ^ top)


def _top_bit(bits: np.ndarray) -> np.unsignedinteger:
    return bits.dtype.type(1 << (8 * bits.itemsize - 1))


def write_array(array: np.ndarray) -> tuple[dict, bytes]:
    """What is said of an array in the tree, and its npy member."""
    small, fortran = narrowed(array), is_fortran(array)
    said: dict[str, Any] = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if fortran:
        said["fortran"] = True
    flat = small.ravel(order="F" if fortran else "C")
    if small.dtype != array.dtype:
        said["stored"] = small.dtype.str
    if is_ascending(flat):
        said["first"], flat = steps_of(flat)
        said["steps"] = flat.dtype.str
        small = flat
    if small.size >= PLANES_FROM and small.dtype.kind == "b":
        said["bits"] = True
        bits = np.packbits(flat)
        return said, npy_header("|u1", bits.shape, False) + bits.tobytes()
    if small.size >= PLANES_FROM and small.itemsize > 1 and small.dtype.kind != "U":
        said["planes"] = True
        planes = np.ascontiguousarray(flat.view(np.uint8).reshape(-1, small.itemsize).T)
        return said, npy_header("|u1", planes.shape, False) + planes.tobytes()
    return said, npy_header(small.dtype.str, array.shape, fortran) + flat.tobytes()


def read_array(said: Any, name: str, members: Members) -> np.ndarray:
    """The array of a member, of which the tree says what it is to be."""
    dtype, shape = checked_dtype(said.get("dtype")), checked_shape(said.get("shape"))
    stored, fortran = checked_dtype(said.get("stored", dtype.str)), said.get("fortran", False) is True
    if stored != dtype and (
        stored.kind not in {"i": "iu", "u": "iu", "f": "f"}.get(dtype.kind, "") or stored.itemsize > dtype.itemsize
    ):
        raise ModelFileError(f"the member {name} is stored in a dtype that is not its own")
    size, planes, bits = math.prod(shape), said.get("planes") is True, said.get("bits") is True and dtype.kind == "b"
    written = _checked_steps(said, stored, name) if "steps" in said else stored
    n_bytes = -(-size // 8) if bits else size * written.itemsize
    header = npy_header(written.str, shape, fortran)
    if planes or bits:
        header = npy_header("|u1", (n_bytes,) if bits else (written.itemsize, size), False)
    if members.size(name) != len(header) + n_bytes:
        raise ModelFileError(f"the member {name} does not have the size of an array of shape {shape}")
    content = members.read(name)
    if content[: len(header)] != header:
        raise ModelFileError(f"the member {name} does not have the header of the array that it is to be")
    body = memoryview(content)[len(header) :]
    flat = _bools(body, size) if bits else _flat(body, written, size, planes)
    if "steps" in said:
        flat = from_steps(said["first"], flat, stored)
    _check_values(flat, name)
    return flat.astype(dtype, copy=not flat.flags.writeable).reshape(shape, order="F" if fortran else "C")


def _checked_steps(said: Any, stored: np.dtype, name: str) -> np.dtype:
    """The dtype of the differences of ascending numbers."""
    steps, first = checked_dtype(said["steps"]), said.get("first")
    of_numbers = steps.kind == "u" and steps.itemsize <= stored.itemsize and stored.kind in "iufmM"
    if not of_numbers or type(first) is not int or not 0 <= first < 1 << (8 * stored.itemsize):
        raise ModelFileError(f"the member {name} is no array of ascending numbers")
    return steps


def _flat(content: memoryview, stored: np.dtype, size: int, planes: bool) -> np.ndarray:
    """(size,) numbers, a copy."""
    if not planes:
        return np.frombuffer(content, dtype=stored, count=size).copy() if size else np.zeros(0, dtype=stored)
    bytes_ = np.frombuffer(content, dtype=np.uint8).reshape(stored.itemsize, size)
    return np.ascontiguousarray(bytes_.T).view(stored).ravel()


def _bools(content: memoryview, size: int) -> np.ndarray:
    """(size,) bools of a bit each."""
    return np.unpackbits(np.frombuffer(content, dtype=np.uint8), count=size).view(bool)


def _check_values(flat: np.ndarray, name: str) -> None:
    """Refuse bools and characters that are none."""
    largest = {"b": 1, "U": LARGEST_CHARACTER}.get(flat.dtype.kind)
    if largest is None or not flat.size or not flat.itemsize:
        return
    unsigned = flat.view(np.uint8 if flat.dtype.kind == "b" else flat.dtype.byteorder.replace("|", "=") + "u4")
    if unsigned.max() > largest:
        raise ModelFileError(f"the member {name} holds what no array of {flat.dtype} holds")


def checked_shape(shape: Any) -> tuple[int, ...]:
    """The shape of a list of lengths."""
    plain = isinstance(shape, list) and len(shape) <= 8 and all(type(n) is int and 0 <= n < 1 << 48 for n in shape)
    if not plain:
        raise ModelFileError(f"no shape of an array: {str(shape)[:80]}")
    return tuple(shape)
