"""Stage 1: a request is bytes.

The tests are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage1``
"""

from twisted.trial.unittest import TestCase

from exercises.myhttp.request import BadRequest, Request, parse_request

timeout = 5  # seconds, for each test; Trial's own limit is two minutes


class RequestLineTests(TestCase):
    """The first line says what is wanted: ``GET / HTTP/1.0``."""

    def test_smallest_request(self) -> None:
        """A request line and a blank line are a whole request (RFC 1945, 5)."""
        sent = b"GET / HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request, Request(b"GET", b"/", (1, 0)), f"sent {sent!r}")

    def test_what_was_not_sent_is_empty(self) -> None:
        """Without fields and a body, there are none (RFC 1945, 5)."""
        sent = b"GET / HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual((request.headers, request.body), ((), b""), f"sent {sent!r}")

    def test_target_is_kept_as_it_was_sent(self) -> None:
        """Nothing is decoded or cut off: that is for others to do (RFC 1945, 5.1.2)."""
        sent = b"GET /a%20b+c/\xe9?d=%2F HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.target, b"/a%20b+c/\xe9?d=%2F", f"sent {sent!r}")

    def test_method_is_case_sensitive(self) -> None:
        """``get`` is a method too, only not the one called ``GET`` (RFC 1945, 5.1.1)."""
        sent = b"get / HTTP/1.0\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.method, b"get", f"sent {sent!r}")

    def test_version_is_two_numbers(self) -> None:
        """1.10 is ten minor versions after 1.0, not one tenth (RFC 1945, 3.1)."""
        sent = b"GET / HTTP/1.10\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(request.version, (1, 10), f"sent {sent!r}")

    def test_line_feed_alone_ends_a_line(self) -> None:
        """People type requests by hand, and their lines end so (RFC 1945, B)."""
        sent = b"GET / HTTP/1.0\n\n"
        request = parse_request(sent)
        self.assertEqual(request, Request(b"GET", b"/", (1, 0)), f"sent {sent!r}")


class HeaderFieldTests(TestCase):
    """The lines after the first: ``Name: value``."""

    def test_header_fields_keep_their_order(self) -> None:
        """Every field is there, as a pair of name and value (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nHost: a\r\nX-B: b\r\nX-A: c\r\n\r\n"
        request = parse_request(sent)
        expected = [(b"Host", b"a"), (b"X-B", b"b"), (b"X-A", b"c")]
        self.assertEqual(list(request.headers), expected, f"sent {sent!r}")

    def test_line_feed_alone_ends_a_field(self) -> None:
        """As it ends the request line (RFC 1945, B)."""
        sent = b"GET / HTTP/1.0\nHost: a\nX-B: b\r\n\n"
        request = parse_request(sent)
        expected = [(b"Host", b"a"), (b"X-B", b"b")]
        self.assertEqual(list(request.headers), expected, f"sent {sent!r}")

    def test_space_around_a_value_is_dropped(self) -> None:
        """Spaces and tabs, at both ends, and no other bytes (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nX-A: \t a  b \t\r\nX-B:\x0bc\x0c\r\nX-C: X C X\r\n\r\n"
        request = parse_request(sent)
        expected = [(b"X-A", b"a  b"), (b"X-B", b"\x0bc\x0c"), (b"X-C", b"X C X")]
        self.assertEqual(list(request.headers), expected, f"sent {sent!r}")

    def test_value_may_hold_a_colon(self) -> None:
        """Only the first colon ends the name (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nHost: a:8080\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(list(request.headers), [(b"Host", b"a:8080")], f"sent {sent!r}")

    def test_value_may_be_empty(self) -> None:
        """A name and a colon are enough (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nAccept:\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(list(request.headers), [(b"Accept", b"")], f"sent {sent!r}")

    def test_value_may_be_any_text(self) -> None:
        """Bytes above 127 are passed on as they are (RFC 1945, 2.2)."""
        sent = b"GET / HTTP/1.0\r\nX-Name: Andr\xe9\r\n\r\n"
        request = parse_request(sent)
        self.assertEqual(list(request.headers), [(b"X-Name", b"Andr\xe9")], f"sent {sent!r}")

    def test_name_is_found_in_any_case(self) -> None:
        """``header`` compares without regard to case (RFC 1945, 4.2)."""
        request = Request(b"GET", b"/", (1, 0), ((b"X-a", b"1"), (b"hOsT", b"here")))
        self.assertEqual(request.header(b"Host"), b"here", f"asked {request!r}")

    def test_name_that_was_not_sent(self) -> None:
        """``header`` tells a field that is missing from one that is empty."""
        request = Request(b"GET", b"/", (1, 0), ((b"Accept", b""),))
        came = (request.header(b"Accept"), request.header(b"Host"))
        self.assertEqual(came, (b"", None), f"asked {request!r}")

    def test_field_that_was_sent_twice(self) -> None:
        """Several fields of one name are one list of values (RFC 1945, 4.2)."""
        request = Request(b"GET", b"/", (1, 0), ((b"Via", b"a"), (b"X", b"y"), (b"via", b"b")))
        self.assertEqual(request.header(b"Via"), b"a, b", f"asked {request!r}")


TOKEN = b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"


class BadRequestTests(TestCase):
    """What is no request is refused: bad input is part of the specification."""

    def assert_bad(self, *heads: bytes) -> None:
        """Assert that none of these is accepted."""
        for sent in heads:
            try:
                came = parse_request(sent)
            except BadRequest as error:
                self.assertEqual(error.status, 400, f"sent {sent!r}")
            else:
                self.fail(f"sent {sent!r}, expected a BadRequest, came {came!r}")

    def test_error_has_a_status(self) -> None:
        """The error knows the status code of the answer: 400 unless told otherwise."""
        plain, special = BadRequest("why"), BadRequest("too much", 413)
        came = [(str(plain), plain.status), (str(special), special.status)]
        self.assertEqual(came, [("why", 400), ("too much", 413)])

    def test_nothing(self) -> None:
        """No bytes are no request."""
        self.assert_bad(b"")

    def test_blank_line_alone(self) -> None:
        """A blank line is no request line (RFC 1945, 5.1)."""
        self.assert_bad(b"\r\n")
        self.assert_bad(b"\r\n\r\n")

    def test_head_without_its_end(self) -> None:
        """A head that was cut off is not guessed at (RFC 1945, 5)."""
        self.assert_bad(b"GET / HTTP/1.0\r\nHost: a\r\n")

    def test_more_than_a_head(self) -> None:
        """What comes after the first blank line is not part of the head (RFC 1945, 5)."""
        self.assert_bad(b"GET / HTTP/1.0\r\n\r\nHost: a\r\n\r\n")

    def test_too_few_words(self) -> None:
        """A method alone asks for nothing (RFC 1945, 5.1)."""
        self.assert_bad(b"GET\r\n\r\n")

    def test_too_many_words(self) -> None:
        """A target with a space in it is not repaired (RFC 1945, 5.1)."""
        self.assert_bad(b"GET /my file.txt HTTP/1.0\r\n\r\n")

    def test_method_is_a_token(self) -> None:
        """A method is made of letters, digits and a few signs (RFC 1945, 2.2, 5.1.1)."""
        self.assertEqual(parse_request(TOKEN + b" / HTTP/1.0\r\n\r\n").method, TOKEN)
        for byte in set(range(256)) - set(TOKEN) - set(b" \t\n"):
            self.assert_bad(b"G%cT / HTTP/1.0\r\n\r\n" % byte)

    def test_target_begins_with_a_slash(self) -> None:
        """A path is absolute, and never empty (RFC 1945, 5.1.2)."""
        self.assert_bad(b"GET index.html HTTP/1.0\r\n\r\n")

    def test_target_without_control_characters(self) -> None:
        """A NUL or a carriage return is no part of a target (RFC 1945, 3.2.1)."""
        for byte in (*range(32), 127):
            self.assert_bad(b"GET /a%cb HTTP/1.0\r\n\r\n" % byte)

    def test_version_is_digits(self) -> None:
        """``int`` accepts more than HTTP does: signs, spaces, underscores (RFC 1945, 3.1)."""
        self.assert_bad(b"GET / HTTP/+1.0\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.0_0\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.\r\n\r\n")
        self.assert_bad(b"GET / XHTTP/1.0\r\n\r\n")

    def test_version_has_few_digits(self) -> None:
        """Four at most: Python itself refuses to read a number of five thousand."""
        self.assertEqual(parse_request(b"GET / HTTP/0001.0012\r\n\r\n").version, (1, 12))
        self.assert_bad(b"GET / HTTP/00001.0\r\n\r\n", b"GET / HTTP/1.00000\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1." + 5000 * b"0" + b"\r\n\r\n")

    def test_field_without_a_colon(self) -> None:
        """A line that is no header field is not skipped (RFC 1945, 4.2)."""
        self.assert_bad(b"GET / HTTP/1.0\r\nHost\r\n\r\n")

    def test_name_is_a_token(self) -> None:
        """No name, or space before the colon, lets requests be smuggled (RFC 1945, 4.2)."""
        self.assert_bad(b"GET / HTTP/1.0\r\n: a\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.0\r\nHost : a\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.0\r\n Host: a\r\n\r\n")
        name = parse_request(b"GET / HTTP/1.0\r\n" + TOKEN + b": a\r\n\r\n").headers[0][0]
        self.assertEqual(name, TOKEN)
        for byte in set(range(256)) - set(TOKEN) - set(b":\n"):
            self.assert_bad(b"GET / HTTP/1.0\r\nX%cY: a\r\n\r\n" % byte)

    def test_value_without_nul_or_carriage_return(self) -> None:
        """They end a line for some readers and not for others (RFC 1945, 2.2)."""
        self.assert_bad(b"GET / HTTP/1.0\r\nX: a\x00b\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.0\r\nX: a\rb\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.0\r\nX: a\rY: b\r\n\r\n")
        self.assert_bad(b"GET / HTTP/1.0\r\nX: a\r\r\n\r\n")
