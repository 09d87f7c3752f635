"""A helper for tests that really listen and really connect, and clean up behind them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure


class StillConnected(Exception):
    """Something has not gone away; the text names it."""


def called(protocol: Any, name: str) -> Deferred[None]:
    """Return a Deferred that fires when this method of the protocol has been called."""
    fired: Deferred[None] = Deferred()
    method = getattr(protocol, name)

    def call_and_fire(*args: Any) -> None:
        try:
            method(*args)
        finally:
            fired.callback(None)  # never the argument: a Failure would make it an errback

    setattr(protocol, name, call_and_fire)
    return fired


def connection_lost(protocol: Protocol) -> Deferred[None]:
    """Return a Deferred that fires when the protocol has lost its connection."""
    return called(protocol, "connectionLost")


class Loopback:
    """A server and a client on 127.0.0.1, which go away together."""

    def __init__(
        self,
        clock: IReactorTime,
        port: IListeningPort,
        client: Protocol,
        server_lost: Deferred[None],
        client_lost: Deferred[None],
        timeout: float = 3.0,
    ) -> None:
        self.port = port
        self.client = client
        self._clock = clock
        self._server_lost = server_lost
        self._client_lost = client_lost
        self._timeout = timeout
        self._waits: dict[str, Deferred[Any]] = {}

    def disconnect(self) -> Deferred[None]:
        """Close all; fire when the port and both ends of the connection are gone."""
        if not self._waits:
            self._waits = {
                "the port": maybeDeferred(self.port.stopListening),
                "the server's connection": self._server_lost,
                "the client's connection": self._client_lost,
            }
            self.client.transport.loseConnection()

        gone: Deferred[None] = Deferred()
        missing = list(self._waits)
        failures: list[Failure] = []

        def arrived(result: Any, name: str) -> None:
            missing.remove(name)
            if isinstance(result, Failure):
                failures.append(result)
            if not missing and timer.active():
                timer.cancel()
                gone.callback(failures[0] if failures else None)  # a Failure is an errback

        def late() -> None:
            names = ", ".join(missing)
            gone.errback(StillConnected(f"not gone after {self._timeout} s: {names}"))

        timer = self._clock.callLater(self._timeout, late)
        for name, wait in self._waits.items():
            wait.addBoth(arrived, name)
        return gone


class Accepting(Factory):
    """Lets another factory make the protocol, and tells when it is connected, and when lost."""

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.made: Deferred[None] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def buildProtocol(self, addr: IAddress) -> Any:
        """Return the other factory's protocol."""
        protocol = self._factory.buildProtocol(addr)
        called(protocol, "makeConnection").chainDeferred(self.made)
        connection_lost(protocol).chainDeferred(self.lost)
        return protocol


def connect(reactor: Any, factory: IProtocolFactory, client: Protocol) -> Deferred[Loopback]:
    """Listen on a free port of 127.0.0.1, connect to it, and fire when both ends are there."""
    return Deferred.fromCoroutine(_connect(reactor, factory, client))


async def _connect(reactor: Any, factory: IProtocolFactory, client: Protocol) -> Loopback:
    accepting = Accepting(factory)
    client_lost = connection_lost(client)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(accepting)
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    await connectProtocol(endpoint, client)
    await accepting.made
    return Loopback(reactor, port, client, accepting.lost, client_lost)
