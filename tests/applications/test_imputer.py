"""Missing cells: their distribution given the observed ones, everything else left as it is."""

from copy import copy

import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionSampler
from skmdiff._sampler import completion as _completion
from skmdiff._sampler.model import fitted_model

COVARIANCE = np.array([[1.0, 0.8, 0.4], [0.8, 1.0, 0.5], [0.4, 0.5, 1.0]])


def quick(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0)
    return ManifoldDiffusionImputer(ManifoldDiffusionSampler(**defaults), **{"random_state": 0, **parameters})


def with_gaps(n=3000, share=0.2, seed=0):
    rng = np.random.default_rng(seed)
    whole = rng.multivariate_normal(np.zeros(3), COVARIANCE, n)
    X = whole.copy()
    X[rng.random(X.shape) < share] = np.nan
    return whole, X


def mixed(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "length": rng.normal(size=n),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "colour": pd.Categorical(rng.choice(["red", "blue"], n)),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 50, n), unit="D"),
            "whole": rng.integers(0, 5, n),
        },
        index=np.arange(n) * 2,
    )
    for j in range(4):
        frame.iloc[j::7, j] = None
    return frame


@pytest.fixture(scope="module")
def gaussian():
    whole, X = with_gaps()
    sampler = ManifoldDiffusionSampler(numeric="standard", max_iter=400, batch_size=256, hidden_layer_sizes=(48,))
    return whole, X, ManifoldDiffusionImputer(sampler, random_state=0).fit(X)


@pytest.fixture(scope="module")
def fitted():
    """Of `mixed()`; the strategy is for `transform` only: tests set it on a copy."""
    return quick().fit(mixed())


def filling_by(strategy, fitted):
    return copy(fitted).set_params(strategy=strategy)


def conditional(x, missing):
    """Mean (m,) and variance of the missing column of a Gaussian row given the two others."""
    seen = [j for j in range(3) if j != missing]
    slopes = np.linalg.solve(COVARIANCE[np.ix_(seen, seen)], COVARIANCE[seen, missing])
    return x[:, seen] @ slopes, COVARIANCE[missing, missing] - slopes @ COVARIANCE[seen, missing]


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_draws_have_the_conditional_law_of_a_gaussian(gaussian, missing):
    """Of 1000 fresh rows: the mean error within 4 standard errors of draws and of the fit, the variance within 15 %."""
    whole, X = with_gaps(1000, seed=1)
    X = whole.copy()
    X[:, missing] = np.nan
    tables = np.stack(gaussian[2].impute(X, n_draws=20))[:, :, missing]
    mean, variance = conditional(whole, missing)
    error = tables.mean(axis=0) - mean
    # 3000 rows tell a conditional mean by about sqrt(3 v / 3000), 20 draws by sqrt(v / 20)
    assert abs(error.mean()) < 4 * np.sqrt(variance * (1 / 3000 + 1 / 20_000))
    assert np.sqrt(np.mean(error**2)) < 0.5 * np.sqrt(variance)
    assert tables.var(axis=0, ddof=1).mean() == pytest.approx(variance, rel=0.15)


@pytest.mark.slow
def test_ninety_percent_intervals_cover(gaussian):
    whole, X, imputer = gaussian
    whole, X = whole[:1000], X[:1000]
    missing = np.isnan(X)
    tables = np.stack(imputer.impute(X, n_draws=20))
    # the quantiles (n + 1) p, so that a new draw of the same distribution lies within with probability .9
    low, high = np.quantile(tables, [0.05, 0.95], axis=0, method="weibull")
    assert 0.85 < ((low <= whole) & (whole <= high))[missing].mean() < 0.95


@pytest.mark.slow
def test_the_mean_is_nearer_to_the_truth_than_a_draw_or_the_mean_of_the_column(gaussian):
    whole, X, imputer = gaussian
    whole, X = whole[:1000], X[:1000]
    missing = np.isnan(X)
    by_mean = clone(imputer).set_params(strategy="mean")
    by_mean.sampler_ = imputer.sampler_
    errors = [np.mean((imputed - whole)[missing] ** 2) for imputed in (by_mean.transform(X), imputer.transform(X))]
    assert errors[0] < 0.7 * errors[1]
    assert errors[0] < 0.65  # of the column means: 1


@pytest.mark.slow
def test_observed_cells_stay_as_they_are_bit_for_bit():
    X = with_gaps(100)[1]
    filled = quick().fit_transform(X)
    seen = ~np.isnan(X)
    assert (filled[seen].view(np.int64) == X[seen].view(np.int64)).all() and not np.isnan(filled).any()
    X = X.astype(np.float32)
    assert quick().fit_transform(X).dtype == np.float32


@pytest.mark.parametrize("strategy", ["draw", "mean"])
def test_frames_keep_columns_dtypes_and_index(fitted, strategy):
    X = mixed()
    filled = filling_by(strategy, fitted).transform(X)
    assert filled.dtypes.equals(X.dtypes) and filled.index.equals(X.index) and not filled.isna().any().any()
    for name in X:
        seen = X[name].notna()
        pd.testing.assert_series_equal(filled[name][seen], X[name][seen])


@pytest.fixture(scope="module")
def means():
    """A polars frame of halves, integers and decimals, and the same filled in with means."""
    cells = {"half": [0.5, 1.0, 2.5, None] * 20, "count": [1, 2, None, 7] * 20, "price": [1.25, None, 2.5, 4.0] * 20}
    X = pl.DataFrame(cells).with_columns(pl.col("price").cast(pl.Decimal(10, 2)))
    return X, quick(strategy="mean").fit_transform(X)


def test_means_are_whole_in_columns_of_integers_only(means):
    X, filled = means
    assert filled["count"].dtype == pl.Int64
    half = filled["half"].filter(X["half"].is_null())
    assert (half % 0.5 != 0).mean() > 0.1 and half.is_between(0.5, 2.5).all()  # the column holds halves


def test_means_of_decimals(means):
    X, filled = means
    assert filled.schema == X.schema and filled["price"].null_count() == 0


def test_polars_frames():
    pl = pytest.importorskip("polars")
    X = pl.from_pandas(mixed().reset_index(drop=True))
    filled = quick().fit_transform(X)
    assert filled.schema == X.schema and sum(filled.null_count().row(0)) == 0
    assert filled.filter(X["length"].is_not_null())["length"].to_list() == X["length"].drop_nulls().to_list()


def test_strings_and_objects():
    X = np.array([["a", 1.0], ["b", 2.0], [None, 3.0], ["a", None], ["b", 5.0]] * 4, dtype=object)
    filled = quick().fit_transform(X)
    assert set(filled[:, 0]) == {"a", "b"} and all(1 <= x <= 5 for x in filled[:, 1])


def test_rows_without_gaps_and_values_out_of_range():
    X = with_gaps(100)[0]
    imputer = quick().fit(X)
    np.testing.assert_array_equal(imputer.transform(X), X)
    far = np.array([[99.0, np.nan, 0.0], [np.nan, np.nan, np.nan]])
    filled = imputer.transform(far)
    assert filled[0, 0] == 99 and np.isfinite(filled).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
def test_another_container_than_that_of_fit():
    X = with_gaps(100)[1]
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    by_array, by_frame = quick().fit(X), quick().fit(frame)
    np.testing.assert_array_equal(by_frame.transform(X), by_array.transform(X))
    pd.testing.assert_frame_equal(by_array.transform(frame), by_frame.transform(frame))


def test_the_same_seed_fills_alike_and_draws_differ():
    X = with_gaps(100)[1]
    imputer = quick().fit(X)
    tables = imputer.impute(X, n_draws=3)
    np.testing.assert_array_equal(tables[0], imputer.transform(X))
    np.testing.assert_array_equal(tables[1], imputer.impute(X, n_draws=2)[1])
    assert not np.isclose(tables[0], tables[1])[np.isnan(X)].any()


@pytest.mark.slow
def test_in_a_pipeline_and_a_column_transformer():
    X = mixed()
    numbers = ColumnTransformer([("fill", quick(), ["length", "whole"])], verbose_feature_names_out=False)
    numbers.set_output(transform="pandas")
    assert list(numbers.fit_transform(X).columns) == ["length", "whole"]
    assert quick().fit(X).get_feature_names_out().tolist() == list(X.columns)
    model = make_pipeline(quick(), LinearRegression()).fit(X[["length", "whole"]], np.arange(len(X)))
    assert model.predict(X[["length", "whole"]]).shape == (len(X),)


def test_set_output_makes_a_frame_of_an_array():
    X = with_gaps(60)[1]
    filled = quick().set_output(transform="pandas").fit_transform(X)
    assert isinstance(filled, pd.DataFrame) and list(filled.columns) == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    "parameters, error, words",
    [
        (dict(strategy="median"), ValueError, "strategy must be one of"),
        (dict(n_draws=0), ValueError, "n_draws == 0, must be >= 1"),
    ],
)
def test_parameters(parameters, error, words):
    with pytest.raises(error, match=words):
        quick(**parameters).fit(np.eye(4))
    with pytest.raises(TypeError, match="sampler must be a ManifoldDiffusionSampler"):
        ManifoldDiffusionImputer(LinearRegression()).fit(np.eye(4))


def test_an_unseen_level_is_named():
    X = pd.DataFrame({"colour": ["red", "blue"] * 10, "x": range(20)})
    imputer = quick().fit(X)
    with pytest.raises(ValueError, match="Column 'colour' .* unseen 'green'"):
        imputer.transform(pd.DataFrame({"colour": ["green"], "x": [None]}))


def test_what_comes_back_is_a_table_of_its_own(fitted):
    frame = mixed().dropna()
    once, twice = fitted.impute(frame, 2)
    assert fitted.transform(frame) is not frame and once is not twice
    once.iloc[0, 0] = 99.0
    assert frame.iloc[0, 0] != 99.0 != twice.iloc[0, 0]
    pl.testing.assert_frame_equal(
        quick().fit(pl.DataFrame({"x": [0.0, 1.0, 2.0]})).transform(pl.DataFrame({"x": [1.0]})),
        pl.DataFrame({"x": [1.0]}),
    )


def test_a_column_without_room_for_what_is_filled_in_takes_the_dtype_of_fit():
    rng = np.random.default_rng(0)
    imputer = quick().fit(
        pd.DataFrame(
            {
                "c": pd.Categorical(rng.choice(list("abc"), 60)),
                "n": rng.integers(300, 500, 60),
                "s": ["u", "v"] * 30,
                "t": pd.Timestamp("2024-01-01", tz="Europe/Berlin") + pd.to_timedelta(rng.integers(0, 9, 60), unit="D"),
            }
        )
    )
    new = pd.DataFrame(
        {
            "c": pd.Categorical(["a", None, "b", None]),
            "n": pd.array([3, None, 5, None], dtype="UInt8"),
            "s": [np.nan] * 4,
            "t": pd.to_datetime([None] * 4),
        }
    )
    filled = imputer.transform(new)
    assert not filled.isna().any().any() and filled["c"].tolist()[::2] == ["a", "b"]
    assert filled["n"].tolist()[::2] == [3, 5] and (filled["n"][1::2] >= 300).all()
    for name, writer in zip("cnst", fitted_model(imputer.sampler_).codec.writers_, strict=True):
        assert filled[name].dtype == writer.dtype


def test_a_column_without_any_cell_in_polars_takes_the_dtype_of_fit():
    imputer = quick().fit(pl.DataFrame({"x": np.arange(60) / 8, "s": ["u", "v"] * 30}))
    filled = imputer.transform(pl.DataFrame({"x": [0.1, 0.2], "s": [None, None]}))
    assert filled["s"].dtype == pl.String and set(filled["s"]) <= {"u", "v"}


@pytest.mark.slow
def test_tables_are_filled_some_rows_after_the_other(fitted, monkeypatch):
    """Rows of the first chunk do not depend on where it ends; all are filled in order."""
    frame = mixed()
    for strategy in ("draw", "mean"):
        imputer = filling_by(strategy, fitted)
        with monkeypatch.context() as patch:
            whole = imputer.transform(frame)
            patch.setattr(_completion, "CHUNK_ROWS", 10)
            parts = imputer.transform(frame)
        assert not parts.isna().any().any() and parts.dtypes.equals(whole.dtypes)
        observed = frame.notna()
        pd.testing.assert_frame_equal(parts.where(observed), whole.where(observed))


def test_of_equally_common_levels_that_drawn_first_stands():
    drawn = np.array([[2, 0], [1, 1], [1, 0], [2, 3]])
    np.testing.assert_array_equal(_completion.commonest(drawn), [2, 0])


def test_the_mean_of_days_is_a_day(fitted):
    days = filling_by("mean", fitted).transform(mixed())["day"]
    assert (days.dt.normalize() == days).all()
