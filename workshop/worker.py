"""Runs tests against servers, as it is told: ``python -m workshop.worker FOLDER``.

A learner's code may loop for ever, print what it likes, or end the process; so it runs
here, in a process that can be killed. :mod:`workshop.jobs` says what comes in by the
standard input and goes out by the standard output: by copies of them, out of the reach of
the tests, which find both of them empty.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import re
import sys
import time
import traceback
import unittest
import weakref
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from pprint import pformat
from types import ModuleType
from typing import Any, ClassVar, TextIO

from twisted.internet import defer
from twisted.internet.defer import DebugInfo
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure
from twisted.trial import _synctest
from twisted.trial.itrial import IReporter
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.trial.util import DirtyReactorAggregateError
from zope.interface import implementer

from exercises.binding import load_tests, variant

from . import counting
from .isolation import Isolation, Process
from .jobs import Job, Outcome, Problem
from .processes import end_this_tree

LONGEST = 2000  # characters of a message
COLLECT = 8  # jobs; what is collected late is blamed on nobody, see OwnDebugInfo
WARM = 1  # jobs after which the modules that all servers need are loaded
TEST = re.compile(r"test(_|[A-Z]|$)")
NO_CASE = "Trial runs the methods of a TestCase, and nothing else: put it into one."
NEVER_RUNS = "{} is {}, which a {} does not run: it passes whatever is in it"


@implementer(IReporter)
class Result(unittest.TestResult):
    """Notes how a single test ended. The first thing that went wrong counts."""

    def __init__(self) -> None:
        super().__init__()
        self.how = ""
        self.failure: Failure | None = None
        self.reason = ""

    def _note(self, how: str, failure: object = None, reason: object = "") -> None:
        """Note it.  It must not raise: Trial would not forget then what was logged."""
        if self.how in ("", "passed"):
            self.how, self.reason, self.failure = how, str(reason), None
            if isinstance(failure, tuple) and len(failure) == 3 and failure[0] is type(failure[1]):
                failure = Failure(failure[1], *failure[::2])
            if isinstance(failure, Failure):
                self.failure = failure
            elif failure is not None:  # what was logged need not be a failure
                self.reason = repr(failure)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._note("passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._note("failed", err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        observer = getattr(test, "_observer", None)
        how = "error"
        if observer is not None and any(err is logged for logged in observer.getErrors()):
            how = "logged"
        elif isinstance(err, Failure) and err.check(DirtyReactorAggregateError):
            how = "dirty"
        elif isinstance(err, Failure) and err.check(DeferredTimeout):
            how = "hung" if "still running at" in err.getErrorMessage() else "error"
        self._note(how, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._note("skipped", reason=reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any, todo: Any = None) -> None:
        self._note("todo", reason=getattr(todo, "reason", "") or "")

    def addUnexpectedSuccess(self, test: unittest.TestCase, todo: Any = None) -> None:
        self._note("todo", reason=getattr(todo, "reason", "") or "it passes, all the same")

    def done(self) -> None:
        """Trial calls this when there are no more tests."""

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._note("failed" if issubclass(err[0], test.failureException) else "error", err)


class OwnDebugInfo(DebugInfo):
    """Logs a failure that nobody has handled, unless it belongs to a job before this one.

    It remembers which failures nobody has handled yet.
    """

    job = 0
    lost: ClassVar[list[Failure]] = []
    alive: ClassVar[list[weakref.ref[OwnDebugInfo]]] = []

    def __init__(self) -> None:
        self.begun = OwnDebugInfo.job
        self.alive.append(weakref.ref(self))

    def __del__(self) -> None:
        """Log it; what is collected late shall not be blamed on a test of another server."""
        if self.begun == OwnDebugInfo.job:
            if self.failResult is not None:
                self.lost.append(self.failResult)
            super().__del__()

    @classmethod
    def begin_test(cls) -> None:
        """Forget what was before."""
        cls.lost.clear()
        cls.alive.clear()

    @classmethod
    def dropped_assertion(cls) -> Failure | None:
        """Return an assertion that has failed in a Deferred, and that nobody has handled."""
        kept = [info.failResult for info in [ref() for ref in cls.alive] if info is not None]
        for failure in [*cls.lost, *kept]:
            if failure is not None and isinstance(failure.value, AssertionError):
                return failure
        return None


_methods: dict[tuple[object, str], list[str]] = {}
_functions: dict[tuple[object, str], list[tuple[str, int]]] = {}


def methods_of(case: type[unittest.TestCase]) -> list[str]:
    """Return the names of the tests of a test case, as they follow each other in the file."""
    # Most jobs have the same tests as the one before.
    key = sys.modules[case.__module__].__file__, case.__qualname__
    if key not in _methods:
        names = unittest.defaultTestLoader.getTestCaseNames(case)
        _methods[key] = sorted(names, key=partial(first_line, case))
    return _methods[key]


class Suite:
    """The test modules of a job, bound to its server.

    :ivar tests: the test case and the method of each test, by its name.
    :ivar files: the file that each test is in; those too that no test case has.
    :ivar unloaded: why a file could not be imported.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self.tests: dict[str, tuple[type[unittest.TestCase], str]] = {}
        self.files: dict[str, str] = {}
        self.refused: dict[str, Outcome] = {}
        self.unloaded: dict[str, Problem] = {}

        def failed(path: Path, error: BaseException) -> None:
            self.unloaded[path.name] = problem_of(error, folder)

        modules = load_tests(job.stage, folder, counting.run_counting, failed)
        names = {module.__name__ for module in modules}
        everything = [case for module in modules for case in cases_of(module, names).values()]
        taken: set[str] = set()
        for module in modules:
            stem = module.__name__.rpartition(".")[2]
            cases = cases_of(module, names)
            for name, case in cases.items():
                prefix = f"{stem}.{name}" if name in taken else name
                for method in methods_of(case):
                    self.tests[f"{prefix}.{method}"] = case, method
                    self.files[f"{prefix}.{method}"] = f"{stem}.py"
            taken.update(cases)
            for name, line in tests_of_no_case(module, everything):
                self.refused[name] = Outcome(name, "never runs", "", NO_CASE, module.__name__, line)
                self.files[name] = f"{stem}.py"

    def run(self, name: str, limit: float, clean_up: Callable[[], None]) -> Outcome:
        """Run one test, and tell how it ended.

        :param clean_up: undoes what the test has done, right after it.
        """
        if name in self.refused:
            clean_up()
            return self.refused[name]
        case, method = self.tests[name]
        line = first_line(case, method)
        kind = kind_that_never_runs(case, getattr(case, method))
        if kind:
            clean_up()
            message = NEVER_RUNS.format(method, kind, case.__mro__[1].__name__)
            return Outcome(name, "never runs", "", message, case.__module__, line)
        result = Result()
        OwnDebugInfo.begin_test()
        made, begun = counting.made, time.perf_counter()
        try:
            test = case(method)
            if isinstance(test, TestCase):
                seconds = min(limit, test.getTimeout())
                test.getTimeout = lambda: seconds  # type: ignore[method-assign]
            test.run(result)
        except BaseException:
            result.addError(case, Failure())  # type: ignore[arg-type]
        finally:
            clean_up()
        seconds = time.perf_counter() - begun
        error, message = "", result.reason
        dropped = None
        if result.how in ("passed", "logged"):
            dropped = OwnDebugInfo.dropped_assertion()
        if dropped is not None and result.how == "passed":
            result.failure = dropped
        if result.failure is not None:
            error = type(result.failure.value).__name__
            message = result.failure.getErrorMessage()
            path = inspect.getfile(case)
            line = line_in(path, result.failure) or line
        return Outcome(
            name,
            result.how or "error",
            error,
            message[:LONGEST],
            case.__module__,
            line,
            counting.made - made,
            seconds,
            dropped=dropped is not None,
        )


def cases_of(module: ModuleType, modules: Collection[str]) -> dict[str, type[unittest.TestCase]]:
    """Return the test cases that Trial finds in a module, by name.

    Not those of other test modules, which are found there.

    :param modules: the names of all test modules.
    """
    package = module.__name__.rpartition(".")[0]
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, unittest.TestCase)
        and value.__module__.startswith(package + ".")
        and (value.__module__ == module.__name__ or value.__module__ not in modules)
    }


def tests_of_no_case(
    module: ModuleType, cases: list[type[unittest.TestCase]]
) -> list[tuple[str, int]]:
    """Return the names and lines of what other tools run as a test, and Trial does not.

    :param cases: all test cases; what they inherit is run with them.
    """
    key = module.__file__, ""
    if key not in _functions:
        found = _functions[key] = []
        for name, value in vars(module).items():
            if getattr(value, "__module__", "") != module.__name__:
                continue
            if not isinstance(value, type):
                functions = {name: value}
            elif any(issubclass(case, value) for case in cases):
                continue
            else:
                functions = {f"{name}.{method}": vars(value)[method] for method in vars(value)}
            for full, function in functions.items():
                if inspect.isfunction(function) and TEST.match(full.rpartition(".")[2]):
                    found.append((full, inspect.unwrap(function).__code__.co_firstlineno))
    return _functions[key]


def kind_that_never_runs(case: type[unittest.TestCase], function: Callable[..., Any]) -> str:
    """Say what kind of function a test is, if its test case would not run what is in it."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "a generator"
    if inspect.iscoroutinefunction(function) and not issubclass(case, TestCase):
        runs = issubclass(case, unittest.IsolatedAsyncioTestCase)
        return "" if runs else "an async function"
    return ""


def first_line(case: type[unittest.TestCase], method: str) -> int:
    """Return the line in which a test begins; 0 if nobody knows."""
    code = getattr(inspect.unwrap(getattr(case, method)), "__code__", None)
    return code.co_firstlineno if code is not None else 0


def line_in(path: str, failure: Failure) -> int:
    """Return the last line of a file that an exception came through; 0 if there is none."""
    lines = [
        line
        for frame, line in traceback.walk_tb(failure.getTracebackObject())
        if frame.f_code.co_filename == path
    ]
    return lines[-1] if lines else 0


def problem_of(error: BaseException, folder: Path) -> Problem:
    """Say why the test modules of a folder could not be loaded."""
    message = str(error) if not isinstance(error, SyntaxError) else error.msg
    if isinstance(error, SyntaxError) and error.filename is not None:
        return Problem(type(error).__name__, message, Path(error.filename).name, error.lineno or 0)
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        path = Path(frame.f_code.co_filename)
        if path.parent == folder:
            return Problem(type(error).__name__, message, path.name, line)
    return Problem(type(error).__name__, message)


def work(job: Job, isolation: Isolation) -> Iterator[dict[str, object]]:
    """Do a job; yield what is to be told."""
    from exercises.manifest import STAGES

    folder = Path(job.folder) if job.folder else STAGES[job.stage - 1].contract
    before = Process()
    with variant(job.server, job.sources, job.share):
        suite = Suite(job, folder)
        names = [name for name in suite.files if job.only is None or name in job.only]
        names = [name for name in names if name not in job.leave_out]
        order = {name: number for number, name in enumerate(job.first)}
        names.sort(key=lambda name: order.get(name, len(order)))
        unloaded = {file: vars(problem) for file, problem in suite.unloaded.items()}
        yield {"tests": suite.files, "planned": names, "unloaded": unloaded}
        isolation.watch()
        finished = yield from run_all(suite, names, job, isolation)
    before.restore()
    isolation.go_home()
    again = not isolation.careful and isolation.restore_everything()
    if not finished:
        yield {"spent": None}
    elif again:
        isolation.careful = True
        yield {"again": None}
        yield from work(job, isolation)
    else:
        yield {"done": isolation.spent}


def run_all(
    suite: Suite, names: list[str], job: Job, isolation: Isolation
) -> Generator[dict[str, object], None, bool]:
    """Run tests, and yield what is to be told; return whether this process could run them all."""
    hung = 0
    for number, name in enumerate(names):
        yield {"begun": name}
        outcome = run_apart(suite, name, job.limit, isolation)
        if outcome.failed and job.confirm and not outcome.unwritten:
            yield {"begun": name}
            second = run_apart(suite, name, job.limit, isolation)
            outcome = replace(outcome, flaky=not second.failed)
        yield {"ended": vars(outcome)}
        hung += outcome.how == "hung"
        if hung >= job.patience or (job.stop and outcome.failed):
            return True
        if isolation.spent and number + 1 < len(names):
            return False
    return True


def run_apart(suite: Suite, name: str, limit: float, isolation: Isolation) -> Outcome:
    """Run a test in a folder of its own, and put back what it has changed."""
    left = []
    isolation.begin()
    outcome = suite.run(name, limit, lambda: left.append(isolation.end()))
    if any(left) and outcome.how == "passed":
        message = f"When it is over, {left[0]} is still running."
        return replace(outcome, how="left", message=message)
    return outcome


def take_over_the_descriptors() -> tuple[TextIO, Callable[[dict[str, object]], None]]:
    """Keep the standard input and output for the protocol; let the tests find nothing there."""
    nothing = os.open(os.devnull, os.O_RDWR)
    orders = os.fdopen(os.dup(0), encoding="ascii")
    answers = os.dup(1)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)

    def tell(event: dict[str, object]) -> None:
        data = json.dumps(event).encode() + b"\n"
        while data:
            data = data[os.write(answers, data) :]

    return orders, tell


def forget_fewer_warnings() -> None:
    """Let Trial look at the modules of the tests alone, when it forgets what was warned of.

    For each test it looks at all modules of the process, which takes longer than most tests.
    All others are in the filters' hands: what has changed there is forgotten by Python.
    """
    name = "_setWarningRegistryToNone"
    forget = getattr(_synctest, name, None)
    if forget is not None:

        def forget_fewer(modules: dict[str, ModuleType]) -> None:
            forget({key: modules[key] for key in [*modules] if key.startswith("exercises.")})

        setattr(_synctest, name, forget_fewer)


class ShortPrinter:
    """Takes the place of ``pprint`` in ``unittest``, which compares what it prints, line by line.

    To do so with a large file takes longer than all other tests, and nobody reads the end of it.
    """

    @staticmethod
    def pformat(value: object) -> str:
        """Format a value; one that is long, in one line that is cut."""
        text = repr(value)
        return pformat(value) if len(text) < LONGEST else f"{text[: LONGEST // 4]} …"


def main(folder: str) -> None:
    """Work until there is no more to do, in a folder that the tests may write to."""
    orders, tell = take_over_the_descriptors()
    isolation = Isolation(Path(folder))
    isolation.go_home()
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
    forget_fewer_warnings()
    import_module("twisted.internet.reactor")  # which is made when it is imported
    defer.DebugInfo = OwnDebugInfo  # type: ignore[misc]
    counting.wrap_assertions(TestCase, SynchronousTestCase)
    unittest.case.pprint = ShortPrinter  # type: ignore[attr-defined]
    gc.disable()  # nothing of one server may be collected, and log, in a test of another
    tell({"ready": os.getpid()})
    for number, order in enumerate(orders):
        OwnDebugInfo.job = number
        for event in work(Job(**json.loads(order)), isolation):
            tell(event)
        if isolation.spent:
            end_this_tree()
        if number % COLLECT == 0:
            gc.collect()
        if number < WARM:
            gc.freeze()  # what is there now need not be looked at again


if __name__ == "__main__":
    main(sys.argv[1])
