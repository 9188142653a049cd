"""``skmdiff impute``: fill the missing cells of a table, by a model or by a table that is learnt first."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from .._applications.imputer import ManifoldDiffusionImputer
from .._sampler.estimator import ManifoldDiffusionSampler
from .console import Console, about, counted
from .dialect import LEARNT, TARGET, ColumnFormat, Dialect
from .learning import learn, read_options, read_to_learn
from .model_file import read_model
from .reading import SUFFIXES, TableFile, read_like
from .writing import check_table_target, write_table_file


def run(args: argparse.Namespace, console: Console) -> None:
    """Fill and write."""
    check_table_target(args.output, [args.model, args.table], args.force)
    sampler, known = model_or_table(args, console)
    table = read_like(args.table, known, replace(read_options(args), categorical=()))
    names = known.names(LEARNT)
    X = table.select(names)
    n_missing = int(X.isna().to_numpy().sum())
    console.say(f"{args.table}: filling {counted(n_missing, 'missing cell')} of {counted(len(X), 'row')}")
    sampler.set_params(verbose=console.verbose)
    with about(args.table), console.warnings():
        filled = fitted_imputer(sampler, args.seed).transform(without_empty(X, known))
    warn_of_target(table, known, console)
    frame = table.frame.assign(**{name: filled[name] for name in names if X[name].isna().any()})
    left = int(frame[names].isna().to_numpy().sum())
    write_table_file(frame, written_like(table.dialect, known), args.output)
    summary = {"output": str(args.output), "rows": len(frame), "filled": n_missing - left, "seconds": console.seconds}
    console.done(f"{args.output}: {counted(n_missing - left, 'cell')} filled in {console.seconds:.0f} s", summary)


def model_or_table(args: argparse.Namespace, console: Console) -> tuple[ManifoldDiffusionSampler, Dialect]:
    """What fills: a model that was written, or a table that is learnt now."""
    if args.model.suffix.lower() not in SUFFIXES:
        return read_model(args.model)
    table = read_to_learn(args.model, args)
    return learn(table, args, console), table.dialect


def fitted_imputer(sampler: ManifoldDiffusionSampler, seed: int | None) -> ManifoldDiffusionImputer:
    """The imputer of a sampler that is fitted already."""
    imputer = ManifoldDiffusionImputer(random_state=sampler.random_state if seed is None else seed)
    imputer.sampler_, imputer.n_features_in_ = sampler, sampler.n_features_in_
    imputer.feature_names_in_ = sampler.feature_names_in_
    return imputer


def without_empty(X: Any, known: Dialect) -> Any:
    """The table with missing cells of the kind of the column where all are missing."""
    names = [name for name in X if known[name].is_category and X[name].isna().all()]
    return X.assign(**{name: X[name].astype(object) for name in names})


def warn_of_target(table: TableFile, known: Dialect, console: Console) -> None:
    """Say that the target is not filled."""
    for name in known.names(TARGET):
        if name in table.frame and table.frame[name].isna().any():
            console.say(f"{table.path}: column {name!r} is the target of the model, its missing cells stay")


def written_like(dialect: Dialect, known: Dialect) -> Dialect:
    """The dialect of a table, that of the one learnt for columns that do not say how they are written."""

    def chosen(column: ColumnFormat) -> ColumnFormat:
        learnt = next((other for other in known.columns if other.name == column.name), column)
        return column if column.kind == learnt.kind else replace(learnt, missing=column.missing)

    return replace(dialect, columns=tuple(map(chosen, dialect.columns)))
