"""The tests of a stage in the order in which they are meant to be solved.

In each stage of Part I the core comes first, and ``test_hardening`` after it.  Trial
would sort the modules by name; and it asks a module, but no package, for a ``testSuite``.
"""

from __future__ import annotations

import inspect
import os
import sys
import unittest
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # who sets up the workshop has no Twisted yet
    from twisted.trial.runner import TestSuite


def test_files(folder: Path) -> list[Path]:
    """Return the test modules in a folder, sorted by name, but ``test_hardening.py`` last."""
    return sorted(folder.glob("test_*.py"), key=lambda path: (path.stem == "test_hardening", path))


def core_first(package: str) -> None:
    """Let Trial run the test modules of a package as :func:`test_files` sorts them.

    Each is run from top to bottom: Trial does not tell which order it was asked for.  A module,
    a test case or a test that is named to Trial is found as ever.

    :param package: the ``__name__`` of the package, which calls this in its ``__init__.py``.
    """
    module = sys.modules[package]
    (folder,) = module.__path__
    names = [f"{package}.{path.stem}" for path in test_files(Path(folder))]
    vars(module)["testSuite"] = partial(suite_of, names)
    # Trial takes for a package what comes from a file named __init__, and would look for the
    # modules itself.  So this package says that it comes from its folder.
    module.__file__ = os.path.join(folder, "")  # noqa: PTH118 - a Path has no slash at its end


def suite_of(modules: Sequence[str]) -> TestSuite:
    """Load the tests of modules, as they follow each other in the file.

    A module that cannot be imported becomes one error, as it does in Trial.
    """
    from twisted.trial.runner import TestLoader, TestSuite

    loader = TestLoader()
    loader.sorter = _line
    return TestSuite([loader.loadByName(name) for name in modules])


def _line(thing: Any) -> int:
    """Return where a test case, or the method that it runs, begins in its file."""
    if isinstance(thing, unittest.TestCase):
        thing = inspect.unwrap(getattr(thing, thing._testMethodName))
    return inspect.getsourcelines(thing)[1]
