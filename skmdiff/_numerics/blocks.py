"""The columns of the encoded rows, as every room sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Block(Protocol):
    """The columns `start:stop` of the encoded rows that stand for one column of the table.

    codes : (n_categories, stop - start) code of each category, None for numbers
    frequencies : (n_categories,) frequency of each category, None for numbers
    of_number : whether the categories are the frequent values of the number in the block before
    """

    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...
    @property
    def codes(self) -> np.ndarray | None: ...
    @property
    def frequencies(self) -> np.ndarray | None: ...
    @property
    def of_number(self) -> bool: ...


def coded_blocks(blocks: Sequence[Block]) -> list[tuple[Block, np.ndarray]]:
    """The blocks of categories, with their codes."""
    return [(block, block.codes) for block in blocks if block.codes is not None]
