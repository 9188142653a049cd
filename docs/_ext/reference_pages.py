"""Pages of the reference, one for each public name, from the `__all__` of the public modules and the command's parser.

They are written to docs/reference before the documents are read, so that no list of names is kept by hand.
"""

import importlib
import inspect
import io
import os
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from unittest.mock import patch

from skmdiff._cli.arguments import COMMANDS, make_parser

PACKAGE = "skmdiff"
COMMAND_PAGE = "command_line"


def public_modules() -> list[str]:
    """The package and its public modules."""
    paths = importlib.import_module(PACKAGE).__path__
    return [PACKAGE, *(f"{PACKAGE}.{m.name}" for m in pkgutil.iter_modules(paths) if m.name[0] != "_")]


def public_names() -> dict[str, dict[str, tuple[str, str]]]:
    """Module -> name -> where it is described: the first module and name that it has."""
    homes: dict[int, tuple[str, str]] = {}
    names: dict[str, dict[str, tuple[str, str]]] = {}
    for module in public_modules():
        found = importlib.import_module(module)
        listed = sorted(found.__all__, key=str.lower)
        names[module] = {name: homes.setdefault(id(getattr(found, name)), (module, name)) for name in listed}
    return names


def described(names: dict[str, dict[str, tuple[str, str]]]) -> list[tuple[str, str]]:
    """Module and name of every page, in order."""
    return list(dict.fromkeys(home for homes in names.values() for home in homes.values()))


def stem(home: tuple[str, str], homes: list[tuple[str, str]]) -> str:
    """The name of a page; some file systems take PRDC and prdc for one name."""
    module, name = home
    twins = [other for other in homes if other[0] == module and other[1].lower() == name.lower()]
    return f"{module}.{name}" + ("_class" if len(twins) > 1 and inspect.isclass(value_of(home)) else "")


def value_of(home: tuple[str, str]) -> object:
    """The public object."""
    return getattr(importlib.import_module(home[0]), home[1])


def own_members(cls: type) -> list[str]:
    """Public methods and properties that the package defines."""
    own = [base for base in cls.__mro__ if base.__module__.startswith(PACKAGE)]
    return sorted({name for base in own for name, value in vars(base).items() if name[0] != "_" and is_member(value)})


def is_member(value: object) -> bool:
    """Whether it is a method or a property that has a text."""
    return (callable(value) or isinstance(value, property | classmethod)) and bool(inspect.getdoc(value))


def other_members(cls: type) -> list[str]:
    """Public methods that scikit-learn gives the class."""
    rest = sorted(set(dir(cls)) - set(own_members(cls)) - set(dir(tuple)) - set(dir(Mapping)))
    return [name for name in rest if name[0] != "_" and callable(getattr(cls, name))]


def heading(text: str, mark: str = "=") -> list[str]:
    """A heading of reStructuredText."""
    return [text, mark * len(text), ""]


def page_of(home: tuple[str, str]) -> str:
    """The page of a public name."""
    module, name = home
    public = value_of(home)
    title = f"{module}.{name}".removeprefix(f"{PACKAGE}.")
    lines = [*heading(title), f".. currentmodule:: {module}", ""]
    if not inspect.isclass(public):
        directive = "autofunction" if inspect.isroutine(public) else "autodata"
        return "\n".join([*lines, f".. {directive}:: {name}", *["   :no-value:"] * (directive == "autodata"), ""])
    if issubclass(public, BaseException):
        return "\n".join([*lines, f".. autoexception:: {name}", ""])
    members, others = own_members(public), other_members(public)
    lines += [f".. autoclass:: {name}", *[f"   :members: {', '.join(members)}"] * bool(members), ""]
    return "\n".join([*lines, *[f"Of scikit-learn: {', '.join(f'``{m}``' for m in others)}.\n"] * bool(others)])


def summary(public: object) -> str:
    """The first paragraph of a docstring; of a scorer and its like its repr."""
    if not (inspect.isclass(public) or inspect.isroutine(public)):
        return f"``{public!r}``"
    return first_paragraph(public)


def first_paragraph(public: object) -> str:
    """What the object says of itself, in one line."""
    return (inspect.getdoc(public) or "").partition("\n\n")[0].replace("\n", " ")


def names_by_module(names: dict[str, dict[str, tuple[str, str]]]) -> str:
    """The part of docs/reference.md that lists all names, with a line each."""
    homes = described(names)
    lines = []
    for module, listed in names.items():
        lines += [*heading(module, "-"), first_paragraph(importlib.import_module(module)), ""]
        lines += [".. list-table::", "   :widths: 30 70", ""]
        for name, home in listed.items():
            lines += [f"   * - :doc:`{name} </reference/{stem(home, homes)}>`", f"     - {summary(value_of(home))}"]
        lines.append("")
    lines += [*heading("Command line", "-"), f":doc:`What --help prints </reference/{COMMAND_PAGE}>`.", ""]
    pages = [COMMAND_PAGE, *(stem(home, homes) for home in homes)]
    return "\n".join([*lines, ".. toctree::", "   :hidden:", "", *(f"   /reference/{page}" for page in pages), ""])


def command_page() -> str:
    """What ``skmdiff --help`` and the help of each command print."""
    lines = [*heading("Command line"), "What ``--help`` prints. With examples: :doc:`/user_guide/command_line`.", ""]
    for words in [[], *([command] for command in COMMANDS)]:
        lines += heading(" ".join(["skmdiff", *words]), "-")
        lines += [".. code-block:: text", "", *(f"   {line}".rstrip() for line in help_text(words).split("\n")), ""]
    return "\n".join(lines)


def help_text(words: list[str]) -> str:
    """What a command prints for ``--help``, 100 columns wide."""
    out = io.StringIO()
    with redirect_stdout(out), patch.dict(os.environ, COLUMNS="100"), suppress(SystemExit):
        make_parser().parse_args([*words, "--help"])
    return out.getvalue().rstrip()


def pages() -> Iterator[tuple[str, str]]:
    """Name and text of every file of the reference."""
    names = public_names()
    homes = described(names)
    yield "names.txt", names_by_module(names)
    yield f"{COMMAND_PAGE}.rst", command_page()
    yield from ((f"{stem(home, homes)}.rst", page_of(home)) for home in homes)


def write_pages(app) -> None:
    """Write the files that have changed and take away those of names that are gone."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    texts = {folder / name: text for name, text in pages()}
    for path in set(folder.iterdir()) - set(texts):
        path.unlink()
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app):
    """Write the pages before documents are looked for."""
    app.connect("builder-inited", write_pages, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
