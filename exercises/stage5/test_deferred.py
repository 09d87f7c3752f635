"""Stage 5: not yet.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage5``
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
HEAD = b"HEAD /a HTTP/1.0\r\nHost: b\r\n\r\n"


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
    handler: Callable[[Request], Deferred[Response] | Response], clock: Clock | None = None
) -> tuple[HTTPChannel, StringTransport]:
    """Do what a reactor does when a client connects, without a client."""
    channel = HTTPFactory(handler, clock or Clock()).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    return channel, transport


def lines(transport: StringTransport) -> list[bytes]:
    """Return what was written, cut into lines, so that a failure points at one."""
    written: bytes = transport.value()
    return written.splitlines(keepends=True)


def answer(response: Response, sent: bytes = GET) -> list[bytes]:
    """Return the lines that are written if the handler has its response at once."""
    channel, transport = connect(lambda request: response)
    channel.dataReceived(sent)
    return lines(transport)


class LaterTests(TestCase):
    """A handler may return a Deferred: the answer comes later."""

    def test_nothing_is_written_yet(self) -> None:
        """While the Deferred has not fired, nothing is written, and nothing is closed."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(GET)
        self.assertEqual(len(handler.answers), 1, f"sent {GET!r}")
        self.assertNoResult(handler.answers[0])
        came = (transport.value(), transport.disconnecting)
        self.assertEqual(came, (b"", False), f"sent {GET!r}, and the Deferred has not fired")

    def test_answer_when_it_fires(self) -> None:
        """When it fires, its response is written, as if it had been there at once."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(hello())
        self.assertEqual(lines(transport), answer(hello()), f"sent {GET!r}")

    def test_connection_is_closed_when_it_fires(self) -> None:
        """The end of the answer is the end of the connection (RFC 1945, 1.3)."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(hello())
        self.assertTrue(transport.disconnecting, f"sent {GET!r}, came {transport.value()!r}")

    def test_deferred_that_has_fired(self) -> None:
        """A Deferred may have its result already."""
        channel, transport = connect(lambda request: succeed(hello()))
        channel.dataReceived(GET)
        self.assertEqual(lines(transport), answer(hello()), f"sent {GET!r}")

    def test_response_at_once(self) -> None:
        """A handler that returns a response, as in stage 4, still works."""
        channel, transport = connect(lambda request: hello())
        channel.dataReceived(GET)
        self.assertIn(b"\r\n\r\nhello", transport.value(), f"sent {GET!r}")

    def test_head(self) -> None:
        """The answer to a HEAD has no body, however late it comes (RFC 1945, 8.2)."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(HEAD)
        handler.answers[0].callback(hello())
        self.assertEqual(lines(transport), answer(hello(), HEAD), f"sent {HEAD!r}")

    def test_date_is_that_of_the_answer(self) -> None:
        """``Date`` is when the response was made, not when it was asked for (RFC 1945, 10.6)."""
        clock, handler = Clock(), Later()
        channel, transport = connect(handler, clock)
        channel.dataReceived(GET)
        clock.advance(10)
        handler.answers[0].callback(hello())
        self.assertIn(b"\r\nDate: Thu, 01 Jan 1970 00:00:10 GMT\r\n", transport.value())

    def test_two_clients(self) -> None:
        """Each client gets its own answer, whichever comes first."""
        handler = Later()
        factory = HTTPFactory(handler, Clock())
        channels, transports = [], [StringTransport(), StringTransport()]
        for transport in transports:
            channels.append(factory.buildProtocol(None))
            channels[-1].makeConnection(transport)
            channels[-1].dataReceived(GET)
        handler.answers[1].callback(Response(200, body=b"second"))
        self.assertEqual(transports[0].value(), b"", "the second client's answer came")
        handler.answers[0].callback(Response(200, body=b"first"))
        bodies = [transport.value().partition(b"\r\n\r\n")[2] for transport in transports]
        self.assertEqual(bodies, [b"first", b"second"])


class FailureTests(TestCase):
    """A Deferred may fail."""

    def test_failure(self) -> None:
        """500, and the failure is logged once, and not shown (RFC 1945, 9.5)."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(GET)
        handler.answers[0].errback(RuntimeError("secret"))
        logged = [failure.getErrorMessage() for failure in self.flushLoggedErrors(RuntimeError)]
        self.assertEqual(logged, ["secret"])
        came = transport.value()
        self.assertEqual(came[:12], b"HTTP/1.0 500", f"came {came!r}")
        self.assertNotIn(b"secret", came)
        self.assertTrue(transport.disconnecting)

    def test_result_that_is_no_response(self) -> None:
        """A handler that forgot its response is answered for like one that failed."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(None)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 500", f"sent {GET!r}")

    def test_handler_that_raises_at_once(self) -> None:
        """It is answered as in stage 4, whatever it would have returned."""

        def broken(request: Request) -> Deferred[Response]:
            raise RuntimeError("secret")

        channel, transport = connect(broken)
        channel.dataReceived(GET)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 500", f"sent {GET!r}")


class MeanwhileTests(TestCase):
    """A client may send more while it waits. It does not decide how much memory that takes."""

    def test_transport_is_paused(self) -> None:
        """At the first bytes that come meanwhile, the transport is told to read no more."""
        channel, transport = connect(Later())
        channel.dataReceived(GET)
        channel.dataReceived(b"G")
        self.assertEqual(transport.producerState, "paused", f"sent {GET!r}, then more")

    def test_silent_client_is_listened_to(self) -> None:
        """A paused transport does not hear that its client has gone: pause it only if need be."""
        channel, transport = connect(Later())
        channel.dataReceived(GET)
        self.assertEqual(transport.producerState, "producing", f"sent {GET!r} and no more")

    def test_no_second_request(self) -> None:
        """What comes meanwhile is not given to the handler (RFC 1945, 1.3)."""
        handler = Later()
        channel, _ = connect(handler)
        channel.dataReceived(GET)
        channel.dataReceived(GET)
        self.assertEqual(len(handler.answers), 1, f"sent {GET!r} twice")

    def test_no_second_answer(self) -> None:
        """Bad bytes that come meanwhile are not answered, and do not spoil the answer."""
        handler = Later()
        channel, transport = connect(handler)
        channel.dataReceived(GET)
        channel.dataReceived(b"G@T / HTTP/1.0\r\n\r\n")
        self.assertEqual(transport.value(), b"", f"sent {GET!r}, then a bad request")
        handler.answers[0].callback(hello())
        self.assertEqual(lines(transport), answer(hello()), f"sent {GET!r}, then a bad request")

    def test_bytes_after_the_answer(self) -> None:
        """Bytes that come when the connection is being closed are dropped."""
        for handler in (lambda request: hello(), lambda request: succeed(hello())):
            channel, transport = connect(handler)
            channel.dataReceived(GET)
            channel.dataReceived(GET)
            self.assertEqual(lines(transport), answer(hello()), f"sent {GET!r} twice")
        later = Later()
        channel, transport = connect(later)
        channel.dataReceived(GET)
        later.answers[0].callback(hello())
        channel.dataReceived(GET)
        self.assertEqual(lines(transport), answer(hello()), f"sent {GET!r}, and later again")
