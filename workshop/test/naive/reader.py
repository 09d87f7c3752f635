"""A reader, as somebody writes it who stops when the core of stage 3 is green."""

from __future__ import annotations

from dataclasses import replace

from .request import BadRequest, Request, parse_request


class RequestReader:
    """Gives out requests."""

    def __init__(self, max_head: int = 16 * 1024, max_body: int = 1024 * 1024) -> None:
        self.max_head = max_head
        self.max_body = max_body
        self.data = b""

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        self.data += data

    def next_request(self) -> Request | None:
        """Return the next request, or ``None``."""
        head, end, rest = self.data.partition(b"\r\n\r\n")
        if len(head + end) > self.max_head:
            raise BadRequest("The head is too large.", 431)
        if not end:
            return None
        request = parse_request(head + end)
        value = request.header(b"Content-Length")
        if value is None and request.method == b"POST":
            raise BadRequest("How long is it?")
        try:
            length = int(value or 0)
        except ValueError:
            raise BadRequest("That is no length.") from None
        if length > self.max_body:
            raise BadRequest("The body is too large.", 413)
        if len(rest) < length:
            return None
        self.data = rest[length:]
        return replace(request, body=rest[:length])
