"""The target y as one more column of the encoded table: classes or numbers.

Classes are what sklearn calls binary or multiclass (integers, bools, strings); floats that are not all integers
are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target

from .._numerics.checks import check_nothing_masked
from .._numerics.streams import CLASS_STREAM
from .._numerics.warnings_ import warn_user
from .._numerics.weights import indices_at
from .cells import is_missing
from .checks import ReadTable, read_table
from .codec import TableCodec
from .columns import Block

GOLDEN = (5**0.5 - 1) / 2


TARGET_TYPES = {"auto", "class", "number"}
MANY_CLASSES = 50


class Target:
    """The fitted code of a target.

    Parameters
    ----------
    y : ndarray of shape (n,)
    weight : ndarray of shape (n,) or None
    target_type : {"auto", "class", "number"}
        What y holds. "auto" takes integers, bools and strings for classes, and floats that are not all integers for
        numbers.

    Attributes
    ----------
    classes : ndarray or None for numbers
    dtype : of y
    """

    def __init__(self, y: np.ndarray, weight: np.ndarray | None = None, target_type: str = "auto") -> None:
        self.dtype = y.dtype
        self.classes = np.unique(y) if is_class_target(y, target_type) else None
        categorical = [0] if self.is_categorical else None
        self.codec = TableCodec(categorical, frequent_values=False).fit(read_table(self._column(y)), weight)

    @property
    def is_categorical(self) -> bool:
        return self.classes is not None

    @property
    def width(self) -> int:
        """Columns of the code."""
        return self.codec.n_outputs_

    def _column(self, y: np.ndarray) -> np.ndarray:
        """y as a table of one column; classes by their index among the sorted ones."""
        if self.classes is None:
            return np.asarray(y, dtype=float)[:, None]
        indices = {label: k for k, label in enumerate(self.classes.tolist())}
        unknown = [label for label in y.tolist() if label not in indices]
        if unknown:
            raise ValueError(f"y must hold classes seen in fit, {self.classes.tolist()}, got {unknown[0]!r}.")
        return np.array([indices[label] for label in y.tolist()], dtype=np.intp)[:, None]

    def read(self, y: np.ndarray) -> ReadTable:
        """Targets (n,) as a table of one column."""
        return self.codec.read(self._column(y))

    def encode(self, y: np.ndarray) -> np.ndarray:
        """(n, width) code of targets, numbers that repeat in the middle of their intervals."""
        return self.codec.encode(self.read(y))

    def encode_wanted(self, y: Any, n_samples: int, seed: int = 0) -> np.ndarray:
        """(n_samples, width) code of the targets asked for in `sample`: one for all rows, one a row, or shares."""
        check_nothing_masked(y, "y")
        y = self.in_shares(y, n_samples, seed) if isinstance(y, Mapping) else np.asarray(y)
        y = np.full(n_samples, y) if y.ndim == 0 else column_or_1d(y)
        if len(y) != n_samples:
            raise ValueError(f"y must be a scalar or hold n_samples={n_samples} targets, got {len(y)}.")
        return self.encode(y if self.is_categorical else self._seen(y))

    def _seen(self, y: np.ndarray) -> np.ndarray:
        """Numbers (n,) within the range seen, in the dtype of fit."""
        try:
            with np.errstate(over="ignore"):
                numbers = y.astype(float).astype(self.dtype)
        except ValueError as error:
            raise ValueError(f"y must hold numbers as in fit, got {y[0]!r}.") from error
        if not np.isfinite(numbers).all():
            raise ValueError("y must be finite, got NaN or infinity.")
        least, most = self.codec.columns_[0].range
        outside = (numbers < least) | (numbers > most)
        if outside.any():
            raise ValueError(f"y must lie in the range seen in fit, from {least} to {most}, got {y[outside][0]}.")
        return numbers

    def in_shares(self, shares: Mapping, n_samples: int, seed: int) -> np.ndarray:
        """n_samples classes in the shares wanted; the first ones are those of a shorter call.

        By steps of the golden section from a random start, the i-th number of which falls into a class of the share s
        about s n times among the first n, for every n.
        """
        if self.classes is None:
            raise ValueError(f"y={shares!r} needs classes as target, but the sampler was fitted with numbers.")
        ends = np.cumsum(checked_shares(shares, self.classes))
        u = (np.random.default_rng([seed, CLASS_STREAM]).random() + GOLDEN * np.arange(n_samples)) % 1
        return self.classes[indices_at(ends, u * ends[-1])]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Targets of their codes, in the dtype seen in fit."""
        column = self.values_of(codes)
        return column.astype(self.dtype) if self.classes is None else self.classes[column.astype(int)]

    def values(self, y: np.ndarray) -> np.ndarray:
        """(n,) targets as numbers: the index of each class, or y itself."""
        return self._column(y)[:, 0]

    def values_of(self, codes: np.ndarray) -> np.ndarray:
        """(n,) targets as numbers, of their codes."""
        return np.asarray(self.codec.decode(codes)[0])

    def blocks(self, offset: int) -> list[Block]:
        """The blocks of the target behind `offset` columns."""
        return [b._replace(start=b.start + offset, stop=b.stop + offset, name="y") for b in self.codec.blocks_]


def checked_shares(shares: Mapping, classes: np.ndarray) -> np.ndarray:
    """(n_classes,) the shares wanted, of any sum; 0 for classes left out."""
    found = dict.fromkeys(classes.tolist(), 0.0)
    for label, share in shares.items():
        if label not in found:
            raise ValueError(f"y must name classes seen in fit, {classes.tolist()}, got {label!r}.")
        if not isinstance(share, Real) or not 0 <= float(share) < np.inf:
            raise ValueError(f"y[{label!r}] must be a finite share >= 0, got {share!r}.")
        found[label] = float(share)
    if not sum(found.values()):
        raise ValueError(f"y must give some class a share above 0, got {shares!r}.")
    return np.array(list(found.values()))


def is_class_target(y: np.ndarray, target_type: str) -> bool:
    """Whether y holds classes, as `target_type` says or as its cells do."""
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "continuous"):
        raise ValueError(f"y must hold one class or one number a row, got a target of type {kind!r}.")
    if target_type == "number" and y.dtype.kind not in "iuf":
        raise ValueError(f"y must hold numbers with target_type='number', got {y.tolist()[0]!r}.")
    if target_type == "class" and kind == "continuous":
        raise ValueError(
            "y must hold classes (integers, bools or strings) with target_type='class', got numbers with decimals."
        )
    if target_type == "auto" and kind == "multiclass" and y.dtype.kind in "iuf":
        warn_of_many_classes(y, "target_type='number'; target_type='class' keeps them classes without this warning")
    return target_type == "class" or target_type == "auto" and kind != "continuous"


def warn_of_many_classes(y: np.ndarray, way_out: str) -> None:
    """Say what integers are taken for where they look like numbers, and what numbers need instead."""
    n_classes = len(np.unique(y))
    if n_classes > MANY_CLASSES:
        warn_user(f"y holds {n_classes} different integers, which are taken for classes. Numbers need {way_out}.")


def check_target(y: Any, n_samples: int) -> np.ndarray:
    """y as a 1-D array without missing values, of one kind of cells, one a row, not all equal."""
    y = read_target(y, n_samples)
    if len(np.unique(y)) < 2:
        raise ValueError(f"y must hold at least two different values, got only {y[0]!r}.")
    return y


def read_target(y: Any, n_samples: int) -> np.ndarray:
    """The same, maybe all equal."""
    check_nothing_masked(y, "y")
    if not any(hasattr(y, name) for name in ("dtype", "iloc", "__array__")):
        y = np.array(list(y), dtype=object)  # numpy would turn a list of strings and NaN into strings
    y = column_or_1d(y, warn=True)
    check_consistent_length(y, np.empty(n_samples))
    if y.dtype.kind == "O":
        y = _one_kind(y.tolist())
    if y.dtype.kind in "fc":
        assert_all_finite(y, input_name="y")
    return y


def _one_kind(cells: list) -> np.ndarray:
    if any(map(is_missing, cells)):
        raise ValueError("y must not have missing values, got None or NaN.")
    kinds = {str if isinstance(cell, str) else type(cell) for cell in cells}
    if str in kinds and len(kinds) > 1:
        raise TypeError(f"y must hold cells of one kind, got {', '.join(sorted(kind.__name__ for kind in kinds))}.")
    values = np.array(cells)
    if any(isinstance(cell, dict | set) for cell in cells):
        raise TypeError(f"y must hold numbers, strings or bools, got {cells[0]!r:.80}.")
    return values
