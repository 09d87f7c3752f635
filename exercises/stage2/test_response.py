"""Stage 2, the core: a response is bytes.

The tests are in the order in which you would make them pass.  Bytes are compared line
by line, so that a failure points at the line and at the place in it.
"""

from twisted.trial.unittest import TestCase

from exercises.myhttp.response import Response, render_response

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

NOW = 784111777.0  # the moment that RFC 1945 uses as its example of a date
DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


class ResponseTests(TestCase):
    """A ``Response`` is three values, which a test can compare and print."""

    def test_each_value_counts(self) -> None:
        """Responses are equal if all three values are, and differ if one of them does."""
        fields = [(b"X", b"y"), (b"A", b"b")]
        response = Response(404, fields, b"no")
        same = Response(404, [(b"X", b"y"), (b"A", b"b")], b"no")
        actual = (response == same, response != same)
        self.assertEqual(actual, (True, False), f"compared {response!r} with {same!r}")
        for other in (
            Response(403, fields, b"no"),
            Response(404, [(b"X", b"z"), (b"A", b"b")], b"no"),
            Response(404, fields[:1], b"no"),
            Response(404, fields[::-1], b"no"),
            Response(404, fields, b"yes"),
            None,
            404,
        ):
            actual = (response == other, response != other)
            self.assertEqual(actual, (False, True), f"compared {response!r} with {other!r}")

    def test_what_was_not_given_is_empty(self) -> None:
        """A status is enough: then there are no header fields and no body."""
        response = Response(204)
        actual = (response.status, list(response.headers), response.body)
        self.assertEqual(actual, (204, [], b""))

    def test_shows_its_values(self) -> None:
        """``repr`` names the values: it is what a failed test prints."""
        shown = repr(Response(404, [(b"X", b"y")], b"no"))
        for value in (404, b"X", b"y", b"no"):
            self.assertIn(repr(value), shown)


class RenderTests(TestCase):
    """The bytes that go over the wire, down to the last one."""

    maxDiff = None

    def test_body_may_be_empty(self) -> None:
        """An empty body has a length too: without it, the client waits (RFC 1945, 7.2)."""
        expected = [b"HTTP/1.0 200 OK\r\n", DATE, b"Content-Length: 0\r\n", b"\r\n"]
        actual = render_response(Response(200), NOW).splitlines(keepends=True)
        self.assertEqual(actual, expected)

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
        actual = render_response(response, NOW).splitlines(keepends=True)
        self.assertEqual(actual, expected, f"rendered {response!r}")

    def test_reason_phrase(self) -> None:
        """The number is for programs, the phrase is for people (RFC 1945, 6.1.1)."""
        not_found, error = (render_response(Response(code), NOW) for code in (404, 500))
        self.assertEqual(not_found.splitlines()[0], b"HTTP/1.0 404 Not Found")
        self.assertEqual(error.splitlines()[0], b"HTTP/1.0 500 Internal Server Error")

    def test_date_is_the_time_given(self) -> None:
        """The time is an argument. A test need not wait for a date (RFC 1945, 10.6)."""
        first = render_response(Response(200), 0.0).splitlines()[1]
        self.assertEqual(first, b"Date: Thu, 01 Jan 1970 00:00:00 GMT", "rendered at 0.0")
        last = render_response(Response(200), 4102444799.0).splitlines()[1]
        self.assertEqual(last, b"Date: Thu, 31 Dec 2099 23:59:59 GMT", "rendered at 4102444799.0")

    def test_fields_keep_their_order(self) -> None:
        """The response's own fields are sent as they are, whatever their case (RFC 1945, 4.2)."""
        response = Response(200, [(b"X-B", b"1"), (b"x-a", b"two, 2"), (b"X-B", b"")])
        expected = [b"X-B: 1\r\n", b"x-a: two, 2\r\n", b"X-B: \r\n"]
        actual = render_response(response, NOW).splitlines(keepends=True)
        self.assertEqual(actual[2:-2], expected, f"rendered {response!r}")

    def test_content_length_counts_bytes(self) -> None:
        """A character may be more than one byte (RFC 1945, 10.4)."""
        response = Response(404, body="naïve".encode())
        actual = render_response(response, NOW).splitlines(keepends=True)
        self.assertEqual(actual[2], b"Content-Length: 6\r\n", f"rendered {response!r}")


class NoBodyTests(TestCase):
    """Some answers end with the blank line."""

    maxDiff = None

    def test_head(self) -> None:
        """The answer to a HEAD has the header fields of a GET, and no body (RFC 1945, 8.2)."""
        response = Response(200, [(b"Content-Type", b"text/plain")], b"hello")
        whole = render_response(response, NOW)
        self.assertEqual(whole[-5:], b"hello", f"rendered {response!r}")
        actual = render_response(response, NOW, head_only=True)
        self.assertEqual(actual, whole[:-5], f"rendered {response!r}, head_only=True")

    def test_no_content(self) -> None:
        """204 says that there is no body, so there is no length (RFC 1945, 9.2)."""
        expected = [b"HTTP/1.0 204 No Content\r\n", DATE, b"\r\n"]
        actual = render_response(Response(204, body=b"lost"), NOW).splitlines(keepends=True)
        self.assertEqual(actual, expected)

    def test_not_modified(self) -> None:
        """Neither has 304: the client has the body already (RFC 1945, 9.3)."""
        expected = [b"HTTP/1.0 304 Not Modified\r\n", DATE, b"\r\n"]
        actual = render_response(Response(304, body=b"lost"), NOW).splitlines(keepends=True)
        self.assertEqual(actual, expected)
