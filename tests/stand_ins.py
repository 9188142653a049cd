"""A small table with targets, and estimators that stand in for slower ones."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from skmdiff import ManifoldDiffusionSampler

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(60, 3))
LABELS = np.where(X[:, 0] + 0.5 * _RNG.normal(size=60) > 0.5, "yes", "no")
NUMBERS = X[:, 0] + 0.1 * _RNG.normal(size=60)


def logistic(**parameters):
    """By a solver that does not warn under an old scikit-learn with a new SciPy, as lbfgs does."""
    return LogisticRegression(solver="newton-cholesky", **parameters)


def quick(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=0.5)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


class Copies(BaseEstimator):
    """A generator that copies rows of the wanted target, or the nearest to it, and remembers all it was fitted on."""

    seen = []

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        self.seen.append((X, y))
        return self

    def sample(self, n_samples, *, y, random_state):
        same = [np.flatnonzero(self.y_ == t) for t in y]
        return self.X_[[rows[i % len(rows)] for i, rows in enumerate(same)]] + self.shift
