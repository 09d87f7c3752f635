"""The tests of a stage are strong: they catch every server with a plausible bug.

It starts a process for each stage.  So it is not named ``test_*``, and CI runs it once,
with one version of Python: ``trial workshop.test.strength``.
"""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from exercises.manifest import shipped
from solutions.broken import Broken, broken_server, broken_servers
from workshop.suite import run_broken

timeout = 300  # seconds


class StrengthTests(TestCase):
    """Broken servers and the tests that must catch them."""

    def test_each_stage_has_six(self) -> None:
        """A stage of Part I has at least six broken servers, each with its own story."""
        for stage in shipped():
            stories = {bug.story for bug in broken_servers(stage.number)}
            self.assertGreaterEqual(len(stories), 6, stage.title)
            self.assertEqual(len(stories), len(broken_servers(stage.number)), stage.title)

    def test_each_is_caught(self) -> None:
        """Each is caught by the test that states what it violates."""
        survivors = []
        for stage in shipped():
            servers = zip(broken_servers(stage.number), run_broken(stage.number), strict=True)
            for bug, outcomes in servers:
                caught = {outcome.test for outcome in outcomes if outcome.error}
                if bug.violates not in caught:
                    survivors.append((stage.number, bug.story, bug.violates, sorted(caught)))
        self.assertEqual(survivors, [])


class BrokenServerTests(TestCase):
    """A solution with one text replaced."""

    def test_text_that_is_not_there(self) -> None:
        """A bug whose text has gone from the solution is an error, which quotes it."""
        bug = Broken("request.py", "no such text", "", "", "")
        with self.assertRaises(ValueError) as caught, broken_server(1, bug):
            pass
        self.assertIn("no such text", str(caught.exception))

    def test_text_that_is_there_twice(self) -> None:
        """So is one whose text does not say which place is meant."""
        bug = Broken("request.py", "BadRequest", "", "", "")
        with self.assertRaises(ValueError), broken_server(1, bug):
            pass
