"""Tables that come in other containers: masked arrays, whose masked cells are missing, and lazy frames."""

import numpy as np
import polars as pl
import pytest
from jitter import Jitter
from numpy.testing import assert_array_equal

from skmdiff import (
    AugmentedClassifier,
    ManifoldDiffusionImputer,
    ManifoldDiffusionOverSampler,
    ManifoldDiffusionSampler,
    metrics,
)
from skmdiff._table.checks import read_table
from skmdiff._table.frames import without_mask
from skmdiff.inspection import ColumnsDisplay

FILLER = -999
RNG = np.random.default_rng(0)
MASK = np.zeros((60, 2), dtype=bool)
MASK[::4, 0] = MASK[1::7, 1] = True


def masked(dtype=np.int64):
    cells = RNG.integers(0, 9, size=MASK.shape).astype(dtype)
    return np.ma.array(np.where(MASK, np.array(FILLER).astype(dtype), cells), mask=MASK, dtype=dtype)


def sampler(**parameters):
    return ManifoldDiffusionSampler(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, random_state=0, **parameters)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint64", "int64", "float32", "float64", "bool", "U5", "O", "datetime64[s]", "timedelta64[s]"]
)
def test_masked_cells_are_missing(dtype):
    X = masked(dtype)
    table = read_table(X)
    assert_array_equal(table.missing, MASK)
    for j, cells in enumerate(table.cells):
        assert cells.observed.tolist() == X[:, j].compressed().tolist()


def test_masked_integers_beyond_2_53_stay_exact():
    X = np.ma.array([[2**62 + 1], [2**62 + 3], [0]], mask=[[False], [False], [True]])
    assert read_table(X).cells[0].observed.tolist() == [2**62 + 1, 2**62 + 3]


def test_arrays_without_masked_cells_keep_their_dtype():
    X = np.ma.array(np.arange(6).reshape(3, 2))
    assert without_mask(X).dtype == X.dtype
    assert not isinstance(without_mask(X), np.ma.MaskedArray)


def test_fit_and_sample_never_see_what_is_under_a_mask():
    X = masked()
    est = sampler().fit(X)
    drawn = est.sample(200)
    assert np.nanmin(drawn) >= 0 and np.isnan(drawn).any()
    assert_array_equal(est.score_samples(X[:10]), est.score_samples(without_mask(X)[:10]))
    given = np.ma.array(np.full((5, 2), 3), mask=[[False, True]] * 5)
    filled = est.sample(5, conditions=given, missing="fill")
    assert_array_equal(filled[:, 0], 3)
    assert filled[:, 1].min() >= 0


def test_imputer_fills_masked_cells():
    X = masked()
    filled = ManifoldDiffusionImputer(sampler(), random_state=0).fit(X).transform(X)
    assert_array_equal(filled[~MASK], X.data[~MASK])
    assert filled.min() >= 0


def test_measures_and_pictures_take_masked_cells_as_missing():
    X = masked()
    assert metrics.shape_error(X, without_mask(X)) == 0
    assert ColumnsDisplay.from_tables(X, X).labels[0][-1] == "missing"


def test_other_estimators_take_masked_tables():
    X, y = masked(), np.arange(60) % 3 == 0
    new, _ = ManifoldDiffusionOverSampler(sampler(), random_state=0).fit_resample(X, y)
    assert np.nanmin(new) >= 0
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(max_iter=3)
    model = AugmentedClassifier(trees, Jitter(), gate=False, random_state=0).fit(X, y)
    plain = AugmentedClassifier(trees, Jitter(), gate=False, random_state=0).fit(without_mask(X), y)
    assert_array_equal(model.predict(X), plain.predict(without_mask(X)))


@pytest.mark.parametrize("make", [sampler, lambda: ManifoldDiffusionOverSampler(sampler())])
def test_masked_targets_are_refused(make):
    X, y = RNG.normal(size=(40, 2)), np.ma.array(np.arange(40) % 2, mask=np.arange(40) == 3)
    method = getattr(make(), "fit_resample", make().fit)
    with pytest.raises(ValueError, match="y must have no masked entries, got 1"):
        method(X, y)
    with pytest.raises(ValueError, match="sample_weight must have no masked entries, got 1"):
        sampler().fit(X, sample_weight=y)
    fitted = sampler().fit(X, np.ma.array(y.data))
    with pytest.raises(ValueError, match="y must have no masked entries, got 1"):
        fitted.sample(40, y=y)


def test_lazy_frames_are_to_be_collected():
    lazy = pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 1.0, 4.0]}).lazy()
    eager = lazy.collect()
    fitted = sampler().fit(eager)
    calls = [
        lambda: sampler().fit(lazy),
        lambda: fitted.score_samples(lazy),
        lambda: fitted.sample(3, conditions=lazy),
        lambda: ManifoldDiffusionOverSampler(sampler()).fit_resample(lazy, [0, 1, 1]),
        lambda: ManifoldDiffusionImputer(sampler()).fit(lazy),
        lambda: metrics.shape_error(eager, lazy),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"must be a DataFrame or an array, got a LazyFrame. Use its collect"):
            call()
