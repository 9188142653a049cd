"""How a table stands in its file: what is needed to write other rows in the same way.

Plain values only, so that a model file can hold it as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

LEARNT, TARGET, NEW, DROPPED = "learnt", "target", "new", "dropped"


@dataclass(frozen=True)
class ColumnFormat:
    """How the cells of one column are written.

    kind : "integer", "number", "date", "category", "boolean", which is a category of two, or "empty"
    role : "learnt", "target", "new" for an identifier that new rows get a new one of, or "dropped"
    missing : the word of a missing cell
    decimal, thousands : marks of numbers; decimals : digits after the mark if all cells have as many, else None
    exponent : "e" or "E" for numbers like 2.527e+01 with as many digits each
    bare_integers : whether some numbers are written without a mark
    prefix, suffix : what stands around each number, as "$" and "%"
    date_format : as of strftime; empty for a column that is not of text
    zone : what follows each date, as "Z"; digits : of a fraction of a second
    padded : whether days and months have two digits
    is_unnamed : whether the header has no name; `name` is made up then
    """

    name: str
    kind: str
    role: str = LEARNT
    missing: str = ""
    decimal: str = "."
    thousands: str = ""
    decimals: int | None = None
    bare_integers: bool = False
    prefix: str = ""
    suffix: str = ""
    date_format: str = ""
    zone: str = ""
    digits: int = 6
    padded: bool = True
    exponent: str = ""
    is_unnamed: bool = False

    @property
    def is_category(self) -> bool:
        """Whether the cells are categories."""
        return self.kind in ("category", "boolean")


@dataclass(frozen=True)
class Numbering:
    """How new identifiers are made: numbers after the last one between two texts, or random ones.

    kind : "number" or "uuid"; width : digits, with zeros in front
    """

    kind: str
    prefix: str = ""
    suffix: str = ""
    width: int = 0
    last: int = 0


@dataclass(frozen=True)
class Dialect:
    """How a table is written: its columns in order, the mark between cells, and how identifiers go on.

    has_mark : whether the file begins with a byte-order mark
    """

    columns: tuple[ColumnFormat, ...]
    separator: str = ","
    numberings: Mapping[str, Numbering] = field(default_factory=dict)
    has_mark: bool = False

    def __getitem__(self, name: str) -> ColumnFormat:
        """The format of a column by its name."""
        return next(column for column in self.columns if column.name == name)

    def names(self, *roles: str) -> list[str]:
        """The names of the columns of some roles, or of all."""
        return [column.name for column in self.columns if not roles or column.role in roles]

    def with_roles(self, role: str, names: Sequence[str]) -> Dialect:
        """The same with another role of some columns."""
        columns = tuple(replace(c, role=role) if c.name in names else c for c in self.columns)
        return replace(self, columns=columns)

    @property
    def decimal(self) -> str | None:
        """The decimal mark of the file; None without numbers that have one."""
        marks = {c.decimal for c in self.columns if c.kind == "number"}
        return marks.pop() if len(marks) == 1 else None

    @property
    def day_first(self) -> bool | None:
        """Whether days stand before months; None without dates that say it."""
        orders = {c.date_format.index("%d") < c.date_format.index("%m") for c in self.columns if is_doubtful(c)}
        return orders.pop() if len(orders) == 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dicts."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Dialect:
        """The dialect that `to_dict` was called on."""
        columns = tuple(ColumnFormat(**column) for column in values["columns"])
        numberings = {name: Numbering(**numbering) for name, numbering in values["numberings"].items()}
        return cls(columns, values["separator"], numberings, values.get("has_mark", False))


def is_doubtful(column: ColumnFormat) -> bool:
    """Whether the dates of a column have days and months that can be taken for each other."""
    return column.date_format.startswith(("%d/%m/", "%m/%d/", "%d-%m-", "%m-%d-"))
