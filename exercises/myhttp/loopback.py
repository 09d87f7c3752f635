"""A helper for tests that really listen and really connect, and clean up behind them.

You write this module in stage 8. ``exercises/stage8/README.md`` says how.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Protocol


class StillConnected(Exception):
    """Something has not gone away. This class is complete: there is nothing to write in it.

    The text names what is still there: ``the port``, ``the server's connection``,
    ``the client's connection``.
    """


def connection_lost(protocol: Protocol) -> Deferred[None]:
    """Return a Deferred that fires, with ``None``, when ``protocol`` has lost its connection.

    The protocol's own ``connectionLost`` is called first, as ever.
    """
    raise NotImplementedError("Stage 8: connection_lost is not written yet.")


class Loopback:
    """A server and a client on 127.0.0.1, which go away together.

    :param clock: what tells the time, for ``timeout``.
    :param port: where the server listens.
    :param client: the client's protocol, which is connected.
    :param server_lost: fires when the server's connection is lost.
    :param client_lost: fires when the client's connection is lost.
    :param timeout: how many seconds all that may take.
    :ivar port: as it was given.
    :ivar client: as it was given.
    """

    port: IListeningPort
    client: Protocol

    def __init__(
        self,
        clock: IReactorTime,
        port: IListeningPort,
        client: Protocol,
        server_lost: Deferred[None],
        client_lost: Deferred[None],
        timeout: float = 3.0,
    ) -> None:
        raise NotImplementedError("Stage 8: Loopback is not written yet.")

    def disconnect(self) -> Deferred[None]:
        """Stop listening, close the client's connection, and wait for three things.

        :returns: a Deferred that fires, with ``None``, when the port has stopped
            listening, the server's connection is lost and the client's is lost. It
            fails with ``StillConnected`` after ``timeout`` seconds, or with the error
            of ``stopListening``. It may be called again: then it waits for what is
            still missing.
        """
        raise NotImplementedError("Stage 8: Loopback.disconnect is not written yet.")


def connect(reactor: Any, factory: IProtocolFactory, client: Protocol) -> Deferred[Loopback]:
    """Listen on a free port of 127.0.0.1, and connect to it.

    :param factory: makes the server's protocol.
    :param client: the client's protocol.
    :returns: a Deferred that fires with a ``Loopback`` when both ends are connected, or
        fails with the error of the connection.
    """
    raise NotImplementedError("Stage 8: connect is not written yet.")
