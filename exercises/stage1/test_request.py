"""Stage 1, the core: a request is bytes.

The tests are in the order in which you would make them pass.  The first value of
``assertEqual`` is the actual one, the second the expected one.
"""

from traceback import format_exc

from twisted.trial.unittest import TestCase

from exercises.myhttp.request import BadRequest, Request, parse_request

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop


class RequestLineTests(TestCase):
    """The first line says what is wanted: ``GET / HTTP/1.0``."""

    def test_smallest_request(self) -> None:
        """A request line and a blank line are a whole request (RFC 1945, 5)."""
        sent = b"GET / HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request, Request(b"GET", b"/", (1, 0)), f"sent {sent!r}")

    def test_what_was_not_sent_is_empty(self) -> None:
        """Without header fields and a body, both are empty (RFC 1945, 5)."""
        sent = b"GET / HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual((request.headers, request.body), ((), b""), f"sent {sent!r}")

    def test_target_is_kept_as_it_was_sent(self) -> None:
        """Nothing is decoded or cut off: that is left to others (RFC 1945, 5.1.2)."""
        sent = b"GET /a%20b+c/../d//?e=%2F HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.target, b"/a%20b+c/../d//?e=%2F", f"sent {sent!r}")

    def test_method_is_case_sensitive(self) -> None:
        """``get`` is a method too, but not the same one as ``GET`` (RFC 1945, 5.1.1)."""
        sent = b"get / HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.method, b"get", f"sent {sent!r}")

    def test_version_is_two_numbers(self) -> None:
        """1.10 is ten minor versions after 1.0, not one tenth (RFC 1945, 3.1)."""
        sent = b"GET / HTTP/1.10\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.version, (1, 10), f"sent {sent!r}")


class RequestTests(TestCase):
    """A ``Request`` is five values, which a test can compare and print."""

    def test_each_value_counts(self) -> None:
        """Requests are equal if all five values are, and differ if one of them does."""
        fields = ((b"X", b"y"), (b"A", b"b"))
        request = Request(b"POST", b"/a", (1, 0), fields, b"z")
        same = Request(b"POST", b"/a", (1, 0), ((b"X", b"y"), (b"A", b"b")), b"z")
        self.assertEqual(
            (request == same, request != same), (True, False), f"{request!r}, {same!r}"
        )
        for other in (
            Request(b"PUT", b"/a", (1, 0), fields, b"z"),
            Request(b"POST", b"/b", (1, 0), fields, b"z"),
            Request(b"POST", b"/a", (1, 1), fields, b"z"),
            Request(b"POST", b"/a", (1, 0), fields[:1], b"z"),
            Request(b"POST", b"/a", (1, 0), fields[::-1], b"z"),
            Request(b"POST", b"/a", (1, 0), ((b"X", b"Y"), (b"A", b"b")), b"z"),
            Request(b"POST", b"/a", (1, 0), fields),
            None,
            400,
        ):
            actual = (request == other, request != other)
            self.assertEqual(actual, (False, True), f"compared {request!r} with {other!r}")

    def test_shows_its_values(self) -> None:
        """``repr`` names the values: it is what a failed test prints."""
        shown = repr(Request(b"POST", b"/a", (1, 23), ((b"X", b"y"),), b"z"))
        for value in (b"POST", b"/a", 23, b"X", b"y", b"z"):
            self.assertIn(repr(value), shown)


class HeaderFieldTests(TestCase):
    """The lines after the first: ``Name: value``."""

    def test_header_fields_keep_their_order(self) -> None:
        """Every field is a pair of name and value, as they were sent (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nHost: a\r\nX-B: b\r\nx-a: C\r\n\r\n"
        request = parse_request(sent)
        expected = ((b"Host", b"a"), (b"X-B", b"b"), (b"x-a", b"C"))
        self.assertEqual(request.headers, expected, f"sent {sent!r}")

    def test_space_around_a_value_is_dropped(self) -> None:
        """At both ends, but not within it (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nX-A:   a  b  \r\nX-B:c\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.headers, ((b"X-A", b"a  b"), (b"X-B", b"c")), f"sent {sent!r}")

    def test_value_may_hold_a_colon(self) -> None:
        """Only the first colon ends the name (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nHost: a:8080\r\nX-A: b: c: d\r\n\r\n"
        request = parse_request(sent)
        expected = ((b"Host", b"a:8080"), (b"X-A", b"b: c: d"))
        self.assertEqual(request.headers, expected, f"sent {sent!r}")

    def test_value_may_be_empty(self) -> None:
        """A name and a colon are enough (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nAccept:\r\nX-A: \r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.headers, ((b"Accept", b""), (b"X-A", b"")), f"sent {sent!r}")

    def test_name_is_found_in_any_case(self) -> None:
        """``header`` ignores case (RFC 1945, 4.2)."""
        request = Request(b"GET", b"/", (1, 0), ((b"X-a", b"1"), (b"hOsT", b"Here")))
        for name in (b"Host", b"host", b"HOST"):
            self.assertEqual(request.header(name), b"Here", f"asked {request!r} for {name!r}")

    def test_name_that_was_not_sent(self) -> None:
        """``header`` distinguishes a missing field from an empty one."""
        request = Request(b"GET", b"/", (1, 0), ((b"Accept", b""),))
        actual = (request.header(b"Accept"), request.header(b"Host"))
        self.assertEqual(actual, (b"", None), f"asked {request!r} for 'Accept' and 'Host'")

    def test_field_that_was_sent_twice(self) -> None:
        """Several fields with one name form one list of values (RFC 1945, 4.2)."""
        headers = ((b"Via", b""), (b"X", b"y"), (b"via", b"a"), (b"VIA", b"a"))
        request = Request(b"GET", b"/", (1, 0), headers)
        self.assertEqual(request.header(b"Via"), b", a, a", f"asked {request!r} for 'Via'")


class BadRequestTests(TestCase):
    """What is not a request is refused: bad input is part of the specification."""

    def assert_bad(self, *heads: bytes) -> None:
        """Assert that each of these raises a BadRequest with the status 400."""
        for sent in heads:
            try:
                actual = repr(parse_request(sent))
            except BadRequest as error:
                self.assertEqual(error.status, 400, f"sent {sent!r}")
                continue
            except Exception:
                actual = format_exc()
            self.fail(f"sent {sent!r}, expected a BadRequest, but this came:\n{actual}")

    def test_error_has_a_status(self) -> None:
        """The error knows the status code of the answer: 400 unless told otherwise."""
        plain, special = BadRequest("why"), BadRequest("too much", 413)
        actual = [(str(plain), plain.status), (str(special), special.status)]
        self.assertEqual(actual, [("why", 400), ("too much", 413)])

    def test_nothing(self) -> None:
        """Without any bytes there is no request."""
        self.assert_bad(b"")

    def test_too_few_words(self) -> None:
        """A request line is a method, a target and a version (RFC 1945, 5.1)."""
        self.assert_bad(b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET HTTP/1.0\r\n\r\n")

    def test_too_many_words(self) -> None:
        """A target with a space in it is not repaired (RFC 1945, 5.1)."""
        self.assert_bad(b"GET /my file.txt HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0 b\r\n\r\n")

    def test_method_without_strange_letters(self) -> None:
        """A method is made of letters, digits and a few symbols (RFC 1945, 2.2, 5.1.1)."""
        self.assert_bad(b"G@T / HTTP/1.0\r\n\r\n", b"(GET) / HTTP/1.0\r\n\r\n")

    def test_target_begins_with_a_slash(self) -> None:
        """A path is absolute, and never empty (RFC 1945, 5.1.2)."""
        self.assert_bad(b"GET index.html HTTP/1.0\r\n\r\n", b"GET ?a=/ HTTP/1.0\r\n\r\n")

    def test_version_is_http_and_two_numbers(self) -> None:
        """The word, a slash, a number, a dot, a number (RFC 1945, 3.1)."""
        for version in (b"HTTP", b"HTTP/", b"HTTP/1", b"HTTP/1.x", b"HTTP/1.0.0", b"FTP/1.0"):
            self.assert_bad(b"GET / " + version + b"\r\n\r\n")

    def test_field_without_a_colon(self) -> None:
        """A line that is not a header field is refused, not skipped (RFC 1945, 4.2)."""
        self.assert_bad(
            b"GET / HTTP/1.0\r\nHost\r\n\r\n",
            b"GET / HTTP/1.0\r\nHost: a\r\nAccept\r\n\r\n",
            b"GET / HTTP/1.0\r\nHost\r\nAccept: a\r\n\r\n",
        )

    def test_head_without_its_end(self) -> None:
        """A truncated head is refused: nobody guesses the rest (RFC 1945, 5)."""
        whole = b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"
        for end in range(len(whole)):
            self.assert_bad(whole[:end])
