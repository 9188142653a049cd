"""Samples on their way along the reverse process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._numerics.checks import check_integer
from .._sampler.exploration import reverse_states
from .._sampler.model import FittedModel, decode, fitted_model
from .._table.cells import read_cells
from .._table.frames import column_index, column_names, native_column
from ._figures import (
    REAL_COLOR,
    SYNTHETIC_COLOR,
    TEXT_SIZE,
    TITLE_SIZE,
    Picture,
    cells_on_axis,
    checked_panels,
    date_axis,
    legend_above,
    matplotlib_of_pictures,
    new_panels,
    unit_of,
)


class ReverseProcessDisplay(Picture):
    """Samples at a few noise levels of the reverse process, from their starts to clean rows, over the training rows.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    levels : array-like of shape (n_levels,)
        Noise levels, in standard deviations of a column of the code; 0 for clean rows.
    states : array-like of shape (n_levels, n_samples, 2)
        Two coordinates of the samples at these levels.
    real : array-like of shape (n_rows, 2), default=None
        The same coordinates of training rows.
    names : pair of str, default=("component 1", "component 2")
        Names of the coordinates.
    are_dates : pair of bool, default=(False, False)
        Which coordinates are dates, as days since 1970.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(
        self,
        levels: ArrayLike,
        states: ArrayLike,
        real: ArrayLike | None = None,
        names: tuple[str, str] = ("component 1", "component 2"),
        are_dates: tuple[bool, bool] = (False, False),
    ) -> None:
        self.levels, self.states = np.asarray(levels, dtype=float), np.asarray(states, dtype=float)
        if self.states.shape[:1] != self.levels.shape or self.states.shape[2:] != (2,):
            raise ValueError(
                "states must have the shape (n_levels, n_samples, 2), "
                f"got {self.states.shape} for {len(self.levels)} levels."
            )
        self.real = None if real is None else np.asarray(real, dtype=float)
        self.names, self.are_dates = names, are_dates

    @classmethod
    def from_estimator(
        cls,
        sampler: Any,
        columns: Sequence[Any] | None = None,
        *,
        n_samples: int = 500,
        n_levels: int = 5,
        random_state: int | np.random.RandomState | None = None,
    ) -> ReverseProcessDisplay:
        """Draw samples and keep what they are on the way.

        They are those of ``sampler.sample(n_samples)`` with the same seed, but for what a corrector draws again and
        contraction moves. In columns, a noised row is shown as the row of the table that it stands for.

        Parameters
        ----------
        sampler : ManifoldDiffusionSampler
            A fitted sampler.
        columns : pair of str or int, default=None
            Two columns of numbers, dates or durations, by name or, in an array, index. By default the first two
            components of the embedding.
        n_samples : int, default=500
            Number of samples.
        n_levels : int, default=5
            Noise levels to show, from the start to clean rows, at even numbers of steps; at least 2.
        random_state : int, RandomState instance or None, default=None
            As in `sample`.

        Returns
        -------
        ReverseProcessDisplay
            Nothing is plotted yet.

        Raises
        ------
        ValueError
            If there are not two columns, or one is not of numbers, dates or durations; without `columns`, if the
            sampler has no embedding of two components. If `n_samples` is below 1 or `n_levels` below 2.
        """
        check_integer(n_samples, "n_samples", 1)
        check_integer(n_levels, "n_levels", 2)
        model = fitted_model(sampler)
        indices = _checked_columns(model, columns)
        levels, states = reverse_states(model, n_samples, sampler._run(model, random_state))
        shown = np.unique(np.linspace(0, len(levels) - 1, n_levels).round().astype(int))
        if indices is None and model.manifold is not None:
            rows = [model.manifold.embed(states[:, k])[:, :2] for k in shown]
            return cls(levels[shown], rows, model.manifold.embedding_[:, :2])
        indices = indices or []
        codes = [model.rows[:, : model.n_outputs], *(states[:, k] for k in shown)]
        (real, *rows), units, are_dates = _in_columns(model, codes, indices)
        names = [column_names(model.codec.template_)[j] for j in indices]
        labels = [name if unit is None else f"{name} ({unit})" for name, unit in zip(names, units, strict=True)]
        return cls(levels[shown], rows, real, (labels[0], labels[1]), are_dates)

    def plot(self, axes: Any = None) -> ReverseProcessDisplay:
        """Draw one panel per noise level; needs matplotlib.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, Figure or SubFigure, default=None
            Where to draw: one Axes per level or more, or a figure to lay panels out in. A new figure by default.

        Returns
        -------
        ReverseProcessDisplay
        """
        n_levels = len(self.levels)
        panels = new_panels(axes, 1, n_levels, (2.6 * n_levels, 3.2), sharex=True, sharey=True)
        self.axes_ = checked_panels(panels, n_levels)
        self.figure_ = self.axes_[0].figure
        for ax, level, rows in zip(self.axes_, self.levels, self.states, strict=False):
            self._plot_level(ax, level, rows)
        self.axes_[0].set_ylabel(self.names[1], fontsize=TITLE_SIZE)
        legend_above(self.figure_, axes, self._handles())
        return self

    def _plot_level(self, ax: Any, level: float, rows: np.ndarray) -> None:
        if self.real is not None:
            ax.scatter(*self.real.T, s=5, color=REAL_COLOR, alpha=0.25, linewidths=0)
        ax.scatter(*rows.T, s=7, color=SYNTHETIC_COLOR, alpha=0.8, linewidths=0)
        for is_date, axis in zip(self.are_dates, (ax.xaxis, ax.yaxis), strict=True):
            if is_date:
                date_axis(axis, 3)
        limits = self._limits()
        ax.set(xlim=limits[:, 0], ylim=limits[:, 1])
        ax.set_title(f"noise level {level:.2g}" if level > 0 else "clean", fontsize=TITLE_SIZE)
        ax.set_xlabel(self.names[0], fontsize=TITLE_SIZE)
        ax.tick_params(labelsize=TEXT_SIZE)

    def _limits(self) -> np.ndarray:
        """(2, 2) lowest and highest values of both coordinates, with a margin, the same for all panels."""
        points = np.vstack([*self.states, *([] if self.real is None else [self.real])])
        points = points[np.isfinite(points).all(axis=1)]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = np.where(high > low, 0.05 * (high - low), 0.5)
        return np.array([low - margin, high + margin])

    def _handles(self) -> list[Any]:
        lines = matplotlib_of_pictures().lines
        shown = [("samples", SYNTHETIC_COLOR)] + [("training rows", REAL_COLOR)] * (self.real is not None)
        return [lines.Line2D([], [], marker="o", linestyle="", color=color, label=title) for title, color in shown]


def _checked_columns(model: FittedModel, columns: Sequence[Any] | None) -> list[int] | None:
    """The indices of two columns that have a place on an axis; None for the embedding."""
    if columns is None:
        if model.manifold is None or model.manifold.embedding_.shape[1] < 2:
            raise ValueError("columns must name two columns where the sampler has no embedding of two components.")
        return None
    columns = list(columns)
    empty = decode(model, model.rows[:1, : model.n_outputs])
    indices = [column_index(key, empty) for key in columns]
    if len(indices) != 2 or None in indices:
        raise ValueError(f"columns must name two columns of the table, got {columns!r}.")
    found = [int(j) for j in indices if j is not None]
    for j, name in zip(found, columns, strict=True):
        if not _is_number(empty, j):
            raise ValueError(f"columns must be of numbers, dates or durations, got {name!r}, a column of categories.")
    return found


def _is_number(table: Any, j: int) -> bool:
    return read_cells(native_column(table, j), str(j)).observed.dtype.kind in "iufmM"


def _in_columns(
    model: FittedModel, codes: Sequence[np.ndarray], indices: list[int]
) -> tuple[list[np.ndarray], list[str | None], tuple[bool, bool]]:
    """Rows (n, 2) in two columns for each code of a table, the units of durations, and which columns are dates."""
    tables = [decode(model, W) for W in codes]
    cells = [[read_cells(native_column(table, j), str(j)) for j in indices] for table in tables]
    units = [unit_of(column.observed) for column in cells[0]]
    rows = [np.column_stack([cells_on_axis(c, u) for c, u in zip(part, units, strict=True)]) for part in cells]
    are_dates = [column.observed.dtype.kind == "M" for column in cells[0]]
    return rows, units, (are_dates[0], are_dates[1])
