"""Bodies that are read when they are sent: piece by piece, and closed whatever happens."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from toyhttp.channel import Handler, HTTPChannel, HTTPFactory
from toyhttp.request import Request
from toyhttp.response import Response, render_response
from toyhttp.sending import PIECE, SMALL

timeout = 5

GET = b"GET /a HTTP/1.0\r\n\r\n"
KEEP = b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
LARGE = bytes(range(256)) * 4096  # a megabyte


class FakeBody:
    """A body that remembers how it was used.

    :param data: what it gives.
    :param size: what it says to have; without it, what it has.
    :param most: how many bytes it gives at most, whatever is asked for.
    """

    def __init__(self, data: bytes, size: int | None = None, most: int = 1 << 30) -> None:
        self.data = data
        self.size = len(data) if size is None else size
        self.most = most
        self.asked: list[int] = []
        self.closed = 0

    def read(self, limit: int) -> bytes:
        """Return the next bytes."""
        self.asked.append(limit)
        size = min(limit, self.most)
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class UnreadableBody(FakeBody):
    """A body on a disk that fails."""

    def read(self, limit: int) -> bytes:
        """Fail at the second time."""
        if self.asked:
            raise OSError(5, "Input/output error")
        return super().read(min(limit, 100))


class GreedyBody(FakeBody):
    """A body that gives more than it is asked for."""

    def read(self, limit: int) -> bytes:
        """Return one byte more."""
        return super().read(limit + 1)


class StreamTestCase(TestCase):
    """One connection."""

    def connect(
        self, handler: Handler, *chunks: bytes, **options: Any
    ) -> tuple[HTTPChannel, Any, Clock]:
        """Connect a client that sends these chunks."""
        clock = Clock()
        channel = HTTPFactory(handler, clock, **options).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        for chunk in chunks:
            channel.dataReceived(chunk)
        return channel, transport, clock

    def send(self, body: Any, sent: bytes = GET, status: int = 200) -> tuple[HTTPChannel, Any]:
        """Connect a client that sends this, and is answered with the body."""
        channel, transport, _ = self.connect(lambda request: Response(status, body=body), sent)
        return channel, transport

    def read_all(self, transport: Any) -> bytes:
        """Be a client that reads all; return the body that came."""
        while transport.producer is not None:
            transport.producer.resumeProducing()
        body: bytes = transport.value().partition(b"\r\n\r\n")[2]
        return body


class SentTests(StreamTestCase):
    """A body that is what it says."""

    def test_large(self) -> None:
        """A piece is read and written when the transport asks for it, and not before."""
        body = FakeBody(LARGE)
        _, transport = self.send(body)
        self.assertEqual((transport.streaming, body.asked), (False, []))
        for asked in range(1, 5):
            transport.producer.resumeProducing()
            self.assertEqual(len(transport.value()), asked * PIECE)
        self.assertEqual((body.closed, transport.disconnecting), (0, False))
        self.assertEqual(self.read_all(transport), LARGE)
        self.assertEqual((body.closed, transport.disconnecting), (1, True))
        self.assertIn(b"\r\nContent-Length: 1048576\r\n", transport.value())
        self.assertLessEqual(max(body.asked), PIECE)

    def test_small(self) -> None:
        """Head and body of up to 64 KiB are one write, without a producer."""
        head = len(render_response(Response(200), 0.0, server=b"toyhttp")) + 4
        for size in (0, 1, SMALL - head - 100, SMALL - head - 4):
            body = FakeBody(size * b"x", most=10_000)
            writes: list[bytes] = []
            self.patch(StringTransport, "write", lambda _, data: writes.append(data))  # noqa: B023
            _, transport = self.send(body)
            self.assertEqual((len(writes), transport.producer), (1, None), f"{size} bytes")
            self.assertEqual(writes[0].partition(b"\r\n\r\n")[2], size * b"x")
            self.assertEqual((body.closed, transport.disconnecting), (1, True))

    def test_every_size(self) -> None:
        """Where pieces begin nothing is lost or sent twice (RFC 1945, 7.2.2)."""
        for size in range(SMALL - 200, SMALL + 10, 7):
            data = LARGE[:size]
            for body in (data, FakeBody(data)):
                _, transport = self.send(body)
                self.assertEqual(self.read_all(transport), data, f"{size} bytes")

    def test_body_that_gives_little(self) -> None:
        """It may give less than it is asked for; a piece is filled all the same."""
        body = FakeBody(LARGE, most=1000)
        _, transport = self.send(body)
        transport.producer.resumeProducing()
        self.assertEqual(len(transport.value()), PIECE)
        self.assertEqual(self.read_all(transport), LARGE)

    def test_simple_request(self) -> None:
        """HTTP/0.9 gets the body alone, of bytes and of a file (RFC 1945, 6)."""
        for data in (LARGE, b"abc"):
            for body in (data, FakeBody(data)):
                _, transport = self.send(body, b"GET /a\r\n")
                self.read_all(transport)
                self.assertEqual(transport.value(), data)

    def test_next_answer(self) -> None:
        """On a connection that is kept the next answers follow (RFC 2068, 19.7.1)."""
        bodies = [FakeBody(LARGE), FakeBody(b"abc"), FakeBody(LARGE), FakeBody(b"")]
        waiting = list(bodies)
        _, transport, clock = self.connect(
            lambda request: Response(200, body=waiting.pop(0)), 4 * KEEP
        )
        asked = 0
        while transport.producer is not None:
            transport.producer.resumeProducing()
            asked += 1
            self.assertLess(asked, 50)
        self.assertEqual(transport.value().count(LARGE), 2)
        self.assertEqual(transport.value().count(b"HTTP/1.0 200"), 4)
        self.assertEqual([body.closed for body in bodies], [1, 1, 1, 1])
        self.assertFalse(transport.disconnecting)
        clock.advance(15)
        self.assertTrue(transport.disconnecting)

    def test_nothing_is_asked_meanwhile(self) -> None:
        """While a large body is sent no other file is opened."""
        opened: list[FakeBody] = []

        def handler(request: Request) -> Response:
            opened.append(FakeBody(LARGE))
            return Response(200, body=opened[-1])

        channel, transport, _ = self.connect(handler, 3 * KEEP)
        channel.dataReceived(KEEP)
        self.assertEqual((len(opened), transport.producerState), (1, "paused"))

    def test_no_body_is_wanted(self) -> None:
        """For HEAD, 204 and 304 it is closed, and not read (RFC 1945, 7.2)."""
        for sent, status in (
            (b"HEAD /a HTTP/1.0\r\n\r\n", 200),
            (GET, 204),
            (GET, 304),
            (b"GET /a\r\n", 304),
        ):
            body = FakeBody(LARGE)
            _, transport = self.send(body, sent, status)
            self.assertEqual((body.closed, body.asked), (1, []), f"sent {sent!r}, {status}")
            self.assertEqual(transport.value().partition(b"\r\n\r\n")[2], b"")
            length = transport.value().count(b"\r\nContent-Length: 1048576\r\n")
            self.assertEqual(length, int(status == 200), f"sent {sent!r}, {status}")

    def test_rendered(self) -> None:
        """Of a body that is no bytes the head is rendered, with its length (RFC 1945, 10.4)."""
        came = render_response(Response(200, body=FakeBody(LARGE)), 0.0)
        self.assertTrue(came.endswith(b"\r\nContent-Length: 1048576\r\n\r\n"), f"came {came!r}")

    def test_what_is_no_body(self) -> None:
        """What has no size is a mistake of the handler, which is closed nevertheless."""
        for size in ("3", None, -1):
            body = FakeBody(b"abc")
            body.size = size  # type: ignore[assignment]
            _, transport = self.send(body)
            self.assertEqual(transport.value()[:12], b"HTTP/1.0 500", f"size {size!r}")
            self.assertEqual(body.closed, 1)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 3)

    def test_head_that_cannot_be_rendered(self) -> None:
        """The body of a response that is not sent is closed."""
        body = FakeBody(LARGE)
        _, transport = self.send(body, status=99)
        self.assertEqual((transport.value()[:12], body.closed), (b"HTTP/1.0 500", 1))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_close_that_fails(self) -> None:
        """What ``close`` raises is logged, and harms nobody."""

        class Unclosable(FakeBody):
            def close(self) -> None:
                raise RuntimeError("no")

        for size, sent in ((3, GET), (len(LARGE), GET), (3, b"HEAD / HTTP/1.0\r\n\r\n")):
            _, transport = self.send(Unclosable(LARGE[:size]), sent)
            self.read_all(transport)
            self.assertTrue(transport.disconnecting)
            self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class BrokenOffTests(StreamTestCase):
    """A body that is not what it said: only a broken connection tells the client."""

    def assert_broken_off(self, body: FakeBody, most: int) -> None:
        """See that the connection is aborted, the body closed and a warning logged."""
        events: list[Any] = []
        publisher: Any = globalLogPublisher
        publisher.addObserver(events.append)
        self.addCleanup(publisher.removeObserver, events.append)
        told: list[Any] = []
        channel, transport, clock = self.connect(
            lambda request: Response(200, body=body), 2 * KEEP, log=lambda *all: told.append(all)
        )
        sent = self.read_all(transport)
        self.assertTrue(transport.disconnected, "it is not aborted")
        self.assertLessEqual(len(sent), most)
        self.assertEqual(sent, LARGE[: len(sent)])
        self.assertEqual(body.closed, 1)
        self.assertEqual([event["log_level"] for event in events], [LogLevel.warn])
        self.assertEqual([status for _, _, status, _ in told], [200])
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual((body.closed, len(told), clock.getDelayedCalls()), (1, 1, []))

    def test_file_that_shrank(self) -> None:
        """It has fewer bytes than it said (RFC 1945, 7.2.2)."""
        for size in (0, 10, PIECE, 2 * PIECE + 5):
            self.assert_broken_off(FakeBody(LARGE[:size], size=3 * PIECE), most=size)
        self.assert_broken_off(FakeBody(LARGE[:10], size=11), most=0)

    def test_file_that_cannot_be_read(self) -> None:
        """Its disk fails."""
        for size in (1000, len(LARGE)):
            self.assert_broken_off(UnreadableBody(LARGE[:size]), most=PIECE)

    def test_body_that_gives_too_much(self) -> None:
        """It gives more than it was asked for: never more than it said (RFC 1945, 7.2.2)."""
        self.assert_broken_off(GreedyBody(LARGE, size=2 * PIECE), most=0)

    def test_file_that_grew(self) -> None:
        """Nothing is read behind what was said (RFC 1945, 7.2.2)."""
        for size in (10, 2 * PIECE):
            body = FakeBody(LARGE, size=size)
            _, transport = self.send(body)
            self.assertEqual(self.read_all(transport), LARGE[:size])
            self.assertEqual((len(body.data), body.closed), (len(LARGE) - size, 1))

    def test_mistake_in_read(self) -> None:
        """What else ``read`` raises is a mistake, and logged as one."""

        class Broken(FakeBody):
            def read(self, limit: int) -> bytes:
                raise RuntimeError("secret")

        for size in (3, len(LARGE)):
            body = Broken(LARGE[:size])
            _, transport = self.send(body)
            self.read_all(transport)
            self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
            self.assertEqual((transport.disconnected, body.closed), (True, 1))
            self.assertNotIn(b"secret", transport.value())


class LostTests(StreamTestCase):
    """The connection is lost, and nobody will read the rest."""

    def test_while_it_is_sent(self) -> None:
        """The body is closed, in whichever order the transport tells."""
        for producer_first in (True, False, None):
            for pieces in range(3):
                body = FakeBody(LARGE)
                told: list[Any] = []
                channel, transport, clock = self.connect(
                    lambda request: Response(200, body=body),  # noqa: B023
                    GET,
                    log=lambda *all: told.append(all),  # noqa: B023
                )
                producer = transport.producer
                for _ in range(pieces):
                    producer.resumeProducing()
                if producer_first:
                    producer.stopProducing()
                channel.connectionLost(Failure(ConnectionLost()))
                if producer_first is False:
                    producer.stopProducing()
                before = transport.value()
                producer.resumeProducing()
                self.assertEqual((body.closed, clock.getDelayedCalls()), (1, []))
                self.assertEqual(transport.value(), before)
                body_sent = max(len(before) - before.find(b"\r\n\r\n") - 4, 0) if before else 0
                self.assertEqual([size for _, _, _, size in told], [body_sent])

    def test_while_it_is_written_to(self) -> None:
        """Some transports lose the connection before ``write`` returns."""
        for size in (3, len(LARGE)):
            body = FakeBody(LARGE[:size])
            channel, transport, clock = self.connect(lambda request: Response(200, body=body))  # noqa: B023
            self.patch(transport, "write", lambda data: channel.connectionLost())  # noqa: B023
            channel.dataReceived(GET)
            if transport.producer is not None:
                transport.producer.resumeProducing()
            self.assertEqual((body.closed, clock.getDelayedCalls()), (1, []), f"{size} bytes")

    def test_before_it_is_there(self) -> None:
        """A body that comes too late is closed at once."""
        body = FakeBody(LARGE)
        response = Response(200, body=body)
        answer: Deferred[Response] = Deferred(lambda answer: answer.callback(response))
        channel, transport, _ = self.connect(lambda request: answer, GET)
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual((body.closed, transport.value()), (1, b""))

    def test_while_the_handler_is_called(self) -> None:
        """So is one that the handler returns when its client has gone."""
        body = FakeBody(LARGE)

        def handler(request: Request) -> Response:
            channel.connectionLost(Failure(ConnectionLost()))
            return Response(200, body=body)

        channel, transport, _ = self.connect(handler)
        channel.dataReceived(GET)
        self.assertEqual((body.closed, transport.value()), (1, b""))

    def test_while_it_waits_for_others(self) -> None:
        """And those that wait until the answers before them are there."""
        bodies = [FakeBody(LARGE), FakeBody(b"abc")]
        answers: list[Any] = [Deferred(), *(Response(200, body=body) for body in bodies)]
        channel, transport, clock = self.connect(lambda request: answers.pop(0), 3 * KEEP)
        self.assertEqual(answers, [])
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual([body.closed for body in bodies], [1, 1])
        self.assertEqual((transport.value(), clock.getDelayedCalls()), (b"", []))

    def test_client_that_stops_reading(self) -> None:
        """One that reads nothing for so long is cut off; one that reads slowly is not."""
        body = FakeBody(LARGE)
        _, transport, clock = self.connect(
            lambda request: Response(200, body=body), KEEP, close_timeout=5.0
        )
        for _ in range(4):
            transport.producer.resumeProducing()
            clock.advance(4.9)
        self.assertFalse(transport.disconnected)
        clock.advance(0.1)
        self.assertTrue(transport.disconnected)
