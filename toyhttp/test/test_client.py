"""The client, beyond what the tests of stage 11 ask for."""

from __future__ import annotations

import tracemalloc
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IAddress, IProtocolFactory, IStreamClientEndpoint
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from toyhttp import HTTPChannel, HTTPFactory, Request, Response
from toyhttp.client import BadResponse, ResponseReader, get
from toyhttp.loopback import connection_lost

timeout = 5  # seconds


class ReaderTests(TestCase):
    """From chunks of bytes to a response."""

    def read(self, answer: bytes, closed: bool = True) -> Response | None:
        """Read an answer that came in one chunk."""
        reader = ResponseReader(1024, 1024)
        reader.feed(answer)
        return reader.response(closed)

    def test_folded_field(self) -> None:
        """A header field may go on in the next line (RFC 1945, 2.2)."""
        response = self.read(b"HTTP/1.0 200 OK\r\nA: b\r\n  c\r\n\r\n")
        assert response is not None
        self.assertEqual(response.headers, ((b"A", b"b c"),))

    def test_too_many_fields(self) -> None:
        """More header fields than anybody needs are an error."""
        self.assertRaises(
            BadResponse, self.read, b"HTTP/1.0 200 OK\r\n" + 101 * b"A: b\r\n" + b"\r\n"
        )

    def test_closed_in_the_head(self) -> None:
        """Half a head is no response, even if no more will come."""
        self.assertIsNone(self.read(b"HTTP/1.0 200 OK\r\n"))

    def test_large_body_in_small_pieces(self) -> None:
        """The memory for a body is a few times its size, however it is cut."""
        size = 1024 * 1024
        reader = ResponseReader(1024, size)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        reader.feed(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 64):
            self.assertIsNone(reader.response())
            reader.feed(64 * b"x")
        response = reader.response()
        assert response is not None and isinstance(response.body, bytes)
        self.assertEqual(len(response.body), size)
        self.assertLess(tracemalloc.get_traced_memory()[1], 5 * size)


class Server(HTTPFactory):
    """Remembers when its connection is lost."""

    lost: Deferred[None]

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new channel."""
        protocol = super().buildProtocol(addr)
        self.lost = connection_lost(protocol)
        return protocol


@implementer(IStreamClientEndpoint)
class Endpoint(TCP4ClientEndpoint):
    """Remembers when its connection is lost."""

    lost: Deferred[None]

    async def _remember(self, connecting: Deferred[Any]) -> Any:
        protocol = await connecting
        self.lost = connection_lost(protocol)
        return protocol

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:  # noqa: N803
        """Begin to connect."""
        connecting = super().connect(protocolFactory)
        return Deferred.fromCoroutine(self._remember(connecting))


class OverTCPTests(TestCase):
    """The client and the server, over a real network."""

    async def test_get(self) -> None:
        """What the handler answers is what the client gets; then three things go away."""

        def handler(request: Request) -> Response:
            return Response(200, [(b"A", b"b")], request.target * 100_000)

        server = Server(handler)
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(server)
        endpoint = Endpoint(reactor, "127.0.0.1", port.getHost().port)
        response = await get(reactor, "http://example.org/c?d", endpoint)
        for gone in (maybeDeferred(port.stopListening), server.lost, endpoint.lost):
            await gone
        self.assertEqual((response.status, response.body), (200, b"/c?d" * 100_000))
        self.assertIn((b"A", b"b"), response.headers)
