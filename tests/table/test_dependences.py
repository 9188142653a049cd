"""Dependences between columns: read, held to the last digit, and given cells that stay."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from coding import Codec

from skmdiff._table.columns import nearest_codes
from skmdiff._table.constraints.formulas import Formula, parse_formula, write_formula
from skmdiff._table.constraints.limits import Limits

COUNTRY = {"Paris": "France", "Lyon": "France", "Nice": "France", "Bonn": "Germany", "Ulm": "Germany"}
CONTINENT = {"France": "Europe", "Germany": "Europe", "Japan": "Asia"}


def random_rows(codec, n=500, seed=0):
    return 1.5 * np.random.default_rng(seed).normal(size=(n, codec.n_outputs_))


def places(n=400, seed=0):
    cities = np.random.default_rng(seed).choice([*COUNTRY, "Kyoto"], n)
    table = pd.DataFrame({"city": cities})
    table["country"] = table["city"].map({**COUNTRY, "Kyoto": "Japan"})
    return table.assign(continent=table["country"].map(CONTINENT))


def money(n=300, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.gamma(2, 3, n).round(1), rng.gamma(2, 3, n).round(1)
    return pd.DataFrame({"a": a, "b": b, "s": (a + b).round(1)})


def tenths(column):
    """Integers of tenths, each cell being the float that the tenths are read as."""
    out = np.rint(column.to_numpy() * 10).astype(int)
    assert [float(f"{v // 10}.{v % 10}") if v >= 0 else None for v in out] == column.tolist()
    return out


def held(codec, columns, kept=None):
    """Columns of cells, some of which stay: by name the rows (n,) of bool."""
    names = [column.name for column in codec.columns_]
    arrays = [np.asarray(columns[name]) for name in names]
    limits = Limits.fixed({names.index(k): (rows, np.asarray(columns[k])[rows]) for k, rows in (kept or {}).items()})
    out, moved = codec.constraints.hold(arrays, limits, len(arrays[0]))
    return pd.DataFrame(dict(zip(names, out, strict=True))), moved


# --- formulas


NAMES = ["a", "b", "net price", "x-1", "été"]


@pytest.mark.parametrize(
    "text, terms, constant",
    [
        ("a + b", {0: 1, 1: 1}, 0),
        (" a-b ", {0: 1, 1: -1}, 0),
        ("-2 * a + b*0.5 + 3", {0: -2, 1: Fraction(1, 2)}, 3),
        ("12 * `net price` - `x-1`", {2: 12, 3: -1}, 0),
        ("a + a - b + b", {0: 2}, 0),
        ("2 * 3 * été - .25", {4: 6}, Fraction(-1, 4)),
        ("7", {}, 7),
    ],
)
def test_formulas_are_read(text, terms, constant):
    assert parse_formula(text, NAMES.index, "f") == Formula(terms, constant)


@pytest.mark.parametrize("text", ["a +", "a b", "a * b", "a ** 2", "2 a", "a + - b", "", "a / 2", "(a)", "`a", "f(a)"])
def test_formulas_that_are_no_sums_are_refused(text):
    with pytest.raises(ValueError, match=r"constraints\[0\] must be a sum of columns such as 'a \+ b'"):
        parse_formula(text, lambda name: 0, "constraints[0]")


def test_formulas_are_written_as_they_are_read():
    terms, constant = {"a": Fraction(-1), "net price": Fraction(12), "b": Fraction(5, 4)}, Fraction(-3, 100)
    text = write_formula(terms, constant)
    assert text == "-a + 12 * `net price` + 1.25 * b - 0.03"
    assert parse_formula(text, NAMES.index, "f") == Formula({0: -1, 2: 12, 1: Fraction(5, 4)}, constant)


# --- sums


def test_a_sum_of_decimals_is_exact():
    codec = Codec(constraints=[("s", "==", "a + b")]).fit(money())
    free, rows = Codec().fit(money()).decode(random_rows(codec)), codec.decode(random_rows(codec))
    assert (tenths(rows["a"]) + tenths(rows["b"]) == tenths(rows["s"])).all()
    pd.testing.assert_frame_equal(rows[["a", "b"]], free[["a", "b"]])


def test_integers_are_exact_far_above_the_digits_of_floats():
    rng = np.random.default_rng(0)
    a, b = 2**60 + rng.integers(0, 1000, 100), rng.integers(0, 1000, 100)
    table = pd.DataFrame({"a": a, "b": b, "s": a + 3 * b - 7})
    rows = Codec(constraints=[("s", "==", "a + 3 * b - 7")]).fit(table).decode(random_rows(Codec().fit(table)))
    assert (rows["a"] + 3 * rows["b"] - 7 == rows["s"]).all() and rows.dtypes.equals(table.dtypes)


def test_floats_of_all_digits_are_summed_as_numpy_sums_them():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    table = table.assign(s=table["a"] + table["b"] - table["c"], twin=table["a"])
    codec = Codec(constraints=[("s", "==", "a + b - c"), ("twin", "==", "a")]).fit(table)
    rows = codec.decode(random_rows(codec))
    assert (rows["s"] == rows["a"] + rows["b"] - rows["c"]).all() and (rows["twin"] == rows["a"]).all()


def test_given_cells_of_a_sum_stay_and_the_free_ones_are_solved():
    codec = Codec(constraints=[("s", "==", "a + b")]).fit(money())
    wanted, loose = money(60, seed=1), money(60, seed=2)
    k = np.arange(60)
    for given in [["a", "s"], ["b", "s"], ["a", "b"], ["s"], ["a"]]:
        columns = loose.assign(**{name: wanted[name] for name in given})
        rows, _ = held(codec, columns, dict.fromkeys(given, k >= 0))
        pd.testing.assert_frame_equal(rows[given], wanted[given])
        assert (np.rint(10 * rows["a"]) + np.rint(10 * rows["b"]) == np.rint(10 * rows["s"])).all()
    rows, moved = held(codec, loose.assign(s=1.0), dict.fromkeys("abs", k >= 0))
    assert not moved.any() and (rows["s"] == 1).all()


def test_a_sum_beyond_the_range_seen_is_kept_and_parts_stay_within_theirs():
    table = pd.DataFrame({"a": [1, 2, 3, 4] * 9, "b": [10, 20, 30] * 12}).assign(s=lambda t: t["a"] + t["b"])
    codec = Codec(constraints=[("s", "==", "a + b")]).fit(table)
    rows, _ = held(codec, {"a": np.array([9, 1, 2]), "b": np.array([30, 10, 10]), "s": np.array([20, 99, 31])})
    assert rows.to_numpy().tolist() == [[9, 30, 39], [1, 10, 11], [2, 10, 12]]
    given = {"s": np.ones(3, dtype=bool)}
    rows, _ = held(codec, {"a": np.array([2, 2, 4]), "b": np.array([30, 10, 20]), "s": np.array([33, 12, 100])}, given)
    assert (rows["a"] + rows["b"]).tolist() == rows["s"].tolist() == [33, 12, 100]
    assert rows["b"].tolist()[:2] in ([31, 10], [30, 10]) and rows["a"].tolist()[:2] == [3, 2]


def test_steps_of_integers_are_met_by_the_parts():
    table = pd.DataFrame({"x": np.arange(0, 200, 2)}).assign(half=lambda t: t["x"] // 2)
    codec = Codec(constraints=[("half", "==", "0.5 * x")]).fit(table)
    rows, _ = held(codec, {"x": np.array([7, 8]), "half": np.array([50, 50])})
    assert (2 * rows["half"] == rows["x"]).all() and abs(rows["x"] - [7, 8]).max() <= 1


def test_small_dtypes_do_not_wrap_round():
    table = pd.DataFrame({"a": np.arange(100, dtype=np.uint8), "b": np.arange(100, dtype=np.uint8) % 7})
    table["s"] = table["a"] + table["b"]
    codec = Codec(constraints=[("s", "==", "a + b")]).fit(table)
    u8 = np.array([200], dtype=np.uint8)
    rows, _ = held(codec, {"a": u8, "b": u8, "s": u8})
    assert int(rows["a"][0]) + int(rows["b"][0]) == int(rows["s"][0]) <= 255


def test_bounds_of_the_user_and_sums_hold_together():
    table = money()
    with pytest.warns(UserWarning, match=r"constraints\[0\], 's' <= 9, is broken by \d+ of 300 rows"):
        codec = Codec(constraints=[("s", "<=", 9), ("s", "==", "a + b"), ("a", "<=", "s")]).fit(table)
    rows = codec.decode(random_rows(codec))
    assert (tenths(rows["a"]) + tenths(rows["b"]) == tenths(rows["s"])).all() and rows["s"].max() <= 9


# --- functions and combinations


def test_a_chain_of_functions():
    table = places()
    rules = [("country", "determines", "continent"), ("city", "determines", "country")]
    codec = Codec(constraints=rules).fit(table)
    rows = codec.decode(random_rows(codec))
    assert (rows["city"].map({**COUNTRY, "Kyoto": "Japan"}) == rows["country"]).all()
    assert (rows["country"].map(CONTINENT) == rows["continent"]).all()
    free = Codec().fit(table).decode(random_rows(codec))
    assert (rows["city"] == free["city"]).all() and (free["country"] != rows["country"]).mean() > 0.3


@pytest.mark.parametrize(
    "given", [["country"], ["continent"], ["country", "continent"], ["city"], ["city", "continent"]]
)
def test_given_cells_of_a_chain_stay(given):
    codec = Codec(constraints=[("city", "determines", "country"), ("country", "determines", "continent")]).fit(places())
    wanted = places(80, seed=1)
    columns = places(80, seed=2).assign(**{name: wanted[name] for name in given})
    rows, _ = held(codec, columns, {name: np.ones(80, dtype=bool) for name in given})
    assert (rows[given] == wanted[given]).all(axis=None)
    assert (rows["city"].map({**COUNTRY, "Kyoto": "Japan"}) == rows["country"]).all()
    assert (rows["country"].map(CONTINENT) == rows["continent"]).all()


def test_two_functions_of_a_column_agree_on_it():
    table = places().assign(
        code=lambda t: t["city"].map({"Paris": 1, "Lyon": 2, "Nice": 1, "Bonn": 1, "Ulm": 2}).fillna(3)
    )
    codec = Codec(constraints=[("city", "determines", "country"), ("city", "determines", "code")]).fit(table)
    columns = {"city": ["Kyoto"], "country": ["Germany"], "continent": ["Asia"], "code": [1.0]}
    columns = {name: np.array(cells, dtype=float if name == "code" else object) for name, cells in columns.items()}
    rows, _ = held(codec, columns, {"country": np.array([True]), "code": np.array([True])})
    assert rows["city"].tolist() == ["Bonn"]


def test_rows_that_are_given_and_contradict_are_left():
    codec = Codec(constraints=[("city", "determines", "country")]).fit(places())
    columns = {"city": ["Paris", "Oslo"], "country": ["Japan", "France"], "continent": ["Asia", "Asia"]}
    columns = {name: np.array(cells, dtype=object) for name, cells in columns.items()}
    every = np.ones(2, dtype=bool)
    rows, moved = held(codec, columns, {"city": every, "country": every})
    assert not moved.any() and rows["country"].tolist() == ["Japan", "France"]
    assert held(codec, columns, {"city": every})[0]["country"].tolist() == ["France", "France"]


def test_several_columns_determine_one_and_what_was_not_seen_moves_to_the_nearest():
    table = pd.DataFrame({"a": list("xxyy") * 20, "b": list("pqpp") * 20, "c": [1, 2, 3, 3] * 20, "z": np.arange(80)})
    codec = Codec(constraints=[(("a", "b"), "determines", "c")]).fit(table)
    rows = codec.decode(random_rows(codec))
    assert {tuple(row) for row in rows[["a", "b", "c"]].to_numpy()} == {("x", "p", 1), ("x", "q", 2), ("y", "p", 3)}


def test_only_pairs_seen_occur_with_the_most_frequent_for_the_left():
    table = pd.DataFrame({"brand": list("AAABBC") * 10, "model": ["a1", "a2", "a2", "b1", "any", "any"] * 10})
    codec = Codec(constraints=[("brand", "seen with", "model")]).fit(table)
    pairs = set(map(tuple, table.to_numpy()))
    assert {tuple(row) for row in codec.decode(random_rows(codec)).to_numpy()} == pairs
    cells = {"brand": np.array(["A", "A", "B"], dtype=object), "model": np.array(["b1", "a1", "a2"], dtype=object)}
    assert held(codec, cells)[0].to_numpy().tolist() == [["A", "a2"], ["A", "a1"], ["B", "any"]]
    given = {"model": np.ones(3, dtype=bool)}
    assert held(codec, cells, given)[0]["brand"].tolist() == ["B", "A", "A"]


def test_numbers_determine_too_and_rows_that_break_are_counted():
    table = pd.DataFrame({"age": np.arange(60) % 20, "group": (np.arange(60) % 20 // 5).astype(float)})
    table.loc[0, "group"] = 3.0
    with pytest.warns(UserWarning, match=r"constraints\[0\], 'age' determines 'group', is broken by 1 of 60 rows of X"):
        codec = Codec(constraints=[("age", "determines", "group")]).fit(table)
    rows = codec.decode(random_rows(codec))
    assert (rows["group"] == rows["age"] // 5).all() and len(set(rows["age"])) == 20


def test_columns_without_cells_and_of_one_value():
    table = places().assign(nothing=None, one=1)
    rules = [("city", "determines", "nothing"), ("city", "determines", "one"), ("city", "determines", "country")]
    codec = Codec(constraints=rules).fit(table)
    rows = codec.decode(random_rows(codec))
    assert (rows["one"] == 1).all() and (rows["city"].map({**COUNTRY, "Kyoto": "Japan"}) == rows["country"]).all()


@pytest.mark.parametrize(
    "rule, error, words",
    [
        (("s", "==", "a +"), ValueError, r"constraints\[0\]: the right side must be a sum of columns .*got 'a \+'"),
        (("s", "==", "a + q"), ValueError, r"constraints\[0\] must name columns of X, .* got the unknown 'q'"),
        (("s", "==", None), TypeError, "must have a sum of columns, as a string, on the right of '==', got None"),
        (("s", "==", "kind"), ValueError, "column 'kind' must hold numbers, got categories. For others write"),
        (("s", "==", "s + a"), ValueError, "constraints must not run in a circle, got 's' <- 's'"),
        (("a", "determines", "a"), ValueError, "must name different columns left and right"),
        (((), "determines", "a"), ValueError, "must name different columns left and right"),
        (("a", "determines", 3), ValueError, "must name columns of X, .* got the unknown 3"),
    ],
)
def test_dependences_that_cannot_be_are_refused(rule, error, words):
    with pytest.raises(error, match=words):
        Codec(constraints=[rule]).fit(money().assign(kind=list("xyz") * 100))


def test_circles_are_refused():
    rules = [("a", "determines", "b"), ("b", "determines", "s"), ("s", "determines", "a")]
    with pytest.raises(ValueError, match=r"must not run in a circle, got .*constraints\[0\].*constraints\[2\]"):
        Codec(constraints=rules).fit(money())


def test_category_dtypes_and_numbers_as_categories():
    table = places().assign(code=lambda t: t["country"].map({"France": 33, "Germany": 49, "Japan": 81}))
    table["city"] = table["city"].astype("category")
    codec = Codec(categorical_features=[0, 1, 2, 3], constraints=[("city", "determines", "code")]).fit(table)
    rows = codec.decode(random_rows(codec))
    countries = rows["city"].astype(str).map({**COUNTRY, "Kyoto": "Japan"})
    assert (countries.map({"France": 33, "Germany": 49, "Japan": 81}) == rows["code"]).all()
    assert rows.dtypes.equals(table.dtypes)
    assert nearest_codes(codec.columns_[0].codes, codec.columns_[0].codes).tolist() == list(range(6))
