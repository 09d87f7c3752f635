"""The transport that the tests use from stage 4 on: one that does not forgive."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import FailTest, SynchronousTestCase


class StrictTransport(StringTransport):
    """A ``StringTransport`` that makes a test fail if it is misused.

    A mistake is noted, not raised, since the code under test might catch what is raised.

    :param test: the test, which fails at its end if there was a mistake.
    :ivar may_abort: whether ``abortConnection`` is right in this test.
    :ivar mistakes: what was done in a wrong way, and where: a sentence for each.
    :ivar sent: what the client sent, in the chunks that were delivered.
    """

    def __init__(self, test: SynchronousTestCase) -> None:
        super().__init__()
        self.may_abort = False
        self.mistakes: list[str] = []
        self.sent: list[bytes] = []
        test.addCleanup(self.check)

    @property
    def state(self) -> str:
        """The state of the connection: "open", "closing", "aborted" or "lost"."""
        if not self.connected:
            return "lost"
        if self.disconnected:
            return "aborted"
        return "closing" if self.disconnecting else "open"

    def check(self) -> None:
        """Let the test fail if there was a mistake."""
        if self.mistakes:
            raise FailTest("\n".join(self.mistakes))

    def write(self, data: bytes) -> None:
        """Keep what is written, for ``value()``."""
        if isinstance(data, bytes):
            self._check_open(f"write({data[:40]!r})")
        else:
            self._note(f"write() of a {type(data).__name__}, not of bytes")
        super().write(data)  # which raises a TypeError if these are no bytes

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write the pieces, one after another."""
        for piece in data:
            self.write(piece)

    def pauseProducing(self) -> None:
        """Stop reading for a while."""
        self._check_open("pauseProducing()")
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        """Read again."""
        self._check_open("resumeProducing()")
        self.producerState = "producing"

    def abortConnection(self) -> None:
        """Close at once, whatever has not been sent yet."""
        if not self.may_abort:
            self._note("abortConnection() where it is not allowed")
        super().abortConnection()

    def deliver(self, protocol: IProtocol, *chunks: bytes) -> None:
        """Do what a reactor does when bytes come; should it fail, tell which bytes those were."""
        for chunk in filter(None, chunks):
            self.sent.append(chunk)
            try:
                protocol.dataReceived(chunk)
            except Exception:
                error = traceback.format_exc()
                raise FailTest(f"sent {self.sent!r:.500}, and this came:\n{error}") from None

    def lose(self, protocol: IProtocol, reason: Exception | None = None) -> None:
        """Do what a reactor does when the connection is lost: stop the producer, tell both.

        :param reason: without one, ``ConnectionDone``: the client has closed properly.
        """
        self.connected = False
        if self.producer is not None:
            self.producer.stopProducing()
            self.producer = None
        protocol.connectionLost(Failure(reason or ConnectionDone()))

    def _check_open(self, call: str) -> None:
        """Note a mistake if it is too late for this call; a producer may end its work."""
        if self.state != "open" and (self.state != "closing" or self.producer is None):
            self._note(f"{call} on a connection that is {self.state}")

    def _note(self, mistake: str) -> None:
        """Note a mistake, and the line of code that made it."""
        calls = traceback.extract_stack()
        caller = next(call for call in reversed(calls) if call.filename != __file__)
        where = f"{Path(caller.filename).name}, line {caller.lineno}, in {caller.name}"
        self.mistakes.append(f"{mistake} ({where})")
