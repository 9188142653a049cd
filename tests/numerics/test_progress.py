"""Progress: stages as bars or lines, closed whatever happens, and nobody told where nobody asks."""

import io
import os
import pickle
import re
import select
import sys
import threading

import pytest

from skmdiff._numerics.progress import SILENT, Bar, Lines, Several, Silent, shown


@pytest.fixture
def catch_stderr(monkeypatch):
    """A function to be called within the test: pytest puts its stream in place after fixtures are made."""

    def catch():
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        return sys.stderr

    return catch


def work(progress):
    progress.stage("first")
    progress.report("gain 2")
    progress.stage("second", 40, n_reports=2)
    for loss in ("loss 3", "loss 1"):
        progress.advance(20)
        assert not progress.report(loss)
    progress.stage("third", 7, unit="row")
    progress.advance(3)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_that_does_not_know_its_width_has_bars(monkeypatch):
    reader, writer = os.openpty()  # 0 columns wide, as `script` has it
    with open(writer, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with shown(1) as progress:
            progress.stage("training", 10)
            progress.advance(10)
        terminal.flush()
        text = ""
        while select.select([reader], [], [], 1.0)[0]:  # what is written comes in parts
            text += os.read(reader, 4096).decode()
    os.close(reader)
    assert "training: 100%" in text and max(map(len, re.split("[\r\n]+", text))) <= 80


def test_bars_tell_the_stages_in_order(catch_stderr):
    stderr = catch_stderr()
    with shown(1) as progress:
        work(progress)
    text = stderr.getvalue()
    told = ["first ...", "first: gain 2", "second:   0%", "20/40", "loss 3", "40/40", "loss 1", "third:  43%", "3/7"]
    assert [text.index(words) for words in told] == sorted(text.index(words) for words in told)
    assert "rows/s" in text and "steps/s" in text and text.endswith("\n")
    assert "first ..." not in text.split("\r")[-1], "stages of unknown length go"


def test_bars_leave_no_thread(catch_stderr):
    catch_stderr()
    before = threading.active_count()
    with shown(1) as progress:
        work(progress)
        assert threading.active_count() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_bar_is_closed_when_the_work_fails(catch_stderr, error):
    stderr = catch_stderr()
    with pytest.raises(error):  # noqa: PT012
        with shown(1) as progress:
            progress.stage("work", 10)
            bar = progress.bar
            raise error
    assert progress.bar is None and bar.disable, "tqdm disables bars that are closed"
    assert stderr.getvalue().endswith("\n")


def test_a_closed_bar_is_told_nothing(catch_stderr):
    stderr = catch_stderr()
    progress = Bar()
    progress.stage("work", 10)
    progress.close()
    text = stderr.getvalue()
    progress.advance(3)
    progress.report("loss 1")
    progress.close()
    assert stderr.getvalue() == text


def test_threads_lose_no_step(catch_stderr):
    catch_stderr()
    progress = Bar()
    progress.stage("work", 4000)
    threads = [threading.Thread(target=lambda: [progress.advance(1) for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert progress.bar.n == 4000
    progress.close()


def test_lines_are_for_logs(capsys, catch_stderr):
    stderr = catch_stderr()
    with shown(2) as progress:
        work(progress)
    lines = [re.sub(r"\d+ s$", "0 s", line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "first: gain 2, 0 s",
        "first: 0 s",
        "step 20, loss 3, 0 s",
        "step 40, loss 1, 0 s",
        "second: 0 s",
        "third: 0 s",
    ]
    assert stderr.getvalue() == ""


def test_silence(capsys):
    with shown(0) as progress:
        work(progress)
    assert progress is SILENT and capsys.readouterr() == ("", "")


def test_several_are_all_told_and_one_may_stop():
    class Stops(Silent):
        told = 0

        def report(self, text, learnt=None):
            self.told += 1
            return True

    parts = [Stops(), Stops(), Silent()]
    progress = Several(parts)
    progress.stage("work", 3)
    progress.advance(1)
    assert progress.report("loss 1") and [part.told for part in parts[:2]] == [1, 1]
    assert not Several([Silent()]).report("loss 1")
    progress.close()


@pytest.mark.parametrize("progress", [Bar(), Several([Bar(), Lines()]), Silent()])
def test_another_process_is_silent(progress):
    assert type(pickle.loads(pickle.dumps(progress))) is Silent
