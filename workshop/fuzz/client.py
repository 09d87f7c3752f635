"""Stage 11: URLs, and what servers answer: right, wrong, late, in any chunks, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IHostnameResolver,
    IReactorPluggableNameResolver,
    IStreamClientEndpoint,
)
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

from .drawing import VISIBLE, Draw, exact, outcome
from .world import Wire, hash_of

LIMIT = 10.0
URLS = (
    "http://example.org/",
    "http://example.org",
    "http://example.org:8080/a?b",
    "HTTP://example.org/a",
    "hTTp://Example.ORG:80/A?B=c&d#e",
    "http://127.0.0.1/a/b",
    "http://[::1]/",
    "http://[::1]:8080/a",
    "http://example.org?a=b",
    "http://example.org#f",
    "http://example.org/a#f?g",
    "http://example.org/a?b?c",
    "http://example.org/?",
    "http://example.org:65535/",
    "http://example.org//a//b",
    "http://example.org/a;b",
    "http://example.org/%20/%zz",
    "http://example.org/a?b#",
    "http://example.org/a\\b",
    "http://a-b_c.example:1/",
)
NO_URLS = (
    "https://example.org/",
    "ftp://example.org/",
    "//example.org/",
    "example.org",
    "/a",
    "",
    "http:/example.org/",
    "http:///a",
    "http://",
    "http://:80/",
    "http:example.org",
    "http://user@example.org/",
    "http://user:pw@example.org/",
    "http://@example.org/",
    "http://example.org:x/",
    "http://example.org:65536/",
    "http://example.org:99999/",
    "http://example.org:-1/",
    "http://example.org:8_0/",
    "http://example.org:+80/",
    "http://example.org:8 0/",
    "http://example.org:\u0668\u0660/",
    "http://example.org/a b",
    "http://example.org/\u00e9",
    "http://\u00e9xample.org/",
    "http://example.org/a\r\nX: y",
    "http://example.org/\x00",
    "http://example.org/\x7f",
    "http://example.org/\t",
    " http://example.org/",
    "http://example.org/ ",
    "http://example.org/\n",
    "http://exa mple.org/",
    "http://[::1/",
    "http://::1/",
    "httpx://example.org/",
    "xhttp://example.org/",
)
STATUS_LINES = (
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 200",
    b"HTTP/1.0 200 ",
    b"HTTP/1.0 404 Not Found",
    b"HTTP/1.0 299 A b c",
    b"HTTP/1.0 599 x",
    b"HTTP/1.10 500 \xe4",
    b"HTTP/1.0 301 Moved\tP",
)
NO_STATUS_LINES = (
    b"HTTP/1.0 199 OK",
    b"HTTP/1.0 100 Continue",
    b"HTTP/1.0 600 OK",
    b"HTTP/1.0 099 OK",
    b"HTTP/1.0 20 OK",
    b"HTTP/1.0 2000 OK",
    b"HTTP/1.0 200OK",
    b"HTTP/1.0 2x0 OK",
    b"HTTP/1.0  200 OK",
    b"HTTP/1. 200 OK",
    b"HTTP/1 200 OK",
    b"HTTP/2.0 200 OK",
    b"HTTP/0.9 200 OK",
    b"HTTP/11.0 200 OK",
    b"HTTP/1x0 200 OK",
    b"HTTP/1.x 200 OK",
    b"http/1.0 200 OK",
    b"HTTPS/1.0 200 OK",
    b"XHTTP/1.0 200 OK",
    b" HTTP/1.0 200 OK",
    b"HTTP/1.0\t200 OK",
    b"HTTP/1.0",
    b"200 OK",
    b"",
    b"<html>",
    b"HTTP/1.0 \xb200 OK",
    b"HTTP/1./ 200 OK",
    b"HTTP/1.: 200 OK",
    b"HTTP/1.0 2/0 OK",
    b"HTTP/1.0 2:0 OK",
    b"HTTP/1.0 20/ OK",
    b"HTTP/1.0 20: OK",
)
LENGTHS = (
    b"-1",
    b"+5",
    b"5x",
    b"x",
    b"",
    b"5 5",
    b"0x5",
    b"1_0",
    b"\xb2",
    b"5,5",
    b"5, 5",
    b"5;",
    b"5:",
    b"/5",
)


def url(draw: Draw) -> str:
    """Return a URL, mostly a right one."""
    if draw.one_in(4):
        return draw.choice(NO_URLS)
    text = draw.choice(URLS)
    if draw.one_in(3):
        text += draw.some(VISIBLE, 6).decode()
    if draw.one_in(10):
        place = draw.randint(0, len(text))
        text = (
            text[:place]
            + chr(draw.choice((0, 9, 10, 32, 33, 64, 126, 127, 128, 233, 8364)))
            + text[place:]
        )
    return text


def response(draw: Draw, limits: tuple[int, int] | None) -> bytes:
    """Return what a server sends, mostly a right response."""
    status = draw.choice(STATUS_LINES)
    if draw.one_in(4):
        status = b"HTTP/1.0 %d OK" % draw.choice((200, 204, 304, 201, 404))
    if draw.one_in(10):
        status = draw.choice((*NO_STATUS_LINES, draw.spoilt(status)))
    body = draw.some(b"ab\r\n\x00\xff", draw.choice((0, 5, 30)))
    if limits is not None and draw.one_in(2):
        body = draw.near(limits[1]) * b"x"
    lines = [status]
    fields = [b"Content-Type: text/plain", b"X: y", b"x:\t z ", b"Set-Cookie: a", b"Set-Cookie: b"]
    lines += draw.sample(fields, draw.choice((0, 1, 2)))
    lengths = [b"%d" % len(body)] if draw.randrange(3) else []
    if draw.one_in(10):
        lengths = [draw.choice((*LENGTHS, b"0", b"007", b"%d" % (len(body) + 1), 20 * b"9"))]
    if draw.one_in(10) and lengths:
        lengths.append(draw.choice((lengths[0], lengths[0], b"3", b"0" + lengths[0], b"x")))
    for length in lengths:
        lines.insert(draw.randint(1, len(lines)), draw.case(b"Content-Length") + b": " + length)
    if draw.one_in(20):
        name = draw.case(b"Transfer-Encoding")
        value = draw.choice((b"chunked", b"identity", b"", b"gzip, chunked"))
        lines.insert(draw.randint(1, len(lines)), name + b": " + value)
    if draw.one_in(20):
        wrong = (
            b"no colon",
            b"a b: c",
            b": x",
            b"X : y",
            b" folded",
            b"X: \x00",
            b"X: a\rb",
            b"X\xff: y",
        )
        lines.insert(draw.randint(1, len(lines)), draw.choice(wrong))
    end = draw.choice((b"\r\n", b"\r\n", b"\n"))
    mixed = draw.one_in(3)
    head = b"".join(line + (draw.line_end(100) if mixed else end) for line in [*lines, b""])
    if limits is not None and draw.one_in(2):
        missing = draw.near(limits[0]) - len(head) - 3 - len(end)
        if missing >= 0:
            head = head.replace(end, end + b"P: " + missing * b"p" + end, 1)
    more = draw.choice((b"", b"", b"", b"more", b"\r\n"))
    data = head + body + more
    if draw.one_in(6):
        data = data[: draw.randint(0, len(data))]
    return draw.spoilt(data) if draw.one_in(20) else data


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up a call, and what happens then."""
    if draw.one_in(3):
        return ("url", url(draw), draw.one_in(2))
    limits = (draw.choice((40, 60, 100)), draw.choice((0, 5, 30))) if draw.one_in(3) else None
    chunks = draw.cut(response(draw, limits))
    events: list[tuple[Any, ...]] = [("data", chunk) for chunk in chunks]
    if draw.one_in(4) and len(events) < 9:
        place = draw.randint(0, len(events))
        events.insert(place, ("advance", draw.choice((9.75, 10.0, 10.25, 5.0, 30.0, 29.75))))
    events.append(("lost", draw.choice(("done", "done", "lost", "aborted"))))
    if draw.one_in(6):
        del events[-1]
    for _ in range(draw.choice((0, 0, 1, 2))):
        other = draw.choice((("cancel",), ("advance", 5.0), ("advance", 20.25), ("lost", "lost")))
        events.insert(draw.randint(0, len(events)), other)
    begin = draw.choice((("connect",),) * 6 + (("refuse",), ("advance", 9.0), ("cancel",)))
    return ("get", draw.choice((LIMIT, None)), limits, begin, tuple(events), draw.one_in(5))


@implementer(IStreamClientEndpoint)
class Endpoint:
    """An endpoint that connects when the test says so."""

    def __init__(self) -> None:
        self.factory: Any = None
        self.attempt: Deferred[Any] | None = None
        self.cancelled = 0
        self.wire: Wire | None = None

    def connect(self, factory: Any) -> Deferred[Any]:
        """Begin to connect."""
        self.factory = factory

        def cancel(deferred: Deferred[Any]) -> None:
            self.cancelled += 1

        self.attempt = Deferred(cancel)
        return self.attempt

    def succeed(self) -> None:
        """Connect."""
        if self.wire is not None or self.attempt is None:
            return
        self.wire = Wire("soon", False)
        self.wire.protocol = self.factory.buildProtocol(None)
        self.wire.protocol.makeConnection(self.wire)
        if not self.attempt.called:
            self.attempt.callback(self.wire.protocol)

    def fail(self) -> None:
        """Do not connect."""
        if self.attempt is not None and not self.attempt.called:
            self.attempt.errback(ConnectError(string="refused"))


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class Reactor(MemoryReactorClock):
    """A reactor in memory that knows each host, and notes which it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver = self
        self.asked: list[Any] = []

    def resolveHostName(  # type: ignore[override]
        self, receiver: Any, name: str, **options: Any
    ) -> Any:
        """Say at once where a host is."""
        self.asked.append((name, options.get("portNumber")))
        receiver.resolutionBegan(self)
        receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", options["portNumber"]))
        receiver.resolutionComplete()
        return receiver


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Fetch it, and tell what was asked, what came of it, and what is left."""
    module = load("client")
    if given[0] == "url":
        return outcome(lambda: asked(module, *given[1:]), ValueError)
    return fetched(module, *given[1:])


def asked(module: Any, url: str, by_itself: bool) -> Any:
    """Return where a client connects to for a URL, and what it sends there."""
    if by_itself:
        reactor = Reactor()
        result = module.get(reactor, url)
        result.addErrback(lambda failure: None)
        reactor.advance(0.5)
        places = [(host, port) for host, port, *_ in reactor.tcpClients[:1]]
        return reactor.asked, places
    endpoint = Endpoint()
    result = module.get(Clock(), url, endpoint)
    result.addErrback(lambda failure: None)
    endpoint.succeed()
    return sent(endpoint)


def sent(endpoint: Endpoint) -> Any:
    """Return what is fixed of the request that was written."""
    if endpoint.wire is None:
        return None
    head, blank, rest = bytes(endpoint.wire.data).partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    hosts = [
        field.partition(b":")[2].strip() for field in fields if field.lower().startswith(b"host:")
    ]
    return line, hosts, blank, rest, endpoint.wire.writes


def fetched(
    module: Any, wait: float | None, limits: Any, begin: Any, events: Any, last: bool
) -> Any:
    """Return what came of a call after each event."""
    clock, endpoint = Clock(), Endpoint()
    settings: dict[str, Any] = {} if wait is None else {"timeout": wait}
    if limits is not None:
        settings.update(max_head=limits[0], max_body=limits[1])
    result = module.get(clock, "http://example.org/a", endpoint, **settings)
    came: list[Any] = []
    result.addBoth(lambda value: came.append(told(module, value)))
    seen: list[Any] = []
    for event in (begin, *([("connect",)] if begin[0] != "connect" else []), *events):
        happen(clock, endpoint, result, event)
        wire = endpoint.wire
        if wire is not None:
            wire.settle()
        failed = bool(came) and came[0][0] == "failed"
        state: Any = None
        if wire is not None:
            ended = wire.disconnecting or wire.aborted
            state = (ended, wire.aborted if failed else None)
        left = len(clock.getDelayedCalls())
        seen.append((len(came), state, endpoint.cancelled, left if came else left > 0))
    clock.advance(100)
    return seen, came, sent(endpoint), len(clock.getDelayedCalls())


def happen(clock: Clock, endpoint: Endpoint, result: Deferred[Any], event: Any) -> None:
    """Let an event happen."""
    what, wire = event[0], endpoint.wire
    if what == "connect":
        endpoint.succeed()
    elif what == "refuse":
        endpoint.fail()
    elif what == "advance":
        clock.advance(event[1])
    elif what == "cancel":
        result.cancel()
    elif wire is not None and not wire.lost:
        if what == "data":
            wire.protocol.dataReceived(event[1])
        else:
            wire.lose(event[1])


def told(module: Any, value: Any) -> Any:
    """Return what is fixed of a result."""
    if isinstance(value, Failure):
        for name in ("BadResponse", "PartialResponse", "LateResponse"):
            if value.check(getattr(module, name, ())):
                return ("failed", name, exact(getattr(value.value, "received", None)))
        kinds = (CancelledError, ConnectError)
        return ("failed", next((kind.__name__ for kind in kinds if value.check(kind)), "other"))
    fields = tuple((exact(name), exact(text)) for name, text in value.headers)
    body = exact(value.body)
    if isinstance(body, bytes) and len(body) > 100:
        body = (len(body), hash_of(body))
    status = int(value.status) if value.status == int(value.status) else value.status
    return ("response", status, fields, body)
