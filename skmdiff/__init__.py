"""A generator of table rows: a manifold learner and a small diffusion model together."""

from ._applications.augmented import AugmentedClassifier, AugmentedRegressor
from ._applications.imputer import ManifoldDiffusionImputer
from ._applications.over_sampler import ManifoldDiffusionOverSampler
from ._sampler.estimator import ManifoldDiffusionSampler
from .pipeline import SamplerPipeline, make_sampler_pipeline

__version__ = "0.4.0"

__all__ = [
    "AugmentedClassifier",
    "AugmentedRegressor",
    "ManifoldDiffusionImputer",
    "ManifoldDiffusionOverSampler",
    "ManifoldDiffusionSampler",
    "SamplerPipeline",
    "make_sampler_pipeline",
]
