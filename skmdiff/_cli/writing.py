"""DataFrames -> tables in files, written as the table was that they are like; a file is there whole or not at all."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .._numerics.whole_files import replacing, why_not_written
from .arguments import STDOUT
from .dates import write_date
from .dialect import ColumnFormat, Dialect
from .numbers import write_number
from .reading import SUFFIXES
from .text import BINARY

# how files of a kind of table begin
BEGINNINGS = {".parquet": b"PAR1", ".gz": b"\x1f\x8b"}


def check_target(path: Path, inputs: Sequence[Path], force: bool) -> None:
    """Raise unless a file can be written: before minutes are spent on what is to be in it.

    One of the inputs is replaced by force only.
    """
    reason = why_not_written(path)
    if reason:
        raise ValueError(f"{path}: cannot be written, {reason}")
    if not force and path.exists() and any(other.exists() and path.samefile(other) for other in inputs):
        raise ValueError(f"{path}: is read by this command. Write to another file, or add --force to replace it")


def check_former(path: Path, kind: str, is_one: Callable[[Path], bool], force: bool) -> None:
    """Raise unless the file that is to be replaced is of the kind that replaces it, or it is forced."""
    if not force and path.is_file() and path.stat().st_size and not is_one(path):
        raise ValueError(
            f"{path}: is there already and is no {kind}. Write to another file, or add --force to replace it"
        )


def check_no_table_name(path: Path, kind: str, ending: str) -> None:
    """Raise for a file that is no table and is to be named like one."""
    if path.suffix.lower() in SUFFIXES:
        raise ValueError(
            f"{path}: is the name of a table, and a {kind} is to be written. Name it {path.with_suffix(ending).name}"
        )


def check_table_target(path: Path, inputs: Sequence[Path], force: bool) -> None:
    """Raise unless a table can be written."""
    if path == STDOUT:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: a table must be a file {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    check_target(path, inputs, force)
    check_former(path, f"table of {path.suffix}", begins_as_table, force)


def begins_as_table(path: Path) -> bool:
    """Whether a file begins as its name says."""
    with open(path, "rb") as file:
        begin = file.read(4)
    expected = BEGINNINGS.get(path.suffix.lower())
    return begin.startswith(expected) if expected else begin not in BINARY


def write_table_file(frame: Any, dialect: Dialect, path: Path) -> None:
    """Write the columns of a DataFrame as their dialect has them, or as Parquet; to stdout as text."""
    encoding = "utf-8-sig" if dialect.has_mark else "utf-8"
    if path == STDOUT:
        text = io.StringIO()
        write_text(frame, dialect, text, dialect.separator, "")
        write_all(text.getvalue().encode(encoding))
        return
    with replacing(path) as beside:
        if path.suffix.lower() == ".parquet":
            frame.to_parquet(beside, index=False)
            return
        separator = "\t" if ".tsv" in [suffix.lower() for suffix in path.suffixes] else dialect.separator
        write_text(frame, dialect, beside, separator, encoding)


def write_all(data: bytes) -> None:
    """Write bytes to stdout, whose buffer may take a part at a time where Python is unbuffered."""
    rest = memoryview(data)
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.flush()


def write_text(frame: Any, dialect: Dialect, target: Any, separator: str, encoding: str) -> None:
    """Write the cells of a DataFrame as lines of text."""
    header = ["" if dialect[name].is_unnamed else name for name in frame]
    cells = as_text(frame, dialect)
    cells.to_csv(target, index=False, header=header, sep=separator, lineterminator="\n", encoding=encoding)


def as_text(frame: Any, dialect: Dialect) -> Any:
    """The DataFrame of the cells as they are written."""
    import pandas as pd

    columns = {name: write_cells(frame[name], dialect[name]) for name in frame}
    return pd.DataFrame(columns, columns=list(frame.columns))


def write_cells(column: Any, written: ColumnFormat) -> list[str]:
    """The cells of a column as text."""
    write = {"integer": write_number, "number": write_number, "date": write_date}.get(written.kind)
    missing = column.isna().tolist()
    return [
        written.missing if is_missing else str(cell) if write is None else write(cell, written)
        for cell, is_missing in zip(column, missing, strict=True)
    ]
