"""Weights of rows: a row of weight 2 is there twice and one of weight 0 is not, in what each part learns.

Shares drawn are compared with weighted shares within 4 binomial standard errors, and a little for what is learnt; the
unweighted shares lie far outside.
"""

from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch
from coding import Codec
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skmdiff import AugmentedClassifier, ManifoldDiffusionSampler, make_sampler_pipeline
from skmdiff._conditional.matches import Matches, agreeing, neighborhood
from skmdiff._diffusion import training
from skmdiff._numerics.weights import check_weight, indices_at, relative_weight
from skmdiff._starts import distributions as _laws
from skmdiff._starts import source as _source
from skmdiff._table.columns import Block
from skmdiff._table.missing.hot_deck import by_weight
from skmdiff._table.missing.indicators import MissingnessModel
from skmdiff._table.numeric import QuantileColumn, StandardColumn

RNG = np.random.default_rng(0)
N = 1200


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def learner(**parameters):
    return sampler(**{**dict(max_iter=300, hidden_layer_sizes=(32,), n_steps=8, sigma_start="auto"), **parameters})


def error(share, n_draws):
    return 4 * np.sqrt(share * (1 - share) / n_draws)


def world():
    """Two clusters, a level of a tenth of the rows, gaps that depend on the cluster; weights by cluster and level."""
    rng = np.random.default_rng(1)
    cluster = rng.choice(["low", "high"], N)
    x = 0.5 * rng.normal(size=N) + np.where(cluster == "high", 1.5, -1.5)
    level, value = rng.choice(["u", "v", "z"], N, p=[0.6, 0.3, 0.1]), rng.normal(size=N)
    value[rng.random(N) < np.where(cluster == "high", 0.4, 0.1)] = np.nan
    weight = np.where(cluster == "high", 4.0, 1.0) * np.where(level == "z", 5.0, 1.0)
    return pd.DataFrame({"x": x, "level": level, "value": value}), cluster, weight


@pytest.fixture(scope="module")
def drawn():
    X, y, weight = world()
    fitted = learner().fit(X, y, weight)
    return fitted, *fitted.sample(4000, return_y=True)


def share_of(condition, among=None):
    """The weighted share of rows of the world, among some of them."""
    weight = world()[2]
    return np.average(condition, weights=weight if among is None else weight * among)


# --- the distribution


@pytest.mark.slow
def test_shares_of_classes_levels_and_gaps_are_the_weighted_ones(drawn):
    X, y, _ = world()
    _, rows, classes = drawn
    assert share_of(y == "high") > 0.75 and share_of(X["level"] == "z") > 0.3  # from .5 and .1
    assert np.mean(classes == "high") == pytest.approx(share_of(y == "high"), abs=error(0.8, 4000))
    assert np.mean(rows["level"] == "z") == pytest.approx(share_of(X["level"] == "z"), abs=error(0.4, 4000) + 0.02)
    assert share_of(X["value"].isna()) > X["value"].isna().mean() + 0.08
    assert rows["value"].isna().mean() == pytest.approx(share_of(X["value"].isna()), abs=error(0.3, 4000) + 0.02)


@pytest.mark.slow
def test_dependence_and_quantiles_are_the_weighted_ones(drawn):
    X, y, weight = world()
    _, rows, classes = drawn
    assert np.mean((rows["x"] > 0) == (classes == "high")) > 0.93  # seeds of so short a fit: .945 to .98
    for at in (-1.5, 0.0, 1.0, 1.5, 2.0):
        below = share_of(X["x"] < at)
        assert np.mean(rows["x"] < at) == pytest.approx(below, abs=error(below, 4000) + 0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("conditions", "y", "seen", "among"),
    [
        (None, "low", lambda X, y: X["level"] == "z", lambda X, y: y == "low"),
        ({"level": ["v", "z"]}, None, lambda X, y: X["level"] == "z", lambda X, y: X["level"] != "u"),
        ({"level": "z"}, None, lambda X, y: X["x"] > 0, lambda X, y: X["level"] == "z"),
        ({"x": (-1.6, 1.6)}, None, lambda X, y: X["x"] > 0, lambda X, y: X["x"].abs() < 1.6),
    ],
    ids=["class", "levels", "level", "range"],
)
def test_conditional_laws_are_the_weighted_ones(drawn, conditions, y, seen, among):
    X, classes, _ = world()
    rows = drawn[0].sample(2000, y=y, conditions=conditions)
    expected = share_of(seen(X, classes), among(X, classes))
    assert abs(expected - np.mean(seen(X, classes)[among(X, classes)])) > 0.15
    assert np.mean(seen(rows, None)) == pytest.approx(expected, abs=error(expected, 2000) + 0.03)


@pytest.mark.slow
def test_designs_and_densities(drawn):
    X, y, _ = world()
    rows, classes = drawn[0].sample(1000, design="stratified", return_y=True)
    assert np.mean(classes == "high") == pytest.approx(share_of(y == "high"), abs=0.02)
    rows, classes = drawn[0].sample(2000, density="balanced", return_y=True)
    assert np.mean(classes == "high") == pytest.approx(0.5, abs=error(0.5, 2000))
    assert np.mean(rows["level"] == "z") == pytest.approx(share_of(X["level"] == "z"), abs=error(0.4, 2000) + 0.03)


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [{}, {"manifold": "passthrough"}, {"numeric": "standard"}], ids=str)
def test_a_tilted_normal_law(parameters):
    """Weights exp(a . x) turn N(0, C) into N(C a, C)."""
    C, rng = np.array([[1.0, 0.6], [0.6, 1.0]]), np.random.default_rng(0)
    X, distribution = rng.multivariate_normal([0, 0], C, N), stats.multivariate_normal([0.8, 0.48], C)
    weight = np.exp(0.8 * X[:, 0])
    fitted = learner(**parameters).fit(X, sample_weight=weight)
    rows, fresh = fitted.sample(4000), distribution.rvs(1000, random_state=0)
    mean = np.average(X, axis=0, weights=weight)
    np.testing.assert_allclose(mean, distribution.mean, atol=4 / np.sqrt(weight.sum() ** 2 / (weight**2).sum()))
    np.testing.assert_allclose(rows.mean(axis=0), mean, atol=0.08)
    np.testing.assert_allclose(rows.std(axis=0), 1.0, atol=0.12)
    unweighted = learner(**parameters).fit(X)
    assert fitted.score(fresh) > unweighted.score(fresh) + 0.05
    assert fitted.score(X) < unweighted.score(X)


# --- what is not weighted, in bits


def same(one, other):
    assert one.sample(50).equals(other.sample(50))
    assert one.validation_loss_curve_ == other.validation_loss_curve_ and one.sigma_start_ == other.sigma_start_


@pytest.mark.slow
@pytest.mark.parametrize("weight", [np.full(N, 3.0), np.ones(N, dtype=int), 0.1], ids=["threes", "ones", "scalar"])
def test_equal_weights_are_none(weight):
    X, y, _ = world()
    same(sampler(sigma_start="auto").fit(X, y), sampler(sigma_start="auto").fit(X, y, sample_weight=weight))


@pytest.mark.slow
@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("others", ["alike", "weighted"])
def test_rows_of_weight_zero_are_not_there(container, others):
    """A level, the largest number and a class are in such rows only."""
    X, y, weight = world()
    out = np.arange(N) % 3 == 0
    X.loc[out & (X["x"] > 1), ["level", "x"]] = ["unseen", 99.0]
    y = np.where(out & (X["level"] == "unseen"), "other", y).astype(object)
    weight = np.where(out, 0.0, weight if others == "weighted" else 2.0)
    est = sampler(sigma_start="auto")
    X = container(X.to_dict("list"))
    rows = (X.iloc if container is pd.DataFrame else X)[np.flatnonzero(~out)]
    full = est.fit(X, y, weight).sample(50), est.embedding_, est.validation_loss_curve_
    est.fit(rows, y[~out], weight[~out])
    assert full[0].equals(est.sample(50))
    np.testing.assert_array_equal(full[1][~out], est.embedding_)
    assert np.isnan(full[1][out]).all() and full[2] == est.validation_loss_curve_
    assert "unseen" not in set(full[0]["level"]) and full[0]["x"].max() < 5


# --- the parts, against repeated rows


WEIGHT = RNG.integers(1, 4, 40)
TWICE = np.repeat(np.arange(40), WEIGHT)
RELATIVE = relative_weight(WEIGHT.astype(float))


def test_columns_are_those_of_repeated_rows():
    values = np.repeat(RNG.normal(size=2), 20)  # seen often: how much is one stretch goes by observations
    for kind in (QuantileColumn, StandardColumn):
        by_weights, repeated = kind(values, "x", RELATIVE), kind(values[TWICE], "x")
        np.testing.assert_allclose(by_weights.encode(values), repeated.encode(values), atol=1e-12)
        np.testing.assert_allclose(by_weights.log_volume(values), repeated.log_volume(values), atol=1e-12)
    X = pd.DataFrame({"level": np.tile(list("abcd"), 10)})
    codes = [Codec().fit(X, RELATIVE), Codec().fit(X.iloc[TWICE])]
    np.testing.assert_allclose(codes[0].encode(X), codes[1].encode(X), atol=1e-12)
    np.testing.assert_allclose(codes[0].blocks_[0].frequencies, codes[1].blocks_[0].frequencies, atol=1e-12)


@pytest.mark.parametrize("spread", [0.5, 3.0, 20.0])
def test_a_weighted_number_comes_back_and_normal_codes_give_its_law(spread):
    rng = np.random.default_rng(2)
    values = rng.normal(size=300)
    weight = relative_weight(np.exp(spread * rng.normal(size=300)))
    column = QuantileColumn(values, "x", weight)
    np.testing.assert_allclose(column.decode(column.encode(values)), values, atol=1e-6)
    rows = column.decode(rng.normal(size=(20_000, 1)))
    for at in np.quantile(values, [0.1, 0.3, 0.5, 0.7, 0.9]):
        left, right = (np.average(compare(values, at), weights=weight) for compare in (np.less, np.less_equal))
        reach = error(0.5, 20_000) + weight.max() / weight.sum()  # a value spreads over the gaps beside it
        assert left - reach < np.mean(rows <= at) < right + reach


@pytest.mark.slow
def test_starts_keep_the_weighted_mean_and_covariance():
    """Of the neighbourhood of all rows: mean m and covariance (1 + 15 s) / (1 + 14 s) C, s = 1 / effective rows."""
    W = RNG.normal(size=(40, 2))
    source = _source.build_source(W, W, np.zeros(W.shape, dtype=bool), 39, weight=RELATIVE)
    starts = _source.draw_starts(source, np.random.default_rng(0).random((200_000, source.n_draws)))
    s = (RELATIVE**2).sum() / RELATIVE.sum() ** 2
    C = (1 + 15 * s) / (1 + 14 * s) * np.cov(W.T, bias=True, aweights=RELATIVE)
    np.testing.assert_allclose(starts.mean(axis=0), np.average(W, axis=0, weights=RELATIVE), atol=0.02)
    np.testing.assert_allclose(np.cov(starts.T), C, atol=0.03)


def test_starts_by_equal_weights_are_starts_without():
    W, uniforms = RNG.normal(size=(40, 2)), RNG.random((100, 9))
    sources = [
        _source.build_source(W, W, np.broadcast_to([False, True], W.shape), 7, weight=weight)
        for weight in (None, np.ones(40))
    ]
    np.testing.assert_allclose(*(_source.draw_starts(source, uniforms) for source in sources), atol=1e-12)


def test_kernel_density_and_memorisation_are_those_of_repeated_rows():
    x, centres = RNG.normal(size=(20, 3)), RNG.normal(size=(40, 3))
    for seen in (None, RNG.random((20, 3)) < 0.5):
        np.testing.assert_allclose(
            _source.log_kernel_density(x, centres, 0.5, seen, RELATIVE),
            _source.log_kernel_density(x, centres[TWICE], 0.5, seen),
            atol=1e-9,
        )
    heavy = RELATIVE * np.where(np.arange(40) < 20, 3, 1)
    repeated = np.repeat(np.arange(40), np.round(heavy / RELATIVE).astype(int) * WEIGHT)
    found = [
        _source.memorisation(x, *parts, 0.3, np.random.default_rng(0), weights)
        for parts, weights in [
            ((centres, centres), (heavy, RELATIVE)),
            ((centres[repeated], centres[TWICE]), (None, None)),
        ]
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_rows_with_a_target_are_drawn_by_weight():
    target, u = np.arange(40) % 3, (np.arange(30_000) + 0.5) / 30_000
    flat = _laws.RowDistribution(np.arange(40), np.arange(1, 41))
    rows = flat.rows_with_target(u, np.ones(30_000), target, RELATIVE)
    expected = np.where(target == 1, RELATIVE, 0) / RELATIVE[target == 1].sum()
    np.testing.assert_allclose(np.bincount(rows, minlength=40) / 30_000, expected, atol=1e-4)


def test_matches_are_those_of_repeated_rows():
    rows = np.column_stack([RNG.normal(size=(40, 2)), np.eye(3)[RNG.integers(0, 3, 40)]])
    blocks = [
        Block("numeric", 0, 1, None, "a"),
        Block("numeric", 1, 2, None, "b"),
        Block("categorical", 2, 5, np.eye(3), "c", np.full(3, 1 / 3)),
    ]
    weighted, repeated = Matches(rows, blocks, weight=RELATIVE), Matches(rows[TWICE], blocks)
    np.testing.assert_allclose(weighted.everyone.mean, repeated.everyone.mean, atol=1e-12)
    np.testing.assert_allclose(weighted.everyone.covariance, repeated.everyone.covariance, atol=1e-12)
    query = np.array([0.1, np.nan, np.nan])
    near, twice = (neighborhood(matches, *agreeing(matches, query, query, {})) for matches in (weighted, repeated))
    shares = [
        np.bincount(places, np.diff(some.cumulated, prepend=0)) / some.cumulated[-1]
        for some, places in ((near, near.indices), (twice, TWICE[twice.indices]))
    ]
    np.testing.assert_allclose(*shares, atol=1e-12)


def test_donors_are_drawn_by_weight():
    donors, weight = np.tile([7, 8, 9], (9000, 1)), np.tile([1.0, 6.0, 2.0], (9000, 1))
    drawn = by_weight(donors, weight, np.random.default_rng(0).random(9000))
    for column in (drawn[:, 0], drawn[:, 2], drawn.ravel()):
        np.testing.assert_allclose(np.bincount(column - 7) / len(column), [1 / 9, 6 / 9, 2 / 9], atol=0.02)


@pytest.mark.slow
def test_gaps_are_those_of_repeated_rows():
    W = RNG.normal(size=(400, 1))
    gaps, weight = RNG.random((400, 1)) < 0.3, np.where(W[:, 0] > 0, 3, 1)
    blocks = [Block("numeric", 0, 1, None, "a")]
    twice = np.repeat(np.arange(400), weight)
    probability = MissingnessModel(W, gaps, blocks, 0, np.ones(400)).log_probability(W, gaps)
    np.testing.assert_allclose(probability, MissingnessModel(W, gaps, blocks, 0).log_probability(W, gaps), atol=1e-6)
    rate = np.average(gaps[:, 0], weights=weight)
    for model in (MissingnessModel(W, gaps, blocks, 0, weight), MissingnessModel(W[twice], gaps[twice], blocks, 0)):
        missing = np.exp(model.log_probability(W, np.ones((400, 1), dtype=bool)))
        assert np.average(missing, weights=weight) == pytest.approx(rate, abs=0.01)


def test_batches_are_drawn_and_losses_are_means_by_weight():
    generator = torch.Generator().manual_seed(0)
    cumulated = torch.as_tensor(np.cumsum(RELATIVE))
    counts = np.bincount(training.draw_index(100_000, 40, cumulated, generator).numpy(), minlength=40)
    np.testing.assert_allclose(counts / 100_000, RELATIVE / 40, atol=0.002)
    loss, noised = torch.rand(40, 3, generator=generator), torch.rand(40, 3, generator=generator) < 0.7
    loss = loss * noised
    expected = loss[TWICE].sum() / noised[TWICE].sum()
    weight = torch.as_tensor(RELATIVE, dtype=loss.dtype)
    torch.testing.assert_close(training.weighted_loss(loss, noised, weight), expected)


# --- at the door


def test_relative_weights():
    assert relative_weight(None) is None and relative_weight(np.full(3, 7.0)) is None
    np.testing.assert_allclose(relative_weight(np.array([1.0, 2.0, 3.0])), [0.5, 1.0, 1.5])
    assert np.isfinite(relative_weight(np.array([1e308, 1e308, 1e-308]))).all()
    np.testing.assert_array_equal(indices_at(np.array([1.0, 1.0, 3.0]), np.array([0.0, 1.0, 3.0])), [0, 2, 2])
    np.testing.assert_array_equal(check_weight(2, 3), [2.0, 2.0, 2.0])


@pytest.fixture(scope="module")
def without_weights():
    return sampler(max_iter=2).fit(world()[0])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(N, -1.0), r"sample_weight must be finite, >= 0 and not all zero, got array\(\[-1"),
        (np.r_[np.nan, np.ones(N - 1)], "sample_weight must be finite"),
        (np.zeros(N), "not all zero"),
        (0, "not all zero"),
        (np.ones((N, 1)), rf"sample_weight must have shape \({N},\), got shape \({N}, 1\)"),
        (np.ones(3), rf"sample_weight must have shape \({N},\), got shape \(3,\)"),
        (["x"] * N, r"sample_weight must hold numbers, got"),
        (np.eye(1, N)[0], "sample_weight must be above 0 for at least 2 rows, got 1 such row"),
    ],
)
def test_bad_weights(without_weights, weight, message):
    (X, y, _), est = world(), deepcopy(without_weights)
    with pytest.raises(ValueError, match=message):
        est.fit(X, y, sample_weight=weight)
    assert not hasattr(est, "n_iter_")


def test_a_target_must_vary_among_rows_with_weight():
    X, y, _ = world()
    with pytest.raises(ValueError, match="y must hold at least two different values, got only .*high"):
        sampler().fit(X, y, (y == "high").astype(float))


@pytest.mark.slow
def test_weights_of_a_score_are_checked():
    X, _, _ = world()
    fitted = sampler().fit(X)
    assert fitted.score(X, sample_weight=2.0) == fitted.score(X)
    with pytest.raises(ValueError, match="not all zero"):
        fitted.score(X, sample_weight=np.zeros(N))


# --- in searches and in augmented estimators


@pytest.mark.slow
def test_a_search_routes_weights():
    X, y, weight = world()
    with sklearn.config_context(enable_metadata_routing=True):
        est = sampler().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(est, {"max_iter": [4]}, cv=2, error_score="raise").fit(X, y, sample_weight=weight)
    same(search.best_estimator_, sampler(max_iter=4).fit(X, y, weight))
    scores = [search.cv_results_[f"split{k}_test_score"][0] for k in (0, 1)]
    halves = np.arange(N // 2), np.arange(N // 2, N)
    for score, train, test in zip(scores, halves[::-1], halves, strict=True):
        half = sampler(max_iter=4).fit(X.iloc[train], y[train], weight[train])
        assert score == pytest.approx(half.score(X.iloc[test], sample_weight=weight[test]))


class Told(ManifoldDiffusionSampler):
    """A sampler that remembers its weights and draws."""

    weights, draws = [], []

    def fit(self, X, y=None, sample_weight=None):
        self.weights.append(sample_weight)
        return super().fit(X, y, sample_weight)

    def sample(self, n_samples=1, *, y=None, random_state=None):
        rows = super().sample(n_samples, y=y, random_state=random_state)
        self.draws.append((rows, y))
        return rows


@pytest.mark.parametrize("wrap", [lambda est: est, make_sampler_pipeline], ids=["alone", "pipeline"])
def test_generators_of_augmented_estimators_are_given_the_weights_once(wrap):
    """Classes by weight, and rows given the class by weight: x is of one sign in heavy rows."""
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 600))
    y = np.where(noise > 0.7, "yes", "no")
    weight = np.where(x > 0, 6.0, 1.0) * np.where(y == "yes", 2.0, 1.0) * (np.arange(600) > 99)
    Told.weights.clear()
    Told.draws.clear()
    told = wrap(Told(max_iter=150, hidden_layer_sizes=(16,), n_steps=5, random_state=0))
    AugmentedClassifier(
        LogisticRegression(solver="newton-cholesky"),
        told,
        n_synthetic=3.0,
        class_shares="data",
        gate=False,
        random_state=0,
    ).fit(x[:, None], y, sample_weight=weight)
    np.testing.assert_array_equal(Told.weights[0], weight[100:])
    ((rows, wanted),) = Told.draws
    assert np.mean(wanted == "yes") == pytest.approx(np.average(y == "yes", weights=weight), abs=1 / len(wanted))
    assert np.mean(rows > 0) == pytest.approx(6 / 7, abs=error(6 / 7, 500) + 0.02)


def test_a_value_seen_once_is_none_that_is_repeated_however_heavy():
    """The density of a heavy single value is spread to half-way to its neighbours, as its draws are."""
    values, weight = np.arange(100.0) ** 1.5, np.ones(100)
    weight[40] = 50.0
    column = QuantileColumn(values, "x", weight)
    around = np.array([values[40] - 0.1, values[40], values[40] + 0.1])
    density = column.log_volume(around) + stats.norm.logpdf(column.encode(around)[:, 0])
    np.testing.assert_allclose(density, density[1], atol=1e-9)
    share = np.exp(density[1]) * (values[41] - values[39]) / 2
    assert abs(share - 50 / 149) < 0.05
