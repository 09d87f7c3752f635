"""Stage 6, the hardening: every way to be slow, and every way to be closed.

The tests are in the order in which you would make them pass:
``trial -x --order toptobottom exercises.stage6.test_hardening``
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from exercises.myhttp.channel import HTTPChannel, HTTPFactory
from exercises.myhttp.request import Request
from exercises.myhttp.response import Response
from exercises.stage6.test_timeouts import BAD, GET, Handler, Later, connect, hello, trickle
from exercises.transport import StrictTransport

timeout = 5  # seconds, for a Deferred that never fires; it ends no endless loop

HEAD = b"HEAD /a HTTP/1.0\r\n\r\n"
POST = b"POST /c HTTP/1.0\r\nContent-Length: 100\r\n\r\n" + 100 * b"d"


def broken(request: Request) -> Response:
    """Fail."""
    raise RuntimeError("secret")


class SlowClientTests(TestCase):
    """There are many ways to be slow."""

    def test_half_a_body(self) -> None:
        """A head whose body does not arrive is not a request (RFC 1945, 7.2.2)."""
        clock, handler = Clock(), Later()
        channel, transport = connect(self, clock, handler)
        channel.dataReceived(POST[:-1])
        clock.advance(9.5)
        self.assertEqual(transport.state, "open", f"sent {POST[:-1]!r}, then nothing for 9.5 s")
        clock.advance(0.5)
        done = (transport.state, handler.answers)
        self.assertEqual(done, ("closing", []), f"sent {POST[:-1]!r}, then nothing for 10 s")

    def test_body_that_trickles(self) -> None:
        """The body belongs to the request: it has no timeout of its own (RFC 1945, 7.2.2)."""
        clock, handler = Clock(), Later()
        channel, transport = connect(self, clock, handler)
        channel.dataReceived(POST[:-100])
        trickle(channel, clock, 59 * b"d", 1)
        self.assertEqual(transport.state, "open", "sent a byte of the body every second, 59 s")
        clock.advance(1)
        done = (transport.state, handler.answers)
        self.assertEqual(done, ("closing", []), "sent a byte of the body every second, 60 s")

    def test_deadline_that_is_shorter(self) -> None:
        """Each timeout counts by itself: here the deadline comes first."""
        for sent in (b"", b"GET"):
            clock = Clock()
            channel, transport = connect(self, clock, request=4.0)
            trickle(channel, clock, sent, 1)
            clock.advance(3.5 - len(sent))
            self.assertEqual(transport.state, "open", f"sent {sent!r} in 3.5 s of 4 s")
            clock.advance(0.5)
            self.assertEqual(transport.state, "closing", f"sent {sent!r} in 4 s of 4 s")

    def test_bytes_that_come_too_late(self) -> None:
        """The rest of a request that has timed out is neither handled nor answered."""
        for idle, step in ((1.5, 0), (10.0, 3)):
            clock, handler = Clock(), Later()
            channel, transport = connect(self, clock, handler, idle=idle, close=1000.0)
            trickle(channel, clock, GET[:-1], step)
            clock.advance(2)
            before = transport.value()
            transport.deliver(channel, GET[-1:])
            transport.deliver(channel, GET)
            done = (transport.state, transport.value(), handler.answers)
            self.assertEqual(done, ("closing", before, []), f"sent the end of {GET!r} too late")

    def test_fractions_of_a_second(self) -> None:
        """The timeouts are numbers, and need not be whole."""
        clock = Clock()
        channel, transport = connect(self, clock, idle=0.75, request=2.5, close=1.25)
        trickle(channel, clock, b"GET", 0.5)
        clock.advance(0.5)
        self.assertEqual(transport.state, "open", "sent a byte each 0.5 s, 2 s long")
        clock.advance(0.25)
        self.assertEqual(transport.state, "closing", "then nothing for 0.75 s")
        clock.advance(1)
        self.assertEqual(transport.state, "closing", "closing for 1 s")
        transport.may_abort = True
        clock.advance(0.25)
        self.assertEqual(transport.state, "aborted", "closing for 1.25 s")

    def test_server_that_has_run_for_weeks(self) -> None:
        """The timeouts are counted from the time when the client connects."""
        clock = Clock()
        clock.advance(1_000_000)
        channel, transport = connect(self, clock)
        trickle(channel, clock, 59 * b"x", 1)
        self.assertEqual(transport.state, "open", "sent a byte every second for 59 s")
        clock.advance(1)
        self.assertEqual(transport.state, "closing", "sent a byte every second for 60 s")
        clock.advance(4.5)
        self.assertEqual(transport.state, "closing", "closing for 4.5 s")
        transport.may_abort = True
        clock.advance(0.5)
        self.assertEqual(transport.state, "aborted", "closing for 5 s")


class WaysToCloseTests(TestCase):
    """For whatever reason it closes, only ``close_timeout`` is running."""

    def assert_cut_off(
        self, clock: Clock, channel: HTTPChannel, transport: StrictTransport, message: str
    ) -> None:
        """Assert that a client that keeps sending is aborted after 5 s, and nothing is left."""
        self.assertEqual(transport.state, "closing", message)
        before = transport.value()
        for _ in range(9):
            clock.advance(0.5)
            transport.deliver(channel, b"more")
            self.assertEqual(transport.state, "closing", f"{message}; less than 5 s later")
        transport.may_abort = True
        clock.advance(0.5)
        self.assertEqual(transport.state, "aborted", f"{message}; 5 s later")
        self.assertEqual(transport.value(), before, message)
        transport.lose(channel)
        self.assertEqual(clock.getDelayedCalls(), [], f"{message}; then the connection was lost")

    def test_answers(self) -> None:
        """After an answer at once, a late one, a failure at once, a late one, and a refusal."""
        clock = Clock()
        ways: dict[str, tuple[Handler, float]] = {
            "answered at once": (hello, 0),
            "answered by a Deferred that has fired": (lambda it: succeed(Response(200)), 0),
            "answered late": (lambda it: deferLater(clock, 100, hello, it), 100),
            "failed at once": (broken, 0),
            "failed by a Deferred that has failed": (lambda it: fail(RuntimeError()), 0),
            "failed late": (lambda it: deferLater(clock, 100, broken, it), 100),
            "returned None late": (lambda it: deferLater(clock, 100, lambda: None), 100),
        }
        for name, (handler, seconds) in ways.items():
            for sent in (GET, HEAD, POST):
                channel, transport = connect(self, clock, handler)
                transport.deliver(channel, sent)
                clock.advance(seconds)
                self.assert_cut_off(clock, channel, transport, f"sent {sent!r}, {name}")
        self.flushLoggedErrors()

    def test_refusals(self) -> None:
        """After each refusal."""
        for sent in (
            BAD,
            b"BREW / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.0\r\n" + 2000 * b"X-Field: value\r\n",
            b"POST / HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n",
        ):
            clock = Clock()
            channel, transport = connect(self, clock)
            transport.deliver(channel, sent)
            self.assert_cut_off(clock, channel, transport, f"sent {sent[:60]!r}")

    def test_timeouts(self) -> None:
        """After the idle timeout, and after the deadline."""
        for sent, step in ((b"", 0), (GET[:-1], 0), (59 * b"x", 1)):
            clock = Clock()
            channel, transport = connect(self, clock)
            trickle(channel, clock, sent, step)
            clock.advance(1 if step else 10)
            self.assert_cut_off(clock, channel, transport, f"sent {sent!r}, one each {step} s")

    def test_close_timeout_that_is_longer(self) -> None:
        """The other timeouts do not cut off a client that is reading its answer."""
        clock = Clock()
        ways: dict[str, tuple[Handler, bytes, float]] = {
            "answered at once": (hello, GET, 0),
            "answered late": (lambda it: deferLater(clock, 100, hello, it), GET, 100),
            "refused": (hello, BAD, 0),
            "sent away": (hello, b"", 3),
        }
        for name, (handler, sent, seconds) in ways.items():
            channel, transport = connect(self, clock, handler, idle=3.0, request=7.0, close=20.0)
            transport.deliver(channel, sent)
            clock.advance(seconds)
            before = transport.value()
            clock.pump([0.5] * 39)
            done = (transport.state, transport.value())
            self.assertEqual(done, ("closing", before), f"sent {sent!r}, {name}; 19.5 s later")
            transport.may_abort = True
            clock.advance(0.5)
            self.assertEqual(transport.state, "aborted", f"sent {sent!r}, {name}; 20 s later")
            transport.lose(channel)


class SharedTimeTests(TestCase):
    """Each connection has its own timers."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.factory = HTTPFactory(
            hello, self.clock, idle_timeout=10.0, request_timeout=60.0, close_timeout=5.0
        )

    def connect(self) -> tuple[HTTPChannel, StrictTransport]:
        """Let one more client connect to the same server."""
        channel = self.factory.buildProtocol(None)
        transport = StrictTransport(self)
        channel.makeConnection(transport)
        return channel, transport

    def leave(self, channels: Iterable[HTTPChannel], transports: Iterable[StrictTransport]) -> None:
        """Disconnect the clients that are still connected."""
        for channel, transport in zip(channels, transports, strict=True):
            if transport.state != "lost":
                transport.lose(channel)

    def test_idle_timeout(self) -> None:
        """It starts when a client connects, and only that client's bytes reset it."""
        for sent in (b"", b"G"):
            channels, transports = zip(self.connect(), self.connect(), strict=True)
            transports[0].deliver(channels[0], sent)
            self.clock.advance(9)
            transports[1].deliver(channels[1], b"G")
            self.clock.advance(1)
            states = [transport.state for transport in transports]
            expected = ["closing", "open"]
            self.assertEqual(
                states, expected, f"one sent {sent!r} 10 s ago, the other b'G' 1 s ago"
            )
            self.leave(channels, transports)

    def test_answer_to_another(self) -> None:
        """Another client's answer, or its disconnection, stops only its own timers."""
        for answered, silent in ((0, 1), (1, 0)):
            for lost in (False, True):
                channels, transports = zip(self.connect(), self.connect(), strict=True)
                self.clock.advance(6)
                transports[answered].deliver(channels[answered], GET)
                if lost:
                    transports[answered].lose(channels[answered])
                self.clock.advance(4)
                state = transports[silent].state
                message = f"client {silent} was silent for 10 s, client {answered} was answered"
                self.assertEqual(state, "closing", message)
                self.leave(channels, transports)

    def test_close_timeout(self) -> None:
        """It starts when each client's own connection begins to close."""
        transports = []
        for _ in range(2):
            self.clock.advance(3)
            channel, transport = self.connect()
            transport.deliver(channel, GET)
            transports.append(transport)
        transports[0].may_abort = True
        self.clock.advance(2)
        states = [transport.state for transport in transports]
        self.assertEqual(states, ["aborted", "closing"], "answered 5 s ago, and 2 s ago")

    def test_each_server_has_its_times(self) -> None:
        """Two servers in one process may have different timeouts."""
        channel, busy = connect(self, self.clock, idle=3.0, request=4.0, close=5.0)
        _, silent = connect(self, self.clock, idle=3.0, request=4.0, close=5.0)
        _, other = connect(self, self.clock, idle=30.0, request=40.0, close=50.0)
        busy.may_abort = silent.may_abort = True
        trickle(channel, self.clock, b"GE", 1)
        for seconds, expected in (
            (1, ("open", "closing", "open")),  # 3 s: the idle timeout
            (1, ("closing", "closing", "open")),  # 4 s: the deadline
            (4, ("closing", "aborted", "open")),  # 8 s
            (1, ("aborted", "aborted", "open")),  # 9 s: the close timeout
            (21, ("aborted", "aborted", "closing")),  # 30 s
        ):
            self.clock.advance(seconds)
            states = (busy.state, silent.state, other.state)
            self.assertEqual(states, expected, f"after {self.clock.seconds()} s")


class CleanInEveryStateTests(TestCase):
    """In whatever state a connection is lost, it leaves no delayed call."""

    def test_nothing_is_left(self) -> None:
        """Not after a late answer, a late failure, a deadline; nor while more comes."""
        for name, sent in (("answer", (GET,)), ("failure", (GET,)), ("", (GET, b"more"))):
            clock, handler = Clock(), Later()
            channel, transport = connect(self, clock, handler)
            transport.deliver(channel, *sent)
            if name == "answer":
                handler.answers[0].callback(Response(200))
            elif name == "failure":
                handler.answers[0].errback(RuntimeError("secret"))
            transport.lose(channel)
            message = f"sent {sent!r}, a late {name or 'answer is awaited'}"
            self.assertEqual(clock.getDelayedCalls(), [], message)
        self.flushLoggedErrors(RuntimeError)

    def test_after_the_deadline(self) -> None:
        """Lost while closing, or aborted, because the request took too long."""
        for seconds in (0, 5):
            clock = Clock()
            channel, transport = connect(self, clock)
            trickle(channel, clock, 59 * b"x", 1)
            clock.advance(1)
            transport.may_abort = True
            clock.advance(seconds)
            transport.lose(channel)
            self.assertEqual(clock.getDelayedCalls(), [], f"{seconds} s after the deadline")

    def test_other_connections_keep_their_times(self) -> None:
        """Only the timers of the lost connection are stopped."""
        clock = Clock()
        one, other = connect(self, clock), connect(self, clock)
        one[1].lose(one[0])
        clock.advance(10)
        self.assertEqual(other[1].state, "closing", "silent for 10 s, and another client has gone")
