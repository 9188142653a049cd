"""Membership attacks on synthetic rows, and what else tells of single training rows: the numbers of `privacy_report`.

If the synthetic rows depended on the distribution alone, training and held-out rows would be exchangeable given them.
The held-out rows are in random order, and halves of them have two parts: the *outsiders* are told from the members,
and from the *reference* the attacker knows what real rows are like. No row is both, for a classifier recognises the
rows that it was fitted on.

Scores of the attacks, the higher the more like a member::

    distance             -d(row, nearest synthetic row)
    relative distance    log d(row, nearest reference row) - log d(row, nearest synthetic row)
    density ratio        log odds of synthetic against reference rows, by gradient-boosted trees

Distances are those of `_tables`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from ._tables import SAME, in_space, nearest, tree_matrices

_OUTLIER_NEIGHBORS = 5

Columns = list[np.ndarray]
# of the members and of the rows that they are to be told from
Scores = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Compared:
    """Random rows of three tables, in random order, as columns and in one space.

    train, synthetic, holdout : ndarray of shape (n_rows, n_dimensions)
    columns : the columns of each of them
    n_members, n_targets : of training and of held-out rows so many, the first ones, are attacked
    """

    train: np.ndarray
    synthetic: np.ndarray
    holdout: np.ndarray
    columns: list[Columns]
    categorical: list[bool]
    n_members: int
    n_targets: int

    @property
    def members(self) -> slice:
        return slice(self.n_members)

    @property
    def outsiders(self) -> slice:
        return slice(self.n_targets // 2)

    @property
    def reference(self) -> slice:
        return slice(self.n_targets // 2, self.n_targets)


class UniqueExtreme(NamedTuple):
    """The least or the greatest value of a column, held by one training row, and how many synthetic rows hold it."""

    column: str
    end: str
    n_returned: int


def compared(tables: list[Columns], categorical: list[bool], orders: list[np.ndarray], max_rows: int) -> Compared:
    """The rows of training, synthetic and held-out tables at some indices."""
    columns = [[column[order] for column in table] for table, order in zip(tables, orders, strict=True)]
    n_members, n_targets = (min(max_rows, len(orders[k])) for k in (0, 2))
    train, synthetic, holdout = in_space(columns, categorical)
    return Compared(train, synthetic, holdout, columns, categorical, n_members, n_targets)


def distance_scores(rows: Compared) -> Scores:
    """Of members and of all held-out rows that are attacked."""
    targets = rows.train[rows.members], rows.holdout[: rows.n_targets]
    members, others = (-nearest(rows.synthetic, target)[:, 0] for target in targets)
    return members, others


def relative_scores(rows: Compared) -> Scores:
    """Of members and outsiders, how much nearer synthetic than reference rows lie."""
    reference = rows.holdout[rows.reference]
    members, others = (
        np.log(nearest(reference, target)[:, 0] + SAME) - np.log(nearest(rows.synthetic, target)[:, 0] + SAME)
        for target in (rows.train[rows.members], rows.holdout[rows.outsiders])
    )
    return members, others


def density_scores(rows: Compared, seed: int) -> Scores:
    """Of members and outsiders, log odds of the density of the synthetic rows against that of the real ones."""
    (train, synthetic, holdout), is_category = tree_matrices(rows.columns, rows.categorical)
    learnt = np.nan_to_num(np.vstack([synthetic, holdout[rows.reference]]))
    is_synthetic = np.arange(len(learnt)) < len(synthetic)
    trees = HistGradientBoostingClassifier(categorical_features=is_category, early_stopping=False, random_state=seed)
    # for a few thousand rows threads cost more time than they save
    with threadpool_limits(1, user_api="openmp"):
        trees.fit(learnt, is_synthetic)
        targets = train[rows.members], holdout[rows.outsiders]
        members, others = (trees.decision_function(np.nan_to_num(target)) for target in targets)
    return members, others


def ranks(scores: Scores) -> np.ndarray:
    """For each member the fraction of the others of lower scores; equal ones count half."""
    members, others = scores[0], np.sort(scores[1])
    sides = [np.searchsorted(others, members, side=side) for side in ("left", "right")]
    return (sides[0] + sides[1]) / (2 * len(others))


def outliers(rows: Compared, fraction: float) -> Scores:
    """Which members and outsiders are the fraction of both that lies farthest from reference rows."""
    reference = rows.holdout[rows.reference]
    n_neighbors = min(_OUTLIER_NEIGHBORS, len(reference))
    targets = rows.train[rows.members], rows.holdout[rows.outsiders]
    members, others = (nearest(reference, target, n_neighbors)[:, -1] for target in targets)
    threshold = np.quantile(np.concatenate([members, others]), 1 - fraction)
    return members > threshold, others > threshold


def with_rare_category(train: Columns, holdout: Columns, categorical: list[bool], count: int) -> Scores:
    """Which training and held-out rows hold a category that fewer than `count` of them hold."""
    flags = np.zeros(len(train[0]), dtype=bool), np.zeros(len(holdout[0]), dtype=bool)
    for *pair, is_category in zip(train, holdout, categorical, strict=True):
        if is_category:
            cells = [column.tolist() for column in pair]
            counts = Counter(cells[0]) + Counter(cells[1])
            for flag, column in zip(flags, cells, strict=True):
                flag |= np.array([counts[cell] < count for cell in column])
    return flags


def nearer(rows: Compared, n_rows: int) -> tuple[float, float]:
    """Fraction of synthetic rows nearer to training than to as many held-out rows, and how many are independent.

    Which of the records nearest to a synthetic row is a training row is chance, but one chance for all the rows that
    this record is nearest to.
    """
    n = min(len(rows.train), len(rows.holdout))
    found = [_nearest_record(part[:n], rows.synthetic[:n_rows]) for part in (rows.train, rows.holdout)]
    (to_train, k_train), (to_holdout, k_holdout) = found
    difference = to_train - to_holdout
    score = np.where(np.abs(difference) <= SAME, 0.5, difference < 0)
    together = np.bincount(np.where(difference < 0, k_train, n + k_holdout))
    return float(score.mean()), len(score) ** 2 / float(together @ together)


def _nearest_record(records: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance (n_rows,) of each row to the nearest record, and the index of this record."""
    distances, indices = NearestNeighbors(n_neighbors=1).fit(records).kneighbors(rows)
    return distances[:, 0], indices[:, 0]


def unique_extremes(
    records: Columns, synthetic: Columns, categorical: list[bool], names: list[str]
) -> Iterator[UniqueExtreme]:
    """The ends of the columns of numbers that one record holds."""
    for real, made, is_category, name in zip(records, synthetic, categorical, names, strict=True):
        if is_category or np.isnan(real).all():
            continue
        for end, value in (("least", np.nanmin(real)), ("greatest", np.nanmax(real))):
            if (real == value).sum() == 1:
                yield UniqueExtreme(name, end, int((made == value).sum()))
