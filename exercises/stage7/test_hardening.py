"""Stage 7, the hardening: handlers that ignore a cancellation, and transports that close at once.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage7.test_hardening``
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.stage7.test_disconnect import GET, Canceller, Later, connect, hello
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

HEAD = b"HEAD /a HTTP/1.0\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 4\r\n\r\ndata"
BAD = b"nonsense\r\n\r\n"


class CutAnywhereTests(TestCase):
    """The connection breaks before the request is complete, for whatever reason."""

    def test_after_each_byte(self) -> None:
        """Half a request is not handled or answered, and leaves nothing (RFC 1945, 1.3, 7.2.2)."""
        for reason in (ConnectionDone(), ConnectionLost(), ConnectionAborted(), OSError("oh")):
            for sent in (HEAD, POST):
                for end in range(len(sent)):
                    handler = Later()
                    channel, transport, clock = connect(self, handler)
                    transport.deliver(channel, sent[:end])
                    transport.lose(channel, reason)
                    done = (handler.answers, transport.value(), clock.getDelayedCalls())
                    self.assertEqual(done, ([], b"", []), f"{reason!r} after {sent[:end]!r}")


class HandlersThatDoNotListenTests(TestCase):
    """A handler that is cancelled may do what it likes: it does no harm."""

    def cut(self, handler: Later, *sent: bytes, reason: Exception | None = None) -> None:
        """Send this, lose the connection, and assert that nothing is written or left."""
        channel, transport, clock = connect(self, handler)
        transport.deliver(channel, *sent)
        transport.lose(channel, reason)
        handler.answers.clear()
        clock.advance(7200)
        done = (transport.value(), clock.getDelayedCalls())
        self.assertEqual(done, (b"", []), f"written, left; sent {sent!r}, then lost")

    def assert_nothing_was_logged(self) -> None:
        """Assert that no failure was logged, and that none will be."""
        gc.collect()  # a failure that nobody handled is logged when its Deferred goes
        logged = [failure.getErrorMessage() for failure in self.flushLoggedErrors()]
        self.assertEqual(logged, [], "failures logged; the clients have gone")

    def test_whatever_it_does(self) -> None:
        """It may answer, fail, or return nothing, when it is cancelled."""
        cancellers: tuple[Canceller, ...] = (
            lambda answer: answer.callback(hello()),
            lambda answer: answer.callback(None),
            lambda answer: answer.callback(Response(302, [(b"Location", b"/\r\n")])),
            lambda answer: answer.errback(RuntimeError("no")),
            lambda answer: answer.errback(ConnectionLost()),
            lambda answer: None,
        )
        for canceller in cancellers:
            for sent in ((GET,), (HEAD,), (POST,), (GET, GET)):
                self.cut(Later(canceller), *sent)
        self.assert_nothing_was_logged()

    def test_every_reason(self) -> None:
        """It is cancelled whatever the reason, even if the transport was paused."""
        for reason in (ConnectionDone(), ConnectionLost(), ConnectionAborted(), OSError("oh")):
            for more in ((), (GET,)):
                cancelled: list[Deferred[Response]] = []
                self.cut(Later(cancelled.append), GET, *more, reason=reason)
                self.assertEqual(len(cancelled), 1, f"cancelled; {reason!r}, sent {(GET, *more)!r}")
        self.assert_nothing_was_logged()

    def test_cancelled_for_another_reason(self) -> None:
        """A handler cancelled while its client is connected has failed like any other."""
        handler = Later()
        channel, transport, _ = connect(self, handler)
        channel.dataReceived(GET)
        handler.answers[0].cancel()
        done = (transport.value()[:12], transport.state)
        self.assertEqual(done, (b"HTTP/1.0 500", "closing"), f"sent {GET!r}, then cancelled")
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1, "failures logged")


class SharedCutTests(TestCase):
    """The loss of one connection does not affect another."""

    def test_other_client(self) -> None:
        """Its handler is not cancelled, and it is answered."""
        for lost, kept in ((0, 1), (1, 0)):
            cancelled: list[Deferred[Response]] = []
            handler = Later(cancelled.append)
            factory = HTTPFactory(handler, Clock())
            channels = [factory.buildProtocol(None) for _ in range(2)]
            transports = [StrictTransport(self) for _ in range(2)]
            for channel, transport in zip(channels, transports, strict=True):
                channel.makeConnection(transport)
                transport.deliver(channel, GET)
            transports[lost].lose(channels[lost])
            self.assertEqual(cancelled, [handler.answers[lost]], f"cancelled; client {lost} left")
            handler.answers[kept].callback(hello())
            written = transports[kept].value()
            self.assertEqual(written[:12], b"HTTP/1.0 200", f"client {lost} left, not {kept}")


class HastyTransport(StrictTransport):
    """A transport that calls ``connectionLost`` before ``loseConnection`` returns."""

    protocol: IProtocol

    def loseConnection(self) -> None:
        super().loseConnection()
        if self.state == "closing":
            self.lose(self.protocol)


class LostWhileClosingTests(TestCase):
    """``connectionLost`` may be called before ``loseConnection`` returns."""

    def test_nothing_is_left(self) -> None:
        """For whatever reason it closes, no delayed call is left, and nothing more is written."""
        clock = Clock()

        def broken(request: Request) -> Response:
            raise RuntimeError("secret")

        ways: dict[str, tuple[Callable[[Request], object], bytes]] = {
            "an answer": (lambda it: hello(), GET),
            "a Deferred that has fired": (lambda it: succeed(hello()), GET),
            "a late answer": (lambda it: deferLater(clock, 100, hello), GET),
            "a failure": (broken, GET),
            "a Deferred that has failed": (lambda it: fail(RuntimeError("secret")), GET),
            "a late failure": (lambda it: deferLater(clock, 100, broken, it), GET),
            "a 501": (broken, b"BREW / HTTP/1.0\r\n\r\n"),
            "a 400": (broken, BAD),
            "the idle timeout": (broken, b""),
        }
        for name, (handler, sent) in ways.items():
            channel = HTTPFactory(handler, clock).buildProtocol(None)
            transport = HastyTransport(self)
            transport.protocol = channel
            channel.makeConnection(transport)
            transport.deliver(channel, sent)
            clock.advance(100)
            done = (transport.state, clock.getDelayedCalls())
            self.assertEqual(done, ("lost", []), f"{name}: sent {sent!r}, and 100 s went by")
            self.assertLessEqual(transport.value().count(b"HTTP/1.0"), 1, f"{name}: answers")
        self.flushLoggedErrors(RuntimeError)

    def test_handler_is_not_cancelled(self) -> None:
        """A loss that follows an answer cancels nothing."""
        cancelled: list[Deferred[Response]] = []
        handler = Later(cancelled.append)
        channel = HTTPFactory(handler, Clock()).buildProtocol(None)
        transport = HastyTransport(self)
        transport.protocol = channel
        channel.makeConnection(transport)
        channel.dataReceived(GET)
        handler.answers[0].callback(hello())
        self.assertEqual((transport.state, cancelled), ("lost", []), f"sent {GET!r}, answered late")


class CutWhileItIsBeingClosedTests(TestCase):
    """A transport is not used after the connection is lost, whatever was under way."""

    def test_nothing_is_cut_off_later(self) -> None:
        """Lost between ``loseConnection`` and ``abortConnection``: nothing is cut off later."""
        for sent, seconds in (
            (GET, 0),
            (HEAD, 14),
            (BAD, 0),
            (BAD, 14),
            (b"", 16),
            (POST[:-1], 16),
        ):
            channel, transport, clock = connect(self, lambda request: hello())
            transport.deliver(channel, sent)
            clock.advance(seconds)
            self.assertEqual(transport.state, "closing", f"sent {sent!r}, {seconds} s went by")
            transport.lose(channel, ConnectionLost())
            clock.advance(7200)
            left = clock.getDelayedCalls()
            self.assertEqual(left, [], f"sent {sent!r}, lost {seconds} s later")
