"""A smooth distribution of a column of numbers, to be drawn towards where rows are few.

The empirical distribution of few rows has gaps and heaps that chance made, and normal scores by it stretch and squeeze
a column between every two rows. A Yeo-Johnson transformation to a normal distribution (Yeo & Johnson 2000, "A new
family of power transformations to improve normality or symmetry") has one parameter and is smooth, and leaves gaps
between clusters of rows, which normal scores close.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr
from scipy.stats import yeojohnson

from .._numerics.weights import mean_and_std

LEAST_VALUES = 20
N_QUANTILES = 400  # that the parameter is fitted to
POWERS = (-3.0, 5.0)
MOST_DISTANCE = 0.1  # of Kolmogorov and Smirnov, from the column to the smooth distribution


def smooth_masses(x: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """What values x (n,), ascending and distinct, own of their masses (n,) if these are spread smoothly.

    A value owns what lies half-way to its neighbours, an end all beyond it. The masses themselves where values are few,
    or where no distribution of the family is like the column.
    """
    scaled = standardised(x, masses) if len(x) >= LEAST_VALUES else None
    if scaled is None:
        return masses
    total = masses.sum()
    seen = np.cumsum(masses) / total
    power = fitted_power(np.interp((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES, seen - masses / (2 * total), scaled))
    middles = (scaled[1:] + scaled[:-1]) / 2
    below = np.concatenate([[0], ndtr(normal_scores(middles, scaled, masses, power)), [1]])
    return total * np.diff(below) if np.abs(below[1:] - seen).max() <= MOST_DISTANCE else masses


def standardised(x: np.ndarray, masses: np.ndarray) -> np.ndarray | None:
    """x less its mean by its standard deviation, by mass; None where floats do not hold that."""
    x = x / np.abs(x).max()  # so that differences of the largest floats are floats
    mean, std = mean_and_std(x, masses)
    out = (x - mean) / std
    return out if (np.diff(out) > 0).all() else None


def fitted_power(x: np.ndarray) -> float:
    """The power of largest likelihood of a transformation of standardised numbers (n,) to a normal distribution."""
    slope = (np.sign(x) * np.log1p(np.abs(x))).mean()

    def loss(power: float) -> float:
        return np.log(yeojohnson(x, power).var()) / 2 - (power - 1) * slope

    return minimize_scalar(loss, bounds=POWERS, method="bounded").x


def normal_scores(x: np.ndarray, values: np.ndarray, masses: np.ndarray, power: float) -> np.ndarray:
    """Transformed numbers, in standard deviations of transformed values from their mean, by mass."""
    mean, std = mean_and_std(yeojohnson(values, power), masses)
    return (yeojohnson(x, power) - mean) / std
