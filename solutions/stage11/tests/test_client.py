"""Stage 11: your list. This is the list of the solution; yours may be another one.

They are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage11``
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHostnameResolver,
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IStreamClientEndpoint,
)
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from exercises.myhttp.client import BadResponse, LateResponse, PartialResponse, get
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
WITH_LENGTH = HEAD + b"Content-Length: 5\r\n\r\nhello"
UNTIL_CLOSED = HEAD + b"\r\nhello"


@implementer(IStreamClientEndpoint)
class Endpoint:
    """An endpoint that connects when the test says so, to a transport in memory."""

    attempt: Deferred[Any] | None = None
    cancelled = False

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Begin to connect."""
        self.factory = factory
        self.attempt = Deferred(self.cancel)
        return self.attempt

    def cancel(self, attempt: Deferred[Any]) -> None:
        """Remember that nobody waits for the connection any more."""
        self.cancelled = True

    def succeed(self) -> tuple[Any, Any]:
        """Connect; return the client's protocol and its transport."""
        protocol: Any = self.factory.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        if not self.cancelled:
            self.attempt.callback(protocol)
        return protocol, transport


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class Reactor(MemoryReactorClock):
    """A reactor in memory, that knows the address of every host."""

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, name: str, **options: Any) -> Any:
        """Say at once where a host is."""
        receiver.resolutionBegan(self)
        receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", options["portNumber"]))
        receiver.resolutionComplete()
        return receiver


class ClientTestCase(TestCase):
    """What all tests of this stage have in common; it has no test itself."""

    def begin(self, url: str = "http://example.org/", **limits: Any) -> Deferred[Response]:
        """Call ``get`` with a clock and an endpoint of the test's."""
        self.clock = Clock()
        self.endpoint = Endpoint()
        return get(self.clock, url, self.endpoint, **limits)

    def connect(self, url: str = "http://example.org/", **limits: Any) -> Deferred[Response]:
        """Call ``get``, and let it connect."""
        response = self.begin(url, **limits)
        self.protocol, self.transport = self.endpoint.succeed()
        return response

    def receive(self, data: bytes, *, then: type[Exception] | None = None) -> None:
        """Let the client receive bytes, and perhaps lose its connection."""
        self.protocol.dataReceived(data)
        if then is not None:
            self.protocol.connectionLost(Failure(then()))

    def assert_nothing_is_left(self) -> None:
        """See that the connection is closed, and no timer runs."""
        closed = self.transport.disconnecting or self.transport.disconnected
        self.assertTrue(closed, "the connection is open")
        self.assertEqual(self.clock.getDelayedCalls(), [])


class RequestTests(ClientTestCase):
    """What the client sends."""

    def test_request(self) -> None:
        """The request line has the path and the query, and Host is as in the URL."""
        expected = {
            "http://example.org/a/b?c=d": (b"GET /a/b?c=d HTTP/1.0", b"Host: example.org"),
            "http://example.org:8080/": (b"GET / HTTP/1.0", b"Host: example.org:8080"),
            "http://example.org": (b"GET / HTTP/1.0", b"Host: example.org"),
            "http://example.org?a": (b"GET /?a HTTP/1.0", b"Host: example.org"),
            "http://example.org/a%20b#c": (b"GET /a%20b HTTP/1.0", b"Host: example.org"),
            "HTTP://example.org/A": (b"GET /A HTTP/1.0", b"Host: example.org"),
        }
        for url, (request_line, host) in expected.items():
            self.connect(url)
            lines = self.transport.value().split(b"\r\n")
            self.assertEqual((lines[0], lines[-2:]), (request_line, [b"", b""]), url)
            self.assertIn(host, lines[1:-2], url)

    def test_nothing_before_it_is_connected(self) -> None:
        """It connects once, and writes when it is connected."""
        response = self.begin()
        self.assertIsNotNone(self.endpoint.attempt)
        self.assertNoResult(response)

    def test_without_an_endpoint(self) -> None:
        """It connects to the host and the port of the URL; 80, if it names none."""
        expected = {"http://127.0.0.1:8080/": 8080, "http://127.0.0.1": 80}
        for url, port in expected.items():
            reactor = Reactor()
            response = get(reactor, url)
            reactor.advance(1)
            self.assertEqual(reactor.tcpClients[0][:2], ("127.0.0.1", port))
            response.cancel()
            self.failureResultOf(response, CancelledError)

    def test_bad_url(self) -> None:
        """What is no URL of HTTP is an error at once, and nothing is connected."""
        urls = ["", "/a", "example.org", "ftp://example.org/", "http://", "http:///a", "https://a/"]
        urls += [
            "http://a b/",
            "http://a/b c",
            "http://a/\r\nX: y",
            "http://a/\x00",
            "http://a/\u00e9",
        ]
        urls += ["http://a:b/", "http://a:99999/", "http://user@a/", "http://a/\n"]
        for url in urls:
            self.assertRaises(ValueError, self.begin, url)
            self.assertIsNone(self.endpoint.attempt, url)


class ResponseTests(ClientTestCase):
    """What the client makes of the answer."""

    def test_body_by_length(self) -> None:
        """The response is there as soon as Content-Length is; the connection is closed."""
        response = self.connect()
        self.receive(WITH_LENGTH[:-1])
        self.assertNoResult(response)
        self.receive(WITH_LENGTH[-1:])
        headers = ((b"Content-Type", b"text/plain"), (b"Content-Length", b"5"))
        came = self.successResultOf(response)
        self.assertEqual((came.status, tuple(came.headers), came.body), (200, headers, b"hello"))
        self.assert_nothing_is_left()
        self.receive(b"more", then=ConnectionDone)  # concerns nobody any more

    def test_body_until_closed(self) -> None:
        """Without a Content-Length the body ends when the server closes (RFC 1945, 7.2.2)."""
        response = self.connect()
        self.receive(UNTIL_CLOSED)
        self.assertNoResult(response)
        self.receive(b"", then=ConnectionDone)
        self.assertEqual(self.successResultOf(response).body, b"hello")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_any_chunks(self) -> None:
        """Wherever the answer is cut, and byte by byte, the response is the same."""
        body = b"\r\nhello\r\n\r\n"
        for answer in (HEAD + b"Content-Length: 11\r\n\r\n" + body, HEAD + b"\r\n" + body):
            cuts = [(answer[:cut], answer[cut:]) for cut in range(len(answer))]
            pieces = tuple(answer[at : at + 1] for at in range(len(answer)))
            for chunks in [*cuts, pieces]:
                response = self.connect()
                for chunk in chunks:
                    self.receive(chunk)
                self.receive(b"", then=ConnectionDone)
                self.assertEqual(self.successResultOf(response).body, body, chunks)

    def test_no_body(self) -> None:
        """204 and 304 have no body, whatever their Content-Length says (RFC 1945, 7.2)."""
        for status in (204, 304):
            for field in (b"", b"Content-Length: 5\r\n"):
                response = self.connect()
                self.receive(b"HTTP/1.0 %d \r\n%s\r\n" % (status, field))
                came = self.successResultOf(response)
                self.assertEqual((came.status, came.body), (status, b""))

    def test_empty_body(self) -> None:
        """A Content-Length of 0 is complete with the head."""
        response = self.connect()
        self.receive(HEAD + b"Content-Length: 000\r\n\r\n")
        self.assertEqual(self.successResultOf(response).body, b"")

    def test_names_in_any_case(self) -> None:
        """The names of header fields are the same in any case (RFC 1945, 4.2)."""
        for name in (b"content-length", b"CONTENT-LENGTH"):
            response = self.connect()
            self.receive(HEAD + name + b": 5\r\n\r\nhello")
            self.assertEqual(self.successResultOf(response).body, b"hello", name)

    def test_surplus(self) -> None:
        """What comes behind the body is not part of it."""
        response = self.connect()
        self.receive(WITH_LENGTH + b"surplus")
        self.assertEqual(self.successResultOf(response).body, b"hello")

    def test_status_lines(self) -> None:
        """The version may be any HTTP/1.x, and the reason phrase may be missing (6.1)."""
        lines = [b"HTTP/1.0 404 Not Found", b"HTTP/1.1 404 Not  here, sorry", b"HTTP/1.0 404 "]
        for line in [*lines, b"HTTP/1.0 404", b"HTTP/1.0 404 \xe9"]:
            for end in (b"\r\n", b"\n"):
                response = self.connect()
                self.receive(line + end + b"Content-Length: 0" + end + end)
                self.assertEqual(self.successResultOf(response).status, 404, line + end)

    def test_header_fields(self) -> None:
        """Names and values are as they were sent, but for the white space around a value."""
        response = self.connect()
        self.receive(
            b"HTTP/1.0 200 OK\r\nA:b\r\nC:  d e \t\r\nA: \xe9\r\nF:\r\n\r\n", then=ConnectionDone
        )
        expected = ((b"A", b"b"), (b"C", b"d e"), (b"A", b"\xe9"), (b"F", b""))
        self.assertEqual(tuple(self.successResultOf(response).headers), expected)


class BadResponseTests(ClientTestCase):
    """What the client does not take."""

    def assert_bad(self, answer: bytes, **limits: Any) -> None:
        """See that it is an error that carries what came, and that nothing is left."""
        response = self.connect(**limits)
        self.receive(answer)
        error = self.failureResultOf(response, BadResponse).value
        self.assertEqual(error.received, answer)
        self.assert_nothing_is_left()
        self.receive(b"more", then=ConnectionDone)  # concerns nobody any more

    def test_no_status_line(self) -> None:
        """What does not begin with a status line is no HTTP/1.0 response."""
        lines = [
            b"hello",
            b"HTTP/2.0 200 OK",
            b"HTTP/1.0 20 OK",
            b"HTTP/1.0 2000 OK",
            b"HTTP/1.0  200",
        ]
        for line in [*lines, b"HTTP/1.0 abc OK", b"HTTP/1.0 100 Continue", b"HTTP/1.0 200OK", b""]:
            self.assert_bad(line + b"\r\n\r\n")

    def test_bad_header_fields(self) -> None:
        """Nor is what has a header field without a name or a colon."""
        for field in (b"no colon", b": no name", b"a name: b", b"A: \x00"):
            self.assert_bad(b"HTTP/1.0 200 OK\r\n" + field + b"\r\n\r\n")

    def test_bad_length(self) -> None:
        """A Content-Length that is not one number is an error."""
        for value in (b"", b"-1", b"+5", b"5 5", b"0x5", b"1_0", b"5\r\nContent-Length: 6"):
            self.assert_bad(HEAD + b"Content-Length: " + value + b"\r\n\r\n")

    def test_same_length_twice(self) -> None:
        """The same number twice is one number."""
        response = self.connect()
        self.receive(HEAD + 2 * b"Content-Length: 5\r\n" + b"\r\nhello")
        self.assertEqual(self.successResultOf(response).body, b"hello")

    def test_transfer_encoding(self) -> None:
        """HTTP/1.0 has no Transfer-Encoding; its chunks would be taken for the body."""
        self.assert_bad(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")

    def test_head_too_large(self) -> None:
        """A head of max_head bytes is taken; one that is longer is not waited for."""
        response = self.connect(max_head=len(UNTIL_CLOSED) - 5)
        self.receive(UNTIL_CLOSED, then=ConnectionDone)
        self.assertEqual(self.successResultOf(response).status, 200)
        self.assert_bad(UNTIL_CLOSED, max_head=len(UNTIL_CLOSED) - 6)
        self.assert_bad(b"HTTP/1.0 200 OK\r\nA: " + 100 * b"b", max_head=100)

    def test_usual_limits(self) -> None:
        """A head has 16 KiB at most, and a body 16 MiB, unless other limits are given."""
        start = b"HTTP/1.0 200 OK\r\nA: "
        self.assert_bad(start.ljust(16 * 1024 + 1, b"b"))
        response = self.connect()
        self.receive(start.ljust(16 * 1024 - 4, b"b") + b"\r\n\r\n", then=ConnectionDone)
        self.successResultOf(response)
        self.assert_bad(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 * 1024**2 + 1))
        response = self.connect()
        self.receive(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 * 1024**2))
        self.assertNoResult(response)

    def test_body_too_large(self) -> None:
        """A body of max_body bytes is taken; one that is longer is not waited for."""
        for answer in (WITH_LENGTH, UNTIL_CLOSED):
            response = self.connect(max_body=5)
            self.receive(answer, then=ConnectionDone)
            self.assertEqual(self.successResultOf(response).body, b"hello")
        self.assert_bad(WITH_LENGTH[:-5], max_body=4)
        self.assert_bad(UNTIL_CLOSED, max_body=4)
        self.assert_bad(HEAD + b"Content-Length: " + 5000 * b"9" + b"\r\n\r\n", max_body=4)


class BrokenConnectionTests(ClientTestCase):
    """Connections that are not made, break, hang, or are not wanted any more."""

    def test_not_connected(self) -> None:
        """When it cannot connect, the endpoint's error is the error."""
        response = self.begin()
        self.endpoint.attempt.errback(ConnectError())
        self.failureResultOf(response, ConnectError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cut(self) -> None:
        """Cut after any byte, it is an error that carries what came."""
        for answer in (WITH_LENGTH, UNTIL_CLOSED):
            for end in range(len(answer)):
                if answer[:end].startswith(HEAD + b"\r\n"):
                    continue  # who knows how much is missing?
                response = self.connect()
                self.receive(answer[:end], then=ConnectionDone)
                error = self.failureResultOf(response, PartialResponse).value
                self.assertEqual(error.received, answer[:end])
                self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_reset(self) -> None:
        """A body until the end is not complete if the connection is not closed but lost."""
        response = self.connect()
        self.receive(UNTIL_CLOSED, then=ConnectionLost)
        error = self.failureResultOf(response, PartialResponse).value
        self.assertEqual(error.received, UNTIL_CLOSED)

    def test_timeout(self) -> None:
        """Not complete in time, it is an error that carries what came; a trickle does not help."""
        response = self.connect(timeout=10)
        for at in range(9):
            self.clock.advance(1)
            self.receive(WITH_LENGTH[at : at + 1])
        self.assertNoResult(response)
        self.clock.advance(1)
        error = self.failureResultOf(response, LateResponse).value
        self.assertEqual(error.received, WITH_LENGTH[:9])
        self.assertTrue(self.transport.disconnected, "the connection is not aborted")
        self.protocol.connectionLost(Failure(ConnectionLost()))

    def test_timeout_while_it_connects(self) -> None:
        """The time begins when get is called, and includes the connecting."""
        response = self.begin(timeout=10)
        self.clock.advance(10)
        self.failureResultOf(response, LateResponse)
        self.assertTrue(self.endpoint.cancelled, "it still connects")

    def test_usual_timeout(self) -> None:
        """Half a minute is the limit unless another is given."""
        response = self.connect()
        self.clock.advance(29)
        self.assertNoResult(response)
        self.clock.advance(1)
        self.failureResultOf(response, LateResponse)

    def test_cancel(self) -> None:
        """When the caller cancels, the connection is aborted, and nothing is left."""
        response = self.connect()
        self.receive(WITH_LENGTH[:20])
        response.cancel()
        self.failureResultOf(response, CancelledError)
        self.assertTrue(self.transport.disconnected, "the connection is not aborted")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.receive(WITH_LENGTH[20:], then=ConnectionLost)  # concerns nobody any more

    def test_connected_too_late(self) -> None:
        """When it is connected, all the same, it sends nothing, and is gone."""
        response = self.begin()
        response.cancel()
        self.failureResultOf(response, CancelledError)
        _, transport = self.endpoint.succeed()
        self.assertEqual((transport.value(), transport.disconnected), (b"", True))

    def test_cancel_while_it_connects(self) -> None:
        """When the caller cancels before, it does not connect any more."""
        response = self.begin()
        response.cancel()
        self.failureResultOf(response, CancelledError)
        self.assertTrue(self.endpoint.cancelled, "it still connects")
        self.assertEqual(self.clock.getDelayedCalls(), [])
