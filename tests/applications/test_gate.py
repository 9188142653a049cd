"""What decides on synthetic rows: how they are drawn, shared and joined, folds, losses, gains."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from stand_ins import LABELS, NUMBERS, Copies, X, logistic, quick

from skmdiff import AugmentedClassifier, AugmentedRegressor, ManifoldDiffusionSampler, make_sampler_pipeline
from skmdiff._applications.gate import (
    Recipe,
    Rows,
    likely_rows,
    mean_and_error,
    row_losses,
    shared_rows,
    shuffled_folds,
    split_rows,
    systematic_sample,
    variance,
)
from skmdiff._applications.synthetic import fit_sampler, sample_targets

RNG = np.random.default_rng(2)


def test_draws_hold_shares_exactly():
    y = np.array(["a"] * 10 + ["b"] * 30)
    random_state = np.random.RandomState(0)
    drawn = y[systematic_sample(y, None, 80, random_state)]
    assert (drawn == "a").sum() == 20
    np.testing.assert_array_equal(np.bincount(systematic_sample(y, None, 80, random_state)), 2)
    weight = np.r_[0.0, np.full(9, 10.0), np.full(30, 1.0)]
    counts = np.bincount(systematic_sample(y, weight, 120, random_state), minlength=40)
    np.testing.assert_array_equal(counts, weight)


def test_folds_hold_each_class_in_its_fraction():
    y, random_state = np.array(["a"] * 10 + ["b"] * 25), np.random.RandomState(0)
    pairs = split_rows(5, Rows(np.arange(35)[:, None], y, None), True, random_state)
    assert [dict(zip(*np.unique(held_out.y, return_counts=True), strict=True)) for _, held_out in pairs] == [
        {"a": 2, "b": 5}
    ] * 5
    assert sorted(np.concatenate([held_out.X[:, 0] for _, held_out in pairs])) == list(range(35))
    assert not any(set(train.X[:, 0]) & set(held_out.X[:, 0]) for train, held_out in pairs)


@pytest.mark.parametrize(
    ("y", "is_classifier", "n_folds"),
    [
        (np.arange(4.0), False, 4),
        (np.arange(40.0), False, 5),
        (np.array(["a", "a", "a", "b", "b"]), True, 3),
        (np.array(["a", "b", "c", "d"]), True, 4),
    ],
)
def test_no_more_folds_than_rows(y, is_classifier, n_folds):
    """Than rows of the commonest class for classes, unless each has but one."""
    assert shuffled_folds(5, y, is_classifier, np.random.RandomState(0)).n_splits == n_folds


def test_held_out_rows_have_weight():
    weight = np.where(np.arange(60) < 30, 1.0, 0.0)
    pairs = split_rows(
        [(np.arange(20), np.arange(20, 60)), (np.arange(30), np.arange(30, 60))], Rows(X, LABELS, weight), True, None
    )
    assert len(pairs) == 1 and len(pairs[0][1].y) == 10


def test_mean_and_error_are_those_of_repeated_rows():
    values, weight = RNG.normal(size=50), np.arange(50) % 3
    mean, error = mean_and_error(values, None)
    assert mean == pytest.approx(values.mean()) and error == pytest.approx(values.std() / np.sqrt(50))
    assert mean_and_error(values, weight)[0] == pytest.approx(np.repeat(values, weight).mean())


def test_losses_by_hand():
    model = logistic().fit(X, LABELS)
    rows = Rows(X, LABELS, None)
    wrong = model.predict_proba(X)[np.arange(60), (LABELS == "no").astype(int)]
    np.testing.assert_allclose(row_losses(model, rows, model.classes_), wrong**2)
    three = row_losses(model, rows, np.array(["maybe", "no", "yes"]))
    np.testing.assert_allclose(three, wrong**2)
    svc = LinearSVC().fit(X, LABELS)
    assert row_losses(svc, rows, svc.classes_).mean() == pytest.approx(1 - svc.score(X, LABELS))


def test_what_a_gain_must_exceed():
    """Its error for classes in the shares of the table, nothing for classes that count alike and for numbers."""
    for classes, balanced, least in ((LABELS, True, 0.0), (LABELS, False, 0.3), (None, False, 0.0)):
        assert Recipe(None, None, 1.0, 1.0, classes, balanced, {}).least_gain(0.3) == least


def test_a_generator_that_is_a_pipeline_is_seeded():
    drawn = [
        sample_targets(
            fit_sampler(make_sampler_pipeline(StandardScaler(), quick()), X, LABELS, np.random.RandomState(3)),
            LABELS[:5],
            np.random.RandomState(1),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*drawn)


def test_rows_without_weight_do_not_dilute_synthetic_ones():
    weight = np.where(np.arange(60) < 15, 2.0, 0.0)
    recipe = Recipe(logistic(), None, 3.0, 0.3, np.unique(LABELS), True, {})
    joined = recipe.joined(Rows(X, LABELS, weight), Rows(X[:5], LABELS[:5], None))
    np.testing.assert_allclose(joined.weight[60:], 0.6)


def test_the_gain_of_numbers_is_in_shares_of_their_weighted_variance():
    weight = np.where(NUMBERS > 0, 1.0, 3.0)
    twice = np.repeat(np.arange(60), weight.astype(int))
    assert variance(Rows(X, NUMBERS, weight)) == pytest.approx(np.var(NUMBERS[twice]))


@pytest.mark.slow
def test_targets_of_synthetic_rows_are_means_given_their_columns():
    """y = x + noise of deviation 1: drawn targets would stand off x by as much, means far less."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(400, 2))
    y = table[:, 0] + rng.normal(size=400)
    recipe = Recipe(Ridge(), ManifoldDiffusionSampler(max_iter=300, random_state=0), 2.0, 1.0, None, False, {})
    new = recipe.synthetic(Rows(table, y, None), np.random.RandomState(0))
    assert len(new.y) == 800 and np.std(new.y - new.X[:, 0]) < 0.5
    assert abs(np.polyfit(new.X[:, 0], new.y, 1)[0] - 1) < 0.15
    assert np.std(new.X[:, 0]) == pytest.approx(1, abs=0.1)


def test_parts_of_a_pipeline_are_told_what_the_target_is():
    fitted = fit_sampler(
        make_sampler_pipeline(StandardScaler(), quick()),
        X,
        NUMBERS.round(),
        np.random.RandomState(0),
        target_type="number",
    )
    assert fitted[-1].target_type == "number" and not hasattr(fitted[-1], "classes_")


def test_generators_without_means_give_targets_as_drawn():
    recipe = Recipe(Ridge(), Copies(), 1.0, 1.0, None, False, {})
    new = recipe.synthetic(Rows(X, NUMBERS, None), np.random.RandomState(0))
    assert set(new.y) == set(NUMBERS)


def test_a_synthetic_row_is_shared_by_the_classes_it_may_be_of():
    """By hand: halves of the class drawn and of the probabilities, these over the weight of each class if balanced."""
    rows = Rows(X[:4], np.array(["a", "a", "a", "b"]), None)
    new, probability = Rows(X[:3], np.array(["a", "b", "a"]), None), np.array([[0.9, 0.1], [0.9, 0.1], [0.99, 0.01]])
    as_learnt = shared_rows(new, probability, rows, balanced=False)
    np.testing.assert_array_equal(as_learnt.X, X[[0, 0, 1, 1, 2]])
    assert as_learnt.y.tolist() == ["a", "b", "a", "b", "a"]
    np.testing.assert_allclose(as_learnt.weight, [0.95, 0.05, 0.45, 0.55, 0.995])
    even = shared_rows(new, probability, replace(rows, weight=np.array([1.0, 2.0, 0.0, 0.5])), balanced=True)
    assert even.y.tolist() == ["a", "b", "a", "b", "a", "b"]
    np.testing.assert_allclose(even.weight[:2], [0.5 + 0.5 * 0.6, 0.5 * 0.4])
    np.testing.assert_allclose(even.weight[2:4], [0.5 * 0.6, 0.5 + 0.5 * 0.4])


class Bayes(Copies):
    """A generator of two classes, normal about -1 and 1, and what it says of them, with the shares learnt."""

    def fit(self, X, y):
        self.share_ = np.mean(y == "yes")
        return self

    def sample(self, n_samples, *, y, random_state):
        return np.where(y == "yes", 1.0, -1.0)[:, None] + np.random.RandomState(random_state).normal(size=(len(y), 1))

    def predict_target(self, X):
        yes = 1 / (1 + (1 - self.share_) / self.share_ * np.exp(-2 * X[:, 0]))
        return np.stack([1 - yes, yes], axis=1)


@pytest.mark.parametrize(("balanced", "share"), [(True, 0.5), (False, 0.1)])
def test_shared_rows_have_the_law_of_classes_given_columns(balanced, share):
    """40 000 rows, in three bins: the share of a class is that of Bayes' rule, with half the variance of drawn ones."""
    y = np.repeat(["no", "yes"], [9000, 1000])
    rows = Rows(np.zeros((10000, 1)), y, None)
    recipe = Recipe(logistic(), Bayes(), 4.0, 0.3, np.unique(y), balanced, {})
    new = recipe.synthetic(rows, np.random.RandomState(0))
    for low, high in ((-1.0, -0.5), (-0.2, 0.3), (0.5, 1.0)):
        inside = (new.X[:, 0] > low) & (new.X[:, 0] < high)
        truth = np.mean(1 / (1 + (1 - share) / share * np.exp(-2 * np.unique(new.X[inside]))))
        found = np.average(new.y[inside] == "yes", weights=new.weight[inside])
        assert found == pytest.approx(truth, abs=0.015)
    joined = recipe.joined(rows, new)
    assert joined.weight[10000:].sum() == pytest.approx(0.3 * 40000, rel=0.01)


def test_rows_that_speak_against_their_class_go_where_rows_cannot_be_weighted():
    """Of normals about -1 and 1 what is beyond 0, Phi(1) = .8413; in the table's shares all stay as drawn."""
    rows = Rows(np.zeros((10000, 1)), np.repeat(["no", "yes"], [9000, 1000]), None)
    recipe = Recipe(KNeighborsClassifier(), Bayes(), 4.0, 1.0, np.array(["no", "yes"]), True, {})
    even = recipe.synthetic(rows, np.random.RandomState(0))
    assert even.weight is None and ((even.X[:, 0] > 0) == (even.y == "yes")).all()
    assert [np.mean(even.y == c) * len(even.y) / 20000 for c in ("no", "yes")] == pytest.approx([0.8413] * 2, abs=0.01)
    as_learnt = replace(recipe, balanced=False).synthetic(rows, np.random.RandomState(0))
    assert len(as_learnt.y) == 40000 and np.mean(as_learnt.y == "yes") == 0.1


def test_likely_rows_by_hand():
    """Probabilities over the weights of classes, 1, 2 and 1, against a third."""
    rows = Rows(X[:4], np.array(["a", "b", "c", "c"]), np.array([1.0, 2.0, 0.5, 0.5]))
    probability = np.array([[0.3, 0.4, 0.3], [0.2, 0.6, 0.2], [0.2, 0.7, 0.1], [0.4, 0.2, 0.4]])
    kept = likely_rows(Rows(X[:4], np.array(["a", "b", "a", "b"]), None), probability, rows)
    np.testing.assert_array_equal(kept.X, X[:2])
    assert kept.y.tolist() == ["a", "b"]


# --- the gate


class Liar(Copies):
    """A generator that takes each class for the other, or turns the sign of the columns."""

    def sample(self, n_samples, *, y, random_state):
        other = {"yes": "no", "no": "yes"}
        if y.dtype.kind == "f":
            return -super().sample(n_samples, y=y, random_state=random_state)
        return super().sample(n_samples, y=np.array([other[t] for t in y]), random_state=random_state)


@pytest.mark.parametrize("wrapped", [logistic(), RandomForestClassifier(10, random_state=0), LinearSVC()])
def test_the_gate_stays_closed_to_lies_and_leaves_the_plain_classifier(wrapped):
    fitted = AugmentedClassifier(wrapped, Liar(), n_synthetic=2.0, random_state=0).fit(X, LABELS)
    plain = clone(wrapped).fit(X, LABELS)
    assert not fitted.augmented_ and fitted.augmentation_gain_ < -fitted.augmentation_error_
    np.testing.assert_array_equal(fitted.predict(X), plain.predict(X))
    method = "predict_proba" if hasattr(plain, "predict_proba") else "decision_function"
    np.testing.assert_array_equal(getattr(fitted, method)(X), getattr(plain, method)(X))


def test_the_gate_stays_closed_to_lies_and_leaves_the_plain_regressor():
    forest = RandomForestRegressor(5, random_state=0)
    fitted = AugmentedRegressor(forest, Liar(), cv=3, random_state=0).fit(X, NUMBERS)
    assert not fitted.augmented_ and fitted.augmentation_gain_ < 0
    np.testing.assert_array_equal(fitted.predict(X), forest.fit(X, NUMBERS).predict(X))


@pytest.mark.slow
@pytest.mark.parametrize(("shares", "most"), [("balanced", 30), ("data", 14)])
def test_chance_opens_the_gate_no_more_often_than_it_should(shares, most):
    """Labels that depend on nothing: a gain is one time in two, one beyond its error in six; 40 times at .999."""
    opened = 0
    for seed in range(40):
        y = np.random.RandomState(seed).permutation(LABELS)
        opened += (
            AugmentedClassifier(logistic(), Copies(shift=0.5), class_shares=shares, cv=3, random_state=seed)
            .fit(X, y)
            .augmented_
        )
    assert opened <= most


class Truth(Copies):
    """A generator that knows the distribution: y is the sign of the first column."""

    def sample(self, n_samples, *, y, random_state):
        rows = np.random.RandomState(random_state).normal(size=(4000, 8))
        sign = np.where(rows[:, 0] > 0, "yes", "no")
        return np.stack([rows[sign == t][i] for i, t in enumerate(y)])


@pytest.mark.slow
def test_the_gate_opens_where_synthetic_rows_tell_the_truth():
    """With 40 rows for most seeds, not for all: a gain of about .1 has a standard error of .06."""
    rng = np.random.default_rng(3)
    rows, fresh = rng.normal(size=(40, 8)), rng.normal(size=(500, 8))
    y, truth = np.where(rows[:, 0] > 0, "yes", "no"), np.where(fresh[:, 0] > 0, "yes", "no")
    model = AugmentedClassifier(logistic(), Truth(), n_synthetic=5.0, synthetic_weight=1.0)
    fits = [clone(model).set_params(random_state=seed).fit(rows, y) for seed in range(8)]
    opened = [fitted for fitted in fits if fitted.augmented_]
    assert len(opened) >= 6 and np.mean([fitted.augmentation_gain_ for fitted in fits]) > 0.05
    least = logistic().fit(rows, y).score(fresh, truth) + 0.03
    assert all(fitted.score(fresh, truth) > least for fitted in opened)


def test_the_gain_of_a_regressor_is_one_of_r2():
    """By hand: 0 everywhere without synthetic rows, the mean of the real rows of the fold with them."""

    class Constant(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            self.value_ = 0.0 if len(y) == 30 else y[:30].mean()
            return self

        def predict(self, X):
            return np.full(len(X), self.value_)

    parts = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    fitted = AugmentedRegressor(Constant(), Copies(), cv=parts, random_state=3).fit(X, NUMBERS + 1)
    y = NUMBERS + 1
    means = np.repeat([y[30:].mean(), y[:30].mean()], 30)
    by_hand = (np.mean(y**2) - np.mean((y - means) ** 2)) / y.var()
    assert fitted.augmentation_gain_ == pytest.approx(by_hand)


class Stubborn(ClassifierMixin, BaseEstimator):
    """Predicts "yes" everywhere if fitted on more rows than a fold has, "no" if not."""

    def fit(self, X, y, sample_weight=None):
        self.classes_, self.label_ = np.unique(y), "yes" if len(X) > 30 else "no"
        return self

    def predict(self, X):
        return np.full(len(X), self.label_)


@pytest.mark.parametrize("weight", [None, np.where(LABELS == "yes", 3.0, 1.0)])
def test_the_gain_is_one_of_balanced_accuracy_or_of_the_error_rate(weight):
    """From "no" to "yes" everywhere: no gain where classes count equally, else that of the fractions of classes."""
    fits = {
        kind: AugmentedClassifier(Stubborn(), Copies(), class_shares=kind, cv=2, random_state=0).fit(X, LABELS, weight)
        for kind in ("balanced", "data")
    }
    yes = np.average(LABELS == "yes", weights=weight)
    assert fits["balanced"].augmentation_gain_ == pytest.approx(0)
    assert fits["data"].augmentation_gain_ == pytest.approx(2 * yes - 1)
