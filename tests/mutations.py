"""Model files that were damaged or made by somebody with bad intentions, from a good one."""

import hashlib
import io
import json
import struct
import zipfile

import numpy as np

DATE = (1980, 1, 1, 0, 0, 0)


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def archive_of(members, sums=True, **info):
    """An archive of members [(name, content)], with checksums that are right."""
    members = [(name, data) for name, data in members if name != "SHA256SUMS"]
    if sums:
        lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in members)
        members.append(("SHA256SUMS", lines.encode()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            one = zipfile.ZipInfo(name, DATE)
            one.external_attr = 0o600 << 16
            for key, value in info.items():
                setattr(one, key, value)
            archive.writestr(one, data)
    return out.getvalue()


def flipped(content, rng):
    data = bytearray(content)
    for at in rng.integers(len(data), size=rng.integers(1, 4)):
        data[at] ^= 1 << rng.integers(8)
    return bytes(data)


def cut(content, rng):
    return content[: rng.integers(len(content))]


def extended(content, rng):
    extra = rng.bytes(rng.integers(1, 200))
    return [content + extra, extra + content][rng.integers(2)]


def block_lost(content, rng):
    at = rng.integers(len(content))
    return content[:at] + content[at + rng.integers(1, 100) :]


def noise(content, rng):
    return rng.bytes(rng.integers(0, 3000))


def swapped(content, rng):
    names = list(members_of(content))
    members = dict(members_of(content))
    a, b = rng.choice(len(names), 2, replace=False)
    members[names[a]], members[names[b]] = members[names[b]], members[names[a]]
    return archive_of(members.items(), sums=bool(rng.integers(2)))


def lost(content, rng):
    members = list(members_of(content).items())
    del members[rng.integers(len(members))]
    return archive_of(members, sums=bool(rng.integers(2)))


def doubled(content, rng):
    members = list(members_of(content).items())
    return archive_of([*members, members[rng.integers(len(members))]])


def renamed(content, rng):
    members = list(members_of(content).items())
    k = rng.integers(len(members))
    names = [
        "../x.npy",
        "/etc/passwd",
        "a\\b.npy",
        "x" * 500 + ".npy",
        "a.py",
        "",
        "a0.npy\x00",
        "C:x.npy",
        "__init__.py",
    ]
    members[k] = (names[rng.integers(len(names))], members[k][1])
    return archive_of(members)


def bomb(content, rng):
    members = [*members_of(content).items(), ("bomb.npy", b"\0" * 10**6)]
    return archive_of(members, compress_type=zipfile.ZIP_DEFLATED)


def sizes(content, rng):
    """Directory entries that say other sizes: 4 bytes at offsets 20 (compressed) and 24 of an entry."""
    data = bytearray(content)
    entries = [at for at in range(len(data) - 46) if data[at : at + 4] == b"PK\x01\x02"]
    at = entries[rng.integers(len(entries))] + [20, 24, 42][rng.integers(3)]
    data[at : at + 4] = struct.pack("<I", int(rng.choice([0, 1, 2**31, 2**32 - 1, rng.integers(2**32)])))
    return bytes(data)


def header(content, rng):
    """An npy member with a header that says other shapes or dtypes, its checksum right."""
    members = dict(members_of(content))
    names = [name for name in members if name.endswith(".npy")]
    name = names[rng.integers(len(names))]
    shape = [(2**40,), (2**62, 2**62), (-1,), (1e300,), "x"][rng.integers(5)]
    text = repr(
        {"descr": ["<f8", "|O", "<U99999999"][rng.integers(3)], "fortran_order": False, "shape": shape}
    ).encode()
    members[name] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + members[name][128:]
    return archive_of(members.items())


def nodes_of(tree, found):
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            found.append((tree, key))
            nodes_of(tree[key], found)
    return found


POISON = [
    *[None, True, -1, 2**70, 1e308, float("nan"), "", "x", [], {}, [[[]]], {"float": "1"}, {"float": "nan"}],
    *[{"tuple": 3}, {"dict": [1]}, {"array": "a0.npy"}, {"array": "none.npy"}, {"array": "../x"}, {"same": 0}],
    *[{"same": -1}, {"same": {}}, {"object": ["os.system", 0, {}]}, {"object": ["TableCodec", 99999, {}]}],
    *[{"type": "os"}, {"dtype": "|O"}, {"dtype": "<U99999999999"}, {"scalar": ["<U1000000000", "x"]}],
    *[{"scalar": ["<f8", "x"]}, {"method": ["__class__", {"same": 0}]}, {"boosted": [1, 2]}, {"__class__": 1}],
    *[{"pandas_dtype": ["zoned", "ns", "dateutil//etc/passwd"]}, {"polars_dtype": ["__import__"]}, {"decimal": "x"}],
    *[{"fraction": [1, 0]}, {"timedelta": [10**12]}, {"pandas": ["read_pickle", "x"]}, {"set": [[1]]}],
    *[{"cells": [[2**40], []]}, {"cells": [[10**9, 10**9], [1]]}, {"datetime": ["2024", "../../etc", 0]}],
]


def tree_changed(content, rng):
    """The JSON changed at some places, its checksum right."""
    members = dict(members_of(content))
    head = json.loads(members["model.json"])
    nodes = nodes_of(head, [])
    for _ in range(rng.integers(1, 4)):
        owner, key = nodes[rng.integers(len(nodes))]
        owner[key] = POISON[rng.integers(len(POISON))]
    members["model.json"] = json.dumps(head).encode()
    return archive_of(members.items())


def array_said(content, rng):
    """What is said of an array changed: dtype, shape, how it is stored."""
    members = dict(members_of(content))
    head = json.loads(members["model.json"])
    names = list(head["arrays"])
    said = head["arrays"][names[rng.integers(len(names))]]
    choices = {
        "shape": [[2**47], [2**40, 2**40], [-1], [True], "x", [0, 2**47], [1.5], [1] * 99],
        "dtype": [
            "|O",
            "<f16",
            "<V8",
            "<U999999999",
            "<M8[x]",
            "f8",
            "",
            None,
            [["a", "<f8"]],
            "<f4",
            "<i8",
            "|b1",
            "|u1",
        ],
        "stored": ["|O", "<f8", "|i1", "<U9", 3],
        "fortran": [True, "x"],
        "planes": [True, 1],
    }
    key = list(choices)[rng.integers(len(choices))]
    said[key] = choices[key][rng.integers(len(choices[key]))]
    members["model.json"] = json.dumps(head).encode()
    return archive_of(members.items())


def numbers_changed(content, rng):
    """An array of other numbers of the same size, its checksum right: it may well load."""
    members = dict(members_of(content))
    names = [name for name in members if name.endswith(".npy")]
    name = names[rng.integers(len(names))]
    data = bytearray(members[name])
    for at in rng.integers(min(128, len(data) - 1), len(data), size=5):
        data[at] = rng.integers(256)
    members[name] = bytes(data)
    return archive_of(members.items())


def nested(content, rng):
    members = dict(members_of(content))
    depth = int(rng.choice([500, 5000, 100_000]))
    opened, closed = [("[", "]"), ('{"tuple":[', "]}"), ('{"a":', "1}")][rng.integers(3)]
    text = json.loads(members["model.json"])
    text["model"] = 0
    deep = opened * depth + ("" if opened != '{"a":' else "1") + (closed if opened != '{"a":' else "}") * depth
    members["model.json"] = json.dumps(text).replace('"model": 0', f'"model": {deep}').encode()
    return archive_of(members.items())


DAMAGED = [flipped, cut, extended, block_lost, noise]
MADE = [swapped, lost, doubled, renamed, bomb, sizes, header, tree_changed, array_said, numbers_changed, nested]


def mutated(content, rng):
    """The name of a way to change a file, and the changed file."""
    ways = [*DAMAGED, *MADE, tree_changed, array_said, flipped]
    way = ways[rng.integers(len(ways))]
    return way.__name__, way(content, rng)


def small_model(folder, *, whole):
    """A fitted sampler and a good file of it; of a whole one dates, missing cells, trees and constraints too."""
    import pandas as pd

    from skmdiff import ManifoldDiffusionSampler

    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=30), "k": rng.choice(["a", "b"], 30)})
    if whole:
        X["n"] = rng.integers(0, 4, 30)
        X["t"], X["m"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(X["n"], "D"), X["n"] + 1
        X.loc[rng.random(30) < 0.3, "x"] = np.nan
    sampler = ManifoldDiffusionSampler(max_iter=2 * whole, hidden_layer_sizes=(4,), n_steps=2, random_state=0)
    sampler.fit(X).save(folder / "good")
    return sampler, (folder / "good").read_bytes()
