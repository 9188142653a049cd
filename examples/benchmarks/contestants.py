"""Who takes part in the benchmark of the promises: the sampler, its controls, and references from outside.

Each control is a fit of its own, with the mixture that its own embedding gives: the table itself as the embedding, one
dealt out to other rows, and a random projection. Others leave out a part: the mixture alone has no network, "no
mixture" only the network and the starts, and "passthrough" is plain diffusion from noise.
"""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection

from skmdiff import ManifoldDiffusionSampler

COMPONENTS, COVARIANCES = (1, 2, 4, 8, 16, 25), ("full", "tied", "diag", "spherical")


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


class Supervised(TransformerMixin, BaseEstimator):
    """UMAP that knows the classes of the rows, which come in the same order."""

    def __init__(self, classes, seed=0):
        self.classes = classes
        self.seed = seed

    def fit(self, X, y=None):
        """Fit the embedding."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X, y=None):
        """The embedding in four coordinates, by the table and the classes."""
        import umap

        return umap.UMAP(n_components=4, random_state=self.seed).fit_transform(X, self.classes)


def samplers(seed, manifold=None):
    """Parameters of the sampler and of its controls, by name."""
    embedding = PCA(8) if manifold is None else manifold
    return {
        "manifold": dict(manifold=manifold),
        "charts of the table": dict(manifold=FunctionTransformer()),
        "permuted": dict(manifold=Permuted(embedding, seed)),
        "random projection": dict(manifold=GaussianRandomProjection(2, random_state=seed)),
        "mixture alone": dict(manifold=manifold, max_iter=0),
        "no mixture": dict(manifold=manifold, manifold_weight=0),
        "passthrough": dict(manifold="passthrough"),
    }


def fit(X, steps, seed, y=None, **parameters):
    """A sampler trained for so many steps, or, with "auto", as by default."""
    settings = dict(max_iter=steps, max_landmarks=10**6, random_state=seed, early_stopping=steps == "auto")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # clamped components, a neighbour graph in several parts
        return ManifoldDiffusionSampler(**{**settings, **parameters}).fit(X, y)


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


def references(X, n, seed):
    """Rows of methods from outside, a Gaussian mixture with covariance and number chosen by held-out rows."""
    mixture = GaussianMixture(reg_covar=1e-4, random_state=seed)
    search = GridSearchCV(mixture, {"n_components": COMPONENTS, "covariance_type": COVARIANCES}, cv=3).fit(X)
    return {"SMOTE": interpolated(X, n, seed), "GaussianMixture": search.best_estimator_.sample(n)[0]}
