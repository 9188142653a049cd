"""Tables in files -> DataFrames, and how each stands in its file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .dialect import ColumnFormat, Dialect
from .notes import reading_notes
from .recognise import ReadOptions, column_text, format_of, marks_of, parse_cells
from .text import read_text_table

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")


@dataclass(frozen=True)
class TableFile:
    """A table that was read from a file.

    frame : DataFrame of all its columns
    dialect : how they stand in the file
    notes : what its owner may know better than its reader
    """

    path: Path
    frame: Any
    dialect: Dialect
    notes: tuple[str, ...] = ()

    def select(self, names: Collection[str]) -> Any:
        """The DataFrame of some columns, in their order; an error names the first that is not there."""
        self.check_names(names)
        return self.frame[list(names)]

    def check_names(self, names: Collection[str], option: str = "") -> None:
        """Raise for a name that no column has."""
        for name in names:
            if name not in self.frame.columns:
                asked = f"{option} {name!r} is" if option else f"{name!r} is"
                raise ValueError(f"{self.path}: {asked} none of its columns: {', '.join(self.frame.columns)}")


def read_table_file(path: Path, options: ReadOptions | None = None) -> TableFile:
    """Read a table from a text file with a header line, zipped or not, or from Parquet.

    Raises
    ------
    ValueError
        For a file that cannot be read without a guess; the message names file, line and column, and what to do.
    """
    options = ReadOptions() if options is None else options
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: a table must be a file {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    out = read_parquet(path) if path.suffix.lower() == ".parquet" else read_text(path, options)
    out.check_names(options.categorical, "--categorical")
    return out


def read_like(path: Path, known: Dialect, options: ReadOptions | None = None) -> TableFile:
    """Read a table whose columns are of the kinds of another one, though maybe in other words and marks."""
    options = ReadOptions() if options is None else options
    return read_table_file(
        path,
        replace(
            options,
            kinds={column.name: column.kind for column in known.columns},
            day_first=known.day_first if options.day_first is None else options.day_first,
        ),
    )


def read_text(path: Path, options: ReadOptions) -> TableFile:
    """The columns of a text file, each recognised by all of its cells."""
    import pandas as pd

    raw = read_text_table(path)
    texts = [column_text(path, name, raw.cells[name], raw.lines, options) for name in raw.cells]
    options = marks_of(texts, options)
    formats = [
        replace(format_of(text, options), is_unnamed=not name) for text, name in zip(texts, raw.header, strict=True)
    ]
    columns = {text.name: parse_cells(text, column) for text, column in zip(texts, formats, strict=True)}
    dialect = Dialect(tuple(formats), raw.separator, has_mark=raw.has_mark)
    return TableFile(path, pd.DataFrame(columns), dialect, reading_notes(texts, formats, options, raw.separator))


def read_parquet(path: Path) -> TableFile:
    """The columns of a file of Parquet, in its dtypes."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path).reset_index(drop=True)
    except ImportError as error:
        raise ValueError(f"{path}: Parquet needs pyarrow, which is not installed: pip install pyarrow") from error
    except (ValueError, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise ValueError(f"{path}: cannot be read as Parquet: {error}") from error
    frame.columns = frame.columns.map(str)
    return TableFile(path, frame, dialect_of(frame))


def dialect_of(frame: Any) -> Dialect:
    """The dialect of a DataFrame that no text file holds: commas, points and dates of ISO 8601."""
    return Dialect(tuple(typed_format(name, frame[name]) for name in frame))


def typed_format(name: str, column: Any) -> ColumnFormat:
    """The format of a column that has a dtype."""
    kinds = {"i": "integer", "u": "integer", "f": "number", "M": "date", "b": "boolean"}
    if column.isna().all():
        return ColumnFormat(name, "empty")
    return ColumnFormat(name, kinds.get(column.dtype.kind, "category"))
