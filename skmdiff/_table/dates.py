"""Dates and durations as whole numbers of steps.

The ticks of a datetime64 or timedelta64 column (instants in UTC, in the unit of the column) are origin + step * k,
with the origin its first value and the step the longest of UNITS, one day to one tick, that divides all differences:
days stay days, noons stay noons. The whole numbers k are a numeric column, or the levels of a categorical one.

With a time zone, midnights are 23 or 25 hours apart twice a year and the step in UTC is an hour at most; what is
decoded is then rounded to the step of what clocks there show. A seen instant is on that grid and comes back exactly.
"""

from datetime import datetime, time

import numpy as np

from .cells import since_midnight

UNITS = (86_400, 3600, 900, 60, 1)  # seconds
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class DateColumn:
    """Dates or durations over a column of whole numbers.

    Parameters
    ----------
    x : ndarray of datetime64 or timedelta64
    name : str, for messages
    make : callable(k, name) -> the column of the whole numbers
    wall : callable(instants) -> what clocks show, or None
    """

    def __init__(self, x, name, make, wall=None):
        self.name, self.dtype, self.wall = name, x.dtype, wall
        ticks = x.astype(np.int64)
        self.origin, self.last = ticks.min(), ticks.max()
        self.step = common_step(ticks, x.dtype)
        if wall is not None:
            clock = wall(x).astype(np.int64)
            self.clock_origin, self.clock_step = clock[np.argmin(ticks)], common_step(clock, x.dtype)
        self.inner = make(self._count(ticks), name)
        self.kind, self.width, self.codes = self.inner.kind, self.inner.width, self.inner.codes
        self.frequencies = self.inner.frequencies

    def encode(self, x, ties=None):
        return self.inner.encode(self._whole(x), ties)

    def decode(self, block):
        return self._on_steps(self.origin + self.step * self.inner.decode(block).astype(np.int64))

    def middle(self, x):
        """Means (m,) of dates or durations (n_draws, m), at the steps of the column."""
        ticks = x.astype(np.int64)
        mean = ticks[0] + np.round((ticks - ticks[0]).mean(axis=0)).astype(np.int64)
        return self._on_steps(self.origin + (mean - self.origin + self.step // 2) // self.step * self.step)

    def _on_steps(self, ticks):
        """Dates of ticks that are whole steps from the origin, those of the clock where it has its own."""
        if self.wall is not None and self.clock_step > self.step:
            ticks = np.clip(self.on_clock(ticks), self.origin, self.last)
        return ticks.astype(self.dtype)

    @property
    def cell(self):
        return self.inner.cell

    @property
    def has_ties(self):
        return self.inner.has_ties

    @property
    def n(self):
        return self.inner.n

    def log_volume(self, x, ties=None):
        return self.inner.log_volume(self._whole(x), ties)

    def unseen(self, x):
        return self.inner.unseen(self._whole(x))

    def _whole(self, x):
        if not len(x):
            return np.zeros(0, dtype=np.int64)
        if x.dtype.kind != self.dtype.kind:
            kind = "dates" if self.dtype.kind == "M" else "durations"
            raise ValueError(f"Column {self.name!r} of X must hold {kind} as in fit, got {x[0]!r}.")
        return self._count(x.astype(self.dtype).astype(np.int64))

    def _count(self, ticks):
        """Steps from the origin: differences as unsigned numbers, which 64 bits always hold."""
        ticks, origin, after = ticks.astype(np.uint64), self.origin.astype(np.uint64), ticks >= self.origin
        steps = np.where(after, ticks - origin, origin - ticks) // np.uint64(self.step)
        steps = np.minimum(steps, np.iinfo(np.int64).max).astype(np.int64)
        return np.where(after, steps, -steps)

    def on_clock(self, ticks):
        """Nearest on the grid of the clock; the offset from UTC is that of the rounded instant, or of the instant."""
        clock = self._clock(ticks)
        beyond = clock - self.clock_origin + self.clock_step // 2
        target = self.clock_origin + beyond // self.clock_step * self.clock_step
        for _ in range(2):
            ticks = target - (self._clock(ticks) - ticks)
        return ticks

    def _clock(self, ticks):
        return self.wall(ticks.astype(self.dtype)).astype(np.int64)


def common_step(ticks, dtype):
    """The longest of UNITS and the powers of ten below a second, in ticks, that divides all differences."""
    per_second = PER_SECOND.get(np.datetime_data(dtype)[0], 0)
    whole = [seconds * per_second for seconds in UNITS]
    parts = [per_second // 10**k for k in (3, 6)]
    return next((step for step in [*whole, *parts] if step and np.all(ticks % step == ticks[0] % step)), 1)


def seen_range(column):
    """The least and the largest cell of a column of numbers or dates, in its dtype."""
    if isinstance(column, DateColumn):
        return np.array([column.origin, column.last]).astype(column.dtype)
    return column.least, column.most


def at_least(tick, dtype):
    """The first tick of a dtype at or after a date or duration."""
    near = tick.astype(dtype)
    return near + np.int64(near < tick)


def at_most(tick, dtype):
    """The last tick of a dtype at or before a date or duration."""
    near = tick.astype(dtype)
    return near - np.int64(near > tick)


def read_tick(value, kind, zoned):
    """A date as datetime64 or a duration as timedelta64, of pandas, numpy, the standard library or a string.

    A time of the day is the duration since midnight.
    """
    if kind == "m" and isinstance(value, time):
        return since_midnight([value])[0]
    if kind == "M" and not zoned and getattr(value, "tzinfo", None) is not None:
        raise ValueError("a time zone")
    if isinstance(value, str) and zoned:
        value = datetime.fromisoformat(value)
    if kind == "M" and zoned:
        offset = value.utcoffset()
        if offset is None:
            raise ValueError("no time zone")
        wall = np.datetime64(value.replace(tzinfo=None))
        return wall - np.timedelta64(offset)
    if isinstance(value, int | float):
        raise TypeError("a number")
    return (np.datetime64 if kind == "M" else np.timedelta64)(value)
