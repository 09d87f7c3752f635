"""Stage 6: two hours in a millisecond.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage6``

``clock.advance(10)`` is one jump.  ``clock.pump([1] * 10)`` is ten small steps: a
call that is put off, or that calls itself again, sees each of them.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 100\r\n\r\n" + 100 * b"d"
BAD = b"G@T / HTTP/1.0\r\n\r\n"


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


def connect(clock: Clock, handler: Handler = hello) -> tuple[HTTPChannel, StringTransport]:
    """Do what a reactor does when a client connects, without a client."""
    factory = HTTPFactory(
        handler, clock, idle_timeout=10.0, request_timeout=60.0, close_timeout=5.0
    )
    channel = factory.buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    return channel, transport


class IdleTimeoutTests(TestCase):
    """A client that says nothing for ``idle_timeout`` seconds is sent away."""

    def test_silent_client(self) -> None:
        """It is closed when the time is over, without a word or with a 408."""
        clock = Clock()
        _, transport = connect(clock)
        clock.advance(10)
        self.assertTrue(transport.disconnecting, "sent nothing for 10 s")
        self.assertIn(transport.value()[:12], (b"", b"HTTP/1.0 408"))

    def test_not_too_early(self) -> None:
        """It is not closed before the time is over."""
        clock = Clock()
        _, transport = connect(clock)
        clock.advance(9.9)
        self.assertFalse(transport.disconnecting, "sent nothing for 9.9 s")

    def test_half_a_request(self) -> None:
        """Half a request does not help, and is not given to the handler."""
        clock, handler = Clock(), Later()
        channel, transport = connect(clock, handler)
        channel.dataReceived(GET[:-1])
        clock.advance(10)
        self.assertTrue(transport.disconnecting, f"sent {GET[:-1]!r}, then nothing for 10 s")
        self.assertEqual(handler.answers, [])

    def test_half_a_body(self) -> None:
        """Nor does a head whose body does not come (RFC 1945, 7.2.2)."""
        clock = Clock()
        channel, transport = connect(clock)
        channel.dataReceived(POST[:-1])
        clock.advance(10)
        self.assertTrue(transport.disconnecting, f"sent {POST[:-1]!r}, then nothing for 10 s")

    def test_each_byte_puts_it_off(self) -> None:
        """The time begins anew with whatever the client sends."""
        clock = Clock()
        channel, transport = connect(clock)
        for byte in (b"G", b"E", b"T"):
            clock.advance(9)
            channel.dataReceived(byte)
        clock.advance(9.9)
        self.assertFalse(transport.disconnecting, "sent a byte every 9 s")
        clock.advance(0.1)
        self.assertTrue(transport.disconnecting, "sent a byte every 9 s, then nothing for 10 s")

    def test_two_clients(self) -> None:
        """Each connection has its own time."""
        clock = Clock()
        _, one = connect(clock)
        clock.advance(5)
        _, other = connect(clock)
        clock.advance(5)
        self.assertEqual((one.disconnecting, other.disconnecting), (True, False))


class RequestTimeoutTests(TestCase):
    """The whole request has ``request_timeout`` seconds, however busy its client is."""

    def test_client_that_trickles(self) -> None:
        """A client that sends a byte every second is cut off at the deadline."""
        clock = Clock()
        channel, transport = connect(clock)
        for second in range(1, 60):
            clock.advance(1)
            channel.dataReceived(b"x")
            self.assertFalse(transport.disconnecting, f"after {second} s")
        clock.advance(1)
        self.assertTrue(transport.disconnecting, "sent a byte every second for 60 s")

    def test_body_that_trickles(self) -> None:
        """The body belongs to the request: it has no time of its own (RFC 1945, 7.2.2)."""
        clock = Clock()
        channel, transport = connect(clock)
        channel.dataReceived(POST[:-100])
        for _ in range(59):
            clock.advance(1)
            channel.dataReceived(b"d")
        self.assertFalse(transport.disconnecting, "sent a byte of the body every second, 59 s")
        clock.advance(1)
        self.assertTrue(transport.disconnecting, "sent a byte of the body every second, 60 s")

    def test_request_that_is_just_in_time(self) -> None:
        """A request that is complete before the deadline is answered."""
        clock = Clock()
        channel, transport = connect(clock)
        for i in range(len(GET)):
            clock.advance(2)
            channel.dataReceived(GET[i : i + 1])
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 200", f"sent {GET!r} in 56 s")

    def test_bytes_after_the_deadline(self) -> None:
        """What comes too late is not given to the handler, nor answered."""
        clock, handler = Clock(), Later()
        channel, transport = connect(clock, handler)
        for i in range(len(GET) - 1):
            clock.advance(2.5)
            channel.dataReceived(GET[i : i + 1])
        before = transport.value()
        channel.dataReceived(GET[-1:])
        came = (handler.answers, transport.value())
        self.assertEqual(came, ([], before), f"sent {GET!r} in 67.5 s")


class HandlerTimeTests(TestCase):
    """While the handler works, it is not the client's turn."""

    def test_slow_handler(self) -> None:
        """A handler may take two hours. The client is not blamed for it."""
        clock, handler = Clock(), Later()
        channel, transport = connect(clock, handler)
        channel.dataReceived(GET)
        channel.dataReceived(b"more")
        clock.pump([1] * 7200)
        self.assertFalse(transport.disconnecting, "the handler has not answered for two hours")
        handler.answers[0].callback(Response(200, body=b"at last"))
        self.assertIn(b"at last", transport.value())


class CloseTimeoutTests(TestCase):
    """A client that does not read its answer is cut off after ``close_timeout`` seconds."""

    def test_client_that_does_not_read(self) -> None:
        """``loseConnection`` waits for it; ``abortConnection`` does not."""
        clock = Clock()
        channel, transport = connect(clock)
        channel.dataReceived(GET)
        clock.advance(5)
        self.assertTrue(transport.disconnected, "the answer was not read for 5 s")

    def test_not_too_early(self) -> None:
        """Until then the connection is only being closed."""
        clock = Clock()
        channel, transport = connect(clock)
        channel.dataReceived(GET)
        clock.advance(4.9)
        self.assertEqual((transport.disconnecting, transport.disconnected), (True, False))

    def test_every_way_to_close(self) -> None:
        """However it came to the end: one time is running, and then it is cut off."""

        def broken(request: Request) -> Response:
            raise RuntimeError("oh")

        ways: dict[str, tuple[Handler, bytes, float]] = {
            "after the answer": (hello, GET, 0),
            "after a 400": (hello, BAD, 0),
            "after a 501": (hello, b"BREW / HTTP/1.0\r\n\r\n", 0),
            "after a 500": (broken, GET, 0),
            "after a failed Deferred": (lambda request: fail(RuntimeError("oh")), GET, 0),
            "after the idle timeout": (hello, b"", 10),
        }
        for name, (handler, sent, seconds) in ways.items():
            clock = Clock()
            channel, transport = connect(clock, handler)
            channel.dataReceived(sent)
            clock.advance(seconds)
            self.assertEqual(len(clock.getDelayedCalls()), 1, f"{name}: delayed calls")
            clock.advance(4.9)
            self.assertFalse(transport.disconnected, f"{name}: cut off before 5 s")
            channel.dataReceived(b"more")
            clock.advance(0.1)
            self.assertTrue(transport.disconnected, f"{name}: not cut off after 5 s")
        self.flushLoggedErrors(RuntimeError)


class UsualTimeoutsTests(TestCase):
    """A server that is told nothing has timeouts all the same."""

    def connect(self) -> tuple[Clock, HTTPChannel, StringTransport]:
        """Connect to a server that was not told any time."""
        clock = Clock()
        channel = HTTPFactory(hello, clock).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        return clock, channel, transport

    def test_idle_timeout(self) -> None:
        """A client may be silent for 15 seconds."""
        clock, _, transport = self.connect()
        clock.advance(14.9)
        self.assertFalse(transport.disconnecting, "sent nothing for 14.9 s")
        clock.advance(0.1)
        self.assertTrue(transport.disconnecting, "sent nothing for 15 s")

    def test_request_timeout(self) -> None:
        """It has 60 seconds for its request."""
        clock, channel, transport = self.connect()
        for _ in range(59):
            clock.advance(1)
            channel.dataReceived(b"x")
        self.assertFalse(transport.disconnecting, "sent a byte every second for 59 s")
        clock.advance(1)
        self.assertTrue(transport.disconnecting, "sent a byte every second for 60 s")

    def test_close_timeout(self) -> None:
        """It has 15 seconds to read its answer."""
        clock, channel, transport = self.connect()
        channel.dataReceived(GET)
        clock.advance(14.9)
        self.assertFalse(transport.disconnected, "the answer was not read for 14.9 s")
        clock.advance(0.1)
        self.assertTrue(transport.disconnected, "the answer was not read for 15 s")


class CleanTests(TestCase):
    """A connection that is gone leaves no delayed call behind."""

    def assert_clean(self, clock: Clock, channel: HTTPChannel, when: str) -> None:
        """Lose the connection, and assert that nothing is left to happen."""
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(clock.getDelayedCalls(), [], f"lost {when}")

    def test_before_the_request(self) -> None:
        """Lost before a byte has come."""
        clock = Clock()
        channel, _ = connect(clock)
        self.assert_clean(clock, channel, "before the request")

    def test_in_the_request(self) -> None:
        """Lost when half of the request has come."""
        clock = Clock()
        channel, _ = connect(clock)
        channel.dataReceived(GET[:10])
        self.assert_clean(clock, channel, f"after {GET[:10]!r}")

    def test_while_the_handler_works(self) -> None:
        """Lost when the request is complete and the answer is not there."""
        clock = Clock()
        channel, _ = connect(clock, Later())
        channel.dataReceived(GET)
        self.assert_clean(clock, channel, "while the handler works")

    def test_after_the_answer(self) -> None:
        """Lost when all is done, as it should be."""
        clock = Clock()
        channel, _ = connect(clock)
        channel.dataReceived(GET)
        self.assert_clean(clock, channel, "after the answer")

    def test_after_a_timeout(self) -> None:
        """Lost because it was closed."""
        clock = Clock()
        channel, _ = connect(clock)
        clock.advance(10)
        self.assert_clean(clock, channel, "after the idle timeout")

    def test_after_it_was_cut_off(self) -> None:
        """Lost because it was aborted."""
        clock = Clock()
        channel, _ = connect(clock)
        channel.dataReceived(GET)
        clock.advance(5)
        self.assert_clean(clock, channel, "after the close timeout")
