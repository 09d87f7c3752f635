"""Stage 10: keep the connection. These are the tests of the solution.

They are in the order in which you would make them pass:
``trial --order toptobottom exercises.stage10``
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.files import FileHandler
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response

timeout = 5  # seconds, for each test; Trial's own limit is two minutes


def show(request: Request) -> Response:
    """Answer with the target, and the body if there is one: the handler of most tests."""
    return Response(200, body=b"<" + request.target + request.body + b">")


def get(target: str, *fields: str, method: str = "GET", body: str = "") -> bytes:
    """Return the bytes of a request that asks for keep-alive."""
    lines = [f"{method} {target} HTTP/1.0", "Connection: keep-alive", *fields, "", body]
    return "\r\n".join(lines).encode()


class Later:
    """A handler that keeps the Deferreds that it returned, by the target asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, Deferred[Response]] = {}

    def __call__(self, request: Request) -> Deferred[Response]:
        target = request.target.decode()
        self.answers[target] = Deferred()
        return self.answers[target]

    def answer(self, *targets: str) -> None:
        """Fire these Deferreds, in this order."""
        for target in targets:
            self.answers[target].callback(Response(200, body=f"<{target}>".encode()))


class KeepAliveTests(TestCase):
    """More than one request on a connection (RFC 2068, 19.7.1)."""

    def connect(
        self,
        handler: Callable[[Request], Any] = show,
        idle_timeout: float = 15.0,
        request_timeout: float = 60.0,
    ) -> None:
        """Do what a reactor does when a client connects, without a client."""
        self.clock = Clock()
        factory = HTTPFactory(handler, self.clock, idle_timeout, request_timeout)
        self.channel = factory.buildProtocol(None)
        self.transport: Any = StringTransport()
        self.channel.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """Let the server receive bytes, and return what it answers."""
        self.transport.clear()
        self.channel.dataReceived(data)
        answer: bytes = self.transport.value()
        return answer

    def bodies(self) -> list[bytes]:
        """Return the bodies of all that has been answered since ``send``."""
        return re.findall(rb"\r\n\r\n<([^>]*)>", self.transport.value())

    def assert_kept(self, answer: bytes) -> None:
        """See that the client is told that its connection is kept, and that it is."""
        head = answer.partition(b"\r\n\r\n")[0].lower()
        self.assertIn(b"\r\nconnection: keep-alive", head)
        self.assertFalse(self.transport.disconnecting, "the connection is closed")

    def assert_closed(self, answer: bytes) -> None:
        """See that the client is answered, and its connection closed as it was told."""
        self.assertNotEqual(answer, b"")
        self.assertNotIn(b"keep-alive", answer.lower())
        self.assertTrue(self.transport.disconnecting, "the connection is open")

    def test_kept(self) -> None:
        """A client that asks for keep-alive is told so, and its connection stays open."""
        asked = ("keep-alive", "Keep-Alive", "KEEP-ALIVE", "TE, keep-alive", "keep-alive ,\tTE")
        for value in asked:
            for version in ("1.0", "1.1"):
                self.connect()
                answer = self.send(f"GET /a HTTP/{version}\r\nConnection: {value}\r\n\r\n".encode())
                self.assertEqual(self.bodies(), [b"/a"])
                self.assertIn(b"\r\nContent-Length: 4\r\n", answer)
                self.assert_kept(answer)

    def test_not_kept(self) -> None:
        """A client that does not ask is not told so, and its connection is closed."""
        for field in ("", "Connection: TE\r\n", "Connection: not-keep-alive\r\n"):
            for version in ("1.0", "1.1"):
                self.connect()
                self.assert_closed(self.send(f"GET /a HTTP/{version}\r\n{field}\r\n".encode()))

    def test_close_wins(self) -> None:
        """With close beside keep-alive the connection is closed."""
        fields = [
            "Connection: keep-alive, close",
            "Connection: Close, Keep-Alive",
            "Connection: keep-alive\r\nConnection: close",
            "Keep-Alive: timeout=5",
            "Proxy-Connection: keep-alive",
        ]
        for field in fields:
            self.connect()
            self.assert_closed(self.send(f"GET /a HTTP/1.0\r\n{field}\r\n\r\n".encode()))

    def test_next_request(self) -> None:
        """When an answer has been sent, the next request is answered, in whatever pieces."""
        self.connect()
        for target in ("/a", "/b", "/c"):
            request = get(target)
            for end in range(1, len(request)):
                self.assertEqual(self.send(request[end - 1 : end]), b"")
            self.assert_kept(self.send(request[-1:]))
            self.assertEqual(self.bodies(), [target.encode()])

    def test_pipelined(self) -> None:
        """Requests that come in one chunk are all answered, in their order."""
        targets = [f"/{number}" for number in range(300)]
        self.connect()
        self.assert_kept(self.send(b"".join(map(get, targets))))
        self.assertEqual(self.bodies(), [target.encode() for target in targets])

    def test_order(self) -> None:
        """The answers keep that order though their Deferreds fire in another."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b") + get("/c") + get("/d"))
        bodies = []
        for target in ("/d", "/b", "/a", "/c"):
            handler.answer(target)
            bodies.append(self.bodies())
        all_four = [b"/a", b"/b", b"/c", b"/d"]
        self.assertEqual(
            bodies, [[], [], all_four[:2], all_four], "after /d, /b, /a, /c have fired"
        )

    def test_body(self) -> None:
        """The next request begins behind the body of the one before (RFC 1945, 7.2.2)."""
        inner = get("/inner").decode()
        fields = (f"Content-Length: {len(inner)}",)
        for method in ("POST", "GET", "HEAD"):
            self.connect(lambda request: Response(404 if request.body else 200, body=b"<>"))
            answer = self.send(get("/outer", *fields, method=method, body=inner) + get("/next"))
            statuses = re.findall(rb"HTTP/1.0 (\d+)", answer)
            self.assertEqual(statuses, [b"404", b"200"], f"{method} with a body, then GET")

    def test_file(self) -> None:
        """An answer that is sent piece by piece keeps its place."""
        root = Path(self.mktemp())
        root.mkdir()
        data = 200 * 1024 * b"<"
        (root / "large").write_bytes(data)
        self.connect(FileHandler(root, Clock()))
        self.send(get("/large") + get("/missing") + get("/large"))
        while self.transport.producer is not None:
            self.channel.dataReceived(b"")
            self.transport.producer.resumeProducing()
        self.assertEqual(self.transport.value().count(data), 2)
        statuses = re.findall(rb"HTTP/1.0 (\d+)", self.transport.value())
        self.assertEqual(statuses, [b"200", b"404", b"200"])
        self.assertFalse(self.transport.disconnecting, "the connection is closed")
        self.clock.advance(15)
        self.assertTrue(self.transport.disconnecting, "15 s after the answer")

    def test_body_of_head(self) -> None:
        """Behind the head that answers a HEAD the next answer begins."""
        self.connect()
        answer = self.send(get("/a", method="HEAD") + get("/b"))
        self.assertEqual(self.bodies(), [b"/b"])
        self.assertEqual(answer.count(b"\r\nContent-Length: 4\r\n"), 2)

    def test_last_request(self) -> None:
        """Behind a request that does not ask for keep-alive nothing is answered."""
        asked = []

        def handler(request: Request) -> Response:
            asked.append(request.target)
            return show(request)

        self.connect(handler)
        self.send(get("/a") + b"GET /b HTTP/1.0\r\n\r\n" + get("/c"))
        self.channel.dataReceived(get("/d"))
        self.assertEqual((asked, self.bodies()), ([b"/a", b"/b"], [b"/a", b"/b"]))
        self.assertTrue(self.transport.disconnecting, "the connection is open")

    def test_bad_request(self) -> None:
        """A bad request gets its 400 behind the answers that are due; then the end."""
        handler = Later()
        self.connect(handler)
        answer = self.send(get("/a") + get("/b") + b"bad\x00\r\n\r\n" + get("/c"))
        self.assertEqual(answer, b"")
        handler.answer("/b", "/a")
        statuses = re.findall(rb"HTTP/1.0 (\d+)", self.transport.value())
        self.assertEqual(
            (statuses, list(handler.answers)), ([b"200", b"200", b"400"], ["/a", "/b"])
        )
        last = self.transport.value().rpartition(b"HTTP/1.0 ")[2]
        self.assert_closed(last)

    def test_unknown_method(self) -> None:
        """So does a method that the server does not know, with its 501."""
        self.connect()
        answer = self.send(get("/a") + get("/b", method="BREW") + get("/c"))
        self.assertEqual(re.findall(rb"HTTP/1.0 (\d+)", answer), [b"200", b"501"])
        self.assert_closed(answer.rpartition(b"HTTP/1.0 ")[2])

    def test_handler_that_fails(self) -> None:
        """A handler that fails is a 500 in its place, and the connection stays open."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b") + get("/c"))
        handler.answer("/c")
        handler.answers["/b"].errback(ZeroDivisionError("secret"))
        handler.answer("/a")
        answer = self.transport.value()
        self.assertEqual(re.findall(rb"HTTP/1.0 (\d+)", answer), [b"200", b"500", b"200"])
        self.assert_kept(b"HTTP/1.0 500" + answer.partition(b"HTTP/1.0 500")[2])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.send(get("/d"))
        handler.answer("/d")
        self.assertEqual(self.bodies(), [b"/d"])

    def test_idle(self) -> None:
        """A client that sends nothing after its answer is closed on without a word."""
        self.connect(idle_timeout=15)
        for _ in range(3):
            self.clock.advance(14)
            self.assert_kept(self.send(get("/a")))
        self.clock.advance(14)
        self.assertFalse(self.transport.disconnecting, "14 s after the answer")
        self.transport.clear()
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting, "15 s after the answer")
        self.assertEqual(self.transport.value(), b"")

    def test_deadline(self) -> None:
        """Each request has its own deadline; while the handler works, no time runs."""
        handler = Later()
        self.connect(handler, idle_timeout=15, request_timeout=20)
        for target in ("/a", "/b"):
            for part in (get(target)[:10], get(target)[10:]):
                self.clock.advance(9)
                self.channel.dataReceived(part)
            self.clock.advance(3600)
            self.assertFalse(self.transport.disconnecting, f"the handler works on {target}")
            handler.answer(target)
        for second in range(19):
            self.assertFalse(self.transport.disconnecting, f"{second} s after the last answer")
            self.channel.dataReceived(get("/c")[second : second + 1])
            self.clock.advance(1)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting, "20 s after the last answer")

    def test_cut(self) -> None:
        """When the wire is cut, every handler at work is told, and nothing is left."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b") + get("/c") + get("/d")[:-1])
        handler.answer("/b")
        self.channel.connectionLost(Failure(ConnectionLost()))
        for target in ("/a", "/c"):
            self.assertTrue(handler.answers[target].called, f"{target} is not cancelled")
        self.assertEqual((self.transport.value(), self.clock.getDelayedCalls()), (b"", []))

    def test_cut_while_it_waits(self) -> None:
        """So it is when the wire is cut between two requests."""
        self.connect()
        self.send(get("/a"))
        self.channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cut_while_a_file_waits(self) -> None:
        """A file that waits for its turn is closed."""
        root, opened = Path(self.mktemp()), []
        root.mkdir()
        (root / "file").write_bytes(b"data")
        files = FileHandler(root, Clock(), lambda path: opened.append(path.open("rb")) or opened[0])
        later = Later()
        self.connect(lambda request: (files if request.target == b"/file" else later)(request))
        self.send(get("/a") + get("/file"))
        self.channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual([file.closed for file in opened], [True])

    def test_cut_by_the_handler(self) -> None:
        """The connection may be lost while the handler is asked: then nothing is left, either."""
        asked: list[Request] = []

        def cut(request: Request) -> Response:
            self.channel.connectionLost(Failure(ConnectionLost()))
            asked.append(request)
            return show(request)

        self.connect(cut)
        answer = self.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((answer, self.clock.getDelayedCalls(), len(asked)), (b"", [], 1))

    def test_cut_while_it_writes(self) -> None:
        """It may be lost while the last answer is written, too."""
        self.connect()
        lost = Failure(ConnectionLost())
        self.patch(self.transport, "write", lambda data: self.channel.connectionLost(lost))
        self.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """No more than 8 requests are with the handler; the others wait their turn."""
        handler = Later()
        self.connect(handler)
        targets = [f"/{number}" for number in range(20)]
        self.send(b"".join(map(get, targets[:12])))
        for target in targets[12:]:
            self.channel.dataReceived(get(target))
        self.assertEqual(list(handler.answers), targets[:8])
        self.assertEqual(self.transport.producerState, "paused")
        for number, target in enumerate(targets):
            handler.answer(target)
            self.assertEqual(list(handler.answers), targets[: number + 9], f"{target} has fired")
        self.assertEqual(self.bodies(), [target.encode() for target in targets])
        self.assertEqual(self.transport.producerState, "producing")
        self.assertFalse(self.transport.disconnecting, "the connection is closed")
