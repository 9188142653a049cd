"""A class of one row in fifty: what over-samplers do for its recall and its average precision.

Of each table 20 rows of a class train at most, fifty times as many of the others, and 2000 others at most test. Classes
are evened by `ManifoldDiffusionOverSampler`, and by SMOTE, BorderlineSMOTE and ADASYN of imbalanced-learn (standardised
columns, categories one-hot; where one of them finds nothing to do the rows stay as they are). Measured are points of
recall and of average precision of the rare class by logistic regression, a random forest and gradient boosting.

``python examples/benchmarks/imbalance.py --seeds 0 1 --out imbalance.csv FOLDER`` adds lines to a file, cases that are
in it are passed over, and ``--show imbalance.csv`` prints means. FOLDER is as for augmentation.py.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from augmentation import MOST_TEST_ROWS, estimators, read_table
from augmentation_peers import NEIGHBOURS, Code
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from measured import measure_missing, run_or_show
from sklearn.base import clone
from sklearn.metrics import average_precision_score, recall_score

from skmdiff import ManifoldDiffusionOverSampler

# the rare class of tables of two is the smaller one, of more the first
TABLES = (
    "adult",
    "default",
    "german_credit",
    "car",
    "tictactoe",
    "vowel",
    "banknote",
    "pendigits",
    "wilt",
    "churn_iranian",
    "wine_quality_red",
    "digits",
)
RATIO, MOST_RARE = 50, 20
PEERS = {"smote": SMOTE, "borderline": BorderlineSMOTE, "adasyn": ADASYN}
CASE = ["seed", "table"]


def rare_rows(X, y, seed):
    """Frame and 1 for the rare class, to train and to test: 1 in RATIO + 1 of the rows to train."""
    labels, counts = np.unique(y, return_counts=True)
    is_rare = y == (labels[counts.argmin()] if len(labels) == 2 else labels[0])
    rng = np.random.default_rng(seed)
    rare, common = rng.permutation(np.flatnonzero(is_rare)), rng.permutation(np.flatnonzero(~is_rare))
    n_rare = min(MOST_RARE, len(rare) // 2, 2 * len(common) // 3 // RATIO)
    train = np.sort(np.concatenate([rare[:n_rare], common[: RATIO * n_rare]]))
    test = rng.permutation(np.setdiff1d(np.arange(len(y)), train))[:MOST_TEST_ROWS]
    return (*((X.iloc[rows].reset_index(drop=True), is_rare[rows].astype(int)) for rows in (train, test)),)


def evened(X, y, peer, seed):
    """Rows with those that a peer adds."""
    code, n_near = Code(X), min(NEIGHBOURS, y.sum() - 1)
    near = {"n_neighbors" if peer is ADASYN else "k_neighbors": n_near}
    try:
        Z, targets = peer(random_state=seed, **near).fit_resample(code(X), y)
    except (ValueError, RuntimeError):
        return X, y
    if len(targets) == len(y):
        return X, y
    return pd.concat([X, code.inverse(Z[len(y) :])], ignore_index=True), targets


def measure(X, y, case):
    """Lines of a case, (seed, table): what each estimator scores on rows of each method."""
    seed = case[0]
    (X, y), (held_X, held_y) = rare_rows(X, y, seed)
    rows = {"none": (X, y), "ours": ManifoldDiffusionOverSampler(random_state=seed).fit_resample(X, y)}
    rows |= {name: evened(X, y, peer, seed) for name, peer in PEERS.items()}
    lines = []
    for (name, estimator), (method, given) in product(estimators(True, seed).items(), rows.items()):
        model = clone(estimator).fit(*given)
        lines.append(
            {
                **dict(zip(CASE, case, strict=True)),
                "estimator": name,
                "method": method,
                "rare": y.sum(),
                "recall": 100 * recall_score(held_y, model.predict(held_X)),
                "precision": 100 * average_precision_score(held_y, model.predict_proba(held_X)[:, 1]),
            }
        )
    return pd.DataFrame(lines).round(2)


def run(options):
    """Measure the cases that the file lacks, a seed of all tables at a time."""

    def of_case(case):
        path = Path(options.folder) / f"{case[1]}.csv.gz"
        if not path.exists():
            return None
        X, y = read_table(path)
        return measure(X, y, case)

    measure_missing(options.out, CASE, product(options.seeds, options.tables), of_case)


def show(path):
    """Print means of each method: over tables and estimators, of each estimator and of each table."""
    found = pd.read_csv(path)
    values = ["recall", "precision"]
    of_seed = found.groupby(["method", "seed"])[values].mean()
    for title, gains in (("points", of_seed), ("ours less each, seed by seed", of_seed.loc["ours"] - of_seed)):
        of_method = gains.groupby("method")
        print(f"{title}, {found.seed.nunique()} seeds")
        print(of_method.mean().join(of_method.sem().add_suffix(" error")).round(2).to_string())
    for by in ("estimator", "table"):
        print(found.pivot_table(index=by, columns="method", values=values).round(1).to_string())


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What do over-samplers do for a rare class?")
    parser.add_argument("--tables", nargs="+", default=TABLES)
    run_or_show(parser, "imbalance.csv", run, show)


if __name__ == "__main__":
    main()
