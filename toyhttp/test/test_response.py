"""The bytes of a response: what the server writes, and what it refuses to write."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import TestCase

from toyhttp.dates import format_http_date
from toyhttp.response import Response, render_response, text_response

timeout = 5

NOW = 784111777.0  # the moment that RFC 1945 uses as its example of a date


def head_of(response: Response, server: bytes = b"") -> list[bytes]:
    """Return the lines of the rendered head, without the blank one."""
    return render_response(response, NOW, False, server).partition(b"\r\n\r\n")[0].split(b"\r\n")


class FieldTests(TestCase):
    """The header fields that the server writes."""

    def test_pairs_that_are_lists(self) -> None:
        """They are as good as tuples."""
        headers: Any = [[b"A", b"b"], [b"C", b"d"]]
        for _ in range(2):
            rendered = render_response(Response(200, headers), NOW)
            self.assertIn(b"\r\nA: b\r\nC: d\r\nContent-Length: 0\r\n", rendered)

    def test_server(self) -> None:
        """Server says what answers, after Date and before all others (RFC 1945, 4.2, 10.14)."""
        came = head_of(Response(200, [(b"X", b"y")]), server=b"toy/1.0 (a b)")
        expected = [
            b"HTTP/1.0 200 OK",
            b"Date: Sun, 06 Nov 1994 08:49:37 GMT",
            b"Server: toy/1.0 (a b)",
            b"X: y",
            b"Content-Length: 0",
        ]
        self.assertEqual(came, expected)

    def test_no_server(self) -> None:
        """Who wants to say nothing about the server says nothing (RFC 1945, 12.4)."""
        came = render_response(Response(200), NOW)
        self.assertNotIn(b"Server", came)

    def test_no_content_type_is_made_up(self) -> None:
        """Without a Content-Type the client is free to guess (RFC 1945, 7.2.1)."""
        came = head_of(Response(200, body=b"<p>"))
        self.assertEqual([line for line in came if line.startswith(b"Content-T")], [])

    def test_handler_does_not_frame(self) -> None:
        """What frames a message is the server's, in any case (RFC 1945, 4.3, 7.2.2)."""
        for name in (b"Connection", b"Content-Length", b"Date", b"Transfer-Encoding"):
            for spelt in (name, name.lower(), name.upper()):
                response = Response(200, [(b"X", b"y"), (spelt, b"1")], b"a")
                self.assertRaises(ValueError, render_response, response, NOW)

    def test_any_other_name(self) -> None:
        """A name that only begins like one of those is the handler's (RFC 1945, 7.1)."""
        for name in (b"Content-Type", b"Dat", b"Date2", b"X-Date"):
            self.assertIn(name + b": 1", head_of(Response(200, [(name, b"1")])))

    def test_every_byte_of_a_value(self) -> None:
        """A value is one line of the head, or it is refused (RFC 1945, 4.2)."""
        for code in range(256):
            value = b"a" + bytes([code]) + b"b"
            response = Response(200, [(b"X", value)])
            if code in b"\x00\r\n":
                self.assertRaises(ValueError, render_response, response, NOW)
            else:
                self.assertIn(b"X: " + value, head_of(response), f"rendered {response!r}")

    def test_text_is_not_bytes(self) -> None:
        """A field or a body of text is the handler's mistake, and nothing is guessed."""
        for bad in (
            Response(200, [("X", b"a")]),  # type: ignore[list-item]
            Response(200, [(b"X", "a")]),  # type: ignore[list-item]
            Response(200, body="a"),  # type: ignore[arg-type]
            Response("200"),  # type: ignore[arg-type]
        ):
            self.assertRaises(TypeError, render_response, bad, NOW)


class StatusTests(TestCase):
    """The codes that can be sent."""

    def test_phrases(self) -> None:
        """The codes of HTTP/1.0 have the phrases of its table (RFC 1945, 6.1.1)."""
        expected = [
            b"200 OK",
            b"201 Created",
            b"202 Accepted",
            b"204 No Content",
            b"301 Moved Permanently",
            b"302 Moved Temporarily",
            b"304 Not Modified",
            b"400 Bad Request",
            b"401 Unauthorized",
            b"403 Forbidden",
            b"404 Not Found",
            b"500 Internal Server Error",
            b"501 Not Implemented",
            b"502 Bad Gateway",
            b"503 Service Unavailable",
        ]
        came = [head_of(Response(int(line[:3])))[0] for line in expected]
        self.assertEqual(came, [b"HTTP/1.0 " + line for line in expected])

    def test_first_and_last_code(self) -> None:
        """A code may have no phrase, but its class is known (RFC 1945, 6.1.1)."""
        came = [head_of(Response(status))[0] for status in (299, 399, 499, 599)]
        expected = [b"HTTP/1.0 299 ", b"HTTP/1.0 399 ", b"HTTP/1.0 499 ", b"HTTP/1.0 599 "]
        self.assertEqual(came, expected)

    def test_no_interim_code(self) -> None:
        """HTTP/1.0 has no 1xx, so a client would not know what to do (RFC 1945, 9.1)."""
        for status in (100, 101, 199):
            self.assertRaises(ValueError, render_response, Response(status), NOW)

    def test_no_code(self) -> None:
        """A code is three digits, of a class that exists (RFC 1945, 6.1.1)."""
        for status in (-200, 0, 20, 600, 999, 2000):
            self.assertRaises(ValueError, render_response, Response(status), NOW)


class HeadOnlyTests(TestCase):
    """The answer to a HEAD."""

    def test_error_without_its_body(self) -> None:
        """The head is that of the GET, for every status (RFC 1945, 8.2)."""
        for status in (200, 302, 404, 500):
            body = b"a\r\n\r\nb"
            response = Response(status, [(b"X", b"y")], body)
            whole = render_response(response, NOW)
            came = render_response(response, NOW, head_only=True)
            self.assertEqual(came + body, whole, f"rendered {response!r}")

    def test_no_content(self) -> None:
        """What never has a body has no length either (RFC 1945, 7.2)."""
        for status in (204, 304):
            whole = render_response(Response(status, body=b"lost"), NOW)
            came = render_response(Response(status, body=b"lost"), NOW, head_only=True)
            self.assertEqual(came, whole, f"rendered {status}")
            self.assertNotIn(b"Content-Length", came)


class TextResponseTests(TestCase):
    """The answer that explains an error."""

    def test_plain_text(self) -> None:
        """An explanation is text in a known encoding, never HTML (RFC 1945, 7.2.1)."""
        response = text_response(404, "No <b>é</b>.")
        self.assertEqual(response.headers, [(b"Content-Type", b"text/plain; charset=utf-8")])
        self.assertEqual(response.body, "404 Not Found: No <b>é</b>.\n".encode())
        self.assertEqual(response.status, 404)

    def test_code_without_a_phrase(self) -> None:
        """An explanation does not need a phrase (RFC 1945, 6.1)."""
        self.assertEqual(text_response(499, "Why.").body, b"499 : Why.\n")


class DateTests(TestCase):
    """The date is remembered for a second, and no longer."""

    def test_date_follows_the_time(self) -> None:
        """Another second is another date, also when time goes back (RFC 1945, 10.6)."""
        came = [format_http_date(second) for second in (0, 1, 1, 0, 60, 1)]
        expected = [b"Thu, 01 Jan 1970 00:00:%02d GMT" % second for second in (0, 1, 1, 0, 0, 1)]
        expected[4] = b"Thu, 01 Jan 1970 00:01:00 GMT"
        self.assertEqual(came, expected)

    def test_date_has_one_width(self) -> None:
        """A date is 29 bytes long, on every day (RFC 1945, 3.3)."""
        came = {len(format_http_date(day * 86400)) for day in range(0, 40000, 7)}
        self.assertEqual(came, {29})

    def test_leap_day(self) -> None:
        """A date is that of the calendar (RFC 1945, 3.3)."""
        self.assertEqual(format_http_date(951782400), b"Tue, 29 Feb 2000 00:00:00 GMT")

    def test_rendered_date_follows_the_time(self) -> None:
        """Two responses of two seconds have two dates (RFC 1945, 10.6)."""
        came = [render_response(Response(200), NOW + i).split(b"\r\n")[1][-6:] for i in (0, 1)]
        self.assertEqual(came, [b"37 GMT", b"38 GMT"])
