"""Small changes to a module, each of which its tests should notice.

The operators are the usual ones. What is left out by rule, since no test should notice it:

- docstrings and annotations;
- texts for people, that is, those which are a sentence: what an error says in words is
  left open by the specification;
- type aliases.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Div,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd,
}
METHODS = {
    "lower": "upper",
    "upper": "lower",
    "strip": "lstrip",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "find": "rfind",
    "rfind": "find",
    "index": "rindex",
    "split": "rsplit",
    "rsplit": "split",
    "partition": "rpartition",
    "rpartition": "partition",
    "startswith": "endswith",
    "endswith": "startswith",
    "removeprefix": "removesuffix",
    "removesuffix": "removeprefix",
    "fullmatch": "match",
    "match": "search",
    "append": "extend",
    "addBoth": "addCallback",
    "addCallback": "addBoth",
    "addErrback": "addBoth",
}


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    :ivar file: the module's file, such as ``reader.py``.
    :ivar line: the number of the line that is changed.
    :ivar key: what says which change it is, whatever stands before it in the file: the
        file, the function, the text of the line, what is replaced by what, and, from
        the second on, how often this was there before.
    :ivar source: the text of the whole module.
    """

    file: str
    line: int
    key: str
    source: str


def mutants(file: str, source: str) -> list[Mutant]:
    """Return all mutants of a module.

    :param file: the name of its file.
    :param source: its text.
    """
    data = source.encode()
    lines = data.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    made = []
    seen: Counter[str] = Counter()
    for change in _Operators().changes(ast.parse(source)):
        node = change.node
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        text = lines[node.lineno - 1].decode().strip()
        old = " ".join(data[begin:end].decode().split())
        key = f"{file} {change.where}: {text} [{old} => {change.new}]"
        seen[key] += 1
        if seen[key] > 1:
            key += f" #{seen[key]}"
        new = data[:begin] + change.spliced.encode() + data[end:]
        made.append(Mutant(file, node.lineno, key, new.decode()))
    return made


@dataclass(frozen=True)
class _Change:
    """The node that is replaced, the function that it is in, and what stands in its place."""

    node: ast.expr | ast.stmt
    where: str
    new: str

    @property
    def spliced(self) -> str:
        """The text, in parentheses if it may need some."""
        atoms = (ast.stmt, ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Call)
        return self.new if isinstance(self.node, atoms) else f"({self.new})"


class _Operators:
    """Finds all changes of a module."""

    def __init__(self) -> None:
        self._where: list[str] = []

    def changes(self, node: ast.AST) -> Iterator[_Change]:
        """Yield the changes in a node, and in all that is in it."""
        named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if named:
            self._where.append(node.name)  # type: ignore[attr-defined]
        if isinstance(node, (ast.expr, ast.stmt)):
            for old, new in self._replacements(node):
                yield _Change(old, ".".join(self._where) or "module", new)
        for child in self._children(node):
            yield from self.changes(child)
        if named:
            self._where.pop()

    def _children(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what is in a node, without what is left out by rule."""
        skipped: list[ast.AST | None] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            skipped = [node.returns]
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            skipped = [node.annotation]
        elif isinstance(node, ast.JoinedStr):
            skipped = list(node.values)
        elif isinstance(node, ast.Compare):  # ``is None`` is changed as a whole
            skipped = [part for part in node.comparators if ast.unparse(part) == "None"]
        elif isinstance(node, ast.Assign):
            skipped = [node.value] if _is_type(node.value) else []
        elif isinstance(node, ast.Expr):
            skipped = [node.value] if isinstance(node.value, ast.Constant) else []
        for child in ast.iter_child_nodes(node):
            if child not in skipped:
                yield child

    def _replacements(self, node: ast.expr | ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
        """Yield pairs: what is replaced, and the text that replaces it."""
        if isinstance(node, ast.Compare):
            for index, operator in enumerate(node.ops):
                yield node, _with(node, "ops", index, COMPARISONS[type(operator)]())
        elif isinstance(node, ast.BoolOp):
            other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
            yield node, ast.unparse(ast.BoolOp(other, node.values))
            for index in range(len(node.values)):
                rest = node.values[:index] + node.values[index + 1 :]
                yield node, ast.unparse(ast.BoolOp(node.op, rest) if rest[1:] else rest[0])
        elif isinstance(node, ast.UnaryOp):
            yield node, ast.unparse(node.operand)
        elif isinstance(node, ast.BinOp):
            yield node, ast.unparse(ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right))
        elif isinstance(node, ast.Constant) and not _is_text(node):
            for value in _other_values(node.value):
                yield node, value
        elif isinstance(node, ast.IfExp):
            yield node, ast.unparse(node.body)
            yield node, ast.unparse(node.orelse)
        elif isinstance(node, ast.Lambda):
            yield node.body, "None"
        elif isinstance(node, ast.Subscript):
            yield from self._of_slice(node)
        elif isinstance(node, ast.Call):
            yield from self._of_call(node)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            for generator in node.generators:
                for condition in generator.ifs:
                    yield condition, "True"
        elif isinstance(node, ast.stmt):
            yield from self._of_statement(node)

    def _of_slice(self, node: ast.Subscript) -> Iterator[tuple[ast.expr, str]]:
        """Leave out the bounds of a slice, one at a time."""
        if isinstance(node.slice, ast.Slice):
            for bound in ("lower", "upper", "step"):
                if getattr(node.slice, bound) is not None:
                    changed = copy.deepcopy(node)
                    setattr(changed.slice, bound, None)
                    yield node, ast.unparse(changed)

    def _of_call(self, node: ast.Call) -> Iterator[tuple[ast.expr, str]]:
        """Leave out arguments, and give ``None`` for them, one at a time; call another method."""
        for index, argument in enumerate(node.args):
            if _is_text(argument):
                continue
            changed = copy.deepcopy(node)
            del changed.args[index]
            yield node, ast.unparse(changed)
            if not isinstance(argument, (ast.Constant, ast.Starred)):
                yield argument, "None"
        for index in range(len(node.keywords)):
            changed = copy.deepcopy(node)
            del changed.keywords[index]
            yield node, ast.unparse(changed)
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            if node.func.attr in ("split", "rsplit") and len(node.args) < 2:
                return  # without a limit they are the same
            changed = copy.deepcopy(node)
            assert isinstance(changed.func, ast.Attribute)
            changed.func.attr = METHODS[node.func.attr]
            yield node, ast.unparse(changed)

    def _of_statement(self, node: ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
        """Leave out a statement; change a condition, a result, an assignment."""
        if isinstance(node, (ast.If, ast.While)):
            if not isinstance(node.test, ast.Constant):
                yield node.test, "False"
                yield node.test, f"not ({ast.unparse(node.test)})"
                if isinstance(node, ast.If):
                    yield node.test, "True"
        elif isinstance(node, ast.Return):
            if node.value is not None and ast.unparse(node.value) != "None":
                yield node.value, "None"
        elif isinstance(node, ast.Expr):
            if not isinstance(node.value, ast.Constant):
                yield node, "pass"
        elif isinstance(node, ast.Raise):
            yield node, "pass"
        elif isinstance(node, ast.Assign):
            if not _is_type(node.value):
                yield node, "pass"
                if not isinstance(node.value, ast.Constant):
                    yield node.value, "None"
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None and isinstance(node.target, ast.Attribute):
                yield node, "pass"
        elif isinstance(node, ast.AugAssign):
            changed = ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value)
            yield node, ast.unparse(changed)
            yield node, ast.unparse(ast.Assign([node.target], node.value, lineno=0))
        elif isinstance(node, (ast.Break, ast.Continue)):
            yield node, "continue" if isinstance(node, ast.Break) else "break"
            yield node, "pass"
        elif isinstance(node, ast.Assert):
            yield node, "pass"
        elif isinstance(node, ast.Try):
            yield from self._of_handlers(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                yield decorator, "lambda it: it"

    def _of_handlers(self, node: ast.Try) -> Iterator[tuple[ast.expr, str]]:
        """Catch nothing, and one kind of exception less."""
        for handler in node.handlers:
            if handler.type is not None:
                yield handler.type, "()"
                if isinstance(handler.type, ast.Tuple):
                    for index in range(len(handler.type.elts)):
                        changed = copy.deepcopy(handler.type)
                        del changed.elts[index]
                        yield handler.type, ast.unparse(changed)


def _with(node: ast.expr, field: str, index: int, value: ast.AST) -> str:
    """Return the text of a node in which one element of a list is another one."""
    changed = copy.deepcopy(node)
    getattr(changed, field)[index] = value
    return ast.unparse(changed)


def _other_values(value: object) -> Iterator[str]:
    """Yield the constants that take the place of one."""
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, (int, float)):
        yield str(value + 1)
        yield str(value - 1)
    elif isinstance(value, bytes):
        yield repr(b"XX" + value + b"XX")
    elif isinstance(value, str):
        yield repr(f"XX{value}XX")
    elif value is None:
        yield repr("")


def _is_text(node: ast.expr) -> bool:
    """Tell whether a value is a sentence for people, or made of several parts for them."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return " " in node.value and node.value.endswith(".")
        return isinstance(node.value, bytes) and b" " in node.value and node.value.endswith(b".")
    return isinstance(node, ast.JoinedStr)


def _is_type(node: ast.expr) -> bool:
    """Tell whether a value is a type with parameters, such as ``Callable[[int], str]``."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("Callable", "dict", "list", "tuple")
    )
