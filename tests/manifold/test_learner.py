"""Embedding, lift and neighbours against closed forms, slow twins and scikit-learn's own results."""

import pickle
import re
import warnings

import numpy as np
import pytest
import sklearn.decomposition as decomposition
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_learners import TRANSFORMERS, Only, first_two
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import DBSCAN
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, make_s_curve, make_swiss_roll
from sklearn.decomposition import NMF, PCA, FastICA, KernelPCA
from sklearn.manifold import MDS, TSNE, Isomap, LocallyLinearEmbedding, SpectralEmbedding
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skmdiff._manifold.learner import ManifoldModel
from skmdiff._numerics import neighbors as _neighbors
from skmdiff._numerics.neighbors import carry, nearest, neighbor_graph


def standardised(W):
    return (W - W.mean(axis=0)) / W.std(axis=0)


def plane(n=120, p=6, noise=0.0, seed=0):
    rng = np.random.RandomState(seed)
    return standardised(rng.randn(n, 2) @ rng.randn(2, p) + noise * rng.randn(n, p))


# ---- every transformer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_every_transformer(transformer):
    """On 60 landmarks of 120 rows, so that half of the rows are embedded as new ones."""
    W = plane(noise=0.1)
    model = ManifoldModel(transformer, max_landmarks=60, random_state=0).fit(W)
    Z = model.embedding_
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(Z.std(axis=0), 1, atol=1e-9)
    raw = Z * model.scale_ + model.center_
    np.testing.assert_allclose(raw[model.landmarks_], model.landmark_embedding_, atol=1e-9 * np.abs(raw).max())
    assert len(model.landmarks_) == 60
    np.testing.assert_allclose(np.abs(model.landmark_embedding_), np.abs(fit_transform(model)), atol=1e-6)
    new = W[5:9] + 0.05
    embedded, lifted = model.embed(new), model.lift(Z)
    np.testing.assert_allclose(lifted, model.lift(model.embedding_), atol=1e-9)
    for row in range(4):  # whatever comes with it
        np.testing.assert_allclose(model.embed(new[row : row + 1]), embedded[row : row + 1], rtol=0, atol=1e-9)
        np.testing.assert_allclose(model.lift(Z[row : row + 1]), lifted[row : row + 1], rtol=0, atol=1e-9)


def fit_transform(model):
    """What the user's transformer gives for the landmarks of a model, less their minima where it asks for that."""
    W = model.table_[model.landmarks_]
    twin = clone(model.transformer, safe=False)
    if isinstance(twin, BaseEstimator):
        twin.set_params(**{name: 0 for name in twin.get_params() if name.endswith("random_state")})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MDS announces another default
        return np.asarray(twin.fit_transform(W - W.min(axis=0) if model.floor_ is not None else W))


# ---- truth ------------------------------------------------------------------------------------------------------


def test_pca_is_exact_on_a_plane():
    W = plane(400, 5)
    model = ManifoldModel(PCA(2), random_state=0).fit(W)
    raw = PCA(2).fit(W).transform(W)
    np.testing.assert_allclose(model.embed(W), raw / raw.std(axis=0), atol=1e-9)
    np.testing.assert_allclose(model.lift(model.embedding_), W, atol=1e-8)
    between = 0.3 * W[:50] + 0.7 * W[50:100]
    np.testing.assert_allclose(model.lift(model.embed(between)), between, atol=1e-8)


@pytest.mark.parametrize(
    "transformer",
    [Isomap(n_neighbors=10), pytest.param(TSNE(max_iter=500), marks=pytest.mark.slow)],
    ids=["Isomap", "TSNE"],
)
def test_lift_removes_noise_from_a_swiss_roll(transformer):
    """Noise .15 in each of 10 columns: the lifted rows are less than half as far from the clean roll."""
    axes = np.linalg.qr(np.random.RandomState(0).randn(10, 3))[0]
    clean = (make_swiss_roll(1000, random_state=0)[0] - [0, 10, 0]) / 7
    dense = (make_swiss_roll(50_000, random_state=1)[0] - [0, 10, 0]) / 7
    noisy = clean @ axes.T + 0.15 * np.random.RandomState(2).randn(1000, 10)
    model = ManifoldModel(transformer, random_state=0).fit(noisy)

    def distance(rows):
        inside = NearestNeighbors(n_neighbors=1).fit(dense).kneighbors(rows @ axes)[0][:, 0]
        return np.sqrt(np.mean(inside**2 + np.sum((rows - rows @ axes @ axes.T) ** 2, axis=1)))

    halfway = (model.embedding_ + model.embedding_[model.neighbors_[:, 0]]) / 2
    assert distance(model.lift(model.embedding_)) < 0.5 * distance(noisy)
    assert distance(model.lift(halfway)) < 0.5 * distance(noisy)


@pytest.mark.parametrize(
    "transformer",
    [PCA(2), Isomap(n_neighbors=10), Only(PCA(2).fit_transform), TSNE(max_iter=500)],
    ids=["PCA", "Isomap", "no transform", "TSNE"],
)
def test_landmarks_carry_the_embedding(transformer):
    """A row that was not a landmark lies where a nearby landmark does: its neighbours on the roll stay near."""
    W = standardised(make_swiss_roll(900, noise=0.1, random_state=0)[0])
    model = ManifoldModel(transformer, max_landmarks=450, random_state=0).fit(W)
    rest = np.setdiff1d(np.arange(900), model.landmarks_)
    np.testing.assert_allclose(model.embed(W[rest]), model.embedding_[rest], atol=1e-9)
    near = nearest(W[model.landmarks_], W[rest], 1)[1][:, 0]
    apart = np.linalg.norm(model.embedding_[rest] - model.embedding_[model.landmarks_][near], axis=1)
    assert np.median(apart) < 0.15  # in standard deviations; independent points are 1.8 apart


def test_landmarks_agree_with_the_full_fit():
    """Up to a rotation; the fraction of the full embedding's variance that the landmarks' one does not explain."""
    W = make_s_curve(900, noise=0.02, random_state=0)[0]
    full = ManifoldModel(Isomap(n_neighbors=10), random_state=0).fit(W).embedding_
    part = ManifoldModel(Isomap(n_neighbors=10), max_landmarks=450, random_state=0).fit(W).embedding_
    assert procrustes(full, part)[2] < 0.02  # geodesics through half the rows are longer


# ---- numerics against slow twins --------------------------------------------------------------------------------


@given(st.integers(2, 25), st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_neighbours_agree_with_brute_force(n, k, n_neighbors, n_labels, seed):
    rng = np.random.RandomState(seed)
    Z, labels = rng.randint(0, 4, (n, k)).astype(float), rng.randint(0, n_labels, n)  # many ties and copies
    graph = neighbor_graph(Z, n_neighbors, labels)
    for row in range(n):
        others = np.setdiff1d(np.flatnonzero(labels == labels[row]), [row])
        if not others.size:
            assert (graph[row] == row).all()
            continue
        assert set(graph[row]) <= set(others)
        nearest_first = np.sort(np.linalg.norm(Z[others] - Z[row], axis=1))
        expected = np.resize(nearest_first[:n_neighbors], n_neighbors)
        np.testing.assert_allclose(np.linalg.norm(Z[graph[row]] - Z[row], axis=1), expected)


def test_ties_are_broken_by_the_table():
    Z, W = np.array([0.0, 1, 1, 1, -1])[:, None], np.array([0.0, 3, 1, 2, 4])[:, None]
    assert neighbor_graph(Z, 4, W=W)[0].tolist() == [2, 3, 1, 4]
    model = ManifoldModel(FunctionTransformer(lambda X: np.round(X[:, :1])), n_neighbors=3, random_state=0)
    W = plane(noise=0.1)
    graph = model.fit(W).neighbors_
    z, distances = model.embedding_, cdist(W, W)
    same = np.abs(z[graph] - z[:, None])[..., 0] == 0
    ordered = same[:, 1:] <= same[:, :-1]
    assert ordered.all() and (np.diff(distances[np.arange(120)[:, None], graph])[same[:, 1:]] >= 0).all()


@pytest.mark.parametrize("dimension", [2, 8, 12])
def test_nearest_is_exact_and_row_by_row(dimension):
    rng = np.random.RandomState(0)
    X_fit = rng.randn(700, dimension)
    X = np.concatenate([X_fit[:40], rng.randn(300, dimension)])
    distances, indices = nearest(X_fit, X, 9)
    np.testing.assert_array_equal(indices, np.argsort(cdist(X, X_fit), axis=1)[:, :9])
    np.testing.assert_allclose(distances, np.sort(cdist(X, X_fit), axis=1)[:, :9], atol=1e-12)
    single = [nearest(X_fit, X[i : i + 1], 9)[0] for i in range(340)]
    np.testing.assert_array_equal(np.concatenate(single), distances)


def test_search_among_many_rows_is_nearly_exact(monkeypatch):
    Z = np.random.RandomState(0).randn(3000, 8)
    exact = nearest(Z, Z, 21)
    monkeypatch.setattr(_neighbors, "EXACT_ROWS", 1000)
    distances, indices = nearest(Z, Z, 21)
    found = np.mean([len(np.intersect1d(a, b)) for a, b in zip(indices, exact[1], strict=True)]) / 21
    assert 0.9 < found and distances.mean() < 1.01 * exact[0].mean()
    assert (indices[:, 0] == np.arange(3000)).all()


def test_carry_is_exact_at_known_rows_and_stays_between_them():
    rng = np.random.RandomState(0)
    W_fit, Z_fit = rng.randn(200, 12), rng.randn(200, 2)
    np.testing.assert_allclose(carry(W_fit, Z_fit, W_fit, 8), Z_fit, atol=1e-12)
    W = rng.randn(50, 12)
    carried = carry(W_fit, Z_fit, W, 8)
    for row, w in enumerate(W):
        distances = np.linalg.norm(W_fit - w, axis=1)
        near = np.argsort(distances)[:9]
        weights = (1 / distances[near] - 1 / distances[near[-1]]) ** 2
        np.testing.assert_allclose(carried[row], weights @ Z_fit[near] / weights.sum(), atol=1e-9)
    tied = carry(np.eye(5), np.arange(5.0)[:, None], np.zeros((1, 5)), 8)
    np.testing.assert_allclose(tied, 2.0)


# ---- labels, copies, small tables -------------------------------------------------------------------------------


def test_labels_are_respected():
    W = plane(noise=0.1)
    labels = np.r_[np.zeros(60, int), np.ones(57, int), [2, 2], [3]]
    graph = neighbor_graph(W[:, :2], 5, labels)
    assert (labels[graph] == labels[:, None]).all()
    assert (graph[119] == 119).all() and (graph[117] == 118).all()
    assert not (graph[:119] == np.arange(119)[:, None]).any()


def test_copies_share_their_embedding():
    W = plane(50, noise=0.1)
    W = np.concatenate([W, W[:20], W[:20]])
    model = ManifoldModel(TSNE(perplexity=5, max_iter=300), random_state=0).fit(W)
    np.testing.assert_array_equal(model.embedding_[50:70], model.embedding_[:20])
    np.testing.assert_array_equal(model.landmarks_, np.sort(model.landmarks_))
    assert len(np.unique(W[model.landmarks_], axis=0)) == len(model.landmarks_) == 50


def test_constant_columns_are_kept_for_the_transformer():
    W = np.insert(plane(noise=0.1), 1, 0.0, axis=1)
    model = ManifoldModel(ColumnTransformer([("two", "passthrough", [0, 2])]), random_state=0).fit(W)
    np.testing.assert_allclose(model.embedding_, standardised(W[:, [0, 2]]), atol=1e-9)
    for transformer in (TSNE(perplexity=10, max_iter=300), FastICA(2), Isomap(), LocallyLinearEmbedding()):
        assert not ManifoldModel(transformer, random_state=0).fit(W).lift(np.zeros((1, 2)))[:, 1].any()


def test_a_coordinate_of_rounding_stays_rounding():
    model = ManifoldModel(PCA(4), random_state=0).fit(plane())  # two of the four have a spread of 1e-16
    assert model.embedding_.std(axis=0)[:2] == pytest.approx(1) and np.abs(model.embedding_[:, 2:]).max() < 1e-9


def test_a_constant_embedding_is_told():
    with pytest.warns(UserWarning, match="manifold Only gave every row the same embedding"):
        model = ManifoldModel(Only(lambda X: np.ones((len(X), 2))), random_state=0).fit(plane())
    lifted = model.lift(model.embedding_)
    assert np.ptp(lifted, axis=0).max() < 1e-9 and np.abs(lifted).max() < 0.3  # a mean of tied rows


SMALL = [
    Isomap(),
    LocallyLinearEmbedding(),
    SpectralEmbedding(n_neighbors=2),
    TSNE(max_iter=300),
    PCA(2),
    MDS(n_init=1),
    make_pipeline(FunctionTransformer(), PCA(3)),
]


@pytest.mark.parametrize("transformer", SMALL, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("n", [3, 4, 5, 10])
@pytest.mark.parametrize("p", [1, 6])
def test_small_tables(transformer, n, p):
    W = standardised(np.random.RandomState(n).randn(n, p))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # clamps, and "Graph is not fully connected"
        model = ManifoldModel(transformer, random_state=0).fit(W)
    assert model.embedding_.shape[0] == n and model.neighbors_.shape == (n, 10)
    for values in (model.embedding_, model.lift(model.embedding_), model.embed(W), model.intrinsic_dimension_):
        assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("transformer", "n", "p", "message"),
    [
        (Isomap(n_neighbors=9), 8, 3, r"manifold Isomap: n_neighbors=9 -> 7, the most that 8 distinct rows and 3 feat"),
        (TSNE(max_iter=300), 31, 3, r"perplexity=30.0 -> 10, the most that 31 distinct rows"),
        (PCA(5), 30, 3, r"manifold PCA: n_components=5 -> 3, the most that 30 distinct rows and 3 feature"),
        (make_pipeline(PCA(9), Isomap()), 30, 3, r"manifold Pipeline: pca__n_components=9 -> 3"),
        (SpectralEmbedding(n_components=4, n_neighbors=4), 5, 3, r"n_components=4 -> 3"),
    ],
)
def test_clamps_are_told_once(transformer, n, p, message):
    W = np.random.RandomState(0).randn(n, p)
    before = transformer.get_params()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ManifoldModel(transformer, random_state=0).fit(W)
    told = [w for w in caught if "distinct rows" in str(w.message)]
    assert len(told) == 1 and told[0].category is UserWarning
    assert re.search(message, str(told[0].message))
    assert {k: str(v) for k, v in before.items()} == {k: str(v) for k, v in transformer.get_params().items()}


# ---- seeds and global state -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "transformer",
    [Isomap(n_neighbors=10, eigen_solver="arpack"), TSNE(max_iter=300), Only(lambda X: np.random.randn(len(X), 2))],
    ids=["Isomap", "TSNE", "global"],
)
def test_two_fits_agree_and_the_global_stream_is_untouched(transformer):
    W = plane(noise=0.1)
    np.random.seed(5)
    state = np.random.get_state()[1].copy()
    first = ManifoldModel(transformer, random_state=3, max_landmarks=100).fit(W)
    first.embed(W)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    np.random.seed(6)
    second = ManifoldModel(transformer, random_state=3, max_landmarks=100).fit(W)
    for name in ("embedding_", "landmarks_", "neighbors_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_the_stream_is_put_back_after_a_failure():
    def fail(X):
        np.random.rand()
        raise RuntimeError("no")

    state = np.random.get_state()[1].copy(), np.random.get_state()[2]
    with pytest.raises(ValueError, match="failed on 120 samples"):
        ManifoldModel(Only(fail), random_state=0).fit(plane())
    np.testing.assert_array_equal(np.random.get_state()[1], state[0])
    assert np.random.get_state()[2] == state[1]


def test_seeds_go_where_there_is_none():
    pipeline = make_pipeline(PCA(3), TSNE(max_iter=300, perplexity=10, random_state=7))
    fitted = ManifoldModel(pipeline, random_state=3).fit(plane(noise=0.1)).transformer_
    assert fitted[0].random_state == 3 and fitted[1].random_state == 7
    assert pipeline[0].random_state is None and not hasattr(pipeline[0], "mean_")
    unseeded = ManifoldModel(PCA(2)).fit(plane(noise=0.1)).transformer_
    assert unseeded.random_state is None


def test_only_distances_of_the_rows_matter_not_the_whole_batch():
    """A transform that looks at the whole batch is not used."""
    centred = FunctionTransformer(lambda X: X - X.mean(axis=0))
    model = ManifoldModel(centred, random_state=0).fit(plane(noise=0.1))
    assert not model.row_wise_
    assert ManifoldModel(PCA(2), random_state=0).fit(plane(noise=0.1)).row_wise_


def test_a_fitted_model_travels():
    W = plane(noise=0.1)
    model = ManifoldModel(Isomap(), random_state=0).fit(W)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.embed(W), model.embed(W))


# ---- refusals and warnings --------------------------------------------------------------------------------------


class NoTransform(BaseEstimator):
    pass


class FitOnly(BaseEstimator):
    def fit(self, X):
        self.embedding_ = X[:, :2] * 2
        return self


def test_fit_and_embedding_are_enough():
    W = plane(noise=0.1)
    np.testing.assert_allclose(ManifoldModel(FitOnly(), random_state=0).fit(W).embedding_, W[:, :2], atol=1e-9)


@pytest.mark.parametrize(
    ("transformer", "error", "message"),
    [
        (PCA, TypeError, r"must be an instance of a transformer, got the class PCA; write PCA\(\)"),
        (NoTransform(), TypeError, r"with fit_transform, or fit and embedding_; NoTransform has not, got NoTransform"),
        (DBSCAN(), TypeError, r"must have fit_transform, or fit and embedding_; DBSCAN has not"),
        (3, TypeError, r"int has not, got 3$"),
        (first_two, TypeError, r"function has not, got .*, wrap it in a FunctionTransformer"),
        (Isomap(metric="precomputed"), ValueError, r"Isomap has metric='precomputed'"),
        (SpectralEmbedding(affinity="precomputed_nearest_neighbors"), ValueError, r"affinity='precomputed_nearest_n"),
        (KernelPCA(2, kernel="precomputed"), ValueError, r"KernelPCA has kernel='precomputed'"),
        (make_pipeline(PCA(3), Isomap(metric="precomputed")), ValueError, r"Pipeline has isomap__metric='precomputed'"),
        (Only(lambda X: X[:, 0]), ValueError, r"Only must return an array of shape \(120, k\).* got shape \(120,\)"),
        (Only(lambda X: X[:50]), ValueError, r"shape \(120, k\), k >= 1, got shape \(50, 6\)"),
        (Only(lambda X: X[:, :0]), ValueError, r"got shape \(120, 0\)"),
        (Only(lambda X: X * np.nan), ValueError, r"manifold Only must return finite numbers, got 720 NaN or infinite"),
        (Only(lambda X: np.full((120, 1), "a")), ValueError, r"manifold Only must return numbers, got ndarray"),
        (Only(lambda X: 1 / 0), ValueError, r"Only failed on 120 samples and 6 feature\(s\) \(n_features=6\): div"),
        (NMF(2, init="custom"), ValueError, r"manifold NMF failed on 120 samples"),
    ],
    ids=lambda v: None,
)
def test_refusals(transformer, error, message):
    with pytest.raises(error, match=message):
        ManifoldModel(transformer, random_state=0).fit(plane())


@pytest.mark.parametrize("transformer", [TSNE(), PCA(2)], ids=["TSNE", "PCA"])
def test_constant_tables_are_refused_before_they_reach_the_transformer(transformer):
    with pytest.raises(ValueError, match="at least 2 distinct rows, got 1 in 50 samples"):
        ManifoldModel(transformer).fit(np.zeros((50, 3)))
    with pytest.raises(ValueError, match="at least 2 samples, got n_samples=1"):
        ManifoldModel(transformer).fit(np.zeros((1, 3)))


def test_the_transformers_warnings_reach_the_user_and_announcements_do_not():
    def warn(X):
        warnings.warn("two components", RuntimeWarning, stacklevel=2)
        return X[:, :2]

    with pytest.warns(RuntimeWarning, match="two components"):
        ManifoldModel(Only(warn), random_state=0).fit(plane())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ManifoldModel(MDS(), random_state=0).fit(plane(30, noise=0.1))


def test_data_reach_nmf_without_negative_values_and_new_rows_too():
    W = plane(noise=0.1)
    model = ManifoldModel(decomposition.LatentDirichletAllocation(2), random_state=0).fit(W)
    assert np.isfinite(model.embed(W - 5)).all()
    assert ManifoldModel(make_pipeline(MinMaxScaler(clip=True), NMF(2)), random_state=0).fit(W).floor_ is None


# ---- slow -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_umap():
    umap = pytest.importorskip("umap")
    W = standardised(load_digits().data[:600] + 1e-6 * np.random.RandomState(0).randn(600, 64))
    labels = load_digits().target[:600]
    model = ManifoldModel(umap.UMAP(n_epochs=100), max_landmarks=400, random_state=0).fit(W)
    again = ManifoldModel(umap.UMAP(n_epochs=100), max_landmarks=400, random_state=0).fit(W)
    np.testing.assert_array_equal(model.embedding_, again.embedding_)
    assert not model.row_wise_
    assert np.mean(labels[model.neighbors_[:, 0]] == labels) > 0.85
    np.testing.assert_allclose(model.embed(W[:1]), model.embed(W[:50])[:1], atol=1e-9)


@pytest.mark.slow
def test_a_large_table():
    rng = np.random.RandomState(0)
    W = standardised(np.cos(rng.rand(50_000, 4) @ rng.randn(4, 150) * 3) + 0.3 * rng.randn(50_000, 150))
    model = ManifoldModel(Isomap(n_neighbors=10), random_state=0).fit(W)
    assert np.mean((W - model.lift(model.embedding_)) ** 2) < 1 and len(model.landmarks_) == 2000
