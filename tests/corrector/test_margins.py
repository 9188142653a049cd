"""Raking against its laws: shares are met, and nothing else of the weights is changed."""

import numpy as np
import pytest

from skmdiff._corrector.margins import LEAST_SHARE, Margin, frequent_values, log_terms, margin_of, raked

NAN = float("nan")


def no_cap(log_weight):
    return log_weight.max()


def margin(values, shares):
    return Margin(np.asarray(values, dtype=float), np.asarray(shares, dtype=float), np.zeros(len(shares)))


def shares_of(margin, feature, log_weight):
    weight = np.exp(log_weight)
    return np.bincount(margin.positions(feature), weight, minlength=len(margin.shares)) / weight.sum()


def samples_of(joint):
    """Samples (n, 2) of two dependent categories in exact shares (k, m), of a thousandth each."""
    return np.repeat(np.argwhere(joint > 0), np.round(1000 * joint[joint > 0]).astype(int), axis=0).astype(float)


JOINT = np.array([[0.2, 0.05, 0.05], [0.05, 0.3, 0.05], [0.1, 0.05, 0.15]])
WANTED = margin([0, 1, 2], [0.2, 0.5, 0.3, 0]), margin([0, 1, 2], [0.4, 0.35, 0.25, 0])


def test_a_margin_has_the_frequent_values_and_what_is_left():
    feature = np.r_[np.repeat([3.0, 1.0, NAN], [500, 300, 150]), np.arange(10, 60)]
    found = margin_of(feature, None)
    np.testing.assert_array_equal(found.values, [1, 3, NAN])
    np.testing.assert_allclose(found.shares, [0.3, 0.5, 0.15, 0.05], atol=1e-12)
    np.testing.assert_array_equal(found.positions(np.array([1, 3, NAN, 2, 99, -1])), [0, 1, 2, 3, 3, 3])


def test_shares_are_by_weight():
    found = margin_of(np.array([0.0, 1.0, 1.0]), np.array([2.0, 1.0, 1.0]))
    np.testing.assert_allclose(found.shares, [0.5, 0.5, 0])


def test_a_feature_of_many_values_has_no_margin():
    found = margin_of(np.linspace(0, 1, 1000), None)
    assert len(found.values) == 0 and found.positions(np.array([0.5, NAN])).tolist() == [0, 0]
    (after,) = raked((found,), np.linspace(0, 1, 50)[:, None], np.zeros(50), no_cap)
    np.testing.assert_allclose(after.terms, 0)


def test_of_independent_columns_terms_are_the_logarithms_of_ratios():
    F = samples_of(np.outer([0.5, 0.5], [0.2, 0.8]))
    first, second = raked((margin([0, 1], [0.3, 0.7, 0]), margin([0, 1], [0.6, 0.4, 0])), F, np.zeros(len(F)), no_cap)
    assert np.diff(first.terms[:2])[0] == pytest.approx(np.log(0.7 / 0.3), abs=2e-3)
    assert np.diff(second.terms[:2])[0] == pytest.approx(np.log(0.4 / 0.6) - np.log(0.8 / 0.2), abs=2e-3)


def test_shares_are_met_and_odds_ratios_stay():
    """These two laws have one solution: the joint shares are p_i q_j times those of the samples."""
    F = samples_of(JOINT)
    terms = log_terms(raked(WANTED, F, np.zeros(len(F)), no_cap), F)
    for j, wanted in enumerate(WANTED):
        np.testing.assert_allclose(shares_of(wanted, F[:, j], terms), wanted.shares, atol=1e-3)
    joint = np.zeros((3, 3))
    np.add.at(joint, tuple(F.astype(int).T), np.exp(terms))
    for table in (joint, JOINT):
        table /= table.sum()
    np.testing.assert_allclose(odds_ratios(joint), odds_ratios(JOINT), rtol=1e-9)


def odds_ratios(joint):
    return joint[1:, 1:] * joint[0, 0] / (joint[1:, :1] * joint[:1, 1:])


def test_shares_are_met_by_weights_that_are_cut():
    rng = np.random.default_rng(0)
    F = samples_of(JOINT)[rng.permutation(1000)]
    log_weight = rng.normal(size=1000)

    def cap(log_weight):
        return np.quantile(log_weight, 0.7)

    total = log_weight + log_terms(raked(WANTED, F, log_weight, cap), F)
    cut = np.minimum(total, cap(total))
    for j, wanted in enumerate(WANTED):
        np.testing.assert_allclose(shares_of(wanted, F[:, j], cut), wanted.shares, atol=2e-3)


def test_missing_cells_have_a_share_too():
    F = np.repeat([[1.0], [NAN]], [900, 100], axis=0)
    (found,) = raked((margin([1, NAN], [0.6, 0.4, 0]),), F, np.zeros(1000), no_cap)
    np.testing.assert_allclose(shares_of(found, F[:, 0], log_terms((found,), F)), [0.6, 0.4, 0], atol=1e-3)


def test_values_that_are_rare_or_never_drawn_have_no_term():
    wanted = margin([0, 1, 2], [0.5, 0.4, 0.1 - LEAST_SHARE / 2, LEAST_SHARE / 2])
    F = np.repeat([[0.0], [1.0], [7.0]], [500, 400, 100], axis=0)
    (found,) = raked((wanted,), F, np.zeros(1000), no_cap)
    assert found.terms[2] == 0 and found.terms[3] == 0 and np.isfinite(found.terms).all()


def test_values_of_lower_shares_are_put_with_the_others():
    before = Margin(np.array([1.0, 2.0, NAN]), np.array([0.5, 0.02, 0.38, 0.1]), np.array([0.1, 0.2, 0.3, 0.4]))
    (after,) = frequent_values((before,), 0.1)
    np.testing.assert_array_equal(after.values, [1, NAN])
    np.testing.assert_allclose(after.shares, [0.5, 0.38, 0.12])
    np.testing.assert_array_equal(after.terms, [0.1, 0.3, 0.4])
