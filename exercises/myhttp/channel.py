"""Where bytes meet the transport: a protocol for each connection.

You begin this module in stage 4 (``exercises/stage4/README.md`` says how) and
come back to it in stages 5, 6, 7 and 10.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol

from .request import Request
from .response import Response


class HTTPChannel(Protocol):
    """One connection: reads a request, asks the handler, writes its response, closes.

    :param handler: what answers: called with a ``Request``, it returns a ``Response``.
    :param clock: what tells the time: ``clock.seconds()``, for ``Date``.
    """

    def __init__(self, handler: Callable[[Request], Response], clock: IReactorTime) -> None:
        raise NotImplementedError("Stage 4: HTTPChannel is not written yet.")

    def dataReceived(self, data: bytes) -> None:
        """Take the bytes that came next, from the transport."""
        raise NotImplementedError("Stage 4: HTTPChannel.dataReceived is not written yet.")


class HTTPFactory(Factory):
    """Makes an ``HTTPChannel`` for each connection.

    :param handler: see ``HTTPChannel``.
    :param clock: see ``HTTPChannel``; the reactor is one.
    """

    def __init__(self, handler: Callable[[Request], Response], clock: IReactorTime) -> None:
        raise NotImplementedError("Stage 4: HTTPFactory is not written yet.")

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new ``HTTPChannel`` for a client that connects from ``addr``."""
        raise NotImplementedError("Stage 4: HTTPFactory.buildProtocol is not written yet.")
