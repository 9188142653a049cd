"""Which cells are missing, given the values: p(gaps | x), the other half of the law of a table with gaps.

The denoiser learns the law p(x) of the table *filled in* (`_missing.py`), and a chain of boosted trees the gaps given
the filled row, one indicator after the other: a selection model. Whatever law the fillers have, what is left after
the cells marked missing are blanked has the law of the table with its gaps, p(observed cells, gaps).

Gaps are not one more column of the diffusion, for two reasons that were measured (4000 rows, missing at random). A
network that is told which values are unknown learns to read the gaps off that, and then never draws one; and gaps
that are noised with the rest are decided while the values they depend on are still blurred, which took a seventh of
the dependence away. As targets of the same network at small levels they did better, but where they are noise the
network learns them by heart, and stops early for it. Trees see thresholds, and few of them learn little noise.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.ensemble import HistGradientBoostingClassifier

TREES = dict(max_iter=50, learning_rate=0.2, max_leaf_nodes=8, early_stopping=False)


class GapModel:
    """p(gaps | x) of encoded rows.

    Parameters
    ----------
    W : ndarray of shape (n, p)
        Encoded rows, filled in.
    gaps : ndarray of shape (n, n_gaps) of bool
        The indicators of the rows.
    blocks : list of Block
    seed : int
        Chooses the rows by which the trees bin large tables.
    weight : ndarray of shape (n,) or None
        Weights of the rows; None for all alike.
    """

    def __init__(self, W, gaps, blocks, seed, weight=None):
        self.blocks, self.chain = blocks, []
        is_level = [is_level for block in blocks for is_level in _is_level(block)]
        X = features(W, blocks)
        for k in range(gaps.shape[1]):
            trees = HistGradientBoostingClassifier(
                **TREES, categorical_features=[*is_level, *[False] * k], random_state=seed % 2**32)
            self.chain.append(trees.fit(np.hstack([X, gaps[:, :k]]), gaps[:, k], sample_weight=weight))

    def draw(self, W, uniforms):
        """Indicators (m, n_gaps) of bool of rows W (m, p), from uniform numbers (m, n_gaps)."""
        X = features(W, self.blocks)
        for trees, u in zip(self.chain, uniforms.T, strict=True):
            X = np.column_stack([X, u < trees.predict_proba(X)[:, 1]])
        return X[:, X.shape[1] - len(self.chain):].astype(bool)

    def log_probability(self, W, gaps):
        """(m,) log p(gaps | row) of rows W (m, p) with the indicators (m, n_gaps)."""
        X, total = features(W, self.blocks), np.zeros(len(W))
        if not len(W):
            return total
        for trees, missing in zip(self.chain, gaps.T, strict=True):
            probability = trees.predict_proba(X)[np.arange(len(W)), missing.astype(int)]
            total += np.log(np.maximum(probability, np.finfo(float).tiny))
            X = np.column_stack([X, missing])
        return total

    def log_probability_given_seen(self, W, gaps, deck):
        """(m,) log p(gaps | observed cells) of rows W (m, p), NaN where a value is missing: a mean over completions."""
        out, open_rows = np.empty(len(W)), np.isnan(W).any(axis=1)
        out[~open_rows] = self.log_probability(W[~open_rows], gaps[~open_rows])
        if open_rows.any():
            values = [self.log_probability(filled, gaps[open_rows]) for filled in deck.completions(W[open_rows])]
            out[open_rows] = logsumexp(values, axis=0) - np.log(len(values))
        return out


def features(W, blocks):
    """What the trees see of rows W (m, p): numbers, the place of a level, and the code where there are many."""
    parts = [W[:, block.start:block.stop] for block in blocks]
    return np.hstack([part.argmax(axis=1)[:, None] if _is_level(block) == [True] else part
                      for part, block in zip(parts, blocks, strict=True)])


def _is_level(block):
    """Of every feature of a block whether it is the place of a level: so for one-hot codes."""
    if block.codes is not None and block.codes.shape[0] == block.codes.shape[1]:
        return [True]
    return [False] * (block.stop - block.start)
