"""Measures of copying: brute force, closed forms, and what copies and fresh rows must score."""

import numpy as np
import pytest
from metric_tables import mixed, one_hot_space, with_missing
from scipy.spatial.distance import cdist

from skmdiff import metrics


def uniform(n_samples, seed, n_columns):
    return np.random.RandomState(seed).uniform(size=(n_samples, n_columns))


def test_dcr_ratio_is_that_of_all_distances():
    train, holdout, synthetic = mixed(60, 0), mixed(50, 1), mixed(40, 2)
    a, b, c = (one_hot_space(train, table) for table in (train, holdout, synthetic))
    nearest = [cdist(part, a).min(axis=1) for part in (b, c)]
    for quantile in (0.05, 0.5):
        expected = np.quantile(nearest[1], quantile) / np.quantile(nearest[0], quantile)
        found = metrics.dcr_ratio(train, holdout, synthetic, quantile=quantile)
        assert found == pytest.approx(expected)


def test_dcr_ratio_is_one_for_fresh_rows_and_nothing_for_copies():
    train, holdout, fresh = (with_missing(mixed(600, seed), seed + 9) for seed in (0, 1, 2))
    assert metrics.dcr_ratio(train, holdout, fresh) == pytest.approx(1, abs=0.15)
    assert metrics.dcr_ratio(train, holdout, train) == 0
    # in many columns distances are found as differences of squares, and 0 is only nearly so
    wide = np.random.RandomState(0).normal(size=(1000, 40))
    assert metrics.dcr_ratio(wide, 1 + wide, wide, quantile=1.0) == 0
    coarse = np.repeat(["a", "b"], 10)[:, None]
    assert metrics.dcr_ratio(coarse, coarse, coarse) == 1
    assert metrics.dcr_ratio(coarse, coarse, np.array([["c"]])) == np.inf


def test_membership_inference_is_that_of_every_threshold():
    train, holdout, synthetic = mixed(40, 0), mixed(50, 1), mixed(45, 2)
    synthetic[:15] = train[:15]
    synthetic[:15, 0] = synthetic[:15, 0] + 0.05
    a, b, c = (one_hot_space(train, table) for table in (train, holdout, synthetic))
    members, others = cdist(a, c).min(axis=1), cdist(b, c).min(axis=1)
    auc = np.mean(members[:, None] < others) + np.mean(members[:, None] == others) / 2
    for max_fpr in np.linspace(0, 1, 26):
        allowed = [
            np.mean(members <= threshold)
            for threshold in np.r_[members, others]
            if np.mean(others <= threshold) <= max_fpr
        ]
        found = metrics.membership_inference(train, holdout, synthetic, max_fpr=max_fpr)
        assert found == pytest.approx((max([0.0, *allowed]), auc))


def test_every_rate_counts_where_members_and_others_tie():
    rows = np.arange(4.0)[:, None]
    for max_fpr in (0.0, 0.25, 0.5, 0.75, 1.0):
        assert metrics.membership_inference(rows, rows, rows[:1], max_fpr=max_fpr) == (max_fpr, 0.5)


def test_membership_is_chance_for_fresh_rows_and_certain_for_copies():
    train, holdout, fresh = (with_missing(mixed(1500, seed), seed + 9) for seed in (0, 1, 2))
    tpr, auc = metrics.membership_inference(train, holdout, fresh)
    # standard errors of the rate and of the area: sqrt(.01 / 1500) = .003 and 1 / sqrt(6 * 1500) = .01
    assert tpr == pytest.approx(0.01, abs=0.012) and auc == pytest.approx(0.5, abs=0.04)
    assert metrics.membership_inference(train, holdout, train) == (1.0, 1.0)


@pytest.mark.parametrize("n_levels", [60, 5000])
def test_categories_that_only_some_rows_have_are_no_sign_of_membership(n_levels):
    # were the levels those of the training rows, held-out rows would lie nearer to everything
    rng = np.random.RandomState(0)
    train, holdout, fresh = (rng.randint(n_levels, size=(1000, 4)).astype(str) for _ in range(3))
    assert metrics.membership_inference(train, holdout, fresh)[1] == pytest.approx(0.5, abs=0.04)
    assert metrics.dcr_share(train, holdout, fresh, random_state=0) == pytest.approx(0.5, abs=0.05)
    assert metrics.dcr_ratio(train, holdout, fresh) == pytest.approx(1, abs=0.01)


def test_a_few_copies_show_at_a_low_rate_and_hardly_in_the_area():
    train, holdout, fresh = (uniform(1000, seed, 4) for seed in range(3))
    tpr, auc = metrics.membership_inference(train, holdout, np.vstack([fresh, train[:100]]))
    assert tpr == pytest.approx(0.11, abs=0.02)
    assert auc == pytest.approx(0.55, abs=0.03)


def test_a_reference_calibrates_the_attack():
    # rows near the origin are near to anything: without a reference thick regions look like members
    rng = np.random.RandomState(0)
    scale = np.repeat([0.01, 1.0], 300)[:, None]
    train, holdout, reference = (scale * rng.normal(size=(600, 2)) for _ in range(3))
    synthetic = train + 0.02 * scale * rng.normal(size=(600, 2))
    plain = metrics.membership_inference(train, holdout, synthetic)
    calibrated = metrics.membership_inference(train, holdout, synthetic, reference=reference)
    assert calibrated[1] > plain[1] + 0.05 and calibrated[0] > plain[0]
    fresh = metrics.membership_inference(train, holdout, scale * rng.normal(size=(600, 2)), reference=reference)
    assert fresh[1] == pytest.approx(0.5, abs=0.06)


def test_memorisation_excess_is_that_of_all_distances():
    train, holdout, synthetic = mixed(60, 0), mixed(50, 1), mixed(40, 2)
    synthetic[:10] = train[:10]
    synthetic[:10, 0] = synthetic[:10, 0] + 1e-4
    a, b, c = (one_hot_space(train, table) for table in (train, holdout, synthetic))

    def share(rows):
        return np.mean([two[0] < two[1] / 3 for two in np.sort(cdist(rows, a), axis=1)])

    assert share(c) > 0.25
    assert metrics.memorisation_excess(train, holdout, synthetic) == pytest.approx(share(c) - share(b))


@pytest.mark.parametrize("n_columns", [1, 2])
def test_fresh_rows_have_no_excess_though_the_test_itself_calls_them_memorised(n_columns):
    train, holdout, fresh = (uniform(3000, seed, n_columns) for seed in range(3))
    assert metrics.memorisation_excess(train, holdout, fresh) == pytest.approx(0, abs=0.035)
    # against rows that lie on none of the training rows the share of fresh rows shows: (1/3)^d
    midway = train[:1].repeat(5, axis=0) + 100
    excess = metrics.memorisation_excess(train, midway, fresh)
    assert excess == pytest.approx({1: 1 / 3, 2: 1 / 9}[n_columns], abs=0.03)


def test_copies_are_memorised_and_copies_of_doubles_are_not():
    train, holdout = uniform(800, 0, 3), uniform(800, 1, 3)
    floor = metrics.memorisation_excess(train, holdout, train)
    assert floor > 0.9
    # with the noise of a tenth of the usual distance most rows still sit on the row they were copied from
    blurred = train + 0.005 * np.random.RandomState(2).normal(size=train.shape)
    assert metrics.memorisation_excess(train, holdout, blurred) > 0.7
    doubles = np.vstack([train, train])
    assert metrics.memorisation_excess(doubles, 2 + train, train) == 0


def test_copies_with_missing_cells_are_counted():
    train = with_missing(mixed(200, 0), 1)
    assert metrics.copy_share(train, train[:50]) == 1
    assert metrics.copy_share(train, with_missing(mixed(200, 2), 3)) == 0


def test_parameters_out_of_range_are_named():
    rows = uniform(10, 0, 1)
    with pytest.raises(ValueError, match="quantile must be in .0, 1., got 1.5"):
        metrics.dcr_ratio(rows, rows, rows, quantile=1.5)
    with pytest.raises(ValueError, match="max_fpr must be in .0, 1., got -0.1"):
        metrics.membership_inference(rows, rows, rows, max_fpr=-0.1)
    with pytest.raises(ValueError, match="ratio must be in .0, 1., got 2"):
        metrics.memorisation_excess(rows, rows, rows, ratio=2)
    with pytest.raises(ValueError, match="train must have two rows or more, got 1"):
        metrics.memorisation_excess(rows[:1], rows, rows)
    with pytest.raises(ValueError, match="n_repeats == 0, must be >= 1"):
        metrics.dcr_share(rows, rows, rows, n_repeats=0)
