"""The distribution on the manifold from which the reverse process starts, and the level it starts at.

A start takes a row i and its k nearest rows in the embedding. With c the mean of these k + 1 rows x_j, d_j = x_j - c
and e_j independent standard normals,

    x_0 = c + sqrt(1 - a^2) d_i + a sum_j e_j d_j / sqrt(k),

one step of an Ornstein-Uhlenbeck process whose stationary distribution is the normal distribution of the neighbourhood:
the share a^2 of what tells the row from its neighbours is drawn anew, along the directions in which they differ (the
tangent space of the manifold, and across it as far as the rows scatter), and their spread is kept. a^2 = k / (k + 15):
the more rows the normal distribution rests on, the more is drawn from it; without neighbours a start is its row.
Categories stay those of row i. The process starts at x_0 + sigma_start * eps.

With weights the row i is drawn by weight, and the normal distribution is that of the weighted neighbourhood: with p_j
the share of row j in its weight and s = sum_j p_j^2, c is the weighted mean, sqrt(p_j / (1 - s)) stands in place of 1 /
sqrt(k), and 1 / s - 1, the k of equal rows that say as much, in place of k in a^2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._numerics.neighbors import neighbor_graph
from .._numerics.streams import row_normals
from .._numerics.weights import indices_at, rows_of

PRIOR_NEIGHBORS = 15
MIN_SPLIT_ROWS, N_SPLITS, SPLIT_ROWS, SPLIT_STARTS = 10, 4, 10_000, 1000
LEAK_SCALE, LARGEST_LEAK = 16.0, 0.5
MAX_CENTRES = 2000
MAX_CELLS = 4_000_000  # numbers handled at once
SMALLEST_START, N_BISECTIONS = 0.35, 6


@dataclass(frozen=True)
class Source:
    """Rows to start from.

    rows : (n, p)
    neighborhoods : (n, k + 1) places of each row itself and of its neighbours in the embedding
    is_coded : (p,) of bool, columns that are the code of a category
    target : (n,) the target of each row, classes by their place; None without one
    is_class : whether the target is a class
    target_width : last columns of the rows that are the code of the target
    weight : (n,) weight of each row, 1 on average; None for all alike
    """

    rows: np.ndarray
    neighborhoods: np.ndarray
    is_coded: np.ndarray
    target: np.ndarray | None = None
    is_class: bool = False
    target_width: int = 0
    weight: np.ndarray | None = None

    @property
    def n_draws(self):
        """Uniform numbers that a start takes."""
        return 1 + self.neighborhoods.shape[1]

    @cached_property
    def is_repeat(self):
        """(n, k + 1) of bool, places of a neighbourhood that have been there before; None without any."""
        places = self.neighborhoods
        repeats = np.stack(
            [(places[:, :j] == places[:, j : j + 1]).any(axis=1) for j in range(places.shape[1])], axis=1
        )
        return repeats if repeats.any() else None

    def weights_of(self, i):
        """Weights (m, k + 1) of the neighbourhoods of rows i, 0 of repeated places; None for all alike."""
        if self.weight is None and self.is_repeat is None:
            return None
        weight = np.ones(self.neighborhoods[i].shape) if self.weight is None else self.weight[self.neighborhoods[i]]
        return weight if self.is_repeat is None else np.where(self.is_repeat[i], 0.0, weight)

    def rows_at(self, u):
        """Rows (m,) at shares u (m,) of the weight."""
        if self.weight is None:
            return (u * len(self.rows)).astype(int)
        ends = np.cumsum(self.weight)
        return indices_at(ends, u * ends[-1])


def build_source(W, Z, is_coded, n_neighbors, target=None, is_class=False, target_width=0, weight=None):
    """The source over the rows of the encoded table W (n, p) with the embedding Z (n, k).

    With classes the neighbours of a row are of its own class. Without neighbours a start is its row.
    """
    graph = neighbor_graph(Z, min(n_neighbors, len(W) - 1), target if is_class else None)
    return Source(W, np.column_stack([np.arange(len(W)), graph]), is_coded, target, is_class, target_width, weight)


def draw_starts(source, uniforms, i=None):
    """Clean starts x_0, (m, p), from uniform numbers (m, n_draws); from the rows i (m,), by default by weight."""
    u, e = uniforms[:, 0], row_normals(uniforms[:, 1:])
    i = source.rows_at(u) if i is None else i
    near, weight = source.rows[source.neighborhoods[i]], source.weights_of(i)
    if weight is None:
        centre, n_neighbors = near.mean(axis=1), near.shape[1] - 1
        renewed = n_neighbors / (n_neighbors + PRIOR_NEIGHBORS)
        kept, drawn = 1 - renewed, renewed / max(1, n_neighbors)
    else:
        centre, e, kept, drawn = _by_weight(weight, e, near)
    directions = np.einsum("mk,mkp->mp", e, near) - e.sum(axis=1)[:, None] * centre
    moved = np.sqrt(kept) * (source.rows[i] - centre)
    return np.where(source.is_coded, source.rows[i], centre + moved + np.sqrt(drawn) * directions)


def _by_weight(weight, e, near):
    """Weighted means (m, p) of neighbourhoods (m, k + 1, p), the normals e by weight, 1 - a^2 and a^2 / (1 - s)."""
    share = weight / weight.sum(axis=1, keepdims=True)
    s = (share**2).sum(axis=1, keepdims=True)
    spread = 1 + (PRIOR_NEIGHBORS - 1) * s
    return np.einsum("mk,mkp->mp", share, near), np.sqrt(share) * e, PRIOR_NEIGHBORS * s / spread, 1 / spread


def start_density(source, columns, sigma):
    """Log-density of the starts' `columns` at the level sigma, a function of rows (m, len(columns)) and seen cells.

    sigma is a number or one a column, (len(columns),). The distribution of the starts is a mixture over all rows of
    normal distributions, in closed form; above MAX_CENTRES rows as many drawn by weight stand for them. For a row with
    gaps, whose every pattern would take factors of its own, MAX_CENTRES starts stand for the distribution.
    Without a source it is the noise that plain diffusion starts from.
    """
    if source is None:
        return lambda x, seen=None: log_kernel_density(x, np.zeros((1, len(columns))), np.sqrt(1 + sigma**2), seen)
    rng = np.random.default_rng(0)
    centres = draw_starts(source, rng.random((MAX_CENTRES, source.n_draws)))[:, columns]
    places = np.arange(len(source.rows))
    if len(places) > MAX_CENTRES:
        places = source.rows_at((np.arange(MAX_CENTRES) + rng.random(MAX_CENTRES)) / MAX_CENTRES)
    weight = None if source.weight is None or len(source.rows) > MAX_CENTRES else source.weight
    mixture = normal_distributions(source, places, columns)

    def log_density(x, seen=None):
        gaps = np.zeros(len(x), dtype=bool) if seen is None else ~seen.all(axis=1)
        out = np.empty(len(x))
        out[gaps] = log_kernel_density(x[gaps], centres, sigma, seen[gaps]) if gaps.any() else 0.0
        out[~gaps] = log_mixture_density(x[~gaps], *mixture, sigma, weight)
        return out

    return log_density


def normal_distributions(source, i, columns):
    """The distribution of the starts from the rows i (m,) in `columns`: means (m, p), factors F (m, p, k + 1) of F F^T.

    A column that is the code of a category has the row's own code as its mean, and no spread.
    """
    near = source.rows[:, columns][source.neighborhoods[i]]
    is_coded = source.is_coded[columns]
    weight = source.weights_of(i)
    weight = np.ones(near.shape[:2]) if weight is None else weight
    centre, root, kept, drawn = _by_weight(weight, np.ones(near.shape[:2]), near)
    factors = np.sqrt(drawn)[:, :, None] * root[:, :, None] * (near - centre[:, None])
    means = np.where(is_coded, near[:, 0], centre + np.sqrt(kept) * (near[:, 0] - centre))
    return means, np.where(is_coded[:, None], 0.0, factors.transpose(0, 2, 1))


def start_means(source):
    """(n, p) mean of the starts from each row."""
    columns = np.arange(source.rows.shape[1])
    size = max(1, MAX_CELLS // (columns.size * source.neighborhoods.shape[1]))
    places = np.arange(len(source.rows))
    return np.concatenate([normal_distributions(source, places[k : k + size], columns)[0] for k in places[::size]])


def log_mixture_density(x, means, factors, sigma, weight=None):
    """Log-density at x (m, p) of the mixture of N(mean, F F^T + diag(sigma^2)), means (n, p), F (n, p, k), by weight.

    Scaled by sigma and with F = U diag(s) V^T the covariance is I + U diag(s^2) U^T, so that its determinant is the
    product of 1 + s^2, and its inverse I - U diag(s^2 / (1 + s^2)) U^T.
    """
    sigma = np.broadcast_to(sigma, x.shape[1:])
    x, means = x / sigma, means / sigma
    U, s, _ = np.linalg.svd(factors / sigma[:, None], full_matrices=False)
    along = (U * (s / np.sqrt(1 + s**2))[:, None]).transpose(0, 2, 1)
    log_weight = np.zeros(len(means)) if weight is None else np.log(weight / weight.mean())
    log_weight -= np.log1p(s**2).sum(axis=1) / 2 + np.log(len(means)) + (np.log(2 * np.pi) / 2 + np.log(sigma)).sum()
    size = max(1, MAX_CELLS // along[:, :, 0].size)
    return np.concatenate(
        [
            _log_sum_exp(log_weight - _squares(x[start : start + size], means, along) / 2)
            for start in range(0, len(x), size)
        ]
        or [np.empty(0)]
    )


def _squares(x, means, along):
    """(m, n) squared lengths of x - mean, less those along the directions (n, q, p)."""
    across = (x**2).sum(1)[:, None] - 2 * x @ means.T + (means**2).sum(1)
    within = np.tensordot(x, along, (1, 2)) - np.einsum("nqp,np->nq", along, means)
    return np.maximum(across - (within**2).sum(axis=2), 0)


def log_kernel_density(x, centres, sigma, seen=None, weight=None):
    """Log-density at x (m, p) of the mixture of N(centre, diag(sigma^2)) over centres (n, p); sigma also a number.

    With `seen` (m, p) of bool that of the seen cells of each row, the others integrated out. The centres are mixed by
    weight (n,), or all alike.
    """
    sigma = np.broadcast_to(sigma, x.shape[1:])
    x, centres = x / sigma.astype(x.dtype), centres / sigma.astype(x.dtype)
    x = x if seen is None else x * seen
    exponent = x @ centres.T
    exponent *= 2
    exponent -= (x**2).sum(1)[:, None]
    exponent -= (centres**2).sum(1) if seen is None else seen @ (centres**2).T
    exponent /= 2
    log_norms = 0.5 * np.log(2 * np.pi) + np.log(sigma)
    log_norm = log_norms.sum() if seen is None else seen @ log_norms
    np.minimum(exponent, 0, out=exponent)
    if weight is not None:
        exponent += np.log(weight / weight.mean())
    return _log_sum_exp(exponent) - log_norm - np.log(len(centres))


def _log_sum_exp(a):
    """log(sum(exp(a), axis=1)), in the place of a: three times as fast as SciPy's on large arrays."""
    largest = a.max(axis=1, keepdims=True)
    a -= largest
    return np.log(np.exp(a, out=a).sum(axis=1)) + largest[:, 0]


def leak(starts, rows, others, sigma, rng, weights=(None, None)):
    """How far starts (m, p) at the level sigma give away the rows they were started from: 0 not at all, 1 wholly.

    2 s - 1, with s the share of starts where the noised `rows` are denser than as many noised `others` of the same
    distribution. A start that copies its row has just that density, so no test sees copies better. By symmetry s is 1/2
    for starts that know nothing of `rows` beyond the distribution, however smooth or narrow their own
    distribution is. `weights` are those of
    the rows and of the others.
    """
    x = (starts + sigma * rng.standard_normal(starts.shape)).astype(np.float32)
    own, other = (
        log_kernel_density(x, part.astype(np.float32), sigma, weight=weight)
        for part, weight in zip((rows, others), weights, strict=True)
    )
    return 2 * np.mean((own > other) + 0.5 * (own == other)) - 1


def largest_leak(n_rows):
    """The leak that is allowed at the start: LEAK_SCALE / sqrt(n), at most LARGEST_LEAK.

    Plain diffusion, which starts from noise, gave away about .4 of 800 rows (vowel), .2 of 9000 (pendigits) and .1 of
    16 000 (california) through its denoiser: a start may give away about as much.
    """
    return min(LARGEST_LEAK, LEAK_SCALE / np.sqrt(n_rows))


def choose_sigma_start(source, Z, n_neighbors, sigma_min, sigma_max, rng):
    """The smallest level at which the leak is within `largest_leak`, by bisection; the leak falls with the level.

    From SMALLEST_START, below which what the starts have of their own shows and nothing is gained, or 2 sigma_min.

    The rows are split in halves, N_SPLITS times; starts come from the one, the other is compared with it.
    sigma_max where even that gives away too much, or the rows are too few for a test.
    """
    n_rows = len(source.rows)
    if n_rows < MIN_SPLIT_ROWS:
        return float(sigma_max)
    splits = [_split(source, Z, n_neighbors, rng) for _ in range(N_SPLITS)]
    seed, allowed = rng.integers(2**63), largest_leak(n_rows)

    def leaks(log_sigma):
        noise = np.random.default_rng(seed)
        return np.mean([leak(*split, np.exp(log_sigma), noise, weights) for split, weights in splits]) > allowed

    low, high = np.log(np.clip(SMALLEST_START, 2 * sigma_min, sigma_max)), np.log(sigma_max)
    if leaks(high):
        return float(sigma_max)
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if leaks(middle) else (low, middle)
    return float(np.exp(high))


def _split(source, Z, n_neighbors, rng):
    """Starts, the rows they were started from, and as many others; and the weights of the two."""
    half = min(len(source.rows) // 2, SPLIT_ROWS)
    order = rng.permutation(len(source.rows))
    rows, others = order[:half], order[half : 2 * half]
    part = build_source(
        source.rows[rows],
        Z[rows],
        source.is_coded,
        n_neighbors,
        rows_of(source.target, rows),
        source.is_class,
        weight=rows_of(source.weight, rows),
    )
    starts = draw_starts(part, rng.random((min(half, SPLIT_STARTS), part.n_draws)))
    return (starts, source.rows[rows], source.rows[others]), (part.weight, rows_of(source.weight, others))
