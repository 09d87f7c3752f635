"""The command line, for ``python -m toyhttp`` and ``twist toyhttp`` alike, and what it starts.

Endpoints, ports and folders are configuration, and live here alone.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import math
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IStreamServerEndpoint,
)
from twisted.logger import Logger

from . import __version__
from .access import AccessLog
from .channel import Handler, HTTPFactory, Log
from .echo import echo
from .files import FileHandler
from .logwriter import DescriptorOutput, FileOutput, LogWriter
from .request import Request

DEFAULT: Final = "tcp:8080:interface=127.0.0.1"
"""Where it listens: this machine alone can connect."""

BACKLOG: Final = 511
"""How many clients may wait to be accepted, unless the endpoint says so itself."""

GRACE: Final = 10.0
"""How many seconds the answers under way may take when the server is to stop."""


class CommandError(Exception):
    """The command line is wrong; ``str(error)`` says in one line what."""


class CannotListen(Exception):
    """Nobody can connect; ``str(error)`` says in one line why."""


class _Parser(argparse.ArgumentParser):
    """A parser that leaves it to its caller to complain."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(message)


def _seconds(text: str) -> float:
    """Read a time, of more than 0 seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"not a number of seconds above 0: {text!r}")
    return seconds


def _number(text: str) -> int:
    """Read a whole number, of 1 at least."""
    if not re.fullmatch("0*[1-9][0-9]{0,17}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"not a whole number above 0: {text!r}")
    return int(text)


_LIMITS: Final = {
    "idle_timeout": (_seconds, "how long a client may send nothing"),
    "request_timeout": (_seconds, "how long a client may take to send its whole request"),
    "close_timeout": (_seconds, "how long a client may take to read a piece of an answer"),
    "max_head": (_number, "how many bytes the head of a request may have"),
    "max_body": (_number, "how many bytes the body of a request may have"),
    "max_connections": (_number, "how many clients may be connected at once"),
}
"""The parameters of :class:`HTTPFactory` that are options, too; it knows the defaults."""


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return what parses the command line, and prints ``--help``."""
    parser = _Parser(
        prog=prog,
        description="A toy HTTP/1.0 server. It serves the files of a folder.",
        allow_abbrev=False,
    )
    served = parser.add_mutually_exclusive_group()
    served.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="what is served (default: this folder)"
    )
    served.add_argument(
        "--echo", action="store_true", help="answer each request with a page that shows it"
    )
    served.add_argument(
        "--handler",
        metavar="MODULE:NAME",
        help="answer with a handler of your own, such as package.module:callable",
    )
    parser.add_argument(
        "--no-listing",
        action="store_true",
        help="do not list folders that have no index.html",
    )
    parser.add_argument(
        "--listen",
        metavar="ENDPOINT",
        action="append",
        help=f"where to listen, a Twisted endpoint string; may be repeated (default: {DEFAULT})",
    )
    parser.add_argument("--log", metavar="FILE", help="append a line for each answer to a file")
    parser.add_argument("--quiet", action="store_true", help="print no line for each answer")
    parameters = inspect.signature(HTTPFactory).parameters
    for name, (read, explanation) in _LIMITS.items():
        parser.add_argument(
            "--" + name.replace("_", "-"),
            metavar="SECONDS" if read is _seconds else "NUMBER",
            type=read,
            default=parameters[name].default,
            help=f"{explanation} (default: %(default)s)",
        )
    parser.add_argument("--version", action="version", version=f"toyhttp {__version__}")
    return parser


class Server:
    """What a command line describes: a handler, and the endpoints at which it is reached.

    :param reactor: what it runs on.
    :param arguments: what :func:`make_parser` has made of the command line.
    :param write: what is called with each line for whoever watches, such as those of the
        access log.  It must not wait.
    :param colour: whether they watch on a terminal with colours.
    :raises CommandError: if something is wrong that can be seen before it runs.
    """

    def __init__(
        self,
        reactor: Any,
        arguments: argparse.Namespace,
        write: Callable[[str], object],
        colour: bool = False,
    ) -> None:
        self._reactor = reactor
        self._ports: list[IListeningPort] = []
        texts = arguments.listen or [DEFAULT]
        self._endpoints = [(text, _endpoint(reactor, text)) for text in texts]
        self._lists_folders = False
        handler: Handler
        if arguments.echo:
            self._name, handler = "echo", echo
        elif arguments.handler is not None:
            self._name, handler = arguments.handler, load_handler(arguments.handler)
        else:
            root = _folder(arguments.folder or ".")
            self._name = str(root)
            self._lists_folders = not arguments.no_listing
            handler = FileHandler(root, reactor, listing=self._lists_folders)
        settings = {name: value for name, value in vars(arguments).items() if name in _LIMITS}
        self._write = write
        self._file: LogWriter | None = None
        logs: list[Log] = []
        if not arguments.quiet:
            logs.append(AccessLog(write, reactor, colour))
        if arguments.log is not None:
            self._file = _log_file(arguments.log)
            logs.append(AccessLog(self._file.write, reactor))
        log = logs[0] if len(logs) == 1 else _to_each(logs) if logs else None
        server = f"toyhttp/{__version__}".encode()
        self.factory = HTTPFactory(handler, reactor, server=server, log=log, **settings)

    async def listen(self, say: Callable[[str], object]) -> None:
        """Listen at all endpoints.

        :param say: what is called with a line for each endpoint, as soon as it is open.
        :raises CannotListen: if one of them cannot be opened.
        """
        for text, endpoint in self._endpoints:
            try:
                port = await endpoint.listen(self.factory)
            except Exception as error:  # each kind of endpoint complains in its own way
                reason = getattr(error, "socketError", error)
                raise CannotListen(f"cannot listen on {text}: {reason}") from error
            self._ports.append(port)
            name = printable(self._name)
            say(f"Serving {name} on {url(text, port.getHost())} - Ctrl-C stops it.")
        if self._lists_folders:
            say("A folder without index.html is listed; --no-listing switches that off.")

    def stop(self) -> Deferred[None]:
        """Listen no more, finish the answers under way, and close all connections.

        :returns: fires when that is done, but after ``GRACE`` seconds at the latest, and
            at once if there is another Ctrl-C.
        """
        done: Deferred[None] = Deferred()

        def finish(result: object = None) -> None:
            if not done.called:
                done.callback(None)

        def hurry(number: int, frame: object) -> None:
            self._reactor.callFromThread(finish)

        timers: list[IDelayedCall] = [
            self._reactor.callLater(GRACE, finish),
            self._reactor.callLater(
                0.5, self._write, "Finishing the answers under way; another Ctrl-C stops at once.\n"
            ),
        ]
        handlers = _set_handlers(dict.fromkeys((signal.SIGINT, signal.SIGTERM), hurry))

        def clean_up(result: None) -> None:
            if self._file is not None:
                self._file.close()
            _set_handlers(handlers)
            for timer in timers:
                if timer.active():
                    timer.cancel()

        done.addCallback(clean_up)
        ports = [maybeDeferred(port.stopListening) for port in self._ports]
        waits: list[Deferred[Any]] = [*ports, self.factory.stop_serving()]
        DeferredList(waits, consumeErrors=True).addCallback(finish)
        return done


def _set_handlers(handlers: dict[signal.Signals, Any]) -> dict[signal.Signals, Any]:
    """Set the handlers of signals, where that can be done, and return those before."""
    before = {}
    for number, handler in handlers.items():
        try:
            before[number] = signal.signal(number, handler)
        except (TypeError, ValueError):  # not in the main thread; or it was not set by Python
            continue
    return before


def _to_each(logs: list[Log]) -> Log:
    """Return what tells several logs of an answer."""

    def log(peer: IAddress | None, request: Request | None, status: int, size: int) -> None:
        for one in logs:
            one(peer, request, status, size)

    return log


def _endpoint(reactor: Any, text: str) -> IStreamServerEndpoint:
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, with_backlog(text))
    except Exception as error:  # each kind of endpoint complains in its own way
        raise CommandError(
            f"--listen: not an endpoint that Twisted knows: {_one_line(error)}"
        ) from error
    return endpoint


def with_backlog(endpoint: str) -> str:
    """Return an endpoint string that says how many clients may wait to be accepted.

    Twisted's own default is 50: of 300 clients that come at once, most would wait a second
    until they try again.
    """
    kinds = ("tcp:", "tcp6:", "ssl:", "unix:")
    if endpoint.startswith(kinds) and ":backlog=" not in endpoint:
        return f"{endpoint}:backlog={BACKLOG}"
    return endpoint


def _folder(name: str) -> Path:
    """Return the folder of this name, with its whole path."""
    folder = Path(name)
    try:
        is_folder = folder.is_dir()
        if is_folder:
            return folder.resolve()
        folder.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"cannot serve {printable(name)}: {reason}") from error
    raise CommandError(f"cannot serve {printable(name)}: not a folder")


def _log_file(name: str) -> LogWriter:
    """Open a log file, and return what appends lines to it."""
    try:
        output = FileOutput(Path(name))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"--log: cannot open {printable(name)}: {reason}") from error
    log = Logger()
    return LogWriter(output, lambda sentence: log.warn("{sentence}", sentence=sentence))


def load_handler(name: str) -> Handler:
    """Import a handler.

    :param name: such as ``package.module:callable``; the current folder is looked in first.
    :raises CommandError: if it cannot be imported, or called.
    """
    module, _, attributes = name.partition(":")
    if not module or not attributes:
        raise CommandError(f"--handler: not like package.module:callable: {printable(name)}")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        raise CommandError(
            f"--handler: cannot import {printable(name)}: {_one_line(error)}{_place(error)}"
        ) from error
    if not callable(found):
        raise CommandError(f"--handler: {printable(name)} cannot be called")
    handler: Handler = found
    return handler


def _one_line(error: BaseException) -> str:
    """Return what kind of error it is, and what it says."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {printable(text)}" if text else type(error).__name__


def _place(error: BaseException) -> str:
    """Return where in somebody's module an error was raised, if it was in one."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == __file__:
            break
        if not frame.filename.startswith("<") and "importlib" not in frame.filename:
            return f" ({printable(frame.filename)}, line {frame.lineno})"
    return ""


def url(endpoint: str, address: IAddress) -> str:
    """Return what to type into a browser to reach a server that listens on ``address``."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None:
        return endpoint  # a Unix socket, say
    scheme = "https" if endpoint.startswith(("ssl:", "tls:")) else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


def printable(text: str) -> str:
    r"""Return a text for a terminal, with codes such as ``\x1b`` for what cannot be printed."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def say(line: str) -> None:
    """Print a line, if anybody reads what is printed."""
    _print(line, sys.stdout)


def complain(line: str) -> None:
    """Print a line that says what is wrong, or urgent."""
    _print(line, sys.stderr)


def _print(line: str, stream: Any) -> None:
    if stream is None:  # as on Windows, without a console
        return
    encoding = getattr(stream, "encoding", None) or "ascii"
    line = line.encode(encoding, "backslashreplace").decode(encoding)
    try:
        print(line, file=stream, flush=True)
    except (OSError, ValueError):
        # Nobody reads it any more.  Python would complain about that at its end.
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            pass


class Terminal:
    """What is printed while the server runs: nobody waits until it is read.

    :param stream: such as ``sys.stderr``; ``None`` is nowhere.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._writer: LogWriter | None = None
        with suppress(AttributeError, OSError, ValueError):  # a test's, say, is only memory
            self._writer = LogWriter(DescriptorOutput(stream.fileno()))

    def write(self, text: str) -> None:
        """Print lines; what could mean something to a terminal must not be in them."""
        if self._writer is not None:
            self._writer.write(text)
        elif self._stream is not None:
            self._stream.write(text)

    def write_any(self, text: str) -> None:
        r"""Print lines, with codes such as ``\x1b`` for what cannot be printed."""
        lines = [printable(line.expandtabs()) for line in text.split("\n")]
        self.write("\n".join(lines))

    def close(self) -> None:
        """Print what is not printed yet, if somebody reads it soon."""
        if self._writer is not None:
            self._writer.close()


def has_colours(stream: Any) -> bool:
    """Return whether a stream is a terminal that shows colours, and the user wants them."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":  # see no-color.org
        return False
    if os.name == "nt" and not {"WT_SESSION", "TERM"} & set(os.environ):  # an old console
        return False
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
