"""Stage 4: a protocol without a network.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage4``
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 4\r\n\r\ndata"


def hello(request: Request) -> Response:
    """Greet. A handler is a plain function: it knows no transport and no wire."""
    body = b"hello " + request.target + b" " + request.body
    return Response(200, [(b"Content-Type", b"text/plain")], body)


class Recorder:
    """A handler that keeps the requests that it was called with."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(200)


def connect(
    handler: Callable[[Request], Response], clock: Clock | None = None
) -> tuple[HTTPChannel, StringTransport]:
    """Do what a reactor does when a client connects, without a client."""
    channel = HTTPFactory(handler, clock or Clock()).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    return channel, transport


def answer(handler: Callable[[Request], Response], *chunks: bytes) -> bytes:
    """Return all that is written to a client that sends these chunks."""
    channel, transport = connect(handler)
    for chunk in chunks:
        channel.dataReceived(chunk)
    written: bytes = transport.value()
    return written


def lines(data: bytes) -> list[bytes]:
    """Cut what was written into lines, so that a failure points at one."""
    return data.splitlines(keepends=True)


def status_and_body(response: bytes) -> tuple[bytes, bytes]:
    """Return the version and code of a response's first line, and its body."""
    head, _, body = response.partition(b"\r\n\r\n")
    return head[: len(b"HTTP/1.0 200")], body


class AnswerTests(TestCase):
    """A request comes in, its answer goes out, and the connection is closed."""

    def test_connection_alone(self) -> None:
        """Nothing is written to a client that has said nothing (RFC 1945, 1.3)."""
        _, transport = connect(hello)
        self.assertEqual((transport.value(), transport.disconnecting), (b"", False))

    def test_answer(self) -> None:
        """The handler's response is rendered and written (RFC 1945, 6)."""
        came = answer(hello, GET)
        self.assertEqual(status_and_body(came), (b"HTTP/1.0 200", b"hello /a "), f"came {came!r}")
        self.assertIn(b"\r\nContent-Type: text/plain\r\n", came)
        self.assertIn(b"\r\nContent-Length: 9\r\n", came)

    def test_handler_gets_the_request(self) -> None:
        """It is called once, with the request as it was parsed."""
        handler = Recorder()
        answer(handler, POST)
        headers = ((b"Content-Length", b"4"),)
        self.assertEqual(handler.requests, [Request(b"POST", b"/c", (1, 0), headers, b"data")])

    def test_connection_is_closed_after_the_answer(self) -> None:
        """In HTTP/1.0 a connection is for one request (RFC 1945, 1.3)."""
        channel, transport = connect(hello)
        channel.dataReceived(GET)
        self.assertTrue(transport.disconnecting, f"sent {GET!r}, came {transport.value()!r}")
        self.assertFalse(transport.disconnected, "abortConnection does not wait for the answer")

    def test_date_is_the_clocks(self) -> None:
        """The time comes from the clock that was handed in, not from the wall."""
        clock = Clock()
        clock.advance(784111775)
        channel, transport = connect(hello, clock)
        clock.advance(2)
        channel.dataReceived(GET)
        self.assertIn(b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", lines(transport.value()))

    def test_head(self) -> None:
        """The answer to a HEAD is that to a GET without the body (RFC 1945, 8.2)."""
        came = answer(hello, b"HEAD /a HTTP/1.0\r\nHost: b\r\n\r\n")
        self.assertEqual(status_and_body(came), (b"HTTP/1.0 200", b""), f"came {came!r}")
        self.assertEqual(lines(came), lines(answer(hello, GET))[:-1])


class RefusalTests(TestCase):
    """Whatever a client sends, it gets a proper answer, and the server lives on."""

    def assert_refused(self, sent: bytes, status_line: bytes) -> None:
        """Assert that ``sent`` gets this answer, an explanation, and the connection's end."""
        handler = Recorder()
        channel, transport = connect(handler)
        channel.dataReceived(sent)
        came = transport.value()
        status, body = status_and_body(came)
        self.assertEqual(status, status_line, f"sent {sent[:60]!r}, came {came!r}")
        self.assertIn(b"Content-Length: %d\r\n" % len(body), lines(came))
        self.assertIn(b"\r\nContent-Type: text/plain", came)  # no browser takes it for HTML
        self.assertNotEqual(body, b"", f"sent {sent[:60]!r}, came {came!r}, with no explanation")
        self.assertTrue(transport.disconnecting, f"sent {sent[:60]!r}, not disconnected")
        self.assertEqual(handler.requests, [], f"sent {sent[:60]!r}, and the handler was called")

    def test_bad_request(self) -> None:
        """400: the bytes are no request (RFC 1945, 9.4)."""
        self.assert_refused(b"G@T / HTTP/1.0\r\n\r\n", b"HTTP/1.0 400")

    def test_large_head(self) -> None:
        """431: the header fields are too large (RFC 6585, 5)."""
        sent = b"GET / HTTP/1.0\r\n" + 2000 * b"X-Field: value\r\n"
        self.assert_refused(sent, b"HTTP/1.0 431")

    def test_large_body(self) -> None:
        """413: the body would be too large (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n"
        self.assert_refused(sent, b"HTTP/1.0 413")

    def test_unknown_method(self) -> None:
        """501: only GET, HEAD and POST are implemented (RFC 1945, 5.1.1, 9.5)."""
        self.assert_refused(b"BREW /coffee HTTP/1.0\r\n\r\n", b"HTTP/1.0 501")
        self.assert_refused(b"get / HTTP/1.0\r\n\r\n", b"HTTP/1.0 501")
        self.assert_refused(b"PUT / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.0 501")


class BrokenHandlerTests(TestCase):
    """A handler is a program too, and programs fail."""

    class Broken(Exception):
        """An error that nobody has heard of."""

    def broken(self, request: Request) -> Response:
        """Raise what only the log may see."""
        raise self.Broken("secret")

    def test_handler_that_raises(self) -> None:
        """500, then the end. What went wrong is logged, not shown (RFC 1945, 9.5)."""
        channel, transport = connect(self.broken)
        channel.dataReceived(GET)
        came = transport.value()
        logged = [failure.getErrorMessage() for failure in self.flushLoggedErrors(self.Broken)]
        self.assertEqual(logged, ["secret"])
        self.assertEqual(status_and_body(came)[0], b"HTTP/1.0 500", f"came {came!r}")
        self.assertNotEqual(status_and_body(came)[1], b"", "there is no explanation")
        self.assertNotIn(b"secret", came)
        self.assertTrue(transport.disconnecting)

    def test_head_of_a_handler_that_raises(self) -> None:
        """An error's answer to a HEAD has no body either (RFC 1945, 8.2)."""
        came = answer(self.broken, b"HEAD / HTTP/1.0\r\n\r\n")
        self.assertEqual(len(self.flushLoggedErrors(self.Broken)), 1)
        self.assertEqual(status_and_body(came), (b"HTTP/1.0 500", b""), f"came {came!r}")

    def test_handler_that_returns_nothing(self) -> None:
        """A handler that forgot its response has failed too."""
        came = answer(lambda request: None, GET)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertEqual(status_and_body(came)[0], b"HTTP/1.0 500", f"came {came!r}")

    def test_response_that_cannot_be_sent(self) -> None:
        """A header field that stage 2 refuses is the handler's mistake: 500."""
        response = Response(302, [(b"Location", b"/\r\nSet-Cookie: owned")])
        came = answer(lambda request: response, GET)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(status_and_body(came)[0], b"HTTP/1.0 500", f"came {came!r}")
        self.assertNotIn(b"owned", came)


class ChunkTests(TestCase):
    """What stage 3 promised holds through the protocol too."""

    def test_nothing_before_the_last_byte(self) -> None:
        """No answer, and no end, before the request is complete (RFC 1945, 5)."""
        for sent in (GET, POST):
            channel, transport = connect(hello)
            for i in range(len(sent)):
                came = (transport.value(), transport.disconnecting)
                self.assertEqual(came, (b"", False), f"sent {sent[:i]!r}")
                channel.dataReceived(sent[i : i + 1])
            status, _ = status_and_body(transport.value())
            self.assertEqual(status, b"HTTP/1.0 200", f"sent {sent!r}, one byte at a time")

    def test_any_two_chunks(self) -> None:
        """The answer does not depend on where the bytes were cut."""
        for sent in (GET, POST, b"G@T / HTTP/1.0\r\n\r\n"):
            whole = answer(hello, sent)
            self.assertEqual(whole[:9], b"HTTP/1.0 ", f"sent {sent!r}")
            for cut in range(1, len(sent)):
                chunks = (sent[:cut], sent[cut:])
                self.assertEqual(lines(answer(hello, *chunks)), lines(whole), f"sent {chunks!r}")

    def test_two_clients(self) -> None:
        """Bytes of one client are never part of another's request."""
        factory = HTTPFactory(hello, Clock())
        one, other = factory.buildProtocol(None), factory.buildProtocol(None)
        transport = StringTransport()
        one.makeConnection(transport)
        other.makeConnection(StringTransport())
        one.dataReceived(GET[:10])
        other.dataReceived(b"X" + GET)
        one.dataReceived(GET[10:])
        came = status_and_body(transport.value())
        self.assertEqual(came, (b"HTTP/1.0 200", b"hello /a "), f"sent {GET!r} in two chunks")


class OneRequestTests(TestCase):
    """Bytes after the request are not a second request (RFC 1945, 1.3)."""

    def test_two_requests_in_one_chunk(self) -> None:
        """The second one is not answered, nor given to the handler."""
        came = status_and_body(answer(hello, GET + POST))
        self.assertEqual(came, (b"HTTP/1.0 200", b"hello /a "), f"sent {GET + POST!r}")

    def test_second_request_in_a_chunk_of_its_own(self) -> None:
        """Nor is it when it comes before the connection has gone."""
        came = status_and_body(answer(hello, GET, POST))
        self.assertEqual(came, (b"HTTP/1.0 200", b"hello /a "), f"sent {(GET, POST)!r}")

    def test_bytes_after_a_bad_request(self) -> None:
        """A request after bytes that made no sense is not trusted."""
        bad = b"G@T / HTTP/1.0\r\n\r\n"
        came = answer(hello, bad, GET)
        self.assertEqual(came[:12], b"HTTP/1.0 400", f"sent {(bad, GET)!r}")
        self.assertEqual(lines(came), lines(answer(hello, bad)), f"sent {(bad, GET)!r}")


class DisconnectTests(TestCase):
    """Clients go away. That is no error."""

    def test_client_goes_before_its_request_is_complete(self) -> None:
        """Half a request is not answered and not handled (RFC 1945, 1.3)."""
        handler = Recorder()
        channel, transport = connect(handler)
        channel.dataReceived(POST[:-1])
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((transport.value(), handler.requests), (b"", []), f"sent {POST[:-1]!r}")
