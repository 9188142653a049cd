"""The callbacks of scikit-learn: what a fit tells them, and what it does when they ask it to stop."""

import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmdiff
from skmdiff import ManifoldDiffusionSampler

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = np.where(X[:, 0] + RNG.normal(size=60) > 0, "a", "b")


def quick(**parameters):
    return ManifoldDiffusionSampler(
        **{**dict(max_iter=20, hidden_layer_sizes=(8,), n_steps=2, random_state=0), **parameters}
    )


def test_before_scikit_learn_has_callbacks_the_sampler_has_none():
    try:
        import sklearn.callback  # noqa: F401
    except ImportError:
        assert not hasattr(quick(), "set_callbacks")
        assert quick().fit(X).n_iter_ > 0
    else:
        assert hasattr(quick(), "set_callbacks")


class Recorder:
    """A callback that keeps what it is told; propagated to estimators within others."""

    max_propagation_depth = None

    def __init__(self, stop_at=None):
        self.told, self.scores, self.stop_at = [], [], stop_at

    def setup(self, estimator, context):
        self.told.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.told.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.told.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.told.append(("end", context.task_name))
        if fitted_estimator is not None and hasattr(fitted_estimator, "sample"):
            self.scores.append((context.task_name, fitted_estimator.score(X), metadata))
            assert fitted_estimator.sample(3).shape == X[:3].shape
        return context.task_name == "evaluation" and self.count("end", "evaluation") == self.stop_at

    def count(self, *event):
        return self.told.count(event)


@pytest.fixture
def callback():
    return pytest.importorskip("sklearn.callback")


def test_stages_and_evaluations_are_tasks(callback):
    recorder = Recorder()
    sampler = quick().set_callbacks(recorder).fit(X, Y, sample_weight=np.ones(60))
    n = len(sampler.loss_curve_)
    assert n > 0 and recorder.count("begin", "evaluation") == recorder.count("end", "evaluation") == n
    assert [name for event, name in recorder.told if event == "begin" and name != "evaluation"] == [
        "fit", "table", "manifold", "mixture", "starts", "training", "mixture", "contraction",
    ]  # fmt: skip
    assert recorder.told[0] == ("setup", "fit") and recorder.told[-1] == ("teardown", "fit")
    open_tasks = [name for event, name in recorder.told if event == "begin"]
    assert sorted(open_tasks) == sorted(name for event, name in recorder.told if event == "end")


@pytest.mark.slow
def test_callbacks_see_what_has_been_learnt(callback):
    recorder = Recorder()
    sampler = quick().set_callbacks(recorder).fit(X, Y, sample_weight=np.ones(60))
    *of_evaluations, (name, score, metadata) = recorder.scores
    assert name == "fit" and math.isclose(score, sampler.score(X)) and metadata["sample_weight"].sum() == 60
    assert len(of_evaluations) == len(sampler.loss_curve_)
    assert len({score for _, score, _ in of_evaluations}) > 1, "the network moves"


def test_callbacks_change_no_bit(callback):
    told = quick().set_callbacks(Recorder()).fit(X)
    assert (told.sample(50) == quick().fit(X).sample(50)).all()


def test_a_callback_may_stop_the_training(callback, tmp_path):
    stopped = quick(checkpoint=tmp_path).set_callbacks(Recorder(stop_at=3)).fit(X)
    assert stopped.stop_reason_ == "callback" and stopped.n_iter_ == 3 and len(stopped.loss_curve_) == 3
    whole = quick(checkpoint=tmp_path).fit(X)
    assert whole.stop_reason_ != "callback", "a training that was stopped is not taken for a whole one"
    assert (whole.sample(20) == quick().fit(X).sample(20)).all()


def test_a_fit_that_fails_ends_its_callbacks(callback):
    recorder = Recorder()
    with pytest.raises(ValueError, match="noise_level"):
        quick(noise_level=-1.0).set_callbacks(recorder).fit(X)
    assert recorder.told[-1] == ("teardown", "fit") and ("end", "fit") not in recorder.told


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_over_a_pipeline(callback, n_jobs):
    recorder = Recorder() if n_jobs is None else callback.ScoringMonitor(scoring=None)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), quick()), {"manifolddiffusionsampler__max_iter": [4, 8]}, cv=2
    )
    search.set_params(n_jobs=n_jobs).set_callbacks(recorder).fit(X)
    assert search.best_estimator_[-1].n_iter_ in (4, 8)
    if n_jobs is None:
        assert recorder.count("begin", "training") == 5 and recorder.count("setup", "fit") == 1
        assert recorder.count("end", "evaluation") == 2 * 4 + 2 * 8 + search.best_estimator_[-1].n_iter_


def test_the_scoring_monitor_of_scikit_learn(callback):
    monitor = callback.ScoringMonitor(scoring={"score": lambda sampler, X, y: sampler.score(X)})
    sampler = quick().set_callbacks(monitor).fit(X, Y)
    scores = [row["score"] for row in monitor.get_logs().data if "score" in row]
    assert len(scores) == len(sampler.loss_curve_) + 1
    assert any(math.isclose(score, sampler.score(X)) for score in scores)


@pytest.mark.filterwarnings("ignore")
def test_the_progress_bar_of_scikit_learn(callback, capsys):
    pytest.importorskip("rich")
    search = GridSearchCV(quick(), {"max_iter": [4, 8]}, cv=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X)
    shown = capsys.readouterr().out
    assert "ManifoldDiffusionSampler - fit" in shown and "ManifoldDiffusionSampler - training" in shown


@pytest.mark.slow
def test_clones_and_pickles_take_callbacks_along_and_files_do_not(callback, tmp_path):
    sampler = quick().set_callbacks(Recorder()).fit(X)
    assert hasattr(clone(sampler), "_skl_callbacks")
    assert (pickle.loads(pickle.dumps(sampler)).sample(5) == sampler.sample(5)).all()
    sampler.save(tmp_path / "told")
    quick().fit(X).save(tmp_path / "silent")
    assert (tmp_path / "told").read_bytes() == (tmp_path / "silent").read_bytes()
    loaded = skmdiff.load(tmp_path / "told")
    assert not hasattr(loaded, "_skl_callbacks") and not hasattr(loaded, "fit_time_")
