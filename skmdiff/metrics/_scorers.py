"""Measures as scorers for `scoring=` of a search: ``scorer(estimator, X, y=None)``, greater is better.

The held-out rows X are compared with as many samples of the fitted estimator.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

from .._numerics.checks import random_stream
from ._coverage import prdc
from ._marginals import trend_error
from ._privacy import dcr_share, row_tuples
from ._tables import Seed, Table, aligned, as_table, take_rows
from ._two_sample import c2st
from ._utility import tstr

Metric: TypeAlias = Callable[..., float]


class SamplerScorer:
    """A measure as a scorer; :func:`make_sampler_scorer` and :func:`make_privacy_scorer` make one.

    Parameters
    ----------
    metric : callable
        ``metric(real, synthetic, **options)``, or ``metric(train, holdout, synthetic, **options)`` if `table` is
        given.
    sign : int
        1 if a greater value of the measure is better, else -1.
    n_samples : int or None
        Number of rows to sample; as many as are held out if None.
    random_state : int, RandomState instance or None
        Seed of the sampling and of the measure.
    options : dict
        Further arguments of the measure.
    table : {DataFrame, array-like} or None
        All rows given to the search, of which those not held out are the training rows.
    """

    def __init__(
        self,
        metric: Metric,
        sign: int,
        n_samples: int | None,
        random_state: Seed,
        options: dict[str, Any],
        table: Table | None = None,
    ) -> None:
        if not callable(metric):
            raise TypeError(f"metric must be a function of tables, got {metric!r:.80}.")
        self.metric, self.sign, self.n_samples, self.random_state = metric, sign, n_samples, random_state
        self.options, self.table = options, table

    def __call__(self, estimator: Any, X: Table, y: Any = None) -> float:
        """Score a fitted estimator on held-out rows.

        Parameters
        ----------
        estimator : object
            A fitted estimator with a method ``sample(n_samples)``, or a `Pipeline` whose last step has one.
        X : {DataFrame, array-like} of shape (n_rows, n_columns)
            The held-out rows.
        y : object, default=None
            Ignored.

        Returns
        -------
        float
            Greater is better.

        Raises
        ------
        TypeError
            If the estimator has no method `sample`.
        ValueError
            If `table` is given and does not hold the held-out rows and others.
        """
        to_space, sampler = _parts(estimator)
        X = as_table(X)
        rng = random_stream(self.random_state)
        n_samples = X.shape[0] if self.n_samples is None else self.n_samples
        tables = [] if self.table is None else [to_space(_remaining(self.table, X))]
        synthetic = _sample(sampler, n_samples, rng.randint(2**31))
        seed = {"random_state": rng.randint(2**31)} if _takes(self.metric, "random_state") else {}
        return self.sign * float(self.metric(*tables, to_space(X), synthetic, **seed, **self.options))

    def __repr__(self) -> str:
        """Name of the measure and sign, as scikit-learn prints its scorers."""
        name = getattr(self.metric, "__name__", repr(self.metric))
        return f"{type(self).__name__}({name}, greater_is_better={self.sign > 0})"


def make_sampler_scorer(
    metric: Metric, *, greater_is_better: bool, n_samples: int | None = None, random_state: Seed = 0, **options: Any
) -> SamplerScorer:
    """Make a scorer of samplers from a measure of two tables.

    The scorer samples rows from the fitted estimator and compares them with the held-out rows. The estimator has a
    method ``sample(n_samples)``, with or without an argument `random_state`, that returns rows or a tuple whose first
    entry are the rows. Or it is a `Pipeline` whose last step has this method; then the held-out rows are transformed
    by the other steps before they are compared. The target y of a search is ignored: to measure it too make it a column
    of X.

    Parameters
    ----------
    metric : callable
        ``metric(real, synthetic, **options)`` -> float. If it has an argument `random_state` it is given a seed.
    greater_is_better : bool
        Whether greater values are better; if not the scorer returns the negative of the measure.
    n_samples : int, default=None
        Number of rows to sample; as many as are held out by default, which most measures need.
    random_state : int, RandomState instance or None, default=0
        Seed of the sampling and of the measure, the same for every candidate of a search.
    **options
        Further arguments of `metric`, for instance `categorical_features`.

    Returns
    -------
    SamplerScorer
        ``scorer(estimator, X, y=None)`` -> float, for `scoring=` of `GridSearchCV`, alone or in a dict.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KernelDensity
    >>> from skmdiff.metrics import energy_distance, make_sampler_scorer
    >>> scorer = make_sampler_scorer(energy_distance, greater_is_better=False)
    >>> rows = np.random.RandomState(0).normal(size=(200, 2))
    >>> search = GridSearchCV(KernelDensity(), {"bandwidth": [0.3, 9.0]}, scoring=scorer, cv=3).fit(rows)
    >>> search.best_params_
    {'bandwidth': 0.3}

    A measure of several numbers needs a function that picks one:

    >>> from skmdiff.metrics import prdc
    >>> def recall(real, synthetic):
    ...     return prdc(real, synthetic).recall
    >>> make_sampler_scorer(recall, greater_is_better=True)
    SamplerScorer(recall, greater_is_better=True)
    """
    return SamplerScorer(metric, 1 if greater_is_better else -1, n_samples, random_state, options)


def make_privacy_scorer(
    table: Table,
    *,
    metric: Metric = dcr_share,
    greater_is_better: bool = False,
    n_samples: int | None = None,
    random_state: Seed = 0,
    **options: Any,
) -> SamplerScorer:
    """Make a scorer from a measure that needs the training rows besides the held-out ones.

    A search gives a scorer the held-out rows only. So this one keeps the table that is given to the search, and takes
    its rows that are not held out for the training rows. Where a search fits on fewer rows (`HalvingGridSearchCV` over
    samples, `ShuffleSplit` with a small `train_size`) the estimator has not seen some of them, and memorisation looks
    smaller than it is.

    Parameters
    ----------
    table : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows given to the search.
    metric : callable, default=dcr_share
        ``metric(train, holdout, synthetic, **options)`` -> float.
    greater_is_better : bool, default=False
        Whether greater values are better; if not the scorer returns the negative of the measure.
    n_samples : int, default=None
        Number of rows to sample; as many as are held out by default.
    random_state : int, RandomState instance or None, default=0
        Seed of the sampling and of the measure.
    **options
        Further arguments of `metric`.

    Returns
    -------
    SamplerScorer
        ``scorer(estimator, X, y=None)`` -> float.

    Raises
    ------
    TypeError
        If `table` is sparse.
    ValueError
        If `table` is not two-dimensional.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> from skmdiff.metrics import make_privacy_scorer
    >>> rows = np.random.RandomState(0).normal(size=(200, 2))
    >>> copies = KernelDensity(bandwidth=1e-6).fit(rows[:100])
    >>> make_privacy_scorer(rows)(copies, rows[100:])
    -1.0
    """
    sign = 1 if greater_is_better else -1
    return SamplerScorer(metric, sign, n_samples, random_state, options, as_table(table))


def _parts(estimator: Any) -> tuple[Callable[[Table], Table], Any]:
    """A function that transforms rows to what the sampler was fitted on, and the sampler."""
    if hasattr(estimator, "sample"):
        return lambda X: X, estimator
    steps = getattr(estimator, "steps", None)
    if steps and hasattr(steps[-1][1], "sample"):
        return (estimator[:-1].transform if len(steps) > 1 else lambda X: X), steps[-1][1]
    raise TypeError(
        "the estimator must have a method sample, or be a Pipeline whose last step has one, "
        f"got {type(estimator).__name__}"
    )


def _sample(sampler: Any, n_samples: int, seed: int) -> Table:
    last = sampler
    while hasattr(last, "steps"):  # a pipeline passes its arguments on to the last step
        last = last.steps[-1][1]
    options = {"random_state": seed} if _takes(last.sample, "random_state") else {}
    rows = sampler.sample(n_samples, **options)
    return rows[0] if isinstance(rows, tuple) else rows


def _takes(function: Callable[..., Any], name: str) -> bool:
    return name in inspect.signature(function).parameters


def _remaining(table: Table, held_out: Table) -> Table:
    """The rows of a table without the held-out ones, each of which removes one row."""
    (a, b), _ = aligned([table, held_out])
    counts = Counter(row_tuples(b))
    kept = []
    for i, row in enumerate(row_tuples(a)):
        if counts[row] > 0:
            counts[row] -= 1
        else:
            kept.append(i)
    if not kept or counts.total():
        raise ValueError(
            f"table must hold the {len(b[0])} held-out rows and training rows too, "
            f"got {len(a[0])} rows without {counts.total()} of them; give the table that the search is given"
        )
    return take_rows(table, kept)


def _coverage(real: Table, synthetic: Table, **options: Any) -> float:
    return prdc(real, synthetic, **options).coverage


detection_scorer = make_sampler_scorer(c2st, greater_is_better=False)
trend_scorer = make_sampler_scorer(trend_error, greater_is_better=False)
coverage_scorer = make_sampler_scorer(_coverage, greater_is_better=True)
utility_scorer = make_sampler_scorer(tstr, greater_is_better=True)
