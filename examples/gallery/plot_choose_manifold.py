"""
Choosing the manifold by GridSearchCV
=====================================

A sampler has a ``score``, the mean log-density of held-out rows, so searches of scikit-learn work as they are. What one
learns: two ways to choose a manifold learner, and that different scorings may choose differently.
"""

# %%
# The quick way: a list. Held-out rows say under which of the learners they are most probable; one model is trained.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap
from sklearn.model_selection import GridSearchCV, KFold

from skmdiff import ManifoldDiffusionSampler
from skmdiff.metrics import coverage_scorer, detection_scorer

X = load_wine(as_frame=True).data.iloc[:, :7]
learners = {"PCA(2)": PCA(2), "PCA(5)": PCA(5), "Isomap(2)": Isomap()}
sampler = ManifoldDiffusionSampler(list(learners.values()), max_iter=50, random_state=0).fit(X)
for name, score in zip(learners, sampler.manifold_scores_, strict=True):
    print(f"{name:10} {score:.3f}")
print("kept:", sampler.manifold_)

# %%
# The thorough way: a search that fits a model for every learner and fold, and three scorings at once.
# ``detection_scorer`` asks how well held-out rows can be told from samples (-0.5 is ideal), ``coverage_scorer`` how
# much of them the samples reach. The table is sorted by class, so folds are shuffled.
scorings = {
    "log-density": lambda estimator, X, y=None: estimator.score(X),
    "detection": detection_scorer,
    "coverage": coverage_scorer,
}
search = GridSearchCV(
    ManifoldDiffusionSampler(max_iter=50, random_state=0),
    {"manifold": [*learners.values(), "passthrough"]},
    scoring=scorings,
    refit="log-density",
    cv=KFold(2, shuffle=True, random_state=0),
).fit(X)
names = [*learners, "none"]
for scoring in scorings:
    means = search.cv_results_[f"mean_test_{scoring}"]
    print(f"{scoring:12}", dict(zip(names, means.round(3).tolist(), strict=True)), "best:", names[np.argmax(means)])

# %%
# Each dot is a fold, each bar a mean: the higher the better. Where folds differ by more than the means do, the search
# cannot tell the learners apart: more folds and rows are needed.
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
for ax, scoring in zip(axes, scorings, strict=True):
    folds = np.array([search.cv_results_[f"split{k}_test_{scoring}"] for k in range(2)])
    ax.plot(names, folds.T, "o", color="#e08a1e", markersize=5)
    ax.plot(names, folds.mean(axis=0), "_", color="#10243f", markersize=26, markeredgewidth=3)
    ax.set(title=scoring)
    ax.tick_params(axis="x", rotation=35)
axes[0].plot([], [], "o", color="#e08a1e", label="fold")
axes[0].plot([], [], "_", color="#10243f", markeredgewidth=3, label="mean")
axes[0].legend()
plt.show()
