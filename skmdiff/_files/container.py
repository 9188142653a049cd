"""The container of a model file: a zip archive of members, each with its checksum, written whole or not at all.

The archive is as plain as zip archives can be: members follow one another from the first byte on, names are simple,
and the member CHECKSUMS, the last one, lists the SHA-256 of all others as `sha256sum` does. What is not so is refused
before any member is read, and no member may hold more than MAX_RATIO times the bytes that it takes in the file: a small
file cannot make a reader allocate much.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from .._numerics.whole_files import replacing, why_not_written
from .errors import ModelFileError

CHECKSUMS = "SHA256SUMS"
MAX_RATIO = 16
MAX_MEMBERS = 65_535
LEAST_COMPRESSED = 4096  # bytes; smaller members are stored as they are
DATE = (1980, 1, 1, 0, 0, 0)  # of every member: the same model gives the same bytes
NAME = re.compile(r"[A-Za-z0-9_]{1,40}\.(npy|json)")
LOCAL_HEADER, DIRECTORY_ENTRY, END_OF_ARCHIVE = 30, 46, 22  # bytes of zip records


def check_target(path: str | os.PathLike) -> Path:
    """The path of a file to be written, checked before any work is done for it."""
    target = Path(path)
    reason = why_not_written(target)
    if reason:
        raise ModelFileError(f"path must be a file that can be written, got {str(target)!r}: {reason}.")
    return target


def write_members(target: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write the members (name, content), which replace the file of that name."""
    with replacing(target) as beside, open(beside, "wb") as file:
        _write_archive(file, members)


def _write_archive(file: IO[bytes], members: Iterable[tuple[str, bytes]]) -> None:
    sums = []
    try:
        with zipfile.ZipFile(file, "w", allowZip64=False) as archive:
            for name, content in members:
                sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
                _write_member(archive, name, content)
            _write_member(archive, CHECKSUMS, "".join(sums).encode())
    except zipfile.LargeZipFile as error:
        raise ModelFileError("a model file holds at most 2 GiB. Fit on a part of the rows, or use joblib.") from error


def _write_member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, DATE)
    info.external_attr = 0o600 << 16
    if len(content) >= LEAST_COMPRESSED and name.endswith(".npy"):
        info.compress_type = zipfile.ZIP_DEFLATED
        if not 1 < len(content) / _compressed_size(content) <= MAX_RATIO:
            info.compress_type = zipfile.ZIP_STORED
    archive.writestr(info, content, compresslevel=1)


def _compressed_size(content: bytes) -> int:
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
    return len(compressor.compress(content)) + len(compressor.flush())


# ---- and back ---------------------------------------------------------------------------------------------------


class Members:
    """The members of a model file, checked; each is read when it is asked for.

    Raises `ModelFileError` for all that is not as `write_members` writes it.

    Attributes
    ----------
    n_bytes : of the file
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.archive, self.n_bytes = archive, size
        self.infos = {info.filename: info for info in archive.infolist()}
        _check_directory(archive, size)
        self.checksums = _read_checksums(self._content(CHECKSUMS))
        if list(self.checksums) != [name for name in self.infos if name != CHECKSUMS]:
            raise ModelFileError(f"{CHECKSUMS} does not list the members that there are")

    def size(self, name: str) -> int:
        """Bytes of a member."""
        return self._info(name).file_size

    def read(self, name: str) -> bytes:
        """The content of a member, of the right checksum."""
        content = self._content(name)
        if hashlib.sha256(content).hexdigest() != self.checksums.get(name):
            raise ModelFileError(f"the checksum of the member {name} is wrong: the file is damaged or was changed")
        return content

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self.infos:
            raise ModelFileError(f"the member {name!r} is missing")
        return self.infos[name]

    def _content(self, name: str) -> bytes:
        info = self._info(name)
        with self.archive.open(info) as member:
            content = member.read(info.file_size + 1)
        if len(content) != info.file_size:
            raise ModelFileError(f"the member {name} does not have the size that it is to have")
        return content


def _check_directory(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse archives with members that overlap, repeat, have odd names or are compressed too much, or other bytes."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS or len({info.filename for info in infos}) < len(infos):
        raise ModelFileError("members repeat, or are too many")
    end = 0
    for info in infos:
        _check_member(info)
        if info.header_offset != end:
            raise ModelFileError(f"the member {info.filename!r} does not begin where the one before ends")
        end += LOCAL_HEADER + len(info.filename) + info.compress_size
    directory = sum(DIRECTORY_ENTRY + len(info.filename) for info in infos)
    if archive.start_dir != end or size != end + directory + END_OF_ARCHIVE or archive.comment:
        raise ModelFileError("there are bytes beside the members, or bytes are missing")


def _check_member(info: zipfile.ZipInfo) -> None:
    if not NAME.fullmatch(info.filename) and info.filename != CHECKSUMS:
        raise ModelFileError(f"a member has the odd name {info.filename[:80]!r}")
    plain = (0, 0, DATE) == (info.flag_bits, info.volume, info.date_time) and not info.extra and not info.comment
    if not plain or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModelFileError(f"the member {info.filename} is not stored as model files store them")
    is_stored = info.compress_type == zipfile.ZIP_STORED
    if not is_stored and not info.filename.endswith(".npy"):
        raise ModelFileError(f"the member {info.filename} is compressed, which arrays alone are")
    if is_stored and info.file_size != info.compress_size or info.file_size > MAX_RATIO * info.compress_size:
        raise ModelFileError(f"the member {info.filename} says that it holds more than it can")


def _read_checksums(content: bytes) -> dict[str, str]:
    lines = content.decode("ascii").splitlines()
    pairs = [line.split("  ") for line in lines]
    if any(len(pair) != 2 for pair in pairs):
        raise ModelFileError(f"{CHECKSUMS} is not a list of checksums")
    return {name: digest for digest, name in pairs}
