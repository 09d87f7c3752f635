"""The tests of a stage are strong: they catch every server with a plausible bug.

It starts a process for each stage.  So it is not named ``test_*``, and CI runs it once,
with one version of Python: ``trial workshop.test.strength``.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.trial.unittest import TestCase

from exercises.manifest import STAGES, Stage
from solutions.broken import Broken, broken_servers, freedoms, sources_with
from workshop import equivalent
from workshop.descriptions import tests_in
from workshop.fuzz import KINDS
from workshop.fuzz.comparison import Comparison
from workshop.fuzz.worker import first_difference, given
from workshop.hollow import hollow_sources
from workshop.jobs import Job
from workshop.mutation import mutants
from workshop.patterns import changed
from workshop.pool import Pool, Run
from workshop.strength import (
    FUZZER,
    SOLUTIONS,
    compared,
    in_sample,
    mutants_of,
    of_solution,
    strength,
    subjects,
)
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


SAMPLE = 40  # of so many mutants one is tried
LISTED = 4  # and of so many that are listed one is run with all tests
SHARE = 0.02  # of the inputs of a full run


class SurvivorTests(TestCase):
    """Mutants that the tests pass are such that no input tells them from the right servers."""

    def test_mutants(self) -> None:
        """Tries a sample, all that are listed, and all that once were gaps.

        No input tells those apart that are listed, and no test notices them: for most of them
        the full run alone tries that, as all tests must be run. A test notices each that once
        was a gap, and each of the sample that an input tells apart.
        """
        gaps, noticed, again = [], [], []
        with Pool() as testers, Pool(module=FUZZER) as fuzzers:
            for subject in subjects(SOLUTIONS):
                listed = equivalent.listed(subject.stage, subject.path.name)
                once = equivalent.once_gaps(subject.stage, subject.path.name)
                tested, others = [], []
                for mutant in mutants_of(subject):
                    if mutant.key in listed and not in_sample(mutant, LISTED):
                        others.append(mutant)
                    elif mutant.key in listed | once or in_sample(mutant, SAMPLE):
                        tested.append(mutant)
                found = strength(testers, fuzzers, subject, tested, SHARE)
                survivors = found.survivors + compared(fuzzers, subject, others, SHARE)
                place = f"solutions/stage{subject.stage}/{subject.path.name}"
                left = {each.mutant.key for each in survivors}
                gaps += [
                    f"{place}: {each.mutant.key}\n    {each.given}"
                    for each in survivors
                    if each.is_gap
                ]
                noticed += [f"{place}: {key}" for key in sorted(listed - left)]
                again += [f"{place}: {key}" for key in sorted(once & left)]
        self.assertEqual(gaps, [], "\nNo test notices these:\n" + "\n".join(gaps))
        self.assertEqual(again, [], "\nNo test notices these any more:\n" + "\n".join(again))
        self.assertEqual(noticed, [], "\nRemove these from the list:\n" + "\n".join(noticed))

    def test_each_listed_has_a_reason(self) -> None:
        """Each stands there with a reason, with the stages and with a number of inputs."""
        for reason, entries in equivalent.equivalents().items():
            self.assertTrue(reason.endswith("."), reason)
            self.assertNotEqual(reason, equivalent.UNKNOWN, "\n".join(entries))
            for key, inputs in entries.items():
                self.assertTrue(inputs and all(count > 100 for count in inputs.values()), key)


class FuzzTests(TestCase):
    """What compares servers tells wrong ones apart, and not those that are right."""

    def compared(self, stage: Stage, changes: Iterable[dict[str, str]]) -> list[Run]:
        """Compare solutions of a stage with the right servers, some of their texts replaced."""
        kinds = dict(kind for module in stage.writes for kind in of_solution(stage, module).kinds)
        with Pool(module=FUZZER) as pool:
            runs = [
                pool.submit(
                    Comparison(
                        stage.number,
                        f"solutions.stage{stage.number}",
                        sources=change,
                        limit=5.0,
                        kinds=tuple(kinds),
                        levels=tuple(kinds.values()),
                        share_of_inputs=0.02,
                    )
                )
                for change in changes
            ]
            pool.wait(runs)
        return runs

    def test_freedoms(self) -> None:
        """A server that is correct, but different, is not told apart."""
        for stage in STAGES:
            open_here = freedoms(stage.number)
            changes = [sources_with(stage.number, freedom) for freedom in open_here]
            for freedom, run in zip(open_here, self.compared(stage, changes), strict=True):
                told = [outcome.message for outcome in run.failed]
                self.assertEqual(told, [], f"stage {stage.number}: {freedom.story}")

    def test_broken_servers(self) -> None:
        """Of the broken servers, which tests catch, it tells most apart with few inputs."""
        for stage in STAGES:
            bugs = [sources_with(stage.number, bug) for bug in broken_servers(stage.number)]
            told = [bool(run.failed) for run in self.compared(stage, bugs)]
            self.assertGreater(sum(told), 0.7 * len(bugs), f"stage {stage.number}")

    def test_inputs_that_count(self) -> None:
        """The right servers do the same with most inputs of each kind."""
        for stage in STAGES:
            (run,) = self.compared(stage, [{}])
            self.assertEqual(run.failed, [])
            for outcome in run.outcomes:
                count = int(KINDS[outcome.test] * 0.02)
                self.assertGreater(outcome.checks, count // 2, f"{outcome.test}, {stage.title}")

    def test_same_inputs(self) -> None:
        """The inputs are the same ones each time."""
        for kind in KINDS:
            first, second = given(kind, 10, 7), given(kind, 10, 7)
            self.assertEqual(repr(first), repr(second))
            self.assertNotEqual(repr(first), repr(given(kind, 10, 8)))

    def test_endless_loop(self) -> None:
        """A mutant that hangs is told apart."""
        change = "        self._buffer += data\n"
        loop = Broken("reader.py", change, "        while True:\n            pass\n", "", "")
        (run,) = self.compared(STAGES[2], [sources_with(3, loop)])
        self.assertEqual([outcome.how for outcome in run.failed], ["hung"])

    def test_first_difference(self) -> None:
        """What is told of two servers is the first thing in which they differ."""
        self.assertEqual(first_difference([1, (2, "a")], [1, (2, "b")]), ("a", "b"))
        self.assertEqual(first_difference([1], [1, 2]), ([1], [1, 2]))


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
