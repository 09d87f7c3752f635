"""Broken servers: a solution in which one piece of source text is replaced.

A bug is data.  Each stands in ``solutions/stageN/broken.py``, with the test that
must catch it.  They prove that the tests are strong.  Beside them stand servers that are
correct, but different: they prove that the tests do not ask for too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path


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


@dataclass(frozen=True)
class Freedom:
    """One thing that a correct server may do in another way than the solution.

    :ivar file: the module's file, such as ``response.py``.
    :ivar text: what stands there exactly once.
    :ivar replacement: what the other server has in its place.
    :ivar story: what the specification leaves open, such as ``"the order of the
        header fields"``: it ends the sentence "The specification leaves open ...".
    """

    file: str
    text: str
    replacement: str
    story: str


def broken_servers(stage: int) -> tuple[Broken, ...]:
    """Return the broken servers of a stage."""
    bugs: tuple[Broken, ...] = import_module(f"solutions.stage{stage}.broken").BROKEN
    return bugs


def freedoms(stage: int) -> tuple[Freedom, ...]:
    """Return the servers of a stage that are correct, but different."""
    module = import_module(f"solutions.stage{stage}.broken")
    found: tuple[Freedom, ...] = getattr(module, "FREEDOMS", ())
    return found


def path_of(stage: int, file: str) -> Path:
    """Return where a module of the solution of a stage is: in that stage, or in one before."""
    overlay = import_module(f"solutions.stage{stage}").__path__
    return next(Path(folder) / file for folder in overlay if (Path(folder) / file).exists())


def sources_with(stage: int, *changes: Broken | Freedom) -> dict[str, str]:
    """Return the text of each module that changes are made in, with them, by the name of its file.

    :raises ValueError: if the text of a change does not stand in the file exactly once.
    """
    sources: dict[str, str] = {}
    for change in changes:
        path = path_of(stage, change.file)
        source = sources.get(change.file) or path.read_text(encoding="utf-8")
        if source.count(change.text) != 1:
            count = source.count(change.text)
            raise ValueError(f"{path} has {count} times, not once: {change.text!r}")
        sources[change.file] = source.replace(change.text, change.replacement)
    return sources
