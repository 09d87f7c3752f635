"""How thousands of connections wait, with a few delayed calls of the clock.

A reactor keeps its delayed calls in a heap.  To make one, put it off and cancel it takes
as long as to parse a small request, and 450 bytes.  But connections wait for few different
times, and of those that wait for the same time, who began first is due first.  So a
dictionary for each time is enough, as it keeps the order, and one delayed call for the
first in it.
"""

from __future__ import annotations

from math import inf
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Waiter(Protocol):
    """One that waits."""

    def timed_out(self) -> None:
        """Hear that its time is over."""


class Timeouts:
    """Calls each waiter when its time is over.

    :param clock: what tells the time, and has the delayed calls.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self._queues: dict[float, TimeoutQueue] = {}

    def __len__(self) -> int:
        """Return for how many different times somebody waits."""
        return len(self._queues)

    def start(
        self, seconds: float, waiter: Waiter, before: TimeoutQueue | None = None
    ) -> TimeoutQueue:
        """Call ``waiter.timed_out()`` in so many seconds.

        :param before: where it waits so far; it does no more.
        :returns: where it waits: ``stop(waiter)`` there ends that, as long as it waits.
        """
        due = self.clock.seconds() + seconds
        queue = self._queues.get(seconds)
        if queue is None or due < queue.last:  # or the clock was set back: the old one goes on
            queue = self._queues[seconds] = TimeoutQueue(self, seconds)
        if before is queue:
            del queue.due[waiter]
        elif before is not None:
            before.stop(waiter)
        queue.due[waiter] = queue.last = due  # behind all others
        return queue

    def forget(self, queue: TimeoutQueue) -> None:
        """Drop a queue in which nobody waits."""
        if self._queues.get(queue.seconds) is queue:
            del self._queues[queue.seconds]


class TimeoutQueue:
    """Those that wait for the same number of seconds, the one that is due first in front.

    :ivar seconds: how many.
    :ivar due: when the time of each is over.
    :ivar last: when that of the last one is.
    """

    __slots__ = ("_call", "_timeouts", "due", "last", "seconds")

    def __init__(self, timeouts: Timeouts, seconds: float) -> None:
        self.seconds = seconds
        self._timeouts = timeouts
        self.due: dict[Waiter, float] = {}
        self.last = 0.0
        self._call: IDelayedCall = timeouts.clock.callLater(seconds, self._look)

    def stop(self, waiter: Waiter) -> None:
        """Let one wait no more."""
        del self.due[waiter]
        if not self.due and self._call.active():
            self._call.cancel()
            self._timeouts.forget(self)

    def _look(self) -> None:
        """Call those that are due; look again when the next one is."""
        clock = self._timeouts.clock
        # A sum of fractions may be a little more than the clock shows when it is over.
        now = clock.seconds() + 1e-6
        late = []
        for waiter, when in self.due.items():
            if when > now:
                break
            late.append(waiter)
        try:
            for waiter in late:
                if self.due.get(waiter, inf) <= now:  # unless another one has just stopped it
                    del self.due[waiter]
                    waiter.timed_out()
        finally:  # if it raises, the reactor logs it, and the others are called soon
            self._look_again()

    def _look_again(self) -> None:
        """Look again when the next one is due, if anybody waits."""
        clock = self._timeouts.clock
        for when in self.due.values():
            self._call = clock.callLater(max(when - clock.seconds(), 0), self._look)
            return
        self._timeouts.forget(self)
