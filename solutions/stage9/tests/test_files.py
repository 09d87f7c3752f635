"""Stage 9: serve files. These are the tests of the solution.

They are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage9``
"""

from __future__ import annotations

import gc
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.files import FileHandler, open_file
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
LARGE = bytes(range(256)) * 4096
PIECE = 256 * 1024  # bytes, the largest piece

IDLE, REQUEST, CLOSE = 10, 30, 20  # seconds, the timeouts

Answer = tuple[int, dict[bytes, bytes], bytes]
"""Status, header fields, by their names in lower case, and body."""


class EagerTransport(StrictTransport):
    """It asks a pull producer for pieces when it is registered, as a socket does for the first."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        while not streaming and self.producer is producer:
            producer.resumeProducing()


class HastyTransport(EagerTransport):
    """It loses the connection before ``loseConnection`` returns, as soon as all is sent."""

    protocol: HTTPChannel

    def loseConnection(self) -> None:
        super().loseConnection()
        self._leave()

    def unregisterProducer(self) -> None:
        super().unregisterProducer()
        self._leave()

    def _leave(self) -> None:
        if self.state == "closing" and self.producer is None:
            self.lose(self.protocol)


class FileTests(TestCase):
    """What a folder with files looks like from the other end of the wire."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).resolve() / "root"
        self.root.mkdir(parents=True)
        self.clock = Clock()
        self.clock.advance(NOW)
        self.opened: list[BinaryIO] = []
        self.errors: dict[str, OSError] = {}  # what is raised in place of opening a file

    def open(self, path: Path) -> BinaryIO:
        """Open a file, and remember it."""
        if path.name in self.errors:
            raise self.errors[path.name]
        self.opened.append(open_file(path))
        return self.opened[-1]

    def factory(self) -> HTTPFactory:
        """Return a server of the folder."""
        handler = FileHandler(self.root, self.clock, self.open)
        return HTTPFactory(handler, self.clock, IDLE, REQUEST, CLOSE)

    def connect(
        self,
        factory: HTTPFactory | None = None,
        transport_class: type[StrictTransport] = StrictTransport,
    ) -> tuple[HTTPChannel, Any]:
        """Connect to a server, or to one of the folder."""
        channel = (factory or self.factory()).buildProtocol(None)
        transport = transport_class(self)
        channel.makeConnection(transport)
        return channel, transport

    def begin(self, target: str = "/large") -> tuple[HTTPChannel, Any]:
        """Connect and ask for a large file; no piece of it has been asked for."""
        channel, transport = self.connect()
        channel.dataReceived(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        if transport.producer is None:
            self.fail(f"sent GET {target}: no producer is registered, {transport.value()[:99]!r}")
        return channel, transport

    def read_all(self, transport: Any) -> bytes:
        """Ask for pieces until there are no more, as a transport does whose client reads."""
        for _ in range(1000):
            if transport.producer is None:
                return bytes(transport.value())
            transport.producer.resumeProducing()
        self.fail("the producer has written a thousand pieces, and is not unregistered")

    def ask(self, request: bytes, factory: HTTPFactory | None = None) -> bytes:
        """Send a request, read all and return the answer."""
        channel, transport = self.connect(factory)
        try:
            channel.dataReceived(request)
            answer = self.read_all(transport)
        except Exception as error:
            raise AssertionError(f"sent {request!r}, and {error!r} was raised") from error
        self.assertEqual(transport.state, "closing", f"sent {request!r}, actual {answer[:200]!r}")
        return answer

    def get(
        self, target: str, *fields: str, method: str = "GET", factory: HTTPFactory | None = None
    ) -> Answer:
        """Ask for a target; return the status, the header fields and the body."""
        lines = [f"{method} {target} HTTP/1.0", *fields, "", ""]
        answer = self.ask("\r\n".join(lines).encode("latin-1"), factory)
        head, _, body = answer.partition(b"\r\n\r\n")
        status_line, *rest = head.split(b"\r\n")
        if not status_line.startswith(b"HTTP/1.0 ") or any(b":" not in line for line in rest):
            self.fail(f"sent {lines}, expected a response, actual {answer[:200]!r}")
        headers: dict[bytes, bytes] = {}
        for line in rest:
            name, _, value = line.partition(b":")
            before = headers.get(name.lower())
            headers[name.lower()] = value.strip() if before is None else before + b", " + value
        return int(status_line[9:12]), headers, body

    def assert_statuses(self, expected: dict[str, int]) -> None:
        """See that each target is answered with its status."""
        actual = {target: self.get(target)[0] for target in expected}
        wrong = {
            target: f"expected {status}, actual {actual[target]}"
            for target, status in expected.items()
            if actual[target] != status
        }
        self.assertEqual(wrong, {})

    def go_west(self) -> None:
        """Let the system be five hours behind Greenwich, if it can be told so."""
        if hasattr(time, "tzset"):
            self.addCleanup(time.tzset)  # the last one is the first to be called
            before = os.environ.get("TZ")
            self.addCleanup(
                lambda: os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
            )
            os.environ["TZ"] = "EST5"
            time.tzset()

    def write(self, name: str, data: bytes = b"data", changed: float = NOW - 86400) -> Path:
        """Make a file in the root, and the folders that it is in."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (changed, changed))
        return path

    def link(self, name: str, to: Path) -> None:
        """Make a symbolic link in the root."""
        try:
            (self.root / name).symlink_to(to, target_is_directory=to.is_dir())
        except OSError as error:  # Windows does not let everybody
            raise SkipTest(f"no symbolic links here: {error}") from error

    def test_file(self) -> None:
        """A file is answered with 200, its bytes, and its size in Content-Length."""
        for data in (
            b"\r\n\x00\xff not text at all \x1a\r\n\r\n",
            b"data",
            b"1\n2\r3",
            b"\xef\xbb\xbf",
        ):
            self.write("folder/a", data)
            status, headers, body = self.get("/folder/a")
            self.assertEqual((status, body), (200, data))
            self.assertEqual(headers.get(b"content-length"), b"%d" % len(data), repr(data))

    def test_empty_file(self) -> None:
        """So is a file with nothing in it."""
        self.write("empty", b"")
        status, headers, body = self.get("/empty")
        self.assertEqual((status, headers.get(b"content-length"), body), (200, b"0", b""))

    def test_sizes(self) -> None:
        """So is a file of any size, near those at which pieces end."""
        for size in (1, 60 * 1024, 64 * 1024, 128 * 1024, PIECE, 3 * PIECE):
            for more in (-1, 0, 1):
                data = (LARGE * 2)[: size + more]
                self.write("a", data)
                status, headers, body = self.get("/a")
                actual = (status, headers.get(b"content-length"), len(body), body == data)
                self.assertEqual(actual, (200, b"%d" % len(data), len(data), True))

    def test_default(self) -> None:
        """Without ``open_file`` it opens the files itself."""
        self.write("a")
        factory = HTTPFactory(FileHandler(self.root, self.clock), self.clock)
        status, _, body = self.get("/a", factory=factory)
        self.assertEqual((status, body), (200, b"data"), "sent GET /a")

    def test_changed_file(self) -> None:
        """A file that was changed is answered as it is now, by the same server."""
        self.clock.advance(4e9)  # long after the last change of a file
        factory = self.factory()
        for data in (b"one", b"two, longer", b""):
            self.write("a", data)
            self.assertEqual(self.get("/a", factory=factory)[2], data)
        (self.root / "a").unlink()
        self.assertEqual(self.get("/a", factory=factory)[0], 404, "it was removed")

    def test_content_type(self) -> None:
        """Content-Type goes by the end of the file's name, in any case (RFC 1945, 10.5)."""
        expected = {
            "a.html": b"text/html; charset=utf-8",
            "a.css": b"text/css; charset=utf-8",
            "a.js": b"text/javascript; charset=utf-8",
            "a.txt": b"text/plain; charset=utf-8",
            "a.png": b"image/png",
            "a.jpg": b"image/jpeg",
            "a.HTML": b"text/html; charset=utf-8",
            "a.Png": b"image/png",
            "a.html.jpg": b"image/jpeg",
            "a.txt.css": b"text/css; charset=utf-8",
            "a.b.js": b"text/javascript; charset=utf-8",
            "a.unheard-of": b"application/octet-stream",
            "a.html-": b"application/octet-stream",
            "a.xhtml2": b"application/octet-stream",
            "html": b"application/octet-stream",
            "ahtml": b"application/octet-stream",
            "b.html/c": b"application/octet-stream",
        }
        actual = {}
        for name in expected:
            path = self.write(name)
            actual[name] = self.get(f"/{name}")[1].get(b"content-type")
            path.unlink()  # for some file systems a.html and a.HTML are one name
        self.assertEqual(actual, expected)

    def test_index(self) -> None:
        """A path with a slash at its end is answered with index.html; without that, 403."""
        self.write("folder/index.html", b"<p>index")
        self.write("other/a.html")
        for target in ("/folder/", "/folder/?a=/b"):
            status, headers, body = self.get(target)
            self.assertEqual((status, body), (200, b"<p>index"), target)
            self.assertEqual(headers.get(b"content-type"), b"text/html; charset=utf-8", target)
        self.assert_statuses({"/other/": 403, "/": 403, "/folder/index.html": 200})
        self.write("index.html", b"<p>root")
        self.assertEqual(self.get("/")[2], b"<p>root")

    def test_slash(self) -> None:
        """A folder's path without the slash is redirected, 301, to the one with it; a query stays.

        (RFC 1945, 9.3.)
        """
        self.write("a folder/b/index.html")
        self.write("a folder/c/d.txt")
        expected = {
            "/a%20folder": b"/a%20folder/",
            "/%61%20folder": b"/%61%20folder/",
            "/a%20folder/b": b"/a%20folder/b/",
            "/a%20folder/c": b"/a%20folder/c/",
            "/a%20folder/b?c=d?/e": b"/a%20folder/b/?c=d?/e",
            "/a%20folder/b?c%20d": b"/a%20folder/b/?c%20d",
        }
        actual = {target: self.get(target) for target in expected}
        self.assertEqual(
            {target: answer[1].get(b"location") for target, answer in actual.items()}, expected
        )
        self.assertEqual({answer[0] for answer in actual.values()}, {301})
        status, headers, _ = self.get("//a%20folder")  # "//host/" would lead to another host
        self.assertEqual((status, headers.get(b"location")), (404, None), "GET //a%20folder")

    def test_empty_part(self) -> None:
        """A path with an empty part is 404, and not redirected."""
        self.write("folder/a.txt")
        self.write("folder/index.html")
        self.write("index.html")
        targets = ("//", "///", "//folder", "//folder/", "//folder/a.txt", "/folder//")
        targets += ("/folder//a.txt", "/folder/a.txt//", "//folder?a=b", "/folder///a.txt")
        actual = {target: self.get(target) for target in targets}
        self.assertEqual(
            {target: answer[0] for target, answer in actual.items()}, dict.fromkeys(targets, 404)
        )
        locations = [answer[1].get(b"location") for answer in actual.values()]
        self.assertEqual(locations, len(targets) * [None], targets)

    def test_missing(self) -> None:
        """What is not there is 404, and what may not be opened is 403 (RFC 1945, 9.4)."""
        self.write("folder/a.txt")
        self.write("forbidden.txt")
        self.write("gone.txt")
        self.write("moved.txt")
        self.errors["forbidden.txt"] = PermissionError("not for you")
        self.errors["gone.txt"] = FileNotFoundError("it was there just now")
        self.errors["moved.txt"] = NotADirectoryError("it was there just now")
        missing = ("/b.txt", "/b/a.txt", "/b/", "/folder/a.txt/", "/folder/a.txt/b")
        missing += ("/" + 300 * "a", "/" + 1000 * "a/", "/gone.txt", "/moved.txt", "/folder/a.tx")
        self.assert_statuses({**dict.fromkeys(missing, 404), "/forbidden.txt": 403})
        self.assertEqual(self.flushLoggedErrors(TypeError, AttributeError), [])

    def test_file_that_cannot_be_opened(self) -> None:
        """Whatever goes wrong when a file is opened is no 500, and its reason is not shown."""
        self.write("a.txt")
        expected: dict[type[OSError], tuple[int, ...]] = {
            PermissionError: (403,),
            FileNotFoundError: (404,),
            NotADirectoryError: (404,),
            **dict.fromkeys(
                (IsADirectoryError, BlockingIOError, InterruptedError, OSError), (404, 503)
            ),
        }
        for error, statuses in expected.items():
            self.errors["a.txt"] = error(24, "secret reason", "/secret/a.txt")
            for method in ("GET", "HEAD"):
                status, _, body = self.get("/a.txt", method=method)
                self.assertIn(status, statuses, f"{method}, and open_file raises {error}")
                self.assertNotIn(b"secret", body, f"what {error} says is for the log")
        self.flushLoggedErrors(OSError)  # it may be logged

    def test_error_says_so(self) -> None:
        """An answer without a file has its own length, and nothing of a file's (RFC 1945, 9.4)."""
        self.write("folder/a.txt")
        for target in ("/folder", "/folder/", "/missing"):
            status, headers, body = self.get(target)
            self.assertEqual(headers.get(b"content-length"), b"%d" % len(body), target)
            self.assertEqual(headers.get(b"last-modified"), None, f"{target}: {status}")
        self.assertEqual(self.opened, [])

    def test_percent_decoding(self) -> None:
        """The query is cut off; then %HH is decoded, once, and nothing else (RFC 1945, 5.1.2)."""
        self.write("a b+c.txt", b"1")
        self.write("%41.txt", b"2")
        self.write("A.txt", b"3")
        self.write("\u00e9", b"5")
        self.write("d%zz", b"4")
        self.write("e/f", b"7")
        self.write("1+1=2", b"8")
        self.write("a&b;c=d,e!$'()@~#f", b"6")
        expected = {
            "/a%20b+c.txt": b"1",
            "/%61%20%62+c%2etxt": b"1",
            "/a%20b%2Bc.txt": b"1",
            "/a%20b%2bc.txt": b"1",
            "/a%20b+c.txt?d=%2F": b"1",
            "/A.txt?": b"3",
            "/A.txt?a?b": b"3",
            "/A.txt?/../%zz": b"3",
            "/A.txt?%00": b"3",
            "/%2541.txt": b"2",
            "/%41.txt": b"3",
            "/%c3%A9": b"5",
            "/1+1=2": b"8",
            "/1+1%3d2": b"8",
            "/a&b;c=d,e!$'()@~%23f": b"6",
        }
        self.assertEqual({target: self.get(target)[2] for target in expected}, expected)
        targets = ("/A.txt%3Fb", "/a%20b%20c.txt", "/%252541.txt", "/A.txt&b", "/e%2ff", "/e%2Ff")
        targets += ("/d%zz", "/%", "/%4", "/A.txt%", "/A.txt%00", "/%+41", "/e%5cf", "/%ff")
        self.assert_statuses(dict.fromkeys(targets, 404))

    def test_hex_digits(self) -> None:
        """Both digits of %HH are any of the sixteen, and a letter is of either case."""
        for name in ("\u00ea", "\u00fb", "\u00ef", "\u043d", "\u20ac", "\U0001f60d", "zjklmno"):
            self.write(name)
            digits = "".join(f"%{byte:02x}" for byte in name.encode())
            targets = (f"/{digits}", f"/{digits.upper()}")
            self.assert_statuses(dict.fromkeys(targets, 200))

    def test_what_is_no_escape(self) -> None:
        """A % without two hex digits names nothing: 404 (RFC 1945, 3.2.1)."""
        names = ("d%zz", "d%", "d%4", "d%4g", "d%%41", "d%+1", "d%-1", "d%0x", "d%u0041", "d%_1")
        names += ("d%g0", "d%G0", "d%@0", "d%`0", "d%:0" if os.sep == "/" else "d%~0")
        for name in (*names, "A", "d\x04" if os.sep == "/" else "d4"):
            self.write(name)
        targets = [
            *(f"/{name}" for name in names),
            "/%",
            "/%4",
            "/A%",
            "/A%4",
            "/%+41",
            "/%zz/../A",
        ]
        self.assert_statuses(dict.fromkeys(targets, 404))

    def test_what_is_no_name(self) -> None:
        """A part with a slash, a backslash or a NUL in it, or that is not UTF-8, is 404."""
        self.write("folder/a.txt")
        self.write("folder/index.html")
        self.write("\ufffd")
        if os.sep == "/":
            self.write("folder\\a.txt")
        targets = (
            "/folder%2fa.txt",
            "/folder%2Fa.txt",
            "/%2ffolder/a.txt",
            "/folder/%2f",
            "/folder%2f",
            "/folder\\a.txt",
            "/folder%5ca.txt",
            "/folder%5Ca.txt",
            "/folder/a.txt%00",
            "/folder/a.txt%00.html",
            "/folder%00/a.txt",
            "/%00",
            "/folder/%00/",
            "/%ff",
            "/folder/a.txt%ff",
            "/%c3",
            "/%ed%a0%80",
            "/folder%c0%afa.txt",
        )
        self.assert_statuses(dict.fromkeys(targets, 404))

    def test_climbing(self) -> None:
        """However it is spelled, a path that leaves the root is 404 (RFC 1945, 12.5)."""
        self.write("a/b")
        self.write("../secret", b"secret")
        self.write("../root-2/secret", b"secret")
        self.write("../root-2/index.html", b"secret")
        secret = (self.root.parent / "secret").resolve().as_posix()
        targets = [
            "/../secret",
            "/..",
            "/../",
            "/a/../..",
            "/a/../../",
            "/../?a",
            "/a/../../secret",
            "/a/../a/../../secret",
            "/./../secret",
            "/..../../secret",
            "/missing/../../secret",
            "/%2e%2e/secret",
            "/%2e%2e",
            "/%2E%2E/",
            "/.%2E/secret",
            "/%2e./secret",
            "/a/%2e%2e/%2e%2e/secret",
            "/..%2fsecret",
            "/%2e%2e%2fsecret",
            "/a%2f..%2f..%2fsecret",
            "/%252e%252e/secret",
            "/%252e%252e%252fsecret",
            "/..\\secret",
            "/..%5csecret",
            "/a/..%5c..%5csecret",
            "/%c0%ae%c0%ae/secret",
            "/../root-2",
            "/../root-2/",
            "/../root-2/secret",
            "/%2e%2e/root-2/secret",
            "/a/../../root-2/secret",
            "/..%2froot-2%2fsecret",
            f"/{secret}",
            f"//{secret}",
            "/" + secret.replace("/", "%2f"),
            "/../secret%00",
            "/../secret/",
            "/..;/secret",
        ]
        actual = {target: self.get(target) for target in targets}
        outside = {target: answer for target, answer in actual.items() if answer[0] != 404}
        self.assertEqual(outside, {}, "all of them are 404")
        self.assertEqual(self.opened, [], "nothing out there is opened")

    def test_symbolic_link(self) -> None:
        """A symbolic link out of the root is 404; one that stays in it is followed."""
        inside = self.write("folder/a.txt", b"inside")
        outside = self.write("../secret/index.html", b"secret")
        self.write("../root-2/secret", b"secret")
        self.link("file-in", inside)
        self.link("folder-in", inside.parent)
        self.link("relative-in", Path("folder") / "a.txt")
        self.link("file-out", outside)
        self.link("relative-out", Path("..") / "secret" / "index.html")
        self.link("folder-out", outside.parent)
        self.link("sibling", self.root.parent / "root-2")
        self.link("parent", self.root.parent)
        self.link("folder/index.html", outside)
        self.link("nowhere", self.root / "not-there")
        self.link("loop", self.root / "loop")
        targets = ("/file-in", "/folder-in/a.txt", "/relative-in")
        actual = {target: self.get(target)[2] for target in targets}
        self.assertEqual(actual, dict.fromkeys(targets, b"inside"))
        targets = ("/file-out", "/relative-out", "/folder-out", "/folder-out/", "/nowhere", "/loop")
        targets += ("/folder-out/index.html", "/sibling/secret", "/parent/secret/index.html")
        targets += ("/folder-in/index.html", "/loop/a.txt", "/folder-out/missing")
        self.assert_statuses(dict.fromkeys(targets, 404))
        self.assertNotIn(b"secret", self.get("/folder/")[2])

    def test_root_is_a_link(self) -> None:
        """The root itself may be reached by a symbolic link, or be a relative path."""
        self.write("a", b"inside")
        self.link("../link", self.root)
        for root in (self.root.parent / "link", self.root / ".", Path(os.path.relpath(self.root))):
            self.root = root
            self.assertEqual(self.get("/a")[2], b"inside", f"the root is {root}")

    def test_last_modified(self) -> None:
        """Last-Modified says when the file was changed; never later than now (RFC 1945, 10.10)."""
        self.go_west()
        expected = {
            NOW - 86400: b"Sat, 05 Nov 1994 08:49:37 GMT",
            NOW - 0.25: b"Sun, 06 Nov 1994 08:49:36 GMT",  # whole seconds
            NOW: b"Sun, 06 Nov 1994 08:49:37 GMT",
            NOW + 0.75: b"Sun, 06 Nov 1994 08:49:37 GMT",
            NOW + 86400: b"Sun, 06 Nov 1994 08:49:37 GMT",
            86400 * 181: b"Wed, 01 Jul 1970 00:00:00 GMT",
        }
        actual = {}
        for changed in expected:
            self.write("a", changed=changed)
            actual[changed] = self.get("/a")[1].get(b"last-modified")
        self.assertEqual(actual, expected)
        self.clock.advance(0.9999999)
        self.write("a", changed=NOW + 86400)
        soon = self.get("/a")[1].get(b"last-modified")
        self.assertEqual(soon, expected[NOW], "the next second has not begun")

    def test_date(self) -> None:
        """Date is the time of the answer, small or large (RFC 1945, 10.6)."""
        self.write("a", changed=NOW - 7)
        self.write("large", LARGE, changed=NOW - 7)
        for target in ("/a", "/large", "/missing"):
            factory = self.factory()
            self.clock.advance(1)
            expected = f"Sun, 06 Nov 1994 08:49:{37 + int(self.clock.seconds()) - NOW} GMT".encode()
            self.assertEqual(self.get(target, factory=factory)[1].get(b"date"), expected, target)

    def test_not_modified(self) -> None:
        """If-Modified-Since, in each of three formats: 304 without a body, or 200 if changed.

        (RFC 1945, 3.3 and 10.9.)
        """
        self.go_west()
        formats = {
            "RFC 1123": "Sat, 05 Nov 1994 08:49:37 GMT",
            "RFC 850": "Saturday, 05-Nov-94 08:49:37 GMT",
            "asctime": "Sat Nov  5 08:49:37 1994",
        }
        answers = {True: (304, b""), False: (200, b"data")}
        for name, date in formats.items():
            for changed in (-86400 * 365, -3600, -1, 0, 0.75, 1, 60, 3600):
                self.write("a", changed=NOW - 86400 + changed)
                status, _, body = self.get("/a", f"If-Modified-Since: {date}")
                expected = answers[changed < 1]  # HTTP knows whole seconds alone
                self.assertEqual((status, body), expected, f"{name}, changed {changed} s after it")

    def test_not_modified_after_an_answer(self) -> None:
        """The date that Last-Modified said is one with which it is 304."""
        for target in ("/a", "/folder/", "/large"):
            for name in ("a", "folder/index.html", "large"):
                self.write(name, LARGE if name == "large" else b"data", changed=NOW - 0.5)
            date = self.get(target)[1].get(b"last-modified", b"").decode()
            status, headers, body = self.get(target, f"if-modified-since: {date}")
            self.assertEqual((status, body), (304, b""), f"{target}, since {date!r}")
            self.assertEqual(headers.get(b"content-length"), None, target)  # stage 2 says so

    def test_date_that_does_not_count(self) -> None:
        """A date that is none, or later than now, is ignored: 200 (RFC 1945, 10.9)."""
        self.write("a")
        dates = [
            "",
            "0",
            "-1",
            "yesterday",
            "784111777",
            "1994-11-06T08:49:37Z",
            "Sat, 05 Nov 1994 25:49:37 GMT",
            "Sat, 05 Nov 1994 08:60:37 GMT",
            "Sat, 32 Nov 1994 08:49:37 GMT",
            "Sat, 31 Nov 1994 08:49:37 GMT",
            "Sat, 05 Nov 99999 08:49:37 GMT",
            "Sat, 05 Nov 1994 08:49:37",
            "Sat, 05 Nov 1994 08:49:37 GMT+1",
            "Sat, 05 Nov 1994 08:49:37 +0000",
            "Saturday, 05-Nov-94 08:49:37 GMT 1994",
            "Sat Nov  5 08:49:37 1994 GMT",
            "on Sat, 05 Nov 1994 08:49:37 GMT",
            "Sat, 05 Nov 1994",
            "S\xe4t, 05 Nov 1994 08:49:37 GMT",
            "Sat, 05 Nov 1994 08:4\u0669:37 GMT".encode().decode("latin-1"),  # an Arabic nine
            "Sun, 06 Nov 1994 08:49:38 GMT",
            "Sunday, 06-Nov-94 08:49:38 GMT",
            "Sun Nov  6 08:49:38 1994",
            "Mon, 07 Nov 1994 08:49:37 GMT",
            "Tue, 06 Nov 2096 08:49:37 GMT",
        ]
        actual = {date: self.get("/a", f"If-Modified-Since: {date}")[::2] for date in dates}
        self.assertEqual(actual, dict.fromkeys(dates, (200, b"data")))
        now = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
        self.assertEqual(self.get("/a", now)[0], 304, "now is not later than now")
        self.clock.advance(0.75)
        soon = "If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT"
        self.assertEqual(self.get("/a", soon)[0], 200, "a quarter of a second later than now")

    def test_condition_on_what_is_not_there(self) -> None:
        """If-Modified-Since makes a 304 of nothing but a 200 (RFC 1945, 10.9)."""
        self.write("folder/a")
        self.write("forbidden")
        self.errors["forbidden"] = PermissionError("not for you")
        date = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
        expected = {"/missing": 404, "/folder/": 403, "/folder": 301, "/../a": 404}
        self.assertEqual({target: self.get(target, date)[0] for target in expected}, expected)
        status = self.get("/folder/a", date, "Content-Length: 0", method="POST")[0]
        self.assertEqual(status, 405, f"sent POST, {date}")

    def test_methods(self) -> None:
        """HEAD has the same header fields and no body; POST is 405, with Allow (RFC 1945, 8.2)."""
        self.write("folder/a.txt", LARGE)
        self.write("small.html", b"<p>small")
        self.write("forbidden.txt")
        self.errors["forbidden.txt"] = PermissionError("not for you")
        for target in (
            "/folder/a.txt",
            "/small.html",
            "/folder",
            "/folder/",
            "/missing",
            "/forbidden.txt",
        ):
            status, headers, _ = self.get(target)
            self.assertEqual(self.get(target, method="HEAD"), (status, headers, b""), target)
        for target in ("/folder/a.txt", "/small.html", "/folder", "/missing"):
            status, headers, _ = self.get(target, "Content-Length: 0", method="POST")
            actual = (status, headers.get(b"allow"), headers.get(b"location"))
            self.assertEqual(actual, (405, b"GET, HEAD", None), f"POST {target}")
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])

    def test_large_file(self) -> None:
        """A large file is written piece by piece, one when the transport asks for it."""
        self.write("large", LARGE)
        _, transport = self.begin()
        self.assertFalse(transport.streaming, "it is a pull producer: registered with False")
        written = [0]
        while transport.producer is not None and len(written) < 1000:
            written.append(len(transport.value()))
            transport.producer.resumeProducing()
        pieces = [after - before for before, after in pairwise(written)]
        self.assertLess(pieces[0], 66 * 1024, "bytes written before the transport has asked")
        self.assertLess(max(pieces), PIECE + 1, f"bytes in the largest piece of {pieces}")
        body = transport.value().partition(b"\r\n\r\n")[2]
        self.assertEqual((len(body), body == LARGE), (len(LARGE), True), "all is sent, as it is")
        self.assertEqual(transport.state, "closing", "when all is sent")
        gc.collect()  # a failure that nobody handles is logged now, and Trial sees it

    def test_memory(self) -> None:
        """No more of a large file is read than a piece more than has been written."""
        self.write("large", LARGE)
        _, transport = self.begin()
        while transport.producer is not None:
            file, written = self.opened[-1], len(transport.value())
            if len(LARGE) > written:
                self.assertFalse(file.closed, f"closed when {written} bytes were written")
                self.assertLess(file.tell(), written + PIECE + 1, "bytes read of the file")
            transport.producer.resumeProducing()

    def test_transport_that_asks_at_once(self) -> None:
        """A transport may ask for pieces before ``registerProducer`` returns."""
        for data in (LARGE, LARGE[:70000]):
            self.write("large", data)
            channel, transport = self.connect(transport_class=EagerTransport)
            channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
            body = transport.value().partition(b"\r\n\r\n")[2]
            actual = (len(body), body == data, transport.state, self.opened[-1].closed)
            self.assertEqual(actual, (len(data), True, "closing", True))

    def test_lost_when_all_is_sent(self) -> None:
        """The connection may be lost before ``loseConnection`` returns: no timer is left."""
        self.write("large", LARGE)
        channel, transport = self.connect(transport_class=HastyTransport)
        transport.protocol = channel
        channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
        self.assertEqual((transport.state, self.clock.getDelayedCalls()), ("lost", []))

    def test_two_clients(self) -> None:
        """Two clients of one server, and of one file, each get all of it."""
        self.write("large", LARGE)
        factory = self.factory()
        transports = []
        for _ in range(2):
            channel, transport = self.connect(factory)
            channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
            transport.producer.resumeProducing()
            transports.append(transport)
        while any(transport.producer is not None for transport in transports):
            for transport in transports:
                if transport.producer is not None:
                    transport.producer.resumeProducing()
        bodies = [transport.value().partition(b"\r\n\r\n")[2] for transport in transports]
        self.assertEqual([body == LARGE for body in bodies], [True, True], "sent in turns")

    def test_one_of_two_clients_goes(self) -> None:
        """When one client goes, the other one still gets all of the file."""
        self.write("large", LARGE)
        factory = self.factory()
        (one, first), (other, second) = self.connect(factory), self.connect(factory)
        for channel in (one, other):
            channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
        second.producer.resumeProducing()
        first.lose(one)
        self.assertEqual([file.closed for file in self.opened], [True, False])
        self.assertEqual(self.read_all(second).partition(b"\r\n\r\n")[2] == LARGE, True)

    def test_file_that_grows(self) -> None:
        """A file that grows while it is sent is sent as long as it was (RFC 1945, 10.4)."""
        data = LARGE[:-1000]  # its end is not that of a piece
        path = self.write("large", data)
        _, transport = self.begin()
        with path.open("ab") as file:
            file.write(LARGE)
        body = self.read_all(transport).partition(b"\r\n\r\n")[2]
        self.assertEqual((len(body), body == data), (len(data), True))

    def test_file_that_shrinks(self) -> None:
        """One that becomes shorter is broken off, and not filled up (RFC 1945, 10.4)."""
        path = self.write("large", LARGE)
        channel, transport = self.begin()
        transport.may_abort = True
        os.truncate(path, 300_000)
        for _ in range(10):
            if transport.producer is not None and transport.state == "open":
                transport.producer.resumeProducing()
        self.assertIn(transport.state, ("closing", "aborted"))
        body = transport.value().partition(b"\r\n\r\n")[2]
        self.assertEqual(body == LARGE[: len(body)], True, "what is sent is what was there")
        transport.lose(channel)
        self.assertEqual((self.opened[-1].closed, self.clock.getDelayedCalls()), (True, []))

    def test_neither_file_nor_folder(self) -> None:
        """What is no file, such as a named pipe, is not opened: 404."""
        if not hasattr(os, "mkfifo"):
            raise SkipTest("there are no named pipes here")
        os.mkfifo(self.root / "pipe")
        self.assertEqual((self.get("/pipe")[0], self.opened), (404, []), "sent GET /pipe")

    def test_request_behind_the_file(self) -> None:
        """What comes while a file is sent, or behind it, is not answered (RFC 1945, 1.3)."""
        self.write("large", LARGE)
        self.write("a")
        channel, transport = self.begin()
        while transport.producer is not None:
            channel.dataReceived(b"GET /a HTTP/1.0\r\n\r\n")
            transport.producer.resumeProducing()
        channel.dataReceived(b"GET /a HTTP/1.0\r\n\r\n")
        self.assertEqual((len(self.opened), transport.value().count(b"HTTP/1.0 200")), (1, 1))

    def test_client_that_reads_nothing(self) -> None:
        """A client that does not read is cut off; one that reads slowly is not."""
        self.write("large", LARGE)
        _, transport = self.begin()
        transport.may_abort = True
        for _ in range(3):
            self.clock.advance(CLOSE - 1)
            transport.producer.resumeProducing()
        self.clock.advance(CLOSE - 1)
        self.assertEqual(transport.state, "open", f"it takes a piece every {CLOSE - 1} s")
        self.clock.advance(1)
        self.assertEqual(transport.state, "aborted", f"it has taken nothing for {CLOSE} s")

    def test_client_that_never_reads(self) -> None:
        """So it is if the client takes no piece at all, or does not go when it has taken all."""
        self.write("large", LARGE)
        for take in (False, True):
            _, transport = self.begin()
            transport.may_abort = True
            if take:
                self.read_all(transport)
            self.clock.advance(CLOSE - 1)
            self.assertEqual(transport.state, "closing" if take else "open", f"{CLOSE - 1} s")
            self.clock.advance(1)
            self.assertEqual(transport.state, "aborted", f"{CLOSE} s")

    def test_file_is_closed(self) -> None:
        """The file is closed when all is sent, and when the connection is lost before."""
        self.write("large", LARGE)
        self.get("/large")
        self.get("/large", method="HEAD")
        self.get("/large", "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT")
        self.assertNotEqual(self.opened, [])
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])
        for pieces in range(4):
            self.clock = Clock()
            channel, transport = self.begin()
            for _ in range(pieces):
                transport.producer.resumeProducing()
            transport.lose(channel, ConnectionLost())
            self.assertTrue(self.opened[-1].closed, f"cut after {pieces} pieces")
            self.assertEqual(self.clock.getDelayedCalls(), [], "no timer is left")

    def test_small_file_is_closed(self) -> None:
        """So is a small one, whatever it is asked with."""
        self.write("a")
        self.write("folder/index.html")
        for target in ("/a", "/folder/"):
            for method in ("GET", "HEAD"):
                self.get(target, method=method)
                self.get(target, "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", method=method)
        self.assertNotEqual(self.opened, [])
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])

    def test_file_is_closed_by_the_channel(self) -> None:
        """It is closed even by a transport that does not tell its producer."""
        self.write("large", LARGE)
        channel, transport = self.begin()
        transport.connected = False
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertTrue(self.opened[-1].closed)

    def test_file_is_closed_when_the_client_is_cut_off(self) -> None:
        """It is closed when a client that reads nothing is cut off."""
        self.write("large", LARGE)
        channel, transport = self.begin()
        transport.may_abort = True
        self.clock.advance(CLOSE)
        transport.lose(channel, ConnectionLost())
        self.assertEqual((self.opened[-1].closed, self.clock.getDelayedCalls()), (True, []))

    def test_file_that_comes_too_late(self) -> None:
        """A file that a handler answers with when the connection is lost is closed, too."""
        self.write("a", LARGE)
        files = FileHandler(self.root, self.clock, self.open)

        def late(request: Request) -> Deferred[Response]:
            return Deferred(lambda answer: answer.callback(files(request)))  # when it is cancelled

        channel, transport = self.connect(HTTPFactory(late, self.clock))
        channel.dataReceived(b"GET /a HTTP/1.0\r\n\r\n")
        transport.lose(channel, ConnectionLost())
        self.assertEqual([file.closed for file in self.opened], [True])

    def test_file_that_comes_later(self) -> None:
        """A file is sent in the same way if a Deferred brings it."""
        self.write("large", LARGE)
        files = FileHandler(self.root, self.clock, self.open)
        answers: list[Deferred[Response]] = []

        def later(request: Request) -> Deferred[Response]:
            answer: Deferred[Response] = Deferred()
            answers.append(answer)
            return answer.addCallback(lambda _: files(request))

        for method, expected in ((b"GET", len(LARGE)), (b"HEAD", 0)):
            channel, transport = self.connect(HTTPFactory(later, self.clock))
            channel.dataReceived(method + b" /large HTTP/1.0\r\n\r\n")
            self.clock.advance(3600)
            answers[-1].callback(Response(200))
            body = self.read_all(transport).partition(b"\r\n\r\n")[2]
            actual = (len(body), transport.state, self.opened[-1].closed)
            self.assertEqual(actual, (expected, "closing", True), f"sent {method!r}")
            transport.lose(channel)
