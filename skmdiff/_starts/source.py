"""The distribution on the manifold from which the reverse process starts, and the noise level it starts at.

A start takes a row i and its k nearest rows in the embedding. With c the mean of these k + 1 rows x_j, d_j = x_j - c
and e_j independent standard normals,

    x_0 = c + sqrt(1 - a^2) d_i + a sum_j e_j d_j / sqrt(k),

one step of an Ornstein-Uhlenbeck process whose stationary distribution is the normal distribution of the neighbourhood:
the fraction a^2 of the row's difference from the mean is replaced, along the directions in which neighbours differ (the
tangent space of the manifold, and across it as far as the rows scatter), and their spread is kept. a^2 = k / (k + 15):
the more rows the normal distribution rests on, the more is taken from it; without neighbours a start is its row.
Neighbours are of the class of row i, where the target is a class, and of its component, where a mixture on the manifold
is fitted: small clusters have fewer rows than k, and between two of them there is nothing.
Categories stay those of row i, and a number that is one of the frequent values of its column stays that value: it moves
among the neighbours that have another one, and only where row i does. The process starts at x_0 + sigma_start * eps.

With weights the row i is chosen by weight, and the normal distribution is that of the weighted neighbourhood: with p_j
the fraction of its weight that row j has and s = sum_j p_j^2, c is the weighted mean, sqrt(p_j / (1 - s)) replaces
1 / sqrt(k), and 1 / s - 1, the number k of equal rows that say as much, replaces k in a^2.

The noise level at which the process starts hides which rows the starts come from. It is chosen by a membership test:
how well a start shows that it comes from one half of the rows and not from the other. What such a test gains over
chance is the membership advantage of Yeom, Giacomelli, Fredrikson & Jha 2018, "Privacy risk in machine learning".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._numerics.deadlines import is_over
from .._numerics.neighbors import neighbor_graph
from .._numerics.streams import row_normals
from .._numerics.weights import indices_at, rows_of
from .on_demand import Neighborhoods

PRIOR_NEIGHBORS = 15
MIN_SPLIT_ROWS, N_SPLITS, SPLIT_ROWS, SPLIT_STARTS = 10, 4, 10_000, 1000
MEMORISATION_SCALE, LARGEST_MEMORISATION = 16.0, 0.35
MAX_CENTRES = 2000
DENSITY_ELEMENTS = 4_000_000  # numbers worked on at once
SMALLEST_START, N_BISECTIONS = 0.35, 6


@dataclass(frozen=True)
class Source:
    """Rows to start from.

    rows : (n, p)
    neighborhoods : (n, k + 1) indices of each row itself and of its neighbours in the embedding; or what finds them
    stays : (n, p) of bool, the cells that are no numbers to be moved: the codes of categories, and frequent values
    target : (n,) the target of each row, classes by their index; None without one
    is_class : whether the target is a class
    target_width : last columns of the rows that are the code of the target
    weight : (n,) weight of each row, 1 on average; None for all alike
    component : (n,) the component of each row in a mixture; None without one
    """

    rows: np.ndarray
    neighborhoods: np.ndarray | Neighborhoods
    stays: np.ndarray
    target: np.ndarray | None = None
    is_class: bool = False
    target_width: int = 0
    weight: np.ndarray | None = None
    component: np.ndarray | None = None

    def of_columns(self, columns: np.ndarray) -> Source:
        """The source of some columns, (p,) of bool."""
        return replace(self, rows=self.rows[:, columns], stays=self.stays[:, columns])

    @property
    def n_draws(self) -> int:
        """Uniform numbers that a start takes."""
        return 1 + self.neighborhoods.shape[1]

    @property
    def labels(self) -> np.ndarray | None:
        """(n,) what the rows of a neighbourhood have in common; None for nothing."""
        return labels_of(self.target if self.is_class else None, self.component)

    @cached_property
    def is_repeat(self) -> np.ndarray | None:
        """(n, k + 1) of bool, rows of a neighbourhood that are in it once more before; None without any."""
        near = self.neighborhoods
        if isinstance(near, Neighborhoods):
            return None
        repeats = np.stack([(near[:, :j] == near[:, j : j + 1]).any(axis=1) for j in range(near.shape[1])], axis=1)
        return repeats if repeats.any() else None

    def weights_of(self, i: np.ndarray) -> np.ndarray | None:
        """Weights (m, k + 1) of the neighbourhoods of rows i, 0 for repeats; None for all alike."""
        if self.weight is None and self.is_repeat is None:
            return None
        weight = np.ones(self.neighborhoods[i].shape) if self.weight is None else self.weight[self.neighborhoods[i]]
        return weight if self.is_repeat is None else np.where(self.is_repeat[i], 0.0, weight)

    def neighbors_of(self, i: np.ndarray, columns: Any = slice(None)) -> np.ndarray:
        """(m, k + 1, q) rows of the neighbourhoods of rows i in some columns; those of i where a cell stays."""
        near = self.neighborhoods[i]
        stays = self.stays[:, columns]
        fixed = stays[near] | stays[i][:, None]
        rows = self.rows[:, columns]
        return np.where(fixed, rows[i][:, None], rows[near])

    def rows_at(self, u: np.ndarray) -> np.ndarray:
        """Rows (m,) at fractions u (m,) of the cumulated weight."""
        if self.weight is None:
            return (u * len(self.rows)).astype(int)
        ends = np.cumsum(self.weight)
        return indices_at(ends, u * ends[-1])


def build_source(
    W: np.ndarray,
    Z: np.ndarray,
    stays: np.ndarray,
    n_neighbors: int,
    target: np.ndarray | None = None,
    is_class: bool = False,
    target_width: int = 0,
    weight: np.ndarray | None = None,
    component: np.ndarray | None = None,
    seconds: float = np.inf,
) -> Source:
    """The source over the rows of the encoded table W (n, p) with the embedding Z (n, k); cells (n, p) that stay.

    The neighbours of a row are of its class and its component, where there are any. Without neighbours a start is its
    row. The search for neighbours among many rows is hurried to take about so many seconds.
    """
    labels = labels_of(target if is_class else None, component)
    graph = neighbor_graph(Z, min(n_neighbors, len(W) - 1), labels, seconds=seconds)
    near = np.column_stack([np.arange(len(W)), graph])
    return Source(W, near, stays, target, is_class, target_width, weight, component)


def labels_of(classes: np.ndarray | None, component: np.ndarray | None) -> np.ndarray | None:
    """One label (n,) for each class and component that rows have; None without both."""
    if classes is None or component is None:
        return component if classes is None else classes
    return np.unique(np.column_stack([classes, component]), axis=0, return_inverse=True)[1].ravel()


def draw_starts(source: Source, uniforms: np.ndarray, i: np.ndarray | None = None) -> np.ndarray:
    """Clean starts x_0, (m, p), from uniform numbers (m, n_draws); from the rows i (m,), by default by weight."""
    u, e = uniforms[:, 0], row_normals(uniforms[:, 1:])
    i = source.rows_at(u) if i is None else i
    near, weight = source.neighbors_of(i), source.weights_of(i)
    if weight is None:
        centre, n_neighbors = near.mean(axis=1), near.shape[1] - 1
        renewed = n_neighbors / (n_neighbors + PRIOR_NEIGHBORS)
        kept, drawn = 1 - renewed, renewed / max(1, n_neighbors)
    else:
        centre, e, kept, drawn = _by_weight(weight, e, near)
    directions = np.einsum("mk,mkp->mp", e, near) - e.sum(axis=1)[:, None] * centre
    moved = np.sqrt(kept) * (source.rows[i] - centre)
    return np.where(source.stays[i], source.rows[i], centre + moved + np.sqrt(drawn) * directions)


def _by_weight(
    weight: np.ndarray, e: np.ndarray, near: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weighted means (m, p) of neighbourhoods (m, k + 1, p), the normals e by weight, 1 - a^2 and a^2 / (1 - s)."""
    fraction = weight / weight.sum(axis=1, keepdims=True)
    s = (fraction**2).sum(axis=1, keepdims=True)
    spread = 1 + (PRIOR_NEIGHBORS - 1) * s
    return np.einsum("mk,mkp->mp", fraction, near), np.sqrt(fraction) * e, PRIOR_NEIGHBORS * s / spread, 1 / spread


def start_density(source: Source | None, columns: Any, sigma: Any) -> Callable[..., np.ndarray]:
    """Log-density of the starts' `columns` at noise level sigma: a function of rows (m, len(columns)) and seen cells.

    sigma is a number or one a column, (len(columns),). The distribution of the starts is a mixture over all rows of
    normal distributions, in closed form; above MAX_CENTRES rows, as many that are chosen by weight stand for them. For
    rows with missing cells, where every pattern would need other factors, MAX_CENTRES starts stand for the
    distribution. Without a source it is the noise that plain diffusion starts from.
    """
    if source is None:
        return lambda x, seen=None: log_kernel_density(x, np.zeros((1, len(columns))), np.sqrt(1 + sigma**2), seen)
    rng = np.random.default_rng(0)
    centres = draw_starts(source, rng.random((MAX_CENTRES, source.n_draws)))[:, columns]
    indices = np.arange(len(source.rows))
    if len(indices) > MAX_CENTRES:
        indices = source.rows_at((np.arange(MAX_CENTRES) + rng.random(MAX_CENTRES)) / MAX_CENTRES)
    weight = None if source.weight is None or len(source.rows) > MAX_CENTRES else source.weight
    mixture = normal_distributions(source, indices, columns)

    def log_density(x: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
        complete = np.ones(len(x), dtype=bool) if seen is None else seen.all(axis=1)
        out = np.empty(len(x))
        out[complete] = log_mixture_density(x[complete], *mixture, sigma, weight)
        if seen is not None and not complete.all():
            out[~complete] = log_kernel_density(x[~complete], centres, sigma, seen[~complete])
        return out

    return log_density


def normal_distributions(source: Source, i: np.ndarray, columns: Any) -> tuple[np.ndarray, np.ndarray]:
    """The distribution of the starts from the rows i (m,) in `columns`: means (m, p), factors F (m, p, k + 1) of F F^T.

    A cell that stays has that of the row as its mean, and no spread.
    """
    near = source.neighbors_of(i, columns)
    stays = source.stays[i][:, columns]
    weight = source.weights_of(i)
    weight = np.ones(near.shape[:2]) if weight is None else weight
    centre, root, kept, drawn = _by_weight(weight, np.ones(near.shape[:2]), near)
    factors = np.sqrt(drawn)[:, :, None] * root[:, :, None] * (near - centre[:, None])
    means = np.where(stays, near[:, 0], centre + np.sqrt(kept) * (near[:, 0] - centre))
    return means, np.where(stays[:, :, None], 0.0, factors.transpose(0, 2, 1))


def start_means(source: Source) -> np.ndarray:
    """(n, p) mean of the starts from each row."""
    columns = np.arange(source.rows.shape[1])
    size = max(1, DENSITY_ELEMENTS // (columns.size * source.neighborhoods.shape[1]))
    indices = np.arange(len(source.rows))
    return np.concatenate([normal_distributions(source, indices[k : k + size], columns)[0] for k in indices[::size]])


def log_mixture_density(
    x: np.ndarray, means: np.ndarray, factors: np.ndarray, sigma: Any, weight: np.ndarray | None = None
) -> np.ndarray:
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
    size = max(1, DENSITY_ELEMENTS // along[:, :, 0].size)
    return np.concatenate(
        [
            _log_sum_exp(log_weight - _squares(x[start : start + size], means, along) / 2)
            for start in range(0, len(x), size)
        ]
        or [np.empty(0)]
    )


def _squares(x: np.ndarray, means: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(m, n) squared lengths of x - mean, less those along the directions (n, q, p)."""
    across = (x**2).sum(1)[:, None] - 2 * x @ means.T + (means**2).sum(1)
    within = np.tensordot(x, along, (1, 2)) - np.einsum("nqp,np->nq", along, means)
    return np.maximum(across - (within**2).sum(axis=2), 0)


def log_kernel_density(
    x: np.ndarray,
    centres: np.ndarray,
    sigma: Any,
    seen: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> np.ndarray:
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


def _log_sum_exp(a: np.ndarray) -> np.ndarray:
    """log(sum(exp(a), axis=1)), overwriting a: SciPy's makes copies, which takes longer on large arrays."""
    largest = a.max(axis=1, keepdims=True)
    a -= largest
    return np.log(np.exp(a, out=a).sum(axis=1)) + largest[:, 0]


def memorisation(
    starts: np.ndarray,
    rows: np.ndarray,
    others: np.ndarray,
    sigma: float,
    rng: np.random.Generator,
    weights: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> float:
    """How well a test recognises the rows that starts (m, p) at the noise level sigma come from: 0 by chance, 1 always.

    The test compares two kernel densities at a noised start: of `rows`, which the starts come from, and of as many
    `others` of the same distribution. It is right for the fraction s of the starts at which that of `rows` is larger,
    and the result is 2 s - 1. A noised copy of a row has just the density of `rows`, so that no test recognises copies
    better. Starts that do not depend on `rows` beyond the distribution have s = 1/2 by symmetry, however smooth or
    narrow the starts are. `weights` are those of the rows and of the others.
    """
    x = (starts + sigma * rng.standard_normal(starts.shape)).astype(np.float32)
    of_rows, of_others = (
        log_kernel_density(x, part.astype(np.float32), sigma, weight=weight)
        for part, weight in zip((rows, others), weights, strict=True)
    )
    return float(2 * np.mean((of_rows > of_others) + 0.5 * (of_rows == of_others)) - 1)


def largest_memorisation(n_rows: int) -> float:
    """The memorisation that starts may have: MEMORISATION_SCALE / sqrt(n), at most LARGEST_MEMORISATION.

    About that of the samples of plain diffusion, which starts from noise and memorises rows in its denoiser.
    """
    return float(min(LARGEST_MEMORISATION, MEMORISATION_SCALE / np.sqrt(n_rows)))


def choose_sigma_start(
    source: Source,
    Z: np.ndarray,
    n_neighbors: int,
    sigma_min: float,
    sigma_max: float,
    rng: np.random.Generator,
    deadline: float | None = None,
) -> float:
    """The smallest noise level at which the starts have at most `largest_memorisation`, by bisection.

    Memorisation falls with the noise level. The search is from SMALLEST_START, below which the shape of the starts
    shows in the samples and nothing is gained, or 2 sigma_min, up to sigma_max. Starts come from one random half of the
    rows and are compared with the other, N_SPLITS times. The result is sigma_max where even that is too small, and
    where the rows are too few for a test. Past a deadline it rests on fewer splits and fewer steps of the bisection, by
    which it is larger.
    """
    n_rows = len(source.rows)
    if n_rows < MIN_SPLIT_ROWS:
        return float(sigma_max)
    splits = [_split(source, Z, n_neighbors, rng)]
    while len(splits) < N_SPLITS and not is_over(deadline):
        splits.append(_split(source, Z, n_neighbors, rng))
    seed, allowed = rng.integers(2**63), largest_memorisation(n_rows)

    def too_small(log_sigma: float) -> bool:
        noise = np.random.default_rng(seed)
        found = [memorisation(*split, np.exp(log_sigma), noise, weights) for split, weights in splits]
        return bool(np.mean(found) > allowed)

    low, high = np.log(np.clip(SMALLEST_START, 2 * sigma_min, sigma_max)), np.log(sigma_max)
    if too_small(high):
        return float(sigma_max)
    for _ in range(N_BISECTIONS):
        if is_over(deadline):
            break
        middle = (low + high) / 2
        low, high = (middle, high) if too_small(middle) else (low, middle)
    return float(np.exp(high))


def _split(
    source: Source, Z: np.ndarray, n_neighbors: int, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray | None, np.ndarray | None]]:
    """Starts, the rows that they come from, and as many others; and the weights of the two."""
    half = min(len(source.rows) // 2, SPLIT_ROWS)
    order = rng.permutation(len(source.rows))
    rows, others = order[:half], order[half : 2 * half]
    part = part_of(source, Z, n_neighbors, rows)
    starts = draw_starts(part, rng.random((min(half, SPLIT_STARTS), part.n_draws)))
    return (starts, source.rows[rows], source.rows[others]), (part.weight, rows_of(source.weight, others))


def part_of(source: Source, Z: np.ndarray, n_neighbors: int, rows: np.ndarray) -> Source:
    """The source over some of the rows, with neighbours among them."""
    return build_source(
        source.rows[rows],
        Z[rows],
        source.stays[rows],
        n_neighbors,
        rows_of(source.target, rows),
        source.is_class,
        weight=rows_of(source.weight, rows),
        component=rows_of(source.component, rows),
    )
