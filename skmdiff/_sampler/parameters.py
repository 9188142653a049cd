"""Checks of the sampler's parameters: each error names the parameter, the rule and the value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from .._diffusion import SIGMA_MAX, SIGMA_MIN
from .._manifold.words import PASSTHROUGH, check_word
from .._numerics.checks import check_integer, check_option, check_real, check_sizes, is_auto
from .._numerics.whole_files import check_folder
from .._table.codec import NUMERIC_CODES
from .._table.target import TARGET_TYPES

INTEGERS = {"n_neighbors": 0, "max_landmarks": 2}
CONSTRAINTS_RULE = "constraints must be 'auto', None or a list of tuples (left, operator, right)"
BOOLS = ("early_stopping", "warm_start")
AUTO_SHARES = ("contraction", "manifold_weight")
AUTO_INTEGERS = {"max_iter": 0, "batch_size": 1}


def check_parameters(params: Mapping[str, Any]) -> None:
    """Raise a ValueError or TypeError at the first parameter that breaks its rule."""
    check_option(params["numeric"], "numeric", {"auto", *NUMERIC_CODES})
    check_option(params["target_type"], "target_type", TARGET_TYPES)
    check_constraints(params["constraints"])
    for name, low in INTEGERS.items():
        check_integer(params[name], name, low)
    for name, low in AUTO_INTEGERS.items():
        if not is_auto(params[name]):
            check_integer(params[name], name, low)
    check_real(params["learning_rate_init"], "learning_rate_init")
    check_checkpoint(params["checkpoint"], params["random_state"])
    check_real(params["validation_fraction"], "validation_fraction", high=1)
    for name in AUTO_SHARES:
        check_auto_share(params[name], name)
    check_manifolds(params["manifold"])
    check_sigma_start(params["sigma_start"])
    if params["max_time"] is not None:
        check_real(params["max_time"], "max_time")
    check_scalar(params["verbose"], "verbose", Integral, min_val=0)  # True is as good as 1
    check_run(params["n_steps"], params["n_jobs"])
    for name in BOOLS:
        if not isinstance(params[name], bool | np.bool_):
            raise TypeError(f"{name} must be True or False, got {params[name]!r}.")
    if not is_auto(params["hidden_layer_sizes"]):
        check_sizes(params["hidden_layer_sizes"], "hidden_layer_sizes")
    check_corrector(params["corrector"])
    if isinstance(params["manifold"], str) and params["manifold"] == PASSTHROUGH:
        check_needs_manifold(params["noise_level"], params["contraction"])


def check_run(n_steps: Any, n_jobs: Any) -> None:
    """Raise unless samples can be drawn in so many steps of the solver and threads."""
    check_integer(n_steps, "n_steps", 1)
    if n_jobs is not None:
        check_integer(n_jobs, "n_jobs")
        if n_jobs == 0:
            raise ValueError("n_jobs must be None or an integer other than 0, got 0.")


def check_checkpoint(checkpoint: Any, random_state: Any) -> None:
    """Raise unless a checkpoint is None or a folder that can be written, for a fit that can be repeated."""
    if checkpoint is None:
        return
    if not isinstance(checkpoint, str | os.PathLike) or not str(checkpoint):
        raise TypeError(f"checkpoint must be None or the path of a folder, got {checkpoint!r}.")
    if not isinstance(random_state, Integral):
        raise ValueError(
            f"checkpoint needs an integer as random_state, so that the same fit can be run again, got {random_state!r}."
        )
    check_folder(checkpoint)


def check_corrector(corrector: Any) -> None:
    """Raise unless a corrector is "auto", None or a classifier with probabilities."""
    if corrector is None or is_auto(corrector):
        return
    lacks = [name for name in ("fit", "predict_proba", "get_params") if not hasattr(corrector, name)]
    if isinstance(corrector, type) or lacks:
        raise TypeError(
            f"corrector must be 'auto', None or a classifier with fit, predict_proba and get_params, got {corrector!r}."
        )


def check_constraints(constraints: Any) -> None:
    """Raise unless constraints are "auto", None or a list; what is in it is read with the columns."""
    if not (constraints is None or is_auto(constraints) or isinstance(constraints, list | tuple)):
        raise TypeError(f"{CONSTRAINTS_RULE}, got {constraints!r:.80}.")


def check_manifolds(manifold: Any) -> None:
    """Raise for a word that is none, and a list that is empty or holds one; transformers are checked when fitted."""
    several = isinstance(manifold, list | tuple)
    if several and not manifold:
        raise ValueError(f"manifold as a list must hold transformers, words or None, at least one, got {manifold!r}.")
    for one in manifold if several else [manifold]:
        if isinstance(one, str):
            check_word(one, several)


def check_sigma_start(sigma_start: Any) -> None:
    """Raise unless sigma_start is "auto" or a noise level of the grid, above the smallest."""
    if is_auto(sigma_start):
        return
    check_scalar(sigma_start, "sigma_start", Real)
    if not SIGMA_MIN < sigma_start <= SIGMA_MAX:
        raise ValueError(f"sigma_start must be 'auto' or in ({SIGMA_MIN}, {SIGMA_MAX}], got {sigma_start!r}.")


def check_auto_share(value: Any, name: str) -> None:
    """Raise unless a parameter is "auto" or a fraction, which NaN is not."""
    if is_auto(value):
        return
    check_scalar(value, name, Real)
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be 'auto' or in [0, 1], got {value!r}.")


def check_needs_manifold(noise_level: Any, contraction: Any) -> None:
    """Raise for a sampler without a manifold that is asked for what needs one."""
    if is_auto(noise_level):
        raise ValueError("noise_level='auto' needs a manifold that rows stand off, got manifold='passthrough'.")
    if contraction and not is_auto(contraction):
        raise ValueError(f"contraction={contraction!r} needs a manifold, got manifold='passthrough'.")
