"""Free categories: neighbours weighted by the network, and its probabilities calibrated by neighbours.

The network, which learnt to tell categories from any columns, does it far better from many columns than neighbours do,
but not as well from one or two. Where categories are free, a row near c whose category is k is weighted by

    p(k | c) / sum_j w_j p(k | c_j),

with w_j the kernel and p the network's: the neighbours say how common the categories are there, the network how they
change from there to c (a likelihood ratio as in importance sampling). Of f free categories the weight is the product to
the power 1 / sqrt(f).
"""

from __future__ import annotations

import numpy as np

from .matches import Matches, Neighborhood, Query, agreeing, members_of, neighborhood, points_of

DIGITS = 9  # of the network's log-probabilities, whose last ones depend on the rows they are found with
LEAST_PROBABILITY = 1e-6
PRIOR_MATCH = 5.0


def weighted_by_network(
    matches: Matches, points: np.ndarray, codes: np.ndarray, nears: list[Neighborhood]
) -> list[Neighborhood]:
    """The neighbourhoods of some queries, weighted by the network where categories are free.

    points, codes : of the queries, as `points_of` gives them
    """
    if matches.probabilities is None or not matches.categories:
        return nears
    out = list(nears)
    patterns, which = np.unique(points, axis=0, return_inverse=True)
    for pattern, members in zip(patterns, members_of(which.ravel(), len(patterns)), strict=True):
        free = [b for b in matches.categories if not pattern[b]]
        if free and pattern.any():
            weighted = _weighted(matches, [nears[k].thinned() for k in members], codes[members], free)
            for k, near in zip(members, weighted, strict=True):
                out[k] = near
    return out


def _weighted(matches: Matches, nears: list[Neighborhood], codes: np.ndarray, free: list[int]) -> list[Neighborhood]:
    """The neighbourhoods of queries that all ask for the columns in which `codes` (s, p) is not NaN, weighted."""
    assert matches.probabilities is not None
    wanted, around = matches.probabilities(codes), _around(matches, nears, codes[0], free)
    out = []
    for i, near in enumerate(nears):
        log_ratio = sum(
            np.log(np.maximum(wanted[b][i], LEAST_PROBABILITY) / around[b][i])[matches.categories[b][near.indices]]
            for b in free
        )
        log_ratio /= np.sqrt(len(free))  # each is read as if it were alone: together they say some things twice
        weights = near.weights() * np.exp(np.round(log_ratio - log_ratio.max(), DIGITS))
        out.append(Neighborhood(near.indices, np.cumsum(weights)))
    return out


def _around(matches: Matches, nears: list[Neighborhood], codes: np.ndarray, free: list[int]) -> dict[int, np.ndarray]:
    """Means over each of some neighbourhoods of the network's probabilities (s, n_categories) of the blocks `free`.

    codes : (p,), NaN in the columns that the network is not to see
    """
    assert matches.probabilities is not None
    indices = np.unique(np.concatenate([near.indices for near in nears]))
    of_rows = matches.probabilities(np.where(np.isnan(codes), np.nan, matches.rows[indices]))
    fractions = [near.weights() / near.weights().sum() for near in nears]
    at = [np.searchsorted(indices, near.indices) for near in nears]
    return {
        b: np.maximum([w @ of_rows[b][rows] for w, rows in zip(fractions, at, strict=True)], LEAST_PROBABILITY)
        for b in free
    }


def predict(matches: Matches, query: Query, b: int) -> np.ndarray:
    """Probabilities (n, n_categories) of the free category with the index b, given all that is asked.

    As neighbours are weighted, p(k | c) fraction_k / m_k with m_k the mean of p(k | c_j) over them; the fraction of a
    category is shrunk towards m_k as if PRIOR_MATCH more rows had it: a category that no neighbour has is not
    impossible.
    """
    assert matches.probabilities is not None
    everyone = np.arange(len(query.low))
    points, codes = points_of(matches, query, everyone)
    nears = [
        neighborhood(matches, *agreeing(matches, query.low[k], query.high[k], query.masks)).thinned() for k in everyone
    ]
    out = matches.probabilities(codes)[b]
    patterns, which = np.unique(points, axis=0, return_inverse=True)
    for members in members_of(which.ravel(), len(patterns)):
        around = _around(matches, [nears[k] for k in members], codes[members[0]], [b])[b]
        for k, mean in zip(members, around, strict=True):
            out[k] *= _calibration(matches, nears[k], mean, b)
    return out / out.sum(axis=1, keepdims=True)


def _calibration(matches: Matches, near: Neighborhood, mean: np.ndarray, b: int) -> np.ndarray:
    """(n_categories,) what the network's probabilities at a query are multiplied by."""
    weights = near.weights()
    n_rows = weights.sum() ** 2 / (weights**2).sum()
    fraction = np.bincount(matches.categories[b][near.indices], weights, len(mean)) / weights.sum()
    return (n_rows * fraction / mean + PRIOR_MATCH) / (n_rows + PRIOR_MATCH)
