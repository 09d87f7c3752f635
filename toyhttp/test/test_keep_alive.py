"""Several requests on one connection: which are answered, when, and in which order."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import ISSLTransport, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import alsoProvides

from toyhttp.channel import AT_ONCE, LINGER, SPARE, TURN, HTTPChannel, HTTPFactory
from toyhttp.request import Request, asks_for_keep_alive
from toyhttp.response import Response
from toyhttp.sending import PIECE, SMALL

from .deliveries import cut, cuts, kept_streams, one_by_one, property_settings

timeout = 5


def get(target: str, *fields: str, method: str = "GET", body: str = "") -> bytes:
    """Return the bytes of a request that asks for keep-alive."""
    lines = [f"{method} {target} HTTP/1.0", "Connection: keep-alive", *fields, "", body]
    return "\r\n".join(lines).encode()


def post(target: str, body: str = "data") -> bytes:
    """Return the bytes of a POST that asks for keep-alive."""
    return get(target, f"Content-Length: {len(body)}", method="POST", body=body)


def show(request: Request) -> Response:
    """Answer with the target."""
    return Response(200, body=b"<" + request.target + b">")


def same(response: Response, request: Request) -> Response:
    """Answer with this."""
    return response


class Later:
    """A handler that keeps the Deferreds that it returned, by the target."""

    def __init__(self) -> None:
        self.asked: dict[str, Deferred[Response]] = {}
        self.cancelled: list[str] = []

    def __call__(self, request: Request) -> Deferred[Response]:
        target = request.target.decode()
        self.asked[target] = Deferred(lambda _: self.cancelled.append(target))
        return self.asked[target]

    def answer(self, *targets: str) -> None:
        """Fire these Deferreds."""
        for target in targets:
            self.asked[target].callback(Response(200, body=f"<{target}>".encode()))


class BusyTransport(StringTransport):
    """A transport that has enough to send after so many bytes, as a socket has."""

    def __init__(self, limit: int = SMALL) -> None:
        super().__init__()
        self.limit = limit
        self.unsent = 0
        self.closed: list[str] = []

    def write(self, data: bytes) -> None:
        """Ask a push producer to pause, within the call, as a socket does."""
        super().write(data)
        self.unsent += len(data)
        if self.producer is not None and self.streaming and self.unsent > self.limit:
            self.producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Ask a pull producer for its first piece at once, as a socket does."""
        super().registerProducer(producer, streaming)
        if not streaming:
            producer.resumeProducing()

    def drain(self) -> None:
        """Do what a socket does when its client has read all."""
        self.unsent = 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def loseWriteConnection(self) -> None:
        """Record it."""
        self.closed.append("half")


class KeepAliveTestCase(TestCase):
    """One connection."""

    def connect(
        self,
        handler: Callable[[Request], Any] = show,
        transport: StringTransport | None = None,
        **options: Any,
    ) -> None:
        """Do what a reactor does when a client connects."""
        self.clock = Clock()
        self.factory = HTTPFactory(handler, self.clock, **options)
        self.channel = self.factory.buildProtocol(None)
        self.transport: Any = transport or StringTransport()
        self.channel.makeConnection(self.transport)

    def statuses(self) -> list[bytes]:
        """Return the statuses of all that was written."""
        return re.findall(rb"HTTP/1.0 (\d+)", self.transport.value())

    def bodies(self) -> list[str]:
        """Return the bodies that ``show`` and ``Later`` made of all that was written."""
        return [body.decode() for body in re.findall(rb"<([^>]*)>", self.transport.value())]

    def assert_nothing_left(self) -> None:
        """Lose the connection; see that nothing is written, logged or left to happen."""
        before = self.transport.value()
        self.channel.connectionLost(Failure(ConnectionLost()))
        gc.collect()
        self.assertEqual(self.transport.value(), before)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.factory.channels, set())
        self.assertEqual(self.flushLoggedErrors(), [])


class AskingTests(TestCase):
    """Who asks for keep-alive."""

    def test_words(self) -> None:
        """The word counts, wherever it is in the list, and in any case (RFC 2068, 19.7.1)."""
        for value, expected in (
            (b"keep-alive", True),
            (b"Keep-Alive", True),
            (b"TE,\tkeep-alive ,x", True),
            (b"keep-alive, close", False),
            (b"CLOSE,Keep-Alive", False),
            (b"close", False),
            (b"", False),
            (b"keep-alives", False),
            (b"keep alive", False),
            (b"keep-alive;timeout=5", False),
        ):
            for version in ((1, 0), (1, 1)):
                request = Request(b"GET", b"/", version, ((b"CONNECTION", value),))
                self.assertEqual(asks_for_keep_alive(request), expected, f"{value!r}")

    def test_other_fields(self) -> None:
        """No other field asks for it, and nothing does in HTTP/0.9 (RFC 9112, C.2.2)."""
        for name in (b"Keep-Alive", b"Proxy-Connection"):
            request = Request(b"GET", b"/", (1, 0), ((name, b"keep-alive"),))
            self.assertFalse(asks_for_keep_alive(request))
        simple = Request(b"GET", b"/", (0, 9), ((b"Connection", b"keep-alive"),))
        self.assertFalse(asks_for_keep_alive(simple))

    def test_two_fields(self) -> None:
        """Two fields are one list (RFC 1945, 4.2)."""
        fields = ((b"Connection", b"keep-alive"), (b"connection", b"close"))
        self.assertFalse(asks_for_keep_alive(Request(b"GET", b"/", (1, 0), fields)))


class PipelineTests(KeepAliveTestCase):
    """Requests that come before the answers have gone."""

    def test_post_waits_for_those_before_it(self) -> None:
        """What may change something is alone with the handler (RFC 9112, 9.3.2)."""
        handler = Later()
        self.connect(handler)
        self.channel.dataReceived(get("/a") + get("/b") + post("/c") + get("/d") + get("/e"))
        asked = [list(handler.asked)]
        for target in ("/b", "/a", "/c", "/e", "/d"):
            handler.answer(target)
            asked.append(list(handler.asked))
        ab, abc, all_five = ["/a", "/b"], ["/a", "/b", "/c"], ["/a", "/b", "/c", "/d", "/e"]
        self.assertEqual(asked, [ab, ab, abc, all_five, all_five, all_five])
        self.assertEqual(self.bodies(), all_five)
        self.assert_nothing_left()

    def test_lost_while_a_post_waits(self) -> None:
        """It is never asked about."""
        handler = Later()
        self.connect(handler)
        self.channel.dataReceived(get("/a") + post("/b"))
        self.assert_nothing_left()
        self.assertEqual((list(handler.asked), handler.cancelled), (["/a"], ["/a"]))

    def test_too_many_are_not_kept(self) -> None:
        """Of a client that sends without end no more than the limits is kept (RFC 9112, 9.3.2)."""
        handler = Later()
        self.connect(handler, max_body=100_000)
        request = get("/a")
        for _ in range(AT_ONCE):
            self.channel.dataReceived(request)
        chunk, kept = (1 << 16) // len(request) * request, 0
        for _ in range(100):
            if self.transport.producerState == "producing":
                self.channel.dataReceived(chunk)
                kept += len(chunk)
            self.clock.advance(15)
        self.assertLess(kept, 200_000)
        self.assertEqual(len(handler.cancelled), 0)
        self.assert_nothing_left()

    def test_line_end_between_requests(self) -> None:
        """A line end behind a body is none of the next request (RFC 9112, 2.2)."""
        self.connect()
        self.channel.dataReceived(post("/a") + b"\r\n" + get("/b") + b"\n" + get("/c"))
        self.assertEqual(self.bodies(), ["/a", "/b", "/c"])
        self.channel.dataReceived(b"\r\n")
        self.transport.clear()
        self.clock.advance(15)
        self.assertEqual((self.transport.value(), self.transport.disconnecting), (b"", True))

    def test_bad_request_lingers_behind_the_others(self) -> None:
        """The refusal comes in its turn, and only then the half is closed (RFC 1945, 9.4)."""
        handler = Later()
        transport = BusyTransport()
        alsoProvides(transport, ITCPTransport)
        self.connect(handler, transport)
        self.channel.dataReceived(get("/a") + b"G@T / HTTP/1.0\r\n\r\n" + get("/b"))
        self.assertEqual((self.transport.value(), transport.closed), (b"", []))
        handler.answer("/a")
        self.assertEqual((self.statuses(), transport.closed), ([b"200", b"400"], ["half"]))
        self.channel.dataReceived(get("/c"))
        self.clock.advance(LINGER)
        self.assertEqual((list(handler.asked), transport.disconnected), (["/a"], True))
        self.assert_nothing_left()

    def test_mistake_in_its_place(self) -> None:
        """A response that cannot be rendered is a 500, and the connection goes on."""
        responses: list[Any] = [Response(200), None, Response(99), Response(200)]
        self.connect(lambda request: responses.pop(0))
        self.channel.dataReceived(4 * get("/a"))
        self.assertEqual(self.statuses(), [b"200", b"500", b"500", b"200"])
        self.assertEqual(self.transport.value().count(b"\r\nConnection: keep-alive\r\n"), 4)
        self.assertFalse(self.transport.disconnecting)
        self.assertEqual(len(self.flushLoggedErrors()), 2)

    def test_simple_request_is_the_last(self) -> None:
        """A Simple-Request ends the connection, as it ends without a length (RFC 1945, 6)."""
        self.connect()
        self.channel.dataReceived(get("/a") + b"GET /b\r\n" + get("/c"))
        self.assertEqual(self.bodies(), ["/a", "/b"])
        self.assertTrue(self.transport.disconnecting)

    def test_handler_that_calls_back(self) -> None:
        """A handler may answer another request, or bring more bytes, while it is asked."""
        later: list[Deferred[Response]] = []

        def handler(request: Request) -> Deferred[Response]:
            later.append(Deferred())
            if len(later) == 2:
                later[0].callback(show(request))
                self.channel.dataReceived(get("/c"))
            return later[-1]

        self.connect(handler)
        self.channel.dataReceived(get("/a") + get("/b"))
        self.assertEqual((len(later), self.bodies()), (3, ["/b"]))
        self.assert_nothing_left_of(later)

    def assert_nothing_left_of(self, later: list[Deferred[Response]]) -> None:
        """Assert the same, and that nobody waits for the Deferreds."""
        self.assert_nothing_left()
        for deferred in later[1:]:
            self.assertTrue(deferred.called)


class TimeTests(KeepAliveTestCase):
    """How long a client may take between its requests."""

    def test_slow_second_request(self) -> None:
        """It is told what went wrong, as with its first one (RFC 9110, 15.5.9)."""
        self.connect()
        self.channel.dataReceived(get("/a") + b"GET /b HT")
        self.clock.advance(14.9)
        self.assertEqual(self.statuses(), [b"200"])
        self.clock.advance(0.1)
        self.assertEqual((self.statuses(), self.transport.disconnecting), ([b"200", b"408"], True))

    def test_time_begins_with_the_answer(self) -> None:
        """What came of the next request while the handler worked has all its time."""
        handler = Later()
        self.connect(handler)
        self.channel.dataReceived(get("/a") + b"GET /b HT")
        self.clock.advance(7200)
        handler.answer("/a")
        self.clock.advance(14.9)
        self.assertEqual(self.statuses(), [b"200"])
        self.clock.advance(0.1)
        self.assertEqual(self.statuses(), [b"200", b"408"])

    def test_one_timer(self) -> None:
        """However many requests: one delayed call, and none while the handler works."""
        handler = Later()
        self.connect(handler)
        for target in ("/a", "/b"):
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
            self.channel.dataReceived(get(target))
            self.assertEqual(self.clock.getDelayedCalls(), [])
            handler.answer(target)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assert_nothing_left()


class UnreadTests(KeepAliveTestCase):
    """A client that does not read its answers."""

    def test_no_more_than_it_reads(self) -> None:
        """It sends 64 MB of requests; what waits to be sent stays small (RFC 9112, 9.3.2)."""
        asked = 0

        def handler(request: Request) -> Response:
            nonlocal asked
            asked += 1
            return Response(200, body=1000 * b"x")

        transport = BusyTransport()
        self.connect(handler, transport)
        request = get("/a")
        chunk = (1 << 16) // len(request) * request
        for _ in range(1000):
            if transport.producerState == "producing":
                self.channel.dataReceived(chunk)
        self.assertLess(transport.unsent, 4 * SMALL)
        self.assertEqual(transport.producerState, "paused")
        before = asked
        transport.drain()
        self.assertGreater(asked, before)
        self.assertLess(transport.unsent, 4 * SMALL)
        while transport.producer is not None:
            transport.drain()
        self.assertEqual((asked, transport.producerState), (chunk.count(b"\n\r\n"), "producing"))
        self.assert_nothing_left()

    def test_one_request_for_each_chunk(self) -> None:
        """It does not matter how they are cut."""
        transport = BusyTransport()
        self.connect(lambda request: Response(200, body=1000 * b"x"), transport)
        for _ in range(1000):
            if transport.producerState == "producing":
                self.channel.dataReceived(get("/a"))
        self.assertLess(transport.unsent, 4 * SMALL)
        self.assertEqual(transport.producerState, "paused")

    def test_large_answers(self) -> None:
        """However large they are: no more than two pieces wait to be sent (RFC 9112, 9.3.2)."""
        for size in (SMALL, 100_000, PIECE - 1000, PIECE, 2 * PIECE):
            transport = BusyTransport()
            data = size * b"x"
            self.connect(partial(same, Response(200, body=data)), transport)
            for _ in range(100):
                if transport.producerState == "producing":
                    self.channel.dataReceived(get("/a"))
            self.assertLessEqual(transport.unsent, 2 * PIECE, f"answers of {size} bytes")
            self.assertEqual(transport.producerState, "paused")
            for _ in range(5 * AT_ONCE):
                self.assertLessEqual(transport.unsent, 2 * PIECE, f"answers of {size} bytes")
                transport.drain()
            self.assertEqual(
                transport.value().count(data), transport.value().count(b"HTTP/1.0 200")
            )
            self.assertEqual(transport.producerState, "producing")
            self.assert_nothing_left()

    def test_it_is_cut_off(self) -> None:
        """When it has read nothing for so long, it is dropped."""
        transport = BusyTransport(limit=100)
        self.connect(lambda request: Response(200, body=SMALL * b"x"), transport, close_timeout=5.0)
        self.channel.dataReceived(9 * get("/a"))
        self.clock.advance(4.9)
        transport.drain()
        self.clock.advance(4.9)
        self.assertFalse(transport.disconnected)
        self.clock.advance(0.1)
        self.assertTrue(transport.disconnected)
        self.assert_nothing_left()

    def test_it_reads_at_last(self) -> None:
        """Then its time for the next request begins."""
        transport = BusyTransport(limit=100)
        self.connect(lambda request: Response(200, body=(SMALL - 500) * b"x"), transport)
        self.channel.dataReceived(2 * get("/a"))
        self.clock.advance(14)
        transport.drain()
        self.assertIsNone(transport.producer)
        self.clock.advance(14.9)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(0.1)
        self.assertTrue(transport.disconnecting)

    def test_tls(self) -> None:
        """TLS may have enough only after it was written to; it is listened to as well."""
        transport = BusyTransport(limit=1 << 30)
        alsoProvides(transport, ISSLTransport)
        self.connect(lambda request: Response(200, body=30_000 * b"x"), transport)
        self.channel.dataReceived(3 * get("/a"))
        self.assertIs(transport.producer, self.channel)
        transport.producer.pauseProducing()
        before = transport.value()
        self.channel.dataReceived(get("/a"))
        self.assertEqual(transport.value(), before)
        transport.drain()
        self.assertNotEqual(transport.value(), before)
        self.channel.dataReceived(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((transport.producer, transport.disconnecting), (None, True))


class HalfClosedTests(KeepAliveTestCase):
    """A client that has closed its half."""

    def test_all_is_answered(self) -> None:
        """All that it had asked for is answered, and then it is closed (RFC 1945, 1.3)."""
        handler = Later()
        self.connect(handler)
        targets = [f"/{number}" for number in range(20)]
        self.channel.dataReceived(b"".join(map(get, targets)) + b"GET /half")
        self.channel.readConnectionLost()
        for target in targets:
            self.assertFalse(self.transport.disconnecting)
            handler.answer(target)
        self.assertEqual(self.bodies(), targets)
        self.assertTrue(self.transport.disconnecting)
        self.assert_nothing_left()

    def test_idle(self) -> None:
        """Between two requests it is closed at once."""
        self.connect()
        self.channel.dataReceived(get("/a"))
        self.channel.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)

    def test_half_a_request(self) -> None:
        """Half a request is not answered (RFC 1945, 1.3)."""
        self.connect()
        self.channel.dataReceived(get("/a")[:-1])
        self.channel.readConnectionLost()
        self.assertEqual((self.transport.value(), self.transport.disconnecting), (b"", True))

    def test_not_for_ever(self) -> None:
        """It may have gone; so the handler has as much time as a request has."""
        handler = Later()
        self.connect(handler, request_timeout=30.0)
        self.channel.dataReceived(get("/a"))
        self.channel.readConnectionLost()
        self.clock.advance(29.9)
        self.assertFalse(self.transport.disconnected)
        self.clock.advance(0.1)
        self.assertTrue(self.transport.disconnected)
        self.assert_nothing_left()
        self.assertEqual(handler.cancelled, ["/a"])


class TurnTests(KeepAliveTestCase):
    """Many requests at once do not keep others waiting."""

    def work(self, request: Request) -> Response:
        """Answer, and take so much time for it."""
        self.clock.rightNow += 0.6 * TURN
        return show(request)

    def test_others_have_their_turn(self) -> None:
        """After some work the reactor comes first; then it goes on."""
        self.connect(self.work)
        targets = [f"/{number}" for number in range(7)]
        self.channel.dataReceived(b"".join(get(target) for target in targets))
        self.assertEqual(self.bodies(), targets[:1])
        (call,) = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), self.clock.seconds(), "it goes on as soon as it can")
        self.clock.advance(0)
        self.assertEqual(self.bodies(), targets)
        self.assertEqual(self.transport.producerState, "producing")
        self.assert_nothing_left()

    def test_lost_meanwhile(self) -> None:
        """What is lost before its next turn has none."""
        self.connect(self.work)
        self.channel.dataReceived(7 * get("/a"))
        self.assert_nothing_left()

    def test_more_comes_meanwhile(self) -> None:
        """What comes before its next turn is answered in its order."""
        self.connect(self.work)
        self.channel.dataReceived(get("/0") + get("/1") + get("/2"))
        self.channel.dataReceived(get("/3"))
        self.clock.advance(0)
        self.assertEqual(self.bodies(), ["/0", "/1", "/2", "/3"])
        self.assert_nothing_left()


class StopTests(KeepAliveTestCase):
    """The server is to stop."""

    def test_idle_connection(self) -> None:
        """It is closed at once, and when it is gone, the server has stopped."""
        for sent in (b"", get("/a"), get("/a") + b"\r\n"):
            self.connect()
            self.channel.dataReceived(sent)
            stopped = self.factory.stop_serving()
            self.assertTrue(self.transport.disconnecting, f"sent {sent!r}")
            self.assertNoResult(stopped)
            self.channel.connectionLost(Failure(ConnectionLost()))
            self.assertIsNone(self.successResultOf(stopped))

    def test_no_connection(self) -> None:
        """Without one it stops at once, and may be told so again."""
        factory = HTTPFactory(show, Clock())
        self.assertIsNone(self.successResultOf(factory.stop_serving()))
        self.assertIsNone(self.successResultOf(factory.stop_serving()))

    def test_answers_that_are_due(self) -> None:
        """They are finished; the last one does not promise that the connection is kept."""
        handler = Later()
        self.connect(handler)
        self.channel.dataReceived(get("/a") + get("/b"))
        stopped = self.factory.stop_serving()
        handler.answer("/b", "/a")
        self.assertEqual(self.bodies(), ["/a", "/b"])
        self.assertEqual(self.transport.value().count(b"\r\nConnection: keep-alive\r\n"), 1)
        self.assertTrue(self.transport.disconnecting)
        self.assertNoResult(stopped)
        self.assert_nothing_left()
        self.successResultOf(stopped)

    def test_half_a_request(self) -> None:
        """A request that has begun to come is answered, and is the last one."""
        self.connect()
        self.channel.dataReceived(get("/a")[:9])
        self.factory.stop_serving()
        self.assertFalse(self.transport.disconnecting)
        self.channel.dataReceived(get("/a")[9:] + get("/b"))
        self.assertEqual(self.bodies(), ["/a"])
        self.assertNotIn(b"keep-alive", self.transport.value())
        self.assertTrue(self.transport.disconnecting)

    def test_new_connection(self) -> None:
        """One that comes after that is closed."""
        factory = HTTPFactory(show, Clock())
        factory.stop_serving()
        channel, transport = factory.buildProtocol(None), StringTransport()
        channel.makeConnection(transport)
        channel.dataReceived(get("/a"))
        self.assertEqual((transport.value(), transport.disconnecting), (b"", True))


class TooManyTests(TestCase):
    """More connections than there may be."""

    def test_one_too_many(self) -> None:
        """It is told so, and closed; when another one has gone, there is room (RFC 1945, 9.5)."""
        factory = HTTPFactory(show, Clock(), max_connections=2)

        def connect() -> tuple[HTTPChannel, StringTransport]:
            channel, transport = factory.buildProtocol(None), StringTransport()
            channel.makeConnection(transport)
            return channel, transport

        first, _ = connect()
        _, second = connect()
        third, refused = connect()
        self.assertEqual((refused.value()[:12], refused.disconnecting), (b"HTTP/1.0 503", True))
        self.assertEqual((second.value(), second.disconnecting), (b"", False))
        third.dataReceived(get("/a"))
        self.assertNotIn(b"</a>", refused.value())
        for gone in (first, third):
            gone.connectionLost(Failure(ConnectionLost()))
        channel, transport = connect()
        channel.dataReceived(get("/a"))
        self.assertIn(b"</a>", transport.value())

    def test_many_too_many(self) -> None:
        """Of those that are told so, there are no more than SPARE at once."""
        factory = HTTPFactory(show, Clock(), max_connections=1)
        transports = []
        for _ in range(SPARE + 3):
            transports.append(StringTransport())
            factory.buildProtocol(None).makeConnection(transports[-1])
        told = [transport for transport in transports if transport.value()]
        cut_off = [transport for transport in transports if transport.disconnected]
        self.assertEqual((len(told), len(cut_off)), (SPARE, 2))

    def test_limits(self) -> None:
        """A limit that no client could keep is a mistake of who sets it."""
        for name in ("max_connections", "max_head"):
            options: Any = {name: 0}
            self.assertRaises(ValueError, HTTPFactory, show, Clock(), **options)
        self.assertRaises(ValueError, HTTPFactory, show, Clock(), max_body=-1)

    def test_limits_of_a_request(self) -> None:
        """The limits for a head and a body are those of the factory (RFC 6585, 5)."""
        for sent, status in (
            (b"GET / HTTP/1.0\r\nA: b\r\n\r\n", b"HTTP/1.0 431"),
            (b"POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.0 413"),
        ):
            channel = HTTPFactory(
                show, Clock(), max_head=len(sent) - 1 if b"A:" in sent else 99, max_body=8
            ).buildProtocol(None)
            transport = StringTransport()
            channel.makeConnection(transport)
            channel.dataReceived(sent)
            self.assertEqual(transport.value()[:12], status, f"sent {sent!r}")


class LogTests(KeepAliveTestCase):
    """What the log is told."""

    def test_each_answer_once(self) -> None:
        """The client, the request, the status and the size of the body (RFC 1945, 7.2)."""
        told: list[Any] = []
        self.connect(log=lambda *arguments: told.append(arguments))
        sent = get("/a") + get("/bc", method="HEAD") + post("/d") + b"G@T / HTTP/1.0\r\n\r\n"
        self.channel.dataReceived(sent)
        peer = self.transport.getPeer()
        came = [(who, request and request.target, *rest) for who, request, *rest in told]
        refusal = len(self.transport.value().rpartition(b"\r\n\r\n")[2])
        self.assertEqual(
            came,
            [
                (peer, b"/a", 200, 4),
                (peer, b"/bc", 200, 0),
                (peer, b"/d", 200, 4),
                (peer, None, 400, refusal),
            ],
        )

    def test_log_that_fails(self) -> None:
        """What it raises is logged elsewhere, and the client is answered all the same."""

        def log(*arguments: object) -> None:
            raise RuntimeError("no")

        self.connect(log=log)
        self.channel.dataReceived(2 * get("/a"))
        self.assertEqual(self.bodies(), ["/a", "/a"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)


class DeliveryTests(TestCase):
    """What is answered depends on the bytes, and not on how they were cut."""

    def outcome(self, chunks: list[bytes], late: bool) -> tuple[bytes, bool, list[Request]]:
        """Return what is written, whether it is closed, and what was handled."""
        requests: list[Request] = []
        answers: list[tuple[Deferred[Response], Request]] = []

        def handler(request: Request) -> Response | Deferred[Response]:
            requests.append(request)
            if not late:
                return show(request)
            answers.append((Deferred(), request))
            return answers[-1][0]

        clock = Clock()
        channel = HTTPFactory(handler, clock).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        for chunk in chunks:
            channel.dataReceived(chunk)
        while answers:
            answer, request = answers.pop()  # the last one first
            answer.callback(show(request))
        written, closed = transport.value(), transport.disconnecting
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(clock.getDelayedCalls(), [])
        self.assertLessEqual(written.count(b"\r\nDate: "), len(requests) + 1)
        return written, closed, requests

    @property_settings(200)
    @given(kept_streams, cuts)
    def test_any_bytes_in_any_chunks(self, sent: bytes, places: list[int]) -> None:
        """Every delivery gets the same answers in the same order (RFC 9112, 9.3.2)."""
        whole = self.outcome([sent], late=False)
        for chunks in ([sent], cut(sent, places), one_by_one(sent)):
            for late in (False, True):
                self.assertEqual(self.outcome(chunks, late), whole, f"sent {chunks!r}, {late}")
