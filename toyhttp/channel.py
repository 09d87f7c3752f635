"""Where bytes meet the transport: a protocol for each connection (RFC 1945, section 1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IReactorTime,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from .reader import RequestReader
from .request import SIMPLE, BadRequest, Request
from .response import FIELD_VALUE, Response, render_response, text_response

Handler = Callable[[Request], Response]
"""What answers: any callable from a request to its response."""

LINGER = 2.0
"""How many seconds a client that was refused may go on sending before it is cut off."""


class HTTPChannel(Protocol):
    """One connection: reads a request, asks the handler, writes its response, closes.

    :param handler: what answers.
    :param clock: what tells the time.
    :param server: the value of ``Server``; without one the field is left out.
    """

    log = Logger()

    def __init__(self, handler: Handler, clock: IReactorTime, server: bytes = b"") -> None:
        self._handler = handler
        self._clock = clock
        self._server = server
        self._reader: RequestReader | None = RequestReader()
        self._cut_off: IDelayedCall | None = None

    def dataReceived(self, data: bytes) -> None:
        """Answer the first request as soon as it is complete; drop what follows it."""
        if self._reader is None:
            return
        self._reader.feed(data)
        try:
            request = self._reader.next_request()
        except BadRequest as error:
            self._refuse(error)
        else:
            if request is not None:
                self._respond(request)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Leave nothing behind."""
        if self._cut_off is not None and self._cut_off.active():
            self._cut_off.cancel()

    def _respond(self, request: Request) -> None:
        """Write the handler's response, or a 500 if it has none; then close."""
        head_only = request.method == b"HEAD"
        try:
            response = self._handler(request)
            data = self._render(response, head_only)
        except Exception:
            self.log.failure(
                "The handler failed to answer {method!r} {target!r}",
                method=request.method,
                target=request.target,
            )
            response = text_response(500, "The server made a mistake.")
            data = self._render(response, head_only)
        if request.version == SIMPLE:
            data = data.partition(b"\r\n\r\n")[2]  # what is sent of the body, and no head
        self._write(data)
        self._transport.loseConnection()

    def _refuse(self, error: BadRequest) -> None:
        """Write why the request is refused; then close."""
        response = text_response(error.status, str(error))
        head_only = error.method == b"HEAD"
        self._write(response.body if error.simple else self._render(response, head_only))
        self._linger()

    def _render(self, response: Response, head_only: bool) -> bytes:
        return render_response(response, self._clock.seconds(), head_only, self._server)

    def _write(self, data: bytes) -> None:
        """Write the only answer of this connection; what comes after it is dropped."""
        self._reader = None
        self._transport.write(data)

    def _linger(self) -> None:
        """Close, but let a client that is still sending read why (RFC 1945, section 9.4).

        A socket that is closed with bytes unread is reset, and the reset may
        overtake the answer.  So TCP is told that no more will be written, and what
        comes is read and dropped until the client closes or ``LINGER`` is over.
        """
        transport = self._transport
        if ITCPTransport.providedBy(transport) and not ISSLTransport.providedBy(transport):
            transport.loseWriteConnection()
            self._cut_off = self._clock.callLater(LINGER, transport.abortConnection)
        else:
            transport.loseConnection()

    @property
    def _transport(self) -> Any:
        """The transport; its interface says less than every stream transport can do."""
        return self.transport


class HTTPFactory(Factory):
    """Makes an :class:`HTTPChannel` for each connection.

    :param handler: what answers.
    :param clock: what tells the time; the reactor, unless a test hands in another.
    :param server: the value of ``Server``; empty to leave the field out.
    :raises ValueError: if ``server`` has a NUL, CR or LF in it.
    """

    noisy = False  # what listens says so itself

    def __init__(
        self, handler: Handler, clock: IReactorTime | None = None, server: bytes = b"toyhttp"
    ) -> None:
        if clock is None:
            from twisted.internet import reactor  # only now: importing it installs it

            clock = cast(IReactorTime, reactor)
        if not FIELD_VALUE.fullmatch(server):
            raise ValueError(f"the value of Server has a NUL, CR or LF in it: {server!r}")
        self._handler = handler
        self._clock = clock
        self._server = server

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new channel."""
        return HTTPChannel(self._handler, self._clock, self._server)
