"""One class per kind of column: its values <-> its block of the matrix W.

A column class is built from the training values x (n,) of one column and offers

    encode(x, ties) -> (n, width)     decode(block) -> (n,)     log_volume(x, ties) -> (n,)     unseen(x) -> (n,)

x being cells that hold something: gaps are the codec's. `ties` says where in its interval a repeated value is put.

Numeric columns have width 1. `QuantileColumn` is the probability integral transform with randomised ties,
followed by the Gaussian quantile function: w = Phi^-1(u), u = F(x). The n training observations share [0, 1];
a value seen c times owns an interval of length c / n.

With weights a value owns an interval of its share of the weight, its *mass* / n, in place of c / n.

* Seen more than once: an *atom*. Every u of its interval decodes to exactly that value, and encoding draws u
  uniformly in it (Rueschendorf's distributional transform), so that zero inflation, integers, rounding and
  bounds come back with their shares and W is still standard normal.
* Seen once: a *singleton*. F^-1 is linear from half-way to the left neighbour (left end of the interval),
  through the value (middle) to half-way to the right neighbour (right end): new values are interpolated. The
  first and the last value end the range, seen bounds are never exceeded.

A place between two seen values is written (k, t): the nearer seen value v_k and the step t in [-1/2, 1/2]
towards its neighbour, in units of their gap. With C the cumulated masses m, u n = C_{k-1} + m_k (1/2 + t) for a
singleton, so that both directions are one line.

Fitted state is plain Python and numpy, no pandas.
"""

from numbers import Number
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

# Fraction of an atom's interval left free at either end, and of a singleton's around its middle taken as the
# value itself: far above the rounding of ndtr(ndtri(u)), far below anything a distribution could notice.
GUARD = 1e-6
MAX_DECIMALS = 8
CODE_DIM = 16
CODE_SEED = 0
RESOLUTION = 10  # observations that a density is a mean over
NEAREST_CELLS = 4_000_000  # rows x levels handled at once by the nearest-code search


class Block(NamedTuple):
    """The columns `start:stop` of W that stand for one column of the table."""

    kind: str  # "numeric" (width 1) or "categorical"
    start: int
    stop: int
    codes: np.ndarray | None  # (n_levels, stop - start) code of each level, None for numeric
    name: str  # for messages
    frequencies: np.ndarray | None = None  # (n_levels,) share of each level, None for numeric


def seen_decimals(values):
    """Smallest number of decimals that writes every value, None above `MAX_DECIMALS`."""
    if values.dtype.kind != "f":
        return 0
    x = values.astype(np.float64)
    slack = 4 * np.finfo(values.dtype).eps * np.abs(x)
    with np.errstate(over="ignore", invalid="ignore"):
        for decimals in range(MAX_DECIMALS + 1):
            # 1 % of the grid step at most: in large values float error would pass for any number of decimals
            if np.all(np.abs(x - np.round(x, decimals)) <= np.minimum(slack, 0.01 * 10.0**-decimals)):
                return decimals
    return None


def to_grid(x, decimals, dtype):
    """Round floats to the grid the column was seen on and cast without overflow."""
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


def log_step(decimals):
    """log of the step of a grid of so many decimals; 0 without a grid, where length itself is the measure."""
    return 0.0 if decimals is None else -decimals * np.log(10.0)


def mean_and_std(x, weight=None):
    """Mean and standard deviation of finite floats, however large or small, by weight (n,) or all alike."""
    scale = np.abs(x).max()
    scaled = x / scale
    mean = np.average(scaled, weights=weight)
    std = np.sqrt(np.average((scaled - mean) ** 2, weights=weight))
    return scale * mean, max(scale * std, np.finfo(np.float64).tiny)


def seen_masses(values, x, weight):
    """Sums (n_values,) of the weights (n,) at each of the distinct values of x (n,), scaled to the sum n."""
    masses = np.bincount(np.searchsorted(values, x), weight)
    return masses * (len(x) / masses.sum())


def tie_shares(ties, n):
    """Where in their intervals n repeated values are put: in the middle, at a share, or drawn by a Generator."""
    if ties is None:
        return 0.5
    return GUARD + (1 - 2 * GUARD) * (ties.random(n) if isinstance(ties, np.random.Generator) else ties)


def distance(below, above):
    """above - below as positive finite floats, for numbers of any dtype and size."""
    # integers above 2^53 may coincide as floats
    floats = np.result_type(below, above).kind == "f"
    least = np.finfo(np.float64).smallest_subnormal if floats else 1.0
    with np.errstate(over="ignore"):
        gap = above.astype(np.float64) - below.astype(np.float64)
    return np.clip(gap, least, np.finfo(np.float64).max)


def log_normal_density(w):
    return -0.5 * w**2 - 0.5 * np.log(2 * np.pi)


class Column:
    """What most columns do: add no volume, and have no levels that could be unseen."""

    def log_volume(self, x, ties=None):
        return np.zeros(len(x))

    def unseen(self, x):
        return np.zeros(len(x), dtype=bool)


class EmptyColumn(Column):
    """A column without any value: no block, every cell stays a gap."""

    kind, width, codes, frequencies = "constant", 0, None, None

    def __init__(self, name):
        self.name = name

    def encode(self, x, ties=None):
        if len(x):
            raise ValueError(f"Column {self.name!r} of X must be empty as in fit, got {x[0]!r}.")
        return np.empty((0, 0))

    def decode(self, block):
        return None


class ConstantColumn(Column):
    """A column with one value: no block; the value is restored."""

    kind, width, codes, frequencies = "constant", 0, None, None

    def __init__(self, x, name):
        self.name, self.n = name, len(x)
        self.value = x[:1].copy()

    def encode(self, x, ties=None):
        if (unseen := self.unseen(x)).any():
            raise_unseen(self.name, set(x[unseen].tolist()))
        kind = self.value.dtype.kind
        if kind != "O" and len(x) and x.dtype.kind not in ("iufb" if kind in "iufb" else kind):
            held = {"M": "dates", "m": "durations"}.get(kind, "numbers")
            raise ValueError(f"Column {self.name!r} of X must hold {held} as in fit, got {x[0]!r}.")
        return np.empty((len(x), 0))

    def unseen(self, x):
        if self.value.dtype != object:
            return super().unseen(x)
        return not_among(set(self.value.tolist()), x, self.name)

    def decode(self, block):
        return np.repeat(self.value, len(block))


class StandardColumn(Column):
    """w = (x - mean) / std; decoding rounds to the seen grid and does not clip."""

    kind, width, codes, frequencies, has_ties = "numeric", 1, None, None, False

    def __init__(self, x, name, weight=None):
        self.name = name
        self.dtype, self.decimals = x.dtype, seen_decimals(x)
        self.mean, self.std = mean_and_std(x.astype(np.float64), weight)
        self.least, self.most = x.min(), x.max()

    def encode(self, x, ties=None):
        return ((x.astype(np.float64) - self.mean) / self.std)[:, None]

    def decode(self, block):
        return to_grid(self.mean + self.std * block[:, 0], self.decimals, self.dtype)

    @property
    def cell(self):
        """Level at which the normal density at a value, times the step of the grid, is at most 1; 0 off a grid.

        A value of the grid stands for all that rounds to it. The density at this level times the step is the
        probability of that: near enough where the distribution is smooth, and exact for one value alone.
        """
        return np.exp(log_step(self.decimals)) / (self.std * np.sqrt(2 * np.pi)) if self.decimals is not None else 0.0

    def log_volume(self, x, ties=None):
        return np.full(len(x), log_step(self.decimals) - np.log(self.std))


class QuantileColumn(Column):
    """w = Phi^-1(F(x)) with randomised ties; see the head of this module."""

    kind, width, codes, frequencies, cell = "numeric", 1, None, None, 0.0

    def __init__(self, x, name, weight=None):
        self.name = name
        self.values, self.counts = np.unique(x, return_counts=True)
        self.decimals = seen_decimals(self.values)
        self.n = len(x)
        self.masses = self.counts if weight is None else seen_masses(self.values, x, weight)
        self.edges = np.concatenate([[0], np.cumsum(self.masses)])  # u n at the ends of the intervals
        self.std = mean_and_std(x.astype(np.float64), weight)[1]
        self.least, self.most = self.values[0], self.values[-1]

    def encode(self, x, ties=None):
        nearest, step = self._locate(x)
        return self._normal_score(nearest, step, tie_shares(ties, len(x)))[:, None]

    def decode(self, block):
        position = self.n * ndtr(block[:, 0])
        nearest = np.clip(np.searchsorted(self.edges, position, side="right") - 1, 0, len(self.values) - 1)
        step = (position - 0.5 * (self.edges[nearest] + self.edges[nearest + 1])) / self.masses[nearest]
        out = self.values[nearest]
        between = np.flatnonzero((self.counts[nearest] == 1) & (np.abs(step) > GUARD))
        out[between] = self._interpolate(nearest[between], step[between])
        return out

    @property
    def has_ties(self):
        """Whether some value is seen more than once."""
        return bool((self.counts > 1).any())

    def log_volume(self, x, ties=None):
        """log |dw/dx| of each value, or log(mass) - log phi(w) where the column has an atom.

        The base measure is counting on values seen RESOLUTION times or more and, in a column that is written on a grid
        (integers, decimals), on the grid; length elsewhere. Values seen less often share stretches of about RESOLUTION
        observations, over which dx is meant as a whole: the steps of the map itself, whose spacings are those of single
        observations, would cost .42 nats a column on average (the mean of log(n f g) for the gap g that a new value of
        density f falls into is 1 - 0.577), and 1 / (2 RESOLUTION) is left of it. Where the fitted distribution has
        nothing the price is finite, so that the mean over new rows stays finite: half an observation spread over a gap
        beside a value seen often, and outside the seen bounds the edge's value with a penalty of
        log(1 / (n + 1)) - distance / std.
        """
        nearest, step = self._locate(x)
        w = self._normal_score(nearest, step, tie_shares(ties, len(x)))
        stretch, log_density = self._stretches()
        stretch = stretch[nearest]
        log_mass = np.where(stretch >= 0, log_density[stretch], self._log_density(nearest, step))
        # beside an end seen often there is a density, in place of its mass
        beyond = (stretch < 0) & ((x < self.values[0]) | (x > self.values[-1]))
        log_mass -= np.where(beyond, np.log(self.std) - log_step(self.decimals), 0.0)
        return log_mass - log_normal_density(w) + self._penalty(x)

    def _locate(self, x):
        """Nearest seen value and signed step towards its neighbour, in gaps; new extremes are clipped."""
        last = len(self.values) - 1
        right = np.clip(np.searchsorted(self.values, x), 0, last)
        left = np.maximum(right - 1, 0)
        outside = (x <= self.values[0]) | (x >= self.values[-1])
        gap = distance(self.values[left], self.values[right])
        share = np.minimum(distance(self.values[left], x), gap) / gap
        fraction = np.where(outside | (x == self.values[right]), 1.0, share)
        to_right = fraction >= 0.5
        return np.where(to_right, right, left), np.where(to_right, fraction - 1, fraction)

    def _normal_score(self, nearest, step, share):
        """Gaussian quantile of the place; `share` is where in its interval an atom is put."""
        share = np.where(step == 0, share, step > 0)
        mass = self.masses[nearest]
        atom = self.edges[nearest] + share * mass
        singleton = self.edges[nearest] + 0.5 * mass + step * mass
        position = np.where(self.counts[nearest] > 1, atom, singleton)
        # u = 0 and 1 are infinite: half-way into the first and the last half observation is as far out
        # as n observations can tell
        first, last = (min(0.25, 0.25 * self.masses[k]) for k in (0, -1))
        return ndtri(np.clip(position, first, self.n - last) / self.n)

    def _interpolate(self, nearest, step):
        neighbour = np.clip(nearest + np.where(step > 0, 1, -1), 0, len(self.values) - 1)
        here, there = self.values[nearest].astype(np.float64), self.values[neighbour].astype(np.float64)
        x = (1 - np.abs(step)) * here + np.abs(step) * there
        return np.clip(to_grid(x, self.decimals, self.values.dtype), self.values[0], self.values[-1])

    def _log_density(self, nearest, step):
        """log of the mass of a value seen often, or of the price of a gap beside it."""
        gap = self._gaps()[nearest + (step > 0)]
        mass = np.where(step != 0, 0.5, self.masses[nearest])
        return np.log(mass / self.n) - np.where(step == 0, 0.0, np.log(gap) - log_step(self.decimals))

    def _stretches(self):
        """The stretch (n_values,) of values that each one shares, -1 for values seen often, and their log-densities.

        A stretch reaches half-way to the values beside it. The last log-density is that of no stretch.
        """
        often = (self.masses >= RESOLUTION) & (self.counts > 1)
        seldom = np.flatnonzero(~often)
        run = np.unique(np.cumsum(often)[seldom], return_inverse=True)[1]
        masses = self.masses[seldom]
        totals = np.bincount(run, masses)
        middle = np.cumsum(masses) - 0.5 * masses - (np.cumsum(totals) - totals)[run]
        n_stretches = np.maximum(1, totals // RESOLUTION).astype(int)
        place = np.minimum((middle / totals[run] * n_stretches[run]).astype(int), n_stretches[run] - 1)
        stretch = np.full(len(often), -1)
        # some may be empty: a heavy value reaches over more than one
        stretch[seldom] = np.unique((np.cumsum(n_stretches) - n_stretches)[run] + place, return_inverse=True)[1]
        total = np.bincount(stretch[seldom], masses)
        return stretch, np.append(np.log(total / self.n) - self._log_lengths(stretch[seldom], seldom), 0.0)

    def _log_lengths(self, stretch, values):
        """log of the length of each stretch of some values, in steps of the grid where there is one."""
        first = values[np.diff(stretch, prepend=-1) != 0]
        last = values[np.diff(stretch, append=-1) != 0]
        gaps = self._gaps()
        # on a grid an end reaches half a step beyond its value
        gaps[[0, -1]] = 0.0 if self.decimals is None else np.exp(log_step(self.decimals))
        within = np.where(first < last, distance(self.values[first], self.values[last]), 0.0)
        with np.errstate(over="ignore"):
            length = np.minimum(within + 0.5 * gaps[first] + 0.5 * gaps[last + 1], np.finfo(np.float64).max)
        return np.log(length) - log_step(self.decimals)

    def _penalty(self, x):
        """Price of a value outside the seen bounds."""
        low, high = self.values[:1], self.values[-1:]
        beyond = np.where(x < low, distance(x, low), distance(high, x))
        with np.errstate(over="ignore"):
            price = np.log(self.n + 1.0) + np.minimum(beyond / self.std, np.finfo(np.float64).max)
        return np.where((x < low) | (x > high), -price, 0.0)

    def _gaps(self):
        """Gap to the left of each value and to the right of the last; an end repeats its only gap."""
        gaps = distance(self.values[:-1], self.values[1:])
        return np.concatenate([gaps[:1], gaps, gaps[-1:]])


class CategoricalColumn(Column):
    """One code vector per level; decoding takes the nearest code."""

    kind, has_ties = "categorical", False

    def __init__(self, x, name, levels, max_onehot, weight=None):
        self.name, self.levels, self.n = name, levels, len(x)
        self.positions = {level: k for k, level in enumerate(levels)}
        total = len(x) if weight is None else weight.sum()
        self.frequencies = np.bincount(self._indices(x), weight, minlength=len(levels)) / total
        self.codes = category_codes(self.frequencies, max_onehot)
        self.width = self.codes.shape[1]

    def encode(self, x, ties=None):
        return self.codes[self._indices(x)]

    def decode(self, block):
        out = np.empty(len(self.levels), dtype=object)
        out[:] = self.levels
        return out[nearest_codes(block, self.codes)]

    def unseen(self, x):
        return not_among(self.positions.keys(), x, self.name)

    def _indices(self, x):
        x = x.tolist()
        try:
            return np.fromiter(map(self.positions.__getitem__, x), dtype=np.intp, count=len(x))
        except KeyError:
            raise_unseen(self.name, set(x) - self.positions.keys())


def not_among(levels, x, name):
    """(m,) of bool, the cells of a column that hold none of its levels; cells of another kind are an error."""
    unseen = set(x.tolist()) - levels
    if set(map(kind_of, unseen)) - set(map(kind_of, levels)):
        raise_unseen(name, unseen)
    return np.fromiter((cell in unseen for cell in x.tolist()), dtype=bool, count=len(x))


def kind_of(level):
    """What levels can be mistaken for each other: numbers for numbers, else those of one type."""
    return next((kind for kind in (str, Number) if isinstance(level, kind)), type(level))


def raise_unseen(name, unseen):
    shown = ", ".join(sorted(map(repr, unseen))[:5])
    raise ValueError(f"Column {name!r} of X must hold levels seen in fit only, got the unseen {shown}.")


def category_codes(frequencies, max_onehot):
    """(n_levels, width) codes: centred, with total variance 1 over the rows if a factor from 1 to 2 makes it so.

    One-hot up to `max_onehot` levels; above, fixed random unit vectors of `CODE_DIM` dimensions, which are
    nearly orthogonal.
    """
    if len(frequencies) <= max_onehot:
        codes = np.eye(len(frequencies))
    else:
        codes = np.random.default_rng(CODE_SEED).standard_normal((len(frequencies), CODE_DIM))
        codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    codes = codes - frequencies @ codes
    variance = frequencies @ (codes**2).sum(axis=1)
    return codes * np.clip(1 / np.sqrt(variance), 1, 2)


def nearest_codes(block, codes):
    """Index of the nearest code of each row, in chunks that bound the memory."""
    half_norms = 0.5 * (codes**2).sum(axis=1)
    rows = max(1, NEAREST_CELLS // len(codes))
    nearest = np.empty(len(block), dtype=np.intp)
    for start in range(0, len(block), rows):
        part = slice(start, start + rows)
        nearest[part] = np.argmax(block[part] @ codes.T - half_norms, axis=1)
    return nearest
