"""Checkpoint files: what was written comes back, or a named error; a write that fails leaves the former file."""

import errno
import os
from dataclasses import dataclass

import numpy as np
import pytest

from skmdiff._numerics.checkpoints import Checkpoint, fingerprint, read_checkpoint, write_checkpoint
from skmdiff._numerics.whole_files import check_folder, remove_leftovers

ARRAYS = {
    "a/b": np.arange(5.0, dtype=np.float32),
    "empty": np.zeros((0, 3)),
    "bits": np.array([1, 255], dtype=np.uint8),
}
VALUES = {"large": 2**127 + 1, "third": 1 / 3, "list": [1.5, None, "x"], "nested": {"yes": True}}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "file.ckpt"
    write_checkpoint(path, Checkpoint(ARRAYS, VALUES))
    return path


def full_disk(number):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_was_written_comes_back_bit_by_bit(written):
    found = read_checkpoint(written)
    assert found.values == VALUES and list(found.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
    assert os.listdir(written.parent) == [written.name]


def test_no_file_is_none(tmp_path):
    assert read_checkpoint(tmp_path / "none") is None


DAMAGES = [
    lambda content: content[:-1],
    lambda content: content[:40],
    lambda content: b"",
    lambda content: content + b"x",
    lambda content: content[:200] + b"\0" + content[201:],
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_by_name(written, damage):
    content = written.read_bytes()
    assert damage(content) != content
    written.write_bytes(damage(content))
    with pytest.raises(ValueError, match="file.ckpt is damaged.*Delete it"):
        read_checkpoint(written)


def test_a_write_that_fails_leaves_the_former_file(written, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(written, Checkpoint({}, {}))
    assert read_checkpoint(written).values == VALUES and os.listdir(written.parent) == [written.name]


def test_a_folder_is_made_and_left_as_it_was(tmp_path):
    path = check_folder(str(tmp_path / "a" / "b"), 3_000_000)
    assert path.is_dir() and not os.listdir(path)


@pytest.mark.parametrize("name", ["file", "file/inside"])
def test_a_file_in_place_of_a_folder_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=f"checkpoint must be a folder.*{name}'.*name another folder"):
        check_folder(tmp_path / name)


def test_a_full_disk_is_found_before_the_file_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="in which 5000 bytes can be written.*No space left.*Make room"):
        check_folder(tmp_path, 5000)
    assert not os.listdir(tmp_path)


def test_only_old_parts_of_the_same_file_are_removed(written):
    parts = [written.with_name(f".{written.stem}-{i}-1{written.suffix}") for i in range(2)]
    other = written.with_name(f".other-1-1{written.suffix}")
    for path in (*parts, other):
        path.write_text("")
    for path in (parts[0], other):
        os.utime(path, (0, 0))
    remove_leftovers(written)
    assert not parts[0].exists() and parts[1].exists() and other.exists()


@dataclass
class Pair:
    left: object
    right: object


DIFFERENT = [
    [1, 2],
    [[1], 2],
    [12],
    ["1", 2],
    [1.0, 2],
    [None],
    [np.array([1, 2])],
    [np.array([1.0, 2.0])],
    [np.array([1.0, np.nextafter(2.0, 3.0)])],
    [np.array([[1.0, 2.0]])],
    [{"a": 1}],
    [{"b": 1}],
    [Pair(1, 2)],
    [Pair(2, 1)],
]


def test_fingerprints_differ_where_anything_differs():
    assert len({fingerprint(*parts) for parts in DIFFERENT}) == len(DIFFERENT)
    assert fingerprint({"a": 1, "b": np.ones(2)}) == fingerprint({"b": np.ones(2), "a": 1})
