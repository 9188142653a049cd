"""Starts drawn from the mixture on the manifold, where rows held out are more probable under it than between rows.

A start between rows is near a row: it is of the right distribution in all its detail, and remembers. A start of the
mixture knows what a component knows, of many rows. Which of the two is nearer to the distribution of the table, noised
to about the level at which rows start, is measured: by the log-density of rows that were left out of both. Few rows say
little in their detail, and the mixture wins. They are compared at a level below that of the starts (`gate_level`): the
more noise, the less the two differ, and the more rows it takes to see it.

Rows start from it at a higher noise level than from between rows, START_LEVEL at least. A low level keeps what the
starts say, and a component says of its categories no more than their shares: the denoiser, which knows what they have
to do with each other, has to find them undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from .._mixture.choice import LEAST_ROWS, rows_held_out, search_within
from .._mixture.fitting import MixtureShape
from .._mixture.mixture import (
    Mixture,
    draw,
    join_code,
    log_density_of_seen,
    log_normals,
    numeric_columns,
    split_code,
)
from .._numerics.blocks import Block, coded_blocks
from .._numerics.streams import row_normals
from .._numerics.weights import is_surely_positive, rows_of
from .source import SMALLEST_START, Source, log_mixture_density, normal_distributions, part_of

TEST_ROWS = 2000
START_LEVEL = 1.5
GATE_FRACTION = 0.7


@dataclass(frozen=True)
class MixtureStarts:
    """The mixture that rows start from.

    blocks : of its code
    is_class : whether the last block is a class that can be asked for
    level : the noise level at which rows start
    """

    mixture: Mixture
    blocks: Sequence[Block]
    is_class: bool
    level: float

    @property
    def n_draws(self) -> int:
        """Uniform numbers that a start takes."""
        return self.mixture.n_uniforms + self.mixture.n_normals

    def draw(self, uniforms: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
        """Clean starts (m, p) from uniform numbers (m, n_draws), of classes (m,) where these are given."""
        n, weights = self.mixture.n_uniforms, None
        if classes is not None:
            weights = self.mixture.weights * self.mixture.shares_by_column[-1].T[classes.astype(int)]
        return join_code(draw(self.mixture, uniforms[:, :n], row_normals(uniforms[:, n:]), weights), self.blocks)

    def log_density(self, columns: list[int], sigma: np.ndarray) -> Callable[..., np.ndarray]:
        """Log-density of numbers at noise levels (k,): a function of rows (m, k), and of which cells are seen.

        `columns` are those of the code.
        """
        levels = np.zeros(max(block.stop for block in self.blocks))
        levels[columns] = sigma

        def of_rows(x: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
            W = np.full((len(x), len(levels)), np.nan)
            W[:, columns] = x if seen is None else np.where(seen, x, np.nan)
            return self.log_density_of_rows(W, levels)

        return of_rows

    def log_density_of_rows(self, W: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Log-density (n,) of code W (n, p), NaN in cells that are not seen, at noise levels (p,) of its columns."""
        seen = ~np.isnan(W[:, [block.start for block in self.blocks]])
        is_number = np.array([block.codes is None for block in self.blocks])
        rows = split_code(np.nan_to_num(W), self.blocks)
        level = levels[numeric_columns(self.blocks)]
        return log_density_of_seen(self.mixture, rows, seen[:, is_number], seen[:, ~is_number], level)


def gate_level(sigma_start: float) -> float:
    """The noise level at which the mixture and starts between rows at sigma_start are compared."""
    return max(SMALLEST_START, GATE_FRACTION * sigma_start)


def mixture_is_better(
    source: Source,
    Z: np.ndarray,
    n_neighbors: int,
    blocks: Sequence[Block],
    shape: MixtureShape,
    sigma: float,
    seed: int,
) -> bool:
    """Whether rows held out are more probable by a mixture of a shape than between rows, noised to the level sigma."""
    if len(source.rows) < LEAST_ROWS:
        return False
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(source.rows))[:TEST_ROWS]
    noised = source.rows + sigma * rng.standard_normal(source.rows.shape)
    search, better = search_within(source.rows[some], Z[some], blocks, seed, rows_of(source.weight, some)), []
    for training, held_out in search.folds:
        rows, x = some[training], noised[some[held_out]]
        mixture = search.best_of_starts(shape, training)
        part = part_of(source, Z, n_neighbors, rows)
        between = normal_distributions(part, np.arange(len(rows)), np.arange(x.shape[1]))
        better.append(
            noised_log_density(mixture, blocks, x, sigma) - log_mixture_density(x, *between, sigma, part.weight)
        )
    of_held_out = rows_of(source.weight, some[rows_held_out(search.folds)])
    return is_surely_positive(np.concatenate(better), of_held_out)


def noised_log_density(mixture: Mixture, blocks: Sequence[Block], x: np.ndarray, sigma: float) -> np.ndarray:
    """(n,) log-density of encoded rows x (n, p), noised to the level sigma, categories by the noise on their codes."""
    numbers = x[:, numeric_columns(blocks)]
    out = np.log(mixture.weights) + log_normals(numbers, mixture.means, mixture.loadings, mixture.variances + sigma**2)
    for (block, codes), shares in zip(coded_blocks(blocks), mixture.shares_by_column, strict=True):
        of_column = x[:, block.start : block.stop]
        squares = ((of_column**2).sum(axis=1)[:, None] - 2 * of_column @ codes.T + (codes**2).sum(axis=1)) / sigma**2
        nearest = squares.min(axis=1, keepdims=True)
        out += np.log(np.exp((nearest - squares) / 2) @ shares.T) - nearest / 2
        out -= codes.shape[1] * np.log(sigma * np.sqrt(2 * np.pi))
    return logsumexp(out, axis=1)
