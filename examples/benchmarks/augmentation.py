"""What synthetic rows gain: estimators fitted on few rows of a table, on these and synthetic ones, and on peers' rows.

Of each table so many rows train, shares of classes kept, and 2000 others at most test. Measured are points of balanced
accuracy (classes) and of 100 R2 (numbers) of logistic regression or ridge, a random forest and gradient boosting:

- plain: fitted on the real rows
- gated, ungated: `AugmentedClassifier` or `AugmentedRegressor` at their defaults, and with ``gate=False``
- smote: classes are evened by imbalanced-learn's SMOTE of standardised columns, categories one-hot; for numbers as many
  rows more, targets interpolated along
- mixture: rows of Gaussian mixtures, a mixture of each class or one of columns and number, as many as ours and of the
  same weight

``python examples/benchmarks/augmentation.py --rows 100 --seeds 2 3 --out gains.csv FOLDER`` adds lines to a file, cases
that are in it are passed over, and ``--show gains.csv`` prints means. FOLDER holds tables, NAME.csv.gz with the target
in the last column; those in CLASSES and NUMBERS that are there take part.
"""

import argparse
from itertools import product
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from augmentation_peers import mixture_rows, smote_rows, with_smote
from measured import measure_missing, run_or_show
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmdiff import AugmentedClassifier, AugmentedRegressor, ManifoldDiffusionSampler

CLASSES = (
    "breast_cancer",
    "adult",
    "default",
    "german_credit",
    "car",
    "tictactoe",
    "vowel",
    "ecoli",
    "banknote",
    "pendigits",
    "wilt",
    "libras",
    "churn_iranian",
)
NUMBERS = ("abalone", "california", "diabetes_sk", "wine_quality_red")
# tables of fewer rows than these times the training rows are left out
LEAST_ROWS, MOST_TEST_ROWS = 1.3, 2000
CASE = ["seed", "rows", "table"]
KINDS = ["plain", "gated", "ungated", "smote", "mixture"]


class Remembered(BaseEstimator):
    """The default sampler, whose fits and draws are shared by the estimators compared: the same rows, once."""

    memory = {}

    def __init__(self, target_type="auto", random_state=None):
        self.target_type = target_type
        self.random_state = random_state

    def _once(self, call, *given):
        key = joblib.hash(given)
        if key not in self.memory:
            self.memory[key] = call()
        return self.memory[key]

    def fit(self, X, y):
        """Fit the sampler, or recall it."""
        self.key_ = joblib.hash((X, y, self.target_type, self.random_state))
        sampler = ManifoldDiffusionSampler(target_type=self.target_type, random_state=self.random_state)
        self.fitted_ = self._once(lambda: sampler.fit(X, y), self.key_)
        return self

    def sample(self, n_samples, y, random_state):
        """Rows for targets."""
        return self._once(
            lambda: self.fitted_.sample(n_samples, y=y, random_state=random_state), self.key_, y, random_state
        )

    def predict_target(self, X, **how):
        """What the sampler knows of targets."""
        return self._once(lambda: self.fitted_.predict_target(X, **how), self.key_, X, how)


def read_table(path):
    """Columns and target; text is categories."""
    frame = pd.read_csv(path).dropna()
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    frame = frame.astype(dict.fromkeys(text, "category"))
    y = frame.iloc[:, -1]
    return frame.iloc[:, :-1], y.astype(str).to_numpy() if path.name.split(".")[0] in CLASSES else y.to_numpy(float)


def estimators(has_classes, seed):
    """Those compared, by name."""
    text = make_column_selector(dtype_include="category")
    dummies = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    scaled = make_column_transformer((dummies, text), remainder=StandardScaler())
    coded = make_column_transformer((dummies, text), remainder="passthrough")
    if has_classes:
        return {
            "linear": make_pipeline(scaled, LogisticRegression(max_iter=1000)),
            "forest": make_pipeline(coded, RandomForestClassifier(random_state=seed)),
            "boosting": HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
        }
    return {
        "linear": make_pipeline(scaled, Ridge()),
        "forest": make_pipeline(coded, RandomForestRegressor(random_state=seed)),
        "boosting": HistGradientBoostingRegressor(early_stopping=False, random_state=seed),
    }


def fit_joined(estimator, X, y, new, weight):
    """A clone fitted on rows and, at a weight, on others."""
    name = "sample_weight" if not hasattr(estimator, "steps") else f"{estimator.steps[-1][0]}__sample_weight"
    weights = {name: np.repeat([1.0, weight], [len(y), len(new[1])])}
    return clone(estimator).fit(pd.concat([X, new[0]], ignore_index=True), np.concatenate([y, new[1]]), **weights)


def fitted_models(estimator, X, y, seed, smote, mixture):
    """The five fits compared, by name, and what the gate found."""
    augmented = AugmentedClassifier if y.dtype.kind != "f" else AugmentedRegressor
    gated = augmented(estimator, Remembered(), random_state=seed).fit(X, y)
    ungated = gated if gated.augmented_ else augmented(estimator, Remembered(), gate=False, random_state=seed).fit(X, y)
    out = [
        clone(estimator).fit(X, y),
        gated,
        ungated,
        fit_joined(estimator, X, y, smote, 1.0),
        fit_joined(estimator, X, y, mixture, gated.synthetic_weight),
    ]
    found = {
        "taken": int(gated.augmented_),
        "gain": 100 * gated.augmentation_gain_,
        "error": 100 * gated.augmentation_error_,
    }
    return dict(zip(KINDS, out, strict=True)), found


def measure(X, y, case):
    """Lines of a case, (seed, rows, table): what each fit of each estimator scores on rows of the table."""
    seed, n_rows, _ = case
    has_classes = y.dtype.kind != "f"
    score = balanced_accuracy_score if has_classes else r2_score
    X, held_X, y, held_y = train_test_split(
        X,
        y,
        train_size=n_rows,
        test_size=min(len(y) - n_rows, MOST_TEST_ROWS),
        random_state=seed,
        stratify=y if has_classes else None,
    )
    X, share = X.reset_index(drop=True), 10 if has_classes else 3
    smote = with_smote(X, y, seed) if has_classes else smote_rows(X, y, seed)
    mixture = mixture_rows(X, y, has_classes, share * len(y), seed)
    Remembered.memory.clear()
    lines = []
    for name, estimator in estimators(has_classes, seed).items():
        models, found = fitted_models(estimator, X, y, seed, smote, mixture)
        scores = {kind: 100 * score(held_y, model.predict(held_X)) for kind, model in models.items()}
        lines.append({**dict(zip(CASE, case, strict=True)), "estimator": name, **scores, **found})
    return pd.DataFrame(lines).round(2)


def run(options):
    """Measure the cases that the file lacks, a seed of all tables at a time."""

    def of_case(case):
        _, n_rows, name = case
        path = Path(options.folder) / f"{name}.csv.gz"
        X, y = read_table(path) if path.exists() else (None, ())
        return measure(X, y, case) if len(y) >= LEAST_ROWS * n_rows else None

    measure_missing(options.out, CASE, product(options.seeds, options.rows, options.tables), of_case)


def show(path):
    """Print mean gains: over tables, of each table, and how the gate does."""
    found = pd.read_csv(path)
    far = (found.plain < 0) & found.table.isin(NUMBERS)
    print(f"{far.sum()} fits left out whose R2 is below 0 without synthetic rows")
    found = found[~far]
    gains = found[KINDS[1:]].sub(found.plain, axis=0).join(found[[*CASE, "estimator", "taken"]])
    gains["target"] = np.where(gains.table.isin(CLASSES), "classes", "numbers")
    of_case = gains.groupby(["target", *CASE])[KINDS[1:]].mean()
    of_seed = of_case.groupby(["target", "rows", "seed"]).mean()
    of_rows = of_seed.groupby(["target", "rows"])
    print(of_rows.mean().join(of_rows.sem().add_suffix(" error")).assign(seeds=of_rows.size()).round(2).to_string())
    print(gains.groupby(["target", "rows", "estimator"])[KINDS[1:]].mean().round(2).to_string())
    of_table = of_case.groupby(["target", "rows", "table"])
    print(of_table.mean().join(of_table.gated.sem().rename("error of gated")).round(2).to_string())
    taken = gains[gains.taken == 1].groupby(["target", "rows"]).gated
    print(taken.agg(took="size", lost=lambda gain: (gain < 0).sum(), worst="min").to_string())


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What do synthetic rows gain?")
    parser.add_argument("--rows", type=int, nargs="+", default=[100])
    parser.add_argument("--tables", nargs="+", default=[*CLASSES, *NUMBERS])
    run_or_show(parser, "gains.csv", run, show)


if __name__ == "__main__":
    main()
