"""Stage 7: the wire is cut.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage7``
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport, StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 4\r\n\r\ndata"


def hello() -> Response:
    """Return the response that the handlers of these tests give."""
    return Response(200, body=b"hello")


class Later:
    """A handler that keeps the Deferreds that it returned.

    :param canceller: what they call when they are cancelled; without one, or if it
        does nothing, they fail with a ``CancelledError``.
    """

    def __init__(self, canceller: Callable[[Deferred[Response]], None] | None = None) -> None:
        self.answers: list[Deferred[Response]] = []
        self.canceller = canceller

    def __call__(self, request: Request) -> Deferred[Response]:
        self.answers.append(Deferred(self.canceller))
        return self.answers[-1]


def connect(
    handler: Callable[[Request], Deferred[Response] | Response],
) -> tuple[HTTPChannel, StringTransport, Clock]:
    """Do what a reactor does when a client connects, without a client."""
    clock = Clock()
    channel = HTTPFactory(handler, clock).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    return channel, transport, clock


class CutInTheRequestTests(TestCase):
    """The connection breaks before the request is complete."""

    def assert_cut_does_no_harm(self, sent: bytes, reason: Failure) -> None:
        """Cut after each byte but the last; nothing is asked, written or left."""
        for end in range(len(sent)):
            handler = Later()
            channel, transport, clock = connect(handler)
            channel.dataReceived(sent[:end])
            channel.connectionLost(reason)
            clock.advance(7200)
            came = (handler.answers, transport.value(), clock.getDelayedCalls())
            self.assertEqual(came, ([], b"", []), f"cut after {sent[:end]!r}")

    def test_after_each_byte_of_a_head(self) -> None:
        """Half a head is no request (RFC 1945, 1.3)."""
        self.assert_cut_does_no_harm(GET, Failure(ConnectionLost()))

    def test_after_each_byte_of_a_body(self) -> None:
        """Nor is a head with half a body (RFC 1945, 7.2.2)."""
        self.assert_cut_does_no_harm(POST, Failure(ConnectionLost()))

    def test_clean_end_after_each_byte(self) -> None:
        """A client that closes properly, but too early, is no better."""
        self.assert_cut_does_no_harm(POST, Failure(ConnectionDone()))


class CutWhileTheHandlerWorksTests(TestCase):
    """The connection breaks when the answer is not there yet."""

    def cut(self, handler: Later, *more: bytes, reason: Exception | None = None) -> None:
        """Send a request, and perhaps more; lose the connection while the handler works."""
        channel, self.transport, self.clock = connect(handler)
        for sent in (GET, *more):
            channel.dataReceived(sent)
        channel.connectionLost(Failure(reason or ConnectionLost()))

    def assert_nothing_happened(self) -> None:
        """Assert that nothing is written, logged or left."""
        gc.collect()  # a failure that nobody handled is logged when its Deferred goes
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual((self.transport.value(), self.transport.disconnecting), (b"", False))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_handler_is_told(self) -> None:
        """Its Deferred is cancelled, so that it can stop working for nobody."""
        for reason in (ConnectionLost(), ConnectionDone()):
            for more in ((), (GET,)):
                cancelled: list[Deferred[Response]] = []
                handler = Later(cancelled.append)
                self.cut(handler, *more, reason=reason)
                self.assertEqual(cancelled, handler.answers, f"{reason!r}, sent {(GET, *more)!r}")
        del cancelled[:], handler.answers[:]
        self.assert_nothing_happened()

    def test_nothing_happens(self) -> None:
        """The cancelled Deferred fails, but that is no mistake, and is not logged."""
        self.cut(Later())
        self.assert_nothing_happened()

    def test_late_result(self) -> None:
        """A result that comes nevertheless goes nowhere."""
        handler = Later()
        self.cut(handler)
        handler.answers.pop().callback(hello())
        self.assert_nothing_happened()

    def test_late_failure(self) -> None:
        """A failure that comes nevertheless is not reported: nobody is waiting."""
        handler = Later()
        self.cut(handler)
        handler.answers.pop().errback(RuntimeError("too late"))
        self.assert_nothing_happened()

    def test_handler_that_answers_when_it_is_cancelled(self) -> None:
        """A handler that ignores its cancellation, and answers, does no harm."""
        self.cut(Later(lambda answer: answer.callback(hello())))
        self.assert_nothing_happened()

    def test_handler_that_fails_when_it_is_cancelled(self) -> None:
        """Nor does one that fails with an error of its own."""
        self.cut(Later(lambda answer: answer.errback(RuntimeError("no"))))
        self.assert_nothing_happened()

    def test_time_goes_on(self) -> None:
        """No timer of a connection that is gone does anything."""
        self.cut(Later())
        self.clock.advance(7200)
        self.assert_nothing_happened()

    def test_paused_transport(self) -> None:
        """A client that sent more, and was paused, is let go in the same way."""
        self.cut(Later(), GET)
        self.assertEqual(self.transport.producerState, "paused", f"sent {GET!r} twice")
        self.assert_nothing_happened()

    def test_cancelled_for_another_reason(self) -> None:
        """A handler that is cancelled while its client is there has failed like any other."""
        handler = Later()
        channel, transport, _ = connect(handler)
        channel.dataReceived(GET)
        handler.answers[0].cancel()
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 500", f"sent {GET!r}")


class CutAfterTheAnswerTests(TestCase):
    """The connection breaks when the answer is written."""

    def test_handler_is_not_cancelled(self) -> None:
        """A Deferred that has fired is left alone."""
        cancelled: list[Deferred[Response]] = []
        handler = Later(cancelled.append)
        channel, _, clock = connect(handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(hello())
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual((cancelled, clock.getDelayedCalls()), ([], []))

    def test_answer_is_not_written_again(self) -> None:
        """The loss adds nothing to what was written."""
        channel, transport, clock = connect(lambda request: hello())
        channel.dataReceived(GET)
        before = transport.value()
        channel.connectionLost(Failure(ConnectionLost()))
        clock.advance(7200)
        self.assertEqual(transport.value(), before)

    def test_lost_while_it_is_being_closed(self) -> None:
        """Some transports call ``connectionLost`` before ``loseConnection`` returns."""
        for sent, seconds in ((GET, 0), (b"G@T / HTTP/1.0\r\n\r\n", 0), (b"", 3600)):
            clock = Clock()
            channel = HTTPFactory(lambda request: hello(), clock).buildProtocol(None)
            transport = StringTransportWithDisconnection()
            transport.protocol = channel
            channel.makeConnection(transport)
            channel.dataReceived(sent)
            clock.advance(seconds)
            self.assertEqual(clock.getDelayedCalls(), [], f"sent {sent!r}, waited {seconds} s")


class PeerThatNeverReadsTests(TestCase):
    """A connection can break without a word: the peer is just not there any more."""

    def test_it_is_cut_off(self) -> None:
        """An answer that is never read does not keep its connection for ever."""
        channel, transport, clock = connect(lambda request: hello())
        channel.dataReceived(GET)
        clock.pump([1] * 3600)
        self.assertTrue(transport.disconnected, "the answer was not read for an hour")
        self.assertEqual(clock.getDelayedCalls(), [])
