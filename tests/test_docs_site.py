"""The site: its reference has every public name, and the check of built pages finds what is broken."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest

import skmdiff

ROOT = Path(__file__).parent.parent


@pytest.fixture
def load(monkeypatch):
    """A module of the site's tools by name."""

    def load(name):
        monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
        monkeypatch.syspath_prepend(str(ROOT / ".ci"))
        return importlib.import_module(name)

    yield load
    for name in ("reference_pages", "root_documents", "check_site"):
        sys.modules.pop(name, None)


@pytest.fixture
def reference(load):
    return dict(load("reference_pages").pages())


@pytest.mark.parametrize("module", [skmdiff, skmdiff.metrics, skmdiff.inspection, skmdiff.datasets, skmdiff.pipeline])
def test_every_public_name_is_in_the_reference(module, reference):
    text = "".join(reference.values())
    for name in module.__all__:
        assert f"* - :doc:`{name} <" in reference["names.txt"]
        assert any(f"auto{kind}:: {name}\n" in text for kind in ("class", "exception", "function", "data")), name


def test_every_public_module_is_listed(reference):
    files = {path.name.removesuffix(".py") for path in (ROOT / "skmdiff").iterdir() if not path.name.startswith("_")}
    for module in files - {"data", "py.typed"}:
        assert f"\nskmdiff.{module}\n----" in reference["names.txt"]


def test_methods_of_a_class_are_on_its_page(reference):
    page = reference["skmdiff.ManifoldDiffusionSampler.rst"]
    listed = page.partition(":members: ")[2].partition("\n")[0].split(", ")
    cls = skmdiff.ManifoldDiffusionSampler
    own = {n for n in dir(cls) if n[0] != "_" and getattr(inspect.getattr_static(cls, n), "__doc__", None)}
    assert {"fit", "sample", "score_samples", "save", "explore"} <= set(listed) <= own
    assert own - set(listed) == set(page.partition("Of scikit-learn: ``")[2].partition("``.")[0].split("``, ``"))


def test_pages_differ_by_more_than_case(reference):
    assert len({name.lower() for name in reference}) == len(reference)


def test_help_of_every_command_is_in_the_reference(reference):
    for command in ("fit", "sample", "impute", "report", "demo"):
        assert f"usage: skmdiff {command} [-h]" in reference["command_line.rst"]


def test_a_section_of_the_readme_is_a_page(load):
    documents = load("root_documents")
    assert documents.section_of("# A\n\n## B\n\nb\n\n## C d\n\nc\n", "C d") == "# C d\n\nc\n"
    for file, title in documents.DOCUMENTS.values():
        assert title is None or title in documents.titles((ROOT / file).read_text(encoding="utf-8"))
    assert documents.from_docs("[a](docs/b.md) [c](examples/d.py)") == "[a](b.md) [c](../examples/d.py)"


def test_broken_links_are_found(load, tmp_path):
    (tmp_path / "good.html").write_text('<a href="other.html#here">x</a><a href="https://example.org/">y</a>')
    (tmp_path / "other.html").write_text('<p id="here"></p><script src="https://example.org/a.js"></script>')
    (tmp_path / "bad.html").write_text('<a href="#nowhere">x</a><a href="good.html#here">y</a><img src="lost.png">')
    assert load("check_site").faults(tmp_path) == [
        "bad.html: #nowhere leads nowhere",
        "bad.html: good.html#here leads nowhere",
        "bad.html: lost.png leads nowhere",
        "other.html: https://example.org/a.js is loaded from elsewhere",
    ]
