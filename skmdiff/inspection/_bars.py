"""A column of two tables as bars: a category, a number or a bin each, and one for missing cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._table.cells import Cells, read_cells
from .._table.checks import categorical_mask, check_table
from .._table.frames import column_names, is_frame, native_column

MISSING, OTHER = "missing", "other"


class Pair(NamedTuple):
    """A column of both tables: its name, its cells, and whether it is of categories."""

    name: str
    real: Cells
    synthetic: Cells
    is_category: bool


class Bars(NamedTuple):
    """The bar of every row of both tables.

    labels : of the bars; the last one is `MISSING` where cells are missing
    edges : of the bins of a column of numbers, dates or durations, else None
    real, synthetic : (n_rows,) index of the bar
    """

    labels: list[str]
    edges: np.ndarray | None
    real: np.ndarray
    synthetic: np.ndarray

    def fractions(self) -> list[np.ndarray]:
        """The fraction of each bar in both tables."""
        return [np.bincount(codes, minlength=len(self.labels)) / len(codes) for codes in (self.real, self.synthetic)]


def read_pairs(real: Any, synthetic: Any, categorical_features: Any) -> list[Pair]:
    """The columns of two tables, by the names of the real one; raises a ValueError where they are not the same."""
    real, synthetic = check_table(real, min_samples=1), check_table(synthetic, min_samples=1)
    names, order = column_names(real), _same_columns(real, synthetic)
    first = _cells_of(real, list(range(len(names))))
    both = [(a, _like(a, b)) for a, b in zip(first, _cells_of(synthetic, order), strict=True)]
    mask = categorical_mask(real, categorical_features, [a.observed for a in first])
    return [
        Pair(name, a, b, bool(is_category) or a.observed.dtype.kind in "bOU")
        for name, (a, b), is_category in zip(names, both, mask, strict=True)
    ]


def bars_of(pair: Pair, max_bars: int) -> Bars:
    """The bars of a column, at most max_bars beside that of missing cells."""
    a, b = pair.real, pair.synthetic
    # without a real value there is nothing to make bins of
    make = _categories if pair.is_category or not len(a.observed) else _values
    labels, edges, *codes = make(a.observed, b.observed, max_bars)
    codes = [_with_missing(part, cells.missing, len(labels)) for part, cells in zip(codes, (a, b), strict=True)]
    if a.missing.any() or b.missing.any():
        labels = [*labels, MISSING]
    return Bars(labels, edges, *codes)


def _with_missing(codes: np.ndarray, missing: np.ndarray, code_of_missing: int) -> np.ndarray:
    out = np.full(len(missing), code_of_missing)
    out[~missing] = codes
    return out


def _same_columns(real: Any, synthetic: Any) -> list[int]:
    """For each column of `real` the index of the same column in `synthetic`: by name where both have names."""
    both = [column_names(table) for table in (real, synthetic)]
    if is_frame(real) and is_frame(synthetic):
        if unlike := sorted(set(both[0]) ^ set(both[1])):
            raise ValueError(f"synthetic must have the columns of real, got {unlike} in one of them only")
        return [both[1].index(name) for name in both[0]]
    if len(both[0]) != len(both[1]):
        raise ValueError(f"synthetic must have as many columns as real, {len(both[0])}, got {len(both[1])}")
    return list(range(len(both[0])))


def _cells_of(table: Any, order: list[int]) -> list[Cells]:
    names = column_names(table)
    return [read_cells(native_column(table, j), names[j]) for j in order]


def _like(real: Cells, synthetic: Cells) -> Cells:
    """The synthetic dates in the unit of the real ones, anything else as it is."""
    if real.observed.dtype.kind not in "mM":
        return synthetic
    return Cells(synthetic.observed.astype(real.observed.dtype), synthetic.missing)


def _categories(a: np.ndarray, b: np.ndarray, max_bars: int) -> tuple[list[str], None, np.ndarray, np.ndarray]:
    """The most frequent real categories; the rest together as one, if there is a rest."""
    categories, counts = np.unique(a, return_counts=True)
    top = categories[np.argsort(-counts, kind="stable")]
    top = top if len(top) <= max_bars else top[: max_bars - 1]
    index = {category: k for k, category in enumerate(top.tolist())}
    codes = [np.array([index.get(cell, len(top)) for cell in part.tolist()], dtype=int) for part in (a, b)]
    labels = [str(category) for category in top]
    has_rest = any((part == len(top)).any() for part in codes)
    return [*labels, OTHER] if has_rest else labels, None, codes[0], codes[1]


def _values(a: np.ndarray, b: np.ndarray, max_bars: int) -> tuple[list[str], np.ndarray | None, np.ndarray, np.ndarray]:
    """The real values if there are few, else bins of equal width over the real range."""
    dtype = a.dtype
    a, b = (part.astype(np.int64) if dtype.kind in "mM" else part for part in (a, b))
    values = np.unique(a)
    if len(values) <= max_bars:
        return _labels(values, dtype), None, _in_bins(a, values), _in_bins(b, values)
    edges = np.unique(np.linspace(float(values[0]), float(values[-1]), max_bars + 1))
    shown = edges.astype(np.int64).astype(dtype) if dtype.kind in "mM" else edges
    return _labels(edges[:-1], dtype), shown, _in_bins(a, edges[:-1]), _in_bins(b, edges[:-1])


def _labels(lowest: np.ndarray, dtype: np.dtype) -> list[str]:
    """Integers as they are, other numbers in four digits, dates as days or hours, durations in seconds."""
    if dtype.kind == "m":
        return [f"{value:.4g} s" for value in lowest.astype(np.int64).astype(dtype) / np.timedelta64(1, "s")]
    if dtype.kind == "M":
        dates = lowest.astype(np.int64).astype(dtype)
        unit = "D" if dates[-1] - dates[0] >= np.timedelta64(len(lowest), "D") else "h"
        return dates.astype(f"datetime64[{unit}]").astype(str).tolist()
    is_short_integer = (lowest == np.round(lowest)).all() and np.abs(lowest).max() < 1e9
    return [f"{value:.0f}" if is_short_integer else f"{value:.4g}" for value in lowest]


def _in_bins(column: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """The bin of each cell, given where bins begin. What lies before all of them counts with the first one."""
    return np.maximum(np.searchsorted(lowest, column, side="right") - 1, 0)
