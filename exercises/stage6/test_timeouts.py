"""Stage 6, the core: two hours in a millisecond.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage6``

``clock.advance(10)`` is one jump.  ``clock.pump([1] * 10)`` is ten small steps: a
call that is put off, or that calls itself again, sees each of them.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
BAD = b"nonsense\r\n\r\n"

Handler = Callable[[Request], "Deferred[Response] | Response"]


class Later:
    """A handler that keeps the Deferreds that it returned, so that a test can fire them."""

    def __init__(self) -> None:
        self.answers: list[Deferred[Response]] = []

    def __call__(self, request: Request) -> Deferred[Response]:
        self.answers.append(Deferred())
        return self.answers[-1]


def hello(request: Request) -> Response:
    """Answer at once."""
    return Response(200, body=b"hello")


def connect(
    test: TestCase,
    clock: Clock,
    handler: Handler = hello,
    idle: float = 10.0,
    request: float = 60.0,
    close: float = 5.0,
) -> tuple[HTTPChannel, StrictTransport]:
    """Do what a reactor does when a client connects, without a client."""
    factory = HTTPFactory(
        handler, clock, idle_timeout=idle, request_timeout=request, close_timeout=close
    )
    channel = factory.buildProtocol(None)
    transport = StrictTransport(test)
    channel.makeConnection(transport)
    return channel, transport


def trickle(channel: HTTPChannel, clock: Clock, sent: bytes, seconds: float) -> None:
    """Send one byte every few seconds."""
    for i in range(len(sent)):
        clock.advance(seconds)
        channel.transport.deliver(channel, sent[i : i + 1])


class IdleTimeoutTests(TestCase):
    """A client that sends nothing for ``idle_timeout`` seconds is disconnected."""

    def test_silent_client(self) -> None:
        """It is closed when the time is over, without an answer or with a 408."""
        clock = Clock()
        _, transport = connect(self, clock)
        clock.advance(10)
        self.assertEqual(transport.state, "closing", "sent nothing for 10 s")
        self.assertIn(transport.value()[:12], (b"", b"HTTP/1.0 408"))

    def test_not_too_early(self) -> None:
        """It is not closed before the time is over."""
        clock = Clock()
        _, transport = connect(self, clock)
        clock.advance(9.5)
        self.assertEqual((transport.state, transport.value()), ("open", b""), "silent for 9.5 s")

    def test_half_a_request(self) -> None:
        """Half a request does not prevent that, and is not given to the handler."""
        clock, handler = Clock(), Later()
        channel, transport = connect(self, clock, handler)
        channel.dataReceived(GET[:-1])
        clock.advance(10)
        self.assertEqual(transport.state, "closing", f"sent {GET[:-1]!r}, then nothing for 10 s")
        self.assertEqual(handler.answers, [], f"sent {GET[:-1]!r}")

    def test_each_byte_puts_it_off(self) -> None:
        """Whatever the client sends resets the timeout."""
        clock = Clock()
        channel, transport = connect(self, clock)
        trickle(channel, clock, b"GET", 9)
        clock.advance(9.5)
        self.assertEqual(transport.state, "open", "sent a byte every 9 s, then nothing for 9.5 s")
        clock.advance(0.5)
        self.assertEqual(transport.state, "closing", "sent a byte every 9 s, then nothing for 10 s")


class RequestTimeoutTests(TestCase):
    """The whole request has ``request_timeout`` seconds, however busy its client is."""

    def test_client_that_trickles(self) -> None:
        """A client that sends a byte every second is disconnected at the deadline."""
        clock = Clock()
        channel, transport = connect(self, clock)
        for second in range(1, 60):
            trickle(channel, clock, b"x", 1)
            self.assertEqual(transport.state, "open", f"sent a byte every second for {second} s")
        clock.advance(1)
        self.assertEqual(transport.state, "closing", "sent a byte every second for 60 s")
        self.assertIn(transport.value()[:12], (b"", b"HTTP/1.0 408"))

    def test_request_that_is_just_in_time(self) -> None:
        """A request that is complete before the deadline is answered."""
        clock = Clock()
        channel, transport = connect(self, clock)
        trickle(channel, clock, GET, 2)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 200", f"sent {GET!r} in 56 s")


class HandlerTimeTests(TestCase):
    """While the handler works, it is not the client's turn."""

    def test_slow_handler(self) -> None:
        """A handler may take two hours. The client is not blamed for it."""
        for more in ((), (b"more", b"and more")):
            clock, handler = Clock(), Later()
            channel, transport = connect(self, clock, handler)
            trickle(channel, clock, GET, 2)
            transport.deliver(channel, *more)
            clock.pump([1] * 3600)
            clock.advance(3600)
            done = (transport.state, transport.value())
            message = f"sent {(GET, *more)!r}; the handler has not answered for two hours"
            self.assertEqual(done, ("open", b""), message)
            handler.answers[0].callback(Response(200, body=b"at last"))
            self.assertIn(b"at last", transport.value())


class CloseTimeoutTests(TestCase):
    """A client that does not read its answer is cut off after ``close_timeout`` seconds."""

    def test_client_that_does_not_read(self) -> None:
        """``loseConnection`` waits for it; ``abortConnection`` does not."""
        clock = Clock()
        channel, transport = connect(self, clock)
        channel.dataReceived(GET)
        transport.may_abort = True
        clock.advance(5)
        self.assertEqual(transport.state, "aborted", "the answer was not read for 5 s")

    def test_not_too_early(self) -> None:
        """Until then the connection is only being closed."""
        clock = Clock()
        channel, transport = connect(self, clock)
        channel.dataReceived(GET)
        clock.advance(4.5)
        self.assertEqual(transport.state, "closing", "the answer was not read for 4.5 s")

    def test_client_that_was_sent_away(self) -> None:
        """A client that sent nothing has as long to disconnect."""
        clock = Clock()
        _, transport = connect(self, clock)
        clock.advance(10)
        clock.advance(4.5)
        self.assertEqual(transport.state, "closing", "sent nothing for 14.5 s")
        transport.may_abort = True
        clock.advance(0.5)
        self.assertEqual(transport.state, "aborted", "sent nothing for 15 s")


class UsualTimeoutsTests(TestCase):
    """A server with no timeouts given has the defaults: 15, 60 and 15 seconds."""

    def connect(self) -> tuple[Clock, HTTPChannel, StrictTransport]:
        """Connect to a server that was given no timeouts."""
        clock = Clock()
        channel = HTTPFactory(hello, clock).buildProtocol(None)
        transport = StrictTransport(self)
        channel.makeConnection(transport)
        return clock, channel, transport

    def test_idle_timeout(self) -> None:
        """A client may be silent for 15 seconds."""
        clock, _, transport = self.connect()
        clock.advance(14.5)
        self.assertEqual(transport.state, "open", "sent nothing for 14.5 s")
        clock.advance(0.5)
        self.assertEqual(transport.state, "closing", "sent nothing for 15 s")

    def test_request_timeout(self) -> None:
        """It has 60 seconds for its request."""
        clock, channel, transport = self.connect()
        trickle(channel, clock, 59 * b"x", 1)
        self.assertEqual(transport.state, "open", "sent a byte every second for 59 s")
        clock.advance(1)
        self.assertEqual(transport.state, "closing", "sent a byte every second for 60 s")

    def test_close_timeout(self) -> None:
        """It has 15 seconds to read its answer."""
        clock, channel, transport = self.connect()
        channel.dataReceived(GET)
        clock.advance(14.5)
        self.assertEqual(transport.state, "closing", "the answer was not read for 14.5 s")
        transport.may_abort = True
        clock.advance(0.5)
        self.assertEqual(transport.state, "aborted", "the answer was not read for 15 s")


class CleanTests(TestCase):
    """A connection that is gone leaves no delayed call behind."""

    def test_nothing_is_left(self) -> None:
        """Wherever the connection was lost, no delayed call is left."""
        for sent, seconds in (
            (b"", 0),
            (GET[:10], 0),
            (GET, 0),  # the answer is written
            (BAD, 0),
            (b"", 10),  # the idle timeout is over
            (GET, 5),  # and so is the close timeout
        ):
            clock = Clock()
            channel, transport = connect(self, clock)
            transport.deliver(channel, sent)
            transport.may_abort = seconds == 5
            clock.advance(seconds)
            transport.lose(channel)
            left = clock.getDelayedCalls()
            self.assertEqual(left, [], f"sent {sent!r}, {seconds} s later the connection was lost")

    def test_while_the_handler_works(self) -> None:
        """Nor is one left when the request is complete and the answer is not ready."""
        clock = Clock()
        channel, transport = connect(self, clock, Later())
        channel.dataReceived(GET)
        transport.lose(channel)
        self.assertEqual(clock.getDelayedCalls(), [], "lost while the handler works")
