"""What the manifold is worth: one table a promise, against plain diffusion and against controls.

``python examples/benchmarks/promises.py`` prints the tables of a quick run; ``--seeds 5 --seconds 8 --n-jobs 2
--out FILE`` those that docs/benchmarks/promises.md comments on. Every sampler gets the same seconds of training. The
controls start from the same rows with neighbours that are wrong (permuted, random), none (rows), or those of the table
itself.

Measures are means over seeds with standard errors in brackets. "leak" is the share of rows nearer to a training row
than to any of as many held-out ones, 0.5 for fresh rows. Mode coverage, diversity, local geometry and exploration are
measured; robustness to noise waits for its feature.
"""

import argparse
import time
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import Isomap
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import make_gaussian_grid, make_swiss_roll_nd, make_von_mises_circle
from skmdiff.metrics import c2st, coverage_precision, dcr_share


class Permuted(TransformerMixin, BaseEstimator):
    """An embedding whose rows are dealt out again at random: same cloud, wrong neighbours."""

    def __init__(self, transformer, seed=0):
        self.transformer = transformer
        self.seed = seed

    def fit(self, X, y=None):
        """Fit the embedding."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X, y=None):
        """The embedding of other rows."""
        Z = self.transformer.fit_transform(X)
        self.embedding_ = np.random.default_rng(self.seed).permutation(Z)
        return self.embedding_


def samplers(seed):
    """Parameters of the sampler and of its controls."""
    return {
        "manifold": dict(),
        "passthrough": dict(manifold="passthrough"),
        "permuted": dict(manifold=Permuted(PCA(8), seed)),
        "random projection": dict(manifold=GaussianRandomProjection(2, random_state=seed)),
        "rows": dict(n_neighbors=0),
        "table's neighbours": dict(manifold=FunctionTransformer()),
        "isomap": dict(manifold=Isomap(n_neighbors=10, n_components=5)),
    }


def fit(X, seconds, seed, numeric="quantile", **parameters):
    """A sampler trained for so many seconds at most."""
    est = ManifoldDiffusionSampler(max_time=seconds, numeric=numeric, random_state=seed, **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)  # clamped components, gaps in a neighbour graph
        return est.fit(X)


def grid_parts(seed):
    """Turned grid of 25 clusters with geometric weights in 10 columns: training, fresh and held-out rows, labels."""
    grid = make_gaussian_grid(4500, 10, ratio=0.85, noise=0.05, random_state=seed)
    return np.split(grid.data, [1500, 3000]), np.split(grid.t, [1500, 3000])


def digit_parts(seed):
    """Digits: a third to train on, one to compare with, one fresh; the held-out part comes last."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.data))
    parts = np.array_split(order, 3)
    return [digits.data[part].astype(int) for part in parts], [digits.target[part] for part in parts]


def mode_measures(train, labels, holdout, rows, classify, seed):
    """Coverage, C2ST, leak, and the divergence of the shares of modes from the true ones; the rarest mode's share."""
    n_modes = labels.max() + 1
    true = np.bincount(labels, minlength=n_modes) / len(labels)
    share = np.bincount(classify(rows), minlength=n_modes) / len(rows)
    rarest = np.argmin(np.where(true > 0, true, np.inf))
    coverage, precision = coverage_precision(holdout, rows)
    return {"coverage": coverage, "precision": precision, "C2ST": c2st(holdout, rows, random_state=seed),
            "leak": dcr_share(train, holdout, rows, random_state=seed),
            "KL of modes": np.sum(true * np.log(np.maximum(true, 1e-12) / np.maximum(share, 0.5 / len(rows)))),
            "rarest mode": share[rarest] / true[rarest]}


def mode_coverage(parts, seconds, seed, quick):
    """Every sampler, and references from outside, on a table with modes."""
    (train, fresh, holdout), labels = parts(seed)
    classify = KNeighborsClassifier(1).fit(np.vstack([train, fresh]), np.concatenate(labels[:2])).predict
    candidates = {"fresh rows": fresh, "copy": train}
    for name, parameters in samplers(seed).items():
        if not quick or name in ("manifold", "passthrough", "permuted", "rows"):
            candidates[name] = fit(train, seconds, seed, **parameters).sample(len(train))
    kernel = GridSearchCV(KernelDensity(), {"bandwidth": np.geomspace(0.02, 4, 9)}, cv=3).fit(train)
    candidates["KernelDensity"] = kernel.best_estimator_.sample(len(train), random_state=seed)
    mixture = GaussianMixture(25, reg_covar=1e-4, random_state=seed).fit(train)
    candidates["GaussianMixture"] = mixture.sample(len(train))[0]
    all_labels = np.concatenate(labels)
    return {name: mode_measures(train, all_labels, holdout, rows, classify, seed) for name, rows in candidates.items()}


def diversity(seconds, seed):
    """Modes met by ten rows of ten equal modes, independent and stratified."""
    X, label = make_blobs(600, 5, centers=10, cluster_std=0.1, center_box=(-9, 9), random_state=seed)
    est = fit(X, seconds, seed, numeric="standard")
    mode_of = KNeighborsClassifier(1).fit(X, label).predict
    return {design: {"modes of 10": np.mean([len(np.unique(mode_of(est.sample(10, design=design, random_state=k))))
                                             for k in range(50)])} for design in ("iid", "stratified")}


def geometry(seconds, seed):
    """Distance to the clean swiss roll in 10 columns, of rows fitted with noise .15 a column."""
    roll = make_swiss_roll_nd(1000, 10, noise=0.15, random_state=seed)
    out = {"noisy rows": roll.data}
    for name, manifold in (("manifold", None), ("passthrough", "passthrough"), ("isomap", Isomap(n_neighbors=10))):
        est = fit(roll.data, seconds, seed, numeric="standard", manifold=manifold)
        out[name] = est.sample(1000)
    out["lift of isomap"] = est.lift(est.embedding_)
    return {name: {"distance": roll.distance(rows).mean()} for name, rows in out.items()}


def exploration(seconds, seed):
    """Divergence from the uniform law on a circle with von Mises density, and cells of 40 met by 40 rows."""
    circle = make_von_mises_circle(1000, random_state=seed)
    est = fit(circle.data, seconds, seed, numeric="standard")
    out = {}
    for density, design in (("data", "iid"), ("data", "stratified"), ("uniform", "iid"), ("uniform", "stratified")):
        rows = est.sample(4000, density=density, design=design)
        share = _angles(rows, 20) / len(rows)
        few = est.sample(40, density=density, design=design)
        kl = np.sum(share[share > 0] * np.log(20 * share[share > 0])) - 19 / (2 * len(rows))
        out[f"{density}, {design}"] = {"KL to uniform": kl, "cells of 40": (_angles(few, 40) > 0).sum()}
    return out


def _angles(rows, n_bins):
    return np.histogram(np.arctan2(rows[:, 1], rows[:, 0]), np.linspace(-np.pi, np.pi, n_bins + 1))[0]


def one_seed(seconds, seed, quick):
    """All tables of one seed: {title: {row: {measure: value}}}."""
    tables = {"Mode coverage: turned grid of 25 normal clusters, 10 columns": mode_coverage(
        grid_parts, seconds, seed, quick)}
    if not quick:
        tables["Mode coverage: digits, 599 rows"] = mode_coverage(digit_parts, seconds, seed, quick)
    tables["Diversity: ten equal modes"] = diversity(seconds, seed)
    tables["Local geometry: swiss roll, noise .15"] = geometry(seconds, seed)
    tables["Exploration: von Mises circle"] = exploration(seconds, seed)
    return tables


def format_tables(runs):
    """Markdown of means over runs with standard errors."""
    lines = []
    for title, rows in runs[0].items():
        names = list(next(iter(rows.values())))
        lines += [f"### {title}", "", f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        for row in rows:
            cells = []
            for name in names:
                values = np.array([run[title][row][name] for run in runs])
                error = f" ({values.std(ddof=1) / np.sqrt(len(values)):.3f})" if len(values) > 1 else ""
                cells.append(f"{values.mean():.3f}{error}")
            lines.append(f"| {row} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What the manifold is worth, one table a promise.")
    parser.add_argument("--seeds", type=int, default=1, help="runs; five or more for a verdict")
    parser.add_argument("--seconds", type=float, default=6, help="seconds of training a sampler")
    parser.add_argument("--n-jobs", type=int, default=1, help="seeds run side by side")
    parser.add_argument("--out", help="file that the tables are written to")
    options = parser.parse_args()
    begin, quick = time.perf_counter(), options.seeds == 1
    runs = Parallel(n_jobs=options.n_jobs)(
        delayed(one_seed)(options.seconds, seed, quick) for seed in range(options.seeds))
    text = format_tables(runs)
    print(text)
    print(f"{time.perf_counter() - begin:.0f} s")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write(f"# The promises, measured\n\n`python examples/benchmarks/promises.py --seeds {options.seeds} "
                       f"--seconds {options.seconds:g}`\n\n{text}")


if __name__ == "__main__":
    main()
