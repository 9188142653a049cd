"""What a model learns from synthetic rows: every column in turn is predicted from the others.

The skill of a prediction is R squared on real rows, at least 0: for numbers as usual, for a category summed over
the indicators of its levels and the probabilities predicted for them (one minus the Brier score over that of the
constant shares). The area under a ROC curve would not do: it is the same for any rule of the right sign,
so that with few columns a dependence found by chance in independent ones earns the whole of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from ._tables import CategoricalFeatures, Seed, Table, aligned, check_max_rows, some, tree_matrices

# trees are grown for each level, so the rarer ones of a target are predicted as one
_MAX_TARGET_LEVELS = 10
_TREES = {"max_iter": 30, "learning_rate": 0.2, "max_leaf_nodes": 15, "early_stopping": False}


class ColumnUtility(NamedTuple):
    """What :func:`utility_by_column` returns: two arrays of one skill a column."""

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
    """Train on synthetic, test on real: mean skill over every column as the target.

    For each column gradient boosted trees learn on the synthetic rows to predict it from the others and are
    tested on the real ones by R squared; for a category that of the predicted probabilities of its levels
    (the ten most frequent, the rest as one), one minus their Brier score over that of the constant shares. A
    negative one counts as 0. Higher is better, between 0 and 1; ideal is the skill that as many real training
    rows give, see :func:`utility`. It misleads where rows shrink towards what is typical: a clear picture of
    the rule teaches better than the distribution, so that interpolated rows may beat real ones.

    Parameters
    ----------
    real, synthetic : {DataFrame, array-like} of shape (n_rows, n_columns)
        Real rows to test on, which the generator was not fitted on, and the rows to learn from; two columns
        or more.
    max_rows : int, default=5000
        Rows of each table to use at most.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the trees.

    Returns
    -------
    float
        Between 0 and 1.

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
    """Share of the skill of real rows that synthetic rows give, over every column as the target.

    The sum over the columns of the skills of :func:`tstr` learnt from synthetic rows (TSTR) over the sum of
    those learnt from as many training rows (TRTR), both tested on the same real rows. Higher is better: 1 is
    ideal, about 0 what independent columns score, and there is no bound above. Every column is a target, as a
    single one says little of the joint distribution (a generator may keep that one dependence and no other). It
    misleads as `tstr` does, and where little can be predicted, when it is a ratio of two small numbers.

    Parameters
    ----------
    train, synthetic, test : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, the rows it drew, and real rows that it never saw; two columns
        or more.
    max_rows : int, default=5000
        Rows of each table to use at most.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the trees.

    Returns
    -------
    float
        0 or more; nan where real rows teach nothing.

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
    return share_of_skill(skills.tstr, skills.trtr)


def utility_by_column(
    train: Table,
    synthetic: Table,
    test: Table,
    *,
    max_rows: int = 5000,
    categorical_features: CategoricalFeatures = "from_dtype",
    random_state: Seed = None,
) -> ColumnUtility:
    """Skill in predicting each column, learnt from synthetic and from real rows: what :func:`utility` sums.

    Higher is better, between 0 and 1; ideal is as much from synthetic as from real rows. A single column may
    mislead by chance: compare the differences of several seeds.

    Parameters
    ----------
    train, synthetic, test : {DataFrame, array-like} of shape (n_rows, n_columns)
        The rows the generator was fitted on, the rows it drew, and real rows that it never saw; two columns
        or more.
    max_rows : int, default=5000
        Rows of each table to use at most.
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        The categorical columns: a mask, indices or names.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the trees.

    Returns
    -------
    ColumnUtility
        A named tuple of the arrays `tstr` and `trtr` of shape (n_columns,).

    Examples
    --------
    >>> import numpy as np
    >>> from skmdiff.metrics import utility_by_column
    >>> rows = np.random.RandomState(0).normal(size=(90, 3))
    >>> utility_by_column(rows[:30], rows[30:60], rows[60:], random_state=0).tstr.shape
    (3,)
    """
    return ColumnUtility(*column_skills([test, synthetic, train], max_rows, categorical_features, random_state))


def share_of_skill(skills: np.ndarray, real_skills: np.ndarray) -> float:
    """Sum of the skills of the columns over that of real rows, nan where these teach nothing."""
    return float(skills.sum() / real_skills.sum()) if real_skills.any() else float("nan")


def column_skills(
    tables: list[Table], max_rows: int, categorical_features: CategoricalFeatures, random_state: Seed
) -> np.ndarray:
    """Skill on the first table, column by column, of what is learnt from each other one: (n_others, n_columns)."""
    check_max_rows(max_rows, 2)
    rng = check_random_state(random_state)
    split, categorical = aligned(tables, categorical_features, min_rows=2)
    if len(categorical) < 2:
        raise ValueError("the tables must have two columns or more, one to be predicted from the rest, got 1")
    (test, *sources), is_category = tree_matrices(split, categorical)
    n = min(max_rows, *map(len, sources))
    test, sources = some(test, max_rows, rng), [some(source, n, rng) for source in sources]
    seed = rng.randint(2**31)
    # a few thousand rows: threads cost more than they save, most of all where cores are shared
    with threadpool_limits(1, user_api="openmp"):
        return np.array(
            [[_skill(source, test, j, is_category, seed) for j in range(len(categorical))] for source in sources]
        )


def _skill(source: np.ndarray, test: np.ndarray, j: int, is_category: np.ndarray, seed: int) -> float:
    """How well column j of the test rows is predicted from what the source rows teach."""
    others = np.arange(len(is_category)) != j
    options = _TREES | {"categorical_features": is_category[others], "random_state": seed}
    # a missing number is no target; a missing category is a level
    source, test = (rows[~np.isnan(rows[:, j])] for rows in (source, test))
    if len(source) < 2 or len(test) < 2:
        return 0.0
    x, x_test = (np.nan_to_num(rows[:, others]) for rows in (source, test))
    parts = x, source[:, j], x_test, test[:, j]
    return _skill_in_levels(*parts, options) if is_category[j] else _skill_in_numbers(*parts, options)


def _skill_in_numbers(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, options: dict[str, Any]
) -> float:
    guess = HistGradientBoostingRegressor(**options).fit(x, y).predict(x_test)
    return max(0.0, r2_score(y_test, guess)) if np.ptp(y_test) > 0 else 0.0


def _skill_in_levels(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, options: dict[str, Any]
) -> float:
    y, y_test = (np.minimum(part, _MAX_TARGET_LEVELS) for part in (y, y_test))
    levels = np.unique(y_test)
    if len(levels) < 2 or np.ptp(y) == 0:
        return 0.0
    trees = HistGradientBoostingClassifier(**options).fit(x, y)
    shares = dict(zip(trees.classes_, trees.predict_proba(x_test).T, strict=True))
    # a level that the source never shows is given no chance
    errors = [(y_test == level) - shares.get(level, 0.0) for level in np.union1d(y_test, trees.classes_)]
    spread = [(y_test == level) - np.mean(y_test == level) for level in levels]
    return max(0.0, 1 - np.square(errors).sum() / np.square(spread).sum())
