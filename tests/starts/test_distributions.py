"""Which rows are started from: the distributions, the strata, and what they do to the rows that come out.

Seeds are fixed; p-values are bounded by 1e-4 and bounds on statistics are at four standard errors or more.
"""

from copy import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsClassifier

from skmdiff import ManifoldDiffusionSampler
from skmdiff._manifold.dimension import estimate_dimension
from skmdiff._manifold.learner import ManifoldModel
from skmdiff._numerics.neighbors import nearest
from skmdiff._starts import distributions as _distributions
from skmdiff._starts.source import build_source
from skmdiff.datasets import make_swiss_roll_nd, make_torus, make_von_mises_circle


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=0.4, numeric="standard", random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def neighborhoods(X, k=15):
    return nearest(X, X, k + 1)[1]


def kl_to_uniform(angle, weights=None, n_bins=20):
    """KL divergence from the uniform distribution on the circle, less the bias (n_bins - 1) / 2 n of the histogram."""
    fraction, _ = np.histogram(angle, np.linspace(-np.pi, np.pi, n_bins + 1), weights=weights)
    fraction = fraction / fraction.sum()
    return np.sum(fraction[fraction > 0] * np.log(n_bins * fraction[fraction > 0])) - (n_bins - 1) / (2 * len(angle))


# --- a distribution over the rows


def test_rows_come_with_their_weights():
    weights = np.array([3.0, 0.0, 1.0, 6.0])
    distribution = _distributions.RowDistribution(np.array([2, 0, 1, 3]), np.cumsum(weights[[2, 0, 1, 3]]))
    counts = np.bincount(distribution.rows_at(np.random.default_rng(0).random(20_000)), minlength=4)
    assert counts[1] == 0 and stats.chisquare(counts[weights > 0], 2000 * weights[weights > 0]).pvalue > 1e-4


@pytest.fixture(scope="module")
def flat():
    return _distributions.RowDistribution(np.arange(1500), np.arange(1.0, 1501))


def test_wanted_classes_and_all_of_their_rows(flat):
    target = np.random.default_rng(0).integers(0, 3, 1500)
    wanted = np.random.default_rng(1).integers(0, 3, 30_000)
    rows = flat.rows_with_target(np.random.default_rng(2).random(30_000), wanted, target)
    np.testing.assert_array_equal(target[rows], wanted)
    assert len(np.unique(rows)) == 1500


# --- strata


@settings(max_examples=60, deadline=None)
@given(masses=st.lists(st.floats(0.05, 5), min_size=1, max_size=12), n_strata=st.integers(1, 50), u=st.floats(0, 0.999))
def test_strata_share_the_mass_of_their_group(masses, n_strata, u):
    """A group of mass p has k p of k strata, rounded up or down, one behind the other over all of its mass."""
    p = np.array(masses) / np.sum(masses)
    low, mass = _distributions.systematic_strata(np.array(masses), n_strata, u)
    group = np.searchsorted(np.cumsum(p), low + mass / 2)
    count = np.bincount(group, minlength=len(p))
    assert count.sum() == n_strata and (np.abs(count - n_strata * p) < 1 + 1e-9).all()
    for g in np.flatnonzero(count):
        start = p[:g].sum()
        np.testing.assert_allclose(low[group == g], start + p[g] * np.arange(count[g]) / count[g], atol=1e-12)
        np.testing.assert_allclose(mass[group == g], p[g] / count[g], atol=1e-12)


def of_groups(groups, weights):
    order = np.argsort(groups, kind="stable")
    return _distributions.RowDistribution(order, np.cumsum(weights[order]), groups)


@pytest.mark.parametrize("n_seeds", [4000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_row_of_a_stratified_batch_has_the_distribution(n_seeds):
    """Seven rows in three groups, batches of three: the third row of the batch, over all seeds."""
    groups, weights = np.array([2, 0, 1, 1, 0, 2, 2]), np.array([1.0, 3.0, 1.0, 2.0, 1.0, 4.0, 2.0])
    distribution, rng = of_groups(groups, weights), np.random.default_rng(0)
    quantiles = []
    for seed in range(n_seeds):
        low, mass = _distributions.strata(distribution, np.zeros(3), None, seed)
        quantiles.append(low[2] + rng.random() * mass[2])
    counts = np.bincount(distribution.rows_at(np.array(quantiles)), minlength=7)
    assert stats.chisquare(counts, n_seeds * weights / weights.sum()).pvalue > 1e-4


def test_strata_of_wanted_classes_are_those_of_their_rows():
    """In each class as many rows as are asked for, of its groups by their mass within the class."""
    target, groups = np.repeat([0, 1], 60), np.tile(np.repeat([0, 1, 2], [30, 20, 10]), 2)
    groups = groups + 3 * target
    distribution = of_groups(groups, np.ones(120))
    wanted = np.random.default_rng(0).permutation(np.repeat([0, 1], [6, 12]))
    low, mass = _distributions.strata(distribution, wanted, target, 5)
    rows = distribution.rows_with_target(low + 0.5 * mass, wanted, target)
    np.testing.assert_array_equal(target[rows], wanted)
    np.testing.assert_array_equal(np.bincount(groups[rows]), [3, 2, 1, 6, 4, 2])


def met_by_batches(X, label, transformer, size, n_batches=100):
    """(n_batches, n_modes) of bool, the modes that the rows of stratified batches are of."""
    model = ManifoldModel(transformer, random_state=0).fit(X)
    source = build_source(X, model.embedding_, np.zeros(X.shape, dtype=bool), 0)
    distribution = _distributions.row_distribution("data", "stratified", source, model, lambda: X)
    out = np.zeros((n_batches, label.max() + 1), dtype=bool)
    for seed in range(n_batches):
        low, mass = _distributions.strata(distribution, np.zeros(size), None, seed)
        out[seed, label[distribution.rows_at(low + mass * np.random.default_rng(seed).random(size))]] = True
    return out


@pytest.mark.filterwarnings("ignore:The number of connected components", "ignore:Changing the sparsity structure")
@pytest.mark.parametrize("transformer", [PCA(2), Isomap(n_neighbors=10)])
def test_twelve_equal_modes_are_met_by_twelve_rows(transformer):
    """Also where two coordinates put modes on top of one another, and the graph of neighbours falls into pieces."""
    X, label = make_blobs(600, 5, centers=12, cluster_std=0.3, center_box=(-9, 9), random_state=1)
    assert met_by_batches(X, label, transformer, 12).all()


def test_small_modes_are_met_where_the_batch_holds_a_row_of_them():
    """Of ten rows .3, .3, .2, .1, .05 and .05 of the mass get 3, 3, 2 and 1 for sure, and half a row each."""
    centers = 6 * np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0], [0, 2]])
    X, label = make_blobs([300, 300, 200, 100, 50, 50], centers=centers, cluster_std=0.5, random_state=0)
    met = met_by_batches(X, label, PCA(2), 10, n_batches=200)
    assert met[:, :4].all() and np.abs(met[:, 4:].mean(axis=0) - 0.5).max() < 4 * np.sqrt(0.25 / 200)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 70), k=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_tree_orders_all_rows_group_after_group(n, k, seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 3, n)
    order = _distributions.tree_order(rng.normal(size=(n, k)), groups)
    assert sorted(order) == list(range(n)) and (np.diff(groups[order]) >= 0).all()


def test_runs_along_the_tree_are_compact():
    """64 runs of 16 of 1024 rows in the unit square: a square of area 1/64 has a variance of 1/384 along an axis."""
    Z = np.random.default_rng(0).random((1024, 2))
    runs = Z[_distributions.tree_order(Z, np.zeros(1024))].reshape(64, 16, 2)
    assert runs.var(axis=1).mean() < 1.5 / (12 * 64)


def test_a_stratified_batch_as_long_as_the_table_starts_from_every_row_once():
    X = np.random.default_rng(0).normal(size=(300, 2))
    est = sampler(n_neighbors=0, sigma_start=0.011, n_steps=1).fit(X)  # a start is its row, up to a hundredth
    found = nearest(X, est.sample(300, design="stratified"), 1)[1][:, 0]
    assert len(np.unique(found)) > 290 > 250 > len(np.unique(nearest(X, est.sample(300), 1)[1][:, 0]))


@pytest.mark.slow
def test_ten_modes_in_ten_draws():
    """Independent draws meet 10 (1 - .9^10) = 6.5 of ten equal modes; 200 batches."""
    X, label = make_blobs(600, 5, centers=10, cluster_std=0.1, center_box=(-9, 9), random_state=0)
    est = sampler(sigma_start=0.05, n_steps=1).fit(X)
    seen = {
        design: np.mean(
            [
                len(np.unique(label[nearest(X, est.sample(10, design=design, random_state=seed), 1)[1]]))
                for seed in range(200)
            ]
        )
        for design in _distributions.DESIGNS
    }
    assert seen["stratified"] >= 9.95 and seen["iid"] == pytest.approx(6.51, abs=0.3)


def test_density_of_the_embedding_is_that_of_a_gaussian():
    """And with the weights of another distribution, that distribution's; a kernel smooths by a tenth of a nat."""
    Z = np.random.default_rng(0).normal(size=(1000, 2))
    distribution, at = stats.multivariate_normal(np.zeros(2)), np.random.default_rng(1).normal(size=(500, 2))
    flat = _distributions.kernel_density(Z, np.ones(1000), 0)
    assert np.mean(np.abs(flat.score_samples(at) - distribution.logpdf(at))) < 0.15
    narrow = stats.multivariate_normal(np.zeros(2), 0.5 * np.eye(2))
    weighted = _distributions.kernel_density(Z, narrow.pdf(Z) / distribution.pdf(Z), 0)
    at = narrow.rvs(500, random_state=2)
    assert np.mean(np.abs(weighted.score_samples(at) - narrow.logpdf(at))) < 0.15
    assert np.mean(np.abs(flat.score_samples(at) - narrow.logpdf(at))) > 0.3


# --- dimension


@pytest.mark.parametrize(
    ("make", "dimension"),
    [
        (lambda: make_von_mises_circle(1000, 3, random_state=0).data, 1),
        (lambda: make_swiss_roll_nd(2000, 5, random_state=0).data, 2),
        (lambda: make_torus(2000, 4, random_state=0).data, 2),
        (lambda: np.random.default_rng(0).normal(size=(4000, 5)), 5),
    ],
)
def test_dimension_of_known_manifolds(make, dimension):
    X = make()
    estimates = estimate_dimension(X, 0)
    assert estimates.maximum_likelihood == pytest.approx(dimension, rel=0.12)
    assert estimates.local_pca == pytest.approx(dimension, rel=0.02)


def test_variances_see_through_noise_that_distances_take_for_dimensions():
    roll = make_swiss_roll_nd(3000, 20, noise=0.15, random_state=0).data
    estimates = estimate_dimension(roll, 0)
    assert estimates.local_pca == pytest.approx(2, abs=0.05) and estimates.maximum_likelihood > 2.4


@pytest.mark.slow
def test_uniform_density_on_a_circle():
    """1000 rows of the von Mises distribution, KL to uniform .57; three samplers of 4000 rows each."""
    circle = make_von_mises_circle(1000, 2, random_state=0)
    kl = {density: [] for density in ("data", "uniform")}
    for seed in range(3):
        est = sampler(max_iter=1500, hidden_layer_sizes=(64, 64), n_steps=16, sigma_start="auto", random_state=seed)
        est.fit(circle.data)
        for density in kl:
            x, y = est.sample(4000, density=density).T
            kl[density].append(kl_to_uniform(np.arctan2(y, x)))
    assert np.mean(kl["data"]) > 0.4 and np.mean(kl["uniform"]) < 0.1


# --- balance


@pytest.mark.parametrize("n_rows", [300, 3000])  # above and below the rows that are clustered themselves
def test_clusters_are_found(n_rows):
    Z, label = make_blobs(n_rows, 2, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    assert adjusted_rand_score(label, _distributions.clusters(Z)) > 0.99


@pytest.mark.parametrize("n_rows", [6, 400])
def test_rows_without_clusters_are_one(n_rows):
    assert set(_distributions.clusters(np.random.default_rng(0).random((n_rows, 3)))) == {0}


@pytest.mark.parametrize("design", sorted(_distributions.DESIGNS))
def test_classes_are_balanced_exactly(design):
    """A tenth of the rows is of the small class; half of 1000 draws is, exactly so in a stratified batch."""
    rng = np.random.default_rng(0)
    y = np.repeat(["few", "many"], [30, 270])
    X = np.where(y == "few", -3.0, 3.0)[:, None] + rng.normal(size=(300, 2))
    est = sampler(max_iter=200, n_steps=8).fit(X, y)
    rows, drawn = est.sample(1000, density="balanced", design=design, return_y=True)
    n_few = (drawn == "few").sum()
    assert n_few == 500 if design == "stratified" else abs(n_few - 500) < 4 * np.sqrt(250)
    assert ((rows.mean(axis=1) < 0) == (drawn == "few")).mean() > 0.97
    assert (est.sample(1000, return_y=True)[1] == "few").mean() < 0.2


def test_clusters_are_balanced_without_classes():
    X, _ = make_blobs([50, 450], 2, centers=[[-4, 0], [4, 0]], cluster_std=0.5, random_state=0)
    est = sampler(max_iter=200, n_steps=8).fit(X)
    fraction = {density: (est.sample(1000, density=density)[:, 0] < 0).mean() for density in ("data", "balanced")}
    assert fraction["data"] == pytest.approx(0.1, abs=0.04) and fraction["balanced"] == pytest.approx(0.5, abs=0.07)


# --- calls


@pytest.fixture(scope="module", params=[None, PCA(2), Isomap(n_neighbors=8)], ids=["default", "PCA", "Isomap"])
def of_a_roll(request):
    return sampler(manifold=request.param).fit(make_swiss_roll_nd(200, 3, random_state=0).data)


@pytest.mark.parametrize("density", sorted(_distributions.DENSITIES))
def test_rows_depend_on_the_seed_only(of_a_roll, density):
    est = of_a_roll
    np.testing.assert_array_equal(est.sample(50, density=density)[:20], est.sample(20, density=density))
    batch = est.sample(1100, density=density, design="stratified")
    parallel = copy(est).set_params(n_jobs=2)
    np.testing.assert_array_equal(batch, parallel.sample(1100, density=density, design="stratified"))
    assert np.isfinite(batch).all() and len(np.unique(batch, axis=0)) == 1100


def test_wanted_classes_are_stratified_within_themselves():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), rng.integers(0, 2, 200)
    est = sampler(n_neighbors=0, sigma_start=0.011, n_steps=1).fit(X, y)
    rows = est.sample(int((y == 1).sum()), y=1, design="stratified")
    found = nearest(X, rows, 1)[1][:, 0]
    assert (y[found] == 1).mean() > 0.9 and len(np.unique(found)) > 0.9 * len(rows)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(density="even"), ["density", "'balanced'", "'even'"]),
        (dict(design=3), ["design", "'stratified'", "3"]),
        (dict(density="uniform", y=1), ["density", "'data'", "'uniform'"]),
    ],
)
def test_errors_name_parameter_rule_and_value(call, words):
    est = sampler().fit(np.random.default_rng(0).normal(size=(40, 2)), [0, 1] * 20)
    with pytest.raises(ValueError) as error:
        est.sample(3, **call)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("call", [dict(density="uniform"), dict(design="stratified")])
def test_noise_has_no_distribution_over_rows(call):
    est = sampler(manifold="passthrough", sigma_start="auto").fit(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.raises(ValueError, match="need starts on a manifold"):
        est.sample(3, **call)


# --- samples of a batch


def ring(n=600, seed=0):
    """Twelve clusters on a circle, ten standard deviations from each other, and which one each row is of."""
    label = np.arange(n) % 12
    centers = np.column_stack([np.cos(np.pi * label / 6), np.sin(np.pi * label / 6)])
    return centers + 0.05 * np.random.default_rng(seed).normal(size=(n, 2)), label


@pytest.mark.parametrize("learner", [None, "kernel-pca"])
def test_a_stratified_batch_meets_each_mode_as_often_as_it_has_mass(learner):
    X, label = ring()
    est = ManifoldDiffusionSampler(learner, max_iter=0, n_steps=8, random_state=0).fit(X)
    mode_of = KNeighborsClassifier(1).fit(X, label).predict
    batch, independent = (np.bincount(mode_of(est.sample(60, design=d)), minlength=12) for d in ("stratified", "iid"))
    np.testing.assert_array_equal(batch, 5)
    assert np.ptp(independent) > 2


def test_a_stratified_batch_of_a_class_meets_its_modes_alone():
    X, label = ring()
    est = ManifoldDiffusionSampler(max_iter=0, n_steps=8, random_state=0).fit(X, label % 2)
    rows = est.sample(12, y=1, design="stratified")
    met = np.bincount(KNeighborsClassifier(1).fit(X, label).predict(rows), minlength=12)
    np.testing.assert_array_equal(met, 2 * (np.arange(12) % 2))


def test_threads_change_nothing_in_a_stratified_batch_that_is_drawn_again():
    X, _ = ring()
    est = ManifoldDiffusionSampler(max_iter=0, n_steps=4, random_state=0).fit(X)
    rows = est.sample(700, design="stratified")
    np.testing.assert_array_equal(est.set_params(n_jobs=2).sample(700, design="stratified"), rows)
