"""Where rows start that are to have given cells: training rows like them, moved to what is given.

The distribution of the free cells given c is about that of the training rows near c, their numbers moved by what the
difference in c makes (`_moves.py`). The rows are weighed by a tricube kernel of their distance in the given columns; a
category that differs counts as a distance, but where enough rows agree in all categories, others are not considered.
Weights of the rows multiply the kernel.

The network, which learnt to tell categories from any columns, does it far better from many columns than rows near by
do, but not as well from one or two. Where categories are free, a row near c whose category is k is weighed by

    p(k | c) / sum_j w_j p(k | c_j),

with w_j the kernel and p the network's: rows near by say how common the categories are there, the network how they
change from there to c. Of f free categories the weight is the product to the power 1 / sqrt(f).

A number may be given as a range and a category as a set of levels. Then the training row that a start is taken from is
drawn among those inside of all ranges and sets, and gives its own cell, a number within its own share of the column: so
these cells have the distribution of the table within the range. Where other numbers are given as one value, the cells
of the rows near by are first moved to it, along the slopes of the ranged numbers on the given ones.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .._numerics.neighbors import tricube
from .._numerics.weights import indices_at, rows_of
from .._starts.source import normal_distributions, start_means
from .._table.columns import nearest_codes
from .moves import (
    Normal,
    apply_move,
    local_slopes,
    slopes_only,
    start_moments,
    values_at,
    wanted_moments,
    with_moments,
)

MIN_NEAR, NEAR_SHARE, MAX_NEAR = 100, 0.2, 1000
MISMATCH = 2.0  # squared distance of another level, about that of two one-hot codes
LEAST_MATCHES = 5
MAX_CANDIDATES, SPREAD_ROWS = 500, 128
DIGITS = 9  # of the network's log-probabilities, whose last ones depend on the rows they are found with
NUMBER_STEP = 1 / 32  # queries for one number that differ by less have their rows near in common
EDGE = 1e-9
LEAST_PROBABILITY = 1e-6
PRIOR_MATCH = 5.0


@dataclass(frozen=True)
class Query:
    """What n rows are to have, in the code.

    low, high : (n, n_blocks) ends of what a number may be, the same where it is given; for a category the place of what
        it may be in `masks`; NaN where nothing is asked for
    masks : dict, for the number of a block of a category (n_masks, n_levels) of bool, the levels allowed
    """

    low: np.ndarray
    high: np.ndarray
    masks: dict

    def distinct(self):
        """Rows (s,) whose queries differ, and the place (n,) of each row's query among them."""
        keys = np.nan_to_num(np.hstack([self.low, self.high]), nan=np.inf)
        _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return first, which.ravel()

    def coarse(self):
        """The query by whose like rows are sought: many numbers asked for, one a row, make few different ones."""
        is_number = np.array([b not in self.masks for b in range(self.low.shape[1])])
        alone = (~self.is_free()).sum(axis=1, keepdims=True) == 1
        rounded = is_number & alone & ~self.is_range()
        low, high = (np.where(rounded, np.round(end / NUMBER_STEP) * NUMBER_STEP, end) for end in (self.low, self.high))
        return Query(low, high, self.masks)

    def is_range(self):
        """(n, n_blocks) of bool."""
        return self.low < self.high

    def is_free(self):
        """(n, n_blocks) of bool."""
        return np.isnan(self.low)


@dataclass(frozen=True)
class Near:
    """Training rows to start from: their places, ascending, and cumulated weights.

    moved : dict, for ranged numbers, by their column of the code, the cells (m,) given in place of the rows' own
    """

    places: np.ndarray
    cumulated: np.ndarray
    moved: dict = field(default_factory=dict)

    def thinned(self, n_rows=MAX_CANDIDATES):
        """At most n_rows of the rows, systematically by their weight."""
        if len(self.places) <= n_rows:
            return self
        ends = (np.arange(n_rows) + 0.5) / n_rows
        return Near(self.choose(ends), np.arange(1.0, n_rows + 1))

    def weights(self):
        return np.diff(self.cumulated, prepend=0.0)

    def choose(self, u):
        """The rows at shares u (m,) of the weight."""
        return self.places[indices_at(self.cumulated, u * self.cumulated[-1])]


class Matches:
    """Training rows that agree with what is asked for.

    Parameters
    ----------
    rows : ndarray of shape (n, p), encoded, without gaps
    blocks : list of Block
    source : Source over the same rows, whose starts are to be moved; or None where nothing starts from rows
    weight : ndarray of shape (n,), 1 on average, or None for all alike
    probabilities : callable(rows (m, p), NaN where a column is unknown) -> dict of array (m, n_levels), by the number
        of the block of a category; or None to go by the rows near by alone
    """

    def __init__(self, rows, blocks, source=None, weight=None, probabilities=None):
        self.rows, self.blocks, self.source = rows, blocks, source
        self.weight, self.probabilities = weight, probabilities
        self.everyone = Normal.of(rows, weight)
        self.is_number = np.array([block.codes is None for block in blocks for _ in range(block.start, block.stop)])
        self.levels = {
            b: nearest_codes(rows[:, block.start : block.stop], block.codes)
            for b, block in enumerate(blocks)
            if block.codes is not None
        }

    @cached_property
    def start_means(self):
        """(n, p) mean of the starts from each row: only moves to one value ask for it."""
        return start_means(self.source)

    def agreeing(self, low, high, masks):
        """The rows (m,) that agree with one query, (n_blocks,) each, and squared distances (m,) from it.

        All rows, where too few do.
        """
        squares, agrees, is_open = np.zeros(len(self.rows)), np.ones(len(self.rows), dtype=bool), False
        for b in np.flatnonzero(~np.isnan(low)):
            if b in self.levels:
                allowed = masks[b][int(low[b])]
                inside = allowed[self.levels[b]]
                squares += MISMATCH * ~inside
                is_open |= allowed.sum() > 1
            else:
                gap = _distance_to(self.rows[:, self.blocks[b].start], low[b], high[b])
                squares += gap**2
                inside = gap <= (EDGE if low[b] < high[b] else np.inf)
                is_open |= low[b] < high[b]
            agrees &= inside
        places = np.flatnonzero(agrees)
        if len(places) < (1 if is_open else LEAST_MATCHES):
            places = np.arange(len(self.rows))
        return places, squares[places]

    def near(self, places, squares):
        """Of rows at some squared distances those within the reach of the kernel."""
        n_near = int(np.clip(len(self.rows) * NEAR_SHARE, MIN_NEAR, MAX_NEAR))
        reach = squares.max() if len(squares) <= n_near else np.partition(squares, n_near)[n_near]
        near = np.flatnonzero(squares <= reach)
        weights = tricube(np.sqrt(squares[near] / max(reach, np.finfo(float).tiny)))
        if not weights.sum() > 0:
            weights = np.ones(len(near))
        if self.weight is not None:
            weights *= self.weight[places[near]]
        kept = weights > 0
        return Near(places[near[kept]], np.cumsum(weights[kept]))

    def move(self, near, agreeing, asked, codes):
        """How starts from the rows near a query are moved to it.

        asked : (n_blocks,) of bool, the columns that the query is about
        codes : (p,) of its cells, NaN where these are not one value: then there is no mean to move to
        """
        of_column = np.repeat(asked, [block.stop - block.start for block in self.blocks])
        given, free = np.flatnonzero(of_column), np.flatnonzero(~of_column & self.is_number)
        rows, weights = self.rows[near.places], near.weights()
        all_like, prior = self._all_like(agreeing)
        move = slopes_only(given, free, local_slopes(rows, weights, prior, given, free))
        c = codes[given]
        if self.source is None or np.isnan(c).any():
            return move
        some = normal_distributions(self.source, near.thinned(SPREAD_ROWS).places, np.arange(len(codes)))[1]
        start = start_moments(move, c, self.start_means[near.places], weights, some)
        return with_moments(move, c, start, wanted_moments(move, c, rows, weights, all_like, prior))

    def _all_like(self, places):
        """Normal distribution of the rows that agree; their covariance drawn towards that of all if few."""
        if len(places) == len(self.rows):
            return self.everyone, self.everyone.covariance
        weight = rows_of(self.weight, places)
        n_rows = len(places) if weight is None else weight.sum()
        own = Normal.of(self.rows[places], weight)
        return own, own.drawn_to(self.everyone, n_rows)

    def resolve(self, query, uniforms):
        """One row and one value of each given column for every row of a query.

        Parameters
        ----------
        uniforms : (n, 1 + n_blocks)

        Returns
        -------
        chosen : (n,) the training row that each row starts from
        given : (n, p) code of what each row is to have, NaN elsewhere
        adjust : callable(starts, rows), which moves starts of some of the rows to what is given
        """
        coarse = query.coarse()
        first, which = coarse.distinct()
        points, codes = self._points(coarse, first)
        nears, moves = [], []
        for k, own in zip(first, codes, strict=True):
            low, high = coarse.low[k], coarse.high[k]
            agreeing, squares = self.agreeing(low, high, query.masks)
            moved = self._moved_into(low, high, query.masks, own)
            nears.append(self.near(agreeing, squares) if moved is None else moved)
            moves.append(self.move(nears[-1], agreeing, ~np.isnan(low), own))
        weighed = self._by_network(points, codes, nears)
        chosen, given = np.empty(len(which), dtype=np.intp), np.full((len(which), self.rows.shape[1]), np.nan)
        for i, rows in enumerate(_groups(which, len(first))):
            k, near = first[i], nears[i]
            chosen[rows] = weighed[i].choose(uniforms[rows, 0])
            for b in np.flatnonzero(~np.isnan(query.low[k])):
                block = self.blocks[b]
                given[rows, block.start : block.stop] = self._cells(
                    b, near, chosen[rows], uniforms[rows, 1 + b], query.low[rows, b], query.high[rows, b], query.masks
                )
        return chosen, given, lambda x, rows: _adjust(x, given[rows], which[rows], moves)

    def _moved_into(self, low, high, masks, codes):
        """The rows near one query whose ranged numbers are in range when moved to the numbers given as one value.

        None where there are not both, or no such row.
        """
        start = np.array([block.start for block in self.blocks])
        is_number = np.array([b not in self.levels for b in range(len(self.blocks))])
        is_range = is_number & (low < high)
        point, ranged = start[is_number & (low == high)], start[is_range]
        if not len(point) or not len(ranged):
            return None
        agreeing, squares = self.agreeing(np.where(is_range, np.nan, low), high, masks)
        near = self.near(agreeing, squares)
        rows, weights = self.rows[near.places], near.weights()
        B = local_slopes(rows, weights, self._all_like(agreeing)[1], point, ranged)
        cells = values_at(slopes_only(point, ranged, B), codes[point], rows)
        inside = ((cells >= low[is_range]) & (cells <= high[is_range])).all(axis=1)
        if not inside.any():
            return None
        return Near(near.places[inside], np.cumsum(weights[inside]), dict(zip(ranged, cells[inside].T, strict=True)))

    def _by_network(self, points, codes, nears):
        """The rows near each of some queries, weighed by the network where categories are free.

        points, codes : of the queries, as `_points` gives them
        """
        if self.probabilities is None or not self.levels:
            return nears
        out = list(nears)
        patterns, which = np.unique(points, axis=0, return_inverse=True)
        for pattern, members in zip(patterns, _groups(which.ravel(), len(patterns)), strict=True):
            free = [b for b in self.levels if not pattern[b]]
            if free and pattern.any():
                weighed = self._weigh_by_network([nears[k].thinned() for k in members], codes[members], free)
                for k, near in zip(members, weighed, strict=True):
                    out[k] = near
        return out

    def _weigh_by_network(self, nears, codes, free):
        """The rows near some queries, which all ask for the columns in which `codes` (s, p) is not NaN, weighed."""
        wanted, around = self.probabilities(codes), self._around(nears, codes[0], free)
        out = []
        for i, near in enumerate(nears):
            log_ratio = sum(
                np.log(np.maximum(wanted[b][i], LEAST_PROBABILITY) / around[b][i])[self.levels[b][near.places]]
                for b in free
            )
            log_ratio /= np.sqrt(len(free))  # each is read as if it were alone: together they say some things twice
            weights = near.weights() * np.exp(np.round(log_ratio - log_ratio.max(), DIGITS))
            out.append(Near(near.places, np.cumsum(weights)))
        return out

    def _around(self, nears, codes, free):
        """Means over each of some rows near of the network's probabilities (s, n_levels) of the categories `free`.

        codes : (p,), NaN in the columns that the network is not to see
        """
        places = np.unique(np.concatenate([near.places for near in nears]))
        own = self.probabilities(np.where(np.isnan(codes), np.nan, self.rows[places]))
        shares = [near.weights() / near.weights().sum() for near in nears]
        at = [np.searchsorted(places, near.places) for near in nears]
        return {
            b: np.maximum([w @ own[b][rows] for w, rows in zip(shares, at, strict=True)], LEAST_PROBABILITY)
            for b in free
        }

    def predict(self, query, b):
        """Probabilities (n, n_levels) of the levels of the free category with the number b, given all that is asked.

        As the rows near are weighed, p(k | c) share_k / m_k with m_k the mean of p(k | c_j) over them; the share of a
        category is drawn towards m_k as if PRIOR_MATCH more rows had it: a category that no row near has is not
        impossible.
        """
        everyone = np.arange(len(query.low))
        points, codes = self._points(query, everyone)
        nears = [self.near(*self.agreeing(query.low[k], query.high[k], query.masks)).thinned() for k in everyone]
        out = self.probabilities(codes)[b]
        patterns, which = np.unique(points, axis=0, return_inverse=True)
        for members in _groups(which.ravel(), len(patterns)):
            around = self._around([nears[k] for k in members], codes[members[0]], [b])[b]
            for k, mean in zip(members, around, strict=True):
                weights = nears[k].weights()
                n_rows = weights.sum() ** 2 / (weights**2).sum()
                share = np.bincount(self.levels[b][nears[k].places], weights, len(mean)) / weights.sum()
                out[k] *= (n_rows * share / mean + PRIOR_MATCH) / (n_rows + PRIOR_MATCH)
        return out / out.sum(axis=1, keepdims=True)

    def _points(self, query, first):
        """(s, n_blocks) of bool, the cells of which queries ask one value, and their codes (s, p), NaN elsewhere."""
        low, high = query.low[first], query.high[first]
        points, codes = low == high, np.full((len(first), self.rows.shape[1]), np.nan)
        for b, block in enumerate(self.blocks):
            asked = np.flatnonzero(points[:, b])
            if b in self.levels:
                allowed = query.masks[b][low[asked, b].astype(int)] if len(asked) else np.zeros((0, 1))
                single = allowed.sum(axis=1) == 1
                points[asked[~single], b] = False
                codes[asked[single], block.start : block.stop] = block.codes[allowed[single].argmax(axis=1)]
            else:
                codes[asked, block.start] = low[asked, b]
        return points, codes

    def _cells(self, b, near, chosen, u, low, high, masks):
        """Codes (m, width) of one given column of rows with the same coarse query."""
        if b not in self.levels:
            values = low
            if low[0] < high[0]:
                cells = near.moved.get(self.blocks[b].start, self.rows[near.places, self.blocks[b].start])
                values = redraw(cells, cells[np.searchsorted(near.places, chosen)], u)
                # one between the ends and the cells within is any in the range
                values = np.where((values < low) | (values > high), low + u * (high - low), values)
            return values[:, None]
        allowed, levels = masks[b][int(low[0])], self.levels[b][chosen]
        shares = np.cumsum(self.blocks[b].frequencies * allowed)
        drawn = indices_at(shares, u * shares[-1])
        return self.blocks[b].codes[np.where(allowed[levels], levels, drawn)]


def _distance_to(w, low, high):
    return np.maximum(np.maximum(low - w, w - high), 0)


def _groups(which, n):
    """For every place the rows (m,) that have it."""
    return np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which, minlength=n))[:-1])


def _adjust(x, given, which, moves):
    """Starts x (m, p) moved to the given cells, by the move of the query of each."""
    x = x.copy()
    queries, places = np.unique(which, return_inverse=True)
    for k, rows in zip(queries, _groups(places.ravel(), len(queries)), strict=True):
        x[rows] = apply_move(moves[k], x[rows], given[np.ix_(rows, moves[k].given)])
    return x


def redraw(seen, values, u):
    """Values anew, each between half-way to the seen value below it and half-way to that above, by shares u (m,).

    A value seen more than once stays, as does the far side of the first and the last.
    """
    distinct, counts = np.unique(seen, return_counts=True)
    place = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
    step = np.where(counts[place] > 1, 0.0, u - 0.5)
    neighbour = distinct[np.clip(place + np.where(step > 0, 1, -1), 0, len(distinct) - 1)]
    return values + np.abs(step) * (neighbour - values)
