"""Gaps: what fills them in, how they are learnt and generated, and the density of rows that have some.

Seeds are fixed; a bound is at least four standard errors of the statistic or twice the value measured when it was set.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from coding import Codec
from scipy import stats
from sklearn.utils import get_tags

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import noise, tasks, training
from skmdiff._table.missing.hot_deck import HotDeck, fill
from skmdiff._table.missing.indicators import (
    N_TREES,
    MissingnessModel,
    calibrate,
    features,
    held_out_gains,
    log_odds,
    terms_of_rates,
)


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def gappy(n=200, seed=0):
    """A table with gaps in a number, an integer, a category and a string; the last two lack the same rows."""
    rng = np.random.default_rng(seed)
    size, absent = rng.normal(size=n), rng.random(n) < 0.3
    kind = pd.Series(pd.Categorical(rng.choice(["a", "b", "c"], n), categories=list("abcd"))).mask(absent)
    return pd.DataFrame(
        {
            "size": size,
            "weight": pd.Series(2 * size + rng.normal(size=n)).mask(rng.random(n) < 0.2),
            "count": pd.Series(rng.poisson(3, n), dtype="Int64").mask(size > 1),
            "kind": kind,
            "city": pd.Series(rng.choice(["Bonn", "Oslo"], n), dtype="str").mask(absent),
            "empty": np.nan,
            "flag": pd.Series(np.where(rng.random(n) < 0.4, 1.0, np.nan)),
            "whole": rng.integers(0, 9, n),
        }
    )


@pytest.fixture(scope="module")
def fitted():
    return sampler(max_iter=300, hidden_layer_sizes=(32,), n_steps=6).fit(gappy())


# --- the code


def test_columns_that_lack_the_same_rows_share_an_indicator():
    X = gappy()
    codec = Codec().fit(X)
    indicator = {codec.columns_[j].name: k for j, k in codec.patterns.indicator_of.items()}
    assert set(indicator) == {"weight", "count", "kind", "city", "flag"} and codec.patterns.n_indicators == 4
    assert indicator["kind"] == indicator["city"]
    for name, k in indicator.items():
        np.testing.assert_array_equal(codec.indicators(X)[:, k], X[name].isna())


def test_gaps_are_nan_in_the_matrix_and_blanked_by_their_indicator():
    X, rng = gappy(), np.random.default_rng(0)
    codec = Codec().fit(X)
    W = codec.encode(X, rng)
    starts = {block.name: block.start for block in codec.blocks_}
    for name in ("weight", "count", "kind", "city"):
        np.testing.assert_array_equal(np.isnan(W[:, starts[name]]), X[name].isna())
    anything = np.where(np.isnan(W), rng.normal(size=W.shape), W)
    pd.testing.assert_frame_equal(codec.decode(anything, codec.missing_rows(codec.indicators(X))), X)
    whole = codec.decode(anything)
    assert not whole.drop(columns="empty").isna().any(axis=None) and whole["empty"].isna().all()
    pd.testing.assert_frame_equal(whole.mask(X.isna()).astype(X.dtypes), X)


def test_what_is_unknown_in_training_is_what_rows_of_the_table_lack():
    """In three of the six tasks, in the share of the rows that lack it, and whatever the rows of the batch are."""
    lacking = np.array([[False, True, True], [False, False, False], [False, False, False]])
    missing = training.draw_missing(40_000, torch.as_tensor(lacking), None, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(missing.float().mean(0), [0, 1 / 3, 1 / 3], atol=0.01)
    assert torch.equal(missing[:, 1], missing[:, 2])
    assert training.draw_missing(3, None, None, torch.Generator()) is None
    arguments = torch.ones(40_000), tasks.Columns(torch.tensor([False, False, True]), None), 1.0
    sigma = tasks.draw_column_levels(*arguments, torch.Generator().manual_seed(1), missing)
    plain = tasks.draw_column_levels(*arguments, torch.Generator().manual_seed(1))
    hiding = {tasks.rest_unknown, tasks.numbers_alone, tasks.target_unknown}
    concerned = torch.tensor([task in hiding for task in tasks.TURNS]).repeat(6000)[:40_000]
    expected = torch.where(missing & concerned[:, None], noise.UNKNOWN, plain)
    assert torch.equal(sigma, expected) and not torch.equal(sigma, plain)


# --- the model of the gaps


def test_trees_find_the_law_of_gaps_and_their_dependence_on_each_other():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(8000, 2))
    first = rng.random(8000) < np.where(W[:, 0] > 0.5, 0.7, 0.1)
    second = rng.random(8000) < np.where(first, 0.9, 0.2)
    model = MissingnessModel(
        W[:4000], np.column_stack([first, second])[:4000], coded({"x": W[:, 0], "y": W[:, 1]})[1], 0
    )
    drawn = model.draw(W[4000:], rng.random((4000, 2)))
    high = W[4000:, 0] > 0.5
    np.testing.assert_allclose([drawn[high, 0].mean(), drawn[~high, 0].mean()], [0.7, 0.1], atol=0.06)
    np.testing.assert_allclose([drawn[drawn[:, 0], 1].mean(), drawn[~drawn[:, 0], 1].mean()], [0.9, 0.2], atol=0.05)
    cells = [model.log_probability(W[4000:], np.tile(pattern, (4000, 1))) for pattern in np.ndindex(2, 2)]
    np.testing.assert_allclose(np.exp(cells).sum(0), 1)
    np.testing.assert_allclose(np.mean(np.exp(cells[3])), np.mean(drawn.all(1)), atol=0.03)


def few_rows(n, seed):
    """Rows of ten independent normal columns."""
    W = np.random.default_rng(seed).normal(size=(n, 10))
    return W, coded({str(k): W[:, k] for k in range(10)})[1]


def probabilities(model, W):
    """(m,) of the last indicator in rows W (m, p), given that those before it are 0."""
    n_indicators = len(model.chain)
    none = model.log_probability(W, np.zeros((len(W), n_indicators), dtype=bool))
    last = model.log_probability(W, np.arange(n_indicators) == np.full((len(W), 1), n_indicators - 1))
    return 1 / (1 + np.exp(none - last))


def test_few_rows_with_gaps_at_random_keep_their_rates_in_rows_not_seen():
    """300 rows, five indicators of 5 %: as many in new rows as in the table, and no row much likelier than another."""
    rng = np.random.default_rng(1)
    W, blocks = few_rows(300, 1)
    gaps = rng.random((300, 5)) < 0.05
    model = MissingnessModel(W, gaps, blocks, 0)
    new = few_rows(20_000, 2)[0]
    drawn = model.draw(new, rng.random((20_000, 5)))
    np.testing.assert_allclose(drawn.mean(0), gaps.mean(0), atol=0.01)
    assert np.std(probabilities(model, new)) < 0.02


def test_few_rows_with_gaps_that_depend_on_a_column_keep_most_of_the_dependence():
    """Without the factor of the log odds, the trees that rows held out ask for have two thirds of it."""
    W, blocks = few_rows(800, 3)
    gaps = np.random.default_rng(3).random((800, 8)) < np.where(W[:, :1] > 0, 0.4, 0.1)
    new = few_rows(20_000, 4)[0]
    drawn = MissingnessModel(W, gaps, blocks, 0).draw(new, np.random.default_rng(4).random((20_000, 8)))
    difference = drawn[new[:, 0] > 0].mean(0) - drawn[new[:, 0] <= 0].mean(0)
    assert np.mean(difference) == pytest.approx(0.3, abs=0.04)


def dependence(gaps, W, new_rows):
    """(n_indicators,) how much more of each indicator is drawn where the first column is above 0."""
    new, blocks = few_rows(20_000, new_rows)
    drawn = MissingnessModel(W, gaps, blocks, 0).draw(
        new, np.random.default_rng(new_rows).random((20_000, gaps.shape[1]))
    )
    return drawn[new[:, 0] > 0].mean(0) - drawn[new[:, 0] <= 0].mean(0)


def test_a_dependence_that_many_indicators_share_is_learnt_from_all_of_them():
    """Each has 40 gaps in 800 rows, which say little of what it depends on: alone they kept half of it, at .025."""
    W, _ = few_rows(800, 11)
    gaps = np.random.default_rng(11).random((800, 20)) < np.where(W[:, :1] > 0, 0.08, 0.02)
    assert np.mean(dependence(gaps, W, 12)) == pytest.approx(0.06, abs=0.012)


@pytest.mark.parametrize("other", [0.0, -0.2])
def test_indicators_that_do_not_share_a_dependence_have_their_own(other):
    """Half of the columns without one, or with the opposite one."""
    W, _ = few_rows(1500, 13)
    size = np.repeat([0.2, other], 5)
    gaps = np.random.default_rng(13).random((1500, 10)) < 0.2 + np.where(W[:, :1] > 0, 0.5, -0.5) * size
    found = dependence(gaps, W, 14)
    np.testing.assert_allclose([found[:5].mean(), found[5:].mean()], [0.2, other], atol=0.04)


def test_trees_are_deep_where_columns_act_together_and_stumps_where_each_acts_alone():
    W, blocks = few_rows(3000, 5)
    u = np.random.default_rng(5).random((3000, 1))
    for where, n_leaves in ((W[:, 0] * W[:, 1] > 0, 8), (W[:, 0] > 0, 2)):
        model = MissingnessModel(W, u < np.where(where, 0.6, 0.1)[:, None], blocks, 0)
        probability = probabilities(model, W)
        assert model.choice.n_leaves == n_leaves
        np.testing.assert_allclose([probability[where].mean(), probability[~where].mean()], [0.6, 0.1], atol=0.1)


def test_log_odds_are_calibrated_to_their_factor_and_terms():
    """Gaps drawn from 1.7 * gain + rate + (.5, -.8): found again; the loss is that of the formula, at its least."""
    rng, mass = np.random.default_rng(0), np.full(20_000, 1 / 20_000)
    none = np.zeros(20_000)
    gain, rates, terms = rng.normal(size=(20_000, 2)), np.array([-1.0, 0.5]), np.array([0.5, -0.8])
    gaps = rng.random((20_000, 2)) < 1 / (1 + np.exp(-1.7 * gain - rates - terms))
    _, factor, value = calibrate(none, gain, rates, gaps, mass, 1)
    assert factor == pytest.approx(1.7, abs=0.08)
    found = terms_of_rates(factor * gain + rates, gaps.mean(0), mass)
    np.testing.assert_allclose(found, terms, atol=0.1)
    probability = 1 / (1 + np.exp(-factor * gain - rates - found))
    np.testing.assert_allclose(probability.mean(0), gaps.mean(0), atol=1e-6)
    assert value == pytest.approx(-np.log(np.where(gaps, probability, 1 - probability)).sum(axis=1).mean(), abs=1e-6)


@pytest.mark.parametrize("truth", [[1.3], [1.3, -0.4]])
def test_log_odds_for_all_indicators_are_calibrated_by_one_factor_or_one_each(truth):
    """Gaps drawn from the factors times what is common + .7 times what is not + rates: found again."""
    rng = np.random.default_rng(1)
    common, own, rates = rng.normal(size=20_000), rng.normal(size=(20_000, 2)), np.array([-1.0, 0.5])
    gaps = rng.random((20_000, 2)) < 1 / (1 + np.exp(-common[:, None] * truth - 0.7 * own - rates))
    found = calibrate(common, own, rates, gaps, np.full(20_000, 3.0), len(truth))
    np.testing.assert_allclose(found.common, truth, atol=0.08)
    assert found.factor == pytest.approx(0.7, abs=0.06)


@pytest.mark.slow
def test_many_indicators_keep_their_rates():
    """60 of them, for which the trees are chosen by a third of 400 rows: its own rates are off by .05 somewhere."""
    rng = np.random.default_rng(8)
    W, blocks = few_rows(400, 8)
    gaps = rng.random((400, 60)) < np.where(W[:, :1] > 0, 0.2, 0.05)
    drawn = MissingnessModel(W, gaps, blocks, 0).draw(few_rows(20_000, 9)[0], rng.random((20_000, 60)))
    assert np.abs(drawn.mean(0) - gaps.mean(0)).max() < 0.02


def test_gains_are_held_out():
    """Trees that saw a row know its gap by heart; those asked here did not, so noise gains nothing from them."""
    W, _ = few_rows(300, 6)
    gaps, fold = np.random.default_rng(6).random((300, 2)) < 0.3, np.arange(300) % 3
    gains = held_out_gains(W, gaps, np.ones(300), [False] * 10, 8, N_TREES, fold, range(3), 0)
    rates = [log_odds(gaps[:, k], np.ones(300)) for k in range(2)]
    assert gains.shape == (len(N_TREES), 300, 2)
    assert calibrate(np.zeros(300), gains[-1], rates, gaps, np.ones(300), 1).factor < 0.2
    for row in (0, 1, 2):
        others = gaps.copy()
        others[row] = ~others[row]
        again = held_out_gains(W, others, np.ones(300), [False] * 10, 8, N_TREES, fold, range(3), 0)
        np.testing.assert_array_equal(again[:, row, 0], gains[:, row, 0])


def test_rows_too_few_for_trees_have_their_rates():
    W, blocks = few_rows(7, 7)
    gaps = np.arange(7)[:, None] < [1, 3]
    model = MissingnessModel(W, gaps, blocks, 0)
    np.testing.assert_allclose(model.log_probability(W, np.tile([True, True], (7, 1))), np.log(1 / 7 * 3 / 7))


def test_trees_see_a_level_where_codes_are_one_hot_and_the_code_where_they_are_not():
    X = pd.DataFrame({"few": list("abc") * 40, "many": [f"level {k}" for k in range(60)] * 2, "x": np.arange(120)})
    codec = Codec().fit(X)
    W = codec.encode(X)
    seen = features(W, codec.blocks_)
    np.testing.assert_array_equal(seen[:, 0], np.arange(120) % 3)
    np.testing.assert_array_equal(seen[:, 1:], W[:, 3:])


# --- the hot deck


def line(n, seed=0):
    """x and y = .8 x + .6 e, both standard normal; y is missing more often where x is large."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 0.8 * x + 0.6 * rng.normal(size=n)
    return x, y, rng.random(n) < np.where(x > 0, 0.6, 0.1)


def coded(columns):
    X = pd.DataFrame(columns)
    codec = Codec(numeric="standard").fit(X)
    return codec.encode(X), codec.blocks_


def test_fillers_have_the_law_of_the_cells_that_are_missing_at_random():
    x, y, missing = line(6000)
    W, blocks = coded({"x": x, "y": np.where(missing, np.nan, y)})
    deck = HotDeck(W, blocks, 0)
    scale = y[~missing].std()
    filled = fill(W, deck.found, np.random.default_rng(0))[:, 1] * scale + y[~missing].mean()
    gap = filled[missing] - 0.8 * x[missing]
    assert abs(gap.mean()) < 0.05 and abs(gap.std() - 0.6) < 0.03 and abs(np.corrcoef(gap, x[missing])[0, 1]) < 0.08
    assert y[~missing].mean() < -0.2 and abs(filled.mean()) < 0.05  # the mean of what is seen is far off
    assert set(np.round(filled[missing], 9)) <= set(np.round(y[~missing], 9))


def test_donors_of_one_gap_are_those_of_the_slow_search(monkeypatch):
    monkeypatch.setattr("skmdiff._table.missing.hot_deck.ROUNDS", 1)
    x, y, missing = line(300)
    W, blocks = coded({"x": x, "z": x + 0.1 * y, "y": np.where(missing, np.nan, y)})
    ((block, rows, donors),) = HotDeck(W, blocks, 0).found
    X, seen = W[:, :2], np.flatnonzero(~missing)
    slopes = np.linalg.solve(X[seen].T @ X[seen] + 1e-3 * len(seen) * np.eye(2), X[seen].T @ W[seen, 2])
    scatter = np.sqrt(np.mean((W[seen, 2] - X[seen] @ slopes) ** 2)) + 1e-3
    for row, found in zip(rows, donors, strict=True):
        gap = X[seen] - X[row]
        distance = (gap @ slopes / scatter) ** 2 + (gap**2).mean(1)
        np.testing.assert_array_equal(found, seen[np.argsort(distance)[:5]])
    assert block.name == "y" and set(rows) == set(np.flatnonzero(missing))


def test_equally_near_donors_are_drawn_alike():
    """A coin that depends on nothing: rows that lack it get heads as often as it falls, not the first donor's side."""
    rng = np.random.default_rng(0)
    coin, missing = rng.choice(["h", "t"], 4000, p=[0.7, 0.3]), rng.random(4000) < 0.5
    X = pd.DataFrame({"coin": pd.Series(coin).mask(missing), "die": rng.choice(list("123"), 4000)})
    codec = Codec().fit(X)
    deck = HotDeck(codec.encode(X), codec.blocks_, 0)
    heads = deck.filled[:, 0] > 0
    assert abs(heads[missing].mean() - 0.7) < 4 * np.sqrt(0.21 / 2000) + 0.01
    assert len(np.unique(deck.found[0][2])) > 1000


def test_a_row_is_completed_alike_in_any_company():
    W, blocks = coded({name: column for name, column in gappy().items() if column.dtype == float})
    deck = HotDeck(W[:100], blocks, 0)
    whole = deck.complete(W)
    assert not np.isnan(whole).any()
    np.testing.assert_array_equal(whole[~np.isnan(W)], W[~np.isnan(W)])
    np.testing.assert_array_equal(whole[150:153], deck.complete(W[150:153]))
    np.testing.assert_array_equal(whole, HotDeck(W[:100], blocks, 0).complete(W))


def test_many_rows_find_donors_among_some(monkeypatch):
    monkeypatch.setattr("skmdiff._table.missing.hot_deck.MAX_DONORS", 100)
    x, y, missing = line(50_000)
    W, blocks = coded({"x": x, "y": np.where(missing, np.nan, y)})
    donors = HotDeck(W, blocks, 3).found[0][2]
    assert len(np.unique(donors)) <= 100 and not missing[donors].any()


# --- the sampler


def test_gaps_come_back_with_their_dtypes_and_together(fitted):
    X, new = gappy(), fitted.sample(500)
    pd.testing.assert_series_equal(new.dtypes, X.dtypes)
    np.testing.assert_array_equal(new["kind"].isna(), new["city"].isna())
    assert new["empty"].isna().all() and not new[["size", "whole"]].isna().any(axis=None)
    assert set(new["flag"].dropna()) == {1.0} and new["count"].dropna().between(0, 12).all()


def test_filled_rows_are_the_generated_ones_without_their_gaps(fitted):
    new, whole = fitted.sample(300), fitted.sample(300, missing="fill")
    assert not whole.drop(columns="empty").isna().any(axis=None)
    assert new.drop(columns="empty").isna().any().sum() == 5
    pd.testing.assert_frame_equal(whole.mask(new.isna()).astype(new.dtypes), new)
    assert fitted.sample(20).equals(new.iloc[:20])


def test_missing_must_be_a_known_word(fitted):
    with pytest.raises(ValueError, match=r"missing must be one of \['fill', 'generate'\], got 'drop'"):
        fitted.sample(3, missing="drop")


def test_the_tags_say_that_gaps_are_welcome():
    assert get_tags(sampler()).input_tags.allow_nan


@pytest.mark.parametrize("manifold", [None, "passthrough"])
def test_gaps_have_their_rate_and_depend_on_other_columns(manifold):
    """y is missing in .6 of the rows with x > 0 and in .1 of the others; y itself is .8 x + .6 e throughout."""
    x, y, missing = line(3000)
    X = np.column_stack([x, np.where(missing, np.nan, y)])
    parameters = dict(manifold=manifold, max_iter=1000, hidden_layer_sizes=(48,), n_steps=12, sigma_start="auto")
    est = sampler(**parameters).fit(X)
    new, whole = est.sample(6000), est.sample(6000, missing="fill")
    high, gap = new[:, 0] > 0, np.isnan(new[:, 1])
    assert abs(gap.mean() - missing.mean()) < 0.03
    assert abs(gap[high].mean() - 0.6) < 0.05 and abs(gap[~high].mean() - 0.1) < 0.05
    for rows in (new[~gap], whole):
        slope, intercept = np.polyfit(*rows.T, 1)
        assert abs(slope - 0.8) < 0.08 and abs(intercept) < 0.08
    assert abs(whole[:, 1].mean()) < 0.08 and np.nanmean(new[:, 1]) < -0.15


def test_new_rows_with_gaps_have_the_places_they_had_in_fit(fitted):
    X = gappy()
    np.testing.assert_allclose(fitted.embed(X), fitted.embedding_, atol=1e-8)
    np.testing.assert_allclose(fitted.embed(X.iloc[5:8]), fitted.embedding_[5:8], atol=1e-8)


def test_a_table_without_gaps_takes_new_rows_with_some():
    X = gappy().dropna(subset=["weight"])[["size", "weight", "whole"]]
    est = sampler().fit(X)
    new = X.mask(np.arange(len(X))[:, None] % 3 == [0, 1, 2])
    new["whole"] = new["whole"].astype("Int64")
    assert np.isfinite(est.embed(new)).all() and np.isfinite(est.score_samples(new)).all()


def test_targets_and_gaps_go_together():
    X = gappy()
    y = np.where(X["size"] > 0, "high", "low")
    est = sampler().fit(X, y)
    assert set(est.sample(50, y="low", return_y=True)[1]) == {"low"}
    np.testing.assert_allclose(est.embed(X), est.embedding_, atol=1e-8)
    assert np.isfinite(est.score(X))


# --- density


def test_probabilities_of_categories_and_of_their_gaps_are_their_law():
    rng = np.random.default_rng(0)
    coin = pd.Series(rng.choice(["h", "t"], 2000, p=[0.7, 0.3])).mask(rng.random(2000) < 0.25)
    die = pd.Series(rng.choice(["1", "2", "3"], 2000)).mask(coin.isna() & (rng.random(2000) < 0.5))
    est = sampler(manifold="passthrough", max_iter=1200, hidden_layer_sizes=(32,))
    est.fit(pd.DataFrame({"coin": coin, "die": die}))
    cells = pd.DataFrame([(c, d) for c in ("h", "t", None) for d in ("1", "2", "3", None)], columns=["coin", "die"])
    distribution = np.exp(est.score_samples(cells)).reshape(3, 4)
    assert distribution.sum() == pytest.approx(1, abs=0.15)
    seen = np.append(np.full(3, 0.25 * 0.5 / 3), 0.25 * 0.5)
    np.testing.assert_allclose(distribution, [*np.outer([0.7 * 0.75, 0.3 * 0.75], [1 / 3] * 3 + [0]), seen], atol=0.04)


def test_density_of_a_gaussian_row_with_gaps_is_that_of_what_is_seen():
    """Two columns of correlation .8, each missing in .3 of the rows, whatever else: p(seen cells) p(gaps)."""
    distribution = stats.multivariate_normal([1, -2], [[4, 1.6], [1.6, 1]])
    X, gaps = distribution.rvs(3000, random_state=0), np.random.default_rng(0).random((3000, 2)) < 0.3
    est = sampler(numeric="standard", max_iter=800, hidden_layer_sizes=(48,), sigma_start=1.0, early_stopping=False)
    est.fit(np.where(gaps, np.nan, X))
    fresh, gaps = distribution.rvs(400, random_state=1), np.random.default_rng(1).random((400, 2)) < 0.3
    one = [stats.norm(1, 2).logpdf(fresh[:, 0]), stats.norm(-2, 1).logpdf(fresh[:, 1])]
    seen = np.select([gaps.all(1), gaps[:, 1], gaps[:, 0]], [0.0, *one], distribution.logpdf(fresh))
    truth = seen + np.log([0.7, 0.3])[gaps.astype(int)].sum(1)
    error = est.score_samples(np.where(gaps, np.nan, fresh)) - truth
    assert abs(error.mean()) < 0.2 and np.abs(error).mean() < 0.5
    for some in (gaps.all(1), gaps[:, 1] & ~gaps[:, 0], gaps[:, 0] & ~gaps[:, 1]):
        assert abs(error[some].mean()) < 0.6  # rows without any value all have one density, of 16 draws
    assert np.corrcoef(truth, truth + error)[0, 1] > 0.9


def test_a_column_that_only_rows_held_out_have_is_learnt_all_the_same():
    X = np.random.default_rng(0).normal(size=(12, 3))
    X[2:, 1] = np.nan
    for seed in range(12):
        drawn = sampler(validation_fraction=0.5, random_state=seed).fit(X).sample(50, missing="fill")
        assert not np.isnan(drawn).any()
        assert X[:2, 1].min() <= drawn[:, 1].min() and drawn[:, 1].max() <= X[:2, 1].max()


@pytest.mark.slow
def test_what_the_terms_of_many_indicators_gain_is_not_put_down_to_trees():
    """Gaps without distribution in 20 columns: no trees, as with one column, in most tables (here seven of eight)."""
    n_trees = []
    for seed in range(8):
        W, blocks = few_rows(400, seed)
        n_trees.append(
            MissingnessModel(W, np.random.default_rng(seed + 50).random((400, 20)) < 0.2, blocks, 0).choice.n_trees
        )
    assert n_trees.count(0) >= 6
