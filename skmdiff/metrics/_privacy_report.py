"""What synthetic rows tell of single training rows, with intervals: `privacy_report`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from .._numerics.checks import check_integer, check_real, random_stream
from .._table.frames import column_names
from ._attacks import (
    Columns,
    Compared,
    Scores,
    UniqueExtreme,
    compared,
    density_scores,
    distance_scores,
    nearer,
    outliers,
    ranks,
    relative_scores,
    unique_extremes,
    with_rare_category,
)
from ._intervals import area_interval, difference_interval, fraction_interval, rate_at, rate_interval, wilson_interval
from ._named import NamedMeasures
from ._privacy import memorised, row_tuples
from ._report.privacy_page import privacy_page
from ._tables import CategoricalFeatures, Seed, Table, aligned, as_table, check_max_rows, nearest

_MIN_ROWS = 20
# nearest rows are searched among this many times `max_rows`
_RECORDS = 10
_MAX_FPR = 0.01
_UNKNOWN = (float("nan"), float("nan"))
# what fresh rows score is an estimate too: the measure "..._excess" says whether there is a difference
_FRESH_ESTIMATED = ("copies", "unique_extremes")
_MEANINGS = {
    "copies": "synthetic rows that equal a training row",
    "copies_excess": "the same, minus the fraction of held-out rows that equal one",
    "nearer_to_train": "synthetic rows nearer to a training row than to one of as many held-out rows",
    "memorisation_excess": "synthetic rows much nearer to one training row than to others, minus held-out rows",
    "distance": "by the distance to the nearest synthetic row",
    "relative_distance": "by how much nearer the nearest synthetic row is than the nearest reference row",
    "density_ratio": "by trees that tell synthetic rows from reference rows",
    "outliers": "among outliers, by relative distance",
    "rare_categories": "among rows with a rare category, by relative distance",
    "unique_extremes": "extremes of columns, held by one training row each, that are in synthetic rows",
    "unique_extremes_excess": "the same, minus the fraction of the unique extremes of held-out rows",
}


class PrivacyMeasure(NamedTuple):
    """One measure: its value, an interval, what fresh real rows score, how many rows it is of, and what it says."""

    name: str
    value: float
    low: float
    high: float
    fresh: float
    n_rows: int
    meaning: str


class PrivacyReport(NamedMeasures[PrivacyMeasure]):
    """What synthetic rows tell of training rows, as :func:`privacy_report` returns it.

    A mapping from names to measures: ``report["copies"]``, ``"copies" in report``, ``report.items()``.

    Parameters
    ----------
    measures : list of PrivacyMeasure
        One for each measure: name, value, low, high, fresh, n_rows, meaning.
    extremes : list of UniqueExtreme
        One for each end of a column that one training row holds: column, end ("least" or "greatest"), n_returned.
    risk : ndarray of shape (n_train,)
        Risk of each training row.
    is_outlier, has_rare_category : ndarray of shape (n_train,)
        Which training rows are outliers, and which hold a rare category.
    notes : list of str
        Which rows were compared.

    Attributes
    ----------
    measures, extremes, risk, is_outlier, has_rare_category, notes
        As given.
    """

    def __init__(
        self,
        measures: list[PrivacyMeasure],
        extremes: list[UniqueExtreme],
        risk: np.ndarray,
        is_outlier: np.ndarray,
        has_rare_category: np.ndarray,
        notes: list[str],
    ) -> None:
        self.measures, self.extremes, self.notes = measures, extremes, notes
        self.risk, self.is_outlier, self.has_rare_category = risk, is_outlier, has_rare_category

    @property
    def above_fresh(self) -> list[str]:
        """Names of the measures whose whole interval lies above what fresh real rows score."""
        return [m.name for m in self.measures if m.low > m.fresh and m.name not in _FRESH_ESTIMATED]

    def __str__(self) -> str:
        """Aligned plain text, one line a measure."""
        header = f"{'measure':<24}{'value':>9}{'low':>9}{'high':>9}{'fresh':>9}{'rows':>8}"
        lines = [
            f"{m.name:<24}{m.value:>9.4f}{m.low:>9.4f}{m.high:>9.4f}{m.fresh:>9.4f}{m.n_rows:>8}" for m in self.measures
        ]
        above = ", ".join(self.above_fresh) or "none"
        return "\n".join([header, *lines, f"above fresh rows by the whole interval: {above}", *self.notes])

    __repr__ = __str__

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The measures as plain dicts.

        Returns
        -------
        dict of str to dict
            For each name of a measure its value, low, high, fresh, n_rows and meaning.
        """
        return {m.name: {key: value for key, value in m._asdict().items() if key != "name"} for m in self.measures}

    def to_frame(self) -> Any:
        """The measures as a pandas DataFrame, indexed by name.

        Returns
        -------
        DataFrame of shape (n_measures, 6)
            The columns are the other fields of a measure: value, low, high, fresh, n_rows, meaning.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        import pandas

        return pandas.DataFrame(self.measures, columns=PrivacyMeasure._fields).set_index("name")

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one HTML page that needs no network and no script: a verdict, the measures with their intervals.

        Parameters
        ----------
        path : str or path-like
            The file to write.
        """
        Path(path).write_text(privacy_page(self), encoding="utf-8")


def privacy_report(
    train: Table,
    synthetic: Table,
    holdout: Table,
    *,
    max_rows: int = 10_000,
    rare_count: int = 5,
    outlier_fraction: float = 0.05,
    confidence: float = 0.95,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> PrivacyReport:
    """Measure what synthetic rows tell of single training rows.

    Each measure has an interval and the value that fresh real rows would score, which is the ideal. Above it the
    synthetic rows tell of training rows; below it is chance. The measures:

    - "copies": fraction of the synthetic rows that equal a training row in every cell; "copies_excess": that minus the
      fraction of held-out rows that do.
    - "nearer_to_train": fraction of the synthetic rows that lie nearer to a training row than to one of as many
      held-out rows (:func:`dcr_share`).
    - "memorisation_excess": see :func:`memorisation_excess`.
    - "distance", "relative_distance", "density_ratio", each "_auc" and "_tpr": how well an attacker tells training rows
      from held-out rows by the nearest synthetic row, by how much nearer it is than real rows are, or by
      gradient-boosted trees that tell synthetic from real rows. "_auc" is the area under the ROC curve, "_tpr" the
      fraction of training rows found while 1 % of the held-out rows is called members by mistake.
    - "outliers_auc", "rare_categories_auc": "relative_distance_auc" among the rows at risk.
    - "unique_extremes": fraction of the extremes of columns, held by one training row each, that are in synthetic rows;
      "unique_extremes_excess": that minus the fraction for the extremes of held-out rows.

    No measure proves privacy: a better attack may find more, and there is no bound as of differential privacy. With
    fewer than 436 outsiders, one half of the held-out rows, or all of them for "distance", the interval of a "_tpr"
    begins at 0. In a report of fresh rows about one interval in forty is above by chance.

    Parameters
    ----------
    train, synthetic, holdout : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, its samples, and real rows that it never saw: 20 or more of each,
        with the same columns in the same order. If `train` and `holdout` differ in distribution, the attacks see that.
    max_rows : int, default=10_000
        Maximum number of random rows of each table to compare, at least 20; nearest rows are searched among ten times
        as many, and copies and extremes among all.
    rare_count : int, default=5
        A category is rare if fewer of the training and held-out rows than this hold it.
    outlier_fraction : float, default=0.05
        Fraction of the training and held-out rows, those farthest from their five nearest real rows, that are outliers.
    confidence : float, default=0.95
        Confidence of each interval.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows, of the halves of the held-out rows, and of the trees.

    Returns
    -------
    PrivacyReport
        Prints as text; ``result["copies"]`` is one measure, `above_fresh` the names of those whose whole interval is
        above that of fresh rows, ``to_frame()`` a DataFrame; ``to_html(path)`` writes a page. `risk` of a training row
        is the fraction of outsiders to which the synthetic rows lie less near, in comparison with reference rows: 0.5
        is typical, 1 is nearest; nan for training rows beyond `max_rows`. `extremes` says of each column how many
        synthetic rows hold its extremes.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns or fewer than 20 rows, or a parameter is out of range.

    See Also
    --------
    report : Measures of closeness, utility and privacy side by side.

    References
    ----------
    Stadler, T., Oprisanu, B., & Troncoso, C. (2022). Synthetic data - anonymisation groundhog day. USENIX Security.

    van Breugel, B., Sun, H., Qian, Z., & van der Schaar, M. (2023). Membership inference attacks against synthetic data
    through overfitting detection. AISTATS.

    Carlini, N., Chien, S., Nasr, M., Song, S., Terzis, A., & Tramèr, F. (2022). Membership inference attacks
    from first principles. IEEE S&P.

    Platzer, M., & Reutterer, T. (2021). Holdout-based empirical assessment of mixed-type synthetic data. Frontiers in
    Big Data.

    Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
    Statistics in Medicine.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import privacy_report
    >>> rows = np.random.RandomState(0).normal(size=(600, 3))
    >>> train, holdout, fresh = np.split(rows, 3)
    >>> privacy_report(train, fresh, holdout, random_state=0).above_fresh
    []
    >>> privacy_report(train, train, holdout, random_state=0)["distance_auc"].value
    1.0
    """
    check_max_rows(max_rows, _MIN_ROWS)
    check_integer(rare_count, "rare_count", 1)
    check_real(outlier_fraction, "outlier_fraction", high=1)
    check_real(confidence, "confidence", high=1)
    rng = random_stream(random_state)
    tables = [as_table(table, _MIN_ROWS) for table in (train, synthetic, holdout)]
    columns, categorical = aligned(tables, categorical_features)
    orders = [rng.permutation(table.shape[0])[: _RECORDS * max_rows] for table in tables]
    rows = compared(columns, categorical, orders, max_rows)
    relative = relative_scores(rows)
    is_outlier = outliers(rows, outlier_fraction)
    rare = with_rare_category(columns[0], columns[2], categorical, rare_count)
    is_rare = rare[0][orders[0]][rows.members], rare[1][orders[2]][rows.outsiders]
    names = column_names(tables[0])
    extremes, fresh_extremes = (list(unique_extremes(columns[k], columns[1], categorical, names)) for k in (0, 2))
    measures = [
        *_copies(columns, confidence),
        *_near(rows, max_rows, confidence),
        *_attack("distance", distance_scores(rows), confidence),
        *_attack("relative_distance", relative, confidence),
        *_attack("density_ratio", density_scores(rows, rng.randint(2**31)), confidence),
        _attack_among("outliers", relative, is_outlier, confidence),
        _attack_among("rare_categories", relative, is_rare, confidence),
        *_extremes(extremes, fresh_extremes, confidence),
    ]
    risk, outlier = np.full(len(rare[0]), np.nan), np.zeros(len(rare[0]), dtype=bool)
    risk[orders[0][rows.members]], outlier[orders[0][rows.members]] = ranks(relative), is_outlier[0]
    return PrivacyReport(measures, extremes, risk, outlier, rare[0], _notes(rows, confidence))


def _measure(
    name: str, value: float, interval: tuple[float, float], fresh: float, n_rows: int, meaning: str = ""
) -> PrivacyMeasure:
    return PrivacyMeasure(name, float(value), *interval, float(fresh), n_rows, meaning or _MEANINGS[name])


def _copies(tables: list[Columns], confidence: float) -> list[PrivacyMeasure]:
    train, synthetic, holdout = (list(row_tuples(table)) for table in tables)
    seen = set(train)
    counts = [sum(row in seen for row in part) for part in (synthetic, holdout)]
    return _with_excess("copies", counts[0], len(synthetic), counts[1], len(holdout), confidence)


def _with_excess(
    name: str, count: int, n: int, fresh_count: int, n_fresh: int, confidence: float
) -> list[PrivacyMeasure]:
    """A fraction, and what it is above that of fresh rows; nan where there is nothing to count."""
    if min(n, n_fresh) == 0:
        return [_measure(part, np.nan, _UNKNOWN, np.nan, n) for part in (name, f"{name}_excess")]
    share, fresh = count / n, fresh_count / n_fresh
    excess = difference_interval(share, n, fresh, n_fresh, confidence)
    return [
        _measure(name, share, fraction_interval(count, n, confidence), fresh, n),
        _measure(f"{name}_excess", share - fresh, excess, 0.0, n),
    ]


def _near(rows: Compared, max_rows: int, confidence: float) -> list[PrivacyMeasure]:
    share, n_independent = nearer(rows, max_rows)
    made, fresh = (
        memorised(nearest(rows.train, part[:max_rows], n_neighbors=2)) for part in (rows.synthetic, rows.holdout)
    )
    excess = difference_interval(made.mean(), len(made), fresh.mean(), len(fresh), confidence)
    interval = wilson_interval(share, n_independent, confidence)
    return [
        _measure("nearer_to_train", share, interval, 0.5, len(made)),
        _measure("memorisation_excess", made.mean() - fresh.mean(), excess, 0.0, len(made)),
    ]


def _area(name: str, scores: Scores, confidence: float, meaning: str) -> PrivacyMeasure:
    """The area under the ROC curve of an attack; nan where there are no members or no others."""
    n_members, n_others = map(len, scores)
    if min(n_members, n_others) == 0:
        return _measure(name, np.nan, _UNKNOWN, 0.5, n_members, meaning)
    area = roc_auc_score(np.repeat([1, 0], [n_members, n_others]), np.concatenate(scores))
    return _measure(name, area, area_interval(area, n_members, n_others, confidence), 0.5, n_members, meaning)


def _attack(name: str, scores: Scores, confidence: float) -> list[PrivacyMeasure]:
    area = _area(f"{name}_auc", scores, confidence, f"area under the ROC curve of an attack {_MEANINGS[name]}")
    interval = rate_interval(*scores, _MAX_FPR, confidence)
    meaning = f"training rows found at a false positive rate of {_MAX_FPR} {_MEANINGS[name]}"
    rate = _measure(f"{name}_tpr", rate_at(*scores, _MAX_FPR), interval, _MAX_FPR, len(scores[0]), meaning)
    return [area, rate]


def _attack_among(name: str, scores: Scores, chosen: Scores, confidence: float) -> PrivacyMeasure:
    members, others = (part[among] for part, among in zip(scores, chosen, strict=True))
    meaning = f"area under the ROC curve of an attack {_MEANINGS[name]}"
    return _area(f"{name}_auc", (members, others), confidence, meaning)


def _extremes(extremes: list[UniqueExtreme], fresh: list[UniqueExtreme], confidence: float) -> list[PrivacyMeasure]:
    """How many of the extremes of training rows and of held-out rows are in synthetic rows."""
    counts = [sum(extreme.n_returned > 0 for extreme in part) for part in (extremes, fresh)]
    return _with_excess("unique_extremes", counts[0], len(extremes), counts[1], len(fresh), confidence)


def _notes(rows: Compared, confidence: float) -> list[str]:
    n_outsiders = len(rows.holdout[rows.outsiders])
    return [
        f"low, high: interval of {100 * confidence:g} %; fresh: what fresh real rows score.",
        f"{rows.n_members} training rows as members, {rows.n_targets} held-out rows ({n_outsiders} as outsiders, the "
        f"others as reference), {len(rows.synthetic)} synthetic rows.",
        "No attack proves privacy: a better one may find more.",
    ]
