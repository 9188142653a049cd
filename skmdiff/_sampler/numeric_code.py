"""The code of numbers that `numeric="auto"` stands for: the one by which rows held out are most probable.

Which code makes a table easy to learn is measured: by the log-density of rows held out under a mixture of the code of
the others, in the units of the columns, so that it counts what a code spreads and another squeezes. Normal scores by
the quantiles of few rows follow chance, and bend what is straight; a smooth distribution may not be the column's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from .._manifold.noise import check_noise_level
from .._mixture.choice import FIRST, ROWS_PER_COMPONENT, rows_held_out, search_over, split
from .._mixture.mixture import Mixture, log_density, split_code
from .._numerics.checks import is_auto
from .._numerics.deadlines import halfway, is_over
from .._numerics.weights import is_surely_positive, rows_of
from .._table.checks import ReadTable
from .._table.codec import TableCodec, number_column
from .._table.columns import Block
from .._table.constraints.written import unique_columns
from .._table.dates import DateColumn
from .._table.numeric import NumericColumn, QuantileColumn, distance, log_step
from .defaults import SMALL_TABLE
from .settings import TableSettings, TrainingSettings

LEAST_ROWS, MOST_COLUMNS = 50, 32
FEW_COMPONENTS, MANY_COMPONENTS = 4, (8, 16, 32)  # of the mixtures, as many as the rows are enough for
N_ITERATIONS, N_TIES = 5, 2
OFTEN, ALONE = 4, 0.05
LARGEST_CODE = 1e6  # in standard deviations
ROOT_2_PI = float(np.sqrt(2 * np.pi))


def fit_codec(
    table: ReadTable, weight: np.ndarray | None, settings: TableSettings, seed: int, training: TrainingSettings
) -> TableCodec:
    """The codec of a table, with the code of numbers that is asked for or, by "auto", chosen.

    With one that is chosen no number is beyond those of the table. A training that goes on keeps the code it had, where
    the table may have it. With measurement noise it is "quantile".
    """
    if not is_auto(settings.numeric):
        return TableCodec(settings.categorical_features, settings.numeric).fit(table, weight)
    codec = TableCodec(settings.categorical_features).fit(table, weight)
    codec.set_identifiers(unique_columns(settings.constraints, codec.template_), table)  # which are no numbers
    noise = settings.noise_level
    if training.former is not None:
        former = training.former.codec.numeric
        chosen = former if former in candidates(codec) else codec.numeric
    elif is_auto(noise) or check_noise_level(noise, codec).any():
        chosen = codec.numeric
    else:
        chosen = choose_code(codec, table, weight, seed, halfway(training.deadline))
    if chosen == codec.numeric:
        return codec
    return TableCodec(settings.categorical_features, chosen, within_range=True).fit(table, weight)


def choose_code(
    codec: TableCodec, table: ReadTable, weight: np.ndarray | None, seed: int, deadline: float | None
) -> str:
    """The name of the code, by the numbers of a table with a fitted codec and the rows that lack none of them.

    The first of a list, but one behind it that is surely better. "quantile", which is the first, for many
    rows, which are smooth by themselves, for few, which cannot tell, and past a deadline.
    """
    names = candidates(codec)
    if len(names) == 1 or not LEAST_ROWS <= len(table) < SMALL_TABLE:
        return names[0]
    rng = np.random.default_rng(seed)
    columns = [table.cells[j] for j in rng.permutation(list(numeric_columns(codec)))[:MOST_COLUMNS]]
    complete = ~np.any([column.missing for column in columns], axis=0)
    rows = rng.permutation(np.flatnonzero(complete))
    if len(rows) < LEAST_ROWS:
        return names[0]
    numbers, weight = [column.take(rows).observed for column in columns], rows_of(weight, rows)
    of_held_out = rows_of(weight, rows_held_out(split(len(rows))))
    best, of_best = names[0], log_densities(numbers, names[0], weight, seed)
    for name in names[1:]:
        found = None if of_best is None or is_over(deadline) else log_densities(numbers, name, weight, seed)
        if found is not None and is_surely_positive(found - of_best, of_held_out):
            best, of_best = name, found
    return best


def numeric_columns(codec: TableCodec) -> dict[int, NumericColumn]:
    """The columns of numbers that are no dates, by their indices."""
    return {j: column for j, column in enumerate(codec.columns_) if isinstance(column, NumericColumn)}


def candidates(codec: TableCodec) -> list[str]:
    """The codes that a table may have; numbers that are counts, dates or repeat themselves are not standardised."""
    numbers = numeric_columns(codec).values()
    if not numbers:
        return ["quantile"]
    has_dates = any(isinstance(column, DateColumn) for column in codec.columns_)
    is_measured = not (has_dates or any(column.decimals == 0 or repeats_itself(column) for column in numbers))
    return ["quantile", "smooth", "standard"] if is_measured else ["quantile", "smooth"]


def repeats_itself(column: NumericColumn) -> bool:
    """Whether numbers are repeated by more than rounding: what is new is to be one of them, not beside them.

    It is so for frequent values, for any repetition without a grid and, on a grid, where more than ALONE of the cells
    hold a value that is seen OFTEN or more while neither neighbour of it on the grid is seen. Of numbers that are
    rounded hardly one in fifty does.
    """
    if column.width > 1 or column.decimals is None:
        return column.width > 1 or bool(column.has_ties)
    assert isinstance(column, QuantileColumn)
    step = np.exp(log_step(column.decimals))
    gap = np.concatenate([[np.inf], distance(column.values[:-1], column.values[1:]), [np.inf]]) > 1.5 * step
    is_alone = gap[:-1] & gap[1:] & (column.counts >= OFTEN)
    return bool(column.counts[is_alone].sum() > ALONE * column.n)


def log_densities(numbers: list[np.ndarray], name: str, weight: np.ndarray | None, seed: int) -> np.ndarray | None:
    """(n_held_out,) of rows held out, by folds, in the units of columns (n,): of the better of few and many components.

    A repeated value is put in its interval at random, N_TIES times. None where a code is beyond LARGEST_CODE, or no
    column varies without those that are held out.
    """
    found, folds = [], split(len(numbers[0]))
    for training, held_out in folds:
        varying = [x for x in numbers if (x[training] != x[training[0]]).any()]
        if not varying:
            return None
        columns = [number_column(x[training], "", name, rows_of(weight, training)) for x in varying]
        rng = np.random.default_rng(seed)
        W = placed(columns, [x[training] for x in varying], rng)
        out = [placed(columns, [x[held_out] for x in varying], rng) for _ in range(N_TIES)]
        if any(X is None for X in (W, *out)):
            return None
        found.append(_of_fold(W[0], out, seed, rows_of(weight, training)))
    weight = rows_of(weight, rows_held_out(folds))
    of_shapes = [np.concatenate(of_shape) for of_shape in zip(*found, strict=True)]
    return max(of_shapes, key=lambda of_rows: np.average(of_rows, weights=weight))


def _of_fold(
    W: np.ndarray, out: list[tuple[np.ndarray, np.ndarray]], seed: int, weight: np.ndarray | None
) -> list[np.ndarray]:
    """Log-densities (n_held_out,) of codes and volumes `out`, given the code W, by few and by many components."""
    blocks = [Block("numeric", j, j + 1, None, "") for j in range(W.shape[1])]
    return [
        logsumexp([log_density(mixture, split_code(X, blocks)) + volume for X, volume in out], axis=0) - np.log(N_TIES)
        for mixture in mixtures(W, blocks, seed, weight)
    ]


def placed(
    columns: list[NumericColumn], numbers: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Code (n, q) of numbers, each at random in what stands for it, and its log-volume (n,); None where too large."""
    W, volume = [], np.zeros(len(numbers[0]))
    for column, x in zip(columns, numbers, strict=True):
        at = rng.random(len(x))
        # a number that is rounded has an interval of a step; a cell is what noise on it makes of that
        W.append(column.encode(x, at)[:, 0] + ROOT_2_PI * column.cell * (at - 0.5))
        volume += column.log_volume(x, at)
    if not np.abs(W).max() <= LARGEST_CODE:  # also where it is not a number
        return None
    return np.column_stack(W), volume


def mixtures(W: np.ndarray, blocks: list[Block], seed: int, weight: np.ndarray | None) -> list[Mixture]:
    """Mixtures of the rows W (n, q), of few and of many components."""
    search = search_over(W, W, blocks, seed, weight)
    shape = replace(FIRST, n_factors=min(FIRST.n_factors, search.n_factors[-1]), clusters_of="table")
    many = [m for m in MANY_COMPONENTS if m * ROWS_PER_COMPONENT <= len(W)]
    some = np.arange(len(search.rows))
    return [search.fit(replace(shape, n_components=m), some, N_ITERATIONS) for m in (FEW_COMPONENTS, *many[-1:])]
