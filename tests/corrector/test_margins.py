"""Raking against its laws: shares are met, and nothing else of the weights is changed."""

import numpy as np
import pytest

from skmdiff._corrector.margins import LEAST_SHARE, Margin, log_terms, margin_of, raked

NAN = float("nan")


def no_cap(log_weight):
    return log_weight.max()


def margin(n_values, shares):
    """Of the categories 0, 1, ... and of missing cells."""
    return Margin(np.arange(n_values - 1) + 0.5, np.asarray(shares, dtype=float), np.zeros(n_values + 1))


def shares_of(margin, feature, log_weight):
    weight = np.exp(log_weight)
    return np.bincount(margin.groups(feature), weight, minlength=len(margin.shares)) / weight.sum()


def samples_of(joint):
    """Samples (n, 2) of two dependent categories in exact shares (k, m), of a thousandth each."""
    return np.repeat(np.argwhere(joint > 0), np.round(1000 * joint[joint > 0]).astype(int), axis=0).astype(float)


JOINT = np.array([[0.2, 0.05, 0.05], [0.05, 0.3, 0.05], [0.1, 0.05, 0.15]])
WANTED = margin(3, [0.2, 0.5, 0.3, 0]), margin(3, [0.4, 0.35, 0.25, 0])


def test_a_frequent_value_is_a_group_and_others_are_put_together():
    feature = np.r_[np.repeat([3.0, 1.0, NAN], [5000, 3000, 500]), np.linspace(10, 20, 1500)]
    found = margin_of(feature, None)
    np.testing.assert_allclose(found.shares, [0.3, 0.5, 0.05, 0.05, 0.05, 0.05], atol=2e-4)
    np.testing.assert_allclose(found.edges[:2], [2, 6.5])
    np.testing.assert_array_equal(found.groups(np.array([1, 3, NAN, -7, 10, 99])), [0, 1, 5, 0, 2, 4])
    assert found.shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares_of(found, feature, np.zeros(len(feature))), found.shares, atol=1e-12)


def test_shares_are_by_weight():
    found = margin_of(np.array([0.0, 1.0, 1.0]), np.array([2.0, 1.0, 1.0]))
    np.testing.assert_allclose(found.shares, [0.5, 0.5, 0])


@pytest.mark.parametrize("feature", [np.full(9, 3.0), np.full(9, NAN), np.array([1.0, np.nextafter(1.0, 2)])])
def test_groups_of_odd_columns(feature):
    found = margin_of(feature, None)
    np.testing.assert_allclose(shares_of(found, feature, np.zeros(len(feature))), found.shares)
    assert found.shares.sum() == pytest.approx(1)


def test_of_independent_columns_terms_are_the_logarithms_of_ratios():
    F = samples_of(np.outer([0.5, 0.5], [0.2, 0.8]))
    first, second = raked((margin(2, [0.3, 0.7, 0]), margin(2, [0.6, 0.4, 0])), F, np.zeros(len(F)), no_cap)
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
    (found,) = raked((margin(1, [0.6, 0.4]),), F, np.zeros(1000), no_cap)
    np.testing.assert_allclose(shares_of(found, F[:, 0], log_terms((found,), F)), [0.6, 0.4], atol=1e-3)


def test_groups_that_are_rare_or_never_drawn_have_no_term():
    wanted = margin(4, [0.5, 0.4, 0.1 - LEAST_SHARE / 2, LEAST_SHARE / 2, 0])
    F = np.repeat([[0.0], [1.0], [3.0]], [500, 400, 100], axis=0)
    (found,) = raked((wanted,), F, np.zeros(1000), no_cap)
    assert found.terms[2] == 0 and found.terms[3] == 0 and np.isfinite(found.terms).all()
