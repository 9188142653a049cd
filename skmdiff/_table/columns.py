"""One class per kind of column: its values <-> its block of the matrix W, and what users may ask of it.

A column class is built from the training values x (n,) of one column, cells that hold something: missing cells are the
codec's. It has two sides, see `Column`: the code, and the constants of conditions and constraints. Numbers are in
`numeric.py`, dates and durations in `dates.py`. Fitted state is plain Python and numpy, no pandas.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from numbers import Number
from typing import Any, NamedTuple, NoReturn

import numpy as np

from .constants import Parameter, Values, describe, read_numbers, read_ticks
from .grids import DecimalGrid, FloatGrid, Grid, IntegerGrid, seen_decimals

CODE_DIM = 16
CODE_SEED = 0
NEAREST_CELLS = 4_000_000  # rows x categories handled at once by the nearest-code search
SHOWN = 10  # categories in a message

Ties = np.random.Generator | np.ndarray | float | None


class Block(NamedTuple):
    """The columns `start:stop` of W that stand for one column of the table."""

    kind: str  # "numeric" (width 1) or "categorical"
    start: int
    stop: int
    codes: np.ndarray | None  # (n_categories, stop - start) code of each category, None for numeric
    name: str  # for messages
    frequencies: np.ndarray | None = None  # (n_categories,) fraction of each category, None for numeric
    of_number: bool = False  # whether the categories are the frequent values of the number in the block before
    has_others: bool = False  # and the first of them stands for all other values of it

    def says_value(self, codes: np.ndarray) -> np.ndarray:
        """(n,) of bool, the codes that are of a frequent value."""
        assert self.codes is not None
        return nearest_codes(codes, self.codes) >= self.has_others


class Column:
    """One column of a table.

    The code, for cells x (n,) that hold something; `ties` says where in its interval a repeated value is put:

        encode(x, ties) -> (n, width)     decode(block) -> (n,)     log_volume(x, ties) -> (n,)     unseen(x) -> (n,)

    What users write of it, by `Parameter`, for messages:

        read(values) -> (n,) constants of the kind of the column: numbers, dates of any unit, ...
        parse(values) -> (n,) cells in the dtype of the column, that it can hold and that are within the range seen
        inward(low, high) -> the ends of a range moved inward to cells of the column; low > high for an empty one
        range, grid(space) -> the least and the largest cell seen in fit, and the grid of the values

    Attributes
    ----------
    kind : "numeric", "categorical" or, without a block, "constant"
    width, blocks : columns of the code, and the blocks that they are: one, two for a number with frequent values
    content : in words, what the cells are
    """

    kind: str = "constant"
    width: int = 0
    codes: Any = None
    frequencies: Any = None
    has_ties: bool = False
    cell: float = 0.0
    name: str
    n: int
    content: str
    dtype: np.dtype

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        raise NotImplementedError

    def decode(self, block: np.ndarray) -> Any:
        raise NotImplementedError

    def in_units(self, block: np.ndarray) -> np.ndarray:
        """(n, 1) numbers of a code in standard deviations of the column; the code itself of what is no number."""
        return block

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the code, which starts with them."""
        return [Block(self.kind, 0, self.width, self.codes, self.name, self.frequencies)] if self.width else []

    def is_frequent(self, x: np.ndarray) -> np.ndarray:
        """(n,) of bool, numbers that are a category of the code: none."""
        return np.zeros(len(x), dtype=bool)

    def log_volume(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        """No volume."""
        return np.zeros(len(x))

    def unseen(self, x: np.ndarray) -> np.ndarray:
        """No category that could be unseen."""
        return np.zeros(len(x), dtype=bool)

    @property
    def range(self) -> tuple[Any, Any]:
        raise NotImplementedError

    def grid(self, space: np.dtype | None = None) -> Grid:
        """The grid of the values, in a dtype in which columns are compared, or in that of the column."""
        raise NotImplementedError

    def read(self, values: Values, parameter: Parameter) -> np.ndarray:
        raise NotImplementedError

    def parse(self, values: Values, parameter: Parameter) -> np.ndarray:
        raise NotImplementedError

    def inward(self, low: Any, high: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    @property
    def is_ordered(self) -> bool:
        """Whether the cells are numbers, dates or durations, that have an order."""
        return self.kind != "categorical" and self.dtype.kind in "iufmM"

    def check_range(self, values: np.ndarray, parameter: Parameter) -> None:
        """Raise unless all values are within the range seen."""
        least, most = self.range
        outside = (values < least) | (values > most)
        if outside.any():
            raise parameter.error(ValueError, self.range_rule(), values[outside][0])

    def range_rule(self) -> str:
        """In words, for messages."""
        least, most = self.range
        return f"lie in the range seen in fit, from {least} to {most}"


class EmptyColumn(Column):
    """A column without any value: no block, every cell stays missing."""

    content, dtype, n = "nothing", np.dtype(object), 0

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        if len(x):
            raise ValueError(f"Column {self.name!r} of X must be empty as in fit, got {x[0]!r}.")
        return np.empty((0, 0))

    def decode(self, block: np.ndarray) -> None:
        return None


class ConstantColumn(Column):
    """A column with one value: no block; the value is restored.

    Parameters
    ----------
    x : ndarray, cells; name : str
    zoned : whether they are dates with a time zone
    """

    def __init__(self, x: np.ndarray, name: str, zoned: bool = False) -> None:
        self.name, self.n, self.zoned = name, len(x), zoned
        self.value = x[:1].copy()
        self.dtype = self.value.dtype
        self.content = describe(self.dtype, zoned) if self.is_ordered else "one string or bool"

    @property
    def range(self) -> tuple[Any, Any]:
        return self.value[0], self.value[0]

    def grid(self, space: np.dtype | None = None) -> Grid:
        """All values of the dtype, on the grid of the decimals of the one."""
        if self.dtype.kind != "f":
            return IntegerGrid()
        decimals = seen_decimals(self.value)
        return FloatGrid(self.dtype) if decimals is None else DecimalGrid(1, 10**decimals, self.dtype)

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        if (unseen := self.unseen(x)).any():
            raise_unseen(self.name, set(x[unseen].tolist()))
        kind = self.dtype.kind
        if kind != "O" and len(x) and x.dtype.kind not in ("iufb" if kind in "iufb" else kind):
            held = {"M": "dates", "m": "durations"}.get(kind, "numbers")
            raise ValueError(f"Column {self.name!r} of X must hold {held} as in fit, got {x[0]!r}.")
        return np.empty((len(x), 0))

    def decode(self, block: np.ndarray) -> np.ndarray:
        return np.repeat(self.value, len(block))

    def unseen(self, x: np.ndarray) -> np.ndarray:
        if self.dtype != object:
            return super().unseen(x)
        return not_among(set(self.value.tolist()), x, self.name)

    def read(self, values: Values, parameter: Parameter) -> np.ndarray:
        if self.dtype == object:
            return as_objects(values)
        if self.dtype.kind in "mM":
            return read_ticks(values, self.dtype, self.zoned, parameter)
        return read_numbers(values, parameter, bools=self.dtype.kind == "b")

    def parse(self, values: Values, parameter: Parameter) -> np.ndarray:
        cells = self.read(values, parameter)
        differs = cells != self.value
        if differs.any():
            raise parameter.error(ValueError, self.range_rule(), cells[differs][0])
        return np.repeat(self.value, len(cells))

    def range_rule(self) -> str:
        return f"be the one value seen in fit, {self.value[0]!s}"


class CategoricalColumn(Column):
    """One code vector per category; decoding takes the nearest code."""

    kind, content, dtype = "categorical", "categories", np.dtype(object)

    def __init__(
        self, x: np.ndarray, name: str, categories: list, max_onehot: int, weight: np.ndarray | None = None
    ) -> None:
        self.name, self.categories, self.n = name, categories, len(x)
        self.index_of = {category: k for k, category in enumerate(categories)}
        total = len(x) if weight is None else weight.sum()
        self.frequencies = np.bincount(self._indices(x), weight, minlength=len(categories)) / total
        self.codes = category_codes(self.frequencies, max_onehot)
        self.width = self.codes.shape[1]

    def encode(self, x: np.ndarray, ties: Ties = None) -> np.ndarray:
        return self.codes[self._indices(x)]

    def decode(self, block: np.ndarray) -> np.ndarray:
        return as_objects(self.categories)[nearest_codes(block, self.codes)]

    def unseen(self, x: np.ndarray) -> np.ndarray:
        return not_among(self.index_of.keys(), x, self.name)

    def read(self, values: Values, parameter: Parameter) -> np.ndarray:
        return as_objects(values)

    def parse(self, values: Values, parameter: Parameter) -> np.ndarray:
        for value in values:
            if not isinstance(value, Hashable) or value not in self.index_of:
                raise parameter.error(ValueError, f"be a category seen in fit, {shown(self.categories)}", value)
        return as_objects(values)

    def _indices(self, x: np.ndarray) -> np.ndarray:
        cells = x.tolist()
        try:
            return np.fromiter(map(self.index_of.__getitem__, cells), dtype=np.intp, count=len(cells))
        except KeyError:
            raise_unseen(self.name, set(cells) - self.index_of.keys())


def as_objects(values: Values) -> np.ndarray:
    """(n,) of object, each cell as it is."""
    return np.fromiter(values, dtype=object, count=len(values))


def shown(categories: list) -> str:
    """The first ones, for messages."""
    more = f", ... ({len(categories)} in all)" if len(categories) > SHOWN else ""
    return ", ".join(map(repr, categories[:SHOWN])) + more


def not_among(categories: Collection, x: np.ndarray, name: str) -> np.ndarray:
    """(m,) of bool, the cells of a column that hold none of its categories; cells of another kind are an error."""
    unseen = set(x.tolist()) - set(categories)
    if set(map(alike, unseen)) - set(map(alike, categories)):
        raise_unseen(name, unseen)
    return np.fromiter((cell in unseen for cell in x.tolist()), dtype=bool, count=len(x))


def alike(category: object) -> type:
    """What categories can be mistaken for each other: numbers for numbers, else those of one type."""
    return next((kind for kind in (str, Number) if isinstance(category, kind)), type(category))


def raise_unseen(name: str, unseen: set) -> NoReturn:
    first = ", ".join(sorted(map(repr, unseen))[:5])
    raise ValueError(f"Column {name!r} of X must hold categories seen in fit only, got the unseen {first}.")


def category_codes(frequencies: np.ndarray, max_onehot: int) -> np.ndarray:
    """(n_categories, width) codes: centred, with total variance 1 over the rows if a factor from 1 to 2 makes it so.

    One-hot up to `max_onehot` categories; above, fixed random unit vectors of `CODE_DIM` dimensions, which are
    nearly orthogonal.
    """
    if len(frequencies) <= max_onehot:
        codes = np.eye(len(frequencies))
    else:
        codes = np.random.default_rng(CODE_SEED).standard_normal((len(frequencies), CODE_DIM))
        codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    codes = codes - frequencies @ codes
    variance = frequencies @ (codes**2).sum(axis=1)
    return codes * np.clip(1 / np.sqrt(variance), 1, 2)


def nearest_codes(block: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Index of the nearest code of each row, in chunks that bound the memory."""
    half_norms = 0.5 * (codes**2).sum(axis=1)
    rows = max(1, NEAREST_CELLS // len(codes))
    nearest = np.empty(len(block), dtype=np.intp)
    for start in range(0, len(block), rows):
        part = slice(start, start + rows)
        nearest[part] = np.argmax(block[part] @ codes.T - half_norms, axis=1)
    return nearest
