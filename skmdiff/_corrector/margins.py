"""Shares that corrected samples are to have: raking, also called iterative proportional fitting.

A classifier that sees whole rows says little of a value which two per cent of them hold and a model draws for three.
Here log-weights get a term for each value that is frequent in a column, so that weighted samples have its share of the
table, in every column at once. Terms are logarithms of wanted over present share, added column by column until nothing
moves (Deming & Stephan 1940, "On a least squares adjustment of a sampled frequency table when the expected marginal
totals are known"): among all weights with those shares they change the given ones least, by relative entropy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

LEAST_SHARE = 0.005  # of a value that gets a term of its own
ROUNDS = 30
CLOSE = 1e-3  # shares that are wrong by so little of themselves are let be
LARGEST_STEP = 0.5  # of a term in one round


@dataclass(frozen=True)
class Margin:
    """The frequent values of a feature.

    Attributes
    ----------
    values : (k,) rising, NaN, a missing cell, last
    shares : (k + 1,) of the table, that of all other cells last
    terms : (k + 1,) of the logarithm of a sample's weight
    """

    values: np.ndarray
    shares: np.ndarray
    terms: np.ndarray

    def positions(self, feature: np.ndarray) -> np.ndarray:
        """(n,) which of the values cells (n,) of the feature hold, k where they hold another."""
        if not len(self.values):
            return np.zeros(len(feature), dtype=np.intp)
        found = np.minimum(np.searchsorted(self.values, feature), len(self.values) - 1)
        value = self.values[found]
        return np.where((value == feature) | (np.isnan(value) & np.isnan(feature)), found, len(self.values))


def margin_of(feature: np.ndarray, weight: np.ndarray | None) -> Margin:
    """The frequent values of cells (n,) by the weights (n,) of their rows, without a term."""
    values, inverse = np.unique(feature, return_inverse=True)
    shares = np.bincount(inverse, weight) / (len(feature) if weight is None else weight.sum())
    frequent = shares >= LEAST_SHARE
    return Margin(values[frequent], with_others(shares[frequent]), np.zeros(frequent.sum() + 1))


def frequent_values(margins: tuple[Margin, ...], least: float) -> tuple[Margin, ...]:
    """Margins without the values of lower shares: these are among the others."""
    kept = [np.append(margin.shares[:-1] >= least, True) for margin in margins]
    return tuple(
        Margin(m.values[of_one[:-1]], with_others(m.shares[:-1][of_one[:-1]]), m.terms[of_one])
        for m, of_one in zip(margins, kept, strict=True)
    )


def with_others(shares: np.ndarray) -> np.ndarray:
    """(k + 1,) shares (k,) and what is left of 1."""
    return np.append(shares, max(0.0, 1.0 - shares.sum()))


def log_terms(margins: tuple[Margin, ...], F: np.ndarray) -> np.ndarray:
    """(n,) the sums of the terms of rows of features F (n, n_margins or more)."""
    out = np.zeros(len(F))
    for margin, feature in zip(margins, F.T, strict=False):
        out += margin.terms[margin.positions(feature)]
    return out


def raked(
    margins: tuple[Margin, ...], F: np.ndarray, log_weight: np.ndarray, log_cap_of: Callable[[np.ndarray], float]
) -> tuple[Margin, ...]:
    """Margins with terms by which samples have the shares of the table.

    F : features (n, n_margins) of samples
    log_weight : (n,) their log-weights without terms
    log_cap_of : the logarithm at which log-weights (n,) are cut
    """
    positions = [margin.positions(feature) for margin, feature in zip(margins, F.T, strict=True)]
    terms = [margin.terms.copy() for margin in margins]
    total = log_weight + sum(term[position] for term, position in zip(terms, positions, strict=True))
    for _ in range(ROUNDS):
        log_cap, moved = log_cap_of(total), 0.0
        for margin, position, term in zip(margins, positions, terms, strict=True):
            weight = np.exp(np.minimum(total, log_cap) - log_cap)
            step = step_towards(margin.shares, np.bincount(position, weight, minlength=len(term)))
            term += step
            total += step[position]
            moved = max(moved, float(np.abs(step).max()))
        if moved < CLOSE:
            break
    return tuple(replace(margin, terms=term) for margin, term in zip(margins, terms, strict=True))


def step_towards(shares: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """What to add to the terms of values (k,) of such masses so that they have such shares; bounded.

    Values that few rows of the table or no samples hold stay as they are.
    """
    is_open = (shares >= LEAST_SHARE) & (mass > 0)
    step = np.zeros(len(shares))
    step[is_open] = np.log(shares[is_open] / (mass[is_open] / mass.sum()))
    return np.clip(step, -LARGEST_STEP, LARGEST_STEP)
