"""Count the assertions that a test makes, to find the tests that make none.

A test module is compiled with a call of :func:`count` before each ``assert``, before each
``await`` (it fails if what it waits for does) and before each statement that may ``raise``;
and the assertions of the test cases of Trial and of the standard library are wrapped.
"""

from __future__ import annotations

import ast
import inspect
import marshal
import os
import sys
import unittest
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib.util import cache_from_source, decode_source, source_hash
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
        _compiled[path] = _code_of(path)
    vars(module)[NAME] = count
    exec(_compiled[path], vars(module))


def _code_of(path: Path) -> CodeType:
    """Compile a file, or read what was compiled before, from where Python keeps such things."""
    data = path.read_bytes()
    cache = Path(cache_from_source(str(path), optimization="counted"))
    key = source_hash(data) + source_hash(Path(__file__).read_bytes())
    with suppress(OSError, ValueError, EOFError, TypeError):
        found = cache.read_bytes()
        if found.startswith(key):
            code: CodeType = marshal.loads(found[len(key) :])
            return code
    code = _compile(data, path)
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            cache.parent.mkdir(parents=True, exist_ok=True)
            part = cache.with_suffix(f".{os.getpid()}")
            part.write_bytes(key + marshal.dumps(code))
            part.replace(cache)
    return code


def _compile(data: bytes, path: Path) -> CodeType:
    tree = ast.parse(decode_source(data), str(path))
    docstring = tree.body[:1] if ast.get_docstring(tree) is not None else []
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    future = [node for node in future if node.module == "__future__"]
    rest = [node for node in tree.body if node not in [*docstring, *future]]
    tree.body = rest
    _Counting().visit(tree)
    tree.body = [*docstring, *future, *tree.body]
    code: CodeType = compile(tree, str(path), "exec", dont_inherit=True)
    return code


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
