"""
Noisy measurements: learning what was measured, not the noise
=============================================================

What one learns: where the table has noise of a known size, ``noise_level`` tells the sampler; samples then lie
nearer to the clean manifold than the table does, and ``denoise`` takes noise from the rows themselves.
"""

# %%
# A circle in four columns, unevenly filled, with noise of standard deviation 0.15 in each column. The distance of any
# row to the clean circle is known.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.manifold import Isomap

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import make_von_mises_circle

NOISE = 0.15
circle = make_von_mises_circle(1000, n_features=4, kappa=1.0, noise=NOISE, random_state=0)
parameters = {"manifold": Isomap(n_neighbors=15), "max_iter": 500, "random_state": 0}
ignorant = ManifoldDiffusionSampler(**parameters).fit(circle.data)
told = ManifoldDiffusionSampler(noise_level=NOISE, **parameters).fit(circle.data)

# %%
# Samples of a sampler that is not told lie about as far from the circle as the table does. Samples of one that is told
# lie nearer, though not on it.
rows = {
    "table": circle.data,
    "samples, not told": ignorant.sample(1000),
    "samples, told": told.sample(1000),
    "table, denoised": told.denoise(circle.data),
}
for name, part in rows.items():
    print(f"{name:18} mean distance to the circle {circle.distance(part).mean():.4f}")
errors = [np.sqrt(np.mean((rows[name] - circle.clean) ** 2)) for name in ("table", "table, denoised")]
print("error of a cell against the clean row: {:.3f} before, {:.3f} after denoise".format(*errors))

# %%
# In the plane of the circle.
figure, axes = plt.subplots(1, 4, sharex=True, sharey=True, figsize=(13, 3.5), layout="constrained")
turn = np.linspace(0, 2 * np.pi, 200)
for ax, (name, part) in zip(axes, rows.items(), strict=True):
    ax.scatter(*(part @ circle.frame.T).T, s=5, color="#6f8fb5")
    ax.plot(np.cos(turn), np.sin(turn), color="black", linewidth=1, label="clean circle")
    ax.set(title=name, aspect="equal", xticks=[], yticks=[])
axes[0].legend(loc="upper right", fontsize=7)

# %%
# The noise level need not be known exactly. Told too little, samples keep noise; told twice as much, they are
# worse than the table.
levels = [0.05, 0.1, 0.15, 0.2, 0.3]
quick = parameters | {"max_iter": 150}
distances = []
for level in levels:
    samples = ManifoldDiffusionSampler(noise_level=level, **quick).fit(circle.data).sample(500)
    distances.append(circle.distance(samples).mean())
    print(f"told {level:.2f}: mean distance {distances[-1]:.4f}")
figure, ax = plt.subplots(figsize=(5.5, 3.3), layout="constrained")
ax.plot(levels, distances, "o-", color="#10243f", label="samples")
ax.axhline(circle.distance(circle.data).mean(), color="#e08a1e", linestyle="--", label="table")
ax.axvline(NOISE, color="grey", linestyle=":", label="true noise level")
ax.set(xlabel="noise_level told", ylabel="mean distance to the circle", ylim=(0, None))
ax.legend()
plt.show()
