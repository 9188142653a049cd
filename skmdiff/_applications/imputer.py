"""`ManifoldDiffusionImputer`: missing cells drawn given the observed ones; thin over the sampler."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._conditional.completion import completions, mean_table
from .._numerics.checks import check_option, random_stream
from .._numerics.streams import draw_seed
from .._sampler.estimator import ManifoldDiffusionSampler
from .._table.cells import is_polars_column, missing_mask
from .._table.frames import build, is_frame, native_column, take_rows
from .synthetic import fit_sampler, stack

MEAN_DRAWS = 100


class ManifoldDiffusionImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Filler of missing cells by conditional draws of a `ManifoldDiffusionSampler`.

    `fit` learns the distribution of a table with its gaps; `transform` fills each missing cell with a draw from its
    distribution given the observed cells of the row, or with the mean of several. Observed cells are returned as they
    are, in columns of the same dtypes. A column without any value in `fit` stays empty. The cells filled hold the
    `constraints` of the sampler, as far as the observed ones of the row, which stay, let them.

    Parameters
    ----------
    sampler : ManifoldDiffusionSampler or None, default=None
        Cloned and fitted to the table; None is ``ManifoldDiffusionSampler()``. Its `random_state`, where it is None,
        is set from ours.
    strategy : {"draw", "mean"}, default="draw"
        "draw" keeps the spread of a column and its dependence on the others; "mean" is nearest to the cell that is
        missing: the mean of numbers and dates, whole in a column of integers, and the most frequent level.
    n_draws : int, default=1
        Draws of which "mean" takes the mean; 1 there stands for 100.
    random_state : int, RandomState or None, default=None
        Seeds the fit and the draws: with an int each call fills alike.

    Attributes
    ----------
    sampler_ : ManifoldDiffusionSampler
        The fitted clone.
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

    def __init__(self, sampler=None, *, strategy="draw", n_draws=1, random_state=None):
        self.sampler = sampler
        self.strategy = strategy
        self.n_draws = n_draws
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn the distribution of a table with gaps.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : ignored
            A target must not tell of the cells it is to be predicted from.

        Returns
        -------
        self : ManifoldDiffusionImputer

        Raises
        ------
        ValueError, TypeError
            For a table or a parameter that cannot be used; the message names it, the rule and the value.
        """
        check_option(self.strategy, "strategy", {"draw", "mean"})
        check_scalar(self.n_draws, "n_draws", Integral, min_val=1)
        random_state = random_stream(self.random_state)
        if not isinstance(self.sampler, ManifoldDiffusionSampler | None):
            raise TypeError(f"sampler must be a ManifoldDiffusionSampler or None, got {self.sampler!r}.")
        self.sampler_ = sampler = fit_sampler(self.sampler, X, None, random_state)
        self.n_features_in_ = sampler.n_features_in_
        if hasattr(sampler, "feature_names_in_"):
            self.feature_names_in_ = sampler.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def transform(self, X):
        """Fill the missing cells of a table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The columns of `fit`. A level that it has not seen is an error, a number outside of its range is not.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            A column whose dtype has no room for what is filled in comes in that of `fit`.
        """
        check_is_fitted(self, "sampler_")
        mean = self.strategy == "mean"
        n_draws = MEAN_DRAWS if mean and self.n_draws == 1 else self.n_draws
        return self._fill(X, n_draws, mean=True)[0] if mean else self._fill(X, 1)[0]

    def impute(self, X, n_draws=20):
        """Several completions of a table, for what follows to be done on each: multiple imputation.

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
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        return self._fill(X, n_draws)

    def _fill(self, X, n_draws, mean=False):
        X = self.sampler_._validate(X, reset=False)
        random_state = random_stream(self.random_state)
        missing = missing_cells(X)
        rows = np.flatnonzero(missing.any(axis=1))
        if not len(rows):
            return [X.copy() if hasattr(X, "copy") else X.clone() for _ in range(1 if mean else n_draws)]
        codec = self.sampler_.codec_
        incomplete, parts = take_rows(X, rows), []
        for some, drawn in completions(self.sampler_, incomplete, n_draws, draw_seed(random_state), for_mean=mean):
            limits = codec.limits_of(take_rows(incomplete, some))
            parts.append(
                [mean_table(codec, drawn, limits)] if mean else [codec.decode(W, limits=limits) for W in drawn]
            )
        return [put(X, missing, rows, stack(*tables)) for tables in zip(*parts, strict=True)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def missing_cells(X):
    """(n, n_features) of bool, the gaps of a table."""
    return np.column_stack([_missing(native_column(X, j)) for j in range(X.shape[1])])


def _missing(column):
    if is_polars_column(column):
        missing = column.is_null()
        return (missing | column.is_nan().fill_null(True) if column.dtype.is_float() else missing).to_numpy()
    return np.asarray(column.isna(), dtype=bool) if hasattr(column, "iloc") else missing_mask(column)


def put(X, missing, rows, drawn):
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


def _put_column(column, missing, rows, drawn):
    if not missing.any():
        return column if is_polars_column(column) else column.reset_index(drop=True)
    if type(drawn) is not type(column):  # the sampler was fitted to another container
        drawn = type(column)(drawn)
    place = np.zeros(len(missing), dtype=np.intp)
    place[rows] = np.arange(len(rows))
    if is_polars_column(column):
        return _put_polars(column, missing, drawn.gather(place))
    column, filler = column.reset_index(drop=True), drawn.iloc[place].reset_index(drop=True)
    try:
        return column.where(~missing, filler).astype(column.dtype)
    except (TypeError, ValueError):  # what is filled in has no room in the dtype of X, but all has in that of fit
        return column.astype(object).where(~missing, filler.astype(object)).astype(drawn.dtype)


def _put_polars(column, missing, filler):
    import polars as pl

    try:
        return column.zip_with(~pl.Series(missing), filler.cast(column.dtype))
    except pl.exceptions.PolarsError:
        return column.cast(filler.dtype).zip_with(~pl.Series(missing), filler)
