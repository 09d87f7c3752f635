"""What holds whatever a client sends, and however it behaves.

These are checks for bytes that somebody else thinks up: Hypothesis, or a fuzzer that
looks for new ways through the code (``benchmarks/fuzz.py``).  Each check raises an
``AssertionError`` that says what does not hold.
"""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from io import UnsupportedOperation
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from toyhttp import BadRequest, HTTPFactory, Request, RequestReader, Response, render_response
from toyhttp.channel import AT_ONCE, SAFE
from toyhttp.files import FileHandler, open_file
from toyhttp.request import SIMPLE, asks_for_keep_alive
from toyhttp.response import text_response
from toyhttp.sending import PIECE, WITH_SHORT_WAY

from .deliveries import MAX_BODY, MAX_HEAD

NOW = 784111777
"""Sun, 06 Nov 1994 08:49:37 GMT."""

SHORT = 24
"""Up to so many bytes are cut at every place; longer ones at some."""

BUFFER = 64 * 1024
"""Above so many bytes that the client has not read, TCP asks its producer to pause."""

PATIENCE = 40.0
"""More seconds than the timeouts of the server in these checks, all together."""

LARGEST = 140_000 + 20_000
"""More bytes than the largest answer of the handler in these checks has."""

_DATE = re.compile(rb"\r\nDate: [^\r]*|\r\nConnection: keep-alive")
_KEPT = b"\r\nConnection: keep-alive"


_KEEP = b"Connection: keep-alive\r\n"

PARTS = [
    *(b"GET / HTTP/1.0\r\n" + _KEEP + b"\r\n", b"GET /a HTTP/1.1\n" + _KEEP + b"\n"),
    *(b"HEAD / HTTP/1.0\r\n" + _KEEP + b"\r\n", b"GET / HTTP/1.0\r\n" + _KEEP + b"A: b\r\n\r\n"),
    b"POST / HTTP/1.0\r\n" + _KEEP + b"Content-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.0\n" + _KEEP + b"Content-Length: 9\n\nGET /\r\n\r\n",
    b"GET / HTTP/1.0\n" + _KEEP + b"Content-Length: 1\n\nx",
    *(b"GET / HTTP/1.0\r\n\r\n", b"GET /\r\n", b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n"),
    *(
        b"GET / HTTP/1.0\r\n",
        b"POST /x HTTP/1.0\r\n",
        b"HEAD http://h/ HTTP/1.9\n",
        b"BREW / HTTP/1.0\n",
    ),
    *(_KEEP, b"Content-Length: 3\r\n", b"content-length:0\n", b"A: b\r\n c\r\n", b"Host: h\r\n"),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 4, 4\n",
        b"A : b\n",
        b"Connection: close\n",
    ),
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\x00",
        b"\xff",
        b"abc",
        b"\r\n\r\n",
        b"\n\n",
        b"/",
        b".",
    ),
]
"""What requests are made of."""


def compose(data: bytes) -> bytes:
    """Return what a client sends: ``data``; or, if its first byte is below 128, parts.

    The first, the next and so on are those for which the bytes stand.
    """
    if data and data[0] < 128:
        return b"".join(PARTS[byte % len(PARTS)] for byte in data[1:30])
    return data


def expect(holds: object, *explanation: object) -> None:
    """Raise an ``AssertionError`` with the explanation, unless it holds."""
    if not holds:
        raise AssertionError(" ".join(map(str, explanation)))


def deliveries(sent: bytes, choices: Random) -> Iterator[list[bytes]]:
    """Cut ``sent``: at every place if it is short, at random ones if not; byte by byte."""
    if len(sent) <= SHORT:
        places = [[i] for i in range(1, len(sent))]
        if 2 < len(sent) <= 9:  # every set of places, which are no more than 256
            rest = range(1, len(sent))
            places = [[i for i in rest if bits >> i & 1] for bits in range(0, 1 << len(sent), 2)]
    else:
        places = [sorted(choices.choices(range(len(sent)), k=k)) for k in (1, 2, 6)]
    for each in places:
        yield [sent[a:b] for a, b in zip([0, *each], [*each, len(sent)], strict=True)]
    if len(sent) <= 200:
        yield [sent[i : i + 1] for i in range(len(sent))]


# The reader

Outcome = list[Request | tuple[int, bytes, bool, str]]


def read(chunks: list[bytes], max_head: int, max_body: int) -> Outcome:
    """Feed the chunks to a reader; return its requests, and last what is wrong, if it is.

    After each chunk it keeps no more than one request that is not complete.
    """
    reader = RequestReader(max_head, max_body)
    came: Outcome = []
    # A line end may come before the head, and the request line is kept twice for a while.
    most = 2 * max_head + max_body + 2
    for number, chunk in enumerate(chunks):
        reader.feed(chunk)
        try:
            while (request := reader.next_request()) is not None:
                came.append(request)
                expect(len(came) <= sum(map(len, chunks)), "requests without end")
        except BadRequest as error:
            if not came or isinstance(came[-1], Request):
                came.append((error.status, error.method, error.simple, str(error)))
            expect(reader.size == 0, "bytes are kept after an error:", reader.size)
        size = kept(reader) if number % 16 == 0 else reader.size  # that takes its time
        expect(size <= most, f"the reader keeps {size} bytes, more than {most}")
    return came


def kept(thing: object, seen: set[int] | None = None) -> int:
    """Return how many bytes an object keeps that came from a client, or go to it."""
    seen = set() if seen is None else seen
    if isinstance(thing, (bytes, bytearray, memoryview)):
        return len(thing)
    if isinstance(thing, (list, tuple, deque)):
        return sum(kept(each, seen) for each in thing)
    of_ours = type(thing).__module__.startswith("toyhttp.")
    if not of_ours or isinstance(thing, (HTTPFactory, BadRequest)) or id(thing) in seen:
        return 0
    seen.add(id(thing))
    values = [value for name, value in getattr(thing, "__dict__", {}).items() if name != "_fields"]
    values += [getattr(thing, name, None) for name in getattr(thing, "__slots__", ())]
    return sum(kept(each, seen) for each in values)


def check_reader(sent: bytes, choices: Random) -> None:
    """See that the reader finds the same however the bytes are cut, and keeps little."""
    limits = choices.choice([(MAX_HEAD, MAX_BODY), (16 * 1024, 1024 * 1024)])
    whole = read([sent], *limits)
    for chunks in deliveries(sent, choices):
        came = read(chunks, *limits)
        expect(came == whole, f"{chunks!r} are {came!r}, but in one chunk {whole!r}")


# The channel


class HandlerError(Exception):
    """What the handler raises on purpose."""


class Pieces:
    """A body that is read when it is sent."""

    def __init__(self, data: bytes, choices: Random) -> None:
        self.size = len(data)
        self.closed = False
        self._left = data
        self._choices = choices

    def read(self, limit: int) -> bytes:
        """Return some of the next bytes."""
        expect(not self.closed, "a body is read after it was closed")
        size = self._choices.randint(1, max(limit, 1))
        piece, self._left = self._left[:size], self._left[size:]
        return piece

    def send_to(self, wire: Any, limit: int) -> int:
        """Send some of the next bytes, the short way; or say that there is none."""
        if self._choices.random() < 0.1:
            raise UnsupportedOperation
        piece, rest = self.read(limit), self._left
        if not piece:
            raise OSError("there are no more bytes")
        try:
            sent: int = wire.send(piece)
        except BlockingIOError:
            sent = 0
        self._left = piece[sent:] + rest
        return sent

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class Broken(Pieces):
    """A body that ends early, or cannot be read to its end."""

    def read(self, limit: int) -> bytes:
        """Return some bytes, once."""
        expect(not self.closed, "a body is read after it was closed")
        piece, self._left = self._left[: self.size // 2], b""
        if not piece and self.size % 2:
            raise OSError("the disk is broken")
        return piece


KINDS = ("now", "later", "coroutine", "pieces", "pieces later", "raises", "fails", "bad")


class Desk:
    """A handler that answers in all ways in which a handler can.

    :param seed: says in which way the first request is answered, the second, and so on.
    :param broken: whether a body may break.
    """

    def __init__(self, seed: int, broken: bool = False) -> None:
        self._seed = seed
        self._choices = Random(seed)
        self._broken = broken
        self.asked = 0
        self.pending: list[tuple[Deferred[Response], Response | Exception]] = []
        self.wrong: list[str] = []
        self._alone = False  # the last request must be answered before there is another
        self.bodies: list[Pieces] = []

    def kind(self, number: int) -> str:
        """Say how the request of this number is answered."""
        return KINDS[Random(self._seed + number).randrange(len(KINDS))]

    def expected(self, number: int, request: Request) -> Response:
        """Return what the client of the request must get."""
        if self.kind(number) in ("raises", "fails", "bad"):
            return text_response(500, "The server made a mistake.")
        body = (
            b"%d %r " % (number, request.target)
            + request.body
            + (0, 40_000, 140_000)[(self._seed + number) % 3] * b"x"
        )
        return Response(200, [(b"X-Number", b"%d" % number)], body)

    def __call__(self, request: Request) -> Any:
        """Answer, or promise an answer."""
        number, self.asked = self.asked, self.asked + 1
        busy = bool(self.pending) and (self._alone or request.method not in SAFE)
        self._alone = request.method not in SAFE
        if busy or len(self.pending) >= AT_ONCE:
            self.wrong.append(f"{request} must wait for {len(self.pending)} others")
        kind, response = self.kind(number), self.expected(number, request)
        if kind == "raises":
            raise HandlerError
        if kind == "bad":
            return Response(200, [(b"X", b"a\r\nb: c")], b"")
        if kind.startswith("pieces"):
            assert isinstance(response.body, bytes)
            make = Broken if self._broken and self._choices.random() < 0.3 else Pieces
            response = replace(response, body=make(response.body, self._choices))
        if kind == "now" or kind == "pieces":
            return self._hand_out(response)
        later: Deferred[Response] = Deferred(self._cancel)
        self.pending.append((later, HandlerError() if kind == "fails" else response))
        return self._wait(later) if kind == "coroutine" else later

    def _cancel(self, deferred: Deferred[Response]) -> None:
        self.pending = [each for each in self.pending if each[0] is not deferred]
        way = self._choices.randrange(3)
        if way == 1:
            deferred.errback(HandlerError())
        elif way == 2:  # it was done already
            deferred.callback(self._hand_out(Response(200, body=Pieces(b"late", self._choices))))

    def _hand_out(self, response: Response) -> Response:
        if isinstance(response.body, Pieces):
            self.bodies.append(response.body)
        return response

    async def _wait(self, later: Deferred[Response]) -> Response:
        return await later

    def log(self, peer: object, request: Request | None, status: int, size: int) -> None:
        """Take what the access log is told."""
        expect(200 <= status <= 599 and size >= 0, f"status {status}, size {size}")

    def fire(self, choices: Random) -> None:
        """Let one of the answers come that are pending, the first or another."""
        if self.pending:
            later, answer = self.pending.pop(choices.randrange(len(self.pending)))
            if isinstance(answer, Response):
                later.callback(self._hand_out(answer))
            else:
                later.errback(answer)


class Wire(StringTransport):
    """A transport that fills, pauses, half-closes and is lost as TCP is, when it is told to.

    :ivar arriving: what the client has sent, in the chunks in which it arrives.
    :ivar unread: how many bytes the client has not read yet.
    :ivar wrong: what the server did that it must not do.
    """

    def __init__(self, protocol: Any, tcp: bool) -> None:
        super().__init__()
        self.protocol = protocol
        self.arriving: deque[bytes] = deque()
        self.unread = 0
        self.half_closed = False  # by the client
        self.written_off = False  # loseWriteConnection was called
        self.aborted = False
        self.lost = False
        self.wrong: list[str] = []
        self._tcp = tcp
        if tcp:
            directlyProvides(self, ITCPTransport)

    def write(self, data: bytes) -> None:
        """Take what the server writes; there must be nobody who would not get it."""
        if self.lost or self.written_off or (self.disconnecting and self.producer is None):
            self.wrong.append(f"{data[:40]!r} is written after the end")
        super().write(data)
        self.unread += len(data)
        if self.unread > BUFFER and self.producer is not None and self.streaming:
            self.producer.pauseProducing()

    def loseWriteConnection(self) -> None:
        """Take that no more will be written."""
        self.written_off = True

    def abortConnection(self) -> None:
        """Take that the server has had enough."""
        self.aborted = self.disconnecting = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Keep a producer, and let one that is to be asked begin, as TCP does."""
        if self.lost:
            producer.stopProducing()
            return
        super().registerProducer(producer, streaming)
        if self._tcp and not streaming:
            producer.resumeProducing()

    def pauseProducing(self) -> None:
        """Deliver no more for a while."""
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        """Deliver again."""
        self.producerState = "producing"

    def lose(self, reason: Exception) -> None:
        """Lose the connection."""
        self.lost = True
        self.aborted = self.disconnecting = False
        if self.producer is not None:
            self.producer.stopProducing()
            self.producer = None
        self.protocol.connectionLost(Failure(reason))

    def can_half_close(self) -> bool:
        """Tell whether the server would hear now that the client will send no more."""
        over = self.lost or self.disconnecting or self.half_closed
        return not over and not self.arriving and self.producerState == "producing"

    def half_close(self) -> None:
        """Let the server hear that the client will send no more."""
        self.half_closed = True
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
        else:
            self.lose(ConnectionDone())

    def move(self, reads: bool = True) -> bool:
        """Let one thing happen that is due: the client reads all, or bytes arrive.

        :param reads: whether the client reads at all.
        :returns: whether there was any.
        """
        if self.lost:
            return False
        if self.aborted:
            self.lose(ConnectionAborted())
        elif reads and (self.unread or self.producer is not None):
            self.unread = 0
            if self.producer is not None:
                self.producer.resumeProducing()
        elif self.disconnecting and self.producer is None and not self.unread:
            self.lose(ConnectionDone())
        elif self.arriving and self.producerState == "producing" and not self.disconnecting:
            self.protocol.dataReceived(self.arriving.popleft())
        else:
            return False
        return True


class SocketWire(Wire):
    """One whose socket can be sent to, past its buffer; it takes what it likes.

    :param choices: say how much that is.
    """

    TLS = False

    def __init__(self, protocol: Any, choices: Random) -> None:
        super().__init__(protocol, tcp=True)
        self._choices = choices
        self._buffered = False
        self._held = False  # the last bytes wait for those which were said to follow
        self._corked = False

    def getHandle(self) -> SocketWire:
        """Return the socket."""
        return self

    def fileno(self) -> SocketWire:
        """Return what stands for its descriptor."""
        return self

    def send(self, data: bytes, flags: int = 0) -> int:
        """Take some of the data; raise ``BlockingIOError`` if that is nothing."""
        if self._buffered:
            self.wrong.append(f"{data[:40]!r} overtakes what was written before")
        sent = min(len(data), self._choices.choice([0, 1, 7, 5000, len(data), len(data)]))
        if data and (not sent or self.unread > BUFFER):
            raise BlockingIOError
        self._held = bool(flags) and sent == len(data)
        super().write(data[:sent])
        return sent

    def setsockopt(self, level: int, option: int, value: bool) -> None:
        """Hold back what does not fill a segment, or no more."""
        if option == getattr(socket, "TCP_CORK", None):
            self._corked = value

    def startWriting(self) -> None:
        """Ask the producer again when there is room."""

    def write(self, data: bytes) -> None:
        """Put it into the buffer."""
        self._held, self._buffered = False, True
        super().write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Close, as the server has said that all is sent."""
        if self._buffered:
            self.wrong.append("it is closed before all is sent")
        self.lose(reason.value)  # type: ignore[arg-type]

    def move(self, reads: bool = True) -> bool:
        """Let one thing happen that is due; what was written is sent before all others."""
        if not self.lost:
            if self._held or (self._corked and self.producer is None and not self.aborted):
                self.wrong.append("what was sent is held back")
            if reads:
                self._buffered = False
        return super().move(reads)


WITH_SHORT_WAY.add(SocketWire)


@implementer(ILogObserver)
class Errors:
    """Collects what is logged as an error, but not what the handler does on purpose."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._levels = (LogLevel.error, LogLevel.critical)

    def __call__(self, event: LogEvent) -> None:
        """Look at one event."""
        if event.get("log_level") not in self._levels:
            return
        failure = event.get("log_failure")
        if failure is None or not failure.check(HandlerError, CancelledError):
            text = failure.getTraceback() if failure is not None else event.get("log_format")
            if "'X' has a NUL, CR or LF in it" not in str(text):
                self.events.append(str(text))

    def __enter__(self) -> Errors:
        """Begin."""
        globalLogPublisher.addObserver(self)
        return self

    def __exit__(self, *args: object) -> None:
        """End."""
        globalLogPublisher.removeObserver(self)


def answers(sent: bytes, desk: Desk, now: float, limits: tuple[int, int]) -> tuple[bytes, bool]:
    """Return all that must be answered to these bytes, and whether the connection ends."""
    wanted: list[bytes] = []
    for number, came in enumerate(read([sent], *limits)):
        if not isinstance(came, Request):
            status, method, simple, explanation = came
            response = text_response(status, explanation)
            rendered = render_response(response, now, method == b"HEAD", b"toyhttp")
            wanted.append(rendered.partition(b"\r\n\r\n")[2] if simple else rendered)
            return b"".join(wanted), True
        keep = asks_for_keep_alive(came)
        response = desk.expected(number, came)
        rendered = render_response(response, now, came.method == b"HEAD", b"toyhttp", keep)
        simple = came.version == SIMPLE
        wanted.append(rendered.partition(b"\r\n\r\n")[2] if simple else rendered)
        if not keep:
            return b"".join(wanted), True
    return b"".join(wanted), False


class _Visit:
    """A client that is connected to a channel, with all that is to be looked at."""

    def __init__(self, choices: Random, broken: bool) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.limits = choices.choice([(MAX_HEAD, MAX_BODY), (16 * 1024, 1024 * 1024)])
        self.desk = Desk(choices.getrandbits(32), broken)
        head, body = self.limits
        self.factory = HTTPFactory(
            self.desk,
            self.clock,
            idle_timeout=5,
            request_timeout=10,
            close_timeout=5,
            max_head=head,
            max_body=body,
            log=self.desk.log,
        )
        self.channel = self.factory.buildProtocol(None)
        kind = choices.randrange(3)
        self.wire = (
            SocketWire(self.channel, choices) if kind == 2 else Wire(self.channel, kind == 1)
        )
        self.channel.makeConnection(self.wire)
        self._looked = 0

    def look(self, chunk: int) -> None:
        """See that the channel keeps little, and has one timer at most."""
        self._looked += 1
        size = kept(self.channel) if self._looked % 8 == 3 else 0  # that takes its time
        # One request that is not complete, eight with their answers, and what came last.
        most = 10 * sum(self.limits) + 8 * LARGEST + 2 * chunk
        expect(size <= most, f"the channel keeps {size} bytes, more than {most}")
        unread = self.wire.unread
        expect(unread <= 2 * BUFFER + 2 * PIECE, f"{unread} bytes wait for the client to read")
        count = len(self.clock.getDelayedCalls())
        expect(count <= 1, f"{count} timers for one connection")
        expect(not self.wire.wrong, self.wire.wrong)
        expect(not self.desk.wrong, self.desk.wrong)

    def leave(self, reason: Exception) -> None:
        """Lose the connection, if it is not lost yet, and see that nothing is left."""
        if not self.wire.lost:
            self.wire.lose(reason)
        calls = self.clock.getDelayedCalls()
        expect(not calls, f"timers are left: {calls}")
        expect(not self.desk.pending, "a handler still works for nobody")
        bodies = [body for body in self.desk.bodies if not body.closed]
        expect(not bodies, f"{len(bodies)} bodies are not closed")
        expect(not self.wire.wrong, self.wire.wrong)
        expect(not self.factory.channels, "the factory still counts the channel")


def check_channel(sent: bytes, choices: Random) -> None:
    """See that the answers are the same however the bytes are cut, or come in time.

    All clients here are patient: they send all that they have to send, and read all.
    """
    with Errors() as errors:
        for number, chunks in enumerate(deliveries(sent, choices)):
            if number and choices.random() < 0.7:
                continue
            visit = _Visit(choices, broken=False)
            wanted, ends = answers(sent, visit.desk, NOW, visit.limits)
            wire, desk = visit.wire, visit.desk
            wire.arriving.extend(chunks)
            closes = choices.random() < 0.3
            busy = True
            while busy:
                busy = wire.move()
                if closes and wire.can_half_close():
                    wire.half_close()
                    busy = True
                visit.look(max(map(len, chunks), default=0))
                if desk.pending and (not busy or choices.random() < 0.3):
                    desk.fire(choices)
                    busy = True
            got = wire.value()
            if closes:  # then the connection need not be kept
                got, wanted = got.replace(_KEPT, b""), wanted.replace(_KEPT, b"")
            expect(got == wanted, f"{chunks!r} are answered {got!r}, not {wanted!r}")
            ended = wire.lost or wire.written_off
            expect(ended == (ends or closes), f"{chunks!r}: ended is {ended}")
            while not wire.lost and (due := visit.clock.getDelayedCalls()):
                visit.clock.advance(max(due[0].getTime() - visit.clock.seconds(), 0))
                wire.move()
            expect(wire.lost, f"{chunks!r}: the connection stays open for ever")
            visit.leave(ConnectionDone())
            if not ended:  # it has waited in vain for another request, or the rest of one
                more = wire.value()[len(got) :]
                expect(not more or b" 408 " in more[:16], f"{chunks!r}: at last came {more!r}")
    expect(not errors.events, "logged:", *errors.events)


def check_rude_channel(sent: bytes, choices: Random) -> None:
    """See that nothing is left of clients that are late, do not read, or break off.

    What they got is the beginning of what a patient client gets.
    """
    with Errors() as errors:
        visit = _Visit(choices, broken=choices.random() < 0.5)
        wire, desk, clock = visit.wire, visit.desk, visit.clock
        if choices.random() < 0.2:
            sent = sent * min(choices.randint(2, 200), 1 + 20_000 // (len(sent) + 1))
        wanted, _ = answers(sent, desk, NOW, visit.limits)
        size = choices.choice([1, 7, 100, 5000])
        chunks = [sent[i : i + size] for i in range(0, len(sent), size)]
        reads = choices.random() < 0.7
        until = choices.randint(0, 2 * len(chunks) + 20)
        for _ in range(until):
            if wire.lost:
                break
            dice = choices.random()
            if dice < 0.6 and chunks and not wire.arriving:
                wire.arriving.append(chunks.pop(0))
            elif dice < 0.8:
                desk.fire(choices)
            elif dice < 0.9:
                clock.advance(choices.choice([0, 0.1, 1, 6, PATIENCE]))
            elif dice < 0.92 and wire.can_half_close():
                chunks = []
                wire.half_close()
            wire.move(reads)
            if not wire.lost:
                visit.look(size)
        if choices.random() < 0.5:  # the server loses patience, if nothing is with the handler
            while desk.pending:
                desk.fire(choices)
            for _ in range(10 + 20 * len(sent)):
                if wire.lost:
                    break
                clock.advance(PATIENCE)
                wire.move(reads)
                while desk.pending:
                    desk.fire(choices)
            else:
                expect(False, "the connection stays open for ever")
        visit.leave(choices.choice([ConnectionDone, ConnectionLost])())
        got, wanted = _DATE.sub(b"", wire.value()), _DATE.sub(b"", wanted)
        late = got.rfind(b"HTTP/1.0 408")
        if late >= 0 and not wanted.startswith(got):
            got = got[:late]
        expect(wanted.startswith(got), f"{got!r} is no beginning of {wanted!r}")
        clock.advance(PATIENCE)
    expect(not errors.events, "logged:", *errors.events)


# Files

SECRET = b"nobody may read this"


def make_tree(folder: Path) -> Path:
    """Write a folder to be served, with secrets in it and around it; return it."""
    root = folder / "www"
    for name in ("sub/deep", "empty", ".git", ".well-known", "s p"):
        (root / name).mkdir(parents=True)
    for name in ("index.html", "a.txt", "sub/b.txt", "s p/\xe9%41.txt", ".well-known/x", "con"):
        (root / name).write_bytes(b"everybody may read this")
    (root / "large").write_bytes(bytes(200_000))
    (folder / "www-private").mkdir()
    for name in ("secret", "www-private/secret", "www.txt", "www/.secret", "www/.git/config"):
        (folder / name).write_bytes(SECRET)
    for name, target in (
        ("in", "a.txt"),
        ("out", "../secret"),
        ("up", ".."),
        ("beside", "../www-private"),
        ("sub/out", "../../secret"),
        ("sub/root", "/"),
        ("loop", "loop"),
        ("dangling", "nowhere"),
        ("empty/index.html", "../../secret"),
    ):
        (root / name).symlink_to(target)
    return root


SEGMENTS = [
    *(b"beside/secret", b"up/secret", b"up/www-private/secret", b"sub/out", b"../secret"),
    *(b"%2e%2e/secret", b"..%2fsecret", b".git/config", b"sub/root/etc/passwd", b"empty/"),
    *(
        b"/",
        b"//",
        b"..",
        b".",
        b"...",
        b"%2e%2e",
        b"%2E.",
        b".%2e",
        b"%252e",
        b"..;",
        b"%2f",
        b"%5c",
    ),
    *(b"\\", b"%00", b"%", b"%6", b"%zz", b"%c0%ae", b"%ff", b"\xff", b"%20", b"~", b"*", b"con"),
    *(b"www", b"www-private", b"-private", b"www.txt", b"secret", b".secret", b".git", b"config"),
    *(b"index.html", b"a.txt", b"sub", b"deep", b"b.txt", b"empty", b"large", b"s%20p", b"%C3%A9"),
    *(
        b"%2541.txt",
        b".well-known",
        b"x",
        b"in",
        b"out",
        b"up",
        b"beside",
        b"root",
        b"etc",
        b"passwd",
    ),
    *(b"loop", b"dangling", b"?", b"?a=/../", b"http://h", b"http:/", b"a" * 300, b"/" * 40),
    *(b"../" * 9, b"%2e%2e%2f" * 9, b"in/", b"%0d%0aX:%20", b"\xef\xbc\x8e", b"`", b"<b>", b'"'),
]
"""What targets are made of."""

HEADERS = [
    *(b"", b"Host: h\r\n", b'Host: "><script>\r\n', b"Range: bytes=0-3\r\n"),
    *(b"Range: bytes=9-\r\n", b"Range: bytes=-5\r\n", b"Range: bytes=0-0,2-3\r\n"),
    *(b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", b"Range: bytes=99999999999-\r\n"),
    *(b"Connection: keep-alive\r\n", b"If-Range: x\r\n"),
]
"""Header fields that a handler of files looks at."""

_STATUS_LINE = re.compile(rb"HTTP/1\.0 (200|206|30[14]|40[0345]|41[46]|431|50[15]) ")


class Files:
    """Answers with the files of a tree, and counts those that are open.

    :param folder: an empty one, in which the tree is made.
    """

    def __init__(self, folder: Path) -> None:
        self._root = make_tree(folder)
        self._open: list[Any] = []
        self._warnings: list[str] = []

    def _open_file(self, path: Path) -> Any:
        file = open_file(path)
        self._open.append(file)
        return file

    def check(self, sent: bytes, choices: Random) -> None:
        """See that no target leads to a secret, or to an answer that is none.

        :param sent: the target; if its first byte is below 128, it is made of parts, for
            which the other bytes stand, or random ones.
        """
        if sent and sent[0] < 128:
            picked = sent[1:] if sent[0] < 32 else choices.randbytes(choices.randint(1, 8))
            parts = [b"/" * (byte < 150) + SEGMENTS[byte % len(SEGMENTS)] for byte in picked]
            sent = b"".join(parts)
        method = choices.choice([b"GET", b"GET", b"GET", b"HEAD", b"POST"])
        fields = b"".join(choices.choices(HEADERS, k=choices.randrange(3)))
        body = b"Content-Length: 0\r\n" if method == b"POST" else b""
        version = choices.choice([b"1.0", b"1.1"])
        request = b"%s %s HTTP/%s\r\n%s%s\r\n" % (method, sent, version, fields, body)
        clock = Clock()
        clock.advance(time.time())
        handler = FileHandler(self._root, clock, self._open_file, choices.random() < 0.7)
        with Errors() as errors:
            channel = HTTPFactory(handler, clock).buildProtocol(None)
            wire = Wire(channel, tcp=True)
            channel.makeConnection(wire)
            wire.arriving.append(request)
            for _ in range(choices.choice([1, 2, 3, 10_000])):
                if not wire.move():
                    break
            if not wire.lost:
                wire.lose(ConnectionLost())
        got = wire.value()
        expect(SECRET not in got, f"{request!r} is answered {got!r}")
        line = request[: request.index(b"\n")].strip(b" \t\r")
        simple = len(re.split(rb"[ \t]+", line)) < 3
        expect(simple or not got or _STATUS_LINE.match(got), f"{request!r} is answered {got!r}")
        expect(not errors.events, f"{request!r} is logged:", *errors.events)
        expect(all(file.closed for file in self._open), f"{request!r} leaves a file open")
        expect(not clock.getDelayedCalls(), f"{request!r} leaves a timer")
        self._open.clear()
