"""Small changes to a module, each of which its tests should notice.

What is changed:

- expressions: each comparison becomes each other one, a condition or an operand is left out,
  a number is one more or less, two arguments change places, an argument, a keyword or a
  default is dropped, a conversion such as ``bytes(...)`` or ``.lower()`` is taken away or
  becomes a sister that does more or less;
- statements: each is deleted, doubled, swapped with the next, or has a ``return`` before it;
- exceptions: what is caught or raised becomes wider and narrower, and ``try`` is taken away;
- attributes: what belongs to an instance is shared by its class;
- regular expressions: see :mod:`workshop.patterns`; and a flag is added.

What is left out by rule, since no test should notice it:

- docstrings and annotations;
- texts for people, that is, those which are a sentence: what an error says in words is
  left open by the specification;
- type aliases;
- what is the same by rule: to give a name its value twice, to give two names their values in the
  other order, a flag of a regular expression that has nothing to do there.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from . import patterns

ORDERS: tuple[type[ast.cmpop], ...] = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
EQUALITIES: tuple[type[ast.cmpop], ...] = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    **dict.fromkeys(ORDERS, ORDERS),
    ast.Eq: (*ORDERS, ast.Is, ast.In),
    ast.NotEq: (*ORDERS, ast.IsNot, ast.NotIn),
    **dict.fromkeys((ast.Is, ast.IsNot), EQUALITIES),
    **dict.fromkeys((ast.In, ast.NotIn), (ast.In, ast.NotIn, ast.Eq, ast.NotEq)),
}
"""The comparisons that take the place of one."""
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
METHODS: dict[str, tuple[str, ...]] = {
    "lower": ("upper", ""),
    "upper": ("lower", ""),
    "strip": ("lstrip", "rstrip", "strip()", ""),
    "lstrip": ("rstrip", "strip", "lstrip()", ""),
    "rstrip": ("lstrip", "strip", "rstrip()", ""),
    "find": ("rfind",),
    "rfind": ("find",),
    "index": ("rindex",),
    "split": ("rsplit", "split()", "splitlines()"),
    "rsplit": ("split", "rsplit()"),
    "splitlines": ("split",),
    "partition": ("rpartition",),
    "rpartition": ("partition",),
    "startswith": ("endswith", "__contains__"),
    "endswith": ("startswith", "__contains__"),
    "removeprefix": ("removesuffix", "lstrip", ""),
    "removesuffix": ("removeprefix", "rstrip", "rstrip()", ""),
    "fullmatch": ("match", "search"),
    "match": ("search", "fullmatch"),
    "search": ("match", "fullmatch"),
    "replace": ("",),
    "encode": ("",),
    "decode": ("",),
    "isdigit": ("isalnum",),
    "append": ("extend", "appendleft"),
    "popleft": ("pop",),
    "pop": ("popleft",),
    "update": ("",),
    "copy": ("",),
    "addBoth": ("addCallback", "addErrback"),
    "addCallback": ("addBoth", "addErrback"),
    "addErrback": ("addBoth", "addCallback"),
    "loseConnection": ("abortConnection",),
    "abortConnection": ("loseConnection",),
    "pauseProducing": ("resumeProducing",),
    "resumeProducing": ("pauseProducing",),
    "callback": ("errback",),
    "errback": ("callback",),
}
"""The methods that take the place of one; ``strip()`` has no arguments, and with the empty
name the call is taken away, and its object stays.
"""
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "bytes": ("bytearray", ""),
    "bytearray": ("bytes", ""),
    "tuple": ("list", ""),
    "list": ("tuple", ""),
    "set": ("list", "frozenset", ""),
    "frozenset": ("set", ""),
    "dict": ("",),
    "int": ("round", "float", ""),
    "float": ("int", ""),
    "str": ("repr", ""),
    "repr": ("str", ""),
    "bool": ("",),
    "sorted": ("",),
    "reversed": ("",),
    "abs": ("",),
    "any": ("all",),
    "all": ("any",),
    "min": ("max",),
    "max": ("min",),
    "maybeDeferred": ("succeed",),
}
"""The functions that take the place of one; with the empty name its argument stays."""
WIDER = {
    "ValueError": ("Exception",),
    "TypeError": ("Exception",),
    "OSError": ("Exception",),
    "PermissionError": ("OSError", "Exception"),
    "FileNotFoundError": ("OSError", "Exception"),
    "NotADirectoryError": ("OSError", "Exception"),
    "KeyError": ("LookupError", "Exception"),
    "IndexError": ("LookupError", "Exception"),
    "LookupError": ("Exception",),
    "UnicodeError": ("ValueError", "Exception"),
    "UnicodeDecodeError": ("ValueError", "Exception"),
    "UnicodeEncodeError": ("ValueError", "Exception"),
    "Exception": ("BaseException",),
}
NARROWER = {
    "ValueError": ("UnicodeError",),
    "OSError": ("PermissionError", "FileNotFoundError"),
    "LookupError": ("KeyError",),
    "UnicodeError": ("UnicodeDecodeError",),
    "Exception": ("ValueError", "OSError", "RuntimeError"),
    "BaseException": ("Exception",),
}
PURE = {
    *("bytes", "bool", "dict", "float", "int", "len", "list", "max", "min", "set", "str", "sum"),
    *("tuple", "sorted", "abs", "any", "all", "isinstance", "getattr", "range", "zip"),
    *("lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "partition", "rpartition"),
    *("removeprefix", "removesuffix", "startswith", "endswith", "encode", "decode", "join", "find"),
    *("match", "fullmatch", "search", "start", "end", "group", "get", "header", "seconds"),
}
"""The functions and methods of which a second call changes nothing."""
RE_FUNCTIONS = ("compile", "match", "fullmatch", "search", "split", "sub", "findall", "finditer")


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
    """Return all mutants of a module; all of them can be compiled, and no two are the same.

    :param file: the name of its file.
    :param source: its text.
    """
    text = _Text(source)
    made = []
    seen: Counter[str] = Counter()
    trees = {ast.dump(ast.parse(source))}
    for change in _Operators(text).changes(ast.parse(source)):
        new = text.with_edits(change.edits)
        tree = _tree_of(new)
        if tree in trees or not tree:
            continue
        trees.add(tree)
        key = f"{file} {change.where}: {text.line(change.line)} [{change.name}]"
        seen[key] += 1
        if seen[key] > 1:
            key += f" #{seen[key]}"
        made.append(Mutant(file, change.line, key, new))
    return made


def _tree_of(source: str) -> str:
    """Return what a text means to Python; nothing if that refuses it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as of ``is`` with a literal
        try:
            tree = ast.parse(source)
            compile(tree, "", "exec")
        except (SyntaxError, ValueError):
            return ""
        return ast.dump(tree)


@dataclass(frozen=True)
class _Edit:
    """What stands in the place of the bytes from ``begin`` to ``end`` of a module."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True)
class _Change:
    """The edits that make a mutant, with the function that it is in and what is done."""

    line: int
    where: str
    name: str
    edits: tuple[_Edit, ...]


class _Text:
    """The text of a module, and where its nodes stand."""

    def __init__(self, source: str) -> None:
        self._data = source.encode()
        self._lines = self._data.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def line(self, number: int) -> str:
        """Return a line without its indentation."""
        return self._lines[number - 1].decode().strip()

    def begin(self, node: ast.expr | ast.stmt) -> int:
        """Return where a node begins, its decorators left out."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Return where a node ends."""
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node, as it stands there."""
        return self._data[self.begin(node) : self.end(node)].decode()

    def place(self, line: int, column: int) -> int:
        """Return where a column of a line is."""
        return self._starts[line - 1] + column

    def in_one_line(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node with single spaces for all white space in it."""
        return " ".join(self.of(node).split())

    def starts_a_line(self, node: ast.stmt) -> bool:
        """Tell whether nothing but indentation stands before a statement."""
        return not self._data[self._starts[node.lineno - 1] : self.begin(node)].strip()

    def with_edits(self, edits: tuple[_Edit, ...]) -> str:
        """Return the whole text, changed."""
        data = self._data
        for edit in sorted(edits, key=lambda edit: -edit.begin):
            data = data[: edit.begin] + edit.text.encode() + data[edit.end :]
        return data.decode()


class _Operators:
    """Finds all changes of a module."""

    def __init__(self, text: _Text) -> None:
        self._text = text
        self._where: list[str] = []

    def changes(self, node: ast.AST) -> Iterator[_Change]:
        """Yield the changes in a node, and in all that is in it."""
        named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if named:
            self._where.append(node.name)  # type: ignore[attr-defined]
        where = ".".join(self._where) or "module"
        if isinstance(node, (ast.expr, ast.stmt)):
            for old, new in self._replacements(node):
                yield self._replacement(where, old, new)
        for line, name, edits in self._edits(node):
            yield _Change(line, where, name, tuple(edits))
        for child in self._children(node):
            yield from self.changes(child)
        if named:
            self._where.pop()

    def _replacement(self, where: str, node: ast.expr | ast.stmt, new: str) -> _Change:
        """Put an expression or a statement in the place of another one."""
        atoms = (ast.stmt, ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Call)
        text = new if isinstance(node, atoms) else f"({new})"
        edit = _Edit(self._text.begin(node), self._text.end(node), text)
        name = f"{self._text.in_one_line(node)} => {new}"
        return _Change(node.lineno, where, name, (edit,))

    def _edits(self, node: ast.AST) -> Iterator[tuple[int, str, list[_Edit]]]:
        """Yield changes that are more than a replacement: a line, a name, and the edits."""
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not isinstance(node, (ast.Module, ast.ClassDef)):
                yield from self._of_block(block)
        if isinstance(node, ast.ClassDef):
            yield from self._of_class(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from self._of_defaults(node)
        if isinstance(node, ast.Try):
            begin, end = self._text.begin(node), self._text.end(node)
            kept = [*node.body, *node.orelse, *node.finalbody]
            indent = "\n" + " " * node.col_offset
            lines = [line for stmt in kept for line in ast.unparse(stmt).split("\n")]
            yield node.lineno, "without try", [_Edit(begin, end, indent.join(lines))]

    def _of_block(self, block: list[ast.stmt]) -> Iterator[tuple[int, str, list[_Edit]]]:
        """Delete, double and swap statements; return before them."""
        text = self._text
        for index, node in enumerate(block):
            if not text.starts_a_line(node) or _is_docstring(node):
                continue
            begin, end = text.begin(node), text.end(node)
            indent = "\n" + " " * node.col_offset
            if isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
                yield node.lineno, "all of it => pass", [_Edit(begin, end, "pass")]
            if isinstance(node, (ast.Return, ast.Delete)):
                yield node.lineno, "deleted", [_Edit(begin, end, "pass")]
            if isinstance(node, (ast.Expr, ast.Assign, ast.AugAssign)) and not _is_plain(node):
                twice = text.of(node) + indent + text.of(node)
                yield node.lineno, "twice", [_Edit(begin, end, twice)]
            if not isinstance(node, (ast.Return, ast.Raise)):
                yield node.lineno, "return before it", [_Edit(begin, begin, "return" + indent)]
            definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            if index + 1 < len(block) and not isinstance(node, definitions):
                after = block[index + 1]
                if _are_independent(node, after):
                    continue
                if text.starts_a_line(after) and not isinstance(after, definitions):
                    swapped = text.of(after) + indent + text.of(node)
                    name = f"swapped with: {text.line(after.lineno)}"
                    yield node.lineno, name, [_Edit(begin, text.end(after), swapped)]

    def _of_class(self, node: ast.ClassDef) -> Iterator[tuple[int, str, list[_Edit]]]:
        """Let all instances share what each makes for itself."""
        inits = [each for each in node.body if getattr(each, "name", "") == "__init__"]
        if not inits or not isinstance(inits[0], ast.FunctionDef):
            return
        init = inits[0]
        arguments = {each.arg for each in [*init.args.args, *init.args.kwonlyargs]}
        for stmt in init.body:
            target = stmt.targets[0] if isinstance(stmt, ast.Assign) else None
            target = stmt.target if isinstance(stmt, ast.AnnAssign) else target
            value = getattr(stmt, "value", None)
            if not isinstance(target, ast.Attribute) or value is None:
                continue
            names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
            made_anew = isinstance(value, (ast.Call, ast.List, ast.Dict, ast.Set, ast.ListComp))
            if ast.unparse(target.value) == "self" and made_anew and not names & arguments:
                place = self._text.begin(init)
                shared = f"{target.attr} = {ast.unparse(value)}\n" + " " * init.col_offset
                edits = [
                    _Edit(place, place, shared),
                    _Edit(self._text.begin(stmt), self._text.end(stmt), "pass"),
                ]
                yield stmt.lineno, "shared by the class", edits

    def _of_defaults(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> Iterator[tuple[int, str, list[_Edit]]]:
        """Drop the defaults of arguments, one at a time as far as that is possible."""
        text, arguments = self._text, [*node.args.posonlyargs, *node.args.args]
        with_defaults = arguments[len(arguments) - len(node.args.defaults) :]
        pairs = list(zip(with_defaults, node.args.defaults, strict=True))[:1]
        only = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        pairs += [(argument, default) for argument, default in only if default is not None]
        for argument, default in pairs:
            end = argument.end_lineno or 0, argument.end_col_offset or 0
            edit = _Edit(text.place(*end), text.end(default), "")
            yield default.lineno, f"{argument.arg} has no default", [edit]

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
                for kind in _other_comparisons(operator, node.comparators[index]):
                    yield node, _with(node, "ops", index, kind())
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
        for index in range(len(node.args) - 1):
            if not isinstance(node.args[index], ast.Starred):
                changed = copy.deepcopy(node)
                changed.args[index : index + 2] = changed.args[index + 1], changed.args[index]
                yield node, ast.unparse(changed)
        yield from self._of_function(node)

    def _of_function(self, node: ast.Call) -> Iterator[tuple[ast.expr, str]]:
        """Call another function or method, or none; change a regular expression."""
        if isinstance(node.func, ast.Name):
            for name in FUNCTIONS.get(node.func.id, ()):
                if name:
                    yield node, ast.unparse(ast.Call(ast.Name(name), node.args, node.keywords))
                elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
                    yield node, ast.unparse(node.args[0])
        elif isinstance(node.func, ast.Attribute):
            for name in METHODS.get(node.func.attr, ()):
                if not name:
                    yield node, ast.unparse(node.func.value)
                    continue
                function = ast.Attribute(node.func.value, name.removesuffix("()"))
                bare = name.endswith("()")
                arguments = ([], []) if bare else (node.args, node.keywords)
                yield node, ast.unparse(ast.Call(function, *arguments))
            is_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
            if is_re and node.func.attr in RE_FUNCTIONS:
                yield from self._of_pattern(node)

    def _of_pattern(self, node: ast.Call) -> Iterator[tuple[ast.expr, str]]:
        """Change a regular expression, and its flags."""
        pattern = node.args[0]
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, (bytes, str)):
            return
        value = pattern.value
        plain = value.decode("latin-1") if isinstance(value, bytes) else value
        for text in patterns.changed(plain):
            yield pattern, repr(text.encode("latin-1") if isinstance(value, bytes) else text)
        count = 1 if node.func.attr == "compile" else 2  # type: ignore[attr-defined]
        if len(node.args) <= count and not node.keywords:
            for flag in patterns.flags(plain):
                added = ast.keyword("flags", ast.Attribute(ast.Name("re"), flag))
                yield node, ast.unparse(ast.Call(node.func, node.args, [added]))

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
            if isinstance(node.exc, ast.Call):
                yield from self._of_exception(node.exc.func)
            elif node.exc is not None:
                yield from self._of_exception(node.exc)
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
                yield from self._of_exception(handler.type)

    def _of_exception(self, node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
        """Catch or raise a wider exception, and a narrower one."""
        for name in node.elts if isinstance(node, ast.Tuple) else [node]:
            others: tuple[str, ...] = ()
            if isinstance(name, ast.Name):
                others = WIDER.get(name.id, ()) + NARROWER.get(name.id, ())
                if name.id not in WIDER and name.id not in NARROWER:
                    others = ("Exception",)
            for other in others:
                yield name, other


def _other_comparisons(operator: ast.cmpop, right: ast.expr) -> list[type[ast.cmpop]]:
    """Return the comparisons that take the place of one, but those that are the same there.

    With ``None``, the truth values and small numbers it does not matter whether it is ``==`` or
    ``is``.
    """
    others = [kind for kind in COMPARISONS[type(operator)] if kind is not type(operator)]
    if isinstance(right, ast.Constant) and isinstance(right.value, (int, type(None))):
        same = {ast.Eq: ast.Is, ast.NotEq: ast.IsNot, ast.Is: ast.Eq, ast.IsNot: ast.NotEq}
        others = [kind for kind in others if kind is not same.get(type(operator))]
    return others


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
        for other in (value.lower(), value.upper(), b""):
            if other != value:
                yield repr(other)
    elif isinstance(value, str):
        yield repr(f"XX{value}XX")
    elif value is None:
        yield repr("")


def _is_plain(node: ast.stmt) -> bool:
    """Tell whether a statement only gives a value a name, whatever that value is."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return False
    for each in ast.walk(node.value):
        if isinstance(each, (ast.Await, ast.Yield)):
            return False
        if isinstance(each, ast.Call):
            name = getattr(each.func, "attr", getattr(each.func, "id", ""))
            if name not in PURE:
                return False
    return True


def _are_independent(first: ast.stmt, second: ast.stmt) -> bool:
    """Tell whether two statements only give values names, none of which the other uses."""
    if not (_is_plain(first) and _is_plain(second)):
        return False
    names = []
    for node in (first, second):
        assert isinstance(node, (ast.Assign, ast.AnnAssign))
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names.append({ast.unparse(each) for target in targets for each in _parts(target)})
    uses = [{ast.unparse(each) for each in ast.walk(node)} for node in (first, second)]
    return not (names[0] & uses[1] or names[1] & uses[0])


def _parts(target: ast.expr) -> list[ast.expr]:
    """Return the targets of an assignment to several."""
    return list(target.elts) if isinstance(target, ast.Tuple) else [target]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


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
