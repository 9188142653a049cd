"""The dial of quality against leakage on six small tables: one setting changed at a time.

Half of the rows of a table are fitted, the other half is held out. As many samples as rows are drawn. Quality: C2ST
tells the samples from held-out rows. Leakage: two attacks of `privacy_report` tell training rows from held-out ones, by
relative distance and by a classifier. All are areas under a curve of receiver operating characteristics, 0.5 is ideal.

``python examples/benchmarks/dial.py --seeds 0 1 --out dial.csv FOLDER`` adds lines to a file, cases that are in it are
passed over; ``--show dial.csv`` prints means, and standard errors of the mean difference from the defaults, and with
``--figure dial.png`` draws them. FOLDER holds tables, NAME.csv.gz with the target in the last column.
"""

import argparse
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from measured import measure_missing, run_or_show

from skmdiff import ManifoldDiffusionSampler
from skmdiff.metrics import c2st, privacy_report

TABLES = ("german_credit", "abalone", "vowel", "breast_cancer", "ecoli", "banknote")
MOST_ROWS, MOST_CLASSES = 1500, 20
SETTINGS = {
    "defaults": {},
    **{f"sigma_start={level}": {"sigma_start": level} for level in (0.2, 0.35, 0.5, 1.0, 2.0)},
    "numeric=standard": {"numeric": "standard"},
    "max_iter=0": {"max_iter": 0},
    "max_iter=0, standard": {"max_iter": 0, "numeric": "standard"},
    "max_iter=500": {"max_iter": 500},
    "manifold_weight=0": {"manifold_weight": 0.0},
    "n_neighbors=50": {"n_neighbors": 50},
}
CASE = ["seed", "setting", "table"]
MEASURES = ["c2st", "relative_distance", "density_ratio"]


def read_halves(path, seed):
    """Training rows and held-out rows; text and the classes of the target are categories."""
    frame = pd.read_csv(path)
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    target = frame.columns[-1]
    classes = [target] if frame[target].nunique() <= MOST_CLASSES else []
    frame = frame.astype(dict.fromkeys({*text, *classes}, "category"))
    frame = frame.sample(min(len(frame), MOST_ROWS), random_state=seed, ignore_index=True)
    half = len(frame) // 2
    return frame[:half], frame[half:].reset_index(drop=True)


def measure(folder, case):
    """A line: quality, leakage and CPU seconds of one fit."""
    seed, setting, table = case
    train, held_out = read_halves(Path(folder) / f"{table}.csv.gz", seed)
    began = time.process_time()
    sampler = ManifoldDiffusionSampler(**SETTINGS[setting], random_state=seed).fit(train)
    seconds = time.process_time() - began
    rows = sampler.sample(len(train), random_state=seed)
    report = privacy_report(train, rows, held_out, random_state=seed)
    return pd.DataFrame(
        {
            **dict(zip(CASE, [[one] for one in case], strict=True)),
            "c2st": c2st(held_out, rows, random_state=seed),
            "relative_distance": report["relative_distance_auc"].value,
            "density_ratio": report["density_ratio_auc"].value,
            "nearer": report["nearer_to_train"].value,
            "copies": report["copies"].value,
            "sigma_start": sampler.sigma_start_,
            "seconds": seconds,
        }
    )


def run(options):
    """Measure what the file lacks."""
    cases = [(seed, setting, table) for seed, setting, table in product(options.seeds, SETTINGS, TABLES)]
    measure_missing(options.out, CASE, cases, lambda case: measure(options.folder, case))


def means(path):
    """Means by setting, and standard errors of the mean difference from the defaults, over tables and seeds."""
    found = pd.read_csv(path)
    by_case = {name: part.set_index(["seed", "table"]) for name, part in found.groupby("setting")}
    lines = {}
    for name in filter(by_case.__contains__, SETTINGS):
        gained = (by_case[name][MEASURES] - by_case["defaults"][MEASURES]).dropna()
        errors = gained.std() / np.sqrt(len(gained))
        lines[name] = {**by_case[name].mean(numeric_only=True), **errors.add_suffix("_error")}
    return pd.DataFrame(lines).T


def draw(path, figure):
    """C2ST against the two attacks, a point a setting."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    table = means(path)
    fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for ax, name in zip(axes, MEASURES[1:], strict=True):
        ax.scatter(table[name], table["c2st"], s=30, color="0.2", zorder=2)
        ax.scatter(table[name]["defaults"], table["c2st"]["defaults"], s=90, color="k", marker="*", zorder=3)
        for k, (setting, line) in enumerate(table.iterrows()):
            offset = (5, 4) if k % 2 else (5, -9)
            ax.annotate(setting, (line[name], line["c2st"]), xytext=offset, textcoords="offset points", fontsize=7)
        ax.set_xlabel(f"membership, {name.replace('_', ' ')}: area under the curve")
        ax.locator_params(axis="x", nbins=5)
        ax.margins(x=0.3)
    axes[0].set_ylabel("C2ST against held-out rows")
    fig.savefig(figure, dpi=100)


def show(path, figure):
    """Print the means, and draw them."""
    print(means(path)[[*MEASURES, *(f"{name}_error" for name in MEASURES), "nearer", "seconds"]].round(3).to_string())
    if figure:
        draw(path, figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--figure", help="with --show: draw to this file")
    known = parser.parse_known_args()[0]
    run_or_show(parser, "dial.csv", run, lambda path: show(path, known.figure))
