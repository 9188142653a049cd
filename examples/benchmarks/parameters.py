"""What each numeric parameter of the sampler is worth: one setting changed at a time, on two bundled tables.

Four fifths of a table are fitted; as many rows are drawn, three times. C2ST tells them from the held-out fifth (0.5 is
ideal), "nearer to train" says how near they come to the training rows (0.5 is ideal). Means over seeds and tables, and
the standard error of the mean difference to the defaults, table by table and seed by seed.

    python parameters.py --seeds 0 1 --out parameters.csv
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import load_german_credit
from skmdiff.metrics import c2st, dcr_share

N_DRAWS = 3
SETTINGS = {
    "defaults": [{}],
    "manifold": [{"manifold": "passthrough"}],
    "sigma_start": [{"sigma_start": 0.2}, {"sigma_start": 2.0}],
    "n_neighbors": [{"n_neighbors": 0}, {"n_neighbors": 50}],
    "max_landmarks": [{"max_landmarks": 100}],
    "contraction": [{"contraction": 1.0}],
    "numeric": [{"numeric": "standard"}],
    "hidden_layer_sizes": [{"hidden_layer_sizes": (32, 32)}, {"hidden_layer_sizes": (256, 256)}],
    "max_iter": [{"max_iter": 500}, {"max_iter": 4000}],
    "batch_size": [{"batch_size": 64}, {"batch_size": 512}],
    "learning_rate_init": [{"learning_rate_init": 0.0005}, {"learning_rate_init": 0.01}],
    "early_stopping": [{"early_stopping": False}],
    "validation_fraction": [{"validation_fraction": 0.3}],
    "n_steps": [{"n_steps": 4}, {"n_steps": 64}],
}


def tables():
    """Bundled tables by name, their text as categories."""
    cancer = load_breast_cancer(as_frame=True).frame
    cancer["target"] = cancer["target"].astype("category")
    return {"german credit": load_german_credit(as_frame=True).frame, "breast cancer": cancer}


def measure(table, setting, seed):
    """Quality, leakage and seconds of one fit."""
    train, held_out = train_test_split(table, test_size=0.2, random_state=seed)
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a step size that is too large is announced
        sampler = ManifoldDiffusionSampler(**setting, random_state=seed).fit(train)
    fitted = time.process_time()
    draws = [sampler.sample(len(train), random_state=draw) for draw in range(N_DRAWS)]
    drawn = time.process_time()
    return {
        "c2st": np.mean([c2st(held_out, rows, random_state=seed) for rows in draws]),
        "nearer": np.mean([dcr_share(train, held_out, rows, random_state=seed) for rows in draws]),
        "fit_s": fitted - began,
        "sample_s": (drawn - fitted) / N_DRAWS,
    }


def run(seeds, out):
    """Measure all settings that the file lacks."""
    path = Path(out)
    done = set(pd.read_csv(path)["key"]) if path.exists() else set()
    for seed in seeds:
        for name, table in tables().items():
            for setting in [setting for settings in SETTINGS.values() for setting in settings]:
                key = f"{name}|{seed}|{setting}"
                if key not in done:
                    line = {"key": key, "table": name, "seed": seed, "setting": str(setting or "defaults")}
                    line |= measure(table, setting, seed)
                    pd.DataFrame([line]).to_csv(path, mode="a", header=not path.exists(), index=False)


def show(path):
    """Means by setting, and differences to the defaults with their standard errors."""
    lines = pd.read_csv(path)
    wide = lines.pivot_table(index=["table", "seed"], columns="setting", values="c2st")
    apart = wide.sub(wide["defaults"], axis=0)
    out = lines.groupby("setting")[["c2st", "nearer", "fit_s", "sample_s"]].mean()
    out["c2st - defaults"], out["s.e."] = apart.mean(), apart.sem()
    print(out.round(3).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", default="parameters.csv")
    options = parser.parse_args()
    run(options.seeds, options.out)
    show(options.out)
