"""``skmdiff sample``: draw new rows by a model."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .console import Console, about, counted
from .dialect import LEARNT, NEW, TARGET, Dialect
from .identifiers import new_identifiers
from .model_file import read_model
from .where import read_where
from .writing import check_table_target, write_table_file


def run(args: argparse.Namespace, console: Console) -> None:
    """Draw and write."""
    check_table_target(args.output, [args.model], args.force)
    sampler, dialect = read_model(args.model)
    with about(args.model), console.warnings():
        where = read_where(args.where, sampler, dialect)
        if args.where and args.density != "data":
            raise ValueError(f"--where needs --density data, got {args.density}. Leave one of the two out")
    with about(args.model), console.warnings(), where.in_words():
        drawn = sampler.set_params(verbose=console.verbose).sample(
            args.n_samples,
            y=where.target,
            conditions=where.conditions or None,
            density=args.density,
            return_y=bool(dialect.names(TARGET)),
            random_state=args.seed,
        )
    frame = whole_rows(drawn, dialect, args.seed)
    write_table_file(frame, dialect, args.output)
    summary = {
        "output": str(args.output),
        "rows": len(frame),
        "columns": list(frame.columns),
        "missing": round(float(frame.isna().to_numpy().mean()), 4),
        "seconds": console.seconds,
    }
    console.done(f"{args.output}: {counted(len(frame), 'row')} drawn in {console.seconds:.0f} s", summary)


def whole_rows(drawn: Any, dialect: Dialect, seed: int | None) -> Any:
    """The rows with their target and new identifiers, in the order of the table."""
    import pandas as pd

    targets = dialect.names(TARGET)
    X, y = drawn if targets else (drawn, None)
    rng = np.random.default_rng(seed)
    columns = {}
    for column in dialect.columns:
        if column.role == LEARNT:
            columns[column.name] = X[column.name]
        elif column.role == TARGET:
            columns[column.name] = pd.Series(y)
        elif column.role == NEW:
            columns[column.name] = new_identifiers(dialect.numberings[column.name], column.kind, len(X), rng)
    return pd.DataFrame(columns)
