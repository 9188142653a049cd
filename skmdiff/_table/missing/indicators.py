"""Which cells are missing, given the values: p(missing indicators | x).

The denoiser learns the distribution p(x) of the table *filled in* (`hot_deck.py`), the model here the missing
indicators of a filled row: a selection model (Little & Rubin 2019, "Statistical analysis with missing data",
chapter 15). Samples whose cells are blanked by it have the distribution p(observed cells, missing indicators) of the
table, whatever distribution the fillers have.

The indicators m of a row follow the chain rule, p(m | x) = prod_k p(m_k | x, m_1, ..., m_k-1). One boosted classifier
(Friedman 2001, "Greedy function approximation") has all factors: its samples are the cells of the table, not the rows,
and its features are x, k, and the indicators before the kth. Splits that leave k alone learn what cells depend on from
all columns together, where each of them has too few missing cells to tell; splits on k learn what only some have.
The trees of this classifier are added to trees of each indicator, grown on its cells alone, which are quicker to learn
what other columns contradict. Rows held out (cross-validation) choose how many trees there are of either, none among
the choices, and give each a factor: a logistic regression on the log odds that they add (stacking, Wolpert 1992,
"Stacked generalization"), so that what does not help in rows not seen is left out. A term of each indicator makes its
mean probability in held-out rows its rate (Platt 1999, "Probabilistic outputs for support vector machines").

Missing indicators are not columns of the diffusion. A network that is told which values are unknown reads the
indicators off that; and indicators that are noised with the rest are decided while the values they depend on are
still blurred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit, logsumexp
from sklearn.ensemble import HistGradientBoostingClassifier as Trees

from ..columns import Block
from .hot_deck import HotDeck

Indices = Sequence[int] | np.ndarray

N_TREES = (0, 4, 8, 16, 32, 64)
POOLED_LEAVES, N_LEAVES = 4, (2, 8)
MAX_FACTOR = 3.0
N_FOLDS = 3
LEAST_ROWS, CHOICE_SIZE, FIT_SIZE = 200, 4_000_000, 40_000_000  # features of all cells, as many rows as give that
MAX_INDICATORS = 10  # by which the settings are chosen
MAX_CATEGORIES = 255  # of a feature of scikit-learn's trees
N_CHAINS = 8  # made for each one that is used, where some cells are known to be observed
MAX_TERM, N_BISECTIONS = 30.0, 40


@dataclass(frozen=True)
class FilledRows:
    """Rows with their missing indicators.

    X : (n, q) features of the filled rows, see `features`
    missing : (n, n_indicators) of bool
    weight : (n,)
    is_category : of each feature whether it is the index of a category
    """

    X: np.ndarray
    missing: np.ndarray
    weight: np.ndarray
    is_category: list[bool]

    def some(self, index: np.ndarray) -> FilledRows:
        """The rows of an index or a mask."""
        return FilledRows(self.X[index], self.missing[index], self.weight[index], self.is_category)

    def at_most(self, size: int, random_state: np.random.Generator) -> FilledRows:
        """As many random rows as have `size` features of cells in all."""
        n_indicators = self.missing.shape[1]
        n_rows = max(LEAST_ROWS, size // (n_indicators * (self.X.shape[1] + n_indicators)))
        return self.some(random_state.permutation(len(self.X))[:n_rows])

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean over rows, by weight, of values (n, ...)."""
        return np.average(values, axis=0, weights=self.weight)


@dataclass(frozen=True)
class Settings:
    """Trees of a number of leaves, grown on the cells of all indicators, or of each alone."""

    pooled: bool
    n_leaves: int
    n_trees: int


@dataclass(frozen=True)
class Choice:
    """The trees for all indicators and those of each, and the factors of the log odds that they add."""

    settings: tuple[Settings, Settings]
    factors: np.ndarray


class MissingnessModel:
    """p(missing indicators | x) of encoded rows.

    Parameters
    ----------
    W : ndarray of shape (n, p)
        Encoded rows, filled in.
    missing : ndarray of shape (n, n_indicators) of bool
        The missing indicators of the rows.
    blocks : list of Block
    seed : int
        Chooses the folds, and the rows of a large table that are learnt from.
    weight : ndarray of shape (n,) or None
        Weights of the rows; None for all alike.

    Attributes
    ----------
    choice : Choice
    terms : ndarray of shape (n_indicators,)
        Added to the log odds of the trees, for the rates.
    trees : list of list of HistGradientBoostingClassifier or None
        The trees for all and those of each, for every indicator; None where it has none.
    """

    def __init__(
        self, W: np.ndarray, missing: np.ndarray, blocks: list[Block], seed: int, weight: np.ndarray | None = None
    ) -> None:
        weight = np.ones(len(W)) if weight is None else weight
        is_category = [is_index for block in blocks for is_index in _is_index(block)]
        rows = FilledRows(features(W, blocks), missing, weight, is_category).some(weight > 0)
        self.blocks, random_state, indicators = blocks, np.random.default_rng(seed), range(missing.shape[1])
        some, most = rows.at_most(CHOICE_SIZE, random_state), rows.at_most(FIT_SIZE, random_state)
        fold = random_state.permutation(len(some.X)) % N_FOLDS
        self.choice = choose(some, fold, random_state.permutation(indicators)[:MAX_INDICATORS])
        parts = [held_out_log_odds(some, settings, fold, indicators)[-1] for settings in self.choice.settings]
        self.terms = terms_of_rates(np.tensordot(self.choice.factors, parts, axes=1), rates_of(rows), some)
        self.trees = [grow(most, settings, indicators) for settings in self.choice.settings]

    def draw(self, W: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Indicators (m, n_indicators) of bool of rows W (m, p), from uniform numbers (m, n_indicators)."""
        return self._draw(features(W, self.blocks), uniforms, np.zeros(uniforms.shape, dtype=bool))[0]

    def draw_given(self, W: np.ndarray, uniforms: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """The same, given that some are False, `seen` (m, n_indicators) of bool: one of several chains, by importance.

        Of chains in which these are set to False, each weighted by the probability of that, one is chosen (Rubin 1988,
        "Using the SIR algorithm"): it has about the distribution of the others given these.

        uniforms : (m, N_CHAINS * n_indicators + 1)
        """
        X, choice = features(W, self.blocks), uniforms[:, -1]
        chains = [self._draw(X, u, seen) for u in np.split(uniforms[:, :-1], N_CHAINS, axis=1)]
        log_weight = np.stack([value for _, value in chains], axis=1)
        ends = np.cumsum(np.exp(log_weight - log_weight.max(axis=1, keepdims=True)), axis=1)
        chosen = (choice[:, None] * ends[:, -1:] >= ends).sum(axis=1)
        return np.stack([missing for missing, _ in chains])[np.minimum(chosen, N_CHAINS - 1), np.arange(len(W))]

    def _draw(self, X: np.ndarray, uniforms: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indicators of rows with the features X (m, q), False where `seen`, and the log-probability of that (m,)."""
        missing, log_probability = np.zeros(seen.shape, dtype=bool), np.zeros(len(X))
        for k, u in enumerate(uniforms.T):
            log_odds = self._log_odds(X, missing, k)
            missing[:, k] = (u < expit(log_odds)) & ~seen[:, k]
            log_probability -= np.where(seen[:, k], np.logaddexp(0.0, log_odds), 0.0)
        return missing, log_probability

    def log_probability(self, W: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """(m,) log p(indicators | row) of rows W (m, p) with the indicators (m, n_indicators)."""
        X = features(W, self.blocks)
        log_odds = [self._log_odds(X, missing, k) for k in range(missing.shape[1])]
        return -loss(np.stack(log_odds, axis=1), missing).sum(axis=1)

    def _log_odds(self, X: np.ndarray, missing: np.ndarray, k: int) -> np.ndarray:
        """(m,) of indicator k given the features X (m, q) and the indicators before it."""
        out, X = np.full(len(X), self.terms[k]), cell_features(X, missing, k)
        for factor, of_indicators in zip(self.choice.factors, self.trees, strict=True):
            trees = of_indicators[k]
            if trees is not None and len(X):
                out += factor * trees.decision_function(X)
        return out

    def log_probability_given_seen(self, W: np.ndarray, missing: np.ndarray, deck: HotDeck) -> np.ndarray:
        """(m,) log p(indicators | observed cells) of rows W (m, p), NaN where a value is missing.

        That of the mean probability over completions of the row.
        """
        out, incomplete = np.empty(len(W)), np.isnan(W).any(axis=1)
        out[~incomplete] = self.log_probability(W[~incomplete], missing[~incomplete])
        if incomplete.any():
            completions = deck.completions(W[incomplete])
            values = [self.log_probability(filled, missing[incomplete]) for filled in completions]
            out[incomplete] = logsumexp(values, axis=0) - np.log(len(values))
        return out


def choose(rows: FilledRows, fold: np.ndarray, indicators: Indices) -> Choice:
    """The trees by which some indicators of held-out rows are most probable."""
    pooled = held_out_stages(rows, True, POOLED_LEAVES, fold, indicators)
    alone = [held_out_stages(rows, False, n_leaves, fold, indicators) for n_leaves in N_LEAVES]
    tried = []
    for (for_all, common), (of_each, single) in product(pooled, chain(*alone)):
        factors, value = calibrate(np.stack([common, single]), rows.missing[:, indicators], rows.weight)
        tried.append((value, Choice((for_all, of_each), factors)))
    return min(tried, key=lambda pair: pair[0])[1]


def calibrate(parts: np.ndarray, missing: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Factors (n_parts,) by which parts (n_parts, n, n_indicators) of log odds fit best, and the loss a row.

    A term of each indicator is fitted along.
    """
    mass = weight[:, None] / weight.sum()

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = np.tensordot(values[: len(parts)], parts, axes=1) + values[len(parts) :]
        slope = mass * (expit(log_odds) - missing)
        of_factors = (parts * slope).sum(axis=(1, 2))
        return (mass * loss(log_odds, missing)).sum(), np.concatenate([of_factors, slope.sum(axis=0)])

    start = np.concatenate([np.full(len(parts), 0.5), logit(np.clip(mass.T[0] @ missing, 1e-6, 1 - 1e-6))])
    bounds = [(0.0, MAX_FACTOR)] * len(parts) + [(-MAX_TERM, MAX_TERM)] * missing.shape[1]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[: len(parts)], found.fun


def held_out_stages(
    rows: FilledRows, pooled: bool, n_leaves: int, fold: np.ndarray, indicators: Indices
) -> list[tuple[Settings, np.ndarray]]:
    """Settings for each of N_TREES, with the log odds (n, len(indicators)) of held-out rows."""
    log_odds = held_out_log_odds(rows, Settings(pooled, n_leaves, N_TREES[-1]), fold, indicators)
    return [(Settings(pooled, n_leaves, n_trees), log_odds[n_trees]) for n_trees in N_TREES]


def held_out_log_odds(rows: FilledRows, settings: Settings, fold: np.ndarray, indicators: Indices) -> np.ndarray:
    """By the first 0, 1, ..., n_trees trees grown on the other folds, (n_trees + 1, n, len(indicators))."""
    out = np.zeros((settings.n_trees + 1, len(rows.X), len(indicators)))
    for held_out in np.unique(fold):
        tested = np.flatnonzero(fold == held_out)
        grown = grow(rows.some(fold != held_out), settings, indicators)
        for j, (k, trees) in enumerate(zip(indicators, grown, strict=True)):
            if trees is not None:
                X = cell_features(rows.X[tested], rows.missing[tested], k)
                for n_trees, log_odds in enumerate(trees.staged_decision_function(X), 1):
                    out[n_trees, tested, j] = log_odds.ravel()
    return out


def grow(rows: FilledRows, settings: Settings, indicators: Indices) -> list[Trees | None]:
    """The trees of some indicators."""
    if settings.pooled:
        return [fit_trees(rows, settings, range(rows.missing.shape[1]))] * len(indicators)
    return [fit_trees(rows, settings, [k]) for k in indicators]


def fit_trees(rows: FilledRows, settings: Settings, indicators: Indices) -> Trees | None:
    """Trees grown on the cells of some indicators; None for none, or where nothing or everything is missing."""
    n_indicators, missing = rows.missing.shape[1], np.concatenate([rows.missing[:, k] for k in indicators])
    if not settings.n_trees or missing.all() or not missing.any():
        return None
    trees = Trees(
        learning_rate=0.1,
        max_iter=settings.n_trees,
        max_leaf_nodes=settings.n_leaves,
        early_stopping=False,
        random_state=0,
        categorical_features=[*rows.is_category, n_indicators <= MAX_CATEGORIES, *[False] * (n_indicators - 1)],
    )
    X = np.concatenate([cell_features(rows.X, rows.missing, k) for k in indicators])
    weight = np.tile(rows.weight, len(indicators)) if np.ptp(rows.weight) else None  # binning by weight is slow
    return trees.fit(X, missing, sample_weight=weight)


def cell_features(X: np.ndarray, missing: np.ndarray, k: int) -> np.ndarray:
    """What the trees see of cells k of rows with features X (m, q): these, k, and the indicators before it."""
    before = missing[:, :-1] & (np.arange(missing.shape[1] - 1) < k)
    return np.hstack([X, np.full((len(X), 1), k), before])


def rates_of(rows: FilledRows) -> np.ndarray:
    """(n_indicators,) by weight; of half a row where nothing or everything is missing."""
    least = 0.5 / len(rows.X)
    return np.clip(rows.mean(rows.missing), least, 1 - least)


def terms_of_rates(log_odds: np.ndarray, rates: np.ndarray, rows: FilledRows) -> np.ndarray:
    """Terms (n_indicators,) by which rates are the mean probabilities over rows of log odds (n, n_indicators)."""
    low, high = np.full(len(rates), -MAX_TERM), np.full(len(rates), MAX_TERM)
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        below = rows.mean(expit(log_odds + middle)) < rates
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def loss(log_odds: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """-log p of indicators."""
    return np.logaddexp(0.0, np.where(missing, -log_odds, log_odds))


def features(W: np.ndarray, blocks: list[Block]) -> np.ndarray:
    """What the trees see of rows W (m, p): numbers, the index of a category, and the code where there are many."""
    parts = [W[:, block.start : block.stop] for block in blocks]
    return np.hstack(
        [
            part.argmax(axis=1)[:, None] if _is_index(block) == [True] else part
            for part, block in zip(parts, blocks, strict=True)
        ]
    )


def _is_index(block: Block) -> list[bool]:
    """Of every feature of a block whether it is the index of a category: so for one-hot codes."""
    if block.codes is not None and block.codes.shape[0] == block.codes.shape[1]:
        return [True]
    return [False] * (block.stop - block.start)
