"""Columns of real and synthetic rows, one panel each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._numerics.checks import check_integer
from ._bars import MISSING, bars_of, read_pairs
from ._figures import (
    REAL_BARS,
    SYNTHETIC_BARS,
    TEXT_SIZE,
    TITLE_SIZE,
    Picture,
    bar_handles,
    checked_panels,
    date_axis,
    legend_above,
    new_panels,
    on_axis,
    percent,
    percent_axis,
    short,
    unit_of,
)

_N_WIDE = 4
# more bars or longer labels stand below each other
_MOST_UPRIGHT, _MOST_LETTERS = 8, 24


class ColumnsDisplay(Picture):
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
    edges : list of ndarray or None, default=None
        For each column the edges of its bins, as numbers, datetime64 or timedelta64; None for a column of categories
        or of few values. One None stands for a list of them.
    n_left_out : int, default=0
        Columns that the tables have and the picture has not.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(
        self,
        names: list[str],
        labels: list[list[str]],
        real: list[np.ndarray],
        synthetic: list[np.ndarray],
        edges: Sequence[np.ndarray | None] | None = None,
        n_left_out: int = 0,
    ) -> None:
        self.names, self.labels, self.real, self.synthetic = names, labels, real, synthetic
        self.edges = [None] * len(names) if edges is None else list(edges)
        self.n_left_out = n_left_out

    @classmethod
    def from_tables(
        cls,
        real: Any,
        synthetic: Any,
        *,
        max_bars: int = 16,
        max_columns: int = 40,
        categorical_features: Any = "from_dtype",
    ) -> ColumnsDisplay:
        """Count the values of two tables.

        Parameters
        ----------
        real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
            Tables with the same columns: in any order where both have names, else in the same. Cells may be missing.
        max_bars : int, default=16
            Most bars of a column, beside the one of missing cells: rarer categories are counted together, and a
            numeric column of more different values is cut into bins of equal width over the real range. A value
            beyond that range counts with the bin at its end.
        max_columns : int, default=40
            Most columns to show: of more, those whose fractions differ most.
        categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
            The categorical columns of `real`: a mask, indices or names.

        Returns
        -------
        ColumnsDisplay
            Nothing is plotted yet.

        Raises
        ------
        ValueError
            If the tables do not have the same columns, or `max_bars` or `max_columns` is below 1.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdiff.inspection import ColumnsDisplay
        >>> display = ColumnsDisplay.from_tables([[0.0], [0.0], [1.0], [np.nan]], [[0.0], [1.0]])
        >>> display.labels, display.real[0].tolist(), display.synthetic[0].tolist()
        ([['0', '1', 'missing']], [0.5, 0.25, 0.25], [0.5, 0.5, 0.0])
        """
        check_integer(max_bars, "max_bars", 1)
        check_integer(max_columns, "max_columns", 1)
        pairs = read_pairs(real, synthetic, categorical_features)
        bars = [bars_of(pair, max_bars) for pair in pairs]
        fractions = [of_column.fractions() for of_column in bars]
        differences = np.array([np.abs(a - b).sum() for a, b in fractions])
        shown = np.sort(np.argsort(-differences, kind="stable")[:max_columns])
        return cls(
            [pairs[j].name for j in shown],
            [bars[j].labels for j in shown],
            [fractions[j][0] for j in shown],
            [fractions[j][1] for j in shown],
            [bars[j].edges for j in shown],
            len(pairs) - len(shown),
        )

    def plot(self, axes: Any = None) -> ColumnsDisplay:
        """Draw one panel per column; needs matplotlib.

        Bins of numbers and dates stand on an axis of numbers or dates, everything else on one of labels. A title says
        which fraction of the cells is missing, first of the real and then of the synthetic rows.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, Figure or SubFigure, default=None
            Where to draw: one Axes per column or more, or a figure to lay panels out in. A new figure by default.

        Returns
        -------
        ColumnsDisplay
        """
        n_wide = min(_N_WIDE, len(self.names))
        n_high = -(-len(self.names) // n_wide)
        panels = new_panels(axes, n_high, n_wide, (max(4.5, 3.2 * n_wide), 2.3 * n_high + 0.6))
        self.axes_ = checked_panels(panels, len(self.names))
        self.figure_ = self.axes_[0].figure
        for j, ax in enumerate(self.axes_[: len(self.names)]):
            self._plot_column(ax, j)
        legend_above(self.figure_, axes, bar_handles())
        if self.n_left_out:
            n_all = len(self.names) + self.n_left_out
            note = f"the {len(self.names)} of {n_all} columns that differ most"
            self.figure_.supxlabel(note, fontsize=TITLE_SIZE)
        return self

    def _plot_column(self, ax: Any, j: int) -> None:
        edges = self.edges[j]
        if edges is not None:
            self._plot_bins(ax, j, edges)
        elif len(self.labels[j]) > _MOST_UPRIGHT or len("".join(self.labels[j])) > _MOST_LETTERS:
            self._plot_lying_bars(ax, j)
        else:
            self._plot_upright_bars(ax, j)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(self._title(j), fontsize=TITLE_SIZE)

    def _title(self, j: int) -> str:
        name = short(self.names[j], 34)
        if self.labels[j][-1:] != [MISSING]:
            return name
        return f"{name}\nmissing {percent(self.real[j][-1])} | {percent(self.synthetic[j][-1])}"

    def _plot_bins(self, ax: Any, j: int, edges: np.ndarray) -> None:
        unit = unit_of(edges)
        positions = on_axis(edges, unit)
        half = np.diff(positions) / 2
        ax.bar(positions[:-1], self.real[j][: len(half)], width=half, align="edge", **REAL_BARS)
        ax.bar(positions[:-1] + half, self.synthetic[j][: len(half)], width=half, align="edge", **SYNTHETIC_BARS)
        if edges.dtype.kind == "M":
            date_axis(ax.xaxis)
        ax.set_xlabel(unit, fontsize=TEXT_SIZE)
        ax.xaxis.get_offset_text().set_fontsize(TEXT_SIZE)
        ax.tick_params(axis="x", labelsize=TEXT_SIZE)
        percent_axis(ax.yaxis)

    def _plot_upright_bars(self, ax: Any, j: int) -> None:
        index = np.arange(len(self.labels[j]))
        ax.bar(index - 0.2, self.real[j], width=0.4, **REAL_BARS)
        ax.bar(index + 0.2, self.synthetic[j], width=0.4, **SYNTHETIC_BARS)
        ax.set_xticks(index, [short(label) for label in self.labels[j]], fontsize=TEXT_SIZE)
        percent_axis(ax.yaxis)

    def _plot_lying_bars(self, ax: Any, j: int) -> None:
        index = np.arange(len(self.labels[j]))
        ax.barh(index - 0.2, self.real[j], height=0.4, **REAL_BARS)
        ax.barh(index + 0.2, self.synthetic[j], height=0.4, **SYNTHETIC_BARS)
        size = TEXT_SIZE if len(index) <= 10 else TEXT_SIZE * 0.75
        ax.set_yticks(index, [short(label) for label in self.labels[j]], fontsize=size)
        ax.invert_yaxis()
        percent_axis(ax.xaxis)
