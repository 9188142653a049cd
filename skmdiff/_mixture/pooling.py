"""How far what a mixture says of categories is to be believed: a weight from 0 to 1 for each column of them.

Within a component columns are independent of each other, so what several of them say in common is counted as often as
there are columns that say it, and the mixture is surer of a category than it should be. The categories of a column are
therefore pooled with their shares in the whole table (Genest & Zidek 1986, "Combining probability distributions"):

    log p(k | other columns) = w log p_mixture(k | other columns) + (1 - w) log p(k) + constant,

with the w under which rows held out are most probable, column by column. Their mean is concave in w.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from .mixture import MixedRows, Mixture, log_joint


def log_probabilities(mixture: Mixture, rows: MixedRows, level: float) -> Iterator[np.ndarray]:
    """Of every column of categories log p(k) and log p(k | other columns) by a mixture, (2, n, n_categories).

    Of n rows, whose numbers are noised at a level.
    """
    joint = log_joint(mixture, rows, level)
    for shares, category in zip(mixture.shares_by_column, rows.categories.T, strict=True):
        responsibility = softmax(joint - np.log(shares[:, category]).T, axis=1)
        given = np.log(responsibility @ shares)
        yield np.stack([np.broadcast_to(np.log(mixture.weights @ shares), given.shape), given])


def best_weight(log_probability: np.ndarray, category: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The w of the largest mean log-probability of the categories (n,) that rows have, by weight (n,) or all alike.

    log_probability : (2, n, n_categories), see `log_probabilities`
    """
    marginal, given = log_probability
    ratio = given - marginal
    ratio_of_row = np.take_along_axis(ratio, category[:, None], axis=1)[:, 0]

    def slope(w: float) -> float:
        pooled = softmax(marginal + w * ratio, axis=1)
        return float(np.average(ratio_of_row - (pooled * ratio).sum(axis=1), weights=weight))

    if slope(1.0) >= 0:
        return 1.0
    return 0.0 if slope(0.0) <= 0 else float(brentq(slope, 0.0, 1.0, xtol=1e-3))
