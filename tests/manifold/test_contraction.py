"""Contraction by "auto": on where rows lie on a surface that samples miss, elsewhere as if it were not there."""

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from sklearn.datasets import load_diabetes, load_iris, load_wine

from skmdiff import ManifoldDiffusionSampler
from skmdiff._manifold.charts import choose_charts, normal_parts, project_on_patches
from skmdiff._manifold.units import Units
from skmdiff._sampler.contraction import stand_off
from skmdiff._sampler.model import fitted_model
from skmdiff.datasets import make_linked_circles, make_swiss_roll_nd, make_torus


def quick(**parameters):
    defaults = dict(max_iter=20, hidden_layer_sizes=(16,), n_steps=4, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def circles(noise=0.0, n=500):
    return make_linked_circles(n, 6, noise=noise, random_state=0)


@pytest.fixture(scope="module")
def clean():
    return quick().fit(circles().data)


# --- where it is on


def test_a_clean_surface_turns_it_on(clean):
    """With the code of numbers that is chosen, after a training that is far too short."""
    toy = circles()
    loose = quick(contraction=0.0).fit(toy.data)
    assert clean.contraction_ == 1.0 and loose.contraction_ == 0.0
    assert toy.distance(clean.sample(300)).mean() < 0.002 < 0.05 < toy.distance(loose.sample(300)).mean()


def test_it_is_what_the_same_number_gives(clean):
    given = quick(contraction=1.0).fit(circles().data)
    assert clean.contraction_ == given.contraction_ == 1.0
    np.testing.assert_array_equal(clean.sample(50), given.sample(50))


@pytest.mark.slow
def test_it_follows_the_noise_of_the_rows(clean):
    """Of 500 rows on circles of radius 1, some .025 apart: noise far below that leaves a surface, noise above none."""
    strengths = [quick().fit(circles(noise).data).contraction_ for noise in (1e-4, 0.05, 0.3)]
    assert [clean.contraction_, *strengths] == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "toy", [make_swiss_roll_nd(1000, 10, random_state=0), make_torus(1000, 10, random_state=0)], ids=["roll", "torus"]
)
def test_samples_of_a_surface_are_as_near_to_it_as_rows_between_rows(toy):
    """At most twice the distance of the middles between rows and rows near them; measured .2 and .7 after 600 steps."""
    X = toy.data
    near = np.argsort(((X[:, None] - X[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
    between = (X + X[near[np.arange(len(X)), np.arange(len(X)) % 5]]) / 2
    est = ManifoldDiffusionSampler(max_iter=600, random_state=0).fit(X)
    assert est.contraction_ == 1.0
    assert toy.distance(est.sample(1000)).mean() < 2 * toy.distance(between).mean()


def test_given_cells_and_constraints_are_kept():
    X = pd.DataFrame(circles().data, columns=list("abcdef"))
    est = quick(constraints=[("a", "<=", 0.5), ("b", ">=", "c")]).fit(X[(X["a"] <= 0.5) & (X["b"] >= X["c"])])
    rows = est.sample(40, conditions={"d": (0.0, 0.2)})
    assert est.contraction_ > 0 and rows["d"].between(0.0, 0.2).all()
    assert (rows["a"] <= 0.5).all() and (rows["b"] >= rows["c"]).all()


# --- where it is off


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).normal(size=(300, 2)),
        pytest.param(np.random.default_rng(0).normal(size=(300, 3)), marks=pytest.mark.slow),
        np.random.default_rng(0).normal(size=(300, 6)),
        np.repeat(np.random.default_rng(0).normal(size=(100, 3)), 3, axis=0),
        load_iris().data,
        pytest.param(load_wine().data, marks=pytest.mark.slow),
        pytest.param(load_diabetes().data, marks=pytest.mark.slow),
    ],
    ids=["normal 2", "normal 3", "normal 6", "copies", "iris", "wine", "diabetes"],
)
def test_elsewhere_nothing_changes(X):
    est, without = quick().fit(X), quick(contraction=0.0).fit(X)
    assert est.contraction_ == 0.0 and fitted_model(est).noise.cleaner is None
    np.testing.assert_array_equal(est.sample(100), without.sample(100))


def test_without_a_manifold_it_is_0():
    assert quick(manifold="passthrough").fit(circles().data).contraction_ == 0.0


@pytest.mark.slow
def test_known_noise_settles_it():
    """Rows with noise, samples without: their distances to the surface are not to be alike."""
    X = circles(n=200).data
    est, without = (quick(noise_level=0.02, contraction=c).fit(X) for c in ("auto", 0.0))
    np.testing.assert_array_equal(est.sample(50), without.sample(50))
    assert est.contraction_ == without.contraction_


@pytest.mark.parametrize("contraction", [-0.1, 1.1, np.nan])
def test_refusals(contraction):
    with pytest.raises(ValueError, match=r"contraction must be 'auto' or in \[0, 1\], got"):
        quick(contraction=contraction).fit(np.eye(10))


def test_samples_are_to_be_far_off_in_the_middle_too():
    rows = np.full(100, 0.1)
    assert stand_off(np.full(100, 0.5), rows) and not stand_off(np.full(100, 0.2), rows)
    assert not stand_off(np.r_[np.full(60, 0.1), np.full(40, 9.0)], rows)  # some went astray, most did not


# --- what it is made of


def test_rows_as_new_ones():
    """Against charts of a table without the row, where the row is the nearest other one's neighbour or not."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(-1, 1, (200, 2)), rng.normal(size=(200, 2)) * 0.1])
    charts = choose_charts(X, X, np.ones(4, dtype=bool), 2, 0)
    residuals, spacing = charts.new_residuals(np.arange(30))
    for row in range(30):
        distance = np.linalg.norm(X - X[row], axis=1)
        distance[row] = np.inf
        patch = charts.patches[distance.argmin()]
        patch = patch[patch != row] if row in patch else patch[:-1]
        projection, frame, _ = project_on_patches(X[patch][None], X[[row]], 2)
        np.testing.assert_allclose(residuals[row], normal_parts(X[[row]] - projection, frame)[0], atol=1e-9)
        assert spacing[row] == pytest.approx(distance.min())


def test_a_plane_is_a_plane_in_units_of_its_columns():
    """Exponential columns, whose normal scores bend it; a column of repeated values and a category stay in the code."""
    rng = np.random.default_rng(0)
    a, b = rng.exponential(size=(2, 400))
    X = pd.DataFrame({"a": a, "b": b, "c": a + 2 * b, "n": rng.integers(0, 30, 400), "k": rng.choice(["x", "y"], 400)})
    codec = Codec().fit(X)
    W, units = codec.encode(X), Units.of(codec)
    V = units.to(W)
    deviations = X[["a", "b", "c"]].to_numpy().std(axis=0)
    scaled = V[:, :3] * deviations
    flat = scaled @ [1, 2, -1]
    assert flat.std() < 1e-9 < 0.01 < (W[:, :3] * deviations @ [1, 2, -1]).std()
    np.testing.assert_array_equal(V[:, 3:], W[:, 3:])
    np.testing.assert_allclose(units.back(V), W, atol=1e-6)
