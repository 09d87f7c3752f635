"""How answers go out: the short way past the transport's buffer, and when it is not taken.

The sockets are real, as their buffers are what this is about.  But there is no reactor that
runs: what it would do is done here, one step at a time.
"""

from __future__ import annotations

import errno
import io
import os
import select
import socket
import struct
from pathlib import Path
from typing import Any
from unittest import skipUnless

from twisted.internet.defer import Deferred
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.internet.unix import Server as UnixServer
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from toyhttp.channel import Handler, HTTPFactory
from toyhttp.files import FileBody, FileHandler
from toyhttp.request import Request
from toyhttp.response import Response
from toyhttp.sending import PIECE, STRETCH, has_short_way

timeout = 10

GET = b"GET /%s HTTP/1.0\r\n\r\n"
KEEP = b"GET /%s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
LARGE = os.urandom(5 * 1024 * 1024)  # more than a socket's buffers take


def show(request: Request) -> Response:
    """Answer with the target."""
    return Response(200, body=b"<" + request.target + b">")


class SocketTestCase(TestCase):
    """A client, and a channel on a real socket, without a reactor that runs."""

    def connect(self, handler: Handler = show, buffers: int = 100_000, **options: Any) -> None:
        """Connect the two.

        :param buffers: how many bytes the sockets' may have, or so; 0 for the usual ones.
        """
        with socket.create_server(("127.0.0.1", 0)) as listener:
            if buffers:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
            self.client = socket.create_connection(listener.getsockname(), timeout=5)
            accepted, address = listener.accept()
        if buffers:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
        self.addCleanup(self.client.close)
        self.reactor = MemoryReactorClock()
        self.factory = HTTPFactory(handler, self.reactor, **options)
        self.channel = self.factory.buildProtocol(None)
        server: Any = None
        self.transport = Server(accepted, self.channel, address, server, 1, self.reactor)
        self.channel.makeConnection(self.transport)
        self.addCleanup(self.lose)

    def lose(self) -> None:
        """Lose the connection, if it is still there."""
        if self.transport.connected:
            self.transport.connectionLost(Failure(ConnectionResetError()))

    def ask(self, data: bytes) -> None:
        """Send this, and let the server read it."""
        self.client.sendall(data)
        select.select([self.transport], [], [], 5)
        self.transport.doRead()

    def reset(self) -> None:
        """Let the client close in a way that resets the connection."""
        linger = struct.pack("ii", 1, 0)
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.client.close()

    def waits(self) -> bool:
        """Tell whether the server asked the reactor to tell when it can write."""
        return self.transport in self.reactor.getWriters()

    def step(self) -> None:
        """Tell the server that it can write, as a reactor does."""
        why = self.transport.doWrite()
        if why is not None:
            self.transport.connectionLost(Failure(why))

    def came(self, end: bytes = b"") -> bytes:
        """Return what comes to the client, until the connection ends, or these bytes came last.

        Meanwhile the server does what it waits to do.
        """
        data = b""
        while not end or not data.endswith(end):
            waiting: list[Any] = [*self.reactor.getReaders(), self.client]
            readable, writable, _ = select.select(waiting, self.reactor.getWriters(), [], 5)
            if self.transport in readable:
                self.transport.doRead()
            if writable and self.waits():
                self.step()
            if self.client in readable:
                piece = self.client.recv(1 << 20)
                if not piece:
                    break
                data += piece
            if not readable and not writable:
                self.fail(f"nothing comes any more behind {data[-100:]!r}")
        self.assertTrue(data.endswith(end))
        return data


class ShortWayTests(SocketTestCase):
    """An answer is sent at once, if nothing is overtaken."""

    def test_last_answer(self) -> None:
        """It is sent, and the connection closed, before the reactor does anything else."""
        self.connect()
        self.ask(GET % b"a")
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.reactor.getWriters() + self.reactor.getReaders(), [])
        self.assertEqual((self.reactor.getDelayedCalls(), self.factory.channels), ([], set()))
        self.assertEqual(self.came()[-4:], b"</a>")

    def test_kept(self) -> None:
        """The connection stays, and the reactor is not asked to write anything."""
        self.connect()
        for target in (b"a", b"b", b"c"):
            self.ask(KEEP % target)
            self.assertFalse(self.waits())
            self.came(b"</%s>" % target)
        self.assertTrue(self.transport.connected)

    def test_several(self) -> None:
        """Answers that are due at once are sent together: TCP would hold back the second."""
        self.connect()
        self.ask(KEEP % b"a" + KEEP % b"b" + GET % b"c")
        self.assertTrue(self.waits())
        came = self.came()
        self.assertEqual([came.count(b"</%s>" % name) for name in (b"a", b"b", b"c")], [1, 1, 1])
        self.assertLess(came.index(b"</a>"), came.index(b"</b>"))

    def test_later(self) -> None:
        """An answer that comes later is sent as well; the last one with the reactor's help."""
        promises: list[Deferred[Response]] = []

        def handler(request: Request) -> Deferred[Response]:
            promises.append(Deferred())
            return promises[-1]

        self.connect(handler)
        self.ask(KEEP % b"a")
        promises[0].callback(Response(200, body=b"<a>"))
        self.assertFalse(self.waits())
        self.came(b"<a>")
        self.ask(GET % b"b")
        promises[1].callback(Response(200, body=b"<b>"))
        self.assertTrue(self.transport.connected)
        self.assertEqual(self.came()[-3:], b"<b>")

    def test_later_together(self) -> None:
        """So are those that are due together, but come one after the other."""
        promises: list[Deferred[Response]] = []

        def handler(request: Request) -> Deferred[Response]:
            promises.append(Deferred())
            return promises[-1]

        self.connect(handler)
        self.ask(KEEP % b"a" + KEEP % b"b")
        promises[0].callback(Response(200, body=b"<a>"))
        self.assertTrue(self.waits())
        promises[1].callback(Response(200, body=b"<b>"))
        self.assertIn(b"<a>", self.came(b"<b>"))

    def test_client_that_reads_nothing(self) -> None:
        """When its socket is full, the rest goes through the buffer; nothing is lost."""
        self.connect(lambda request: Response(200, body=10_000 * request.target[-1:]))
        sent = 0
        while not self.waits():
            self.ask(KEEP % b"%d" % (sent % 7))
            sent += 1
        self.ask(KEEP % b"8")
        self.ask(GET % b"9")
        answers = self.came().split(b"HTTP/1.0 200 OK")[1:]
        bodies = [answer.partition(b"\r\n\r\n")[2] for answer in answers]
        right = [10_000 * (b"%d" % (number % 7)) for number in range(sent)]
        self.assertTrue(bodies == [*right, 10_000 * b"8", 10_000 * b"9"])

    def test_client_that_has_gone(self) -> None:
        """The transport finds that out; nothing is logged."""
        for target in (KEEP, GET):
            self.connect()
            self.reset()
            self.channel.dataReceived(target % b"a")
            while self.waits():
                self.step()
            if self.transport.connected:
                self.assertIsNotNone(self.transport.doRead())
                self.lose()
            self.assertEqual(self.factory.channels, set())
            self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_no_delay(self) -> None:
        """TCP holds nothing back on a connection that is kept, whatever comes on it."""
        for target, expected in ((GET, False), (KEEP, True)):
            self.connect(lambda request: Deferred())
            self.ask(target % b"a")
            self.assertEqual(self.transport.getTcpNoDelay(), expected)

    def test_socket_without_such_an_option(self) -> None:
        """A Unix socket has none, nor has one that was reset, with macOS."""

        def refuse(enabled: bool) -> None:
            raise OSError(errno.EOPNOTSUPP, "no")

        self.connect()
        self.patch(self.transport, "setTcpNoDelay", refuse)
        self.ask(KEEP % b"a")
        self.came(b"</a>")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_refused(self) -> None:
        """The client of a bad request can read why: the connection lingers."""
        self.connect()
        self.ask(b"bad\r\n\r\n")
        self.assertTrue(self.transport.connected)
        self.assertIn(b" 400 ", self.came())
        self.assertTrue(self.transport.connected)

    def test_who_has_one(self) -> None:
        """A TCP connection has; TLS, a Unix socket and what a test makes have not."""
        self.connect()
        self.assertTrue(has_short_way(self.transport))
        self.transport.TLS = True
        self.assertFalse(has_short_way(self.transport))
        self.transport.TLS = False
        self.assertFalse(has_short_way(StringTransport()))
        self.assertFalse(has_short_way(object.__new__(UnixServer)))


@skipUnless(hasattr(os, "sendfile"), "this system has no sendfile")
class LargeFileTests(SocketTestCase):
    """A large file does not go through the memory of the process."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path = folder / "large"
        self.path.write_bytes(LARGE)
        self.handler = FileHandler(folder, MemoryReactorClock())
        self.asked: list[int] = []
        self.taken: list[int] = []
        real = os.sendfile

        def sendfile(out: int, file: int, offset: int, count: int) -> int:
            self.asked.append(count)
            self.taken.append(0)
            self.taken[-1] = real(out, file, offset, count)
            return self.taken[-1]

        self.patch(os, "sendfile", sendfile)
        self.logged: list[LogEvent] = []
        observer: Any = self.logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def assert_open(self) -> None:
        """Fail if TCP holds back what does not fill a segment."""
        if hasattr(socket, "TCP_CORK"):
            option = socket.IPPROTO_TCP, socket.TCP_CORK
            self.assertEqual(self.transport.getHandle().getsockopt(*option), 0)

    def test_whole(self) -> None:
        """It comes as it is, at the client's pace, and then the connection is closed."""
        read: list[int] = []
        self.patch(FileBody, "read", lambda body, limit: read.append(limit))
        self.connect(self.handler)
        self.ask(GET % b"large")
        self.assertTrue(self.waits())
        head, _, body = self.came().partition(b"\r\n\r\n")
        self.assertIn(b"200 OK", head)
        self.assertTrue(body == LARGE)
        self.assertEqual(read, [])
        self.assertEqual((self.factory.channels, self.reactor.getDelayedCalls()), (set(), []))

    def test_part(self) -> None:
        """A range begins and ends where it says."""
        self.connect(self.handler)
        self.ask(b"GET /large HTTP/1.0\r\nRange: bytes=1000-2000999\r\n\r\n")
        head, _, body = self.came().partition(b"\r\n\r\n")
        self.assertIn(b" 206 ", head)
        self.assertTrue(body == LARGE[1000:2_001_000])

    def test_others_have_their_turn(self) -> None:
        """No more than a stretch is sent before the reactor can look at others."""
        self.connect(self.handler)
        self.ask(GET % b"large")
        self.assertEqual(self.asked, [STRETCH])
        self.assertTrue(self.came().endswith(LARGE))
        self.assertEqual(max(self.asked), STRETCH)

    def test_kept(self) -> None:
        """Behind it the next answer comes, and TCP holds nothing back any more."""
        self.connect(self.handler)
        self.ask(KEEP % b"large" + KEEP % b"none")
        came = self.came(b"no such file.\n")
        self.assertTrue(came.partition(b"\r\n\r\n")[2].startswith(LARGE + b"HTTP/1.0 404"))
        self.assert_open()
        self.ask(KEEP % b"none")
        self.came(b"no such file.\n")
        self.assertTrue(self.transport.connected)

    def test_behind_others(self) -> None:
        """It does not overtake what waits in the buffer."""
        self.connect(self.handler)
        self.ask(KEEP % b"none" + KEEP % b"none" + GET % b"large")
        came = self.came()
        self.assertEqual(came.count(b"HTTP/1.0 404"), 2)
        self.assertTrue(came.endswith(b"\r\n\r\n" + LARGE))

    def test_slow_reader(self) -> None:
        """A client that reads steadily is not cut off, however slowly it does."""
        self.connect(self.handler, buffers=0, close_timeout=5.0)
        self.ask(GET % b"large")
        for _ in range(40):
            self.assertTrue(self.client.recv(64 * 1024))
            if select.select([], self.reactor.getWriters(), [], 0)[1]:
                self.step()
            self.reactor.advance(1)
            self.assertTrue(self.transport.connected)

    def test_client_that_reads_nothing(self) -> None:
        """It has its time, from the last byte that the socket took."""
        self.connect(self.handler, close_timeout=5.0)
        self.ask(GET % b"large")
        while len(self.taken) < 100 or self.taken[-1]:
            self.step()
        self.reactor.advance(4.9)
        self.step()
        self.assertTrue(self.waits())
        self.reactor.advance(0.1)
        self.reactor.advance(0)
        self.assertEqual(self.factory.channels, set())

    def test_client_that_goes(self) -> None:
        """The transport finds that out; nothing is logged, and the file is closed."""
        self.connect(self.handler)
        self.ask(GET % b"large")
        self.reset()
        self.step()
        while self.transport.connected:
            self.step()
        self.assertEqual(self.logged, [])
        self.assertEqual(self.factory.channels, set())

    def test_file_that_shrinks(self) -> None:
        """The connection breaks off: nothing else says that bytes are missing."""
        self.connect(self.handler)
        self.ask(GET % b"large")
        os.truncate(self.path, STRETCH + 10)
        while self.waits():
            self.client.recv(1 << 20)
            self.step()
        self.reactor.advance(0)  # it is aborted
        self.assertEqual([event["target"] for event in self.logged], [b"/large"])
        self.assertEqual(self.factory.channels, set())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_system_that_cannot(self) -> None:
        """Then the file is read, and written piece by piece."""
        for error in (OSError(22, "Invalid argument"), OSError(38, "Function not implemented")):

            def sendfile(*args: int, error: OSError = error) -> int:
                raise error

            self.patch(os, "sendfile", sendfile)
            self.connect(self.handler)
            self.ask(KEEP % b"large")
            self.assertLessEqual(len(self.transport.dataBuffer), PIECE)
            self.assert_open()
            self.assertTrue(self.came(LARGE[-100:]).endswith(b"\r\n\r\n" + LARGE))

    def test_system_that_cannot_any_more(self) -> None:
        """The file is read from where it was."""
        real = os.sendfile

        def sendfile(out: int, file: int, offset: int, count: int) -> int:
            if offset:
                raise OSError(22, "Invalid argument")
            return real(out, file, offset, count)

        self.patch(os, "sendfile", sendfile)
        self.connect(self.handler)
        self.ask(GET % b"large")
        self.assertTrue(self.came().endswith(b"\r\n\r\n" + LARGE))

    def test_file_of_another_kind(self) -> None:
        """What reads other bytes than the disk has is read."""

        class Turned(io.FileIO):
            def read(self, size: int = -1) -> bytes:  # type: ignore[override]
                return bytes(255 - byte for byte in super().read(size))

        self.path.write_bytes(LARGE[:100_000])
        folder, clock = self.path.parent, MemoryReactorClock()
        self.connect(FileHandler(folder, clock, open_file=lambda path: Turned(path)))
        self.ask(GET % b"large")
        right = bytes(255 - byte for byte in LARGE[:100_000])
        self.assertTrue(self.came().endswith(b"\r\n\r\n" + right))

    def test_nothing_behind_a_large_head(self) -> None:
        """Then the body is not asked for anything."""
        self.path.write_bytes(b"")
        headers = [(b"X-%d" % number, 1000 * b"x") for number in range(100)]

        def handler(request: Request) -> Response:
            return Response(200, headers, FileBody(self.path.open("rb"), 0))

        self.connect(handler)
        self.ask(GET % b"a")
        self.assertTrue(self.came().endswith(b"\r\nContent-Length: 0\r\n\r\n"))
        self.assertEqual((self.asked, self.logged), ([], []))

    def test_socket_that_is_broken(self) -> None:
        """It takes nothing, as one that is full; the transport finds out which it is."""
        for error in (BrokenPipeError(), ConnectionResetError(), BlockingIOError()):

            def sendfile(*args: int, error: OSError = error) -> int:
                raise error

            self.patch(os, "sendfile", sendfile)
            with self.path.open("rb", buffering=0) as file:
                self.assertEqual(FileBody(file, 100).send_to(1, 100), 0)

    def test_body_that_sends_nothing(self) -> None:
        """One that has more, and sends nothing of it, is broken off."""

        class Stubborn(FileBody):
            def send_to(self, socket: int, limit: int) -> int:
                return 0

        with self.path.open("rb") as file:
            body = Stubborn(file, len(LARGE))
            self.connect(lambda request: Response(200, body=body), close_timeout=5.0)
            self.ask(GET % b"large")
            for _ in range(50):
                self.step()
            self.reactor.advance(5)
            self.reactor.advance(0)
            self.assertEqual(self.factory.channels, set())
            self.assertTrue(file.closed)

    def test_body_that_is_no_file(self) -> None:
        """It says so: there is nothing that the system could send."""
        body = FileBody(io.BytesIO(b"abc"), 3)
        self.assertRaises(io.UnsupportedOperation, body.send_to, 1, 3)
        self.assertEqual(body.read(3), b"abc")
