"""A handler that serves the files of a folder (RFC 1945, sections 5.1.2, 10 and 12.5).

You write this module in stage 9. ``exercises/stage9/README.md`` says how.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from twisted.internet.interfaces import IReactorTime

from .request import Request
from .response import Response


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading. This function is complete: there is nothing to write in it."""
    return path.open("rb")


class FileHandler:
    """A handler that answers with the files below ``root``.

    :param root: the folder that is served.
    :param clock: what tells the time: ``clock.seconds()``.
    :param open_file: what opens a file. All files are opened through it, so that a
        test can see which are open, or let one be forbidden.
    """

    def __init__(
        self,
        root: Path,
        clock: IReactorTime,
        open_file: Callable[[Path], BinaryIO] = open_file,
    ) -> None:
        raise NotImplementedError("Stage 9: FileHandler is not written yet.")

    def __call__(self, request: Request) -> Response:
        """Return the response with the file that ``request.target`` names, or with an error."""
        raise NotImplementedError("Stage 9: FileHandler.__call__ is not written yet.")
