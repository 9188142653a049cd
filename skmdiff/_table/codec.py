"""The exact two-way map between the columns of a table and a matrix W (n_samples, n_outputs) of floats.

Each column that varies has one block of columns of W, roughly centred and of variance one; what a block means is
written in `columns.py`. Constant columns have none and are restored. Decoding the code of a row seen in fit gives the
row, wherever in their intervals repeated values are put.

W is NaN where a cell is missing; whoever works on W fills it in (`missing/hot_deck.py`). Constraints, conditions and
missing indicators are not the codec's: it knows columns and W, nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from .._numerics.checks import check_option
from .._numerics.weights import rows_of
from .cells import ArrayWriter, Cells, Writer, is_category, read_cells, writer_of
from .checks import ReadTable, as_table, categorical_mask
from .columns import Block, CategoricalColumn, Column, ConstantColumn, EmptyColumn
from .dates import DateColumn, look_like_dates
from .frames import build, column_names, is_frame, native_column, no_rows
from .identifiers import IdentifierColumn
from .numeric import NumericColumn, QuantileColumn, StandardColumn

NUMERIC_CODES = {"quantile", "smooth", "standard"}
SMOOTH_ROWS = 1000  # that the smooth distribution counts as
# More distinct strings than half of the rows, in more rows than this, are an identifier or free text.
IDENTIFIER_ROWS = 50


class TableCodec:
    """Columns of a mixed table <-> matrix of floats.

    Parameters
    ----------
    categorical_features : "from_dtype", None, or array-like of bool, int or str, default="from_dtype"
        Columns that are categories. "from_dtype": category, bool and string columns; object columns are read
        cell by cell. A list or mask: columns of numbers that are categories too. None: none.
    numeric : {"quantile", "smooth", "standard"}, default="quantile"
        Map of a numeric column: to normal scores with randomised ties, of the column or of it and a smooth
        distribution, or minus mean over standard deviation.
    max_onehot : int, default=50
        Columns with more categories get codes of fixed length instead of one-hot ones.
    frequent_values : bool, default=True
        Whether values that stand out among those of a number are categories beside it (not with "standard").
    within_range : bool, default=False
        Whether numbers are decoded to none beyond those of fit with "standard" too.

    Attributes
    ----------
    columns_ : list of the fitted columns
    writers_ : list of what writes them
    blocks_ : list of Block
    n_outputs_ : int
        Number of columns of W.
    """

    def __init__(
        self,
        categorical_features: Any = "from_dtype",
        numeric: str = "quantile",
        max_onehot: int = 50,
        frequent_values: bool = True,
        within_range: bool = False,
    ) -> None:
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.max_onehot = max_onehot
        self.frequent_values = frequent_values
        self.within_range = within_range

    def fit(self, table: ReadTable, weight: np.ndarray | None = None) -> TableCodec:
        """Learn the columns of a table, by weights (n_samples,) above 0 or all alike."""
        check_option(self.numeric, "numeric", NUMERIC_CODES)
        check_scalar(self.max_onehot, "max_onehot", Integral, min_val=1)
        names, native = column_names(table.X), [native_column(table.X, j) for j in range(len(table.cells))]
        mask = categorical_mask(table.X, self.categorical_features, [cells.observed for cells in table.cells])
        self.template_ = no_rows(table.X)
        self.writers_ = [writer_of(column) for column in native]
        self.columns_ = [
            self._fit_column(names[j], x.observed, native[j], self.writers_[j], mask[j], rows_of(weight, ~x.missing))
            for j, x in enumerate(table.cells)
        ]
        self._set_blocks()
        return self

    def set_identifiers(self, indices: Collection[int], table: ReadTable) -> None:
        """Take the columns of these indices out of the code: they are unique, see `identifiers.py`."""
        for j in indices:
            self.columns_[j] = IdentifierColumn(table.cells[j].observed, self.columns_[j].name)
        self._set_blocks()

    def encode(self, table: ReadTable, ties: np.ndarray | None = None) -> np.ndarray:
        """Code of a table.

        Parameters
        ----------
        table : ReadTable
        ties : ndarray of shape (n_columns,) or None, default=None
            Where in its interval a repeated value is put: at a fraction of it, or in the middle.

        Returns
        -------
        W : ndarray of shape (n_samples, n_outputs)
            NaN in the block of a cell that is missing.
        """
        parts = [
            spread(column.encode(x.observed, at), x.missing)
            for column, x, at in zip(self.columns_, table.cells, self._by_column(ties), strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def redraw_ties(self, W: np.ndarray, table: ReadTable, rng: np.random.Generator) -> np.ndarray:
        """The code W of a table with repeated values put at random in their intervals; the rest stays."""
        out, stop = W.copy(), 0
        for column, x in zip(self.columns_, table.cells, strict=True):
            start, stop = stop, stop + column.width
            if column.kind != "numeric" or self.numeric == "standard":
                continue
            # for columns without ties too: the random numbers of a column do not depend on the values of another
            at = rng.random(len(x.observed))
            if column.has_ties:
                out[~x.missing, start] = column.encode(x.observed, at)[:, 0]
        return out

    def without_frequent(self, W: np.ndarray, table: ReadTable) -> np.ndarray:
        """The code W of a table, NaN in the score of a number that is a category: the category says all of it."""
        out, stop = W.copy(), 0
        for column, x in zip(self.columns_, table.cells, strict=True):
            start, stop = stop, stop + column.width
            if len(column.blocks) > 1:
                out[np.flatnonzero(~x.missing)[column.is_frequent(x.observed)], start] = np.nan
        return out

    def decode(self, W: np.ndarray) -> list[np.ndarray | None]:
        """Cells (n_samples,) of every column of a code without NaN; None for a column without any value."""
        W = np.asarray(W, dtype=np.float64)
        if W.ndim != 2 or W.shape[1] != self.n_outputs_:
            raise ValueError(f"W must have shape (n_samples, {self.n_outputs_}), got {W.shape}.")
        if np.isnan(W).any():
            raise ValueError("W must not contain NaN.")
        parts = np.split(W, np.cumsum([column.width for column in self.columns_])[:-1], axis=1)
        return [column.decode(part) for column, part in zip(self.columns_, parts, strict=True)]

    def in_units(self, W: np.ndarray) -> np.ndarray:
        """(n_samples, n_columns or more) of a code, for distances in the table.

        Numbers and dates as they are, in standard deviations of their column; the code of categories.
        """
        parts = np.split(W, np.cumsum([column.width for column in self.columns_])[:-1], axis=1)
        return np.hstack([column.in_units(part) for column, part in zip(self.columns_, parts, strict=True)])

    def write(self, columns: list[np.ndarray | None], missing: dict[int, np.ndarray], n_samples: int) -> Any:
        """The table of cells, in the container, columns and dtypes seen in fit.

        `missing` are, for the index of a column, the rows (n_samples,) of bool in which it is missing.
        """
        none, every = np.zeros(n_samples, dtype=bool), np.ones(n_samples, dtype=bool)
        return build(
            self.template_,
            [
                writer.write(values, every if values is None else missing.get(j, none))
                for j, (writer, values) in enumerate(zip(self.writers_, columns, strict=True))
            ],
        )

    @property
    def has_ties(self) -> bool:
        """Whether some number is put in an interval of the code."""
        return any(column.has_ties for column in self.columns_ if column.width)

    def _by_column(self, ties: np.ndarray | None) -> list[float | None]:
        return [None] * len(self.columns_) if ties is None else list(ties)

    def log_volume(self, table: ReadTable, ties: np.ndarray | None = None) -> np.ndarray:
        """(n_samples,) sum over the numeric columns of log |dw/dx|, log(mass) - log phi(w) at atoms put by `ties`.

        In a column that is written on a grid dx is counted in steps of it: what comes out is a probability.

        Finite for every finite table: see `QuantileColumn.log_volume` for values that fit did not see. A missing
        cell adds nothing.
        """
        total = np.zeros(len(table))
        for column, x, at in zip(self.columns_, table.cells, self._by_column(ties), strict=True):
            total = total + np.nan_to_num(spread(column.log_volume(x.observed, at)[:, None], x.missing)[:, 0])
        return total

    def rounding_levels(self) -> np.ndarray:
        """(n_outputs,) noise level, in the code, of what rounds to one value; see `StandardColumn.cell`."""
        return np.concatenate(
            [np.full(column.width, column.cell if column.kind == "numeric" else 0.0) for column in self.columns_]
        )

    def _fit_column(
        self,
        name: str,
        x: np.ndarray,
        native: Any,
        writer: Writer | ArrayWriter,
        categorical: bool,
        weight: np.ndarray | None,
    ) -> Column:
        if len(x) == 0:
            return EmptyColumn(name)
        is_date = x.dtype.kind in "mM"
        if categorical and not is_date:
            return self._fit_categorical(name, x, category_order(native, x), weight)
        if x.dtype == object:
            raise ValueError(
                f"Column {name!r} of X holds strings or categories, got categorical_features="
                f"{self.categorical_features!r}, by which none is. Leave categorical_features at 'from_dtype', or drop "
                "the column."
            )
        if np.all(x == x[0]):
            return ConstantColumn(x, name, writer.time_zone is not None)
        make = partial(self._fit_numbers_as_categories if categorical else self._fit_numbers, weight=weight)
        return DateColumn(x, name, make, writer.wall if writer.time_zone else None) if is_date else make(x, name)

    def _fit_numbers(self, x: np.ndarray, name: str, weight: np.ndarray | None) -> NumericColumn:
        max_onehot = self.max_onehot if self.frequent_values else None
        return number_column(x, name, self.numeric, weight, max_onehot, self.within_range)

    def _fit_numbers_as_categories(self, x: np.ndarray, name: str, weight: np.ndarray | None) -> CategoricalColumn:
        return CategoricalColumn(x, name, sorted(set(x.tolist())), self.max_onehot, weight)

    def _fit_categorical(self, name: str, x: np.ndarray, categories: list, weight: np.ndarray | None) -> Column:
        strings = isinstance(categories[0], str)
        if strings and len(x) > IDENTIFIER_ROWS and len(categories) > len(x) / 2:
            dates = "They look like dates: make them dates by pd.to_datetime. " if look_like_dates(categories) else ""
            raise ValueError(
                f"Column {name!r} of X must repeat its categories, got {len(categories)} distinct strings in {len(x)}"
                f" rows: an identifier or free text. {dates}Drop the column, or group its values into fewer categories."
            )
        if len(categories) == 1:
            return ConstantColumn(x.astype(object), name)
        return CategoricalColumn(x, name, categories, self.max_onehot, weight)

    def _set_blocks(self) -> None:
        self.blocks_: list[Block] = []
        self.n_outputs_ = 0
        for column in self.columns_:
            self.blocks_ += [
                block._replace(start=self.n_outputs_ + block.start, stop=self.n_outputs_ + block.stop)
                for block in column.blocks
            ]
            self.n_outputs_ += column.width
        if not self.blocks_:
            raise ValueError("At least one column of X must vary, got one value in every column.")

    def read_column(self, native: Any, j: int) -> Cells:
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

    def read(self, X: Any) -> ReadTable:
        """A new table, read and checked to have the columns of fit."""
        X = as_table(X, min_samples=1)
        expected = self.template_.shape[1]
        if X.shape[1] != expected:
            raise ValueError(f"X has {X.shape[1]} features, but TableCodec is expecting {expected} features.")
        names = [column.name for column in self.columns_]
        if is_frame(X) and is_frame(self.template_) and column_names(X) != names:
            raise ValueError(f"The columns of X must be those seen in fit, {names}, got {column_names(X)}.")
        cells = [self.read_column(native_column(X, j), j) for j in range(expected)]
        for column, x in zip(self.columns_, cells, strict=True):
            check_numbers(column, x.observed)
        return ReadTable(X, cells)


def number_column(
    x: np.ndarray,
    name: str,
    numeric: str,
    weight: np.ndarray | None = None,
    max_onehot: int | None = None,
    within_range: bool = False,
) -> NumericColumn:
    """A column of numbers by the name of its code; with `max_onehot` its frequent values are categories too."""
    if numeric == "standard":
        return StandardColumn(x, name, weight, within_range)
    return QuantileColumn(x, name, weight, max_onehot, SMOOTH_ROWS if numeric == "smooth" else 0)


def check_numbers(column: Column, observed: np.ndarray) -> None:
    """Raise where a column of numbers is given cells of another kind."""
    is_number = column.kind == "numeric" and not isinstance(column, DateColumn)
    if is_number and len(observed) and observed.dtype.kind not in "iufb":
        raise ValueError(f"Column {column.name!r} of X must hold numbers as in fit, got {observed[0]!r}.")


def without_unseen(codec: TableCodec, table: ReadTable) -> tuple[ReadTable, np.ndarray]:
    """A table whose categories that fit did not see are missing, and what each row pays for them (n_samples,).

    An unseen category costs log(n + 1) after n cells, as a number out of range does before its distance, see
    `QuantileColumn.log_volume`: by Laplace's rule of succession the next cell is that of probability 1 / (n + 1).
    """
    price, known = np.zeros(len(table)), []
    for column, x in zip(codec.columns_, table.cells, strict=True):
        unseen = column.unseen(x.observed)
        known.append(x.without(unseen))
        if unseen.any():
            price += (known[-1].missing & ~x.missing) * np.log(column.n + 1.0)
    return ReadTable(table.X, known), price


def spread(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Rows of values (m, k) over the (n,) cells they are of, NaN elsewhere."""
    if not missing.any():
        return values
    out = np.full((len(missing), values.shape[1]), np.nan)
    out[~missing] = values
    return out


def whole_columns(blocks: list[Block]) -> list[Block]:
    """One block a column of the table: that of a number with its frequent values in it."""
    last = [k for k in range(len(blocks)) if k + 1 == len(blocks) or not blocks[k + 1].of_number]
    return [blocks[k - blocks[k].of_number]._replace(stop=blocks[k].stop) for k in last]


def number_columns(blocks: list[Block]) -> np.ndarray:
    """(n_outputs,) of bool, the columns of W for who takes a number as one number: all but its frequent values."""
    return np.concatenate([np.full(block.stop - block.start, not block.of_number) for block in blocks])


def coded_columns(blocks: list[Block]) -> np.ndarray:
    """(n_outputs,) of bool, the columns of W that are the code of a category."""
    return np.concatenate([np.full(block.stop - block.start, block.codes is not None) for block in blocks])


def cells_that_stay(blocks: list[Block], W: np.ndarray) -> np.ndarray:
    """(n, n_outputs) of bool, cells of the code W that are no numbers to be moved: categories, and frequent values."""
    stays = np.broadcast_to(coded_columns(blocks), W.shape).copy()
    for block in blocks:
        if block.of_number:
            stays[:, block.start - 1] = block.says_value(W[:, block.start : block.stop])
    return stays


def category_order(native: Any, x: np.ndarray) -> list:
    """Categories seen in a column: in the order of a category dtype, else sorted."""
    seen = set(x.tolist())
    if is_category(native.dtype):
        return [category for category in native.dtype.categories.tolist() if category in seen]
    return sorted(seen)
