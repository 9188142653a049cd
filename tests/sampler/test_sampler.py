"""The estimator's contract: scikit-learn's checks, parameters, containers, targets, determinism, no global state."""

import pickle
import random
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.manifold import MDS, TSNE, Isomap, SpectralEmbedding
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion.backend import BLOCK_ROWS
from skmdiff._table import checks, codec
from skmdiff._table.cells import read_cells


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def table(n=80, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "count": rng.poisson(3, n),
            "kind": pd.Categorical(kind, categories=list("abcd")),
            "flag": rng.random(n) < 0.3,
            "price": np.round(rng.gamma(2, 10, n), 2).astype(np.float32),
            "same": 7,
            "city": rng.choice(["Bonn", "Oslo"], n),
        }
    )


@pytest.fixture(scope="module")
def fitted():
    return sampler().fit(table())


# --- parameters


def test_nested_parameters_and_clone():
    est = sampler(manifold=make_pipeline(PCA(3), Isomap(n_neighbors=4)))
    est.set_params(manifold__pca__n_components=2, manifold__isomap__n_neighbors=6)
    copy = clone(est)
    assert copy.manifold is not est.manifold
    assert copy.get_params()["manifold__pca__n_components"] == 2
    copy.fit(table()[["size", "count", "price"]])
    assert copy.manifold_[-1].n_neighbors == 6 and not hasattr(copy.manifold[-1], "embedding_")
    assert "Isomap" in estimator_html_repr(est)


@pytest.mark.slow
def test_grid_search_over_manifold_and_training():
    grid = {"manifold": ["passthrough", PCA(2)], "max_iter": [4, 8]}
    search = GridSearchCV(sampler(), grid, cv=2, error_score="raise").fit(table())
    assert np.isfinite(search.cv_results_["mean_test_score"]).all() and search.best_params_["max_iter"] in (4, 8)
    nested = GridSearchCV(sampler(manifold=Isomap()), {"manifold__n_neighbors": [3, 5]}, cv=2, error_score="raise")
    assert nested.fit(table()).best_estimator_.manifold_.n_neighbors in (3, 5)


# --- containers


def test_a_frame_comes_back(fitted):
    X, new = table(), fitted.sample(200)
    pd.testing.assert_series_equal(new.dtypes, X.dtypes)
    assert new.index.equals(pd.RangeIndex(200)) and list(fitted.feature_names_in_) == list(X.columns)
    assert set(new["kind"]) <= set("abc") and list(new["kind"].cat.categories) == list("abcd")
    assert (new["same"] == 7).all() and set(new["city"]) <= {"Bonn", "Oslo"}
    for name in ("size", "count", "price"):
        assert new[name].between(X[name].min(), X[name].max()).all()
    np.testing.assert_allclose(new["price"].round(2), new["price"], rtol=1e-6)


def test_an_array_comes_back():
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    new = sampler().fit(X).sample(5)
    assert type(new) is np.ndarray and new.dtype == np.float32 and new.shape == (5, 3)


# --- targets


@pytest.mark.parametrize("labels", [["no", "yes"], [3, 7], [True, False], [0.0, 1.0]])
def test_classes_are_chosen_and_returned(labels):
    y = np.array(labels)[np.random.default_rng(0).integers(0, 2, 80)]
    est = sampler().fit(table(), y)
    X, drawn = est.sample(30, return_y=True)
    assert len(X) == 30 and drawn.dtype == y.dtype and set(drawn) <= set(y)
    assert (est.sample(30, y=labels[1], return_y=True)[1] == labels[1]).all()
    wanted = y[:30]
    np.testing.assert_array_equal(est.sample(30, y=wanted, return_y=True)[1], wanted)


@pytest.mark.slow
def test_a_wanted_class_has_its_own_law():
    """Two classes 4 standard deviations apart: rows drawn for a class lie on its side."""
    rng = np.random.default_rng(0)
    y = np.repeat(["low", "high"], 150)
    X = np.where(y == "low", -2.0, 2.0)[:, None] + rng.normal(size=(300, 2))
    est = sampler(max_iter=400, hidden_layer_sizes=(32,), n_steps=8).fit(X, y)
    assert est.sample(200, y="low").mean() < -1.5 and est.sample(200, y="high").mean() > 1.5


def test_a_number_as_target_is_kept():
    X = table()
    y = X["size"].to_numpy() * 2 + 0.123
    est = sampler().fit(X, y)
    _, drawn = est.sample(4, y=y[:4], return_y=True)
    np.testing.assert_allclose(drawn, y[:4], rtol=1e-9)
    assert np.isfinite(est.score(X[:10]))


@pytest.mark.slow
def test_weights_of_a_score_are_repeated_rows(fitted):
    X, weights = table(), np.arange(80) % 3
    assert fitted.score(X, sample_weight=weights) == pytest.approx(fitted.score(X.iloc[np.repeat(range(80), weights)]))


# --- determinism


def test_rows_depend_on_seed_and_place_only(fitted):
    many = fitted.sample(BLOCK_ROWS + 50)
    assert fitted.sample(10).equals(many.iloc[:10])
    assert clone(fitted).set_params(n_jobs=2).fit(table()).sample(BLOCK_ROWS + 50).equals(many)
    assert not fitted.sample(10, random_state=1).equals(many.iloc[:10])
    stream = np.random.RandomState(0)
    assert not fitted.sample(10, random_state=stream).equals(fitted.sample(10, random_state=stream))


def test_rows_of_wanted_classes_depend_on_their_own_class_only():
    X, y = table(), np.array(["no", "yes"] * 40)
    est = sampler().fit(X, y)
    mixed = est.sample(20, y=["yes"] * 10 + ["no"] * 10)
    assert mixed.iloc[:10].equals(est.sample(10, y="yes"))


@pytest.mark.parametrize("manifold", [None, "passthrough", Isomap(n_neighbors=4), TSNE(perplexity=5, max_iter=250)])
def test_two_fits_with_one_seed_are_one(manifold):
    first, second = (sampler(manifold=manifold, sigma_start="auto").fit(table()) for _ in range(2))
    assert first.sigma_start_ == second.sigma_start_ and first.sample(20).equals(second.sample(20))


@pytest.mark.slow
def test_pickles_give_the_same_rows_here_and_in_a_fresh_process(fitted, tmp_path):
    rows = fitted.sample(20)
    assert pickle.loads(pickle.dumps(fitted)).sample(20).equals(rows)
    joblib.dump(fitted, tmp_path / "sampler.joblib")
    code = (
        f"import joblib; rows = joblib.load({str(tmp_path / 'sampler.joblib')!r}).sample(20); "
        f"rows.to_pickle({str(tmp_path / 'rows.pkl')!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert pd.read_pickle(tmp_path / "rows.pkl").equals(rows)


def test_global_state_is_untouched():
    np.random.seed(5)
    state = (np.random.get_state()[1].copy(), np.random.get_state()[2])
    before = random.getstate(), torch.random.get_rng_state(), torch.get_num_threads(), list(warnings.filters)
    est = sampler(manifold=Isomap(n_neighbors=4), sigma_start="auto").fit(table())
    est.sample(5)
    est.score(table()[:10])
    after = random.getstate(), torch.random.get_rng_state(), torch.get_num_threads(), list(warnings.filters)
    assert before[0] == after[0] and torch.equal(before[1], after[1]) and before[2:] == after[2:]
    np.testing.assert_array_equal(np.random.get_state()[1], state[0])
    assert np.random.get_state()[2] == state[1]


# --- manifold


@pytest.mark.parametrize(
    "manifold",
    [
        PCA(2),
        Isomap(n_neighbors=5),
        TSNE(perplexity=5, max_iter=250),
        SpectralEmbedding(n_neighbors=5),
        MDS(n_init=1, max_iter=20),
        make_pipeline(PCA(3), Isomap(n_neighbors=5)),
    ],
    ids=lambda m: type(m).__name__,
)
def test_any_learner_embeds_lifts_and_samples(manifold):
    X = table()
    est = sampler(manifold=manifold).fit(X)
    assert est.embedding_.shape == (80, est.embedding_.shape[1]) and est.sample(5).shape == X.shape[:0] + (5, 7)
    np.testing.assert_allclose(est.embed(X), est.embedding_, atol=1e-4)
    pd.testing.assert_series_equal(est.lift(est.embedding_[:3]).dtypes, X.dtypes)


def test_lift_of_a_plane_returns_its_rows():
    plane = np.random.default_rng(0).normal(size=(200, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
    est = sampler(manifold=PCA(2), numeric="standard").fit(plane)
    np.testing.assert_allclose(est.lift(est.embed(plane)), plane, atol=1e-6)


def test_start_level_is_chosen_between_the_limits():
    est = sampler(sigma_start="auto").fit(table())
    assert 0.01 < est.sigma_start_ <= 10
    assert sampler(sigma_start=0.4).fit(table()).sigma_start_ == 0.4
    assert sampler(manifold="passthrough").fit(table()).sigma_start_ == 10


def test_the_table_is_read_once_a_fit_and_once_a_call(monkeypatch):
    """However often repeated values are put anew in their intervals while the denoiser is trained."""
    read = []
    for module in (checks, codec):
        monkeypatch.setattr(module, "read_cells", lambda column, name: read.append(name) or read_cells(column, name))
    X = table()
    est = sampler(max_iter=30).fit(X)
    assert sorted(read) == sorted(X.columns)
    for call, n_reads in [(lambda: est.sample(5), 0), (lambda: est.embed(X), 1), (lambda: est.score_samples(X[:3]), 1)]:
        read.clear()
        call()
        assert sorted(read) == n_reads * sorted(X.columns)


@pytest.mark.parametrize("target_type, n_classes", [("auto", 2), ("class", 2), ("number", None)])
def test_what_the_target_is_can_be_said(target_type, n_classes):
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    est = sampler(target_type=target_type).fit(X, y)
    assert hasattr(est, "classes_") == (n_classes is not None)
    expected = (5,) if n_classes is None else (5, n_classes)
    assert est.predict_target(X[:5], n_draws=2).shape == expected
    assert est.sample(30, return_y=True)[1].dtype == y.dtype


def test_many_integers_are_classes_with_a_warning_or_numbers():
    X, y = np.random.default_rng(0).normal(size=(195, 2)), np.arange(195)
    with pytest.warns(UserWarning, match="y holds 195 different integers, .* target_type='number'"):
        assert len(sampler(max_iter=2).fit(X, y).classes_) == 195
    drawn = sampler(target_type="number").fit(X, y).sample(50, return_y=True)[1]
    assert drawn.dtype == y.dtype and 0 <= drawn.min() and drawn.max() <= 194


@pytest.mark.parametrize(
    "target_type, y, message",
    [
        ("number", ["a", "b"] * 20, "y must hold numbers with target_type='number', got 'a'"),
        ("class", np.linspace(0, 1, 40), "y must hold classes .* with target_type='class', got numbers with decimals"),
    ],
)
def test_targets_that_are_not_what_is_said_are_refused(target_type, y, message):
    with pytest.raises(ValueError, match=message):
        sampler(target_type=target_type).fit(np.random.default_rng(0).normal(size=(40, 2)), y)


# --- training as the user sees it


@pytest.mark.slow
def test_curves_and_early_stopping():
    whole = sampler(max_iter=80, early_stopping=False).fit(table())
    assert len(whole.loss_curve_) == 40 and whole.n_iter_ == 80 and whole.stop_reason_ == "max_iter"
    assert whole.validation_loss_curve_ == []
    est = sampler(max_iter=400, learning_rate_init=0.02).fit(table())
    best = int(np.argmin(est.validation_loss_curve_))
    assert est.stop_reason_ == "early_stopping" and len(est.validation_loss_curve_) == best + 11
    assert len(est.loss_curve_) == best + 11 and est.n_iter_ == 10 * (best + 11)


def test_max_time_stops_and_leaves_a_sampler():
    est = sampler(max_iter=10**6, max_time=0.5).fit(table())
    assert est.stop_reason_ == "max_time" and est.n_iter_ < 10**6 and len(est.sample(3)) == 3


def test_verbose_prints_and_silence_does_not(capsys):
    sampler(verbose=2).fit(table())
    assert "loss" in capsys.readouterr().out
    sampler().fit(table())
    assert capsys.readouterr().out == ""


def test_threads_may_share_a_fitted_sampler(fitted):
    rows = joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(fitted.sample)(50) for _ in range(4))
    assert all(other.equals(rows[0]) for other in rows)
