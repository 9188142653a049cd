"""A bar of the stages of a report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def stages(names: Sequence[str], verbose: int) -> Iterator[Callable[[str], None]]:
    """A function that says which stage begins, on a bar on stderr where `verbose` is not 0."""
    if not verbose:
        yield lambda name: None
        return
    from tqdm import tqdm

    with tqdm(total=len(names), unit="stage", file=sys.stderr) as bar:

        def begin(name: str) -> None:
            bar.set_description(f"measuring {name}")
            bar.update(names.index(name) - bar.n)

        yield begin
        bar.update(bar.total - bar.n)
