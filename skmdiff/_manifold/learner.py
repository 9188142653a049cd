"""Any scikit-learn-like transformer as a map between a table and its embedding.

W (n, p) is the encoded table, z (n, k) its embedding by the transformer's `fit_transform`, each coordinate centred
and scaled to unit variance. t-SNE, MDS or SpectralEmbedding offer nothing more, so all else is made here from the
pairs (z, W), by the neighbours of rows and by local regression:

    embed  W -> z    the `transform` of the transformer where it treats rows one by one (UMAP's does not), else a
                     weighted mean over the nearest rows that have an embedding
    lift   z -> W    local regression m(z)

The transformer sees distinct rows only (t-SNE tears copies apart, LLE and Isomap fail on many), and above
`max_landmarks` a random subset of them, the landmarks; every other row is embedded as a new row would be.
"""

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from .._numerics.neighbors import carry, in_blocks, neighbor_graph
from .._numerics.warnings_ import warn_user
from .compat import (
    allowed_parameters,
    alone,
    announcements_ignored,
    class_name,
    known_not_row_wise,
    leaf,
    parameters,
    refuse_distances,
    solvers_without_chance,
    takes_positive_only,
)
from .dimension import estimate_dimension
from .lift import choose_lift

CARRY_NEIGHBORS = 8
ROUNDING = 1e-6  # relative spread of a coordinate, or difference of two transforms, that is rounding
PROBE_ROWS = 32


class ManifoldModel:
    """Embedding, lift and neighbours of a table by a user's transformer.

    Parameters
    ----------
    transformer : object
        Has `fit_transform(X)`, or `fit(X)` that leaves `embedding_`. It is cloned, never fitted itself.
    n_neighbors : int, default=10
        Neighbours a row in `neighbors_`.
    max_landmarks : int, default=2000
        Rows the transformer is fitted on at most.
    random_state : int, default=None
        Seed of the landmarks, and of the transformer wherever it has a `random_state` that is None.

    Attributes
    ----------
    transformer_ : object
        The fitted clone.
    embedding_ : ndarray of shape (n, k)
        z of every row. `embedding_ * scale_ + center_` is what the transformer returned.
    landmarks_ : ndarray of shape (n_landmarks,)
        Rows the transformer was fitted on, ascending: all rows unless there are copies or more than `max_landmarks`.
    intrinsic_dimension_ : IntrinsicDimension
    lift_ : Lift
        Of `embedding_ * shape_`, shape_ (k,) the spread of the transformer's coordinates over that of the widest: a
        neighbourhood is as long in all directions on the manifold, not in units of each coordinate.
    """

    def __init__(
        self, transformer: Any, *, n_neighbors: int = 10, max_landmarks: int = 2000, random_state: int | None = None
    ) -> None:
        self.transformer = transformer
        self.n_neighbors = n_neighbors
        self.max_landmarks = max_landmarks
        self.random_state = random_state

    def fit(self, W: np.ndarray, seen: np.ndarray | None = None) -> "ManifoldModel":
        """Fit to W (n, p), finite floats; the transformer is given the columns `seen`, (p,) of bool, or all."""
        W = np.ascontiguousarray(W, dtype=np.float64)
        self.seen_ = np.ones(W.shape[1], dtype=bool) if seen is None else seen
        check_transformer(self.transformer)
        distinct, inverse = distinct_rows(self._view(W))
        self.landmarks_ = choose_landmarks(distinct, self.max_landmarks, self.random_state)
        self._fit_transformer(W)
        self.embedding_ = self._embed_all(W, distinct, inverse)
        self.shape_ = self.scale_ / self.scale_.max()
        self.intrinsic_dimension_ = estimate_dimension(self._view(W), self.random_state)
        self.lift_ = choose_lift(self.shaped_embedding, W, self.random_state)
        return self

    @cached_property
    def neighbors_(self) -> np.ndarray:
        """(n, n_neighbors), see `neighbor_graph`."""
        return neighbor_graph(self.embedding_, self.n_neighbors, W=self.table_)

    @property
    def shaped_embedding(self) -> np.ndarray:
        """(n, k) the embedding, its coordinates as wide to each other as the transformer made them."""
        return self.embedding_ * self.shape_

    @property
    def n_dimensions(self) -> int:
        """Directions in which neighbours vary, at most those of the embedding."""
        return min(round(self.intrinsic_dimension_.local_pca), self.embedding_.shape[1])

    def _fit_transformer(self, W: np.ndarray) -> None:
        self.table_ = W
        landmarks = self._view(W)[self.landmarks_]
        self.floor_ = landmarks.min(axis=0) if takes_positive_only(self.transformer) else None
        self.transformer_ = prepare(self.transformer, landmarks.shape, self.random_state)
        raw = fit_embedding(self.transformer_, self._shifted(landmarks), self.random_state)
        self.landmark_embedding_ = raw
        with alone(self.transformer_, self.random_state):
            self.row_wise_ = is_row_wise(self.transformer_, self._shifted(landmarks), raw)

    def _view(self, W: np.ndarray) -> np.ndarray:
        """The columns of W that the transformer is given."""
        return W if self.seen_.all() else np.ascontiguousarray(W[:, self.seen_])

    def _shifted(self, W: np.ndarray) -> np.ndarray:
        """W as the transformer takes it: less the column minima of the landmarks where it needs W >= 0."""
        return W if self.floor_ is None else np.maximum(W - self.floor_, 0.0)

    def _embed_all(self, W: np.ndarray, distinct: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        raw = np.empty((len(W), self.landmark_embedding_.shape[1]))
        raw[self.landmarks_] = self.landmark_embedding_
        others = np.setdiff1d(distinct, self.landmarks_)
        if others.size:
            raw[others] = self._raw_embedding(self._view(W)[others])
        raw = raw[distinct][inverse]
        self.center_, self.scale_ = raw.mean(axis=0), robust_scale(raw, self.transformer_)
        return (raw - self.center_) / self.scale_

    def _raw_embedding(self, W: np.ndarray) -> np.ndarray:
        landmarks = self._view(self.table_)[self.landmarks_]
        if not self.row_wise_:
            return carry(landmarks, self.landmark_embedding_, W, CARRY_NEIGHBORS)
        if self.transformer_ is None:
            raise ValueError(
                "New rows need the manifold learner, which is not in the model file. Fit with a PCA, or keep the "
                "sampler by joblib."
            )
        with alone(self.transformer_, self.random_state):
            return in_blocks(lambda rows: transform(self.transformer_, self._shifted(rows)), W, landmarks[0])

    def embed(self, W: np.ndarray) -> np.ndarray:
        """Embedding (m, k) of new rows W (m, p); a row's does not depend on the others."""
        W = np.ascontiguousarray(W, dtype=np.float64)
        return (self._raw_embedding(self._view(W)) - self.center_) / self.scale_

    def lift(self, Z: np.ndarray) -> np.ndarray:
        """Rows m(z), (m, p), of the table at points Z (m, k) of the embedding."""
        return self.lift_.values(np.ascontiguousarray(Z, dtype=np.float64) * self.shape_)


# ---- rows -------------------------------------------------------------------------------------------------------


def distinct_rows(W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the first of each set of equal rows, and (n,) positions among them: W == W[first][inverse]."""
    if len(W) < 2:
        raise ValueError(f"a manifold needs at least 2 samples, got n_samples={len(W)}")
    keys = np.ascontiguousarray(W + 0.0).view(np.dtype((np.void, W.itemsize * W.shape[1]))).ravel()  # -0.0 -> 0.0
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) < 2:
        raise ValueError(f"a manifold needs at least 2 distinct rows, got 1 in {len(W)} samples")
    return first, inverse.ravel()


def choose_landmarks(distinct: np.ndarray, max_landmarks: int, seed: int | None) -> np.ndarray:
    """All distinct rows, or `max_landmarks` of them at random; ascending."""
    if len(distinct) > max_landmarks:
        distinct = np.random.RandomState(seed).choice(np.sort(distinct), max_landmarks, replace=False)
    return np.sort(distinct)


def robust_scale(raw: np.ndarray, transformer: object) -> np.ndarray:
    """Standard deviations (k,), the largest for a coordinate that is constant up to rounding: it stays near 0."""
    spread = raw.std(axis=0)
    largest = spread.max()
    if largest <= ROUNDING**2 * np.abs(raw).max():
        message = f"manifold {class_name(transformer)} gave every row the same embedding"
        warn_user(message)
        return np.ones_like(spread)
    return np.where(spread > ROUNDING * largest, spread, largest)


# ---- the transformer --------------------------------------------------------------------------------------------


def check_transformer(transformer: object) -> None:
    """Refuse what cannot be a manifold before anything is computed."""
    if isinstance(transformer, type):
        raise TypeError(
            f"manifold must be an instance of a transformer, got the class {transformer.__name__}; "
            f"write {transformer.__name__}()"
        )
    if not hasattr(transformer, "fit_transform") and not hasattr(transformer, "fit"):
        raise TypeError(
            "manifold must be 'passthrough', None or a transformer with fit_transform, or fit and embedding_; "
            f"{class_name(transformer)} has not, got {transformer!r:.80}"
            + (", wrap it in a FunctionTransformer" if callable(transformer) else "")
        )
    refuse_distances(transformer)


def prepare(transformer: Any, shape: tuple[int, int], seed: int | None) -> Any:
    """A clone, seeded where it has no seed, its parameters within what (n, p) data allow, without needless chance."""
    copy = clone(transformer, safe=False)
    values, allowed = parameters(copy), allowed_parameters(copy, *shape)
    if allowed:
        changes = ", ".join(f"{name}={values[name]} -> {value:.6g}" for name, value in allowed.items())
        warn_user(
            f"manifold {class_name(copy)}: {changes}, the most that {shape[0]} distinct rows and {shape[1]} feature(s) "
            "allow"
        )
    seeds = {} if seed is None else {n: seed for n, v in values.items() if leaf(n) == "random_state" and v is None}
    new = {**allowed, **seeds, **solvers_without_chance(copy, shape[0])}
    if new:
        copy.set_params(**new)
    return copy


def fit_embedding(transformer: Any, W: np.ndarray, seed: int | None) -> np.ndarray:
    """Fit on W (n, p) and return the embedding (n, k) as checked floats."""
    with alone(transformer, seed), announcements_ignored():
        try:
            result = _fit_transform(transformer, W)
        except (Warning, MemoryError):
            raise
        except Exception as error:
            n, p = W.shape
            raise ValueError(
                f"manifold {class_name(transformer)} failed on {n} samples and {p} feature(s) (n_features={p}): {error}"
            ) from error
    return check_embedding(result, transformer, len(W))


def _fit_transform(transformer: Any, W: np.ndarray) -> Any:
    if hasattr(transformer, "fit_transform"):
        return transformer.fit_transform(W)
    transformer.fit(W)
    return getattr(transformer, "embedding_", None)


def check_embedding(result: Any, transformer: object, n: int) -> np.ndarray:
    """`result` as a float array (n, k), or an error that says what is wrong with it."""
    name = class_name(transformer)
    if result is None:
        raise TypeError(f"manifold must have fit_transform, or fit and embedding_; {name} has not, or returned None")
    if np.iscomplexobj(result):
        raise ValueError(f"manifold {name} must return real numbers, got complex ones")
    try:
        Z = np.array(result.toarray() if issparse(result) else result, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"manifold {name} must return numbers, got {type(result).__name__}: {error}") from error
    if Z.ndim != 2 or Z.shape[0] != n or Z.shape[1] == 0:
        raise ValueError(f"manifold {name} must return an array of shape ({n}, k), k >= 1, got shape {Z.shape}")
    if not np.isfinite(Z).all():
        raise ValueError(f"manifold {name} must return finite numbers, got {np.sum(~np.isfinite(Z))} NaN or infinite")
    return Z


def transform(transformer: Any, W: np.ndarray) -> np.ndarray:
    """The embedding (m, k) of new rows W (m, p) by the `transform` of the transformer."""
    return check_embedding(transformer.transform(W), transformer, len(W))


def is_row_wise(transformer: Any, W: np.ndarray, Z: np.ndarray) -> bool:
    """Whether `transform` treats rows one by one and puts landmarks where `fit_transform` put them.

    Tried on landmarks and on points between them.
    """
    if known_not_row_wise(transformer) or not hasattr(transformer, "transform"):
        return False
    rows = np.linspace(0, len(W) - 1, min(len(W), PROBE_ROWS)).astype(int)
    probe = np.concatenate([W[rows], (W[rows] + W[rows[::-1]]) / 2])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            every = in_blocks(lambda X: transform(transformer, X), probe, W[0])
            part = in_blocks(lambda X: transform(transformer, X), probe[::3], W[-1])
    except Exception:  # a transform that raises on new rows, whatever it raises, is of no use here
        return False
    spread = max(Z.std(axis=0).max(), np.finfo(float).tiny)
    agrees = every.shape[1] == Z.shape[1] and np.median(np.abs(every[: len(rows)] - Z[rows])) < 0.25 * spread
    return bool(agrees and np.abs(every[::3] - part).max() <= ROUNDING * spread)
