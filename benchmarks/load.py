"""What ``benchmarks.compare`` asks of a server, and how it is measured.

``ab`` and ``wrk`` make the load of small answers; what they cannot do is done here.
"""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .peers import NotMeasured, program

CLIENTS = 32  # at once
UNLIKE = Path(__file__).with_name("unlike.lua")
PIECE = 1 << 20  # bytes of a large answer that are read at once
BATCH = 25  # connections that are opened before the server must have accepted them


@dataclass(frozen=True)
class Reading:
    """What one measurement said.

    :ivar rate: answers in a second, or bytes.
    :ivar answers: how many there were in all.
    :ivar cpu: seconds of CPU time that the server needed for each; 0 if that is not known.
    :ivar disturbed: how much CPU time other programs had meanwhile, in cores.
    :ivar remarks: what makes it no good, or another thing than was meant.
    """

    rate: float
    answers: int
    cpu: float = 0.0
    disturbed: float = 0.0
    remarks: list[str] = field(default_factory=list)


Tool = Callable[[str, int, bool, float], Reading]
"""Makes load: its parameters are the URL, the size of the right answer's body, whether to
keep connections, and for how many seconds."""


def ab(url: str, size: int, keep: bool, seconds: float) -> Reading:
    """Measure with ApacheBench, which speaks HTTP/1.0."""
    many = "2000000"  # the time is up first
    command = [program("ab"), "-q", "-r", "-c", str(CLIENTS), "-t", f"{seconds:.0f}", "-n", many]
    out = _output([*command, "-k", url] if keep else [*command, url], seconds)
    complete = int(_find(r"Complete requests: +(\d+)", out))
    length = int(_find(r"Document Length: +(\d+)", out))
    kept = int(_find(r"Keep-Alive requests: +(\d+)", out)) if keep else 0
    remarks = []
    for name in ("Failed requests", "Write errors", "Non-2xx responses"):
        count = re.search(rf"{name}: +(\d+)", out)
        if count and int(count[1]):
            remarks.append(f"{name}: {count[1]}")
    if not complete:
        remarks.append("no answers")
    if length != size:
        remarks.append(f"{length} bytes, not {size}")
    if keep and kept < complete * 0.95:
        remarks.append("closes" if not kept else f"kept {kept} of {complete}")
    rate = float(_find(r"Requests per second: +([\d.]+)", out))
    return Reading(rate, complete, remarks=remarks)


def wrk(url: str, size: int, keep: bool, seconds: float, *arguments: str) -> Reading:
    """Measure with wrk, which speaks HTTP/1.1, with one thread.

    It says how many bytes it read in all, not how long the bodies were.

    :param arguments: more of its arguments.
    """
    connection = f"Connection: {'keep-alive' if keep else 'close'}"
    command = [program("wrk"), "-t1", f"-c{CLIENTS}", f"-d{seconds:.0f}s", "-H", connection]
    out = _output([*command, *arguments, url], seconds)
    remarks = [line.strip() for line in out.splitlines() if re.search("errors:|Non-2xx", line)]
    answers = int(_find(r"(\d+) requests in", out))
    if not answers:
        remarks.append("no answers")
    return Reading(float(_find(r"Requests/sec: +([\d.]+)", out)), answers, remarks=remarks)


def wrk_unlike(url: str, size: int, keep: bool, seconds: float) -> Reading:
    """Measure with wrk; no two requests have the same target, or the same fields."""
    return wrk(url, size, keep, seconds, "-s", str(UNLIKE))


TOOLS: dict[str, Tool] = {"ab": ab, "wrk": wrk, "wrk, all unlike": wrk_unlike}


def _output(command: list[str], seconds: float) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 60
        )
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"{Path(command[0]).name} did not end") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise NotMeasured(f"{Path(command[0]).name} failed and said: {said}")
    return done.stdout


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise NotMeasured(f"no {pattern!r} in: {text[-300:]!r}")
    return found[1]


def get(port: int, target: str = "/") -> tuple[bytes, bytes]:
    """Ask with HTTP/1.0; return the head and the body of the answer."""
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" % target.encode("ascii"))
        with client.makefile("rb") as answer:
            head = b""
            while (line := answer.readline()).strip():
                head += line
            length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head.lower())
            return head, answer.read(int(length[1]) if length else -1)


def check(name: str, port: int, target: str, right: bytes) -> None:
    """See that the answer is right.

    :param name: what to call the server that answers.
    :raises NotMeasured: if it is not.
    """
    head, body = get(port, target)
    status = head.split(b"\r\n")[0]
    if status.split(b" ")[1:2] != [b"200"]:
        raise NotMeasured(f"{name}: the answer to {target} is {status!r}")
    if body != right:
        raise NotMeasured(f"{name}: {target} has {len(body)} bytes, not those {len(right)}")


def download(port: int, target: str, size: int) -> float:
    """Read a large answer and drop it; return how many bytes came in a second.

    :raises NotMeasured: if it is not a 200 with so many bytes.
    """
    buffer = bytearray(PIECE)
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" % target.encode("ascii"))
        head, received = bytearray(), 0
        while count := client.recv_into(buffer):
            received += count
            if b"\r\n\r\n" not in head:
                head += buffer[:count]
    seconds = time.perf_counter() - began
    received -= head.find(b"\r\n\r\n") + 4
    if head.split(b" ")[1:2] != [b"200"] or received != size:
        raise NotMeasured(f"{bytes(head[:12])!r} and {received} bytes, not {size}")
    return size / seconds


def wait(port: int, times: int) -> list[float]:
    """Send so many requests, each when the one before it is answered; return the seconds."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        head, _ = get(port)
        seconds.append(time.perf_counter() - began)
        if b" 200 " not in head[:16]:
            raise NotMeasured(f"answered with {head[:40]!r}")
    return seconds


@contextlib.contextmanager
def idle_connections(port: int, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Open so many connections, send a few bytes on each, and close them afterwards.

    After each few, a request is answered: so the server has accepted all that came before.
    On Linux they come from several addresses, so that there are ports for all.
    """
    with contextlib.ExitStack() as stack:
        clients = []
        for i in range(count):
            client = stack.enter_context(socket.socket())
            if sys.platform == "linux":
                client.bind((f"127.0.0.{2 + i // 2000}", 0))
            client.settimeout(30)
            client.connect(("127.0.0.1", port))
            if sent:
                client.sendall(sent)
            clients.append(client)
            if i % BATCH == BATCH - 1:
                get(port)
        yield clients


def descriptors(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
