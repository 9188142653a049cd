"""Modes of a table in an order in which every branch of their tree is in one run."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from skmdiff._starts import modes as _modes
from skmdiff._starts.in_piece import StartPieces
from skmdiff._starts.modes import groups_of_tree, modes, pieces, reachability_tree


def runs(values):
    return 1 + np.count_nonzero(np.diff(values))


def in_order(label, groups):
    return label[np.argsort(groups, kind="stable")]


@pytest.mark.parametrize("n_rows", [400, 3000])  # below and above the rows that are joined in a tree
def test_modes_and_pairs_of_modes_are_in_one_run(n_rows):
    centers = np.array([[0, 0, 0], [3, 0, 0], [40, 0, 0], [43, 0, 0], [0, 90, 0], [3, 90, 0]])
    X, label = make_blobs(n_rows, centers=centers, cluster_std=0.2, random_state=0)
    along = in_order(label, modes(X))
    assert runs(along) == 6 and runs(along // 2) == 3


def test_modes_need_not_be_round():
    """Two linked circles and a strip between walls: no plane parts them."""
    rng = np.random.default_rng(0)
    a = 2 * np.pi * rng.random((2, 300))
    one = np.column_stack([np.cos(a[0]), np.sin(a[0]), np.zeros(300)])
    other = np.column_stack([1 + np.cos(a[1]), np.zeros(300), np.sin(a[1])])
    along = in_order(np.repeat([0, 1], 300), modes(np.concatenate([one, other])))
    assert runs(along) == 2


def test_a_small_and_a_wide_mode_beside_each_other():
    """Half a per cent of the rows are enough for a mode."""
    X, label = make_blobs([1980, 20], centers=[[0, 0], [9, 0]], cluster_std=[1, 0.1], random_state=0)
    assert runs(in_order(label, modes(X))) == 2


def test_every_row_has_a_group_rows_off_the_modes_that_of_the_nearest():
    X, label = make_blobs(300, centers=[[0, 0], [20, 0]], cluster_std=0.5, random_state=0)
    groups = modes(np.append(X, [[7, 0], [12, 0]], axis=0))
    assert groups.min() == 0
    nearest = [groups[np.argmin(np.abs(X - at).sum(axis=1))] for at in ([7, 0], [12, 0])]
    assert list(groups[-2:]) == nearest and runs(in_order(np.append(label, [0, 1]), groups)) == 2


def test_groups_of_a_tree_by_hand():
    """Leaves 0 1 2, 3 4 5 and 6 are joined within a tenth, the threes at 1 and the single one at 5."""
    X = np.array([0.0, 0.1, 0.2, 1.2, 1.3, 1.4, 6.4])[:, None]
    groups = groups_of_tree(reachability_tree(X), 3)
    assert groups[6] == -1 and set(groups[:3]) | set(groups[3:6]) == {0, 1}
    assert len(set(groups[:3])) == len(set(groups[3:6])) == 1
    assert set(groups_of_tree(reachability_tree(X), 4)) == {0}


def test_reachability_is_the_largest_of_three_distances():
    X = np.random.default_rng(0).normal(size=(30, 2))
    D = np.linalg.norm(X[:, None] - X, axis=2)
    core = np.sort(D, axis=1)[:, _modes.CORE_NEIGHBORS]
    reach = np.maximum(D, np.maximum(core[:, None], core))
    # the lengths of a minimum spanning tree, by Prim's algorithm
    seen, lengths = [0], []
    while len(seen) < 30:
        rest = [i for i in range(30) if i not in seen]
        part = reach[np.ix_(seen, rest)]
        lengths.append(part.min())
        seen.append(rest[part.min(axis=0).argmin()])
    np.testing.assert_allclose(reachability_tree(X)[:, 2], np.sort(lengths))


@pytest.mark.parametrize("X", [np.zeros((4, 2)), np.zeros((300, 2)), np.arange(7.0)[:, None]])
def test_few_rows_and_copies_are_one_group(X):
    assert set(modes(X)) == {0}


def test_many_modes_of_some_classes():
    X, label = make_blobs(2000, 6, centers=40, cluster_std=0.3, center_box=(-9, 9), random_state=0)
    assert adjusted_rand_score(label, modes(X)) > 0.9 and runs(in_order(label, modes(X))) == 40


# --- pieces


@pytest.mark.parametrize("n_dimensions", [1, 2, 8])
def test_one_cloud_is_one_piece(n_dimensions):
    for seed in range(5):
        X = np.random.default_rng(seed).normal(size=(500, n_dimensions))
        assert len(np.unique(pieces(X), return_counts=True)[1]) <= 2  # at most some far rows are for themselves
        assert np.bincount(pieces(X)).max() > 480


@pytest.mark.parametrize("n", [30, 3000])
def test_clouds_with_a_gap_between_are_pieces(n):
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    X = rng.normal(size=(n, 3)) + 40.0 * label[:, None]
    found = pieces(X)
    assert len(np.unique(found)) == len(np.unique(np.column_stack([found, label]), axis=0)) == 2


def test_a_mode_of_few_rows_belongs_to_the_one_beside_it():
    X = np.append(np.linspace(0, 1, 100), np.linspace(50, 51, 8))[:, None]
    assert not pieces(X).any() and not pieces(X[:2]).any()


def test_samples_are_kept_in_the_piece_they_started_in():
    X = np.append(np.linspace(0, 1, 50), np.linspace(50, 51, 50))[:, None]
    told = StartPieces.of(X, np.array([3, 60, 99]))
    kept = told.log_acceptance(np.array([[0.4], [0.6], [48.0], [27.0]]), np.array([0, 1, 2, 3]))
    np.testing.assert_array_equal(kept, [0.0, -np.inf, 0.0, 0.0])  # rows past the last are as the last
    assert StartPieces.of(X[:50], np.array([3])) is None
