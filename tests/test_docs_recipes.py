"""The code of docs/recipes.md runs and shows what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

TEXT = (Path(__file__).parent.parent / "docs" / "recipes.md").read_text(encoding="utf-8")
BLOCKS = dict(
    zip(
        ["rare", "few", "tune", "share", "outliers", "pipeline"],
        re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL),
        strict=True,
    )
)


def run(name):
    pytest.importorskip("pandas")
    names = {}
    exec(BLOCKS[name], names)
    return names


@pytest.mark.slow
def test_a_rare_class():
    names = run("rare")
    y, y_more = names["y"], names["y_more"]
    np.testing.assert_array_equal(names["X_more"][: len(y)], names["X"])
    assert (y_more == 1).sum() == int(0.5 * (y == 0).sum())
    assert names["recalls"][1] > names["recalls"][0]


@pytest.mark.slow
def test_few_rows():
    model = run("few")["model"]
    assert model.augmented_ == (model.augmentation_gain_ > 0)
    assert model.feature_names_in_.size == 10


@pytest.mark.slow
def test_tuning_the_manifold():
    search = run("tune")["search"]
    assert len(set(search.cv_results_["mean_test_score"])) > 1 and search.best_score_ > 0
    assert set(search.best_params_) == {"manifold__isomap__n_neighbors", "n_neighbors"}


@pytest.mark.slow
def test_sharing_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run("share")
    written = pytest.importorskip("pandas").read_csv(tmp_path / "to_share.csv")
    assert written.shape == names["train"].shape and list(written) == list(names["table"])
    assert "dcr_share" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert names["result"]["copy_share"].value == 0 and "memorisation_excess" in capsys.readouterr().out
    assert abs(names["result"]["dcr_share"].value - 0.5) < 0.1


def test_leaving_outliers_out():
    names = run("outliers")
    assert not names["inlier"][:5].any() and names["inlier"].mean() > 0.9
    kept = names["X"][names["inlier"]]
    assert names["new_rows"].max().max() <= kept.max().max()


def test_a_pipeline_that_samples():
    names = run("pipeline")
    X, new_rows = names["X"], names["new_rows"]
    assert new_rows.columns.equals(X.columns) and new_rows.dtypes.equals(X.dtypes)
    assert (new_rows.max() <= X.max() + 1e-6).all() and (new_rows.min() >= X.min() - 1e-6).all()
    assert len(names["Z"]) == len(X)
