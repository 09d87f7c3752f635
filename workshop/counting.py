"""Count the assertions that a test makes, to find the tests that make none.

A test module is compiled with a call of :func:`count` before each ``assert``, before each
``await`` (it fails if what it waits for does) and before each statement that may ``raise``;
and the assertions of the test cases of Trial and of the standard library are wrapped.
"""

from __future__ import annotations

import ast
import inspect
import unittest
from collections.abc import Callable
from functools import wraps
from importlib.util import decode_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

ASSERTIONS = ("assert", "fail", "successResultOf")

NAME = "__count__"

_compiled: dict[Path, CodeType] = {}
made = 0
"""How many assertions were made in this process."""


def count() -> None:
    """Count one assertion."""
    global made
    made += 1


class _Counting(ast.NodeTransformer):
    """Puts a call of :func:`count` before what can make a test fail."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Look at the statements of each block."""
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [new for old in block for new in self._counted(old)])
        return node

    def _counted(self, statement: ast.stmt) -> list[ast.stmt]:
        if not self._can_fail(statement):
            return [statement]
        call = ast.Expr(ast.Call(ast.Name(NAME, ast.Load()), [], []))
        return [ast.fix_missing_locations(ast.copy_location(call, statement)), statement]

    def _can_fail(self, statement: ast.stmt) -> bool:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return False
        if isinstance(statement, (ast.Assert, ast.AsyncFor, ast.AsyncWith)):
            return True
        if isinstance(statement, ast.If):
            return any(isinstance(node, ast.Raise) for node in statement.body + statement.orelse)
        if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)):
            return any(
                isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom))
                for node in ast.walk(statement)
            )
        return False


def run_counting(module: ModuleType, path: Path) -> None:
    """Run the file of a test module, so that its assertions are counted.

    :raises SyntaxError: if it is no Python.
    """
    if path not in _compiled:
        tree = ast.parse(decode_source(path.read_bytes()), str(path))
        docstring = tree.body[:1] if ast.get_docstring(tree) is not None else []
        future = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        future = [node for node in future if node.module == "__future__"]
        rest = [node for node in tree.body if node not in [*docstring, *future]]
        tree.body = rest
        _Counting().visit(tree)
        tree.body = [*docstring, *future, *tree.body]
        _compiled[path] = compile(tree, str(path), "exec", dont_inherit=True)
    vars(module)[NAME] = count
    exec(_compiled[path], vars(module))


def wrap_assertions(*cases: type[unittest.TestCase]) -> None:
    """Let the assertions of these test cases be counted."""
    for base in {base for case in cases for base in case.__mro__}:
        for name, method in list(vars(base).items()):
            if name.startswith(ASSERTIONS) and inspect.isfunction(method):
                setattr(base, name, _counted(method))


def _counted(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def counted(*args: Any, **kwargs: Any) -> Any:
        count()
        return method(*args, **kwargs)

    return counted
