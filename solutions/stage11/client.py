"""The other side: an HTTP/1.0 client (RFC 1945, sections 5, 6 and 7)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from .request import BadRequest, parse_field
from .response import WITHOUT_BODY, Response

VISIBLE = re.compile("[!-~]+")
HEAD_END = re.compile(rb"\n\r?\n")
STATUS_LINE = re.compile(rb"HTTP/1\.[0-9]+ ([2-5][0-9][0-9])(?: .*)?")
LENGTH = re.compile(rb"[0-9]{1,20}")


class ResponseError(Exception):
    """There is no response; ``received`` is all that came before the error."""

    def __init__(self, explanation: str, received: bytes) -> None:
        super().__init__(explanation)
        self.received = received


class BadResponse(ResponseError):
    """What came is no HTTP/1.0 response, or more than is allowed."""


class PartialResponse(ResponseError):
    """The connection was lost before the response was complete."""


class LateResponse(ResponseError):
    """The response was not complete in time."""


class ResponseReader:
    """Collects bytes, in whatever chunks they come, and gives out one response."""

    def __init__(self, max_head: int, max_body: int) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._start = 0
        self._length: int | None = None

    @property
    def received(self) -> bytes:
        """All that came."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        self._buffer += data

    def response(self, ended: bool = False) -> Response | None:
        """Return the response if it is complete; ``ended`` says that no more will come."""
        if self._head is None and not self._read_head():
            return None
        assert self._head is not None
        size = len(self._buffer) - self._start if self._length is None else self._length
        if size > self._max_body:
            raise BadResponse("The body is too large.", self.received)
        end = self._start + size
        if len(self._buffer) < end or (self._length is None and not ended):
            return None
        status, headers = self._head
        return Response(status, headers, bytes(self._buffer[self._start : end]))

    def _read_head(self) -> bool:
        """Parse the status line and the header fields, if they are all there."""
        end = HEAD_END.search(self._buffer)
        self._start = end.end() if end else len(self._buffer)
        if self._start > self._max_head:
            raise BadResponse("The head is too large.", self.received)
        if not end:
            return False
        lines = [line.removesuffix(b"\r") for line in self.received[: end.start()].split(b"\n")]
        status_line = STATUS_LINE.fullmatch(lines[0])
        if not status_line:
            raise BadResponse("There is no status line of HTTP/1.0.", self.received)
        try:
            headers = [parse_field(line) for line in lines[1:]]
        except BadRequest as error:
            raise BadResponse(str(error), self.received) from error
        self._head = int(status_line[1]), headers
        self._length = self._body_length(*self._head)
        return True

    def _body_length(self, status: int, headers: list[tuple[bytes, bytes]]) -> int | None:
        """Return how many bytes of body follow; ``None`` if all that comes is body."""
        lengths = {value for name, value in headers if name.lower() == b"content-length"}
        if any(name.lower() == b"transfer-encoding" for name, _ in headers):
            raise BadResponse("HTTP/1.0 has no Transfer-Encoding.", self.received)
        if status in WITHOUT_BODY:
            return 0
        if not lengths:
            return None
        if len(lengths) > 1 or not LENGTH.fullmatch(min(lengths)):
            raise BadResponse("The Content-Length is not one number.", self.received)
        return int(min(lengths))


class Getter(Protocol):
    """One connection: writes the request, reads the response, closes."""

    def __init__(self, request: bytes, reader: ResponseReader) -> None:
        self.response: Deferred[Response] = Deferred(self._cancel)
        self._request = request
        self._reader = reader
        self._finished = False

    def start(self, endpoint: IStreamClientEndpoint, clock: IReactorTime, timeout: float) -> None:
        """Connect; ``response`` fires when there is one, or an error."""
        self._timer = clock.callLater(timeout, self._late)
        self._connecting = connectProtocol(endpoint, self)
        self._connecting.addErrback(self._fail)

    def connectionMade(self) -> None:
        """Write the request, if anybody still waits for the response."""
        if self._finished:
            self.transport.abortConnection()
        else:
            self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        """Take what came; the response may be complete with it."""
        self._reader.feed(data)
        self._look(ended=False)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Look whether the response is complete: the end may have been all that was missing."""
        self._look(ended=reason.check(ConnectionDone) is not None)
        if not self._finished:
            received = self._reader.received
            self._fail(Failure(PartialResponse("The connection was lost.", received)))

    def _look(self, ended: bool) -> None:
        if self._finished:
            return
        try:
            response = self._reader.response(ended)
        except BadResponse:
            self._fail(Failure())
            return
        if response is not None:
            self._finish()
            self.transport.loseConnection()
            self.response.callback(response)

    def _late(self) -> None:
        self._fail(Failure(LateResponse("It took too long.", self._reader.received)))

    def _cancel(self, response: Deferred[Response]) -> None:
        self._fail(Failure(CancelledError()))

    def _fail(self, failure: Failure) -> None:
        """Stop at once, whether it connects or reads."""
        if self._finished:
            return
        self._finish()
        self._connecting.cancel()
        if self.transport is not None:
            self.transport.abortConnection()
        self.response.errback(failure)

    def _finish(self) -> None:
        self._finished = True
        if self._timer.active():
            self._timer.cancel()


def get(
    reactor: Any,
    url: str,
    endpoint: IStreamClientEndpoint | None = None,
    timeout: float = 30.0,
    max_head: int = 16 * 1024,
    max_body: int = 16 * 1024 * 1024,
) -> Deferred[Response]:
    """Fetch what is at ``url``."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or 80  # raises a ValueError if it is no port
    strange = not VISIBLE.fullmatch(url) or "@" in parts.netloc
    if strange or parts.scheme != "http" or not host:
        raise ValueError(f"This is no URL that can be fetched: {url!r}")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    request = f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode("ascii")
    getter = Getter(request, ResponseReader(max_head, max_body))
    getter.start(endpoint or HostnameEndpoint(reactor, host, port), reactor, timeout)
    return getter.response
