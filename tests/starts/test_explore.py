"""Regions and paths: geodesics of known curves, slow twins, and what users may ask for."""

from copy import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.manifold import Isomap
from sklearn.neighbors import KernelDensity

from skmdiff import ManifoldDiffusionSampler
from skmdiff._manifold.learner import ManifoldModel
from skmdiff._numerics.neighbors import nearest, neighbor_graph
from skmdiff._starts.distributions import tree_order
from skmdiff._starts.explore import connected_graph, farthest, geodesic, path_points, region_points
from skmdiff._starts.source import build_source
from skmdiff._starts.volumes import volumes
from skmdiff.datasets import make_swiss_roll_nd, make_von_mises_circle


def sampler(**parameters):
    defaults = dict(max_iter=200, hidden_layer_sizes=(32,), numeric="standard", random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


@pytest.fixture(scope="module")
def roll():
    return make_swiss_roll_nd(1000, 6, random_state=0)


@pytest.fixture(scope="module")
def on_roll(roll):
    return sampler(manifold=Isomap(n_neighbors=10), contraction=1.0).fit(roll.data)


def test_a_geodesic_of_a_circle_goes_round_it():
    circle = make_von_mises_circle(800, kappa=0.0, random_state=0)
    order = np.argsort(circle.t)
    X = circle.data[order]
    graph = connected_graph(X, neighbor_graph(X, 6))
    path = geodesic(graph, 200, 600)
    steps = np.diff(path)
    assert path[0] == 200 and path[-1] == 600 and (np.all(steps > 0) or np.all(steps < 0))  # one way round
    length = np.linalg.norm(np.diff(X[path], axis=0), axis=1).sum()
    angle = abs(circle.t[order][600] - circle.t[order][200])
    assert length == pytest.approx(min(angle, 2 * np.pi - angle), rel=0.02)


def test_pieces_are_joined_where_they_are_nearest():
    X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.5]])
    graph = connected_graph(X, neighbor_graph(X, 1))
    assert list(geodesic(graph, 0, 5)) == [0, 1, 2, 3, 4, 5]


def test_copies_are_on_the_way():
    X = np.repeat(np.arange(4.0)[:, None], 3, axis=0)
    graph = connected_graph(X, neighbor_graph(X, 3))
    assert X[geodesic(graph, 0, 11)].ravel()[[0, -1]].tolist() == [0.0, 3.0]


def test_points_of_a_path_are_evenly_spaced_and_pass_by_the_stops(roll):
    model = ManifoldModel(Isomap(n_neighbors=10), random_state=0).fit(roll.data)
    stops = roll.data[[5, 700, 20]]
    points = path_points(model, roll.data, stops, 400)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(points[[0, -1]], stops[[0, 2]])
    assert np.linalg.norm(points - stops[1], axis=1).min() < steps.max()
    assert steps.max() < 1.01 * np.median(steps)  # a step over a corner is shorter


def test_a_path_stays_on_the_roll_and_a_straight_line_does_not(roll, on_roll):
    ends = roll.data[[np.argmin(roll.t[:, 0]), np.argmax(roll.t[:, 0])]]
    rows = on_roll.explore(40, path=ends)
    line = ends[0] + np.linspace(0, 1, 40)[:, None] * (ends[1] - ends[0])
    assert roll.distance(rows).mean() < 0.02 < 1 < roll.distance(line).mean()
    assert np.linalg.norm(rows[[0, -1]] - ends, axis=1).max() < 3  # noise of a tenth, of a spread of 7
    assert np.linalg.norm(np.diff(rows, axis=0), axis=1).max() < 6


def test_a_region_holds_the_rows_drawn_from_it(on_roll):
    Z = on_roll.embedding_
    low, high = np.quantile(Z, 0.4, axis=0), np.quantile(Z, 0.8, axis=0)
    boxed = on_roll.embed(on_roll.explore(300, region=(low, high)))
    inside = np.all((boxed > low - 0.15) & (boxed < high + 0.15), axis=1)
    assert inside.mean() > 0.85  # .92 of many, with a standard error of .016; of rows anywhere less than .2
    called = on_roll.explore(300, region=lambda Z: np.all((Z >= low) & (Z <= high), axis=1))
    np.testing.assert_array_equal(on_roll.embed(called), boxed)


@pytest.mark.slow
def test_the_whole_of_a_circle_is_spread_over():
    """40 rows, 40 arcs: independent rows of the table meet 18 of them, uniform ones 25, explored ones 31."""
    circle = make_von_mises_circle(1000, random_state=0)
    est = sampler(max_iter=500).fit(circle.data)

    def arcs(rows):
        return len(np.unique(np.floor(np.arctan2(rows[:, 1], rows[:, 0]) / (2 * np.pi) * 40)))

    explored = np.mean([arcs(est.explore(40, random_state=seed)) for seed in range(20)])
    independent = np.mean([arcs(est.sample(40, random_state=seed)) for seed in range(20)])
    assert explored > 1.6 * independent


def test_in_a_second_round_a_point_takes_the_candidate_farthest_from_all_others():
    candidates = np.random.default_rng(0).normal(size=(60, 5, 3))
    first, chosen = farthest(candidates, 1), farthest(candidates, 2)
    points = candidates[np.arange(60), first]
    for i in range(60):  # the slow twin
        others = np.delete(points, i, axis=0)
        distances = [np.linalg.norm(others - candidate, axis=1).min() for candidate in candidates[i]]
        assert chosen[i] == np.argmax(distances)
        points[i] = candidates[i, chosen[i]]


def test_one_start_lies_in_each_stratum_of_equal_volume(roll):
    """Without neighbours starts are rows: along the order of the strata, one overlaps each stratum."""
    model = ManifoldModel(Isomap(n_neighbors=10), random_state=0).fit(roll.data)
    source = build_source(roll.data, model.embedding_, np.zeros(roll.data.shape, dtype=bool), 0)
    points = region_points(None, source, model, roll.data, 300, seed=1)
    found = nearest(roll.data, points, 1)[1][:, 0]
    np.testing.assert_array_equal(points, roll.data[found])
    weights = volumes(roll.data)
    order = tree_order(model.embedding_ * model.shape_, np.zeros(1000, dtype=int))
    ends = np.cumsum(weights[order])[np.argsort(order)] / weights.sum()
    order = np.argsort(ends[found])
    assert np.all(ends[found][order] > np.arange(300) / 300 - 1e-9)  # a row of a stratum ends in it or behind it
    starts = (ends - weights / weights.sum())[found][order]
    assert np.all(starts < np.arange(1, 301) / 300 + 1e-9)


def test_threads_change_nothing(on_roll):
    est = copy(on_roll).set_params(n_jobs=2)
    np.testing.assert_array_equal(est.explore(1500, random_state=3), on_roll.explore(1500, random_state=3))


def test_frames_categories_and_targets():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "kind": pd.Categorical(rng.choice(["a", "b"], 80))})
    est = sampler(max_iter=5, hidden_layer_sizes=(8,)).fit(frame, rng.integers(0, 2, 80))
    for rows in (est.explore(5), est.explore(5, path=frame.iloc[[0, 9, 3]])):
        assert len(rows) == 5 and (rows.dtypes == frame.dtypes).all()


def test_the_distribution_of_the_embedding_is_an_estimator(on_roll):
    distribution = on_roll.embedding_density()
    assert isinstance(distribution, KernelDensity)
    middle, far = on_roll.embedding_.mean(axis=0), on_roll.embedding_.max(axis=0) + 2
    assert (
        np.isfinite(distribution.score_samples([middle]))
        and distribution.score_samples([far])[0] < distribution.score_samples([middle])[0] - 3
    )
    assert on_roll.lift(distribution.sample(4, random_state=0)).shape == (4, 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(region=(0, 1), path=np.zeros((2, 6))), "region and path must not be given both"),
        (dict(path=np.zeros((1, 6))), "path must hold at least two rows, got 1"),
        (dict(region=(50, 60)), "region must hold at least one training row"),
        (dict(region=3), "region must be a callable or two corners of 2 coordinates"),
        (dict(region=lambda Z: Z), "region must return one bool a row"),
        (dict(n_samples=0), "n_samples == 0"),
    ],
)
def test_refusals(on_roll, arguments, message):
    with pytest.raises(ValueError, match=message):
        on_roll.explore(**arguments)


def test_without_starts_on_a_manifold():
    X = np.random.default_rng(0).normal(size=(30, 2))
    est = sampler(max_iter=2, hidden_layer_sizes=(8,), manifold="passthrough").fit(X)
    for call in (est.explore, est.embedding_density):
        with pytest.raises(ValueError, match="needs"):
            call()
