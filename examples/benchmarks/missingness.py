"""How well missing indicators are learnt, on simulated tables whose distribution is known.

A model of p(missing indicators | row) is fitted to a table and asked about fresh rows. What is printed, as means and
standard errors over tables: the excess, which is the log-loss a cell in nats above that of the true distribution; its
difference to that of the model of the package, table by table; the rate error, which is the mean over columns of
|rate drawn - rate of the table| in points; and the CPU seconds of a fit. Beside the model of the package stand the
rates alone and a chain of scikit-learn's boosted trees with their defaults.

    python missingness.py --tables 5
    python missingness.py --tables 5 --other my_module  # with another class of the name MissingnessModel
"""

import argparse
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier

from skmdiff._table.checks import read_table
from skmdiff._table.codec import TableCodec
from skmdiff._table.missing.indicators import MissingnessModel

N_NEW = 10_000


@dataclass(frozen=True)
class Case:
    """A distribution of tables: that of the rows, and p(cell k is missing | row, indicators before k)."""

    n_rows: int
    n_columns: int
    n_indicators: int
    probability: Callable
    with_category: bool = False

    def rows(self, n_rows, rng):
        """A frame of independent normal columns, and of a category where there is one."""
        X = pd.DataFrame(rng.normal(size=(n_rows, self.n_columns))).add_prefix("x")
        return X.assign(c=pd.Categorical(rng.choice(list("abc"), n_rows))) if self.with_category else X

    def draw(self, n_rows, rng):
        """Rows, their indicators, and the log-probability of these."""
        X, missing, value = self.rows(n_rows, rng), np.zeros((n_rows, self.n_indicators), dtype=bool), np.zeros(n_rows)
        for k in range(self.n_indicators):
            p = np.broadcast_to(self.probability(X, missing, k), n_rows)
            missing[:, k] = rng.random(n_rows) < p
            value += np.log(np.where(missing[:, k], p, 1 - p))
        return X, missing, value


def category_and_number(X, before, k):
    """Each column depends on another category, and on one number by another slope."""
    return expit(-2 + 1.5 * (X["c"] == "abc"[k % 3]) + [1.0, -1.0, 0.5, -0.5][k] * X["x0"])


def together(X, before, k):
    """Columns are missing with the column before them, in .7 of the rows."""
    alone = np.where(X["x0"] > 0, 0.2, 0.1)
    return np.where(before[:, k - 1], 0.7, alone / 2) if k else alone


CASES = {
    "5 %, given one column": Case(800, 21, 20, lambda X, before, k: np.where(X["x20"] > 0, 0.08, 0.02)),
    "5 %, at random": Case(800, 20, 20, lambda X, before, k: 0.05),
    "given a category and a number": Case(4000, 5, 4, category_and_number, with_category=True),
    "one indicator": Case(800, 10, 1, lambda X, before, k: np.where(X["x0"] > 0, 0.4, 0.1)),
    "missing together": Case(1500, 8, 8, together),
    "above a threshold": Case(1500, 8, 5, lambda X, before, k: np.where(X[f"x{k}"] > 0.8, 1.0, 0.0)),
    "opposite halves": Case(1500, 10, 10, lambda X, before, k: 0.2 + 0.1 * (-1) ** (k > 4) * np.sign(X["x0"])),
}


class Rates:
    """The rates of the table."""

    def __init__(self, W, missing, blocks, seed):
        least = 0.5 / len(W)
        self.log_odds = logit(np.clip(missing.mean(axis=0), least, 1 - least))

    def of(self, W, missing, k):
        """(m,) log odds of indicator k."""
        return np.full(len(W), self.log_odds[k])

    def draw(self, W, uniforms):
        """Indicators from uniform numbers."""
        missing = np.zeros(uniforms.shape, dtype=bool)
        for k, u in enumerate(uniforms.T):
            missing[:, k] = u < expit(self.of(W, missing, k))
        return missing

    def log_probability(self, W, missing):
        """(m,) of indicators."""
        log_odds = np.stack([self.of(W, missing, k) for k in range(missing.shape[1])], axis=1)
        return -np.logaddexp(0, np.where(missing, -log_odds, log_odds)).sum(axis=1)


class PlainChain(Rates):
    """A chain of boosted trees with their defaults; constant columns do not occur."""

    def __init__(self, W, missing, blocks, seed):
        self.trees = [
            HistGradientBoostingClassifier(random_state=seed).fit(np.hstack([W, missing[:, :k]]), missing[:, k])
            for k in range(missing.shape[1])
        ]

    def of(self, W, missing, k):
        """(m,) log odds of indicator k."""
        return self.trees[k].decision_function(np.hstack([W, missing[:, :k]]))


def measure(model_class, case, seed):
    """Excess, rate error and CPU seconds of a model of one table."""
    X, missing, _ = case.draw(case.n_rows, np.random.default_rng(seed))
    rng = np.random.default_rng([seed, 1])
    new, new_missing, truth = case.draw(N_NEW, rng)
    table = read_table(X)
    codec = TableCodec(numeric="standard").fit(table)
    start = time.process_time()
    model = model_class(codec.encode(table), missing, codec.blocks_, seed)
    seconds, W = time.process_time() - start, codec.encode(read_table(new))
    excess = (truth - model.log_probability(W, new_missing)).mean() / case.n_indicators
    rates = model.draw(W, rng.random(new_missing.shape)).mean(axis=0)
    return excess, 100 * np.abs(rates - missing.mean(axis=0)).mean(), seconds


def main():
    """Print a line a case and model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=5)
    parser.add_argument("--other", help="module with another MissingnessModel")
    args = parser.parse_args()
    models = {"rates": Rates, "plain chain": PlainChain, "skmdiff": MissingnessModel}
    if args.other:
        models["other"] = importlib.import_module(args.other).MissingnessModel
    for case_name, case in CASES.items():
        values = {
            name: np.array([measure(model_class, case, seed) for seed in range(args.tables)])
            for name, model_class in models.items()
        }
        for name, of_model in values.items():
            excess, rate, seconds = of_model.T
            cells = with_error(excess), with_error(excess - values["skmdiff"][:, 0]), with_error(rate, 2)
            print("|", " | ".join([case_name, name, *cells, f"{seconds.mean():.1f}"]), "|", flush=True)


def with_error(values, digits=5):
    """Mean and standard error."""
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1) / np.sqrt(len(values)):.{digits}f}"


if __name__ == "__main__":
    main()
