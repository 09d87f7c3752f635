"""Stage 8: how to disconnect, really.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage8``
"""

from __future__ import annotations

from itertools import permutations

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.loopback import Loopback, StillConnected, connect, connection_lost
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

LARGE = 4 * 1024 * 1024  # bytes: more than the buffers of a socket hold


class ConnectionLostTests(TestCase):
    """A protocol is told when its connection is lost. A test wants to know it too."""

    def test_not_yet(self) -> None:
        """While the connection is there, the Deferred does not fire."""
        protocol = Protocol()
        lost = connection_lost(protocol)
        protocol.makeConnection(StringTransport())
        self.assertNoResult(lost)

    def test_lost(self) -> None:
        """It fires with ``None``. Fired with the reason, a Failure, it would fail."""
        protocol = Protocol()
        lost = connection_lost(protocol)
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertIsNone(self.successResultOf(lost))

    def test_protocol_comes_first(self) -> None:
        """When it fires, the protocol's own ``connectionLost`` is done."""
        events: list[str] = []

        class Noting(Protocol):
            def connectionLost(self, reason: Failure = connectionDone) -> None:
                events.append(reason.getErrorMessage())

        protocol = Noting()
        connection_lost(protocol).addCallback(lambda _: events.append("fired"))
        protocol.connectionLost(Failure(ConnectionDone("bye")))
        self.assertEqual(events, ["Connection was closed cleanly: bye.", "fired"])


class FakePort:
    """A port that stops listening when the test says so."""

    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()
        self.calls = 0

    def stopListening(self) -> Deferred[None]:
        """Begin to stop; the Deferred fires when it is done."""
        self.calls += 1
        return self.stopped


class LawTestCase(TestCase):
    """Three pending Deferreds, all in the hands of the test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.port = FakePort()
        self.transport = StringTransport()
        client = Protocol()
        client.makeConnection(self.transport)
        server_lost: Deferred[None] = Deferred()
        client_lost: Deferred[None] = Deferred()
        self.loopback = Loopback(
            self.clock,
            self.port,
            client,
            server_lost,
            client_lost,
            timeout=2,
        )
        self.three = {
            "the port": self.port.stopped,
            "the server's connection": server_lost,
            "the client's connection": client_lost,
        }


class ThreeThingsTests(LawTestCase):
    """``disconnect`` waits for three things. Over a real network most mistakes pass unseen."""

    def test_it_begins_at_once(self) -> None:
        """The port is told to stop, the client to close, and neither waits for the other."""
        self.loopback.disconnect()
        self.assertEqual((self.port.calls, self.transport.disconnecting), (1, True))

    def assert_waits_for(self, last: str) -> None:
        """Let all but one thing happen; then that one too."""
        gone = self.loopback.disconnect()
        for name, deferred in self.three.items():
            if name != last:
                deferred.callback(None)
        self.assertNoResult(gone)
        self.three[last].callback(None)
        self.assertIsNone(self.successResultOf(gone))

    def test_waits_for_the_port(self) -> None:
        """A port that still listens is not gone."""
        self.assert_waits_for("the port")

    def test_waits_for_the_servers_connection(self) -> None:
        """The server hears of the end later than the client."""
        self.assert_waits_for("the server's connection")

    def test_waits_for_the_clients_connection(self) -> None:
        """``loseConnection`` only begins to close: what was written must go first."""
        self.assert_waits_for("the client's connection")

    def test_any_order(self) -> None:
        """The three things happen in whatever order they like."""
        for order in permutations(self.three):
            self.setUp()
            gone = self.loopback.disconnect()
            for name in order:
                self.assertNoResult(gone)
                self.three[name].callback(None)
            self.assertIsNone(self.successResultOf(gone), f"in the order {order}")

    def test_what_has_happened_already(self) -> None:
        """A server may close first: then there is nothing more to wait for."""
        self.three["the server's connection"].callback(None)
        self.three["the client's connection"].callback(None)
        gone = self.loopback.disconnect()
        self.assertNoResult(gone)
        self.port.stopped.callback(None)
        self.assertIsNone(self.successResultOf(gone))

    def test_port_that_stops_at_once(self) -> None:
        """``stopListening`` may return ``None`` in place of a Deferred."""
        self.patch(self.port, "stopListening", lambda: None)
        gone = self.loopback.disconnect()
        self.three["the server's connection"].callback(None)
        self.three["the client's connection"].callback(None)
        self.assertIsNone(self.successResultOf(gone))

    def test_twice(self) -> None:
        """A second call begins nothing, and waits for the same things."""
        first, second = self.loopback.disconnect(), self.loopback.disconnect()
        first.addCallback(lambda _: "the second one does not see this")
        self.assertEqual(self.port.calls, 1)
        for deferred in self.three.values():
            self.assertNoResult(second)
            deferred.callback(None)
        self.assertIsNone(self.successResultOf(second))

    def test_again_when_all_is_gone(self) -> None:
        """A call that comes later has nothing to wait for."""
        self.assert_waits_for("the port")
        self.assertIsNone(self.successResultOf(self.loopback.disconnect()))
        self.assertEqual(self.port.calls, 1)


class TooLateTests(LawTestCase):
    """A bare timeout says that something hangs. This one says what."""

    def test_each_is_named(self) -> None:
        """When one of the three never happens, the failure names it, and it alone."""
        for missing in list(self.three):
            self.setUp()
            gone = self.loopback.disconnect()
            for name, deferred in self.three.items():
                if name != missing:
                    deferred.callback(None)
            self.clock.advance(2)
            text = self.failureResultOf(gone, StillConnected).getErrorMessage()
            named = [name for name in self.three if name in text]
            self.assertEqual(named, [missing], f"the failure says {text!r}")

    def test_all_are_named(self) -> None:
        """When nothing happens, it names all three."""
        gone = self.loopback.disconnect()
        self.clock.advance(2)
        text = self.failureResultOf(gone, StillConnected).getErrorMessage()
        named = [name for name in self.three if name in text]
        self.assertEqual(named, list(self.three), f"the failure says {text!r}")

    def test_not_too_early(self) -> None:
        """Until the time is over, there is hope."""
        gone = self.loopback.disconnect()
        self.clock.advance(1.9)
        self.assertNoResult(gone)

    def test_usual_timeout(self) -> None:
        """Without other orders it is 3 seconds: less than a test may take."""
        never: Deferred[None] = Deferred()
        loopback = Loopback(self.clock, self.port, self.loopback.client, never, never)
        gone = loopback.disconnect()
        self.clock.advance(2.9)
        self.assertNoResult(gone)
        self.clock.advance(0.1)
        self.failureResultOf(gone, StillConnected)

    def test_what_happens_later(self) -> None:
        """What happens when nobody waits any more does no harm."""
        gone = self.loopback.disconnect()
        self.clock.advance(2)
        self.failureResultOf(gone, StillConnected)
        for deferred in self.three.values():
            deferred.callback(None)
            self.successResultOf(deferred)

    def test_again_after_it_was_too_late(self) -> None:
        """A call that comes after the failure waits anew for what is still missing."""
        gone = self.loopback.disconnect()
        self.clock.advance(2)
        self.failureResultOf(gone, StillConnected)
        gone = self.loopback.disconnect()
        self.clock.advance(1.9)
        self.assertNoResult(gone)
        for deferred in self.three.values():
            deferred.callback(None)
        self.assertIsNone(self.successResultOf(gone))

    def test_no_delayed_call_is_left(self) -> None:
        """When all three are gone, nothing is left to happen."""
        self.loopback.disconnect()
        for deferred in self.three.values():
            deferred.callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_port_that_cannot_stop(self) -> None:
        """A failure is reported, whenever it comes, but not before the others are gone."""
        for order in permutations(self.three):
            self.setUp()
            gone = self.loopback.disconnect()
            for name in order:
                self.assertNoResult(gone)
                if name == "the port":
                    self.port.stopped.errback(OSError("no"))
                else:
                    self.three[name].callback(None)
            self.failureResultOf(gone, OSError)


class ConnectTests(TestCase):
    """``connect``, with a reactor in memory: the test decides when which end is there."""

    def test_waits_for_both_ends(self) -> None:
        """The client may know that it is connected before the server does."""
        memory = MemoryReactorClock()
        connected = connect(memory, Factory.forProtocol(Protocol), Protocol())
        client = memory.tcpClients[0][2].buildProtocol(None)
        client.makeConnection(StringTransport())
        self.assertNoResult(connected)
        address = IPv4Address("TCP", "127.0.0.1", 12345)
        server = memory.tcpServers[0][1].buildProtocol(address)
        server.makeConnection(StringTransport())
        self.assertIsInstance(self.successResultOf(connected), Loopback)


class Collecting(Protocol):
    """A client that keeps what comes, and tells when the connection is lost."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.done: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.done.callback(None)


class Flooding(Protocol):
    """A server that writes a lot, and reads nothing."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(LARGE * b"x")


class Closing(Protocol):
    """A server that has nothing to say."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class RealNetworkTests(TestCase):
    """Now over TCP. Trial itself fails a test that leaves a port or a connection behind."""

    async def test_connect_and_disconnect(self) -> None:
        """Two ends meet, on this machine alone, and go away."""
        server, addresses = Protocol(), []
        factory = Factory()
        factory.buildProtocol = lambda addr: addresses.append(addr) or server  # type: ignore
        client = Protocol()
        loopback = await connect(reactor, factory, client)
        self.addCleanup(loopback.disconnect)
        self.assertEqual((server.connected, client.connected), (1, 1))
        self.assertEqual(loopback.port.getHost().host, "127.0.0.1")
        self.assertEqual(addresses, [client.transport.getHost()])

    async def test_two_at_once(self) -> None:
        """Each has a port of its own, which nobody had to choose."""
        for _ in range(2):
            loopback = await connect(reactor, Factory.forProtocol(Protocol), Protocol())
            self.addCleanup(loopback.disconnect)

    async def test_server_that_closes_at_once(self) -> None:
        """It may be gone before the client knows that it is connected."""
        loopback = await connect(reactor, Factory.forProtocol(Closing), Protocol())
        await loopback.disconnect()

    async def test_large_body_to_the_client(self) -> None:
        """The server still has megabytes to write when the client closes."""
        loopback = await connect(reactor, Factory.forProtocol(Flooding), Protocol())
        await loopback.disconnect()

    async def test_large_body_to_the_server(self) -> None:
        """The client still has megabytes to write when it is told to close: they arrive."""
        server = Collecting()
        factory = Factory()
        factory.buildProtocol = lambda addr: server  # type: ignore[method-assign]
        loopback = await connect(reactor, factory, Protocol())
        loopback.client.transport.write(LARGE * b"x")
        await loopback.disconnect()
        self.assertEqual(len(server.received), LARGE)

    async def test_your_server(self) -> None:
        """A request and its large answer, through a real network, with your own server."""

        def large(request: Request) -> Response:
            return Response(200, body=LARGE * b"x")

        client = Collecting()
        loopback = await connect(reactor, HTTPFactory(large, reactor), client)
        self.addCleanup(loopback.disconnect)
        loopback.client.transport.write(b"GET / HTTP/1.0\r\n\r\n")
        await client.done
        head, _, body = bytes(client.received).partition(b"\r\n\r\n")
        self.assertEqual((head[:12], len(body)), (b"HTTP/1.0 200", LARGE))
