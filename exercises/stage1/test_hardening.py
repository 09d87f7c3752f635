"""Stage 1, the hardening: what strangers and attackers send.

Begin with it when ``test_request`` is green.  Most tests have a table of inputs.
"""

from itertools import product
from traceback import format_exc

from twisted.trial.unittest import FailTest, TestCase

from exercises.myhttp.request import BadRequest, Request, parse_request

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

TOKEN = b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"


def get(*fields: tuple[bytes, bytes], target: bytes = b"/") -> Request:
    """Return the request that is expected."""
    return Request(b"GET", target, (1, 0), fields)


def parse(sent: bytes) -> Request | int:
    """Return the request, or the status of the BadRequest; no other error is expected."""
    try:
        return parse_request(sent)
    except BadRequest as error:
        return error.status
    except Exception:
        raise FailTest(f"sent {sent!r:.500}, and this came:\n{format_exc()}") from None


class AnyByteTests(TestCase):
    """In each place a byte is either allowed or not, and 256 are quickly tried."""

    def test_target(self) -> None:
        """Any byte but white space and control characters (RFC 1945, 3.2.1); ``#`` is left open."""
        for byte in {*range(256)} - {*b"#"}:
            sent = b"GET /a%cb HTTP/1.0\r\n\r\n" % byte
            expected = get(target=b"/a%cb" % byte) if byte > 32 and byte != 127 else 400
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")

    def test_method(self) -> None:
        """A token is letters, digits and a few symbols (RFC 1945, 2.2, 5.1.1)."""
        for byte in {*range(256)} - {*b" \t"}:
            sent = b"G%cT / HTTP/1.0\r\n\r\n" % byte
            expected = Request(b"G%cT" % byte, b"/", (1, 0)) if byte in TOKEN else 400
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")

    def test_version(self) -> None:
        """Its numbers are digits, with a dot between them (RFC 1945, 3.1)."""
        for byte in {*range(256)} - {*b" \t\n"}:
            sent = b"GET / HTTP/1.%c\r\n\r\n" % byte
            digit = chr(byte) in "0123456789"
            expected = Request(b"GET", b"/", (1, int(chr(byte)))) if digit else 400
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")
            if not digit:
                sent = b"GET / HTTP/%c.0\r\n\r\n" % byte
                self.assertEqual(parse(sent), 400, f"sent {sent!r}")
            sent = b"GET / HTTP/1%c0\r\n\r\n" % byte
            self.assertEqual(parse(sent), get() if byte in b"." else 400, f"sent {sent!r}")

    def test_name_of_a_field(self) -> None:
        """It is a token, too: ``X_Y`` is a name like any other (RFC 1945, 4.2)."""
        for byte in {*range(256)} - {*b":"}:
            sent = b"GET / HTTP/1.0\r\nX%cY: a\r\n\r\n" % byte
            expected = get((b"X%cY" % byte, b"a")) if byte in TOKEN else 400
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")

    def test_one_byte(self) -> None:
        """Each byte of a token can stand alone (RFC 1945, 2.2)."""
        for byte in TOKEN:
            sent = b"%c / HTTP/1.0\r\n%c: %c\r\n\r\n" % (byte, byte, byte)
            name = b"%c" % byte
            expected = Request(name, b"/", (1, 0), ((name, name),))
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")

    def test_value_of_a_field(self) -> None:
        """Any byte but NUL, and CR, which ends a line for some parsers (RFC 1945, 2.2)."""
        for byte in {*range(256)} - {*b"\n"}:
            sent = b"GET / HTTP/1.0\r\nX: a%cb\r\n\r\n" % byte
            expected = get((b"X", b"a%cb" % byte)) if byte not in b"\0\r" else 400
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")

    def test_space_around_a_value(self) -> None:
        """Spaces and tabs are dropped at both ends, and no other bytes (RFC 1945, 4.2)."""
        for byte in {*range(256)} - {*b"\0\r\n \t"}:
            sent = b"GET / HTTP/1.0\r\nX:\t %c \ta %c\t\t \r\n\r\n" % (byte, byte)
            expected = get((b"X", b"%c \ta %c" % (byte, byte)))
            self.assertEqual(parse(sent), expected, f"sent {sent!r}")


class LineEndTests(TestCase):
    """A line ends with CR LF, or with LF alone; a CR elsewhere is an attack."""

    def test_line_feed_alone(self) -> None:
        """People type requests by hand; line ends may be mixed in any way (RFC 1945, B)."""
        for ends in product([b"\n", b"\r\n"], repeat=4):
            sent = b"GET / HTTP/1.0%bHost: a%bX: b%b%b" % ends
            self.assertEqual(parse(sent), get((b"Host", b"a"), (b"X", b"b")), f"sent {sent!r}")

    def test_line_feed_alone_without_fields(self) -> None:
        """The same holds for a request line and a blank line alone (RFC 1945, B)."""
        for ends in product([b"\n", b"\r\n"], repeat=2):
            sent = b"GET / HTTP/1.0%b%b" % ends
            self.assertEqual(parse(sent), get(), f"sent {sent!r}")

    def test_carriage_return_elsewhere(self) -> None:
        """It is neither dropped nor taken for a line end (RFC 1945, 2.2)."""
        for sent in (
            b"GET / HTTP/1.0\r\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\r\n",
            b"GET / HTTP/1.0\r\rX: a\r\n\r\n",
            b"GET / HTTP/1.0\rX: a\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r",
            b"GET / HTTP/1.0\r\nX: a\r\n\rb\r\n",
            b"GET / HTTP/1.0\r\r",
            b"\rGET / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.0\r\nX: a\r\r\n\r\n",
            b"GET / HTTP/1.0\r\nX:\ra\r\n\r\n",
            b"GET / HTTP/1.0\r\nX: a\rY: b\r\n\r\n",
            b"GET / HTTP/1.0\r\nX: a\r\n\rY: b\r\n\r\n",
            b"GET / HTTP/1.0\r\nX\r: a\r\n\r\n",
        ):
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_one_head_and_nothing_else(self) -> None:
        """Nothing is missing, and nothing comes before it or after it (RFC 1945, 5)."""
        for sent in (
            b"\n",
            b"\r\n",
            b"\r\n\r\n",
            b"GET / HTTP/1.0\n",
            b"GET / HTTP/1.0\nX: a\n",
            b"\nGET / HTTP/1.0\n\n",
            b"\r\nGET / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n\r\n",
            b"GET / HTTP/1.0\n\n\n",
            b"GET / HTTP/1.0\r\n\r\nX: a\r\n\r\n",
            b"GET / HTTP/1.0\r\nX: a\r\n\r\nY: b\r\n\r\n",
            b"GET / HTTP/1.0\r\nX: a\n\nY: b\n\n",
            b"GET / HTTP/1.0\r\n\r\nabc",
            b"GET / HTTP/1.0\r\n\r\n\r",
        ):
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")


class OddRequestLineTests(TestCase):
    """Much of what Python takes for white space or a number is neither in HTTP."""

    def test_words_that_are_missing(self) -> None:
        """Neither a method nor a target may be empty (RFC 1945, 5.1)."""
        for line in (b" / HTTP/1.0", b"GET  HTTP/1.0", b"GET HTTP/1.0 /", b"/ HTTP/1.0", b"  "):
            sent = line + b"\r\n\r\n"
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_what_is_no_space(self) -> None:
        """No other control character separates words or ends a line (RFC 1945, 5.1)."""
        lines = (b"GET%c/ HTTP/1.0", b"GET /%cHTTP/1.0", b"GET / HTTP/1.0%c", b"%cGET / HTTP/1.0")
        for line, byte in product(lines, {*range(32), 127, 0x85, 0xA0} - {*b"\t\r\n"}):
            sent = line % byte + b"\r\n\r\n"
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_version_is_digits(self) -> None:
        """``int`` accepts more than HTTP does: signs, spaces, underscores (RFC 1945, 3.1)."""
        for version in (
            b"HTTP/+1.0 HTTP/-1.0 HTTP/1.-0 HTTP/1.+0 HTTP/1.0_0 HTTP/1_0.0 HTTP/0x1.0 HTTP/a1.0 "
            b"HTTP/1.0a HTTP/\xb2.0 HTTP/1.\xb2 HTTP/.0 HTTP/1. HTTP/. HTTP/1x0 HTTP/1,0 HTTP/1:0 "
            b"HTTP/10 HTTP/1..0 HTTP/1.0. HTTP/1.0/ HTTP//1.0 HTTP1.0 HTTP:1.0 HTTP/1.0,HTTP/1.0 "
            b"1.0 /1.0 http/1.0 Http/1.0 HTTPS/1.0 XHTTP/1.0 HTTP/HTTP/1.0"
        ).split(b" "):
            sent = b"GET / %b\r\n\r\n" % version
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_version_has_few_digits(self) -> None:
        """Four at most: Python itself refuses to read a number of five thousand digits."""
        for version, minor in ((b"1.9", 9), (b"0001.0012", 12), (b"1.9999", 9999)):
            sent = b"GET / HTTP/%b\r\n\r\n" % version
            self.assertEqual(parse(sent), Request(b"GET", b"/", (1, minor)), f"sent {sent!r}")
        for version in (b"00001.0", b"1.00000", b"1." + 5000 * b"0", 5000 * b"1" + b".0"):
            sent = b"GET / HTTP/%b\r\n\r\n" % version
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_target_is_any_path(self) -> None:
        """A path that looks like something else is still a target (RFC 1945, 5.1.2)."""
        for target in (b"/HTTP/1.1", b"//a", b"/?a:b", b"/a/?", b"/%", b"/" + 2000 * b"a"):
            sent = b"GET %b HTTP/1.0\r\n\r\n" % target
            self.assertEqual(parse(sent), get(target=target), f"sent {sent!r}")

    def test_target_is_no_host(self) -> None:
        """A target is no host, no asterisk and no relative path (RFC 1945, 5.1.2)."""
        for target in (b"*", b"a", b"a/b", b"a:80", b"./a", b"?a", b"\\a", b"%2Fa"):
            sent = b"GET %b HTTP/1.0\r\n\r\n" % target
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")


class OddFieldTests(TestCase):
    """Fields that two readers could see differently."""

    def test_bad_name(self) -> None:
        """A missing name, or space around a name, allows request smuggling (RFC 1945, 4.2)."""
        for field in (b": a", b":", b" : a", b"X : a", b"X\t: a", b" X: a", b"\tX: a", b"X Y: a"):
            sent = b"GET / HTTP/1.0\r\n%b\r\n\r\n" % field
            self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_each_field_counts(self) -> None:
        """A bad field is refused after a good one, and before one, too (RFC 1945, 4.2)."""
        for bad in (b"X", b": a", b"X : a", b"X@: a", b"X: \0", b"X: a\rb"):
            for lines in (b"%b\r\nA: b", b"A: b\r\n%b", b"A: b\r\n%b\r\nC: d"):
                sent = b"GET / HTTP/1.0\r\n%b\r\n\r\n" % (lines % bad)
                self.assertEqual(parse(sent), 400, f"sent {sent!r}")

    def test_folded_line(self) -> None:
        """It is refused, or continues the value before it; nothing else (RFC 1945, 2.2)."""
        for fold in (b" ", b"\t", b" \t "):
            sent = b"GET / HTTP/1.0\r\nX: a\r\n%bY:b\r\nZ: c\r\n\r\n" % fold
            joined = [get((b"X", b"a%bY:b" % space), (b"Z", b"c")) for space in (b" ", fold)]
            self.assertIn(parse(sent), [400, *joined], f"sent {sent!r}")

    def test_same_field_again(self) -> None:
        """Each one is kept, in its place, even if the value is the same (RFC 1945, 4.2)."""
        sent = b"GET / HTTP/1.0\r\nA: b\r\nC: d\r\na: b\r\nA: b\r\nA:\r\n\r\n"
        expected = get((b"A", b"b"), (b"C", b"d"), (b"a", b"b"), (b"A", b"b"), (b"A", b""))
        self.assertEqual(parse(sent), expected, f"sent {sent!r}")

    def test_many_and_long_fields(self) -> None:
        """A hundred fields are not too many, and no line is too long here (RFC 1945, 4.2)."""
        for count, length in ((100, 1), (1, 8000), (10, 1000)):
            fields = [(b"X" * length, b"a " * n + b"b" * length) for n in range(count)]
            lines = [b"%b: %b\r\n" % field for field in fields]
            sent = b"GET / HTTP/1.0\r\n%b\r\n" % b"".join(lines)
            self.assertEqual(parse(sent), get(*fields), f"sent {count} fields of {length} bytes")

    def test_name_is_the_whole_name(self) -> None:
        """``header`` matches neither a part of a name nor what a value contains."""
        request = get((b"X-Host", b"a"), (b"Hosts", b"Host: b"))
        for name in (b"Host", b"X", b"Host:", b"a", b""):
            actual = request.header(name)
            self.assertEqual(actual, None, f"asked {request!r} for {name!r}")

    def test_header_of_what_was_parsed(self) -> None:
        """It works as on a request built by hand; only spaces and tabs are dropped."""
        sent = b"GET / HTTP/1.0\r\nhost:  a\r\nVia: b, c\r\nX:\r\nX_Y: \x0b\r\nVIA: d\r\n\r\n"
        request = parse_request(sent)
        actual = [request.header(name) for name in (b"Host", b"via", b"x", b"x_y", b"X-Y")]
        self.assertEqual(actual, [b"a", b"b, c, d", b"", b"\x0b", None], f"sent {sent!r}")
        self.assertEqual(request, parse_request(sent), "asked for header fields, then compared")


class ValueTests(TestCase):
    """What comes out of ``parse_request``, and what is kept in a ``Request``."""

    def test_types(self) -> None:
        """Texts are ``bytes``, never ``bytearray``; numbers are ``int``; fields are tuples."""
        sent = b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"
        request = parse_request(sent)
        ((name, value),) = request.headers
        texts = [type(text) for text in (request.method, request.target, name, value)]
        self.assertEqual(texts, 4 * [bytes], f"sent {sent!r}, got {request!r}")
        numbers = [type(number) for number in request.version]
        self.assertEqual(numbers, 2 * [int], f"sent {sent!r}, got {request!r}")
        tuples = [type(each) for each in (request.version, request.headers, request.headers[0])]
        self.assertEqual(tuples, 3 * [tuple], f"sent {sent!r}, got {request!r}")
        self.assertEqual(type(request.body), bytes, f"sent {sent!r}, got {request!r}")

    def test_values_have_names(self) -> None:
        """A request can be built with the names of its values."""
        request = Request(method=b"GET", target=b"/", version=(1, 0), headers=(), body=b"a")
        actual = (request.method, request.target, request.version, request.headers, request.body)
        self.assertEqual(actual, (b"GET", b"/", (1, 0), (), b"a"))

    def test_each_request_is_its_own(self) -> None:
        """Nothing of one request is left in the next, whether it was good or bad."""
        first = b"POST /a HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n"
        second = b"GET / HTTP/1.0\r\n\r\n"
        expected = Request(b"POST", b"/a", (1, 1), ((b"Host", b"b"), (b"X", b"y")))
        actual = [parse(sent) for sent in (first, second, b"?", second, first)]
        self.assertEqual(actual, [expected, get(), 400, get(), expected], f"sent {first!r} twice")
        values = [request.header(b"X") for request in (get((b"X", b"y")), get(), get((b"X", b"z")))]
        self.assertEqual(values, [b"y", None, b"z"], "asked three requests for X")

    def test_error_is_an_exception_of_its_own(self) -> None:
        """Two errors share nothing, and the status can be given by name (RFC 1945, 9.4)."""
        first, second = BadRequest("a", status=431), BadRequest("b")
        actual = [(str(error), error.status) for error in (first, second)]
        self.assertEqual(actual, [("a", 431), ("b", 400)])
