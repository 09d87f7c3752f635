"""Stage 4, the core: a protocol without a network.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage4``

Where a failure shows two values, the first is what the server did, the second is what was
expected.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
HEAD = b"HEAD /a HTTP/1.0\r\nHost: b\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 4\r\n\r\ndata"
BAD = b"nonsense\r\n\r\n"


def hello(request: Request) -> Response:
    """Greet. A handler is a plain function: it knows nothing of transports or bytes."""
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
    test: TestCase, handler: Callable[[Request], Response], clock: Clock | None = None
) -> tuple[HTTPChannel, StrictTransport]:
    """Do what a reactor does when a client connects, without a client."""
    channel = HTTPFactory(handler, clock or Clock()).buildProtocol(None)
    transport = StrictTransport(test)
    channel.makeConnection(transport)
    return channel, transport


def answer(test: TestCase, handler: Callable[[Request], Response], *chunks: bytes) -> bytes:
    """Return all that is written to a client that sends these chunks."""
    channel, transport = connect(test, handler)
    transport.deliver(channel, *chunks)
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
        """Nothing is written to a client that has sent nothing (RFC 1945, 1.3)."""
        _, transport = connect(self, hello)
        self.assertEqual((transport.value(), transport.state), (b"", "open"), "nothing was sent")

    def test_answer(self) -> None:
        """The handler's response is rendered and written (RFC 1945, 6)."""
        written = answer(self, hello, GET)
        self.assertEqual(status_and_body(written), (b"HTTP/1.0 200", b"hello /a "), f"sent {GET!r}")
        fields = [line for line in lines(written) if line.startswith(b"Content-")]
        expected = [b"Content-Type: text/plain\r\n", b"Content-Length: 9\r\n"]
        self.assertEqual(fields, expected, f"sent {GET!r}")

    def test_connection_is_closed_after_the_answer(self) -> None:
        """In HTTP/1.0 a connection is for one request (RFC 1945, 1.3)."""
        for sent in (GET, HEAD, POST):
            channel, transport = connect(self, hello)
            transport.deliver(channel, sent)
            self.assertEqual(transport.state, "closing", f"sent {sent!r}")

    def test_handler_gets_the_request(self) -> None:
        """It is called once, with the request as it was parsed."""
        for sent, method, target, body in (
            (GET, b"GET", b"/a", b""),
            (HEAD, b"HEAD", b"/a", b""),
            (POST, b"POST", b"/c", b"data"),
        ):
            handler = Recorder()
            answer(self, handler, sent)
            requests = [(it.method, it.target, it.body) for it in handler.requests]
            self.assertEqual(requests, [(method, target, body)], f"sent {sent!r}")

    def test_date_is_the_clocks(self) -> None:
        """``Date`` is the clock's time when the answer is written (RFC 1945, 10.6)."""
        for sent in (GET, HEAD, POST):
            clock = Clock()
            clock.advance(784111775)
            channel, transport = connect(self, hello, clock)
            transport.deliver(channel, sent[:-1])
            clock.advance(2)
            transport.deliver(channel, sent[-1:])
            dates = [line for line in lines(transport.value()) if line.startswith(b"Date")]
            expected = [b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"]
            self.assertEqual(dates, expected, f"sent {sent!r}")

    def test_head(self) -> None:
        """The answer to a HEAD is the answer to a GET without the body (RFC 1945, 8.2)."""
        expected = lines(answer(self, hello, GET))[:-1]
        self.assertEqual(expected[-1:], [b"\r\n"], f"sent {GET!r}: the body is one line")
        self.assertEqual(lines(answer(self, hello, HEAD)), expected, f"sent {HEAD!r}")

    def test_post(self) -> None:
        """The answer to a POST has a body (RFC 1945, 8.3)."""
        written = status_and_body(answer(self, hello, POST))
        self.assertEqual(written, (b"HTTP/1.0 200", b"hello /c data"), f"sent {POST!r}")


class RefusalTests(TestCase):
    """What is not a request, or not one for this server, is answered without the handler."""

    def assert_refused(self, sent: bytes, expected: bytes) -> None:
        """Assert that ``sent`` gets this status and an explanation, and is then closed."""
        handler = Recorder()
        channel, transport = connect(self, handler)
        transport.deliver(channel, sent)
        status, body = status_and_body(transport.value())
        self.assertEqual((status, transport.state), (expected, "closing"), f"sent {sent!r}")
        self.assertNotEqual(
            body.strip(), b"", f"sent {sent!r}: the body should explain the {expected!r}"
        )
        self.assertEqual(handler.requests, [], f"sent {sent!r}, and the handler was called")

    def test_bad_request(self) -> None:
        """400: the bytes are not a request (RFC 1945, 9.4)."""
        self.assert_refused(BAD, b"HTTP/1.0 400")

    def test_unknown_method(self) -> None:
        """501: only GET, HEAD and POST are implemented (RFC 1945, 5.1.1, 9.5)."""
        self.assert_refused(b"BREW /coffee HTTP/1.0\r\n\r\n", b"HTTP/1.0 501")


class BrokenHandlerTests(TestCase):
    """A handler is a program too, and programs fail."""

    class BrokenError(Exception):
        """An error that no code expects."""

    def broken(self, request: Request) -> Response:
        """Raise what only the log may see."""
        raise self.BrokenError("secret")

    def test_handler_that_raises(self) -> None:
        """500, then the connection is closed. The error is logged, not shown (RFC 1945, 9.5)."""
        channel, transport = connect(self, self.broken)
        channel.dataReceived(GET)
        status, body = status_and_body(transport.value())
        self.assertEqual((status, transport.state), (b"HTTP/1.0 500", "closing"), f"sent {GET!r}")
        self.assertNotEqual(body.strip(), b"", f"sent {GET!r}: the body should explain the 500")
        for shown in (b"secret", b"BrokenError", b"Traceback"):
            self.assertNotIn(shown, transport.value())
        logged = [failure.getErrorMessage() for failure in self.flushLoggedErrors()]
        self.assertEqual(logged, ["secret"], "the failures that were logged")

    def test_head_of_a_handler_that_raises(self) -> None:
        """The 500 to a HEAD has no body either, that to a POST has one (RFC 1945, 8.2)."""
        status, body = status_and_body(answer(self, self.broken, HEAD))
        self.assertEqual((status, body), (b"HTTP/1.0 500", b""), f"sent {HEAD!r}")
        status, body = status_and_body(answer(self, self.broken, POST))
        self.assertEqual((status, body.strip() != b""), (b"HTTP/1.0 500", True), f"sent {POST!r}")
        self.assertEqual(len(self.flushLoggedErrors(self.BrokenError)), 2, "failures logged")

    def test_handler_that_returns_nothing(self) -> None:
        """A handler that forgot its response has failed too."""
        written = answer(self, lambda request: None, GET)
        self.assertEqual(status_and_body(written)[0], b"HTTP/1.0 500", f"sent {GET!r}")
        self.assertEqual(len(self.flushLoggedErrors()), 1, "failures logged")


class ChunkTests(TestCase):
    """What stage 3 promised also holds through the protocol."""

    def test_nothing_before_the_last_byte(self) -> None:
        """No answer, no close and no call before the request is complete (RFC 1945, 5)."""
        for sent in (GET, HEAD, POST):
            handler = Recorder()
            channel, transport = connect(self, handler)
            for i in range(len(sent)):
                done = (transport.value(), transport.state, handler.requests)
                self.assertEqual(done, (b"", "open", []), f"sent {sent[:i]!r}")
                transport.deliver(channel, sent[i : i + 1])
            status, _ = status_and_body(transport.value())
            self.assertEqual(status, b"HTTP/1.0 200", f"sent {sent!r}, one byte at a time")

    def test_any_two_chunks(self) -> None:
        """The answer does not depend on where the bytes were cut."""
        for sent, status in ((GET, b"200"), (POST, b"200"), (BAD, b"400")):
            whole = answer(self, hello, sent)
            self.assertEqual(status_and_body(whole)[0], b"HTTP/1.0 " + status, f"sent {sent!r}")
            for cut in range(1, len(sent)):
                chunks = (sent[:cut], sent[cut:])
                written = answer(self, hello, *chunks)
                self.assertEqual(lines(written), lines(whole), f"sent {chunks!r}")

    def test_two_clients(self) -> None:
        """Bytes of one client are never part of another's request."""
        factory = HTTPFactory(hello, Clock())
        one, other = factory.buildProtocol(None), factory.buildProtocol(None)
        transport = StrictTransport(self)
        one.makeConnection(transport)
        other.makeConnection(StrictTransport(self))
        one.dataReceived(GET[:10])
        other.dataReceived(b"X" + GET)
        one.dataReceived(GET[10:])
        written = status_and_body(transport.value())
        self.assertEqual(written, (b"HTTP/1.0 200", b"hello /a "), f"sent {GET!r} in two chunks")


class OneRequestTests(TestCase):
    """Bytes after the request are not a second request (RFC 1945, 1.3)."""

    def test_second_request(self) -> None:
        """It is dropped, in the same chunk as the first or in a chunk of its own."""
        for chunks in ((GET + POST,), (GET, POST), (POST, GET), (HEAD + GET,), (HEAD, GET)):
            handler = Recorder()
            written = answer(self, handler, *chunks)
            self.assertEqual(written.count(b"HTTP/1.0"), 1, f"sent {chunks!r}, wrote {written!r}")
            self.assertEqual(len(handler.requests), 1, f"calls of the handler; sent {chunks!r}")

    def test_bytes_after_a_bad_request(self) -> None:
        """A request that follows an invalid one is not trusted."""
        for chunks in ((BAD + GET,), (BAD, GET), (BAD, BAD)):
            handler = Recorder()
            written = answer(self, handler, *chunks)
            self.assertEqual(status_and_body(written)[0], b"HTTP/1.0 400", f"sent {chunks!r}")
            self.assertEqual(written.count(b"HTTP/1.0"), 1, f"sent {chunks!r}, wrote {written!r}")
            self.assertEqual(handler.requests, [], f"sent {chunks!r}")


class DisconnectTests(TestCase):
    """Clients disconnect. That is not an error."""

    def test_client_goes_before_its_request_is_complete(self) -> None:
        """Half a request is not answered and not handled (RFC 1945, 1.3)."""
        handler = Recorder()
        channel, transport = connect(self, handler)
        channel.dataReceived(POST[:-1])
        transport.lose(channel)
        self.assertEqual((transport.value(), handler.requests), (b"", []), f"sent {POST[:-1]!r}")
