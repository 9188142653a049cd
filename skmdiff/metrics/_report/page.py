"""A report as a page, and as a fragment for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from typing import Protocol

from .entries import ColumnMeasure, Measure, PairMeasure, Sizes
from .grades import CANNOT_TELL, CLEAR_SIGN, GOOD, NO_SIGN, NOT_GOOD, SOME_SIGN, USABLE, standing
from .parts import (
    badge,
    bar,
    document,
    facts,
    figures,
    head,
    items,
    number,
    paragraph,
    row,
    section,
    table,
    verdict_card,
)
from .pictures import Picture
from .verdict import Verdict

GROUPS = {
    "columns": ("Columns one by one", "Is each column by itself like the real one?"),
    "pairs of columns": ("Dependences of two columns", "Do columns depend on each other as they do in the real table?"),
    "rows": ("Closeness of rows", "Can rows as a whole be told from real ones?"),
    "coverage": ("Coverage", "Do synthetic rows lie where real rows lie, and everywhere there?"),
    "utility": ("Utility", "Does a model learn from them what it learns from real rows?"),
    "privacy": ("Privacy", "Do synthetic rows lie nearer to training rows than fresh real rows do?"),
}
HOW_TO_READ = (
    "Each value stands beside two others with as many rows: the floor, training rows with each column shuffled "
    "independently, and the ceiling, fresh real rows, the best that can be reached. The bar shows how far the value, a "
    "dot, is from fresh real rows, the line on the right; the other line is the floor."
)
WORDS_CHOSEN = "How the words are chosen"
HOW_GRADED = (
    "Closeness and utility: good up to a quarter of the way from the ceiling to the floor, usable up to six tenths. "
    "Privacy and shape_error have fixed bounds, as their floor is no bad score. No bound is narrower than about two "
    "standard deviations of what chance makes; where floor and ceiling are not farther apart than twice that, "
    "a measure cannot tell. Closeness as a whole has the worst word of shape_error, trend_error, "
    "mutual_information_error, c2st, precision and coverage; privacy has the worst word of all its measures."
)
ROLES = ("Training table", "Synthetic table", "Held-out table")
COLUMN_HEADS = ("shape error", "of fresh rows", "skill, learnt from synthetic", "skill, learnt from real")
MEASURE_HEADS = ("value", "floor", "ceiling", "ideal")


class Reported(Protocol):
    """What a page shows of a report."""

    measures: list[Measure]
    columns: list[ColumnMeasure]
    notes: list[str]
    pairs: Sequence[PairMeasure]
    sizes: Sizes | None
    pictures: Sequence[Picture]
    fitted: dict[str, str] | None
    names: Sequence[str]

    @property
    def verdict(self) -> list[Verdict]: ...


def page_of(report: Reported) -> str:
    """The whole page."""
    main = [
        section("Verdict", f'<div class="verdicts">\n{_cards(report.verdict)}\n</div>') if report.verdict else "",
        section(
            "Measures",
            paragraph(HOW_TO_READ),
            _legend(),
            *_groups(report),
            _details(WORDS_CHOSEN, HOW_GRADED),
        ),
        section("Columns and pairs", *_columns(report.columns), *_pairs(report.pairs)),
        section("Pictures", *figures(report.pictures)) if report.pictures else "",
        section("What was fitted", facts(report.fitted)) if report.fitted else "",
        section("What was compared", items(map(escape, report.notes))),
    ]
    return document("Synthetic rows, measured", _tables(report), main, paragraph(written_by()))


def written_by() -> str:
    """The version of the package and the date."""
    from ... import __version__

    return f"Written by skmdiff {__version__} on {datetime.now():%Y-%m-%d at %H:%M}."


def fragment_of(report: Reported) -> str:
    """The verdict and the measures, without style, for a notebook."""
    said = [
        f"<p><strong>{escape(found.subject.capitalize())}: {escape(found.grade)}.</strong> {escape(found.text)}</p>"
        for found in report.verdict
    ]
    heads = [head(text) for text in ("measure", *MEASURE_HEADS, "grade", "better")]
    rows = [row(escape(m.name), [*map(number, m[2:6]), number(m.grade), number(m.better)]) for m in report.measures]
    return "\n".join([*said, table("Measures", "", heads, rows)])


def _tables(report: Reported) -> str:
    """The names and sizes of the tables."""
    if report.sizes is None:
        return ""
    counts = (report.sizes.train, report.sizes.synthetic, report.sizes.held_out)
    said = [
        f'<span class="soft">{role}</span> {escape(name)} <b>{n}</b> rows'
        for role, name, n in zip(ROLES, report.names, counts, strict=True)
    ]
    return items([*said, f"<b>{report.sizes.columns}</b> columns"], "tables")


def _cards(found: Sequence[Verdict]) -> str:
    return "\n".join(verdict_card(*verdict) for verdict in found)


def _legend() -> str:
    said = {
        f"{badge(GOOD)} {badge(NO_SIGN)}": "as fresh real rows",
        f"{badge(USABLE)} {badge(SOME_SIGN)}": "a difference that can be seen",
        f"{badge(NOT_GOOD)} {badge(CLEAR_SIGN)}": "a large difference",
        badge(CANNOT_TELL): "floor and ceiling are too near to each other",
    }
    return items((f"{badges} {text}" for badges, text in said.items()), "legend")


def _groups(report: Reported) -> list[str]:
    """A table for each group of measures."""
    heads = [
        head("measure"),
        *(head(text, "number") for text in MEASURE_HEADS),
        head("floor to ceiling"),
        head("in a word"),
    ]
    tables = []
    for group, measures in groupby(report.measures, key=lambda m: m.group):
        caption, note = GROUPS[group]
        tables.append(table(caption, note, heads, [_measure_row(m, report.sizes) for m in measures], "measures"))
    return tables


def _measure_row(measure: Measure, sizes: Sizes | None) -> str:
    scores = (measure.value, measure.floor, measure.ceiling, measure.ideal)
    numbers = [number(score, label) for score, label in zip(scores, MEASURE_HEADS, strict=True)]
    drawn = bar(standing(*measure[:1], *measure[2:5], sizes)) if sizes is not None else ""
    name = f'<code>{escape(measure.name)}</code> <span class="sees">{escape(measure.sees)}</span>' + _details(
        "How it misleads", f"{measure.misleads[0].upper()}{measure.misleads[1:]}. Better: {measure.better}."
    )
    return row(name, [*numbers, f'<td class="bar">{drawn}</td>', f'<td class="grade">{badge(measure.grade)}</td>'])


def _details(summary: str, text: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{paragraph(text)}</details>"


def _columns(columns: Sequence[ColumnMeasure]) -> list[str]:
    """The columns, the one that differs most first."""
    order = sorted(columns, key=lambda c: c.shape_ceiling - c.shape_error)
    heads = [head("column"), *(head(text, "number") for text in COLUMN_HEADS)]
    note = (
        "The one that differs most first. Shape error: 0 is ideal, 1 worst. Skill: how well trees predict the column "
        "of held-out rows from the other columns; 0 is a constant guess, 1 no error."
    )
    rows = [row(escape(c.name), [number(v, t) for v, t in zip(c[1:], COLUMN_HEADS, strict=True)]) for c in order]
    return [table("Columns", note, heads, rows)]


def _pairs(pairs: Sequence[PairMeasure]) -> list[str]:
    if not pairs:
        return []
    heads = [head("pair"), head("trend error", "number"), head("of fresh rows", "number")]
    rows = [row(escape(f"{p.first}, {p.second}"), map(number, p[2:])) for p in pairs]
    return [table("Pairs that differ most", "Correlations of numbers, and tables of two columns.", heads, rows)]
