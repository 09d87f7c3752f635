"""The other side: an HTTP/1.0 client (RFC 1945, sections 5, 6 and 7)."""

from __future__ import annotations

from collections.abc import Generator
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from .reader import end_of_line, parse_length
from .request import BadRequest, parse_field, without_line_end
from .response import BODILESS, Response

SCHEME = "http://"
USUAL_PORT = 80
LARGEST_PORT = 65535

Fields = list[tuple[bytes, bytes]]


class ResponseError(Exception):
    """There is no response.

    :ivar received: ``bytes``: all that came before the error.
    """

    def __init__(self, explanation: str, received: bytes) -> None:
        super().__init__(explanation)
        self.received = received


class BadResponse(ResponseError):
    """What came is no HTTP/1.0 response, or more than is allowed."""


class PartialResponse(ResponseError):
    """The connection was lost before the response was complete."""


class LateResponse(ResponseError):
    """The response was not complete in time."""


class Place(NamedTuple):
    """Where something is, and what it is called there.

    :ivar host: a name or an address, without brackets.
    :ivar port: the TCP port.
    :ivar authority: host and port as they stand in the URL, for ``Host``.
    :ivar target: the path and the query, for the request line.
    """

    host: str
    port: int
    authority: str
    target: str


def parse_url(url: str) -> Place:
    """Take an http URL apart (RFC 1945, section 3.2.2).

    :raises ValueError: if it is none that can be fetched.
    """
    if not all("!" <= character <= "~" for character in url):
        raise ValueError(f"The URL has characters that are not visible ASCII: {url!r}")
    if not url.lower().startswith(SCHEME):
        raise ValueError(f"The URL does not begin with {SCHEME}: {url!r}")
    rest, _, _ = url[len(SCHEME) :].partition("#")
    end = min((rest.index(sign) for sign in "/?" if sign in rest), default=len(rest))
    authority, target = rest[:end], rest[end:]
    if "@" in authority:
        raise ValueError(f"The URL has a user name: {url!r}")
    host, port = _parse_authority(authority)
    return Place(host, port, authority, target if target.startswith("/") else "/" + target)


def _parse_authority(authority: str) -> tuple[str, int]:
    """Return the host and the port; an address of IPv6 stands in brackets (RFC 3986, 3.2.2)."""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(f"What stands in brackets does not end well: {authority!r}")
        IPv6Address(host)  # or a ValueError
        port = port[1:]
    else:
        host, _, port = authority.partition(":")
    if not host:
        raise ValueError("The URL has no host.")
    if not port:
        return host, USUAL_PORT
    if not port.isdigit() or len(port.lstrip("0")) > len(str(LARGEST_PORT)):
        raise ValueError(f"The port is no number up to {LARGEST_PORT}: {port!r}")
    if int(port) > LARGEST_PORT:
        raise ValueError(f"The port is above {LARGEST_PORT}: {port!r}")
    return host, int(port)


def _parse_status_line(line: bytes) -> int:
    """Return the status code (RFC 1945, section 6.1).

    :raises BadRequest: if it is no status line.
    """
    version, _, rest = line.partition(b" ")
    code, phrase = rest[:3], rest[3:]
    if not version.startswith(b"HTTP/1.") or not version[len(b"HTTP/1.") :].isdigit():
        raise BadRequest("The version is not HTTP/1 and a number.")
    if len(code) != 3 or not code.isdigit() or not 200 <= int(code) <= 599:
        raise BadRequest("The status code is not three digits from 200 to 599.")
    if phrase and not phrase.startswith(b" "):
        raise BadRequest("There is no space behind the status code.")
    if b"\r" in phrase or b"\0" in phrase:
        raise BadRequest("The reason phrase has a CR or a NUL in it.")
    return int(code)


def _body_length(status: int, headers: Fields, max_body: int) -> int | None:
    """Return how long the body is; ``None`` if its end is the connection's end.

    :raises BadRequest: if nobody knows, or it is too long (RFC 1945, section 7.2.2).
    """
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):
        raise BadRequest("HTTP/1.0 has no Transfer-Encoding.")
    if status in BODILESS:
        return 0
    lengths = {value for name, value in headers if name.lower() == b"content-length"}
    if not lengths:
        return None
    if len(lengths) > 1:
        raise BadRequest("Several fields Content-Length contradict each other.")
    return parse_length(lengths.pop(), max_body)


def read_response(
    received: bytearray, max_head: int, max_body: int
) -> Generator[None, bool, Response]:
    """Read a response from bytes that come in any chunks.

    It is sent ``False`` when more bytes were added to ``received``, and ``True`` when the
    connection was closed in order.  If it yields again after that, the response is not complete.

    :raises BadRequest: if it is no response, or more than is allowed.
    """
    end = yield from end_of_line(received, 0, max_head)
    status = _parse_status_line(without_line_end(bytes(received[:end])))
    headers: Fields = []
    while True:
        start, end = end, (yield from end_of_line(received, end, max_head))
        line = without_line_end(bytes(received[start:end]))
        if not line:
            break
        headers.append(parse_field(line))
    length = _body_length(status, headers, max_body)
    closed = False
    while (length is None and not closed) or len(received) - end < (length or 0):
        if len(received) - end > max_body:
            raise BadRequest(f"The body has more than {max_body} bytes.")
        closed = yield
    if length is None:
        length = len(received) - end
    return Response(status, headers, bytes(received[end : end + length]))


class Fetching(Protocol):
    """One request, and one response; then the end.

    :param request: the bytes that are sent.
    :ivar received: all that came until there was a response or an error.
    :ivar finished: fires with the response, or fails.
    """

    def __init__(self, request: bytes, max_head: int, max_body: int) -> None:
        self.received = bytearray()
        self.finished: Deferred[Response] = Deferred()
        self._request = request
        self._reading = read_response(self.received, max_head, max_body)
        next(self._reading)
        self._is_over = False
        self._is_connected = False

    def connectionMade(self) -> None:
        """Send the request, unless nobody waits for the response any more."""
        self._is_connected = True
        if self._is_over:
            self._transport.abortConnection()
        else:
            self._transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        """Take the bytes that came next."""
        if not self._is_over:
            self.received += data
            self._read_on(False)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take the end of the connection, which may be that of the body."""
        self._is_connected = False
        if not self._is_over and reason.check(ConnectionDone):
            self._read_on(True)
        if not self._is_over:
            text = f"The connection was lost too early: {reason.getErrorMessage()}"
            self.fail(PartialResponse(text, bytes(self.received)))

    def fail(self, error: Exception | Failure) -> None:
        """Give up, if it is not over yet."""
        if not self._is_over:
            self.abandon()
            self.finished.errback(error)

    def abandon(self) -> None:
        """Abort the connection, also one that is still being made, unless all is over."""
        if not self._is_over:
            self._is_over = True
            if self._is_connected:
                self._transport.abortConnection()

    @property
    def _transport(self) -> Any:
        """The transport, which is there from ``connectionMade`` on."""
        return self.transport

    def _read_on(self, closed: bool) -> None:
        """Let the reader see what is new."""
        try:
            self._reading.send(closed)
        except StopIteration as stop:
            self._is_over = True
            if self._is_connected:
                self._transport.loseConnection()
            self.finished.callback(stop.value)
        except BadRequest as error:
            self.fail(BadResponse(str(error), bytes(self.received)))


async def _fetch(endpoint: IStreamClientEndpoint, fetching: Fetching) -> Response:
    """Connect and wait; however it ends, leave nothing behind."""
    attempt = endpoint.connect(Factory.forProtocol(lambda: fetching))
    attempt.addErrback(fetching.fail)
    try:
        return await fetching.finished
    finally:
        fetching.abandon()
        attempt.cancel()


def get(
    reactor: Any,
    url: str,
    endpoint: IStreamClientEndpoint | None = None,
    timeout: float = 30.0,
    max_head: int = 16 * 1024,
    max_body: int = 16 * 1024 * 1024,
) -> Deferred[Response]:
    """Fetch what is at ``url``.

    :param reactor: connects, and tells the time; with an ``endpoint``, a clock will do.
    :param url: such as ``http://example.org:8080/a?b``.
    :param endpoint: how to connect; without one, to the host and port of ``url``.
    :param timeout: how many seconds all may take, from the call of ``get`` on.
    :param max_head: how many bytes the status line and the header fields may have, with the
        blank line that ends them.
    :param max_body: how many bytes the entity body may have.
    :returns: a Deferred of the response. It fails with one of the errors above, or with
        that of the endpoint; when it is cancelled, with a ``CancelledError``.
    :raises ValueError: if ``url`` is none that can be fetched.
    """
    place = parse_url(url)
    if endpoint is None:
        endpoint = HostnameEndpoint(reactor, place.host, place.port)
    request = f"GET {place.target} HTTP/1.0\r\nHost: {place.authority}\r\n\r\n".encode("ascii")
    fetching = Fetching(request, max_head, max_body)

    def too_late(result: object, seconds: float) -> Response:
        raise LateResponse(f"It is not all there after {seconds} s.", bytes(fetching.received))

    return ensureDeferred(_fetch(endpoint, fetching)).addTimeout(timeout, reactor, too_late)
