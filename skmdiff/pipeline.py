"""Pipelines whose last step samples: samples come back as rows of the table that the first step was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._numerics.checks import accepts_missing
from ._table.frames import is_pandas
from ._table.grids import to_grid

__all__ = ["SamplerPipeline", "make_sampler_pipeline"]

ADVICE = (
    "Give the columns to the sampler as they are, it takes numbers and categories together, or replace the step by one "
    "that has inverse_transform."
)


def _last_step_has(method: str) -> Callable[[Pipeline], bool]:
    def check(pipeline: Pipeline) -> bool:
        getattr(pipeline.steps[-1][1], method)
        return True

    return check


class SamplerPipeline(Pipeline):
    """A `sklearn.pipeline.Pipeline` that ends in a generator of rows.

    `sample` draws rows by the last step and takes them back through the `inverse_transform` of each step before it, so
    that they are rows of the table given to `fit`. `embed` and `predict_target` run forward. All else is a Pipeline:
    parameters, slices, searches, `score_samples` and `score`, which give the log-density of the rows as the last step
    sees them, in its units.

    Parameters
    ----------
    steps : list of (str, estimator)
        Transformers that have `inverse_transform`, or "passthrough", and a last step that has `sample`:
        `ManifoldDiffusionSampler`, `sklearn.neighbors.KernelDensity`, `sklearn.mixture.GaussianMixture`. What a
        transformer loses, as PCA with few components does, is lost in the samples too.
    transform_input : list of str or None, default=None
        See `sklearn.pipeline.Pipeline`, and there for `memory` and `verbose` too.
    memory : str, joblib.Memory or None, default=None
    verbose : bool, default=False

    Attributes
    ----------
    dtypes_in_ : dict of str to dtype or None
        Columns of the pandas frame given to `fit` and their dtypes, which samples have too; None for other tables.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmdiff import ManifoldDiffusionSampler
    >>> from skmdiff.pipeline import make_sampler_pipeline
    >>> X = load_iris().data
    >>> sampler = ManifoldDiffusionSampler(max_iter=50, random_state=0)
    >>> pipeline = make_sampler_pipeline(StandardScaler(), sampler).fit(X)
    >>> rows = pipeline.sample(100)
    >>> bool(X.min() <= rows.min() and rows.max() <= X.max())
    True
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> SamplerPipeline:
        """Fit the steps one after the other.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
        **params : dict
            As in `sklearn.pipeline.Pipeline.fit`.

        Returns
        -------
        self : SamplerPipeline
        """
        super().fit(X, y, **params)
        self.dtypes_in_ = dict(zip(X.columns, X.dtypes, strict=True)) if is_pandas(X) else None
        return self

    @available_if(_last_step_has("sample"))
    def sample(self, n_samples: int = 1, **params: Any) -> Any:
        """Draw new rows of the table given to `fit`.

        Parameters
        ----------
        n_samples : int, default=1
        **params : dict
            Further arguments of the last step's `sample`; `conditions` are on columns as that step sees them, in its
            units.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            A frame with the columns and dtypes seen in `fit` if that was given one. Where the last step returns a
            tuple, rows and targets, so does the pipeline.

        Raises
        ------
        TypeError
            If a step has no `inverse_transform`; the message names it.
        ValueError
            If a step cannot take the rows back, as one that fills missing cells cannot; the message names it.
        """
        check_is_fitted(self)
        for name, step in self._before_last():
            check_invertible(name, step)
        drawn = self.steps[-1][1].sample(n_samples, **params)
        if isinstance(drawn, tuple):
            return (self._back(drawn[0]), *drawn[1:])
        return self._back(drawn)

    @available_if(_last_step_has("embed"))
    def embed(self, X: Any) -> np.ndarray:
        """Coordinates of rows of the table on the manifold of the last step.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
        """
        return self.steps[-1][1].embed(self._forward(X))

    @available_if(_last_step_has("predict_target"))
    def predict_target(self, X: Any, **params: Any) -> np.ndarray:
        """E[y | X] by the last step.

        A pipeline has no `mean_rows`: the mean of rows taken back through a step is not their mean taken back.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        **params : dict
            Further arguments of the last step's `predict_target`.

        Returns
        -------
        mean : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Probabilities of the classes, in the order of `classes_`, or means of a target of numbers.
        """
        return self.steps[-1][1].predict_target(self._forward(X), **params)

    def _forward(self, X: Any) -> Any:
        check_is_fitted(self)
        for _, step in self._before_last():
            X = step.transform(X)
        return X

    def _before_last(self) -> list[tuple[str, Any]]:
        return [(name, step) for name, step in self.steps[:-1] if step is not None and not is_passthrough(step)]

    def _back(self, X: Any) -> Any:
        for name, step in reversed(self._before_last()):
            try:
                X = step.inverse_transform(X)
            except ValueError as error:
                raise ValueError(
                    f"Step {name!r}, {type(step).__name__}, cannot take the samples back: {error} {ADVICE}"
                ) from error
        # slices and pipelines of fitted steps have seen no table
        dtypes = getattr(self, "dtypes_in_", None)
        return X if dtypes is None else as_frame(X, dtypes)

    def __sklearn_tags__(self) -> Any:
        """Tags: those of a Pipeline; missing cells are taken where all steps take them."""
        tags = super().__sklearn_tags__()
        used = [step for _, step in self.steps if step is not None and not is_passthrough(step)]
        tags.input_tags.allow_nan = bool(used) and all(map(accepts_missing, used))
        return tags


def is_passthrough(step: Any) -> bool:
    """Whether a step does nothing."""
    return isinstance(step, str) and step == "passthrough"


def check_invertible(name: str, step: Any) -> None:
    """Raise a TypeError if rows cannot go back through a step.

    A FunctionTransformer without `inverse_func` has an inverse_transform that returns its input: a wrong inverse.
    """
    for inner_name, inner in step.steps if isinstance(step, Pipeline) else []:
        if inner is not None and not is_passthrough(inner):
            check_invertible(f"{name}__{inner_name}", inner)
    forgets = getattr(step, "func", None) is not None and getattr(step, "inverse_func", step) is None
    if forgets:
        raise TypeError(
            f"Step {name!r} must have an inverse for sample, but {type(step).__name__} has "
            "inverse_func=None. Give it the inverse of its func."
        )
    if not hasattr(step, "inverse_transform"):
        raise TypeError(
            f"Step {name!r} must have inverse_transform for sample, but {type(step).__name__} has none. {ADVICE}"
        )


def as_frame(X: Any, dtypes: dict[str, Any]) -> Any:
    """Rows as a DataFrame with given columns and dtypes; integers and bools are rounded first."""
    import pandas as pd

    columns = X if is_pandas(X) else pd.DataFrame(np.asarray(X))
    cells = [columns.iloc[:, j] for j in range(columns.shape[1])]
    cells = [
        rounded(x, dtype) if dtype.kind in "iub" and dtype != x.dtype else x
        for x, dtype in zip(cells, dtypes.values(), strict=True)
    ]
    frame = pd.concat(cells, axis=1)
    frame.columns = list(dtypes)
    return frame.astype(dtypes)


def rounded(x: Any, dtype: Any) -> Any:
    """A column of numbers as one of integers or bools, the nearest that the dtype holds; missing cells stay."""
    import pandas as pd

    values = x.astype(float)
    cells = to_grid(values.fillna(0.0).to_numpy(), 0, getattr(dtype, "numpy_dtype", dtype))
    out = pd.Series(cells, index=x.index, dtype=dtype)
    return out.mask(values.isna()) if values.isna().any() else out


def make_sampler_pipeline(
    *steps: Any, memory: Any = None, transform_input: list[str] | None = None, verbose: bool = False
) -> SamplerPipeline:
    """A `SamplerPipeline` with the names that `sklearn.pipeline.make_pipeline` gives to steps.

    Parameters
    ----------
    *steps : estimators
        See `SamplerPipeline`, and there for the other parameters.
    memory : str, joblib.Memory or None, default=None
    transform_input : list of str or None, default=None
    verbose : bool, default=False

    Returns
    -------
    pipeline : SamplerPipeline
    """
    named = make_pipeline(*steps).steps
    return SamplerPipeline(named, memory=memory, transform_input=transform_input, verbose=verbose)
