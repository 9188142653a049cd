"""`ManifoldDiffusionOverSampler`: a resampler as imbalanced-learn defines one, without needing that package.

Over-sampling evens the classes by new rows instead of copies, as SMOTE does (Chawla et al. 2002, "SMOTE: Synthetic
minority over-sampling technique"). For a numeric target the rare thing is a range of targets, weighted by a relevance
(Torgo et al. 2013, "SMOTE for regression").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.stats import gaussian_kde
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from .._numerics.checks import accepts_missing, check_option, check_real, check_rows, is_auto, random_stream
from .._table.cells import is_polars_column
from .._table.checks import check_table
from .._table.frames import is_frame
from .._table.target import check_target, warn_of_many_classes
from .synthetic import check_sampler, default_sampler, fit_sampler, sample_likely, sample_targets, stack, take

STRATEGIES = {"auto", "not majority", "minority", "not minority", "all"}


# OneToOneFeatureMixin: imbalanced-learn's checks ask a resampler for get_feature_names_out
class ManifoldDiffusionOverSampler(OneToOneFeatureMixin, BaseEstimator):
    """Over-sampler of rare classes, or of rare ranges of a numeric target, by a generator of rows.

    The generator learns the table with all its classes together and samples rows of the wanted ones: a class of a few
    rows, or of one, borrows from the others how columns depend on each other. It has the methods that imbalanced-learn
    asks of a resampler and works in its Pipeline, without needing that package.

    Parameters
    ----------
    sampler : estimator or None, default=None
        Generator with ``fit(X, y)`` and ``sample(n_samples, y=, random_state=)``; it is cloned. None is
        ``ManifoldDiffusionSampler()`` for numbers and ``ManifoldDiffusionSampler(manifold_weight=0)`` for classes: the
        mixture would blur what the few rows of a class have in common. A parameter `target_type` of it is set to
        "class" or "number". Where it has ``predict_target(X)``, as that one, which returns probabilities of the sorted
        classes, of shape (n_samples, n_classes), new rows are checked by it: a row is improbable if its class is less
        probable given its columns than one class out of n_classes, with all classes taken as equally frequent. An
        improbable row is sampled again, up to four times; the most probable sample is kept.
    sampling_strategy : str, float, dict or callable, default="auto"
        For classes, as in imbalanced-learn. "minority", "not minority", "not majority" and "all" name the classes
        that get as many rows as the largest one has; "auto" is "not majority". A float, for two classes, is the
        wanted ratio of the rows of the small class to those of the large one. A dict gives the wanted number of rows of
        each class, new ones included; a callable takes y and returns that dict.
        For a numeric target, a float is the number of new rows over that of the table; "auto" is 1.0.
    relevance : None, "density" or callable, default=None
        For a numeric target, how much rows of a target y are wanted. New rows get the target of a training row, chosen
        with a probability proportional to its relevance. "density" is 1 / f(y), with f the Gaussian kernel estimate of
        the density of y by Scott's bandwidth: the targets of new rows are then nearly uniform over the range of y. A
        callable takes y of shape (n_samples,) and returns as many weights >= 0. With None the target decides: floats
        that are not all integers are numbers, of relevance "density"; all other targets are classes. To treat integers
        as numbers, set a relevance.
    random_state : int, RandomState or None, default=None
        Seeds the sampling, and the generator where its `random_state` is None.

    Attributes
    ----------
    sampling_strategy_ : dict or int
        New rows for each class; for a numeric target, their number.
    sampler_ : estimator
        The fitted generator; not set if no rows were wanted.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where all are strings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skmdiff import ManifoldDiffusionOverSampler, ManifoldDiffusionSampler
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[:105], y[:105]  # 50, 50 and 5 rows
    >>> over = ManifoldDiffusionOverSampler(ManifoldDiffusionSampler(max_iter=50), random_state=0)
    >>> X_all, y_all = over.fit_resample(X, y)
    >>> [int(n) for n in np.bincount(y_all)]
    [50, 50, 50]
    """

    def __init__(
        self,
        sampler: Any = None,
        *,
        sampling_strategy: Any = "auto",
        relevance: Any = None,
        random_state: Any = None,
    ) -> None:
        self.sampler = sampler
        self.sampling_strategy = sampling_strategy
        self.relevance = relevance
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> ManifoldDiffusionOverSampler:
        """Check a table and find out how many new rows are wanted, without learning it.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes or numbers.

        Returns
        -------
        self : ManifoldDiffusionOverSampler

        Raises
        ------
        ValueError, TypeError
            For a table or a parameter that cannot be used; the message names it, the rule and the value.
        """
        self._check(X, y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return the table followed by new rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes or numbers.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples + n_new, n_features)
            The rows given, unchanged and in their order, then the new ones; a pandas frame has a new index.
        y : ndarray or Series of shape (n_samples + n_new,)
            Their targets, of the dtype given.

        Raises
        ------
        ValueError, TypeError
            For a table or a parameter that cannot be used; the message names it, the rule and the value.
        """
        X, targets, random_state = self._check(X, y)
        of_classes = isinstance(self.sampling_strategy_, dict)
        n_new = sum(self.sampling_strategy_.values()) if of_classes else self.sampling_strategy_
        if n_new:
            check_rows(n_new, "sampling_strategy", self.n_features_in_)
        wanted = self._wanted(targets, random_state)
        new = take(X, [])
        if len(wanted):
            new = self._sample(X, targets, wanted, random_state)
        return stack(X, new), join_targets(y, wanted)

    def _sample(self, X: Any, y: np.ndarray, wanted: np.ndarray, random_state: np.random.RandomState) -> Any:
        """New rows for the wanted targets, of a generator that learns the table."""
        if self._is_numeric(y):
            self.sampler_ = fit_sampler(self.sampler, X, y, random_state, target_type="number")
            return sample_targets(self.sampler_, wanted.astype(float), random_state)
        # a component of the mixture is of more rows than a rare class has
        sampler = default_sampler(manifold_weight=0) if self.sampler is None else self.sampler
        self.sampler_ = fit_sampler(sampler, X, y, random_state, target_type="class")
        return sample_likely(self.sampler_, wanted, y, random_state)

    def _check(self, X: Any, y: Any) -> tuple[Any, np.ndarray, np.random.RandomState]:
        """The table and the target, checked, and the stream of random numbers; sets `sampling_strategy_`."""
        check_sampler(self.sampler)
        random_state = random_stream(self.random_state)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = check_table(X)
        validate_data(self, X, skip_check_array=True)
        targets = check_target(y, len(X))
        self.__dict__.pop("sampler_", None)
        if self._is_numeric(targets):
            check_numbers(targets, self.relevance)
            self.sampling_strategy_: Any = n_new_rows(self.sampling_strategy, len(targets))
        else:
            if targets.dtype.kind in "iuf":
                warn_of_many_classes(targets, "relevance='density'; strings stay classes without this warning")
            self.sampling_strategy_ = n_new_of_classes(self.sampling_strategy, targets)
        return X, targets, random_state

    def _is_numeric(self, y: np.ndarray) -> bool:
        return self.relevance is not None or type_of_target(y, input_name="y") == "continuous"

    def _wanted(self, y: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Targets of the new rows."""
        if not self._is_numeric(y):
            wanted: dict[Any, int] = self.sampling_strategy_
            return np.repeat(np.array(list(wanted), dtype=y.dtype), list(wanted.values()))
        weights = relevance_weights(self.relevance, y)
        return random_state.choice(y, self.sampling_strategy_, p=weights / weights.sum())

    def __sklearn_tags__(self) -> Any:
        """Tags: a target is required; missing cells are allowed if the generator allows them."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = self.sampler is None or accepts_missing(self.sampler)
        return tags


# --- how many rows


def n_new_of_classes(strategy: Any, y: np.ndarray) -> dict[Any, int]:
    """New rows for each class, in the order of the classes: {class: number}."""
    classes, n_rows = np.unique(y, return_counts=True)
    counts = dict(zip(classes.tolist(), n_rows.tolist(), strict=True))
    if callable(strategy):
        strategy = strategy(y)
    if isinstance(strategy, dict):
        return of_wanted_counts(strategy, counts)
    if isinstance(strategy, Real) and not isinstance(strategy, bool):
        return of_ratio(strategy, counts)
    check_option(strategy, "sampling_strategy", STRATEGIES)
    return of_named_classes(strategy, counts)


def of_named_classes(strategy: str, counts: dict[Any, int]) -> dict[Any, int]:
    """New rows that bring the named classes up to the largest one."""
    largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    named = {"minority": lambda c: c == smallest, "not minority": lambda c: c != smallest, "all": lambda c: True}
    is_named = named.get(strategy, lambda c: c != largest)
    return {c: counts[largest] - n for c, n in counts.items() if is_named(c)}


def of_ratio(ratio: Any, counts: dict[Any, int]) -> dict[Any, int]:
    """New rows of the smaller of two classes, to have `ratio` times the rows of the larger one."""
    if len(counts) != 2:
        raise ValueError(
            f"sampling_strategy must be a string, a dict or a callable for {len(counts)} classes, a float is for two, "
            f"got {ratio!r}."
        )
    if not 0 < ratio <= 1:
        raise ValueError(f"sampling_strategy as a float must be above 0 and at most 1, got {ratio!r}.")
    largest = max(counts, key=counts.__getitem__)
    new = {c: int(counts[largest] * ratio - n) for c, n in counts.items() if c != largest}
    if min(new.values()) <= 0:
        raise ValueError(
            f"sampling_strategy must be a ratio above that of the table, which has {counts}, got {ratio!r}."
        )
    return new


def of_wanted_counts(wanted: Mapping[Any, Any], counts: dict[Any, int]) -> dict[Any, int]:
    """New rows that bring classes to their wanted numbers."""
    if unknown := [c for c in wanted if c not in counts]:
        raise ValueError(f"sampling_strategy must name classes of y, {list(counts)}, got {unknown[0]!r}.")
    for c, n in wanted.items():
        if not isinstance(n, Integral) or n < counts[c]:
            raise ValueError(
                f"sampling_strategy must give class {c!r} an integer of at least its {counts[c]} rows, got {n!r}."
            )
    return {c: int(wanted[c]) - n for c, n in counts.items() if c in wanted}


def n_new_rows(strategy: Any, n_rows: int) -> int:
    """New rows for a table of n_rows with a numeric target."""
    if is_auto(strategy):
        return n_rows
    if not isinstance(strategy, Real) or isinstance(strategy, bool):
        raise ValueError(
            "sampling_strategy must be 'auto' or a float, the number of new rows over that of the table, for a "
            f"numeric target, got {strategy!r}."
        )
    check_real(strategy, "sampling_strategy")
    return round(float(strategy) * n_rows)


# --- numeric targets


def check_numbers(y: np.ndarray, relevance: Any) -> None:
    """Raise unless targets are numbers and the relevance is an option or a callable."""
    if relevance is not None and not callable(relevance):
        check_option(relevance, "relevance", {"density"})
    if y.dtype.kind not in "iuf":
        raise TypeError(f"y must hold numbers where relevance={relevance!r} is given, got {y.tolist()[0]!r}.")


def relevance_weights(relevance: str | Callable | None, y: np.ndarray) -> np.ndarray:
    """Weights (n,) of the rows with numeric targets y, by "density", which is None too, or by a callable."""
    if not callable(relevance):
        return inverse_density(y)
    weights = np.asarray(relevance(y), dtype=float)
    if weights.shape != y.shape or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum() > 0:
        raise ValueError(
            f"relevance must return one finite weight >= 0 per row, not all 0, for {len(y)} rows, got {weights!r:.80}."
        )
    return weights


def inverse_density(y: np.ndarray) -> np.ndarray:
    """1 / f(y) for the Gaussian kernel estimate f of the density of y; see `scipy.stats.gaussian_kde`."""
    y = (y - y.mean()) / y.std()
    return 1 / gaussian_kde(y)(y)


def join_targets(y: Any, new: np.ndarray) -> Any:
    """Targets of the table followed by those of its new rows, in the container and dtype of y."""
    if is_polars_column(y):
        column = y.to_series(0) if is_frame(y) else y
        joined = column.clone().append(type(column)(column.name, new.tolist(), dtype=column.dtype))
        return joined.to_frame() if is_frame(y) else joined
    if not hasattr(y, "iloc"):
        y = np.ravel(y)
        return np.concatenate([y, new.astype(y.dtype)])
    import pandas as pd

    column = y.iloc[:, 0] if is_frame(y) else y
    joined = pd.concat([column, pd.Series(new, dtype=column.dtype, name=column.name)], ignore_index=True)
    return joined.to_frame() if is_frame(y) else joined
