"""Stage 1: bytes in, a request out, or the error that says what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .drawing import TOKEN, VISIBLE, Draw, exact, outcome

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"get", b"X")
VERSIONS = (
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"HTTP/0.9",
    b"HTTP/12.34",
    b"HTTP/9999.0000",
    b"HTTP/0001.0001",
)
BAD_VERSIONS = (
    b"HTTP/1x0",
    b"HTTP/.0",
    b"HTTP/1.",
    b"HTTP/.",
    b"HTTP/1",
    b"HTTP/10",
    b"HTTP/12345.0",
    b"HTTP/1.12345",
    b"HTTP/00001.0",
    b"HTTP/+1.0",
    b"HTTP/1.-0",
    b"HTTP/1_0.0",
    b"HTTP/1.0.0",
    b"HTTP/1,0",
    b"HTTP/\xb2.0",
    b"HTTP/1.0x",
    b"xHTTP/1.0",
    b"http/1.0",
    b"Http/1.0",
    b"HTTPS/1.0",
    b"HTTP1.0",
    b"1.0",
    b"HTTP/a.b",
    b"HTTP/1:.0",
    b"HTTP/:.0",
    b"HTTP/1.:",
    b"HTTP/1.0:",
    b"HTTP/1./",
    b"HTTP/.1.0",
    b"",
)
NAMES = (b"Host", b"Accept", b"X-Y", b"X_Y", b"Content-Type", b"Cookie", b"a", b"A")


def method(draw: Draw) -> bytes:
    """Return a method, mostly a right one."""
    name = draw.choice(METHODS) if draw.randrange(3) else draw.some(TOKEN, 6, 1)
    return draw.spoilt(name) if draw.one_in(12) else name


def target(draw: Draw) -> bytes:
    """Return a target, mostly a right one."""
    alphabet = draw.choice((VISIBLE, VISIBLE + bytes(range(128, 256)), b"ab/?.%25"))
    path = b"/" + draw.some(alphabet, 8)
    if draw.one_in(12):
        return draw.choice((b"", b"*", b"a", b"http://a/", b"\\", b"?", b"//", path[1:]))
    if draw.one_in(8):
        place = draw.randint(0, len(path))
        return (
            path[:place]
            + bytes([draw.choice(b"\x00\x01\t\n\r\x1f !~\x7f\x80\xa0\xff")])
            + path[place:]
        )
    return path


def version(draw: Draw) -> bytes:
    """Return a version, mostly a right one."""
    if draw.one_in(8):
        return draw.choice(BAD_VERSIONS)
    if draw.one_in(4):
        digits = [draw.some(b"0123456789", draw.choice((1, 4, 5)), 1) for _ in "ab"]
        if draw.randrange(4):  # what is said of another version is left open
            digits[0] = draw.some(b"0", 3) + b"1"
        return b"HTTP/" + b".".join(digits)
    return draw.spoilt(VERSIONS[0]) if draw.one_in(20) else draw.choice(VERSIONS)


def field(draw: Draw) -> bytes:
    """Return a header field without its line end, mostly a right one."""
    name = draw.case(draw.choice(NAMES)) if draw.randrange(3) else draw.some(TOKEN, 4, 1)
    if draw.one_in(12):
        name = draw.choice((b"", draw.spoilt(name), name + b" ", b" " + name, name + b"\t"))
    alphabet = draw.choice((VISIBLE, b" \tab:,", bytes({*range(256)} - {0, 10, 13})))
    value = draw.some(alphabet, 6)
    if draw.one_in(8):
        value = draw.spoilt(value + b"x")
    if draw.one_in(4):
        value = draw.choice((b"\x0b", b"\x0c", b"\x85", b"\xa0", b"\x1c", b" ", b"\t")) + value
    if draw.one_in(4):
        value += draw.choice((b"\x0b", b"\x0c", b"\x85", b"\xa0", b"\x1c", b" ", b"\t"))
    colon = draw.weighted([(20, b":"), (1, b""), (1, b"::"), (1, b" :"), (1, b"=")])
    return name + colon + draw.some(b" \t", 2) + value + draw.some(b" \t", 2)


def head(draw: Draw) -> bytes:
    """Return a head, mostly a right one."""
    words = [method(draw), target(draw), version(draw)]
    if draw.one_in(20):
        words = draw.choice((words[:2], words[1:], words[:1], [*words, b"x"], words[::-1], []))
    separator = draw.weighted([(40, b" "), (1, b"\t"), (1, b"\x0b"), (1, b"\xa0"), (1, b"")])
    lines = [separator.join(words)]
    lines += [field(draw) for _ in range(draw.choice((0, 0, 1, 1, 2, 3, 4)))]
    if draw.one_in(30):
        lines.insert(draw.randint(0, len(lines)), draw.choice((b"", b" folded", b"\tx: y", b" ")))
    wrong = draw.choice((15, 1000))
    data = b"".join(line + draw.line_end(wrong) for line in [*lines, b""])
    if draw.one_in(12):
        data = draw.choice((data[:-2], data[:-1], data + b"\r\n", data + b"x", data + b"\n", b""))
    return draw.spoilt(data) if draw.one_in(15) else data


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up a head, or a request and an error from their parts."""
    if draw.randrange(12):
        return ("parse", head(draw))
    fields = tuple((draw.case(draw.choice(NAMES)), draw.some(b"ab, ", 4)) for _ in "abc")
    parts = (method(draw), target(draw), (draw.randrange(3), draw.randrange(3)), fields, b"body")
    return ("make", parts[: draw.choice((3, 4, 5))], draw.choice((400, 413, 501)))


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Parse the head; or compare a request with others."""
    module = load("request")
    if given[0] == "parse":
        if is_open(given[1]):
            return None
        return outcome(lambda: parsed(module, given[1]), module.BadRequest)
    _, parts, status = given
    return outcome(lambda: made(module, parts, status))


def is_open(data: bytes) -> bool:
    """Tell whether the page leaves open what is made of a head."""
    line = data.partition(b"\n")[0]
    return b"  " in line or line.startswith(b" ") or line.rstrip(b"\r").endswith(b" ")


def parsed(module: Any, data: bytes) -> Any:
    """Return all that can be seen of a request."""
    request = module.parse_request(data)
    parts = shown(request)
    names = {name.lower(): name for name, _ in request.headers}
    found = [(name, *map(looked_up(request), (name, name.upper(), name.lower()))) for name in names]
    again = module.Request(
        request.method, request.target, request.version, request.headers, request.body
    )
    return parts, sorted(found), request.header(b"X-Not-There"), request == again


def looked_up(request: Any) -> Callable[[bytes], object]:
    """Return a function that looks a field up."""
    return lambda name: exact(request.header(name))


def shown(request: Any) -> tuple[object, ...]:
    """Return the parts of a request, and of which types they are, if it matters."""
    fields = tuple((exact(name), exact(value)) for name, value in request.headers)
    return (
        exact(request.method),
        exact(request.target),
        tuple(int(number) if number == int(number) else number for number in request.version),
        fields,
        exact(request.body),
    )


def made(module: Any, parts: tuple[Any, ...], status: int) -> Any:
    """Return what a request, and requests that differ in one value, are like."""
    request = module.Request(*parts)
    full = [request.method, request.target, request.version, request.headers, request.body]
    equal = [request == module.Request(*full), request != module.Request(*full)]
    others: tuple[Any, ...] = (b"OTHER", b"/other", (9, 9), ((b"Other", b"x"),), b"other")
    for index, other in enumerate(others):
        changed = module.Request(*full[:index], other, *full[index + 1 :])
        equal += [request == changed, request != changed]
    names = {name.lower() for name, _ in (*request.headers, (b"x-not-there", b""))}
    found = sorted((name, exact(request.header(name))) for name in names)
    errors = [module.BadRequest("Why."), module.BadRequest("Why.", status)]
    said = [(str(error), error.status, isinstance(error, Exception)) for error in errors]
    return shown(request), equal, repr(found), said, request == 1
