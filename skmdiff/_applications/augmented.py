"""`AugmentedClassifier` and `AugmentedRegressor`: an estimator fitted on real rows and synthetic ones; see `_gate`."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin
from sklearn.utils import check_scalar, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .._numerics.checks import accepts_missing, check_option, check_real, is_auto, random_stream, tags_of
from .._numerics.weights import check_weight
from .._table.frames import is_frame
from .._table.target import read_target
from .gate import Recipe, Rows, measure_gain
from .routing import WAY_OUT, is_routing_enabled, weight_name
from .synthetic import check_sampler, default_sampler

# synthetic rows over real ones: at least, and for classes in small tables, where more rows gain more
LEAST_SHARE, MOST_SHARE = 3.0, 10.0
# as many synthetic rows as are still cheap to fit
CHEAP_ROWS = 10_000
MIN_ROWS = 4


def check_folds(cv):
    """Raise unless cv is an integer above 1, a splitter or an iterable of pairs."""
    if isinstance(cv, Real):
        check_scalar(cv, "cv", Integral, min_val=2)
    elif isinstance(cv, str) or not (hasattr(cv, "split") or hasattr(cv, "__iter__")):
        raise TypeError(f"cv must be an integer, a splitter or an iterable of pairs of rows, got {cv!r}.")


def delegates(method):
    """Whether the wrapped estimator has a method; for `available_if`."""

    def check(augmented):
        getattr(getattr(augmented, "estimator_", augmented.estimator), method)
        return True

    return check


class _Augmented(MetaEstimatorMixin, BaseEstimator):
    """What both have in common."""

    def __init__(self, estimator, sampler, *, n_synthetic, synthetic_weight, gate, cv, random_state):
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
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights of the rows. The targets of synthetic rows are drawn by weight, and their columns, given the target,
            from a generator that learnt the rows by weight where its `fit` takes `sample_weight`; rows of weight 0 are
            shown to none. Held-out rows count by weight.
        **fit_params : dict
            Passed to `fit` of the wrapped estimator as they are, as `eval_set` for its early stopping; nothing with one
            entry a row. With metadata routing, passed to the wrapped estimator and to the generator as they request.

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
        share = self._auto_share(len(rows.seen().y)) if is_auto(self.n_synthetic) else self.n_synthetic
        recipe = Recipe(
            self.estimator,
            self.sampler,
            share,
            self.synthetic_weight,
            self._classes(rows.y),
            self._is_balanced(),
            *self._route(sample_weight, fit_params),
        )
        self.augmentation_gain_, self.augmentation_error_ = np.nan, np.nan
        self.augmented_ = self._decide(recipe, rows, random_state)
        self.estimator_ = recipe.fit_augmented(rows, random_state) if self.augmented_ else recipe.fit(rows)
        return self

    def get_metadata_routing(self):
        """Routing of metadata: `fit` takes `sample_weight` and passes metadata to `fit` of estimator and sampler.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        sampler = default_sampler() if self.sampler is None else self.sampler
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, sampler=sampler, method_mapping=mapping)

    def _route(self, sample_weight, fit_params):
        """Further arguments of `fit` for the estimator and for the generator; the gate cuts weights to folds itself."""
        if not is_routing_enabled():
            return fit_params, {}
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        routed = process_routing(self, "fit", **weights, **fit_params)
        return tuple(
            {name: value for name, value in routed[part].fit.items() if name not in weights}
            for part in ("estimator", "sampler")
        )

    def _decide(self, recipe, rows, random_state):
        """Whether to take synthetic rows."""
        seen = rows.seen()
        if len(seen.y) < MIN_ROWS or len(np.unique(seen.y)) < 2:
            return False
        if not self.gate:
            return True
        self.augmentation_gain_, self.augmentation_error_ = measure_gain(recipe, rows, self.cv, random_state)
        return self.augmentation_gain_ > recipe.least_gain(self.augmentation_error_)

    def _check_parameters(self, sample_weight):
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
                "sample_weight must be None where fit of the wrapped estimator does not name it, got weights for "
                f"{type(self.estimator).__name__}. If parts of it take weights, {WAY_OUT}."
            )

    def _check_estimator(self):
        fits = not isinstance(self.estimator, type) and hasattr(self.estimator, "fit")
        if not fits or not hasattr(self.estimator, "predict"):
            raise TypeError(f"estimator must be an estimator with fit and predict, got {self.estimator!r}.")
        wanted, tags = get_tags(self).estimator_type, tags_of(self.estimator)
        if tags is not None and {wanted, tags.estimator_type} == {"classifier", "regressor"}:
            raise TypeError(f"estimator must be a {wanted}, got the {tags.estimator_type} {self.estimator!r}.")

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
        """Tags: dense tables, one target; kinds of classes as the wrapped estimator takes them, gaps as both parts."""
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
    """A classifier fitted on real rows and on synthetic ones, where these gain.

    A generator of rows learns the training rows, all classes together, and draws rows of each class. Before they are
    taken, the gate asks whether they help: on folds of the training rows, none of which the generator of that fold saw,
    the classifier is compared with and without them. If not, the result is the plain classifier.

    Parameters
    ----------
    estimator : classifier
        It is cloned. Rows come to it weighted where its `fit` names `sample_weight`, or that of the last step of a
        Pipeline does; with metadata routing enabled, where it requests `sample_weight`, by which a vote or a stack gets
        weights too. Its own settings hold for real and synthetic rows alike:
        ``class_weight="balanced"`` evens both together, and what it holds out to stop early are both; give `eval_set`
        and the like to `fit` to stop by other rows. Only real rows are counted for ``early_stopping="auto"``.
    sampler : estimator or None, default=None
        Generator with ``fit(X, y)`` and ``sample(n_samples, y=, random_state=)``; it is cloned. None is
        ``ManifoldDiffusionSampler()``. Where it has ``predict_target(X)``, as that one, it also judges its rows. If
        the classifier takes weights, a row comes once for every class that it may be of: half of its weight goes to the
        class it was drawn for, half to the classes by their probabilities given its columns. If not, rows of
        "balanced" classes are left out whose columns speak against their class.
    n_synthetic : float or "auto", default="auto"
        Synthetic rows over real ones; "auto" is 10, beyond 1000 rows as many fewer, down to 3.
    synthetic_weight : float, default=0.2
        Weight of a synthetic row over the mean weight of real ones. Where the estimator takes no weights, as many
        fewer rows are drawn instead.
    class_shares : {"balanced", "data"}, default="balanced"
        Classes of the synthetic rows. "balanced" draws as many of each: for balanced accuracy and rare classes, at the
        cost of probabilities that lean to these. "data" keeps the shares of the training rows, and with them what
        `predict_proba` means.
    gate : bool, default=True
        Whether to take synthetic rows only if the classifier gains by them on held-out rows, with class_shares="data"
        by more than the gain's standard error; if False they are always taken.
    cv : int, splitter or iterable, default=5
        Folds by which the gain is measured, even over classes, or pairs of training and held-out rows as in
        scikit-learn; the generator is fitted once for each, and once for all rows. For rows in groups give the pairs:
        ``list(GroupKFold().split(X, y, groups))``.
    random_state : int, RandomState or None, default=None
        Seeds the folds, the draws, and the generator where it has no seed of its own; not the classifier.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.
    augmented_ : bool
        Whether synthetic rows were taken: never for fewer than four rows or one class.
    augmentation_gain_ : float
        The gain by synthetic rows on held-out rows, NaN if not measured: of balanced accuracy, or with
        class_shares="data" the fall of half the Brier score, of the error rate without `predict_proba`.
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
        estimator,
        sampler=None,
        *,
        n_synthetic="auto",
        synthetic_weight=0.2,
        class_shares="balanced",
        gate=True,
        cv=5,
        random_state=None,
    ):
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

    def _is_balanced(self):
        return check_option(self.class_shares, "class_shares", {"balanced", "data"}) == "balanced"

    def _auto_share(self, n_rows):
        return float(np.clip(CHEAP_ROWS / n_rows, LEAST_SHARE, MOST_SHARE))

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
    are drawn for targets spread as those of the training rows are. Where the generator has
    ``predict_target(X, n_draws=, random_state=)``, as `ManifoldDiffusionSampler`, their targets are then the means
    given their columns.

    Parameters
    ----------
    estimator : regressor
        See `AugmentedClassifier`, and there for the other parameters.
    sampler : estimator or None, default=None
    n_synthetic : float or "auto", default="auto"
        "auto" is 3.
    synthetic_weight : float, default=1.0
        More than that of a classifier, for means have no noise.
    gate : bool, default=True
        Whether to take synthetic rows only if the regressor gains by them on held-out rows.
    cv : int, splitter or iterable, default=5
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

    def __init__(
        self, estimator, sampler=None, *, n_synthetic="auto", synthetic_weight=1.0, gate=True, cv=5, random_state=None
    ):
        super().__init__(
            estimator,
            sampler,
            n_synthetic=n_synthetic,
            synthetic_weight=synthetic_weight,
            gate=gate,
            cv=cv,
            random_state=random_state,
        )

    def _read(self, y, n_rows):
        y = super()._read(y, n_rows)
        try:
            return y if y.dtype.kind in "iuf" else y.astype(float)
        except ValueError as error:
            raise ValueError(f"y must hold numbers for a regressor, got {y.tolist()[0]!r}.") from error

    def _is_balanced(self):
        return False

    def _auto_share(self, n_rows):
        return LEAST_SHARE

    def _classes(self, y):
        return None
