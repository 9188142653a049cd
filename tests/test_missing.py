"""Gaps: what fills them in, how they are learnt and generated, and the density of rows that have some.

Seeds are fixed; a bound is at least four standard errors of the statistic or twice the value measured when it was set.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.utils import get_tags

from skmdiff import ManifoldDiffusionSampler
from skmdiff._codec import TableCodec
from skmdiff._diffusion import noise
from skmdiff._diffusion.denoiser import Layout
from skmdiff._missing import HotDeck, fill


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def gappy(n=200, seed=0):
    """A table with gaps in a number, an integer, a category and a string; the last two lack the same rows."""
    rng = np.random.default_rng(seed)
    size, absent = rng.normal(size=n), rng.random(n) < 0.3
    kind = pd.Series(pd.Categorical(rng.choice(["a", "b", "c"], n), categories=list("abcd"))).mask(absent)
    return pd.DataFrame({
        "size": size, "weight": pd.Series(2 * size + rng.normal(size=n)).mask(rng.random(n) < 0.2),
        "count": pd.Series(rng.poisson(3, n), dtype="Int64").mask(size > 1), "kind": kind,
        "city": pd.Series(rng.choice(["Bonn", "Oslo"], n), dtype="str").mask(absent), "empty": np.nan,
        "flag": pd.Series(np.where(rng.random(n) < 0.4, 1.0, np.nan)), "whole": rng.integers(0, 9, n)})


@pytest.fixture(scope="module")
def fitted():
    return sampler(max_iter=300, hidden_layer_sizes=(32,), n_steps=6).fit(gappy())


# --- the code


def test_an_indicator_stands_for_columns_that_lack_the_same_rows():
    codec = TableCodec().fit(gappy())
    names = [block.name for block in codec.blocks_]
    assert names[-4:] == ["gaps of weight", "gaps of count", "gaps of kind, city", "gaps of flag"]
    indicator = {block.name: block.indicator for block in codec.blocks_}
    assert indicator["kind"] == indicator["city"] == names.index("gaps of kind, city")
    assert indicator["size"] is None and indicator["gaps of weight"] is None and "flag" not in indicator


def test_gaps_are_nan_in_the_matrix_and_blanked_by_their_indicator():
    X, rng = gappy(), np.random.default_rng(0)
    codec = TableCodec().fit(X)
    W = codec.encode(X, rng)
    starts = {block.name: block.start for block in codec.blocks_}
    for name in ("weight", "count", "kind", "city"):
        np.testing.assert_array_equal(np.isnan(W[:, starts[name]]), X[name].isna())
    anything = np.where(np.isnan(W), rng.normal(size=W.shape), W)
    pd.testing.assert_frame_equal(codec.decode(anything), X)
    whole = codec.decode(anything, missing="fill")
    assert not whole.drop(columns="empty").isna().any(axis=None) and whole["empty"].isna().all()
    pd.testing.assert_frame_equal(whole.mask(X.isna()).astype(X.dtypes), X)


def test_layout_reads_the_gaps_from_the_indicators():
    X = gappy()
    codec = TableCodec().fit(X)
    missing = Layout(codec.blocks_).missing(torch.as_tensor(np.nan_to_num(codec.encode(X)), dtype=torch.float32))
    for k, block in enumerate(codec.blocks_):
        np.testing.assert_array_equal(missing[:, k], X[block.name].isna() if block.name in X else False)
    whole = X[["size", "whole"]]
    assert Layout(TableCodec().fit(whole).blocks_).missing(torch.zeros(3, 2)) is None


def test_unknown_columns_do_not_tell_fillers_from_values():
    """A column is unknown as often where its cell is missing as where it is not, and only in two of the five tasks."""
    rng, n = torch.Generator().manual_seed(0), 40_000
    missing = torch.rand(n, 3, generator=rng) < torch.tensor([0.0, 0.3, 0.3])
    missing[:, 2] = missing[:, 1]
    arguments = torch.ones(n), torch.tensor([False, False, True]), None, 1.0
    sigma = noise.draw_column_levels(*arguments, torch.Generator().manual_seed(1), missing)
    plain = noise.draw_column_levels(*arguments, torch.Generator().manual_seed(1))
    changed = (sigma != plain)
    assert set(torch.nonzero(changed.any(1)).flatten().numpy() % noise.N_TASKS) == {1, 2}
    assert (sigma[changed] == noise.UNKNOWN).all() and not changed[:, 0].any()
    unknown = (sigma == noise.UNKNOWN)[:, 1]
    shares = [unknown[own].float().mean() for own in (missing[:, 1], ~missing[:, 1])]
    assert abs(shares[0] - shares[1]) < 4 * np.sqrt(0.25 / (0.3 * n)) and shares[0] > 0.1


# --- the hot deck


def line(n, seed=0):
    """x and y = .8 x + .6 e, both standard normal; y is missing more often where x is large."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 0.8 * x + 0.6 * rng.normal(size=n)
    return x, y, rng.random(n) < np.where(x > 0, 0.6, 0.1)


def coded(columns):
    X = pd.DataFrame(columns)
    codec = TableCodec(numeric="standard").fit(X)
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
    monkeypatch.setattr("skmdiff._missing.ROUNDS", 1)
    x, y, missing = line(300)
    W, blocks = coded({"x": x, "z": x + 0.1 * y, "y": np.where(missing, np.nan, y)})
    (block, rows, donors), = HotDeck(W, blocks, 0).found
    X, seen = W[:, :2], np.flatnonzero(~missing)
    slopes = np.linalg.solve(X[seen].T @ X[seen] + 1e-3 * len(seen) * np.eye(2), X[seen].T @ W[seen, 2])
    scatter = np.sqrt(np.mean((W[seen, 2] - X[seen] @ slopes) ** 2)) + 1e-3
    for row, found in zip(rows, donors, strict=True):
        gap = X[seen] - X[row]
        distance = (gap @ slopes / scatter) ** 2 + (gap**2).mean(1)
        np.testing.assert_array_equal(found, seen[np.argsort(distance)[:5]])
    assert block.name == "y" and set(rows) == set(np.flatnonzero(missing))


def test_a_row_is_completed_alike_in_any_company():
    W, blocks = coded({name: column for name, column in gappy().items() if column.dtype == float})
    deck = HotDeck(W[:100], blocks, 0)
    whole = deck.complete(W)
    assert not np.isnan(whole).any()
    np.testing.assert_array_equal(whole[~np.isnan(W)], W[~np.isnan(W)])
    np.testing.assert_array_equal(whole[150:153], deck.complete(W[150:153]))
    np.testing.assert_array_equal(whole, HotDeck(W[:100], blocks, 0).complete(W))


def test_fifty_thousand_rows_find_donors_among_ten_thousand(monkeypatch):
    monkeypatch.setattr("skmdiff._missing.MAX_DONORS", 100)
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


def test_probabilities_of_categories_and_of_their_gaps_sum_to_one():
    rng = np.random.default_rng(0)
    coin = pd.Series(rng.choice(["h", "t"], 2000, p=[0.7, 0.3])).mask(rng.random(2000) < 0.25)
    die = pd.Series(rng.choice(["1", "2", "3"], 2000)).mask(coin.isna() & (rng.random(2000) < 0.5))
    est = sampler(manifold="passthrough", max_iter=1200, hidden_layer_sizes=(32,))
    est.fit(pd.DataFrame({"coin": coin, "die": die}))
    cells = pd.DataFrame([(c, d) for c in ("h", "t", None) for d in ("1", "2", "3", None)], columns=["coin", "die"])
    law = np.exp(est.score_samples(cells)).reshape(3, 4)
    assert law.sum() == pytest.approx(1, abs=1e-6)
    seen = np.append(np.full(3, 0.25 * 0.5 / 3), 0.25 * 0.5)
    np.testing.assert_allclose(law, [*np.outer([0.7 * 0.75, 0.3 * 0.75], [1 / 3] * 3 + [0]), seen], atol=0.04)


def test_density_of_a_gaussian_row_with_gaps_is_that_of_what_is_seen():
    """Two columns of correlation .8, each missing in .3 of the rows, whatever else: p(seen cells) p(gaps)."""
    law = stats.multivariate_normal([1, -2], [[4, 1.6], [1.6, 1]])
    X, gaps = law.rvs(3000, random_state=0), np.random.default_rng(0).random((3000, 2)) < 0.3
    est = sampler(numeric="standard", max_iter=1500, hidden_layer_sizes=(64,), early_stopping=False)
    est.fit(np.where(gaps, np.nan, X))
    fresh, gaps = law.rvs(400, random_state=1), np.random.default_rng(1).random((400, 2)) < 0.3
    one = [stats.norm(1, 2).logpdf(fresh[:, 0]), stats.norm(-2, 1).logpdf(fresh[:, 1])]
    seen = np.select([gaps.all(1), gaps[:, 1], gaps[:, 0]], [0.0, *one], law.logpdf(fresh))
    truth = seen + np.log([0.7, 0.3])[gaps.astype(int)].sum(1)
    error = est.score_samples(np.where(gaps, np.nan, fresh)) - truth
    print(error.mean(), [np.abs(error[g]).mean() for g in (gaps.all(1), gaps[:, 1], gaps[:, 0], ~gaps.any(1))])
    assert abs(error.mean()) < 0.1 and np.abs(error).mean() < 0.3
