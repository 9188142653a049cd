"""A generator of rows for tests in which it does not matter which one it is."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state


class Jitter(BaseEstimator):
    """Training rows of the wanted target, with a little noise where all columns are floats."""

    def __init__(self, scale=0.01):
        self.scale = scale

    def fit(self, X, y=None, **params):
        self.X_, self.y_ = X, y
        return self

    def sample(self, n_samples, y=None, random_state=None):
        random_state = check_random_state(random_state)
        alike = [np.arange(len(self.X_))] * n_samples if y is None else [np.flatnonzero(self.y_ == t) for t in y]
        indices = [random_state.choice(rows) for rows in alike]
        rows = self.X_.iloc[indices].copy() if hasattr(self.X_, "iloc") else np.array(self.X_)[indices]
        if np.asarray(rows).dtype.kind == "f":
            rows = rows + self.scale * random_state.normal(size=rows.shape)
        return rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
