"""E[y | X] and E[X | y] of a fitted sampler: the means of what is not given."""

import numpy as np

from ._completion import draw_given, mean_table
from ._conditions import matches_of, wish_of_codes


def target_given_rows(sampler, X, n_draws, seed):
    """E[y | X]: probabilities (m, n_classes), or means (m,) of numbers over draws."""
    W, target = sampler.codec_.encode(X), sampler.target_
    W = np.pad(W, ((0, 0), (0, target.width)), constant_values=np.nan)
    matches = matches_of(sampler)
    if target.is_categorical:
        blocks = sampler.denoiser_.blocks
        return matches.predict(wish_of_codes(W, blocks), len(blocks) - 1)
    drawn = draw_given(sampler, matches, W, n_draws, seed, for_mean=True)[:, :, -target.width:]
    return np.mean([target.decode(codes) for codes in drawn], axis=0)


def rows_given_target(sampler, y, n_draws, seed):
    """E[X | y]: a table of one row a target (m,), of means over draws; once for equal targets."""
    wanted = sampler.target_.encode_wanted(y, len(y))
    distinct, which = np.unique(wanted, axis=0, return_inverse=True)
    repeated = np.tile(distinct, (n_draws, 1))
    W, _ = sampler._draw_codes(len(repeated), seed, repeated)
    drawn = sampler._clean(W).reshape(n_draws, len(distinct), -1)
    return mean_table(sampler.codec_, drawn[:, which.ravel()], {})
