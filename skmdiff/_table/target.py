"""The target y as one more column of the encoded table: classes or numbers.

Classes are what sklearn calls binary or multiclass (integers, bools, strings); floats that are not all whole are
numbers.
"""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target

from .._numerics.streams import CLASS_STREAM
from .._numerics.weights import indices_at
from .cells import is_missing
from .codec import TableCodec
from .dates import seen_range

GOLDEN = (5**0.5 - 1) / 2


class Target:
    """The fitted code of a target.

    Attributes
    ----------
    classes_ : ndarray or None for a numeric target
    """

    def __init__(self, y, weight=None, target_type="auto"):
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass", "continuous"):
            raise ValueError(f"y must hold one class or one number a row, got a target of type {kind!r}.")
        is_number = kind == "continuous" if target_type == "auto" else target_type == "number"
        self.classes_ = None if is_number else np.unique(y)
        self.dtype_ = y.dtype
        column = self._column(y)
        self.codec_ = TableCodec(categorical_features=[0] if self.is_categorical else None).fit(column, weight)

    @property
    def is_categorical(self):
        return self.classes_ is not None

    @property
    def width(self):
        """Columns of the code."""
        return self.codec_.n_outputs_

    def _column(self, y):
        """y as a table of one column; classes by their place among the sorted ones."""
        if not self.is_categorical:
            return np.asarray(y, dtype=float)[:, None]
        places = {label: k for k, label in enumerate(self.classes_.tolist())}
        unknown = [label for label in y.tolist() if label not in places]
        if unknown:
            raise ValueError(f"y must hold classes seen in fit, {self.classes_.tolist()}, got {unknown[0]!r}.")
        return np.array([places[label] for label in y.tolist()], dtype=np.intp)[:, None]

    def encode(self, y, random_state=None):
        """(n, width) code of targets."""
        return self.codec_.encode(self._column(y), random_state)

    def encode_wanted(self, y, n_samples):
        """(n_samples, width) code of the targets asked for in `sample`: one for all rows, or one a row."""
        y = np.asarray(y)
        y = np.full(n_samples, y) if y.ndim == 0 else column_or_1d(y)
        if len(y) != n_samples:
            raise ValueError(f"y must be a scalar or hold n_samples={n_samples} targets, got {len(y)}.")
        return self.encode(y if self.is_categorical else self._seen(y))

    def _seen(self, y):
        """Numbers (n,) within the range seen, in the dtype of fit."""
        try:
            with np.errstate(over="ignore"):
                numbers = y.astype(float).astype(self.dtype_)
        except ValueError as error:
            raise ValueError(f"y must hold numbers as in fit, got {y[0]!r}.") from error
        if not np.isfinite(numbers).all():
            raise ValueError("y must be finite, got NaN or infinity.")
        least, most = seen_range(self.codec_.columns_[0])
        outside = (numbers < least) | (numbers > most)
        if outside.any():
            raise ValueError(f"y must lie in the range seen in fit, from {least} to {most}, got {y[outside][0]}.")
        return numbers

    def balanced(self, shares, n_samples, seed):
        """n_samples classes in the shares wanted, "balanced" or a dict; the first ones are those of a shorter call.

        By steps of the golden section from a random start, the i-th number of which falls into a class of the share s
        about s n times among the first n, for every n.
        """
        if not self.is_categorical:
            raise ValueError(
                f"class_balance={shares!r} needs classes as target, but the sampler was fitted with numbers."
            )
        ends = np.cumsum(self._shares(shares))
        u = (np.random.default_rng([seed, CLASS_STREAM]).random() + GOLDEN * np.arange(n_samples)) % 1
        return self.classes_[indices_at(ends, u * ends[-1])]

    def _shares(self, shares):
        """(n_classes,) the shares wanted, of any sum."""
        if isinstance(shares, str) and shares == "balanced":
            return np.ones(len(self.classes_))
        if not isinstance(shares, Mapping):
            raise ValueError(f"class_balance must be None, 'balanced' or a dict of shares by class, got {shares!r}.")
        found = dict(zip(self.classes_.tolist(), np.zeros(len(self.classes_)), strict=True))
        for label, share in shares.items():
            if label not in found:
                raise ValueError(
                    f"class_balance must name classes seen in fit, {self.classes_.tolist()}, got {label!r}."
                )
            if not isinstance(share, Real) or not 0 <= share < np.inf:
                raise ValueError(f"class_balance[{label!r}] must be a finite share >= 0, got {share!r}.")
            found[label] = float(share)
        if not sum(found.values()):
            raise ValueError(f"class_balance must give some class a share above 0, got {shares!r}.")
        return np.array(list(found.values()))

    def decode(self, codes):
        """Targets of their codes, in the dtype seen in fit."""
        column = self.codec_.decode(codes)[:, 0]
        return self.classes_[column.astype(int)] if self.is_categorical else column.astype(self.dtype_)

    def values(self, y):
        """(n,) targets as numbers: the place of each class, or y itself."""
        return self._column(y)[:, 0]

    def values_of(self, codes):
        """(n,) targets as numbers, of their codes."""
        return self.codec_.decode(codes)[:, 0]

    def blocks(self, offset):
        """The blocks of the target behind `offset` columns."""
        return [b._replace(start=b.start + offset, stop=b.stop + offset, name="y") for b in self.codec_.blocks_]


def check_target(y, n_samples):
    """y as a 1-D array without missing values, of one kind of cells, one a row, not all equal."""
    y = read_target(y, n_samples)
    if len(np.unique(y)) < 2:
        raise ValueError(f"y must hold at least two different values, got only {y[0]!r}.")
    return y


def read_target(y, n_samples):
    """The same, maybe all equal."""
    if not any(hasattr(y, name) for name in ("dtype", "iloc", "__array__")):
        y = np.array(list(y), dtype=object)  # numpy would turn a list of strings and NaN into strings
    y = column_or_1d(y, warn=True)
    check_consistent_length(y, np.empty(n_samples))
    if y.dtype.kind == "O":
        y = _one_kind(y.tolist())
    if y.dtype.kind in "fc":
        assert_all_finite(y, input_name="y")
    return y


def _one_kind(cells):
    if any(map(is_missing, cells)):
        raise ValueError("y must not have missing values, got None or NaN.")
    kinds = {str if isinstance(cell, str) else type(cell) for cell in cells}
    if str in kinds and len(kinds) > 1:
        raise TypeError(f"y must hold cells of one kind, got {', '.join(sorted(kind.__name__ for kind in kinds))}.")
    return np.array(cells)
