"""One connection: what is written, when it is closed, and what is left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hypothesis import given
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, Logger, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import alsoProvides, implementer

from toyhttp.channel import LINGER, HTTPChannel, HTTPFactory
from toyhttp.dates import format_http_date
from toyhttp.request import Request
from toyhttp.response import Response

from .deliveries import cut, cuts, one_by_one, property_settings, streams

timeout = 5

NOW = 784111777.0  # the moment that RFC 1945 uses as its example of a date
GET = b"GET /a HTTP/1.0\r\nHost: b\r\n\r\n"
BAD = b"G@T / HTTP/1.0\r\n\r\n"


class Recorder:
    """A handler that shows what it was called with, and remembers it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(200, [(b"X-Target", b"seen")], b"<" + request.target + b">")


class TCPTransport(StringTransport):
    """A StringTransport that can do what TCP can: it records how it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []

    def loseWriteConnection(self) -> None:
        """Record it."""
        self.closed.append("half")

    def loseConnection(self) -> None:
        """Record it."""
        self.closed.append("gently")

    def abortConnection(self) -> None:
        """Record it."""
        self.closed.append("abruptly")


def connect(
    handler: Callable[[Request], Response],
    *chunks: bytes,
    clock: Clock | None = None,
    transport: StringTransport | None = None,
    **options: Any,
) -> tuple[HTTPChannel, StringTransport]:
    """Connect a client that sends these chunks."""
    channel = HTTPFactory(handler, clock or Clock(), **options).buildProtocol(None)
    transport = transport or StringTransport()
    channel.makeConnection(transport)
    for chunk in chunks:
        channel.dataReceived(chunk)
    return channel, transport


def answer(handler: Callable[[Request], Response], *chunks: bytes, **options: Any) -> bytes:
    """Return all that is written to a client that sends these chunks."""
    written: bytes = connect(handler, *chunks, **options)[1].value()
    return written


def respond(response: Any) -> Callable[[Request], Response]:
    """Return a handler that always returns this, be it a response or not."""

    def handler(request: Request) -> Response:
        made: Response = response
        return made

    return handler


class SimpleRequestTests(TestCase):
    """A client of HTTP/0.9 gets a body and nothing else."""

    def test_answered_at_the_line_end(self) -> None:
        """A Simple-Request is answered before any blank line comes (RFC 1945, 5)."""
        for sent in (b"GET /a\r\n", b"GET /a\n"):
            channel, transport = connect(Recorder(), sent[:-1])
            self.assertEqual(transport.value(), b"", f"sent {sent[:-1]!r}")
            channel.dataReceived(sent[-1:])
            came = (transport.value(), transport.disconnecting)
            self.assertEqual(came, (b"</a>", True), f"sent {sent!r}")

    def test_handler_sees_the_version(self) -> None:
        """The handler gets a request of version 0.9 (RFC 1945, 3.1)."""
        handler = Recorder()
        answer(handler, b"GET /a\r\n")
        self.assertEqual(handler.requests, [Request(b"GET", b"/a", (0, 9))])

    def test_what_follows_is_dropped(self) -> None:
        """Lines after a Simple-Request are no header fields of it (RFC 1945, 5)."""
        sent = b"GET /a\r\nHost: b\r\n\r\n"
        self.assertEqual(answer(Recorder(), sent), b"</a>", f"sent {sent!r}")

    def test_error_has_no_head(self) -> None:
        """Not even an error may begin with a status line (RFC 1945, 6)."""
        sent = b"GET a\r\n"
        _, transport = connect(Recorder(), sent)
        came = transport.value()
        self.assertTrue(came.startswith(b"400 Bad Request: "), f"sent {sent!r}, came {came!r}")
        self.assertEqual(came.count(b"\n"), 1, f"sent {sent!r}, came {came!r}")
        self.assertTrue(transport.disconnecting, f"sent {sent!r}")

    def test_error_of_the_handler_has_no_head(self) -> None:
        """A 500 has no head either (RFC 1945, 6)."""
        came = answer(respond(None), b"GET /\r\n")
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertEqual(came, b"500 Internal Server Error: The server made a mistake.\n")

    def test_no_content(self) -> None:
        """A response that has no body has none here (RFC 1945, 7.2)."""
        for status in (204, 304):
            came = answer(respond(Response(status, body=b"lost")), b"GET /\r\n")
            self.assertEqual(came, b"", f"status {status}")

    def test_body_that_is_not_bytes(self) -> None:
        """What the transport would not take never reaches it (RFC 1945, 7.2)."""
        for status in (200, 204):
            _, transport = connect(respond(Response(status, body="text")), b"GET /\r\n")  # type: ignore[arg-type]
            self.assertTrue(transport.disconnecting, f"status {status}")
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_body_with_a_blank_line(self) -> None:
        """The body is sent whole, also when it looks like a head (RFC 1945, 7.2)."""
        body = b"\r\n\r\na\r\n\r\n"
        self.assertEqual(answer(respond(Response(200, body=body)), b"GET /\r\n"), body)

    def test_three_words_get_a_status_line(self) -> None:
        """Whatever is wrong with it, a Full-Request gets a full answer (RFC 1945, 6)."""
        for sent in (
            b"GET / x\r\n",
            b"GET / HTTP/9.9\r\n",
            b"GET / HTTP/0.9\r\n",
            b"GET a HTTP/1.0\r\n",
            b"GET a b c\r\n",
            b"\x00 / HTTP/1.0\r\n",
        ):
            came = answer(Recorder(), sent)
            self.assertEqual(came[:9], b"HTTP/1.0 ", f"sent {sent!r}, came {came!r}")

    def test_other_methods_get_a_status_line(self) -> None:
        """HTTP/0.9 has no HEAD and no POST, so nobody expects a bare body (RFC 1945, 5)."""
        for sent in (b"HEAD /\r\n", b"POST /\r\n", b"FOO /\r\n"):
            came = answer(Recorder(), sent)
            self.assertEqual(came[:12], b"HTTP/1.0 400", f"sent {sent!r}, came {came!r}")


class VersionTests(TestCase):
    """The server speaks HTTP/1.0, whoever asks."""

    def test_status_line(self) -> None:
        """A client of another minor version gets the server's own (RFC 2145, 2.3)."""
        for version in (b"1.0", b"1.1", b"1.9", b"01.01", b"2.0"):
            sent = b"GET / HTTP/" + version + b"\r\n\r\n"
            came = answer(Recorder(), sent)
            self.assertEqual(came[:9], b"HTTP/1.0 ", f"sent {sent!r}, came {came!r}")

    def test_request_of_a_later_version_is_served(self) -> None:
        """Fields that HTTP/1.0 does not know are ignored (RFC 1945, 7.1)."""
        sent = b"GET /a HTTP/1.1\r\nTE: x\r\nUpgrade: h2c\r\nRange: x\r\nExpect: y\r\n\r\n"
        self.assertEqual(answer(Recorder(), sent), answer(Recorder(), GET), f"sent {sent!r}")

    def test_no_interim_answer(self) -> None:
        """A client that asks for a 100 waits for the answer itself (RFC 1945, 9.1)."""
        head = b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
        channel, transport = connect(Recorder(), head)
        self.assertEqual(transport.value(), b"", f"sent {head!r}")
        channel.dataReceived(b"x")
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 200", f"sent {head + b'x'!r}")


class FieldTests(TestCase):
    """The header fields that say who answers, and when."""

    def test_server(self) -> None:
        """Every answer says what server gave it, errors too (RFC 1945, 10.14)."""
        for sent in (GET, BAD):
            came = answer(Recorder(), sent, server=b"mine/2 (x)")
            self.assertEqual(came.count(b"\r\nServer: mine/2 (x)\r\n"), 1, f"sent {sent!r}")

    def test_usual_server(self) -> None:
        """Without other orders the server is called toyhttp (RFC 1945, 10.14)."""
        self.assertIn(b"\r\nServer: toyhttp\r\n", answer(Recorder(), GET))

    def test_no_server(self) -> None:
        """An empty name leaves the field out, from errors too (RFC 1945, 12.4)."""
        for sent in (GET, BAD):
            self.assertNotIn(b"Server:", answer(Recorder(), sent, server=b""), f"sent {sent!r}")

    def test_bad_server(self) -> None:
        """A name that would break every answer is refused at once (RFC 1945, 4.2)."""
        for server in (b"a\r\nX: y", b"a\n", b"a\r", b"\x00"):
            self.assertRaises(ValueError, HTTPFactory, Recorder(), Clock(), server=server)

    def test_date_of_an_error(self) -> None:
        """An error has a date as well, the clock's (RFC 1945, 10.6)."""
        clock = Clock()
        clock.advance(NOW)
        came = answer(Recorder(), BAD, clock=clock)
        self.assertIn(b"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", came)

    def test_date_follows_the_clock(self) -> None:
        """A later answer of the same server has a later date (RFC 1945, 10.6)."""
        clock = Clock()
        clock.advance(NOW)
        first = answer(Recorder(), GET, clock=clock)
        clock.advance(1)
        second = answer(Recorder(), GET, clock=clock)
        self.assertIn(b" 08:49:37 GMT\r\n", first)
        self.assertIn(b" 08:49:38 GMT\r\n", second)

    def test_time_of_the_reactor(self) -> None:
        """A server that was given no clock uses the real time (RFC 1945, 10.6)."""
        channel = HTTPFactory(Recorder()).buildProtocol(None)
        self.addCleanup(channel.connectionLost, Failure(ConnectionDone()))
        transport = StringTransport()
        channel.makeConnection(transport)
        before = int(time.time())
        channel.dataReceived(GET)
        after = int(time.time())
        date = transport.value().partition(b"Date: ")[2][:29]
        self.assertIn(date, [format_http_date(second) for second in range(before, after + 1)])


class RefusalTests(TestCase):
    """What is refused, when, and with which words."""

    def test_status(self) -> None:
        """Each mistake has its status (RFC 1945, 9.4, 9.5)."""
        for sent, status in (
            (b"GET / HTTP/2.0\r\n", 505),
            (b"GET /" + 9000 * b"a", 414),
            (b"GET / HTTP/1.0\r\nA: " + 17000 * b"a", 431),
            (b"GET / HTTP/1.0\r\n" + 101 * b"A: b\r\n" + b"\r\n", 431),
            (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
            (b"GET / HTTP/1.0\r\nTransfer-Encoding: x\r\nContent-Length: 1\r\n\r\n", 400),
            (b"POST / HTTP/1.0\r\n\r\n", 400),
            (b"POST / HTTP/1.0\r\nContent-Length: 1\r\n 0\r\n\r\n", 400),
        ):
            handler = Recorder()
            _, transport = connect(handler, sent)
            came = transport.value()
            self.assertEqual(came[:13], b"HTTP/1.0 %d " % status, f"sent {sent[:60]!r}")
            self.assertTrue(transport.disconnecting, f"sent {sent[:60]!r}")
            self.assertEqual(handler.requests, [], f"sent {sent[:60]!r}")

    def test_unknown_method_is_answered_at_its_head(self) -> None:
        """The answer does not wait for the body (RFC 1945, 9.5)."""
        sent = b"BREW / HTTP/1.0\r\nContent-Length: 1000\r\n\r\n"
        self.assertEqual(answer(Recorder(), sent)[:12], b"HTTP/1.0 501", f"sent {sent!r}")

    def test_large_body_is_answered_at_its_head(self) -> None:
        """The answer does not wait for what is too much (RFC 9110, 15.5.14)."""
        sent = b"POST / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n"
        self.assertEqual(answer(Recorder(), sent)[:12], b"HTTP/1.0 413", f"sent {sent!r}")

    def test_error_of_head_has_no_body(self) -> None:
        """The answer to a HEAD ends with its head, whatever is wrong (RFC 1945, 8.2)."""
        for rest, status in (
            (b" /\r\n", 400),
            (b"\r\n", 400),
            (b" /a b HTTP/1.0\r\n", 400),
            (b" a HTTP/1.0\r\n", 400),
            (b" / HTTP/1.0\r\nA\r\n\r\n", 400),
            (b" / HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400),
            (b" / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n", 413),
            (b" /" + 9000 * b"a", 414),
            (b" / HTTP/1.0\r\nA: " + 17000 * b"a", 431),
            (b" / HTTP/1.0\r\n" + 101 * b"A: b\r\n" + b"\r\n", 431),
            (b" / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
            (b" / HTTP/2.0\r\n", 505),
        ):
            sent = b"HEAD" + rest
            head, _, body = answer(Recorder(), sent).partition(b"\r\n\r\n")
            self.assertEqual(head[:12], b"HTTP/1.0 %d" % status, f"sent {sent[:60]!r}")
            self.assertEqual(body, b"", f"sent {sent[:60]!r}")

    def test_error_of_head_has_the_fields_of_the_get(self) -> None:
        """It has the length that the body of a GET would have (RFC 1945, 8.2)."""
        rest = b" / HTTP/1.0\r\nContent-Length: x\r\n\r\n"
        whole = answer(Recorder(), b"GET" + rest)
        head = whole[: whole.index(b"\r\n\r\n") + 4]
        self.assertEqual(answer(Recorder(), b"HEAD" + rest), head)
        self.assertNotEqual(head, whole)

    def test_explanation_is_safe(self) -> None:
        """An error is plain text, and nothing that was sent is in it (RFC 1945, 7.2.1)."""
        nasty = b"<script>"
        for sent in (
            nasty + b" / HTTP/1.0\r\n",
            b"GET " + nasty + b" HTTP/1.0\r\n",
            b"GET /" + nasty + b" " + nasty + b"\r\n",
            b"GET /" + nasty + b" HTTP/2.0\r\n",
            b"GET / HTTP/1.0\r\n" + nasty + b": a\r\n\r\n",
            b"GET / HTTP/1.0\r\nContent-Length: " + nasty + b"\r\n\r\n",
            b"GET " + nasty + b"\r\n",
        ):
            came = answer(Recorder(), sent)
            self.assertNotIn(b"<", came, f"sent {sent!r}")
            if came.startswith(b"HTTP/"):
                plain = b"\r\nContent-Type: text/plain; charset=utf-8\r\n"
                self.assertIn(plain, came, f"sent {sent!r}")

    def test_clients_do_not_share_an_error(self) -> None:
        """A client that is refused is alone with that (RFC 1945, 1.3)."""
        factory = HTTPFactory(Recorder(), Clock())
        one, other = factory.buildProtocol(None), factory.buildProtocol(None)
        first, second = StringTransport(), StringTransport()
        one.makeConnection(first)
        other.makeConnection(second)
        other.dataReceived(GET[:9])
        one.dataReceived(BAD)
        other.dataReceived(GET[9:])
        came = (first.value()[:12], second.value()[:12])
        self.assertEqual(came, (b"HTTP/1.0 400", b"HTTP/1.0 200"))


class BrokenHandlerTests(TestCase):
    """A handler's mistake is a 500, is logged once, and is nobody else's business."""

    def assert_mistake(self, response: Any, kind: type[Exception]) -> None:
        """Assert that a handler that returns this makes a 500, and one error in the log."""
        _, transport = connect(respond(response), GET)
        came = transport.value()
        self.assertEqual(len(self.flushLoggedErrors(kind)), 1, f"returned {response!r}")
        self.assertEqual(came[:12], b"HTTP/1.0 500", f"returned {response!r}, came {came!r}")
        self.assertTrue(transport.disconnecting, f"returned {response!r}")

    def test_nothing(self) -> None:
        """A handler that forgot to return is wrong (RFC 1945, 9.5)."""
        self.assert_mistake(None, AttributeError)

    def test_bytes_alone(self) -> None:
        """Bytes are not a response (RFC 1945, 9.5)."""
        self.assert_mistake(b"hello", AttributeError)

    def test_body_of_text(self) -> None:
        """A body is bytes; no encoding is guessed (RFC 1945, 7.2)."""
        self.assert_mistake(Response(200, body="hello"), TypeError)  # type: ignore[arg-type]

    def test_status_that_cannot_be_sent(self) -> None:
        """No handler sends an interim answer or a class that is none (RFC 1945, 6.1.1)."""
        for status in (100, 199, 600, 0):
            self.assert_mistake(Response(status), ValueError)
        self.assert_mistake(Response(200.5), TypeError)  # type: ignore[arg-type]

    def test_handler_that_wants_to_end_it_all(self) -> None:
        """Whatever a handler raises, the server lives on (RFC 1945, 9.5)."""
        for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit()):

            def end(request: Request, error: BaseException = error) -> Response:
                raise error

            _, transport = connect(end, GET)
            self.assertEqual(len(self.flushLoggedErrors(type(error))), 1, f"raised {error!r}")
            self.assertEqual(transport.value()[:12], b"HTTP/1.0 500", f"raised {error!r}")
            self.assertTrue(transport.disconnecting, f"raised {error!r}")

    def test_field_that_frames(self) -> None:
        """No handler says where its message ends (RFC 1945, 7.2.2)."""
        for name in (b"Content-Length", b"connection", b"TRANSFER-ENCODING", b"Date"):
            self.assert_mistake(Response(200, [(name, b"1")]), ValueError)

    def test_fields_of_text(self) -> None:
        """Names and values are bytes (RFC 1945, 4.2)."""
        self.assert_mistake(Response(200, [("X", b"y")]), TypeError)  # type: ignore[list-item]
        self.assert_mistake(Response(200, None), TypeError)  # type: ignore[arg-type]

    def test_no_traceback_is_shown(self) -> None:
        """The client learns that it failed, and not how (RFC 1945, 9.5)."""

        def broken(request: Request) -> Response:
            raise RuntimeError("secret")

        for sent in (GET, b"GET /\r\n"):
            came = answer(broken, sent).partition(b"Content-Type")[2] or answer(broken, sent)
            for word in (b"secret", b"Traceback", b"RuntimeError", b".py"):
                self.assertNotIn(word, came, f"sent {sent!r}")
        self.flushLoggedErrors(RuntimeError)

    def test_log_says_which_request_it_was(self) -> None:
        """Who reads the log can try it again (RFC 1945, 9.5)."""
        events: list[LogEvent] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            events.append(event)

        self.patch(HTTPChannel, "log", Logger(observer=observe))
        answer(respond(None), GET)
        logged = [formatEvent(event) for event in events]
        self.assertEqual(logged, ["The handler failed to answer b'GET' b'/a'"])
        self.assertIsInstance(events[0]["log_failure"], Failure)

    def test_next_client_is_served(self) -> None:
        """One mistake does not stop the server (RFC 1945, 9.5)."""
        responses: list[Any] = [None, Response(200)]
        factory = HTTPFactory(lambda request: responses.pop(0), Clock())
        came = []
        for _ in range(2):
            channel, transport = factory.buildProtocol(None), StringTransport()
            channel.makeConnection(transport)
            channel.dataReceived(GET)
            came.append(transport.value()[:12])
        self.assertEqual(came, [b"HTTP/1.0 500", b"HTTP/1.0 200"])
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)

    def test_error_that_the_handler_makes_itself(self) -> None:
        """A handler's own 404 is an answer like any other, for HEAD too (RFC 1945, 8.2)."""
        handler = respond(Response(404, [(b"X", b"y")], b"gone"))
        whole = answer(handler, GET)
        self.assertEqual(whole[:12], b"HTTP/1.0 404")
        head = answer(handler, b"HEAD /a HTTP/1.0\r\n\r\n")
        self.assertEqual(head + b"gone", whole)


class LingerTests(TestCase):
    """A client that is refused while it sends must be able to read why."""

    def refuse(
        self, clock: Clock, interface: Any = ITCPTransport
    ) -> tuple[HTTPChannel, TCPTransport]:
        """Connect over a transport of this kind, and be refused."""
        transport = TCPTransport()
        alsoProvides(transport, interface)
        channel, _ = connect(Recorder(), BAD, clock=clock, transport=transport)
        return channel, transport

    def test_half_is_closed(self) -> None:
        """At first only the server's half is closed (RFC 1945, 9.4)."""
        _, transport = self.refuse(Clock())
        self.assertEqual(transport.value()[:12], b"HTTP/1.0 400")
        self.assertEqual(transport.closed, ["half"])

    def test_client_is_cut_off(self) -> None:
        """A client that goes on is cut off after a while, and only once (RFC 9112, 9.6)."""
        clock = Clock()
        _, transport = self.refuse(clock)
        clock.advance(LINGER - 0.01)
        self.assertEqual(transport.closed, ["half"])
        clock.advance(0.01)
        self.assertEqual(transport.closed, ["half", "abruptly"])
        clock.advance(100)
        self.assertEqual(transport.closed, ["half", "abruptly"])

    def test_what_is_sent_meanwhile_is_dropped(self) -> None:
        """Bytes after an error are neither answered nor a new delay (RFC 9112, 9.6)."""
        clock = Clock()
        channel, transport = self.refuse(clock)
        came = transport.value()
        clock.advance(LINGER / 2)
        channel.dataReceived(GET)
        channel.dataReceived(BAD)
        self.assertEqual(transport.value(), came, f"sent {GET + BAD!r} after an error")
        self.assertEqual(transport.closed, ["half"])
        clock.advance(LINGER / 2)
        self.assertEqual(transport.closed, ["half", "abruptly"])

    def test_client_that_goes(self) -> None:
        """Nothing is left to do for a client that has gone (RFC 1945, 1.3)."""
        clock = Clock()
        channel, transport = self.refuse(clock)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(clock.getDelayedCalls(), [])
        clock.advance(LINGER)
        self.assertEqual(transport.closed, ["half"])

    def test_client_that_goes_after_it_was_cut_off(self) -> None:
        """The end that the server made itself is no error (RFC 1945, 1.3)."""
        clock = Clock()
        channel, _ = self.refuse(clock)
        clock.advance(LINGER)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_tls(self) -> None:
        """TLS has no half-open connections, so it is closed as a whole (RFC 8446, 6.1)."""
        _, transport = self.refuse(Clock(), ISSLTransport)
        self.assertEqual(transport.closed, ["gently"])

    def test_other_transports(self) -> None:
        """What is no TCP, as a Unix socket, is closed as a whole (RFC 1945, 1.3)."""
        _, transport = connect(Recorder(), BAD, transport=TCPTransport())
        assert isinstance(transport, TCPTransport)
        self.assertEqual(transport.closed, ["gently"])

    def test_answer_that_is_no_refusal(self) -> None:
        """A request that was read whole needs no delay (RFC 1945, 1.3)."""
        for handler in (Recorder(), respond(None)):
            transport = TCPTransport()
            alsoProvides(transport, ITCPTransport)
            connect(handler, GET, transport=transport)
            self.assertEqual(transport.closed, ["gently"])
        self.flushLoggedErrors(AttributeError)

    def test_more_than_was_read(self) -> None:
        """Nor is the answer lost if more came behind the last request (RFC 9112, 9.6)."""
        post = b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"
        for chunks in ((GET + b"\r\n",), (post,), (post + b"\r\n",), (GET, b"\r\n"), (post, b"x")):
            for late in (False, True):
                later: Deferred[Response] = Deferred()
                transport = TCPTransport()
                alsoProvides(transport, ITCPTransport)
                handler: Any = respond(later if late else Response(200))
                channel, _ = connect(handler, chunks[0], transport=transport)
                if late:
                    for chunk in chunks[1:]:
                        channel.dataReceived(chunk)
                    later.callback(Response(200))
                gentle = not late and chunks[0] == GET
                expected = ["gently"] if gentle else ["half"]
                self.assertEqual(transport.closed, expected, f"sent {chunks!r}, late: {late}")
                self.assertEqual(transport.value()[:12], b"HTTP/1.0 200")

    def test_each_client_has_its_own_time(self) -> None:
        """A client that goes does not save another one (RFC 9112, 9.6)."""
        clock = Clock()
        one, first = self.refuse(clock)
        clock.advance(LINGER / 2)
        _, second = self.refuse(clock)
        one.connectionLost(Failure(ConnectionDone()))
        clock.advance(LINGER)
        self.assertEqual((first.closed, second.closed), (["half"], ["half", "abruptly"]))


class DisconnectTests(TestCase):
    """Clients go away whenever they like."""

    def test_client_that_says_nothing(self) -> None:
        """A connection without a request leaves nothing behind (RFC 1945, 1.3)."""
        clock = Clock()
        channel, transport = connect(Recorder(), clock=clock)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((transport.value(), clock.getDelayedCalls()), (b"", []))

    def test_client_that_goes_after_its_answer(self) -> None:
        """The usual end leaves nothing behind (RFC 1945, 1.3)."""
        clock = Clock()
        channel, _ = connect(Recorder(), GET, clock=clock)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(clock.getDelayedCalls(), [])


class DeliveryTests(TestCase):
    """What is written depends on the bytes, and not on how they were cut."""

    def outcome(self, chunks: list[bytes]) -> tuple[bytes, bool, list[Request]]:
        """Return what is written, whether the connection is closed, and what was handled."""
        handler = Recorder()
        _, transport = connect(handler, *chunks)
        return transport.value(), transport.disconnecting, handler.requests

    @property_settings(250)
    @given(streams, cuts)
    def test_any_bytes_in_any_chunks(self, sent: bytes, places: list[int]) -> None:
        """Every delivery gets the same answer, and at most one."""
        whole = self.outcome([sent])
        for chunks in (cut(sent, places), one_by_one(sent)):
            self.assertEqual(self.outcome(chunks), whole, f"sent {chunks!r}")
        written, closed, requests = whole
        self.assertLessEqual(len(requests), 1, f"sent {sent!r}")
        self.assertEqual(bool(written), closed, f"sent {sent!r}, came {written!r}")
