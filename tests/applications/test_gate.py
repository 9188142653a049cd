"""What decides on synthetic rows: how they are drawn, shared and joined, folds, losses, gains."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from stand_ins import LABELS, NUMBERS, Copies, X, logistic, quick

from skmdiff import ManifoldDiffusionSampler, make_sampler_pipeline
from skmdiff._applications.gate import (
    Recipe,
    Rows,
    likely_rows,
    make_folds,
    mean_and_error,
    row_losses,
    shared_rows,
    spread_draw,
    variance,
)
from skmdiff._applications.synthetic import draw, fit_sampler

RNG = np.random.default_rng(2)


def test_draws_hold_shares_exactly():
    y = np.array(["a"] * 10 + ["b"] * 30)
    random_state = np.random.RandomState(0)
    drawn = y[spread_draw(y, None, 80, random_state)]
    assert (drawn == "a").sum() == 20
    np.testing.assert_array_equal(np.bincount(spread_draw(y, None, 80, random_state)), 2)
    weight = np.r_[0.0, np.full(9, 10.0), np.full(30, 1.0)]
    counts = np.bincount(spread_draw(y, weight, 120, random_state), minlength=40)
    np.testing.assert_array_equal(counts, weight)


def test_folds_are_even_over_classes_and_numbers():
    random_state = np.random.RandomState(0)
    folds = make_folds(np.array(["a"] * 10 + ["b"] * 25), 5, random_state)
    assert (np.bincount(folds[:10]) == 2).all() and (np.bincount(folds[10:]) == 5).all()
    folds = make_folds(np.arange(40.0), 4, random_state)
    assert all(sorted(folds[i : i + 4]) == [0, 1, 2, 3] for i in range(0, 40, 4))


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
        draw(
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
