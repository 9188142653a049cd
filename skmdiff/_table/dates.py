"""Dates and durations as integers: numbers of steps.

The ticks of a datetime64 or timedelta64 column (instants in UTC, in the unit of the column) are origin + step * k,
with the origin its first value and the step the longest of UNITS, one day to one tick, that divides all differences:
days stay days, noons stay noons. The integers k are a numeric column, or the categories of a categorical one.

With a time zone, midnights are 23 or 25 hours apart twice a year and the step in UTC is an hour at most; what is
decoded is then rounded to the step of what clocks there show. A seen instant is on that grid and comes back exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .columns import Block, Column, Ties, shown
from .constants import Parameter, Values, describe, floor_tick, read_ticks
from .grids import ClockGrid, Grid, IntegerGrid

UNITS = (86_400, 3600, 900, 60, 1)  # seconds
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ]\d{1,2}:\d\d.*)?")
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def look_like_dates(texts: list[str]) -> bool:
    """Whether all texts look like dates in figures."""
    return all(map(DATE.fullmatch, texts))


class DateColumn(Column):
    """Dates or durations over a column of integers.

    Parameters
    ----------
    x : ndarray of datetime64 or timedelta64
    name : str, for messages
    make : callable(k, name) -> the column of the integers
    wall : callable(instants) -> what clocks show, or None without a time zone
    """

    def __init__(
        self,
        x: np.ndarray,
        name: str,
        make: Callable[[np.ndarray, str], Column],
        wall: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.name, self.dtype, self.wall, self.n = name, x.dtype, wall, len(x)
        ticks = x.astype(np.int64)
        self.origin, self.last = ticks.min(), ticks.max()
        self.step = common_step(ticks, x.dtype)
        if wall is not None:
            clock = wall(x).astype(np.int64)
            self.clock_origin, self.clock_step = clock[np.argmin(ticks)], common_step(clock, x.dtype)
        self.inner = make(self._steps(ticks), name)
        self.kind, self.width, self.codes = self.inner.kind, self.inner.width, self.inner.codes
        self.content = "categories" if self.kind == "categorical" else describe(x.dtype, wall is not None)
        self.frequencies, self.cell, self.has_ties = self.inner.frequencies, self.inner.cell, self.inner.has_ties

    @property
    def blocks(self) -> list[Block]:
        return self.inner.blocks

    # --- the code

    def is_frequent(self, x: np.ndarray) -> np.ndarray:
        return self.inner.is_frequent(self._steps_of_cells(x))

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        return self.inner.encode(self._steps_of_cells(x), ties)

    def decode(self, block: np.ndarray) -> np.ndarray:
        return self._on_steps(self.origin + self.step * self.inner.decode(block).astype(np.int64))

    def in_units(self, block: np.ndarray) -> np.ndarray:
        return self.inner.in_units(block)

    def middle(self, x: np.ndarray) -> np.ndarray:
        """Means (m,) of dates or durations (n_draws, m), at the steps of the column."""
        ticks = x.astype(np.int64)
        mean = ticks[0] + np.round((ticks - ticks[0]).mean(axis=0)).astype(np.int64)
        return self._on_steps(self.origin + (mean - self.origin + self.step // 2) // self.step * self.step)

    def log_volume(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        return self.inner.log_volume(self._steps_of_cells(x), ties)

    def unseen(self, x: np.ndarray) -> np.ndarray:
        return self.inner.unseen(self._steps_of_cells(x))

    def _on_steps(self, ticks: np.ndarray) -> np.ndarray:
        """Dates of ticks that are a number of steps from the origin, or of the steps of the clock where it has some."""
        if self._has_clock:
            ticks = np.clip(self.on_clock(ticks), self.origin, self.last)
        return ticks.astype(self.dtype)

    def _steps_of_cells(self, x: np.ndarray) -> np.ndarray:
        if not len(x):
            return np.zeros(0, dtype=np.int64)
        if x.dtype.kind != self.dtype.kind:
            kind = "dates" if self.dtype.kind == "M" else "durations"
            raise ValueError(f"Column {self.name!r} of X must hold {kind} as in fit, got {x[0]!r}.")
        return self._steps(x.astype(self.dtype).astype(np.int64))

    def _steps(self, ticks: np.ndarray) -> np.ndarray:
        """Steps from the origin: differences as unsigned numbers, which 64 bits always hold."""
        unsigned, origin, after = ticks.astype(np.uint64), self.origin.astype(np.uint64), ticks >= self.origin
        steps = np.where(after, unsigned - origin, origin - unsigned) // np.uint64(self.step)
        steps = np.minimum(steps, np.iinfo(np.int64).max).astype(np.int64)
        return np.where(after, steps, -steps)

    # --- clocks

    @property
    def _has_clock(self) -> bool:
        """Whether the steps of clocks are longer than those in UTC."""
        return self.wall is not None and self.clock_step > self.step

    def on_clock(self, ticks: np.ndarray) -> np.ndarray:
        """Nearest on the grid of the clock; the offset from UTC is that of the rounded instant, or of the instant."""
        clock = self._clock(ticks)
        beyond = clock - self.clock_origin + self.clock_step // 2
        target = self.clock_origin + beyond // self.clock_step * self.clock_step
        for _ in range(2):
            ticks = target - (self._clock(ticks) - ticks)
        return ticks

    def _clock(self, ticks: np.ndarray) -> np.ndarray:
        assert self.wall is not None
        return self.wall(ticks.astype(self.dtype)).astype(np.int64)

    # --- what users write

    @property
    def range(self) -> tuple[Any, Any]:
        first, last = np.array([self.origin, self.last]).astype(self.dtype)
        return first, last

    def grid(self, space: np.dtype | None = None) -> Grid:
        per_tick = 1 if space is None else int(np.ones(1, "int64").view(self.dtype).astype(space).astype("int64")[0])
        if self._has_clock:
            return ClockGrid(self.on_clock, self.clock_step, per_tick)
        return IntegerGrid(self.origin * per_tick, self.step * per_tick)

    def read(self, values: Values, parameter: Parameter) -> np.ndarray:
        return read_ticks(values, self.dtype, self.wall is not None, parameter)

    def parse(self, values: Values, parameter: Parameter) -> np.ndarray:
        ticks = self.read(values, parameter)
        if self.kind == "numeric":
            self.check_range(ticks, parameter)
        cells = ticks.astype(self.dtype)
        if (cells != ticks).any():
            rule = f"be in ticks of {self.dtype}, the unit seen in fit"
            raise parameter.error(ValueError, rule, ticks[cells != ticks][0])
        unseen = self.unseen(cells)
        if unseen.any():
            rule = f"be a category seen in fit, {shown(self._categories())}"
            raise parameter.error(ValueError, rule, cells[unseen][0])
        return cells

    def _categories(self) -> list[str]:
        """The categories of a categorical column, as they are shown."""
        return [str(date) for date in self.decode(self.codes)]

    def inward(self, low: Any, high: Any) -> tuple[Any, Any]:
        least, most = self.range
        (first, is_tick), (last, _) = (floor_tick(end, self.dtype) for end in (max(low, least), min(high, most)))
        # integers of any size, as dates centuries apart may differ by more than 64 bits hold; clocks take int64 only
        integers = np.int64 if self._has_clock else object
        ends = self.grid().up(np.array([first + (not is_tick)], integers)), self.grid().down(np.array([last], integers))
        inner = np.concatenate(ends).astype(np.int64).astype(self.dtype)
        return inner[0], inner[1]


def common_step(ticks: np.ndarray, dtype: np.dtype) -> int:
    """The longest of UNITS and the powers of ten below a second, in ticks, that divides all differences."""
    per_second = PER_SECOND.get(np.datetime_data(dtype)[0], 0)
    seconds_and_more = [seconds * per_second for seconds in UNITS]
    parts = [per_second // 10**k for k in (3, 6)]
    return next((step for step in [*seconds_and_more, *parts] if step and np.all(ticks % step == ticks[0] % step)), 1)
