"""What a server answers: a ``Response`` in, bytes out (RFC 1945, section 6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from .request import is_token

BODILESS = frozenset({204, 304})
"""The codes whose responses never have a body (RFC 1945, section 7.2)."""


class Source(Protocol):
    """A body that is read piece by piece: such as a large file."""

    def __len__(self) -> int:
        """Return how many bytes the body has."""

    def read(self, size: int) -> bytes:
        """Return the next bytes: at most ``size``, and ``b""`` if there are no more.

        :raises OSError: if they cannot be read.
        """

    def close(self) -> None:
        """Let go of what the bytes come from.  May be called again."""


class Response:
    """One response.  Two responses with the same values are equal.

    :ivar status: the status code, such as ``200``.
    :ivar headers: pairs of name and value.  ``Date`` and ``Content-Length`` are not among
        them: the server writes those.
    :ivar body: the entity body: bytes, or a ``Source`` of them.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes | Source = b"",
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __eq__(self, other: object) -> bool:
        """Compare the three values; it does not matter what kind of sequence holds the fields."""
        if not isinstance(other, Response):
            return NotImplemented
        mine = (self.status, tuple(self.headers), self.body)
        return mine == (other.status, tuple(other.headers), other.body)

    __hash__ = None  # type: ignore[assignment]  # it may be changed

    def __repr__(self) -> str:
        """Return how it is built."""
        return f"Response({self.status!r}, {self.headers!r}, {self.body!r})"


def explanation(
    status: int, sentence: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> Response:
    """Return a response that says in plain text what has happened.

    :param sentence: for the person at the other end.
    :param headers: header fields beside ``Content-Type``.
    """
    fields = [*headers, (b"Content-Type", b"text/plain; charset=utf-8")]
    return Response(status, fields, f"{status} {reason_phrase(status)}: {sentence}\n".encode())


def reason_phrase(status: int) -> str:
    """Return what people read behind a status code; ``""`` if there is nothing usual."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def http_date(moment: float) -> bytes:
    """Render a time, in seconds since 1970-01-01 00:00 UTC (RFC 1945, section 3.3).

    A second that has not passed yet does not count.
    """
    return formatdate(math.floor(moment), usegmt=True).encode("ascii")


def _render_field(name: bytes, value: bytes) -> bytes:
    """Render one header field (RFC 1945, section 4.2)."""
    if not is_token(name):
        raise ValueError(f"The header field's name {name!r} is no token.")
    if value.translate(None, b"\0\r\n") != value:
        raise ValueError(f"The value of {name!r} has a NUL, CR or LF in it.")
    return b"%b: %b\r\n" % (name, value)


def render_response(response: Response, now: float, head_only: bool = False) -> bytes:
    """Render the bytes that go over the wire (RFC 1945, section 6).

    The order is: status line, ``Date``, the response's own header fields,
    ``Content-Length``, a blank line, the body.

    :param now: the time for ``Date``, in seconds since 1970-01-01 00:00 UTC.
    :param head_only: leave the body out, as in the answer to a ``HEAD``; the
        header fields stay the same.  A body that is a ``Source`` needs it.
    :raises ValueError: if a header field, or the status, could not be sent as it is.
    """
    if not 100 <= response.status <= 999:
        raise ValueError(f"The status {response.status} has not three digits.")
    head = bytearray(f"HTTP/1.0 {response.status} {reason_phrase(response.status)}\r\n", "ascii")
    head += _render_field(b"Date", http_date(now))
    for name, value in response.headers:
        head += _render_field(name, value)
    body: bytes | bytearray = b""
    if response.status not in BODILESS:
        head += b"Content-Length: %d\r\n" % len(response.body)
        if isinstance(response.body, (bytes, bytearray)):
            body = b"" if head_only else response.body
        elif head_only and hasattr(response.body, "read"):
            body = b""
        else:
            raise ValueError(f"The body is no bytes, but {type(response.body)}.")
    return bytes(head + b"\r\n" + body)
