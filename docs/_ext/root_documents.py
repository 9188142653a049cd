"""Pages that are documents at the root of the repository, or a section of one."""

import re
from pathlib import Path

# page -> file, and the section that the page is
DOCUMENTS = {
    "changelog": ("CHANGELOG.md", None),
    "contributing": ("CONTRIBUTING.md", None),
    "benchmarks/peers": ("README.md", "How good, how fast"),
}


def section_of(text: str, title: str) -> str:
    """A section of Markdown, as a document."""
    return "# " + re.split(r"^## ", text, flags=re.MULTILINE)[titles(text).index(title) + 1]


def titles(text: str) -> list[str]:
    """The titles of the sections."""
    return re.findall(r"^## (.*)$", text, flags=re.MULTILINE)


def from_docs(text: str) -> str:
    """A text of the root with its links as seen from docs."""
    return text.replace("](docs/", "](").replace("](examples/", "](../examples/")


def read_root(app, name, source) -> None:
    """Put the text of the root in the place of the page's."""
    if name in DOCUMENTS:
        file, title = DOCUMENTS[name]
        path = Path(app.srcdir).parent / file
        app.env.note_dependency(str(path))
        text = path.read_text(encoding="utf-8")
        source[0] = from_docs(section_of(text, title) if title else text)


def setup(app):
    """Read them where the pages are read."""
    app.connect("source-read", read_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
