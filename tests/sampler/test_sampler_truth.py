"""Distributions: densities that integrate to one, a Gaussian recovered, modes in their shares.

Seeds are fixed; a bound is at least four standard errors of the statistic or twice the value measured when it was set.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from skmdiff import ManifoldDiffusionSampler


def sampler(**parameters):
    defaults = dict(max_iter=800, hidden_layer_sizes=(48,), batch_size=256, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


# --- density


@pytest.mark.slow
@pytest.mark.parametrize("numeric", ["standard", "quantile", "smooth"])
@pytest.mark.parametrize("manifold", ["passthrough", None])
def test_density_integrates_to_one_in_one_dimension(numeric, manifold):
    X = np.random.default_rng(0).normal(3.0, 2.0, size=(600, 1))
    grid = np.linspace(X.min(), X.max(), 800)[:, None]
    density = np.exp(sampler(numeric=numeric, manifold=manifold).fit(X).score_samples(grid))
    assert trapezoid(density, grid[:, 0]) == pytest.approx(1, abs=0.06)


@pytest.mark.slow
def test_density_integrates_to_one_in_two_dimensions():
    X = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 1000)
    axis = np.linspace(-4.5, 4.5, 80)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    est = sampler(numeric="standard", manifold="passthrough").fit(X)
    density = np.exp(est.score_samples(grid))
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=0.07)


@pytest.mark.slow
@pytest.mark.parametrize("manifold", ["passthrough", None])
def test_density_is_that_of_a_gaussian(manifold):
    """And the score falls by the right amount for rows that are shifted: the test sees a wrong model."""
    distribution = stats.multivariate_normal([1, -2], [[4, 1.2], [1.2, 1]])
    X, fresh = distribution.rvs(4000, random_state=0), distribution.rvs(400, random_state=1)
    est = sampler(numeric="standard", manifold=manifold, sigma_start=1.0, max_iter=3000).fit(X)
    error = est.score_samples(fresh) - distribution.logpdf(fresh)
    assert np.abs(error).mean() < 0.35 and abs(error.mean()) < 0.15
    assert np.corrcoef(est.score_samples(fresh), distribution.logpdf(fresh))[0, 1] > 0.94
    shifted = fresh + [2.0, 0.0]
    assert est.score(fresh) - est.score(shifted) == pytest.approx(
        distribution.logpdf(fresh).mean() - distribution.logpdf(shifted).mean(), rel=0.35
    )


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 0.1])
def test_a_number_on_a_grid_has_a_probability(step):
    """Counts and decimals in the standard code; sharp peaks sum to 1.09 at most with a normal kernel for a cell."""
    X = (step * np.random.default_rng(0).binomial(5, 0.4, size=(1500, 1))).round(1)
    values = (step * np.arange(6)[:, None]).round(1)
    distribution = np.exp(sampler(numeric="standard").fit(X).score_samples(values))
    assert np.abs(distribution - stats.binom(5, 0.4).pmf(np.arange(6))).max() < 0.06
    assert distribution.sum() == pytest.approx(1, abs=0.12)


@pytest.mark.slow
def test_a_category_is_a_probability():
    """A coin and a die that ignores it: exp(score) over all cells is their distribution and sums to one."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"coin": rng.choice(["h", "t"], 2000, p=[0.7, 0.3]), "die": rng.choice(["1", "2", "3"], 2000)})
    est = sampler(max_iter=1500).fit(X)
    cells = pd.DataFrame([(c, d) for c in "ht" for d in "123"], columns=["coin", "die"])
    distribution = np.exp(est.score_samples(cells))
    assert distribution.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(distribution, np.outer([0.7, 0.3], [1 / 3] * 3).ravel(), atol=0.05)


# --- samples


@pytest.mark.slow
def test_samples_of_a_gaussian():
    cov = np.array([[1.0, 0.7], [0.7, 1.0]])
    X = np.random.default_rng(0).multivariate_normal([0, 0], cov, 3000)
    new = sampler(max_iter=1500).fit(X).sample(3000)
    np.testing.assert_allclose(new.mean(0), X.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(new.T), np.cov(X.T), atol=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("manifold", ["passthrough", None])
def test_modes_keep_their_shares(manifold):
    """Two clusters, 85 and 15 %: the share of the small one within 4 binomial standard errors plus 2 %."""
    rng = np.random.default_rng(0)
    small = rng.random(1500) < 0.15
    X = np.where(small, 3.0, -1.0)[:, None] + 0.3 * rng.normal(size=(1500, 2))
    # 150 held-out rows of two columns would stop so small a network while it still joins the modes
    new = sampler(manifold=manifold, max_iter=1600, early_stopping=False).fit(X).sample(2000)
    share = (new.mean(1) > 1).mean()
    assert abs(share - small.mean()) < 4 * np.sqrt(0.15 * 0.85 / 2000) + 0.02
    assert (np.abs(new.mean(1) - np.where(new.mean(1) > 1, 3, -1)) < 1).mean() > 0.96


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_probabilities_of_a_few_integers_sum_to_one(k):
    """They are categories of the code, whose probabilities sum to one however the network was trained."""
    x = np.random.default_rng(0).integers(0, k, (1200, 1))
    est = ManifoldDiffusionSampler(max_iter=500, early_stopping=False, hidden_layer_sizes=(32,), random_state=0).fit(x)
    probability = np.exp(est.score_samples(np.arange(k)[:, None]))
    np.testing.assert_allclose(probability, np.bincount(x[:, 0]) / 1200, atol=0.05)
    assert probability.sum() == pytest.approx(1, abs=1e-6)


def table_of_frequent_values(n):
    """Two numbers of few values and a category that depend on one another, as rows and as all rows there may be."""
    rng = np.random.default_rng(0)
    a = rng.choice([0, 1, 5], n, p=[0.5, 0.3, 0.2])
    b = np.where(rng.random(n) < 0.7, np.where(a == 5, 2.5, 0.0), rng.choice([0.0, 0.5, 2.5, 10.0], n))
    c = np.where((a + b > 2) ^ (rng.random(n) < 0.2), "high", "low")
    rows = [(a, b, c) for a in (0, 1, 5) for b in (0.0, 0.5, 2.5, 10.0) for c in ("high", "low")]
    return pd.DataFrame({"a": a, "b": b, "c": c}), pd.DataFrame(rows, columns=["a", "b", "c"])


@pytest.mark.parametrize("max_iter", [1, pytest.param(60, marks=pytest.mark.slow)])
def test_the_probabilities_of_all_rows_of_frequent_values_sum_to_one(max_iter):
    X, rows = table_of_frequent_values(300)
    probability = np.exp(sampler(max_iter=max_iter, corrector=None).fit(X).score_samples(rows))
    assert probability.sum() == pytest.approx(1, abs=1e-6)
