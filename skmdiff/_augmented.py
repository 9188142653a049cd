"""`AugmentedClassifier` and `AugmentedRegressor`: an estimator fitted on real rows and synthetic ones.

The gate: the rows are cut in folds; on each, two copies of the estimator are compared, one fitted on the other folds,
one on these and on rows of a generator that learnt these. With l_i the loss of the first less that of the second at the
held-out row i, weighted as the row is, the gain is the mean of l_i and its standard error that of a mean. Synthetic
rows are kept where the gain exceeds its standard error.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_scalar, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, has_fit_parameter, validate_data

from ._checks import is_auto, is_frame
from ._parameters import check_real, random_stream
from ._synthetic import NumberCode, check_sampler, draw, fit_sampler, stack, take
from ._target import read_target

AUTO_SHARE = 1.0
MIN_ROWS = 4


@dataclass(frozen=True)
class Rows:
    """A table X with targets y (n,) and weights (n,), or None for rows that weigh the same."""

    X: object
    y: np.ndarray
    weight: np.ndarray | None

    def some(self, rows):
        """The same of some rows."""
        return Rows(take(self.X, rows), take(self.y, rows), take(self.weight, rows))

    def seen(self):
        """Rows that weigh something."""
        return self if self.weight is None else self.some(np.flatnonzero(self.weight > 0))


@dataclass(frozen=True)
class Recipe:
    """How an augmented fit is done.

    share : synthetic rows over real ones; relative_weight : weight of a synthetic row over the mean one of real rows
    classes : (n_classes,) or None for numbers
    params : what `fit` of the estimator is given beside rows and weights
    """

    estimator: object
    sampler: object
    share: float
    relative_weight: float
    classes: np.ndarray | None
    params: dict

    def fit(self, rows):
        """A fitted clone of the estimator."""
        name = weight_name(self.estimator)
        weights = {} if rows.weight is None else {name: rows.weight}
        return clone(self.estimator).fit(rows.X, rows.y, **weights, **self.params)

    def synthetic(self, rows, random_state):
        """Rows of a generator that learnt `rows`, with its targets in their shares; at least one."""
        code = np.asarray if self.classes is not None else NumberCode.of(rows.y)
        sampler = fit_sampler(self.sampler, rows.X, code(rows.y), random_state)
        fewer = 1.0 if weight_name(self.estimator) else min(1.0, self.relative_weight)
        n_new = max(1, round(self.share * fewer * len(rows.y)))
        wanted = rows.y[spread_draw(rows.y, rows.weight, n_new, random_state)]
        return Rows(draw(sampler, code(wanted), random_state), wanted, None)

    def joined(self, rows, new):
        """Real rows with the synthetic ones behind them."""
        X, y = stack(rows.X, new.X), np.concatenate([rows.y, new.y])
        if weight_name(self.estimator) is None:
            return Rows(X, y, None)
        weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
        return Rows(X, y, np.concatenate([weight, np.full(len(new.y), self.relative_weight * weight.mean())]))

    def fit_augmented(self, rows, random_state):
        """A clone fitted on `rows` and synthetic ones."""
        return self.fit(self.joined(rows, self.synthetic(rows.seen(), random_state)))


def weight_name(estimator):
    """The argument of `fit` by which an estimator, or the last step of a Pipeline, takes weights; None if it does not.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_name(make_pipeline(LogisticRegression())), weight_name(KNeighborsClassifier())
    ('logisticregression__sample_weight', None)
    """
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = weight_name(last)
        return None if inner is None else f"{name}__{inner}"
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None


def spread_draw(y, weight, n_draws, random_state):
    """Places of n_draws rows, each row in its share of the weight up to one draw: systematic, in the order of y."""
    order = np.lexsort((random_state.uniform(size=len(y)), y))
    ends = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
    at = (np.arange(n_draws) + random_state.uniform()) / n_draws * ends[-1]
    return order[np.minimum(np.searchsorted(ends, at, side="right"), len(y) - 1)]


def make_folds(y, n_folds, random_state):
    """(n,) the fold of each row: as even as can be over folds, over classes and over the range of numbers."""
    folds = np.empty(len(y), dtype=int)
    folds[np.lexsort((random_state.uniform(size=len(y)), y))] = np.arange(len(y)) % n_folds
    return folds


def measure_gain(recipe, rows, n_folds, random_state):
    """The gain by synthetic rows on rows held out, and its standard error; (0, inf) where nothing can be compared."""
    folds = make_folds(rows.y, min(n_folds, len(rows.y)), random_state)
    if any(len(np.unique(rows.y[folds != fold])) < 2 for fold in np.unique(folds)):
        return 0.0, np.inf
    gains = np.zeros(len(rows.y))
    for fold in np.unique(folds):
        train, held_out = rows.some(np.flatnonzero(folds != fold)), rows.some(np.flatnonzero(folds == fold))
        fitted = recipe.fit(train), recipe.fit_augmented(train, random_state)
        plain, augmented = (row_losses(estimator, held_out, recipe.classes) for estimator in fitted)
        gains[folds == fold] = plain - augmented
    scale = 1.0 if recipe.classes is not None else np.var(rows.y)
    return mean_and_error(gains / scale, rows.weight)


def mean_and_error(values, weight):
    """Weighted mean of values (n,) and its standard error."""
    weight = np.ones(len(values)) if weight is None else weight
    share = weight / weight.sum()
    mean = share @ values
    return float(mean), float(np.sqrt(share**2 @ (values - mean) ** 2))


def row_losses(fitted, rows, classes):
    """(n,) loss at each row: squared error; for classes half the Brier score, 0 or 1 without probabilities."""
    if classes is None:
        return (rows.y - fitted.predict(rows.X)) ** 2
    if not hasattr(fitted, "predict_proba"):
        return (fitted.predict(rows.X) != rows.y).astype(float)
    probability = np.zeros((len(rows.y), len(classes)))
    probability[:, np.searchsorted(classes, fitted.classes_)] = fitted.predict_proba(rows.X)
    return 0.5 * ((probability - (rows.y[:, None] == classes)) ** 2).sum(axis=1)


def check_weight(weight, n_rows):
    """Weights (n,) as floats; None for None."""
    if weight is None:
        return None
    weight = np.asarray(weight, dtype=float)
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar: sample_weight must have shape ({n_rows},), got "
                         f"shape {weight.shape}.")
    check_consistent_length(weight, np.empty(n_rows))
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError(f"sample_weight must be finite, >= 0 and not all zero, got {weight!r:.80}.")
    return weight


def delegates(method):
    """Whether the wrapped estimator has a method; for `available_if`."""
    def check(augmented):
        getattr(getattr(augmented, "estimator_", augmented.estimator), method)
        return True

    return check


class _Augmented(MetaEstimatorMixin, BaseEstimator):
    """What both have in common."""

    def __init__(self, estimator, sampler=None, *, n_synthetic="auto", synthetic_weight=0.5, gate=True, cv=5,
                 random_state=None):
        self.estimator = estimator
        self.sampler = sampler
        self.n_synthetic = n_synthetic
        self.synthetic_weight = synthetic_weight
        self.gate = gate
        self.cv = cv
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit the wrapped estimator, with synthetic rows where they gain.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Rows of weight 0 are not shown to the generator; the targets of synthetic rows are
            drawn by weight; held-out rows count by weight.
        **fit_params : dict
            Passed to `fit` of the wrapped estimator as they are, as `eval_set` for its early stopping; nothing with one
            entry a row.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For a table or a parameter that cannot be used; the message names it, the rule and the value.
        """
        self._check_parameters(sample_weight)
        random_state = random_stream(self.random_state)
        X = self._validate(X, reset=True)
        rows = Rows(X, self._read(y, len(X)), check_weight(sample_weight, len(X)))
        share = AUTO_SHARE if is_auto(self.n_synthetic) else self.n_synthetic
        recipe = Recipe(self.estimator, self.sampler, share, self.synthetic_weight, self._classes(rows.y), fit_params)
        self.augmentation_gain_, self.augmentation_error_ = np.nan, np.nan
        self.augmented_ = self._decide(recipe, rows, random_state)
        self.estimator_ = recipe.fit_augmented(rows, random_state) if self.augmented_ else recipe.fit(rows)
        return self

    def _decide(self, recipe, rows, random_state):
        """Whether to take synthetic rows."""
        seen = rows.seen()
        if len(seen.y) < MIN_ROWS or len(np.unique(seen.y)) < 2:
            return False
        if self.gate:
            self.augmentation_gain_, self.augmentation_error_ = measure_gain(recipe, seen, self.cv, random_state)
        return not self.gate or self.augmentation_gain_ > self.augmentation_error_

    def _check_parameters(self, sample_weight):
        if isinstance(self.estimator, type) or not hasattr(self.estimator, "fit"):
            raise TypeError(f"estimator must be an estimator with fit and predict, got {self.estimator!r}.")
        check_sampler(self.sampler)
        if not is_auto(self.n_synthetic):
            check_real(self.n_synthetic, "n_synthetic")
        check_real(self.synthetic_weight, "synthetic_weight")
        check_scalar(self.cv, "cv", Integral, min_val=2)
        if not isinstance(self.gate, bool | np.bool_):
            raise TypeError(f"gate must be True or False, got {self.gate!r}.")
        if sample_weight is not None and weight_name(self.estimator) is None:
            raise TypeError("sample_weight must be None where the wrapped estimator takes no weights, as "
                            f"{type(self.estimator).__name__}, got weights.")

    def _validate(self, X, reset):
        if is_frame(X):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        return validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)

    def _read(self, y, n_rows):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        return read_target(y, n_rows)

    def predict(self, X):
        """Predict by the wrapped estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._call("predict", X)

    def _call(self, method, X):
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(self._validate(X, reset=False))

    def __sklearn_tags__(self):
        """Tags: dense tables, one target; what kinds of classes the wrapped estimator takes."""
        tags = super().__sklearn_tags__()
        if tags.classifier_tags is not None and not isinstance(self.estimator, type):
            tags.classifier_tags = get_tags(self.estimator).classifier_tags or tags.classifier_tags
        return tags


class AugmentedClassifier(ClassifierMixin, _Augmented):
    """A classifier fitted on real rows and on synthetic ones, where these gain.

    A generator of rows learns the training rows, all classes together, and draws rows of each class in its share.
    Before they are taken, the gate asks whether they help: on folds of the training rows, none of which the generator
    of that fold saw, the classifier is compared with and without them. If not, the result is the plain classifier.

    Parameters
    ----------
    estimator : classifier
        It is cloned. Rows come to it weighted where its `fit` takes `sample_weight`, or that of the last step of a
        Pipeline. Its own settings hold for real and synthetic rows alike: `class_weight`, and early stopping on rows
        that it holds out itself, synthetic ones among them; give `eval_set` and the like to `fit` to stop by others.
    sampler : estimator or None, default=None
        Generator with ``fit(X, y)`` and ``sample(n_samples, y=, random_state=)``; it is cloned. None is
        ``ManifoldDiffusionSampler()``.
    n_synthetic : float or "auto", default="auto"
        Synthetic rows over real ones; "auto" is 1.0.
    synthetic_weight : float, default=0.5
        Weight of a synthetic row over the mean weight of real ones. Where the estimator takes no weights, as many
        fewer rows are drawn instead.
    gate : bool, default=True
        Whether to take synthetic rows only if the gain exceeds its standard error; if False they are always taken.
    cv : int, default=5
        Folds by which the gain is measured; the generator is fitted once for each, and once for all rows.
    random_state : int, RandomState or None, default=None
        Seeds the folds, the draws, and the generator where it has no seed of its own; not the classifier.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.
    augmented_ : bool
        Whether synthetic rows were taken: never for fewer than four rows or one class.
    augmentation_gain_ : float
        Mean fall, by synthetic rows, of half the Brier score on held-out rows, or of the error rate for a classifier
        without `predict_proba`; NaN if not measured.
    augmentation_error_ : float
        Its standard error.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where all are strings.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skmdiff import AugmentedClassifier, ManifoldDiffusionSampler
    >>> X, y = load_iris(return_X_y=True)
    >>> quick = ManifoldDiffusionSampler(max_iter=20)
    >>> model = AugmentedClassifier(LogisticRegression(max_iter=500), quick, cv=2, random_state=0).fit(X[::5], y[::5])
    >>> model.augmented_, model.predict(X[:1]).tolist()
    (False, [0])
    """

    def _classes(self, y):
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        return self.classes_

    @available_if(delegates("predict_proba"))
    def predict_proba(self, X):
        """Probabilities of the classes by the wrapped estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
        """
        return self._call("predict_proba", X)

    @available_if(delegates("predict_log_proba"))
    def predict_log_proba(self, X):
        """Logarithms of the probabilities, see `predict_proba`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
        """
        return self._call("predict_log_proba", X)

    @available_if(delegates("decision_function"))
    def decision_function(self, X):
        """Decision values of the wrapped estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._call("decision_function", X)


class AugmentedRegressor(RegressorMixin, _Augmented):
    """A regressor fitted on real rows and on synthetic ones, where these gain.

    As `AugmentedClassifier`: synthetic rows come from a generator that learnt the training rows with their target, and
    have targets spread as those of the training rows are.

    Parameters
    ----------
    estimator : regressor
        See `AugmentedClassifier`, and there for the other parameters.
    sampler : estimator or None, default=None
    n_synthetic : float or "auto", default="auto"
    synthetic_weight : float, default=0.5
    gate : bool, default=True
    cv : int, default=5
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    estimator_ : regressor
        The fitted clone.
    augmented_ : bool
        Whether synthetic rows were taken: never for fewer than four rows or one target.
    augmentation_gain_ : float
        Mean fall, by synthetic rows, of the squared error on held-out rows over the variance of y, a gain of R2; NaN if
        not measured.
    augmentation_error_ : float
        Its standard error.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where all are strings.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skmdiff import AugmentedRegressor, ManifoldDiffusionSampler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AugmentedRegressor(Ridge(), ManifoldDiffusionSampler(max_iter=20), gate=False, random_state=0)
    >>> model.fit(X[:50], y[:50]).augmented_
    True
    """

    def _read(self, y, n_rows):
        y = super()._read(y, n_rows)
        try:
            return y if y.dtype.kind in "iuf" else y.astype(float)
        except ValueError as error:
            raise ValueError(f"y must hold numbers for a regressor, got {y.tolist()[0]!r}.") from error

    def _classes(self, y):
        return None
