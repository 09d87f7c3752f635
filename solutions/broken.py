"""Broken servers: a solution in which one piece of source text is replaced.

A bug is data.  Each stands in ``solutions/stageN/broken.py``, with the test that
must catch it.  They prove that the tests are strong.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Broken:
    """One plausible bug.

    :ivar file: the module's file, such as ``reader.py``.
    :ivar text: what stands there exactly once.
    :ivar replacement: what the broken server has in its place.
    :ivar story: one sentence: what the server does wrong.
    :ivar violates: the test that states the requirement, such as
        ``BodyTests.test_two_lengths``.
    """

    file: str
    text: str
    replacement: str
    story: str
    violates: str


def broken_servers(stage: int) -> tuple[Broken, ...]:
    """Return the broken servers of a stage."""
    bugs: tuple[Broken, ...] = import_module(f"solutions.stage{stage}.broken").BROKEN
    return bugs


@contextmanager
def broken_server(stage: int, bug: Broken) -> Iterator[str]:
    """Make a package like the solution of a stage, with the bug in it.

    It can be imported while the block runs.

    :returns: the name of the package.
    :raises ValueError: if the bug's text does not stand in the file exactly once.
    """
    overlay = import_module(f"solutions.stage{stage}").__path__
    path = next(Path(folder) / bug.file for folder in overlay if (Path(folder) / bug.file).exists())
    source = path.read_text(encoding="utf-8")
    if source.count(bug.text) != 1:
        raise ValueError(f"{path} has {source.count(bug.text)} times, not once: {bug.text!r}")

    name = "solutions.broken_server"
    package = ModuleType(name)
    package.__path__ = list(overlay)
    module = ModuleType(f"{name}.{path.stem}")
    module.__package__, module.__file__ = name, str(path)
    sys.modules.update({package.__name__: package, module.__name__: module})
    try:
        code = compile(source.replace(bug.text, bug.replacement), f"{path} (broken)", "exec")
        exec(code, vars(module))
        yield name
    finally:
        for key in [key for key in sys.modules if key.split(".")[:2] == name.split(".")]:
            del sys.modules[key]
