"""Measures of a report by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str: ...


AnyMeasure = TypeVar("AnyMeasure", bound=Named)


class NamedMeasures(Mapping[str, AnyMeasure]):
    """A mapping from names to measures."""

    measures: list[AnyMeasure]

    def __getitem__(self, name: str) -> AnyMeasure:
        """The measure of a name; a KeyError lists the names that there are."""
        found = {measure.name: measure for measure in self.measures}
        if name not in found:
            raise KeyError(f"the report has no measure {name!r}; it has {', '.join(found)}")
        return found[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in their order."""
        return iter([measure.name for measure in self.measures])

    def __len__(self) -> int:
        """How many measures there are."""
        return len(self.measures)
