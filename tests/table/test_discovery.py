"""What "auto" finds in a table: what is there, and nothing by chance."""

import time
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from coding import Codec

from skmdiff._table.constraints.chance import log_arrangements, log_chance_of_function, log_chance_of_order


def found(table, constraints="auto", **parameters):
    return Codec(constraints=constraints, **parameters).fit(table).constraints.written


# --- chance, against all shuffles


def chance_of(rows, holds):
    shuffles = list(permutations(rows))
    return np.mean([holds(np.array(one)) for one in shuffles])


def test_the_chance_of_a_function_is_an_upper_bound():
    groups, values = np.array([0, 0, 0, 1, 1, 2, 2]), [0, 0, 0, 1, 1, 1, 1]
    sizes, counts = np.array([3, 2, 2]), np.array([3, 4])
    exact = chance_of(values, lambda y: all(len(set(y[groups == g])) == 1 for g in range(3)))
    assert np.log(exact) <= log_chance_of_function(sizes, counts) < np.log(exact) + 2.5
    assert log_chance_of_function(np.ones(50), np.array([20, 30])) == 0  # a key determines all


def test_the_chance_of_an_order_is_exact():
    lower, upper = np.array([1, 2, 2, 4, 5]), np.array([2, 3, 4, 5, 5])
    exact = chance_of(upper, lambda u: (lower <= u).all())
    assert np.isclose(log_chance_of_order(lower, upper), np.log(exact))
    assert log_chance_of_order(np.array([3, 1]), np.array([2, 2])) == -np.inf
    assert np.isclose(log_arrangements(np.array([2, 1, 3])), np.log(60))


# --- what is there


def test_twins_multiples_and_sums_among_a_hundred_columns_in_no_time():
    X = np.random.default_rng(0).normal(size=(400, 100))
    X[:, 1], X[:, 5], X[:, 2] = X[:, 0], 2.5 * X[:, 6] - 3, X[:, 3] + X[:, 4]
    start = time.perf_counter()
    assert found(X) == [("x1", "==", "x0"), ("x6", "==", "0.4 * x5 + 1.2"), ("x2", "==", "x3 + x4")]
    assert time.perf_counter() - start < 3


def test_sums_of_decimals_and_of_integers():
    rng = np.random.default_rng(0)
    a, b = rng.gamma(2, 3, 200).round(1), rng.gamma(2, 3, 200).round(1)
    assert found(pd.DataFrame({"the a": a, "b": b, "s": (a + b).round(1)})) == [("s", "==", "`the a` + b")]
    months = rng.integers(1, 300, 200)
    assert found(pd.DataFrame({"years": months / 12, "months": months})) == [("months", "==", "12 * years")]
    x = rng.integers(0, 50, 200)
    assert found(pd.DataFrame({"twice": 2 * x + 1, "x": x})) == [("twice", "==", "2 * x + 1")]


def test_functions_and_bijections_and_chains():
    rng = np.random.default_rng(0)
    k = rng.integers(0, 8, 400)
    table = pd.DataFrame(
        {"grade": k, "word": np.array(list("abcdefgh"))[k], "pair": k // 2, "half": np.array(["l", "h"])[k // 4]}
    )
    rules = found(table)
    assert sorted(rules) == [
        ("pair", "determines", "half"),
        ("word", "determines", "grade"),
        ("word", "determines", "pair"),
    ]
    # dependences that the user wrote are not found again
    assert found(table, [("word", "determines", "grade"), "auto"])[0] == ("word", "determines", "grade")
    assert len(found(table, [("word", "determines", "grade"), "auto"])) == 3
    assert found(table, [("word", "determines", "grade")]) == [("word", "determines", "grade")]
    assert found(table, None) == found(table, []) == []


def test_missing_cells_break_nothing():
    rng = np.random.default_rng(0)
    k = rng.integers(0, 5, 400)
    a, b = rng.normal(size=(2, 400)).round(2)
    table = pd.DataFrame({"city": np.array(list("abcde"))[k], "country": np.array(list("FFFGG"))[k], "a": a, "b": b})
    table["s"] = (a + b).round(2)
    for j, name in enumerate(table):
        table[name] = table[name].where(np.arange(400) % 7 != j)
    assert found(table) == [("s", "==", "a + b"), ("city", "determines", "country")]


def test_orders_of_dates_and_numbers_that_bind():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 600), unit="D")
    low = rng.gamma(2, 10, 600).round(2)
    table = pd.DataFrame({"start": start, "end": start + pd.to_timedelta(rng.integers(1, 15, 600), unit="D")})
    table = table.assign(low=low, high=(low + rng.exponential(5, 600)).round(2), age=rng.integers(18, 90, 600))
    assert sorted(found(table.assign(income=rng.lognormal(10, 1, 600)))) == [
        ("low", "<=", "high"),
        ("start", "<", "end"),
    ]
    far = pd.DataFrame({"x": rng.normal(size=600)}).assign(y=lambda t: t["x"] + rng.normal(8, 1, 600))
    assert found(far) == []


def test_arrays_and_polars():
    pl = pytest.importorskip("polars")
    k = np.random.default_rng(0).integers(0, 6, (300, 1))
    X = np.hstack([k, 3 * k + 1, np.random.default_rng(1).normal(size=(300, 1))])
    assert found(X) == [("x1", "==", "3 * x0 + 1")]
    table = pl.DataFrame({"city": np.array(list("abcdef"))[k[:, 0]], "land": np.array(list("FFFGGG"))[k[:, 0]]})
    assert found(table) == [("city", "determines", "land")]


# --- and nothing by chance


@pytest.mark.parametrize("part", range(4))
def test_nothing_is_found_in_random_tables(part):
    """LEVEL is 1e-6 for each of four kinds: of 100 tables one has something with a probability of at most 4e-4."""
    for seed in range(25 * part, 25 * part + 25):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(30, 201))
        table = {f"c{i}": rng.choice(list("abcdef")[: rng.integers(2, 7)], n) for i in range(4)}
        table |= {f"k{i}": rng.integers(0, rng.integers(2, 9), n) for i in range(4)}
        table |= {"rare": rng.random(n) < 0.03, "x": rng.normal(size=n), "y": rng.normal(size=n).round(1)}
        table |= {"key": np.arange(n), "skewed": rng.gamma(1, 1, n), "zeros": rng.poisson(0.1, n)}
        assert found(pd.DataFrame(table)) == [], seed


def test_columns_that_go_together_closely_are_no_functions():
    rng = np.random.default_rng(0)
    k = rng.integers(0, 5, 300)
    country = np.where(np.arange(300) == 7, "F", np.array(list("FFFGG"))[k])
    k[7] = 4
    x = rng.normal(size=300)
    table = pd.DataFrame(
        {"city": np.array(list("abcde"))[k], "country": country, "x": x, "y": x + 1e-4 * rng.normal(size=300)}
    )
    assert found(table) == []


def couples(n, seed=0, wrong=0):
    """Who is a husband is married; the rest is by chance."""
    rng = np.random.default_rng(seed)
    status = rng.choice(["married", "single", "widowed"], n, p=[0.5, 0.4, 0.1])
    role = np.where(status == "married", rng.choice(["husband", "wife", "other"], n), rng.choice(["child", "other"], n))
    role[:wrong] = "wife"
    status[:wrong] = "single"
    return pd.DataFrame({"status": status, "role": role, "noise": rng.choice(list("abc"), n)})


def test_categories_that_never_occur_together():
    assert found(couples(2000)) == [("status", "seen with", "role")]
    assert found(couples(600, wrong=1)) == []  # seen once in 600: there may be more of what is not seen
    # a pair that would be in ten rows by chance is absent by chance now and then: nothing is said of it
    rare = couples(120)[["status", "noise"]].assign(noise=lambda t: t["noise"].where(t["status"] != "widowed", "a"))
    assert found(rare) == []


def test_a_word_for_unknown_that_goes_with_all_others_hides_nothing():
    """12 of 600 rows: their pairs, seen once or never, are no reason to draw others that never occur."""
    rng = np.random.default_rng(0)
    city = rng.choice(list("ABCDEF"), 600, p=[0.3, 0.2, 0.2, 0.1, 0.15, 0.05])
    table = pd.DataFrame({"city": city, "zip": np.char.add("z", city)})
    assert found(table) == [("city", "determines", "zip")]
    table.loc[:11, "city"] = "-"
    assert found(table) == [("city", "seen with", "zip")]
    table.loc[:99, "city"] = np.char.add("-", rng.integers(0, 30, 100).astype(str))  # too many pairs are seen once
    assert found(table) == []


def test_pairs_that_never_occur_are_not_drawn():
    table = couples(2000)
    codec = Codec(constraints="auto").fit(table)
    W = np.random.default_rng(1).normal(size=(4000, codec.n_outputs_))
    seen, drawn = (set(zip(t["status"], t["role"], strict=True)) for t in (table, codec.decode(W)))
    assert drawn <= seen and len(drawn) > 4
