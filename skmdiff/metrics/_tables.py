"""Tables read for the measures: columns side by side, random rows, one space for all distances.

Missing cells are part of the distribution of a table, so they are compared like the others. A missing category is
the category ``None``. A missing number is ``nan`` in its column; in the space of distances it is a 0 beside an
indicator column.

The space of distances: numeric columns are standardised by the first table, categorical ones are one-hot, so that two
different categories are the square root of 2 apart. The categories are those of all tables. With those of the first
table only, the other categories would all be equal, rows that have them would lie nearer together, and training rows
could be told from held-out rows by that alone. A column of more than `_MAX_ONE_HOT` categories assigns them to that
many one-hot columns at random, so that one pair of different categories in that many counts as equal.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.neighbors import NearestNeighbors

from .._numerics.checks import check_integer
from .._table.cells import read_cells
from .._table.checks import as_2d_array, categorical_mask
from .._table.frames import column_names, is_frame, is_polars, native_column, take_rows
from .._table.integers import offsets, origin_of

# a pandas or polars DataFrame, or what numpy makes a 2-D array of
Table: TypeAlias = Any
# "from_dtype", or a mask, indices or names of columns
CategoricalFeatures: TypeAlias = ArrayLike | None
Seed: TypeAlias = int | np.random.RandomState | None

# histogram gradient boosting takes at most this many categories in one column
_MAX_TREE_CATEGORIES = 255
# time and memory grow with the width of the space
_MAX_ONE_HOT = 100
# squared distances are found as differences of squared norms, which leaves equal rows about this far apart
SAME = 1e-6
# MiB of distances held at once; scikit-learn's default of 1024 is the larger part of a small machine
WORKING_MEMORY = 64


def as_table(table: Table, min_rows: int = 1) -> Table:
    """A frame as it is, anything else as a 2-D array."""
    if issparse(table):
        raise TypeError("a table must be dense, got a sparse matrix; give its toarray()")
    table = table if is_frame(table) else as_2d_array(table)
    if table.shape[0] < min_rows or table.shape[1] < 1:
        raise ValueError(f"a table must have {min_rows} row(s) and 1 column or more, got shape {table.shape}")
    return table


def aligned(
    tables: list[Table], categorical_features: CategoricalFeatures = "from_dtype", min_rows: int = 1
) -> tuple[list[list[np.ndarray]], list[bool]]:
    """The columns of each table as arrays, and which of them are categorical in the first table."""
    tables = [as_table(table, min_rows) for table in tables]
    widths = [table.shape[1] for table in tables]
    if len(set(widths)) > 1:
        raise ValueError(f"the tables must have the same columns, got {widths} of them")
    names = [column_names(table) for table in tables if is_frame(table)]
    if other := next((found for found in names if found != names[0]), None):
        raise ValueError(f"the tables must have the same columns in the same order, got {names[0]} and {other}")
    split = [[_read(table, j) for j in range(widths[0])] for table in tables]
    categorical = categorical_mask(tables[0], categorical_features, split[0]).tolist()
    for j, name in enumerate(column_names(tables[0])):
        for columns in split:
            columns[j] = _as_category(columns[j]) if categorical[j] else _as_numbers(columns[j], name)
        origin = 0 if categorical[j] else origin_of(split[0][j])
        if origin:  # integers that floats do not hold, by their differences
            for columns in split:
                columns[j] = offsets(columns[j], origin)
    return split, categorical


def one_hot_space(tables: list[Table], categorical_features: CategoricalFeatures) -> list[np.ndarray]:
    """Each table as standardised numeric and one-hot columns, scaled by the first one."""
    return in_space(*aligned(tables, categorical_features))


def in_space(split: list[list[np.ndarray]], categorical: list[bool]) -> list[np.ndarray]:
    """`one_hot_space` of the columns of tables that were aligned."""
    blocks = [
        _one_hot(columns, j) if is_category else _standardised(columns)
        for j, (columns, is_category) in enumerate(zip(zip(*split, strict=True), categorical, strict=True))
    ]
    return [np.hstack(parts) for parts in zip(*blocks, strict=True)]


def two_in_space(
    real: Table, synthetic: Table, reference: Table | None, categorical_features: CategoricalFeatures
) -> tuple[np.ndarray, np.ndarray]:
    """Two tables in the space of a third one, by default the first."""
    tables = [real, synthetic] if reference is None else [reference, real, synthetic]
    *_, a, b = one_hot_space(tables, categorical_features)
    return a, b


def check_max_rows(max_rows: int, minimum: int = 1) -> int:
    return check_integer(max_rows, "max_rows", minimum)


def tree_matrices(tables: list[list[np.ndarray]], categorical: list[bool]) -> tuple[list[np.ndarray], np.ndarray]:
    """Split tables as numbers for trees, and which of the columns of the result are categorical.

    Categories are coded by falling frequency, the rarest beyond `_MAX_TREE_CATEGORIES` as one. A number that is missing
    stays nan in its column, and the column gets an indicator behind all the others: histogram gradient
    boosting takes nan, but not a column, or a fold of it, where every cell is.
    """
    columns, indicators = [], []
    for parts, is_category in zip(zip(*tables, strict=True), categorical, strict=True):
        if is_category:
            parts, n_categories = category_codes(*parts)
            rank = _frequency_rank(np.bincount(np.concatenate(parts), minlength=n_categories))
            parts = [np.minimum(rank[part], _MAX_TREE_CATEGORIES - 1) for part in parts]
        column = np.concatenate(parts).astype(float)
        columns.append(column)
        if np.isnan(column).any():
            indicators.append(np.isnan(column).astype(float))
    ends = np.cumsum([len(table[0]) for table in tables])[:-1]
    matrices = np.split(np.column_stack([*columns, *indicators]), ends)
    return matrices, np.array([*categorical, *[False] * len(indicators)])


def category_codes(*columns: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Columns as codes 0, 1, ... of their values in order of appearance, and the number of different values."""
    codes: dict[Any, int] = {}
    coded = [
        np.array([codes.setdefault(value, len(codes)) for value in column.tolist()], dtype=np.intp)
        for column in columns
    ]
    return coded, len(codes)


def random_rows(table: Table, n: int, rng: np.random.RandomState) -> Table:
    """At most n different rows of a table or an array, in random order."""
    return take_rows(table, rng.permutation(table.shape[0])[:n])


def independent_columns(table: Table, rng: np.random.RandomState) -> Table:
    """The table with each column shuffled independently of the others."""
    n_rows, n_columns = table.shape
    if is_polars(table):
        return table.with_columns([table.to_series(j)[rng.permutation(n_rows)] for j in range(n_columns)])
    shuffled = table.copy()
    for j in range(n_columns):
        order = rng.permutation(n_rows)
        if is_frame(table):
            shuffled.isetitem(j, table.iloc[order, j].array)
        else:
            shuffled[:, j] = table[order, j]
    return shuffled


def deviation(numbers: np.ndarray) -> float:
    """Standard deviation of numbers; 1 where all are equal, also if rounding keeps it from being 0."""
    return 1.0 if is_constant(numbers) else numbers.std() or 1.0


def is_constant(numbers: np.ndarray) -> bool:
    """Whether all numbers are equal and none is missing; rounding may hide it from the standard deviation."""
    return bool((numbers == numbers[0]).all())


def nearest(records: np.ndarray, rows: np.ndarray, n_neighbors: int = 1) -> np.ndarray:
    """Distances of each row to the nearest records, (n_rows, n_neighbors); exactly 0 for equal rows."""
    found = NearestNeighbors(n_neighbors=n_neighbors).fit(records).kneighbors(rows)[0]
    return np.where(found < SAME, 0.0, found)


def neighbour_radius(rows: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Distance of each row to its k-th nearest other row; to the farthest one if there are fewer."""
    n_neighbors = min(n_neighbors, len(rows) - 1)
    radius = NearestNeighbors(n_neighbors=n_neighbors).fit(rows).kneighbors()[0][:, -1]
    return np.where(radius < SAME, 0.0, radius)


def _read(table: Table, j: int) -> np.ndarray:
    """Column j as numbers, nan where missing (dates as their ticks), or as categories, None where missing."""
    values, missing = read_cells(native_column(table, j), column_names(table)[j])
    values = values.astype(np.int64) if values.dtype.kind in "mM" else values
    if not missing.any():
        return values
    is_number = values.dtype.kind in "iuf"
    filled = np.full(len(missing), np.nan if is_number else None, dtype=float if is_number else object)
    filled[~missing] = values
    return filled


def _as_category(column: np.ndarray) -> np.ndarray:
    """Missing cells of a category of numbers become the category None, since nan equals nothing."""
    if column.dtype.kind != "f" or not np.isnan(column).any():
        return column
    categories = column.astype(object)
    categories[np.isnan(column)] = None
    return categories


def _as_numbers(column: np.ndarray, name: str) -> np.ndarray:
    if column.dtype.kind == "O" and all(cell is None for cell in column.tolist()):
        return np.full(len(column), np.nan)
    if column.dtype.kind not in "iufb":
        raise TypeError(
            f"column {name!r} is not categorical in the first table and must hold numbers, got {column[0]!r}"
        )
    return column


def _standardised(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Numbers standardised by the first table; with an indicator if any table has a missing cell."""
    columns = [column.astype(float) for column in columns]
    known = columns[0][~np.isnan(columns[0])]
    mean, scale = (known.mean(), deviation(known)) if len(known) else (0.0, 1.0)
    missing = [np.isnan(column)[:, None] for column in columns]
    scaled = [np.nan_to_num((column - mean) / scale)[:, None] for column in columns]
    if not any(part.any() for part in missing):
        return scaled
    return [np.hstack(pair) for pair in zip(scaled, missing, strict=True)]


def _one_hot(columns: list[np.ndarray], j: int) -> list[np.ndarray]:
    coded, n_categories = category_codes(*columns)
    width = min(n_categories, _MAX_ONE_HOT)
    # codes are in order of appearance: without the permutation the categories of one row would get the same index in
    # all columns
    index = np.random.RandomState(j).permutation(n_categories) % width
    return [(index[codes][:, None] == np.arange(width)).astype(float) for codes in coded]


def _frequency_rank(counts: np.ndarray) -> np.ndarray:
    """Index of each category among all, sorted by falling count."""
    rank = np.empty(len(counts), dtype=int)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return rank
