"""The servers that ``benchmarks.compare`` compares: how each is started, and ended."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LISTEN = "tcp:PORT:interface=127.0.0.1"
STARTS_IN = 15.0  # seconds that a server has to start

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
{user}
events {{ worker_connections 16000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    types {{ text/plain txt; }}
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=511;
        root {root};
        location = / {{
            default_type text/plain;
            return 200 "Hello, world!\\n";
        }}
    }}
}}
"""


class NotMeasured(Exception):
    """Something is missing or went wrong; ``str(error)`` is one line that says what."""


@dataclass(frozen=True)
class Places:
    """Where a server finds and puts things.

    :ivar port: where it listens.
    :ivar root: the folder that it serves.
    :ivar scratch: a folder of its own.
    """

    port: int
    root: Path
    scratch: Path


@dataclass(frozen=True)
class Peer:
    """A kind of server.

    :ivar name: its name in the table.
    :ivar command: returns the command that starts it.
    :ivar noisy: whether it writes its access log to its standard error, come what may.
    """

    name: str
    command: Callable[[Places], list[str]]
    noisy: bool = False


def _module(*arguments: str) -> Callable[[Places], list[str]]:
    """Return a command that runs a module of Python; PORT and ROOT are put in."""

    def command(places: Places) -> list[str]:
        values = {"PORT": str(places.port), "ROOT": str(places.root)}
        words = [
            re.sub("PORT|ROOT", lambda word: values[word[0]], argument) for argument in arguments
        ]
        return [sys.executable, "-m", *words]

    return command


def _nginx(places: Places) -> list[str]:
    """Write nginx's configuration, and return its command."""
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    config = places.scratch / "nginx.conf"
    config.write_text(
        NGINX.format(folder=places.scratch, root=places.root, port=places.port, user=user),
        encoding="utf-8",
    )
    prefix = str(places.scratch)
    return [program("nginx"), "-e", "stderr", "-p", prefix, "-c", str(config)]


def toyhttp(*arguments: str) -> Callable[[Places], list[str]]:
    """Return a command that starts toyhttp."""
    return _module("toyhttp", "--listen", LISTEN, "--quiet", *arguments)


HELLO = ("--handler", "benchmarks.hello:hello")
WITH_LOG = ", with its access log"
AS_IT_COMES = ", as it comes"
LOGGED = ("--log", os.devnull)
TWIST = ("twisted", "--log-level=critical", f"--log-file={os.devnull}")

FLOOR = Peer("floor", _module("benchmarks.floor", "--listen", LISTEN))
FLOOR_KEEP = Peer("floor", _module("benchmarks.floor", "--keep-alive", "--listen", LISTEN))

SMALL = [
    Peer("toyhttp", toyhttp(*HELLO)),
    Peer("toyhttp" + WITH_LOG, toyhttp(*HELLO, *LOGGED)),
    Peer("twisted.web", _module("benchmarks.hello", "twisted.web", "PORT")),
    Peer("twisted.web" + WITH_LOG, _module("benchmarks.hello", "twisted.web", "PORT", os.devnull)),
    Peer("twisted.web" + AS_IT_COMES, _module("benchmarks.hello", "twisted.web", "PORT", "")),
    Peer("aiohttp", _module("benchmarks.hello", "aiohttp", "PORT")),
    Peer("http.server", _module("benchmarks.hello", "http.server", "PORT")),
    Peer("nginx", _nginx),
]
"""They answer ``GET /`` with the same few bytes; the floor is another one if it keeps."""

FILES = [
    Peer("toyhttp", toyhttp("ROOT")),
    Peer("toyhttp" + WITH_LOG, toyhttp(*LOGGED, "ROOT")),
    Peer(
        "twist web --path",
        _module(*TWIST, "web", "--listen", LISTEN, "--path", "ROOT"),
    ),
    Peer(
        "python -m http.server",
        _module("http.server", "--bind", "127.0.0.1", "--directory", "ROOT", "PORT"),
        noisy=True,
    ),
    Peer("nginx", _nginx),
]
"""They serve the files of a folder."""


# All alike, as they are by default: a shorter one that follows on a longer costs time.
PATIENT = [word for name in ("idle", "request", "close") for word in (f"--{name}-timeout", "60")]
IDLE = [Peer("toyhttp", toyhttp(*HELLO, *PATIENT)), FLOOR]
"""They hold many idle connections."""


def program(name: str) -> str:
    """Return the path of a program.

    :raises NotMeasured: if it is not installed; it says what to install.
    """
    import shutil

    package = {"ab": "apache2-utils", "nginx": "nginx-light"}.get(name, name)
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise NotMeasured(f"{name} is missing: install it (Debian: apt install {package})")
    return path


@dataclass(frozen=True)
class Running:
    """A server that runs.

    :ivar peer: what it is.
    :ivar port: where it listens.
    :ivar pid: its process.
    """

    peer: Peer
    port: int
    pid: int

    @property
    def name(self) -> str:
        """Its name in the table."""
        return self.peer.name


@contextlib.contextmanager
def run(peer: Peer, root: Path, scratch: Path, cpu: int | None) -> Iterator[Running]:
    """Start a server, wait until it can be reached, and end it afterwards.

    :param root: the folder that it serves.
    :param scratch: where it may have a folder of its own.
    :param cpu: the core that it runs on; ``None`` for any.
    :raises NotMeasured: if it does not start, or complains, or has ended before its time.
    """
    port = free_port()
    own = scratch / f"{port}"
    own.mkdir()
    command = peer.command(Places(port, root, own))
    complaints = own / "stderr"
    with complaints.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if peer.noisy else stderr,
            preexec_fn=lambda: pin(cpu),
        )
    try:
        _wait_for(peer, port, process, complaints)
        yield Running(peer, port, process.pid)
        if process.poll() is not None:
            raise NotMeasured(f"{peer.name} ended by itself, with {process.returncode}")
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if said := _last_line(complaints):
        raise NotMeasured(f"{peer.name} complained: {said}")


def _wait_for(peer: Peer, port: int, process: subprocess.Popen[bytes], complaints: Path) -> None:
    late = time.monotonic() + STARTS_IN
    while True:
        if process.poll() is not None:
            raise NotMeasured(f"{peer.name} did not start: {_last_line(complaints)}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as error:
            if time.monotonic() > late:
                raise NotMeasured(f"{peer.name} cannot be reached: {error}") from error
            time.sleep(0.05)


def _last_line(complaints: Path) -> str:
    lines = complaints.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pin(cpu: int | None) -> None:
    """Run this process on one core alone, where the system can do that."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


def memory(pid: int, field: str = "VmRSS") -> int:
    """Return how many bytes of memory a process has; with ``VmHWM``, had at most.

    :raises NotMeasured: where the system does not tell.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError as error:
        raise NotMeasured("only Linux tells how much memory a process has") from error
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise NotMeasured(f"no {field} in /proc/{pid}/status")
    return int(found[1]) * 1024


def cpu_time(pid: int) -> float:
    """Return how many seconds of CPU time a process and its children have had; else 0."""
    try:
        pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        stats = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2] for one in pids]
    except OSError:
        return 0.0
    ticks = sum(int(ticks) for stat in stats for ticks in stat.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def busy_time() -> float:
    """Return how many seconds of CPU time all processes have had; 0 if that is not known."""
    try:
        with Path("/proc/stat").open(encoding="ascii") as stat:
            ticks = sum(int(ticks) for ticks in stat.readline().split()[1:4])
    except OSError:
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")


def forget_peak(pid: int) -> None:
    """Let ``VmHWM`` begin again at what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
