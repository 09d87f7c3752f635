"""A handler that serves the files of a folder (RFC 1945, sections 5.1.2, 10 and 12.5)."""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from string import hexdigits
from typing import BinaryIO

from twisted.internet.interfaces import IReactorTime

from .request import Request
from .response import Response, explanation, http_date

AT_ONCE = 64 * 1024
"""How many bytes a file has at most that is sent in one piece."""
INDEX = "index.html"
METHODS = (b"GET", b"HEAD")
TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".txt": b"text/plain; charset=utf-8",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
}
"""The values of Content-Type, by the end of a file's name (RFC 1945, section 10.5)."""
OTHER_TYPE = b"application/octet-stream"

MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_TIME = rb"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = rb"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH = rb"(?P<month>" + b"|".join(MONTHS) + rb")"
DATES = tuple(
    re.compile(pattern)
    for pattern in (
        _DAY + rb", (?P<day>\d\d) " + _MONTH + rb" (?P<year>\d{4}) " + _TIME + rb" GMT",
        _LONG_DAY + rb", (?P<day>\d\d)-" + _MONTH + rb"-(?P<year>\d\d) " + _TIME + rb" GMT",
        _DAY + rb" " + _MONTH + rb" (?P<day>[ \d]\d) " + _TIME + rb" (?P<year>\d{4})",
    )
)
"""The three formats of RFC 1945, section 3.3: RFC 1123, RFC 850 and asctime."""


class NotServed(Exception):
    """There is no such file for a client.

    :param response: what it is answered.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


def not_found() -> NotServed:
    """Return what is raised for whatever names no file below the root."""
    return NotServed(explanation(404, "There is no such file here."))


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading."""
    return path.open("rb")


class FileBody:
    """As many bytes of a file as it had when it was opened: a ``Source``.

    :param file: the file; it is closed by ``close``.
    :param size: how many bytes it has.
    """

    __slots__ = ("_file", "_size")

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def __len__(self) -> int:
        """Return how many bytes the file had."""
        return self._size

    def read(self, size: int) -> bytes:
        """Read the next bytes: fewer than ``size`` at the end, and then none."""
        return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def percent_decoded(part: bytes) -> bytes:
    """Decode each %HH of a part of a path, once (RFC 1945, section 3.2.1).

    :raises NotServed: if a % stands before anything else.
    """
    first, *rest = part.split(b"%")
    decoded = bytearray(first)
    for piece in rest:
        digits = piece[:2].decode("latin-1")
        if len(digits) != 2 or not set(digits) <= set(hexdigits):
            raise not_found()
        decoded.append(int(digits, 16))
        decoded += piece[2:]
    return bytes(decoded)


def file_name(part: bytes) -> str:
    """Decode one part of a path into the name of a file or a folder.

    :raises NotServed: if it names nothing.
    """
    name = percent_decoded(part)
    if name in (b"", b".", b"..") or any(byte in name for byte in b"/\\\0"):
        raise not_found()
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise not_found() from None


def parse_date(text: bytes, now: float) -> float | None:
    """Parse a date in one of three formats (RFC 1945, section 3.3).

    :param now: what time it is: a year of two digits is one of the last fifty or the next
        fifty (RFC 9110, section 5.6.7).
    :returns: seconds since 1970-01-01 00:00 UTC; ``None`` if it is no date.
    """
    match = next(filter(None, (pattern.fullmatch(text) for pattern in DATES)), None)
    if match is None:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        this_year = datetime.fromtimestamp(now, timezone.utc).year
        year += this_year - this_year % 100
        if year > this_year + 50:
            year -= 100
        elif year <= this_year - 50:
            year += 100
    month = MONTHS.index(match["month"]) + 1
    day, hour, minute, second = (int(match[name]) for name in ("day", "hour", "minute", "second"))
    try:
        date = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
        return date.timestamp()
    except ValueError:  # such as February 30
        return None


class FileHandler:
    """A handler that answers with the files below ``root``.

    :param root: the folder that is served.
    :param clock: what tells the time: ``clock.seconds()``.
    :param open_file: what opens a file. All files are opened through it, so that a
        test can see which are open, or let one be forbidden.
    """

    def __init__(
        self,
        root: Path,
        clock: IReactorTime,
        open_file: Callable[[Path], BinaryIO] = open_file,
    ) -> None:
        self._root = root.resolve()
        self._clock = clock
        self._open_file = open_file

    def __call__(self, request: Request) -> Response:
        """Return the response with the file that ``request.target`` names, or with an error."""
        if request.method not in METHODS:
            allow = [(b"Allow", b", ".join(METHODS))]
            return explanation(405, "Files can only be fetched.", allow)
        try:
            return self._answer(request)
        except NotServed as refusal:
            return refusal.response

    def _answer(self, request: Request) -> Response:
        """Answer a GET or a HEAD."""
        path = self._find(request.target)
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # to open a pipe would take for ever
                raise not_found()
            file = self._open_file(path)
        except PermissionError:
            raise NotServed(explanation(403, "This file is not for everybody.")) from None
        except OSError:
            raise not_found() from None
        return self._with_file(request, path.name, FileBody(file, status.st_size), status.st_mtime)

    def _find(self, target: bytes) -> Path:
        """Find the file that a target names.

        :raises NotServed: if there is none: with 404, or what else is to be said.
        """
        path, _, _ = target.partition(b"?")
        *parts, last = path[1:].split(b"/")
        found = self._root.joinpath(*map(file_name, parts))
        if last != b"":
            found = self._below_root(found / file_name(last))
            if found.is_dir():
                location = path + b"/" + target[len(path) :]
                sentence = "The name of this folder ends with a slash."
                raise NotServed(explanation(301, sentence, [(b"Location", location)]))
            return found
        if not self._below_root(found).is_dir():
            raise not_found()
        if not (found / INDEX).is_file():
            raise NotServed(explanation(403, "This folder is not listed."))
        return self._below_root(found / INDEX)

    def _below_root(self, path: Path) -> Path:
        """Follow symbolic links; what they lead to is there, and below the root (or it is 404)."""
        try:
            real = path.resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
            raise not_found() from None
        if not real.is_relative_to(self._root):
            raise not_found()
        return real

    def _with_file(self, request: Request, name: str, body: FileBody, changed: float) -> Response:
        """Answer with an open file, which is closed unless it is the body."""
        try:
            if self._is_known(request, changed):
                response = Response(304)
            else:
                kind = next((TYPES[end] for end in TYPES if name.lower().endswith(end)), OTHER_TYPE)
                modified = http_date(min(changed, self._clock.seconds()))
                headers = [(b"Content-Type", kind), (b"Last-Modified", modified)]
                response = Response(200, headers, body)
                if len(body) <= AT_ONCE and request.method == b"GET":
                    response.body = body.read(len(body))
        except BaseException:
            body.close()
            raise
        if response.body is not body:
            body.close()
        return response

    def _is_known(self, request: Request, changed: float) -> bool:
        """Say whether the client has the file as it is (RFC 1945, section 10.9)."""
        field = request.header(b"If-Modified-Since")
        if field is None or request.method != b"GET":
            return False
        now = self._clock.seconds()
        since = parse_date(field, now)
        return since is not None and math.floor(changed) <= since <= now
