"""What goes through the door as plain data: no torch here, so that a fitted model is loaded without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._mixture.mixture import Mixture
from .._numerics.blocks import Block


@dataclass(frozen=True)
class NetworkShape:
    """What it takes, beside the blocks of the table, to build the network.

    hidden_layer_sizes : width of each residual block; the first is the width of the trunk
    n_frequencies : periodic features of a numeric column
    """

    hidden_layer_sizes: tuple[int, ...]
    n_frequencies: int


@dataclass(frozen=True)
class Prior:
    """The mixture that the network corrects.

    weight : from 0 to 1, against a standard normal distribution of the numbers and the frequencies of categories
    category_weights : (C,) from 0 to 1, by which the weight is multiplied for each column of categories
    """

    mixture: Mixture
    weight: float
    category_weights: np.ndarray


@dataclass(frozen=True)
class DenoiserState:
    """A trained denoiser as arrays: the blocks of the table, the shape of the network, its weights.

    device : what it was trained on, as torch names it; a model goes on where there is none like it, too
    noise : (n_blocks,) level of the measurement noise of each column, which samples do not have
    sigma_max : the largest level of training, and that of rows of which columns are known or unknown only
    prior : what the network corrects; None for columns that depend on nothing
    """

    blocks: list[Block]
    shape: NetworkShape
    weights: dict[str, np.ndarray]
    device: str
    noise: np.ndarray
    sigma_max: float
    prior: Prior | None = None

    @property
    def is_its_prior(self) -> bool:
        """Whether the mixture says all, for the last layer of the network is still zero."""
        if self.prior is None or self.prior.weight < 1 or (self.prior.category_weights < 1).any():
            return False
        has_wide_columns = any(name.startswith("wide.") for name in self.weights)  # of which the mixture knows nothing
        return not has_wide_columns and not any(self.weights[f"leave.{name}"].any() for name in ("weight", "bias"))


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
