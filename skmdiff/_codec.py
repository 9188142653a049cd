"""The exact two-way map between a mixed table and a matrix W (n_samples, n_outputs) of floats.

Each column that varies owns one block of columns of W, roughly centred and of variance one; what a block
means is written in `_columns.py`. Constant columns own none and are restored. decode(encode(X)) is X for the
rows seen in fit, whatever the random ties.
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from ._checks import (
    categorical_mask,
    check_option,
    check_table,
    column_names,
    is_category,
    is_frame,
    read_column,
)
from ._columns import Block, CategoricalColumn, ConstantColumn, QuantileColumn, StandardColumn

NUMERIC_COLUMNS = {"quantile": QuantileColumn, "standard": StandardColumn}
# More distinct strings than half of the rows, in more rows than this, are an identifier or free text.
IDENTIFIER_ROWS = 50


class TableCodec:
    """Mixed table <-> matrix of floats.

    Parameters
    ----------
    categorical_features : "from_dtype", None, or array-like of bool, int or str, default="from_dtype"
        Columns that are categories. "from_dtype": category, bool and string columns; object columns are read
        cell by cell. None: none.
    numeric : {"quantile", "standard"}, default="quantile"
        Map of a numeric column: to normal scores with randomised ties, or minus mean over standard deviation.
    max_onehot : int, default=50
        Columns with more levels get codes of fixed length instead of one-hot ones.

    Attributes
    ----------
    blocks_ : list of Block
    n_outputs_ : int
        Number of columns of W.
    """

    def __init__(self, categorical_features="from_dtype", numeric="quantile", max_onehot=50):
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.max_onehot = max_onehot

    def fit(self, X):
        """Learn the columns of X, of shape (n_samples, n_features)."""
        check_option(self.numeric, "numeric", set(NUMERIC_COLUMNS))
        check_scalar(self.max_onehot, "max_onehot", Integral, min_val=1)
        X = check_table(X)
        values = [read_column(X, j) for j in range(X.shape[1])]
        mask = categorical_mask(X, self.categorical_features, values)
        self.template_ = X.iloc[:0].copy() if is_frame(X) else np.empty((0, X.shape[1]), dtype=X.dtype)
        self.columns_ = [self._fit_column(X, j, x, mask[j]) for j, x in enumerate(values)]
        self._set_blocks()
        return self

    def encode(self, X, random_state=None):
        """Matrix of a table.

        Parameters
        ----------
        X : ndarray or DataFrame of shape (n_samples, n_features)
        random_state : numpy.random.Generator or None, default=None
            Draws the ties; None puts repeated values in the middle of their interval.

        Returns
        -------
        W : ndarray of shape (n_samples, n_outputs)
        """
        X = self._check_new(X)
        parts = [column.encode(self._read(X, j), random_state) for j, column in enumerate(self.columns_)]
        return np.concatenate(parts, axis=1)

    def decode(self, W):
        """Table of a matrix, in the container, columns and dtypes seen in fit."""
        W = np.asarray(W, dtype=np.float64)
        if W.ndim != 2 or W.shape[1] != self.n_outputs_:
            raise ValueError(f"W must have shape (n_samples, {self.n_outputs_}), got {W.shape}.")
        if np.isnan(W).any():
            raise ValueError("W must not contain NaN.")
        stops = np.cumsum([column.width for column in self.columns_])
        parts = zip(self.columns_, np.split(W, stops[:-1], axis=1), strict=True)
        decoded = [column.decode(block) for column, block in parts]
        return self._frame(decoded) if is_frame(self.template_) else self._array(decoded)

    def log_volume(self, X):
        """(n_samples,) sum over the numeric columns of log |dw/dx|, log(mass) - log phi(w) at atoms.

        Finite for every finite table: see `QuantileColumn.log_volume` for values that fit did not see.
        """
        X = self._check_new(X)
        return sum(column.log_volume(self._read(X, j)) for j, column in enumerate(self.columns_))

    def _fit_column(self, X, j, x, categorical):
        name = column_names(X)[j]
        if categorical:
            return self._fit_categorical(name, x, level_order(X, j, x))
        if x.dtype == object:
            raise ValueError(
                f"Column {name!r} of X holds strings or categories and must be named in "
                f"categorical_features, got categorical_features={self.categorical_features!r}."
            )
        return ConstantColumn(x, name) if np.all(x == x[0]) else NUMERIC_COLUMNS[self.numeric](x, name)

    def _fit_categorical(self, name, x, levels):
        strings = isinstance(levels[0], str)
        if strings and len(x) > IDENTIFIER_ROWS and len(levels) > len(x) / 2:
            raise ValueError(
                f"Column {name!r} of X must repeat its levels, got {len(levels)} distinct strings in {len(x)}"
                " rows: an identifier or free text. Drop the column, or group its values into fewer levels."
            )
        if len(levels) == 1:
            return ConstantColumn(x.astype(object), name)
        return CategoricalColumn(x, name, levels, self.max_onehot)

    def _set_blocks(self):
        self.blocks_, self.n_outputs_ = [], 0
        for column in self.columns_:
            if column.width:
                start, self.n_outputs_ = self.n_outputs_, self.n_outputs_ + column.width
                self.blocks_.append(Block(column.kind, start, self.n_outputs_, column.codes, column.name))
        if not self.blocks_:
            raise ValueError("At least one column of X must vary, got one value in every column.")

    def _check_new(self, X):
        X = check_table(X, min_samples=1)
        expected = self.template_.shape[1]
        if X.shape[1] != expected:
            raise ValueError(f"X has {X.shape[1]} features, but TableCodec is expecting {expected} features.")
        if is_frame(X) and is_frame(self.template_) and column_names(X) != column_names(self.template_):
            raise ValueError(
                f"The columns of X must be those seen in fit, {column_names(self.template_)}, "
                f"got {column_names(X)}."
            )
        return X

    def _read(self, X, j):
        x, column = read_column(X, j), self.columns_[j]
        if column.kind == "numeric" and x.dtype == object:
            raise ValueError(f"Column {column.name!r} of X must hold numbers as in fit, got {x[0]!r}.")
        return x

    def _array(self, decoded):
        out = np.empty((len(decoded[0]), len(decoded)), dtype=self.template_.dtype)
        for j, x in enumerate(decoded):
            out[:, j] = x
        return out

    def _frame(self, decoded):
        import pandas as pd

        dtypes = self.template_.dtypes.tolist()
        frame = pd.DataFrame({j: pd.Series(x, dtype=dtypes[j]) for j, x in enumerate(decoded)})
        frame.columns = self.template_.columns
        return frame


def coded_columns(blocks):
    """(n_outputs,) of bool, the columns of W that are the code of a category."""
    return np.concatenate([np.full(block.stop - block.start, block.codes is not None) for block in blocks])


def level_order(X, j, x):
    """Levels seen in column j: in the order of a category dtype, else sorted."""
    seen = set(x.tolist())
    if is_frame(X) and is_category(X.dtypes.iloc[j]):
        return [level for level in X.dtypes.iloc[j].categories.tolist() if level in seen]
    return sorted(seen)
