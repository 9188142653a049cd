"""Manifold learners by a word, and the parameters of those that are not there yet."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, Isomap
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from skmdiff import ManifoldDiffusionSampler

X = np.random.default_rng(0).normal(size=(120, 4))
WORDS = {
    "isomap": "Isomap",
    "kernel-pca": "KernelPCA",
    "lle": "LocallyLinearEmbedding",
    "pca": "PCA",
    "spectral": "SpectralEmbedding",
    "tsne": "TSNE",
    "umap": "UMAP",
}


def instant(manifold=None):
    return ManifoldDiffusionSampler(manifold, max_iter=0, random_state=0)


@pytest.mark.parametrize("word", [word for word in WORDS if word != "umap"])
def test_a_word_is_its_learner(word):
    assert type(instant(word).fit(X).manifold_).__name__ == WORDS[word]


@pytest.mark.slow
def test_the_word_umap_is_umap():
    assert type(instant("umap").fit(X).manifold_).__name__ == "UMAP"


def test_a_word_embeds_as_the_object_does():
    by_word, by_object = instant("isomap").fit(X), instant(Isomap(n_neighbors=10)).fit(X)
    assert_allclose(by_word.embedding_, by_object.embedding_)
    assert by_word.manifold == "isomap", "the parameter stays what it was"
    assert_allclose(instant("pca").fit(X).sample(5), instant(None).fit(X).sample(5))


def test_words_in_a_list():
    scores = instant(["pca", Isomap(n_neighbors=10), None]).fit(X).manifold_scores_
    assert len(scores) == 3 and scores[0] == scores[2]


@pytest.mark.parametrize("manifold", ["unap", "", ["pca", "unap"], ["passthrough"]])
def test_another_word_is_refused_and_the_words_are_named(manifold):
    with pytest.raises(ValueError, match=r"must be one of \['isomap', .*'umap'.*got '"):
        instant(manifold).fit(X)


def test_umap_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ModuleNotFoundError, match="umap"):
        instant("umap").fit(X)


def test_a_search_over_the_parameters_of_the_default_manifold():
    search = GridSearchCV(instant(), {"manifold__n_components": [1, 2]}, cv=ShuffleSplit(1, random_state=0)).fit(X)
    assert search.best_estimator_.manifold.n_components == search.best_params_["manifold__n_components"]
    assert search.best_estimator_.manifold_.n_components_ == search.best_params_["manifold__n_components"]


def test_parameters_of_words_can_be_set():
    sampler = instant("tsne").set_params(manifold__perplexity=5, n_steps=3)
    assert isinstance(sampler.manifold, TSNE) and sampler.manifold.perplexity == 5 and sampler.n_steps == 3
    assert clone(sampler).manifold.perplexity == 5
    sampler.set_params(manifold=PCA(), manifold__n_components=3)
    assert isinstance(sampler.manifold, PCA) and sampler.manifold.n_components == 3


def test_passthrough_has_no_parameters():
    with pytest.raises(ValueError, match="manifold='passthrough' has no parameters to set"):
        instant("passthrough").set_params(manifold__n_components=2)
