"""One random stream a row: what row i draws depends on the seed and on i alone.

Philox is a counter: the words of row i are words i * n_words ... (i + 1) * n_words - 1 of one sequence, found by
advancing the counter. Every number takes one word (normals by the inverse of their distribution function), so
any part of the rows can be made anywhere, and asking for more rows leaves the first ones as they were.
"""

import numpy as np
from scipy.special import ndtri

Seed = int | np.random.RandomState | None  # what scikit-learn takes as random_state

WORDS_PER_COUNT = 4
# Any constants: `seed ^ STREAM` is the seed of another stream than that of the noise of a call.
START_STREAM = 0x2545F4914F6CDD1D  # the rows started from, where conditions or a region choose them
PROBE_STREAM = 0x5DEECE66D  # clean values sampled given noised ones
READ_STREAM = 0x4CF5AD432745937F  # categories read on the way down
MISSING_STREAM = 1
CLASS_STREAM = 2
CANDIDATE_STREAM = 0x1E3779B97F4A7C15  # samples drawn again, times the number of the candidate
ACCEPT_STREAM = 0x6C8E9CF570932BD5  # whether a sample is kept
CONTRACTION_STREAM = 0x510E527FADE682D1  # the samples that a contraction is chosen on
CORRECTOR_STREAM = 0x3C6EF372FE94F82B  # the samples that a corrector learns from


def row_uniforms(seed: int, start: int, stop: int, n_draws: int) -> np.ndarray:
    """Uniform numbers in (0, 1) of the rows start..stop-1, (stop - start, n_draws)."""
    n_counts = -(-n_draws // WORDS_PER_COUNT)
    philox = np.random.Philox(key=seed)
    philox.advance(start * n_counts)
    words = philox.random_raw((stop - start) * n_counts * WORDS_PER_COUNT)
    uniforms = ((words >> np.uint64(11)) + 0.5) * 2.0**-53
    return uniforms.reshape(stop - start, -1)[:, :n_draws]


def candidate_seed(seed: int, candidate: int) -> int:
    """The seed of the noise of a candidate of a row; the first one, 0, has the seed of the call."""
    return seed ^ (candidate * CANDIDATE_STREAM % 2**63)


def row_normals(uniforms: np.ndarray) -> np.ndarray:
    """Standard normals, one a uniform number."""
    return ndtri(uniforms)


def draw_seed(random_state: np.random.RandomState) -> int:
    """A seed of 63 bits from a RandomState."""
    return int(random_state.randint(0, 2**63 - 1, dtype=np.int64))
