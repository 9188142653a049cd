"""The measures against brute force, closed forms and tables whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from metric_tables import mixed, one_hot_space, with_missing
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp

from skmdiff import metrics
from skmdiff.datasets import load_german_credit

numbers = arrays(float, st.tuples(st.integers(2, 30), st.just(1)), elements=st.integers(-5, 5))


@settings(deadline=None)
@given(numbers, numbers)
def test_shape_error_of_numbers_is_the_statistic_of_scipy(real, synthetic):
    expected = ks_2samp(real[:, 0], synthetic[:, 0], method="asymp").statistic
    assert metrics.shape_error(real, synthetic) == pytest.approx(expected)


@settings(deadline=None)
@given(numbers, numbers)
def test_shape_error_of_categories_is_the_largest_difference_over_all_sets_of_categories(real, synthetic):
    # total variation is also the sum of the gaps where the first distribution has more, the supremum over events
    levels = np.unique(np.concatenate([real, synthetic]))
    gaps = [np.mean(real == level) - np.mean(synthetic == level) for level in levels]
    error = metrics.shape_error(real, synthetic, categorical_features=[0])
    assert error == pytest.approx(sum(gap for gap in gaps if gap > 0))


def test_trend_error_is_the_mean_over_the_pairs():
    real, synthetic = mixed(300, 0), mixed(200, 1)
    pearson = [np.corrcoef(t[:, :2].astype(float).T)[0, 1] for t in (real, synthetic)]
    errors = [abs(pearson[0] - pearson[1]) / 2]
    for j in (0, 1):
        edges = np.linspace(real[:, j].min(), real[:, j].max(), 11)[1:-1]
        shares = [{(k, level): 0.0 for k in range(10) for level in "abc"} for _ in (real, synthetic)]
        for share, table in zip(shares, (real, synthetic), strict=True):
            for x, level in zip(table[:, j], table[:, 2], strict=True):
                share[(sum(x >= edge for edge in edges), level)] += 1 / len(table)
        errors.append(sum(abs(shares[0][cell] - shares[1][cell]) for cell in shares[0]) / 2)
    assert metrics.trend_error(real, synthetic) == pytest.approx(np.mean(errors))


def test_trend_error_without_a_pair_is_nan_and_constants_count_as_uncorrelated():
    assert np.isnan(metrics.trend_error([[0.0], [1.0]], [[0.0], [1.0]]))
    assert np.isnan(metrics.trend_error([[0.0, 1.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 2.0]]))
    assert metrics.trend_error([[0, 0], [1, 1]], [[0, 1], [1, 1]]) == pytest.approx(0.5)


def test_shape_error_sees_columns_only_and_trend_error_sees_the_pair():
    real = mixed(1000, 0)
    rng = np.random.RandomState(1)
    shuffled = np.column_stack([rng.permutation(column) for column in real.T])
    assert metrics.shape_error(real, shuffled) == 0
    assert metrics.trend_error(real, shuffled) > 3 * metrics.trend_error(real, mixed(1000, 2))


def test_c2st_guesses_at_equal_distributions_and_tells_unequal_ones():
    equal = metrics.c2st(mixed(400, 0), mixed(400, 1), random_state=0)
    # the standard error of the area is about 1 / sqrt(12 * 400 / 2) = .02
    assert equal == pytest.approx(0.5, abs=0.06)
    rng = np.random.RandomState(1)
    shuffled = np.column_stack([rng.permutation(column) for column in mixed(400, 2).T])
    assert metrics.c2st(mixed(400, 0), shuffled, random_state=0) > 0.8


def test_c2st_approaches_the_best_area_of_two_shifted_normals():
    rng = np.random.RandomState(0)
    a, b = rng.normal(size=(1500, 1)), 1 + rng.normal(size=(1500, 1))
    # P(X < Y) for a difference of normals: Phi(1 / sqrt 2) = .7602
    assert metrics.c2st(a, b, random_state=0) == pytest.approx(0.7602, abs=0.03)


def test_c2st_is_repeatable_leaves_no_trace_and_takes_many_categories():
    rng = np.random.RandomState(0)
    a, b = rng.randint(400, size=(1000, 1)).astype(str), rng.randint(400, size=(1000, 1)).astype(str)
    before = np.random.get_state()[1].copy()
    first = metrics.c2st(a, b, random_state=3)
    assert first == metrics.c2st(a, b, random_state=3)
    assert first == pytest.approx(0.5, abs=0.1)
    assert (before == np.random.get_state()[1]).all()


def test_c2st_sees_where_cells_are_missing_and_stands_columns_without_any():
    real, fresh, full = with_missing(mixed(250, 0), 1), with_missing(mixed(250, 2), 3), mixed(250, 4)
    assert metrics.c2st(real, fresh, random_state=0) == pytest.approx(0.5, abs=0.08)
    # a fifth of the numbers and of the levels is never missing: told apart where they are, in 36 of 100 rows
    assert metrics.c2st(real, full, random_state=0) == pytest.approx(0.5 + 0.36 / 2, abs=0.06)
    # missing is not nought: half of the cells are 0 in one table and missing in the other, none else differ
    noughts = np.random.RandomState(5).randint(2, size=(250, 1))
    assert metrics.c2st(noughts, np.where(noughts == 0, np.nan, 1), random_state=0) == pytest.approx(0.875, abs=0.03)
    real[:, 0] = np.nan
    real[0, 0] = 0.5
    assert metrics.c2st(real, full, random_state=0) > 0.99


def test_copies_are_counted():
    train, fresh = mixed(300, 0), mixed(300, 1)
    assert metrics.copy_share(train, fresh) == 0
    assert metrics.copy_share(train, np.vstack([train[:100], fresh])) == 0.25
    almost = train.copy()
    almost[:, 0] = almost[:, 0] + 1e-9
    assert metrics.copy_share(train, almost) == 0


def test_dcr_share_is_that_of_all_distances():
    train, holdout, synthetic = mixed(50, 0), mixed(50, 1), mixed(40, 2)
    space = [one_hot_space(train, table) for table in (train, holdout, synthetic)]
    expected = np.mean(cdist(space[2], space[0]).min(axis=1) < cdist(space[2], space[1]).min(axis=1))
    assert metrics.dcr_share(train, holdout, synthetic, random_state=0) == pytest.approx(expected)


def test_dcr_share_is_half_for_fresh_rows_and_one_for_copies():
    train, holdout = mixed(800, 0), mixed(800, 1)
    assert metrics.dcr_share(train, holdout, mixed(2000, 2), random_state=0) == pytest.approx(0.5, abs=0.05)
    assert metrics.dcr_share(train, holdout, train, random_state=0) == 1
    # a shorter held-out part is compared with as many training rows
    fresh = mixed(2000, 2)
    assert metrics.dcr_share(train, holdout[:400], fresh, random_state=0) == pytest.approx(0.5, abs=0.05)


def test_dcr_share_counts_ties_half():
    assert metrics.dcr_share([[0.0], [1.0]], [[0.0], [1.0]], [[0.2], [0.7]], random_state=0) == 0.5


@pytest.mark.parametrize("name", ["shape_error", "trend_error", "prdc"])
def test_a_frame_scores_as_its_array_does(name):
    pytest.importorskip("pandas")
    array, frame = load_german_credit().frame, load_german_credit(as_frame=True).frame
    measure = getattr(metrics, name)
    expected = measure(array[:150], array[150:300])
    assert_allclose(measure(frame[:150], frame[150:300]), expected)
    assert_allclose(measure(frame[:150], array[150:300]), expected)


def test_a_category_of_numbers_is_one():
    pandas = pytest.importorskip("pandas")
    real = pandas.DataFrame({"zip": pandas.Categorical([1, 1, 2, 3])})
    assert metrics.shape_error(real, [[1], [1], [2], [2]]) == 0.25


def test_tables_of_different_widths_are_refused():
    with pytest.raises(ValueError, match=r"the same columns, got \[2, 1\]"):
        metrics.shape_error([[0, 1], [1, 0]], [[0], [1]])
    with pytest.raises(ValueError, match="2D array"):
        metrics.shape_error([0, 1], [0, 1])


def test_frames_whose_columns_are_in_another_order_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [0, 1], "k": [5, 9]})
    with pytest.raises(ValueError, match=r"in the same order, got \['a', 'k'\] and \['k', 'a'\]"):
        metrics.shape_error(frame, frame[["k", "a"]])
    assert metrics.shape_error(frame, frame.to_numpy()) == 0
