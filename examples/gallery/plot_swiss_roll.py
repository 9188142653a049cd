"""
Samples of a swiss roll
=======================

A table of ten columns whose rows lie on a surface of two dimensions. Samples keep to it.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.manifold import Isomap

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import make_swiss_roll_nd

roll = make_swiss_roll_nd(n_samples=600, n_features=10, random_state=0)
sampler = ManifoldDiffusionSampler(Isomap(n_neighbors=10), max_iter=100, random_state=0).fit(roll.data)
samples = sampler.sample(600)

# %%
# The first two principal directions of the table, and of the samples in the same coordinates.
from sklearn.decomposition import PCA

plane = PCA(2).fit(roll.data)
figure, axes = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(8, 4), layout="constrained")
for ax, rows, title in zip(axes, (roll.data, samples), ("table", "samples"), strict=True):
    ax.scatter(*plane.transform(rows).T, s=8)
    ax.set_title(title)
plt.show()
