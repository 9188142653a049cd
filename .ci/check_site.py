"""Check a built site: ``check_site.py docs/_build``.

Every local link leads to a page, and to a place on it that is there; nothing is loaded from elsewhere; every public
name has its place.
"""

import importlib
import pkgutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
# said of a page, not loaded by it
SAID = {"canonical", "search", "index", "next", "prev", "alternate"}


class Page(HTMLParser):
    """The anchors of a page, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names and where it leads."""
        found = dict(attrs)
        self.anchors.update(found[key] for key in ("id", "name") if found.get(key))
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in LOADED and found.get(LOADED[tag]) and not SAID & set((found.get("rel") or "").split()):
            self.loaded.append(found[LOADED[tag]])


def is_elsewhere(link: str) -> bool:
    """Whether a link leads out of the site."""
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def faults(folder: Path) -> list[str]:
    """What is wrong with the links of a site, a line each."""
    paths = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in paths}
    found = []
    for path, page in pages.items():
        inside = [link for link in [*page.links, *page.loaded] if not is_elsewhere(link)]
        name = path.relative_to(folder.resolve())
        found += [f"{name}: {link} leads nowhere" for link in inside if not leads_somewhere(link, path, pages)]
        remote = [link for link in page.loaded if is_elsewhere(link) and not link.startswith("data:")]
        found += [f"{name}: {link} is loaded from elsewhere" for link in remote]
    return found


def leads_somewhere(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    """Whether the page or file of a local link is there, and the place on it."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return False
    return not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].anchors


def public_names() -> list[str]:
    """The names of `__all__` of the package and of its public modules."""
    package = importlib.import_module("skmdiff")
    modules = ["skmdiff", *(f"skmdiff.{m.name}" for m in pkgutil.iter_modules(package.__path__) if m.name[0] != "_")]
    objects = {
        id(getattr(importlib.import_module(m), name)): f"{m}.{name}"
        for m in reversed(modules)
        for name in importlib.import_module(m).__all__
    }
    return sorted(objects.values())


def without_place(folder: Path) -> list[str]:
    """Public names that no page of the reference describes."""
    texts = [path.read_text(encoding="utf-8") for path in (folder / "reference").glob("*.html")]
    anchors = set().union(*(Page(text).anchors for text in texts))
    return [f"{name} is not in the reference" for name in public_names() if name not in anchors]


if __name__ == "__main__":
    built = Path(sys.argv[1])
    lines = [*faults(built), *without_place(built)]
    print("\n".join(lines) or f"{len(list(built.rglob('*.html')))} pages, all links lead somewhere")
    sys.exit(bool(lines))
