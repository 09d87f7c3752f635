"""What can be read in a test module without running it: names, sentences, and mistakes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path

from exercises.order import test_files

from .jobs import Problem

BRACKET = re.compile(r"(?<=[(\[{])\n|\n(?=[)\]}])")
"""A line end behind a bracket that opens, or before one that closes."""


@dataclass(frozen=True)
class Description:
    """A test, as it stands in its file.

    :ivar test: its name, such as ``FileTests.test_index``.
    :ivar text: its docstring, in one line; empty if it has none.
    :ivar file: the name of the file.
    :ivar line: where it begins.
    """

    test: str
    text: str
    file: str
    line: int


class UnreadableError(Exception):
    """A test module is no Python.

    :ivar problem: what is wrong with it, and where.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def tests_in(folder: Path) -> list[Description]:
    """Return the tests of a folder's test modules, in their order, twice what is there twice.

    :raises UnreadableError: if a module cannot be read.
    """
    found = []
    for path in test_files(folder):
        for case in _parse(path).body:
            if isinstance(case, ast.ClassDef):
                found += [
                    Description(f"{case.name}.{node.name}", _sentence(node), path.name, node.lineno)
                    for node in case.body
                    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
                    and node.name.startswith("test")
                ]
    return found


def hidden(tests: list[Description]) -> list[Description]:
    """Return the tests that another one of the same name, further down in the file, replaces."""
    last = {(test.file, test.test): test for test in tests}
    return [test for test in tests if last[test.file, test.test] is not test]


def statement_at(path: Path, line: int) -> str:
    """Return the statement in a line of a file, in one line; of a block, what stands before it.

    Empty if there is none, or a definition, or if the file cannot be read.
    """
    try:
        nodes = [node for node in ast.walk(_parse(path)) if isinstance(node, ast.stmt)]
        lines = decode_source(path.read_bytes()).splitlines()
    except (OSError, UnreadableError):
        return ""
    around = [node for node in nodes if node.lineno <= line <= (node.end_lineno or 0)]
    statement = max(around, key=lambda node: node.lineno, default=None)
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if statement is None or isinstance(statement, definitions):
        return ""
    body = getattr(statement, "body", [])
    last = max(statement.lineno, body[0].lineno - 1) if body else statement.end_lineno
    text = "\n".join(part.strip() for part in lines[statement.lineno - 1 : last])
    return BRACKET.sub("", text).replace("\n", " ")


def _parse(path: Path) -> ast.Module:
    """Read a file as Python does."""
    error: Exception
    line = 0
    try:
        data = path.read_bytes()
        return ast.parse(decode_source(data), str(path))
    except UnicodeDecodeError as caught:
        error, line = caught, data.count(b"\n", 0, caught.start) + 1
        message = str(error)
    except SyntaxError as caught:
        error, line, message = caught, caught.lineno or 0, caught.msg
    except (OSError, ValueError, RecursionError) as caught:
        error, message = caught, str(caught)
    raise UnreadableError(Problem(type(error).__name__, message, path.name, line)) from error


def _sentence(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())
