"""``python -m toyhttp``: the server, from the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from .command import CannotListen, CommandError, Server, complain, has_colours, make_parser, say

PROG = "python -m toyhttp"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM.

    :returns: the exit code: 2 if the command line is wrong, 1 if it cannot listen, else 0.
    """
    from twisted.internet import reactor

    if sys.stderr is not None:
        warnings = FilteringLogObserver(
            textFileLogObserver(sys.stderr), [LogLevelFilterPredicate(LogLevel.warn)]
        )
        globalLogBeginner.beginLoggingTo([warnings], redirectStandardIO=False)
    return run(reactor, argv)


def run(reactor: Any, argv: Sequence[str] | None) -> int:
    """Listen as the command line says, and run the reactor until somebody stops it."""
    try:
        arguments = make_parser(PROG).parse_args(argv)
        server = Server(reactor, arguments, _write, has_colours(sys.stderr))
    except CommandError as error:
        complain(f"{PROG}: error: {error}")
        return 2

    exit_code = 0

    async def start() -> None:
        nonlocal exit_code
        try:
            await server.listen(say)
        except CannotListen as error:
            complain(f"{PROG}: {error}")
            exit_code = 1
            reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(start()))
    reactor.addSystemEventTrigger("before", "shutdown", server.stop)
    reactor.run()
    return exit_code


def _write(line: str) -> None:
    """Write a line of the access log."""
    if sys.stderr is not None:
        sys.stderr.write(line)


if __name__ == "__main__":
    sys.exit(main())
