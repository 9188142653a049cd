"""The codec is exact: round trips, and every error."""

import pickle
import string

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from generated import KINDS, generated_column
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skmdiff._table.checks import check_table
from skmdiff._table.columns import category_codes, nearest_codes
from skmdiff._table.numeric import StandardColumn

LAW = settings(max_examples=60, deadline=None)


@st.composite
def frames(draw):
    """A frame of random kinds of columns, one of which varies, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 50))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=8))
    columns = {"varies": np.arange(n) % 7}
    columns |= {f"{kind} {j}": generated_column(rng, kind, n) for j, kind in enumerate(kinds)}
    return pd.DataFrame(columns, index=rng.permutation(n)), rng


# -- round trip --------------------------------------------------------------------------------------------


@given(frames())
@LAW
def test_round_trip_of_frames_is_exact(drawn):
    frame, rng = drawn
    codec = Codec().fit(frame)
    expected = frame.reset_index(drop=True)
    for random_state in (None, rng):
        pd.testing.assert_frame_equal(codec.decode(codec.encode(frame, random_state)), expected)


@given(frames())
@LAW
def test_any_matrix_decodes_to_seen_levels_inside_seen_bounds(drawn):
    frame, rng = drawn
    codec = Codec().fit(frame)
    decoded = codec.decode(rng.normal(size=(50, codec.n_outputs_)) * rng.choice([1, 5, 1e6]))
    assert decoded.dtypes.equals(frame.dtypes)
    assert isinstance(decoded.index, pd.RangeIndex)
    for name in frame:
        seen, new = frame[name], decoded[name]
        if pd.api.types.is_numeric_dtype(seen) or name.startswith("object_numbers"):
            assert seen.min() <= new.min() and new.max() <= seen.max()
        else:
            assert set(new) <= set(seen)
        if name.startswith("decimals"):
            assert_array_equal(new, np.round(new, 2))


@given(
    hnp.arrays(
        dtype=st.sampled_from([np.float64, np.float32, np.int16, np.int64, np.uint8, np.bool_]),
        shape=st.tuples(st.integers(2, 30), st.integers(1, 4)),
        elements={"allow_nan": False, "allow_infinity": False, "allow_subnormal": False},
        fill=st.nothing(),
    ),
    st.integers(0, 10),
)
@LAW
def test_round_trip_of_arrays_is_exact(X, seed):
    X = np.column_stack([X, np.arange(len(X)) % 2]).astype(X.dtype)
    codec = Codec().fit(X)
    decoded = codec.decode(codec.encode(X, np.random.default_rng(seed)))
    assert decoded.dtype == X.dtype
    assert_array_equal(decoded, X)
    assert np.isfinite(codec.log_volume(X)).all()


@pytest.mark.parametrize(
    "X",
    [
        np.array([["a", "x"], ["b", "x"], ["a", "y"]]),
        np.array([["a", 1, 1.5, True], ["b", 3, 2.5, False], ["a", 1, 1.5, True]], dtype=object),
    ],
)
def test_round_trip_of_string_and_object_arrays(X):
    codec = Codec().fit(X)
    decoded = codec.decode(codec.encode(X, np.random.default_rng(0)))
    assert decoded.dtype == X.dtype
    assert_array_equal(decoded, X)
    assert [type(cell) for cell in decoded[0].tolist()] == [type(cell) for cell in X[0].tolist()]


@pytest.mark.parametrize("columns", [[0, "b"], [("u", 1), ("v", 2)], [10, 20]])
def test_column_labels_of_any_kind_come_back(columns):
    frame = pd.DataFrame([[1.0, "p"], [2.0, "q"], [3.0, "p"]])
    frame.columns = pd.MultiIndex.from_tuples(columns) if isinstance(columns[0], tuple) else columns
    codec = Codec().fit(frame)
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


def test_standard_round_trip_and_closed_form():
    rng = np.random.default_rng(0)
    decimals = np.round(rng.normal(size=200), 1)
    frame = pd.DataFrame({"x": rng.normal(5, 3, 200), "d": decimals, "i": np.arange(200)})
    codec = Codec(numeric="standard").fit(frame)
    W = codec.encode(frame, rng)
    assert_allclose(W, (frame - frame.mean()) / frame.std(ddof=0), atol=1e-12)
    decoded = codec.decode(W)
    assert_allclose(decoded["x"], frame["x"], rtol=1e-12)
    pd.testing.assert_frame_equal(decoded[["d", "i"]], frame[["d", "i"]])
    # one decimal: the unit of the second column is a tenth
    assert_allclose(codec.log_volume(frame), -np.log(frame.std(ddof=0)).sum() - np.log(10))
    assert codec.decode(W + 10)["i"].max() > 199  # not clipped to the seen bounds
    far = Codec(numeric="standard").fit(np.array([[0], [255]], dtype=np.uint8))
    assert_array_equal(far.decode([[-9.0], [9.0]]), [[0], [255]])  # but to what the dtype holds


def test_standard_numbers_within_the_range_are_mirrored_at_its_ends():
    x = np.array([0.0, 1.5, 4.0, 8.25, 10.0])
    column = StandardColumn(x, "x", within_range=True)
    beyond = np.array([[-2.0], [11.0], [10.0], [0.0], [25.0], [-1e300]])
    assert_allclose(column.decode((beyond - x.mean()) / x.std()), [2, 9, 10, 0, 0, 0], atol=1e-12)
    assert_allclose(column.decode(column.encode(x)), x)
    far = StandardColumn(np.array([2**62, 2**62 + 4, 2**62 + 6]), "far", within_range=True)
    steps = (np.array([[-1], [8]]) - 10 / 3) / np.std([0, 4, 6])
    assert_array_equal(far.decode(steps), 2**62 + np.array([1, 4]))


def test_state_is_pickled_and_free_of_training_rows():
    frame = pd.DataFrame({"x": np.repeat(np.arange(5.0), 400), "c": ["a", "b"] * 1000})
    codec = Codec().fit(frame)
    copy = pickle.loads(pickle.dumps(codec))
    W = codec.encode(frame, np.random.default_rng(3))
    assert_array_equal(W, copy.encode(frame, np.random.default_rng(3)))
    pd.testing.assert_frame_equal(copy.decode(W), frame)
    assert len(pickle.dumps(codec)) < 6000


# -- categories --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequencies", [[0.5, 0.5], [0.2, 0.3, 0.5], [0.98, 0.02], np.full(100, 0.01)])
@pytest.mark.parametrize("max_onehot", [1, 50])
def test_codes_are_centred_with_unit_variance_and_bounded_scale(frequencies, max_onehot):
    frequencies = np.asarray(frequencies)
    codes = category_codes(frequencies, max_onehot)
    assert_allclose(frequencies @ codes, 0, atol=1e-12)
    variance = frequencies @ (codes**2).sum(axis=1)
    assert variance <= 1 + 1e-12
    if len(codes) <= max_onehot:
        scale = np.linalg.norm(codes[0] - codes[1]) / np.sqrt(2)
        assert 1 <= scale <= 2 + 1e-12
        assert np.isclose(variance, 1) or np.isclose(scale, 2)


def test_hundred_level_codes_are_separated():
    codes = category_codes(np.full(100, 0.01), max_onehot=50)
    assert codes.shape == (100, 16)
    distances = np.linalg.norm(codes[:, None] - codes[None], axis=2)[np.triu_indices(100, 1)]
    assert distances.min() > 0.5
    assert_allclose(np.median(distances), np.sqrt(2), atol=0.1)


def test_nearest_code_equals_the_slow_search(monkeypatch):
    rng = np.random.default_rng(0)
    block, codes = rng.normal(size=(101, 3)), rng.normal(size=(7, 3))
    slow = ((block[:, None] - codes[None]) ** 2).sum(axis=2).argmin(axis=1)
    monkeypatch.setattr("skmdiff._table.columns.NEAREST_CELLS", 70)  # ten rows at a time
    assert_array_equal(nearest_codes(block, codes), slow)


def test_blocks_describe_the_matrix():
    letters = pd.Categorical(["b", "a", "b"], ["c", "b", "a"])
    frame = pd.DataFrame({"x": [1.0, 2, 3], "k": 5, "c": letters, "i": [1, 1, 2]})
    codec = Codec().fit(frame)
    found = [(b.kind, b.start, b.stop, b.name) for b in codec.blocks_]
    assert found == [("numeric", 0, 1, "x"), ("categorical", 1, 3, "c"), ("numeric", 3, 4, "i")]
    assert codec.n_outputs_ == 4
    W = codec.encode(frame)
    assert_array_equal(W[:, 1:3], codec.blocks_[1].codes[[0, 1, 0]])  # order of the dtype: b, a


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ("from_dtype", ["numeric", "numeric", "categorical"]),
        ([True, False, True], ["categorical", "numeric", "categorical"]),
        ([1, 2], ["numeric", "categorical", "categorical"]),
        (["b", "c"], ["numeric", "categorical", "categorical"]),
        (["b"], ["numeric", "categorical", "categorical"]),
        ([0], ["categorical", "numeric", "categorical"]),
        ([False, True, False], ["numeric", "categorical", "categorical"]),
        ([], ["numeric", "numeric", "categorical"]),
        (np.array(["c"], dtype=object), ["numeric", "numeric", "categorical"]),
    ],
)
def test_categorical_features(given, kinds):
    frame = pd.DataFrame({"a": [1, 2, 1, 2], "b": [1.5, 2.5, 3.5, 2.5], "c": [True, False, True, True]})
    codec = Codec(given).fit(frame)
    assert [block.kind for block in codec.blocks_] == kinds
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


def test_bools_may_be_numbers():
    X = np.array([[True, False], [False, False], [True, True]])
    codec = Codec(None).fit(X)
    assert [block.kind for block in codec.blocks_] == ["numeric", "numeric"]
    assert_array_equal(codec.decode(codec.encode(X)), X)


# -- errors ------------------------------------------------------------------------------------------------

GOOD = pd.DataFrame({"age": [1.0, 2, 3], "job": ["a", "b", "a"]})
DATES = pd.date_range("2020", periods=3)
ID = pd.DataFrame({"id": [a + b for a in string.ascii_letters for b in "xy"], "v": np.arange(104.0)})
DAYS = pd.DataFrame({"day": [str(d)[:10] for d in pd.date_range("2020", periods=104)], "v": np.arange(104.0)})

BAD_TABLES = [
    (GOOD.assign(age=[1, np.inf, 3]), ValueError, "contains infinity.*'age'"),
    (GOOD.assign(age=[1j, 2, 3]), ValueError, "Complex data not supported.*'age'"),
    (GOOD.assign(age=DATES.to_period("M")), ValueError, "'age'.*got periods.*to_timestamp"),
    (np.array([[1.0], [{"foo": "bar"}]], dtype=object), TypeError, "argument must be a string or a number"),
    (GOOD.assign(job=["a", 1, "b"]), TypeError, "'job'.*types int, str"),
    (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), ValueError, r"unique.*\['a'\]"),
    (np.empty((0, 3)), ValueError, r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 2 is required"),
    (np.empty((3, 0)), ValueError, r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required"),
    (GOOD.iloc[:1], ValueError, r"1 sample\(s\)"),
    (np.arange(3), ValueError, "Expected 2D array, got 1D array instead"),
    (sparse.csr_array(np.eye(3)), TypeError, "Sparse data was passed for X, but dense data is required"),
    (np.ones((4, 2)), ValueError, "At least one column of X must vary, got one value"),
    (ID, ValueError, "'id'.*104 distinct strings in 104 rows: an identifier or free text. Drop"),
    (DAYS, ValueError, "free text. They look like dates: make them dates by pd.to_datetime. Drop"),
]


@pytest.mark.parametrize(("X", "error", "message"), BAD_TABLES)
def test_bad_tables(X, error, message):
    with pytest.raises(error, match=message):
        Codec().fit(X)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"numeric": "rank"}, ValueError, "numeric must be one of.*'rank'"),
        ({"max_onehot": 0}, ValueError, "max_onehot == 0"),
        ({"max_onehot": 2.5}, TypeError, "max_onehot must be"),
        ({"categorical_features": "dtype"}, ValueError, "categorical_features must be one of.*'dtype'"),
        ({"categorical_features": 1}, TypeError, "categorical_features must be.*got 1"),
        ({"categorical_features": [0, 2]}, ValueError, r"\[0, 1\], got \[0, 2\]"),
        ({"categorical_features": [-1]}, ValueError, r"\[0, 1\], got \[-1\]"),
        ({"categorical_features": [0.5]}, TypeError, "bools, integers or column names"),
        ({"categorical_features": ["jib"]}, ValueError, r"unknown \['jib'\]"),
        ({"categorical_features": [True]}, ValueError, r"one entry per column \(2\), got \["),
        ({"categorical_features": None}, ValueError, "'job'.*categorical_features=None.*'from_dtype'"),
    ],
)
def test_bad_parameters(params, error, message):
    with pytest.raises(error, match=message):
        Codec(**params).fit(GOOD)


def test_names_need_a_frame():
    with pytest.raises(ValueError, match="integers or a mask when X is an array"):
        Codec(categorical_features=["a"]).fit(np.eye(3))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (GOOD.assign(job=["a", "z", "b"]), "'job'.*unseen 'z'"),
        (GOOD.assign(age=["1", "2", "3"]), "'age'.*must hold numbers.*'1'"),
        (GOOD.assign(age=DATES), "'age'.*must hold numbers.*2020"),
        (GOOD[["age"]], "X has 1 features, but TableCodec is expecting 2"),
        (GOOD[["job", "age"]], "columns of X must be those seen in fit"),
    ],
)
def test_new_tables_unlike_the_training_table(X, message):
    with pytest.raises(ValueError, match=message):
        Codec().fit(GOOD).encode(X)


def test_a_new_level_of_a_constant_category_is_refused():
    codec = Codec().fit(GOOD.assign(job="a"))
    with pytest.raises(ValueError, match="'job'.*unseen 'b'"):
        codec.encode(GOOD)


@pytest.mark.parametrize(("W", "message"), [(np.ones((2, 9)), "shape"), (np.full((2, 3), np.nan), "NaN")])
def test_decode_refuses_what_is_no_matrix_of_codes(W, message):
    with pytest.raises(ValueError, match=message):
        Codec().fit(GOOD).decode(W)


def test_check_table_returns_frames_untouched_and_lists_as_arrays():
    assert check_table(GOOD) is GOOD
    assert_array_equal(check_table([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    assert len(check_table(GOOD.iloc[:1], min_samples=1)) == 1


# -- distances ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numeric", ["quantile", "standard", "smooth"])
def test_distances_are_those_of_the_table_in_standard_deviations(numeric):
    """Skewed numbers, large integers, dates, a number half of which is zero, and categories by their code."""
    rng = np.random.default_rng(0)
    half = np.where(rng.random(300) < 0.5, 0.0, rng.normal(size=300) + 5)
    days = rng.integers(0, 900, 300)
    frame = pd.DataFrame(
        {
            "skewed": np.exp(2 * rng.normal(size=300)),
            "large": 2**60 + rng.integers(0, 10**6, 300),
            "day": np.datetime64("2020-01-01") + days,
            "half": half,
            "kind": rng.choice(["a", "b"], 300),
        }
    )
    codec = Codec(numeric=numeric).fit(frame)
    W = codec.encode(frame)
    X = codec.in_units(W)
    for j, numbers in enumerate([frame["skewed"], (frame["large"] - 2**60).astype(float), days.astype(float), half]):
        numbers = np.asarray(numbers)
        assert_allclose(X[:, j] - X[0, j], (numbers - numbers[0]) / numbers.std(), atol=1e-6)
    block = codec.blocks_[-1]
    assert_array_equal(X[:, 4:], W[:, block.start : block.stop])
