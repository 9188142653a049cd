"""``skmdiff report``: measure synthetic rows against real ones."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

import numpy as np

from .._numerics.whole_files import replacing
from ..metrics import MetricsReport, report
from .console import Console, about
from .identifiers import is_free_text, is_numbered_on
from .learning import read_options
from .model_file import read_model
from .reading import TableFile, read_like, read_table_file
from .writing import check_former, check_no_table_name, check_target

NO_HOLDOUT = (
    "No held-out rows were given: a fifth of the real rows stands for them. If the model has learnt these too, the "
    "measures of privacy say little."
)


def run(args: argparse.Namespace, console: Console) -> None:
    """Measure, print and write a page."""
    inputs = [args.real, args.synthetic, *([args.holdout] if args.holdout else [])]
    if args.html is not None:
        check_target(args.html, [*inputs, *([args.model] if args.model else [])], args.force)
        check_no_table_name(args.html, "page", ".html")
        check_former(args.html, "page", lambda path: path.read_bytes().lstrip().startswith(b"<"), args.force)
    options = read_options(args)
    real = read_table_file(args.real, options)
    real.check_names(args.drop, "--drop")
    others = [read_like(path, real.dialect, options) for path in inputs[1:]]
    names = shared_columns(real, others, args.drop, console)
    train, synthetic, *rest = (table.select(names) for table in (real, *others))
    train, holdout = (train, rest[0]) if rest else split(train, args.seed)
    console.say(f"measuring {len(synthetic)} rows of {len(names)} columns")
    with about(args.synthetic), console.warnings():
        found = report(train, synthetic, holdout, names=names_of(args), **options_of(args, console))
    found.notes.extend([] if rest else [NO_HOLDOUT])
    if args.html is not None:
        with replacing(args.html) as beside:
            found.to_html(beside)
    console.give(str(found), summary_of(found, args, console))


def names_of(args: argparse.Namespace) -> list[str]:
    """What the page calls the tables."""
    return [args.real.name, args.synthetic.name, args.holdout.name if args.holdout else f"a fifth of {args.real.name}"]


def options_of(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """How to measure: the seed, the model, a bar where somebody can see it."""
    sampler = read_model(args.model)[0] if args.model else None
    verbose = int(not console.quiet and sys.stderr.isatty())
    return {"max_rows": args.max_rows, "random_state": args.seed, "sampler": sampler, "verbose": verbose}


def shared_columns(real: TableFile, others: list[TableFile], dropped: list[str], console: Console) -> list[str]:
    """The columns to compare: those of all tables, without identifiers."""
    names = []
    for name in real.frame:
        cells = real.frame[name]
        if name in dropped or any(name not in other.frame for other in others):
            console.say(f"column {name!r} is left out")
        elif is_numbered_on(cells) or is_free_text(cells):
            console.say(f"column {name!r} is left out: an identifier or free text")
        else:
            names.append(name)
    if len(names) < 2:
        raise ValueError(f"{others[0].path}: must have two or more columns of {real.path}, got {names}")
    return names


def split(table: Any, seed: int | None) -> tuple[Any, Any]:
    """Four fifths of the rows, and one fifth, by chance."""
    order = np.random.default_rng(seed).permutation(len(table))
    held_out, rest = np.split(order, [len(table) // 5])
    return table.iloc[rest], table.iloc[held_out]


def summary_of(found: MetricsReport, args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """The measures for programs; what could not be measured is null."""

    def number(value: Any) -> Any:
        return None if isinstance(value, float) and math.isnan(value) else value

    measures = {
        m.name: {key: number(value) for key, value in m._asdict().items() if key != "name"} for m in found.measures
    }
    return {
        "html": None if args.html is None else str(args.html),
        "verdict": {v.subject: {"grade": v.grade, "text": v.text} for v in found.verdict},
        "measures": measures,
        "notes": found.notes,
        "seconds": console.seconds,
    }
