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
from workshop.patterns import changed
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

    def assert_made(self, source: str, *expected: str) -> None:
        """Assert that these are among the mutants of a text."""
        actual = {mutant.source for mutant in mutants("m.py", source)}
        self.assertEqual(set(expected) - actual, set(), "\n".join(sorted(actual)))

    def test_expressions(self) -> None:
        """An operand, an argument or a bound is left out; an operator or a constant is another."""
        for source, expected in {
            "a and b": ["(a or b)", "(b)", "(a)"],
            "not a": ["(a)"],
            "a + b": ["(a - b)"],
            "7": ["8", "6"],
            "b'x'": ["b'XXxXX'", "b'X'", "b''"],
            "True": ["False"],
            "a[b:c]": ["a[:c]", "a[b:]"],
            "f(a, b=c)": ["f(b=c)", "f(None, b=c)", "f(a)"],
            "a if b else c": ["(a)", "(c)"],
        }.items():
            self.assert_made(f"x = {source}", *[f"x = {text}" for text in expected])

    def test_comparisons(self) -> None:
        """Each comparison becomes each other one."""
        for source, others in {
            "<=": ["<", ">", ">=", "==", "!="],
            "==": ["<", "<=", ">", ">=", "!=", "is", "in"],
            "is": ["is not", "==", "!="],
            "in": ["not in", "==", "!="],
        }.items():
            self.assert_made(f"x = a {source} b", *[f"x = (a {other} b)" for other in others])

    def test_arguments(self) -> None:
        """Two arguments change places; a default is dropped."""
        self.assert_made("f(a, b, c)", "f(b, a, c)", "f(a, c, b)")
        self.assert_made("def f(a=b): pass", "def f(a): pass")
        self.assert_made("def f(*, a: int = b, c=d): pass", "def f(*, a: int, c=d): pass")

    def test_conversions(self) -> None:
        """What converts is taken away, or does more or less."""
        for source, expected in {
            "bytes(a)": ["bytearray(a)", "a"],
            "tuple(a)": ["list(a)", "a"],
            "a.lower()": ["a.upper()", "a"],
            "a.strip(b)": ["a.strip()", "a.lstrip(b)", "a.rstrip(b)", "a"],
            "a.split(b)": ["a.split()", "a.rsplit(b)", "a.splitlines()"],
            "a.removesuffix(b)": ["a.rstrip(b)", "a"],
        }.items():
            self.assert_made(f"x = {source}", *[f"x = {text}" for text in expected])

    def test_statements(self) -> None:
        """A statement is deleted, doubled, swapped with the next; or nothing comes after it."""
        source = "def f():\n    a()\n    if b:\n        c = d\n"
        self.assert_made(
            source,
            "def f():\n    pass\n    if b:\n        c = d\n",
            "def f():\n    a()\n    pass\n",
            "def f():\n    a()\n    a()\n    if b:\n        c = d\n",
            "def f():\n    if b:\n        c = d\n    a()\n",
            "def f():\n    a()\n    return\n    if b:\n        c = d\n",
            "def f():\n    a()\n    if b:\n        return\n        c = d\n",
        )

    def test_exceptions(self) -> None:
        """What is caught or raised is wider or narrower, and ``try`` is taken away."""
        source = "try:\n    a()\nexcept {}:\n    b()\n"
        others = [source.format(name) for name in ("Exception", "PermissionError", "()")]
        self.assert_made(source.format("OSError"), *others, "a()\n")
        self.assert_made("raise ValueError(a)", "raise Exception(a)", "raise UnicodeError(a)")

    def test_shared_attribute(self) -> None:
        """What each instance makes for itself is made once, for all."""
        source = "class C:\n    def __init__(self, a):\n        self.b = a\n        self.c = []\n"
        shared = source.replace("self.c = []", "pass").replace("    def", "    c = []\n    def")
        self.assert_made(source, shared)

    def test_regular_expressions(self) -> None:
        """An escape, a quantifier, a class, an anchor is another one, or none; a flag is added."""
        self.assert_made(
            r"p = re.compile(rb'\.[a-c]+$')",
            r"p = re.compile(b'.[a-c]+$')",
            r"p = re.compile(b'\\.[a-c]*$')",
            r"p = re.compile(b'\\.[a-c]$')",
            r"p = re.compile(b'\\.[^a-c]+$')",
            r"p = re.compile(b'\\.[b-c]+$')",
            r"p = re.compile(b'\\.[a-d]+$')",
            r"p = re.compile(b'\\.[a-c]+')",
            r"p = re.compile(b'\\.[a-c]+\\Z')",
            r"p = re.compile(b'\\.[a-c]+$', flags=re.IGNORECASE)",
        )
        self.assertIn("a{1,}", changed("a{1,4}"))
        self.assertIn("a|c", changed("a|b|c"))
        self.assertIn("(?=b)", changed("(?!b)"))

    def test_all_can_be_compiled(self) -> None:
        """No mutant is there twice, none is the original, and none is refused by Python."""
        source = "def f():\n    a = 1\n    return a + a\n"
        sources = [mutant.source for mutant in mutants("m.py", source)]
        self.assertEqual(len({source, *sources}), 1 + len(sources))
        for text in sources:
            compile(text, "m.py", "exec")

    def test_what_is_left_out(self) -> None:
        """Docstrings, annotations and texts for people are no code."""
        source = '"""A module."""\ndef f(a: int) -> str:\n    """A function."""\n'
        self.assertEqual(mutants("m.py", source), [])
        self.assertEqual(mutants("m.py", "assert f('No such file.')")[0].source, "pass")

    def test_key(self) -> None:
        """What a mutant is called does not change with the lines before it."""
        first, *_ = mutants("m.py", "def f():\n    a()\n")
        second, *_ = mutants("m.py", "import os\n\ndef f():\n    a()\n")
        self.assertEqual((first.key, first.line, second.line), (second.key, 2, 4))
        self.assertEqual(first.key, "m.py f: a() [twice]")


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
