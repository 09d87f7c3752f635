"""From chunks of bytes to requests. It waits for nothing and knows no network.

You write this module in stage 3. ``exercises/stage3/README.md`` says how.
"""

from __future__ import annotations

from .request import Request


class RequestReader:
    """Collects bytes, in whatever chunks they come, and gives out requests.

    :param max_head: how many bytes a head may have, its blank line included.
    :param max_body: how many bytes an entity body may have.
    """

    def __init__(self, max_head: int = 16 * 1024, max_body: int = 1024 * 1024) -> None:
        raise NotImplementedError("Stage 3: RequestReader is not written yet.")

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next: one, or many, or several requests' worth."""
        raise NotImplementedError("Stage 3: RequestReader.feed is not written yet.")

    def next_request(self) -> Request | None:
        """Return the next request that is complete, or ``None`` if none is yet.

        :raises BadRequest: if what came is no request, or more than is allowed.
            Its ``status`` is 431 for a head that is too large, 413 for a body
            that is too large, 400 for everything else.
        """
        raise NotImplementedError("Stage 3: RequestReader.next_request is not written yet.")
