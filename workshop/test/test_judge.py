"""The judge tells apart what can be wrong with a test: here, with tests of stage 1."""

from __future__ import annotations

from pathlib import Path

from exercises.manifest import STAGES
from solutions.broken import freedoms
from workshop.judge import UsageError, judge
from workshop.test.judged import HEAD, JudgedTestCase, workers

timeout = 60  # seconds: a test that hangs is waited for


class StateTests(JudgedTestCase):
    """Each test is in one state, which says what to do about it."""

    def test_valid(self) -> None:
        """A test that passes on every correct server is valid, and says what it catches."""
        test = self.judge_test(
            """
    def test_version(self):
        self.assertRaises(BadRequest, parse_request, b"GET / HTTP/1.0x\\r\\n\\r\\n")
"""
        )
        self.assertEqual((test.state, test.why), ("valid", ""))
        self.assertNotEqual(test.catches, [])

    def test_not_written(self) -> None:
        """A test that fails as it was shipped is not written yet."""
        test = self.judge_test(
            """
    def test_body(self):
        self.fail("Stage 1: test_body is not written yet.")
"""
        )
        self.assertEqual(test.state, "not written")

    def test_asks_for_too_much(self) -> None:
        """A test that the solution fails is quoted, with its line."""
        test = self.judge_test(
            """
    def test_method(self):
        self.assertEqual(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n").method, "GET")
"""
        )
        self.assertEqual(test.state, "asks for too much")
        self.assertIn("solution of stage 1", test.why)
        self.assertIn("b'GET' != 'GET'", test.why)
        self.assertEqual(test.where, f"test_mine.py:{HEAD.count(chr(10)) + 3}")

    def test_statement(self) -> None:
        """The statement that failed is told, in one line, and where it is."""
        head = HEAD.replace(
            "    def test_good",
            "    def check(self, value):\n        self.assertTrue(value)\n\n    def test_good",
        )
        test = self.judge_test(
            """
    def test_body(self):
        request = parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n")
        self.assertTrue(
            request.method == "GET"
        )
""",
            head,
        )
        self.assertEqual(test.statement, 'self.assertTrue(request.method == "GET")')
        self.assertEqual(test.where, f"test_mine.py:{head.count(chr(10)) + 4}")
        test = self.judge_test(
            """
    def test_body(self):
        with self.subTest("in another statement"):
            self.check(False)
""",
            head,
        )
        self.assertEqual(test.statement, "self.assertTrue(value)")

    def test_no_statement(self) -> None:
        """A test that is valid has none."""
        self.assertEqual(self.judge_text(HEAD).tests[0].statement, "")

    def test_long_values(self) -> None:
        """Of values that are long, the beginning is told."""
        test = self.judge_test(
            """
    def test_long(self):
        method = parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n").method
        self.assertEqual((method, b"a" * 10 ** 6), (b"GET", b"b" * 10 ** 6))
"""
        )
        self.assertEqual(test.state, "asks for too much")
        self.assertIn("First differing element 1:\nb'aaaa", test.why)
        self.assertLess(len(test.why), 3000)

    def test_name_that_only_the_solution_has(self) -> None:
        """A test that uses what toyhttp lacks asks for too much, too."""
        test = self.judge_test(
            """
    def test_private(self):
        from exercises.myhttp.request import REQUEST_LINE_OF_STAGE_1
"""
        )
        self.assertEqual(test.state, "raises")
        self.assertIn("REQUEST_LINE_OF_STAGE_1", test.why)

    def test_mistake_in_the_test(self) -> None:
        """Another exception than that of an assertion is named."""
        test = self.judge_test(
            """
    def test_slip(self):
        self.assertEqual(pars_request(b""), None)
"""
        )
        self.assertEqual(test.state, "raises")
        self.assertIn("NameError: name 'pars_request' is not defined", test.why)

    def test_endless_loop(self) -> None:
        """A test that never ends is killed, and the others are judged."""
        text = """
    def test_loop(self):
        while True:
            pass

    def test_behind_it(self):
        self.assertEqual(parse_request(b"PUT / HTTP/1.0\\r\\n\\r\\n").method, b"PUT")
"""
        states = {test.test: test.state for test in self.judge_text(HEAD + text).tests}
        expected = {
            "RequestTests.test_good": "valid",
            "RequestTests.test_loop": "hangs",
            "RequestTests.test_behind_it": "valid",
        }
        self.assertEqual(states, expected)

    def test_deferred_that_never_fires(self) -> None:
        """Trial's own limit is respected, whether the test returns or awaits the Deferred."""
        for body in (
            "\n    def test_never(self):\n        return defer.Deferred()\n",
            "\n    async def test_never(self):\n        await defer.Deferred()\n",
        ):
            test = self.judge_test(body)
            self.assertEqual(test.state, "hangs")
            self.assertIn("has not fired after 0.5 seconds", test.why)

    def test_many_that_hang(self) -> None:
        """When three have hung, the others are not run: the learner waits long enough."""
        never = "\n    def test_never_{}(self):\n        return defer.Deferred()\n"
        verdict = self.judge_text(HEAD + "".join(never.format(number) for number in range(12)))
        states = [test.state for test in verdict.tests]
        self.assertEqual(states.count("valid"), 1)
        self.assertGreaterEqual(states.count("hangs"), 3)
        self.assertGreaterEqual(states.count("was not run"), 1)
        self.assertFalse(verdict.valid)

    def test_dirty_reactor(self) -> None:
        """What is left in the reactor is named."""
        test = self.judge_test(
            """
    def test_later(self):
        reactor.callLater(1000, print)
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
"""
        )
        self.assertEqual(test.state, "leaves the reactor dirty")
        self.assertIn("DelayedCall", test.why)

    def test_logged_error(self) -> None:
        """An error that was logged, and not flushed, is told from one that was raised."""
        test = self.judge_test(
            """
    def test_log(self):
        try:
            parse_request(b"")
        except BadRequest:
            Logger().failure("no")
"""
        )
        self.assertEqual(test.state, "logs an error")
        self.assertIn("BadRequest", test.why)

    def test_what_is_logged_is_no_failure(self) -> None:
        """It is quoted, whatever it is, and not blamed on the tests that come after it."""
        for logged in ("('a', None)", "'a'", "BadRequest(400, 'a')", "('a', 'b', 'c')"):
            text = f"""
    def test_log(self):
        Logger().failure("no", {logged})

    def test_behind_it(self):
        \"""This one is valid.\"""
        self.assertEqual(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n").method, b"GET")
"""
            first, wrong, behind = self.judge_text(HEAD + text).tests
            states = first.state, wrong.state, behind.state
            self.assertEqual(states, ("valid", "logs an error", "valid"), logged)
            self.assertIn("a", wrong.why)

    def test_end_of_the_process(self) -> None:
        """A test that ends its process is named, with the code."""
        test = self.judge_test("\n    def test_exit(self):\n        os._exit(7)\n")
        self.assertEqual(test.state, "ends the process")
        self.assertIn("code 7", test.why)

    def test_exits_that_are_exceptions(self) -> None:
        """``sys.exit`` and Ctrl-C in a test are errors of that test."""
        for statement in ("sys.exit(0)", "raise KeyboardInterrupt"):
            test = self.judge_test(f"\n    def test_exit(self):\n        {statement}\n")
            self.assertEqual(test.state, "raises", statement)

    def test_output(self) -> None:
        """What a test prints, or does to the standard output, disturbs nobody."""
        text = """
    def test_print(self):
        print("{}", flush=True)
        os.write(1, b"garbage\\n")
        sys.stdout.close()
        os.close(1)

    def test_input(self):
        self.assertRaises(EOFError, input)

    def test_behind_it(self):
        print("{}")
        self.assertEqual(parse_request(b"PUT / HTTP/1.0\\r\\n\\r\\n").method, b"PUT")
"""
        tests = self.judge_text(HEAD + text).tests
        self.assertEqual(tests[-1].state, "valid", tests)

    def test_skipped(self) -> None:
        """A test that is skipped is named with its reason, and harms nobody."""
        verdict = self.judge_text(
            HEAD
            + """
    def test_links(self):
        pass
    test_links.skip = "no links here"
"""
        )
        test = verdict.tests[-1]
        self.assertEqual((test.state, test.why), ("is skipped", "no links here"))
        self.assertTrue(verdict.valid)

    def test_todo(self) -> None:
        """A test that is expected to fail is no test yet, whether it passes or not."""
        for statement in ("self.fail('no')", "pass"):
            verdict = self.judge_text(
                f"{HEAD}\n    def test_a(self):\n        {statement}\n    test_a.todo = 'later'\n"
            )
            test = verdict.tests[-1]
            self.assertEqual((test.state, test.why), ("is todo", "later"))
            self.assertFalse(verdict.valid)


class EmptyTests(JudgedTestCase):
    """A test that passes whatever the server does."""

    def test_no_assertion(self) -> None:
        """To ask the server is not enough."""
        test = self.judge_test(
            """
    def test_nothing(self):
        parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n")
"""
        )
        self.assertEqual(test.state, "asserts nothing")

    def test_assertion_about_nothing(self) -> None:
        """To assert is not enough either: a test that passes without a server is named."""
        test = self.judge_test("\n    def test_one(self):\n        self.assertEqual(1, 1)\n")
        self.assertEqual(test.state, "asks nothing")

    def test_every_kind_of_assertion(self) -> None:
        """``assert`` counts, and so does a ``raise``, in the test or in what it calls."""
        for statement in (
            "assert method == b'GET'",
            "check(method)",
            "self.check(method)",
            "if method != b'GET': raise AssertionError(method)",
        ):
            test = self.judge_text(
                HEAD.replace("\n\nclass ", "\n\ndef check(it):\n    assert it == b'GET'\n\nclass ")
                + f"""
    def check(self, method):
        self.assertIn(method, [b"GET"])

    def test_method(self):
        method = parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n").method
        {statement}
"""
            ).tests[-1]
            self.assertEqual(test.state, "valid", statement)

    def test_no_assertion_but_a_catch(self) -> None:
        """What fails on a broken server is a test, though it has no assertion in it."""
        test = self.judge_test(
            """
    def test_colon(self):
        parse_request(b"GET / HTTP/1.0\\r\\nHost: a:80\\r\\n\\r\\n")
"""
        )
        self.assertEqual((test.state, len(test.catches)), ("valid", 1))

    def test_async_function(self) -> None:
        """A ``SynchronousTestCase`` calls an ``async def`` and never runs it."""
        test = self.judge_test(
            """
class SyncTests(SynchronousTestCase):
    async def test_never(self):
        self.assertEqual(1, 2)
"""
        )
        self.assertEqual(test.state, "never runs")
        self.assertIn("SynchronousTestCase", test.why)

    def test_generator(self) -> None:
        """Nor does anything run a test with a ``yield``."""
        test = self.judge_test("\n    def test_never(self):\n        yield self.fail()\n")
        self.assertEqual(test.state, "never runs")

    def test_inline_callbacks(self) -> None:
        """With ``inlineCallbacks`` it runs."""
        test = self.judge_test(
            """
    @defer.inlineCallbacks
    def test_yield(self):
        value = yield defer.succeed(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        self.assertEqual(value.method, b"GET")
"""
        )
        self.assertEqual(test.state, "valid")

    def test_same_name_twice(self) -> None:
        """The second test of a name replaces the first, without a word: here is the word."""
        verdict = self.judge_text(
            HEAD + "\n    def test_good(self):\n        assert parse_request(b'GET /\\r\\n')\n"
        )
        states = [(test.test, test.state) for test in verdict.tests]
        self.assertIn(("RequestTests.test_good", "is replaced"), states)
        self.assertFalse(verdict.valid)


class ProblemTests(JudgedTestCase):
    """Sometimes nothing can be judged; then the verdict says why, and where."""

    def test_syntax_error(self) -> None:
        """A file that is no Python: the line is named."""
        verdict = self.judge_text(HEAD + "\n    def test_a(self:\n        pass\n")
        assert verdict.problem is not None
        self.assertEqual(verdict.problem.error, "SyntaxError")
        self.assertEqual(verdict.problem.file, "test_mine.py")
        self.assertGreater(verdict.problem.line, HEAD.count("\n"))
        self.assertEqual((verdict.valid, verdict.thorough, verdict.tests), (False, False, []))

    def test_import_error(self) -> None:
        """A name that does not exist: that line is named."""
        verdict = self.judge_text("\nfrom exercises.myhttp.request import parse\n" + HEAD)
        assert verdict.problem is not None
        self.assertEqual((verdict.problem.error, verdict.problem.line), ("ImportError", 2))
        self.assertIn("'parse'", verdict.problem.message)

    def test_error_while_it_is_imported(self) -> None:
        """Any other exception, too."""
        verdict = self.judge_text("\n\n1 / 0\n")
        assert verdict.problem is not None
        self.assertEqual((verdict.problem.error, verdict.problem.line), ("ZeroDivisionError", 3))

    def test_not_text(self) -> None:
        """A file that is not UTF-8."""
        verdict = self.judge_text(b"\n# gr\xfc\xdfe\n" + HEAD.encode())
        assert verdict.problem is not None
        self.assertEqual(
            (verdict.problem.error, verdict.problem.file), ("SyntaxError", "test_mine.py")
        )

    def test_import_that_ends_the_process(self) -> None:
        """A module that does not let itself be imported."""
        verdict = self.judge_text("import os; os._exit(3)\n" + HEAD)
        assert verdict.problem is not None
        self.assertIn("import of the tests ends the process", verdict.problem.message)

    def test_no_tests(self) -> None:
        """A module without a test, and a folder without a module."""
        for verdict in (
            self.judge_text("def a_test():\n    assert False\n"),
            self.judge_text(HEAD.partition("    def")[0] + "    pass\n"),
        ):
            assert verdict.problem is not None
            self.assertEqual(verdict.problem.error, "NoTests")
        folder = Path(self.mktemp())
        folder.mkdir()
        problem = judge(1, folder, workers()).problem
        assert problem is not None
        self.assertEqual(problem.error, "NoTests")

    def test_usage(self) -> None:
        """A stage or a folder that does not exist is an error."""
        self.assertRaises(UsageError, judge, 0)
        self.assertRaises(UsageError, judge, len(STAGES) + 1)
        self.assertRaises(UsageError, judge, 1, Path("nowhere"))


class FreedomTests(JudgedTestCase):
    """What the specification leaves open is told in English."""

    def test_sentence(self) -> None:
        """Each freedom fits into the sentence that quotes it: a question, or a thing."""
        for stage in STAGES:
            for freedom in freedoms(stage.number):
                self.assertRegex(freedom.story, r"^(the|which|whether|how|what) \S.*[^.?]$")

    def test_quoted(self) -> None:
        """A test that asks for what is left open is told so, and with which message it fails."""
        test = self.judge_text(
            """
from twisted.trial.unittest import TestCase
from exercises.myhttp.request import parse_request

class FrozenTests(TestCase):
    def test_frozen(self):
        request = parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n")
        with self.assertRaises(AttributeError):
            request.method = b"PUT"
"""
        ).tests[-1]
        expected = (
            "It is over-specified: the specification leaves open whether a request can be changed."
            "\nAttributeError not raised"
        )
        self.assertEqual(test.state, "asks for too much")
        self.assertIn(expected, test.why)

    def test_solution_is_one_way(self) -> None:
        """A test that only the solution fails, and not a server with a freedom, asks for that."""
        test = self.judge_test(
            """
    def test_changed(self):
        request = parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n")
        request.method = b"PUT"
        self.assertEqual(request.method, b"PUT")
"""
        )
        self.assertEqual(test.state, "raises")
        self.assertIn(
            "leaves open whether a request can be changed.\nFrozenInstanceError", test.why
        )
        self.assertEqual(test.statement, 'request.method = b"PUT"')


class NotCountedTests(JudgedTestCase):
    """What a test that is not valid would catch is told, and not counted."""

    FROZEN = """
    def test_frozen_and_strict(self):
        self.assertRaises(BadRequest, parse_request, b"GET / HTTP/1.0x\\r\\n\\r\\n")
        with self.assertRaises(AttributeError):
            parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n").method = b"PUT"
"""

    STRICT = FROZEN.partition("        with")[0].replace("frozen_and_", "")

    def test_without_a_valid_one(self) -> None:
        """What only such a test fails on survives, and the test is named."""
        bugs = self.judge_text(HEAD + self.FROZEN).bugs
        self.assertEqual({bug.caught_by for bug in bugs}, {None})
        tests = {bug.not_counted for bug in bugs}
        self.assertEqual(tests, {None, "RequestTests.test_frozen_and_strict"})

    def test_beside_a_valid_one(self) -> None:
        """What a valid test catches is caught by that, even if the other has the expected name."""
        bugs = self.judge_text(HEAD + self.STRICT).bugs
        caught = next(bug for bug in bugs if bug.caught_by)
        case, _, name = caught.violates.partition(".")
        text = HEAD + self.FROZEN + self.STRICT
        text = text.replace("RequestTests", case).replace("test_frozen_and_strict", name)
        found = {bug.story: bug for bug in self.judge_text(text).bugs}[caught.story]
        self.assertEqual((found.caught_by, found.not_counted), (f"{case}.test_strict", None))

    def test_alone(self) -> None:
        """It is told, too, when no test is valid."""
        verdict = self.judge_text(HEAD.partition("    def")[0] + self.FROZEN)
        self.assertEqual(len(verdict.survivors), len(verdict.bugs))
        self.assertIn("RequestTests.test_frozen_and_strict", [b.not_counted for b in verdict.bugs])

    def test_fails_with_the_solution(self) -> None:
        """Of one that the solution fails nobody knows what it would catch."""
        wrong = "\n    def test_no(self):\n        self.assertTrue(False)\n"
        verdict = self.judge_text(HEAD + wrong)
        self.assertEqual({bug.not_counted for bug in verdict.bugs}, {None})


class GivenTests(JudgedTestCase):
    """The tests of Part I are judged as those of a learner are."""

    def test_part_one(self) -> None:
        """They are valid and thorough."""
        for stage in STAGES:
            if stage.part == "I":
                verdict = judge(stage.number, None, workers())
                found = [test for test in verdict.tests if test.state != "valid"]
                self.assertEqual((found, verdict.survivors), ([], []), stage.title)
                self.assertTrue(verdict.valid and verdict.thorough)

    def test_two_modules(self) -> None:
        """All test modules of a folder are judged, and what they share is imported."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "test_one.py").write_text(HEAD)
        (folder / "test_two.py").write_text(HEAD + "\nfrom .helping import METHOD\n")
        (folder / "helping.py").write_text("METHOD = b'GET'\n")
        names = [test.test for test in judge(1, folder, workers()).tests]
        self.assertEqual(names, ["RequestTests.test_good", "test_two.RequestTests.test_good"])
