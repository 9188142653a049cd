"""What is built on the sampler: imputer, over-sampler, augmented estimators."""
