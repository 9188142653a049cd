"""Bad input to every public name: an error of a stated type names the parameter or column, the rule and the value got.

An entry is (call, exception, words): the call takes the fitted models of this file, every word is in the message.
tests/sampler/test_errors.py has what the sampler refuses for each of its parameters.
"""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler

from skmdiff import (
    AugmentedClassifier,
    AugmentedRegressor,
    ManifoldDiffusionImputer,
    ManifoldDiffusionOverSampler,
    ManifoldDiffusionSampler,
    SamplerPipeline,
    datasets,
    inspection,
    make_sampler_pipeline,
    metrics,
)

NAN = float("nan")
BOTH = (ValueError, TypeError)
X = np.random.RandomState(0).normal(size=(60, 4))
LABELS = np.array(["no", "yes", "no"] * 20)
NUMBERS = X[:, 0] + 0.5
FRAME = pd.DataFrame(
    {
        "age": np.random.RandomState(1).randint(18, 70, 60),
        "pay": X[:, 0].round(2),
        "city": pd.Categorical(np.array(["Bern", "Oslo", "Rome"])[np.arange(60) % 3]),
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.random.RandomState(2).randint(0, 90, 60), unit="D"),
    }
)
HOLED = np.where(np.random.RandomState(3).uniform(size=X.shape) < 0.2, NAN, X)


def sampler(**parameters):
    return ManifoldDiffusionSampler(
        **{"max_iter": 2, "hidden_layer_sizes": (8,), "n_steps": 2, "random_state": 0, **parameters}
    )


def fit(table, y=None, weight=None, **parameters):
    return sampler(**parameters).fit(table, y, weight)


def draw(m, **options):
    return m.frame.sample(5, **options)


def changed(model, **parameters):
    """A fitted model with a parameter set to a wrong value, and back afterwards."""
    before = {name: model.get_params()[name] for name in parameters}
    model.set_params(**parameters)
    try:
        model.sample(2)
    finally:
        model.set_params(**before)


def object_column(cell, other=1.5):
    cells = np.empty(60, dtype=object)
    cells[:] = other
    cells[7] = cell
    return pd.DataFrame({"x": X[:, 0], "odd": cells})


def augmented(y=LABELS, **parameters):
    return AugmentedClassifier(LogisticRegression(), sampler(), random_state=0, **parameters).fit(X, y)


def augmented_numbers(y=NUMBERS, **parameters):
    return AugmentedRegressor(LinearRegression(), sampler(), random_state=0, **parameters).fit(X, y)


def over(X=X, y=LABELS, **parameters):
    return ManifoldDiffusionOverSampler(sampler(), random_state=0, **parameters).fit_resample(X, y)


@pytest.fixture(scope="module")
def models():
    pipeline = make_sampler_pipeline(StandardScaler(), sampler()).fit(X)
    return SimpleNamespace(
        plain=fit(X),
        labels=fit(X, LABELS),
        numbers=fit(X, NUMBERS),
        frame=fit(FRAME),
        pure=fit(X, manifold="passthrough"),
        imputer=ManifoldDiffusionImputer(sampler(), random_state=0).fit(HOLED),
        classifier=augmented(gate=False),
        pipeline=pipeline,
    )


CELLS = {
    "list cell": (lambda m: fit(object_column([1, 2])), BOTH, ["odd", "must", "list"]),
    "dict cell": (lambda m: fit(object_column({"a": 1})), BOTH, ["odd", "must", "dict"]),
    "tuple cell": (lambda m: fit(object_column((1, 2))), BOTH, ["odd", "must", "tuple"]),
    "bytes cell": (lambda m: fit(object_column(b"a")), BOTH, ["odd", "must", "bytes"]),
    "int and str": (lambda m: fit(object_column("a", 1)), TypeError, ["odd", "must", "int", "str", "astype"]),
    "complex cell": (lambda m: fit(object_column(1j)), BOTH, ["odd", "complex"]),
    "object infinity": (lambda m: fit(object_column(float("inf"))), ValueError, ["odd", "finite", "infinity"]),
    "interval column": (
        lambda m: fit(FRAME.assign(odd=pd.cut(X[:, 0], 3).astype(object))),
        BOTH,
        ["odd", "must", "Interval"],
    ),
    "interval dtype": (
        lambda m: fit(FRAME.assign(odd=pd.arrays.IntervalArray.from_breaks(range(61)))),
        BOTH,
        ["odd", "must", "Interval"],
    ),
    "period column": (lambda m: fit(FRAME.assign(odd=pd.Period("2020", "M"))), BOTH, ["odd", "must", "period"]),
    "structured array": (lambda m: fit(np.zeros(60, dtype=[("a", float)])), BOTH, ["2D", "1D"]),
    "identifiers": (lambda m: fit(FRAME.assign(odd=[f"id{k}" for k in range(60)])), ValueError, ["odd", "identifier"]),
    "polars list": (lambda m: fit(pl.DataFrame({"x": X[:, 0], "odd": [[1.0]] * 60})), BOTH, ["odd", "must", "List"]),
    "polars struct": (
        lambda m: fit(pl.DataFrame({"x": X[:, 0], "odd": [{"a": 1}] * 60})),
        BOTH,
        ["odd", "must", "Struct"],
    ),
    "lazy frame": (lambda m: fit(pl.DataFrame({"x": X[:, 0]}).lazy()), TypeError, ["LazyFrame", "collect"]),
    "infinite date frame": (lambda m: fit(FRAME.assign(pay=np.inf)), ValueError, ["pay", "finite"]),
    "two names alike": (lambda m: fit(FRAME.set_axis(["a", "a", "b", "c"], axis=1)), ValueError, ["unique", "'a'"]),
    "a string": (lambda m: fit("table"), ValueError, ["2D", "scalar"]),
    "a dict": (lambda m: fit({"a": [1, 2]}), BOTH, ["2D", "{'a': [1, 2]}"]),
    "ragged rows": (lambda m: fit([[1, 2], [3]]), ValueError, ["inhomogeneous shape"]),
    "empty list": (lambda m: fit([]), ValueError, ["2D", "1D"]),
    "constant": (lambda m: fit(np.ones((20, 2))), ValueError, ["At least one column", "vary"]),
    "one row": (lambda m: fit(X[:1]), ValueError, ["1 sample", "minimum of 2"]),
}
if int(pd.__version__.partition(".")[0]) >= 3:  # older ones only print the error of their comparison
    CELLS["signalling NaN"] = (
        lambda m: fit(object_column(Decimal("sNaN"), Decimal("1.5"))),
        ValueError,
        ["odd", "must", "sNaN"],
    )

FIT = {
    "weights too few": (lambda m: fit(X, weight=np.ones(3)), ValueError, ["sample_weight", "(3,)", "60"]),
    "weight negative": (lambda m: fit(X, weight=-np.ones(60)), ValueError, ["sample_weight", ">= 0", "-1"]),
    "weight NaN": (lambda m: fit(X, weight=np.full(60, NAN)), ValueError, ["sample_weight", "finite", "nan"]),
    "weight none": (lambda m: fit(X, weight=np.zeros(60)), ValueError, ["sample_weight", "0"]),
    "weight string": (lambda m: fit(X, weight=["a"] * 60), BOTH, ["sample_weight", "a"]),
    "weight two columns": (lambda m: fit(X, weight=np.ones((60, 2))), ValueError, ["sample_weight", "1D"]),
    "weight masked": (
        lambda m: fit(X, weight=np.ma.array(np.ones(60), mask=np.arange(60) < 3)),
        ValueError,
        ["sample_weight", "masked", "3"],
    ),
    "y masked": (lambda m: fit(X, np.ma.array(NUMBERS, mask=np.arange(60) < 3)), ValueError, ["y", "masked", "3"]),
    "y too short": (lambda m: fit(X, LABELS[:5]), ValueError, ["inconsistent", "5", "60"]),
    "y dicts": (lambda m: fit(X, [{}] * 60), BOTH, ["y", "must", "{}"]),
    "y words as numbers": (lambda m: fit(X, LABELS, target_type="number"), BOTH, ["y", "number", "no"]),
    "categorical unknown": (
        lambda m: fit(FRAME, categorical_features=["town"]),
        ValueError,
        ["categorical_features", "town"],
    ),
    "categorical names of an array": (
        lambda m: fit(X, categorical_features=["x0"]),
        ValueError,
        ["categorical_features", "x0"],
    ),
    "categorical mask short": (
        lambda m: fit(X, categorical_features=[True]),
        ValueError,
        ["categorical_features", "(4)", "[True]"],
    ),
    "constraint not a tuple": (
        lambda m: fit(FRAME, constraints=["age <= pay"]),
        BOTH,
        ["constraints", "tuple", "age <= pay"],
    ),
    "constraint unknown column": (
        lambda m: fit(FRAME, constraints=[("town", "<=", "age")]),
        ValueError,
        ["constraints", "town"],
    ),
    "constraint unknown operator": (
        lambda m: fit(FRAME, constraints=[("age", "=<", 3)]),
        ValueError,
        ["constraints", "=<"],
    ),
    "constraint of a category": (lambda m: fit(FRAME, constraints=[("city", "<=", 3)]), BOTH, ["constraints", "city"]),
    "constraint word": (lambda m: fit(FRAME, constraints=[("age", "<=", "tall")]), BOTH, ["constraints", "tall"]),
    "constraint impossible": (
        lambda m: fit(FRAME, constraints=[("age", "<=", 3)]),
        ValueError,
        ["constraints", "age", "3"],
    ),
    "constraint contradiction": (
        lambda m: fit(FRAME, constraints=[("age", "<", "pay"), ("pay", "<", "age")]),
        ValueError,
        ["constraints", "age", "pay"],
    ),
    "constraint multiple of 0": (
        lambda m: fit(FRAME, constraints=[("age", "multiple of", 0)]),
        ValueError,
        ["constraints[0]", "above 0", "got 0"],
    ),
    "constraint formula": (
        lambda m: fit(FRAME, constraints=[("age", "==", "pay +* 2")]),
        ValueError,
        ["constraints", "pay +* 2"],
    ),
    "constraint code": (
        lambda m: fit(FRAME, constraints=[("age", "==", "__import__('os')")]),
        ValueError,
        ["constraints", "__import__"],
    ),
    "constraint unique float": (
        lambda m: fit(FRAME, constraints=[("pay", "is", "unique")]),
        BOTH,
        ["pay", "integers", "unique", "1.76"],
    ),
    "constraint is other": (
        lambda m: fit(FRAME, constraints=[("age", "is", "nice")]),
        ValueError,
        ["constraints", "nice"],
    ),
    "constraint determines itself": (
        lambda m: fit(FRAME, constraints=[("city", "determines", "city")]),
        ValueError,
        ["constraints", "city"],
    ),
    "constraint NaN": (
        lambda m: fit(FRAME, constraints=[("age", "<=", NAN)]),
        BOTH,
        ["constraints[0]", "finite", "nan"],
    ),
    "noise negative": (lambda m: fit(FRAME, noise_level=-1.0), ValueError, ["noise_level", "-1"]),
    "noise short": (lambda m: fit(FRAME, noise_level=[0.1]), ValueError, ["noise_level", "4"]),
    "manifold a name": (lambda m: fit(X, manifold="sphere"), BOTH, ["manifold", "sphere", "passthrough"]),
    "manifold a class": (lambda m: fit(X, manifold=PCA), BOTH, ["manifold", "PCA"]),
    "manifold list empty": (lambda m: fit(X, manifold=[]), ValueError, ["manifold", "[]"]),
    "manifold list of names": (lambda m: fit(X, manifold=["sphere", None]), ValueError, ["manifold", "sphere"]),
    "corrector regressor": (
        lambda m: fit(X, corrector=LinearRegression()),
        TypeError,
        ["corrector", "LinearRegression"],
    ),
    "nested parameter of a word": (
        lambda m: sampler(manifold="passthrough").set_params(manifold__n_components=3),
        BOTH,
        ["manifold='passthrough'", "no parameters to set"],
    ),
    "unknown parameter": (lambda m: sampler().set_params(sigma=3), ValueError, ["sigma", "Valid parameters"]),
}

SET_LATER = {
    f"later {name}={value!r}": (
        lambda m, name=name, value=value: changed(m.plain, **{name: value}),
        BOTH,
        [name, "must", text],
    )
    for name, value, text in [
        ("n_steps", "x", "'x'"),
        ("n_steps", 0, "0"),
        ("n_steps", True, "True"),
        ("n_steps", 2.5, "2.5"),
        ("n_jobs", "x", "'x'"),
        ("n_jobs", 0, "0"),
        ("n_jobs", 1.5, "1.5"),
        ("random_state", "x", "'x'"),
        ("random_state", -1, "-1"),
    ]
}

SAMPLE = {
    "n_samples 0": (lambda m: m.plain.sample(0), ValueError, ["n_samples", "0", ">= 1"]),
    "n_samples True": (lambda m: m.plain.sample(True), TypeError, ["n_samples", "integer", "True"]),
    "n_samples float": (lambda m: m.plain.sample(2.0), TypeError, ["n_samples", "2.0"]),
    "n_samples str": (lambda m: m.plain.sample("3"), TypeError, ["n_samples", "'3'"]),
    "n_samples None": (lambda m: m.plain.sample(None), TypeError, ["n_samples", "None"]),
    "density": (lambda m: m.plain.sample(3, density="dense"), ValueError, ["density", "'dense'", "one of"]),
    "density None": (lambda m: m.plain.sample(3, density=None), ValueError, ["density", "None"]),
    "design": (lambda m: m.plain.sample(3, design="grid"), ValueError, ["design", "'grid'"]),
    "missing": (lambda m: m.plain.sample(3, missing="none"), ValueError, ["missing", "'none'"]),
    "density without manifold": (
        lambda m: m.pure.sample(3, density="uniform"),
        ValueError,
        ["density", "uniform", "manifold"],
    ),
    "design without manifold": (
        lambda m: m.pure.sample(3, design="stratified"),
        ValueError,
        ["design", "stratified", "manifold"],
    ),
    "return_y": (lambda m: m.plain.sample(3, return_y=True), ValueError, ["return_y", "y=None"]),
    "y without target": (lambda m: m.plain.sample(3, y="no"), ValueError, ["y='no'", "y=None"]),
    "y unseen": (lambda m: m.labels.sample(3, y="maybe"), ValueError, ["y", "classes", "'maybe'"]),
    "y shares unseen": (lambda m: m.labels.sample(3, y={"maybe": 1}), ValueError, ["y", "'maybe'"]),
    "y shares negative": (lambda m: m.labels.sample(3, y={"no": -1, "yes": 2}), ValueError, ["y", "-1"]),
    "y shares none": (lambda m: m.labels.sample(3, y={}), ValueError, ["y", "{}"]),
    "y shares zero": (lambda m: m.labels.sample(3, y={"no": 0}), ValueError, ["y", "0"]),
    "y shares NaN": (lambda m: m.labels.sample(3, y={"no": NAN}), ValueError, ["y", "nan"]),
    "y shares str": (lambda m: m.labels.sample(3, y={"no": "half"}), BOTH, ["y", "half"]),
    "y shares of numbers": (lambda m: m.numbers.sample(3, y={0.1: 1}), BOTH, ["y", "class"]),
    "y too many": (lambda m: m.labels.sample(3, y=["no", "yes"]), ValueError, ["y", "n_samples=3", "2"]),
    "y out of range": (lambda m: m.numbers.sample(3, y=1e6), ValueError, ["y", "range", "1000000"]),
    "conditions a list": (lambda m: draw(m, conditions=["age"]), BOTH, ["conditions", "dict", "age"]),
    "conditions a string": (lambda m: draw(m, conditions="age > 3"), BOTH, ["conditions", "age > 3"]),
    "conditions unknown": (lambda m: draw(m, conditions={"town": 1}), ValueError, ["conditions", "town"]),
    "conditions index": (lambda m: m.plain.sample(3, conditions={9: 1.0}), ValueError, ["conditions", "9"]),
    "conditions unseen city": (
        lambda m: draw(m, conditions={"city": "Paris"}),
        ValueError,
        ["conditions", "city", "Paris"],
    ),
    "conditions unseen cities": (
        lambda m: draw(m, conditions={"city": {"Paris", "Bern"}}),
        ValueError,
        ["conditions", "city", "Paris"],
    ),
    "conditions no city": (lambda m: draw(m, conditions={"city": set()}), ValueError, ["conditions", "city"]),
    "conditions out of range": (lambda m: draw(m, conditions={"age": 200}), ValueError, ["conditions", "age", "200"]),
    "conditions between integers": (
        lambda m: draw(m, conditions={"age": 40.5}),
        ValueError,
        ["conditions", "age", "integer", "40.5"],
    ),
    "conditions decimals": (
        lambda m: draw(m, conditions={"pay": 0.123456}),
        ValueError,
        ["conditions", "pay", "decimals", "0.123456"],
    ),
    "conditions word": (lambda m: draw(m, conditions={"age": "old"}), BOTH, ["conditions", "age", "old"]),
    "conditions reversed": (
        lambda m: draw(m, conditions={"age": (50, 30)}),
        ValueError,
        ["conditions", "age", "50", "30"],
    ),
    "conditions triple": (
        lambda m: draw(m, conditions={"age": (20, 30, 40)}),
        ValueError,
        ["conditions", "age", "(20, 30, 40)"],
    ),
    "conditions beyond": (lambda m: draw(m, conditions={"age": (200, 300)}), ValueError, ["conditions", "age", "200"]),
    "conditions date": (lambda m: draw(m, conditions={"day": "soon"}), BOTH, ["conditions", "day", "soon"]),
    "conditions date far": (
        lambda m: draw(m, conditions={"day": "1950-01-01"}),
        ValueError,
        ["conditions", "day", "1950"],
    ),
    "conditions zone": (
        lambda m: draw(m, conditions={"day": pd.Timestamp("2020-02-01", tz="UTC")}),
        BOTH,
        ["conditions", "day", "UTC"],
    ),
    "conditions short": (
        lambda m: draw(m, conditions={"age": np.array([30, 31, 32])}),
        ValueError,
        ["conditions", "age", "(low, high)", "[30, 31, 32]"],
    ),
    "conditions bool": (lambda m: draw(m, conditions={"age": True}), BOTH, ["conditions", "age", "True"]),
    "seed": (lambda m: m.plain.sample(2, random_state="x"), ValueError, ["random_state", "'x'"]),
    "before fit": (lambda m: sampler().sample(3), ValueError, ["ManifoldDiffusionSampler", "not fitted"]),
}

METHODS = {
    "embed narrow": (lambda m: m.plain.embed(X[:, :2]), ValueError, ["2 features", "4"]),
    "embed infinite": (lambda m: m.plain.embed(X * np.inf), ValueError, ["x0", "finite"]),
    "embed without manifold": (lambda m: m.pure.embed(X), ValueError, ["embed", "manifold='passthrough'"]),
    "embed other names": (
        lambda m: m.frame.embed(FRAME.rename(columns={"age": "years"})),
        ValueError,
        ["feature names", "years"],
    ),
    "embed other kind": (lambda m: m.frame.embed(FRAME.assign(age="old")), BOTH, ["age", "numbers", "old"]),
    "embed unseen city": (lambda m: m.frame.embed(FRAME.assign(city="Paris")), ValueError, ["city", "Paris"]),
    "embed lazy": (lambda m: m.frame.embed(pl.from_pandas(FRAME).lazy()), TypeError, ["LazyFrame", "collect"]),
    "lift narrow": (lambda m: m.plain.lift(X[:, :1]), ValueError, ["Z must", "(60, 1)"]),
    "lift NaN": (lambda m: m.plain.lift(X * NAN), ValueError, ["Z must", "NaN"]),
    "lift words": (lambda m: m.plain.lift("here"), ValueError, ["Z must", "here"]),
    "denoise without noise": (lambda m: m.plain.denoise(X), ValueError, ["denoise", "noise_level", "None"]),
    "explore none": (lambda m: m.plain.explore(0), ValueError, ["n_samples", "0"]),
    "explore region": (lambda m: m.plain.explore(3, region="left"), BOTH, ["region", "left"]),
    "explore path": (lambda m: m.plain.explore(3, path=[[0.0]]), BOTH, ["1 features", "4"]),
    "explore both": (lambda m: m.plain.explore(3, path=X[:2], region=(X[0], 1.0)), ValueError, ["path", "region"]),
    "explore without manifold": (lambda m: m.pure.explore(3), ValueError, ["explore", "manifold"]),
    "density name": (lambda m: m.plain.embedding_density("flat"), ValueError, ["density", "'flat'"]),
    "density without manifold": (lambda m: m.pure.embedding_density(), ValueError, ["manifold"]),
    "score narrow": (lambda m: m.plain.score_samples(X[:, :2]), ValueError, ["2 features", "4"]),
    "score weights": (lambda m: m.plain.score(X, sample_weight=np.ones(3)), ValueError, ["sample_weight", "(3,)"]),
    "predict without target": (lambda m: m.plain.predict_target(X), ValueError, ["predict_target", "target"]),
    "predict draws": (lambda m: m.numbers.predict_target(X, n_draws=0), ValueError, ["n_draws", "0"]),
    "mean rows without target": (lambda m: m.plain.mean_rows(1), ValueError, ["mean_rows", "target"]),
    "mean rows unseen": (lambda m: m.labels.mean_rows("maybe"), ValueError, ["y", "'maybe'"]),
    "mean rows draws": (lambda m: m.labels.mean_rows("no", n_draws=True), TypeError, ["n_draws", "True"]),
}

APPLICATIONS = {
    "imputer strategy": (
        lambda m: ManifoldDiffusionImputer(sampler(), strategy="best").fit(HOLED),
        ValueError,
        ["strategy", "'best'"],
    ),
    "imputer n_draws": (
        lambda m: ManifoldDiffusionImputer(sampler(), n_draws=0).fit(HOLED),
        ValueError,
        ["n_draws", "0"],
    ),
    "imputer sampler": (lambda m: ManifoldDiffusionImputer("sampler").fit(HOLED), BOTH, ["sampler", "'sampler'"]),
    "imputer other sampler": (
        lambda m: ManifoldDiffusionImputer(KernelDensity()).fit(HOLED),
        BOTH,
        ["sampler", "KernelDensity"],
    ),
    "imputer of one value": (
        lambda m: ManifoldDiffusionImputer(sampler()).fit(HOLED * 0 + 3),
        ValueError,
        ["At least one column", "must vary"],
    ),
    "imputer narrow": (lambda m: m.imputer.transform(X[:, :2]), ValueError, ["2 features", "4"]),
    "imputer before fit": (lambda m: ManifoldDiffusionImputer().transform(X), ValueError, ["not fitted"]),
    "imputer impute 0": (lambda m: m.imputer.impute(HOLED, n_draws=0), ValueError, ["n_draws", "0"]),
    "imputer impute float": (lambda m: m.imputer.impute(HOLED, n_draws=2.5), TypeError, ["n_draws", "2.5"]),
    "imputer infinite": (lambda m: m.imputer.transform(HOLED * np.inf), ValueError, ["x0", "finite"]),
    "imputer seed": (
        lambda m: ManifoldDiffusionImputer(sampler(), random_state="x").fit(HOLED),
        ValueError,
        ["random_state", "'x'"],
    ),
    "over strategy": (lambda m: over(sampling_strategy="most"), ValueError, ["sampling_strategy", "'most'"]),
    "over strategy class": (
        lambda m: over(sampling_strategy={"maybe": 30}),
        ValueError,
        ["sampling_strategy", "maybe"],
    ),
    "over strategy fewer": (lambda m: over(sampling_strategy={"no": 3}), ValueError, ["sampling_strategy", "no", "3"]),
    "over strategy negative": (
        lambda m: over(sampling_strategy={"yes": -3}),
        ValueError,
        ["sampling_strategy", "yes", "-3"],
    ),
    "over strategy fraction": (lambda m: over(sampling_strategy=3.5), ValueError, ["sampling_strategy", "3.5"]),
    "over strategy type": (lambda m: over(sampling_strategy=object()), BOTH, ["sampling_strategy", "object"]),
    "over y one class": (lambda m: over(y=np.zeros(60)), ValueError, ["y", "two different values", "0.0"]),
    "over y short": (lambda m: over(y=LABELS[:5]), ValueError, ["inconsistent", "5", "60"]),
    "over y NaN": (lambda m: over(y=NUMBERS * NAN), ValueError, ["y", "NaN"]),
    "over no y": (lambda m: over(y=None), ValueError, ["y"]),
    "over sampler": (lambda m: ManifoldDiffusionOverSampler(3).fit_resample(X, LABELS), BOTH, ["sampler", "3"]),
    "over relevance": (lambda m: over(y=NUMBERS, relevance="high"), BOTH, ["relevance", "high"]),
    "over relevance of classes": (lambda m: over(relevance=lambda y: y), BOTH, ["y", "relevance", "numbers", "'no'"]),
    "over relevance shape": (
        lambda m: over(y=NUMBERS, relevance=lambda y: y[:3]),
        ValueError,
        ["relevance", "one finite weight", "60 rows"],
    ),
    "over relevance NaN": (lambda m: over(y=NUMBERS, relevance=lambda y: y * NAN), ValueError, ["relevance", "nan"]),
    "over seed": (
        lambda m: ManifoldDiffusionOverSampler(sampler(), random_state=-1).fit_resample(X, LABELS),
        ValueError,
        ["random_state", "-1"],
    ),
    "augmented n_synthetic": (lambda m: augmented(n_synthetic=-1), ValueError, ["n_synthetic", "-1"]),
    "augmented n_synthetic str": (lambda m: augmented(n_synthetic="many"), BOTH, ["n_synthetic", "many"]),
    "augmented weight": (lambda m: augmented(synthetic_weight=-0.1), ValueError, ["synthetic_weight", "-0.1"]),
    "augmented weight str": (lambda m: augmented(synthetic_weight="x"), BOTH, ["synthetic_weight", "x"]),
    "augmented shares": (lambda m: augmented(class_shares="fair"), BOTH, ["class_shares", "fair"]),
    "augmented shares unseen": (
        lambda m: augmented(class_shares={"maybe": 1.0}),
        ValueError,
        ["class_shares", "maybe"],
    ),
    "augmented gate": (lambda m: augmented(gate="maybe"), BOTH, ["gate", "maybe"]),
    "augmented cv": (lambda m: augmented(cv=1), ValueError, ["cv", "1"]),
    "augmented cv str": (lambda m: augmented(cv="x"), BOTH, ["cv", "x"]),
    "augmented seed": (
        lambda m: AugmentedClassifier(LogisticRegression(), sampler(), random_state="x").fit(X, LABELS),
        ValueError,
        ["random_state", "'x'"],
    ),
    "augmented sampler": (
        lambda m: AugmentedClassifier(LogisticRegression(), "s").fit(X, LABELS),
        BOTH,
        ["sampler", "'s'"],
    ),
    "augmented estimator": (
        lambda m: AugmentedClassifier("trees", sampler()).fit(X, LABELS),
        BOTH,
        ["estimator", "'trees'"],
    ),
    "augmented estimator class": (
        lambda m: AugmentedClassifier(LogisticRegression, sampler()).fit(X, LABELS),
        BOTH,
        ["estimator", "LogisticRegression"],
    ),
    "augmented regressor as classifier": (
        lambda m: AugmentedClassifier(RandomForestRegressor(), sampler()).fit(X, LABELS),
        BOTH,
        ["estimator", "classifier", "RandomForestRegressor"],
    ),
    "augmented classifier as regressor": (
        lambda m: AugmentedRegressor(RandomForestClassifier(), sampler()).fit(X, NUMBERS),
        BOTH,
        ["estimator", "regressor", "RandomForestClassifier"],
    ),
    "augmented one class": (lambda m: augmented(y=np.zeros(60, dtype=int)), ValueError, ["class"]),
    "augmented NaN target": (lambda m: augmented_numbers(y=NUMBERS * NAN), ValueError, ["y", "NaN"]),
    "augmented words for numbers": (lambda m: augmented_numbers(y=LABELS), BOTH, ["y", "no"]),
    "augmented numbers n_synthetic": (lambda m: augmented_numbers(n_synthetic=True), BOTH, ["n_synthetic", "True"]),
    "augmented predict narrow": (lambda m: m.classifier.predict(X[:, :2]), ValueError, ["2 features", "4"]),
    "augmented before fit": (
        lambda m: AugmentedClassifier(LogisticRegression()).predict(X),
        ValueError,
        ["not fitted"],
    ),
    "pipeline last step": (
        lambda m: make_sampler_pipeline(StandardScaler(), PCA()).fit(X).sample(3),
        (*BOTH, AttributeError),
        ["no attribute 'sample'"],
    ),
    "pipeline no inverse": (
        lambda m: make_sampler_pipeline(OneWay(), sampler()).fit(X).sample(3),
        (*BOTH, AttributeError),
        ["inverse_transform", "OneWay"],
    ),
    "pipeline names": (
        lambda m: SamplerPipeline([("a", StandardScaler()), ("a", sampler())]).fit(X),
        ValueError,
        ["unique", "'a'"],
    ),
    "pipeline conditions": (lambda m: m.pipeline.sample(3, conditions={"town": 1}), BOTH, ["conditions", "town"]),
    "pipeline n_samples": (lambda m: m.pipeline.sample(0), ValueError, ["n_samples", "0"]),
    "pipeline before fit": (lambda m: make_sampler_pipeline(sampler()).sample(3), ValueError, ["not fitted"]),
}


class OneWay(StandardScaler):
    """A step that cannot go back."""

    inverse_transform = property()


def measures(name, *tables, **options):
    return lambda m: getattr(metrics, name)(*tables, **options)


PAIR, TRIPLE = (X, X), (X, X, X)
METRICS = {
    "shape widths": (measures("shape_error", X, X[:, :2]), ValueError, ["same columns", "[4, 2]"]),
    "shape names": (
        measures("shape_error", FRAME, FRAME[["pay", "age", "city", "day"]]),
        ValueError,
        ["same order", "age", "pay"],
    ),
    "shape words": (measures("shape_error", X, X.astype(str)), TypeError, ["x0", "numbers"]),
    "shape sparse": (measures("shape_error", X, csr_matrix(X)), TypeError, ["dense", "toarray"]),
    "shape empty": (measures("shape_error", X, X[:0]), ValueError, ["1 row", "(0, 4)"]),
    "shape lazy": (measures("shape_error", FRAME, pl.from_pandas(FRAME).lazy()), TypeError, ["LazyFrame", "collect"]),
    "shape infinite": (measures("shape_error", X, X * np.inf), ValueError, ["x0", "finite"]),
    "shape categorical": (
        measures("shape_error", *PAIR, categorical_features=[9]),
        ValueError,
        ["categorical_features", "[9]"],
    ),
    "shape categorical word": (
        measures("shape_error", *PAIR, categorical_features="all"),
        ValueError,
        ["categorical_features", "'all'"],
    ),
    "trend bins": (measures("trend_error", *PAIR, n_bins=0), ValueError, ["n_bins", "0"]),
    "trend bins str": (measures("trend_error", *PAIR, n_bins="x"), TypeError, ["n_bins", "'x'"]),
    "information bins": (measures("mutual_information_error", *PAIR, n_bins=0), ValueError, ["n_bins", "0"]),
    "c2st rows": (measures("c2st", *PAIR, max_rows=2), ValueError, ["max_rows", "2", "5"]),
    "c2st few": (measures("c2st", X, X[:3]), ValueError, ["5 row", "(3, 4)"]),
    "c2st seed": (measures("c2st", *PAIR, random_state="x"), ValueError, ["random_state", "'x'"]),
    "energy rows": (measures("energy_distance", *PAIR, max_rows=0), ValueError, ["max_rows", "0"]),
    "energy reference": (measures("energy_distance", *PAIR, reference=X[:, :2]), ValueError, ["same columns", "2"]),
    "mmd bandwidth": (measures("mmd", *PAIR, bandwidth=0), ValueError, ["bandwidth", "0"]),
    "mmd bandwidth NaN": (measures("mmd", *PAIR, bandwidth=NAN), ValueError, ["bandwidth", "nan"]),
    "mmd one row": (measures("mmd", X, X[:1]), ValueError, ["two rows", "1"]),
    "prdc neighbours": (measures("prdc", *PAIR, n_neighbors=0), ValueError, ["n_neighbors", "0"]),
    "prdc neighbours bool": (measures("prdc", *PAIR, n_neighbors=2.5), TypeError, ["n_neighbors", "2.5"]),
    "vendi rows": (measures("vendi_score", X, max_rows=0), ValueError, ["max_rows", "0"]),
    "copies widths": (measures("copy_share", X, X[:, :2]), ValueError, ["same columns"]),
    "dcr repeats": (measures("dcr_share", *TRIPLE, n_repeats=0), ValueError, ["n_repeats", "0"]),
    "dcr quantile": (measures("dcr_ratio", *TRIPLE, quantile=1.5), ValueError, ["quantile", "1.5"]),
    "dcr quantile NaN": (measures("dcr_ratio", *TRIPLE, quantile=NAN), ValueError, ["quantile", "nan"]),
    "membership rate": (measures("membership_inference", *TRIPLE, max_fpr=2), ValueError, ["max_fpr", "2"]),
    "memorisation ratio": (measures("memorisation_excess", *TRIPLE, ratio=-1), ValueError, ["ratio", "-1"]),
    "memorisation one row": (measures("memorisation_excess", X[:1], X, X), ValueError, ["train", "two rows", "1"]),
    "privacy few": (measures("privacy_report", X, X[:5], X), ValueError, ["20 row", "(5, 4)"]),
    "privacy rows": (measures("privacy_report", *TRIPLE, max_rows=3), ValueError, ["max_rows", "3"]),
    "privacy count": (measures("privacy_report", *TRIPLE, rare_count=0), ValueError, ["rare_count", "0"]),
    "privacy fraction": (
        measures("privacy_report", *TRIPLE, outlier_fraction=2),
        ValueError,
        ["outlier_fraction", "2"],
    ),
    "privacy confidence": (measures("privacy_report", *TRIPLE, confidence=95), ValueError, ["confidence", "95"]),
    "privacy seed": (measures("privacy_report", *TRIPLE, random_state="x"), ValueError, ["random_state", "'x'"]),
    "report few": (measures("report", X, X[:5], X), ValueError, ["20 row", "(5, 4)"]),
    "report rows": (measures("report", *TRIPLE, max_rows=3), ValueError, ["max_rows", "3"]),
    "report one column": (measures("report", X[:, :1], X[:, :1], X[:, :1]), ValueError, ["column", "1"]),
    "tstr one column": (measures("tstr", X[:, :1], X[:, :1]), ValueError, ["column"]),
    "utility rows": (measures("utility", *TRIPLE, max_rows=0), ValueError, ["max_rows", "0"]),
    "utility columns widths": (measures("utility_by_column", X, X, X[:, :2]), ValueError, ["same columns"]),
    "trustworthiness rows": (measures("trustworthiness_continuity", X, X[:5]), ValueError, ["Z", "60", "5"]),
    "trustworthiness neighbours": (
        measures("trustworthiness_continuity", X, X, n_neighbors=60),
        ValueError,
        ["n_neighbors", "60"],
    ),
    "manifold distance": (measures("manifold_distance", X, "far"), BOTH, ["distance", "far"]),
    "manifold distance shape": (
        measures("manifold_distance", X, lambda rows: rows[:3]),
        ValueError,
        ["distance", "(3, 4)"],
    ),
    "tangent components": (measures("tangent_angle", X, X, n_components=9), ValueError, ["n_components", "9"]),
    "tangent neighbours": (
        measures("tangent_angle", X, X, n_components=2, n_neighbors=1),
        ValueError,
        ["n_neighbors", "1"],
    ),
    "scorer metric": (
        lambda m: metrics.make_sampler_scorer("c2st", greater_is_better=False),
        BOTH,
        ["metric", "'c2st'"],
    ),
    "scorer samples": (
        lambda m: metrics.make_sampler_scorer(metrics.c2st, greater_is_better=False, n_samples=0)(m.plain, X),
        ValueError,
        ["n_samples", "0"],
    ),
    "scorer estimator": (lambda m: metrics.detection_scorer(PCA().fit(X), X), BOTH, ["sample", "PCA"]),
    "report name": (lambda m: metrics.MetricsReport([], [], [])["auc"], KeyError, ["no measure", "'auc'"]),
}

OTHERS = {
    "roll samples": (lambda m: datasets.make_swiss_roll_nd(0), ValueError, ["n_samples", "0"]),
    "roll samples float": (lambda m: datasets.make_swiss_roll_nd(5.0), TypeError, ["n_samples", "5.0"]),
    "roll features": (lambda m: datasets.make_swiss_roll_nd(5, 2), ValueError, ["n_features", "2", "3"]),
    "roll noise": (lambda m: datasets.make_swiss_roll_nd(5, noise=-1), ValueError, ["noise", "-1"]),
    "roll noise NaN": (lambda m: datasets.make_swiss_roll_nd(5, noise=NAN), ValueError, ["noise", "nan"]),
    "roll noise str": (lambda m: datasets.make_swiss_roll_nd(5, noise="x"), TypeError, ["noise", "str"]),
    "roll seed": (lambda m: datasets.make_swiss_roll_nd(5, random_state="x"), ValueError, ["random_state", "'x'"]),
    "torus radius": (lambda m: datasets.make_torus(5, radius=-2), ValueError, ["radius", "-2"]),
    "torus tube": (lambda m: datasets.make_torus(5, radius=1.0, tube=3.0), ValueError, ["tube", "3.0", "1.0"]),
    "torus features": (lambda m: datasets.make_torus(5, 2), ValueError, ["n_features", "2"]),
    "grid side": (lambda m: datasets.make_gaussian_grid(5, n_side=0), ValueError, ["n_side", "0"]),
    "grid ratio": (lambda m: datasets.make_gaussian_grid(5, ratio=0), ValueError, ["ratio", "0"]),
    "circles noise": (lambda m: datasets.make_linked_circles(5, noise=np.inf), ValueError, ["noise", "inf"]),
    "circles features": (lambda m: datasets.make_linked_circles(5, 2), ValueError, ["n_features", "2"]),
    "von Mises kappa": (lambda m: datasets.make_von_mises_circle(5, kappa=-1), ValueError, ["kappa", "-1"]),
    "von Mises samples": (lambda m: datasets.make_von_mises_circle(True), TypeError, ["n_samples", "True"]),
    "columns widths": (
        lambda m: inspection.ColumnsDisplay.from_tables(X, X[:, :2]),
        ValueError,
        ["synthetic", "as many columns", "4, got 2"],
    ),
    "columns empty": (
        lambda m: inspection.ColumnsDisplay.from_tables(X, X[:0]),
        ValueError,
        ["0 sample", "minimum of 1"],
    ),
    "embedding narrow": (
        lambda m: inspection.EmbeddingDisplay.from_estimator(m.plain, X, X[:, :2]),
        ValueError,
        ["2 features", "4"],
    ),
    "embedding before fit": (
        lambda m: inspection.EmbeddingDisplay.from_estimator(sampler(), X, X),
        ValueError,
        ["not fitted"],
    ),
    "embedding without manifold": (
        lambda m: inspection.EmbeddingDisplay.from_estimator(m.pure, X, X),
        ValueError,
        ["manifold"],
    ),
    "embedding of a scaler": (
        lambda m: inspection.EmbeddingDisplay.from_estimator(StandardScaler().fit(X), X, X),
        BOTH,
        ["embed", "StandardScaler"],
    ),
}

ENTRIES = {
    f"{group}: {name}": entry
    for group, entries in {
        "cells": CELLS,
        "fit": FIT,
        "set": SET_LATER,
        "sample": SAMPLE,
        "methods": METHODS,
        "applications": APPLICATIONS,
        "metrics": METRICS,
        "others": OTHERS,
    }.items()
    for name, entry in entries.items()
}


def test_there_are_many():
    assert len(ENTRIES) >= 150


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("call", "error", "words"), ENTRIES.values(), ids=ENTRIES)
def test_bad_input_is_named(models, call, error, words):
    with pytest.raises(error) as found:
        call(models)
    missing = [word for word in words if word not in str(found.value)]
    assert not missing, f"{missing} not in: {found.value}"


WORKS = {
    "masked array": lambda: fit(np.ma.array(X, mask=HOLED != HOLED)).sample(3),
    "dates of Python": lambda: fit(FRAME.assign(day=FRAME["day"].dt.date)).sample(3),
    "decimals of Python": lambda: fit(FRAME.assign(pay=FRAME["pay"].map(lambda x: Decimal(str(x))))).sample(3),
    "a number named beside strings": lambda: fit(FRAME, categorical_features=["age"]).sample(3),
    "a list as range": lambda: fit(FRAME).sample(3, conditions={"age": [30, 40]}),
    "integers too large for numpy": lambda: fit(object_column(2**70, np.int8(3))).sample(3),
    "names in another order": lambda: inspection.ColumnsDisplay.from_tables(
        FRAME, FRAME[["pay", "age", "city", "day"]]
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("call", WORKS.values(), ids=WORKS)
def test_unusual_input_works(call):
    assert call() is not None
