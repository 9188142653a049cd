"""The code that `numeric="auto"` chooses: laws of its measure, tables that decide, what is promised whichever it is."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmdiff import ManifoldDiffusionSampler, load
from skmdiff._numerics.weights import is_surely_positive
from skmdiff._sampler.numeric_code import candidates, choose_code, log_densities, repeats_itself
from skmdiff._table.checks import read_table
from skmdiff._table.codec import TableCodec, number_column
from skmdiff.datasets import make_gaussian_grid

CODES = ("quantile", "smooth", "standard")


def chosen(X, seed=0, weight=None, deadline=None):
    table = read_table(X)
    return choose_code(TableCodec().fit(table), table, weight, seed, deadline)


def instant(**params):
    return ManifoldDiffusionSampler(**{"max_iter": 0, "n_steps": 4, "random_state": 0, **params})


def grid(n=700, n_columns=10, seed=0):
    return make_gaussian_grid(n, n_columns, ratio=0.85, noise=0.05, random_state=seed).data


# ---- the measure


@pytest.mark.parametrize("name", CODES)
def test_log_densities_of_normal_numbers_are_near_their_own(name):
    rng = np.random.default_rng(0)
    X = rng.normal(3.0, 2.0, size=(900, 2))
    own = -0.5 * np.log(2 * np.pi * 4.0) * 2 - 1.0  # the mean log-density: minus the entropy
    error = 0.5 * np.sqrt(2 * 2) / np.sqrt(540)
    # a model of 720 rows costs some hundredths of a nat a parameter, stretches of the quantiles a twentieth a column
    assert own - 0.2 < log_densities(list(X.T), name, None, 0).mean() < own + 3 * error


@pytest.mark.parametrize("name", CODES)
def test_log_densities_are_in_the_units_of_the_columns(name):
    X = np.random.default_rng(1).gamma(2.0, size=(300, 3))
    units = np.array([1e-3, 8.0, 1e5])
    scaled = log_densities(list((X * units).T), name, None, 0)
    assert_allclose(scaled, log_densities(list(X.T), name, None, 0) - np.log(units).sum(), atol=1e-4)


@pytest.mark.parametrize("name", CODES)
def test_log_densities_of_rounded_numbers_are_probabilities(name):
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(0.0, 1.0, size=900), 1)
    values, counts = np.unique(np.round(rng.normal(0.0, 1.0, size=10**6), 1), return_counts=True)
    share = counts / counts.sum()
    own = share @ np.log(share)
    assert abs(log_densities([x], name, None, 0).mean() - own) < 0.12  # of 540 rows; as densities they are 2.3 higher


def test_a_gain_counts_by_weight_and_against_its_error():
    gain = np.array([3.0, -1.0, 1.0, 1.0])
    assert not is_surely_positive(gain, np.ones(4))  # mean 1, two standard errors 1.41
    assert is_surely_positive(gain, np.array([1.0, 0.01, 1.0, 1.0]))
    assert not is_surely_positive(np.zeros(4), np.ones(4))
    assert is_surely_positive(np.full(4, 0.1), np.ones(4))


# ---- the choice


def test_straight_clusters_are_standardised():
    assert chosen(grid()) == "standard"


def test_skewed_numbers_are_not_standardised():
    X = np.random.default_rng(3).gamma(1.5, size=(700, 4)) @ np.array(
        [[1.0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]
    )
    assert chosen(X) == "smooth"


def test_what_no_smooth_distribution_is_like_keeps_its_quantiles():
    rng = np.random.default_rng(4)
    X = np.tan(np.pi * (rng.random((500, 3)) - 0.5))  # Cauchy
    assert chosen(X) == "quantile"


def test_the_choice_does_not_depend_on_units_or_rows_without_weight():
    X = grid()
    assert chosen(X * 1e6 + 5.0) == chosen(X) == "standard"
    assert chosen(X, weight=np.ones(700)) == "standard"


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": np.arange(300), "y": np.linspace(0, 1, 300) ** 0.5}),  # integers
        pd.DataFrame({"x": np.where(np.arange(300) % 2, 0.0, np.linspace(0.1, 1, 300))}),  # zeros in half of the cells
        pd.DataFrame({"x": pd.date_range("2020", periods=300), "y": np.linspace(0, 1, 300) ** 0.5}),
    ],
)
def test_numbers_that_are_not_measured_are_never_standardised(frame):
    assert candidates(TableCodec().fit(read_table(frame))) == ["quantile", "smooth"]


K = np.round(np.random.default_rng(6).normal(10, 4, 300)).clip(0, 19)


@pytest.mark.parametrize("x", [K / 4, K / 3, np.round(K / 3, 2), np.log1p(K), K // 2 + 0.99])
def test_repeated_values_off_the_integers_come_back(x):
    """Whatever the unit: what is repeated is no density, and its values are all that there are."""
    frame = pd.DataFrame({"x": x, "y": x + np.random.default_rng(7).normal(size=300)})
    for unit in (1e-4, 1.0, 1e4):
        assert candidates(TableCodec().fit(read_table(frame * unit))) == ["quantile", "smooth"]
    seen = instant().fit(frame).sample(1000)["x"].isin(set(x))
    assert seen.mean() > 0.95  # what is seen once is interpolated


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("n_rows", [100, 1500])
def test_rounded_numbers_are_measured(scale, n_rows):
    for seed in range(20):
        x = np.round(np.random.default_rng(seed).normal(0, scale, n_rows), 2)
        assert not repeats_itself(number_column(x, "x", "quantile"))


def test_tables_that_cannot_tell_keep_their_quantiles():
    X = grid(2000)
    holes = np.where(np.random.default_rng(5).random((700, 10)) < 0.5, np.nan, X[:700])  # hardly a row is whole
    assert chosen(X) == chosen(X[:49]) == chosen(holes) == "quantile"
    assert chosen(X[:700], deadline=0.0) == "quantile"
    assert chosen(pd.DataFrame({"c": ["a", "b"] * 50})) == "quantile"


def test_rows_that_are_whole_decide_where_some_are_not():
    X = grid(900)
    X[:200, 0] = np.nan
    assert chosen(X) == "standard"


def test_many_columns_are_tried_by_some_of_them():
    assert chosen(grid(n_columns=60)) == "standard"


def test_a_column_of_one_value_in_a_fold_is_left_out():
    X = np.column_stack([grid(300), np.r_[1.0, np.zeros(299)]])
    for name in CODES:
        assert np.isfinite(log_densities(list(X.T), name, None, 0)).all()


# ---- the sampler


def test_what_is_chosen_is_told_and_within_the_range():
    X = grid()
    est = instant().fit(X)
    rows = est.sample(5000)
    assert est.numeric_ == "standard"
    assert (rows >= X.min(axis=0)).all() and (rows <= X.max(axis=0)).all()
    assert not np.isin(rows, [X.min(axis=0), X.max(axis=0)]).any()  # ends are of a row each


def test_what_is_asked_for_is_kept_and_standard_goes_beyond():
    X = grid()
    for name in CODES:
        assert instant(numeric=name).fit(X).numeric_ == name
    rows = instant(numeric="standard").fit(X).sample(5000)
    assert (rows > X.max(axis=0)).any()


def test_noise_keeps_the_quantiles():
    assert instant(noise_level=0.01).fit(grid()).numeric_ == "quantile"


def test_a_training_that_goes_on_keeps_its_code():
    X = grid()
    est = ManifoldDiffusionSampler(max_iter=2, hidden_layer_sizes=(8,), warm_start=True, random_state=0).fit(X)
    skewed = np.exp(np.random.default_rng(6).normal(size=(500, 10)))
    assert est.numeric_ == "standard" and est.fit(skewed).numeric_ == "standard"


def test_the_same_seed_chooses_the_same():
    X = np.random.default_rng(7).gamma(4.0, size=(200, 3))
    first, second = (instant().fit(X) for _ in range(2))
    assert first.numeric_ == second.numeric_
    assert_array_equal(first.sample(20), second.sample(20))


@pytest.mark.filterwarnings("error")
def test_numbers_at_the_ends_of_floats_do_not_stop_a_fit():
    rng = np.random.default_rng(8)
    one_row = np.r_[1e300, rng.normal(size=119)]
    tiny, heavy = 5e-324 * rng.integers(1, 400, size=120), np.tan(1.5707 * (2 * rng.random(120) - 1)) * 1e280
    X = np.column_stack([one_row, tiny, heavy, rng.normal(size=120)])
    for j in range(4):
        assert chosen(X[:, [j]]) in CODES
    rows = instant(constraints=None).fit(X).sample(50)
    assert (rows >= X.min(axis=0)).all() and (rows <= X.max(axis=0)).all()


def test_an_identifier_and_no_noise_do_not_change_the_choice():
    X = pd.DataFrame(grid(300), columns=[f"x{j}" for j in range(10)])
    unique = instant(constraints=[("id", "is", "unique")]).fit(X.assign(id=np.arange(300)))
    assert unique.numeric_ == instant(noise_level=0.0).fit(X).numeric_ == instant().fit(X).numeric_ == "standard"
    assert instant(noise_level=0.01).fit(X).numeric_ == "quantile"


def test_a_number_beyond_the_range_costs_a_finite_penalty():
    X = grid()
    est, end = instant().fit(X), X[[np.argmax(X[:, 0])]]
    beyond = np.repeat(end, 3, axis=0)
    beyond[:, 0] += np.array([1.0, 5.0, 1000.0])
    price = est.score_samples(end) - est.score_samples(beyond)
    assert_allclose(price, np.log(701) + np.array([1, 5, 1000]) / X[:, 0].std(), rtol=1e-4)


def test_a_model_without_rows_keeps_the_spread(tmp_path):
    X = grid()
    est = instant().fit(X)
    est.save(tmp_path / "m", training_rows=False)
    assert est.numeric_ == "standard"
    rows = load(tmp_path / "m").sample(4000)
    assert_allclose(rows.std(axis=0), X.std(axis=0), rtol=0.15)


def test_a_training_that_goes_on_asks_for_the_code_that_it_had():
    X = grid(300)
    est = instant(max_iter=2, warm_start=True).fit(X)
    assert est.numeric_ == "standard"
    with pytest.raises(ValueError, match=r"same code of numbers.*other than then: numeric\."):
        est.set_params(numeric="quantile").fit(X)
    zeros = np.where(np.arange(300)[:, None] < 200, 0.0, X)
    with pytest.raises(ValueError, match=r"other than then: numeric, column 0"):
        instant(max_iter=2, warm_start=True).fit(X).fit(zeros)
