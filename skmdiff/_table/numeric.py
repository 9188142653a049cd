"""Numeric columns: the code of numbers, of width 1.

`QuantileColumn` is the probability integral transform with randomised ties, followed by the Gaussian quantile
function: w = Phi^-1(u), u = F(x). The n training observations share [0, 1]; a value seen c times owns an interval of
length c / n. With weights a value owns an interval of its fraction of the weight, its *mass* / n, instead of c / n.
With `smooth_rows` F is drawn towards a smooth distribution (`smooth.py`) that counts as so many rows, as is the
posterior mean of a Dirichlet process (Ferguson 1973, "A Bayesian analysis of some nonparametric problems").

* Seen more than once: an *atom*. Every u of its interval decodes to exactly that value, and encoding draws u
  uniformly in it (Rueschendorf 2009, "On the distributional transform"), so that zero inflation, integers, rounding
  and bounds come back with their fractions and, without `smooth_rows`, W is still standard normal.
* Seen once: a *singleton*. F^-1 is linear from half-way to the left neighbour (left end of the interval),
  through the value (middle) to half-way to the right neighbour (right end): new values are interpolated. The
  first and the last value end the range, seen bounds are never exceeded: the half of their interval that has no
  neighbour is folded onto the other one, so that an end that one row holds does not come back, but for rounding.

* Frequent: a value that stands out among its neighbours (zero in half of the cells, hours of 40), or one of a few. A
  smooth network blurs so sharp an edge of the density. Such values are categories of a second block, beside the score
  of the number: the categories of the column are its frequent values and, for all the others, "another". In the score
  they own little, so that it is that of the other values, with no gaps where no other value can be: END_WIDTH of the
  others' observations at either end of the column, where a value is a bound, and INNER_WIDTH between other values.
  The ends of a scale of few steps (pixels from 0 to 16) do not count where they hold less than half of the cells: there
  each value is an atom that is wide enough to be learnt in its order.

A point between two seen values is written (k, t): the nearer seen value v_k and the step t in [-1/2, 1/2]
towards its neighbour, in units of their spacing. With C the cumulated widths m, u n = C_{k-1} + m_k (1/2 + t) for a
singleton, so that both directions are one line.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import ndtr, ndtri

from .._numerics.weights import mean_and_std
from .columns import Block, Column, Ties, category_codes, nearest_codes
from .constants import Parameter, Values, describe, read_numbers
from .grids import DecimalGrid, FloatGrid, Grid, IntegerGrid, has_decimals, seen_decimals, to_grid
from .integers import are_integers, between, offsets, origin_of, spacings
from .smooth import smooth_masses

# Fraction of an atom's interval left free at either end, and of a singleton's around its middle taken as the
# value itself: far above the rounding of ndtr(ndtri(u)), far below anything a distribution could notice.
GUARD = 1e-6
RESOLUTION = 10  # observations that a density is a mean over
# A frequent value holds this fraction of the cells, and surely this many times the median of the values around it.
FREQUENT_FRACTION, FREQUENT_TIMES, VALUES_AROUND, STANDARD_ERRORS = 0.01, 2, 3, 3
FEW_VALUES, CELLS_A_VALUE = 10, 5  # so few values, of so many cells each on average, are frequent
FEW_STEPS = 32  # values of a scale whose ends are as the others
END_WIDTH, INNER_WIDTH = 0.05, 0.002


def log_step(decimals: int | None) -> float:
    """log of the step of a grid of so many decimals; 0 without a grid, where length itself is the measure."""
    return 0.0 if decimals is None else -decimals * np.log(10.0)


def seen_masses(values: np.ndarray, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sums (n_values,) of the weights (n,) at each of the distinct values of x (n,), scaled to the sum n."""
    masses = np.bincount(np.searchsorted(values, x), weight)
    return masses * (len(x) / masses.sum())


def stands_out(masses: np.ndarray) -> np.ndarray:
    """(n_values,) of bool, the frequent ones of values in ascending order that have these masses, counts of cells."""
    if len(masses) <= FEW_VALUES:
        return np.full(len(masses), masses.sum() >= CELLS_A_VALUE * len(masses))
    padded = np.pad(masses.astype(float), VALUES_AROUND, constant_values=np.nan)
    around = np.delete(sliding_window_view(padded, 2 * VALUES_AROUND + 1), VALUES_AROUND, axis=1)
    surely = masses - STANDARD_ERRORS * np.sqrt(masses)
    out = (masses >= FREQUENT_FRACTION * masses.sum()) & (surely > FREQUENT_TIMES * np.nanmedian(around, axis=1))
    is_scale = len(masses) <= FEW_STEPS and not out[1:-1].any() and masses[out].sum() < masses.sum() / 2
    return out & (not is_scale)


def tie_fractions(ties: Ties, n: int) -> np.ndarray | float:
    """Where in their intervals n repeated values are put: in the middle, at a fraction, or at random by a Generator."""
    if ties is None:
        return 0.5
    return GUARD + (1 - 2 * GUARD) * (ties.random(n) if isinstance(ties, np.random.Generator) else ties)


def distance(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """above - below as positive finite floats, for numbers of any dtype and size."""
    if are_integers(below, above):
        return np.maximum(spacings(below, above), 1.0)
    floats = np.result_type(below, above).kind == "f"
    least = np.finfo(np.float64).smallest_subnormal if floats else 1.0
    with np.errstate(over="ignore"):
        difference = above.astype(np.float64) - below.astype(np.float64)
    return np.clip(difference, least, np.finfo(np.float64).max)


def log_normal_density(w: np.ndarray) -> np.ndarray:
    return -0.5 * w**2 - 0.5 * np.log(2 * np.pi)


class NumericColumn(Column):
    """A column of numbers: what conditions and constraints say of it, whatever its code.

    Attributes
    ----------
    dtype : of the cells
    decimals : int, those of the grid that the numbers of fit are on, None where there is none
    least, most : the ends of what fit saw
    std : standard deviation of what fit saw
    """

    kind, width = "numeric", 1
    std: float

    def __init__(self, x: np.ndarray, name: str) -> None:
        self.name, self.n = name, len(x)
        self.dtype, self.content, self.decimals = x.dtype, describe(x.dtype), seen_decimals(x)
        self.least, self.most = x.min(), x.max()

    @property
    def range(self) -> tuple[Any, Any]:
        return self.least, self.most

    def grid(self, space: np.dtype | None = None) -> Grid:
        return number_grid(self.dtype, self.decimals)

    def read(self, values: Values, parameter: Parameter) -> np.ndarray:
        numbers = read_numbers(values, parameter, bools=self.dtype.kind == "b")
        with np.errstate(over="ignore"):
            # the float of the column that .1 is written as may lie beside the double
            return numbers.astype(self.dtype) if self.dtype.kind == "f" else numbers

    def parse(self, values: Values, parameter: Parameter) -> np.ndarray:
        numbers = self.read(values, parameter)
        self.check_range(numbers, parameter)
        cells = numbers.astype(self.dtype)
        if (cells != numbers).any():
            raise parameter.error(ValueError, "be an integer, as all numbers seen in fit", numbers[cells != numbers][0])
        if self.dtype.kind == "f" and self.decimals is not None:
            bad = ~has_decimals(cells, self.decimals)
            if bad.any():
                rule = f"have at most {self.decimals} decimals, as all numbers seen in fit"
                raise parameter.error(ValueError, rule, cells[bad][0])
        return cells

    def penalty(self, x: np.ndarray) -> np.ndarray:
        """Price (n,) of a value outside the seen bounds."""
        low, high = np.array([self.least]), np.array([self.most])
        beyond = np.where(x < low, distance(x, low), distance(high, x))
        with np.errstate(over="ignore"):
            price = np.log(self.n + 1.0) + np.minimum(beyond / self.std, np.finfo(np.float64).max)
        return np.where((x < low) | (x > high), -price, 0.0)

    def inward(self, low: Any, high: Any) -> tuple[Any, Any]:
        low, high = max(low, self.least), min(high, self.most)
        if self.dtype.kind != "f":
            # as numbers of Python: math turns those of numpy into floats
            low, high = math.ceil(np.asarray(low).item()), math.floor(np.asarray(high).item())
        elif self.decimals is not None:
            ends = without_rounding(np.array([low, high], dtype=self.dtype), self.decimals)
            low, high = self.grid().up(ends[:1])[0], self.grid().down(ends[1:])[0]
        return (low, high) if low > high else (self.dtype.type(low), self.dtype.type(high))


def without_rounding(x: np.ndarray, decimals: int) -> np.ndarray:
    """Floats as numbers of so many decimals where they are one but for rounding: .1 + .2 is .3."""
    return np.where(has_decimals(x, decimals), np.round(x, decimals), x).astype(np.float64)


def number_grid(dtype: np.dtype, decimals: int | None) -> Grid:
    """The grid of numbers of so many decimals."""
    if dtype.kind != "f":
        return IntegerGrid()
    return FloatGrid(dtype) if decimals is None else DecimalGrid(1, 10**decimals, dtype)


class StandardColumn(NumericColumn):
    """w = (x - mean) / std, rounded to the seen grid where it is decoded.

    `within_range`: there is nothing outside the seen range. What is decoded beyond an end is mirrored at it. A number
    beyond it has the code of the end and, in the density, a finite penalty, as in the quantile code.
    """

    within_range: bool = False  # of pickles of 0.3, which do not have it

    def __init__(self, x: np.ndarray, name: str, weight: np.ndarray | None = None, within_range: bool = False) -> None:
        super().__init__(x, name)
        self.within_range = within_range
        self.origin = origin_of(x)
        self.mean, self.std = mean_and_std(offsets(x, self.origin), weight)  # the mean from the origin

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        x = np.clip(x, self.least, self.most) if self.within_range else x
        return ((offsets(x, self.origin) - self.mean) / self.std)[:, None]

    def decode(self, block: np.ndarray) -> np.ndarray:
        x = self.mean + self.std * block[:, 0]
        if self.within_range:  # the ends themselves, which are of a row each, are not to come back
            low, high = offsets(np.array([self.least, self.most]), self.origin)
            x = np.clip(high - np.abs(high - (low + np.abs(x - low))), low, high)
        return to_grid(x, self.decimals, self.dtype, self.origin)

    @property
    def cell(self) -> float:  # type: ignore[override]
        """Noise level at which the normal density at a value, times the step of the grid, is at most 1; 0 off a grid.

        A value of the grid stands for all that rounds to it. The density at this noise level times the step is the
        probability of that: near enough where the distribution is smooth, and exact for one value alone.
        """
        return np.exp(log_step(self.decimals)) / (self.std * np.sqrt(2 * np.pi)) if self.decimals is not None else 0.0

    def log_volume(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        volume = np.full(len(x), log_step(self.decimals) - np.log(self.std))
        return volume + self.penalty(x) if self.within_range else volume


class QuantileColumn(NumericColumn):
    """w = Phi^-1(F(x)) with randomised ties, and the categories of frequent values; see the head of this module.

    Parameters
    ----------
    x, name, weight : the column
    max_onehot : int or None
        Frequent values that get one-hot codes, as categories do; None for a score alone.
    smooth_rows : int
        Rows that the smooth distribution counts as.
    """

    def __init__(
        self,
        x: np.ndarray,
        name: str,
        weight: np.ndarray | None = None,
        max_onehot: int | None = None,
        smooth_rows: int = 0,
    ) -> None:
        super().__init__(x, name)
        self.values, self.counts = np.unique(x, return_counts=True)
        self.masses = self.counts if weight is None else seen_masses(self.values, x, weight)
        self.std = mean_and_std(offsets(x, origin_of(x)), weight)[1]
        self.frequent = np.zeros(len(self.values), dtype=bool)
        if max_onehot is not None:
            self._fit_frequent(max_onehot)
        self.widths = self._widths(smooth_rows)
        self.edges = np.concatenate([[0], np.cumsum(self.widths)])  # in observations, as u times the last one
        self.total = self.edges[-1]

    def _widths(self, smooth_rows: int) -> np.ndarray:
        """(n_values,) what each value owns of the score, in observations."""
        if self.frequent.all():
            return self.masses
        masses, others = self.masses, ~self.frequent
        if smooth_rows:
            x = offsets(self.values, origin_of(self.values))[others]
            smooth = smooth_masses(x, masses[others])
            masses = masses.astype(float)
            masses[others] = (self.n * masses[others] + smooth_rows * smooth) / (self.n + smooth_rows)
        if not self.frequent.any():
            return masses
        most = np.full(len(self.values), INNER_WIDTH)
        most[[0, -1]] = END_WIDTH
        return np.where(self.frequent, np.minimum(self.masses, most * self.masses[others].sum()), masses)

    def _fit_frequent(self, max_onehot: int) -> None:
        """The categories: the frequent values in their order, and before them the other ones where there are any."""
        repeats = self.counts > 1  # a value seen once is none that is repeated, however heavy
        self.frequent = stands_out(self.masses) & (repeats | (len(self.values) <= FEW_VALUES))
        if not self.frequent.any():
            return
        others = self.masses[~self.frequent].sum()
        fractions = self.masses[self.frequent] / self.n
        self.category_fractions = fractions if self.frequent.all() else np.append(others / self.n, fractions)
        self.category_values = np.flatnonzero(self.frequent)
        if not self.frequent.all():
            self.category_values = np.append(-1, self.category_values)
        self.value_codes = category_codes(self.category_fractions, max_onehot)
        self.width = 1 + self.value_codes.shape[1]

    @property
    def blocks(self) -> list[Block]:
        score = Block("numeric", 0, 1, None, self.name)
        if self.width == 1:
            return [score]
        categories = self.value_codes, self.name, self.category_fractions
        return [score, Block("categorical", 1, self.width, *categories, True, not self.frequent.all())]

    def is_frequent(self, x: np.ndarray) -> np.ndarray:
        return self._is_category(x, self._locate(x)[0])

    def _is_category(self, x: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        """`is_frequent`, given the nearest seen values."""
        return self.frequent[nearest] & (self.frequent.all() | np.isin(x, self.values[self.frequent]))

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        nearest, step = self._locate(x)
        fraction = np.where(self.frequent[nearest], 0.5, tie_fractions(ties, len(x)))
        score = self._normal_score(nearest, step, fraction)[:, None]
        if self.width == 1:
            return score
        category = np.searchsorted(self.category_values, np.where(self._is_category(x, nearest), nearest, -1))
        return np.hstack([score, self.value_codes[category]])

    def decode(self, block: np.ndarray) -> np.ndarray:
        """Numbers (n,) of a code, or of its first column, the score, alone."""
        position, value = self.total * ndtr(block[:, 0]), np.full(len(block), -1)
        if block.shape[1] > 1:
            value = self.category_values[nearest_codes(block[:, 1:], self.value_codes)]
            position = self._beside_frequent(position)
        nearest = np.clip(np.searchsorted(self.edges, position, side="right") - 1, 0, len(self.values) - 1)
        step = (position - 0.5 * (self.edges[nearest] + self.edges[nearest + 1])) / self.widths[nearest]
        nearest, step = np.where(value < 0, nearest, value), np.where(value < 0, step, 0.0)
        out = self.values[nearest]
        between = np.flatnonzero((self.counts[nearest] == 1) & (np.abs(step) > GUARD))
        out[between] = self._interpolate(nearest[between], step[between])
        return out

    def in_units(self, block: np.ndarray) -> np.ndarray:
        return (offsets(self.decode(block), origin_of(self.values)) / self.std)[:, None]

    def _beside_frequent(self, position: np.ndarray) -> np.ndarray:
        """Positions (n,) in the score of other values: what lies on frequent ones is mirrored at the nearer edge.

        A smooth density that reaches a little over the edge is then one up to the edge.
        """
        change = np.diff(self.frequent.astype(int), prepend=0, append=0)
        low, high = self.edges[np.flatnonzero(change > 0)], self.edges[np.flatnonzero(change < 0)]
        # the stretches of other values before, between and behind those of frequent ones
        stretches = np.append(low, self.total) - np.append(0.0, high)
        k = np.maximum(np.searchsorted(low, position, side="right") - 1, 0)
        below, above = position - low[k], high[k] - position
        inside = (below >= 0) & (above >= 0)
        up = (stretches[k] == 0) | (above < below) & (stretches[k + 1] > 0)
        over, under = (np.minimum(d, (1 - GUARD) * s) for d, s in ((above, stretches[k + 1]), (below, stretches[k])))
        mirrored = np.where(up, high[k] + over, np.nextafter(low[k] - under, -np.inf))
        return np.where(inside, mirrored, position)

    @property
    def has_ties(self) -> bool:  # type: ignore[override]
        """Whether some value that is no category is seen more than once."""
        return bool(((self.counts > 1) & ~self.frequent).any())

    def log_volume(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        """log |dw/dx| of each value, or log(mass) - log phi(w) where the column has an atom.

        A frequent value has no volume: it is a category.

        The base measure is counting on values seen RESOLUTION times or more and, in a column that is written on a grid
        (integers, decimals), on the grid; length elsewhere. Values seen less often share stretches of about RESOLUTION
        observations, over which dx is one step: the steps of the map itself, whose spacings are those of single
        observations, would cost .42 nats a column on average (the mean of log(n f g) for the spacing g that a new value
        of density f falls into is 1 - 0.577), and 1 / (2 RESOLUTION) is left of it. Where the fitted distribution has
        nothing the price is finite, so that the mean over new rows stays finite: half an observation spread over the
        spacing beside a value seen often, and outside the seen bounds the edge's value with a penalty of
        log(1 / (n + 1)) - distance / std.
        """
        nearest, step = self._locate(x)
        w = self._normal_score(nearest, step, tie_fractions(ties, len(x)))
        stretch, log_density = self._stretches()
        stretch = stretch[nearest]
        log_mass = np.where(stretch >= 0, log_density[stretch], self._log_density(nearest, step))
        # beside an end seen often there is a density instead of its mass
        beyond = (stretch < 0) & ((x < self.values[0]) | (x > self.values[-1]))
        log_mass -= np.where(beyond, np.log(self.std) - log_step(self.decimals), 0.0)
        # where all values are categories, one that fit did not see costs what an unseen category costs
        of_category = np.where(np.isin(x, self.values), 0.0, -np.log(self.n + 1.0))
        of_score = log_mass - log_normal_density(w)
        return np.where(self._is_category(x, nearest), of_category, of_score) + self.penalty(x)

    def _locate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest seen value and signed step towards its neighbour, in spacings; new extremes are clipped."""
        last = len(self.values) - 1
        right = np.clip(np.searchsorted(self.values, x), 0, last)
        left = np.maximum(right - 1, 0)
        outside = (x <= self.values[0]) | (x >= self.values[-1])
        spacing = distance(self.values[left], self.values[right])
        inside = np.minimum(distance(self.values[left], x), spacing) / spacing
        fraction = np.where(outside | (x == self.values[right]), 1.0, inside)
        to_right = fraction >= 0.5
        return np.where(to_right, right, left), np.where(to_right, fraction - 1, fraction)

    def _normal_score(self, nearest: np.ndarray, step: np.ndarray, fraction: np.ndarray | float) -> np.ndarray:
        """Gaussian quantile of a point; `fraction` is where in its interval an atom is put."""
        fraction = np.where(step == 0, fraction, step > 0)
        mass = self.widths[nearest]
        atom = self.edges[nearest] + fraction * mass
        singleton = self.edges[nearest] + 0.5 * mass + step * mass
        position = np.where(self.counts[nearest] > 1, atom, singleton)
        # u = 0 and 1 are infinite: half-way into the first and the last half observation is as far out
        # as n observations can tell
        first, last = (min(0.25, 0.25 * self.widths[k]) for k in (0, -1))
        return ndtri(np.clip(position, first, self.total - last) / self.total)

    def _interpolate(self, nearest: np.ndarray, step: np.ndarray) -> np.ndarray:
        last = len(self.values) - 1
        neighbour = nearest + np.where(step > 0, 1, -1)
        # beyond an end, back towards the value beside it: one row's extreme is not to come back exactly
        neighbour = np.clip(np.where((neighbour < 0) | (neighbour > last), 2 * nearest - neighbour, neighbour), 0, last)
        here, there = self.values[nearest], self.values[neighbour]
        if are_integers(here):
            return between(here, there, np.abs(step))
        x = (1 - np.abs(step)) * here.astype(np.float64) + np.abs(step) * there.astype(np.float64)
        return np.clip(to_grid(x, self.decimals, self.values.dtype), self.values[0], self.values[-1])

    def _log_density(self, nearest: np.ndarray, step: np.ndarray) -> np.ndarray:
        """log of the mass of a value seen often, or of the price of the spacing beside it."""
        spacing = self._spacings()[nearest + (step > 0)]
        mass = np.where(step != 0, 0.5, self.widths[nearest])
        return np.log(mass / self.total) - np.where(step == 0, 0.0, np.log(spacing) - log_step(self.decimals))

    def _stretches(self) -> tuple[np.ndarray, np.ndarray]:
        """The stretch (n_values,) of values that each one shares, -1 for values seen often, and their log-densities.

        A stretch reaches half-way to the values beside it. The last log-density is that of no stretch.
        """
        often = (self.masses >= RESOLUTION) & (self.counts > 1) | self.frequent
        seldom = np.flatnonzero(~often)
        run = np.unique(np.cumsum(often)[seldom], return_inverse=True)[1]
        masses = self.masses[seldom]
        totals = np.bincount(run, masses)
        middle = np.cumsum(masses) - 0.5 * masses - (np.cumsum(totals) - totals)[run]
        n_stretches = np.maximum(1, totals // RESOLUTION).astype(int)
        index = np.minimum((middle / totals[run] * n_stretches[run]).astype(int), n_stretches[run] - 1)
        stretch = np.full(len(often), -1)
        # some may be empty: a heavy value reaches over more than one
        stretch[seldom] = np.unique((np.cumsum(n_stretches) - n_stretches)[run] + index, return_inverse=True)[1]
        total = np.bincount(stretch[seldom], self.widths[seldom])
        return stretch, np.append(np.log(total / self.total) - self._log_lengths(stretch[seldom], seldom), 0.0)

    def _log_lengths(self, stretch: np.ndarray, values: np.ndarray) -> np.ndarray:
        """log of the length of each stretch of some values, in steps of the grid where there is one."""
        first = values[np.diff(stretch, prepend=-1) != 0]
        last = values[np.diff(stretch, append=-1) != 0]
        spacings = self._spacings()
        # on a grid an end reaches half a step beyond its value
        spacings[[0, -1]] = 0.0 if self.decimals is None else np.exp(log_step(self.decimals))
        within = np.where(first < last, distance(self.values[first], self.values[last]), 0.0)
        with np.errstate(over="ignore"):
            length = within + 0.5 * spacings[first] + 0.5 * spacings[last + 1]
        floats = np.finfo(np.float64)
        return np.log(np.clip(length, floats.smallest_subnormal, floats.max)) - log_step(self.decimals)

    def _spacings(self) -> np.ndarray:
        """Spacing to the left of each value and to the right of the last; an end repeats its only spacing."""
        spacings = distance(self.values[:-1], self.values[1:])
        return np.concatenate([spacings[:1], spacings, spacings[-1:]])
