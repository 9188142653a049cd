"""The page of a report: whole and well formed, escaped, every number in it, its headings in order, no network."""

import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from metric_tables import mixed, with_missing
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmdiff import __version__, metrics

pandas = pytest.importorskip("pandas")
NAMES = ["<script>alert(1)</script>", 'a & "b"', "size"]
VOID = {"meta", "img", "link", "br", "rect", "line", "circle"}


class Page(HTMLParser):
    """Tags opened and closed in order, elements with their attributes, headings, cells and texts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.headings, self.cells, self.text = [], [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if any(re.fullmatch("h[1-6]", tag) for tag in self.open):
            level, said = self.headings[-1]
            self.headings[-1] = (level, said + data)
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def found():
    tables = [with_missing(mixed(200, seed), seed + 9) for seed in range(3)]
    frames = [pandas.DataFrame(table, columns=NAMES).astype({NAMES[2]: "category"}) for table in tables]
    frames = [frame.astype({NAMES[0]: float, NAMES[1]: float}) for frame in frames]
    sampler = make_pipeline(StandardScaler(), KernelDensity(bandwidth=0.25, kernel="tophat"))
    return metrics.report(*frames, random_state=0, sampler=sampler, names=["<b>.csv", "new.csv", "old.csv"])


@pytest.fixture(scope="module")
def text(found, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    found.to_html(path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_is_well_formed_and_stands_alone(page, text):
    assert text.startswith("<!DOCTYPE html>") and not page.open
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"https?:|//\w|url\(|@import|javascript:", re.sub(r"base64,[^\"]*", "", text))
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert attributes.get("href", "#").startswith("#")


def test_texts_of_the_user_are_escaped(page, text):
    assert "<script" not in text and "<b>.csv" not in text
    cells = [cell.strip() for cell in page.cells]
    assert set(NAMES) <= set(cells) and "<b>.csv" in page.text
    assert any(NAMES[0] in image["alt"] for image in page.of("img"))


def test_every_number_of_the_report_is_in_the_page(found, page):
    cells = [cell.strip() for cell in page.cells]
    for m in found.measures:
        start = next(k for k, cell in enumerate(cells) if cell.startswith(m.name) and m.misleads[1:] in cell)
        assert m.sees in cells[start] and m.better in cells[start]
        ideal = m.ideal if isinstance(m.ideal, str) else f"{m.ideal:.4g}"
        assert cells[start + 1 : start + 5] == [*(f"{v:.4g}" for v in (m.value, m.floor, m.ceiling)), ideal]
        assert cells[start + 6].endswith(m.grade)
    for column in found.columns:
        start = cells.index(column.name)
        assert cells[start + 1 : start + 5] == [f"{value:.4g}" for value in column[1:]]
    for pair in found.pairs:
        start = cells.index(f"{pair.first}, {pair.second}")
        assert cells[start + 1 : start + 3] == [f"{value:.4g}" for value in pair[2:]]
    for verdict in found.verdict:
        assert verdict.text in page.text
    for note in found.notes:
        assert note in page.text


def test_headings_stand_in_order(page):
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    titles = [said for level, said in page.headings if level == 2]
    assert titles == [
        "Verdict", "Measures", "Columns and pairs", "Pictures", "What was fitted", "What was compared",
    ]  # fmt: skip


def test_readers_without_a_mouse_or_eyes(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    [skip] = page.of("a")
    assert skip["href"][1:] in ids
    assert page.of("html") == [{"lang": "en"}] and {"name": "viewport"}.items() <= page.of("meta")[1].items()
    assert len(page.of("table")) == len(page.of("caption"))
    assert {attributes["scope"] for attributes in page.of("th")} == {"col", "row"}
    assert all(attributes["tabindex"] == "0" for attributes in page.of("div") if attributes.get("class") == "scroll")
    assert all(attributes["alt"] for attributes in page.of("img"))
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in page.of("svg"))
    assert len(page.of("details")) == len(page.of("summary")) > 18


def contrast(first, second):
    """The contrast of two colours #rrggbb by WCAG 2.1."""

    def luminance(colour):
        parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_read_in_light_and_dark(text):
    assert "prefers-color-scheme: dark" in text and "@media print" in text
    modes = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in text.split(":root {")[1:3]]
    for colours in modes:
        for name in ("good", "usable", "bad", "none"):
            assert contrast(colours[name], colours[f"{name}-wash"]) >= 4.5
        for ground in ("back", "card"):
            assert min(contrast(colours[name], colours[ground]) for name in ("text", "soft", "good", "bad")) >= 4.5


def test_dots_lie_where_the_values_are(page, found):
    """The dot of c2st between the ends of its bar, by hand: the right end is the ceiling, the left one the floor."""
    rows = [m for m in found.measures if m.grade not in ("cannot tell", "not measured")]
    dots = [float(attributes["cx"]) for attributes in page.of("circle")]
    assert len(dots) == len(rows) == len(page.of("svg"))
    c2st, best = found["c2st"], max(found["c2st"].ceiling, 0.5)
    part = np.clip((c2st.floor - c2st.value) / (c2st.floor - best), 0, 1)
    assert dots[[m.name for m in rows].index("c2st")] == pytest.approx(8 + 112 * part, abs=0.06)


def test_what_was_fitted_is_said(found, page):
    assert found.fitted == {
        "sampler": "KernelDensity",
        "parameters that are not default": "bandwidth=0.25, kernel=tophat",
    }
    assert "bandwidth=0.25, kernel=tophat" in page.text and f"Written by skmdiff {__version__} on 20" in page.text


def test_without_matplotlib_the_page_says_how_to_get_pictures(found, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    path = tmp_path / "report.html"
    found.to_html(path)
    page = Page(path.read_text(encoding="utf-8"))
    assert not page.of("img") and 'Pictures need matplotlib: pip install "skmdiff[plot]"' in page.text


def test_a_picture_is_of_the_columns_in_order_of_their_errors(found):
    picture = found.pictures[0]
    errors = {c.name: c.shape_error - c.shape_ceiling for c in found.columns}
    assert picture.display.names == sorted(NAMES, key=errors.get, reverse=True)
    figure = picture.draw(picture.display)
    titles = [ax.get_title().partition("\n")[0] for ax in figure.axes]  # the fractions of missing cells follow
    assert titles[: len(NAMES)] == picture.display.names


def test_a_picture_is_of_the_pairs_that_differ_most(found):
    picture = found.pictures[1]
    difference = np.abs(picture.display.difference_)
    first = [picture.display.names.index(name) for name in picture.display.pairs[0].names]
    assert difference[tuple(first)] == difference.max() and " and ".join(picture.display.pairs[0].names) in picture.alt
    assert len(picture.draw(picture.display).axes) >= 3 + 2 * len(picture.display.pairs)


@pytest.mark.slow
@pytest.mark.parametrize("container", ["array", "polars"])
def test_tables_of_other_kinds_have_the_same_page(container, tmp_path):
    tables = [mixed(60, seed) for seed in range(3)]
    if container == "polars":
        polars = pytest.importorskip("polars")
        tables = [
            polars.DataFrame({"x": t[:, 0].astype(float), "y": t[:, 1].astype(float), "z": t[:, 2].astype(str)})
            for t in tables
        ]
    found = metrics.report(*tables, random_state=0)
    found.to_html(tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not page.open and len(page.of("img")) == 2
    assert sorted(found.pictures[0].display.names) == (["x", "y", "z"] if container == "polars" else ["x0", "x1", "x2"])


def test_the_fragment_of_a_notebook_holds_verdict_and_measures(found):
    fragment = Page(found._repr_html_())
    cells = [cell.strip() for cell in fragment.cells]
    assert not fragment.open and cells.count("c2st") == 1 and found.verdict[0].text in fragment.text


@pytest.mark.parametrize("copied", [False, True])
def test_the_page_of_privacy_says_what_is_above_fresh_rows(tmp_path, copied):
    train, synthetic, held_out = (pandas.DataFrame(mixed(100, seed), columns=NAMES) for seed in range(3))
    found = metrics.privacy_report(train, train if copied else synthetic, held_out, random_state=0)
    found.to_html(tmp_path / "privacy.html")
    text = (tmp_path / "privacy.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open and "<script" not in text and not re.search(r"https?:|//\w", text)
    cells = [cell.strip() for cell in page.cells]
    for m in found.measures:
        start = next(k for k, cell in enumerate(cells) if cell.startswith(f"{m.name} ") and m.meaning in cell)
        assert cells[start + 1 : start + 5] == [
            "–" if np.isnan(value) else f"{value:.4g}" for value in (m.value, m.low, m.high, m.fresh)
        ]
        assert cells[start + 5] == str(m.n_rows)
    levels = [level for level, _ in page.headings]
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert "No measure proves privacy" in page.text
    grades = {
        m.name: cells[next(k for k, c in enumerate(cells) if c.startswith(f"{m.name} ")) + 7] for m in found.measures
    }
    for m in found.measures:
        above = m.name in found.above_fresh or f"{m.name}_excess" in found.above_fresh
        assert grades[m.name].endswith("some sign") == above, m
        assert grades[m.name].endswith("no sign") <= (m.high - m.fresh <= 0.1), m
    if copied:
        assert page.headings[2][1].endswith("clear sign") and "copies_excess" in found.above_fresh
        assert f"by the whole interval: {', '.join(found.above_fresh)}." in page.text
        assert {NAMES[0], NAMES[1]} <= set(cells)  # both ends of the numbers are held by one row and come back
