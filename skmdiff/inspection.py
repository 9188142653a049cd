"""Displays that put real and synthetic rows side by side: computed once, plotted later and often."""

import numpy as np
from sklearn.utils import check_random_state

from ._table.checks import categorical_mask, check_table, read_column
from ._table.frames import column_names, is_frame, take_rows

__all__ = ["ColumnsDisplay", "EmbeddingDisplay"]

REAL_COLOR, SYNTHETIC_COLOR = "#1f77b4", "#d95f02"


class EmbeddingDisplay:
    """Real and synthetic rows on the embedding of the real ones, side by side.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    real, synthetic : array-like of shape (n_rows, n_components)
        Embedded rows; the first two components are drawn, a single one along a line.

    Attributes
    ----------
    limits_ : ndarray of shape (2, 2)
        Lowest and highest value of the two components over both sets of rows.
    axes_ : ndarray of 2 matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(self, real, synthetic):
        self.real, self.synthetic = _two_components(real), _two_components(synthetic)
        both = np.vstack([self.real, self.synthetic])
        self.limits_ = np.array([both.min(axis=0), both.max(axis=0)])

    @classmethod
    def from_estimator(cls, sampler, X_real, X_synthetic, *, max_rows=2000, random_state=None):
        """Embed rows with a fitted sampler.

        Parameters
        ----------
        sampler : ManifoldDiffusionSampler
            A fitted sampler.
        X_real, X_synthetic : {DataFrame, array-like} of shape (n_rows, n_features)
            Rows like those seen at fit, and rows that the sampler drew.
        max_rows : int, default=2000
            Rows of each table to embed at most, chosen at random.
        random_state : int, RandomState instance or None, default=None
            Seed of this choice.

        Returns
        -------
        EmbeddingDisplay
            Nothing is plotted yet.
        """
        rng = check_random_state(random_state)
        return cls(*(sampler.embed(_some_rows(X, max_rows, rng)) for X in (X_real, X_synthetic)))

    def plot(self, axes=None):
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
    """The shares of the values of every column, in real and in synthetic rows.

    Use :meth:`from_tables` to make one.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    labels : list of list of str
        For each column the level, value or left end of a bin that a bar stands for.
    real, synthetic : list of ndarray
        For each column the share of each bar; each adds up to 1.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(self, names, labels, real, synthetic):
        self.names, self.labels, self.real, self.synthetic = names, labels, real, synthetic

    @classmethod
    def from_tables(cls, real, synthetic, *, max_bars=12, categorical_features="from_dtype"):
        """Count the values of two tables.

        Parameters
        ----------
        real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
            Tables with the same columns in the same order.
        max_bars : int, default=12
            Most bars of a column: rarer levels are counted together, and a numeric column of more different
            values is cut into bins of equal width over the real range.
        categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
            The categorical columns: a mask, indices or names.

        Returns
        -------
        ColumnsDisplay
            Nothing is plotted yet.
        """
        real, synthetic = check_table(real, min_samples=1), check_table(synthetic, min_samples=1)
        pairs = [(read_column(real, j), read_column(synthetic, j)) for j in range(real.shape[1])]
        categorical = categorical_mask(real, categorical_features, [a for a, _ in pairs])
        counted = [
            _level_shares(a, b, max_bars) if is_category else _value_shares(a, b, max_bars)
            for (a, b), is_category in zip(pairs, categorical, strict=True)
        ]
        return cls(column_names(real), *map(list, zip(*counted, strict=True)))

    def plot(self, axes=None):
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

    def _plot_column(self, ax, j):
        place = np.arange(len(self.labels[j]))
        ax.bar(place - 0.2, self.real[j], width=0.4, color=REAL_COLOR)
        ax.bar(place + 0.2, self.synthetic[j], width=0.4, color=SYNTHETIC_COLOR)
        # long labels do not fit a small panel: the first and the last say where it begins and ends
        shown = place if len("".join(self.labels[j])) <= 24 else place[[0, -1]]
        ax.set_xticks(shown, [self.labels[j][k][:14] for k in shown], fontsize=5)
        ax.set_yticks([])


def _two_components(rows):
    rows = np.asarray(rows, dtype=float)
    return np.pad(rows[:, :2], [(0, 0), (0, max(0, 2 - rows.shape[1]))])


def _some_rows(X, max_rows, rng):
    chosen = np.sort(rng.permutation(len(X))[:max_rows])
    return take_rows(X if is_frame(X) else np.asarray(X), chosen)


def _new_axes(n_high, n_wide):
    import matplotlib.pyplot as plt

    size = (3 * n_wide, 2.4 * n_high)
    return np.ravel(plt.subplots(n_high, n_wide, squeeze=False, figsize=size, layout="constrained")[1])


def _level_shares(a, b, max_bars):
    """Labels and shares of the most frequent real levels, the rest together as one."""
    levels, counts = np.unique(a, return_counts=True)
    top = levels[np.argsort(-counts, kind="stable")]
    top = top if len(top) <= max_bars else top[: max_bars - 1]
    shares = [np.array([np.mean(column == level) for level in top]) for column in (a, b)]
    labels = [str(level) for level in top]
    rest = [max(0.0, 1 - share.sum()) for share in shares]
    if max(rest) > 1e-9:
        labels = [*labels, "other"]
        shares = [np.append(share, others) for share, others in zip(shares, rest, strict=True)]
    return labels, *shares


def _value_shares(a, b, max_bars):
    """Labels and shares of the real values if there are few, else of bins over the real range."""
    values = np.unique(a)
    if len(values) <= max_bars:
        edges = np.append(values, values[-1] + 1)
    else:
        edges = np.unique(np.linspace(float(values[0]), float(values[-1]), max_bars + 1))
    return [f"{edge:.4g}" for edge in edges[:-1]], *(_bin_shares(column, edges) for column in (a, b))


def _bin_shares(column, edges):
    """A value between two edges counts with the lower one, a value beyond them with the end."""
    place = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(place, minlength=len(edges) - 1) / len(place)
