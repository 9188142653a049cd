"""How far categories go by a mixture: against sums over all categories, a grid of weights, and a known weight."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_softmax

from skmdiff._mixture.choice import choose_mixture
from skmdiff._mixture.mixture import MixedRows, Mixture, log_density
from skmdiff._mixture.pooling import best_weight, log_probabilities
from skmdiff._table.columns import Block

SIZES = (3, 2)


def random_mixture(rng):
    return Mixture(
        weights=rng.dirichlet(np.ones(3)),
        means=rng.normal(size=(3, 2)),
        loadings=rng.normal(size=(3, 2, 1)),
        variances=rng.uniform(0.1, 1, (3, 2)),
        shares=np.hstack([rng.dirichlet(np.ones(n), 3) for n in SIZES]),
        n_categories=np.array(SIZES),
    )


def mean_log_probability(log_probability, category, w, weight=None):
    marginal, given = log_probability
    pooled = log_softmax(w * given + (1 - w) * marginal, axis=1)
    return np.average(pooled[np.arange(len(category)), category], weights=weight)


@pytest.mark.parametrize("column", [0, 1])
def test_probabilities_given_the_other_columns_are_those_of_the_density(column):
    rng = np.random.default_rng(0)
    mixture, n = random_mixture(rng), 20
    numbers, categories = rng.normal(size=(n, 2)), np.column_stack([rng.integers(k, size=n) for k in SIZES])

    def with_category(k):
        changed = categories.copy()
        changed[:, column] = k
        return log_density(mixture, MixedRows(numbers, changed, np.array(SIZES)), 0.3)

    found = list(log_probabilities(mixture, MixedRows(numbers, categories, np.array(SIZES)), 0.3))[column]
    joint = np.column_stack([with_category(k) for k in range(SIZES[column])])
    assert_allclose(found[1], log_softmax(joint, axis=1), atol=1e-12)
    assert_allclose(np.exp(found[0]), np.tile(mixture.weights @ mixture.shares_by_column[column], (n, 1)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("truth", [0.0, 0.3, 0.7, 1.0])
def test_the_weight_is_the_best_of_a_grid_and_the_true_one(truth, weighted):
    """Categories drawn with a known weight: 4000 rows say it within .05 (five standard errors)."""
    rng = np.random.default_rng(0)
    log_probability = log_softmax(rng.normal(size=(2, 4000, 3)) * np.array([0.0, 2.0])[:, None, None], axis=2)
    pooled = np.exp(log_softmax(truth * log_probability[1] + (1 - truth) * log_probability[0], axis=1))
    category = (pooled.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    weight = rng.uniform(0.5, 2, 4000) if weighted else None
    found = best_weight(log_probability, category, weight)
    grid = np.linspace(0, 1, 101)
    best = grid[np.argmax([mean_log_probability(log_probability, category, w, weight) for w in grid])]
    assert abs(found - best) <= 0.011
    assert abs(found - truth) < 0.05


def test_weights_out_of_reach_are_the_ends():
    """Rows that contradict the mixture leave it out; rows surer than it take all of it."""
    given = log_softmax(np.tile([1.0, 0.0], (50, 1)), axis=1)
    log_probability = np.stack([np.full((50, 2), -np.log(2)), given])
    assert best_weight(log_probability, np.ones(50, dtype=int)) == 0
    assert best_weight(log_probability, np.zeros(50, dtype=int)) == 1


def code_of(columns, n_categories):
    """Code and blocks of categories, one column each."""
    ends = np.cumsum([0, *n_categories])
    blocks = [
        Block("categorical", start, stop, np.eye(stop - start), f"c{start}", np.full(stop - start, 1 / (stop - start)))
        for start, stop in zip(ends, ends[1:], strict=False)
    ]
    return np.hstack([np.eye(n)[c] for c, n in zip(columns.T, n_categories, strict=True)]), blocks


def test_columns_that_repeat_each_other_are_believed_in_part():
    """Eight noisy answers to one question, and one that goes with the question in one case of eight.

    The components are the answers of the question; what the last column says of them is little, whatever they share.
    """
    rng = np.random.default_rng(0)
    n = 800
    question, other = rng.integers(2, size=(2, n))
    answers = np.where(rng.random((n, 8)) < 0.85, question[:, None], 1 - question[:, None])
    group = np.where(rng.random(n) < 0.125, question, other)
    W, blocks = code_of(np.column_stack([answers, group, rng.integers(2, size=n)]), [2] * 10)
    chosen = choose_mixture(W, W, blocks, seed=0)
    assert (chosen.category_weights[:8] > 0.8).all(), "they do go together"
    assert chosen.category_weights[9] < 0.8, "it goes with nothing"
    assert ((chosen.category_weights >= 0) & (chosen.category_weights <= 1)).all()


def test_all_is_believed_where_no_row_is_left_to_tell_and_past_a_deadline():
    rng = np.random.default_rng(0)
    W, blocks = code_of(rng.integers(2, size=(60, 3)), [2] * 3)
    assert (choose_mixture(W[:8], W[:8], blocks, seed=0).category_weights == 1).all()
    assert (choose_mixture(W, W, blocks, seed=0, deadline=0.0).category_weights == 1).all()
    assert choose_mixture(rng.normal(size=(60, 2)), W, number_blocks(2), seed=0).category_weights.shape == (0,)


def number_blocks(n):
    return [Block("numeric", j, j + 1, None, f"x{j}") for j in range(n)]


@pytest.mark.parametrize("of_number", [True, False])
def test_only_what_is_no_value_of_a_number_is_asked(of_number):
    """Categories that go with nothing are not believed; as frequent values of a number they say what it says."""
    rng = np.random.default_rng(0)
    number, category = rng.normal(rng.choice([-5, 0, 5], 300)), rng.integers(3, size=300)
    code, [block] = code_of(category[:, None], [3])
    block = block._replace(start=1, stop=4, of_number=of_number)
    chosen = choose_mixture(np.column_stack([number, code]), number[:, None], [*number_blocks(1), block], seed=0)
    assert (chosen.category_weights == 1).tolist() == [of_number]
