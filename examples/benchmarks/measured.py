"""Files of what was measured: a line is kept once it is there, a run that was cut off goes on."""

import warnings
from pathlib import Path

import pandas as pd


def run_or_show(parser, out, run, show):
    """The command line of a benchmark of a folder of tables: run it, or show what a file of it holds."""
    parser.add_argument("folder", nargs="?", help="of the tables")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", default=out)
    parser.add_argument("--show", help="print the means of a file instead")
    options = parser.parse_args()
    if options.show:
        show(options.show)
    elif options.folder is None:
        parser.error("give the folder of the tables, or a file to --show")
    else:
        run(options)


def measure_missing(path, names, cases, measure):
    """Add the lines of the cases that a CSV file lacks.

    `cases` are tuples of what columns called `names` hold; ``measure(case)`` is a frame, or None to pass over.
    """
    path = Path(path)
    done = set(map(tuple, pd.read_csv(path)[names].to_numpy().tolist())) if path.exists() else set()
    for case in cases:
        if case in done:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # estimators that do not converge, classes of a few rows
            lines = measure(case)
        if lines is not None:
            lines.to_csv(path, mode="a", header=not path.exists(), index=False)
