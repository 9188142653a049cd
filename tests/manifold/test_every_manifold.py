"""Everything a sampler does on its manifold, with five kinds of manifold learners, on arrays and on mixed tables.

PCA and Isomap transform new rows, t-SNE does not, UMAP's transform of a row depends on the others, and a Pipeline has
steps. tests/manifold/test_learner.py goes through all learners.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, Isomap
from sklearn.pipeline import make_pipeline

from skmdiff import ManifoldDiffusionSampler

PLANE, ISOMAP, FIXED, STEPS = PCA(2), Isomap(), TSNE(perplexity=10.0, max_iter=300), make_pipeline(PCA(3), Isomap())


def array():
    rng = np.random.default_rng(0)
    return rng.normal(size=(90, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(90, 6))


def mixed():
    frame = pd.DataFrame(array(), columns=list("abcdef"))
    frame["f"] = (3 * frame["f"]).round().astype(int)
    return frame.assign(kind=pd.Categorical(np.where(frame["a"] > 0, "up", "down")))


def fitted(learner, X, **parameters):
    est = ManifoldDiffusionSampler(
        learner, max_iter=2, hidden_layer_sizes=(8,), n_steps=2, random_state=0, max_landmarks=60, **parameters
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gaps in a neighbour graph, solvers cut short
        return est.fit(X)


def finite(rows, X):
    """Whether rows are of the kind of X and hold numbers that are."""
    if isinstance(X, pd.DataFrame):
        return (rows.dtypes == X.dtypes).all() and np.isfinite(rows.select_dtypes("number").to_numpy()).all()
    return rows.shape[1:] == X.shape[1:] and np.isfinite(rows).all()


def slow(*arguments):
    return pytest.param(*arguments, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("learner", "make"),
    [
        *[(PLANE, array), (ISOMAP, mixed), (FIXED, mixed), (STEPS, array)],
        *[slow(PLANE, mixed), slow(ISOMAP, array), slow(FIXED, array), slow(STEPS, mixed)],
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_everything_on_every_manifold(learner, make):
    X = make()
    est = fitted(learner, X, noise_level="auto", contraction=1.0)
    assert len(est.embedding_) == 90 and np.isfinite(est.embedding_).all()
    assert np.isfinite(est.noise_level_).all() and min(est.intrinsic_dimension_) >= 1
    for density in ("data", "balanced", "uniform"):
        for design in ("iid", "stratified"):
            assert finite(est.sample(6, density=density, design=design), X)
        assert np.isfinite(est.embedding_density(density).score_samples(est.embedding_[:4])).all()
    ends = X.iloc[[0, 50]] if isinstance(X, pd.DataFrame) else X[[0, 50]]
    assert finite(est.explore(5, path=ends), X)
    Z = est.embedding_
    assert finite(est.explore(5, region=(Z[0] - 0.5, Z[0] + 0.5)), X)
    if est.noise_level_.any():
        assert finite(est.denoise(X), X)


@pytest.mark.parametrize("learner", [PLANE, FIXED, slow(ISOMAP), slow(STEPS)], ids=lambda t: type(t).__name__)
def test_contracted_rows_are_nearer_to_the_plane(learner):
    """Rows of two dimensions in six columns: contraction moves what an untrained denoiser draws to their plane."""
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.normal(size=(6, 2)))[0]
    X = rng.uniform(-1, 1, (120, 2)) @ frame.T

    def off(rows):
        return np.linalg.norm(rows - rows @ frame @ frame.T, axis=1).mean()

    loose, tight = (fitted(learner, X, numeric="standard", contraction=strength).sample(60) for strength in (0.0, 1.0))
    assert off(tight) < 0.5 * off(loose)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_everything_on_umap():
    umap = pytest.importorskip("umap")
    test_everything_on_every_manifold(umap.UMAP(n_neighbors=8, n_epochs=50), mixed)
