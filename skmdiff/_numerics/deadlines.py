"""Deadlines, by `time.monotonic`, that parts of a fit share; None is no deadline."""

from __future__ import annotations

import time

import numpy as np


def deadline_in(seconds: float | None) -> float | None:
    """The deadline so many seconds from now."""
    return None if seconds is None else time.monotonic() + seconds


def is_over(deadline: float | None) -> bool:
    """Whether a deadline has passed."""
    return deadline is not None and time.monotonic() >= deadline


def seconds_until(deadline: float | None) -> float:
    """The seconds that are left, at least 0, and infinity without a deadline."""
    return np.inf if deadline is None else max(0.0, deadline - time.monotonic())


def halfway(deadline: float | None) -> float | None:
    """The deadline of work that may take half of the time that is left."""
    return None if deadline is None else time.monotonic() + seconds_until(deadline) / 2
