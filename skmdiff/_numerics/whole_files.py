"""Files that are there as a whole or not at all, and whether they can be written, before work is done for them.

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
from typing import Any

LEFTOVER_SECONDS = 60.0  # no file takes as long to write
PROBE_BLOCK = 2**20


def why_not_written(path: Path) -> str:
    """What keeps a file from being written; "" for nothing that could be seen."""
    folder = path.parent
    if path.is_dir():
        return "it is a folder"
    if not folder.is_dir():
        return f"{folder} is not a folder"
    return "" if os.access(folder, os.W_OK) else f"there is no permission to write to {folder}"


def check_folder(folder: Any, n_bytes: int = 1) -> Path:
    """The path of a folder in which a file of so many bytes can be written; it is made where it is not there.

    Raises
    ------
    OSError
        If it cannot: no permission, a full disk, a file in its place.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try_to_write(path_beside(path / "probe"), n_bytes)
    except OSError as error:
        raise type(error)(
            f"checkpoint must be a folder in which {n_bytes} bytes can be written, got {str(folder)!r}: {error}. Make "
            "room, or name another folder."
        ) from error
    return path


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


def _try_to_write(path: Path, n_bytes: int) -> None:
    """Write a file of so many bytes and delete it."""
    try:
        with open(path, "wb") as file:
            for start in range(0, n_bytes, PROBE_BLOCK):
                file.write(bytes(min(PROBE_BLOCK, n_bytes - start)))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
