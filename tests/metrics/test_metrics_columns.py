"""Single columns and pairs of them: SciPy, scikit-learn and closed forms; missing cells; what is refused."""

import numpy as np
import pytest
from metric_tables import mixed, with_missing
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from sklearn.metrics import normalized_mutual_info_score

from skmdiff import metrics
from skmdiff.metrics import _tables


def test_mutual_information_error_is_that_of_sklearn():
    real, synthetic = mixed(300, 0), mixed(200, 1)
    synthetic[:, 2] = np.random.RandomState(2).permutation(synthetic[:, 2])
    edges = [np.quantile(real[:, j].astype(float), np.arange(1, 10) / 10) for j in (0, 1)]
    gaps = []
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        shared = []
        for table in (real, synthetic):
            cells = [np.digitize(table[:, k].astype(float), edges[k]) for k in (0, 1)] + [table[:, 2].astype(str)]
            shared.append(normalized_mutual_info_score(cells[i], cells[j]))
        gaps.append(abs(shared[0] - shared[1]))
    assert metrics.mutual_information_error(real, synthetic) == pytest.approx(np.mean(gaps))


def test_mutual_information_sees_the_parabola_that_the_correlation_does_not():
    rng = np.random.RandomState(0)
    x, y = rng.normal(size=4000), rng.normal(size=4000)
    parabola = np.column_stack([x, x**2])
    independent = np.column_stack([x, y**2])
    assert metrics.trend_error(parabola, independent) < 0.05
    assert metrics.mutual_information_error(parabola, independent) > 0.5


def test_mutual_information_does_not_see_a_turned_sign_and_needs_a_pair():
    x = np.random.RandomState(0).normal(size=1000)
    x = np.concatenate([x, -x])
    error = metrics.mutual_information_error(np.column_stack([x, x]), np.column_stack([x, -x]))
    assert error == pytest.approx(0, abs=1e-12)
    assert np.isnan(metrics.mutual_information_error(x[:, None], x[:, None]))
    constant = np.zeros((5, 2))
    assert metrics.mutual_information_error(constant, constant) == 0


@pytest.mark.parametrize("name", ["shape_error", "trend_error", "mutual_information_error"])
def test_errors_are_zero_for_the_same_table_and_bounded(name):
    measure = getattr(metrics, name)
    table = with_missing(mixed(200, 0), 1)
    assert measure(table, table) == pytest.approx(0, abs=1e-12)
    opposite = table.copy()
    opposite[:, 2], opposite[:, :2] = "d", 50.0
    assert 0.1 < measure(table, opposite) <= 1


def test_a_missing_number_is_greater_than_all_and_a_missing_category_is_one_more():
    assert metrics.shape_error([[1.0], [2.0]], [[1.0], [np.nan]]) == 0.5
    assert metrics.shape_error([["a"], ["b"]], [["a"], [None]]) == 0.5
    assert metrics.shape_error([[None], ["b"]], [["b"], [None]]) == 0
    assert metrics.shape_error([[1.0], [np.nan]], [[np.nan], [1.0]], categorical_features=[0]) == 0


def test_missing_cells_pair_by_pair():
    rng = np.random.RandomState(0)
    x = rng.normal(size=(400, 2)) @ [[1.0, 0.8], [0.0, 0.6]]
    gaps = x.copy()
    gaps[rng.uniform(size=400) < 0.3, 0] = np.nan
    both = ~np.isnan(gaps[:, 0])
    expected = abs(np.corrcoef(gaps[both].T)[0, 1] - np.corrcoef(x.T)[0, 1]) / 2
    assert metrics.trend_error(gaps, x) == pytest.approx(expected)
    # half of the cells of one column missing where the other one is high: a dependence of its own
    hidden = x.copy()
    hidden[x[:, 1] > 0, 0] = np.nan
    assert metrics.mutual_information_error(x, hidden) > 0.1


def test_missing_numbers_have_a_bin_of_their_own():
    real = np.array([[float(x), "ab"[x % 2]] for x in range(10)], dtype=object)
    gap = real.copy()
    gap[9, 0] = np.nan  # the highest number, of the last bin
    assert metrics.trend_error(real, gap) == pytest.approx(0.1)


def test_a_missing_number_costs_its_indicator_in_the_space():
    real = np.array([[-1.0], [1.0], [np.nan]])
    space = _tables.one_hot_space([real, np.array([[3.0]])], "from_dtype")
    assert_allclose(space[0], [[-1, 0], [1, 0], [0, 1]])
    assert_allclose(space[1], [[3, 0]])
    # the column of indicators appears for the synthetic table's sake too
    space = _tables.one_hot_space([real[:2], real], "from_dtype")
    assert_allclose(space[0], [[-1, 0], [1, 0]])
    assert_allclose(space[1], [[-1, 0], [1, 0], [0, 1]])


def test_a_category_of_any_table_is_as_far_from_any_other():
    a, b = _tables.one_hot_space([np.array([["a"], ["b"]]), np.array([["c"], ["d"], ["a"]])], "from_dtype")
    assert_allclose(cdist(np.vstack([a, b[:2]]), np.vstack([a, b[:2]])), np.sqrt(2) * (1 - np.eye(4)))
    assert (a[0] == b[2]).all()


def test_the_space_of_many_categories_is_narrow_and_treats_tables_alike():
    rng = np.random.RandomState(0)
    tables = [rng.randint(10**6, size=(2000, 1)).astype(str) for _ in range(2)]
    a, b = _tables.one_hot_space(tables, "from_dtype")
    assert a.shape == b.shape == (2000, 100)
    for x, y in [(a, a), (a, b), (b, b)]:
        assert np.mean(x @ y.T) == pytest.approx(0.01, abs=0.002)


def test_a_frame_with_missing_cells_scores_as_its_array_does():
    pandas = pytest.importorskip("pandas")
    real, synthetic = with_missing(mixed(150, 0), 1), with_missing(mixed(150, 2), 3)
    frames = [
        pandas.DataFrame(
            {
                "x": table[:, 0].astype(float),
                "y": pandas.array(table[:, 1].astype(float), dtype="Float64"),
                "level": pandas.Categorical(table[:, 2]),
            }
        )
        for table in (real, synthetic)
    ]
    for measure in (metrics.shape_error, metrics.trend_error, metrics.prdc, metrics.copy_share):
        assert_allclose(measure(*frames), measure(real, synthetic))
    assert metrics.copy_share(frames[0], frames[0]) == 1
    whole = pandas.DataFrame({"n": pandas.array([1, 2, None], dtype="Int64"), "s": ["a", None, pandas.NA]})
    assert metrics.shape_error(whole, np.array([[1.0, "a"], [2.0, None], [np.nan, None]], dtype=object)) == 0
    assert metrics.copy_share(whole, whole[::-1]) == 1


def test_columns_shuffled_on_their_own_keep_their_cells_and_types():
    pandas = pytest.importorskip("pandas")
    table = mixed(300, 0)
    frame = pandas.DataFrame(table, columns=["x", "y", "level"]).astype({"x": float, "level": "category"})
    for part in (table, frame):
        shuffled = _tables.independent_columns(part, np.random.RandomState(0))
        assert metrics.shape_error(part, shuffled) == 0
        assert metrics.trend_error(part, shuffled) > 0.1
        assert metrics.copy_share(part, shuffled) == 0
    assert (shuffled.dtypes == frame.dtypes).all() and (shuffled.index == frame.index).all()


def test_what_is_no_pair_of_tables_is_refused():
    with pytest.raises(TypeError, match="a table must be dense, got a sparse matrix"):
        metrics.shape_error(csr_matrix(np.eye(3)), np.eye(3))
    with pytest.raises(ValueError, match=r"a table must have 1 row\(s\) and 1 column or more, got shape \(0, 2\)"):
        metrics.shape_error(np.empty((0, 2)), np.eye(2))
    with pytest.raises(TypeError, match="column 'x1' is not categorical in the first .* hold numbers, got 'a'"):
        metrics.shape_error([[0, 1], [0, 2]], np.array([[0, "a"], [1, "b"]], dtype=object))
    with pytest.raises(ValueError, match="infinity"):
        metrics.energy_distance([[0.0], [1.0]], [[np.inf], [1.0]])


def test_columns_of_one_large_number_or_few_beside_each_other():
    """Dates are ticks of 60 bits, which floats hold to 256 of them."""
    rng = np.random.default_rng(0)
    pair = rng.normal(size=(50, 1))
    for column in (np.full(50, 1e17), 2.0**60 + 256 * rng.integers(0, 3, 50), np.full(50, 3.0)):
        levels = (pair[:, 0] > 0).astype(int)
        table = np.column_stack([levels, column])
        assert metrics.trend_error(table, table, categorical_features=[0]) == 0.0
    alone = np.column_stack([levels, np.full(50, 3.0)])
    moved = np.column_stack([levels, np.full(50, 9.0)])
    assert metrics.trend_error(alone, moved, categorical_features=[0]) == 1.0


def test_a_constant_that_rounding_moves_is_a_constant():
    """The deviation of .1 a hundred times is not 0 to the last bit."""
    rng = np.random.default_rng(0)
    z, other = rng.normal(size=(2, 300))
    for measure in (metrics.shape_error, metrics.energy_distance, metrics.trend_error):
        tenths = measure(np.column_stack([np.full(300, 0.1), z]), np.column_stack([np.full(300, 0.2), other]))
        wholes = measure(np.column_stack([np.full(300, 1.0), z]), np.column_stack([np.full(300, 1.1), other]))
        assert_allclose(tenths, wholes, atol=1e-9, equal_nan=True)


def test_density_counts_the_neighbours_that_there_are():
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(2, 4, 2))
    assert metrics.prdc(real, synthetic, n_neighbors=5) == metrics.prdc(real, synthetic, n_neighbors=3)


@pytest.mark.parametrize("start", [2**62, -(2**62)])
def test_far_integers_are_measured_as_near_ones(start):
    rng = np.random.default_rng(0)
    near = [rng.integers(0, most, size=(200, 2)) for most in (1000, 500)]
    far = [table + start for table in near]
    for measure in (metrics.shape_error, metrics.trend_error, metrics.energy_distance):
        assert_allclose(measure(*far), measure(*near), rtol=1e-9)
