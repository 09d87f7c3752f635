"""Stage 7, the core: the wire is cut.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage7``
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"

Canceller = Callable[["Deferred[Response]"], None]


def hello() -> Response:
    """Return the response that the handlers of these tests give."""
    return Response(200, body=b"hello")


class Later:
    """A handler that keeps the Deferreds that it returned.

    :param canceller: what they call when they are cancelled; without one, or if it
        does nothing, they fail with a ``CancelledError``.
    """

    def __init__(self, canceller: Canceller | None = None) -> None:
        self.answers: list[Deferred[Response]] = []
        self.canceller = canceller

    def __call__(self, request: Request) -> Deferred[Response]:
        self.answers.append(Deferred(self.canceller))
        return self.answers[-1]


def connect(
    test: TestCase, handler: Callable[[Request], Deferred[Response] | Response]
) -> tuple[HTTPChannel, StrictTransport, Clock]:
    """Do what a reactor does when a client connects, without a client."""
    clock = Clock()
    channel = HTTPFactory(handler, clock).buildProtocol(None)
    transport = StrictTransport(test)
    channel.makeConnection(transport)
    return channel, transport, clock


class CutWhileTheHandlerWorksTests(TestCase):
    """The connection breaks before the answer is ready."""

    def cut(self, handler: Later, *more: bytes, reason: Exception | None = None) -> None:
        """Send a request, and perhaps more; lose the connection while the handler works."""
        channel, self.transport, self.clock = connect(self, handler)
        self.transport.deliver(channel, GET, *more)
        self.transport.lose(channel, reason or ConnectionLost())

    def assert_nothing_happened(self) -> None:
        """Assert that nothing is written, logged or left."""
        gc.collect()  # a failure that nobody handled is logged when its Deferred goes
        logged = [failure.getErrorMessage() for failure in self.flushLoggedErrors()]
        self.assertEqual(logged, [], "failures logged; the client has gone")
        self.assertEqual(self.transport.value(), b"", "written; the client has gone")
        self.assertEqual(self.clock.getDelayedCalls(), [], "left; the client has gone")

    def test_handler_is_told(self) -> None:
        """Its Deferred is cancelled once, so that it can stop its useless work."""
        for reason in (ConnectionLost(), ConnectionDone()):
            cancelled: list[Deferred[Response]] = []
            handler = Later(cancelled.append)
            self.cut(handler, reason=reason)
            self.assertEqual(cancelled, handler.answers, f"sent {GET!r}, lost with {reason!r}")

    def test_nothing_happens(self) -> None:
        """The cancelled Deferred fails, but that is not an error, and is not logged."""
        self.cut(Later())
        self.assert_nothing_happened()

    def test_late_result(self) -> None:
        """A result that comes nevertheless is dropped."""
        handler = Later()
        self.cut(handler)
        handler.answers.pop().callback(hello())
        self.assert_nothing_happened()

    def test_late_failure(self) -> None:
        """A failure that comes nevertheless is not logged: nobody is waiting."""
        handler = Later()
        self.cut(handler)
        handler.answers.pop().errback(RuntimeError("too late"))
        self.assert_nothing_happened()

    def test_time_goes_on(self) -> None:
        """No timer of a connection that is gone does anything."""
        self.cut(Later())
        self.clock.advance(7200)
        self.assert_nothing_happened()


class CutInTheRequestTests(TestCase):
    """The connection breaks before the request is complete."""

    def test_after_each_byte_of_a_head(self) -> None:
        """Half a head is not a request: nothing is handled, written or left (RFC 1945, 1.3)."""
        for end in range(len(GET)):
            handler = Later()
            channel, transport, clock = connect(self, handler)
            transport.deliver(channel, GET[:end])
            transport.lose(channel, ConnectionLost())
            clock.advance(7200)
            done = (handler.answers, transport.value(), clock.getDelayedCalls())
            self.assertEqual(done, ([], b"", []), f"cut after {GET[:end]!r}")


class CutAfterTheAnswerTests(TestCase):
    """The connection breaks after the answer has been written."""

    def test_handler_is_not_cancelled(self) -> None:
        """A Deferred that has fired is left alone."""
        cancelled: list[Deferred[Response]] = []
        handler = Later(cancelled.append)
        channel, transport, clock = connect(self, handler)
        channel.dataReceived(GET)
        handler.answers[0].callback(hello())
        transport.lose(channel)
        self.assertEqual((cancelled, clock.getDelayedCalls()), ([], []), "lost after the answer")

    def test_answer_is_not_written_again(self) -> None:
        """The loss adds nothing to what was written."""
        channel, transport, clock = connect(self, lambda request: hello())
        channel.dataReceived(GET)
        before = transport.value()
        transport.lose(channel, ConnectionLost())
        clock.advance(7200)
        self.assertEqual(transport.value(), before, f"sent {GET!r}, lost after the answer")


class PeerThatNeverReadsTests(TestCase):
    """A connection can break silently: the peer is simply not there any more."""

    def test_it_is_cut_off(self) -> None:
        """An answer that is never read does not keep its connection for ever."""
        channel, transport, clock = connect(self, lambda request: hello())
        channel.dataReceived(GET)
        transport.may_abort = True
        clock.pump([1] * 3600)
        done = (transport.state, clock.getDelayedCalls())
        self.assertEqual(done, ("aborted", []), "the answer was not read for an hour")
