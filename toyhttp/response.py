"""What a server answers: a ``Response`` in, bytes out (RFC 1945, sections 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Final

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


@dataclass(frozen=True)
class Response:
    """One response.

    :ivar status: the status code, from 200 to 599.
    :ivar headers: pairs of name and value.  ``Date``, ``Content-Length`` and
        ``Connection`` are not among them: the server writes those.
    :ivar body: the entity body.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""


def text_response(status: int, explanation: str) -> Response:
    """Return a response with a short explanation, such as an error has.

    :param explanation: a sentence.  It is sent as plain text, so that no browser
        takes what it quotes for HTML.
    """
    reason = REASONS.get(status, b"").decode("ascii")
    body = f"{status} {reason}: {explanation}\n".encode()
    return Response(status, [(b"Content-Type", b"text/plain; charset=utf-8")], body)


def render_response(
    response: Response, now: float, head_only: bool = False, server: bytes = b""
) -> bytes:
    """Render the bytes that go over the wire (RFC 1945, section 6).

    The order is the one that section 4.2 calls good practice: status line,
    ``Date``, ``Server``, the response's own header fields, ``Content-Length``.

    :param now: the time for ``Date``, in seconds since 1970-01-01 00:00 UTC.
    :param head_only: leave the body out, as in the answer to a ``HEAD``; the
        header fields stay the same (section 8.2).
    :param server: the value of ``Server``; without one the field is left out.
    :raises ValueError: if the status is none that can be sent, or a header field's
        name is no token or one that only the server writes, or its value has a NUL, CR
        or LF in it, which would end the field and begin another one.
    """
    status, body = response.status, response.body
    if not 200 <= status <= 599:  # 1xx is never sent to an HTTP/1.0 client (section 9.1)
        raise ValueError(f"status {status} is not from 200 to 599")
    lines = [
        b"HTTP/1.0 %d %s" % (status, REASONS.get(status, b"")),
        b"Date: " + http_date(int(now)),
    ]
    if server:
        lines.append(b"Server: " + server)
    for name, value in response.headers:
        if name.lower() in FRAMING:
            raise ValueError(f"leave {name!r} out of the response: the server frames it")
        if not TOKEN.fullmatch(name):
            raise ValueError(f"the header field name {name!r} is not a token")
        if not FIELD_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name!r} has a NUL, CR or LF in it: {value!r}")
        lines.append(name + b": " + value)
    if status in WITHOUT_BODY:
        body = b""
    else:
        lines.append(b"Content-Length: %d" % len(body))
    if head_only:
        body = b""
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@lru_cache(maxsize=1)  # a busy server answers many requests in a second
def http_date(seconds: int) -> bytes:
    """Format a time as RFC 1945, section 3.3, wants it: ``Sun, 06 Nov 1994 08:49:37 GMT``.

    :param seconds: since 1970-01-01 00:00 UTC.
    """
    return formatdate(seconds, usegmt=True).encode("ascii")
