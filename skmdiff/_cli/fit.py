"""``skmdiff fit``: learn all rows of a table and write a model."""

from __future__ import annotations

import argparse
from typing import Any

from .console import Console, counted
from .identifiers import identifier_notes
from .learnable import refusals
from .learning import learn, read_to_learn
from .model_file import check_model_target, write_model
from .reading import TableFile
from .types import describe_columns, types_table


def run(args: argparse.Namespace, console: Console) -> None:
    """Fit, or show the types of the columns."""
    if args.output is None and not args.types:
        raise ValueError("the following arguments are required: -o/--output, or --types")
    if args.output is not None:
        check_model_target(args.output, [args.table], args.force)
    table = read_to_learn(args.table, args)
    columns = describe_columns(table)
    if args.types:
        notes = [*table.notes, *identifier_notes(table), *refusals(table)]
        summary = {**about_table(table), "columns": columns, "notes": notes}
        console.give("\n".join([types_table(columns), *notes]), summary)
        return
    sampler = learn(table, args, console)
    write_model(sampler, table.dialect, args.output, training_rows=not args.without_rows)
    summary = {
        **about_table(table),
        "model": str(args.output),
        "n_iter": sampler.n_iter_,
        "stop_reason": sampler.stop_reason_,
        "seconds": console.seconds,
        "columns": columns,
    }
    console.done(f"{args.output}: {counted(len(table.frame), 'row')} learnt in {console.seconds:.0f} s", summary)


def about_table(table: TableFile) -> dict[str, Any]:
    """What was read, for programs."""
    return {"table": str(table.path), "rows": len(table.frame), "separator": table.dialect.separator}
