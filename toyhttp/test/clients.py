"""Real clients, and a proxy, and what they make of the server.

``trial toyhttp.test.clients`` is run by ``tox -e clients``.  A test whose program or package
is not there is skipped, and says which.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IAddress
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, TestCase
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers

import toyhttp
from toyhttp import HTTPChannel, HTTPFactory, Request, Response
from toyhttp.client import get

timeout = 120

ROOT = Path(toyhttp.__file__).resolve().parent.parent
PATIENCE = 60  # seconds: how long a program may take before it is killed

OFTEN = 400
"""How many requests are sent over connections that are kept."""

LARGE = Random(1).randbytes(3_000_000)

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Four files</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<h1>A page with four files</h1>
<p><img id="picture" src="picture.svg" alt="a green disc" width="200" height="200"></p>
<p id="script">The script has not run.</p>
<script src="script.js"></script>
</body>
</html>
"""
STYLE = "body { background: rgb(255, 250, 220); font: 20px sans-serif; margin: 40px }\n"
PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="200" height="200">
<circle cx="5" cy="5" r="5" fill="green"/></svg>
"""
SCRIPT = """\
window.onload = () => {
  const colour = getComputedStyle(document.body).backgroundColor;
  const width = document.getElementById("picture").naturalWidth;
  document.getElementById("script").textContent = `Script: ${colour}, ${width} wide`;
};
"""


def need_program(name: str) -> str:
    """Return the path of a program; without it, skip the test."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        raise SkipTest(f"{name} is not installed")
    return path


def need_package(name: str) -> Any:
    """Import a package; without it, skip the test."""
    try:
        return import_module(name)
    except ImportError:
        raise SkipTest(f"{name} is not installed") from None


def run(*command: str | Path, check: bool = True) -> str:
    """Run a program and return what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, timeout=PATIENCE)
    out = done.stdout.decode("utf-8", "replace")
    if check and done.returncode:
        raise AssertionError(f"{words} exits with {done.returncode}: {out} {done.stderr!r}")
    return out


class Server:
    """``python -m toyhttp`` as a process of its own.

    :ivar url: where it serves.
    :param arguments: its command line.
    """

    def __init__(self, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", "toyhttp", "--quiet"]
        command += ["--listen", "tcp:0:interface=127.0.0.1", *map(str, arguments)]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
        )
        self._timer = Timer(2 * PATIENCE, self._process.kill)
        self._timer.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        found = re.search(r"http://\S+", line)
        if found is None:
            self._process.kill()
            raise AssertionError(f"it printed {line!r}, {self._process.communicate()[1]!r}")
        self.url = found[0]
        self.host, self.port = urlsplit(self.url).hostname, urlsplit(self.url).port

    def stop(self) -> None:
        """Stop it; it must exit with 0 and have complained of nothing."""
        self._process.terminate()
        _, complaints = self._process.communicate(timeout=PATIENCE)
        self._timer.cancel()
        if self._process.returncode or complaints:
            raise AssertionError(f"exit code {self._process.returncode}: {complaints.decode()}")


class ServerCase(TestCase):
    """A test with a folder that is served."""

    def setUp(self) -> None:
        """Write the files, and start the server."""
        self.root = Path(self.mktemp()).absolute()
        (self.root / "sub").mkdir(parents=True)
        for name, text in (
            ("index.html", PAGE),
            ("style.css", STYLE),
            ("picture.svg", PICTURE),
            ("script.js", SCRIPT),
            ("a.txt", "This is a.txt.\n"),
            ("sub/index.html", PAGE),
        ):
            (self.root / name).write_text(text, encoding="utf-8")
        (self.root / "large").write_bytes(LARGE)
        for number in range(10):
            (self.root / f"{number}.txt").write_bytes(b"%d\n" % number * (1 + 30_000 * number))
        self.url = self.serve(self.root)

    def serve(self, *arguments: str | Path) -> str:
        """Start a server, to be stopped at the end, and return where it serves."""
        self.server = Server(*arguments)
        self.addCleanup(self.server.stop)
        return self.server.url


class CurlTests(ServerCase):
    """curl."""

    def curl(self, *arguments: str | Path) -> str:
        """Run curl and return what it prints, the head of the answer first."""
        return run(need_program("curl"), "-sS", "-i", "--max-time", "20", *arguments)

    def test_get(self) -> None:
        """A file is fetched."""
        answer = self.curl(self.url + "a.txt").replace("\r\n", "\n")
        self.assertEqual(answer.splitlines()[0], "HTTP/1.0 200 OK")
        self.assertTrue(answer.endswith("\n\nThis is a.txt.\n"), answer)

    def test_head(self) -> None:
        """HEAD shows the size, and has no body."""
        answer = self.curl("--head", self.url + "large")
        self.assertIn("Content-Length: 3000000\r\n", answer)
        self.assertTrue(answer.endswith("\r\n\r\n"), answer)

    def test_missing(self) -> None:
        """What is not there is 404."""
        self.assertIn("HTTP/1.0 404 ", self.curl(self.url + "nothing"))

    def test_climbing(self) -> None:
        """A path that climbs is 404."""
        url = self.url + "../../../../etc/passwd"
        self.assertIn("HTTP/1.0 404 ", self.curl("--path-as-is", url))

    def test_redirect(self) -> None:
        """The redirect to the slash is followed."""
        answer = self.curl("--location", self.url + "sub")
        self.assertIn("HTTP/1.0 301 ", answer)
        self.assertTrue(answer.replace("\r\n", "\n").endswith(PAGE), answer)

    def test_range(self) -> None:
        """A range is 206, and one behind the end 416."""
        answer = self.curl("--range", "8-12", self.url + "a.txt")
        self.assertIn("HTTP/1.0 206 ", answer)
        self.assertTrue(answer.endswith("\r\n\r\na.txt"), answer)
        self.assertIn("HTTP/1.0 416 ", self.curl("--range", "99-", self.url + "a.txt"))

    def test_resumed_download(self) -> None:
        """A download that broke off goes on where it was."""
        file = self.root.parent / "download"
        file.write_bytes(LARGE[:1_000_000])
        run(need_program("curl"), "-sS", "-C", "-", "-o", file, self.url + "large")
        self.assertEqual(file.read_bytes(), LARGE)

    def test_conditional(self) -> None:
        """With -z, a file that was not changed is 304."""
        file = self.root / "a.txt"
        self.assertIn("HTTP/1.0 304 ", self.curl("-z", file, self.url + "a.txt"))
        answer = self.curl("-z", "Sun, 06 Nov 1994 08:49:37 GMT", self.url + "a.txt")
        self.assertIn("HTTP/1.0 200 ", answer)

    def test_simple_request(self) -> None:
        """A Simple-Request gets the body alone; curl takes that with --http0.9, and not without."""
        # What curl takes for a method is a whole Simple-Request; what follows is not read.
        options = ["-sS", "--max-time", "20", "-X", "GET /a.txt\r\nno-method", self.url]
        self.assertEqual(run(need_program("curl"), "--http0.9", *options), "This is a.txt.\n")
        self.assertEqual(run(need_program("curl"), *options, check=False), "")

    def test_post(self) -> None:
        """A POST arrives as it was sent; one that is chunked is refused readably."""
        url = self.serve("--echo")
        answer = self.curl("--data", "a=b", url + "form?x")
        self.assertIn("POST", answer)
        self.assertIn("a=b", answer)
        chunked = self.curl("-H", "Transfer-Encoding: chunked", "--data", "a=b", url)
        self.assertRegex(chunked, r"HTTP/1\.0 (400|501) ")

    def test_large_post(self) -> None:
        """One with Expect, for which curl waits a second, arrives; one too large is a 413."""
        url = self.serve("--echo")
        for size, status in ((1_000_000, 200), (3_000_000, 413)):
            file = self.root.parent / "upload"
            file.write_bytes(size * b"x")
            answer = self.curl("--data-binary", f"@{file}", url)
            self.assertIn(f"HTTP/1.0 {status} ", answer)

    def test_kept(self) -> None:
        """A connection is used again if curl asks for it."""
        url = self.url + "a.txt"
        shown = run(
            need_program("curl"),
            *("-sS", "-H", "Connection: keep-alive", "-w", "%{num_connects} "),
            *("-o", os.devnull, "-o", os.devnull, "-o", os.devnull, url, url, url),
        )
        self.assertEqual(shown.split(), ["1", "0", "0"])


class PythonTests(ServerCase):
    """What Python programs use."""

    def test_http_client(self) -> None:
        """http.client sends many requests over one connection, and gets each answer."""
        connection = http.client.HTTPConnection(self.server.host or "", self.server.port)
        connection.connect()
        socket = connection.sock
        for number in range(OFTEN):
            name = number % 10
            method = "HEAD" if number % 7 == 0 else "GET"
            connection.request(method, f"/{name}.txt", headers={"Connection": "keep-alive"})
            response = connection.getresponse()
            expected = (self.root / f"{name}.txt").read_bytes()
            self.assertEqual(int(response.headers["Content-Length"]), len(expected))
            self.assertEqual(response.read(), b"" if method == "HEAD" else expected)
            self.assertIs(connection.sock, socket)
        connection.close()

    def test_urllib(self) -> None:
        """Urllib follows a redirect, and reports a 404."""
        with urllib.request.urlopen(self.url + "sub", timeout=PATIENCE) as answer:
            self.assertEqual(answer.read().decode(), PAGE)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(self.url + "nothing", timeout=PATIENCE)
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()

    def test_requests(self) -> None:
        """Requests keeps its connection, which it asks for by itself."""
        requests = need_package("requests")
        with requests.Session() as session:
            for number in range(OFTEN):
                name = f"{number % 10}.txt"
                answer = session.get(self.url + name, timeout=PATIENCE)
                self.assertEqual(answer.content, (self.root / name).read_bytes())
                self.assertEqual(answer.headers["Connection"], "keep-alive")
            self.assertEqual(session.get(self.url + "large", timeout=PATIENCE).content, LARGE)

    def test_requests_chunked(self) -> None:
        """A chunked upload of requests is refused readably: it gets the answer."""
        requests = need_package("requests")
        answer = requests.post(self.url, data=iter([b"a", b"b"]), timeout=PATIENCE)
        self.assertIn(answer.status_code, (400, 501))

    def test_httpx(self) -> None:
        """Httpx keeps its connections, and many threads may use them."""
        httpx = need_package("httpx")
        with httpx.Client(timeout=PATIENCE) as client, ThreadPoolExecutor(8) as executor:

            def fetch(number: int) -> bool:
                name = f"{number % 10}.txt"
                content = client.get(self.url + name).content
                return bool(content == (self.root / name).read_bytes())

            self.assertTrue(all(executor.map(fetch, range(OFTEN))))

    async def test_agent(self) -> None:
        """Twisted's Agent gets all answers, with a pool of connections that it would keep."""
        from twisted.internet import reactor

        pool = HTTPConnectionPool(reactor, persistent=True)
        agent = Agent(reactor, pool=pool)

        async def fetch(number: int) -> None:
            name = f"{number % 10}.txt"
            headers = Headers({"Connection": ["keep-alive"]} if number % 2 else {})
            answer = await agent.request(b"GET", (self.url + name).encode(), headers)
            self.assertEqual(await readBody(answer), (self.root / name).read_bytes())

        for start in range(0, OFTEN, 10):
            numbers = range(start, start + 10)
            await gatherResults([Deferred.fromCoroutine(fetch(number)) for number in numbers])
        await pool.closeCachedConnections()

    async def test_own_client(self) -> None:
        """So does the client that belongs to this server."""
        from twisted.internet import reactor

        answer = await get(reactor, self.url + "large")
        self.assertEqual(answer.body, LARGE)


class LoadTests(ServerCase):
    """Programs that send as much as they can: nothing may fail."""

    def test_ab(self) -> None:
        """Ab gets all answers, with connections kept and not."""
        ab = need_program("ab")
        for options, kept in (["-k"], "Keep-Alive requests:    2000"), ([], ""):
            shown = run(ab, "-q", "-n", "2000", "-c", "20", *options, self.url + "5.txt")
            self.assertIn("Complete requests:      2000", shown)
            self.assertRegex(shown, r"Failed requests: +0\n")
            self.assertNotIn("Non-2xx", shown)
            self.assertIn(kept, shown)

    def test_wrk(self) -> None:
        """Wrk sees no error, with connections kept and not."""
        wrk = need_program("wrk")
        for word in ("keep-alive", "close"):
            header = f"Connection: {word}"
            shown = run(wrk, "-t1", "-c20", "-d2s", "-H", header, self.url + "2.txt")
            self.assertNotIn("Socket errors", shown)
            self.assertNotIn("Non-2xx", shown)
            self.assertRegex(shown, r"[0-9]{3,} requests in")

    def test_slowhttptest(self) -> None:
        """Two hundred slow clients leave the service available: in head, body and reading."""
        program = need_program("slowhttptest")
        url = self.serve("--echo")
        for options in (
            ["-H", "-u", url],
            ["-B", "-s", "8192", "-u", url],
            ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32", "-k", "3", "-u", url],
        ):
            shown = run(
                program, "-c", "200", "-r", "100", "-i", "2", "-l", "12", "-p", "3", *options,
                check=False,
            )  # fmt: skip
            shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
            available = re.findall(r"service available: +(\w+)", shown)
            self.assertEqual(set(available), {"YES"}, f"{options}: {shown[-2000:]}")

    def test_redbot(self) -> None:
        """REDbot has nothing bad to say of a page, its 304, its ranges, and a redirect."""
        need_package("redbot")
        explained = {
            "FRESHNESS_HEURISTIC",  # no Cache-Control: a changed file is to be seen at once
        }
        for path, good in (
            ("", {"RANGE_CORRECT", "IMS_304", "CL_CORRECT", "DATE_CORRECT"}),
            ("large", {"RANGE_CORRECT", "IMS_304", "CL_CORRECT", "DATE_CORRECT"}),
            ("sub", {"CL_CORRECT", "DATE_CORRECT"}),
        ):
            shown = run(sys.executable, "-m", "redbot.cli", "-o", "har", self.url + path)
            (entry,) = json.loads(shown)["log"]["entries"]
            notes = {note["note_id"]: note["level"] for note in entry["_red_messages"]}
            bad = {name for name, level in notes.items() if level in ("BAD", "WARN")}
            self.assertEqual(bad - explained, set(), f"of /{path}")
            self.assertEqual({name for name in good if notes.get(name) != "GOOD"}, set(), path)


class BrowserTests(ServerCase):
    """Chromium, without a window."""

    def test_page(self) -> None:
        """A page, its style sheet, its picture and its script are all there."""
        chromium = need_program("chromium")
        profile = Path(self.mktemp()).absolute()
        screenshot = Path("screenshot.png").absolute()
        options = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", "--window-size=600,500"),
        ]
        shown = run(chromium, *options, "--virtual-time-budget=5000", "--dump-dom", self.url)
        self.assertIn("Script: rgb(255, 250, 220), 200 wide", shown)
        run(chromium, *options, f"--screenshot={screenshot}", self.url)
        self.assertEqual(screenshot.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")


class Counting(HTTPFactory):
    """Counts its connections."""

    connections = 0

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:
        """Return a new channel."""
        self.connections += 1
        return super().buildProtocol(addr)


NGINX = """\
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/errors warn;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1;
  proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4;
  scgi_temp_path {folder}/t5;
  upstream toyhttp {{
    server 127.0.0.1:{port};
    keepalive 16;
  }}
  server {{
    listen unix:{folder}/socket;
    client_max_body_size 10m;
    location / {{
      proxy_pass http://toyhttp;
      proxy_http_version {version};
      proxy_set_header Connection "{connection}";
      proxy_next_upstream off;
    }}
  }}
}}
"""


class ProxyTests(TestCase):
    """nginx in front, which would keep its connections to the server."""

    def start(self, port: int, version: str, connection: str) -> Path:
        """Start nginx; return the path of the socket on which it listens."""
        nginx = need_program("nginx")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        # The name of a socket is short.
        short = Path(os.path.relpath(folder))
        user = "user root;" if os.getuid() == 0 else ""  # else it cannot write here
        text = NGINX.format(
            user=user, folder=folder, port=port, version=version, connection=connection
        )
        (folder / "conf").write_text(text.replace(f"unix:{folder}", f"unix:{short}"))
        process = subprocess.Popen(
            [nginx, "-e", str(folder / "errors"), "-p", str(Path.cwd()), "-c", str(folder / "conf")]
        )
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        return short / "socket"

    async def check(self, version: str, connection: str) -> tuple[int, set[int]]:
        """Send many requests at once; return how many connections the server had."""
        from twisted.internet import reactor

        def handler(request: Request) -> Any:
            body = b"%s %s %s" % (request.method, request.target, request.body)
            response = Response(200, [(b"X-Target", request.target)], body)
            if request.target.endswith(b"missing"):
                response = Response(404, body=body)
            if not request.target.endswith(b"late"):
                return response
            later: Deferred[Response] = Deferred()
            clock: Any = reactor
            clock.callLater(0.02, later.callback, response)
            return later

        need_program("nginx")
        factory = Counting(handler)
        listening: Any = reactor
        port = listening.listenTCP(0, factory, interface="127.0.0.1")
        try:
            socket = self.start(port.getHost().port, version, connection)
            statuses = await deferToThread(self.ask_often, socket)
        finally:
            await port.stopListening()
            await factory.stop_serving()
        return factory.connections, statuses

    def ask_often(self, path: Path) -> set[int]:
        """Ask from eight threads, each on one connection; return the statuses of the answers."""
        for _ in range(100):
            if path.exists():
                break
            subprocess.run(["sleep", "0.1"], check=True)
        with ThreadPoolExecutor(8) as executor:
            return set().union(*executor.map(lambda number: self.ask(path, number), range(8)))

    def ask(self, path: Path, number: int) -> set[int]:
        """Send requests of all kinds; each answer must be that of its request."""
        from socket import AF_UNIX, SOCK_STREAM, socket

        choices, statuses = Random(number), set()
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket(AF_UNIX, SOCK_STREAM)
        connection.sock.connect(str(path))
        for count in range(OFTEN // 8):
            method = choices.choice(["GET", "POST", "HEAD"])
            target = f"/{number}/{count}/" + choices.choice(["now", "late", "missing"])
            body = b""
            if method == "POST":
                body = b"%d %d " % (number, count) + choices.choice([0, 10, 200_000]) * b"x"
            connection.request(method, target, body or None)
            answer = connection.getresponse()
            expected = b"%s %s %s" % (method.encode(), target.encode(), body)
            statuses.add(answer.status)
            assert answer.status == (404 if target.endswith("missing") else 200), answer.status
            got = answer.read()
            assert got == (b"" if method == "HEAD" else expected), (got[:99], expected[:99])
            assert answer.headers["Content-Length"] == str(len(expected)), answer.headers
        connection.close()
        return statuses

    async def test_http_1_0(self) -> None:
        """With HTTP/1.0 no answer gets mixed up.

        nginx never keeps a connection on which HTTP/1.0 is answered, whatever Connection says.
        """
        connections, statuses = await self.check("1.0", "keep-alive")
        self.assertEqual((connections, statuses), (OFTEN, {200, 404}))

    async def test_http_1_1(self) -> None:
        """With HTTP/1.1 neither, whether nginx asks for keep-alive or not."""
        for connection in ("", "keep-alive"):
            connections, statuses = await self.check("1.1", connection)
            self.assertEqual((connections, statuses), (OFTEN, {200, 404}))
