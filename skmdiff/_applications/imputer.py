"""`ManifoldDiffusionImputer`: missing cells sampled given the observed ones; thin over the sampler."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from .._numerics.checks import check_integer, check_option, check_rows, random_stream
from .._numerics.progress import shown
from .._numerics.streams import Seed, draw_seed
from .._sampler.completion import complete, complete_by_means
from .._sampler.estimator import ManifoldDiffusionSampler
from .._sampler.model import fitted_model, run_of
from .._table.cells import is_polars_column
from .._table.checks import check_columns
from .._table.frames import build, is_frame, native_column
from .._table.identifiers import n_used
from .synthetic import fit_sampler, stack

MEAN_DRAWS = 100


class ManifoldDiffusionImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Filler of missing cells by conditional draws of a `ManifoldDiffusionSampler`.

    `fit` learns the distribution of a table with missing cells; `transform` fills each missing cell with a draw from
    its distribution given the observed cells of the row, or with the mean of several. Observed cells are returned as
    they are, in columns of the same dtypes. A column without any value in `fit` stays empty. The cells filled hold the
    `constraints` of the sampler as far as the observed cells of the row, which stay, allow it.

    Parameters
    ----------
    sampler : ManifoldDiffusionSampler or None, default=None
        Cloned and fitted to the table; None is ``ManifoldDiffusionSampler()``. Where its `random_state` is None, it is
        seeded by that of the imputer.
    strategy : {"draw", "mean"}, default="draw"
        "draw" keeps the spread of a column and its dependence on the others; "mean" is nearest to the cell that is
        missing: the mean of numbers and dates, an integer in a column of integers, and the most frequent category.
    n_draws : int or None, default=None
        Draws of which "mean" takes the mean; None is 100.
    random_state : int, RandomState or None, default=None
        Seeds the fit and the draws: with an int each call fills alike.

    Attributes
    ----------
    sampler_ : ManifoldDiffusionSampler
        The fitted clone, without a corrector.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where all are strings.

    References
    ----------
    Rubin (1987), Multiple imputation for nonresponse in surveys.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler
    >>> X = load_iris().data
    >>> X[::5, 2] = np.nan
    >>> imputer = ManifoldDiffusionImputer(ManifoldDiffusionSampler(max_iter=50), random_state=0).fit(X)
    >>> bool(np.isnan(imputer.transform(X)).any())
    False
    >>> len(imputer.impute(X, n_draws=3))
    3
    """

    def __init__(
        self,
        sampler: ManifoldDiffusionSampler | None = None,
        *,
        strategy: str = "draw",
        n_draws: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.sampler = sampler
        self.strategy = strategy
        self.n_draws = n_draws
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> ManifoldDiffusionImputer:
        """Learn the distribution of a table with missing cells.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : ignored
            A target is not used to fill the columns that it is to be predicted from.

        Returns
        -------
        self : ManifoldDiffusionImputer

        Raises
        ------
        ValueError, TypeError
            For a table or a parameter that cannot be used; the message names it, the rule and the value.
        """
        check_option(self.strategy, "strategy", {"draw", "mean"})
        if self.n_draws is not None:
            check_integer(self.n_draws, "n_draws", 1)
        random_state = random_stream(self.random_state)
        if not isinstance(self.sampler, ManifoldDiffusionSampler | None):
            raise TypeError(f"sampler must be a ManifoldDiffusionSampler or None, got {self.sampler!r}.")
        # cells are filled given the others: a corrector has no part in that
        wanted = ManifoldDiffusionSampler() if self.sampler is None else clone(self.sampler)
        self.sampler_ = sampler = fit_sampler(wanted.set_params(corrector=None), X, None, random_state)
        self.n_features_in_ = sampler.n_features_in_
        if hasattr(sampler, "feature_names_in_"):
            self.feature_names_in_ = sampler.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def transform(self, X: Any) -> Any:
        """Fill the missing cells of a table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The columns of `fit`. A category that it has not seen is an error, a number outside of its range is not.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            A column whose dtype cannot hold what is filled in gets the dtype that it has in `fit`.
        """
        check_is_fitted(self, "sampler_")
        if self.strategy == "draw":
            return self._fill(X, 1)[0]
        return self._fill(X, MEAN_DRAWS if self.n_draws is None else self.n_draws, mean=True)[0]

    def impute(self, X: Any, n_draws: int = 20) -> list:
        """Several completions of a table, each to be analysed by itself: multiple imputation.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        n_draws : int, default=20

        Returns
        -------
        tables : list of ndarray or DataFrame
            `n_draws` tables that differ in the cells missing in X. The first is what strategy="draw" returns.
        """
        check_is_fitted(self, "sampler_")
        return self._fill(X, n_draws)

    def _fill(self, X: Any, n_draws: int, mean: bool = False) -> list:
        """Completed tables: `n_draws` of them, or one of means over as many draws."""
        model = fitted_model(self.sampler_)
        table = model.codec.read(check_columns(self, X))
        check_rows(n_draws, "n_draws", self.sampler_.n_features_in_, times=len(table))
        random_state = random_stream(self.random_state)
        rows = np.flatnonzero(table.missing.any(axis=1))
        if not len(rows):
            return [copy_of(table.X) for _ in range(1 if mean else n_draws)]
        fill = complete_by_means if mean else complete
        with shown(self.sampler_.verbose) as progress:
            run = run_of(model, self.sampler_.n_steps, draw_seed(random_state), self.sampler_.n_jobs, progress)
            drawn = fill(model, table.take(rows), n_draws, run, n_used(model.codec.columns_, table.cells))
        return [put(table.X, table.missing, rows, stack(*parts)) for parts in drawn]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def copy_of(X: Any) -> Any:
    """A copy of a table."""
    return X.copy() if hasattr(X, "copy") else X.clone()


def put(X: Any, missing: np.ndarray, rows: np.ndarray, drawn: Any) -> Any:
    """The table X with the missing cells of its rows (m,) taken from the table `drawn` of m rows."""
    if not is_frame(X):
        out, part = X.copy(), X[rows]
        part[missing[rows]] = np.asarray(drawn).astype(X.dtype)[missing[rows]]
        out[rows] = part
        return out
    columns = [
        _put_column(native_column(X, j), missing[:, j], rows, native_column(drawn, j)) for j in range(X.shape[1])
    ]
    out = build(X, columns)
    if hasattr(X, "iloc"):
        out.index = X.index
    return out


def _put_column(column: Any, missing: np.ndarray, rows: np.ndarray, drawn: Any) -> Any:
    if not missing.any():
        return column if is_polars_column(column) else column.reset_index(drop=True)
    if type(drawn) is not type(column):  # the sampler was fitted to another container
        drawn = type(column)(drawn)
    index = np.zeros(len(missing), dtype=np.intp)
    index[rows] = np.arange(len(rows))
    if is_polars_column(column):
        return _put_polars(column, missing, drawn.gather(index))
    column, filler = column.reset_index(drop=True), drawn.iloc[index].reset_index(drop=True)
    try:
        return column.where(~missing, filler).astype(column.dtype)
    except (TypeError, ValueError):  # the dtype of X cannot hold what is filled in; that of fit holds all
        return column.astype(object).where(~missing, filler.astype(object)).astype(drawn.dtype)


def _put_polars(column: Any, missing: np.ndarray, filler: Any) -> Any:
    import polars as pl

    try:
        return column.zip_with(~pl.Series(missing), filler.cast(column.dtype))
    except pl.exceptions.PolarsError:
        return column.cast(filler.dtype).zip_with(~pl.Series(missing), filler)
