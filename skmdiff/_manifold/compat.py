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
from .._numerics.threads import openmp_threads_kept

# Parameters by which a learner takes distances between rows in place of rows, and the values that say so.
METRIC_PARAMETERS = ("metric", "affinity", "dissimilarity", "kernel")
PRECOMPUTED = ("precomputed", "precomputed_nearest_neighbors")
# Learners that make no more components than the table has columns, the others no more than rows.
WITHIN_FEATURES = {"PCA", "IncrementalPCA", "TruncatedSVD", "LocallyLinearEmbedding", "TSNE"}
# Learners whose `transform` of a row depends on the rows beside it: UMAP's draws by the index of the row, which takes
# long to find out, and NMF's stops when the whole batch has converged, which a trial may miss.
NOT_ROW_WISE = ("UMAP", "NMF")
# Packages whose learners and functions draw random numbers by their `random_state` alone, but for UNSEEDED of them: the
# eigensolver of Isomap, ARPACK, starts at random, and Isomap has no seed. Its dense solver needs none.
SEEDED_PACKAGES = ("sklearn", "umap", "numpy", "scipy")
UNSEEDED = "Isomap"
MAX_DENSE_ROWS = 2000  # on which the dense solver takes a second
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


def solvers_without_chance(transformer: object, n: int) -> dict[str, str]:
    """New values of the parameters that leave the choice of an eigensolver for n rows to a learner of UNSEEDED."""
    if n > MAX_DENSE_ROWS:
        return {}
    values = parameters(transformer)
    return {
        name: "dense"
        for name, value in values.items()
        if leaf(name) == "eigen_solver"
        and value == "auto"
        and is_unseeded(values.get(name.rpartition("__")[0], transformer))
    }


def is_unseeded(owner: object) -> bool:
    """Whether an object is of UNSEEDED."""
    return UNSEEDED in {cls.__name__ for cls in type(owner).__mro__}


def draws_globally(transformer: object) -> bool:
    """Whether a transformer, or a learner or function within it, may draw from the global stream of NumPy."""
    values = parameters(transformer).values()
    return any(map(may_draw, [transformer, *(v for v in values if callable(v) or hasattr(v, "get_params"))]))


def may_draw(owner: object) -> bool:
    """Whether a learner or function draws by more than its seed, or may for all that is known."""
    module = getattr(owner, "__module__", None) or type(owner).__module__
    if module.partition(".")[0] not in SEEDED_PACKAGES or module.startswith("numpy.random"):
        return True
    return is_unseeded(owner) and parameters(owner)["eigen_solver"] != "dense"


@contextmanager
def alone(transformer: object, seed: int | None) -> Iterator[None]:
    """One learner at a time: numba's workqueue layer aborts when two threads fit UMAP.

    For a learner that may draw from the global stream of NumPy this is seeded, for all threads, and put back after. So
    are the threads of OpenMP.
    """
    with _lock, openmp_threads_kept():
        if draws_globally(transformer):
            with seeded_global_stream(seed):
                yield
        else:
            yield


@contextmanager
def seeded_global_stream(seed: int | None) -> Iterator[None]:
    """Global NumPy stream seeded inside and put back after."""
    state = np.random.get_state()
    try:
        np.random.seed(seed)
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
