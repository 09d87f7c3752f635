"""Stage 11: your list. This is the list of the solution; yours may be another one.

They are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage11``
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
)
from twisted.internet.interfaces import (
    IHostnameResolver,
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IStreamClientEndpoint,
)
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from exercises.myhttp.client import BadResponse, LateResponse, PartialResponse, get
from exercises.myhttp.response import Response
from exercises.transport import StrictTransport

timeout = 5  # seconds, for each test; Trial's own limit is two minutes

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
WITH_LENGTH = HEAD + b"Content-Length: 5\r\n\r\nhello"
UNTIL_CLOSED = HEAD + b"\r\nhello"

VISIBLE = "".join(chr(code) for code in range(33, 127) if chr(code) not in "#?")


class Transport(StrictTransport):
    """A strict transport that counts the calls of ``write``."""

    writes = 0

    def write(self, data: bytes) -> None:
        """Count it."""
        self.writes += 1
        super().write(data)


@implementer(IStreamClientEndpoint)
class Endpoint:
    """An endpoint that connects when the test says so, to a transport in memory."""

    attempts = 0
    cancelled = False

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Begin to connect."""
        self.attempts += 1
        self.factory = factory
        self.attempt: Deferred[Any] = Deferred(self.cancel)
        return self.attempt

    def cancel(self, attempt: Deferred[Any]) -> None:
        """Remember that nobody waits for the connection any more."""
        self.cancelled = True

    def succeed(self) -> Any:
        """Connect; return the client's protocol."""
        protocol: Any = self.factory.buildProtocol(None)
        protocol.makeConnection(self.transport)
        if not self.cancelled:
            self.attempt.callback(protocol)
        return protocol


class EagerEndpoint(Endpoint):
    """An endpoint that connects at once, while ``connect`` runs."""

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect."""
        attempt = super().connect(factory)
        self.protocol = self.succeed()
        return attempt


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class Reactor(MemoryReactorClock):
    """A reactor in memory, that says of every host that it is this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver = self
        self.hosts: list[str] = []

    def resolveHostName(self, receiver: Any, name: str, **options: Any) -> Any:
        """Note for which host somebody asks, and say at once where it is."""
        self.hosts.append(name)
        receiver.resolutionBegan(self)
        receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", options["portNumber"]))
        receiver.resolutionComplete()
        return receiver


class ClientTestCase(TestCase):
    """What all tests of this stage have in common; it has no test itself."""

    def begin(self, url: str = "http://example.org/", **limits: Any) -> Deferred[Response]:
        """Call ``get`` with a clock and an endpoint of the test's."""
        self.clock = Clock()
        self.transport = Transport(self)
        self.transport.may_abort = True  # it may close in this way, too, when it has the response
        self.endpoint = Endpoint(self.transport)
        self.received = b""
        return get(self.clock, url, self.endpoint, **limits)

    def connect(self, url: str = "http://example.org/", **limits: Any) -> Deferred[Response]:
        """Call ``get``, and let it connect."""
        response = self.begin(url, **limits)
        self.protocol = self.endpoint.succeed()
        return response

    def receive(self, data: bytes, *, then: type[Exception] | None = None) -> None:
        """Let the client receive bytes, and perhaps lose its connection."""
        try:
            if data:
                self.protocol.dataReceived(data)
            if then is not None:
                self.transport.lose(self.protocol, then())
        except Exception as error:
            text = f"{error!r} at {data!r}, then {then}; before it received {self.received!r}"
            raise AssertionError(text) from error
        self.received += data

    def assert_waits(self, response: Deferred[Response]) -> None:
        """See that there is neither a response nor an error yet, and that it goes on."""
        found: list[object] = []
        response.addBoth(lambda outcome: found.append(outcome) or outcome)  # type: ignore
        self.assertEqual(found, [], f"too early: it has received {self.received!r}")
        closed = self.transport.disconnecting or self.endpoint.cancelled
        self.assertFalse(closed, f"it has closed: it has received {self.received!r}")

    def assert_response(
        self,
        response: Deferred[Response],
        body: bytes,
        status: int = 200,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        """See that there is a response, that it is this one, and that nothing is left."""
        found: list[Any] = []
        response.addBoth(found.append)
        sent = f"it has received {self.received!r}"
        self.assertEqual([type(outcome) for outcome in found], [Response], f"{found}; {sent}")
        (actual,) = found
        self.assertEqual((actual.status, actual.body), (status, body), sent)
        self.assertEqual((type(actual.status), type(actual.body)), (int, bytes), sent)
        if headers is not None:
            self.assertEqual([tuple(field) for field in actual.headers], headers, sent)
        closed = self.transport.disconnecting or not self.transport.connected
        self.assertTrue(closed, f"the connection is open; {sent}")
        self.assertEqual(self.clock.getDelayedCalls(), [], sent)

    def assert_error(self, response: Deferred[Response], kind: type[Exception]) -> None:
        """See that it has failed, that the error has what came, and that nothing is left."""
        found: list[Any] = []
        response.addBoth(found.append)
        sent = f"it has received {self.received!r}"
        kinds = [getattr(outcome, "type", outcome) for outcome in found]
        self.assertEqual(kinds, [kind], f"{found}; {sent}")
        if kind in (BadResponse, PartialResponse, LateResponse):
            received = found[0].value.received
            self.assertEqual((received, type(received)), (self.received, bytes), ".received")
        self.assertEqual(self.endpoint.attempts, 1, f"how often it connects; {sent}")
        gone = self.transport.disconnected or not self.transport.connected
        self.assertTrue(gone or self.endpoint.cancelled, f"the connection is not aborted; {sent}")
        self.assertEqual(self.clock.getDelayedCalls(), [], sent)


class RequestTests(ClientTestCase):
    """What the client sends."""

    def test_request(self) -> None:
        """The request line has the path and the query, as they stand in the URL."""
        expected = {
            "http://example.org/a/b?c=d": b"/a/b?c=d",
            "http://example.org": b"/",
            "http://example.org?a": b"/?a",
            "http://example.org/?a?b/c": b"/?a?b/c",
            "http://example.org#a": b"/",
            "http://example.org/#a?b": b"/",
            "http://example.org/a%20b%2F?%63#c#d": b"/a%20b%2F?%63",
            "http://example.org/a;b/c;d?e;f": b"/a;b/c;d?e;f",
            "http://example.org//a/../b/./c/": b"//a/../b/./c/",
            "http://example.org/a@b:c+d": b"/a@b:c+d",
            "http://example.org/http://b/?http://c/": b"/http://b/?http://c/",
            f"http://example.org/{VISIBLE}?{VISIBLE}": f"/{VISIBLE}?{VISIBLE}".encode(),
            "HTTP://example.org/A": b"/A",
            "Http://example.org/A": b"/A",
        }
        for url, target in expected.items():
            self.connect(url)
            lines = self.transport.value().split(b"\r\n")
            self.assertEqual(lines[0], b"GET " + target + b" HTTP/1.0", url)

    def test_host(self) -> None:
        """There is one Host, with the host and the port just as they stand in the URL."""
        urls = ["example.org", "example.org:8080", "example.org:80", "EXAMPLE.Org", "a_b.c"]
        for host in [*urls, "127.0.0.1:8080", "[::1]", "[fe80::A:1]:8080"]:
            for rest in ("", "/a", "?b@c"):
                url = f"http://{host}{rest}"
                self.connect(url)
                fields = self.transport.value().split(b"\r\n")[1:]
                hosts = [field for field in fields if field.lower().startswith(b"host:")]
                self.assertEqual(hosts, [b"Host: " + host.encode()], url)

    def test_one_write(self) -> None:
        """It is sent at once when it is connected; it ends with a blank line, and that is all."""
        for url in ("http://example.org/", "http://example.org:8080/a?b"):
            response = self.begin(url)
            self.assert_waits(response)
            protocol = self.endpoint.succeed()
            sent = self.transport.value()
            self.assertEqual(self.transport.writes, 1, f"calls of write; {sent!r}")
            _, blank, rest = sent.partition(b"\r\n\r\n")
            self.assertEqual((blank, rest), (b"\r\n\r\n", b""), sent)
            self.assertEqual(sent.count(b"\n"), sent.count(b"\r\n"), sent)
            self.clock.advance(20)
            protocol.dataReceived(WITH_LENGTH[:30])
            self.assertEqual(self.transport.writes, 1, "calls of write, later on")
            self.assertEqual(self.endpoint.attempts, 1, "how often it connects")

    def test_endpoint_that_connects_at_once(self) -> None:
        """The request is sent, even if the endpoint connects before ``connect`` returns."""
        self.begin()
        endpoint = EagerEndpoint(self.transport)
        response = get(self.clock, "http://example.org/a", endpoint)
        self.assertEqual(self.transport.value()[:17], b"GET /a HTTP/1.0\r\n")
        endpoint.protocol.dataReceived(WITH_LENGTH)
        self.assertEqual(self.successResultOf(response).body, b"hello")

    def test_without_an_endpoint(self) -> None:
        """It connects to the host and the port of the URL; 80, if it names none."""
        expected = {
            "http://example.org:8080/": ("example.org", 8080),
            "http://example.org": ("example.org", 80),
            "http://example.org:65535?a:1": ("example.org", 65535),
            "http://127.0.0.1:1/": ("127.0.0.1", 1),
            "http://[::1]:8080/": ("::1", 8080),
            "http://[fe80::1]": ("fe80::1", 80),
        }
        for url, (host, port) in expected.items():
            reactor = Reactor()
            response = get(reactor, url)
            reactor.advance(1)
            ports = [str(attempt[1]) for attempt in reactor.tcpClients]  # 80.0 is none
            self.assertEqual((reactor.hosts, ports), ([host], [str(port)]), url)
            response.cancel()
            self.failureResultOf(response, CancelledError)
            self.assertEqual(reactor.getDelayedCalls(), [], url)

    def assert_bad_url(self, url: str) -> None:
        """See that a URL is an error at once, and that nothing is connected."""
        try:
            response: object = self.begin(url)
        except ValueError:
            response = ValueError
        self.assertEqual(response, ValueError, f"{url!r} is no URL that can be fetched")
        self.assertEqual((self.endpoint.attempts, self.clock.getDelayedCalls()), (0, []), url)

    def test_bad_url(self) -> None:
        """What has another scheme, no host, no number as port, or a user is no URL for it."""
        schemes = ["", "/a", "example.org", "example.org/", "//example.org/", "ftp://a/"]
        schemes += ["https://a/", "httpx://a/", "xhttp://a/", "http", "http:", "http:a", "://a/"]
        hosts = ["http://", "http:///a", "http://?a", "http://#a", "http:/a", "http://:80/"]
        hosts += ["http://[::1/", "http://[/"]
        ports = ["b", "8b", "8_0", "+80", "-1", "-80", "8.0", "65536", "99999", "0x50", "80:80"]
        users = ["http://user@a/", "http://user:word@a/", "http://user@a:80", "http://user:80@a"]
        for url in [*schemes, *hosts, *[f"http://a:{port}/" for port in ports], *users]:
            self.assert_bad_url(url)

    def test_strange_characters(self) -> None:
        """A URL has visible ASCII alone: nothing else is sent, and nothing is taken away."""
        strange = [chr(code) for code in (*range(33), 127, 0x80, 0xA0, 0xE9, 0x663, 0x2028)]
        for character in [*strange, "\r\n", "\r\nX: y"]:
            for url in ("http://a.b/cd", "http://a.b:80/c?d", "http://a.b/c#d"):
                for at in (0, 2, 8, 10, len(url) - 1, len(url)):
                    self.assert_bad_url(url[:at] + character + url[at:])


class ResponseTests(ClientTestCase):
    """What the client makes of the answer."""

    def test_body_by_length(self) -> None:
        """The response is there as soon as Content-Length is; the connection is closed."""
        response = self.connect()
        self.receive(WITH_LENGTH[:-1])
        self.assert_waits(response)
        self.receive(WITH_LENGTH[-1:])
        headers = [(b"Content-Type", b"text/plain"), (b"Content-Length", b"5")]
        self.assert_response(response, b"hello", 200, headers)
        self.transport.lose(self.protocol, ConnectionDone())  # concerns nobody any more

    def test_body_until_closed(self) -> None:
        """Without a Content-Length the body ends when the server closes (RFC 1945, 7.2.2)."""
        for body in (b"hello", b""):
            response = self.connect()
            self.receive(HEAD + b"\r\n" + body)
            self.assert_waits(response)
            self.receive(b"", then=ConnectionDone)
            self.assert_response(response, body, 200, [(b"Content-Type", b"text/plain")])

    def test_any_chunks(self) -> None:
        """Wherever the answer is cut, and byte by byte, the response is the same."""
        body = b"\r\nhello\x00\x80\xff\n\n\r\n\r\nHTTP/1.0 404 \r\n\r\n"
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        for head in (HEAD + length, HEAD + b"\r\n", (HEAD + length).replace(b"\r\n", b"\n")):
            answer = head + body
            cuts = [(answer[:cut], answer[cut:]) for cut in range(len(answer) + 1)]
            pieces = tuple(answer[at : at + 1] for at in range(len(answer)))
            for chunks in [*cuts, pieces]:
                response = self.connect()
                for chunk in chunks:
                    self.receive(chunk)
                self.receive(b"", then=ConnectionDone)
                self.assert_response(response, body)

    def test_no_body(self) -> None:
        """204 and 304 have no body, whatever their Content-Length says (RFC 1945, 7.2)."""
        fields = [b"", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: a\r\n"]
        fields += [b"Content-Length: 99999\r\n", b"Content-Length: 1\r\nContent-Length: 2\r\n"]
        for status in (204, 304):
            for field in fields:
                for surplus in (b"", b"hello"):
                    response = self.connect(max_body=4)
                    self.receive(b"HTTP/1.0 %d \r\n%s\r\n%s" % (status, field, surplus))
                    self.assert_response(response, b"", status)

    def test_other_statuses_have_a_body(self) -> None:
        """All others have one, though their names may sound as if they had none."""
        for status in (200, 201, 203, 205, 301, 303, 305, 400, 404, 500, 599):
            response = self.connect()
            self.receive(b"HTTP/1.0 %d \r\nContent-Length: 5\r\n\r\n" % status)
            self.assert_waits(response)
            self.receive(b"hello")
            self.assert_response(response, b"hello", status)

    def test_numbers(self) -> None:
        """A Content-Length is digits; one of 0 is complete with the head."""
        bodies = {
            b"0": b"",
            b"000": b"",
            b"05": b"hello",
            b"0000000005": b"hello",
            b"10": b"0123456789",
        }
        for length, body in bodies.items():
            for around in (b"", b"  ", b"\t"):
                response = self.connect()
                self.receive(
                    HEAD + b"Content-Length:" + around + length + around + b"\r\n\r\n" + body
                )
                self.assert_response(response, body)

    def test_names_in_any_case(self) -> None:
        """The names of header fields are the same in any case (RFC 1945, 4.2)."""
        for name in (b"content-length", b"CONTENT-LENGTH", b"Content-length", b"cOnTeNt-LeNgTh"):
            response = self.connect()
            self.receive(HEAD + name + b": 5\r\n\r\nhello")
            self.assert_response(
                response, b"hello", 200, [(b"Content-Type", b"text/plain"), (name, b"5")]
            )

    def test_names_that_are_others(self) -> None:
        """A name that only looks like one that is known is another one."""
        names = [b"X-Content-Length", b"Content-Lengths", b"Content_Length", b"Content", b"TE"]
        for name in [*names, b"Transfer-Encodings", b"X-Transfer-Encoding", b"Transfer"]:
            response = self.connect()
            self.receive(b"HTTP/1.0 200 OK\r\n" + name + b": 2\r\n\r\nhello", then=ConnectionDone)
            self.assert_response(response, b"hello", 200, [(name, b"2")])

    def test_surplus(self) -> None:
        """What comes behind the body is dropped, in the same chunk and in a later one."""
        for surplus in (b"s", b"surplus", WITH_LENGTH):
            response = self.connect(max_body=5)
            self.receive(WITH_LENGTH + surplus)
            self.receive(surplus)
            self.assert_response(response, b"hello")
            self.transport.lose(self.protocol, ConnectionLost())

    def test_status_lines(self) -> None:
        """The version may be any HTTP/1.x, and the reason phrase may be missing (6.1)."""
        lines = [b"HTTP/1.0 404 Not Found", b"HTTP/1.1 404 Not  here, sorry ", b"HTTP/1.0 404 "]
        lines += [
            b"HTTP/1.0 404",
            b"HTTP/1.0 404 \xe9",
            b"HTTP/1.0 404 200 OK",
            b"HTTP/1.0 404 404",
        ]
        for line in [*lines, b"HTTP/1.9 404 ", b"HTTP/1.10 404 A: b", b"HTTP/1.0 404  x"]:
            for end in (b"\r\n", b"\n"):
                response = self.connect()
                self.receive(line + end + b"Content-Length: 0" + end + end)
                self.assert_response(response, b"", 404, [(b"Content-Length", b"0")])

    def test_line_ends(self) -> None:
        """Lines end with CRLF or LF, also if both are mixed, and not with CR."""
        for ends in range(8):
            one, two, three = (b"\r\n" if ends & bit else b"\n" for bit in (1, 2, 4))
            response = self.connect()
            self.receive(b"HTTP/1.0 200 OK" + one + b"Content-Length: 5" + two + three + b"\rello")
            self.assert_response(response, b"\rello")

    def test_header_fields(self) -> None:
        """Names and values are as they were sent, but for the white space around a value."""
        name = b"!#$%&'*+-.^_`|~09AZaz"
        response = self.connect()
        self.receive(b"HTTP/1.0 200 OK\r\nA:b\r\nC: \t d  \te \t\r\nA: \xe9\x80\x01\r\nF:\r\n")
        self.receive(b"a: b:c\r\nServer: x/1 (y)\r\n" + name + b": z\r\n\r\n", then=ConnectionDone)
        first = [(b"A", b"b"), (b"C", b"d  \te"), (b"A", b"\xe9\x80\x01"), (b"F", b"")]
        second = [(b"a", b"b:c"), (b"Server", b"x/1 (y)"), (name, b"z")]
        self.assert_response(response, b"", 200, first + second)


class BadResponseTests(ClientTestCase):
    """What the client does not take."""

    def assert_bad(self, answer: bytes, **limits: Any) -> None:
        """See that it is an error that carries what came, and that nothing is left."""
        response = self.connect(**limits)
        self.receive(answer)
        self.assert_error(response, BadResponse)
        self.transport.lose(self.protocol, ConnectionAborted())  # concerns nobody any more

    def test_no_status_line(self) -> None:
        """What does not begin with a status line is no HTTP/1.0 response."""
        versions = [b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.", b"HTTP/1", b"HTTP/1.x", b"HTTP/1x0"]
        versions += [
            b"HTTP/11.0",
            b"http/1.0",
            b"XHTTP/1.0",
            b"HTTP/1.-1",
            b"HTTP/1./",
            b"HTTP/1.:",
            b"HTTP /1.0",
            b"1.0",
        ]
        statuses = [b"20", b"2000", b"abc", b"100", b"199", b"600", b"000", b"-200", b"2 0", b"2_0"]
        statuses += [
            b"0200",
            b"20\xb2",
            b" 200",
            b"\t200",
            b"2e2",
            b"+20",
            b"",
            b"200OK",
            b"200\tOK",
        ]
        statuses += [b"20/", b"20:", b"2/0", b"2:0", b"/00", b":00"]
        lines = [version + b" 200 OK" for version in versions]
        lines += [b"HTTP/1.0 " + status + b" OK" for status in statuses]
        lines += [b"", b"hello", b" HTTP/1.0 200 OK", b"HTTP/1.0", b"HTTP/1.0 ", b"HTTP/1.0200 OK"]
        lines += [
            b"HTTP/1.0\t200 OK",
            b"A: b\r\nHTTP/1.0 200 OK",
            b"\r\nHTTP/1.0 200 OK",
            b"200 OK",
        ]
        for line in lines:
            self.assert_bad(line + b"\r\n\r\n")

    def test_bad_header_fields(self) -> None:
        """Nor is what has a bad header field, first or last."""
        fields = [b"no colon", b": no name", b"a name: b", b"A : b", b"A\t: b", b"A", b":", b"\r"]
        fields += [b"A: \x00", b"A: b\x00c", b"A: b\r", b"A: \rb", b"A: b\rC: d", b"A\r: b"]
        for field in [*fields, b"A\xe9: b", b"A\x7f: b", b"A\x00: b", b"(A): b", b"A@b: c"]:
            self.assert_bad(b"HTTP/1.0 200 OK\r\n" + field + b"\r\n\r\n")
            self.assert_bad(HEAD + field + b"\r\nContent-Length: 0\r\n\r\n")

    def test_bad_length(self) -> None:
        """A Content-Length that is not one number is an error."""
        values = [b"", b"-1", b"-0", b"+5", b"5 5", b"0x5", b"1_0", b"5.0", b"5,", b"5, 5", b"5, 6"]
        values += [
            b"5;",
            b"a",
            b"5a",
            b"1e1",
            b"\xb2",
            b"\xd9\xa5",
            b"5\x0b",
            b"\x0c5",
            b'"5"',
            b"/",
            b":",
            b"5/",
            b":5",
        ]
        for value in values:
            self.assert_bad(HEAD + b"Content-Length: " + value + b"\r\n\r\n")
            self.assert_bad(HEAD + b"content-length: " + value + b"\r\n\r\nhello")

    def test_two_lengths(self) -> None:
        """Nor are two that differ, whichever is first, and however they are spelled."""
        for one, other in ((b"5", b"6"), (b"6", b"5"), (b"5", b""), (b"", b"5"), (b"0", b"5")):
            for name in (b"Content-Length", b"CONTENT-length"):
                fields = b"Content-Length: " + one + b"\r\nA: b\r\n" + name + b": " + other
                self.assert_bad(HEAD + fields + b"\r\n\r\nhello")

    def test_same_length_twice(self) -> None:
        """The same number several times is one number."""
        for name in (b"Content-Length", b"content-LENGTH"):
            for times in (1, 2):
                response = self.connect()
                fields = b"Content-Length: 5\r\nA: b\r\n" + times * (name + b":5\r\n")
                self.receive(HEAD + fields + b"\r\nhello")
                self.assert_response(response, b"hello")

    def test_transfer_encoding(self) -> None:
        """HTTP/1.0 has no Transfer-Encoding; its chunks would be taken for the body."""
        for name in (b"Transfer-Encoding", b"transfer-encoding", b"TRANSFER-ENCODING"):
            for value in (b"chunked", b"Chunked", b"identity", b"gzip, chunked", b"x", b""):
                field = name + b": " + value + b"\r\n"
                self.assert_bad(HEAD + field + b"\r\n5\r\nhello\r\n0\r\n\r\n")
                self.assert_bad(HEAD + field + b"Content-Length: 5\r\n\r\nhello")
                self.assert_bad(HEAD + b"Content-Length: 5\r\n" + field + b"\r\n")
                self.assert_bad(b"HTTP/1.1 304 Not Modified\r\n" + field + b"\r\n")

    def test_head_too_large(self) -> None:
        """A head of max_head bytes is taken; one that is longer is not waited for."""
        size = len(HEAD + b"\r\n")
        for cut in (size, size - 1, size - 3, 1):
            response = self.connect(max_head=size)
            self.receive(UNTIL_CLOSED[:cut])
            self.receive(UNTIL_CLOSED[cut:], then=ConnectionDone)
            self.assert_response(response, b"hello")
        self.assert_bad(UNTIL_CLOSED, max_head=size - 1)
        self.assert_bad(UNTIL_CLOSED[:size], max_head=size - 1)
        self.assert_bad(b"HTTP/1.0 200 OK\r\nA: ".ljust(101, b"b"), max_head=100)
        self.assert_bad(b"HTTP/1.0 200 OK\r\n".ljust(101, b"\r"), max_head=100)

    def test_the_body_is_not_the_head(self) -> None:
        """What comes in the chunk with the head does not count for the head's limit."""
        for body in (500 * b"x", 250 * b"\r\n"):
            response = self.connect(max_head=100)
            self.receive(b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n" + body)
            self.assert_response(response, body)

    def test_head_too_large_in_pieces(self) -> None:
        """It is an error with the byte that makes it too large, at the latest."""
        head = b"HTTP/1.0 200 OK\r\nA: ".ljust(101, b"b")
        response = self.connect(max_head=100)
        for at in range(len(head)):
            self.receive(head[at : at + 1])
            if self.transport.disconnected:
                break
            if at < 95:
                self.assert_waits(response)
        self.assert_error(response, BadResponse)

    def test_usual_limits(self) -> None:
        """A head has 16 KiB at most, and a body 16 MiB, unless other limits are given."""
        start = b"HTTP/1.0 200 OK\r\nA: "
        self.assert_bad(start.ljust(16 * 1024 + 1, b"b"))
        response = self.connect()
        self.receive(start.ljust(16 * 1024 - 4, b"b") + b"\r\n\r\n", then=ConnectionDone)
        self.assert_response(response, b"")
        self.assert_bad(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 * 1024**2 + 1))
        response = self.connect()
        self.receive(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 * 1024**2))
        self.assert_waits(response)

    def test_larger_limits(self) -> None:
        """Larger limits than the usual ones are kept to as well."""
        for length, body in ((5, b"hello"), (2**40, b"")):
            response = self.connect(max_head=100_000, max_body=2**40)
            self.receive(b"HTTP/1.0 200 OK\r\nA: ".ljust(80_000, b"b"))
            self.receive(b"\r\nContent-Length: %d\r\n\r\n" % length)
            self.assert_waits(response)
            self.receive(body)
            if body:
                self.assert_response(response, body)

    def test_body_too_large(self) -> None:
        """A body of max_body bytes is taken; one that is longer is not waited for."""
        for answer in (WITH_LENGTH, UNTIL_CLOSED):
            response = self.connect(max_body=5)
            self.receive(answer, then=ConnectionDone)
            self.assert_response(response, b"hello")
        self.assert_bad(UNTIL_CLOSED, max_body=4)
        self.assert_bad(UNTIL_CLOSED + 1000 * b"x", max_body=5)
        self.assert_bad(HEAD + b"\r\nh", max_body=0)

    def test_announced_body_too_large(self) -> None:
        """A Content-Length of more than max_body is an error with the head."""
        self.assert_bad(WITH_LENGTH[:-5], max_body=4)
        self.assert_bad(WITH_LENGTH, max_body=4)
        for digits in (b"6", b"0000000006", 20 * b"9", 5000 * b"9"):
            self.assert_bad(HEAD + b"Content-Length: " + digits + b"\r\n\r\n", max_body=5)

    def test_body_too_large_in_pieces(self) -> None:
        """Nor is a body until the end waited for, in whatever pieces it comes."""
        response = self.connect(max_body=5)
        self.receive(UNTIL_CLOSED[:-5])
        for byte in (b"h", b"e", b"l", b"l", b"o"):
            self.receive(byte)
            self.assert_waits(response)
        self.receive(b"!")
        self.assert_error(response, BadResponse)


class BrokenConnectionTests(ClientTestCase):
    """Connections that are not made, break, hang, or are not wanted any more."""

    def test_not_connected(self) -> None:
        """When it cannot connect, the endpoint's error is the error."""
        for error in (ConnectError("no"), DNSLookupError("no"), ValueError("no")):
            response = self.begin()
            self.endpoint.attempt.errback(error)
            self.assertIs(self.failureResultOf(response).value, error)
            self.assertEqual(self.clock.getDelayedCalls(), [], repr(error))

    def test_cut(self) -> None:
        """Cut after any byte, it is an error that carries what came."""
        for answer in (WITH_LENGTH, UNTIL_CLOSED):
            for reason in (ConnectionDone, ConnectionLost, ConnectionAborted):
                for end in range(len(answer)):
                    if reason is ConnectionDone and answer[:end].startswith(HEAD + b"\r\n"):
                        continue  # who knows how much is missing?
                    response = self.connect()
                    self.receive(answer[:end], then=reason)
                    self.assert_error(response, PartialResponse)

    def test_reset(self) -> None:
        """A body until the end is not complete if the connection is not closed but lost."""
        for reason in (ConnectionLost, ConnectionAborted):
            for answer in (UNTIL_CLOSED, UNTIL_CLOSED[:-5]):
                response = self.connect()
                self.receive(answer, then=reason)
                self.assert_error(response, PartialResponse)

    def test_reset_behind_the_body(self) -> None:
        """A response that is complete stays so, however the connection ends."""
        response = self.connect()
        self.receive(WITH_LENGTH, then=ConnectionLost)
        self.assert_response(response, b"hello")

    def test_timeout(self) -> None:
        """Not complete in time, it is an error that carries what came; a trickle does not help."""
        response = self.connect(timeout=10)
        for at in range(9):
            self.clock.advance(1)
            self.receive(WITH_LENGTH[at : at + 1])
        self.clock.advance(0.875)
        self.assert_waits(response)
        self.clock.advance(0.125)
        self.assert_error(response, LateResponse)
        self.transport.lose(self.protocol, ConnectionAborted())  # concerns nobody any more

    def test_timeout_in_each_part(self) -> None:
        """It makes no difference in which part of the answer it stops."""
        for answer in (b"", HEAD, WITH_LENGTH[:-5], WITH_LENGTH[:-1], UNTIL_CLOSED):
            response = self.connect(timeout=2.5)
            self.receive(answer)
            self.clock.advance(2.375)
            self.assert_waits(response)
            self.clock.advance(0.125)
            self.assert_error(response, LateResponse)

    def test_timeout_while_it_connects(self) -> None:
        """The time begins when get is called; when it is over, it does not connect any more."""
        response = self.begin(timeout=10)
        self.clock.advance(9.875)
        self.assert_waits(response)
        self.clock.advance(0.125)
        self.assert_error(response, LateResponse)
        self.assertTrue(self.endpoint.cancelled, "it still connects")

    def test_time_to_connect(self) -> None:
        """The time to connect is part of it, and does not count twice."""
        response = self.begin(timeout=10)
        self.clock.advance(6)
        self.protocol = self.endpoint.succeed()
        self.clock.advance(3.875)
        self.assert_waits(response)
        self.clock.advance(0.125)
        self.assert_error(response, LateResponse)

    def test_usual_timeout(self) -> None:
        """Half a minute is the limit unless another is given."""
        response = self.connect()
        self.clock.advance(29.875)
        self.assert_waits(response)
        self.clock.advance(0.125)
        self.assert_error(response, LateResponse)

    def test_cancel(self) -> None:
        """When the caller cancels, the connection is aborted, and nothing is left."""
        for cut in (0, 20, len(WITH_LENGTH) - 5, len(WITH_LENGTH) - 1):
            for reason in (ConnectionAborted(), ConnectionDone()):
                response = self.connect()
                self.receive(WITH_LENGTH[:cut])
                response.cancel()
                self.assert_error(response, CancelledError)
                self.transport.lose(self.protocol, reason)  # concerns nobody any more

    def test_connected_too_late(self) -> None:
        """When it is connected, all the same, it sends nothing, and is gone."""
        response = self.begin()
        response.cancel()
        self.assert_error(response, CancelledError)
        protocol = self.endpoint.succeed()
        actual = (self.transport.value(), self.transport.disconnected)
        self.assertEqual(actual, (b"", True), "(what is sent, aborted)")
        self.transport.lose(protocol, ConnectionAborted())

    def test_cancel_while_it_connects(self) -> None:
        """When the caller cancels before, it does not connect any more."""
        response = self.begin()
        response.cancel()
        self.assert_error(response, CancelledError)
        self.assertTrue(self.endpoint.cancelled, "it still connects")

    def test_two_at_once(self) -> None:
        """Two calls have nothing to do with each other."""
        first = self.connect("http://example.org/1", timeout=10)
        one, clock, transport = self.protocol, self.clock, self.transport
        second = self.connect("http://example.org/2")
        one.dataReceived(WITH_LENGTH[:-2])
        self.receive(UNTIL_CLOSED, then=ConnectionDone)
        self.assert_response(second, b"hello")
        self.assertNoResult(first)
        self.assertEqual((len(clock.getDelayedCalls()), transport.disconnecting), (1, False))
        one.dataReceived(WITH_LENGTH[-2:])
        self.assertEqual(self.successResultOf(first).body, b"hello")
