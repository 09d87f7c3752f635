"""The broken servers of stage 6."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="channel.py",
        text="        self._idle.reset(self._idle_timeout)\n",
        replacement="",
        story="It sends a client away that is busy sending.",
        violates="IdleTimeoutTests.test_each_byte_puts_it_off",
    ),
    Broken(
        file="channel.py",
        text="        self._idle.reset(self._idle_timeout)\n",
        replacement="        self._idle.reset(self._idle_timeout)\n        self._timers[1].reset(self._request_timeout)\n",
        story="It lets a client put off the deadline, a byte at a time.",
        violates="RequestTimeoutTests.test_client_that_trickles",
    ),
    Broken(
        file="channel.py",
        text="            return\n        self._stop_reading()\n        head_only",
        replacement="            return\n        self._reading = False\n        head_only",
        story="It blames the client for a handler that is slow.",
        violates="HandlerTimeTests.test_slow_handler",
    ),
    Broken(
        file="channel.py",
        text="        self._timers = [self._clock.callLater(self._close_timeout, self.transport.abortConnection)]\n",
        replacement="",
        story="It waits for ever for a client that does not read.",
        violates="CloseTimeoutTests.test_client_that_does_not_read",
    ),
    Broken(
        file="channel.py",
        text='behind."""\n        self._stop_timers()\n',
        replacement='behind."""\n',
        story="It leaves its timers running when the connection is gone.",
        violates="CleanTests.test_nothing_is_left",
    ),
    Broken(
        file="channel.py",
        text="self.transport.abortConnection",
        replacement="self.transport.loseConnection",
        story="It asks a client that does not read once more to go.",
        violates="CloseTimeoutTests.test_client_that_does_not_read",
    ),
    Broken(
        file="channel.py",
        text="        self._idle.reset(self._idle_timeout)\n",
        replacement="        if self._idle.active():\n            self._idle.cancel()\n",
        story="It waits for a client that has sent one byte as if it would send more.",
        violates="IdleTimeoutTests.test_half_a_request",
    ),
    Broken(
        file="channel.py",
        text='too slow."""\n        self._stop_reading()\n        self._close()\n',
        replacement='too slow."""\n        self._stop_reading()\n        self.transport.loseConnection()\n',
        story="It never cuts off a client that it has sent away.",
        violates="CloseTimeoutTests.test_client_that_was_sent_away",
    ),
    Broken(
        file="channel.py",
        text="        self._stop_reading()\n        self._answer(self._render(refusal(status, explanation)))\n",
        replacement="        self._stop_reading()\n        self.transport.write(self._render(refusal(status, explanation)))\n        self.transport.loseConnection()\n",
        story="It never cuts off a client that it has refused.",
        violates="WaysToCloseTests.test_refusals",
    ),
    Broken(
        file="channel.py",
        text="        self._reading = False\n        self._stop_timers()\n",
        replacement="        self._reading = False\n        self._idle.cancel() if self._idle.active() else None\n",
        story="It blames the client for the time that the handler takes, after a minute.",
        violates="HandlerTimeTests.test_slow_handler",
    ),
    Broken(
        file="channel.py",
        text="self._clock.callLater(self._close_timeout,",
        replacement="self._clock.callLater(self._idle_timeout,",
        story="It gives a client as long to go as it may be silent.",
        violates="CloseTimeoutTests.test_client_that_does_not_read",
    ),
    Broken(
        file="channel.py",
        text="        self._idle_timeout = idle_timeout\n",
        replacement="        self._idle_timeout = int(idle_timeout)\n",
        story="It counts whole seconds alone.",
        violates="SlowClientTests.test_fractions_of_a_second",
    ),
    Broken(
        file="channel.py",
        text="self._clock.callLater(self._request_timeout, self._give_up)",
        replacement="self._clock.callLater(self._request_timeout, self.transport.abortConnection)",
        story="It cuts off, in the middle of a word, a client whose request took too long.",
        violates="RequestTimeoutTests.test_client_that_trickles",
    ),
)
