"""One native column of a table <-> a numpy array of the cells that hold something, and where the gaps are.

The array is of numbers, of bools, of datetime64 or timedelta64 (in the unit of the column; instants in UTC), or of
objects: strings, or the values of a category dtype. NaN, None, pd.NA, NaT and the null of polars are gaps.
Every error names the column, the rule and what was found.
"""

import numbers
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np

MISSING_TYPES = ("NoneType", "NAType", "NaTType")


class Cells(NamedTuple):
    """The cells of a column that hold something (m,), and which of its n cells do not (n,)."""

    observed: np.ndarray
    missing: np.ndarray

    def without(self, rows):
        """The same with some of the observed cells (m,) as gaps."""
        if not rows.any():
            return self
        missing = self.missing.copy()
        missing[~missing] = rows
        return Cells(self.observed[~rows], missing)

    def take(self, rows) -> "Cells":
        """The cells of some rows, by their indices."""
        missing = self.missing[rows]
        index = np.cumsum(~self.missing) - 1
        return Cells(self.observed[index[rows][~missing]], missing)


def is_polars_column(column):
    return hasattr(column, "drop_nulls")


def is_category(dtype):
    """Whether a dtype is the category of pandas."""
    return hasattr(dtype, "categories") and hasattr(dtype, "ordered")


def read_cells(column, name) -> Cells:
    """The cells of a native column: a Series of pandas or polars, or a 1-D array."""
    if is_polars_column(column):
        missing, values = column.is_null().to_numpy(), _read_polars(column.drop_nulls(), name)
    elif hasattr(column, "iloc"):
        missing = np.asarray(column.isna(), dtype=bool)
        values = _read_pandas(column[~missing] if missing.any() else column, name)
    else:
        check_dtype(column.dtype, name)
        missing = missing_mask(column)
        values = column[~missing]
        values = check_objects(values.astype(object), name) if values.dtype.kind in "OUST" else values
    return without_nan(values, missing, name)


def missing_mask(column):
    """(n,) of bool, the gaps of an array."""
    if column.dtype.kind in "mM":
        return np.isnat(column)
    if column.dtype.kind == "O":
        return np.array([is_missing(cell) for cell in column.tolist()], dtype=bool)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)


def is_missing(cell):
    return type(cell).__name__ in MISSING_TYPES or (isinstance(cell, numbers.Real) and cell != cell)


def without_nan(values, missing, name):
    """Cells of values some of which may still be NaN, a gap that some containers tell from their own."""
    if values.dtype.kind == "f":
        values, missing = Cells(values, missing).without(np.isnan(values))
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for {values.dtype!r}: column {name!r} must be finite."
            )
    return Cells(values, missing)


def _read_pandas(column, name):
    """Cells of a Series without gaps."""
    dtype = column.dtype
    check_dtype(dtype, name)
    if is_category(dtype):
        return np.asarray(column, dtype=object)
    if dtype.kind in "mM":
        return column.to_numpy(dtype=tick_dtype(dtype))
    if dtype.kind in "iufb":
        return np.asarray(column, dtype=getattr(dtype, "numpy_dtype", None))  # nullable
    if arrow_kind(dtype) == "decimal":
        return np.array(column.tolist(), dtype=float)
    if arrow_kind(dtype) == "time":
        return since_midnight(column.tolist())
    return check_objects(np.asarray(column, dtype=object), name)


def arrow_kind(dtype):
    """Of decimals and times of the day, which pandas has in Arrow only, the word for them; None of others."""
    name = str(getattr(dtype, "pyarrow_dtype", ""))
    return next(
        (kind for kind in ("decimal", "time") if name.startswith(kind) and not name.startswith("timestamp")), None
    )


def since_midnight(times):
    """timedelta64 (n,) of times of the day."""
    return np.array(
        [((t.hour * 60 + t.minute) * 60 + t.second) * 10**6 + t.microsecond for t in times], dtype="timedelta64[us]"
    )


def tick_dtype(dtype):
    """The numpy dtype of the ticks of a pandas dtype: numpy's own, one with a time zone, or one of Arrow."""
    return dtype.numpy_dtype if hasattr(dtype, "numpy_dtype") else dtype.base


def _read_polars(column, name):
    """Cells of a polars Series without nulls."""
    kind = str(column.dtype.base_type())
    if kind == "Decimal":
        return column.cast(float).to_numpy()
    if kind == "Time":
        return column.to_physical().to_numpy().astype("timedelta64[ns]")
    if column.dtype.is_nested() or kind in ("Binary", "Object", "Int128", "UInt128"):
        raise TypeError(
            f"Column {name!r} of X must hold numbers, strings, categories, bools or dates, got dtype {column.dtype}."
        )
    return column.to_numpy()


def check_dtype(dtype, name):
    if dtype.kind == "c":
        raise ValueError(f"Complex data not supported: column {name!r} of X has dtype {dtype}.")
    if str(dtype).startswith("period"):
        raise ValueError(
            f"Column {name!r} of X must hold numbers, categories or dates, got periods (dtype {dtype}). "
            "Convert it to dates first, for instance with .dt.to_timestamp()."
        )


def check_objects(values, name):
    """Object cells of one type: strings as they are, numbers and bools as an array of their own dtype."""
    types = set(map(type, values.tolist()))
    if all(issubclass(kind, str) for kind in types):
        return values
    if all(issubclass(kind, bool | np.bool_) for kind in types):
        return values.astype(bool)
    if all(issubclass(kind, numbers.Real) and kind is not bool for kind in types):
        return read_numbers(values, types)
    shown = ", ".join(sorted(kind.__name__ for kind in types))
    raise TypeError(
        f"Column {name!r} of X must hold cells of one kind, strings or numbers, got the types {shown}: like "
        "that of float(), each cell as an argument must be a string or a number."
    )


def read_numbers(values, types):
    if all(issubclass(kind, numbers.Integral) for kind in types):
        try:
            return values.astype(np.int64)
        except OverflowError:
            pass
    return values.astype(np.float64)


# ---- and back ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """How the cells of a column become a native column again.

    dtype : the dtype of the column, in the words of its container
    polars : whether that is polars
    gap : what a gap is written as where the dtype allows more than one: in objects, and NaN among polars floats
    """

    dtype: object
    polars: bool
    gap: object = None

    def write(self, values, missing):
        """The native column of values (n,), those of gaps being any; `values` None where every cell is a gap."""
        if self.polars:
            return self._write_polars(values, missing)
        if isinstance(self.dtype, np.dtype) and self.dtype.kind == "O":
            values = np.full(len(missing), self.gap, dtype=object) if values is None else values.astype(object)
            values[missing] = self.gap
        return self._write_pandas(values, missing)

    def _write_pandas(self, values, missing):
        import pandas as pd

        if values is None:
            return pd.Series([None] * len(missing), dtype=self.dtype)
        if arrow_kind(self.dtype) == "decimal":
            scale = self.dtype.pyarrow_dtype.scale
            column = pd.Series([Decimal(f"{value:.{scale}f}") for value in values], dtype=self.dtype)
        elif arrow_kind(self.dtype) == "time":
            column = pd.Series([(datetime.min + value).time() for value in values.tolist()], dtype=self.dtype)
        elif values.dtype.kind == "M" and self.time_zone is not None:
            column = pd.Series(values).dt.tz_localize("UTC").dt.tz_convert(self.time_zone).astype(self.dtype)
        else:
            column = pd.Series(values, dtype=self.dtype)
        objects = isinstance(self.dtype, np.dtype) and self.dtype.kind == "O"
        return column if objects or not missing.any() else column.mask(missing)

    def _write_polars(self, values, missing):
        import polars as pl

        if values is None:
            nothing = [self.gap] if self.gap is not None else [None]
            return pl.Series(nothing * len(missing), dtype=self.dtype)
        if values.dtype.kind == "O":
            column = pl.Series(values.tolist(), dtype=self.dtype)
        elif values.dtype.kind == "M" and self.time_zone is not None:
            column = pl.Series(values).dt.replace_time_zone("UTC").dt.convert_time_zone(self.time_zone)
        elif str(self.dtype.base_type()) == "Time":
            column = pl.Series(values.astype(np.int64)).cast(self.dtype)
        elif str(self.dtype.base_type()) == "Decimal":
            # a cast of floats cuts digits off in older polars
            column = pl.Series([f"{value:.{self.dtype.scale}f}" for value in values]).cast(self.dtype)
        else:
            column = pl.Series(values).cast(self.dtype)
        if not missing.any():
            return column
        gap = pl.Series([self.gap], dtype=self.dtype)
        return column.zip_with(pl.Series(~missing), gap.new_from_index(0, len(column)))

    @property
    def time_zone(self):
        """Name of the time zone of the dtype, None without one."""
        arrow = getattr(self.dtype, "pyarrow_dtype", None)
        owner, name = (self.dtype, "time_zone" if self.polars else "tz") if arrow is None else (arrow, "tz")
        return getattr(owner, name, None)

    def wall(self, instants):
        """What clocks in the time zone show at the instants, both datetime64."""
        column = self.write(instants, np.zeros(len(instants), dtype=bool))
        if self.polars:
            return column.dt.replace_time_zone(None).to_numpy()
        return column.dt.tz_localize(None).to_numpy(dtype=instants.dtype)


class ArrayWriter(NamedTuple):
    """The same for a column of an array, which has one dtype for all: its gap is what it came with."""

    gap: object

    time_zone = None

    def write(self, values, missing):
        if values is None:
            return np.full(len(missing), self.gap, dtype=object)
        if missing.any():
            values = values.astype(values.dtype if values.dtype.kind in "fmM" else object)
            values[missing] = self.gap
        return values


def writer_of(column):
    """The writer of a native column."""
    if is_polars_column(column):
        is_float = column.dtype.is_float() and column.null_count() == 0
        return Writer(column.dtype, True, float("nan") if is_float and column.is_nan().any() else None)
    if hasattr(column, "iloc"):
        return Writer(column.dtype, False, _first_gap(np.asarray(column)) if column.dtype == object else None)
    return ArrayWriter(_first_gap(column))


def _first_gap(values):
    missing = missing_mask(values)
    return values[np.argmax(missing)] if missing.any() else None
