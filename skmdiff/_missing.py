"""Gaps of an encoded table: filled in for whatever works on W, and the rows of gaps marked for the denoiser.

The denoiser learns the law of the table *filled in*, and of its gaps (the indicator blocks) given the filled table:
p(x) p(gaps | x), a selection model. Whatever law the fillers have, what is left after the cells marked missing are
blanked has the law of the table with its gaps, p(observed cells, gaps), and so have its conditionals and its density,
the missing cells being integrated out. An input that told fillers from values would give the gaps away: if a column
is unknown exactly where its cell is missing, its indicator is a copy of that flag, and a reverse process in which no
column is unknown then never draws a gap.

Fillers come from a hot deck: a missing block takes the block of a donor, a row where it is observed, one of the
N_DONORS nearest in

    ( prediction of the block / its residual standard deviation,  all other columns / sqrt(their number) ),

missing cells in them being zero, the mean, in a first round and fillers in a second. The prediction is linear, by
ridge regression over the donors: predictive mean matching (Little 1988, "Missing-data adjustments in large
surveys"), with the nearness in all columns for what is not linear. If cells are missing at random given the other
columns, so that donors and gaps with the same other columns are alike, the fillers have about the law of the cells.
"""

import numpy as np

from ._local import in_blocks, nearest

N_DONORS = 5
MAX_DONORS = 10_000
RIDGE = 1e-3
ROUNDS = 2


class HotDeck:
    """Rows that lend their cells.

    Parameters
    ----------
    W : ndarray of shape (n, p)
        Encoded rows, NaN where a value is missing.
    blocks : list of Block
    seed : int
        Chooses the MAX_DONORS candidates of a block where there are more.

    Attributes
    ----------
    filled : ndarray of shape (n, p)
        W with every gap filled from the nearest donor.
    found : list
        The donors of the rows of W, for `fill`.
    """

    def __init__(self, W, blocks, seed):
        self.rows, self.seed = W, seed
        self.values = [block for block in blocks if block.kind != "gap"]
        self.columns = np.concatenate([np.arange(block.start, block.stop) for block in self.values])
        self.filled, self.found = np.nan_to_num(W), []
        for _ in range(ROUNDS):
            self.found = self._donors(W, self.filled)
            self.filled = fill(W, self.found)

    def complete(self, W):
        """W (m, p) with its missing blocks from their nearest donors; a row's do not depend on the other rows."""
        filled = np.nan_to_num(W)
        for _ in range(ROUNDS):
            filled = fill(W, self._donors(W, filled), deck=self.rows)
        return filled

    def _donors(self, W, filled):
        """Of every block with gaps in W: the block, the rows of W that lack it, and their donors, near to far."""
        return [(block, rows, self._nearest_donors(block, filled[rows])) for block in self.values
                if len(rows := np.flatnonzero(np.isnan(W[:, block.start])))]

    def _nearest_donors(self, block, rows):
        candidates = np.flatnonzero(~np.isnan(self.rows[:, block.start]))
        if len(candidates) > MAX_DONORS:
            order = np.random.default_rng(self.seed).permutation(len(candidates))[:MAX_DONORS]
            candidates = candidates[np.sort(order)]
        others = np.setdiff1d(self.columns, np.arange(block.start, block.stop))
        if not len(others):
            return np.resize(candidates, (len(rows), N_DONORS))
        lent = self.filled[candidates][:, others]
        weights = nearness(lent, self.rows[candidates, block.start:block.stop])
        spaces = [in_blocks(lambda X: X @ weights, X, lent[0]) for X in (lent, rows[:, others])]
        return candidates[nearest(*spaces, min(N_DONORS, len(candidates)))[1]]


def nearness(X, Y):
    """Weights (q, k + q) from other columns to the space of nearness, by donors' X (n, q) and their cells Y (n, k)."""
    slopes = np.linalg.solve(X.T @ X + RIDGE * len(X) * np.eye(X.shape[1]), X.T @ Y)
    scatter = np.sqrt(np.mean((Y - X @ slopes) ** 2)) + RIDGE
    return np.hstack([slopes / scatter, np.eye(X.shape[1]) / np.sqrt(X.shape[1])])


def fill(W, found, random_state=None, deck=None):
    """W (m, p) with its missing blocks taken from the deck, by default from W itself.

    From the nearest donor, or, given a generator, from one of the donors at random.
    """
    out, deck = W.copy(), W if deck is None else deck
    for block, rows, donors in found:
        choice = 0 if random_state is None else random_state.integers(donors.shape[1], size=len(rows))
        out[rows, block.start:block.stop] = deck[donors[np.arange(len(rows)), choice], block.start:block.stop]
    return out


def complete(W, deck):
    """Rows W (m, q) of the columns of a table filled from a deck of its rows, which may hold a target's behind them."""
    padded = np.pad(W, ((0, 0), (0, deck.rows.shape[1] - W.shape[1])), constant_values=np.nan)
    return deck.complete(padded)[:, :W.shape[1]]


def without_indicators(W, blocks):
    """W with the code of every indicator at its mean, zero, for what is to know the values only.

    The gaps of a row are drawn when its values have been: they are no part of where it starts, and if they fell in
    an embedding, rows would be near for what they lack. A table that has nothing but gaps keeps them.
    """
    gaps = [np.arange(block.start, block.stop) for block in blocks if block.kind == "gap"]
    if not gaps or len(gaps) == len(blocks):
        return W
    W = W.copy()
    W[:, np.concatenate(gaps)] = 0.0
    return W
