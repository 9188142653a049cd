"""Containers of a table: a pandas or polars DataFrame, told by what it offers, or a 2-D numpy array.

Neither library is imported before a frame of it is built, and a frame is built only where one came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, cast

import numpy as np

from .integers import origin_of


@dataclass(frozen=True)
class Template:
    """What is known of a container without its rows, as plain data: a fitted model holds no frame.

    container : "pandas", "polars" or "array"
    columns : the labels of a frame, 0, 1, ... of an array
    dtype : of an array, or of the labels of a pandas frame
    names : of a pandas frame what the labels are called, one name for each of their parts
    """

    container: str
    columns: list
    dtype: Any = None
    names: list = field(default_factory=lambda: [None])

    @property
    def shape(self) -> tuple[int, int]:
        """No rows, and the columns."""
        return 0, len(self.columns)

    def labels(self) -> Any:
        """The labels of a pandas frame."""
        import pandas as pd

        if len(self.names) > 1:
            return pd.MultiIndex.from_tuples(self.columns, names=self.names)
        return pd.Index(self.columns, dtype=self.dtype, name=self.names[0])


def is_pandas(X: Any) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def is_polars(X: Any) -> bool:
    return hasattr(X, "get_column") and hasattr(X, "to_series")


def is_frame(X: Any) -> bool:
    """Whether X is a frame, or the template of one."""
    return is_pandas(X) or is_polars(X) or (isinstance(X, Template) and X.container != "array")


def plain_container(X: Any) -> Any:
    """X, but a masked array as a plain one whose masked cells are missing; a LazyFrame is an error."""
    if not is_frame(X) and hasattr(X, "collect") and hasattr(X, "collect_schema"):
        raise TypeError(f"A table must be a DataFrame or an array, got a {type(X).__name__}. Use its collect().")
    return without_mask(X) if isinstance(X, np.ma.MaskedArray) else X


def without_mask(X: np.ma.MaskedArray) -> np.ndarray:
    """A plain array with NaN, NaT or, in an array of objects, None in masked cells; integers become floats.

    Integers that floats do not hold, and all that has no missing cells of its own, become objects.
    """
    mask, cells = np.ma.getmaskarray(X), X.data
    if not mask.any():
        return cells.copy()
    kind, filler = cells.dtype.kind, cast(Any, None)
    if kind in "mM":
        filler = np.array("NaT", dtype=cells.dtype)
    elif kind in "fc" or kind in "iu" and not origin_of(cells[~mask]):
        filler = np.nan
    dtype = cells.dtype if kind in "fcmM" else object if filler is None else np.float64
    out = cells.astype(dtype)
    out[mask] = filler
    return out


def column_names(X: Any) -> list[str]:
    """Names for messages: those of a frame, x0, x1, ... for an array."""
    return [str(name) for name in X.columns] if is_frame(X) else [f"x{j}" for j in range(X.shape[1])]


def column_index(key: Any, X: Any) -> int | None:
    """The index of the column that a key names: by its name, in an array also by its index; None for no column."""
    if isinstance(key, Integral) and not is_frame(X) and 0 <= int(key) < X.shape[1]:
        return int(key)
    names = column_names(X)
    return names.index(str(key)) if str(key) in names else None


def native_column(X: Any, j: int) -> Any:
    """Column j as its container has it: a Series, or a 1-D array."""
    if is_polars(X):
        return X.to_series(j)
    return X.iloc[:, j] if is_pandas(X) else X[:, j]


def take_rows(X: Any, rows: Any) -> Any:
    """The rows of the given indices, or of a slice, in the same container."""
    return X.iloc[rows] if is_pandas(X) else X[rows]


def no_rows(X: Any) -> Template:
    """The container without rows: what `build` needs to know of it."""
    if is_polars(X):
        return Template("polars", list(X.columns))
    if not is_pandas(X):
        return Template("array", list(range(X.shape[1])), X.dtype)
    dtype = X.columns.dtype if X.columns.nlevels == 1 else None
    return Template("pandas", X.columns.tolist(), dtype, list(X.columns.names))


def build(like: Any, columns: Sequence) -> Any:
    """A container of native columns like another one, or its template; a pandas frame gets a fresh RangeIndex."""
    template = like if isinstance(like, Template) else no_rows(like)
    if template.container == "polars":
        import polars as pl

        return pl.DataFrame([column.alias(name) for name, column in zip(template.columns, columns, strict=True)])
    if template.container == "pandas":
        import pandas as pd

        frame = pd.DataFrame(dict(enumerate(columns)))
        frame.columns = template.labels()
        return frame
    out = np.empty((len(columns[0]), len(columns)), dtype=template.dtype)
    for j, column in enumerate(columns):
        out[:, j] = column
    return out
