"""The page that lists a folder, for people.

A name is a stranger's text: it may have any letter in it.  So each is written twice,
escaped in two ways: as text for HTML, and as a path, byte by byte, for the link.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from heapq import merge
from html import escape
from itertools import islice
from typing import Final
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from .response import Response

STEP: Final = 500
"""How many names are looked at, or written, in one turn of the reactor: some milliseconds."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }}
h1 {{ font-size: 1.3rem; font-weight: 600; overflow-wrap: anywhere; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .35rem 0; border-top: 1px solid #ddd; }}
th {{ font-weight: 400; color: #666; border: 0; }}
td + td, th + th {{ text-align: right; white-space: nowrap; padding-left: 1.5rem; color: #666;
  font-variant-numeric: tabular-nums; }}
td:first-child {{ width: 100%; overflow-wrap: anywhere; }}
a {{ color: #0645ad; text-decoration: none; }}
a:hover {{ text-decoration: underline; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #ddd; background: #181818; }}
  th, td {{ border-color: #333; }}
  th, td + td, th + th {{ color: #999; }}
  a {{ color: #8ab4f8; }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
<table>
<tr><th>Name</th><th>Size</th><th>Changed (UTC)</th></tr>
{rows}
</table>
</body>
</html>
"""

# Control characters, halves of characters, and those that turn the direction of a line,
# so that what ends in "exe" seems to end in "txt".
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True)
class Entry:
    """One line of a listing.

    :ivar name: as the system has it, a byte that is no text as :func:`os.fsdecode` has it.
    :ivar is_folder: whether it is a folder, which is shown with a slash and no size.
    :ivar size: in bytes.
    :ivar modified: when it was changed, in seconds since 1970-01-01 00:00 UTC.
    """

    name: str
    is_folder: bool
    size: int
    modified: float


def render_listing(path: str, entries: Iterable[Entry]) -> bytes:
    """Return the page that lists a folder: folders first, then files, each by their names.

    :param path: the folder's path, decoded, with a slash at both ends.  Unless it is
        ``/`` the page has a link to the folder above.
    """
    steps = rendering(path, lambda: entries)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            page: bytes = end.value
            return page


def rendering(
    path: str, entries: Callable[[], Iterable[Entry | None]]
) -> Generator[None, None, bytes]:
    """Do what :func:`render_listing` does, and yield after each ``STEP`` names.

    :param entries: is called when the first step begins.  What it returns may have ``None``
        in it: a name that took its time, but is not shown.
    """
    source, runs = iter(entries()), []
    while step := list(islice(source, STEP)):
        runs.append(sorted((entry for entry in step if entry is not None), key=_order))
        if len(step) == STEP:
            yield
    rows = []
    if path != "/":
        rows.append('<tr><td><a href="../">../</a></td><td></td><td></td></tr>')
    above = len(rows)
    ordered = merge(*runs, key=_order)
    while some := [_row(entry) for entry in islice(ordered, STEP)]:
        rows += some
        if len(some) == STEP:
            yield
    if len(rows) == above:
        rows.append('<tr><td colspan="3">This folder is empty.</td></tr>')
    return _PAGE.format(title=_text(path), rows="\n".join(rows)).encode()


def _row(entry: Entry) -> str:
    slash = "/" if entry.is_folder else ""
    # "./" and an escaped colon: "javascript:x" is a name, and no scheme.
    link = "./" + quote(os.fsencode(entry.name), safe="") + slash
    text = f'<a href="{link}"><bdi>{_text(entry.name)}</bdi>{slash}</a>'
    size = "" if entry.is_folder else human_size(entry.size)
    return f"<tr><td>{text}</td><td>{size}</td><td>{_date(entry.modified)}</td></tr>"


class Listings:
    """Makes the pages of folders, those of large ones in many turns of the reactor.

    While one is made, others may ask for the same.  They share the next one: so whoever
    asks gets what was there after asking, and a hundred who ask cost two pages.

    :param clock: what has the turns: ``callLater``.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: dict[str, list[Deferred[Response]]] = {}

    def respond(
        self, path: str, entries: Callable[[], Iterable[Entry | None]]
    ) -> Response | Deferred[Response]:
        """Return the response with the page, or a Deferred of it if the folder is large.

        :param path: as :func:`render_listing` has it.
        :param entries: returns what is in the folder; called when it is to be looked at.
        :raises OSError: if the folder cannot be read.
        """
        answer: Deferred[Response] = Deferred()
        if path in self._waiting:
            self._waiting[path].append(answer)
            return answer
        steps = rendering(path, entries)
        try:
            next(steps)
        except StopIteration as end:
            return _response(end.value)
        self._waiting[path] = []
        self._clock.callLater(0, self._go_on, path, entries, steps, [answer])
        return answer

    def _go_on(
        self,
        path: str,
        entries: Callable[[], Iterable[Entry | None]],
        steps: Generator[None, None, bytes],
        answers: list[Deferred[Response]],
    ) -> None:
        """Do one step of a page, unless nobody waits for it any more."""
        answers = [answer for answer in answers if not answer.called]  # it was cancelled
        result: Response | Failure | None = None
        if answers:
            try:
                next(steps)
            except StopIteration as end:
                result = _response(end.value)
            except Exception:
                result = Failure()
            if result is None:
                self._clock.callLater(0, self._go_on, path, entries, steps, answers)
                return
        waiting = self._waiting.pop(path)
        if waiting:
            self._waiting[path] = []
            steps = rendering(path, entries)
            self._clock.callLater(0, self._go_on, path, entries, steps, waiting)
        for answer in answers:
            assert result is not None
            answer.callback(result)  # a Failure is an errback


def _response(page: bytes) -> Response:
    return Response(200, [(b"Content-Type", b"text/html; charset=utf-8")], page)


def human_size(size: int) -> str:
    """Return a size as people read it: ``999 B``, ``1.5 KiB``, ``20 MiB``."""
    if size < 1024:
        return f"{size} B"
    number, units = size / 1024, "KMGTPE"
    while number >= 999.5:
        number, units = number / 1024, units[1:]
    digits = 1 if number < 9.95 else 0
    return f"{number:.{digits}f} {units[0]}iB"


def _order(entry: Entry) -> tuple[bool, str, str]:
    return (not entry.is_folder, entry.name.casefold(), entry.name)


def _text(name: str) -> str:
    """Return a name as HTML; what cannot be printed is shown as U+FFFD."""
    return escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", name))


def _date(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):  # a date that no calendar has
        return ""
