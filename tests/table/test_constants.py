"""Constants as users write them: one parser a kind of column, exact, with errors that name the way out."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from coding import Codec

from skmdiff._table.constants import Parameter, read_number, read_ticks

HERE = Parameter("size", " or a range (low, high) of them")
TABLE = pd.DataFrame(
    {
        "tenths": np.arange(40) / 10,
        "single": (np.arange(40) / 100).astype(np.float32),
        "integer": np.arange(40) - 7,
        "large": np.arange(40, dtype=np.uint64) + 2**63,
        "real": np.random.default_rng(0).normal(size=40),
        "flag": np.arange(40) % 2 == 0,
        "noon": pd.date_range("2024-01-01 12:00", periods=40).as_unit("s"),
        "midnight": pd.date_range("2024-03-01", periods=40, tz="Europe/Berlin").as_unit("s"),
        "wait": pd.to_timedelta(np.arange(40) * 15, unit="min"),
        "kind": list("abcd") * 10,
        "same": 3,
    }
)


@pytest.fixture(scope="module", params=["quantile", "standard"])
def columns(request):
    codec = Codec(numeric=request.param, categorical_features=["kind"]).fit(TABLE)
    return {column.name: column for column in codec.columns_}


@pytest.mark.parametrize(
    ("name", "value", "cell"),
    [
        ("tenths", 1, 1.0),
        ("tenths", 0.1 + 0.2, 0.1 + 0.2),
        ("tenths", Decimal("0.3"), 0.3),
        ("tenths", Fraction(1, 2), 0.5),
        ("single", 0.1, np.float32(0.1)),
        ("integer", 5.0, 5),
        ("integer", np.int8(-7), -7),
        ("large", 2**63 + 5, 2**63 + 5),
        ("flag", True, True),
        ("noon", "2024-01-03T12:00", np.datetime64("2024-01-03T12:00")),
        ("noon", datetime(2024, 1, 3, 13), np.datetime64("2024-01-03T13")),
        ("midnight", pd.Timestamp("2024-03-02", tz="Europe/Berlin"), np.datetime64("2024-03-01T23")),
        ("midnight", "2024-03-02T00:00+01:00", np.datetime64("2024-03-01T23")),
        ("wait", timedelta(minutes=30), np.timedelta64(30, "m")),
        ("wait", time(0, 45), np.timedelta64(45, "m")),
        ("kind", "c", "c"),
        ("same", 3.0, 3),
    ],
)
def test_constants_are_read_as_cells_of_the_column(columns, name, value, cell):
    found = columns[name].parse([value], HERE)
    assert found[0] == cell and found.dtype == columns[name].dtype


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("tenths", 0.55, ValueError, "size must have at most 1 decimals, as all numbers seen in fit, got 0.55"),
        ("tenths", 1e300, ValueError, "size must lie in the range seen in fit, from 0.0 to 3.9, got 1e.300"),
        ("tenths", "1", TypeError, r"size must be a finite number or a range \(low, high\) of them, got '1'"),
        ("tenths", True, TypeError, "size must be a finite number .* got True"),
        ("tenths", [1, 2], TypeError, r"size must be a finite number .* got \[1, 2\]"),
        ("tenths", np.inf, ValueError, "size must be a finite number .* got inf"),
        ("tenths", np.timedelta64(1, "s"), TypeError, "size must be a finite number"),
        ("integer", 5.5, ValueError, "size must be an integer, as all numbers seen in fit, got 5.5"),
        ("integer", 10**30, ValueError, "size must lie in the range seen in fit, from -7 to 32, got 1e.30"),
        ("noon", 3, TypeError, "size must be a date without a time zone .* got 3"),
        ("noon", "soon", ValueError, "size must be a date without a time zone .* got 'soon'"),
        ("noon", date(1999, 1, 1), ValueError, "size must lie in the range seen in fit, .* got 1999-01-01"),
        ("noon", pd.Timestamp("2024-01-03", tz="UTC"), ValueError, "size must be a date without a time zone"),
        ("noon", np.datetime64("2024-01-03T12:00:00.5"), ValueError, r"must be in ticks of datetime64\[s\]"),
        ("midnight", "2024-03-02", ValueError, r"must be a date with a time zone \(pandas.Timestamp"),
        ("wait", 5, TypeError, r"must be a duration \(a timedelta of any library, such as pandas.Timedelta"),
        ("wait", pd.NaT, ValueError, "must be a duration .* got NaT"),
        ("kind", "z", ValueError, "size must be a category seen in fit, 'a', 'b', 'c', 'd', got 'z'"),
        ("kind", ["a"], ValueError, "size must be a category seen in fit"),
        ("same", 4, ValueError, "size must be the one value seen in fit, 3, got 4"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_with_the_way_out(columns, name, value, error, words):
    with pytest.raises(error, match=words):
        columns[name].parse([value], HERE)


@pytest.mark.parametrize(
    ("name", "ends", "inner"),
    [
        ("tenths", (0.12, 0.58), (0.2, 0.5)),
        ("tenths", (0.1 + 0.2, 0.3), (0.3, 0.3)),  # what is one but for rounding
        ("tenths", (-5.0, 50.0), (0.0, 3.9)),
        ("single", (np.float32(0.101), np.float32(0.13)), (np.float32(0.11), np.float32(0.13))),
        ("integer", (0.5, 3.5), (1, 3)),
        ("large", (np.uint64(2**63 + 1), np.uint64(2**63 + 3)), (2**63 + 1, 2**63 + 3)),
        ("noon", ("2024-01-03", "2024-01-05"), ("2024-01-03T12", "2024-01-04T12")),
        # midnights in Berlin, before and after the clocks are put forward on 31 March
        ("midnight", ("2024-03-30T06", "2024-04-02T06"), ("2024-03-30T23", "2024-04-01T22")),
        (
            "wait",
            (np.timedelta64(16, "m"), np.timedelta64(59, "m")),
            (np.timedelta64(30, "m"), np.timedelta64(45, "m")),
        ),
    ],
)
def test_the_ends_of_a_range_move_inward_to_the_grid(columns, name, ends, inner):
    column = columns[name]
    if isinstance(ends[0], str):
        ends, inner = ([np.datetime64(end) for end in pair] for pair in (ends, inner))
    assert column.inward(*ends) == tuple(inner)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("tenths", (0.51, 0.59)),
        ("integer", (0.2, 0.8)),
        ("noon", (np.datetime64("2024-01-03T13"), np.datetime64("2024-01-04"))),
        ("midnight", (np.datetime64("2024-03-05T02"), np.datetime64("2024-03-05T20"))),
    ],
)
def test_a_range_without_a_value_of_the_grid_is_empty(columns, name, ends):
    low, high = columns[name].inward(*ends)
    assert low > high


def test_dates_centuries_apart_have_a_grid_too():
    ends = pd.Series(pd.to_datetime(["1700-01-01", "2200-01-01", "1900-05-05"]).astype("datetime64[ns]"))
    column = Codec().fit(pd.DataFrame({"t": ends})).columns_[0]
    found = column.inward(np.datetime64("1899-01-01T05"), np.datetime64("2199-01-01T05"))
    assert found == (np.datetime64("1899-01-02"), np.datetime64("2199-01-01"))


def test_numbers_are_kept_as_they_are_written():
    assert read_number(Decimal("0.1"), HERE) == Fraction(1, 10)
    assert read_number(10**400 // 10**100, HERE) == 10**300
    with pytest.raises(ValueError, match="must be a finite number"):
        read_number(10**400, HERE)
    assert read_number(np.float32(5.5), HERE) == 5.5 and read_number(np.uint64(2**64 - 1), HERE) == 2**64 - 1
    ticks = np.array(["2024-01-01", "2024-01-02"], dtype="M8[s]")
    assert read_ticks(ticks, np.dtype("M8[D]"), True, HERE) is ticks
