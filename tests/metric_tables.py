"""Tables whose distribution is known, and the space of the distances worked out cell by cell."""

import numpy as np


def mixed(n_samples, seed):
    """Two numbers and a category of three values that depends on them."""
    rng = np.random.RandomState(seed)
    x = rng.normal(size=(n_samples, 2))
    table = np.empty((n_samples, 3), dtype=object)
    table[:, :2], table[:, 2] = x, np.array(["a", "b", "c"])[(x > 0).sum(axis=1)]
    return table


def one_hot_space(reference, table):
    """The space of the distances, cell by cell."""
    x = np.asarray(reference[:, :2], dtype=float)
    scaled = (np.asarray(table[:, :2], dtype=float) - x.mean(axis=0)) / x.std(axis=0)
    levels = [[float(cell == level) for level in "abc"] for cell in table[:, 2]]
    return np.hstack([scaled, levels])


def with_missing(table, seed, share=0.2):
    """The table with cells of the first number and of the category missing at random."""
    rng = np.random.RandomState(seed)
    table = table.copy()
    table[rng.uniform(size=len(table)) < share, 0] = np.nan
    table[rng.uniform(size=len(table)) < share, 2] = None
    return table
