"""One quick instance of every manifold learner that the tests go through."""

import sklearn.decomposition as decomposition
import sklearn.manifold as manifold
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer


class Only:
    """A stranger's transformer: `fit_transform` alone, no parameters, no base class."""

    def __init__(self, function):
        self.function = function

    def fit_transform(self, X):
        return self.function(X)


def first_two(X):
    return X[:, :2]


QUICK = {
    "TSNE": {"perplexity": 10.0, "max_iter": 300},
    "MDS": {"n_init": 1},
    "DictionaryLearning": {"max_iter": 10},
    "MiniBatchDictionaryLearning": {"max_iter": 10},
    "MiniBatchNMF": {"max_iter": 1000},
    "NMF": {"max_iter": 1000},
    "SpectralEmbedding": {"n_neighbors": 15},
    "MiniBatchSparsePCA": {"max_iter": 20},
}
CLASSES = [
    getattr(module, name)
    for module, names in (
        (manifold, ["Isomap", "LocallyLinearEmbedding", "MDS", "ClassicalMDS", "SpectralEmbedding", "TSNE"]),
        (
            decomposition,
            [
                "PCA",
                "KernelPCA",
                "FastICA",
                "FactorAnalysis",
                "TruncatedSVD",
                "SparsePCA",
                "MiniBatchSparsePCA",
                "IncrementalPCA",
                "DictionaryLearning",
                "MiniBatchDictionaryLearning",
                "NMF",
                "MiniBatchNMF",
                "LatentDirichletAllocation",
            ],
        ),
    )
    for name in names
    if hasattr(module, name)
]
TRANSFORMERS = [cls(n_components=2, **QUICK.get(cls.__name__, {})) for cls in CLASSES] + [
    make_pipeline(PCA(3), Isomap()),
    FunctionTransformer(),
    Only(first_two),
    ColumnTransformer([("plane", PCA(2), [0, 2, 4])]),
]
