"""The judge blames and credits only for what happens again, and leaves nothing out in silence."""

from __future__ import annotations

import sys
from pathlib import Path

from exercises.manifest import STAGES
from solutions.broken import freedoms
from workshop.jobs import Job, Outcome
from workshop.judge import UsageError, compatible, judge
from workshop.pool import Run
from workshop.test.judged import HEAD, JudgedTestCase, workers
from workshop.validity import Correct, state_of
from workshop.verdict import Verdict

timeout = 60  # seconds: a test that hangs is waited for

COUNT = """
    def count(self):
        mark = os.environ["WORKSHOP_MARK"] = {mark!r}
        with open(mark, "a") as file:
            file.write("x")
        return os.path.getsize(mark)
"""
"""A method that returns 1, 2, 3 and so on, in whatever process: what follows it is flaky."""


class FlakyTests(JudgedTestCase):
    """What happens once may be chance."""

    def judge_counting(self, body: str) -> tuple[str, str]:
        """Judge a test that can call ``self.count``; return its state, and why."""
        mark = str(Path(self.mktemp()).resolve())
        test = self.judge_text(HEAD + COUNT.format(mark=mark) + body).tests[-1]
        return test.state, test.why

    def test_accusation(self) -> None:
        """A test that fails with a correct server, and then passes, is flaky; not too strict."""
        state, why = self.judge_counting(
            """
    def test_a(self):
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        self.assertNotEqual(self.count(), 1)
"""
        )
        self.assertEqual(state, "is flaky")
        self.assertIn("1 == 1", why)

    def test_hang(self) -> None:
        """So is one that hangs once, and one that ends its process once."""
        for once in ("while True: pass", "os._exit(7)"):
            state, _ = self.judge_counting(
                f"""
    def test_a(self):
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        if self.count() == 1:
            {once}
"""
            )
            self.assertEqual(state, "is flaky", once)

    def test_credit(self) -> None:
        """A test that fails now and then on broken servers alone is flaky, and catches nothing."""
        mark = str(Path(self.mktemp()).resolve())
        body = """
    def test_a(self):
        try:
            parse_request(b"GET / HTTP/1.0x\\r\\n\\r\\n")
        except BadRequest:
            return
        self.assertTrue(self.count() % 3)
"""
        verdict = self.judge_text(HEAD + COUNT.format(mark=mark) + body)
        test = verdict.tests[-1]
        self.assertNotEqual(test.state, "asks for too much")
        self.assertNotIn(test.test, [bug.caught_by for bug in verdict.bugs])
        self.assertEqual(test.catches, [])

    def test_catches_are_tried_again(self) -> None:
        """What a flaky test has caught is credited to the next test that catches it."""
        mark = str(Path(self.mktemp()).resolve())
        strict = "self.assertRaises(BadRequest, parse_request, b'GET / HTTP/1.0x\\r\\n\\r\\n')"
        body = f"""
    def test_a(self):
        {strict}
        self.assertNotEqual(self.count(), 1)

    def test_b(self):
        {strict}
"""
        verdict = self.judge_text(HEAD + COUNT.format(mark=mark) + body)
        self.assertEqual([test.state for test in verdict.tests], ["valid", "is flaky", "valid"])
        caught = {bug.caught_by for bug in verdict.bugs} - {None}
        self.assertIn("RequestTests.test_b", caught)
        self.assertNotIn("RequestTests.test_a", caught)


class LeftOutTests(JudgedTestCase):
    """What Trial would not run is named."""

    def test_function(self) -> None:
        """A function, and a class that is no test case."""
        verdict = self.judge_text(
            HEAD
            + """

def test_function():
    assert False


class TestMore:
    def test_method(self, tmp_path):
        assert False
"""
        )
        states = {test.test: test.state for test in verdict.tests}
        expected = {
            "RequestTests.test_good": "valid",
            "test_function": "never runs",
            "TestMore.test_method": "never runs",
        }
        self.assertEqual(states, expected)
        self.assertIn("TestCase", verdict.tests[-1].why)
        self.assertFalse(verdict.valid)

    def test_nothing_else(self) -> None:
        """A module that has nothing else."""
        verdict = self.judge_text("def test_a():\n    assert False\n")
        self.assertEqual([test.state for test in verdict.tests], ["never runs"])

    def test_mixin(self) -> None:
        """What a test case inherits is run with it, and not named."""
        mixin = "\n\nclass Mixin:\n    def test_more(self):\n        self.test_good()\n\nclass "
        text = HEAD.replace("\n\nclass ", mixin).replace("(TestCase)", "(Mixin, TestCase)")
        states = {test.test: test.state for test in self.judge_text(text).tests}
        expected = {"RequestTests.test_good": "valid", "RequestTests.test_more": "valid"}
        self.assertEqual(states, expected)

    def test_imported_case(self) -> None:
        """A test case that a test module imports from a helper is run."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        (folder / "helping.py").write_text(HEAD)
        (folder / "test_mine.py").write_text("from .helping import RequestTests\n")
        names = [test.test for test in judge(1, folder, workers()).tests]
        self.assertEqual(names, ["RequestTests.test_good"])


class PrivateTests(JudgedTestCase):
    """Tests of what only the learner's own code has."""

    def setUp(self) -> None:
        """Make a folder with a module of tests for everybody.

        The learner has a ``reader``, which the solution of stage 1 has not.
        """
        self.patch(sys.modules["workshop.judge"], "LEARNER", "solutions.stage3")
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        (self.folder / "test_all.py").write_text(HEAD)

    def judge_two(self, text: str) -> Verdict:
        """Judge a second module with this text."""
        (self.folder / "test_mine.py").write_text(text)
        verdict = judge(1, self.folder, workers())
        self.assertIsNone(verdict.problem)
        return verdict

    def states(self, text: str) -> dict[str, tuple[str, str]]:
        """Judge a second module with this text; return the states, and why."""
        return {test.test: (test.state, test.why) for test in self.judge_two(text).tests}

    def test_own_module(self) -> None:
        """A file that imports it is judged with that code alone; the others as ever."""
        verdict = self.judge_two(
            """
from twisted.trial.unittest import TestCase
from exercises.myhttp.reader import RequestReader

class MineTests(TestCase):
    def test_right(self):
        self.assertTrue(RequestReader)

    def test_wrong(self):
        self.assertFalse(RequestReader)
"""
        )
        tests = {test.test: test for test in verdict.tests}
        self.assertEqual(tests["RequestTests.test_good"].state, "valid")
        for name in ("MineTests.test_right", "MineTests.test_wrong"):
            self.assertEqual(tests[name].state, "is about your own code")
            self.assertIn("exercises.myhttp.reader", tests[name].why)
        self.assertTrue(verdict.valid)
        fails = [failing.test for failing in verdict.own.fails]
        self.assertEqual((fails, verdict.own.total), (["MineTests.test_wrong"], 3))

    def test_own_module_within_a_test(self) -> None:
        """A test that imports it when it runs is such a test, too."""
        text = """
from twisted.trial.unittest import TestCase

class MineTests(TestCase):
    def test_one(self):
        from exercises.myhttp.reader import RequestReader
        self.assertTrue(RequestReader)
"""
        state, _ = self.states(text)["MineTests.test_one"]
        self.assertEqual(state, "is about your own code")

    def test_nobody_has_it(self) -> None:
        """What nobody has is a mistake of that file; the others are judged."""
        states = self.states(HEAD.replace("RequestTests", "MineTests").replace("Bad", "Worse"))
        self.assertEqual(states["RequestTests.test_good"][0], "valid")
        state, why = states["MineTests.test_good"]
        self.assertEqual(state, "cannot be imported")
        self.assertIn("WorseRequest", why)


class DroppedTests(JudgedTestCase):
    """An assertion in a Deferred that nobody waits for."""

    def test_dropped(self) -> None:
        """Its failure is lost, whether the Deferred is kept or collected."""
        for keep in ("self.kept = d", "pass"):
            test = self.judge_test(
                f"""
    def test_a(self):
        d = defer.succeed(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        d.addCallback(lambda request: self.assertEqual(request.method, b"PUT"))
        {keep}
"""
            )
            self.assertEqual(test.state, "asserts nothing", keep)
            self.assertIn("Deferred", test.why)

    def test_dropped_on_a_broken_server(self) -> None:
        """So it is if it fails on a broken server only."""
        test = self.judge_test(
            """
    def test_a(self):
        d = self.kept = defer.maybeDeferred(parse_request, b"GET / HTTP/1.0x\\r\\n\\r\\n")
        d.addCallbacks(lambda request: self.fail("no error"), lambda failure: None)
"""
        )
        self.assertEqual(test.state, "asserts nothing")

    def test_handled(self) -> None:
        """A failure that is handled is no assertion that is dropped."""
        test = self.judge_test(
            """
    def test_a(self):
        self.kept = defer.fail(AssertionError("no"))
        self.failureResultOf(self.kept, AssertionError)
        self.assertEqual(parse_request(b"PUT / HTTP/1.0\\r\\n\\r\\n").method, b"PUT")
"""
        )
        self.assertEqual((test.state, test.why), ("valid", ""))


class OnlyTests(JudgedTestCase):
    """Some descriptions alone."""

    def test_only(self) -> None:
        """Their tests alone are judged, and the bugs that violate them."""
        stage = STAGES[8]
        verdict = judge(9, stage.contract, workers(), only=["test_index", "FileTests.test_slash"])
        names = {test.test for test in verdict.tests}
        self.assertEqual(names, {"FileTests.test_index", "FileTests.test_slash"})
        self.assertEqual({bug.violates for bug in verdict.bugs}, names)
        self.assertTrue(verdict.valid and verdict.thorough, verdict.summary)
        self.assertEqual(verdict.own.requirements, 2)

    def test_not_thorough(self) -> None:
        """One that is not written yet lets its bugs survive."""
        verdict = judge(9, None, workers(), only=["test_index"])
        self.assertEqual([test.state for test in verdict.tests], ["not written"])
        self.assertFalse(verdict.thorough)

    def test_unknown(self) -> None:
        """A name that describes nothing is an error; in Part III nothing is described."""
        error = self.assertRaises(UsageError, judge, 9, None, workers(), only=["test_nothing"])
        self.assertIn("test_index", str(error))
        self.assertRaises(UsageError, judge, 11, None, workers(), only=["test_request"])


class MeaningTests(JudgedTestCase):
    """What a failure on a correct server means."""

    def run_with(self, how: str, message: str = "") -> Run:
        """Return a run of one test that ended so."""
        outcomes = [Outcome("T.test_a", how, "Error" if message else "", message)]
        return Run(Job(9, ""), tests={"T.test_a": "test_a.py"}, outcomes=outcomes)

    def why(self, *ends: str) -> str:
        """Judge a test that ended so on the solution, and on two servers with a freedom each."""
        solution, *others = [self.run_with(how, "why" * (how != "passed")) for how in ends]
        correct = [Correct(solution, "solution")]
        correct += [
            Correct(run, f"It asks for {name}", (name,))
            for run, name in zip(others, ("an order", "a phrase"), strict=True)
        ]
        return state_of("T.test_a", correct, "", "test_a.py").why

    def test_freedom(self) -> None:
        """A test that fails on one server with a freedom asks for that."""
        self.assertIn("a phrase", self.why("passed", "passed", "failed"))
        self.assertIn("an order", self.why("passed", "failed", "passed"))

    def test_the_solution_has_it_in_one_way(self) -> None:
        """One that fails with the solution, but not on a server with a freedom, asks for that."""
        self.assertIn("a phrase", self.why("failed", "failed", "passed"))
        self.assertIn("solution", self.why("failed", "failed", "failed"))

    def test_something_else(self) -> None:
        """One that fails on all of them fails for another reason."""
        why = self.why("passed", "error", "error")
        self.assertNotIn("an order", why)
        self.assertIn("a server that is correct", why)

    def test_compatible(self) -> None:
        """All freedoms of a stage are tried, each once."""
        for stage in STAGES:
            found = [
                change
                for group in compatible(stage.number, freedoms(stage.number))
                for change in group
            ]
            self.assertEqual(len(found), len(freedoms(stage.number)))
            self.assertEqual(set(found), set(freedoms(stage.number)))
