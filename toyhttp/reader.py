"""From chunks of bytes to requests.  No I/O, no clock, no Twisted.

How the bytes were cut does not matter, because nothing is judged by what
happens to be buffered: a request line when its line end has come, a head when
its blank line has come, and a limit by the bytes that the client has sent.

It is cheap, because no byte is searched twice, and none is moved before the
part that it belongs to is complete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .request import (
    METHODS,
    SHORT,
    SIMPLE,
    BadRequest,
    Request,
    RequestLine,
    known_method,
    make_request,
    parse_request_line,
)

MAX_LINE: Final = 8192
"""How many bytes a request line may have: RFC 9112, section 3, wants 8000 at least."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"[0-9]+")


class RequestReader:
    """Collects bytes, in whatever chunks they come, and gives out requests.

    Call :meth:`next_request` after each :meth:`feed` until it returns ``None``:
    then no more than one incomplete request is kept, within the limits.  After
    an error nothing is kept or taken: nobody knows where the next request begins.

    :param max_head: how many bytes a head may have, its blank line included.
    :param max_body: how many bytes an entity body may have.
    """

    __slots__ = (
        "_buffer",
        "_error",
        "_head",
        "_length",
        "_line",
        "_line_end",
        "_max_body",
        "_max_head",
        "_searched",
        "_short",
    )

    def __init__(self, max_head: int = 16 * 1024, max_body: int = 1024 * 1024) -> None:
        self._max_head = max_head
        self._short = min(SHORT, max_head)
        self._max_body = max_body
        self._buffer: bytes | bytearray = b""
        self._searched = 0  # so many bytes of the buffer hold no end of what is read now
        self._line: RequestLine | None = None  # once it is complete
        self._line_end = 0  # where it ends in the buffer
        self._head: Request | None = None  # once it is complete, and out of the buffer
        self._length = 0  # how many bytes its body has
        self._error: BadRequest | None = None

    @property
    def has_begun(self) -> bool:
        """Whether some of the next request has come; a line end before it is not of it."""
        return self._head is not None or bytes(self._buffer[:3]) not in (b"", b"\r", b"\n", b"\r\n")

    @property
    def method(self) -> bytes:
        """The method of the request that has begun to come, if it is known and matters."""
        if self._head is not None:
            return self._head.method
        if self._line is not None:
            return self._line[0]
        return known_method(bytes(self._buffer[:7]).lstrip(b"\r\n"))

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next: one, or many, or several requests' worth."""
        if self._error is None:
            if not self._buffer:
                self._buffer = data  # most requests come as a whole: then nothing is copied
                return
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data

    def next_request(self) -> Request | None:
        """Return the next request that is complete, or ``None`` if none is yet.

        :raises BadRequest: if what came cannot become a request that we accept;
            and again at each call after that.  Its ``status`` is 414 for a request
            line that is too long, 431 for a head and 413 for a body that is too
            large, 501 for what HTTP/1.0 does not know, 505 for another version of
            HTTP, 400 for everything else.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)  # else it would grow at each call
        if not self._buffer and self._head is None:
            return None
        try:
            head = self._head or self._read_whole_head() or self._read_head()
        except BadRequest as error:
            self._error = error
            self._buffer = b""
            raise
        if head is None:
            return None
        if len(self._buffer) < self._length:
            self._head = head
            return None
        self._head = None
        return replace(head, body=self._take(self._length)) if self._length else head

    def _read_whole_head(self) -> Request | None:
        """Do what :meth:`_read_head` does, where a short head came at once and nothing else.

        Most do.  It takes a third less time, as nothing must be kept in mind.
        """
        data = self._buffer
        if (
            not isinstance(data, bytes)
            or not data.endswith(b"\n\r\n")
            or len(data) > self._short
            or data.find(b"\n\r\n") != len(data) - 3
            or b"\n\n" in data
            or data[0] in b"\r\n"
        ):
            return None
        end = data.index(b"\n") + 1
        line = parse_request_line(data[:end])
        if line[2] == SIMPLE:
            return None
        request, fields = make_request(line, data[end:])
        self._length = self._body_length(line[0], fields)
        self._buffer = b""
        return request

    def _read_head(self) -> Request | None:
        """Parse the head, if all of it has come (RFC 1945, section 5)."""
        line = self._line or self._read_line()
        if line is None:
            return None
        method, target, version = line
        if version == SIMPLE:
            self._take(self._line_end)
            return Request(method, target, version)
        self._line = line
        # The line end of the request line may be the first half of the blank line.
        blank = _BLANK_LINE.search(self._buffer, max(self._searched - 2, self._line_end - 1))
        size = blank.end() if blank else len(self._buffer)
        if size > self._max_head:
            raise BadRequest("The head of the request is too large.", 431, method)
        if not blank:
            self._searched = size
            return None
        line_end = self._line_end
        request, fields = make_request(line, self._take(size)[line_end:])
        self._length = self._body_length(method, fields)
        return request

    def _read_line(self) -> RequestLine | None:
        """Parse the request line, if all of it has come (RFC 1945, section 5.1)."""
        # Old clients send a line end after a body: one is skipped (RFC 9112, section 2.2).
        start = 0
        if self._buffer[0] in b"\r\n":
            start = 2 if self._buffer.startswith(b"\r\n") else self._buffer.startswith(b"\n")
        end = self._buffer.find(b"\n", max(start, self._searched)) + 1
        size = (end or len(self._buffer)) - start
        if size > min(MAX_LINE, self._max_head):
            raise BadRequest("The request line is too long.", 414, self.method)
        if not end:
            self._searched = len(self._buffer)
            return None
        self._searched = self._line_end = end
        return parse_request_line(bytes(self._buffer[start:end]))

    def _body_length(self, method: bytes, fields: Mapping[bytes, bytes]) -> int:
        """Return how many bytes of body follow the head (RFC 1945, section 7.2.2).

        Every doubt is an error: a body that two readers see differently is how
        requests are smuggled (RFC 9112, section 6.3).
        """
        value = fields.get(b"content-length")
        if b"transfer-encoding" in fields:
            status = 501 if value is None else 400
            raise BadRequest("HTTP/1.0 has no Transfer-Encoding.", status, method)
        if value is not None and not _LENGTH.fullmatch(value):
            raise BadRequest("The Content-Length is not one number.", 400, method)
        if method not in METHODS:
            raise BadRequest("This server implements GET, HEAD and POST.", 501)
        if value is None:
            if method == b"POST":
                raise BadRequest("A POST needs a Content-Length.")
            return 0
        digits = value.lstrip(b"0") or b"0"
        # A number that is too long is too large: Python reads none of thousands of digits.
        if len(digits) > len(str(self._max_body)) or int(digits) > self._max_body:
            raise BadRequest("The body of the request is too large.", 413, method)
        return int(digits)

    def _take(self, size: int) -> bytes:
        """Remove this many bytes from the front of the buffer and return them."""
        data = bytes(self._buffer[:size])
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        del self._buffer[:size]
        self._searched = self._line_end = self._length = 0
        self._line = None
        return data
