"""Training rows that agree with a query, and how their starts are moved to it.

The distribution of the free cells given c is about that of the training rows near c, their numbers moved by what the
difference in c makes (`moves.py`). The rows are weighted by a tricube kernel of their distance in the given columns; a
category that differs counts as a distance, but where enough rows agree in all categories, others are not considered.
Weights of the rows multiply the kernel. Kernel and local regression are those of Cleveland 1979, "Robust locally
weighted regression and smoothing scatterplots".

Where other numbers are given as one value and some as a range, the cells of the rows nearby are first moved to the one
value, along the slopes of the ranged numbers on the given ones: only then are rows in range or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .._numerics.neighbors import tricube
from .._numerics.weights import indices_at, rows_of
from .._starts.source import Source, normal_distributions, start_means
from .._table.columns import Block, nearest_codes
from .moves import (
    Move,
    Normal,
    local_slopes,
    slopes_only,
    start_moments,
    values_at,
    wanted_moments,
    with_moments,
)

MIN_NEIGHBORS, NEIGHBOR_FRACTION, MAX_NEIGHBORS = 100, 0.2, 1000
MISMATCH = 2.0  # squared distance of another category, about that of two one-hot codes
LEAST_MATCHES = 5
MAX_CANDIDATES, COVARIANCE_ROWS = 500, 128
NUMBER_STEP = 1 / 32  # queries for one number that differ by less share their neighbours
EDGE = 1e-9

Masks = dict[int, np.ndarray]
Probabilities = Callable[[np.ndarray], dict[int, np.ndarray]]


@dataclass(frozen=True)
class Query:
    """What n rows are to have, in the code.

    low, high : (n, n_blocks) ends of what a number may be, the same where it is given; for a category the index of what
        it may be in `masks`; NaN where nothing is asked for
    masks : for the index of a block of a category (n_masks, n_categories) of bool, the categories allowed
    """

    low: np.ndarray
    high: np.ndarray
    masks: Masks

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows (s,) whose queries differ, and the index (n,) of each row's query among them."""
        keys = np.nan_to_num(np.hstack([self.low, self.high]), nan=np.inf)
        _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return first, which.ravel()

    def coarse(self) -> Query:
        """The query whose neighbours are sought: many numbers asked for, one a row, make few different ones."""
        is_number = np.array([b not in self.masks for b in range(self.low.shape[1])])
        alone = (~self.is_free()).sum(axis=1, keepdims=True) == 1
        rounded = is_number & alone & ~self.is_range()
        low, high = (np.where(rounded, np.round(end / NUMBER_STEP) * NUMBER_STEP, end) for end in (self.low, self.high))
        return Query(low, high, self.masks)

    def is_range(self) -> np.ndarray:
        """(n, n_blocks) of bool."""
        return self.low < self.high

    def is_free(self) -> np.ndarray:
        """(n, n_blocks) of bool."""
        return np.isnan(self.low)


@dataclass(frozen=True)
class Neighborhood:
    """Training rows near a query, to start from: their indices, ascending, and cumulated weights.

    moved : for ranged numbers, by their column of the code, the cells (m,) given instead of those of the rows
    """

    indices: np.ndarray
    cumulated: np.ndarray
    moved: dict[int, np.ndarray] = field(default_factory=dict)

    def thinned(self, n_rows: int = MAX_CANDIDATES) -> Neighborhood:
        """At most n_rows of the rows, systematically by their weight."""
        if len(self.indices) <= n_rows:
            return self
        ends = (np.arange(n_rows) + 0.5) / n_rows
        return Neighborhood(self.choose(ends), np.arange(1.0, n_rows + 1))

    def weights(self) -> np.ndarray:
        return np.diff(self.cumulated, prepend=0.0)

    def choose(self, u: np.ndarray) -> np.ndarray:
        """The rows at fractions u (m,) of the weight."""
        return self.indices[indices_at(self.cumulated, u * self.cumulated[-1])]


@dataclass(frozen=True)
class Matches:
    """The training rows in which those that agree with queries are sought.

    rows : (n, p), encoded, nothing missing
    source : over the same rows, whose starts are to be moved; or None where nothing starts from rows
    weight : (n,), 1 on average, or None for all alike
    probabilities : of a network, callable(rows (m, p), NaN where a column is unknown) -> (m, n_categories) by the index
        of the block of a category; or None to go by the neighbours alone
    """

    rows: np.ndarray
    blocks: list[Block]
    source: Source | None = None
    weight: np.ndarray | None = None
    probabilities: Probabilities | None = None

    @cached_property
    def everyone(self) -> Normal:
        """Of all rows."""
        return Normal.of(self.rows, self.weight)

    @cached_property
    def categories(self) -> dict[int, np.ndarray]:
        """(n,) indices of the categories of the rows, by the index of the block."""
        return {
            b: nearest_codes(self.rows[:, block.start : block.stop], block.codes)
            for b, block in enumerate(self.blocks)
            if block.codes is not None
        }

    @cached_property
    def start_means(self) -> np.ndarray:
        """(n, p) mean of the starts from each row: only moves to one value ask for it."""
        return start_means(self.source)

    @property
    def is_number(self) -> np.ndarray:
        """(p,) of bool, the columns of the code that are numbers."""
        return np.array([block.codes is None for block in self.blocks for _ in range(block.start, block.stop)])


def agreeing(matches: Matches, low: np.ndarray, high: np.ndarray, masks: Masks) -> tuple[np.ndarray, np.ndarray]:
    """The rows (m,) that agree with one query, (n_blocks,) each, and squared distances (m,) from it.

    All rows, where too few do.
    """
    n_rows = len(matches.rows)
    squares, agrees, is_open = np.zeros(n_rows), np.ones(n_rows, dtype=bool), False
    for b in np.flatnonzero(~np.isnan(low)).tolist():
        if b in matches.categories:
            allowed = masks[b][int(low[b])]
            inside = allowed[matches.categories[b]]
            squares += MISMATCH * ~inside
            is_open |= allowed.sum() > 1
        else:
            distance = _distance_to(matches.rows[:, matches.blocks[b].start], low[b], high[b])
            squares += distance**2
            inside = distance <= (EDGE if low[b] < high[b] else np.inf)
            is_open |= low[b] < high[b]
        agrees &= inside
    indices = np.flatnonzero(agrees)
    if len(indices) < (1 if is_open else LEAST_MATCHES):
        indices = np.arange(n_rows)
    return indices, squares[indices]


def _distance_to(w: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.maximum(np.maximum(low - w, w - high), 0)


def neighborhood(matches: Matches, indices: np.ndarray, squares: np.ndarray) -> Neighborhood:
    """Of rows at some squared distances those within the reach of the kernel."""
    n_neighbors = int(np.clip(len(matches.rows) * NEIGHBOR_FRACTION, MIN_NEIGHBORS, MAX_NEIGHBORS))
    reach = squares.max() if len(squares) <= n_neighbors else np.partition(squares, n_neighbors)[n_neighbors]
    near = np.flatnonzero(squares <= reach)
    weights = tricube(np.sqrt(squares[near] / max(reach, np.finfo(float).tiny)))
    if not weights.sum() > 0:
        weights = np.ones(len(near))
    if matches.weight is not None:
        weights *= matches.weight[indices[near]]
    kept = weights > 0
    return Neighborhood(indices[near[kept]], np.cumsum(weights[kept]))


def moved_into_range(
    matches: Matches, low: np.ndarray, high: np.ndarray, masks: Masks, codes: np.ndarray
) -> Neighborhood | None:
    """The rows near one query whose ranged numbers are in range when moved to the numbers given as one value.

    None where there are not both, or no such row.
    """
    start = np.array([block.start for block in matches.blocks])
    is_number = np.array([b not in matches.categories for b in range(len(matches.blocks))])
    is_range = is_number & (low < high)
    point, ranged = start[is_number & (low == high)], start[is_range]
    if not len(point) or not len(ranged):
        return None
    indices, squares = agreeing(matches, np.where(is_range, np.nan, low), high, masks)
    near = neighborhood(matches, indices, squares)
    rows, weights = matches.rows[near.indices], near.weights()
    B = local_slopes(rows, weights, normal_of(matches, indices)[1], point, ranged)
    cells = values_at(slopes_only(point, ranged, B), codes[point], rows)
    inside = ((cells >= low[is_range]) & (cells <= high[is_range])).all(axis=1)
    if not inside.any():
        return None
    moved = dict(zip(ranged, cells[inside].T, strict=True))
    return Neighborhood(near.indices[inside], np.cumsum(weights[inside]), moved)


def move_to(matches: Matches, near: Neighborhood, indices: np.ndarray, asked: np.ndarray, codes: np.ndarray) -> Move:
    """How starts from the rows near a query are moved to it.

    indices : of the rows that agree with the query
    asked : (n_blocks,) of bool, the columns that the query is about
    codes : (p,) of its cells, NaN where these are not one value: then there is no mean to move to
    """
    of_column = np.repeat(asked, [block.stop - block.start for block in matches.blocks])
    given, free = np.flatnonzero(of_column), np.flatnonzero(~of_column & matches.is_number)
    rows, weights = matches.rows[near.indices], near.weights()
    all_like, prior = normal_of(matches, indices)
    move = slopes_only(given, free, local_slopes(rows, weights, prior, given, free))
    c = codes[given]
    if matches.source is None or np.isnan(c).any():
        return move
    some = normal_distributions(matches.source, near.thinned(COVARIANCE_ROWS).indices, np.arange(len(codes)))[1]
    start = start_moments(move, c, matches.start_means[near.indices], weights, some)
    return with_moments(move, c, start, wanted_moments(move, c, rows, weights, all_like, prior))


def normal_of(matches: Matches, indices: np.ndarray) -> tuple[Normal, np.ndarray]:
    """Normal distribution of the rows that agree; and their covariance, shrunk towards that of all if they are few."""
    if len(indices) == len(matches.rows):
        return matches.everyone, matches.everyone.covariance
    weight = rows_of(matches.weight, indices)
    n_rows = len(indices) if weight is None else weight.sum()
    some = Normal.of(matches.rows[indices], weight)
    return some, some.drawn_to(matches.everyone, n_rows)


def points_of(matches: Matches, query: Query, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(s, n_blocks) of bool, the cells of which queries ask one value, and their codes (s, p), NaN elsewhere."""
    low, high = query.low[first], query.high[first]
    points, codes = low == high, np.full((len(first), matches.rows.shape[1]), np.nan)
    for b, block in enumerate(matches.blocks):
        asked = np.flatnonzero(points[:, b])
        if block.codes is not None:
            allowed = query.masks[b][low[asked, b].astype(int)] if len(asked) else np.zeros((0, 1))
            single = allowed.sum(axis=1) == 1
            points[asked[~single], b] = False
            codes[asked[single], block.start : block.stop] = block.codes[allowed[single].argmax(axis=1)]
        else:
            codes[asked, block.start] = low[asked, b]
    return points, codes


def members_of(which: np.ndarray, n: int) -> list[np.ndarray]:
    """For every number below n the indices (m,) at which it stands."""
    return np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which, minlength=n))[:-1])
