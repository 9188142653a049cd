"""How each column of a table is read, for the eye and for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .console import counted
from .dialect import DROPPED, LEARNT, NEW, TARGET, ColumnFormat
from .reading import TableFile
from .writing import write_cells

SHOWN = 4  # categories
WIDEST = 40  # of a cell of the table of types
ROLES = {TARGET: "target", NEW: "made new", DROPPED: "left out"}
PLURALS = {"category": "categories", "empty": "empty"}


def describe_columns(table: TableFile) -> list[dict[str, Any]]:
    """For each column its name, kind, role, share of missing cells, values and an example."""
    return [describe_column(table.frame[column.name], column) for column in table.dialect.columns]


def describe_column(cells: Any, column: ColumnFormat) -> dict[str, Any]:
    """The same of one column."""
    seen = cells.dropna()
    return {
        "name": column.name,
        "kind": column.kind,
        "role": column.role,
        "missing": round(float(cells.isna().mean()), 4),
        "values": values_of(seen, column),
        "example": "" if seen.empty else write_cells(seen.iloc[:1], column)[0],
    }


def values_of(seen: Any, column: ColumnFormat) -> str:
    """The range of numbers and dates, the commonest categories of others."""
    if seen.empty:
        return ""
    if column.is_category:
        counts = seen.value_counts()
        names = ", ".join(map(str, counts.index[:SHOWN]))
        return f"{len(counts)}: {names}{', ...' if len(counts) > SHOWN else ''}"
    return " to ".join(write_cells(seen.sort_values().iloc[[0, -1]], column))


def types_table(columns: list[dict[str, Any]]) -> str:
    """The columns as aligned lines."""
    header = ("column", "kind", "missing", "values", "example")
    lines = [header, *(line_of(column) for column in columns)]
    widths = [min(WIDEST, max(len(line[k]) for line in lines)) for k in range(len(header))]
    padded = [[shortened(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def shortened(cell: str, width: int) -> str:
    """A cell on one line, with dots where it is cut."""
    return cell if len(cell) <= width else cell[: width - 3].rstrip(" ,.") + "..."


def on_one_line(text: str) -> str:
    """A text whose line breaks and the like are shown by their escapes."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def line_of(column: dict[str, Any]) -> tuple[str, ...]:
    """The cells of one line."""
    role = ROLES.get(column["role"])
    kind = f"{column['kind']}, {role}" if role else column["kind"]
    cells = column["name"], kind, f"{column['missing']:.1%}", column["values"], column["example"]
    return tuple(map(on_one_line, cells))


def in_short(table: TableFile) -> str:
    """One line: rows, kinds of columns, missing cells, and the marks of the file."""
    columns = table.dialect.columns
    kinds = Counter("category" if c.is_category else c.kind for c in columns if c.role in (LEARNT, TARGET))
    by_kind = ", ".join(f"{n} {kind if n == 1 else PLURALS.get(kind, kind + 's')}" for kind, n in kinds.items())
    missing = f"{table.frame.isna().to_numpy().mean():.1%} of the cells missing"
    marks = "" if table.path.suffix == ".parquet" else f"; separator {table.dialect.separator!r}"
    marks += "" if table.dialect.decimal in (None, ".") else f", decimal {table.dialect.decimal!r}"
    return f"{table.path}: {counted(len(table.frame), 'row')}; {by_kind}; {missing}{marks}"
