"""The walls of the package, held on the syntax trees of its files, and the one home of every fact."""

import ast
import configparser
import functools
import graphlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "skmdiff"

# The rooms in the order in which they may be read: a room imports from those before it, never from those after it.
ROOMS = [
    "_numerics",
    "_mixture",
    "_diffusion",
    "_table",
    "_manifold",
    "_starts",
    "_conditional",
    "_corrector",
    "_files",
    "_sampler",
    "_applications",
    "metrics",
    "datasets",
    "inspection",
    "pipeline",
    "_cli",
    "__main__",
]
LATE = {"matplotlib", "pandas", "polars", "tqdm", "umap"}
IMPORT_AND_LOOK = """
import json, random, sys, warnings
import numpy as np
import sklearn.base, sklearn.utils  # what scikit-learn itself loads and sets is not ours to answer for
before = set(sys.modules), np.random.get_state()[1].tolist(), random.getstate(), list(warnings.filters)
import skmdiff
after = np.random.get_state()[1].tolist(), random.getstate(), list(warnings.filters)
roots = {name.split(".")[0] for name in set(sys.modules) - before[0]}
print(json.dumps([sorted(roots), *(a == b for a, b in zip(before[1:], after))]))
"""


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(tree):
    """(level, module, name) of every import below a node; name is None for `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, node.module or "", alias.name) for alias in node.names)


def outer_imports(tree):
    """Like `imports`, without those inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from imports(ast.Module([node], []))
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from outer_imports(node)


def own_imports(name, tree):
    """The modules of the package that a module imports."""
    for level, module, imported in imports(tree):
        if level:
            package = name if FILES[name].stem == "__init__" else name.rpartition(".")[0]
            for _ in range(level - 1):
                package = package.rpartition(".")[0]
            module = f"{package}.{module}".rstrip(".")
        if module.split(".")[0] == "skmdiff":
            yield f"{module}.{imported}" if f"{module}.{imported}" in FILES else module


@functools.cache
def tree_of(name):
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


@pytest.fixture(params=FILES)
def module(request):
    return request.param, tree_of(request.param)


def room_of(name):
    """The room of a module: a folder of the package, or a file beside the folders; None for the package itself."""
    return name.split(".")[1] if "." in name else None


def test_every_file_stands_in_a_room():
    assert {room_of(name) for name in FILES} - {None} == set(ROOMS)


def test_rooms_import_from_rooms_before_them(module):
    name, tree = module
    room = room_of(name)
    later = [
        other
        for other in map(room_of, own_imports(name, tree))
        if other not in (room, None) and room is not None and ROOMS.index(other) > ROOMS.index(room)
    ]
    assert not later


def test_no_circle_among_files():
    graph = {name: set(own_imports(name, tree_of(name))) - {name, "skmdiff"} for name in FILES if name != "skmdiff"}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises a CycleError where there is one


def test_torch_stands_behind_one_wall(module):
    name, tree = module
    roots = {module.split(".")[0] for level, module, _ in imports(tree) if not level}
    assert "torch" not in roots or name.startswith("skmdiff._diffusion.")


def test_the_wall_has_one_door(module):
    name, tree = module
    if not name.startswith("skmdiff._diffusion"):
        behind = {other for other in own_imports(name, tree) if other.startswith("skmdiff._diffusion.")}
        assert behind <= {"skmdiff._diffusion.backend"}


def test_nothing_private_of_others_is_imported(module):
    private = [
        (source, imported)
        for level, source, imported in imports(module[1])
        if not level
        and source.split(".")[0] in {"sklearn", "numpy", "scipy", "pandas", "umap", "joblib"}
        and any(part.startswith("_") for part in [*source.split("."), imported or ""])
    ]
    assert not private


def test_heavy_and_optional_packages_are_imported_late(module):
    assert not {source.split(".")[0] for level, source, _ in outer_imports(module[1]) if not level} & LATE


def test_the_walls_are_seen_where_they_are_broken():
    late = "def f():\n    import matplotlib\n"
    tree = ast.parse(f"import pandas\nif 1:\n    import umap\n{late}from sklearn._x import y")
    assert {source for _, source, _ in outer_imports(tree)} == {"pandas", "umap", "sklearn._x"}
    assert len(list(imports(tree))) == 4
    tree = ast.parse("from .frames import a\nfrom ..datasets import b\nfrom . import cells")
    assert list(own_imports("skmdiff._table.codec", tree)) == [
        "skmdiff._table.frames",
        "skmdiff.datasets",
        "skmdiff._table.cells",
    ]


def test_importing_changes_nothing_and_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", IMPORT_AND_LOOK], capture_output=True, text=True, check=True, cwd=ROOT)
    roots, *unchanged = json.loads(done.stdout)
    assert not set(roots) & {"torch", *LATE}
    assert unchanged == [True, True, True]


def requirements():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    lines = [line for text in lists for line in text.split("\n") if line and not line.startswith("skmdiff[")]
    return [Requirement(line) for line in lines]


def pins(name="constraints.txt"):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower(): version for name, version in pairs}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_has_a_pin_in_its_range(requirement):
    assert requirement.specifier.contains(pins()[requirement.name.lower()])


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_the_oldest_versions_tested_are_the_oldest_allowed(requirement):
    oldest = pins("constraints-oldest.txt").get(requirement.name.lower())
    if requirement.name == "torch" or oldest is None:  # one build of torch is to be had here
        return
    [least] = [part for part in requirement.specifier if part.operator == ">="]
    depth = len(least.version.split("."))
    assert oldest.split(".")[:depth] == least.version.split(".")


def test_version_has_one_home():
    init = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    version = next(line.split('"')[1] for line in init.splitlines() if line.startswith("__version__"))
    assert "version = attr: skmdiff.__version__" in (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_readme_and_continuous_integration_give_the_same_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    integration = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert 'pip install -c constraints.txt ".[all]" && skmdiff demo' in readme
    assert 'pip install -c constraints.txt -e ".[test]" && pytest' in readme
    for command in [
        'constraints.txt ".[all]"\n',
        '-e ".[test]"',
        "test constraints.txt\n",
        "skmdiff demo",
        "readme_blocks.py",
    ]:
        assert command in integration


FIRST_USE = """
import skmdiff, sys
assert set(skmdiff.__all__) <= set(dir(skmdiff)) and "sklearn" not in sys.modules
assert not {"Any", "TYPE_CHECKING", "annotations", "import_module"} & set(dir(skmdiff))
skmdiff.pipeline, skmdiff.metrics
from skmdiff import *
assert ManifoldDiffusionSampler is skmdiff.ManifoldDiffusionSampler and not hasattr(skmdiff, "nothing")
"""


def test_public_names_are_found_at_first_use():
    subprocess.run([sys.executable, "-c", FIRST_USE], check=True, cwd=ROOT)
