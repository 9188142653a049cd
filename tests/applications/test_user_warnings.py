"""Warnings point to the line of this file that called, through whatever lies between."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionOverSampler, ManifoldDiffusionSampler
from skmdiff._numerics.warnings_ import warn_user
from skmdiff.pipeline import make_sampler_pipeline

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 2)), np.repeat([0, 1], [30, 10])  # half of the rows break x0 <= x1
GAPPY = np.where(RNG.random((40, 2)) < 0.1, np.nan, X)


def sampler(**parameters):
    quick = dict(max_iter=2, hidden_layer_sizes=(8,), n_steps=2, random_state=0)
    return ManifoldDiffusionSampler(**{**quick, "constraints": [("x0", "<=", "x1")], **parameters})


WAYS = {
    "sampler": lambda: sampler().fit(X),
    "imputer": lambda: ManifoldDiffusionImputer(sampler(), random_state=0).fit(GAPPY),
    "imputer's fit_transform": lambda: ManifoldDiffusionImputer(sampler(), random_state=0).fit_transform(GAPPY),
    "over-sampler": lambda: ManifoldDiffusionOverSampler(sampler(), random_state=0).fit_resample(X, Y),
    "sampler pipeline": lambda: make_sampler_pipeline(FunctionTransformer(), sampler()).fit(X),
    "pipeline": lambda: make_pipeline(FunctionTransformer(), sampler()).fit(X),
    "search": lambda: GridSearchCV(sampler(), {"max_iter": [1]}, cv=2).fit(X),
    "manifold": lambda: sampler(constraints=None, manifold=make_pipeline(Flat()), max_landmarks=30).fit(X),
}


class Flat(BaseEstimator):
    """A manifold learner that gives every row the same coordinates."""

    def fit(self, X, y=None):
        return self

    def fit_transform(self, X, y=None):
        return np.ones((len(X), 2))


@pytest.mark.parametrize("way", WAYS)
def test_a_warning_points_to_the_line_of_the_user(way):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        WAYS[way]()
    ours = [w for w in caught if "is broken by" in str(w.message) or "same embedding" in str(w.message)]
    assert ours and {(w.filename, w.lineno) for w in ours} == {(__file__, line_of(way))}


def line_of(way):
    return inspect.getsourcelines(WAYS[way])[1]


def test_from_a_function_of_the_user_it_is_the_line_of_the_call():
    with pytest.warns(RuntimeWarning, match="here") as caught:
        warn_user("here", RuntimeWarning)
    line = inspect.currentframe().f_lineno - 1
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)
