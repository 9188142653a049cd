"""The two halves of a fit: the manifold with the source on it, and the denoiser; thin over the rooms below."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils.validation import check_memory

from .._diffusion import load_backend
from .._manifold import noise as _cleaning
from .._manifold.charts import choose_charts
from .._manifold.learner import ManifoldModel
from .._numerics.checks import is_auto
from .._numerics.streams import MISSING_STREAM
from .._numerics.weights import relative_weight, rows_of
from .._starts.source import Source, build_source, choose_sigma_start
from .._table.codec import TableCodec, coded_columns
from .._table.frames import take_rows
from .._table.missing.hot_deck import HotDeck, fill, with_unknown_target
from .._table.missing.indicators import MissingnessModel
from .._table.target import Target
from .defaults import default_manifold, n_held_out, plan_training

OUTLIER_NEIGHBORS = 20


@dataclass(frozen=True)
class Encoding:
    """A table X with its target y, or without (None), the fitted codes of both, and what fills the gaps of X.

    weight : (n,) weights of the rows, 1 on average; None for all alike
    """

    codec: TableCodec
    target: Target | None
    X: object
    y: np.ndarray | None
    seed: int
    weight: np.ndarray | None = None

    @property
    def blocks(self):
        """The blocks of the encoded table, that of the target last."""
        target = [] if self.target is None else self.target.blocks(offset=self.codec.n_outputs_)
        return [*self.codec.blocks_, *target]

    @cached_property
    def deck(self):
        """What fills the gaps; None without gaps."""
        return HotDeck(self._raw(), self.blocks, self.seed, self.weight) if self.codec.n_indicators_ else None

    def table(self):
        """W (n, p) of the columns alone; gaps are filled as those of a new row, whose target is not known."""
        W = self.codec.encode(self.X)
        if self.deck is None:
            return W
        return self.deck.complete(with_unknown_target(W, self.deck.rows.shape[1]))[:, : W.shape[1]]

    def joint(self, random_state=None):
        """W (n, p) with the code of the target behind it, gaps filled."""
        W = self._raw(random_state)
        return W if self.deck is None else fill(W, self.deck.found, random_state)

    @property
    def missing(self):
        """(n, n_blocks) of bool, the missing cells; None without gaps."""
        if self.deck is None:
            return None
        of_table = np.isnan(self.codec.encode(self.X)[:, [block.start for block in self.codec.blocks_]])
        return np.pad(of_table, ((0, 0), (0, len(self.blocks) - len(self.codec.blocks_))))

    def some(self, rows):
        """The same of some rows."""
        return Encoding(
            self.codec,
            self.target,
            take_rows(self.X, rows),
            rows_of(self.y, rows),
            self.seed,
            rows_of(self.weight, rows),
        )

    def _raw(self, random_state=None):
        """The code of the rows, NaN in their gaps, but the middle of the code in a column that none of them has."""
        W = self.codec.encode(self.X, random_state)
        W[:, np.isnan(W).all(axis=0)] = 0.0
        return W if self.target is None else np.hstack([W, self.target.encode(self.y, random_state)])


def rows_with_weight(X, y, weight):
    """The table and the target of the rows whose weight (n,) is above 0, their relative weights, and which they are."""
    if weight is None:
        return X, y, None, np.ones(len(X), dtype=bool)
    seen = weight > 0
    places = np.flatnonzero(seen)
    if len(places) < 2:
        raise ValueError(f"sample_weight must be above 0 for at least 2 rows, got {len(places)} such row.")
    return take_rows(X, places), rows_of(y, places), relative_weight(weight[places]), seen


def find_outliers(sampler, encoding):
    """(n,) of bool, rows that stand apart from their neighbours: Breunig et al. 2000, "LOF"."""
    if sampler.contamination is None:
        return np.zeros(len(encoding.X), dtype=bool)
    detector = LocalOutlierFactor(
        n_neighbors=min(OUTLIER_NEIGHBORS, len(encoding.X) - 1), contamination=sampler.contamination
    )
    outliers = detector.fit_predict(encoding.table()) < 0
    if encoding.target is not None and encoding.target.is_categorical:
        lost = np.setdiff1d(encoding.y, encoding.y[~outliers])
        if len(lost):
            raise ValueError(
                f"contamination={sampler.contamination!r} must leave rows of every class in y, but takes "
                f"all of class {lost.tolist()[0]!r}."
            )
    return outliers


def embedding_of_all(model, encoding, outliers):
    """(n, k) embedding of all rows, that of the outliers as of new ones."""
    Z = np.empty((len(outliers), model.embedding_.shape[1]))
    Z[~outliers] = model.embedding_
    if outliers.any():
        Z[outliers] = model.embed(encoding.table()[outliers])
    return Z


def fit_manifold(sampler, encoding, seed):
    """The manifold model of a table by the sampler's learner; None with "passthrough"."""
    if isinstance(sampler.manifold, str) and sampler.manifold == "passthrough":
        return None
    W = encoding.table()
    transformer = default_manifold(*W.shape) if sampler.manifold is None else sampler.manifold
    model = ManifoldModel(transformer, max_landmarks=sampler.max_landmarks, random_state=seed % 2**32)
    return check_memory(sampler.memory).cache(_fit_model)(model, W)


def _fit_model(model, W):
    """A function of its arguments alone, for `memory` to keep."""
    return model.fit(W)


def fit_source(sampler, encoding, model, seed) -> tuple[Source | None, float]:
    """The source on the manifold and the level that rows start at; without one, noise at sigma_max."""
    if model is None or sampler.start == "noise":
        return None, float(sampler.sigma_max)
    target, y = encoding.target, encoding.y
    about_target = () if target is None else (target.values(y), target.is_categorical, target.width)
    source = build_source(
        encoding.joint(),
        model.embedding_,
        coded_columns(encoding.blocks),
        sampler.n_neighbors,
        *about_target,
        weight=encoding.weight,
    )
    if not is_auto(sampler.sigma_start):
        return source, float(sampler.sigma_start)
    return source, choose_sigma_start(
        source, model.embedding_, sampler.n_neighbors, sampler.sigma_min, sampler.sigma_max, np.random.default_rng(seed)
    )


def fit_missingness(encoding, seed):
    """The model of what is missing; None where nothing is."""
    if not encoding.codec.n_indicators_:
        return None
    W = encoding.joint(np.random.default_rng([seed, MISSING_STREAM]))  # not the numbers that chose the donors
    return MissingnessModel(W, encoding.codec.gaps(encoding.X), encoding.blocks, seed, encoding.weight)


def fit_noise(sampler, encoding, model, seed):
    """Noise (n_outputs,) in the code, (n_features,) in the units of the columns, and the cleaner that removes it."""
    codec, given = encoding.codec, sampler.noise_level
    levels = _cleaning.check_noise_level(given, codec, encoding.X)
    noise = _cleaning.noise_of_levels(codec, encoding.X, levels)
    wanted = model is not None and (is_auto(given) or noise.any() or sampler.contraction)
    charts = fit_charts(encoding, model, seed) if wanted else None
    if charts is None:
        return noise, levels, None
    measured = _cleaning.normal_residuals(charts, seed)
    if is_auto(given):
        noise[charts.surface] = measured.noise()
        levels = _cleaning.levels_of_noise(codec, noise)
    return noise, levels, _cleaning.make_cleaner(charts, measured, noise[charts.surface], sampler.contraction)


def fit_charts(encoding, model, seed):
    """Charts of the numbers of a table on its manifold; None where the numbers leave no direction off it."""
    surface = ~coded_columns(encoding.codec.blocks_)
    d = round(model.intrinsic_dimension_["local_pca"])
    d = min(d, model.embedding_.shape[1])
    if surface.sum() <= d:
        return None
    return choose_charts(model.table_, model.embedding_ * model.shape_, surface, d, seed)


def fit_denoiser(sampler, encoding, sigma_start, noise, latents, seed, report):
    """The denoiser trained up to the level sigma_start, the history of its training, and the weight of the manifold.

    With a `manifold_weight` it is trained twice, with that weight and without, each for half of `max_time`; the
    held-out loss chooses, and without early stopping the weight is kept.

    Parameters
    ----------
    noise : (n_outputs,) noise of the rows, in the code
    latents : (n, k) embedding of the rows, or None
    """
    twice = latents is not None and sampler.manifold_weight > 0
    seconds = sampler.max_time if sampler.max_time is None or not twice else sampler.max_time / 2
    fitted = _train(sampler, encoding, sigma_start, noise, None, seed, report, seconds)
    if not twice or fitted[1].stop_reason == "interrupted":
        return *fitted, 0.0
    regular = _train(sampler, encoding, sigma_start, noise, latents, seed, report, seconds)
    losses = [min(history.validation_loss_curve, default=np.inf) for _, history in (regular, fitted)]
    if losses[0] < losses[1] or not sampler.early_stopping:
        return *regular, sampler.manifold_weight
    return *fitted, 0.0


def _train(sampler, encoding, sigma_start, noise, latents, seed, report, max_time):
    backend = load_backend()
    rng = np.random.default_rng(seed)
    W = encoding.joint()
    order = rng.permutation(len(W))
    n_out = n_held_out(len(W), sampler.validation_fraction) if sampler.early_stopping else 0
    held_out, rows = order[:n_out], order[n_out:]
    target = None if encoding.target is None else len(encoding.codec.blocks_)
    plan, shape = plan_training(sampler, len(rows), encoding.blocks, sigma_start, target, noise)
    training = encoding.some(rows)
    plan = replace(plan, missing=training.missing, max_time=max_time)
    if encoding.weight is not None:
        plan = replace(plan, ends=np.cumsum(training.weight), held_out_weight=encoding.weight[held_out])
    if latents is not None:
        plan = replace(plan, latents=latents[rows], manifold_weight=sampler.manifold_weight)
    return backend.fit_denoiser(
        lambda: training.joint(rng),
        W[held_out] if n_out else None,
        encoding.blocks,
        shape,
        plan,
        device=sampler.device,
        seed=seed,
        report=report,
    )
