"""Measures as scorers: ``scorer(estimator, X, y=None)``, greater is better, for `scoring=` of a search.

The held-out rows X are compared with as many rows that the fitted estimator samples.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

from sklearn.utils import check_random_state

from ._coverage import prdc
from ._marginals import trend_error
from ._privacy import dcr_share, row_tuples
from ._tables import Seed, Table, aligned, as_table, take_rows
from ._two_sample import c2st
from ._utility import tstr

Metric: TypeAlias = Callable[..., float]


class SamplerScorer:
    """A measure as a scorer; make one with :func:`make_sampler_scorer` or :func:`make_privacy_scorer`.

    Parameters
    ----------
    metric : callable
        ``metric(real, synthetic, **options)``, or ``metric(train, holdout, synthetic, **options)`` if there
        is a `table`.
    sign : int
        1 if a greater value of the measure is better, else -1.
    n_samples : int or None
        Rows to sample; as many as are held out if None.
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
        self.metric, self.sign, self.n_samples, self.random_state = metric, sign, n_samples, random_state
        self.options, self.table = options, table

    def __call__(self, estimator: Any, X: Table, y: Any = None) -> float:
        """Score a fitted estimator on held-out rows; y is ignored."""
        to_space, sampler = _parts(estimator)
        X = as_table(X)
        rng = check_random_state(self.random_state)
        n_samples = X.shape[0] if self.n_samples is None else self.n_samples
        tables = [] if self.table is None else [to_space(_remaining(self.table, X))]
        synthetic = _draw(sampler, n_samples, rng.randint(2**31))
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

    The scorer draws rows from the fitted estimator and compares them with the held-out ones. The estimator is
    anything with ``sample(n_samples)``, with a `random_state` argument or without, that returns rows or a
    tuple whose first entry are the rows; or a `Pipeline` whose last step is one, and then the comparison
    takes place in the space of what that step was fitted on. The target y of a search is ignored: to have it
    measured make it a column of X.

    Parameters
    ----------
    metric : callable
        ``metric(real, synthetic, **options)`` -> float; if it has an argument `random_state` it gets a seed.
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

    A scorer is shown the held-out rows only, so this one holds the whole table that is given to the search and
    takes the rows that are not held out for the training rows. Where a search fits on fewer rows
    (`HalvingGridSearchCV` over samples, `ShuffleSplit` with a small `train_size`) part of these were never
    seen by the estimator, and the leak looks smaller than it is.

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
    """What carries rows to where the sampler samples, and the sampler."""
    if hasattr(estimator, "sample"):
        return lambda X: X, estimator
    steps = getattr(estimator, "steps", None)
    if steps and hasattr(steps[-1][1], "sample"):
        return (estimator[:-1].transform if len(steps) > 1 else lambda X: X), steps[-1][1]
    raise TypeError(
        "the estimator must have a method sample, or be a Pipeline whose last step has one, "
        f"got {type(estimator).__name__}"
    )


def _draw(sampler: Any, n_samples: int, seed: int) -> Table:
    draws = sampler
    while hasattr(draws, "steps"):  # a pipeline hands its arguments on to the last step
        draws = draws.steps[-1][1]
    options = {"random_state": seed} if _takes(draws.sample, "random_state") else {}
    drawn = sampler.sample(n_samples, **options)
    return drawn[0] if isinstance(drawn, tuple) else drawn


def _takes(function: Callable[..., Any], name: str) -> bool:
    return name in inspect.signature(function).parameters


def _remaining(table: Table, held_out: Table) -> Table:
    """The rows of a table without the held-out ones, each taken off once."""
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
            f"table must hold the {len(b[0])} held-out rows and training rows besides, "
            f"got {len(a[0])} rows without {counts.total()} of them"
        )
    return take_rows(table, kept)


def _coverage(real: Table, synthetic: Table, **options: Any) -> float:
    return prdc(real, synthetic, **options).coverage


detection_scorer = make_sampler_scorer(c2st, greater_is_better=False)
trend_scorer = make_sampler_scorer(trend_error, greater_is_better=False)
coverage_scorer = make_sampler_scorer(_coverage, greater_is_better=True)
utility_scorer = make_sampler_scorer(tstr, greater_is_better=True)
