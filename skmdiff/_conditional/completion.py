"""Missing cells of a table drawn from their distribution given the observed ones, by a fitted sampler."""

import numpy as np

from .._numerics.streams import START_STREAM, row_uniforms
from .._starts.draw import Plan, draw_rows
from .._table.columns import nearest_codes
from .._table.grids import to_grid
from .._table.missing.hot_deck import with_unknown_target
from .queries import matches_of, query_of_codes
from .starts import choose_starts

MEAN_STEPS = 4  # of the reverse process, for means: more draws of fewer steps say more of a mean
CHUNK = 2048  # rows completed at once


def completions(sampler, X, n_draws, seed, for_mean=False):
    """Completions of a table, some rows after the other: pairs of their places (m,) and (n_draws, m, n_outputs)."""
    for rows, drawn in drawn_in_chunks(sampler, X, n_draws, seed, for_mean):
        shape = drawn.shape
        yield rows, sampler._clean(drawn.reshape(-1, shape[-1])).reshape(*shape[:2], -1)


def drawn_in_chunks(sampler, X, n_draws, seed, for_mean=False):
    """The same, encoded rows (n_draws, m, p) as they are drawn, with the code of a target.

    The first draws are those of a call for fewer. `for_mean` says that only their mean is asked for.
    """
    W = with_unknown_target(sampler.codec_.encode(X), sampler.denoiser_.blocks[-1].stop)
    matches = matches_of(
        sampler.rows_, sampler.denoiser_.blocks, sampler.source_, sampler.row_weight_, sampler.denoiser_
    )
    for k in range(0, len(W), CHUNK):
        rows = np.arange(k, min(k + CHUNK, len(W)))
        yield rows, _draw_given(sampler, matches, W[rows], n_draws, seed ^ k, for_mean)


def _draw_given(sampler, matches, W, n_draws, seed, for_mean):
    """`n_draws` times encoded rows (n_draws, m, p) with the cells of W (m, p) that are not NaN."""
    blocks = sampler.denoiser_.blocks
    process = sampler._process(n_steps=min(sampler.n_steps, MEAN_STEPS)) if for_mean else sampler._process()
    asked = np.tile(W, (n_draws, 1))
    uniforms = row_uniforms(seed ^ START_STREAM, 0, len(asked), 1 + len(blocks))
    chosen, given, adjust = choose_starts(matches, query_of_codes(asked, blocks), uniforms)
    plan = Plan(sampler.source_, None, chosen=chosen, given=given, adjust=adjust)
    drawn = draw_rows(sampler.denoiser_, plan, process, len(asked), seed, sampler.n_jobs)
    return drawn.reshape(n_draws, len(W), -1)


def mean_table(codec, drawn, limits):
    """The table of the means over draws (n_draws, m, n_outputs): of numbers and dates; of categories the commonest.

    The means of integers are whole, and those of dates at the steps of their column.

    limits : the cells that are to stay, as of `TableCodec.decode`
    """
    cells, place, every = {}, 0, np.ones(drawn.shape[1], dtype=bool)
    for j, column in enumerate(codec.columns_):
        if column.width:
            cells[j] = every, mean_cells(drawn[:, :, place : place + column.width], column)
        place += column.width
    return codec.decode(drawn[0], cells=cells, limits=limits)


def mean_cells(codes, column):
    """Means (m,) of cells of a column by their codes (n_draws, m, width); see `mean_table`."""
    if column.kind == "categorical":
        places = np.stack([nearest_codes(part, column.codes) for part in codes])
        return column.decode(column.codes[commonest(places)])
    values = np.stack([column.decode(part) for part in codes])
    if values.dtype.kind in "mM":
        return column.middle(values)
    decimals = None if values.dtype.kind == "f" else column.decimals  # a mean of floats is none of the values seen
    return to_grid(values.astype(np.float64).mean(axis=0), decimals, values.dtype)


def commonest(values):
    """(m,) the commonest of numbers (n_draws, m), of equally common ones that drawn first."""
    counts = np.array([(values == drawn).sum(axis=0) for drawn in values])
    return values[np.argmax(counts, axis=0), np.arange(values.shape[1])]
