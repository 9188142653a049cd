"""Work that Ctrl-C must not cut in half.

Python runs the handler of Ctrl-C, which raises KeyboardInterrupt, in the main thread only (Python documentation,
module `signal`, "Signals and threads"). Work done in another thread is never cut in half, while the main thread
that waits for it is released at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from threading import Lock, Thread
from typing import TypeVar

Result = TypeVar("Result")


def once_to_its_end(function: Callable[[], Result]) -> Callable[[], Result]:
    """A function without arguments that runs once, in a thread, and to its end even if the caller is interrupted.

    Later calls return the same result; a call after an interrupt waits for the run that is under way. An error is
    raised in the caller, and the next call runs the function again.
    """
    lock = Lock()
    results: list[Result] = []

    def run(outcome: Future) -> None:
        with lock:
            try:
                if not results:
                    results.append(function())
                outcome.set_result(results[0])
            except BaseException as error:
                outcome.set_exception(error)

    @wraps(function)
    def call() -> Result:
        if results:
            return results[0]
        outcome: Future = Future()
        Thread(target=run, args=(outcome,)).start()
        return outcome.result()

    return call
