"""What is said of a table that was read: choices that its reader made and that its owner may know better."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .dates import own_zone
from .dialect import ColumnFormat
from .numbers import bare
from .recognise import ColumnText, ReadOptions

MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")


def reading_notes(
    texts: Sequence[ColumnText], formats: Sequence[ColumnFormat], options: ReadOptions, separator: str
) -> tuple[str, ...]:
    """Lines on missing cells, numbers and dates; `options` have the decimal mark that some column is certain of."""
    columns = [*zip(texts, formats, strict=True)]
    found = sign_notes(columns)
    if separator == ";" and options.decimal is None:
        found += [thousands_note(text) for text, column in columns if is_maybe_thousands(text, column)]
    return (*found, *(zone_note(text, column) for text, column in columns if has_several_zones(text, column)))


def sign_notes(columns: Sequence[tuple[ColumnText, ColumnFormat]]) -> list[str]:
    """A line on each sign that is missing in one column and a category in another."""
    notes = []
    for sign in sorted({sign for text, _ in columns for sign in text.signs}):
        missing = next(text.name for text, _ in columns if sign in text.signs)
        kept = [text.name for text, column in columns if column.is_category and sign in text.distinct]
        if kept:
            where = f"missing in column {missing!r} and a category in column {', '.join(map(repr, kept))}"
            # argparse takes "--" for the end of the options
            way_out = "leave these cells empty" if sign == "--" else f"add --na={sign}"
            notes.append(f"{sign!r} is {where}: {way_out} if it means missing there too")
    return notes


def is_maybe_thousands(text: ColumnText, column: ColumnFormat) -> bool:
    """Whether each number has a point before its last three digits, so that it may be an integer."""
    if column.kind != "number" or column.decimals != 3 or column.decimal != ".":
        return False
    return all(map(MAYBE_THOUSANDS.fullmatch, bare(text.distinct, column.prefix, column.suffix)))


def thousands_note(text: ColumnText) -> str:
    """The line on such a column."""
    return (
        f"column {text.name!r} is read with decimal points, as in {text.distinct[0]!r}: add --decimal , if its points "
        "part thousands, or --decimal . if not"
    )


def has_several_zones(text: ColumnText, column: ColumnFormat) -> bool:
    """Whether the offsets from UTC of dates differ."""
    return bool(column.zone) and any(own_zone(cell, column.zone) != column.zone for cell in text.distinct)


def zone_note(text: ColumnText, column: ColumnFormat) -> str:
    """The line on such a column."""
    return f"column {text.name!r} has dates of several offsets from UTC: they are read, and written, as {column.zone}"
