"""What is asked of a worker, and what it answers: one JSON object on each line.

To a worker goes a :class:`Job`. Back come, in this order:

- ``{"tests": {name: file}, "planned": names, "unloaded": {file: problem}}``: all tests that
  there are, those that the job is about, and the files that could not be imported, each with
  its :class:`Problem`;
- for each of these tests ``{"begun": name}``, twice if it is run twice, and ``{"ended": outcome}``;
- ``{"again": null}``, if a test has changed what the others rely on: then all begins anew;
- at last ``{"done": spent}``, which says whether this was the last job of this worker; or
  ``{"spent": null}``, if there are more tests, but this worker cannot go on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

UNWRITTEN = re.compile(r"Stage \d+: .+ is not written yet\.")

FAILED = ("failed", "error", "logged", "dirty", "hung", "died")
"""How a test ends that has found something wrong."""


@dataclass(frozen=True)
class Job:
    """The tests of a stage, to be run against a server.

    :ivar stage: the stage's number.
    :ivar server: a package with the modules of ``exercises.myhttp``, such as ``toyhttp``.
    :ivar folder: where the tests are; empty for those of the contract.
    :ivar sources: the texts that replace modules of the server, by file name.
    :ivar only: the names of the tests to run; ``None`` for all of them.
    :ivar leave_out: the names of tests that are not run.
    :ivar first: the names of tests that are run before the others.
    :ivar stop: whether the first test that fails is the last.
    :ivar limit: how many seconds a test may take.
    :ivar confirm: whether a test that fails is run a second time, to see whether it fails again.
    :ivar share: whether variants share the modules that are the same in all of them.
    :ivar patience: how many tests may exceed it, before the others are not run.
    """

    stage: int
    server: str
    folder: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] | None = None
    leave_out: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    stop: bool = False
    confirm: bool = False
    share: bool = False
    limit: float = 5.0
    patience: int = 3


@dataclass(frozen=True)
class Outcome:
    """How a test ended.

    :ivar test: its name, such as ``RequestLineTests.test_smallest_request``.
    :ivar how: ``"passed"``; ``"failed"``, an assertion; ``"error"``, another exception;
        ``"logged"``, an error that was logged; ``"dirty"``, the reactor; ``"hung"``;
        ``"died"``, its process with it; ``"skipped"``; ``"todo"``;
        ``"left"``, it passed, but a thread or a process is left;
        ``"never runs"``, it is a function of a kind that the test case does not run.
    :ivar error: the name of the exception; empty if the test passed.
    :ivar message: the text of that exception, or what else there is to say.
    :ivar module: the test module that it is in, such as ``exercises.stage1.test_request``.
    :ivar line: where in that module it ended so, or begins.
    :ivar checks: how many assertions were made.
    :ivar seconds: how long it took.
    :ivar dropped: whether an assertion failed in a Deferred that the test does not wait for.
    :ivar flaky: whether it passed when it was run again, right after it had ended so.
    """

    test: str
    how: str = "passed"
    error: str = ""
    message: str = ""
    module: str = ""
    line: int = 0
    checks: int = 0
    seconds: float = 0.0
    dropped: bool = False
    flaky: bool = False

    @property
    def failed(self) -> bool:
        """Whether the test found something wrong: not so if it was skipped, or is flaky."""
        return self.how in FAILED and not self.flaky

    @property
    def where(self) -> str:
        """The file and the line, such as ``test_files.py:57``; empty if nobody knows."""
        return f"{self.module.rpartition('.')[2]}.py:{self.line}" if self.line else ""

    @property
    def unwritten(self) -> bool:
        """Whether the test, or the code that it calls, is still as it was shipped."""
        return UNWRITTEN.fullmatch(self.message) is not None


@dataclass(frozen=True)
class Problem:
    """Why no test, or none of a file, could be run.

    :ivar error: the name of the exception.
    :ivar message: its text.
    :ivar file: the test module's file in which it was raised, or the last one that was begun.
    :ivar line: where in the file; 0 if nobody knows.
    """

    error: str
    message: str
    file: str = ""
    line: int = 0
