"""Clients of a folder who do not read, thousands who do nothing, and too few descriptors.

These are runs of ``python -m benchmarks.faults``:

- *files*: a folder is served, and connections are kept.  A bad client resets its
  connection while a file of 10 MiB comes, or never reads it; sends requests without end
  and reads no answer; sends a byte every second; or asks once and then does nothing.
- *idle*: nine times as many clients send half a request line, and then nothing.
- *descriptors*: the server is a process that may have 64 descriptors open, and 200
  clients connect.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet import task
from twisted.internet.interfaces import IReactorTime

from benchmarks.faults import DEADLINE, IDLE, Client, Run
from toyhttp import FileHandler, HTTPFactory
from toyhttp.files import open_file

CLOSE = 4.0  # seconds: how long the server lets a client read nothing
HUGE = 10 * 1024 * 1024  # bytes of the largest file
SIZES = {b"empty": 0, b"small": 1000, b"middle": 100_000, b"large": 300_000}
MOST = 512 * 1024  # bytes that may wait to be sent over one connection


class FilesRun(Run):
    """A server of a folder.

    :param reactor: the reactor.
    :param seed: makes the same random choices in each run.
    """

    def __init__(self, reactor: Any, seed: int) -> None:
        super().__init__(reactor, seed)
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        self._bodies = {name: self.random.randbytes(size) for name, size in SIZES.items()}
        for name, body in self._bodies.items():
            (root / name.decode()).write_bytes(body)
        (root / "huge").write_bytes(bytes(HUGE))
        self._open: set[BinaryIO] = set()
        self._root = root
        self._looked = 0.0

    def make_factory(self) -> HTTPFactory:
        """Return the factory of the server, which counts the files that are open."""

        def opened(path: Path) -> BinaryIO:
            self._open = {file for file in self._open if not file.closed}
            file = open_file(path)
            self._open.add(file)
            return file

        clock: IReactorTime = self.reactor
        return HTTPFactory(
            FileHandler(self._root, clock, opened),
            clock,
            idle_timeout=IDLE,
            request_timeout=DEADLINE,
            close_timeout=CLOSE,
        )

    async def run(self, bad: Callable[[], Any], bads: int) -> None:
        """Let them come; no file may be left open."""
        await super().run(bad, bads)
        left = sum(not file.closed for file in self._open)
        if left:
            self.problems.append(f"{left} files left open")
        self._folder.cleanup()

    def _look(self) -> None:
        """See, now and then, that little waits to be sent to each client."""
        now = time.perf_counter()
        if now < self._looked + 0.25:
            return
        self._looked = now
        for channel in self.factory.channels:
            transport: Any = channel.transport
            size = len(transport.dataBuffer) + transport._tempDataLen
            if size > MOST:
                self.problems.append(f"{size} bytes wait to be sent to one client")

    async def good(self, until: Callable[[], bool]) -> None:
        """Send one to five requests at once over a connection that is kept; then the next."""
        while not until():
            client = await self.connect()
            for _ in range(self.random.randint(1, 20)):
                names = self.random.choices(list(self._bodies), k=self.random.randint(1, 5))
                began = time.perf_counter()
                del client.received[:]
                for name in names:
                    head = b"GET /%s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                    client.transport.write(head % name)
                for name in names:
                    if not await self._answer(client, self._bodies[name], began):
                        break
                    self.answers += 1
                else:
                    self.seconds.append(time.perf_counter() - began)
                    self._look()
                    continue
                break
            client.transport.loseConnection()
            await client.lost

    async def _answer(self, client: Client, expected: bytes, began: float) -> bool:
        """Take one answer from what has come, and look at it; tell if the client can go on."""
        while True:
            blank = client.received.find(b"\r\n\r\n")
            size = blank + 4 + len(expected)
            if blank >= 0 and len(client.received) >= size:
                break
            if client.lost.called:
                if client.received or time.perf_counter() - began < IDLE - 0.5:
                    self.problems.append(f"a good client was cut off after {client.received!r}")
                else:  # where the machine was busy for so long, the server is right
                    self.retries += 1
                return False
            await task.deferLater(self.reactor, 0.005, lambda: None)
        head, body = bytes(client.received[:blank]), bytes(client.received[blank + 4 : size])
        if not re.match(rb"HTTP/1.0 200 OK\r\n", head) or body != expected:
            self.problems.append(f"a good client got {head[:40]!r} and another file")
        del client.received[:size]
        return True

    async def files(self) -> None:
        """Be one of the bad clients."""
        await task.deferLater(self.reactor, self.random.uniform(0, 3), lambda: None)
        ways = [self._reset, self._unread, self._pipeline, self.slow, self._fall_silent]
        await self.random.choice(ways)()

    async def _reset(self) -> None:
        client = await self.connect()
        sent = b"GET /huge HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        client.transport.write(sent[: self.random.choice([len(sent), len(sent), 20])])
        await task.deferLater(self.reactor, self.random.uniform(0, 0.3), lambda: None)
        client.transport.abortConnection()
        await client.lost

    async def _unread(self) -> None:
        await self._read_nothing(b"GET /huge HTTP/1.0\r\n\r\n")

    async def _pipeline(self) -> None:
        name = self.random.choice([b"middle", b"large"])
        sent = b"GET /%s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" % name
        await self._read_nothing(sent * self.random.choice([40, 2000]))

    async def _read_nothing(self, sent: bytes) -> None:
        """Send requests and read no answer; the server must break off in time."""
        client = await self.connect()
        client.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.transport.pauseProducing()
        client.transport.write(sent)
        await task.deferLater(self.reactor, CLOSE + 4, lambda: None)
        client.transport.resumeProducing()
        enough = self.reactor.callLater(4, client.transport.abortConnection)
        await client.lost
        if enough.active():
            enough.cancel()
        else:
            self.problems.append("a client that does not read was not cut off")
        if len(client.received) >= HUGE:
            self.problems.append("a client that did not read has got all")

    async def _fall_silent(self) -> None:
        client = await self.connect()
        client.transport.write(b"GET /small HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        began = time.perf_counter()
        await client.lost
        lived = time.perf_counter() - began
        if not IDLE - 0.5 < lived < IDLE + 4:
            self.problems.append(f"a client without another request lived {lived:.1f} s")

    async def idle(self) -> None:
        """Send half a request line, and nothing more, until the server has had enough."""
        await task.deferLater(self.reactor, self.random.uniform(0, 6), lambda: None)
        client = await self.connect()
        client.transport.write(b"GET /sma")
        enough = self.reactor.callLater(IDLE + 8, client.transport.abortConnection)
        await client.lost
        if enough.active():
            enough.cancel()
        else:
            self.problems.append("an idle client was not cut off")


class FewDescriptors:
    """A server, as a process of its own, that may have 64 descriptors open.

    :ivar problems: what went wrong.
    """

    LIMIT = 64
    CLIENTS = 200

    def __init__(self) -> None:
        self.problems: list[str] = []

    def run(self) -> str:
        """Run it, and return what was seen."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "small").write_bytes(b"small")
            (Path(folder) / "huge").write_bytes(bytes(HUGE))
            command = [sys.executable, "-m", "toyhttp", "--quiet", "--idle-timeout", "60"]
            command += ["--listen", "tcp:0:backlog=1000:interface=127.0.0.1", folder]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=self._limit
            )
            try:
                assert process.stdout is not None
                found = re.search(rb":(\d+)/", process.stdout.readline())
                assert found is not None, process.communicate()
                shown = self._exhaust(process.pid, ("127.0.0.1", int(found[1])))
            finally:
                process.terminate()
                _, complaints = process.communicate(timeout=30)
        lines = len(complaints.splitlines())
        if lines > 10 or process.returncode:
            self.problems.append(
                f"exit code {process.returncode}, {lines} lines: {complaints[:2000]!r}"
            )
        return f"{shown}, {lines} lines of complaint"

    def _limit(self) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (self.LIMIT, self.LIMIT))

    def _exhaust(self, pid: int, address: tuple[str, int]) -> str:
        if not self._is_served(address):
            self.problems.append("nobody is served at the beginning")
        held = []
        for _ in range(self.CLIENTS):
            client = socket.create_connection(address, 5)
            client.send(b"GET /hu")
            held.append(client)
        time.sleep(1)
        began, used = time.perf_counter(), seconds_of_work(pid)
        time.sleep(3)
        share = (seconds_of_work(pid) - used) / (time.perf_counter() - began)
        if share > 0.1:
            self.problems.append(f"the server works {share:.0%} of the time for nobody")
        open_now = sum(not is_closed(client) for client in held)
        # Those who are connected ask for a file, for which there is no descriptor.
        statuses: dict[bytes, int] = {}
        for client in [client for client in held if not is_closed(client)][:5]:
            client.send(b"ge HTTP/1.0\r\n\r\n")
            client.settimeout(5)
            status = client.recv(4096)[9:12]
            statuses[status] = statuses.get(status, 0) + 1
            client.close()
        began = time.perf_counter()
        for client in held:
            client.close()
        while not self._is_served(address):
            if time.perf_counter() - began > 10:
                self.problems.append("nobody is served when descriptors are free again")
                break
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        if not all(self._is_served(address) for _ in range(100)):
            self.problems.append("not everybody is served when descriptors are free again")
        answers = ", ".join(f"{count} × {code.decode()}" for code, count in statuses.items())
        return (
            f"{self.CLIENTS} clients, {self.LIMIT} descriptors: {open_now} connected, "
            f"{share:.1%} of a processor, {answers}; served again after {1000 * seconds:.0f} ms"
        )

    def _is_served(self, address: tuple[str, int]) -> bool:
        try:
            with socket.create_connection(address, 5) as client:
                client.sendall(b"GET /small HTTP/1.0\r\n\r\n")
                received = b""
                while data := client.recv(4096):
                    received += data
            return received.startswith(b"HTTP/1.0 200") and received.endswith(b"small")
        except OSError:
            return False


def is_closed(client: socket.socket) -> bool:
    """Tell whether the other end has closed or reset a connection."""
    client.setblocking(False)
    try:
        return not client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.setblocking(True)


def seconds_of_work(pid: int) -> float:
    """Return how many seconds a process has used of a processor."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
