"""Which estimators are given weights: what takes them is fitted with them, what does not is fitted without."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import MetadataRouter, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter
from stand_ins import LABELS, Copies, X, logistic

from skmdiff import AugmentedClassifier, AugmentedRegressor
from skmdiff._applications.routing import route_to_parts, weight_name

WEIGHT = np.linspace(1, 2, 60)


def nearest():
    return KNeighborsClassifier()


def asking(estimator):
    return estimator.set_fit_request(sample_weight=True)


def is_fitted(wrapped):
    return AugmentedClassifier(wrapped, Copies(), gate=False).fit(X, LABELS).augmented_


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it was fitted with; predicts the first class."""

    def fit(self, X, y, sample_weight=None, eval_set=None):
        self.classes_, self.weight_, self.eval_set_ = np.unique(y), sample_weight, eval_set
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class WeightedCopies(Copies):
    """A generator that keeps its weights and one more argument of `fit`."""

    given = []

    def fit(self, X, y, sample_weight=None, hint=None):
        self.given.append((sample_weight, hint))
        return super().fit(X, y)


@pytest.fixture
def routing():
    WeightedCopies.given.clear()
    with sklearn.config_context(enable_metadata_routing=True):
        yield


# --- without metadata routing: by the signature of fit


@pytest.mark.parametrize(
    ("wrapped", "name"),
    [
        (logistic(), "sample_weight"),
        (nearest(), None),
        (make_pipeline(StandardScaler(), logistic()), "logisticregression__sample_weight"),
        (make_pipeline(StandardScaler(), nearest()), None),
        (make_pipeline(make_pipeline(logistic())), "pipeline__logisticregression__sample_weight"),
        (CalibratedClassifierCV(GaussianNB(), cv=2), "sample_weight"),
        (BaggingClassifier(GaussianNB(), 2), "sample_weight"),
        (GridSearchCV(GaussianNB(), {}, cv=2), None),
    ],
    ids=str,
)
def test_where_weights_go(wrapped, name):
    assert weight_name(wrapped) == name and is_fitted(wrapped)


@pytest.mark.parametrize(
    "wrapped",
    [
        VotingClassifier([("a", logistic()), ("b", "drop")]),
        StackingClassifier([("a", GaussianNB())], logistic(), cv=2),
    ],
    ids=str,
)
def test_votes_and_stacks_are_fitted(wrapped):
    """Their `fit` names the weights or does not, by the version of scikit-learn."""
    assert is_fitted(wrapped)


def test_an_error_about_weights_says_what_to_do():
    class Refusing(Recorder):
        def fit(self, X, y, sample_weight=None):
            if sample_weight is not None:
                raise ValueError("The member does not support sample_weight.")
            return super().fit(X, y)

    with pytest.raises(ValueError, match="The member does not support") as caught:
        is_fitted(Refusing())
    notes = getattr(caught.value, "__notes__", None)
    assert notes is None or ("Refusing was given weights" in notes[0] and "set_fit_request" in notes[0])


def test_no_weights_where_a_step_changes_the_number_of_rows():
    over = pytest.importorskip("imblearn.over_sampling").RandomOverSampler(random_state=0)
    wrapped = pytest.importorskip("imblearn.pipeline").make_pipeline(over, logistic())
    for outer in (wrapped, make_pipeline(StandardScaler(), wrapped), GridSearchCV(wrapped, {}, cv=2)):
        assert weight_name(outer) is None and is_fitted(outer)
    with pytest.raises(TypeError, match="sample_weight must be None if.*set_fit_request"):
        AugmentedClassifier(wrapped, Copies()).fit(X, LABELS, sample_weight=2.0)


# --- with metadata routing


@pytest.mark.parametrize("kind", [AugmentedClassifier, AugmentedRegressor])
def test_they_are_routers(kind):
    model = kind(logistic())
    assert isinstance(get_routing_for_object(model), MetadataRouter) and has_fit_parameter(model, "sample_weight")


def routed_cases():
    """Made in the test: imbalanced-learn, where it is imported, changes what a request made before may be asked."""
    yield asking(logistic()), "sample_weight"
    yield logistic(), None
    yield logistic().set_fit_request(sample_weight=False), None
    yield nearest(), None
    yield AdaBoostClassifier(), None
    yield make_pipeline(logistic()), None
    yield make_pipeline(asking(logistic())), "sample_weight"
    yield make_pipeline(asking(StandardScaler()), asking(logistic())), "sample_weight"
    yield VotingClassifier([("a", asking(logistic())), ("b", nearest())]), "sample_weight"
    yield StackingClassifier([("a", asking(GaussianNB()))], asking(logistic()), cv=2), "sample_weight"
    yield CalibratedClassifierCV(asking(GaussianNB()), cv=2), "sample_weight"


def test_where_weights_are_routed(routing):
    for wrapped, name in routed_cases():
        assert weight_name(wrapped) == name and is_fitted(wrapped), wrapped


def test_weights_reach_what_requests_them(routing):
    """Estimator and generator each by its own request; the gate and the draws know them in any case."""
    for estimator_asks in (True, False):
        for sampler_asks in (True, False):
            WeightedCopies.given.clear()
            model = AugmentedClassifier(
                Recorder().set_fit_request(sample_weight=estimator_asks),
                WeightedCopies().set_fit_request(sample_weight=sampler_asks),
                gate=False,
            ).fit(X, LABELS, sample_weight=WEIGHT)
            found = model.estimator_.weight_
            assert (found is not None) == estimator_asks
            assert not estimator_asks or np.array_equal(found[:60], WEIGHT)
            assert (
                np.array_equal(WeightedCopies.given[-1][0], WEIGHT)
                if sampler_asks
                else (WeightedCopies.given[-1][0] is None)
            )


def test_other_metadata_reach_what_requests_them(routing):
    model = AugmentedClassifier(
        Recorder().set_fit_request(sample_weight=False, eval_set=True),
        WeightedCopies().set_fit_request(sample_weight=False, hint=True),
        gate=False,
    ).fit(X, LABELS, eval_set="rows", hint="sign")
    assert model.estimator_.eval_set_ == "rows" and WeightedCopies.given == [(None, "sign")]
    with pytest.raises(TypeError, match="unexpected argument"):
        clone(model).fit(X, LABELS, groups=LABELS)


def test_requests_left_open_are_refused(routing):
    for estimator, sampler in ((Recorder(), Copies()), (asking(Recorder()), WeightedCopies())):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            AugmentedClassifier(estimator, sampler, gate=False).fit(X, LABELS, sample_weight=WEIGHT)


def test_the_default_generator_requests_weights(routing):
    asked = AugmentedClassifier(asking(Recorder())).get_metadata_routing().consumes("fit", ["sample_weight"])
    assert asked == {"sample_weight"}
    assert route_to_parts(AugmentedClassifier(asking(Recorder())), WEIGHT, {}) == ({}, {})


def test_weights_are_routed_through_a_search(routing):
    seen = []

    class Shared(Recorder):
        def fit(self, X, y, sample_weight=None):
            seen.append(sample_weight)
            return super().fit(X, y)

    model = AugmentedClassifier(asking(Shared()), Copies(), gate=False)
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    cross_val_score(model, X, LABELS, cv=2, params={"sample_weight": np.full(60, 3.0)})
    assert len(seen) == 2 and all((weight[:30] == 3).all() for weight in seen)
