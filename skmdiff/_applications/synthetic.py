"""Synthetic rows for wanted targets: what the over-sampler and the augmented estimators share."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from .._numerics.streams import draw_seed
from .._sampler.estimator import ManifoldDiffusionSampler
from .._sampler.model import fitted_model
from .._table.frames import build, is_frame, is_polars, native_column
from .._table.identifiers import IdentifierColumn
from .routing import fit_with_weights, is_routing_enabled

# how often at most a row is sampled whose columns make its class improbable
MOST_TRIES = 5


# --- generators


def check_sampler(sampler: Any) -> None:
    """Raise unless a sampler is None or has what is asked of one."""
    lacks = [name for name in ("get_params", "fit", "sample") if not hasattr(sampler, name)]
    if isinstance(sampler, type) or (sampler is not None and (lacks or not takes_targets(sampler.sample))):
        raise TypeError(
            "sampler must be None or an estimator with fit(X, y) and sample(n_samples, y=, random_state=), "
            f"got {sampler!r}."
        )


def takes_targets(sample: Callable) -> bool:
    """Whether a method `sample` can be given targets."""
    parameters = signature(sample).parameters
    return "y" in parameters or any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())


def default_sampler(**parameters: Any) -> ManifoldDiffusionSampler:
    """The sampler that None stands for; with metadata routing it requests weights."""
    sampler = ManifoldDiffusionSampler(**parameters)
    return sampler.set_fit_request(sample_weight=True) if is_routing_enabled() else sampler


def fit_sampler(
    sampler: Any,
    X: Any,
    y: np.ndarray | None,
    random_state: np.random.RandomState,
    *,
    target_type: str = "auto",
    weight: np.ndarray | None = None,
    params: dict[str, Any] | None = None,
) -> Any:
    """A fitted clone of the sampler, or of the default one; seeded where its `random_state` is None.

    y is the target to learn along with X, or None. A sampler with a parameter `target_type` is told whether y holds
    classes ("class") or numbers ("number"); numbers come as floats. It is given weights (n,) if it takes them, and
    `params` as further arguments of `fit`.
    """
    fitted = default_sampler() if sampler is None else clone(sampler)
    if names := unseeded(fitted):
        fitted.set_params(**dict.fromkeys(names, new_seed(random_state)))
    fitted.set_params(**dict.fromkeys(parameter_names(fitted, "target_type"), target_type))
    if y is not None and target_type == "number":
        y = y.astype(float)
    return fit_with_weights(fitted, X, y, weight, params or {})


def parameter_names(estimator: BaseEstimator, name: str) -> list[str]:
    """Names of a parameter: that of the estimator, or, where it has none, those of its parts."""
    params = estimator.get_params()
    return [name] if name in params else [nested for nested in params if nested.endswith(f"__{name}")]


def unseeded(estimator: BaseEstimator) -> list[str]:
    """Names of the seeds that are None."""
    params = estimator.get_params()
    return [name for name in parameter_names(estimator, "random_state") if params[name] is None]


def new_seed(random_state: np.random.RandomState) -> int:
    """A seed of the size that scikit-learn takes, from a stream."""
    return draw_seed(random_state) % 2**32


# --- samples


def sample_targets(fitted: Any, y: np.ndarray, random_state: np.random.RandomState) -> Any:
    """Rows of a fitted sampler for the targets y (m,), m > 0."""
    return fitted.sample(len(y), y=y, random_state=new_seed(random_state))


def sample_likely(fitted: Any, y: np.ndarray, seen_y: np.ndarray, random_state: np.random.RandomState) -> Any:
    """Rows for classes y (m,); those that the sampler finds improbable for their class are sampled again.

    A row is improbable if its class is less probable given the columns than without them, with all classes equally
    frequent. It is sampled MOST_TRIES times at most; the most probable sample is kept. `seen_y` (n,) are the classes
    of `fit`.
    """
    new = sample_targets(fitted, y, random_state)
    if not hasattr(fitted, "predict_target"):
        return new
    classes, counts = np.unique(seen_y, return_counts=True)
    probability = probability_of_class(fitted, new, y, classes, counts)
    for _ in range(MOST_TRIES - 1):
        doubtful = np.flatnonzero(probability < 1 / len(classes))
        if not len(doubtful):
            break
        again = sample_targets(fitted, y[doubtful], random_state)
        found = probability_of_class(fitted, again, y[doubtful], classes, counts)
        better = np.flatnonzero(found > probability[doubtful])
        index = np.arange(len(y))
        index[doubtful[better]] = len(y) + better
        new, probability[doubtful[better]] = take(stack(new, again), index), found[better]
    return with_identifiers(fitted, new)


def with_identifiers(fitted: Any, X: Any) -> Any:
    """Rows of several calls of a sampler with identifiers as of one call; of other samplers as they are."""
    codec = fitted_model(fitted).codec if isinstance(fitted, ManifoldDiffusionSampler) else None
    if codec is None or not any(isinstance(column, IdentifierColumn) for column in codec.columns_):
        return X
    X, none = stack(X), np.zeros(len(X), dtype=bool)
    columns = [
        writer.write(column.new(0, len(X)), none) if isinstance(column, IdentifierColumn) else native_column(X, j)
        for j, (column, writer) in enumerate(zip(codec.columns_, codec.writers_, strict=True))
    ]
    return build(X, columns)


def probability_of_class(fitted: Any, X: Any, y: np.ndarray, classes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(m,) probability of the class of each row given its columns, by the sampler, with equally frequent classes."""
    probability = np.asarray(fitted.predict_target(X))
    if probability.shape != (len(y), len(classes)):
        raise ValueError(
            "predict_target of the sampler must return probabilities of shape (n_samples, n_classes), "
            f"{(len(y), len(classes))}, got {probability.shape}."
        )
    return with_equal_classes(probability, counts)[np.arange(len(y)), np.searchsorted(classes, y)]


def with_equal_classes(probability: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Probabilities (m, n_classes) of a generator as they would be with equally frequent classes, not `counts`."""
    odds = probability / counts
    return odds / odds.sum(axis=1, keepdims=True)


# --- tables


def stack(X: Any, *others: Any) -> Any:
    """The rows of X followed by those of other tables; frames keep their dtypes."""
    if not is_frame(X):
        return np.concatenate([X, *[np.asarray(new).astype(X.dtype, copy=False) for new in others]])
    if is_polars(X):
        return reduce(type(X).vstack, others, X)
    import pandas as pd

    return pd.concat([X, *others], ignore_index=True)


def take(X: Any, indices: Any) -> Any:
    """The rows of a table or of a target at some indices; None for None."""
    if X is None:
        return None
    return X.iloc[indices] if hasattr(X, "iloc") else X[indices]
