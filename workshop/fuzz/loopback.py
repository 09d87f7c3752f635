"""Stage 8: the law of the three things, with fakes; and what is asked of a reactor."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from .drawing import Draw
from .world import counting_errors

NAMES = ("the port", "the server's connection", "the client's connection")
FREE = 40123  # the number of a free port
SECONDS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up what happens while three things go away, or while two ends connect."""
    how = draw.choice(("law", "law", "law", "connect", "connect", "lost"))
    events: list[tuple[Any, ...]] = []
    if how == "lost":
        return (how, draw.choice(("done", "lost")), draw.one_in(3), draw.one_in(3))
    for _ in range(draw.choice((3, 5, 8))):
        what = draw.choice(("disconnect", "port", "server", "client", "advance", "advance"))
        if what == "advance":
            events.append((what, draw.choice(SECONDS)))
        elif what == "port":
            events.append((what, draw.one_in(4)))
        else:
            events.append((what, draw.choice(("done", "done", "lost"))))
    if draw.randrange(4):
        events.insert(draw.randrange(3), ("disconnect", ""))
    if how == "law":
        port = draw.choice(("later", "later", "later", "none", "raises", "at once"))
        wait = draw.choice((None, 2.0, 1.0, 0.5, 3.0))
        return (how, port, wait, draw.choice(("later", "at once")), tuple(events))
    order = draw.choice(("client first", "server first", "late server", "no server", "refused"))
    return (how, order, draw.choice(("later", "none")), tuple(events))


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Let it happen, and tell what each Deferred has come to, and whether errors are logged."""
    module = load("loopback")
    plays: dict[str, Callable[..., Any]] = {"law": law, "lost": lost, "connect": connecting}
    with counting_errors() as errors:
        seen = plays[given[0]](module, *given[1:])
        gc.collect(0)
        return seen, errors()


class Port:
    """A port that stops when the test says so, or at once, or cannot."""

    def __init__(self, how: str) -> None:
        self.how, self.calls = how, 0
        self.stopped: Deferred[None] = Deferred()

    def stopListening(self) -> Deferred[None] | None:
        """Begin to stop."""
        self.calls += 1
        if self.how == "raises":
            raise RuntimeError("it cannot stop")
        if self.how == "at once" and not self.stopped.called:
            self.stopped.callback(None)
        return None if self.how == "none" else self.stopped


class Watched:
    """The Deferreds that callers were given, and what has come of them."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    def add(self, deferred: Any) -> None:
        """Watch one more."""
        number = len(self.states)
        self.states.append("nothing yet")

        def done(result: Any) -> None:
            self.states[number] = ("again", self.states[number])
            if isinstance(result, Failure):
                text = str(result.value)
                told = [name for name in NAMES if name in text]
                kind = type(result.value).__name__
                self.states[number] = (kind, told if kind == "StillConnected" else text)
            else:
                self.states[number] = ("fired", None if result is None else type(result).__name__)

        deferred.addBoth(done)


def fire(deferred: Deferred[None], failure: Exception | None = None) -> None:
    """Fire a Deferred, if nobody has."""
    if not deferred.called:
        if failure is None:
            deferred.callback(None)
        else:
            deferred.errback(failure)


def law(module: Any, port_kind: str, wait: float | None, closes: str, events: Any) -> Any:
    """Play the three things."""
    clock, port, watched = Clock(), Port(port_kind), Watched()
    server, client = Deferred[None](), Deferred[None]()
    protocol = Protocol()

    class Wire(StringTransport):
        closings = 0

        def loseConnection(self) -> None:
            Wire.closings += 1
            super().loseConnection()
            if closes == "at once":
                fire(client)

    wire = Wire()
    protocol.makeConnection(wire)
    more = () if wait is None else (wait,)
    loopback = module.Loopback(clock, port, protocol, server, client, *more)
    seen: list[Any] = [loopback.port is port, loopback.client is protocol]
    asked, was_there = 0, True  # whether the client is there when it is to be closed
    for what, value in events:
        try:
            if what == "disconnect":
                asked += 1
                watched.add(loopback.disconnect())
            elif what == "port" and asked:
                fire(port.stopped, OSError("it cannot stop") if value else None)
            elif what == "server":
                fire(server)
            elif what == "client":
                was_there = was_there and wire.closings > 0
                fire(client)
            elif what == "advance":
                clock.advance(value)
        except Exception as error:
            seen.append(type(error).__name__)
        closed = was_there and wire.closings > 0, wire.disconnected
        seen.append((list(watched.states), port.calls, closed))
    for deferred in (port.stopped, server, client):
        fire(deferred)
    seen.append((list(watched.states), port.calls, len(clock.getDelayedCalls())))
    clock.advance(100)
    seen.append((list(watched.states), port.calls, len(clock.getDelayedCalls())))
    return seen


class Noting(Protocol):
    """Notes what it is told."""

    def __init__(self, raises: bool = False) -> None:
        self.told: list[str] = []
        self.raises = raises

    def connectionMade(self) -> None:
        self.told.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.told.append(repr(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.told.append(type(reason.value).__name__)
        if self.raises:
            raise RuntimeError("it raises")


def lost(module: Any, reason: str, raises: bool, twice: bool) -> Any:
    """Play the loss of a connection."""
    protocol, watched = Noting(raises), Watched()
    watched.add(module.connection_lost(protocol))
    if twice:
        watched.add(module.connection_lost(protocol))
    protocol.makeConnection(StringTransport())
    seen = [list(watched.states)]
    kind = ConnectionDone if reason == "done" else ConnectionLost
    try:
        protocol.connectionLost(Failure(kind("gone")))
    except RuntimeError:
        seen.append(["raised"])
    return [*seen, list(watched.states), protocol.told]


@implementer(ITransport)
class End(StringTransport):
    """One end of a connection in memory."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.is_lost = False

    def lose(self, reason: str) -> None:
        """Lose the connection."""
        if not self.is_lost:
            self.is_lost = True
            kind = ConnectionDone if reason == "done" else ConnectionLost
            self.protocol.connectionLost(Failure(kind("gone")))


class Reactor(MemoryReactorClock):
    """A reactor in memory, of which the free port has a number."""

    def listenTCP(self, port: int, *arguments: Any, **names: Any) -> Any:
        """Listen on this port; on a free one if it is 0."""
        listening = super().listenTCP(port, *arguments, **names)
        address = listening.getHost()
        free = IPv4Address("TCP", address.host, port or FREE)
        listening.getHost = lambda: free
        return listening


def connecting(module: Any, order: str, port_kind: str, events: Any) -> Any:
    """Play the reactor while two ends connect, and then go away."""
    watched, client = Watched(), Noting()
    servers: list[Noting] = []

    class Servers(Factory):
        def buildProtocol(self, addr: Any) -> Noting:
            servers.append(Noting())
            return servers[-1]

    loopbacks: list[Any] = []
    reactor = Reactor()
    result = module.connect(reactor, Servers(), client)

    def keep(loopback: Any) -> Any:
        loopbacks.append(loopback)
        return loopback

    result.addCallback(keep)
    watched.add(result)
    if len(reactor.tcpServers) != 1 or len(reactor.tcpClients) != 1:
        return len(reactor.tcpServers), len(reactor.tcpClients), watched.states
    server_side: Any = reactor.tcpServers[0]
    port, listening, _, interface = server_side
    client_side: Any = reactor.tcpClients[0]
    host, number, connector, *_ = client_side
    seen: list[Any] = [port, interface, host, number, list(watched.states), list(client.told)]
    ends: dict[str, End] = {}

    def build() -> None:
        ends["server"] = End(listening.buildProtocol(None))

    def accept() -> None:
        if "server" not in ends:
            build()
        ends["server"].protocol.makeConnection(ends["server"])

    def succeed() -> None:
        protocol = connector.buildProtocol(None)
        ends["client"] = End(protocol)
        protocol.makeConnection(ends["client"])

    if order == "refused":
        connector.clientConnectionFailed(None, Failure(ConnectionLost("refused")))
        return [*seen, list(watched.states)]
    steps = {
        "client first": (succeed, accept),
        "server first": (accept, succeed),
        "late server": (build, succeed, accept),
        "no server": (succeed,),
    }
    for step in steps[order]:
        step()
        reactor.advance(0)
        reactor.advance(0)
        seen.append((list(watched.states), list(client.told), [each.told for each in servers]))
    stopped: Deferred[None] = Deferred()
    calls: list[int] = []

    def stopping() -> Deferred[None] | None:
        calls.append(1)
        return None if port_kind == "none" else stopped

    for loopback in loopbacks:
        seen.append(loopback.client is client)
        loopback.port.stopListening = stopping
    for what, value in events:
        if what == "disconnect" and loopbacks:
            watched.add(loopbacks[0].disconnect())
        elif what == "advance":
            reactor.advance(value)
        elif what == "port" and loopbacks:
            fire(stopped, OSError("it cannot stop") if value and calls else None)
        elif what in ends:
            ends[what].lose(value)
        reactor.advance(0)
        closing = {name: (end.disconnecting, end.disconnected) for name, end in ends.items()}
        told = [each.told[-1:] for each in servers]
        seen.append((list(watched.states), sum(calls), closing.get("client"), told))
    for end in ends.values():
        end.lose("done")
    fire(stopped)
    seen.append((list(watched.states), sum(calls), len(reactor.getDelayedCalls())))
    reactor.advance(100)
    return [*seen, list(watched.states)]
