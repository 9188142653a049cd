"""What the manifold is worth: one table a promise, against plain diffusion and against controls.

``python examples/benchmarks/promises.py --data FOLDER --seeds 0 1 2 --out FILE`` measures what FILE, a CSV, lacks, and
prints the tables that docs/benchmarks/promises.md comments on. ``--only TEXT`` measures those whose title has the text,
``--show`` none. FOLDER holds further tables, NAME.csv.gz with the class in the last column; those in TABLES that are
there take part. ``--quick`` is a short run of a table a promise.

All samplers train as by default, or for ``--steps``. Each is a fit of its own, with the mixture of its own embedding.
Measures are means over seeds with standard errors in brackets. "nearer to train" is the fraction of samples nearer to a
training row than to any of as many held-out ones, 0.5 for fresh rows.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import promise_tasks as tasks
from measured import measure_missing
from sklearn.datasets import load_digits

from skmdiff.datasets import make_gaussian_grid

TABLES = {"vowel": 990, "pendigits": 2000, "libras": 360}  # rows used at most
CLEAN = ("roll, 10 columns", "torus, 10 columns", "linked circles, 10 columns")
NOISY = ("roll, 10 columns", "torus, 10 columns")


def grid_parts(seed):
    """Turned grid of 25 clusters with geometric weights in 10 columns: rows and labels of three parts."""
    grid = make_gaussian_grid(3000, 10, ratio=0.85, noise=0.05, random_state=seed)
    return np.split(grid.data, 3), np.split(grid.t, 3)


def three_parts(X, y, seed, most=10**9):
    """Rows and labels of three random parts of a table: to train on, fresh, held out."""
    order = np.random.default_rng(seed).permutation(len(X))[:most]
    parts = [order[k::3] for k in range(3)]
    return [X[part] for part in parts], [y[part] for part in parts]


def labelled(folder):
    """Tables with classes: digits, and those of a folder; {name: (X, y, rows at most)}."""
    digits = load_digits()
    out = {"digits": (digits.data.astype(int), digits.target, 10**9)}
    for name, most in TABLES.items() if folder else ():
        path = Path(folder) / f"{name}.csv.gz"
        if path.exists():
            frame = pd.read_csv(path)
            y = np.unique(frame.iloc[:, -1], return_inverse=True)[1]
            out[name] = frame.iloc[:, :-1].to_numpy(dtype=float), y, most
    return out


def jobs(quick, folder):
    """{title: function(steps, seed)} of everything to measure."""
    out = {
        "Mode coverage: turned grid of 25 normal clusters, 10 columns, 1000 rows": lambda steps, seed: (
            tasks.mode_coverage(grid_parts(seed), steps, seed, quick)
        ),
        "Diversity: twelve equal modes": lambda steps, seed: tasks.diversity(steps, seed, quick),
        "Exploration: circle with von Mises density": tasks.circle,
    }
    for noisy, names, promise in ((False, CLEAN, "Local geometry: clean"), (True, NOISY, "Robustness: noisy")):
        for name in names[:1] if quick else names:
            out[f"{promise} {name}, 1000 rows"] = lambda steps, seed, name=name, noisy=noisy: tasks.surface(
                name, noisy, steps, seed, quick
            )
    return out if quick else {**out, "Exploration: uneven swiss roll": tasks.roll, **of_tables(folder)}


def of_tables(folder):
    """The same of the tables with classes, and two in which an embedding knows more than the table."""
    tables = labelled(folder)
    out = {
        f"Mode coverage: {name}, {min(len(X), most) // 3} rows": lambda steps, seed, X=X, y=y, most=most: (
            tasks.mode_coverage(three_parts(X, y, seed, most), steps, seed, quick=False)
        )
        for name, (X, y, most) in tables.items()
    }
    if "pendigits" in tables:
        X, y, _ = tables["pendigits"]
        out["Robustness: pendigits with noise, 500 rows"] = lambda steps, seed: tasks.noisy_table(X, 15.0, steps, seed)
        out["Mode coverage: pendigits with its classes, 500 rows"] = lambda steps, seed: tasks.with_classes(
            X, y, steps, seed
        )
    return out


def as_lines(title, seed, rows):
    """What was measured, {row: {measure: value}}, a value a line."""
    lines = [(title, seed, row, name, value) for row, cells in rows.items() for name, value in cells.items()]
    return pd.DataFrame(lines, columns=["title", "seed", "row", "measure", "value"])


def format_tables(lines):
    """Markdown of means over seeds with standard errors."""
    out = []
    for title, of_title in lines.groupby("title", sort=False):
        names = of_title["measure"].unique()
        out += [f"### {title}", "", f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        for row, of_row in of_title.groupby("row", sort=False):
            values = of_row.groupby("measure")["value"]
            out.append(f"| {row} | {' | '.join(cell(values.get_group(name).to_numpy()) for name in names)} |")
        out.append("")
    return "\n".join(out)


def cell(values):
    """Mean of a measure over seeds, its standard error behind it."""
    digits = 4 if np.nanmean(np.abs(values)) < 0.02 else 3
    error = f" ({np.nanstd(values, ddof=1) / np.sqrt(len(values)):.{digits}f})" if len(values) > 1 else ""
    return f"{np.nanmean(values):.{digits}f}{error}"


def run(options):
    """Measure what the file lacks, title by title."""
    todo = {title: job for title, job in jobs(options.quick, options.data).items() if options.only in title}

    def measure(case):
        title, seed = case
        return as_lines(title, seed, todo[title](options.steps, seed))

    cases = [(title, seed) for title in todo for seed in options.seeds]
    measure_missing(options.out, ["title", "seed"], cases, measure)


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What the manifold is worth, one table a promise.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="five or more for a verdict")
    parser.add_argument("--steps", type=lambda text: text if text == "auto" else int(text), default="auto")
    parser.add_argument("--quick", action="store_true", help="a table a promise, few controls")
    parser.add_argument("--only", default="", help="text that a title has")
    parser.add_argument("--data", help="folder of further tables")
    parser.add_argument("--out", default="promises.csv", help="file of what was measured")
    parser.add_argument("--show", action="store_true", help="print the file as it is")
    options = parser.parse_args()
    if not options.show:
        run(options)
    print(format_tables(pd.read_csv(options.out)))


if __name__ == "__main__":
    main()
