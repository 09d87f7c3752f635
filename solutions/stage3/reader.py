"""From chunks of bytes to requests (RFC 1945, sections 5 and 7.2)."""

from __future__ import annotations

import re
from dataclasses import replace

from .request import BadRequest, Request, parse_request

HEAD_END = re.compile(rb"\n\r?\n")
LENGTH = re.compile(rb"[0-9]{1,20}")


class RequestReader:
    """Collects bytes, in whatever chunks they come, and gives out requests."""

    def __init__(self, max_head: int = 16 * 1024, max_body: int = 1024 * 1024) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = b""
        self._waiting: tuple[Request, int] | None = None

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        self._buffer += data

    def next_request(self) -> Request | None:
        """Return the next request that is complete, or ``None`` if none is yet."""
        if self._waiting is None:
            head = self._next_head()
            if head is None:
                return None
            request = parse_request(head)
            self._waiting = request, self._length(request)
        request, length = self._waiting
        if len(self._buffer) < length:
            return None
        self._waiting = None
        return replace(request, body=self._take(length))

    def _next_head(self) -> bytes | None:
        """Return the bytes up to the first blank line, if it has come."""
        end = HEAD_END.search(self._buffer)
        size = end.end() if end else len(self._buffer)
        if size > self._max_head:
            raise BadRequest("The head of the request is too large.", 431)
        return self._take(size) if end else None

    def _length(self, request: Request) -> int:
        """Return how many bytes of body follow the head."""
        value = request.header(b"Content-Length")
        if value is None:
            if request.method == b"POST":
                raise BadRequest("A POST needs a Content-Length.")
            return 0
        if not LENGTH.fullmatch(value):
            raise BadRequest("The Content-Length is not a number.")
        if int(value) > self._max_body:
            raise BadRequest("The body of the request is too large.", 413)
        return int(value)

    def _take(self, size: int) -> bytes:
        """Remove this many bytes from the front of the buffer and return them."""
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data
