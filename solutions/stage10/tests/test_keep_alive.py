"""Stage 10: keep the connection. These are the tests of the solution.

They are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage10``
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPFactory
from exercises.myhttp.files import FileHandler
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

IDLE, REQUEST, CLOSE = 10, 30, 20  # seconds, the timeouts

Answer = tuple[int, dict[bytes, bytes], bytes]
"""Status, header fields, by their names in lower case, and body."""


def show(request: Request) -> Response:
    """Answer with the target, and the body if there is one: the handler of most tests."""
    return Response(200, [(b"Content-Type", b"text/x")], request.target + request.body)


def get(target: str, *fields: str, method: str = "GET", body: str = "") -> bytes:
    """Return the bytes of a request that asks for keep-alive."""
    lines = [f"{method} {target} HTTP/1.0", "Connection: keep-alive", *fields, "", body]
    return "\r\n".join(lines).encode()


def read_answers(data: bytes, *methods: str) -> list[Answer]:
    """Cut what was written into answers, to the byte, as a client does.

    :param methods: those of the requests; without them all are GET.
    """
    answers: list[Answer] = []
    left = data
    while left:
        head, found, left = left.partition(b"\r\n\r\n")
        status_line, *lines = head.split(b"\r\n")
        if not found or not status_line.startswith(b"HTTP/1.0 "):
            raise AssertionError(f"behind answer {len(answers)} no answer begins: {data!r}")
        fields = [line.partition(b":") for line in lines]
        headers = {name.lower(): value.strip() for name, _, value in fields}
        status = int(status_line[9:12])
        method = methods[len(answers)] if methods else "GET"
        length = int(headers.get(b"content-length", b"0"))
        if method == "HEAD" or status in (204, 304):
            length = 0
        answers.append((status, headers, left[:length]))
        if len(left) < length:
            raise AssertionError(f"answer {len(answers)} is shorter than it says: {data!r}")
        left = left[length:]
    return answers


class EagerTransport(StrictTransport):
    """It asks a pull producer for pieces when it is registered, as a socket does for the first."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        while not streaming and self.producer is producer:
            producer.resumeProducing()


class Later:
    """A handler that keeps the Deferreds that it returned, by the target asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, Deferred[Response]] = {}
        self.cancelled: list[str] = []

    def __call__(self, request: Request) -> Deferred[Response]:
        target = request.target.decode()
        self.answers[target] = Deferred(lambda _: self.cancelled.append(target))
        return self.answers[target]

    def answer(self, *targets: str) -> None:
        """Fire these Deferreds, in this order."""
        for target in targets:
            self.answers[target].callback(Response(200, body=target.encode()))


class KeepAliveTests(TestCase):
    """More than one request on a connection (RFC 2068, 19.7.1)."""

    def connect(
        self,
        handler: Callable[[Request], Any] = show,
        factory: HTTPFactory | None = None,
        transport_class: type[StrictTransport] = StrictTransport,
    ) -> None:
        """Do what a reactor does when a client connects, without a client."""
        if factory is None:
            self.clock = Clock()
            factory = HTTPFactory(handler, self.clock, IDLE, REQUEST, CLOSE)
        self.channel = factory.buildProtocol(None)
        self.transport: Any = transport_class(self)
        self.channel.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """Let the server receive bytes, and return what it answers."""
        self.transport.clear()
        self.sent = data
        try:
            self.channel.dataReceived(data)
        except Exception as error:
            raise AssertionError(f"sent {data[:500]!r}, and {error!r} was raised") from error
        answer: bytes = self.transport.value()
        return answer

    def answers(self, *methods: str) -> list[Answer]:
        """Return all that has been answered since ``send``."""
        return read_answers(self.transport.value(), *methods)

    def bodies(self) -> list[bytes]:
        """Return the bodies of all that has been answered since ``send``."""
        return [body for _, _, body in self.answers()]

    def lose(self) -> None:
        """Lose the connection, as when the wire is cut."""
        self.transport.lose(self.channel, ConnectionLost())

    def read_all(self) -> None:
        """Ask for pieces until there are no more, as a transport does whose client reads."""
        for _ in range(1000):
            if self.transport.producer is None:
                return
            self.transport.producer.resumeProducing()
        self.fail("the producer has written a thousand pieces, and is not unregistered")

    def assert_connection(self, *expected: str, methods: tuple[str, ...] = ()) -> None:
        """See what each answer says of the connection, and that this is true.

        :param expected: for each answer "kept", or, for the last one, "closed".
        """
        actual = [
            "kept" if headers.get(b"connection", b"").lower() == b"keep-alive" else "closed"
            for _, headers, _ in self.answers(*methods)
        ]
        said = f"sent {self.sent[:500]!r}, answered {self.transport.value()[:1000]!r}"
        self.assertEqual(actual, list(expected), said)
        state = "open" if expected[-1] == "kept" else "closing"
        self.assertEqual(self.transport.state, state, said)
        if state == "closing":
            self.assertNotIn(b"keep-alive", self.answers(*methods)[-1][1].get(b"connection", b""))

    def test_kept(self) -> None:
        """A client that asks for keep-alive is told so, and its connection stays open."""
        asked = ("keep-alive", "Keep-Alive", "KEEP-ALIVE", "TE, keep-alive", "keep-alive ,\tTE")
        asked += ("\tkeep-alive \t", "TE,keep-alive,Upgrade", ", keep-alive,", "Keep-alive,TE")
        fields = [f"Connection: {value}" for value in asked]
        fields += ["connection:keep-alive", "CONNECTION: keep-alive"]
        fields += ["Connection: TE\r\nConnection: keep-alive", "Connection: keep-alive\r\nA: close"]
        for field in fields:
            for version in ("1.0", "1.1"):
                self.connect()
                self.send(f"GET /a HTTP/{version}\r\n{field}\r\n\r\n".encode())
                self.assertEqual(self.bodies(), [b"/a"], f"sent {self.sent!r}")
                content_type = self.answers()[0][1].get(b"content-type")
                self.assertEqual(content_type, b"text/x", "the handler's own field")
                self.assert_connection("kept")

    def test_not_kept(self) -> None:
        """A client that does not ask, or says close, is not told so: its connection is closed."""
        values = ("", "TE", "not-keep-alive", "keep-alive-not", "keepalive", "keep alive", "keep")
        values += (
            "alive",
            "close",
            "keep_alive",
            "Keep-Alive: timeout=5",
            "keep-alive/1",
            "1.1",
            "TE keep-alive",
            "keep-alive\tTE",
        )
        values += (
            "keep-alive, close",
            "Close, Keep-Alive",
            "close,keep-alive",
            "keep-alive,\tCLOSE",
        )
        values += ("TE, keep-alive , close", "keep-alive\r\nConnection: close")
        values += ("close\r\nConnection: keep-alive", "keep-alive\r\nA: b\r\nconnection:Close")
        fields = ["A: b", *(f"Connection: {value}" for value in values)]
        fields += [
            "Keep-Alive: timeout=5",
            "Keep-Alive: keep-alive",
            "Proxy-Connection: keep-alive",
        ]
        fields += ["X-Connection: keep-alive", "A: Connection: keep-alive", "keep-alive: 1"]
        for field in fields:
            for version in ("1.0", "1.1"):
                self.connect()
                self.send(f"GET /keep-alive HTTP/{version}\r\n{field}\r\n\r\n".encode())
                self.assertEqual(self.bodies(), [b"/keep-alive"], f"sent {self.sent!r}")
                self.assert_connection("closed")

    def test_each_request_asks(self) -> None:
        """The one before does not ask for the next one."""
        self.connect()
        self.send(get("/a") + get("/b") + b"GET /c HTTP/1.0\r\n\r\n")
        self.assert_connection("kept", "kept", "closed")
        self.connect()
        self.send(get("/a"))
        self.send(b"GET /b HTTP/1.1\r\n\r\n")
        self.assert_connection("closed")

    def test_fields_of_the_handler(self) -> None:
        """The answer has the handler's own fields as well, those that are there twice too."""
        fields = [(b"Set-Cookie", b"a=1"), (b"Content-Type", b"text/x"), (b"Set-Cookie", b"b=2")]
        self.connect(lambda request: Response(404, fields, b"no"))
        for _ in range(2):  # nothing is added to the handler's list, either
            answer = self.send(get("/a"))
            expected = [b"Set-Cookie: a=1", b"Content-Type: text/x", b"Set-Cookie: b=2"]
            self.assertEqual(
                [line for line in answer.split(b"\r\n") if line in expected], expected, answer
            )
            self.assertEqual(answer.lower().count(b"\r\nconnection:"), 1, answer)
            self.assertEqual([answer[::2] for answer in self.answers()], [(404, b"no")])
        self.assertEqual(len(fields), 3)

    def test_next_request(self) -> None:
        """When an answer has been sent, the next request is answered, in whatever pieces."""
        self.connect()
        for target in ("/a", "/b", "/c"):
            request = get(target)
            for end in range(1, len(request)):
                self.assertEqual(self.send(request[end - 1 : end]), b"", f"of {request!r}")
                self.assertEqual(self.transport.producerState, "producing", f"{request[:end]!r}")
            self.send(request[-1:])
            self.assert_connection("kept")
            self.assertEqual(self.bodies(), [target.encode()])

    def test_any_two_chunks(self) -> None:
        """It does not depend on where three requests are cut."""
        data = (
            get("/a") + get("/b", "Content-Length: 4", method="POST", body="\r\n\r\n") + get("/c")
        )
        for cut in range(len(data)):
            self.connect()
            answer = self.send(data[:cut])
            answer += self.send(data[cut:])
            bodies = [body for _, _, body in read_answers(answer)]
            self.assertEqual(bodies, [b"/a", b"/b\r\n\r\n", b"/c"], f"{data!r} cut at {cut}")

    def test_pipelined(self) -> None:
        """Requests that come in one chunk are all answered, in their order."""
        targets = [f"/{number}" for number in range(300)]
        for handler in (show, lambda request: succeed(show(request))):
            self.connect(handler)
            self.send(b"".join(map(get, targets)))
            self.assertEqual(self.bodies(), [target.encode() for target in targets])
            self.assert_connection(*len(targets) * ["kept"])

    def test_pipelined_while_the_handler_works(self) -> None:
        """So are those that come one by one, when the Deferred of the first one fires."""
        handler = Later()
        self.connect(lambda request: (handler if request.target == b"/0" else show)(request))
        targets = [f"/{number}" for number in range(1000)]
        self.send(b"".join(map(get, targets)))
        self.assertEqual(self.transport.value(), b"", "/0 is not answered yet")
        handler.answer("/0")
        self.assertEqual(self.bodies(), [target.encode() for target in targets])

    def test_order(self) -> None:
        """The answers keep that order though their Deferreds fire in another."""
        targets = ("/a", "/b", "/c", "/d")
        for fired in permutations(targets):
            handler = Later()
            self.connect(handler)
            self.send(b"".join(map(get, targets)))
            for number, target in enumerate(fired, 1):
                handler.answer(target)
                waits = [one for one in targets if one not in fired[:number]]
                done = targets[: targets.index(waits[0])] if waits else targets
                expected = [one.encode() for one in done]
                self.assertEqual(self.bodies(), expected, f"after {fired[:number]} have fired")
            self.assert_connection("kept", "kept", "kept", "kept")

    def test_date(self) -> None:
        """Date is the time of the answer, not that of the connection or of the request."""
        handler = Later()
        self.connect(handler)
        for second, target in enumerate(("/a", "/b"), 1):
            self.send(get(target))
            self.clock.advance(1)
            handler.answer(target)
            expected = b"Thu, 01 Jan 1970 00:00:%02d GMT" % second
            self.assertEqual([answer[1].get(b"date") for answer in self.answers()], [expected])

    def test_body(self) -> None:
        """The next request begins behind the body of the one before (RFC 1945, 7.2.2)."""
        inner = get("/inner").decode()
        fields = (f"Content-Length: {len(inner)}",)
        for method in ("POST", "GET", "HEAD"):
            self.connect(lambda request: Response(404 if request.body else 200, body=b"<>"))
            self.send(get("/outer", *fields, method=method, body=inner) + get("/next"))
            statuses = [status for status, _, _ in self.answers(method, "GET")]
            self.assertEqual(statuses, [404, 200], f"sent {self.sent!r}")
            self.assert_connection("kept", "kept", methods=(method, "GET"))

    def test_answer_without_body(self) -> None:
        """Behind the head that answers a HEAD, and behind a 204 or 304, the next answer begins."""
        statuses = {b"/200": 200, b"/204": 204, b"/304": 304, b"/404": 404}
        self.connect(lambda request: Response(statuses[request.target], body=b"body"))
        for target, status in statuses.items():
            for method in ("HEAD", "GET", "POST"):
                self.send(
                    get(target.decode(), "Content-Length: 0", method=method)
                    + get("/200", "Content-Length: 0", method=method)
                )
                actual = [(status, body) for status, _, body in self.answers(method, method)]
                body = b"" if method == "HEAD" else b"body"
                first = b"" if status in (204, 304) else body
                self.assertEqual(actual, [(status, first), (200, body)], f"sent {self.sent!r}")
                self.assert_connection("kept", "kept", methods=(method, method))
                lengths = [
                    answer[1].get(b"content-length") for answer in self.answers(method, method)
                ]
                expected = [None if status in (204, 304) else b"4", b"4"]
                self.assertEqual(lengths, expected, f"sent {self.sent!r}")

    def make_large(self) -> FileHandler:
        """Make a large file and a small one, and return a server of them."""
        root = Path(self.mktemp())
        root.mkdir()
        self.large = 200 * 1024 * b"<"
        (root / "large").write_bytes(self.large)
        (root / "small").write_bytes(b"small")
        self.opened: list[BinaryIO] = []

        def open_file(path: Path) -> BinaryIO:
            self.opened.append(path.open("rb"))
            return self.opened[-1]

        return FileHandler(root, Clock(), open_file)

    def test_file(self) -> None:
        """An answer sent piece by piece keeps its place; what comes meanwhile has a limit."""
        self.connect(self.make_large())
        self.send(get("/large") + get("/missing") + get("/large") + get("/small"))
        self.clock.advance(CLOSE - 1)
        self.read_all()
        actual = [(status, len(body)) for status, _, body in self.answers()]
        self.assertEqual(actual, [(200, 204800), (404, actual[1][1]), (200, 204800), (200, 5)])
        self.assert_connection("kept", "kept", "kept", "kept")
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])
        self.clock.advance(IDLE - 1)
        self.assertEqual(self.transport.state, "open", f"{IDLE - 1} s after the answer")
        self.clock.advance(1)
        self.assertEqual(self.transport.state, "closing", f"{IDLE} s after the answer")

        self.connect(self.make_large())
        self.send(get("/large"))
        chunk = 50 * get("/missing", f"A: {1000 * 'b'}")
        chunks = 0
        while self.transport.producerState == "producing" and len(chunk) * (chunks + 1) < 2 << 20:
            self.channel.dataReceived(chunk)
            chunks += 1
        self.assertEqual(
            self.transport.producerState,
            "paused",
            f"{chunks} chunks of {len(chunk)} bytes came while a file is sent",
        )
        self.read_all()
        statuses = [status for status, _, _ in self.answers()]
        self.assertEqual(statuses, [200, *chunks * 50 * [404]])
        self.assertEqual(self.transport.producerState, "producing", "all is answered")

    def test_timer_of_a_file(self) -> None:
        """When a file is sent, its timer is gone: the connection lives as long as it is used."""
        self.connect(self.make_large())
        self.send(get("/large"))
        self.read_all()
        for _ in range(2 * CLOSE // (IDLE - 1)):
            self.clock.advance(IDLE - 1)
            self.send(get("/missing"))
            self.assertEqual(self.transport.state, "open", f"{self.clock.seconds()} s after a file")
            self.assertEqual([status for status, _, _ in self.answers()], [404])

    def test_file_in_the_way(self) -> None:
        """What is done before the file is sent waits for it; what comes is answered behind it."""
        files, later = self.make_large(), Later()
        self.connect(lambda request: (files if request.target == b"/large" else later)(request))
        self.send(get("/a") + get("/large") + get("/b"))
        self.assertEqual((self.transport.value(), self.transport.producer), (b"", None))
        later.answer("/a")
        self.channel.dataReceived(get("/c"))
        for target in ("/c", "/b"):
            if target in later.answers:
                later.answer(target)
        self.read_all()
        for target in ("/b", "/c"):
            if not later.answers[target].called:
                later.answer(target)
        self.assertEqual(self.bodies(), [b"/a", self.large, b"/b", b"/c"])

    def test_files_of_a_transport_that_asks_at_once(self) -> None:
        """So it is if the transport asks for pieces before ``registerProducer`` returns."""
        self.connect(self.make_large(), transport_class=EagerTransport)
        for _ in range(2):
            self.send(get("/large") + get("/missing") + get("/large"))
            statuses = [(status, len(body)) for status, _, body in self.answers()]
            self.assertEqual(statuses, [(200, 204800), (404, statuses[1][1]), (200, 204800)])
            self.clock.advance(IDLE - 1)
        self.clock.advance(1)
        self.assertEqual(self.transport.state, "closing", f"{IDLE} s after the answers")

    def test_head_of_a_file(self) -> None:
        """Of a file of which the head is asked for, nothing is sent, and it is closed."""
        self.connect(self.make_large())
        self.send(get("/large", method="HEAD") + get("/small"))
        self.read_all()
        answers = self.answers("HEAD", "GET")
        self.assertEqual([body for _, _, body in answers], [b"", b"small"])
        self.assertEqual(answers[0][1].get(b"content-length"), b"%d" % len(self.large))
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])

    def test_client_that_reads_nothing(self) -> None:
        """A client that takes no piece of a file is cut off."""
        self.connect(self.make_large())
        self.transport.may_abort = True
        self.send(get("/large") + get("/small"))
        self.clock.advance(CLOSE - 1)
        self.assertEqual(self.transport.state, "open", f"it has read nothing for {CLOSE - 1} s")
        self.clock.advance(1)
        self.assertEqual(self.transport.state, "aborted", f"it has read nothing for {CLOSE} s")
        self.lose()
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])

    def test_last_file(self) -> None:
        """A file that answers the last request is the end of the connection."""
        self.connect(self.make_large())
        self.send(get("/large") + b"GET /large HTTP/1.0\r\n\r\n" + get("/small"))
        self.read_all()
        self.assertEqual(self.bodies(), [self.large, self.large])
        self.assert_connection("kept", "closed")
        self.assertEqual([file.closed for file in self.opened], [True, True])

    def test_file_that_shrinks(self) -> None:
        """Nothing is written behind an answer that broke off: it would be taken for its rest."""
        self.connect(self.make_large())
        self.transport.may_abort = True
        self.send(get("/large") + get("/small"))
        Path(self.opened[0].name).write_bytes(b"short")
        for _ in range(10):
            if self.transport.producer is not None and self.transport.state == "open":
                self.transport.producer.resumeProducing()
        self.assertIn(self.transport.state, ("closing", "aborted"))
        self.assertLess(self.transport.value().count(b"HTTP/1.0 "), 2, "answers")
        self.lose()
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])

    def test_last_request(self) -> None:
        """Behind a request that does not ask for keep-alive nothing is answered."""
        last = b"GET /b HTTP/1.0\r\n\r\n"
        for chunks in ((get("/a") + last + get("/c"),), (get("/a"), last, get("/c"))):
            asked = []

            def handler(request: Request, asked: list[bytes] = asked) -> Response:
                asked.append(request.target)
                return show(request)

            self.connect(handler)
            answer = b"".join([self.send(chunk) for chunk in chunks])
            answer += self.send(get("/d"))
            bodies = [body for _, _, body in read_answers(answer)]
            self.assertEqual((asked, bodies), ([b"/a", b"/b"], [b"/a", b"/b"]), f"sent {chunks}")
            self.assertEqual(self.transport.state, "closing", f"sent {chunks}")

    def test_behind_the_last_request(self) -> None:
        """What comes behind the last request is not kept, and the transport is paused for it."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + b"GET /b HTTP/1.0\r\n\r\n")
        self.assertEqual(self.transport.producerState, "producing", "no more has come yet")
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(8):
            self.channel.dataReceived(bytes(1 << 20))
        after, _ = tracemalloc.get_traced_memory()
        self.assertLess(after - before, 1 << 20, "bytes kept of 8 MiB behind the last request")
        self.assertEqual(self.transport.producerState, "paused", "when more has come")
        handler.answer("/a", "/b")
        self.assertEqual((self.bodies(), list(handler.answers)), ([b"/a", b"/b"], ["/a", "/b"]))
        self.assert_connection("kept", "closed")

    def test_bad_request(self) -> None:
        """A bad request gets its 400 behind the answers that are due; then the end."""
        handler = Later()
        self.connect(handler)
        answer = self.send(get("/a") + get("/b") + b"bad\x00\r\n\r\n" + get("/c"))
        self.assertEqual(answer, b"", "/a is not answered yet")
        handler.answer("/b")
        self.channel.dataReceived(get("/d"))
        handler.answer("/a")
        statuses = [status for status, _, _ in self.answers()]
        self.assertEqual((statuses, list(handler.answers)), ([200, 200, 400], ["/a", "/b"]))
        self.assert_connection("kept", "kept", "closed")

    def test_every_refusal(self) -> None:
        """So does every other request that is refused, at once or behind an answer."""
        refused = {
            400: get("/b", "Content-Length: x", method="POST"),
            413: get("/b", "Content-Length: 9999999999", method="POST"),
            431: get("/b", "A: " + 20000 * "b"),
            501: get("/b", method="BREW"),
        }
        for status, request in refused.items():
            for chunks in ((get("/a") + request + get("/c"),), (get("/a"), request, get("/c"))):
                self.connect()
                answer = b"".join([self.send(chunk) for chunk in chunks])
                actual = [(status, body != b"") for status, _, body in read_answers(answer)]
                self.assertEqual(actual, [(200, True), (status, True)], f"sent {request[:60]!r}")
                said = read_answers(answer)[-1][1].get(b"connection", b"close")
                self.assertEqual((said.lower(), self.transport.state), (b"close", "closing"))

    def test_refusal_that_waits(self) -> None:
        """It waits even if there are eight answers before it."""
        handler = Later()
        self.connect(handler)
        targets = [f"/{number}" for number in range(8)]
        self.send(b"".join(map(get, targets)) + b"bad\x00\r\n\r\n" + get("/c"))
        handler.answer(*targets)
        statuses = [status for status, _, _ in self.answers()]
        self.assertEqual(statuses, 8 * [200] + [400])
        self.assert_connection(*8 * ["kept"], "closed")

    def test_handler_that_fails(self) -> None:
        """A handler that fails is a 500 in its place, and the connection stays open."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b") + get("/c"))
        handler.answer("/c")
        handler.answers["/b"].errback(ZeroDivisionError("secret"))
        self.assertEqual(self.transport.value(), b"", "/a is not answered yet")
        handler.answer("/a")
        statuses = [status for status, _, _ in self.answers()]
        self.assertEqual(statuses, [200, 500, 200])
        self.assert_connection("kept", "kept", "kept")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.send(get("/d"))
        handler.answer("/d")
        self.assertEqual(self.bodies(), [b"/d"])
        self.send(b"GET /e HTTP/1.0\r\n\r\n")
        handler.answers["/e"].errback(ZeroDivisionError("secret"))
        self.assert_connection("closed")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_every_failure(self) -> None:
        """However it fails: at once, with what is no Response, or with one that cannot be sent."""

        def fails(request: Request) -> Any:
            if request.target == b"/raises":
                raise ZeroDivisionError
            if request.target == b"/nothing":
                return None
            if request.target == b"/unsendable":
                return Response(200, [(b"A", b"b\r\nc")])
            return show(request)

        for target in ("/raises", "/nothing", "/unsendable"):
            for method in ("GET", "HEAD", "POST"):
                self.connect(fails)
                self.send(get(target, "Content-Length: 0", method=method) + get("/next"))
                statuses = [status for status, _, _ in self.answers(method, "GET")]
                self.assertEqual(statuses, [500, 200], f"sent {self.sent!r}")
                self.assert_connection("kept", "kept", methods=(method, "GET"))
                self.send(f"{method} {target} HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
                self.assertEqual([answer[0] for answer in self.answers(method)], [500], method)
                self.assert_connection("closed", methods=(method,))
                self.assertEqual(len(self.flushLoggedErrors()), 2, f"sent {method} {target} twice")

    def test_idle(self) -> None:
        """A client that sends nothing after its answer is closed on without a word."""
        self.connect()
        for _ in range(5):
            self.clock.advance(IDLE - 1)
            self.assertEqual(self.transport.state, "open", f"{IDLE - 1} s after the answer")
            self.send(get("/a"))
            self.assert_connection("kept")
        self.clock.advance(IDLE - 1)
        self.assertEqual(self.transport.state, "open", f"{IDLE - 1} s after the answer")
        self.transport.clear()
        self.clock.advance(1)
        self.assertEqual(self.transport.state, "closing", f"{IDLE} s after the answer")
        self.assertEqual(self.transport.value(), b"", "it is told nothing")
        self.assertEqual(self.send(get("/b")), b"", "what comes then is dropped")
        self.transport.may_abort = True
        self.clock.advance(CLOSE - 1)
        self.assertEqual(self.transport.state, "closing", f"{CLOSE - 1} s after that")
        self.clock.advance(1)
        self.assertEqual(self.transport.state, "aborted", f"{CLOSE} s after that")

    def test_idle_in_a_request(self) -> None:
        """The next request may not stop in the middle, either."""
        self.connect()
        self.send(get("/a"))
        for byte in range(3):
            self.channel.dataReceived(get("/b")[byte : byte + 1])
            self.clock.advance(IDLE - 1)
        self.assertEqual(self.transport.state, "open", f"{IDLE - 1} s after the last byte")
        self.clock.advance(1)
        self.assertEqual(self.transport.state, "closing", f"{IDLE} s after the last byte")

    def test_deadline(self) -> None:
        """Each request has its own deadline; while the handler works, no time runs."""
        handler = Later()
        self.connect(handler)
        for target in ("/a", "/b"):
            for part in (get(target)[:10], get(target)[10:20], get(target)[20:]):
                self.clock.advance(IDLE - 1)
                self.channel.dataReceived(part)
            self.clock.advance(3600)
            self.assertEqual(self.transport.state, "open", f"the handler works on {target}")
            handler.answer(target)
        for second in range(REQUEST):
            self.assertEqual(self.transport.state, "open", f"{second} s after the last answer")
            self.channel.dataReceived(get("/c")[second : second + 1])
            self.clock.advance(1)
        self.assertEqual(self.transport.state, "closing", f"{REQUEST} s after the last answer")

    def test_no_time_runs_while_one_is_due(self) -> None:
        """As long as one answer is due, no time runs, whatever is answered or sent meanwhile."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b"))
        handler.answer("/a")
        self.clock.advance(3600)
        self.channel.dataReceived(get("/c")[:5])
        self.clock.advance(3600)
        self.assertEqual(self.transport.state, "open", "/b is not answered yet")
        handler.answer("/b")
        self.clock.advance(IDLE - 1)
        self.assertEqual(self.transport.state, "open", f"{IDLE - 1} s after the last answer")
        self.channel.dataReceived(get("/c")[5:])
        self.clock.advance(3600)
        handler.answer("/c")
        self.assertEqual(self.bodies(), [b"/a", b"/b", b"/c"])

    def test_close_timer(self) -> None:
        """However it comes to the end, a client that does not go is cut off."""
        ends = {
            "the last answer": b"GET /a HTTP/1.0\r\n\r\n",
            "a refusal": get("/a", method="BREW"),
            "a late answer": b"GET /late HTTP/1.0\r\n\r\n",
            "a late failure": b"GET /fail HTTP/1.0\r\n\r\n",
        }
        for end, request in ends.items():
            handler = Later()
            self.connect(
                lambda request, later=handler: (
                    later if request.target in (b"/late", b"/fail") else show
                )(request)
            )
            self.transport.may_abort = True
            self.send(get("/x") + request)
            self.clock.advance(1000 if handler.answers else 0)
            for target, answer in handler.answers.items():
                if target == "/late":
                    answer.callback(Response(200))
                else:
                    answer.errback(ZeroDivisionError())
            self.flushLoggedErrors(ZeroDivisionError)
            self.clock.advance(CLOSE - 1)
            self.assertEqual(self.transport.state, "closing", f"{CLOSE - 1} s after {end}")
            self.clock.advance(1)
            self.assertEqual(self.transport.state, "aborted", f"{CLOSE} s after {end}")
            self.lose()
            self.assertEqual(self.clock.getDelayedCalls(), [], end)

    def test_cut(self) -> None:
        """When the wire is cut, every handler at work is told, and nothing is left."""
        later, files = Later(), self.make_large()
        self.connect(lambda request: (files if request.target == b"/small" else later)(request))
        self.send(get("/a") + get("/b") + get("/c") + get("/small") + get("/d") + get("/e")[:-1])
        later.answer("/b")
        self.lose()
        self.assertEqual(sorted(later.cancelled), ["/a", "/c", "/d"], "/b has fired")
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual((self.transport.value(), self.clock.getDelayedCalls()), (b"", []))
        self.clock.advance(3600)

    def test_cut_after_each_byte(self) -> None:
        """So it is wherever it is cut, with each answer written that was due."""
        data = get("/a") + get("/b") + get("/c")
        for end in range(len(data) + 1):
            for first in (True, False):
                handler = Later()
                self.connect(handler)
                self.send(data[:end])
                if first and "/a" in handler.answers:
                    handler.answer("/a")
                written = self.transport.value()
                left = [target for target in handler.answers if not handler.answers[target].called]
                self.lose()
                actual = (handler.cancelled, self.transport.value(), self.clock.getDelayedCalls())
                self.assertEqual(actual, (left, written, []), f"cut after {data[:end]!r}")

    def test_cut_while_it_waits(self) -> None:
        """So it is when the wire is cut between two requests."""
        self.connect()
        self.send(get("/a"))
        self.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_late_results(self) -> None:
        """What comes after the loss goes nowhere, a failure too, and nobody is asked any more."""
        for fire in (
            lambda late: late.callback(Response(200)),
            lambda late: late.errback(OSError()),
        ):
            answers: list[Deferred[Response]] = []

            def handler(request: Request, answers: Any = answers) -> Deferred[Response]:
                answers.append(Deferred())  # without a canceller: it may fire once more
                return answers[-1]

            self.connect(handler)
            self.send(b"".join(get(f"/{number}") for number in range(12)))
            self.lose()
            for answer in list(answers):
                fire(answer)
            self.clock.advance(3600)
            self.assertEqual(self.flushLoggedErrors(), [])
            self.assertEqual((self.transport.value(), len(answers)), (b"", 8))

    def test_handler_that_answers_when_it_is_cancelled(self) -> None:
        """So does an answer that a handler gives, to this and to others, when it is cancelled."""
        answers: list[Deferred[Response]] = []

        def cancel(_: Deferred[Response]) -> None:
            for answer in answers:
                if not answer.called:
                    answer.callback(Response(200))

        def handler(request: Request) -> Deferred[Response]:
            answers.append(Deferred(cancel))
            return answers[-1]

        self.connect(handler)
        self.send(get("/a") + get("/b") + get("/c"))
        self.lose()
        self.assertEqual((self.transport.value(), self.clock.getDelayedCalls()), (b"", []))
        self.assertEqual([answer.called for answer in answers], 3 * [True])

    def test_cut_while_a_file_waits(self) -> None:
        """A file that waits for its turn is closed, and one that is being sent."""
        for first in ("/a", "/large"):
            files, later = self.make_large(), Later()
            self.connect(
                lambda request, f=files, n=later: (n if request.target == b"/a" else f)(request)
            )
            self.send(get(first) + get("/small") + get("/large"))
            self.lose()
            self.assertNotEqual(self.opened, [])
            actual = [file.closed for file in self.opened]
            self.assertEqual(actual, len(self.opened) * [True], f"sent {self.sent!r}")
            self.assertEqual(self.clock.getDelayedCalls(), [], f"sent {self.sent!r}")

    def test_cut_by_the_handler(self) -> None:
        """The connection may be lost while the handler is asked: then nothing is left, either."""
        asked: list[Request] = []

        def cut(request: Request) -> Response:
            asked.append(request)
            if len(asked) == 1:
                self.lose()
            return show(request)

        self.connect(cut)
        answer = self.send(get("/a") + get("/b"))
        self.assertEqual((answer, self.clock.getDelayedCalls(), len(asked)), (b"", [], 1))

    def test_cut_while_it_writes(self) -> None:
        """It may be lost while an answer is written, too."""
        last = b"GET /a HTTP/1.0\r\n\r\n"
        for request in (get("/a") + get("/b"), last, get("/a", method="BREW"), get("/large")):
            files = self.make_large()
            self.connect(
                lambda request, f=files: (f if request.target == b"/large" else show)(request)
            )
            written = []

            def write(data: bytes, written: list[bytes] = written) -> None:
                written.append(data)
                self.lose()

            self.patch(self.transport, "write", write)
            self.send(request)
            self.read_all()
            self.assertEqual(len(written), 1, f"writes, sent {request!r}")
            self.assertEqual(self.clock.getDelayedCalls(), [], f"sent {request!r}")
            actual = [file.closed for file in self.opened]
            self.assertEqual(actual, len(self.opened) * [True], f"sent {request!r}")

    def test_file_that_comes_too_late(self) -> None:
        """A file that a handler answers with when it is cancelled is closed."""
        files = self.make_large()
        self.connect(lambda request: Deferred(lambda answer: answer.callback(files(request))))
        self.send(get("/large") + get("/small"))
        self.lose()
        self.assertEqual([file.closed for file in self.opened], len(self.opened) * [True])
        self.assertEqual((self.transport.value(), self.clock.getDelayedCalls()), (b"", []))

    def test_answer_while_it_writes(self) -> None:
        """A Deferred may fire while the answer before it is written, or while the next is asked."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b") + get("/c"))
        write = self.transport.write

        def fires(data: bytes) -> None:
            if not handler.answers["/b"].called:
                handler.answer("/c", "/b")
            write(data)

        self.patch(self.transport, "write", fires)
        handler.answer("/a")
        self.assertEqual(self.bodies(), [b"/a", b"/b", b"/c"], "/b fires while /a is written")

    def test_answer_while_it_asks(self) -> None:
        """A handler may fire the Deferred of a request before."""
        later = Later()

        def handler(request: Request) -> Any:
            if request.target == b"/b":
                later.answer("/a")
                return show(request)
            return later(request)

        self.connect(handler)
        self.send(get("/a") + get("/b"))
        self.assertEqual(self.bodies(), [b"/a", b"/b"], "/a fires while /b is asked")
        self.assert_connection("kept", "kept")
        self.clock.advance(IDLE)
        self.assertEqual(self.transport.state, "closing", f"{IDLE} s after the answers")

    def test_many(self) -> None:
        """No more than 8 requests are with the handler; the others wait their turn."""
        handler = Later()
        self.connect(handler)
        targets = [f"/{number}" for number in range(20)]
        self.send(b"".join(map(get, targets[:12])))
        waiting = targets[12:]
        for number, target in enumerate(targets):
            while waiting and self.transport.producerState == "producing":
                self.channel.dataReceived(get(waiting.pop(0)))
            self.assertEqual(list(handler.answers), targets[: number + 8], f"before {target} fires")
            if number < 12:
                self.assertEqual(self.transport.producerState, "paused", f"before {target} fires")
            handler.answer(target)
        self.assertEqual(self.bodies(), [target.encode() for target in targets])
        self.assertEqual(self.transport.producerState, "producing", "all is answered")
        self.assert_connection(*20 * ["kept"])

    def test_no_response_before_another(self) -> None:
        """What is no Response is a 500 in its place, while the next request is still pending."""
        handler = Later()
        self.connect(handler)
        self.send(get("/a") + get("/b"))
        handler.answers["/a"].callback("no Response")
        self.assertEqual([status for status, _, _ in self.answers()], [500], "/a has fired")
        self.assertEqual(len(self.flushLoggedErrors()), 1, "how many failures are logged")
        handler.answer("/b")
        self.assertEqual(self.bodies()[1:], [b"/b"])
        self.assert_connection("kept", "kept")

    def test_no_pause_for_the_last_request(self) -> None:
        """The last request does not pause the transport, or nobody hears that its client goes."""
        for last in (b"GET /b HTTP/1.0\r\n\r\n", b"G@T /b HTTP/1.0\r\n\r\n"):
            self.connect(Later())
            self.send(get("/a"))
            self.send(last)
            self.assertEqual(self.transport.producerState, "producing", f"sent /a, {last!r}")

    def test_pause(self) -> None:
        """The transport is paused when there are 8 and more comes, and not before."""
        handler = Later()
        self.connect(handler)
        requests = [get(f"/{number}", method=("GET", "HEAD")[number % 2]) for number in range(9)]
        data = b"".join(requests[:7]) + requests[7][:-1]
        for byte in data:
            self.channel.dataReceived(bytes([byte]))
            self.assertEqual(self.transport.producerState, "producing", "seven requests at most")
        self.assertEqual(len(handler.answers), 7, f"asked, sent {data!r}")
        for byte in requests[7][-1:] + requests[8]:
            self.channel.dataReceived(bytes([byte]))
        self.assertEqual(self.transport.producerState, "paused", "nine requests have come")
        self.assertEqual(len(handler.answers), 8)
        handler.answer("/0")
        self.assertEqual(len(handler.answers), 9, "one has been answered")
        handler.answer("/1")
        self.assertEqual(self.transport.producerState, "producing", "seven are due")

    def test_answers_that_wait_count(self) -> None:
        """Among the 8 are those whose answers wait for one before them."""
        handler = Later()
        self.connect(handler)
        targets = [f"/{number}" for number in range(10)]
        self.send(b"".join(map(get, targets)))
        handler.answer(*targets[1:8])
        self.assertEqual((list(handler.answers), self.transport.value()), (targets[:8], b""))
        handler.answer("/0")
        self.assertEqual((list(handler.answers), len(self.answers())), (targets, 8))

    def test_two_clients(self) -> None:
        """What one client does is nothing to another."""
        handler = Later()
        clock = Clock()
        factory = HTTPFactory(handler, clock, IDLE, REQUEST, CLOSE)
        self.connect(factory=factory)
        one, first = self.channel, self.transport
        self.connect(factory=factory)
        one.dataReceived(b"".join(get(f"/one{number}") for number in range(8)) + get("/one8")[:9])
        one.dataReceived(get("/one8")[9:])
        self.send(get("/a") + get("/b"))
        self.assertEqual(len(handler.answers), 10, "requests asked, 8 and 2")
        self.assertEqual(
            (first.producerState, self.transport.producerState), ("paused", "producing")
        )
        handler.answer("/b")
        first.lose(one)
        self.assertEqual(len(handler.cancelled), 8, f"cancelled: {handler.cancelled}")
        handler.answer("/a")
        self.assertEqual(self.bodies(), [b"/a", b"/b"])
        clock.advance(IDLE - 1)
        self.assertEqual(self.transport.state, "open", f"{IDLE - 1} s after the answers")
        self.send(b"GET /c HTTP/1.0\r\n\r\n")
        handler.answer("/c")
        self.assertEqual(self.transport.state, "closing", "the last request was answered")
        self.lose()
        self.assertEqual(clock.getDelayedCalls(), [])
