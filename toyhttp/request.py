"""What a client asks for: the grammar of a request (RFC 1945, sections 2 to 5).

Every rule stands here once, as a regular expression over bytes, and each is
matched in time proportional to the length of its input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields: pairs of name and value, in the order sent."""

SIMPLE: Final = (0, 9)
"""The version of a Simple-Request, which has no version in it (RFC 1945, section 5)."""

METHODS: Final = frozenset({b"GET", b"HEAD", b"POST"})
"""The methods that RFC 1945 defines in section 8: the ones that this server implements."""

MAX_FIELDS: Final = 100
"""How many lines the header fields may have.  Browsers send about twenty."""

# Section 2.2: 1*<any CHAR except CTLs or tspecials>.
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
TOKEN: Final = re.compile(_TOKEN)

# Section 5.1 and appendix B: two words or three, with one or more SP or HT between them.
_WORD = rb"([^\x00-\x20\x7f]+)"
_REQUEST_LINE = re.compile(_WORD + rb"[ \t]+" + _WORD + rb"(?:[ \t]+" + _WORD + rb")?[ \t]*\r?\n")

# Section 5.1.2: abs_path; or absoluteURI, which clients send to a proxy.  No fragment.
_TARGET = re.compile(rb"/[^#]*|https?://[^/?#]+(?:[/?][^#]*)?", re.IGNORECASE)

# Section 3.1: 1*DIGIT, leading zeros allowed.  No honest number has more than four digits.
_VERSION = re.compile(rb"HTTP/([0-9]{1,4})\.([0-9]{1,4})")

# Section 4.2.  A value may be any octets but NUL and a CR or LF that ends no line.
_FIELDS = re.compile(rb"(?:" + _TOKEN + rb":[^\x00\r\n]*\r?\n)*\r?\n")
_FIELD = re.compile(rb"([^:\n]+):([^\r\n]*)\r?\n")

# Section 2.2, LWS: a line that begins with white space goes on with the line before.
_FOLD = re.compile(rb"\r?\n[ \t]+")


class BadRequest(Exception):
    """The bytes are not a request that we accept.

    ``str(error)`` is an explanation in one sentence, fit to be sent to the client.

    :ivar status: the status code of the answer.
    :ivar method: the request's method as far as it is known, else empty: the
        answer to a ``HEAD`` has no body, not even when it is an error.
    :ivar simple: whether it was a Simple-Request, the answer to which has no head.
    """

    def __init__(
        self, explanation: str, status: int = 400, method: bytes = b"", simple: bool = False
    ) -> None:
        super().__init__(explanation)
        self.status = status
        self.method = method
        self.simple = simple


@dataclass(frozen=True)
class Request:
    """One request, its parts as they were sent.

    :ivar method: such as ``b"GET"``.
    :ivar target: the Request-URI as it was sent, such as ``b"/a%20b?c=d"``.
    :ivar version: such as ``(1, 0)``; ``(0, 9)`` for a Simple-Request.
    :ivar headers: pairs of name and value, in the order sent.
    :ivar body: the entity body.
    """

    method: bytes
    target: bytes
    version: tuple[int, int]
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """Return the value of the header field ``name``, in whatever case it is written.

        The values of a field that was sent several times are joined by ``b", "``
        (RFC 1945, section 4.2).  ``None`` if the field was not sent.
        """
        fields: dict[bytes, bytes] | None = self.__dict__.get("_fields")
        if fields is None:
            fields = self.__dict__["_fields"] = _by_name(self.headers)
        return fields.get(name.lower())


def _by_name(headers: Headers) -> dict[bytes, bytes]:
    """Return the values by their names in lower case; those of the same name joined."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        name = name.lower()
        fields[name] = fields[name] + b", " + value if name in fields else value
    return fields


def asks_for_keep_alive(request: Request) -> bool:
    """Tell whether the client asks for another request on the connection.

    It does with the word ``keep-alive`` in ``Connection`` (RFC 2068, section 19.7.1), if
    ``close`` is not beside it (RFC 9112, section 9.3); in nothing else.
    """
    value = request.header(b"Connection")
    if value is None or request.version == SIMPLE:
        return False
    value = value.lower()
    if value == b"keep-alive":
        return True
    words = [word.strip(b" \t") for word in value.split(b",")]
    return b"keep-alive" in words and b"close" not in words


def parse_request(head: bytes) -> Request:
    """Parse the head of a request (RFC 1945, section 5).

    :param head: the request line, the header fields and the blank line that ends
        them; or the one line of a Simple-Request.
    :returns: a request with an empty body.
    :raises BadRequest: if ``head`` is anything else.
    """
    end = head.find(b"\n") + 1
    line = parse_request_line(head[:end])
    method, target, version = line
    if version != SIMPLE:
        return make_request(line, head[end:])[0]
    if head[end:]:
        raise BadRequest("A request without a version is one line.", simple=True)
    return Request(method, target, version)


RequestLine = tuple[bytes, bytes, tuple[int, int]]
"""A method, a target and a version."""


def make_request(line: RequestLine, data: bytes) -> tuple[Request, Mapping[bytes, bytes]]:
    """Return the request with this line, and with the header fields in ``data``.

    :returns: the request; and the values of its fields by their names in lower case.
    :raises BadRequest: as :func:`parse_headers` does.
    """
    method, target, version = line
    headers, fields = _read_fields(data, method)
    # What Request(method, target, version, headers) does, in half of the time.
    request = object.__new__(Request)
    request.__dict__.update(
        method=method, target=target, version=version, headers=headers, body=b"", _fields=fields
    )
    return request, fields


def parse_request_line(line: bytes) -> RequestLine:
    """Parse ``GET / HTTP/1.0``, or the ``GET /`` of a Simple-Request (RFC 1945, section 5.1).

    :param line: the line and its line end.
    :returns: the method, the target and the version.
    :raises BadRequest: with ``status`` 505 for a major version other than 1, 501 for
        an unknown method with a target of its own kind (``OPTIONS *``), else 400.
    """
    return (_line_again if len(line) <= SHORT else _parse_line)(line)


def _parse_line(line: bytes) -> RequestLine:
    words = _REQUEST_LINE.fullmatch(line)
    if words is None:
        explanation = "The request line is not a method, a target and a version."
        raise BadRequest(explanation, 400, known_method(line))
    method, target, version = words.groups()
    simple = version is None
    if simple and method != b"GET":
        raise BadRequest("The request line has no version.", 400, method)
    if not TOKEN.fullmatch(method):
        raise BadRequest("The method is not a token.")
    if not _TARGET.fullmatch(target):
        status = 400 if method in METHODS else 501
        raise BadRequest("The target is not an absolute path.", status, method, simple)
    if simple:
        return method, target, SIMPLE
    numbers = _VERSION.fullmatch(version)
    if numbers is None:
        raise BadRequest("The version is not like HTTP/1.0.", 400, method)
    if int(numbers[1]) != 1:
        raise BadRequest("This server speaks HTTP/1.0.", 505, method)
    return method, target, (1, int(numbers[2]))


def known_method(data: bytes) -> bytes:
    """Return ``b"HEAD"`` if what has come of a request says so: then no error has a body."""
    return b"HEAD" if data.startswith((b"HEAD ", b"HEAD\t", b"HEAD\r", b"HEAD\n")) else b""


def parse_headers(data: bytes, method: bytes = b"") -> Headers:
    """Parse header fields and the blank line that ends them (RFC 1945, section 4.2).

    :param method: the request's method, for the error.
    :raises BadRequest: with ``status`` 431 for too many fields, else 400.
    """
    return _read_fields(data, method)[0]


def _read_fields(data: bytes, method: bytes) -> tuple[Headers, dict[bytes, bytes]]:
    """Return the header fields; and the same by their names, as ``Request.header`` has them."""
    if data.count(b"\n") > MAX_FIELDS + 1:
        raise BadRequest(f"There are more than {MAX_FIELDS} header fields.", 431, method)
    headers = (_fields_again if len(data) <= SHORT else _parse_fields)(data)
    if headers is None:
        raise BadRequest("A header field is a name, a colon and a line of text.", 400, method)
    return headers


def _parse_fields(data: bytes) -> tuple[Headers, dict[bytes, bytes]] | None:
    if b"\n " in data or b"\n\t" in data:
        data = _FOLD.sub(b" ", data)
    if not _FIELDS.fullmatch(data):
        return None
    headers = tuple([(name, value.strip(b" \t")) for name, value in _FIELD.findall(data)])
    return headers, _by_name(headers)


# Clients ask for the same again and again, and for other things with the same fields.  So
# what was parsed last is remembered, if it is short: it takes a third of the time off a
# request that was seen before, and adds little to one that was not.
SHORT: Final = 1024
_line_again = lru_cache(maxsize=128)(_parse_line)
_fields_again = lru_cache(maxsize=128)(_parse_fields)
