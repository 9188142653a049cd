"""Constraints as users write them: held to the last bit in all that is returned; clear errors where they cannot be."""

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from stated import broken

from skmdiff import ManifoldDiffusionImputer, ManifoldDiffusionOverSampler, ManifoldDiffusionSampler


def quick(constraints, **parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, sigma_start=1.0, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters}, constraints=constraints)


def fit(table, constraints, **parameters):
    return quick(constraints, **parameters).fit(table)


def trips(n=300, seed=0):
    """A table that holds RULES, in the columns that tables are made of."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    part = rng.gamma(2, 10, n).round(2)
    return pd.DataFrame(
        {
            "start": start.tz_localize("Europe/Berlin"),
            "end": (start + pd.to_timedelta(rng.integers(1, 4, n), unit="D")).tz_localize("Europe/Berlin"),
            "wait": pd.to_timedelta(rng.integers(0, 40, n) * 15, unit="min"),
            "part": part,
            "total": (part + np.where(rng.random(n) < 0.2, 0, rng.gamma(2, 2, n))).round(2),
            "seats": pd.array(rng.integers(1, 5, n), dtype="Int64"),
            "kind": pd.Categorical(rng.choice(["a", "b"], n)),
        }
    )


RULES = [
    ("start", "<", "end"),
    ("start", ">=", pd.Timestamp("2024-01-01", tz="Europe/Berlin")),
    ("wait", "multiple of", pd.Timedelta("15min")),
    ("total", ">=", "part"),
    ("seats", "<", 5),
    ("seats", ">", 0),
]


def with_missing(n=300):
    table = trips(n)
    for k, name in enumerate(["end", "part", "total", "seats"]):
        table.loc[(table.index + k) % 5 == 0, name] = None
    return table


@pytest.fixture(scope="module")
def sampler():
    return fit(with_missing(), RULES)


@pytest.fixture(scope="module")
def of_broken_rows():
    table = trips()
    table.loc[[0, 1], "seats"] = [5, 6]
    with pytest.warns(UserWarning, match=r"constraints\[4\], 'seats' < 5, is broken by 2 of 300 rows of X"):
        return fit(table, RULES)


@pytest.mark.slow
def test_a_hundred_thousand_rows_without_one_that_breaks_a_constraint(sampler):
    rows = sampler.sample(100_000)
    assert not broken(rows, RULES).any() and rows.dtypes.equals(trips().dtypes) and rows["end"].isna().any()


@pytest.mark.slow
def test_rows_that_hold_the_constraints_are_those_of_a_sampler_without_them(sampler):
    free = fit(with_missing(), None).sample(500, missing="fill")
    held = sampler.sample(500, missing="fill")
    breaks = broken(free, RULES)
    assert 0.01 < breaks.mean() < 0.9
    pd.testing.assert_frame_equal(held[~breaks], free[~breaks])


def test_cells_are_the_same_whether_missing_ones_are_made_or_filled(sampler):
    generated = sampler.sample(500)
    filled = sampler.sample(500, missing="fill")
    assert ((generated == filled) | generated.isna()).to_numpy(dtype=bool).all() and not filled.isna().any(axis=None)
    pd.testing.assert_frame_equal(sampler.sample(200), generated[:200])


@pytest.mark.parametrize(
    "how",
    [dict(density="uniform"), dict(density="balanced"), dict(design="stratified")],
    ids=str,
)
def test_every_way_of_drawing(sampler, how):
    assert not broken(sampler.sample(200, **how), RULES).any()


def test_other_tables_that_come_back(sampler):
    assert not broken(sampler.explore(50), RULES).any()
    assert not broken(sampler.explore(20, path=with_missing().iloc[[0, 9]]), RULES).any()
    assert not broken(
        sampler.lift(3 * np.random.default_rng(0).normal(size=(300, sampler.embedding_.shape[1]))), RULES
    ).any()
    X = np.random.default_rng(0).normal(size=(200, 2))
    noisy = fit(np.column_stack([X, X + abs(X)]), [(0, "<=", "x2"), ("x1", "<=", "x3")], noise_level=0.3)
    clean = noisy.denoise(noisy.sample(100)[:, ::1] + [0.3, 0.3, -0.3, -0.3])
    assert (clean[:, :2] <= clean[:, 2:]).all()


@pytest.mark.slow
def test_with_a_target():
    table = trips()
    fitted = fit(table, RULES)
    assert not broken(fitted.sample(100), RULES).any()
    target = ManifoldDiffusionSampler(**fitted.get_params()).fit(table.drop(columns="kind"), table["kind"].astype(str))
    rows, y = target.sample(100, y="a", return_y=True)
    assert not broken(rows, RULES).any() and (y == "a").all()


def test_conditions_stay_and_ranges_make_room(sampler):
    late = pd.Timestamp("2024-10-01", tz="Europe/Berlin")
    conditions = {"start": late, "seats": 2, "part": (20, 30), "total": (20, 30)}
    rows = sampler.sample(300, conditions=conditions, missing="fill")
    assert not broken(rows, RULES).any()
    assert (rows["start"] == late).all() and (rows["end"] > late).all() and (rows["seats"] == 2).all()
    assert rows[["part", "total"]].to_numpy().min() >= 20 and rows[["part", "total"]].to_numpy().max() <= 30


@pytest.mark.parametrize(
    "conditions, words",
    [
        ({"seats": 5}, r"constraints\[4\], 'seats' < 5 with constraints\[5\].*, got 'seats' equal to 5"),
        ({"seats": (5, None)}, r"constraints\[4\], 'seats' < 5 with .* got 'seats' at least 5 and at most 4"),
        ({"part": 30.5, "total": 20}, r"'total' >= 'part', got 'part' equal to 30.5 and 'total' equal to 20"),
        (
            {"part": (30, None), "total": (None, 20)},
            r"'total' >= 'part', got 'part' at least 30.0 and 'total' at most 20",
        ),
        (
            {"wait": pd.Timedelta("7min")},
            r"constraints\[2\], 'wait' multiple of 0 days 00:15:00, got 'wait' equal to 420",
        ),
    ],
)
def test_conditions_that_contradict_a_constraint_are_refused(of_broken_rows, conditions, words):
    with pytest.raises(ValueError, match="conditions must not contradict .*" + words):
        of_broken_rows.sample(3, conditions=conditions)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["draw", "mean"])
def test_the_imputer_fills_by_the_constraints_around_what_was_seen(strategy):
    table = with_missing()
    table.loc[1, ["part", "total", "seats"]] = 50.0, 40.0, 3  # broken by what was seen: it stays
    table.loc[2, ["part", "total"]] = 500.0, None  # beyond what fit sees of the total
    with pytest.warns(UserWarning, match=r"constraints\[3\], 'total' >= 'part', is broken by 1 of 300 rows"):
        imputer = ManifoldDiffusionImputer(quick(RULES), strategy=strategy, random_state=0).fit(table)
    filled = imputer.transform(table)
    assert np.flatnonzero(broken(filled, RULES)).tolist() == [1]
    assert filled.loc[2, "total"] == 500
    assert ((filled == table) | table.isna()).to_numpy(dtype=bool).all()
    assert all(np.flatnonzero(broken(draw, RULES)).tolist() == [1] for draw in imputer.impute(table, n_draws=3))


def test_the_over_sampler_adds_rows_that_hold():
    table = trips()
    y = np.where(np.arange(300) < 40, "rare", "common")
    over = ManifoldDiffusionOverSampler(quick(RULES), random_state=0)
    rows, targets = over.fit_resample(table, y)
    assert not broken(rows, RULES).any() and (targets == "rare").sum() == 260


def test_polars_and_arrow_and_arrays():
    pl = pytest.importorskip("polars")
    rows = fit(pl.from_pandas(trips(100)), RULES).sample(100)
    assert isinstance(rows, pl.DataFrame) and not broken(rows.to_pandas(), RULES).any()
    arrow = trips(100).drop(columns="kind").convert_dtypes(dtype_backend="pyarrow")
    held = fit(arrow, RULES).sample(100)
    assert held.dtypes.equals(arrow.dtypes)
    assert not broken(held.astype(trips().drop(columns="kind").dtypes), RULES).any()
    X = np.random.default_rng(0).integers(0, 9, size=(200, 3))
    array = fit(np.sort(X, axis=1), [(0, "<=", "x1"), ("x1", "<=", "x2"), (2, "multiple of", 1)]).sample(300)
    assert (np.diff(array, axis=1) >= 0).all() and array.dtype == X.dtype


def test_units_and_decimals_of_their_own():
    pl = pytest.importorskip("polars")
    from datetime import date, datetime, time
    from decimal import Decimal

    rng, n = np.random.default_rng(0), 200
    table = pl.DataFrame(
        {
            "day": [date(2024, 1, 1 + k) for k in rng.integers(0, 25, n)],
            "moment": [datetime(2024, 1, 1 + k, 7, 30) for k in rng.integers(3, 28, n)],
            "open": [time(k, 15) for k in rng.integers(6, 12, n)],
            "shut": [time(k) for k in rng.integers(10, 20, n)],
            "least": pl.Series([Decimal(int(k)) / 10 for k in rng.integers(1, 90, n)], dtype=pl.Decimal(6, 1)),
            "most": pl.Series([Decimal(int(k)) / 100 for k in rng.integers(100, 990, n)], dtype=pl.Decimal(6, 2)),
        }
    )
    rules = [
        ("day", "<", "moment"),
        ("moment", "<=", datetime(2024, 1, 25)),
        ("open", "<", "shut"),
        ("least", "<=", "most"),
        ("most", "multiple of", 0.05),
    ]
    with pytest.warns(UserWarning, match="is broken by"):
        rows = fit(table, rules).sample(500)
    assert rows.schema == table.schema and (rows["moment"].dt.time() == time(7, 30)).all()
    assert (rows["day"] < rows["moment"]).all() and (rows["moment"] <= datetime(2024, 1, 25)).all()
    assert (rows["open"] < rows["shut"]).all() and (rows["least"] <= rows["most"]).all()
    assert all(cell * 100 % 5 == 0 for cell in rows["most"])


def test_single_precision_and_whole_numbers_beside_decimals():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "half": rng.normal(size=200).round(1).astype(np.float32),
            "whole": rng.integers(-2, 3, 200),
            "real": rng.normal(size=200),
            "big": 2**60 + rng.integers(0, 50, 200),
        }
    )
    rules = [("half", ">=", -0.3), ("half", "<", "real"), ("whole", "<=", "half"), ("big", ">", 2**60 + 7)]
    with pytest.warns(UserWarning, match="is broken by"):
        rows = fit(table, rules).sample(1000)
    assert not broken(rows, rules).any() and rows.dtypes.equals(table.dtypes)
    assert set(rows["half"]) <= set(np.round(np.arange(-40, 40) / 10, 1).astype(np.float32))


def test_a_column_of_one_value_bounds_others_and_one_of_none_is_let_be():
    table = pd.DataFrame({"x": np.arange(50.0), "limit": 40, "nothing": None})
    with pytest.warns(UserWarning, match="'x' <= 'limit', is broken by 9 of 50 rows"):
        rows = fit(table, [("x", "<=", "limit"), ("nothing", "<", "x")]).sample(200)
    assert rows["x"].max() == 40 and (rows["limit"] == 40).all()


@pytest.mark.slow
def test_it_is_a_parameter_like_any_other(sampler):
    copy = clone(sampler)
    assert copy.constraints == RULES and copy.fit(with_missing()).constraints is not RULES
    pd.testing.assert_frame_equal(copy.sample(50), sampler.sample(50))
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(sampler)).sample(50), sampler.sample(50))
    pd.testing.assert_frame_equal(fit(trips(), None).sample(20), fit(trips(), []).sample(20))


# --- what cannot be


NAMES = r"\['start', 'end', 'wait', 'part', 'total', 'seats', 'kind'\]"


@pytest.mark.parametrize(
    "constraints, error, words",
    [
        (
            "a <= b",
            TypeError,
            r"constraints must be 'auto', None or a list of tuples \(left, operator, right\), got 'a <= b'",
        ),
        (
            [("part", "<=")],
            TypeError,
            r"constraints\[0\] must be a tuple \(left, operator, right\), got \('part', '<='\)",
        ),
        (
            [("part", "<=", 900), ("part", "=", 1)],
            ValueError,
            r"constraints\[1\] must have an operator of \['<=', .*, 'is'\], got '='",
        ),
        (
            [("price", "<=", 1)],
            ValueError,
            rf"constraints\[0\] must name columns of X, {NAMES}, got the unknown 'price'",
        ),
        ([(3, "<=", 1)], ValueError, rf"constraints\[0\] must name columns of X, {NAMES}, got the unknown 3"),
        ([("part", "<=", "2024")], ValueError, r"constraints\[0\] must name columns of X, .* got the unknown '2024'"),
        ([("part", "multiple of", "total")], TypeError, r"a number or a duration on the right of 'multiple of'"),
        ([("kind", "<=", 3)], ValueError, r"'kind' <= 3: column 'kind' must hold numbers, dates or dur.*categories"),
        (
            [("part", "<=", "start")],
            ValueError,
            r"'part' <= 'start': both columns must hold the same, got numbers and dates with a time zone",
        ),
        (
            [("part", "<=", pd.Timestamp("2024-01-01"))],
            TypeError,
            r"the right side must be a finite number or the name of a column",
        ),
        (
            [("part", "<=", np.nan)],
            ValueError,
            r"constraints\[0\]: the right side must be a finite number or the name of a column, got nan",
        ),
        (
            [("part", "<=", True)],
            TypeError,
            r"the right side must be a finite number or the name of a column, got True",
        ),
        (
            [("start", "<=", pd.Timestamp("2024-01-01"))],
            ValueError,
            "must be a date with a time zone .* or the name of",
        ),
        (
            [("start", "<=", 3)],
            TypeError,
            "must be a date with a time zone .* or the name of a column, got 3",
        ),
        ([("wait", "<=", 3)], TypeError, "must be a duration .* or the name of a column, got 3"),
        ([("wait", "<=", np.int64(3))], TypeError, "must be a duration .* or the name of a column, got 3"),
        ([("part", "<=", np.timedelta64(3, "s"))], TypeError, "must be a finite number or the name of a column"),
        ([("wait", "<=", pd.NaT)], ValueError, "must be a duration .*, got NaT"),
        (
            [("seats", "multiple of", 0)],
            ValueError,
            "must be a number above 0 of at most 8 decimals, got 0",
        ),
        ([("part", "multiple of", 1 / 3)], ValueError, "must be a number above 0 of at most 8 decimals"),
        (
            [("start", "multiple of", pd.Timedelta("1D"))],
            ValueError,
            "'start' must hold numbers or durations, got dates",
        ),
        (
            [("seats", ">=", 50)],
            ValueError,
            r"constraints\[0\], 'seats' >= 50, cannot be met within the range of X seen in "
            "fit, got 'seats' at least 50 and at most 4",
        ),
        ([("seats", "multiple of", 7)], ValueError, r"'seats' multiple of 7, cannot be met within the range of X seen"),
        (
            [("part", "<=", "total"), ("seats", "<=", "part"), ("total", "<=", "seats")],
            ValueError,
            r"constraints must not run in a circle, got .*constraints\[0\], 'part' <= 'total'.* Where two "
            "columns are equal",
        ),
        ([("part", "<=", "part")], ValueError, r"must not run in a circle, got 'part' <= 'part'"),
    ],
)
def test_constraints_that_cannot_be_are_refused(constraints, error, words):
    with pytest.raises(error, match=words):
        fit(trips(), constraints)


def test_columns_that_never_meet_and_steps_that_are_no_multiples():
    table = pd.DataFrame(
        {
            "a": range(10, 20),
            "b": range(10),
            "c": pd.to_timedelta(np.arange(10) * 600 + 7, unit="s"),
            "d": ["only"] * 10,
            "day": pd.date_range("2024-01-01", periods=10),
        }
    )
    for rule, words in [
        (("a", "<", "b"), "'a' < 'b', cannot be met .* got 'a' at least 10 and 'b' at most 9"),
        (("c", "multiple of", pd.Timedelta("10min")), "'c' multiple of .* cannot be met by the steps seen in fit"),
        (("d", "<=", 3), "'d' must hold numbers, dates or durations, got one string or bool"),
    ]:
        with pytest.raises(ValueError, match=words):
            fit(table, [rule])
    with pytest.raises(ValueError, match="must be a date without a time zone .* or the name of a column"):
        fit(table, [("day", "<=", pd.Timestamp("2024-01-01", tz="UTC"))])
    with pytest.raises(ValueError, match=r"Column 'a' of X must hold values within 2\*\*62 steps to be constrained"):
        fit(table.assign(a=np.arange(10, dtype=np.uint64) + 2**63), [("a", ">", 2)])


def test_multiples_of_a_fraction():
    X = pd.DataFrame({"price": np.random.default_rng(0).integers(0, 100, 60) / 20, "x": np.arange(60) / 8})
    with pytest.warns(UserWarning, match="'price' multiple of 1/10, is broken by 28 of 60 rows"):
        drawn = fit(X, [("price", "multiple of", Fraction(1, 10))]).sample(200)["price"]
    np.testing.assert_array_equal(drawn, np.round(drawn, 1))
