"""`ManifoldDiffusionSampler`: the estimator, thin over `_fitting`, `_sampling` and `_on_manifold`."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from .._manifold.noise import check_needs_manifold, check_noise_level
from .._numerics.checks import random_stream
from .._numerics.streams import draw_seed
from .._numerics.weights import check_weight
from .._table.checks import check_table
from .._table.codec import TableCodec, spread
from .._table.frames import is_frame
from .._table.target import Target, check_target, read_target
from .density import log_density
from .fitting import (
    Encoding,
    embedding_of_all,
    find_outliers,
    fit_denoiser,
    fit_manifold,
    fit_missingness,
    fit_noise,
    fit_source,
    rows_with_weight,
)
from .on_manifold import OnManifold
from .parameters import check_parameters
from .sampling import Sampling

STOP_WARNINGS = {
    "diverged": "The training loss grew out of bounds or was not finite after step {0} with learning_rate_init={1}: "
    "the best weights until then are kept. Try a smaller learning_rate_init.",
    "interrupted": "Training interrupted by the user after step {0}; the best weights until then are kept.",
}


class ManifoldDiffusionSampler(Sampling, OnManifold, DensityMixin, BaseEstimator):
    """Generator of new rows of a table: diffusion started on the manifold that a manifold learner finds.

    `fit` learns the distribution of a mixed table (numbers, dates, categories, with gaps or without), `sample` draws
    new rows from it: the same columns, dtypes and categories. A manifold learner embeds the rows; new rows start from
    the embedding, between neighbours, and a small neural network, the denoiser of a diffusion model, finishes them.

    "Sampler" means a generator of rows here, not the `fit_resample` of imbalanced-learn.

    Parameters
    ----------
    manifold : transformer, "passthrough" or None, default=None
        Any object with `fit_transform`: the classes of `sklearn.manifold` and `sklearn.decomposition`, UMAP, a
        Pipeline; with or without `transform`. It is cloned, and its `random_state`, where it has one that is
        None, is set from ours. It is given an array without names, the encoded table: a column of numbers is one
        column of it, one of categories as many as it has levels, of more than 50 levels 16. "passthrough" is plain
        diffusion from noise. None is a documented default, ``PCA(n_components=8)`` (fewer for narrow tables).
    manifold_weight : float, default=0.0
        Weight of a term of the training loss that regularises the denoiser by the manifold: the embedding of a row is
        to be read from its hidden layer. With a weight the denoiser is trained twice, with the term and without, and
        the held-out loss chooses; what it chose is `manifold_weight_`. On the tables measured the term gained nothing
        (docs/benchmarks/promises.md), so the default is 0.
    start : {"manifold", "noise"}, default="manifold"
        Where new rows start: on the manifold at the noise level `sigma_start`, or in pure noise at `sigma_max`.
    sigma_start : float or "auto", default="auto"
        Noise level, in standard deviations of a column, added to a start. "auto" is the smallest level, from 0.35,
        at which a test on held-out rows recognises few enough of the training rows started from: a share of
        16 / sqrt(n_samples) of the starts, at most half of them, beyond what chance recognises.
    n_neighbors : int, default=15
        Neighbours in the embedding whose spread a start is given; with 0 it is the row itself.
    max_landmarks : int, default=2000
        Rows that the manifold learner is fitted on; the others are carried to the embedding by neighbours.
    memory : str, joblib.Memory or None, default=None
        Where fitted manifolds are kept, as in `sklearn.pipeline.Pipeline`: settings of a search that share the table,
        the learner and an int as `random_state` fit it once.
    noise_level : None, float, array-like of shape (n_features,) or "auto", default=None
        Standard deviation of the measurement noise in the table, in the units of the columns: one for all numeric
        columns or one a column. Rows drawn are then rows without it: the denoiser learns at levels above the noise
        only and the rest is removed (Daras et al. 2023), and where the manifold is a surface of few dimensions that
        holds clean rows whole, rows are put on it. "auto" takes all that training rows stand off the manifold for
        noise, of a size to be found in each column. Cells given as `conditions` are cells as seen, with noise.
    contraction : float, default=0.0
        Share, from 0 to 1, of the way by which rows drawn are moved towards the manifold, to where they stand off it
        no farther than the training rows around them do. It is done in the numeric columns, by local charts. 1 keeps
        the local geometry of a table that lies on a surface; where rows fill the space it costs variety.
    contamination : None, float or "auto", default=None
        Share of the training rows, above 0 and at most 0.5, that are outliers and left out; "auto" is the threshold of
        `sklearn.neighbors.LocalOutlierFactor`, which finds them.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Categories among the columns: a mask, indices or names; "from_dtype" takes category, Enum, bool and string
        columns. Dates and durations are numbers unless named.
    numeric : {"quantile", "standard"}, default="quantile"
        Code of a number: normal scores, which keep integers, repeated values and bounds exactly; or mean 0 and
        standard deviation 1, which keeps the geometry of the columns.
    constraints : list of tuple (left, operator, right) or None, default=None
        What every table returned holds exactly. `left` is the name of a column, or its number in an array; the operator
        is "<=", "<", ">=", ">" or "multiple of"; `right` is a constant or, for an order, another column. A string on
        the right is always a column, "x0", "x1", ... in an array; all else is a constant: a number, and beside dates or
        durations a datetime, a timedelta or one of numpy or pandas. Numbers, dates and durations are compared with
        their like. "<" asks for a step at least: 1 for integers, the last decimal or the step of dates seen in
        `fit`, the next float elsewhere. Only rows drawn that break a constraint are moved, not much farther than they
        need to be (see the user guide), before gaps are made: with `missing="generate"` as with "fill". Rows of `fit`
        that break one, with no cell missing, are counted in a UserWarning.
    target_type : {"auto", "class", "number"}, default="auto"
        What the target is; "auto" takes floats that are not all integers for numbers, all else for classes.
    hidden_layer_sizes : tuple of int or "auto", default="auto"
        Width of each residual block of the denoiser; the first is the width of the trunk. "auto" is (128, 128)
        below 2000 rows to train on, (256, 256) from there.
    max_iter : int or "auto", default="auto"
        Optimiser steps. "auto" grows with the rows of the table, from 2000 to 7000.
    max_time : float or None, default=None
        Seconds after which training stops with the best weights so far; with `manifold_weight` half of them for each
        training.
    batch_size : int or "auto", default="auto"
        Rows in an optimiser step. "auto" is 256 below 2000 rows to train on, 512 from there.
    learning_rate_init : float, default=0.002
        Step size of AdamW after warm-up; it falls to zero along a cosine.
    early_stopping : bool, default=True
        Whether to hold rows out, stop when their loss no longer falls and keep the best weights.
    validation_fraction : float, default=0.1
        Share of the rows held out, at most 1000 rows.
    n_iter_no_change : int, default=10
        Evaluations (40 in `max_iter` steps) without a better held-out loss before training stops.
    n_steps : int, default=16
        Steps of the second-order solver; a row takes one more evaluation of the denoiser than that, and eight more
        where noise is removed.
    sigma_min, sigma_max : float, default=0.01, 10.0
        Smallest and largest noise level, in standard deviations of a column.
    rho : float, default=7.0
        Curvature of the grid of levels (Karras et al. 2022, equation 5).
    device : str, default="auto"
        A torch device; "auto" takes a GPU where there is one.
    n_jobs : int or None, default=None
        Threads that draw blocks of rows.
    verbose : int, default=0
        Whether to print the loss at each evaluation.
    random_state : int, RandomState or None, default=None
        Seeds training and, unless `sample` is given one of its own, the rows: with an int, `sample` returns the
        same rows at each call, as in `GaussianMixture`.

    Attributes
    ----------
    manifold_ : transformer
        The fitted clone; not there with "passthrough".
    embedding_ : ndarray of shape (n_samples, n_components)
        Coordinates of the training rows, each of mean 0 and variance 1; NaN for rows of weight 0.
    intrinsic_dimension_ : dict
        Two estimates of how many directions rows vary in close up: "maximum_likelihood" (Levina & Bickel 2004), from
        the distances to nearest rows, and "local_pca" (Fukunaga & Olsen 1971), from the variances around a row. Not
        there with "passthrough".
    noise_level_ : ndarray of shape (n_features,)
        Standard deviation of the noise of each column, 0 where there is none.
    outliers_ : ndarray of bool of shape (n_samples,)
        Training rows left out for outliers.
    sigma_start_ : float
        Noise level that rows start from.
    loss_curve_, validation_loss_curve_ : list of float
        Mean training loss and held-out loss, one entry an evaluation.
    manifold_weight_ : float
        `manifold_weight`, or 0 where the held-out loss was lower without.
    n_iter_ : int
        Optimiser steps taken.
    stop_reason_ : str
        Why training ended: "max_iter", "early_stopping", "max_time", "diverged" or "interrupted".
    classes_ : ndarray of shape (n_classes,)
        The classes of a target that has them.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where all are strings.

    References
    ----------
    Karras, Aittala, Aila, Laine (2022), Elucidating the design space of diffusion-based generative models.

    Daras, Shah, Dagan, Gollakota, Dimakis, Klivans (2023), Ambient diffusion: learning clean distributions from
    corrupted data.

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
        manifold=None,
        *,
        manifold_weight=0.0,
        start="manifold",
        sigma_start="auto",
        n_neighbors=15,
        max_landmarks=2000,
        memory=None,
        noise_level=None,
        contraction=0.0,
        contamination=None,
        categorical_features="from_dtype",
        numeric="quantile",
        constraints=None,
        target_type="auto",
        hidden_layer_sizes="auto",
        max_iter="auto",
        max_time=None,
        batch_size="auto",
        learning_rate_init=0.002,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=10,
        n_steps=16,
        sigma_min=0.01,
        sigma_max=10.0,
        rho=7.0,
        device="auto",
        n_jobs=None,
        verbose=0,
        random_state=None,
    ):
        self.manifold = manifold
        self.manifold_weight = manifold_weight
        self.start = start
        self.sigma_start = sigma_start
        self.n_neighbors = n_neighbors
        self.max_landmarks = max_landmarks
        self.memory = memory
        self.noise_level = noise_level
        self.contraction = contraction
        self.contamination = contamination
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.constraints = constraints
        self.target_type = target_type
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.max_time = max_time
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_steps = n_steps
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.rho = rho
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """Learn the distribution of a table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            A DataFrame of pandas or polars, or what makes a 2-D array. Cells may be missing (NaN, None, pd.NA, NaT,
            null), in every column and in whole columns.
        y : array-like of shape (n_samples,), default=None
            A target, learnt jointly with X, to be chosen or returned at `sample`: classes (integers, bools,
            strings) or numbers (floats that are not all whole).
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights of the rows, finite and at least 0: the distribution that is learnt is that of the table in which a
            row of weight 2 is there twice and one of weight 0 is not. Only their ratios count: with all the same it is
            the fit without. See the user guide for what the weights enter.

        Returns
        -------
        self : ManifoldDiffusionSampler

        Raises
        ------
        ValueError, TypeError
            For a table, weights or a parameter that cannot be used; the message names it, the rule and the value.
        """
        self._forget()
        try:
            self._fit(X, y, sample_weight)
        except BaseException:
            self._forget()
            raise
        return self

    def _fit(self, X, y, sample_weight):
        from .._diffusion import backend

        check_parameters(self)
        backend.resolve_device(self.device)
        random_state = random_stream(self.random_state)
        X = self._validate(X, reset=True)
        y = None if y is None else read_target(y, len(X))
        X, y, weight, seen = rows_with_weight(X, y, check_weight(sample_weight, len(X)))
        self.codec_ = TableCodec(self.categorical_features, self.numeric, constraints=self.constraints).fit(X, weight)
        check_noise_level(self.noise_level, self.codec_, X)
        if isinstance(self.manifold, str):
            check_needs_manifold(self.noise_level, self.contraction)
        y = None if y is None else check_target(y, len(X))
        self.target_ = None if y is None else Target(y, weight, self.target_type)
        if self.target_ is not None and self.target_.is_categorical:
            self.classes_ = self.target_.classes_
        seed = draw_seed(random_state)
        encoding = Encoding(self.codec_, self.target_, X, y, seed, weight)
        outliers = find_outliers(self, encoding)
        self.outliers_ = np.zeros(len(seen), dtype=bool)
        self.outliers_[seen] = outliers
        rows = encoding.some(np.flatnonzero(~outliers)) if outliers.any() else encoding
        self._fit_rows(rows, seed, draw_seed(random_state))
        if self.manifold_model_ is not None:
            self.embedding_ = spread(embedding_of_all(self.manifold_model_, encoding, outliers), ~seen)

    def _fit_rows(self, rows, seed, training_seed):
        """Fit to an encoded table."""
        self.manifold_model_ = model = fit_manifold(self, rows, seed)
        if model is not None:
            self.manifold_, self.intrinsic_dimension_ = model.transformer_, model.intrinsic_dimension_
        self.source_, self.sigma_start_ = fit_source(self, rows, model, seed)
        self.rows_ = rows.joint() if self.source_ is None else self.source_.rows
        self.row_weight_ = rows.weight
        self.deck_, self.gaps_ = rows.deck, fit_missingness(rows, seed)
        noise, self.noise_level_, self.cleaner_ = fit_noise(self, rows, model, seed)
        latents = None if model is None else model.embedding_
        self.denoiser_, history, self.manifold_weight_ = fit_denoiser(
            self, rows, self.sigma_start_, noise, latents, training_seed, self._report
        )
        self._keep(history)

    def _keep(self, history):
        self.loss_curve_, self.validation_loss_curve_ = history.loss_curve, history.validation_loss_curve
        self.n_iter_, self.stop_reason_ = history.n_iter, history.stop_reason
        if history.stop_reason in STOP_WARNINGS:
            warnings.warn(
                STOP_WARNINGS[history.stop_reason].format(self.n_iter_, self.learning_rate_init),
                ConvergenceWarning,
                stacklevel=5,
            )

    def score_samples(self, X):
        """Log-density of rows under the model, in nats.

        A probability for categories and for numbers written on a grid, integers and decimals, each value standing for
        all that rounds to it; a density in the units of the columns for numbers that vary continuously, but, with
        numeric="quantile", a probability for values that the table repeats: the mean over places in the interval of the
        code that such a value has. By the probability-flow ODE from the row to `sigma_start_` and the distribution of
        the starts there, in closed form; the trace of the Jacobian is exact up to 16 numeric columns and estimated with
        fixed probes above. A number outside of the range seen in `fit` costs a finite penalty; a level that it did not
        see costs log(n + 1) after n cells, beside the density of the other cells. Where `sigma_start_` is small, rows
        far from all training rows are rated lower than they deserve. For a row with gaps it is the density of the cells
        that are there; where the table of `fit` had gaps, times the probability that just these are. With a noise level
        it is the density of rows that have this noise once more, the finest that is learnt.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
        """
        check_is_fitted(self, "denoiser_")
        return log_density(self, self._validate(X, reset=False))

    def score(self, X, y=None, sample_weight=None):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _forget(self):
        """Drop every fitted attribute: a fit that fails leaves an estimator that is not fitted."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _validate(self, X, reset):
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return check_table(X, min_samples=2 if reset else 1)
        X = validate_data(
            self, X, reset=reset, dtype=None, ensure_all_finite=False, ensure_min_samples=2 if reset else 1
        )
        return check_table(X, min_samples=2 if reset else 1)

    def _report(self, history):
        if self.verbose:
            held_out = history.validation_loss_curve[-1:]
            shown = f", held-out loss {held_out[0]:.4f}" if held_out else ""
            print(f"step {history.n_iter}, loss {history.loss_curve[-1]:.4f}{shown}, {history.seconds:.0f} s")
