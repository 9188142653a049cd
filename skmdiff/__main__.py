"""The command ``skmdiff``, also ``python -m skmdiff``."""

from __future__ import annotations

import argparse
import math
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from . import __version__
from ._cli.demo import MANIFOLDS, check_extras, fit_demo, load_table, show_demo

DESCRIPTION = "Generate rows of a table: a manifold learner and a small diffusion model."


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command; `argv` are its arguments without the program's name."""
    parser = _Parser(prog="skmdiff", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"skmdiff {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="fit a table, draw new rows and show how good they are")
    _add_demo_options(demo)
    args = parser.parse_args(argv)
    try:
        check_extras()
        table = load_table(args.csv)
        args.out_dir.mkdir(parents=True, exist_ok=True)
        fitted = fit_demo(table, args.manifold, args.max_time, args.random_state)
    except (OSError, EOFError, ImportError, TypeError, ValueError, zlib.error) as error:
        demo.error(" ".join(str(error).split()))
    show_demo(fitted, n_samples=args.n_samples, out_dir=args.out_dir)
    return 0


def _add_demo_options(demo: argparse.ArgumentParser) -> None:
    add = demo.add_argument
    add("--csv", type=Path, metavar="PATH", help="your table, with a header line")
    add("--manifold", choices=list(MANIFOLDS), default="default", help="the manifold learner")
    add("--n-samples", type=_positive(int), metavar="N", help="rows to write; as many as fitted by default")
    add("--out-dir", type=Path, default=Path("."), metavar="DIR", help="where to write; here by default")
    add("--max-time", type=_positive(float), metavar="SECONDS", help="seconds to train at most")
    add("--random-state", type=_seed, default=0, metavar="SEED", help="seed of everything; 0 by default")


def _positive(kind: type) -> Callable[[str], int | float]:
    def convert(text: str) -> int | float:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"must be positive and finite, got {text}")
        return value

    convert.__name__ = kind.__name__
    return convert


def _seed(text: str) -> int:
    if not 0 <= int(text) < 2**32:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2**32 - 1, got {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
