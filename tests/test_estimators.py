"""Every estimator of the package is found, not listed, and passes the checks of scikit-learn."""

import importlib
import pkgutil
import warnings

import pytest
from jitter import Jitter
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.manifold import Isomap
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from stand_ins import logistic

import skmdiff
from skmdiff import (
    AugmentedClassifier,
    AugmentedRegressor,
    ManifoldDiffusionImputer,
    ManifoldDiffusionOverSampler,
    ManifoldDiffusionSampler,
    SamplerPipeline,
    make_sampler_pipeline,
)
from skmdiff._files.registry import NotKept

STEPS = "steps are fitted in place, as those of any Pipeline of scikit-learn"
WEIGHTS = "integer weights are repeated rows for the generator in distribution only: training draws rows at random"


def sampler(**parameters):
    """A sampler that takes no time: the checks ask for manners, not for good rows."""
    defaults = dict(max_iter=2, hidden_layer_sizes=(8,), n_steps=2, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


INSTANCES = {
    ManifoldDiffusionSampler: [
        sampler(sigma_start="auto"),
        sampler(manifold="passthrough"),
        sampler(manifold=Isomap(n_neighbors=3)),
    ],
    ManifoldDiffusionImputer: [ManifoldDiffusionImputer(sampler(random_state=None), random_state=0)],
    ManifoldDiffusionOverSampler: [ManifoldDiffusionOverSampler(sampler=Jitter(), random_state=0)],
    AugmentedClassifier: [AugmentedClassifier(logistic(), Jitter(), cv=2, random_state=0)],
    AugmentedRegressor: [AugmentedRegressor(Ridge(), Jitter(), gate=False, random_state=0)],
    SamplerPipeline: [make_sampler_pipeline(StandardScaler(), sampler())],
}
EXPECTED_FAILURES = {
    AugmentedClassifier: {"check_sample_weight_equivalence_on_dense_data": WEIGHTS},
    AugmentedRegressor: {"check_sample_weight_equivalence_on_dense_data": WEIGHTS},
    SamplerPipeline: {"check_estimators_overwrite_params": STEPS, "check_dont_overwrite_parameters": STEPS},
}


def found_estimators():
    """Every estimator class of the package but bases of others."""
    names = [name for _, name, _ in pkgutil.walk_packages(skmdiff.__path__, "skmdiff.") if name != "skmdiff.__main__"]
    everything = [value for name in names for value in vars(importlib.import_module(name)).values()]
    classes = {value for value in everything if isinstance(value, type) and issubclass(value, BaseEstimator)}
    ours = {cls for cls in classes if cls.__module__.startswith("skmdiff")}
    bases = {base for cls in ours for base in cls.__mro__[1:]}
    return ours - bases


def test_every_estimator_that_is_found_is_checked():
    assert found_estimators() - {NotKept} == set(INSTANCES)  # NotKept only says what a model file lacks


@pytest.mark.parametrize("cls", INSTANCES)
def test_every_estimator_is_exported(cls):
    assert cls.__name__ in skmdiff.__all__ and getattr(skmdiff, cls.__name__) is cls


@parametrize_with_checks(
    [instance for instances in INSTANCES.values() for instance in instances],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator), {}),
)
def test_scikit_learn_checks(estimator, check):
    with warnings.catch_warnings():
        # tables of a few rows clamp n_neighbors and n_components, or have classes of one row: both are announced
        warnings.simplefilter("ignore", UserWarning)
        check(estimator)
