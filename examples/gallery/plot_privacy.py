"""
Privacy: what samples tell of training rows
===========================================

What one learns: what leakage looks like in figures, beside what fresh real rows score; and how to save a model without
its training rows. No figure here is a guarantee.
"""

# %%
# Rows are held out before anything is fitted: without them nobody can say what is too much.
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

import skmdiff
from skmdiff import ManifoldDiffusionSampler
from skmdiff.metrics import c2st, privacy_report

X, y = load_breast_cancer(return_X_y=True)
X = X[:, :10]
train, held_out, y_train, _ = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
# Three makers of as many rows: our sampler, SMOTE, which puts rows between two training rows, and one that adds a
# little noise to training rows, which is what leakage looks like.
rng = np.random.default_rng(0)
sampler = ManifoldDiffusionSampler(max_iter=500, random_state=0).fit(train)
wanted = {0: 2 * np.sum(y_train == 0), 1: 2 * np.sum(y_train == 1)}
smote = SMOTE(sampling_strategy=wanted, random_state=0).fit_resample(train, y_train)[0][len(train) :]
made = {
    "skmdiff": sampler.sample(len(train)),
    "SMOTE": smote,
    "rows with noise": train + 0.05 * train.std(axis=0) * rng.normal(size=train.shape),
}

# %%
# ``c2st`` asks how well samples are told from held-out rows, and does not see copies: training rows with noise are the
# best by it, and tell most by the other measures. SMOTE's rows are near to training rows by design.
names = ("nearer_to_train", "distance_auc", "memorisation_excess")
reports = {name: privacy_report(train, rows, held_out, random_state=0) for name, rows in made.items()}
for name, found in reports.items():
    print(f"{name:16} c2st {c2st(held_out, made[name], random_state=0):.3f}", end="")
    print("".join(f"   {key} {found[key].value:.3f} (fresh rows {found[key].fresh:.3f})" for key in names))

# %%
# Each measure with its interval; the dotted line is what fresh real rows score.
figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
for ax, key in zip(axes, names, strict=True):
    for k, (name, color) in enumerate(zip(reports, ("#10243f", "#e08a1e", "#c2185b"), strict=True)):
        measure = reports[name][key]
        ax.plot([measure.low, measure.high], [k, k], color=color, linewidth=3)
        ax.plot(measure.value, k, "o", color=color, markersize=9)
    ax.axvline(measure.fresh, color="black", linestyle=":", linewidth=1)
    ax.set(title=key, yticks=range(3), yticklabels=list(reports), ylim=(2.5, -0.5))

# %%
# Distances of samples to the nearest training row, over the distances of held-out rows. Where a curve rises before
# that of the held-out rows, samples are too near.
scaler = StandardScaler().fit(train)
nearest = NearestNeighbors(n_neighbors=1).fit(scaler.transform(train))
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
styles = [("black", ":"), ("#10243f", "-"), ("#e08a1e", "--"), ("#c2185b", "-.")]
for (name, rows), (color, style) in zip({"held-out rows": held_out, **made}.items(), styles, strict=True):
    distance = np.sort(nearest.kneighbors(scaler.transform(rows))[0][:, 0])
    ax.plot(distance, np.linspace(0, 1, len(distance)), color=color, linestyle=style, label=name, linewidth=2)
ax.set(xlabel="distance to the nearest training row", ylabel="fraction of rows", xscale="log")
ax.legend(fontsize=8)

# %%
# A model file holds the training table. ``training_rows=False`` writes one that does not.
with TemporaryDirectory() as folder:
    for training_rows in (True, False):
        path = Path(folder, f"{training_rows}.skmdiff")
        sampler.save(path, training_rows=training_rows)
        again = skmdiff.load(path).sample(500, random_state=1)
        distance = c2st(held_out, again, random_state=0)
        print(
            f"training_rows={training_rows!s:5}  {path.stat().st_size // 1000} kB, c2st of its samples {distance:.3f}"
        )
plt.show()
