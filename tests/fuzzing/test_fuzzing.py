"""The fuzzing harness runs, where atheris is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["load", "text", "table"])
def test_a_hundred_inputs_a_target(target, tmp_path):
    fuzz = Path(__file__).with_name("fuzz.py")
    command = [sys.executable, str(fuzz), target, "-runs=100", "-seed=1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
