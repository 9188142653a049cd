"""The distribution of the starts and the streams it is drawn from, against scipy, scikit-learn and closed forms.

All seeds are fixed, so a test fails only where the code has changed; bounds on statistics are at four standard
errors or more (a false alarm below 1e-4 for a new seed), p-values are bounded by 1e-4.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.neighbors import KernelDensity

from skmdiff._manifold.learner import ManifoldModel
from skmdiff._numerics.neighbors import neighbor_graph
from skmdiff._numerics.streams import draw_seed, row_normals, row_uniforms
from skmdiff._numerics.weights import rows_of
from skmdiff._starts import source as _source
from skmdiff._starts.source import Source, draw_starts, normal_distributions

N_NEIGHBORS = 15
SCALES = np.array([1.0, 0.8, 0.6, 0.6, 0.6, 0.6])


def gaussian(n_samples, seed=0):
    return np.random.default_rng(seed).normal(size=(n_samples, len(SCALES))) * SCALES


def embedding(W, n_components=2):
    return ManifoldModel(PCA(n_components), random_state=0).fit(W).embedding_


def source_of(W, n_neighbors=N_NEIGHBORS, **target):
    return _source.build_source(W, embedding(W), np.zeros(W.shape, dtype=bool), n_neighbors, **target)


def uniforms(source, n_samples, seed=1):
    return np.random.default_rng(seed).random((n_samples, source.n_draws))


def draw(source, n_samples, seed=1):
    return _source.draw_starts(source, uniforms(source, n_samples, seed))


@pytest.fixture(scope="module")
def table():
    return gaussian(1500)


@pytest.fixture(scope="module")
def source(table):
    return source_of(table)


# --- streams


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), n_draws=st.integers(1, 9), cuts=st.sets(st.integers(1, 39), max_size=4))
def test_words_of_a_row_are_the_same_in_any_chunk(seed, n_draws, cuts):
    whole = row_uniforms(seed, 0, 40, n_draws)
    edges = [0, *sorted(cuts), 40]
    chunks = [row_uniforms(seed, a, b, n_draws) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    np.testing.assert_array_equal(np.concatenate(chunks), whole)
    assert whole.shape == (40, n_draws) and (0 < whole).all() and (whole < 1).all()


def test_words_are_uniform_and_independent_over_rows_draws_and_seeds():
    u = row_uniforms(3, 0, 4000, 6)
    assert all(stats.kstest(column, "uniform").pvalue > 1e-4 for column in u.T)
    assert stats.kstest(row_normals(u).ravel(), "norm").pvalue > 1e-4
    for seed, start in ((3, 1), (3, 10**9), (4, 0)):  # the next rows, rows far away, another seed
        other = row_uniforms(seed, start, start + 4000, 6)
        assert np.abs(np.corrcoef(u.T, other.T)[:6, 6:]).max() < 5 / np.sqrt(4000)
    assert np.abs(np.corrcoef(u.T) - np.eye(6)).max() < 5 / np.sqrt(4000)


def test_no_word_is_drawn_twice():
    u = row_uniforms(0, 0, 3000, 7)
    assert len(np.unique(u)) == u.size


def test_seeds_advance_the_stream_they_are_drawn_from():
    stream = np.random.RandomState(0)
    seeds = [draw_seed(stream) for _ in range(5)]
    assert len(set(seeds)) == 5 and all(0 <= seed < 2**63 for seed in seeds)
    assert draw_seed(np.random.RandomState(0)) == seeds[0]


# --- starts


@pytest.mark.parametrize("k", [1, 5, 15])
def test_a_start_is_the_formula_of_the_module(table, k):
    source, renewed = source_of(table, k), k / (k + 15)
    u = uniforms(source, 40)
    for row, start in zip(u, _source.draw_starts(source, u), strict=True):
        i = int(row[0] * len(table))
        near = table[source.neighborhoods[i]]
        c, e = near.mean(axis=0), stats.norm.ppf(row[1:])
        kept, drawn = table[i] - c, sum(e[j] * (near[j] - c) for j in range(k + 1)) / np.sqrt(k)
        np.testing.assert_allclose(start, c + np.sqrt(1 - renewed) * kept + np.sqrt(renewed) * drawn, atol=1e-9)


def test_without_neighbours_a_start_is_its_row(table):
    source = source_of(table, 0)
    u = uniforms(source, 40)
    np.testing.assert_allclose(_source.draw_starts(source, u), table[(u[:, 0] * len(table)).astype(int)], atol=1e-12)


def test_neighbourhoods_are_the_nearest_rows_of_the_embedding(table, source):
    Z = embedding(table)
    order = np.argsort(((Z[:50, None] - Z) ** 2).sum(-1), axis=1)[:, : N_NEIGHBORS + 1]
    np.testing.assert_array_equal(np.sort(source.neighborhoods[:50]), np.sort(order))
    np.testing.assert_array_equal(source.neighborhoods[:, 0], np.arange(len(table)))


def test_what_is_drawn_anew_has_the_spread_of_the_neighbourhood(table, source):
    """Mean and covariance of 40 000 starts of one row are those of the formula, to four standard errors."""
    u = uniforms(source, 40_000)
    u[:, 0] = 0.5 / len(table)
    starts, near = _source.draw_starts(source, u), table[source.neighborhoods[0]]
    centre = near.mean(axis=0)
    spread = np.cov(near.T)
    error = 4 * np.sqrt(np.diag(spread) / len(u))
    assert (np.abs(starts.mean(axis=0) - centre - np.sqrt(0.5) * (table[0] - centre)) < error).all()
    np.testing.assert_allclose(np.cov(starts.T), 0.5 * spread, atol=4 * spread.diagonal().max() / np.sqrt(len(u)))


def test_starts_keep_the_covariance_that_convex_mixtures_lose(table, source):
    """Off the manifold: a mean of two independent rows with a weight v ~ U(0, 1) has 2/3 of their variance."""
    rng = np.random.default_rng(1)
    i, j = rng.integers(len(table), size=40_000), rng.integers(1, N_NEIGHBORS + 1, 40_000)
    convex = table[i] + rng.random((40_000, 1)) * (table[source.neighborhoods[i, j]] - table[i])
    starts = draw(source, 40_000)
    np.testing.assert_allclose(convex.var(axis=0)[2:] / table.var(axis=0)[2:], 2 / 3, atol=0.08)
    np.testing.assert_allclose(starts.var(axis=0) / table.var(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(np.cov(starts.T), np.cov(table.T), atol=0.06)


def test_every_row_is_started_from_equally_often(table):
    starts = draw(source_of(table, n_neighbors=0), 60_000)
    counts = np.unique(starts[:, 0], return_counts=True)[1]
    assert len(counts) == len(table) and stats.chisquare(counts).pvalue > 1e-4


def test_categories_stay_those_of_the_row(table):
    W = np.c_[table, np.arange(len(table))]
    stays = np.broadcast_to(np.arange(7) == 6, W.shape)
    source = _source.build_source(W, embedding(table), stays, N_NEIGHBORS)
    u = uniforms(source, 500)
    np.testing.assert_array_equal(_source.draw_starts(source, u)[:, 6], (u[:, 0] * len(W)).astype(int))


def test_neighbours_of_a_row_are_of_its_class(table):
    classes = np.digitize(table[:, 0], [-1.0, 0.3])
    source = source_of(table, target=classes, is_class=True)
    assert (classes[source.neighborhoods] == classes[:, None]).all()


# --- densities


def clusters(n_clusters=40, n_rows=8, seed=5):
    """Small clusters far apart, and which one each row is of."""
    rng = np.random.default_rng(seed)
    component = np.repeat(np.arange(n_clusters), n_rows)
    return 20 * rng.normal(size=(n_clusters, 3))[component] + 0.1 * rng.normal(size=(len(component), 3)), component


def test_starts_do_not_cross_the_gap_between_components():
    W, component = clusters()
    stays = np.zeros(W.shape, dtype=bool)
    within, across = (_source.build_source(W, W, stays, 15, component=labels) for labels in (component, None))
    assert (component[within.neighborhoods] == component[:, None]).all()
    off = [np.sqrt(((draw(part, 2000)[:, None] - W) ** 2).sum(axis=2)).min(axis=1).max() for part in (within, across)]
    assert off[0] < 0.5 < 5 < off[1]  # rows of a cluster lie some .1 apart, clusters some 20
    # 8 rows are 7 neighbours, the others are repeats and count for nothing
    np.testing.assert_array_equal(within.weights_of(np.arange(len(W))).sum(axis=1), 8)


def test_neighbours_are_of_the_class_and_of_the_component():
    W, component = clusters()
    target = np.tile([0.0, 1.0], len(W) // 2)
    source = _source.build_source(W, W, np.zeros(W.shape, dtype=bool), 5, target, True, component=component)
    for labels in (target, component):
        assert (labels[source.neighborhoods] == labels[:, None]).all()
    rows = np.arange(0, len(W), 3)
    part = _source.part_of(source, W, 5, rows)
    np.testing.assert_array_equal(part.component, component[rows])
    assert (part.component[part.neighborhoods] == part.component[:, None]).all()


def test_kernel_density_is_that_of_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    x, centres = rng.normal(size=(20, 3)), rng.normal(size=(50, 3))
    reference = KernelDensity(bandwidth=0.4).fit(centres).score_samples(x)
    np.testing.assert_allclose(_source.log_kernel_density(x, centres, 0.4), reference, atol=1e-9)
    single = stats.multivariate_normal(centres[0], 0.16 * np.eye(3)).logpdf(x)
    np.testing.assert_allclose(_source.log_kernel_density(x, centres[:1], 0.4), single, atol=1e-9)


def test_kernel_density_is_finite_far_away():
    values = _source.log_kernel_density(np.full((1, 3), 1e4), np.zeros((5, 3)), 0.1)
    np.testing.assert_allclose(values, stats.norm(0, 0.1).logpdf(1e4) * 3, rtol=1e-9)


def test_density_of_starts_is_that_of_a_gaussian(table, source):
    """Starts of Gaussian rows at the level s are nearly N(0, S + s^2 I), here to a tenth of a nat at s = 1."""
    columns = [0, 2, 5]
    distribution = stats.multivariate_normal(cov=np.diag(SCALES[columns] ** 2 + 1))
    x = distribution.rvs(500, random_state=0)
    error = _source.start_density(source, columns, 1.0)(x) - distribution.logpdf(x)
    assert np.abs(error).mean() < 0.1 and abs(error.mean()) < 0.05


@pytest.mark.parametrize("n_neighbors", [0, 3, 15])
@pytest.mark.parametrize("weighted", [False, True])
def test_density_of_starts_is_that_of_very_many_starts(table, n_neighbors, weighted):
    weight = np.random.default_rng(3).uniform(0.1, 1.9, len(table)) if weighted else None
    source = source_of(table[:300], n_neighbors, weight=rows_of(weight, slice(300)))
    columns, sigma = [0, 2, 5], np.array([0.4, 0.6, 0.5])
    x = table[300:340, columns]
    many = _source.log_kernel_density(x, draw(source, 200_000)[:, columns], sigma)
    np.testing.assert_allclose(_source.start_density(source, columns, sigma)(x), many, atol=0.1)


def test_density_of_a_mixture_is_that_of_scipy():
    rng = np.random.default_rng(0)
    x, means, sigma, weight = rng.normal(size=(9, 3)), rng.normal(size=(5, 3)), np.array([0.3, 1.0, 2.0]), rng.random(5)
    for k in (1, 7):
        factors = rng.normal(size=(5, 3, k))
        distributions = [
            stats.multivariate_normal(mean, F @ F.T + np.diag(sigma**2)) for mean, F in zip(means, factors, strict=True)
        ]
        expected = np.log(
            np.stack([distribution.pdf(x) for distribution in distributions], axis=1) @ (weight / weight.sum())
        )
        found = _source.log_mixture_density(x, means, factors, sigma, weight)
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_density_of_starts_of_a_row_with_missing_cells_is_that_of_the_cells_seen(table, source):
    seen = np.ones((4, 3), dtype=bool)
    seen[:2, 1] = False
    x = table[:4, [0, 2, 5]]
    found = _source.start_density(source, [0, 2, 5], 1.0)(x, seen)
    fewer = _source.start_density(source, [0, 5], 1.0)(x[:, [0, 2]])
    np.testing.assert_allclose(found[:2], fewer[:2], atol=0.1)
    np.testing.assert_allclose(found[2:], _source.start_density(source, [0, 2, 5], 1.0)(x[2:]))


def test_density_of_noise_is_closed():
    x = np.random.default_rng(0).normal(size=(20, 2))
    density = _source.start_density(None, [0, 3], 7.0)(x)
    np.testing.assert_allclose(density, stats.norm(0, np.sqrt(50)).logpdf(x).sum(axis=1), atol=1e-9)


# --- the level


def memorisation_of(starts, rows, others, sigma):
    return _source.memorisation(starts, rows, others, sigma, np.random.default_rng(2))


def test_copies_are_recognised_at_small_levels_and_not_at_large_ones(table):
    found = [memorisation_of(table, table, gaussian(1500, seed=5), sigma) for sigma in (0.02, 0.3, 1.0, 10.0)]
    assert found[0] > 0.99 and found == sorted(found, reverse=True)
    assert abs(found[-1]) < 4 / np.sqrt(1500)  # the standard error of 2 s - 1 over 1500 starts


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("sigma", [0.02, 0.3, 1.0])
def test_fresh_rows_are_not_recognised_however_narrow_or_wide_they_are(scale, sigma):
    """Mean over 16 pairs of exchangeable sets: one has a standard deviation of .04 to .12, their mean of .03."""
    found = [
        memorisation_of(scale * gaussian(500, 3 * k), gaussian(1500, 3 * k + 1), gaussian(1500, 3 * k + 2), sigma)
        for k in range(16)
    ]
    assert abs(np.mean(found)) < 0.1


def test_memorisation_is_that_of_a_slow_twin(table):
    starts, others = gaussian(60, 6), gaussian(1500, 5)
    x = starts + 0.3 * np.random.default_rng(2).standard_normal(starts.shape)
    own, other = (KernelDensity(bandwidth=0.3).fit(part).score_samples(x) for part in (table, others))
    assert memorisation_of(starts, table, others, 0.3) == pytest.approx(2 * np.mean(own > other) - 1)


def test_mixing_hides_the_rows_that_copies_show(table, source):
    others = gaussian(1500, seed=5)
    assert memorisation_of(draw(source, 1500), table, others, 0.2) < memorisation_of(table, table, others, 0.2) - 0.2


def test_the_memorisation_allowed_falls_with_the_rows():
    assert _source.largest_memorisation(100) == _source.LARGEST_MEMORISATION
    assert _source.largest_memorisation(6400) == pytest.approx(0.2)
    assert _source.largest_memorisation(40_000) == pytest.approx(0.08)


@pytest.fixture
def low_floor(monkeypatch):
    monkeypatch.setattr(_source, "SMALLEST_START", 0.05)


def level_of(n_samples, n_neighbors=0):
    W = gaussian(n_samples)
    return _source.choose_sigma_start(
        source_of(W, n_neighbors), embedding(W), n_neighbors, 0.01, 10.0, np.random.default_rng(0)
    )


def test_the_level_is_where_memorisation_is_the_allowed_one(low_floor):
    """Copies of 1500 rows; memorisation over 4 x 750 starts has a standard error of 0.02."""
    sigma = level_of(1500)
    W, rng = gaussian(1500), np.random.default_rng(3)
    splits = [_source._split(source_of(W, 0), embedding(W), 0, rng) for _ in range(4)]
    found = [memorisation_of(*split, sigma) for split, _ in splits]
    assert np.mean(found) == pytest.approx(_source.largest_memorisation(1500), abs=0.08)


def test_the_level_is_least_for_fresh_rows_and_less_for_mixed_ones_than_for_copies(low_floor, monkeypatch):
    """A source that draws new rows of the distribution has nothing to hide, one that copies rows has."""
    copied, mixed = level_of(1000), level_of(1000, N_NEIGHBORS)
    monkeypatch.setattr(_source, "draw_starts", lambda source, u: gaussian(len(u), seed=99))
    assert level_of(1000) < 1.1 * _source.SMALLEST_START and max(mixed, 4 * _source.SMALLEST_START) < copied


def test_the_level_does_not_fall_below_its_floor():
    assert level_of(4000, N_NEIGHBORS) == pytest.approx(_source.SMALLEST_START, rel=0.06)


@pytest.mark.parametrize(("n_samples", "sigma_max"), [(30, 0.5), (8, 10.0)])
def test_what_cannot_be_hidden_or_tested_starts_at_the_largest_level(n_samples, sigma_max):
    W = np.random.default_rng(0).normal(size=(n_samples, 50))
    level = _source.choose_sigma_start(source_of(W, 0), embedding(W), 0, 0.01, sigma_max, np.random.default_rng(0))
    assert level == sigma_max


@pytest.mark.parametrize(("sigma_min", "sigma_max", "low"), [(0.01, 0.2, 0.2), (0.5, 10.0, 1.0), (3.0, 5.0, 5.0)])
def test_the_level_lies_above_the_last_one_of_the_solver(table, source, sigma_min, sigma_max, low):
    level = _source.choose_sigma_start(
        source, embedding(table), N_NEIGHBORS, sigma_min, sigma_max, np.random.default_rng(0)
    )
    assert level == pytest.approx(low, rel=0.06)


def test_few_rows_keep_their_spread():
    """Neighbours that stand in for missing ones count once: starts of 2, 3 or 8 rows vary as the rows do."""
    for n in (2, 3, 8):
        rows = np.random.default_rng(n).normal(size=(n, 2))
        source = Source(rows, np.column_stack([np.arange(n), neighbor_graph(rows, 15)]), np.zeros((n, 2), dtype=bool))
        starts = draw_starts(source, np.random.default_rng(0).random((40_000, source.n_draws)))
        np.testing.assert_allclose(starts.var(axis=0), rows.var(axis=0), rtol=0.06)
        means, factors = normal_distributions(source, np.arange(n), np.arange(2))
        total = means.var(axis=0) + (factors**2).sum(axis=2).mean(axis=0)
        np.testing.assert_allclose(total, starts.var(axis=0), rtol=0.03)


def test_a_number_that_stays_is_that_of_its_row_and_draws_no_neighbour(table):
    """Rows that stay at 0 in a column, and others beside them that move among themselves: a mixture stays one."""
    W, half = table.copy(), np.arange(len(table)) % 2 == 0
    W[half, 0], W[~half, 0] = 0.0, 5 + np.random.default_rng(0).random((~half).sum())
    stays = np.zeros(W.shape, dtype=bool)
    stays[half, 0] = True
    source = _source.build_source(W, embedding(table), stays, N_NEIGHBORS)
    u = uniforms(source, 4000)
    starts, of_zero = _source.draw_starts(source, u)[:, 0], half[(u[:, 0] * len(W)).astype(int)]
    assert (starts[of_zero] == 0).all()
    # uniform on [5, 6] keeps its mean, and about its spread: neighbours that stay count as the row itself
    assert abs(starts[~of_zero].mean() - 5.5) < 0.03
    assert 0.8 < starts[~of_zero].std() * np.sqrt(12) < 1.1
    means, factors = _source.normal_distributions(source, np.arange(len(W)), np.arange(1))
    assert (means[half] == 0).all() and (factors[half] == 0).all()
    np.testing.assert_allclose(means[~half].mean(), 5.5, atol=0.03)
