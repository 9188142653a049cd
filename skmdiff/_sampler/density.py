"""Log-density of rows under a fitted sampler: by the probability-flow ODE and the distribution of the starts."""

import numpy as np
from scipy.special import logsumexp

from .._diffusion import load_backend
from .._starts.source import start_density
from .._table.missing.hot_deck import with_unknown_target

N_STEPS = 32
N_TIES = 4


def log_density(sampler, X):
    """(n,) log-density of the rows of a table; see `ManifoldDiffusionSampler.score_samples`.

    A repeated value has an interval of the code, and its probability is the mean over the interval of what the density
    of the code makes it. It is taken over N_TIES places, in every column one in each part of it (a Latin hypercube):
    starts are near the middle, where the density is too high, 22 times for the 32 rows of five bits. Over few places in
    many columns the mean is mostly too low.
    """
    codec, of_code = sampler.codec_, density_of_code(sampler)
    table = codec.read(X)
    known, price = codec.without_unseen(table)
    values = [of_code(codec.encode(known, ties)) + codec.log_volume(known, ties) for ties in tie_places(codec)]
    out = logsumexp(values, axis=0) - np.log(len(values)) - price
    if sampler.gaps_ is None:
        return out
    W = with_unknown_target(codec.encode(known), sampler.denoiser_.blocks[-1].stop)
    return out + sampler.gaps_.log_probability_given_seen(W, codec.gaps(table), sampler.deck_)


def tie_places(codec):
    """Shares (n_columns,) of the intervals that repeated values are put at, some; None alone where there are none."""
    if not codec.has_ties:
        return [None]
    rng = np.random.default_rng(0)
    parts = np.stack([rng.permutation(N_TIES) for _ in codec.columns_], axis=1)
    return list((parts + 0.5) / N_TIES)


def density_of_code(sampler):
    """The log-density (n,) of the code W (n, n_outputs), NaN in cells that are missing, as a function."""
    backend = load_backend()
    codec, denoiser = sampler.codec_, sampler.denoiser_
    blocks, own = denoiser.blocks, [block.start for block in codec.blocks_]
    behind = ((0, 0), (0, blocks[-1].stop - codec.n_outputs_))
    hidden = np.array([block.start >= codec.n_outputs_ for block in blocks])
    numbers = [block.start for block in codec.blocks_ if block.codes is None]
    least = np.maximum(backend.noise_of_columns(denoiser), np.pad(codec.cells(), behind[1]))
    at_start = start_density(sampler.source_, numbers, np.maximum(sampler.sigma_start_, least)[numbers])

    def of_code(W):
        missing = np.pad(np.isnan(W[:, own]), ((0, 0), (0, len(blocks) - len(own))))
        return backend.log_density(
            denoiser,
            np.pad(np.nan_to_num(W), behind),
            hidden,
            missing,
            at_start,
            least[[block.start for block in blocks]],
            sampler.sigma_min,
            sampler.sigma_start_,
            N_STEPS,
        )

    return of_code
