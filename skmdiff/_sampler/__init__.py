"""`ManifoldDiffusionSampler`, the estimator."""
