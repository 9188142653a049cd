"""Shared tables."""

import os

import numpy as np
import pytest

# before matplotlib is imported anywhere: no test needs a screen
os.environ.setdefault("MPLBACKEND", "Agg")

# needs atheris; its test runs it
collect_ignore = ["fuzzing/fuzz.py"]


# of scikit-learn's checks: one that calls a method once a row, those that are made once more with arrays in a file, and
# those of a second and third instance of a class
SLOW_CHECKS = (
    "check_methods_subset_invariance",
    "readonly_memmap=True",
    "manifold='passthrough'",
    "manifold=Isomap",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the slow ones of scikit-learn's checks, before tests are selected by their marks."""
    for item in items:
        if item.name.startswith("test_scikit_learn_checks") and any(words in item.name for words in SLOW_CHECKS):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Start each test, with its fixtures, with the same global stream: what is given no seed has one all the same."""
    np.random.seed(0)


@pytest.fixture
def mixed_csv(tmp_path):
    """A file of 120 rows: two dependent numbers, an integer and two categories."""
    rng = np.random.RandomState(0)
    length = rng.normal(size=120)
    lines = ["length,width,count,colour,size"]
    for x in length:
        colour = rng.choice(["red", "green", "blue"], p=[0.6, 0.3, 0.1])
        width, size = 2 * x + rng.normal(), "big" if x > 0 else "small"
        lines.append(f"{x:.4f},{width:.4f},{rng.randint(5)},{colour},{size}")
    path = tmp_path / "mixed.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
