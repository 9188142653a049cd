"""The losses of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._figures import GUIDE_COLOR, REAL_COLOR, SYNTHETIC_COLOR, TITLE_SIZE, Picture, matplotlib_of_pictures, new_ax


class LossDisplay(Picture):
    """Training loss and held-out loss of a sampler, one value an evaluation.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    loss_curve : sequence of float
        Mean training loss since the evaluation before.
    validation_loss_curve : sequence of float, default=()
        Loss of the rows held out; empty without any.
    n_iter : int, default=None
        Optimiser steps taken.
    stop_reason : str, default=None
        Why training ended.

    Attributes
    ----------
    best_ : int or None
        Index of the evaluation of the lowest held-out loss, whose weights are kept.
    ax_ : matplotlib Axes
        Set by :meth:`plot`.
    axes_ : ndarray of 1 matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.

    Examples
    --------
    >>> from skmdiff.inspection import LossDisplay
    >>> LossDisplay([1.0, 0.8, 0.7], [0.9, 0.75, 0.8], 120, "max_iter").best_
    1
    """

    def __init__(
        self,
        loss_curve: Sequence[float],
        validation_loss_curve: Sequence[float] = (),
        n_iter: int | None = None,
        stop_reason: str | None = None,
    ) -> None:
        self.loss_curve = np.asarray(loss_curve, dtype=float)
        self.validation_loss_curve = np.asarray(validation_loss_curve, dtype=float)
        self.n_iter, self.stop_reason = n_iter, stop_reason
        self.best_ = int(np.argmin(self.validation_loss_curve)) if len(self.validation_loss_curve) else None

    @classmethod
    def from_estimator(cls, sampler: Any) -> LossDisplay:
        """Read the losses of a fitted sampler.

        Parameters
        ----------
        sampler : ManifoldDiffusionSampler
            A fitted sampler.

        Returns
        -------
        LossDisplay
            Nothing is plotted yet.

        Raises
        ------
        TypeError
            If `sampler` has no `loss_curve_`: it is not fitted, or no network was trained.
        """
        if not hasattr(sampler, "loss_curve_"):
            raise TypeError(f"sampler must be fitted and have a loss_curve_, got {sampler!r:.80}. Call fit first.")
        names = ("validation_loss_curve_", "n_iter_", "stop_reason_")
        validation, n_iter, reason = (getattr(sampler, name, None) for name in names)
        return cls(sampler.loss_curve_, validation or (), n_iter, reason)

    def plot(self, ax: Any = None) -> LossDisplay:
        """Draw the losses; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, Figure or SubFigure, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        LossDisplay
        """
        self.ax_ = new_ax(ax)
        self.axes_, self.figure_ = np.array([self.ax_]), self.ax_.figure
        if len(self.loss_curve):
            self._plot_curves()
        else:
            self.ax_.text(0.5, 0.5, "no network was trained", ha="center", transform=self.ax_.transAxes)
        self.ax_.set_title(self._title(), fontsize=TITLE_SIZE)
        self.ax_.set(xlabel="evaluation", ylabel="loss")
        return self

    def _plot_curves(self) -> None:
        curves = [("training", self.loss_curve, REAL_COLOR, "-", "o")]
        if self.best_ is not None:
            curves.append(("held out", self.validation_loss_curve, SYNTHETIC_COLOR, "--", "s"))
        for label, curve, color, style, marker in curves:
            index = np.arange(1, len(curve) + 1)
            self.ax_.plot(index, curve, style, color=color, marker=marker, markersize=3.5, label=label)
        if self.best_ is not None:
            label = f"lowest held-out loss, {self.validation_loss_curve[self.best_]:.4g}"
            self.ax_.axvline(self.best_ + 1, color=GUIDE_COLOR, linestyle=":", label=label)
        # the first losses, of a network that knows nothing, would squeeze all others
        if min(curve.min() for _, curve, *_ in curves) > 0:
            self.ax_.set_yscale("log")
            plain = matplotlib_of_pictures().ticker.FormatStrFormatter("%.3g")
            self.ax_.yaxis.set_major_formatter(plain)
            self.ax_.yaxis.set_minor_formatter(plain)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.legend(fontsize=TITLE_SIZE)

    def _title(self) -> str:
        if self.n_iter is None:
            return "loss"
        steps = f"loss in {self.n_iter} steps"
        return steps if self.stop_reason is None else f"{steps}; ended by {self.stop_reason}"
