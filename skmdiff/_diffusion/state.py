"""What goes through the door as plain data: no torch here, so that a fitted model is loaded without it."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class NetworkShape:
    """What it takes, beside the blocks of the table, to build the network.

    hidden_layer_sizes : width of each residual block; the first is the width of the trunk
    n_frequencies : periodic features of a numeric column
    """

    hidden_layer_sizes: tuple[int, ...]
    n_frequencies: int


@dataclass(frozen=True)
class DenoiserState:
    """A trained denoiser as arrays: the blocks of the table, the shape of the network, its weights.

    device : type of the device that it was trained on
    noise : (n_blocks,) level of the measurement noise of each column, which samples do not have
    sigma_max : the largest level of training, and that of rows of which columns are known or unknown only
    """

    blocks: list[Block]
    shape: NetworkShape
    weights: dict[str, np.ndarray]
    device: str
    noise: np.ndarray
    sigma_max: float


@dataclass(frozen=True)
class DensityQuery:
    """Clean encoded rows and which of their cells the density is of.

    W : (n, p)
    hidden : (n_blocks,) of bool, columns that are unknown in all rows: the density is the marginal of the others
    missing : (n, n_blocks) of bool, the same cell by cell
    smallest_level : (n_blocks,) noise level that each column does not go below
    """

    W: np.ndarray
    hidden: np.ndarray
    missing: np.ndarray
    smallest_level: np.ndarray
