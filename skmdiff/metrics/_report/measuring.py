"""The numbers of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..._numerics.checks import random_stream
from ..._table.frames import column_names
from .._coverage import prdc, vendi_score
from .._marginals import PairError, mutual_information_error, pair_errors, shape_error, shape_errors, trend_error
from .._privacy import copy_share, distance_ratio, fraction_nearer, membership_attack, memorised_excess
from .._tables import (
    CategoricalFeatures,
    Seed,
    Table,
    aligned,
    as_table,
    check_max_rows,
    independent_columns,
    nearest,
    one_hot_space,
    random_rows,
    take_rows,
)
from .._two_sample import c2st, energy_distance, mmd
from .._utility import column_skills, skill_fraction
from .entries import FACTS, MAX_FPR, ColumnMeasure, Measure, PairMeasure, Sizes
from .fitted import fitted_facts
from .grades import standing
from .pictures import pictures_of
from .result import MetricsReport
from .stages import stages

MIN_ROWS = 20
# nearest training rows are searched among this many times `max_rows`
RECORDS = 10
REPEATS = 5
MOST_PAIRS = 10
STAGES = ("synthetic rows", "shuffled columns", "fresh rows", "utility", "privacy")


def report(
    real_train: Table,
    synthetic: Table,
    real_test: Table,
    *,
    max_rows: int = 3000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
    sampler: Any = None,
    names: Sequence[str] | None = None,
    verbose: int = 0,
) -> MetricsReport:
    """Measure synthetic rows by all measures of two tables, each beside a floor and a ceiling.

    The floor is the score of independent columns: the training rows with each column shuffled independently. The
    ceiling is the score of fresh real rows. Measures of closeness compare with the held-out rows, and the fresh rows
    are the training rows. Measures of privacy compare with the training rows; one half of the held-out rows are the
    fresh rows, and the other half stand for rows that the generator never saw. All three candidates have the same
    number of rows, except that the attack of `membership_inference` uses all rows, ten times `max_rows` at most. A
    value better than the ceiling is chance or copying: see the measures of privacy. With fewer than 199 held-out rows,
    100 of them outsiders, the true positive rate of that attack is nan.

    Parameters
    ----------
    real_train, synthetic, real_test : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, its samples, and real rows that it never saw: 20 or more of each,
        with the same two or more columns in the same order.
    max_rows : int, default=3000
        Maximum number of rows of each table to use, at least 20; nearest training rows are searched among ten times
        as many. `mmd` uses at most 2000, `vendi_score` 1000.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of all choices of rows and of the trees.
    sampler : estimator, default=None
        The fitted sampler of the synthetic rows, or a pipeline that ends with one: the page says how it was fitted.
    names : sequence of 3 str, default=None
        Names of the tables for the page, such as those of their files.
    verbose : int, default=0
        Whether to show a bar of the stages on stderr.

    Returns
    -------
    MetricsReport
        Prints as text, the verdict on top, and shows as a table in a notebook; ``result["c2st"]`` is one measure,
        ``verdict`` what they say together, ``to_frame()`` a DataFrame, and ``to_html(path)`` writes a page.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers, or `sampler` is no estimator.
    ValueError
        If the tables have different columns, one column only, or fewer than 20 rows, `max_rows` is below 20, or there
        are not three `names`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import report
    >>> rows = np.random.RandomState(0).normal(size=(300, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    >>> result = report(rows[:100], rows[:100], rows[200:], random_state=0)
    >>> result["copy_share"].value, result["copy_share"].ceiling
    (1.0, 0.0)
    >>> [(found.subject, found.grade) for found in result.verdict][-1]
    ('privacy', 'clear sign')
    """
    check_max_rows(max_rows, MIN_ROWS)
    train, synthetic, test = (as_table(part, MIN_ROWS) for part in (real_train, synthetic, real_test))
    # refuse what cannot be compared before minutes are spent
    categorical = aligned([train, synthetic, test], categorical_features)[1]
    names = _checked_names(names)
    fitted = None if sampler is None else fitted_facts(sampler)
    rng = random_stream(random_state)
    options = {"categorical_features": categorical_features}
    with stages(STAGES, verbose) as begin:
        closeness = _closeness(train, synthetic, test, max_rows, options, rng, begin)
        begin("privacy")
        privacy_scores, n_private = _privacy(train, synthetic, test, max_rows, options, rng)
    n_close = closeness.reference.shape[0]
    n_rows = [part.shape[0] for part in (train, synthetic, test)]
    sizes = Sizes._make([*n_rows, train.shape[1], n_close, *n_private])
    scores = [score | private for score, private in zip(closeness.scores, privacy_scores, strict=True)]
    pictures = pictures_of(closeness.reference, closeness.synthetic, closeness.columns, categorical)
    return MetricsReport(
        _measures(scores, sizes), closeness.columns, _notes(sizes), closeness.pairs, sizes, pictures, fitted, names
    )


def _checked_names(names: Sequence[str] | None) -> list[str]:
    if names is None:
        return ["", "", ""]
    if isinstance(names, str) or len(names) != 3:
        raise ValueError(f"names must be three, of the training, synthetic and held-out table, got {names!r}")
    return [str(name) for name in names]


class _Closeness(NamedTuple):
    """The scores of the three candidates, of columns and of pairs, and the rows that the pictures show."""

    scores: list[dict[str, float]]
    columns: list[ColumnMeasure]
    pairs: list[PairMeasure]
    reference: Table
    synthetic: Table


def _closeness(
    train: Table,
    synthetic: Table,
    test: Table,
    max_rows: int,
    options: dict[str, Any],
    rng: np.random.RandomState,
    begin: Callable[[str], None],
) -> _Closeness:
    """Measure the three candidates against as many held-out rows."""
    n = min(max_rows, *(part.shape[0] for part in (train, synthetic, test)))
    reference, fresh = random_rows(test, n, rng), random_rows(train, n, rng)
    candidates = [random_rows(synthetic, n, rng), independent_columns(fresh, rng), fresh]
    # one seed for all three, so that they have the same folds and trees
    seeded = options | {"random_state": rng.randint(2**31)}
    scores = []
    for stage, rows in zip(STAGES, candidates, strict=False):
        begin(stage)
        scores.append(_closeness_scores(reference, rows, n, options, seeded))
    begin("utility")
    skills = column_skills([reference, *candidates], n, **seeded)
    for score, skill in zip(scores, skills, strict=True):
        score["utility"] = skill_fraction(skill, skills[-1])
    names = column_names(train)
    shapes = [shape_errors(reference, rows, **options) for rows in (candidates[0], fresh)]
    by_column = np.transpose([*shapes, skills[0], skills[-1]]).tolist()
    columns = [ColumnMeasure(name, *values) for name, values in zip(names, by_column, strict=True)]
    pairs = _pairs(names, *(pair_errors(reference, rows, **options) for rows in (candidates[0], fresh)))
    return _Closeness(scores, columns, pairs, reference, candidates[0])


def _pairs(names: list[str], of_synthetic: list[PairError], of_fresh: list[PairError]) -> list[PairMeasure]:
    """The pairs whose error is above that of fresh rows by most; both lists have the same pairs."""
    found = [
        PairMeasure(names[a.first], names[a.second], a.error, b.error)
        for a, b in zip(of_synthetic, of_fresh, strict=True)
    ]
    return sorted(found, key=lambda pair: pair.trend_ceiling - pair.trend_error)[:MOST_PAIRS]


def _closeness_scores(
    reference: Table, rows: Table, n: int, options: dict[str, Any], seeded: dict[str, Any]
) -> dict[str, float]:
    """The measures that compare a candidate with held-out rows."""
    diversity, real_diversity = (vendi_score(part, reference=reference, **seeded) for part in (rows, reference))
    return {
        "shape_error": shape_error(reference, rows, **options),
        "trend_error": trend_error(reference, rows, **options),
        "mutual_information_error": mutual_information_error(reference, rows, **options),
        "c2st": c2st(reference, rows, max_rows=n, **seeded),
        "energy_distance": energy_distance(reference, rows, max_rows=n, **seeded),
        "mmd": mmd(reference, rows, **seeded),
        **prdc(reference, rows, **options)._asdict(),
        "vendi_ratio": diversity / real_diversity,
    }


def _privacy(
    train: Table, synthetic: Table, test: Table, max_rows: int, options: dict[str, Any], rng: np.random.RandomState
) -> tuple[list[dict[str, float]], list[int]]:
    """Scores of the three candidates against the training rows, and the numbers of rows used."""
    halves = np.array_split(rng.permutation(test.shape[0]), 2)
    outsiders, fresh = (take_rows(test, half[:max_rows]) for half in halves)
    records = random_rows(train, RECORDS * max_rows, rng)
    candidates = [random_rows(synthetic, RECORDS * max_rows, rng), independent_columns(records, rng), fresh]
    a, b, *spaces = one_hot_space([records, outsiders, *candidates], **options)
    # the records are in random order, so the first ones are a random choice
    members, seed = slice(max_rows), rng.randint(2**31)
    of_outsiders = nearest(a, b, n_neighbors=2)
    scores = [_privacy_scores(a, b, of_outsiders, rows, members, np.random.RandomState(seed)) for rows in spaces]
    for score, rows in zip(scores, candidates, strict=True):
        score["copy_share"] = copy_share(records, take_rows(rows, members))
    n_members = min(max_rows, records.shape[0])
    return scores, [records.shape[0], n_members, outsiders.shape[0], fresh.shape[0]]


def _privacy_scores(
    records: np.ndarray,
    outsiders: np.ndarray,
    of_outsiders: np.ndarray,
    rows: np.ndarray,
    members: slice,
    rng: np.random.RandomState,
) -> dict[str, float]:
    """The measures of privacy of a candidate, all of whose rows the attacker sees."""
    tpr, auc = membership_attack(records[members], outsiders, rows, max_fpr=MAX_FPR)
    distances = nearest(records, rows[members], n_neighbors=2)
    return {
        "dcr_share": fraction_nearer(records, outsiders, rows[members], REPEATS, rng),
        "dcr_ratio": distance_ratio(of_outsiders, distances),
        # with fewer outsiders so low a rate cannot be measured
        "membership_tpr": tpr if len(outsiders) * MAX_FPR >= 1 else float("nan"),
        "membership_auc": auc,
        "memorisation_excess": memorised_excess(of_outsiders, distances),
    }


def _measures(scores: list[dict[str, float]], sizes: Sizes) -> list[Measure]:
    return [_measure(name, [float(score[name]) for score in scores], sizes) for name in FACTS]


def _measure(name: str, scores: list[float], sizes: Sizes) -> Measure:
    fact, (value, floor, ceiling) = FACTS[name], scores
    grade = standing(name, value, floor, ceiling, sizes).grade
    ideal = "ceiling" if fact.ideal is None else fact.ideal
    return Measure(name, fact.group, value, floor, ceiling, ideal, fact.better, fact.misleads, fact.sees, grade)


def _notes(sizes: Sizes) -> list[str]:
    return [
        "floor: training rows, each column shuffled independently; ceiling: fresh real rows.",
        f"Closeness: {sizes.compared} rows of each against as many held-out rows; the fresh rows are training rows.",
        f"Privacy: against {sizes.records} training rows, {sizes.members} of them as members, and {sizes.outsiders} "
        f"held-out rows as outsiders; the fresh rows are {sizes.fresh} other held-out rows.",
    ]
