"""
Imbalanced classes: what new rows gain, and what they cost
==========================================================

What one learns: a rare class is found more often after over-sampling, but probabilities are no longer right, and
another threshold does much of it without new rows. Compare before synthetic rows are kept.
"""

# %%
# One row in twenty is of the rare class. A random forest is fitted to the rows as they are, with weights, with new rows
# of SMOTE, with ours, and by :class:`~skmdiff.AugmentedClassifier`: with equal classes, and with the shares of
# the table, where a gate keeps synthetic rows only if they help on folds.
import matplotlib.pyplot as plt
from imblearn.over_sampling import SMOTE
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, balanced_accuracy_score, brier_score_loss
from sklearn.model_selection import train_test_split

from skmdiff import AugmentedClassifier, ManifoldDiffusionOverSampler, ManifoldDiffusionSampler

X, y = make_classification(6000, 6, n_informative=4, weights=[0.95], class_sep=0.8, flip_y=0.02, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, train_size=800, stratify=y, random_state=0)
print("rows of the rare class:", y.sum(), "of", len(y))

forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=0)
generator = ManifoldDiffusionSampler(max_iter=60)
over = ManifoldDiffusionOverSampler(generator, random_state=0)


def probabilities(model):
    """Of the rare class, for the test rows."""
    return model.predict_proba(X_test)[:, 1]


found = {
    "no new rows": probabilities(forest.fit(X, y)),
    "weights": probabilities(RandomForestClassifier(**forest.get_params() | {"class_weight": "balanced"}).fit(X, y)),
    "SMOTE": probabilities(forest.fit(*SMOTE(random_state=0).fit_resample(X, y))),
    "over-sampler": probabilities(forest.fit(*over.fit_resample(X, y))),
}
ungated = AugmentedClassifier(forest, generator, gate=False, random_state=0).fit(X, y)
gated = AugmentedClassifier(forest, generator, class_shares="data", cv=2, random_state=0).fit(X, y)
found["augmented, balanced"], found["augmented, data"] = probabilities(ungated), probabilities(gated)
print("synthetic rows kept by the gate:", bool(gated.augmented_))

# %%
# At the usual threshold balanced accuracy rises with new rows. Plain rows with the threshold at the share of the rare
# class do better than weights or SMOTE at the usual one, and new rows in equal classes lose by that threshold. Average
# precision has no threshold. The Brier score judges probabilities, the lower the better: equal classes make them worse,
# and ``class_shares="data"``, which keeps the shares of the table, makes them a little better here.
print(f"{'':20} balanced accuracy   at share   average precision   Brier")
scores = {}
for name, p in found.items():
    usual, moved = (balanced_accuracy_score(y_test, p > threshold) for threshold in (0.5, y.mean()))
    scores[name] = usual, moved, average_precision_score(y_test, p), brier_score_loss(y_test, p)
    print(f"{name:20} {usual:17.3f} {moved:10.3f} {scores[name][2]:19.3f} {scores[name][3]:7.4f}")

# %%
# Left: accuracy against the Brier score. Right: how often rows with a given probability are of the rare class. Curves
# below the diagonal promise too much, curves above it too little.
colors = ["#10243f", "#888888", "#c2185b", "#e08a1e", "#3a7ab8", "#7fbf9f"]
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for (name, p), color, marker in zip(found.items(), colors, "os^Dvp", strict=True):
    left.plot(scores[name][3], scores[name][0], marker, color=color, label=name, markersize=9)
    share, mean = calibration_curve(y_test, p, n_bins=6)
    right.plot(mean, share, marker + "-", color=color, markersize=5)
left.set(xlabel="Brier score (lower is better)", ylabel="balanced accuracy, threshold 0.5")
left.legend()
right.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
right.set(xlabel="mean predicted probability", ylabel="fraction of the rare class")
plt.show()
