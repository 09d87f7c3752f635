"""What strangers send, and the chunks in which it comes: for the tests of properties.

A property is worth as much as the bytes it is tried with.  So most of these are
nearly a request: every part is a good one most of the time, and a nasty one now
and then.  Several requests follow each other, and some bytes are none at all.
"""

from __future__ import annotations

import re

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

MAX_HEAD = 55
"""A limit for the head that some of the streams reach."""

MAX_BODY = 12
"""A limit for the body that some of the streams exceed."""

# Relative, so that it lies in Trial's own folder, and not where Trial was started.
set_hypothesis_home_dir(".hypothesis")


def property_settings(examples: int) -> settings:
    """Return settings with which a property gives the same result in every run."""
    return settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=examples,
        suppress_health_check=[HealthCheck.too_slow],
    )


def _mostly(good: list[bytes], nasty: list[bytes], share: int = 5) -> st.SearchStrategy[bytes]:
    """Draw good bytes, and nasty ones once in ``share`` times."""
    choices = [good] * (share - 1) + [nasty]
    return st.sampled_from(choices).flatmap(st.sampled_from)


_line_end = _mostly([b"\r\n", b"\r\n", b"\n"], [b"\r", b"\r\r\n", b"\n\r", b"", b"\r\n\r\n"], 20)
_space = _mostly([b" "], [b"  ", b"\t", b" \t ", b"\r", b"\x0b", b""], 12)
_request_line = st.tuples(
    _mostly([b""], [b"\r\n", b"\n", b"\r", b"\n\n", b" ", b"\r\n\r\n", b"\r\n\n", b"\n\r\n"], 4),
    _mostly([b"GET", b"POST", b"HEAD"], [b"BREW", b"get", b"G@T", b"\x00", b"GET\r", b""], 8),
    _space,
    _mostly([b"/", b"/a?b"], [b"http://h/", b"*", b"a", b"/\xe9", b"/\x00", b"/ b", b"/" * 60], 8),
    _mostly(
        [b" HTTP/1.0", b" HTTP/1.1"],
        [b"", b" ", b" HTTP/01.00", b" HTTP/2.0", b" HTTP/1.", b" HTTP/1.0 ", b" HTTP/1." * 12],
        6,
    ),
    _line_end,
).map(b"".join)

_field = st.tuples(
    _mostly(
        [b"A: b", b"Host:h", b"Content-Length: 3", b"content-length:03", b"Content-Length: 0"],
        [
            b"Content-Length: 12",
            b"Content-Length: 13",
            b"Content-Length: -1",
            b"Content-Length: 1\r\n 0",
            b"Content-Length: 3, 3",
            b"Content-Length:",
            b"Content-Length: 99999999999",
            b"Transfer-Encoding: chunked",
            b" folded",
            b"\tfolded: x",
            b" ",
            b"A",
            b": b",
            b"A : b",
            b"A: \x00",
            b"A: \xff\x85",
            b"A:" + 30 * b"x",
            b"A:\rb",
        ],
        3,
    ),
    _line_end,
).map(b"".join)

_odd_request = st.tuples(
    _request_line,
    st.lists(_field, max_size=4).map(b"".join),
    _mostly([b"\r\n", b"\r\n", b"\n"], [b"", b"\r", b"\r\r\n", b" \r\n"], 12),
    _mostly([b"", b"", b"abc"], [b"ab", b"\r\n\r\n", b"\x00\n\xff", b"GET /", b"abcdefghijkl"]),
).map(b"".join)

# A blank line before it, folds, CRLF or LF; no body, or one of the length that is said.
_good_request = st.tuples(
    st.sampled_from([b"", b"", b"", b"\n"]),
    st.sampled_from([b"GET / HTTP/1.0\n", b"HEAD /a HTTP/1.1\n", b"GET http://h/ HTTP/1.9\n"]),
    st.sampled_from([b"", b"", b"A: b\n", b"Host:h\nX:\n", b"X: a\n b\n", b"X:a\n\t\n c\n"]),
    st.sampled_from([b"\n", b"\n", b"Content-Length:03\n\nabc", b"content-length: 0\n\n"]),
).map(b"".join).flatmap(
    lambda sent: st.sampled_from([sent, sent.replace(b"\n", b"\r\n")])
) | st.sampled_from(
    [
        b"GET /\r\n",
        b"GET /a\n",
        b"POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\n\r\n\r\na\n",
        b"POST / HTTP/1.0\nContent-Length: 012\n\nGET /\r\n\r\n\x00\xff ",
        b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
    ]
)

_garbage = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\x00", b"\xff", b"A", b"/", b"0"]),
    max_size=8,
).map(b"".join)


@st.composite
def _streams(draw: st.DrawFn) -> bytes:
    """Draw requests, most of them good; then, not always, spoil or cut off what was drawn."""
    sent = b""
    for _ in range(draw(st.integers(1, 4))):
        good = draw(st.integers(0, 3)) > 0
        sent += draw(_good_request if good else _odd_request)
    spoilt = draw(st.integers(0, 3))
    start = draw(st.integers(0, len(sent)))
    if spoilt == 1:
        sent = sent[:start]
    elif spoilt == 2:
        sent = sent[:start] + draw(_garbage) + sent[start + draw(st.integers(0, 4)) :]
    return sent


streams = _streams()
"""All that a client sends over one connection."""

_kept = streams.map(
    lambda sent: re.sub(rb"( HTTP/1\.[0-9])(\r?\n)", rb"\1\2Connection: keep-alive\2", sent)
)

kept_streams = st.lists(_kept, min_size=1, max_size=3).map(b"".join)
"""The same over a connection that is to be kept: most requests ask for that."""

cuts: st.SearchStrategy[list[int]] = st.lists(st.integers(0, 200), max_size=12)
"""The places at which a stream is cut; those after its end mean nothing."""


def cut(sent: bytes, places: list[int]) -> list[bytes]:
    """Cut a stream; a place that is named twice gives a chunk of no bytes."""
    ends = [*sorted(place for place in places if place <= len(sent)), len(sent)]
    return [sent[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def one_by_one(sent: bytes) -> list[bytes]:
    """Cut a stream into chunks of one byte."""
    return [sent[i : i + 1] for i in range(len(sent))]
