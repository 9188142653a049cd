"""The examples run, and the benchmark finds what must hold whatever the training."""

import runpy
from pathlib import Path

import pytest

from skmdiff import ManifoldDiffusionSampler

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


@pytest.mark.slow
def test_the_benchmark_of_the_promises():
    script = runpy.run_path(str(EXAMPLES / "benchmarks" / "promises.py"))
    tables = script["one_seed"](seconds=0.5, seed=0, quick=True)
    coverage, diversity, geometry, exploration = tables.values()
    assert coverage["copy"]["leak"] == 1 and abs(coverage["fresh rows"]["leak"] - 0.5) < 0.05
    assert coverage["fresh rows"]["coverage"] > 0.95 and coverage["fresh rows"]["C2ST"] < 0.55
    assert coverage["rows"]["leak"] > coverage["passthrough"]["leak"]
    assert diversity["stratified"]["modes of 10"] > 9.5 > 7 > diversity["iid"]["modes of 10"]
    assert geometry["lift of isomap"]["distance"] < 0.75 * geometry["noisy rows"]["distance"]
    assert exploration["uniform, iid"]["KL to uniform"] < exploration["data, iid"]["KL to uniform"] / 2
    text = script["format_tables"]([tables, tables])
    assert text.count("\n### ") == 3 and "| passthrough | " in text and "(0.000)" in text


def test_the_guide_on_tables_runs():
    guide = (ROOT / "docs" / "user_guide.md").read_text(encoding="utf-8")
    code = guide.split("## Tables as they are")[1].split("```python\n")[1].split("```")[0]
    exec(code, {"ManifoldDiffusionSampler": ManifoldDiffusionSampler})  # it asserts what it promises
