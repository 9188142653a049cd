"""Diffusion on encoded tables: noise -> tasks, denoiser -> training, solvers -> backend, each above the one before.

Only this folder imports torch, and only `backend` is used from outside it, by `load_backend`: numpy in, numpy out. What
a trained denoiser is made of holds no torch: it is imported from here.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from .._numerics.interrupts import once_to_its_end
from .state import DenoiserState, NetworkShape, Prior

__all__ = ["RHO", "SIGMA_MAX", "SIGMA_MIN", "DenoiserState", "NetworkShape", "Prior", "load_backend"]

# Defaults of the noise levels, in standard deviations of a column.
SIGMA_MIN = 0.01  # the reverse process ends here, with one evaluation of the denoiser that removes what is left
SIGMA_MAX = 10.0  # largest level: rows are 1 % of the variance, so that hardly anything of them is seen
RHO = 7.0  # curvature of the grid of levels, as in EDM (section 3); the larger, the shorter the steps near SIGMA_MIN


@once_to_its_end
def load_backend() -> ModuleType:
    """The module `backend`, imported at the first call; torch, imported in part only, ends later in a crash."""
    return importlib.import_module(".backend", __name__)
