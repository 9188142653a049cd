"""Frequent values of a number: which they are, and that they and the others come back exactly."""

import numpy as np
import pandas as pd
import pytest
from coding import Codec
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import trapezoid

from skmdiff._table.codec import cells_that_stay, number_columns, whole_columns
from skmdiff._table.numeric import QuantileColumn, stands_out


def frequent_of(x):
    column = QuantileColumn(np.asarray(x), "x", None, 50)
    return column.values[column.frequent].tolist()


def test_zeros_heaps_and_bounds_stand_out_and_smooth_columns_have_none():
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=4000)
    assert frequent_of(smooth) == []
    assert frequent_of(np.round(smooth, 1)) == []  # 60 values, of up to 4 % each
    assert frequent_of(rng.poisson(30, 4000)) == []
    assert frequent_of(np.where(rng.random(4000) < 0.05, 0.0, smooth)) == [0.0]
    assert frequent_of(np.clip(smooth, None, 1.5)) == [1.5]
    hours = np.where(rng.random(4000) < 0.5, 40, rng.integers(20, 70, 4000))
    assert frequent_of(hours) == [40]


def test_the_ends_of_a_scale_of_few_steps_are_values_like_the_others():
    pixels = np.repeat(np.arange(17), [25, *[4] * 15, 25])
    assert frequent_of(pixels) == []
    assert frequent_of(np.append(pixels, [0] * 100)) == [0, 16]  # zero in most of the cells is another matter
    assert frequent_of(np.append(pixels, [8] * 25)) == [0, 8, 16]
    assert frequent_of(np.repeat(np.arange(41), [25, *[4] * 39, 25])) == [0, 40]


def test_few_values_are_all_frequent_unless_the_cells_are_few_too():
    assert frequent_of([1, 2, 2, 5] * 10) == [1, 2, 5]
    assert frequent_of(np.arange(8.0)) == []


def test_chance_makes_no_value_frequent():
    """In 2000 columns of 50 to 400 integers drawn alike, where a value holds 1 % of the cells and more."""
    rng = np.random.default_rng(0)
    found = sum(bool(frequent_of(rng.integers(0, 60, rng.integers(50, 400)))) for _ in range(2000))
    assert found <= 2


def test_masses_of_weights_decide():
    masses = np.ones(40)
    assert not stands_out(masses).any()
    masses[7] = 60
    assert np.flatnonzero(stands_out(masses)).tolist() == [7]


def test_a_heavy_value_seen_once_is_no_category():
    x, weight = np.arange(100.0) ** 1.5, np.ones(100)
    weight[40] = 50.0
    assert not QuantileColumn(x, "x", weight, 50).frequent.any()
    twice = QuantileColumn(np.append(x, x[40]), "x", np.append(weight, 1.0), 50)
    assert twice.values[twice.frequent].tolist() == [x[40]]


COLUMNS = {
    "half_zero": lambda rng: np.where(rng.random(500) < 0.5, 0.0, rng.normal(size=500)),
    "integers": lambda rng: np.where(rng.random(500) < 0.3, 7, rng.integers(-100, 100, 500)),
    "few": lambda rng: rng.choice([1, 2, 5], 500, p=[0.1, 0.2, 0.7]),
    "two": lambda rng: rng.integers(0, 2, 500),
    "dates": lambda rng: np.where(rng.random(500) < 0.3, 0, rng.integers(1, 400, 500)).astype("datetime64[D]"),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_the_code_of_a_cell_gives_the_cell_and_a_category_says_its_value(kind):
    rng = np.random.default_rng(1)
    x = COLUMNS[kind](rng)
    frame = pd.DataFrame({"x": x, "y": rng.normal(size=500)})
    codec = Codec().fit(frame)
    column, blocks = codec.columns_[0], codec.blocks_
    assert [block.kind for block in blocks] == ["numeric", "categorical", "numeric"]
    for ties in (None, rng):
        pd.testing.assert_frame_equal(codec.decode(codec.encode(frame, ties)), frame)
    # whatever the score, a category is its value; "another" is never a frequent one
    W = codec.encode(frame)
    W[:, 0] = rng.normal(size=500)
    cells, says = codec.decode(W)["x"].to_numpy(), column.is_frequent(frame["x"].to_numpy())
    assert says.any()
    assert_array_equal(cells[says], frame["x"].to_numpy()[says])
    assert not column.is_frequent(cells)[~says].any()


def test_fractions_of_categories_are_those_of_the_values():
    x = np.array([0.0] * 60 + list(np.linspace(1, 2, 40)))
    block = QuantileColumn(x, "x", None, 50).blocks[1]
    assert block.has_others and block.of_number
    assert_allclose(block.frequencies, [0.4, 0.6])
    assert_array_equal(block.says_value(block.codes), [False, True])


def test_scores_alone_keep_the_order_and_say_the_value():
    """Conditions know the number by its score: the values in order, each from its score alone."""
    x = COLUMNS["half_zero"](np.random.default_rng(2))
    column = QuantileColumn(x, "x", None, 50)
    values = np.unique(x)
    scores = column.encode(values)[:, :1]
    assert (np.diff(scores[:, 0]) > 0).all()
    assert_array_equal(column.decode(scores), values)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(20, 200), n_values=st.integers(2, 30))
def test_any_column_of_repeated_integers_comes_back(seed, n, n_values):
    rng = np.random.default_rng(seed)
    x = rng.choice(rng.integers(-1000, 1000, n_values), n)
    if len(np.unique(x)) > 1:
        column = QuantileColumn(x, "x", None, 50)
        assert_array_equal(column.decode(column.encode(x)), x)
        assert_allclose(sum(block.stop - block.start for block in column.blocks), column.width)


def test_views_of_the_blocks():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": COLUMNS["half_zero"](rng), "c": rng.choice(["a", "b"], 500), "y": rng.normal(size=500)})
    codec = Codec().fit(frame)
    assert [block.name for block in codec.blocks_] == ["x", "x", "c", "y"]
    assert number_columns(codec.blocks_).tolist() == [True, False, False, True, True, True]
    assert [(b.name, b.start, b.stop) for b in whole_columns(codec.blocks_)] == [("x", 0, 3), ("c", 3, 5), ("y", 5, 6)]
    stays = cells_that_stay(codec.blocks_, codec.encode(frame))
    assert_array_equal(stays[:, 0], frame["x"] == 0)
    assert stays[:, 1:5].all() and not stays[:, 5].any()


def test_a_value_beside_the_few_that_were_seen_costs_what_an_unseen_category_costs():
    column = QuantileColumn(np.array([1, 2, 5] * 20), "x", None, 50)
    assert_allclose(column.log_volume(np.array([2, 3])), [0.0, -np.log(61)])


def test_a_frequent_value_has_no_volume():
    x = np.array([0.0] * 60 + list(np.linspace(1, 2, 40)))
    volume = QuantileColumn(x, "x", None, 50).log_volume(np.array([0.0, 1.5]))
    assert volume[0] == 0 and volume[1] != 0


def test_scores_of_other_values_have_no_gaps():
    """Half zeros, a heap in the middle, a bound: the others' scores are normal but for the ends that bounds own."""
    rng = np.random.default_rng(0)
    x = np.clip(rng.normal(size=20_000), None, 1.5)
    x[:6000], x[6000:9000] = -9.0, 0.25
    column = QuantileColumn(x, "x", None, 50)
    assert column.values[column.frequent].tolist() == [-9.0, 0.25, 1.5]
    scores = np.sort(column.encode(x)[~column.is_frequent(x), 0])
    u = stats.norm.cdf(scores)
    owned = np.diff(column.edges)[column.frequent] / column.total  # by the three values
    assert owned[1] < 0.003 and 0.04 < owned[0] < 0.05 and 0.04 < owned[2] < 0.05
    assert stats.kstest((u - owned[0]) / (1 - owned[0] - owned[2]), "uniform").statistic < 0.003


def test_a_score_on_a_frequent_value_is_mirrored_where_another_value_is_meant():
    x = np.concatenate([np.zeros(1000), np.linspace(1, 2, 1000)])
    column = QuantileColumn(x, "x", None, 50)
    edge, another = stats.norm.ppf(column.edges[1] / column.total), column.value_codes[0]
    for distance in (0.01, 0.05):
        below, above = (column.decode(np.append(edge + sign * distance, another)[None])[0] for sign in (-1, 1))
        assert above > 1
        assert_allclose(below, above, atol=0.01 * distance + 0.003)


def test_heaps_side_by_side_at_both_ends_leave_other_values_inside():
    x = np.array([0] * 50 + [1] * 50 + [9] * 50 + [10] * 50 + list(range(2, 9)) * 3 + [3, 4, 5, 6, 12, -4])
    column = QuantileColumn(x, "x", None, 50)
    column.frequent[:] = np.isin(column.values, [0, 1, 9, 10])  # ends of the column are other values
    assert column.frequent.sum() == 4
    positions = column._beside_frequent(np.linspace(0, column.total, 5001))
    index = np.searchsorted(column.edges, positions, side="right") - 1
    assert not column.frequent[np.minimum(index, len(column.values) - 1)].any()


def test_density_of_half_zeros_sums_to_one():
    """log_volume carries a normal density of the score among other values to a density of the cells."""
    rng = np.random.default_rng(3)
    x = np.where(rng.random(4000) < 0.5, 0.0, 3 + rng.random(4000))
    column = QuantileColumn(x, "x", None, 50)
    grid = np.linspace(3.001, 3.999, 4001)
    scores = column.encode(grid)[:, 0]
    density = np.exp(stats.norm.logpdf(scores) + column.log_volume(grid))
    owned = column.widths[0] / column.total
    assert_allclose(trapezoid(density, grid), 1 - owned, atol=0.02)
