"""A text file -> cells as text: encoding, separator, header and the shape of its lines.

Every error names the file and the line.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

SEPARATORS = ",;\t|"
SNIFFED_LINES = 100
# byte-order marks and how what follows is read
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
BINARY = {b"PK\x03\x04": "a spreadsheet or archive", b"\xd0\xcf\x11\xe0": "a spreadsheet", b"PAR1": "Parquet"}


@dataclass(frozen=True)
class RawTable:
    """The cells of a text file.

    cells : DataFrame of str, without spaces around them
    lines : (n_rows,) the line of the file that each row ends on
    """

    cells: Any
    lines: np.ndarray
    separator: str


def read_text_table(path: Path) -> RawTable:
    """Read the cells of a text file with a header line."""
    text, skipped = without_hint(decode(path))
    separator = separator_of(text)
    names, width, lines = check_lines(path, text, separator, skipped)
    cells = parse(path, text, separator, names, width)
    return RawTable(cells, lines, separator)


def decode(path: Path) -> str:
    """The text of a file, unzipped where it is zipped."""
    data = unzip(path, path.read_bytes())
    found = next((what for mark, what in BINARY.items() if data.startswith(mark)), None)
    if found is not None:
        raise ValueError(f"{path}: is {found}, not text. Save it as CSV, or as .parquet.")
    encoding = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None)
    if encoding is None and b"\0" in data:
        raise ValueError(f"{path}: holds zero bytes: it is not text, or UTF-16 without a mark. Save it as UTF-8.")
    for name in [encoding] if encoding else ["utf-8", "cp1252", "latin-1"]:
        try:
            return data.decode(name)
        except UnicodeDecodeError as error:
            refused = error
    raise ValueError(f"{path}: cannot be read as {encoding}: {refused.reason}. Save it as UTF-8.")


def unzip(path: Path, data: bytes) -> bytes:
    """The bytes of a file of gzip, or of any other."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: is a broken gzip file: {error}") from error


def without_hint(text: str) -> tuple[str, int]:
    """The text without a first line like "sep=;" as spreadsheets write it, and how many lines that is."""
    first, _, rest = text.partition("\n")
    return (rest, 1) if first.strip().lower().startswith("sep=") else (text, 0)


def rows_of(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of a table that are not empty, each with its number, from 1, and its cells without spaces around."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if cells:
            yield reader.line_num, [cell.strip() for cell in cells]


def separator_of(text: str) -> str:
    """The separator under which the first lines have as many cells as the header, two or more; of several the most."""

    def fits(separator: str) -> tuple[bool, int]:
        widths = [n_filled(cells) for _, cells in islice(rows_of(text, separator), SNIFFED_LINES)]
        width = widths[0] if widths else 1
        return width > 1 and max(widths) <= width, width

    return max(SEPARATORS, key=fits)


def n_filled(cells: list[str]) -> int:
    """Cells of a line up to the last one that is not empty."""
    return max((k + 1 for k, cell in enumerate(cells) if cell), default=0)


def check_lines(path: Path, text: str, separator: str, skipped: int) -> tuple[list[str], int, np.ndarray]:
    """The names in the header, how many cells the longest line has, and the line of each row."""
    try:
        rows = rows_of(text, separator)
        _, header = next(rows, (0, []))
        names = check_header(path, header[: n_filled(header)] or header, skipped + 1)
        numbers, width = [], len(header)
        for line, cells in rows:
            check_width(path, line + skipped, cells, names)
            numbers.append(line + skipped)
            width = max(width, len(cells))
    except csv.Error as error:
        raise ValueError(f"{path}: cannot be read as lines of cells: {error}") from error
    if not numbers:
        raise ValueError(f"{path}: must hold rows below its header line, got none")
    return names, width, np.array(numbers)


def check_header(path: Path, names: list[str], line: int) -> list[str]:
    """The names of the columns; those of columns without one are made up as pandas does."""
    if not any(names):
        raise ValueError(f"{path}: is empty: it must hold a header line with the names of the columns, and rows")
    if all(is_number(name) for name in names):
        raise ValueError(f"{path}, line {line}: holds numbers, not the names of columns. Add a header line.")
    named = [name or f"Unnamed: {k}" for k, name in enumerate(names)]
    for k, name in enumerate(named):
        if name in named[:k]:
            first = named.index(name) + 1
            raise ValueError(
                f"{path}, line {line}: columns {first} and {k + 1} have the same name, {name!r}. Rename one."
            )
    return named


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_width(path: Path, line: int, cells: list[str], names: list[str]) -> None:
    """Raise unless a line has a cell for each name, and nothing behind but empty cells."""
    if len(cells) < len(names):
        raise ValueError(
            f"{path}, line {line}: has {len(cells)} cells for {len(names)} columns; column {names[len(cells)]!r} is "
            "the first without one. Complete the line, or quote cells that hold line breaks."
        )
    if n_filled(cells) > len(names):
        raise ValueError(
            f"{path}, line {line}: has {n_filled(cells)} cells for {len(names)} columns; {cells[len(names)]!r} stands "
            f"behind the last column, {names[-1]!r}. Quote cells that hold the separator."
        )


def parse(path: Path, text: str, separator: str, names: list[str], width: int) -> Any:
    """The DataFrame of all cells as text, without the empty columns behind the last name."""
    import pandas as pd

    try:
        table = pd.read_csv(
            io.StringIO(text, newline=""),
            sep=separator,
            header=0,
            names=range(width),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skipinitialspace=True,
        ).iloc[:, : len(names)]
    except pd.errors.ParserError as error:
        raise ValueError(f"{path}: cannot be read as lines of cells: {error}. Close its quotes.") from error
    table.columns = names
    return table.apply(lambda column: column.str.strip())
