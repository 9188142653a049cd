"""Missing cells: what fills them in, how they are learnt and generated, and the density of rows that lack some.

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
    FilledRows,
    MissingnessModel,
    Settings,
    calibrate,
    features,
    held_out_log_odds,
    terms_of_rates,
)


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def incomplete(n=200, seed=0):
    """A table that lacks cells of a number, an integer, a category and a string; the last two lack the same rows."""
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
    return sampler(max_iter=60, hidden_layer_sizes=(32,), n_steps=6).fit(incomplete())


# --- the code


def test_columns_that_lack_the_same_rows_share_an_indicator():
    X = incomplete()
    codec = Codec().fit(X)
    indicator = {codec.columns_[j].name: k for j, k in codec.patterns.indicator_of.items()}
    assert set(indicator) == {"weight", "count", "kind", "city", "flag"} and codec.patterns.n_indicators == 4
    assert indicator["kind"] == indicator["city"]
    for name, k in indicator.items():
        np.testing.assert_array_equal(codec.indicators(X)[:, k], X[name].isna())


def test_missing_cells_are_nan_in_the_matrix_and_blanked_by_their_indicator():
    X, rng = incomplete(), np.random.default_rng(0)
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
    """In three of the seven tasks, in the share of the rows that lack it, and whatever the rows of the batch are."""
    lacking = np.array([[False, True, True], [False, False, False], [False, False, False]])
    missing = training.draw_missing(40_000, torch.as_tensor(lacking), None, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(missing.float().mean(0), [0, 1 / 3, 1 / 3], atol=0.01)
    assert torch.equal(missing[:, 1], missing[:, 2])
    assert training.draw_missing(3, None, None, torch.Generator()) is None
    arguments = torch.ones(40_000), tasks.Columns(torch.tensor([False, False, True]), None), 1.0
    sigma = tasks.draw_column_levels(*arguments, torch.Generator().manual_seed(1), missing)
    plain = tasks.draw_column_levels(*arguments, torch.Generator().manual_seed(1))
    hiding = {tasks.rest_unknown, tasks.numbers_alone, tasks.target_unknown}
    turns = (*tasks.TURNS, *tasks.READING_TURNS)
    concerned = torch.tensor([task in hiding for task in turns]).repeat(6000)[:40_000]
    expected = torch.where(missing & concerned[:, None], noise.UNKNOWN, plain)
    assert torch.equal(sigma, expected) and not torch.equal(sigma, plain)


# --- the model of the missing indicators


def test_trees_find_the_distribution_of_indicators_and_their_dependence_on_each_other():
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
    n_indicators = len(model.terms)
    none = model.log_probability(W, np.zeros((len(W), n_indicators), dtype=bool))
    last = model.log_probability(W, np.arange(n_indicators) == np.full((len(W), 1), n_indicators - 1))
    return 1 / (1 + np.exp(none - last))


@pytest.mark.slow
def test_few_rows_with_cells_missing_at_random_keep_their_rates_in_rows_not_seen():
    """300 rows, three indicators of 5 %: as many in new rows as in the table, and no row much likelier than another."""
    rng = np.random.default_rng(1)
    W, blocks = few_rows(300, 1)
    missing = rng.random((300, 3)) < 0.05
    model = MissingnessModel(W, missing, blocks, 0)
    new = few_rows(10_000, 2)[0]
    drawn = model.draw(new, rng.random((10_000, 3)))
    np.testing.assert_allclose(drawn.mean(0), missing.mean(0), atol=0.01)
    assert np.std(probabilities(model, new)) < 0.02


@pytest.mark.slow
def test_few_rows_whose_missing_cells_depend_on_a_column_keep_most_of_the_dependence():
    """Three indicators of 800 rows, that share it."""
    W, blocks = few_rows(800, 3)
    missing = np.random.default_rng(3).random((800, 3)) < np.where(W[:, :1] > 0, 0.4, 0.1)
    new = few_rows(5000, 4)[0]
    drawn = MissingnessModel(W, missing, blocks, 0).draw(new, np.random.default_rng(4).random((5000, 3)))
    difference = drawn[new[:, 0] > 0].mean(0) - drawn[new[:, 0] <= 0].mean(0)
    assert np.mean(difference) == pytest.approx(0.3, abs=0.06)


def dependence(missing, W, new_rows):
    """(n_indicators,) how much more of each indicator is drawn where the first column is above 0."""
    new, blocks = few_rows(20_000, new_rows)
    drawn = MissingnessModel(W, missing, blocks, 0).draw(
        new, np.random.default_rng(new_rows).random((20_000, missing.shape[1]))
    )
    return drawn[new[:, 0] > 0].mean(0) - drawn[new[:, 0] <= 0].mean(0)


@pytest.mark.slow
def test_a_dependence_that_many_indicators_share_is_learnt_from_all_of_them():
    """Each has 40 missing cells in 800 rows, which alone say little of what it depends on."""
    W, _ = few_rows(800, 11)
    missing = np.random.default_rng(11).random((800, 20)) < np.where(W[:, :1] > 0, 0.08, 0.02)
    assert np.mean(dependence(missing, W, 12)) == pytest.approx(0.06, abs=0.012)


@pytest.mark.slow
@pytest.mark.parametrize("other", [0.0, -0.2])
def test_indicators_that_do_not_share_a_dependence_have_their_own(other):
    """Half of the columns without one, or with the opposite one."""
    W, _ = few_rows(1500, 13)
    size = np.repeat([0.2, other], 5)
    missing = np.random.default_rng(13).random((1500, 10)) < 0.2 + np.where(W[:, :1] > 0, 0.5, -0.5) * size
    found = dependence(missing, W, 14)
    np.testing.assert_allclose([found[:5].mean(), found[5:].mean()], [0.2, other], atol=0.04)


@pytest.mark.slow
def test_columns_that_act_together_are_learnt_as_one_that_acts_alone_is():
    W, blocks = few_rows(1000, 5)
    u = np.random.default_rng(5).random((1000, 1))
    for where in (W[:, 0] * W[:, 1] > 0, W[:, 0] > 0):
        model = MissingnessModel(W, u < np.where(where, 0.6, 0.1)[:, None], blocks, 0)
        probability = probabilities(model, W)
        np.testing.assert_allclose([probability[where].mean(), probability[~where].mean()], [0.6, 0.1], atol=0.1)


def filled_rows(X, missing, weight=None):
    return FilledRows(X, missing, np.ones(len(X)) if weight is None else weight, [False] * X.shape[1])


def test_terms_make_rates_right():
    """Indicators drawn from log odds + (.5, -.8): found again; the mean probability is the rate, also by weight."""
    rng = np.random.default_rng(0)
    log_odds, terms = rng.normal(size=(20_000, 2)), np.array([0.5, -0.8])
    missing = rng.random((20_000, 2)) < 1 / (1 + np.exp(-log_odds - terms))
    np.testing.assert_allclose(
        terms_of_rates(log_odds, missing.mean(0), filled_rows(log_odds, missing)), terms, atol=0.1
    )
    weight = rng.exponential(size=20_000)
    found = terms_of_rates(log_odds, np.array([0.001, 0.6]), filled_rows(log_odds, missing, weight))
    probability = 1 / (1 + np.exp(-log_odds - found))
    np.testing.assert_allclose(np.average(probability, axis=0, weights=weight), [0.001, 0.6], atol=1e-8)


@pytest.mark.slow
def test_many_indicators_keep_their_rates():
    """60 of them, in 400 rows; the settings are chosen by ten of them."""
    rng = np.random.default_rng(8)
    W, blocks = few_rows(400, 8)
    missing = rng.random((400, 60)) < np.where(W[:, :1] > 0, 0.2, 0.05)
    drawn = MissingnessModel(W, missing, blocks, 0).draw(few_rows(20_000, 9)[0], rng.random((20_000, 60)))
    assert np.abs(drawn.mean(0) - missing.mean(0)).max() < 0.02


@pytest.mark.parametrize("truth", [[1.3, 0.7], [0.0, 2.0]])
def test_log_odds_are_calibrated_to_their_factors(truth):
    """Indicators drawn from factors times two parts + terms: found again; the loss is that of the formula."""
    rng, terms = np.random.default_rng(1), np.array([-0.5, 0.2])
    parts, weight = rng.normal(size=(2, 20_000, 2)), rng.exponential(size=20_000)
    p = 1 / (1 + np.exp(-np.tensordot(truth, parts, axes=1) - terms))
    missing = rng.random((20_000, 2)) < p
    factors, value = calibrate(parts, missing, weight)
    np.testing.assert_allclose(factors, truth, atol=0.1)
    of_truth = np.average(-np.log(np.where(missing, p, 1 - p)).sum(axis=1), weights=weight)
    assert of_truth - 0.001 < value < of_truth


def test_parts_that_contradict_the_indicators_get_no_factor():
    part = np.random.default_rng(2).normal(size=(1, 2000, 1))
    assert calibrate(part, part[0] < 0, np.ones(2000))[0] == 0


@pytest.mark.parametrize("pooled", [True, False])
def test_log_odds_of_held_out_rows_are_by_trees_that_did_not_see_them(pooled):
    """Trees that saw a row know its missing cells by heart; here those of the row itself change nothing."""
    W, _ = few_rows(200, 6)
    missing, fold = np.random.default_rng(6).random((200, 2)) < 0.3, np.arange(200) % 3
    found = held_out_log_odds(filled_rows(W, missing), Settings(pooled, 8, 16), fold, range(2))
    assert found.shape == (17, 200, 2) and not found[0].any()
    other = missing.copy()
    other[0] = ~other[0]
    again = held_out_log_odds(filled_rows(W, other), Settings(pooled, 8, 16), fold, range(2))
    np.testing.assert_array_equal(again[:, 0, 0], found[:, 0, 0])
    assert not np.array_equal(again[-1, 1:3, 0], found[-1, 1:3, 0])


def test_the_first_trees_are_those_of_a_fit_of_so_many():
    W, _ = few_rows(200, 6)
    rows, fold = filled_rows(W, np.random.default_rng(6).random((200, 2)) < 0.3), np.arange(200) % 3
    found = held_out_log_odds(rows, Settings(True, 8, 16), fold, [1])
    for n_trees in (0, 4, 16):
        alone = held_out_log_odds(rows, Settings(True, 8, n_trees), fold, [1])[-1]
        np.testing.assert_allclose(found[n_trees], alone, atol=1e-12)


def test_a_large_table_is_learnt_from_some_of_its_rows(monkeypatch):
    """Two fifths of the rows: the rates are those of all, and the dependence is found."""
    monkeypatch.setattr("skmdiff._table.missing.indicators.CHOICE_SIZE", 20_000)
    monkeypatch.setattr("skmdiff._table.missing.indicators.FIT_SIZE", 20_000)
    W, blocks = few_rows(4500, 21)
    missing = np.random.default_rng(21).random((4500, 1)) < np.where(W[:, :1] > 0, 0.6, 0.1)
    drawn = MissingnessModel(W, missing, blocks, 0).draw(W, np.random.default_rng(22).random((4500, 1)))[:, 0]
    assert drawn.mean() == pytest.approx(missing.mean(), abs=0.04)
    assert drawn[W[:, 0] > 0].mean() - drawn[W[:, 0] <= 0].mean() == pytest.approx(0.5, abs=0.1)


def test_rows_without_weight_are_not_learnt_from():
    W, blocks = few_rows(100, 23)
    missing, weight = np.random.default_rng(23).random((100, 1)) < 0.3, np.repeat([1.0, 0.0], 50)
    others = missing.copy()
    others[50:] = ~missing[50:]
    found = [MissingnessModel(W, M, blocks, 0, weight).log_probability(W, missing) for M in (missing, others)]
    np.testing.assert_array_equal(*found)


def test_rows_too_few_for_trees_have_their_rates():
    W, blocks = few_rows(7, 7)
    missing = np.arange(7)[:, None] < [1, 3]
    model = MissingnessModel(W, missing, blocks, 0)
    np.testing.assert_allclose(model.log_probability(W, np.tile([True, True], (7, 1))), np.log(1 / 7 * 3 / 7))


def test_trees_see_a_category_where_codes_are_one_hot_and_the_code_where_they_are_not():
    X = pd.DataFrame({"few": list("abc") * 40, "many": [f"category {k}" for k in range(60)] * 2, "x": np.arange(120)})
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


def test_fillers_have_the_distribution_of_the_cells_that_are_missing_at_random():
    x, y, missing = line(6000)
    W, blocks = coded({"x": x, "y": np.where(missing, np.nan, y)})
    deck = HotDeck(W, blocks, 0)
    scale = y[~missing].std()
    filled = fill(W, deck.found, np.random.default_rng(0))[:, 1] * scale + y[~missing].mean()
    e = filled[missing] - 0.8 * x[missing]
    assert abs(e.mean()) < 0.05 and abs(e.std() - 0.6) < 0.03 and abs(np.corrcoef(e, x[missing])[0, 1]) < 0.08
    assert y[~missing].mean() < -0.2 and abs(filled.mean()) < 0.05  # the mean of what is seen is far off
    assert set(np.round(filled[missing], 9)) <= set(np.round(y[~missing], 9))


def test_donors_of_one_missing_block_are_those_of_the_slow_search(monkeypatch):
    monkeypatch.setattr("skmdiff._table.missing.hot_deck.ROUNDS", 1)
    x, y, missing = line(300)
    W, blocks = coded({"x": x, "z": x + 0.1 * y, "y": np.where(missing, np.nan, y)})
    ((block, rows, donors),) = HotDeck(W, blocks, 0).found
    X, seen = W[:, :2], np.flatnonzero(~missing)
    slopes = np.linalg.solve(X[seen].T @ X[seen] + 1e-3 * len(seen) * np.eye(2), X[seen].T @ W[seen, 2])
    scatter = np.sqrt(np.mean((W[seen, 2] - X[seen] @ slopes) ** 2)) + 1e-3
    for row, found in zip(rows, donors, strict=True):
        offset = X[seen] - X[row]
        distance = (offset @ slopes / scatter) ** 2 + (offset**2).mean(1)
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
    W, blocks = coded({name: column for name, column in incomplete().items() if column.dtype == float})
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


def test_missing_cells_come_back_with_their_dtypes_and_together(fitted):
    X, new = incomplete(), fitted.sample(500)
    pd.testing.assert_series_equal(new.dtypes, X.dtypes)
    np.testing.assert_array_equal(new["kind"].isna(), new["city"].isna())
    assert new["empty"].isna().all() and not new[["size", "whole"]].isna().any(axis=None)
    assert set(new["flag"].dropna()) == {1.0} and new["count"].dropna().between(0, 12).all()


def test_filled_rows_are_the_generated_ones_with_every_cell(fitted):
    new, whole = fitted.sample(300), fitted.sample(300, missing="fill")
    assert not whole.drop(columns="empty").isna().any(axis=None)
    assert new.drop(columns="empty").isna().any().sum() == 5
    pd.testing.assert_frame_equal(whole.mask(new.isna()).astype(new.dtypes), new)
    assert fitted.sample(20).equals(new.iloc[:20])


def test_missing_must_be_a_known_word(fitted):
    with pytest.raises(ValueError, match=r"missing must be one of \['fill', 'generate'\], got 'drop'"):
        fitted.sample(3, missing="drop")


def test_the_tags_say_that_missing_cells_are_welcome():
    assert get_tags(sampler()).input_tags.allow_nan


@pytest.mark.slow
@pytest.mark.parametrize("manifold", [pytest.param(None, marks=pytest.mark.slow), "passthrough"])
def test_missing_cells_have_their_rate_and_depend_on_other_columns(manifold):
    """y is missing in .6 of the rows with x > 0 and in .1 of the others; y itself is .8 x + .6 e throughout."""
    x, y, missing = line(2000)
    X = np.column_stack([x, np.where(missing, np.nan, y)])
    parameters = dict(manifold=manifold, max_iter=500, hidden_layer_sizes=(32,), n_steps=8, sigma_start="auto")
    est = sampler(**parameters).fit(X)
    new, whole = est.sample(4000), est.sample(4000, missing="fill")
    high, lacking = new[:, 0] > 0, np.isnan(new[:, 1])
    assert abs(lacking.mean() - missing.mean()) < 0.04
    assert abs(lacking[high].mean() - 0.6) < 0.06 and abs(lacking[~high].mean() - 0.1) < 0.05
    for rows in (new[~lacking], whole):
        slope, intercept = np.polyfit(*rows.T, 1)
        assert abs(slope - 0.8) < 0.08 and abs(intercept) < 0.08
    assert abs(whole[:, 1].mean()) < 0.08 and np.nanmean(new[:, 1]) < -0.15


def test_new_rows_with_missing_cells_have_the_embedding_they_had_in_fit(fitted):
    X = incomplete()
    np.testing.assert_allclose(fitted.embed(X), fitted.embedding_, atol=1e-8)
    np.testing.assert_allclose(fitted.embed(X.iloc[5:8]), fitted.embedding_[5:8], atol=1e-8)


def test_a_complete_table_takes_new_rows_with_missing_cells():
    X = incomplete().dropna(subset=["weight"])[["size", "weight", "whole"]]
    est = sampler().fit(X)
    new = X.mask(np.arange(len(X))[:, None] % 3 == [0, 1, 2])
    new["whole"] = new["whole"].astype("Int64")
    assert np.isfinite(est.embed(new)).all() and np.isfinite(est.score_samples(new)).all()


def test_targets_and_missing_cells_go_together():
    X = incomplete(80)[["size", "weight", "kind"]]
    y = np.where(X["size"] > 0, "high", "low")
    est = sampler().fit(X, y)
    assert set(est.sample(50, y="low", return_y=True)[1]) == {"low"}
    np.testing.assert_allclose(est.embed(X), est.embedding_, atol=1e-8)
    assert np.isfinite(est.score(X))


# --- density


@pytest.mark.slow
def test_probabilities_of_categories_and_of_missing_ones_are_their_distribution():
    rng = np.random.default_rng(0)
    coin = pd.Series(rng.choice(["h", "t"], 2000, p=[0.7, 0.3])).mask(rng.random(2000) < 0.25)
    die = pd.Series(rng.choice(["1", "2", "3"], 2000)).mask(coin.isna() & (rng.random(2000) < 0.5))
    est = sampler(manifold="passthrough", max_iter=400, hidden_layer_sizes=(32,))
    est.fit(pd.DataFrame({"coin": coin, "die": die}))
    cells = pd.DataFrame([(c, d) for c in ("h", "t", None) for d in ("1", "2", "3", None)], columns=["coin", "die"])
    distribution = np.exp(est.score_samples(cells)).reshape(3, 4)
    assert distribution.sum() == pytest.approx(1, abs=0.15)
    seen = np.append(np.full(3, 0.25 * 0.5 / 3), 0.25 * 0.5)
    np.testing.assert_allclose(distribution, [*np.outer([0.7 * 0.75, 0.3 * 0.75], [1 / 3] * 3 + [0]), seen], atol=0.04)


@pytest.mark.slow
def test_density_of_a_gaussian_row_with_missing_cells_is_that_of_what_is_seen():
    """Two columns of correlation .8, each missing in .3 of the rows, whatever else: p(seen cells) p(indicators)."""
    distribution = stats.multivariate_normal([1, -2], [[4, 1.6], [1.6, 1]])
    X, missing = distribution.rvs(3000, random_state=0), np.random.default_rng(0).random((3000, 2)) < 0.3
    est = sampler(numeric="standard", max_iter=800, hidden_layer_sizes=(48,), sigma_start=1.0, early_stopping=False)
    est.fit(np.where(missing, np.nan, X))
    fresh, missing = distribution.rvs(400, random_state=1), np.random.default_rng(1).random((400, 2)) < 0.3
    one = [stats.norm(1, 2).logpdf(fresh[:, 0]), stats.norm(-2, 1).logpdf(fresh[:, 1])]
    seen = np.select([missing.all(1), missing[:, 1], missing[:, 0]], [0.0, *one], distribution.logpdf(fresh))
    truth = seen + np.log([0.7, 0.3])[missing.astype(int)].sum(1)
    error = est.score_samples(np.where(missing, np.nan, fresh)) - truth
    assert abs(error.mean()) < 0.2 and np.abs(error).mean() < 0.5
    for some in (missing.all(1), missing[:, 1] & ~missing[:, 0], missing[:, 0] & ~missing[:, 1]):
        assert abs(error[some].mean()) < 0.6  # rows without any value all have one density, of 16 draws
    assert np.corrcoef(truth, truth + error)[0, 1] > 0.9


def test_a_column_that_only_rows_held_out_have_is_learnt_all_the_same():
    X = np.random.default_rng(0).normal(size=(12, 3))
    X[2:, 1] = np.nan
    for seed in range(2):
        drawn = sampler(validation_fraction=0.5, random_state=seed).fit(X).sample(50, missing="fill")
        assert not np.isnan(drawn).any()
        assert X[:2, 1].min() <= drawn[:, 1].min() and drawn[:, 1].max() <= X[:2, 1].max()


@pytest.mark.slow
def test_what_chance_puts_into_many_columns_is_not_learnt():
    """Cells missing completely at random in 20 columns of 400 rows: the loss is about that of the true rates."""
    excess = []
    for seed in range(4):
        (W, blocks), rng = few_rows(400, seed), np.random.default_rng(seed + 50)
        model, new = MissingnessModel(W, rng.random((400, 20)) < 0.2, blocks, 0), rng.random((5000, 20)) < 0.2
        truth = np.log(np.where(new, 0.2, 0.8)).sum(axis=1)
        excess.append((truth - model.log_probability(few_rows(5000, seed + 90)[0], new)).mean() / 20)
    assert np.mean(excess) < 0.003  # of which rates that are off by chance make 1 / 800
