"""The access log: one line for each answer, in the format that all tools read.

It is the Common Log Format of the NCSA and of Apache::

    127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] "GET /a HTTP/1.0" 200 2326
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Final

from twisted.internet.interfaces import IAddress, IReactorTime

from .dates import MONTHS
from .request import SIMPLE, Request

_UNSAFE = re.compile(rb'[^ -~]|["\\]')
_COLOURS: Final = {2: "32", 3: "36", 4: "33", 5: "31"}  # green, cyan, yellow, red


class AccessLog:
    """Writes a line for each answer: to be the ``log`` of an :class:`toyhttp.HTTPFactory`.

    A byte that the client sent and that is not printable ASCII, or a quote or a backslash,
    is shown by its number: nothing ends the line, or means something to a terminal.

    :param write: what is called with each line, its line end included.  It must not wait:
        see :class:`toyhttp.logwriter.LogWriter`.  A line for which it raises an ``OSError`` or
        a ``ValueError``, such as that of a closed pipe, is lost: a log that nobody can read
        is no reason to stop serving.
    :param clock: what tells the time.
    :param colour: whether the status is coloured, for a terminal.
    """

    def __init__(
        self, write: Callable[[str], object], clock: IReactorTime, colour: bool = False
    ) -> None:
        self._write = write
        self._clock = clock
        self._colour = colour

    def __call__(
        self, peer: IAddress | None, request: Request | None, status: int, size: int
    ) -> None:
        """Write the line for one answer.

        :param peer: the client's address; ``None``, or one without a host, is ``-``.
        :param request: the request; ``None``, for one that could not be read, is ``-``.
        :param status: the status code of the answer.
        :param size: how many bytes of body were sent; ``-`` if there were none.
        """
        host = getattr(peer, "host", None) or "-"
        line = "-" if request is None else request_line(request)
        code = str(status)
        if self._colour and (colour := _COLOURS.get(status // 100)):
            code = f"\x1b[{colour}m{code}\x1b[0m"
        when = _local_time(int(self._clock.seconds()))
        with suppress(OSError, ValueError):
            self._write(f'{host} - - [{when}] "{line}" {code} {size or "-"}\n')


def request_line(request: Request) -> str:
    r"""Return the request line, with ``\x22`` for a byte that could be misunderstood."""
    line = request.method + b" " + request.target
    if request.version != SIMPLE:
        line += b" HTTP/%d.%d" % request.version
    if _UNSAFE.search(line):
        line = _UNSAFE.sub(lambda odd: b"\\x%02x" % odd[0][0], line)
    return line.decode("ascii")


@lru_cache(maxsize=1)  # a busy server writes many lines in a second
def _local_time(seconds: int) -> str:
    """Return a time as the log has it, in the time zone of this machine."""
    when = datetime.fromtimestamp(seconds).astimezone()
    return when.strftime(f"%d/{MONTHS[when.month - 1]}/%Y:%H:%M:%S %z")
