"""Files that are there as a whole or not at all.

A file is written under another name, forced to the disk and renamed, which replaces the former file in one step (POSIX
`rename`, Python documentation of `os.replace`). A process that is killed meanwhile leaves the former file, and a part
of a file under the other name.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LEFTOVER_SECONDS = 60.0  # no file takes as long to write


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; the file replaces `path` if nothing fails meanwhile."""
    beside = path_beside(path)
    try:
        yield beside
        _force_to_disk(beside, os.O_RDWR)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    with suppress(OSError):  # Windows opens no folders
        _force_to_disk(path.parent, os.O_RDONLY)


def path_beside(path: Path) -> Path:
    """A name beside a path that no other process or thread writes to; hidden, and with the same ending."""
    return path.with_name(f".{path.stem}-{os.getpid()}-{threading.get_ident()}{path.suffix}")


def remove_leftovers(path: Path) -> None:
    """Delete what killed processes have left of a file that they were writing."""
    for part in path.parent.glob(f".{path.stem}-*-*{path.suffix}"):
        if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
            part.unlink(missing_ok=True)


def _force_to_disk(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
