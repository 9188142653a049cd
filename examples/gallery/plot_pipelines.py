"""
In pipelines: skrub, ColumnTransformer and imbalanced-learn
===========================================================

What one learns: where a sampler stands in pipelines of other packages. It takes a mixed table as it is, so it comes
before what encodes the table for a classifier.
"""

# %%
# The German credit table: 1000 people, numbers and categories, and whether the credit went well.
import matplotlib.pyplot as plt
import numpy as np
from imblearn.pipeline import make_pipeline as make_resampling_pipeline
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skrub import TableVectorizer

from skmdiff import ManifoldDiffusionOverSampler, ManifoldDiffusionSampler, make_sampler_pipeline
from skmdiff.datasets import load_german_credit

X, y = load_german_credit(return_X_y=True, as_frame=True)

# %%
# Two ways to encode a mixed table for a classifier that takes numbers only: skrub chooses by the columns, the
# ColumnTransformer is told.
encoders = {
    "TableVectorizer": [TableVectorizer(), StandardScaler()],
    "ColumnTransformer": [
        ColumnTransformer(
            [
                ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
                ("categories", OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
            ]
        )
    ],
}

# %%
# The pipeline of imbalanced-learn resamples in ``fit`` only: new rows are made from the training rows of each fold, and
# the test rows stay as they are.
over = ManifoldDiffusionOverSampler(ManifoldDiffusionSampler(max_iter=50), random_state=0)
folds = StratifiedKFold(2, shuffle=True, random_state=0)
scoring = {"balanced accuracy": "balanced_accuracy", "area": "roc_auc"}
results = {}
for name, steps in encoders.items():
    classifier = LogisticRegression(C=0.1, max_iter=1000)
    pipelines = {
        "": make_pipeline(*steps, classifier),
        " + over-sampler": make_resampling_pipeline(over, *steps, classifier),
    }
    for addition, pipeline in pipelines.items():
        found = cross_validate(pipeline, X, y == "bad", cv=folds, scoring=scoring)
        results[name + addition] = [found[f"test_{key}"] for key in scoring]
        print(f"{name + addition:34}", *(f"{key} {found[f'test_{key}'].mean():.3f} " for key in scoring))

# %%
# Balanced accuracy rises, as it does with any balancing. The area under the ROC curve, which has no threshold, does not
# rise: the order of people did not get better. Dots are folds, bars are means.
figure, axes = plt.subplots(1, 2, sharey=True, figsize=(11, 2.8), layout="constrained")
for k, (ax, key) in enumerate(zip(axes, scoring, strict=True)):
    for row, name in enumerate(results):
        color = "#e08a1e" if "over" in name else "#10243f"
        ax.plot(results[name][k], np.full(2, row), "o", color=color, alpha=0.6)
        ax.plot(results[name][k].mean(), row, "|", color=color, markersize=24, markeredgewidth=3)
    ax.set(xlabel=key, yticks=range(len(results)), yticklabels=list(results), ylim=(len(results) - 0.5, -0.5))

# %%
# A sampler at the end of a pipeline of transformers gives rows of the table that came in, through ``inverse_transform``
# of each step.
amounts = X.select_dtypes("number")
pipeline = make_sampler_pipeline(
    FunctionTransformer(np.log1p, np.expm1, feature_names_out="one-to-one"),
    StandardScaler(),
    ManifoldDiffusionSampler(max_iter=100, random_state=0),
).fit(amounts)
rows = pipeline.sample(1000)
print("mean of each column, table and samples:")
print(np.column_stack([amounts.mean(), rows.mean()]).round(2).tolist())

# %%
# What a classifier learns from samples alone, encoded by skrub, and tested on people that the sampler did not see.
even, odd = np.arange(0, 1000, 2), np.arange(1, 1000, 2)
sampler = ManifoldDiffusionSampler(max_iter=200, random_state=0).fit(X.iloc[even], y.iloc[even])
X_new, y_new = sampler.sample(1000, return_y=True)
for name, (rows, target) in {"real": (X.iloc[even], y.iloc[even]), "synthetic": (X_new, y_new)}.items():
    model = make_pipeline(TableVectorizer(), StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(
        rows, target
    )
    area = roc_auc_score(y.iloc[odd] == "bad", model.predict_proba(X.iloc[odd])[:, list(model.classes_).index("bad")])
    accuracy = balanced_accuracy_score(y.iloc[odd], model.predict(X.iloc[odd]))
    print(f"fitted to {name:9} rows: area {area:.3f}, balanced accuracy {accuracy:.3f}")
plt.show()
