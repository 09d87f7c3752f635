"""``twist toyhttp``: the server as a plugin, for those who deploy with twist or twistd."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options as UsageOptions

from .command import CannotListen, CommandError, Server, complain, make_parser


class Options(UsageOptions):
    """The options of ``python -m toyhttp``."""

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse what stands behind ``twist toyhttp``.

        :raises SystemExit: if it is wrong, or asks for no more than ``--help``.
        """
        try:
            self["arguments"] = make_parser(_prog()).parse_args(options)
        except CommandError as error:
            _fail(f"error: {error}", 2)


def makeService(options: Options) -> IService:
    """Return the server as a service.

    :raises SystemExit: if the command line is wrong.
    """
    from twisted.internet import reactor

    try:
        return ServerService(Server(reactor, options["arguments"], _log_access))
    except CommandError as error:
        _fail(f"error: {error}", 2)


class ServerService(Service):
    """Listens while it runs."""

    _log = Logger()
    _listening = False

    def __init__(self, server: Server) -> None:
        self._server = server

    def privilegedStartService(self) -> None:
        """Listen while that may be done at any port.

        :raises SystemExit: if it cannot listen.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._listen()

    def startService(self) -> None:
        """Listen, unless it does already.

        :raises SystemExit: if it cannot listen.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._listen()

    def stopService(self) -> Deferred[None]:
        """Listen no more, and finish the answers under way."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._listening = False
        return self._server.stop()

    def _listen(self) -> None:
        if self._listening:
            return
        self._listening = True
        failures: list[Failure] = []
        listening = Deferred.fromCoroutine(self._server.listen(self._say))
        listening.addErrback(failures.append)
        # No endpoint of Twisted's makes us wait; and nobody would see a failure later.
        for failure in failures:
            failure.trap(CannotListen)
            _fail(failure.getErrorMessage(), 1)

    def _say(self, line: str) -> None:
        self._log.info("{line}", line=line)


def _log_access(line: str) -> None:
    _access.info("{line}", line=line.rstrip())


_access = Logger("toyhttp.access")


def _prog() -> str:
    return f"{Path(sys.argv[0]).stem} toyhttp"


def _fail(line: str, code: int) -> NoReturn:
    complain(f"{_prog()}: {line}")
    raise SystemExit(code)
