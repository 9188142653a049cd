"""Deadlines, by `time.monotonic`, that parts of a fit share; None is no deadline."""

from __future__ import annotations

import time


def deadline_in(seconds: float | None) -> float | None:
    """The deadline so many seconds from now."""
    return None if seconds is None else time.monotonic() + seconds


def is_over(deadline: float | None) -> bool:
    """Whether a deadline has passed."""
    return deadline is not None and time.monotonic() >= deadline


def is_too_late_for(seconds: float, deadline: float | None) -> bool:
    """Whether work of so many seconds would end after a deadline."""
    return deadline is not None and time.monotonic() + seconds > deadline


def halfway(deadline: float | None) -> float | None:
    """The deadline of work that may take half of the time that is left."""
    return None if deadline is None else (time.monotonic() + deadline) / 2
