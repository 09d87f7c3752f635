"""Run the tests of some stages against a server, in a process of their own.

``python -m workshop.suite solutions.stage2 1 2`` prints the outcomes as JSON;
:func:`run_suite` starts that process and returns them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

from twisted.python.failure import Failure
from twisted.trial.reporter import TestResult

from exercises.binding import tests_of
from solutions.broken import broken_server, broken_servers

from .environment import ROOT


@dataclass(frozen=True)
class Outcome:
    """How a test ended.

    :ivar module: the test module that it is in; empty if none could be imported.
    :ivar test: its name, such as ``RequestLineTests.test_smallest_request``; empty too.
    :ivar error: the name of the exception that it raised; empty if it passed.
    :ivar message: the text of that exception.
    """

    module: str
    test: str
    error: str = ""
    message: str = ""


def run_suite(server: str, *stages: int) -> list[Outcome]:
    """Run the tests of some stages against a server.

    :param server: the name of a package with the modules of ``exercises.myhttp``; or
        ``broken:3:0`` for the first of the broken servers of stage 3.
    :param stages: the stages' numbers.
    :raises RuntimeError: if the process breaks down.
    """
    command = [sys.executable, "-m", "workshop.suite", server, *map(str, stages)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{command} failed:\n{process.stdout}{process.stderr}")
    return [Outcome(**outcome) for outcome in json.loads(process.stdout)]


def package_of(server: str) -> AbstractContextManager[str]:
    """Return what makes a package of a server, for as long as it is used."""
    kind, *numbers = server.split(":")
    if kind != "broken":
        return nullcontext(server)
    stage, index = map(int, numbers)
    return broken_server(stage, broken_servers(stage)[index])


def outcomes(server: str, stage: int) -> Iterator[Outcome]:
    """Run the tests of a stage in this process, and tell how each ended."""
    try:
        names = tests_of(stage, server, module=__name__)
    except ImportError as error:
        yield Outcome("", "", type(error).__name__, str(error))
        return
    globals().update(names)  # where Trial looks for ``timeout``
    for name, case in names.items():
        if isinstance(case, type):
            for method in unittest.defaultTestLoader.getTestCaseNames(case):
                module = getattr(case, method).__globals__["__name__"]
                yield Outcome(module, f"{name}.{method}", *error_of(case(method)))


def error_of(test: unittest.TestCase) -> tuple[str, str]:
    """Run one test, and return the name and the text of the exception that it raised, if any."""
    result = TestResult()
    test.run(result)
    for _, failure in [*result.errors, *result.failures]:
        if not isinstance(failure, Failure):
            failure = Failure(*failure)
        return type(failure.value).__name__, failure.getErrorMessage()
    if result.successes != 1:
        return "NoSuccess", "The test was skipped, or expected to fail."
    return "", ""


if __name__ == "__main__":
    server, *stages = sys.argv[1:]
    with package_of(server) as package:
        found = [outcome for stage in stages for outcome in outcomes(package, int(stage))]
    print(json.dumps([asdict(outcome) for outcome in found]))
