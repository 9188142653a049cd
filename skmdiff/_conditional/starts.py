"""Where rows start that are to have given cells: one training row and one value of each given column for every row.

A number may be given as a range and a category as a set of categories. Then the training row that a start is taken from
is chosen among those inside of all ranges and sets, and gives its cell; a number that is not repeated is moved at most
half-way to the next one. So these cells have the distribution of the table within the range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .._numerics.weights import indices_at
from .matches import (
    Masks,
    Matches,
    Neighborhood,
    Query,
    agreeing,
    members_of,
    move_to,
    moved_into_range,
    neighborhood,
    points_of,
)
from .moves import Move, apply_move
from .network import weighted_by_network

Adjust = Callable[[np.ndarray, np.ndarray], np.ndarray]


def choose_starts(matches: Matches, query: Query, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray, Adjust]:
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
    nears, weighted, moves = _neighborhoods(matches, coarse, first)
    chosen, given = np.empty(len(which), dtype=np.intp), np.full((len(which), matches.rows.shape[1]), np.nan)
    for i, rows in enumerate(members_of(which, len(first))):
        chosen[rows] = weighted[i].choose(uniforms[rows, 0])
        for b in np.flatnonzero(~np.isnan(query.low[first[i]])).tolist():
            block, ends = matches.blocks[b], (query.low[rows, b], query.high[rows, b])
            given[rows, block.start : block.stop] = _cells(
                matches, b, nears[i], chosen[rows], uniforms[rows, 1 + b], *ends, query.masks
            )
    return chosen, given, lambda x, rows: _adjust(x, given[rows], which[rows], moves)


def _neighborhoods(
    matches: Matches, query: Query, first: np.ndarray
) -> tuple[list[Neighborhood], list[Neighborhood], list[Move]]:
    """The neighbourhoods of some rows of a query, the same weighted by the network, and the moves of starts."""
    points, codes = points_of(matches, query, first)
    nears, moves = [], []
    for k, c in zip(first, codes, strict=True):
        low, high = query.low[k], query.high[k]
        indices, squares = agreeing(matches, low, high, query.masks)
        moved = moved_into_range(matches, low, high, query.masks, c)
        nears.append(neighborhood(matches, indices, squares) if moved is None else moved)
        moves.append(move_to(matches, nears[-1], indices, ~np.isnan(low), c))
    return nears, weighted_by_network(matches, points, codes, nears), moves


def _cells(
    matches: Matches,
    b: int,
    near: Neighborhood,
    chosen: np.ndarray,
    u: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    masks: Masks,
) -> np.ndarray:
    """Codes (m, width) of one given column of rows with the same coarse query."""
    block = matches.blocks[b]
    if block.codes is None:
        return _numbers(matches, near, block.start, chosen, u, low, high)[:, None]
    allowed, categories = masks[b][int(low[0])], matches.categories[b][chosen]
    cumulated = np.cumsum(block.frequencies * allowed)
    drawn = indices_at(cumulated, u * cumulated[-1])
    return block.codes[np.where(allowed[categories], categories, drawn)]


def _numbers(
    matches: Matches,
    near: Neighborhood,
    column: int,
    chosen: np.ndarray,
    u: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Codes (m,) of a given number: as asked, or in a range from the cells of the chosen rows."""
    if not low[0] < high[0]:
        return low
    cells = near.moved.get(column, matches.rows[near.indices, column])
    values = redraw(cells, cells[np.searchsorted(near.indices, chosen)], u)
    # one between the ends and the cells within is any in the range
    return np.where((values < low) | (values > high), low + u * (high - low), values)


def redraw(seen: np.ndarray, values: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Values moved by fractions u (m,), each at most half-way to the seen value below it or above it.

    A value seen more than once stays, as does the far side of the first and the last.
    """
    distinct, counts = np.unique(seen, return_counts=True)
    index = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
    step = np.where(counts[index] > 1, 0.0, u - 0.5)
    neighbour = distinct[np.clip(index + np.where(step > 0, 1, -1), 0, len(distinct) - 1)]
    return values + np.abs(step) * (neighbour - values)


def _adjust(x: np.ndarray, given: np.ndarray, which: np.ndarray, moves: Sequence[Move]) -> np.ndarray:
    """Starts x (m, p) moved to the given cells, by the move of the query of each."""
    x = x.copy()
    queries, indices = np.unique(which, return_inverse=True)
    for k, rows in zip(queries, members_of(indices.ravel(), len(queries)), strict=True):
        x[rows] = apply_move(moves[k], x[rows], given[np.ix_(rows, moves[k].given)])
    return x
