"""A generator of table rows: a manifold learner and a small diffusion model together."""

from ._imputer import ManifoldDiffusionImputer
from ._sampler import ManifoldDiffusionSampler

__version__ = "0.2.0"

__all__ = ["ManifoldDiffusionImputer", "ManifoldDiffusionSampler"]
