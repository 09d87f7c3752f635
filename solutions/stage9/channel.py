"""Where bytes meet the transport: a protocol for each connection (RFC 1945, section 1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IPullProducer, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .reader import RequestReader
from .request import BadRequest, Request
from .response import Response, render_response

METHODS = (b"GET", b"HEAD", b"POST")
PIECE = 64 * 1024

Handler = Callable[[Request], "Response | Deferred[Response]"]

Rendered = tuple[bytes, Any]
"""What is written at once, and the body that follows piece by piece, or ``None``."""


def refusal(status: int, explanation: str) -> Response:
    """Return the response that says what went wrong."""
    return Response(status, [(b"Content-Type", b"text/plain")], explanation.encode() + b"\n")


@implementer(IPullProducer)
class Sender:
    """Writes a body piece by piece, one whenever the transport asks for it.

    ``progress`` is called after each: with ``True`` if there is no more.
    """

    def __init__(self, body: Any, transport: Any, progress: Callable[[bool], None]) -> None:
        self._body = body
        self._transport = transport
        self._progress = progress

    def resumeProducing(self) -> None:
        """Write the next piece."""
        try:
            piece = self._body.read(PIECE)
        except OSError:
            self._transport.abortConnection()  # the client sees that something is missing
            return
        if piece:
            self._transport.write(piece)
        else:
            self.stopProducing()
            self._transport.unregisterProducer()
        self._progress(not piece)

    def stopProducing(self) -> None:
        """Close the file: all is sent, or nobody is there to read the rest."""
        self._body.close()


class HTTPChannel(Protocol):
    """One connection: reads a request, asks the handler, writes its response, closes."""

    log = Logger()

    def __init__(
        self,
        handler: Handler,
        clock: IReactorTime,
        idle_timeout: float,
        request_timeout: float,
        close_timeout: float,
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._idle_timeout = idle_timeout
        self._request_timeout = request_timeout
        self._close_timeout = close_timeout
        self._reader = RequestReader()
        self._reading = True
        self._waiting = False
        self._timers: list[IDelayedCall] = []
        self._pending: Deferred[None] | None = None
        self._sender: Sender | None = None
        self._connected = True

    def connectionMade(self) -> None:
        """Start to wait for the request: so long for each byte, and so long in all."""
        self._idle = self._clock.callLater(self._idle_timeout, self._give_up)
        deadline = self._clock.callLater(self._request_timeout, self._give_up)
        self._timers = [self._idle, deadline]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave nothing behind: no delayed call, and no handler that works for nobody."""
        self._connected = False
        self._stop_timers()
        if self._pending is not None:
            self._pending.cancel()
        if self._sender is not None:
            self._sender.stopProducing()

    def dataReceived(self, data: bytes) -> None:
        """Take the first request; if more comes before it is answered, let that wait."""
        if self._waiting:
            self.transport.pauseProducing()
        if not self._reading:
            return
        self._idle.reset(self._idle_timeout)
        self._reader.feed(data)
        try:
            request = self._reader.next_request()
        except BadRequest as error:
            self._refuse(error.status, str(error))
        else:
            if request is not None:
                self._respond(request)

    def _refuse(self, status: int, explanation: str) -> None:
        """Answer what no handler is asked about."""
        self._stop_reading()
        self._answer(self._render(refusal(status, explanation)))

    def _respond(self, request: Request) -> None:
        """Answer with the handler's response when it is there, or with a 500."""
        if request.method not in METHODS:
            self._refuse(501, "This server knows GET, HEAD and POST.")
            return
        self._stop_reading()
        head_only = request.method == b"HEAD"
        self._waiting = True
        response = maybeDeferred(self._handler, request)
        response.addCallback(self._render, head_only)
        response.addErrback(self._apologize, head_only)
        self._pending = response.addCallback(self._answer)

    def _apologize(self, failure: Failure, head_only: bool) -> Rendered:
        """Log what went wrong, if anybody waits for it, and render a 500."""
        if not self._connected:
            return b"", None
        self.log.failure("The handler failed.", failure)
        return self._render(refusal(500, "The server made a mistake."), head_only)

    def _render(self, response: Response, head_only: bool = False) -> Rendered:
        now, body = self._clock.seconds(), response.body
        if isinstance(body, bytes):
            return render_response(response, now, head_only), None
        if head_only or not self._connected:
            body.close()
            return render_response(response, now, head_only=True), None
        return render_response(response, now, head_only=True), body

    def _answer(self, rendered: Rendered) -> None:
        """Write the only answer of this connection, and close it."""
        self._waiting = False
        data, body = rendered
        if self._connected:
            self.transport.write(data)
            if body is None:
                self._close()
            else:
                self._sender = Sender(body, self.transport, self._progress)
                self._progress(done=False)
                self.transport.registerProducer(self._sender, False)

    def _progress(self, done: bool) -> None:
        """Close when all is sent; do not wait for ever until the client reads."""
        self._stop_timers()
        if done:
            self._close()
        else:
            self._start_abort_timer()

    def _give_up(self) -> None:
        """Stop waiting for a client that is too slow."""
        self._stop_reading()
        self._close()

    def _close(self) -> None:
        """Close when the peer has read what was written; do not wait for that for ever."""
        self._start_abort_timer()
        self.transport.loseConnection()

    def _start_abort_timer(self) -> None:
        self._timers = [self._clock.callLater(self._close_timeout, self.transport.abortConnection)]

    def _stop_reading(self) -> None:
        """From now on the client need not hurry: it is the server's turn."""
        self._reading = False
        self._stop_timers()

    def _stop_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()


class HTTPFactory(Factory):
    """Makes an ``HTTPChannel`` for each connection."""

    def __init__(
        self,
        handler: Handler,
        clock: IReactorTime,
        idle_timeout: float = 15.0,
        request_timeout: float = 60.0,
        close_timeout: float = 15.0,
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._timeouts = (idle_timeout, request_timeout, close_timeout)

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new ``HTTPChannel``."""
        return HTTPChannel(self._handler, self._clock, *self._timeouts)
