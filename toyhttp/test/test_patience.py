"""How long a channel waits: for its client, for its handler, for its answer to be read."""

from __future__ import annotations

from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from toyhttp.channel import Handler, HTTPChannel, HTTPFactory
from toyhttp.request import Request
from toyhttp.response import Response
from toyhttp.sending import PIECE

timeout = 5

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"


def hello(request: Request) -> Response:
    """Answer at once."""
    return Response(200, body=b"hello")


def connect(
    handler: Handler = hello, *chunks: bytes, **options: Any
) -> tuple[HTTPChannel, StringTransport, Clock]:
    """Connect a client that sends these chunks."""
    clock = Clock()
    channel = HTTPFactory(handler, clock, **options).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    for chunk in chunks:
        channel.dataReceived(chunk)
    return channel, transport, clock


class SlowClientTests(TestCase):
    """A client that is too slow."""

    def test_client_that_said_nothing(self) -> None:
        """A connection that was made in case it is needed is closed without a word."""
        _, transport, clock = connect(idle_timeout=10.0)
        clock.advance(10)
        self.assertEqual((transport.value(), transport.disconnecting), (b"", True))

    def test_half_a_request(self) -> None:
        """A client that began is told what went wrong (RFC 9110, 15.5.9)."""
        _, transport, clock = connect(hello, GET[:10], idle_timeout=10.0)
        clock.advance(10)
        came = transport.value()
        self.assertEqual(came[:29], b"HTTP/1.0 408 Request Timeout\r", f"came {came!r}")
        self.assertTrue(transport.disconnecting)

    def test_half_a_head(self) -> None:
        """There is no body in it if it was to be the answer to a HEAD (RFC 1945, 8.2)."""
        for sent in (b"HEAD /a", b"HEAD / HTTP/1.0\r\nContent-Length: 2\r\n\r\na"):
            _, transport, clock = connect(hello, sent, idle_timeout=10.0)
            clock.advance(10)
            head, _, body = transport.value().partition(b"\r\n\r\n")
            self.assertEqual((head[:12], body), (b"HTTP/1.0 408", b""), f"sent {sent!r}")

    def test_deadline_in_the_body(self) -> None:
        """The time for the request includes its body (RFC 1945, 7.2.2)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 100\r\n\r\n"
        channel, transport, clock = connect(hello, sent, idle_timeout=10.0, request_timeout=30.0)
        for _ in range(29):
            clock.advance(1)
            channel.dataReceived(b"x")
        self.assertEqual(transport.value(), b"")
        clock.advance(1)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 408")

    def test_deadline_before_the_idle_timeout(self) -> None:
        """The shorter of the two times counts."""
        _, transport, clock = connect(idle_timeout=100.0, request_timeout=10.0)
        clock.advance(10)
        self.assertTrue(transport.disconnecting)

    def test_timer_is_not_brought_forward(self) -> None:
        """A reactor that brings a call forward looks at all others: nine thousand take seconds."""
        forward = []
        reset = DelayedCall.reset

        def spy(call: DelayedCall, seconds: float) -> None:
            forward.append(clock.seconds() + seconds < call.getTime())
            reset(call, seconds)

        self.patch(DelayedCall, "reset", spy)
        for sent in (GET, b"bad\r\n\r\n", GET[:5]):
            channel, _, clock = connect(hello, idle_timeout=600.0, close_timeout=15.0)
            clock.advance(1)
            channel.dataReceived(sent)
            self.assertEqual(len(clock.getDelayedCalls()), 1, f"sent {sent!r}")
            clock.advance(600)
        self.assertNotIn(True, forward)

    def test_one_timer(self) -> None:
        """A connection has one delayed call, whatever it does: nine thousand have few."""
        channel, _, clock = connect()
        for byte in GET:
            self.assertEqual(len(clock.getDelayedCalls()), 1)
            channel.dataReceived(bytes([byte]))
        self.assertEqual(len(clock.getDelayedCalls()), 1)

    def test_timeout_of_nothing(self) -> None:
        """A timeout that no client could meet is a mistake of who sets it."""
        for name in ("idle_timeout", "request_timeout", "close_timeout"):
            for seconds in (0, -1.0, float("nan")):
                options: Any = {name: seconds}
                self.assertRaises(ValueError, HTTPFactory, hello, Clock(), **options)


class CoroutineTests(TestCase):
    """A handler may be an ``async def``."""

    def test_answer(self) -> None:
        """Its response is written when it returns."""
        ready: Deferred[bytes] = Deferred()

        async def handler(request: Request) -> Response:
            return Response(200, body=await ready)

        _, transport, _ = connect(handler, GET)
        self.assertEqual(transport.value(), b"")
        ready.callback(b"at last")
        self.assertEqual(transport.value()[-11:], b"\r\n\r\nat last")

    def test_answer_at_once(self) -> None:
        """It may return without waiting for anything."""

        async def handler(request: Request) -> Response:
            return Response(200, body=b"here")

        _, transport, _ = connect(handler, GET)
        self.assertEqual(transport.value()[-8:], b"\r\n\r\nhere")

    def test_failure(self) -> None:
        """What it raises is logged, and answered with 500."""

        async def handler(request: Request) -> Response:
            raise RuntimeError("secret")

        _, transport, _ = connect(handler, GET)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 500")

    def test_cancelled(self) -> None:
        """It is told when its client has gone, where it waits."""
        told: list[BaseException] = []

        async def handler(request: Request) -> Response:
            try:
                await Deferred()
            except CancelledError as error:
                told.append(error)
                raise
            return Response(200)

        channel, transport, clock = connect(handler, GET)
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(len(told), 1)
        self.assertEqual((transport.value(), clock.getDelayedCalls()), (b"", []))
        self.assertEqual(self.flushLoggedErrors(), [])


class PausedTests(TestCase):
    """A client that sent more than its request, and waits."""

    def test_it_is_looked_after(self) -> None:
        """Now and then its transport is resumed, to hear whether it has gone."""
        channel, transport, clock = connect(lambda request: Deferred(), GET, b"more")
        self.assertEqual(transport.producerState, "paused")
        for _ in range(3):
            clock.advance(15)
            self.assertEqual(transport.producerState, "producing")
            channel.dataReceived(b"and more")
            self.assertEqual(transport.producerState, "paused")

    def test_it_is_resumed_for_its_end(self) -> None:
        """A transport that reads nothing cannot close TLS (RFC 8446, 6.1)."""
        answer: Deferred[Response] = Deferred()
        _, transport, _ = connect(lambda request: answer, GET, b"more")
        answer.callback(Response(200))
        self.assertEqual((transport.producerState, transport.disconnecting), ("producing", True))

    def test_nothing_is_left(self) -> None:
        """It may go at any time."""
        channel, _, clock = connect(lambda request: Deferred(), GET, b"more")
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(clock.getDelayedCalls(), [])


class ReentrantTests(TestCase):
    """The connection is lost inside a call of the channel's own."""

    def test_canceller_that_raises(self) -> None:
        """What it raises is logged, and goes no further."""

        def canceller(answer: Deferred[Response]) -> None:
            raise RuntimeError("no")

        channel, _, clock = connect(lambda request: Deferred(canceller), GET)
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_lost_while_the_handler_is_called(self) -> None:
        """A handler that made its client go is cancelled like any other."""
        cancelled: list[Deferred[Response]] = []

        def handler(request: Request) -> Deferred[Response]:
            channel.connectionLost(Failure(ConnectionLost()))
            return Deferred(cancelled.append)

        channel, transport, clock = connect(handler)
        channel.dataReceived(GET)
        self.assertEqual((len(cancelled), transport.value()), (1, b""))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_lost_while_it_is_written_to(self) -> None:
        """No timer is started for a connection that went within ``write``."""
        for sent in (GET, b"G@T / HTTP/1.0\r\n\r\n"):
            channel, transport, clock = connect()
            self.patch(transport, "write", lambda data: channel.connectionLost())  # noqa: B023
            channel.dataReceived(sent)
            self.assertEqual(clock.getDelayedCalls(), [], f"sent {sent!r}")

    def test_transport_that_cannot_abort(self) -> None:
        """A terminal is closed in the only way that it has."""

        class Terminal:
            closed = 0

            def write(self, data: bytes) -> None:
                pass

            def loseConnection(self) -> None:
                self.closed += 1

        clock, terminal = Clock(), Terminal()
        channel = HTTPFactory(hello, clock).buildProtocol(None)
        channel.makeConnection(terminal)
        channel.dataReceived(GET)
        clock.advance(15)
        self.assertEqual(terminal.closed, 2)


class LargeAnswerTests(TestCase):
    """An answer that does not fit into the transport's buffers."""

    def test_piece_by_piece(self) -> None:
        """A piece is written when the transport asks for it, and the whole is the same."""
        body = bytes(range(256)) * 1024
        _, transport, _ = connect(lambda request: Response(200, body=body), GET)
        asked = 0
        while transport.producer is not None:
            self.assertEqual(len(transport.value()), asked * PIECE)
            self.assertFalse(transport.disconnecting)
            transport.producer.resumeProducing()
            asked += 1
        self.assertEqual(transport.value().partition(b"\r\n\r\n")[2], body)
        self.assertTrue(transport.disconnecting)

    def test_slow_reader(self) -> None:
        """A client that reads slowly, but reads, is not cut off."""
        body = 10 * PIECE * b"x"
        _, transport, clock = connect(lambda request: Response(200, body=body), GET)
        for _ in range(10):
            transport.producer.resumeProducing()
            clock.advance(14.9)
        self.assertFalse(transport.disconnected)

    def test_client_that_stops_reading(self) -> None:
        """One that has read a part, and no more, is cut off."""
        body = 10 * PIECE * b"x"
        _, transport, clock = connect(lambda request: Response(200, body=body), GET)
        transport.producer.resumeProducing()
        transport.producer.resumeProducing()
        clock.advance(15)
        self.assertTrue(transport.disconnected)

    def test_client_that_goes(self) -> None:
        """One that goes leaves nothing behind."""
        body = 10 * PIECE * b"x"
        channel, transport, clock = connect(lambda request: Response(200, body=body), GET)
        transport.producer.resumeProducing()
        transport.producer.stopProducing()
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(clock.getDelayedCalls(), [])
