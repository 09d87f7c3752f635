"""How long it takes to read a request that comes in small pieces.

``python -m benchmarks.feed`` prints two tables of docs/benchmarks.md: a head that comes
one byte at a time, and a body that comes 256 bytes at a time.  The time for n bytes must
grow like n: a reader that searches or copies its buffer again for each piece takes a time
like n * n, and then one slow client is work for a whole core.

Peers are fed the same bytes in the same run: toyhttp's whole channel, h11, the parser that
httpx uses, and, with heads, stage 3's solution, which is written to be read.  The rounds
are interleaved, and of each cell the least CPU time counts: what disturbs a measurement
only makes it longer.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from time import process_time
from timeit import Timer
from typing import Any

import h11
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from solutions.stage3.reader import RequestReader as SolutionReader
from toyhttp import HTTPFactory, Request, RequestReader, Response

KIB, MIB = 1024, 1024 * 1024
LIMIT = 16 * MIB

Feed = Callable[[bytes, int], bool]
"""Reads bytes in pieces of a size, and tells whether they were a request."""


def head(size: int) -> bytes:
    """Return a head of so many bytes, in lines of 512 at most."""
    field = b"X-Field: " + 501 * b"x" + b"\r\n"
    data = b"GET / HTTP/1.0\r\n" + (size // len(field) - 1) * field
    fill = size - len(data) - len(b"X-Last: \r\n\r\n")
    return data + b"X-Last: " + fill * b"x" + b"\r\n\r\n"


def body(size: int) -> bytes:
    """Return a request with a body of so many bytes."""
    fields = b"Host: localhost\r\nContent-Length: %d\r\n" % size
    return b"POST / HTTP/1.0\r\n" + fields + b"\r\n" + size * b"x"


def feed_reader(make: Callable[..., Any], data: bytes, piece: int) -> bool:
    """Read with a ``RequestReader`` of this kind."""
    reader = make(max_head=LIMIT, max_body=LIMIT)
    for i in range(0, len(data), piece):
        reader.feed(data[i : i + piece])
        request = reader.next_request()
    return request is not None


def feed_channel(data: bytes, piece: int) -> bool:
    """Read with toyhttp's channel, that is, with all but TCP."""
    requests = []

    def handler(request: Request) -> Response:
        requests.append(request)
        return Response(200)

    factory = HTTPFactory(handler, Clock(), max_head=LIMIT, max_body=LIMIT)
    channel = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    channel.makeConnection(StringTransport())
    for i in range(0, len(data), piece):
        channel.dataReceived(data[i : i + piece])
    return bool(requests)


def feed_h11(data: bytes, piece: int) -> bool:
    """Read with h11, and put the pieces of the body together."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMIT)
    request, body = None, bytearray()
    for i in range(0, len(data), piece):
        connection.receive_data(data[i : i + piece])
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.EndOfMessage):
                return request is not None
            if isinstance(event, h11.Data):
                body += event.data
            else:
                request = event
    return False


@dataclass(frozen=True)
class Table:
    """What is measured together.

    :ivar make: makes a request of a size.
    :ivar sizes: in bytes.
    :ivar piece: how many bytes come at a time.
    :ivar unit: in what the sizes are printed, and its name.
    :ivar feeds: the readers, by their names; the first is toyhttp's.
    """

    make: Callable[[int], bytes]
    sizes: tuple[int, ...]
    piece: int
    unit: tuple[int, str]
    feeds: dict[str, Feed]

    @property
    def factor(self) -> int:
        """How many times the smallest size the largest is."""
        return self.sizes[-1] // self.sizes[0]

    def measure(self, rounds: int) -> dict[tuple[str, int], float]:
        """Return for each reader and size the least of so many times, in seconds."""
        best: dict[tuple[str, int], float] = {}
        for _ in range(rounds):
            for size in self.sizes:
                data = self.make(size)
                for name, feed in self.feeds.items():
                    if not feed(data, self.piece):
                        raise RuntimeError(f"{name} made no request of {size} bytes")
                    timer = Timer(partial(feed, data, self.piece), timer=process_time)
                    seconds = timer.timeit(number=1)
                    best[name, size] = min(seconds, best.get((name, size), seconds))
        return best

    def growth(self, best: dict[tuple[str, int], float], name: str) -> float:
        """Return how many times the time for the smallest size the largest takes."""
        return best[name, self.sizes[-1]] / best[name, self.sizes[0]]

    def print(self, rounds: int) -> None:
        """Measure, and print the table as Markdown."""
        best = self.measure(rounds)
        unit, unit_name = self.unit
        print(f"| {unit_name} |", " | ".join(self.feeds), "|")
        print("|---:|" + "---:|" * len(self.feeds))
        for size in self.sizes:
            cells = [f"{best[name, size] * 1000:.2f} ms" for name in self.feeds]
            print("|", " | ".join([f"{size / unit:g}", *cells]), "|")
        cells = [f"{self.growth(best, name):.0f} times" for name in self.feeds]
        print("|", " | ".join([f"{self.factor} times", *cells]), "|")


OWN: dict[str, Feed] = {
    "toyhttp": partial(feed_reader, RequestReader),
    "its whole channel": feed_channel,
}
SOLUTION: Feed = partial(feed_reader, SolutionReader)

HEADS = Table(
    head,
    tuple(KIB << i for i in range(6)),
    1,
    (1, "bytes"),
    {**OWN, "h11": feed_h11, "solution of stage 3": SOLUTION},
)
BODIES = Table(
    body,
    tuple(10 * MIB >> i for i in (3, 2, 1, 0)),
    256,
    (MIB, "MiB"),
    {**OWN, "h11": feed_h11},
)
NAMES = {"a head, byte by byte": HEADS, "a body, in pieces of 256 bytes": BODIES}


def main() -> None:
    """Measure, and print the tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feed")
    parser.add_argument("--rounds", type=int, default=15, help="(default: 15)")
    rounds = parser.parse_args().rounds
    versions = ", ".join(f"{name} {version(name)}" for name in ("Twisted", "h11"))
    print(f"Python {platform.python_version()}, {versions}")
    for table in (HEADS, BODIES):
        print()
        table.print(rounds)


if __name__ == "__main__":
    main()
