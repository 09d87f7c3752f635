"""What the judge says, as data.

``workshop judge N --json`` prints a :class:`Verdict` as one JSON object, with the names of
its attributes as keys, and ``"valid"``, ``"thorough"`` and ``"summary"`` beside them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from exercises.manifest import STAGES

from .jobs import Problem

OWN = "is about your own code"
"""The state of a test that imports what only the learner's code has."""

HARMLESS = {"valid", "is skipped", OWN}


@dataclass
class TestVerdict:
    """What is said about one test.

    :ivar test: its name, such as ``FileTests.test_index``.
    :ivar state: ``"valid"``; ``"not written"``; ``"asks for too much"``, a correct server
        fails it; ``"raises"``, another error than that of an assertion; ``"hangs"``;
        ``"ends the process"``; ``"leaves the reactor dirty"``; ``"logs an error"`` and does
        not flush it; ``"never runs"``; ``"is replaced"``, by another test of the same name;
        ``"is flaky"``, its outcome differs from run to run; ``"leaves something running"``,
        a thread or a process; ``"cannot be imported"``, its file; ``"is about your own code"``,
        it imports what only that has, and is judged against it alone;
        ``"asserts nothing"``; ``"asks nothing"``, it passes where nothing is written;
        ``"is skipped"``; ``"is todo"``; ``"was not run"``, as too many before it hang.
    :ivar why: what to say about that, in words; empty if it is valid.
    :ivar where: the file and the line, such as ``test_files.py:57``.
    :ivar catches: the stories of the broken servers that it is known to catch; not all
        that it would catch, as the others are done with when one test has caught them.
    :ivar seconds: how long it takes with the solution.
    :ivar dropped: what an assertion said that failed on a broken server, in a Deferred that
        the test does not wait for; empty if there was none.
    :ivar statement: the statement that failed, in one line; empty if it is valid, or if none did.
    """

    test: str
    state: str
    why: str
    where: str
    catches: list[str] = field(default_factory=list)
    seconds: float = 0.0
    dropped: str = ""
    statement: str = ""


@dataclass
class BugVerdict:
    """What is said about one broken server.

    :ivar story: what it does wrong.
    :ivar violates: the test of the reference that states the requirement.
    :ivar description: that requirement, in words.
    :ivar caught_by: the test that caught it; ``None`` if none did.
    :ivar how: how that test ended: ``"failed"``, ``"error"``, ``"hung"`` and so on.
    :ivar not_counted: if no valid test caught it, a test that fails on it and passes with the
        solution, but is not valid; ``None`` if there is none.
    """

    story: str
    violates: str
    description: str
    caught_by: str | None = None
    how: str = ""
    not_counted: str | None = None


@dataclass
class Failing:
    """A test that the learner's own code fails.

    :ivar test: its name.
    :ivar description: its docstring.
    :ivar why: the error.
    :ivar tested: whether a valid test of the learner's is about the same requirement.
    :ivar where: the file and the line, such as ``test_files.py:57``.
    :ivar statement: the statement that failed, in one line; empty if none did.
    """

    test: str
    description: str
    why: str
    tested: bool = True
    where: str = ""
    statement: str = ""


@dataclass
class OwnVerdict:
    """How the learner's own code stands.

    :ivar problem: why no test could be run against it; empty if they could.
    :ivar unwritten: the names that the learner has still to write.
    :ivar passed: how many of the learner's own valid tests it passes.
    :ivar total: how many of them there are.
    :ivar fails: those that it fails.
    :ivar requirements: how many tests the reference has.
    :ivar violates: those that it fails.
    :ivar met: how many it passes.
    :ivar breaks: the tests of stages before, whose modules this stage changes, that it fails.
    :ivar flaky: the tests whose outcome with this code differs from run to run.
    :ivar not_run: how many tests were not run, as too many before them hang.
    """

    problem: str = ""
    unwritten: list[str] = field(default_factory=list)
    passed: int = 0
    total: int = 0
    fails: list[Failing] = field(default_factory=list)
    requirements: int = 0
    met: int = 0
    violates: list[Failing] = field(default_factory=list)
    breaks: list[Failing] = field(default_factory=list)
    flaky: list[str] = field(default_factory=list)
    not_run: int = 0

    @property
    def told(self) -> list[Failing]:
        """What it violates that a test of the learner's is about."""
        return [failing for failing in self.violates if failing.tested]


@dataclass
class Verdict:
    """All that the judge says.

    :ivar stage: the stage's number.
    :ivar title: its title.
    :ivar folder: where the tests are.
    :ivar problem: why nothing could be judged; ``None`` if it could.
    :ivar tests: what is said about each test.
    :ivar bugs: what is said about each broken server.
    :ivar own: how the learner's own code stands.
    :ivar only: the descriptions that alone are judged; empty if all are.
    """

    stage: int
    title: str
    folder: str
    problem: Problem | None = None
    tests: list[TestVerdict] = field(default_factory=list)
    bugs: list[BugVerdict] = field(default_factory=list)
    own: OwnVerdict = field(default_factory=OwnVerdict)
    only: list[str] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether all tests are valid.

        One that is skipped on this machine does no harm, nor one about the learner's own code.
        """
        states = {test.state for test in self.tests}
        return self.problem is None and "valid" in states and states <= HARMLESS

    @property
    def thorough(self) -> bool:
        """Whether each broken server is caught."""
        asked = bool(self.bugs or self.only)
        return self.problem is None and asked and not self.survivors

    @property
    def survivors(self) -> list[BugVerdict]:
        """The broken servers that no valid test catches."""
        return [bug for bug in self.bugs if bug.caught_by is None]

    @property
    def spoils(self) -> bool:
        """Whether the stories of the bugs would tell what the learner is to find out."""
        return STAGES[self.stage - 1].part == "III"

    def is_tested(self, requirement: str) -> bool:
        """Tell whether the learner has a test for a requirement: of the same name, or as good.

        As good are tests that have caught a broken server which violates the requirement.

        :param requirement: the test of the reference that states it.
        """
        caught = {bug.violates for bug in self.bugs if bug.caught_by is not None}
        named = {short(test.test) for test in self.in_state("valid")}
        return requirement in caught or short(requirement) in named

    def in_state(self, *states: str) -> list[TestVerdict]:
        """Return the tests in one of these states."""
        return [test for test in self.tests if test.state in states]

    @property
    def summary(self) -> str:
        """The verdict in a sentence or two, and what to do next."""
        if self.problem is not None:
            return "Nothing is judged. Mend that first."
        unwritten = self.in_state("not written")
        wrong = [test for test in self.tests if test.state not in HARMLESS]
        if len(unwritten) == len(self.tests):
            return f"Nothing is judged yet. Write the first test: {short(unwritten[0].test)}."
        if len(wrong) > len(unwritten):
            first = next(test for test in wrong if test not in unwritten)
            return f"Not valid. Mend {short(first.test)} first: {first.where}."
        if unwritten:
            return f"Not finished. Write the next test: {short(unwritten[0].test)}."
        if not self.in_state("valid"):
            return "Not valid: no test was run."
        if self.survivors:
            first_bug = self.survivors[0]
            return f"Valid, but not thorough. What would show this? {first_bug.story}"
        own = self.own
        if own.problem or own.unwritten or own.fails or own.not_run:
            return "Valid and thorough. Now make your code pass."
        if own.told:
            lacks = own.told[0].description or short(own.told[0].test)
            return f"Valid and thorough, but your code lacks this: {lacks}"
        if own.violates:
            return "Valid and thorough, but your code lacks what no test of yours asks."
        if own.breaks:
            return f"Valid and thorough, but your code breaks {own.breaks[0].test}."
        if own.flaky:
            name = short(own.flaky[0])
            return f"Valid and thorough, but {name} does not always pass with your code."
        return "Valid and thorough, and your code passes. Well done!"

    def as_data(self) -> dict[str, Any]:
        """Return all of it as data, for ``--json``."""
        return {
            **asdict(self),
            "valid": self.valid,
            "thorough": self.thorough,
            "summary": self.summary,
        }


def short(test: str) -> str:
    """Return the name of a test without that of its test case."""
    return test.rpartition(".")[2]
