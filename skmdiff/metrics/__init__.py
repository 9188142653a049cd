"""How close synthetic rows come to real ones, and whether they were copied.

Every function takes whole tables: DataFrames or 2-D arrays with the same columns in the same order. A column
is categorical when its dtype says so (category, string, boolean, or objects that are not all numbers);
`categorical_features` names the columns of an array of numbers that are categories too. Missing cells are
compared like the others: a missing category is a level, a missing number a state of its own. No score is good
or bad by itself: read each beside what fresh real rows and independent columns score with as many rows, as
:func:`report` prints them.
"""

from ._coverage import PRDC, alpha_precision_beta_recall, coverage_precision, prdc, vendi_score
from ._marginals import column_wasserstein, mutual_information_error, shape_error, trend_error
from ._privacy import copy_share, dcr_ratio, dcr_share, membership_inference, memorisation_excess
from ._two_sample import c2st, energy_distance, mmd, wasserstein

__all__ = [
    "PRDC",
    "alpha_precision_beta_recall",
    "c2st",
    "column_wasserstein",
    "copy_share",
    "coverage_precision",
    "dcr_ratio",
    "dcr_share",
    "energy_distance",
    "membership_inference",
    "memorisation_excess",
    "mmd",
    "mutual_information_error",
    "prdc",
    "shape_error",
    "trend_error",
    "vendi_score",
    "wasserstein",
]
