"""`ManifoldDiffusionSampler`: the estimator, thin over the functions of `model.py` and `fitting.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._diffusion import load_backend
from .._numerics.checks import check_option, check_rows, random_stream
from .._numerics.progress import Several, shown
from .._numerics.streams import Seed
from .._numerics.weights import check_weight
from .._table.target import read_target
from . import exploration
from .callbacks import CallbackSupportMixin, Tasks, with_callbacks
from .encoding import rows_with_weight
from .fitting import Fitted
from .html import LearntInHTML
from .model import (
    FittedModel,
    Request,
    decode_samples,
    draw,
    draw_missing,
    fitted_model,
)
from .on_manifold import EstimatorOnManifold
from .parameters import check_parameters
from .settings import settings_of
from .whole_fit import N_STAGES, attributes_of, fit_table, warn_if_diverged


class ManifoldDiffusionSampler(LearntInHTML, EstimatorOnManifold, CallbackSupportMixin):
    """Generator of synthetic rows of a table: a diffusion model that starts on the manifold of the rows.

    `fit` learns the distribution of a mixed table: numbers, dates and categories, with missing cells or without.
    `sample` draws new rows with the same columns, dtypes and categories: they start on the manifold of the rows, and a
    small neural network, the denoiser of a diffusion model, finishes them. A fitted sampler, and every file it is saved
    to, holds the training rows: share it only with those who may see the table.

    Parameters
    ----------
    manifold : transformer, str, list of them or None, default=None
        "pca", "isomap", "kernel-pca", "lle", "spectral", "tsne", "umap", "passthrough", or any object with
        `fit_transform`. It is cloned, seeded from `random_state` where its seed is None, and given the encoded table:
        one column for a column of numbers, one for each category, 16 for more than 50. None is "pca", with 8 components
        or fewer; "passthrough" is plain diffusion from noise. Of a list the one of the highest score is kept.
    sigma_start : float or "auto", default="auto"
        Noise level of the starts, in standard deviations of a column: a small one keeps samples near training rows.
        "auto" is the smallest, at least 0.35, at which the advantage over chance of a test that says which training
        rows samples start from (1 if it is always right) is at most 16 / sqrt(n_samples), and never above 0.35. Samples
        that start from the mixture then start at 1.5 or above, where the denoiser can still change their categories.
    n_neighbors : int, default=15
        Neighbours in the embedding among which a training row is moved to make a start; with 0 it is the row. Where
        rows held out are more probable by the mixture on the manifold, starts are drawn from the mixture instead.
    max_landmarks : int, default=2000
        Rows that the manifold learner is fitted on. The others are embedded by their neighbours.
    noise_level : None, float, array-like of shape (n_features,) or "auto", default=None
        Standard deviation of the measurement noise, in the units of the columns: one for all numeric columns or one a
        column. Samples are free of it, but cells given as `conditions` are cells with noise (Daras et al. 2023).
        "auto" estimates it from how far training rows lie off the manifold.
    contraction : float or "auto", default="auto"
        Strength, from 0 to 1, of the projection of samples towards the manifold: 1 moves a sample until it is no
        farther from it than the rows around it. "auto" is above 0 only where rows lie on a surface of at most 3
        dimensions and samples stand off it 3 times as far as rows left out. Elsewhere it would cost variety. Nothing is
        moved where a table has no more numbers than the manifold has dimensions.
    manifold_weight : float or "auto", default="auto"
        Weight, from 0 to 1, in the denoiser of the mixture on the manifold, of local normal distributions and shares
        of categories, which the network corrects. "auto" is 1 for fewer than 2000 rows and without training, else 0.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns of numbers that are categories too: a mask, indices or names. Category, Enum, bool and string columns
        always are, and the only ones with "from_dtype". Dates and durations are numbers unless named.
    numeric : {"auto", "quantile", "smooth", "standard"}, default="auto"
        Code of a number: normal scores, with categories for frequent values, which keep integers, repeated values and
        bounds exactly; the same by quantiles that are drawn towards a smooth distribution, as if of 1000 rows; or mean
        0 and standard deviation 1, which keeps the geometry. "auto" is the one by which rows held out are surely more
        probable, within the bounds whichever it is; "quantile" for 2000 rows or more and with `noise_level`.
    constraints : "auto", None or list of tuple (left, operator, right), default="auto"
        What every table returned holds exactly. `left` is a column, by name or, in an array, index; `right` a constant
        or a column ("x0", ...), after "<=", "<", ">=", ">" or "multiple of". Or ("s", "==", "a + 2 * b"); ("city",
        "determines", "country"); ("brand", "seen with", "model"), no pairs but those of the table; ("id", "is",
        "unique"), which is not learnt but goes on after the largest one seen. "auto", also as one of the list, finds
        those that no row breaks and chance would not give. A warning counts training rows that break one.
    target_type : {"auto", "class", "number"}, default="auto"
        What `y` holds. "auto" takes integers, bools and strings for classes and floats with decimals for numbers.
    hidden_layer_sizes : tuple of int or "auto", default="auto"
        Width of each residual block of the denoiser. "auto" is (128, 128) for fewer than 2000 rows, else (256, 256).
    max_iter : int or "auto", default="auto"
        Optimiser steps. "auto" grows with the number of rows, from 2000 to 5000. 0 is the mixture without a network.
    max_time : float or None, default=None
        Seconds that `fit` may take. Training, the search for a mixture and the tries of contraction and corrector end
        then or are left out; the manifold learner, which comes first, and a corrector of yours are not cut short.
    batch_size : int or "auto", default="auto"
        Rows in an optimiser step. "auto" is 256 for fewer than 2000 rows, else 512.
    learning_rate_init : float, default=0.002
        Step size of AdamW after warm-up; it falls to zero along a cosine.
    warm_start : bool, default=False
        Whether `fit` begins with the weights of the last fit, on a table of the same columns and categories.
    checkpoint : str or path-like, default=None
        Folder for the state of the training, a file for each table and set of parameters. A fit that was killed goes on
        from there to the same bits; one that was whole is not trained again. Needs an int as `random_state`.
    early_stopping : bool, default=True
        Whether to stop when the held-out loss has not fallen for 10 evaluations of 40, and to keep the best weights.
    validation_fraction : float, default=0.1
        Fraction of the rows held out, at most 1000 rows.
    n_steps : int, default=16
        Steps of the second-order solver of the reverse process.
    corrector : "auto", classifier or None, default="auto"
        A classifier of the rows against samples: by its odds samples are drawn again. Kept where held-out rows become
        more probable by it, and not tried below 2000 rows, without training, with noise or contraction, or after
        `max_time`. "auto" is gradient-boosted trees; others get NaN in missing cells and the index for a category.
    device : str, default="auto"
        "cpu", or a GPU of CUDA such as "cuda" or "cuda:1"; "auto" takes a GPU where there is one.
    n_jobs : int or None, default=None
        Threads that draw samples.
    verbose : int, default=0
        1 shows a bar for each stage of `fit` and for `sample`, on stderr, with the loss and the time that is left; 2
        prints the loss at each evaluation, what the corrector gains and the seconds of each stage, for logs.
    random_state : int, RandomState or None, default=None
        Seed of the fit and, by default, of the samples: with an int, `sample` returns the same rows at each call.

    Attributes
    ----------
    manifold_ : transformer
        The fitted clone. With "passthrough" it is not there, nor are the next three.
    manifold_scores_ : ndarray of shape (n_manifolds,)
        Mean log-density, in the code, of rows held out from clusters of each embedding: the higher the better.
    embedding_ : ndarray of shape (n_samples, n_components)
        Coordinates of the training rows, of mean 0 and variance 1; NaN for rows of weight 0.
    intrinsic_dimension_ : NamedTuple of two float
        Directions in which neighbours vary: `maximum_likelihood` (Levina & Bickel 2004), `local_pca` (Fukunaga 1971).
    noise_level_ : ndarray of shape (n_features,)
        Standard deviation of the measurement noise of each column.
    numeric_ : str
        The code of numbers, which "auto" chooses.
    contraction_, sigma_start_ : float
        Strength by which samples are moved to the manifold, and noise level of the starts of `sample()`.
    loss_curve_, validation_loss_curve_ : list of float
        Mean training loss and held-out loss, one entry an evaluation.
    corrector_ : Corrector or None
        Its `classifier`, the power `alpha` of the odds, its `gain` in held-out log-density and `gain_error`, or None.
    n_iter_, stop_reason_ : int, str
        Optimiser steps taken, and why training ended: "max_iter", "early_stopping", "max_time", "diverged" or, if a
        callback of scikit-learn asked for it, "callback".
    fit_time_ : float
        Seconds that `fit` took. Model files do not hold it.
    constraints_ : list of tuple
        The constraints held: those given, then those that "auto" found.
    classes_ : ndarray of shape (n_classes,)
        The classes of a target that has them.
    n_features_in_, feature_names_in_ : int, ndarray of str
        The number of columns and, where all are strings, their names.

    References
    ----------
    Karras et al. (2022), Elucidating the design space of diffusion-based generative models. Daras et al. (2023),
    Ambient diffusion: learning clean distributions from corrupted data.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmdiff import ManifoldDiffusionSampler
    >>> X = load_iris().data
    >>> sampler = ManifoldDiffusionSampler(max_iter=50, random_state=0).fit(X)
    >>> sampler.sample(3).shape
    (3, 4)
    """

    def __init__(
        self,
        manifold: Any = None,
        *,
        sigma_start: float | str = "auto",
        n_neighbors: int = 15,
        max_landmarks: int = 2000,
        noise_level: ArrayLike | None = None,
        contraction: float | str = "auto",
        manifold_weight: float | str = "auto",
        categorical_features: ArrayLike | None = "from_dtype",
        numeric: str = "auto",
        constraints: Sequence[tuple | str] | str | None = "auto",
        target_type: str = "auto",
        hidden_layer_sizes: Sequence[int] | str = "auto",
        max_iter: int | str = "auto",
        max_time: float | None = None,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.002,
        warm_start: bool = False,
        checkpoint: str | PathLike | None = None,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_steps: int = 16,
        corrector: Any = "auto",
        device: str = "auto",
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: Seed = None,
    ) -> None:
        self.manifold = manifold
        self.sigma_start = sigma_start
        self.n_neighbors = n_neighbors
        self.max_landmarks = max_landmarks
        self.noise_level = noise_level
        self.contraction = contraction
        self.manifold_weight = manifold_weight
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.constraints = constraints
        self.target_type = target_type
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.max_time = max_time
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_steps = n_steps
        self.corrector = corrector
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> ManifoldDiffusionSampler:
        """Learn the distribution of a table.

        A fit that fails leaves an estimator that is not fitted, whatever it was before. Callbacks of scikit-learn (1.9
        or later, `set_callbacks`) are called for each stage and each evaluation of the training.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            A DataFrame of pandas or polars, or what makes a 2-D array. Cells may be missing (NaN, None, pd.NA, NaT,
            null), in every column, also all cells of a column.
        y : array-like of shape (n_samples,), default=None
            A target, learnt jointly with X, to be chosen or returned at `sample`: see `target_type`.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights of the rows, finite, at least 0; only their ratios matter, and rows of weight 0 are left out.

        Returns
        -------
        self : ManifoldDiffusionSampler

        Raises
        ------
        ValueError, TypeError
            For a table, weights or a parameter that cannot be used; the message names it, the rule and the value.
        """
        former = getattr(self, "_model", None)
        self._forget()
        try:
            with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
                self._fit(X, y, sample_weight, former)
        except BaseException:
            self._forget()
            raise
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, former: FittedModel | None) -> None:
        started, params = time.perf_counter(), self.get_params(deep=False)
        check_parameters(params)
        settings = settings_of(params, former)
        load_backend().resolve_device(self.device)
        random_state = random_stream(self.random_state)
        table = self._read_training(X)
        given = {"X": X, "y": y, "metadata": None if sample_weight is None else {"sample_weight": sample_weight}}
        y = None if y is None else read_target(y, len(table))
        table, y, weight, seen = rows_with_weight(table, y, check_weight(sample_weight, len(table)))

        def learnt(fitted: Fitted) -> dict[str, Any]:
            attributes = attributes_of(fitted, seen)
            return {**attributes, "_model": fitted.model, "fit_time_": time.perf_counter() - started}

        with shown(self.verbose) as bar:
            tasks = Tasks(self, given, N_STAGES, learnt)
            fitted = fit_table(table, y, weight, params, settings, random_state, Several([bar, tasks]))
        self.__dict__.update(learnt(fitted))
        tasks.end(fitted)
        warn_if_diverged(fitted.history, self.learning_rate_init)

    def sample(
        self,
        n_samples: int = 1,
        *,
        y: Any = None,
        conditions: Any = None,
        density: str = "data",
        design: str = "iid",
        missing: str = "generate",
        return_y: bool = False,
        random_state: Seed = None,
    ) -> Any:
        """Draw new rows.

        The rows depend on the seed and on their number only: the first k of n rows are the k rows of a smaller
        call (not with design="stratified"), and `n_jobs` changes nothing.

        Parameters
        ----------
        n_samples : int, default=1
        y : scalar, array-like of shape (n_samples,) or dict, default=None
            Targets that the rows are to have, as seen in `fit`: one for all or one a row. A dict gives shares of
            classes, of any sum, 0 for those left out.
        conditions : dict, list of dict, or DataFrame, default=None
            What the rows are to have in some columns. A dict, by the name or, in an array, the index of a column: a
            value; a pair (low, high), None for an open end, of numbers or dates; a list or set of categories. A list
            of dicts or a frame of some of the columns gives one condition a row; what is missing there is free.
            Samples have just these cells, the others follow their distribution given them.
        density : {"data", "balanced", "uniform"}, default="data"
            Distribution of the starts over the manifold. "data" is that of the table; "balanced" gives every class
            the same share or, fitted without classes, every cluster of the embedding; "uniform" is uniform in volume,
            to explore where the table has few rows: length or area in the table, with each column in its standard
            deviations. The denoiser pulls samples back to the distribution of the table, but the classes of "balanced"
            stay.
        design : {"iid", "stratified"}, default="iid"
            "stratified" takes of each mode of the table, or of the class that `y` gives, as many rows as it has mass,
            rounded up or down: a batch meets more modes, while each row by itself has the same distribution.
        missing : {"generate", "fill"}, default="generate"
            "generate" makes cells missing as often as in the table, and with the same dependence on other columns;
            "fill" returns the same rows with every cell filled.
        return_y : bool, default=False
            Whether to return ``(X, y)``.
        random_state : int, RandomState or None, default=None
            Seed of the samples. None takes that of the estimator: if it is an int, each call returns the same rows.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            In the container, columns and dtypes of the table given to `fit`; the index of a pandas frame is a new one.
        y : ndarray of shape (n_samples,)
            The targets of the rows, only if `return_y`.

        Raises
        ------
        ValueError
            If a target, column, category, number or range was not seen in `fit`, there was no target, or arguments
            exclude each other: `density` and `design` need a manifold and no `conditions`; conditions must not
            contradict `constraints`. For more rows than memory can hold.
        """
        model = fitted_model(self)
        check_rows(n_samples, "n_samples", self.n_features_in_)
        check_option(missing, "missing", {"generate", "fill"})
        run = self._run(model, random_state)
        if model.target is None and (y is not None or return_y):
            raise ValueError(f"y={y!r}, return_y={return_y!r} need a target, but the sampler was fitted with y=None.")
        wanted = None if y is None else model.target.encode_wanted(y, n_samples, run.seed)
        with shown(self.verbose) as progress:
            request = Request(n_samples, wanted, conditions, density, design)
            W, resolved = draw(model, request, replace(run, progress=progress))
        lacking = draw_missing(model, W, run.seed, resolved) if missing == "generate" else {}
        X = decode_samples(model, W, resolved, lacking)
        # the codes asked for, not those that went through the denoiser in single precision
        return (X, model.target.decode(W[:, model.n_outputs :] if wanted is None else wanted)) if return_y else X

    def denoise(self, X: Any) -> Any:
        """Rows without their measurement noise: an estimate of E[clean row | row with as much noise added again].

        By the denoiser at the noise level of the columns, then moved onto the surface where clean rows lie on one.
        Columns without noise and missing cells stay.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with the noise that `fit` was told of.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If the sampler was fitted without noise.
        """
        model = fitted_model(self)
        if not model.noise.of_columns.any():
            raise ValueError(f"denoise needs a noise_level above 0, got noise_level={self.noise_level!r}.")
        return exploration.denoise(model, self._read(model, X))
