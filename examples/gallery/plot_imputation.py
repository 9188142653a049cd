"""
Filling missing cells
=====================

What one learns: which imputer comes nearest to the cell that was there is one question, which keeps the distribution is
another. A mean is near and too regular; a draw is further and has the right spread.
"""

# %%
# Numbers of which 20 % are taken away at random, so that the truth is known: two moons, turned into five columns.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler
from skmdiff.metrics import energy_distance

rng = np.random.default_rng(0)
moons = make_moons(600, noise=0.06, random_state=0)[0]
truth = np.column_stack([moons, np.tanh(moons[:, 0]), moons[:, 1] ** 2, moons.sum(axis=1)])
truth += 0.05 * rng.normal(size=truth.shape)
is_missing = rng.random(truth.shape) < 0.2
is_missing[:, 1] |= rng.random(len(truth)) < 0.3
table = np.where(is_missing, np.nan, truth)

# %%
# Our imputer draws each missing cell given the others of its row (``strategy="draw"``), or takes the mean of
# many draws.
sampler = ManifoldDiffusionSampler(max_iter=500)
imputers = {
    "KNNImputer": KNNImputer(n_neighbors=10),
    "IterativeImputer": IterativeImputer(max_iter=50, tol=0.01, random_state=0),
    "ours, mean": ManifoldDiffusionImputer(sampler, strategy="mean", n_draws=30, random_state=0),
    "ours, draw": ManifoldDiffusionImputer(sampler, random_state=0),
}
filled = {name: imputer.fit_transform(table) for name, imputer in imputers.items()}

# %%
# The error of the filled cells, and the energy distance of the filled table to the whole one (0 is ideal).
figures = {}
for name, rows in filled.items():
    error = np.sqrt(np.mean((rows - truth)[is_missing] ** 2))
    figures[name] = error, energy_distance(truth, rows)
    print(f"{name:17} root mean squared error {error:.3f}   energy distance {figures[name][1]:.4f}")

# %%
# Filled cells of the second column over the first, where the first is there. Grey rows are whole.
figure, axes = plt.subplots(1, 5, sharex=True, sharey=True, figsize=(14, 3.2), layout="constrained")
shown = is_missing[:, 1] & ~is_missing[:, 0]
for ax, (name, rows) in zip(axes, {"the truth": truth, **filled}.items(), strict=True):
    ax.scatter(*truth[~shown, :2].T, s=5, color="#cccccc")
    ax.scatter(*rows[shown, :2].T, s=9, color="#10243f")
    ax.set(title=name, xlabel="first column")
axes[0].set(ylabel="second column")
plt.show()
