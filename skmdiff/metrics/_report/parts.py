"""Parts of a page: the document around it, badges, bars, tables and pictures. Texts are escaped here and nowhere else.

Whatever is not of type `str` of these functions' results is text of the user's and goes through `escape`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .grades import CANNOT_TELL, CLEAR_SIGN, GOOD, NO_SIGN, NOT_GOOD, NOT_MEASURED, SOME_SIGN, USABLE, Standing
from .pictures import NO_MATPLOTLIB, Picture, data_uri
from .style import STYLE

_DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdict</a>
<div class="page">
<header>
<h1>{title}</h1>
{lead}
</header>
<main id="main">
{main}
</main>
<footer>
{footer}
</footer>
</div>
</body>
</html>
"""
TONES = {
    GOOD: "good",
    NO_SIGN: "good",
    USABLE: "usable",
    SOME_SIGN: "usable",
    NOT_GOOD: "bad",
    CLEAR_SIGN: "bad",
    CANNOT_TELL: "none",
    NOT_MEASURED: "none",
}
_MARKS = {"good": "●", "usable": "◐", "bad": "○", "none": "–"}
_WIDE, _HIGH, _END = 128, 16, 8
# of the bar from fresh rows to the bad end, the bound of usable; so that the bar of a floor begins at the floor
_USABLE_AT = 0.6


def document(title: str, lead: str, main: Sequence[str], footer: str) -> str:
    """A page of parts that are HTML already, but for the title."""
    return _DOCUMENT.format(
        title=escape(title), style=STYLE, lead=lead, main="\n".join(filter(None, main)), footer=footer
    )


def section(title: str, *parts: str) -> str:
    """A section with a heading of the second order."""
    name = title.lower().replace(" ", "-")
    inside = "\n".join(filter(None, parts))
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(title)}</h2>\n{inside}\n</section>'


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def items(entries: Iterable[str], kind: str = "") -> str:
    """A list of entries that are HTML already."""
    return f"<ul{_class(kind)}>\n" + "\n".join(f"<li>{entry}</li>" for entry in entries) + "\n</ul>"


def badge(grade: str) -> str:
    """The word of a grade, with a mark and a colour."""
    tone = TONES[grade]
    return f'<span class="word {tone}"><span aria-hidden="true">{_MARKS[tone]}</span> {escape(grade)}</span>'


def verdict_card(subject: str, grade: str, text: str) -> str:
    """One verdict: what it is about, the word, and why."""
    heading = f"<h3>{escape(subject.capitalize())} {badge(grade)}</h3>"
    return f'<article class="verdict {TONES[grade]}">\n{heading}\n{paragraph(text)}\n</article>'


def table(caption: str, note: str, heads: Sequence[str], rows: Iterable[str], kind: str = "") -> str:
    """A table that scrolls by itself where the page is narrow; heads and rows are HTML already."""
    said = f"<span>{escape(note)}</span>" if note else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">\n<table{_class(kind)}>\n'
        f"<caption>{escape(caption)}{said}</caption>\n<thead>\n<tr>{''.join(heads)}</tr>\n</thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody>\n</table>\n</div>"
    )


def head(text: str, kind: str = "") -> str:
    """The head of a column."""
    return f'<th scope="col"{_class(kind)}>{escape(text)}</th>'


def row(name: str, cells: Iterable[str]) -> str:
    """A row of a table: its name, HTML already, and its cells."""
    return f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>'


def number(value: float | str, label: str = "", kind: str = "number") -> str:
    """A cell with a number in four digits."""
    return f'<td class="{kind}" data-label="{escape(label)}">{escape(as_text(value))}</td>'


def bar(standing: Standing) -> str:
    """Where a value lies between the bad end, left, and fresh rows, right, on zones of the grades.

    The floor is a line, and fresh rows are one. What lies beyond an end is drawn at that end.
    """
    if standing.grade in (CANNOT_TELL, NOT_MEASURED):
        return '<span class="soft" aria-hidden="true">–</span>'
    length = standing.usable / _USABLE_AT

    def at(excess: float) -> float:
        return _END + (_WIDE - 2 * _END) * min(1.0, max(0.0, 1 - excess / length))

    edges = [_END, at(standing.usable), at(standing.good), _WIDE - _END]
    zones = "".join(
        f'<rect class="of-{tone}" x="{left:.1f}" y="5" width="{right - left:.1f}" height="6"/>'
        for tone, left, right in zip(("bad", "usable", "good"), edges[:-1], edges[1:], strict=True)
    )
    ends = "".join(
        f'<line class="end" x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="14"/>' for x in (at(standing.floor), _WIDE - _END)
    )
    dot = f'<circle class="dot" cx="{at(standing.excess):.1f}" cy="8" r="5.5"/>'
    return (
        f'<svg class="{TONES[standing.grade]}" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" '
        f'role="img" aria-label="{escape(_in_words(standing))}">{zones}{ends}{dot}</svg>'
    )


def _in_words(standing: Standing) -> str:
    return (
        f"worse than fresh rows by {standing.excess:.3g}; good up to {standing.good:.3g}, usable up to "
        f"{standing.usable:.3g}, floor {standing.floor:.3g}"
    )


def interval(value: float, low: float, high: float, fresh: float, tone: str) -> str:
    """A value, its interval and what fresh rows score, from 0 to 1; what lies beyond is drawn at the ends."""
    if math.isnan(value):
        return '<span class="soft" aria-hidden="true">–</span>'

    def at(score: float) -> float:
        return _END + (_WIDE - 2 * _END) * min(1.0, max(0.0, score))

    said = f"{value:.3g}, interval from {low:.3g} to {high:.3g}; fresh rows {fresh:.3g}"
    return (
        f'<svg class="{tone}" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="{said}"><rect class="rail" x="{_END}" y="7" width="{_WIDE - 2 * _END}" height="2"/>'
        f'<rect class="range" x="{at(low):.1f}" y="6" width="{max(1.0, at(high) - at(low)):.1f}" height="4"/>'
        f'<line class="end" x1="{at(fresh):.1f}" y1="1" x2="{at(fresh):.1f}" y2="15"/>'
        f'<circle class="dot" cx="{at(value):.1f}" cy="8" r="4.5"/></svg>'
    )


def facts(entries: Mapping[str, str]) -> str:
    """Names and texts, one a line."""
    inside = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries.items())
    return f"<dl>\n{inside}\n</dl>"


def figures(pictures: Sequence[Picture]) -> list[str]:
    """Pictures with what they say; without matplotlib a sentence that says how to get them."""
    try:
        return [figure(picture) for picture in pictures]
    except ModuleNotFoundError:
        return [paragraph(NO_MATPLOTLIB)]


def figure(picture: Picture) -> str:
    """A picture with its title, what it says, and a text for those who do not see it."""
    image = f'<img alt="{escape(picture.alt)}" src="{data_uri(picture)}">'
    return f"<figure>\n<h3>{escape(picture.title)}</h3>\n{paragraph(picture.text, 'soft')}\n{image}\n</figure>"


def as_text(value: Any) -> str:
    """A number in four digits, anything else as it is."""
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
