"""A generator of table rows: a manifold learner and a small diffusion model together."""

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
