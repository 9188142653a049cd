"""Measures of a report by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str: ...


AnyMeasure = TypeVar("AnyMeasure", bound=Named)


def measure_named(name: str, measures: Sequence[AnyMeasure]) -> AnyMeasure:
    """The measure of a name; a KeyError lists the names that there are."""
    found = {measure.name: measure for measure in measures}
    if name not in found:
        raise KeyError(f"the report has no measure {name!r}; it has {', '.join(found)}")
    return found[name]
