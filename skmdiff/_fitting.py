"""The two halves of a fit: the manifold with the source on it, and the denoiser; thin over the rooms below."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils.validation import check_memory

from . import _cleaning
from ._charts import choose_charts
from ._checks import is_auto, is_frame
from ._codec import TableCodec, coded_columns
from ._defaults import default_manifold, n_held_out, plan_training
from ._manifold import ManifoldModel
from ._source import Source, build_source, choose_sigma_start
from ._target import Target

OUTLIER_NEIGHBORS = 20


@dataclass(frozen=True)
class Encoding:
    """A table X with its target y, or without (None), and the fitted codes of both."""

    codec: TableCodec
    target: Target | None
    X: object
    y: np.ndarray | None

    @property
    def blocks(self):
        """The blocks of the encoded table, that of the target last."""
        target = [] if self.target is None else self.target.blocks(offset=self.codec.n_outputs_)
        return [*self.codec.blocks_, *target]

    def table(self, random_state=None):
        """W (n, p) of the columns alone."""
        return self.codec.encode(self.X, random_state)

    def joint(self, random_state=None):
        """W (n, p) with the code of the target behind it."""
        W = self.table(random_state)
        return W if self.target is None else np.hstack([W, self.target.encode(self.y, random_state)])

    def some(self, rows):
        """The same of some rows."""
        X = self.X.iloc[rows] if is_frame(self.X) else self.X[rows]
        return Encoding(self.codec, self.target, X, None if self.y is None else self.y[rows])


def find_outliers(sampler, encoding):
    """(n,) of bool, rows that stand apart from their neighbours: Breunig et al. 2000, "LOF"."""
    if sampler.contamination is None:
        return np.zeros(len(encoding.X), dtype=bool)
    detector = LocalOutlierFactor(n_neighbors=min(OUTLIER_NEIGHBORS, len(encoding.X) - 1),
                                  contamination=sampler.contamination)
    return detector.fit_predict(encoding.table()) < 0


def embedding_of_all(model, encoding, outliers):
    """(n, k) embedding of all rows, that of the outliers as of new ones."""
    Z = np.empty((len(outliers), model.embedding_.shape[1]))
    Z[~outliers] = model.embedding_
    if outliers.any():
        Z[outliers] = model.embed(encoding.some(outliers).table())
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
    source = build_source(encoding.joint(), model.embedding_, coded_columns(encoding.blocks), sampler.n_neighbors,
                          *about_target)
    if not is_auto(sampler.sigma_start):
        return source, float(sampler.sigma_start)
    return source, choose_sigma_start(source, model.embedding_, sampler.n_neighbors, sampler.sigma_min,
                                      sampler.sigma_max, np.random.default_rng(seed))


def fit_noise(sampler, encoding, model, seed):
    """Noise (n_outputs,) in the code, (n_features,) in the units of the columns, and the cleaner that removes it."""
    codec, given = encoding.codec, sampler.noise_level
    levels = _cleaning.check_noise_level(given, codec, encoding.X)
    noise = _cleaning.noise_of_levels(codec, encoding.X, levels)
    charts = None if model is None else fit_charts(encoding, model, seed)
    if charts is None or not (is_auto(given) or noise.any() or sampler.contraction):
        return noise, levels, None
    measured = _cleaning.normal_residuals(charts, seed)
    if is_auto(given):
        noise[charts.surface] = measured.noise()
        levels = _cleaning.levels_of_noise(codec, noise)
    if not sampler.contraction and not measured.are_noise(noise[charts.surface]):
        return noise, levels, None
    return noise, levels, _cleaning.make_cleaner(charts, measured, noise[charts.surface], sampler.contraction)


def fit_charts(encoding, model, seed):
    """Charts of the numbers of a table on its manifold; None where the numbers leave no direction off it."""
    surface = ~coded_columns(encoding.codec.blocks_)
    d = round(model.intrinsic_dimension_["local_pca"])
    d = min(d, model.embedding_.shape[1])
    if surface.sum() <= d:
        return None
    return choose_charts(model.table_, model.embedding_ * model.shape_, surface, d, seed)


def fit_denoiser(sampler, encoding, sigma_start, noise, seed, report):
    """The denoiser trained up to the level sigma_start, and the history of its training.

    noise : (n_outputs,) noise of the rows, in the code
    """
    from ._diffusion import backend

    rng = np.random.default_rng(seed)
    W = encoding.joint()
    order = rng.permutation(len(W))
    n_out = n_held_out(len(W), sampler.validation_fraction) if sampler.early_stopping else 0
    held_out, rows = order[:n_out], order[n_out:]
    target = None if encoding.target is None else len(encoding.codec.blocks_)
    plan, shape = plan_training(sampler, len(rows), encoding.blocks, sigma_start, target, noise)
    training = encoding.some(rows)
    return backend.fit_denoiser(
        lambda: training.joint(rng), W[held_out] if n_out else None, encoding.blocks, shape, plan,
        device=sampler.device, seed=seed, report=report)
