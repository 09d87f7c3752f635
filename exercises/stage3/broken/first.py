"""The first broken reader: ``trial exercises.stage3.broken.first``."""

from __future__ import annotations

from exercises.binding import tests_of
from exercises.myhttp.request import Request, parse_request


class RequestReader:
    """Gives out requests, but not for every delivery.  What is wrong with it: read on."""

    def __init__(self, max_head: int = 16 * 1024, max_body: int = 1024 * 1024) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        self._data = data

    def next_request(self) -> Request | None:
        """Return the next request that is complete, or ``None`` if none is yet."""
        if not self._data.endswith(b"\r\n\r\n"):
            return None
        data, self._data = self._data, b""
        return parse_request(data)


# The tests of this stage, with this reader in the place of yours.  It knows no bodies.
ChunkTests = tests_of(3, "exercises.myhttp", module=__name__, reader=__name__)["ChunkTests"]
