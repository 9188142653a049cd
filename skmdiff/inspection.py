"""Displays that put real and synthetic rows side by side: computed once, plotted later and often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._numerics.checks import random_stream
from ._table.cells import Cells, read_cells
from ._table.checks import categorical_mask, check_table
from ._table.frames import column_names, is_frame, native_column, take_rows

__all__ = ["ColumnsDisplay", "EmbeddingDisplay"]

REAL_COLOR, SYNTHETIC_COLOR = "#1f77b4", "#d95f02"


class EmbeddingDisplay:
    """Real and synthetic rows on the embedding of the real ones, side by side.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    real, synthetic : array-like of shape (n_rows, n_components)
        Embedded rows; the first two components are plotted, a single one along a line.

    Attributes
    ----------
    limits_ : ndarray of shape (2, 2)
        Lowest and highest value of the two components over both sets of rows.
    axes_ : ndarray of 2 matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(self, real: ArrayLike, synthetic: ArrayLike) -> None:
        self.real, self.synthetic = _two_components(real), _two_components(synthetic)
        both = np.vstack([self.real, self.synthetic])
        self.limits_ = np.array([both.min(axis=0), both.max(axis=0)])

    @classmethod
    def from_estimator(
        cls,
        sampler: Any,
        X_real: Any,
        X_synthetic: Any,
        *,
        max_rows: int = 2000,
        random_state: int | np.random.RandomState | None = None,
    ) -> EmbeddingDisplay:
        """Embed rows with a fitted sampler.

        Parameters
        ----------
        sampler : ManifoldDiffusionSampler
            A fitted sampler.
        X_real, X_synthetic : {DataFrame, array-like} of shape (n_rows, n_features)
            Rows like those seen in `fit`, and samples.
        max_rows : int, default=2000
            Rows of each table to embed at most, chosen at random.
        random_state : int, RandomState instance or None, default=None
            Seed of this choice.

        Returns
        -------
        EmbeddingDisplay
            Nothing is plotted yet.
        """
        if not hasattr(sampler, "embed"):
            raise TypeError(f"sampler must have a method embed, as ManifoldDiffusionSampler has, got {sampler!r:.80}.")
        rng = random_stream(random_state)
        return cls(*(sampler.embed(_some_rows(X, max_rows, rng)) for X in (X_real, X_synthetic)))

    def plot(self, axes: Sequence | None = None) -> EmbeddingDisplay:
        """Draw the rows; needs matplotlib.

        Parameters
        ----------
        axes : sequence of 2 matplotlib Axes, default=None
            Where to draw the real and the synthetic rows; a new figure by default.

        Returns
        -------
        EmbeddingDisplay
        """
        self.axes_ = _new_axes(1, 2) if axes is None else np.ravel(axes)
        self.figure_ = self.axes_[0].figure
        margin = 0.05 * np.ptp(self.limits_, axis=0) + 1e-9
        low, high = self.limits_[0] - margin, self.limits_[1] + margin
        pairs = [("real", self.real, REAL_COLOR), ("synthetic", self.synthetic, SYNTHETIC_COLOR)]
        for ax, (title, rows, color) in zip(self.axes_, pairs, strict=True):
            ax.scatter(*rows.T, s=6, alpha=0.6, color=color, linewidths=0)
            ax.set(title=f"{title} ({len(rows)} rows)", xticks=[], yticks=[])
            ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        return self


class ColumnsDisplay:
    """The fractions of the values of every column, in real and in synthetic rows.

    Use :meth:`from_tables` to make one.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    labels : list of list of str
        For each column the category, value or left end of a bin that a bar stands for; "missing" is the last
        one where cells are missing.
    real, synthetic : list of ndarray
        For each column the fraction of each bar; each adds up to 1.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(
        self, names: list[str], labels: list[list[str]], real: list[np.ndarray], synthetic: list[np.ndarray]
    ) -> None:
        self.names, self.labels, self.real, self.synthetic = names, labels, real, synthetic

    @classmethod
    def from_tables(
        cls, real: Any, synthetic: Any, *, max_bars: int = 12, categorical_features: Any = "from_dtype"
    ) -> ColumnsDisplay:
        """Count the values of two tables.

        Parameters
        ----------
        real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
            Tables with the same columns: in any order where both have names, else in the same. Cells may be missing.
        max_bars : int, default=12
            Most bars of a column, beside the one of missing cells: rarer categories are counted together, and a
            numeric column of more different values is cut into bins of equal width over the real range.
        categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
            The categorical columns of `real`: a mask, indices or names.

        Returns
        -------
        ColumnsDisplay
            Nothing is plotted yet.

        Raises
        ------
        ValueError
            If the tables do not have the same columns.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdiff.inspection import ColumnsDisplay
        >>> display = ColumnsDisplay.from_tables([[0.0], [0.0], [1.0], [np.nan]], [[0.0], [1.0]])
        >>> display.labels, display.real[0].tolist(), display.synthetic[0].tolist()
        ([['0', '1', 'missing']], [0.5, 0.25, 0.25], [0.5, 0.5, 0.0])
        """
        real, synthetic = check_table(real, min_samples=1), check_table(synthetic, min_samples=1)
        columns = zip(_cells_of(real), _cells_of(synthetic, _same_columns(real, synthetic)), strict=True)
        pairs = [(a, _like(a, b)) for a, b in columns]
        categorical = categorical_mask(real, categorical_features, [a.observed for a, _ in pairs])
        counted = [
            _with_missing(_categories if is_category else _values, *pair, max_bars)
            for pair, is_category in zip(pairs, categorical, strict=True)
        ]
        return cls(column_names(real), *map(list, zip(*counted, strict=True)))

    def plot(self, axes: Sequence | None = None) -> ColumnsDisplay:
        """Draw one panel of bars per column; needs matplotlib.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw, one per column; a new figure by default.

        Returns
        -------
        ColumnsDisplay
        """
        n_wide = min(5, len(self.names))
        self.axes_ = _new_axes(-(-len(self.names) // n_wide), n_wide) if axes is None else np.ravel(axes)
        self.figure_ = self.axes_[0].figure
        for j, name in enumerate(self.names):
            self._plot_column(self.axes_[j], j)
            self.axes_[j].set_title(name, fontsize=8)
        for ax in self.axes_[len(self.names) :]:
            ax.set_axis_off()
        return self

    def _plot_column(self, ax: Any, j: int) -> None:
        index = np.arange(len(self.labels[j]))
        ax.bar(index - 0.2, self.real[j], width=0.4, color=REAL_COLOR)
        ax.bar(index + 0.2, self.synthetic[j], width=0.4, color=SYNTHETIC_COLOR)
        # long labels do not fit a small panel: the first and the last say where it begins and ends
        shown = index if len("".join(self.labels[j])) <= 24 else index[[0, -1]]
        ax.set_xticks(shown, [self.labels[j][k][:14] for k in shown], fontsize=5)
        ax.set_yticks([])


def _two_components(rows: ArrayLike) -> np.ndarray:
    rows = np.asarray(rows, dtype=float)
    return np.pad(rows[:, :2], [(0, 0), (0, max(0, 2 - rows.shape[1]))])


def _some_rows(X: Any, max_rows: int, rng: np.random.RandomState) -> Any:
    chosen = np.sort(rng.permutation(len(X))[:max_rows])
    return take_rows(X if is_frame(X) else np.asarray(X), chosen)


def _new_axes(n_high: int, n_wide: int) -> np.ndarray:
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('plot needs matplotlib; pip install "skmdiff[plot]"') from error

    size = (3 * n_wide, 2.4 * n_high)
    return np.ravel(plt.subplots(n_high, n_wide, squeeze=False, figsize=size, layout="constrained")[1])


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


def _cells_of(table: Any, order: list[int] | None = None) -> list[Cells]:
    names = column_names(table)
    return [read_cells(native_column(table, j), names[j]) for j in order or range(len(names))]


def _like(real: Cells, synthetic: Cells) -> Cells:
    """The synthetic dates in the unit of the real ones, anything else as it is."""
    if real.observed.dtype.kind not in "mM":
        return synthetic
    return Cells(synthetic.observed.astype(real.observed.dtype), synthetic.missing)


def _with_missing(count: Any, a: Cells, b: Cells, max_bars: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Labels and fractions of the bars of a column; the last bar is that of the missing cells, if there are any."""
    # without a real value there is nothing to make bins of
    count = count if len(a.observed) else _categories
    labels, *counts = count(a.observed, b.observed, max_bars)
    if a.missing.any() or b.missing.any():
        labels = [*labels, "missing"]
        counts = [np.append(found, cells.missing.sum()) for found, cells in zip(counts, (a, b), strict=True)]
    return labels, counts[0] / len(a.missing), counts[1] / len(b.missing)


def _categories(a: np.ndarray, b: np.ndarray, max_bars: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Labels and counts of the most frequent real categories, the rest together as one."""
    categories, counts = np.unique(a, return_counts=True)
    top = categories[np.argsort(-counts, kind="stable")]
    top = top if len(top) <= max_bars else top[: max_bars - 1]
    labels = [str(category) for category in top]
    found = [np.array([np.sum(column == category) for category in top], dtype=int) for column in (a, b)]
    rest = [len(column) - count.sum() for column, count in zip((a, b), found, strict=True)]
    if max(rest) > 0:
        labels = [*labels, "other"]
        found = [np.append(count, others) for count, others in zip(found, rest, strict=True)]
    return labels, found[0], found[1]


def _values(a: np.ndarray, b: np.ndarray, max_bars: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Labels and counts of the real values if there are few, else of bins of equal width over the real range."""
    dtype = a.dtype
    a, b = (column.astype(np.int64) if dtype.kind in "mM" else column for column in (a, b))
    values = np.unique(a)
    if len(values) <= max_bars:
        edges = np.append(values, values[-1] + 1)
    else:
        edges = np.unique(np.linspace(float(values[0]), float(values[-1]), max_bars + 1))
    return _labels(edges[:-1], dtype), _in_bins(a, edges), _in_bins(b, edges)


def _labels(edges: np.ndarray, dtype: np.dtype) -> list[str]:
    """Numbers in four digits, dates as days, or as hours where they are a few days apart, durations in seconds."""
    if dtype.kind == "m":
        return [f"{edge:.4g} s" for edge in edges.astype(np.int64).astype(dtype) / np.timedelta64(1, "s")]
    if dtype.kind == "M":
        dates = edges.astype(np.int64).astype(dtype)
        unit = "D" if dates[-1] - dates[0] >= np.timedelta64(len(edges), "D") else "h"
        return dates.astype(f"datetime64[{unit}]").astype(str).tolist()
    return [f"{edge:.4g}" for edge in edges]


def _in_bins(column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts of the bins. A value between two edges counts with the lower one, a value beyond them with the end."""
    index = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(index, minlength=len(edges) - 1)
