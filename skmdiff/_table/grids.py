"""The values that a column can hold, as a grid: integers, decimals, steps of dates, or all floats.

A grid offers up(v), its least values >= v, and down(v), its greatest <= v, for v (n,) of int64 (integers and the ticks
of dates) or of float64 (where floats are among the columns compared). Both are monotone and leave a value of the grid
as it is, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import gcd, lcm
from numbers import Integral, Rational, Real
from typing import Any, Protocol

import numpy as np

from .integers import at_offsets

MAX_DECIMALS = 8
# The rounding error of decimals, in units of the last bit, and its largest size in steps of the grid: in large values
# rounding alone would agree with any number of decimals.
ULPS, LARGEST_ERROR = 4, 0.01


class Grid(Protocol):
    """What a grid offers; `multiples` are the grid of those of its values that are multiples, None where none is."""

    def up(self, v: np.ndarray) -> np.ndarray: ...

    def down(self, v: np.ndarray) -> np.ndarray: ...

    def multiples(self, of: Any) -> Grid | None: ...


# --- decimals


def seen_decimals(values: np.ndarray) -> int | None:
    """Smallest number of decimals that writes every value, None above `MAX_DECIMALS`."""
    if values.dtype.kind != "f":
        return 0
    return next((decimals for decimals in range(MAX_DECIMALS + 1) if has_decimals(values, decimals).all()), None)


def has_decimals(values: np.ndarray, decimals: int) -> np.ndarray:
    """(n,) of bool, the floats that are written with so many decimals, but for the rounding of floats."""
    x = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        slack = ULPS * np.finfo(values.dtype).eps * np.abs(x)
        return np.abs(x - np.round(x, decimals)) <= np.minimum(slack, LARGEST_ERROR * 10.0**-decimals)


def to_grid(x: np.ndarray, decimals: int | None, dtype: np.dtype, origin: int = 0) -> np.ndarray:
    """Round floats, counted from an origin, to the grid the column was seen on and cast without overflow."""
    if origin:
        return at_offsets(x, origin, dtype)
    if decimals is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.round(x, decimals)
        x = np.where(np.isfinite(rounded), rounded, x)  # x * 10^decimals may overflow
    if dtype.kind == "b":
        return x >= 0.5
    if dtype.kind == "f":
        return np.clip(x, -np.finfo(dtype).max, np.finfo(dtype).max).astype(dtype)
    info = np.iinfo(dtype)
    # float(2**63 - 1) is 2**63: the largest float below info.max + 1 is the last that can be cast
    return np.clip(x, float(info.min), np.nextafter(float(info.max) + 1, 0)).astype(dtype)


# --- grids


class IntegerGrid:
    """origin + step * k."""

    def __init__(self, origin: Integral | int = 0, step: Integral | int = 1) -> None:
        self.origin, self.step = int(origin), int(step)

    def up(self, v: np.ndarray) -> np.ndarray:
        return self.origin - (self.origin - v) // self.step * self.step

    def down(self, v: np.ndarray) -> np.ndarray:
        return self.origin + (v - self.origin) // self.step * self.step

    def multiples(self, of: Any) -> IntegerGrid | None:
        """The grid of those values that are multiples of an integer; None where none is."""
        of, common = int(of), gcd(self.step, int(of))
        if self.origin % common:
            return None
        # origin + step * k = 0 modulo `of`
        k = -self.origin // common * pow(self.step // common, -1, of // common) % (of // common)
        return IntegerGrid(self.origin + self.step * k, lcm(self.step, of))


class DecimalGrid:
    """step * k / scale, as the nearest float of a dtype: the one that the decimals are read as."""

    def __init__(self, step: int, scale: int, dtype: np.dtype) -> None:
        self.step, self.scale, self.dtype = int(step), int(scale), dtype

    def up(self, v: np.ndarray) -> np.ndarray:
        return self._beside(v, np.floor, 1, np.less)

    def down(self, v: np.ndarray) -> np.ndarray:
        return self._beside(v, np.ceil, -1, np.greater)

    def multiples(self, of: Fraction) -> DecimalGrid:
        """The grid of those values that are multiples of a Fraction."""
        scale = lcm(self.scale, of.denominator)
        step = lcm(self.step * (scale // self.scale), of.numerator * (scale // of.denominator))
        return DecimalGrid(step, scale, self.dtype)

    def _beside(self, v: np.ndarray, round_off: Callable, ahead: int, is_short: Callable) -> np.ndarray:
        """The first value at v or ahead of it: v * scale / step is right to two steps only."""
        with np.errstate(over="ignore"):
            k = round_off(v * (self.scale / self.step)) - ahead
            for _ in range(3):
                k = np.where(is_short(self._value(k), v), k + ahead, k)
            out = self._value(k)
        # beyond the integers that floats tell apart there is no grid
        lost = is_short(out, v) | ~np.isfinite(out)
        exact = FloatGrid(self.dtype)
        return np.where(lost, exact.up(v) if ahead > 0 else exact.down(v), out)

    def _value(self, k: np.ndarray) -> np.ndarray:
        return (self.step * k / self.scale).astype(self.dtype).astype(np.float64)


class FloatGrid:
    """All floats of a dtype."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def up(self, v: np.ndarray) -> np.ndarray:
        return self._beside(v, np.inf, np.less)

    def down(self, v: np.ndarray) -> np.ndarray:
        return self._beside(v, -np.inf, np.greater)

    def multiples(self, of: Fraction) -> DecimalGrid:
        """The multiples of a Fraction."""
        return DecimalGrid(of.numerator, of.denominator, self.dtype)

    def _beside(self, v: np.ndarray, towards: float, is_short: Callable) -> np.ndarray:
        with np.errstate(over="ignore"):
            x = v.astype(self.dtype)
        beyond = np.nextafter(x, self.dtype.type(towards))
        return np.where(is_short(x.astype(np.float64), v), beyond, x).astype(np.float64)


class ClockGrid:
    """The steps of clocks in a time zone, of a `DateColumn` whose steps are not even in UTC, in parts of a tick."""

    def __init__(self, on_clock: Callable[[np.ndarray], np.ndarray], step: int, per_tick: int) -> None:
        self.on_clock, self.step, self.per_tick = on_clock, step, per_tick

    def up(self, v: np.ndarray) -> np.ndarray:
        return self._beside(-(-v // self.per_tick), 1, np.less)

    def down(self, v: np.ndarray) -> np.ndarray:
        return self._beside(v // self.per_tick, -1, np.greater)

    def multiples(self, of: Any) -> None:
        """None: dates have no multiples."""
        return None

    def _beside(self, ticks: np.ndarray, ahead: int, is_short: Callable) -> np.ndarray:
        near = self.on_clock(ticks)
        near = np.where(is_short(near, ticks), self.on_clock(near + ahead * self.step), near)
        # a clock that is put forward at midnight shows no such midnight: then the instant itself
        return np.where(is_short(near, ticks), ticks, near) * self.per_tick


def nearest_on(grid: Grid, v: np.ndarray) -> np.ndarray:
    """The values of a grid nearest to v."""
    below, above = grid.down(v), grid.up(v)
    return np.where(v - below <= above - v, below, above)


def as_fraction(number: Real) -> Fraction:
    """A number as it is written: 0.05 is 1/20."""
    if isinstance(number, Integral):
        return Fraction(int(number))
    return Fraction(number) if isinstance(number, Rational) else Fraction(repr(float(number)))


# --- bounds, and values without one


def lowest(dtype: np.dtype) -> int | float:
    """What stands for no bound below."""
    return np.iinfo(dtype).min if dtype.kind == "i" else -np.inf


def highest(dtype: np.dtype) -> int | float:
    """What stands for no bound above."""
    return np.iinfo(dtype).max if dtype.kind == "i" else np.inf


def after(v: np.ndarray) -> np.ndarray:
    """The next numbers."""
    return v + 1 if v.dtype.kind == "i" else np.nextafter(v, np.inf)


def before(v: np.ndarray) -> np.ndarray:
    """The numbers before."""
    return v - 1 if v.dtype.kind == "i" else np.nextafter(v, -np.inf)


def at_least(grid: Grid, v: np.ndarray, strict: bool = False) -> np.ndarray:
    """The least values of a grid that are >= v, or > v where strict; v without a bound stays."""
    return _beyond(grid.up, after, lowest, v, strict)


def at_most(grid: Grid, v: np.ndarray, strict: bool = False) -> np.ndarray:
    """The greatest values of a grid that are <= v, or < v where strict; v without a bound stays."""
    return _beyond(grid.down, before, highest, v, strict)


def _beyond(towards: Callable, beside: Callable, none: Callable, v: np.ndarray, strict: bool) -> np.ndarray:
    out, known = v.copy(), v != none(v.dtype)
    out[known] = towards(beside(v[known]) if strict else v[known])
    return out
