"""Quality against leakage: several candidates, each a point with errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..metrics import MetricsReport, report
from ._figures import GUIDE_COLOR, REAL_COLOR, SYNTHETIC_COLOR, TEXT_SIZE, TITLE_SIZE, Picture, new_ax

_MARKERS = "osD^vP*X<>"


class TradeOffDisplay(Picture):
    """A measure of quality against one of leakage, for several candidates.

    Copies have the best quality and the worst leakage; noise has the least of both. A candidate is better than another
    one where it is better in both. Use :meth:`from_reports` or :meth:`from_tables` to make one.

    Parameters
    ----------
    names : list of str
        Names of the candidates.
    quality, leakage : array-like of shape (n_candidates,)
        Their measures.
    quality_error, leakage_error : array-like of shape (n_candidates,), default=None
        Standard errors; nan where there is none.
    quality_name, leakage_name : str, default="quality", "leakage"
        What is measured, and which direction is better.
    fresh : pair of float, default=None
        Quality and leakage of fresh real rows.
    lower_is_better : bool, default=False
        Whether low quality values are better; the axis is then turned round, so that better is up.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Set by :meth:`plot`.
    axes_ : ndarray of 1 matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    """

    def __init__(
        self,
        names: Sequence[str],
        quality: ArrayLike,
        leakage: ArrayLike,
        quality_error: ArrayLike | None = None,
        leakage_error: ArrayLike | None = None,
        quality_name: str = "quality",
        leakage_name: str = "leakage",
        fresh: tuple[float, float] | None = None,
        lower_is_better: bool = False,
    ) -> None:
        self.names, self.fresh, self.lower_is_better = list(names), fresh, lower_is_better
        self.quality, self.leakage = np.asarray(quality, dtype=float), np.asarray(leakage, dtype=float)
        if not len(self.names) == len(self.quality) == len(self.leakage) > 0:
            raise ValueError(
                "names, quality and leakage must have one entry for each candidate, "
                f"got {len(self.names)}, {len(self.quality)} and {len(self.leakage)}."
            )
        self.quality_error, self.leakage_error = (
            np.full(len(self.names), np.nan) if error is None else np.asarray(error, dtype=float)
            for error in (quality_error, leakage_error)
        )
        self.quality_name, self.leakage_name = quality_name, leakage_name

    @classmethod
    def from_reports(
        cls,
        reports: Mapping[str, MetricsReport | Sequence[MetricsReport]],
        *,
        quality: str = "c2st",
        leakage: str = "dcr_share",
    ) -> TradeOffDisplay:
        """Take two measures of reports.

        Parameters
        ----------
        reports : dict of str to MetricsReport or list of MetricsReport
            What :func:`skmdiff.metrics.report` returned for each candidate. Of several reports, as of several seeds,
            the mean is shown with its standard error.
        quality, leakage : str, default="c2st", "dcr_share"
            Names of the measures. Fresh rows stand at the mean of their ceilings.

        Returns
        -------
        TradeOffDisplay
            Nothing is plotted yet.

        Raises
        ------
        KeyError
            If there is no measure of a name.
        ValueError
            If there is no candidate, or one has no report.
        """
        lists = {name: [found] if isinstance(found, MetricsReport) else list(found) for name, found in reports.items()}
        if not lists or not all(lists.values()):
            raise ValueError(f"reports must hold one report or more for each candidate, got {reports!r:.80}.")
        measured = [[[found[name] for found in part] for part in lists.values()] for name in (quality, leakage)]
        (qualities, quality_errors), (leakages, leakage_errors) = (np.array([*map(_mean, part)]).T for part in measured)
        names = [f"{part[0][0].name} ({part[0][0].better} is better)" for part in measured]
        fresh = [float(np.mean([measure.ceiling for of_one in part for measure in of_one])) for part in measured]
        is_low = measured[0][0][0].better.startswith("lower")
        return cls(
            [*lists],
            qualities,
            leakages,
            quality_errors,
            leakage_errors,
            names[0],
            names[1],
            (fresh[0], fresh[1]),
            is_low,
        )

    @classmethod
    def from_tables(
        cls,
        train: Any,
        holdout: Any,
        candidates: Mapping[str, Any],
        *,
        quality: str = "c2st",
        leakage: str = "dcr_share",
        max_rows: int = 1000,
        categorical_features: Any = "from_dtype",
        random_state: int | np.random.RandomState | None = None,
    ) -> TradeOffDisplay:
        """Measure tables of several candidates by :func:`skmdiff.metrics.report`.

        Parameters
        ----------
        train, holdout : {DataFrame, array-like} of shape (n_rows, n_columns)
            The rows that the candidates were fitted on, and real rows that they never saw.
        candidates : dict of str to table or list of tables
            Synthetic rows of each candidate; of several tables, as of several seeds, the mean is shown with its
            standard error.
        quality, leakage : str, default="c2st", "dcr_share"
            Names of two measures of a report.
        max_rows : int, default=1000
            Most rows of each table to use.
        categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
            The categorical columns: a mask, indices or names.
        random_state : int, RandomState instance or None, default=None
            Seed of the reports.

        Returns
        -------
        TradeOffDisplay
            Nothing is plotted yet.

        Raises
        ------
        TypeError, ValueError
            As :func:`skmdiff.metrics.report` does.
        KeyError
            If there is no measure of a name.
        """
        options: dict[str, Any] = {
            "max_rows": max_rows,
            "categorical_features": categorical_features,
            "random_state": random_state,
        }
        reports = {
            name: [report(train, table, holdout, **options) for table in _as_list(found)]
            for name, found in candidates.items()
        }
        return cls.from_reports(reports, quality=quality, leakage=leakage)

    def plot(self, ax: Any = None) -> TradeOffDisplay:
        """Draw the candidates; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, Figure or SubFigure, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        TradeOffDisplay
        """
        self.ax_ = new_ax(ax)
        self.axes_, self.figure_ = np.array([self.ax_]), self.ax_.figure
        for k, name in enumerate(self.names):
            self._plot_candidate(k, name)
        if self.fresh is not None:
            self._plot_fresh(*self.fresh)
        self.ax_.margins(0.15)
        if self.lower_is_better:
            self.ax_.invert_yaxis()
        self.ax_.set_xlabel(self.leakage_name, fontsize=TITLE_SIZE)
        self.ax_.set_ylabel(self.quality_name, fontsize=TITLE_SIZE)
        self.ax_.tick_params(labelsize=TEXT_SIZE + 1)
        # points may be close: names in a legend never overlap, and markers tell them apart without colour
        self.ax_.legend(fontsize=TITLE_SIZE, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        return self

    def _plot_candidate(self, k: int, name: str) -> None:
        errors = [None if np.isnan(error[k]) else error[k] for error in (self.quality_error, self.leakage_error)]
        color = (SYNTHETIC_COLOR, REAL_COLOR, "#8f8f8f")[k % 3]
        self.ax_.errorbar(
            self.leakage[k],
            self.quality[k],
            yerr=errors[0],
            xerr=errors[1],
            fmt=_MARKERS[k % len(_MARKERS)],
            markersize=8,
            color=color,
            markeredgecolor="black",
            ecolor=GUIDE_COLOR,
            capsize=2,
            label=name,
        )

    def _plot_fresh(self, quality: float, leakage: float) -> None:
        self.ax_.axhline(quality, color=GUIDE_COLOR, linestyle=":", linewidth=1, label="fresh real rows")
        self.ax_.axvline(leakage, color=GUIDE_COLOR, linestyle=":", linewidth=1)


def _as_list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _mean(measures: Sequence[Any]) -> tuple[float, float]:
    """The mean of the values of some measures, and its standard error, nan for a single one."""
    values = np.array([measure.value for measure in measures])
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean()), float(error)
