"""Local charts against surfaces that are known, a slow twin, and what noise does to them."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar, nnls
from sklearn.manifold import Isomap

from skmdiff._manifold import charts as charts_module
from skmdiff._manifold.charts import choose_charts, leave_out, normal_parts, project_on_patches
from skmdiff._numerics.neighbors import neighbor_graph
from skmdiff.datasets import make_linked_circles, make_swiss_roll_nd, make_torus


def charts_of(X, d, Z=None):
    return choose_charts(X, X if Z is None else Z, np.ones(X.shape[1], dtype=bool), d, 0)


def paraboloid(n=400, p=6, noise=0.0, seed=0):
    """Rows (n, p) on a paraboloid over two coordinates, within a random frame, and the frame."""
    rng = np.random.default_rng(seed)
    u = rng.uniform(-1, 1, (n, 2))
    frame = np.linalg.qr(rng.normal(size=(p, 3)))[0].T
    height = u[:, 0] ** 2 - 0.5 * u[:, 0] * u[:, 1]
    return np.column_stack([u, height]) @ frame + noise * rng.normal(size=(n, p)), frame


def test_projections_on_a_parabola_are_the_nearest_points():
    """One patch, the whole parabola, so that the quadratic is the truth; SciPy finds the nearest point."""
    t = np.linspace(-1, 1, 60)
    t = t[np.argsort(np.abs(t))]  # near to far
    curve = np.column_stack([t, 0.4 * t**2])
    points = np.random.default_rng(0).uniform([-0.15, 0.0], [0.15, 0.2], (20, 2))
    projections, frames, _ = project_on_patches(np.broadcast_to(curve, (20, 60, 2)), points, 1)
    for point, projection, frame in zip(points, projections, frames, strict=True):
        best = minimize_scalar(lambda s, at=point: (s - at[0]) ** 2 + (0.4 * s**2 - at[1]) ** 2, (-1, 1)).x
        np.testing.assert_allclose(projection, [best, 0.4 * best**2], atol=5e-3)
        slope = np.array([1.0, 0.8 * projection[0]]) / np.hypot(1.0, 0.8 * projection[0])
        assert abs(frame[:, 0] @ slope) == pytest.approx(1, abs=1e-3)


def test_rows_on_a_quadratic_surface_are_their_own_projections():
    X, frame = paraboloid()
    charts = charts_of(X, 2)
    inner = np.abs(X @ frame.T)[:, :2].max(axis=1) < 0.8
    projections, frames = charts.project(X[inner])
    np.testing.assert_allclose(projections, X[inner], atol=1e-3)
    np.testing.assert_allclose(
        frames.transpose(0, 2, 1) @ frames, np.broadcast_to(np.eye(2), (inner.sum(), 2, 2)), atol=1e-9
    )


def test_what_is_normal_is_at_right_angles():
    rng = np.random.default_rng(0)
    frames = np.linalg.qr(rng.normal(size=(10, 5, 2)))[0]
    residuals = rng.normal(size=(10, 5))
    normal = normal_parts(residuals, frames)
    np.testing.assert_allclose(np.einsum("mqd,mq->md", frames, normal), 0, atol=1e-12)
    np.testing.assert_allclose(normal_parts(normal, frames), normal)


def test_a_projection_does_not_leave_the_rows():
    """Rows end at height 1: a point beyond comes back to the edge."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(0, 1, (600, 2)), np.zeros(600)])
    beyond = np.column_stack([np.full(5, 1.5), np.linspace(0.3, 0.7, 5), np.full(5, 0.2)])
    projections, _ = charts_of(X, 2).project(beyond)
    assert (np.abs(projections[:, 0] - 1) < 0.06).all() and np.abs(projections[:, 2]).max() < 1e-9


@pytest.mark.parametrize("d", [1, 2, 3])
def test_points_are_moved_to_the_nearest_of_a_convex_hull(d):
    """The nearest point by non-negative least squares; what is inside stays."""
    rng = np.random.default_rng(d)
    along, at = rng.normal(size=(40, 15, d)), 2 * rng.normal(size=(40, d))
    moved = charts_module._within(along, at)
    for corners, point, got in zip(along, at, moved, strict=True):
        weight = nnls(np.vstack([corners.T, np.full(15, 1e4)]), np.append(point, 1e4))[0]
        nearest = corners.T @ weight
        assert np.linalg.norm(got - point) < np.linalg.norm(nearest - point) + 0.05
        if np.linalg.norm(nearest - point) < 1e-6:
            np.testing.assert_array_equal(got, point)


@pytest.mark.parametrize(
    ("make", "d", "bound"),
    [
        (lambda s: make_torus(1000, 10, random_state=s), 2, 0.007),
        (lambda s: make_linked_circles(1000, 10, random_state=s), 1, 1e-4),
    ],
)
def test_points_off_a_surface_are_put_on_it(make, d, bound):
    for seed in (0, 1):
        toy = make(seed)
        off = toy.data + 0.1 * np.random.default_rng(seed).normal(size=toy.data.shape)
        projections, _ = charts_of(toy.data, d).project(off)
        assert toy.distance(off).mean() > 0.25 and toy.distance(projections).mean() < bound


def test_neighbours_on_the_manifold_do_not_cut_across_a_fold():
    """A wide patch of the noisy roll: the embedding's neighbours against those of the table."""
    roll = make_swiss_roll_nd(1000, 10, noise=0.15, random_state=0)
    Z = Isomap(n_neighbors=10).fit_transform(roll.data)
    rows = np.arange(300)
    projections = {}
    for name, space in (("embedding", Z), ("table", roll.data)):
        graph = neighbor_graph(space, 80)
        projections[name] = roll.distance(project_on_patches(roll.data[graph[rows]], roll.data[rows], 2)[0]).mean()
    assert projections["embedding"] < 1 / 3 * roll.distance(roll.data).mean() < 0.5 * projections["table"]


def test_noise_makes_patches_wide():
    sizes = [charts_of(paraboloid(1000, noise=noise)[0], 2).patches.shape[1] for noise in (0.0, 0.1)]
    assert sizes[1] >= 2 * sizes[0]


def test_the_variance_of_a_projection_is_that_of_the_regression():
    """Noise drawn anew 300 times around a plane: 60 rows a patch, bound at five standard errors."""
    rng = np.random.default_rng(0)
    clean = np.column_stack([rng.uniform(-1, 1, (60, 2)), np.zeros((60, 2))])
    noisy = clean + 0.01 * rng.normal(size=(300, 60, 4))
    projections, _, variance = project_on_patches(noisy, np.zeros((300, 4)), 2)
    across = np.mean(projections[:, 2:] ** 2) / 0.01**2
    assert across == pytest.approx(variance.mean(), rel=5 * np.sqrt(2 / 600))


def test_rows_are_left_out_of_their_own_charts():
    X, _ = paraboloid(300)
    graph = neighbor_graph(X, 30)
    left = leave_out(X, graph, np.arange(20), 2)
    moved = X.copy()
    moved[:20] += 5.0  # charts of the others do not change where these rows go
    projections, frames, _ = project_on_patches(X[graph[:20]], moved[:20], 2)
    inside, _, _ = project_on_patches(X[graph[:20]], X[:20], 2)
    np.testing.assert_allclose(left.residuals, normal_parts(X[:20] - inside, left.frames), atol=1e-12)
    assert np.abs(normal_parts(moved[:20] - projections, frames)).max() > 1
