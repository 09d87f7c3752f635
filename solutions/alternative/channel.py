"""Where bytes meet the transport: a protocol for each connection (RFC 1945; RFC 2068, 19.7.1).

All that can be done is done by one loop, ``HTTPChannel._pump``.  Whatever happens - bytes, an
answer, room on the wire - notes what has happened, and then calls the loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from inspect import isawaitable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IPullProducer,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .reader import RequestReader
from .request import BadRequest, Request
from .response import BODILESS, Response, Source, explanation, render_response

Handler = Callable[[Request], Response | Awaitable[Response]]
"""What answers: called with a ``Request``, it returns a ``Response``, or a Deferred of one.
A coroutine will do as well."""

METHODS = frozenset({b"GET", b"HEAD", b"POST"})
MOST_AT_ONCE = 8
"""How many requests of a connection have no answer on the wire yet."""
PIECE = 64 * 1024
"""How many bytes of a ``Source`` are read and written at once."""
UNASKED = 64 * 1024
"""How many bytes of answers are written before the transport is asked whether they have gone."""

log = Logger()


class State(Enum):
    """How far a connection has come."""

    OPEN = auto()
    """It takes requests."""
    LAST = auto()
    """It has taken its last request; answers are due.  What comes is dropped."""
    CLOSING = auto()
    """``loseConnection`` was called."""
    GONE = auto()
    """It is lost, or was aborted."""


class Alarm:
    """A delayed call that is put off for the price of an assignment.

    The call that was made is left where it is; when it comes too early, it is made anew for
    the rest of the time.  So at most one delayed call is in the clock.

    :param clock: what calls later.
    :param ring: what is called at the moment that was set last.
    """

    __slots__ = ("_call", "_clock", "_moment", "_ring")

    def __init__(self, clock: IReactorTime, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._moment = 0.0
        self._call: IDelayedCall | None = None

    def set(self, moment: float) -> None:
        """Ring at ``moment``, in seconds of the clock, and not at the moment set before."""
        self._moment = moment
        if self._call is not None and self._call.getTime() > moment:
            self.stop()
        if self._call is None:
            self._call_at_the_moment()

    def stop(self) -> None:
        """Leave no delayed call behind."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _call_at_the_moment(self) -> None:
        seconds = max(0.0, self._moment - self._clock.seconds())
        self._call = self._clock.callLater(seconds, self._called)

    def _called(self) -> None:
        self._call = None
        if self._clock.seconds() < self._moment:
            self._call_at_the_moment()
        else:
            self._ring()


class Exchange:
    """A request whose answer is not on the wire yet.

    :ivar head_only: whether its answer has no body: it is a ``HEAD``.
    :ivar keep: whether the connection stays open behind the answer.
    :ivar response: the answer, when it is there.
    :ivar work: what the handler does; ``None`` if it was not asked.
    """

    __slots__ = ("head_only", "keep", "response", "work")

    def __init__(
        self, keep: bool = False, head_only: bool = False, response: Response | None = None
    ) -> None:
        self.keep = keep
        self.head_only = head_only
        self.response = response
        self.work: Deferred[None] | None = None


def asks_to_be_kept(request: Request) -> bool:
    """Say whether the client asks for keep-alive (RFC 2068, section 19.7.1)."""
    field = request.header(b"Connection") or b""
    words = {word.strip(b" \t").lower() for word in field.split(b",")}
    return b"keep-alive" in words and b"close" not in words


def discard(response: Response) -> None:
    """Let go of a response that is not sent, or not to its end."""
    if hasattr(response.body, "close"):
        response.body.close()


@implementer(IPullProducer)
class SourceSender:
    """Writes a ``Source`` to a transport, a piece whenever there is room for one.

    :param source: what is sent: as many bytes as it said, and never more.
    :param transport: where it goes.
    :param moved: called with each piece, before it is written.
    :param ended: called once: with ``True`` if all was written, or with ``False`` if the
        source had less than it said, or could not be read.
    """

    def __init__(
        self,
        source: Source,
        transport: Any,
        moved: Callable[[], None],
        ended: Callable[[bool], None],
    ) -> None:
        self._source: Source | None = source
        self._left = len(source)
        self._transport = transport
        self._moved = moved
        self._ended = ended

    def start(self) -> None:
        """Register; some transports ask for the first piece before this returns."""
        self._transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Write the next piece: the transport has room."""
        if self._source is None:
            return
        piece = self._read(self._source)
        self._left -= len(piece)
        if piece:
            self._moved()
            self._transport.write(piece)
        # The write may have lost the connection.
        if self._source is not None and (self._left == 0 or not piece):
            self.stopProducing()
            self._transport.unregisterProducer()
            self._ended(self._left == 0)

    def stopProducing(self) -> None:
        """Close the source: nothing more is written."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _read(self, source: Source) -> bytes:
        """Read the next piece; none if it cannot be read, which is logged."""
        try:
            return source.read(min(PIECE, self._left))
        except Exception:
            log.failure("A body could not be read to its end")
            return b""


@implementer(IPushProducer)
class Gauge:
    """Shows whether a transport holds more than it likes to.

    A transport tells only those who are registered, so this is registered while something is
    written, and stays so until all has gone.

    :param transport: where is written.
    :param emptied: called when what was too much has gone.
    """

    def __init__(self, transport: Any, emptied: Callable[[], None]) -> None:
        self.full = False
        self._lost = False
        self._transport = transport
        self._emptied = emptied

    def write(self, data: bytes) -> None:
        """Write, and learn whether it was too much."""
        self._transport.registerProducer(self, True)
        self._transport.write(data)
        if not self.full and not self._lost:
            self._transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Hear that there is too much."""
        self.full = True

    def resumeProducing(self) -> None:
        """Hear that there is room again."""
        if self.full:
            self.full = False
            self._transport.unregisterProducer()
            self._emptied()

    def stopProducing(self) -> None:
        """Hear that the connection is lost: the protocol will hear of it too."""
        self._lost = True


class HTTPChannel(Protocol):
    """One connection: reads requests, asks the handler, writes its responses in their order.

    :param handler: what answers.
    :param clock: what tells the time, for ``Date`` and for the timeouts.

    The timeouts are those of ``HTTPFactory``, in seconds.
    """

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
        self._idle_timeout = idle_timeout
        self._request_timeout = request_timeout
        self._close_timeout = close_timeout
        self._state = State.OPEN
        self._reader = RequestReader()
        self._due: deque[Exchange] = deque()
        self._sender: SourceSender | None = None
        self._gauge: Gauge | None = None
        self._unasked = 0
        self._reading_paused = False
        self._pumping = False
        self._deadline: float | None = None
        self._alarm = Alarm(clock, self._out_of_time)

    # What the transport calls.

    def connectionMade(self) -> None:
        """Begin to wait for a request."""
        self._pump()

    def dataReceived(self, data: bytes) -> None:
        """Take the bytes that came next, from the transport."""
        if self._state is State.LAST:
            self._pause_reading()
        elif self._state is State.OPEN:
            self._reader.feed(data)
            self._pump()
            if self._state is State.OPEN and self._has_enough() and self._reader.has_bytes:
                self._pause_reading()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let go of everything, and tell the handlers who work for nobody."""
        self._state = State.GONE
        self._alarm.stop()
        self._reader = RequestReader()
        if self._sender is not None:
            self._sender.stopProducing()
        due, self._due = self._due, deque()
        for exchange in due:
            if exchange.response is not None:
                discard(exchange.response)
            elif exchange.work is not None:
                exchange.work.cancel()

    @property
    def _transport(self) -> Any:
        """The transport, which is there from ``connectionMade`` on."""
        return self.transport

    # The loop.

    def _pump(self) -> None:
        """Do all that can be done now.  Called from within itself, it leaves that to itself."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._step():
                pass
        finally:
            self._pumping = False
        self._set_alarm()

    def _step(self) -> bool:
        """Do one thing: write an answer, take a request or listen again; or return ``False``."""
        if self._state in (State.CLOSING, State.GONE):
            return False
        if self._due and self._due[0].response is not None and not self._wire_is_busy():
            self._write_answer(self._due[0], self._due[0].response)
            return True
        if self._state is State.LAST or self._has_enough():
            return False
        if self._take_request():
            return True
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resumeProducing()
            return True
        return False

    def _wire_is_busy(self) -> bool:
        """Say whether the transport has enough to write."""
        return self._sender is not None or (self._gauge is not None and self._gauge.full)

    def _has_enough(self) -> bool:
        """Say whether the next request must wait, so that not too much is kept."""
        return len(self._due) >= MOST_AT_ONCE or self._wire_is_busy()

    def _pause_reading(self) -> None:
        """Let the client keep what it sends.  It is not paused before it sends something.

        A paused transport does not hear that its client has gone.
        """
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pauseProducing()

    # Requests.

    def _take_request(self) -> bool:
        """Take the next request, or what is none, if there is one."""
        try:
            request = self._reader.next_request()
        except BadRequest as error:
            self._refuse(error.status, str(error))
            return True
        if request is None:
            return False
        self._deadline = None
        if request.method not in METHODS:
            self._refuse(501, "This server implements GET, HEAD and POST.")
            return True
        exchange = Exchange(asks_to_be_kept(request), request.method == b"HEAD")
        self._due.append(exchange)
        if not exchange.keep:
            self._take_no_more()
        answer = ensureDeferred(self._ask(request)).addErrback(self._apologize)
        exchange.work = answer.addCallback(self._settle, exchange)
        if self._state is State.GONE:  # the handler itself has cut the wire
            exchange.work.cancel()
        return True

    def _refuse(self, status: int, sentence: str) -> None:
        """Put a refusal behind the answers that are due; it is the last one."""
        self._due.append(Exchange(response=explanation(status, sentence)))
        self._take_no_more()

    def _take_no_more(self) -> None:
        """Drop what has come behind the last request."""
        self._state = State.LAST
        self._reader = RequestReader()

    async def _ask(self, request: Request) -> Response:
        """Ask the handler, and wait for what it says."""
        response: Any = self._handler(request)
        if isawaitable(response):
            response = await response
        if not isinstance(response, Response):
            raise TypeError(f"The handler's result is no Response: {response!r}")
        return response

    def _apologize(self, failure: Failure) -> Response:
        """Answer for a handler that has failed (RFC 1945, section 9.5)."""
        if self._state is not State.GONE:
            log.failure("A handler has failed", failure)
        return explanation(500, "The server could not answer this request.")

    def _settle(self, response: Response, exchange: Exchange) -> None:
        """Take the answer to a request: it is written in its turn."""
        if self._state in (State.CLOSING, State.GONE):
            discard(response)
            return
        exchange.response = response
        self._pump()

    # Answers.

    def _write_answer(self, exchange: Exchange, response: Response) -> None:
        """Write the answer that is due first, or begin to."""
        body: Any = response.body
        is_source = hasattr(body, "read")
        try:
            data = self._render(response, exchange, exchange.head_only or is_source)
        except Exception:
            log.failure("A response could not be rendered")
            discard(response)
            response, is_source = explanation(500, "The server could not answer."), False
            data = self._render(response, exchange, exchange.head_only)
        exchange.response = response
        if is_source and (exchange.head_only or response.status in BODILESS):
            discard(response)
            is_source = False
        self._write(data, watched=exchange.keep and not is_source)
        if self._state is State.GONE:
            return
        if is_source:
            self._send(body, exchange)
        else:
            self._answered(exchange)

    def _render(self, response: Response, exchange: Exchange, head_only: bool) -> bytes:
        """Render a response as it is sent on this connection.

        Whether the connection is kept is the channel's to say, and not the handler's.
        """
        fields = [field for field in response.headers if field[0].lower() != b"connection"]
        if exchange.keep:
            fields.append((b"Connection", b"keep-alive"))
        response = Response(response.status, fields, response.body)
        return render_response(response, self._clock.seconds(), head_only)

    def _write(self, data: bytes, watched: bool) -> None:
        """Write; now and then learn how much of it all is still there.

        Otherwise a client that asks and asks, and reads no answer, would decide how much
        memory is used.
        """
        self._unasked += len(data)
        if not watched or self._unasked <= UNASKED:
            self._transport.write(data)
            return
        self._unasked = 0
        if self._gauge is None:
            self._gauge = Gauge(self._transport, self._pump)
        self._gauge.write(data)
        if self._gauge.full:
            self._put_off_the_end()

    def _send(self, source: Source, exchange: Exchange) -> None:
        """Send a body piece by piece."""

        def ended(complete: bool) -> None:
            self._sender = None
            self._unasked = 0
            if not complete:
                # The client sees that it is shorter than its Content-Length.
                exchange.keep = False
            self._answered(exchange)
            self._pump()

        self._sender = SourceSender(source, self._transport, self._put_off_the_end, ended)
        self._put_off_the_end()
        self._sender.start()

    def _answered(self, exchange: Exchange) -> None:
        """Go on behind an answer that was written."""
        if self._state is State.GONE:
            return
        self._due.popleft()
        self._deadline = None
        if not exchange.keep:
            self._close()

    # The end, and the time.

    def _close(self) -> None:
        """Close the connection, when what was written has gone; but not for ever."""
        self._state = State.CLOSING
        self._reader = RequestReader()
        self._put_off_the_end()  # before loseConnection: that may be the end
        if self._reading_paused:  # TLS waits for the client's own end
            self._reading_paused = False
            self._transport.resumeProducing()
        self._transport.loseConnection()

    def _put_off_the_end(self) -> None:
        """Give the client time to read what was written."""
        self._alarm.set(self._clock.seconds() + self._close_timeout)

    def _set_alarm(self) -> None:
        """Let the client's time run if it is the client's turn to send, or else not."""
        if self._state in (State.CLOSING, State.GONE) or self._wire_is_busy():
            return
        if self._due:
            self._alarm.stop()
            return
        now = self._clock.seconds()
        if self._deadline is None:
            self._deadline = now + self._request_timeout
        self._alarm.set(min(now + self._idle_timeout, self._deadline))

    def _out_of_time(self) -> None:
        """End what has taken too long."""
        if self._state is State.CLOSING or self._wire_is_busy():
            self._state = State.GONE
            if self._sender is not None:
                self._sender.stopProducing()
            self._transport.abortConnection()
        else:
            self._close()


class HTTPFactory(Factory):
    """Makes an ``HTTPChannel`` for each connection.

    :param handler: what answers.
    :param clock: what tells the time; the reactor is one.
    :param idle_timeout: how many seconds a client may send nothing while a request of it is
        waited for.
    :param request_timeout: how many seconds it may take to send its whole request.
    :param close_timeout: how many seconds it may take to read its answer, or, if that is
        sent in pieces, to take the next one.
    """

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
        """Return a new ``HTTPChannel`` for a client that connects from ``addr``."""
        channel = HTTPChannel(self._handler, self._clock, *self._timeouts)
        channel.factory = self
        return channel
