"""``twist toyhttp``: the plugin, in this process and as a process of its own."""

from __future__ import annotations

import http.client
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.application.service import IServiceMaker
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.plugin import getPlugins
from twisted.trial.unittest import TestCase

from toyhttp.command import Server, make_parser
from toyhttp.service import Options, ServerService
from toyhttp.test.processes import PATIENCE, start

timeout = 5


class PluginTests(TestCase):
    """What twist finds."""

    def test_plugin(self) -> None:
        """Twist knows the plugin, which knows its options and how to make a service."""
        (plugin,) = (one for one in getPlugins(IServiceMaker) if one.tapname == "toyhttp")
        self.assertIs(plugin.options, Options)
        self.assertEqual(plugin.description, "A toy HTTP/1.0 server.")


class OptionsTests(TestCase):
    """The options of the plugin: those of the command."""

    def setUp(self) -> None:
        """Catch what is printed, and be twist."""
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.patch(sys, "argv", ["/bin/twist", "toyhttp", "..."])

    def test_options(self) -> None:
        """What the command understands is understood."""
        options = Options()
        options.parseOptions(["--no-listing", "--listen", "tcp:1", "folder"])
        arguments = options["arguments"]
        self.assertEqual((arguments.folder, arguments.listen), ("folder", ["tcp:1"]))

    def test_wrong_option(self) -> None:
        """What is wrong is one line, and exit code 2."""
        error = self.assertRaises(SystemExit, Options().parseOptions, ["--port"])
        self.assertEqual(error.code, 2)
        said = self.err.getvalue()
        self.assertEqual(said, "twist toyhttp: error: unrecognized arguments: --port\n")

    def test_help(self) -> None:
        """The help says how twist is told."""
        error = self.assertRaises(SystemExit, Options().parseOptions, ["--help"])
        self.assertEqual(error.code, 0)
        self.assertIn("usage: twist toyhttp ", self.out.getvalue())


class ServiceTests(TestCase):
    """The service that twist starts and stops."""

    def setUp(self) -> None:
        """Make a service, on a reactor without a network."""
        self.err = StringIO()
        self.patch(sys, "stderr", self.err)
        self.patch(sys, "argv", ["/bin/twist", "toyhttp", "..."])
        self.reactor: Any = MemoryReactorClock()
        arguments = make_parser("").parse_args(["--echo"])
        self.server = Server(self.reactor, arguments, self.err.write)
        self.service = ServerService(self.server)

    def test_start(self) -> None:
        """A service that is started listens, once."""
        self.service.privilegedStartService()
        self.service.startService()
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [8080])
        self.assertTrue(self.service.running)

    def test_start_without_privileges(self) -> None:
        """Twist has no privileges to start with."""
        self.service.startService()
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [8080])

    def test_stop(self) -> None:
        """A service that is stopped is waited for."""
        finished: Deferred[None] = Deferred()
        stops = [finished, succeed(None)]
        self.patch(self.server, "stop", lambda: stops.pop(0))
        self.service.startService()
        stopped = self.service.stopService()
        self.assertNoResult(stopped)
        finished.callback(None)
        self.successResultOf(stopped)
        self.assertFalse(self.service.running)

    def test_cannot_listen(self) -> None:
        """A port that is taken is one line, and exit code 1."""

        def refuse(*args: Any, **kwargs: Any) -> None:
            raise CannotListenError("", 8080, OSError(98, "in use"))

        self.patch(self.reactor, "listenTCP", refuse)
        error = self.assertRaises(SystemExit, self.service.startService)
        self.assertEqual(error.code, 1)
        expected = "twist toyhttp: cannot listen on tcp:8080:interface=127.0.0.1: [Errno 98] in use"
        self.assertEqual(self.err.getvalue(), expected + "\n")


class TwistTests(TestCase):
    """Twist itself, as a user runs it."""

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start ``twist toyhttp``; it is ended after the test, or when it takes too long."""
        return start(self, "twisted", "--log-format=text", "toyhttp", *argv, unbuffered=True)

    def test_serves(self) -> None:
        """It serves a folder, and says so in twist's log, as it does of each answer."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "a.txt").write_bytes(b"hello")
        process = self.start(str(folder.resolve()), "--listen", "tcp:0:interface=127.0.0.1")
        assert process.stdout is not None
        for line in process.stdout:
            if "Serving " in line:
                break
        self.assertIn(f"Serving {folder.resolve()} on http://127.0.0.1:", line)
        port = int(line.rpartition(":")[2].partition("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/a.txt")
        self.assertEqual(connection.getresponse().read(), b"hello")
        process.terminate()
        out, err = process.communicate()
        self.assertIn('"GET /a.txt HTTP/1.1" 200 5\n', out)
        self.assertEqual(err, "")

    def test_wrong_endpoint(self) -> None:
        """What only shows when the service is made is one line, too."""
        process = self.start("--listen", "nonsense:1")
        out, err = process.communicate()
        self.assertEqual((process.returncode, out), (2, ""), f"said {err!r}")
        self.assertRegex(err, r"\A\S+ toyhttp: error: --listen: .*nonsense.*\n\Z")
