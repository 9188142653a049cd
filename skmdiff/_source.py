"""The law on the manifold from which the reverse process starts, and the level it starts at.

A start is a pair of rows (i, j), neighbours in the embedding, and an angle theta. With m the lift of the embedding
to the table and r = x - m the residual of a row,

    x_0 = cos^2(theta) m_i + sin^2(theta) m_j + cos(theta) r_i + sin(theta) r_j:

the place moves along the manifold from one row to the other while the residuals keep their variance, which a
convex combination of the rows would shrink. The process starts at x_0 + sigma_start * eps.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

from ._manifold import neighbor_graph

N_START_DRAWS = 3
N_FOLDS, MAX_SPLIT_ROWS, FRESH_ROWS, START_REPEATS = 5, 10_000, 2000, 2
TOLERANCE = 0.015
MAX_CENTRES = 2000
SMALLEST_START, N_BISECTIONS = 0.1, 6


@dataclass(frozen=True)
class Source:
    """Rows to start from.

    lifted, residuals : (n, p), rows are their sum
    neighbors : (n, k) places of neighbouring rows
    target : (n,) the target of each row, classes by their place; None without one
    is_class : whether the target is a class
    """

    lifted: np.ndarray
    residuals: np.ndarray
    neighbors: np.ndarray
    target: np.ndarray | None = None
    is_class: bool = False


def build_source(W, model, n_neighbors, target=None, is_class=False, rows=None):
    """The source over `rows` (all by default) of the encoded table W with the fitted manifold `model`.

    Columns of W past those of the manifold are the code of a target: a start takes it from one place to the
    other along with the lift, without a residual.
    """
    rows = np.arange(len(W)) if rows is None else rows
    W, lifted = W[rows], model.lifted_[rows]
    lifted = np.hstack([lifted, W[:, lifted.shape[1]:]])
    target = None if target is None else target[rows]
    neighbors = neighbor_graph(model.embedding_[rows], min(n_neighbors, len(rows) - 1), target if is_class else None)
    return Source(lifted, W - lifted, neighbors, target, is_class)


def draw_starts(source, uniforms, wanted=None):
    """Clean starts x_0, (m, p), from uniform numbers (m, N_START_DRAWS); at the wanted targets (m,) where given."""
    u = uniforms[:, 0]
    i = (u * len(source.lifted)).astype(int) if wanted is None else _rows_with_target(source, u, wanted)
    n_neighbors = source.neighbors.shape[1]
    j = source.neighbors[i, (uniforms[:, 1] * n_neighbors).astype(int)]
    theta = uniforms[:, 2, None] * (np.pi / 2)
    cos, sin = np.cos(theta), np.sin(theta)
    place = cos**2 * source.lifted[i] + sin**2 * source.lifted[j]
    return place + cos * source.residuals[i] + sin * source.residuals[j]


def _rows_with_target(source, u, wanted):
    """Rows of the wanted class, or among the rows whose targets are nearest in rank to the wanted number."""
    order = np.argsort(source.target, kind="stable")
    ranked = source.target[order]
    low = np.searchsorted(ranked, wanted, "left")
    high = np.searchsorted(ranked, wanted, "right")
    if not source.is_class:
        reach = max(5, len(order) // 100)
        low, high = np.maximum(low - reach, 0), np.minimum(high + reach, len(order))
    return order[low + (u * (high - low)).astype(int)]


def start_density(source, columns, sigma):
    """Log-density at the level sigma of the starts' `columns`, as a function of rows (m, len(columns)).

    The law of the starts is a mixture over all pairs of neighbours and angles; MAX_CENTRES draws stand for it.
    Without a source it is the noise that plain diffusion starts from.
    """
    if source is None:
        return lambda x: log_kernel_density(x, np.zeros((1, len(columns))), np.sqrt(1 + sigma**2))
    rng = np.random.default_rng(0)
    centres = draw_starts(source, rng.random((MAX_CENTRES, N_START_DRAWS)))[:, columns]
    return lambda x: log_kernel_density(x, centres, sigma)


def log_kernel_density(x, centres, sigma):
    """Log-density at x (m, p) of the mixture of N(centre, sigma^2 I) over centres (n, p)."""
    squared = (x**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * x @ centres.T
    log_norm = 0.5 * x.shape[1] * np.log(2 * np.pi * sigma**2) + np.log(len(centres))
    return logsumexp(-np.maximum(squared, 0) / (2 * sigma**2), axis=1) - log_norm


def recognition(started, fresh, rows, sigma, rng):
    """AUC of telling starts (m, p) at the level sigma from fresh rows (m, p) noised alike; 0.5 is not recognised.

    The test statistic is the density of the noised training rows, the kernel density estimate of bandwidth
    sigma: it is the law of a start that copies its row, so no test sees copies better.
    """
    scores = [log_kernel_density(x + sigma * rng.standard_normal(x.shape), rows, sigma) for x in (started, fresh)]
    return roc_auc_score(np.repeat([1, 0], [len(started), len(fresh)]), np.concatenate(scores))


def choose_sigma_start(W, model, n_neighbors, target, is_class, sigma_max, rng):
    """The smallest level at which starts are no longer recognised as coming from the rows they started from.

    The rows are split into rows to start from and fresh ones, N_FOLDS ways. The recognition, averaged over them,
    falls with the level and is brought by bisection to 0.5 + TOLERANCE + two standard errors of the AUC of
    n rows against n others by chance, 1 / sqrt(6 n). sigma_max where even that is recognised, or the rows are too
    few for a test.
    """
    if len(W) < 2 * N_FOLDS:
        return float(sigma_max)
    tolerance = TOLERANCE + 2 / np.sqrt(6 * len(W))
    build = partial(build_source, W, model, n_neighbors, target, is_class)
    splits = [_recognition_split(W, build, *split, rng) for split in _splits(len(W), rng)]
    seed = rng.integers(2**63)

    def excess(log_sigma):
        noise = np.random.default_rng(seed)
        aucs = [recognition(*split, np.exp(log_sigma), noise) for split in splits]
        return np.mean(aucs) - 0.5 - tolerance

    low, high = np.log(SMALLEST_START), np.log(sigma_max)
    if excess(high) > 0:
        return float(sigma_max)
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return float(np.exp(high))


def _splits(n_rows, rng):
    """Pairs of index arrays, rows to start from and fresh ones: folds of at most MAX_SPLIT_ROWS random rows.

    Over the folds every row is fresh once and a row to start from otherwise, so that what makes some rows
    easier to recognise than others cancels.
    """
    order = rng.permutation(n_rows)[:MAX_SPLIT_ROWS]
    folds = np.array_split(order, min(N_FOLDS, len(order)))
    for k, fold in enumerate(folds):
        yield np.concatenate(folds[:k] + folds[k + 1:]), fold[: FRESH_ROWS // N_FOLDS]


def _recognition_split(W, build, rows, fresh, rng):
    """Starts, fresh rows and the rows started from, of one split."""
    source = build(rows=rows)
    return draw_starts(source, rng.random((START_REPEATS * len(fresh), N_START_DRAWS))), W[fresh], W[rows]
