"""Clients that break off, and clients that are slow, while good ones are served.

``python -m benchmarks.faults`` runs each with a thousand bad clients and fifty good
ones, over TCP on 127.0.0.1, and exits with 1 if anything went wrong:

- *cut*: a bad client sends a request up to a random byte, waits for a random moment,
  and resets the connection; some are cut while the handler works or the answer comes.
- *slow*: a bad client sends a byte every second, and must be gone at the deadline.
- *files*, *idle*, *descriptors*: see ``benchmarks/hostile.py``.

In all, each answer that a good client gets must be right; and at the end nothing may
be left: no connection, file, descriptor, delayed call or Deferred, and no logged error.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, LogLevel, globalLogBeginner
from twisted.python.failure import Failure

from toyhttp import HTTPFactory, Request, Response

IDLE, DEADLINE = 3.0, 5.0  # seconds: timeouts of the server
LARGE = 512 * 1024  # bytes of the largest answer


class Client(Protocol):
    """Collects what comes, and tells when the connection is lost."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.lost: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)


class Run:
    """A server, its clients, and what must not be left of them.

    :param reactor: the reactor.
    :param seed: makes the same random choices in each run.
    """

    def __init__(self, reactor: Any, seed: int) -> None:
        self.reactor = reactor
        self.random = random.Random(seed)
        self.pending: set[Deferred[Response]] = set()
        self.problems: list[str] = []
        self.answers = 0
        self.retries = 0  # for which the machine is to blame: it was too busy
        self.seconds: list[float] = []  # that a good client waited

    def handler(self, request: Request) -> Response | Deferred[Response]:
        """Answer with as many bytes as the target says, at once, a little later or never."""
        _, when, size = request.target.split(b"/")
        response = Response(200, body=int(size) * b"x" + request.body)
        if when == b"now":
            return response
        wait = 3600 if when == b"never" else 0.05
        later: Deferred[Response] = Deferred(lambda deferred: call.cancel())
        call = self.reactor.callLater(wait, later.callback, response)
        self.pending.add(later)

        def forget(result: Any) -> Any:
            self.pending.discard(later)
            return result

        return later.addBoth(forget)

    def make_factory(self) -> HTTPFactory:
        """Return the factory of the server."""
        return HTTPFactory(self.handler, self.reactor, idle_timeout=IDLE, request_timeout=DEADLINE)

    def request(self, *when: bytes) -> tuple[bytes, int]:
        """Make up a request; return its bytes and the size of the right answer's body."""
        size = self.random.choice([0, 10, LARGE])
        body = self.random.randbytes(self.random.choice([0, 100, 50_000]))
        head = b"POST /%s/%d HTTP/1.0\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        return head % (self.random.choice(when), size, len(body)) + body, size + len(body)

    async def connect(self) -> Client:
        """Connect a client."""
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.port.getHost().port)
        client: Client = await connectProtocol(endpoint, Client())
        return client

    async def good(self, until: Callable[[], bool]) -> None:
        """Send requests, one after the other, and look at each answer."""
        while not until():
            sent, size = self.request(b"now", b"later")
            began = time.perf_counter()
            client = await self.connect()
            client.transport.write(sent)
            await client.lost
            self.seconds.append(time.perf_counter() - began)
            head, _, body = bytes(client.received).partition(b"\r\n\r\n")
            self.answers += 1
            if head[:12] != b"HTTP/1.0 200" or len(body) != size:
                self.problems.append(f"{head[:40]!r} and {len(body)} bytes, not {size}")

    async def cut(self) -> None:
        """Send a part of a request, and reset the connection."""
        await task.deferLater(self.reactor, self.random.uniform(0, 3), lambda: None)
        client = await self.connect()
        sent, _ = self.request(b"now", b"later", b"never")
        kind = self.random.random()
        if kind > 0.4:
            sent = sent[: self.random.randint(0, len(sent))]
        client.transport.write(sent)
        if kind < 0.2:  # as old clients do behind a body; later, so that it comes alone
            await task.deferLater(self.reactor, 0.05, lambda: None)
            client.transport.write(b"\r\n")
        await task.deferLater(self.reactor, self.random.uniform(0, 0.2), lambda: None)
        client.transport.abortConnection()
        await client.lost

    async def slow(self) -> None:
        """Send a byte every second until the server has had enough; see that it has in time."""
        await task.deferLater(self.reactor, self.random.uniform(0, 1), lambda: None)
        began = self.reactor.seconds()
        client = await self.connect()
        call = task.LoopingCall(client.transport.write, b"x")
        sending = call.start(1.0)
        enough = self.reactor.callLater(DEADLINE + 4, client.transport.abortConnection)
        await client.lost
        if enough.active():
            enough.cancel()
        call.stop()
        await sending
        lived = self.reactor.seconds() - began
        if not DEADLINE - 0.5 < lived < DEADLINE + 4:  # the reset, and a busy machine
            self.problems.append(f"a slow client lived {lived:.1f} s")

    async def run(self, bad: Callable[[], Coroutine[Any, Any, None]], bads: int) -> None:
        """Let so many bad clients and fifty good ones come, and see that nothing is left."""
        factory = self.factory = self.make_factory()
        self.port = await TCP4ServerEndpoint(self.reactor, 0, 1000, "127.0.0.1").listen(factory)
        await task.deferLater(self.reactor, 0, lambda: None)  # the reactor opens some of its own
        before = descriptors()
        all_bad = gatherResults([Deferred.fromCoroutine(bad()) for _ in range(bads)])
        done: list[Any] = []
        all_bad.addBoth(done.append)
        await gatherResults(
            [Deferred.fromCoroutine(self.good(lambda: bool(done))) for _ in range(50)]
        )
        if isinstance(done[0], Failure):
            done[0].raiseException()
        # For the last ends, those of clients who sent too much and were not listened to.
        await task.deferLater(self.reactor, IDLE + 0.5, lambda: None)
        left = {
            "delayed calls": len(self.reactor.getDelayedCalls()),
            "Deferreds": len(self.pending),
            "descriptors": descriptors() - before,
            "connections": len(factory.channels),
        }
        self.problems += [f"{count} {what} left" for what, count in left.items() if count]
        await self.port.stopListening()


def descriptors() -> int:
    """Return how many file descriptors are open, or 0 where the system does not tell."""
    folder = Path("/dev/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def allow_descriptors(count: int) -> None:
    """Let this process open so many files: a client and its server are two."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < count:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


async def main(reactor: Any, clients: int, seed: int, only: list[str]) -> None:
    """Run each, print a line for it, and exit with 1 if there was a problem."""
    problems: list[str] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.error:
            problems.append(f"logged: {event.get('log_failure') or event['log_format']}")

    globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False)
    allow_descriptors(18 * clients + 500)
    from benchmarks.hostile import FewDescriptors, FilesRun  # they are runs, too

    runs = {"cut": Run, "slow": Run, "files": FilesRun, "idle": FilesRun}
    for name in only or [*runs, "descriptors"]:
        before = len(problems)
        if name == "descriptors":
            if sys.platform == "linux":
                few = FewDescriptors()
                shown = await deferToThread(few.run)
                problems += few.problems
                print(f"{shown}, {len(few.problems)} problems", flush=True)
            else:
                print("descriptors: left out, it needs Linux")
            continue
        run = runs[name](reactor, seed)
        bads = 9 * clients if name == "idle" else clients
        try:
            await run.run(getattr(run, name), bads)
        except Exception as error:
            run.problems.append(f"the run ended early: {error!r}")
            run.seconds.append(0)
        problems += run.problems
        print(
            f"{bads} clients {name}, 50 good: {run.answers} good answers, "
            f"{1000 * statistics.median(run.seconds):.0f} ms in the middle, "
            f"{1000 * max(run.seconds):.0f} ms at most, "
            f"{run.retries} retries, {len(problems) - before} problems",
            flush=True,
        )
    for problem in problems[:20]:
        print(problem)
    if problems:
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--clients", type=int, default=1000, help="bad ones (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--only", action="append", help="one of the runs; may be repeated")
    arguments = parser.parse_args()
    task.react(
        lambda reactor: Deferred.fromCoroutine(
            main(reactor, arguments.clients, arguments.seed, arguments.only)
        )
    )
