"""The corrector of a fitted sampler: what samples, conditions, targets and the log-density are with it."""

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stand_ins import logistic

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler
from skmdiff._corrector import fitting
from skmdiff._sampler import correction

RNG = np.random.default_rng(0)
N = 400
FRAME = pd.DataFrame(
    {
        "a": RNG.exponential(size=N).round(2),
        "n": RNG.poisson(2, size=N),
        "c": pd.Categorical(RNG.choice(["x", "y", "z"], N, p=[0.6, 0.3, 0.1])),
        "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, N), "D"),
    }
)
Y = np.where(FRAME["a"] + RNG.normal(size=N) > 1, "yes", "no")
GAPS = FRAME.assign(a=FRAME["a"].where(RNG.random(N) < 0.7), c=FRAME["c"].where(RNG.random(N) < 0.8))
SMALL_TREES = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8)


def quick(**parameters):
    defaults = dict(max_iter=20, hidden_layer_sizes=(16,), n_steps=3, random_state=0, corrector=SMALL_TREES)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def set_gate(patch, errors):
    """Small tables may have a corrector; -inf: it stays whatever held-out rows say, inf: it never does."""
    patch.setattr(correction, "MIN_ROWS", 10)
    patch.setattr(fitting, "MIN_ERRORS", errors)


@pytest.fixture
def always(monkeypatch):
    set_gate(monkeypatch, -np.inf)


@pytest.fixture
def never(monkeypatch):
    set_gate(monkeypatch, np.inf)


@pytest.fixture(scope="module")
def with_it():
    with pytest.MonkeyPatch.context() as patch:
        set_gate(patch, -np.inf)
        return quick().fit(FRAME, Y)


@pytest.fixture(scope="module")
def without():
    return quick(corrector=None).fit(FRAME, Y)


def equal(a, b):
    pd.testing.assert_frame_equal(a.reset_index(drop=True), b.reset_index(drop=True))


def test_some_samples_are_drawn_again_and_the_others_stay(with_it, without):
    same = (with_it.sample(2000) == without.sample(2000)).all(axis=1).mean()
    assert 0.3 < same < 0.95  # the probability that a sample is kept is 0.4 at least


@pytest.mark.parametrize(
    "parameters",
    [{}, pytest.param({"manifold_weight": 0}, marks=pytest.mark.slow), {"manifold": "passthrough"}],
)
def test_rows_depend_on_seed_and_index_alone(always, parameters):
    est = quick(**parameters).fit(FRAME, Y)
    assert est.corrector_ is not None
    rows = est.sample(1300)  # more than are drawn at a time
    equal(est.sample(1100), rows[:1100])
    equal(est.set_params(n_jobs=2).sample(1300), rows)
    equal(est.sample(1100, y="yes"), est.sample(1300, y="yes")[:1100])
    equal(pickle.loads(pickle.dumps(est)).sample(1300), rows)
    equal(quick(**parameters).fit(FRAME, Y).sample(1300), rows)


def test_conditions_are_kept_row_by_row(with_it):
    """And a longer list of conditions leaves the first rows as they are."""
    est = with_it
    conditions = [{"c": c, "n": n} for c, n in itertools.product("xyz", range(4))] * 100
    rows = est.sample(1200, conditions=conditions)
    assert [tuple(row) for row in rows[["c", "n"]].to_numpy()] == [tuple(d.values()) for d in conditions]
    equal(est.sample(700, conditions=conditions[:700]), rows[:700])
    inside = est.sample(300, conditions={"a": (0.5, 1.5)}, y="no", return_y=True)
    assert inside[0]["a"].between(0.5, 1.5).all() and (inside[1] == "no").all()


@pytest.mark.parametrize("how", [{"density": "balanced"}, {"design": "stratified"}])
def test_designed_shares_stay(with_it, without, how):
    found, expected = (est.sample(600, return_y=True, **how) for est in (with_it, without))
    assert not found[0].equals(expected[0])
    if "density" in how:
        np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.slow
def test_rows_filled_are_those_with_missing_cells(always):
    est = quick().fit(GAPS[:200])
    rows, filled = est.sample(1500), est.sample(1500, missing="fill")
    assert rows.isna().any(axis=None) and not filled.isna().any(axis=None)
    equal(rows, filled.where(rows.notna()).astype(rows.dtypes))
    equal(est.sample(600), rows[:600])
    given = est.sample(200, conditions={"c": "x"})
    assert (given["c"] == "x").all() and given["a"].isna().any()


@pytest.mark.slow
def test_a_closed_gate_and_none_give_the_same_bits(never, without, capsys):
    closed = quick(verbose=2).fit(FRAME, Y)
    assert "corrector: none" in capsys.readouterr().out
    assert closed.corrector_ is None and without.corrector_ is None
    equal(closed.sample(1100), without.sample(1100))
    np.testing.assert_array_equal(closed.score_samples(FRAME[:20]), without.score_samples(FRAME[:20]))


@pytest.mark.parametrize(
    ("parameters", "rows"), [({"noise_level": 0.1}, N), ({"contraction": 0.5}, N), ({"max_time": 1e-6}, N), ({}, 9)]
)
def test_no_corrector_where_samples_are_not_to_be_like_the_rows(always, parameters, rows):
    assert quick(**parameters).fit(FRAME[:rows][["a", "n"]].to_numpy()).corrector_ is None


def test_means_and_completions_go_without(always, with_it, without):
    equal(with_it.mean_rows(["yes"]), without.mean_rows(["yes"]))
    np.testing.assert_array_equal(with_it.predict_target(FRAME[:5]), without.predict_target(FRAME[:5]))
    imputer = ManifoldDiffusionImputer(quick(), random_state=0).fit(GAPS[:100])
    assert imputer.sampler_.corrector_ is None and imputer.sampler.corrector is SMALL_TREES


@pytest.mark.parametrize("y", [None, Y[:300]])
def test_probabilities_of_all_rows_sum_to_one(always, y):
    """Of two categories whose dependence so short a training misses; the normaliser is estimated on samples."""
    same = np.random.default_rng(1).random(N) < 0.8
    X = FRAME[["c"]].assign(d=pd.Categorical(np.where((FRAME["c"] == "x") == same, "h", "t")))[:300]
    est = quick().fit(X, y)
    cells = pd.DataFrame(list(itertools.product("xyz", "ht")), columns=["c", "d"])
    with_it = np.exp(est.score_samples(cells))
    est._model = replace(est._model, corrector=None)
    assert np.abs(with_it - np.exp(est.score_samples(cells))).max() > 0.003
    assert with_it.sum() == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_a_target_of_numbers_is_averaged_out(always):
    est = quick().fit(FRAME, FRAME["a"].to_numpy() + RNG.normal(size=N))
    assert np.isfinite(est.score_samples(GAPS[:10])).all()


def test_a_classifier_of_the_user(always):
    given = make_pipeline(StandardScaler(), logistic())
    est = quick(corrector=given).fit(FRAME[["a", "n"]])
    assert type(est.corrector_.classifier[-1]) is type(logistic()) and not hasattr(given[-1], "coef_")
    assert est.sample(5).shape == (5, 2) and est.corrector_.gain_error > 0


def test_parameters_of_the_classifier_are_nested():
    est = quick().set_params(corrector__max_iter=5)
    assert clone(est).corrector.max_iter == 5
    SMALL_TREES.set_params(max_iter=10)


def test_weights_and_verbose(always, capsys):
    weight = np.where(FRAME["c"] == "x", 3.0, 1.0)
    est = quick(verbose=2).fit(FRAME, sample_weight=weight)
    assert est.corrector_ is not None
    assert "corrector: gain" in capsys.readouterr().out
