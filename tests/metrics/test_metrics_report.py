"""The report: what its candidates are, what copies and shuffled columns must show, text and frame."""

import sys

import numpy as np
import pytest
from metric_tables import mixed, with_missing

from skmdiff import metrics


def shuffled(table, seed):
    rng = np.random.RandomState(seed)
    return np.column_stack([rng.permutation(column) for column in table.T])


def dependent(kind, seed):
    """Two numbers, or two categories, of which the second follows the first."""
    rng = np.random.RandomState(seed)
    if kind == "numbers":
        return rng.normal(size=(60, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    first = rng.randint(2, size=60)
    return np.array(["a", "b"])[np.column_stack([first, first ^ (rng.uniform(size=60) < 0.2)])]


@pytest.fixture(scope="module")
def tables():
    """Training rows, fresh rows, held-out rows; the cells are missing at random."""
    return tuple(with_missing(mixed(200, seed), seed + 9) for seed in range(3))


@pytest.fixture(scope="module")
def fresh_report(tables):
    """All rows of the tables are used, so that nothing is left to chance but trees and shuffles."""
    return metrics.report(*tables, max_rows=200, random_state=0)


@pytest.fixture(scope="module")
def report_of_copies(tables):
    train, _, test = tables
    return metrics.report(train, train, test, max_rows=200, random_state=0)


def test_fresh_rows_score_as_the_ceiling_and_not_as_the_floor(fresh_report):
    for name in ("trend_error", "mutual_information_error", "c2st", "precision", "coverage", "utility"):
        m = fresh_report[name]
        assert abs(m.value - m.ceiling) < abs(m.value - m.floor), m
    for m in fresh_report.measures:
        assert np.isfinite([m.value, m.floor, m.ceiling]).all(), m
        if m.group == "privacy":
            assert m.value == pytest.approx(m.ceiling, abs=0.15), m


def test_copies_score_well_and_show_in_the_measures_of_privacy(report_of_copies):
    result = report_of_copies
    assert result["c2st"].value < 0.6 and result["coverage"].value > 0.9
    assert result["copy_share"] == result["copy_share"]._replace(value=1.0, ceiling=0.0)
    assert result["membership_auc"].value == 1 and result["membership_tpr"].value == 1
    assert result["dcr_ratio"].value == 0 and result["dcr_ratio"].ceiling > 0.6
    assert result["memorisation_excess"].value > 0.5
    assert result["dcr_share"].value > 0.6 and result["dcr_share"].ceiling == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_the_floor_is_what_shuffled_columns_score(tables):
    train, _, test = tables
    result = metrics.report(train, shuffled(train, 5), test, max_rows=200, random_state=0)
    for m in result.measures:
        # shuffled columns reach nearly all real rows here, so that recall has hardly a floor
        if m.group not in {"privacy", "columns"} and m.name != "recall":
            assert abs(m.value - m.floor) < abs(m.value - m.ceiling), m


def test_the_values_are_those_of_the_functions(tables, fresh_report, report_of_copies):
    train, synthetic, test = tables
    result = fresh_report
    assert result["shape_error"].value == pytest.approx(metrics.shape_error(test, synthetic))
    assert result["shape_error"].ceiling == pytest.approx(metrics.shape_error(test, train))
    assert result["coverage"].value == pytest.approx(metrics.prdc(test, synthetic).coverage)
    assert result["mutual_information_error"].value == pytest.approx(metrics.mutual_information_error(test, synthetic))
    assert result["copy_share"].ceiling == metrics.copy_share(train, test)
    # with copies of all rows it does not matter which half of the held-out rows is compared
    copies = report_of_copies
    assert copies["membership_auc"].value == metrics.membership_inference(train, test, train)[1]
    assert copies["dcr_ratio"].value == metrics.dcr_ratio(train, test, train)
    assert np.mean([column.shape_error for column in result.columns]) == pytest.approx(result["shape_error"].value)
    ratio = sum(c.skill_synthetic for c in result.columns) / sum(c.skill_real for c in result.columns)
    assert ratio == pytest.approx(result["utility"].value)


def test_the_same_seed_gives_the_same_report_and_the_world_stays_as_it_was():
    before = np.random.get_state()[1].copy()
    tables = [dependent("numbers", seed) for seed in range(3)]
    first, second, other = (metrics.report(*tables, max_rows=20, random_state=seed) for seed in (0, 0, 1))
    assert str(first) == str(second) != str(other)
    assert (before == np.random.get_state()[1]).all()


def test_text_frame_and_names(fresh_report):
    pandas = pytest.importorskip("pandas")
    text = str(fresh_report)
    assert repr(fresh_report) == text and text.startswith("Closeness: ")
    lines = text[text.index("\nmeasure ") + 1 :].splitlines()
    assert lines[0].split() == ["measure", "value", "floor", "ceiling", "ideal", "grade", "better"]
    frame = fresh_report.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    for line, (name, row) in zip(lines[1:], frame.iterrows(), strict=False):
        assert line.split()[:4] == [name, *(f"{row[k]:.4g}" for k in ("value", "floor", "ceiling"))]
        assert row["grade"] in line
    assert frame.loc["c2st", "ideal"] == 0.5 and frame.loc["energy_distance", "ideal"] == "ceiling"
    with pytest.raises(KeyError, match="no measure 'fid'; it has shape_error, "):
        fresh_report["fid"]
    assert "fid" not in fresh_report and "c2st" in fresh_report
    assert list(fresh_report.values()) == fresh_report.measures


def test_without_pandas_all_but_the_frame_is_there(fresh_report, tmp_path, monkeypatch):
    text, fragment = str(fresh_report), fresh_report._repr_html_()
    monkeypatch.setitem(sys.modules, "pandas", None)  # an import of it fails
    assert str(fresh_report) == text and fresh_report._repr_html_() == fragment
    with pytest.raises(ModuleNotFoundError, match=r'needs pandas; pip install "skmdiff\[frames\]"'):
        fresh_report.to_frame()
    fresh_report.to_html(tmp_path / "report.html")
    assert "c2st" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_bar_of_stages_is_asked_for(capsys):
    tables = [dependent("numbers", seed) for seed in range(3)]
    quiet = metrics.report(*tables, max_rows=20, random_state=0)
    assert capsys.readouterr().err == ""
    assert str(metrics.report(*tables, max_rows=20, random_state=0, verbose=1)) == str(quiet)
    err = capsys.readouterr().err
    assert "measuring utility" in err and "5/5" in err


def test_what_cannot_be_reported_is_refused_before_anything_is_measured(tables):
    train, synthetic, test = tables
    with pytest.raises(ValueError, match="max_rows == 19, must be >= 20"):
        metrics.report(train, synthetic, test, max_rows=19)
    with pytest.raises(ValueError, match=r"must have 20 row\(s\) and 1 column or more, got shape \(19, 3\)"):
        metrics.report(train, synthetic, test[:19])
    with pytest.raises(ValueError, match=r"the same columns, got \[3, 2, 3\]"):
        metrics.report(train, synthetic[:, :2], test)
    with pytest.raises(ValueError, match=r"names must be three, .* got \['a'\]"):
        metrics.report(train, synthetic, test, names=["a"])
    with pytest.raises(TypeError, match="sampler must be a fitted estimator with get_params, got 3"):
        metrics.report(train, synthetic, test, sampler=3)


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_tables_of_numbers_alone_and_of_categories_alone(kind):
    result = metrics.report(*(dependent(kind, seed) for seed in range(3)), random_state=0)
    # 30 outsiders cannot show a rate of one in a hundred
    nothing = [m.name for m in result.measures if np.isnan([m.value, m.floor, m.ceiling]).any()]
    assert nothing == ["membership_tpr"]
    assert result["shape_error"].value < 0.4 and result["utility"].value > result["utility"].floor
