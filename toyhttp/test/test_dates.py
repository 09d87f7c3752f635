"""Dates: three formats, and what only looks like one."""

from __future__ import annotations

from calendar import timegm
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import TestCase

from toyhttp.dates import MONTHS, format_http_date, parse_http_date
from toyhttp.test.deliveries import property_settings

timeout = 60

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
FORMATS = (
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"Sunday, 06-Nov-94 08:49:37 GMT",
    b"Sun Nov  6 08:49:37 1994",
)

_days = st.sampled_from([b"Mon", b"Sun", b"Wednesday", b"Monday", b"Funday", b""])
_numbers = st.integers(0, 99).map(lambda number: b"%02d" % number) | st.sampled_from(
    [b" 6", b"6", b"006", b"-1", b"+6", b"\xb2", b"", b"9" * 30]
)
_months = st.sampled_from([name.encode("ascii") for name in MONTHS] + [b"nov", b"Foo", b"11"])
_years = st.sampled_from([b"1994", b"0000", b"9999", b"94", b"00", b"99999", b"9" * 5000])
_times = st.tuples(_numbers, _numbers, _numbers).map(b":".join)
_nearly = st.tuples(
    _days,
    st.sampled_from([b", ", b" ", b","]),
    _numbers | _months,
    st.sampled_from([b" ", b"-", b"  "]),
    _months | _numbers,
    st.sampled_from([b" ", b"-"]),
    _years | _times,
    st.just(b" "),
    _times | _years,
    st.sampled_from([b" GMT", b"", b" gmt", b" UTC", b"\n", b" GMT\n"]),
).map(b"".join)


class FormatTests(TestCase):
    """Dates that are sent."""

    def test_format(self) -> None:
        """Dates are sent in the format of RFC 1123 (RFC 1945, 3.3)."""
        self.assertEqual(format_http_date(NOW), FORMATS[0])
        self.assertEqual(format_http_date(0), b"Thu, 01 Jan 1970 00:00:00 GMT")


class ParseTests(TestCase):
    """Dates that come."""

    def assert_date(self, value: bytes, expected: int | None, now: float = NOW) -> None:
        """Assert what a value means."""
        self.assertEqual(parse_http_date(value, now), expected, f"sent {value!r}")

    def test_formats(self) -> None:
        """All three formats are understood (RFC 1945, 3.3.1)."""
        for value in FORMATS:
            self.assert_date(value, NOW)

    def test_two_digits_of_a_day(self) -> None:
        """A day of asctime's has two digits, or a space and one (RFC 1945, 3.3.1)."""
        self.assert_date(b"Wed Nov 16 08:49:37 1994", NOW + 10 * 86400)
        self.assert_date(b"Sun Nov 06 08:49:37 1994", NOW)
        self.assert_date(b"Sun Nov 6 08:49:37 1994", None)

    def test_case(self) -> None:
        """Names are literals, and may be in any case (RFC 1945, 2.1)."""
        for value in FORMATS:
            self.assert_date(value.upper(), NOW)
            self.assert_date(value.lower(), NOW)

    def test_months(self) -> None:
        """Each month is itself (RFC 1945, 3.3.1)."""
        for number, name in enumerate(MONTHS, 1):
            expected = timegm((1994, number, 6, 8, 49, 37))
            self.assert_date(b"Sun, 06 %s 1994 08:49:37 GMT" % name.encode("ascii"), expected)

    def test_limits(self) -> None:
        """The first and the last second of a day and the leap day are dates (RFC 1945, 3.3)."""
        self.assert_date(b"Thu, 29 Feb 1996 23:59:59 GMT", timegm((1996, 2, 29, 23, 59, 59)))
        self.assert_date(b"Thu, 01 Jan 1970 00:00:00 GMT", 0)
        self.assert_date(b"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799)

    def test_before_1970(self) -> None:
        """A date before 1970 is one."""
        self.assert_date(b"Wed, 31 Dec 1969 23:59:59 GMT", -1)

    def test_century(self) -> None:
        """A year of two digits is the last that is not over 50 years ahead (RFC 9110, 5.6.7)."""
        now = timegm((2026, 11, 21, 0, 0, 0))
        for digits, year in ((26, 2026), (0, 2000), (76, 2076), (77, 1977), (94, 1994), (99, 1999)):
            expected = timegm((year, 11, 6, 8, 49, 37))
            self.assert_date(b"Sunday, 06-Nov-%02d 08:49:37 GMT" % digits, expected, now)
        expected = timegm((2105, 11, 6, 8, 49, 37))
        self.assert_date(b"Sunday, 06-Nov-05 08:49:37 GMT", expected, timegm((2099, 1, 1, 0, 0, 0)))

    def test_no_dates(self) -> None:
        """What is almost a date is none (RFC 1945, 3.3.1)."""
        good = FORMATS[0]
        for old, new in (
            (b"08:", b"24:"),
            (b":49", b":60"),
            (b":37", b":60"),
            (b"06", b"00"),
            (b"06", b"32"),
            (b"06", b"6"),
            (b"06", b" 6"),
            (b"06 Nov", b"31 Nov"),
            (b"06 Nov", b"29 Feb"),
            (b"1994", b"0000"),
            (b"1994", b"94"),
            (b"1994", b"99999"),
            (b"1994", b"9" * 5000),
            (b"Nov", b"November"),
            (b"Nov", b"11"),
            (b"Sun", b"Sunday"),
            (b"Sun,", b"Sun"),
            (b"Sun, ", b""),
            (b" GMT", b""),
            (b"GMT", b"UTC"),
            (b"GMT", b"+0000"),
            (b"GMT", b"GMT\n"),
            (b"GMT", b"GMT; length=5"),
            (b", ", b",  "),
            (b"08:49", b"08.49"),
        ):
            self.assertIn(old, good)
            self.assert_date(good.replace(old, new), None)
        for value in (b"", b"0", b"-1", b"784111777", b"yesterday", b"\xb2", b"\x00"):
            self.assert_date(value, None)
        self.assert_date(b"Sun, 06-Nov-94 08:49:37 GMT", None)
        self.assert_date(b"Sunday, 06 Nov 1994 08:49:37 GMT", None)
        self.assert_date(b"Sunday, 06-Nov-1994 08:49:37 GMT", None)
        self.assert_date(b"Sun Nov  6 08:49:37 1994 GMT", None)

    @property_settings(500)
    @given(_nearly | st.binary(max_size=40))
    def test_anything(self, value: bytes) -> None:
        """Whatever is sent, it is a number or nothing, and never an error (RFC 1945, 10.9)."""
        came = parse_http_date(value, NOW)
        self.assertTrue(came is None or isinstance(came, int), f"sent {value!r}")

    @property_settings(300)
    @given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))
    def test_round_trip(self, when: datetime) -> None:
        """What is sent is understood when it comes back (RFC 1945, 10.9)."""
        seconds = (when - datetime(1970, 1, 1)) // timedelta(seconds=1)
        self.assertEqual(parse_http_date(format_http_date(seconds), NOW), seconds)
