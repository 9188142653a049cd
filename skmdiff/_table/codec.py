"""The exact two-way map between a mixed table and a matrix W (n_samples, n_outputs) of floats.

Each column that varies owns one block of columns of W, roughly centred and of variance one; what a block
means is written in `_columns.py`. Constant columns own none and are restored. decode(encode(X)) is X for the
rows seen in fit, whatever the random ties.

W is NaN where a cell is missing; whoever works on W fills it in (`_missing.py`). What is missing is said by
indicators, beside W: one for every column with gaps, but columns whose gaps lie in the same rows share one, so that
what is missing together stays missing together.
"""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from .._numerics.checks import check_option
from .._numerics.weights import rows_of
from .cells import is_category, read_cells, writer_of
from .checks import categorical_mask, check_table
from .columns import Block, CategoricalColumn, ConstantColumn, EmptyColumn
from .constraints.constraints import Constraints, read_constraints
from .constraints.limits import Limits
from .dates import DateColumn
from .frames import build, column_names, is_frame, native_column, no_rows
from .numeric import QuantileColumn, StandardColumn

NUMERIC_COLUMNS = {"quantile": QuantileColumn, "standard": StandardColumn}
# More distinct strings than half of the rows, in more rows than this, are an identifier or free text.
IDENTIFIER_ROWS = 50


class ReadTable(list):
    """The cells of every column of a table."""


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
    constraints : list of tuple (left, operator, right) or None, default=None
        What the tables decoded hold; see `ManifoldDiffusionSampler`.

    Attributes
    ----------
    blocks_ : list of Block
    n_outputs_ : int
        Number of columns of W.
    indicator_of_ : dict
        The indicator of every column with gaps, both by number.
    """

    def __init__(self, categorical_features="from_dtype", numeric="quantile", max_onehot=50, constraints=None):
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.max_onehot = max_onehot
        self.constraints = constraints

    def fit(self, X, weight=None):
        """Learn the columns of X, of shape (n_samples, n_features), by weights (n_samples,) above 0 or all alike."""
        check_option(self.numeric, "numeric", set(NUMERIC_COLUMNS))
        check_scalar(self.max_onehot, "max_onehot", Integral, min_val=1)
        X = check_table(X)
        native = [native_column(X, j) for j in range(X.shape[1])]
        cells = [read_cells(column, name) for column, name in zip(native, column_names(X), strict=True)]
        mask = categorical_mask(X, self.categorical_features, [column.observed for column in cells])
        self.template_ = no_rows(X)
        self.writers_ = [writer_of(column) for column in native]
        self.columns_ = [
            self._fit_column(
                column_names(X)[j], x.observed, native[j], self.writers_[j], mask[j], rows_of(weight, ~x.missing)
            )
            for j, x in enumerate(cells)
        ]
        self._fit_indicators(cells)
        self._set_blocks()
        stated = [] if self.constraints is None else read_constraints(self.constraints, self.columns_, self.template_)
        self.constraints_ = Constraints(stated, self.columns_, self.writers_)
        self.constraints_.learn(cells, stacklevel=5)  # from whoever calls the estimator's fit
        return self

    def encode(self, X, ties=None):
        """Matrix of a table.

        Parameters
        ----------
        X : ndarray or DataFrame of shape (n_samples, n_features)
        ties : numpy.random.Generator, ndarray of shape (n_columns,) or None, default=None
            Where in its interval a repeated value is put: drawn, at a share of it, or in the middle.

        Returns
        -------
        W : ndarray of shape (n_samples, n_outputs)
            NaN in the block of a cell that is missing.
        """
        parts = [
            spread(column.encode(x.observed, own), x.missing)
            for column, x, own in zip(self.columns_, self.read(X), self._by_column(ties), strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def gaps(self, X):
        """Indicators (n_samples, n_indicators) of bool; rows that lack one column of a shared one lack all."""
        missing = [x.missing for x in self.read(X)]
        out = np.zeros((len(missing[0]), self.n_indicators_), dtype=bool)
        for j, k in self.indicator_of_.items():
            out[:, k] |= missing[j]
        return out

    def lacking(self, gaps):
        """Rows that lack each column, as `missing` of `decode`, by the indicators (n_samples, n_indicators)."""
        return {j: gaps[:, k] for j, k in self.indicator_of_.items()}

    def decode(self, W, missing=None, cells=None, limits=None, return_moved=False):
        """Table of a matrix without NaN, in the container, columns and dtypes seen in fit.

        `missing` are, for the number of a column, the rows (n_samples,) of bool that lack it; with None none lack any
        but the columns that hold nothing. `cells` are to stand as they are: for the number of a column the rows
        (n_samples,) of bool, and their cells. The constraints are held by cells within `limits`, as `Constraints.hold`
        takes them; with `return_moved` the rows moved for it, (n_samples,) of bool, come along.
        """
        W = np.asarray(W, dtype=np.float64)
        if W.ndim != 2 or W.shape[1] != self.n_outputs_:
            raise ValueError(f"W must have shape (n_samples, {self.n_outputs_}), got {W.shape}.")
        if np.isnan(W).any():
            raise ValueError("W must not contain NaN.")
        parts = np.split(W, np.cumsum([column.width for column in self.columns_])[:-1], axis=1)
        missing = missing or {}
        none, every = np.zeros(len(W), dtype=bool), np.ones(len(W), dtype=bool)
        columns = [column.decode(part) for column, part in zip(self.columns_, parts, strict=True)]
        for j, (rows, given) in (cells or {}).items():
            columns[j][rows] = given
        columns, moved = self.constraints_.hold(columns, limits or Limits(), len(W))
        table = build(
            self.template_,
            [
                writer.write(values, every if values is None else missing.get(j, none))
                for j, (writer, values) in enumerate(zip(self.writers_, columns, strict=True))
            ],
        )
        return (table, moved) if return_moved else table

    def limits_of(self, X):
        """The cells of a table that are to stay, as `limits` of `decode`; where there are constraints on them."""
        return Limits.fixed(self.cells_of(X)).only(self.constraints_.column_indices())

    def cells_of(self, X):
        """For the number of a column with values the rows (n_samples,) of bool that have it, and their cells."""
        return {
            j: (~x.missing, x.observed)
            for j, x in enumerate(self.read(X))
            if not isinstance(self.columns_[j], EmptyColumn)
        }

    @property
    def has_ties(self):
        """Whether some number is put in an interval of the code."""
        return any(column.has_ties for column in self.columns_ if column.width)

    def _by_column(self, ties):
        return ties if isinstance(ties, np.ndarray) else [ties] * len(self.columns_)

    def log_volume(self, X, ties=None):
        """(n_samples,) sum over the numeric columns of log |dw/dx|, log(mass) - log phi(w) at atoms put by `ties`.

        In a column that is written on a grid dx is counted in steps of it: what comes out is a probability.

        Finite for every finite table: see `QuantileColumn.log_volume` for values that fit did not see. A missing
        cell adds nothing.
        """
        total = 0.0
        for column, x, own in zip(self.columns_, self.read(X), self._by_column(ties), strict=True):
            total = total + np.nan_to_num(spread(column.log_volume(x.observed, own)[:, None], x.missing)[:, 0])
        return total

    def cells(self):
        """(n_outputs,) level, in the code, of what rounds to one value; see `StandardColumn.cell`."""
        return np.concatenate(
            [np.full(column.width, column.cell if column.kind == "numeric" else 0.0) for column in self.columns_]
        )

    def _fit_column(self, name, x, native, writer, categorical, weight):
        if len(x) == 0:
            return EmptyColumn(name)
        is_date = x.dtype.kind in "mM"
        if categorical and not is_date:
            return self._fit_categorical(name, x, category_order(native, x), weight)
        if x.dtype == object:
            raise ValueError(
                f"Column {name!r} of X holds strings or categories and must be named in "
                f"categorical_features, got categorical_features={self.categorical_features!r}."
            )
        if np.all(x == x[0]):
            return ConstantColumn(x, name, writer.time_zone is not None)
        make = partial(self._fit_levels if categorical else NUMERIC_COLUMNS[self.numeric], weight=weight)
        return DateColumn(x, name, make, writer.wall if writer.time_zone else None) if is_date else make(x, name)

    def _fit_levels(self, x, name, weight):
        return CategoricalColumn(x, name, sorted(set(x.tolist())), self.max_onehot, weight)

    def _fit_categorical(self, name, x, levels, weight):
        strings = isinstance(levels[0], str)
        if strings and len(x) > IDENTIFIER_ROWS and len(levels) > len(x) / 2:
            raise ValueError(
                f"Column {name!r} of X must repeat its categories, got {len(levels)} distinct strings in {len(x)}"
                " rows: an identifier or free text. Drop the column, or group its values into fewer categories."
            )
        if len(levels) == 1:
            return ConstantColumn(x.astype(object), name)
        return CategoricalColumn(x, name, levels, self.max_onehot, weight)

    def _fit_indicators(self, cells):
        """One indicator for every set of rows that are the gaps of one column or more."""
        numbers = {}
        self.indicator_of_ = {
            j: numbers.setdefault(x.missing.tobytes(), len(numbers))
            for j, x in enumerate(cells)
            if x.missing.any() and not x.missing.all()
        }
        self.n_indicators_ = len(numbers)

    def _set_blocks(self):
        self.blocks_, self.n_outputs_ = [], 0
        for column in self.columns_:
            if column.width:
                start, self.n_outputs_ = self.n_outputs_, self.n_outputs_ + column.width
                self.blocks_.append(
                    Block(column.kind, start, self.n_outputs_, column.codes, column.name, column.frequencies)
                )
        if not self.blocks_:
            raise ValueError("At least one column of X must vary, got one value in every column.")

    def read_column(self, native, j):
        """The cells of a native column that is to be like column j of the table."""
        cells, zoned = read_cells(native, self.columns_[j].name), self.writers_[j].time_zone is not None
        if (
            cells.observed.dtype.kind == "M"
            and len(cells.observed)
            and zoned != (writer_of(native).time_zone is not None)
        ):
            raise ValueError(
                f"Column {self.columns_[j].name!r} of X must hold dates with{'' if zoned else 'out'} a "
                f"time zone as in fit, got dtype {native.dtype}."
            )
        return cells

    def read(self, X):
        """The cells of every column of a new table, which the methods take in its place."""
        if isinstance(X, ReadTable):
            return X
        X = check_table(X, min_samples=1)
        expected = self.template_.shape[1]
        if X.shape[1] != expected:
            raise ValueError(f"X has {X.shape[1]} features, but TableCodec is expecting {expected} features.")
        names = [column.name for column in self.columns_]
        if is_frame(X) and is_frame(self.template_) and column_names(X) != names:
            raise ValueError(f"The columns of X must be those seen in fit, {names}, got {column_names(X)}.")
        cells = [self.read_column(native_column(X, j), j) for j in range(expected)]
        for column, x in zip(self.columns_, cells, strict=True):
            if column.kind == "numeric" and not isinstance(column, DateColumn) and x.observed.dtype.kind not in "iufb":
                if len(x.observed):
                    raise ValueError(f"Column {column.name!r} of X must hold numbers as in fit, got {x.observed[0]!r}.")
        return ReadTable(cells)

    def without_unseen(self, table):
        """A table that was read with levels that fit did not see as gaps, and their price (n_samples,).

        A level costs log(n + 1) after n cells, as a number out of range does before its distance, see
        `QuantileColumn.log_volume`: by Laplace's rule of succession the next cell is that of probability 1 / (n + 1).
        """
        price, known = 0.0, ReadTable()
        for column, x in zip(self.columns_, table, strict=True):
            unseen = column.unseen(x.observed)
            known.append(x.without(unseen))
            price = price + (known[-1].missing & ~x.missing) * (np.log(column.n + 1.0) if unseen.any() else 0.0)
        return known, price


def spread(values, missing):
    """Rows of values (m, k) over the (n,) cells they are of, NaN elsewhere."""
    if not missing.any():
        return values
    out = np.full((len(missing), values.shape[1]), np.nan)
    out[~missing] = values
    return out


def coded_columns(blocks):
    """(n_outputs,) of bool, the columns of W that are the code of a category."""
    return np.concatenate([np.full(block.stop - block.start, block.codes is not None) for block in blocks])


def category_order(native, x):
    """Levels seen in a column: in the order of a category dtype, else sorted."""
    seen = set(x.tolist())
    if is_category(native.dtype):
        return [level for level in native.dtype.categories.tolist() if level in seen]
    return sorted(seen)
