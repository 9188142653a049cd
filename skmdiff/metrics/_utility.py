"""What a model learns from synthetic rows: each column is predicted from the others.

The skill of a prediction is R squared on real rows, at least 0. For numbers this is the usual one. For a category it is
one minus the Brier score of the predicted probabilities, divided by the Brier score of the constant fractions of the
categories: R squared summed over the indicators of the categories. The area under a ROC curve would mislead: it is the
same for every rule with the right sign, so that with few columns a dependence that independent columns show by chance
can score as much as the true one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from threadpoolctl import threadpool_limits

from .._numerics.checks import random_stream
from ._tables import CategoricalFeatures, Seed, Table, aligned, check_max_rows, random_rows, tree_matrices

# every category of a target needs trees, so its rare categories are predicted as one
_MAX_TARGET_CATEGORIES = 10
_TREES = {"max_iter": 30, "learning_rate": 0.2, "max_leaf_nodes": 15, "early_stopping": False}


class ColumnUtility(NamedTuple):
    """What :func:`utility_by_column` returns.

    Attributes
    ----------
    tstr, trtr : ndarray of shape (n_columns,)
        Skill in predicting each column of real rows, learnt from synthetic and from real rows.
    """

    tstr: np.ndarray
    trtr: np.ndarray


def tstr(
    real: Table,
    synthetic: Table,
    *,
    max_rows: int = 5000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Train on synthetic, test on real (TSTR): mean skill over all columns as targets.

    For each column gradient boosted trees learn from the synthetic rows to predict it from the other columns, and are
    tested on the real rows by R squared. For a category that is one minus the Brier score of the predicted
    probabilities of its categories (the ten most frequent, the rest as one), divided by that of their constant
    fractions. A negative one counts as 0. Higher is better, between 0 and 1; ideal is the skill learnt from as many
    real training rows, see :func:`utility`. It misleads where synthetic rows shrink towards typical ones: a rule is
    easier to learn with less noise, so that interpolated rows may score more than real ones.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        Real rows to test on, which the generator was not fitted on, and the rows to learn from, both of two columns
        or more.
    max_rows : int, default=5000
        Maximum number of rows of each table to use.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the trees.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, one column only, or fewer than two rows, or `max_rows` is below 2.

    References
    ----------
    Esteban, C., Hyland, S. L., & Rätsch, G. (2017). Real-valued (medical) time series generation with
    recurrent conditional GANs. arXiv:1706.02633.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import tstr
    >>> x = np.random.RandomState(0).normal(size=(400, 1))
    >>> rows = np.hstack([x, 2 * x])
    >>> tstr(rows[:200], rows[200:], random_state=0) > 0.9
    True
    """
    return float(np.mean(column_skills([real, synthetic], max_rows, categorical_features, random_state)[0]))


def utility(
    train: Table,
    synthetic: Table,
    test: Table,
    *,
    max_rows: int = 5000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> float:
    """Skill learnt from synthetic rows divided by skill learnt from real rows, over all columns as targets.

    The sum over the columns of the skills of :func:`tstr` learnt from synthetic rows (TSTR), divided by the sum of
    those learnt from as many training rows (TRTR), both tested on the same real rows. Higher is better: 1 is ideal,
    independent columns score about 0, and there is no upper bound. Every column is a target, because one target says
    little of the joint distribution (a generator may keep that one dependence only). It misleads as `tstr` does, and
    where little can be predicted, since it is a ratio of two small numbers there.

    Parameters
    ----------
    train, synthetic, test : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, its samples, and real rows that it never saw, all of two columns
        or more.
    max_rows : int, default=5000
        Maximum number of rows of each table to use.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the trees.

    Returns
    -------
    float
        0 or more; nan if nothing can be learnt from the real rows.

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, one column only, or fewer than two rows, or `max_rows` is below 2.

    References
    ----------
    Jiang, X., Simidjievski, N., & Jamnik, M. (2025). How well does your tabular generator learn the structure
    of tabular data? ICLR workshop DeLTa.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import utility
    >>> rng = np.random.RandomState(0)
    >>> x = rng.normal(size=(600, 1))
    >>> rows = np.hstack([x, 2 * x])
    >>> independent = rng.normal(size=(200, 2))
    >>> utility(rows[:200], independent, rows[200:400], random_state=0) < 0.1
    True
    >>> utility(rows[:200], rows[400:], rows[200:400], random_state=0) > 0.9
    True
    """
    skills = utility_by_column(
        train,
        synthetic,
        test,
        max_rows=max_rows,
        categorical_features=categorical_features,
        random_state=random_state,
    )
    return skill_fraction(skills.tstr, skills.trtr)


def utility_by_column(
    train: Table,
    synthetic: Table,
    test: Table,
    *,
    max_rows: int = 5000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> ColumnUtility:
    """Skill in predicting each column, learnt from synthetic and from real rows.

    :func:`utility` is the ratio of their sums. Higher is better, between 0 and 1; ideal is as much from synthetic as
    from real rows. The skill of one column may differ by chance: compare the differences of several seeds.

    Parameters
    ----------
    train, synthetic, test : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows that the generator was fitted on, its samples, and real rows that it never saw, all of two columns
        or more.
    max_rows : int, default=5000
        Maximum number of rows of each table to use.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the trees.

    Returns
    -------
    ColumnUtility
        A named tuple of the arrays `tstr` and `trtr` of shape (n_columns,).

    Raises
    ------
    TypeError
        If a column that is not categorical holds something other than numbers.
    ValueError
        If the tables have different columns, one column only, or fewer than two rows, or `max_rows` is below 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import utility_by_column
    >>> rows = np.random.RandomState(0).normal(size=(90, 3))
    >>> utility_by_column(rows[:30], rows[30:60], rows[60:], random_state=0).tstr.shape
    (3,)
    """
    return ColumnUtility(*column_skills([test, synthetic, train], max_rows, categorical_features, random_state))


def skill_fraction(skills: np.ndarray, real_skills: np.ndarray) -> float:
    """Sum of the skills divided by that of real rows; nan if that is 0."""
    return float(skills.sum() / real_skills.sum()) if real_skills.any() else float("nan")


def column_skills(
    tables: list[Table], max_rows: int, categorical_features: CategoricalFeatures, random_state: Seed
) -> np.ndarray:
    """Skill on the first table of what is learnt from each of the others, (n_others, n_columns)."""
    check_max_rows(max_rows, 2)
    rng = random_stream(random_state)
    split, categorical = aligned(tables, categorical_features, min_rows=2)
    if len(categorical) < 2:
        raise ValueError("the tables must have two columns or more, one to predict from the others, got 1")
    (test, *sources), is_category = tree_matrices(split, categorical)
    n = min(max_rows, *map(len, sources))
    test, sources = random_rows(test, max_rows, rng), [random_rows(source, n, rng) for source in sources]
    seed = rng.randint(2**31)
    # for a few thousand rows threads cost more time than they save
    with threadpool_limits(1, user_api="openmp"):
        return np.array(
            [[_skill(source, test, j, is_category, seed) for j in range(len(categorical))] for source in sources]
        )


def _skill(source: np.ndarray, test: np.ndarray, j: int, is_category: np.ndarray, seed: int) -> float:
    """How well column j of the test rows is predicted by trees that learnt from the source rows."""
    others = np.arange(len(is_category)) != j
    options = _TREES | {"categorical_features": is_category[others], "random_state": seed}
    # rows whose target is a missing number are left out; a missing category is one more category
    source, test = (rows[~np.isnan(rows[:, j])] for rows in (source, test))
    if len(source) < 2 or len(test) < 2:
        return 0.0
    x, x_test = (np.nan_to_num(rows[:, others]) for rows in (source, test))
    parts = x, source[:, j], x_test, test[:, j]
    return _category_skill(*parts, options) if is_category[j] else _number_skill(*parts, options)


def _number_skill(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, options: dict[str, Any]
) -> float:
    guess = HistGradientBoostingRegressor(**options).fit(x, y).predict(x_test)
    return max(0.0, r2_score(y_test, guess)) if np.ptp(y_test) > 0 else 0.0


def _category_skill(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, options: dict[str, Any]
) -> float:
    # codes are in the order of falling frequency
    y, y_test = (np.minimum(part, _MAX_TARGET_CATEGORIES) for part in (y, y_test))
    categories = np.unique(y_test)
    if len(categories) < 2 or np.ptp(y) == 0:
        return 0.0
    trees = HistGradientBoostingClassifier(**options).fit(x, y)
    chances = dict(zip(trees.classes_, trees.predict_proba(x_test).T, strict=True))
    # a category that the source does not have is predicted with probability 0
    errors = [(y_test == code) - chances.get(code, 0.0) for code in np.union1d(y_test, trees.classes_)]
    spread = [(y_test == code) - np.mean(y_test == code) for code in categories]
    return max(0.0, 1 - np.square(errors).sum() / np.square(spread).sum())
