"""How near synthetic rows come to training rows, and how many of these have a synthetic row near them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._numerics.checks import check_integer, random_stream
from ..metrics._tables import as_table, nearest, neighbour_radius, one_hot_space, random_rows
from ._figures import (
    GUIDE_COLOR,
    REAL_COLOR,
    SYNTHETIC_BARS,
    TITLE_SIZE,
    Picture,
    checked_panels,
    new_panels,
    percent,
    percent_axis,
)

_N_BINS = 30
# distances beyond this quantile count with the last bin: one far row would squeeze all others
_UP_TO = 0.99


class NearestRecordDisplay(Picture):
    """Distances of synthetic rows to the nearest training row, beside those of fresh rows, and the coverage.

    Synthetic rows as near to training rows as fresh real rows are, are not copies; nearer ones may be. Coverage is the
    fraction of the real rows that have a synthetic row within the distance to their fifth neighbour among real rows.
    Use :meth:`from_tables` to make one.

    Parameters
    ----------
    synthetic : array-like of shape (n_synthetic,)
        Distance of each synthetic row to the nearest training row.
    fresh : array-like of shape (n_fresh,)
        The same of real rows that were not trained on.
    reach : array-like of shape (n_train,)
        Distance of training rows to the nearest synthetic row, in units of the distance to their fifth neighbour
        among training rows.
    expected_coverage : float, default=None
        Coverage that as many fresh real rows have on average.
    fresh_name : str, default="held-out rows"
        What the fresh rows are.

    Attributes
    ----------
    coverage_ : float
        Fraction of `reach` that is at most 1.
    copies_ : float
        Fraction of the synthetic rows at a distance of 0.
    axes_ : ndarray of 2 matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(
        self,
        synthetic: ArrayLike,
        fresh: ArrayLike,
        reach: ArrayLike,
        expected_coverage: float | None = None,
        fresh_name: str = "held-out rows",
    ) -> None:
        self.synthetic, self.fresh, self.reach = (np.asarray(part, float) for part in (synthetic, fresh, reach))
        self.expected_coverage, self.fresh_name = expected_coverage, fresh_name
        self.coverage_ = float(np.mean(self.reach <= 1))
        self.copies_ = float(np.mean(self.synthetic == 0))

    @classmethod
    def from_tables(
        cls,
        train: Any,
        synthetic: Any,
        holdout: Any = None,
        *,
        n_neighbors: int = 5,
        max_rows: int = 2000,
        categorical_features: Any = "from_dtype",
        random_state: int | np.random.RandomState | None = None,
    ) -> NearestRecordDisplay:
        """Measure distances between the rows of tables, in the space of :func:`skmdiff.metrics.prdc`.

        Parameters
        ----------
        train, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
            The rows that the generator was fitted on, two or more, and its samples.
        holdout : {DataFrame, array-like} of shape (n_rows, n_columns), default=None
            Real rows that the generator never saw. Without them the training rows stand for fresh rows, each with
            its distance to the nearest other one.
        n_neighbors : int, default=5
            Neighbours of a training row within the distance at which it counts as covered.
        max_rows : int, default=2000
            Most rows of each table, chosen at random; nearest training rows are searched among ten times as many.
        categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
            The categorical columns: a mask, indices or names.
        random_state : int, RandomState instance or None, default=None
            Seed of the choice of rows.

        Returns
        -------
        NearestRecordDisplay
            Nothing is plotted yet.

        Raises
        ------
        TypeError
            If a column that is not categorical holds something other than numbers.
        ValueError
            If the tables have different columns, `train` has fewer than two rows, or a number is below 1.

        Examples
        --------
        >>> from skmdiff.inspection import NearestRecordDisplay
        >>> display = NearestRecordDisplay.from_tables([[0.0], [2.0], [4.0]], [[0.0], [4.0]], n_neighbors=1)
        >>> display.copies_, round(display.coverage_, 3)
        (1.0, 1.0)
        """
        check_integer(n_neighbors, "n_neighbors", 1)
        check_integer(max_rows, "max_rows", 1)
        rng = random_stream(random_state)
        tables = [as_table(train, min_rows=2), as_table(synthetic)]
        if holdout is not None:
            tables.append(as_table(holdout))
        chosen = [random_rows(t, n, rng) for t, n in zip(tables, (10 * max_rows, max_rows, max_rows), strict=False)]
        records, rows, *fresh = one_hot_space(chosen, categorical_features)
        to_fresh = nearest(records, fresh[0])[:, 0] if fresh else neighbour_radius(records[:max_rows], 1)
        # coverage compares as many rows of both
        n_rows = min(len(rows), len(records))
        reach = _reach(records[:n_rows], rows[:n_rows], n_neighbors)
        name = "held-out rows" if fresh else "other training rows"
        return cls(nearest(records, rows)[:, 0], to_fresh, reach, _expected_coverage(n_rows, n_neighbors), name)

    def plot(self, axes: Any = None) -> NearestRecordDisplay:
        """Draw two histograms; needs matplotlib.

        Parameters
        ----------
        axes : sequence of 2 matplotlib Axes, Figure or SubFigure, default=None
            Where to draw the distances to training rows and those from them; a new figure by default.

        Returns
        -------
        NearestRecordDisplay
        """
        self.axes_ = checked_panels(new_panels(axes, 1, 2, (9.5, 3.8)), 2)
        self.figure_ = self.axes_[0].figure
        self._plot_distances(self.axes_[0])
        self._plot_reach(self.axes_[1])
        for ax in self.axes_[:2]:
            percent_axis(ax.yaxis)
            ax.set_ylabel("fraction of the rows", fontsize=TITLE_SIZE)
            ax.spines[["top", "right"]].set_visible(False)
            ax.legend(fontsize=TITLE_SIZE - 1, frameon=False)
        return self

    def _plot_distances(self, ax: Any) -> None:
        edges = _edges(np.concatenate([self.synthetic, self.fresh]))
        ax.stairs(_in_bins(self.synthetic, edges), edges, fill=True, label="synthetic rows", **SYNTHETIC_BARS)
        ax.stairs(_in_bins(self.fresh, edges), edges, color=REAL_COLOR, linewidth=2, label=self.fresh_name)
        ax.set_xlabel("distance to the nearest training row", fontsize=TITLE_SIZE)
        ax.set_title(f"copies: {percent(self.copies_)} of the synthetic rows", fontsize=TITLE_SIZE)

    def _plot_reach(self, ax: Any) -> None:
        edges = _edges(np.append(self.reach, 1.5))
        ax.stairs(_in_bins(self.reach, edges), edges, fill=True, color=REAL_COLOR, label="training rows")
        ax.axvline(1, color=GUIDE_COLOR, linestyle="--", label="covered up to here")
        ax.set_xlabel("distance to the nearest synthetic row / distance that is covered", fontsize=TITLE_SIZE)
        fresh = "" if self.expected_coverage is None else f" (fresh rows: {percent(self.expected_coverage)})"
        ax.set_title(f"coverage: {percent(self.coverage_)} of the real rows{fresh}", fontsize=TITLE_SIZE)


def _reach(real: np.ndarray, synthetic: np.ndarray, n_neighbors: int) -> np.ndarray:
    """(n,) distance to the nearest synthetic row by that to the k-th real neighbour; 0 / 0 is 0."""
    distance, radius = nearest(synthetic, real)[:, 0], neighbour_radius(real, n_neighbors)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(distance == 0, 0.0, distance / radius)


def _expected_coverage(n: int, n_neighbors: int) -> float:
    """Coverage of n real rows by n others, see `skmdiff.metrics.prdc`."""
    i = np.arange(1, min(n_neighbors, n - 1) + 1)
    return float(1 - np.prod((n - i) / (2 * n - i)))


def _edges(distances: np.ndarray) -> np.ndarray:
    finite = distances[np.isfinite(distances)]
    return np.linspace(0, max(np.quantile(finite, _UP_TO), 1e-9) if len(finite) else 1.0, _N_BINS + 1)


def _in_bins(distances: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Fractions of the distances in the bins; those beyond the last edge are in the last bin."""
    return np.histogram(np.minimum(distances, edges[-1]), edges)[0] / max(1, len(distances))
