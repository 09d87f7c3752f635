"""Rules of HTTP that have no other test: ``docs/http.md`` names the test of every rule.

Here a whole server is asked, with a folder behind it, and nothing but bytes is looked at.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from toyhttp.channel import Handler, HTTPChannel, HTTPFactory
from toyhttp.files import SMALL, FileHandler
from toyhttp.request import Request
from toyhttp.response import Response, text_response

timeout = 60

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
GET = b"GET /a.txt HTTP/1.0\r\n\r\n"
LARGE = SMALL + 1

GENERAL = {b"Date", b"Connection", b"Pragma"}
RESPONSE = {b"Location", b"Server", b"WWW-Authenticate"}


class Answer:
    """What came back: the status, the header fields and the body."""

    def __init__(self, data: bytes) -> None:
        head, self.blank, self.body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.status_line = lines[0]
        self.status = int(lines[0].split(b" ")[1])
        self.fields = [(name, value) for name, _, value in (x.partition(b": ") for x in lines[1:])]

    def field(self, name: bytes) -> bytes | None:
        """Return the value of a header field that comes at most once."""
        values = [value for other, value in self.fields if other == name]
        assert len(values) < 2, f"{name!r} came {len(values)} times"
        return values[0] if values else None

    def names(self) -> list[bytes]:
        """Return the names of the header fields, in their order."""
        return [name for name, _ in self.fields]


class ServerCase(TestCase):
    """A test with a server of a folder, and a folder beside it."""

    def setUp(self) -> None:
        """Write files, small and large, and one that nobody may have."""
        beside = Path(self.mktemp())
        self.root = beside / "www"
        (self.root / "sub").mkdir(parents=True)
        (self.root / "list").mkdir()
        (beside / "secret.txt").write_bytes(b"secret")
        for name, content in (
            ("a.txt", b"hello\r\nworld\n"),
            ("large.bin", LARGE * b"x"),
            ("sub/index.html", b"<p>index"),
            ("list/b.html.gz", b"\x1f\x8b\x08"),
        ):
            path = self.root / name
            path.write_bytes(content)
            os.utime(path, (NOW - 86400, NOW - 86400))
        self.clock = Clock()
        self.clock.advance(NOW)
        self.handler: Handler = FileHandler(self.root, self.clock, listing=True)

    def connect(self) -> tuple[HTTPChannel, StringTransport]:
        """Connect a client."""
        channel = HTTPFactory(self.handler, self.clock).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        self.addCleanup(channel.connectionLost, Failure(ConnectionDone()))
        return channel, transport

    def send(self, sent: bytes) -> tuple[bytes, bool]:
        """Return all that comes back, and whether the connection is closed then."""
        channel, transport = self.connect()
        channel.dataReceived(sent)
        while transport.producer is not None:  # so does a transport whose client reads
            transport.producer.resumeProducing()
        return transport.value(), transport.disconnecting

    def ask(self, sent: bytes) -> Answer:
        """Return the one answer that comes back, before the connection is closed."""
        came, closed = self.send(sent)
        self.assertTrue(closed, f"sent {sent[:80]!r}, not closed")
        return Answer(came)

    def files(self) -> dict[str, bytes]:
        """Return what is in the folder."""
        paths = [path for path in self.root.rglob("*") if path.is_file()]
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}


def request(
    line: bytes = b"GET /a.txt", *fields: bytes, version: bytes = b"1.0", body: bytes = b""
) -> bytes:
    """Return the bytes of a request."""
    return b"\r\n".join([line + b" HTTP/" + version, *fields, b"", body])


MANY: tuple[tuple[bytes, int], ...] = (
    (request(), 200),
    (request(b"GET /large.bin"), 200),
    (request(b"GET /list/"), 200),
    (request(b"GET /a.txt", b"Range: bytes=1-2"), 206),
    (request(b"GET /sub"), 301),
    (request(b"GET /a.txt", b"If-Modified-Since: " + DATE), 304),
    (request(b"GET a.txt"), 400),
    (request(b"GET /no"), 404),
    (request(b"GET /.env"), 404),
    (request(b"POST /a.txt", b"Content-Length: 1", body=b"x"), 405),
    (request(b"POST /a.txt", b"Content-Length: 99999999"), 413),
    (request(b"GET /" + 9000 * b"a"), 414),
    (request(b"GET /a.txt", b"Range: bytes=99-"), 416),
    (request(b"GET /a.txt", b"X: " + 20000 * b"a"), 431),
    (request(b"BREW /a.txt"), 501),
    (request(b"GET /a.txt", version=b"2.0"), 505),
)
"""Requests, and the status that they get."""


class MessageTests(ServerCase):
    """What every answer has."""

    def test_status_line(self) -> None:
        """Version, space, three digits, space, phrase, CRLF, on every answer (RFC 1945, 6.1)."""
        for sent, status in MANY:
            line = self.ask(sent).status_line
            self.assertRegex(line, rb"\AHTTP/1\.0 %d [A-Z][A-Za-z ]*\Z" % status, f"{sent[:60]!r}")

    def test_case_of_the_version(self) -> None:
        """Since later RFCs ``http/1.0`` is no version: 400 (RFC 9112, 2.3)."""
        for version in (b"http/1.0", b"Http/1.1"):
            sent = b"GET / " + version + b"\r\n\r\n"
            self.assertEqual(self.ask(sent).status, 400, f"sent {sent!r}")

    def test_number_of_words(self) -> None:
        """One word, or four, are 400; a space in a name is not put right (RFC 9112, 3.2)."""
        (self.root / "a b").write_bytes(b"repaired")
        for words in (
            b"GET",
            b"/a.txt",
            b"GET /a b HTTP/1.0",
            b"GET /a b c d",
            b"GET / HTTP/1.0 x",
        ):
            for end in (b"\r\n", b"\r\n\r\n"):
                answer = self.ask(words + end)
                self.assertEqual(answer.status, 400, f"sent {words + end!r}")
        self.assertEqual(self.ask(request(b"GET /a%20b")).body, b"repaired")

    def test_no_transfer_encoding(self) -> None:
        """No answer has a Transfer-Encoding, whatever the client's version (RFC 9112, 6.1)."""
        for sent, status in MANY:
            for version in (b" HTTP/1.0\r\n", b" HTTP/1.1\r\n"):
                answer = self.ask(sent.replace(b" HTTP/1.0\r\n", version))
                self.assertEqual(answer.status, status, f"sent {sent[:60]!r}")
                self.assertNotIn(b"Transfer-Encoding", answer.names(), f"sent {sent[:60]!r}")

    def test_order(self) -> None:
        """General fields come first, those of the response next, others last (RFC 1945, 4.2)."""
        for sent, _ in MANY:
            names = self.ask(sent).names()
            ranks = [0 if name in GENERAL else 1 if name in RESPONSE else 2 for name in names]
            self.assertEqual(ranks, sorted(ranks), f"sent {sent[:60]!r}, came {names!r}")
            self.assertEqual(len(names), len(set(names)), f"sent {sent[:60]!r}, came {names!r}")

    def test_date(self) -> None:
        """Every answer has a Date, whatever its status (RFC 1945, 10.6)."""
        for sent, _ in MANY:
            self.assertEqual(self.ask(sent).field(b"Date"), DATE, f"sent {sent[:60]!r}")

    def test_every_body_has_a_length(self) -> None:
        """Content-Length is right; 304 alone has neither it nor a body (RFC 1945, 7.2, 10.4)."""
        for sent, status in MANY:
            answer = self.ask(sent)
            self.assertEqual(answer.blank, b"\r\n\r\n")
            expected = None if status == 304 else b"%d" % len(answer.body)
            self.assertEqual(answer.field(b"Content-Length"), expected, f"sent {sent[:60]!r}")

    def test_every_body_has_a_type(self) -> None:
        """Content-Type is there, and errors are explained in plain text (RFC 1945, 7.2.1, 9.4)."""
        for sent, status in MANY:
            answer = self.ask(sent)
            came = answer.field(b"Content-Type")
            self.assertEqual(came is None, status == 304, f"sent {sent[:60]!r}")
            if status >= 400:
                self.assertEqual(came, b"text/plain; charset=utf-8", f"sent {sent[:60]!r}")
                self.assertRegex(answer.body, rb"\A%d [A-Za-z ]+: .+\.\n\Z" % status)

    def test_nothing_else_is_sent(self) -> None:
        """No ETag, Expires, Retry-After, cookie, CORS: a file has these (RFC 1945, 7.1, D.2.8)."""
        expected = b"Date Server Last-Modified Content-Type Accept-Ranges Content-Length".split()
        sent = request(b"GET /a.txt", b"Origin: http://h", b"Cookie: a=b")
        self.assertEqual(self.ask(sent).names(), expected, f"sent {sent!r}")
        allowed = {*expected, b"Location", b"Allow", b"Content-Range"}
        for sent, _ in MANY:
            self.assertEqual(set(self.ask(sent).names()) - allowed, set(), f"sent {sent[:60]!r}")

        def overloaded(path: Path) -> BinaryIO:
            raise OSError(errno.EMFILE, "no")

        self.handler = FileHandler(self.root, self.clock, overloaded)
        answer = self.ask(GET)
        self.assertEqual((answer.status, set(answer.names()) - allowed), (503, set()))

    def test_fields_of_a_304(self) -> None:
        """304 has Date and Server, no length that were not the file's, and ends (RFC 1945, 9.3)."""
        sent = request(b"GET /a.txt", b"If-Modified-Since: " + DATE)
        answer = self.ask(sent)
        came = (answer.status, answer.names(), answer.body)
        self.assertEqual(came, (304, [b"Date", b"Server"], b""), f"sent {sent!r}")

    def test_challenge(self) -> None:
        """A handler's 401 is sent with its challenge, as it stands (RFC 1945, 9.4, 10.16)."""
        field = (b"WWW-Authenticate", b'Basic realm="a b"')
        response = Response(401, [field], b"no\n")
        self.handler = lambda request: response
        answer = self.ask(GET)
        self.assertEqual((answer.status, answer.field(field[0])), (401, field[1]))


class MethodTests(ServerCase):
    """GET, HEAD, POST, and all others."""

    def test_head_is_get_without_its_body(self) -> None:
        """HEAD has the status, the fields and the length of the GET (RFC 1945, 8.2)."""
        for sent, _ in MANY:
            if not sent.startswith(b"GET "):
                continue
            for field in (b"Range", b"If-Modified-Since"):  # GET alone has these
                sent = sent.replace(b"\r\n" + field, b"\r\nX-No-" + field)
            (get, _), (head, closed) = self.send(sent), self.send(sent.replace(b"GET", b"HEAD"))
            self.assertEqual(head, get.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", f"{sent[:60]!r}")
            self.assertTrue(closed, f"sent {sent[:60]!r}")

    def test_nothing_is_written(self) -> None:
        """No method changes the folder: not GET or HEAD, and the rest is 501 (RFC 1945, 12.2)."""
        before = self.files()
        for method in (b"GET", b"HEAD"):
            self.ask(request(method + b" /a.txt?delete=1"))
        for method in b"PUT DELETE PATCH LINK UNLINK MKCOL MOVE COPY".split():
            for target in (b"/a.txt", b"/new.txt", b"/sub/"):
                sent = request(method + b" " + target, b"Content-Length: 1", body=b"x")
                self.assertEqual(self.ask(sent).status, 501, f"sent {sent!r}")
        sent = request(b"POST /new.txt", b"Content-Length: 1", body=b"x")
        self.assertEqual(self.ask(sent).status, 405, f"sent {sent!r}")
        self.assertEqual(self.files(), before)

    def test_nothing_is_reflected(self) -> None:
        """TRACE does not show what a browser sent, cookies too (RFC 9110, 9.3.8)."""
        came, closed = self.send(request(b"TRACE /a.txt", b"Cookie: secret"))
        self.assertEqual((Answer(came).status, closed), (501, True))
        self.assertNotIn(b"secret", came)

    def test_no_tunnel(self) -> None:
        """CONNECT opens nothing, and what follows it goes nowhere (RFC 9110, 9.3.6)."""
        for target in (b"example.org:443", b"127.0.0.1:22", b"/a.txt"):
            alone = self.ask(request(b"CONNECT " + target))
            answer = self.ask(request(b"CONNECT " + target) + GET)
            self.assertEqual((answer.status, answer.body), (501, alone.body), f"to {target!r}")

    def test_target_of_an_unknown_method(self) -> None:
        """OPTIONS has a target of its own, and is 501 as well, not 400 (RFC 1945, 9.5)."""
        for target in (b"*", b"/a.txt"):
            self.assertEqual(self.ask(request(b"OPTIONS " + target)).status, 501)
        self.assertEqual(self.ask(request(b"GET *")).status, 400)

    def test_handler_of_post_alone(self) -> None:
        """A handler says itself which methods it has; its 405 is for HEAD, too (RFC 1945, 10.1)."""

        def only_post(request: Request) -> Response:
            if request.method == b"POST":
                return Response(200, [(b"Content-Type", b"text/plain")], request.body)
            refusal = text_response(405, "Only POST.")
            return Response(405, [(b"Allow", b"POST"), *refusal.headers], refusal.body)

        self.handler = only_post
        sent = request(b"POST /", b"Content-Length: 4", body=b"data")
        self.assertEqual(self.ask(sent).body, b"data", f"sent {sent!r}")
        for method in (b"GET", b"HEAD"):
            answer = self.ask(request(method + b" /"))
            self.assertEqual((answer.status, answer.field(b"Allow")), (405, b"POST"))
            self.assertEqual(bool(answer.body), method == b"GET", f"answer to {method!r}")


class FieldTests(ServerCase):
    """What a client's header fields do, and do not."""

    def test_only_these_two_are_white_space(self) -> None:
        """SP and HT around a value are dropped, nothing that Python calls space (RFC 1945, 2.2)."""
        seen: list[bytes | None] = []

        def handler(request: Request) -> Response:
            seen.append(request.header(b"X"))
            return Response(200)

        self.handler = handler
        for space in (b"\x0b", b"\x0c", b"\x1c", b"\x1f", b"\x85", b"\xa0"):
            value = space + b"a" + space
            self.ask(request(b"GET /", b"X: \t" + value + b"\t "))
            self.assertEqual(seen.pop(), value)

    def test_unknown_fields(self) -> None:
        """What HTTP/1.0 or a server of files does not know is ignored (RFC 1945, 7.1)."""
        (expected, _) = self.send(GET)
        for field in (
            *(b"Host: h", b"Host: odd host", b"Accept: image/png", b"Accept: */*;q=0"),
            *(b"Accept-Charset: x", b"Accept-Encoding: gzip", b"Accept-Language: de"),
            *(b"Cookie: a=b", b"Upgrade: h2c, websocket", b"Range: lines=1-2", b"TE: trailers"),
            *(b"Expect: 100-continue", b"Expect: x", b"Pragma: no-cache", b"From: a@b"),
            *(b"Cache-Control: no-cache", b"If-None-Match: *", b'If-Match: "a"'),
            *(b"If-Unmodified-Since: x", b"User-Agent: (", b"Referer: x y", b"MIME-Version: 1.0"),
            *(b"Proxy-Authorization: x", b"X-HTTP-Method-Override: DELETE", b"Max-Forwards: 0"),
            *(b"Content-Type: a/b", b"Content-Encoding: gzip", b"Trailer: X", b"Forwarded: for=x"),
        ):
            for version in (b"1.0", b"1.1"):
                came, closed = self.send(request(b"GET /a.txt", field, version=version))
                self.assertEqual((came, closed), (expected, True), f"sent {field!r}, {version!r}")

    def test_authorization(self) -> None:
        """Nothing here is protected, so credentials change nothing (RFC 1945, 10.2)."""
        (expected, _) = self.send(GET)
        for value in (b"Basic YTpi", b"Basic", b"Basic \xff", b"x y z", b""):
            came, _ = self.send(request(b"GET /a.txt", b"Authorization: " + value))
            self.assertEqual(came, expected, f"sent {value!r}")

    def test_what_browsers_send(self) -> None:
        """Fifty fields and a cookie of 4 KB are nothing special (RFC 9110, 5.4)."""
        fields = [b"X-Field-%d: value" % number for number in range(49)]
        answer = self.ask(request(b"GET /a.txt", *fields, b"Cookie: " + 4096 * b"a"))
        self.assertEqual(answer.status, 200)

    def test_nothing_is_compressed(self) -> None:
        """A .gz file is a file like any other, and no other is made one (RFC 1945, 10.3)."""
        accept = b"Accept-Encoding: gzip, x-gzip, br"
        answer = self.ask(request(b"GET /list/b.html.gz", accept))
        self.assertEqual(answer.field(b"Content-Type"), b"application/gzip")
        self.assertEqual(answer.body, b"\x1f\x8b\x08")
        self.assertNotIn(b"Content-Encoding", answer.names())
        answer = self.ask(request(b"GET /a.txt", accept))
        self.assertEqual(answer.body, b"hello\r\nworld\n")
        self.assertNotIn(b"Content-Encoding", answer.names())


class LengthTests(ServerCase):
    """Content-Length, when it is odd."""

    def test_no_number(self) -> None:
        """Anything but digits is 400 and the end, on GET too (RFC 1945, 10.4, RFC 9112, 6.3)."""
        for length in (
            *b'-5 +5 0x5 5.0 5e0 1_0 "5" 5; 5,5 5,6'.split(),
            *(
                b"",
                b"5 5",
                b"\xd9\xa5",
                b"\xb2",
                b"\xc2\xb2",
                b"5\x00",
                b"\x005",
                b"\x0b5",
                b"5\x85",
            ),
        ):
            for method in (b"GET", b"HEAD", b"POST"):
                sent = request(method + b" /a.txt", b"Content-Length: " + length, body=b"01234")
                answer = self.ask(sent + GET)
                self.assertEqual(answer.status, 400, f"sent {sent!r}")
                self.assertNotIn(b"hello", answer.body, f"sent {sent!r}")

    def test_no_wrap(self) -> None:
        """A length that is 5 modulo a power of two is not 5 (RFC 9112, 6.3)."""
        for bits in (8, 16, 31, 32, 63, 64, 128):
            length = 2**bits + 5
            sent = request(b"POST /a.txt", b"Content-Length: %d" % length, body=b"01234")
            if bits < 20:  # it is waited for
                self.assertEqual(self.send(sent), (b"", False), f"sent {sent!r}")
            else:
                self.assertEqual(self.ask(sent).status, 413, f"sent {sent!r}")


class PathTests(ServerCase):
    """No kind of request reaches what is outside the folder."""

    def test_climbing_in_every_kind_of_request(self) -> None:
        """What a GET may not have no other request gets (RFC 1945, 12.5)."""
        since = b"If-Modified-Since: " + DATE
        for path in (
            *b"/../secret.txt /%2e%2e/secret.txt /sub/../../secret.txt /..%2fsecret.txt".split(),
            *b"/..\\secret.txt /%252e%252e/secret.txt //../secret.txt /no/../../secret.txt".split(),
        ):
            for sent in (
                request(b"GET " + path),
                request(b"HEAD " + path),
                request(b"POST " + path, b"Content-Length: 0"),
                request(b"GET http://h" + path),
                request(b"GET " + path, since),
                request(b"GET http://h" + path, since, version=b"1.1"),
                request(b"GET " + path, b"Range: bytes=0-2"),
                request(b"GET " + path, b"Range: bytes=-2", b"If-Range: " + DATE),
                request(b"PUT " + path, b"Content-Length: 0"),
            ):
                answer = self.ask(sent)
                self.assertIn(answer.status, (400, 404, 405, 501), f"sent {sent!r}")
                self.assertNotIn(b"secret", answer.body, f"sent {sent!r}")
            came, closed = self.send(b"GET " + path + b"\r\n")
            self.assertEqual((came[:4], closed), (b"404 ", True), f"sent GET {path!r}")

    def test_files_for_simple_requests(self) -> None:
        """A client of HTTP/0.9 gets the bytes of a file, small or large (RFC 1945, 6)."""
        for target, expected in (
            (b"/a.txt", b"hello\r\nworld\n"),
            (b"/large.bin", LARGE * b"x"),
            (b"/sub/", b"<p>index"),
        ):
            self.assertEqual(self.send(b"GET " + target + b"\r\n"), (expected, True), f"{target!r}")
        came, closed = self.send(b"GET /no\r\n")
        self.assertEqual((came[:14], closed), (b"404 Not Found:", True))


class StrangerTests(ServerCase):
    """Clients that speak something else."""

    def test_other_protocols(self) -> None:
        """They are told 400 or 501 at the end of their first line, and closed (RFC 1945, 9.4)."""
        for sent, status in (
            (b"SSH-2.0-OpenSSH_9.6\r\n", 400),
            (b"EHLO example.org\r\n", 400),
            (b"USER anonymous\r\n", 400),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n" + GET, 400),
            (b"\r\n\r\n\x00\r\nQUIT\n", 400),  # PROXY v2
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03ab\ncd", 400),  # TLS
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501),
            (b"RTSP rtsp://h/a RTSP/1.0\r\n\r\n", 501),
            (b"*1\r\n$4\r\nPING\r\n", 400),  # Redis
        ):
            answer = self.ask(sent)
            self.assertEqual(answer.status, status, f"sent {sent!r}")
            self.assertNotIn(b"hello", answer.body, f"sent {sent!r}")

    def test_other_protocols_without_lines(self) -> None:
        """Who never ends a line is closed when its time is over (RFC 9110, 15.5.9)."""
        for sent in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x05\x01\x00"):
            channel, transport = self.connect()
            channel.dataReceived(sent)
            self.assertEqual((transport.value(), transport.disconnecting), (b"", False))
            self.clock.advance(60)
            self.assertTrue(transport.disconnecting, f"sent {sent!r}")


def kept(
    line: bytes = b"GET /a.txt", *fields: bytes, version: bytes = b"1.0", body: bytes = b""
) -> bytes:
    """Return the bytes of a request that asks for another one."""
    if body:
        fields = (*fields, b"Content-Length: %d" % len(body))
    return request(line, b"Connection: keep-alive", *fields, version=version, body=body)


class ConnectionTests(ServerCase):
    """Connections that are kept, and those that are closed."""

    def answers(self, sent: bytes, *methods: bytes) -> tuple[list[Answer], bool]:
        """Cut what comes back into answers by their lengths alone, as a client does.

        :param methods: those of the requests.
        :returns: the answers, and whether the connection is closed.
        """
        came, closed = self.send(sent)
        found = []
        for method in methods:
            end = came.index(b"\r\n\r\n") + 4
            answer = Answer(came[:end])
            if method != b"HEAD" and answer.status != 304:
                end += int(answer.field(b"Content-Length") or b"no length")
            found.append(Answer(came[:end]))
            came = came[end:]
        self.assertEqual(came, b"", f"came behind the answers to {sent[:200]!r}")
        return found, closed

    def test_later_version(self) -> None:
        """A client of HTTP/1.1 is answered once, and then it is closed (RFC 9112, 9.3)."""
        for field in (b"Host: h", b"Connection: TE", b"Connection: close"):
            sent = request(b"GET /a.txt", field, version=b"1.1")
            (answer,), closed = self.answers(sent + GET, b"GET")
            came = (answer.status_line, answer.field(b"Connection"), closed)
            self.assertEqual(came, (b"HTTP/1.0 200 OK", None, True), f"sent {sent!r}")

    def test_later_version_that_asks(self) -> None:
        """If it asks for keep-alive it gets that, in HTTP/1.0 (RFC 2068, 19.7.1)."""
        sent = kept(version=b"1.1") + kept(b"GET /large.bin", version=b"1.1")
        answers, closed = self.answers(sent, b"GET", b"GET")
        for answer in answers:
            came = (answer.status_line, answer.field(b"Connection"))
            self.assertEqual(came, (b"HTTP/1.0 200 OK", b"keep-alive"))
        self.assertFalse(closed)

    def test_lengths_of_kept_answers(self) -> None:
        """Every answer that is followed by another one says where it ends (RFC 1945, 10.4)."""
        for sent, status in MANY:
            if not sent.startswith(b"GET ") or status in (400, 414, 431, 505):
                continue
            for method in (b"GET", b"HEAD"):
                first = sent.replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1)
                first = first.replace(b"GET ", method + b" ")
                (one, two), closed = self.answers(first + kept(), method, b"GET")
                self.assertEqual(one.field(b"Connection"), b"keep-alive", f"sent {first!r}")
                self.assertEqual((two.status, two.body), (200, b"hello\r\nworld\n"))
                self.assertFalse(closed, f"sent {first!r}")

    def test_bodies_are_read(self) -> None:
        """The body of a request is never the next request, on any path (RFC 9112, 9.3)."""
        for body in (GET, kept(b"GET /no"), b"\r\n\r\n\x00\xff"):
            for line, field, status in (
                (b"GET /a.txt", b"X: y", 200),
                (b"GET /large.bin", b"X: y", 200),
                (b"HEAD /large.bin", b"X: y", 200),
                (b"GET /a.txt", b"If-Modified-Since: " + DATE, 304),
                (b"GET /a.txt", b"Range: bytes=1-2", 206),
                (b"GET /a.txt", b"Range: bytes=99-", 416),
                (b"GET /sub", b"X: y", 301),
                (b"GET /no", b"X: y", 404),
                (b"POST /a.txt", b"X: y", 405),
            ):
                sent = kept(line, field, body=body) + kept()
                (one, two), closed = self.answers(sent, line[:4].strip(), b"GET")
                came = (one.status, two.status, two.body, closed)
                expected = (status, 200, b"hello\r\nworld\n", False)
                self.assertEqual(came, expected, f"sent {sent!r}")

    def test_doubt(self) -> None:
        """Who sent what is not understood is told so, and closed (RFC 9112, 2.2, 6.3)."""
        for bad in (
            kept(b"GET a.txt"),
            kept(b"POST /a.txt"),
            kept(b"PUT /a.txt", body=GET),
            kept(b"GET /a.txt", version=b"2.0"),
            kept(b"GET /a.txt", b"No colon"),
            kept(b"GET /a.txt", b"Content-Length: 1, 1", body=b""),
            kept(b"GET /a.txt", b"Content-Length: 3", b"Content-Length: 4") + b"abcd",
            kept(b"GET /a.txt", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
            kept(b"POST /a.txt", b"Content-Length: 99999999"),
        ):
            (one, two), closed = self.answers(kept() + bad + kept(), b"GET", b"GET")
            self.assertEqual(one.status, 200)
            self.assertGreaterEqual(two.status, 400, f"sent {bad!r}")
            self.assertEqual((two.field(b"Connection"), closed), (None, True), f"sent {bad!r}")

    def test_transfer_encoding_of_a_later_version(self) -> None:
        """It is refused whatever the version, and nothing behind it is read (RFC 9112, 6.1)."""
        for version in (b"1.0", b"1.1"):
            for fields, status in (
                ((b"Transfer-Encoding: chunked",), 501),
                ((b"Transfer-Encoding: identity",), 501),
                ((b"Transfer-Encoding: chunked", b"Content-Length: 5"), 400),
            ):
                sent = kept(b"POST /a.txt", *fields, version=version) + b"0\r\n\r\n" + kept()
                (answer,), closed = self.answers(sent, b"POST")
                self.assertEqual((answer.status, closed), (status, True), f"sent {sent!r}")
