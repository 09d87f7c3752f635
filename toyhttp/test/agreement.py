"""Which requests are valid, and what they say: we agree with h11, which others wrote.

``trial toyhttp.test.agreement`` needs h11, and is run by ``tox -e fuzz``.  Every difference
is listed here with its reason and an example; one that is not listed fails a test.  What
the reader accepts, the channel hands on to the handler: ``invariants.py`` sees to that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hypothesis import given
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase

from toyhttp import BadRequest, HTTPFactory, Request, RequestReader, Response
from toyhttp.reader import MAX_LINE

from .deliveries import property_settings, streams
from .invariants import expect

timeout = 300

h11: Any = import_module("h11")  # it is not there where the types are checked

Verdict = tuple[bytes, bytes, tuple[int, int], list[tuple[bytes, bytes]], bytes] | None
"""Method, target, version, header fields and body; or ``None``: no valid, complete request."""


@dataclass(frozen=True)
class Difference:
    """Something about which h11 and we disagree, on purpose.

    :ivar ours: whether it is us who accept such a request.
    :ivar found: what is in the bytes of such a request; it may be in others, too.
    :ivar reason: why we do as we do.
    :ivar examples: some such requests.
    """

    ours: bool
    found: re.Pattern[bytes]
    reason: str
    examples: tuple[bytes, ...]


_LINE = rb"\A(?:\r?\n)?"
_FIELDS = rb"(?:(?!\r?\n)[^\n]*\n)*?"
_HEAD = rb"\A(?:\r?\n)?[^\n]+\n" + _FIELDS


def _difference(ours: bool, found: bytes, reason: str, *examples: bytes) -> Difference:
    return Difference(ours, re.compile(found, re.IGNORECASE), reason, examples)


WE_ACCEPT = [
    _difference(
        True,
        _LINE + rb"GET[ \t]+[^ \t\r\n]+[ \t]*\r?\n",
        "A Simple-Request has no version (RFC 1945, section 5); h11 knows no HTTP/0.9.",
        b"GET /\r\n",
        b"GET /a?b\n",
    ),
    _difference(
        True,
        _LINE + rb"[^\n]*(?:\t|  | \r?\n)",
        "Runs of SP and HT part the words of a request line, and may end it: appendix B.",
        b"GET  / HTTP/1.0\r\n\r\n",
        b"GET\t/\tHTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.0 \r\n\r\n",
    ),
    _difference(
        True,
        rb"\A\r?\n",
        "One blank line before a request is skipped: RFC 9112, section 2.2.",
        b"\r\nGET / HTTP/1.0\r\n\r\n",
        b"\nGET / HTTP/1.0\r\n\r\n",
    ),
    _difference(
        True,
        _LINE + rb"[^\n]*[\x80-\xff]",
        "Octets above 127 are 'national', and may stand in a URI: section 3.2.1.",
        b"GET /\xe9 HTTP/1.0\r\n\r\n",
    ),
    _difference(
        True,
        _LINE + rb"[^\n]*HTTP/(?:[0-9]{2,4}\.[0-9]+|[0-9]+\.[0-9]{2,4})[ \t]*\r?\n",
        "A number of the version may have several digits, and leading zeros: section 3.1.",
        b"GET / HTTP/01.00\r\n\r\n",
        b"GET / HTTP/1.10\r\n\r\n",
    ),
    _difference(
        True,
        _LINE + rb"[^\n]* HTTP/1\.1",
        "An HTTP/1.1 request is served as one of HTTP/1.0, which has no Host (RFC 2145, 2.3).",
        b"GET / HTTP/1.1\r\n\r\n",
    ),
    _difference(
        True,
        _HEAD + rb"Host:(?:[^\n]*\n)+?Host:",
        "HTTP/1.0 has no Host: it is a field like any other, and says nothing about framing.",
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    ),
    _difference(
        True,
        _HEAD + rb"[^\n]*[\x0b\x0c]",
        "Of the CTLs only NUL, CR and LF are dangerous in a value (RFC 9110, section 5.5); "
        "h11 refuses VT and FF, too, and no others.",
        b"GET / HTTP/1.0\r\nA: b\x0bc\r\n\r\n",
        b"GET / HTTP/1.0\r\nA: \x0c\r\n\r\n",
    ),
    _difference(
        True,
        _HEAD + rb"Content-Length:[ \t]*0[0-9]{20}",
        "A Content-Length may have any number of leading zeros: it is 1*DIGIT (section 10.4).",
        b"GET / HTTP/1.0\r\nContent-Length: 000000000000000000003\r\n\r\nabc",
    ),
]

WE_REFUSE = [
    _difference(
        False,
        _LINE + rb"(?!(?-i:GET|HEAD|POST)[ \t])",
        "501: HTTP/1.0 has three methods, and they are written in capitals (sections 5.1.1, 8).",
        b"OPTIONS * HTTP/1.0\r\n\r\n",
        b"get / HTTP/1.0\r\n\r\n",
    ),
    _difference(
        False,
        _LINE + rb"[A-Z]+ +(?!/|https?://[^/?# ])",
        "The target of these methods is an absolute path, or a URL of HTTP (section 5.1.2).",
        b"GET * HTTP/1.0\r\n\r\n",
        b"GET a HTTP/1.0\r\n\r\n",
        b"GET ftp://h/ HTTP/1.0\r\n\r\n",
        b"GET http:///a HTTP/1.0\r\n\r\n",
    ),
    _difference(
        False,
        _LINE + rb"[A-Z]+ +[^ \n]*#",
        "A Request-URI has no fragment (sections 3.2.1 and 5.1.2).",
        b"GET /a#b HTTP/1.0\r\n\r\n",
    ),
    _difference(
        False,
        _LINE + rb"[^\n]* HTTP/[02-9]\.",
        "505: another major version is another protocol (RFC 2145, section 2.3).",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
    ),
    _difference(
        False,
        _LINE + rb"POST [^\n]*\n(?!" + _FIELDS + rb"Content-Length:)",
        "The length of a POST must be said (section 8.3); in HTTP/1.1 it has none then.",
        b"POST / HTTP/1.0\r\n\r\n",
    ),
    _difference(
        False,
        _HEAD + rb"Transfer-Encoding:",
        "HTTP/1.0 has none; h11 takes the body of a 1.0 request for the next one.",
        b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    _difference(
        False,
        _HEAD + rb"Content-Length:(?:[^\n]*,|(?:[^\n]*\n)+?Content-Length:)",
        "Two lengths are a doubt, though they are the same: no honest client sends them.",
        b"GET / HTTP/1.0\r\nContent-Length: 3, 3\r\n\r\nabc",
        b"GET / HTTP/1.0\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    ),
    _difference(
        False,
        _LINE + rb"[^\n]{%d}" % MAX_LINE,
        "414: a request line has a limit of its own.",
        b"GET /" + MAX_LINE * b"a" + b" HTTP/1.0\r\n\r\n",
    ),
    _difference(
        False,
        _LINE + rb"(?:[^\n]*\n){101}",
        "431: so many header fields are no honest client's.",
        b"GET / HTTP/1.0\r\n" + 101 * b"A: b\r\n" + b"\r\n",
    ),
    _difference(
        False,
        _HEAD + rb"Content-Length:[ \t]*0*[1-9][0-9]{6}",
        "413: a body has a limit; h11 leaves that to its caller.",
        b"POST / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n" + 1048577 * b"a",
    ),
]


def our_verdict(sent: bytes) -> Verdict:
    """Ask our reader about the first request."""
    reader = RequestReader()
    reader.feed(sent)
    try:
        request = reader.next_request()
    except BadRequest:
        return None
    if request is None:
        return None
    return _verdict(request.method, request.target, request.version, request.headers, request.body)


def their_verdict(sent: bytes) -> Verdict:
    """Ask h11 about the first request."""
    connection = h11.Connection(h11.SERVER)
    request, body = None, b""
    try:
        connection.receive_data(sent)
        while True:
            event = connection.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return None
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
    except h11.RemoteProtocolError:
        return None
    assert request is not None
    major, _, minor = request.http_version.partition(b".")
    version = int(major), int(minor)
    return _verdict(request.method, request.target, version, request.headers, body)


def _verdict(
    method: bytes, target: bytes, version: tuple[int, int], headers: Any, body: bytes
) -> Verdict:
    fields = [(bytes(name).lower(), bytes(value)) for name, value in headers]
    # h11 writes that anew; the body shows what it has understood.
    fields = [field for field in fields if field[0] != b"content-length"]
    return bytes(method), bytes(target), version, fields, bytes(body)


def check_agreement(sent: bytes, choices: object = None) -> None:
    """Compare what is made of these bytes; a difference must be listed."""
    ours, theirs = our_verdict(sent), their_verdict(sent)
    if ours == theirs:
        return
    expect(ours is None or theirs is None, f"{sent!r} is {ours}, but for h11 {theirs}")
    listed = WE_REFUSE if ours is None else WE_ACCEPT
    only = "h11 accepts" if ours is None else "we accept"
    expect(any(each.found.search(sent) for each in listed), f"only {only} {sent!r}")


class AgreementTests(TestCase):
    """What is a valid request, and what it says, is the same for h11 and for us."""

    def test_nearly_good_requests(self) -> None:
        """Whatever the first request of a stream is, they agree, or the difference is listed."""

        @property_settings(1000)
        @given(streams)
        def check(sent: bytes) -> None:
            check_agreement(sent)

        check()

    def test_one_byte_changed(self) -> None:
        """They agree about a good request, too, in which a byte is another one, or missing."""
        good = [
            b"GET / HTTP/1.0\r\n\r\n",
            b"GET /a HTTP/1.0\nHost: b\n\n",
            b"HEAD http://a/ HTTP/1.0\r\nA: b\r\n c\r\n\r\n",
            b"POST /a?b HTTP/1.0\r\nContent-Length: 2\r\nA:b\r\n\r\nab",
            b"GET /%41 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        ]
        for sent in good:
            self.assertEqual(our_verdict(sent), their_verdict(sent))
            self.assertIsNotNone(our_verdict(sent))
            for place in range(len(sent)):
                for byte in [b"", *(bytes([number]) for number in range(256))]:
                    check_agreement(sent[:place] + byte + sent[place + 1 :])
                    check_agreement(sent[:place] + byte + sent[place:])

    def test_bytes_put_in(self) -> None:
        """They agree about a good request with one or two odd bytes put in anywhere."""
        good = b"POST / HTTP/1.0\r\nContent-Length: 3\r\nA: b\r\n\r\nabc"
        odd = [
            b"\r",
            b"\n",
            b" ",
            b"\t",
            b":",
            b"\x00",
            b"\xff",
            b"\x0b",
            b"\x1c",
            b"0",
            b",",
            b"/",
        ]

        for place in range(len(good)):
            for one in [b"", *odd]:
                for other in odd:
                    check_agreement(good[:place] + one + other + good[place:])

    def test_differences(self) -> None:
        """Each example of a difference is one, and the channel does as the list says."""
        for difference in WE_ACCEPT + WE_REFUSE:
            for sent in difference.examples:
                shown = f"{difference.reason} Sent {sent[:60]!r}"
                self.assertTrue(difference.found.search(sent), shown)
                self.assertEqual(our_verdict(sent) is not None, difference.ours, shown)
                self.assertEqual(their_verdict(sent) is None, difference.ours, shown)
                self.assertEqual(self.asked_handler(sent), difference.ours, shown)

    def asked_handler(self, sent: bytes) -> bool:
        """Send bytes to a channel, and tell whether it asks the handler to answer."""
        requests: list[Request] = []

        def handler(request: Request) -> Response:
            requests.append(request)
            return Response(200)

        channel = HTTPFactory(handler, Clock()).buildProtocol(None)
        channel.makeConnection(StringTransport())
        channel.dataReceived(sent)
        return bool(requests)
