"""A server in which nothing is written: what passes there says nothing about a server."""

from __future__ import annotations

import ast

from exercises.manifest import Stage
from solutions.broken import path_of

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
RAISE = ast.parse("raise NotImplementedError").body


def hollow_sources(stage: Stage) -> dict[str, str]:
    """Return the modules that a stage writes, with nothing in their functions, by file name."""
    paths = [path_of(stage.number, f"{module}.py") for module in stage.writes]
    written = {name for names in stage.writes.values() for name in names}
    return {path.name: hollow(path.read_text(encoding="utf-8"), written) for path in paths}


def hollow(source: str, written: set[str]) -> str:
    """Let each public function and method raise ``NotImplementedError``.

    :param source: the text of a module.
    :param written: the names that the stage writes; other exceptions are kept as they are.
    """
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and not node.name.startswith("_"):
            node.body = RAISE
        elif isinstance(node, ast.ClassDef) and (node.name in written or not _is_exception(node)):
            methods = [part for part in node.body if isinstance(part, FUNCTIONS)]
            for method in methods:
                method.body = RAISE
            name = "__post_init__" if node.decorator_list else "__init__"
            if name not in [method.name for method in methods]:
                node.body += ast.parse(
                    f"def {name}(self, *args, **kwargs):\n    raise NotImplementedError"
                ).body
    return ast.unparse(tree)


def _is_exception(node: ast.ClassDef) -> bool:
    """Tell by the names of its bases whether a class is an exception."""
    bases = [ast.unparse(base) for base in node.bases]
    return any(base.endswith(("Error", "Exception")) for base in bases)
