"""``python -m workshop.ready``: show that this machine can do all that the workshop needs.

The finished server is started on a free port, and asked by its own client.
"""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import react
from zope.interface import implementer

from toyhttp import HTTPFactory, Request, Response, ResponseError, get
from toyhttp.loopback import Loopback, StillConnected, connect

PATIENCE = 5.0  # seconds
GREETING = b"hello, world\n"

BROKEN = """\
workshop: A program on this machine cannot connect to another one on it: {error}
Does a firewall, or what calls itself security software, keep Python from listening on
127.0.0.1, or from connecting to it? Only stage 8 needs it, and who looks at a server of
their own with a browser. All other stages can be done without."""


def hello(request: Request) -> Response:
    """Answer anything."""
    return Response(200, [(b"Content-Type", b"text/plain")], GREETING)


@implementer(IStreamClientEndpoint)
class ServedEndpoint:
    """An endpoint behind which the finished server stands, on a free port of 127.0.0.1.

    :ivar loopback: both ends of the connection; ``None`` until it is made.
    :ivar port: the server's.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.loopback: Loopback | None = None
        self.port = 0

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        client: Any = factory.buildProtocol(None)  # type: ignore[arg-type]
        server = HTTPFactory(hello, self._reactor)
        self.loopback = await connect(self._reactor, server, client)
        self.port = client.transport.getPeer().port
        return client  # type: ignore[no-any-return]


def ask(reactor: Any) -> Deferred[int]:
    """Start the finished server, ask it, and wait until both are gone.

    :returns: a Deferred of the port that the server listened on.  It fails if anything else
        happens than an answer, or if there is none after ``PATIENCE`` seconds.
    """
    return Deferred.fromCoroutine(_ask(reactor))


async def _ask(reactor: Any) -> int:
    endpoint = ServedEndpoint(reactor)
    try:
        response = await get(reactor, "http://127.0.0.1/", endpoint, PATIENCE)
    finally:
        if endpoint.loopback is not None:
            await endpoint.loopback.disconnect()
    if response.body != GREETING:
        raise ValueError(f"it sent {response}")
    return endpoint.port


async def main(reactor: Any) -> int:
    """Say whether all works, and return the exit code."""
    try:
        port = await ask(reactor)
    except (CannotListenError, ConnectError, ResponseError, StillConnected) as error:
        print(BROKEN.format(error=error), file=sys.stderr)
        return 1
    text = f"All works here: the finished server ran on port {port}, and answered its client."
    Console(highlight=False).print(text, style="green", soft_wrap=True)
    return 0


async def _exit(reactor: Any) -> None:
    sys.exit(await main(reactor))


if __name__ == "__main__":
    react(_exit)
