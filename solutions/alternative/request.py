"""What a client asks for: bytes in, a ``Request`` out (RFC 1945, sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_letters, digits

TOKEN = (ascii_letters + digits + "!#$%&'*+-.^_`|~").encode()
"""The bytes of which a token is made (RFC 1945, section 2.2; RFC 9110, section 5.6.2)."""

CONTROLS = bytes((*range(33), 127))
"""The bytes that no target has: the space and the control characters."""

VERSION_DIGITS = 4
"""How many digits each number of a version has at most."""


class BadRequest(Exception):
    """The bytes are not a request that we accept.

    :param explanation: one sentence for the person at the other end: ``str(error)``.
    :ivar status: the status code of the answer.
    """

    def __init__(self, explanation: str, status: int = 400) -> None:
        super().__init__(explanation)
        self.status = status


class Request:
    """One request.  It does not change; two requests with the same values are equal.

    :ivar method: such as ``b"GET"``.
    :ivar target: the Request-URI as it was sent, such as ``b"/a%20b?c=d"``.
    :ivar version: two numbers, such as ``(1, 0)``.
    :ivar headers: pairs of name and value, in the order sent.
    :ivar body: the entity body.
    """

    __slots__ = ("body", "headers", "method", "target", "version")

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
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes = b"",
    ) -> None:
        fix = super().__setattr__
        fix("method", method)
        fix("target", target)
        fix("version", version)
        fix("headers", tuple(headers))
        fix("body", body)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: others may hold the same request."""
        raise AttributeError(f"A request does not change: its {name} cannot be set.")

    def __delattr__(self, name: str) -> None:
        """Refuse, as ``__setattr__`` does."""
        raise AttributeError(f"A request does not change: its {name} cannot be deleted.")

    def _values(self) -> tuple[object, ...]:
        """Return the five values, in the order of the parameters."""
        return (self.method, self.target, self.version, self.headers, self.body)

    def __eq__(self, other: object) -> bool:
        """Compare the five values."""
        if not isinstance(other, Request):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        """Hash the five values."""
        return hash(self._values())

    def __repr__(self) -> str:
        """Return how it is built."""
        return "Request({!r}, {!r}, {!r}, {!r}, {!r})".format(*self._values())

    def header(self, name: bytes) -> bytes | None:
        """Return the value of the header field ``name``, in whatever case it is written.

        The values of a field that was sent several times are joined by ``b", "``
        (RFC 1945, section 4.2).  ``None`` if the field was not sent.
        """
        wanted = name.lower()
        values = [value for sent, value in self.headers if sent.lower() == wanted]
        return b", ".join(values) if values else None

    def with_body(self, body: bytes) -> Request:
        """Return the same request with another body."""
        return Request(self.method, self.target, self.version, self.headers, body)


def is_token(word: bytes) -> bool:
    """Say whether ``word`` is one or more of the bytes of a token (RFC 1945, section 2.2)."""
    return word != b"" and not word.translate(None, TOKEN)


def without_line_end(line: bytes) -> bytes:
    """Cut CR LF, or LF alone, off the end of a line (RFC 1945, appendix B)."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def parse_field(line: bytes) -> tuple[bytes, bytes]:
    """Parse a header field, without its line end, into name and value (RFC 1945, section 4.2).

    :raises BadRequest: if the line is none.
    """
    colon = line.find(b":")
    if colon < 0:
        raise BadRequest("A header field has no colon.")
    name, value = line[:colon], line[colon + 1 :].strip(b" \t")
    if not is_token(name):
        raise BadRequest("The name of a header field is no token.")
    if b"\r" in value or b"\0" in value:
        raise BadRequest("The value of a header field has a CR or a NUL in it.")
    return name, value


def _parse_version(word: bytes) -> tuple[int, int]:
    """Parse an HTTP-Version (RFC 1945, section 3.1)."""
    numbers = word.removeprefix(b"HTTP/").split(b".")
    if not word.startswith(b"HTTP/") or len(numbers) != 2:
        raise BadRequest("The version is not like HTTP/1.0.")
    if not all(number.isdigit() and len(number) <= VERSION_DIGITS for number in numbers):
        raise BadRequest("The numbers of the version are not one to four digits.")
    return int(numbers[0]), int(numbers[1])


def _parse_request_line(line: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """Parse a Request-Line into method, target and version (RFC 1945, section 5.1)."""
    words = line.split(b" ")
    if len(words) != 3:
        raise BadRequest("The request line is not three words with a space between them.")
    method, target, version = words
    if not is_token(method):
        raise BadRequest("The method is no token.")
    if not target.startswith(b"/"):
        raise BadRequest("The target does not begin with a slash.")
    if len(target.translate(None, CONTROLS)) != len(target):
        raise BadRequest("The target has a control character in it.")
    return method, target, _parse_version(version)


def parse_request(head: bytes) -> Request:
    """Parse the head of a request (RFC 1945, sections 4.2 and 5).

    :param head: the request line, the header fields and the blank line that ends them.
    :returns: a ``Request`` with an empty body.
    :raises BadRequest: if ``head`` is anything else.
    """
    *ended, rest = head.split(b"\n")
    lines = [without_line_end(line + b"\n") for line in ended]
    if rest or b"" not in lines or lines.index(b"") != len(lines) - 1:
        raise BadRequest("The head does not end with its first blank line.")
    if len(lines) == 1:
        raise BadRequest("There is no request line.")
    method, target, version = _parse_request_line(lines[0])
    return Request(method, target, version, map(parse_field, lines[1:-1]))
