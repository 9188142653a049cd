"""What "auto" and None stand for, and what users need not choose: rules chosen by measurement."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from .._manifold.words import DEFAULT_WORD, LEARNERS, learner_of

N_EVALUATIONS = 40  # of the held-out loss in a training
N_ITER_NO_CHANGE = 10  # evaluations without a better held-out loss before training stops
CONDITIONAL_FRACTION = 0.25
EMA_DECAY = 0.998
SMALL_TABLE = 2000
MAX_HELD_OUT = 1000
N_COMPONENTS = 8


def default_manifold(n_rows: int, n_columns: int) -> PCA:
    """The transformer that `manifold=None` stands for."""
    return PCA(n_components=min(N_COMPONENTS, n_rows - 1, n_columns))


def is_default_manifold(manifold: Any) -> bool:
    """Whether `manifold` is None or the word for the same."""
    return manifold is None or isinstance(manifold, str) and manifold == DEFAULT_WORD


def chosen_manifold(manifold: Any, n_rows: int, n_columns: int) -> Any:
    """The transformer that `manifold` is or, as None or a word, stands for."""
    if is_default_manifold(manifold):
        return default_manifold(n_rows, n_columns)
    return learner_of(manifold) if isinstance(manifold, str) else manifold


def settable_manifold(manifold: Any) -> Any:
    """The same before there is a table, as parameters of it are to be set; any other string is an error."""
    if isinstance(manifold, str) and not is_default_manifold(manifold) and manifold not in LEARNERS:
        raise ValueError(f"manifold={manifold!r} has no parameters to set. Set manifold to a transformer first.")
    return chosen_manifold(manifold, N_COMPONENTS + 1, N_COMPONENTS)


def default_manifold_weight(n_rows: int) -> float:
    """1 for small tables; a network that learns from many rows knows what the mixture knows."""
    return float(n_rows < SMALL_TABLE)


def default_max_iter(n_rows: int) -> int:
    """Optimiser steps: 2000 up to 1000 rows, 5000 from 10 000, in between by the logarithm."""
    return int(np.interp(np.log(n_rows), np.log([1000, 10_000]), [2000, 5000]))


def default_batch_size(n_rows: int) -> int:
    """Rows in a step: 256 for small tables, 512 for large ones."""
    return 256 if n_rows < SMALL_TABLE else 512


def default_hidden_layer_sizes(n_rows: int) -> tuple[int, ...]:
    """Two residual blocks, 128 wide for small tables and 256 for large ones."""
    return (128, 128) if n_rows < SMALL_TABLE else (256, 256)


def n_frequencies(n_numeric: int) -> int:
    """Periodic features a numeric column: 16, fewer in wide tables so that the first layer stays small."""
    return int(np.clip(512 // max(1, n_numeric), 4, 16))


def n_held_out(n_rows: int, validation_fraction: float) -> int:
    """Rows held out of training."""
    return min(int(np.ceil(validation_fraction * n_rows)), MAX_HELD_OUT, n_rows - 1)
