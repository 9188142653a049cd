"""A generator of table rows: a manifold learner and a small diffusion model together."""

from ._sampler import ManifoldDiffusionSampler

__version__ = "0.3.0"

__all__ = ["ManifoldDiffusionSampler"]
