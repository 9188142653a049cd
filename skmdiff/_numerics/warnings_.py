"""Warnings that point to the user's line, however deep in the package they are given."""

import sys
import warnings
from types import FrameType

INNER_PACKAGES = {"skmdiff", "sklearn", "imblearn", "joblib"}  # that call the package, or that it calls


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Give a warning at the first line, from here outwards, that is in none of INNER_PACKAGES.

    Estimators call each other (a pipeline a sampler, an imputer many), so that no fixed `stacklevel` finds it. A worker
    thread has no line of the user above it: there it is the line that runs the thread.
    """
    warnings.warn(message, category, stacklevel=1 + _depth_of_user(sys._getframe(1)))


def _depth_of_user(frame: FrameType) -> int:
    """Frames from `frame`, itself included, out to the first outside of the packages."""
    depth = 1
    while _package(frame) in INNER_PACKAGES and frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
