"""Stage 8, hardening: what a helper on which many tests rely must withstand.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage8.test_hardening``
"""

from __future__ import annotations

import contextlib  # not the name suppress, which means something to Trial
import gc
from itertools import permutations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.loopback import Loopback, StillConnected, connect, connection_lost
from exercises.stage8.test_loopback import (
    LARGE,
    Collecting,
    LawTestCase,
    MemoryTestCase,
    OneServer,
    outcomes,
)
from exercises.transport import StrictTransport

timeout = 5  # seconds, for each test; Trial's own limit is two minutes


class AnyLossTests(TestCase):
    """A connection that breaks is gone as well."""

    def test_any_reason(self) -> None:
        """A reset counts as a loss, as a clean close does: it fires with ``None``."""
        for reason in (ConnectionDone, ConnectionLost, ConnectionAborted, ValueError):
            protocol = Protocol()
            lost = outcomes(connection_lost(protocol))
            protocol.makeConnection(StrictTransport(self))
            protocol.connectionLost(Failure(reason()))
            self.assertEqual(lost, [None], f"lost by {reason.__name__}")

    def test_own_method_that_raises(self) -> None:
        """It fires even if the protocol's own ``connectionLost`` raises; a test must not hang."""
        protocol = Protocol()
        self.patch(protocol, "connectionLost", lambda reason: 1 / 0)
        lost = outcomes(connection_lost(protocol))
        with contextlib.suppress(ZeroDivisionError):
            protocol.connectionLost(Failure(ConnectionDone()))
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(lost, [None], "the connection is lost, and connectionLost has raised")

    def test_each_protocol_has_its_own(self) -> None:
        """One protocol loses its connection; another of the same class does not."""
        first, second = Protocol(), Protocol()
        lost = [outcomes(connection_lost(protocol)) for protocol in (first, second)]
        first.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(lost, [[None], []], "the first of two is lost")

    def test_asked_twice(self) -> None:
        """A test may call it, and ``connect`` too: each gets a Deferred, and both fire."""
        protocol = Protocol()
        lost = [outcomes(connection_lost(protocol)) for _ in range(2)]
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(lost, [[None], [None]], "the connection is lost")

    def test_asked_while_connected(self) -> None:
        """It may also be called when the connection was made long ago."""
        protocol = Protocol()
        protocol.makeConnection(StrictTransport(self))
        lost = outcomes(connection_lost(protocol))
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(lost, [None], "the connection is lost")


class TimeTests(LawTestCase):
    """How long ``disconnect`` waits, and what it reports when the time is over."""

    def test_the_time_is_exact(self) -> None:
        """It fails when ``timeout`` seconds are over, not before, and leaves no delayed call."""
        never: Deferred[None] = Deferred()
        for seconds in (0.5, 2, 60.25):
            loopback = Loopback(self.clock, self.port, self.client, never, never, seconds)
            disconnected = outcomes(loopback.disconnect())
            self.clock.advance(seconds - 0.125)
            self.assertEqual(disconnected, [], f"1/8 second before {seconds} seconds")
            self.clock.advance(0.125)
            self.assert_names(disconnected, *self.three)
            self.assertEqual(self.clock.getDelayedCalls(), [], f"after {seconds} seconds")

    def test_usual_timeout(self) -> None:
        """The default is 3 seconds: less than a test may take."""
        never: Deferred[None] = Deferred()
        loopback = Loopback(self.clock, self.port, self.client, never, never)
        disconnected = outcomes(loopback.disconnect())
        self.clock.advance(2.875)
        self.assert_waits(disconnected)
        self.clock.advance(0.125)
        self.assert_names(disconnected, *self.three)

    def test_the_time_is_not_put_off(self) -> None:
        """The timeout is for all three together, and nothing restarts it."""
        disconnected = outcomes(self.loopback.disconnect())
        self.clock.advance(1)
        self.go("the port")
        self.clock.advance(0.5)
        self.go("the client's connection")
        self.clock.advance(0.5)
        self.assert_names(disconnected, "the server's connection")

    def test_two_are_named(self) -> None:
        """What is gone is not named; what is still there is."""
        for gone in list(self.three):
            self.setUp()
            disconnected = outcomes(self.loopback.disconnect())
            self.go(gone)
            self.clock.advance(2)
            self.assert_names(disconnected, *[name for name in self.three if name != gone])

    def test_a_second_failure(self) -> None:
        """It names what is still there: not what has gone since the first failure."""
        for gone in list(self.three):
            self.setUp()
            first = outcomes(self.loopback.disconnect())
            self.clock.advance(2)
            self.go(gone)
            second = outcomes(self.loopback.disconnect())
            self.clock.advance(2)
            self.assert_names(first, *self.three)
            self.assert_names(second, *[name for name in self.three if name != gone])

    def test_both_callers_are_too_late(self) -> None:
        """Each of two callers gets the failure."""
        first, second = outcomes(self.loopback.disconnect()), outcomes(self.loopback.disconnect())
        self.clock.advance(2)
        self.assert_names(first, *self.three)
        self.assert_names(second, *self.three)

    def test_again_after_each_has_failed(self) -> None:
        """Nothing counts as gone only because somebody has waited for it in vain."""
        for missing in list(self.three):
            self.setUp()
            for _ in range(2):
                outcomes(self.loopback.disconnect())
                self.clock.advance(2)
            disconnected = outcomes(self.loopback.disconnect())
            self.go(*[name for name in self.three if name != missing])
            self.assert_waits(disconnected)
            self.go(missing)
            self.assert_fired(disconnected)
            self.assertEqual((self.port.calls, self.clock.getDelayedCalls()), (1, []))


class PortThatCannotStopTests(LawTestCase):
    """``stopListening`` may fail."""

    def test_any_order(self) -> None:
        """Its failure is reported, whenever it comes, but not before the others are gone."""
        for order in permutations(self.three):
            self.setUp()
            disconnected = outcomes(self.loopback.disconnect())
            for name in order:
                self.assert_waits(disconnected)
                if name == "the port":
                    self.gone.append("the port, with an OSError")
                    self.port.stopped.errback(OSError("no"))
                else:
                    self.go(name)
            kinds = [getattr(outcome, "type", outcome) for outcome in disconnected]
            self.assertEqual(kinds, [OSError], f"gone: {self.gone}")
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_too_late_as_well(self) -> None:
        """If the others do not go away in time, that is the failure that is reported."""
        disconnected = outcomes(self.loopback.disconnect())
        self.port.stopped.errback(OSError("no"))
        self.go("the client's connection")
        self.clock.advance(2)
        kinds = [getattr(outcome, "type", outcome) for outcome in disconnected]
        self.assertEqual(kinds, [StillConnected], "the server's connection is still there")
        self.assertIn("the server's connection", disconnected[0].getErrorMessage())
        self.assertNotIn("the client's connection", disconnected[0].getErrorMessage())
        self.assertNotIn("the port", disconnected[0].getErrorMessage())

    def test_the_next_one_can(self) -> None:
        """The failure of one ``Loopback`` is not that of another."""
        for fails in (True, False):
            self.setUp()
            disconnected = outcomes(self.loopback.disconnect())
            if fails:
                self.port.stopped.errback(OSError("no"))
                self.go("the server's connection", "the client's connection")
        self.go(*self.three)
        self.assert_fired(disconnected)


class EitherEndTests(MemoryTestCase):
    """The two ends come and go in any order, and are not mixed up."""

    def begin(self) -> None:
        """Let both ends be connected."""
        self.connect_client()
        self.accept()
        self.connect_server()

    def test_the_servers_own_method_comes_first(self) -> None:
        """When ``connect`` fires, the server's own ``connectionMade`` has returned."""
        fired: list[int] = []  # how often connect had fired when the method was called
        self.patch(self.server, "connectionMade", lambda: fired.append(len(self.connected)))
        self.begin()
        self.assert_connected()
        self.assertEqual(fired, [0], "how often connect had fired before")

    def test_either_goes_first(self) -> None:
        """``disconnect`` waits for the other end, however the first one was lost."""
        for reason in (ConnectionDone(), ConnectionLost(), ConnectionAborted()):
            for lose, other in (
                (self.lose_client, self.lose_server),
                (self.lose_server, self.lose_client),
            ):
                self.setUp()
                self.begin()
                disconnected = self.disconnect()
                lose(reason)
                self.assertEqual(disconnected, [], f"after {lose.__name__}, {reason!r}")
                other(reason)
                self.assertEqual(disconnected, [None], f"after {other.__name__}, {reason!r}")
                gc.collect()  # a failure that nobody handles is logged now, and Trial sees it

    def test_each_end_has_its_name(self) -> None:
        """After 3 seconds, and not before, the failure names the end that is still there."""
        for lose, missing in (
            (self.lose_client, "the server's connection"),
            (self.lose_server, "the client's connection"),
        ):
            self.setUp()
            self.begin()
            disconnected = self.disconnect()
            lose(ConnectionDone())
            self.memory.advance(2.875)
            self.assertEqual(disconnected, [], "2 7/8 seconds are over")
            self.memory.advance(0.125)
            kinds = [getattr(outcome, "type", outcome) for outcome in disconnected]
            self.assertEqual(kinds, [StillConnected], f"3 seconds are over: {lose.__name__}")
            text = disconnected[0].getErrorMessage()
            ends = ("the server's connection", "the client's connection")
            self.assertEqual([end for end in ends if end in text], [missing], text)

    def test_server_is_gone_before_the_client_is_there(self) -> None:
        """A server may close at once; its end is lost before the client's is connected."""
        self.accept()
        self.connect_server()
        self.lose_server(ConnectionDone())
        self.connect_client()
        disconnected = self.disconnect()
        self.assertEqual(disconnected, [], "the client's end is there")
        self.lose_client(ConnectionDone())
        self.assertEqual(disconnected, [None], "both ends are lost")

    def test_client_is_gone_before_the_server_is_there(self) -> None:
        """So may a client; ``connect`` waits for the server all the same."""
        self.connect_client()
        self.lose_client(ConnectionDone())
        self.accept()
        self.assert_waits("the server's protocol is made, but not connected yet")
        self.connect_server()
        disconnected = self.disconnect()
        self.assertEqual(disconnected, [], "the server's end is there")
        self.lose_server(ConnectionDone())
        self.assertEqual(disconnected, [None], "both ends are lost")

    def test_cannot_connect(self) -> None:
        """If the client cannot connect, ``connect`` fails with that error."""
        factory = self.memory.tcpClients[0][2]
        factory.clientConnectionFailed(self.memory.connectors[0], Failure(ConnectError()))
        self.memory.port.stopped.callback(None)
        self.turn()
        kinds = [getattr(outcome, "type", outcome) for outcome in self.connected]
        self.assertEqual(kinds, [ConnectError])


class Flooding(Protocol):
    """A server that writes a lot, and reads nothing."""

    lost = False

    def connectionMade(self) -> None:
        self.transport.write(LARGE * b"x")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True


class Closing(Protocol):
    """A server that has nothing to say."""

    def connectionMade(self) -> None:
        self.transport.loseConnection()


class NetworkHardeningTests(TestCase):
    """Over TCP: data that is still to be written, and ends that close at once."""

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
        """The server still has megabytes to write when the client closes: both ends are lost."""
        server, client = Flooding(), Collecting()
        loopback = await connect(reactor, OneServer(server), client)
        await client.first
        await loopback.disconnect()
        self.assertTrue(server.lost, "the server's connection is still there")
        self.assertTrue(0 < len(client.received) < LARGE, f"{len(client.received)} bytes")

    async def test_large_body_to_the_server(self) -> None:
        """The client still has megabytes to write when it is told to close: they arrive."""
        server = Collecting()
        loopback = await connect(reactor, OneServer(server), Protocol())
        loopback.client.transport.write(LARGE * b"x")
        await loopback.disconnect()
        self.assertEqual(len(server.received), LARGE, "bytes at the server")
