"""Fits that are stopped, go on, or end in time, as a user sees them."""

import os
import signal
import subprocess
import sys
import threading
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.manifold import TSNE, Isomap
from sklearn.model_selection import GridSearchCV

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import training
from skmdiff._sampler import contraction, correction, fitting, whole_fit

ROOT = Path(__file__).parent.parent.parent
RNG = np.random.default_rng(0)
X = np.column_stack([RNG.normal(size=(150, 3)).round(1), RNG.poisson(2, 150)])
KILLED_FIT = """
import sys
import numpy as np
from tests.sampler.test_stop_and_resume import X, long_fit
long_fit(sys.argv[1])
"""


def sampler(**parameters):
    defaults = dict(max_iter=5, hidden_layer_sizes=(8,), n_steps=2, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def long_fit(checkpoint):
    """Some seconds of training."""
    est = sampler(max_iter=1200, early_stopping=False, hidden_layer_sizes=(64,), checkpoint=checkpoint)
    return est.fit(X)


@pytest.fixture(scope="module")
def plain():
    return sampler().fit(X)


def is_fitted(est):
    return any(name.endswith("_") for name in vars(est)) or hasattr(est, "_model")


def weights(est):
    return est._model.denoiser.weights


def same(est, other):
    for name, value in weights(est).items():
        np.testing.assert_array_equal(value, weights(other)[name])
    np.testing.assert_array_equal(est.sample(40), other.sample(40))
    assert est.loss_curve_ == other.loss_curve_ and est.n_iter_ == other.n_iter_


# --- Ctrl-C


class Interrupted:
    """A manifold learner during which Ctrl-C is pressed."""

    def fit_transform(self, X):
        raise KeyboardInterrupt


class InterruptedClassifier(HistGradientBoostingClassifier):
    def fit(self, X, y, sample_weight=None):
        raise KeyboardInterrupt


STAGES = [
    (whole_fit, "encode_table"),
    (fitting, "fit_source"),
    (fitting, "fit_missingness"),
    (fitting, "choose_mixture"),
    (fitting, "mixture_is_better"),
    (training.Trainer, "step"),
    (training.HeldOut, "loss"),
    (training.Trainer, "finish"),
    (contraction, "choose_contraction"),
]


def interrupt(*arguments, **keywords):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("owner", "name"), STAGES, ids=[name for _, name in STAGES])
def test_an_interrupt_reaches_the_caller_from_every_part_of_a_fit(plain, monkeypatch, owner, name):
    est = deepcopy(plain)
    monkeypatch.setattr(owner, name, interrupt)
    with pytest.raises(KeyboardInterrupt):
        est.fit(X)
    assert not is_fitted(est)


def test_an_interrupt_reaches_the_caller_from_manifold_learner_and_corrector(monkeypatch):
    monkeypatch.setattr(correction, "MIN_ROWS", 100)
    for parameters in ({"manifold": Interrupted()}, {"corrector": InterruptedClassifier()}):
        est = sampler(**parameters)
        with pytest.raises(KeyboardInterrupt):
            est.fit(X)
        assert not is_fitted(est)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_reaches_the_caller_from_sample(plain, monkeypatch, n_jobs):
    est = deepcopy(plain).set_params(n_jobs=n_jobs)
    expected = est.sample(3000)
    with monkeypatch.context() as patch:
        patch.setattr("skmdiff._diffusion.backend.sample_block", interrupt)
        with pytest.raises(KeyboardInterrupt):
            est.sample(3000)
    np.testing.assert_array_equal(est.sample(3000), expected)


# --- checkpoints


def test_a_fit_with_a_checkpoint_is_the_fit_without_one(plain, tmp_path):
    for _ in range(2):  # the second is loaded
        same(sampler(checkpoint=tmp_path).fit(X), plain)
    same(sampler(checkpoint=str(tmp_path)).fit(X), plain)
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.slow
def test_another_table_and_other_parameters_are_learnt_anew(tmp_path):
    few = X[:60]
    one = few.copy()
    one[7, 0] += 0.1
    for table, parameters in [
        (few, {}),
        (one, {}),
        (few, {"random_state": 1}),
        (few, {"max_iter": 6}),
        (few, {"manifold": "passthrough"}),
    ]:
        same(sampler(checkpoint=tmp_path, **parameters).fit(table), sampler(**parameters).fit(table))
    assert len(os.listdir(tmp_path)) == 5


def test_parameters_that_training_does_not_read_keep_the_file(tmp_path):
    sampler(checkpoint=tmp_path).fit(X)
    sampler(checkpoint=tmp_path, n_steps=3, n_jobs=2, max_time=100.0).fit(X)
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on_where_it_was(tmp_path, monkeypatch):
    plain, n_trained = training.Trainer.finish, 0

    def counted(trainer):
        nonlocal n_trained
        n_trained += 1
        if n_trained == 4:
            raise KeyboardInterrupt
        plain(trainer)

    monkeypatch.setattr(training.Trainer, "finish", counted)
    grid = {"learning_rate_init": [1e-3, 2e-3, 4e-3]}
    how = dict(cv=2, scoring=lambda est, X, y=None: est.sample(20).mean())
    search = GridSearchCV(sampler(checkpoint=tmp_path), grid, **how)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X[:50])
    search.fit(X[:50])
    assert n_trained == 4 + 3 + 1  # three before the interrupt, three after it, and the refit
    expected = GridSearchCV(sampler(), grid, **how).fit(X[:50])
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_a_checkpoint_needs_a_seed(tmp_path, random_state):
    with pytest.raises(ValueError, match="checkpoint needs an integer as random_state"):
        sampler(checkpoint=tmp_path, random_state=random_state).fit(X)


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_fitted(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="checkpoint must be a folder.*file'"):
        sampler(checkpoint=tmp_path / "file", manifold=Interrupted()).fit(X)


@pytest.fixture(scope="module")
def whole():
    return long_fit(None)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_is_gone_on_from(tmp_path, whole, number):
    process = subprocess.Popen([sys.executable, "-c", KILLED_FIT, str(tmp_path)], cwd=ROOT)
    while not list(tmp_path.glob("*.ckpt")):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait() == -number
    same(long_fit(tmp_path), whole)


# --- warm start


@pytest.mark.slow
def test_a_warm_start_goes_on_from_the_last_weights():
    est = sampler(warm_start=True, max_iter=30, manifold_weight=0).fit(X)  # a network that has all to learn
    first, last = weights(est), est.validation_loss_curve_[-1]
    est.set_params(max_iter=0).fit(X)
    for name, value in weights(est).items():
        np.testing.assert_array_equal(value, first[name])
    est.set_params(max_iter=30).fit(X)
    assert est.n_iter_ == 30 and min(est.validation_loss_curve_) <= last + 0.02


def test_without_a_former_fit_or_a_warm_start_fits_are_the_same(plain):
    same(sampler(warm_start=True).fit(X), plain)
    same(deepcopy(plain).fit(X), plain)


FRAME = pd.DataFrame({"a": X[:, 0], "c": np.where(X[:, 1] > 0, "x", "y")})
Y = np.where(X[:, 2] > 0, "yes", "no")


@pytest.mark.parametrize(
    ("table", "y", "named"),
    [
        (FRAME.assign(c=FRAME["c"].replace("x", "z")), Y, r"column 1 \(c\)"),
        (FRAME.rename(columns={"a": "b"}), Y, r"column 0 \(a\), column 0 \(b\)"),
        (FRAME[["a"]], Y, r"column 1 \(c\)"),
        (FRAME, None, "the target"),
        (FRAME, np.where(Y == "no", "never", Y), "the target"),
    ],
)
def test_a_warm_start_on_another_table_is_refused(table, y, named):
    est = sampler(warm_start=True).fit(FRAME, Y)
    with pytest.raises(ValueError, match=f"warm_start=True needs.*{named}.*warm_start=False or a clone"):
        est.fit(table, y)
    assert not is_fitted(est)


def test_a_warm_start_of_another_network_is_refused():
    est = sampler(warm_start=True).fit(X).set_params(hidden_layer_sizes=(16,))
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=\(16,\) after \(8,\).*as it was"):
        est.fit(X)


# --- max_time


def test_past_its_time_a_fit_leaves_out_what_it_can(monkeypatch):
    for owner, name in [
        (fitting, "manifold_score"),
        (fitting, "mixture_is_better"),
        (contraction, "choose_contraction"),
    ]:
        monkeypatch.setattr(owner, name, interrupt)
    monkeypatch.setattr(correction, "MIN_ROWS", 100)
    monkeypatch.setattr(correction, "fit_corrector", interrupt)
    est = sampler(manifold=[None, Interrupted()], max_time=1e-6, max_iter=1000).fit(X)
    assert est.stop_reason_ == "max_time" and est.n_iter_ == 1 and est.corrector_ is None
    assert np.isnan(est.manifold_scores_).all() and len(est.manifold_scores_) == 2
    assert np.isfinite(est.sample(10)).all() and est.contraction_ == 0


def test_a_corrector_is_left_out_where_it_would_end_too_late(monkeypatch):
    monkeypatch.setattr(correction, "MIN_ROWS", 100)
    monkeypatch.setattr(correction, "TIMES_DRAWING", 1e9)
    monkeypatch.setattr(correction, "fit_corrector", interrupt)
    est = sampler(max_time=1000.0).fit(X)
    assert est.corrector_ is None and est.stop_reason_ == "max_iter"
    with pytest.raises(KeyboardInterrupt):
        sampler().fit(X)


@pytest.mark.slow
@pytest.mark.timing
@pytest.mark.parametrize("seconds", [2.0, 4.0])
def test_max_time_bounds_the_fit(seconds):
    sampler().fit(X)  # torch is there
    rng = np.random.default_rng(0)
    table = rng.normal(size=(20_000, 9))
    started = time.monotonic()
    est = ManifoldDiffusionSampler(max_time=seconds, random_state=0).fit(table)
    assert time.monotonic() - started < 1.3 * seconds + 1 and est.stop_reason_ == "max_time"


# --- the global random stream


class Stream(threading.Thread):
    """Another thread that draws from the global stream of NumPy as long as a fit lasts."""

    def __init__(self):
        super().__init__()
        self.drawn, self.ended = [], threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.drawn.append(np.random.random_sample())
            time.sleep(1e-4)


LEARNERS = [None, TSNE(max_iter=250, perplexity=10), Isomap(n_neighbors=8), [PCA(2), Isomap(n_neighbors=8)]]


@pytest.mark.parametrize("manifold", LEARNERS, ids=["default", "t-SNE", "Isomap", "list"])
def test_another_thread_keeps_the_global_stream(manifold):
    np.random.seed(7)
    stream = Stream()
    stream.start()
    sampler(manifold=manifold).fit(X).sample(10)
    stream.ended.set()
    stream.join()
    assert len(stream.drawn) > 20
    np.testing.assert_array_equal(stream.drawn, np.random.RandomState(7).random_sample(len(stream.drawn)))


# --- errors of floating-point numbers


def test_a_fit_is_the_same_where_numpy_raises(plain):
    with np.errstate(all="raise"):
        found = sampler().fit(X)
    same(found, plain)
