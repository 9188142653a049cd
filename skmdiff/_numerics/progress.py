"""How far a call is: stages one after the other, some of a known number of steps, shown as a bar or as lines.

Whoever works tells a `Progress` of it and never asks who listens. Nothing that is told changes a result, except that
`report` may answer that the work is to stop.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Progress(Protocol):
    """Who is told of the work.

    stage : the next stage begins, of so many steps or, with None, of an unknown number, and at most so many reports
    advance : so many steps of the stage are done; also called by several threads
    report : what there is to say of the stage, and a function that makes what has been learnt so far, if there is any;
        returns whether the work is to stop
    close : no more is told
    """

    def stage(self, name: str, n_steps: int | None = None, n_reports: int = 0, unit: str = "step") -> None: ...
    def advance(self, n_steps: int) -> None: ...
    def report(self, text: str, learnt: Callable[[], Any] | None = None) -> bool: ...
    def close(self) -> None: ...


class Silent:
    """Nobody listens."""

    def stage(self, name: str, n_steps: int | None = None, n_reports: int = 0, unit: str = "step") -> None:
        pass

    def advance(self, n_steps: int) -> None:
        pass

    def report(self, text: str, learnt: Callable[[], Any] | None = None) -> bool:
        return False

    def close(self) -> None:
        pass


SILENT = Silent()


class Bar:
    """A bar of tqdm on stderr for each stage; those of a known number of steps stay when they are done."""

    def __init__(self) -> None:
        self.name, self.bar, self.lock = "", None, threading.Lock()

    def __reduce__(self) -> tuple:
        return Silent, ()  # another process has no part in the bar

    def stage(self, name: str, n_steps: int | None = None, n_reports: int = 0, unit: str = "step") -> None:
        self.close()
        self.name, self.bar = name, make_bar(name, n_steps, unit)

    def advance(self, n_steps: int) -> None:
        with self.lock:
            if self.bar is not None:
                self.bar.update(n_steps)

    def report(self, text: str, learnt: Callable[[], Any] | None = None) -> bool:
        if self.bar is not None and self.bar.total is None:
            self.bar.write(f"{self.name}: {text}", file=sys.stderr)
        elif self.bar is not None:
            self.bar.set_postfix_str(text)
        return False

    def close(self) -> None:
        with self.lock:
            if self.bar is not None:
                self.bar.close()
            self.bar = None


def make_bar(name: str, n_steps: int | None, unit: str) -> Any:
    """A bar of tqdm, without the thread by which tqdm watches over its bars."""
    from tqdm import tqdm

    class Quiet(tqdm):
        monitor_interval = 0

    is_known = n_steps is not None
    shape = None if is_known else "{desc} ..."
    more = {"unit": f" {unit}s", "leave": is_known, "bar_format": shape, "file": sys.stderr, **size_unless_known()}
    return Quiet(total=n_steps, desc=name, **more)


def size_unless_known() -> dict[str, int]:
    """A size for terminals that do not know theirs, on which tqdm shows nothing."""
    try:
        is_known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError, AttributeError):
        is_known = True  # no terminal, which tqdm deals with
    return {} if is_known else {"ncols": 80, "nrows": 24}


class Lines:
    """A line on stdout for each report, and one with the seconds of each stage when it is done."""

    def __init__(self) -> None:
        self.name, self.n_done, self.started = "", 0, 0.0

    def stage(self, name: str, n_steps: int | None = None, n_reports: int = 0, unit: str = "step") -> None:
        self.close()
        self.name, self.n_done, self.started = name, 0, time.perf_counter()

    def advance(self, n_steps: int) -> None:
        self.n_done += n_steps

    def report(self, text: str, learnt: Callable[[], Any] | None = None) -> bool:
        where = f"step {self.n_done}," if self.n_done else f"{self.name}:"
        print(f"{where} {text}, {self._seconds()}", flush=True)
        return False

    def close(self) -> None:
        if self.name:
            print(f"{self.name}: {self._seconds()}", flush=True)
        self.name = ""

    def _seconds(self) -> str:
        return f"{time.perf_counter() - self.started:.0f} s"


class Several:
    """Several listeners; the work is to stop if one says so."""

    def __init__(self, parts: Sequence[Progress]) -> None:
        self.parts = parts

    def __reduce__(self) -> tuple:
        return Silent, ()

    def stage(self, name: str, n_steps: int | None = None, n_reports: int = 0, unit: str = "step") -> None:
        for part in self.parts:
            part.stage(name, n_steps, n_reports, unit)

    def advance(self, n_steps: int) -> None:
        for part in self.parts:
            part.advance(n_steps)

    def report(self, text: str, learnt: Callable[[], Any] | None = None) -> bool:
        answers = [part.report(text, learnt) for part in self.parts]  # all are told
        return any(answers)

    def close(self) -> None:
        for part in self.parts:
            part.close()


@contextmanager
def shown(verbose: int) -> Iterator[Progress]:
    """What a call with such a `verbose` is told to: nobody at 0, a bar at 1, lines above; closed at the end."""
    progress: Progress = SILENT if not verbose else Bar() if verbose == 1 else Lines()
    try:
        yield progress
    finally:
        progress.close()
