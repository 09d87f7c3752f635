"""What the judge prints, for people and for programs."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import TestCase

from exercises.manifest import STAGES
from workshop.environment import ROOT
from workshop.jobs import Problem
from workshop.judging import judge_elsewhere
from workshop.report import PlainConsole, Report, RichConsole
from workshop.test.judged import HEAD
from workshop.verdict import BugVerdict, Failing, OwnVerdict, TestVerdict, Verdict

timeout = 60  # seconds: some tests start the command


def verdict_with(*states: str, caught: int = 1) -> Verdict:
    """Return a verdict with tests in these states, and two bugs of which so many are caught."""
    tests = [
        TestVerdict(
            f"FileTests.test_{number}", state, "This is why." * (state != "valid"), "t.py:7"
        )
        for number, state in enumerate(states)
    ]
    names = ["FileTests.test_0" if number < caught else None for number in range(2)]
    bugs = [BugVerdict("It is late.", "FileTests.test_1", "Be in time.", name) for name in names]
    return Verdict(9, "Serve files", "exercises/stage9", tests=tests, bugs=bugs)


def printed(
    verdict: Verdict,
    encoding: str = "utf-8",
    width: int = 80,
    reveal: bool = False,
    caught: bool = False,
) -> str:
    """Return what is printed for people."""
    data = io.BytesIO()
    with mock.patch.object(sys, "stdout", io.TextIOWrapper(data, encoding, "replace")):
        console = PlainConsole()
        console.width = width
        Report(console, reveal=reveal, caught=caught).show(verdict)
        sys.stdout.flush()
        return data.getvalue().decode(encoding)


class ReportTests(TestCase):
    """The text."""

    def test_whole(self) -> None:
        """The own code, the two questions, and last what survived and what to do next."""
        expected = """\
Stage 9: Serve files
Your tests are in exercises/stage9.

Your code    passes 1 of your 2 tests, and meets 3 of 4 requirements.
  fails your test_1 (t.py:8): Be in time.
     > self.fail("no")
     FailTest: no
  does not meet a requirement: Be quick.
     > self.assertEqual(1, 2)
     FailTest: 1 != 2
Valid?       2 of 2 tests pass on every correct server.
Thorough?    caught 1 of 2  ██████████░░░░░░░░░░
  survived:
    It is late.
       violates: Be in time.

Valid, but not thorough. What would show this? It is late.
"""
        verdict = verdict_with("valid", "valid")
        failing = Failing(
            "FileTests.test_1", "Be in time.", "FailTest: no", True, "t.py:8", 'self.fail("no")'
        )
        violated = replace(
            failing,
            test="FileTests.test_2",
            description="Be quick.",
            why="FailTest: 1 != 2",
            statement="self.assertEqual(1, 2)",
        )
        verdict.own = OwnVerdict(
            passed=1, total=2, fails=[failing], requirements=4, met=3, violates=[violated]
        )
        self.assertEqual(printed(verdict), expected)

    def test_wrong_test(self) -> None:
        """A test that is not valid is named, with its place and the reason."""
        text = printed(verdict_with("valid", "asks for too much"))
        self.assertIn(
            "1 of 2 tests passes", text.replace("1 of 2 tests pass ", "1 of 2 tests passes ")
        )
        self.assertIn("  test_1 asks for too much (t.py:7)\n     This is why.\n", text)
        self.assertTrue(text.endswith("Not valid. Mend test_1 first: t.py:7.\n"))

    def test_statement(self) -> None:
        """The statement that failed stands before the message; of a long one, the beginning."""
        verdict = verdict_with("valid", "asks for too much")
        verdict.tests[1].statement = "self.assertTrue(file.closed)"
        expected = "(t.py:7)\n     > self.assertTrue(file.closed)\n     This is why.\n"
        self.assertIn(expected, printed(verdict))
        verdict.tests[1].statement = f"self.assertEqual({'abc, ' * 1000})"
        self.assertLess(len(printed(verdict).splitlines()), 25)

    def test_caught(self) -> None:
        """What was caught is counted; with an option it is listed, before what survived."""
        self.assertNotIn("test_0  It is late.", printed(verdict_with("valid", "valid")))
        text = printed(verdict_with("valid", "valid"), caught=True)
        self.assertIn("  caught:\n    test_0  It is late.\n  survived:\n", text)

    def test_not_counted(self) -> None:
        """A survivor that a test would catch, if it were valid, is told with that test."""
        verdict = verdict_with("valid", "raises")
        verdict.bugs[1].not_counted = "FileTests.test_1"
        expected = """\
  survived:
    It is late.
       violates: Be in time.
       test_1 fails on it, but does not count until it is valid.

"""
        self.assertIn(expected, printed(verdict))
        verdict.tests[0].state = "is flaky"
        self.assertIn("Until they are valid, these do not count: test_0.\n", printed(verdict))
        self.assertIn("       test_1 fails on it, but", printed(verdict))
        self.assertNotIn("do not count", printed(verdict_with("valid", "not written", caught=0)))

    def test_not_counted_against_what_is_not_written(self) -> None:
        """It is told, too, when another test is meant for that bug, which is not written yet."""
        verdict = verdict_with("valid", "not written", "raises", caught=0)
        verdict.bugs[1].not_counted = "FileTests.test_2"
        text = printed(verdict)
        self.assertIn("    1 bug against what is not written yet\n", text)
        self.assertIn("test_2 fails on it, but does not count until it is valid.", text)

    def test_tests_of_part_one(self) -> None:
        """Where the learner's tests are the requirements, a failure is told once."""
        verdict = verdict_with("valid", caught=2)
        failing = Failing("FileTests.test_1", "Be in time.", "FailTest: no", where="t.py:8")
        verdict.own = OwnVerdict(total=1, requirements=1, fails=[failing], violates=[failing])
        text = printed(verdict)
        self.assertEqual(text.count("Be in time."), 1)
        self.assertNotIn("have no test", text)

    def test_test_that_waits(self) -> None:
        """A test that takes long is valid, and is named."""
        verdict = verdict_with("valid", "valid")
        verdict.tests[1].seconds = 1.04
        text = printed(verdict)
        self.assertIn("  test_1 takes 1.0 s. Does it wait? A Clock would not.\n", text)
        self.assertNotIn("test_0 takes", text)

    def test_bugs_against_what_is_not_written(self) -> None:
        """Bugs that tests of the list will catch are only counted, until these are written."""
        text = printed(verdict_with("valid", "not written", caught=0))
        self.assertIn("    2 bugs against what is not written yet\n", text)
        self.assertNotIn("It is late.", text)
        self.assertTrue(text.endswith("Not finished. Write the next test: test_1.\n"))

    def test_problem(self) -> None:
        """When nothing can be judged, nothing else is said."""
        verdict = Verdict(9, "Serve files", "exercises/stage9")
        verdict.problem = Problem("SyntaxError", "invalid syntax", "test_files.py", 12)
        text = printed(verdict)
        self.assertIn("  test_files.py, line 12: SyntaxError: invalid syntax\n", text)
        self.assertNotIn("Thorough?", text)

    def test_own_code(self) -> None:
        """The last line says what to do next, once the tests are valid and thorough."""
        failing = Failing("FileTests.test_1", "Be in time.", "FailTest: no")
        untested = replace(failing, tested=False)
        for own, end in (
            (OwnVerdict(fails=[failing]), "Now make your code pass."),
            (OwnVerdict(not_run=2), "Now make your code pass."),
            (OwnVerdict(violates=[failing]), "but your code lacks this: Be in time."),
            (OwnVerdict(violates=[untested]), "lacks what no test of yours asks."),
            (OwnVerdict(flaky=["A.test_b"]), "test_b does not always pass with your code."),
            (OwnVerdict(breaks=[failing]), "your code breaks FileTests.test_1."),
            (OwnVerdict(), "and your code passes. Well done!"),
        ):
            verdict = verdict_with("valid", caught=2)
            verdict.own = own
            self.assertTrue(printed(verdict).endswith(f"{end}\n"), end)

    def test_survivors_that_are_not_told(self) -> None:
        """In Part III one survivor is told, and the others are counted; --reveal tells all."""
        verdict = verdict_with("valid", caught=0)
        verdict.bugs[1].story = "It is early."
        self.assertIn("It is early.", printed(verdict))
        verdict.stage = 11
        text = printed(verdict)
        self.assertIn("It is late.", text)
        self.assertIn("and 1 bug more: --reveal tells what they do.", text)
        self.assertNotIn("It is early.", text)
        self.assertIn("It is early.", printed(verdict, reveal=True))

    def test_requirements_that_are_not_told(self) -> None:
        """What the code violates is told if there is a test for it; the rest is counted."""
        verdict = verdict_with("valid", caught=2)
        failing = Failing("FileTests.test_1", "Be in time.", "FailTest: no", tested=False)
        verdict.own = OwnVerdict(requirements=2, met=1, violates=[failing])
        text = printed(verdict)
        self.assertIn("does not meet 1 requirement for which you have no test yet.", text)
        self.assertNotIn("Be in time.", text.partition("Valid?")[0])
        self.assertIn("does not meet a requirement: Be in time.", printed(verdict, reveal=True))

    def test_control_characters(self) -> None:
        """What a test says reaches the terminal as text, whatever it is."""
        verdict = verdict_with("valid", "raises", caught=1)
        hostile = "\x1b[2J \x9b31m \x07 \r \u202e \ud800"
        verdict.tests[1].why = verdict.tests[1].where = verdict.tests[0].test = hostile
        verdict.bugs[0].caught_by = verdict.folder = hostile
        text = printed(verdict)
        self.assertEqual([char for char in text if not char.isprintable() and char != "\n"], [])
        self.assertIn("\\x1b[2J", text)

    def test_terminal(self) -> None:
        """A terminal shows the same, in colours."""
        stream = io.StringIO()
        self.patch(sys, "stdout", stream)
        colours = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "80"}
        # rich keeps os.environ itself, and not what stands in its place
        environment = mock.patch.dict(os.environ, colours, clear=True)
        environment.start()
        self.addCleanup(environment.stop)
        verdict = verdict_with("valid", "raises")
        Report(RichConsole()).show(verdict)
        text = stream.getvalue()
        self.assertIn("\x1b[31m", text)
        self.assertEqual(re.sub("\x1b\\[[0-9;]*m", "", text), printed(verdict))

    def test_only(self) -> None:
        """What alone was judged is said."""
        verdict = verdict_with("valid", caught=2)
        verdict.only = ["FileTests.test_0"]
        self.assertIn("Only these are judged: test_0.", printed(verdict))

    def test_flaky(self) -> None:
        """So is a test that the code passes at times."""
        verdict = verdict_with("valid", caught=2)
        verdict.own = OwnVerdict(flaky=["FileTests.test_0"])
        self.assertIn("passes at times, and at times does not: test_0", printed(verdict))

    def test_not_run(self) -> None:
        """Tests that were not run are counted."""
        verdict = verdict_with("valid")
        verdict.own = OwnVerdict(total=1, requirements=2, met=1, not_run=2)
        self.assertIn("too many before them hang: 2 tests.", printed(verdict))

    def test_plain(self) -> None:
        """Where no blocks can be printed, the bar is made of what can; there are no colours."""
        text = printed(verdict_with("valid", "valid"), "ascii")
        self.assertIn("caught 1 of 2  ##########----------\n", text)
        self.assertNotIn("\x1b", text)

    def test_lines(self) -> None:
        """No line is longer than the terminal is wide, and none ends with a blank."""
        verdict = verdict_with("valid", "raises")
        verdict.tests[1].why = 40 * "word " + "\n" + 200 * "x"
        lines = printed(verdict, width=60).splitlines()
        self.assertEqual([line for line in lines if len(line) > 60 or line.endswith(" ")], [])


class CommandTests(TestCase):
    """``python -m workshop judge``."""

    def judge(self, *words: str) -> tuple[int, str, str]:
        """Type the command; return the exit code and what it printed."""
        command = [sys.executable, "-m", "workshop", "judge", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_valid_and_thorough(self) -> None:
        """Then the exit code is 0."""
        code, text, _ = self.judge("1")
        self.assertEqual(code, 0, text)
        self.assertIn("Valid and thorough", text)

    def test_caught(self) -> None:
        """The bugs that are caught are listed if that is asked for."""
        code, text, _ = self.judge("1", "--caught")
        self.assertEqual((code, "  caught:\n" in text), (0, True), text)

    def test_not_thorough(self) -> None:
        """Otherwise it is 1; the same is there as data."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        (folder / "test_mine.py").write_text(HEAD)
        code, text, _ = self.judge("1", "--json", "--tests", str(folder))
        data = json.loads(text)
        self.assertEqual((code, data["valid"], data["thorough"]), (1, True, False))
        self.assertEqual(data["tests"][0]["test"], "RequestTests.test_good")
        keys = {"stage", "title", "folder", "problem", "tests", "bugs", "own", "only"}
        self.assertEqual(set(data), keys | {"valid", "thorough", "summary"})

    def test_usage(self) -> None:
        """A stage or a folder that does not exist is one line, and the exit code is 2."""
        code, _, error = self.judge("99")
        self.assertEqual(code, 2)
        self.assertTrue(error.endswith("workshop: There is no stage 99: they are 1 to 11.\n"))
        self.assertEqual(self.judge("1", "--tests", "nowhere")[0], 2)
        self.assertEqual(self.judge("one")[0], 2)

    def test_only(self) -> None:
        """The exit code is about these descriptions."""
        folder = str(STAGES[8].contract)
        self.assertEqual(self.judge("9", "--tests", folder, "--only", "test_index")[0], 0)
        self.assertEqual(self.judge("9", "--only", "test_index", "test_slash")[0], 1)
        code, _, error = self.judge("9", "--only", "test_nothing")
        self.assertEqual((code, "test_index" in error), (2, True))

    def test_root(self) -> None:
        """To root it is said once that the tests may do what root may."""
        _, _, error = self.judge("1", "--only", "test_smallest_request")
        root = os.name != "nt" and os.geteuid() == 0
        self.assertEqual(error.count("You are root"), int(root))

    def test_without_an_environment(self) -> None:
        """A Python that lacks Twisted says in one line what to type."""
        stderr = io.StringIO()
        self.patch(sys, "stderr", stderr)
        self.patch(sys.modules["workshop.judging"], "ROOT", Path("nowhere"))
        self.assertEqual(judge_elsewhere(["judge", "9"]), 3)
        self.assertIn("python3 -m workshop start", stderr.getvalue())

    def test_with_an_environment(self) -> None:
        """If the workshop's own is there, that is used, with the same words."""
        commands: list[list[str]] = []

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
            commands.append(command)
            return subprocess.CompletedProcess(command, 1)

        root = Path(self.mktemp()).resolve()
        judging = sys.modules["workshop.judging"]
        python = judging.Environment(root / ".venv").python
        python.parent.mkdir(parents=True)
        python.touch()
        self.patch(judging, "ROOT", root)
        self.patch(subprocess, "run", run)
        self.assertEqual(judge_elsewhere(["judge", "9"]), 1)
        self.assertEqual(commands, [[str(python), "-m", "workshop", "judge", "9"]])
