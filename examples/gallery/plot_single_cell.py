"""
Exploring a branching trajectory, as in single-cell data
========================================================

Cells develop along a path that forks, and most of them are measured at its ends. What one learns: samples that follow
the data are crowded where the table is; ``density="uniform"``, ``design="stratified"`` and ``explore`` show the rest.
"""

# %%
# Counts of 40 genes, made here: a stem that forks into two branches. Few cells are on the way, many at the ends.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsRegressor
from umap import UMAP

from skmdiff import ManifoldDiffusionSampler
from skmdiff.inspection import EmbeddingDisplay

rng = np.random.default_rng(0)
n_cells = 800
time, branch = rng.beta(0.8, 0.35, n_cells), rng.integers(0, 2, n_cells)
peaks, slopes = rng.random(40), rng.normal(size=40)


def rates(time, branch):
    """Expected counts of the genes: each has its peak on the way, and answers to the branch after time 0.4."""
    after = np.clip(time - 0.4, 0, None)[:, None]
    return np.exp(4 + np.exp(-(((time[:, None] - peaks) / 0.3) ** 2)) + after * slopes * (2 * branch[:, None] - 1))


counts = rng.poisson(rates(time, branch) * rng.lognormal(0, 0.3, (n_cells, 1)))


# %%
# The usual steps: to the same total in every cell, logarithm, principal components. The sampler learns the components.


def normalised(counts):
    """Logarithms of counts of the same total in every cell."""
    return np.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True))


reduce = PCA(4, random_state=0).fit(normalised(counts))
components = reduce.transform(normalised(counts))
sampler = ManifoldDiffusionSampler(UMAP(n_neighbors=30, random_state=0, n_jobs=1), max_iter=250, random_state=0)
sampler.fit(components)

# %%
# The same number of samples in three ways. The way travelled by a cell without noise is known; that of a sample is read
# off at the nearest point of the ways to both ends, cut into ten pieces of equal length. Even numbers would
# be the ideal of ``density="uniform"``, if the trajectory had the same width everywhere.
ticks = np.linspace(0, 1, 200)
ways = np.vstack([reduce.transform(normalised(rates(ticks, np.full(200, side)))) for side in (0, 1)])
lengths = [np.cumsum(np.r_[0, np.linalg.norm(np.diff(way, axis=0), axis=1)]) for way in np.split(ways, 2)]
travelled = KNeighborsRegressor(1).fit(ways, np.concatenate([length / length[-1] for length in lengths]))
clock, side = KNeighborsRegressor(1).fit(ways, np.tile(ticks, 2)), KNeighborsRegressor(5).fit(components, branch)
samples = {
    "as the table": sampler.sample(800),
    'density="uniform"': sampler.sample(800, density="uniform"),
    "explore": sampler.explore(800),
}
for name, rows in {"table": components, **samples}.items():
    numbers = np.histogram(travelled.predict(rows), np.linspace(0, 1, 11))[0]
    print(f"{name:18} on each tenth of the way {numbers}, largest / mean {numbers.max() / numbers.mean():.2f}")

# %%
# The embedding: cells coloured by time, then the samples. Axes have no unit. UMAP parts the trajectory where it forks.
figure, axes = plt.subplots(1, 4, sharex=True, sharey=True, figsize=(14, 3.6), layout="constrained")
points = axes[0].scatter(*sampler.embedding_.T, c=time, s=6, cmap="viridis")
axes[0].set(title="cells", xticks=[], yticks=[])
figure.colorbar(points, ax=axes[0], label="time")
for ax, (name, rows) in zip(axes[1:], samples.items(), strict=True):
    ax.scatter(*sampler.embed(rows).T, s=6, color="#d95f02")
    ax.set(title=name)
figure, axes = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(8, 3.6), layout="constrained")
EmbeddingDisplay.from_estimator(sampler, components, samples["as the table"], random_state=0).plot(axes=axes)

# %%
# A small batch, to be looked at cell by cell: with ``design="stratified"`` it has of each mode as many rows as the mode
# has mass. The spread of the number of cells on branch 0, over 20 batches of 12:
for design in ("iid", "stratified"):
    batches = [sampler.sample(12, design=design, random_state=seed) for seed in range(20)]
    on_branch = [np.sum(side.predict(batch) < 0.5) for batch in batches]
    print(f"{design:11} cells of 12 on branch 0: mean {np.mean(on_branch):.2f}, deviation {np.std(on_branch):.2f}")

# %%
# A path from the earliest cell to the latest one of branch 1: the components along it. It steps over the gap that
# UMAP left, which shows as a jump.
ends = components[[np.argmin(time), np.argmax(np.where(branch == 1, time, 0))]]
path = sampler.explore(40, path=ends)
times = clock.predict(path)
print("times along the path, every fifth:", times[::5].round(2))
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for k, (color, style) in enumerate([("#10243f", "-"), ("#e08a1e", "--"), ("#7a9cc6", ":")]):
    ax.plot(path[:, k], color=color, linestyle=style, linewidth=2, label=f"component {k + 1}")
ax.set(xlabel="step on the path", ylabel="value")
ax.legend()
plt.show()
