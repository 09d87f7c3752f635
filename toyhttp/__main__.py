"""``python -m toyhttp``: the server, with the page that shows what you sent.

Endpoints and ports are configuration, and live here alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from . import HTTPFactory, __version__
from .echo import echo

DEFAULT = "tcp:8080:interface=127.0.0.1"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM.

    :returns: the exit code: 1 if it cannot listen, else 0.
    :raises SystemExit: with code 2 if the command line is wrong.
    """
    from twisted.internet import reactor

    warnings = FilteringLogObserver(
        textFileLogObserver(sys.stderr), [LogLevelFilterPredicate(LogLevel.warn)]
    )
    globalLogBeginner.beginLoggingTo([warnings], redirectStandardIO=False)
    return run(reactor, argv, HTTPFactory(echo, server=f"toyhttp/{__version__}".encode()))


def run(reactor: Any, argv: Sequence[str] | None, factory: Factory) -> int:
    """Listen as the command line says, and run the reactor until somebody stops it."""
    parser = argparse.ArgumentParser(
        prog="python -m toyhttp",
        description="A toy HTTP/1.0 server. It answers each request with a page that shows it.",
    )
    parser.add_argument(
        "--listen",
        metavar="ENDPOINT",
        action="append",
        help=f"where to listen, a Twisted endpoint string; may be repeated (default: {DEFAULT})",
    )
    parser.add_argument("--version", action="version", version=f"toyhttp {__version__}")
    listen = parser.parse_args(argv).listen or [DEFAULT]

    try:
        endpoints = [(text, serverFromString(reactor, text)) for text in listen]
    except Exception as error:  # each kind of endpoint complains in its own way
        parser.error(f"--listen: not an endpoint that Twisted knows: {error}")

    exit_code = 0

    async def start() -> None:
        nonlocal exit_code
        for text, endpoint in endpoints:
            try:
                port: IListeningPort = await endpoint.listen(factory)
            except Exception as error:  # as above: a port of 99999 is an OverflowError
                reason = getattr(error, "socketError", error)
                print(f"{parser.prog}: cannot listen on {text}: {reason}", file=sys.stderr)
                exit_code = 1
                reactor.stop()
                return
            print(f"Serving on {url(text, port.getHost())} - Ctrl-C stops it.", flush=True)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(start()))
    reactor.run()
    return exit_code


def url(endpoint: str, address: IAddress) -> str:
    """Return what to type into a browser to reach a server that listens on ``address``."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None:
        return endpoint  # a Unix socket, say
    scheme = "https" if endpoint.startswith(("ssl:", "tls:")) else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


if __name__ == "__main__":
    sys.exit(main())
