"""A generator of table rows: a manifold learner and a small diffusion model together."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._applications.augmented import AugmentedClassifier, AugmentedRegressor
    from ._applications.imputer import ManifoldDiffusionImputer
    from ._applications.over_sampler import ManifoldDiffusionOverSampler
    from ._files.errors import ModelFileError
    from ._sampler.estimator import ManifoldDiffusionSampler
    from ._sampler.files import InconsistentVersionWarning
    from ._sampler.loading import load
    from .pipeline import SamplerPipeline, make_sampler_pipeline

__version__ = "0.4.0"

__all__ = [
    "AugmentedClassifier",
    "AugmentedRegressor",
    "InconsistentVersionWarning",
    "ManifoldDiffusionImputer",
    "ManifoldDiffusionOverSampler",
    "ManifoldDiffusionSampler",
    "ModelFileError",
    "SamplerPipeline",
    "load",
    "make_sampler_pipeline",
]

# where each name is; imported at first use, so that `skmdiff --help` does not wait for scikit-learn
_HOMES = {
    "AugmentedClassifier": "_applications.augmented",
    "AugmentedRegressor": "_applications.augmented",
    "ManifoldDiffusionImputer": "_applications.imputer",
    "ManifoldDiffusionOverSampler": "_applications.over_sampler",
    "ManifoldDiffusionSampler": "_sampler.estimator",
    "ModelFileError": "_files.errors",
    "InconsistentVersionWarning": "_sampler.files",
    "SamplerPipeline": "pipeline",
    "load": "_sampler.loading",
    "make_sampler_pipeline": "pipeline",
}
_MODULES = ("datasets", "inspection", "metrics", "pipeline")


def __getattr__(name: str) -> Any:
    """A public name or module, imported at first use (PEP 562)."""
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    """The public names, those not imported yet too, and nothing that helps to import them."""
    return sorted({*__all__, *_MODULES, *(name for name in globals() if name.startswith("__"))})
