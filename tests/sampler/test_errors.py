"""Bad input of the estimator: a ValueError or TypeError names the parameter or column, the rule and the value."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA, KernelPCA
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.manifold import MDS, TSNE, Isomap, SpectralEmbedding
from sklearn.model_selection import GridSearchCV
from sklearn.utils.validation import check_is_fitted

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import training

NAN = float("nan")
X = np.random.RandomState(0).normal(size=(40, 4))
FRAME = pd.DataFrame(X, columns=list("abcd"))
LABELS = np.array(["no", "yes"] * 20)
NUMBERS = X[:, 0] + 0.5


class Returning:
    """A transformer that returns what `function` makes of the table."""

    def __init__(self, function):
        self.function = function

    def fit_transform(self, X):
        return self.function(X)


class NeverFitted:
    def fit_transform(self, X):
        raise AssertionError("the manifold was fitted before the parameters were checked")


def sampler(**parameters):
    defaults = dict(max_iter=5, hidden_layer_sizes=(8,), n_steps=2, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


# --- parameters

BAD_PARAMETERS = [
    ("manifold", ["unap", "Passthrough", 3, {}, Isomap, PCA]),
    ("sigma_start", [-1, 0, 0.001, 1e9, "x", None, NAN]),
    ("n_neighbors", [-1, -3, 1.5, "5", None]),
    ("noise_level", [-1.0, NAN, "x", [0.1], {}]),
    ("contraction", [-0.5, 1.5, "x", None, NAN]),
    ("max_landmarks", [1, 10.0, None]),
    ("categorical_features", ["x", [9], [-1], 3, ["a"], [0.5], [[0, 1]]]),
    ("numeric", ["x", "Quantile", None]),
    ("constraints", ["x0 <= x1", 3, (("x0", "<="),), ("x0 <= x1",), (3,)]),
    ("target_type", ["x", "Number", None, 3]),
    ("hidden_layer_sizes", [(), (0,), (-1, 8), (8.5,), "a", "88", ("a",), None, 8.0, (None,)]),
    ("manifold_weight", [-0.1, 1.1, "x", None, NAN]),
    ("max_iter", [-1, 1.5, "x", None, NAN]),
    ("max_time", [0, -1.0, "x", NAN]),
    ("batch_size", [0, 1.5, "x", None]),
    ("learning_rate_init", [0, -1e-3, "x", None, NAN, np.inf]),
    ("warm_start", ["x", None, 3]),
    ("checkpoint", [3, "", True, b"folder"]),
    ("early_stopping", ["x", None, 3]),
    ("validation_fraction", [0, 1, -0.1, 1.5, "x", None, NAN]),
    ("n_steps", [0, 2.0, None, "x"]),
    ("corrector", ["trees", 3, LinearRegression(), LogisticRegression, {}]),
    ("device", ["abacus", 3, None]),
    ("n_jobs", ["x", 1.5]),
    ("verbose", ["x", -1, None]),
    ("random_state", ["x", 1.5, -1]),
]


def message_of(error):
    """Its text, which holds a rule."""
    text = str(error.value)
    assert re.search("must|needed|cannot|asks for", text), text
    return text


def shown(value):
    """What a message may show of a value: itself, the first of its items, or its type where that is what is wrong."""
    values = [value, *value[:1]] if isinstance(value, tuple) else [value]
    return [text for v in values for text in (repr(v), type(v).__name__, getattr(v, "__name__", repr(v)))]


@pytest.mark.parametrize(
    ("name", "value"), [pytest.param(n, v, id=f"{n}-{v!r:.30}") for n, values in BAD_PARAMETERS for v in values]
)
def test_bad_parameters_are_refused_before_anything_is_fitted(name, value):
    parameters = {"manifold": NeverFitted(), name: value}
    with pytest.raises((ValueError, TypeError)) as error:
        sampler(**parameters).fit(X)
    message = message_of(error)
    assert re.search("random_state|RandomState", message) if name == "random_state" else name in message, message
    assert any(word in message for word in shown(value)), message


def test_every_parameter_has_a_bad_value():
    assert {name for name, _ in BAD_PARAMETERS} == set(ManifoldDiffusionSampler().get_params(deep=False))


@pytest.mark.parametrize(
    ("device", "n_found", "found"), [("cuda", 0, "none"), ("cuda:0", 0, "none"), ("cuda:3", 1, "1")]
)
def test_a_gpu_that_is_not_there_is_refused(monkeypatch, device, n_found, found):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_found)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_found > 0)
    with pytest.raises(ValueError, match=f"device='{device}' asks for a GPU, but torch finds {found}"):
        sampler(device=device, manifold=NeverFitted()).fit(X)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[8], (8, 4), (np.int64(8),)])
def test_sizes_may_be_lists_and_integers_of_numpy(sizes):
    assert sampler(hidden_layer_sizes=sizes).fit(X).sample(2).shape == (2, 4)


# --- the table

MIXED_CELLS = np.array([1, "a"] * 20, dtype=object)
BAD_TABLES = {
    "no rows": (X[:0], ValueError, r"0 sample\(s\).*minimum of 2"),
    "no columns": (X[:, :0], ValueError, r"0 feature\(s\).*minimum of 1"),
    "one row": (X[:1], ValueError, r"1 sample\(s\).*minimum of 2"),
    "one constant": (np.ones((20, 3)), ValueError, "At least one column of X must vary"),
    "one row repeated": (np.repeat(X[:1], 20, axis=0), ValueError, "At least one column of X must vary"),
    "infinity": (np.where(X > 2, np.inf, X), ValueError, "contains infinity.*column 'x0' must be finite"),
    "complex": (X + 1j, ValueError, "Complex data not supported"),
    "mixed cells": (MIXED_CELLS.reshape(5, 8).T, TypeError, "'x0' of X must hold cells of one kind.*types int, str"),
    "one dimension": (X[:, 0], ValueError, "Expected 2D array, got 1D array"),
    "three dimensions": (X[None], ValueError, "dim 3"),
    "a scalar": (3.0, ValueError, "Expected 2D array, got scalar"),
    "nothing": (None, ValueError, "Expected 2D array, got scalar"),
    "sparse": (csr_matrix(X), TypeError, "Sparse data was passed for X, but dense data is required"),
    "frame without rows": (FRAME[:0], ValueError, r"0 sample\(s\).*minimum of 2"),
    "frame of one row": (FRAME[:1], ValueError, r"1 sample\(s\).*minimum of 2"),
    "frame without columns": (FRAME[[]], ValueError, r"0 feature\(s\).*minimum of 1"),
    "constant frame": (FRAME * 0, ValueError, "At least one column of X must vary"),
    "frame with infinity": (FRAME.mask(FRAME > 2, np.inf), ValueError, "infinity.*column 'a' must be finite"),
    "complex column": (FRAME.assign(z=1j), ValueError, "Complex data not supported: column 'z'.*complex128"),
    "column of mixed cells": (FRAME.assign(e=MIXED_CELLS), TypeError, "'e' of X must hold cells.*types int, str"),
    "nothing but gaps": (X * np.nan, ValueError, "At least one column of X must vary"),
    "periods": (FRAME.assign(t=pd.Period("2020")), ValueError, "'t' of X must hold numbers, cat.*got per"),
    "two columns of one name": (FRAME.set_axis(list("aacd"), axis=1), ValueError, "unique.*'a'"),
    "names of two types": (FRAME.set_axis(["a", 1, "b", 2], axis=1), TypeError, "string names.*'int', 'str'"),
    "series": (FRAME["a"], ValueError, "Expected (2D|a 2-dimensional)"),
}


@pytest.mark.parametrize(("table", "error", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables(table, error, message):
    model = sampler()
    with pytest.raises(error, match=f"(?s){message}"):
        model.fit(table)
    with pytest.raises(NotFittedError):
        model.sample()


@pytest.mark.parametrize("parameters", [{}, {"manifold": "passthrough"}, {"early_stopping": False}])
def test_two_rows_are_enough(parameters):
    rows = sampler(**parameters).fit(X[:2]).sample(5)
    assert np.isfinite(rows).all()
    assert ((X[:2].min(axis=0) <= rows) & (rows <= X[:2].max(axis=0))).all()


# --- the target

BAD_TARGETS = {
    "too short": (LABELS[:3], r"inconsistent numbers of samples: \[3, 40\]"),
    "NaN": (np.where(X[:, 0] > 2, np.nan, NUMBERS), "y.*NaN"),
    "all NaN": (np.full(40, np.nan), "y.*NaN"),
    "infinite": (np.where(X[:, 0] > 2, np.inf, NUMBERS), "y.*infinity"),
    "two columns": (np.zeros((40, 2)), "y should be a 1d array"),
    "constant": (np.zeros(40), "y must hold at least two different values.*0.0"),
    "complex": (np.array([1j, 2] * 20), "Complex data not supported"),
    "mixed cells": (MIXED_CELLS, "y must.*int, str|y must.*str, int"),
    "None": ([None] * 40, "y.*(NaN|None|missing)"),
    "None among strings": (["a", None] * 20, "y.*(NaN|None|missing)"),
    "NaN among strings": (["a", NAN] * 20, "y.*(NaN|missing)"),
    "NA among strings": (pd.Series(["a", pd.NA] * 20, dtype="string"), "y must not have missing values"),
}


@pytest.mark.parametrize(("y", "message"), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_bad_targets(y, message):
    with pytest.raises((ValueError, TypeError), match=f"(?s){message}"):
        sampler().fit(X, y)


@pytest.mark.parametrize("y", [LABELS[:, None], pd.DataFrame({"y": LABELS})], ids=["array", "frame"])
def test_a_column_is_taken_as_target_with_the_warning_of_sklearn(y):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = sampler().fit(X, y)
    assert set(model.sample(50, return_y=True)[1]) <= set(LABELS)


@pytest.fixture(scope="module")
def models():
    """Fitted without a target, on labels, on numbers."""
    return {"none": sampler().fit(X), "labels": sampler().fit(X, LABELS), "numbers": sampler().fit(X, NUMBERS)}


BAD_WISHES = [
    ("none", "no", "y='no'.*fitted with y=None"),
    ("labels", "maybe", r"y must hold classes seen in fit, \['no', 'yes'\], got .*'maybe'"),
    ("labels", ["no", "yes", "maybe"], "y must hold classes seen in fit.*'maybe'"),
    ("labels", 1, "y must hold classes seen in fit.*1"),
    ("labels", NAN, "y must hold classes seen in fit.*nan"),
    ("labels", ["no", "yes"], "n_samples=3 targets, got 2"),
    ("labels", [["no", "yes", "no"]], "y should be a 1d array"),
    ("numbers", NAN, "y must be finite, got.*NaN"),
    ("numbers", [0.1, np.inf, 0.2], "y must be finite, got.*infinity"),
    ("numbers", "high", "y must.*'high'"),
    ("numbers", [0.1, 0.2], "n_samples=3 targets, got 2"),
    ("numbers", 1e6, "y must lie in the range seen in fit, from .* to .*, got 1000000"),
    ("labels", ["no", None, "yes"], "y must hold classes seen in fit.*got None"),
]


@pytest.mark.parametrize(("target", "query", "message"), BAD_WISHES)
def test_bad_wishes(models, target, query, message):
    with pytest.raises((ValueError, TypeError), match=message):
        models[target].sample(3, y=query)


# --- the calls


@pytest.mark.parametrize("method", ["sample", "embed", "lift", "score_samples", "score"])
def test_nothing_works_before_fit(method):
    arguments = () if method == "sample" else (X,)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(sampler(), method)(*arguments)


@pytest.mark.parametrize("n_samples", [0, -1, 1.0, 1.5, "3", None, [3], NAN])
def test_bad_numbers_of_samples(models, n_samples):
    with pytest.raises((ValueError, TypeError), match="n_samples") as error:
        models["none"].sample(n_samples)
    assert repr(n_samples) in str(error.value) or type(n_samples).__name__ in str(error.value)


def test_a_target_that_was_not_learnt_cannot_be_returned(models):
    with pytest.raises(ValueError, match="return_y=True.*fitted with y=None"):
        models["none"].sample(3, return_y=True)


@pytest.mark.parametrize("seed", ["x", -1, 1.5])
def test_bad_seeds_of_a_sample(models, seed):
    with pytest.raises(ValueError, match="random_state|RandomState") as error:
        models["none"].sample(3, random_state=seed)
    assert repr(seed) in str(error.value)


@pytest.mark.parametrize("method", ["embed", "score_samples", "score"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (X[:, :3], "X has 3 features, but ManifoldDiffusionSampler is expecting 4"),
        (X[0], "Expected 2D array, got 1D"),
        (X[:0], r"0 sample\(s\)"),
        (np.where(X > 2, np.inf, X), "column 'x0' must be finite"),
        (np.full((3, 4), "a"), "'x0' of X must hold numbers as in fit, got 'a'"),
    ],
    ids=["narrow", "one dimension", "no rows", "infinity", "strings"],
)
def test_new_rows_unlike_the_table(models, method, rows, message):
    with pytest.raises(ValueError, match=message):
        getattr(models["none"], method)(rows)


def test_new_frames_need_the_columns_in_their_order():
    model = sampler().fit(FRAME)
    for columns in (list("dcba"), list("abc")):
        with pytest.raises(ValueError, match="feature names"):
            model.score(FRAME[columns])


def test_a_level_that_was_not_seen_is_refused():
    model = sampler().fit(FRAME.assign(e=LABELS))
    with pytest.raises(ValueError, match="'e' of X must hold categories seen in fit only, got the unseen 'maybe'"):
        model.embed(FRAME.assign(e="maybe"))
    with pytest.raises(ValueError, match="'e' of X must hold categories seen in fit only, got the unseen 1"):
        model.score(FRAME.assign(e=1))


@pytest.mark.parametrize(
    ("Z", "shown"),
    [
        (X[:, :3], r"\(40, 3\)"),
        (X[0], r"\(4,\)"),
        (X * NAN, "NaN|nan"),
        (np.full((3, 4), "a"), "'a'|str|<U1"),
        (None, r"None|\(\)"),
    ],
    ids=["narrow", "one dimension", "NaN", "strings", "None"],
)
def test_bad_places(models, Z, shown):
    with pytest.raises((ValueError, TypeError), match="Z must") as error:
        models["none"].lift(Z)
    assert re.search(shown, str(error.value))


@pytest.mark.parametrize("method", ["embed", "lift"])
def test_without_a_manifold_there_are_no_coordinates(method):
    model = sampler(manifold="passthrough").fit(X)
    with pytest.raises(ValueError, match=f"{method} needs a manifold learner, got manifold='passthrough'"):
        getattr(model, method)(X)


# --- the manifold

BAD_RESULTS = {
    "NaN": (lambda X: np.where(np.arange(len(X))[:, None] == 3, np.nan, X[:, :2]), "finite numbers, got 2 NaN"),
    "a row too few": (lambda X: X[1:], r"shape \(40, k\).*got shape \(39, 4\)"),
    "one dimension": (lambda X: X[:, 0], r"shape \(40, k\).*got shape \(40,\)"),
    "no column": (lambda X: X[:, :0], r"k >= 1, got shape \(40, 0\)"),
    "a number": (lambda X: 3.0, r"got shape \(\)"),
    "None": (lambda X: None, "None"),
    "strings": (lambda X: X.astype(str).astype(object) + "a", "must return numbers"),
    "complex": (lambda X: X + 1j, "complex"),
    "an error": (lambda X: [][0], "failed on 40 samples.*list index out of range"),
}


@pytest.mark.parametrize(("function", "message"), BAD_RESULTS.values(), ids=BAD_RESULTS)
def test_bad_results_of_a_transformer(function, message):
    model = sampler(manifold=Returning(function))
    with pytest.raises((ValueError, TypeError), match=f"manifold Returning.*{message}|Returning has.*{message}"):
        model.fit(X)


@pytest.mark.parametrize(
    "learner",
    [
        Isomap(metric="precomputed"),
        MDS(dissimilarity="precomputed"),
        TSNE(metric="precomputed"),
        SpectralEmbedding(affinity="precomputed"),
        KernelPCA(kernel="precomputed"),
    ],
    ids=lambda m: type(m).__name__,
)
def test_learners_of_distances_are_refused(learner):
    with pytest.raises(ValueError, match="manifold must work on the rows.*'precomputed'"):
        sampler(manifold=learner).fit(X)


# --- a fit that failed


def test_a_failed_fit_is_no_fit():
    model = sampler(manifold=Returning(lambda X: X * NAN))
    with pytest.raises(ValueError, match="finite"):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.sample()
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


def test_a_failed_refit_leaves_nothing_that_samples():
    """Neither the old rows, which the caller no longer wants, nor the new codec with the old network."""
    model = sampler().fit(X)
    model.set_params(manifold=Returning(lambda X: X * NAN))
    with pytest.raises(ValueError, match="finite"):
        model.fit(X[:, :3])
    with pytest.raises(NotFittedError):
        model.sample()
    model.set_params(manifold=None).fit(X[:, :3])
    assert model.sample(2).shape == (2, 3)


def test_a_refit_forgets_the_manifold_before():
    model = sampler().fit(X).set_params(manifold="passthrough").fit(X)
    assert not hasattr(model, "manifold_") and not hasattr(model, "embedding_")


# --- a loss that is not finite


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("learning_rate", [1e3, 1e10, 1e30])
def test_training_that_explodes_warns_and_samples_finite_rows(learning_rate, early_stopping):
    model = sampler(learning_rate_init=learning_rate, max_iter=60, early_stopping=early_stopping)
    with pytest.warns(ConvergenceWarning, match="learning_rate_init"):
        model.fit(X)
    assert model.stop_reason_ == "diverged" and model.n_iter_ < 60
    assert np.isfinite(model.sample(50)).all()
    assert np.isfinite(model.score(X))


def test_an_interrupted_search_ends(monkeypatch):
    """Ctrl-C in the second fit: it is not scored and no third is begun; an interrupted refit leaves nothing fitted."""
    plain, n_fits = training.Trainer.finish, 0

    def interrupted(trainer):
        nonlocal n_fits
        n_fits += 1
        if n_fits == 2:
            raise KeyboardInterrupt
        plain(trainer)

    monkeypatch.setattr(training.Trainer, "finish", interrupted)
    search = GridSearchCV(sampler(), {"n_neighbors": [3, 5, 7]}, cv=2, refit=False)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X)
    assert n_fits == 2
    n_fits = 0
    model = sampler().fit(X)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert not any(name.endswith("_") for name in vars(model))


def test_a_loss_that_turns_nan_keeps_the_best_weights_until_then(monkeypatch):
    """The first 30 steps are those of an undisturbed run, so its weights after 30 are what is kept."""
    plain, n_calls = training.batch_loss, 0

    def breaking(model, x_0, *arguments):
        nonlocal n_calls
        n_calls += model.training and torch.is_grad_enabled()
        return plain(model, x_0, *arguments) * (NAN if n_calls > 30 else 1.0)

    parameters = dict(max_iter=80, early_stopping=False, batch_size=32)
    monkeypatch.setattr(training, "batch_loss", breaking)
    with pytest.warns(ConvergenceWarning, match="after step 32"):
        model = sampler(**parameters).fit(X)
    assert model.n_iter_ == 32 and len(model.loss_curve_) == 15
    assert np.isfinite(model.loss_curve_).all() and np.isfinite(model.sample(50)).all()


# --- parameters set after the fit, and bools for integers


@pytest.fixture(scope="module")
def fitted():
    return sampler().fit(X, X[:, 0])


@pytest.mark.parametrize(("name", "value"), [("n_steps", "x"), ("n_steps", True), ("n_steps", 0), ("n_jobs", 1.5)])
def test_parameters_set_after_the_fit_are_checked_again(fitted, name, value):
    before = fitted.get_params()[name]
    for call in (fitted.sample, fitted.explore, lambda: fitted.mean_rows(0.0), lambda: fitted.predict_target(X[:2])):
        fitted.set_params(**{name: value})
        with pytest.raises((ValueError, TypeError), match=name):
            call()
    fitted.set_params(**{name: before}).sample()


def test_bools_are_no_numbers_of_rows(fitted):
    calls = {
        "n_samples": [lambda: fitted.sample(True), lambda: fitted.explore(True)],
        "n_draws": [lambda: fitted.mean_rows(0.0, n_draws=True), lambda: fitted.predict_target(X, n_draws=True)],
    }
    for name, of_name in calls.items():
        for call in of_name:
            with pytest.raises(TypeError, match=f"{name} must be an integer, got True"):
                call()
