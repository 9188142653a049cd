"""Checks of tables, and the reading of one column as a numpy array.

A table is a 2-D numpy array or a pandas DataFrame. Frames are recognised by `iloc`; pandas is never imported
here. Every error names the column or parameter, the rule and what was found.
"""

import numbers

import numpy as np
from scipy.sparse import issparse

MISSING_TYPES = ("NoneType", "NAType", "NaTType")


def is_frame(X):
    return hasattr(X, "iloc") and hasattr(X, "columns")


def check_table(X, min_samples=2):
    """Check a table cell by cell and return it: a frame untouched, anything else as a 2-D array.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_features)
    min_samples : int, default=2

    Returns
    -------
    X : ndarray or DataFrame of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If X is sparse, not 2-D, too small, has two columns of the same name, or a column holds missing
        values, infinities, complex numbers or dates.
    TypeError
        If the cells of a column are neither all strings nor all numbers.
    """
    if issparse(X):
        raise TypeError("Sparse data was passed for X, but dense data is required. Use X.toarray().")
    if not is_frame(X):
        X = as_2d_array(X)
    check_shape(X.shape, min_samples)
    names = column_names(X)
    if len(set(names)) < len(names):
        doubles = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"The column names of X must be unique, got {doubles} more than once.")
    for j in range(len(names)):
        read_column(X, j)
    return X


def as_2d_array(X):
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: X.shape={X.shape}. Reshape your data "
            "using array.reshape(-1, 1) if it has one feature or array.reshape(1, -1) if it is one sample."
        )
    return X


def check_shape(shape, min_samples):
    for count, unit, minimum in zip(shape, ("sample", "feature"), (min_samples, 1), strict=True):
        if count < minimum:
            raise ValueError(
                f"Found array with {count} {unit}(s) (shape={tuple(shape)}) while a minimum of {minimum} is "
                "required by the sampler."
            )


def column_names(X):
    """Names for messages: a frame's own, x0, x1, ... for an array."""
    return [str(name) for name in X.columns] if is_frame(X) else [f"x{j}" for j in range(X.shape[1])]


def read_column(X, j):
    """Column j as an array of numbers, of bools, or of objects: strings, or values of a category dtype."""
    name = str(X.columns[j]) if is_frame(X) else f"x{j}"
    column = X.iloc[:, j] if is_frame(X) else X[:, j]
    check_dtype(column.dtype, name)
    if is_frame(X) and column.isna().any():
        raise_missing(name)
    if column.dtype.kind in "iufb" and not is_category(column.dtype):
        values = np.asarray(column, dtype=getattr(column.dtype, "numpy_dtype", None))  # nullable
        return check_finite(values, name)
    values = np.asarray(column, dtype=object)
    return values if is_category(column.dtype) else check_finite(read_objects(values, name), name)


def is_category(dtype):
    return hasattr(dtype, "categories")


def check_dtype(dtype, name):
    if dtype.kind == "c":
        raise ValueError(f"Complex data not supported: column {name!r} of X has dtype {dtype}.")
    if dtype.kind in "mM" or str(dtype).startswith("period"):
        raise ValueError(
            f"Column {name!r} of X must hold numbers or categories, got dates or times (dtype {dtype}). "
            "Convert it to a number first, for instance days since a reference date."
        )


def check_finite(values, name):
    if values.dtype.kind == "f":
        if np.isnan(values).any():
            raise_missing(name)
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for {values.dtype!r}: column {name!r} "
                "must be finite."
            )
    return values


def raise_missing(name):
    raise ValueError(
        f"Input X contains NaN: column {name!r} has missing values, which are not supported yet. Drop the "
        "rows or fill them first, for instance with sklearn.impute.SimpleImputer."
    )


def read_objects(values, name):
    """Object cells of one type: strings as they are, numbers and bools as an array of their own dtype."""
    types = set(map(type, values.tolist()))
    if any(kind.__name__ in MISSING_TYPES for kind in types):
        raise_missing(name)
    if all(issubclass(kind, str) for kind in types):
        return values
    if all(issubclass(kind, bool | np.bool_) for kind in types):
        return values.astype(bool)
    if all(issubclass(kind, numbers.Real) and kind is not bool for kind in types):
        return read_numbers(values, types)
    if any(cell != cell for cell in values.tolist() if isinstance(cell, float)):
        raise_missing(name)
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


def check_option(value, name, options):
    """Raise unless a string parameter is one of its options."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {sorted(options)}, got {value!r}.")
    return value


def is_auto(value):
    return isinstance(value, str) and value == "auto"


def check_coordinates(Z, n_components):
    """Z as a finite float array of shape (n_samples, n_components)."""
    rule = f"Z must be a finite array of shape (n_samples, {n_components})"
    try:
        array = np.asarray(Z, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{rule}, got {Z!r:.80}.") from error
    if array.ndim != 2 or array.shape[1] != n_components:
        raise ValueError(f"{rule}, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{rule}, got NaN or infinity.")
    return array


def categorical_mask(X, categorical_features, values):
    """(n_features,) bool: the columns to treat as categories.

    Parameters
    ----------
    X : ndarray or DataFrame
    categorical_features : "from_dtype", None, or array-like of bool, int or str
    values : list of ndarray
        The columns of X as `read_column` gives them.
    """
    n_features = X.shape[1]
    if categorical_features is None:
        return np.zeros(n_features, dtype=bool)
    if isinstance(categorical_features, str):
        check_option(categorical_features, "categorical_features", {"from_dtype"})
        return np.array([column.dtype.kind in "bO" for column in values])
    chosen = np.asarray(categorical_features)
    if chosen.ndim != 1:
        raise TypeError(
            "categorical_features must be 'from_dtype', None, or a list or mask of columns, "
            f"got {categorical_features!r}."
        )
    if chosen.dtype.kind == "b":
        return check_mask(chosen, n_features)
    mask = np.zeros(n_features, dtype=bool)
    mask[check_indices(chosen, X)] = True
    return mask


def check_mask(mask, n_features):
    if len(mask) != n_features:
        raise ValueError(
            f"categorical_features as a mask must have one entry per column ({n_features}), got {mask.tolist()!r}."
        )
    return mask


def check_indices(chosen, X):
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
        raise TypeError(
            f"categorical_features must hold bools, integers or column names only, got {chosen.tolist()}."
        )
    if not is_frame(X):
        raise ValueError(
            "categorical_features must be integers or a mask when X is an array without column names, "
            f"got {chosen.tolist()}."
        )
    names = column_names(X)
    if unknown := [name for name in chosen.tolist() if name not in names]:
        raise ValueError(f"categorical_features must hold column names of X, got the unknown {unknown}.")
    return [names.index(name) for name in chosen.tolist()]
