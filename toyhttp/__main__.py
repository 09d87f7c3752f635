"""``python -m toyhttp``: the server, from the command line."""

from __future__ import annotations

import io
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

from .command import (
    CannotListen,
    CommandError,
    Server,
    Terminal,
    complain,
    has_colours,
    make_parser,
    say,
)

PROG = "python -m toyhttp"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM.

    :returns: the exit code: 2 if the command line is wrong, 1 if it cannot listen, else 0.
    """
    from twisted.internet import reactor

    terminal = Terminal(sys.stderr)
    warnings = FilteringLogObserver(
        textFileLogObserver(_Lines(terminal)),
        [LogLevelFilterPredicate(LogLevel.warn)],
    )
    globalLogBeginner.beginLoggingTo([warnings], redirectStandardIO=False)
    return run(reactor, argv, terminal)


class _Lines(io.StringIO):
    """A file for Twisted's log, in which what a client sent may stand."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def write(self, text: str) -> int:
        self._terminal.write_any(text)
        return len(text)


def run(reactor: Any, argv: Sequence[str] | None, terminal: Terminal | None = None) -> int:
    """Listen as the command line says, and run the reactor until somebody stops it."""
    terminal = terminal or Terminal(sys.stderr)
    try:
        arguments = make_parser(PROG).parse_args(argv)
        server = Server(reactor, arguments, terminal.write, has_colours(sys.stderr))
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
    terminal.close()
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
