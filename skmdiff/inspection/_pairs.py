"""Pairs of columns: how much they depend on each other, and the pairs in which this differs most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._numerics.checks import check_integer, random_stream
from .._table.checks import check_table
from .._table.frames import take_rows
from ..metrics._marginals import dependence_matrices
from ._bars import Pair, bars_of, read_pairs
from ._figures import (
    REAL_COLOR,
    SEQUENTIAL,
    SYNTHETIC_COLOR,
    TEXT_SIZE,
    TITLE_SIZE,
    Picture,
    cells_on_axis,
    checked_panels,
    date_axis,
    new_panels,
    short,
    unit_of,
)

_N_WIDE = 3
_MAX_BARS = 10
# a sign is written into a cell of the matrix of differences from here on
_SIGN_FROM = 0.05


class ScatterOfPair(NamedTuple):
    """Two columns of numbers, dates or durations of both tables, each (n_rows, 2), without rows that lack a cell.

    `kinds` are "number", "date" (values are days since 1970) or a unit of durations.
    """

    names: tuple[str, str]
    real: np.ndarray
    synthetic: np.ndarray
    kinds: tuple[str, str]


class TableOfPair(NamedTuple):
    """Two columns, one of which is of categories: fractions (n_bars, n_bars) of the rows, and the labels of the bars.

    The first column goes along the columns of the arrays, the second along their rows.
    """

    names: tuple[str, str]
    real: np.ndarray
    synthetic: np.ndarray
    labels: tuple[list[str], list[str]]


class PairsDisplay(Picture):
    """Dependence of the pairs of columns in real and synthetic rows, and the most different pairs.

    Use :meth:`from_tables` to make one.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    real, synthetic : array-like of shape (n_columns, n_columns)
        Dependence of each pair of columns, from 0 to 1.
    pairs : sequence of ScatterOfPair or TableOfPair, default=()
        The pairs to show, as :meth:`from_tables` makes them.
    n_left_out : int, default=0
        Columns that the tables have and the picture has not.

    Attributes
    ----------
    difference_ : ndarray of shape (n_columns, n_columns)
        Synthetic minus real dependence.
    axes_ : ndarray of matplotlib Axes
        Set by :meth:`plot`: three of the matrices, then for every three pairs three of the real and three of the
        synthetic rows.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(
        self,
        names: list[str],
        real: ArrayLike,
        synthetic: ArrayLike,
        pairs: Sequence[ScatterOfPair | TableOfPair] = (),
        n_left_out: int = 0,
    ) -> None:
        self.names, self.pairs, self.n_left_out = names, list(pairs), n_left_out
        self.real, self.synthetic = np.asarray(real, dtype=float), np.asarray(synthetic, dtype=float)
        self.difference_ = self.synthetic - self.real

    @classmethod
    def from_tables(
        cls,
        real: Any,
        synthetic: Any,
        *,
        n_pairs: int = 3,
        max_columns: int = 30,
        max_rows: int = 2000,
        categorical_features: Any = "from_dtype",
        random_state: int | np.random.RandomState | None = None,
    ) -> PairsDisplay:
        """Measure the dependence of all pairs of columns of two tables.

        Dependence is the normalised mutual information of :func:`skmdiff.metrics.mutual_information_error`: 0 for
        independent columns, up to chance, and 1 where each column says all of the other. Numbers are cut into ten bins
        of equal mass in the real table, and missing cells have a separate one. In few rows every pair looks dependent,
        so as many rows are taken of both tables.

        Parameters
        ----------
        real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
            Tables with the same columns in the same order. Cells may be missing.
        n_pairs : int, default=3
            Pairs to show: those whose dependence differs most.
        max_columns : int, default=30
            Most columns of the matrices: of more, those with the most different pairs.
        max_rows : int, default=2000
            Most rows of each table, chosen at random.
        categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
            The categorical columns of `real`: a mask, indices or names.
        random_state : int, RandomState instance or None, default=None
            Seed of the choice of rows.

        Returns
        -------
        PairsDisplay
            Nothing is plotted yet.

        Raises
        ------
        ValueError
            If the tables do not have the same columns in the same order, or a number is below 1 (`n_pairs`: 0).

        Examples
        --------
        >>> from skmdiff.inspection import PairsDisplay
        >>> display = PairsDisplay.from_tables([[0, 0], [1, 1]], [[0, 1], [1, 1]])
        >>> display.real.tolist(), display.difference_.tolist()
        ([[1.0, 1.0], [1.0, 1.0]], [[0.0, -1.0], [-1.0, 0.0]])
        """
        check_integer(n_pairs, "n_pairs", 0)
        check_integer(max_columns, "max_columns", 1)
        check_integer(max_rows, "max_rows", 1)
        real, synthetic = _as_many_rows(real, synthetic, max_rows, random_stream(random_state))
        matrices = dependence_matrices(real, synthetic, categorical_features=categorical_features)
        columns = read_pairs(real, synthetic, categorical_features)
        different = _most_different(matrices[1] - matrices[0])
        shown = _columns_of(different, len(columns), max_columns)
        return cls(
            [columns[j].name for j in shown],
            matrices[0][np.ix_(shown, shown)],
            matrices[1][np.ix_(shown, shown)],
            [_shown_pair(columns[i], columns[j]) for i, j in different[:n_pairs]],
            len(columns) - len(shown),
        )

    def plot(self, axes: Any = None) -> PairsDisplay:
        """Draw the matrices and the pairs; needs matplotlib.

        In the matrix of differences, "+" stands for more dependence in the synthetic rows than in the real ones, "-"
        for less. The panels of a pair have the same axes and, where they are heat maps, the same colours.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, Figure or SubFigure, default=None
            Where to draw: three Axes and, for every three pairs begun, six more; or a figure to lay panels out in. A
            new figure by default.

        Returns
        -------
        PairsDisplay
        """
        n_high = 1 + 2 * -(-len(self.pairs) // _N_WIDE)
        panels = new_panels(axes, n_high, _N_WIDE, (11.5, 3.9 + 2.6 * (n_high - 1)))
        self.axes_ = checked_panels(panels, n_high * _N_WIDE)
        self.figure_ = self.axes_[0].figure
        self._plot_matrices()
        for k in range((n_high - 1) // 2 * _N_WIDE):
            first = _N_WIDE * (1 + 2 * (k // _N_WIDE)) + k % _N_WIDE
            both = self.axes_[[first, first + _N_WIDE]]
            if k < len(self.pairs):
                _plot_pair(both, self.pairs[k])
            else:
                checked_panels(both, 0)
        if self.n_left_out:
            n_all = len(self.names) + self.n_left_out
            note = f"{len(self.names)} of {n_all} columns, those of the most different pairs"
            self.figure_.supxlabel(note, fontsize=TITLE_SIZE)
        return self

    def _plot_matrices(self) -> None:
        top = max(1e-9, np.abs(self.difference_).max())
        matrices = [
            ("dependence in real rows", self.real, 1.0),
            ("dependence in synthetic rows", self.synthetic, 1.0),
            ("difference (+ more, - less in synthetic)", np.abs(self.difference_), max(top, 2 * _SIGN_FROM)),
        ]
        for ax, (title, matrix, most) in zip(self.axes_, matrices, strict=False):
            image = ax.imshow(matrix, vmin=0, vmax=most, cmap=SEQUENTIAL)
            colorbar = self.figure_.colorbar(image, ax=ax, shrink=0.8)
            colorbar.ax.tick_params(labelsize=TEXT_SIZE)
            ax.set_title(title, fontsize=TITLE_SIZE)
            self._label_columns(ax)
        self._write_signs(self.axes_[2], image)

    def _label_columns(self, ax: Any) -> None:
        size, index = 7.0 if len(self.names) <= 15 else 5.0, np.arange(len(self.names))
        names = [short(name, 16) for name in self.names]
        ax.set_xticks(index, names, rotation=90, fontsize=size)
        ax.set_yticks(index, names if ax is self.axes_[0] else [], fontsize=size)

    def _write_signs(self, ax: Any, image: Any) -> None:
        size = 9 if len(self.names) <= 15 else 5
        for i, j in np.argwhere(np.abs(self.difference_) >= _SIGN_FROM):
            value = self.difference_[i, j]
            is_dark = image.norm(abs(value)) > 0.5
            color = "white" if is_dark else "black"
            ax.text(j, i, "+" if value > 0 else "-", ha="center", va="center", fontsize=size, color=color)


def _as_many_rows(real: Any, synthetic: Any, max_rows: int, rng: np.random.RandomState) -> list[Any]:
    tables = [check_table(table, min_samples=1) for table in (real, synthetic)]
    n_rows = min(max_rows, *(table.shape[0] for table in tables))
    return [take_rows(table, np.sort(rng.permutation(table.shape[0])[:n_rows])) for table in tables]


def _most_different(difference: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of columns i < j, the most different ones first."""
    i, j = np.triu_indices(len(difference), 1)
    order = np.argsort(-np.abs(difference[i, j]), kind="stable")
    return list(zip(i[order].tolist(), j[order].tolist(), strict=True))


def _columns_of(pairs: list[tuple[int, int]], n_columns: int, max_columns: int) -> list[int]:
    """The indices, ascending, of the columns of the first pairs, max_columns of n_columns at most."""
    if n_columns <= max_columns:
        return list(range(n_columns))
    met = list(dict.fromkeys(j for pair in pairs for j in pair))
    return sorted(met[:max_columns])


def _shown_pair(first: Pair, second: Pair) -> ScatterOfPair | TableOfPair:
    names = first.name, second.name
    if any(pair.is_category or not len(pair.real.observed) for pair in (first, second)):
        bars = [bars_of(pair, _MAX_BARS) for pair in (first, second)]
        shape = len(bars[1].labels), len(bars[0].labels)
        tables = [
            np.bincount(y * shape[1] + x, minlength=shape[0] * shape[1]).reshape(shape) / len(x)
            for x, y in [(bars[0].real, bars[1].real), (bars[0].synthetic, bars[1].synthetic)]
        ]
        return TableOfPair(names, tables[0], tables[1], (bars[0].labels, bars[1].labels))
    rows = [
        np.column_stack([cells_on_axis(cells, unit_of(pair.real.observed)) for pair, cells in both])
        for both in [
            [(first, first.real), (second, second.real)],
            [(first, first.synthetic), (second, second.synthetic)],
        ]
    ]
    seen = [part[~np.isnan(part).any(axis=1)] for part in rows]
    return ScatterOfPair(names, seen[0], seen[1], (_kind(first), _kind(second)))


def _kind(pair: Pair) -> str:
    return "date" if pair.real.observed.dtype.kind == "M" else unit_of(pair.real.observed) or "number"


# ---- one pair -------------------------------------------------------------------------------------------------


def _plot_pair(axes: np.ndarray, pair: ScatterOfPair | TableOfPair) -> None:
    """The real rows of a pair in the first Axes, the synthetic ones in the second."""
    if isinstance(pair, ScatterOfPair):
        _plot_scatter(axes, pair)
    else:
        _plot_table(axes, pair)
    for ax, title in zip(axes, ("real", "synthetic"), strict=True):
        ax.set_title(title, fontsize=TITLE_SIZE)
        ax.set_xlabel(short(pair.names[0], 30), fontsize=TITLE_SIZE)
        ax.set_ylabel(short(pair.names[1], 24), fontsize=TITLE_SIZE)


def _plot_scatter(axes: np.ndarray, pair: ScatterOfPair) -> None:
    both = np.vstack([pair.real, pair.synthetic])
    for ax, rows, color in zip(axes, (pair.real, pair.synthetic), (REAL_COLOR, SYNTHETIC_COLOR), strict=True):
        ax.scatter(*rows.T, s=5, alpha=0.5, color=color, linewidths=0)
        for kind, axis, values, set_limits in zip(
            pair.kinds, (ax.xaxis, ax.yaxis), both.T, (ax.set_xlim, ax.set_ylim), strict=True
        ):
            _set_limits(set_limits, values)
            if kind == "date":
                date_axis(axis)
        ax.tick_params(labelsize=TEXT_SIZE)


def _set_limits(set_limits: Any, values: np.ndarray) -> None:
    if len(values):
        margin = 0.05 * np.ptp(values) or 0.5
        set_limits(values.min() - margin, values.max() + margin)


def _plot_table(axes: np.ndarray, pair: TableOfPair) -> None:
    most = max(pair.real.max(), pair.synthetic.max())
    for ax, table in zip(axes, (pair.real, pair.synthetic), strict=True):
        ax.imshow(table, vmin=0, vmax=most, cmap=SEQUENTIAL, aspect="auto")
        rotated = len("".join(pair.labels[0])) > 30
        labels = [[short(label, 14) for label in part] for part in pair.labels]
        ax.set_xticks(range(len(labels[0])), labels[0], rotation=90 * rotated, fontsize=TEXT_SIZE - 1)
        ax.set_yticks(range(len(labels[1])), labels[1], fontsize=TEXT_SIZE - 1)
