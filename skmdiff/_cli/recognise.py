"""What the cells of a text column are: numbers, dates, categories, and which of them are missing.

A column is numbers or dates only if all of its cells are, but for missing ones. What is nearly so is refused with the
cell that stands out: as a category of hundreds of values it would be learnt badly, in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .dates import choose_format, date_column, date_formats, odd_dates, parse_dates, without_zone, zone_of
from .dialect import ColumnFormat
from .numbers import NumberStyle, certain_decimal, choose_style, is_code, number_format, parse_numbers, styles_of

MISSING_WORDS = {"", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "#null!", "none", "<na>", "nat"}
# missing among numbers and dates, and words like others elsewhere
MISSING_SIGNS = {"?", "-", "--", ".", "*"}
BOOLEANS = [{"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}]
NEARLY = 0.9
FEW = 20  # distinct numbers that may be names of categories
MANY = 50  # distinct dates that can be no categories


@dataclass(frozen=True)
class ReadOptions:
    """What the user says of a table.

    categorical : columns of categories whatever they look like; missing : more words of missing cells
    decimal : the decimal mark; day_first : whether days stand before months; None to find it out
    kinds : columns whose kind is known, as in a table read before
    """

    categorical: Collection[str] = ()
    missing: Collection[str] = ()
    decimal: str | None = None
    day_first: bool | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnText:
    """The cells of a column as text, missing where they are, and what is needed to name one of them.

    cells : Series of str; distinct : the cells that are not missing, each once
    missing : the commonest word of a missing cell; signs : those that are missing here, and words like others elsewhere
    """

    path: Path
    name: str
    cells: Any
    distinct: list[str]
    missing: str
    lines: np.ndarray
    signs: frozenset[str] = frozenset()

    def error(self, rule: str, cell: str | None = None) -> ValueError:
        """An error that names the file, the column and the line of the first cell like one."""
        line = "" if cell is None else f", line {self.lines[np.argmax((self.cells == cell).to_numpy(dtype=bool))]}"
        return ValueError(f"{self.path}{line}: column {self.name!r} {rule}")


def column_text(path: Path, name: str, cells: Any, lines: np.ndarray, options: ReadOptions) -> ColumnText:
    """The text of a column, with its missing cells found."""
    distinct = cells.unique().tolist()
    missing = {cell for cell in distinct if cell.casefold() in MISSING_WORDS or cell in options.missing}
    rest = [cell for cell in distinct if cell not in missing]
    signs = frozenset(rest) & MISSING_SIGNS
    strong = [cell for cell in rest if cell not in signs]
    if signs and (name in options.categorical or not is_ordered(strong)):
        signs, strong = frozenset(), rest
    missing |= signs
    is_missing = cells.isin(list(missing))
    words = cells[is_missing].value_counts()
    word = "" if words.empty else str(words.index[0])
    return ColumnText(path, name, cells.astype(object).mask(is_missing), strong, word, lines, signs)


def is_ordered(cells: Sequence[str]) -> bool:
    """Whether there are cells, and all are numbers or all dates."""
    return bool(cells) and bool(styles_of(cells) or date_formats(cells))


def marks_of(texts: Sequence[ColumnText], options: ReadOptions) -> ReadOptions:
    """The options with the decimal mark and the order of dates that the columns leave no doubt of."""
    texts = [text for text in texts if text.distinct and text.name not in options.categorical]
    marks = {certain_decimal(text.distinct, styles_of(text.distinct)) for text in texts} - {None}
    decimal = marks.pop() if options.decimal is None and len(marks) == 1 else options.decimal
    return replace(options, decimal=decimal)


def format_of(text: ColumnText, options: ReadOptions) -> ColumnFormat:
    """How the cells of a column are written, with what they are."""
    kind = options.kinds.get(text.name)
    if not text.distinct:
        found = ColumnFormat(text.name, "empty")
    elif text.name in options.categorical or kind in ("category", "boolean"):
        found = category(text)
    else:
        found = ordered_format(text, options) or as_category(text, kind, options)
    return replace(found, missing=text.missing)


def ordered_format(text: ColumnText, options: ReadOptions) -> ColumnFormat | None:
    """The format of numbers or dates; None for others."""
    zone = zone_of(text.distinct)
    dates = without_zone(text.distinct, zone)
    formats = date_formats(dates)
    if formats:
        chosen = choose_format(formats, options.day_first)
        return in_doubt(text) if chosen is None else date_column(text.name, dates, zone, chosen)
    styles = styles_of(text.distinct)
    if not styles:
        return None
    style = choose_style(text.distinct, styles, options.decimal)
    if style is None:
        raise text.error(f"holds {text.distinct[0]!r}: decimals or thousands? Add --decimal , or --decimal .")
    found = number_format(text.name, text.distinct, style)
    if found.kind == "number" or found.thousands or options.decimal is None:
        return found
    # decimals that integers may come to have are written as those of other columns
    return replace(found, decimal=options.decimal)


def in_doubt(text: ColumnText) -> ColumnFormat:
    """Dates whose days and months can be taken for each other: text, refused where that cannot be learnt."""
    if len(text.distinct) > MANY:
        raise text.error(f"holds dates like {text.distinct[0]!r}: day or month first? Add --day-first or --month-first")
    return category(text)


def as_category(text: ColumnText, kind: str | None, options: ReadOptions) -> ColumnFormat:
    """The format of categories; refused for a column that is, or nearly is, one of numbers or dates."""
    odd = odd_cells(text.distinct)
    known = {"integer": "numbers", "number": "numbers", "date": "dates"}.get(kind or "")
    if known:
        first = (odd or text.distinct)[0]
        raise text.error(f"must hold {known} as in the table learnt, got {first!r}", first)
    if odd and len(text.distinct) - len(odd) > FEW and len(odd) <= (1 - NEARLY) * len(text.distinct):
        raise text.error(
            f"holds {odd[0]!r} among numbers or dates. Correct the cell, add --na {odd[0]!r} if it means missing, or "
            f"--categorical {text.name!r}",
            odd[0],
        )
    return category(text)


def odd_cells(cells: Sequence[str]) -> list[str]:
    """The fewest cells without which the others are all numbers or all dates."""
    by_style = []
    for style in (NumberStyle(".", ""), NumberStyle(",", "")):
        odd = [cell for cell in cells if not style.matches(cell)]
        by_style.append(list(cells) if is_code(set(cells) - set(odd)) else odd)
    return min([*by_style, odd_dates(cells)], key=len)


def category(text: ColumnText) -> ColumnFormat:
    """The format of categories."""
    words = {cell.casefold() for cell in text.distinct}
    return ColumnFormat(text.name, "boolean" if words in BOOLEANS else "category")


def parse_cells(text: ColumnText, column: ColumnFormat) -> Any:
    """The column itself: a Series of integers, floats, dates or strings."""
    import pandas as pd

    if column.kind == "empty":
        return pd.Series(np.nan, index=text.cells.index)
    if column.kind in ("integer", "number"):
        return parse_numbers(text.cells, column)
    return parse_dates(text.cells, column) if column.kind == "date" else text.cells
