"""Deadlines, and the search for neighbours that one hurries."""

import time

import numpy as np
import pytest
from scipy.spatial import cKDTree

from skmdiff._numerics import neighbors
from skmdiff._numerics.deadlines import deadline_in, halfway, is_over, seconds_until


def test_no_deadline_is_never_over():
    assert deadline_in(None) is None and halfway(None) is None
    assert not is_over(None) and seconds_until(None) == np.inf


def test_a_deadline_is_over_when_its_seconds_are():
    deadline = deadline_in(100.0)
    assert not is_over(deadline) and 99 < seconds_until(deadline) <= 100
    assert 49 < seconds_until(halfway(deadline)) <= 50
    past = time.monotonic() - 1
    assert is_over(past) and seconds_until(past) == 0 and is_over(halfway(past))


@pytest.mark.parametrize(("seconds", "slack"), [(np.inf, 0.5), (1e6, 0.5), (0.0, 5.0)])
def test_a_search_in_a_hurry_has_more_slack(seconds, slack):
    X = np.random.default_rng(0).normal(size=(2000, 6))
    assert neighbors.slack_for(cKDTree(X), X, np.arange(1, 6), seconds) == slack


def test_neighbours_found_in_a_hurry_are_hardly_farther():
    X = np.random.default_rng(0).normal(size=(neighbors.EXACT_ROWS + 1, 8))
    exact = cKDTree(X).query(X[:500], k=16)[0]
    hurried = neighbors.nearest(X, X[:500], 16, seconds=0.0)[0]
    assert (exact[:, 1:] <= hurried[:, 1:]).all() and hurried[:, 1:].mean() < 1.25 * exact[:, 1:].mean()
