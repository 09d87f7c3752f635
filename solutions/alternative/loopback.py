"""A helper for tests that really listen and really connect, and clean up behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

LOCALHOST = "127.0.0.1"

PORT = "the port"
SERVER = "the server's connection"
CLIENT = "the client's connection"


class StillConnected(Exception):
    """Something has not gone away.

    The text names what is still there: ``the port``, ``the server's connection``,
    ``the client's connection``.
    """


def _fire(deferred: Deferred[None]) -> None:
    """Fire a Deferred, if it has not fired."""
    if not deferred.called:
        deferred.callback(None)


def connection_lost(protocol: Protocol) -> Deferred[None]:
    """Return a Deferred that fires, with ``None``, when ``protocol`` has lost its connection.

    The protocol's own ``connectionLost`` is called first, as ever.
    """
    lost: Deferred[None] = Deferred()
    before = protocol.connectionLost

    def connectionLost(reason: Failure = connectionDone) -> None:
        try:
            before(reason)
        finally:
            _fire(lost)

    protocol.connectionLost = connectionLost  # type: ignore[method-assign]
    return lost


class Loopback:
    """A server and a client on 127.0.0.1, which go away together.

    :param clock: what tells the time, for ``timeout``.
    :param port: where the server listens.
    :param client: the client's protocol, which is connected.
    :param server_lost: fires when the server's connection is lost.
    :param client_lost: fires when the client's connection is lost.
    :param timeout: how many seconds all that may take.
    """

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
        self._timeout = timeout
        self._missing = {PORT: True, SERVER: True, CLIENT: True}
        self._connections = [
            self._noted(SERVER, server_lost),
            self._noted(CLIENT, client_lost),
        ]
        self._begun = False
        self._ended = False
        self._failure: Failure | None = None
        self._waiting: list[Deferred[None]] = []

    def disconnect(self) -> Deferred[None]:
        """Stop listening, close the client's connection, and wait for three things.

        :returns: a Deferred, of each caller's own, that fires, with ``None``, when the port
            has stopped listening, the server's connection is lost and the client's is lost.
            It fails with ``StillConnected`` after ``timeout`` seconds; or, when the three have
            ended, with the failure of one of them.  It may be called again: then it waits for
            the same three things, and as long.
        """
        gone: Deferred[None] = Deferred()
        gone.addTimeout(self._timeout, self._clock, self._too_late)
        self._waiting.append(gone)
        if not self._begun:
            self._begun = True
            self._begin()
        elif self._ended:
            self._tell_all()
        return gone

    def _begin(self) -> None:
        """Begin to end all three at once, and wait for them in whatever order they end."""
        stop: Callable[[], Any] = self.port.stopListening
        stopped = self._noted(PORT, maybeDeferred(stop))
        if self._missing[CLIENT]:
            assert self.client.transport is not None
            self.client.transport.loseConnection()
        three = DeferredList([stopped, *self._connections], consumeErrors=True)
        three.addCallback(self._all_ended)

    def _noted(self, name: str, end: Deferred[None]) -> Deferred[None]:
        """Note when this one has ended, well or not."""

        def note(result: Any) -> Any:
            self._missing[name] = False
            return result

        return end.addBoth(note)

    def _all_ended(self, results: list[tuple[bool, Any]]) -> None:
        """Keep the first failure, and tell those who wait."""
        self._ended = True
        self._failure = next((result for success, result in results if not success), None)
        self._tell_all()

    def _tell_all(self) -> None:
        """Tell those who wait how it ended."""
        waiting, self._waiting = self._waiting, []
        for gone in waiting:
            if gone.called:
                continue  # it was too late
            if self._failure is None:
                gone.callback(None)
            else:
                gone.errback(self._failure)

    def _too_late(self, result: object, timeout: float) -> None:
        """Name what is still there, in place of a bare ``TimeoutError``."""
        names = ", ".join(name for name, missing in self._missing.items() if missing)
        raise StillConnected(f"not gone after {timeout} s: {names}")


class _Accepting(Factory):
    """Makes what another factory makes, and tells when the first of it is connected.

    :ivar accepted: fires when the server's protocol is connected, with a list of the Deferred
        that fires when that is lost.  (A Deferred cannot be the result of another one.)
    """

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.accepted: Deferred[list[Deferred[None]]] = Deferred()

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        """Build the other factory's protocol."""
        try:
            protocol = self._factory.buildProtocol(addr)
        except Exception:
            self._refused(Failure())
            raise
        if protocol is None:
            self._refused(Failure(ConnectError(string="The factory made no protocol.")))
        elif not self.accepted.called:
            self._watch(protocol)
        return protocol

    def _refused(self, reason: Failure) -> None:
        if not self.accepted.called:
            self.accepted.errback(reason)

    def _watch(self, protocol: Any) -> None:
        """Tell when this one is connected.  It may be lost before it has heard of that."""
        lost = connection_lost(protocol)
        before = protocol.makeConnection

        def makeConnection(transport: Any) -> None:
            before(transport)
            if not self.accepted.called:
                self.accepted.callback([lost])

        protocol.makeConnection = makeConnection


async def _connect(reactor: Any, factory: IProtocolFactory, client: Protocol) -> Loopback:
    """Listen, connect, and wait for both ends; if that fails, leave nothing behind."""
    accepting = _Accepting(factory)
    client_lost = connection_lost(client)
    listening = TCP4ServerEndpoint(reactor, 0, interface=LOCALHOST)
    port = await listening.listen(accepting)
    try:
        connecting = TCP4ClientEndpoint(reactor, LOCALHOST, port.getHost().port)
        await connectProtocol(connecting, client)
        (server_lost,) = await accepting.accepted
    except Exception:
        # The server's mistake may be known already, and is not reported twice.
        accepting.accepted.addErrback(lambda _: None)
        if client.connected and not client_lost.called:
            assert client.transport is not None
            client.transport.loseConnection()
            await client_lost
        await maybeDeferred(port.stopListening)
        raise
    return Loopback(reactor, port, client, server_lost, client_lost)


def connect(reactor: Any, factory: IProtocolFactory, client: Protocol) -> Deferred[Loopback]:
    """Listen on a free port of 127.0.0.1, and connect to it.

    :param factory: makes the server's protocol.
    :param client: the client's protocol.
    :returns: a Deferred that fires with a ``Loopback`` when both ends are connected.
    """
    return ensureDeferred(_connect(reactor, factory, client))
