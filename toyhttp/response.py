"""What a server answers: a ``Response`` in, bytes out (RFC 1945, sections 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from .dates import format_http_date
from .request import TOKEN

REASONS: Final = {
    200: b"OK",
    201: b"Created",
    202: b"Accepted",
    204: b"No Content",
    206: b"Partial Content",
    301: b"Moved Permanently",
    302: b"Moved Temporarily",
    304: b"Not Modified",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    505: b"HTTP Version Not Supported",
}
"""The reason phrases of RFC 1945, section 6.1.1, and of the later codes that are used here."""

WITHOUT_BODY: Final = frozenset({204, 304})
"""The codes whose answers end with the blank line (RFC 1945, section 7.2)."""

FRAMING: Final = frozenset({b"connection", b"content-length", b"date", b"transfer-encoding"})
"""The header fields that the server writes, or never sends: no handler may contradict it."""

FIELD_VALUE: Final = re.compile(rb"[^\x00\r\n]*")
"""What stays one header field for every reader."""


class Body(Protocol):
    """An entity body that is read when it is sent, piece by piece: that of a large file, say.

    One that the system can send by itself may have ``send_to(socket, limit)``, too: it hands the
    next bytes to a socket, without waiting, and returns how many that took: 0 only if it takes
    none now.  One that has more, and sends none, is broken off after ``close_timeout``.  See
    :class:`toyhttp.files.FileBody`.
    """

    @property
    def size(self) -> int:
        """How many bytes it has in all.  So many are sent, or the connection is aborted."""

    def read(self, limit: int) -> bytes:
        """Return the next bytes: at least one, at most ``limit``; none at the end.

        :raises OSError: if there should be more, but they cannot be read.
        """

    def close(self) -> None:
        """Give back what it holds; it is not read any more.  May be called again."""


@dataclass(frozen=True)
class Response:
    """One response.

    :ivar status: the status code, from 200 to 599.
    :ivar headers: pairs of name and value.  ``Date``, ``Content-Length`` and
        ``Connection`` are not among them: the server writes those.
    :ivar body: the entity body: bytes, or a :class:`Body`, which the server closes.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes | Body = b""


def text_response(status: int, explanation: str) -> Response:
    """Return a response with a short explanation, such as an error has.

    :param explanation: a sentence.  It is sent as plain text, so that no browser
        takes what it quotes for HTML.
    """
    reason = REASONS.get(status, b"").decode("ascii")
    body = f"{status} {reason}: {explanation}\n".encode()
    return Response(status, [(b"Content-Type", b"text/plain; charset=utf-8")], body)


def render_response(
    response: Response,
    now: float,
    head_only: bool = False,
    server: bytes = b"",
    keep_alive: bool = False,
) -> bytes:
    """Render the bytes that go over the wire (RFC 1945, section 6).

    The order is the one that section 4.2 calls good practice: status line, ``Date``,
    ``Connection``, ``Server``, the response's own header fields, ``Content-Length``.
    Of a :class:`Body` the length is rendered alone: what it has is for the caller to send.

    :param now: the time for ``Date``, in seconds since 1970-01-01 00:00 UTC.
    :param head_only: leave the body out, as in the answer to a ``HEAD``; the
        header fields stay the same (section 8.2).
    :param server: the value of ``Server``; without one the field is left out.
    :param keep_alive: say that the connection stays open (RFC 2068, section 19.7.1).
    :raises TypeError: if the body is neither bytes nor a :class:`Body`, or the status no number.
    :raises ValueError: if the status is none that can be sent, or a header field's
        name is no token or one that only the server writes, or its value has a NUL, CR
        or LF in it, which would end the field and begin another one.
    """
    status, body = response.status, response.body
    headers = tuple(response.headers)
    try:
        head = _head(status, headers, int(now), server, keep_alive)
    except TypeError:  # the pairs may be lists, which nothing can be remembered of
        head = _head.__wrapped__(status, headers, int(now), server, keep_alive)
    if status in WITHOUT_BODY:
        return head + b"\r\n"
    if not isinstance(body, bytes):
        return b"%sContent-Length: %d\r\n\r\n" % (head, _size(body))
    return b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), b"" if head_only else body)


# These two are cached, because most answers have the same head as another one of the same
# second, and most of their fields are the same all day.  It saves half of the time.


@lru_cache(maxsize=64)
def _head(
    status: int,
    headers: tuple[tuple[bytes, bytes], ...],
    second: int,
    server: bytes,
    keep_alive: bool,
) -> bytes:
    """Render the status line and all fields but ``Content-Length``."""
    if not isinstance(status, int):
        raise TypeError(f"status {status!r} is not a whole number")
    if not 200 <= status <= 599:  # 1xx is never sent to an HTTP/1.0 client (section 9.1)
        raise ValueError(f"status {status} is not from 200 to 599")
    return b"HTTP/1.0 %d %s\r\nDate: %s\r\n%s%s%s" % (
        status,
        REASONS.get(status, b""),
        format_http_date(second),
        b"Connection: keep-alive\r\n" if keep_alive else b"",
        b"Server: %s\r\n" % server if server else b"",
        b"".join([_line(name, value) for name, value in headers]),
    )


@lru_cache(maxsize=256)
def _line(name: bytes, value: bytes) -> bytes:
    """Render one header field of the response, if it can be sent."""
    if name.lower() in FRAMING:
        raise ValueError(f"leave {name!r} out of the response: the server frames it")
    if not TOKEN.fullmatch(name):
        raise ValueError(f"the header field name {name!r} is not a token")
    if not FIELD_VALUE.fullmatch(value):
        raise ValueError(f"the value of {name!r} has a NUL, CR or LF in it: {value!r}")
    return name + b": " + value + b"\r\n"


def _size(body: Body) -> int:
    """Return the size of a body that is not bytes."""
    size = getattr(body, "size", None)
    if not isinstance(size, int) or size < 0:
        raise TypeError(f"a body is bytes, or has a size and can be read, not {body!r}")
    return size
