"""Columns that tell rows apart: recognised, and made new for new rows."""

from __future__ import annotations

import re
import uuid
from typing import Any

import numpy as np

from .._table.codec import IDENTIFIER_ROWS
from .._table.identifiers import looks_like_identifier
from .dates import TIME_OF_DAY, is_in_a_format, odd_dates
from .dialect import LEARNT, Numbering
from .reading import TableFile

NUMBERED = re.compile(r"(\D*)(\d+)(\D*)")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_numbered_on(column: Any) -> bool:
    """Whether a column is of distinct integers that fill their range or count up."""
    seen = column.dropna()
    return seen.dtype.kind in "iu" and looks_like_identifier(seen.to_numpy(dtype="int64"))


def is_free_text(column: Any) -> bool:
    """Whether a column has so many different texts that they are no categories."""
    if column.dtype.kind not in {"O", "T"} and str(column.dtype) not in ("str", "string"):
        return False
    seen = column.dropna()
    return len(seen) > IDENTIFIER_ROWS and seen.nunique() > len(seen) / 2


def identifier_notes(table: TableFile) -> list[str]:
    """A line on each column that is learnt though it looks like an identifier."""
    return [
        f"column {name!r} looks like an identifier, samples repeat its values: add --id {name!r} for new ones or "
        f"--drop {name!r}"
        for name in table.dialect.names(LEARNT)
        if is_numbered_on(table.frame[name])
    ]


def free_text_notes(table: TableFile, *, may_be_new: bool = True) -> list[str]:
    """A line on each column that is to be learnt and cannot; `may_be_new` says whether the command has --id."""
    names = [name for name in table.dialect.names(LEARNT) if is_free_text(table.frame[name])]
    return [free_text_note(name, table.frame[name], may_be_new) for name in names]


def free_text_note(name: str, column: Any, may_be_new: bool) -> str:
    """The line on one of them."""
    if why := dates_unread(column):
        return f"column {name!r} {why}, or add --drop {name!r}"
    way_out = (
        f"--drop {name!r}" if not may_be_new or pattern_of(column) is None else f"--id {name!r} or --drop {name!r}"
    )
    counts = f"{column.nunique()} different texts in {column.notna().sum()} rows"
    return f"column {name!r} is an identifier or free text, {counts}: add {way_out}"


def dates_unread(column: Any) -> str:
    """What is said of texts that are dates or times to the eye; empty for others."""
    cells = [str(cell) for cell in column.dropna().unique()]
    if all(map(TIME_OF_DAY.fullmatch, cells)):
        return f"holds times of day, such as {cells[0]!r}, which are not read: write them as numbers or whole dates"
    if all(map(is_in_a_format, cells)):
        odd = next(iter(odd_dates(cells)), cells[-1])
        usual = next((cell for cell in cells if cell != odd), odd)
        return f"holds dates in several formats, such as {usual!r} and {odd!r}: write all in one"
    return ""


def numbering_of(table: TableFile, name: str) -> Numbering:
    """How the identifiers of a column go on."""
    found = pattern_of(table.frame[name])
    if found is None:
        raise ValueError(
            f"{table.path}: column {name!r} cannot be given new identifiers, its cells are no integers, no numbers "
            f"between the same letters and no UUIDs: add --drop {name!r} instead"
        )
    return found


def pattern_of(column: Any) -> Numbering | None:
    """The pattern of all identifiers of a column; None without one."""
    cells = [str(cell) for cell in column.dropna().unique().tolist()]
    if column.dtype.kind in "iu" and cells:
        return Numbering("number", last=max(map(int, cells)))
    if cells and all(map(UUID.fullmatch, cells)):
        return Numbering("uuid")
    parts = [found.groups() for cell in cells if (found := NUMBERED.fullmatch(cell))]
    if len(parts) < len(cells) or len({(prefix, suffix) for prefix, _, suffix in parts}) != 1:
        return None
    width = min(len(number) for _, number, _ in parts)
    return Numbering("number", parts[0][0], parts[0][2], width, max(int(number) for _, number, _ in parts))


def new_identifiers(numbering: Numbering, kind: str, n: int, rng: np.random.Generator) -> list:
    """So many identifiers that the table does not have."""
    if numbering.kind == "uuid":
        return [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)]
    numbers = range(numbering.last + 1, numbering.last + 1 + n)
    if kind == "integer":
        return list(numbers)
    return [f"{numbering.prefix}{number:0{numbering.width}d}{numbering.suffix}" for number in numbers]
