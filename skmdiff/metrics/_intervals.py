"""Intervals for fractions, areas under ROC curves, and true positive rates.

None of them shrinks to a point where all rows, or none, count:

    a fraction             Clopper & Pearson (1934): exact, from quantiles of the beta distribution
    of correlated rows     Wilson (1927), with the number of independent rows that would be as uncertain
    a difference of two    Newcombe (1998), from the Wilson intervals of both
    an area                Newcombe (2006, method 5): all areas A with (a - A)^2 <= z^2 V(A), with the variance of
                           Hanley & McNeil (1982) for exponential scores, exact at 1/2
    a rate at a low rate   at two order statistics of the other scores, between which the true threshold lies,
                           the interval of the fraction above; each errs half as often
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, binom, norm

Interval = tuple[float, float]


def fraction_interval(count: float, n: int, confidence: float) -> Interval:
    """Interval of a fraction of which `count` of n independent rows are."""
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, count, n - count + 1)) if count > 0 else 0.0
    high = float(beta.ppf(1 - tail, count + 1, n - count)) if count < n else 1.0
    return low, high


def wilson_interval(fraction: float, n: float, confidence: float) -> Interval:
    """Interval of a fraction of rows as uncertain as n independent ones."""
    z2 = norm.isf((1 - confidence) / 2) ** 2
    middle = (fraction + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (fraction * (1 - fraction) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def difference_interval(first: float, n_first: int, second: float, n_second: int, confidence: float) -> Interval:
    """Interval of the first fraction minus the second one, of independent rows."""
    low_1, high_1 = wilson_interval(first, n_first, confidence)
    low_2, high_2 = wilson_interval(second, n_second, confidence)
    low = first - second - np.hypot(first - low_1, high_2 - second)
    return float(low), float(first - second + np.hypot(high_1 - first, second - low_2))


def area_interval(area: float, n_members: int, n_others: int, confidence: float) -> Interval:
    """Interval of an area under the ROC curve of so many members and others."""
    low = _lowest_area(area, n_members, n_others, confidence)
    return low, 1 - _lowest_area(1 - area, n_others, n_members, confidence)


def _lowest_area(area: float, n_members: int, n_others: int, confidence: float) -> float:
    z = norm.isf((1 - confidence) / 2)

    def excess(true: float) -> float:
        return area - true - z * np.sqrt(_area_variance(true, n_members, n_others))

    # at an area of exactly 1 the variance is 0, which would be another solution
    top = area * (1 - 1e-9)
    return float(brentq(excess, 0.0, top)) if excess(top) < 0 else 0.0


def _area_variance(area: float, n_members: int, n_others: int) -> float:
    mean_n = (n_members + n_others) / 2 - 1
    of_pairs = (1 - area) / (2 - area) + area / (1 + area)
    return area * (1 - area) * (1 + mean_n * of_pairs) / (n_members * n_others)


def rate_at(members: np.ndarray, others: np.ndarray, max_rate: float) -> float:
    """Fraction of the members above a threshold that at most a fraction `max_rate` of the others is above."""
    allowed = int(max_rate * len(others) + 1e-9)  # .01 * 300 is a little below 3
    return _above(members, others, allowed) / len(members)


def rate_interval(members: np.ndarray, others: np.ndarray, max_rate: float, confidence: float) -> Interval:
    """Interval of `rate_at` where the others are infinitely many."""
    half = (1 - confidence) / 2
    fewest, most = binom.ppf([half / 2, 1 - half / 2], len(others), max_rate).astype(int)
    low = 0.0 if fewest == 0 else fraction_interval(_above(members, others, fewest - 1), len(members), 1 - half)[0]
    return low, fraction_interval(_above(members, others, most), len(members), 1 - half)[1]


def _above(members: np.ndarray, others: np.ndarray, rank: int) -> int:
    """Number of members above the other score of this rank from the top, 0 the highest; all where there is none."""
    return int((members > np.sort(others)[-1 - rank]).sum()) if rank < len(others) else len(members)
