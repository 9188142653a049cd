"""The choice of the bandwidth and the degree of the lift, and what it does to a noisy surface."""

import numpy as np
from sklearn.manifold import Isomap

from skmdiff._manifold.learner import ManifoldModel
from skmdiff._manifold.lift import choose_lift
from skmdiff.datasets import make_swiss_roll_nd


def test_a_curved_manifold_takes_degree_two_and_noise_more_neighbours():
    rng = np.random.RandomState(0)
    t = np.sort(rng.uniform(0, 6, 800))[:, None]
    curve = np.column_stack([np.cos(t), np.sin(t), t])
    clean, noisy = choose_lift(t, curve, 0), choose_lift(t, curve + 0.2 * rng.randn(*curve.shape), 0)
    assert clean.degree == noisy.degree == 2
    assert noisy.n_neighbors > 2 * clean.n_neighbors


def test_the_lift_is_near_the_clean_roll():
    """Two rolls, noise .15 in 10 columns: measured .29 of the noisy rows' distance both; degree 1 gave .58."""
    for seed in (0, 1):
        roll = make_swiss_roll_nd(1000, 10, noise=0.15, random_state=seed)
        scale = roll.data.std(axis=0)
        model = ManifoldModel(Isomap(n_neighbors=10), random_state=0).fit(roll.data / scale)
        assert roll.distance(model.lift(model.embedding_) * scale).mean() < 0.36 * roll.distance(roll.data).mean()
