"""What all pictures share: figures, colours, legends, and how the cells of a column stand on an axis.

Real and synthetic rows are told apart three times: by a dark blue and a light orange, which readers with any kind of
colour blindness tell apart, by their lightness, which stays in print in grey, and by hatches, dashes or markers.

A figure is a plain `matplotlib.figure.Figure`, which pyplot does not know. Scikit-learn's displays use `plt.subplots`:
pyplot then keeps every figure until it is closed, so that a loop over many tables fills memory and warns from the 21st
on, and plotting chooses a window system. Without pyplot nobody shows the figure by itself, so a display has an HTML
representation: it is seen where it is the last value of a cell. A figure or axes of pyplot can be given to `plot`.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .._table.cells import Cells

REAL_COLOR, SYNTHETIC_COLOR, GUIDE_COLOR = "#0b4f8a", "#ef8e14", "#555555"
# dark is much; lightness grows evenly, so that the map reads in grey
SEQUENTIAL = "Blues"
REAL_BARS: dict[str, Any] = {"color": REAL_COLOR}
SYNTHETIC_BARS: dict[str, Any] = {"facecolor": SYNTHETIC_COLOR, "edgecolor": "black", "linewidth": 0.4, "hatch": "////"}
TITLE_SIZE, TEXT_SIZE = 9, 7
LONGEST_LABEL = 22
_UNITS: dict[str, Any] = {"days": "D", "hours": "h", "minutes": "m", "seconds": "s"}


class Picture:
    """A display that shows itself in a notebook once it is plotted."""

    figure_: Any

    def _repr_html_(self) -> str | None:
        """The picture as one HTML image; None, which means the plain text, before it is plotted."""
        if not hasattr(self, "figure_"):
            return None
        file = io.BytesIO()
        root_of(self.figure_).savefig(file, format="png", dpi=100)
        data = base64.b64encode(file.getvalue()).decode("ascii")
        return f'<img alt="{type(self).__name__}" src="data:image/png;base64,{data}">'


def root_of(figure: Any) -> Any:
    """The whole figure that a figure is, or is a part of; `get_figure` takes root=True from matplotlib 3.10 on only."""
    return figure.canvas.figure


def matplotlib_of_pictures() -> ModuleType:
    """The package matplotlib with what pictures need of it; an error that names the extra where it is missing."""
    try:
        import matplotlib.dates
        import matplotlib.figure
        import matplotlib.patches
        import matplotlib.ticker
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('plot needs matplotlib; pip install "skmdiff[plot]"') from error
    return matplotlib


def new_panels(axes: Any, n_high: int, n_wide: int, size: tuple[float, float], **options: Any) -> np.ndarray:
    """Axes for n_high * n_wide panels, flat: those given, new ones in the figure given, or a new figure of a size."""
    matplotlib = matplotlib_of_pictures()
    if axes is None:
        axes = matplotlib.figure.Figure(figsize=size, layout="constrained")
    if hasattr(axes, "subplots"):  # a figure or a part of one
        return np.ravel(axes.subplots(n_high, n_wide, squeeze=False, **options))
    return np.ravel(axes)


def checked_panels(axes: np.ndarray, n_panels: int) -> np.ndarray:
    """Axes of which there are enough; those that are not needed stay empty and without a frame."""
    if len(axes) < n_panels:
        raise ValueError(f"axes must have {n_panels} Axes or more, one for each panel, got {len(axes)}")
    for ax in axes[n_panels:]:
        ax.set_axis_off()
    return axes


def new_ax(ax: Any, size: tuple[float, float] = (6.0, 4.0)) -> Any:
    """The Axes given, or that of a new figure of a size in inches."""
    return new_panels(ax, 1, 1, size)[0]


def legend_above(figure: Any, axes: Any, handles: Sequence[Any]) -> None:
    """One legend for all panels: above them in a figure that was laid out here, else within the first panel."""
    if axes is None or hasattr(axes, "subplots") and root_of(figure).get_constrained_layout():
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    else:
        figure.axes[0].legend(handles=handles, fontsize=TEXT_SIZE)


def bar_handles() -> list[Any]:
    """Entries of a legend for bars."""
    patches = matplotlib_of_pictures().patches
    real, synthetic = patches.Patch(**REAL_BARS), patches.Patch(**SYNTHETIC_BARS)
    real.set_label("real")
    synthetic.set_label("synthetic")
    return [real, synthetic]


def short(label: str, longest: int = LONGEST_LABEL) -> str:
    """A label cut in its middle: categories often differ at their ends."""
    if len(label) <= longest:
        return label
    head = (longest - 1) * 2 // 3
    return f"{label[:head]}…{label[len(label) - (longest - 1 - head) :]}"


def rows_title(title: str, n_rows: int) -> str:
    """A title with the number of rows."""
    return f"{title} ({n_rows} row{'s' * (n_rows != 1)})"


def percent(fraction: float) -> str:
    """A fraction in percent with two digits; what is not 0 does not look like it."""
    return f"{100 * fraction:.0f}%" if fraction >= 0.0995 or fraction == 0 else f"{100 * fraction:.2g}%"


def percent_axis(axis: Any) -> None:
    """Fractions as percent, with few ticks."""
    ticker = matplotlib_of_pictures().ticker
    axis.set_major_locator(ticker.MaxNLocator(4, steps=[1, 2, 5, 10], min_n_ticks=2))
    axis.set_major_formatter(ticker.FuncFormatter(lambda fraction, _: f"{100 * fraction:.6g}%"))
    axis.set_tick_params(labelsize=TEXT_SIZE)


# ---- the cells of a column on an axis -------------------------------------------------------------------------


def unit_of(values: np.ndarray) -> str | None:
    """The largest unit of which the largest of some durations is one or more; None for what is not a duration."""
    if values.dtype.kind != "m":
        return None
    largest = np.abs(values).max() if len(values) else np.timedelta64(0, "s")
    return next((name for name, code in _UNITS.items() if largest >= np.timedelta64(1, code)), "seconds")


def on_axis(values: np.ndarray, unit: str | None = None) -> np.ndarray:
    """Numbers as they are, dates as days since 1970, which matplotlib takes them for, durations in a unit."""
    if values.dtype.kind == "M":
        return values.astype("datetime64[us]").astype(np.int64) / 86_400e6
    if values.dtype.kind == "m":
        return values / np.timedelta64(1, _UNITS[unit or "seconds"])
    return values.astype(float)


def cells_on_axis(cells: Cells, unit: str | None = None) -> np.ndarray:
    """(n,) the cells of a column of numbers, dates or durations by `on_axis`, nan where missing."""
    out = np.full(len(cells.missing), np.nan)
    out[~cells.missing] = on_axis(cells.observed, unit)
    return out


def date_axis(axis: Any, n_ticks: int = 5) -> None:
    """Ticks of an axis that holds days since 1970: few, at whole years, months, days or hours."""
    dates = matplotlib_of_pictures().dates
    locator = dates.AutoDateLocator(minticks=2, maxticks=n_ticks)
    axis.set_major_locator(locator)
    axis.set_major_formatter(dates.ConciseDateFormatter(locator))
