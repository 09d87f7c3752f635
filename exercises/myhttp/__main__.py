"""``python -m exercises.myhttp``: start your own server, once stage 4 is green.

This module is complete: there is nothing to write in it.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.error import CannotListenError
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from .channel import HTTPFactory
from .request import Request
from .response import Response


def hello(request: Request) -> Response:
    """Greet whoever asks; change this as you like."""
    text = b"hello from your own server\n\nyou asked for " + request.target + b"\n"
    return Response(200, [(b"Content-Type", b"text/plain")], text)


def main(reactor: Any) -> int:
    """Serve on port 8080 of this machine until Ctrl-C, and return the exit code."""
    mistakes = LogLevelFilterPredicate(LogLevel.warn)
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [mistakes])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    try:
        reactor.listenTCP(8080, HTTPFactory(hello, reactor), interface="127.0.0.1")
    except (NotImplementedError, CannotListenError) as error:
        print(f"python -m exercises.myhttp: {error}", file=sys.stderr)
        return 1
    print("Serving on http://127.0.0.1:8080/ - Ctrl-C stops it.", flush=True)
    reactor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(installed_reactor))
