"""The examples run, and the benchmark finds what must hold whatever the training."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from skmdiff import ManifoldDiffusionSampler

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


@pytest.fixture
def promises(monkeypatch):
    """The benchmark as a module, beside the modules that it imports."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "benchmarks"))
    yield importlib.import_module("promises")
    for name in ("promises", "promise_tasks", "contestants"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_the_benchmark_of_the_promises(promises):
    tables = promises.one_seed(steps=60, seed=0, full=False, folder=None)
    coverage, diversity, clean, noisy, outliers, exploration = tables.values()
    assert coverage["copy"]["leak"] == 1 and abs(coverage["fresh rows"]["leak"] - 0.5) < 0.06
    assert coverage["fresh rows"]["coverage"] > 0.95 and coverage["fresh rows"]["C2ST"] < 0.55
    assert coverage["rows"]["leak"] > coverage["passthrough"]["leak"]
    assert diversity["stratified"]["modes of 10"] > 9.5 > 7 > diversity["iid"]["modes of 10"]
    assert clean["manifold"]["distance"] < 0.1 < 0.5 < clean["manifold, neither"]["distance"]
    assert noisy["manifold"]["distance"] < 0.5 * noisy["training rows"]["distance"]
    assert outliers["contamination=0.05"]["near outliers"] < 0.01 < outliers["training rows"]["near outliers"]
    assert exploration["uniform, iid"]["KL to uniform"] < exploration["data, iid"]["KL to uniform"] / 2
    assert exploration["explore"]["cells of 40"] > 1.3 * exploration["data, iid"]["cells of 40"]
    text = promises.format_tables([tables, tables])
    assert text.count("\n### ") == 5 and "| passthrough | " in text and "(0.000)" in text


@pytest.fixture
def score_ranks(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.syspath_prepend(str(EXAMPLES / "benchmarks"))
    yield importlib.import_module("score_ranks")
    sys.modules.pop("score_ranks", None)


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


def test_the_guide_on_tables_runs():
    guide = (ROOT / "docs" / "user_guide.md").read_text(encoding="utf-8")
    names = {"ManifoldDiffusionSampler": ManifoldDiffusionSampler}
    for section in ("Fit and draw", "Tables as they are", "Conditions and imputation", "Constraints"):
        for block in guide.split(f"## {section}")[1].split("\n## ")[0].split("```python\n")[1:]:
            exec(block.split("```")[0], names)  # it asserts what it promises
