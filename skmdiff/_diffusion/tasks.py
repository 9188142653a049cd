"""Training tasks: which columns of a training row are known, unknown or noised.

Most rows of a batch have one noise level in all columns, as the rows of the reverse process have. The others learn
a marginal or a conditional distribution. A column that is known has the level 0, one that is unknown has a level above
all others, so that one network learns the distributions of any columns given any others (Bao et al. 2023, "One
transformer fits all distributions in multi-modal diffusion at scale"; random sets of known columns: Ivanov et al.
2019, "Variational autoencoder with arbitrary conditioning").

The rows with a task take the tasks of TURNS in turn:

=================  ========  =====================================  ======================================
task               fraction  columns                                what it is for
=================  ========  =====================================  ======================================
`some_known`       1/7       a random set known, the others noised  samples under conditions
`rest_unknown`     2/7       a random set known, the others not     probabilities of categories
`numbers_alone`    1/7       numbers noised, categories unknown     the density of the numbers
`target_known`     1/7       the target known, the others noised    samples of a class
`another_level`    1/7       a random set at another row's level    starts at other noise levels, noise
`target_unknown`   1/7       all known but the target               predictions
`categories_known` 3/7 more  random categories known, others noised  categories read on the way down
=================  ========  =====================================  ======================================

Some training rows also hide the cells that a row of the table lacks, for the density of rows with missing cells. It is
another row than the one that is noised: what is unknown must not tell filled cells from values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .noise import UNKNOWN


@dataclass(frozen=True)
class Columns:
    """What the tasks ask of the columns of a table.

    is_categorical : (n_blocks,) of bool
    target : index of the block of the target, or None
    """

    is_categorical: torch.Tensor
    target: int | None

    @property
    def are_mixed(self) -> bool:
        """Whether there are numbers and categories."""
        return bool(self.is_categorical.any()) and not bool(self.is_categorical.all())

    @property
    def is_target(self) -> torch.Tensor | None:
        """(n_blocks,) of bool; None without a target."""
        if self.target is None:
            return None
        return torch.arange(len(self.is_categorical), device=self.is_categorical.device) == self.target


@dataclass(frozen=True)
class TaskRows:
    """Random choices for n rows, from which every task makes levels (n, n_blocks).

    level, other_level : (n, 1) the level of the row, that of another row
    chosen : (n, n_blocks) of bool, a random set of columns; a uniform number of them, so that few and many occur
    chosen_with_numbers : (n, n_blocks) of bool, the same, with all numbers in half of the rows of a mixed table
    missing : (n, n_blocks) of bool, cells that some row of the table lacks; None where none are missing
    columns : Columns
    """

    level: torch.Tensor
    other_level: torch.Tensor
    chosen: torch.Tensor
    chosen_with_numbers: torch.Tensor
    missing: torch.Tensor | None
    columns: Columns

    @property
    def unknown(self) -> torch.Tensor:
        """(n, 1) the level of columns of which nothing is known."""
        return torch.full_like(self.level, UNKNOWN)

    def hide_missing(self, sigma: torch.Tensor) -> torch.Tensor:
        """The levels (n, n_blocks) with missing cells unknown."""
        return sigma if self.missing is None else sigma.masked_fill(self.missing, UNKNOWN)


def some_known(rows: TaskRows) -> torch.Tensor:
    """A random set of columns known, the others noised."""
    return torch.where(rows.chosen, 0.0, rows.level)


def rest_unknown(rows: TaskRows) -> torch.Tensor:
    """A random set of columns known, in half of the rows of a mixed table with all numbers, the others unknown."""
    return rows.hide_missing(torch.where(rows.chosen_with_numbers, 0.0, rows.unknown))


def numbers_alone(rows: TaskRows) -> torch.Tensor:
    """Numbers noised and categories unknown; without numbers a random set of categories noised."""
    is_categorical = rows.columns.is_categorical
    noised = rows.chosen if bool(is_categorical.all()) else ~is_categorical
    return rows.hide_missing(torch.where(noised, rows.level, rows.unknown))


def target_known(rows: TaskRows) -> torch.Tensor:
    """The target known and the others noised; without a target a random set known."""
    is_target = rows.columns.is_target
    return torch.where(rows.chosen if is_target is None else is_target, 0.0, rows.level)


def another_level(rows: TaskRows) -> torch.Tensor:
    """A random set of columns at the level of another row."""
    return torch.where(rows.chosen, rows.other_level, rows.level)


def target_unknown(rows: TaskRows) -> torch.Tensor:
    """The target unknown and the others known; without a target a random set known, the others unknown."""
    is_target = rows.columns.is_target
    return rows.hide_missing(torch.where(rows.chosen if is_target is None else ~is_target, 0.0, rows.unknown))


def categories_known(rows: TaskRows) -> torch.Tensor:
    """A random set of the categories known, the other columns noised."""
    return torch.where(rows.chosen & rows.columns.is_categorical, 0.0, rows.level)


# rest_unknown has two turns of seven: it is hardest to learn, and what conditions rely on
TURNS = (some_known, rest_unknown, numbers_alone, target_known, another_level, rest_unknown, target_unknown)
READING_TURNS = (categories_known,) * 3  # rows more, where there are categories to be read


def draw_column_levels(
    row_level: torch.Tensor,
    columns: Columns,
    conditional_fraction: float,
    generator: torch.Generator,
    missing: torch.Tensor | None = None,
) -> torch.Tensor:
    """Levels (n_rows, n_blocks) of the columns of a batch; the first rows have a task, a fraction of all.

    Parameters
    ----------
    row_level : (n_rows,) level of each row
    columns : Columns
    conditional_fraction : fraction of the rows with one of the tasks of TURNS, to which those of READING_TURNS come; a
        table of one column has none
    generator : torch.Generator
    missing : (n_rows, n_blocks) of bool, missing cells of random rows of the table; None for none
    """
    n_blocks = len(columns.is_categorical)
    sigma = row_level[:, None].repeat(1, n_blocks)
    turns = (*TURNS, *READING_TURNS) if bool(columns.is_categorical.any()) else TURNS
    fraction = min(1.0, conditional_fraction * len(turns) / len(TURNS))
    n = int(round(fraction * len(row_level))) if n_blocks > 1 else 0
    if n > 0:
        rows = _draw_task_rows(row_level, n, columns, generator, missing)
        index = torch.arange(n, device=row_level.device)
        sigma[:n] = torch.stack([task(rows) for task in turns])[index % len(turns), index]
    return sigma


def _draw_task_rows(
    row_level: torch.Tensor,
    n: int,
    columns: Columns,
    generator: torch.Generator,
    missing: torch.Tensor | None,
) -> TaskRows:
    """The draws of the first n rows of a batch."""
    device = row_level.device

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, device=device, dtype=row_level.dtype)

    chosen = uniform(n, len(columns.is_categorical)) < uniform(n, 1)
    chosen_with_numbers = chosen
    if columns.are_mixed:
        chosen_with_numbers = chosen | (uniform(n, 1) < 0.5) & ~columns.is_categorical
    other_level = row_level[torch.randperm(len(row_level), generator=generator, device=device)[:n]]
    missing = None if missing is None else missing[:n]
    return TaskRows(row_level[:n, None], other_level[:, None], chosen, chosen_with_numbers, missing, columns)
