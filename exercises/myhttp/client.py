"""The other side: an HTTP/1.0 client (RFC 1945, sections 5, 6 and 7).

You write this module in stage 11. ``exercises/stage11/README.md`` says how.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint

from .response import Response


class ResponseError(Exception):
    """There is no response. This class and the next three are complete.

    :ivar received: ``bytes``: all that came before the error.
    """

    def __init__(self, explanation: str, received: bytes) -> None:
        super().__init__(explanation)
        self.received = received


class BadResponse(ResponseError):
    """What came is no HTTP/1.0 response, or more than is allowed."""


class PartialResponse(ResponseError):
    """The connection was lost before the response was complete."""


class LateResponse(ResponseError):
    """The response was not complete in time."""


def get(
    reactor: Any,
    url: str,
    endpoint: IStreamClientEndpoint | None = None,
    timeout: float = 30.0,
    max_head: int = 16 * 1024,
    max_body: int = 16 * 1024 * 1024,
) -> Deferred[Response]:
    """Fetch what is at ``url``.

    :param reactor: connects, and tells the time; with an ``endpoint``, a clock will do.
    :param url: such as ``http://example.org:8080/a?b``.
    :param endpoint: how to connect; without one, to the host and port of ``url``.
    :param timeout: how many seconds all may take, from the call of ``get`` on.
    :param max_head: how many bytes the status line and the header fields may have, with the
        blank line that ends them.
    :param max_body: how many bytes the entity body may have.
    :returns: a Deferred of the response. It fails with one of the errors above, or with
        that of the endpoint; when it is cancelled, with a ``CancelledError``.
    :raises ValueError: if ``url`` is none that can be fetched.
    """
    raise NotImplementedError("Stage 11: get is not written yet.")
