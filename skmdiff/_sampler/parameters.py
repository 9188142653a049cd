"""Checks of the sampler's parameters: each error names the parameter, the rule and the value."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_memory

from .._numerics.checks import check_option, check_real, check_share, check_sizes, is_auto

LARGEST_SIGMA = 90.0
INTEGERS = {"n_neighbors": 0, "max_landmarks": 2, "n_steps": 1, "n_iter_no_change": 1, "verbose": 0}
AUTO_INTEGERS = ("max_iter", "batch_size")
POSITIVE = ("sigma_min", "sigma_max", "rho", "learning_rate_init")


def check_parameters(sampler):
    """Raise a ValueError or TypeError at the first parameter that breaks its rule."""
    check_option(sampler.start, "start", {"manifold", "noise"})
    check_option(sampler.numeric, "numeric", {"quantile", "standard"})
    check_option(sampler.target_type, "target_type", {"auto", "class", "number"})
    for name, low in INTEGERS.items():
        check_scalar(getattr(sampler, name), name, Integral, min_val=low)
    for name in AUTO_INTEGERS:
        if not is_auto(getattr(sampler, name)):
            check_scalar(getattr(sampler, name), name, Integral, min_val=1)
    for name in POSITIVE:
        check_real(getattr(sampler, name), name)
    check_levels(sampler.sigma_min, sampler.sigma_max, sampler.sigma_start)
    check_real(sampler.validation_fraction, "validation_fraction", high=1)
    check_scalar(sampler.manifold_weight, "manifold_weight", Real, min_val=0)
    if not np.isfinite(sampler.manifold_weight):
        raise ValueError(f"manifold_weight must be finite, got {sampler.manifold_weight!r}.")
    check_share(sampler.contraction, "contraction", 1)
    if not (sampler.contamination is None or is_auto(sampler.contamination)):
        check_real(sampler.contamination, "contamination")
        check_share(sampler.contamination, "contamination", 0.5)
    if sampler.max_time is not None:
        check_real(sampler.max_time, "max_time")
    if sampler.n_jobs is not None:
        check_scalar(sampler.n_jobs, "n_jobs", Integral)
    check_cache(sampler.memory)
    if not isinstance(sampler.early_stopping, bool | np.bool_):
        raise TypeError(f"early_stopping must be True or False, got {sampler.early_stopping!r}.")
    if not is_auto(sampler.hidden_layer_sizes):
        check_sizes(sampler.hidden_layer_sizes, "hidden_layer_sizes")


def check_cache(memory):
    """Raise unless memory is None, a folder or has the `cache` of a joblib.Memory."""
    try:
        check_memory(memory)
    except ValueError as error:
        raise ValueError(f"memory must be None, a folder or a joblib.Memory, got {memory!r}.") from error


def check_levels(sigma_min, sigma_max, sigma_start):
    """Raise unless sigma_min < sigma_max <= LARGEST_SIGMA and sigma_start is "auto" or above sigma_min within them."""
    if not sigma_min < sigma_max <= LARGEST_SIGMA:
        raise ValueError(
            f"sigma_min must be below sigma_max, and sigma_max at most {LARGEST_SIGMA}, got "
            f"sigma_min={sigma_min!r}, sigma_max={sigma_max!r}."
        )
    if is_auto(sigma_start):
        return
    check_scalar(sigma_start, "sigma_start", Real)
    if not sigma_min < sigma_start <= sigma_max:
        raise ValueError(
            f"sigma_start must be 'auto' or in (sigma_min, sigma_max] = ({sigma_min}, {sigma_max}], got "
            f"{sigma_start!r}."
        )
