"""The values that a column may hold, as a grid: where bounds fall on it.

A grid offers up(v), its least values >= v, and down(v), its greatest <= v, for v (n,) of int64 (whole numbers and
the ticks of dates) or of float64 (where floats are among the columns compared). Both are monotone and leave a value
of the grid as it is, to the last bit.
"""

from fractions import Fraction
from math import gcd, lcm
from numbers import Integral, Rational

import numpy as np


class WholeGrid:
    """origin + step * k."""

    def __init__(self, origin=0, step=1):
        self.origin, self.step = int(origin), int(step)

    def up(self, v):
        return self.origin - (self.origin - v) // self.step * self.step

    def down(self, v):
        return self.origin + (v - self.origin) // self.step * self.step

    def multiples(self, of):
        """The grid of those values that are multiples of a whole number; None where none is."""
        of, common = int(of), gcd(self.step, int(of))
        if self.origin % common:
            return None
        # origin + step * k = 0 modulo `of`
        k = -self.origin // common * pow(self.step // common, -1, of // common) % (of // common)
        return WholeGrid(self.origin + self.step * k, lcm(self.step, of))


class DecimalGrid:
    """step * k / scale, as the nearest float of a dtype: the one that the decimals are read as."""

    def __init__(self, step, scale, dtype):
        self.step, self.scale, self.dtype = int(step), int(scale), dtype

    def up(self, v):
        return self._beside(v, np.floor, 1, np.less)

    def down(self, v):
        return self._beside(v, np.ceil, -1, np.greater)

    def multiples(self, of):
        """The grid of those values that are multiples of a Fraction."""
        scale = lcm(self.scale, of.denominator)
        step = lcm(self.step * (scale // self.scale), of.numerator * (scale // of.denominator))
        return DecimalGrid(step, scale, self.dtype)

    def _beside(self, v, whole, ahead, is_short):
        """The first value at v or ahead of it: v * scale / step is right to two steps only."""
        with np.errstate(over="ignore"):
            k = whole(v * (self.scale / self.step)) - ahead
            for _ in range(3):
                k = np.where(is_short(self._value(k), v), k + ahead, k)
            out = self._value(k)
        # beyond the whole numbers that floats tell apart there is no grid
        lost = is_short(out, v) | ~np.isfinite(out)
        exact = FloatGrid(self.dtype)
        return np.where(lost, exact.up(v) if ahead > 0 else exact.down(v), out)

    def _value(self, k):
        return (self.step * k / self.scale).astype(self.dtype).astype(np.float64)


class FloatGrid:
    """All floats of a dtype."""

    def __init__(self, dtype):
        self.dtype = dtype

    def up(self, v):
        return self._beside(v, np.inf, np.less)

    def down(self, v):
        return self._beside(v, -np.inf, np.greater)

    def multiples(self, of):
        """The multiples of a Fraction."""
        return DecimalGrid(of.numerator, of.denominator, self.dtype)

    def _beside(self, v, towards, is_short):
        with np.errstate(over="ignore"):
            x = v.astype(self.dtype)
        beyond = np.nextafter(x, self.dtype.type(towards))
        return np.where(is_short(x.astype(np.float64), v), beyond, x).astype(np.float64)


class ClockGrid:
    """The steps of clocks in a time zone, of a `DateColumn` whose steps are not even in UTC, in parts of a tick."""

    def __init__(self, column, per_tick):
        self.column, self.per_tick = column, per_tick

    def up(self, v):
        return self._beside(-(-v // self.per_tick), 1, np.less)

    def down(self, v):
        return self._beside(v // self.per_tick, -1, np.greater)

    def _beside(self, ticks, ahead, is_short):
        near = self.column.on_clock(ticks)
        near = np.where(is_short(near, ticks), self.column.on_clock(near + ahead * self.column.clock_step), near)
        # a clock that is put forward at midnight shows no such midnight: then the instant itself
        return np.where(is_short(near, ticks), ticks, near) * self.per_tick


def nearest_on(grid, v):
    """The values of a grid nearest to v."""
    below, above = grid.down(v), grid.up(v)
    return np.where(v - below <= above - v, below, above)


def as_fraction(number):
    """A number as it is written: 0.05 is 1/20."""
    if isinstance(number, Integral):
        return Fraction(int(number))
    return Fraction(number) if isinstance(number, Rational) else Fraction(repr(float(number)))


def lowest(dtype):
    """What stands for no bound below."""
    return np.iinfo(dtype).min if dtype.kind == "i" else -np.inf


def highest(dtype):
    """What stands for no bound above."""
    return np.iinfo(dtype).max if dtype.kind == "i" else np.inf


def after(v):
    """The next numbers."""
    return v + 1 if v.dtype.kind == "i" else np.nextafter(v, np.inf)


def before(v):
    """The numbers before."""
    return v - 1 if v.dtype.kind == "i" else np.nextafter(v, -np.inf)


def at_least(grid, v, strict=False):
    """The least values of a grid that are >= v, or > v where strict; v without a bound stays."""
    return _beyond(grid.up, after, lowest, v, strict)


def at_most(grid, v, strict=False):
    """The greatest values of a grid that are <= v, or < v where strict; v without a bound stays."""
    return _beyond(grid.down, before, highest, v, strict)


def _beyond(to_grid, beside, none, v, strict):
    out, known = v.copy(), v != none(v.dtype)
    out[known] = to_grid(beside(v[known]) if strict else v[known])
    return out
