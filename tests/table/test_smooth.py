"""Quantiles drawn towards a smooth distribution: closed forms, SciPy, and what is kept of the empirical ones."""

import numpy as np
import pytest
from coding import Codec
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import trapezoid

from skmdiff._table.numeric import QuantileColumn
from skmdiff._table.smooth import fitted_power, smooth_masses

ONES = np.ones(500)


def column_of(x, **options):
    return QuantileColumn(np.asarray(x), "x", **options)


def test_the_power_is_that_of_scipy():
    skewed = np.random.default_rng(0).lognormal(sigma=0.6, size=400)
    standardised = (skewed - skewed.mean()) / skewed.std()
    assert_allclose(fitted_power(standardised), stats.yeojohnson_normmax(standardised), atol=1e-3)


def test_masses_of_normal_numbers_are_those_of_the_normal_distribution():
    x = np.sort(np.random.default_rng(1).normal(5.0, 2.0, size=500))
    middles = (x[1:] + x[:-1]) / 2
    expected = 500 * np.diff(stats.norm(x.mean(), x.std()).cdf([-np.inf, *middles, np.inf]))
    # the power is estimated: near 1, not 1
    assert np.abs(np.cumsum(smooth_masses(x, ONES) - expected)).max() < 6
    assert_allclose(smooth_masses(x, ONES).sum(), 500)


def test_masses_do_not_depend_on_the_units():
    x = np.sort(np.random.default_rng(2).gamma(3.0, size=500))
    for scaled in (1e-300 * x, 1e300 * x, 1e6 + x):
        assert_allclose(smooth_masses(scaled, ONES), smooth_masses(x, ONES), rtol=1e-4)


def test_a_weight_counts_as_so_many_rows():
    rng = np.random.default_rng(3)
    x, weight = np.sort(rng.gamma(3.0, size=60)), rng.integers(1, 4, size=60)
    repeated = np.sort(np.repeat(x, weight)) + 1e-9 * np.arange(weight.sum())
    # quantiles between two rows are interpolated, which fits the power a little otherwise
    by_rows = smooth_masses(repeated, np.ones(weight.sum()))
    assert_allclose(np.add.reduceat(by_rows, np.cumsum([0, *weight[:-1]])), smooth_masses(x, weight), rtol=0.01)


@pytest.mark.parametrize(
    "x",
    [
        np.arange(19.0),  # few values
        np.append(np.linspace(0, 1, 100), np.linspace(50, 51, 100)),  # two heaps
        np.tan(np.linspace(-1.56, 1.56, 200)),  # tails of Cauchy on both sides
        np.append(np.arange(100.0), 1e300),  # floats do not hold the others beside it
    ],
)
def test_what_no_smooth_distribution_is_like_keeps_its_masses(x):
    masses = np.arange(1.0, len(x) + 1) if len(x) < 20 else np.ones(len(x))
    assert_array_equal(smooth_masses(x, masses), masses)


def test_widths_are_the_means_of_both_by_rows():
    x = np.sort(np.random.default_rng(4).normal(size=500))
    assert_array_equal(column_of(x).widths, ONES)
    assert_allclose(column_of(x, smooth_rows=1000).widths, (ONES + 2 * smooth_masses(x, ONES)) / 3)


def test_clusters_stay_apart():
    """Normal scores close a gap; drawn towards a smooth distribution, it stays."""
    rng = np.random.default_rng(5)
    x = np.sort(np.concatenate([rng.normal(centre, 0.15, size=100) for centre in range(5)]))[:, None]
    beside = np.searchsorted(x[:, 0], 1.5) + np.array([-1, 0])
    gap = {name: np.diff(Codec(numeric=name).fit(x).encode(x)[beside, 0])[0] for name in ("quantile", "smooth")}
    assert gap["quantile"] < 0.02
    assert gap["smooth"] > 0.05


def test_frequent_values_own_what_they_did():
    rng = np.random.default_rng(6)
    x = np.where(rng.random(800) < 0.4, 0.0, rng.gamma(3.0, size=800))
    plain, smooth = (column_of(x, max_onehot=50, smooth_rows=rows) for rows in (0, 1000))
    assert_array_equal(plain.frequent, smooth.frequent)
    assert_allclose(smooth.widths[smooth.frequent], plain.widths[plain.frequent])
    assert_allclose(smooth.total, plain.total)


def test_density_of_a_continuous_column_integrates_to_one():
    x = np.random.default_rng(7).gamma(3.0, size=400)
    codec = Codec(numeric="smooth").fit(x[:, None])
    grid = np.linspace(x.min(), x.max(), 200_001)
    w = codec.encode(grid[:, None])[:, 0]
    density = np.exp(codec.log_volume(grid[:, None]) + stats.norm.logpdf(w))
    assert_allclose(trapezoid(density, grid), 1, rtol=1e-3)


def test_probabilities_of_decimals_sum_to_one():
    x = np.random.default_rng(7).gamma(3.0, size=400).round(1)
    codec = Codec(numeric="smooth", frequent_values=False).fit(x[:, None])
    grid = np.round(np.arange(x.min(), x.max() + 0.05, 0.1), 1)[:, None]
    w = codec.encode(grid, np.array([0.5]))[:, 0]
    assert_allclose(np.exp(codec.log_volume(grid, np.array([0.5])) + stats.norm.logpdf(w)).sum(), 1, atol=0.03)


def test_samples_of_the_code_have_the_drawn_distribution():
    """Standard normal scores decode to the mean of both distributions, by rows."""
    rng = np.random.default_rng(8)
    x = rng.gamma(3.0, size=300)
    codec = Codec(numeric="smooth").fit(x[:, None])
    new = np.sort(codec.decode(rng.normal(size=(40_000, 1)))[:, 0])
    values = np.sort(x)
    widths = (300 * np.ones(300) + 1000 * smooth_masses(values, np.ones(300))) / 1300
    middles = (values[1:] + values[:-1]) / 2
    expected = np.cumsum(widths)[:-1] / 300
    assert np.abs(np.searchsorted(new, middles) / len(new) - expected).max() < 1.63 / np.sqrt(len(new))
