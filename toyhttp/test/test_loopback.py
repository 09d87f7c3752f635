"""``toyhttp`` over TCP, and the helper that makes such tests clean."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from toyhttp import loopback
from toyhttp.channel import Handler, HTTPChannel, HTTPFactory
from toyhttp.loopback import Loopback, connect, connection_lost
from toyhttp.request import Request
from toyhttp.response import Response

timeout = 20

LARGE = 4 * 1024 * 1024  # bytes: more than the buffers of a socket hold


class Client(Protocol):
    """Sends something at once, collects what comes, and tells when it is over."""

    def __init__(self, sent: bytes = b"") -> None:
        self.sent = sent
        self.received = bytearray()
        self.done: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self.sent)

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.done.callback(None)


class ServerTests(TestCase):
    """What only a real transport can show."""

    async def ask(self, handler: Handler, sent: bytes) -> bytes:
        """Return all that a client gets who sends this, up to the end of the connection."""
        client = Client(sent)
        ends = await connect(reactor, HTTPFactory(handler), client)
        self.addCleanup(ends.disconnect)
        await client.done
        return bytes(client.received)

    async def test_large_answer(self) -> None:
        """Megabytes arrive, all of them, and then the end (RFC 1945, 7.2.2)."""
        body = bytes(range(256)) * (LARGE // 256)
        came = await self.ask(lambda request: Response(200, body=body), b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(came.partition(b"\r\n\r\n")[2], body)

    async def test_later(self) -> None:
        """An answer that comes later arrives too."""

        async def handler(request: Request) -> Response:
            later: Deferred[None] = Deferred()
            reactor.callLater(0, later.callback, None)
            await later
            return Response(200, body=b"later")

        came = await self.ask(handler, b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(came[-9:], b"\r\n\r\nlater")

    async def test_refusal_reaches_a_client_that_sends(self) -> None:
        """A client with megabytes to send can read why they are refused (RFC 1945, 9.4)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % LARGE + LARGE * b"x"
        came = await self.ask(lambda request: Response(200), sent)
        self.assertEqual(came[:12], b"HTTP/1.0 413")

    async def test_half_closed(self) -> None:
        """A client that has closed its half gets all that is under way (RFC 1945, 1.3)."""
        body = LARGE * b"x"
        for sent, expected in (
            (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200"),
            (b"G@T / HTTP/1.0\r\n\r\n", b"HTTP/1.0 400"),
        ):
            client = Client(sent)
            ends = await connect(
                reactor, HTTPFactory(lambda request: Response(200, body=body)), client
            )
            self.addCleanup(ends.disconnect)
            ends.client.transport.loseWriteConnection()
            await client.done
            came = bytes(client.received)
            self.assertEqual(came[:12], expected)
            if expected == b"HTTP/1.0 200":
                self.assertEqual(len(came.partition(b"\r\n\r\n")[2]), LARGE)

    async def test_client_that_does_not_read(self) -> None:
        """It is cut off, and does not keep its connection for ever."""
        body = 8 * LARGE * b"x"
        factory = HTTPFactory(lambda request: Response(200, body=body), close_timeout=0.2)
        client = Client(b"GET / HTTP/1.0\r\n\r\n")
        ends = await connect(reactor, factory, client)
        self.addCleanup(ends.disconnect)
        ends.client.transport.pauseProducing()
        await ends.server_lost
        ends.client.transport.resumeProducing()
        await client.done
        self.assertLess(len(client.received), len(body))

    async def test_client_that_goes_while_the_handler_works(self) -> None:
        """The handler is told, by the reactor as by a test."""
        asked: Deferred[None] = Deferred()
        cancelled: Deferred[None] = Deferred()

        def handler(request: Request) -> Deferred[Response]:
            asked.callback(None)
            return Deferred(lambda answer: cancelled.callback(None))

        client = Client(b"GET / HTTP/1.0\r\n\r\n")
        ends = await connect(reactor, HTTPFactory(handler), client)
        await asked
        ends.client.transport.abortConnection()
        await cancelled
        await ends.disconnect()

    async def test_handler_that_works_for_a_client_that_closed(self) -> None:
        """It may be at work for its half of a connection, but not for ever (RFC 1945, 1.3)."""
        cancelled: Deferred[None] = Deferred()

        def handler(request: Request) -> Deferred[Response]:
            return Deferred(lambda answer: cancelled.callback(None))

        client = Client(b"GET / HTTP/1.0\r\n\r\n")
        ends = await connect(reactor, HTTPFactory(handler, request_timeout=0.2), client)
        await ends.disconnect()
        await cancelled

    async def test_half_closed_while_the_handler_works(self) -> None:
        """A client that has closed its half gets an answer that comes later (RFC 1945, 1.3)."""
        answers: list[Deferred[Response]] = []
        half_closed: Deferred[None] = Deferred()

        def handler(request: Request) -> Deferred[Response]:
            answers.append(Deferred())
            return answers[-1]

        def hear(channel: HTTPChannel) -> None:
            original(channel)
            half_closed.callback(None)

        original = HTTPChannel.readConnectionLost
        self.patch(HTTPChannel, "readConnectionLost", hear)

        client = Client(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
        ends = await connect(reactor, HTTPFactory(handler), client)
        self.addCleanup(ends.disconnect)
        ends.client.transport.loseWriteConnection()
        await half_closed
        for answer in answers:
            answer.callback(Response(200, body=LARGE * b"x"))
        await client.done
        self.assertEqual(client.received.count(b"x"), len(answers) * LARGE)


class ConnectTests(TestCase):
    """The helper, where things go wrong."""

    async def test_server_that_closes_at_once(self) -> None:
        """A server may be gone before ``connect`` is done; its end is not missed."""

        class Brief(Protocol):
            def connectionMade(self) -> None:
                assert self.transport is not None
                self.transport.loseConnection()

        ends = await connect(reactor, Factory.forProtocol(Brief), Protocol())
        await ends.disconnect()

    async def test_client_that_cannot_connect(self) -> None:
        """If there is no connection, there is no port left either: Trial would see it."""

        class Refusing:
            def __init__(self, *arguments: object) -> None:
                pass

            def connect(self, factory: Factory) -> Deferred[None]:
                return fail(OSError("refused"))

        self.patch(loopback, "TCP4ClientEndpoint", Refusing)
        connecting = connect(reactor, Factory.forProtocol(Protocol), Protocol())
        await self.assertFailure(connecting, OSError)

    async def test_factory_that_makes_no_protocol(self) -> None:
        """A factory that refuses, or fails, is an error at once, and nothing is left."""

        class Refusing(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        class Failing(Factory):
            def buildProtocol(self, addr: object) -> None:
                raise RuntimeError("no")

        for factory, error in ((Refusing(), ValueError), (Failing(), RuntimeError)):
            await self.assertFailure(connect(reactor, factory, Protocol()), error)

    async def test_second_client(self) -> None:
        """Others may connect to the same port; who does so waits for them."""
        ends = await connect(reactor, Factory.forProtocol(Protocol), Protocol())
        self.addCleanup(ends.disconnect)
        client = Client()
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", ends.port.getHost().port)
        await connectProtocol(endpoint, client)
        client.transport.abortConnection()
        await client.done

    async def test_factory_is_started(self) -> None:
        """The factory is told when it begins and ends to listen, as by any port."""
        events: list[str] = []

        class Noting(Factory):
            protocol = Protocol

            def startFactory(self) -> None:
                events.append("started")

            def stopFactory(self) -> None:
                events.append("stopped")

        ends = await connect(reactor, Noting(), Protocol())
        await ends.disconnect()
        self.assertEqual(events, ["started", "stopped"])

    def test_protocol_that_raises(self) -> None:
        """A protocol whose ``connectionLost`` raises has lost its connection all the same."""

        class Raising(Protocol):
            def connectionLost(self, reason: Failure = connectionDone) -> None:
                raise RuntimeError("no")

        protocol = Raising()
        lost = connection_lost(protocol)
        self.assertRaises(RuntimeError, protocol.connectionLost, connectionDone)
        self.assertIsNone(self.successResultOf(lost))

    def test_loopback_is_public(self) -> None:
        """It is there to be used in other projects."""
        self.assertEqual(Loopback.__module__, "toyhttp.loopback")
