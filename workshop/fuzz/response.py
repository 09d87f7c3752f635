"""Stage 2: a response in, bytes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .drawing import TOKEN, Draw, exact, outcome

STATUSES = (200, 201, 204, 206, 299, 301, 302, 304, 400, 403, 404, 405, 431, 500, 501, 503, 599)
NAMES = (b"Content-Type", b"Location", b"X-Y", b"X_Y", b"a", b"Allow")
TIMES = (
    0,
    0.5,
    1,
    784111777.9999999,
    86399.9999999,
    784111777,
    784111777.999999,
    951782400,
    1709164799.9,
    4102444800,
)


IN_RFC_1945 = (200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 500, 501, 502, 503)


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up a response, a time, and whether it answers a HEAD."""
    status = draw.choice(STATUSES) if draw.randrange(4) else draw.randint(200, 599)
    fields = [field(draw) for _ in range(draw.choice((0, 1, 1, 2, 3)))]
    body = draw.choice(
        (b"", b"hello", b"\r\n\r\n", bytes(range(256)), 9 * b"\xc3\xa4", 1000 * b"x")
    )
    now = draw.choice(TIMES) if draw.randrange(2) else draw.uniform(0, 4e9)
    how = draw.choice(("no", "default", "yes", "keyword"))
    kind = draw.choice((list, tuple))
    return status, kind(fields), body, now, how


def field(draw: Draw) -> tuple[bytes, bytes]:
    """Return a header field, mostly a right one."""
    name = draw.choice(NAMES) if draw.randrange(4) else draw.some(TOKEN, 4, 1)
    value = draw.some(b"ab, :;/\xe4\t\x01\x7f", 6)
    if draw.one_in(6):
        name = draw.choice((b"", draw.spoilt(name), name + draw.byte(), draw.byte() + name))
    if draw.one_in(6):
        value = draw.choice((draw.spoilt(value), value + draw.byte(), draw.byte() + value))
    if draw.one_in(20):
        value += draw.choice((b"\r\nX: y", b"\n", b"\r", b"\x00", b"\r\n"))
    return name, value


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Render the response."""
    return outcome(lambda: rendered(load("response"), *given), ValueError)


def rendered(
    module: Any, status: int, fields: Any, body: bytes, now: float, how: str
) -> tuple[Any, ...]:
    """Return the bytes, and what is equal to the response."""
    response = module.Response(status, fields, body)
    if how == "default":
        data = module.render_response(response, now)
    elif how == "keyword":
        data = module.render_response(response, now, head_only=True)
    else:
        data = module.render_response(response, now, how == "yes")
    others = [
        module.Response(status, fields, body),
        module.Response(status + 1, fields, body),
        module.Response(status, [*fields, (b"Other", b"x")], body),
        module.Response(status, fields, body + b"x"),
    ]
    plain = module.Response(status)
    return (
        exact(data) if status in IN_RFC_1945 else without_phrase(data),
        [(response == other, response != other) for other in others],
        (plain.status, tuple(plain.headers), exact(plain.body)),
        (response.status, tuple(response.headers), exact(response.body)),
    )


def without_phrase(data: Any) -> object:
    """Return the bytes without the phrase, which is left open for other codes."""
    if type(data) is not bytes:
        return exact(data)
    line, end, rest = data.partition(b"\r\n")
    return line[:13], end, rest
