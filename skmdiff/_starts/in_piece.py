"""Samples of a stratified batch end in the piece of the table that they start in; one that does not is drawn again.

The noise that the reverse process begins with can carry a row over the gap between two modes. The shares of the table
survive that, as many go the one way as the other, but a batch that had one row for each mode has none any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._numerics.neighbors import nearest
from .modes import pieces


@dataclass(frozen=True)
class StartPieces:
    """Which pieces there are, and in which one each row of a call starts.

    X : (n, q) rows of the table, in the units in which their distances are measured
    piece : (n,) that each of them is in
    of_start : (n_samples,) that each row of the call starts in
    """

    X: np.ndarray
    piece: np.ndarray
    of_start: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, starts: np.ndarray) -> StartPieces | None:
        """Of the rows X (n, q) and the index (n_samples,) of the one that each row of a call starts from.

        None where there is one piece only.
        """
        piece = pieces(X)
        return cls(X, piece, piece[starts]) if piece.any() else None

    def log_acceptance(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(m,) 0 for samples X (m, q), in the piece that their `rows` of the call start in, else -inf."""
        found = self.piece[nearest(self.X, X, 1)[1][:, 0]]
        return np.where(found == self.of_start[np.minimum(rows, len(self.of_start) - 1)], 0.0, -np.inf)
