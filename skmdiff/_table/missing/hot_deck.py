"""Missing cells of an encoded table filled in, for whatever works on W: manifold, source, denoiser.

A missing block takes the block of a donor (hot deck): a row where it is observed, one of the N_DONORS nearest in

    ( prediction of the block / its residual standard deviation,  all other columns / sqrt(their number) ).

Where donors are equally near, a random number of each row, compared with that of the row that lacks the block, decides
which come first. The prediction is linear, by ridge regression over the donors: predictive mean matching (Little 1988,
"Missing-data adjustments in large surveys"), with the nearness in all columns for what is not linear. Blocks are filled
in turn, ROUNDS times, from a start at random, each given the others as they are filled by then (a Gibbs sampler, as in
van Buuren & Groothuis-Oudshoorn 2011, "mice"): rows that lack most of their cells then do not all get the same donors.
If cells are missing at random given the other columns, so that rows that have a cell and rows that lack it are alike
where the other columns are, the fillers have about the distribution of the cells. With weights the donors are chosen
once more, by weight, among the nearest ones.
"""

from __future__ import annotations

import numpy as np

from ..._numerics.neighbors import in_blocks, nearest
from ..columns import Block

Donors = list[tuple[Block, np.ndarray, np.ndarray]]  # a block, the rows (m,) that lack it, their donors (m, N_DONORS)

N_DONORS = 5
N_COMPLETIONS = 16
MAX_DONORS = 5000
RIDGE = 1e-3
TIE = 1e-3  # how far apart, at most, random numbers put equally near donors
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
        W with every missing cell filled.
    found : list
        The donors of the rows of W, for `fill`.
    """

    def __init__(self, W: np.ndarray, blocks: list[Block], seed: int, weight: np.ndarray | None = None) -> None:
        self.rows, self.blocks, self.seed, self.weight = W, blocks, seed, weight
        random_state = np.random.default_rng(seed)
        self.tie_breaker = random_state.random(len(W))
        self.filled = fill(
            W,
            [
                (block, rows, random_state.choice(self._candidates(block), (len(rows), 1)))
                for block, rows in missing_blocks(W, blocks)
            ],
        )
        for _ in range(ROUNDS):
            self.found: Donors = []
            for block, rows in missing_blocks(W, blocks):
                donors = self._nearest_donors(block, self.filled[rows], random_state.random(len(rows)))
                self.found.append((block, rows, donors))
                self.filled = fill(self.filled, self.found[-1:], random_state, W)
        self.examples = random_state.integers(len(W), size=N_COMPLETIONS)

    def complete(self, W: np.ndarray) -> np.ndarray:
        """W (m, p) with its missing blocks from their nearest donors; a row's do not depend on the other rows."""
        return self._complete(W, 0.0, 0, 0.5)

    def completions(self, W: np.ndarray) -> list[np.ndarray]:
        """N_COMPLETIONS completions of W, each from another start and other donors: draws of missing given observed."""
        starts = [(self.filled[row], self.tie_breaker[row]) for row in self.examples]
        return [self._complete(W, start, k % N_DONORS, tie_breaker) for k, (start, tie_breaker) in enumerate(starts)]

    def _complete(self, W: np.ndarray, start: float | np.ndarray, first: int, tie_breaker: float) -> np.ndarray:
        """W from a start for its missing cells, each from the donor that comes after the `first` nearest ones."""
        filled = np.where(np.isnan(W), start, W)
        for _ in range(ROUNDS):
            for block, rows in missing_blocks(W, self.blocks):
                donors = self._nearest_donors(block, filled[rows], np.full(len(rows), tie_breaker))
                donors = np.roll(donors, -first, axis=1)
                filled = fill(filled, [(block, rows, donors)], deck=self.rows)
        return filled

    def _candidates(self, block: Block) -> np.ndarray:
        """The rows that may lend a block."""
        observed = np.flatnonzero(~np.isnan(self.rows[:, block.start]))
        if len(observed) <= MAX_DONORS:
            return observed
        return np.sort(np.random.default_rng(self.seed).permutation(observed)[:MAX_DONORS])

    def _nearest_donors(self, block: Block, rows: np.ndarray, tie_breakers: np.ndarray) -> np.ndarray:
        """Donors (m, N_DONORS) of a block for filled rows (m, p), near to far; the nearest tie breaker decides ties."""
        candidates = self._candidates(block)
        others = np.setdiff1d(np.arange(rows.shape[1]), np.arange(block.start, block.stop))
        lent = self.filled[candidates][:, others]
        weights = nearness(lent, self.rows[candidates, block.start : block.stop])

        def space(X: np.ndarray, tie_breakers: np.ndarray) -> np.ndarray:
            return np.column_stack([in_blocks(lambda X: X @ weights, X, np.zeros(len(others))), TIE * tie_breakers])

        of_donors, of_rows = space(lent, self.tie_breaker[candidates]), space(rows[:, others], tie_breakers)
        donors = candidates[nearest(of_donors, of_rows, min(N_DONORS, len(candidates)))[1]]
        return donors if self.weight is None else by_weight(donors, self.weight[donors], tie_breakers)


def by_weight(donors: np.ndarray, weight: np.ndarray, u: np.ndarray) -> np.ndarray:
    """As many of the donors (m, k) of each row, by weight (m, k): systematic sampling from the fraction u (m,) on."""
    ends, k = np.cumsum(weight, axis=1), donors.shape[1]
    mass = (u[:, None] + np.arange(k) / k) % 1 * ends[:, -1:]
    return np.take_along_axis(donors, (mass[:, :, None] >= ends[:, None, :-1]).sum(axis=2), axis=1)


def missing_blocks(W: np.ndarray, blocks: list[Block]) -> list[tuple[Block, np.ndarray]]:
    """Pairs of a block that is missing in some rows and these rows."""
    pairs = [(block, np.flatnonzero(np.isnan(W[:, block.start]))) for block in blocks]
    return [(block, rows) for block, rows in pairs if len(rows)]


def nearness(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Weights (q, k + q) from other columns to the space of nearness, by donors' X (n, q) and their cells Y (n, k)."""
    slopes = np.linalg.solve(X.T @ X + RIDGE * len(X) * np.eye(X.shape[1]), X.T @ Y)
    scatter = np.sqrt(np.mean((Y - X @ slopes) ** 2)) + RIDGE
    return np.hstack([slopes / scatter, np.eye(X.shape[1]) / np.sqrt(max(1, X.shape[1]))])


def fill(
    W: np.ndarray,
    found: Donors,
    random_state: np.random.Generator | None = None,
    deck: np.ndarray | None = None,
) -> np.ndarray:
    """W (m, p) with its missing blocks taken from the deck, by default from W itself.

    From the nearest donor, or, given a generator, from one of the donors at random.
    """
    out = W.copy()
    lent = W if deck is None else deck
    for block, rows, donors in found:
        choice = 0 if random_state is None else random_state.integers(donors.shape[1], size=len(rows))
        out[rows, block.start : block.stop] = lent[donors[np.arange(len(rows)), choice], block.start : block.stop]
    return out


def with_unknown_target(W: np.ndarray, width: int) -> np.ndarray:
    """Rows W (m, q) of the columns of a table as such of a width that may hold the code of a target behind them."""
    return np.pad(W, ((0, 0), (0, width - W.shape[1])), constant_values=np.nan)
