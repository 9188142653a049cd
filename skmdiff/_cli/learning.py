"""A table of a file -> a fitted sampler: what `fit` and `impute` share."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from .._sampler.estimator import ManifoldDiffusionSampler
from .arguments import DEFAULT
from .console import Console, about
from .dialect import DROPPED, LEARNT, NEW, TARGET
from .identifiers import identifier_notes, numbering_of
from .learnable import check_learnable
from .reading import TableFile, read_table_file
from .recognise import ReadOptions
from .types import in_short


def read_options(args: argparse.Namespace) -> ReadOptions:
    """How files are read, by the arguments."""
    return ReadOptions(getattr(args, "categorical", ()), args.na, args.decimal, args.day_first)


def read_to_learn(path: Any, args: argparse.Namespace) -> TableFile:
    """A table with the roles of its columns."""
    table = read_table_file(path, read_options(args))
    roles = {"--target": [args.target] if args.target else [], "--id": args.id, "--drop": args.drop}
    for option, names in roles.items():
        table.check_names(names, option)
    check_disjoint(roles)
    dialect = table.dialect
    for role, option in ((TARGET, "--target"), (NEW, "--id"), (DROPPED, "--drop")):
        dialect = dialect.with_roles(role, roles[option])
    dialect = replace(dialect, numberings={name: numbering_of(table, name) for name in args.id})
    if not dialect.names(LEARNT):
        raise ValueError(f"{path}: no column is left to learn")
    return replace(table, dialect=dialect)


def check_disjoint(roles: dict[str, list[str]]) -> None:
    """Raise for a column that is asked for in two ways."""
    seen: dict[str, str] = {}
    for option, names in roles.items():
        for name in names:
            if seen.setdefault(name, option) != option:
                raise ValueError(f"column {name!r} is given to both {seen[name]} and {option}")


def learn(table: TableFile, args: argparse.Namespace, console: Console) -> ManifoldDiffusionSampler:
    """Fit a sampler to all rows of a table."""
    check_learnable(table)
    console.say(in_short(table))
    for note in (*table.notes, *identifier_notes(table)):
        console.say(note)
    X, y = table.frame[table.dialect.names(LEARNT)], target_of(table)
    sampler = ManifoldDiffusionSampler(
        None if args.manifold == DEFAULT else args.manifold,
        categorical_features=[name for name in args.categorical if name in X and X[name].dtype.kind in "iufM"],
        max_iter="auto" if args.max_iter is None else args.max_iter,
        max_time=args.max_time,
        random_state=args.seed,
        verbose=console.verbose,
    )
    with about(table.path), console.warnings():
        sampler.fit(X, y)
    return sampler.set_params(verbose=0)


def target_of(table: TableFile) -> Any:
    """The target as an array; None without one."""
    names = table.dialect.names(TARGET)
    return table.frame[names[0]].to_numpy() if names else None
