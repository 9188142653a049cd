"""Whether `score` ranks settings as the quality of their samples does.

A part of a table trains a sampler for each of a random draw of settings; `score` is the mean log-density of a second
part, C2ST tells samples from the rows of a third (a mean over draws). What is printed is each setting and Spearman's
correlation of `score` and -C2ST: over all settings, over those that do not copy, and over those of them with the
default code of numbers. C2ST does not see copies, and a density does: settings copy where more than COPIES of the
samples are nearer to a training row than to one of as many fresh rows.

    python score_ranks.py --seeds 1 2 -- more.csv.gz
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import Isomap
from sklearn.model_selection import ParameterSampler

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import load_german_credit
from skmdiff.metrics import c2st, dcr_share

MOST_ROWS, COPIES = 2000, 0.8
SETTINGS = {
    "max_iter": [50, 150, 500, "auto"],
    "hidden_layer_sizes": [(16,), (64, 64), "auto"],
    "learning_rate_init": [2e-4, 2e-3, 2e-2],
    "sigma_start": ["auto", 0.2, 0.5, 1.0, 3.0],
    "n_neighbors": [0, 5, 15, 50],
    "manifold": [None, "passthrough", PCA(2), Isomap()],
    "numeric": ["quantile", "quantile", "standard"],
}


def tables(paths):
    """{name: frame}: bundled ones, and CSV files whose text is categories."""
    digits = PCA(16, random_state=0).fit_transform(load_digits().data)
    out = {
        "german credit": load_german_credit(as_frame=True).frame,
        "breast cancer": load_breast_cancer(as_frame=True).frame,
        "diabetes": load_diabetes(as_frame=True, scaled=False).frame,
        "digits PCA(16)": pd.DataFrame(digits),
    }
    return out | {Path(path).name.split(".")[0]: pd.read_csv(path).dropna() for path in paths}


def three_parts(table, seed):
    """Half of the rows to train on, a quarter for `score`, a quarter for C2ST."""
    text = table.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]]
    order = np.random.default_rng(seed).permutation(len(table))[:MOST_ROWS]
    parts = np.split(order, [len(order) // 2, 3 * len(order) // 4])
    return [table.astype(dict.fromkeys(text, "category")).iloc[part].reset_index(drop=True) for part in parts]


def measure(parts, setting, seed, n_draws):
    """`score`, C2ST and `dcr_share` of a setting."""
    train, scored, fresh = parts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a setting that diverges is one to be ranked
        sampler = ManifoldDiffusionSampler(**setting, random_state=seed).fit(train)
    draws = [sampler.sample(len(fresh), random_state=k) for k in range(n_draws)]
    told = [c2st(fresh, rows, random_state=k) for k, rows in enumerate(draws)]
    held_out = pd.concat([scored, fresh], ignore_index=True)
    return sampler.score(scored), np.mean(told), dcr_share(train, held_out, draws[0], random_state=0)


def correlations(settings, found):
    """Spearman's correlation of `score` and -C2ST over three sets of settings, and their numbers."""
    score, told, copies = found.T
    own = copies <= COPIES
    usual = own & [setting["numeric"] == "quantile" for setting in settings]
    return [(spearmanr(score[some], -told[some]).statistic, some.sum()) for some in (own | True, own, usual)]


def describe(setting, values):
    """A line of a setting and what was measured."""
    named = ", ".join(f"{name}={value}" for name, value in sorted(setting.items()))
    return "{:10.2f}  {:.3f}  {:.3f}  ".format(*values) + named


def rank_settings(table, n_settings, seed, n_draws):
    """Settings drawn at random and what was measured for each, (n_settings, 3); printed, the best C2ST first."""
    settings = list(ParameterSampler(SETTINGS, n_settings, random_state=seed))
    parts = three_parts(table, seed)
    found = np.array([measure(parts, setting, seed, n_draws) for setting in settings])
    for k in np.argsort(found[:, 1]):
        print(describe(settings[k], found[k]))
    return settings, found


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Does score rank settings as C2ST does?")
    parser.add_argument("files", nargs="*", help="CSV files of further tables")
    parser.add_argument("--tables", help="names of the tables to measure, with commas; all by default")
    parser.add_argument("--settings", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the split, the training and the settings")
    parser.add_argument("--draws", type=int, default=4, help="tables drawn for a C2ST")
    options = parser.parse_args()
    chosen = tables(options.files)
    for name in options.tables.split(",") if options.tables else chosen:
        for seed in options.seeds:
            print(f"{name}, seed {seed}\n     score   C2ST  nearer to train")
            every, own, usual = correlations(*rank_settings(chosen[name], options.settings, seed, options.draws))
            print(
                "Spearman {:.2f} over {} settings, {:.2f} over {} that do not copy, {:.2f} over {} of them with "
                "numeric='quantile'\n".format(*every, *own, *usual),
                flush=True,
            )


if __name__ == "__main__":
    main()
