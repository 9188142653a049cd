"""scikit-learn's boosted trees as arrays, and back.

A classifier is made again by fitting one of the same parameters to a small table that has its categories, and giving it
the trees of the file in place of what it learnt: all that surrounds the trees is then as this version of scikit-learn
makes it. Where its trees have other fields than those of the file, the file is refused. Trees are checked before they
are used, as scikit-learn follows their branches without looking: every branch leads to a later node of its tree.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from .errors import ModelFileError

PARAMETERS = ("learning_rate", "max_iter", "max_leaf_nodes", "early_stopping", "random_state")
MAX_FEATURES, MAX_CATEGORIES = 10_000, 255


def is_boosted(value: Any) -> bool:
    """Whether a value is a fitted classifier of two classes by boosted trees, of exactly that class."""
    return type(value) is HistGradientBoostingClassifier and len(getattr(value, "classes_", ())) == 2


def write_boosted(classifier: Any) -> dict:
    """The trees of a classifier, end to end, and what surrounds them."""
    rounds = classifier._predictors
    trees = [tree for of_round in rounds for tree in of_round]
    nodes = np.concatenate([tree.nodes for tree in trees])
    return {
        "parameters": {name: getattr(classifier, name) for name in PARAMETERS},
        "classes": classifier.classes_,
        "n_features": int(classifier.n_features_in_),
        "categories": _categories(classifier),
        "baseline": np.asarray(classifier._baseline_prediction, dtype=np.float64),
        "nodes": {name: np.ascontiguousarray(nodes[name]) for name in nodes.dtype.names or ()},
        "n_nodes": np.array([len(tree.nodes) for tree in trees]),
        "n_bitsets": np.array([len(tree.raw_left_cat_bitsets) for tree in trees]),
        "binned_bitsets": np.concatenate([tree.binned_left_cat_bitsets for tree in trees]),
        "raw_bitsets": np.concatenate([tree.raw_left_cat_bitsets for tree in trees]),
    }


def _categories(classifier: Any) -> dict[int, np.ndarray]:
    """For the index of a feature that is a category its categories."""
    if classifier.is_categorical_ is None:
        return {}
    encoder = classifier._preprocessor.named_transformers_["encoder"]
    return dict(zip(np.flatnonzero(classifier.is_categorical_).tolist(), encoder.categories_, strict=True))


def read_boosted(said: dict) -> HistGradientBoostingClassifier:
    """The classifier of what `write_boosted` says."""
    classifier = _surroundings(said)
    tree_class, dtype = type(classifier._predictors[0][0]), classifier._predictors[0][0].nodes.dtype
    nodes = _nodes(said["nodes"], dtype)
    _check_trees(nodes, said)
    ends, of_bitsets = np.cumsum(said["n_nodes"])[:-1], np.cumsum(said["n_bitsets"])[:-1]
    parts = (nodes, ends), (said["binned_bitsets"], of_bitsets), (said["raw_bitsets"], of_bitsets)
    split = [np.split(array, at) for array, at in parts]
    classifier._predictors = [[tree_class(*map(np.ascontiguousarray, tree))] for tree in zip(*split, strict=True)]
    classifier._baseline_prediction = said["baseline"]
    return classifier


def _surroundings(said: dict) -> HistGradientBoostingClassifier:
    """A classifier of the same features, categories, classes and parameters, with trees of no meaning."""
    n_features, categories, parameters = said["n_features"], said["categories"], said["parameters"]
    if type(n_features) is not int or not 0 < n_features <= MAX_FEATURES or set(parameters) != set(PARAMETERS):
        raise ModelFileError("boosted trees do not say what their features and parameters are")
    if any(not 0 <= j < n_features or not 0 < len(values) <= MAX_CATEGORIES + 1 for j, values in categories.items()):
        raise ModelFileError("boosted trees do not say what their categories are")
    X = np.zeros((max([4, *map(len, categories.values())]), n_features))
    for j, values in categories.items():
        X[:, j] = np.resize(values, len(X))
    y = np.resize(said["classes"], len(X))
    is_category = np.isin(np.arange(n_features), list(categories)) if categories else None
    classifier = HistGradientBoostingClassifier(max_iter=1, categorical_features=is_category).fit(X, y)
    return classifier.set_params(**parameters)


def _nodes(fields: dict, dtype: np.dtype) -> np.ndarray:
    """The nodes of all trees, as this version of scikit-learn has them."""
    found = {name: array.dtype.str for name, array in fields.items()}
    if dtype.names is None or found != {name: dtype[name].str for name in dtype.names}:
        raise ModelFileError("its boosted trees are of another version of scikit-learn, load it with that version")
    nodes = np.empty(len(fields["left"]), dtype=dtype)
    for name, array in fields.items():
        nodes[name] = array
    return nodes


def _check_trees(nodes: np.ndarray, said: dict) -> None:
    """Refuse trees whose branches lead back or out of the tree, or that look at what is not there."""
    sizes, n_bitsets = said["n_nodes"], said["n_bitsets"]
    shapes = said["binned_bitsets"].shape == said["raw_bitsets"].shape == (n_bitsets.sum(), 8)
    types = said["binned_bitsets"].dtype == said["raw_bitsets"].dtype == np.uint32
    counts = sizes.sum() == len(nodes) and (sizes > 0).all() and (n_bitsets >= 0).all() and len(sizes) == len(n_bitsets)
    if not (len(sizes) and shapes and types and counts and said["baseline"].shape == (1, 1)):
        raise ModelFileError("boosted trees do not have the arrays that they are to have")
    tree, first = np.repeat(np.arange(len(sizes)), sizes), np.repeat(np.cumsum(sizes) - sizes, sizes)
    inner = nodes["is_leaf"] == 0
    here = (np.arange(len(nodes)) - first)[inner]
    size, of_tree = sizes[tree][inner], nodes[inner]
    ok = (of_tree["left"] > here) & (of_tree["right"] > here) & (of_tree["left"] < size) & (of_tree["right"] < size)
    ok &= (of_tree["feature_idx"] >= 0) & (of_tree["feature_idx"] < said["n_features"])
    by_category = of_tree["is_categorical"] != 0
    ok &= ~by_category | (of_tree["bitset_idx"] < n_bitsets[tree][inner])
    ok &= ~by_category | np.isin(of_tree["feature_idx"], _remapped(said))
    if not ok.all():
        raise ModelFileError("boosted trees have branches that lead nowhere")


def _remapped(said: dict) -> np.ndarray:
    """Indices of the features that are categories as the trees count them: categories come first."""
    return np.arange(len(said["categories"]))


def thresholds_moved(classifier: Any, numbers: list[np.ndarray | None]) -> Any:
    """A copy whose thresholds of features lie half-way between the numbers (m,) given of them, None to leave them."""
    out, order = deepcopy(classifier), _order_of_features(classifier)
    for [tree] in out._predictors:
        nodes = tree.nodes
        for j, given in enumerate(numbers):
            here = (nodes["feature_idx"] == order[j]) & (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
            here &= np.isfinite(nodes["num_threshold"])
            nodes["num_threshold"][here] = half_way(nodes["num_threshold"][here], given)
    return out


def half_way(thresholds: np.ndarray, numbers: np.ndarray | None) -> np.ndarray:
    """Thresholds (n,) half-way between the two of the numbers (m,) that they lie between; as they are without two."""
    if numbers is None or len(numbers) < 2:
        return thresholds
    right = np.clip(np.searchsorted(numbers, thresholds), 1, len(numbers) - 1)
    return numbers[right - 1] / 2 + numbers[right] / 2


def _order_of_features(classifier: Any) -> np.ndarray:
    """(n_features,) where the trees count each feature: categories come first."""
    is_category = classifier.is_categorical_
    if is_category is None:
        return np.arange(classifier.n_features_in_)
    return np.argsort(np.argsort(~np.asarray(is_category), kind="stable"), kind="stable")
