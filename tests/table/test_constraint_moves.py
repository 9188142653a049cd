"""Moves that hold constraints: exact for any orders, grids and rows, small, and of nothing else."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from hypothesis import given, settings
from hypothesis import strategies as st
from stated import OPERATORS, broken

from skmdiff._table.cells import read_cells
from skmdiff._table.codec import TableCodec
from skmdiff._table.constraints import groups as _groups
from skmdiff._table.constraints.limits import ColumnLimits, Limits
from skmdiff._table.frames import native_column

N_ROWS = 60


def random_rows(codec, n=N_ROWS, seed=0):
    return np.random.default_rng(seed).normal(size=(n, codec.n_outputs_)) * 1.5


# --- any acyclic orders, any grids, any rows

NUMBERS = {
    "small": lambda rng, n: rng.integers(0, 12, n),
    "int8": lambda rng, n: rng.integers(-100, 100, n).astype(np.int8),
    "Int64": lambda rng, n: pd.array(rng.integers(-5, 15, n), dtype="Int64"),
    "cents": lambda rng, n: rng.normal(5, 5, n).round(2),
    "tenths": lambda rng, n: rng.normal(5, 5, n).round(1).astype(np.float32),
    "real": lambda rng, n: rng.normal(5, 5, n),
    "float32": lambda rng, n: rng.normal(5, 5, n).astype(np.float32),
    "skewed": lambda rng, n: 10 ** rng.normal(0, 1, n),
}
MOMENTS = {
    "days": lambda rng, n: pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 60, n), unit="D"),
    "hours": lambda rng, n: (
        pd.Timestamp("2024-03-01T00:30") + pd.to_timedelta(rng.integers(0, 900, n), unit="h")
    ).as_unit("ns"),
    "any": lambda rng, n: (pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 10**15, n), unit="ns")).as_unit(
        "us"
    ),
}
ZONED = {
    "Paris " + name: lambda rng, n, make=make: make(rng, n).tz_localize(
        "Europe/Paris", nonexistent="shift_forward", ambiguous=np.ones(n, dtype=bool)
    )
    for name, make in MOMENTS.items()
}
WAITS = {
    "minutes": lambda rng, n: pd.to_timedelta(rng.integers(1, 300, n), unit="min"),
    "seconds": lambda rng, n: pd.to_timedelta(rng.integers(1, 18000, n), unit="s").as_unit("ms"),
}


@st.composite
def cases(draw):
    """A table of comparable columns and acyclic constraints on them."""
    kinds = draw(st.sampled_from([NUMBERS, NUMBERS, MOMENTS, ZONED, WAITS]))
    names = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=2, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    table = pd.DataFrame({f"c{j}": kinds[name](rng, N_ROWS) for j, name in enumerate(names)})
    pairs = draw(st.sets(st.sampled_from([*itertools.combinations(range(len(names)), 2)]), min_size=1, max_size=6))
    order, constraints = draw(st.permutations(range(len(names)))), []
    for i, j in sorted(pairs):
        a, b, sign = f"c{order[i]}", f"c{order[j]}", draw(st.sampled_from(["<=", "<"]))
        constraints.append(draw(st.sampled_from([(a, sign, b), (b, sign.replace("<", ">"), a)])))
    if draw(st.booleans()):
        middle = table["c0"].dropna().sort_values().iloc[N_ROWS // 2]
        constraints.append(("c0", draw(st.sampled_from(sorted(OPERATORS))), middle))
    if kinds in (NUMBERS, WAITS) and draw(st.booleans()):
        of = draw(st.sampled_from([2, 3, 0.5, 1.5, 0.05] if kinds is NUMBERS else [pd.Timedelta("5min")]))
        constraints.append((f"c{len(names) - 1}", "multiple of", of))
    return table, constraints, draw(st.integers(0, 100)), draw(st.sampled_from(["quantile", "standard"]))


def fitted(table, constraints, **parameters):
    """A codec fitted to a table that may break the constraints; None where no table holds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return Codec(constraints=constraints, **parameters).fit(table)
        except ValueError as error:
            assert "cannot be met" in str(error)
            return None


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases())
def test_constraints_hold_and_nothing_else_is_moved(case):
    table, constraints, seed, numeric = case
    codec = fitted(table, constraints, numeric=numeric)
    if codec is None:
        return
    W = random_rows(codec, seed=seed)
    free = Codec(numeric=numeric).fit(table).decode(W)
    held, moved = codec.held(W)
    assert not broken(held, constraints).any()
    pd.testing.assert_frame_equal(held[~moved], free[~moved])
    assert held.dtypes.equals(table.dtypes)
    differs = (held != free).to_numpy(dtype=bool).any(axis=1)
    np.testing.assert_array_equal(differs[moved], True)
    if not any(sign == "multiple of" for _, sign, _ in constraints):
        np.testing.assert_array_equal(moved, broken(free, constraints))
    cells = [read_cells(native_column(held, j), name).observed for j, name in enumerate(held)]
    assert not codec.constraints.hold(cells, Limits(), len(held))[1].any()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases(), st.floats(0, 1))
def test_cells_that_are_to_stay_do_while_the_others_make_room(case, share):
    table, constraints, seed, numeric = case
    codec = fitted(table, constraints, numeric=numeric)
    if codec is None:
        return
    goal, rng = codec.decode(random_rows(codec, seed=seed)), np.random.default_rng(seed)
    kept = {j: rng.random(N_ROWS) < share for j in codec.constraints.column_indices()}
    cells = {j: (rows, cells_of(goal)[j][rows]) for j, rows in kept.items()}
    limits = Limits.fixed(cells)
    codec.constraints.check(limits, N_ROWS)  # there is a row that holds them: the goal
    columns = TableCodec.decode(codec, random_rows(codec, seed=seed + 1))
    for j, (rows, values) in cells.items():
        columns[j][rows] = values
    held = codec.write(codec.constraints.hold(columns, limits, N_ROWS)[0], {}, N_ROWS)
    assert not broken(held, constraints).any()
    for j, rows in kept.items():
        assert (held.iloc[rows, j] == goal.iloc[rows, j]).all()


def cells_of(table):
    return [read_cells(native_column(table, j), name).observed for j, name in enumerate(table)]


# --- small moves, against all rows there are


def whole(n_columns, constraints):
    """Constraints over columns of 0 to 4, and all rows of such numbers."""
    rows = np.array(list(itertools.product(range(5), repeat=n_columns)))
    names = [f"c{j}" for j in range(n_columns)]
    codec = fitted(pd.DataFrame(rows, columns=names), constraints)
    good = rows[~broken(pd.DataFrame(rows, columns=names), constraints)]
    return codec.constraints, rows, good


def held(constraints, rows, limits=None):
    columns, moved = constraints.hold(list(rows.T), limits or Limits(), len(rows))
    return np.column_stack(columns), moved


ORDERS = [
    [("c0", "<=", "c1")],
    [("c0", "<=", "c1"), ("c1", "<=", "c2")],
    [("c0", "<=", "c2"), ("c1", "<=", "c2")],
    [("c2", ">=", "c0"), ("c1", ">=", "c0")],
    [("c0", "<=", "c1"), ("c0", "<=", "c2"), ("c1", "<=", "c3"), ("c2", "<=", "c3")],
    [("c0", "<=", "c1"), ("c1", "<=", 3), ("c0", ">=", 1)],
]


@pytest.mark.parametrize("constraints", ORDERS, ids=str)
@pytest.mark.parametrize("power", [1, 2, np.inf])
@pytest.mark.parametrize("often, rounding", [(1.0, 0), (0.01, 1)], ids=["swap", "meet"])
def test_no_row_goes_more_than_twice_as_far_as_it_need(constraints, power, often, rounding, monkeypatch):
    monkeypatch.setattr(_groups, "OFTEN", often)
    n_columns = 1 + max(int(name[1]) for rule in constraints for name in rule if str(name).startswith("c"))
    rules, rows, good = whole(n_columns, constraints)
    there = held(rules, rows)[0]
    nearest = np.linalg.norm(rows[:, None] - good[None], ord=power, axis=2).min(axis=1)
    assert (np.linalg.norm(rows - there, ord=power, axis=1) <= 2 * nearest + rounding + 1e-9).all()


@pytest.mark.parametrize(
    "constraints, moves",
    [
        ([("c0", "<=", 2)], {0: 0, 2: 2, 3: 2, 4: 2}),
        ([("c0", ">", 2)], {0: 3, 2: 3, 3: 3, 4: 4}),
        ([("c0", "<", 2.5), ("c0", ">=", 0.5)], {0: 1, 1: 1, 3: 2}),
        ([("c0", "multiple of", 3)], {0: 0, 1: 0, 2: 3, 3: 3, 4: 3}),
        ([("c0", "multiple of", 1.5)], {1: 0, 2: 3, 4: 3}),  # of the whole numbers those of 3
        ([("c0", "multiple of", 2), ("c0", "multiple of", 4)], {1: 0, 2: 0, 3: 4}),
    ],
)
def test_one_column_goes_to_the_nearest_value(constraints, moves):
    rules, *_ = whole(1, constraints)
    there, moved = held(rules, np.array([[x] for x in moves]))
    assert there[:, 0].tolist() == list(moves.values())
    np.testing.assert_array_equal(moved, [x != y for x, y in moves.items()])


def test_two_out_of_order_are_swapped_or_meet_where_the_table_often_has_them_equal():
    rows, cells = np.array([[4, 1], [3, 2], [2, 2], [0, 3]]), pd.DataFrame({"c0": range(5), "c1": range(1, 6)})
    rules = fitted(cells, [("c0", "<=", "c1")]).constraints
    assert held(rules, rows)[0].tolist() == [[1, 4], [2, 3], [2, 2], [0, 3]]
    stays = Limits.fixed({1: (np.ones(4, dtype=bool), rows[:, 1])})
    assert held(rules, rows, stays)[0].tolist() == [[1, 1], [2, 2], [2, 2], [0, 3]]
    often = fitted(cells.assign(c1=range(5)), [("c0", "<=", "c1")]).constraints
    assert held(often, rows)[0].tolist() == [[2, 2], [2, 2], [2, 2], [0, 3]]
    strict = whole(2, [("c0", "<", "c1")])[0]
    assert held(strict, np.array([[2, 2], [4, 4], [4, 3]]))[0].tolist() == [[2, 3], [3, 4], [3, 4]]


def test_the_range_seen_is_left_only_where_nothing_else_holds():
    table = pd.DataFrame({"a": [5, 6, 7, 8], "b": [6, 3, 9, 20]})
    rules = fitted(table, [("a", "<=", "b")]).constraints
    rows = np.array([[8, 4], [6, 3]])
    assert held(rules, rows)[0].tolist() == [[5, 8], [5, 6]]
    stays = Limits.fixed({1: (np.ones(2, dtype=bool), rows[:, 1])})
    assert held(rules, rows, stays)[0].tolist() == [[4, 4], [3, 3]]


def test_cells_that_contradict_each_other_stay_and_the_rest_holds():
    table = pd.DataFrame({name: range(10) for name in "abcd"})
    rules = fitted(table, [("a", "<=", "b"), ("b", "<=", "c"), ("a", "<=", "d")]).constraints
    rows = np.array([[7, 5, 3, 1]])
    stays = Limits.fixed({j: (np.ones(1, dtype=bool), rows[:, j]) for j in (0, 2)})
    a, b, c, d = held(rules, rows, stays)[0][0]
    assert (a, c) == (7, 3) and (a <= b or b <= c) and a <= d


def test_limits_of_some_rows_and_some_columns():
    of_two = ColumnLimits(np.array([True, False, True]), np.array([1, 5]), np.array([2, 5]))
    limits = Limits({3: of_two, 0: of_two})
    some = limits.take(np.array([1, 2]))
    np.testing.assert_array_equal(some.of(3).rows, [False, True])
    assert some.of(3).low.tolist() == some.of(3).high.tolist() == [5] and some.of(1) is None
    assert limits.only({3}).of(0) is None and limits.only({3}).of(3) is of_two
