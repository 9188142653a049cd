"""Checks of parameters: every error names the parameter, the rule and the value got."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Tags, check_random_state, check_scalar, get_tags

from .streams import Seed


def check_option(value: Any, name: str, options: Collection[str]) -> str:
    """Raise unless a string parameter is one of its options."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {sorted(options)}, got {value!r}.")
    return value


def tags_of(estimator: Any) -> Tags | None:
    """The tags of an estimator; None for one that has none."""
    try:
        return get_tags(estimator)
    except AttributeError:
        return None


def accepts_missing(estimator: Any) -> bool:
    """Whether an estimator says that it takes missing cells."""
    tags = tags_of(estimator)
    return tags is not None and tags.input_tags.allow_nan


def is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"


def check_coordinates(Z: Any, n_components: int) -> np.ndarray:
    """Z as a finite float array of shape (n_samples, n_components)."""
    rule = f"Z must be a finite array of shape (n_samples, {n_components})"
    try:
        array = np.asarray(Z, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{rule}, got {Z!r:.80}.") from error
    if array.ndim != 2 or array.shape[1] != n_components:
        raise ValueError(f"{rule}, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{rule}, got NaN or infinity.")
    return array


def check_nothing_masked(values: Any, name: str) -> None:
    """Raise for a masked array with masked entries, whose fillers would be taken for values."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} must have no masked entries, got {int(np.ma.getmaskarray(values).sum())} of them. Leave these "
            "rows out."
        )


def check_integer(value: Any, name: str, min_val: int | None = None) -> int:
    """Raise unless a parameter is an integer, which a bool is not, and at least `min_val`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r:.80}.")
    return int(check_scalar(value, name, Integral, min_val=min_val))


def check_rows(value: Any, name: str, n_columns: int, times: int = 1) -> int:
    """Raise unless so many rows (`times` as many) of `n_columns` numbers of 8 bytes fit into the memory there is."""
    value = check_integer(value, name, 1)
    largest = memory_there_is() // (8 * max(1, n_columns) * max(1, times))
    if value > largest:
        got = value if value < 10**40 else "more than 10**40"
        raise ValueError(
            f"{name} must be a number of rows that fit into memory, here at most {largest}, got {got}. Draw them in "
            "parts, each with a random_state of its own."
        )
    return value


def memory_there_is() -> int:
    """Bytes of memory of this machine; where it does not say, what an array can hold at most."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize


def check_real(value: Any, name: str, high: float = np.inf) -> None:
    """Raise unless 0 < value < high, which NaN and infinity never are."""
    check_number(value, name)
    if not 0 < value < high:
        raise ValueError(f"{name} must be above 0 and below {high}, got {value!r}.")


def check_fraction(value: Any, name: str) -> None:
    """Raise unless 0 <= value <= 1, which NaN never is."""
    check_number(value, name)
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be in [0, 1], got {value!r}.")


def check_number(value: Any, name: str) -> None:
    """Raise unless a parameter is a number, which a bool is not."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r:.80}.")


def check_sizes(values: Any, name: str) -> None:
    """Raise unless a parameter is a sequence of at least one positive integer."""
    good = isinstance(values, tuple | list | np.ndarray) and len(values) > 0
    if not good or not all(isinstance(value, Integral) and int(value) > 0 for value in values):
        raise ValueError(f"{name} must be 'auto' or a sequence of at least one positive integer, got {values!r}.")


def random_stream(random_state: Seed) -> np.random.RandomState:
    """`check_random_state`, with errors that name the parameter."""
    try:
        return check_random_state(random_state)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"random_state must be None, a RandomState or an integer in [0, 2**32 - 1], got {random_state!r}."
        ) from error
