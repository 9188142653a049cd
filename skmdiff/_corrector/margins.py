"""Shares that corrected samples are to have: raking, also called iterative proportional fitting.

A classifier that sees whole rows says little of a value which two per cent of them hold and a model draws for three.
Here log-weights get a term for each value that is frequent in a column and for each group of other values, so that
weighted samples have its share of the table, in every column at once. Terms are logarithms of wanted over present
share, added column by column until nothing moves (Deming & Stephan 1940, "On a least squares adjustment of a sampled
frequency table when the expected marginal totals are known"): among all weights with those shares they change the given
ones least, by relative entropy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

LEAST_SHARE = 0.005  # of a value that gets a term of its own, and of a group with a term
GROUP_SHARE = 0.05  # of the values that are put together
ROUNDS = 30
CLOSE = 1e-3  # shares that are wrong by so little of themselves are let be
LARGEST_STEP, LARGEST_TERM = 0.5, 2.0  # of a term in one round, and in all: weights that are cut may not suffice


@dataclass(frozen=True)
class Margin:
    """The groups of neighbouring values of a feature; a frequent value is a group by itself.

    Attributes
    ----------
    edges : (k - 1,) rising, between the groups
    shares : (k + 1,) of the table, that of missing cells last
    terms : (k + 1,) of the logarithm of a sample's weight
    """

    edges: np.ndarray
    shares: np.ndarray
    terms: np.ndarray

    def groups(self, feature: np.ndarray) -> np.ndarray:
        """(n,) the groups of cells (n,) of the feature, k of missing ones."""
        found = np.searchsorted(self.edges, feature, side="right")
        return np.where(np.isnan(feature), len(self.edges) + 1, found)


def margin_of(feature: np.ndarray, weight: np.ndarray | None) -> Margin:
    """The margin of cells (n,) by the weights (n,) of their rows, without a term."""
    weight = np.ones(len(feature)) if weight is None else weight
    there = ~np.isnan(feature)
    values, number = np.unique(feature[there], return_inverse=True)
    shares = np.bincount(number, weight[there], minlength=len(values)) / weight.sum()
    starts = group_starts(shares)
    edges = values[starts - 1] / 2 + values[starts] / 2
    edges = np.where(edges > values[starts - 1], edges, values[starts])  # of neighbouring floats
    group = np.searchsorted(starts, np.arange(len(values)), side="right")
    of_groups = np.bincount(group, shares, minlength=len(starts) + 1)
    return Margin(edges, np.append(of_groups, weight[~there].sum() / weight.sum()), np.zeros(len(starts) + 2))


def group_starts(shares: np.ndarray) -> np.ndarray:
    """Indices of the values, in their order and of such shares (k,), with which a group begins, but for the first."""
    is_frequent = shares >= LEAST_SHARE
    bucket = np.floor(np.cumsum(np.where(is_frequent, 0.0, shares)) / GROUP_SHARE)
    is_start = is_frequent[1:] | is_frequent[:-1] | (np.diff(bucket) > 0)
    return np.flatnonzero(is_start) + 1


def log_terms(margins: tuple[Margin, ...], F: np.ndarray) -> np.ndarray:
    """(n,) the sums of the terms of rows of features F (n, n_margins), of any number where there are no margins."""
    out = np.zeros(len(F))
    for margin, feature in zip(margins, F.T, strict=False):
        out += margin.terms[margin.groups(feature)]
    return out


def raked(
    margins: tuple[Margin, ...], F: np.ndarray, log_weight: np.ndarray, log_cap_of: Callable[[np.ndarray], float]
) -> tuple[Margin, ...]:
    """Margins with terms by which samples have the shares of the table.

    F : features (n, n_margins) of samples
    log_weight : (n,) their log-weights without terms
    log_cap_of : the logarithm at which log-weights (n,) are cut
    """
    groups = [margin.groups(feature) for margin, feature in zip(margins, F.T, strict=True)]
    terms = [margin.terms.copy() for margin in margins]
    total = log_weight + log_terms(margins, F)
    for _ in range(ROUNDS):
        log_cap, moved = log_cap_of(total), 0.0
        for margin, group, term in zip(margins, groups, terms, strict=True):
            weight = np.exp(np.minimum(total, log_cap) - log_cap)
            step = step_towards(margin.shares, np.bincount(group, weight, minlength=len(term)))
            step = np.clip(term + step, -LARGEST_TERM, LARGEST_TERM) - term
            term += step
            total += step[group]
            moved = max(moved, float(np.abs(step).max()))
        if moved < CLOSE:
            break
    return tuple(replace(margin, terms=term) for margin, term in zip(margins, terms, strict=True))


def step_towards(shares: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """What to add to the terms of groups (k,) of such masses so that they have such shares; bounded.

    Groups that few rows of the table or no samples are in stay as they are.
    """
    is_open = (shares >= LEAST_SHARE) & (mass > 0)
    step = np.zeros(len(shares))
    step[is_open] = np.log(shares[is_open] / (mass[is_open] / mass.sum()))
    return np.clip(step, -LARGEST_STEP, LARGEST_STEP)
