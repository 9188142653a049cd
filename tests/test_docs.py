"""The code of the documents runs, and the links between them lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *(path for path in ROOT.glob("docs/**/*.md") if "_build" not in path.parts)]
# docs/recipes.md and docs/metrics.md have tests of their own, which look at what their code makes
RUN = ["install.md", "tour.md", *sorted(f"user_guide/{path.name}" for path in ROOT.glob("docs/user_guide/*.md"))]


def anchor(heading):
    """The anchor of a heading, as pages of Markdown have it."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def blocks(path):
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / path).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, heading = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in map(anchor, headings), link


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in RUN if blocks(path)])
def test_the_code_of_a_page_runs(path, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(path):
        exec(block, names)  # it asserts what it promises
