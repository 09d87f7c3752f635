"""``python -m toyhttp``: the command, in this process and as a process of its own."""

from __future__ import annotations

import http.client
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IProtocolNegotiationFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase

import toyhttp
from toyhttp.__main__ import run
from toyhttp.channel import HTTPFactory
from toyhttp.command import (
    BACKLOG,
    DEFAULT,
    GRACE,
    Server,
    has_colours,
    make_parser,
    say,
    url,
    with_backlog,
)
from toyhttp.echo import echo
from toyhttp.request import Request
from toyhttp.response import Response
from toyhttp.test.processes import PATIENCE, ROOT, start

timeout = 5


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

    def callFromThread(self, function: Callable[[], object]) -> None:
        """Call it soon."""
        self.callLater(0, function)

    def run(self) -> None:
        """Run, and forget the stop that ends a run without a network."""
        stops: list[None] = []
        self.stop = lambda: stops.append(None)  # type: ignore[method-assign]
        super().run()
        self.stopped = len(stops) > 1


class CommandCase(TestCase):
    """A test of the command line, with a reactor that has no network."""

    def setUp(self) -> None:
        """Catch what is printed."""
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.reactor: Any = Reactor()

    def run_with(self, *argv: str) -> int:
        """Run the command with these arguments, and return its exit code."""
        return run(self.reactor, argv)

    def factory(self, *argv: str) -> HTTPFactory:
        """Run the command, and return what makes its channels."""
        self.assertEqual(self.run_with(*argv), 0, f"said {self.err.getvalue()!r}")
        factory = self.reactor.tcpServers[-1][1]
        assert isinstance(factory, HTTPFactory)
        return factory

    def assert_wrong(self, expected: str, *argv: str) -> None:
        """Assert that the command line is wrong, and that one line says what."""
        self.err.truncate(0)
        self.err.seek(0)
        self.assertEqual(self.run_with(*argv), 2, f"arguments {argv!r}")
        said = self.err.getvalue()
        self.assertEqual(said.count("\n"), 1, f"said {said!r}")
        self.assertRegex(said, rf"\Apython -m toyhttp: error: .*{expected}", f"arguments {argv!r}")
        self.assertEqual((self.reactor.tcpServers, self.out.getvalue()), ([], ""))


class ListenTests(CommandCase):
    """Where it listens, and what it says about that."""

    def test_usual_address(self) -> None:
        """Without other orders only this machine can connect, at port 8080."""
        self.assertEqual(self.run_with(), 0)
        ((port, factory, backlog, interface),) = self.reactor.tcpServers
        self.assertEqual((port, interface, backlog), (8080, "127.0.0.1", BACKLOG))
        self.assertIsInstance(factory, HTTPFactory)
        self.assertFalse(self.reactor.stopped)

    def test_backlog(self) -> None:
        """Hundreds may come at once; an endpoint that says how many is left as it is."""
        self.run_with("--listen", "tcp:81", "--listen", "tcp:82:backlog=7:interface=127.0.0.1")
        self.assertEqual([server[2] for server in self.reactor.tcpServers], [BACKLOG, 7])
        self.assertGreaterEqual(BACKLOG, 511)
        for endpoint in ("unix:s", "ssl:443:privateKey=k", "tcp6:81"):
            self.assertEqual(with_backlog(endpoint), f"{endpoint}:backlog={BACKLOG}")
        self.assertEqual(with_backlog("systemd:domain=INET:index=0"), "systemd:domain=INET:index=0")

    def test_greeting(self) -> None:
        """It says what is served, where, and that folders are listed."""
        self.run_with()
        first, second = self.out.getvalue().splitlines()
        url = "http://127.0.0.1:8080/"
        self.assertEqual(first, f"Serving {Path.cwd().resolve()} on {url} - Ctrl-C stops it.")
        expected = "A folder without index.html is listed; --no-listing switches that off."
        self.assertEqual(second, expected)

    def test_several_addresses(self) -> None:
        """Each ``--listen`` is listened on, and printed on a line of its own."""
        self.assertEqual(self.run_with("--listen", "tcp:81", "--listen", "tcp:82", "--echo"), 0)
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
            self.assert_wrong("--listen: ", "--listen", endpoint)

    def test_broken_pipe(self) -> None:
        """Nobody has to read what is printed."""

        class Closed(StringIO):
            """A pipe whose reader has gone."""

            def write(self, text: str) -> int:
                raise BrokenPipeError

        for stream in (Closed(), None):
            self.reactor = Reactor()
            self.patch(sys, "stdout", stream)
            self.assertEqual(self.run_with(), 0)

    def test_letters_that_cannot_be_printed(self) -> None:
        """Letters that the terminal does not have are shown by their codes."""
        came = BytesIO()
        self.patch(sys, "stdout", TextIOWrapper(came, encoding="ascii"))
        say("a\xe9\udce9")
        self.assertEqual(came.getvalue().strip(), rb"a\xe9\udce9")


class ServedTests(CommandCase):
    """What it serves."""

    def ask(self, factory: HTTPFactory, target: bytes) -> Response:
        """Return what a request is answered with."""
        response = factory.handler(Request(b"GET", target, (1, 0)))
        assert isinstance(response, Response)
        return response

    def test_this_folder(self) -> None:
        """Without other orders it serves the folder in which it was started."""
        Path("here.txt").write_bytes(b"hello")
        self.assertEqual(self.ask(self.factory(), b"/here.txt").body, b"hello")

    def test_folder(self) -> None:
        """It serves the folder that is named, and lists what is in it."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "a.txt").write_bytes(b"hello")
        factory = self.factory(str(folder))
        self.assertEqual(self.ask(factory, b"/a.txt").body, b"hello")
        self.assertEqual(self.ask(factory, b"/").status, 200)
        self.assertIn(f"Serving {folder.resolve()} on ", self.out.getvalue())

    def test_no_listing(self) -> None:
        """Folders are not listed if that is switched off; then nothing is said of it."""
        folder = Path(self.mktemp())
        folder.mkdir()
        factory = self.factory("--no-listing", str(folder))
        self.assertEqual(self.ask(factory, b"/").status, 403)
        self.assertEqual(self.out.getvalue().count("\n"), 1)

    def test_no_folder(self) -> None:
        """A folder that is not there, or is none, cannot be served."""
        self.assert_wrong(r"cannot serve no-such-folder: \S", "no-such-folder")
        Path("file").write_bytes(b"")
        self.assert_wrong("cannot serve file: not a folder", "file")
        self.assert_wrong("cannot serve a.x00b: ", "a\0b")

    def test_echo(self) -> None:
        """``--echo`` serves the page that shows the request."""
        self.assertIs(self.factory("--echo").handler, echo)
        expected = "Serving echo on http://127.0.0.1:8080/ - Ctrl-C stops it.\n"
        self.assertEqual(self.out.getvalue(), expected)

    def write_module(self, text: str) -> str:
        """Write a module into the current folder, and return its name."""
        name = f"handler_{len(list(Path().glob('handler_*.py')))}_{os.getpid()}"
        Path(f"{name}.py").write_text(text, encoding="utf-8")
        self.patch(sys, "path", [*sys.path])
        self.addCleanup(sys.modules.pop, name, None)
        importlib.invalidate_caches()
        return name

    def test_handler(self) -> None:
        """``--handler`` serves what a module in the current folder has."""
        name = self.write_module(
            "from toyhttp.response import Response\n"
            "class Pages:\n"
            "    @staticmethod\n"
            "    def hello(request):\n"
            "        return Response(200, (), b'hello')\n"
        )
        factory = self.factory("--handler", f"{name}:Pages.hello")
        self.assertEqual(self.ask(factory, b"/").body, b"hello")
        self.assertIn(f"Serving {name}:Pages.hello on ", self.out.getvalue())

    def test_handler_that_is_none(self) -> None:
        """A handler must be there, and be callable; one line says what is wrong."""
        name = self.write_module("number = 5\n")
        for handler in (name, f"{name}:", ":number", ":", ""):
            self.assert_wrong("not like package.module:callable", "--handler", handler)
        self.assert_wrong("cannot be called", "--handler", f"{name}:number")
        self.assert_wrong("has no attribute 'none'", "--handler", f"{name}:none")
        self.assert_wrong("No module named 'no_such_module'", "--handler", "no_such_module:a")

    def test_handler_that_fails(self) -> None:
        """What a module raises when it is imported is one line, which says where."""
        for text, error in (
            ("\n1/0\n", r"ZeroDivisionError: division by zero \(.*handler_.*\.py, line 2\)"),
            ("raise SystemExit", r"SystemExit \(.*, line 1\)"),
            ("raise ValueError('a\\nb\\x1b')", r"ValueError: a b\\x1b \(.*, line 1\)"),
            ("def\n", "SyntaxError: "),
        ):
            name = self.write_module(text)
            self.assert_wrong(f"cannot import {name}:a: {error}", "--handler", f"{name}:a")

    def test_only_one(self) -> None:
        """A folder, ``--echo`` and ``--handler`` exclude one another."""
        for argv in (("--echo", "."), (".", "--handler", "a:b"), ("--echo", "--handler", "a:b")):
            self.assert_wrong("not allowed with", *argv)


class OptionTests(CommandCase):
    """The other options."""

    def test_limits(self) -> None:
        """What a factory can be told, the command line can tell it."""
        factory = self.factory(
            *["--idle-timeout", "1.5", "--request-timeout", "2", "--close-timeout", "3e1"],
            *["--max-head", "4", "--max-body", "5", "--max-connections", "6"],
        )
        for name, value in (
            ("idle_timeout", 1.5),
            ("request_timeout", 2),
            ("close_timeout", 30),
            ("max_head", 4),
            ("max_body", 5),
            ("max_connections", 6),
        ):
            self.assertEqual(getattr(factory, name), value, name)

    def test_usual_limits(self) -> None:
        """Without options the limits are those that the factory has by itself."""
        usual, factory = HTTPFactory(echo, self.reactor), self.factory("--quiet")
        names = {
            name for name in vars(usual) if name.startswith("max_") or name.endswith("_timeout")
        }
        self.assertGreater(len(names), 4)
        for name in names:
            self.assertEqual(getattr(factory, name), getattr(usual, name), name)

    def test_wrong_numbers(self) -> None:
        """What is no number, or none that makes sense, is a wrong command line."""
        for option in ("--idle-timeout", "--request-timeout", "--close-timeout"):
            for value in ("0", "-1", "x", "", "nan", "inf", "-inf", "1_0s"):
                self.assert_wrong(f"{option}: not a number of seconds", f"{option}={value}")
        for option in ("--max-head", "--max-body", "--max-connections"):
            for value in ("0", "-1", "x", "", "1.5", "1_0", " 1", "1" * 5000, "\u0661", "1\n"):
                self.assert_wrong(f"{option}: not a whole number", f"{option}={value}")

    def test_unknown_option(self) -> None:
        """A wrong option is one line, and not guessed at."""
        self.assert_wrong("unrecognized arguments: --port", "--port")
        self.assert_wrong("unrecognized arguments: --liste", "--liste=tcp:1")
        self.assert_wrong("unrecognized arguments: b", "a", "b")
        self.assert_wrong("--listen: expected one argument", "--listen")

    def test_server(self) -> None:
        """It says who it is (RFC 1945, 10.14)."""
        self.assertEqual(self.factory().server, f"toyhttp/{toyhttp.__version__}".encode())

    def test_protocols(self) -> None:
        """Over TLS it speaks with each client that says it knows HTTP/1.1 (RFC 7301, 3.2)."""
        factory = IProtocolNegotiationFactory(self.factory())
        self.assertEqual(list(factory.acceptableProtocols()), [b"http/1.0", b"http/1.1"])

    def log_one(self, factory: HTTPFactory) -> None:
        """Tell the factory's log of an answer."""
        log = factory.log
        assert log is not None
        log(None, Request(b"GET", b"/\x1b", (1, 0)), 404, 5)

    def test_log(self) -> None:
        """Each answer is a line on the standard error, without colours if that is no terminal."""
        self.log_one(self.factory())
        expected = r'\A- - - \[.+\] "GET /\\x1b HTTP/1\.0" 404 5\n\Z'
        self.assertRegex(self.err.getvalue(), expected)

    def test_log_in_colours(self) -> None:
        """On a terminal the status has a colour."""
        self.patch(self.err, "isatty", lambda: True)
        self.patch(os, "environ", {"TERM": "xterm"})
        self.log_one(self.factory())
        self.assertIn("\x1b[33m404\x1b[0m", self.err.getvalue())

    def test_log_into_file(self) -> None:
        """``--log`` appends each line to a file, too, and all are there at the end."""
        Path("access.log").write_text("before\n", encoding="ascii")
        arguments = make_parser("").parse_args(["--log", "access.log"])
        server = Server(self.reactor, arguments, self.err.write)
        self.log_one(server.factory)
        self.successResultOf(server.stop())
        written = Path("access.log").read_text(encoding="ascii")
        self.assertEqual(written, "before\n" + self.err.getvalue())
        self.assertIn(" 404 5\n", written)

    def test_quiet(self) -> None:
        """``--quiet`` prints none; with ``--log`` they are in the file."""
        self.assertIs(self.factory("--quiet").log, None)
        arguments = make_parser("").parse_args(["--quiet", "--log", "quiet.log"])
        server = Server(self.reactor, arguments, self.err.write)
        self.log_one(server.factory)
        self.successResultOf(server.stop())
        self.assertEqual(self.err.getvalue(), "")
        self.assertIn(" 404 5\n", Path("quiet.log").read_text(encoding="ascii"))

    def test_log_that_cannot_be_opened(self) -> None:
        """A log file that cannot be opened is one line."""
        self.assert_wrong(r"--log: cannot open no/such/file: \S", "--log", "no/such/file")

    def test_colours(self) -> None:
        """Only a terminal has colours, and only if the user wants them."""

        class Terminal(StringIO):
            """A terminal, or not."""

            def __init__(self, is_one: bool) -> None:
                super().__init__()
                self._is_one = is_one

            def isatty(self) -> bool:
                return self._is_one

        for environ, is_one, expected in (
            ({"TERM": "xterm"}, True, True),
            ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
            ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
            ({"TERM": "dumb"}, True, False),
            ({"TERM": "xterm"}, False, False),
        ):
            self.patch(os, "environ", environ)
            self.assertIs(has_colours(Terminal(is_one)), expected, f"{environ!r}, {is_one}")
        self.assertIs(has_colours(None), False)
        closed = StringIO()
        closed.close()
        self.assertIs(has_colours(closed), False)

    def test_help(self) -> None:
        """``--help`` names each option, and the defaults."""
        error = self.assertRaises(SystemExit, self.run_with, "--help")
        self.assertEqual(error.code, 0)
        said = " ".join(self.out.getvalue().split())
        for word in ("FOLDER", "--echo", "--handler", "--no-listing", "--log", "--quiet", DEFAULT):
            self.assertIn(word, said)
        self.assertIn("--idle-timeout SECONDS", said)
        self.assertIn("(default: 15.0)", said)
        self.assertIn("--max-head NUMBER", said)


class StopTests(CommandCase):
    """How it stops: what is under way is finished, but nobody waits for ever."""

    def setUp(self) -> None:
        """Make a server with a connection, and answers under way."""
        super().setUp()
        self.server = Server(self.reactor, make_parser("").parse_args(["--echo"]), self.err.write)
        self.successResultOf(Deferred.fromCoroutine(self.server.listen(self.out.write)))
        self.finished: Deferred[None] = Deferred()
        self.patch(self.server.factory, "stop_serving", lambda: self.finished)
        self.handlers: dict[int, Any] = {}

        def set_handler(number: int, handler: Any) -> Any:
            before = self.handlers.get(number, "before")
            self.handlers[number] = handler
            return before

        self.patch(signal, "signal", set_handler)

    def test_waits(self) -> None:
        """It stops when the answers under way are finished."""
        stopped = self.server.stop()
        self.assertNoResult(stopped)
        self.reactor.advance(0.1)
        self.finished.callback(None)
        self.successResultOf(stopped)
        self.assertEqual((self.reactor.getDelayedCalls(), self.err.getvalue()), ([], ""))
        self.assertEqual(set(self.handlers.values()), {"before"})

    def test_says_so(self) -> None:
        """If that takes a while, it says so."""
        self.server.stop()
        self.reactor.advance(0.5)
        expected = "Finishing the answers under way; another Ctrl-C stops at once.\n"
        self.assertEqual(self.err.getvalue(), expected)
        self.finished.callback(None)

    def test_not_for_ever(self) -> None:
        """An answer that does not end is not waited for."""
        stopped = self.server.stop()
        self.reactor.pump([0.5, GRACE - 0.6])
        self.assertNoResult(stopped)
        self.reactor.advance(0.1)
        self.successResultOf(stopped)
        self.finished.callback(None)

    def test_another_ctrl_c(self) -> None:
        """Another Ctrl-C stops at once."""
        stopped = self.server.stop()
        self.handlers[signal.SIGINT](signal.SIGINT, None)
        self.assertNoResult(stopped)
        self.reactor.advance(0)
        self.successResultOf(stopped)
        self.finished.callback(None)

    def test_failure(self) -> None:
        """It stops, too, if something fails."""
        stopped = self.server.stop()
        self.finished.errback(Exception("oops"))
        self.successResultOf(stopped)

    def test_thread(self) -> None:
        """Where no signals can be handled it stops as well."""

        def set_handler(number: int, handler: Any) -> Any:
            raise ValueError("signal only works in main thread of the main interpreter")

        self.patch(signal, "signal", set_handler)
        stopped = self.server.stop()
        self.finished.callback(None)
        self.successResultOf(stopped)


class ProcessTests(TestCase):
    """The command as a user runs it."""

    def start(self, *argv: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
        """Start the command; it is ended after the test, or when it takes too long."""
        return start(self, "toyhttp", *argv, cwd=cwd)

    def run_to_its_end(self, *argv: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of the command."""
        process = self.start(*argv)
        out, err = process.communicate()
        return process.returncode, out, err

    def serve(self, *argv: str, cwd: Path = ROOT) -> tuple[subprocess.Popen[str], int]:
        """Start a server, and return it and its port."""
        endpoint = "tcp:0:interface=127.0.0.1"
        process = self.start(*(argv or ["--echo"]), "--listen", endpoint, cwd=cwd)
        assert process.stdout is not None
        line = process.stdout.readline()
        self.assertRegex(line, r"^Serving .+ on http://127\.0\.0\.1:[0-9]+/ - Ctrl-C stops it\.\n$")
        return process, int(line.rpartition(":")[2].partition("/")[0])

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

    def get(self, port: int, target: str) -> tuple[int, bytes]:
        """Return status and body of what a target is answered with."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read()

    def test_files(self) -> None:
        """A client gets files, small and large, and each answer is a line of the log."""
        folder = Path(self.mktemp())
        (folder / "sub").mkdir(parents=True)
        data = os.urandom(3 * 1024 * 1024)
        (folder / "sub" / "large").write_bytes(data)
        (folder / "index.html").write_bytes(b"small")
        process, port = self.serve(str(folder.resolve()))
        self.assertEqual(self.get(port, "/"), (200, b"small"))
        self.assertEqual(self.get(port, "/sub/large"), (200, data))
        code, error = self.get(port, "/none")
        self.assertEqual(code, 404)
        code, page = self.get(port, "/sub/")
        self.assertEqual(code, 200)
        self.assertIn(b'<a href="./large">', page)
        assert process.stdout is not None
        self.assertIn("--no-listing", process.stdout.readline())
        process.terminate()
        _, err = process.communicate()
        came = [line.partition("] ")[2] for line in err.splitlines()]
        expected = [
            '"GET / HTTP/1.1" 200 5',
            f'"GET /sub/large HTTP/1.1" 200 {len(data)}',
            f'"GET /none HTTP/1.1" 404 {len(error)}',
            f'"GET /sub/ HTTP/1.1" 200 {len(page)}',
        ]
        self.assertEqual(came, expected)
        self.assertTrue(err.startswith("127.0.0.1 - - ["), f"said {err!r}")

    def test_nobody_reads_the_log(self) -> None:
        """A pipe that is full, and a terminal that was stopped, make nobody wait."""
        process, port = self.serve("--echo")
        for _ in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            for _ in range(100):  # a pipe holds some hundred lines
                connection.request("GET", "/" + 100 * "x", headers={"Connection": "keep-alive"})
                connection.getresponse().read()
            connection.close()
        process.terminate()
        process.wait(PATIENCE)
        self.assertEqual(process.returncode, 0 if os.name != "nt" else 1)

    def test_control_characters(self) -> None:
        """What a client sent cannot reach the terminal by way of a traceback (RFC 1945, 12)."""
        folder = Path(self.mktemp())
        folder.mkdir()
        module = "def broken(request):\n    raise ValueError('\\x1b[2J')\n"
        (folder / "broken.py").write_text(module, encoding="ascii")
        process, port = self.serve("--handler", "broken:broken", cwd=folder)
        self.assertEqual(self.get(port, "/%1b")[0], 500)
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
        self.assertNotIn("\x1b", said)
        self.assertIn("ValueError: \\x1b[2J", said)

    def test_finishes(self) -> None:
        """A SIGTERM waits for the answer that is under way; nobody else can connect."""
        if os.name == "nt":
            self.skipTest("Windows has no such signals")
        name = f"slow_{os.getpid()}"
        module = Path(f"{name}.py").resolve()
        module.write_text(
            "from twisted.internet import reactor, task\n"
            "from toyhttp import Response\n"
            "def slow(request):\n"
            "    print('asked', flush=True)\n"
            "    return task.deferLater(reactor, 0.3, Response, 200, (), b'slow')\n",
            encoding="utf-8",
        )
        process, port = self.serve("--handler", f"{name}:slow", cwd=module.parent)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "asked\n")
            process.terminate()
            came = b""
            while data := client.recv(4096):
                came += data
        self.assertTrue(came.endswith(b"\r\n\r\nslow"), f"came {came!r}")
        out, err = process.communicate()
        self.assertEqual((process.returncode, out, err.count("\n")), (0, "", 1), f"said {err!r}")

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
