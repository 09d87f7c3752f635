"""A handler that serves the files of a folder (RFC 1945, sections 5.1.2, 10 and 12.5).

A path becomes the name of a file in three steps, and each refuses what it does not
know: the target is split at its slashes, each segment is decoded and must be a plain
name, and the names are followed from the root, one by one.  So no spelling leads out.

There is no Cache-Control, no ETag and no compression: Last-Modified is what HTTP/1.0 has
to say that a file has changed.  An ETag would be no better, as it could be made of
nothing but the same time and the size.
"""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from html import escape
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import BinaryIO, Final, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from .dates import format_http_date, parse_http_date
from .listing import Entry, Listings
from .request import Request
from .response import Response, text_response

SMALL: Final = 60 * 1024
"""Up to so many bytes are read at once, and the file is closed: no descriptor is held."""

_TYPES: Final = {
    end: content_type.encode("ascii")
    for content_type, ends in {
        "text/html; charset=utf-8": "html htm",
        "text/css; charset=utf-8": "css",
        "text/javascript; charset=utf-8": "js mjs",
        "text/markdown; charset=utf-8": "md",
        "text/csv; charset=utf-8": "csv",
        "text/plain; charset=utf-8": "txt text log py c h rst ini cfg toml yaml yml sh diff",
        "application/json": "json map",
        "application/manifest+json": "webmanifest",
        "application/xml": "xml xsl",
        "application/atom+xml": "atom",
        "application/rss+xml": "rss",
        "application/pdf": "pdf",
        "application/wasm": "wasm",
        "application/zip": "zip",
        "application/gzip": "gz tgz",
        "application/x-tar": "tar",
        "image/svg+xml": "svg",
        "image/png": "png",
        "image/jpeg": "jpg jpeg",
        "image/gif": "gif",
        "image/webp": "webp",
        "image/avif": "avif",
        "image/bmp": "bmp",
        "image/x-icon": "ico",
        "font/woff": "woff",
        "font/woff2": "woff2",
        "font/ttf": "ttf",
        "font/otf": "otf",
        "video/mp4": "mp4 m4v",
        "video/webm": "webm",
        "video/quicktime": "mov",
        "audio/mpeg": "mp3",
        "audio/mp4": "m4a",
        "audio/ogg": "ogg oga opus",
        "audio/wav": "wav",
        "audio/flac": "flac",
        "text/vtt; charset=utf-8": "vtt",
    }.items()
    for end in ends.split()
}
_UNKNOWN: Final = b"application/octet-stream"

_ABSOLUTE = re.compile(rb"https?://[^/]*", re.IGNORECASE)
_ESCAPED = re.compile(rb"(?:[^%]|%[0-9A-Fa-f]{2})*")

# One name.  No segment that begins with a dot is served, so "." and ".." are not, nor
# is .git; but RFC 8615 has made one exception.
_NAME = re.compile(rb"(?!\.)[^\x00-\x1f\x7f/\\]+|\.well-known")

# What means something else than a file's name to Windows: a drive or a stream (a colon), a
# pattern, a device, another spelling of a name (a dot or a space at its end, PROGRA~1).
_NAME_ON_WINDOWS = re.compile(
    rb"(?!(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)(?:[0-9]|\xc2[\xb9\xb2\xb3]))"
    rb"[ ]*(?:\.|\Z))"
    rb'(?!.*~[0-9])[^<>:"|?*]*[^<>:"|?*. ]',
    re.IGNORECASE,
)

_UNSAFE_IN_LOCATION = re.compile(rb'[^!-~]|["<>\\^`{|}]')
_RANGE = re.compile(rb"bytes=([0-9]*)-([0-9]*)", re.IGNORECASE)

_NO_SUCH_FILE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ, errno.EINVAL}
)
"""The errors that say that no file has this name; EILSEQ and EINVAL: that none can have it."""

_NO_SENDFILE: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK})
"""The errors that say that sendfile cannot be used here."""

_PLAIN_FILES: Final = frozenset({io.FileIO, io.BufferedReader})
"""What reads just the bytes that the system has; others may make something else of them."""

# O_NONBLOCK: a FIFO, put in the place of the file just now, shall not make everybody wait.
_OPEN_FLAGS: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ_FLAGS: Final = (
    _OPEN_FLAGS
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOINHERIT", 0)
    | getattr(os, "O_BINARY", 0)
)
_REPARSE_POINT: Final = 0x400  # Windows has other links than symbolic ones


class _NotServed(Exception):
    """It may be there or not, but it is not served."""


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; follow no symbolic link, and wait for nobody."""
    return cast(BinaryIO, io.FileIO(path, "rb", opener=_open))


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | _OPEN_FLAGS)


def _read_small(path: str) -> tuple[bytes, os.stat_result] | None:
    """Read a small file, in half the time that a file object takes.

    :returns: its content and its status; ``None`` if it is large now.
    """
    descriptor = os.open(path, os.O_RDONLY | _READ_FLAGS)
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):  # it has taken the file's place just now
            raise _NotServed
        return (os.read(descriptor, SMALL), status) if status.st_size <= SMALL else None
    finally:
        os.close(descriptor)


class FileBody:
    """The body of a response: so many bytes of an open file.

    :param file: it stands where the bytes begin.
    :param size: how many there are.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._left = size
        self._offset: int | None = None  # where it stands, once send_to was called

    def read(self, limit: int) -> bytes:
        """Return the next bytes, at most ``limit`` of them; none at the end.

        :raises OSError: if the file cannot be read.
        """
        piece = self._file.read(min(limit, self._left))
        self._left -= len(piece)
        return piece

    def send_to(self, socket: int, limit: int) -> int:
        """Let the system send the next bytes to a socket: none comes through this process.

        :param socket: its descriptor.
        :returns: how many it took, at most ``limit``; 0 if it takes none now.
        :raises io.UnsupportedOperation: if this system, or this file, cannot do that.
        :raises OSError: if there are no more bytes, or they cannot be read.
        """
        if not hasattr(os, "sendfile") or type(self._file) not in _PLAIN_FILES:
            raise io.UnsupportedOperation("The system cannot send this.")
        if self._offset is None:
            self._offset = self._file.tell()
        try:
            sent = os.sendfile(socket, self._file.fileno(), self._offset, min(limit, self._left))
        except (BlockingIOError, ConnectionError, TimeoutError):
            return 0  # if it is broken, the transport finds out: it sends, too, before it asks
        except OSError as error:
            if error.errno == errno.ENOTCONN:
                return 0
            if error.errno in _NO_SENDFILE:
                self._file.seek(self._offset)
                raise io.UnsupportedOperation(str(error)) from error
            raise
        if not sent:
            raise OSError("The file has shrunk.")
        self._offset += sent
        self._left -= sent
        return sent

    def close(self) -> None:
        """Close the file, if it is not closed yet."""
        self._file.close()


class FileHandler:
    """A handler that answers with the files below ``root``.

    A symbolic link is followed if it leads to something below the root, else it is not
    there.  What begins with a dot is not there either, but ``.well-known``.

    :param root: the folder that is served.
    :param clock: what tells the time: ``clock.seconds()``; the reactor, unless a test
        hands in another.
    :param open_file: what opens a file, for reading.  All files are opened through it.
    :param listing: whether a folder without ``index.html`` is listed; else it is 403.
    """

    log = Logger()

    def __init__(
        self,
        root: Path,
        clock: IReactorTime | None = None,
        open_file: Callable[[Path], BinaryIO] = open_file,
        listing: bool = False,
    ) -> None:
        if clock is None:
            from twisted.internet import reactor  # only now: importing it installs it

            clock = cast(IReactorTime, reactor)
        self._clock = clock
        self._open_file = open_file
        self._listings = Listings(clock) if listing else None
        self._root = os.path.realpath(root)
        self._inside = os.path.join(self._root, "")  # noqa: PTH118 - with a separator at its end

    def __call__(self, request: Request) -> Response | Deferred[Response]:
        """Return the response with the file that ``request.target`` names, or with an error.

        The page that lists a large folder is made in several turns of the reactor: then it
        is a Deferred.
        """
        if request.method not in (b"GET", b"HEAD"):
            return _with(
                (b"Allow", b"GET, HEAD"), text_response(405, "A file can be read: GET or HEAD.")
            )
        try:
            answer = self._answer(request)
        except Exception as error:
            return self._refuse(request, error)
        if isinstance(answer, Deferred):
            return answer.addErrback(self._failed, request)
        return answer

    def _failed(self, failure: Failure, request: Request) -> Response:
        """Return the response that says why there is no page of a large folder."""
        return self._refuse(request, cast(BaseException, failure.value))

    def _refuse(self, request: Request, error: BaseException) -> Response:
        """Return the response that says why there is no file.

        :raises BaseException: the error itself, if it has nothing to do with files.
        """
        if isinstance(error, PermissionError):
            return text_response(403, "This may not be read.")
        # ValueError: a name that this system cannot write.
        if isinstance(error, (_NotServed, FileNotFoundError, NotADirectoryError, ValueError)) or (
            isinstance(error, OSError) and error.errno in _NO_SUCH_FILE
        ):
            return text_response(404, "There is no such file.")
        if isinstance(error, OSError):
            self.log.warn("cannot read {target!r}: {error}", target=request.target, error=error)
            return text_response(503, "The file cannot be read now.")
        raise error

    def _answer(self, request: Request) -> Response | Deferred[Response]:
        """Return the response for the file or the folder that the target names."""
        parse = _parse_short_target if len(request.target) <= 200 else parse_target
        path, query, (*folders, last) = parse(request.target)
        found, status = self._root, None
        for name in folders:
            found, status = self._follow(found, name)
        if last:
            found, status = self._follow(found, last)
            if S_ISDIR(status.st_mode):
                return _redirect(path + b"/" + query)
            return self._serve(request, found, status, last)
        # A path with a slash at its end is that of a folder.
        if not S_ISDIR((status or os.lstat(found)).st_mode):
            raise _NotServed
        try:
            index, status = self._follow(found, "index.html")
        except FileNotFoundError:
            if self._listings is None:
                return text_response(403, "This folder has no index.html.")
            title = os.fsdecode(unquote_to_bytes(path))
            return self._listings.respond(title, lambda: self._entries(found))
        return self._serve(request, index, status, "index.html")

    def _follow(self, folder: str, name: str) -> tuple[str, os.stat_result]:
        """Go one step down; if it is a link, go where it leads, if that is below the root.

        :param folder: a path without links in it.
        :returns: another one, and its status.
        :raises OSError: if there is nothing.
        """
        # This is all that keeps a file in the root, and it is done for each request anew:
        # one lstat for each name, where realpath needs one for each of the root's, too.
        # Who may write into the root, and is quick, can put a link in a folder's place after
        # that: nobody should who may not read all that the server may.
        path = f"{folder}{os.sep}{name}" if folder != self._inside else folder + name
        status = os.lstat(path)
        if _is_link(status):
            path = os.path.realpath(path)
            if path != self._root and not path.startswith(self._inside):
                raise _NotServed
            status = os.lstat(path)
            if S_ISLNK(status.st_mode):  # it leads to itself
                raise _NotServed
        return path, status

    def _serve(self, request: Request, path: str, status: os.stat_result, name: str) -> Response:
        """Return the response with a file, unless it is none that can be read to its end.

        :param name: the last segment of the path, which says the file's type.
        """
        if not S_ISREG(status.st_mode):  # a FIFO or a device
            raise _NotServed
        if self._open_file is open_file and status.st_size <= SMALL:
            small = _read_small(path)
            if small is not None:
                return self._respond(request, io.BytesIO(small[0]), small[1], name)
        file = self._open_file(_path(path))
        response = None
        try:
            try:
                status = os.fstat(file.fileno())
            except (AttributeError, io.UnsupportedOperation):
                pass  # what a test opens may be no file of the system's
            else:
                if not S_ISREG(status.st_mode):  # it has taken the file's place just now
                    raise _NotServed
            response = self._respond(request, file, status, name)
        finally:
            # Of a HEAD's body the size is all that is needed.
            is_open = response is not None and isinstance(response.body, FileBody)
            if not is_open or request.method == b"HEAD":
                file.close()
        return response

    def _respond(
        self, request: Request, file: BinaryIO, status: os.stat_result, name: str
    ) -> Response:
        """Return the response with an open file, or a part of it; or that it is unchanged."""
        size, now = status.st_size, int(self._clock.seconds())
        changed = max(status.st_mtime_ns // 10**9, 0)
        last_modified = min(changed, now)
        headers = [
            (b"Last-Modified", format_http_date(last_modified)),
            (b"Content-Type", content_type(name)),
        ]
        code, part = 200, None
        if request.method == b"GET":
            since = request.header(b"If-Modified-Since")
            # Beside If-None-Match it does not count (RFC 9110, section 13.1.3); and that
            # never matches, as no file has an ETag.
            if since is not None and request.header(b"If-None-Match") is None:
                date = parse_http_date(since, now)
                if date is not None and changed <= date <= now:
                    return Response(304)
            part = _wanted_range(request, size, status.st_mtime_ns, now)
        if part is None:
            part = range(size)
            headers.append((b"Accept-Ranges", b"bytes"))
        elif not part:
            refusal = text_response(416, f"The file has {size} bytes.")
            return _with((b"Content-Range", b"bytes */%d" % size), refusal)
        else:
            code = 206
            file.seek(part.start)
            content_range = b"bytes %d-%d/%d" % (part.start, part.stop - 1, size)
            headers.append((b"Content-Range", content_range))
        body = FileBody(file, len(part))
        if body.size > SMALL or request.method == b"HEAD":
            return Response(code, headers, body)
        data = body.read(SMALL)
        while len(data) < body.size and (more := body.read(SMALL)):
            data += more
        if code == 206 and len(data) < body.size:
            raise OSError("The file has shrunk.")  # Content-Range has promised what is not there
        return Response(code, headers, data)

    def _entries(self, folder: str) -> Iterator[Entry | None]:
        """Yield an entry for each name in a folder: ``None`` for what cannot be asked for."""
        for path_below in Path(folder).iterdir():
            name = path_below.name
            try:
                _, status = self._follow(folder, plain_name(os.fsencode(name)))
            except (_NotServed, OSError, ValueError):
                yield None
                continue
            is_folder = S_ISDIR(status.st_mode)
            if is_folder or S_ISREG(status.st_mode):
                yield Entry(name, is_folder, status.st_size, status.st_mtime)
            else:
                yield None


def _redirect(target: bytes) -> Response:
    """Send the client to the path with a slash, so that a page's relative links work.

    The Location is a path alone (RFC 9110, section 10.2.2): behind a proxy only the client
    knows by which scheme, host and port it has come.
    """
    location = _UNSAFE_IN_LOCATION.sub(lambda odd: b"%%%02X" % odd[0][0], target)
    link = escape(location.decode("ascii"))
    page = f'<!DOCTYPE html>\n<title>301</title>\n<p>It is at <a href="{link}">{link}</a>.</p>\n'
    headers = [(b"Location", location), (b"Content-Type", b"text/html; charset=utf-8")]
    return Response(301, headers, page.encode("ascii"))


def parse_target(target: bytes) -> tuple[bytes, bytes, tuple[str, ...]]:
    """Return what a Request-URI consists of (RFC 1945, section 5.1.2).

    The authority of an absolute URI is not looked at (RFC 9112, section 3.2.2).

    :returns: the path, not decoded; the query with its ``?``; and the path's names.
        The last of them is empty if the path has a slash at its end.
    """
    absolute = _ABSOLUTE.match(target)
    if absolute:
        target = target[absolute.end() :]
    path, question, query = target.partition(b"?")
    if absolute and not path:
        path = b"/"
    if not path.startswith(b"/"):
        raise _NotServed
    *folders, last = path[1:].split(b"/")
    names = [*map(name_of, folders), name_of(last) if last else ""]
    return path, question + query, tuple(names)


# Both depend on nothing but what they are called with, and that comes again and again.
# A long target would take much memory, so it is parsed each time.
_parse_short_target = lru_cache(maxsize=512)(parse_target)
_path = lru_cache(maxsize=512)(Path)


def name_of(segment: bytes) -> str:
    """Decode one segment of a path, once (RFC 1945, section 5.1.2); it must be a plain name.

    :returns: the name as :func:`os.fsdecode` has it.
    :raises UnicodeDecodeError: if it is not UTF-8, on a system where names must be.
    """
    if b"%" in segment:
        if not _ESCAPED.fullmatch(segment):
            raise _NotServed
        segment = unquote_to_bytes(segment)
    return plain_name(segment)


def plain_name(name: bytes) -> str:
    """Decode a name that is served: one that is a name and nothing else, on every system.

    :raises UnicodeDecodeError: if it is not UTF-8, on a system where names must be.
    """
    if not _NAME.fullmatch(name) or (os.name == "nt" and not _NAME_ON_WINDOWS.fullmatch(name)):
        raise _NotServed
    return os.fsdecode(name)


def content_type(name: str) -> bytes:
    """Return the Content-Type of a file by the end of its name, in any case."""
    _, dot, end = name.rpartition(".")
    return _TYPES.get(end.lower(), _UNKNOWN) if dot else _UNKNOWN


def parse_range(value: bytes, size: int) -> range | None:
    """Return the bytes that the value of ``Range`` asks for (RFC 9110, section 14.1.2).

    :param size: how many bytes there are.
    :returns: an empty range if there are no such bytes; ``None`` if it is not one range
        of bytes, which is ignored.
    """
    match = _RANGE.fullmatch(value)
    if match is None:
        return None
    first, last = (digits.lstrip(b"0")[:20] or digits[:1] for digits in match.groups())
    # Python reads no numbers of thousands of digits; 20 are more than any file has bytes.
    if first and last:
        start, stop = int(first), int(last) + 1
        return range(start, min(stop, size)) if start < stop else None
    if first:
        return range(int(first), size)
    if last:
        return range(max(size - int(last), 0), size)
    return None


def _wanted_range(request: Request, size: int, changed: int, now: int) -> range | None:
    """Return the part of the file that is asked for, if its other parts are of the same file.

    :param changed: when the file was changed, in nanoseconds since 1970-01-01 00:00 UTC.
    """
    value = request.header(b"Range")
    if value is None:
        return None
    condition = request.header(b"If-Range")
    if condition is not None:
        # A date says that no byte has changed only if the file did not change twice in that
        # second (RFC 9110, sections 8.8.2.2 and 13.1.5).  That is known only of one that was
        # changed just as the second began, or was given that date.
        date = parse_http_date(condition, now)
        if date is None or date * 10**9 != changed or date >= now:
            return None
    return parse_range(value, size)


def _with(field: tuple[bytes, bytes], response: Response) -> Response:
    return replace(response, headers=[field, *response.headers])


def _is_link(status: os.stat_result) -> bool:
    if S_ISLNK(status.st_mode):
        return True
    return bool(getattr(status, "st_file_attributes", 0) & _REPARSE_POINT)
