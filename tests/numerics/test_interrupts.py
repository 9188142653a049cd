"""Ctrl-C: it reaches the caller at once, and what must not be cut in half is not."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from skmdiff._numerics.interrupts import Termination, once_to_its_end

ROOT = Path(__file__).parent.parent.parent
INTERRUPTED_FIT = """
import hashlib, signal, sys
import numpy as np
from skmdiff import ManifoldDiffusionSampler

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
X = np.random.RandomState(0).normal(size=(60, 2))
print("ready", flush=True)
try:
    ManifoldDiffusionSampler(max_iter=int(sys.argv[1])).fit(X)
except KeyboardInterrupt:
    pass
again = ManifoldDiffusionSampler(max_iter=20, random_state=0).fit(X)
print(hashlib.sha256(again.sample(50).tobytes()).hexdigest())
"""
FIT_AFTER_THE_IMPORTS = """
import sys
import numpy as np
from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import load_backend

load_backend()._import_for_training()
before = set(sys.modules)
ManifoldDiffusionSampler(max_iter=20).fit(np.random.RandomState(0).normal(size=(60, 2)))
print([name for name in set(sys.modules) - before if name.split(".")[0] in ("torch", "sympy", "mpmath")])
"""


def interrupt_once(begun):
    """Send the main thread a Ctrl-C when it waits for work that has begun."""

    def send():
        begun.wait()
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=send).start()


@pytest.fixture
def heeded():
    """Ctrl-C raises KeyboardInterrupt: a shell has it ignored in what it runs in the background."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_the_caller_is_interrupted_and_the_work_is_not(heeded):
    begun, go_on, runs = threading.Event(), threading.Event(), []

    @once_to_its_end
    def work():
        runs.append("begun")
        begun.set()
        go_on.wait(timeout=60)
        runs.append("ended")
        return 7

    interrupt_once(begun)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert runs == ["begun"]
    go_on.set()
    assert work() == work() == 7
    assert runs == ["begun", "ended"]


def test_an_error_is_raised_in_the_caller_and_the_work_tried_again():
    errors = [OSError("first"), OSError("second")]

    @once_to_its_end
    def work():
        if errors:
            raise errors.pop(0)
        return "done"

    for message in ("first", "second"):
        with pytest.raises(OSError, match=message):
            work()
    assert work() == "done"


def start(*arguments):
    return subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def rows_of_a_new_process():
    return start(INTERRUPTED_FIT, "1").communicate()[0]


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.3, 1, 2, 3, 4.5, 6])
def test_a_first_fit_that_is_interrupted_does_no_harm_to_the_next(seconds, rows_of_a_new_process):
    process = start(INTERRUPTED_FIT, "1000000")
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    assert "ready\n" + process.communicate()[0] == rows_of_a_new_process
    assert process.returncode == 0


@pytest.mark.slow
def test_training_imports_nothing_more_of_torch():
    assert start(FIT_AFTER_THE_IMPORTS).communicate()[0] == "[]\n"


def test_a_sigterm_is_noted_and_passed_on():
    seen, termination = [], Termination()
    former = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with termination.awaited():
            signal.raise_signal(signal.SIGTERM)
            assert termination.asked and not seen
            termination.pass_on()
            assert seen == [signal.SIGTERM] and not termination.asked
        signal.raise_signal(signal.SIGTERM)
        assert len(seen) == 2 and not termination.asked
    finally:
        signal.signal(signal.SIGTERM, former)


def test_another_thread_sets_no_handler():
    before, inside = signal.getsignal(signal.SIGTERM), []

    def work():
        with Termination().awaited():
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [before] == [signal.getsignal(signal.SIGTERM)]
