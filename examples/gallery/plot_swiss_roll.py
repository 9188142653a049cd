"""
What the manifold does: a swiss roll
====================================

A swiss roll in ten columns: every row lies on a surface of two dimensions, and the distance of any row to that surface
is known. What one learns: how far from the surface samples lie without a manifold and with one, and what the
contraction adds.
"""

# %%
# The same table and the same number of training steps, three times. ``manifold="passthrough"`` starts from noise, as
# plain diffusion does. The others start between training rows, as Isomap puts them beside each other; ``contraction``
# then moves samples onto the surface. ``manifold_weight=0`` leaves out the mixture that otherwise helps a small table.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.manifold import Isomap

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import make_swiss_roll_nd

roll = make_swiss_roll_nd(n_samples=800, n_features=10, random_state=0)
settings = {
    "plain diffusion": {"manifold": "passthrough", "contraction": 0.0, "manifold_weight": 0},
    "manifold": {"manifold": Isomap(n_neighbors=10), "contraction": 0.0, "manifold_weight": 0},
    "manifold, contraction": {"manifold": Isomap(n_neighbors=10), "contraction": 1.0, "manifold_weight": 0},
}
samples = {}
for name, setting in settings.items():
    sampler = ManifoldDiffusionSampler(**setting, max_iter=400, random_state=0).fit(roll.data)
    samples[name] = sampler.sample(800)

# %%
# The distance of each sample to the surface. The roll is about 20 wide, and its turns are about 6 apart.
distances = {name: roll.distance(rows) for name, rows in samples.items()}
for name, distance in distances.items():
    print(f"{name:22}  median distance {np.median(distance):.4f}, largest {distance.max():.3f}")

# %%
# The roll from its side, in the three coordinates that it was made in. Dark samples lie far from the surface.
side = roll.frame[[0, 2]]
figure, axes = plt.subplots(1, 4, sharex=True, sharey=True, figsize=(12, 3.6), layout="constrained")
for ax, (name, rows) in zip(axes, {"table": roll.data, **samples}.items(), strict=True):
    points = ax.scatter(*(rows @ side.T).T, c=roll.distance(rows), s=7, cmap="viridis_r", vmin=0, vmax=3)
    ax.set(title=name, xticks=[], yticks=[], aspect="equal")
figure.colorbar(points, ax=axes, label="distance to the surface", extend="max")

# %%
# All distances, on a scale of powers of ten: a curve further to the left is nearer to the surface.
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
styles = [("#d98c00", ":"), ("#3a7ab8", "--"), ("#10243f", "-")]
for (name, distance), (color, line) in zip(distances.items(), styles, strict=True):
    fractions = np.arange(1, len(distance) + 1) / len(distance)
    ax.plot(np.sort(np.maximum(distance, 1e-4)), fractions, color=color, linestyle=line, label=name)
ax.set(xscale="log", xlabel="distance to the surface", ylabel="fraction of samples up to it")
ax.legend()
plt.show()
