"""One native column of a table <-> a numpy array of the cells that hold something, and which cells are missing.

The array is of numbers, of bools, of datetime64 or timedelta64 (in the unit of the column; instants in UTC), or of
objects: strings, or the values of a category dtype. Objects of the standard library, as databases return them, are read
as what they are: datetime.date and datetime.datetime as dates, datetime.timedelta as durations, decimal.Decimal as
numbers. NaN, None, pd.NA, NaT and the null of polars are missing. Every error names the column, the rule, what was
found and the way out.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import numpy as np

from .dtypes import read_pandas, write_pandas

MISSING_TYPES = ("NoneType", "NAType", "NaTType")


class Cells(NamedTuple):
    """The cells of a column that hold something (m,), and which of its n cells do not (n,)."""

    observed: np.ndarray
    missing: np.ndarray

    def without(self, rows: np.ndarray) -> Cells:
        """The same with some of the observed cells (m,) missing."""
        if not rows.any():
            return self
        missing = self.missing.copy()
        missing[~missing] = rows
        return Cells(self.observed[~rows], missing)

    def take(self, rows: np.ndarray) -> Cells:
        """The cells of some rows, by their indices."""
        missing = self.missing[rows]
        index = np.cumsum(~self.missing) - 1
        return Cells(self.observed[index[rows][~missing]], missing)


def is_polars_column(column: Any) -> bool:
    return hasattr(column, "drop_nulls")


def is_category(dtype: Any) -> bool:
    """Whether a dtype is the category of pandas."""
    return hasattr(dtype, "categories") and hasattr(dtype, "ordered")


def read_cells(column: Any, name: str) -> Cells:
    """The cells of a native column: a Series of pandas or polars, or a 1-D array."""
    if is_polars_column(column):
        missing, values = column.is_null().to_numpy(), _read_polars(column.drop_nulls(), name)
    elif hasattr(column, "iloc"):
        missing = _missing_in_series(column, name)
        values = _read_pandas(column[~missing] if missing.any() else column, name)
    else:
        check_dtype(column.dtype, name)
        missing = missing_mask(column)
        values = column[~missing]
        values = check_objects(values.astype(object), name) if values.dtype.kind in "OUST" else values
    return without_nan(values, missing, name)


def _missing_in_series(column: Any, name: str) -> np.ndarray:
    """(n,) of bool, the missing cells of a pandas Series."""
    try:
        return np.asarray(column.isna(), dtype=bool)
    except InvalidOperation as error:  # pandas compares decimals, which a signalling NaN forbids
        raise ValueError(
            f"Column {name!r} of X must hold decimals that are numbers or NaN, got a signalling NaN (Decimal('sNaN'))."
        ) from error


def missing_mask(column: np.ndarray) -> np.ndarray:
    """(n,) of bool, the missing cells of an array."""
    if column.dtype.kind in "mM":
        return np.isnat(column)
    if column.dtype.kind == "O":
        return np.array([is_missing(cell) for cell in column.tolist()], dtype=bool)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)


def is_missing(cell: Any) -> bool:
    if isinstance(cell, Decimal):
        return cell.is_nan()  # a signalling NaN cannot be compared
    return type(cell).__name__ in MISSING_TYPES or (isinstance(cell, numbers.Real) and cell != cell)


def without_nan(values: np.ndarray, missing: np.ndarray, name: str) -> Cells:
    """Cells of values some of which may still be NaN, which some containers tell from missing cells."""
    if values.dtype.kind == "f":
        values, missing = Cells(values, missing).without(np.isnan(values))
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for {values.dtype!r}: column {name!r} must be finite. "
                "Replace such cells, for instance by NaN, which is read as missing."
            )
    return Cells(values, missing)


def _read_pandas(column: Any, name: str) -> np.ndarray:
    """Cells of a Series with nothing missing."""
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


def arrow_kind(dtype: Any) -> str | None:
    """Of decimals and times of the day, which pandas has in Arrow only, the word for them; None of others."""
    name = str(getattr(dtype, "pyarrow_dtype", ""))
    return next(
        (kind for kind in ("decimal", "time") if name.startswith(kind) and not name.startswith("timestamp")), None
    )


def since_midnight(times: Sequence[time]) -> np.ndarray:
    """timedelta64 (n,) of times of the day."""
    return np.array(
        [((t.hour * 60 + t.minute) * 60 + t.second) * 10**6 + t.microsecond for t in times], dtype="timedelta64[us]"
    )


def tick_dtype(dtype: Any) -> np.dtype:
    """The numpy dtype of the ticks of a pandas dtype: that of numpy, one with a time zone, or one of Arrow."""
    return dtype.numpy_dtype if hasattr(dtype, "numpy_dtype") else dtype.base


def _read_polars(column: Any, name: str) -> np.ndarray:
    """Cells of a polars Series without nulls."""
    kind = str(column.dtype.base_type())
    if kind == "Decimal":
        return column.cast(float).to_numpy()
    if kind == "Time":
        return column.to_physical().to_numpy().astype("timedelta64[ns]")
    if column.dtype.is_nested() or kind in ("Binary", "Object", "Int128", "UInt128"):
        raise TypeError(
            f"Column {name!r} of X must hold numbers, strings, categories, bools or dates, got dtype {column.dtype}. "
            "Convert it first, for instance with .cast or .struct.unnest, or drop it."
        )
    return column.to_numpy()


def check_dtype(dtype: Any, name: str) -> None:
    if dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: column {name!r} of X has dtype {dtype}. Split it into its real and its "
            "imaginary part."
        )
    if str(dtype).startswith("period"):
        raise ValueError(
            f"Column {name!r} of X must hold numbers, categories or dates, got periods (dtype {dtype}). "
            "Convert it to dates first, for instance with .dt.to_timestamp()."
        )


def check_objects(values: np.ndarray, name: str) -> np.ndarray:
    """Object cells of one kind: strings as they are, all others as an array of their dtype."""
    types = set(map(type, values.tolist()))
    for kinds, read in OBJECT_KINDS.items():
        if all(issubclass(kind, kinds) for kind in types):
            found = read(values, types)
            if found is not None:
                return found
    shown = ", ".join(sorted(kind.__name__ for kind in types))
    raise TypeError(
        f"Column {name!r} of X must hold cells of one kind: strings, numbers, bools, dates without a time zone or "
        f"durations, got the types {shown}. Every cell of this argument must be a string or a number, or a date: "
        "convert the column first, for instance with .astype(str), .astype(float) or pandas.to_datetime(..., utc=True)."
    )


def _read_real(values: np.ndarray, types: set[type]) -> np.ndarray | None:
    """Integers where all are and fit, else floats; None where a bool is among them."""
    if bool in types:
        return None
    if all(issubclass(kind, numbers.Integral) for kind in types):
        # integers of Python: those of numpy wrap round, and some cannot be compared with larger ones
        integers = [int(cell) for cell in values.tolist()]
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= min(integers) and max(integers) <= np.iinfo(dtype).max:
                return values.astype(dtype)
    return values.astype(np.float64)


def _read_datetimes(values: np.ndarray, types: set[type]) -> np.ndarray | None:
    """Dates with a time; None where some have a time zone, as instants alone do not say which."""
    cells = values.tolist()
    if any(cell.tzinfo is not None for cell in cells):
        return None
    # numpy would cut off the nanoseconds of pandas
    return np.array([cell.to_datetime64() if hasattr(cell, "to_datetime64") else np.datetime64(cell) for cell in cells])


def _read_dates(values: np.ndarray, types: set[type]) -> np.ndarray | None:
    """Days; None where some have a time."""
    return None if any(issubclass(kind, datetime) for kind in types) else values.astype("datetime64[D]")


def _read_durations(values: np.ndarray, types: set[type]) -> np.ndarray:
    cells = values.tolist()
    return np.array(
        [cell.to_timedelta64() if hasattr(cell, "to_timedelta64") else np.timedelta64(cell) for cell in cells]
    )


# the readers of object cells by their types, in order; None stands for cells that are not to be read so
OBJECT_KINDS = {
    (str,): lambda values, types: values,
    (bool, np.bool_): lambda values, types: values.astype(bool),
    (numbers.Real,): _read_real,
    (Decimal,): lambda values, types: values.astype(np.float64),
    (datetime,): _read_datetimes,
    (date,): _read_dates,
    (timedelta,): _read_durations,
}


# ---- and back ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ObjectCells:
    """How values become the objects again that a column held.

    kind : their type, where numpy has objects of another type for them
    decimals : of decimal.Decimal, the largest number in a cell
    """

    kind: type | None = None
    decimals: int = 0

    @classmethod
    def of(cls, cells: list) -> ObjectCells:
        """Those of the cells of a column, missing ones among them."""
        seen = [cell for cell in cells if not is_missing(cell)]
        if seen and all(isinstance(cell, Decimal) for cell in seen):
            return cls(Decimal, max(max(0, -int(cell.as_tuple().exponent)) for cell in seen))
        if seen and all(hasattr(cell, "to_datetime64") or hasattr(cell, "to_timedelta64") for cell in seen):
            return cls(type(seen[0]))
        return cls()

    def write(self, values: np.ndarray) -> np.ndarray:
        """(n,) of object."""
        if self.kind is None:
            return values.astype(object)
        out = np.empty(len(values), dtype=object)
        out[:] = [Decimal(f"{v:.{self.decimals}f}") if self.kind is Decimal else self.kind(v) for v in values]
        return out


@dataclass(frozen=True)
class Writer:
    """How the cells of a column become a native column again.

    dtype : the dtype of the column, in the words of its container
    polars : whether that is polars
    filler : what a missing cell is written as where the dtype allows several: in objects, and NaN among polars floats
    objects : how the cells of an object column are written
    """

    dtype: Any
    polars: bool
    filler: Any = None
    objects: ObjectCells = field(default_factory=ObjectCells)

    def __getstate__(self) -> dict:
        state = dict(vars(self))
        if not self.polars and str(self.dtype) in ("category", "string", "str"):
            state["dtype"] = {"pandas": write_pandas(self.dtype)}  # skops knows no pandas
        return state

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        if isinstance(self.dtype, dict):
            vars(self)["dtype"] = read_pandas(*self.dtype["pandas"])

    def write(self, values: np.ndarray | None, missing: np.ndarray) -> Any:
        """The native column of values (n,), any where cells are missing; `values` None where all are missing."""
        if self.polars:
            return self._write_polars(values, missing)
        if isinstance(self.dtype, np.dtype) and self.dtype.kind == "O":
            nothing = np.full(len(missing), self.filler, dtype=object)
            values = nothing if values is None else self.objects.write(values)
            values[missing] = self.filler
        return self._write_pandas(values, missing)

    def _write_pandas(self, values: np.ndarray | None, missing: np.ndarray) -> Any:
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

    def _write_polars(self, values: np.ndarray | None, missing: np.ndarray) -> Any:
        import polars as pl

        if values is None:
            return pl.Series([self.filler] * len(missing), dtype=self.dtype)
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
        filler = pl.Series([self.filler], dtype=self.dtype)
        return column.zip_with(pl.Series(~missing), filler.new_from_index(0, len(column)))

    @property
    def time_zone(self) -> str | None:
        """Name of the time zone of the dtype, None without one."""
        arrow = getattr(self.dtype, "pyarrow_dtype", None)
        owner, name = (self.dtype, "time_zone" if self.polars else "tz") if arrow is None else (arrow, "tz")
        return getattr(owner, name, None)

    def wall(self, instants: np.ndarray) -> np.ndarray:
        """What clocks in the time zone show at the instants, both datetime64."""
        column = self.write(instants, np.zeros(len(instants), dtype=bool))
        if self.polars:
            return column.dt.replace_time_zone(None).to_numpy()
        return column.dt.tz_localize(None).to_numpy(dtype=instants.dtype)


@dataclass(frozen=True)
class ArrayWriter:
    """The same for a column of an array, which has one dtype for all: its filler is what it came with."""

    filler: Any
    objects: ObjectCells | None = None  # of an array of objects

    time_zone = None

    def write(self, values: np.ndarray | None, missing: np.ndarray) -> np.ndarray:
        if values is None:
            return np.full(len(missing), self.filler, dtype=object)
        if self.objects is not None:
            values = self.objects.write(values)
        elif missing.any():
            values = values.astype(values.dtype if values.dtype.kind in "fmM" else object)
        if missing.any():
            values[missing] = self.filler
        return values


def writer_of(column: Any) -> Writer | ArrayWriter:
    """The writer of a native column."""
    if is_polars_column(column):
        is_float = column.dtype.is_float() and column.null_count() == 0
        return Writer(column.dtype, True, float("nan") if is_float and column.is_nan().any() else None)
    if hasattr(column, "iloc"):
        if column.dtype != object:
            return Writer(column.dtype, False)
        cells = np.asarray(column)
        return Writer(column.dtype, False, _filler_of(cells), ObjectCells.of(cells.tolist()))
    return ArrayWriter(_filler_of(column), ObjectCells.of(column.tolist()) if column.dtype == object else None)


def _filler_of(values: np.ndarray) -> Any:
    """The first missing cell, None without any."""
    missing = missing_mask(values)
    return values[np.argmax(missing)] if missing.any() else None
