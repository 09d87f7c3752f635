"""The broken servers of stage 7."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="channel.py",
        text="            self._pending.cancel()\n",
        replacement="            pass\n",
        story="It lets handlers work for clients who have gone.",
        violates="CutWhileTheHandlerWorksTests.test_handler_is_told",
    ),
    Broken(
        file="channel.py",
        text="        if self._connected:\n",
        replacement="        if True:\n",
        story="It writes to a connection that is lost.",
        violates="CutWhileTheHandlerWorksTests.test_late_result",
    ),
    Broken(
        file="channel.py",
        text='        if not self._connected:\n            return b""\n',
        replacement="",
        story="It fills the log with the failures of clients who have gone.",
        violates="CutWhileTheHandlerWorksTests.test_nothing_happens",
    ),
    Broken(
        file="channel.py",
        text='        if not self._connected:\n            return b""\n',
        replacement='        if failure.type.__name__ == "CancelledError":\n            return b""\n',
        story="It takes every cancellation for a client who has gone.",
        violates="HandlersThatDoNotListenTests.test_cancelled_for_another_reason",
    ),
    Broken(
        file="channel.py",
        text="        self._connected = False\n        self._stop_timers()\n        if self._pending is not None:\n            self._pending.cancel()\n",
        replacement="        self._stop_timers()\n        if self._pending is not None:\n            self._pending.cancel()\n        self._connected = False\n",
        story="It answers while it hears that the connection is lost.",
        violates="HandlersThatDoNotListenTests.test_whatever_it_does",
    ),
    Broken(
        file="channel.py",
        text="        self._timers = [self._clock.callLater(self._close_timeout, self.transport.abortConnection)]\n        self.transport.loseConnection()\n",
        replacement="        self.transport.loseConnection()\n        self._timers = [self._clock.callLater(self._close_timeout, self.transport.abortConnection)]\n",
        story="It starts a timer for a connection that went while it was being closed.",
        violates="LostWhileClosingTests.test_nothing_is_left",
    ),
    Broken(
        file="channel.py",
        text="if self._pending is not None:",
        replacement='if self._pending is not None and reason.type.__name__ == "ConnectionLost":',
        story="It does not tell the handler when the client has closed properly.",
        violates="CutWhileTheHandlerWorksTests.test_handler_is_told",
    ),
    Broken(
        file="channel.py",
        text="        self._connected = False\n        self._stop_timers()\n",
        replacement="        self._connected = False\n",
        story="It leaves its timers running when the wire is cut.",
        violates="CutInTheRequestTests.test_after_each_byte_of_a_head",
    ),
    Broken(
        file="channel.py",
        text="        self._pending = response.addCallback(self._answer)\n",
        replacement="        HTTPChannel._last = response.addCallback(self._answer)\n        del self._pending\n        HTTPChannel._pending = HTTPChannel._last\n",
        story="It cancels the handler that was called last, whoever has gone.",
        violates="SharedCutTests.test_other_client",
    ),
    Broken(
        file="channel.py",
        text="            self._pending.cancel()\n",
        replacement="            self._pending.cancel()\n            self._close()\n",
        story="It starts a timer for a connection that is lost.",
        violates="CutWhileTheHandlerWorksTests.test_time_goes_on",
    ),
    Broken(
        file="channel.py",
        text='        if not self._connected:\n            return b""\n',
        replacement='        if not self._connected and failure.type.__name__ == "CancelledError":\n            return b""\n',
        story="It logs what a handler says that was cancelled, unless it is a CancelledError.",
        violates="HandlersThatDoNotListenTests.test_whatever_it_does",
    ),
)
