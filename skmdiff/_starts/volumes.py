"""The volume on the manifold that each row stands for, so that rows drawn by it are uniform on the manifold.

Weights w_j are sought by which every ball about a row holds the weight of its volume. With the kernel K of the width
h_i of the ball about row i, its volume V_i and the fraction c_i of it that the manifold fills,

    w_i <- w_i V_i c_i / sum_j K((x_i - x_j) / h_i) w_j,

from equal weights on, twice. The first round is the inverse of the kernel density (Parzen 1962, "On estimation of a
probability density function and mode"); the second divides by the density that is left, as Richardson 1972,
"Bayesian-based iterative method of image restoration", does, which takes most of the smoothing out again.

Most balls have one radius and V_i = 1, in which no dimension has to be known: curves, surfaces and pieces of both have
volume at that scale, by the number of balls that it takes to cover them. What lies closer together, noise off the
manifold too, has none. The radius is such that MOST_ROWS of the rows have VOLUME_NEIGHBORS others in their ball. Where
rows are fewer, a ball is as large as it takes to hold so many (Loftsgaarden & Quesenberry 1965, "A nonparametric
estimate of a multivariate density function"), and V_i grows with its radius to the power of the dimension there.

At an edge the manifold fills a part of the ball. There the rows lie to one side: where they are even, their mean is off
the row by phi(t) / Phi(t) widths at t widths from a straight edge, with the standard normal density phi and
distribution Phi (the mean of a cut normal distribution), and the part that is filled is Phi(t), in any dimension (as
Jones 1993, "Simple boundary correction for kernel density estimation", divides by it). In the second round the weights
make the rows about even.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from .._manifold.dimension import maximum_likelihood
from .._numerics.neighbors import chunks, nearest

VOLUME_ROWS = 3000  # that kernels are put on
VOLUME_NEIGHBORS, MOST_ROWS = 15, 0.9
BALL = 2.0  # widths of the kernel that the radius of a ball is
ROUNDS = 2
LEAST_FILLED = 0.25  # at a corner of a surface
EDGE_DISTANCES = np.linspace(-3, 5, 400)
EDGE_MEANS = norm.pdf(EDGE_DISTANCES) / ndtr(EDGE_DISTANCES)


@dataclass(frozen=True)
class Balls:
    """Balls about rows: their centres x (n, p), widths (n,) of their kernels, (n,) log of the volume of a full one."""

    x: np.ndarray
    width: np.ndarray
    log_full: np.ndarray

    def of(self, rows: Any) -> Balls:
        """Those about some rows."""
        return Balls(self.x[rows], self.width[rows], self.log_full[rows])


def volumes(X: np.ndarray) -> np.ndarray:
    """(n,) volume on the manifold that each of the rows X (n, p) stands for, the largest 1."""
    some = np.random.default_rng(0).permutation(len(X))[:VOLUME_ROWS]
    balls = balls_about(X - X[some].mean(axis=0), some)
    points, log_volume = balls.of(some), np.zeros(len(X))
    rounds = balancing_rounds(points)
    for rows in chunks(len(X), len(some)):
        part = balls.of(rows)
        K = kernel(part, points.x)
        for weights, least in rounds:
            log_volume[rows] += log_share(K, part, points.x, weights, least)
    return np.exp(log_volume - log_volume.max())


def balls_about(X: np.ndarray, some: np.ndarray) -> Balls:
    """A ball about each of the rows X (n, p), by distances between `some` of them; the others have that of the nearest.

    The logarithm of the radius is averaged over neighbours, by which also the dimension is estimated.
    """
    points = X[some]
    radii, around = nearest(points, points, min(VOLUME_NEIGHBORS + 1, len(points)))
    apart = radii[radii[:, -1] > 0, -1]  # copies say nothing of the distances
    log_radius = np.log(np.maximum(radii[:, -1], apart.min() if apart.size else 1.0))[around].mean(axis=1)
    usual = np.quantile(log_radius, MOST_ROWS)
    log_full = np.zeros(len(points))
    for i in np.flatnonzero(log_radius > usual):
        log_full[i] = maximum_likelihood(radii[around[i], 1:]) * (log_radius[i] - usual)
    width = np.exp(np.maximum(log_radius, usual)) / BALL
    owner = np.argsort(some) if len(some) == len(X) else nearest(points, X, 1)[1][:, 0]
    return Balls(X, width[owner], log_full[owner])


def kernel(balls: Balls, points: np.ndarray) -> np.ndarray:
    """(m, n) exp(-|x - point|^2 / 2 width^2) of balls about m rows and points (n, p), in single precision."""
    unit = balls.width.min()
    x, points = (balls.x / unit).astype(np.float32), (points / unit).astype(np.float32)
    exponent = x @ points.T
    exponent -= (x**2).sum(axis=1)[:, None] / 2
    exponent -= (points**2).sum(axis=1) / 2
    np.minimum(exponent, 0, out=exponent)
    exponent *= ((unit / balls.width) ** 2).astype(np.float32)[:, None]
    return np.exp(exponent, out=exponent)


def balancing_rounds(points: Balls) -> list[tuple[np.ndarray, float]]:
    """The weights (n,) of the points that each round starts with, and the least weight in a ball about one then."""
    K, weights, rounds = kernel(points, points.x), np.ones(len(points.x)), []
    for _ in range(ROUNDS):
        rounds.append((weights, float((K @ weights.astype(np.float32)).min())))
        weights = weights * np.exp(log_share(K, points, points.x, weights, 0.0))
        weights = weights / weights.mean()
    return rounds


def log_share(K: np.ndarray, balls: Balls, points: np.ndarray, weights: np.ndarray, least: float) -> np.ndarray:
    """(m,) log of the volume in balls about m rows over the weight, at least `least`, of the points (n, p) in them.

    K (m, n) is their kernel.
    """
    w = weights.astype(np.float32)
    around = np.maximum((K @ w).astype(float), max(least, float(np.finfo(np.float32).tiny)))
    mean = (K @ (w[:, None] * points.astype(np.float32))) / around[:, None]
    offset = np.linalg.norm(mean - balls.x, axis=1) / balls.width
    return balls.log_full + np.log(filled(offset) / around)


def filled(offset: np.ndarray) -> np.ndarray:
    """Fraction of a ball within a straight edge, from the distance, in widths of the kernel, of its mean from it."""
    distance = np.interp(-offset, -EDGE_MEANS, EDGE_DISTANCES)
    return np.maximum(ndtr(distance), LEAST_FILLED)
