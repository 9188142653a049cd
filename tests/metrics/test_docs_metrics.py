"""The code of docs/metrics.md runs, and its table names every measure."""

import re
from pathlib import Path

import pytest

from skmdiff import metrics

TEXT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.slow
def test_the_report_of_the_guide(tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(BLOCKS[0], names)
    assert (tmp_path / "report.html").exists()
    assert len(names["frame"]) == len(names["result"].measures)


@pytest.mark.slow
def test_the_search_of_the_guide():
    names = {}
    exec(BLOCKS[1], names)
    results = names["search"].cv_results_
    assert results["mean_test_coverage"][1] > results["mean_test_coverage"][2]
    assert results["mean_test_privacy"][1] > results["mean_test_privacy"][0]
    exec(BLOCKS[2], names)
    assert -1 < names["energy_scorer"](names["search"].best_estimator_, names["rows"]) < 0


def test_every_public_function_is_named():
    assert len(BLOCKS) == 3
    functions = [name for name in metrics.__all__ if name[0].islower()]
    assert [name for name in functions if f"`{name}" not in TEXT] == []
