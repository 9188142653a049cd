"""Finished rows as a classifier sees them: cells, not code.

A repeated value of a training row has a random position in its interval of the code and that of a sample does not, so
that a classifier would tell them by the code. Their cells are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._table.codec import TableCodec
from .._table.target import Target

MAX_CATEGORIES = 255  # of a column that HistGradientBoostingClassifier takes as categories


@dataclass(frozen=True)
class Features:
    """The map from code to features: a column each for the columns of the table that vary, and for the target.

    Numbers are themselves, dates their ticks, categories their index; those of more than MAX_CATEGORIES categories
    stand as the frequency of the category. Missing cells are NaN.
    """

    codec: TableCodec
    target: Target | None

    def of(self, W: np.ndarray, missing: Mapping[int, np.ndarray]) -> np.ndarray:
        """(n, n_columns) of complete code W (n, p), with the rows (n,) of bool in which a column is missing."""
        n_outputs = self.codec.n_outputs_
        F = self.of_table(W[:, :n_outputs], missing)
        return F if self.target is None else with_target(F, self.target.values_of(W[:, n_outputs:]))

    def of_table(self, W: np.ndarray, missing: Mapping[int, np.ndarray]) -> np.ndarray:
        """The same without the target, of code W (n, n_outputs)."""
        cells, columns = self.codec.decode(W), self.codec.columns_
        parts = [as_feature(columns[j], cells[j]) for j in self._varying()]
        return np.column_stack(
            [np.where(missing.get(j, False), np.nan, part) for j, part in zip(self._varying(), parts, strict=True)]
        )

    def is_category(self) -> np.ndarray:
        """(n_columns,) of bool, the features that are indices of categories."""
        flags = [is_indexed(self.codec.columns_[j]) for j in self._varying()]
        if self.target is not None:
            classes = self.target.classes
            flags.append(classes is not None and len(classes) <= MAX_CATEGORIES)
        return np.array(flags)

    def _varying(self) -> list[int]:
        return [j for j, column in enumerate(self.codec.columns_) if column.width]


def with_target(F: np.ndarray, values: np.ndarray | float) -> np.ndarray:
    """Features (n, k) of rows with their targets (n,), or one for all, behind."""
    return np.column_stack([F, np.broadcast_to(np.asarray(values, dtype=np.float64), len(F))])


def is_indexed(column: Any) -> bool:
    """Whether the feature of a column is the index of a category."""
    return column.kind == "categorical" and len(column.categories) <= MAX_CATEGORIES


def as_feature(column: Any, cells: Any) -> np.ndarray:
    """(n,) of float: numbers, ticks of dates, the index or the frequency of categories."""
    if column.kind == "categorical":
        indices = np.fromiter(map(column.index_of.__getitem__, cells.tolist()), dtype=np.intp, count=len(cells))
        return indices.astype(np.float64) if is_indexed(column) else column.frequencies[indices]
    return (cells.astype(np.int64) if cells.dtype.kind in "mM" else cells).astype(np.float64)
