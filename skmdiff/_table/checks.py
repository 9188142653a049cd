"""Checks of tables and parameters. Every error names the column or parameter, the rule and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from .._numerics.checks import check_option
from .cells import Cells, read_cells
from .frames import column_names, is_frame, native_column, plain_container, take_rows


@dataclass(frozen=True)
class ReadTable:
    """A table that was read: the container that it came in, and the cells of its columns.

    X : ndarray or DataFrame of shape (n_samples, n_features)
    cells : list of Cells, one a column
    """

    X: Any
    cells: list[Cells]

    def __len__(self) -> int:
        return len(self.cells[0].missing)

    @property
    def missing(self) -> np.ndarray:
        """(n_samples, n_features) of bool, the cells that are missing."""
        return np.column_stack([column.missing for column in self.cells])

    def take(self, rows: np.ndarray) -> ReadTable:
        """The table of some rows, by their indices."""
        return ReadTable(take_rows(self.X, rows), [column.take(rows) for column in self.cells])


def read_table(X: Any, min_samples: int = 2) -> ReadTable:
    """Read every cell of a table, once, and check them.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_features)
    min_samples : int, default=2

    Returns
    -------
    table : ReadTable
        Of a frame as it is, of anything else as a 2-D array.

    Raises
    ------
    ValueError
        If X is sparse, not 2-D, too small, has two columns of the same name, or a column holds infinities,
        complex numbers or periods. Missing cells are let through.
    TypeError
        If the cells of a column are neither all strings nor all numbers.
    """
    X = as_table(X, min_samples)
    names = column_names(X)
    return ReadTable(X, [read_cells(native_column(X, j), name) for j, name in enumerate(names)])


def as_table(X: Any, min_samples: int) -> Any:
    """X as a frame or a 2-D array of at least so many rows, its columns told apart by their names."""
    if issparse(X):
        raise TypeError("Sparse data was passed for X, but dense data is required. Use X.toarray().")
    if not is_frame(X):
        X = as_2d_array(X)
    check_shape(X.shape, min_samples)
    names = column_names(X)
    if len(set(names)) < len(names):
        doubles = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"The column names of X must be unique, got {doubles} more than once.")
    return X


def check_columns(estimator: Any, X: Any, reset: bool = False, min_samples: int = 1) -> Any:
    """X, a frame as it is or else an array, with the columns of an estimator's fit; its cells are not read yet."""
    X = plain_container(X)
    if is_frame(X):
        return validate_data(estimator, X, reset=reset, skip_check_array=True)
    return validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite=False, ensure_min_samples=min_samples)


def check_table(X: Any, min_samples: int = 2) -> Any:
    """The container of a table whose cells can be read: see `read_table`."""
    return read_table(X, min_samples).X


def as_2d_array(X: Any) -> np.ndarray:
    X = np.asarray(plain_container(X))
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: X.shape={X.shape}. Reshape your data "
            "using array.reshape(-1, 1) if it has one feature or array.reshape(1, -1) if it is one sample."
        )
    return X


def check_shape(shape: tuple[int, ...], min_samples: int) -> None:
    for count, unit, minimum in zip(shape, ("sample", "feature"), (min_samples, 1), strict=True):
        if count < minimum:
            raise ValueError(
                f"Found array with {count} {unit}(s) (shape={tuple(shape)}) while a minimum of {minimum} is "
                "required by the sampler."
            )


def categorical_mask(X: Any, categorical_features: Any, values: Sequence[np.ndarray]) -> np.ndarray:
    """(n_features,) bool: the columns to treat as categories.

    Parameters
    ----------
    X : ndarray or DataFrame
    categorical_features : "from_dtype", None, or array-like of bool, int or str
    values : list of ndarray
        The cells of the columns of X, as `read_cells` gives them. Strings, bools and the values of a category dtype
        are categories whatever a list or mask says: it names columns of numbers that are categories too.
    """
    n_features = X.shape[1]
    if categorical_features is None:
        return np.zeros(n_features, dtype=bool)
    mask = np.array([column.dtype.kind in "bO" for column in values])
    if isinstance(categorical_features, str):
        check_option(categorical_features, "categorical_features", {"from_dtype"})
        return mask
    chosen = np.asarray(categorical_features)
    if chosen.ndim != 1:
        raise TypeError(
            "categorical_features must be 'from_dtype', None, or a list or mask of columns, "
            f"got {categorical_features!r}."
        )
    if chosen.dtype.kind == "b":
        return mask | check_mask(chosen, n_features)
    mask[check_indices(chosen, X)] = True
    return mask


def check_mask(mask: np.ndarray, n_features: int) -> np.ndarray:
    if len(mask) != n_features:
        raise ValueError(
            f"categorical_features as a mask must have one entry per column ({n_features}), got {mask.tolist()!r}."
        )
    return mask


def check_indices(chosen: np.ndarray, X: Any) -> np.ndarray | list[int]:
    """Column numbers of a list of numbers or names."""
    if len(chosen) == 0:
        return []
    if chosen.dtype.kind in "iu":
        if chosen.min() < 0 or chosen.max() >= X.shape[1]:
            raise ValueError(
                f"categorical_features must hold integers in [0, {X.shape[1] - 1}], got {chosen.tolist()}."
            )
        return chosen
    if not all(isinstance(name, str) for name in chosen.tolist()):
        raise TypeError(f"categorical_features must hold bools, integers or column names only, got {chosen.tolist()}.")
    if not is_frame(X):
        raise ValueError(
            "categorical_features must be integers or a mask when X is an array without column names, "
            f"got {chosen.tolist()}."
        )
    names = column_names(X)
    if unknown := [name for name in chosen.tolist() if name not in names]:
        raise ValueError(f"categorical_features must hold column names of X, got the unknown {unknown}.")
    return [names.index(name) for name in chosen.tolist()]
