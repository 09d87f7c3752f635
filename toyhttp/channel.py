"""Where bytes meet time, Deferreds and the transport (RFC 1945, section 1.3).

A channel is one connection.  It goes through three states, and never back:

1. It reads, until a request is complete.  The client has so much time for each
   byte, and so much for the whole request.
2. It waits for the handler.  Now the client has all the time that the handler takes.
3. It closes.  The client has so much time to read its answer, and to go.

In each of them the connection may be lost.  Then nothing is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutine
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPullProducer,
    IReactorTime,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .reader import RequestReader
from .request import SIMPLE, BadRequest, Request
from .response import FIELD_VALUE, Response, render_response, text_response

Answer = Response | Deferred[Response] | Coroutine[Any, Any, Response]
"""What a handler returns: a response, or a promise of one."""

Handler = Callable[[Request], Answer]
"""What answers: any callable from a request to an answer."""

PIECE = 64 * 1024
"""How many bytes of a large answer are handed to the transport at once."""

LINGER = 2.0
"""How many seconds a client that was refused may go on sending before it is cut off."""


@implementer(IHalfCloseableProtocol)
class HTTPChannel(Protocol):
    """One connection: reads a request, asks the handler, writes its response, closes.

    :param factory: what made it, and has all the settings.
    """

    log = Logger()

    def __init__(self, factory: HTTPFactory) -> None:
        self._settings = factory
        self._reader: RequestReader | None = RequestReader()  # while it reads
        self._pending: Deferred[Any] | None = None  # while it waits for the handler
        self._paused = False  # because more came while it waits
        self._lost = False
        self._heard_at: float | None = None  # when the last byte came
        self._timer: IDelayedCall | None = None  # the only one that a connection has

    def connectionMade(self) -> None:
        """Begin to read."""
        settings = self._settings
        self._connected_at = settings.clock.seconds()
        self._call_later(min(settings.idle_timeout, settings.request_timeout), self._look_at_clock)

    def dataReceived(self, data: bytes) -> None:
        """Respond to the first request as soon as it is complete; drop what follows it.

        What comes while the handler works is not even read: the transport is paused,
        so that it is the client's memory that fills.
        """
        if self._reader is None:
            if self._pending is not None:
                self._pause()
            return
        self._heard_at = self._settings.clock.seconds()
        self._reader.feed(data)
        try:
            request = self._reader.next_request()
        except BadRequest as error:
            self._refuse(error)
        else:
            if request is not None:
                self._respond(request)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave nothing behind, and let no handler work for nobody."""
        self._lost = True
        self._stop_timer()
        self._cancel()

    def readConnectionLost(self) -> None:
        """Hear that the client will send no more; close when what is written has gone.

        So a client that closes its half behind its request gets the whole answer,
        unless the handler is still at work: nobody can tell it from one that has gone.
        """
        self._transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Hear that the client was told so, too."""

    # Reading

    def _look_at_clock(self) -> None:
        """Give up on a client that is too slow; or look again when it can be too slow."""
        settings = self._settings
        began, now = self._connected_at, settings.clock.seconds()
        heard = began if self._heard_at is None else self._heard_at
        late = min(heard + settings.idle_timeout, began + settings.request_timeout)
        if now < late:
            self._call_later(late - now, self._look_at_clock)
        elif self._heard_at is None:  # a browser that connected in case it would need it
            self._reader = None
            self._close()
        else:
            self._refuse(BadRequest("The request did not come in time.", 408))

    def _refuse(self, error: BadRequest) -> None:
        """Write why there is no answer; then close."""
        self._reader = None
        response = text_response(error.status, str(error))
        data = self._render(response, error.method == b"HEAD")
        self._transport.write(_body(data) if error.simple else data)
        self._linger()

    # Waiting for the handler

    def _respond(self, request: Request) -> None:
        """Ask the handler, and write its response when it is there."""
        self._reader = None
        try:
            answer = self._settings.handler(request)
        except Exception:
            self._fail(Failure(), request)
            return
        if iscoroutine(answer):
            answer = Deferred.fromCoroutine(answer)
        if isinstance(answer, Deferred):
            self._stop_timer()
            self._pending = answer
            answer.addCallbacks(
                self._send, self._fail, callbackArgs=(request,), errbackArgs=(request,)
            )
            if self._lost:  # while the handler was called
                self._cancel()
        else:
            self._send(cast(Response, answer), request)

    def _pause(self) -> None:
        """Read no more for a while.

        A paused transport does not hear that its client has gone.  So it is not paused
        before more has come, and resumed for a moment now and then.
        """
        self._paused = True
        self._transport.pauseProducing()
        self._call_later(self._settings.idle_timeout, self._resume)

    def _resume(self) -> None:
        self._paused = False
        self._transport.resumeProducing()

    def _cancel(self) -> None:
        """Tell the handler that nobody waits for it any more."""
        if self._pending is not None:
            try:
                self._pending.cancel()
            except Exception:
                self.log.failure("The handler failed to be cancelled")

    def _send(self, response: Response, request: Request) -> None:
        """Write the response, if anybody is there to read it; then close."""
        self._pending = None
        if self._lost:
            return
        if self._paused:  # TLS must read to close
            self._resume()
        try:
            data = self._render(response, request.method == b"HEAD")
        except Exception:
            self._fail(Failure(), request)
            return
        if request.version == SIMPLE:
            data = _body(data)
        if len(data) <= PIECE:
            self._transport.write(data)
            self._close()
        else:
            self._transport.registerProducer(_Pieces(self, data), False)

    def _fail(self, failure: Failure, request: Request) -> None:
        """Log what the handler did wrong, if anybody waits for it; answer with a 500."""
        if self._lost:
            return
        self.log.failure(
            "The handler failed to answer {method!r} {target!r}",
            failure,
            method=request.method,
            target=request.target,
        )
        self._send(text_response(500, "The server made a mistake."), request)

    def send_piece(self, piece: bytes, last: bool) -> None:
        """Write a piece of a large answer, as the client has read what came before it."""
        self._transport.write(piece)
        if last:
            self._transport.unregisterProducer()
            self._close()
        else:
            self._call_later(self._settings.close_timeout, self._abort)

    def _render(self, response: Response, head_only: bool) -> bytes:
        settings = self._settings
        return render_response(response, settings.clock.seconds(), head_only, settings.server)

    # Closing

    def _close(self) -> None:
        """Close as soon as the client has read all, or has had its time for it."""
        # Some transports lose the connection before loseConnection returns.
        self._call_later(self._settings.close_timeout, self._abort)
        self._transport.loseConnection()

    def _abort(self) -> None:
        """Close without waiting for anybody."""
        transport = self._transport
        # A terminal, say, has no other way to close.
        getattr(transport, "abortConnection", transport.loseConnection)()

    def _linger(self) -> None:
        """Close, but let a client that is still sending read why (RFC 1945, section 9.4).

        A socket that is closed with bytes unread is reset, and the reset may
        overtake the answer.  So TCP is told that no more will be written, and what
        comes is read and dropped until the client closes or ``LINGER`` is over.
        """
        transport = self._transport
        if ITCPTransport.providedBy(transport) and not ISSLTransport.providedBy(transport):
            self._call_later(LINGER, self._abort)
            transport.loseWriteConnection()
        else:
            self._close()

    # Time

    def _call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function later, in place of the one that was to be called."""
        if self._lost:  # some transports lose the connection before write returns
            return
        self._when_due = function
        if self._timer is not None:
            self._timer.reset(seconds)  # cheaper than to cancel it and make a new one
        else:
            self._timer = self._settings.clock.callLater(seconds, self._call_now)

    def _call_now(self) -> None:
        self._timer = None
        self._when_due()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _transport(self) -> Any:
        """The transport; its interface says less than every stream transport can do."""
        return self.transport


@implementer(IPullProducer)
class _Pieces:
    """A large answer.  The transport asks for a piece whenever it has written all.

    So a client that reads slowly, but reads, is not cut off; and no more than a piece
    is copied at a time.
    """

    def __init__(self, channel: HTTPChannel, data: bytes) -> None:
        self._channel = channel
        self._data = memoryview(data)

    def resumeProducing(self) -> None:
        piece, self._data = self._data[:PIECE], self._data[PIECE:]
        self._channel.send_piece(bytes(piece), last=not self._data)

    def stopProducing(self) -> None:
        """Do nothing: the channel is told by itself that its connection is lost."""


def _body(data: bytes) -> bytes:
    """Return what was rendered of the body: all that a Simple-Request is answered with."""
    return data.partition(b"\r\n\r\n")[2]


class HTTPFactory(Factory):
    """Makes an :class:`HTTPChannel` for each connection.

    :ivar handler: what answers.
    :ivar clock: what tells the time; the reactor, unless a test hands in another.
    :ivar idle_timeout: how many seconds a client may send nothing before its request
        is complete.
    :ivar request_timeout: how many seconds it may take to send its whole request.
    :ivar close_timeout: how many seconds the transport may take to hand over an answer
        of up to 64 KiB, or the next 64 KiB of a larger one, and at the end to close.
    :ivar server: the value of ``Server``; empty to leave the field out.
    :raises ValueError: if ``server`` has a NUL, CR or LF in it, or a timeout is not
        more than 0.
    """

    noisy = False  # what listens says so itself

    def __init__(
        self,
        handler: Handler,
        clock: IReactorTime | None = None,
        idle_timeout: float = 15.0,
        request_timeout: float = 60.0,
        close_timeout: float = 15.0,
        server: bytes = b"toyhttp",
    ) -> None:
        if not FIELD_VALUE.fullmatch(server):
            raise ValueError(f"the value of Server has a NUL, CR or LF in it: {server!r}")
        if not all(seconds > 0 for seconds in (idle_timeout, request_timeout, close_timeout)):
            raise ValueError("a timeout is a number of seconds above 0")
        if clock is None:
            from twisted.internet import reactor  # only now: importing it installs it

            clock = cast(IReactorTime, reactor)
        self.handler = handler
        self.clock = clock
        self.server = server
        self.idle_timeout = idle_timeout
        self.request_timeout = request_timeout
        self.close_timeout = close_timeout

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new channel."""
        return HTTPChannel(self)
