"""More rows than memory holds are refused by name, at once, wherever a number of rows is taken."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skmdiff import (
    AugmentedClassifier,
    ManifoldDiffusionImputer,
    ManifoldDiffusionOverSampler,
    ManifoldDiffusionSampler,
)
from skmdiff._cli.main import main
from skmdiff._numerics import checks
from skmdiff._numerics.checks import check_rows, memory_there_is

X, Y = load_iris(return_X_y=True)
MANY = 10**30


@pytest.fixture(scope="module")
def sampler():
    return ManifoldDiffusionSampler(max_iter=0, random_state=0).fit(X, Y)


@pytest.fixture(scope="module")
def imputer():
    return ManifoldDiffusionImputer(ManifoldDiffusionSampler(max_iter=0), random_state=0).fit(X)


def over_sampled(strategy, y=Y):
    return ManifoldDiffusionOverSampler(ManifoldDiffusionSampler(max_iter=0), sampling_strategy=strategy).fit_resample(
        X, y
    )


CALLS = {
    "sample": (lambda s, i: s.sample(MANY), "n_samples"),
    "explore": (lambda s, i: s.explore(MANY), "n_samples"),
    "predict_target": (lambda s, i: s.predict_target(X, n_draws=MANY), "n_draws"),
    "mean_rows": (lambda s, i: s.mean_rows([0, 1], n_draws=MANY), "n_draws"),
    "impute": (lambda s, i: i.impute(X, n_draws=MANY), "n_draws"),
    "classes": (lambda s, i: over_sampled({0: MANY}), "sampling_strategy"),
    "numbers": (lambda s, i: over_sampled(1e30, X[:, 0] + 0.001), "sampling_strategy"),
    "augmented": (lambda s, i: AugmentedClassifier(LogisticRegression(), n_synthetic=1e30).fit(X, Y), "n_synthetic"),
    "beyond floats": (lambda s, i: s.sample(10**5000), "n_samples"),
}


@pytest.mark.parametrize("name", CALLS)
def test_refused_by_name(name, sampler, imputer):
    call, parameter = CALLS[name]
    with pytest.raises(ValueError, match=f"{parameter}.* must be a number of rows that fit into memory"):
        call(sampler, imputer)


def test_from_the_command_line(sampler, tmp_path, capsys):
    table = pd.DataFrame(X, columns=list("abcd"))
    table.to_csv(tmp_path / "t.csv", index=False)
    assert main(["fit", str(tmp_path / "t.csv"), "-o", str(tmp_path / "m"), "--max-iter", "0"]) == 0
    assert main(["sample", str(tmp_path / "m"), "-n", str(MANY), "-o", str(tmp_path / "new.csv")]) == 2
    assert "n_samples must be a number of rows that fit into memory" in capsys.readouterr().err


def test_the_limit_is_the_memory_over_the_bytes_of_a_row(monkeypatch):
    monkeypatch.setattr(checks, "memory_there_is", lambda: 8 * 3 * 100)
    assert check_rows(100, "n", 3) == 100
    with pytest.raises(ValueError, match="at most 100, got 101"):
        check_rows(101, "n", 3)
    with pytest.raises(ValueError, match="at most 50, got 51"):
        check_rows(51, "n", 3, times=2)


def test_where_the_system_does_not_say(monkeypatch):
    assert memory_there_is() >= 2**28
    monkeypatch.delattr("os.sysconf")
    assert memory_there_is() == np.iinfo(np.intp).max
