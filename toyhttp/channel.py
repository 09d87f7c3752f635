"""Where bytes meet time, Deferreds and the transport (RFC 1945, section 1.3).

A channel is one connection.  Its answers are due in the order of its requests, and what
it waits for is always one of these:

1. The client's next request.  The client has so much time for each byte, and so much
   for the whole request, from the last answer on.
2. The handler.  Now the client has all the time that the handler takes.
3. The client, to read what was written.  It has so much time for that.

Most clients ask once: then each comes once, and it closes.  A client that asks for
keep-alive may ask again, and may do so before it is answered.  The connection may be
lost at any time.  Then nothing is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from inspect import iscoroutine
from typing import Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocolNegotiationFactory,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .reader import RequestReader
from .request import SIMPLE, BadRequest, Request, asks_for_keep_alive
from .response import FIELD_VALUE, WITHOUT_BODY, Body, Response, render_response, text_response
from .sending import SMALL, Sender, close_body, close_now, has_short_way, send_now
from .timeouts import TimeoutQueue, Timeouts

Answer = Response | Deferred[Response] | Coroutine[Any, Any, Response]
"""What a handler returns: a response, or a promise of one."""

Handler = Callable[[Request], Answer]
"""What answers: any callable from a request to an answer."""

Log = Callable[[IAddress | None, Request | None, int, int], None]
"""What is told of each answer: the client, the request, the status, the bytes of body sent."""

AT_ONCE: Final = 8
"""How many requests of one connection may be with the handler at once."""

SAFE: Final = frozenset({b"GET", b"HEAD"})
"""The methods that may be with the handler beside others (RFC 9112, section 9.3.2)."""

LINGER: Final = 2.0
"""How many seconds a client may go on sending behind its last request before it is cut off."""

TURN: Final = 0.02
"""How many seconds one connection may keep all others waiting, but for the handler's own time."""

SPARE: Final = 100
"""How many connections beyond the limit are told so; each one more is closed without a word."""


class _Due:
    """An answer that is due.

    :ivar request: what it answers; ``None`` if it tells why there is no better answer.
    :ivar method: the method of the request, as far as it is known.
    :ivar is_simple: whether it was a Simple-Request.
    :ivar pending: what the handler promised, as long as that is not there.
    :ivar response: what the handler returned: a response, or a mistake.
    :ivar is_ready: whether that is there.
    """

    __slots__ = ("is_ready", "is_simple", "method", "pending", "request", "response")

    def __init__(self, request: Request | None, method: bytes, is_simple: bool) -> None:
        self.request = request
        self.method = method
        self.is_simple = is_simple
        self.pending: Deferred[Any] | None = None
        self.response: Any = None
        self.is_ready = False


@implementer(IHalfCloseableProtocol, IPushProducer)
class HTTPChannel(Protocol):
    """One connection: reads requests, asks the handler, writes its responses, closes.

    :param factory: what made it, and has all the settings.
    """

    log = Logger()

    transport: Any  # its interface says less than every stream transport can do
    _reader: RequestReader | None = None  # made when the first byte comes
    _next: Request | None = None  # it must wait until all before it are answered
    _sender: Sender | None = None  # of the first answer that is due, if it is large
    _queue: TimeoutQueue | None = None  # where it waits, if it waits for something
    _when_late: Callable[[], None] | None = None  # what is done then, if not _too_late
    _reading = True  # until the last request has come
    _half_closed = False  # the client sends no more
    _paused = False  # because more came than can be answered now
    _working = False  # somebody is in _work
    _receiving = False  # somebody is in dataReceived
    _full = False  # the transport has enough to send
    _registered = False  # the channel, as the transport's producer
    _short_way = False  # the transport is a socket, and it is known that its buffer is empty
    _hurries = False  # TCP sends small answers without delay
    _untold = 0  # bytes written since the transport had not enough to send
    _lingers = False  # the client may send more behind its last request
    _closing = False  # nothing more is written
    _lost = False

    def __init__(self, factory: HTTPFactory) -> None:
        self._settings = factory
        self._due: list[_Due] = []

    def connectionMade(self) -> None:
        """Begin to read."""
        settings = self._settings
        self._began_at = settings.clock.seconds()
        settings.channels.add(self)
        self._short_way = has_short_way(self.transport)
        if settings.is_stopping:
            self._close()
        elif settings.max_connections is not None and (
            len(settings.channels) > settings.max_connections
        ):
            if len(settings.channels) > settings.max_connections + SPARE:
                self._abort()
                return
            self._refuse(BadRequest("There are too many connections. Try again later.", 503))
            self._work()
        else:
            self._call_later(min(settings.idle_timeout, settings.request_timeout), None)

    def dataReceived(self, data: bytes) -> None:
        """Respond to each request as soon as it is complete; drop what follows the last.

        What comes while nothing more can be answered is not even read: the transport is
        paused, so that it is the client's memory that fills.
        """
        if self._reading:
            settings = self._settings
            if self._reader is None:
                self._reader = RequestReader(settings.max_head, settings.max_body)
            self._reader.feed(data)
            self._receiving = True
            self._work()
            self._receiving = False
            if self._reader is not None and self._is_busy() and self._reader.has_begun:
                self._pause()
        else:
            self._lingers = True
            if self._due:
                self._pause()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave nothing behind, and let no handler work for nobody."""
        self._lost = self._closing = True
        self._reading, self._reader, self._next = False, None, None
        self._stop_waiting()
        if self._sender is not None:
            self._break_off()
        due, self._due = self._due, []
        for answer in due:
            if answer.pending is not None:
                self._cancel(answer.pending)
            close_body(answer.response)
        self._settings.channel_lost(self)

    def readConnectionLost(self) -> None:
        """Hear that the client will send no more; answer what it has sent, then close.

        It may wait for its answer, as ``nc -N`` does.  Or it may have gone: nobody can
        tell.  So the handler has ``request_timeout`` for it, and not all the time.
        """
        self._half_closed = True
        if self._closing:
            self.transport.loseConnection()
        else:
            self._work()

    def writeConnectionLost(self) -> None:
        """Hear that the client was told so, too."""

    def finish(self) -> None:
        """Close as soon as the requests that have begun to come are answered."""
        if self._next is None and (self._reader is None or not self._reader.has_begun):
            self._reading = False
        self._work()

    def _work(self) -> None:
        """Do all that can be done now; then see to what is waited for."""
        if self._working or self._closing:  # what called what calls this will go on with it
            return
        self._working = True
        now = self._settings.clock.seconds
        until = now() + TURN
        while (self._due and self._write_next()) or (self._reading and self._ask_next()):
            if now() > until:  # let others have their turn
                self._working = False
                self._call_later(0, self._work)
                return
        self._working = False
        if self._closing:
            return
        if self._paused and not self._is_busy():  # also to close: TLS must read for that
            self._resume()
        if not self._due:
            if not self._reading:
                self._close()
            elif not self._full:
                self._wait()
        elif self._full or self._sender is not None:
            pass  # the client has its time to read; that runs already
        elif self._half_closed:
            self._call_later(self._settings.request_timeout, self._abort)
        elif self._paused:
            self._call_later(self._settings.idle_timeout, self._look_for_the_end)
        else:
            self._stop_waiting()

    # Reading

    def _wait(self) -> None:
        """Wait for the next bytes of the next request, from now on."""
        settings = self._settings
        left = self._began_at + settings.request_timeout - settings.clock.seconds()
        seconds = settings.idle_timeout
        self._call_later(seconds if seconds < left else max(left, 0), None)

    def _too_late(self) -> None:
        """Give up on a client that is too slow."""
        if self._reader is not None and self._reader.has_begun:
            explanation = "The request did not come in time."
            self._refuse(BadRequest(explanation, 408, self._reader.method))
        else:  # a browser that connected in case it would need it
            self._reading = False
        self._work()

    def _is_busy(self) -> bool:
        """Tell whether the next request must wait, should it come."""
        due = self._due
        if not due:
            return self._full
        return (
            self._full
            or not self._reading
            or self._sender is not None
            or self._next is not None
            or len(due) == AT_ONCE
            or due[-1].method not in SAFE
        )

    def _pause(self) -> None:
        """Read no more for a while.

        A paused transport does not hear that its client has gone.  So it is not paused
        before more has come, and resumed for a moment now and then.
        """
        if self._paused or self._closing or self._half_closed:
            return
        self._paused = True
        self.transport.pauseProducing()
        if not self._full and self._sender is None:
            self._call_later(self._settings.idle_timeout, self._look_for_the_end)

    def _look_for_the_end(self) -> None:
        """Resume for a moment; but not again and again, if something is kept each time."""
        if self._reader is None or self._reader.size <= self._settings.max_body:
            self._resume()

    def _resume(self) -> None:
        self._paused = False
        self.transport.resumeProducing()

    def _refuse(self, error: BadRequest) -> None:
        """Answer, in its turn, why there is no answer; it is the last one."""
        self._reading, self._reader, self._lingers = False, None, True
        due = _Due(None, error.method, error.simple)
        due.response, due.is_ready = text_response(error.status, str(error)), True
        self._due.append(due)

    # Asking the handler

    def _ask_next(self) -> bool:
        """Ask the handler about the next request; tell whether there was anything to do."""
        if (self._due or self._full) and self._is_busy():
            return False
        request, self._next = self._next, None
        if request is None and self._reader is not None:
            try:
                request = self._reader.next_request()
            except BadRequest as error:
                self._refuse(error)
                return True
        if request is not None and self._due and request.method not in SAFE:
            request, self._next = None, request  # it waits until those before it are answered
        if request is None:
            if self._half_closed and self._next is None:
                self._reading = False
            return False
        if self._settings.is_stopping or not asks_for_keep_alive(request):
            # Some send a CRLF behind a body.
            if request.method not in SAFE or (self._reader is not None and self._reader.size):
                self._lingers = True
            self._reading, self._reader = False, None
        elif not self._hurries:
            self._hurry()
        due = _Due(request, request.method, request.version == SIMPLE)
        self._due.append(due)
        try:
            answer = self._settings.handler(request)
        except BaseException:  # SystemExit, say: a handler does not decide that all others go
            self._failed(Failure(), due)
            return True
        if not isinstance(answer, Response) and iscoroutine(answer):
            answer = Deferred.fromCoroutine(answer)
        if isinstance(answer, Deferred):
            due.pending = answer
            answer.addCallbacks(
                self._arrived, self._failed, callbackArgs=(due,), errbackArgs=(due,)
            )
            if self._lost and due.pending is not None:  # while the handler was called
                self._cancel(answer)
        elif self._lost:
            close_body(answer)
        else:
            due.response, due.is_ready = answer, True
        return True

    def _hurry(self) -> None:
        """Let TCP not hold back an answer until the client has told that the last one came.

        It may tell that 40 ms later (RFC 1122, section 4.2.3.4).
        """
        self._hurries = True
        if hasattr(self.transport, "setTcpNoDelay"):
            with suppress(OSError):  # a Unix socket; or, with macOS, one that was reset
                self.transport.setTcpNoDelay(True)

    def _arrived(self, response: Response, due: _Due) -> None:
        """Take a response, if anybody is there to read it."""
        due.pending = None
        if self._lost:
            close_body(response)
        else:
            due.response, due.is_ready = response, True
            self._work()

    def _failed(self, failure: Failure, due: _Due) -> None:
        """Take a failure in place of a response, if anybody waits for that."""
        due.pending = None
        if not self._lost:
            self._fail(failure, due)
            self._work()

    def _fail(self, failure: Failure, due: _Due) -> None:
        """Log what the handler did wrong; the answer is a 500."""
        request = cast(Request, due.request)
        self.log.failure(
            "The handler failed to answer {method!r} {target!r}",
            failure,
            method=request.method,
            target=request.target,
        )
        due.response, due.is_ready = text_response(500, "The server made a mistake."), True

    def _cancel(self, pending: Deferred[Any]) -> None:
        """Tell the handler that nobody waits for it any more."""
        try:
            pending.cancel()
        except Exception:
            self.log.failure("The handler failed to be cancelled")

    # Writing

    def _write_next(self) -> bool:
        """Write the answer whose turn it is; tell whether there was anything to do."""
        due = self._due
        if not due[0].is_ready or self._full or self._closing or self._sender is not None:
            return False
        try:
            head, body = self._render(due[0])
        except Exception:
            close_body(due[0].response)
            self._fail(Failure(), due[0])
            head, body = self._render(due[0])
        if isinstance(body, bytes) and len(head) + len(body) <= SMALL:
            self._write(head + body)
            self._answered(len(body))
            return True
        sender = Sender(head, body, self._send_piece)
        self._sender = sender
        if sender.left <= SMALL:
            try:
                data = sender.read(SMALL)
            except Exception as error:
                self._fail_to_send(error)
            else:
                self._write(data)
                self._sent_all(sender)
        else:
            self._unregister()
            self._call_later(self._settings.close_timeout, self._abort)
            sender.is_registered = True
            self.transport.registerProducer(sender, False)
        return True

    def _render(self, due: _Due) -> tuple[bytes, bytes | Body]:
        """Return the head and the body that are written."""
        settings, response = self._settings, due.response
        head = render_response(
            response,
            settings.clock.seconds(),
            head_only=True,
            server=settings.server,
            keep_alive=not self._is_last(),
        )
        body: bytes | Body = response.body
        if due.method == b"HEAD" or response.status in WITHOUT_BODY:
            close_body(response)
            body = b""
        return b"" if due.is_simple else head, body

    def _is_last(self) -> bool:
        """Tell whether the answer whose turn it is is the last one of the connection."""
        return not self._reading and len(self._due) == 1

    def _write(self, data: bytes) -> None:
        """Write; if more may follow, learn whether the transport has enough to send."""
        transport = self.transport
        if self._may_send_now():
            closes = not self._reading and not self._lingers
            data = send_now(transport, data, closes)
            if not data:
                return
        self._short_way = False
        if self._is_last():
            self._unregister()
            transport.write(data)
            return
        # A transport tells that to its producer alone, within write; so from time to time
        # it has one, for a moment.  TLS collects what is written, and may find out later.
        self._untold += len(data)
        if self._untold > SMALL and not self._registered:
            self._registered = True
            transport.registerProducer(self, True)
        transport.write(data)
        if self._registered and not self._full:
            self._untold = 0
            if not ISSLTransport.providedBy(transport):
                self._unregister()

    def _may_send_now(self) -> bool:
        """Tell whether an answer can go the short way, and gains from it.

        Several answers are written together, to be sent together.  And the last one goes with
        the end of the connection, if that can be the short way: :meth:`_close` decides so,
        too, and must, as what is sent so is held back until then.
        """
        if not self._short_way or len(self._due) > 1:
            return False
        if not self._reading:
            return self._receiving
        return self._reader is not None and not self._reader.size

    def _unregister(self) -> None:
        if self._registered:
            self._registered = False
            self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Hear that the transport has enough to send: answer nothing more for a while."""
        self._full = True
        self._call_later(self._settings.close_timeout, self._abort)

    def resumeProducing(self) -> None:
        """Hear that the client has read all that was written."""
        self._unregister()
        if self._full:
            self._full, self._untold = False, 0
            self._short_way = has_short_way(self.transport)
            self._began_at = self._settings.clock.seconds()
            self._work()

    def stopProducing(self) -> None:
        """Do nothing: the channel is told by itself that its connection is lost."""

    def _answered(self, size: int) -> None:
        """Go on to the next answer: so many bytes of body are written, and that was all."""
        if self._lost:  # some transports lose the connection before write returns
            return
        settings = self._settings
        due = self._due.pop(0)
        if self._reading:
            self._began_at = settings.clock.seconds()
        if settings.log is not None:
            self._log_answer(due, size)

    def _log_answer(self, due: _Due, size: int) -> None:
        """Tell the log of an answer that was finished, or broken off."""
        log = cast(Log, self._settings.log)
        try:
            log(self.transport.getPeer(), due.request, due.response.status, size)
        except Exception:
            self.log.failure("The log failed")

    def _send_piece(self, sender: Sender) -> None:
        """Send the next piece of a large answer, as the transport has asked for it.

        It asks as soon as it has the sender, and from then on when its buffer is empty.
        """
        if sender is not self._sender or self._closing:
            return
        transport, left = self.transport, sender.left
        if sender.was_asked:
            self._short_way = has_short_way(transport)
        if left:
            try:
                self._short_way = sender.send_piece(transport, self._short_way)
            except Exception as error:
                self._fail_to_send(error)
                return
            if sender.left < left:
                self._call_later(self._settings.close_timeout, self._abort)
        # What waits in the buffer must be sent before the next answer is written; but it need
        # not be before the connection is told to end.
        is_sent = self._short_way or not left
        if not sender.left and (is_sent or self._is_last()):
            self._sent_all(sender)
            self._work()

    def _fail_to_send(self, error: Exception) -> None:
        """Break off, as there is no more to send than this.

        The head has promised it: nothing but a broken connection says that it was wrong.
        """
        target = cast(Request, self._due[0].request).target
        if isinstance(error, OSError):
            self.log.warn("The answer to {target!r} broke off: {error}", target=target, error=error)
        else:
            self.log.failure("The answer to {target!r} broke off", target=target)
        self._stop_waiting()
        self._break_off()
        self._abort()

    def _sent_all(self, sender: Sender) -> None:
        """Go on behind a large answer, if its end is not that of the connection."""
        if not self._lost:
            self._sender = None
            self._give_back(sender, self._due[0])
            self._answered(sender.sent)

    def _break_off(self) -> None:
        """Send no more of the large answer that is being sent."""
        sender, self._sender = cast(Sender, self._sender), None
        due = self._due.pop(0)
        self._give_back(sender, due)
        if self._settings.log is not None:
            self._log_answer(due, sender.sent)

    def _give_back(self, sender: Sender, due: _Due) -> None:
        close_body(due.response)
        if sender.is_registered and not self._lost:
            self.transport.unregisterProducer()

    # Closing

    def _close(self) -> None:
        """Close as soon as the client has read all, or has had its time for it.

        But let a client that may be sending more read its answer: one that was refused, sent
        a body, or has sent more already (RFC 1945, section 9.4, RFC 9112, section 9.6).  A
        socket that is closed with bytes unread is reset, and the reset may overtake the
        answer.  So TCP is told that no more will be written, and what comes is read and
        dropped until the client closes or ``LINGER`` is over.
        """
        self._closing, self._reading = True, False
        self._unregister()
        transport = self.transport
        # Some transports lose the connection before they return.
        if (
            self._lingers
            and not self._half_closed
            and ITCPTransport.providedBy(transport)
            and not ISSLTransport.providedBy(transport)
        ):
            self._call_later(LINGER, self._abort)
            transport.loseWriteConnection()
        elif self._short_way and self._receiving:
            close_now(transport)
        else:
            self._call_later(self._settings.close_timeout, self._abort)
            transport.loseConnection()

    def _abort(self) -> None:
        """Close without waiting for anybody."""
        self._closing, self._reading = True, False
        transport = self.transport
        # A terminal, say, has no other way to close.
        getattr(transport, "abortConnection", transport.loseConnection)()

    # Time

    def _call_later(self, seconds: float, function: Callable[[], None] | None) -> None:
        """Call a function later, in place of the one that was to be called.

        :param function: ``None`` for :meth:`_too_late`.
        """
        if not self._lost:
            self._when_late = function
            self._queue = self._settings.timeouts.start(seconds, self, self._queue)

    def timed_out(self) -> None:
        """Do what is to be done now, as it was waited for something in vain."""
        function, self._queue, self._when_late = self._when_late or self._too_late, None, None
        function()

    def _stop_waiting(self) -> None:
        if self._queue is not None:
            self._queue.stop(self)
            self._queue = self._when_late = None


@implementer(IProtocolNegotiationFactory)
class HTTPFactory(Factory):
    """Makes an :class:`HTTPChannel` for each connection.

    :ivar handler: what answers.
    :ivar clock: what tells the time; the reactor, unless a test hands in another.
    :ivar idle_timeout: how many seconds a client may send nothing before its request
        is complete, and before it begins its next one on a connection that is kept.
    :ivar request_timeout: how many seconds it may take to send its whole request.
    :ivar close_timeout: how many seconds the transport may take to hand over answers
        of up to 320 KiB, or the next 256 KiB of a large one, or any more of a file that the
        system sends; and at the end to close.
    :ivar server: the value of ``Server``; empty to leave the field out.
    :ivar max_head: how many bytes the head of a request may have.
    :ivar max_body: how many bytes the body of a request may have.
    :ivar max_connections: how many connections there may be; each one more is answered
        with a 503 and closed.  ``None`` for any number.
    :ivar log: what is called for each answer when it was handed to the transport as a
        whole, or broke off: with the client's address; the request, or ``None`` if that
        could not be read; the status; and how many bytes of body were written.
    :ivar channels: those that are connected.
    :ivar timeouts: where they wait.
    :ivar is_stopping: whether no connection is kept any more.
    :raises ValueError: if ``server`` has a NUL, CR or LF in it, or a number is not
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
        max_head: int = 16 * 1024,
        max_body: int = 1024 * 1024,
        max_connections: int | None = 10_000,
        log: Log | None = None,
    ) -> None:
        if not FIELD_VALUE.fullmatch(server):
            raise ValueError(f"the value of Server has a NUL, CR or LF in it: {server!r}")
        if not all(seconds > 0 for seconds in (idle_timeout, request_timeout, close_timeout)):
            raise ValueError("a timeout is a number of seconds above 0")
        if max_head < 1 or max_body < 0 or (max_connections is not None and max_connections < 1):
            raise ValueError("a limit is a number above 0")
        if clock is None:
            from twisted.internet import reactor  # only now: importing it installs it

            clock = cast(IReactorTime, reactor)
        self.handler = handler
        self.clock = clock
        self.server = server
        self.idle_timeout = idle_timeout
        self.request_timeout = request_timeout
        self.close_timeout = close_timeout
        self.max_head = max_head
        self.max_body = max_body
        self.max_connections = max_connections
        self.log = log
        self.channels: set[HTTPChannel] = set()
        self.timeouts = Timeouts(clock)
        self.is_stopping = False
        self._waiting: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new channel."""
        return HTTPChannel(self)

    def acceptableProtocols(self) -> list[bytes]:
        """Return what is spoken, for a TLS client that says what it speaks (RFC 7301).

        All browsers do, and Twisted refuses those with which it has nothing in common.
        Who speaks HTTP/1.1 understands HTTP/1.0.
        """
        return [b"http/1.0", b"http/1.1"]

    def channel_lost(self, channel: HTTPChannel) -> None:
        """Forget a channel: its connection is lost."""
        self.channels.discard(channel)
        if not self.channels:
            waiting, self._waiting = self._waiting, []
            for waits in waiting:
                waits.callback(None)

    def stop_serving(self) -> Deferred[None]:
        """Close each connection as soon as the request that has begun to come is answered.

        One without a request is closed at once, and so is each new one: stop listening
        before.  How long it may take is up to the handler and to the timeouts.

        :returns: a Deferred that fires, with ``None``, when no connection is left.
        """
        self.is_stopping = True
        stopped: Deferred[None] = Deferred()
        self._waiting.append(stopped)
        for channel in list(self.channels):
            channel.finish()
        if not self.channels and self._waiting:
            self._waiting.remove(stopped)
            stopped.callback(None)
        return stopped
