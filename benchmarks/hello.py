"""The same small answer from each server: what ``benchmarks.compare`` asks for.

``python -m benchmarks.hello KIND PORT`` serves it on 127.0.0.1, with KIND one of
``twisted.web``, ``aiohttp`` and ``http.server``.  None of them writes an access log, but
twisted.web does if the name of a file follows; if that is empty, it tells Twisted's log of
each request, as it does if it is not told otherwise.  For toyhttp it is
``python -m toyhttp --handler benchmarks.hello:hello``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from toyhttp import Request, Response

BODY = b"Hello, world!\n"  # as benchmarks.floor has it


def hello(request: Request) -> Response:
    """Answer with toyhttp."""
    return Response(200, [(b"Content-Type", b"text/plain")], BODY)


def serve_twisted_web(port: int, log: str | None = None) -> None:
    """Answer with a minimal Resource of twisted.web.

    :param log: where it writes its access log; empty for what it does if it is not told;
        ``None`` for nowhere.
    """
    from twisted.internet import reactor
    from twisted.web.resource import Resource
    from twisted.web.server import Site

    class Hello(Resource):
        isLeaf = True  # noqa: N815 - Twisted's name

        def render_GET(self, request: Any) -> bytes:
            request.setHeader(b"content-type", b"text/plain")
            return BODY

    class QuietSite(Site):
        def log(self, request: Any) -> None:
            pass

    site = QuietSite(Hello()) if log is None else Site(Hello(), logPath=log or None)
    reactor.listenTCP(port, site, interface="127.0.0.1")
    reactor.run()


def serve_aiohttp(port: int) -> None:
    """Answer with a minimal handler of aiohttp."""
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=BODY, content_type="text/plain")

    app = web.Application()
    app.router.add_get("/", answer)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def serve_http_server(port: int) -> None:
    """Answer with a handler of ``http.server``, in a thread for each connection."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Hello(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # else it never keeps a connection
        wbufsize = -1  # else it sends head and body apart, and TCP delays the second

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(BODY)))
            # It does not say so by itself, and ab and wrk must be told.
            self.send_header("Connection", "close" if self.close_connection else "keep-alive")
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # with the usual 5, clients wait for seconds

        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    Server(("127.0.0.1", port), Hello).serve_forever()


KINDS: dict[str, Callable[..., None]] = {
    "twisted.web": serve_twisted_web,
    "aiohttp": serve_aiohttp,
    "http.server": serve_http_server,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
