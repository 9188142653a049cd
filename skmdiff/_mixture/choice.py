"""Which shape a mixture has: by the log-density of rows held out, at a small noise level.

Rows are held out by folds, as many as it takes until some hundreds are. A shape is looked for one setting after the
other. Of the numbers of components that are equally good the smallest is taken, for many small components remember
rows: one that is within a standard error, of the differences row by row, of the best.

Expectation-maximisation ends in an optimum near its start, and two starts of one shape can be apart by as much as two
shapes are. So clusterings of all rows are ranked by short runs without directions, which cost little. Shapes are
compared after as short a run from the first of them, and the mixture of the shape chosen is the best of such runs from
all, run on (Biernacki, Celeux & Govaert 2003, "Choosing starting values for the EM algorithm").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .._numerics.blocks import Block, coded_blocks
from .._numerics.deadlines import is_over
from .._numerics.weights import mean_and_error, rows_of
from .clusters import first_components, rescaled_components
from .fitting import MixtureShape, continue_fit, fit_mixture, with_shares
from .mixture import MixedRows, Mixture, log_density, split_code
from .pooling import best_weight, log_probabilities

N_ITERATIONS, N_LAST_ITERATIONS = 10, 3
N_STARTS, N_SHORT_ITERATIONS = 5, 3
CLUSTERS_OF = ("embedding", "table", "rescaled table")
N_COMPONENTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
N_FACTORS = (0, 2, 4, 8)
PRIOR_ROWS = (10.0, 40.0)
ROWS_PER_COMPONENT = 16
FIRST = MixtureShape(n_components=8, n_factors=4, prior_rows=10.0)
ONE_COMPONENT = MixtureShape(n_components=1, n_factors=0, prior_rows=10.0)
LEAST_ROWS = 10  # to choose by
LEVEL = 0.1  # of the noise at which rows held out are judged
MOST_ROWS, MOST_FACTOR_COLUMNS = 4000, 128
HELD_OUT_FRACTION, HELD_OUT_ROWS, MOST_FOLDS = 0.2, 200, 3


@dataclass(frozen=True)
class ChosenMixture:
    """A mixture of all rows, and its shape.

    category_weights : (C,) how far each column of categories is to go by it, see `pooling`
    """

    mixture: Mixture
    shape: MixtureShape
    category_weights: np.ndarray


@dataclass
class Search:
    """Log-densities (n_held_out,) of shapes, each computed once.

    rows, Z, W, weight : the rows, their embedding, code and weights, or None
    folds : indices of training rows and of rows held out
    noise : (n, q) of the level LEVEL
    deadline : when to look no further than the shapes found; None for never
    """

    rows: MixedRows
    Z: np.ndarray
    W: np.ndarray
    weight: np.ndarray | None
    folds: list[tuple[np.ndarray, np.ndarray]]
    noise: np.ndarray
    seed: int
    deadline: float | None = None
    found: dict = field(default_factory=dict)
    clusters: dict = field(default_factory=dict)

    @property
    def n_components(self) -> list[int]:
        """The numbers of components that there may be, of at least ROWS_PER_COMPONENT rows on average."""
        least = min(len(training) for training, _ in self.folds)
        return [m for m in N_COMPONENTS if m == 1 or m * ROWS_PER_COMPONENT <= least]

    @property
    def n_factors(self) -> list[int]:
        """The numbers of directions that a component may have."""
        q = self.rows.numbers.shape[1]
        return [r for r in N_FACTORS if r == 0 or r < q <= MOST_FACTOR_COLUMNS]

    @property
    def weight_of_held_out(self) -> np.ndarray | None:
        """(n_held_out,) weights; None for all alike."""
        return rows_of(self.weight, rows_held_out(self.folds))

    def of(self, shape: MixtureShape, n_iterations: int = N_SHORT_ITERATIONS) -> np.ndarray:
        """Log-density of the rows held out by mixtures of a shape."""
        key = shape, n_iterations
        if key not in self.found:
            self.found[key] = np.concatenate([self._of_fold(*key, fold) for fold in range(len(self.folds))])
        return self.found[key]

    def _of_fold(self, shape: MixtureShape, n_iterations: int, fold: int) -> np.ndarray:
        training, held_out = self.folds[fold]
        return log_density(self.fit(shape, training, n_iterations), self.noised(held_out), LEVEL)

    def noised(self, some: np.ndarray) -> MixedRows:
        """Some rows, their numbers at the level LEVEL."""
        rows = self.rows.take(some)
        return replace(rows, numbers=rows.numbers + self.noise[some])

    def fit(self, shape: MixtureShape, some: np.ndarray, n_iterations: int = N_ITERATIONS, start: int = 0) -> Mixture:
        """The mixture of some rows, from one of the clusterings that it may start from."""
        components = self.clusterings_of(shape)[start][some]
        return fit_mixture(self.rows.take(some), components, shape, n_iterations, rows_of(self.weight, some))

    def clusterings_of(self, shape: MixtureShape) -> list[np.ndarray]:
        """Clusters (n,) of all rows, a start of the mixture each; rows held out take no other part in one."""
        key = shape.n_components, shape.clusters_of
        if key not in self.clusters:
            self.clusters[key] = self._best_clusterings(*key)
        return self.clusters[key]

    def _best_clusterings(self, n_components: int, clusters_of: str) -> list[np.ndarray]:
        """Clusterings (n,) of all rows, the best first: by the density of the rows after a short run."""
        plain = MixtureShape(n_components, n_factors=0, prior_rows=FIRST.prior_rows)
        found: list[tuple[float, np.ndarray]] = []
        for start in range(N_STARTS if n_components > 1 else 1):
            if found and is_over(self.deadline):
                break
            clusters = self._clustering(n_components, clusters_of, start)
            run = fit_mixture(self.rows, clusters, plain, N_SHORT_ITERATIONS, self.weight)
            found.append((mean_log_density(run, self.rows, self.weight), clusters))
        return [clusters for _, clusters in sorted(found, key=lambda each: -each[0])]

    def _clustering(self, n_components: int, clusters_of: str, start: int) -> np.ndarray:
        """Clusters (n,) of all rows."""
        seed = (self.seed + start) % 2**32
        if clusters_of == "embedding":
            return first_components(self.Z, n_components, seed, self.weight)
        if clusters_of == "table":
            return first_components(self.W, n_components, seed, self.weight)
        of_table = self.clusterings_of(replace(FIRST, n_components=n_components, clusters_of="table"))[start]
        return rescaled_components(self.W, of_table, n_components, seed, self.weight)

    def best_of_starts(self, shape: MixtureShape, some: np.ndarray | None = None) -> Mixture:
        """The mixture of some rows, or all, from the start that is the best after a few iterations."""
        some = np.arange(len(self.rows)) if some is None else some
        rows, weight = self.rows.take(some), rows_of(self.weight, some)
        runs: list[Mixture] = []
        while len(runs) < len(self.clusterings_of(shape)) and not (runs and is_over(self.deadline)):
            runs.append(self.fit(shape, some, N_SHORT_ITERATIONS, start=len(runs)))
        best = max(runs, key=lambda run: mean_log_density(run, rows, weight))
        return continue_fit(best, rows, shape, N_ITERATIONS - N_SHORT_ITERATIONS, weight)

    def category_weights(self, shape: MixtureShape) -> np.ndarray:
        """(C,) how far each column of categories is to go by a mixture, as rows held out have it."""
        of_folds = [
            log_probabilities(self.fit(shape, training), self.noised(held_out), LEVEL)
            for training, held_out in self.folds
        ]
        categories = self.rows.categories[rows_held_out(self.folds)]
        return np.array(
            [
                best_weight(np.concatenate(of_column, axis=1), category, self.weight_of_held_out)
                for *of_column, category in zip(*of_folds, categories.T, strict=True)
            ]
        )

    def mean(self, shape: MixtureShape, n_iterations: int = N_SHORT_ITERATIONS) -> float:
        """Mean log-density of a shape, by weight; of one that is left out none is smaller."""
        if self.leaves_out(shape, n_iterations):
            return -np.inf
        return float(np.average(self.of(shape, n_iterations), weights=self.weight_of_held_out))

    def leaves_out(self, shape: MixtureShape, n_iterations: int = N_SHORT_ITERATIONS) -> bool:
        """Whether it is too late for a shape: there are others, and not this one."""
        return is_over(self.deadline) and bool(self.found) and (shape, n_iterations) not in self.found

    def best(self, shapes: list[MixtureShape]) -> MixtureShape:
        """The shape of the largest mean."""
        return max(shapes, key=self.mean)

    def climb(self, shapes: list[MixtureShape], first: MixtureShape) -> MixtureShape:
        """The shape that is better than its neighbours in a list of shapes, from a first one upwards, or downwards."""
        at = shapes.index(first)
        for step in (1, -1):
            while 0 <= at + step < len(shapes) and self.mean(shapes[at + step]) > self.mean(shapes[at]):
                at += step
        return shapes[at]

    def smallest_equal(self, shapes: list[MixtureShape]) -> MixtureShape:
        """The first shape that is within a standard error of the best."""
        best = self.of(self.best(shapes))
        for shape in [shape for shape in shapes if not self.leaves_out(shape)]:
            behind, error = mean_and_error(best - self.of(shape), self.weight_of_held_out)
            if behind <= error:
                return shape
        return shapes[-1]


def mean_log_density(mixture: Mixture, rows: MixedRows, weight: np.ndarray | None) -> float:
    """Mean log-density of rows, by weight (n,) or all alike."""
    return float(np.average(log_density(mixture, rows), weights=weight))


def choose_mixture(
    W: np.ndarray,
    Z: np.ndarray,
    blocks: Sequence[Block],
    seed: int,
    weight: np.ndarray | None = None,
    deadline: float | None = None,
) -> ChosenMixture:
    """The mixture of encoded rows W (n, p) with the embedding Z (n, k), of the shape that rows held out choose.

    Past a deadline the best of the shapes tried, of which there is at least one.
    """
    search = replace(search_over(W, Z, blocks, seed, weight), deadline=deadline)
    shape = ONE_COMPONENT if len(W) < LEAST_ROWS else search_shape(search)
    mixture = search.best_of_starts(shape)
    return ChosenMixture(mixture, shape, category_weights(search, shape, blocks))


def category_weights(search: Search, shape: MixtureShape, blocks: Sequence[Block]) -> np.ndarray:
    """(C,) how far each column of categories is to go by the mixture; 1 where no row is left to choose by, or no time.

    And 1 for the frequent values of a number: they say what the number itself says.
    """
    coded = coded_blocks(blocks)
    if len(search.rows) < LEAST_ROWS or is_over(search.deadline):
        return np.ones(len(coded))
    return np.where([block.of_number for block, _ in coded], 1.0, search.category_weights(shape))


def of_all_rows(
    chosen: ChosenMixture,
    W: np.ndarray,
    blocks: Sequence[Block],
    weight: np.ndarray | None = None,
    deadline: float | None = None,
) -> ChosenMixture:
    """The same mixture, which was of some rows, of all the rows W (n, p), and with their shares of categories.

    From where it is on, so that a network that was trained to correct it still does. Past a deadline with the shares
    alone.
    """
    rows, n_iterations = split_code(W, blocks), 0 if is_over(deadline) else N_LAST_ITERATIONS
    mixture = continue_fit(chosen.mixture, rows, chosen.shape, n_iterations, weight)
    return replace(chosen, mixture=with_shares(mixture, rows, weight))


def manifold_score(
    W: np.ndarray, Z: np.ndarray, blocks: Sequence[Block], seed: int, weight: np.ndarray | None = None
) -> float:
    """Mean log-density of rows held out by components that are clusters of the embedding Z (n, k) and stay so.

    Expectation-maximisation would move bad components to where they do better: without it the embedding is what counts.
    The best of some numbers of components. NaN where rows are too few to leave any out.
    """
    if len(W) < LEAST_ROWS:
        return np.nan
    search = search_over(W, Z, blocks, seed, weight)
    shape = replace(FIRST, n_factors=min(FIRST.n_factors, search.n_factors[-1]))
    numbers = [m for m in search.n_components if m >= FIRST.n_components] or search.n_components[-1:]
    return max(search.mean(replace(shape, n_components=m), 1) for m in numbers)


def search_over(W: np.ndarray, Z: np.ndarray, blocks: Sequence[Block], seed: int, weight: np.ndarray | None) -> Search:
    """The search over some of the rows, at random; the same for every embedding of a table."""
    some = np.random.default_rng(seed).permutation(len(W))[:MOST_ROWS]
    return search_within(W[some], Z[some], blocks, seed, rows_of(weight, some))


def search_within(
    W: np.ndarray, Z: np.ndarray, blocks: Sequence[Block], seed: int, weight: np.ndarray | None
) -> Search:
    """The search over rows W (n, p), which are in no order, with the embedding Z (n, k)."""
    rows = split_code(W, blocks)
    noise = LEVEL * np.random.default_rng(seed).standard_normal(rows.numbers.shape)
    return Search(rows, Z, W, weight, split(len(W)), noise, seed % 2**32)


def search_shape(search: Search) -> MixtureShape:
    """The shape, one setting after the other."""
    n_components, n_factors = search.n_components, search.n_factors
    shape = replace(
        FIRST, n_components=min(FIRST.n_components, n_components[-1]), n_factors=min(FIRST.n_factors, n_factors[-1])
    )
    shape = search.climb([replace(shape, n_factors=r) for r in n_factors], shape)
    ways = [replace(shape, clusters_of=clusters_of) for clusters_of in CLUSTERS_OF]
    shape = search.best([search.climb([replace(way, n_components=m) for m in n_components], way) for way in ways])
    shape = search.best([replace(shape, prior_rows=rows) for rows in PRIOR_ROWS])
    shape = search.smallest_equal([replace(shape, n_components=m) for m in n_components if m <= shape.n_components])
    return search.climb([replace(shape, n_factors=r) for r in n_factors], shape)  # few components may need more of them


def split(n_rows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Indices of training rows and rows held out, by folds: as many as it takes for HELD_OUT_ROWS."""
    n_out = max(1, int(HELD_OUT_FRACTION * n_rows))
    n_folds = int(np.clip(np.ceil(HELD_OUT_ROWS / n_out), 1, MOST_FOLDS))
    everything = np.arange(n_rows)
    return [
        (np.delete(everything, slice(k * n_out, (k + 1) * n_out)), everything[k * n_out : (k + 1) * n_out])
        for k in range(n_folds)
    ]


def rows_held_out(folds: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(n_held_out,) indices of the rows held out, fold by fold."""
    return np.concatenate([held_out for _, held_out in folds])
