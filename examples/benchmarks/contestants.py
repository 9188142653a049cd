"""Who takes part in the benchmark of the promises: the sampler, its controls, and references from outside.

All samplers that start on a manifold share one trained denoiser, so that they differ in their starts alone; plain
diffusion ("passthrough") has another one, trained for as many steps on all levels up to pure noise. Two controls are
for the mixture in the denoiser: it alone, without a network, and the network alone, without it.
"""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity, NearestNeighbors
from sklearn.preprocessing import FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection

from skmdiff import ManifoldDiffusionSampler


class Permuted(TransformerMixin, BaseEstimator):
    """An embedding whose rows are dealt out again at random: same cloud, wrong neighbours."""

    def __init__(self, transformer, seed=0):
        self.transformer = transformer
        self.seed = seed

    def fit(self, X, y=None):
        """Fit the embedding."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X, y=None):
        """The embedding of other rows."""
        Z = clone(self.transformer).fit_transform(X)
        return np.random.default_rng(self.seed).permutation(Z)


class Given(TransformerMixin, BaseEstimator):
    """Coordinates that are known, for as many rows in the same order."""

    def __init__(self, Z):
        self.Z = Z

    def fit(self, X, y=None):
        """Nothing is to be fitted."""
        return self

    def fit_transform(self, X, y=None):
        """The coordinates."""
        return self.Z


def starts(seed, manifold=None, truth=None):
    """Parameters of the sampler and of the controls that start on a manifold, by name."""
    wrong = PCA(8) if manifold is None else manifold
    out = {
        "manifold": dict(manifold=manifold),
        "permuted": dict(manifold=Permuted(wrong, seed)),
        "random projection": dict(manifold=GaussianRandomProjection(2, random_state=seed)),
        "rows": dict(manifold=manifold, n_neighbors=0),
        "table's neighbours": dict(manifold=FunctionTransformer()),
    }
    if truth is not None:
        out["true coordinates"] = dict(manifold=Given(truth))
    return out


def fit(X, steps, seed, **parameters):
    """A sampler trained for so many steps, or, with "auto", as by default."""
    settings = dict(max_iter=steps, max_landmarks=10**6, random_state=seed, early_stopping=steps == "auto")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # clamped components, a neighbour graph in several parts
        return ManifoldDiffusionSampler(**{**settings, **parameters}).fit(X)


def fit_together(X, steps, seed, variants, **parameters):
    """Samplers by name that share one denoiser, trained up to the highest level any of them starts from."""
    fitted = {name: fit(X, 1, seed, **{**parameters, **own}) for name, own in variants.items()}
    level = max(est.sigma_start_ for est in fitted.values())
    trained = fit(X, steps, seed, **{**parameters, **variants["manifold"], "sigma_start": level})
    for est in fitted.values():
        est._model = replace(est._model, denoiser=trained._model.denoiser)
    return fitted


def at_memorisation(est, n, memorisation_of, wanted, levels):
    """Rows of a sampler from the noise level whose memorisation is nearest to the one wanted, of levels that it learnt.

    The noise level is a part of the fitted model: it is set, and put back.
    """
    chosen, best = est._model, None
    for level in levels:
        est._model = replace(chosen, sigma_start=level)
        rows = est.sample(n)
        error = abs(memorisation_of(rows) - wanted)
        if best is None or error < best[0]:
            best = error, rows
    est._model = chosen
    return best[1]


def interpolated(X, n, seed, n_neighbors=5):
    """Rows between a row and one of its nearest, as SMOTE has them (Chawla et al. 2002)."""
    rng = np.random.default_rng(seed)
    near = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(X).kneighbors(X, return_distance=False)[:, 1:]
    i = rng.integers(0, len(X), n)
    j = near[i, rng.integers(0, n_neighbors, n)]
    return X[i] + rng.random((n, 1)) * (X[j] - X[i])


def degree_corrected(X, n, seed, n_neighbors=10):
    """Rows from local normals, more where rows are sparse, in the manner of SUGAR (Lindenbaum et al. 2018)."""
    rng = np.random.default_rng(seed)
    distances, near = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(X).kneighbors(X)
    bandwidth = np.median(distances[:, -1])
    spread, around = NearestNeighbors(n_neighbors=min(len(X), 200)).fit(X).kneighbors(X)
    degree = np.exp(-(spread**2) / (2 * bandwidth**2)).sum(axis=1)
    i = rng.choice(len(X), n, p=(1 / degree) / (1 / degree).sum())
    patches = X[near[i]]
    centred = patches - patches.mean(axis=1, keepdims=True)
    return X[i] + np.einsum("mk,mkp->mp", rng.normal(size=near[i].shape), centred) / np.sqrt(n_neighbors + 1)


def references(X, n, seed, components=25):
    """Rows of methods from outside."""
    kernel = GridSearchCV(KernelDensity(), {"bandwidth": np.geomspace(0.02, 4, 9)}, cv=3).fit(X)
    mixture = GaussianMixture(min(components, len(X) // 10), reg_covar=1e-4, random_state=seed).fit(X)
    return {
        "SMOTE": interpolated(X, n, seed),
        "KernelDensity": kernel.best_estimator_.sample(n, random_state=seed),
        "GaussianMixture": mixture.sample(n)[0],
    }
