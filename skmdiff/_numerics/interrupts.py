"""Work that a signal must not cut in half.

Python runs the handler of Ctrl-C, which raises KeyboardInterrupt, in the main thread only (Python documentation,
module `signal`, "Signals and threads"). Work done in another thread is never cut in half, while the main thread
that waits for it is released at once. A SIGTERM, which by default ends a process on the spot, is noted by a handler and
passed on when the work has reached a point where nothing is lost.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


def once_to_its_end(function: Callable[[], Result]) -> Callable[[], Result]:
    """A function without arguments that runs once, in a thread, and to its end even if the caller is interrupted.

    Later calls return the same result; a call after an interrupt waits for the run that is under way. An error is
    raised in the caller, and the next call runs the function again.
    """
    lock = threading.Lock()
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
        threading.Thread(target=run, args=(outcome,)).start()
        return outcome.result()

    return call


class Termination:
    """A SIGTERM that waits until the work is where it can end.

    asked : whether there was one
    """

    def __init__(self) -> None:
        self.asked = False
        self._former: Any = None
        self._frame: FrameType | None = None

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Inside, a SIGTERM is noted; afterwards the former handler is there again.

        Only in the main thread, which alone may have handlers, and not where the signal is ignored.
        """
        former = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or former in (None, signal.SIG_IGN):
            yield
            return
        self._former = former
        signal.signal(signal.SIGTERM, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, former)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked, self._frame = True, frame

    def pass_on(self) -> None:
        """Do what the signal would have done without this: end the process, or call the handler of the caller.

        A handler that returns means that the work goes on.
        """
        self.asked = False
        if callable(self._former):
            self._former(signal.SIGTERM, self._frame)
        else:
            signal.signal(signal.SIGTERM, self._former)
            signal.raise_signal(signal.SIGTERM)
