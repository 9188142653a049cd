"""From arguments to an exit code: 0 done, 1 failed, 2 asked for what cannot be, 130 interrupted, 143 terminated."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import traceback
from typing import Any

from .arguments import STDOUT, make_parser
from .console import Console

# errors that the user can mend; others are failures of the machine or the program
MENDABLE = (ValueError, TypeError, ImportError, FileNotFoundError, PermissionError, IsADirectoryError)
FAILED, REFUSED, INTERRUPTED, TERMINATED = 1, 2, 130, 143


def main(argv: list[str] | None = None) -> int:
    """Run the command; `argv` are its arguments without the program's name."""
    args = make_parser().parse_args(argv)
    has_table = getattr(args, "output", None) == STDOUT
    console = Console(f"skmdiff {args.command}", args.quiet, getattr(args, "json", False), has_table)
    try:
        if console.verbose:
            console.say("starting")  # the imports take seconds
        # each command is imported when it runs: help does not wait for it
        importlib.import_module(f".{args.command}", __package__).run(args, console)
    except KeyboardInterrupt:
        print(f"{console.name}: interrupted, nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read stdout has seen enough; Python would complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        return tell(error, args, console)
    return 0


def tell(error: Exception, args: argparse.Namespace, console: Console) -> int:
    """One line on stderr, and the exit code."""
    if args.debug:
        traceback.print_exception(error)
    is_mendable = isinstance(error, MENDABLE)
    message = " ".join(describe(error).split())
    hint = "" if is_mendable else f" ({type(error).__name__}; --debug shows where)"
    print(f"{console.name}: error: {message}{hint}", file=sys.stderr)
    return REFUSED if is_mendable else FAILED


def describe(error: Exception) -> str:
    """What an error says; of the system's the file and what it is."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error) or type(error).__name__


def run_as_program() -> int:
    """`main` for a process: terminated, it takes away what it has half written."""
    signal.signal(signal.SIGTERM, _leave)
    return main()


def _leave(*details: Any) -> None:
    raise SystemExit(TERMINATED)
