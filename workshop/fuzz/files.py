"""Stage 9: targets, dates and methods, asked for through a channel, of a folder on a disk."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from .drawing import Draw
from .world import HEAD, TOLD, Wire, hash_of

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
CHANGED = NOW - 86400
FUTURE = NOW + 86400
FILES = {
    "a.txt": 30,
    "index.html": 5,
    "page.html": 9,
    "PAGE.HTML": 9,
    "style.css": 1,
    "script.js": 2,
    "picture.png": 3,
    "picture.jpg": 4,
    "Picture.JPG": 5,
    "data.jpeg": 6,
    "archive.tar.gz": 7,
    "page.html.txt": 8,
    "noext": 9,
    "txt": 9,
    ".hidden": 10,
    ".txt": 11,
    "empty.txt": 0,
    "lines.txt": 40,
    "sp ace.txt": 12,
    "per%cent.txt": 13,
    "per%41.txt": 14,
    "perA.txt": 15,
    "per%@0": 3,
    "per%G0": 3,
    "per%`0": 3,
    "per%g0": 3,
    "per%1z": 3,
    "plus+.txt": 16,
    "a;b=c": 17,
    "caf\u00e9.txt": 18,
    "..a": 19,
    "...": 20,
    "a..b": 21,
    "old.txt": 22,
    "future.txt": 23,
    "large.bin": 65537,
    "larger.bin": 300001,
    "sub/index.html": 24,
    "sub/x.txt": 25,
    "sub/deep/er/file.txt": 26,
    "noindex/x.txt": 27,
    "folder.txt/index.html": 28,
    "odd/index.html/x.txt": 29,
    "forbidden.txt": 5,
    "../secret.txt": 50,
    "../outside/index.html": 51,
    "../rootx/secret.txt": 52,
}
if os.sep == "/":  # Windows has no such name
    FILES["per%:0"] = 3
FOLDERS = ("", "sub", "sub/deep", "noindex", "folder.txt", "odd", "odd/index.html", "linkdir")
LINKS = {
    "in.txt": "a.txt",
    "up/in.txt": "../a.txt",
    "out.txt": "../secret.txt",
    "outdir": "../outside",
    "loop": "loop",
    "dangling.txt": "nothing",
    "linkdir": "sub",
    "linkout/index.html": "../../secret.txt",
    "other.html": "../rootx/secret.txt",
}
MISSING = ("nothing.txt", "A.txt", "sub/nothing", "a.txt/x", "nothing/", "index", "sub/..")
OUT = (
    "../secret.txt",
    "../outside/",
    "../outside",
    "../rootx/secret.txt",
    "..",
    "../root/a.txt",
    "sub/../../secret.txt",
    "/etc/passwd",
    "../../../../../../etc/passwd",
    "..\\secret.txt",
)
SPELLINGS = (
    b"%2f",
    b"%2F",
    b"%5c",
    b"\\",
    b"%00",
    b"%",
    b"%g0",
    b"%4",
    b"%4g",
    b"%2541",
    b"%ff",
    b"%c3",
    b"%0a",
    b"//",
    b"/./",
    b"/../",
    b"%2e%2e/",
    b"%252e",
    b"+",
    b"%20",
    b"%7f",
)
METHODS = [(12, b"GET"), (3, b"HEAD"), (2, b"POST")]
DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
NO_DATES = (
    "",
    "yesterday",
    "0",
    "-1",
    "Sun, 06 Nov 1994",
    "Sun, 32 Nov 1994 08:49:37 GMT",
    "x" * 99,
    "784111777",
    "Sun, 06 Nov 1994 25:49:37 GMT",
    "\xe9",
    "Sun, 06 Nov 1994 08:49:37 GMTx",
)
ERRORS = {
    "permission": PermissionError,
    "missing": FileNotFoundError,
    "folder": IsADirectoryError,
    "descriptors": OSError,
    "broken": OSError,
}


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up a request for a file, a time, and what goes wrong when the file is opened."""
    fields = b""
    if draw.one_in(3):
        fields = b"If-Modified-Since: " + date(draw) + b"\r\n"
    if draw.one_in(20):
        fields = draw.case(b"If-Modified-Since") + fields[len(b"If-Modified-Since") :]
        fields = fields if b":" in fields else b""
    now = draw.choice((NOW, NOW, CHANGED, CHANGED - 1, FUTURE, NOW + 0.75, NOW + 0.9999999))
    fails = draw.choice(sorted(ERRORS)) if draw.one_in(12) else ""
    method = draw.weighted(METHODS)
    if method == b"HEAD":  # nobody says what the field means there
        fields = b""
    options = draw.one_in(3), draw.one_in(4), draw.one_in(10)
    return method, target(draw), fields, now, fails, options


def target(draw: Draw) -> bytes:
    """Return a target, mostly of what there is."""
    how = draw.randrange(12)
    names = [name for name in FILES if not name.startswith("..")]
    if how < 6:
        name = draw.choice(names)
    elif how < 8:
        name = draw.choice(FOLDERS) + draw.choice(("", "/", "/"))
    else:
        name = draw.choice(
            (*LINKS, "up/in.txt", "linkdir/x.txt", "outdir/index.html", *MISSING, *OUT)
        )
    path = b"/".join(spelled(draw, part.encode()) for part in name.split("/"))
    if draw.one_in(8):
        place = draw.randint(0, len(path))
        path = path[:place] + draw.choice(SPELLINGS) + path[place:]
    if draw.one_in(20):
        path += b"/"
    if draw.one_in(6):
        path += b"?" + draw.choice((b"", b"a=b", b"/../x", b"%zz", b"a?b", b"x/"))
    return b"/" + path.replace(b" ", b"%20").replace(b"\x00", b"%00")


def spelled(draw: Draw, name: bytes) -> bytes:
    """Return a name, some of its bytes spelled in another way."""
    often = draw.choice((1000, 1000, 5, 1))
    found = b""
    for byte in name:
        if byte in b"? #" or byte > 126 or (byte == 37 and draw.randrange(4)) or draw.one_in(often):
            found += draw.choice((b"%%%02x", b"%%%02X")) % byte
        else:
            found += bytes([byte])
    return found


def date(draw: Draw) -> bytes:
    """Return a date, mostly a right one, and close to those that matter."""
    if draw.one_in(8):
        return draw.choice(NO_DATES).encode("latin-1")
    seconds = draw.choice((CHANGED, CHANGED, NOW, FUTURE, 0)) + draw.choice((0, 0, 1, -1, 3600))
    text = time.strftime(draw.choice(DATES), time.gmtime(max(0, seconds)))
    if draw.one_in(3) and text[4] != "," and text[3] == ",":
        text = formatdate(max(0, seconds), usegmt=True)
    data = text.encode()
    return draw.spoilt(data).replace(b"\r", b"").replace(b"\n", b"") if draw.one_in(12) else data


def tree() -> Path:
    """Return the folder: one for each process."""
    root = Path("tree/root").resolve()
    if root.exists():
        return root
    for name, size in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pattern = b"a\r\nb\n\rc" if name == "lines.txt" else bytes(range(256))
        path.write_bytes((pattern * (size // len(pattern) + 1))[:size])
        changed = {"future.txt": FUTURE, "old.txt": 0}.get(name, CHANGED)
        os.utime(path, (changed + 0.75, changed + 0.75))
    for name, destination in LINKS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.symlink_to(destination)
        except OSError:  # on Windows not everybody may make one
            continue
    return root


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Ask for the file, read all, and tell what came."""
    method, what, fields, now, fails, (pulls, slow, relative) = given
    root, clock, opened = tree(), Clock(), []
    clock.advance(now)
    module = load("files")

    def opening(path: Path) -> Any:
        if fails:
            code = errno.EMFILE if fails == "descriptors" else errno.EIO
            raise ERRORS[fails](code, "it fails", str(path))
        if Path(path).name == "forbidden.txt":
            raise PermissionError(errno.EACCES, "you may not", str(path))
        opened.append(module.open_file(path))
        return opened[-1]

    place = Path(os.path.relpath(root)) if relative else root
    handler = module.FileHandler(place, clock, opening)
    channel = load("channel").HTTPFactory(handler, clock).buildProtocol(None)
    wire = Wire("never", pulls)
    wire.protocol = channel
    channel.makeConnection(wire)
    channel.dataReceived(method + b" " + what + b" HTTP/1.0\r\n" + fields + b"\r\n")
    if slow:
        wire.pull(1)
        head = HEAD.match(bytes(wire.data))
        wire.lose("lost")
        status = head is not None and int(head[1])
        status = 404 if status == 503 and fails else status  # nobody says which of the two
        return status, all(each.closed for each in opened), sorted(wire.wrong)
    wire.pull(50)
    closed = all(each.closed for each in opened)
    clock.advance(1000)
    return answer(bytes(wire.data), bool(fails)), closed, wire.disconnecting, sorted(wire.wrong)


def answer(data: bytes, fails: bool) -> Any:
    """Return what is fixed of an answer."""
    head = HEAD.match(data)
    if head is None:
        return ("no response", data[:60])
    status, body = int(head[1]), data[head.end() :]
    if status == 503 and fails:  # nobody says which of the two
        status = 404
    if status >= 400 and status != 405:
        return status
    names = (*TOLD, b"allow") if status < 400 else (b"date", b"allow")
    fields = [line.partition(b":") for line in head[2].split(b"\r\n")[:-1]]
    kept = sorted(
        (name.lower(), value.strip()) for name, _, value in fields if name.lower() in names
    )
    if status in (301, 405):
        kept = [field for field in kept if field[0] in (b"location", b"allow")]
        return status, kept
    return status, kept, (len(body), hash_of(body))
