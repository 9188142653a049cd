"""Gaps of an encoded table filled in, for whatever works on W: manifold, source, denoiser.

A missing block takes the block of a donor (hot deck): a row where it is observed, one of the N_DONORS nearest in

    ( prediction of the block / its residual standard deviation,  all other columns / sqrt(their number) ),

of equally near ones those that a drawn number makes nearest. The prediction is linear, by ridge regression over the
donors: predictive mean matching (Little 1988, "Missing-data adjustments in large surveys"), with the nearness in all
columns for what is not linear. Blocks are filled in turn, ROUNDS times, from a start at random, each given the others
as they are filled by then (a Gibbs sampler, as in van Buuren & Groothuis-Oudshoorn 2011, "mice"): rows that lack most
of their cells then do not all get the same donors. If cells are missing at random given the other columns, so that
donors and gaps with the same other columns are alike, the fillers have about the distribution of the cells. With
weights the donors are drawn anew by weight among the nearest ones.
"""

import numpy as np

from ..._numerics.neighbors import in_blocks, nearest

N_DONORS = 5
N_COMPLETIONS = 16
MAX_DONORS = 5000
RIDGE = 1e-3
TIE = 1e-3  # how far apart, at most, a drawn number puts equally near donors
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
    weight : ndarray of shape (n,) or None
        Weights of the rows; None for all alike.

    Attributes
    ----------
    filled : ndarray of shape (n, p)
        W with every gap filled.
    found : list
        The donors of the rows of W, for `fill`.
    """

    def __init__(self, W, blocks, seed, weight=None):
        self.rows, self.blocks, self.seed, self.weight = W, blocks, seed, weight
        random_state = np.random.default_rng(seed)
        self.ticket = random_state.random(len(W))
        self.filled = fill(
            W,
            [
                (block, rows, random_state.choice(self._candidates(block), (len(rows), 1)))
                for block, rows in missing_blocks(W, blocks)
            ],
        )
        for _ in range(ROUNDS):
            self.found = []
            for block, rows in missing_blocks(W, blocks):
                donors = self._nearest_donors(block, self.filled[rows], random_state.random(len(rows)))
                self.found.append((block, rows, donors))
                self.filled = fill(self.filled, self.found[-1:], random_state, W)
        self.examples = random_state.integers(len(W), size=N_COMPLETIONS)

    def complete(self, W):
        """W (m, p) with its missing blocks from their nearest donors; a row's do not depend on the other rows."""
        return self._complete(W, 0.0, 0, 0.5)

    def completions(self, W):
        """N_COMPLETIONS completions of W, each from another start and other donors: draws of missing given observed."""
        return [
            self._complete(W, self.filled[row], k % N_DONORS, self.ticket[row]) for k, row in enumerate(self.examples)
        ]

    def _complete(self, W, start, place, ticket):
        filled = np.where(np.isnan(W), start, W)
        for _ in range(ROUNDS):
            for block, rows in missing_blocks(W, self.blocks):
                donors = self._nearest_donors(block, filled[rows], np.full(len(rows), ticket))
                donors = np.roll(donors, -place, axis=1)
                filled = fill(filled, [(block, rows, donors)], deck=self.rows)
        return filled

    def _candidates(self, block):
        """The rows that may lend a block."""
        observed = np.flatnonzero(~np.isnan(self.rows[:, block.start]))
        if len(observed) <= MAX_DONORS:
            return observed
        return np.sort(np.random.default_rng(self.seed).permutation(observed)[:MAX_DONORS])

    def _nearest_donors(self, block, rows, tickets):
        """Donors (m, N_DONORS) of a block for filled rows (m, p), near to far; the nearest ticket decides ties."""
        candidates = self._candidates(block)
        others = np.setdiff1d(np.arange(rows.shape[1]), np.arange(block.start, block.stop))
        lent = self.filled[candidates][:, others]
        weights = nearness(lent, self.rows[candidates, block.start : block.stop])
        spaces = [
            np.column_stack([in_blocks(lambda X: X @ weights, X, np.zeros(len(others))), TIE * ticket])
            for X, ticket in ((lent, self.ticket[candidates]), (rows[:, others], tickets))
        ]
        donors = candidates[nearest(*spaces, min(N_DONORS, len(candidates)))[1]]
        return donors if self.weight is None else by_weight(donors, self.weight[donors], tickets)


def by_weight(donors, weight, u):
    """As many donors (m, k) drawn of each row's own by weight (m, k), systematically, from the share u (m,) on."""
    ends, k = np.cumsum(weight, axis=1), donors.shape[1]
    mass = (u[:, None] + np.arange(k) / k) % 1 * ends[:, -1:]
    return np.take_along_axis(donors, (mass[:, :, None] >= ends[:, None, :-1]).sum(axis=2), axis=1)


def missing_blocks(W, blocks):
    """Pairs of a block with gaps and the rows that lack it."""
    pairs = [(block, np.flatnonzero(np.isnan(W[:, block.start]))) for block in blocks]
    return [(block, rows) for block, rows in pairs if len(rows)]


def nearness(X, Y):
    """Weights (q, k + q) from other columns to the space of nearness, by donors' X (n, q) and their cells Y (n, k)."""
    slopes = np.linalg.solve(X.T @ X + RIDGE * len(X) * np.eye(X.shape[1]), X.T @ Y)
    scatter = np.sqrt(np.mean((Y - X @ slopes) ** 2)) + RIDGE
    return np.hstack([slopes / scatter, np.eye(X.shape[1]) / np.sqrt(max(1, X.shape[1]))])


def fill(W, found, random_state=None, deck=None):
    """W (m, p) with its missing blocks taken from the deck, by default from W itself.

    From the nearest donor, or, given a generator, from one of the donors at random.
    """
    out, deck = W.copy(), W if deck is None else deck
    for block, rows, donors in found:
        choice = 0 if random_state is None else random_state.integers(donors.shape[1], size=len(rows))
        out[rows, block.start : block.stop] = deck[donors[np.arange(len(rows)), choice], block.start : block.stop]
    return out


def with_unknown_target(W, width):
    """Rows W (m, q) of the columns of a table as such of a width that may hold the code of a target behind them."""
    return np.pad(W, ((0, 0), (0, width - W.shape[1])), constant_values=np.nan)
