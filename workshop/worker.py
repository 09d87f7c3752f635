"""Runs tests against servers, as it is told: ``python -m workshop.worker FOLDER``.

A learner's code may loop for ever, print what it likes, or end the process; so it runs
here, in a process that can be killed. :mod:`workshop.jobs` says what comes in by the
standard input and goes out by the standard output: by copies of them, out of the reach of
the tests, which find both of them empty.
"""

from __future__ import annotations

import gc
import inspect
import io
import json
import os
import sys
import time
import traceback
import unittest
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

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

from exercises.binding import load_tests, test_cases, variant

from . import counting
from .jobs import Job, Outcome, Problem

LONGEST = 2000  # characters of a message
WARM = 1  # jobs after which the modules that all servers need are loaded
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


_methods: dict[tuple[object, str], list[str]] = {}


def methods_of(case: type[unittest.TestCase]) -> list[str]:
    """Return the names of the tests of a test case, as they follow each other in the file."""
    # Most jobs have the same tests as the one before.
    key = sys.modules[case.__module__].__file__, case.__qualname__
    if key not in _methods:
        names = unittest.defaultTestLoader.getTestCaseNames(case)
        _methods[key] = sorted(names, key=partial(first_line, case))
    return _methods[key]


class Suite:
    """The test modules of a job, bound to its server."""

    def __init__(self, modules: list[ModuleType]) -> None:
        self.tests: dict[str, tuple[type[unittest.TestCase], str]] = {}
        taken: set[str] = set()
        for module in modules:
            cases = test_cases(module)
            for name, case in cases.items():
                prefix = f"{module.__name__.rpartition('.')[2]}.{name}" if name in taken else name
                for method in methods_of(case):
                    self.tests[f"{prefix}.{method}"] = case, method
            taken.update(cases)

    def run(self, name: str, limit: float) -> Outcome:
        """Run one test, and tell how it ended."""
        case, method = self.tests[name]
        line = first_line(case, method)
        kind = kind_that_never_runs(case, getattr(case, method))
        if kind:
            message = NEVER_RUNS.format(method, kind, case.__mro__[1].__name__)
            return Outcome(name, "never runs", "", message, case.__module__, line)
        result = Result()
        made, begun = counting.made, time.perf_counter()
        try:
            test = case(method)
            if isinstance(test, TestCase):
                seconds = min(limit, test.getTimeout())
                test.getTimeout = lambda: seconds  # type: ignore[method-assign]
            test.run(result)
        except BaseException:
            result.addError(case, Failure())  # type: ignore[arg-type]
        seconds = time.perf_counter() - begun
        error, message = "", result.reason
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
        )


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


def work(job: Job) -> Iterator[dict[str, object]]:
    """Do a job; yield what is to be told."""
    from exercises.manifest import STAGES

    folder = Path(job.folder) if job.folder else STAGES[job.stage - 1].contract
    with variant(job.server, job.sources, job.share):
        try:
            suite = Suite(load_tests(job.stage, folder, counting.run_counting))
        except BaseException as error:
            yield {"done": vars(problem_of(error, folder))}
            return
        names = [name for name in suite.tests if job.only is None or name in job.only]
        names = [name for name in names if name not in job.leave_out]
        order = {name: number for number, name in enumerate(job.first)}
        names.sort(key=lambda name: order.get(name, len(order)))
        yield {"tests": list(suite.tests), "planned": names}
        hung = 0
        for name in names:
            yield {"begun": name}
            if sys.stdout is None or sys.stdout.closed:
                sys.stdout = io.StringIO()
            outcome = suite.run(name, job.limit)
            yield {"ended": vars(outcome)}
            hung += outcome.how == "hung"
            if hung >= job.patience or (job.stop and outcome.failed):
                break
    yield {"done": None}


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


class OwnDebugInfo(DebugInfo):
    """Logs a failure that nobody has handled, unless it belongs to a job before this one."""

    job = 0

    def __init__(self) -> None:
        self.begun = OwnDebugInfo.job

    def __del__(self) -> None:
        """Log it; what is collected late shall not be blamed on a test of another server."""
        if self.begun == OwnDebugInfo.job:
            super().__del__()


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


def main(folder: str) -> None:
    """Work until there is no more to do, in a folder that the tests may write to."""
    orders, tell = take_over_the_descriptors()
    os.chdir(folder)
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
    forget_fewer_warnings()
    defer.DebugInfo = OwnDebugInfo  # type: ignore[misc]
    counting.wrap_assertions(TestCase, SynchronousTestCase)
    gc.disable()  # nothing of one server may be collected, and log, in a test of another
    tell({"ready": os.getpid()})
    for number, order in enumerate(orders):
        OwnDebugInfo.job = number
        for event in work(Job(**json.loads(order))):
            tell(event)
        gc.collect()
        if number < WARM:
            gc.freeze()  # what is there now need not be looked at again


if __name__ == "__main__":
    main(sys.argv[1])
