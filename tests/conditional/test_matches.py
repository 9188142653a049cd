"""Rows that meet conditions, near ones and their weights: each part against its closed form."""

import numpy as np
import pytest

from skmdiff._conditional.matches import MAX_CANDIDATES, Matches, Neighborhood, Query, agreeing, neighborhood
from skmdiff._conditional.network import PRIOR_MATCH, predict
from skmdiff._conditional.queries import query_of_codes
from skmdiff._conditional.starts import choose_starts, redraw
from skmdiff._table.columns import Block


def three_classes(n=3000):
    """Rows of a number c and a class, and a network that knows p(class | c) but for a factor a class."""
    rng = np.random.default_rng(0)
    c = rng.normal(size=n)
    distribution = np.exp(np.outer(c, [0.0, 1.5, -1.0]))
    distribution /= distribution.sum(1, keepdims=True)
    category = (rng.random((n, 1)) > distribution.cumsum(1)).sum(1)
    blocks = [Block("numeric", 0, 1, None, "c"), Block("categorical", 1, 4, np.eye(3), "k", np.full(3, 1 / 3))]

    def network(W):
        biased = np.exp(np.outer(np.nan_to_num(W[:, 0]), [0.0, 1.5, -1.0])) * [1.0, 3.0, 0.2]
        return {1: biased / biased.sum(1, keepdims=True)}

    return np.column_stack([c, np.eye(3)[category]]), category, blocks, network


def calibrated(rows, category, blocks, network, c, prior):
    """The probabilities of the classes at c, with sums written out."""
    matches = Matches(rows, blocks)
    low = np.array([c, np.nan])
    near = neighborhood(matches, *agreeing(matches, low, low, {})).thinned()
    weights = near.weights()
    own = network(rows[near.indices])[1]
    n_rows = weights.sum() ** 2 / (weights**2).sum()
    out = []
    for k, there in enumerate(network(np.array([[c]]))[1][0]):
        mean = sum(w * p for w, p in zip(weights, own[:, k], strict=True)) / weights.sum()
        share = sum(w for w, j in zip(weights, near.indices, strict=True) if category[j] == k) / weights.sum()
        out.append(there * (n_rows * share + prior * mean) / ((n_rows + prior) * mean))
    return np.array(out) / sum(out)


@pytest.mark.parametrize("c", [0.03125, 1.0])  # on the grid of coarse queries
def test_free_categories_follow_the_network_calibrated_by_rows_near(c):
    rows, category, blocks, network = three_classes()
    n, codes = 40_000, np.array([[c, np.nan, np.nan, np.nan]])
    query = query_of_codes(np.repeat(codes, n, axis=0), blocks)
    matches = Matches(rows, blocks, probabilities=network)
    chosen = choose_starts(matches, query, np.random.default_rng(1).random((n, 3)))[0]
    expected = calibrated(rows, category, blocks, network, c, prior=0)
    np.testing.assert_allclose(np.bincount(category[chosen], minlength=3) / n, expected, atol=4 * 0.5 / np.sqrt(n))
    found = predict(matches, query_of_codes(codes, blocks), 1)[0]
    np.testing.assert_allclose(found, calibrated(rows, category, blocks, network, c, PRIOR_MATCH), rtol=1e-9)
    truth = np.exp(c * np.array([0.0, 1.5, -1.0]))
    biased = network(codes)[1][0]
    assert np.abs(found - truth / truth.sum()).max() < 0.5 * np.abs(biased - truth / truth.sum()).max()


def test_few_rows_stand_for_many_by_their_weight():
    many = Neighborhood(np.arange(5000), np.cumsum(np.linspace(0, 1, 5000)))
    few = many.thinned()
    assert len(few.indices) == MAX_CANDIDATES
    mean = np.average(np.arange(5000), weights=np.linspace(0, 1, 5000))
    assert few.indices.mean() == pytest.approx(mean, abs=5)
    assert few.thinned() is few


def test_values_are_drawn_anew_half_way_to_their_neighbours():
    seen = np.array([0.0, 1.0, 1.0, 2.0, 4.0])
    values = np.repeat([0.0, 1.0, 2.0, 4.0], 2)
    new = redraw(seen, values, np.tile([0.0, 1.0], 4))
    np.testing.assert_allclose(new, [0, 0.5, 1, 1, 1.5, 3, 3, 4])


def test_one_number_a_row_makes_few_different_queries_though_rows_lack_it():
    low = np.append(np.linspace(0, 1, 500), np.nan)[:, None]
    query = Query(np.hstack([low, np.full((501, 1), np.nan)]), np.hstack([low, np.full((501, 1), np.nan)]), {})
    assert len(query.coarse().distinct()[0]) == 34  # 33 steps of 1/32 and none
