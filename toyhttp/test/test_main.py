"""``python -m toyhttp``: the command, in this process and as a process of its own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path
from threading import Timer
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase

import toyhttp
from toyhttp.__main__ import run, url

timeout = 5

ROOT = Path(toyhttp.__file__).resolve().parent.parent
PATIENCE = 30  # seconds: how long a process may take before it is killed


class URLTests(TestCase):
    """What to type into a browser."""

    def assert_url(self, endpoint: str, address: IAddress, expected: str) -> None:
        """Assert what is shown for a server that listens there."""
        self.assertEqual(url(endpoint, address), expected, f"listening on {address!r}")

    def test_address(self) -> None:
        """A host and a port make a URL (RFC 1945, 3.2.2)."""
        self.assert_url("tcp:8080", IPv4Address("TCP", "10.0.0.1", 81), "http://10.0.0.1:81/")

    def test_every_address(self) -> None:
        """Who listens on all addresses is reached at this machine's own."""
        self.assert_url("tcp:1", IPv4Address("TCP", "0.0.0.0", 81), "http://127.0.0.1:81/")
        self.assert_url("tcp6:1", IPv6Address("TCP", "::", 81), "http://[::1]:81/")

    def test_colons_are_in_brackets(self) -> None:
        """The colons of an address are not that of the port (RFC 3986, 3.2.2)."""
        self.assert_url("tcp6:1", IPv6Address("TCP", "fe80::1", 81), "http://[fe80::1]:81/")

    def test_tls(self) -> None:
        """A server over TLS has another scheme (RFC 9110, 4.2.2)."""
        for endpoint in ("ssl:443", "tls:443"):
            self.assert_url(endpoint, IPv4Address("TCP", "10.0.0.1", 443), "https://10.0.0.1:443/")

    def test_no_address(self) -> None:
        """What no browser reaches is shown as it was given."""
        self.assert_url("unix:/tmp/socket", UNIXAddress("/tmp/socket"), "unix:/tmp/socket")


class Reactor(MemoryReactorClock):
    """A reactor without a network, which knows whether it was stopped by what it ran."""

    stopped = False
    error: Exception | None = None

    def listenTCP(self, *args: Any, **kwargs: Any) -> Any:
        """Listen, or fail as the test wants it."""
        if self.error is not None:
            raise self.error
        return super().listenTCP(*args, **kwargs)

    def run(self) -> None:
        """Run, and forget the stop that ends a run without a network."""
        stops: list[None] = []
        self.stop = lambda: stops.append(None)  # type: ignore[method-assign]
        super().run()
        self.stopped = len(stops) > 1


class RunTests(TestCase):
    """The command line, with a reactor that has no network."""

    def setUp(self) -> None:
        """Catch what is printed."""
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.reactor: Any = Reactor()
        self.factory = Factory()

    def run_with(self, *argv: str) -> int:
        """Run the command with these arguments, and return its exit code."""
        return run(self.reactor, argv, self.factory)

    def test_usual_address(self) -> None:
        """Without other orders only this machine can connect, at port 8080."""
        self.assertEqual(self.run_with(), 0)
        ((port, factory, _, interface),) = self.reactor.tcpServers
        self.assertEqual((port, interface), (8080, "127.0.0.1"))
        self.assertIs(factory, self.factory)
        self.assertFalse(self.reactor.stopped)

    def test_several_addresses(self) -> None:
        """Each ``--listen`` is listened on, and printed on a line of its own."""
        self.assertEqual(self.run_with("--listen", "tcp:81", "--listen", "tcp:82"), 0)
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [81, 82])
        lines = self.out.getvalue().splitlines()
        self.assertEqual(len(lines), 2, f"printed {lines!r}")
        self.assertIn(" http://127.0.0.1:81/ ", lines[0].replace("0.0.0.0", "127.0.0.1"))

    def test_cannot_listen(self) -> None:
        """One line says what is wrong; the exit code is 1."""
        self.reactor.error = CannotListenError("", 81, OSError(98, "in use"))
        self.assertEqual(self.run_with("--listen", "tcp:81"), 1)
        said = self.err.getvalue()
        self.assertEqual(said, "python -m toyhttp: cannot listen on tcp:81: [Errno 98] in use\n")
        self.assertTrue(self.reactor.stopped)
        self.assertEqual(self.out.getvalue(), "")

    def test_port_that_is_no_port(self) -> None:
        """A server that listens nowhere does not go on, whatever the error was."""
        self.reactor.error = OverflowError("bind(): port must be 0-65535.")
        self.assertEqual(self.run_with("--listen", "tcp:99999"), 1)
        said = self.err.getvalue()
        self.assertEqual(said.count("\n"), 1, f"said {said!r}")
        self.assertIn("cannot listen on tcp:99999: bind(): port must be 0-65535.", said)
        self.assertTrue(self.reactor.stopped)

    def test_wrong_endpoint(self) -> None:
        """An endpoint that Twisted does not know is a wrong command line: 2."""
        for endpoint in ("nonsense", "nonsense:1", "tcp:http!", "tcp", "", "tcp:1:backlog=x"):
            error = self.assertRaises(SystemExit, self.run_with, "--listen", endpoint)
            self.assertEqual(error.code, 2, f"--listen {endpoint!r}")
            last = self.err.getvalue().splitlines()[-1]
            self.assertIn("error: --listen: ", last, f"--listen {endpoint!r}")
        self.assertEqual(self.reactor.tcpServers, [])


class ProcessTests(TestCase):
    """The command as a user runs it."""

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start the command; it is ended after the test, or when it takes too long."""
        # As a user has it: what is printed into a pipe comes out when it is flushed.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        process = subprocess.Popen(
            [sys.executable, "-m", "toyhttp", *argv],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # A process that is killed closes its pipes, so whoever reads from them goes on.
        watchdog = Timer(PATIENCE, process.kill)
        watchdog.daemon = True
        watchdog.start()

        def end() -> None:
            process.kill()
            process.communicate()
            watchdog.cancel()

        self.addCleanup(end)
        return process

    def run_to_its_end(self, *argv: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of the command."""
        process = self.start(*argv)
        out, err = process.communicate()
        return process.returncode, out, err

    def serve(self) -> tuple[subprocess.Popen[str], int]:
        """Start a server, and return it and its port."""
        process = self.start("--listen", "tcp:0:interface=127.0.0.1")
        assert process.stdout is not None
        line = process.stdout.readline()
        self.assertRegex(line, r"^Serving on http://127\.0\.0\.1:[0-9]+/ - Ctrl-C stops it\.\n$")
        return process, int(line.split(":")[2].split("/")[0])

    def test_request(self) -> None:
        """A client that knows nothing of Twisted gets the page (RFC 1945, 1.3)."""
        _, port = self.serve()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("POST", "/a?b", body=b"hello", headers={"X-Test": "yes"})
        response = connection.getresponse()
        page = response.read().decode()
        self.assertEqual((response.version, response.status), (10, 200))
        self.assertEqual(response.getheader("Server"), f"toyhttp/{toyhttp.__version__}")
        self.assertEqual(response.getheader("Content-Type"), "text/plain; charset=utf-8")
        for shown in ("  target   /a?b\n", " yes\n", "Entity body: 5 bytes\n  1  hello\n"):
            self.assertIn(shown, page)

    def test_large_body_is_refused_readably(self) -> None:
        """A client that sends too much reads why, and sees no reset (RFC 1945, 9.4)."""
        _, port = self.serve()
        size = 4 * 1024 * 1024
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % size)
            client.sendall(size * b"x")
            client.shutdown(socket.SHUT_WR)
            came = b""
            while data := client.recv(4096):
                came += data
        self.assertEqual(came[:12], b"HTTP/1.0 413", f"came {came!r}")

    def assert_stops(self, number: int) -> None:
        """Assert that this signal ends a server, and that it says nothing about it."""
        if os.name == "nt":
            self.skipTest("Windows has no such signals")
        if signal.getsignal(number) is signal.SIG_IGN:
            self.skipTest("the signal is ignored here, and so in every process started from here")
        process, _ = self.serve()
        process.send_signal(number)
        out, err = process.communicate()
        self.assertEqual((process.returncode, out, err), (0, "", ""))

    def test_ctrl_c(self) -> None:
        """Ctrl-C is a normal end: exit code 0, and no traceback."""
        self.assert_stops(signal.SIGINT)

    def test_sigterm(self) -> None:
        """So is SIGTERM, which is what a service manager sends."""
        self.assert_stops(signal.SIGTERM)

    def test_port_in_use(self) -> None:
        """A port that is taken is one clear line and exit code 1."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            endpoint = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
            code, out, err = self.run_to_its_end("--listen", endpoint)
        self.assertEqual((code, out), (1, ""), f"said {err!r}")
        self.assertRegex(err, rf"\Apython -m toyhttp: cannot listen on {endpoint}: .+\n\Z")

    def test_unknown_endpoint(self) -> None:
        """An endpoint that is none is one clear line after the usage, and exit code 2."""
        code, out, err = self.run_to_its_end("--listen", "nonsense:1")
        self.assertEqual((code, out), (2, ""), f"said {err!r}")
        self.assertNotIn("Traceback", err)
        last = err.splitlines()[-1]
        self.assertRegex(last, "^python -m toyhttp: error: --listen: .*nonsense")

    def test_version(self) -> None:
        """``--version`` says the version, and serves nothing."""
        came = self.run_to_its_end("--version")
        self.assertEqual(came, (0, f"toyhttp {toyhttp.__version__}\n", ""))
