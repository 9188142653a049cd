"""What models learn from rows, and geometry: scikit-learn, closed forms and tables whose answer is known."""

import numpy as np
import pytest
from metric_tables import mixed, with_missing
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.manifold import trustworthiness
from sklearn.metrics import r2_score

from skmdiff import metrics
from skmdiff.datasets import make_swiss_roll_nd, make_torus


def shuffled(table, seed):
    rng = np.random.RandomState(seed)
    return np.column_stack([rng.permutation(column) for column in table.T])


def test_tstr_is_the_skill_of_the_trees():
    rng = np.random.RandomState(0)
    tables = []
    for _ in range(2):
        x = rng.normal(size=300)
        tables.append(np.column_stack([x, x + 0.5 * rng.normal(size=300), x > 0.3]))
    test, source = tables
    options = {"max_iter": 30, "learning_rate": 0.2, "max_leaf_nodes": 15, "early_stopping": False, "random_state": 0}
    skills = []
    for j in (0, 1):
        others = [k for k in range(3) if k != j]
        is_category = np.array(others) == 2
        trees = HistGradientBoostingRegressor(categorical_features=is_category, **options)
        skills.append(r2_score(test[:, j], trees.fit(source[:, others], source[:, j]).predict(test[:, others])))
    trees = HistGradientBoostingClassifier(**options).fit(source[:, :2], source[:, 2])
    skills.append(r2_score(test[:, 2], trees.predict_proba(test[:, :2])[:, 1]))
    found = metrics.tstr(test, source, categorical_features=[2], random_state=0)
    assert found == pytest.approx(np.mean(skills), abs=0.02)


def test_skill_in_categories_is_one_minus_the_brier_score_over_that_of_the_fractions():
    real, source = mixed(300, 0), mixed(300, 1)
    codes = [np.unique(table[:, 2].astype(str), return_inverse=True)[1] for table in (real, source)]
    x, x_test = source[:, :2].astype(float), real[:, :2].astype(float)
    trees = HistGradientBoostingClassifier(
        max_iter=30, learning_rate=0.2, max_leaf_nodes=15, early_stopping=False, random_state=0
    ).fit(x, codes[1])
    indicators = np.eye(3)[codes[0]]
    brier = ((indicators - trees.predict_proba(x_test)) ** 2).sum(axis=1).mean()
    constant = ((indicators - indicators.mean(axis=0)) ** 2).sum(axis=1).mean()
    found = metrics.utility_by_column(source, source, real, random_state=0).tstr[2]
    assert found == pytest.approx(1 - brier / constant, abs=0.02)


def test_a_dependence_by_chance_earns_nothing():
    # two binary columns: any rule of the right sign has the area under the curve of the true one
    rng = np.random.RandomState(0)
    first = rng.randint(2, size=4000)
    table = np.column_stack([first, first ^ (rng.uniform(size=4000) < 0.2)]).astype(bool)
    for seed in range(6):
        independent = shuffled(table, seed)
        assert metrics.utility(table[:2000], independent, table[2000:], random_state=0) < 0.2
    assert metrics.utility(table[:2000], table[:2000], table[2000:], random_state=0) == 1


def test_utility_is_one_for_fresh_rows_and_nothing_for_independent_columns():
    train, fresh, test = (with_missing(mixed(500, seed), seed + 9) for seed in range(3))
    assert metrics.utility(train, fresh, test, random_state=0) == pytest.approx(1, abs=0.1)
    assert metrics.utility(train, shuffled(train, 3), test, random_state=0) < 0.15
    assert metrics.utility(train, train, test, max_rows=500, random_state=0) == pytest.approx(1, abs=0.1)


def test_utility_by_column_finds_the_column_that_is_not_learnt():
    train, synthetic, test = mixed(600, 0), mixed(600, 1), mixed(600, 2)
    synthetic[:, 2] = np.random.RandomState(3).permutation(synthetic[:, 2])
    skills = metrics.utility_by_column(train, synthetic, test, random_state=0)
    assert skills.trtr[2] > 0.8 and skills.tstr[2] < 0.2
    total = metrics.utility(train, synthetic, test, random_state=0)
    assert total == pytest.approx(skills.tstr.sum() / skills.trtr.sum())


def test_categories_that_are_never_drawn_teach_nothing():
    real, synthetic = mixed(500, 0), mixed(500, 1)
    synthetic = synthetic[synthetic[:, 2] == "b"]
    assert metrics.utility_by_column(real, synthetic, real, random_state=0).tstr[2] == 0
    two_levels = mixed(500, 2)
    two_levels = two_levels[two_levels[:, 2] != "a"]
    found = metrics.utility_by_column(real, two_levels, real, random_state=0)
    # a quarter of the test rows has the lost level and no skill, the others can still be told apart in part
    assert 0 < found.tstr[2] < 0.8 < found.trtr[2]


def test_targets_of_many_categories_and_of_none():
    rng = np.random.RandomState(0)
    codes = rng.randint(40, size=(600, 1))
    table = np.column_stack([codes, codes + 0.1 * rng.normal(size=(600, 1)), np.zeros(600)])
    found = metrics.utility_by_column(table, table, table, categorical_features=[0, 2], random_state=0)
    assert found.trtr[0] > 0.6 and found.trtr[1] > 0.9 and found.trtr[2] == 0
    constant = np.zeros((10, 2))
    assert np.isnan(metrics.utility(constant, constant, constant))
    gone = np.column_stack([np.full(30, np.nan), rng.normal(size=30)])
    assert metrics.tstr(gone, gone) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="two columns or more"):
        metrics.tstr(constant[:, :1], constant[:, :1])


def test_no_skill_is_below_nothing():
    skills = [metrics.utility_by_column(mixed(200, 0), shuffled(mixed(200, 1), s), mixed(200, 2)) for s in (3, 4)]
    found = np.array([skill.tstr for skill in skills])
    assert (found >= 0).all() and (found == 0).any(axis=0).sum() > 1


def test_rare_categories_of_a_target_are_one():
    rng = np.random.RandomState(0)
    levels = np.where(rng.uniform(size=1500) < 0.8, rng.randint(10, size=1500), rng.randint(10, 40, size=1500))
    table = np.column_stack([levels, levels + 0.1 * rng.normal(size=1500)])
    source, test = table[:1000], table[1000:]
    relabelled = source.copy()
    relabelled[source[:, 0] >= 10, 0] = rng.permutation(source[source[:, 0] >= 10, 0])
    found = metrics.utility_by_column(source, relabelled, test, categorical_features=[0], random_state=0)
    assert found.tstr[0] == pytest.approx(found.trtr[0], abs=0.02)
    assert found.trtr[0] > 0.8


def test_both_teachers_have_as_many_rows():
    train, test = mixed(600, 0), mixed(600, 1)
    few, many = (metrics.utility_by_column(train, train[:n], test, random_state=0) for n in (60, 600))
    assert few.trtr[2] < many.trtr[2] - 0.05


def test_utility_is_repeatable_and_leaves_no_trace():
    rows = mixed(300, 0)
    before = np.random.get_state()[1].copy()
    scores = [metrics.tstr(rows[:150], rows[150:], max_rows=100, random_state=seed) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
    assert (before == np.random.get_state()[1]).all()


def test_trustworthiness_is_that_of_sklearn_and_continuity_the_same_turned_round():
    rng = np.random.RandomState(0)
    x = rng.normal(size=(120, 4))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    z = x[:, :2]
    found = metrics.trustworthiness_continuity(x, z, n_neighbors=7, random_state=0)
    assert_allclose(found, [trustworthiness(x, z, n_neighbors=7), trustworthiness(z, x, n_neighbors=7)])


def test_folding_costs_trust_and_tearing_costs_continuity():
    line = np.linspace(-1, 1, 400)[:, None]
    folded = metrics.trustworthiness_continuity(line, np.abs(line))
    torn = metrics.trustworthiness_continuity(line, np.where(line > 0, line + 9, np.abs(line) * 0.99 - 9))
    assert folded[0] < 0.8 and folded[1] > 0.98
    angle = np.linspace(0, 2 * np.pi, 401)[:-1]
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    cut = metrics.trustworthiness_continuity(circle, angle[:, None])
    assert cut[1] < cut[0] and cut[0] > 0.99
    assert torn[0] > 0.99
    rng = np.random.RandomState(0)
    assert metrics.trustworthiness_continuity(circle, rng.normal(size=(400, 1)))[0] == pytest.approx(0.5, abs=0.1)


def test_trustworthiness_of_a_mixed_table_and_its_limits():
    table, z = with_missing(mixed(100, 0), 1), np.arange(100.0)[:, None]
    scores = metrics.trustworthiness_continuity(table, z, max_rows=60, random_state=0)
    assert all(0 <= score <= 1 for score in scores)
    with pytest.raises(ValueError, match="one row for each of the 100 rows of X, got 99"):
        metrics.trustworthiness_continuity(table, z[:99])
    with pytest.raises(ValueError, match="n_neighbors == 30, must be <= 29"):
        metrics.trustworthiness_continuity(table, z, n_neighbors=30, max_rows=60)


def test_manifold_distance_is_the_mean_and_its_unit_the_noise():
    roll = make_swiss_roll_nd(n_samples=400, noise=0.3, random_state=0)
    expected = roll.distance(roll.data).mean()
    assert metrics.manifold_distance(roll.data, roll.distance) == pytest.approx(expected)
    assert metrics.manifold_distance(roll.data, roll.distance, reference=roll.data) == pytest.approx(1)
    halfway = (roll.data + roll.clean) / 2
    assert metrics.manifold_distance(halfway, roll.distance, reference=roll.data) == pytest.approx(0.5, abs=0.05)
    with pytest.raises(ValueError, match="reference must have rows off the manifold"):
        metrics.manifold_distance(roll.data, lambda rows: 0 * rows[:, 0], reference=roll.data)


def test_tangent_angle_between_two_planes_is_their_largest_principal_angle():
    rng = np.random.RandomState(0)
    turn = 0.4
    first = np.eye(4)[:2]
    second = np.array([[np.cos(turn), 0, np.sin(turn), 0], [0, 1, 0, 0]])
    square = rng.uniform(-1, 1, size=(500, 2))
    a, b = square @ first, square @ second
    # a reference of unit variance leaves the space as it is
    unit = np.vstack([np.eye(4), -np.eye(4)]) * 2
    found = metrics.tangent_angle(a, b, n_components=2, reference=unit)
    assert found == pytest.approx(subspace_angles(first.T, second.T).max(), abs=1e-6)
    assert found == pytest.approx(turn, abs=1e-6)


def test_tangent_angle_of_fresh_rows_is_small_and_of_noise_is_not():
    torus, fresh = (make_torus(n_samples=2000, random_state=seed).data for seed in (0, 1))
    noise = fresh + np.random.RandomState(2).normal(size=fresh.shape)
    scores = [metrics.tangent_angle(torus, rows, n_components=2, random_state=0) for rows in (fresh, noise)]
    assert scores[0] < 0.3 < 0.8 < scores[1] < np.pi / 2


def test_tangent_angle_refuses_what_has_no_plane():
    rows = np.random.RandomState(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match="n_components == 4, must be <= 3"):
        metrics.tangent_angle(rows, rows, n_components=4)
    with pytest.raises(ValueError, match="n_neighbors == 2, must be >= 3"):
        metrics.tangent_angle(rows, rows, n_components=2, n_neighbors=2)
    with pytest.raises(ValueError, match="n_neighbors == 20, must be <= 19"):
        metrics.tangent_angle(rows, rows, n_components=2, n_neighbors=20)
    with pytest.raises(TypeError, match="must hold numbers, got 'a'"):
        metrics.tangent_angle([["a"], ["b"]], [["a"], ["b"]], n_components=1)
