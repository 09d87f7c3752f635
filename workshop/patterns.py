"""Small changes to a regular expression, each of which a test should notice."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

ANCHORS = ("^", "$", r"\A", r"\Z", r"\b", r"\B")
OPENINGS = ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?P<", "(")
_QUANTIFIER = re.compile(r"([*+?]|\{\d+(?:,\d*)?\})[?+]?")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{1,3}|.)", re.DOTALL)


class Token(NamedTuple):
    """A piece of a pattern: ``kind`` is escape, class, quantifier, anchor, open, or other."""

    kind: str
    text: str


def changed(pattern: str) -> list[str]:
    """Return the patterns that take the place of one: all of them can be compiled.

    An escape is removed; a quantifier, a class, an anchor or a group is changed; one of
    several alternatives is left out.
    """
    tokens = list(_tokens(pattern))
    found: dict[str, None] = {}
    for index, token in enumerate(tokens):
        before = "".join(each.text for each in tokens[:index])
        after = "".join(each.text for each in tokens[index + 1 :])
        for text in _others(token):
            found[before + text + after] = None
    for text in _fewer_alternatives(tokens):
        found[text] = None
    found.pop(pattern, None)
    return [text for text in found if _compiles(text)]


def flags(pattern: str) -> list[str]:
    """Return the flags that may change what a pattern matches."""
    tokens = list(_tokens(pattern))
    plain = [token.text for token in tokens if token.kind in ("other", "anchor")]
    classes = [token.text for token in tokens if token.kind == "class"]
    found = {
        "IGNORECASE": any(each.isalpha() for each in plain)
        or any(_matched(each) != _matched(f"(?i:{each})") for each in classes),
        "DOTALL": "." in plain,
        "MULTILINE": "^" in plain or "$" in plain,
        "VERBOSE": any(each in " \t\n#" for each in plain),
    }
    return [name for name, matters in found.items() if matters]


def _compiles(pattern: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError):
        return False
    return True


def _tokens(pattern: str) -> Iterator[Token]:
    """Cut a pattern into its pieces."""
    place = 0
    while place < len(pattern):
        rest = pattern[place:]
        kind, text = "other", rest[0]
        if escape := _ESCAPE.match(rest):
            kind = "anchor" if escape[0] in ANCHORS else "escape"
            text = escape[0]
        elif rest[0] == "[":
            kind, text = "class", _class_at(rest)
        elif rest[0] in "^$":
            kind = "anchor"
        elif place and (quantifier := _QUANTIFIER.match(rest)):
            kind, text = "quantifier", quantifier[0]
        elif rest[0] == "(":
            kind = "open"
            text = next(opening for opening in OPENINGS if rest.startswith(opening))
        yield Token(kind, text)
        place += len(text)


def _class_at(text: str) -> str:
    """Return the class, such as ``[^a-z]``, that a text begins with."""
    place = 2 if text.startswith("[^") else 1
    place += text[place : place + 1] == "]"
    while place < len(text) and text[place] != "]":
        place += 2 if text[place] == "\\" else 1
    return text[: place + 1]


def _others(token: Token) -> Iterator[str]:
    """Yield what takes the place of a piece."""
    if token.kind == "escape":
        yield token.text[1:]
    elif token.kind == "anchor":
        yield ""
        if token.text in ("$", r"\Z"):
            yield r"\Z" if token.text == "$" else "$"
    elif token.kind == "quantifier":
        yield from _other_quantifiers(token.text)
    elif token.kind == "class":
        same = _matched(token.text)
        yield from (text for text in _other_classes(token.text) if _matched(text) != same)
    elif token.kind == "open":
        opposite = {"(?=": "(?!", "(?!": "(?=", "(?<=": "(?<!", "(?<!": "(?<="}
        if token.text in opposite:
            yield opposite[token.text]
    elif token.text == ".":
        yield r"\."


def _other_quantifiers(text: str) -> Iterator[str]:
    yield ""
    if text[0] in "*+?":
        yield from (other + text[1:] for other in "*+?" if other != text[0])
        return
    low, comma, high = text[1 : text.index("}")].partition(",")
    for value in (int(low) - 1, int(low) + 1):
        if value >= 0:
            yield f"{{{value}{comma}{high}}}"
    if high:
        for value in (int(high) - 1, int(high) + 1):
            yield f"{{{low},{value}}}"
        yield f"{{{low},}}"


def _other_classes(text: str) -> Iterator[str]:
    """Negate a class; leave out each member; widen and narrow each range by one."""
    negated = text.startswith("[^")
    opening = "[^" if negated else "["
    members = _members(text[len(opening) : -1])
    yield ("[" if negated else "[^") + text[len(opening) :]
    for index, member in enumerate(members):
        before, after = "".join(members[:index]), "".join(members[index + 1 :])
        if members[1:]:
            yield f"{opening}{before}{after}]"
        if member.startswith("\\") and len(member) == 2:
            yield f"{opening}{before}{member[1:]}{after}]"
        low, dash, high = _range(member)
        if dash:
            for first, last in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                begin, end = ord(low) + first, ord(high) + last
                if 0 <= begin <= end <= 255:
                    yield f"{opening}{before}{_spelled(begin)}-{_spelled(end)}{after}]"


def _matched(text: str) -> str:
    """Return the characters up to 255 that a class matches; what cannot be compiled: all."""
    characters = "".join(map(chr, range(256)))
    return "".join(re.findall(text, characters)) if _compiles(text) else characters


def _members(text: str) -> list[str]:
    """Cut what is in a class into characters and ranges."""
    one = r"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{1,3}|\\.|.)"
    return re.findall(rf"{one}-{one}|{one}", text, re.DOTALL)


def _range(member: str) -> tuple[str, str, str]:
    """Return the first and the last character of a range, with what stands between them."""
    one = r"(\\x[0-9a-fA-F]{2}|\\[0-7]{1,3}|\\.|.)"
    found = re.fullmatch(f"{one}-{one}", member, re.DOTALL)
    if found is None:
        return member, "", ""
    return _character(found[1]), "-", _character(found[2])


def _character(text: str) -> str:
    if text.startswith("\\x"):
        return chr(int(text[2:], 16))
    if text.startswith("\\") and text[1:].isdigit():
        return chr(int(text[1:], 8))
    plain = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\f": "\f", "\\v": "\v"}
    return plain.get(text, text[-1])


def _spelled(code: int) -> str:
    return chr(code) if chr(code).isalnum() and code < 128 else f"\\x{code:02x}"


def _fewer_alternatives(tokens: list[Token]) -> Iterator[str]:
    """Leave out one of several alternatives, in the whole pattern or in a group."""
    depth, starts = 0, {0: [0]}
    for index, token in enumerate([*tokens, Token("other", ")")]):
        if token.kind == "open":
            depth += 1
            starts[depth] = [index + 1]
        elif token == ("other", "|"):
            starts[depth].append(index + 1)
        elif token == ("other", ")"):
            bounds = [*starts.pop(depth, []), index + 1]
            if len(bounds) > 2:
                for begin, end in pairwise(bounds):
                    cut = slice(begin, end) if end <= index else slice(begin - 1, end - 1)
                    left = tokens[: cut.start] + tokens[cut.stop :]
                    yield "".join(each.text for each in left)
            depth -= 1
