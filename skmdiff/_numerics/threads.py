"""The numbers of threads that OpenMP libraries use, which a manifold learner may change.

The threads of numba, on which UMAP runs, set the number of the OpenMP library that they find in the process, and that
is the one of torch where torch was imported before: after UMAP the network would be trained by other threads, to other
bits, than after a learner of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


@contextmanager
def openmp_threads_kept() -> Iterator[None]:
    """Every OpenMP library uses as many threads after as before; one loaded inside as many as in a new process."""
    before = n_openmp_threads()
    try:
        yield
    finally:
        after = n_openmp_threads()
        if not after.keys() <= before.keys():
            before = {**n_in_a_new_thread(), **before}
        if after != before:
            for library in openmp_libraries():
                library.set_num_threads(before[library.filepath])


def n_openmp_threads() -> dict[str, int]:
    """The number of threads of each OpenMP library, by its path, for work of this thread."""
    return {library.filepath: library.num_threads for library in openmp_libraries()}


def openmp_libraries() -> list:
    """What sets the numbers of threads of the OpenMP libraries of the process."""
    return ThreadpoolController().select(user_api="openmp").lib_controllers


def n_in_a_new_thread() -> dict[str, int]:
    """`n_openmp_threads` of a new thread: there nobody has set any, and the numbers are those of the environment."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(n_openmp_threads).result()
