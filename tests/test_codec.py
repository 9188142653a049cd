"""The codec is exact: round trips, laws and volumes against closed forms, and every error."""

import pickle
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from scipy.integrate import trapezoid
from sklearn.preprocessing import QuantileTransformer

from skmdiff._checks import check_table
from skmdiff._codec import TableCodec
from skmdiff._columns import level_codes, nearest_codes, seen_decimals

pd = pytest.importorskip("pandas")

LAW = settings(max_examples=60, deadline=None)


def column_of(values, numeric="quantile"):
    """The codec of one column, whatever its values."""
    return TableCodec(numeric=numeric).fit(np.asarray(values).reshape(-1, 1))


def log_volume_of(codec, values):
    return codec.log_volume(np.asarray(values, dtype=float).reshape(-1, 1))


def generated_column(rng, kind, n):
    """A column of one of the kinds that tables are made of."""
    small = rng.integers(0, 4, n)
    return {
        "normal": lambda: rng.normal(size=n),
        "float32": lambda: rng.normal(size=n).astype(np.float32),
        "wide": lambda: rng.normal(size=n) * 10.0 ** rng.integers(-200, 200, n),
        "int8": lambda: rng.integers(-128, 128, n).astype(np.int8),
        "int64": lambda: rng.integers(-(2**63), 2**63 - 1, n),
        "uint64": lambda: rng.integers(0, 2**64 - 1, n, dtype=np.uint64),
        "zero_inflated": lambda: np.where(rng.random(n) < 0.6, 0, rng.exponential(size=n)),
        "bounded": lambda: np.clip(rng.normal(size=n), -1, 1),
        "decimals": lambda: np.round(rng.normal(size=n), 2),
        "constant": lambda: np.full(n, 3.5),
        "constant_level": lambda: np.full(n, "only", dtype=object),
        "two_levels": lambda: np.array(["yes", "no"], dtype=object)[small % 2],
        "str": lambda: pd.Series(np.array(list("abcd"))[small], dtype="str"),
        "hundred_levels": lambda: pd.Categorical([f"level {k}" for k in rng.integers(0, 100, n)]),
        "bool": lambda: rng.random(n) < 0.3,
        "Int64": lambda: pd.array(small, dtype="Int64"),
        "Float64": lambda: pd.array(rng.normal(size=n), dtype="Float64"),
        "boolean": lambda: pd.array(small > 1, dtype="boolean"),
        "object_numbers": lambda: np.array(small.tolist(), dtype=object),
        "unused_levels": lambda: pd.Categorical.from_codes(small, [5, 3, 9, 1, 7], ordered=True),
        "intervals": lambda: pd.cut(rng.normal(size=n), [-9, -1, 0, 1, 9]),
        "sparse": lambda: pd.arrays.SparseArray(np.where(small == 0, 1.5, 0)),
    }[kind]()


KINDS = ["normal", "float32", "wide", "int8", "int64", "uint64", "zero_inflated", "bounded", "decimals"]
KINDS += ["constant", "constant_level", "two_levels", "str", "hundred_levels", "bool", "Int64", "Float64"]
KINDS += ["boolean", "object_numbers", "unused_levels", "intervals", "sparse"]


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
    codec = TableCodec().fit(frame)
    expected = frame.reset_index(drop=True)
    for random_state in (None, rng):
        pd.testing.assert_frame_equal(codec.decode(codec.encode(frame, random_state)), expected)


@given(frames())
@LAW
def test_any_matrix_decodes_to_seen_levels_inside_seen_bounds(drawn):
    frame, rng = drawn
    codec = TableCodec().fit(frame)
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
    codec = TableCodec().fit(X)
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
    codec = TableCodec().fit(X)
    decoded = codec.decode(codec.encode(X, np.random.default_rng(0)))
    assert decoded.dtype == X.dtype
    assert_array_equal(decoded, X)
    assert [type(cell) for cell in decoded[0].tolist()] == [type(cell) for cell in X[0].tolist()]


@pytest.mark.parametrize("columns", [[0, "b"], [("u", 1), ("v", 2)], [10, 20]])
def test_column_labels_of_any_kind_come_back(columns):
    frame = pd.DataFrame([[1.0, "p"], [2.0, "q"], [3.0, "p"]])
    frame.columns = pd.MultiIndex.from_tuples(columns) if isinstance(columns[0], tuple) else columns
    codec = TableCodec().fit(frame)
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


def test_standard_round_trip_and_closed_form():
    rng = np.random.default_rng(0)
    decimals = np.round(rng.normal(size=200), 1)
    frame = pd.DataFrame({"x": rng.normal(5, 3, 200), "d": decimals, "i": np.arange(200)})
    codec = TableCodec(numeric="standard").fit(frame)
    W = codec.encode(frame, rng)
    assert_allclose(W, (frame - frame.mean()) / frame.std(ddof=0), atol=1e-12)
    decoded = codec.decode(W)
    assert_allclose(decoded["x"], frame["x"], rtol=1e-12)
    pd.testing.assert_frame_equal(decoded[["d", "i"]], frame[["d", "i"]])
    assert_allclose(codec.log_volume(frame), -np.log(frame.std(ddof=0)).sum())
    assert codec.decode(W + 10)["i"].max() > 199  # not clipped to the seen bounds
    far = TableCodec(numeric="standard").fit(np.array([[0], [255]], dtype=np.uint8))
    assert_array_equal(far.decode([[-9.0], [9.0]]), [[0], [255]])  # but to what the dtype holds


def test_state_is_pickled_and_free_of_training_rows():
    frame = pd.DataFrame({"x": np.repeat(np.arange(5.0), 400), "c": ["a", "b"] * 1000})
    codec = TableCodec().fit(frame)
    copy = pickle.loads(pickle.dumps(codec))
    W = codec.encode(frame, np.random.default_rng(3))
    assert_array_equal(W, copy.encode(frame, np.random.default_rng(3)))
    pd.testing.assert_frame_equal(copy.decode(W), frame)
    assert len(pickle.dumps(codec)) < 6000


# -- laws --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["normal", "zero_inflated", "bounded", "decimals", "int8", "Int64"])
def test_encoded_training_column_is_standard_normal(kind):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generated_column(rng, kind, 4000)})
    w = TableCodec().fit(frame).encode(frame, rng)[:, 0]
    assert stats.kstest(w, "norm").pvalue > 0.01
    assert abs(w.std() - 1) < 0.03


@pytest.mark.parametrize("kind", ["zero_inflated", "decimals", "Int64", "normal"])
def test_standard_normal_decodes_to_the_law_of_the_column(kind):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": generated_column(rng, kind, 2000)})
    new = TableCodec().fit(frame).decode(rng.normal(size=(20_000, 1)))["x"].astype(float)
    seen = frame["x"].astype(float)
    assert stats.ks_2samp(seen, new).statistic < 0.02  # 1.6 standard errors of the larger draw
    top = seen.mode()[0]
    assert_allclose((new == top).mean(), (seen == top).mean(), atol=0.015)


def test_singletons_give_interpolated_values_and_atoms_do_not():
    x = np.array([0.0, 0.0, 1.0, 2.0, 2.0, 4.0])
    codec = column_of(x + 0.123456789)
    new = codec.decode(np.random.default_rng(0).normal(size=(2000, 1)))[:, 0] - 0.123456789
    inside = new[(new > 1e-9) & (np.abs(new - 2) > 1e-9) & (new < 4 - 1e-9)]
    # 1 owns (1/3, 1/2) and reaches half-way to both atoms, 4 owns (5/6, 1) and starts half-way from 2
    assert ((0.5 <= inside) & (inside <= 1.5) | (inside >= 3)).all()
    shares = [(new < 1e-9).mean(), (inside < 2).sum() / 2000, (inside > 2).sum() / 2000]
    assert_allclose(shares, [1 / 3, 1 / 6, 1 / 12], atol=0.04)


def test_grid_of_the_column_is_kept_by_new_values():
    rng = np.random.default_rng(0)
    wide = rng.choice(100_000, 300, replace=False)
    assert (np.unique(wide, return_counts=True)[1] == 1).all()
    for scale, decimals in ((1, 0), (0.01, 2)):
        new = column_of(wide * scale).decode(rng.normal(size=(1000, 1)))
        assert_array_equal(new, np.round(new, decimals))
        assert len(np.setdiff1d(new, np.round(wide * scale, decimals))) > 500


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.0, -3.0, 1e17], 0),
        ([0.1, 0.25], 2),
        ([0.1 + 0.2, 12345.1], 1),
        (np.array([0.1, 0.25], dtype=np.float32), 2),
        ([1e-8, 3.0], 8),
        ([1 / 3, 0.5], None),
        (np.array([1 / 3, 0.5], dtype=np.float32), None),
        ([1e6 + 1 / 3, 1e6], None),
        ([1, 2], 0),
        ([1e300, 1.5], 1),
    ],
)
def test_seen_decimals(values, decimals):
    assert seen_decimals(np.asarray(values)) == decimals


def test_continuous_column_agrees_with_quantile_transformer():
    rng = np.random.default_rng(0)
    x, new = rng.gamma(2, size=(500, 1)), rng.gamma(2, size=(300, 1))
    w = column_of(x).encode(new)
    reference = QuantileTransformer(n_quantiles=500, output_distribution="normal").fit(x).transform(new)
    middle = np.abs(reference) < 2
    # ranks (i - 1/2) / n here, (i - 1) / (n - 1) there: u differs by 1 / (2 n) at most
    assert_allclose(stats.norm.cdf(w[middle]), stats.norm.cdf(reference[middle]), atol=1.1 / 1000)


@pytest.mark.parametrize("dtype", [float, int, np.uint8])
def test_encode_of_unseen_values_by_hand(dtype):
    codec = column_of(np.array([0, 0, 10, 20, 30, 30], dtype=dtype))
    u = stats.norm.cdf(codec.encode(np.array([[-1.0], [5], [6], [9.5], [12], [15], [19], [26], [99]]))[:, 0])
    # the atom 0 owns (0, 2) / 6, 10 has its middle at 2.5 / 6, 20 at 3.5 / 6; 30 owns (4, 6) / 6
    assert_allclose(6 * u, [1, 2, 2.1, 2.45, 2.7, 3.0, 3.4, 4, 5])


def test_decode_by_hand():
    codec = column_of(np.array([0, 0, 10, 20, 30, 30]) + 1 / 3)
    u = np.array([1.9, 2.1, 2.4, 2.7, 3.0, 3.4, 3.9, 4.1]) / 6
    # 10 is half-way to 0 where its interval starts, and the rest is linear from there
    expected = np.array([0, 6, 9, 12, 15, 19, 24, 30]) + 1 / 3
    assert_allclose(codec.decode(stats.norm.ppf(u)[:, None])[:, 0], expected)


def test_decode_and_encode_are_inverse_between_singletons():
    x = np.random.default_rng(0).normal(size=100)
    codec = column_of(x)
    w = stats.norm.ppf(np.linspace(0.006, 0.994, 777))[:, None]  # half an observation off either end
    assert_allclose(codec.encode(codec.decode(w)), w, atol=1e-9)


def test_scores_are_no_further_out_than_a_quarter_of_an_observation():
    x = np.repeat([0, 1], 1000)
    widest = [column_of(x).encode(x[:, None], np.random.default_rng(seed)) for seed in range(20)]
    assert_allclose([np.min(widest), np.max(widest)], stats.norm.ppf([0.25 / 2000, 1 - 0.25 / 2000]))


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=40).filter(lambda x: len(set(x)) > 1), st.data())
@LAW
def test_encode_is_monotone_and_finite(values, data):
    codec = column_of(np.array(values) * 0.37)
    new = np.sort(data.draw(st.lists(st.floats(-30, 30), min_size=2, max_size=20)))[:, None]
    w = codec.encode(new)[:, 0]
    assert np.isfinite(w).all() and (np.diff(w) >= 0).all()
    assert np.isfinite(codec.log_volume(new)).all()


def test_ties_follow_the_generator_and_the_middle_is_row_wise():
    X = np.random.default_rng(0).integers(0, 3, (50, 2))
    codec = TableCodec().fit(X)
    a, b = (codec.encode(X, np.random.default_rng(seed)) for seed in (0, 1))
    assert_array_equal(a, codec.encode(X, np.random.default_rng(0)))
    assert (a != b).all()
    assert_array_equal(codec.encode(X)[7:9], codec.encode(X[7:9]))


# -- volumes -----------------------------------------------------------------------------------------------


def test_density_of_a_continuous_column_integrates_to_one():
    x = np.random.default_rng(0).normal(size=300) + 0.1
    codec = column_of(x)
    grid = np.linspace(x.min(), x.max(), 200_001)
    logp = log_volume_of(codec, grid) + stats.norm.logpdf(codec.encode(grid[:, None])[:, 0])
    # half an observation is left at either end
    assert_allclose(trapezoid(np.exp(logp), grid), 1 - 1 / 300, rtol=1e-3)


def test_density_is_the_slope_of_the_map():
    x = np.sort(np.random.default_rng(1).exponential(size=80))
    codec = column_of(x)
    inner = (0.7 * x[:-1] + 0.3 * x[1:])[:, None]
    h = 1e-6 * np.diff(x)[:, None]
    slope = (codec.encode(inner + h) - codec.encode(inner - h)) / (2 * h)
    assert_allclose(codec.log_volume(inner), np.log(slope[:, 0]), atol=1e-4)


def test_masses_of_atoms_sum_to_one():
    x = np.repeat([0.0, 1.5, 7.0], [5, 3, 2])
    codec = column_of(x)
    levels = np.unique(x)
    logp = log_volume_of(codec, levels) + stats.norm.logpdf(codec.encode(levels[:, None])[:, 0])
    assert_allclose(np.exp(logp), [0.5, 0.3, 0.2])


def test_unseen_values_have_a_finite_price():
    x = np.repeat([0.0, 1.0, 3.0], 2)
    codec = column_of(x)
    price = log_volume_of(codec, [2.5, -1.0, 4.0, 40.0])
    w = codec.encode(np.array([[2.5], [0.0], [3.0]]))[:, 0]
    assert_allclose(price[0], np.log(0.5 / 6 / 2) - stats.norm.logpdf(w[0]))
    edge = log_volume_of(codec, [0.0, 3.0])
    assert_allclose(price[1:3], edge - np.log(7) - 1 / x.std())
    assert_allclose(price[2] - price[3], 36 / x.std())


def test_volume_adds_over_numeric_columns_only():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=50), "b": rng.integers(0, 5, 50), "c": list("xy") * 25})
    parts = [TableCodec().fit(frame[[name]]).log_volume(frame[[name]]) for name in "ab"]
    assert_allclose(TableCodec().fit(frame).log_volume(frame), sum(parts))


# -- categories --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequencies", [[0.5, 0.5], [0.2, 0.3, 0.5], [0.98, 0.02], np.full(100, 0.01)])
@pytest.mark.parametrize("max_onehot", [1, 50])
def test_codes_are_centred_with_unit_variance_and_bounded_scale(frequencies, max_onehot):
    frequencies = np.asarray(frequencies)
    codes = level_codes(frequencies, max_onehot)
    assert_allclose(frequencies @ codes, 0, atol=1e-12)
    variance = frequencies @ (codes**2).sum(axis=1)
    assert variance <= 1 + 1e-12
    if len(codes) <= max_onehot:
        scale = np.linalg.norm(codes[0] - codes[1]) / np.sqrt(2)
        assert 1 <= scale <= 2 + 1e-12
        assert np.isclose(variance, 1) or np.isclose(scale, 2)


def test_hundred_level_codes_are_separated():
    codes = level_codes(np.full(100, 0.01), max_onehot=50)
    assert codes.shape == (100, 16)
    distances = np.linalg.norm(codes[:, None] - codes[None], axis=2)[np.triu_indices(100, 1)]
    assert distances.min() > 0.5
    assert_allclose(np.median(distances), np.sqrt(2), atol=0.1)


def test_nearest_code_equals_the_slow_search(monkeypatch):
    rng = np.random.default_rng(0)
    block, codes = rng.normal(size=(101, 3)), rng.normal(size=(7, 3))
    slow = ((block[:, None] - codes[None]) ** 2).sum(axis=2).argmin(axis=1)
    monkeypatch.setattr("skmdiff._columns.NEAREST_CELLS", 70)  # ten rows at a time
    assert_array_equal(nearest_codes(block, codes), slow)


def test_blocks_describe_the_matrix():
    letters = pd.Categorical(["b", "a", "b"], ["c", "b", "a"])
    frame = pd.DataFrame({"x": [1.0, 2, 3], "k": 5, "c": letters, "i": [1, 1, 2]})
    codec = TableCodec().fit(frame)
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
        (np.array(["c"], dtype=object), ["numeric", "numeric", "categorical"]),
    ],
)
def test_categorical_features(given, kinds):
    frame = pd.DataFrame({"a": [1, 2, 1, 2], "b": [1.5, 2.5, 3.5, 2.5], "c": [True, False, True, True]})
    codec = TableCodec(given).fit(frame)
    assert [block.kind for block in codec.blocks_] == kinds
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


@pytest.mark.parametrize("given", [None, []])
def test_bools_may_be_numbers(given):
    X = np.array([[True, False], [False, False], [True, True]])
    codec = TableCodec(given).fit(X)
    assert [block.kind for block in codec.blocks_] == ["numeric", "numeric"]
    assert_array_equal(codec.decode(codec.encode(X)), X)


# -- errors ------------------------------------------------------------------------------------------------

GOOD = pd.DataFrame({"age": [1.0, 2, 3], "job": ["a", "b", "a"]})
DATES = pd.date_range("2020", periods=3)
ID = pd.DataFrame({"id": [a + b for a in string.ascii_letters for b in "xy"], "v": np.arange(104.0)})

BAD_TABLES = [
    (GOOD.assign(age=[1, np.nan, 3]), ValueError, "Input X contains NaN.*'age'.*not supported yet"),
    (GOOD.assign(job=["a", None, "b"]), ValueError, "Input X contains NaN.*'job'"),
    (GOOD.assign(age=pd.array([1, None, 3], dtype="Int64")), ValueError, "Input X contains NaN.*'age'"),
    (GOOD.assign(job=pd.Categorical(["a", None, "b"])), ValueError, "Input X contains NaN.*'job'"),
    (np.array([[1, "a"], [None, "b"]], dtype=object), ValueError, "Input X contains NaN.*'x0'"),
    (np.array([[1, "a"], [2, np.nan]], dtype=object), ValueError, "Input X contains NaN.*'x1'"),
    (np.array([[1, pd.NA], [2, 3]], dtype=object), ValueError, "Input X contains NaN.*'x1'"),
    (np.array([[1.0, 2], [np.nan, 3]], dtype=object), ValueError, "Input X contains NaN.*'x0'"),
    (GOOD.assign(age=[1, np.inf, 3]), ValueError, "contains infinity.*'age'"),
    (GOOD.assign(age=[1j, 2, 3]), ValueError, "Complex data not supported.*'age'"),
    (GOOD.assign(age=DATES), ValueError, "'age'.*dates.*number"),
    (GOOD.assign(age=DATES.to_period("M")), ValueError, "'age'.*dates.*number"),
    (GOOD.assign(age=DATES - DATES[0]), ValueError, "'age'.*dates or times.*number"),
    (np.array([[1.0], [{"foo": "bar"}]], dtype=object), TypeError, "argument must be a string or a number"),
    (GOOD.assign(job=["a", 1, "b"]), TypeError, "'job'.*types int, str"),
    (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), ValueError, r"unique.*\['a'\]"),
    (np.empty((0, 3)), ValueError, r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 2 is required"),
    (np.empty((3, 0)), ValueError, r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required"),
    (GOOD.iloc[:1], ValueError, r"1 sample\(s\)"),
    (np.arange(3), ValueError, "Expected 2D array, got 1D array instead"),
    (sparse.csr_array(np.eye(3)), TypeError, "Sparse data was passed for X, but dense data is required"),
    (np.ones((4, 2)), ValueError, "At least one column of X must vary, got one value"),
    (ID, ValueError, "'id'.*104 distinct strings in 104 rows.*Drop"),
]


@pytest.mark.parametrize(("X", "error", "message"), BAD_TABLES)
def test_bad_tables(X, error, message):
    with pytest.raises(error, match=message):
        TableCodec().fit(X)


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
        ({"categorical_features": None}, ValueError, "'job'.*named in categorical_features.*None"),
    ],
)
def test_bad_parameters(params, error, message):
    with pytest.raises(error, match=message):
        TableCodec(**params).fit(GOOD)


def test_names_need_a_frame():
    with pytest.raises(ValueError, match="integers or a mask when X is an array"):
        TableCodec(categorical_features=["a"]).fit(np.eye(3))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (GOOD.assign(job=["a", "z", "b"]), "'job'.*unseen 'z'"),
        (GOOD.assign(age=["1", "2", "3"]), "'age'.*must hold numbers.*'1'"),
        (GOOD.assign(age=[1, np.nan, 2]), "contains NaN"),
        (GOOD[["age"]], "X has 1 features, but TableCodec is expecting 2"),
        (GOOD[["job", "age"]], "columns of X must be those seen in fit"),
    ],
)
def test_new_tables_unlike_the_training_table(X, message):
    with pytest.raises(ValueError, match=message):
        TableCodec().fit(GOOD).encode(X)


def test_a_new_level_of_a_constant_category_is_refused():
    codec = TableCodec().fit(GOOD.assign(job="a"))
    with pytest.raises(ValueError, match="'job'.*unseen 'b'"):
        codec.encode(GOOD)


@pytest.mark.parametrize(("W", "message"), [(np.ones((2, 9)), "shape"), (np.full((2, 3), np.nan), "NaN")])
def test_decode_refuses_what_is_no_matrix_of_codes(W, message):
    with pytest.raises(ValueError, match=message):
        TableCodec().fit(GOOD).decode(W)


def test_check_table_returns_frames_untouched_and_lists_as_arrays():
    assert check_table(GOOD) is GOOD
    assert_array_equal(check_table([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    assert len(check_table(GOOD.iloc[:1], min_samples=1)) == 1
