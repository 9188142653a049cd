"""What is known of manifold learners by name is still so: a test that fails says which name is no longer needed."""

import warnings

import numpy as np
import pytest
import sklearn
import sklearn.decomposition as decomposition
import sklearn.manifold as manifold
from manifold_learners import TRANSFORMERS
from packaging.version import Version
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmdiff._manifold import compat
from skmdiff._manifold.learner import ManifoldModel, prepare

N, P = 30, 3
W = np.random.RandomState(0).randn(N, P)


def learner(name, **parameters):
    module = manifold if hasattr(manifold, name) else decomposition
    return getattr(module, name)(**parameters)


def refused(transformer, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            transformer.fit_transform(X)
        except (ValueError, TypeError):
            return True
    return False


# --- limits of parameters


@pytest.mark.parametrize("name", sorted(compat.WITHIN_FEATURES))
def test_some_learners_take_no_more_components_than_features(name):
    exact = dict(method="exact", perplexity=5, max_iter=250) if name == "TSNE" else {}
    assert refused(learner(name, n_components=P + 1, **exact), W)
    assert not refused(learner(name, n_components=P, **exact), W)


@pytest.mark.parametrize("name", ["Isomap", "KernelPCA", "SpectralEmbedding", "NMF"])
def test_other_learners_take_more(name):
    assert name not in compat.WITHIN_FEATURES and not refused(learner(name, n_components=P + 1), np.abs(W))


def test_spectral_embedding_needs_two_rows_more_than_components():
    assert refused(learner("SpectralEmbedding", n_components=N - 1), W)
    assert not refused(learner("SpectralEmbedding", n_components=N - 2), W)
    assert compat.limit_of("n_components", learner("SpectralEmbedding"), N, P) == N - 2


@pytest.mark.parametrize(
    ("name", "parameter", "too_many"),
    [("Isomap", "n_neighbors", N), ("LocallyLinearEmbedding", "n_neighbors", N), ("TSNE", "perplexity", float(N))],
)
def test_neighbours_are_bounded_by_the_rows(name, parameter, too_many):
    transformer = learner(name, n_components=2, **{parameter: too_many})
    assert refused(clone(transformer), W)
    allowed = compat.allowed_parameters(transformer, N, P)
    assert list(allowed) == [parameter] and not refused(transformer.set_params(**allowed), W)


def test_parameters_of_steps_are_bounded_by_their_own_learner():
    pipeline = make_pipeline(decomposition.PCA(9), manifold.SpectralEmbedding(n_components=40))
    assert compat.allowed_parameters(pipeline, N, P) == {
        "pca__n_components": P,
        "spectralembedding__n_components": N - 2,
    }


# --- distances in place of rows


def test_all_ways_to_ask_for_distances_are_tried():
    assert {parameter for _, parameter, _ in DISTANCES} == set(compat.METRIC_PARAMETERS)
    assert {value for _, _, value in DISTANCES} == set(compat.PRECOMPUTED)


DISTANCES = [
    ("Isomap", "metric", "precomputed"),
    ("SpectralEmbedding", "affinity", "precomputed"),
    ("SpectralEmbedding", "affinity", "precomputed_nearest_neighbors"),
    ("KernelPCA", "kernel", "precomputed"),
    ("MDS", "dissimilarity", "precomputed"),
]


@pytest.mark.parametrize(("name", "parameter", "value"), DISTANCES)
def test_a_square_table_would_be_taken_for_distances(name, parameter, value):
    transformer = learner(name, n_components=2, **{parameter: value})
    if "n_neighbors" in transformer.get_params():
        transformer.set_params(n_neighbors=5)
    distances = cdist(W, W)
    square = np.exp(-(distances**2)) if name == "KernelPCA" else distances  # a kernel is a product, no distance
    assert refused(clone(transformer), W) and not refused(clone(transformer), square)
    with pytest.raises(ValueError, match=f"{name} has {parameter}='{value}'"):
        compat.refuse_distances(transformer)


# --- transforms


def test_nmf_stops_when_the_whole_batch_has_converged():
    X = np.abs(np.random.RandomState(0).randn(80, 6))
    nmf = decomposition.NMF(2, random_state=0, tol=1e-3, max_iter=1000).fit(X)
    one_by_one = np.concatenate([nmf.transform(row[None]) for row in X])
    assert np.abs(nmf.transform(X) - one_by_one).max() > 1e-6
    assert compat.known_not_row_wise(nmf) and compat.known_not_row_wise(make_pipeline(decomposition.PCA(2), nmf))
    assert not compat.known_not_row_wise(decomposition.PCA(2))


@pytest.mark.parametrize("name", ["NMF", "MiniBatchNMF", "LatentDirichletAllocation"])
def test_learners_of_positive_cells_say_so_and_refuse_others(name):
    transformer = learner(name, n_components=2)
    assert compat.takes_positive_only(transformer) and refused(transformer, W)


def test_learners_without_tags_take_any_cells():
    assert not compat.takes_positive_only(object()) and not compat.takes_positive_only(decomposition.PCA(2))


# --- streams and announcements


def test_isomap_draws_from_the_global_stream_but_for_its_dense_solver():
    state = np.random.get_state()[2]
    for solver, draws in [("arpack", True), ("dense", False)]:
        isomap = manifold.Isomap(eigen_solver=solver)
        assert compat.draws_globally(isomap) == draws
        with compat.seeded_global_stream(0):
            inside = np.random.get_state()[2]
            isomap.fit_transform(W)
            assert (np.random.get_state()[2] != inside) == draws
        assert np.random.get_state()[2] == state


def test_isomap_may_choose_its_dense_solver():
    pipeline = make_pipeline(decomposition.PCA(2), manifold.Isomap())
    assert compat.solvers_without_chance(pipeline, N) == {"isomap__eigen_solver": "dense"}
    assert not compat.solvers_without_chance(manifold.Isomap(), compat.MAX_DENSE_ROWS + 1)
    assert not compat.solvers_without_chance(manifold.Isomap(eigen_solver="arpack"), N)
    assert not compat.solvers_without_chance(decomposition.KernelPCA(2), N)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_learners_that_are_seeded_leave_the_global_stream_alone(transformer):
    """Those that may draw from it are few; no other one draws, which a state that stays the same shows."""
    X = np.abs(np.random.RandomState(0).randn(60, 6))
    seeded = prepare(transformer, X.shape, 3)
    if compat.draws_globally(seeded):
        assert type(transformer).__name__ == "Only"
        return
    state = np.random.get_state()
    with compat.announcements_ignored():
        seeded.fit_transform(X)
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])
    assert np.random.get_state()[2:] == state[2:]


@pytest.mark.parametrize(
    ("function", "draws"), [(None, False), (np.log1p, False), (lambda X: X, True), (np.random.permutation, True)]
)
def test_functions_of_others_may_draw_from_it(function, draws):
    assert compat.draws_globally(make_pipeline(FunctionTransformer(function), decomposition.PCA(2))) == draws


@pytest.mark.skipif(Version(sklearn.__version__) < Version("1.8"), reason="MDS announces nothing yet")
def test_mds_announces_other_defaults():
    with pytest.warns(compat.ANNOUNCEMENTS[0][0], match=compat.ANNOUNCEMENTS[0][1]):
        manifold.MDS(n_components=2).fit_transform(W)
    with compat.announcements_ignored():
        manifold.MDS(n_components=2).fit_transform(W)


def test_other_warnings_are_heard():
    with pytest.warns(FutureWarning, match="else"), compat.announcements_ignored():
        warnings.warn("something else", FutureWarning, stacklevel=1)


# --- umap


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_umap_tells_of_threads_and_transforms_by_index():
    umap = pytest.importorskip("umap")
    X = np.random.RandomState(0).randn(200, 5)
    with pytest.warns(compat.ANNOUNCEMENTS[1][0], match=compat.ANNOUNCEMENTS[1][1]):
        fitted = umap.UMAP(n_epochs=50, random_state=0).fit(X)
    new = X[:20] + 0.1
    assert np.abs(fitted.transform(new)[10:] - fitted.transform(new[10:])).max() > 1e-3  # a draw goes by the index
    assert compat.known_not_row_wise(fitted)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", compat.ANNOUNCEMENTS[1][1])
        ManifoldModel(umap.UMAP(n_epochs=50), random_state=0).fit(X)
