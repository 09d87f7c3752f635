r"""For tests that really connect: a server and a client that really go away.

Trial fails a test that leaves a port or a connection behind, and rightly so.  But
``loseConnection`` only begins to close, so a test must wait for three things: the
port, the server's connection and the client's.  Trial has no shortcut for that.
This is one::

    class GreetingTests(TestCase):
        async def test_greeting(self):
            client = Client()
            loopback = await connect(reactor, HTTPFactory(hello), client)
            self.addCleanup(loopback.disconnect)
            client.transport.write(b"GET / HTTP/1.0\r\n\r\n")
            ...

It is of use for any protocol, not for HTTP alone.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

__all__ = ["Loopback", "StillConnected", "connect", "connection_lost"]


class StillConnected(Exception):
    """Something has not gone away; the text names it.

    It is ``the port``, ``the server's connection``, ``the client's connection``, or
    several of them.
    """


def connection_lost(protocol: IProtocol) -> Deferred[None]:
    """Return a Deferred that fires, with ``None``, when the protocol has lost its connection.

    The protocol's own ``connectionLost`` is called first, as ever.
    """
    return _called(protocol, "connectionLost")


class Loopback:
    """A server and a client on 127.0.0.1, which go away together; :func:`connect` makes one.

    :ivar port: where the server listens.
    :ivar client: the client's protocol.
    """

    def __init__(
        self,
        clock: IReactorTime,
        port: IListeningPort,
        client: Any,
        server_lost: Deferred[None],
        client_lost: Deferred[None],
        timeout: float = 3.0,
    ) -> None:
        """Keep what must go away.

        :param clock: what tells the time, for ``timeout``.
        :param server_lost: fires when the server's connection is lost.
        :param client_lost: fires when the client's connection is lost.
        :param timeout: how many seconds all that may take: less than a test may take.
        """
        self.port = port
        self.client = client
        self._clock = clock
        self._server_lost = server_lost
        self._client_lost = client_lost
        self._timeout = timeout
        self._waits: dict[str, Deferred[Any]] = {}

    def disconnect(self) -> Deferred[None]:
        """Stop listening, close the client's connection, and wait for three things.

        It may be called again: then it waits for the same three things.

        :returns: a Deferred that fires, with ``None``, when the port has stopped
            listening, the server's connection is lost and the client's is lost.  It
            fails with :class:`StillConnected` after ``timeout`` seconds, or with the
            failure of the port to stop, when the others are gone.
        """
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
                if failures:
                    gone.errback(failures[0])
                else:
                    gone.callback(None)

        def late() -> None:
            names = ", ".join(missing)
            gone.errback(StillConnected(f"not gone after {self._timeout} s: {names}"))

        timer = self._clock.callLater(self._timeout, late)
        for name, wait in self._waits.items():
            wait.addBoth(arrived, name)
        return gone


def connect(reactor: Any, factory: IProtocolFactory, client: IProtocol) -> Deferred[Loopback]:
    """Listen on a free port of 127.0.0.1, and connect to it.

    :param reactor: the reactor that Trial runs.
    :param factory: makes the server's protocol.
    :param client: the client's protocol.
    :returns: a Deferred that fires when both ends are connected.
    """
    return Deferred.fromCoroutine(_connect(reactor, factory, client))


async def _connect(reactor: Any, factory: IProtocolFactory, client: IProtocol) -> Loopback:
    accepting = _Accepting(factory)
    client_lost = connection_lost(client)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(accepting)
    try:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        await connectProtocol(endpoint, client)
        await accepting.made
    except Exception:
        await maybeDeferred(port.stopListening)
        raise
    return Loopback(reactor, port, client, accepting.lost, client_lost)


class _Accepting(Factory):
    """Lets another factory make the protocol; tells when it is connected, and when lost.

    It looks at the protocol before that is connected: a server may close at once.
    """

    noisy = False

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.made: Deferred[None] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol: Any = self._factory.buildProtocol(addr)  # type: ignore[arg-type]
        _called(protocol, "makeConnection").chainDeferred(self.made)
        connection_lost(protocol).chainDeferred(self.lost)
        return protocol


def _called(protocol: Any, name: str) -> Deferred[None]:
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
