"""Where expectation-maximisation starts: clusters that a few of many columns tell."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import adjusted_rand_score

from skmdiff._mixture.choice import choose_mixture
from skmdiff._mixture.clusters import LEAST_WITHIN, first_components, rescaled_components, spread_within
from skmdiff._mixture.mixture import component_of
from skmdiff._table.columns import Block


def six_clusters(seed, n=320):
    """Standardised rows (n, 40): six clusters far apart in five columns, nothing in the others; and the clusters."""
    rng = np.random.default_rng(seed)
    label, X = rng.integers(6, size=n), rng.normal(size=(n, 40))
    X[:, :5] = rng.normal(size=(6, 5))[label] + 0.25 * X[:, :5]
    return (X - X.mean(axis=0)) / X.std(axis=0), label


def test_rescaled_columns_find_what_noise_hides():
    """Of twenty tables: k-means alone finds the clusters of few, with columns rescaled those of most."""
    found = []
    for seed in range(20):
        X, label = six_clusters(seed)
        ways = first_components(X, 6, 0), rescaled_components(X, first_components(X, 6, 0), 6, 0)
        found.append([adjusted_rand_score(label, clusters) for clusters in ways])
    plain, rescaled = np.mean(found, axis=0)
    assert rescaled > plain + 0.2


def test_the_mixture_of_such_a_table_has_a_component_a_cluster():
    """Of eight tables at least seven; from k-means alone one, in the others components share clusters."""
    blocks = [Block("numeric", j, j + 1, None, f"x{j}") for j in range(40)]
    agreement = []
    for seed in range(8):
        X, label = six_clusters(seed)
        mixture = choose_mixture(X, X, blocks, seed=0).mixture
        agreement.append(adjusted_rand_score(label, component_of(mixture, X, blocks)))
    assert np.sum(np.array(agreement) > 0.8) >= 7


@pytest.mark.parametrize("weighted", [False, True])
def test_spread_is_that_about_the_means_of_clusters(weighted):
    rng = np.random.default_rng(0)
    clusters, points = rng.integers(3, size=60), rng.normal(size=(60, 4))
    points[:, 2] = 5.0 * clusters  # nothing within
    points[:, 3] = 1.0  # nothing at all
    weight = rng.uniform(0.5, 2, 60) if weighted else None
    w = np.ones(60) if weight is None else weight
    means = np.array([np.average(points[clusters == k], axis=0, weights=w[clusters == k]) for k in range(3)])
    within = np.average((points - means[clusters]) ** 2, axis=0, weights=w)
    found = spread_within(points, clusters, weight)
    assert_allclose(found[:2], np.sqrt(within[:2]))
    total = np.average((points[:, 2] - np.average(points[:, 2], weights=w)) ** 2, weights=w)
    assert_allclose(found[2:], [np.sqrt(LEAST_WITHIN * total), 1.0])


def test_one_component_and_rows_that_hardly_differ():
    points = np.repeat([[0.0, 1.0], [2.0, 3.0]], 5, axis=0)
    first = first_components(points, 4, 0)
    assert not rescaled_components(points, np.zeros(10, dtype=int), 1, 0).any()
    for found in (first, rescaled_components(points, first, 4, 0)):
        assert len(np.unique(found[:5])) == len(np.unique(found[5:])) == 1
        assert found[0] != found[5]
