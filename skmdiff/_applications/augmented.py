"""`AugmentedClassifier` and `AugmentedRegressor`: an estimator fitted on real and synthetic rows.

Whether synthetic rows are used is decided by cross-validation on the training rows, see `gate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .._numerics.checks import accepts_missing, check_option, check_real, check_rows, is_auto, random_stream, tags_of
from .._numerics.weights import check_weight
from .._table.checks import check_columns
from .._table.target import read_target
from .gate import Recipe, Rows, check_folds, measure_gain
from .routing import WAY_OUT, is_routing_enabled, route_to_parts, weight_name
from .synthetic import check_sampler, default_sampler

# number of synthetic rows over that of real ones: the least and, for classes in small tables, the most
LEAST_RATIO, MOST_RATIO = 3.0, 10.0
CHEAP_ROWS = 10_000  # synthetic rows in all, beyond which the ratio falls to the least
MIN_ROWS = 4  # with fewer nothing can be compared


def delegates(method: str) -> Callable[[Any], bool]:
    """Whether the wrapped estimator has a method; for `available_if`."""

    def check(augmented: Any) -> bool:
        getattr(getattr(augmented, "estimator_", augmented.estimator), method)
        return True

    return check


class _Augmented(MetaEstimatorMixin, BaseEstimator):
    """What both have in common."""

    def __init__(
        self,
        estimator: Any,
        sampler: Any,
        *,
        n_synthetic: Any,
        synthetic_weight: Any,
        gate: Any,
        cv: Any,
        random_state: Any,
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.n_synthetic = n_synthetic
        self.synthetic_weight = synthetic_weight
        self.gate = gate
        self.cv = cv
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> _Augmented:
        """Fit the wrapped estimator, with synthetic rows if they help.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights of the rows. The targets of synthetic rows are sampled by weight; their columns, given the target,
            come from a generator that is fitted with the weights if its `fit` takes `sample_weight`. The generator
            never sees rows of weight 0. Held-out rows count by weight. With metadata routing enabled, weights reach the
            wrapped estimator and the generator only if these request them; the default generator does.
        **fit_params : dict
            Passed to `fit` of the wrapped estimator as they are, such as `eval_set` for its early stopping; none may
            have one entry per row. With metadata routing enabled, passed to the wrapped estimator and to the generator
            as these request.

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
        X = check_columns(self, X, reset=True)
        rows = Rows(X, self._read(y, len(X)), check_weight(sample_weight, len(X)))
        recipe = self._recipe(rows, *route_to_parts(self, sample_weight, fit_params))
        self.augmentation_gain_, self.augmentation_error_ = np.nan, np.nan
        self.augmented_ = self._decide(recipe, rows, random_state)
        self.estimator_ = recipe.fit_augmented(rows, random_state) if self.augmented_ else recipe.fit(rows)
        return self

    def _recipe(self, rows: Rows, params: dict[str, Any], sampler_params: dict[str, Any]) -> Recipe:
        """The fit that the parameters describe."""
        n_rows = len(rows.with_weight().y)
        ratio = self._auto_ratio(n_rows) if is_auto(self.n_synthetic) else self.n_synthetic
        check_rows(max(1, round(ratio * n_rows)), "n_synthetic times the rows of the table", rows.X.shape[1])
        return Recipe(
            self.estimator,
            self.sampler,
            ratio,
            self.synthetic_weight,
            self._classes(rows.y),
            self._is_balanced(),
            params,
            sampler_params,
        )

    def get_metadata_routing(self) -> MetadataRouter:
        """Routing of metadata: `fit` uses `sample_weight` and passes metadata to `fit` of estimator and sampler.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        sampler = default_sampler() if self.sampler is None else self.sampler
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, sampler=sampler, method_mapping=mapping)

    def _decide(self, recipe: Recipe, rows: Rows, random_state: np.random.RandomState) -> bool:
        """Whether to use synthetic rows."""
        with_weight = rows.with_weight()
        if len(with_weight.y) < MIN_ROWS or len(np.unique(with_weight.y)) < 2:
            return False
        if not self.gate:
            return True
        self.augmentation_gain_, self.augmentation_error_ = measure_gain(recipe, rows, self.cv, random_state)
        return self.augmentation_gain_ > recipe.least_gain(self.augmentation_error_)

    def _check_parameters(self, sample_weight: Any) -> None:
        """Raise at the first parameter that breaks its rule."""
        self._check_estimator()
        check_sampler(self.sampler)
        if not is_auto(self.n_synthetic):
            check_real(self.n_synthetic, "n_synthetic")
        check_real(self.synthetic_weight, "synthetic_weight")
        check_folds(self.cv)
        if not isinstance(self.gate, bool | np.bool_):
            raise TypeError(f"gate must be True or False, got {self.gate!r}.")
        if sample_weight is not None and not is_routing_enabled() and weight_name(self.estimator) is None:
            raise TypeError(
                "sample_weight must be None if fit of the wrapped estimator has no parameter sample_weight, got "
                f"weights for {type(self.estimator).__name__}. If parts of it take weights, {WAY_OUT}."
            )

    def _check_estimator(self) -> None:
        fits = not isinstance(self.estimator, type) and hasattr(self.estimator, "fit")
        if not fits or not hasattr(self.estimator, "predict"):
            raise TypeError(f"estimator must be an estimator with fit and predict, got {self.estimator!r}.")
        wanted, tags = get_tags(self).estimator_type, tags_of(self.estimator)
        if tags is not None and {wanted, tags.estimator_type} == {"classifier", "regressor"}:
            raise TypeError(f"estimator must be a {wanted}, got the {tags.estimator_type} {self.estimator!r}.")

    def _read(self, y: Any, n_rows: int) -> np.ndarray:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        return read_target(y, n_rows)

    def predict(self, X: Any) -> np.ndarray:
        """Predict by the wrapped estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._call("predict", X)

    def _call(self, method: str, X: Any) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(check_columns(self, X, reset=False))

    def __sklearn_tags__(self) -> Any:
        """Tags: classes as the wrapped estimator takes them; missing cells if it and the generator allow them."""
        tags = super().__sklearn_tags__()
        wrapped = None if isinstance(self.estimator, type) else tags_of(self.estimator)
        if wrapped is None:
            return tags
        tags.input_tags.allow_nan = wrapped.input_tags.allow_nan and (
            self.sampler is None or accepts_missing(self.sampler)
        )
        if tags.classifier_tags is not None:
            tags.classifier_tags = wrapped.classifier_tags or tags.classifier_tags
        return tags


class AugmentedClassifier(ClassifierMixin, _Augmented):
    """A classifier fitted on real and synthetic rows, if the synthetic ones help.

    A generator of rows learns the training rows, all classes together, and samples rows of each class. Before these are
    used, the gate measures by cross-validation whether they help: on each fold the classifier is fitted with and
    without synthetic rows, which come from a generator that never saw the held-out rows. If they do not help, the
    result is the plain classifier.

    Parameters
    ----------
    estimator : classifier
        It is cloned. It is given weights if its `fit` has a parameter `sample_weight`, or that of the last step of a
        Pipeline has; with metadata routing enabled, if it requests `sample_weight`, which is the way for votes and
        stacks. Its parameters apply to real and synthetic rows together: ``class_weight="balanced"`` evens the classes
        of both, and rows that it holds out for early stopping are of both; pass `eval_set` or the like to `fit` to stop
        by other rows. For ``early_stopping="auto"`` only real rows are counted.
    sampler : estimator or None, default=None
        Generator with ``fit(X, y)`` and ``sample(n_samples, y=, random_state=)``; it is cloned. None is
        ``ManifoldDiffusionSampler()``. A parameter `target_type` of it is set to "class". Where it has
        ``predict_target(X)``, as that one, which returns probabilities of the sorted classes, these weigh the synthetic
        rows. If the classifier takes weights, a synthetic row is given to it once for every class that it may have:
        half of its weight goes to the class it was sampled for, half to the classes by their probabilities given its
        columns. If not, with "balanced" classes, synthetic rows are left out whose class is less probable given the
        columns than one class out of n_classes.
    n_synthetic : float or "auto", default="auto"
        Number of synthetic rows over that of real ones. "auto" is 10 up to 1000 rows; beyond, it is 10 000 synthetic
        rows in all, and 3 at least.
    synthetic_weight : float, default=0.2
        Weight of a synthetic row over the mean weight of real ones. If the estimator takes no weights, there are fewer
        synthetic rows instead, by this factor.
    class_shares : {"balanced", "data"}, default="balanced"
        Classes of the synthetic rows. "balanced" samples as many of each class: for balanced accuracy and rare classes,
        at the cost of probabilities that are too high for rare classes. "data" keeps the fractions of the training
        rows, and with them the meaning of `predict_proba`.
    gate : bool, default=True
        Whether to use synthetic rows only if the classifier gains by them on held-out rows, with class_shares="data"
        by more than the standard error of the gain; if False they are always used.
    cv : int, splitter or iterable, default=5
        Folds by which the gain is measured: a number of shuffled stratified folds, no more than rows of the commonest
        class, or a splitter or pairs of training and held-out indices as in scikit-learn. The generator is fitted once
        for each fold, and once for all rows. For rows in groups give the pairs:
        ``list(GroupKFold().split(X, y, groups))``.
    random_state : int, RandomState or None, default=None
        Seeds the folds, the sampling, and the generator where its `random_state` is None; not the classifier.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.
    augmented_ : bool
        Whether synthetic rows were used: never for fewer than four rows or one class.
    augmentation_gain_ : float
        The gain by synthetic rows on held-out rows, NaN if not measured. It is the rise of balanced accuracy; with
        class_shares="data" the fall of half of the Brier score, or of the error rate without `predict_proba`.
    augmentation_error_ : float
        Its standard error.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where all are strings.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmdiff import AugmentedClassifier, ManifoldDiffusionSampler
    >>> X, y = load_iris(return_X_y=True)
    >>> quick = ManifoldDiffusionSampler(max_iter=20)
    >>> model = AugmentedClassifier(GaussianNB(), quick, cv=2, random_state=0).fit(X[::5], y[::5])
    >>> model.augmented_ == (model.augmentation_gain_ > 0)
    True
    >>> model.predict(X[:1]).tolist()
    [0]
    """

    def __init__(
        self,
        estimator: Any,
        sampler: Any = None,
        *,
        n_synthetic: Any = "auto",
        synthetic_weight: Any = 0.2,
        class_shares: Any = "balanced",
        gate: Any = True,
        cv: Any = 5,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            sampler,
            n_synthetic=n_synthetic,
            synthetic_weight=synthetic_weight,
            gate=gate,
            cv=cv,
            random_state=random_state,
        )
        self.class_shares = class_shares

    def _is_balanced(self) -> bool:
        return check_option(self.class_shares, "class_shares", {"balanced", "data"}) == "balanced"

    def _auto_ratio(self, n_rows: int) -> float:
        return float(np.clip(CHEAP_ROWS / n_rows, LEAST_RATIO, MOST_RATIO))

    def _classes(self, y: np.ndarray) -> np.ndarray:
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        return self.classes_

    @available_if(delegates("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes by the wrapped estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._call("predict_proba", X)

    @available_if(delegates("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> np.ndarray:
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
    def decision_function(self, X: Any) -> np.ndarray:
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
    """A regressor fitted on real and synthetic rows, if the synthetic ones help.

    As `AugmentedClassifier`: synthetic rows come from a generator that learnt the training rows with their target, for
    targets distributed as those of the training rows.

    Parameters
    ----------
    estimator : regressor
        It is cloned; see `AugmentedClassifier` for how it is given weights.
    sampler : estimator or None, default=None
        Generator with ``fit(X, y)`` and ``sample(n_samples, y=, random_state=)``; it is cloned. None is
        ``ManifoldDiffusionSampler()``. A parameter `target_type` of it is set to "number", and targets are floats.
        Where it has ``predict_target(X, n_draws=, random_state=)``, as that one, the targets of synthetic rows are the
        means that it predicts given their columns.
    n_synthetic : float or "auto", default="auto"
        Number of synthetic rows over that of real ones; "auto" is 3.
    synthetic_weight : float, default=1.0
        Weight of a synthetic row over the mean weight of real ones. It is larger than for a classifier because the
        predicted means that synthetic rows have for targets are less noisy than real targets.
    gate : bool, default=True
        Whether to use synthetic rows only if the regressor gains by them on held-out rows; if False they are always
        used.
    cv : int, splitter or iterable, default=5
        Folds by which the gain is measured: a number of shuffled folds, no more than rows, or a splitter or pairs of
        training and held-out indices as in scikit-learn.
    random_state : int, RandomState or None, default=None
        Seeds the folds, the sampling, and the generator where its `random_state` is None; not the regressor.

    Attributes
    ----------
    estimator_ : regressor
        The fitted clone.
    augmented_ : bool
        Whether synthetic rows were used: never for fewer than four rows or one target.
    augmentation_gain_ : float
        The gain of R2 by synthetic rows: by how much they lower the mean squared error on held-out rows, over the
        variance of y. NaN if not measured.
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

    def __init__(
        self,
        estimator: Any,
        sampler: Any = None,
        *,
        n_synthetic: Any = "auto",
        synthetic_weight: Any = 1.0,
        gate: Any = True,
        cv: Any = 5,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            sampler,
            n_synthetic=n_synthetic,
            synthetic_weight=synthetic_weight,
            gate=gate,
            cv=cv,
            random_state=random_state,
        )

    def _read(self, y: Any, n_rows: int) -> np.ndarray:
        y = super()._read(y, n_rows)
        try:
            return y if y.dtype.kind in "iuf" else y.astype(float)
        except ValueError as error:
            raise ValueError(f"y must hold numbers for a regressor, got {y.tolist()[0]!r}.") from error

    def _is_balanced(self) -> bool:
        return False

    def _auto_ratio(self, n_rows: int) -> float:
        return LEAST_RATIO

    def _classes(self, y: np.ndarray) -> None:
        return None
