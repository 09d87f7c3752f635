"""Stage 9: serve files. These are the tests of the solution.

They are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage9``
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.files import FileHandler, open_file
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
LARGE = bytes(range(256)) * 4096


class FileTests(TestCase):
    """What a folder with files looks like from the other end of the wire."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).resolve() / "root"
        self.root.mkdir(parents=True)
        self.clock = Clock()
        self.clock.advance(NOW)
        self.opened: list[BinaryIO] = []

    def open(self, path: Path) -> BinaryIO:
        """Open a file, and remember it."""
        if path.name == "forbidden.txt":
            raise PermissionError(path)
        self.opened.append(open_file(path))
        return self.opened[-1]

    def connect(self) -> tuple[HTTPChannel, Any]:
        """Connect to a server of the folder."""
        handler = FileHandler(self.root, self.clock, self.open)
        channel = HTTPFactory(handler, self.clock).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        return channel, transport

    def ask(self, request: bytes) -> bytes:
        """Send a request, read all and return the answer."""
        channel, transport = self.connect()
        channel.dataReceived(request)
        while transport.producer is not None:  # so does a transport whose client reads
            transport.producer.resumeProducing()
        return transport.value()

    def get(
        self, target: str, *fields: str, method: str = "GET"
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Ask for a target; return the status, the header fields and the body."""
        lines = [f"{method} {target} HTTP/1.0", *fields, "", ""]
        answer = self.ask("\r\n".join(lines).encode("latin-1"))
        head, _, body = answer.partition(b"\r\n\r\n")
        status_line, *rest = head.split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in rest)
        return int(status_line.split()[1]), headers, body

    def write(self, name: str, data: bytes = b"data", changed: int = NOW - 86400) -> Path:
        """Make a file in the root, and the folders that it is in."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (changed, changed))
        return path

    def link(self, name: str, to: Path) -> None:
        """Make a symbolic link in the root."""
        try:
            (self.root / name).symlink_to(to.resolve(), target_is_directory=to.is_dir())
        except OSError as error:  # Windows does not let everybody
            raise SkipTest(f"no symbolic links here: {error}") from error

    def test_file(self) -> None:
        """A file is answered with 200, its bytes, and its size in Content-Length."""
        data = b"\r\n\x00\xff not text at all \r\n\r\n"
        self.write("folder/a", data)
        status, headers, body = self.get("/folder/a")
        self.assertEqual((status, body), (200, data))
        self.assertEqual(headers[b"Content-Length"], b"%d" % len(data))

    def test_empty_file(self) -> None:
        """So is a file with nothing in it."""
        self.write("empty", b"")
        status, headers, body = self.get("/empty")
        self.assertEqual((status, headers[b"Content-Length"], body), (200, b"0", b""))

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
            "a.html.jpg": b"image/jpeg",
            "a.unheard-of": b"application/octet-stream",
            "html": b"application/octet-stream",
        }
        came = {}
        for name in expected:
            path = self.write(name)
            came[name] = self.get(f"/{name}")[1][b"Content-Type"]
            path.unlink()  # for some file systems a.html and a.HTML are one name
        self.assertEqual(came, expected)

    def test_index(self) -> None:
        """A path with a slash at its end is answered with index.html; without that, 403."""
        self.write("folder/index.html", b"<p>index")
        self.write("other/a.html")
        status, headers, body = self.get("/folder/")
        self.assertEqual((status, body), (200, b"<p>index"))
        self.assertEqual(headers[b"Content-Type"], b"text/html; charset=utf-8")
        came = [self.get(target)[0] for target in ("/other/", "/")]
        self.assertEqual(came, [403, 403], "folders without an index.html")

    def test_slash(self) -> None:
        """A folder's path without the slash is redirected, 301, to the one with it; a query stays.

        (RFC 1945, 9.3.)
        """
        self.write("a folder/b/index.html")
        expected = {
            "/a%20folder": b"/a%20folder/",
            "/a%20folder/b": b"/a%20folder/b/",
            "/a%20folder/b?c=d?/e": b"/a%20folder/b/?c=d?/e",
        }
        for target, location in expected.items():
            status, headers, _ = self.get(target)
            self.assertEqual((status, headers.get(b"Location")), (301, location), target)
        status, headers, _ = self.get("//a%20folder")  # "//host/" would lead to another host
        self.assertEqual((status, headers.get(b"Location")), (404, None))

    def test_missing(self) -> None:
        """What is not there is 404, and what may not be opened is 403 (RFC 1945, 9.4)."""
        self.write("folder/a.txt")
        self.write("forbidden.txt")
        targets = (
            "/b.txt",
            "/b/a.txt",
            "/b/",
            "/folder/a.txt/",
            "/folder/a.txt/b",
            "/" + 300 * "a",
        )
        self.assertEqual(
            {target: self.get(target)[0] for target in targets}, dict.fromkeys(targets, 404)
        )
        self.assertEqual(self.get("/forbidden.txt")[0], 403)

    def test_percent_decoding(self) -> None:
        """The query is cut off; then %HH is decoded, once, and nothing else (RFC 1945, 5.1.2)."""
        self.write("a b+c.txt", b"1")
        self.write("%41.txt", b"2")
        self.write("A.txt", b"3")
        self.write("d%zz", b"4")
        self.write("\u00e9", b"5")
        expected = {
            "/a%20b+c.txt": b"1",
            "/%61%20%62+c%2etxt": b"1",
            "/a%20b%2Bc.txt": b"1",
            "/a%20b+c.txt?d=%2F": b"1",
            "/A.txt?": b"3",
            "/A.txt?/../%zz": b"3",
            "/%2541.txt": b"2",
            "/%41.txt": b"3",
            "/%c3%A9": b"5",
        }
        self.assertEqual({target: self.get(target)[2] for target in expected}, expected)
        targets = ("/A.txt%3Fb", "/a%20b%20c.txt", "/d%zz", "/%", "/%4", "/A.txt%", "/%+41", "/%ff")
        self.assertEqual(
            {target: self.get(target)[0] for target in targets}, dict.fromkeys(targets, 404)
        )

    def test_climbing(self) -> None:
        """However it is spelled, a path that leaves the root is 404 (RFC 1945, 12.5)."""
        self.write("a/b")
        self.write("../secret", b"secret")
        self.write("../root-2/secret", b"secret")
        secret = (self.root.parent / "secret").resolve().as_posix()
        targets = [
            "/../secret",
            "/..",
            "/../",
            "/a/../../secret",
            "/missing/../../secret",
            "/%2e%2e/secret",
            "/.%2E/secret",
            "/..%2fsecret",
            "/%2e%2e%2fsecret",
            "/%252e%252e/secret",
            "/%252e%252e%252fsecret",
            "/..\\secret",
            "/..%5csecret",
            "/a/..%5c..%5csecret",
            "/%c0%ae%c0%ae/secret",
            "/../root-2/secret",
            "/..%2froot-2%2fsecret",
            f"/{secret}",
            f"//{secret}",
            "/" + secret.replace("/", "%2f"),
            "/../secret%00",
            "/a/b%00",
            "/%00",
        ]
        came = {target: self.get(target) for target in targets}
        inside = {target: answer for target, answer in came.items() if answer[0] != 404}
        self.assertEqual(inside, {})

    def test_symbolic_link(self) -> None:
        """A symbolic link out of the root is 404; one that stays in it is followed."""
        inside = self.write("folder/a.txt", b"inside")
        outside = self.write("../secret/index.html", b"secret")
        self.write("../root-2/secret", b"secret")
        self.link("file-in", inside)
        self.link("folder-in", inside.parent)
        self.link("file-out", outside)
        self.link("folder-out", outside.parent)
        self.link("sibling", self.root.parent / "root-2")
        self.link("folder/index.html", outside)
        came = [self.get(target)[2] for target in ("/file-in", "/folder-in/a.txt")]
        self.assertEqual(came, [b"inside", b"inside"])
        targets = ("/file-out", "/folder-out", "/folder-out/", "/folder-out/index.html")
        targets += ("/sibling/secret", "/folder-in/index.html")
        self.assertEqual(
            {target: self.get(target)[0] for target in targets}, dict.fromkeys(targets, 404)
        )
        self.assertNotIn(b"secret", self.get("/folder/")[2])

    def test_root_is_a_link(self) -> None:
        """The root itself may be reached by a symbolic link."""
        self.write("a", b"inside")
        self.link("../link", self.root)
        self.root = self.root.parent / "link"
        self.assertEqual(self.get("/a")[2], b"inside")

    def test_last_modified(self) -> None:
        """Last-Modified says when the file was changed; never later than now (RFC 1945, 10.10)."""
        self.write("old", changed=NOW - 86400)
        self.write("new", changed=NOW + 86400)
        came = [self.get(target)[1].get(b"Last-Modified") for target in ("/old", "/new")]
        expected = [b"Sat, 05 Nov 1994 08:49:37 GMT", b"Sun, 06 Nov 1994 08:49:37 GMT"]
        self.assertEqual(came, expected)

    def test_not_modified(self) -> None:
        """If-Modified-Since, in each of three formats: 304 without a body, or 200 if changed.

        (RFC 1945, 3.3 and 10.9.)
        """
        formats = {
            "RFC 1123": "Sat, 05 Nov 1994 08:49:37 GMT",
            "RFC 850": "Saturday, 05-Nov-94 08:49:37 GMT",
            "asctime": "Sat Nov  5 08:49:37 1994",
        }
        for name, date in formats.items():
            for changed, expected in ((-1, (304, b"")), (0, (304, b"")), (1, (200, b"data"))):
                path = self.write("a", changed=NOW - 86400 + changed)
                status, _, body = self.get("/a", f"If-Modified-Since: {date}")
                self.assertEqual((status, body), expected, f"{name}, changed {changed} s after it")
        os.utime(path, (NOW - 86400, NOW - 86400 + 0.75))  # HTTP knows whole seconds alone
        self.assertEqual(self.get("/a", f"If-Modified-Since: {date}")[0], 304)

    def test_date_that_does_not_count(self) -> None:
        """A date that is none, or later than now, is ignored: 200 (RFC 1945, 10.9)."""
        self.write("a")
        dates = [
            "",
            "0",
            "-1",
            "yesterday",
            "Sat, 05 Nov 1994 25:49:37 GMT",
            "Sat, 32 Nov 1994 08:49:37 GMT",
            "Sat, 05 Nov 99999 08:49:37 GMT",
            "Sat, 05 Nov 1994 08:49:37",
            "S\xe4t, 05 Nov 1994 08:49:37 GMT",
            "Sat, 05 Nov 1994 08:4\u0669:37 GMT".encode().decode("latin-1"),  # an Arabic nine
            "Sun, 06 Nov 1994 08:49:38 GMT",
            "Tue, 06 Nov 2096 08:49:37 GMT",
        ]
        came = {date: self.get("/a", f"If-Modified-Since: {date}")[0] for date in dates}
        self.assertEqual(came, dict.fromkeys(dates, 200))
        now = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
        self.assertEqual(self.get("/a", now)[0], 304, "now is not later than now")

    def test_condition_on_what_is_not_there(self) -> None:
        """If-Modified-Since does not make a 304 of a 404 (RFC 1945, 10.9)."""
        date = "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT"
        self.assertEqual(self.get("/missing", date)[0], 404)

    def test_methods(self) -> None:
        """HEAD has the same header fields and no body; POST is 405, with Allow (RFC 1945, 8.2)."""
        self.write("folder/a.txt", LARGE)
        for target in ("/folder/a.txt", "/folder", "/folder/", "/missing"):
            status, headers, _ = self.get(target)
            self.assertEqual(self.get(target, method="HEAD"), (status, headers, b""), target)
        status, headers, _ = self.get("/folder/a.txt", "Content-Length: 0", method="POST")
        self.assertEqual((status, headers.get(b"Allow")), (405, b"GET, HEAD"))

    def test_large_file(self) -> None:
        """A large file is written piece by piece, one when the transport asks for it."""
        self.write("large", LARGE)
        channel, transport = self.connect()
        channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
        self.assertFalse(transport.streaming, "it is a pull producer")
        written = [0]
        while transport.producer is not None:
            written.append(len(transport.value()))
            transport.producer.resumeProducing()
        pieces = [after - before for before, after in pairwise(written)]
        self.assertLess(max(pieces), 256 * 1024 + 1, "bytes in the largest piece")
        self.assertEqual(transport.value().partition(b"\r\n\r\n")[2], LARGE)
        self.assertTrue(transport.disconnecting, "closed when all is sent")

    def test_file_that_grows(self) -> None:
        """A file that grows while it is sent is sent as long as it was (RFC 1945, 10.4)."""
        path = self.write("large", LARGE)
        channel, transport = self.connect()
        channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
        with path.open("ab") as file:
            file.write(LARGE)
        while transport.producer is not None:
            transport.producer.resumeProducing()
        self.assertEqual(len(transport.value().partition(b"\r\n\r\n")[2]), len(LARGE))

    def test_neither_file_nor_folder(self) -> None:
        """What is no file, such as a named pipe, is not opened: 404."""
        if not hasattr(os, "mkfifo"):
            raise SkipTest("there are no named pipes here")
        os.mkfifo(self.root / "pipe")
        self.assertEqual((self.get("/pipe")[0], self.opened), (404, []))

    def test_client_that_reads_nothing(self) -> None:
        """A client that does not read is cut off; one that reads slowly is not."""
        self.write("large", LARGE)
        channel, transport = self.connect()
        channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
        for _ in range(3):
            self.clock.advance(14)
            transport.producer.resumeProducing()
        self.assertFalse(transport.disconnected, "it has read a piece every 14 seconds")
        self.clock.advance(15)
        self.assertTrue(transport.disconnected, "it has read nothing for 15 seconds")

    def test_file_is_closed(self) -> None:
        """The file is closed when all is sent, and when the connection is lost before."""
        self.write("large", LARGE)
        self.get("/large")
        self.get("/large", method="HEAD")
        self.get("/large", "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT")
        self.assertNotEqual(self.opened, [])
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])
        for pieces in range(3):
            self.clock = Clock()
            channel, transport = self.connect()
            channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
            for _ in range(pieces):
                transport.producer.resumeProducing()
            transport.producer.stopProducing()  # so does a transport that loses its connection
            channel.connectionLost(Failure(ConnectionLost()))
            self.assertTrue(self.opened[-1].closed, f"cut after {pieces} pieces")
            self.assertEqual(self.clock.getDelayedCalls(), [], "no timer is left")

    def test_file_is_closed_by_the_channel(self) -> None:
        """It is closed even by a transport that does not tell its producer."""
        self.write("large", LARGE)
        channel, _ = self.connect()
        channel.dataReceived(b"GET /large HTTP/1.0\r\n\r\n")
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertTrue(self.opened[-1].closed)

    def test_file_that_comes_too_late(self) -> None:
        """A file that a handler answers with when the connection is lost is closed, too."""
        self.write("a")
        files = FileHandler(self.root, self.clock, self.open)

        def late(request: Request) -> Deferred[Response]:
            return Deferred(lambda answer: answer.callback(files(request)))  # when it is cancelled

        channel = HTTPFactory(late, self.clock).buildProtocol(None)
        channel.makeConnection(StringTransport())
        channel.dataReceived(b"GET /a HTTP/1.0\r\n\r\n")
        channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual([file.closed for file in self.opened], [True])
