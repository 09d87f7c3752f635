"""Many that wait for the same time, with one delayed call of the clock."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from toyhttp.timeouts import Timeouts


class TimeoutsTests(SynchronousTestCase):
    """What is started is called in time, unless it is stopped."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(0.1)
        self.timeouts = Timeouts(self.clock)
        self.late: list[tuple[str, float]] = []

    def start(self, name: str, seconds: float) -> Waiter:
        """Start one that notes when it was called."""
        waiter = Waiter(self, name)
        waiter.start(seconds)
        return waiter

    def test_called(self) -> None:
        """It is called after so many seconds, once, and not before."""
        self.start("a", 15)
        self.clock.advance(14.9)
        self.assertEqual(self.late, [])
        self.clock.pump([0.1, 20])
        self.assertEqual(self.late, [("a", 15.1)])

    def test_stopped(self) -> None:
        """It is not called any more, and no delayed call is left."""
        self.start("a", 15).stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(20)
        self.assertEqual(self.late, [])

    def test_all_in_their_time(self) -> None:
        """Each is called when it is due, whatever began before it or ended."""
        waiters = []
        for name in "abcdef":
            waiters.append(self.start(name, 15))
            self.clock.advance(1)
        waiters[0].stop()
        waiters[3].stop()
        self.start("short", 2)
        for _ in range(20):
            self.clock.advance(1)
        found = [(name, round(when, 1)) for name, when in self.late]
        right = [("short", 8.1), ("b", 16.1), ("c", 17.1), ("e", 19.1), ("f", 20.1)]
        self.assertEqual(found, right)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_call_for_each_time(self) -> None:
        """However many wait, the clock has one delayed call for each number of seconds."""
        for number in range(100):
            self.start(f"a{number}", 15)
            self.start(f"b{number}", 60)
        self.assertEqual(len(self.clock.getDelayedCalls()), 2)
        self.clock.advance(60)
        self.assertEqual(len(self.late), 200)

    def test_nobody_is_left(self) -> None:
        """What waited for a time that nobody waits for any more takes no memory."""
        for seconds in range(1, 100):
            self.start("a", seconds).stop()
        for seconds in range(1, 100):
            self.start("a", seconds)
        self.clock.advance(100)
        self.assertEqual(len(self.timeouts), 0)

    def test_stopped_by_another(self) -> None:
        """One that is due may stop another that is, too, or start again."""
        first, second = self.start("a", 15), self.start("b", 15)

        def stop() -> None:
            second.stop()
            first.start(15)

        first.then = stop
        self.clock.advance(15)
        self.assertEqual([name for name, _ in self.late], ["a"])
        first.then = lambda: None
        self.clock.advance(15)
        self.assertEqual([name for name, _ in self.late], ["a", "a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_that_raises(self) -> None:
        """The others are called all the same, and the reactor may log it."""
        self.start("a", 15).then = lambda: 1 // 0
        self.start("b", 15)
        self.start("c", 15.5)
        self.assertRaises(ZeroDivisionError, self.clock.advance, 15)
        self.clock.advance(0)
        self.clock.advance(0.5)
        self.assertEqual([name for name, _ in self.late], ["a", "b", "c"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_put_off(self) -> None:
        """One that waits may begin anew, for the same time or another one."""
        first, second, _ = self.start("a", 15), self.start("b", 15), self.start("c", 15)
        self.clock.advance(10)
        for waiter, seconds in ((first, 15), (second, 10)):
            waiter.queue = self.timeouts.start(seconds, waiter, waiter.queue)
        self.clock.pump([4.9, 0.1, 5, 5, 100])
        found = [(name, round(when, 1)) for name, when in self.late]
        self.assertEqual(found, [("c", 15.1), ("b", 20.1), ("a", 25.1)])
        self.assertEqual((len(self.timeouts), self.clock.getDelayedCalls()), (0, []))

    def test_clock_that_is_set_back(self) -> None:
        """Nobody waits for those that began when it was later."""
        self.clock.advance(3600)
        old = self.start("a", 15)
        self.clock.rightNow -= 3600
        self.start("b", 15)
        self.start("c", 15)
        self.clock.advance(15)
        self.assertEqual([name for name, _ in self.late], ["b", "c"])
        old.stop()
        self.assertEqual((len(self.timeouts), self.clock.getDelayedCalls()), (0, []))

    def test_times_that_are_not_exact(self) -> None:
        """Sums of fractions are rounded: nobody is called too early, or waits for ever."""
        for _ in range(1000):
            self.start("a", 0.3)
            self.clock.advance(0.1)
        self.clock.advance(1)
        self.assertEqual(len(self.late), 1000)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Waiter:
    """Waits, as a channel does.

    :ivar then: what it does when its time is over.
    """

    def __init__(self, case: TimeoutsTests, name: str) -> None:
        self._case = case
        self._name = name
        self.then: Callable[[], object] = lambda: None

    def start(self, seconds: float) -> None:
        """Wait for so many seconds."""
        self.queue = self._case.timeouts.start(seconds, self)

    def stop(self) -> None:
        """Wait no more."""
        self.queue.stop(self)

    def timed_out(self) -> None:
        """Note when that was."""
        self._case.late.append((self._name, self._case.clock.seconds()))
        self.then()
