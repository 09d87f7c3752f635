"""The other side: an HTTP/1.0 client (RFC 1945, sections 5, 6 and 7).

It fetches one URL on one connection, and waits for nobody longer than it was told.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from .request import BadRequest, parse_headers
from .response import WITHOUT_BODY, Response

# Section 3.2: what a URL is made of.  Anything else could end the request line.
_VISIBLE: Final = re.compile("[!-~]+")

# Section 6.1.  A reason phrase may be empty, and for some servers its space is missing.
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[0-9]{1,4} ([2-5][0-9]{2})(?: [^\r\n]*)?\r?\n")

_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_LENGTH: Final = re.compile(rb"[0-9]{1,20}")


class ResponseError(Exception):
    """There is no response.

    :ivar received: all that came before the error.
    """

    def __init__(self, explanation: str, received: bytes) -> None:
        super().__init__(explanation)
        self.received = received


class BadResponse(ResponseError):
    """What came is no HTTP/1.0 response, or more than is allowed."""


class PartialResponse(ResponseError):
    """The connection was lost before the response was complete (RFC 1945, section 7.2.2)."""


class LateResponse(ResponseError):
    """The response was not complete in time."""


class ResponseReader:
    """Collects bytes, in whatever chunks they come, and gives out one response.

    :param max_head: how many bytes the head may have, its blank line included.
    :param max_body: how many bytes the entity body may have.
    """

    def __init__(self, max_head: int, max_body: int) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._searched = 0  # so many bytes hold no end of the head
        self._body = 0  # where the body begins in the buffer, once the head is complete
        self._status = 0
        self._headers: tuple[tuple[bytes, bytes], ...] = ()
        self._length: int | None = None  # of the body; None if the connection's end is its end

    @property
    def received(self) -> bytes:
        """All that came."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        self._buffer += data

    def response(self, closed: bool = False) -> Response | None:
        """Return the response, or ``None`` if it is not complete yet.

        :param closed: whether the server has closed the connection: no more will come.
        :raises BadResponse: if what came cannot become a response that we accept.
        """
        if not self._body and not self._read_head():
            return None
        came = len(self._buffer) - self._body
        size = came if self._length is None else self._length
        if size > self._max_body:
            raise BadResponse("The body of the response is too large.", self.received)
        if came < size or (self._length is None and not closed):
            return None
        body = bytes(self._buffer[self._body : self._body + size])
        return Response(self._status, self._headers, body)

    def _read_head(self) -> bool:
        """Parse the head, and return ``True``, if all of it has come (section 6)."""
        blank = _BLANK_LINE.search(self._buffer, max(self._searched - 2, 0))
        size = blank.end() if blank else len(self._buffer)
        if size > self._max_head:
            raise BadResponse("The head of the response is too large.", self.received)
        if not blank:
            self._searched = size
            return False
        head = bytes(self._buffer[:size])
        status_line = _STATUS_LINE.match(head)
        if not status_line:
            raise BadResponse("The response has no status line of HTTP/1.0.", self.received)
        try:
            self._headers = parse_headers(head[status_line.end() :])
        except BadRequest as error:
            raise BadResponse(str(error), self.received) from error
        self._body, self._status = size, int(status_line[1])
        self._length = self._body_length()
        return True

    def _body_length(self) -> int | None:
        """Return how many bytes of body follow; ``None`` if all that comes (section 7.2.2)."""
        fields = [(name.lower(), value) for name, value in self._headers]
        if any(name == b"transfer-encoding" for name, _ in fields):
            raise BadResponse("HTTP/1.0 has no Transfer-Encoding.", self.received)
        if self._status in WITHOUT_BODY:
            return 0
        lengths = {value for name, value in fields if name == b"content-length"}
        if not lengths:
            return None
        length = lengths.pop()
        if lengths or not _LENGTH.fullmatch(length):
            raise BadResponse("The Content-Length is not one number.", self.received)
        return int(length)


class _Getter(Protocol):
    """One connection: writes the request, reads the response, closes."""

    def __init__(self, request: bytes, reader: ResponseReader) -> None:
        self.response: Deferred[Response] = Deferred(lambda _: self._fail(CancelledError()))
        self._request = request
        self._reader = reader
        self._timer: IDelayedCall | None = None  # None, too, when all is over

    def start(self, endpoint: IStreamClientEndpoint, clock: IReactorTime, timeout: float) -> None:
        """Connect; ``response`` fires when there is one, or an error."""
        from twisted.internet.endpoints import connectProtocol

        self._timer = clock.callLater(timeout, self._late)
        self._connecting = connectProtocol(endpoint, self)
        self._connecting.addErrback(lambda failure: self._fail(failure.value))

    def connectionMade(self) -> None:
        """Write the request, unless nobody waits for the response any more."""
        if self._timer is None:
            self._abort()
        else:
            self._transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        """Take what came; the response may be complete with it."""
        if self._timer is not None:
            self._reader.feed(data)
            self._look(closed=False)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Look whether it is complete now; a connection that broke is not the end of a body."""
        if self._timer is not None:
            self._look(closed=reason.check(ConnectionDone) is not None)
            explanation = "The connection was lost before the response was complete."
            self._fail(PartialResponse(explanation, self._reader.received))

    def _look(self, closed: bool) -> None:
        """Give out the response if it is complete."""
        try:
            response = self._reader.response(closed)
        except BadResponse as error:
            self._fail(error)
            return
        if response is not None:
            self._stop_timer()
            self._transport.loseConnection()
            self.response.callback(response)

    def _late(self) -> None:
        self._fail(LateResponse("The response was not complete in time.", self._reader.received))

    def _fail(self, error: BaseException) -> None:
        """Stop at once, whether it connects or reads; if all is over, do nothing."""
        if self._timer is None:
            return
        self._stop_timer()
        self._connecting.cancel()
        if self.transport is not None:
            self._abort()
        self.response.errback(error)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _abort(self) -> None:
        # A terminal, say, has no other way to close.
        getattr(self._transport, "abortConnection", self._transport.loseConnection)()

    @property
    def _transport(self) -> Any:
        """The transport; its interface says less than every stream transport can do."""
        return self.transport


def get(
    reactor: Any,
    url: str,
    endpoint: IStreamClientEndpoint | None = None,
    timeout: float = 30.0,
    max_head: int = 16 * 1024,
    max_body: int = 16 * 1024 * 1024,
) -> Deferred[Response]:
    """Fetch what is at ``url``, by a ``GET`` of HTTP/1.0.

    It follows no redirect: a 301 is a response like any other.

    :param reactor: connects, and tells the time; with an ``endpoint``, a clock will do.
    :param url: such as ``http://example.org:8080/a?b``.
    :param endpoint: how to connect; without one, by TCP to the host and port of ``url``.
    :param timeout: how many seconds all may take, from the call of ``get`` on.
    :param max_head: how many bytes the status line and the header fields may have, with the
        blank line that ends them.
    :param max_body: how many bytes the entity body may have.
    :returns: a Deferred of the response.  It fails with :class:`BadResponse`,
        :class:`PartialResponse` or :class:`LateResponse`, or with the error of the endpoint;
        when it is cancelled, with a ``CancelledError``.  Whatever happens, no timer and no
        open connection are left behind.
    :raises ValueError: if ``url`` is none that can be fetched.
    """
    # Only now: who imports toyhttp for its server need not wait for what a client needs.
    from twisted.internet.endpoints import HostnameEndpoint

    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or 80  # raises a ValueError if it is no port
    strange = not _VISIBLE.fullmatch(url) or "@" in parts.netloc
    if strange or parts.scheme != "http" or not host:
        raise ValueError(f"no URL that can be fetched, such as http://example.org/: {url!r}")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    lines = [f"GET {target} HTTP/1.0", f"Host: {parts.netloc}", "User-Agent: toyhttp", "", ""]
    request = "\r\n".join(lines).encode("ascii")
    getter = _Getter(request, ResponseReader(max_head, max_body))
    getter.start(endpoint or HostnameEndpoint(reactor, host, port), reactor, timeout)
    return getter.response
