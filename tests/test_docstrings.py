"""Docstrings of public objects are complete, by the checks of [tool.numpydoc_validation]."""

import importlib
import inspect
from pathlib import Path

import pytest

pytest.importorskip("numpydoc")
from numpydoc.validate import get_validation_checks, validate

MODULES = ["skmdiff", "skmdiff.datasets", "skmdiff.inspection", "skmdiff.metrics"]
# name of an object -> checks that it may fail; the fields of a NamedTuple are attributes
EXCEPTIONS = {
    "skmdiff.metrics.ColumnUtility": {"PR01"},
    "skmdiff.metrics.MetricsReport.to_frame": {"RT01"},
    "skmdiff.metrics.PRDC": {"PR01"},
    "skmdiff.metrics.PrivacyMeasure": {"PR01"},
    "skmdiff.metrics.UniqueExtreme": {"PR01"},
}


def checks():
    """The codes that pyproject.toml lists; every line of the list that holds one begins with it."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    listed = text.partition("[tool.numpydoc_validation]")[2].partition("checks = [")[2].partition("\n]")[0]
    return {line.split('"')[1] for line in listed.split("\n") if '"' in line}


def public_objects():
    """Names of the public objects of the package, and of the methods that their classes define."""
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            public = getattr(module, name)
            if inspect.isclass(public) or inspect.isfunction(public):
                yield f"{module.__name__}.{name}"
            if inspect.isclass(public) and not issubclass(public, tuple):
                own = [base for base in public.__mro__ if base.__module__.startswith("skmdiff")]
                methods = {m for base in own for m, value in vars(base).items() if callable(value) and m[0] != "_"}
                yield from (f"{module.__name__}.{name}.{method}" for method in sorted(methods))


def test_the_checks_are_those_of_numpydoc():
    assert checks() and get_validation_checks(checks()) == checks()


@pytest.mark.parametrize("name", list(dict.fromkeys(public_objects())))
def test_docstring(name):
    wanted = checks() - EXCEPTIONS.get(name, set())
    assert [error for error in validate(name)["errors"] if error[0] in wanted] == []
