"""The columns of the encoded rows, as every room sees them."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Block(Protocol):
    """The columns `start:stop` of the encoded rows that stand for one column of the table.

    codes : (n_categories, stop - start) code of each category, None for numbers
    frequencies : (n_categories,) frequency of each category, None for numbers
    """

    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...
    @property
    def codes(self) -> np.ndarray | None: ...
    @property
    def frequencies(self) -> np.ndarray | None: ...
