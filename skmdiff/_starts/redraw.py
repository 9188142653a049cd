"""Samples that are kept or drawn again: rejection within blocks, so that a row depends on its seed and index alone.

A block is drawn as it would be without rejection. Each of its rows that is not kept gets new candidates, with random
numbers of the seed, the row and the number of the candidate, and the first one that is kept stands; after
MAX_CANDIDATES the last one stands. Candidates are packed into parts of PART_ROWS rows, all of one height: see
`_diffusion/backend.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .._diffusion import load_backend
from .._numerics.progress import SILENT, Progress
from .._numerics.streams import ACCEPT_STREAM, candidate_seed, row_uniforms
from .draw import Plan, Width, draw_uniforms, finish_block, in_blocks, starts_of

if TYPE_CHECKING:
    from .._diffusion.backend import DenoiserState, ReverseProcess

MAX_CANDIDATES = 16
PART_ROWS = 256

LogAcceptance = Callable[[np.ndarray, np.ndarray], np.ndarray]  # code (m, p) and indices (m,) of rows of the call


def draw_with_rejection(
    denoiser: DenoiserState,
    plan: Plan,
    process: ReverseProcess,
    n_samples: int,
    seed: int,
    n_jobs: int | None,
    log_acceptance: LogAcceptance,
    progress: Progress = SILENT,
) -> np.ndarray:
    """Encoded rows (n_samples, p) of a plan, as `draw_rows` has them, of which some are drawn again.

    `log_acceptance` gives the log of the probabilities (m,) with which rows are kept. The denoiser has no measurement
    noise.
    """
    backend = load_backend()
    levels = np.maximum(process.sigma_start, backend.noise_of_columns(denoiser))

    def candidates(rows: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        x, given = starts_of(plan, rows, uniforms, levels)
        return finish_block(denoiser, process, x, given, uniforms, None)

    def block(start: int) -> np.ndarray:
        numbers = CandidateNumbers(plan, seed, start, start + backend.BLOCK_ROWS, Width.of(denoiser))
        return keep_or_redraw(numbers, candidates, log_acceptance)

    return in_blocks(block, n_samples, n_jobs, progress)


class CandidateNumbers:
    """The random numbers of the candidates of rows start..stop-1 of a call, made at first need."""

    def __init__(self, plan: Plan, seed: int, start: int, stop: int, width: Width) -> None:
        self.plan, self.seed, self.start, self.stop, self.width = plan, seed, start, stop, width
        self.rows = np.arange(start, stop)
        self.log_accept = np.log(row_uniforms(seed ^ ACCEPT_STREAM, start, stop, MAX_CANDIDATES))
        self._of_candidate: dict[int, np.ndarray] = {}

    def of_starts(self, i: np.ndarray, candidate: np.ndarray) -> np.ndarray:
        """Uniform numbers (m, k) of candidates (m,) of the rows at indices i (m,) of the block."""
        out = np.empty((len(i), self._of(0).shape[1]))
        for k in np.unique(candidate).tolist():
            out[candidate == k] = self._of(k)[i[candidate == k]]
        return out

    def _of(self, candidate: int) -> np.ndarray:
        if candidate not in self._of_candidate:
            seed = candidate_seed(self.seed, candidate)
            uniforms = draw_uniforms(self.plan.n_draws, seed, self.start, self.stop, self.width)
            if candidate and self.plan.same_start:
                uniforms[:, 0] = self._of(0)[:, 0]
            self._of_candidate[candidate] = uniforms
        return self._of_candidate[candidate]


def keep_or_redraw(
    numbers: CandidateNumbers,
    candidates: Callable[[np.ndarray, np.ndarray], np.ndarray],
    log_acceptance: LogAcceptance,
) -> np.ndarray:
    """One block of encoded rows: the first candidate of each that is kept.

    candidates : callable(indices (m,) of rows of the call, their uniform numbers) -> encoded rows (m, p)
    """
    every = np.arange(len(numbers.rows))
    x = candidates(numbers.rows, numbers.of_starts(every, np.zeros_like(every)))
    is_open = numbers.log_accept[:, 0] > log_acceptance(x, numbers.rows)
    done = 1
    while is_open.any() and done < MAX_CANDIDATES:
        i, candidate = next_candidates(np.flatnonzero(is_open), done)
        drawn = np.concatenate(
            [candidates(numbers.rows[i[part]], numbers.of_starts(i[part], candidate[part])) for part in parts(len(i))]
        )
        kept = numbers.log_accept[i, candidate] <= log_acceptance(drawn, numbers.rows[i])
        is_last = candidate == candidate.max()
        # the last candidate of a row first, so that the first one that is kept comes over it
        for k in (candidate.max() - np.arange(np.ptp(candidate) + 1)).tolist():
            chosen = (candidate == k) & (kept | is_last)
            x[i[chosen]] = drawn[chosen]
        is_open[i[kept]] = False
        done = int(candidate.max()) + 1
    return x


def next_candidates(rows: np.ndarray, done: int) -> tuple[np.ndarray, np.ndarray]:
    """The next candidates of rows (m,) that have had `done`: as many each as fill the parts, padded with the last.

    Returns rows and numbers of candidates, (PART_ROWS * n_parts,) each, candidate after candidate.
    """
    n_parts = -(-len(rows) // PART_ROWS)
    n_each = min(n_parts * PART_ROWS // len(rows), MAX_CANDIDATES - done)
    padding = (0, n_parts * PART_ROWS - n_each * len(rows))
    i, candidate = np.tile(rows, n_each), np.repeat(done + np.arange(n_each), len(rows))
    return np.pad(i, padding, mode="edge"), np.pad(candidate, padding, mode="edge")


def parts(n: int) -> Iterator[slice]:
    """Of n rows, PART_ROWS at a time."""
    return (slice(start, start + PART_ROWS) for start in range(0, n, PART_ROWS))
