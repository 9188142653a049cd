"""E[y | X], E[X | y] and shares of classes against distributions that are known.

Bounds of means over draws are four standard errors and more: the network learns from the same rows.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skmdiff import ManifoldDiffusionSampler

N_ROWS = 2000


def sampler(**parameters):
    return ManifoldDiffusionSampler(**{**dict(max_iter=800, hidden_layer_sizes=(64, 64), random_state=0), **parameters})


def classes(n=N_ROWS, seed=0):
    """Three classes, of the shares .5, .3 and .2, that are normal clouds around (0, 0), (2, 0) and (0, 2)."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    X = np.array([[0, 0], [2, 0], [0, 2]])[kind] + rng.normal(size=(n, 2)) * 0.7
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": np.array(["x", "y", "z"])[kind]}), kind + 5


def true_probabilities(X):
    squares = ((X.to_numpy()[:, None, :2].astype(float) - np.array([[0, 0], [2, 0], [0, 2]])) ** 2).sum(2)
    joint = np.array([0.5, 0.3, 0.2]) * np.exp(-squares / (2 * 0.7**2))
    return joint / joint.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def of_classes():
    X, y = classes()
    return sampler().fit(X.drop(columns="kind"), y)


@pytest.fixture(scope="module")
def of_numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 2))
    return sampler(numeric="standard").fit(X, X[:, 0] + 0.5 * rng.normal(size=N_ROWS))


@pytest.mark.slow
def test_probabilities_of_classes_are_nearly_the_true_ones(of_classes):
    X, _ = classes(1000, seed=1)
    X = X.drop(columns="kind")
    found, truth = of_classes.predict_target(X), true_probabilities(X)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-9)
    np.testing.assert_array_equal(of_classes.classes_, [5, 6, 7])
    divergence = (truth * np.log(truth / found)).sum(1).mean()
    entropy = -(truth * np.log(truth)).sum(1).mean()
    table, y = classes()
    fitted = LogisticRegression().fit(table[["a", "b"]], y).predict_proba(X)
    assert (truth * np.log(truth / fitted)).sum(1).mean() < divergence < 0.15 < entropy


@pytest.mark.slow
def test_rows_with_missing_cells_are_read_by_what_they_have(of_classes):
    X = pd.DataFrame({"a": [np.nan, 2.0], "b": [np.nan, np.nan]})
    found = of_classes.predict_target(X)
    given_a = np.array([0.7, 0.3]) * np.exp(-(np.array([2.0, 0.0]) ** 2) / (2 * 0.7**2))
    np.testing.assert_allclose(found[0], [0.5, 0.3, 0.2], atol=0.12)
    assert found[1, 1] == pytest.approx(given_a[1] / given_a.sum(), abs=0.12)


@pytest.mark.slow
def test_a_row_reads_the_same_whatever_comes_with_it(of_classes):
    X = classes(50, seed=2)[0].drop(columns="kind")
    np.testing.assert_allclose(of_classes.predict_target(X)[7], of_classes.predict_target(X[7:8])[0], atol=1e-12)


@pytest.mark.slow
def test_means_of_a_number_are_the_regression(of_numbers):
    X = np.random.default_rng(1).normal(size=(200, 2)).clip(-1.5, 1.5)
    found = of_numbers.predict_target(X, n_draws=20)
    # the distribution has a standard deviation of .5; 20 draws leave .11 of it
    assert np.sqrt(np.mean((found - X[:, 0]) ** 2)) < 0.2
    assert abs(np.mean(found - X[:, 0])) < 0.06
    np.testing.assert_array_equal(found, of_numbers.predict_target(X, n_draws=20))


@pytest.mark.slow
def test_means_of_rows_given_a_class(of_classes):
    means = of_classes.mean_rows([6, 5, 6, 7], n_draws=400)
    assert isinstance(means, pd.DataFrame) and list(means.columns) == ["a", "b"]
    np.testing.assert_allclose(means.to_numpy(), [[2, 0], [0, 0], [2, 0], [0, 2]], atol=0.2)
    np.testing.assert_array_equal(means.iloc[0], means.iloc[2])
    assert len(of_classes.mean_rows(6)) == 1


@pytest.mark.slow
def test_means_of_rows_given_a_number(of_numbers):
    y = np.array([-1.5, 0.0, 1.5])
    means = of_numbers.mean_rows(y, n_draws=400)
    np.testing.assert_allclose(means[:, 0], y / 1.25, atol=0.15)
    np.testing.assert_allclose(means[:, 1], 0, atol=0.25)


def test_the_commonest_category_stands_for_a_category():
    X, y = classes(300)
    means = sampler(max_iter=100).fit(X, y).mean_rows([5, 6, 7], n_draws=50)
    assert means["kind"].tolist() == ["x", "y", "z"]


# --- shares of classes


@pytest.mark.slow
@pytest.mark.parametrize(
    "shares, expected",
    [({5: 1, 6: 1, 7: 1}, [1 / 3, 1 / 3, 1 / 3]), ({7: 3, 5: 1}, [0.25, 0, 0.75]), ({6: 0.2, 7: 0.8}, [0, 0.2, 0.8])],
)
def test_classes_get_their_shares_of_any_number_of_rows(of_classes, shares, expected):
    y = of_classes.sample(400, y=shares, return_y=True)[1]
    for n in (10, 57, 400):
        counts = [(y[:n] == label).sum() for label in of_classes.classes_]
        assert np.abs(counts - n * np.array(expected)).max() <= 2
    rows = of_classes.sample(400, y=shares)
    pd.testing.assert_frame_equal(rows[:30], of_classes.sample(30, y=shares))


@pytest.mark.slow
def test_shares_of_classes_go_with_conditions(of_classes):
    rows, y = of_classes.sample(60, y={5: 1, 7: 1}, conditions={"a": 0.0}, return_y=True)
    assert (rows["a"] == 0).all() and abs((y == 7).sum() - 30) <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "call, words",
    [
        (dict(y={9: 1}), ["y must", "[5, 6, 7]", "9"]),
        (dict(y={5: -1}), ["y[5]", ">= 0", "-1"]),
        (dict(y={5: "many"}), ["y[5]", "'many'"]),
        (dict(y={5: 0}), ["y must", "above 0", "{5: 0}"]),
    ],
)
def test_shares_that_cannot_be_are_errors(of_classes, call, words):
    with pytest.raises(ValueError) as error:
        of_classes.sample(3, **call)
    assert all(word in str(error.value) for word in words)


@pytest.mark.slow
def test_errors_of_means(of_classes):
    rng = np.random.default_rng(0)
    of_numbers = sampler(max_iter=8, hidden_layer_sizes=(8,)).fit(rng.normal(size=(60, 2)), rng.normal(size=60))
    X = np.zeros((1, 2))
    with pytest.raises(ValueError, match="n_draws"):
        of_numbers.predict_target(X, n_draws=0)
    with pytest.raises(ValueError, match=r"y={1: 1} needs classes"):
        of_numbers.sample(3, y={1: 1})
    with pytest.raises(ValueError, match=r"classes seen in fit, \[5, 6, 7\], got 9"):
        of_classes.mean_rows([9])
    without = sampler(max_iter=5, hidden_layer_sizes=(8,)).fit(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.raises(ValueError, match="predict_target needs a target"):
        without.predict_target(X)
    with pytest.raises(ValueError, match="mean_rows needs a target"):
        without.mean_rows(0)
