"""Whole rows: distances, neighbourhoods and diversity, against closed forms, slow twins and packages."""

import numpy as np
import pytest
from metric_tables import mixed, one_hot_space, with_missing
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance, norm

from skmdiff import metrics


def normal(n_samples, seed, n_columns=1, shift=0.0):
    return shift + np.random.RandomState(seed).normal(size=(n_samples, n_columns))


def quantiles_of_normal(n_samples):
    """One column without the chance of a sample."""
    return norm.ppf((np.arange(n_samples) + 0.5) / n_samples)[:, None]


def standard(*tables):
    """Tables scaled by the first, so that functions that scale leave them as they are."""
    return [(table - tables[0].mean(axis=0)) / tables[0].std(axis=0) for table in tables]


def test_energy_distance_of_one_column_is_that_of_scipy():
    a, b = standard(normal(300, 0), normal(200, 1, shift=0.3))
    assert metrics.energy_distance(a, b) == pytest.approx(energy_distance(a[:, 0], b[:, 0]), rel=1e-5)


def test_energy_distance_of_shifted_normals_is_the_closed_form():
    # a, b normal of unit variance, m apart: their difference is normal with mean m and variance 2
    m = 1.5
    across = 2 / np.sqrt(np.pi) * np.exp(-(m**2) / 4) + m * (1 - 2 * norm.cdf(-m / np.sqrt(2)))
    expected = np.sqrt(2 * across - 2 * 2 / np.sqrt(np.pi))
    x = quantiles_of_normal(2000)
    assert metrics.energy_distance(x, x + m) == pytest.approx(expected, abs=0.005)


def test_energy_distance_is_that_of_all_pairs():
    real, synthetic = mixed(60, 0), mixed(40, 1)
    a, b = one_hot_space(real, real), one_hot_space(real, synthetic)
    expected = np.sqrt(2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean())
    assert metrics.energy_distance(real, synthetic) == pytest.approx(expected)


def test_mmd_is_that_of_all_pairs_of_different_rows():
    real, synthetic = mixed(30, 0), mixed(20, 1)
    a, b = one_hot_space(real, real), one_hot_space(real, synthetic)

    def kernel(x, y):
        return np.exp(-((x - y) ** 2).sum() / (2 * 0.8**2))

    within = [
        np.mean([kernel(x, y) for i, x in enumerate(part) for j, y in enumerate(part) if i != j]) for part in (a, b)
    ]
    expected = sum(within) - 2 * np.mean([kernel(x, y) for x in a for y in b])
    assert metrics.mmd(real, synthetic, bandwidth=0.8) == pytest.approx(expected)


def test_mmd_of_shifted_normals_is_the_closed_form():
    m, h = 1.0, 0.7
    expected = 2 * h / np.sqrt(h**2 + 2) * (1 - np.exp(-(m**2) / (2 * (h**2 + 2))))
    x = quantiles_of_normal(2000)
    assert metrics.mmd(x, x + m, bandwidth=h) == pytest.approx(expected, abs=0.002)


def test_mmd_of_fresh_rows_is_zero_on_average():
    scores = [metrics.mmd(normal(100, 2 * seed, 2), normal(100, 2 * seed + 1, 2)) for seed in range(40)]
    assert min(scores) < 0 < max(scores)
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(40)


def test_mmd_takes_the_median_distance_for_its_bandwidth():
    a, b = standard(normal(50, 0, 2), normal(50, 1, 2))
    median = np.median(cdist(a, a)[np.triu_indices(50, 1)])
    assert metrics.mmd(a, b) == pytest.approx(metrics.mmd(a, b, bandwidth=median))
    # nearly all rows equal: the median is 0 and no width for a kernel
    spike = np.r_[np.zeros(49), 1.0][:, None]
    assert metrics.mmd(spike, spike[::-1]) < 1e-6


@pytest.mark.parametrize("name", ["energy_distance", "mmd"])
def test_distances_are_nothing_between_equal_tables_and_see_dependence(name):
    measure = getattr(metrics, name)
    table = with_missing(mixed(300, 0), 1)
    assert measure(table, table[::-1]) < 1e-4
    rng = np.random.RandomState(2)
    shuffled = np.column_stack([rng.permutation(column) for column in table.T])
    fresh = with_missing(mixed(300, 3), 4)
    assert measure(table, shuffled, random_state=0) > 1.2 * measure(table, fresh, random_state=0)


def test_prdc_is_that_of_all_distances():
    train, real, synthetic = mixed(200, 0), mixed(90, 1), mixed(70, 2)
    synthetic[:20, :2] += 4
    a, b = one_hot_space(train, real), one_hot_space(train, synthetic)
    across = cdist(a, b)
    radius_a, radius_b = (np.sort(cdist(part, part), axis=1)[:, 4] for part in (a, b))
    in_real, in_synthetic = across <= radius_a[:, None], across <= radius_b
    expected = [
        in_real.any(axis=0).mean(),
        in_synthetic.any(axis=1).mean(),
        in_real.sum() / (4 * len(b)),
        in_real.any(axis=1).mean(),
    ]
    found = metrics.prdc(real, synthetic, reference=train, n_neighbors=4)
    assert_allclose(found, expected)


def test_prdc_does_not_depend_on_the_blocks(monkeypatch):
    real, synthetic = normal(300, 0, 2), normal(200, 1, 2)
    expected = metrics.prdc(real, synthetic)
    # 0.01 MiB hold four synthetic rows at a time
    monkeypatch.setattr("skmdiff.metrics._coverage.WORKING_MEMORY", 0.01)
    assert metrics.prdc(real, synthetic) == expected


def test_coverage_of_fresh_rows_is_its_expectation_and_density_is_one():
    scores = [metrics.prdc(normal(500, 2 * seed, 3), normal(500, 2 * seed + 1, 3)) for seed in range(10)]
    k = np.arange(1, 6)
    expected = 1 - np.prod((500 - k) / (1000 - k))
    assert np.mean([score.coverage for score in scores]) == pytest.approx(expected, abs=0.01)
    assert np.mean([score.density for score in scores]) == pytest.approx(1, abs=0.03)


def test_recall_sees_a_lost_mode_and_precision_sees_an_invented_one():
    two_modes = np.vstack([normal(200, 0, 2), normal(200, 1, 2, shift=50)])
    one_mode = normal(400, 2, 2)
    lost, invented = metrics.prdc(two_modes, one_mode), metrics.prdc(one_mode, two_modes)
    assert lost.recall < 0.55 < 0.95 < lost.precision
    assert invented.precision < 0.55 < 0.95 < invented.recall


@pytest.mark.parametrize("k", [1, 3, 7])
def test_vendi_score_of_k_groups_far_apart_is_k(k):
    groups = np.repeat(np.eye(k), 4, axis=0)
    assert metrics.vendi_score(groups, bandwidth=1e-3) == pytest.approx(k)


def test_vendi_score_of_two_rows_is_the_closed_form():
    # eigenvalues of [[1, c], [c, 1]] / 2 are (1 + c) / 2 and (1 - c) / 2
    c = np.exp(-(2.0**2) / (2 * 1.5**2))
    shares = np.array([1 + c, 1 - c]) / 2
    score = metrics.vendi_score([[-1.0], [1.0]], bandwidth=1.5)
    assert score == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_vendi_score_takes_a_quarter_of_the_median_distance_for_its_bandwidth():
    (rows,) = standard(normal(50, 0, 2))
    median = np.median(cdist(rows, rows)[np.triu_indices(50, 1)])
    assert metrics.vendi_score(rows) == pytest.approx(metrics.vendi_score(rows, bandwidth=median / 4))


def test_vendi_score_is_read_in_the_space_of_the_reference():
    real = normal(300, 0, 2)
    same = [metrics.vendi_score(rows, reference=real, random_state=0) for rows in (real, normal(300, 1, 2))]
    assert same[1] / same[0] == pytest.approx(1, abs=0.1)
    assert metrics.vendi_score(0.1 * real, reference=real, random_state=0) < same[0] / 3
    assert metrics.vendi_score(3 * real, reference=real, random_state=0) > 2 * same[0]


@pytest.mark.parametrize("name", ["energy_distance", "mmd", "vendi_score", "c2st"])
def test_a_chance_of_their_own_and_no_rows_too_few(name):
    measure, tables = getattr(metrics, name), [normal(60, 0), normal(60, 1)]
    if name == "vendi_score":
        tables = tables[:1]
    before = np.random.get_state()[1].copy()
    assert measure(*tables, max_rows=50, random_state=0) == measure(*tables, max_rows=50, random_state=0)
    assert measure(*tables, max_rows=50, random_state=0) != measure(*tables, max_rows=50, random_state=1)
    assert (before == np.random.get_state()[1]).all()
    with pytest.raises(ValueError, match="max_rows == 0, must be >="):
        measure(*tables, max_rows=0)


def test_parameters_out_of_range_are_named():
    rows = normal(10, 0)
    with pytest.raises(ValueError, match="n_neighbors == 0, must be >= 1"):
        metrics.prdc(rows, rows, n_neighbors=0)
    with pytest.raises(ValueError, match="must have two rows or more, got 1 and 10"):
        metrics.prdc(rows[:1], rows)
    with pytest.raises(ValueError, match="bandwidth must be above 0"):
        metrics.mmd(rows, rows, bandwidth=0)
    with pytest.raises(ValueError, match="must have two rows or more, got 10 and 1"):
        metrics.mmd(rows, rows[:1])
    with pytest.raises(ValueError, match=r"5 row\(s\) and 1 column or more, got shape \(4, 1\)"):
        metrics.c2st(rows, rows[:4])
