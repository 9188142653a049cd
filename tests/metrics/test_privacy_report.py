"""The privacy report: what copies, fresh rows and rows between must score, invariances, coverage of the intervals."""

import numpy as np
import pytest
from metric_tables import mixed, with_missing
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from skmdiff import metrics
from skmdiff.metrics import _attacks, _intervals, privacy_report

# the measures that use no random half of the held-out rows
WITHOUT_HALVES = ["copies", "copies_excess", "nearer_to_train", "memorisation_excess", "distance_auc", "distance_tpr"]


def normal(n_samples, seed, n_columns=3):
    return np.random.RandomState(seed).normal(size=(n_samples, n_columns))


def interpolated(rows, seed):
    """As SMOTE makes them: between a row and one of its five neighbours."""
    rng = np.random.RandomState(seed)
    neighbours = NearestNeighbors(n_neighbors=5).fit(rows).kneighbors(return_distance=False)
    other = rows[neighbours[np.arange(len(rows)), rng.randint(5, size=len(rows))]]
    return rows + rng.uniform(size=(len(rows), 1)) * (other - rows)


@pytest.fixture(scope="module")
def tables():
    return tuple(with_missing(mixed(500, seed), seed + 9) for seed in range(3))


@pytest.fixture(scope="module")
def of_fresh(tables):
    """With intervals that a dozen measures of fresh rows hardly ever leave."""
    return privacy_report(*tables, confidence=0.999, random_state=0)


@pytest.fixture(scope="module")
def of_copies(tables):
    train, _, holdout = tables
    return privacy_report(train, train, holdout, random_state=0)


def test_fresh_rows_score_what_fresh_rows_score(of_fresh):
    for measure in of_fresh.measures:
        if not np.isnan(measure.value):
            assert measure.low <= measure.value <= measure.high
            assert measure.low <= measure.fresh <= measure.high, measure
    assert of_fresh.above_fresh == [] and "whole interval: none" in str(of_fresh)


def test_copies_are_found_by_every_measure(of_copies):
    for name in ("copies", "nearer_to_train", "distance_auc", "distance_tpr"):
        assert of_copies[name].value == 1 and of_copies[name].high == 1, name
    assert of_copies["memorisation_excess"].value > 0.8 and of_copies["relative_distance_auc"].value > 0.999
    assert of_copies["density_ratio_auc"].low > 0.55
    assert of_copies["outliers_auc"].value > 0.99 and of_copies["unique_extremes"].value == 1
    assert {"copies_excess", "nearer_to_train", "distance_auc", "distance_tpr"} <= set(of_copies.above_fresh)
    assert (of_copies.risk > 0.99).all()
    assert {extreme.n_returned for extreme in of_copies.extremes} == {1}


def test_rows_between_training_rows_score_between():
    train, fresh, holdout = (normal(600, seed) for seed in range(3))
    reports = [privacy_report(train, rows, holdout, random_state=0) for rows in (fresh, interpolated(train, 3), train)]
    for name in (
        "nearer_to_train",
        "memorisation_excess",
        "distance_auc",
        "relative_distance_auc",
        "density_ratio_auc",
    ):
        values = [report[name].value for report in reports]
        assert values == sorted(values) and values[1] > values[0] + 0.1, name
    assert reports[1]["density_ratio_auc"].low > 0.5
    assert reports[1]["copies"].value == 0


def test_the_measures_are_those_of_the_functions(tables, of_fresh):
    train, synthetic, holdout = tables
    assert of_fresh["nearer_to_train"].value == metrics.dcr_share(train, holdout, synthetic)
    assert of_fresh["memorisation_excess"].value == metrics.memorisation_excess(train, holdout, synthetic)
    tpr, auc = metrics.membership_inference(train, holdout, synthetic)
    assert of_fresh["distance_auc"].value == pytest.approx(auc) and of_fresh["distance_tpr"].value == tpr
    assert of_fresh["copies"].value == metrics.copy_share(train, synthetic)


def test_order_of_rows_and_columns_and_units_do_not_count(tables, of_fresh):
    rng = np.random.RandomState(0)
    shuffled = privacy_report(*(table[rng.permutation(len(table))] for table in tables), random_state=1)
    turned = privacy_report(*(table[:, ::-1] for table in tables), random_state=0)
    units = [table.copy() for table in tables]
    for table in units:
        table[:, 1] = 1000 * table[:, 1].astype(float) + 7
    in_units = privacy_report(*units, random_state=0)
    for name in WITHOUT_HALVES:
        for other in (shuffled, turned, in_units):
            assert other[name].value == pytest.approx(of_fresh[name].value), name
    for name in ("relative_distance_auc", "outliers_auc", "density_ratio_auc"):
        assert in_units[name].value == pytest.approx(of_fresh[name].value, abs=0.01)
    np.testing.assert_allclose(turned.risk, of_fresh.risk)
    np.testing.assert_array_equal(turned.is_outlier, of_fresh.is_outlier)


def test_risk_belongs_to_the_training_row_that_was_copied():
    train, synthetic, holdout = (normal(400, seed) for seed in range(3))
    synthetic[:40] = train[100:140]
    risk = privacy_report(train, synthetic, holdout, random_state=0).risk
    assert risk.shape == (400,) and (risk[100:140] == 1).all()
    rest = np.delete(risk, np.arange(100, 140))
    # ranks of fresh rows are uniform: their mean has a standard error of about .03
    assert rest.mean() == pytest.approx(0.5, abs=0.1) and rest.std() == pytest.approx(1 / np.sqrt(12), abs=0.05)


def test_rows_beyond_the_limit_have_no_risk_and_copies_are_counted_among_all():
    train, holdout = normal(900, 0), normal(900, 1)
    report = privacy_report(train, train, holdout, max_rows=100, random_state=0)
    assert np.isfinite(report.risk).sum() == 100 and report["distance_auc"].n_rows == 100
    assert report["copies"].n_rows == 900 and report["distance_auc"].value == 1


def test_outliers_are_measured_apart():
    train, synthetic, holdout = (normal(400, seed, 2) for seed in range(3))
    for table in (train, holdout):
        table[:20] = 10 * table[:20] + 30
    synthetic[:20] = train[:20]
    report = privacy_report(train, synthetic, holdout, outlier_fraction=0.04, random_state=0)
    assert report.is_outlier[:20].sum() >= 15 and report.is_outlier[20:].sum() <= 5
    assert report["outliers_auc"].low > 0.7 and report["relative_distance_auc"].value < 0.6


def test_rows_with_a_rare_category_are_measured_apart():
    rng = np.random.RandomState(0)
    tables = []
    for x in (normal(600, seed, 2) for seed in range(3)):
        category = np.where(rng.uniform(size=600) < 0.08, rng.randint(1000, size=600).astype(str), "common")
        tables.append(np.column_stack([x.astype(object), category]))
    train, synthetic, holdout = tables
    rare = train[:, 2] != "common"
    synthetic[: rare.sum()] = train[rare]
    report = privacy_report(train, synthetic, holdout, random_state=0)
    np.testing.assert_array_equal(report.has_rare_category, rare)
    assert report["rare_categories_auc"].value == 1 and report["rare_categories_auc"].n_rows == rare.sum()
    assert report["relative_distance_auc"].value < 0.6


def test_unique_extremes_and_how_often_they_come_back():
    train = np.column_stack([np.arange(50.0), np.r_[np.zeros(25), np.arange(25)]])
    synthetic = np.column_stack([np.r_[[49.0] * 3, np.arange(27)], np.r_[[24.0] * 2, np.full(28, 0.5)]])
    holdout = np.column_stack([np.arange(50) + 0.5, np.arange(50) + 0.5])
    report = privacy_report(train, synthetic, holdout, random_state=0)
    assert report.extremes == [("x0", "least", 1), ("x0", "greatest", 3), ("x1", "greatest", 2)]
    assert report["unique_extremes"].value == 1 and report["unique_extremes"].n_rows == 3
    # half a step above nought is the least value of the second held-out column, and it is there
    assert report["unique_extremes"].fresh == 0.25


def test_text_frame_and_dict_hold_all_measures(of_fresh):
    pytest.importorskip("pandas")
    names = [measure.name for measure in of_fresh.measures]
    assert list(of_fresh.to_frame().index) == names == list(of_fresh.to_dict())
    assert all(f"\n{name} " in str(of_fresh) for name in names)
    assert all(measure.meaning for measure in of_fresh.measures)
    with pytest.raises(KeyError, match="no measure 'auc'; it has copies"):
        of_fresh["auc"]


def test_frames_of_pandas_and_polars_with_dates_and_missing_cells_score_alike():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    rng = np.random.RandomState(0)

    def frame():
        days = pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.randint(900, size=80), unit="D")
        x = np.where(rng.uniform(size=80) < 0.2, np.nan, rng.normal(size=80))
        return pandas.DataFrame({"x": x, "day": days, "city": rng.choice(["a", "b", None], 80)})

    frames = [frame() for _ in range(3)]
    report = privacy_report(*frames, random_state=0)
    assert str(privacy_report(*map(polars.from_pandas, frames), random_state=0)) == str(report)
    assert {extreme.column for extreme in report.extremes} <= {"x", "day"}


def test_bad_parameters_are_named():
    rows = normal(30, 0)
    with pytest.raises(ValueError, match=r"20 row\(s\).*got shape \(19, 3\)"):
        privacy_report(rows, rows[:19], rows)
    with pytest.raises(ValueError, match=r"the same columns, got \[3, 3, 2\]"):
        privacy_report(rows, rows, rows[:, :2])
    for name, value in [("max_rows", 5), ("rare_count", 0), ("outlier_fraction", 1.5), ("confidence", 1.0)]:
        with pytest.raises(ValueError, match=name):
            privacy_report(rows, rows, rows, **{name: value})


# --- the intervals


@pytest.mark.parametrize(("count", "n"), [(0, 10), (10, 10), (3, 17), (1, 400)])
def test_intervals_of_fractions_are_those_of_scipy(count, n):
    for method, interval in [
        ("exact", _intervals.fraction_interval(count, n, 0.9)),
        ("wilson", _intervals.wilson_interval(count / n, n, 0.9)),
    ]:
        expected = binomtest(count, n).proportion_ci(0.9, method=method)
        assert interval == pytest.approx((expected.low, expected.high))


def test_the_interval_of_a_difference_is_that_of_newcombe():
    # Newcombe (1998), table II: 56/70 - 48/80, and 10/10 - 0/10, by method 10
    assert _intervals.difference_interval(56 / 70, 70, 48 / 80, 80, 0.95) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert _intervals.difference_interval(1, 10, 0, 10, 0.95) == pytest.approx((0.6075, 1.0), abs=5e-5)


def test_the_interval_of_an_area_is_exact_in_the_middle_and_turns_with_the_labels():
    # the variance of the Mann-Whitney statistic of equal distributions: (m + n + 1) / (12 m n)
    assert _intervals._area_variance(0.5, 30, 70) == pytest.approx(101 / (12 * 30 * 70))
    for area in (0.0, 0.2, 0.5, 0.97, 1.0):
        low, high = _intervals.area_interval(area, 30, 70, 0.95)
        assert 0 <= low <= area <= high <= 1 and high - low > 0.01
        assert _intervals.area_interval(1 - area, 70, 30, 0.95) == pytest.approx((1 - high, 1 - low))


def test_the_rate_is_the_best_of_all_thresholds():
    rng = np.random.RandomState(0)
    for n_others in (7, 100, 300):
        members, others = rng.randint(40, size=90), rng.randint(30, size=n_others)
        best = max(np.mean(members > t) for t in range(-1, 41) if np.mean(others > t) <= 0.01)
        assert _intervals.rate_at(members, others, 0.01) == pytest.approx(best)
        low, high = _intervals.rate_interval(members, others, 0.01, 0.95)
        assert low <= best <= high


def test_ranks_are_those_of_all_pairs_and_their_mean_is_the_area():
    rng = np.random.RandomState(0)
    members, others = rng.randint(9, size=40), rng.randint(9, size=30)
    pairs = (members[:, None] > others) + (members[:, None] == others) / 2
    found = _attacks.ranks((members, others))
    np.testing.assert_allclose(found, pairs.mean(axis=1))
    assert found.mean() == pytest.approx(roc_auc_score(np.repeat([1, 0], [40, 30]), np.r_[members, others]))


def coverage(report_of_run, truths, n_runs):
    """For each measure the fraction of the runs whose interval holds the truth."""
    reports = [report_of_run(run) for run in range(n_runs)]
    return {name: np.mean([r[name].low <= truth <= r[name].high for r in reports]) for name, truth in truths.items()}


@pytest.mark.slow
def test_intervals_hold_what_fresh_rows_score_as_often_as_said():
    truths = dict.fromkeys(
        ["nearer_to_train", "distance_auc", "relative_distance_auc", "density_ratio_auc", "outliers_auc"], 0.5
    )
    truths |= {"memorisation_excess": 0.0, "copies_excess": 0.0, "distance_tpr": 0.01, "density_ratio_tpr": 0.01}

    def report_of_run(run):
        rows = np.random.RandomState(run).normal(size=(450, 2))
        return privacy_report(rows[:150], rows[150:300], rows[300:], random_state=run)

    found = coverage(report_of_run, truths, 300)
    # .95 minus three standard errors of a fraction of 300 runs
    assert min(found.values()) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300), found


@pytest.mark.slow
def test_intervals_hold_the_mean_where_a_fifth_of_the_training_rows_is_copied():
    """The area is 1 for a copied member, against all others, and 1 / 2 for one that was not copied, but for chance."""

    def report_of_run(run):
        rows = np.random.RandomState(run).normal(size=(600, 2))
        train, fresh, holdout = np.split(rows, 3)
        return privacy_report(train, np.vstack([fresh, train[:40]]), holdout, random_state=run)

    names = ["distance_auc", "relative_distance_auc", "nearer_to_train", "memorisation_excess"]
    # the truth is the mean of other runs; copies lie a little nearer to training rows that were not copied, too
    others = [report_of_run(1000 + run) for run in range(100)]
    truths = {name: np.mean([report[name].value for report in others]) for name in names}
    assert truths["distance_auc"] == pytest.approx(0.2 + 0.8 / 2, abs=0.02)
    found = coverage(report_of_run, truths | {"copies": 40 / 240}, 100)
    assert min(found.values()) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 100), found
