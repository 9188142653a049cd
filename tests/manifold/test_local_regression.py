"""Local polynomial regression against slow weighted least squares."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from skmdiff._manifold.local_regression import equivalent, leave_one_out, local_polynomial, regression_coefficients


def slow_local_polynomial(Z_fit, W_fit, z, n_neighbors, degree, skip=None):
    """Coefficients of weighted least squares, the value first; the bandwidth is that of all rows."""
    distances = np.linalg.norm(Z_fit - z, axis=1)
    near = np.argsort(distances)[:n_neighbors]
    weights = np.clip(1 - (distances[near] / distances[near[-1]]) ** 3, 0, None) ** 3
    weights[near == skip] = 0
    offsets = Z_fit[near] - z
    columns = [
        offsets[:, list(pair)].prod(axis=1)
        for d in range(degree + 1)
        for pair in combinations_with_replacement(range(Z_fit.shape[1]), d)
    ]
    root = np.sqrt(weights)[:, None]
    return np.linalg.lstsq(np.column_stack(columns) * root, W_fit[near] * root, rcond=None)[0]


@pytest.mark.parametrize("degree", [1, 2])
def test_the_value_is_that_of_weighted_least_squares(degree):
    rng = np.random.RandomState(0)
    Z_fit, W_fit, Z = rng.randn(300, 3), rng.randn(300, 4), rng.randn(20, 3)
    values = local_polynomial(Z_fit, W_fit, Z, 40, degree, 1e-9)
    expected = [slow_local_polynomial(Z_fit, W_fit, z, 40, degree)[0] for z in Z]
    np.testing.assert_allclose(values, expected, atol=1e-6)


@pytest.mark.parametrize("degree", [1, 2])
def test_the_slopes_are_those_of_weighted_least_squares(degree):
    rng = np.random.RandomState(0)
    Z_fit, W_fit, Z = rng.randn(40, 3), rng.randn(40, 4), rng.randn(6, 3)
    distances = np.linalg.norm(Z_fit - Z[:, None], axis=2)
    weights = np.clip(1 - (distances / distances.max(axis=1, keepdims=True)) ** 3, 0, None) ** 3
    weights /= weights.sum(axis=1, keepdims=True)
    value, slopes = regression_coefficients(Z_fit - Z[:, None], weights, degree, 1e-9)
    slow = np.array([slow_local_polynomial(Z_fit, W_fit, z, 40, degree) for z in Z])
    np.testing.assert_allclose(value @ W_fit, slow[:, 0], atol=1e-6)
    np.testing.assert_allclose(slopes @ W_fit, slow[:, 1:4], atol=1e-6)
    np.testing.assert_allclose(value.sum(axis=1), 1, atol=1e-9)


@pytest.mark.parametrize("degree", [1, 2])
def test_leave_one_out_equals_leaving_out(degree):
    rng = np.random.RandomState(0)
    Z, W, rows = rng.randn(200, 2), rng.randn(200, 3), np.arange(15)
    slow = [np.mean((W[i] - slow_local_polynomial(Z, W, Z[i], 30, degree, skip=i)[0]) ** 2) for i in rows]
    np.testing.assert_allclose(leave_one_out(Z, W, rows, 30, degree, 1e-9), np.mean(slow), rtol=1e-6)


def test_a_polynomial_is_met_exactly():
    Z = np.random.RandomState(0).randn(200, 2)
    W = np.column_stack([Z[:, 0] * Z[:, 1] + 2 * Z[:, 0], 1 - Z[:, 1] ** 2])
    np.testing.assert_allclose(local_polynomial(Z, W, Z[:30], 25, 2, 1e-9), W[:30], atol=1e-6)
    assert np.abs(local_polynomial(Z, W, Z[:30], 25, 1, 1e-9) - W[:30]).max() > 0.05


def test_degenerate_neighbourhoods_fall_back_to_the_local_mean():
    W = np.arange(12.0).reshape(6, 2)
    one_place = local_polynomial(np.zeros((6, 2)), W, np.zeros((1, 2)), 6, 1, 1e-5)
    np.testing.assert_allclose(one_place[0], W.mean(axis=0))
    line = np.column_stack([np.linspace(-1, 1, 50), np.zeros(50)])  # no spread across
    for degree in (1, 2):
        values = local_polynomial(line, line[:, :1], np.array([[0.1, 0.0]]), 20, degree, 1e-5)
        np.testing.assert_allclose(values, 0.1, atol=1e-6)
        far = local_polynomial(line, line[:, :1], np.array([[1e6, 0.0]]), 20, degree, 1e-5)
        assert abs(far[0, 0]) < 1.1  # not extrapolated


def test_errors_within_a_fifth_of_the_least_are_equivalent():
    np.testing.assert_array_equal(equivalent([2.0, 1.0, 1.19, 1.21]), [False, True, True, False])
