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

from .console import counted

SEPARATORS = ",;\t|"
SNIFFED_LINES = 100
# byte-order marks and how what follows is read
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
BINARY = {b"PK\x03\x04": "a spreadsheet or archive", b"\xd0\xcf\x11\xe0": "a spreadsheet", b"PAR1": "Parquet"}


@dataclass(frozen=True)
class RawTable:
    """The cells of a text file.

    cells : DataFrame of str, without spaces around them; header : the names as they stand there, some maybe empty
    lines : (n_rows,) the line of the file that each row begins on
    has_mark : whether the file begins with a byte-order mark
    """

    cells: Any
    header: list[str]
    lines: np.ndarray
    separator: str
    has_mark: bool


def read_text_table(path: Path) -> RawTable:
    """Read the cells of a text file with a header line."""
    data = unzip(path, path.read_bytes())
    text, skipped = without_hint(decode(path, data))
    try:
        separator = separator_of(text)
        header, width, lines = check_lines(path, text, separator, skipped)
    except csv.Error as error:
        line, reason = error.args
        raise ValueError(
            f"{path}, line {line + skipped}: cannot be read as lines of cells, {reason}. Close the quote that opens "
            "there."
        ) from error
    cells = parse(path, text, separator, names_of(header), width, lines[-1])
    return RawTable(cells, header, lines, separator, data.startswith(tuple(MARKS)))


def decode(path: Path, data: bytes) -> str:
    """The text of a file."""
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
    """The rows of a table that are not empty, each with its first line, from 1, and its cells without spaces around."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(line, str(error)) from error


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
    """The header, how many cells the longest line has, and the line of each row."""
    rows = rows_of(text, separator)
    _, header = next(rows, (0, []))
    check_titles(path, text, separator if n_filled(header) > 1 else SEPARATORS, skipped)
    names, n_named = check_header(path, header, skipped + 1), n_filled(header)
    numbers, width, n_columns = [], len(header), n_named
    for line, cells in rows:
        check_width(path, line + skipped, cells, names, n_named)
        numbers.append(line + skipped)
        width, n_columns = max(width, len(cells)), max(n_columns, n_filled(cells))
    if not numbers:
        raise ValueError(f"{path}: must hold rows below its header line, got none")
    # separators behind the last name are a column without one only where cells stand there
    return header[:n_columns], width, np.array(numbers)


def check_titles(path: Path, text: str, separators: str, skipped: int) -> None:
    """Raise where the first lines have fewer cells than all that follow: titles or comments above the header."""
    for separator in separators:
        rows = [*islice(rows_of(text, separator), SNIFFED_LINES)]
        k = header_row([cells for _, cells in rows])
        if k:
            (line, cells), (first, names) = rows[0], rows[k]
            raise ValueError(
                f"{path}, line {line + skipped}: does not look like the header, it has "
                f"{counted(n_filled(cells), 'cell')} and each line from line {first + skipped} on {len(names)}. Delete "
                f"the lines above line {first + skipped}, or quote cells that hold the separator."
            )


def header_row(rows: list[list[str]]) -> int:
    """The first row of names from which on all rows have as many cells as none above; 0 for none but the first."""
    if not rows:
        return 0
    widths = [n_filled(cells) for cells in rows]
    width = max(widths)
    k = widths.index(width)
    alike = all(len(cells) >= width for cells in rows[k:])
    are_names = not any(cell == "" or is_number(cell) for cell in rows[k][:width])
    # names of the first columns alone are a header too
    is_title = widths[0] < 2 or k > 1 and len(rows[0]) < width
    return k if 1 < width and k < len(rows) - 1 and alike and are_names and is_title else 0


def check_header(path: Path, names: list[str], line: int) -> list[str]:
    """The names of the columns; those of columns without one are made up."""
    if not any(names):
        raise ValueError(f"{path}: is empty: it must hold a header line with the names of the columns, and rows")
    if all(is_number(name) for name in names):
        raise ValueError(f"{path}, line {line}: holds numbers, not the names of columns. Add a header line.")
    named = names_of(names)
    for k, name in enumerate(named):
        if name in named[:k]:
            first = named.index(name) + 1
            raise ValueError(
                f"{path}, line {line}: columns {first} and {k + 1} have the same name, {name!r}. Rename one."
            )
    return named


def names_of(header: list[str]) -> list[str]:
    """The names of the columns; those of columns without one are made up as pandas does."""
    return [name or f"Unnamed: {k}" for k, name in enumerate(header)]


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_width(path: Path, line: int, cells: list[str], names: list[str], n_named: int) -> None:
    """Raise unless a row has a cell for each of the first `n_named` names, and nothing behind but empty cells."""
    if n_named <= len(cells) and n_filled(cells) <= len(names):
        return
    broken = next((cell for cell in cells if "\n" in cell), "")
    if broken:
        raise ValueError(
            f"{path}, line {line}: opens a quote that is closed {counted(broken.count(chr(10)), 'line')} below or "
            "never. Close the quote, or double it where it is part of the text."
        )
    if len(cells) < n_named:
        raise ValueError(
            f"{path}, line {line}: has {counted(len(cells), 'cell')} for {counted(n_named, 'column')}; column "
            f"{names[len(cells)]!r} is the first without one. Complete the line, or quote cells that hold line breaks."
        )
    raise ValueError(
        f"{path}, line {line}: has {counted(n_filled(cells), 'cell')} for {counted(len(names), 'column')}; "
        f"{cells[len(names)]!r} stands behind the last column, {names[-1]!r}. Quote cells that hold the separator."
    )


def parse(path: Path, text: str, separator: str, names: list[str], width: int, last: int) -> Any:
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
        raise ValueError(
            f"{path}: cannot be read as lines of cells, line {last} opens a quote that is never closed. "
            "Close the quote, or double it where it is part of the text."
        ) from error
    table.columns = names
    return table.fillna("").apply(lambda column: column.str.strip())
