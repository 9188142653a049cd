"""The words of the command line. Nothing heavy is imported here: ``skmdiff --help`` answers at once."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from .. import __version__
from .._manifold.words import PASSTHROUGH, WORDS

DESCRIPTION = "Generate rows of a table: a manifold learner and a small diffusion model."
DEFAULT = "default"
STDOUT = Path("-")
EXAMPLES = """examples:
  skmdiff fit people.csv -o people.model --types       how each column is read
  skmdiff fit people.csv -o people.model --id id       learn all rows
  skmdiff sample people.model -n 1000 -o new.csv --where "sex=F" --where "age=30..40"
  skmdiff impute people.model people.csv -o filled.csv
  skmdiff report people.csv new.csv --html report.html
"""
WHERE = (
    "what the rows have: a value, 'sex=F'; one of several, 'city=Paris|Rome'; a range, 'age=30..40', 'age>=30' or "
    "'age<=40'. Once a column"
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with the exit code 2."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def make_parser() -> Parser:
    """The parser of the command and all that follows it."""
    parser = Parser(
        prog="skmdiff",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skmdiff {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (text, add_options) in COMMANDS.items():
        add_options(commands.add_parser(name, help=text, description=text.capitalize() + "."))
    return parser


def add_fit(parser: argparse.ArgumentParser) -> None:
    """The options of ``skmdiff fit``."""
    parser.add_argument("table", type=Path, metavar="TABLE", help=TABLE)
    parser.add_argument("-o", "--output", type=Path, metavar="MODEL", help="file to write; it holds the table's rows")
    parser.add_argument("--without-rows", action="store_true", help="write a model that holds no row of the table")
    parser.add_argument("--types", action="store_true", help="show how each column is read, and stop")
    add_learning(parser)
    add_reading(parser)
    add_common(parser)


def add_sample(parser: argparse.ArgumentParser) -> None:
    """The options of ``skmdiff sample``."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="what skmdiff fit wrote")
    add("-n", "--n-samples", type=positive(int), default=1000, metavar="N", help="rows to draw; 1000 by default")
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="table to write: .csv, .tsv, .gz or .parquet; - is stdout",
    )
    add("--where", action="append", default=[], metavar="CONDITION", help=WHERE)
    add("--density", choices=["data", "balanced", "uniform"], default="data", help="where rows start on the manifold")
    add_seed(parser)
    add_common(parser)


def add_impute(parser: argparse.ArgumentParser) -> None:
    """The options of ``skmdiff impute``."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_OR_TABLE", help="what skmdiff fit wrote, or a table to learn from")
    add("table", type=Path, metavar="TABLE", help="table whose missing cells are filled")
    add("-o", "--output", type=Path, required=True, metavar="OUT", help="table to write, like TABLE; - is stdout")
    add_learning(parser)
    add_reading(parser)
    add_common(parser)


def add_report(parser: argparse.ArgumentParser) -> None:
    """The options of ``skmdiff report``."""
    add = parser.add_argument
    add("real", type=Path, metavar="REAL", help="table that was learnt")
    add("synthetic", type=Path, metavar="SYNTHETIC", help="rows that were drawn")
    add("--holdout", type=Path, metavar="TABLE", help="real rows that were not learnt; else a fifth of REAL")
    add("--html", type=Path, metavar="OUT", help="page to write")
    add("--model", type=Path, metavar="MODEL", help="what skmdiff fit wrote; the page says how it was fitted")
    add("--max-rows", type=positive(int), default=3000, metavar="N", help="rows of each to compare; 3000 by default")
    add_columns(parser)
    add_seed(parser)
    add_reading(parser)
    add_common(parser)


def add_demo(parser: argparse.ArgumentParser) -> None:
    """The options of ``skmdiff demo``."""
    add = parser.add_argument
    add("--csv", type=Path, metavar="PATH", help="your table, with a header line")
    add("--manifold", choices=MANIFOLDS, default=DEFAULT, help="the manifold learner")
    add_drop(parser)
    add("--n-samples", type=positive(int), metavar="N", help="rows to write; as many as fitted by default")
    add("--out-dir", type=Path, default=Path("."), metavar="DIR", help="where to write; here by default")
    add("--max-time", type=positive(float), metavar="SECONDS", help="seconds to train at most")
    add("--random-state", type=seed, default=0, metavar="SEED", help="seed of everything; 0 by default")
    add_reading(parser)
    add_messages(parser)


FORCE = (
    "replace also a file that is read, or one of another kind; what the command wrote there before is replaced without"
)
TABLE = "a table with a header line: .csv, .tsv, .txt, .gz or .parquet"
CATEGORICAL = "columns that are categories whatever they look like"
MANIFOLDS = [DEFAULT, PASSTHROUGH, *WORDS]
COMMANDS = {
    "fit": ("learn a table and write a model", add_fit),
    "sample": ("draw new rows by a model", add_sample),
    "impute": ("fill the missing cells of a table", add_impute),
    "report": ("measure synthetic rows against real ones", add_report),
    "demo": ("fit a table, draw new rows and show how good they are", add_demo),
}


def add_learning(parser: argparse.ArgumentParser) -> None:
    """What is learnt and how."""
    group = parser.add_argument_group("learning")
    add = group.add_argument
    add("--target", metavar="COL", help="column of classes or numbers that the others are to predict")
    add_columns(group)
    add("--id", nargs="+", action="extend", default=[], metavar="COL", help="columns that new rows get new values of")
    add("--manifold", choices=MANIFOLDS, default=DEFAULT, metavar="WORD", help=f"one of {', '.join(MANIFOLDS)}")
    add("--max-time", type=positive(float), metavar="S", help="seconds to train at most")
    # for tests
    add("--max-iter", type=int, help=argparse.SUPPRESS)
    add_seed(parser)


def add_columns(options: argparse._ActionsContainer) -> None:
    """Which columns are left out, and which are categories."""
    add = options.add_argument
    add("--categorical", nargs="+", action="extend", default=[], metavar="COL", help=CATEGORICAL)
    add_drop(options)


def add_drop(options: argparse._ActionsContainer) -> None:
    """Which columns are left out."""
    options.add_argument("--drop", nargs="+", action="extend", default=[], metavar="COL", help="columns to leave out")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """How text files are read where they leave a doubt."""
    add = parser.add_argument_group("reading").add_argument
    add("--na", nargs="+", action="extend", default=[], metavar="WORD", help="more words for missing cells")
    add("--decimal", choices=[".", ","], help="the decimal mark")
    add("--day-first", dest="day_first", action="store_const", const=True, help="3/4/2024 is in April")
    add("--month-first", dest="day_first", action="store_const", const=False, help="3/4/2024 is in March")


def add_seed(parser: argparse.ArgumentParser) -> None:
    """The seed."""
    parser.add_argument("--seed", type=seed, metavar="N", help="seed: the same one gives the same result")


def add_common(parser: argparse.ArgumentParser) -> None:
    """What all commands have."""
    add = parser.add_argument
    add("--force", action="store_true", help=FORCE)
    add("--json", action="store_true", help="a summary as JSON on stdout")
    add_messages(parser)


def add_messages(parser: argparse.ArgumentParser) -> None:
    """How much is said."""
    parser.add_argument("--quiet", action="store_true", help="no messages but errors")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")


def positive(kind: type) -> Callable[[str], int | float]:
    """The reader of a positive number."""

    def convert(text: str) -> int | float:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"must be positive and finite, got {text}")
        return value

    convert.__name__ = kind.__name__
    return convert


def seed(text: str) -> int:
    """The reader of a seed."""
    if not 0 <= int(text) < 2**32:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2**32 - 1, got {text}")
    return int(text)
