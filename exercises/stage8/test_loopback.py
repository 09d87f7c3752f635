"""Stage 8: how to disconnect, really. The core; ``test_hardening`` has the rest.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage8``
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.loopback import Loopback, StillConnected, connect, connection_lost
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

LARGE = 4 * 1024 * 1024  # bytes: more than the buffers of a socket hold


def outcomes(deferred: Deferred[Any]) -> list[Any]:
    """Return a list that is empty until the Deferred fires, and then holds what it fired with."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    return found


class FakePort:
    """A port that stops listening when the test says so."""

    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()
        self.calls = 0

    def getHost(self) -> IPv4Address:
        """Return the address on which it listens."""
        return IPv4Address("TCP", "127.0.0.1", 40123)

    def stopListening(self) -> Deferred[None] | None:
        """Begin to stop; the Deferred fires when it is done."""
        self.calls += 1
        return self.stopped


class LawTestCase(TestCase):
    """Three pending Deferreds, all held by the test; this class has no test of its own."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.port = FakePort()
        self.transport = StrictTransport(self)
        self.client = Protocol()
        self.client.makeConnection(self.transport)
        server_lost: Deferred[None] = Deferred()
        client_lost: Deferred[None] = Deferred()
        self.loopback = Loopback(
            self.clock, self.port, self.client, server_lost, client_lost, timeout=2
        )
        self.three = {
            "the port": self.port.stopped,
            "the server's connection": server_lost,
            "the client's connection": client_lost,
        }
        self.gone: list[str] = []

    def go(self, *names: str) -> None:
        """Let some of the three go away."""
        for name in names:
            self.gone.append(name)
            self.three[name].callback(None)

    def assert_waits(self, disconnected: list[Any]) -> None:
        """Assert that the Deferred of a ``disconnect`` has not fired."""
        self.assertEqual(disconnected, [], f"it fired when this had gone: {self.gone}")

    def assert_fired(self, disconnected: list[Any]) -> None:
        """Assert that it has fired, with ``None``."""
        self.assertEqual(disconnected, [None], f"this has gone: {self.gone}")

    def assert_waits_for(self, last: str) -> None:
        """Let all but one thing go away; then that one too."""
        disconnected = outcomes(self.loopback.disconnect())
        self.go(*[name for name in self.three if name != last])
        self.assert_waits(disconnected)
        self.go(last)
        self.assert_fired(disconnected)

    def assert_names(self, disconnected: list[Any], *missing: str) -> None:
        """Assert that it has failed, and that the text names these things, and no others."""
        kinds = [getattr(outcome, "type", outcome) for outcome in disconnected]
        self.assertEqual(kinds, [StillConnected], f"the time is over; gone: {self.gone}")
        text = disconnected[0].getErrorMessage()
        named = [name for name in self.three if name in text]
        self.assertEqual(named, list(missing), f"the text is {text!r}; gone: {self.gone}")


class PortTests(LawTestCase):
    """Step 1. The port is the first of the three things."""

    def test_what_it_is_given(self) -> None:
        """The port and the client's protocol are kept as attributes, for the test."""
        self.assertIs(self.loopback.port, self.port)
        self.assertIs(self.loopback.client, self.client)

    def test_nothing_before(self) -> None:
        """Until somebody calls ``disconnect``, nothing is closed, and no timer runs."""
        self.assertEqual((self.port.calls, self.transport.disconnecting), (0, False))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stops_the_port(self) -> None:
        """``disconnect`` tells the port to stop listening."""
        self.loopback.disconnect()
        self.assertEqual(self.port.calls, 1)

    def test_waits_for_the_port(self) -> None:
        """A port that still listens is not gone."""
        self.assert_waits_for("the port")

    def test_port_that_stops_at_once(self) -> None:
        """``stopListening`` may return ``None`` in place of a Deferred."""
        self.patch(self.port, "stopListening", lambda: None)
        disconnected = outcomes(self.loopback.disconnect())
        self.go("the server's connection", "the client's connection")
        self.assert_fired(disconnected)


class ConnectionLostTests(TestCase):
    """Step 2. A protocol is told when its connection is lost; a test must learn of it too."""

    def test_not_yet(self) -> None:
        """While the connection is there, the Deferred does not fire."""
        protocol = Protocol()
        lost = outcomes(connection_lost(protocol))
        protocol.makeConnection(StrictTransport(self))
        self.assertEqual(lost, [], "the connection is made, and not lost")

    def test_lost(self) -> None:
        """It fires with ``None``. Fired with the reason, a Failure, it would fail."""
        protocol = Protocol()
        lost = outcomes(connection_lost(protocol))
        protocol.makeConnection(StrictTransport(self))
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(lost, [None], "the connection is lost")

    def test_protocol_comes_first(self) -> None:
        """When it fires, the protocol's own ``connectionLost`` has run, with the same reason."""
        events: list[object] = []

        class Noting(Protocol):
            def connectionLost(self, reason: Failure = connectionDone) -> None:
                events.append(reason)

        protocol = Noting()
        connection_lost(protocol).addCallback(lambda _: events.append("fired"))
        reason = Failure(ConnectionDone("bye"))
        protocol.connectionLost(reason)
        self.assertEqual(events, [reason, "fired"])


class ClientTests(LawTestCase):
    """Step 2. The client's connection is the second thing."""

    def test_closes_the_client(self) -> None:
        """The client is told to close, not to abort, without waiting for the port first."""
        self.loopback.disconnect()
        self.assertTrue(self.transport.disconnecting, "nobody called loseConnection()")

    def test_waits_for_the_clients_connection(self) -> None:
        """``loseConnection`` only begins to close: what was written must be sent first."""
        self.assert_waits_for("the client's connection")


class ServerTests(LawTestCase):
    """Step 3. The server's connection is the third."""

    def test_waits_for_the_servers_connection(self) -> None:
        """The server learns of the loss later than the client."""
        self.assert_waits_for("the server's connection")

    def test_any_order(self) -> None:
        """The three go away in any order."""
        for order in permutations(self.three):
            self.setUp()
            disconnected = outcomes(self.loopback.disconnect())
            for name in order:
                self.assert_waits(disconnected)
                self.go(name)
            self.assert_fired(disconnected)

    def test_what_has_gone_already(self) -> None:
        """A server may close first: then there is only the port to wait for."""
        self.go("the server's connection", "the client's connection")
        disconnected = outcomes(self.loopback.disconnect())
        self.assert_waits(disconnected)
        self.go("the port")
        self.assert_fired(disconnected)

    def test_client_whose_server_has_gone(self) -> None:
        """When the server has closed first, the client is told to close all the same."""
        self.go("the server's connection")
        disconnected = outcomes(self.loopback.disconnect())
        self.assertTrue(self.transport.disconnecting, "nobody called loseConnection()")
        self.go("the port")
        self.assert_waits(disconnected)


class NamesTests(LawTestCase):
    """Step 4. A bare timeout says that something hangs. This one says what."""

    def test_not_too_early(self) -> None:
        """Until the time is over, it keeps waiting."""
        disconnected = outcomes(self.loopback.disconnect())
        self.clock.advance(1.9)
        self.assert_waits(disconnected)

    def test_each_is_named(self) -> None:
        """When one of the three never goes away, the failure names that one, and no other."""
        for missing in list(self.three):
            self.setUp()
            disconnected = outcomes(self.loopback.disconnect())
            self.go(*[name for name in self.three if name != missing])
            self.clock.advance(2)
            self.assert_names(disconnected, missing)

    def test_all_are_named(self) -> None:
        """When nothing goes away, it names all three."""
        disconnected = outcomes(self.loopback.disconnect())
        self.clock.advance(2)
        self.assert_names(disconnected, *self.three)

    def test_no_delayed_call_is_left(self) -> None:
        """When all three are gone, no delayed call is left."""
        self.loopback.disconnect()
        self.go(*self.three)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_goes_later(self) -> None:
        """What goes away when nobody is waiting any more does no harm."""
        disconnected = outcomes(self.loopback.disconnect())
        self.clock.advance(2)
        self.go(*self.three)
        self.assert_names(disconnected, *self.three)


class TwiceTests(LawTestCase):
    """Step 5. A test calls ``disconnect``, and then its cleanup calls it once more."""

    def test_both_callers(self) -> None:
        """Each has a Deferred of its own: what one does with it, the other does not see."""
        first, second = self.loopback.disconnect(), self.loopback.disconnect()
        self.assertIsNot(first, second)
        one, other = outcomes(first.addCallback(lambda _: "mine")), outcomes(second)
        for name in self.three:
            self.assertEqual(one, [], f"the first caller; gone: {self.gone}")
            self.assert_waits(other)
            self.go(name)
        self.assertEqual(one, ["mine"], f"the first caller; gone: {self.gone}")
        self.assert_fired(other)

    def test_again_when_all_is_gone(self) -> None:
        """A later call has nothing to wait for, and leaves nothing behind."""
        self.assert_waits_for("the port")
        self.assert_fired(outcomes(self.loopback.disconnect()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_again_after_it_was_too_late(self) -> None:
        """A call after the failure waits again."""
        outcomes(self.loopback.disconnect())
        self.clock.advance(2)
        disconnected = outcomes(self.loopback.disconnect())
        self.clock.advance(1.9)
        self.assert_waits(disconnected)
        self.go(*self.three)
        self.assert_fired(disconnected)

    def test_the_port_is_stopped_once(self) -> None:
        """However often it is called, and whenever, the port is told to stop once."""
        self.loopback.disconnect()
        outcomes(self.loopback.disconnect())
        self.go(*self.three)
        self.loopback.disconnect()
        self.assertEqual(self.port.calls, 1)


class OneServer(Factory):
    """A factory that makes one protocol, and notes for whom."""

    def __init__(self, protocol: Protocol) -> None:
        self.made = protocol
        self.addresses: list[object] = []

    def buildProtocol(self, addr: object) -> Protocol:
        """Accept a connection, and note its address."""
        self.addresses.append(addr)
        return self.made


class Memory(MemoryReactorClock):
    """A reactor in memory: it records who listens and who connects, and connects nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.port = FakePort()

    def listenTCP(self, *args: Any, **options: Any) -> FakePort:
        """Record it, and return a port that has a number, as a real one has."""
        super().listenTCP(*args, **options)
        return self.port


class MemoryTestCase(TestCase):
    """``connect``, with a reactor in memory; this class has no test of its own.

    The test decides when which end is there, and when it is lost.
    """

    def setUp(self) -> None:
        self.memory = Memory()
        self.server, self.client = Protocol(), Protocol()
        self.connected = outcomes(connect(self.memory, OneServer(self.server), self.client))
        self.turn()

    def turn(self) -> None:
        """Run a few iterations of the reactor, for code that needs one."""
        self.memory.pump(5 * [0.0])

    def connect_client(self) -> None:
        """Let the client's end be connected."""
        self.assertEqual(len(self.memory.tcpClients), 1, "how many connect")
        self.client_factory = self.memory.tcpClients[0][2]
        self.client_end = self.client_factory.buildProtocol(None)
        self.client_end.makeConnection(StrictTransport(self))
        self.turn()

    def accept(self) -> None:
        """Let the server's factory make a protocol, which is not connected yet."""
        self.assertEqual(len(self.memory.tcpServers), 1, "how many listen")
        self.server_end = self.memory.tcpServers[0][1].buildProtocol(
            IPv4Address("TCP", "127.0.0.1", 50321)
        )
        self.turn()

    def connect_server(self) -> None:
        """Let the server's end be connected."""
        self.server_end.makeConnection(StrictTransport(self))
        self.turn()

    def lose_client(self, reason: Exception) -> None:
        """Let the client's end be lost; its protocol is told, and then its factory."""
        self.client_end.transport.lose(self.client_end, reason)
        self.client_factory.clientConnectionLost(self.memory.connectors[0], Failure(reason))
        self.turn()

    def lose_server(self, reason: Exception) -> None:
        """Let the server's end be lost."""
        self.server_end.transport.lose(self.server_end, reason)
        self.turn()

    def assert_waits(self, why: str) -> None:
        """Assert that the Deferred of ``connect`` has not fired."""
        self.assertEqual(self.connected, [], why)

    def assert_connected(self) -> None:
        """Assert that it has fired, with a ``Loopback``."""
        self.assertEqual(len(self.connected), 1, "both ends are connected: it must fire")
        self.assertIsInstance(self.connected[0], Loopback)

    def disconnect(self) -> list[Any]:
        """Call ``disconnect`` of what ``connect`` has made; the port stops at once."""
        self.assert_connected()
        self.memory.port.stopped.callback(None)
        disconnected = outcomes(self.connected[0].disconnect())
        self.turn()
        return disconnected


class ConnectTests(MemoryTestCase):
    """Step 6. A server and a client that meet."""

    def test_listens_on_this_machine(self) -> None:
        """It listens once, on 127.0.0.1, and on port 0: the system chooses a free one."""
        listening = [(port, interface) for port, _, _, interface in self.memory.tcpServers]
        self.assertEqual(listening, [(0, "127.0.0.1")])

    def test_connects_to_that_port(self) -> None:
        """It connects once, to the number that the port was given."""
        connecting = [(host, port) for host, port, *_ in self.memory.tcpClients]
        self.assertEqual(connecting, [("127.0.0.1", 40123)])

    def test_waits_for_the_server(self) -> None:
        """The client knows that it is connected before the server does."""
        self.connect_client()
        self.assert_waits("the server has accepted nobody yet")
        self.accept()
        self.assert_waits("the server's protocol is made, but not connected yet")
        self.connect_server()
        self.assert_connected()

    def test_waits_for_the_client(self) -> None:
        """The server knows that it is connected before the client does."""
        self.accept()
        self.connect_server()
        self.assert_waits("the client is not connected yet")
        self.connect_client()
        self.assert_connected()

    def test_disconnects(self) -> None:
        """Its ``Loopback`` has the port and the client, and waits for both ends."""
        self.connect_client()
        self.accept()
        self.connect_server()
        disconnected = self.disconnect()
        (loopback,) = self.connected
        self.assertEqual((loopback.port, loopback.client), (self.memory.port, self.client))
        self.assertTrue(self.client.transport.disconnecting, "the client is not told to close")
        self.lose_client(ConnectionDone())
        self.assertEqual(disconnected, [], "the client's end is lost, the server's is not")
        self.lose_server(ConnectionDone())
        self.assertEqual(disconnected, [None], "both ends are lost")


class Collecting(Protocol):
    """A protocol that keeps what it receives, and tells when that begins, and when it is lost."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.first: Deferred[None] = Deferred()
        self.done: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if not self.first.called:
            self.first.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.done.callback(None)


class NetworkTests(TestCase):
    """Step 7. Now over TCP: Trial fails a test that leaves a port or a connection behind."""

    async def test_connect_and_disconnect(self) -> None:
        """Two ends meet, and go away."""
        server, client = Collecting(), Collecting()
        loopback = await connect(reactor, OneServer(server), client)
        self.addCleanup(loopback.disconnect)
        self.assertEqual((server.connected, client.connected), (1, 1), "(server, client)")
        await loopback.disconnect()
        self.assertEqual((server.done.called, client.done.called), (True, True), "lost?")

    async def test_address_of_the_client(self) -> None:
        """The server's factory is asked for a protocol once, with the client's address."""
        factory = OneServer(Protocol())
        loopback = await connect(reactor, factory, Protocol())
        self.addCleanup(loopback.disconnect)
        self.assertEqual(factory.addresses, [loopback.client.transport.getHost()])

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
