"""Run the tests of some stages against a server, in a process of their own.

``python -m workshop.suite solutions.stage2 1 2`` prints the outcomes as JSON, and
``python -m workshop.suite broken 3`` those of each broken server of stage 3.
:func:`run_suite` and :func:`run_broken` start that process and return them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from collections.abc import Iterator
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

    :param server: the name of a package with the modules of ``exercises.myhttp``.
    :param stages: the stages' numbers.
    :raises RuntimeError: if the process breaks down.
    """
    (outcomes,) = _run(server, *stages)
    return outcomes


def run_broken(stage: int) -> list[list[Outcome]]:
    """Run the tests of a stage against each of its broken servers.

    :returns: the outcomes for each, in the order of ``solutions/stageN/broken.py``.
    :raises RuntimeError: if the process breaks down.
    """
    return _run("broken", stage)


def _run(*words: object) -> list[list[Outcome]]:
    """Start the process, and return what it printed: the outcomes for each server."""
    command = [sys.executable, "-m", "workshop.suite", *map(str, words)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{command} failed:\n{process.stdout}{process.stderr}")
    servers = json.loads(process.stdout)
    return [[Outcome(**outcome) for outcome in outcomes] for outcomes in servers]


def main(server: str, *stages: int) -> Iterator[list[Outcome]]:
    """Run the tests of some stages in this process, against one server or the broken ones."""
    if server != "broken":
        yield [outcome for stage in stages for outcome in outcomes(server, stage)]
        return
    for stage in stages:
        for bug in broken_servers(stage):
            with broken_server(stage, bug) as package:
                yield list(outcomes(package, stage))


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
    servers = main(sys.argv[1], *map(int, sys.argv[2:]))
    print(json.dumps([[asdict(outcome) for outcome in found] for found in servers]))
