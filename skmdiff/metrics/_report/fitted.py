"""What a fitted sampler tells of itself, as names and texts."""

from __future__ import annotations

import inspect
from typing import Any

_ATTRIBUTES = {
    "manifold learner": "manifold_",
    "columns learnt": "n_features_in_",
    "steps of training": "n_iter_",
    "training ended by": "stop_reason_",
    "seconds of the fit": "fit_time_",
    "code of numbers": "numeric_",
    "noise level of the starts": "sigma_start_",
    "contraction": "contraction_",
}
_LONGEST = 200


def fitted_facts(sampler: Any) -> dict[str, str]:
    """The class, the parameters that are not default and what the fit left, of any estimator or pipeline of one."""
    sampler = sampler.steps[-1][1] if hasattr(sampler, "steps") else sampler
    if not hasattr(sampler, "get_params"):
        raise TypeError(f"sampler must be a fitted estimator with get_params, got {sampler!r:.80}")
    changed = changed_parameters(sampler)
    facts = {"sampler": type(sampler).__name__, "parameters that are not default": ", ".join(changed) or "none"}
    if hasattr(sampler, "embedding_"):
        facts["rows learnt"] = str(len(sampler.embedding_))
    for name, attribute in _ATTRIBUTES.items():
        value = getattr(sampler, attribute, None)
        if value is not None:
            facts[name] = _as_text(value)
    return facts


def changed_parameters(sampler: Any) -> list[str]:
    """``name=value`` for each parameter that is not as by default."""
    defaults = inspect.signature(type(sampler)).parameters
    return [
        f"{name}={_as_text(value)}"
        for name, value in sampler.get_params(deep=False).items()
        if name in defaults and repr(value) != repr(defaults[name].default)
    ]


def _as_text(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else " ".join(repr(value).split())
    text = text.strip("'")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
