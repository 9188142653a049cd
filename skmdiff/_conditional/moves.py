"""How starts taken from rows near a condition c are moved to it: along slopes, and to a mean and a variance.

A row with the given cells c_i and the free numbers u_i is moved to u_i + (c - c_i) B, with B the slopes of a weighted
local-linear regression over the rows near c (Beaumont, Zhang & Balding 2002, "Approximate Bayesian computation in
population genetics"). For a normal distribution that is exact. B is shrunk towards the slopes of all rows, as if
PRIOR_ROWS of them had been seen as well: within a narrow reach the rows near c say little of slopes.

The rows moved have a mean m and a variance v that come from few rows, as from n of equal weight; the linear regression
over all rows gives m_0 and v_0, with a far smaller error, but right only where the distribution is linear. What the
rows are to have is

    m_0 + g(m - m_0, v / n)  and  v_0 exp(g(log(v / v_0), 2 / n)),  g(r, s^2) = r max(0, 1 - 2 s^2 / r^2)

(Breiman 1995, "Better subset regression using the nonnegative garrote"): a difference within the error s goes, a large
one stays. Starts are no training rows: they lose some variance between their neighbours (`source.py`). By their
distribution, which is known in closed form, they are shifted and scaled to what the rows are to have, number by number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

Moments = tuple[np.ndarray, np.ndarray]  # means and variances

PRIOR_ROWS = 20.0
RIDGE = 1e-6
LARGEST_SCALE = 1.4
LEAST_VARIANCE = 1e-8


@dataclass(frozen=True)
class Move:
    """x -> c B + offset + scale (x - x_given B) for the free numbers of a start x.

    given, free : columns of the encoded table
    B : (len(given), len(free)) slopes
    offset, scale : (len(free),)
    """

    given: np.ndarray
    free: np.ndarray
    B: np.ndarray
    offset: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class Normal:
    """A mean (p,) and a covariance (p, p)."""

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, weight: np.ndarray | None = None) -> Normal:
        """Those of rows (n, p)."""
        return cls(np.average(rows, axis=0, weights=weight), np.atleast_2d(np.cov(rows.T, bias=True, aweights=weight)))

    def drawn_to(self, other: Normal, n_rows: float) -> np.ndarray:
        """The covariance of these n_rows rows with PRIOR_ROWS of the `other` beside them."""
        return (n_rows * self.covariance + PRIOR_ROWS * other.covariance) / (n_rows + PRIOR_ROWS)

    def distribution_at(self, c: np.ndarray, given: np.ndarray, free: np.ndarray, B: np.ndarray) -> Moments:
        """Means and variances (len(free),) of the free columns of rows moved along B to c."""
        C = self.covariance
        variance = np.diag(C)[free] + (B * (C[np.ix_(given, given)] @ B - 2 * C[np.ix_(given, free)])).sum(axis=0)
        return self.mean[free] + (c - self.mean[given]) @ B, variance


def slopes_of(covariance: np.ndarray, given: np.ndarray, free: np.ndarray) -> np.ndarray:
    """B (len(given), len(free)) of the linear regression of `free` on `given` columns."""
    return np.linalg.solve(_ridged(covariance[np.ix_(given, given)]), covariance[np.ix_(given, free)])


def _ridged(moments: np.ndarray) -> np.ndarray:
    return moments + RIDGE * (np.trace(moments) + 1) * np.eye(len(moments))


def local_slopes(
    rows: np.ndarray, weights: np.ndarray, prior: np.ndarray, given: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """B (len(given), len(free)) of the regression of `free` on `given` columns over weighted rows (m, p).

    With PRIOR_ROWS rows of the covariance `prior` (p, p) beside them.
    """
    centred = rows - weights @ rows / weights.sum()
    left = centred[:, given] * weights[:, None]
    moments = _ridged(left.T @ centred[:, given] + PRIOR_ROWS * prior[np.ix_(given, given)])
    return np.linalg.solve(moments, left.T @ centred[:, free] + PRIOR_ROWS * prior[np.ix_(given, free)])


def slopes_only(given: np.ndarray, free: np.ndarray, B: np.ndarray) -> Move:
    """The move along slopes."""
    return Move(given, free, B, np.zeros(len(free)), np.ones(len(free)))


def garrote(difference: np.ndarray, square_error: np.ndarray | float) -> np.ndarray:
    """g(r, s^2) of the module's text."""
    tiny = np.finfo(float).tiny
    return difference * np.maximum(0, 1 - 2 * square_error / np.maximum(difference**2, tiny))


def values_at(move: Move, c: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Free numbers (m, len(free)) of rows (m, p) moved along the slopes to c."""
    return rows[:, move.free] + (c - rows[:, move.given]) @ move.B


def wanted_moments(
    move: Move, c: np.ndarray, rows: np.ndarray, weights: np.ndarray, everyone: Normal, prior: np.ndarray
) -> Moments:
    """Means and variances (len(free),) that the free numbers are to have at c.

    rows, weights : the training rows near c, (m, p) and (m,)
    everyone, prior : the Normal of all rows that are like c in its categories, and the covariance for their slopes
    """
    fraction = weights / weights.sum()
    n_rows = 1 / (fraction**2).sum()
    values = values_at(move, c, rows)
    mean = fraction @ values
    variance = _bounded(fraction @ (values - mean) ** 2 * n_rows / max(n_rows - 1, 1))
    B = slopes_of(prior, move.given, move.free)
    mean_of_all, variance_of_all = everyone.distribution_at(c, move.given, move.free, B)
    variance_of_all = _bounded(variance_of_all)
    log_ratio = garrote(np.log(variance / variance_of_all), 2 / n_rows)
    return mean_of_all + garrote(mean - mean_of_all, variance / n_rows), variance_of_all * np.exp(log_ratio)


def start_moments(move: Move, c: np.ndarray, means: np.ndarray, weights: np.ndarray, factors: np.ndarray) -> Moments:
    """Means and variances (len(free),) of the free numbers of starts, moved along the slopes to c.

    means, weights : of the starts from each row near c, (m, p) and (m,)
    factors : (l, p, k) of their covariances F F^T, for some of the rows, all alike
    """
    fraction = weights / weights.sum()
    values = values_at(move, c, means)
    mean = fraction @ values
    within = factors[:, move.free] - np.einsum("gu,lgk->luk", move.B, factors[:, move.given])
    return mean, _bounded(fraction @ (values - mean) ** 2 + (within**2).sum(axis=2).mean(axis=0))


def _bounded(variance: np.ndarray) -> np.ndarray:
    return np.maximum(variance, LEAST_VARIANCE)


def with_moments(move: Move, c: np.ndarray, start: Moments, wanted: Moments) -> Move:
    """The move that takes the means and variances of starts at c to those wanted, by a scale within LARGEST_SCALE."""
    scale = np.clip(np.sqrt(wanted[1] / start[1]), 1 / LARGEST_SCALE, LARGEST_SCALE)
    origin = c @ move.B
    return replace(move, offset=wanted[0] - origin - scale * (start[0] - origin), scale=scale)


def apply_move(move: Move, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Starts x (m, p) at their given cells c (m, len(given)), by sums one row at a time, for the same bits anywhere."""
    x = x.copy()
    along = np.einsum("mc,cu->mu", c, move.B)
    residual = x[:, move.free] - np.einsum("mc,cu->mu", x[:, move.given], move.B)
    x[:, move.free] = along + move.offset + move.scale * residual
    return x
