"""Tables in text files: what is read, what is refused, and that the same file comes back."""

import gzip
import json

import numpy as np
import pytest

from skmdiff._cli.dialect import Dialect
from skmdiff._cli.identifiers import free_text_notes
from skmdiff._cli.reading import ReadOptions, read_like, read_table_file
from skmdiff._cli.writing import check_table_target, write_table_file
from skmdiff._numerics.whole_files import replacing

pd = pytest.importorskip("pandas")


def read(tmp_path, text, encoding="utf-8", name="table.csv", **options):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return read_table_file(path, ReadOptions(**options))


def lines(header, *columns):
    return "\n".join([header, *(";".join(cells) for cells in zip(*columns, strict=True))]) + "\n"


DAYS = pd.to_datetime(["2024-03-15", "2024-12-01"]).tolist()
# what is wrong with a file -> its bytes, and the cells of its columns
UGLY = {
    "semicolons": ("a;b\n1;x\n2;y\n", {"a": [1, 2], "b": ["x", "y"]}),
    "tabs": ("a\tb\n1\tx, y\n2\ty\n", {"a": [1, 2], "b": ["x, y", "y"]}),
    "bars": ("a|b\n1|x\n2|y\n", {"a": [1, 2], "b": ["x", "y"]}),
    "a hint for a spreadsheet": ("sep=;\na;b\n1;x\n2;y\n", {"a": [1, 2], "b": ["x", "y"]}),
    "a byte-order mark": ("\ufeffa,b\n1,x\n2,y\n", {"a": [1, 2], "b": ["x", "y"]}),
    "UTF-16": ("a,b\n1,é\n2,y\n".encode("utf-16"), {"a": [1, 2], "b": ["é", "y"]}),
    "Windows letters": ("a,b\n1,\xe9t\xe9\n2,y\n".encode("cp1252"), {"a": [1, 2], "b": ["été", "y"]}),
    "Windows line ends": ("a,b\r\n1,x\r\n2,y\r\n", {"a": [1, 2], "b": ["x", "y"]}),
    "gzip without saying so": (gzip.compress(b"a,b\n1,x\n2,y\n"), {"a": [1, 2], "b": ["x", "y"]}),
    "decimal commas": ("a;b\n1,5;x\n2,25;y\n", {"a": [1.5, 2.25], "b": ["x", "y"]}),
    "thousands": ("a;b\n1.234,50;1,234,567\n2,00;1\n", {"a": [1234.5, 2.0], "b": [1234567, 1]}),
    "currencies and percents": ("a;b\n$1.50;5%\n$2.00;7%\n", {"a": [1.5, 2.0], "b": [5, 7]}),
    "separators behind the last cell": ("a,b,\n1,x,\n2,y,\n", {"a": [1, 2], "b": ["x", "y"]}),
    "no name behind the last one": ("a,b,\n1,x,\n2,y,z\n", {"a": [1, 2], "b": ["x", "y"], "Unnamed: 2": [None, "z"]}),
    "numbers below one name": ("a\n1\n2\n", {"a": [1, 2]}),
    "separators behind cells only": ("a,b\n1,x,\n2,y,\n", {"a": [1, 2], "b": ["x", "y"]}),
    "spaces": ("a, b\n 1 , x\n2 ,y \n", {"a": [1, 2], "b": ["x", "y"]}),
    "empty lines": ("a,b\n\n1,x\n\n2,y\n\n", {"a": [1, 2], "b": ["x", "y"]}),
    "line breaks in quotes": ('a,b\n1,"x\nz"\n2,"y, w"\n', {"a": [1, 2], "b": ["x\nz", "y, w"]}),
    "words for missing cells": ("a,b\nNA,x\n2,null\n,n/a\n", {"a": [None, 2, None], "b": ["x", None, None]}),
    "signs for missing cells": ("a,b\n?,?\n2,y\n-,-\n", {"a": [None, 2, None], "b": ["?", "y", "-"]}),
    "zeros in front": ("a,b\n00501,1\n10001,2\n", {"a": ["00501", "10001"], "b": [1, 2]}),
    "numbers of 26 digits": (f"a,b\n{10**25},1\n{10**25 + 1},2\n", {"a": [str(10**25), str(10**25 + 1)], "b": [1, 2]}),
    "integers that floats do not hold": (f"a,b\n{2**53 + 1},1\n,2\n", {"a": [2**53 + 1, None], "b": [1, 2]}),
    "an index without a name": (",b\n0,x\n1,y\n", {"Unnamed: 0": [0, 1], "b": ["x", "y"]}),
    "ISO dates": ("a,b\n2024-03-15,1\n2024-12-01,2\n", {"a": DAYS, "b": [1, 2]}),
    "American dates": ("a,b\n3/15/2024,1\n12/1/2024,2\n", {"a": DAYS, "b": [1, 2]}),
    "European dates": ("a,b\n15/03/2024,1\n01/12/2024,2\n", {"a": DAYS, "b": [1, 2]}),
    "German dates": ("a,b\n15.3.2024,1\n1.12.2024,2\n", {"a": DAYS, "b": [1, 2]}),
    "dates without marks": ("a,b\n20240315,1\n20241201,2\n", {"a": DAYS, "b": [1, 2]}),
    "dates in words": ("a,b\n15 Mar 2024,1\n01 Dec 2024,2\n", {"a": DAYS, "b": [1, 2]}),
    "dates of two offsets": (
        "a,b\n2024-03-15 01:30:00+01:00,1\n2024-12-01T02:00:00+02:00,2\n".replace("T", " "),
        {"a": pd.to_datetime(["2024-03-15 00:30", "2024-12-01 00:00"]).tolist(), "b": [1, 2]},
    ),
    "dates in doubt": ("a,b\n3/5/2024,1\n12/1/2024,2\n", {"a": ["3/5/2024", "12/1/2024"], "b": [1, 2]}),
    "months": ("a,b\n202403,1\n202412,2\n", {"a": [202403, 202412], "b": [1, 2]}),
    "an empty column": ("a,b\n1,\n2,\n", {"a": [1, 2], "b": [None, None]}),
}
NUMBERS = "\n".join(f"{k},1" for k in range(60))
DATES = "\n".join(f"2024-{1 + k // 28:02d}-{1 + k % 28:02d},1" for k in range(60))
# what is wrong with a file -> its bytes, and the words of the line that refuses it
REFUSED = {
    "nothing": ("", "is empty"),
    "a header alone": ("a,b\n", "must hold rows below its header line"),
    "no header": ("1,2\n3,4\n", "line 1: holds numbers, not the names of columns. Add a header line"),
    "a name twice": ("a,b,a\n1,2,3\n", "line 1: columns 1 and 3 have the same name, 'a'. Rename one"),
    "a cell too many": (
        "a,b\n1,x\n2,y,z\n",
        "line 3: has 3 cells for 2 columns; 'z' stands behind the last column, 'b'",
    ),
    "a cell too few": ("a,b,c\n1,x,3\n2,y\n", "line 3: has 2 cells for 3 columns; column 'c' is the first without one"),
    "one cell too many": ("a\n1\n2,y\n", "line 3: has 2 cells for 1 column; 'y' stands"),
    "a title": (
        "A survey\n\na,b\nx,y\nz,\n",
        "line 1: does not look like the header, it has 1 cell and each line from line 3 on 2. Delete the lines above",
    ),
    "padded titles": ("A survey;;\nof 2024;;\na;b;c\nx;1;2\n", "Delete the lines above line 3, or quote"),
    "comments above semicolons": ("# one\na;b\nx;y\nz;1\n", "Delete the lines above line 2, or quote"),
    "row names without a name": ("a,b\nr1,x,y\nr2,z,y\n", "line 2: has 3 cells for 2 columns; 'y' stands behind"),
    "an open quote in a long file": (
        'a,b,c\n1,x,2\n2,"y,3\n' + "3,z,4\n" * 30000,
        "line 3: cannot be read as lines of cells, field larger than field limit (131072). Close the quote that opens",
    ),
    "an open quote": ('a,b,c\n1,x,2\n2,"y,3\n3,z,4\n', "line 3: opens a quote that is closed 1 line below or never"),
    "an open quote in the last column": ('a,b\n1,x\n2,"y\n3,z\n', "line 3 opens a quote that is never closed. Close"),
    "a spreadsheet": (b"PK\x03\x04....", "is a spreadsheet or archive, not text. Save it as CSV"),
    "zero bytes": (b"a,b\n\x00\x01,2\n", "holds zero bytes"),
    "a broken archive": (gzip.compress(b"a,b\n1,2\n" * 99)[:30], "is a broken gzip file"),
    "a word among numbers": (f"a,b\n{NUMBERS}\noops,1\n", "line 62: column 'a' holds 'oops' among numbers or dates"),
    "no date among dates": (f"a,b\n{DATES}\n2024-02-30,1\n", "line 62: column 'a' holds '2024-02-30' among numbers"),
    "decimals or thousands": (
        'a,b\n"1,234",1\n"5,678",2\n',
        "column 'a' holds '1,234': decimals or thousands? Add --dec",
    ),
    "many dates in doubt": (
        "a,b\n" + "\n".join(f"{1 + k % 12}/{1 + k // 12}/2024,1" for k in range(60)),
        "column 'a' holds dates like '1/1/2024': day or month first? Add --day-first or --month-first",
    ),
}


def same(found, expected):
    missing = [cell is None for cell in expected]
    return found.isna().tolist() == missing and found.dropna().tolist() == [
        cell for cell in expected if cell is not None
    ]


@pytest.mark.parametrize("fault", UGLY)
def test_ugly_files_are_read_right(tmp_path, fault):
    text, expected = UGLY[fault]
    frame = read(tmp_path, text).frame
    assert list(frame) == list(expected)
    assert all(same(frame[name], cells) for name, cells in expected.items()), frame


@pytest.mark.parametrize("fault", REFUSED)
def test_ugly_files_are_refused_by_a_line_that_says_what_to_do(tmp_path, fault):
    text, words = REFUSED[fault]
    with pytest.raises(ValueError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "table.csv")) and words in str(error.value)


@pytest.mark.parametrize(
    "text, options, notes",
    [
        (
            "n;s\n1;-\n-;x\n3;y\n",
            {},
            ["'-' is missing in column 'n' and a category in column 's': add --na=- if it means missing there too"],
        ),
        ("n;s\n1;-\n-;x\n3;y\n", {"missing": ["-"]}, []),
        ("n;s\n1;-\n-;x\n3;y\n", {"categorical": ["n"]}, []),
        ("n;s\n1;?\n-;x\n3;y\n", {}, []),
        (
            "a;b\n332.367;x\n1.500;y\n",
            {},
            ["column 'a' is read with decimal points, as in '332.367': add --decimal , if"],
        ),
        ("a;b\n332.367;x\n1.500;y\n", {"decimal": "."}, []),
        ("a;b\n332.367;1.5\n1.500;2.5\n", {}, []),
        ("a;b\n332.367;x\n0.500;y\n", {}, []),
        ("a,b\n332.367,x\n1.500,y\n", {}, []),
        (
            "a;b\n2024-03-15T10:00:00Z;x\n2024-07-15T10:00:00+02:00;y\n",
            {},
            ["column 'a' has dates of several offsets from UTC: they are read, and written, as +00:00"],
        ),
        ("a;b\n2024-03-15T10:00:00+01:00;x\n2024-07-15T10:00:00+01:00;y\n", {}, []),
    ],
)
def test_what_the_owner_may_know_better_is_said(tmp_path, text, options, notes):
    found = read(tmp_path, text, **options).notes
    assert len(found) == len(notes) and all(map(str.startswith, found, notes)), found


def test_dates_that_are_not_read_are_said(tmp_path):
    times = [f"{k // 60:02d}:{k % 60:02d}" for k in range(0, 1440, 20)]
    mixed = [
        f"2024-{1 + k % 12:02d}-{1 + k // 12:02d}" if k % 3 else f"{1 + k % 28}.{1 + k // 28}.2023" for k in range(72)
    ]
    table = read(tmp_path, lines("t;d", times, mixed))
    assert free_text_notes(table) == [
        "column 't' holds times of day, such as '00:00', which are not read: write them as numbers or whole dates, or "
        "add --drop 't'",
        "column 'd' holds dates in several formats, such as '2024-02-01' and '1.1.2023': write all in one, or "
        "add --drop 'd'",
    ]


def test_what_the_user_says_decides(tmp_path):
    ambiguous = lines("n;d;c", ["1,234", "5,678"], ["3/5/2024", "12/1/2024"], ["1", "none of these"])
    frame = read(tmp_path, ambiguous, decimal=",", day_first=True, missing=["none of these"]).frame
    assert frame["n"].tolist() == [1.234, 5.678] and frame["c"].isna().tolist() == [False, True]
    assert frame["d"].dt.month.tolist() == [5, 1]
    frame = read(tmp_path, ambiguous, decimal=".", day_first=False, categorical=["c"]).frame
    assert frame["n"].tolist() == [1234, 5678] and frame["d"].dt.month.tolist() == [3, 12]
    assert frame["c"].tolist() == ["1", "none of these"]


def test_a_column_that_is_certain_decides_for_one_that_is_not(tmp_path):
    assert read(tmp_path, "a;b\n1,234;0,5\n5,678;1,5\n").frame["a"].tolist() == [1.234, 5.678]
    assert read(tmp_path, "a;b\n1.234;0,5\n5.678;1,5\n").frame["a"].tolist() == [1234, 5678]
    assert read(tmp_path, "a;b\n1.234;0.5\n5.678;1.5\n").frame["a"].tolist() == [1.234, 5.678]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        "a;b;c\n1,5;NA;00501\n2,25;3;10001\n",
        "a\tb\n1.50\t?\n2.00\t7\n",
        "a|b\n$1,234.50|5%\n$2.00|7%\n",
        "a;b\n1.234,50;x\n-2,00;y\n",
        "a;b\n1 234;0,5\n2;1\n",
        "a,b\n2024-03-05 10:00:00,TRUE\n2024-12-01 09:30:00,FALSE\n",
        "a,b\n2024-03-05T10:00:00.125Z,yes\n2024-12-01T09:30:00.250Z,no\n",
        "a,b\n3/15/2024 10:05,x\n12/1/2024 09:30,null\n",
        "a,b\n05.03.2024,x\nn/a,y\n",
        "a,b\n5.3.2024,x\n,y\n",
        "a,b\n2.527e+01,1.5E-07\n-1.000e-03,2.0E+10\n",
        "a,,c,\n1,x,2,y\n3,y,4,\n",
        "\ufeffa,b\n1,x\n2,y\n",
        "a,b\n20240305,1e-05\n20241201,250.5\n",
        'a,b\n"x, y",1.5\nz,10\n',
        f"a,b\n{10**25},-7\n{10**25 + 1},{2**53 + 1}\n",
    ],
)
def test_a_table_comes_back_as_it_was_written(tmp_path, text):
    table = read(tmp_path, text)
    dialect = Dialect.from_dict(json.loads(json.dumps(table.dialect.to_dict())))
    assert dialect == table.dialect
    write_table_file(table.frame, dialect, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text(encoding="utf-8") == text


def test_other_files_are_written_by_their_names(tmp_path):
    table = read(tmp_path, "a;b\n1,5;x\n2,25;\n")
    for name in ("again.tsv", "again.csv.gz", "again.parquet"):
        write_table_file(table.frame, table.dialect, tmp_path / name)
    assert (tmp_path / "again.tsv").read_text(encoding="utf-8") == "a\tb\n1,5\tx\n2,25\t\n"
    assert gzip.open(tmp_path / "again.csv.gz", "rt").read() == "a;b\n1,5;x\n2,25;\n"
    again = read_table_file(tmp_path / "again.parquet")
    assert again.frame["a"].tolist() == [1.5, 2.25] and again.frame["b"].isna().tolist() == [False, True]
    assert [column.kind for column in again.dialect.columns] == ["number", "category"]


def test_a_second_table_is_read_as_the_first(tmp_path):
    known = read(tmp_path, "zip;x;d\n00501;1,5;15/3/2024\n10001;2,5;1/2/2024\n").dialect
    path = tmp_path / "other.csv"
    path.write_text("zip,x,d\n20001,1.25,3/4/2024\n20002,3,4/4/2024\n", encoding="utf-8")
    frame = read_like(path, known).frame
    assert frame["zip"].tolist() == ["20001", "20002"] and frame["x"].tolist() == [1.25, 3.0]
    assert frame["d"].dt.month.tolist() == [4, 4]
    path.write_text("zip,x,d\n1,1.25,3/4/2024\n2,bad,4/4/2024\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 3: column 'x' must hold numbers as in the table learnt, got 'bad'"):
        read_like(path, known)


def test_numbers_beyond_those_seen_are_written_in_the_same_way(tmp_path):
    table = read(tmp_path, "a;b;c\n1,50;1;0,5\n1.234,00;2;3\n")
    frame = pd.DataFrame({"a": [1e6, -0.004], "b": [2.5, np.nan], "c": [1e-9, 4.0]})
    write_table_file(frame, table.dialect, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines() == ["a;b;c", "1.000.000,00;2,5;1e-09", "-0,00;;4"]


@pytest.mark.parametrize("name", ["table.xlsx", "table", "table.json"])
def test_files_of_other_kinds_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"a table must be a file \.csv, .* or \.parquet"):
        read(tmp_path, "a,b\n1,2\n", name=name)
    with pytest.raises(ValueError, match="a table must be a file"):
        check_table_target(tmp_path / name, [], force=False)


def test_broken_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        read(tmp_path, "PAR1 not", name="table.parquet")


def test_targets_are_checked_before_work_begins(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    check_table_target(tmp_path / "new.csv", [table], force=False)
    check_table_target(table, [table], force=True)
    with pytest.raises(ValueError, match="is read by this command"):
        check_table_target(tmp_path / "." / "table.csv", [table], force=False)
    with pytest.raises(ValueError, match="is not a folder"):
        check_table_target(tmp_path / "none" / "new.csv", [table], force=False)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match="it is a folder"):
        check_table_target(tmp_path / "folder.csv", [table], force=False)


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_the_former_file(tmp_path, error):
    path = tmp_path / "rows.csv"
    path.write_text("former", encoding="utf-8")
    with pytest.raises(type(error)), replacing(path) as beside:  # noqa: PT012
        beside.write_text("half of", encoding="utf-8")
        raise error
    assert path.read_text(encoding="utf-8") == "former" and [*tmp_path.iterdir()] == [path]
    with replacing(path) as beside:
        beside.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "new" and [*tmp_path.iterdir()] == [path]


def test_quotes_that_never_close_are_refused_by_file(tmp_path):
    path = tmp_path / "open.csv"
    path.write_bytes(b'\n`\n"""""\n?3`')  # found by fuzzing: lines to the csv module, none to pandas
    with pytest.raises(
        ValueError, match=r"open\.csv: cannot be read as lines of cells, line 3 opens a quote that is never closed"
    ):
        read_table_file(path)
