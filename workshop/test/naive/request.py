"""Requests, as somebody writes them who stops when the core of stage 1 is green."""

from __future__ import annotations

from dataclasses import dataclass


class BadRequest(Exception):
    """The bytes are not a request."""

    def __init__(self, explanation: str, status: int = 400) -> None:
        super().__init__(explanation)
        self.status = status


@dataclass
class Request:
    """One request."""

    method: bytes
    target: bytes
    version: tuple[int, int]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """Return the value of a field, or ``None``."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return b", ".join(values) if values else None


def parse_request(head: bytes) -> Request:
    """Parse the head of a request."""
    lines = head.split(b"\r\n")
    if lines[-2:] != [b"", b""]:
        raise BadRequest("The head has no end.")
    try:
        method, target, version = lines[0].split()
        if not method.isalpha() or target[:1] != b"/" or version[:5] != b"HTTP/":
            raise ValueError
        major, minor = version[5:].split(b".")
        headers = []
        for line in lines[1:-2]:
            name, value = line.split(b":", 1)
            headers.append((name, value.strip()))
        return Request(method, target, (int(major), int(minor)), tuple(headers))
    except ValueError:
        raise BadRequest("This is no request.") from None
