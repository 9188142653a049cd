"""The training rows in the code: a table and its target encoded once, missing cells filled in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._numerics.weights import relative_weight, rows_of
from .._table.checks import ReadTable
from .._table.codec import TableCodec, whole_columns
from .._table.columns import Block
from .._table.missing.hot_deck import HotDeck, fill, with_unknown_target
from .._table.missing.patterns import MissingPatterns
from .._table.target import Target


@dataclass(frozen=True)
class EncodedTable:
    """A table with its target y, or without (None), the fitted codes of both, and what fills missing cells.

    patterns : of the missing cells of the table of fit, of which this one may be a part
    weight : (n,) weights of the rows, 1 on average; None for all alike
    """

    codec: TableCodec
    patterns: MissingPatterns
    target: Target | None
    table: ReadTable
    y: np.ndarray | None
    seed: int
    weight: np.ndarray | None = None

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the encoded table, that of the target last."""
        target = [] if self.target is None else self.target.blocks(offset=self.codec.n_outputs_)
        return [*self.codec.blocks_, *target]

    @cached_property
    def code(self) -> np.ndarray:
        """(n, n_outputs) of the columns alone, NaN where cells are missing, repeated values in mid-interval."""
        return self.codec.encode(self.table)

    @cached_property
    def hot_deck(self) -> HotDeck | None:
        """What fills missing cells; None where none is missing."""
        if not self.patterns.n_indicators:
            return None
        return HotDeck(self._raw(), whole_columns(self.blocks), self.seed, self.weight)

    @cached_property
    def complete(self) -> np.ndarray:
        """(n, n_outputs) of the columns alone; missing cells are filled as those of a new row without target."""
        if self.hot_deck is None:
            return self.code
        return complete_rows(self.code, self.hot_deck)

    def joint(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """(n, p) with the code of the target behind it, missing cells filled; a generator puts ties at random."""
        W = self._raw(rng)
        return W if self.hot_deck is None else fill(W, self.hot_deck.found, rng)

    @property
    def missing(self) -> np.ndarray | None:
        """(n, n_blocks) of bool, the missing cells; None where none is."""
        if self.hot_deck is None:
            return None
        of_table = np.isnan(self.code[:, [block.start for block in self.codec.blocks_]])
        return np.pad(of_table, ((0, 0), (0, len(self.blocks) - len(self.codec.blocks_))))

    def take(self, rows: np.ndarray) -> EncodedTable:
        """The same of some rows."""
        return replace(self, table=self.table.take(rows), y=rows_of(self.y, rows), weight=rows_of(self.weight, rows))

    def _raw(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """The code of the rows, NaN in missing cells, but the middle of the code in a column without any value."""
        W = self.code.copy() if rng is None else self.codec.redraw_ties(self.code, self.table, rng)
        W[:, np.isnan(W).all(axis=0)] = 0.0
        return W if self.target is None else np.hstack([W, self._target_code(rng)])

    @cached_property
    def _target_table(self) -> ReadTable:
        return self.target.read(self.y)

    @cached_property
    def _target_middle(self) -> np.ndarray:
        return self.target.codec.encode(self._target_table)

    def _target_code(self, rng: np.random.Generator | None) -> np.ndarray:
        """(n, width) code of the target, its repeated numbers in mid-interval or at random."""
        if rng is None:
            return self._target_middle
        return self.target.codec.redraw_ties(self._target_middle, self._target_table, rng)


def complete_rows(W: np.ndarray, hot_deck: HotDeck) -> np.ndarray:
    """Encoded rows W (m, q) without a target, their missing cells filled from a hot deck that may know one."""
    return hot_deck.complete(with_unknown_target(W, hot_deck.rows.shape[1]))[:, : W.shape[1]]


def rows_with_weight(
    table: ReadTable, y: np.ndarray | None, weight: np.ndarray | None
) -> tuple[ReadTable, np.ndarray | None, np.ndarray | None, np.ndarray]:
    """The table and the target of the rows whose weight (n,) is above 0, their relative weights, and which they are."""
    if weight is None:
        return table, y, None, np.ones(len(table), dtype=bool)
    seen = weight > 0
    rows = np.flatnonzero(seen)
    if len(rows) < 2:
        raise ValueError(f"sample_weight must be above 0 for at least 2 rows, got {len(rows)} such row.")
    return table.take(rows), rows_of(y, rows), relative_weight(weight[rows]), seen
