"""The examples run, and the benchmark finds what must hold whatever the training."""

import csv
import importlib
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split

from skmdiff import AugmentedClassifier, ManifoldDiffusionOverSampler, ManifoldDiffusionSampler

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


@pytest.fixture
def promises(monkeypatch):
    """The benchmark as a module, beside the modules that it imports."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "benchmarks"))
    yield importlib.import_module("promises")
    for name in ("promises", "promise_tasks", "contestants", "measured"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_the_benchmark_of_the_promises(promises):
    tables = {title: job(60, 0) for title, job in promises.jobs(quick=True, folder=None).items()}
    coverage, diversity, exploration, clean, noisy = tables.values()
    assert coverage["copy"]["nearer to train"] == 1 and abs(coverage["fresh rows"]["nearer to train"] - 0.5) < 0.06
    assert coverage["fresh rows"]["coverage"] > 0.95 and coverage["fresh rows"]["C2ST"] < 0.55
    assert diversity["PCA, stratified"]["modes of 12"] > 11.5 > 9 > diversity["PCA, iid"]["modes of 12"]
    assert clean["manifold"]["distance"] < 0.1 < 0.5 < clean["passthrough"]["distance"]
    assert noisy["manifold"]["distance"] < 0.5 * noisy["training rows"]["distance"]
    assert exploration["uniform, iid"]["KL to uniform"] < exploration["data, iid"]["KL to uniform"] / 2
    assert exploration["explore"]["bins of 40"] > 1.3 * exploration["data, iid"]["bins of 40"]
    lines = [promises.as_lines(title, seed, rows) for seed in (0, 1) for title, rows in tables.items()]
    text = promises.format_tables(promises.pd.concat(lines))
    assert text.count("### ") == 5 and "| passthrough | " in text and "(0.000)" in text


@pytest.fixture
def score_ranks(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.syspath_prepend(str(EXAMPLES / "benchmarks"))
    yield importlib.import_module("score_ranks")
    sys.modules.pop("score_ranks", None)


@pytest.mark.slow
def test_the_benchmark_of_score(score_ranks, monkeypatch, capsys):
    monkeypatch.setattr(score_ranks, "MOST_ROWS", 240)
    monkeypatch.setitem(score_ranks.SETTINGS, "max_iter", [20])
    table = score_ranks.tables([])["diabetes"]
    settings, found = score_ranks.rank_settings(table, 2, 0, 1)
    assert np.isfinite(found).all() and (found[:, 1:] <= 1).all() and len(settings) == 2
    assert capsys.readouterr().out.count("numeric=") == 2
    copier = {"sigma_start": 0.1, "n_neighbors": 0, "max_iter": 20}
    assert score_ranks.measure(score_ranks.three_parts(table, 0), copier, 0, 1)[2] > score_ranks.COPIES


def test_correlations_leave_out_what_copies_and_then_the_other_code(score_ranks):
    found = np.array([[3, 0.5, 0.5], [2, 0.6, 0.5], [1, 0.7, 0.5], [9, 0.8, 0.5], [-9, 0.4, 1.0]])
    codes = [{"numeric": name} for name in ("quantile", "quantile", "quantile", "standard", "quantile")]
    every, own, usual = score_ranks.correlations(codes, found)
    assert every == (pytest.approx(-0.6), 5) and own == (pytest.approx(-0.2), 4) and usual == (pytest.approx(1), 3)


@pytest.fixture
def augmentation(monkeypatch):
    pytest.importorskip("pandas")
    pytest.importorskip("imblearn")
    monkeypatch.syspath_prepend(str(EXAMPLES / "benchmarks"))
    module = importlib.import_module("augmentation")
    monkeypatch.setattr(module, "ManifoldDiffusionSampler", partial(ManifoldDiffusionSampler, max_iter=10))
    yield module
    for name in ("augmentation", "augmentation_peers", "contestants", "measured"):
        sys.modules.pop(name, None)


def run_augmentation(augmentation, folder, out):
    augmentation.run(SimpleNamespace(folder=folder, out=out, rows=[40], seeds=[1], tables=["ecoli", "abalone"]))


@pytest.mark.slow
def test_the_benchmark_of_augmentation_measures_the_default_once(augmentation, tmp_path, capsys):
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.assign(kind=y).iloc[20:].to_csv(tmp_path / "ecoli.csv.gz", index=False)
    out = tmp_path / "gains.csv"
    run_augmentation(augmentation, tmp_path, out)
    text = out.read_text(encoding="utf-8")
    run_augmentation(augmentation, tmp_path, out)
    assert out.read_text(encoding="utf-8") == text and text.count("\n1,40,ecoli,") == 3
    augmentation.show(out)
    assert "classes 40" in capsys.readouterr().out
    X, y = augmentation.read_table(tmp_path / "ecoli.csv.gz")
    X, held_X, y, held_y = train_test_split(X, y, train_size=40, random_state=1, stratify=y)
    model = AugmentedClassifier(
        augmentation.estimators(True, 1)["linear"], ManifoldDiffusionSampler(max_iter=10), random_state=1
    ).fit(X.reset_index(drop=True), y)
    gated = balanced_accuracy_score(held_y, model.predict(held_X))
    line = next(csv.DictReader(text.splitlines()))
    assert (float(line["gated"]), int(line["taken"])) == (round(100 * gated, 2), model.augmented_)


def test_peers_of_augmentation_draw_as_many_of_each_class(augmentation):
    import pandas as pd
    from augmentation_peers import Code, mixture_rows, smote_rows, with_smote

    X, y = load_iris(return_X_y=True, as_frame=True)
    X = X.assign(text=pd.Categorical(np.where(np.arange(150) % 3, "a", "b")), whole=np.arange(150))[70:].reset_index(
        drop=True
    )
    y = y[70:].to_numpy()
    pd.testing.assert_frame_equal(Code(X).inverse(Code(X)(X)), X)
    rows, new = with_smote(X, y, 0)
    assert len(rows) == len(new) == 20 and set(new) == {1} and rows.dtypes.equals(X.dtypes)
    rows, new = mixture_rows(X, y, True, 60, 0)
    assert np.bincount(new).tolist() == [0, 30, 30] and rows.dtypes.equals(X.dtypes)
    rows, new = smote_rows(X, y.astype(float), 0)
    assert len(rows) == 80 and new.min() >= 1 and new.max() <= 2


@pytest.fixture
def imbalance(augmentation, monkeypatch):
    module = importlib.import_module("imbalance")
    quick = ManifoldDiffusionOverSampler(ManifoldDiffusionSampler(max_iter=10))
    monkeypatch.setattr(
        module, "ManifoldDiffusionOverSampler", lambda random_state: quick.set_params(random_state=random_state)
    )
    yield module
    sys.modules.pop("imbalance", None)


@pytest.mark.slow
def test_the_benchmark_of_imbalance(imbalance, tmp_path, capsys):
    """One row in 51 is of the rare class; a line is what the estimator scores; a second run measures nothing."""
    import pandas as pd

    X, y = make_classification(900, 4, weights=[0.9], random_state=0)
    pd.DataFrame(X, columns=list("abcd")).assign(kind=y).to_csv(tmp_path / "wilt.csv.gz", index=False)
    options = SimpleNamespace(folder=tmp_path, out=tmp_path / "found.csv", seeds=[2], tables=["wilt", "car"])
    for _ in range(2):
        imbalance.run(options)
        text = options.out.read_text(encoding="utf-8")
    assert len(text.splitlines()) == 1 + 3 * 5
    (X, y), (held_X, held_y) = imbalance.rare_rows(*imbalance.read_table(tmp_path / "wilt.csv.gz"), 2)
    assert 50 * y.sum() == (y == 0).sum() == 500 and len(held_y) == 390 and held_y.sum() > 10
    smote = imbalance.evened(X, y, imbalance.PEERS["smote"], 2)
    assert smote[1].mean() == 0.5
    model = imbalance.estimators(True, 2)["linear"].fit(*smote)
    found = next(line for line in csv.DictReader(text.splitlines()) if line["method"] == "smote")
    assert float(found["recall"]) == round(100 * recall_score(held_y, model.predict(held_X)), 2)
    imbalance.show(options.out)
    assert "ours less each" in capsys.readouterr().out


@pytest.mark.slow
def test_the_benchmark_of_parameters(monkeypatch, tmp_path, capsys):
    """A run that was cut off goes on with what the file lacks, and differences are to the defaults."""
    pd = pytest.importorskip("pandas")
    monkeypatch.syspath_prepend(str(EXAMPLES / "benchmarks"))
    module = importlib.import_module("parameters")
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
    monkeypatch.setattr(module, "tables", lambda: {"normal": table})
    monkeypatch.setattr(module, "SETTINGS", {"defaults": [{}], "max_iter": [{"max_iter": 3}]})
    monkeypatch.setattr(module, "ManifoldDiffusionSampler", partial(ManifoldDiffusionSampler, hidden_layer_sizes=(8,)))
    for seeds in ([0], [0, 1]):
        module.run(seeds, tmp_path / "out.csv")
    lines = pd.read_csv(tmp_path / "out.csv")
    assert len(lines) == 4 and lines["key"].is_unique and lines["c2st"].between(0, 1).all()
    module.show(tmp_path / "out.csv")
    assert "c2st - defaults" in capsys.readouterr().out
