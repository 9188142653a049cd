"""Pickles, joblib and skops: a sampler that comes from another version says so."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning as SklearnVersionWarning

import skmdiff
from skmdiff import ManifoldDiffusionSampler

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"x": RNG.normal(size=60), "k": pd.Categorical(RNG.choice(["a", "b"], 60)), "n": RNG.integers(0, 9, 60)}
)


@pytest.fixture(scope="module")
def fitted():
    return ManifoldDiffusionSampler(max_iter=3, hidden_layer_sizes=(4,), n_steps=2, random_state=0).fit(FRAME)


def test_pickles_carry_the_version_and_load_without_a_word(fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "m")
    for again in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "m")):
        assert "_skmdiff_version" not in vars(again)
        pd.testing.assert_frame_equal(again.sample(9), fitted.sample(9))
    assert fitted.__getstate__()["_skmdiff_version"] == skmdiff.__version__


@pytest.mark.parametrize("made", ["0.9.0", "0.3 or older"])
def test_a_pickle_of_another_version_is_warned_of(fitted, made, monkeypatch):
    state = fitted.__getstate__()
    state["_skmdiff_version"] = made
    if made.endswith("older"):
        del state["_skmdiff_version"]
    again = ManifoldDiffusionSampler()
    with pytest.warns(skmdiff.InconsistentVersionWarning) as caught:
        again.__setstate__(state)
    [warning] = [one.message for one in caught]
    assert str(warning) == (
        f"ManifoldDiffusionSampler was fitted by skmdiff {made} and is loaded by skmdiff {skmdiff.__version__}: it may "
        f"fail or give other samples. Fit it again, or load it with skmdiff {made}."
    )
    assert isinstance(warning, SklearnVersionWarning) and warning.estimator_name == "ManifoldDiffusionSampler"


def test_what_is_not_fitted_is_of_no_version():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ManifoldDiffusionSampler().__setstate__({"manifold": None})
    assert clone(ManifoldDiffusionSampler(n_steps=3)).n_steps == 3


def test_a_fitted_model_holds_no_frame(fitted):
    assert b"DataFrame" not in pickle.dumps(fitted) and b"DataFrame" not in pickle.dumps(fitted._model)


def test_skops_saves_and_loads_a_sampler_fitted_on_pandas(fitted, tmp_path):
    skops = pytest.importorskip("skops.io")
    skops.dump(fitted, tmp_path / "m.skops")
    trusted = skops.get_untrusted_types(file=tmp_path / "m.skops")
    assert {name.split(".")[0] for name in trusted} <= {"skmdiff", "pandas", "numpy"}
    pd.testing.assert_frame_equal(skops.load(tmp_path / "m.skops", trusted=trusted).sample(9), fitted.sample(9))
