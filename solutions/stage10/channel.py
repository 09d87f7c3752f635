"""Where bytes meet the transport: a protocol for each connection (RFC 1945, section 1.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
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
AT_ONCE = 8

Handler = Callable[[Request], "Response | Deferred[Response]"]

Rendered = tuple[bytes, Any]
"""What is written at once, and the body that follows piece by piece, or ``None``."""


@dataclass
class Due:
    """An answer that is due: what is pending, and what has come of it."""

    pending: Deferred[None] | None = None
    rendered: Rendered | None = None


def asks_to_keep(request: Request) -> bool:
    """Tell whether a client wants its connection kept (RFC 2068, section 19.7.1)."""
    value = request.header(b"Connection") or b""
    words = [word.strip(b" \t") for word in value.lower().split(b",")]
    return b"keep-alive" in words and b"close" not in words


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
    """One connection: reads requests, asks the handler, writes its responses in their order.

    Whatever happens, ``_work`` does what can be done next.
    """

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
        self._timers: list[IDelayedCall] = []
        self._due: deque[Due] = deque()
        self._working = False
        self._paused = False
        self._sender: Sender | None = None
        self._connected = True

    def connectionMade(self) -> None:
        """Start to wait for the first request."""
        self._wait()

    def _wait(self) -> None:
        """Wait for the next request: so long for each byte, and so long in all."""
        self._idle = self._clock.callLater(self._idle_timeout, self._give_up)
        deadline = self._clock.callLater(self._request_timeout, self._give_up)
        self._timers = [self._idle, deadline]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave nothing behind: no delayed call, and no handler that works for nobody."""
        self._connected = False
        self._stop_timers()
        for due in self._due:
            if due.rendered is not None:
                self._drop(due.rendered)
            elif due.pending is not None:
                due.pending.cancel()

    def dataReceived(self, data: bytes) -> None:
        """Take requests; if more comes than can be answered now, let it wait."""
        if self._due and self._is_busy():
            self._paused = True
            self.transport.pauseProducing()
        if not self._reading:
            return
        if not self._due:
            self._idle.reset(self._idle_timeout)
        self._reader.feed(data)
        self._work()

    def _is_busy(self) -> bool:
        """Tell whether the next request must wait, should it come."""
        return not self._reading or self._sender is not None or len(self._due) == AT_ONCE

    def _work(self) -> None:
        """Do all that can be done now; then see what to wait for."""
        if self._working:  # it was called by what it has called, and goes on with that itself
            return
        self._working = True
        while self._connected and (self._send_next() or self._ask_next()):
            pass
        self._working = False
        if self._connected and not self._due:
            if not self._reading:
                self._close()
            elif not self._timers:
                self._wait()
        if self._connected and self._paused and not self._is_busy():
            self._paused = False
            self.transport.resumeProducing()

    def _ask_next(self) -> bool:
        """Ask the handler about the next request; tell whether there was one."""
        if self._is_busy():
            return False
        try:
            request = self._reader.next_request()
        except BadRequest as error:
            self._refuse(error.status, str(error))
            return True
        if request is not None:
            self._respond(request)
        return request is not None

    def _refuse(self, status: int, explanation: str) -> None:
        """Answer what no handler is asked about."""
        self._stop_reading()
        self._due.append(Due(rendered=self._render(refusal(status, explanation))))

    def _respond(self, request: Request) -> None:
        """Promise the handler's response, or a 500."""
        if request.method not in METHODS:
            self._refuse(501, "This server knows GET, HEAD and POST.")
            return
        self._stop_timers()
        keep = self._reading = asks_to_keep(request)
        head_only = request.method == b"HEAD"
        due = Due()
        self._due.append(due)
        response = maybeDeferred(self._handler, request)
        response.addCallback(self._render, head_only, keep)
        response.addErrback(self._apologize, head_only, keep)
        due.pending = response.addCallback(self._arrived, due)

    def _apologize(self, failure: Failure, head_only: bool, keep: bool) -> Rendered:
        """Log what went wrong, if anybody waits for it, and render a 500."""
        if not self._connected:
            return b"", None
        self.log.failure("The handler failed.", failure)
        return self._render(refusal(500, "The server made a mistake."), head_only, keep)

    def _render(self, response: Response, head_only: bool = False, keep: bool = False) -> Rendered:
        now, body = self._clock.seconds(), response.body
        if keep:
            headers = [*response.headers, (b"Connection", b"keep-alive")]
            response = replace(response, headers=headers)
        if isinstance(body, bytes):
            return render_response(response, now, head_only), None
        rendered = render_response(response, now, head_only=True), body
        return self._drop(rendered) if head_only or not self._connected else rendered

    def _drop(self, rendered: Rendered) -> Rendered:
        """Close the body that follows, if any: nobody will read it."""
        data, body = rendered
        if body is not None:
            body.close()
        return data, None

    def _arrived(self, rendered: Rendered, due: Due) -> None:
        """Keep what has arrived until it is its turn."""
        due.rendered = rendered
        self._work()

    def _send_next(self) -> bool:
        """Send the answer whose turn it is; tell whether it was there."""
        if self._sender is not None or not self._due or self._due[0].rendered is None:
            return False
        data, body = self._due[0].rendered
        self.transport.write(data)
        if body is None or not self._connected:
            self._due.popleft()
        else:
            self._sender = Sender(body, self.transport, self._progress)
            self._progress(done=False)
            self.transport.registerProducer(self._sender, False)
        return True

    def _progress(self, done: bool) -> None:
        """Go on when all is sent; do not wait for ever until the client reads."""
        self._stop_timers()
        if done:
            self._sender = None
            self._due.popleft()
            self._work()
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
        self._timers = []


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
