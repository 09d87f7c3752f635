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
    :ivar server_lost: fires, with ``None``, when the server's connection is lost.
    :ivar client_lost: fires, with ``None``, when the client's connection is lost.
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
        :param timeout: how many seconds all that may take: less than a test may take.
        """
        self.port = port
        self.client = client
        self._clock = clock
        self.server_lost = server_lost
        self.client_lost = client_lost
        self._timeout = timeout
        self._waits: dict[str, Deferred[Any]] = {}
        self._failures: list[Failure] = []

    def disconnect(self) -> Deferred[None]:
        """Stop listening, close the client's connection, and wait for three things.

        It may be called again: then it waits for the same three things.

        :returns: a Deferred that fires, with ``None``, when the port has stopped
            listening, the server's connection is lost and the client's is lost.  It
            fails with :class:`StillConnected` after ``timeout`` seconds, or with the
            failure of one of the three, when the others are gone.
        """
        if not self._waits:
            self._waits = {
                "the port": maybeDeferred(self.port.stopListening),
                "the server's connection": self.server_lost,
                "the client's connection": self.client_lost,
            }
            self.client.transport.loseConnection()

        gone: Deferred[None] = Deferred()
        missing = list(self._waits)

        def arrived(result: Any, name: str) -> None:
            missing.remove(name)
            if isinstance(result, Failure):
                self._failures.append(result)
            if not missing and timer.active():
                timer.cancel()
                if self._failures:
                    gone.errback(self._failures[0])
                else:
                    gone.callback(None)

        def late() -> None:
            text = f"not gone after {self._timeout} s: {', '.join(missing)}"
            errors = [f" ({failure.getErrorMessage()})" for failure in self._failures]
            gone.errback(StillConnected(text + "".join(errors)))

        timer = self._clock.callLater(self._timeout, late)
        for name, wait in self._waits.items():
            wait.addBoth(arrived, name)
        return gone


def connect(reactor: Any, factory: IProtocolFactory, client: IProtocol) -> Deferred[Loopback]:
    """Listen on a free port of 127.0.0.1, and connect to it.

    :param reactor: the reactor that Trial runs.
    :param factory: makes the server's protocol.
    :param client: the client's protocol.
    :returns: a Deferred that fires when both ends are connected.  If that fails, or the
        factory makes no protocol, it fails, and nothing is left.
    """
    return Deferred.fromCoroutine(_connect(reactor, factory, client))


async def _connect(reactor: Any, factory: IProtocolFactory, client: IProtocol) -> Loopback:
    accepting = _Accepting(factory)
    client_lost = connection_lost(client)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(accepting)
    try:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        await connectProtocol(endpoint, client)
        try:
            await accepting.made
        except Exception:
            await client_lost  # the reactor has closed what nobody accepted
            raise
    except Exception:
        await maybeDeferred(port.stopListening)
        raise
    return Loopback(reactor, port, client, accepting.lost, client_lost)


class _Accepting(Factory):
    """Lets another factory make the protocol; tells when it is connected, and when lost.

    It looks at the protocol before that is connected: a server may close at once.  It
    looks at the first one alone: who connects once more must wait for that, too.
    """

    noisy = False

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.made: Deferred[None] = Deferred()
        self.lost: Deferred[None] = Deferred()
        self._first = True

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        first, self._first = self._first, False
        try:
            protocol: Any = self._factory.buildProtocol(addr)  # type: ignore[arg-type]
            if protocol is None:
                raise ValueError("the factory made no protocol")
        except Exception:
            if first:
                self.made.errback()
            return None
        if first:
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
