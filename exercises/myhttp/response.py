"""What a server answers: a ``Response`` in, bytes out. No network in here.

You write this module in stage 2. ``exercises/stage2/README.md`` says how.
"""

from __future__ import annotations

from collections.abc import Sequence


class Response:
    """One response. Two responses are equal if all three values are; ``repr`` shows them.

    Built as ``Response(status, headers=(), body=b"")``.

    :ivar status: the status code, an ``int`` such as ``200``.
    :ivar headers: a sequence of ``(name, value)`` pairs of ``bytes``.
        ``Date`` and ``Content-Length`` are not among them: the server writes those.
    :ivar body: ``bytes``, the entity body.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def __init__(
        self,
        status: int,
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
    ) -> None:
        raise NotImplementedError("Stage 2: Response is not written yet.")


def render_response(response: Response, now: float, head_only: bool = False) -> bytes:
    """Render the bytes that go over the wire (RFC 1945, section 6).

    The order is: status line, ``Date``, the response's own header fields,
    ``Content-Length``, a blank line, the body.

    :param now: the time for ``Date``, in seconds since 1970-01-01 00:00 UTC.
    :param head_only: leave the body out, as in the answer to a ``HEAD``; the
        header fields stay the same.
    :raises ValueError: if a header field's name or value could not be sent as it is,
        unless ``Response`` has refused it already.
    """
    raise NotImplementedError("Stage 2: render_response is not written yet.")
