"""Integers that floats do not hold: exact, and as evenly spread as their table."""

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from numpy.testing import assert_array_equal
from scipy import stats

from skmdiff._table.integers import at_offsets, between, offsets

SMALL = np.random.default_rng(0).integers(0, 1000, 300)
STARTS = [(2**62, np.int64), (-(2**62), np.int64), (-(2**63), np.int64), (2**64 - 1001, np.uint64)]
FAR = pytest.mark.parametrize("start, dtype", STARTS)


def shifted(small, start, dtype):
    return np.array([start + int(k) for k in small], dtype=dtype)


def codecs(numeric, small, start, dtype):
    """The codec of small integers, and of the same from a far start on."""
    near, far = small, shifted(small, start, dtype)
    return [Codec(numeric=numeric).fit(pd.DataFrame({"a": a, "b": SMALL % 97})) for a in (near, far)]


@FAR
@pytest.mark.parametrize("numeric", ["quantile", "standard", "smooth"])
def test_far_integers_have_the_code_of_near_ones(numeric, start, dtype):
    small = SMALL - SMALL.min()
    near, far = codecs(numeric, small, start, dtype)
    frame = pd.DataFrame({"a": shifted(small, start, dtype), "b": SMALL % 97})
    W = far.encode(frame)
    assert_array_equal(W, near.encode(frame.assign(a=small)))
    pd.testing.assert_frame_equal(far.decode(W), frame)
    drawn = np.random.default_rng(1).normal(size=(2000, 2))
    found = far.decode(drawn)["a"]
    assert found.dtype == dtype
    # the ends of the dtype are near: "standard" reaches beyond what was seen, and stops there
    expected = [start + int(k) for k in near.decode(drawn)["a"]]
    info = np.iinfo(dtype)
    assert found.tolist() == [min(max(k, info.min), info.max) for k in expected]


@FAR
def test_samples_of_far_integers_are_as_even_as_the_table(start, dtype):
    codec = Codec().fit(shifted(SMALL, start, dtype)[:, None])
    found = codec.decode(np.random.default_rng(0).normal(size=(20_000, 1)))[:, 0]
    drawn = np.array([int(k) - start for k in found.tolist()])
    assert stats.ks_2samp(drawn, SMALL).statistic < 0.03
    assert max((drawn == SMALL.min()).mean(), (drawn == SMALL.max()).mean()) < 0.01


@pytest.mark.parametrize("numeric", ["quantile", "standard", "smooth"])
def test_nanoseconds_since_1970_keep_their_correlation(numeric):
    rng = np.random.default_rng(0)
    start = 1_600_000_000_000_000_000
    ns = start + np.cumsum(rng.integers(1, 10**6, 300))
    codec = Codec(numeric=numeric).fit(pd.DataFrame({"ns": ns, "b": (ns - start) / 1e9}))
    w = np.repeat(rng.normal(size=(2000, 1)), 2, axis=1)
    drawn = codec.decode(w)
    assert np.corrcoef(drawn["ns"] - start, drawn["b"])[0, 1] > 0.99999


def test_dates_are_as_exact_as_their_ticks():
    rng = np.random.default_rng(0)
    ticks = rng.integers(0, 10**18, 300)
    frame = pd.DataFrame({"date": ticks.astype("datetime64[ns]"), "ticks": ticks - ticks.min()})
    codec = Codec().fit(frame)
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)
    drawn = codec.decode(np.repeat(rng.normal(size=(1000, 1)), 2, axis=1))
    assert_array_equal(drawn["date"].to_numpy().astype(np.int64), drawn["ticks"] + ticks.min())


def test_integers_of_the_whole_range():
    info = np.iinfo(np.int64)
    x = np.array([info.min, -1, 0, 2**53 + 1, info.max])
    assert between(x[:-1], x[1:], np.full(4, 0.25)).tolist() == [-3 * 2**61, -1, 2**51, 2**53 + 1 + 2**61 - 2**51]
    assert between(x[1:], x[:-1], np.full(4, 0.25))[2] == 2**53 + 1 - 2**51
    assert between(x[:1], x[-1:], np.array([0.5])).tolist() == [0]
    assert_array_equal(offsets(x, info.min), [0.0, 2.0**63, 2.0**63, 2.0**63 + 2.0**53, 2.0**64])
    assert at_offsets(np.array([-1e30, -1.0, 1.4, 1e30]), 2**62, np.dtype(np.int64)).tolist() == [
        info.min,
        2**62 - 1,
        2**62 + 1,
        info.max,
    ]


def test_density_of_far_integers_is_that_of_near_ones():
    near, far = codecs("quantile", SMALL, 2**62, np.int64)
    new = np.arange(-3, 1003)
    of_near = near.log_volume(pd.DataFrame({"a": new, "b": 0}))
    of_far = far.log_volume(pd.DataFrame({"a": new + 2**62, "b": 0}))
    assert_array_equal(of_far, of_near)


def test_objects_beyond_64_bits_with_a_sign_are_read_exactly():
    cells = np.array([[2**64 - 1], [2**64 - 3], [2**64 - 2]], dtype=object)
    codec = Codec().fit(cells)
    assert codec.decode(codec.encode(cells)).tolist() == cells.tolist()
