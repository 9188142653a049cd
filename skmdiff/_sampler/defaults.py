"""What "auto" and None stand for: rules of the number of rows and columns, chosen by measurement."""

import numpy as np
from sklearn.decomposition import PCA

from .._diffusion import load_backend
from .._numerics.checks import is_auto

N_EVALUATIONS = 40
CONDITIONAL_SHARE = 0.25
EMA_DECAY = 0.998
SMALL_TABLE = 2000
MAX_HELD_OUT = 1000


def default_manifold(n_rows, n_columns):
    """The transformer that `manifold=None` stands for."""
    return PCA(n_components=min(8, n_rows - 1, n_columns))


def default_max_iter(n_rows):
    """Optimiser steps: 2000 up to 1000 rows, 7000 from 10 000, in between by the logarithm."""
    return int(np.interp(np.log(n_rows), np.log([1000, 10_000]), [2000, 7000]))


def default_batch_size(n_rows):
    """Rows in a step: 256 for small tables, 512 for large ones."""
    return 256 if n_rows < SMALL_TABLE else 512


def default_hidden_layer_sizes(n_rows):
    """Two residual blocks, 128 wide for small tables and 256 for large ones."""
    return (128, 128) if n_rows < SMALL_TABLE else (256, 256)


def n_frequencies(n_numeric):
    """Periodic features a numeric column: 16, fewer in wide tables so that the first layer stays small."""
    return int(np.clip(512 // max(1, n_numeric), 4, 16))


def n_held_out(n_rows, validation_fraction):
    """Rows held out of training."""
    return min(int(np.ceil(validation_fraction * n_rows)), MAX_HELD_OUT, n_rows - 1)


def plan_training(sampler, n_rows, blocks, sigma_max, target, noise):
    """The plan of the training and the shape of the network for a sampler's parameters.

    Parameters
    ----------
    n_rows : int, rows to train on
    blocks : list of Block
    sigma_max : float, the largest level to train at
    target : int or None, the block of the target
    noise : (n_outputs,) noise of the rows in the code, without the target's columns
    """
    backend = load_backend()
    max_iter = default_max_iter(n_rows) if is_auto(sampler.max_iter) else sampler.max_iter
    batch_size = default_batch_size(n_rows) if is_auto(sampler.batch_size) else sampler.batch_size
    auto_sizes = is_auto(sampler.hidden_layer_sizes)
    sizes = default_hidden_layer_sizes(n_rows) if auto_sizes else tuple(sampler.hidden_layer_sizes)
    of_blocks = np.array([noise[block.start] if block.start < len(noise) else 0.0 for block in blocks])
    plan = backend.TrainingPlan(
        max_iter=max_iter,
        batch_size=batch_size,
        learning_rate_init=sampler.learning_rate_init,
        sigma_min=sampler.sigma_min,
        sigma_max=max(sigma_max, of_blocks.max()),
        conditional_share=CONDITIONAL_SHARE,
        ema_decay=EMA_DECAY,
        n_iter_no_change=sampler.n_iter_no_change,
        evaluate_every=max(1, max_iter // N_EVALUATIONS),
        target=target,
        noise=of_blocks,
    )
    n_numeric = sum(block.codes is None for block in blocks)
    return plan, backend.NetworkShape(sizes, n_frequencies(n_numeric))
