"""`verbose` of the sampler: the stages of a fit, the rows of a call, the same bits with and without."""

import io
import re
import sys

import numpy as np
import pandas as pd
import pytest

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler
from skmdiff._sampler import correction, whole_fit

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"x": RNG.normal(size=80), "k": RNG.choice(["a", "b"], 80), "n": RNG.integers(0, 9, 80)})


def quick(**parameters):
    return ManifoldDiffusionSampler(
        **{**dict(max_iter=20, hidden_layer_sizes=(8,), n_steps=2, random_state=0), **parameters}
    )


@pytest.fixture
def catch_stderr(monkeypatch):
    """A function to be called within the test: pytest puts its stream in place after fixtures are made."""

    def catch():
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        return sys.stderr

    return catch


def stages(text):
    """The names of the bars in a text, each once as long as it is the same bar."""
    names = re.findall(r"([a-z]+)(?: \.\.\.|: +\d+%)", text)
    return [name for name, before in zip(names, ["", *names], strict=False) if name != before]


def test_a_fit_tells_its_stages_in_order(catch_stderr, capsys):
    stderr = catch_stderr()
    quick(verbose=1).fit(FRAME)
    text = stderr.getvalue()
    assert stages(text) == ["table", "manifold", "mixture", "starts", "training", "mixture", "contraction"]
    assert "10/20" in text and re.search(r"loss \d\.\d{4}, held-out loss \d\.\d{4}", text)
    assert capsys.readouterr().out == ""


def test_the_corrector_is_a_stage_with_samples_before(catch_stderr, monkeypatch):
    stderr = catch_stderr()
    monkeypatch.setattr(correction, "MIN_ROWS", 10)
    quick(verbose=1).fit(FRAME)
    text = stderr.getvalue()
    assert stages(text)[-2:] == ["samples", "corrector"] and "corrector: " in text
    assert len(stages(text)) <= whole_fit.N_STAGES


def test_samples_and_filled_cells_have_a_bar(catch_stderr):
    stderr = catch_stderr()
    sampler = quick(verbose=1).fit(FRAME)
    stderr = catch_stderr()
    sampler.sample(1500)
    assert stages(stderr.getvalue()) == ["samples"] and "1500/1500" in stderr.getvalue()
    stderr = catch_stderr()
    sampler.sample(5, conditions={"k": "a"})
    assert stages(stderr.getvalue()) == ["conditions", "samples"]
    imputer = ManifoldDiffusionImputer(quick(verbose=1), random_state=0).fit(FRAME)
    stderr = catch_stderr()
    imputer.transform(FRAME.assign(x=np.nan))
    assert stages(stderr.getvalue()) == ["filling"] and "80/80" in stderr.getvalue()


def test_zero_is_silent(capsys):
    quick().fit(FRAME).sample(5, conditions={"k": "a"})
    assert capsys.readouterr() == ("", "")


def test_the_bits_are_the_same(catch_stderr, capsys):
    catch_stderr()
    rows = [quick(verbose=verbose, n_jobs=2).fit(FRAME).sample(1500) for verbose in (0, 1, 2)]
    assert rows[0].equals(rows[1]) and rows[0].equals(rows[2])


def test_without_training_there_is_no_bar_of_it(catch_stderr):
    stderr = catch_stderr()
    quick(max_iter=0, verbose=1).fit(FRAME)
    assert "training" not in stages(stderr.getvalue())


def test_a_training_that_diverges_at_once_is_told(capsys):
    with pytest.warns(UserWarning, match="grew out of bounds"):
        quick(verbose=2, learning_rate_init=1e6, early_stopping=False, max_iter=80, manifold="passthrough").fit(
            FRAME[["x", "n"]]
        )
    assert "training: " in capsys.readouterr().out


def test_an_interrupt_closes_the_bar(catch_stderr, monkeypatch):
    stderr = catch_stderr()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(whole_fit, "with_contraction", interrupt)
    sampler = quick(verbose=1)
    with pytest.raises(KeyboardInterrupt):
        sampler.fit(FRAME)
    assert not sampler.__sklearn_is_fitted__() and stderr.getvalue().endswith("\r")
    assert stderr.getvalue().split("\r")[-2].strip() == "", "the line is cleared"


def test_seconds_of_the_fit():
    sampler = quick().fit(FRAME)
    assert 0 < sampler.fit_time_ < 60
