"""Why a table cannot be learnt, said before it is tried."""

from __future__ import annotations

from .console import counted
from .dialect import LEARNT, TARGET
from .identifiers import free_text_notes
from .reading import TableFile


def refusals(table: TableFile, *, may_be_new: bool = True) -> list[str]:
    """A line on each reason why a table cannot be learnt; `may_be_new` says whether the command has --id."""
    if len(table.frame) < 2:
        return [f"a table needs 2 rows or more, got {len(table.frame)}"]
    if (table.frame[table.dialect.names(LEARNT, TARGET)].nunique(dropna=False) < 2).all():
        return ["each column to be learnt has one value only, and one of them must vary"]
    return [*target_notes(table), *free_text_notes(table, may_be_new=may_be_new)]


def target_notes(table: TableFile) -> list[str]:
    """A line on a target with missing cells."""
    missing = table.frame[table.dialect.names(TARGET)].isna().sum()
    return [
        f"column {name!r} has {counted(n, 'missing cell')}, which a target must not have. Leave these rows out, or "
        "learn the column without --target"
        for name, n in missing.items()
        if n
    ]


def check_learnable(table: TableFile, *, may_be_new: bool = True) -> None:
    """Raise for a table that cannot be learnt."""
    for line in refusals(table, may_be_new=may_be_new):
        raise ValueError(f"{table.path}: {line}")
