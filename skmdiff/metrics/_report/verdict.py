"""What the measures of a report say together, in sentences: on closeness, on utility, on privacy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .entries import ColumnMeasure, Measure, PairMeasure, Sizes
from .grades import (
    CANNOT_TELL,
    CLEAR_SIGN,
    GOOD,
    NO_SIGN,
    NOT_GOOD,
    NOT_MEASURED,
    SOME_SIGN,
    USABLE,
    WORDS,
    is_private,
)

# measures by which closeness is graded; the others say the same again, or with more noise
DECISIVE = ("shape_error", "trend_error", "mutual_information_error", "c2st", "precision", "coverage")
MOST_NAMED = 3
# a column or a pair is named where its error is above that of fresh rows by this, and by what chance makes
LEAST_NAMED, CHANCE_NAMED = 0.05, 1.5
OF_CLOSENESS = {
    GOOD: "The synthetic rows are hardly farther from the held-out rows than fresh real rows are.",
    USABLE: "The synthetic rows follow the real ones, with differences that measures see.",
    NOT_GOOD: "The synthetic rows differ clearly from the real ones.",
    CANNOT_TELL: "The tables are too small, or their columns too independent, to tell rows from shuffled columns.",
}
OF_PRIVACY = {
    NO_SIGN: "No measure finds the synthetic rows nearer to the training rows than fresh real rows are.",
    SOME_SIGN: "The synthetic rows are somewhat nearer to the training rows than fresh real rows are.",
    CLEAR_SIGN: "The synthetic rows tell of single training rows: look closer before you share them.",
    NOT_MEASURED: "Privacy could not be measured.",
}
NO_PROOF = "No measure proves privacy: a better attack may find more."
NOTHING_TO_LEARN = "No column can be predicted from the others, so there is nothing to learn."
FEW_OUTSIDERS = 100


class Verdict(NamedTuple):
    """What the measures of one subject say: a word for all of them, and why."""

    subject: str
    grade: str
    text: str


def verdicts(
    measures: Sequence[Measure], columns: Sequence[ColumnMeasure], pairs: Sequence[PairMeasure], sizes: Sizes
) -> list[Verdict]:
    """The verdicts on closeness, utility and privacy."""
    named = {measure.name: measure for measure in measures}
    return [_of_closeness(named, columns, pairs, sizes), _of_utility(named["utility"]), _of_privacy(named, sizes)]


def worst_grade(grades: Sequence[str], words: Sequence[str], otherwise: str) -> str:
    """The last of the words that is among the grades; `otherwise` if none is."""
    return next((word for word in reversed(words) if word in grades), otherwise)


def _of_closeness(
    named: Mapping[str, Measure], columns: Sequence[ColumnMeasure], pairs: Sequence[PairMeasure], sizes: Sizes
) -> Verdict:
    decisive = [named[name] for name in DECISIVE]
    graded = [m.grade for m in decisive if m.name != "shape_error" or m.grade != GOOD]
    # single columns alone cannot make rows good: shuffled columns have good single columns too
    grade = worst_grade(graded, WORDS["closeness"], CANNOT_TELL)
    parts = [OF_CLOSENESS[grade], _of_trees(named["c2st"]), *_reasons(decisive, grade)]
    near = max(LEAST_NAMED, CHANCE_NAMED / math.sqrt(sizes.compared))
    return Verdict("closeness", grade, " ".join([*parts, _of_columns(columns, near), *_of_pairs(pairs, near)]))


def _of_trees(c2st: Measure) -> str:
    return (
        f"Trees tell them from held-out rows with an area under the ROC curve of {c2st.value:.2f} (fresh real rows "
        f"{c2st.ceiling:.2f}, shuffled columns {c2st.floor:.2f}; 0.5 is a guess)."
    )


def _reasons(measures: Sequence[Measure], grade: str) -> list[str]:
    """The measures to blame for a grade that is not the best, but for the one that has a sentence already."""
    if grade in (GOOD, NO_SIGN, CANNOT_TELL, NOT_MEASURED):
        return []
    to_blame = [f"{m.name} {m.value:.3g} (fresh rows {m.ceiling:.3g})" for m in measures if m.grade == grade]
    return [f"Decisive measures: {', '.join(to_blame)}."]


def _of_columns(columns: Sequence[ColumnMeasure], near: float) -> str:
    """The columns that differ most."""
    far = sorted(
        (c for c in columns if c.shape_error - c.shape_ceiling > near), key=lambda c: c.shape_ceiling - c.shape_error
    )
    if not far:
        return "No single column differs by more than chance makes it."
    shown = [f"{c.name} ({c.shape_error:.2f}, fresh rows {c.shape_ceiling:.2f})" for c in far[:MOST_NAMED]]
    more = f", and {len(far) - MOST_NAMED} more" if len(far) > MOST_NAMED else ""
    return f"Columns that differ most: {', '.join(shown)}{more}."


def _of_pairs(pairs: Sequence[PairMeasure], near: float) -> list[str]:
    """The pair that differs most; the pairs are given in this order."""
    if not pairs or not pairs[0].trend_error - pairs[0].trend_ceiling > near:
        return []
    worst = pairs[0]
    return [
        f"Pair that differs most: {worst.first} and {worst.second} ({worst.trend_error:.2f}, fresh rows "
        f"{worst.trend_ceiling:.2f})."
    ]


def _of_utility(utility: Measure) -> Verdict:
    if math.isnan(utility.value):
        return Verdict("utility", NOT_MEASURED, NOTHING_TO_LEARN)
    text = (
        f"Trees that learn from the synthetic rows are {utility.value:.0%} as good at predicting the columns of "
        f"held-out rows as trees that learn from real rows (shuffled columns {utility.floor:.0%})."
    )
    return Verdict("utility", utility.grade, text)


def _of_privacy(named: Mapping[str, Measure], sizes: Sizes) -> Verdict:
    private = [m for m in named.values() if is_private(m.name)]
    grade = worst_grade([m.grade for m in private], WORDS["privacy"], NOT_MEASURED)
    copies, attack = named["copy_share"], named["membership_auc"]
    said = (
        f"{copies.value:.1%} of the synthetic rows equal a training row (fresh real rows {copies.ceiling:.1%}); an "
        f"attack by distance finds training rows with an area under the ROC curve of {attack.value:.2f} (fresh "
        f"real rows {attack.ceiling:.2f}; 0.5 is a guess)."
    )
    few = f"With {sizes.outsiders} outsiders only strong signs can be seen." if sizes.outsiders < FEW_OUTSIDERS else ""
    parts = [OF_PRIVACY[grade], said, *_reasons(private, grade), few, NO_PROOF]
    return Verdict("privacy", grade, " ".join(filter(None, parts)))
