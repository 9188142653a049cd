"""The gate of the augmented estimators: whether synthetic rows help, measured by cross-validation.

On each fold two clones of the estimator are compared: one is fitted on the training rows, the other on these and on
rows of a generator that learnt the same training rows. With d_i the loss of the first minus that of the second at the
held-out row i and w_i the fraction of the weight at it, the gain is sum_i w_i d_i and its standard error
sqrt(sum_i w_i^2 (d_i - gain)^2).

The loss is the squared error for numbers. For classes it is half of the Brier score (Brier 1950, "Verification of
forecasts expressed in terms of probability"), which is proper: it rewards right probabilities. Where all classes are to
count equally, it is the error rate, weighted to the balanced accuracy (Brodersen et al. 2010, "The balanced accuracy
and its posterior distribution"): a proper loss with equal classes would reward even probabilities whatever the columns
say.

The targets of synthetic rows come from what the generator predicts given their columns, as from the teacher in
distillation (Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network"): means of numbers, and
weights by the probabilities of classes. Both have less noise than a target that is sampled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold, check_cv

from .._numerics.checks import check_integer, is_auto
from .._numerics.warnings_ import warn_user
from .._numerics.weights import indices_at
from .routing import fit_with_weights, weight_name
from .synthetic import fit_sampler, new_seed, sample_targets, stack, take, with_equal_classes

# samples of which a mean target is taken
MEAN_SAMPLES = 20
# a class with a smaller fraction of a synthetic row does not get the row
LEAST_FRACTION = 0.02
HISTOGRAM_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
# scikit-learn's rule: beyond so many rows early_stopping="auto" stops early
MOST_ROWS_WITHOUT_STOPPING = 10_000


@dataclass(frozen=True)
class Rows:
    """A table X with targets y (n,) and weights (n,), or None for equal weights."""

    X: Any
    y: np.ndarray
    weight: np.ndarray | None

    def some(self, indices: np.ndarray) -> Rows:
        """The rows at some indices."""
        return Rows(take(self.X, indices), take(self.y, indices), take(self.weight, indices))

    def with_weight(self) -> Rows:
        """The rows of a weight above 0."""
        return self if self.weight is None else self.some(np.flatnonzero(self.weight > 0))

    def weights(self) -> np.ndarray:
        """Weights (n,), of ones where they are equal."""
        return np.ones(len(self.y)) if self.weight is None else self.weight

    def class_indices(self) -> np.ndarray:
        """(n,) the index of the class of each row among the sorted ones."""
        return np.unique(self.y, return_inverse=True)[1]


@dataclass(frozen=True)
class Recipe:
    """How an augmented fit is done.

    ratio : number of synthetic rows over that of real ones
    relative_weight : weight of a synthetic row over the mean weight of real rows that have any
    classes : (n_classes,) or None for numbers
    balanced : whether there are as many synthetic rows of each class, and held-out classes count equally
    params : further arguments of `fit` of the estimator, beside rows and weights
    sampler_params : the same for the generator
    """

    estimator: BaseEstimator
    sampler: BaseEstimator | None
    ratio: float
    relative_weight: float
    classes: np.ndarray | None
    balanced: bool
    params: dict[str, Any] = field(default_factory=dict)
    sampler_params: dict[str, Any] = field(default_factory=dict)

    @property
    def takes_weights(self) -> bool:
        """Whether the estimator is given weights."""
        return weight_name(self.estimator) is not None

    def fit(self, rows: Rows, n_real: int | None = None) -> BaseEstimator:
        """A fitted clone of the estimator, on rows of which `n_real` are real, by default all."""
        fitted = clone(self.estimator)
        if n_real is not None:
            keep_early_stopping_off(fitted, n_real)
        return fit_with_weights(fitted, rows.X, rows.y, rows.weight, self.params)

    def fit_augmented(self, rows: Rows, random_state: np.random.RandomState) -> BaseEstimator:
        """A clone fitted on `rows` and synthetic ones."""
        return self.fit(self.joined(rows, self.synthetic(rows.with_weight(), random_state)), len(rows.y))

    def target_weight(self, rows: Rows) -> np.ndarray | None:
        """Weights (n,) by which targets are sampled and held-out rows count; None for equal ones."""
        return equal_class_weights(rows) if self.balanced else rows.weight

    def synthetic(self, rows: Rows, random_state: np.random.RandomState) -> Rows:
        """Rows of a generator that learnt `rows`, with targets by what it predicts."""
        sampler = fit_sampler(
            self.sampler,
            rows.X,
            rows.y,
            random_state,
            target_type="number" if self.classes is None else "class",
            weight=rows.weight,
            params=self.sampler_params,
        )
        wanted = self.wanted_targets(rows, random_state)
        new = Rows(sample_targets(sampler, wanted, random_state), wanted, None)
        if not hasattr(sampler, "predict_target"):
            return new
        if self.classes is None:
            means = sampler.predict_target(new.X, n_draws=MEAN_SAMPLES, random_state=new_seed(random_state))
            return Rows(new.X, means, None)
        return self.with_predicted_classes(new, rows, sampler)

    def wanted_targets(self, rows: Rows, random_state: np.random.RandomState) -> np.ndarray:
        """Targets (m,), m > 0, for synthetic rows; fewer where these cannot weigh less."""
        fewer = 1.0 if self.takes_weights else min(1.0, self.relative_weight)
        n_new = max(1, round(self.ratio * fewer * len(rows.y)))
        wanted = rows.y[systematic_sample(rows.y, self.target_weight(rows), n_new, random_state)]
        return wanted.astype(float) if self.classes is None else wanted

    def with_predicted_classes(self, new: Rows, rows: Rows, sampler: Any) -> Rows:
        """Synthetic rows of classes, after what the generator predicts given their columns.

        An estimator that takes weights gets a row once for each class that it may have. For others, rows whose columns
        make their class improbable are left out if classes are balanced; otherwise that would change the fractions of
        classes that overlap.
        """
        if self.takes_weights:
            return shared_rows(new, sampler.predict_target(new.X), rows, self.balanced)
        return likely_rows(new, sampler.predict_target(new.X), rows) if self.balanced else new

    def joined(self, rows: Rows, new: Rows) -> Rows:
        """Real rows followed by the synthetic ones."""
        X, y = stack(rows.X, new.X), np.concatenate([rows.y, new.y])
        if not self.takes_weights:
            return Rows(X, y, None)
        weight = rows.weights()
        return Rows(X, y, np.concatenate([weight, self.relative_weight * weight[weight > 0].mean() * new.weights()]))

    def least_gain(self, error: float) -> float:
        """What a gain of a standard error must exceed for synthetic rows to be used."""
        return 0.0 if self.balanced or self.classes is None else error

    def losses(self, fitted: Any, rows: Rows) -> np.ndarray:
        """(n,) loss of a fitted clone at each row."""
        return error_losses(fitted, rows) if self.balanced else row_losses(fitted, rows, self.classes)


def keep_early_stopping_off(estimator: BaseEstimator, n_real: int) -> None:
    """Set early_stopping=False where only synthetic rows would switch "auto" on.

    Boosting would then be stopped by a loss on rows that are mostly synthetic.
    """
    if n_real > MOST_ROWS_WITHOUT_STOPPING:
        return
    parts = {"": estimator, **{f"{name}__": part for name, part in estimator.get_params().items()}}
    for prefix, part in parts.items():
        if isinstance(part, HISTOGRAM_BOOSTING) and is_auto(part.early_stopping):
            estimator.set_params(**{f"{prefix}early_stopping": False})


# --- synthetic rows and their classes


def equal_class_weights(rows: Rows) -> np.ndarray:
    """Weights (n,) of which each class has the sum 1."""
    weight, index = rows.weights(), rows.class_indices()
    return weight / np.bincount(index, weight)[index]


def class_weights(rows: Rows) -> np.ndarray:
    """(n_classes,) the sum of the weights of each class."""
    return np.bincount(rows.class_indices(), rows.weight)


def shared_rows(new: Rows, probability: np.ndarray, rows: Rows, balanced: bool) -> Rows:
    """Synthetic rows, each once for every class that it may have, by weights whose sum is 1 or little less.

    Half of the weight of a row goes to the class it was sampled for, half to the classes by their probabilities
    (m, n_classes) given its columns, of a generator that learnt `rows`; `balanced` if as many were sampled of each
    class.
    """
    classes = np.unique(rows.y)
    probability = with_equal_classes(probability, class_weights(rows)) if balanced else probability
    sampled = new.y[:, None] == classes
    weight = 0.5 * (sampled + probability)
    row, label = np.nonzero(weight > LEAST_FRACTION)
    return Rows(take(new.X, row), classes[label], weight[row, label])


def likely_rows(new: Rows, probability: np.ndarray, rows: Rows) -> Rows:
    """Synthetic rows, of balanced classes, whose class is no less probable given their columns than without them.

    `probability` (m, n_classes) is that of the classes given the columns, of a generator that learnt `rows`. If the
    generator samples by the same distribution, every class keeps rows: the mean of the logarithm of the ratio of both
    probabilities is a Kullback-Leibler divergence, which is at least 0.
    """
    classes = np.unique(rows.y)
    of_sampled = with_equal_classes(probability, class_weights(rows))[new.y[:, None] == classes]
    return new.some(np.flatnonzero(of_sampled >= 1 / len(classes)))


def systematic_sample(
    y: np.ndarray, weight: np.ndarray | None, n_samples: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Indices (n_samples,) of rows: each about as often as its fraction of the weight says, by less than one.

    Systematic sampling (Madow & Madow 1944) in the order of y: so does every class and every range of numbers.
    """
    order = np.lexsort((random_state.uniform(size=len(y)), y))
    ends = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
    at = (np.arange(n_samples) + random_state.uniform()) / n_samples * ends[-1]
    return order[indices_at(ends, at)]


# --- folds, gains, losses


def check_folds(cv: Any) -> None:
    """Raise unless cv is an integer above 1, a splitter or an iterable of pairs."""
    if isinstance(cv, Real):
        check_integer(cv, "cv", 2)
    elif isinstance(cv, str) or not (hasattr(cv, "split") or hasattr(cv, "__iter__")):
        raise TypeError(f"cv must be an integer, a splitter or an iterable of pairs of indices, got {cv!r}.")


def shuffled_folds(
    n_folds: int, y: np.ndarray, is_classifier: bool, random_state: np.random.RandomState
) -> KFold | StratifiedKFold:
    """A splitter into shuffled folds, stratified for classes; no more folds than these have rows."""
    n_rows = np.unique(y, return_counts=True)[1].max() if is_classifier else len(y)
    if is_classifier and n_rows > 1:
        return StratifiedKFold(min(n_folds, n_rows), shuffle=True, random_state=random_state)
    return KFold(min(n_folds, len(y)), shuffle=True, random_state=random_state)


def split_rows(
    cv: Any, rows: Rows, is_classifier: bool, random_state: np.random.RandomState
) -> list[tuple[Rows, Rows]]:
    """Pairs of training rows and held-out rows, these of some weight: by shuffled folds, or by what cv yields."""
    if isinstance(cv, Integral):
        cv = shuffled_folds(int(cv), rows.y, is_classifier, random_state)
    indices: Iterable[tuple[np.ndarray, np.ndarray]] = check_cv(cv, rows.y, classifier=is_classifier).split(
        rows.X, rows.y
    )
    pairs = [(rows.some(train), rows.some(held_out).with_weight()) for train, held_out in indices]
    return [(train, held_out) for train, held_out in pairs if len(held_out.y)]


def measure_gain(recipe: Recipe, rows: Rows, cv: Any, random_state: np.random.RandomState) -> tuple[float, float]:
    """The gain by synthetic rows on held-out rows and its standard error; (0, inf) if nothing can be compared."""
    pairs = split_rows(cv, rows, recipe.classes is not None, random_state)
    if any(len(np.unique(train.with_weight().y)) < 2 for train, _ in pairs):
        return 0.0, np.inf
    try:
        plain = [recipe.losses(recipe.fit(train), held_out) for train, held_out in pairs]
    except ValueError as error:
        warn_user(
            f"No synthetic rows are used: on a fold of cv={cv!r} the wrapped estimator fails without them, so that "
            f"the gate has nothing to compare with. Set gate=False to use them unmeasured. The error is: {error}",
        )
        return 0.0, np.inf
    augmented = [recipe.losses(recipe.fit_augmented(train, random_state), held_out) for train, held_out in pairs]
    gains = np.concatenate(plain) - np.concatenate(augmented)
    weight = None if rows.weight is None else np.concatenate([held_out.weight for _, held_out in pairs])
    held_out_rows = Rows(None, np.concatenate([held_out.y for _, held_out in pairs]), weight)
    gains = gains / variance(rows) if recipe.classes is None else gains
    return mean_and_error(gains, recipe.target_weight(held_out_rows))


def variance(rows: Rows) -> float:
    """The weighted variance of the targets."""
    mean = np.average(rows.y, weights=rows.weight)
    return np.average((rows.y - mean) ** 2, weights=rows.weight)


def mean_and_error(values: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
    """Weighted mean of values (n,) and its standard error."""
    weight = np.ones(len(values)) if weight is None else weight
    fraction = weight / weight.sum()
    mean = fraction @ values
    return float(mean), float(np.sqrt(fraction**2 @ (values - mean) ** 2))


def error_losses(fitted: Any, rows: Rows) -> np.ndarray:
    """(n,) 1 where the predicted class is wrong, else 0."""
    return (fitted.predict(rows.X) != rows.y).astype(float)


def row_losses(fitted: Any, rows: Rows, classes: np.ndarray | None) -> np.ndarray:
    """(n,) loss at each row: squared error; for classes half of the Brier score, 0 or 1 without probabilities."""
    if classes is None:
        return (rows.y - fitted.predict(rows.X)) ** 2
    if not hasattr(fitted, "predict_proba"):
        return error_losses(fitted, rows)
    probability = np.zeros((len(rows.y), len(classes)))
    probability[:, np.searchsorted(classes, fitted.classes_)] = fitted.predict_proba(rows.X)
    return 0.5 * ((probability - (rows.y[:, None] == classes)) ** 2).sum(axis=1)
