"""Numbers as text: decimal marks, thousands, currencies and percents, recognised by all cells of a column."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .dialect import ColumnFormat

# (decimal mark, mark of thousands)
STYLES = [(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (",", "\u00a0"), (".", "'"), (".", " ")]
AFFIXES = re.compile(r"([€$£¥]?\s*)(.*?)(\s*[€$£¥%]?)", re.DOTALL)
INTEGER = re.compile(r"[+-]?\d+")
# digits behind the mark, and the mark of the exponent
MANTISSA = re.compile(r"-?\d\.?(\d*)([eE])")
CODE = re.compile(r"[+-]?0\d")
# longer integers are codes: neither int64 nor float holds them
LONGEST = 18


@dataclass(frozen=True)
class NumberStyle:
    """Marks of the numbers of a column."""

    decimal: str
    thousands: str

    def matches(self, text: str) -> bool:
        """Whether a text is a number in this style."""
        return _pattern(self.decimal, self.thousands).fullmatch(text) is not None

    def plain(self, text: str) -> str:
        """The number as Python writes it."""
        return text.replace(self.thousands, "").replace(self.decimal, ".")


_PATTERNS: dict[tuple[str, str], re.Pattern] = {}


def _pattern(decimal: str, thousands: str) -> re.Pattern:
    """The pattern of a number, kept."""
    key = decimal, thousands
    if key not in _PATTERNS:
        mark = re.escape(decimal)
        integers = rf"(\d{{1,3}}({re.escape(thousands)}\d{{3}})+|\d+)" if thousands else r"\d+"
        _PATTERNS[key] = re.compile(rf"[+-]?({integers}({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?")
    return _PATTERNS[key]


def affixes(cells: Sequence[str]) -> tuple[str, str]:
    """What all cells have before and behind: a currency, a percent sign, or nothing."""
    found = AFFIXES.fullmatch(cells[0])
    prefix, suffix = (found[1], found[3]) if found else ("", "")
    alike = all(cell.startswith(prefix) and cell.endswith(suffix) for cell in cells)
    return (prefix, suffix) if alike else ("", "")


def bare(cells: Sequence[str], prefix: str, suffix: str) -> list[str]:
    """Cells without what stands around them."""
    return [cell[len(prefix) : len(cell) - len(suffix)] for cell in cells]


def is_code(cells: Collection[str]) -> bool:
    """Whether cells are texts of digits rather than numbers: with zeros in front, or too long."""
    return any(CODE.match(cell) or INTEGER.fullmatch(cell) and len(cell) > LONGEST for cell in cells)


def styles_of(cells: Sequence[str]) -> list[NumberStyle]:
    """The styles in which all distinct cells are numbers; none for codes.

    A style with a mark of thousands counts only where a cell has one.
    """
    cells = bare(cells, *affixes(cells))
    if is_code(cells):
        return []
    found = [NumberStyle(*style) for style in STYLES if all(map(NumberStyle(*style).matches, cells))]
    if NumberStyle(".", "") in found and not any("." in cell for cell in cells):
        return [NumberStyle(".", "")]  # integers are numbers in every style
    return [style for style in found if not style.thousands or any(style.thousands in cell for cell in cells)]


def certain_decimal(cells: Sequence[str], styles: Sequence[NumberStyle]) -> str | None:
    """The decimal mark that the distinct cells of a column leave no doubt of; None for integers."""
    marks = {style.decimal for style in styles}
    return marks.pop() if len(marks) == 1 and not all(map(INTEGER.fullmatch, cells)) else None


def choose_style(cells: Sequence[str], styles: Sequence[NumberStyle], decimal: str | None) -> NumberStyle | None:
    """One of the styles, by the decimal mark of the file; None in doubt.

    A point alone is a decimal mark unless the file has commas for that.
    """
    likely = [style for style in styles if style.decimal == decimal] or list(styles)
    readings = {tuple(map(style.plain, cells)) for style in likely}
    if len(readings) == 1:
        return likely[0]
    return NumberStyle(".", "") if NumberStyle(".", "") in likely else None


def number_format(name: str, cells: Sequence[str], style: NumberStyle) -> ColumnFormat:
    """The format of a column of numbers, by its distinct cells."""
    prefix, suffix = affixes(cells)
    numbers = bare(cells, prefix, suffix)
    out = ColumnFormat(name, "integer", decimal=style.decimal, thousands=style.thousands, prefix=prefix, suffix=suffix)
    plain = [style.plain(cell) for cell in numbers]
    if all(map(INTEGER.fullmatch, plain)):
        return out
    decimals, exponent = scientific_format(plain)
    if exponent:
        return replace(out, kind="number", decimals=decimals, exponent=exponent)
    counts = {n_decimals(cell) for cell in plain}
    same = counts.pop() if len(counts) == 1 else None
    return replace(out, kind="number", decimals=same, bare_integers=any(map(INTEGER.fullmatch, plain)))


def n_decimals(plain: str) -> int | None:
    """Digits after the mark; None with an exponent."""
    return None if "e" in plain.lower() else len(plain.partition(".")[2])


def scientific_format(plain: Sequence[str]) -> tuple[int, str]:
    """Decimals and the mark of exponents of numbers in scientific notation with as many digits; no mark for others."""
    found = MANTISSA.match(plain[0])
    if found is None:
        return 0, ""
    decimals, exponent = len(found[1]), found[2]
    alike = all(scientific(float(cell), decimals, exponent) == cell for cell in plain)
    return decimals, exponent if alike else ""


def scientific(value: float, decimals: int, exponent: str) -> str:
    """A number in scientific notation."""
    text = f"{value:.{decimals}e}"
    return text.upper() if exponent == "E" else text


def parse_numbers(cells: Any, column: ColumnFormat) -> Any:
    """The numbers of a Series of text, missing where it is missing: of integers, which stay integers, or floats."""
    import pandas as pd

    style = NumberStyle(column.decimal, column.thousands)
    seen = cells.dropna()
    plain = [style.plain(cell) for cell in bare(seen.tolist(), column.prefix, column.suffix)]
    if column.kind == "integer":
        values = pd.Series([int(cell) for cell in plain], index=seen.index, dtype="Int64")
        # a nullable dtype: integers stay integers beside missing cells
        return values.reindex(cells.index) if len(values) < len(cells) else values.astype("int64")
    return pd.Series(np.array(plain, dtype=float), index=seen.index).reindex(cells.index)


def write_number(value: Any, column: ColumnFormat) -> str:
    """One number as its column has them."""
    if column.kind == "integer" and float(value).is_integer():
        text = f"{int(value):,}"
    elif column.exponent:
        text = scientific(value, column.decimals or 0, column.exponent)
    elif column.decimals is not None:
        text = f"{value:,.{column.decimals}f}"
    else:
        text = shortest(value, column.bare_integers or column.kind == "integer")
    marks = str.maketrans({",": column.thousands, ".": column.decimal})
    return f"{column.prefix}{text.translate(marks)}{column.suffix}"


def shortest(value: Any, bare_integers: bool) -> str:
    """The fewest digits that give the number back, with commas between thousands."""
    text = str(value)
    if bare_integers and text.endswith(".0"):
        text = text[:-2]
    return text if "e" in text else grouped(text)


def grouped(text: str) -> str:
    """A number with commas between thousands."""
    integers, mark, decimals = text.partition(".")
    return f"{int(integers):,}{mark}{decimals}" if int(integers) else text
