"""How long it takes to read a request that comes one byte at a time.

``python -m benchmarks.feed`` prints the table in docs/benchmarks.md.  The time for a
head of n bytes must grow like n: a reader that searches its buffer again for each
byte takes a time like n * n, and then one slow client is work for a whole core.

Peers are fed the same bytes in the same run: h11, the parser that httpx uses, and
stage 3's solution, which is written to be read.  The rounds are interleaved, and of
each cell the least time counts: what disturbs a measurement only makes it longer.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from functools import partial
from timeit import Timer
from typing import Any

import h11
import twisted

from solutions.stage3.reader import RequestReader as SolutionReader
from toyhttp import RequestReader

SIZES = (1024, 2048, 4096, 8192, 16384, 32768)
LIMIT = 1 << 20


def head(size: int) -> bytes:
    """Return a head of so many bytes, in lines of 512 at most."""
    field = b"X-Field: " + 501 * b"x" + b"\r\n"
    data = b"GET / HTTP/1.0\r\n" + (size // len(field) - 1) * field
    fill = size - len(data) - len(b"X-Last: \r\n\r\n")
    return data + b"X-Last: " + fill * b"x" + b"\r\n\r\n"


def feed_reader(make: Callable[..., Any], data: bytes) -> bool:
    """Read with a ``RequestReader`` of this kind; tell whether a request came."""
    reader = make(max_head=LIMIT)
    for i in range(len(data)):
        reader.feed(data[i : i + 1])
        request = reader.next_request()
    return request is not None


def feed_h11(data: bytes) -> bool:
    """Read with h11."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMIT)
    for i in range(len(data)):
        connection.receive_data(data[i : i + 1])
        event = connection.next_event()
    return isinstance(event, h11.Request)


READERS: dict[str, Callable[[bytes], bool]] = {
    "toyhttp": partial(feed_reader, RequestReader),
    "h11": feed_h11,
    "solution of stage 3": partial(feed_reader, SolutionReader),
}


def measure(rounds: int) -> dict[tuple[str, int], float]:
    """Return for each reader and size the least of so many times, in seconds."""
    best: dict[tuple[str, int], float] = {}
    for _ in range(rounds):
        for size in SIZES:
            data = head(size)
            for name, feed in READERS.items():
                if not feed(data):
                    raise RuntimeError(f"{name} made no request of {size} bytes")
                seconds = Timer(lambda feed=feed, data=data: feed(data)).timeit(number=1)
                best[name, size] = min(seconds, best.get((name, size), seconds))
    return best


def main() -> None:
    """Measure, and print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feed")
    parser.add_argument("--rounds", type=int, default=15, help="(default: 15)")
    best = measure(parser.parse_args().rounds)
    print(
        f"Python {platform.python_version()}, Twisted {twisted.__version__}, h11 {h11.__version__}"
    )
    print()
    print("| bytes |", " | ".join(READERS), "|")
    print("|---:|" + "---:|" * len(READERS))
    for size in SIZES:
        cells = [f"{best[name, size] * 1000:.2f} ms" for name in READERS]
        print("|", " | ".join([str(size), *cells]), "|")
    growth = [best[name, SIZES[-1]] / best[name, SIZES[0]] for name in READERS]
    cells = [f"{times:.0f} times" for times in growth]
    print("|", " | ".join([f"{SIZES[-1] // SIZES[0]} times", *cells]), "|")


if __name__ == "__main__":
    main()
