"""The mixture: its density against SciPy, its draws against its moments, its fit against what made the rows."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats
from sklearn.mixture import GaussianMixture

from skmdiff._mixture.choice import choose_mixture, manifold_score, search_over, split
from skmdiff._mixture.clusters import first_components
from skmdiff._mixture.fitting import MixtureShape, continue_fit, factors, fit_mixture, with_shares
from skmdiff._mixture.mixture import (
    Mixture,
    draw,
    join_code,
    log_density,
    log_density_of_seen,
    log_joint,
    split_code,
)


@dataclass(frozen=True)
class Number:
    start: int
    codes = None
    frequencies = None
    of_number = False

    @property
    def stop(self):
        return self.start + 1


@dataclass(frozen=True)
class Category:
    start: int
    n: int
    of_number = False

    @property
    def stop(self):
        return self.start + self.n

    @property
    def codes(self):
        return 2.0 * np.eye(self.n)

    @property
    def frequencies(self):
        return np.full(self.n, 1 / self.n)


BLOCKS = [Number(0), Category(1, 3), Number(4), Number(5), Category(6, 2)]
MIXTURE = Mixture(
    weights=np.array([0.3, 0.7]),
    means=np.array([[0.0, 1.0, -1.0], [2.0, -1.0, 0.5]]),
    loadings=np.array([[[1.0], [0.5], [-0.4]], [[0.3], [0.9], [0.2]]]),
    variances=np.array([[0.2, 0.3, 0.1], [0.5, 0.1, 0.4]]),
    shares=np.array([[0.2, 0.3, 0.5, 0.9, 0.1], [0.6, 0.3, 0.1, 0.25, 0.75]]),
    n_categories=np.array([3, 2]),
)


def rows_of_mixture(n, mixture=MIXTURE, seed=0):
    rng = np.random.default_rng(seed)
    return draw(mixture, rng.random((n, mixture.n_uniforms)), rng.standard_normal((n, mixture.n_normals)))


def test_code_is_split_and_joined():
    rows = rows_of_mixture(20)
    W = join_code(rows, BLOCKS)
    again = split_code(W + 0.3 * (W > 0), BLOCKS)
    np.testing.assert_array_equal(again.categories, rows.categories)
    np.testing.assert_array_equal(split_code(W, BLOCKS).numbers, rows.numbers)


@pytest.mark.parametrize("level", [0.0, 0.7, np.array([0.1, 0.0, 2.0])])
def test_density_is_that_of_scipy(level):
    rows = rows_of_mixture(15)
    expected = np.zeros(15)
    for m, weight in enumerate(MIXTURE.weights):
        covariance = MIXTURE.loadings[m] @ MIXTURE.loadings[m].T + np.diag(MIXTURE.variances[m] + np.square(level))
        of_component = weight * stats.multivariate_normal(MIXTURE.means[m], covariance).pdf(rows.numbers)
        for shares, k in zip(MIXTURE.shares_by_column, rows.categories.T, strict=True):
            of_component *= shares[m, k]
        expected += of_component
    np.testing.assert_allclose(log_density(MIXTURE, rows, level), np.log(expected))


def test_draws_have_the_moments_of_the_mixture():
    n = 200_000
    rows = rows_of_mixture(n)
    mean = MIXTURE.weights @ MIXTURE.means
    second = sum(
        w * (np.outer(mu, mu) + L @ L.T + np.diag(v))
        for w, mu, L, v in zip(MIXTURE.weights, MIXTURE.means, MIXTURE.loadings, MIXTURE.variances, strict=True)
    )
    np.testing.assert_allclose(rows.numbers.mean(axis=0), mean, atol=4 * np.sqrt(np.diag(second).max() / n))
    np.testing.assert_allclose(rows.numbers.T @ rows.numbers / n, second, atol=0.05)
    shares = MIXTURE.weights @ MIXTURE.shares[:, :3]
    np.testing.assert_allclose(np.bincount(rows.categories[:, 0]) / n, shares, atol=4 * np.sqrt(0.25 / n))


def test_factors_of_a_covariance_that_has_them():
    rng = np.random.default_rng(0)
    loadings, variances = rng.normal(size=(2, 6, 2)), rng.uniform(0.3, 1, (2, 6))
    covariance = loadings @ loadings.transpose(0, 2, 1) + variances[:, :, None] * np.eye(6)
    found, psi = None, None
    for _ in range(100):
        found, psi = factors(covariance, 2, psi)
    np.testing.assert_allclose(psi, variances, atol=0.02)
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), loadings @ loadings.transpose(0, 2, 1), atol=0.02)


def test_no_directions_are_the_diagonal_of_covariances():
    rows = rows_of_mixture(200)
    components = first_components(rows.numbers, 2, seed=0)
    fitted = fit_mixture(rows, components, MixtureShape(2, 0, 5.0), n_iterations=1)
    mean = rows.numbers.mean(axis=0)
    scatter = []
    for m, (center, size) in enumerate(zip(fitted.means, 200 * fitted.weights, strict=True)):
        of_component = rows.numbers[components == m]
        np.testing.assert_allclose(center, (of_component.sum(axis=0) + 0.5 * mean) / (size + 0.5))
        scatter.append(((of_component - center) ** 2).sum(axis=0))
    for m, size in enumerate(200 * fitted.weights):
        expected = (scatter[m] + 5.0 * sum(scatter) / 200) / (size + 5.0)
        np.testing.assert_allclose(fitted.variances[m], expected)


def test_wide_tables_need_no_covariances():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(60, 1500))
    chosen = choose_mixture(W, W[:, :3], [Number(j) for j in range(1500)], seed=0)
    assert chosen.mixture.loadings.shape[1:] == (1500, 0)


def test_fit_finds_what_made_the_rows():
    rows = rows_of_mixture(4000)
    components = first_components(rows.numbers, 2, seed=0)
    fitted = fit_mixture(rows, components, MixtureShape(2, 1, 1.0), n_iterations=200)
    order = np.argsort(fitted.weights)
    np.testing.assert_allclose(fitted.weights[order], MIXTURE.weights, atol=0.05)
    np.testing.assert_allclose(fitted.means[order], MIXTURE.means, atol=0.15)
    np.testing.assert_allclose(fitted.shares[order], MIXTURE.shares, atol=0.06)
    new = rows_of_mixture(4000, seed=1)
    assert log_density(MIXTURE, new).mean() - log_density(fitted, new).mean() < 0.02


def test_weights_of_rows_count_like_copies():
    rows = rows_of_mixture(60)
    components = first_components(rows.numbers, 2, seed=0)
    twice = np.repeat(np.arange(60), 1 + (np.arange(60) < 20))
    shape = MixtureShape(2, 1, 4.0)
    by_weight = fit_mixture(rows, components, shape, n_iterations=5, weight=1.0 + (np.arange(60) < 20))
    by_copies = fit_mixture(rows.take(twice), components[twice], shape, n_iterations=5)
    np.testing.assert_allclose(by_weight.means, by_copies.means)
    np.testing.assert_allclose(by_weight.shares, by_copies.shares)


def test_full_covariances_are_as_likely_as_those_of_scikit_learn():
    rows = rows_of_mixture(3000)
    numbers = rows.take(np.arange(len(rows)))
    numbers = type(rows)(numbers.numbers, np.zeros((3000, 0), dtype=int), np.zeros(0, dtype=int))
    fitted = fit_mixture(numbers, first_components(rows.numbers, 2, 0), MixtureShape(2, 2, 1.0), n_iterations=300)
    peer = GaussianMixture(2, random_state=0, n_init=3).fit(rows.numbers)
    assert abs(log_density(fitted, numbers).mean() - peer.score(rows.numbers)) < 0.01


def test_shares_of_a_chart_without_rows_are_those_of_the_table():
    rows = rows_of_mixture(500)
    fitted = fit_mixture(rows, np.zeros(500, dtype=int), MixtureShape(2, 0, 10.0), n_iterations=1)
    of_table = np.bincount(rows.categories[:, 1], minlength=2) / 500
    np.testing.assert_allclose(fitted.shares[1, 3:], of_table, atol=0.01)
    assert np.isfinite(log_joint(fitted, rows)).all()


# --- the choice


def shares_of_rows(rows, weight=None):
    columns = zip(rows.categories.T, rows.n_categories, strict=True)
    return np.concatenate([np.bincount(column, weight, minlength=n) for column, n in columns]) / (
        len(rows) if weight is None else weight.sum()
    )


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 2.0, 300)])
def test_shares_are_raked_to_those_of_other_rows(weight):
    rows = rows_of_mixture(300, seed=4)
    raked = with_shares(MIXTURE, rows, weight)
    np.testing.assert_allclose(raked.weights @ raked.shares, shares_of_rows(rows, weight), atol=1e-6)
    # one factor a category, so that what two components have to each other in two categories of a column stays
    for new, old in zip(raked.shares_by_column, MIXTURE.shares_by_column, strict=True):
        np.testing.assert_allclose(new.sum(axis=1), 1)
        odds = [shares[0, 0] * shares[1, 1] / (shares[0, 1] * shares[1, 0]) for shares in (new, old)]
        assert odds[0] == pytest.approx(odds[1])


def test_a_category_that_no_row_has_stays_possible():
    rows = rows_of_mixture(50, seed=5)
    rows = rows.take(np.flatnonzero(rows.categories[:, 0] != 2))
    raked = with_shares(MIXTURE, rows)
    assert (raked.shares > 0).all()
    assert (raked.weights @ raked.shares)[2] < 1e-6


def test_a_mixture_without_categories_is_left_as_it_is():
    rows = rows_of_mixture(50).numbers
    numbers = replace(MIXTURE, shares=np.zeros((2, 0)), n_categories=np.zeros(0, dtype=int))
    raked = with_shares(numbers, split_code(rows, [Number(0), Number(1), Number(2)]))
    assert raked.shares.shape == (2, 0)


def test_the_density_of_cells_seen_is_a_marginal():
    """Against SciPy's normal distributions and sums over the categories."""
    rows, level = rows_of_mixture(40, seed=7), np.array([0.0, 0.3, 1.0])
    rng = np.random.default_rng(0)
    numbers, categories = rng.random((40, 3)) < 0.6, rng.random((40, 2)) < 0.6
    expected = np.zeros(40)
    for i in range(40):
        for m, weight in enumerate(MIXTURE.weights):
            covariance = MIXTURE.loadings[m] @ MIXTURE.loadings[m].T + np.diag(MIXTURE.variances[m] + level**2)
            density, cells = weight, numbers[i]
            if cells.any():
                of_cells = MIXTURE.means[m][cells], covariance[np.ix_(cells, cells)]
                density *= stats.multivariate_normal(*of_cells).pdf(rows.numbers[i][cells])
            for c in np.flatnonzero(categories[i]):
                density *= MIXTURE.shares_by_column[c][m, rows.categories[i, c]]
            expected[i] += density
    np.testing.assert_allclose(log_density_of_seen(MIXTURE, rows, numbers, categories, level), np.log(expected))


def test_a_fit_goes_on_as_if_it_had_not_stopped():
    rows, shape = rows_of_mixture(400, seed=6), MixtureShape(2, 1, 10.0)
    first = (rows.numbers[:, 0] > 1).astype(int)
    whole = fit_mixture(rows, first, shape, 5)
    in_parts = continue_fit(fit_mixture(rows, first, shape, 2), rows, shape, 3)
    np.testing.assert_allclose(in_parts.means, whole.means)
    np.testing.assert_allclose(in_parts.shares, whole.shares)


def clusters(n_clusters, n, seed, apart=8.0):
    """Code of numbers in clusters in three columns, and a category that says nothing."""
    rng = np.random.default_rng(seed)
    centres = apart * rng.normal(size=(n_clusters, 3))
    k = np.arange(n) % n_clusters
    X = centres[k] + rng.normal(size=(n, 3))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    W = np.zeros((n, 8))
    W[:, [0, 4, 5]] = X
    W[:, 1:4], W[:, 6:] = 2 * np.eye(3)[rng.integers(3, size=n)], 2 * np.eye(2)[rng.integers(2, size=n)]
    return W, X


@pytest.mark.parametrize("n_clusters", [1, 4])
def test_as_many_components_as_clusters(n_clusters):
    """A component too many is within a standard error in one table of six or so: of five tables one may have it."""
    found = []
    for seed in range(5):
        W, X = clusters(n_clusters, 800, seed)
        chosen = choose_mixture(W, X, BLOCKS, seed=0)
        assert len(chosen.mixture.weights) == chosen.shape.n_components
        found.append(chosen.shape.n_components)
    assert found.count(n_clusters) >= 4
    assert max(found) <= 2 * n_clusters


def test_all_clusters_of_many_columns_are_found():
    """By one start from one clustering two of eight clusters have one component in a third of such tables."""
    n_found = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(8, 20))
        X = centres[rng.integers(8, size=200)] + 0.5 * rng.normal(size=(200, 20))
        search = search_over(X, X, [Number(j) for j in range(20)], seed, None)
        mixture = search.best_of_starts(MixtureShape(8, 0, 10.0))
        distance = np.linalg.norm(mixture.means[:, None] - centres, axis=2)
        n_found.append(len(np.unique(distance.argmin(axis=1))))
    assert n_found.count(8) >= 14


def test_the_best_start_is_run_on():
    W, X = clusters(8, 400, seed=11, apart=2.0)
    search, shape, some = search_over(W, X, BLOCKS, 0, None), MixtureShape(8, 0, 10.0), np.arange(300)
    rows = search.rows.take(some)
    clusterings = [first_components(search.Z, 8, seed) for seed in range(5)]
    plain = [log_density(fit_mixture(search.rows, clusters, shape, 3), search.rows).mean() for clusters in clusterings]
    components = [clusterings[k] for k in np.argsort(plain)[::-1]]
    runs = [fit_mixture(rows, of_run[some], shape, 3) for of_run in components]
    means = [log_density(run, rows).mean() for run in runs]
    assert max(means) > means[0] + 1e-6, "starts differ"
    expected = continue_fit(runs[int(np.argmax(means))], rows, shape, 7)
    found = search.best_of_starts(shape, some)
    np.testing.assert_allclose(found.means, expected.means)
    late = replace(search, deadline=0.0).best_of_starts(shape, some)
    np.testing.assert_allclose(late.means, search.fit(shape, some).means)


def test_held_out_rows_take_no_part_but_in_the_clusters():
    """Rows held out that are changed, after the clusters were cut, change no mixture of the others."""
    W, X = clusters(4, 200, seed=0)
    search, shape = search_over(W, X, BLOCKS, 0, None), MixtureShape(4, 0, 10.0)
    training, held_out = search.folds[0]
    before = search.fit(shape, training)
    numbers = search.rows.numbers.copy()
    numbers[held_out] += 100.0
    after = replace(search, rows=replace(search.rows, numbers=numbers)).fit(shape, training)
    np.testing.assert_array_equal(before.means, after.means)


def test_scores_rank_embeddings():
    W, X = clusters(8, 800, seed=0, apart=3.0)
    rng = np.random.default_rng(0)
    right, noisy, wrong = (
        manifold_score(W, Z, BLOCKS, seed=0) for Z in (X, X + rng.normal(size=X.shape), rng.permutation(X))
    )
    assert right > noisy > wrong


def test_folds_are_apart_and_enough():
    for n in (10, 60, 500, 5000):
        folds = split(n)
        held_out = np.concatenate([out for _, out in folds])
        assert len(np.unique(held_out)) == len(held_out) >= min(200, 0.6 * n) - 3
        assert all(len(np.intersect1d(*fold)) == 0 and len(fold[0]) + len(fold[1]) == n for fold in folds)
