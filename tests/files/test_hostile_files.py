"""Files that are damaged or hostile: refused by name, or loaded as data; nothing large is allocated."""

import json
import tracemalloc
import warnings

import numpy as np
import pytest
from mutations import DAMAGED, archive_of, members_of, mutated, nodes_of, small_model

import skmdiff
from skmdiff import ModelFileError
from skmdiff._sampler import kept_rows

LARGEST = 64 * 2**20


def made(folder, whole):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return small_model(folder, whole=whole)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return made(tmp_path_factory.mktemp("good"), whole=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("whole"), whole=True)


def outcome(content, path):
    """ "loaded" or "refused"; the message names the file. Any other exception, or too little memory, ends the test."""
    path.write_bytes(content)
    try:
        loaded = skmdiff.load(path)
    except ModelFileError as error:
        assert str(path) in str(error)
        assert not isinstance(error.__cause__, MemoryError)
        return "refused", None
    return "loaded", loaded


@pytest.mark.parametrize("n_files", [60, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore")
def test_mutated_files(good, tmp_path, n_files):
    sampler, content = good
    rng, before = np.random.default_rng(0), sampler.sample(5)
    tracemalloc.start()
    for _ in range(n_files):
        way, changed = mutated(content, rng)
        found, loaded = outcome(changed, tmp_path / "m")
        if way in {one.__name__ for one in DAMAGED} and found == "loaded" and changed != content:
            assert loaded.sample(5).equals(before), way  # what was changed says nothing: a bit that no one reads
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < LARGEST


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_mutated_files_that_hold_rows_by_indices(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_rows, "LEAST_ROWS", 1)
    content, rng = made(tmp_path, whole=True)[1], np.random.default_rng(3)
    tracemalloc.start()
    found = [outcome(mutated(content, rng)[1], tmp_path / "m")[0] for _ in range(300)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < LARGEST and 0 < found.count("loaded") < 100


def test_every_bit_of_the_content_is_guarded(good, tmp_path):
    """One flipped bit in a member, checksums and zip sums made right again for the archive, but not the checksums."""
    _, content = good
    members = members_of(content)
    for name in members:
        changed = {**members, name: bytes([members[name][0] ^ 1]) + members[name][1:]}
        sums = changed.pop("SHA256SUMS")
        found, _ = outcome(archive_of([*changed.items(), ("SHA256SUMS_", sums)], sums=False), tmp_path / "m")
        assert found == "refused"


def head_changed(content, **changes):
    members = members_of(content)
    head = {**json.loads(members["model.json"]), **changes}
    return archive_of({**members, "model.json": json.dumps(head).encode()}.items())


@pytest.mark.parametrize("key", ["start", "stop"])
@pytest.mark.parametrize("value", [-1, 2**33])
def test_blocks_that_are_not_those_of_the_code_are_refused(whole, tmp_path, key, value):
    """All of them, those of the table and of the denoiser, before an array is as large as they say."""
    head = json.loads(members_of(whole[1])["model.json"])
    blocks = [owner for owner, _ in nodes_of(head, []) if isinstance(owner, dict) and {"start", "stop"} <= owner.keys()]
    assert len(blocks) > 8
    for block in blocks:
        kept, block[key] = block[key], value
        assert outcome(head_changed(whole[1], **head), tmp_path / "m") == ("refused", None)
        block[key] = kept


def test_files_of_the_future_are_refused_by_name(good, tmp_path):
    (tmp_path / "m").write_bytes(head_changed(good[1], schema=2, skmdiff="9.1"))
    with pytest.raises(ModelFileError, match=r"schema is 2, and this version reads schema 1.*skmdiff 9\.1"):
        skmdiff.load(tmp_path / "m")


def test_files_of_another_version_are_warned_of(good, tmp_path):
    (tmp_path / "m").write_bytes(head_changed(good[1], skmdiff="0.4.1"))
    with pytest.warns(skmdiff.InconsistentVersionWarning, match=r"fitted by skmdiff 0\.4\.1"):
        skmdiff.load(tmp_path / "m")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"\x80\x04K\x01.", b"{}"])
def test_what_is_no_model_file_is_refused(content, tmp_path):
    assert outcome(content, tmp_path / "m") == ("refused", None)


def test_a_pickle_in_a_member_is_not_run(good, tmp_path):
    evil = b"cos\nsystem\n(S'touch " + str(tmp_path / "run").encode() + b"'\ntR."
    members = members_of(good[1])
    for name in members:
        outcome(archive_of({**members, name: evil}.items()), tmp_path / "m")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ten_thousand_mutated_files_in_little_memory(whole, tmp_path):
    """No allocation of more than 64 MiB: the address space has no room for one."""
    import resource

    assert outcome(whole[1], tmp_path / "m")[0] == "loaded"  # all modules are loaded
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + LARGEST, limits[1]))
    try:
        rng, counts = np.random.default_rng(1), {}
        for _ in range(10_000):
            way, changed = mutated(whole[1], rng)
            found, _ = outcome(changed, tmp_path / "m")
            counts[way, found] = counts.get((way, found), 0) + 1
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    print(counts)
    assert sum(counts.values()) == 10_000
