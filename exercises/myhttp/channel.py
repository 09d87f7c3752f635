"""Where bytes meet the transport: a protocol for each connection.

You begin this module in stage 4 (``exercises/stage4/README.md`` says how) and
come back to it in stages 5, 6, 7, 9 and 10.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol

from .request import Request
from .response import Response

Handler = Callable[[Request], "Response | Deferred[Response]"]
"""What answers: called with a ``Request``, it returns a ``Response``; from stage 5 on
it may also return a Deferred of one."""


class HTTPChannel(Protocol):
    """One connection: reads a request, asks the handler, writes its response, closes.

    :param handler: what answers.
    :param clock: what tells the time: ``clock.seconds()`` for ``Date``, and from
        stage 6 on ``clock.callLater`` for the timeouts.

    In stage 6 it also takes the timeouts of ``HTTPFactory``.
    """

    def __init__(self, handler: Handler, clock: IReactorTime) -> None:
        raise NotImplementedError("Stage 4: HTTPChannel is not written yet.")

    def dataReceived(self, data: bytes) -> None:
        """Take the bytes that came next, from the transport."""
        raise NotImplementedError("Stage 4: HTTPChannel.dataReceived is not written yet.")


class HTTPFactory(Factory):
    """Makes an ``HTTPChannel`` for each connection.

    :param handler: what answers.
    :param clock: what tells the time; the reactor is one.

    The timeouts come in stage 6; all are in seconds:

    :param idle_timeout: how long a client may send nothing before its request is complete;
        from stage 10 on also behind an answer, before its next request.
    :param request_timeout: how long it may take to send its whole request.
    :param close_timeout: how long it may take to read its answer.
    """

    def __init__(
        self,
        handler: Handler,
        clock: IReactorTime,
        idle_timeout: float = 15.0,
        request_timeout: float = 60.0,
        close_timeout: float = 15.0,
    ) -> None:
        raise NotImplementedError("Stage 4: HTTPFactory is not written yet.")

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new ``HTTPChannel`` for a client that connects from ``addr``."""
        raise NotImplementedError("Stage 4: HTTPFactory.buildProtocol is not written yet.")
