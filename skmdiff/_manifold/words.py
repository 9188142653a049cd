"""Manifold learners by a word: `manifold="isomap"`.

The learners are imported when they are asked for. "pca" is the default, which fits its components to the table.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PASSTHROUGH = "passthrough"
DEFAULT_WORD = "pca"
# word -> module, class and parameters other than the defaults
LEARNERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "isomap": ("sklearn.manifold", "Isomap", {"n_neighbors": 10}),
    "kernel-pca": ("sklearn.decomposition", "KernelPCA", {"n_components": 2, "kernel": "rbf"}),
    "lle": ("sklearn.manifold", "LocallyLinearEmbedding", {"n_neighbors": 10}),
    "spectral": ("sklearn.manifold", "SpectralEmbedding", {}),
    "tsne": ("sklearn.manifold", "TSNE", {}),
    "umap": ("umap", "UMAP", {}),
}
WORDS = sorted([DEFAULT_WORD, *LEARNERS])


def learner_of(word: str) -> Any:
    """A new learner of a word other than the default.

    Raises
    ------
    ModuleNotFoundError
        If its package is not installed.
    """
    module, name, parameters = LEARNERS[word]
    return getattr(import_module(module), name)(**parameters)


def check_word(word: str, several: bool = False) -> None:
    """Raise unless a string given for `manifold`, or within a list of them, is a word for one."""
    words = WORDS if several else [*WORDS, PASSTHROUGH]
    if word not in words:
        rule = "a string in a list of manifolds must be" if several else "manifold as a string must be"
        raise ValueError(f"{rule} one of {words}, got {word!r}. A transformer with fit_transform is as good.")
