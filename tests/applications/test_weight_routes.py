"""Which estimators are given weights: what takes them is fitted with them, what does not is fitted without."""

import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stand_ins import LABELS, Copies, X, logistic

from skmdiff import AugmentedClassifier
from skmdiff._applications.routing import weight_name


def nearest():
    return KNeighborsClassifier()


def is_fitted(wrapped):
    return AugmentedClassifier(wrapped, Copies(), gate=False).fit(X, LABELS).augmented_


@pytest.mark.parametrize(
    ("wrapped", "name"),
    [
        (logistic(), "sample_weight"),
        (nearest(), None),
        (make_pipeline(StandardScaler(), logistic()), "logisticregression__sample_weight"),
        (make_pipeline(StandardScaler(), nearest()), None),
        (VotingClassifier([("a", logistic()), ("b", "drop")]), "sample_weight"),
        (VotingClassifier([("a", logistic()), ("b", nearest())]), None),
        (VotingClassifier([("a", make_pipeline(logistic()))]), None),
        (StackingClassifier([("a", GaussianNB())], logistic(), cv=2), "sample_weight"),
        (StackingClassifier([("a", GaussianNB())], nearest(), cv=2), None),
        (CalibratedClassifierCV(GaussianNB(), cv=2), "sample_weight"),
        (CalibratedClassifierCV(nearest(), cv=2), None),
        (CalibratedClassifierCV(make_pipeline(GaussianNB()), cv=2), None),
        (BaggingClassifier(nearest(), 2), None),
        (BaggingClassifier(GaussianNB(), 2), "sample_weight"),
        (GridSearchCV(GaussianNB(), {}, cv=2), None),
    ],
    ids=str,
)
def test_where_weights_go(wrapped, name):
    assert weight_name(wrapped) == name and is_fitted(wrapped)


def test_no_weights_where_a_step_changes_the_number_of_rows():
    over = pytest.importorskip("imblearn.over_sampling").RandomOverSampler(random_state=0)
    wrapped = pytest.importorskip("imblearn.pipeline").make_pipeline(over, logistic())
    for outer in (
        wrapped,
        make_pipeline(StandardScaler(), wrapped),
        VotingClassifier([("a", wrapped)]),
        GridSearchCV(wrapped, {}, cv=2),
    ):
        assert weight_name(outer) is None and is_fitted(outer)
    with sklearn.config_context(enable_metadata_routing=True):
        asked = clone(wrapped)
        asking(asked[-1])
        voting = VotingClassifier([("a", asked)])
        assert weight_name(voting) is None and is_fitted(voting)
    with pytest.raises(TypeError, match="sample_weight must be None where"):
        AugmentedClassifier(wrapped, Copies()).fit(X, LABELS, sample_weight=2.0)


def asking(estimator):
    return estimator.set_fit_request(sample_weight=True)


def routed_cases():
    """Made in the test: imbalanced-learn, where it is imported, changes what a request made before may be asked."""
    yield logistic(), "sample_weight"
    yield nearest(), None
    yield AdaBoostClassifier(), None
    yield make_pipeline(logistic()), None
    yield make_pipeline(asking(logistic())), "sample_weight"
    yield make_pipeline(StandardScaler(), asking(logistic())), None
    yield make_pipeline(asking(StandardScaler()), asking(logistic())), "sample_weight"
    yield VotingClassifier([("a", asking(logistic())), ("b", nearest())]), "sample_weight"
    yield CalibratedClassifierCV(GaussianNB(), cv=2), None
    yield CalibratedClassifierCV(asking(GaussianNB()), cv=2), "sample_weight"


def test_where_weights_are_routed():
    """scikit-learn refuses weights where a part leaves open whether it wants them."""
    with sklearn.config_context(enable_metadata_routing=True):
        for wrapped, name in routed_cases():
            assert weight_name(wrapped) == name and is_fitted(wrapped), wrapped
