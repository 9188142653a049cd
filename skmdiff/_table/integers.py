"""Integers of 64 bits beside floats, which hold integers up to 2^53 only.

Differences of integers are taken before anything becomes a float: modulo 2^64, in unsigned numbers, where the
difference of two integers of 64 bits, the larger minus the smaller, always is what it should be.
"""

from __future__ import annotations

import numpy as np

LARGEST_FLOAT = 2**53  # up to it every integer is a float
BELOW_2_64 = np.nextafter(2.0**64, 0)


def are_integers(*arrays: np.ndarray) -> bool:
    return all(x.dtype.kind in "iu" for x in arrays)


def origin_of(x: np.ndarray) -> int:
    """What to take from numbers before they become floats: the least of integers that floats do not hold, else 0."""
    if not are_integers(x):
        return 0
    least, most = int(x.min()), int(x.max())
    return 0 if -LARGEST_FLOAT <= least and most <= LARGEST_FLOAT else least


def offsets(x: np.ndarray, origin: int) -> np.ndarray:
    """x - origin as floats, of the exact differences of integers."""
    if not origin:
        return x.astype(np.float64)
    if not are_integers(x):
        return x.astype(np.float64) - origin
    unsigned, start, is_above = x.astype(np.uint64), np.uint64(origin % 2**64), x >= origin
    return np.where(is_above, (unsigned - start).astype(np.float64), -(start - unsigned).astype(np.float64))


def at_offsets(offset: np.ndarray, origin: int, dtype: np.dtype) -> np.ndarray:
    """The integers nearest to origin + offset (n,) that a dtype of 64 bits holds."""
    info, size = np.iinfo(dtype), np.minimum(np.abs(np.round(offset)), BELOW_2_64).astype(np.uint64)
    up, down = (np.minimum(size, np.uint64(room)) for room in (info.max - origin, origin - info.min))
    start = np.uint64(origin % 2**64)
    return np.where(offset >= 0, start + up, start - down).astype(dtype)


def spacings(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """above - below of integers as floats; 0 where that is negative."""
    difference = (above.astype(np.uint64) - below.astype(np.uint64)).astype(np.float64)
    return np.where(above > below, difference, 0.0)


def between(here: np.ndarray, there: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """The integers nearest to a fraction (n,), from 0 to 1/2, of the way from one to another, in the dtype of both."""
    low, high = np.minimum(here, there), np.maximum(here, there)
    step = np.round(fraction * spacings(low, high)).astype(np.uint64)
    start = here.astype(np.uint64)
    return np.where(there > here, start + step, start - step).astype(here.dtype)
