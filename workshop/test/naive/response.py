"""Responses, as somebody writes them who stops when the core of stage 2 is green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus


@dataclass
class Response:
    """One response."""

    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""


def render_response(response: Response, now: float, head_only: bool = False) -> bytes:
    """Render the bytes that go over the wire."""
    status = HTTPStatus(response.status)
    lines = [f"HTTP/1.0 {status.value} {status.phrase}".encode()]
    lines.append(b"Date: " + formatdate(now, usegmt=True).encode())
    lines += [name + b": " + value for name, value in response.headers]
    body = b"" if head_only else response.body
    if status in (204, 304):
        body = b""
    else:
        lines.append(b"Content-Length: %d" % len(response.body))
    return b"\r\n".join([*lines, b"", body])
