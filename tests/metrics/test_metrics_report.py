"""The report: what its candidates are, what copies and shuffled columns must show, text, frame and page."""

import sys
from html.parser import HTMLParser

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
    lines = str(fresh_report).splitlines()
    assert repr(fresh_report) == str(fresh_report)
    assert lines[0].split() == ["measure", "value", "floor", "ceiling", "ideal", "better"]
    frame = fresh_report.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    for line, (name, row) in zip(lines[1:], frame.iterrows(), strict=False):
        assert line.split()[:4] == [name, *(f"{row[k]:.4g}" for k in ("value", "floor", "ceiling"))]
    assert frame.loc["c2st", "ideal"] == 0.5 and frame.loc["energy_distance", "ideal"] == "ceiling"
    with pytest.raises(KeyError, match="no measure 'fid'; it has shape_error, "):
        fresh_report["fid"]


class Page(HTMLParser):
    """Tags opened and closed in order, all attributes, and the text of the cells."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.cells = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.cells[-1] += data


def test_the_page_stands_alone_and_escapes_the_names_of_columns(tables, tmp_path):
    pandas = pytest.importorskip("pandas")
    names = ["<script>x</script>", "a & b", "level"]
    frames = [pandas.DataFrame(table, columns=names).astype({names[2]: "category"}) for table in tables]
    result = metrics.report(*frames, max_rows=20, random_state=0)
    path = tmp_path / "report.html"
    result.to_html(path)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open and not page.tags & {"script", "link", "img", "iframe"}
    assert {name for name, _ in page.attributes} <= {"charset", "lang", "class", "style"}
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert set(names) <= set(page.cells)
    for k, m in enumerate(result.measures):
        name, group, *values = page.cells[8 * k : 8 * k + 8]
        assert (name, group, values[-1]) == (m.name, m.group, m.misleads)
        assert values[:3] == [f"{v:.4g}" for v in (m.value, m.floor, m.ceiling)]
    assert "color-scheme: light dark" in text
    fragment = Page(result._repr_html_())
    assert not fragment.open and fragment.cells.count("c2st") == 1


def test_without_pandas_the_text_is_there_and_the_page_names_the_extra(fresh_report, tmp_path, monkeypatch):
    text = str(fresh_report)
    monkeypatch.setitem(sys.modules, "pandas", None)  # an import of it fails
    assert str(fresh_report) == text and fresh_report._repr_html_() is None
    for write in (fresh_report.to_frame, lambda: fresh_report.to_html(tmp_path / "report.html")):
        with pytest.raises(ModuleNotFoundError, match=r'need pandas; pip install "skmdiff\[frames\]"'):
            write()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_reported_is_refused_before_anything_is_measured(tables):
    train, synthetic, test = tables
    with pytest.raises(ValueError, match="max_rows == 19, must be >= 20"):
        metrics.report(train, synthetic, test, max_rows=19)
    with pytest.raises(ValueError, match=r"must have 20 row\(s\) and 1 column or more, got shape \(19, 3\)"):
        metrics.report(train, synthetic, test[:19])
    with pytest.raises(ValueError, match=r"the same columns, got \[3, 2, 3\]"):
        metrics.report(train, synthetic[:, :2], test)


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_tables_of_numbers_alone_and_of_categories_alone(kind):
    result = metrics.report(*(dependent(kind, seed) for seed in range(3)), random_state=0)
    # 30 outsiders cannot show a rate of one in a hundred
    nothing = [m.name for m in result.measures if np.isnan([m.value, m.floor, m.ceiling]).any()]
    assert nothing == ["membership_tpr"]
    assert result["shape_error"].value < 0.4 and result["utility"].value > result["utility"].floor
