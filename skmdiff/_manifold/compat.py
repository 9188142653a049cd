"""What manifold learners of scikit-learn and umap need by name; tests/manifold/test_compat.py holds that they do.

The rest of the package treats a manifold learner as any object with `fit_transform`.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np

from .._numerics.checks import tags_of

# Parameters by which a learner takes distances between rows in place of rows, and the values that say so.
METRIC_PARAMETERS = ("metric", "affinity", "dissimilarity", "kernel")
PRECOMPUTED = ("precomputed", "precomputed_nearest_neighbors")
# Learners that make no more components than the table has columns, the others no more than rows.
WITHIN_FEATURES = {"PCA", "IncrementalPCA", "TruncatedSVD", "LocallyLinearEmbedding", "TSNE"}
# Learners whose `transform` of a row depends on the rows beside it: UMAP's draws by the index of the row, which takes
# long to find out, and NMF's stops when the whole batch has converged, which a trial may miss.
NOT_ROW_WISE = ("UMAP", "NMF")
# Announcements of other defaults by scikit-learn, and umap's note that a seed costs threads.
ANNOUNCEMENTS = (
    (FutureWarning, "The default value of `(init|n_init)` will change"),
    (UserWarning, "n_jobs value .* overridden to 1 by setting random_state"),
)

_lock = threading.RLock()


def class_name(transformer: object) -> str:
    """The name of the class of an object."""
    return type(transformer).__name__


def parameters(transformer: Any) -> dict[str, Any]:
    """Parameters, nested ones too; empty for an object without `get_params`."""
    return transformer.get_params(deep=True) if hasattr(transformer, "get_params") else {}


def leaf(name: str) -> str:
    """The name of the parameter within a nested name."""
    return name.rsplit("__", 1)[-1]


def refuse_distances(transformer: object) -> None:
    """Raise for a transformer that takes distances between rows."""
    for name, value in parameters(transformer).items():
        if leaf(name) in METRIC_PARAMETERS and isinstance(value, str) and value in PRECOMPUTED:
            raise ValueError(
                f"manifold must work on the rows of the table, not on their distances; {class_name(transformer)} has "
                f"{name}={value!r}"
            )


def takes_positive_only(transformer: object) -> bool:
    """Whether a transformer says that it takes non-negative cells only, as NMF does."""
    tags = tags_of(transformer)
    return tags is not None and tags.input_tags.positive_only


def known_not_row_wise(transformer: object) -> bool:
    """Whether a transformer, or one within it, is of NOT_ROW_WISE."""
    owners = [transformer, *parameters(transformer).values()]
    return any(name in class_name(owner) for owner in owners for name in NOT_ROW_WISE)


def allowed_parameters(transformer: object, n: int, p: int) -> dict[str, float]:
    """New values of the parameters that are too large for n rows and p features."""
    values = parameters(transformer)
    allowed = {}
    for name, value in values.items():
        limit = limit_of(leaf(name), values.get(name.rpartition("__")[0], transformer), n, p)
        if limit is not None and is_number(value) and value > limit:
            allowed[name] = limit
    return allowed


def is_number(value: object) -> bool:
    """Whether a value is a number, which a bool is not here."""
    return isinstance(value, Real) and not isinstance(value, bool)


def limit_of(parameter: str, owner: object, n: int, p: int) -> float | None:
    """The most that `parameter` of the transformer `owner` may be for n rows and p features, None for no limit."""
    if parameter == "n_neighbors":
        return n - 1
    if parameter == "perplexity":  # t-SNE looks at three times as many neighbours
        return max(1.0, (n - 1) / 3)
    if parameter == "n_components":
        return max(1, components_limit(owner, n, p))
    return None


def components_limit(owner: object, n: int, p: int) -> int:
    """n points span n - 1 dimensions; the eigensolver of SpectralEmbedding needs one more row."""
    names = {cls.__name__ for cls in type(owner).__mro__}
    if "SpectralEmbedding" in names:
        return n - 2
    return min(n - 1, p) if names & WITHIN_FEATURES else n - 1


@contextmanager
def seeded_global_stream(seed: int | None) -> Iterator[None]:
    """Global NumPy stream seeded inside and put back after: learners without a seed draw from it.

    One at a time: the stream is shared by threads, and numba's workqueue layer aborts when two of them fit UMAP.
    """
    with _lock:
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)


@contextmanager
def announcements_ignored() -> Iterator[None]:
    """No ANNOUNCEMENTS inside; all other warnings come through."""
    with warnings.catch_warnings():
        for category, message in ANNOUNCEMENTS:
            warnings.filterwarnings("ignore", message, category)
        yield
