"""The volume that each row stands for: closed forms, a slow twin, and known densities on curves and surfaces.

Divergences are of the weights in bins of equal volume. With weights that are exactly the inverse of the density they
would be about (bins - 1) / 2n, .01 for 20 bins of 1000 rows, and more where the density varies.
"""

import numpy as np
import pytest
from scipy import stats

from skmdiff._starts import volumes as _volumes
from skmdiff._starts.volumes import balls_about, filled, volumes
from skmdiff.datasets import make_von_mises_circle


def divergence(t, weights=None, n_bins=20):
    """KL from the uniform distribution over [0, 1) of values t (n,) by weight."""
    fraction = np.histogram(t, np.linspace(0, 1, n_bins + 1), weights=weights)[0]
    fraction = fraction / fraction.sum()
    return np.sum(fraction[fraction > 0] * np.log(n_bins * fraction[fraction > 0]))


def falling(rng, n):
    """(n,) values in [0, 1] with a density that falls as exp(-2 x)."""
    return -np.log(1 - rng.random(n) * (1 - np.exp(-2))) / 2


def arc(circle):
    return circle.t / (2 * np.pi) % 1


def test_a_row_on_a_straight_edge_sees_half_a_ball():
    """A standard normal cut at -t has the mean phi(t) / Phi(t), and Phi(t) of it is left."""
    for t in (0.0, 0.5, 1.5):
        cut = stats.truncnorm(-t, np.inf)
        assert filled(np.array([cut.mean()]))[0] == pytest.approx(stats.norm.cdf(t), abs=1e-3)
    assert filled(np.array([0.0]))[0] == pytest.approx(1, abs=1e-3)


def test_two_rounds_in_single_precision_are_those_of_a_slow_twin():
    X = np.random.default_rng(0).normal(size=(80, 3)) * [3, 1, 0.5] + 100
    balls, weights = balls_about(X, np.arange(80)), np.ones(80)
    for _ in range(2):
        new = np.empty(80)
        for i in range(80):
            K = np.exp(-((X - X[i]) ** 2).sum(axis=1) / (2 * balls.width[i] ** 2)) * weights
            offset = np.linalg.norm((K[:, None] * (X - X[i])).sum(axis=0)) / K.sum() / balls.width[i]
            new[i] = weights[i] * np.exp(balls.log_full[i]) * filled(np.array([offset]))[0] / K.sum()
        weights = new
    np.testing.assert_allclose(volumes(X), weights / weights.max(), rtol=1e-3)


def test_balls_have_one_radius_where_rows_are_dense_and_grow_where_they_are_sparse():
    """On a line with a gap of ten steps between the last rows: d = 1, so that volume goes with the width."""
    X = np.concatenate([np.arange(900.0), 900 + 10 * np.arange(40)])[:, None]
    balls = balls_about(X, np.arange(940))
    dense = slice(30, 800)  # the first ones are at the end of the line
    np.testing.assert_allclose(balls.width[dense], 4, rtol=1e-9)  # eight steps to the 15th nearest, over 2
    np.testing.assert_allclose(balls.log_full[dense], 0)
    slope = balls.log_full[-20:] / np.log(balls.width[-20:] / 4)
    assert balls.width[-1] > 20
    np.testing.assert_allclose(slope, 1, atol=0.25)


def test_volumes_undo_the_density_of_a_circle():
    circle = make_von_mises_circle(2000, random_state=0)
    weights = volumes(circle.data)
    assert divergence(arc(circle)) > 0.4 and divergence(arc(circle), weights) < 0.03


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_columns_of_noise_are_no_volume(noise):
    """A circle in twelve columns with noise in all of them, more than the distance of its rows."""
    circle = make_von_mises_circle(1500, random_state=0)
    X = np.pad(circle.data, ((0, 0), (0, 10))) + noise * np.random.default_rng(0).normal(size=(1500, 12))
    assert divergence(arc(circle)) > 0.5 and divergence(arc(circle), volumes(X)) < 0.08


def test_rows_at_the_edge_of_a_square_have_no_more_volume_than_others():
    X = np.random.default_rng(0).random((2000, 2))
    weights, is_edge = volumes(X), np.abs(X - 0.5).max(axis=1) > 0.48
    assert weights[is_edge].mean() == pytest.approx(weights[~is_edge].mean(), rel=0.15)


def test_density_of_a_square_is_undone_up_to_its_edges():
    rng = np.random.default_rng(0)
    x = falling(rng, 2000)
    weights = volumes(np.column_stack([x, rng.random(2000)]))
    assert divergence(x) > 0.12 and divergence(x, weights) < 0.02


def test_curve_and_surface_side_by_side():
    """Each is uniform within, and between them volume goes by the number of kernels that cover them."""
    circle, rng = make_von_mises_circle(700, kappa=1, random_state=0), np.random.default_rng(0)
    x = falling(rng, 700)
    sheet = np.column_stack([3 + 2 * x, 2 * rng.random(700), np.zeros(700)])
    X = np.concatenate([np.pad(circle.data, ((0, 0), (0, 1))), sheet])
    weights = volumes(X)
    assert divergence(arc(circle), weights[:700]) < 0.03 and divergence(x, weights[700:]) < 0.06
    # the kernel has sqrt(2 pi) widths of a curve, 2 pi of a surface
    h = balls_about(X, np.arange(1400)).width.min()
    balls = np.array([2 * np.pi / (np.sqrt(2 * np.pi) * h), 4 / (2 * np.pi * h**2)])
    assert weights[:700].sum() / weights.sum() == pytest.approx(balls[0] / balls.sum(), rel=0.2)


def test_volumes_do_not_depend_on_units_or_directions():
    X = np.random.default_rng(0).normal(size=(300, 4))
    turn = stats.ortho_group(4, seed=0).rvs()
    np.testing.assert_allclose(volumes(1e6 * X @ turn - 5), volumes(X), rtol=1e-3)


def test_many_rows_are_weighed_by_a_part_of_them(monkeypatch):
    """By a third of the rows the circle is as even as by all."""
    monkeypatch.setattr(_volumes, "VOLUME_ROWS", 1000)
    circle = make_von_mises_circle(3000, kappa=1, random_state=0)
    weights = volumes(circle.data)
    seen = np.zeros(3000, dtype=bool)
    seen[np.random.default_rng(0).permutation(3000)[:1000]] = True
    for some in (seen, ~seen):
        assert divergence(arc(circle)[some], weights[some]) < 0.05


@pytest.mark.parametrize(
    "X",
    [
        np.repeat(np.random.default_rng(0).normal(size=(40, 2)), 20, axis=0),
        np.zeros((30, 2)),
        np.array([[0.0], [1.0]]),
        np.append(np.random.default_rng(0).normal(size=(400, 3)), [[1e9, 0, 0]], axis=0),
    ],
    ids=["copies", "one row", "two rows", "far off"],
)
def test_volumes_are_finite(X):
    weights = volumes(X)
    assert np.isfinite(weights).all() and (weights >= 0).all() and weights.max() == 1
