"""The transport of the tests: whoever uses it in a wrong way does not pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from unittest import TestResult

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import AccumulatingProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import FailTest, SynchronousTestCase, TestCase

from exercises.manifest import STAGES
from exercises.transport import StrictTransport
from workshop.environment import ROOT

timeout = 5


class Producer:
    """Something that is registered with a transport."""

    stopped = 0

    def stopProducing(self) -> None:
        self.stopped += 1


def noted(*uses: Callable[[StrictTransport], Any]) -> list[str]:
    """Use a transport in these ways, one after the other; return the mistakes, without where."""
    transport = StrictTransport(SynchronousTestCase())
    for use in uses:
        use(transport)
    return [mistake.partition(" (test_transport.py, line ")[0] for mistake in transport.mistakes]


def write(transport: StrictTransport) -> None:
    """Write three bytes."""
    transport.write(b"abc")


def lose(transport: StrictTransport) -> None:
    """Lose the connection."""
    transport.lose(Protocol())


class MistakeTests(TestCase):
    """What is noted, and what is not."""

    def test_nothing_is_wrong(self) -> None:
        """To write, to pause, to resume and then to close is right, and so to close again."""
        uses = (
            write,
            lambda transport: transport.writeSequence([b"d", b"e"]),
            StrictTransport.pauseProducing,
            StrictTransport.resumeProducing,
            StrictTransport.loseConnection,
            StrictTransport.loseConnection,
            lose,
            StrictTransport.loseConnection,
        )
        self.assertEqual(noted(*uses), [])

    def test_too_late(self) -> None:
        """After each end nothing may be written, and reading is not turned on or off."""
        ends = {
            "closing": StrictTransport.loseConnection,
            "aborted": StrictTransport.abortConnection,
            "lost": lose,
        }
        uses: dict[str, Callable[[StrictTransport], Any]] = {
            "write(b'abc')": write,
            "write(b'de')": lambda transport: transport.writeSequence([b"de"]),
            "pauseProducing()": StrictTransport.pauseProducing,
            "resumeProducing()": StrictTransport.resumeProducing,
        }
        for state, end in ends.items():
            for name, use in uses.items():
                self.assertEqual(noted(end, use)[-1:], [f"{name} on a connection that is {state}"])

    def test_abort(self) -> None:
        """To abort is a mistake, unless the test allows it."""
        abort = StrictTransport.abortConnection
        self.assertEqual(noted(abort), ["abortConnection() where it is not allowed"])
        self.assertEqual(noted(lambda transport: setattr(transport, "may_abort", True), abort), [])

    def test_other_things_than_bytes(self) -> None:
        """They are noted; and an error is raised, as every transport does."""
        for data in ("text", bytearray(b"abc"), None):
            for use in ("write", "writeSequence"):

                def attempt(transport: StrictTransport) -> None:
                    with contextlib.suppress(TypeError):
                        getattr(transport, use)(data if use == "write" else [data])  # noqa: B023

                expected = [f"write() of a {type(data).__name__}, not of bytes"]
                self.assertEqual(noted(attempt), expected, use)

    def test_producer(self) -> None:
        """What is registered may go on writing after ``loseConnection``, not after the loss."""
        register = lambda transport: transport.registerProducer(Producer(), False)  # noqa: E731
        close = StrictTransport.loseConnection
        self.assertEqual(noted(register, close, write), [])
        lost = ["write(b'abc') on a connection that is lost"]
        self.assertEqual(noted(register, close, lose, write), lost)

    def test_where(self) -> None:
        """A mistake names the line that made it."""
        transport = StrictTransport(SynchronousTestCase())
        transport.loseConnection()
        transport.writeSequence([b"abc"])
        self.assertRegex(
            transport.mistakes[0], r" \(test_transport\.py, line \d+, in test_where\)$"
        )

    def test_what_is_written(self) -> None:
        """It is kept in any case: the mistake alone makes the test fail."""
        transport = StrictTransport(SynchronousTestCase())
        transport.loseConnection()
        transport.write(b"abc")
        self.assertEqual(transport.value(), b"abc")


class StateTests(TestCase):
    """What has become of the connection, in a word for assertions."""

    def test_states(self) -> None:
        """A connection is open, then closing or aborted, then lost."""
        transport = StrictTransport(SynchronousTestCase())
        states = [transport.state]
        for use in (StrictTransport.loseConnection, StrictTransport.abortConnection, lose):
            use(transport)
            states.append(transport.state)
        self.assertEqual(states, ["open", "closing", "aborted", "lost"])


class DeliveryTests(TestCase):
    """Bytes come."""

    def test_chunks(self) -> None:
        """The protocol gets each chunk, and none that is empty."""
        protocol, transport = AccumulatingProtocol(), StrictTransport(self)
        chunks: list[bytes] = []
        self.patch(protocol, "dataReceived", chunks.append)
        transport.deliver(protocol, b"a", b"", b"bc")
        transport.deliver(protocol, b"d")
        self.assertEqual(chunks, [b"a", b"bc", b"d"])

    def test_error(self) -> None:
        """A failure of the test tells all that was sent, how it was cut, and what went wrong."""
        protocol, transport = AccumulatingProtocol(), StrictTransport(self)
        transport.deliver(protocol, b"a")
        self.patch(protocol, "dataReceived", lambda data: {}[data])
        error = self.assertRaises(FailTest, transport.deliver, protocol, b"bc", b"d")
        self.assertIn("sent [b'a', b'bc'], and this came:\nTraceback", str(error))
        self.assertIn("KeyError: b'bc'", str(error))


class LossTests(TestCase):
    """The connection is lost."""

    class Listener(Protocol):
        """A protocol that keeps the reasons of its end."""

        def __init__(self) -> None:
            self.reasons: list[BaseException | None] = []

        def connectionLost(self, reason: Failure = connectionDone) -> None:
            self.reasons.append(reason.value)

    def test_protocol_is_told(self) -> None:
        """It gets the reason that was given, or a clean end."""
        listener, reason = self.Listener(), ConnectionLost()
        StrictTransport(self).lose(listener)
        StrictTransport(self).lose(listener, reason)
        self.assertEqual([type(found) for found in listener.reasons[:1]], [ConnectionDone])
        self.assertIs(listener.reasons[1], reason)

    def test_producer_is_stopped(self) -> None:
        """The transport stops its producer, and forgets it, as TCP does."""
        producer, transport = Producer(), StrictTransport(self)
        transport.registerProducer(producer, True)
        transport.lose(Protocol())
        self.assertEqual((producer.stopped, transport.producer), (1, None))


class FailureTests(TestCase):
    """A test in which there was a mistake fails, whatever its code catches."""

    def test_mistake_that_is_not_raised(self) -> None:
        """The failure says what was done, and after what."""

        class Example(SynchronousTestCase):
            def test_example(self) -> None:
                transport = StrictTransport(self)
                with contextlib.suppress(BaseException):
                    transport.loseConnection()
                    transport.write(b"abc")

        result = TestResult()
        Example("test_example").run(result)
        self.assertFalse(result.wasSuccessful())
        [(_, text)] = result.errors + result.failures
        self.assertIn(
            "write(b'abc') on a connection that is closing (test_transport.py, line", text
        )

    def test_no_mistake(self) -> None:
        """Without a mistake it passes."""

        class Example(SynchronousTestCase):
            def test_example(self) -> None:
                StrictTransport(self).write(b"abc")

        result = TestResult()
        Example("test_example").run(result)
        self.assertTrue(result.wasSuccessful(), str(result.errors + result.failures))


class PageTests(TestCase):
    """The page of stage 4 shows it."""

    def test_shown_whole(self) -> None:
        """The page and the file agree."""
        page = (STAGES[3].folder / "README.md").read_text(encoding="utf-8")
        text = (ROOT / "exercises" / "transport.py").read_text(encoding="utf-8")
        self.assertTrue(f"```python\n{text}```\n" in page, "the page shows another text")
