"""What a report is made of: measures, columns, pairs, sizes, and what is known of each measure beforehand."""

from __future__ import annotations

from typing import NamedTuple

MAX_FPR = 0.01


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
    sees: str
    grade: str


class ColumnMeasure(NamedTuple):
    """One column of a report: its shape error, and the skill in predicting it."""

    name: str
    shape_error: float
    shape_ceiling: float
    skill_synthetic: float
    skill_real: float


class PairMeasure(NamedTuple):
    """Two columns of a report: the error of their dependence, and that of fresh rows."""

    first: str
    second: str
    trend_error: float
    trend_ceiling: float


class Sizes(NamedTuple):
    """Numbers of rows: of the tables, then of those compared; and the number of columns."""

    train: int
    synthetic: int
    held_out: int
    columns: int
    compared: int
    records: int
    members: int
    outsiders: int
    fresh: int


class Fact(NamedTuple):
    """What is known of a measure: its group, what is better, the ideal (None: the ceiling), what it sees and misses."""

    group: str
    better: str
    ideal: float | None
    sees: str
    misleads: str


PRIVACY, UTILITY = "privacy", "utility"
FACTS = {
    "shape_error": Fact(
        "columns",
        "lower",
        0.0,
        "mean difference of the single columns",
        "sees no dependence: shuffled columns score as well as fresh rows",
    ),
    "trend_error": Fact(
        "pairs of columns",
        "lower",
        0.0,
        "mean difference of correlations and of tables of two columns",
        "sees linear dependence and bins only",
    ),
    "mutual_information_error": Fact(
        "pairs of columns",
        "lower",
        0.0,
        "mean difference of how strongly two columns depend",
        "sees how much two columns depend, not how",
    ),
    "c2st": Fact(
        "rows",
        "lower, to 0.5",
        0.5,
        "how well trees tell synthetic rows from real ones; 0.5 is a guess",
        "with few rows trees learn little; rounding alone can make it 1",
    ),
    "energy_distance": Fact(
        "rows",
        "lower",
        None,
        "how much farther synthetic rows lie from real ones than real ones do",
        "sees means first",
    ),
    "mmd": Fact(
        "rows",
        "lower",
        0.0,
        "difference of the distributions through a Gaussian kernel",
        "sees differences at the scale of its bandwidth",
    ),
    "precision": Fact(
        "coverage", "higher", None, "synthetic rows that lie where real rows are", "rewards rows near the middle"
    ),
    "recall": Fact(
        "coverage", "higher", None, "real rows that lie where synthetic rows are", "rewards rows spread too wide"
    ),
    "density": Fact(
        "coverage",
        "higher, to 1",
        1.0,
        "how dense the real rows are around synthetic ones",
        "rewards rows where the data are dense",
    ),
    "coverage": Fact(
        "coverage", "higher", None, "real rows that have a synthetic row near", "copies score as high as fresh rows"
    ),
    "vendi_ratio": Fact(
        "coverage", "to 1", 1.0, "effective number of different rows, against real ones", "noise raises it"
    ),
    "utility": Fact(
        UTILITY,
        "higher, to 1",
        1.0,
        "what trees learn from synthetic rows, of what they learn from real ones",
        "rows with too little noise teach well",
    ),
    "copy_share": Fact(
        PRIVACY,
        "to the ceiling",
        None,
        "synthetic rows that equal a training row",
        "a copy with one digit changed does not count",
    ),
    "dcr_share": Fact(
        PRIVACY,
        "lower, to 0.5",
        0.5,
        "synthetic rows nearer to a training row than to a held-out one",
        "does not see a few copies; proves no privacy",
    ),
    "dcr_ratio": Fact(
        PRIVACY,
        "to 1",
        1.0,
        "distance to the nearest training row, against that of held-out rows",
        "bad rows look private",
    ),
    "membership_tpr": Fact(
        PRIVACY,
        "lower",
        MAX_FPR,
        "training rows that an attack by distance finds, at one false alarm in a hundred",
        "a simple attack; says nothing with few held-out rows",
    ),
    "membership_auc": Fact(
        PRIVACY,
        "lower, to 0.5",
        0.5,
        "how well the same attack tells training rows from held-out ones",
        "hides a few copies among many rows",
    ),
    "memorisation_excess": Fact(
        PRIVACY,
        "lower, to 0",
        0.0,
        "synthetic rows much nearer to one training row than to others, minus held-out rows",
        "copies of rows that occur twice do not count",
    ),
}
