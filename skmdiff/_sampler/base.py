"""What every estimator around a fitted model of a table needs: reading tables, seeds and the log-density."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import Tags

from .._numerics.checks import check_rows, random_stream
from .._numerics.streams import Seed, draw_seed
from .._numerics.weights import check_weight
from .._table.checks import ReadTable, as_table, check_columns, read_table
from . import completion
from .correction import log_correction
from .defaults import settable_manifold
from .density import log_density
from .files import SavedInFiles
from .model import FittedModel, Run, fitted_model, run_of


class TableModelEstimator(SavedInFiles, DensityMixin, BaseEstimator):
    """An estimator that learns the distribution of a table and holds what it learnt as `_model`.

    Its parameters have `manifold`, `n_steps`, `n_jobs` and `random_state` among them.
    """

    manifold: Any

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-density of rows under the model, in nats.

        A probability for categories, for integers and decimals and, but for numeric="standard", for values that repeat
        in the table; a density in the units of the columns for other numbers. By the probability-flow ODE from the row
        to `sigma_start_` and the closed form of the distribution of starts there. A number outside the range seen in
        `fit` costs a finite penalty; an unseen category costs log(n + 1), with n the cells of its column in `fit`. For
        a row with missing cells it is the density of the cells that are there, times, where the table of `fit` had
        missing cells, the probability that just these are missing. With `noise_level` it is the density of rows of the
        table with such noise added once more. A corrector adds the log of what it makes of the density. Where
        `sigma_start_` is small, rows far from all training rows get too low a density.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
        """
        model = fitted_model(self)
        table = self._read(model, X)
        return log_density(model, table) + log_correction(model, table)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Mean log-density of rows, see `score_samples`; higher is better.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the mean.

        Returns
        -------
        score : float
        """
        log_density = self.score_samples(X)
        return float(np.average(log_density, weights=check_weight(sample_weight, len(log_density))))

    def predict_target(self, X: Any, *, n_draws: int = 100, random_state: Seed = None) -> np.ndarray:
        """E[y | X]: probabilities of the classes, or means of a target of numbers, under the model.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows, whose cells may be missing.
        n_draws : int, default=100
            Draws that a mean is taken of; probabilities take none.
        random_state : int, RandomState or None, default=None
            Seed of the draws; None takes that of the estimator.

        Returns
        -------
        mean : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Probabilities in the order of `classes_`, or means.

        Raises
        ------
        ValueError
            If there was no target in `fit`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmdiff import ManifoldDiffusionSampler
        >>> X, y = load_iris(return_X_y=True)
        >>> ManifoldDiffusionSampler(max_iter=200, random_state=0).fit(X, y).predict_target(X[:5]).shape
        (5, 3)
        """
        model = self._model_with_target("predict_target")
        table = self._read(model, X)
        check_rows(n_draws, "n_draws", self.n_features_in_, times=len(table))
        return completion.predict_target(model, table, n_draws, self._run(model, random_state))

    def mean_rows(self, y: Any, *, n_draws: int = 100, random_state: Seed = None) -> Any:
        """E[X | y]: the mean row of given targets, under the model.

        Parameters
        ----------
        y : scalar or array-like of shape (n_samples,)
            Targets, as seen in `fit`.
        n_draws : int, default=100
            Draws that a mean is taken of.
        random_state : int, RandomState or None, default=None
            Seed of the draws; None takes that of the estimator.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            The mean of each column of numbers or dates, an integer in columns of integers, and the most frequent
            category; one row for a scalar.

        Raises
        ------
        ValueError
            If there was no target in `fit`, or it did not hold y.
        """
        model = self._model_with_target("mean_rows")
        check_rows(n_draws, "n_draws", self.n_features_in_, times=np.size(y))
        return completion.mean_rows(model, np.atleast_1d(y), n_draws, self._run(model, random_state))

    def set_params(self, **params: Any) -> TableModelEstimator:
        """Set parameters, also those of a nested estimator as ``manifold__n_components``.

        Parameters
        ----------
        **params : dict
            Parameters by their names. Where `manifold` is None or a word and a parameter of it is set, it becomes the
            learner that this stands for, None ``PCA(n_components=8)``.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no such parameter, or no estimator that it could be set on.
        """
        if any(name.startswith("manifold__") for name in params):
            params["manifold"] = settable_manifold(params.get("manifold", self.manifold))
        for name in params:
            outer, nested, _ = name.partition("__")
            of = params.get(outer, getattr(self, outer, self))
            if nested and not hasattr(of, "set_params"):
                raise ValueError(
                    f"{name} must be a parameter of an estimator, got {outer}={of!r}. Set {outer} to one first."
                )
        return super().set_params(**params)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def _forget(self) -> None:
        """Drop all that was fitted."""
        for name in [name for name in vars(self) if name.endswith("_") or name == "_model"]:
            delattr(self, name)

    def _read_training(self, X: Any) -> ReadTable:
        """The table of a fit, read once."""
        return read_table(self._checked(X, min_samples=2, reset=True))

    def _read(self, model: FittedModel, X: Any) -> ReadTable:
        """A table like that of the fit, read once."""
        return model.codec.read(self._checked(X, min_samples=1, reset=False))

    def _checked(self, X: Any, min_samples: int, reset: bool) -> Any:
        """X as a frame or a 2-D array with the columns of the fit, its cells not read yet."""
        return as_table(check_columns(self, X, reset, min_samples), min_samples)

    def _run(self, model: FittedModel, random_state: Seed) -> Run:
        """How a call is run, seeded by its random_state or, if that is None, by the estimator's."""
        stream = random_stream(self.random_state if random_state is None else random_state)
        return run_of(model, self.n_steps, draw_seed(stream), self.n_jobs)

    def _model_with_target(self, method: str) -> FittedModel:
        model = fitted_model(self)
        if model.target is None:
            raise ValueError(f"{method} needs a target, but the sampler was fitted with y=None.")
        return model
