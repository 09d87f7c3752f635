"""The tests of a stage are strong: they catch every server with a plausible bug.

It starts a process for each stage.  So it is not named ``test_*``, and CI runs it once,
with one version of Python: ``trial workshop.test.strength``.
"""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from exercises.manifest import STAGES
from solutions.broken import Broken, broken_servers, freedoms, sources_with
from workshop.descriptions import tests_in
from workshop.hollow import hollow_sources
from workshop.jobs import Job
from workshop.mutation import mutants
from workshop.pool import Pool
from workshop.suite import run_broken

timeout = 600  # seconds


class StrengthTests(TestCase):
    """Broken servers and the tests that must catch them."""

    def test_number(self) -> None:
        """There are six for each stage of Part I, ten for each other, all with their own story."""
        for stage in STAGES:
            stories = {bug.story for bug in broken_servers(stage.number)}
            self.assertGreaterEqual(len(stories), 6 if stage.part == "I" else 10, stage.title)
            self.assertEqual(len(stories), len(broken_servers(stage.number)), stage.title)

    def test_freedoms(self) -> None:
        """The tests pass on each server that is correct, but different."""
        for stage in STAGES:
            for freedom in freedoms(stage.number):
                sources = sources_with(stage.number, freedom)
                with Pool(1) as pool:
                    job = Job(stage.number, f"solutions.stage{stage.number}", sources=sources)
                    run = pool.submit(job)
                    pool.wait([run])
                self.assertEqual((run.problem, run.failed), (None, []), freedom.story)

    def test_hollow(self) -> None:
        """Where nothing of a stage is written, each of its tests fails, and none for an import."""
        with Pool() as pool:
            for stage in STAGES:
                server = f"solutions.stage{stage.number}"
                run = pool.submit(Job(stage.number, server, sources=hollow_sources(stage)))
                pool.wait([run])
                self.assertIsNone(run.problem, stage.title)
                passed = [outcome.test for outcome in run.outcomes if not outcome.failed]
                self.assertEqual(passed, [], stage.title)

    def test_violated(self) -> None:
        """In Part II the requirement that is violated is one of those that are described."""
        for stage in STAGES:
            if stage.part == "II":
                described = {test.test for test in tests_in(stage.folder)}
                violated = {bug.violates for bug in broken_servers(stage.number)}
                self.assertEqual(violated - described, set(), stage.title)

    def test_each_is_caught(self) -> None:
        """Each is caught by the test that states what it violates."""
        survivors = []
        for stage in STAGES:
            servers = zip(broken_servers(stage.number), run_broken(stage.number), strict=True)
            for bug, outcomes in servers:
                caught = {outcome.test for outcome in outcomes if outcome.failed}
                if bug.violates not in caught:
                    survivors.append((stage.number, bug.story, bug.violates, sorted(caught)))
        self.assertEqual(survivors, [])


class MutationTests(TestCase):
    """Mutants of the solutions, and the tests that must notice them."""

    def test_each_operator(self) -> None:
        """Each operator makes its mutants."""
        for source, expected in {
            "a <= b": ["(a < b)"],
            "a and b": ["(a or b)", "(b)", "(a)"],
            "not a": ["(a)"],
            "a + b": ["(a - b)"],
            "7": ["8", "6"],
            "b'x'": ["b'XXxXX'"],
            "True": ["False"],
            "a[b:c]": ["a[:c]", "a[b:]"],
            "a.lower()": ["a.upper()"],
            "f(a, b=c)": ["f(b=c)", "f(None, b=c)", "f(a)"],
            "a if b else c": ["(a)", "(c)"],
        }.items():
            came = {mutant.source for mutant in mutants("m.py", f"x = {source}")}
            missing = {f"x = {text}" for text in expected} - came
            self.assertEqual(missing, set(), came)

    def test_what_is_left_out(self) -> None:
        """Docstrings, annotations and texts for people are no code."""
        source = '"""A module."""\ndef f(a: int) -> str:\n    """A function."""\n'
        self.assertEqual(mutants("m.py", source), [])
        self.assertEqual(mutants("m.py", "assert f('No such file.')")[0].source, "pass")

    def test_key(self) -> None:
        """What a mutant is called does not change with the lines before it."""
        (first,) = mutants("m.py", "def f():\n    a()\n")
        (second,) = mutants("m.py", "import os\n\ndef f():\n    a()\n")
        self.assertEqual((first.key, first.line, second.line), (second.key, 2, 4))
        self.assertEqual(first.key, "m.py f: a() [a() => pass]")


class BrokenServerTests(TestCase):
    """A solution with one text replaced."""

    def test_text_that_is_not_there(self) -> None:
        """A bug whose text has gone from the solution is an error, which quotes it."""
        bug = Broken("request.py", "no such text", "", "", "")
        error = self.assertRaises(ValueError, sources_with, 1, bug)
        self.assertIn("no such text", str(error))

    def test_text_that_is_there_twice(self) -> None:
        """So is one whose text does not say which place is meant."""
        bug = Broken("request.py", "BadRequest", "", "", "")
        self.assertRaises(ValueError, sources_with, 1, bug)
