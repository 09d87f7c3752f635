"""Stage 5, the core: not yet.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage5``
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
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

FIELDS = [b"Content-Type: text/plain", b"Content-Length: 5"]
HELLO = (b"HTTP/1.0 200", FIELDS, b"hello")  # what matters of the answer, as parts() returns it
HELLO_HEAD = (b"HTTP/1.0 200", FIELDS, b"")  # the same for a HEAD (RFC 1945, 8.2)

Handler = Callable[[Request], "Deferred[Response] | Response"]


def hello() -> Response:
    """Return the response that the handlers of these tests give."""
    return Response(200, [(b"Content-Type", b"text/plain")], b"hello")


class Later:
    """A handler that keeps the Deferreds that it returned, so that a test can fire them."""

    def __init__(self) -> None:
        self.answers: list[Deferred[Response]] = []

    def __call__(self, request: Request) -> Deferred[Response]:
        self.answers.append(Deferred())
        return self.answers[-1]


def connect(
    test: TestCase, handler: Handler, clock: Clock | None = None
) -> tuple[HTTPChannel, StrictTransport]:
    """Do what a reactor does when a client connects, without a client."""
    channel = HTTPFactory(handler, clock or Clock()).buildProtocol(None)
    transport = StrictTransport(test)
    channel.makeConnection(transport)
    return channel, transport


def parts(transport: StrictTransport) -> tuple[bytes, list[bytes], bytes]:
    """Return the parts that matter of what was written: version and code, content fields, body."""
    head, _, body = transport.value().partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    return status[:12], [field for field in fields if field.startswith(b"Content-")], body


class LaterTests(TestCase):
    """A handler may return a Deferred: the answer comes later."""

    def test_nothing_is_written_yet(self) -> None:
        """While the Deferred has not fired, nothing is written, and nothing is closed."""
        for sent in (GET, HEAD, POST):
            handler = Later()
            channel, transport = connect(self, handler)
            transport.deliver(channel, sent)
            self.assertEqual(len(handler.answers), 1, f"calls of the handler; sent {sent!r}")
            self.assertNoResult(handler.answers[0])
            done = (transport.value(), transport.state)
            self.assertEqual(done, (b"", "open"), f"sent {sent!r}; the Deferred has not fired")

    def test_answer_when_it_fires(self) -> None:
        """When it fires, its response is written, and the connection is closed."""
        for sent, expected in ((GET, HELLO), (HEAD, HELLO_HEAD), (POST, HELLO)):
            handler = Later()
            channel, transport = connect(self, handler)
            transport.deliver(channel, sent)
            handler.answers[0].callback(hello())
            self.assertEqual(parts(transport), expected, f"sent {sent!r}")
            self.assertEqual(transport.state, "closing", f"sent {sent!r}; the Deferred fired")

    def test_deferred_that_has_fired(self) -> None:
        """A Deferred may have its result already."""
        for sent, expected in ((GET, HELLO), (HEAD, HELLO_HEAD), (POST, HELLO)):
            channel, transport = connect(self, lambda request: succeed(hello()))
            transport.deliver(channel, sent)
            self.assertEqual(parts(transport), expected, f"sent {sent!r}")
            self.assertEqual(transport.state, "closing", f"sent {sent!r}; the Deferred had fired")

    def test_response_at_once(self) -> None:
        """A handler that returns a response, as in stage 4, still works."""
        for sent, expected in ((GET, HELLO), (HEAD, HELLO_HEAD), (POST, HELLO)):
            channel, transport = connect(self, lambda request: hello())
            transport.deliver(channel, sent)
            self.assertEqual(parts(transport), expected, f"sent {sent!r}")

    def test_date_is_that_of_the_answer(self) -> None:
        """``Date`` is when the answer was written, not when the request came (RFC 1945, 10.6)."""
        clock, handler = Clock(), Later()
        channel, transport = connect(self, handler, clock)
        channel.dataReceived(GET)
        clock.advance(10)
        handler.answers[0].callback(hello())
        self.assertIn(b"\r\nDate: Thu, 01 Jan 1970 00:00:10 GMT\r\n", transport.value())

    def test_two_clients(self) -> None:
        """Each client gets its own answer, whichever comes first."""
        handler = Later()
        factory = HTTPFactory(handler, Clock())
        transports = [StrictTransport(self), StrictTransport(self)]
        for transport in transports:
            channel = factory.buildProtocol(None)
            channel.makeConnection(transport)
            transport.deliver(channel, GET)
        self.assertEqual(len(handler.answers), 2, "calls of the handler; two clients have asked")
        handler.answers[1].callback(Response(200, body=b"second"))
        done = (transports[0].value(), transports[0].state)
        self.assertEqual(done, (b"", "open"), "the second client's answer came, not the first's")
        handler.answers[0].callback(Response(200, body=b"first"))
        bodies = [transport.value().partition(b"\r\n\r\n")[2] for transport in transports]
        self.assertEqual(bodies, [b"first", b"second"])


class FailureTests(TestCase):
    """A Deferred may fail."""

    def test_failure(self) -> None:
        """500, and the failure is logged once, and not shown (RFC 1945, 9.5)."""
        handler = Later()
        channel, transport = connect(self, handler)
        channel.dataReceived(GET)
        handler.answers[0].errback(RuntimeError("secret"))
        done = (transport.value()[:12], transport.state)
        self.assertEqual(done, (b"HTTP/1.0 500", "closing"), f"sent {GET!r}; the Deferred failed")
        self.assertNotIn(b"secret", transport.value())
        logged = [failure.getErrorMessage() for failure in self.flushLoggedErrors()]
        self.assertEqual(logged, ["secret"], "the failures that were logged")

    def test_result_that_is_no_response(self) -> None:
        """A handler that forgot its response is treated like one that failed."""
        handler = Later()
        channel, transport = connect(self, handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(None)
        done = (transport.value()[:12], transport.state)
        self.assertEqual(done, (b"HTTP/1.0 500", "closing"), f"sent {GET!r}; the result was None")
        self.assertEqual(len(self.flushLoggedErrors()), 1, "failures logged")

    def test_handler_that_raises_at_once(self) -> None:
        """It is answered as in stage 4, whatever it would have returned otherwise."""

        def broken(request: Request) -> Deferred[Response]:
            raise RuntimeError("secret")

        channel, transport = connect(self, broken)
        channel.dataReceived(GET)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 500", f"sent {GET!r}")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1, "failures logged")


class MeanwhileTests(TestCase):
    """A client may send more while it waits for its answer."""

    def test_no_second_request(self) -> None:
        """What is received meanwhile is not given to the handler (RFC 1945, 1.3)."""
        for chunks in ((GET + GET,), (GET, GET), (POST, GET)):
            handler = Later()
            channel, transport = connect(self, handler)
            transport.deliver(channel, *chunks)
            self.assertEqual(len(handler.answers), 1, f"calls of the handler; sent {chunks!r}")

    def test_no_second_answer(self) -> None:
        """Nothing that is received meanwhile is answered, or changes the answer."""
        for more in (GET, b"nonsense\r\n\r\n"):
            handler = Later()
            channel, transport = connect(self, handler)
            transport.deliver(channel, GET)
            transport.deliver(channel, more)
            done = (transport.value(), transport.state)
            self.assertEqual(done, (b"", "open"), f"sent {GET!r}, then {more!r}")
            handler.answers[0].callback(hello())
            done = (parts(transport), transport.state)
            self.assertEqual(done, (HELLO, "closing"), f"sent {GET!r}, then {more!r}")

    def test_bytes_after_the_answer(self) -> None:
        """Bytes received while the connection is being closed are dropped."""
        handler = Later()
        channel, transport = connect(self, handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(hello())
        channel.dataReceived(GET)
        done = (parts(transport), len(handler.answers))
        self.assertEqual(done, (HELLO, 1), f"sent {GET!r}, and after the answer {GET!r}")
