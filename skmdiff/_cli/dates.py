"""Dates as text, recognised by all cells of a column; days and months in doubt are never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Any

from .dialect import ColumnFormat

DATES = [
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", "%d.%m.%y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%m-%d-%Y"),
    (r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y"),
    (r"\d{1,2} [A-Za-z]{4,9} \d{4}", "%d %B %Y"),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", "%b %d, %Y"),
    (r"[A-Za-z]{4,9} \d{1,2}, \d{4}", "%B %d, %Y"),
    (r"(19|20)\d{6}", "%Y%m%d"),
]
TIMES = [
    ("", ""),
    (r"{}\d\d:\d\d", "{}%H:%M"),
    (r"{}\d\d:\d\d:\d\d", "{}%H:%M:%S"),
    (r"{}\d\d:\d\d:\d\d\.\d{{1,6}}", "{}%H:%M:%S.%f"),
    (r"{}\d{{1,2}}:\d\d [AaPp][Mm]", "{}%I:%M %p"),
    (r"{}\d{{1,2}}:\d\d:\d\d [AaPp][Mm]", "{}%I:%M:%S %p"),
]
PATTERNS = [
    (re.compile(date + time.format(gap)), date_format + time_format.format(gap))
    for (date, date_format), (time, time_format), gap in product(DATES, TIMES, " T")
]
TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AaPp][Mm])?")
TIME_PART = re.compile(r"[T ]\d{1,2}:.*")
SINGLE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")
LEADING_ZERO = re.compile(r"(?<!\d)0(?=\d)")
ZONE = re.compile(r".*:\d\d(?:\.\d+)?(\s?(?:Z|UTC|[+-]\d\d:?\d\d))")
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
UTC = "+00:00"


def zone_of(cells: Sequence[str]) -> str:
    """The time zone of dates that have a time: what stands behind all, UTC where it differs; empty without one."""
    found = ZONE.fullmatch(cells[0])
    if not found or all(cell.endswith(found[1]) for cell in cells):
        return found[1] if found else ""
    return UTC if all(map(ZONE.fullmatch, cells)) else ""


def own_zone(cell: str, zone: str) -> str:
    """What stands behind one date of a column of a time zone."""
    found = None if cell.endswith(zone) else ZONE.fullmatch(cell)
    return found[1] if found else zone


def without_zone(cells: Sequence[str], zone: str) -> list[str]:
    """The dates of a column without their time zones."""
    return [cell[: len(cell) - len(own_zone(cell, zone))] for cell in cells]


def minutes_ahead(zone: str) -> int:
    """Minutes by which a time zone is ahead of UTC."""
    found = OFFSET.search(zone)
    return int(found[1] + "1") * (60 * int(found[2]) + int(found[3])) if found else 0


def date_formats(cells: Sequence[str]) -> list[str]:
    """The formats in which all distinct cells are dates; two of them where days and months are in doubt."""
    found = dict.fromkeys(date_format for pattern, date_format in PATTERNS if all(map(pattern.fullmatch, cells)))
    return [date_format for date_format in found if are_dates(cells, date_format)]


def are_dates(cells: Sequence[str], date_format: str) -> bool:
    """Whether cells are dates of the calendar."""
    return not read_dates(cells, date_format).isna().any()


def read_dates(cells: Sequence[str], date_format: str) -> Any:
    """A Series of dates, missing where a text is none."""
    import pandas as pd

    return pd.to_datetime(pd.Series(list(cells), dtype=object), format=date_format, errors="coerce")


def odd_dates(cells: Sequence[str]) -> list[str]:
    """The cells that are no dates in the format of most of the first ones; all where these are none."""
    matches = {date_format: sum(map(bool, map(pattern.fullmatch, cells[:20]))) for pattern, date_format in PATTERNS}
    best = max(matches, key=matches.__getitem__)
    if not matches[best]:
        return list(cells)
    return [cell for cell, is_odd in zip(cells, read_dates(cells, best).isna(), strict=True) if is_odd]


def is_in_a_format(cell: str) -> bool:
    """Whether a text looks like a date in one of the formats."""
    return any(pattern.fullmatch(cell) for pattern, _ in PATTERNS)


def choose_format(formats: Sequence[str], day_first: bool | None) -> str | None:
    """The one format, or the one with days before months as it is said; None in doubt."""
    if len(formats) < 2:
        return formats[0] if formats else None
    return next((f for f in formats if day_first is not None and f.startswith("%d") == day_first), None)


def date_column(name: str, cells: Sequence[str], zone: str, date_format: str) -> ColumnFormat:
    """The format of a column of dates, by its distinct cells without their time zone."""
    digits = max(len(cell.rpartition(".")[2]) for cell in cells) if date_format.endswith("%f") else 6
    padded = not any(SINGLE_DIGIT.search(TIME_PART.sub("", cell)) for cell in cells)
    return ColumnFormat(name, "date", date_format=date_format, zone=zone, digits=digits, padded=padded)


def parse_dates(cells: Any, column: ColumnFormat) -> Any:
    """The dates of a Series of text, missing where it is missing."""
    import pandas as pd

    seen = cells.dropna()
    dates = read_dates(without_zone(seen, column.zone), column.date_format)
    zones = [own_zone(cell, column.zone) for cell in seen]
    ahead = {zone: minutes_ahead(zone) - minutes_ahead(column.zone) for zone in set(zones)}
    if any(ahead.values()):
        dates -= pd.to_timedelta([ahead[zone] for zone in zones], "min")
    dates.index = seen.index
    return dates.reindex(cells.index) if len(seen) else pd.Series(pd.NaT, index=cells.index)


def write_date(value: Any, column: ColumnFormat) -> str:
    """One date as its column has them."""
    if not column.date_format:
        return str(value)
    text = value.strftime(column.date_format)
    if column.date_format.endswith("%f"):
        text = text[: len(text) - 6 + column.digits]
    return (text if column.padded else unpadded(text)) + column.zone


def unpadded(text: str) -> str:
    """A date without zeros before its day and month; its time stays."""
    time = "".join(TIME_PART.findall(text))
    return LEADING_ZERO.sub("", text[: len(text) - len(time)]) + time
