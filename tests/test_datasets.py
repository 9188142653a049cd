"""Toy manifolds against their formulas, the real table against its codebook."""

import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmdiff import datasets

TOYS = {
    "swiss roll": (datasets.make_swiss_roll_nd, 2),
    "torus": (datasets.make_torus, 2),
    "linked circles": (datasets.make_linked_circles, 1),
    "von Mises circle": (datasets.make_von_mises_circle, 1),
}
ALL_MAKERS = [maker for maker, _ in TOYS.values()] + [datasets.make_gaussian_grid]


@pytest.mark.parametrize("n_features", [3, 10])
@pytest.mark.parametrize("maker", ALL_MAKERS)
def test_clean_points_lie_on_the_manifold(maker, n_features):
    toy = maker(n_samples=300, n_features=n_features, random_state=1)
    assert toy.clean.shape == (300, n_features)
    assert_allclose(toy.distance(toy.clean), 0, atol=1e-6)


@pytest.mark.parametrize("maker", ALL_MAKERS)
def test_noise_has_the_level_asked_for(maker):
    toy = maker(n_samples=4000, n_features=8, noise=0.3, random_state=2)
    noise = toy.data - toy.clean
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert abs(np.corrcoef(noise.T) - np.eye(8)).max() < 0.06


@pytest.mark.parametrize("name", TOYS)
def test_mean_squared_distance_of_noisy_rows_is_that_of_the_normal_directions(name):
    maker, n_dimensions = TOYS[name]
    toy = maker(n_samples=20_000, n_features=8, noise=0.02, random_state=3)
    expected = 0.02**2 * (8 - n_dimensions)
    assert np.mean(toy.distance(toy.data) ** 2) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("maker", ALL_MAKERS)
def test_same_seed_same_rows_and_no_global_stream_is_drawn_from(maker):
    before = np.random.get_state()[1].copy()
    first, second = (maker(n_samples=20, n_features=5, random_state=7) for _ in range(2))
    assert_array_equal(first.data, second.data)
    assert_array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("maker", ALL_MAKERS)
def test_toys_can_be_pickled(maker):
    toy = maker(n_samples=20, n_features=5, noise=0.1, random_state=0)
    again = pickle.loads(pickle.dumps(toy))
    assert_array_equal(again.distance(toy.data), toy.distance(toy.data))


@pytest.mark.parametrize("maker", ALL_MAKERS)
def test_too_few_columns_are_refused(maker):
    with pytest.raises(ValueError, match="n_features must be at least [23], got 1"):
        maker(n_features=1)


def test_distance_to_the_roll_is_that_of_a_fine_grid():
    toy = datasets.make_swiss_roll_nd(n_samples=1, n_features=3, random_state=0)
    rows = np.random.RandomState(0).uniform([-16, -5, -16], [16, 26, 16], size=(200, 3))
    t = np.linspace(1.5 * np.pi, 4.5 * np.pi, 200_001)
    curve = np.column_stack([t * np.cos(t), t * np.sin(t)])
    in_plane = np.array([np.linalg.norm(curve - row[[0, 2]], axis=1).min() for row in rows])
    slow = np.hypot(in_plane, np.maximum(np.maximum(-rows[:, 1], rows[:, 1] - 21), 0))
    assert_allclose(toy.distance(rows), slow, atol=1e-5)


def test_torus_is_covered_evenly():
    angle = datasets.make_torus(n_samples=200_000, radius=3.0, tube=1.5, random_state=0).t[:, 1]
    # density (1 + r/R cos a) / 2 pi: the mean of cos a is r / 2R, that of sin a is 0
    assert np.cos(angle).mean() == pytest.approx(0.25, abs=0.006)
    assert np.sin(angle).mean() == pytest.approx(0, abs=0.006)


def test_gaussian_grid_has_geometric_weights_and_far_centres():
    grid = datasets.make_gaussian_grid(n_samples=200_000, n_features=4, noise=0.05, random_state=0)
    assert_allclose(np.bincount(grid.t, minlength=25) / 200_000, grid.weights, atol=0.003)
    assert_allclose(grid.weights[1:] / grid.weights[:-1], 0.9)
    gaps = np.linalg.norm(grid.centers[:, None] - grid.centers[None], axis=2)
    assert gaps[np.triu_indices(25, 1)].min() == pytest.approx(1)
    assert_array_equal(grid.clean, grid.centers[grid.t])


def test_gaussian_grid_is_not_solved_by_independent_columns():
    grid = datasets.make_gaussian_grid(n_samples=5000, noise=0.03, random_state=0)
    rng = np.random.RandomState(0)
    shuffled = np.column_stack([rng.permutation(column) for column in grid.data.T])
    assert np.mean(grid.distance(grid.data) < 0.1) > 0.99
    assert np.mean(grid.distance(shuffled) < 0.1) < 0.3


def test_circles_are_linked():
    links = datasets.make_linked_circles(n_samples=100, random_state=0)
    first, second = links.clean[links.t[:, 1] == 0], links.clean[links.t[:, 1] == 1]
    assert len(first) == len(second) == 50
    # the second circle crosses the disc of the first one once inside and once outside: that is a link
    angle = np.linspace(0, 2 * np.pi, 1001)
    circle = np.column_stack([1 + np.cos(angle), 0 * angle, np.sin(angle)])
    assert_allclose(links.distance(circle), 0, atol=1e-12)
    crossings = circle[np.flatnonzero(np.diff(np.sign(circle[:, 2] + 1e-9)))]
    assert sorted(np.linalg.norm(crossings[:, :2], axis=1) < 1) == [False, True]
    assert_allclose(second[:, 1], 0)


@pytest.mark.parametrize("kappa, resultant", [(0.0, 0.0), (2.0, 0.697775), (5.0, 0.893383)])
def test_von_mises_circle_has_the_concentration_asked_for(kappa, resultant):
    angle = datasets.make_von_mises_circle(n_samples=100_000, kappa=kappa, random_state=0).t
    assert np.cos(angle).mean() == pytest.approx(resultant, abs=0.008)


def test_german_credit_has_the_counts_of_its_codebook():
    credit = datasets.load_german_credit()
    assert credit.data.shape == (1000, 20)
    assert dict(zip(*np.unique(credit.target.astype(str), return_counts=True), strict=True)) == {
        "bad": 300,
        "good": 700,
    }
    assert [credit.frame[:, 1].min(), credit.frame[:, 1].max()] == [4, 72]
    assert [credit.frame[:, 4].min(), credit.frame[:, 4].max()] == [250, 18424]
    assert len(set(credit.frame[:, 3])) == 10
    assert len(credit.categorical_features) == 14
    assert "CC BY 4.0" in credit.DESCR and "Hofmann" in credit.DESCR


def test_german_credit_as_frame_holds_the_same_cells():
    pytest.importorskip("pandas")
    array, credit = datasets.load_german_credit(), datasets.load_german_credit(as_frame=True)
    kinds = [str(dtype) for dtype in credit.frame.dtypes]
    assert kinds.count("int64") == 7 and kinds.count("category") == 14
    assert list(credit.frame.columns[:-1]) == array.feature_names
    assert_array_equal(credit.frame.to_numpy(dtype=object), array.frame)
    X, y = datasets.load_german_credit(return_X_y=True, as_frame=True)
    assert X.shape == (1000, 20) and y.name == "credit_risk"


def test_german_credit_needs_no_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    credit = datasets.load_german_credit()
    assert credit.frame.shape == (1000, 21)
    assert [type(cell) for cell in credit.frame[0]].count(int) == 7
    with pytest.raises(ModuleNotFoundError, match="pandas"):
        datasets.load_german_credit(as_frame=True)


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        (datasets.make_torus, {"noise": -1}, "noise must be a finite number of at least 0, got -1"),
        (datasets.make_swiss_roll_nd, {"noise": np.nan}, "noise must be a finite number of at least 0, got nan"),
        (datasets.make_linked_circles, {"n_samples": 0}, "n_samples == 0, must be >= 1"),
        (datasets.make_von_mises_circle, {"n_samples": -5}, "n_samples == -5, must be >= 1"),
        (datasets.make_von_mises_circle, {"kappa": -1}, "kappa must be a finite number of at least 0, got -1"),
        (datasets.make_gaussian_grid, {"n_side": 0}, "n_side == 0, must be >= 1"),
        (datasets.make_gaussian_grid, {"ratio": 0.0}, "ratio must be above 0"),
        (datasets.make_torus, {"tube": 3.0}, "tube must be above 0 and below 2.0, got 3.0"),
    ],
)
def test_parameters_that_make_no_table_are_refused(make, params, message):
    with pytest.raises(ValueError, match=message):
        make(**params)


@pytest.mark.parametrize("params", [{"n_samples": 2.0}, {"n_samples": True}, {"noise": "x"}, {"n_features": "3"}])
def test_parameters_of_another_kind_are_refused(params):
    with pytest.raises(TypeError, match=f"{next(iter(params))} must be"):
        datasets.make_torus(**params)
