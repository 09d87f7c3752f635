"""Stages 4 to 7, 9 and 10: a random sequence of events at a channel."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, fail, succeed
from twisted.internet.task import Clock

from . import reader
from .drawing import Draw
from .request import shown
from .world import Answers, Wire, Work, bytes_kept, counting_errors, no_calls_left

SECRET = "what strangers must not see"
START = 784111777.25
TIMES = (10.0, 60.0, 5.0)
MOST = 32  # chunks that a client sends where nobody reads
TOO_MUCH = 1400 * 1024  # bytes: more than the largest request
LARGE = b"/file/large"
SIZES = {"0": 0, "1": 1, "100": 100, "65536": 65536, "65537": 65537, "200000": 200000}
AT_ONCE = (b"/ok", b"/ok?x=1", b"/fields", b"/none", b"/404", b"/raise", b"/spoilt", b"/text")
LATE = (b"/later", b"/later", b"/later?x", b"/fired", b"/failed")
ENDS = ("ok", "ok", "ok", "fail", "text", "spoilt", "cancel")


def message(draw: Draw, level: int, keep: bool) -> bytes:
    """Return a request for a channel: its target says what the handler does."""
    if draw.one_in(10):
        return reader.message(draw, large=True)
    targets: tuple[bytes, ...] = AT_ONCE
    if level >= 5 and draw.randrange(4):
        targets = LATE
    if level >= 9 and draw.one_in(4):
        targets = tuple(b"/file/" + name.encode() for name in (*SIZES, "missing"))
    target = draw.choice(targets)
    methods = [(6, b"GET"), (2, b"HEAD"), (1, b"PUT"), (1, b"G@T")]
    if targets is AT_ONCE or not keep:
        methods.append((3, b"POST"))
    method = draw.weighted(methods)
    return request(draw, method, target, connection(draw) if keep else b"")


def connection(draw: Draw) -> bytes:
    """Return a field that mostly asks for keep-alive."""
    words = [(12, b"keep-alive"), (2, b"Keep-Alive"), (1, b"keep-alive, close"), (1, b"close")]
    words += [(1, b"x,keep-alive"), (1, b"TE ,\tKEEP-ALIVE"), (1, b"keep-alivex"), (1, b"")]
    words += [(1, b",keep-alive,"), (1, b"Close"), (1, b"x keep-alive"), (1, b"close,keep-alive")]
    name = draw.weighted([(12, b"Connection"), (1, b"connection"), (1, b"Keep-Alive")])
    return name + b": " + draw.weighted(words) + b"\r\n"


def request(draw: Draw, method: bytes, target: bytes, fields: bytes = b"") -> bytes:
    """Return the bytes of a right request."""
    body = draw.some(b"ab\r\n", 9) if method == b"POST" or draw.one_in(12) else b""
    length = b"Content-Length: %d\r\n" % len(body) if body or method == b"POST" else b""
    version = draw.weighted([(6, b"1.0"), (2, b"1.1")])
    end = b"\r\n" if draw.randrange(5) else b"\n"
    return method + b" " + target + b" HTTP/" + version + b"\r\n" + length + fields + end + body


def draw(draw: Draw, level: int) -> tuple[Any, ...]:
    """Make up clients, what they send, and what happens in between."""
    slow = level >= 9 and draw.one_in(5)
    options = {
        "goes": draw.choice(("never", "never", "soon") + (("at once",) if level >= 7 else ())),
        "pulls": level >= 9 and draw.one_in(3),
        "slow": slow,
        "polite": draw.one_in(2),
        "times": draw.choice(("none", "all", "all", "names")) if level >= 6 else "none",
        "told": draw.choice(("", "", "", "fails", "answers")),
    }
    events: list[tuple[Any, ...]] = []
    clients = draw.choice((1, 1, 1, 2))
    streams = [list(chunks(draw, level, slow)) for _ in range(clients)]
    for _ in range(draw.choice((2, 4, 8, 12, 20))):
        client = draw.randrange(clients)
        if streams[client] and draw.randrange(5) < 3:
            events.append(("data", client, streams[client].pop(0)))
        else:
            events.append(happening(draw, level, client, slow))
    if draw.one_in(3):
        events += [
            ("data", client, chunk) for client in range(clients) for chunk in streams[client]
        ]
        events += [happening(draw, level, draw.randrange(clients), slow) for _ in "abc"]
    if level >= 10 and draw.one_in(6):
        return tuple(sorted(options.items())), 1, crowd(draw)
    return tuple(sorted(options.items())), clients, tuple(events)


def crowd(draw: Draw) -> tuple[tuple[Any, ...], ...]:
    """Return what happens if a client asks for more than is answered at once."""
    ask = request(draw, b"GET", b"/later", b"Connection: keep-alive\r\n")
    number = draw.choice((8, 9, 10, 12, 17))
    events: list[tuple[Any, ...]] = [("data", 0, ask) for _ in range(number)]
    if draw.one_in(2):
        events = [("data", 0, number * ask)]
    answers = [("fire", 0, draw.choice((0, 0, 3)), "ok") for _ in range(draw.choice((1, 2, 9, 17)))]
    last = ("data", 0, request(draw, b"GET", b"/ok"))
    return (*events, *answers, last, ("advance", 0, 1.0))


def chunks(draw: Draw, level: int, slow: bool) -> tuple[bytes, ...]:
    """Return what a client sends."""
    keep = level >= 10 and draw.randrange(8) > 0
    number = draw.choice((1, 1, 2, 3))
    if keep:
        number = draw.choice((1, 2, 3, 5, 8, 9, 10, 12))
        if draw.one_in(5):
            field = b"Connection: keep-alive\r\n"
            targets = draw.choice(((b"/later",), (b"/later", b"/ok"), (b"/ok",)))
            messages = [request(draw, b"GET", draw.choice(targets), field) for _ in range(number)]
            return draw.cut(b"".join(messages))
    messages = [message(draw, level, keep) for _ in range(number)]
    if slow:
        field = b"Connection: keep-alive\r\n" if keep else b""
        method = b"GET" if draw.randrange(6) else b"HEAD"
        place = draw.randrange(len(messages)) if draw.one_in(3) else 0
        messages = [each for each in messages if b"/file" not in each]
        messages.insert(place, request(draw, method, LARGE, field))
    stream = b"".join(messages)
    return draw.cut(stream) if draw.randrange(3) else tuple(messages)


def happening(draw: Draw, level: int, client: int, slow: bool) -> tuple[Any, ...]:
    """Return something that happens, other than that a client sends its requests."""
    choices: list[tuple[int, str]] = [(2, "advance"), (1, "more")]
    if level >= 5:
        choices.append((6, "fire"))
    if level >= 6:
        choices += [(3, "advance"), (1, "lost"), (1, "trickle")]
    if slow:
        choices += [(3, "pull"), (2, "drain"), (1, "flood")]
    elif draw.one_in(10):
        return ("flood", client)
    what = draw.weighted(choices)
    if what == "trickle":
        return (
            "trickle",
            client,
            draw.choice((1.0, 5.0, 8.0, 9.75, 10.0)),
            draw.choice((7, 8, 14)),
        )
    if what == "advance":
        idle, whole, close = TIMES
        if level < 6:  # nobody says what happens after a while
            return ("advance", client, draw.choice((0.25, 0.5, 1.0)))
        seconds = draw.choice((idle, whole, close, 15.0, 1.0, 0.5, idle - 1, 9.75, whole - idle))
        return ("advance", client, seconds + draw.choice((0, 0, 0.25, -0.25)))
    if what == "fire":
        return ("fire", client, draw.randrange(10), draw.choice(ENDS))
    if what == "lost":
        return ("lost", client, draw.choice(("done", "lost")))
    if what == "more":
        return ("data", client, draw.choice((b"x", b"\r\n", b"GET /ok HTTP/1.0\r\n\r\n", b"GET")))
    return (what, client)


class Scene:
    """The channels of a server, their clients, and all that has happened."""

    def __init__(self, load: Callable[[str], Any], options: dict[str, Any], clients: int) -> None:
        self.load, self.options = load, options
        self.level = 0
        self.clock = Clock()
        self.clock.advance(START)
        self.work = Work(options["told"])
        self.asked: list[Any] = []
        self.opened: list[Any] = []
        self.files: Any = None
        factory_of = load("channel").HTTPFactory
        arguments: tuple[float, ...] = TIMES if options["times"] == "all" else ()
        names: dict[str, float] = {}
        if options["times"] == "names":
            names = dict(
                zip(("idle_timeout", "request_timeout", "close_timeout"), TIMES, strict=True)
            )
        factory = factory_of(self.handle, self.clock, *arguments, **names)
        self.wires = [Wire(options["goes"], options["pulls"]) for _ in range(clients)]
        self.answers = [Answers() for _ in range(clients)]
        self.raised = 0
        self.last = [b"" for _ in range(clients)]
        for wire in self.wires:
            wire.protocol = factory.buildProtocol(None)
            self.guarded(wire.protocol.makeConnection, wire)

    def guarded(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function of the server, and count what it raises."""
        try:
            function(*arguments)
        except Exception:
            self.raised += 1

    def handle(self, request: Any) -> Any:
        """Do what the target says, and note the request."""
        self.asked.append(shown(request))
        response = self.load("response").Response
        path, _, query = request.target.partition(b"?")
        body = b"<" + request.target + b" " + request.body + b">"
        fields = [(b"X-Handler", b"yes")]
        if path == b"/later":
            return self.work.later()
        if path == b"/fired":
            return succeed(response(200, fields, body))
        if path == b"/failed":
            return fail(ValueError(SECRET))
        if path == b"/raise":
            raise KeyError(SECRET)
        if path == b"/text":
            return "text" if not query else None
        if path == b"/spoilt":
            return response(200, [(b"X", b"a\r\nb")], body)
        if path == b"/none":
            return response(204, fields)
        if path == b"/404":
            return response(404, fields, body)
        if path.startswith(b"/file/"):
            return self.file(request, path.removeprefix(b"/file"))
        if path == b"/fields":
            return response(
                200, [*fields, (b"Content-Type", b"a/b"), (b"X", b"1"), (b"X", b"2")], body
            )
        return response(200, fields, body)

    def file(self, request: Any, target: bytes) -> Any:
        """Let the server's own handler answer with a file."""
        if self.files is None:
            module = self.load("files")

            def opening(path: Path) -> Any:
                self.opened.append(module.open_file(path))
                return self.opened[-1]

            self.files = module.FileHandler(folder(), self.clock, opening)
        kind = type(request)
        return self.files(kind(request.method, target, request.version, request.headers))

    def happen(self, event: tuple[Any, ...]) -> None:
        """Let an event happen."""
        what, client, *rest = event
        wire = self.wires[client]
        if what == "advance":
            self.guarded(self.clock.advance, rest[0])
        elif what == "fire":
            self.fire(*rest)
        elif wire.lost:
            return
        elif what == "data":
            self.last[client] = rest[0]
            if self.options["polite"] and (wire.paused or wire.waiting):
                wire.waiting.append(rest[0])
            else:
                self.guarded(wire.protocol.dataReceived, rest[0])
        elif what == "lost":
            self.guarded(wire.lose, rest[0])
        elif what == "pull":
            self.guarded(wire.pull, 1)
        elif what == "drain":
            self.guarded(wire.pull, 100)
        elif what == "trickle":
            self.trickle(wire, *rest)
        elif what == "flood":
            self.flood(wire)

    def trickle(self, wire: Wire, seconds: float, times: int) -> None:
        """Let a client send a byte now and then."""
        for number in range(times):
            if wire.disconnecting or wire.lost or wire.paused:
                return
            self.guarded(wire.protocol.dataReceived, b"GET /abcdefghijklmnopq"[number:][:1])
            self.guarded(self.clock.advance, seconds)

    def flood(self, wire: Wire) -> None:
        """Let a client send as much as the server reads, after its last request has come."""
        at_work = any(not each.called for each in self.work.pending)
        if not (at_work or wire.disconnecting or wire.producer is not None):
            return
        field = b"GET /ok HTTP/1.0\r\nConnection: keep-alive\r\nX: "
        data = field + (8192 - len(field) - 4) * b"x" + b"\r\n\r\n"
        if wire.producer is None and not wire.disconnecting:
            data = 8192 * b"x"  # it is not about how many requests can be answered
        for _ in range(MOST):
            if wire.paused or wire.lost:
                break
            self.guarded(wire.protocol.dataReceived, 8 * data)
        if bytes_kept(wire.protocol) > TOO_MUCH:
            wire.wrong.add("keeps all that comes")

    def fire(self, number: int, how: str) -> None:
        """Let the handler's promise come true, or not."""
        waiting = [each for each in self.work.pending if not each.called]
        if not waiting:
            return
        deferred = waiting[number % len(waiting)]
        response = self.load("response").Response
        body = b"<late %d>" % self.work.pending.index(deferred)
        if how == "ok":
            self.guarded(deferred.callback, response(200, [(b"X-Handler", b"yes")], body))
        elif how == "fail":
            self.guarded(deferred.errback, ValueError(SECRET))
        elif how == "cancel":
            self.guarded(deferred.errback, CancelledError())
        else:
            result = "text" if how == "text" else response(200, [(b"X y", b"")], body)
            self.guarded(deferred.callback, result)

    def settle(self) -> None:
        """Let happen what follows from an event, whoever begins it."""
        for _ in range(30):
            before = [(wire.lost, len(wire.waiting), wire.producer is None) for wire in self.wires]
            for wire in self.wires:
                if not self.options["slow"]:
                    self.guarded(wire.pull, 50)
                self.guarded(wire.settle)
                while wire.waiting and not wire.paused and not wire.lost:
                    data = wire.waiting.pop(0)
                    self.guarded(wire.protocol.dataReceived, data)
            after = [(wire.lost, len(wire.waiting), wire.producer is None) for wire in self.wires]
            if before == after:
                return

    def state(self, event: tuple[Any, ...], level: int = 0, asked: int = 0) -> tuple[Any, ...]:
        """Return what can be seen now, without what is left open.

        :param asked: how many requests have come with the event. With the eighth it may pause,
            or when more comes.
        """
        found: list[Any] = []
        for number, wire in enumerate(self.wires):
            self.answers[number].feed(bytes(wire.data))
            wire.data.clear()
            came = self.answers[number].complete(wire.lost, SECRET.encode())
            if level < 10 or not self.last[number].endswith((b"\r\n\r\n", b"\n\n")):
                came = [each for each in came if each[0] != 408]  # it may say so, if it has begun
            pauses = event[0] == "data" and event[1] == number and not wire.disconnecting
            pauses = pauses and wire.producer is None and not (level >= 10 and asked)
            paused = wire.paused if pauses else None
            found.append((came, wire.disconnecting, wire.aborted, paused, sorted(wire.wrong)))
        return tuple(found)


def folder() -> Path:
    """Return a folder with files of several sizes: one for each process."""
    root = Path("channel-files").resolve()
    if not root.exists():
        root.mkdir()
        for name, size in {**SIZES, "large": 1200000}.items():
            (root / name).write_bytes((b"0123456789abcdef" * (size // 16 + 1))[:size])
    return root


def observe(load: Callable[[str], Any], given: tuple[Any, ...], level: int) -> Any:
    """Let all that happen, and tell what could be seen after each event."""
    options, clients, events = given
    with counting_errors() as errors:
        scene = Scene(load, dict(options), clients)
        states: list[Any] = []
        for event in events:
            before = errors(), scene.raised, len(scene.asked)
            scene.happen(event)
            scene.settle()
            sending = any(wire.producer is not None for wire in scene.wires)
            after = errors(), scene.raised, len(scene.asked)
            changes = [new - old for new, old in zip(after, before, strict=True)]
            seen = scene.state(event, level, changes[2])
            begin, end = level >= 10, 2 if sending else 3  # when a failure is logged is left open
            states.append((seen, changes[begin:end]))
        closed_before = [each.closed for each in scene.opened]
        if level >= 6:
            states.append(the_end(scene, level))
        closed = [each.closed for each in scene.opened]
        asked = scene.asked
        del scene
        gc.collect(0)
        return states, asked, closed_before, closed, errors()


def the_end(scene: Scene, level: int) -> Any:
    """Wait until all is over, lose all connections, and tell what is left."""
    states = []
    for seconds in (20.0, 100.0):
        scene.guarded(scene.clock.advance, seconds)
        scene.settle()
        states.append((scene.state(("end", 0), level), scene.raised))
    for wire in scene.wires:
        scene.guarded(wire.lose, "lost")
    if level == 6:
        return states, no_calls_left(scene.clock)
    cancelled, left = sorted(scene.work.cancelled), no_calls_left(scene.clock)
    for deferred in scene.work.pending:
        if not deferred.called:
            scene.guarded(deferred.callback, "too late")
    scene.guarded(scene.clock.advance, 1000)
    return states, scene.state(("end", 0), level), scene.raised, cancelled, left
