"""Dates, as HTTP writes them (RFC 1945, section 3.3)."""

from __future__ import annotations

import re
import time
from calendar import timegm
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Final

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_PARTS: Final = ("day", "hour", "minute", "second")

_LONG_DAY = "|".join(_DAYS)
_DAY = "|".join(day[:3] for day in _DAYS)
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_TWO = r"(?P<day>[0-9]{2})"

# The three formats of section 3.3.1: RFC 1123, RFC 850, and what C's asctime() returns.
# Names are literals, and literals may be in any case (section 2.1).
_FORMATS = [
    re.compile(text.encode("ascii"), re.IGNORECASE)
    for text in (
        rf"(?:{_DAY}), {_TWO} {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
        rf"(?:{_LONG_DAY}), {_TWO}-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
        rf"(?:{_DAY}) {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
]


@lru_cache(maxsize=1024)  # the files of a busy folder have each a date of their own
def format_http_date(seconds: int) -> bytes:
    """Format a time as it is sent: ``Sun, 06 Nov 1994 08:49:37 GMT``.

    :param seconds: since 1970-01-01 00:00 UTC.
    """
    return formatdate(seconds, usegmt=True).encode("ascii")


def parse_http_date(value: bytes, now: float) -> int | None:
    """Return the time that a date means, in any of the three formats.

    The formats are written out here, because the standard library's parsers take
    almost anything for a date, and fail later.  The day of the week must be one, but
    nobody looks whether it is the right one.

    :param now: the time, in seconds since 1970-01-01 00:00 UTC.  A year of two digits
        is the last that ends in them and is not more than 50 years ahead (RFC 9110,
        section 5.6.7).
    :returns: seconds since 1970-01-01 00:00 UTC; ``None`` if ``value`` is no date.
    """
    for form in _FORMATS:
        if match := form.fullmatch(value):
            break
    else:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        newest = time.gmtime(now).tm_year + 50
        year = newest - (newest - year) % 100
    month = MONTHS.index(match["month"].decode("ascii").title()) + 1
    day, hour, minute, second = (int(match[part]) for part in _PARTS)
    try:
        return timegm(datetime(year, month, day, hour, minute, second).timetuple())
    except ValueError:  # such as 30 Feb, or 25:00:00
        return None
