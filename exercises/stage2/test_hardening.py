"""Stage 2, the hardening: fields written by a stranger, and a clock between two seconds.

Begin with it when ``test_response`` is green.
"""

import os
import time
from itertools import product
from traceback import format_exc

from twisted.trial.unittest import FailTest, SkipTest, TestCase

from exercises.myhttp.response import Response, render_response

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

NOW = 784111777.0  # the moment that RFC 1945 uses as its example of a date
DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
TOKEN = b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"


def render(response: Response, now: float = NOW, head_only: bool = False) -> bytes:
    """Render a response; the failure of a test says which one."""
    try:
        rendered: bytes = render_response(response, now, head_only)
    except Exception:
        what = f"{response!r} at {now!r}, head_only={head_only}"
        raise FailTest(f"rendered {what:.500}, and this came:\n{format_exc()}") from None
    return rendered


class DateTests(TestCase):
    """A date is the same on every machine (RFC 1945, 3.3)."""

    def assert_date(self, now: float, expected: bytes) -> None:
        """Assert what ``Date`` says at a given time."""
        actual = render(Response(200), now).split(b"\r\n")[1]
        self.assertEqual(actual, b"Date: " + expected, f"rendered at {now!r}")

    def test_whole_seconds(self) -> None:
        """A second that has not passed does not count (RFC 1945, 3.3)."""
        for now in (NOW, NOW + 0.5, NOW + 0.9999999):
            self.assert_date(now, b"Sun, 06 Nov 1994 08:49:37 GMT")
        self.assert_date(NOW + 1, b"Sun, 06 Nov 1994 08:49:38 GMT")

    def test_one_after_the_other(self) -> None:
        """Each date is that of its own moment, whatever was rendered before it."""
        for now, second in ((0.9, 37), (1.1, 38), (1.9, 38), (2.0, 39), (1.5, 38), (0.2, 37)):
            self.assert_date(NOW + now, b"Sun, 06 Nov 1994 08:49:%d GMT" % second)

    def test_each_month_and_each_day(self) -> None:
        """Their names have three letters and are in English (RFC 1945, 3.3)."""
        for days, expected in (
            (13, b"Wed, 14 Jan"),
            (44, b"Sat, 14 Feb"),
            (72, b"Sat, 14 Mar"),
            (103, b"Tue, 14 Apr"),
            (133, b"Thu, 14 May"),
            (164, b"Sun, 14 Jun"),
            (194, b"Tue, 14 Jul"),
            (225, b"Fri, 14 Aug"),
            (256, b"Mon, 14 Sep"),
            (286, b"Wed, 14 Oct"),
            (317, b"Sat, 14 Nov"),
            (347, b"Mon, 14 Dec"),
        ):
            self.assert_date(86400 * days, expected + b" 1970 00:00:00 GMT")

    def test_two_digits(self) -> None:
        """A date has the same width on every day and at every hour (RFC 1945, 3.3)."""
        self.assert_date(86400 * 8 + 3600 * 4 + 60 * 5 + 6, b"Fri, 09 Jan 1970 04:05:06 GMT")

    def test_leap_years(self) -> None:
        """2000 and 2024 have a 29th of February, and 2100 has none."""
        self.assert_date(951782400 + 3661, b"Tue, 29 Feb 2000 01:01:01 GMT")
        self.assert_date(1709164800 + 43200, b"Thu, 29 Feb 2024 12:00:00 GMT")
        self.assert_date(4107456000 + 86399, b"Sun, 28 Feb 2100 23:59:59 GMT")
        self.assert_date(4107456000 + 86400, b"Mon, 01 Mar 2100 00:00:00 GMT")

    def test_any_time_zone(self) -> None:
        """It is in GMT, wherever the machine is (RFC 1945, 3.3)."""
        if not hasattr(time, "tzset"):
            raise SkipTest("this system does not let a test change the time zone")
        before = os.environ.get("TZ")
        self.addCleanup(time.tzset)
        self.addCleanup(lambda: os.environ.pop("TZ") if before is None else set_zone(before))
        set_zone("XYZ-5:30")
        self.assert_date(NOW + 7, b"Sun, 06 Nov 1994 08:49:44 GMT")

    def test_same_response_later(self) -> None:
        """Each time it is rendered, it has the date of that time (RFC 1945, 10.6)."""
        response = Response(200, ((b"X", b"y"),), b"a")
        dates = [render(response, NOW + n).split(b"\r\n")[1][-6:] for n in (0, 1, 0)]
        self.assertEqual(dates, [b"37 GMT", b"38 GMT", b"37 GMT"], "rendered at NOW, +1, and NOW")


def set_zone(zone: str) -> None:
    """Change the time zone of this process."""
    os.environ["TZ"] = zone
    time.tzset()


class StatusLineTests(TestCase):
    """The first line gives the result."""

    def test_phrases(self) -> None:
        """Those of RFC 1945, 6.1.1; that of 302 has changed since, and is left open."""
        for status, phrase in (
            (200, b"OK"),
            (201, b"Created"),
            (202, b"Accepted"),
            (204, b"No Content"),
            (301, b"Moved Permanently"),
            (304, b"Not Modified"),
            (400, b"Bad Request"),
            (401, b"Unauthorized"),
            (403, b"Forbidden"),
            (404, b"Not Found"),
            (500, b"Internal Server Error"),
            (501, b"Not Implemented"),
            (502, b"Bad Gateway"),
            (503, b"Service Unavailable"),
        ):
            actual = render(Response(status)).split(b"\r\n")[0]
            self.assertEqual(actual, b"HTTP/1.0 %d %b" % (status, phrase))

    def test_code_without_a_phrase(self) -> None:
        """The space after the number stays when nothing follows (RFC 1945, 6.1)."""
        for status in (299, 499, 599):
            actual = render(Response(status)).split(b"\r\n")[0]
            self.assertEqual(actual, b"HTTP/1.0 %d " % status)


class BodyTests(TestCase):
    """A body may be any bytes, and none of them is changed."""

    def test_any_bytes(self) -> None:
        """It may look like a head, end with line ends, or be large (RFC 1945, 7.2)."""
        for body in (
            b"HTTP/1.0 200 OK\r\n\r\n\x00\xff\n",
            b"\r\n",
            b" \r\n\ta\r\n\r\n ",
            b"%d %s {} \\n",
            bytes(range(256)),
            70000 * b"x",
        ):
            actual = render(Response(200, [(b"X", b"y")], body))
            expected = b"\r\nX: y\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            self.assertEqual(actual[-len(expected) :], expected, f"rendered the body {body[:60]!r}")

    def test_each_status(self) -> None:
        """All responses but 204 and 304 have a body, and its length (RFC 1945, 7.2)."""
        for status in (200, 201, 202, 299, 301, 302, 303, 400, 404, 413, 431, 500, 503):
            actual = render(Response(status, (), b"hello")).partition(DATE)[2]
            self.assertEqual(actual, b"Content-Length: 5\r\n\r\nhello", f"status {status}")

    def test_no_body_for_a_head(self) -> None:
        """Whatever the status: the length is that of the body left out (RFC 1945, 8.2)."""
        for status in (200, 404, 500):
            actual = render(Response(status, (), b"\r\n\r\n"), head_only=True)
            end = actual.partition(DATE)[2]
            self.assertEqual(end, b"Content-Length: 4\r\n\r\n", f"status {status}, head_only=True")

    def test_fields_without_a_body(self) -> None:
        """204 and 304 have their own fields and no body, for a HEAD, too (RFC 1945, 7.2)."""
        for status, head_only in product((204, 304), (False, True)):
            response = Response(status, [(b"X", b"y"), (b"Z", b"")], b"lost")
            end = render(response, NOW, head_only).partition(DATE)[2]
            self.assertEqual(end, b"X: y\r\nZ: \r\n\r\n", f"{response!r}, head_only={head_only}")


class FieldTests(TestCase):
    """Fields often contain what a stranger has sent. Each must stay one field."""

    def assert_field(self, name: bytes, value: bytes) -> None:
        """Assert that this header field is sent as it stands."""
        actual = render(Response(200, [(name, value)]))
        expected = b"HTTP/1.0 200 OK\r\n%b%b: %b\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(actual, expected % (DATE, name, value), f"field {name!r}: {value!r}")

    def assert_refused(
        self, *headers: tuple[bytes, bytes], status: int = 302, head_only: bool = False
    ) -> None:
        """Assert that these header fields raise a ValueError, when built or when rendered."""
        try:
            actual = repr(render_response(Response(status, headers), NOW, head_only))
        except ValueError:
            return
        except Exception:
            actual = format_exc()
        self.fail(f"rendered {headers!r}, expected a ValueError, but this came:\n{actual}")

    def test_value(self) -> None:
        """CR or LF would begin a new field, and some parsers stop at NUL (RFC 1945, 2.2, 4.2)."""
        for byte in range(256):
            for value in (b"%c", b"/a%cSet-Cookie: owned", b"/a%c", b"%c/a"):
                if byte in b"\0\r\n":
                    self.assert_refused((b"Location", value % byte))
                else:
                    self.assert_field(b"Location", value % byte)

    def test_long_field(self) -> None:
        """Each is one line, however long it is, and however many there are (RFC 1945, 4.2)."""
        self.assert_field(b"X" * 200, b"a, b; c " * 200)
        fields = [(b"X-%d" % n, b"a" * n) for n in range(200)]
        lines = b"".join([b"%b: %b\r\n" % field for field in fields])
        end = render(Response(200, fields)).partition(DATE)[2]
        self.assertEqual(end, lines + b"Content-Length: 0\r\n\r\n", "rendered 200 fields")

    def test_name(self) -> None:
        """A name is a token: it has no space, colon or line end in it (RFC 1945, 2.2)."""
        self.assert_refused((b"", b"a"))
        for byte in range(256):
            for name in (b"%c", b"X%cY", b"X%c", b"%cX"):
                if byte in TOKEN:
                    self.assert_field(name % byte, b"a")
                else:
                    self.assert_refused((name % byte, b"a"))

    def test_each_field_counts(self) -> None:
        """A bad field is refused after a good one, and before one, and in every response."""
        good = (b"X", b"y")
        for bad in ((b"X Y", b"a"), (b"Location", b"/\r\nSet-Cookie: owned")):
            self.assert_refused(good, bad)
            self.assert_refused(bad, good)
            self.assert_refused(good, bad, good, head_only=True)
            for status in (200, 204, 304, 404):
                self.assert_refused(good, bad, status=status)

    def test_any_sequence(self) -> None:
        """The fields may be a list or a tuple, and are not changed by rendering."""
        for kind in (list, tuple):
            response = Response(200, kind([(b"X", b"y"), (b"x", b"y"), (b"X", b"y")]))
            expected = DATE + b"X: y\r\nx: y\r\nX: y\r\nContent-Length: 0\r\n\r\n"
            for _ in range(2):
                end = render(response).partition(b"\r\n")[2]
                self.assertEqual(end, expected, f"rendered {response!r} twice")
            fields = [(b"X", b"y"), (b"x", b"y"), (b"X", b"y")]
            self.assertEqual(list(response.headers), fields, "after it was rendered")


class ValueTests(TestCase):
    """What comes out of ``render_response``."""

    def test_type(self) -> None:
        """It is ``bytes``, never ``bytearray``: a transport takes nothing else."""
        for response in (Response(200, (), b"a"), Response(200), Response(204)):
            actual = type(render(response))
            self.assertEqual(actual, bytes, f"rendered {response!r}")

    def test_values_have_names(self) -> None:
        """A response can be built, and rendered, with the values given by name."""
        response = Response(status=200, headers=(), body=b"a")
        actual = render_response(response=response, now=NOW, head_only=False)
        self.assertEqual(actual[-5:], b"\r\n\r\na", f"rendered {response!r}")

    def test_each_response_is_its_own(self) -> None:
        """Nothing of one response is left in the next."""
        full = Response(404, [(b"X", b"y")], b"a")
        expected = [b"HTTP/1.0 200 OK\r\n", DATE, b"Content-Length: 0\r\n", b"\r\n"]
        render(full)
        actual = render(Response(200)).splitlines(keepends=True)
        self.assertEqual(actual, expected, f"rendered Response(200) after {full!r}")
