"""Tables come back as they were: kinds of columns, missing cells, dates, time zones, containers; nothing is invalid."""

import pickle
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow
import pytest
from coding import Codec
from generated import KINDS, generated_column
from hypothesis import given, settings
from hypothesis import strategies as st

from skmdiff import ManifoldDiffusionSampler
from skmdiff._table.dates import common_step

pl = pytest.importorskip("polars")
pytest.importorskip("pyarrow")

FAST = settings(max_examples=25, deadline=None)
BERLIN = "Europe/Berlin"
ARROW_BERLIN, ARROW_DURATION = f"timestamp[us, tz={BERLIN}][pyarrow]", "duration[s][pyarrow]"


def seconds(rng, n, step=1):
    """Seconds since 1970 within some years around 2020, on a grid; some repeated."""
    return (1_577_836_800 + rng.integers(-(10**8), 10**8, n) // step * step)[rng.integers(0, n, n)]


def stamps(rng, n, unit, step=1, fine=0):
    instants = pd.Series(seconds(rng, n, step).astype("datetime64[s]")).astype(f"datetime64[{unit}]")
    return instants + pd.to_timedelta(rng.integers(0, 1000, n), unit=unit) if fine else instants


PANDAS_KINDS = {
    "days": lambda rng, n: stamps(rng, n, "ns", 86_400),
    "hours": lambda rng, n: stamps(rng, n, "s", 3600),
    "milliseconds": lambda rng, n: stamps(rng, n, "ms", fine=1),
    "microseconds": lambda rng, n: stamps(rng, n, "us", fine=1),
    "nanoseconds": lambda rng, n: stamps(rng, n, "ns", fine=1),
    "utc": lambda rng, n: stamps(rng, n, "us").dt.tz_localize("UTC"),
    "berlin": lambda rng, n: stamps(rng, n, "ns", 3600).dt.tz_localize("UTC").dt.tz_convert(BERLIN),
    "midnights": lambda rng, n: stamps(rng, n, "s", 86_400).dt.tz_localize(BERLIN),
    "durations": lambda rng, n: pd.Series(pd.to_timedelta(rng.integers(-50, 50, n), unit="h")),
    "fine durations": lambda rng, n: pd.Series(rng.integers(-(10**9), 10**9, n).astype("timedelta64[us]")),
    "same date": lambda rng, n: pd.Series([pd.Timestamp("2020-02-29")] * n),
    "arrow string": lambda rng, n: pd.Series(np.array(["p", "q"])[rng.integers(0, 2, n)], dtype="string[pyarrow]"),
    "python string": lambda rng, n: pd.Series(np.array(["p", "q"])[rng.integers(0, 2, n)], dtype="string[python]"),
    "object string": lambda rng, n: pd.Series(np.array(["p", "q"], dtype=object)[rng.integers(0, 2, n)], dtype=object),
    "arrow int": lambda rng, n: pd.Series(rng.integers(-5, 5, n)).astype("int16[pyarrow]"),
    "arrow float": lambda rng, n: pd.Series(rng.normal(size=n)).astype("float[pyarrow]"),
    "arrow bool": lambda rng, n: pd.Series(rng.random(n) < 0.5).astype("bool[pyarrow]"),
    "arrow time": lambda rng, n: stamps(rng, n, "us", fine=1).astype("timestamp[us][pyarrow]"),
    "arrow berlin": lambda rng, n: stamps(rng, n, "us").dt.tz_localize("UTC").astype(ARROW_BERLIN),
    "arrow date": lambda rng, n: stamps(rng, n, "s", 86_400).astype("date32[pyarrow]"),
    "arrow duration": lambda rng, n: pd.Series(pd.to_timedelta(rng.integers(-9, 9, n), "s")).astype(ARROW_DURATION),
    "UInt8": lambda rng, n: pd.Series(rng.integers(0, 200, n), dtype="UInt8"),
    "Float32": lambda rng, n: pd.Series(np.round(rng.normal(size=n), 1), dtype="Float32"),
    "ordered": lambda rng, n: pd.Series(pd.Categorical.from_codes(rng.integers(0, 3, n), list("zyxw"), ordered=True)),
    "category of dates": lambda rng, n: pd.Series(pd.to_datetime(rng.integers(0, 3, n), unit="D")).astype("category"),
}
PANDAS_KINDS |= {kind: lambda rng, n, kind=kind: pd.Series(generated_column(rng, kind, n)) for kind in KINDS}
NEVER_MISSING = {"int8", "int64", "uint64", "bool", "sparse", "object_numbers"}  # the dtype would change
POLARS_TYPES = {
    "Int8": pl.Int8,
    "Int64": pl.Int64,
    "UInt32": pl.UInt32,
    "Float32": pl.Float32,
    "Float64": pl.Float64,
    "Boolean": pl.Boolean,
    "String": pl.String,
    "Categorical": pl.Categorical,
    "Enum": pl.Enum(["b", "a", "c", "d"]),
    "Date": pl.Date,
    "Datetime": pl.Datetime("ms"),
    "Datetime Berlin": pl.Datetime("us", BERLIN),
    "Duration": pl.Duration("ns"),
    "Time": pl.Time,
    "Decimal": pl.Decimal(12, 2),
}


def polars_column(rng, name, n):
    dtype, whole = POLARS_TYPES[name], pl.Series(rng.integers(0, 100, n))
    if name in ("String", "Categorical", "Enum"):
        return pl.Series(rng.choice(list("abc"), n).tolist(), dtype=dtype)
    if name == "Boolean":
        return whole > 50
    if name == "Decimal":
        return (whole.cast(pl.Float64) / 4).cast(dtype)
    if name.startswith("Float"):
        return pl.Series(rng.normal(size=n), dtype=dtype)
    return (whole * 3600 * 10**6).cast(dtype) if name.startswith("Datetime") else whole.cast(dtype)


@st.composite
def pandas_tables(draw):
    """A frame of random kinds, in each of which some cells may be missing, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 40))
    frame = {"varies": np.arange(n) % 7}
    for j, kind in enumerate(draw(st.lists(st.sampled_from(sorted(PANDAS_KINDS)), max_size=6))):
        column, share = PANDAS_KINDS[kind](rng, n), draw(st.sampled_from([0.0, 0.3, 1.0]))
        frame[f"{kind} {j}"] = column if kind in NEVER_MISSING else column.mask(rng.random(n) < share)
    return pd.DataFrame(frame, index=rng.permutation(n)), rng


@st.composite
def polars_tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 40))
    frame = {"varies": pl.Series(np.arange(n) % 7)}
    for j, name in enumerate(draw(st.lists(st.sampled_from(sorted(POLARS_TYPES)), max_size=6))):
        column, share = polars_column(rng, name, n), draw(st.sampled_from([0.0, 0.3, 1.0]))
        frame[f"{name} {j}"] = column.zip_with(pl.Series(rng.random(n) >= share), column.clear(n))
    return pl.DataFrame(frame), rng


def round_trip(codec, X, random_state):
    """Encoded, missing cells filled with anything, and decoded with those it had."""
    W = codec.encode(X, random_state)
    return codec.decode(np.where(np.isnan(W), 0.3, W), codec.missing_rows(codec.indicators(X)))


# --- round trips


@given(pandas_tables())
@FAST
def test_pandas_frames_come_back_exactly(drawn):
    frame, rng = drawn
    codec = Codec().fit(frame)
    for random_state in (None, rng):
        pd.testing.assert_frame_equal(round_trip(codec, frame, random_state), frame.reset_index(drop=True))


@given(polars_tables())
@FAST
def test_polars_frames_come_back_exactly(drawn):
    frame, rng = drawn
    codec = Codec().fit(frame)
    for random_state in (None, rng):
        back = round_trip(codec, frame, random_state)
        assert back.schema == frame.schema
        assert back.equals(frame)


@given(pandas_tables())
@FAST
def test_whatever_is_decoded_is_valid(drawn):
    """Same dtypes; seen categories; numbers and dates within what was seen; missing cells only where there are any."""
    frame, rng = drawn
    codec = pickle.loads(pickle.dumps(Codec().fit(frame)))
    W = rng.normal(size=(50, codec.n_outputs_)) * rng.choice([1, 5, 1e6])
    new = codec.decode(W, codec.missing_rows(rng.random((50, codec.patterns.n_indicators)) < 0.5))
    pd.testing.assert_series_equal(new.dtypes, frame.dtypes)
    assert isinstance(new.index, pd.RangeIndex)
    for name in frame:
        seen, drawn = frame[name].dropna(), new[name].dropna()
        assert frame[name].isna().any() or not new[name].isna().any()
        if len(seen) and (pd.api.types.is_numeric_dtype(seen) or seen.dtype.kind in "mM"):
            assert len(drawn) == 0 or (seen.min() <= drawn.min() and drawn.max() <= seen.max())
        elif not name.startswith("object_numbers"):
            assert set(drawn) <= set(seen)


@pytest.mark.slow
def test_a_million_rows_hold_no_invalid_value():
    rng, n = np.random.default_rng(0), 300
    frame = pd.DataFrame(
        {
            "count": pd.Series(rng.poisson(2, n), dtype="Int64").mask(rng.random(n) < 0.1),
            "price": rng.gamma(2, 9, n).round(2),
            "day": stamps(rng, n, "s", 86_400),
            "midnight": stamps(rng, n, "us", 86_400).dt.tz_localize(BERLIN),
            "flag": rng.random(n) < 0.3,
            "kind": pd.Categorical.from_codes(rng.integers(0, 3, n), list("abcd")),
            "id": pd.Series([f"level {k}" for k in rng.integers(0, 90, n)]),
        }
    )
    codec = Codec().fit(frame)
    new = codec.decode(3 * rng.normal(size=(10**6, codec.n_outputs_)), codec.missing_rows(rng.random((10**6, 1)) < 0.1))
    pd.testing.assert_series_equal(new.dtypes, frame.dtypes)
    assert set(new["count"].dropna().unique()) <= set(range(frame["count"].max() + 1))
    for name in ("price", "day", "midnight"):
        assert new[name].between(frame[name].min(), frame[name].max()).all()
    assert np.array_equal(new["price"], new["price"].round(2))
    assert (new["day"].dt.normalize() == new["day"]).all() and new["day"].nunique() > 1000
    assert (new["midnight"].dt.normalize() == new["midnight"]).all() and new["midnight"].nunique() > 1000
    assert set(new["kind"]) <= set("abc") and set(new["id"]) <= set(frame["id"])
    assert not new.drop(columns="count").isna().any(axis=None)


# --- dates


@pytest.mark.parametrize(
    ("ticks", "unit", "step"),
    [
        ([0, 86_400, 864_000], "s", 86_400),
        ([43_200, 129_600], "s", 86_400),
        ([0, 7200], "s", 3600),
        ([0, 1800], "s", 900),
        ([0, 61], "s", 1),
        ([0, 120_000], "ms", 60_000),
        ([5, 8], "us", 1),
        ([0, 3000], "us", 1000),
        ([7, 3_000_007], "ns", 10**6),
        ([-1, 1], "s", 1),
        ([3, 5], "D", 1),
    ],
)
def test_steps_are_the_longest_that_divide_all_differences(ticks, unit, step):
    assert common_step(np.array(ticks), np.dtype(f"M8[{unit}]")) == step


def test_new_dates_are_interpolated_on_the_grid_that_was_seen():
    """Mondays at noon that are seen once: new dates lie between, on days, at noon."""
    seen = pd.DataFrame({"t": pd.date_range("2020-01-06 12:00", periods=100, freq="7D")})
    codec = Codec().fit(seen)
    new = codec.decode(np.random.default_rng(0).normal(size=(2000, 1)))["t"]
    assert (new.dt.hour == 12).all() and set(new.dt.day_of_week) == set(range(7))
    assert new.between(seen["t"].min(), seen["t"].max()).all()


def test_an_hour_that_comes_twice_is_kept_apart():
    """03:00 summer time goes back to 02:00: 02:30 is twice, and both come back as they were."""
    instants = pd.date_range("2020-10-24 22:30", periods=8, freq="h", tz="UTC").tz_convert(BERLIN)
    frame = pd.DataFrame({"t": instants})
    codec = Codec().fit(frame)
    assert (frame["t"].dt.strftime("%H:%M") == "02:30").sum() == 2
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


def test_dates_may_be_categories_and_centuries_apart():
    frame = pd.DataFrame({"t": pd.to_datetime(["1700-01-01", "2200-01-01", "2200-01-01"]).astype("datetime64[ns]")})
    for categorical in (None, [0]):
        codec = Codec(categorical).fit(frame)
        assert codec.blocks_[0].kind == ("numeric" if categorical is None else "categorical")
        pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


def test_dates_of_arrays_come_back():
    X = np.array([["2020-01-01", "2021-05-05"], ["2020-01-03", "NaT"], ["2020-01-09", "2021-05-06"]], dtype="M8[D]")
    codec = Codec().fit(X)
    np.testing.assert_array_equal(round_trip(codec, X, None), X)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, 2.0, 3.0], "'t' of X must hold dates as in fit, got .*1.0"),
        (pd.to_timedelta([1, 2, 3], unit="D"), "'t' of X must hold dates as in fit, got .*timedelta"),
    ],
)
def test_what_was_a_date_must_be_one(column, message):
    frame = pd.DataFrame({"t": pd.date_range("2020", periods=3)})
    with pytest.raises(ValueError, match=message):
        Codec().fit(frame).encode(frame.assign(t=column))


# --- missing cells of objects and arrays


@pytest.mark.parametrize("filler", [None, np.nan, pd.NA, pd.NaT], ids=repr)
def test_objects_keep_what_they_write_for_missing_cells(filler):
    frame = pd.DataFrame({"v": [1, 2, 3, 1], "s": pd.Series(["a", filler, "b", "a"], dtype=object)})
    back = round_trip(Codec().fit(frame), frame, None)
    assert back["s"].dtype == object and type(back["s"][1]) is type(filler) and back["s"].tolist()[::2] == ["a", "b"]
    X = frame.to_numpy()
    assert type(round_trip(Codec().fit(X), X, None)[1, 1]) is type(filler)


OBJECTS = {
    "date": lambda k: date(2024, 1, 1) + timedelta(days=k),
    "datetime": lambda k: datetime(2024, 1, 1, 7, 30) + timedelta(hours=k),
    "duration": lambda k: timedelta(minutes=15 * k),
    "decimal": lambda k: Decimal(k * 25) / 100,
    "timestamp": lambda k: pd.Timestamp(2024, 1, 1) + pd.Timedelta(k, unit="ns"),
}


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("as_array", [False, True])
def test_objects_as_databases_return_them_come_back_as_objects_of_their_type(kind, as_array):
    cells = [OBJECTS[kind](k) for k in (3, 9, 4, 4, 0, 7)]
    column = pd.Series([*cells[:2], None, *cells[2:]], dtype=object)
    frame = pd.DataFrame({"v": np.arange(7.0), "s": column})
    X = frame.to_numpy() if as_array else frame
    codec = Codec().fit(X)
    assert codec.columns_[1].kind == "numeric"
    back = round_trip(codec, X, None)
    back = pd.DataFrame(back, columns=["v", "s"], dtype=object) if as_array else back
    assert back["s"].dtype == object and back["s"][2] is None
    assert back["s"].drop(2).tolist() == cells and {type(cell) for cell in back["s"].drop(2)} == {type(cells[0])}
    new = codec.decode(np.random.default_rng(0).normal(size=(100, 2)))
    new = pd.DataFrame(new, columns=["v", "s"], dtype=object) if as_array else new
    assert {type(cell) for cell in new["s"]} == {type(cells[0])}
    assert min(cells) <= new["s"].min() and new["s"].max() <= max(cells)


@pytest.mark.parametrize(
    "cells",
    [
        [datetime(2024, 1, 1, tzinfo=timezone.utc), datetime(2024, 1, 2, tzinfo=timezone.utc)],
        [date(2024, 1, 1), datetime(2024, 1, 2)],
        [pd.Interval(0, 1), pd.Interval(1, 2)],
        [b"a", b"b"],
        [1, True],
    ],
)
def test_other_objects_are_refused_with_the_way_out(cells):
    frame = pd.DataFrame({"v": [1.0, 2.0], "s": pd.Series(cells, dtype=object)})
    with pytest.raises(TypeError, match="'s' of X must hold cells of one kind: .* got the types .*astype.*to_datetime"):
        Codec().fit(frame)


def test_nan_and_null_of_polars_are_told_apart():
    frame = pl.DataFrame({"nan": [1.0, float("nan"), 2.0], "null": [1.0, None, 2.0], "all": [float("nan")] * 3})
    back = round_trip(Codec().fit(frame), frame, None)
    assert back["nan"].null_count() == 0 and back["null"].null_count() == 1 and back["all"].is_nan().all()


def test_a_column_that_was_empty_must_stay_so():
    frame = pd.DataFrame({"v": [1, 2, 3], "e": [None] * 3})
    codec = Codec().fit(frame)
    with pytest.raises(ValueError, match="'e' of X must be empty as in fit, got 'x'"):
        codec.encode(frame.assign(e="x"))


# --- errors


@pytest.mark.parametrize(
    "ids",
    [pd.Series([f"row {k}" for k in range(100)], dtype="string[pyarrow]"), pl.Series([f"row {k}" for k in range(100)])],
    ids=["arrow", "polars"],
)
def test_identifiers_are_refused_with_the_ways_out(ids):
    frame = pl.DataFrame if isinstance(ids, pl.Series) else pd.DataFrame
    with pytest.raises(ValueError, match="'id'.*100 distinct strings in 100 rows.*Drop the column, or group its val"):
        Codec().fit(frame({"id": ids, "v": list(range(100))}))


@pytest.mark.parametrize(
    ("column", "got"),
    [
        (pl.Series([[1], [2]]), r"List\(Int64\)"),
        (pl.Series([b"a", b"b"]), "Binary"),
        (pl.Series([{"a": 1}, {"a": 2}]), "Struct"),
    ],
)
def test_columns_of_polars_that_are_no_table_are_refused(column, got):
    with pytest.raises(TypeError, match=f"'c' of X must hold numbers, strings.*got dtype {got}"):
        Codec().fit(pl.DataFrame({"c": column}))


# --- the sampler


@pytest.mark.parametrize("polars", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_sampler_takes_tables_as_they_are(polars):
    rng, n = np.random.default_rng(0), 120
    frame = pd.DataFrame(
        {
            "when": stamps(rng, n, "us", 3600).dt.tz_localize("UTC").dt.tz_convert(BERLIN),
            "days": stamps(rng, n, "ms", 86_400),
            "amount": rng.gamma(2, 9, n).round(2),
            "kind": pd.Series(rng.choice(["a", "b"], n), dtype="str"),
            "took": pd.to_timedelta(rng.integers(0, 9, n), unit="h"),
        }
    )
    frame["amount"] = frame["amount"].mask(rng.random(n) < 0.2)
    X = pl.from_pandas(frame) if polars else frame
    est = ManifoldDiffusionSampler(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, random_state=0).fit(X)
    new = est.sample(50)
    assert type(new) is type(X) and new.shape == (50, 5)
    assert new.schema == X.schema if polars else new.dtypes.equals(X.dtypes)
    assert np.isfinite(est.score(X[:20])) and est.embed(X).shape[0] == n
    assert type(est.lift(est.embedding_[:3])) is type(X)
    one = est.sample(1)
    assert one.equals(new[:1])


def test_arrow_decimals_and_times_of_the_day():
    """As polars has them; a time is the duration since midnight."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "price": pd.Series(
                [Decimal(int(k)) / 100 for k in rng.integers(-900, 900, 60)],
                dtype=pd.ArrowDtype(pyarrow.decimal128(10, 2)),
            ),
            "at": pd.Series(
                [time(int(h), int(m)) for h, m in rng.integers(0, [24, 60], (60, 2))],
                dtype=pd.ArrowDtype(pyarrow.time64("us")),
            ),
            "hour": pd.Series(
                [time(int(h)) for h in rng.integers(0, 24, 60)], dtype=pd.ArrowDtype(pyarrow.time32("s"))
            ),
        }
    )
    frame.iloc[3, 0] = frame.iloc[4, 1] = pd.NA
    codec = Codec().fit(frame)
    pd.testing.assert_frame_equal(round_trip(codec, frame, rng), frame)
    drawn = codec.decode(rng.normal(size=(500, codec.n_outputs_)))
    assert drawn.dtypes.equals(frame.dtypes) and {t.minute for t in drawn["hour"]} == {0}
    assert drawn["price"].min() >= frame["price"].min() and drawn["at"].max() <= frame["at"].max()


def test_a_date_column_without_any_cell_in_a_new_table():
    frame = pd.DataFrame({"x": np.arange(30.0), "day": pd.date_range("2024-01-01", periods=30)})
    codec = Codec().fit(frame)
    for nothing in ([None], [pd.NaT], [np.nan]):
        W = codec.encode(pd.DataFrame({"x": [0.5], "day": nothing}))
        np.testing.assert_array_equal(np.isnan(W), [[False, True]])


def test_a_constant_column_holds_its_kind():
    codec = Codec().fit(pd.DataFrame({"x": np.arange(30.0), "one": 1}))
    assert codec.encode(pd.DataFrame({"x": [0.5], "one": [2]})).shape == (1, 1)
    with pytest.raises(ValueError, match="Column 'one' of X must hold numbers as in fit, got 'zz'"):
        codec.encode(pd.DataFrame({"x": [0.5], "one": ["zz"]}))
