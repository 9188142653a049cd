"""Missing cells of a table drawn from their law given the observed ones, by a fitted sampler."""

import numpy as np

from ._columns import to_grid
from ._conditions import CONDITION_STREAM, matches_of, wish_of_codes
from ._draw import Plan, draw_rows
from ._streams import row_uniforms

MEAN_STEPS = 4  # of the reverse process, for means: more draws of fewer steps say more of a mean
CHUNK = 4096  # rows completed at once


def completions(sampler, X, n_draws, seed, for_mean=False):
    """`n_draws` encoded completions (n_draws, m, n_outputs) of the m rows of a table.

    The first ones are those of a call for fewer.
    """
    W = sampler.codec_.encode(X)
    hidden = sampler.denoiser_.blocks[-1].stop - W.shape[1]
    W = np.pad(W, ((0, 0), (0, hidden)), constant_values=np.nan)
    matches = matches_of(sampler)
    return np.concatenate([_cleaned(sampler, draw_given(sampler, matches, W[k:k + CHUNK], n_draws, seed ^ k, for_mean))
                           for k in range(0, len(W), CHUNK)], axis=1)


def _cleaned(sampler, drawn):
    n_draws, n_rows, width = drawn.shape
    return sampler._clean(drawn.reshape(n_draws * n_rows, width)).reshape(n_draws, n_rows, -1)


def draw_given(sampler, matches, W, n_draws, seed, for_mean=False):
    """`n_draws` times encoded rows (n_draws, m, p) with the cells of W (m, p) that are not NaN.

    matches : what `matches_of` gives for the sampler
    for_mean : whether only the mean over the draws is asked for
    """
    blocks = sampler.denoiser_.blocks
    process = sampler._process(n_steps=min(sampler.n_steps, MEAN_STEPS)) if for_mean else sampler._process()
    asked = np.tile(W, (n_draws, 1))
    uniforms = row_uniforms(seed ^ CONDITION_STREAM, 0, len(asked), 1 + len(blocks))
    chosen, given, adjust = matches.settle(wish_of_codes(asked, blocks), uniforms)
    plan = Plan(sampler.source_, None, chosen=chosen, given=given, adjust=adjust)
    drawn = draw_rows(sampler.denoiser_, plan, process, len(asked), seed, sampler.n_jobs)
    return drawn.reshape(n_draws, len(W), -1)


def mean_table(codec, drawn, limits):
    """The table of the means over draws (n_draws, m, n_outputs): of numbers and dates; of categories the commonest.

    limits : the cells that are to stay, as of `TableCodec.decode`
    """
    cells, place, every = {}, 0, np.ones(drawn.shape[1], dtype=bool)
    for j, column in enumerate(codec.columns_):
        if column.width:
            parts = [column.decode(part) for part in drawn[:, :, place:place + column.width]]
            cells[j] = every, mean_cells(np.stack(parts), column)
        place += column.width
    return codec.decode(drawn[0], cells=cells, limits=limits)


def mean_cells(values, column):
    """Means (m,) of cells (n_draws, m) of a column, whole where it holds integers or dates; the commonest of levels."""
    if column.kind == "categorical":
        return commonest(values)
    if values.dtype.kind in "mM":
        ticks = values.astype(np.int64)
        return (ticks[0] + np.round((ticks - ticks[0]).mean(axis=0)).astype(np.int64)).astype(values.dtype)
    decimals = None if values.dtype.kind == "f" else column.decimals  # a mean of floats is none of the values seen
    return to_grid(values.astype(np.float64).mean(axis=0), decimals, values.dtype)


def commonest(values):
    """(m,) the commonest of cells (n_draws, m), of equally common ones that drawn first."""
    counts = (values[:, None] == values[None]).sum(axis=1)
    return values[np.argmax(counts, axis=0), np.arange(values.shape[1])]
