"""How probable it is that chance alone gives a dependence: that the rows of a column, shuffled, keep it.

All are logarithms, of the probability itself or of an upper bound of it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, logsumexp


def log_arrangements(counts: np.ndarray) -> float:
    """log of the number of ways to arrange values that occur so often: n! / (m_1! m_2! ...)."""
    return float(gammaln(counts.sum() + 1) - gammaln(counts + 1).sum())


def log_chance_of_function(sizes: np.ndarray, counts: np.ndarray) -> float:
    """That values which occur `counts` times are constant within groups of `sizes`.

    The number of ways to give each group g one value, so that value y occurs m_y times, is the coefficient of
    prod_y z_y^m_y in prod_g sum_y z_y^n_g. It is at most that product over prod_y z_y^m_y for any z > 0; z_y = m_y / n
    is taken, which is the probability for independent rows times what keeping the counts is worth.
    """
    fractions = counts / counts.sum()
    distinct, often = np.unique(sizes, return_counts=True)
    log_constant = logsumexp(distinct[:, None] * np.log(fractions), axis=1)
    entropy = -(counts * np.log(fractions)).sum()
    return min(0.0, float(often @ log_constant + entropy - log_arrangements(counts)))


def log_chance_of_order(lower: np.ndarray, upper: np.ndarray) -> float:
    """That lower <= upper in every row: exact, by giving the largest lower values their upper ones first."""
    descending, n = np.sort(lower)[::-1], len(lower)
    at_least = n - np.searchsorted(np.sort(upper), descending, side="left")
    ways = at_least - np.arange(n)
    return float(np.log(ways).sum() - gammaln(n + 1)) if (ways > 0).all() else -np.inf
