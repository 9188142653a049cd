"""A privacy report as a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import numpy as np

from .._attacks import UniqueExtreme
from .grades import CANNOT_TELL, CLEAR_SIGN, NO_SIGN, NOT_MEASURED, SOME_SIGN
from .page import written_by
from .parts import TONES, badge, document, head, interval, items, number, paragraph, row, section, table, verdict_card
from .verdict import NO_PROOF, Verdict

HEADS = ("value", "low", "high", "fresh rows", "rows")
HOW_TO_READ = (
    "Each value stands beside its interval and beside what fresh real rows score. The bar goes from 0 to 1: the dot is "
    "the value, the line through it the interval, the upright line what fresh real rows score. Above that synthetic "
    "rows tell of training rows; below it is chance. About one interval in forty is above by chance. Where an excess "
    "of a tenth lies within the interval, a measure cannot tell."
)
MOST_EXTREMES = 20
LEAST_SEEN = 0.1  # an excess of this size within an interval means that it says little


class Reported(Protocol):
    """What a page shows of a privacy report; its measures are of name, value, low, high, fresh, n_rows, meaning."""

    measures: list[Any]
    extremes: list[UniqueExtreme]
    risk: np.ndarray
    is_outlier: np.ndarray
    has_rare_category: np.ndarray
    notes: list[str]

    @property
    def above_fresh(self) -> list[str]: ...


def privacy_verdict(above_fresh: Sequence[str]) -> Verdict:
    """What the measures say, of which some have their whole interval above what fresh rows score."""
    if not above_fresh:
        text = "No measure is above what fresh real rows score by its whole interval."
        return Verdict("privacy", NO_SIGN, f"{text} {NO_PROOF}")
    grade = SOME_SIGN if len(above_fresh) == 1 else CLEAR_SIGN
    text = f"Above what fresh real rows score by the whole interval: {', '.join(above_fresh)}."
    return Verdict("privacy", grade, f"{text} {NO_PROOF}")


def privacy_page(report: Reported) -> str:
    """The whole page."""
    heads = [head("measure"), *(head(text, "number") for text in HEADS), head("from 0 to 1"), head("in a word")]
    # what fresh rows score is itself uncertain for fractions of few: their excess has the interval of the difference
    above = {*report.above_fresh, *(name.removesuffix("_excess") for name in report.above_fresh)}
    rows = [_row(m, m.name in above) for m in report.measures]
    main = [
        section("Verdict", f'<div class="verdicts">\n{verdict_card(*privacy_verdict(report.above_fresh))}\n</div>'),
        section("Measures", paragraph(HOW_TO_READ), table("Measures of privacy", "", heads, rows)),
        section("Extremes of columns", _extremes(report.extremes)) if report.extremes else "",
        section("What was compared", items(map(escape, report.notes))),
    ]
    lead = (
        f"{len(report.risk)} training rows, {report.is_outlier.sum()} outliers among them, and "
        f"{report.has_rare_category.sum()} with a rare category."
    )
    return document("Privacy of synthetic rows", paragraph(lead, "soft"), main, paragraph(written_by()))


def _row(measure: Any, is_above: bool) -> str:
    grade = _grade(measure, is_above)
    name = f'<code>{escape(measure.name)}</code> <span class="sees">{escape(measure.meaning)}</span>'
    numbers = [number(value, label) for value, label in zip(measure[1:6], HEADS, strict=True)]
    drawn = interval(measure.value, measure.low, measure.high, measure.fresh, TONES[grade])
    return row(name, [*numbers, f'<td class="bar">{drawn}</td>', f"<td>{badge(grade)}</td>"])


def _grade(measure: Any, is_above: bool) -> str:
    if math.isnan(measure.value):
        return NOT_MEASURED
    if is_above:
        return SOME_SIGN
    return CANNOT_TELL if measure.high - measure.fresh > LEAST_SEEN else NO_SIGN


def _extremes(extremes: Sequence[UniqueExtreme]) -> str:
    """The ends of columns that one training row holds, those that come back most often first."""
    order = sorted(extremes, key=lambda extreme: -extreme.n_returned)[:MOST_EXTREMES]
    heads = [head("column"), head("end"), head("synthetic rows that hold it", "number")]
    rows = [
        row(escape(str(found.column)), [number(found.end, "end", "end"), number(found.n_returned)]) for found in order
    ]
    note = f"Held by one training row each; {len(extremes)} in all."
    return table("Unique extremes", note, heads, rows)
