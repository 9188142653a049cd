"""What the manifold is worth: one table a promise, against plain diffusion and against controls.

``python examples/benchmarks/promises.py`` prints the tables of a quick run; ``--seeds 5 --full --data FOLDER --out
FILE`` those that docs/benchmarks/promises.md comments on. FOLDER holds further tables, NAME.csv.gz with the class in
the last column; those in TABLES that are there take part.

The controls start from the same rows with neighbours that are wrong (permuted, random projection), none (rows), those
of the table itself, or those of the true coordinates where they are known. All train for the same number of steps, 600
or, by ``--steps auto``, as many as by default.
Measures are means over seeds with standard errors in brackets. "nearer to train" is the fraction of samples nearer to a
training row than to any of as many held-out ones, 0.5 for fresh rows.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import promise_tasks as tasks
from joblib import Parallel, delayed
from sklearn.datasets import load_digits

from skmdiff.datasets import make_gaussian_grid

TABLES = {"vowel": 990, "pendigits": 2000, "libras": 360}  # rows used at most
MIXED = {"adult": 4000}
SURFACES = (
    ("roll, 10 columns", "torus, 10 columns", "linked circles, 10 columns"),  # clean
    ("roll, 10 columns", "roll, 20 columns", "torus, 10 columns", "torus, 20 columns"),
)  # noisy


def grid_parts(seed):
    """Turned grid of 25 clusters with geometric weights in 10 columns: rows and labels of three parts, true plane."""
    grid = make_gaussian_grid(3000, 10, ratio=0.85, noise=0.05, random_state=seed)
    return (np.split(grid.data, 3), np.split(grid.t, 3)), (grid.data @ grid.frame.T)[:1000]


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


def mixed(folder):
    """Tables with categories of a folder, {name: frame}."""
    out = {}
    for name, most in MIXED.items() if folder else ():
        path = Path(folder) / f"{name}.csv.gz"
        if path.exists():
            frame = pd.read_csv(path).dropna().iloc[:most]
            text = frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]
            out[name] = frame.astype(dict.fromkeys(text, "category"))
    return out


def jobs(full, folder):
    """{title: function(steps, seed)} of everything to measure."""
    quick = not full

    def grid(steps, seed):
        parts, truth = grid_parts(seed)
        return tasks.mode_coverage(parts, steps, seed, quick, truth=truth)

    out = {"Mode coverage: turned grid of 25 normal clusters, 10 columns, 1000 rows": grid}
    tables = labelled(folder) if full else {}
    for name, (X, y, most) in tables.items():
        out[f"Mode coverage: {name}, {min(len(X), most) // 3} rows"] = lambda steps, seed, X=X, y=y, most=most: (
            tasks.mode_coverage(three_parts(X, y, seed, most), steps, seed, quick)
        )
    for name, frame in mixed(folder).items() if full else ():
        out[f"Mode coverage: rare categories of {name}, {len(frame) // 2} rows"] = lambda steps, seed, frame=frame: (
            tasks.rare_categories(frame, steps, seed)
        )
    out["Diversity: ten equal modes"] = tasks.diversity
    for noisy, promise in ((False, "Local geometry: clean"), (True, "Robustness: noisy")):
        for name in SURFACES[noisy] if full else SURFACES[noisy][:1]:
            out[f"{promise} {name}, 1000 rows"] = lambda steps, seed, name=name, noisy=noisy: tasks.surface(
                name, noisy, steps, seed, quick
            )
    out["Robustness: torus with 5 % of outliers"] = tasks.outliers
    out["Exploration: circle with von Mises density"] = lambda steps, seed: tasks.circle(steps, seed, quick)
    if full:
        out["Exploration: uneven swiss roll"] = lambda steps, seed: tasks.roll(steps, seed, quick)
    return out


def one_seed(steps, seed, full, folder):
    """All tables of one seed: {title: {row: {measure: value}}}."""
    return {title: job(steps, seed) for title, job in jobs(full, folder).items()}


def format_tables(runs):
    """Markdown of means over runs with standard errors."""
    lines = []
    for title, rows in runs[0].items():
        names = list(next(iter(rows.values())))
        lines += [f"### {title}", "", f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        for row in rows:
            cells = [cell(np.array([run[title][row][name] for run in runs])) for name in names]
            lines.append(f"| {row} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def cell(values):
    """Mean of a measure over runs, its standard error behind it."""
    digits = 4 if np.nanmean(np.abs(values)) < 0.02 else 3
    error = f" ({np.nanstd(values, ddof=1) / np.sqrt(len(values)):.{digits}f})" if len(values) > 1 else ""
    return f"{np.nanmean(values):.{digits}f}{error}"


def steps_of(text):
    """Steps as an argument gives them."""
    return text if text == "auto" else int(text)


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What the manifold is worth, one table a promise.")
    parser.add_argument("--seeds", type=int, default=1, help="runs; five or more for a verdict")
    parser.add_argument("--steps", type=steps_of, default=600, help="training steps of a sampler, or auto")
    parser.add_argument("--full", action="store_true", help="every table and every control")
    parser.add_argument("--data", help="folder of further tables")
    parser.add_argument("--n-jobs", type=int, default=1, help="seeds run side by side")
    parser.add_argument("--out", help="file that the tables are written to")
    options = parser.parse_args()
    begin = time.perf_counter()
    runs = Parallel(n_jobs=options.n_jobs)(
        delayed(one_seed)(options.steps, seed, options.full, options.data) for seed in range(options.seeds)
    )
    text = format_tables(runs)
    print(text)
    print(f"{time.perf_counter() - begin:.0f} s")
    if options.out:
        Path(options.out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
