"""From chunks of bytes to requests, as a generator that waits for one line after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from .request import BadRequest, Request, parse_request

BLANK_LINES = (b"\r\n", b"\n")


def end_of_line(buffer: bytearray, start: int, max_head: int) -> Generator[None, Any, int]:
    """Wait until the line that begins at ``start`` is in the buffer.

    No byte is looked at twice, in whatever chunks they come.

    :param buffer: where the bytes are added; it begins with the head.
    :param start: where the line begins.
    :param max_head: how many bytes the head may have.
    :returns: where the next line begins.
    :raises BadRequest: with status 431, as soon as the head is too large.
    """
    looked_at = start
    while (line_feed := buffer.find(b"\n", looked_at, max_head)) < 0:
        if len(buffer) > max_head:
            raise BadRequest(f"The head has more than {max_head} bytes.", 431)
        looked_at = len(buffer)
        yield
    return line_feed + 1


def parse_length(digits: bytes, limit: int) -> int:
    """Parse a Content-Length: digits, and nothing else (RFC 1945, section 10.4).

    :raises BadRequest: with status 400 if it is no number, 413 if it is above ``limit``.
    """
    if not digits.isdigit():
        raise BadRequest("The Content-Length is no number.")
    significant = digits.lstrip(b"0")
    # Python refuses to read some thousand digits, and has not to.
    if len(significant) > len(str(limit)) or int(significant or b"0") > limit:
        raise BadRequest(f"The body has more than {limit} bytes.", 413)
    return int(significant or b"0")


class RequestReader:
    """Collects bytes, in whatever chunks they come, and gives out requests.

    :param max_head: how many bytes a head may have, its blank line included.
    :param max_body: how many bytes an entity body may have.
    """

    __slots__ = ("_buffer", "_error", "_max_body", "_max_head", "_requests")

    def __init__(self, max_head: int = 16 * 1024, max_body: int = 1024 * 1024) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._requests = self._read_on()
        self._error: BadRequest | None = None

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next.  Behind an error they are dropped."""
        if self._error is None:
            self._buffer += data

    @property
    def has_bytes(self) -> bool:
        """Whether it holds bytes that no request which was given out has used."""
        return bool(self._buffer)

    def next_request(self) -> Request | None:
        """Return the next request that is complete, or ``None`` if none is yet.

        :raises BadRequest: if what came is no request, or more than is allowed.  Its
            ``status`` is 431 for a head that is too large, 413 for a body that is too
            large, 400 for everything else.  Asked again, it is raised again.
        """
        if self._error is not None:
            raise self._error
        try:
            return next(self._requests)
        except BadRequest as error:
            self._error = error
            self._buffer.clear()
            raise

    def _read_on(self) -> Iterator[Request | None]:
        """Give out each request, and ``None`` whenever more bytes are needed."""
        while True:
            request = parse_request((yield from self._read_head()))
            length = self._body_length(request)
            while len(self._buffer) < length:
                yield None
            yield request.with_body(self._take(length)) if length else request

    def _read_head(self) -> Generator[None, Any, bytes]:
        """Wait for two line ends in a row; return what is before and with them."""
        start = 0
        while True:
            end = yield from end_of_line(self._buffer, start, self._max_head)
            if start > 0 and self._buffer[start:end] in BLANK_LINES:
                return self._take(end)
            start = end

    def _body_length(self, request: Request) -> int:
        """Return how many bytes follow the head (RFC 1945, sections 7.2.2 and 8.3)."""
        if request.header(b"Transfer-Encoding") is not None:
            # HTTP/1.0 has none.  To skip it is to take the body for the next request
            # (RFC 9112, section 6.1).
            raise BadRequest("This server knows no Transfer-Encoding.")
        digits = request.header(b"Content-Length")
        if digits is not None:
            return parse_length(digits, self._max_body)
        if request.method == b"POST":
            raise BadRequest("A POST needs a Content-Length.")
        return 0

    def _take(self, size: int) -> bytes:
        """Take that many bytes off the front of the buffer."""
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
