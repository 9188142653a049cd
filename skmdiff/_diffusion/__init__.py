"""Diffusion on encoded tables: noise -> denoiser -> training and solvers -> backend, each above the one before.

Only this folder imports torch, and only `backend` is used from outside it, by `load_backend`: numpy in, numpy out.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from .._numerics.interrupts import once_to_its_end

__all__ = ["load_backend"]


@once_to_its_end
def load_backend() -> ModuleType:
    """The module `backend`, imported at the first call; torch, imported in part only, ends later in a crash."""
    return importlib.import_module(".backend", __name__)
