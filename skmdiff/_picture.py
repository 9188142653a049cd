"""The picture of ``skmdiff demo``: two embeddings on top, one panel of bars per column below.

Drawn by matplotlib where it is installed, else on the plain canvas of `_raster.py`.
"""

import importlib.util

import numpy as np

from ._raster import Canvas
from .inspection import REAL_COLOR, SYNTHETIC_COLOR

_N_WIDE = 7
# sizes in pixels of the plain picture
_CELL_WIDTH, _CELL_HEIGHT, _TOP_HEIGHT, _GAP, _TITLE = 150, 120, 420, 8, 18


def save_picture(path, embedding, columns):
    """Write an EmbeddingDisplay and a ColumnsDisplay into one PNG file."""
    with_matplotlib = importlib.util.find_spec("matplotlib") is not None
    (_save_with_matplotlib if with_matplotlib else _save_plain)(path, embedding, columns)


def _save_with_matplotlib(path, embedding, columns):
    # a Figure of its own, not pyplot's: nothing of the caller's plotting state is touched
    from matplotlib.figure import Figure

    n_high = -(-len(columns.names) // _N_WIDE)
    figure = Figure(figsize=(11, 4 + 1.2 * n_high), layout="constrained")
    top, below = figure.subfigures(2, 1, height_ratios=[4, 1.2 * n_high])
    embedding.plot(top.subplots(1, 2))
    columns.plot(below.subplots(n_high, _N_WIDE, squeeze=False))
    figure.savefig(path, dpi=120)


def _save_plain(path, embedding, columns):
    n_high = -(-len(columns.names) // _N_WIDE)
    width = _N_WIDE * _CELL_WIDTH
    canvas = Canvas(width, _TOP_HEIGHT + n_high * _CELL_HEIGHT + _GAP)
    halves = [
        (0, "real", embedding.real, REAL_COLOR),
        (width // 2, "synthetic", embedding.synthetic, SYNTHETIC_COLOR),
    ]
    for left, title, rows, color in halves:
        canvas.text(left + _GAP, _GAP, f"{title} - {len(rows)} rows", color)
        _points(canvas, left + _GAP, width // 2 - 2 * _GAP, rows, embedding.limits_, color)
    for j, name in enumerate(columns.names):
        left, top = j % _N_WIDE * _CELL_WIDTH + _GAP, _TOP_HEIGHT + j // _N_WIDE * _CELL_HEIGHT
        canvas.text(left, top, name[: (_CELL_WIDTH - _GAP) // 8])
        _bars(canvas, left, top + _TITLE, columns.real[j], columns.synthetic[j])
    canvas.save(path)


def _points(canvas, left, width, rows, limits, color):
    """Rows as squares of three pixels in the panel under the title."""
    extent = np.maximum(np.ptp(limits, axis=0), 1e-12)
    share = (rows - limits[0]) / extent
    top, height = _GAP + _TITLE, _TOP_HEIGHT - _TITLE - 4 * _GAP
    # the second component grows upwards, pixels count downwards
    places = np.array([left, top]) + np.abs([0, 1] - share) * [width - 3, height - 3]
    for x, y in places.astype(int).tolist():
        canvas.fill(x, y, x + 3, y + 3, color)


def _bars(canvas, left, top, real, synthetic):
    """Pairs of bars, real and synthetic, scaled to the highest of them."""
    height, slot = _CELL_HEIGHT - _TITLE - 2 * _GAP, (_CELL_WIDTH - 2 * _GAP) // len(real)
    highest = max(real.max(), synthetic.max())
    half = max(1, (slot - 1) // 2)
    for k, pair in enumerate(zip(real, synthetic, strict=True)):
        for side, (share, color) in enumerate(zip(pair, (REAL_COLOR, SYNTHETIC_COLOR), strict=True)):
            x = left + k * slot + side * half
            canvas.fill(x, top + height - round(height * share / highest), x + half, top + height, color)
    canvas.fill(left, top + height, left + slot * len(real), top + height + 1, "#404040")
