"""A word for each measure: how much worse a value is than that of fresh real rows.

The excess of a measure is how much worse its value is than its ceiling, or than the ideal where chance made the ceiling
better than that. It is put beside two bounds:

- closeness and utility: good up to a quarter of the way from the ceiling to the floor, usable up to six tenths;
- privacy and `shape_error`, whose floor is no bad score: fixed bounds, `RULES`.

No bound is below what chance makes: about two standard deviations of the difference between two tables of the same
distribution with as many rows. This falls with the number of rows, mostly as its square root, and slowly with the
number of columns or pairs of which a measure is the mean. Where floor and ceiling are not farther apart than twice
that, a measure cannot tell.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .entries import FACTS, PRIVACY, Sizes

GOOD, USABLE, NOT_GOOD = "good", "usable", "not good"
NO_SIGN, SOME_SIGN, CLEAR_SIGN = "no sign", "some sign", "clear sign"
CANNOT_TELL, NOT_MEASURED = "cannot tell", "not measured"
WORDS = {"closeness": (GOOD, USABLE, NOT_GOOD), PRIVACY: (NO_SIGN, SOME_SIGN, CLEAR_SIGN)}
NEAR, FAR = 0.25, 0.6  # of the way from the ceiling to the floor


class Rule(NamedTuple):
    """How a measure is graded.

    chance : excess that chance makes, times the number of rows to the power
    of : what the number of rows is that of, a field of `Sizes`
    bounds : of good and usable where the floor is no bad score
    spread : "columns" or "pairs" of which the measure is a mean, "" for one of whole rows
    power : of the number of rows by which chance falls; 1 for squared distances and for informations
    """

    chance: float
    of: str = "compared"
    bounds: tuple[float, float] | None = None
    spread: str = ""
    power: float = 0.5


RULES = {
    "shape_error": Rule(0.6, bounds=(0.03, 0.1), spread="columns"),
    "trend_error": Rule(0.4, spread="pairs"),
    "mutual_information_error": Rule(1.9, spread="pairs", power=1),
    "c2st": Rule(1.2),
    "energy_distance": Rule(0.7),
    "mmd": Rule(0.7, power=1),
    "precision": Rule(1.0),
    "recall": Rule(1.0),
    "density": Rule(3.0),
    "coverage": Rule(1.0),
    "vendi_ratio": Rule(2.0),
    "utility": Rule(3.0),
    "copy_share": Rule(0.0, "fresh", (0.0, 0.03)),
    "dcr_share": Rule(1.0, "outsiders", (0.05, 0.15)),
    "dcr_ratio": Rule(1.5, "fresh", (0.1, 0.4)),
    "membership_tpr": Rule(0.3, "outsiders", (0.02, 0.1)),
    "membership_auc": Rule(0.7, "outsiders", (0.05, 0.15)),
    "memorisation_excess": Rule(0.7, "fresh", (0.02, 0.15)),
}


class Standing(NamedTuple):
    """Where a value stands: its excess and that of the floor, the bounds of good and usable, and the word."""

    excess: float
    floor: float
    good: float
    usable: float
    grade: str


def standing(name: str, value: float, floor: float, ceiling: float, sizes: Sizes) -> Standing:
    """The standing of a measure of a name."""
    excess, gap = (_excess(name, score, ceiling) for score in (value, floor))
    good, usable = bounds(name, gap, ceiling, sizes)
    return Standing(excess, gap, good, usable, _word(name, excess, gap, good, usable, sizes))


def bounds(name: str, gap: float, ceiling: float, sizes: Sizes) -> tuple[float, float]:
    """The greatest excess that is good, and the greatest that is usable."""
    chance = by_chance(name, ceiling, sizes)
    good, usable = RULES[name].bounds or (NEAR * gap, FAR * gap)
    return _larger(good, chance), _larger(usable, 2 * chance)


def by_chance(name: str, ceiling: float, sizes: Sizes) -> float:
    """The excess that chance makes."""
    rule = RULES[name]
    n = getattr(sizes, rule.of)
    if name == "copy_share":  # a count of few
        return max(1 / n, 2 * math.sqrt(max(0.0, ceiling * (1 - ceiling)) / n))
    pairs = sizes.columns * (sizes.columns - 1) / 2
    n_means = {"": 1, "columns": sizes.columns, "pairs": pairs}[rule.spread]
    return rule.chance / n**rule.power / max(1.0, n_means) ** 0.25


def _larger(bound: float, chance: float) -> float:
    """The larger of two, where the first one may be unknown."""
    return chance if math.isnan(bound) else max(bound, chance)


def is_private(name: str) -> bool:
    """Whether a measure is one of privacy."""
    return FACTS[name].group == PRIVACY


def _word(name: str, excess: float, gap: float, good: float, usable: float, sizes: Sizes) -> str:
    words = WORDS[PRIVACY if is_private(name) else "closeness"]
    if math.isnan(excess):
        return NOT_MEASURED
    if RULES[name].bounds is None and not gap > usable and excess <= usable:
        return CANNOT_TELL
    return words[0] if excess <= good else words[1] if excess <= usable else words[2]


def _excess(name: str, score: float, ceiling: float) -> float:
    """How much worse a score is than the ceiling, negative where it is better."""
    ideal, better = FACTS[name].ideal, FACTS[name].better
    if better.startswith("lower"):
        return score - (ceiling if ideal is None else max(ceiling, ideal))
    if better.startswith("higher") and name != "density":
        return ceiling - score
    if name == "dcr_ratio":  # only nearer is worse
        return min(ceiling, 1.0) - score
    return score - ceiling if name == "copy_share" else abs(score - ceiling)
