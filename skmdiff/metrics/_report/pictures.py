"""The pictures of a page: computed with the report, drawn when a page is written.

`pictures_of` is the one place where pictures are chosen. A picture is a title, what it says, a text for those who do
not see it, a display, and a function that draws it and returns the figure.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..._table.frames import is_pandas
from .._tables import Table
from .entries import ColumnMeasure

MOST_COLUMNS = 24
N_WIDE = 4
INCHES_WIDE, INCHES_HIGH = 2.6, 1.9  # of a panel
DOTS_PER_INCH = 130
NO_MATPLOTLIB = 'Pictures need matplotlib: pip install "skmdiff[plot]", then write the page again.'


class Picture(NamedTuple):
    """One picture of a page; `draw` makes a matplotlib figure of the display."""

    title: str
    text: str
    alt: str
    display: Any
    draw: Callable[[Any], Any]


def pictures_of(
    real: Table, synthetic: Table, columns: Sequence[ColumnMeasure], categorical: list[bool]
) -> list[Picture]:
    """The pictures of two tables of as many rows; `columns` are their measures. Further displays are added here."""
    # displays stand in a room after this one, which they measure by: they are asked for by name
    displays = import_module("skmdiff.inspection")
    return [
        _of_columns(displays.ColumnsDisplay, real, synthetic, columns, categorical),
        _of_pairs(displays.PairsDisplay, real, synthetic, categorical),
    ]


def _of_columns(
    display: Any, real: Table, synthetic: Table, columns: Sequence[ColumnMeasure], categorical: list[bool]
) -> Picture:
    excess = np.array([column.shape_error - column.shape_ceiling for column in columns])
    chosen = np.argsort(-np.nan_to_num(excess), kind="stable")[:MOST_COLUMNS]
    tables = [_of_some_columns(table, chosen) for table in (real, synthetic)]
    shown = display.from_tables(*tables, categorical_features=[categorical[j] for j in chosen])
    shown.names = names = [columns[j].name for j in chosen]
    rest = len(columns) - len(chosen)
    left_out = f" Left out, as they differ less: {rest}." if rest else ""
    text = f"Fractions of values or bins: blue is real, orange synthetic. Those that differ most come first.{left_out}"
    alt = f"Bars of real beside synthetic fractions for {len(names)} columns: {', '.join(names)}."
    return Picture("Columns", text, alt, shown, _draw_columns)


def _of_pairs(display: Any, real: Table, synthetic: Table, categorical: list[bool]) -> Picture:
    shown = display.from_tables(real, synthetic, categorical_features=categorical, random_state=0)
    text = (
        "How much the columns of each pair depend on each other, 0 not at all and 1 wholly, in real and in synthetic "
        "rows, and the difference. Below are the pairs in which it differs most, real above synthetic."
    )
    pairs = ", ".join(" and ".join(map(str, pair.names)) for pair in shown.pairs)
    alt = f"Matrices of the dependence of {len(shown.names)} columns; the most different pairs: {pairs}."
    return Picture("Pairs of columns", text, alt, shown, _draw_pairs)


def _draw_pairs(display: Any) -> Any:
    """The matrices and the pairs, on a figure that pyplot does not know."""
    return display.plot().figure_


def _of_some_columns(table: Table, chosen: np.ndarray) -> Table:
    """Columns of a table by their indices."""
    return table.iloc[:, chosen] if is_pandas(table) else table[:, chosen.tolist()]


def _draw_columns(display: Any) -> Any:
    """One panel a column, on a figure that pyplot does not know."""
    from matplotlib.figure import Figure

    n_wide = min(N_WIDE, len(display.names))
    n_high = -(-len(display.names) // n_wide)
    figure = Figure(figsize=(INCHES_WIDE * n_wide, INCHES_HIGH * n_high), layout="constrained")
    display.plot(figure.subplots(n_high, n_wide, squeeze=False).ravel())
    return figure


def data_uri(picture: Picture) -> str:
    """A picture as the address of an image that holds it.

    It is a PNG: the SVG of matplotlib names addresses in the network, and is large where there are many points.
    """
    file = io.BytesIO()
    picture.draw(picture.display).savefig(file, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
