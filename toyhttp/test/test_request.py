"""The grammar of a request: what is accepted, and what each refusal says."""

from __future__ import annotations

from time import process_time

from twisted.trial.unittest import TestCase

from toyhttp.request import (
    MAX_FIELDS,
    SIMPLE,
    BadRequest,
    Headers,
    Request,
    parse_headers,
    parse_request,
    parse_request_line,
)

timeout = 5


class SimpleRequestTests(TestCase):
    """A request line without a version is a request of HTTP/0.9."""

    def test_one_line_is_a_request(self) -> None:
        """A Simple-Request is one line, with no blank line (RFC 1945, 5)."""
        for sent in (b"GET /a\r\n", b"GET /a\n", b"GET  /a \r\n"):
            expected = Request(b"GET", b"/a", SIMPLE)
            self.assertEqual(parse_request(sent), expected, f"sent {sent!r}")

    def test_absolute_uri(self) -> None:
        """A Simple-Request names its target in either form (RFC 1945, 5.1.2)."""
        sent = b"GET http://h/a\r\n"
        self.assertEqual(parse_request(sent), Request(b"GET", b"http://h/a", SIMPLE))

    def test_version_is_nine(self) -> None:
        """A line without a version is one of HTTP/0.9 (RFC 1945, 3.1)."""
        self.assertEqual(parse_request(b"GET /\r\n").version, (0, 9))

    def test_no_header_fields(self) -> None:
        """What follows the line of a Simple-Request is not part of it (RFC 1945, 5)."""
        for sent in (b"GET /\r\n\r\n", b"GET /\nHost: a\n\n"):
            error = self.assertRaises(BadRequest, parse_request, sent)
            self.assertEqual((error.status, error.simple), (400, True), f"sent {sent!r}")

    def test_other_methods_need_a_version(self) -> None:
        """HTTP/0.9 has no method but GET, so the error has a head (RFC 1945, 5)."""
        for method in (b"HEAD", b"POST", b"FOO", b"get", b"G@T"):
            sent = method + b" /\r\n"
            error = self.assertRaises(BadRequest, parse_request, sent)
            self.assertEqual((error.status, error.simple), (400, False), f"sent {sent!r}")

    def test_head_without_a_version_is_known_as_head(self) -> None:
        """The error knows the method, as its answer must have no body (RFC 1945, 8.2)."""
        sent = b"HEAD /\r\n"
        error = self.assertRaises(BadRequest, parse_request, sent)
        self.assertEqual(error.method, b"HEAD", f"sent {sent!r}")

    def test_bad_target_is_a_simple_error(self) -> None:
        """The error of a Simple-Request says that its answer has no head (RFC 1945, 6)."""
        for sent in (b"GET index.html\r\n", b"GET HTTP/1.0\r\n", b"GET *\r\n"):
            error = self.assertRaises(BadRequest, parse_request, sent)
            self.assertEqual((error.status, error.simple), (400, True), f"sent {sent!r}")

    def test_three_words_are_never_simple(self) -> None:
        """A line with a version, however bad, is a Full-Request (RFC 1945, 6)."""
        for words in (b"GET a HTTP/1.0", b"GET / x", b"GET / HTTP/2.0", b"G@T / x", b"GET a b"):
            sent = words + b"\r\n\r\n"
            error = self.assertRaises(BadRequest, parse_request, sent)
            self.assertFalse(error.simple, f"sent {sent!r}")


class WhiteSpaceTests(TestCase):
    """What may stand between the words of the request line."""

    def test_runs_of_spaces_and_tabs(self) -> None:
        """Any number of SP and HT separates two words (RFC 1945, B)."""
        sent = b"GET \t  /a\t\tHTTP/1.0\r\n"
        expected = (b"GET", b"/a", (1, 0))
        self.assertEqual(parse_request_line(sent), expected, f"sent {sent!r}")

    def test_white_space_after_the_line(self) -> None:
        """White space at the end of the line is ignored (RFC 9112, 3)."""
        sent = b"GET /a HTTP/1.0 \t\r\n"
        expected = (b"GET", b"/a", (1, 0))
        self.assertEqual(parse_request_line(sent), expected, f"sent {sent!r}")

    def test_white_space_before_the_line(self) -> None:
        """A request line begins with its method (RFC 1945, 5.1)."""
        for sent in (b" GET / HTTP/1.0\r\n", b"\tGET / HTTP/1.0\r\n"):
            self.assertRaises(BadRequest, parse_request_line, sent)

    def test_nothing_else_is_white_space(self) -> None:
        """Only SP and HT separate words, not what Python calls space (RFC 1945, 2.2)."""
        for space in (b"\x0b", b"\x0c", b"\r", b"\x00", b"\x1c", b"\x85", b"\xa0", b""):
            for sent in (b"GET" + space + b"/ HTTP/1.0\r\n", b"GET /" + space + b"HTTP/1.0 x\r\n"):
                error = self.assertRaises(BadRequest, parse_request_line, sent)
                self.assertEqual(error.status, 400, f"sent {sent!r}")

    def test_one_carriage_return_before_the_line_feed(self) -> None:
        """A second CR does not belong to the line end (RFC 1945, 2.2)."""
        sent = b"GET / HTTP/1.0\r\r\n"
        self.assertRaises(BadRequest, parse_request_line, sent)

    def test_line_without_an_end(self) -> None:
        """A line that was cut off is not a line (RFC 1945, 5.1)."""
        for sent in (b"GET / HTTP/1.0", b"GET / HTTP/1.0\r", b"GET /"):
            self.assertRaises(BadRequest, parse_request_line, sent)


class TargetTests(TestCase):
    """What is asked for."""

    def test_absolute_uri_is_kept_as_it_was_sent(self) -> None:
        """A server accepts the form that is meant for proxies (RFC 9112, 3.2.2)."""
        for target in (
            b"http://h/a",
            b"HTTP://H:80/a?b",
            b"https://[::1]:8080",
            b"http://h",
            b"http://h?a",
            b"hTTps://u@h/",
        ):
            sent = b"GET " + target + b" HTTP/1.0\r\n"
            self.assertEqual(parse_request_line(sent)[1], target, f"sent {sent!r}")

    def test_uri_without_a_host(self) -> None:
        """An absolute URI of HTTP has a host (RFC 1945, 3.2.2)."""
        for target in (b"http://", b"http:///a", b"http://?a", b"http:/a", b"https:", b"http://#"):
            sent = b"GET " + target + b" HTTP/1.0\r\n"
            error = self.assertRaises(BadRequest, parse_request_line, sent)
            self.assertEqual(error.status, 400, f"sent {sent!r}")

    def test_other_forms(self) -> None:
        """No other scheme, authority, star or relative path is served (RFC 1945, 5.1.2)."""
        for target in (b"ftp://h/a", b"file:///a", b"h:80", b"*", b"?a", b"#a", b"a/b", b"\\a"):
            sent = b"GET " + target + b" HTTP/1.0\r\n"
            error = self.assertRaises(BadRequest, parse_request_line, sent)
            self.assertEqual(error.status, 400, f"sent {sent!r}")

    def test_control_bytes(self) -> None:
        """No control byte is part of a target (RFC 1945, 3.2.1)."""
        for code in (*range(0x21), 0x7F):
            sent = b"GET /a" + bytes([code]) + b"b HTTP/1.0\r\n"
            self.assertRaises(BadRequest, parse_request_line, sent)

    def test_bytes_above_127(self) -> None:
        """They are taken as they are: RFC 1945 calls them national (RFC 1945, 3.2.1)."""
        target = b"/" + bytes(range(0x80, 0x100))
        sent = b"GET " + target + b" HTTP/1.0\r\n"
        self.assertEqual(parse_request_line(sent)[1], target, f"sent {sent!r}")

    def test_error_knows_the_method(self) -> None:
        """The answer to a HEAD has no body, not even for a bad target (RFC 1945, 8.2)."""
        sent = b"HEAD a HTTP/1.0\r\n"
        error = self.assertRaises(BadRequest, parse_request_line, sent)
        self.assertEqual(error.method, b"HEAD", f"sent {sent!r}")


class VersionTests(TestCase):
    """Which versions are served."""

    def test_minor_versions(self) -> None:
        """Every minor version of HTTP/1 is served (RFC 2145, 2.3)."""
        for minor in (0, 1, 2, 9, 10, 9999):
            sent = b"GET / HTTP/1.%d\r\n" % minor
            self.assertEqual(parse_request_line(sent)[2], (1, minor), f"sent {sent!r}")

    def test_leading_zeros(self) -> None:
        """Leading zeros are ignored (RFC 1945, 3.1)."""
        for text, version in ((b"01.00", (1, 0)), (b"0001.0010", (1, 10)), (b"1.01", (1, 1))):
            sent = b"GET / HTTP/" + text + b"\r\n"
            self.assertEqual(parse_request_line(sent)[2], version, f"sent {sent!r}")

    def test_other_major_versions(self) -> None:
        """Another major version is another protocol (RFC 9110, 15.6.6)."""
        for text in (b"2.0", b"3.0", b"0.9", b"0.0", b"02.1", b"10.0", b"11.1", b"9999.1"):
            sent = b"GET / HTTP/" + text + b"\r\n"
            error = self.assertRaises(BadRequest, parse_request_line, sent)
            self.assertEqual(error.status, 505, f"sent {sent!r}")

    def test_four_digits_are_enough(self) -> None:
        """A number of five digits is no version, whatever its value (RFC 1945, 3.1)."""
        for text in (b"00001.0", b"1.00000", b"99999.0"):
            sent = b"GET / HTTP/" + text + b"\r\n"
            error = self.assertRaises(BadRequest, parse_request_line, sent)
            self.assertEqual(error.status, 400, f"sent {sent!r}")

    def test_malformed_versions(self) -> None:
        """A version is two numbers with a dot between them (RFC 1945, 3.1)."""
        for version in (
            b"HTTP/1.0.0",
            b"HTTP/1,0",
            b"HTTP/.0",
            b"HTTP/-1.0",
            b"HTTP/1.-0",
            b"HTTP/1.\xb2",
            b"HTTP/1.0x",
            b"HTTP/1.0;",
            b"HTTP//1.0",
            b"HTTP1.0",
            b"FTP/1.0",
            b"1.0",
            b"x",
        ):
            sent = b"GET / " + version + b"\r\n"
            error = self.assertRaises(BadRequest, parse_request_line, sent)
            self.assertEqual(error.status, 400, f"sent {sent!r}")

    def test_error_knows_the_method(self) -> None:
        """The answer to a HEAD has no body, not even for a bad version (RFC 1945, 8.2)."""
        for sent in (b"HEAD / HTTP/2.0\r\n", b"HEAD / HTTP/x\r\n"):
            error = self.assertRaises(BadRequest, parse_request_line, sent)
            self.assertEqual(error.method, b"HEAD", f"sent {sent!r}")


class FoldTests(TestCase):
    """A line that begins with white space goes on with the line before."""

    def assert_headers(self, sent: bytes, expected: Headers) -> None:
        """Assert that these lines, and a blank one, are these header fields."""
        self.assertEqual(parse_headers(sent + b"\r\n"), expected, f"sent {sent!r}")

    def assert_refused(self, sent: bytes) -> None:
        """Assert that these lines, and a blank one, are a bad request."""
        error = self.assertRaises(BadRequest, parse_headers, sent + b"\r\n")
        self.assertEqual(error.status, 400, f"sent {sent!r}")

    def test_folded_line(self) -> None:
        """A folded line joins with one space (RFC 1945, 2.2)."""
        for fold in (b"\r\n ", b"\n ", b"\r\n\t", b"\n \t  ", b"\r\n     "):
            self.assert_headers(b"X: a" + fold + b"b\r\n", ((b"X", b"a b"),))

    def test_several_folded_lines(self) -> None:
        """A value may go on over many lines (RFC 1945, 4.2)."""
        self.assert_headers(b"X: a\r\n b\n\tc\r\nY: d\r\n", ((b"X", b"a b c"), (b"Y", b"d")))

    def test_value_on_its_second_line(self) -> None:
        """A value may begin on the line after its name (RFC 1945, 2.2)."""
        self.assert_headers(b"X:\r\n a\r\n", ((b"X", b"a"),))

    def test_folded_line_of_white_space(self) -> None:
        """A line of white space is a folded line, and not the blank one (RFC 1945, 2.2)."""
        self.assert_headers(b"X: a\r\n \r\nY: b\r\n", ((b"X", b"a"), (b"Y", b"b")))

    def test_folded_line_that_looks_like_a_field(self) -> None:
        """What goes on with a value is part of it, whatever it looks like (RFC 1945, 4.2)."""
        self.assert_headers(b"X: a\r\n Host: b\r\n", ((b"X", b"a Host: b"),))

    def test_first_line_is_not_folded(self) -> None:
        """White space before the first field could hide it from others (RFC 9112, 2.2)."""
        self.assert_refused(b" X: a\r\n")
        self.assert_refused(b"\tX: a\r\nY: b\r\n")
        self.assert_refused(b" \r\nX: a\r\n")

    def test_name_is_not_folded(self) -> None:
        """A name and its colon are on one line (RFC 1945, 4.2)."""
        self.assert_refused(b"X\r\n Y: a\r\n")
        self.assert_refused(b"X\r\n : a\r\n")

    def test_carriage_return_does_not_fold(self) -> None:
        """A CR alone ends no line, so it folds none (RFC 1945, 2.2)."""
        self.assert_refused(b"X: a\r b\r\n")
        self.assert_refused(b"X: a\r\r\n b\r\n")


class FieldTests(TestCase):
    """Names and values."""

    def test_every_letter_of_a_token(self) -> None:
        """A name may have any of these bytes, and no other (RFC 1945, 2.2)."""
        token = b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
        for code in range(256):
            if code == ord(":"):
                continue
            name = b"X" + bytes([code]) + b"Y"
            sent = name + b": a\r\n\r\n"
            if code in token:
                self.assertEqual(parse_headers(sent), ((name, b"a"),), f"sent {sent!r}")
            else:
                self.assertRaises(BadRequest, parse_headers, sent)

    def test_every_byte_of_a_value(self) -> None:
        """A value may have any byte but NUL, CR and LF (RFC 9110, 5.5)."""
        for code in range(256):
            value = b"a" + bytes([code]) + b"b"
            sent = b"X: " + value + b"\r\n\r\n"
            if code in b"\x00\r\n":
                self.assertRaises(BadRequest, parse_headers, sent)
            else:
                self.assertEqual(parse_headers(sent), ((b"X", value),), f"sent {sent!r}")

    def test_no_space_is_needed_after_the_colon(self) -> None:
        """A name, a colon and a value are a field (RFC 1945, 4.2)."""
        self.assertEqual(parse_headers(b"X:a\r\n\r\n"), ((b"X", b"a"),))

    def test_no_fields(self) -> None:
        """A head may have no header fields (RFC 1945, 5)."""
        for sent in (b"\r\n", b"\n"):
            self.assertEqual(parse_headers(sent), (), f"sent {sent!r}")

    def test_one_carriage_return_before_the_line_feed(self) -> None:
        """A second CR does not belong to the line end (RFC 1945, 2.2)."""
        for sent in (b"X: a\r\r\n\r\n", b"X: a\r\n\r\r\n", b"\r\r\n"):
            self.assertRaises(BadRequest, parse_headers, sent)

    def test_fields_of_one_name_stay_apart(self) -> None:
        """Each is a pair of its own, in the order sent (RFC 1945, 4.2)."""
        sent = b"Via: a\r\nX: y\r\nvia: b\r\n\r\n"
        expected = ((b"Via", b"a"), (b"X", b"y"), (b"via", b"b"))
        self.assertEqual(parse_headers(sent), expected, f"sent {sent!r}")

    def test_error_knows_the_method(self) -> None:
        """The answer to a HEAD has no body, not even for a bad field (RFC 1945, 8.2)."""
        sent = b"HEAD / HTTP/1.0\r\nHost\r\n\r\n"
        error = self.assertRaises(BadRequest, parse_request, sent)
        self.assertEqual((error.status, error.method), (400, b"HEAD"), f"sent {sent!r}")

    def test_request_is_not_changed(self) -> None:
        """A handler cannot change a request that others see too."""
        request = parse_request(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        self.assertRaises(AttributeError, setattr, request, "target", b"/b")
        self.assertIsInstance(request.headers, tuple)


class LimitTests(TestCase):
    """How many lines the header fields may have, and how long they take."""

    def test_largest_number_of_fields(self) -> None:
        """A hundred fields are accepted (RFC 9110, 5.4)."""
        sent = MAX_FIELDS * b"X: a\r\n" + b"\r\n"
        self.assertEqual(parse_headers(sent), MAX_FIELDS * ((b"X", b"a"),))

    def test_one_field_more(self) -> None:
        """One more is refused, and the error knows the method (RFC 6585, 5)."""
        sent = (MAX_FIELDS + 1) * b"X: a\r\n" + b"\r\n"
        error = self.assertRaises(BadRequest, parse_headers, sent, b"HEAD")
        self.assertEqual((error.status, error.method), (431, b"HEAD"))

    def test_folded_lines_count(self) -> None:
        """A field of many lines is no way around the limit (RFC 6585, 5)."""
        sent = b"X: a\r\n" + MAX_FIELDS * b" b\r\n" + b"\r\n"
        error = self.assertRaises(BadRequest, parse_headers, sent)
        self.assertEqual(error.status, 431)

    def test_time_grows_with_the_length_alone(self) -> None:
        """No bytes make a regular expression go over them again and again."""
        many = 1 << 16
        began = process_time()
        for nasty in (b"a", b" ", b"\t", b"/", b"\r", b"a ", b": ", b"a:", b"http://"):
            run = (many * nasty)[:many]
            for line in (run, b"GET " + run, b"GET /" + run, b"GET / HTTP/1.0" + run):
                self.assertRaises(BadRequest, parse_request_line, line + b"\x00\r\n")
            for field in (run, b"X:" + run, b"X: a\r\n" + run, b"X: a\n " + run + b"\n " + run):
                self.assertRaises(BadRequest, parse_headers, field + b"\x00\r\n\r\n")
        spent = process_time() - began
        self.assertLess(spent, 3, f"it took {spent} seconds")
