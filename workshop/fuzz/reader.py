"""Stage 3: chunks in, requests out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import request as requests
from .drawing import Draw, outcome

LENGTHS = (
    b"+5",
    b"-1",
    b"-0",
    b"5 5",
    b"5,5",
    b"0x5",
    b"",
    b"1_0",
    b"5.0",
    b"\xb2",
    b"five",
    b"5x",
    b"x5",
    b"5;",
    b"\x0b5",
    b"5:",
    b":5",
    b"/5",
    b"5/",
    b"99999999999999999999",
    b"123456789012345678901",
    b"000000000000000000000",
    b"0000000000000000000000001",
)


def message(draw: Draw, large: bool = False) -> bytes:
    """Return a request with its body, mostly a right one."""
    if draw.one_in(15):
        return requests.head(draw)
    methods = [(4, b"GET"), (2, b"HEAD"), (4, b"POST"), (1, b"PUT"), (1, b"POS"), (1, b"POSTS")]
    method = draw.weighted(methods)
    body = draw.some(b"\x00\r\nabG /:", draw.choice((0, 1, 5, 30)))
    lines = [method + b" " + draw.choice((b"/", b"/a", b"/b?c")) + b" HTTP/1.0"]
    lines += [requests.field(draw) for _ in range(draw.choice((0, 0, 0, 1)))]
    if draw.one_in(8):
        lines.append(b"X: " + draw.choice((20, 300, 5000 if large else 1)) * b"y")
    lengths = []
    if body or method == b"POST" or draw.one_in(4):
        lengths.append(b"%d" % len(body))
    if draw.one_in(12):
        zeros = draw.choice((1, 4, 17)) * b"0"
        lengths = [draw.choice((*LENGTHS, zeros + b"%d" % len(body), zeros))]
    if draw.one_in(20):
        lengths.append(draw.choice((b"%d" % len(body), b"1", *lengths)))
    if draw.one_in(20):
        lengths = []
    for length in lengths:
        name = draw.case(b"Content-Length")
        lines.insert(
            draw.randint(1, len(lines)), name + draw.choice((b": ", b":", b":\t")) + length
        )
    end = draw.choice((b"\r\n", b"\r\n", b"\n"))
    mixed = draw.one_in(3)
    data = b"".join(line + (draw.line_end(200) if mixed else end) for line in [*lines, b""])
    return data + body


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up a stream, cut into chunks, and the limits: often close to what is needed."""
    stream = b"".join(message(draw) for _ in range(draw.choice((1, 1, 2, 3))))
    if draw.one_in(6):
        stream = stream[: draw.randint(0, len(stream))]
    limits: tuple[int, ...] = ()
    if draw.one_in(2):
        head = min([len(stream), *places_behind(stream)])
        limits = draw.near(head), draw.near(draw.choice((0, 1, 5, 30)))
    elif draw.one_in(30):
        stream = large(draw)
    return draw.cut(stream), limits, draw.one_in(4), draw.one_in(3)


def places_behind(stream: bytes) -> list[int]:
    """Return where blank lines end."""
    found = [stream.find(end) + len(end) for end in (b"\n\r\n", b"\n\n") if end in stream]
    return found


def large(draw: Draw) -> bytes:
    """Return a head or a body that is about as large as is allowed where nothing is said."""
    if draw.one_in(2):
        length = draw.near(1024 * 1024)
        return b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\nab" % length
    start, end = b"GET / HTTP/1.0\r\nX: ", draw.choice((b"\r\n\r\n", b"\n\n", b""))
    return start + (draw.near(16 * 1024) - len(start) - len(end)) * b"x" + end


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Feed the chunks; tell which requests come out after which chunk."""
    chunks, limits, by_name, at_the_end = given
    if requests.is_open(b"".join(chunks)):
        return None
    error = load("request").BadRequest
    kind = load("reader").RequestReader
    reader = kind(max_head=limits[0], max_body=limits[1]) if by_name and limits else kind(*limits)
    seen: list[Any] = []
    if not at_the_end:
        seen.append(outcome(lambda: taken(reader), error))
    chunks = (*chunks, 12 * b"x\r\n\r\n")  # what is wrong with the last head is told now
    for number, chunk in enumerate(chunks):
        reader.feed(chunk)
        if at_the_end and number < len(chunks) - 2:
            continue
        while True:
            came = outcome(lambda: taken(reader), error)
            seen.append((number, came))
            if came is None:
                break
            if came[0] == "raised" or len(seen) > 3000:
                return without_its_time(seen) if came[2:] == (400,) else seen
    return seen


def without_its_time(seen: list[Any]) -> list[Any]:
    """Leave out when a head is refused: as soon as it is wrong, or when it is complete."""
    *before, (_, error) = seen
    while before and (before[-1] is None or before[-1][1] is None):
        before.pop()
    return [*before, error]


def taken(reader: Any) -> Any:
    """Return the next request, as it can be seen; ``None`` if there is none."""
    request = reader.next_request()
    return None if request is None else ("request", requests.shown(request))
