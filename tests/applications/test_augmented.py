"""Augmented estimators: what the generator sees, what the estimator is given, when the gate opens."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from jitter import Jitter
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags
from stand_ins import LABELS, NUMBERS, Copies, X, logistic, quick

from skmdiff import AugmentedClassifier, AugmentedRegressor
from skmdiff._applications.gate import Recipe, Rows

RNG = np.random.default_rng(1)
WRAPPED = {AugmentedClassifier: logistic(), AugmentedRegressor: Ridge()}


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that remembers what it was fitted and asked on; predicts the first class."""

    fits, asked = [], []

    def fit(self, X, y, sample_weight=None, **params):
        self.classes_ = np.unique(y)
        self.fits.append((X, y, sample_weight, params))
        return self

    def predict(self, X):
        self.asked.append(X)
        return np.full(len(X), self.classes_[0])


class RecordedRegressor(RegressorMixin, Recorder):
    """A regressor that remembers along with the classifiers."""


@pytest.fixture
def recorded():
    for record in (Copies.seen, Recorder.fits, Recorder.asked):
        record.clear()
    return Recorder


# --- what is fitted on what


def row_set(rows):
    return set(map(tuple, np.asarray(rows).tolist()))


def test_synthetic_rows_never_come_from_held_out_rows(recorded):
    """Copies in place of synthetic rows: a leak would show held-out rows among those fitted on."""
    AugmentedClassifier(recorded(), Copies(), n_synthetic=1.0, cv=4, random_state=0).fit(X, LABELS)
    assert len(Copies.seen) == 4 and len(recorded.asked) == 8 and len(recorded.fits) == 9
    held_out = [row_set(rows) for rows in recorded.asked[:4]]
    assert set().union(*held_out) == row_set(X) and sum(map(len, held_out)) == 60
    for fold, (generator_saw, _) in enumerate(Copies.seen):
        plain, augmented = (recorded.fits[4 * i + fold][0] for i in (0, 1))
        assert row_set(generator_saw) == row_set(plain) == row_set(augmented) == row_set(X) - held_out[fold]
        assert row_set(recorded.asked[4 + fold]) == held_out[fold] and len(augmented) == 2 * len(plain)


def test_real_rows_come_first_with_their_weights(recorded):
    weight = RNG.uniform(0.5, 2, 60)
    AugmentedClassifier(recorded(), Copies(100.0), n_synthetic=1.5, synthetic_weight=0.2, gate=False).fit(
        X, LABELS, sample_weight=weight
    )
    rows, y, given, _ = recorded.fits[-1]
    np.testing.assert_array_equal(rows[:60], X)
    np.testing.assert_array_equal(y[:60], LABELS)
    np.testing.assert_array_equal(given[:60], weight)
    assert len(rows) == 150 and (rows[60:] > 50).all()
    np.testing.assert_allclose(given[60:], 0.2 * weight.mean())


@pytest.mark.parametrize("class_weight", [None, "balanced", {"yes": 5.0, "no": 1.0}])
def test_each_row_once_more_is_each_row_heavier(class_weight):
    """Copies of all rows at the weight .5: logistic regression with 1.5 times the C, class weights as before."""
    fitted = AugmentedClassifier(
        logistic(class_weight=class_weight, tol=1e-8),
        Copies(),
        n_synthetic=1.0,
        synthetic_weight=0.5,
        class_shares="data",
        gate=False,
    ).fit(X, LABELS)
    plain = logistic(C=1.5, class_weight=class_weight, tol=1e-8).fit(X, LABELS)
    np.testing.assert_allclose(fitted.estimator_.coef_, plain.coef_, rtol=1e-5)


@pytest.mark.parametrize("weight", [None, np.where(LABELS == "yes", 3.0, 1.0)])
def test_shares_of_classes_in_synthetic_rows(recorded, weight):
    shares = {}
    for kind in ("balanced", "data"):
        AugmentedClassifier(recorded(), Copies(), n_synthetic=2.0, class_shares=kind, gate=False).fit(
            X, LABELS, sample_weight=weight
        )
        shares[kind] = np.mean(recorded.fits[-1][1][60:] == "yes")
    assert shares["balanced"] == 0.5
    assert shares["data"] == pytest.approx(np.average(LABELS == "yes", weights=weight), abs=1 / 120)


def test_rows_without_weight_are_not_shown_to_the_generator(recorded):
    weight = (X[:, 1] > 0).astype(float)
    AugmentedClassifier(recorded(), Copies(), cv=3).fit(X, LABELS, sample_weight=weight)
    assert set().union(*(row_set(rows) for rows, _ in Copies.seen)) == row_set(X[weight > 0])
    assert not row_set(X[weight == 0]) & set().union(*map(row_set, recorded.asked))


def test_without_weights_fewer_rows_stand_for_lighter_ones():
    class Plain(Recorder):
        def fit(self, X, y):
            return super().fit(X, y)

    Recorder.fits.clear()
    AugmentedClassifier(Plain(), Copies(), n_synthetic=2.0, synthetic_weight=0.25, gate=False).fit(X, LABELS)
    assert len(Recorder.fits[-1][0]) == 90
    with pytest.raises(TypeError, match="sample_weight must be None if fit of the wrapped.*Plain"):
        AugmentedClassifier(Plain(), Copies()).fit(X, LABELS, sample_weight=np.ones(60))


@pytest.mark.slow
def test_synthetic_rows_by_default(recorded):
    """Ten times the rows up to a thousand, then ten thousand in all, then three times; for numbers three times."""
    AugmentedClassifier(recorded(), Copies(), gate=False).fit(X, LABELS)
    assert len(recorded.fits[-1][0]) == 11 * 60
    many = np.repeat(X, 34, axis=0), np.repeat(LABELS, 34)
    AugmentedClassifier(recorded(), Copies(), gate=False).fit(*many)
    assert len(recorded.fits[-1][0]) == 60 * 34 + 10_000
    half = np.arange(60 * 34) % 2
    AugmentedClassifier(recorded(), Copies(), gate=False).fit(*many, sample_weight=half)
    assert len(recorded.fits[-1][0]) == 60 * 34 + 10_000
    many = np.repeat(X, 100, axis=0), np.repeat(LABELS, 100)
    AugmentedClassifier(recorded(), Copies(), gate=False).fit(*many)
    assert len(recorded.fits[-1][0]) == 4 * 6000
    AugmentedRegressor(RecordedRegressor(), Copies(), gate=False).fit(X, NUMBERS)
    assert len(recorded.fits[-1][0]) == 4 * 60


def test_other_arguments_of_fit_reach_the_estimator(recorded):
    AugmentedClassifier(recorded(), Copies(), cv=2).fit(X, LABELS, eval_set=[(X[:5], LABELS[:5])])
    assert len(recorded.fits) == 5 and all(params["eval_set"][0][0] is not None for *_, params in recorded.fits)


class Stopping(ClassifierMixin, BaseEstimator):
    """Boosting that keeps the stages that are best on the rows of `eval_set`."""

    def fit(self, X, y, sample_weight=None, eval_set=None):
        model = GradientBoostingClassifier(n_estimators=30, max_depth=1, random_state=0).fit(X, y, sample_weight)
        loss = [log_loss(eval_set[0][1], probability) for probability in model.staged_predict_proba(eval_set[0][0])]
        self.classes_, self.model_, self.stages_ = model.classes_, model, int(np.argmin(loss)) + 1
        return self

    def predict(self, X):
        return list(self.model_.staged_predict(X))[self.stages_ - 1]


def test_early_stopping_by_rows_given():
    """Rows that contradict those of training stop it at once, those of training do not."""
    stages = [
        AugmentedClassifier(Stopping(), Copies(), cv=2).fit(X, LABELS, eval_set=[(X, y)]).estimator_.stages_
        for y in (LABELS, np.where(LABELS == "yes", "no", "yes"))
    ]
    assert stages == [30, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "share", "stops"), [(2500, 9.0, False), (10_001, 1.2, True)])
def test_early_stopping_is_switched_on_by_real_rows(n_rows, share, stops):
    """Beyond 10 000 rows histogram gradient boosting stops early by itself: synthetic ones do not count."""
    rows = np.random.default_rng(2).normal(size=(n_rows, 2))
    y, model = rows[:, 0] > 0, HistGradientBoostingClassifier(max_iter=2)
    for wrapped, inner_of in (
        (model, lambda m: m),
        (make_pipeline(model), lambda m: m[-1]),
        (CalibratedClassifierCV(model, cv=2), lambda m: m.calibrated_classifiers_[0].estimator),
    ):
        fitted = AugmentedClassifier(wrapped, Copies(), n_synthetic=share, gate=False).fit(rows, y).estimator_
        assert inner_of(fitted).do_early_stopping_ == stops
    assert clone(model).fit(rows, y).do_early_stopping_ == stops and model.early_stopping == "auto"


def test_the_plain_fit_keeps_its_early_stopping():
    model = HistGradientBoostingClassifier(max_iter=2)
    assert (
        Recipe(model, Copies(), 1.0, 1.0, np.array(["no", "yes"]), True, {}).fit(Rows(X, LABELS, None)).early_stopping
        == "auto"
    )


@pytest.mark.parametrize(
    "wrapped", [logistic(class_weight="balanced"), RandomForestClassifier(10, class_weight="balanced", random_state=0)]
)
def test_class_weights_with_even_synthetic_classes(wrapped):
    """The rule is the estimator's own, on all rows."""
    fitted = AugmentedClassifier(wrapped, Copies(), n_synthetic=2.0, gate=False).fit(X, LABELS)
    y = np.repeat(["no", "yes"], 60)
    rows = Copies().fit(X, LABELS).sample(120, y=y, random_state=0)
    by_hand = clone(wrapped).fit(np.vstack([X, rows]), np.concatenate([LABELS, y]), np.repeat([1.0, 0.2], [60, 120]))
    np.testing.assert_allclose(fitted.predict_proba(X), by_hand.predict_proba(X))


def test_a_level_that_only_held_out_rows_have_closes_the_gate():
    """The plain estimator cannot predict it: there is nothing to compare with."""
    frame = pd.DataFrame({"x": X[:, 0], "level": ["a", "b"] * 29 + ["a", "rare"]})
    wrapped = make_pipeline(make_column_transformer((OneHotEncoder(), ["level"]), remainder="passthrough"), logistic())
    with pytest.warns(UserWarning, match="No synthetic rows are used.*rare"):
        fitted = AugmentedClassifier(wrapped, Jitter(), random_state=0).fit(frame, LABELS)
    assert not fitted.augmented_ and len(fitted.predict(frame)) == 60


def test_folds_of_groups(recorded):
    groups = np.arange(60) // 6
    AugmentedClassifier(recorded(), Copies(), cv=list(GroupKFold(2).split(X, LABELS, groups))).fit(X, LABELS)
    halves = [row_set(rows) for rows in recorded.asked[:2]]
    assert all(len({row_set(X[groups == g]) <= half for half in halves}) == 2 for g in range(10))


def test_gaps_are_taken_where_both_parts_take_them():
    tags = [
        get_tags(AugmentedClassifier(wrapped, inner)).input_tags.allow_nan
        for wrapped in (HistGradientBoostingClassifier(), logistic())
        for inner in (None, quick(), Copies())
    ]
    assert tags == [True, True, False, False, False, False]


@pytest.mark.parametrize("listed", [True, False])
def test_splits_of_ones_own(recorded, listed):
    splitter = ShuffleSplit(2, test_size=10, random_state=1)
    parts = list(splitter.split(X))
    AugmentedClassifier(recorded(), Copies(), cv=parts if listed else splitter).fit(X, LABELS)
    assert [row_set(rows) for rows in recorded.asked] == [row_set(X[parts[i][1]]) for i in (0, 1, 0, 1)]
    assert [row_set(rows) for rows, _ in Copies.seen[:2]] == [row_set(X[train]) for train, _ in parts]


def test_weights_of_a_pipeline_are_those_of_its_last_step():
    plain = logistic(C=0.1)
    weight = np.where(LABELS == "yes", 5.0, 1.0)
    one, other = (
        AugmentedClassifier(model, Copies(), gate=False, random_state=0).fit(X, LABELS, sample_weight=weight)
        for model in (plain, make_pipeline(plain))
    )
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X))


def test_no_gate_no_measure():
    fitted = AugmentedClassifier(logistic(), Copies(), gate=False).fit(X, LABELS)
    assert fitted.augmented_ and np.isnan(fitted.augmentation_gain_) and np.isnan(fitted.augmentation_error_)


# --- at home in scikit-learn


def test_a_mixed_frame_in_a_search():
    frame = pd.DataFrame({"a": X[:, 0], "kind": pd.Categorical(RNG.choice(["u", "v"], 60))})
    encoder = sklearn.compose.make_column_transformer((OneHotEncoder(), ["kind"]), remainder=StandardScaler())
    model = AugmentedClassifier(make_pipeline(encoder, logistic()), Jitter(), cv=2, random_state=0)
    grid = {"estimator__logisticregression__C": [0.1, 1.0], "gate": [True, False], "sampler__scale": [0.1]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(frame, pd.Series(LABELS))
    assert search.best_estimator_.feature_names_in_.tolist() == ["a", "kind"]
    assert search.predict_proba(frame).shape == (60, 2) and search.score(frame, LABELS) > 0.6
    assert search.classes_.tolist() == ["no", "yes"]


@pytest.mark.slow
def test_whole_numbers_are_numbers_for_a_regressor():
    y = np.round(10 * NUMBERS)
    fitted = AugmentedRegressor(Ridge(), quick(max_iter=30), gate=False, random_state=0).fit(X, y.astype(int))
    assert fitted.augmented_ and fitted.score(X, y) > 0.7


@pytest.mark.slow
def test_one_seed_is_one_result():
    fits = [
        AugmentedClassifier(logistic(), sampler, cv=2, gate=gate, random_state=0).fit(X, LABELS)
        for sampler, gate in ((Jitter(), True), (Jitter(), True), (quick(), False), (quick(), False))
    ]
    assert fits[0].augmentation_gain_ == fits[1].augmentation_gain_
    np.testing.assert_array_equal(fits[2].predict_proba(X), fits[3].predict_proba(X))


def test_methods_are_those_of_the_wrapped_estimator():
    svc = AugmentedClassifier(LinearSVC(), Copies(), gate=False)
    assert not hasattr(svc, "predict_proba") and hasattr(svc, "decision_function")
    assert svc.fit(X, LABELS).decision_function(X).shape == (60,)
    assert not hasattr(AugmentedClassifier(KNeighborsClassifier()), "decision_function")
    assert not hasattr(AugmentedRegressor(Ridge()), "predict_proba")


@pytest.mark.filterwarnings("ignore:The least populated class")
@pytest.mark.parametrize("y", [np.zeros(60), np.r_[np.zeros(59), 1.0]])
def test_too_little_to_compare_leaves_the_plain_estimator(y):
    fitted = AugmentedClassifier(KNeighborsClassifier(), Copies(), cv=3).fit(X, y)
    assert not fitted.augmented_
    np.testing.assert_array_equal(fitted.predict(X), np.zeros(60))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"estimator": LogisticRegression}, "estimator must be an estimator.*LogisticRegression"),
        ({"estimator": StandardScaler()}, "estimator must be an estimator with fit and predict.*StandardScaler"),
        ({"estimator": 3}, "estimator must.*3"),
        ({"sampler": "x"}, "sampler must.*'x'"),
        ({"n_synthetic": 0}, "n_synthetic must be above 0.*0"),
        ({"n_synthetic": "x"}, "n_synthetic must"),
        ({"synthetic_weight": -1.0}, "synthetic_weight must be above 0.*-1.0"),
        ({"cv": 1}, "cv == 1, must be >= 2"),
        ({"cv": "x"}, "cv must be an integer, a splitter.*'x'"),
        ({"cv": None}, "cv must.*None"),
        ({"gate": "x"}, "gate must be True or False, got 'x'"),
        ({"random_state": "x"}, "random_state must.*'x'"),
    ],
)
@pytest.mark.parametrize("kind", [AugmentedClassifier, AugmentedRegressor])
def test_bad_parameters(kind, parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        kind(**{"estimator": WRAPPED[kind], **parameters}).fit(X, NUMBERS)


def test_bad_class_shares():
    with pytest.raises(ValueError, match="class_shares must be one of.*'even'"):
        AugmentedClassifier(logistic(), class_shares="even").fit(X, LABELS)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(60, -1.0), "sample_weight must be finite, >= 0"),
        (np.zeros(60), "not all zero"),
        (np.full(60, np.nan), "finite"),
        (np.ones(3), r"sample_weight must have shape \(60,\), got shape \(3,\)"),
    ],
)
def test_bad_weights(weight, message):
    with pytest.raises(ValueError, match=message):
        AugmentedRegressor(Ridge(), Copies()).fit(X, NUMBERS, sample_weight=weight)


@pytest.mark.parametrize(
    ("kind", "y", "message"),
    [
        (AugmentedRegressor, LABELS, "y must hold numbers for a regressor, got '(yes|no)'"),
        (AugmentedClassifier, NUMBERS, "Unknown label type: continuous"),
        (AugmentedClassifier, None, "requires y"),
    ],
)
def test_bad_targets(kind, y, message):
    with pytest.raises(ValueError, match=message):
        kind(WRAPPED[kind], Copies()).fit(X, y)


@pytest.mark.parametrize("kind", WRAPPED)
def test_an_estimator_of_the_other_kind(kind):
    other = next(model for wrapper, model in WRAPPED.items() if wrapper is not kind)
    with pytest.raises(TypeError, match="estimator must be a (classifier|regressor), got the (regressor|classifier)"):
        kind(other, Copies()).fit(X, NUMBERS)


def test_the_gate_takes_nothing_where_a_part_of_the_rows_cannot_be_fitted():
    """Early stopping splits by class: two rows of one suffice, one row does not."""
    y = np.repeat([0, 1, 2], [40, 18, 2])
    estimator = HistGradientBoostingClassifier(early_stopping=True, max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match="No synthetic rows are used.*least populated"):
        model = AugmentedClassifier(estimator, Jitter(), cv=2, random_state=0).fit(X, y)
    assert not model.augmented_ and model.augmentation_gain_ == 0


# --- integer targets are what the estimator says


@pytest.mark.slow
def test_many_integers_are_numbers_of_a_regressor_and_classes_of_a_classifier():
    rows, y = np.random.default_rng(0).normal(size=(130, 2)), np.arange(130) % 60
    sampler = quick(random_state=0)
    model = AugmentedRegressor(Ridge(), sampler, gate=False, random_state=0).fit(rows, y)
    assert not hasattr(model, "classes_") and model.predict(rows).dtype == float
    classifier = AugmentedClassifier(KNeighborsClassifier(), sampler, gate=False, random_state=0).fit(rows, y)
    assert len(classifier.classes_) == 60


def test_a_regressor_gives_its_generator_numbers():
    Copies.seen.clear()
    AugmentedRegressor(Ridge(), Copies(), gate=False, random_state=0).fit(X, np.arange(60) % 55)
    assert [y.dtype for _, y in Copies.seen] == [float]
