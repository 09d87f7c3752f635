"""How thousands of connections wait, each for its own time, at next to no cost.

A reactor keeps its delayed calls in a heap.  To make one, put it off and cancel it takes
as long as to parse a small request, and 500 bytes.  But most connections wait for one of
three times, and who waits for the same time as others is due in the order in which they
began.  So a dictionary for each time is enough, as it keeps the order, and one delayed
call for the first in it.
"""

from __future__ import annotations

from math import inf
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger


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

    def start(self, seconds: float, waiter: Waiter) -> TimeoutQueue:
        """Call ``waiter.timed_out()`` in so many seconds.

        :returns: where it waits: ``stop(waiter)`` there ends that, as long as it waits.
        """
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = TimeoutQueue(self, seconds)
        queue.due[waiter] = self.clock.seconds() + seconds
        return queue

    def forget(self, queue: TimeoutQueue) -> None:
        """Drop a queue in which nobody waits."""
        del self._queues[queue.seconds]


class TimeoutQueue:
    """Those that wait for the same number of seconds, the one that is due first in front.

    :ivar seconds: how many.
    :ivar due: when the time of each is over.
    """

    __slots__ = ("_call", "_timeouts", "due", "seconds")

    log = Logger()

    def __init__(self, timeouts: Timeouts, seconds: float) -> None:
        self.seconds = seconds
        self._timeouts = timeouts
        self.due: dict[Waiter, float] = {}
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
        for waiter in late:
            if self.due.get(waiter, inf) <= now:  # unless another one has just stopped it
                del self.due[waiter]
                try:
                    waiter.timed_out()
                except Exception:
                    self.log.failure("What was to be done after {seconds} s", seconds=self.seconds)
        for when in self.due.values():
            self._call = clock.callLater(max(when - now, 0), self._look)
            return
        self._timeouts.forget(self)
