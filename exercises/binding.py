"""Run the tests of a stage against another server than the learner's.

The tests import ``exercises.myhttp``.  Here that name can be lent to any
package with the same modules: the solution of a stage, or ``toyhttp``.
"""

from __future__ import annotations

import pkgutil
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import exercises
from exercises.manifest import STAGES

CONTRACT = "exercises.myhttp"
LENT = (CONTRACT, *(stage.package for stage in STAGES))


def _is_lent(name: str) -> bool:
    """Tell whether a module is loaded afresh while a server stands in."""
    return any(name == lent or name.startswith(lent + ".") for lent in LENT)


@contextmanager
def standing_in(server: str) -> Iterator[None]:
    """Let ``exercises.myhttp`` be the package ``server`` while the block runs.

    The modules of the stages can be imported afresh in the block.  Afterwards
    ``sys.modules`` has the entries for ``exercises`` that it had before, and no others.

    :param server: the name of a package with the modules of ``exercises.myhttp``.
    :raises ImportError: if there is no such package.
    """
    package = import_module(server)
    modules = {CONTRACT: package}
    stubs = pkgutil.iter_modules([str(STAGES[0].folder.parent / "myhttp")])
    for name in [stub.name for stub in stubs if not stub.name.startswith("_")]:
        if any(found.name == name for found in pkgutil.iter_modules(package.__path__)):
            modules[f"{CONTRACT}.{name}"] = import_module(f"{server}.{name}")

    before = {name: module for name, module in sys.modules.items() if _is_lent(name)}
    attributes = vars(exercises).copy()
    for name in before:
        del sys.modules[name]
    sys.modules.update(modules)
    vars(exercises)["myhttp"] = package
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_lent(name)]:
            del sys.modules[name]
        sys.modules.update(before)
        vars(exercises).clear()
        vars(exercises).update(attributes)


def tests_of(stage: int, server: str, module: str) -> dict[str, object]:
    """Load the tests of a stage afresh, bound to a server.

    :param stage: the stage's number.
    :param server: the name of the package that stands in for ``exercises.myhttp``.
    :param module: the name of the module that the test cases shall belong to, so
        that Trial finds them again by their names.
    :returns: what that module needs: the test cases by name, and ``timeout``.
    :raises ImportError: if the server lacks a name that the tests import.
    :raises ValueError: if two test cases of the stage have the same name.
    """
    names: dict[str, object] = {}
    with standing_in(server):
        for test_module in STAGES[stage - 1].test_modules:
            for name, value in vars(import_module(test_module)).items():
                if isinstance(value, type) and issubclass(value, unittest.TestCase):
                    if value.__module__ != test_module:
                        continue  # imported, as TestCase itself is
                    if name in names:
                        raise ValueError(f"Stage {stage} has two test cases named {name}.")
                    value.__module__ = module
                    names[name] = value
                elif name == "timeout":
                    names[name] = value
    return names
