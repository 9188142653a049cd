"""What a column means: distributions and volumes of its code against closed forms, and the grid it was seen on."""

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from generated import generated_column
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import trapezoid
from sklearn.preprocessing import QuantileTransformer

from skmdiff._table.grids import seen_decimals

FAST = settings(max_examples=30, deadline=None)


def column_of(values, numeric="quantile"):
    """The codec of one column, whatever its values, a score alone."""
    return Codec(numeric=numeric, frequent_values=False).fit(np.asarray(values).reshape(-1, 1))


def log_volume_of(codec, values):
    return codec.log_volume(np.asarray(values, dtype=float).reshape(-1, 1))


# -- distributions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["normal", "zero_inflated", "bounded", "decimals", "int8", "Int64"])
def test_encoded_training_column_is_standard_normal(kind):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generated_column(rng, kind, 4000)})
    w = Codec(frequent_values=False).fit(frame).encode(frame, rng)[:, 0]
    assert stats.kstest(w, "norm").pvalue > 0.01
    assert abs(w.std() - 1) < 0.03


@pytest.mark.parametrize("kind", ["zero_inflated", "decimals", "Int64", "normal"])
def test_standard_normal_decodes_to_the_distribution_of_the_column(kind):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": generated_column(rng, kind, 2000)})
    new = Codec(frequent_values=False).fit(frame).decode(rng.normal(size=(20_000, 1)))["x"].astype(float)
    seen = frame["x"].astype(float)
    assert stats.ks_2samp(seen, new).statistic < 0.02  # 1.6 standard errors of the larger draw
    top = seen.mode()[0]
    assert_allclose((new == top).mean(), (seen == top).mean(), atol=0.015)


def test_singletons_give_interpolated_values_and_atoms_do_not():
    x = np.array([0.0, 0.0, 1.0, 2.0, 2.0, 4.0])
    codec = column_of(x + 0.123456789)
    new = codec.decode(np.random.default_rng(0).normal(size=(2000, 1)))[:, 0] - 0.123456789
    inside = new[(new > 1e-9) & (np.abs(new - 2) > 1e-9) & (new < 4 - 1e-9)]
    # 1 owns (1/3, 1/2) and reaches half-way to both atoms, 4 owns (5/6, 1), which ends half-way to 2 at either end
    assert ((0.5 <= inside) & (inside <= 1.5) | (inside >= 3)).all()
    shares = [(new < 1e-9).mean(), (inside < 2).sum() / 2000, (inside > 2).sum() / 2000]
    assert_allclose(shares, [1 / 3, 1 / 6, 1 / 6], atol=0.04)


@pytest.mark.parametrize("dtype", [float, np.int64])
def test_an_end_that_one_row_holds_does_not_come_back_and_one_that_is_repeated_does(dtype):
    x = np.concatenate([np.zeros(40), 10**7 * np.random.default_rng(0).uniform(size=300), [3e7]]).astype(dtype)
    codec = column_of(x)
    assert_array_equal(codec.decode(codec.encode(x[:, None])), x[:, None])
    new = codec.decode(np.random.default_rng(1).normal(size=(20_000, 1)))[:, 0]
    beside = np.sort(x)[-2]
    # the last value owns 1 / 341 of the score: its draws are uniform on the half of the spacing beside it
    assert 0 < (new == 0).sum() and new.max() < 3e7
    assert np.mean(new > (beside + 3e7) / 2) == pytest.approx(1 / 341, rel=0.4)


def test_grid_of_the_column_is_kept_by_new_values():
    rng = np.random.default_rng(0)
    wide = rng.choice(100_000, 300, replace=False)
    assert (np.unique(wide, return_counts=True)[1] == 1).all()
    for scale, decimals in ((1, 0), (0.01, 2)):
        new = column_of(wide * scale).decode(rng.normal(size=(1000, 1)))
        assert_array_equal(new, np.round(new, decimals))
        assert len(np.setdiff1d(new, np.round(wide * scale, decimals))) > 500


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.0, -3.0, 1e17], 0),
        ([0.1, 0.25], 2),
        ([0.1 + 0.2, 12345.1], 1),
        (np.array([0.1, 0.25], dtype=np.float32), 2),
        ([1e-8, 3.0], 8),
        ([1 / 3, 0.5], None),
        (np.array([1 / 3, 0.5], dtype=np.float32), None),
        ([1e6 + 1 / 3, 1e6], None),
        ([1, 2], 0),
        ([1e300, 1.5], 1),
    ],
)
def test_seen_decimals(values, decimals):
    assert seen_decimals(np.asarray(values)) == decimals


def test_continuous_column_agrees_with_quantile_transformer():
    rng = np.random.default_rng(0)
    x, new = rng.gamma(2, size=(500, 1)), rng.gamma(2, size=(300, 1))
    w = column_of(x).encode(new)
    reference = QuantileTransformer(n_quantiles=500, output_distribution="normal").fit(x).transform(new)
    middle = np.abs(reference) < 2
    # ranks (i - 1/2) / n here, (i - 1) / (n - 1) there: u differs by 1 / (2 n) at most
    assert_allclose(stats.norm.cdf(w[middle]), stats.norm.cdf(reference[middle]), atol=1.1 / 1000)


@pytest.mark.parametrize("dtype", [float, int, np.uint8])
def test_encode_of_unseen_values_by_hand(dtype):
    codec = column_of(np.array([0, 0, 10, 20, 30, 30], dtype=dtype))
    u = stats.norm.cdf(codec.encode(np.array([[-1.0], [5], [6], [9.5], [12], [15], [19], [26], [99]]))[:, 0])
    # the atom 0 owns (0, 2) / 6, 10 has its middle at 2.5 / 6, 20 at 3.5 / 6; 30 owns (4, 6) / 6
    assert_allclose(6 * u, [1, 2, 2.1, 2.45, 2.7, 3.0, 3.4, 4, 5])


def test_decode_by_hand():
    codec = column_of(np.array([0, 0, 10, 20, 30, 30]) + 1 / 3)
    u = np.array([1.9, 2.1, 2.4, 2.7, 3.0, 3.4, 3.9, 4.1]) / 6
    # 10 is half-way to 0 where its interval starts, and the rest is linear from there
    expected = np.array([0, 6, 9, 12, 15, 19, 24, 30]) + 1 / 3
    assert_allclose(codec.decode(stats.norm.ppf(u)[:, None])[:, 0], expected)


def test_decode_and_encode_are_inverse_between_singletons():
    x = np.random.default_rng(0).normal(size=100)
    codec = column_of(x)
    w = stats.norm.ppf(np.linspace(0.006, 0.994, 777))[:, None]  # half an observation off either end
    assert_allclose(codec.encode(codec.decode(w)), w, atol=1e-9)


def test_scores_are_no_further_out_than_a_quarter_of_an_observation():
    x = np.repeat([0, 1], 1000)
    widest = [column_of(x).encode(x[:, None], np.random.default_rng(seed)) for seed in range(20)]
    assert_allclose([np.min(widest), np.max(widest)], stats.norm.ppf([0.25 / 2000, 1 - 0.25 / 2000]))


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=40).filter(lambda x: len(set(x)) > 1), st.data())
@FAST
def test_encode_is_monotone_and_finite(values, data):
    codec = column_of(np.array(values) * 0.37)
    new = np.sort(data.draw(st.lists(st.floats(-30, 30), min_size=2, max_size=20)))[:, None]
    w = codec.encode(new)[:, 0]
    assert np.isfinite(w).all() and (np.diff(w) >= 0).all()
    assert np.isfinite(codec.log_volume(new)).all()


def test_ties_follow_the_generator_and_the_middle_is_row_wise():
    X = np.random.default_rng(0).integers(0, 3, (50, 2))
    codec = Codec(frequent_values=False).fit(X)
    a, b = (codec.encode(X, np.random.default_rng(seed)) for seed in (0, 1))
    assert_array_equal(a, codec.encode(X, np.random.default_rng(0)))
    assert (a != b).all()
    assert_array_equal(codec.encode(X)[7:9], codec.encode(X[7:9]))


# -- volumes -----------------------------------------------------------------------------------------------


def test_density_of_a_continuous_column_integrates_to_one():
    x = np.random.default_rng(0).normal(size=300) + 0.1
    codec = column_of(x)
    grid = np.linspace(x.min(), x.max(), 200_001)
    logp = log_volume_of(codec, grid) + stats.norm.logpdf(codec.encode(grid[:, None])[:, 0])
    assert_allclose(trapezoid(np.exp(logp), grid), 1, rtol=1e-3)


def test_density_is_the_slope_of_the_map_over_stretches_of_ten_observations():
    x = np.sort(np.random.default_rng(1).exponential(size=80))
    codec = column_of(x)
    inner = (0.7 * x[:-1] + 0.3 * x[1:])[:, None]
    ends = np.concatenate([x[:1], 0.5 * (x[9:-1:10] + x[10::10]), x[-1:]])
    slope = 0.125 / np.diff(ends)[np.searchsorted(ends, inner[:, 0]) - 1]
    density = codec.log_volume(inner) + stats.norm.logpdf(codec.encode(inner)[:, 0])
    assert_allclose(density, np.log(slope), atol=1e-9)


def test_density_of_new_rows_is_that_of_their_distribution_but_for_what_ten_observations_leave():
    """By spacings of single observations it would be short of the truth by .42 nats."""
    rng = np.random.default_rng(2)
    codec, new = column_of(rng.normal(size=4000)), rng.normal(size=20_000)
    error = log_volume_of(codec, new) + stats.norm.logpdf(codec.encode(new[:, None])[:, 0]) - stats.norm.logpdf(new)
    inside = abs(new) < 2.5
    assert error[inside].mean() == pytest.approx(-1 / 20, abs=4 * error[inside].std() / np.sqrt(400))


def test_integers_seen_seldom_have_the_mean_share_of_their_stretch():
    x = np.repeat([0, 1, 2, 3, 4, 9], [20, 4, 3, 3, 5, 5])
    codec = column_of(x)
    w = codec.encode(np.arange(10.0)[:, None])[:, 0]
    probability = np.exp(log_volume_of(codec, range(10)) + stats.norm.logpdf(w))
    assert_allclose(probability[0], 0.5)
    assert_allclose(probability[1:4], 10 / 40 / 3)
    assert_allclose(probability[4:7], 10 / 40 / 6)  # to half a step beyond 9
    assert_allclose(probability[4:].sum(), 10 / 40)


def test_masses_of_atoms_sum_to_one():
    x = np.repeat([0.0, 1.5, 7.0], [50, 30, 20])
    codec = column_of(x)
    atoms = np.unique(x)
    logp = log_volume_of(codec, atoms) + stats.norm.logpdf(codec.encode(atoms[:, None])[:, 0])
    assert_allclose(np.exp(logp), [0.5, 0.3, 0.2])


@pytest.mark.parametrize("numeric", ["quantile", "standard", "smooth"])
def test_probabilities_on_a_grid_do_not_depend_on_its_unit(numeric):
    """Repeated values, values seen once and new ones: integers, and the same as decimals."""
    x = np.array([0, 0, 1, 3, 4, 4, 4, 9, 15])[:, None]
    new = np.arange(-1, 17)[:, None]
    whole, tenths = Codec(numeric=numeric).fit(x), Codec(numeric=numeric).fit(x / 10)
    assert_allclose(whole.log_volume(new), tenths.log_volume(new / 10))
    assert_allclose(whole.rounding_levels(), tenths.rounding_levels())


def test_unseen_values_have_a_finite_price():
    x = np.repeat([0.0, 1.0, 3.0], 20)
    codec = column_of(x)
    price = log_volume_of(codec, [2.5, -1.0, 4.0, 40.0])
    w = codec.encode(np.array([[2.5], [0.0], [3.0]]))[:, 0]
    assert_allclose(price[0], np.log(0.5 / 60 / 2) - stats.norm.logpdf(w[0]))
    edge = log_volume_of(codec, [0.0, 3.0])
    assert_allclose(price[1:3], edge - np.log(61) - 1 / x.std() - np.log(x.std()))
    assert_allclose(price[2] - price[3], 36 / x.std())


def test_volume_adds_over_numeric_columns_only():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=50), "b": rng.integers(0, 5, 50), "c": list("xy") * 25})
    parts = [Codec().fit(frame[[name]]).log_volume(frame[[name]]) for name in "ab"]
    assert_allclose(Codec().fit(frame).log_volume(frame), sum(parts))


@pytest.mark.parametrize("whole", [True, False])
def test_beyond_an_end_that_is_repeated_there_is_little(whole):
    """Half of the rows are 0: what is below 0 has the mass of half an observation at most, in all."""
    rng = np.random.default_rng(0)
    x = np.where(rng.random(1200) < 0.5, 0.0, 1 + rng.lognormal(10, 1, 1200))
    x = np.round(x) if whole else x
    codec = column_of(x)
    below = -np.arange(1.0, 2_000_000, 50.0)
    density = np.exp(log_volume_of(codec, below) + stats.norm.logpdf(codec.encode(below[:, None])[:, 0]))
    assert 0 < density.sum() * 50 < 1 / 1200
