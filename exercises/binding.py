"""Run the tests of a stage against another server than the learner's.

The tests import ``exercises.myhttp``.  Here that name can be lent to any
package with the same modules: the solution of a stage, or ``toyhttp``; or to
a variant of one of them, in which some modules have another text.
"""

from __future__ import annotations

import pkgutil
import re
import sys
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

import exercises
from exercises.manifest import STAGES
from exercises.order import test_files

CONTRACT = "exercises.myhttp"
LENT = (CONTRACT, *(stage.package for stage in STAGES))


def _lent_names() -> list[str]:
    """Return the names of the loaded modules that are loaded afresh while a server stands in."""
    names = [name for name in sys.modules if name.startswith("exercises.")]
    return [name for name in names if ".".join(name.split(".")[:2]) in LENT]


@contextmanager
def _lending(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Let ``sys.modules`` have these entries for ``exercises`` while the block runs."""
    before = {name: sys.modules[name] for name in _lent_names()}
    attributes = vars(exercises).copy()
    for name in before:
        del sys.modules[name]
    sys.modules.update(modules)
    vars(exercises)["myhttp"] = modules[CONTRACT]
    try:
        yield
    finally:
        for name in _lent_names():
            del sys.modules[name]
        sys.modules.update(before)
        vars(exercises).clear()
        vars(exercises).update(attributes)


@contextmanager
def standing_in(server: str, **instead: str) -> Iterator[None]:
    """Let ``exercises.myhttp`` be the package ``server`` while the block runs.

    The modules of the stages can be imported afresh in the block.  Afterwards
    ``sys.modules`` has the entries for ``exercises`` that it had before, and no others.

    :param server: the name of a package with the modules of ``exercises.myhttp``.
    :param instead: other modules for some of these, by name, such as ``reader="somewhere.reader"``.
    :raises ImportError: if there is no such package.
    """
    package = import_module(server)
    modules = {CONTRACT: package}
    stubs = pkgutil.iter_modules([str(STAGES[0].folder.parent / "myhttp")])
    for name in [stub.name for stub in stubs if not stub.name.startswith("_")]:
        if any(found.name == name for found in pkgutil.iter_modules(package.__path__)):
            modules[f"{CONTRACT}.{name}"] = import_module(instead.get(name, f"{server}.{name}"))
    with _lending(modules):
        yield


_IMPORT = re.compile(r"^from \.(\w+) import", re.MULTILINE)


class _VariantFinder(MetaPathFinder, Loader):
    """Finds the modules of a variant; what was compiled once is not compiled again."""

    compiled: dict[Path, CodeType] = {}  # noqa: RUF012 - shared by all

    def __init__(self, folders: Sequence[str], sources: Mapping[str, str]) -> None:
        self._folders = [Path(folder) for folder in folders]
        self._sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the newest file of a module, if it is one of the server's."""
        package, _, module = name.rpartition(".")
        if package == CONTRACT:
            for folder in self._folders:
                file = folder / f"{module}.py"
                if file in self.compiled or file.exists():
                    return spec_from_loader(name, self, origin=str(file))
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's text, or the one that replaces it."""
        assert module.__spec__ is not None and module.__spec__.origin is not None
        path = Path(module.__spec__.origin)
        module.__file__ = str(path)
        if path.name in self._sources:
            code = compile(self._sources[path.name], f"{path} (changed)", "exec")
        elif path in self.compiled:
            code = self.compiled[path]
        else:
            found = SourceFileLoader(module.__name__, str(path)).get_code(module.__name__)
            assert found is not None
            code = self.compiled[path] = found
        exec(code, vars(module))


def _path_of(server: str) -> list[str]:
    """Return the folders of a package.

    A package at the top is not imported for that: to import all that it exports takes
    longer than to run a suite.
    """
    spec = find_spec(server)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"There is no package {server}.")
    if "." in server:  # an overlay makes its path when it is imported
        return list(import_module(server).__path__)
    return list(spec.submodule_search_locations)


_kept: dict[tuple[str, ...], dict[str, ModuleType]] = {}
"""Modules that variants of a server may share, by the server's folders."""


def _affected(folders: Sequence[str], sources: Mapping[str, str]) -> set[str]:
    """Return the names of the modules of which the text is replaced, or of one they import."""
    imports: dict[str, set[str]] = {}
    for folder in folders:
        for path in Path(folder).glob("[!_]*.py"):
            imports.setdefault(path.stem, set(_IMPORT.findall(path.read_text("utf-8"))))
    affected = {name.removesuffix(".py") for name in sources}
    while more := {name for name in imports if imports[name] & affected} - affected:
        affected |= more
    return affected


@contextmanager
def variant(server: str, sources: Mapping[str, str], share: bool = False) -> Iterator[None]:
    """Let ``exercises.myhttp`` be a variant of the package ``server`` while the block runs.

    Unlike with :func:`standing_in`, its modules are loaded afresh, under the
    names that they have in ``exercises.myhttp``.

    :param server: the name of a package with the modules of ``exercises.myhttp``.
    :param sources: the texts that replace modules, by file name, such as ``reader.py``.
    :param share: whether modules that have nothing to do with these are loaded once for
        all variants: for tests that are known to leave them as they were.
    :raises ImportError: if there is no such package.
    """
    package = ModuleType(CONTRACT)
    package.__path__ = folders = _path_of(server)
    modules = {CONTRACT: package}
    kept: dict[str, ModuleType] = {}
    if share:
        kept = _kept.setdefault((*folders, *sources), {})
        modules.update(kept)
    finder = _VariantFinder(folders, sources)
    sys.meta_path.insert(0, finder)
    try:
        with _lending(modules):
            yield
            if share and not kept:
                affected = _affected(folders, sources)
                for name in list(sys.modules):
                    package_name, _, module = name.rpartition(".")
                    if package_name == CONTRACT and module not in affected:
                        kept[name] = sys.modules[name]
    finally:
        if finder in sys.meta_path:  # the tests may have changed that
            sys.meta_path.remove(finder)


def run_file(module: ModuleType, path: Path) -> None:
    """Run the file of a module."""
    assert module.__spec__ is not None and module.__spec__.loader is not None
    module.__spec__.loader.exec_module(module)


def load_tests(
    stage: int,
    folder: Path | None = None,
    run: Callable[[ModuleType, Path], None] = run_file,
    failed: Callable[[Path, BaseException], None] | None = None,
) -> list[ModuleType]:
    """Load the test modules of a stage afresh, bound to whatever stands in.

    :param stage: the stage's number.
    :param folder: where the tests are; without one, ``Stage.contract``.
    :param run: what runs a module's file.
    :param failed: is told which file could not be run, and why; without it, that is raised.
    """
    folder = folder or STAGES[stage - 1].contract
    package = sys.modules[STAGES[stage - 1].package] = ModuleType(STAGES[stage - 1].package)
    package.__path__ = [str(folder)]
    modules = []
    for path in test_files(folder):
        name = f"{package.__name__}.{path.stem}"
        spec = spec_from_file_location(name, path)
        assert spec is not None
        module = sys.modules[name] = module_from_spec(spec)
        try:
            run(module, path)
        except BaseException as error:
            if failed is None:
                raise
            del sys.modules[name]
            failed(path, error)
        else:
            modules.append(module)
    return modules


def test_cases(module: ModuleType) -> dict[str, type[unittest.TestCase]]:
    """Return the test cases of a module by name, without those that it imports."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, unittest.TestCase)
        and value.__module__ == module.__name__
    }


def tests_of(
    stage: int, server: str, module: str, folder: Path | None = None, **instead: str
) -> dict[str, object]:
    """Load the tests of a stage afresh, bound to a server.

    :param stage: the stage's number.
    :param server: the name of the package that stands in for ``exercises.myhttp``.
    :param module: the name of the module that the test cases shall belong to, so
        that Trial finds them again by their names.
    :param folder: where the tests are; without one, ``Stage.contract``.
    :param instead: modules that stand in for single modules of the server.
    :returns: what that module needs: the test cases by name, and ``timeout``.
    :raises ImportError: if the server lacks a name that the tests import.
    :raises ValueError: if two test cases of the stage have the same name.
    """
    names: dict[str, object] = {}
    with standing_in(server, **instead):
        for test_module in load_tests(stage, folder):
            if "timeout" in vars(test_module):
                names["timeout"] = vars(test_module)["timeout"]
            for name, case in test_cases(test_module).items():
                if name in names:
                    raise ValueError(f"Stage {stage} has two test cases named {name}.")
                case.__module__ = module
                names[name] = case
    return names
