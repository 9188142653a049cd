"""What setup.cfg declares is what the files import."""

import ast
import configparser
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
# the package that brings a module, where it has another name
PACKAGES = {"sklearn": "scikit-learn", "umap": "umap-learn", "imblearn": "imbalanced-learn"}
OPTIONAL = {"pandas", "polars", "pyarrow", "matplotlib"}


def setup():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def declared(*extras):
    """The packages that an installation with some extras brings."""
    lists = [setup()["options"]["install_requires"], *(setup()["options.extras_require"][name] for name in extras)]
    lines = [line for text in lists for line in text.split("\n") if line and not line.startswith("skmdiff[")]
    return {Requirement(line).name for line in lines}


def imported(folder):
    """The packages of others that the files of a folder import."""
    own = {path.stem for name in ("tests", "examples") for path in (ROOT / name).rglob("*.py")} | {"skmdiff"}
    modules = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add(node.module.split(".")[0])
    return {PACKAGES.get(name, name) for name in modules - own - sys.stdlib_module_names}


def test_what_the_package_imports_is_installed_with_it():
    assert imported("skmdiff") - OPTIONAL <= declared()
    assert imported("skmdiff") <= declared("frames", "plot")


def test_what_the_tests_import_is_installed_with_them():
    # the tests that need these are left out without them
    assert imported("tests") - {"atheris", "numpydoc"} <= declared("frames", "plot", "test")


@pytest.mark.parametrize("name", ["data/*", "py.typed"])
def test_files_that_are_not_code_are_installed(name):
    assert name in setup()["options.package_data"]["skmdiff"].split()
    assert list((ROOT / "skmdiff").glob(name))
