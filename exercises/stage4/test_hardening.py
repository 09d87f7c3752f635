"""Stage 4, the hardening: what a server needs against strangers, attackers and bad days.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage4.test_hardening``
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.reader import RequestReader
from exercises.myhttp.request import BadRequest, Request
from exercises.myhttp.response import Response, render_response
from exercises.stage4.test_channel import (
    BAD,
    GET,
    HEAD,
    POST,
    Recorder,
    answer,
    connect,
    hello,
    lines,
    status_and_body,
)
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop


def field(response: bytes, name: bytes) -> bytes:
    """Return the value of a header field, whose name is in any case."""
    for line in lines(response.partition(b"\r\n\r\n")[0]):
        if line.lower().startswith(name.lower() + b":"):
            return line.partition(b":")[2].strip()
    return b""


def media_type(response: bytes) -> bytes:
    """Return the media type of a response, in lower case and without parameters."""
    return field(response, b"Content-Type").partition(b";")[0].strip().lower()


def growth(channel: HTTPChannel) -> int:
    """Return by how many bytes the memory grows while the client sends 4 MiB more."""
    tracemalloc.start()
    try:
        for _ in range(64):
            channel.dataReceived(bytes(64 * 1024))
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


LARGE = b"X-Field: value\r\n" * 2000
BAD_REQUESTS = (
    BAD,
    b"G@T / HTTP/1.0\r\n\r\n",
    b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\xe9\n\n",  # TLS, and this is not https
    b"G\xe9T /<b> HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nno field\r\n\r\n",
    b"POST / HTTP/1.0\r\n\r\n",  # it has no Content-Length
    b"GET / HTTP/1.0\r\n" + LARGE,  # and has not ended yet
    b"GET / HTTP/1.0\r\n" + LARGE + b"\r\n",
    b"POST / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n",
)
METHODS = b"get Head GE GETS OST PUT DELETE OPTIONS TRACE PATCH".split()


def refused() -> list[tuple[bytes, bytes]]:
    """Return what is refused, and with which status.

    Of the bad requests those that your reader refuses: it may be without its hardening.
    """
    found = [(b"%s / HTTP/1.0\r\nContent-Length: 0\r\n\r\n" % name, b"501") for name in METHODS]
    for sent in BAD_REQUESTS:
        reader = RequestReader()
        reader.feed(sent)
        try:
            reader.next_request()
        except BadRequest as error:
            found.append((sent, b"%d" % error.status))
    return found


class RefusedBytesTests(TestCase):
    """Whatever a client sends, it gets a proper answer, and the server keeps running."""

    def test_status(self) -> None:
        """400, 431, 413 or 501; then the connection is closed (RFC 1945, 9.4; RFC 6585, 5)."""
        for sent, status in refused():
            handler = Recorder()
            channel, transport = connect(self, handler)
            transport.deliver(channel, sent)
            done = (transport.value()[:12], transport.state, len(handler.requests))
            expected = (b"HTTP/1.0 " + status, "closing", 0)
            self.assertEqual(done, expected, f"sent {sent[:60]!r}, {len(sent)} bytes")

    def test_endless_line(self) -> None:
        """A line without an end is refused, too: 431, or 414 (RFC 9110, 15.5.15)."""
        sent = b"GET /" + 20000 * b"a"
        status = answer(self, hello, sent)[:12]
        self.assertIn(status, (b"HTTP/1.0 431", b"HTTP/1.0 414"))

    def test_explanation(self) -> None:
        """The body explains, as plain text, which no browser takes for HTML (RFC 1945, 9.4)."""
        for sent, status in refused():
            written = answer(self, hello, sent)
            _, body = status_and_body(written)
            message = f"sent {sent[:60]!r}, {status!r} was written with the body {body!r}"
            self.assertNotEqual(body.strip(), b"", message)
            self.assertEqual(media_type(written), b"text/plain", message)
            self.assertEqual(field(written, b"Content-Length"), b"%d" % len(body), message)

    def test_date(self) -> None:
        """A refusal has a ``Date``, as any answer has (RFC 1945, 10.6)."""
        for sent, _ in refused():
            clock = Clock()
            clock.advance(784111776)
            channel, transport = connect(self, hello, clock)
            clock.advance(1)
            transport.deliver(channel, sent)
            date = field(transport.value(), b"Date")
            self.assertEqual(date, b"Sun, 06 Nov 1994 08:49:37 GMT", f"sent {sent[:60]!r}")

    def test_what_comes_after_it(self) -> None:
        """It is dropped: one refusal is the only answer of its connection."""
        for sent, _ in refused():
            handler = Recorder()
            channel, transport = connect(self, handler)
            transport.deliver(channel, sent)
            before = transport.value()
            for more in (b"x", b"\r\n\r\n", GET, BAD):
                transport.deliver(channel, more)
            done = (lines(transport.value()), handler.requests)
            self.assertEqual(done, (lines(before), []), f"sent {sent[:60]!r}, then more")


class BodyTests(TestCase):
    """Any request may have a body (RFC 1945, 7.2)."""

    def test_body_of_each_method(self) -> None:
        """It is waited for and given to the handler; the answer to a HEAD has no body."""
        for method in (b"GET", b"HEAD", b"POST"):
            sent = method + b" /c HTTP/1.0\r\nContent-Length: 4\r\n\r\ndata"
            self.assertEqual(answer(self, hello, sent[:-1]), b"", f"sent {sent[:-1]!r}")
            expected = b"" if method == b"HEAD" else b"hello /c data"
            body = status_and_body(answer(self, hello, sent))[1]
            self.assertEqual(body, expected, f"sent {sent!r}")


def can_be_rendered(field: tuple[bytes, bytes]) -> bool:
    """Return whether your ``render_response`` is without the hardening that refuses this field."""
    try:
        render_response(Response(302, [field]), 0.0)
    except ValueError:
        return False
    return True


class BrokenResponseTests(TestCase):
    """There are many ways for a handler to fail. Each is a 500 (RFC 1945, 9.5)."""

    def assert_500(self, handler: Callable[[Request], Any], name: str) -> None:
        """Assert that the failure of ``handler`` is answered, and logged once."""
        for sent in (GET, HEAD, POST):
            channel, transport = connect(self, handler)
            transport.deliver(channel, sent)
            message = f"the handler {name}; sent {sent!r}"
            status, body = status_and_body(transport.value())
            done = (status, body.strip() != b"", transport.state)
            self.assertEqual(done, (b"HTTP/1.0 500", sent != HEAD, "closing"), message)
            self.assertEqual(media_type(transport.value()), b"text/plain", message)
            self.assertNotIn(b"secret", transport.value(), f"{message}: {body!r} tells a secret")
            self.assertEqual(len(self.flushLoggedErrors()), 1, f"{message}: failures logged")

    def test_handler_that_raises_anything(self) -> None:
        """Its mistake is the server's, not the client's, whatever it is."""
        for error in (
            ValueError("secret"),
            KeyError("secret"),
            StopIteration("secret"),
            UnicodeDecodeError("ascii", b"secret", 0, 1, "secret"),
            AssertionError("secret"),
            OSError("secret"),
            BadRequest("secret", 400),  # of another server, which the handler has asked
        ):

            def broken(request: Request) -> Response:
                raise error  # noqa: B023

            self.assert_500(broken, f"raises {error!r}")

    def test_what_is_no_response(self) -> None:
        """A result that is not a response cannot be rendered."""
        for result in (None, b"secret", "secret", 200, Request):
            self.assert_500(lambda request: result, f"returns {result!r}")  # noqa: B023

    def test_response_of_wrong_values(self) -> None:
        """Nor can a response that is made of what is neither bytes nor pairs."""
        wrong: list[tuple[Any, ...]] = [(200, 7), (200, [None]), (200, [], 7)]
        for values in wrong:
            self.assert_500(
                lambda request: Response(*values),  # noqa: B023
                f"returns Response{values!r}",
            )

    def test_response_that_cannot_be_sent(self) -> None:
        """Neither can a response with a field that stage 2 refuses (RFC 1945, 4.2)."""
        for field in ((b"Location", b"/\r\nSet-Cookie: secret"), (b"X secret", b"y")):
            if can_be_rendered(field):
                continue

            def redirect(request: Request) -> Response:
                return Response(302, [field])  # noqa: B023

            self.assert_500(redirect, f"returns the field {field!r}")


class SharedStateTests(TestCase):
    """A server has many clients, and a process may have many servers."""

    def test_each_client_is_answered(self) -> None:
        """An answer to one client, or a refusal, does not affect another."""
        for first in (GET, HEAD, BAD, GET + GET):
            factory = HTTPFactory(hello, Clock())
            transports = [StrictTransport(self) for _ in range(3)]
            channels = [factory.buildProtocol(None) for _ in range(2)]
            for channel, transport in zip(channels, transports, strict=False):
                channel.makeConnection(transport)
            transports[0].deliver(channels[0], first)
            channels.append(factory.buildProtocol(None))
            channels[2].makeConnection(transports[2])
            for number in (1, 2):
                transports[number].deliver(channels[number], GET)
                written = status_and_body(transports[number].value())
                expected = (b"HTTP/1.0 200", b"hello /a ")
                self.assertEqual(written, expected, f"one client sent {first!r}, another {GET!r}")

    def test_each_client_has_its_end(self) -> None:
        """The loss of one connection does not affect another."""
        factory = HTTPFactory(hello, Clock())
        channels = [factory.buildProtocol(None) for _ in range(2)]
        transports = [StrictTransport(self) for _ in range(2)]
        for channel, transport in zip(channels, transports, strict=True):
            channel.makeConnection(transport)
            transport.deliver(channel, GET[:10])
        transports[0].lose(channels[0])
        channels[1].dataReceived(GET[10:])
        status, _ = status_and_body(transports[1].value())
        self.assertEqual(status, b"HTTP/1.0 200", f"sent {GET!r}, and another client has gone")

    def test_each_server_has_its_handler_and_clock(self) -> None:
        """Two servers in one process share neither."""
        late = Clock()
        late.advance(784111777)
        one, _ = connect(self, hello, late)
        connect(self, Recorder())
        one.dataReceived(GET)
        written = one.transport.value()
        expected = (b"hello /a ", b"Sun, 06 Nov 1994 08:49:37 GMT")
        actual = (status_and_body(written)[1], field(written, b"Date"))
        self.assertEqual(actual, expected, f"sent {GET!r} to the first of two servers")

    def test_response_may_be_used_again(self) -> None:
        """A handler may return the same response again: the server does not change it."""
        response = Response(404, [(b"X", b"y")], b"not here")
        first = answer(self, lambda request: response, GET)
        answer(self, lambda request: response, HEAD)
        second = answer(self, lambda request: response, GET)
        self.assertEqual(lines(second), lines(first), f"sent {GET!r}, for the second time")


class MemoryTests(TestCase):
    """A client that keeps sending does not decide how much memory is used."""

    def test_nothing_is_kept_after_the_request(self) -> None:
        """What comes after a request, or after an invalid one, is dropped at once."""
        for sent in (GET, HEAD, POST, BAD, b"BREW / HTTP/1.0\r\n\r\n"):
            channel, transport = connect(self, hello)
            transport.deliver(channel, sent)
            kept = growth(channel)
            self.assertLess(kept, 1024 * 1024, f"bytes kept of the 4 MiB sent after {sent!r}")
