"""The law of the starts and the streams it is drawn from, against scipy, scikit-learn and closed forms.

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

from skmdiff import _source
from skmdiff._manifold import ManifoldModel
from skmdiff._streams import draw_seed, row_normals, row_uniforms

N_NEIGHBORS = 5
SCALES = np.array([1.0, 0.8, 0.6, 0.6, 0.6, 0.6])


def gaussian(n_samples, seed=0):
    return np.random.default_rng(seed).normal(size=(n_samples, len(SCALES))) * SCALES


def model_of(W, n_components=2):
    return ManifoldModel(PCA(n_components), n_neighbors=N_NEIGHBORS, random_state=0).fit(W)


def uniforms(n_samples, seed=1):
    return np.random.default_rng(seed).random((n_samples, _source.N_START_DRAWS))


def pairs(source, u):
    """Rows i and j of each start, as the draw of a start is defined."""
    i = (u[:, 0] * len(source.lifted)).astype(int)
    return i, source.neighbors[i, (u[:, 1] * source.neighbors.shape[1]).astype(int)]


@pytest.fixture(scope="module")
def table():
    return gaussian(1500)


@pytest.fixture(scope="module")
def model(table):
    return model_of(table)


@pytest.fixture(scope="module")
def source(table, model):
    return _source.build_source(table, model, N_NEIGHBORS)


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


def test_a_row_is_its_place_and_its_residual(table, source):
    np.testing.assert_allclose(source.lifted + source.residuals, table, atol=1e-12)
    assert (source.neighbors != np.arange(len(table))[:, None]).all()


@pytest.mark.parametrize(("share", "which"), [(0.0, 0), (1.0, 1)])
def test_the_ends_of_the_angle_are_the_two_rows(table, source, share, which):
    u = uniforms(200)
    u[:, 2] = share
    np.testing.assert_allclose(_source.draw_starts(source, u), table[pairs(source, u)[which]], atol=1e-12)


def test_a_start_is_the_formula_of_the_module(source):
    u = uniforms(50)
    i, j = pairs(source, u)
    for row, start in enumerate(_source.draw_starts(source, u)):
        a, m, r = np.pi / 2 * u[row, 2], source.lifted, source.residuals
        place = np.cos(a) ** 2 * m[i[row]] + np.sin(a) ** 2 * m[j[row]]
        np.testing.assert_allclose(start, place + np.cos(a) * r[i[row]] + np.sin(a) * r[j[row]], atol=1e-12)


def test_starts_keep_the_covariance_that_convex_mixtures_lose(table, source):
    """Off the manifold: a mean of two independent residuals with a share v ~ U(0, 1) has 2/3 of their variance."""
    u = uniforms(40_000)
    i, j = pairs(source, u)
    convex = table[i] + u[:, 2:] * (table[j] - table[i])
    kept = _source.draw_starts(source, u).var(axis=0) / table.var(axis=0)
    lost = convex.var(axis=0) / table.var(axis=0)
    np.testing.assert_allclose(kept, 1, atol=0.06)
    np.testing.assert_allclose(lost[2:], 2 / 3, atol=0.08)
    covariance = np.cov(_source.draw_starts(source, u).T)
    # a covariance of 1500 rows that mean 40 000 starts: four standard errors of both, and the few percent above
    np.testing.assert_allclose(covariance, np.cov(table.T), atol=0.06)


def test_every_row_is_started_from_equally_often(table, source):
    u = uniforms(60_000)
    u[:, 2] = 0.0
    starts = _source.draw_starts(source, u)
    counts = np.bincount(pairs(source, u)[0], minlength=len(table))
    assert stats.chisquare(counts).pvalue > 1e-4
    np.testing.assert_allclose(starts.mean(axis=0), table.mean(axis=0), atol=4 / np.sqrt(60_000))


# --- targets


def test_starts_of_a_class_come_from_its_rows_only(table, model):
    classes = np.digitize(table[:, 0], [-1.0, 0.3])
    source = _source.build_source(table, model, N_NEIGHBORS, classes, True)
    assert (classes[source.neighbors] == classes[:, None]).all()
    wanted = np.random.default_rng(2).integers(0, 3, 600)
    for share in (0.0, 1.0):  # both ends of a start are rows of the class
        u = uniforms(600)
        u[:, 2] = share
        np.testing.assert_array_equal(np.digitize(_source.draw_starts(source, u, wanted)[:, 0], [-1.0, 0.3]), wanted)


def test_all_rows_of_a_wanted_class_are_started_from(table, model):
    classes = (table[:, 0] > 1).astype(int)
    source = _source.build_source(table, model, N_NEIGHBORS, classes, True)
    u = uniforms(20_000)
    u[:, 2] = 0.0
    starts = _source.draw_starts(source, u, np.ones(20_000, int))
    assert len(np.unique(starts[:, 0])) == classes.sum()


def test_starts_of_a_number_come_from_the_targets_nearest_in_rank(table, model):
    target = np.exp(table[:, 1])
    source = _source.build_source(table, model, N_NEIGHBORS, target)
    ranked, reach = np.sort(target), len(target) // 100
    wanted = np.random.default_rng(2).choice(target, 500)
    u = uniforms(500)
    u[:, 2] = 0.0
    started_from = np.exp(_source.draw_starts(source, u, wanted)[:, 1])
    distance = np.abs(np.searchsorted(ranked, started_from * (1 + 1e-9)) - 1 - np.searchsorted(ranked, wanted))
    assert distance.max() == reach


def test_a_number_beyond_all_targets_starts_from_the_extreme_ones(table, model):
    source = _source.build_source(table, model, N_NEIGHBORS, table[:, 1])
    u = uniforms(300)
    u[:, 2] = 0.0
    lowest = np.sort(table[:, 1])[: len(table) // 100]
    starts = _source.draw_starts(source, u, np.full(300, -1e9))[:, 1]
    np.testing.assert_allclose(np.unique(starts.round(9)), lowest.round(9), atol=1e-8)


def test_the_code_of_a_target_moves_with_the_place(table, model):
    """Columns past the manifold's have no residual: half way between the rows they are half way too."""
    W = np.c_[table, np.arange(len(table))]
    source = _source.build_source(W, model, N_NEIGHBORS)
    u = uniforms(100)
    u[:, 2] = 0.5
    i, j = pairs(source, u)
    np.testing.assert_allclose(_source.draw_starts(source, u)[:, -1], (i + j) / 2)


# --- densities


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
    law = stats.multivariate_normal(cov=np.diag(SCALES[columns] ** 2 + 1))
    x = law.rvs(500, random_state=0)
    error = _source.start_density(source, columns, 1.0)(x) - law.logpdf(x)
    assert np.abs(error).mean() < 0.1 and abs(error.mean()) < 0.05


def test_density_of_noise_is_closed():
    x = np.random.default_rng(0).normal(size=(20, 2))
    density = _source.start_density(None, [0, 3], 7.0)(x)
    np.testing.assert_allclose(density, stats.norm(0, np.sqrt(50)).logpdf(x).sum(axis=1), atol=1e-9)


# --- the level


def test_copies_are_recognised_at_small_levels_and_not_at_large_ones(table):
    fresh = gaussian(1000, seed=5)
    levels = [0.02, 0.3, 1.0, 10.0]
    aucs = [_source.recognition(table[:1000], fresh, table, s, np.random.default_rng(2)) for s in levels]
    assert aucs[0] > 0.99 and aucs == sorted(aucs, reverse=True)
    assert abs(aucs[-1] - 0.5) < 4 / np.sqrt(6 * 1000)  # the standard error of the AUC of equal laws


def test_fresh_rows_are_not_recognised_at_any_level(table):
    for level in (0.02, 0.3, 1.0):
        auc = _source.recognition(gaussian(1000, 6), gaussian(1000, 5), table, level, np.random.default_rng(2))
        assert abs(auc - 0.5) < 4 / np.sqrt(6 * 1000)


def level_of(n_samples, seed=0):
    W = gaussian(n_samples)
    return _source.choose_sigma_start(W, model_of(W), N_NEIGHBORS, None, False, 10.0, np.random.default_rng(seed))


def copies(source, u, wanted=None):
    return (source.lifted + source.residuals)[(u[:, 0] * len(source.lifted)).astype(int)]


def fresh(source, u, wanted=None):
    return gaussian(len(u), seed=99)


def test_mixing_hides_the_rows_that_copies_show(table, source):
    """At a small level; the difference of two AUC of 1000 rows has a standard error below 0.02."""
    u = uniforms(1000)
    started, others = _source.draw_starts(source, u), gaussian(1000, seed=5)
    mixed, copied = (_source.recognition(x, others, table, 0.1, np.random.default_rng(2))
                     for x in (started, copies(source, u)))
    assert mixed < copied - 0.08


def test_the_level_falls_with_the_rows_of_one_law():
    """Means of three levels, each with a standard deviation of about 0.08: measured 0.51 and 0.36."""
    few, many = (np.mean([level_of(n, seed) for seed in range(3)]) for n in (200, 2000))
    assert many < 0.85 * few
    assert _source.SMALLEST_START < many < few < 1


def test_the_level_is_least_for_fresh_rows_and_larger_for_copies(monkeypatch):
    """A source that draws new rows of the law has nothing to hide, one that copies rows has."""
    monkeypatch.setattr(_source, "draw_starts", copies)
    assert level_of(1000) > 2.5 * _source.SMALLEST_START
    monkeypatch.setattr(_source, "draw_starts", fresh)
    assert level_of(1000) < 1.1 * _source.SMALLEST_START


@pytest.mark.parametrize(("n_samples", "sigma_max"), [(30, 0.2), (8, 10.0)])
def test_what_cannot_be_hidden_or_tested_starts_at_the_largest_level(n_samples, sigma_max):
    W = np.random.default_rng(0).normal(size=(n_samples, 50))
    rng = np.random.default_rng(0)
    assert _source.choose_sigma_start(W, model_of(W), N_NEIGHBORS, None, False, sigma_max, rng) == sigma_max
