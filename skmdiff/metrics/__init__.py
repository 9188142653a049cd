"""How close synthetic rows are to real ones, and whether they were copied.

Every function takes tables: DataFrames or 2-D arrays with the same columns in the same order. A column is categorical
when its dtype says so (category, string, boolean, or objects that are not all numbers); `categorical_features` names
columns of numbers that are categories too. Missing cells are compared like the others: a missing category counts as
one more category, a missing number as one more value. No score is good or bad by itself: compare each with the scores
of fresh real rows and of independent columns for the same number of rows. :func:`report` prints all three.
"""

from ._attacks import UniqueExtreme
from ._coverage import PRDC, prdc, vendi_score
from ._geometry import manifold_distance, tangent_angle, trustworthiness_continuity
from ._marginals import mutual_information_error, shape_error, trend_error
from ._privacy import copy_share, dcr_ratio, dcr_share, membership_inference, memorisation_excess
from ._privacy_report import PrivacyMeasure, PrivacyReport, privacy_report
from ._report import MetricsReport, report
from ._scorers import (
    SamplerScorer,
    coverage_scorer,
    detection_scorer,
    make_privacy_scorer,
    make_sampler_scorer,
    trend_scorer,
    utility_scorer,
)
from ._two_sample import c2st, energy_distance, mmd
from ._utility import ColumnUtility, tstr, utility, utility_by_column

__all__ = [
    "PRDC",
    "ColumnUtility",
    "MetricsReport",
    "PrivacyMeasure",
    "PrivacyReport",
    "SamplerScorer",
    "UniqueExtreme",
    "c2st",
    "copy_share",
    "coverage_scorer",
    "dcr_ratio",
    "dcr_share",
    "detection_scorer",
    "energy_distance",
    "make_privacy_scorer",
    "make_sampler_scorer",
    "manifold_distance",
    "membership_inference",
    "memorisation_excess",
    "mmd",
    "mutual_information_error",
    "prdc",
    "privacy_report",
    "report",
    "shape_error",
    "tangent_angle",
    "trend_error",
    "trend_scorer",
    "trustworthiness_continuity",
    "tstr",
    "utility",
    "utility_by_column",
    "utility_scorer",
    "vendi_score",
]
