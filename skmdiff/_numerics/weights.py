"""Weights of rows: what users give, checked; draws by weight; how an estimator takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import check_nothing_masked

LEAST_WEIGHT = 1e-9  # of the largest: less would be lost in the rounding of cumulated weights
STANDARD_ERRORS = 2.0  # from 0 on which a mean is surely above it


def check_weight(weight: Any, n_rows: int) -> np.ndarray | None:
    """Weights (n,) as floats, one for all rows from a scalar; None for None."""
    if weight is None:
        return None
    check_nothing_masked(weight, "sample_weight")
    try:
        weight = np.asarray(weight, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must hold numbers, got {weight!r:.80}.") from error
    if weight.ndim == 0:
        weight = np.full(n_rows, weight)
    if weight.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar: sample_weight must have shape ({n_rows},), got "
            f"shape {weight.shape}."
        )
    if len(weight) != n_rows:
        raise ValueError(
            f"sample_weight must have shape ({n_rows},), got shape {weight.shape}: inconsistent numbers of samples."
        )
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError(f"sample_weight must be finite, >= 0 and not all zero, got {weight!r:.80}.")
    return weight


def relative_weight(weight: np.ndarray | None) -> np.ndarray | None:
    """Weights (n,) above zero over their mean; None where all are the same, which is a table without weights."""
    if weight is None or weight.min() == weight.max():
        return None
    weight = np.maximum(weight / weight.max(), LEAST_WEIGHT)
    return weight / weight.mean()


def rows_of(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """The values of some rows; None for None."""
    return None if values is None else values[rows]


def indices_at(ends: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Indices (m,) at masses (m,) along cumulated weights `ends` (n,): a draw by weight where masses are uniform."""
    return np.minimum(np.searchsorted(ends, mass, side="right"), len(ends) - 1)


def mean_and_std(x: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Mean and standard deviation of finite floats, however large or small, by weight (n,) or all alike."""
    scale = np.abs(x).max()
    scaled = x / scale
    mean = np.average(scaled, weights=weight)
    std = np.sqrt(np.average((scaled - mean) ** 2, weights=weight))
    return scale * mean, max(scale * std, np.finfo(np.float64).tiny)


def mean_and_error(x: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Mean of x (n,), by weight (n,) or all alike, and its standard error."""
    fraction = np.full(len(x), 1 / len(x)) if weight is None else weight / weight.sum()
    mean = fraction @ x
    return float(mean), float(np.sqrt(fraction**2 @ (x - mean) ** 2))


def is_surely_positive(gain: np.ndarray, weight: np.ndarray | None = None) -> bool:
    """Whether the mean of gains (n,), by weight (n,) or all alike, is above 0 by STANDARD_ERRORS of it."""
    mean, error = mean_and_error(gain, weight)
    return mean > STANDARD_ERRORS * error
