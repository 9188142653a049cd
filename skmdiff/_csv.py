"""A table from a CSV file and back, with or without pandas.

`read_csv` gives every column one kind. A column is numeric when each of its cells reads as a number (an empty
cell reads as nan), whole-number columns hold ints; every other column is categorical. `assemble` puts the
columns into a DataFrame (int64, float64, category) or into an object array of shape (n_rows, n_columns).
"""

import csv
import gzip
import importlib.util
import math

import numpy as np

from ._table.frames import native_column


def has_pandas():
    """Whether pandas can be imported; it is not imported for the answer."""
    return importlib.util.find_spec("pandas") is not None


def read_csv(path):
    """Read a CSV file with a header line, plain or gzipped.

    Returns
    -------
    names : list of str
    columns : list of list
        One list of cells per column: int, float or str.
    is_categorical : list of bool
    """
    opener = gzip.open if str(path).endswith(".gz") else open
    # utf-8-sig: spreadsheets put a byte-order mark before the first name
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    _check_rows(path, header, rows)
    columns = [_typed(cells) for cells in zip(*rows, strict=True)]
    return header, columns, [isinstance(cells[0], str) for cells in columns]


def _check_rows(path, header, rows):
    if not rows:
        raise ValueError(f"{path} must hold a header line and at least one row, got {len(header)} names only")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ValueError(f"{path}: column names must differ, got {repeated[0]!r} more than once")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ValueError(f"{path}: every row must have {len(header)} cells, row {number} has {len(row)}")


def _typed(cells):
    """The cells as ints or floats if every one of them reads so, else as str."""
    for kind in (int, _number):
        try:
            return [kind(_plain(cell)) for cell in cells]
        except ValueError:
            continue
    return list(cells)


def _plain(cell):
    """The cell, unless Python alone would read it as a number: 1_2 is a code."""
    if "_" in cell:
        raise ValueError(cell)
    return cell


def _number(cell):
    return float(cell) if cell.strip() else math.nan


def assemble(names, columns, is_categorical, *, as_frame):
    """The columns as a DataFrame, or as an object array for lack of one."""
    if not as_frame:
        table = np.empty((len(columns[0]), len(columns)), dtype=object)
        for j, cells in enumerate(columns):
            table[:, j] = cells
        return table
    import pandas as pd

    return pd.DataFrame(
        {
            name: pd.Categorical(cells) if categorical else np.asarray(cells)
            for name, cells, categorical in zip(names, columns, is_categorical, strict=True)
        }
    )


def write_csv(path, names, table):
    """Write a DataFrame or a 2-D array with a header line."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        # column by column: as one array integers beside floats would be floats
        columns = [np.asarray(native_column(table, j), dtype=object).tolist() for j in range(len(names))]
        writer.writerows(zip(*columns, strict=True))
