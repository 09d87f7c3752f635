"""Serving a folder: what is in it, and nothing else, however it is asked for."""

from __future__ import annotations

import errno
import io
import mmap
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, TestCase

from toyhttp.dates import format_http_date
from toyhttp.files import SMALL, FileBody, FileHandler, name_of, open_file, parse_range
from toyhttp.listing import STEP
from toyhttp.request import Headers, Request
from toyhttp.response import Response
from toyhttp.test.deliveries import property_settings

timeout = 60

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
DAY_BEFORE = b"Sat, 05 Nov 1994 08:49:37 GMT"


class FileCase(TestCase):
    """A test with a folder that is served, and another one beside it."""

    def setUp(self) -> None:
        """Make the folders, and the handler that serves one of them."""
        self.beside = Path(self.mktemp())
        self.root = self.beside / "www"
        self.root.mkdir(parents=True)
        self.clock = Clock()
        self.clock.advance(NOW)
        self.opened: list[BinaryIO] = []
        self.handler = FileHandler(self.root, self.clock, self.open_file)
        self.addCleanup(self.close_all)

    def open_file(self, path: Path) -> BinaryIO:
        """Open a file, and remember it."""
        self.opened.append(open_file(path))
        return self.opened[-1]

    def close_all(self) -> None:
        """Close what the handler has handed on."""
        for opened in self.opened:
            opened.close()

    def write(self, name: str, content: bytes = b"hello", modified: float = NOW - 86400) -> Path:
        """Write a file below the root, and say when it was changed."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (modified, modified))
        return path

    def link(self, name: str, target: Path | str, folder: bool = False) -> None:
        """Make a symbolic link below the root."""
        try:
            (self.root / name).symlink_to(target, folder)
        except (OSError, NotImplementedError) as error:
            raise SkipTest(f"no symbolic links here: {error}") from error

    def ask(self, target: bytes, *headers: tuple[bytes, bytes], method: bytes = b"GET") -> Response:
        """Return the response to a request."""
        response: Any = self.handler(Request(method, target, (1, 0), headers))
        self.assertIsInstance(response, Response, f"answer to {target!r}")
        still_open = [opened for opened in self.opened if not opened.closed]
        streams = isinstance(response.body, FileBody) and method != b"HEAD"
        self.assertEqual(len(still_open), 1 if streams else 0, f"files open after {target!r}")
        return cast(Response, response)

    def status(self, target: bytes, *headers: tuple[bytes, bytes], method: bytes = b"GET") -> int:
        """Return the status code of the answer, and leave nothing open."""
        response = self.ask(target, *headers, method=method)
        self.close_all()
        self.opened.clear()
        return response.status

    def assert_status(self, status: int, *targets: bytes) -> None:
        """Assert that GET and HEAD of each target are answered like this."""
        for target in targets:
            for method in (b"GET", b"HEAD"):
                came = self.status(target, method=method)
                self.assertEqual(came, status, f"answer to {method!r} {target!r}")


def content(response: Response) -> bytes:
    """Return all of a response's body."""
    body: Any = response.body
    if isinstance(body, bytes):
        return body
    return b"".join(iter(lambda: body.read(1000), b""))


def field(response: Response, name: bytes) -> bytes | None:
    """Return the value of a header field."""
    return dict(response.headers).get(name)


class FileTests(FileCase):
    """Files, and what is said of them."""

    def test_file(self) -> None:
        """A file is answered with its bytes (RFC 1945, 8.1)."""
        for size in (0, 1, SMALL):
            data = os.urandom(size)
            self.write("a.bin", data)
            response = self.ask(b"/a.bin")
            self.assertEqual((response.status, response.body), (200, data))

    def test_large_file(self) -> None:
        """A larger one is read in pieces, and no further than its size (RFC 1945, 10.4)."""
        data = os.urandom(SMALL + 1)
        path = self.write("a.bin", data)
        body: Any = self.ask(b"/a.bin").body
        self.assertEqual(body.size, SMALL + 1)
        self.assertEqual(body.read(10), data[:10])
        with path.open("ab") as file:
            file.write(b"more")
        self.assertEqual(body.read(2 * SMALL), data[10:])
        self.assertEqual(body.read(10), b"")
        body.close()
        body.close()
        self.assertTrue(self.opened[0].closed)

    def test_file_that_shrinks(self) -> None:
        """A file that was cut ends early, and the channel sees it (RFC 1945, 10.4)."""
        path = self.write("a.bin", (SMALL + 1) * b"x")
        response = self.ask(b"/a.bin")
        path.write_bytes(b"xyz")
        self.assertEqual(content(response), b"xyz")

    def test_header_fields(self) -> None:
        """A file comes with its date, its type, and that parts of it can be had (RFC 1945, 10)."""
        self.write("a.html")
        expected = [
            (b"Last-Modified", DAY_BEFORE),
            (b"Content-Type", b"text/html; charset=utf-8"),
            (b"Accept-Ranges", b"bytes"),
        ]
        self.assertEqual(list(self.ask(b"/a.html").headers), expected)

    def test_content_types(self) -> None:
        """The type is that of the name's end, in any case (RFC 1945, 10.5)."""
        for name, expected in (
            ("a.html", b"text/html; charset=utf-8"),
            ("a.HTM", b"text/html; charset=utf-8"),
            ("a.css", b"text/css; charset=utf-8"),
            ("a.js", b"text/javascript; charset=utf-8"),
            ("a.mjs", b"text/javascript; charset=utf-8"),
            ("a.b.tXt", b"text/plain; charset=utf-8"),
            ("a.json", b"application/json"),
            ("a.svg", b"image/svg+xml"),
            ("a.png", b"image/png"),
            ("a.jpg", b"image/jpeg"),
            ("a.JPEG", b"image/jpeg"),
            ("a.wasm", b"application/wasm"),
            ("a.woff2", b"font/woff2"),
            ("a.mp4", b"video/mp4"),
            ("a.tar.gz", b"application/gzip"),
            ("a.html.odd", b"application/octet-stream"),
            ("html", b"application/octet-stream"),
            ("a.html~", b"application/octet-stream"),
        ):
            self.write(name)
            came = field(self.ask(b"/" + name.encode()), b"Content-Type")
            self.assertEqual(came, expected, f"type of {name}")

    def test_content_type_of_escapes(self) -> None:
        """The name is that of the file, however it was written (RFC 1945, 5.1.2)."""
        self.write("a.html")
        for target in (b"/a%2ehtml", b"/%61.ht%6D%6c", b"/a.html?b.txt"):
            expected = b"text/html; charset=utf-8"
            self.assertEqual(field(self.ask(target), b"Content-Type"), expected, f"{target!r}")

    def test_head(self) -> None:
        """HEAD has the same fields and the same size, and reads nothing (RFC 1945, 8.2)."""
        for size in (5, SMALL + 1):
            self.write("a.txt", size * b"x")
            head, get = self.ask(b"/a.txt", method=b"HEAD"), self.ask(b"/a.txt")
            body: Any = head.body
            self.assertEqual((head.status, list(head.headers)), (200, list(get.headers)))
            self.assertEqual(body.size, size)
            body.close()
            self.close_all()
            self.opened.clear()

    def test_methods(self) -> None:
        """A file takes no other method: 405, with Allow (RFC 1945, 10.1)."""
        self.write("a.txt")
        for method in (b"POST", b"PUT"):
            for target in (b"/a.txt", b"/", b"/nothing"):
                response = self.ask(target, method=method)
                self.assertEqual(response.status, 405)
                self.assertEqual(field(response, b"Allow"), b"GET, HEAD")
        self.assertEqual(self.opened, [])

    def test_reactor(self) -> None:
        """Without a clock the time is the reactor's."""
        self.write("a.txt", modified=NOW)
        response: Any = FileHandler(self.root)(Request(b"GET", b"/a.txt", (1, 0)))
        self.assertEqual(field(response, b"Last-Modified"), DATE)

    def test_file_of_a_test(self) -> None:
        """What is opened need not be a file of the system's."""
        self.write("a.txt", b"hello")
        handler = FileHandler(self.root, self.clock, lambda path: io.BytesIO(b"HELLO"))
        response = handler(Request(b"GET", b"/a.txt", (1, 0)))
        self.assertEqual(response.body, b"HELLO")


class FreshTests(FileCase):
    """What is answered is what is on the disk, whatever its date and size say."""

    def setUp(self) -> None:
        """Write a file, and let some time pass, so that nothing has changed just now."""
        super().setUp()
        self.path = self.write("a.txt", b"hello")
        self.clock.advance(self.path.stat().st_ctime + 10 - NOW)

    def test_changed(self) -> None:
        """A change is seen: another size, another date, another file, or none of these."""
        for content in (b"hello", b"hello, world", b"HELLO, WORLD"):
            self.write("a.txt", content)
            self.assertEqual(self.ask(b"/a.txt").body, content)
        self.write("b.txt", b"HELLO, THERE").replace(self.path)
        self.assertEqual(self.ask(b"/a.txt").body, b"HELLO, THERE")

    def test_written_through_memory(self) -> None:
        """So is one that leaves the times as they were, as one through mmap does."""
        with self.path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[0:1] = b"H"  # the system notes when it was changed, and not again soon
            self.clock.advance(self.path.stat().st_ctime + 10 - self.clock.seconds())
            self.assertEqual(self.ask(b"/a.txt").body, b"Hello")
            memory[0:5] = b"HELLO"
            self.assertEqual(self.ask(b"/a.txt").body, b"HELLO")

    def test_gone(self) -> None:
        """What is gone is not there."""
        self.assertEqual(self.ask(b"/a.txt").body, b"hello")
        self.path.unlink()
        self.assert_status(404, b"/a.txt")

    def test_short_file(self) -> None:
        """A file that was cut while it was read is answered with what is left of it."""
        self.handler = FileHandler(self.root, self.clock, lambda path: io.BytesIO(b"hel"))
        self.assertEqual(self.ask(b"/a.txt").body, b"hel")

    def test_short_file_with_range(self) -> None:
        """But what Content-Range would promise must be there (RFC 9110, 14.4)."""
        self.handler = FileHandler(self.root, self.clock, lambda path: io.BytesIO(b"hel"))
        response = self.ask(b"/a.txt", (b"Range", b"bytes=1-4"))
        self.assertEqual((response.status, field(response, b"Content-Range")), (503, None))


class FolderTests(FileCase):
    """Folders: their page, and the slash at the end of their path."""

    def test_index(self) -> None:
        """A path with a slash at its end is that of index.html (RFC 1945, 5.1.2)."""
        for name, target in (("index.html", b"/"), ("a/b/index.html", b"/a/b/?q")):
            self.write(name, name.encode())
            response = self.ask(target)
            self.assertEqual((response.status, response.body), (200, name.encode()))
            self.assertEqual(field(response, b"Content-Type"), b"text/html; charset=utf-8")

    def test_no_index(self) -> None:
        """A folder without one is 403 (RFC 1945, 9.4)."""
        self.write("a/b.txt")
        self.assert_status(403, b"/", b"/a/")

    def test_index_that_is_no_file(self) -> None:
        """A folder with the name of the page is none."""
        self.write("index.html/a.txt")
        self.assert_status(404, b"/")

    def test_slash(self) -> None:
        """A folder's path without the slash is redirected; a query stays (RFC 1945, 9.3)."""
        self.write("a b/c.html/d.txt")
        for target, location in (
            (b"/a%20b", b"/a%20b/"),
            (b"/%61%20b?x=/y?z", b"/%61%20b/?x=/y?z"),
            (b"/a%20b/c.html?", b"/a%20b/c.html/?"),
        ):
            for method in (b"GET", b"HEAD"):
                response = self.ask(target, method=method)
                self.assertEqual(response.status, 301)
                self.assertEqual(field(response, b"Location"), location)

    def test_slash_with_host(self) -> None:
        """The Location is a path: a proxy knows scheme, host and port (RFC 9110, 10.2.2)."""
        self.write("a/b.txt")
        for host in (b"h", b"example.org:8080", b"[::1]:8080", b"h/", b"\xe9", b"", b"u@h"):
            response = self.ask(b"/a?b", (b"Host", host))
            self.assertEqual(field(response, b"Location"), b"/a/?b", f"sent Host {host!r}")

    def test_slash_in_an_absolute_target(self) -> None:
        """The authority of a target is not looked at (RFC 9112, 3.2.2)."""
        self.write("a/b.txt", b"hello")
        self.assertEqual(field(self.ask(b"http://evil/a?b"), b"Location"), b"/a/?b")
        self.assertEqual(self.ask(b"HTTP://u@[::1/a/b.txt?http://c/").body, b"hello")
        self.assert_status(403, b"http://h", b"http://h/", b"http://h?b")
        self.assert_status(404, b"http://h//evil/a", b"http://h/http://h/")

    def test_location_is_no_other_host(self) -> None:
        """A Location never begins with two slashes (RFC 3986, 4.2)."""
        self.write("a/b.txt")
        (self.root / "h").mkdir()
        for target in (b"//a", b"///a", b"//h/..", b"/%2fa", b"/\\a", b"/%5ca", b"//h/%2e%2e"):
            self.assertEqual(self.status(target), 404, f"answer to {target!r}")

    def test_location_is_ascii(self) -> None:
        """What stands in no URI is written as %HH in the Location (RFC 1945, 3.2.1)."""
        try:
            (self.root / os.fsdecode(b"\xc3\xa9'")).mkdir()
        except OSError as error:
            raise SkipTest(f"no such names here: {error}") from error
        response = self.ask(b"/\xc3\xa9'?<\">\xff&b")
        self.assertEqual(field(response, b"Location"), b"/%C3%A9'/?%3C%22%3E%FF&b")

    def test_note(self) -> None:
        """The body of a redirect has a link, escaped (RFC 1945, 9.3)."""
        self.write("a/b.txt")
        response = self.ask(b"/a?<b>&'\"")
        link = b"/a/?%3Cb%3E&amp;&#x27;%22"
        self.assertIn(b'<a href="%s">%s</a>' % (link, link), content(response))
        self.assertEqual(field(response, b"Content-Type"), b"text/html; charset=utf-8")


class PathTests(FileCase):
    """Paths, and that none leads out of the root."""

    def setUp(self) -> None:
        """Put secrets beside the root, and files into it."""
        super().setUp()
        for name in ("secret.txt", "www-private/secret.txt", "private/index.html"):
            path = self.beside / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"secret")
        self.write("a.txt")
        self.write("sub/b.txt")

    def test_missing(self) -> None:
        """What is not there is 404 (RFC 1945, 9.4)."""
        self.assert_status(
            404, b"/b.txt", b"/a", b"/A/", b"/a.txt/", b"/a.txt/b", b"/a.txt/b/", b"/sub/b.txt/",
            b"/no/", b"/no/a.txt", b"/no/../a.txt", b"/a.txt%20", b"/" + 300 * b"a",
            b"/" + 300 * b"a" + b"/", b"/" + 1000 * b"sub/", b"/" + 4000 * b"a/",
        )  # fmt: skip

    def test_decoding(self) -> None:
        """%HH is decoded, once, in either case; a plus is a plus (RFC 1945, 5.1.2)."""
        for name, target in (
            ("a b", b"/a%20b"),
            ("a+b", b"/a+b"),
            ("a%20b", b"/a%2520b"),
            ("jJ", b"/%6a%4A"),
            ("a;b=c&d", b"/a;b=c&d"),
        ):
            self.write(name, name.encode())
            self.assertEqual(self.ask(target).body, name.encode(), f"asked for {target!r}")

    def test_no_escapes(self) -> None:
        """A percent sign with no two digits behind it is 404 (RFC 1945, 3.2.1)."""
        self.write("a%", b"")
        for end in (b"%", b"%6", b"%zz", b"%+9", b"% 9", b"%-1", b"%0x41", b"%u0061", b"%\xb2\xb2"):
            self.assert_status(404, b"/a" + end, b"/" + end + b"a", b"/a.txt" + end)

    def test_query(self) -> None:
        """The query is cut off at the first question mark (RFC 1945, 3.2.2)."""
        for target in (
            b"/a.txt?",
            b"/a.txt?b",
            b"/a.txt?../secret.txt",
            b"/a.txt?%zz",
            b"/a.txt??",
        ):
            self.assert_status(200, target)
        self.assert_status(404, b"/a.txt%3Fb")

    def test_target_that_is_no_path(self) -> None:
        """What does not begin with a slash is 404 (RFC 1945, 5.1.2)."""
        self.assert_status(
            404, b"a.txt", b"", b"*", b"?a", b"ftp://h/a.txt", b"h:80", b"http:/a.txt"
        )

    def test_climbing(self) -> None:
        """No spelling of a path leads out of the root (RFC 1945, 12.5)."""
        dots = (
            *b".. %2e%2e .%2E %2e. %252e%252e ..; ..%00 ... ..%20 ..%0a %0a.. %uff0e%uff0e".split(),
            *(b"\xc0\xae\xc0\xae", b"\xef\xbc\x8e\xef\xbc\x8e", b"%c0%ae%c0%ae"),
            *(b"%e0%80%ae%e0%80%ae", b". ."),
        )
        slashes = (
            b"/",
            b"%2f",
            b"%2F",
            b"\\",
            b"%5c",
            b"//",
            b"%252f",
            b"/./",
            b"%c0%af",
            b"\xc0\xaf",
        )
        for dot in dots:
            for slash in slashes:
                for before in (b"", b"sub/../", b"sub/", b"no/", b"a.txt/", b"/"):
                    for after in (
                        b"secret.txt",
                        b"www-private" + slash + b"secret.txt",
                        b"www",
                        b"",
                    ):
                        self.assert_status(404, b"/" + before + dot + slash + after)

    def test_absolute(self) -> None:
        """An absolute path in the path leads nowhere (RFC 1945, 12.5)."""
        secret = os.fsencode((self.beside / "secret.txt").resolve())
        self.assert_status(
            404, b"/" + secret, b"//" + secret, b"/%2f" + secret[1:], b"/sub/" + secret
        )
        self.assert_status(404, b"//etc/passwd", b"/%2fetc%2fpasswd", b"/c:/a", b"/C:a.txt")

    def test_empty_segments(self) -> None:
        """Two slashes are not one."""
        self.assert_status(404, b"//", b"//a.txt", b"/sub//b.txt", b"/sub//", b"///")

    def test_control_characters(self) -> None:
        """A name with a control character is 404, and no error (RFC 1945, 2.2)."""
        for code in (*range(32), 127):
            self.assert_status(
                404, b"/a.txt%%%02x" % code, b"/%%%02xa.txt" % code, b"/a%%%02X/" % code
            )

    def test_hidden(self) -> None:
        """What begins with a dot is 404, but .well-known (RFC 8615, 3)."""
        for name in (".env", ".git/config", "sub/.hidden/a", "..a", ".well-known2/a"):
            self.write(name)
            self.assert_status(404, b"/" + name.encode(), b"/%2e" + name[1:].encode())
        (self.root / ".git/index.html").write_bytes(b"")
        self.assert_status(404, b"/.git/", b"/.git")
        self.write(".well-known/a")
        self.assert_status(200, b"/.well-known/a")

    def test_eight_bits(self) -> None:
        """A name may be in any bytes that the system takes, and is 404 where it takes none."""
        for name in (
            b"\xc3\xa9.txt",
            b"\xe9.txt",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"\xf0\x9f\x92\xa9",
        ):
            escaped = b"".join(b"%%%02x" % byte for byte in name)
            try:
                self.write(os.fsdecode(name))
            except (OSError, ValueError):
                self.assert_status(404, b"/" + name, b"/" + escaped)
            else:
                self.assert_status(200, b"/" + name, b"/" + escaped)

    def test_windows(self) -> None:
        """On Windows a name that means something else is 404; elsewhere it is a name."""
        from toyhttp import files

        class Windows:
            """As much of the module as the function looks at."""

            name = "nt"
            fsdecode = staticmethod(bytes.decode)

        odd = (
            *b"c: a:b a.txt::$DATA nul NUL.txt con com1.log LPT9 COM\xc2\xb9 CONIN$".split(),
            *b'a.txt. a? a* a< a" a|b GIT~1 a~1.txt'.split(),
            *(b"aux .txt", b"a.txt "),
        )
        fine = (
            b"a.txt",
            b"console",
            b"com.txt",
            b"com10",
            b"a b",
            b"nul-",
            b"xnul.txt",
            b"a~",
            b"~a",
        )
        for name in odd + fine:
            self.assertEqual(files.plain_name(name), name.decode(), f"name {name!r}")
        self.patch(files, "os", Windows)
        for name in odd:
            self.assertRaises(files._NotServed, files.plain_name, name)
        for name in fine:
            self.assertEqual(files.plain_name(name), name.decode(), f"name {name!r}")
        self.assertRaises(UnicodeDecodeError, files.plain_name, b"\xe9")

    @property_settings(400)
    @given(
        st.lists(
            st.sampled_from(
                [
                    *b"a.txt sub b.txt .. . %2e %2E%2e / // / %2f \\ %5c %00 % ?".split(),
                    *b"secret.txt www www-private \xc0\xae %25 2e link out \xff http://h".split(),
                    *(b"", b" "),
                ]
            )
            | st.binary(max_size=3),
            max_size=12,
        ).map(b"".join)
    )
    def test_any_path(self, target: bytes) -> None:
        """Whatever the path, what comes is what pathlib finds below the root (RFC 1945, 12.5)."""
        handler = FileHandler(self.root, self.clock)
        response: Any = handler(Request(b"GET", b"/" + target, (1, 0)))
        self.assertIn(response.status, (200, 301, 403, 404), f"answer to {target!r}")
        self.assertNotIn(b"secret", content(response))
        if response.status == 200:
            path = self.root.joinpath(*PurePosixPath(os.fsdecode(decoded(target))).parts)
            self.assertTrue(path.resolve().is_relative_to(self.root.resolve()), f"{target!r}")
            self.assertEqual(content(response), path.read_bytes(), f"answer to {target!r}")

    @property_settings(400)
    @given(st.binary(max_size=8))
    def test_any_name(self, name: bytes) -> None:
        """A segment is one name: joined to a folder it stays in it (RFC 1945, 12.5)."""
        escaped = b"".join(b"%%%02X" % byte for byte in name)
        try:
            came = name_of(escaped)
        except Exception:
            odd = any(byte in b"/\\" or byte < 32 or byte == 127 for byte in name)
            self.assertTrue(odd or name[:1] in (b"", b".") or os.name == "nt", f"name {name!r}")
            return
        self.assertEqual(os.fsencode(came), name)
        self.assertEqual(PurePosixPath("/folder", came).parent, PurePosixPath("/folder"))
        self.assertEqual((self.root / came).parent, self.root)


def decoded(target: bytes) -> bytes:
    """Return the path of a target that was found, decoded by other means."""
    path = target.partition(b"?")[0]
    parts = path.split(b"%")
    return parts[0] + b"".join(bytes.fromhex(part[:2].decode()) + part[2:] for part in parts[1:])


class LinkTests(FileCase):
    """Symbolic links: followed inside the root, and not there if they leave it."""

    def setUp(self) -> None:
        """Put secrets beside the root, and files into it."""
        super().setUp()
        for name in ("secret.txt", "www-private/secret.txt", "private/index.html"):
            path = self.beside / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"secret")
        self.write("a.txt", b"hello")
        self.write("sub/b.txt", b"below")
        self.write("sub/index.html", b"index")

    def test_inside(self) -> None:
        """A link to something below the root is followed."""
        self.link("file", "a.txt")
        self.link("twice", "file")
        self.link("whole", (self.root / "a.txt").resolve())
        self.link("folder", "sub", folder=True)
        self.link("sub/up", "../a.txt")
        self.link("self", ".", folder=True)
        for target in (b"/file", b"/twice", b"/whole", b"/folder/up", b"/self/self/file"):
            self.assertEqual(self.ask(target).body, b"hello", f"asked for {target!r}")
        self.assertEqual(self.ask(b"/folder/b.txt").body, b"below")
        self.assertEqual(self.ask(b"/folder/").body, b"index")
        self.assertEqual(field(self.ask(b"/folder"), b"Location"), b"/folder/")

    def test_outside(self) -> None:
        """One that leads out of the root is 404, whatever is there (RFC 1945, 12.5)."""
        self.link("file", "../secret.txt")
        self.link("whole", (self.beside / "secret.txt").resolve())
        self.link("folder", "../private", folder=True)
        self.link("up", "..", folder=True)
        self.link("prefix", "../www-private", folder=True)
        self.link("twice", "file")
        self.link("nothing", "../nothing")
        self.assert_status(
            404,
            *b"/file /whole /folder /folder/ /folder/index.html /up/secret.txt".split(),
            *b"/up/www/a.txt /up /up/ /prefix/secret.txt /prefix /twice /nothing".split(),
        )

    def test_index_outside(self) -> None:
        """The page of a folder may not be outside either (RFC 1945, 12.5)."""
        self.link("index.html", "../secret.txt")
        self.assert_status(404, b"/", b"/index.html")

    def test_index_that_leads_nowhere(self) -> None:
        """A page that is not there is none."""
        self.link("index.html", "nothing")
        self.assert_status(403, b"/")
        self.assert_status(404, b"/index.html")

    def test_loop(self) -> None:
        """Links that lead to each other are 404."""
        self.link("one", "two")
        self.link("two", "one")
        self.link("self", "self")
        self.assert_status(404, b"/one", b"/two/", b"/self", b"/self/a.txt")

    def test_root_is_a_link(self) -> None:
        """The root itself may be one."""
        try:
            (self.beside / "link").symlink_to("www", True)
        except (OSError, NotImplementedError) as error:
            raise SkipTest(f"no symbolic links here: {error}") from error
        self.handler = FileHandler(self.beside / "link", self.clock, self.open_file)
        self.link("file", (self.root / "a.txt").resolve())
        self.assertEqual(self.ask(b"/file").body, b"hello")
        self.assertEqual(self.ask(b"/sub/").body, b"index")

    def test_root_of_all(self) -> None:
        """The root may be that of the whole system."""
        folder = Path(tempfile.mkdtemp()).resolve()  # no name in its path begins with a dot
        self.addCleanup(shutil.rmtree, folder)
        (folder / "a.txt").write_bytes(b"hello")
        top = Path(folder.anchor)
        self.handler = FileHandler(top, self.clock, self.open_file)
        path = (folder / "a.txt").relative_to(top).as_posix()
        self.assertEqual(self.ask(b"/" + os.fsencode(path)).body, b"hello")
        self.assertIn(self.status(b"/"), (200, 403))


class ConditionTests(FileCase):
    """If-Modified-Since: nothing is sent twice."""

    def assert_since(self, status: int, value: bytes, target: bytes = b"/a.txt") -> Response:
        """Assert what a conditional GET is answered with."""
        response = self.ask(target, (b"If-Modified-Since", value))
        self.assertEqual(response.status, status, f"sent {value!r}")
        return response

    def test_last_modified(self) -> None:
        """It is when the file was changed, in whole seconds (RFC 1945, 10.10)."""
        for seconds, whole in ((0, 0), (0.999, 0), (-1, -1), (-NOW, -NOW)):
            self.write("a.txt", modified=NOW + seconds - 1)
            expected = format_http_date(max(NOW + whole - 1, 0))
            self.assertEqual(field(self.ask(b"/a.txt"), b"Last-Modified"), expected)

    def test_future(self) -> None:
        """It is never later than now (RFC 1945, 10.10)."""
        self.write("a.txt", modified=NOW + 1000)
        self.assertEqual(field(self.ask(b"/a.txt"), b"Last-Modified"), DATE)
        self.assert_since(200, DATE)

    def test_not_modified(self) -> None:
        """Who has the file as it is gets 304, without anything (RFC 1945, 9.3 and 10.9)."""
        for modified in (NOW, NOW - 0.5, NOW - 86400):
            self.write("a.txt", modified=modified)
            for value in (DATE, b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"):
                response = self.assert_since(304, value)
                self.assertEqual((list(response.headers), response.body), ([], b""))
        self.write("index.html", modified=NOW)
        self.assert_since(304, DATE, b"/")

    def test_beside_another_condition(self) -> None:
        """Beside If-None-Match the date does not count (RFC 9110, 13.1.3)."""
        self.write("a.txt")
        for tag in (b'"a"', b'W/"a", "b"', b""):
            response = self.ask(b"/a.txt", (b"If-Modified-Since", DATE), (b"If-None-Match", tag))
            self.assertEqual(response.status, 200, f"sent If-None-Match {tag!r}")

    def test_modified(self) -> None:
        """Who has an older one gets the file (RFC 1945, 10.9)."""
        self.write("a.txt", modified=NOW - 86399)
        self.assertEqual(self.assert_since(200, DAY_BEFORE).body, b"hello")

    def test_invalid(self) -> None:
        """What is no date, or one to come, does not count (RFC 1945, 10.9)."""
        self.write("a.txt", modified=0)
        for value in (
            *(b"", b"0", b"-1", b"\xff", DATE + b", " + DATE),
            b"Sun, 06 Nov 1994 08:49:38 GMT",
            b"Sun, 32 Nov 1994 08:49:37 GMT",
            b"Sun, 06 Nov 99999 08:49:37 GMT",
        ):
            self.assert_since(200, value)

    def test_methods(self) -> None:
        """Only GET has conditions (RFC 1945, 8.2 and 10.9)."""
        self.write("a.txt")
        condition = (b"If-Modified-Since", DATE)
        self.assertEqual(self.status(b"/a.txt", condition, method=b"HEAD"), 200)
        self.assertEqual(self.status(b"/a.txt", condition, method=b"POST"), 405)

    def test_only_if_it_would_be_200(self) -> None:
        """What is not there is not unchanged either (RFC 1945, 10.9)."""
        self.write("a/b.txt")
        for target, status in ((b"/no", 404), (b"/a", 301), (b"/a/", 403), (b"/../a.txt", 404)):
            self.assert_since(status, DATE, target)
        self.write("a.txt")

        def refuse(path: Path) -> BinaryIO:
            raise PermissionError(errno.EACCES, "no")

        self.handler = FileHandler(self.root, self.clock, refuse)
        self.assert_since(403, DATE)


class RangeTests(FileCase):
    """One range of bytes: for what begins in the middle."""

    def setUp(self) -> None:
        """Write a file of ten bytes."""
        super().setUp()
        self.write("a.txt", b"0123456789")

    def ask_range(self, value: bytes, *headers: tuple[bytes, bytes]) -> Response:
        """Return the answer to a request for a part of the file."""
        return self.ask(b"/a.txt", (b"Range", value), *headers)

    def test_ranges(self) -> None:
        """The first byte is 0 and the last one is included; or it is so many at the end.

        (RFC 9110, 14.1.2.)
        """
        for value, first, last in (
            (b"0-3", 0, 3),
            (b"0-0", 0, 0),
            (b"9-9", 9, 9),
            (b"2-", 2, 9),
            (b"2-9", 2, 9),
            (b"2-10", 2, 9),
            (b"0-", 0, 9),
            (b"000-0003", 0, 3),
            (b"2-" + 5000 * b"9", 2, 9),
            (b"-3", 7, 9),
            (b"-10", 0, 9),
            (b"-11", 0, 9),
            (b"-" + 5000 * b"9", 0, 9),
        ):
            for unit in (b"bytes=", b"Bytes="):
                response = self.ask_range(unit + value)
                self.assertEqual(response.status, 206, f"asked for {value!r}")
                self.assertEqual(response.body, b"0123456789"[first : last + 1], f"{value!r}")
                expected = b"bytes %d-%d/10" % (first, last)
                self.assertEqual(field(response, b"Content-Range"), expected)
                self.assertEqual(field(response, b"Last-Modified"), DAY_BEFORE)
                self.assertEqual(field(response, b"Content-Type"), b"text/plain; charset=utf-8")

    def test_unsatisfiable(self) -> None:
        """A range behind the end is 416, with the size (RFC 9110, 15.5.17)."""
        for value in (
            b"10-",
            b"10-20",
            b"10-10",
            b"-0",
            b"-00",
            5000 * b"9" + b"-",
            b"99999999999999999999-",
        ):
            response = self.ask_range(b"bytes=" + value)
            self.assertEqual(response.status, 416, f"asked for {value[:30]!r}")
            self.assertEqual(field(response, b"Content-Range"), b"bytes */10")

    def test_empty_file(self) -> None:
        """An empty file has no ranges (RFC 9110, 15.5.17)."""
        self.write("a.txt", b"")
        for value in (b"0-", b"0-0", b"-1"):
            response = self.ask_range(b"bytes=" + value)
            self.assertEqual(response.status, 416, f"asked for {value!r}")
            self.assertEqual(field(response, b"Content-Range"), b"bytes */0")

    def test_ignored(self) -> None:
        """Several ranges, other units and bad syntax are ignored (RFC 9110, 14.2)."""
        for value in (
            *b"bytes bytes= bytes=- bytes=3-2 bytes=0-1,3-4 bytes=a-b bytes=+1-2 bytes=1".split(),
            *b"bytes=--1 lines=1-2 bytes=0x1-2 bytes=\xb2- 1-2".split(),
            *(b"", b"bytes=1-2 ", b"bytes = 1-2", b"bytes=0-0," * 1000),
        ):
            response = self.ask_range(value)
            self.assertEqual((response.status, response.body), (200, b"0123456789"), f"{value!r}")
            self.assertIs(field(response, b"Content-Range"), None)

    def test_if_range(self) -> None:
        """A part is sent only of the file of which the client has the rest (RFC 9110, 13.1.5)."""
        for value, status in (
            (DAY_BEFORE, 206),
            (b"Saturday, 05-Nov-94 08:49:37 GMT", 206),
            (DATE, 200),
            (b"Sat, 05 Nov 1994 08:49:36 GMT", 200),
            (b'"etag"', 200),
            (b"", 200),
        ):
            response = self.ask_range(b"bytes=0-1", (b"If-Range", value))
            self.assertEqual(response.status, status, f"sent {value!r}")

    def test_if_range_with_a_weak_date(self) -> None:
        """A date proves nothing if the file may have changed twice in it (RFC 9110, 8.8.2.2)."""
        for modified in (NOW - 86399.75, NOW):
            self.write("a.txt", b"0123456789", modified=modified)
            date = format_http_date(int(modified))
            response = self.ask_range(b"bytes=0-1", (b"If-Range", date))
            actual = (response.status, response.body)
            self.assertEqual(actual, (200, b"0123456789"), f"changed at {modified}, sent {date!r}")

    def test_condition_first(self) -> None:
        """Who has the file needs no part of it (RFC 9110, 13.2.2)."""
        response = self.ask_range(b"bytes=0-1", (b"If-Modified-Since", DATE))
        self.assertEqual(response.status, 304)
        response = self.ask_range(b"bytes=0-1", (b"If-Modified-Since", b"nonsense"))
        self.assertEqual(response.status, 206)

    def test_methods(self) -> None:
        """Only GET has ranges (RFC 9110, 14.2)."""
        self.assertEqual(self.status(b"/a.txt", (b"Range", b"bytes=0-1"), method=b"HEAD"), 200)
        self.assertEqual(self.status(b"/a.txt", (b"Range", b"bytes=99-"), method=b"HEAD"), 200)

    def test_only_if_it_would_be_200(self) -> None:
        """What is not there has no parts (RFC 9110, 14.2)."""
        self.assertEqual(self.status(b"/no", (b"Range", b"bytes=0-1")), 404)

    def test_large_range(self) -> None:
        """A large range is read in pieces, from its first byte to its last."""
        data = os.urandom(3 * SMALL)
        self.write("a.txt", data)
        response = self.ask_range(b"bytes=7-%d" % (2 * SMALL))
        body: Any = response.body
        self.assertEqual(body.size, 2 * SMALL - 6)
        self.assertEqual(content(response), data[7 : 2 * SMALL + 1])

    @property_settings(300)
    @given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 20))
    def test_like_a_slice(self, first: int, last: int, size: int) -> None:
        """A range is the slice that Python would cut, or nothing (RFC 9110, 14.1.2)."""
        data = bytes(range(size))
        for value, expected in (
            (b"bytes=%d-%d" % (first, last), data[first : last + 1] if first <= last else None),
            (b"bytes=%d-" % first, data[first:]),
            (b"bytes=-%d" % last, data[size - min(last, size) :]),
        ):
            part = parse_range(value, size)
            came = None if part is None else bytes(data[index] for index in part)
            self.assertEqual(came, expected, f"{value!r} of {size}")


class ErrorTests(FileCase):
    """What the system refuses."""

    def refusing(self, error: Exception) -> Callable[[Path], BinaryIO]:
        """Return what opens files and does not."""

        def refuse(path: Path) -> BinaryIO:
            raise error

        return refuse

    def test_may_not_be_opened(self) -> None:
        """What may not be opened is 403, with HEAD too (RFC 1945, 9.4)."""
        self.write("a.txt")
        self.write("index.html")
        for code in (errno.EACCES, errno.EPERM):
            self.handler = FileHandler(self.root, self.clock, self.refusing(OSError(code, "no")))
            self.assert_status(403, b"/a.txt", b"/")

    def test_gone_meanwhile(self) -> None:
        """What has just gone, or become a link, is 404 (RFC 1945, 9.4)."""
        self.write("a.txt")
        errors = [OSError(code, "no") for code in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)]
        for error in (*errors, FileNotFoundError("no"), NotADirectoryError()):  # without a number
            self.handler = FileHandler(self.root, self.clock, self.refusing(error))
            self.assert_status(404, b"/a.txt")

    def test_no_descriptors(self) -> None:
        """While no file can be opened it is 503; later it goes on (RFC 1945, 9.5)."""
        self.write("a.txt")
        errors: list[OSError] = []

        def sometimes(path: Path) -> BinaryIO:
            if errors:
                raise errors[0]
            return self.open_file(path)

        self.handler = FileHandler(self.root, self.clock, sometimes)
        for code in (errno.EMFILE, errno.ENFILE, errno.EIO):
            errors[:] = [OSError(code, "no")]
            self.assert_status(503, b"/a.txt")
        errors.clear()
        self.assert_status(200, b"/a.txt")

    def test_unreadable(self) -> None:
        """A file that cannot be read is 503, and is closed (RFC 1945, 9.5)."""
        self.write("a.txt")

        class Broken(io.BytesIO):
            """A file on a disk that is broken."""

            def read(self, size: int | None = -1) -> bytes:
                raise OSError(errno.EIO, "no")

        broken = Broken()
        self.handler = FileHandler(self.root, self.clock, lambda path: broken)
        self.assertEqual(self.ask(b"/a.txt").status, 503)
        self.assertTrue(broken.closed)

    def test_short_reads(self) -> None:
        """A system may give fewer bytes than it has; then it is asked again."""
        self.write("a.txt", b"hello")

        class Slow(io.BytesIO):
            """A file that gives two bytes at a time."""

            def read(self, size: int | None = -1) -> bytes:
                return super().read(min(2, 5 if size is None else size))

        self.handler = FileHandler(self.root, self.clock, lambda path: Slow(b"hello, world"))
        self.assertEqual(self.ask(b"/a.txt").body, b"hello")
        self.handler = FileHandler(self.root, self.clock, lambda path: Slow(b"hel"))
        self.assertEqual(self.ask(b"/a.txt").body, b"hel")

    def test_root_is_gone(self) -> None:
        """A root that is not there has nothing in it (RFC 1945, 9.4)."""
        self.root.rmdir()
        self.assert_status(404, b"/", b"/a.txt")

    def test_root_is_a_file(self) -> None:
        """Nor has one that is a file (RFC 1945, 9.4)."""
        self.handler = FileHandler(self.write("a.txt"), self.clock, self.open_file)
        self.assert_status(404, b"/", b"/a.txt")

    def test_fifo(self) -> None:
        """A FIFO is 404, and nobody waits for it (RFC 1945, 9.4)."""
        if not hasattr(os, "mkfifo"):
            raise SkipTest("no FIFOs here")
        os.mkfifo(self.root / "fifo")
        self.link("link", "fifo")
        self.assert_status(404, b"/fifo", b"/link", b"/fifo/")

    def test_fifo_in_the_place_of_a_file(self) -> None:
        """Nor if it was put there just now."""
        if not hasattr(os, "mkfifo"):
            raise SkipTest("no FIFOs here")
        path = self.write("a.txt")

        def swap(path: Path) -> BinaryIO:
            path.unlink()
            os.mkfifo(path)
            return self.open_file(path)

        self.handler = FileHandler(self.root, self.clock, swap)
        self.assertEqual(self.ask(b"/a.txt").status, 404)
        self.assertFalse(path.is_file())

    def test_link_in_the_place_of_a_file(self) -> None:
        """What became a link just now is not followed (RFC 1945, 12.5)."""
        if not hasattr(os, "O_NOFOLLOW"):
            raise SkipTest("no such flag here")
        (self.beside / "secret.txt").write_bytes(b"secret")
        self.write("a.txt")

        def swap(path: Path) -> BinaryIO:
            path.unlink()
            path.symlink_to(self.beside.resolve() / "secret.txt")
            return self.open_file(path)

        self.handler = FileHandler(self.root, self.clock, swap)
        self.assertEqual(self.ask(b"/a.txt").status, 404)

    def test_socket(self) -> None:
        """A socket is 404 (RFC 1945, 9.4)."""
        if not hasattr(socket, "AF_UNIX"):
            raise SkipTest("no such sockets here")
        with socket.socket(socket.AF_UNIX) as server:
            before = Path.cwd()
            os.chdir(self.root)  # such a path may not be long
            try:
                server.bind("socket")
            finally:
                os.chdir(before)
        self.assert_status(404, b"/socket")

    def test_explanations(self) -> None:
        """Each error is explained, and names no path of the system (RFC 1945, 9.4)."""
        self.write("a.txt")
        headers: Headers = ((b"Range", b"bytes=99-"),)
        for target, status in ((b"/no", 404), (b"/", 403), (b"/a.txt", 416)):
            response = self.ask(target, *headers)
            self.assertEqual(response.status, status)
            self.assertIn(b"%d " % status, content(response))
            self.assertNotIn(os.fsencode(self.root.name), content(response))
            self.assertEqual(field(response, b"Content-Type"), b"text/plain; charset=utf-8")


class ListTests(FileCase):
    """A folder without a page, if folders are listed."""

    def setUp(self) -> None:
        """List folders."""
        super().setUp()
        self.handler = FileHandler(self.root, self.clock, self.open_file, listing=True)

    def links(self, target: bytes) -> list[bytes]:
        """Return where the links of a listing lead to."""
        response = self.ask(target)
        self.assertEqual(response.status, 200)
        self.assertEqual(field(response, b"Content-Type"), b"text/html; charset=utf-8")
        return [part.partition(b'"')[0] for part in content(response).split(b'<a href="')[1:]]

    def test_listing(self) -> None:
        """It shows all that can be asked for: folders, then files."""
        self.write("b.txt")
        self.write("A b")
        self.write("sub/c.txt")
        self.assertEqual(self.links(b"/"), [b"./sub/", b"./A%20b", b"./b.txt"])
        self.assertEqual(self.links(b"/sub/"), [b"../", b"./c.txt"])

    def test_index_first(self) -> None:
        """A folder with a page shows its page."""
        self.write("index.html", b"page")
        self.assertEqual(self.ask(b"/").body, b"page")

    def test_hidden(self) -> None:
        """What is not served is not shown."""
        self.write(".env")
        self.write(".git/config")
        self.write("a.txt")
        if hasattr(os, "mkfifo"):
            os.mkfifo(self.root / "fifo")
        for name in ("a\nb", "a\\b"):
            try:
                self.write(name)
            except OSError:
                continue  # not on this system
        expected = [b"./a/", b"./a.txt"] if os.name == "nt" else [b"./a.txt"]
        self.assertEqual(self.links(b"/"), expected)

    def test_links(self) -> None:
        """Links that lead out of the root, or nowhere, are not shown (RFC 1945, 12.5)."""
        (self.beside / "secret.txt").write_bytes(b"secret")
        self.write("a.txt", 1500 * b"x")
        self.write("sub/b.txt")
        self.link("out", "../secret.txt")
        self.link("up", "..", folder=True)
        self.link("nothing", "nowhere")
        self.link("loop", "loop")
        self.link("file", "a.txt")
        self.link("folder", "sub", folder=True)
        self.assertEqual(self.links(b"/"), [b"./folder/", b"./sub/", b"./a.txt", b"./file"])
        self.assertEqual(content(self.ask(b"/")).count(b"<td>1.5 KiB</td>"), 2)

    def test_head(self) -> None:
        """HEAD has the same fields and the same size (RFC 1945, 8.2)."""
        self.write("a.txt")
        get, head = self.ask(b"/"), self.ask(b"/", method=b"HEAD")
        self.assertEqual(get, head)

    def test_title(self) -> None:
        """The path is shown decoded, and escaped (RFC 1945, 12.5)."""
        self.write("a&b/c.txt")
        self.assertIn(b"<h1>/a&amp;b/</h1>", content(self.ask(b"/%61%26b/?<c>")))

    def test_absolute_target(self) -> None:
        """The authority of a target is not shown (RFC 9112, 3.2.2)."""
        self.assertIn(b"<h1>/</h1>", content(self.ask(b"http://evil?a")))

    def test_missing(self) -> None:
        """What is not there is not listed (RFC 1945, 9.4)."""
        self.write("a.txt")
        self.assert_status(404, b"/no/", b"/a.txt/", b"/../", b"//")

    def many(self, number: int = 2 * STEP) -> None:
        """Write so many files that the page is not made in one turn."""
        for name in range(number):
            (self.root / f"{name:05}").touch()

    def test_large_folder(self) -> None:
        """The page of a large folder is made in several turns, so that others are served."""
        self.many()
        turns: list[float] = []
        call_later = self.clock.callLater

        def note(seconds: float, *args: Any) -> Any:
            turns.append(seconds)
            return call_later(seconds, *args)

        self.patch(self.clock, "callLater", note)
        answer: Any = self.handler(Request(b"GET", b"/", (1, 0)))
        self.assertNoResult(answer)
        self.clock.advance(0)
        self.assertEqual(turns, [0, 0, 0, 0], "two to look at the names, two to write them")
        page = content(self.successResultOf(answer))
        names = re.findall(b'<a href="./([0-9]+)"', page)
        self.assertEqual(names, [b"%05d" % name for name in range(2 * STEP)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_large_folder_for_many(self) -> None:
        """All who ask while a page is made share the next one."""
        self.many()
        looked: list[None] = []
        iterdir = Path.iterdir

        def look(path: Path) -> Iterator[Path]:
            looked.append(None)
            return iterdir(path)

        self.patch(Path, "iterdir", look)
        answers: list[Any] = [
            self.handler(Request(method, b"/", (1, 0))) for method in 20 * (b"HEAD", b"GET")
        ]
        (self.root / "new").touch()
        self.clock.advance(0)
        pages = {content(self.successResultOf(answer)) for answer in answers[1:]}
        self.assertEqual((len(looked), len(pages)), (2, 1))
        self.assertIn(b'"./new"', pages.pop())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody_waits(self) -> None:
        """A page for which nobody waits any more is not made; the next one is."""
        self.many()
        request = Request(b"GET", b"/", (1, 0))
        gone: Any = self.handler(request)
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        late: Any = self.handler(request)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(late).status, 200)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_folder_that_breaks(self) -> None:
        """An error that comes late is answered like one at once (RFC 1945, 9.4)."""

        def fail(path: Path) -> Iterator[Path]:
            for name in range(2 * STEP):
                yield path / f"{name}"
            raise error

        self.patch(Path, "iterdir", fail)
        for error, status in ((PermissionError(errno.EACCES, "no"), 403), (OSError("io"), 503)):
            answer: Any = self.handler(Request(b"GET", b"/", (1, 0)))
            self.clock.advance(0)
            self.assertEqual(self.successResultOf(answer).status, status, f"raised {error!r}")

    def test_may_not_be_listed(self) -> None:
        """A folder that may not be read is 403 (RFC 1945, 9.4)."""

        def refuse(path: Path) -> None:
            raise PermissionError(errno.EACCES, "no")

        self.patch(Path, "iterdir", refuse)
        self.assert_status(403, b"/")

    def test_odd_names(self) -> None:
        """All that is shown is found where its link leads to."""
        for name in (
            b"a?b",
            b"a#b",
            b"a%41",
            b"<b>",
            b'"',
            b"javascript:x",
            b"\xe9",
            b"a b",
            b"'&'",
        ):
            try:
                self.write(os.fsdecode(name), name)
            except (OSError, ValueError):
                continue  # not on this system
        links = self.links(b"/")
        self.assertGreater(len(links), 3)
        for link in links:
            self.assertEqual(self.status(link[1:]), 200, f"link {link!r}")
