"""All measures of two tables at once, each beside a floor and a ceiling.

Three candidates are measured in the same way: the synthetic rows; the floor, the training rows with each column
shuffled independently; and the ceiling, fresh real rows. Closeness is measured against the held-out rows, and the fresh
rows are the training rows. Privacy is measured against the training rows; half of the held-out rows are the outsiders
of the attack, and the other half are the fresh rows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .._numerics.checks import random_stream
from .._table.frames import column_names
from ._coverage import prdc, vendi_score
from ._marginals import mutual_information_error, shape_error, shape_errors, trend_error
from ._named import measure_named
from ._privacy import copy_share, distance_ratio, fraction_nearer, membership_attack, memorised_excess
from ._tables import (
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
from ._two_sample import c2st, energy_distance, mmd
from ._utility import column_skills, skill_fraction

_MIN_ROWS = 20
# nearest training rows are searched among this many times `max_rows`
_RECORDS = 10
_MAX_FPR = 0.01
_REPEATS = 5

# the colours are those of the browser, light or dark as its user prefers
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Synthetic rows, measured</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }}
body {{ margin: 2em auto; max-width: 75em; padding: 0 1em }}
table {{ border-collapse: collapse }}
th, td {{ padding: .25em .8em; text-align: left; border-bottom: 1px solid #8886; font-variant-numeric: tabular-nums }}
</style>
</head>
<body>
<h1>Synthetic rows, measured</h1>
{notes}
<h2>Measures</h2>
{measures}
<h2>Columns</h2>
{columns}
</body>
</html>
"""

# measure -> (group, better, ideal or None for what the ceiling scores, how it misleads)
_FACTS = {
    "shape_error": ("columns", "lower", 0.0, "sees no dependence"),
    "trend_error": ("pairs of columns", "lower", 0.0, "sees linear dependence and bins only"),
    "mutual_information_error": ("pairs of columns", "lower", 0.0, "sees how much two columns depend, not how"),
    "c2st": ("rows", "lower, to 0.5", 0.5, "with few rows trees learn little; rounding alone can make it 1"),
    "energy_distance": ("rows", "lower", None, "sees means first"),
    "mmd": ("rows", "lower", 0.0, "sees differences at the scale of its bandwidth"),
    "precision": ("coverage", "higher", None, "rewards rows near the middle"),
    "recall": ("coverage", "higher", None, "rewards rows spread too wide"),
    "density": ("coverage", "higher, to 1", 1.0, "rewards rows where the data are dense"),
    "coverage": ("coverage", "higher", None, "copies score as high as fresh rows"),
    "vendi_ratio": ("coverage", "to 1", 1.0, "noise raises it"),
    "utility": ("utility", "higher, to 1", 1.0, "rows with too little noise teach well"),
    "copy_share": ("privacy", "to the ceiling", None, "a copy with one digit changed does not count"),
    "dcr_share": ("privacy", "lower, to 0.5", 0.5, "does not see a few copies; proves no privacy"),
    "dcr_ratio": ("privacy", "to 1", 1.0, "bad rows look private"),
    "membership_tpr": ("privacy", "lower", _MAX_FPR, "a simple attack; says nothing with few held-out rows"),
    "membership_auc": ("privacy", "lower, to 0.5", 0.5, "hides a few copies among many rows"),
    "memorisation_excess": ("privacy", "lower, to 0", 0.0, "copies of rows that occur twice do not count"),
}


class Measure(NamedTuple):
    """One measure of a report; `ideal` is a number, or "ceiling" for the score of fresh real rows."""

    name: str
    group: str
    value: float
    floor: float
    ceiling: float
    ideal: float | str
    better: str
    misleads: str


class ColumnMeasure(NamedTuple):
    """One column of a report: its shape error, and the skill in predicting it."""

    name: str
    shape_error: float
    shape_ceiling: float
    skill_synthetic: float
    skill_real: float


class MetricsReport:
    """Measures beside their floor and ceiling, as :func:`report` returns them.

    Parameters
    ----------
    measures : list of Measure
        One for each measure: name, group, value, floor, ceiling, ideal, better, misleads.
    columns : list of ColumnMeasure
        One for each column of the table: name, shape_error, shape_ceiling, skill_synthetic, skill_real.
    notes : list of str
        Which rows were compared, and how many.

    Attributes
    ----------
    measures, columns, notes
        As given.
    """

    def __init__(self, measures: list[Measure], columns: list[ColumnMeasure], notes: list[str]) -> None:
        self.measures, self.columns, self.notes = measures, columns, notes

    def __getitem__(self, name: str) -> Measure:
        """The measure of a name."""
        return measure_named(name, self.measures)

    def __str__(self) -> str:
        """Aligned plain text, one line a measure."""
        # the longest number in four digits is like -1.234e-05
        header = f"{'measure':<25}{'value':>12}{'floor':>12}{'ceiling':>12}{'ideal':>9}  better"
        lines = [
            f"{m.name:<25}{m.value:>12.4g}{m.floor:>12.4g}{m.ceiling:>12.4g}{_as_text(m.ideal):>9}  {m.better}"
            for m in self.measures
        ]
        return "\n".join([header, *lines, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str | None:
        """The table of the measures for a notebook, which shows the text where there is no pandas."""
        try:
            return _html_table(self.measures, Measure._fields[:-1])
        except ModuleNotFoundError:
            return None

    def to_frame(self) -> Any:
        """The measures as a pandas DataFrame, indexed by name.

        Returns
        -------
        DataFrame of shape (n_measures, 7)
            The columns are the other fields of a measure: group, value, floor, ceiling, ideal, better, misleads.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        return _pandas().DataFrame(self.measures, columns=Measure._fields).set_index("name")

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one HTML page that needs no network and no script.

        Parameters
        ----------
        path : str or path-like
            The file to write.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        page = _PAGE.format(
            notes="\n".join(f"<p>{escape(note)}</p>" for note in self.notes),
            measures=_html_table(self.measures, Measure._fields),
            columns=_html_table(self.columns, ColumnMeasure._fields),
        )
        Path(path).write_text(page, encoding="utf-8")


def report(
    real_train: Table,
    synthetic: Table,
    real_test: Table,
    *,
    max_rows: int = 3000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
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

    Returns
    -------
    MetricsReport
        Prints as text and shows as a table in a notebook; ``result["c2st"]`` is one measure, ``to_frame()`` a
        DataFrame, and ``to_html(path)`` writes a page.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, one column only, or fewer than 20 rows, or `max_rows` is below 20.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import report
    >>> rows = np.random.RandomState(0).normal(size=(300, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    >>> result = report(rows[:100], rows[:100], rows[200:], random_state=0)
    >>> result["copy_share"].value, result["copy_share"].ceiling
    (1.0, 0.0)
    """
    check_max_rows(max_rows, _MIN_ROWS)
    train, synthetic, test = (as_table(part, _MIN_ROWS) for part in (real_train, synthetic, real_test))
    # refuse what cannot be compared before minutes are spent
    aligned([train, synthetic, test], categorical_features)
    rng = random_stream(random_state)
    options = {"categorical_features": categorical_features}
    scores, columns, n_close = _closeness(train, synthetic, test, max_rows, options, rng)
    privacy_scores, n_private = _privacy(train, synthetic, test, max_rows, options, rng)
    rows = [score | private for score, private in zip(scores, privacy_scores, strict=True)]
    return MetricsReport(_measures(*rows), columns, _notes(n_close, n_private))


def _closeness(
    train: Table, synthetic: Table, test: Table, max_rows: int, options: dict[str, Any], rng: np.random.RandomState
) -> tuple[list[dict[str, float]], list[ColumnMeasure], int]:
    """Scores of the three candidates against the held-out rows, the scores of each column, and the number of rows."""
    n = min(max_rows, *(part.shape[0] for part in (train, synthetic, test)))
    reference, fresh = random_rows(test, n, rng), random_rows(train, n, rng)
    candidates = [random_rows(synthetic, n, rng), independent_columns(fresh, rng), fresh]
    # one seed for all three, so that they have the same folds and trees
    seeded = options | {"random_state": rng.randint(2**31)}
    scores = [_closeness_scores(reference, rows, n, options, seeded) for rows in candidates]
    skills = column_skills([reference, *candidates], n, **seeded)
    for score, skill in zip(scores, skills, strict=True):
        score["utility"] = skill_fraction(skill, skills[-1])
    shapes = [shape_errors(reference, rows, **options) for rows in (candidates[0], fresh)]
    by_column = np.transpose([*shapes, skills[0], skills[-1]]).tolist()
    columns = [ColumnMeasure(name, *values) for name, values in zip(column_names(train), by_column, strict=True)]
    return scores, columns, n


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
    records = random_rows(train, _RECORDS * max_rows, rng)
    candidates = [random_rows(synthetic, _RECORDS * max_rows, rng), independent_columns(records, rng), fresh]
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
    tpr, auc = membership_attack(records[members], outsiders, rows, max_fpr=_MAX_FPR)
    distances = nearest(records, rows[members], n_neighbors=2)
    return {
        "dcr_share": fraction_nearer(records, outsiders, rows[members], _REPEATS, rng),
        "dcr_ratio": distance_ratio(of_outsiders, distances),
        # with fewer outsiders so low a rate cannot be measured
        "membership_tpr": tpr if len(outsiders) * _MAX_FPR >= 1 else float("nan"),
        "membership_auc": auc,
        "memorisation_excess": memorised_excess(of_outsiders, distances),
    }


def _measures(synthetic: dict[str, float], floor: dict[str, float], ceiling: dict[str, float]) -> list[Measure]:
    return [
        Measure(
            name,
            group,
            synthetic[name],
            floor[name],
            ceiling[name],
            "ceiling" if ideal is None else ideal,
            better,
            misleads,
        )
        for name, (group, better, ideal, misleads) in _FACTS.items()
    ]


def _notes(n_close: int, n_private: list[int]) -> list[str]:
    n_records, n_members, n_outsiders, n_fresh = n_private
    return [
        "floor: training rows, each column shuffled independently; ceiling: fresh real rows.",
        f"Closeness: {n_close} rows of each candidate against as many held-out rows; the fresh rows are training rows.",
        f"Privacy: against {n_records} training rows, {n_members} of them as members, and {n_outsiders} held-out "
        f"rows as outsiders; the fresh rows are {n_fresh} other held-out rows.",
    ]


def _as_text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _html_table(entries: Sequence[tuple[Any, ...]], fields: Sequence[str]) -> str:
    """The given fields of named tuples, which are their first ones, as an HTML table; all texts are escaped."""
    pd = _pandas()
    cells = [[_as_text(value) for value in entry[: len(fields)]] for entry in entries]
    # pandas cuts long texts to the width of its display
    with pd.option_context("display.max_colwidth", None):
        header = [field.replace("_", " ") for field in fields]
        return pd.DataFrame(cells, columns=header).to_html(escape=True, index=False, border=0)


def _pandas() -> ModuleType:
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('to_frame and to_html need pandas; pip install "skmdiff[frames]"') from error
    return pandas
