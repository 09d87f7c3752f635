"""What a client asks for: bytes in, a ``Request`` out (RFC 1945, sections 4.2 and 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
TARGET = re.compile(rb"/[^\x00-\x20\x7f]*")
VERSION = re.compile(rb"HTTP/([0-9]{1,4})\.([0-9]{1,4})")
VALUE = re.compile(rb"[^\x00\r]*")


class BadRequest(Exception):
    """The bytes are not a request that we accept; ``status`` is that of the answer."""

    def __init__(self, explanation: str, status: int = 400) -> None:
        super().__init__(explanation)
        self.status = status


@dataclass(frozen=True)
class Request:
    """One request, its parts as they were sent."""

    method: bytes
    target: bytes
    version: tuple[int, int]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """Return the value of the field ``name``, or ``None`` if it was not sent."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return b", ".join(values) if values else None


def parse_request(head: bytes) -> Request:
    """Parse a request line, header fields and the blank line that ends them."""
    *parts, rest = head.split(b"\n")
    lines = [part.removesuffix(b"\r") for part in parts]
    if rest or lines[-1:] != [b""]:
        raise BadRequest("The head does not end with a blank line.")
    method, target, version = parse_request_line(lines[0])
    return Request(method, target, version, tuple(parse_field(line) for line in lines[1:-1]))


def parse_request_line(line: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """Parse a line such as ``GET / HTTP/1.0``."""
    words = line.split(b" ")
    if len(words) != 3:
        raise BadRequest("A request line is a method, a target and a version.")
    method, target, version = words
    numbers = VERSION.fullmatch(version)
    if not TOKEN.fullmatch(method):
        raise BadRequest("The method is not a token.")
    if not TARGET.fullmatch(target):
        raise BadRequest("The target is not an absolute path.")
    if not numbers:
        raise BadRequest("The version is not like HTTP/1.0.")
    return method, target, (int(numbers[1]), int(numbers[2]))


def parse_field(line: bytes) -> tuple[bytes, bytes]:
    """Parse a line such as ``Host: example.org``."""
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):
        raise BadRequest("A header field is a name, a colon and a value.")
    if not VALUE.fullmatch(value):
        raise BadRequest("The value of a header field has a NUL or a lone CR in it.")
    return name, value.strip(b" \t")
