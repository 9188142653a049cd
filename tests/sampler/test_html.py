"""What a fitted sampler shows in notebooks."""

import re

import numpy as np
import pandas as pd
from sklearn import config_context

import skmdiff
from skmdiff import ManifoldDiffusionSampler

RNG = np.random.default_rng(0)
N = 60
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "<b>city</b>": RNG.choice(["Rome", "Paris", "Bern"], N),
        "ok": RNG.random(N) < 0.5,
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, N), "D"),
        "one": 1,
        "none": np.full(N, np.nan),
    }
)
Y = RNG.choice(["a", "b"], N)


def quick(**parameters):
    return ManifoldDiffusionSampler(
        **{**dict(max_iter=4, hidden_layer_sizes=(8,), n_steps=2, random_state=0), **parameters}
    )


def facts(html):
    """The rows of the table that shows what was learnt."""
    of_table = html.partition("<table class='skmdiff-learnt'>")[2].partition("</table>")[0]
    return dict(re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", of_table))


def test_what_was_learnt_follows_the_diagram_of_scikit_learn():
    sampler = quick().fit(FRAME, Y)
    html = sampler._repr_mimebundle_()["text/html"]
    assert "sk-container" in html and "max_iter" in html
    found = facts(html)
    seconds = found.pop("fit")
    assert re.fullmatch(r"\d+\.\d s", seconds)
    assert found == {
        "rows": "60",
        "columns": "6: 1 numbers, 2 categories, 1 dates and durations, 1 constant, 1 empty",
        "categories": "&lt;b&gt;city&lt;/b&gt; 3, ok 2",
        "target": "2 classes",
        "manifold": "PCA, 7 components",
        "training": f"4 steps, ended by {sampler.stop_reason_}",
    }
    assert "<b>city" not in html.partition("<table class='skmdiff-learnt'>")[2]
    assert facts(sampler._repr_html_()) == {**found, "fit": seconds}


def test_without_a_fit_there_is_nothing_to_show():
    assert "skmdiff-learnt" not in quick()._repr_html_()


def test_as_text_scikit_learn_is_left_alone():
    sampler = quick().fit(FRAME[["x"]])
    with config_context(display="text"):
        assert sampler._repr_mimebundle_() == {"text/plain": repr(sampler)} and not hasattr(sampler, "_repr_html_")


def test_many_columns_are_cut(tmp_path):
    X = pd.DataFrame({f"c{j}": RNG.choice(["a", "b"], N) for j in range(11)})
    sampler = quick(manifold="passthrough").fit(X)
    found = facts(sampler._repr_html_())
    assert found["categories"].endswith("c7 2, 3 more") and found["manifold"] == "none"
    sampler.save(tmp_path / "model")
    loaded = facts(skmdiff.load(tmp_path / "model")._repr_html_())
    assert loaded == {name: value for name, value in found.items() if name != "fit"}
