"""What a server answers: a ``Response`` in, bytes out (RFC 1945, section 6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from .request import TOKEN

VALUE = re.compile(rb"[^\x00\r\n]*")
WITHOUT_BODY = (204, 304)
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Response:
    """One response; the server adds ``Date`` and ``Content-Length``."""

    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""


def render_response(response: Response, now: float, head_only: bool = False) -> bytes:
    """Render the bytes that go over the wire, ``now`` being seconds since 1970."""
    for name, value in response.headers:
        if not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
            raise ValueError(f"The header field {name!r}: {value!r} cannot be sent.")
    headers = [(b"Date", formatdate(int(now), usegmt=True).encode()), *response.headers]
    if response.status not in WITHOUT_BODY:
        headers.append((b"Content-Length", b"%d" % len(response.body)))
    reason = REASONS.get(response.status, "").encode()
    lines = [b"HTTP/1.0 %d %s" % (response.status, reason)]
    lines += [b"%s: %s" % field for field in headers]
    body = b"" if head_only or response.status in WITHOUT_BODY else response.body
    return b"\r\n".join([*lines, b"", body])
