"""What the judge says about whole lists of tests, for each stage of Parts II and III.

It judges some thirty of them. So it is not named ``test_*``, and CI runs it once:
``trial workshop.test.verdicts``.
"""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

from twisted.trial.unittest import SkipTest

from exercises.manifest import STAGES, Stage
from solutions.broken import broken_servers
from workshop.jobs import Outcome
from workshop.judge import judge
from workshop.learner import has_been_worked_on
from workshop.suite import run_broken
from workshop.test.judged import JudgedTestCase, workers
from workshop.verdict import Verdict

timeout = 120  # seconds: a test that hangs is waited for

JUDGED = [stage for stage in STAGES if stage.part != "I"]

TOO_MUCH = {
    9: {
        "test_server_name": (
            """self.assertEqual(self.get("/")[1].get(b"Server"), b"toyhttp")""",
            "solution of stage 9",
        ),
        "test_order_of_fields": (
            """
        self.write("a")
        names = [name.lower() for name in self.get("/a")[1]]
        self.assertLess(names.index(b"content-type"), names.index(b"last-modified"))
""",
            "the order of the header fields",
        ),
        "test_reason_phrase": (
            """self.assertIn(b"404 Not Found", self.ask(b"GET /a HTTP/1.0\\r\\n\\r\\n"))""",
            "which reason phrase",
        ),
    },
    10: {
        "test_server_name": (
            """
        self.connect()
        self.assertIn(b"Server: toyhttp", self.send(get("/")))
""",
            "solution of stage 10",
        ),
        "test_order_of_fields": (
            """
        self.connect(lambda request: Response(200, [(b"A", b"b")]))
        answer = self.send(get("/"))
        self.assertLess(answer.index(b"A: b"), answer.index(b"Connection"))
""",
            "the order of the header fields",
        ),
        "test_reason_phrase": (
            """
        self.connect()
        self.assertIn(b"200 OK", self.send(get("/")))
""",
            "which reason phrase",
        ),
    },
    11: {
        "test_server_name": (
            """
        self.connect()
        self.assertIn(b"User-Agent: toyhttp", self.transport.value())
""",
            "solution of stage 11",
        ),
        "test_order_of_fields": (
            """
        self.connect()
        expected = b"GET / HTTP/1.0\\r\\nHost: example.org\\r\\n\\r\\n"
        self.assertEqual(self.transport.value(), expected)
""",
            "which other header fields",
        ),
        "test_reason_phrase": (
            """
        response = self.connect()
        self.receive(HEAD, then=ConnectionDone)
        error = self.failureResultOf(response).value
        self.assertEqual(str(error), "The connection was lost.")
""",
            "what the text of an error says",
        ),
    },
}
"""For each stage, bodies of tests that ask for too much, and a word of what is said about each."""


class ListTests(JudgedTestCase):
    """The list of the solution, and what can be wrong with one that is almost as good."""

    def copy_of(self, stage: Stage) -> Path:
        """Copy the tests of a solution."""
        folder = Path(self.mktemp()).resolve()
        shutil.copytree(stage.contract, folder)
        return folder

    def judge_with(self, stage: Stage, body: str, name: str = "test_more") -> Verdict:
        """Judge the tests of a solution, and one test more, in the last test case with one."""
        folder = self.copy_of(stage)
        (path,) = folder.glob("test_*.py")
        tree = ast.parse(path.read_text("utf-8"))
        cases = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        case = next(case for case in cases if tests_of(case))
        lines = path.read_text("utf-8").splitlines()
        text = body if body.startswith("\n") else f"\n        {body}\n"
        lines.insert(tests_of(case)[-1].end_lineno or 0, f"\n    def {name}(self):{text}")
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return judge(stage.number, folder, workers())

    def test_shipped(self) -> None:
        """Nothing is written yet, and no server: that is said, and the first test to write."""
        if has_been_worked_on():
            raise SkipTest("exercises/myhttp has been worked on: it is not as it was shipped")
        for stage in JUDGED:
            verdict = judge(stage.number, None, workers())
            states = {test.state for test in verdict.tests}
            self.assertEqual(states, {"not written"}, stage.title)
            self.assertEqual((verdict.valid, verdict.thorough), (False, False))
            self.assertEqual(len(verdict.survivors), len(broken_servers(stage.number)))
            self.assertEqual(verdict.own.passed, 0)
            self.assertNotEqual(verdict.own.unwritten, [])
            first = verdict.tests[0].test.rpartition(".")[2]
            self.assertIn(f"Write the first test: {first}.", verdict.summary)

    def test_reference(self) -> None:
        """The tests of the solution are valid and thorough; each bug is caught by the right one."""
        for stage in JUDGED:
            verdict = judge(stage.number, stage.contract, workers())
            self.assertTrue(verdict.valid, verdict.tests)
            self.assertTrue(verdict.thorough, verdict.survivors)
            caught = [(bug.story, bug.caught_by) for bug in verdict.bugs]
            expected = [(bug.story, bug.violates) for bug in broken_servers(stage.number)]
            self.assertEqual(caught, expected)

    def test_one_test_less(self) -> None:
        """The bug that only one test caught survives without it, by its story and description."""
        for stage in JUDGED:
            bugs = zip(broken_servers(stage.number), run_broken(stage.number), strict=True)
            caught = [(bug.story, names_of(outcomes)) for bug, outcomes in bugs]
            story, (name,) = next((story, names) for story, names in caught if len(names) == 1)
            folder = self.copy_of(stage)
            description = remove(folder, name)
            verdict = judge(stage.number, folder, workers())
            survivors = {bug.story: bug.description for bug in verdict.survivors}
            expected = {story for story, names in caught if names == [name]}
            self.assertEqual(set(survivors), expected, name)
            self.assertEqual(survivors[story], description)
            self.assertEqual((verdict.valid, verdict.thorough), (True, False))
            self.assertIn("not thorough", verdict.summary)

    def test_asks_for_too_much(self) -> None:
        """A field that nobody promised, an order, a phrase: each is named for what it asks."""
        for stage in JUDGED:
            for name, (body, word) in TOO_MUCH[stage.number].items():
                verdict = self.judge_with(stage, body, name)
                wrong = [test for test in verdict.tests if test.state != "valid"]
                states = [(test.test.rpartition(".")[2], test.state) for test in wrong]
                self.assertEqual(states, [(name, "asks for too much")], stage.title)
                self.assertIn(word, wrong[0].why)
                self.assertEqual((verdict.valid, verdict.thorough), (False, True))

    def test_endless_loop(self) -> None:
        """A test that never ends is named, and all others are judged."""
        for stage in JUDGED:
            verdict = self.judge_with(stage, "while True: pass")
            wrong = [(test.state, test.test) for test in verdict.tests if test.state != "valid"]
            self.assertEqual([state for state, _ in wrong], ["hangs"], stage.title)
            self.assertEqual((verdict.valid, verdict.thorough), (False, True))

    def test_syntax_error(self) -> None:
        """A file that is no Python is named, and nothing is judged."""
        for stage in JUDGED:
            verdict = self.judge_with(stage, "self.assertEqual(1, 2")
            assert verdict.problem is not None
            self.assertEqual(verdict.problem.error, "SyntaxError")
            self.assertTrue(verdict.problem.file.startswith("test_"))
            self.assertEqual((verdict.valid, verdict.thorough), (False, False))

    def test_asserts_nothing(self) -> None:
        """So is a test that passes whatever happens."""
        for stage in JUDGED:
            verdict = self.judge_with(stage, "pass")
            wrong = [test.state for test in verdict.tests if test.state != "valid"]
            self.assertEqual(wrong, ["asserts nothing"], stage.title)


def tests_of(case: ast.ClassDef) -> list[ast.FunctionDef]:
    """Return the tests of a test case."""
    functions = [node for node in case.body if isinstance(node, ast.FunctionDef)]
    return [node for node in functions if node.name.startswith("test_")]


def names_of(outcomes: list[Outcome]) -> list[str]:
    """Return the names of the tests that found something wrong."""
    return [outcome.test for outcome in outcomes if outcome.failed]


def remove(folder: Path, name: str) -> str:
    """Take a test out of a folder, and return its docstring, in one line."""
    for path in folder.glob("test_*.py"):
        lines = path.read_text("utf-8").splitlines()
        for case in ast.parse("\n".join(lines)).body:
            for test in tests_of(case) if isinstance(case, ast.ClassDef) else []:
                if isinstance(case, ast.ClassDef) and f"{case.name}.{test.name}" == name:
                    del lines[test.lineno - 1 : test.end_lineno]
                    path.write_text("\n".join(lines) + "\n", "utf-8")
                    return " ".join((ast.get_docstring(test) or "").split())
    raise KeyError(name)
