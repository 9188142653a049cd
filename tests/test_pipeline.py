"""Pipelines that sample: rows back through every step; searches, routing and containers of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.manifold import Isomap
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils import get_tags

from skmdiff import ManifoldDiffusionSampler, SamplerPipeline, make_sampler_pipeline
from skmdiff.metrics import coverage_scorer, detection_scorer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)) * [1, 10, 100] + [0, 5, 50]
ONE_SPLIT = ShuffleSplit(1, test_size=0.5, random_state=0)
LABELS = np.where(X[:, 0] > 0, "high", "low")
FRAME = pd.DataFrame(
    {
        "count": RNG.poisson(3, 80),
        "price": RNG.gamma(2, 10, 80).astype(np.float32),
        "size": X[:, 1],
        "small": RNG.integers(0, 5, 80).astype(np.int8),
    }
)


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


@pytest.mark.parametrize(
    ("steps", "allowed"),
    [
        ([StandardScaler(), sampler()], True),
        ([PCA(), sampler()], False),
        ([StandardScaler(), KernelDensity()], False),
        ([StandardScaler(), "passthrough"], True),
        ([], False),
    ],
)
def test_gaps_are_taken_where_all_steps_take_them(steps, allowed):
    pipeline = SamplerPipeline([(str(i), step) for i, step in enumerate(steps)])
    assert get_tags(pipeline).input_tags.allow_nan == allowed


def test_steps_need_no_tags():
    class Bare:
        steps = 3

        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

        inverse_transform = transform

    fitted = make_sampler_pipeline(Bare(), StandardScaler(), "passthrough", KernelDensity()).fit(X)
    assert fitted.sample(2).shape == (2, 3) and fitted[:-1].transform(X).shape == X.shape


# --- rows come back


def test_rows_are_those_of_the_last_step_taken_back():
    """The steps one by one, by hand."""
    scale, turn = StandardScaler().fit(X), PCA()
    turn.fit(scale.transform(X))
    alone = sampler().fit(turn.transform(scale.transform(X)))
    pipeline = make_sampler_pipeline(StandardScaler(), PCA(), sampler()).fit(X)
    expected = scale.inverse_transform(turn.inverse_transform(alone.sample(30)))
    np.testing.assert_array_equal(pipeline.sample(30), expected)
    forward = turn.transform(scale.transform(X))
    np.testing.assert_array_equal(pipeline.embed(X), alone.embed(forward))
    np.testing.assert_array_equal(pipeline.score_samples(X), alone.score_samples(forward))
    assert pipeline.score(X) == alone.score(forward)


def test_rows_drawn_have_the_place_and_spread_of_the_table():
    rows = make_sampler_pipeline(StandardScaler(), sampler(max_iter=100)).fit(X).sample(2000)
    assert (np.abs(rows.mean(axis=0) - X.mean(axis=0)) < 0.3 * X.std(axis=0)).all()
    assert (np.abs(rows.std(axis=0) / X.std(axis=0) - 1) < 0.3).all()


@pytest.mark.parametrize("skipped", ["passthrough", None])
def test_steps_that_do_nothing_are_passed_by(skipped):
    steps = [("none", skipped), ("scale", StandardScaler()), ("sampler", sampler())]
    rows = SamplerPipeline(steps).fit(X).sample(5)
    np.testing.assert_array_equal(rows, SamplerPipeline(steps[1:]).fit(X).sample(5))


def test_arguments_reach_the_last_step_and_targets_come_back():
    pipeline = make_sampler_pipeline(MinMaxScaler(), sampler()).fit(X, LABELS)
    rows, y = pipeline.sample(6, y="low", return_y=True, random_state=3)
    assert (y == "low").all() and rows.shape == (6, 3)
    assert not np.array_equal(rows, pipeline.sample(6, y="low", random_state=4))


@pytest.mark.parametrize("y", [LABELS, X[:, 1] + 0.5])
def test_means_of_targets_are_those_of_the_last_step(y):
    forward = MinMaxScaler().fit_transform(X)
    pipeline, alone = make_sampler_pipeline(MinMaxScaler(), sampler()).fit(X, y), sampler().fit(forward, y)
    means = pipeline.predict_target(X, n_draws=3, random_state=1)
    np.testing.assert_array_equal(means, alone.predict_target(forward, n_draws=3, random_state=1))
    assert means.shape == ((80, 2) if y is LABELS else (80,)) and means.std() > 0


def test_generators_of_scikit_learn_sample_too():
    density = make_sampler_pipeline(StandardScaler(), KernelDensity(bandwidth=0.1)).fit(X)
    assert np.abs(density.sample(500, random_state=0).mean(axis=0) / X.mean(axis=0) - 1)[2] < 0.2
    rows, component = make_sampler_pipeline(StandardScaler(), GaussianMixture(2, random_state=0)).fit(X).sample(4)
    assert rows.shape == (4, 3) and component.shape == (4,)
    assert not hasattr(density, "embed") and not hasattr(density, "predict_target")
    assert not hasattr(make_sampler_pipeline(StandardScaler()), "sample")


# --- frames


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_frame_comes_back_with_its_columns_and_dtypes(output):
    pipeline = make_sampler_pipeline(StandardScaler(), sampler()).set_output(transform=output).fit(FRAME)
    rows = pipeline.sample(50)
    pd.testing.assert_series_equal(rows.dtypes, FRAME.dtypes)
    assert set(rows["count"]) <= set(FRAME["count"]) and set(rows["small"]) <= set(FRAME["small"])
    assert pipeline.feature_names_in_.tolist() == FRAME.columns.tolist()
    assert type(pipeline.fit(FRAME.to_numpy()).sample(2)) is np.ndarray


def test_categories_come_back_through_their_encoder():
    frame = pd.DataFrame(
        {"kind": pd.Categorical(RNG.choice(["a", "b"], 80), categories=["b", "a", "c"]), 7: RNG.choice(["x", "y"], 80)}
    ).rename(columns={7: "name"})
    pipeline = make_sampler_pipeline(OrdinalEncoder(), sampler(manifold=PCA(2), categorical_features=[0, 1])).fit(frame)
    rows = pipeline.sample(40)
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    assert set(rows["kind"]) == {"a", "b"} and set(rows["name"]) == {"x", "y"}


# --- steps without an inverse


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            ColumnTransformer([("scale", StandardScaler(), [0, 1, 2])]),
            "'odd' must have inverse_transform for sample, but ColumnTransformer has none. Give the columns to the "
            "sampler",
        ),
        (FeatureUnion([("scale", StandardScaler())]), "'odd' must have inverse_transform.*FeatureUnion has none"),
        (FunctionTransformer(np.arcsinh), "'odd' must have an inverse for sample.*inverse_func=None"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_step_without_inverse_is_named(step, message):
    pipeline = SamplerPipeline([("scale", StandardScaler()), ("odd", step), ("sampler", sampler())]).fit(X)
    assert np.isfinite(pipeline.score(X)) and pipeline.embed(X).shape[0] == 80
    with pytest.raises(TypeError, match=message):
        pipeline.sample(3)


def test_a_step_within_a_step_without_inverse_is_named():
    inner = make_pipeline(StandardScaler(), "passthrough", FunctionTransformer(np.arcsinh))
    with pytest.raises(TypeError, match="Step 'pipeline__functiontransformer' must have an inverse"):
        make_sampler_pipeline(inner, sampler()).fit(X).sample(2)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (SimpleImputer(), "Step 'simpleimputer', SimpleImputer, cannot take the samples back.*add_indicator.*Give"),
        (KernelPCA(2), "Step 'kernelpca', KernelPCA, cannot take.*fit_inverse_transform.*Give the columns"),
    ],
)
def test_a_step_whose_inverse_fails_is_named(step, message):
    with pytest.raises(ValueError, match=message):
        make_sampler_pipeline(step, sampler()).fit(X).sample(2)


def test_slices_and_pipelines_of_fitted_steps_sample():
    fitted = make_sampler_pipeline(MinMaxScaler(), StandardScaler(), sampler()).fit(FRAME)
    rows = fitted.sample(5)
    assert isinstance(rows, pd.DataFrame)
    np.testing.assert_allclose(
        SamplerPipeline(fitted.steps).sample(5), fitted.steps[0][1].inverse_transform(fitted[1:].sample(5))
    )
    np.testing.assert_allclose(SamplerPipeline(fitted.steps).sample(5)[:, 2], rows["size"], rtol=1e-6)


def test_a_function_with_its_inverse_goes_back():
    step = FunctionTransformer(np.arcsinh, np.sinh, check_inverse=False)
    rows = make_sampler_pipeline(step, FunctionTransformer(), sampler()).fit(X).sample(50)
    assert ((X.min(axis=0) - 1e-9 <= rows) & (rows <= X.max(axis=0) + 1e-9)).all()


def test_nothing_works_before_fit():
    for method, argument in [("sample", 3), ("embed", X), ("predict_target", X)]:
        with pytest.raises(NotFittedError):
            getattr(make_sampler_pipeline(StandardScaler(), sampler()), method)(argument)


# --- searches, names, routing


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Pipeline, SamplerPipeline])
def test_pipelines_are_searched(kind):
    pipeline = kind([("scale", StandardScaler()), ("sampler", sampler(manifold=make_pipeline(PCA(3), Isomap())))])
    grid = {"sampler__manifold__isomap__n_neighbors": [3, 6], "scale": [StandardScaler(), "passthrough"]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, LABELS)
    fitted = search.best_estimator_["sampler"].manifold_
    assert fitted["isomap"].n_neighbors == search.best_params_["sampler__manifold__isomap__n_neighbors"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_search_is_scored_in_the_units_of_the_table():
    scoring = {"coverage": coverage_scorer, "detection": detection_scorer}
    pipeline = make_sampler_pipeline(StandardScaler(), sampler())
    search = GridSearchCV(
        pipeline,
        {"manifolddiffusionsampler__max_iter": [4, 8]},
        scoring=scoring,
        refit="coverage",
        cv=ONE_SPLIT,
        error_score="raise",
    ).fit(FRAME)
    assert np.isfinite(search.cv_results_["mean_test_detection"]).all()
    assert search.best_estimator_.sample(2).columns.tolist() == FRAME.columns.tolist()


@pytest.mark.parametrize(
    ("manifold", "name", "values"),
    [
        (ColumnTransformer([("some", PCA(2), [0, 1, 2])]), "manifold__some__n_components", [1, 2]),
        (FunctionTransformer(np.tanh), "manifold__func", [np.tanh, np.cbrt]),
        (FeatureUnion([("pca", PCA(1)), ("map", Isomap(n_neighbors=5))]), "manifold__map__n_neighbors", [4, 7]),
    ],
    ids=["columns", "function", "union"],
)
def test_composed_manifolds_are_searched_by_nested_names(manifold, name, values):
    search = GridSearchCV(sampler(manifold=manifold), {name: values}, cv=2, error_score="raise").fit(X)
    best = search.best_estimator_
    assert best.get_params()[name] in values and best.sample(3).shape == (3, 3)
    assert search.cv_results_["mean_test_score"][0] != search.cv_results_["mean_test_score"][1]


class Weighed(StandardScaler):
    """A scaler that remembers the weights it was given."""

    def fit(self, X, y=None, sample_weight=None):
        self.seen_ = sample_weight
        return super().fit(X, y, sample_weight)


def test_weights_are_routed_to_the_steps_that_ask_for_them():
    weights = np.linspace(0.5, 2, 80)
    with sklearn.config_context(enable_metadata_routing=True):
        last = sampler().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = Weighed().set_fit_request(sample_weight=True)
        pipeline = make_sampler_pipeline(scaler, last).fit(X, LABELS, sample_weight=weights)
        score = pipeline.score(X, sample_weight=weights)
    np.testing.assert_array_equal(pipeline["weighed"].seen_, weights)
    np.testing.assert_allclose(pipeline["weighed"].mean_, np.average(X, axis=0, weights=weights))
    alone = sampler().fit(pipeline["weighed"].transform(X), LABELS, weights)
    np.testing.assert_array_equal(pipeline["manifolddiffusionsampler"].sample(9), alone.sample(9))
    assert score == pytest.approx(np.average(pipeline.score_samples(X), weights=weights))


def test_a_search_routes_weights():
    weights = np.linspace(0.5, 2, 80)
    with sklearn.config_context(enable_metadata_routing=True):
        last = sampler().set_fit_request(sample_weight=True)
        pipeline = make_sampler_pipeline(Weighed().set_fit_request(sample_weight=True), last)
        search = GridSearchCV(
            pipeline, {"manifolddiffusionsampler__max_iter": [4]}, scoring=coverage_scorer, cv=2, error_score="raise"
        ).fit(X, LABELS, sample_weight=weights)
    best = search.best_estimator_
    np.testing.assert_array_equal(best["weighed"].seen_, weights)
    alone = sampler(max_iter=4).fit(best["weighed"].transform(X), LABELS, weights)
    np.testing.assert_array_equal(best["manifolddiffusionsampler"].sample(9), alone.sample(9))


def test_weights_of_the_last_step_by_its_name():
    weights = np.linspace(0.5, 2, 80)
    fitted = make_sampler_pipeline(StandardScaler(), sampler()).fit(
        X, LABELS, manifolddiffusionsampler__sample_weight=weights
    )
    alone = sampler().fit(StandardScaler().fit_transform(X), LABELS, weights)
    np.testing.assert_array_equal(fitted[-1].sample(9), alone.sample(9))
    assert not np.array_equal(fitted[-1].sample(9), sampler().fit(StandardScaler().fit_transform(X), LABELS).sample(9))


def test_slices_and_repr_are_those_of_a_pipeline():
    pipeline = make_sampler_pipeline(OneHotEncoder(), StandardScaler(), sampler(), verbose=False)
    assert isinstance(pipeline[:-1], SamplerPipeline) and list(pipeline.named_steps) == [
        "onehotencoder",
        "standardscaler",
        "manifolddiffusionsampler",
    ]


def test_bools_and_small_integers_come_back_through_steps_that_round():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=57),
            "flag": rng.random(57) < 0.3,
            "count": rng.poisson(0.5, 57).astype("u1"),
            "maybe": pd.array(rng.random(57) < 0.5, dtype="boolean"),
        }
    )
    for steps in ((StandardScaler(),), (StandardScaler(), PCA(2))):
        drawn = make_sampler_pipeline(*steps, sampler()).fit(frame).sample(300)
        assert drawn.dtypes.equals(frame.dtypes)
        assert 0.1 < drawn["flag"].mean() < 0.6 and 0.2 < drawn["maybe"].mean() < 0.8
        assert drawn["count"].between(0, 9).all()
