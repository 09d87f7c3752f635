"""A handler that serves the files of a folder (RFC 1945, sections 5.1.2, 10 and 12.5)."""

from __future__ import annotations

import calendar
import os
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IReactorTime

from .request import Request
from .response import Response

TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".txt": b"text/plain; charset=utf-8",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
}
DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
NAME = re.compile(r"[^\x00-\x1f/\\]+")


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading."""
    return path.open("rb")


class FileBody:
    """The body of a response: so many bytes of an open file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._left = size

    def __len__(self) -> int:
        """Return the value of Content-Length."""
        return self._size

    def read(self, limit: int) -> bytes:
        """Return the next bytes, at most ``limit`` of them; none at the end.

        :raises OSError: if the file cannot be read, or has become shorter.
        """
        piece = self._file.read(min(limit, self._left))
        if self._left and not piece:
            raise OSError("The file has become shorter.")
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class FileHandler:
    """A handler that answers with the files below ``root``."""

    def __init__(
        self,
        root: Path,
        clock: IReactorTime,
        open_file: Callable[[Path], BinaryIO] = open_file,
    ) -> None:
        self._root = Path(os.path.realpath(root))
        self._clock = clock
        self._open = open_file

    def __call__(self, request: Request) -> Response:
        """Return the response with the file that is asked for, or with an error."""
        if request.method not in (b"GET", b"HEAD"):
            return error(405, b"A file can be read, with GET and HEAD.", (b"Allow", b"GET, HEAD"))
        try:
            return self._find(request)
        except PermissionError:
            return error(403, b"You may not read this.")
        except (OSError, ValueError):  # no such file, and whatever else is wrong with its name
            return error(404, b"There is no such file.")

    def _find(self, request: Request) -> Response:
        """Return the response for the file or the folder that the target names."""
        path, question, query = request.target.partition(b"?")
        segments = path.removeprefix(b"/").split(b"/")
        slash = segments[-1] == b""
        names = [name_of(segment) for segment in (segments[:-1] if slash else segments)]
        file = self._within_root(self._root.joinpath(*names))
        if file.is_dir() and not slash:
            location = (b"Location", path + b"/" + question + query)
            return error(301, b"This is a folder: its path ends with a slash.", location)
        if file.is_dir():
            if not (file / "index.html").exists():
                return error(403, b"This folder has no index.html.")
            file = self._within_root(file / "index.html")
        elif slash:
            raise NotADirectoryError(file)
        return self._respond(file, request)

    def _within_root(self, path: Path) -> Path:
        """Follow all ``..`` and symbolic links, and see that they have not left the root."""
        real = Path(os.path.realpath(path, strict=True))
        if not real.is_relative_to(self._root):
            raise ValueError(f"{real} is not below {self._root}")
        return real

    def _respond(self, file: Path, request: Request) -> Response:
        """Return the response with a file, unless the client has it already."""
        if not file.is_file():
            raise ValueError(f"{file} is a folder or a device")
        status = file.stat()
        now, modified = int(self._clock.seconds()), int(status.st_mtime)
        since = parse_date(request.header(b"If-Modified-Since"))
        if request.method == b"GET" and since is not None and modified <= since <= now:
            return Response(304)
        headers = [
            (b"Content-Type", TYPES.get(file.suffix.lower(), b"application/octet-stream")),
            (b"Last-Modified", formatdate(min(modified, now), usegmt=True).encode()),
        ]
        return Response(200, headers, FileBody(self._open(file), status.st_size))


def name_of(segment: bytes) -> str:
    """Decode one segment of a path, once; it must be the name of a file or folder."""
    name = unquote_to_bytes(segment).decode()
    if BAD_ESCAPE.search(segment) or not NAME.fullmatch(name):
        raise ValueError(f"{segment!r} is no name")
    return name


def parse_date(value: bytes | None) -> int | None:
    """Return the seconds since 1970 that a date means, or ``None`` if it is no date."""
    for form in DATES:
        try:
            return calendar.timegm(time.strptime((value or b"").decode("ascii"), form))
        except ValueError:
            pass
    return None


def error(status: int, explanation: bytes, *headers: tuple[bytes, bytes]) -> Response:
    """Return a response that says why there is no file."""
    return Response(status, [*headers, (b"Content-Type", b"text/plain")], explanation + b"\n")
