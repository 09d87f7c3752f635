"""The one line that shows that the machine can do it all."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase

from toyhttp import LateResponse
from workshop.ready import PATIENCE, ask, main

timeout = 30


class NoNetwork(MemoryReactorClock):
    """A reactor on a machine where nobody may listen."""

    def listenTCP(self, port: int, *args: Any, **options: Any) -> Any:
        raise CannotListenError("127.0.0.1", port, OSError("not today"))


class AskTests(TestCase):
    """A real server, asked by a real client."""

    async def test_it_answers(self) -> None:
        """It gives the port, which is free; Trial sees that nothing of it is left."""
        port = await ask(reactor)
        self.assertGreater(port, 0)
        self.assertNotEqual(port, 8080)

    def test_nobody_may_listen(self) -> None:
        """The error is that of the system."""
        self.failureResultOf(ask(NoNetwork()), CannotListenError)

    def test_nobody_answers(self) -> None:
        """A firewall that swallows everything is noticed in time; the server goes away."""
        silent = MemoryReactorClock()
        asked = ask(silent)
        self.assertNoResult(asked)
        silent.advance(PATIENCE)
        self.failureResultOf(asked, LateResponse)
        self.assertEqual(silent.getDelayedCalls(), [])


class ReportTests(TestCase):
    """What is said."""

    def setUp(self) -> None:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()

    async def report(self, reactor: Any) -> int:
        """Return the exit code."""
        with (
            contextlib.redirect_stdout(self.stdout),
            contextlib.redirect_stderr(self.stderr),
        ):
            return await main(reactor)

    async def test_ready(self) -> None:
        """One line, and exit code 0."""
        code = await self.report(reactor)
        self.assertEqual((code, self.stderr.getvalue()), (0, ""))
        self.assertRegex(
            self.stdout.getvalue(),
            r"\AAll works here: the finished server ran on port \d+, and answered its client\.\n\Z",
        )

    async def test_not_ready(self) -> None:
        """What went wrong, what to look at, and what can be done all the same."""
        code = await self.report(NoNetwork())
        self.assertEqual((code, self.stdout.getvalue()), (1, ""))
        for words in ("not today", "127.0.0.1", "firewall", "Only stage 8 needs it"):
            self.assertIn(words, " ".join(self.stderr.getvalue().split()))
