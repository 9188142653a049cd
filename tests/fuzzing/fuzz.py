"""Coverage-guided fuzzing of what reads the bytes and tables of others: only documented errors may come out.

    python tests/fuzzing/fuzz.py load -max_total_time=900
    python tests/fuzzing/fuzz.py text -max_total_time=900
    python tests/fuzzing/fuzz.py table -max_total_time=900

Needs atheris (`pip install atheris`). Further options are those of libFuzzer; an input that fails is written to a file
`crash-*` in the working folder, and its name as the last argument runs it again.
"""

import json
import sys
import tempfile
import warnings
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["skmdiff"]):
    from skmdiff._cli.reading import read_like, read_table_file
    from skmdiff._cli.recognise import ReadOptions
    from skmdiff._cli.writing import write_table_file
    from skmdiff._files.errors import ModelFileError
    from skmdiff._sampler.loading import load as load_model
    from skmdiff._table.checks import read_table
    from skmdiff._table.codec import TableCodec

import numpy as np
import pandas as pd
from mutations import POISON, archive_of, members_of, nodes_of, small_model

FOLDER = Path(tempfile.mkdtemp())
SUFFIXES = [".csv", ".tsv", ".txt", ".csv.gz"]
CELLS = [
    *[None, np.nan, pd.NA, pd.NaT, True, False, 0, 1, -1, 7, 2**53 + 1, 2**63, -(2**63), 2**64, 10**30],
    *[0.0, -0.0, 0.1, 1.5, 5e-324, 1e-300, 1e300, 1.7976931348623157e308, np.inf, -np.inf, 1j],
    *["", " ", "a", "A", "é", "\0", "\ud800", "nan", "1", "1.0", "2024-01-01", b"a", "x" * 300],
    *[date(2024, 1, 1), date(1, 1, 1), datetime(9999, 12, 31), datetime(2024, 1, 1, 3), timedelta(1), timedelta.max],
    *[Decimal("1.10"), Decimal("NaN"), Decimal("1e400"), Fraction(1, 3), pd.Timestamp("2024-03-31", tz="Europe/Paris")],
    *[np.float32(0.1), np.int8(3), np.datetime64("2024-01-01"), np.timedelta64(1, "s"), [], (1,), {"a": 1}, object()],
    *[pd.Interval(0, 1), pd.Period("2024-01"), range(3), np.array([1.0])],
]
DTYPES = [
    *["?", "i1", "i8", "u1", "u8", "f2", "f4", "f8", "c16", "U1", "S1", "M8[s]", "M8[ns]", "M8[D]", "m8[ns]"],
    *["Int8", "Int64", "UInt64", "Float32", "boolean", "string", "category", "datetime64[ns, UTC]"],
]
NUMERIC = ["quantile", "smooth", "standard"]


def refused(error):
    """Whether an error says what is wrong, and not only that something is."""
    return len(str(error)) > 15


def load(fdp):
    """A model file with members and values changed, its checksums right, or any bytes."""
    path = FOLDER / "model"
    content = archive_of(changed_members(fdp).items()) if fdp.ConsumeBool() else changed_bytes(fdp)
    path.write_bytes(content)
    try:
        load_model(path)
    except ModelFileError as error:
        assert str(path) in str(error)


@cache
def good_file():
    """The bytes of a model file."""
    return small_model(FOLDER, whole=True)[1]


def changed_bytes(fdp):
    """The good file with some bytes replaced."""
    good = good_file()
    at = fdp.ConsumeIntInRange(0, len(good))
    return good[:at] + fdp.ConsumeBytes(64) + good[fdp.ConsumeIntInRange(at, len(good)) :]


def changed_members(fdp):
    """The members of the good file, with other values in the JSON or other bytes in an array."""
    members = dict(members_of(good_file()))
    if fdp.ConsumeBool():
        name = fdp.PickValueInList(sorted(members))
        data = members[name]
        at = fdp.ConsumeIntInRange(0, len(data))
        members[name] = data[:at] + fdp.ConsumeBytes(16) + data[at + 16 :]
        return members
    head = json.loads(members["model.json"])
    nodes = nodes_of(head, [])
    for _ in range(fdp.ConsumeIntInRange(1, 4)):
        owner, key = nodes[fdp.ConsumeIntInRange(0, len(nodes) - 1)]
        owner[key] = new_value(fdp, owner[key], nodes)
    members["model.json"] = json.dumps(head, default=str).encode()
    return members


def new_value(fdp, old, nodes):
    """A value in place of another: one that may do harm, one from elsewhere in the tree, or nearly the same."""
    way = fdp.ConsumeIntInRange(0, 3)
    if way == 0:
        return fdp.PickValueInList(POISON)
    if way == 1:
        owner, key = nodes[fdp.ConsumeIntInRange(0, len(nodes) - 1)]
        return json.loads(json.dumps(owner[key], default=str))
    if isinstance(old, str):
        return fdp.ConsumeUnicodeNoSurrogates(12)
    return fdp.ConsumeInt(8) if isinstance(old, int) else fdp.ConsumeFloat()


def text(fdp):
    """A text file of any bytes; what was read and written is read as it was."""
    path = FOLDER / f"table{fdp.PickValueInList(SUFFIXES)}"
    options = ReadOptions(
        decimal=fdp.PickValueInList([None, ".", ","]),
        day_first=fdp.PickValueInList([None, True, False]),
        missing=fdp.PickValueInList([(), ("?",), ("-9",)]),
    )
    path.write_bytes(fdp.ConsumeBytes(4096))
    try:
        found = read_table_file(path, options)
    except ValueError as error:
        assert str(path) in str(error), error
        return
    again = FOLDER / "again.csv"
    write_table_file(found.frame, found.dialect, again)
    try:
        read_like(again, found.dialect, options)
    except ValueError as error:
        assert str(again) in str(error), error


def table(fdp):
    """A table of odd cells: refused, or encoded, decoded and written."""
    X = odd_table(fdp)
    codec = TableCodec(
        numeric=fdp.PickValueInList(NUMERIC), categorical_features=fdp.PickValueInList(["from_dtype", None])
    )
    try:
        read = read_table(X)
        codec.fit(read)
    except (ValueError, TypeError) as error:
        assert refused(error), error
        return
    W = codec.encode(read)
    full = np.nan_to_num(W)
    missing = dict(enumerate(read.missing.T))
    codec.write(codec.decode(full), missing, len(read))
    codec.log_volume(read)


def odd_table(fdp):
    """A DataFrame, or an array, whose columns have odd cells and dtypes."""
    n_rows, n_columns = fdp.ConsumeIntInRange(1, 12), fdp.ConsumeIntInRange(1, 3)
    columns = {f"c{j}": odd_column(fdp, n_rows) for j in range(n_columns)}
    frame = pd.DataFrame(columns)
    if fdp.ConsumeIntInRange(0, 4):
        return frame
    try:  # pandas does not make every array
        return frame.to_numpy()
    except Exception:
        return frame


def odd_column(fdp, n_rows):
    """Cells, and their dtype where they have one."""
    if fdp.ConsumeBool():
        cells = [fdp.PickValueInList(CELLS) for _ in range(fdp.ConsumeIntInRange(1, 4))]
    else:
        cells = [fdp.ConsumeFloat() if fdp.ConsumeBool() else fdp.ConsumeInt(8) for _ in range(3)]
    cells = [cells[fdp.ConsumeIntInRange(0, len(cells) - 1)] for _ in range(n_rows)]
    values = np.empty(n_rows, dtype=object)
    values[:] = cells
    column = pd.Series(values, dtype=object)
    try:  # pandas does not make every column
        if fdp.ConsumeBool():
            return column.astype(fdp.PickValueInList(DTYPES))
        return column.infer_objects() if fdp.ConsumeBool() else column
    except Exception:
        return column


TARGETS = {"load": load, "text": text, "table": table}


def main():
    """The target by its name, the other arguments for libFuzzer."""
    warnings.simplefilter("ignore")
    target = TARGETS[sys.argv.pop(1)]

    def run(data):
        target(atheris.FuzzedDataProvider(data))

    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
