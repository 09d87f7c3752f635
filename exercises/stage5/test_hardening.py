"""Stage 5, the hardening: clients that send more than they should, and handlers that fail.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage5.test_hardening``
"""

from __future__ import annotations

import gc

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.stage4.test_hardening import can_be_rendered, growth
from exercises.stage5.test_deferred import (
    GET,
    HEAD,
    HELLO,
    HELLO_HEAD,
    POST,
    Handler,
    Later,
    connect,
    hello,
    parts,
)
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop


class PauseTests(TestCase):
    """Backpressure: what the client sends meanwhile is not read, so it does not fill the memory."""

    def test_transport_is_paused(self) -> None:
        """At the first bytes received meanwhile, the transport is paused."""
        for sent in (GET, HEAD, POST):
            channel, transport = connect(self, Later())
            transport.deliver(channel, sent)
            for _ in range(3):
                transport.deliver(channel, b"G")
                self.assertEqual(transport.producerState, "paused", f"sent {sent!r}, then more")

    def test_silent_client_is_listened_to(self) -> None:
        """A paused transport is not told that its client has gone: pause only if needed."""
        for sent in (GET, HEAD, POST, GET + GET):
            channel, transport = connect(self, Later())
            transport.deliver(channel, sent)
            self.assertEqual(transport.producerState, "producing", f"sent {sent!r} in one chunk")

    def test_answer_on_a_paused_transport(self) -> None:
        """Only reading is paused: the answer, or a 500, is written (RFC 1945, 6)."""
        for result, status in ((hello(), b"200"), (RuntimeError("secret"), b"500")):
            handler = Later()
            channel, transport = connect(self, handler)
            transport.deliver(channel, GET)
            transport.deliver(channel, GET)
            if isinstance(result, Response):
                handler.answers[0].callback(result)
            else:
                handler.answers[0].errback(result)
            done = (transport.value()[:12], transport.state)
            self.assertEqual(done, (b"HTTP/1.0 " + status, "closing"), f"sent {GET!r} twice")
        self.flushLoggedErrors(RuntimeError)

    def test_closing_transport_is_not_paused(self) -> None:
        """Whatever is received after the answer is dropped, however the answer came about."""
        handlers: dict[str, Handler] = {
            "at once": lambda request: hello(),
            "as a Deferred that has fired": lambda request: succeed(hello()),
            "as a Deferred that has failed": lambda request: fail(RuntimeError("secret")),
        }
        for name, handler in handlers.items():
            channel, transport = connect(self, handler)
            transport.deliver(channel, GET)
            before = transport.value()
            transport.deliver(channel, GET)
            done = (transport.value(), transport.producerState)
            self.assertEqual(done, (before, "producing"), f"answered {name}; sent {GET!r} twice")
        self.flushLoggedErrors(RuntimeError)

    def test_nothing_is_kept(self) -> None:
        """Bytes received while the handler works, and after the answer, are dropped at once."""
        for sent in (GET, POST):
            handler = Later()
            channel, transport = connect(self, handler)
            transport.deliver(channel, sent)
            kept = growth(channel)
            self.assertLess(kept, 1024 * 1024, f"bytes kept of the 4 MiB sent after {sent!r}")
            handler.answers[0].callback(hello())
            kept = growth(channel)
            self.assertLess(kept, 1024 * 1024, "bytes kept of the 4 MiB sent after the answer")


class LateFailureTests(TestCase):
    """A failure is answered like any other, however late it comes."""

    def test_failures_of_all_kinds(self) -> None:
        """500, with a body unless it answers a HEAD, then a close (RFC 1945, 8.2, 9.5)."""

        def raises(request: Request) -> Response:
            raise RuntimeError("secret")

        handlers: dict[str, Handler] = {
            "raises": raises,
            "returns a Deferred that has failed": lambda request: fail(RuntimeError("secret")),
            "returns a Deferred of None": lambda request: succeed(None),
            "returns a Deferred that fails later": Later(),
        }
        for name, handler in handlers.items():
            for sent in (GET, HEAD, POST):
                channel, transport = connect(self, handler)
                transport.deliver(channel, sent)
                if isinstance(handler, Later):
                    handler.answers.pop().errback(KeyError("secret"))
                head, _, body = transport.value().partition(b"\r\n\r\n")
                done = (head[:12], body != b"", transport.state)
                expected = (b"HTTP/1.0 500", sent != HEAD, "closing")
                self.assertEqual(done, expected, f"sent {sent!r}; the handler {name}")
                self.assertNotIn(b"secret", transport.value())
                self.assertEqual(len(self.flushLoggedErrors()), 1, f"{name}: failures logged")

    def test_response_that_cannot_be_sent(self) -> None:
        """A late response with a field that stage 2 refuses is a 500, too."""

        def split(result: None) -> Response:
            return Response(302, [(b"Location", b"/\r\nSet-Cookie: secret")])

        if can_be_rendered((b"Location", b"/\r\nSet-Cookie: secret")):
            return  # stage 2 is without its hardening
        for sent in (GET, HEAD, POST):
            started: Deferred[None] = Deferred()
            channel, transport = connect(self, lambda request: started.addCallback(split))  # noqa: B023
            transport.deliver(channel, sent)
            started.callback(None)
            done = (transport.value()[:12], transport.state)
            self.assertEqual(done, (b"HTTP/1.0 500", "closing"), f"sent {sent!r}")
            self.assertNotIn(b"secret", transport.value())
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1, "failures logged")

    def test_failure_is_logged_once(self) -> None:
        """Logging a failure handles it: it does not stay in the Deferred."""
        handler = Later()
        channel, _ = connect(self, handler)
        channel.dataReceived(GET)
        handler.answers.pop().errback(RuntimeError("secret"))
        gc.collect()  # a Deferred tells when it goes that nobody has handled its failure
        self.assertEqual(len(self.flushLoggedErrors()), 1, "failures logged")

    def test_date_is_that_of_the_failure(self) -> None:
        """``Date`` of a 500 is when it was written, too (RFC 1945, 10.6)."""
        clock, handler = Clock(), Later()
        channel, transport = connect(self, handler, clock)
        channel.dataReceived(GET)
        clock.advance(10)
        handler.answers[0].errback(RuntimeError("secret"))
        self.flushLoggedErrors(RuntimeError)
        self.assertIn(b"\r\nDate: Thu, 01 Jan 1970 00:00:10 GMT\r\n", transport.value())


class SharedStateTests(TestCase):
    """A client that waits does not affect another."""

    def test_other_client_is_served(self) -> None:
        """While one client waits, another is answered and closed, and not paused."""
        handler = Later()
        factory = HTTPFactory(handler, Clock())
        channels = [factory.buildProtocol(None) for _ in range(2)]
        transports = [StrictTransport(self) for _ in range(2)]
        for channel, transport in zip(channels, transports, strict=True):
            channel.makeConnection(transport)
        channels[0].dataReceived(GET)
        channels[0].dataReceived(b"more")
        channels[1].dataReceived(GET[:10])
        channels[1].dataReceived(GET[10:])
        states = [transport.producerState for transport in transports]
        self.assertEqual(states, ["paused", "producing"], "the first sent more, the second did not")
        handler.answers[1].callback(hello())
        self.assertEqual((transports[0].value(), transports[0].state), (b"", "open"), "the first")
        self.assertEqual((parts(transports[1]), transports[1].state), (HELLO, "closing"))

    def test_waiting_client_after_another_was_answered(self) -> None:
        """An answer to one client leaves the other waiting: still paused, then answered."""
        handler = Later()
        factory = HTTPFactory(handler, Clock())
        channels = [factory.buildProtocol(None) for _ in range(2)]
        transports = [StrictTransport(self) for _ in range(2)]
        for channel, transport in zip(channels, transports, strict=True):
            channel.makeConnection(transport)
            transport.deliver(channel, GET)
        handler.answers[1].callback(hello())
        channels[0].dataReceived(GET)
        self.assertEqual(transports[0].producerState, "paused", f"sent {GET!r} twice")
        handler.answers[0].callback(hello())
        self.assertEqual(parts(transports[0]), HELLO, f"sent {GET!r} twice")

    def test_answer_while_another_is_asked(self) -> None:
        """A handler that answers one client may do so while it is called for another."""
        later = Later()

        def handler(request: Request) -> Deferred[Response] | Response:
            if not later.answers:
                return later(request)
            later.answers[0].callback(hello())
            return hello()

        factory = HTTPFactory(handler, Clock())
        transports = [StrictTransport(self) for _ in range(2)]
        for transport in transports:
            channel = factory.buildProtocol(None)
            channel.makeConnection(transport)
            transport.deliver(channel, GET)
        actual = [(parts(transport), transport.state) for transport in transports]
        self.assertEqual(actual, 2 * [(HELLO, "closing")], f"both sent {GET!r}")

    def test_each_client_has_its_method(self) -> None:
        """While one waits for the answer to a HEAD, another waits for that to a GET."""
        handler = Later()
        factory = HTTPFactory(handler, Clock())
        transports = [StrictTransport(self) for _ in range(3)]
        for transport, sent in zip(transports, (GET, HEAD, POST), strict=True):
            channel = factory.buildProtocol(None)
            channel.makeConnection(transport)
            transport.deliver(channel, sent)
        for awaited in handler.answers:
            awaited.callback(hello())
        expected = [HELLO, HELLO_HEAD, HELLO]
        self.assertEqual([parts(transport) for transport in transports], expected)
