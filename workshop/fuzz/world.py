"""What a channel has around it: transports, a clock, a handler and a log, all in memory."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

PIECE = 256 * 1024  # bytes: no more may be written at once
HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n((?:[^\r\n]*\r\n)*?)\r\n")
TOLD = (
    b"date",
    b"connection",
    b"content-length",
    b"content-type",
    b"last-modified",
    b"location",
    b"x-handler",
    b"x",
)
FROM_FILES = (403, 404, 405)  # of which type these are is left open
CLOSE = (b"connection", b"close")
REASONS = {"done": ConnectionDone, "lost": ConnectionLost, "aborted": ConnectionAborted}


@contextmanager
def counting_errors() -> Iterator[Callable[[], int]]:
    """Count the failures that are logged while the block runs."""
    seen: list[object] = []

    @implementer(ILogObserver)
    def observe(event: Any) -> None:
        if event.get("log_failure") is not None or event.get("isError"):
            seen.append(None)

    globalLogPublisher.addObserver(observe)
    try:
        yield lambda: len(seen)
    finally:
        globalLogPublisher.removeObserver(observe)


@implementer(ITransport, IConsumer, IPushProducer)
class Wire:
    """A transport that notes what is done to it, and what no transport would allow.

    :ivar goes: when the connection is lost after ``loseConnection``: ``"never"``; ``"soon"``,
        when the event is over; ``"at once"``, before it returns.
    :ivar pulls: whether a producer is asked for the first piece before it is registered for
        good, as Twisted's TCP does.
    :ivar wrong: what was done that must not be.
    """

    disconnecting = False

    def __init__(self, goes: str, pulls: bool) -> None:
        self.goes, self.pulls = goes, pulls
        self.protocol: Any = None
        self.data = bytearray()
        self.aborted = self.lost = self.paused = False
        self.producer: Any = None
        self.waiting: list[bytes] = []
        self.wrong: set[str] = set()
        self.lost_with = ""
        self.is_asked = False
        self.writes = 0

    def write(self, data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError("only bytes can be written")
        if self.lost:
            self.wrong.add("writes after the loss")
        elif self.disconnecting and self.producer is None:
            self.wrong.add("writes after loseConnection")
        self.writes += 1
        if len(data) > PIECE + 4096:
            self.wrong.add("writes too much at once")
        if not self.lost and not self.aborted:
            self.data += data

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        self.disconnecting = True
        if self.goes == "at once" and self.producer is None and not self.lost:
            self.lose("done")

    def abortConnection(self) -> None:
        if self.lost:
            self.wrong.add("aborts after the loss")
        else:
            self.disconnecting = self.aborted = True

    def pauseProducing(self) -> None:
        if self.disconnecting or self.lost:
            self.wrong.add("pauses a connection that is closed")
        self.paused = True

    def resumeProducing(self) -> None:
        if self.lost:
            self.wrong.add("resumes a connection that is lost")
        self.paused = False

    def stopProducing(self) -> None:
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self.producer is not None:
            raise RuntimeError("there is a producer already")
        if self.lost:
            producer.stopProducing()
            return
        self.producer, self.is_asked = producer, not streaming
        if self.pulls and not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None
        if self.disconnecting and self.goes == "at once" and not self.lost:
            self.lose("done")

    def getPeer(self) -> Any:
        """Return no address: nobody is there."""

    def getHost(self) -> Any:
        """Return no address."""

    def getHandle(self) -> None:
        """Return no socket."""

    def lose(self, reason: str) -> None:
        """Lose the connection, and tell the producer and the protocol."""
        if self.lost:
            return
        self.lost, self.lost_with = True, reason
        self.disconnecting = True
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        self.protocol.connectionLost(Failure(REASONS[reason]("The wire is cut.")))

    def pull(self, most: int) -> None:
        """Ask the producer for so many pieces."""
        for _ in range(most):
            if self.producer is None or not self.is_asked or self.lost or self.aborted:
                return
            self.producer.resumeProducing()

    def settle(self) -> None:
        """Let happen what happens when an event is over."""
        if self.aborted:
            self.lose("aborted")
        elif self.disconnecting and self.producer is None and self.goes == "soon":
            self.lose("done")


class Answers:
    """What was written to a client, cut into responses, without what is left open."""

    def __init__(self) -> None:
        self._data = b""
        self._open: tuple[Any, int, int] | None = None  # a response, its body as far as it is

    def feed(self, data: bytes) -> None:
        """Take what was written."""
        self._data += data

    def complete(self, at_the_end: bool, secret: bytes) -> list[Any]:
        """Return the responses that are complete."""
        found: list[Any] = []
        while self._data:
            head = HEAD.match(self._data)
            if head is None:
                if at_the_end:
                    found.append(("no response", self._data[:80]))
                    self._data = b""
                break
            fields = [line.partition(b":") for line in head[2].split(b"\r\n")[:-1]]
            headers = sorted(plain(name, value) for name, _, value in fields)
            lengths = [value for name, value in headers if name == b"content-length"]
            size = int(lengths[0]) if lengths and lengths[0].isdigit() else 0
            rest = self._data[head.end() :]
            body = b"" if rest.startswith(b"HTTP/1.") else rest[:size]
            if len(body) < size and (body or (size > PIECE and not rest)):
                if at_the_end:  # how much of it has come is left open
                    self._data = b""
                break
            self._data = rest[len(body) :]
            found.append(seen(int(head[1]), headers, body, secret))
        return found


def plain(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header field without what is left open: in which case some of it is written."""
    name, value = name.lower(), value.strip()
    return name, value.lower() if name == b"connection" else value


def seen(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes, secret: bytes
) -> tuple[Any, ...]:
    """Return what a response says, without what is left open."""
    if status < 400 or (b"x-handler", b"yes") in headers:
        kept = [field for field in headers if field[0] in TOLD and field != CLOSE]
        return status, kept, body if len(body) < 200 else (len(body), hash_of(body))
    kept = [field for field in headers if field[0] in (b"date", b"connection", b"allow")]
    kept = [field for field in kept if field != CLOSE]
    types = [value[:10].lower() for name, value in headers if name == b"content-type"]
    lengths = [value for name, value in headers if name == b"content-length"]
    told = "a body" if body else "no body"
    if secret in body:
        told = "a body that tells too much"
    if body and lengths != [b"%d" % len(body)]:
        told = "a body of another length"
    return status, kept, types == [b"text/plain"] or status in FROM_FILES, len(lengths), told


def hash_of(data: bytes) -> int:
    """Return a number that stands for the bytes; the same in each process."""
    import zlib

    return zlib.crc32(data)


def bytes_kept(channel: Any) -> int:
    """Return how many bytes of what its client has sent a channel keeps, at most."""
    seen: set[int] = set()
    waiting, total = [channel], 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, (Wire, Clock, type, ModuleType)):
            continue
        seen.add(id(each))
        if isinstance(each, (bytes, bytearray)):
            total += len(each)
        elif not isinstance(each, (FunctionType, CodeType)):
            waiting += gc.get_referents(each)
    return total


class Work:
    """The Deferreds that a handler has returned, and which of them were cancelled.

    :param told: what a handler does that is told so: nothing, or it ``"fails"`` or ``"answers"``.
    """

    def __init__(self, told: str) -> None:
        self.told = told
        self.pending: list[Deferred[Any]] = []
        self.cancelled: list[int] = []

    def later(self) -> Deferred[Any]:
        """Return a new Deferred."""
        number = len(self.pending)

        def cancel(deferred: Deferred[Any]) -> None:
            self.cancelled.append(number)
            if self.told == "fails":
                deferred.errback(ValueError("it was cancelled"))
            elif self.told == "answers":
                deferred.callback("it was cancelled")

        self.pending.append(Deferred(cancel))
        return self.pending[-1]


def no_calls_left(clock: Clock) -> bool:
    """Tell whether no delayed call is left."""
    return not clock.getDelayedCalls()
