"""Real and synthetic rows on the embedding, with their densities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter

from .._numerics.checks import check_integer, random_stream
from .._table.frames import is_frame, take_rows
from ._figures import (
    REAL_COLOR,
    SYNTHETIC_COLOR,
    TITLE_SIZE,
    Picture,
    checked_panels,
    legend_above,
    matplotlib_of_pictures,
    new_panels,
    percent,
    rows_title,
)

_N_CELLS = 80
# fractions of the rows within the contours
WITHIN = (0.9, 0.5)


class EmbeddingDisplay(Picture):
    """Real and synthetic rows on the embedding of the real ones, side by side, with the density of the real ones.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    real, synthetic : array-like of shape (n_rows, n_components)
        Embedded rows, finite; the first two components are plotted, a single one as a histogram.

    Attributes
    ----------
    limits_ : ndarray of shape (2, 2)
        Lowest and highest value of the two components over both sets of rows.
    density_ : ndarray of shape (80, 80)
        Density of the real rows, by the first and the second component: a histogram on 80 by 80 cells over
        `limits_` and a margin, smoothed by a normal kernel.
    levels_ : ndarray of shape (2,)
        Densities above which 90 % and 50 % of the real rows lie.
    within_ : ndarray of shape (2,)
        Fractions of the synthetic rows that lie at these densities or above. Of fresh real rows a little fewer than
        .9 and .5 do: the density is highest where the rows are that it is made of.
    axes_ : ndarray of 2 matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.

    Raises
    ------
    ValueError
        If there is no row, or one is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.inspection import EmbeddingDisplay
    >>> rows = np.random.RandomState(0).normal(size=(2000, 2))
    >>> EmbeddingDisplay(rows[:1000], rows[1000:]).within_.round(2).tolist()
    [0.87, 0.44]
    """

    def __init__(self, real: ArrayLike, synthetic: ArrayLike) -> None:
        self.real, self.synthetic = _two_components(real, "real"), _two_components(synthetic, "synthetic")
        both = np.vstack([self.real, self.synthetic])
        self.limits_ = np.array([both.min(axis=0), both.max(axis=0)])
        margin = 0.08 * np.ptp(self.limits_, axis=0)
        margin = np.where(margin > 0, margin, 0.5)
        self._edges = np.linspace(self.limits_[0] - margin, self.limits_[1] + margin, _N_CELLS + 1)
        self.density_ = _density(self.real, self._edges)
        self.levels_ = np.quantile(self._density_at(self.real), 1 - np.array(WITHIN))
        self.within_ = np.mean(self._density_at(self.synthetic)[:, None] >= self.levels_, axis=0)

    def _density_at(self, rows: np.ndarray) -> np.ndarray:
        """(n,) density of the cells that rows lie in."""
        return self.density_[tuple(_cells(rows, self._edges).T)]

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

        Raises
        ------
        TypeError
            If `sampler` has no method `embed`.
        ValueError
            If `max_rows` is below 1, or the sampler is not fitted or was fitted without a manifold.
        """
        if not hasattr(sampler, "embed"):
            raise TypeError(f"sampler must have a method embed, as ManifoldDiffusionSampler has, got {sampler!r:.80}.")
        check_integer(max_rows, "max_rows", 1)
        rng = random_stream(random_state)
        return cls(*(sampler.embed(_some_rows(X, max_rows, rng)) for X in (X_real, X_synthetic)))

    def plot(self, axes: Any = None) -> EmbeddingDisplay:
        """Draw the rows; needs matplotlib.

        Both panels have the same contours, within which 90 % and 50 % of the real rows lie: where synthetic rows
        are like them, they fill both in the same way.

        Parameters
        ----------
        axes : sequence of 2 matplotlib Axes, Figure or SubFigure, default=None
            Where to draw the real and the synthetic rows; a new figure by default.

        Returns
        -------
        EmbeddingDisplay
        """
        self.axes_ = checked_panels(new_panels(axes, 1, 2, (8.5, 4.4), sharex=True, sharey=True), 2)
        self.figure_ = self.axes_[0].figure
        if np.ptp(self.limits_[:, 1]) > 0:
            self._plot_points()
            legend_above(self.figure_, axes, self._handles())
        else:
            self._plot_line()
        return self

    def _panels(self) -> list[tuple[Any, str, np.ndarray, str]]:
        first, second = self.axes_[:2]
        return [
            (first, "real", self.real, REAL_COLOR),
            (second, "synthetic", self.synthetic, SYNTHETIC_COLOR),
        ]

    def _plot_points(self) -> None:
        centres = (self._edges[1:] + self._edges[:-1]) / 2
        # equal levels have no area between them, as for a single row
        levels = np.unique(self.levels_[self.levels_ > 0])
        for ax, title, rows, color in self._panels():
            size, alpha = (9, 0.75) if len(rows) <= 500 else (5, 0.5)
            ax.scatter(*rows.T, s=size, alpha=alpha, color=color, linewidths=0)
            ax.contour(*centres.T, self.density_.T, levels=levels, colors="black", linewidths=[0.9, 1.3][: len(levels)])
            ax.set_title(rows_title(title, len(rows)), fontsize=TITLE_SIZE)
            ax.set(xticks=[], yticks=[], xlim=self._edges[[0, -1], 0], ylim=self._edges[[0, -1], 1])
        for ax, fractions in zip(self.axes_, (WITHIN, self.within_), strict=False):
            text = " and ".join(map(percent, fractions))
            ax.set_xlabel(f"{text} of the rows within the contours", fontsize=TITLE_SIZE)

    def _plot_line(self) -> None:
        for ax, title, rows, color in self._panels():
            ax.hist(rows[:, 0], bins=self._edges[::2, 0], density=True, color=color)
            ax.set_title(rows_title(title, len(rows)), fontsize=TITLE_SIZE)
            ax.set(xlabel="component 1", xlim=self._edges[[0, -1], 0])
        top = max(ax.get_ylim()[1] for ax in self.axes_[:2])
        for ax in self.axes_[:2]:
            ax.set_ylim(0, top)
        self.axes_[0].set_ylabel("density")

    def _handles(self) -> list[Any]:
        lines = matplotlib_of_pictures().lines
        points = [
            lines.Line2D([], [], marker="o", linestyle="", color=color, label=title)
            for _, title, _, color in self._panels()
        ]
        return [*points, lines.Line2D([], [], color="black", label="density of the real rows")]


def _two_components(rows: ArrayLike, name: str) -> np.ndarray:
    rows = np.asarray(rows, dtype=float)
    if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise ValueError(f"{name} must be a 2-D array of finite numbers with one row or more, got shape {rows.shape}")
    return np.pad(rows[:, :2], [(0, 0), (0, max(0, 2 - rows.shape[1]))])


def _cells(rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(n, 2) indices of the cells that rows lie in."""
    return np.clip((rows - edges[0]) / (edges[1] - edges[0]), 0, _N_CELLS - 1).astype(int)


def _density(rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(n_cells, n_cells) density of rows, by Scott's bandwidth halved: a manifold is thin beside the whole of it."""
    cells = np.zeros((_N_CELLS, _N_CELLS))
    np.add.at(cells, tuple(_cells(rows, edges).T), 1.0)
    width = edges[1] - edges[0]
    bandwidth = 0.5 * len(rows) ** (-1 / 6) * rows.std(axis=0) / width
    return gaussian_filter(cells, np.maximum(bandwidth, 1.0)) / (len(rows) * width.prod())


def _some_rows(X: Any, max_rows: int, rng: np.random.RandomState) -> Any:
    chosen = np.sort(rng.permutation(len(X))[:max_rows])
    return take_rows(X if is_frame(X) else np.asarray(X), chosen)
