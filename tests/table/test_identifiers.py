"""Identifiers: recognised where nothing else is, and new ones that never repeat."""

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from numpy.testing import assert_array_equal

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler
from skmdiff._table.identifiers import looks_like_identifier

RNG = np.random.default_rng(0)
N = 80
UNIQUE = [("id", "is", "unique")]
IDENTIFIERS = {
    "1 to n": np.arange(1, N + 1),
    "shuffled": RNG.permutation(N),
    "a sample of one": np.sort(RNG.permutation(100)[:N]),
    "floats": np.arange(N) + 1e6,
    "far": np.arange(N) + 2**62,
    "far and unsigned": np.arange(N).astype(np.uint64) + np.uint64(2**63),
    "every tenth": np.arange(N) * 10,
    "negative": -np.arange(N),
}
OTHERS = {
    "income": RNG.permutation(10_000)[:N] * 10,
    "income in order": np.sort(RNG.permutation(10_000)[:N]),
    "counts": RNG.poisson(20, N),
    "one value twice": np.append(np.arange(N), 7),
    "few rows": np.arange(50),
    "floats": np.sort(RNG.normal(size=N)),
    "halves": np.arange(N) / 2,
    "bools": np.arange(N) % 2 == 0,
    "dates": np.arange(N).astype("datetime64[D]"),
}


def table(n=N, **columns):
    rng = np.random.default_rng(1)
    return pd.DataFrame({"id": np.arange(1, n + 1), "x": rng.normal(size=n), **columns})


def sampler(**parameters):
    return ManifoldDiffusionSampler(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, random_state=0, **parameters)


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers_are_recognised(name):
    assert looks_like_identifier(IDENTIFIERS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_measurements_are_no_identifiers(name):
    assert not looks_like_identifier(OTHERS[name])


def test_distinct_draws_that_fill_their_range_are_no_coincidence():
    draws = np.random.default_rng(0).integers(0, 75, size=(2000, 51))
    assert not any(looks_like_identifier(x) for x in draws)


def test_an_identifier_is_warned_of_at_fit():
    with pytest.warns(UserWarning, match=r"'id' of X looks like an identifier: 80 distinct .*\('id', 'is', 'unique'\)"):
        sampler().fit(table())
    sampler(constraints=UNIQUE).fit(table())


def test_new_identifiers_go_on_by_row():
    est = sampler(constraints=UNIQUE).fit(table())
    drawn = est.sample(10)
    assert drawn["id"].tolist() == list(range(81, 91)) and drawn["id"].dtype == np.int64
    pd.testing.assert_frame_equal(est.sample(5), drawn[:5])
    assert est.explore(3)["id"].tolist() == [81, 82, 83]
    assert est.embedding_.shape[1] == 1  # x alone


@pytest.mark.parametrize("dtype", ["int16", "uint64", "Int64", "float64", "O"])
def test_new_identifiers_have_the_dtype_of_the_table(dtype):
    frame = table().astype({"id": dtype})
    drawn = Codec(constraints=UNIQUE).fit(frame).decode(np.zeros((3, 1)))["id"]
    assert drawn.dtype == dtype and drawn.tolist() == [81, 82, 83]


def test_a_dtype_that_ends_is_an_error():
    codec = Codec(constraints=UNIQUE).fit(table(120).astype({"id": "int8"}))
    assert codec.decode(np.zeros((7, 1)))["id"].tolist() == list(range(121, 128))
    with pytest.raises(ValueError, match="'id' must number 8 new rows after 120, but its dtype int8 ends at 127"):
        codec.decode(np.zeros((8, 1)))


def test_scores_and_projections_do_not_see_identifiers():
    est, other = sampler(constraints=UNIQUE).fit(table()), table(id=np.arange(N) + 1000)
    assert_array_equal(est.score_samples(other), est.score_samples(table()))


@pytest.mark.parametrize("strategy", ["draw", "mean"])
def test_missing_identifiers_are_filled_with_new_ones_only(strategy, monkeypatch):
    monkeypatch.setattr("skmdiff._sampler.completion.CHUNK_ROWS", 7)
    frame = table().astype({"id": "Int64"})
    frame.loc[frame.index % 3 == 0, "id"] = pd.NA
    frame.loc[40, "id"] = 85
    est = ManifoldDiffusionImputer(sampler(constraints=UNIQUE), strategy=strategy, random_state=0).fit(frame)
    new = frame.assign(id=frame["id"] + 100)
    for X in (frame, new):
        filled, there = est.transform(X), X["id"].notna()
        assert filled["id"].is_unique and (filled["id"][there] == X["id"][there]).all()
        assert filled["id"][~there].min() > X["id"].max()


@pytest.mark.parametrize(
    ("constraints", "error", "message"),
    [
        ([("x", "is", "unique")], ValueError, "'x' of X must hold integers to be unique"),
        ([("ID", "is", "unique")], ValueError, r"constraints\[0\] must name columns of X.*'ID'"),
        ([("id", "is", "new")], ValueError, r"constraints\[0\] must have 'unique' on the right of 'is', got 'new'"),
        ([*UNIQUE, ("id", ">", 3)], ValueError, r"constraints\[1\].*'id' must hold numbers.*got identifiers"),
        ([("id", "was", "unique")], ValueError, r"must have an operator of .*'is'\], got 'was'"),
    ],
)
def test_constraints_that_are_not_to_be_met(constraints, error, message):
    with pytest.raises(error, match=message):
        Codec(constraints=constraints).fit(table())


def test_identifiers_take_no_conditions():
    est = sampler(constraints=UNIQUE).fit(table())
    for condition in (5, (1, 5), [3, 4]):
        with pytest.raises(ValueError, match=r"conditions\['id'\] must not be given: the column holds identifiers"):
            est.sample(2, conditions={"id": condition})
    with pytest.raises(ValueError, match=r"conditions\['id'\] must not be given"):
        est.sample(2, conditions=pd.DataFrame({"id": [3, 4]}))


def test_repeated_identifiers_are_warned_of():
    frame = table(id=np.minimum(np.arange(N), 75))
    with pytest.warns(UserWarning, match="'id' of X is to be unique, but 4 of 80 cells repeat another"):
        codec = Codec(constraints=UNIQUE).fit(frame)
    assert codec.decode(np.zeros((2, 1)))["id"].tolist() == [76, 77]
