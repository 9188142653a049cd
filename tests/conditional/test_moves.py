"""Moves of starts to a condition: regressions against closed forms, moments against many starts."""

import numpy as np
import pytest

from skmdiff._conditional.matches import Matches, agreeing, neighborhood
from skmdiff._conditional.moves import (
    LARGEST_SCALE,
    Normal,
    garrote,
    local_slopes,
    slopes_of,
    slopes_only,
    wanted_moments,
    with_moments,
)
from skmdiff._conditional.queries import query_of_codes
from skmdiff._conditional.starts import choose_starts
from skmdiff._starts import source as _source
from skmdiff._table.columns import Block

COVARIANCE = np.array([[1.0, 0.7, 0.3], [0.7, 1.0, 0.5], [0.3, 0.5, 1.0]])
GIVEN, FREE = np.array([0, 1]), np.array([2])


def test_slopes_without_a_prior_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(200, 3)), rng.random(200)
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([np.ones(200), rows[:, :2]])
    expected = np.linalg.lstsq(design * root, rows[:, 2:] * root, rcond=None)[0][1:]
    np.testing.assert_allclose(local_slopes(rows, weights, np.zeros((3, 3)), GIVEN, FREE), expected, rtol=1e-3)
    # without rows it is the regression of the prior
    alone = local_slopes(rows[:1], np.ones(1), COVARIANCE, GIVEN, FREE)
    np.testing.assert_allclose(alone[:, 0], np.linalg.solve(COVARIANCE[:2, :2], COVARIANCE[:2, 2]), rtol=1e-3)


def test_the_distribution_of_all_given_some_is_the_conditional_normal_one():
    distribution, c = Normal(np.array([1.0, -2.0, 3.0]), COVARIANCE), np.array([0.5, -1.0])
    slopes = np.linalg.solve(COVARIANCE[:2, :2], COVARIANCE[:2, 2])
    B = slopes_of(COVARIANCE, GIVEN, FREE)
    np.testing.assert_allclose(B[:, 0], slopes, rtol=1e-4)
    mean, variance = distribution.distribution_at(c, GIVEN, FREE, B)
    np.testing.assert_allclose(mean, 3 + (c - distribution.mean[:2]) @ slopes, rtol=1e-4)
    np.testing.assert_allclose(variance, 1 - COVARIANCE[2, :2] @ slopes, rtol=1e-4)


def test_moments_of_rows_moved_along_any_slopes():
    rng = np.random.default_rng(0)
    rows, weight, c, B = rng.normal(size=(50, 3)), rng.random(50), np.array([0.5, -1.0]), np.array([[2.0], [-1.0]])
    values = rows[:, 2] + (c - rows[:, :2]) @ B[:, 0]
    mean, variance = Normal.of(rows, weight).distribution_at(c, GIVEN, FREE, B)
    assert mean[0] == pytest.approx(np.average(values, weights=weight))
    assert variance[0] == pytest.approx(np.average((values - mean[0]) ** 2, weights=weight))


def test_a_covariance_is_drawn_to_another_as_by_twenty_rows():
    few, all_rows = Normal(np.ones(2), np.eye(2)), Normal(np.zeros(2), 3 * np.eye(2))
    np.testing.assert_allclose(few.drawn_to(all_rows, 20), 2 * np.eye(2))


def test_differences_within_their_error_go_and_large_ones_stay():
    np.testing.assert_allclose(garrote(np.array([0.0, 1.4, -1.4, 2.0, -10.0]), 1.0), [0, 0, 0, 1, -9.8])


def weighted_rows(bend, n=4000):
    """Rows (c, u) with u = c + bend c^2 + noise of variance 1/4, and a kernel around c = 1.5."""
    rng = np.random.default_rng(0)
    c = rng.normal(size=n)
    rows = np.column_stack([c, c + bend * c**2 + 0.5 * rng.normal(size=n)])
    return rows, np.maximum(0, 1 - 4 * (c - 1.5) ** 2)


@pytest.mark.parametrize("bend", [0.0, 1.0])
def test_means_are_those_of_all_rows_where_the_distribution_is_linear_and_of_those_near_where_it_bends(bend):
    rows, weights = weighted_rows(bend)
    everyone, given, free, c = Normal.of(rows), np.array([0]), np.array([1]), np.array([1.5])
    move = slopes_only(given, free, local_slopes(rows, weights, everyone.covariance, given, free))
    mean, variance = wanted_moments(move, c, rows, weights, everyone, everyone.covariance)
    linear = everyone.distribution_at(c, given, free, slopes_of(everyone.covariance, given, free))
    if bend:
        assert abs(mean[0] - 3.75) < 0.15 < abs(linear[0][0] - 3.75)
        assert variance[0] < 0.5 < linear[1][0]  # 1/4 and the bend within the kernel, 2 more over all rows
    else:
        np.testing.assert_array_equal(mean, linear[0])
        np.testing.assert_allclose(variance, linear[1])


def test_scales_stay_within_their_largest():
    move = slopes_only(np.array([0]), np.array([1, 2, 3]), np.zeros((1, 3)))
    start, wanted = (np.zeros(3), np.ones(3)), (np.ones(3), np.array([9.0, 0.01, 1.21]))
    matched = with_moments(move, np.zeros(1), start, wanted)
    np.testing.assert_allclose(matched.scale, [LARGEST_SCALE, 1 / LARGEST_SCALE, 1.1])


def matched_starts(weight=None, n_starts=40_000):
    """Starts moved to a condition on the first of three normal numbers, their code of a class given too, and c."""
    rng = np.random.default_rng(1)
    category = rng.integers(2, size=2000)
    rows = np.column_stack(
        [rng.multivariate_normal(np.zeros(3), COVARIANCE, 2000) + category[:, None], np.eye(2)[category]]
    )
    blocks = [Block("numeric", j, j + 1, None, str(j)) for j in range(3)]
    blocks.append(Block("categorical", 3, 5, np.eye(2), "k", np.full(2, 0.5)))
    source = _source.build_source(rows, rows[:, :3], np.broadcast_to(np.arange(5) > 2, rows.shape), 15, weight=weight)
    c = np.array([1.0, np.nan, np.nan, 0.0, 1.0])
    query = query_of_codes(np.tile(c, (n_starts, 1)), blocks)
    matches = Matches(rows, blocks, source, weight)
    chosen, given, adjust = choose_starts(matches, query, rng.random((n_starts, 5)))
    starts = _source.draw_starts(source, rng.random((n_starts, source.n_draws)), chosen)
    return adjust(starts, np.arange(n_starts)), starts, matches, query, c


@pytest.mark.parametrize("weighted", [False, True])
def test_starts_moved_have_the_mean_and_variance_that_are_wanted(weighted):
    weight = np.random.default_rng(2).uniform(0.2, 1.8, 2000) if weighted else None
    moved, starts, matches, query, c = matched_starts(weight)
    agree, squares = agreeing(matches, query.low[0], query.high[0], query.masks)
    near, given, free = neighborhood(matches, agree, squares), np.array([0, 3, 4]), np.array([1, 2])
    of_class = Normal.of(matches.rows[agree], None if weight is None else weight[agree])
    n_rows = len(agree) if weight is None else weight[agree].sum()
    prior, rows = of_class.drawn_to(matches.everyone, n_rows), matches.rows[near.indices]
    move = slopes_only(given, free, local_slopes(rows, near.weights(), prior, given, free))
    wanted = wanted_moments(move, c[given], rows, near.weights(), of_class, prior)
    error = 4 * np.sqrt(wanted[1] / len(moved))
    assert (abs(moved[:, free].mean(axis=0) - wanted[0]) < error).all()
    # 4 standard errors of the draws, and what the 128 rows that stand for all near leave open
    np.testing.assert_allclose(moved[:, free].var(axis=0), wanted[1], rtol=4 * np.sqrt(2 / len(moved)) + 0.04)
    np.testing.assert_array_equal(moved[:, 3:], starts[:, 3:])
    slopes = COVARIANCE[0, 1:]
    assert (abs(wanted[0] - 1) < 4 * np.sqrt((1 - slopes**2) / 1000)).all()  # class 1 has the mean 1 in every number


def test_a_start_moved_has_the_same_bits_with_any_others():
    moved, starts, matches, query, c = matched_starts(n_starts=50)
    codes = np.tile(c, (7, 1))
    _, _, adjust = choose_starts(
        matches, query_of_codes(codes, matches.blocks), np.random.default_rng(0).random((7, 5))
    )
    np.testing.assert_array_equal(adjust(starts[20:27], np.arange(7)), moved[20:27])
