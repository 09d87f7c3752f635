"""Stage 2: a response is bytes.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage2``

Bytes are compared line by line, so that a failure points at the line and at
the place in it.  What came is on the left, what was expected on the right.
"""

from twisted.trial.unittest import TestCase

from exercises.myhttp.response import Response, render_response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

NOW = 784111777.0  # the moment that RFC 1945 uses as its example of a date
DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


class RenderTests(TestCase):
    """The bytes that go over the wire, to the last one."""

    maxDiff = None

    def test_equal_responses(self) -> None:
        """Two responses with the same values are equal, so that a test can compare them."""
        response = Response(404, [(b"X", b"y")], b"no")
        self.assertEqual(response, Response(404, [(b"X", b"y")], b"no"))
        self.assertNotEqual(response, Response(404, [(b"X", b"y")], b"yes"))

    def test_whole_response(self) -> None:
        """Status line, Date, the fields, Content-Length, blank line, body (RFC 1945, 6)."""
        response = Response(200, [(b"Content-Type", b"text/plain")], b"hello")
        expected = [
            b"HTTP/1.0 200 OK\r\n",
            DATE,
            b"Content-Type: text/plain\r\n",
            b"Content-Length: 5\r\n",
            b"\r\n",
            b"hello",
        ]
        came = render_response(response, NOW).splitlines(keepends=True)
        self.assertEqual(came, expected, f"rendered {response!r}")

    def test_date_is_the_time_given(self) -> None:
        """The time is an argument. A test need not wait for a date (RFC 1945, 10.6)."""
        came = render_response(Response(200), 0.0)
        self.assertIn(b"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", came)

    def test_date_has_two_digits_for_the_day(self) -> None:
        """A date has the same width on every day (RFC 1945, 3.3)."""
        came = render_response(Response(200), 86400.0 * 8)
        self.assertIn(b"\r\nDate: Fri, 09 Jan 1970 00:00:00 GMT\r\n", came)

    def test_date_is_in_whole_seconds(self) -> None:
        """A second that has not passed does not count (RFC 1945, 3.3)."""
        came = render_response(Response(200), NOW + 0.9999999)
        self.assertIn(b"\r\n" + DATE, came)

    def test_fields_keep_their_order(self) -> None:
        """The response's own fields are sent as they stand, in any case (RFC 1945, 4.2)."""
        response = Response(200, [(b"X-B", b" 1"), (b"x-a", b"\xe9"), (b"X-B", b"")])
        expected = [b"X-B:  1\r\n", b"x-a: \xe9\r\n", b"X-B: \r\n"]
        came = render_response(response, NOW).splitlines(keepends=True)
        self.assertEqual(came[2:5], expected, f"rendered {response!r}")

    def test_content_length_counts_bytes(self) -> None:
        """A letter may be more than one byte (RFC 1945, 10.4)."""
        response = Response(404, body="naïve".encode())
        came = render_response(response, NOW).splitlines(keepends=True)
        self.assertEqual(came[2], b"Content-Length: 6\r\n", f"rendered {response!r}")

    def test_body_is_any_bytes(self) -> None:
        """A body that looks like a head is still a body (RFC 1945, 7.2)."""
        body = b"HTTP/1.0 200 OK\r\n\r\n\x00\xff\n"
        came = render_response(Response(200, body=body), NOW)
        expected = b"\r\nContent-Length: 22\r\n\r\n" + body
        self.assertEqual(came[-len(expected) :], expected)

    def test_body_may_be_empty(self) -> None:
        """No body has a length too: without it, the client waits (RFC 1945, 7.2)."""
        expected = [b"HTTP/1.0 200 OK\r\n", DATE, b"Content-Length: 0\r\n", b"\r\n"]
        came = render_response(Response(200), NOW).splitlines(keepends=True)
        self.assertEqual(came, expected)


class StatusLineTests(TestCase):
    """The first line says how it went."""

    def test_reason_phrase(self) -> None:
        """The number is for programs, the phrase is for people (RFC 1945, 6.1.1)."""
        came = [render_response(Response(code), NOW).split(b"\r\n")[0] for code in (404, 500)]
        expected = [b"HTTP/1.0 404 Not Found", b"HTTP/1.0 500 Internal Server Error"]
        self.assertEqual(came, expected)

    def test_code_without_a_phrase(self) -> None:
        """The space after the number stays when nothing follows (RFC 1945, 6.1)."""
        came = render_response(Response(299), NOW).split(b"\r\n")[0]
        self.assertEqual(came, b"HTTP/1.0 299 ")


class NoBodyTests(TestCase):
    """Some answers end with the blank line."""

    def test_head(self) -> None:
        """The answer to a HEAD has the fields of the GET, and no body (RFC 1945, 8.2)."""
        response = Response(200, [(b"Content-Type", b"text/plain")], b"hello")
        whole = render_response(response, NOW)
        came = render_response(response, NOW, head_only=True)
        self.assertEqual(came, whole.removesuffix(b"hello"), f"rendered {response!r}")

    def test_no_content(self) -> None:
        """204 says that there is no body, so there is no length (RFC 1945, 9.2)."""
        expected = [b"HTTP/1.0 204 No Content\r\n", DATE, b"\r\n"]
        came = render_response(Response(204, body=b"lost"), NOW).splitlines(keepends=True)
        self.assertEqual(came, expected)

    def test_not_modified(self) -> None:
        """Nor has 304: the client has the body already (RFC 1945, 9.3)."""
        expected = [b"HTTP/1.0 304 Not Modified\r\n", DATE, b"\r\n"]
        came = render_response(Response(304, body=b"lost"), NOW).splitlines(keepends=True)
        self.assertEqual(came, expected)


class BadFieldTests(TestCase):
    """Fields often hold what a stranger has sent. They must stay one field."""

    def refused(self, name: bytes, value: bytes) -> None:
        """Assert that a response with this header field is not rendered."""
        response = Response(302, [(name, value)])
        try:
            came = render_response(response, NOW)
        except ValueError:
            return
        self.fail(f"rendered {response!r}, expected a ValueError, came {came!r}")

    def test_value_with_a_line_end(self) -> None:
        """A value with CR or LF would begin a field of its own (RFC 1945, 4.2)."""
        self.refused(b"Location", b"/\r\nSet-Cookie: owned")
        self.refused(b"Location", b"/\nSet-Cookie: owned")
        self.refused(b"Location", b"/\rSet-Cookie: owned")
        self.refused(b"Location", b"/\n")

    def test_value_with_nul(self) -> None:
        """Some readers stop at a NUL (RFC 1945, 2.2)."""
        self.refused(b"Location", b"/a\x00b")

    def test_name_that_is_no_token(self) -> None:
        """A name has no spaces, colons or line ends, and is not empty (RFC 1945, 2.2)."""
        self.refused(b"", b"a")
        self.refused(b"X Y", b"a")
        self.refused(b"X:", b"a")
        self.refused(b"X\r\nY", b"a")
        self.refused(b"X\n", b"a")
        self.refused(b"X\t", b"a")
        self.refused(b"X\x00", b"a")
        self.refused(b"X\xe9", b"a")
