"""The over-sampler: imbalanced-learn's numbers, the rows given first and untouched, rare ranges of a numeric target."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from jitter import Jitter
from numpy.testing import assert_array_equal
from rare_rule import follows_rule, rare_rule
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from stand_ins import Copies

from skmdiff import ManifoldDiffusionOverSampler, ManifoldDiffusionSampler
from skmdiff._applications.synthetic import sample_likely

RNG = np.random.default_rng(0)
Y = np.array(["rare"] * 3 + ["some"] * 20 + ["many"] * 57)
X = RNG.normal(size=(80, 3)) + 4.0 * (Y != "many")[:, None] + 4.0 * (Y == "rare")[:, None]
TWO = np.where(Y == "many", 1, 0)
FRAME = pd.DataFrame(
    {
        "size": X[:, 0],
        "count": RNG.poisson(3, 80).astype(np.int16),
        "kind": pd.Categorical(RNG.choice(["a", "b"], 80)),
        "flag": RNG.random(80) < 0.4,
        "city": RNG.choice(["Bonn", "Oslo"], 80),
        "price": X[:, 1].astype(np.float32),
    },
    index=range(100, 180),
)


def quick(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=0.5)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def over(**parameters):
    return ManifoldDiffusionOverSampler(**{"sampler": quick(), "random_state": 0, **parameters})


def counts(y):
    return dict(zip(*(part.tolist() for part in np.unique(y, return_counts=True)), strict=True))


# --- classes: how many rows

STRATEGIES = [
    "auto",
    "minority",
    "not minority",
    "not majority",
    "all",
    {"rare": 10, "many": 60},
    {"some": 20},
    lambda y: {"rare": int((y == "many").sum())},
]


@pytest.mark.parametrize(
    ("strategy", "y"),
    [
        *[(s, Y) for s in STRATEGIES],
        (0.5, TWO),
        (1.0, TWO),
        (0.777, TWO),
        ({0: 30}, TWO),
        ("minority", np.array([0, 1] * 40)),
    ],
)
def test_the_counts_are_those_of_imbalanced_learn(strategy, y):
    reference = pytest.importorskip("imblearn.over_sampling").RandomOverSampler(sampling_strategy=strategy)
    expected = counts(reference.fit_resample(X, y)[1])
    estimator = over(sampler=Jitter(), sampling_strategy=strategy)
    assert counts(estimator.fit_resample(X, y)[1]) == expected
    assert estimator.sampling_strategy_ == dict(reference.sampling_strategy_)
    assert estimator.fit(X, y).sampling_strategy_ == dict(reference.sampling_strategy_)


@pytest.mark.parametrize(
    ("strategy", "y", "message"),
    [
        ("majority", Y, "must be one of.*'majority'"),
        (3, Y, "for 3 classes, a float is for two, got 3"),
        (0.0, TWO, "above 0 and at most 1, got 0.0"),
        (1.5, TWO, "above 0 and at most 1, got 1.5"),
        (0.1, TWO, "above that of the table, which has {0: 23, 1: 57}, got 0.1"),
        ({"rare": 2}, Y, "'rare'.*its 3 rows.*2"),
        ({"rare": 5.5}, Y, "'rare' an integer.*5.5"),
        ({"odd": 5}, Y, "must name classes of y.*'odd'"),
        (None, Y, "one of.*None"),
        (True, TWO, "one of.*True"),
        (lambda y: {"odd": 1}, Y, "'odd'"),
    ],
)
def test_bad_strategies(strategy, y, message):
    with pytest.raises(ValueError, match=f"sampling_strategy.*{message}"):
        over(sampling_strategy=strategy).fit(X, y)


@pytest.mark.parametrize(
    ("sampler", "shown"),
    [
        (3, "3"),
        (ManifoldDiffusionSampler, "class"),
        (LogisticRegression(), "LogisticRegression"),
        (GaussianMixture(), "GaussianMixture"),
    ],
)
def test_bad_generators(sampler, shown):
    with pytest.raises(TypeError, match=f"sampler must be None or an estimator with fit.*{shown}"):
        over(sampler=sampler).fit(X, Y)


# --- classes: which rows


def test_the_rows_given_come_first_and_untouched():
    new_X, new_y = over().fit_resample(X, Y)
    np.testing.assert_array_equal(new_X[:80], X)
    np.testing.assert_array_equal(new_y[:80], Y)
    assert new_X.dtype == X.dtype and np.isfinite(new_X).all() and len(new_X) == len(new_y) == 3 * 57


def test_frames_come_back_with_their_dtypes():
    target = pd.Series(pd.Categorical(Y, categories=["some", "rare", "many", "none"]), name="kind", index=FRAME.index)
    new_X, new_y = over().fit_resample(FRAME, target)
    pd.testing.assert_frame_equal(new_X.iloc[:80], FRAME.reset_index(drop=True))
    pd.testing.assert_series_equal(new_y.iloc[:80], target.reset_index(drop=True))
    pd.testing.assert_series_equal(new_X.dtypes, FRAME.dtypes)
    assert new_y.dtype == target.dtype and new_X.index.equals(pd.RangeIndex(171)) and set(new_X["kind"]) == {"a", "b"}


@pytest.mark.parametrize("target", [Y, X[:, 0], np.arange(80) % 7 > 0])
def test_targets_of_polars_come_back(target):
    given = pl.Series("target", target)
    new_X, new_y = over().fit_resample(pl.DataFrame(X), given)
    assert isinstance(new_X, pl.DataFrame) and new_y.dtype == given.dtype and new_y.name == "target"
    assert new_y[:80].equals(given) and len(new_y) == len(new_X) > 80 and len(given) == 80
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        frame = over().fit_resample(X, given.to_frame())[1]
    assert frame.to_series(0).equals(new_y)


@pytest.mark.parametrize("dtype", [object, "U4", "U10"])
def test_the_dtype_of_labels_is_kept(dtype):
    assert over(sampler=Jitter()).fit_resample(X, Y.astype(dtype))[1].dtype == np.dtype(dtype)


def test_nothing_wanted_changes_nothing():
    y = np.array([0, 1] * 40)
    estimator = over(sampler=quick(max_iter=10**9))
    new_X, new_y = estimator.fit_resample(FRAME, y)
    pd.testing.assert_frame_equal(new_X, FRAME.reset_index(drop=True))
    np.testing.assert_array_equal(new_y, y)
    assert not hasattr(estimator, "sampler_")


@pytest.mark.parametrize("n_rare", [1, 2, 3, 5])
def test_new_rows_of_a_class_of_a_few_rows_are_like_it(n_rare):
    """Classes 4 standard deviations apart: most rows drawn for the rare one lie nearer to it than to the others."""
    keep = np.r_[: min(n_rare, 3), 3:80]
    rows, y = (X, np.where(np.arange(80) < 5, "rare", Y)) if n_rare > 3 else (X[keep], Y[keep])
    rows = rows.copy()
    rows[y == "rare"] += 8 - rows[y == "rare"].mean(axis=0)
    new_X, new_y = over(sampler=quick(max_iter=200, hidden_layer_sizes=(32,))).fit_resample(rows, y)
    new = new_X[len(rows) :][new_y[len(rows) :] == "rare"]
    assert len(new) == 57 - n_rare
    nearest = np.abs(new.mean(axis=1)[:, None] - [0, 4, 8]).argmin(axis=1)
    assert (nearest == 2).mean() > 0.5  # 3 % of the table are


class Judging(BaseEstimator):
    """Rows uniform over [0, 1], whose value is the probability of the class 1 if both weigh the same."""

    def fit(self, X, y):
        self.like_, self.counts_, self.draws_ = X, np.bincount(y), 0
        return self

    def sample(self, n_samples, *, y, random_state):
        self.draws_ += 1
        values = np.random.RandomState(random_state).uniform(size=(n_samples, 1))
        if isinstance(self.like_, np.ndarray):
            return values
        return type(self.like_)(dict.fromkeys(self.like_.columns, values[:, 0]))

    def predict_target(self, X):
        x = np.asarray(X)[:, 0]
        odds = np.stack([(1 - x) * self.counts_[0], x * self.counts_[1]], axis=1)
        return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.slow
def test_a_rare_class_that_is_a_rule_of_categories_is_kept():
    """20 rows of 800 have a = b and c = 0, of random rows one in 16: with the mixture about one new row in five had."""
    frame, is_rare = rare_rule(0)
    over = ManifoldDiffusionOverSampler(random_state=0)
    new = over.fit_resample(frame, is_rare.astype(int))[0].iloc[800:]
    assert follows_rule(new).mean() > 0.8
    assert over.sampler_.manifold_weight == 0


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, pl.DataFrame])
def test_rows_that_speak_against_their_class_are_drawn_anew(container):
    """Five draws, and of these the best where all are below a half, as one row in 32 is."""
    X, y = container(np.random.default_rng(0).uniform(size=(2100, 1))), np.repeat([0, 1], [2000, 100])
    estimator = over(sampler=Judging())
    x = np.asarray(estimator.fit_resample(X, y)[0])[2100:, 0]
    assert len(x) == 1900 and estimator.sampler_.draws_ == 5
    kept = x[x >= 0.5]
    assert abs(np.mean(x < 0.5) - 1 / 32) < 4 * np.sqrt(1 / 32 / 1900)
    assert stats.kstest(kept, stats.uniform(0.5, 0.5).cdf).pvalue > 0.001
    assert stats.kstest(x[x < 0.5], lambda v: (2 * v) ** 5).pvalue > 0.001  # the largest of five


def test_rows_drawn_anew_by_hand():
    """Three classes: a class is doubtful below a third, the draw of most probability stays."""
    chances = iter([[0.5, 0.3, 0.2], [0.3, 0.6], [0.1], [0.32], [0.31]])

    class Told(Copies):
        def sample(self, n_samples, *, y, random_state):
            self.now_ = np.array(next(chances))
            assert len(self.now_) == n_samples
            self.asked_ = y
            return np.repeat(self.now_[:, None], 2, axis=1)

        def predict_target(self, X):
            even = np.repeat((1 - self.now_[:, None]) / 2, 3, axis=1)
            even[np.arange(len(X)), np.searchsorted(["a", "b", "c"], self.asked_)] = self.now_
            return even * [1, 2, 3]

    fitted = Told().fit(X, Y)
    seen = np.repeat(["a", "b", "c"], [1, 2, 3])
    drawn = sample_likely(fitted, np.array(["c", "a", "b"]), seen, np.random.RandomState(0))
    assert drawn[:, 0].tolist() == [0.5, 0.32, 0.6]
    with pytest.raises(StopIteration):
        next(chances)


def test_probabilities_of_another_shape_are_refused():
    class Flat(Judging):
        def predict_target(self, X):
            return np.zeros(len(X))

    with pytest.raises(ValueError, match=r"predict_target of the sampler must return.*\(34, 2\), got \(34,\)"):
        over(sampler=Flat()).fit_resample(X, TWO)


def test_one_seed_is_one_result():
    first, second, other = (over(random_state=seed).fit_resample(X, Y)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


# --- numbers


def skewed(n=300):
    y = np.random.default_rng(0).gamma(1.5, 2.0, n)
    return np.column_stack([y + 0.3 * RNG.normal(size=n), RNG.normal(size=n)]), y


def test_rare_ranges_of_a_numeric_target_are_filled():
    """Of the table, few rows lie in the upper half of the range; of the new ones, drawn to be uniform, about half."""
    rows, y = skewed()
    estimator = over(sampling_strategy=4.0)
    new_X, new_y = estimator.fit_resample(rows, y)
    new, middle = new_y[300:], (y.min() + y.max()) / 2
    assert len(new) == 1200 == estimator.sampling_strategy_ and (y > middle).mean() < 0.08
    assert 0.3 < (new > middle).mean() < 0.7 and set(new) <= set(y)
    np.testing.assert_array_equal(new_y[:300], y)
    np.testing.assert_array_equal(new_X[:300], rows)


def test_new_rows_have_the_columns_of_their_numbers():
    rows, y = skewed()
    new_X, new_y = over(sampler=quick(max_iter=300, hidden_layer_sizes=(32,))).fit_resample(rows, y)
    assert np.corrcoef(new_X[300:, 0], new_y[300:])[0, 1] > 0.8


@pytest.mark.parametrize("relevance", ["density", lambda y: (y > 6).astype(float)])
def test_relevance_takes_whole_numbers_for_numbers(relevance):
    rows, y = skewed()
    whole = pd.Series(y.round().astype(int), name="target")
    new_y = over(relevance=relevance, sampling_strategy=0.5).fit_resample(rows, whole)[1]
    assert len(new_y) == 450 and new_y.dtype == whole.dtype and new_y.name == "target"
    assert callable(relevance) == (new_y[300:].min() > 6)


def test_the_generator_is_told_what_the_target_is():
    """Targets come as they are; integers that are numbers come as floats."""

    class Told(Copies):
        def __init__(self, shift=0.0, target_type="auto"):
            super().__init__(shift)
            self.target_type = target_type

    rows, y = skewed()
    whole = y.round().astype(int)
    for relevance, kind, dtype in (("density", "number", float), (None, "class", int)):
        estimator = over(sampler=Told(), relevance=relevance)
        new_y = estimator.fit_resample(rows, whole)[1]
        assert estimator.sampler_.target_type == kind and new_y.dtype == whole.dtype
        assert estimator.sampler_.y_.dtype == dtype
        np.testing.assert_array_equal(estimator.sampler_.y_, whole)


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        (dict(relevance="x"), X[:, 0], "relevance must be one of.*'x'"),
        (dict(relevance=lambda y: -y), np.abs(X[:, 0]) + 0.5, "relevance must return one finite weight >= 0.*80 rows"),
        (dict(relevance=lambda y: y[:3]), np.abs(X[:, 0]), "relevance must return"),
        (dict(relevance=lambda y: 0 * y), np.abs(X[:, 0]), "relevance must return.*not all 0"),
        (dict(relevance="density"), Y, "y must hold numbers where relevance='density' is given, got 'rare'"),
        (dict(sampling_strategy="minority"), X[:, 0], "sampling_strategy must be 'auto' or a float.*'minority'"),
        (dict(sampling_strategy=-1.0), X[:, 0], "sampling_strategy must be above 0.*-1.0"),
    ],
)
def test_bad_parameters_for_numbers(parameters, y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        over(**parameters).fit_resample(X, y)


# --- at home in imbalanced-learn


def test_it_goes_in_the_pipeline_of_imbalanced_learn():
    pipeline = pytest.importorskip("imblearn.pipeline").make_pipeline(over(sampler=Jitter()), LogisticRegression())
    assert cross_val_score(pipeline, X, TWO, cv=2).mean() > 0.8
    grid = {
        "manifolddiffusionoversampler__sampler__scale": [0.01, 0.1],
        "manifolddiffusionoversampler__sampling_strategy": [0.6, 1.0],
    }
    assert GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, TWO).predict(X).shape == (80,)


def test_numbers_in_the_pipeline_of_imbalanced_learn():
    rows, y = skewed(120)
    pipeline = pytest.importorskip("imblearn.pipeline").make_pipeline(
        over(sampler=Jitter(), relevance="density"), LinearRegression()
    )
    assert cross_val_score(pipeline, rows, y, cv=2).mean() > 0.8


def test_a_relevance_that_there_is_not_is_refused_before_anything_else():
    with pytest.raises(ValueError, match="relevance must be .*density.*'foo'"):
        over(relevance="foo").fit(X, X[:, 0])


# --- integers: identifiers in the table, many classes in the target


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda columns: np.column_stack(list(columns.values()))])
def test_identifiers_of_new_rows_never_repeat(make):
    table = make({"id": np.arange(1, 81), "a": X[:, 0], "b": RNG.normal(size=80)})
    name = 0 if isinstance(table, np.ndarray) else "id"
    sampler = quick(constraints=[(name, "is", "unique")], random_state=0)
    new, _ = ManifoldDiffusionOverSampler(sampler, random_state=0).fit_resample(table, Y)
    identifiers = np.asarray(new)[:, 0] if isinstance(new, np.ndarray) else np.asarray(new["id"])
    assert_array_equal(identifiers, np.arange(1, len(new) + 1))


def test_many_integers_are_classes_with_a_warning_or_numbers():
    rows, y = np.random.default_rng(0).normal(size=(130, 2)), np.arange(130) % 60
    with pytest.warns(UserWarning, match="y holds 60 different integers, .* Numbers need relevance='density'"):
        ManifoldDiffusionOverSampler(Copies()).fit(rows, y)
    ManifoldDiffusionOverSampler(Copies()).fit(rows, y.astype(str))
    over = ManifoldDiffusionOverSampler(Copies(), relevance="density", random_state=0)
    assert len(over.fit_resample(rows, y)[1]) == 260
