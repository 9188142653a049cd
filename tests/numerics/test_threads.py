"""Threads of OpenMP libraries, which UMAP changes by itself, are as they were."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from skmdiff import ManifoldDiffusionSampler
from skmdiff._numerics.threads import n_in_a_new_thread, n_openmp_threads, openmp_libraries, openmp_threads_kept

ROOT = Path(__file__).parent.parent.parent
X = np.random.default_rng(0).normal(size=(60, 3))
FIT = """
import numpy as np
{first}
from skmdiff import ManifoldDiffusionSampler
X = np.random.default_rng(0).normal(size=(60, 3))
ManifoldDiffusionSampler(manifold="umap", max_iter=0, random_state=0).fit(X)
import torch
print(torch.get_num_threads())
"""


def interrupted_work():
    with openmp_threads_kept():
        for library in openmp_libraries():
            library.set_num_threads(3)
        raise KeyboardInterrupt


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_number_that_is_set_inside_is_put_back(n_threads):
    with threadpool_limits(n_threads, user_api="openmp"):
        before = n_openmp_threads()
        assert set(before.values()) == {n_threads} and torch.get_num_threads() == n_threads
        with pytest.raises(KeyboardInterrupt):
            interrupted_work()
        assert n_openmp_threads() == before


def test_a_new_thread_knows_nothing_of_what_was_set():
    expected = n_in_a_new_thread()
    with threadpool_limits(3, user_api="openmp"):
        assert n_in_a_new_thread() == expected


@pytest.mark.slow
def test_umap_leaves_the_threads_of_torch():
    pytest.importorskip("umap")
    with threadpool_limits(1, user_api="openmp"):
        before = n_openmp_threads()
        sampler = ManifoldDiffusionSampler(manifold="umap", max_iter=0, random_state=0).fit(X)
        sampler.embed(X[:5])
        assert {path: n_openmp_threads()[path] for path in before} == before


@pytest.mark.slow
@pytest.mark.parametrize("first", ["import torch", "import umap", ""])
def test_a_library_loaded_by_umap_has_the_threads_of_the_environment(first, monkeypatch):
    """Whoever comes first: torch, which brings a library of its own, or numba, which takes one of the system."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIT.format(first=first)], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0 and run.stdout.split() == ["1"], run.stderr
