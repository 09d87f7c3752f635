"""What a client asks for: bytes in, a ``Request`` out. No network in here.

You write this module in stage 1. ``exercises/stage1/README.md`` says how.
"""

from __future__ import annotations


class BadRequest(Exception):
    """The bytes are not a request that we accept.

    Built as ``BadRequest(explanation, status=400)``.

    :ivar status: the status code of the answer, an ``int``.

    ``str(error)`` is the explanation, one sentence for the person at the other end.
    """

    status: int

    def __init__(self, explanation: str, status: int = 400) -> None:
        raise NotImplementedError("Stage 1: BadRequest is not written yet.")


class Request:
    """One request. Two requests are equal if all five values are; ``repr`` shows them.

    Built as ``Request(method, target, version, headers=(), body=b"")``.

    :ivar method: ``bytes``, such as ``b"GET"``.
    :ivar target: ``bytes``, the Request-URI as it was sent, such as ``b"/a%20b?c=d"``.
    :ivar version: two numbers, such as ``(1, 0)``.
    :ivar headers: a tuple of ``(name, value)`` pairs of ``bytes``, in the order sent.
    :ivar body: ``bytes``, the entity body.
    """

    method: bytes
    target: bytes
    version: tuple[int, int]
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def __init__(
        self,
        method: bytes,
        target: bytes,
        version: tuple[int, int],
        headers: tuple[tuple[bytes, bytes], ...] = (),
        body: bytes = b"",
    ) -> None:
        raise NotImplementedError("Stage 1: Request is not written yet.")

    def header(self, name: bytes) -> bytes | None:
        """Return the value of the header field ``name``, in whatever case it is written.

        The values of a field that was sent several times are joined by ``b", "``
        (RFC 1945, section 4.2). ``None`` if the field was not sent.
        """
        raise NotImplementedError("Stage 1: Request.header is not written yet.")


def parse_request(head: bytes) -> Request:
    """Parse the head of a request (RFC 1945, sections 4.2 and 5).

    :param head: the request line, the header fields and the blank line that ends them.
    :returns: a ``Request`` with an empty body.
    :raises BadRequest: if ``head`` is anything else.
    """
    raise NotImplementedError("Stage 1: parse_request is not written yet.")
