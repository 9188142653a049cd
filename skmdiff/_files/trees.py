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
MAX_CELLS, MAX_TREES = 1 << 20, 10_000  # of the table that a classifier is fitted to
# in features, 25 000 of which take a second: of all boosted trees of a file
FREE_WORK, WORK_PER_BYTE, WORK_OF_CATEGORIES, WORK_OF_FIT = 25_000, 0.1, 4, 100


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
    _check_surroundings(said)
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


def work_of(said: Any) -> int:
    """What it takes to make the classifier of what `write_boosted` says, which is checked."""
    _check_surroundings(said)
    return WORK_OF_FIT + said["n_features"] + WORK_OF_CATEGORIES * len(said["categories"])


def _check_surroundings(said: Any) -> None:
    n_features, categories, parameters = said["n_features"], said["categories"], said["parameters"]
    if not all(type(one) is dict for one in (said, categories, parameters, said["nodes"])):
        raise ModelFileError("boosted trees do not say what they are made of")
    is_table = type(n_features) is int and 0 < n_features <= MAX_FEATURES and set(parameters) == set(PARAMETERS)
    if not is_table or any(type(one) not in (bool, int, float, str, type(None)) for one in parameters.values()):
        raise ModelFileError("boosted trees do not say what their features and parameters are")
    if not all(type(j) is int and 0 <= j < n_features for j in categories):
        raise ModelFileError("boosted trees do not say what their categories are")
    are_arrays = all(_is_array(values, "biuf", 1) for values in categories.values())
    sizes = [len(values) for values in categories.values()] if are_arrays else [0]
    if not all(0 < n <= MAX_CATEGORIES + 1 for n in sizes) or n_features * max([4, *sizes]) > MAX_CELLS:
        raise ModelFileError("boosted trees do not say what their categories are, or have too many")
    classes = said["classes"]
    if not _is_array(classes, "biufU", 1) or len(classes) != 2 or classes[0] == classes[1]:
        raise ModelFileError("boosted trees are not of two classes")


def _is_array(value: Any, kinds: str, n_dimensions: int) -> bool:
    """Whether something is an array of so many dimensions, of a dtype of these kinds."""
    return type(value) is np.ndarray and value.dtype.kind in kinds and value.ndim == n_dimensions


def _surroundings(said: dict) -> HistGradientBoostingClassifier:
    """A classifier of the same features, categories, classes and parameters, with trees of no meaning."""
    n_features, categories = said["n_features"], said["categories"]
    X = np.zeros((max([4, *map(len, categories.values())]), n_features))
    for j, values in categories.items():
        X[:, j] = np.resize(values, len(X))
    y = np.resize(said["classes"], len(X))
    is_category = np.isin(np.arange(n_features), list(categories)) if categories else None
    classifier = HistGradientBoostingClassifier(max_iter=1, categorical_features=is_category).fit(X, y)
    return classifier.set_params(**said["parameters"])


def _nodes(fields: dict, dtype: np.dtype) -> np.ndarray:
    """The nodes of all trees, as this version of scikit-learn has them."""
    n = len(fields["left"])
    found = {k: v.dtype.str for k, v in fields.items() if type(v) is np.ndarray and v.shape == (n,)}
    if dtype.names is None or found != {name: dtype[name].str for name in dtype.names}:
        raise ModelFileError("its boosted trees are of another version of scikit-learn, load it with that version")
    nodes = np.empty(n, dtype=dtype)
    for name, array in fields.items():
        nodes[name] = array
    return nodes


def _check_trees(nodes: np.ndarray, said: dict) -> None:
    """Refuse trees whose branches lead back or out of the tree, or that look at what is not there."""
    _check_counts(nodes, said)
    sizes, n_bitsets = said["n_nodes"], said["n_bitsets"]
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


def _check_counts(nodes: np.ndarray, said: dict) -> None:
    """Refuse counts of nodes and bitsets that are not those of the arrays: each is bounded before any sum of them."""
    sizes, n_bitsets, bitsets = said["n_nodes"], said["n_bitsets"], (said["binned_bitsets"], said["raw_bitsets"])
    ok = _is_array(sizes, "iu", 1) and _is_array(n_bitsets, "iu", 1) and 0 < len(sizes) == len(n_bitsets) <= MAX_TREES
    ok = ok and all(_is_array(one, "u", 2) and one.dtype == np.uint32 for one in bitsets)
    ok = ok and bool(((sizes > 0) & (sizes <= len(nodes))).all())
    ok = ok and bool(((n_bitsets >= 0) & (n_bitsets <= len(bitsets[0]))).all())
    ok = ok and sum(sizes.tolist()) == len(nodes)
    ok = ok and all(one.shape == (sum(n_bitsets.tolist()), 8) for one in bitsets)
    if not (ok and _is_array(said["baseline"], "f", 2) and said["baseline"].shape == (1, 1)):
        raise ModelFileError("boosted trees do not have the arrays that they are to have")


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
