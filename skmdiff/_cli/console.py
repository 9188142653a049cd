"""What the command says: messages and a bar on stderr, results on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO


@dataclass
class Console:
    """The two streams of one command.

    name : of the command; quiet : no messages; as_json : results as JSON
    stdout_is_table : whether a table is written to stdout; results are on stderr then
    started : when the command began
    """

    name: str
    quiet: bool = False
    as_json: bool = False
    stdout_is_table: bool = False
    started: float = field(default_factory=time.perf_counter)

    def say(self, message: str) -> None:
        """A line on stderr."""
        if not self.quiet:
            print(f"{self.name}: {message}", file=sys.stderr, flush=True)

    def give(self, text: str, summary: dict[str, Any]) -> None:
        """The result on stdout: a text, or what a program reads."""
        stream = sys.stderr if self.stdout_is_table else sys.stdout
        print(json.dumps(summary, indent=2, default=str) if self.as_json else text, file=stream)

    def done(self, text: str, summary: dict[str, Any]) -> None:
        """That a file is written: for programs, or a message."""
        if self.as_json or not self.quiet:
            self.give(text, summary)

    @property
    def verbose(self) -> int:
        """The `verbose` of samplers: bars where there is a terminal to show them on."""
        return int(not self.quiet and sys.stderr.isatty())

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return round(time.perf_counter() - self.started, 2)

    @contextlib.contextmanager
    def warnings(self) -> Iterator[None]:
        """Warnings to the user as lines on stderr; those of other libraries to programmers are left out."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            # said by the command, with its own options
            warnings.filterwarnings("ignore", ".*looks like an identifier", UserWarning)
            warnings.showwarning = self._show_warning
            yield

    def _show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        self.say(f"warning: {' '.join(str(message).split())}")


def counted(n: int, what: str) -> str:
    """So many of something, in words."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


@contextlib.contextmanager
def about(path: Path) -> Iterator[None]:
    """Errors of the library name the file that they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from error
