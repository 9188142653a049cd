"""Log-density of rows: by the probability-flow ODE and the distribution of the starts, or by the mixture alone.

Where rows start from the mixture, and the denoiser is what the mixture says, the ODE leads back to the mixture, whose
density has a closed form.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from .._diffusion import load_backend
from .._starts.source import start_density
from .._table.checks import ReadTable
from .._table.codec import TableCodec, without_unseen
from .._table.missing.hot_deck import with_unknown_target
from .model import FittedModel

N_STEPS = 32
N_TIES = 4


def log_density(model: FittedModel, table: ReadTable) -> np.ndarray:
    """(n,) log-density of the rows of a table; see `ManifoldDiffusionSampler.score_samples`.

    A repeated value has an interval of the code, and its probability is the mean over the interval of what the density
    of the code makes it. It is taken at N_TIES fractions, in every column one in each part of the interval (a Latin
    hypercube): starts are near the middle, where the density is too high, 22 times for the 32 rows of five bits. Over
    few points in many columns the mean is mostly too low.
    """
    codec, of_code = model.codec, density_of_code(model)
    known, price = without_unseen(codec, table)
    values = [
        of_code(codec.without_frequent(codec.encode(known, ties), known)) + codec.log_volume(known, ties)
        for ties in tie_fractions(codec)
    ]
    out = logsumexp(values, axis=0) - np.log(len(values)) - price
    if model.missingness is None:
        return out
    W = with_unknown_target(codec.encode(known), model.denoiser.blocks[-1].stop)
    indicators = model.patterns.indicators(table)
    return out + model.missingness.log_probability_given_seen(W, indicators, model.hot_deck)


def tie_fractions(codec: TableCodec) -> list[np.ndarray | None]:
    """Some fractions (n_columns,) of the intervals that repeated values are put at; None alone where there are none."""
    if not codec.has_ties:
        return [None]
    rng = np.random.default_rng(0)
    parts = np.stack([rng.permutation(N_TIES) for _ in codec.columns_], axis=1)
    return list((parts + 0.5) / N_TIES)


def density_of_code(model: FittedModel) -> Callable[[np.ndarray], np.ndarray]:
    """The log-density (n,) of the code W (n, n_outputs), NaN in cells that are missing, as a function."""
    backend = load_backend()
    codec, denoiser = model.codec, model.denoiser
    blocks, starts = denoiser.blocks, [block.start for block in codec.blocks_]
    behind = ((0, 0), (0, blocks[-1].stop - codec.n_outputs_))
    hidden = np.array([block.start >= codec.n_outputs_ for block in blocks])
    numbers = [block.start for block in codec.blocks_ if block.codes is None]
    least = np.maximum(backend.noise_of_columns(denoiser), np.pad(codec.rounding_levels(), behind[1]))
    if model.mixture_starts is not None and denoiser.is_its_prior:
        of_rows = model.mixture_starts.log_density_of_rows
        return lambda W: of_rows(np.pad(W, behind, constant_values=np.nan), least)
    sigma_start = model.start_level
    levels = np.maximum(sigma_start, least)[numbers]
    at_start = (
        start_density(model.source, numbers, levels)
        if model.mixture_starts is None
        else model.mixture_starts.log_density(numbers, levels)
    )
    process = backend.ReverseProcess(sigma_start, N_STEPS)

    def of_code(W: np.ndarray) -> np.ndarray:
        missing = np.pad(np.isnan(W[:, starts]), ((0, 0), (0, len(blocks) - len(starts))))
        smallest = least[[block.start for block in blocks]]
        query = backend.DensityQuery(np.pad(np.nan_to_num(W), behind), hidden, missing, smallest)
        return backend.log_density(denoiser, query, process, at_start)

    return of_code
