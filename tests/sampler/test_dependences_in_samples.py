"""Dependences that a sampler finds by itself, in samples, under conditions and in imputed tables."""

from copy import copy

import numpy as np
import pandas as pd
import pytest

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler

CITIES = list("abcde")
COUNTRY = dict(zip(CITIES, "FFFGG", strict=True))
ZONE = dict(zip(CITIES, [3, 1, 4, 1, 5], strict=True))


def places(n=400, seed=0):
    rng = np.random.default_rng(seed)
    city = rng.choice(CITIES, n)
    a, b = rng.gamma(2, 3, n).round(1), rng.gamma(2, 3, n).round(1)
    table = pd.DataFrame({"city": city, "a": a, "b": b, "s": (a + b).round(1)})
    return table.assign(country=table["city"].map(COUNTRY), zone=table["city"].map(ZONE))


def fit(table, **parameters):
    quick = dict(max_iter=50, hidden_layer_sizes=(16,), n_steps=4, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**quick, **parameters}).fit(table)


def n_wrong(rows):
    """Rows in which the country, the zone or the sum is wrong."""
    a, b, s = (np.rint(10 * rows[name].to_numpy()) for name in "abs")
    right = (rows["city"].map(COUNTRY) == rows["country"]) & (rows["city"].map(ZONE) == rows["zone"])
    return int((~right).sum() + (a + b != s).sum())


@pytest.fixture(scope="module")
def sampler():
    return fit(places())


def test_what_is_found_is_said_and_held(sampler):
    assert sampler.constraints_ == [
        ("s", "==", "a + b"),
        ("city", "determines", "country"),
        ("city", "determines", "zone"),
    ]
    rows = sampler.sample(2000)
    assert n_wrong(rows) == 0 and rows.dtypes.equals(places().dtypes)
    pd.testing.assert_frame_equal(sampler.sample(100), rows[:100])
    free = fit(places(), constraints=None, max_iter=5)
    assert free.constraints_ == [] and n_wrong(free.sample(200)) > 0


@pytest.mark.slow
def test_twins_among_a_hundred_columns():
    X = np.random.default_rng(0).normal(size=(400, 100))
    X[:, 1] = X[:, 0]
    rows = fit(X, max_iter=2).sample(200)
    assert (rows[:, 1] == rows[:, 0]).all()


@pytest.mark.parametrize(
    "conditions",
    [
        {"country": "G"},
        {"country": "F", "city": {"a", "d"}},
        {"city": ["a", "e"], "country": ["F", "G"]},
        {"zone": 1},
        {"zone": (2, 5), "country": "F"},
        {"s": 10.0},
        {"s": 10.0, "a": 3.3},
        {"a": 1.0, "b": 2.0},
        {"s": (5, 6), "a": (2, 3), "b": (3.0, 3.5)},
    ],
    ids=" and ".join,
)
def test_conditions_on_each_side_stay(sampler, conditions):
    rows = sampler.sample(100, conditions=conditions)
    assert n_wrong(rows) == 0
    for name, condition in conditions.items():
        if isinstance(condition, tuple):
            assert rows[name].between(*condition).all()
        else:
            assert rows[name].isin(condition if isinstance(condition, list | set) else [condition]).all()


def test_one_condition_a_row(sampler):
    frame = places(60, seed=1)[["country", "s"]].where(np.arange(60)[:, None] % 3 != [0, 1])
    rows = sampler.sample(60, conditions=frame)
    assert n_wrong(rows) == 0 and ((rows[["country", "s"]] == frame) | frame.isna()).all(axis=None)


@pytest.mark.parametrize(
    "conditions, words",
    [
        (
            {"city": "a", "country": "G"},
            r"\[1\], 'city' determines 'country', got 'city' equal to 'a' and",
        ),
        ({"city": ["a", "b"], "country": "G"}, r"'country', got 'city' one of 'a', 'b' and 'country' equal to 'G'"),
        ({"zone": 5, "country": "F"}, r"'city' determines 'country', got .*'country' equal to 'F'"),
        ({"zone": 2}, r"'city' determines 'zone', got 'zone' equal to 2"),
        (
            {"s": 10.0, "a": 1.0, "b": 2.0},
            r"\[0\], 's' == a \+ b, got 's' equal to 10.0, 'a' equal to 1.0 and",
        ),
    ],
)
def test_conditions_that_contradict_are_refused(sampler, conditions, words):
    with pytest.raises(ValueError, match=r"conditions must not contradict constraints_.*" + words):
        sampler.sample(3, conditions=conditions)


@pytest.fixture(scope="module")
def imputer(sampler):
    return ManifoldDiffusionImputer(sampler, random_state=0).fit(places())


@pytest.mark.parametrize("strategy", ["draw", "mean"])
def test_imputed_cells_follow_from_those_seen(imputer, strategy):
    table, rng = places(60, seed=1), np.random.default_rng(1)
    for name in table:
        table[name] = table[name].where(rng.random(60) > 0.3)
    table.loc[0, ["city", "country"]] = ["a", "G"]  # known and contradictory: left as it is
    table.loc[1, ["a", "b", "s"]] = [1.0, np.nan, 99.0]  # beyond what fit saw
    filled = copy(imputer).set_params(strategy=strategy).transform(table)
    assert ((filled == table) | table.isna()).all(axis=None) and not filled.isna().any(axis=None)
    assert filled.loc[1, "b"] == 98.0
    known = table["city"].notna() & table["country"].notna()
    wrong = filled["city"].map(COUNTRY) != filled["country"]
    assert np.flatnonzero(wrong).tolist() == [0] and known[0]
    np.testing.assert_allclose(filled["a"] + filled["b"], filled["s"], atol=1e-9)


def test_auto_beside_constraints_of_the_user():
    sampler = fit(places(), constraints=[("a", ">=", 0.1), "auto"])
    assert sampler.constraints_[0] == ("a", ">=", 0.1) and len(sampler.constraints_) == 4
    assert n_wrong(sampler.sample(500)) == 0
