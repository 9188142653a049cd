"""E[y | X] and E[X | y] of a fitted sampler: the means of what is not given."""

import numpy as np

from .._table.missing.hot_deck import with_unknown_target
from .completion import drawn_in_chunks, mean_table
from .network import predict
from .queries import matches_of, query_of_codes


def target_given_rows(sampler, X, n_draws, seed):
    """E[y | X]: probabilities (m, n_classes), or means (m,) of numbers over draws."""
    target, blocks = sampler.target_, sampler.denoiser_.blocks
    if target.is_categorical:
        W = with_unknown_target(sampler.codec_.encode(X), blocks[-1].stop)
        matches = matches_of(sampler.rows_, blocks, sampler.source_, sampler.row_weight_, sampler.denoiser_)
        return predict(matches, query_of_codes(W, blocks), len(blocks) - 1)
    return np.concatenate(
        [
            np.mean([target.decode(codes) for codes in drawn[:, :, -target.width :]], axis=0)
            for _, drawn in drawn_in_chunks(sampler, X, n_draws, seed, for_mean=True)
        ]
    )


def rows_given_target(sampler, y, n_draws, seed):
    """E[X | y]: a table of one row a target (m,), of means over draws; once for equal targets."""
    wanted = sampler.target_.encode_wanted(y, len(y))
    distinct, which = np.unique(wanted, axis=0, return_inverse=True)
    repeated = np.tile(distinct, (n_draws, 1))
    W, _ = sampler._draw_codes(len(repeated), seed, repeated)
    drawn = sampler._clean(W).reshape(n_draws, len(distinct), -1)
    return mean_table(sampler.codec_, drawn[:, which.ravel()], {})
