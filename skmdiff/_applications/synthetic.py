"""Synthetic rows for wanted targets: what the over-sampler and the augmented estimators share."""

from functools import reduce
from inspect import Parameter, signature

import numpy as np
from sklearn.base import clone

from .._numerics.streams import draw_seed
from .._sampler.estimator import ManifoldDiffusionSampler
from .._table.frames import is_frame, is_polars
from .routing import fit_with_weights, is_routing_enabled

# of a row whose columns speak against its class
N_DRAWS = 5


def default_sampler():
    """The sampler that None stands for; with metadata routing it requests weights."""
    sampler = ManifoldDiffusionSampler()
    return sampler.set_fit_request(sample_weight=True) if is_routing_enabled() else sampler


def fit_sampler(sampler, X, y, random_state, *, target_type="auto", weight=None, params=None):
    """A fitted clone of the sampler, or of the default one; seeded where it has no seed of its own.

    y is what the sampler is to learn along with X, or None. A sampler with a parameter `target_type` is told whether y
    holds classes ("class") or numbers ("number"); numbers come as floats. It is given weights (n,) if it takes them,
    and `params` as further arguments of `fit`.
    """
    fitted = default_sampler() if sampler is None else clone(sampler)
    if names := unseeded(fitted):
        fitted.set_params(**dict.fromkeys(names, new_seed(random_state)))
    fitted.set_params(**dict.fromkeys(parameter_names(fitted, "target_type"), target_type))
    y = y.astype(float) if target_type == "number" else y
    return fit_with_weights(fitted, X, y, weight, params or {})


def new_seed(random_state):
    """A seed of the size that scikit-learn takes, from a stream."""
    return draw_seed(random_state) % 2**32


def parameter_names(estimator, name):
    """Names of a parameter: that of the estimator, or, where it has none, those of its parts."""
    params = estimator.get_params()
    return [name] if name in params else [nested for nested in params if nested.endswith(f"__{name}")]


def unseeded(estimator):
    """Names of the seeds that are None."""
    params = estimator.get_params()
    return [name for name in parameter_names(estimator, "random_state") if params[name] is None]


def check_sampler(sampler):
    """Raise unless a sampler is None or has what is asked of one."""
    lacks = [name for name in ("get_params", "fit", "sample") if not hasattr(sampler, name)]
    if isinstance(sampler, type) or (sampler is not None and (lacks or not has_target(sampler.sample))):
        raise TypeError(
            "sampler must be None or an estimator with fit(X, y) and sample(n_samples, y=, random_state=), "
            f"got {sampler!r}."
        )


def has_target(sample):
    """Whether a method `sample` can be given targets."""
    taken = signature(sample).parameters
    return "y" in taken or any(parameter.kind is Parameter.VAR_KEYWORD for parameter in taken.values())


def draw(fitted, y, random_state):
    """Rows of a fitted sampler for the targets y (m,), m > 0."""
    return fitted.sample(len(y), y=y, random_state=new_seed(random_state))


def draw_likely(fitted, y, seen_y, random_state):
    """As `draw` for classes y (m,), by a sampler that judges its rows: drawn anew where the columns speak against y.

    That is where a class is less probable given the columns than without, if classes weigh the same: a row is drawn
    N_DRAWS times at most, and the draw taken in which its class is most probable. `seen_y` (n,) are the classes given.
    """
    new = draw(fitted, y, random_state)
    if not hasattr(fitted, "predict_target"):
        return new
    classes, counts = np.unique(seen_y, return_counts=True)
    chance = chance_of(fitted, new, y, classes, counts)
    for _ in range(N_DRAWS - 1):
        doubtful = np.flatnonzero(chance < 1 / len(classes))
        if not len(doubtful):
            break
        again = draw(fitted, y[doubtful], random_state)
        found = chance_of(fitted, again, y[doubtful], classes, counts)
        better = np.flatnonzero(found > chance[doubtful])
        place = np.arange(len(y))
        place[doubtful[better]] = len(y) + better
        new, chance[doubtful[better]] = take(stack(new, again), place), found[better]
    return new


def chance_of(fitted, X, y, classes, counts):
    """(m,) probability of the class of each row given its columns, as `fitted` has it, if classes weighed the same."""
    probability = np.asarray(fitted.predict_target(X))
    if probability.shape != (len(y), len(classes)):
        raise ValueError(
            "predict_target of the sampler must return probabilities of shape (n_samples, n_classes), "
            f"{(len(y), len(classes))}, got {probability.shape}."
        )
    return at_even_shares(probability, counts)[np.arange(len(y)), np.searchsorted(classes, y)]


def at_even_shares(probability, counts):
    """Probabilities (m, n_classes) of a generator as they were if classes weighed the same, not `counts`."""
    even = probability / counts
    return even / even.sum(axis=1, keepdims=True)


def stack(X, *others):
    """The rows of X and, behind them, those of other tables; frames keep their dtypes."""
    if not is_frame(X):
        return np.concatenate([X, *[np.asarray(new).astype(X.dtype, copy=False) for new in others]])
    if is_polars(X):
        return reduce(type(X).vstack, others, X)
    import pandas as pd

    return pd.concat([X, *others], ignore_index=True)


def take(X, rows):
    """Some rows of a table or of a target; None for None."""
    if X is None:
        return None
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
