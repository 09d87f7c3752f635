"""The judge says whether the tests of a stage are valid, and whether they are thorough.

*Valid*: they pass on every correct server: the solution of the stage, ``toyhttp``, and
servers that do in another way what the specification leaves open. *Thorough*: each broken
server is caught by a test that is valid. Beside that it tells how the learner's own code
stands, which has no influence on the exit code.

This module, like all that runs in the process of the command, does not import Twisted:
the workers import it meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exercises.manifest import STAGES, Stage
from solutions.broken import broken_servers, freedoms, sources_with

from .descriptions import UnreadableError, hidden, tests_in
from .environment import ROOT
from .hollow import hollow_sources
from .jobs import Job, Outcome, Problem
from .pool import Pool, Run
from .validity import UNWRITTEN, Correct, state_of
from .verdict import BugVerdict, Failing, TestVerdict, Verdict, short

FIRST_LIMIT = 5.0  # seconds for a test on a correct server
LEAST_LIMIT = 3.0  # seconds for a test on any other, or ten times what it took before


class UsageError(ValueError):
    """There is no such stage, or no such folder."""


def stage_of(number: int) -> Stage:
    """Return a stage.

    :raises UsageError: if there is none with this number.
    """
    for stage in STAGES:
        if stage.number == number:
            return stage
    raise UsageError(f"There is no stage {number}: they are 1 to {len(STAGES)}.")


def judge(
    number: int,
    folder: Path | None = None,
    pool: Pool | None = None,
    thoroughly: bool = False,
) -> Verdict:
    """Judge the tests of a stage.

    :param number: the stage's number.
    :param folder: where the tests are; without one, in ``exercises/stageN``.
    :param pool: the workers; without them, two are started.
    :param thoroughly: whether each test that has caught nothing so far is run against all
        broken servers, so that all are known that catch nothing.
    :raises UsageError: if there is no such stage or folder.
    """
    stage = stage_of(number)
    if folder is not None and not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    if pool is None:
        with Pool(2) as pool:
            return judge(number, folder, pool, thoroughly)
    folder = (folder or stage.folder).resolve()
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    verdict = Verdict(number, stage.title, shown.as_posix())
    _Judging(stage, folder, pool, verdict, thoroughly).judge()
    pool.forget()
    return verdict


class _Judging:
    """One use of the judge: the jobs that it gives to the workers, and what it makes of them."""

    def __init__(
        self, stage: Stage, folder: Path, pool: Pool, verdict: Verdict, thoroughly: bool
    ) -> None:
        self.thoroughly = thoroughly
        self.stage = stage
        self.folder = folder
        self.pool = pool
        self.verdict = verdict
        self.solution = f"solutions.stage{stage.number}"
        self.texts: dict[str, str] = {}
        self.lines: dict[str, str] = {}
        self.hanging: set[str] = set()

    def judge(self) -> None:
        """Fill in the verdict."""
        try:
            described = tests_in(self.folder)
        except UnreadableError as error:
            self.verdict.problem = error.problem
            return
        self.lines = {test.test: f"{test.file}:{test.line}" for test in described}
        correct = self.run_correct()
        solution = correct[0].run
        own = self.submit("exercises.myhttp", limit=LEAST_LIMIT, priority=3)
        reference = own
        if self.folder != self.stage.contract:
            job = Job(self.stage.number, "exercises.myhttp", limit=LEAST_LIMIT)
            reference = self.pool.submit(job, priority=4)
        self.texts = {test.test: test.text for test in tests_in(self.stage.contract)}

        self.pool.wait([solution])
        if solution.problem is not None:
            self.verdict.problem = solution.problem
            return
        self.pool.wait(server.run for server in correct)
        self.verdict.tests = [
            TestVerdict(
                test.test,
                "is replaced",
                "Another test further down has the same name, so that this one never runs.",
                f"{test.file}:{test.line}",
            )
            for test in hidden(described)
        ]
        for test in solution.tests:
            self.verdict.tests.append(state_of(test, correct, self.lines.get(test, "")))
        if not self.verdict.tests:
            message = f"There are no tests in {self.folder}: methods named test_… of a TestCase."
            self.verdict.problem = Problem("NoTests", message)
            return
        seconds = {outcome.test: outcome.seconds for outcome in solution.outcomes}
        for said in self.verdict.tests:
            said.seconds = round(seconds.get(said.test, 0.0), 3)
        outcomes = [outcome for server in correct for outcome in server.run.outcomes]
        self.judge_bugs(outcomes)
        self.find_empty(outcomes)
        self.pool.wait([own, reference])
        self.texts.update({test.test: test.text for test in described})
        self.judge_own(own, reference)
        if not (own.failed or reference.failed or own.problem or reference.problem):
            self.judge_stages_before()

    def submit(
        self,
        server: str = "",
        sources: dict[str, str] | None = None,
        priority: int = 0,
        tells: bool = False,
        **details: Any,
    ) -> Run:
        """Have the tests run against a server, without those that hang on a correct one."""
        job = Job(
            self.stage.number,
            server or self.solution,
            str(self.folder),
            sources or {},
            **details,
        )
        return self.pool.begin(Run(job, self.hanging, tells), priority)

    def run_correct(self) -> list[Correct]:
        """Begin to run the tests on the correct servers; return what a failure on each means."""
        number = self.stage.number
        solution = self.submit(limit=FIRST_LIMIT, tells=True)
        toyhttp = self.submit("toyhttp", limit=FIRST_LIMIT, tells=True)
        meaning = f"It fails with the solution of stage {number}, which is correct"
        found = [Correct(solution, meaning)]
        for freedom in freedoms(number):
            run = self.submit(sources=sources_with(number, freedom), limit=FIRST_LIMIT, tells=True)
            meaning = f"It asks for {freedom.story}, which the specification leaves open"
            found.append(Correct(run, meaning))  # they say better than toyhttp what is asked
        return [*found, Correct(toyhttp, "It fails with toyhttp, which is correct")]

    def judge_bugs(self, outcomes: list[Outcome]) -> None:
        """Run the valid tests against the broken servers."""
        tests = {test.test: test for test in self.verdict.in_state("valid")}
        slowest = max(
            (outcome.seconds for outcome in outcomes if outcome.how == "passed"), default=0.0
        )
        limit = max(LEAST_LIMIT, 10 * slowest)
        runs: list[tuple[BugVerdict, dict[str, str], Run]] = []
        for bug in broken_servers(self.stage.number):
            violated = self.texts.get(bug.violates, bug.violates)
            said = BugVerdict(bug.story, bug.violates, violated)
            self.verdict.bugs.append(said)
            if tests:
                sources = sources_with(self.stage.number, bug)
                first = (bug.violates,)
                run = self.submit(
                    sources=sources, only=tuple(tests), first=first, stop=True, limit=limit
                )
                runs.append((said, sources, run))
        self.pool.wait(run for _, _, run in runs)
        for said, _, run in runs:
            for outcome in run.failed[:1]:
                said.caught_by, said.how = outcome.test, outcome.how
                tests[outcome.test].catches.append(said.story)
        asserting = {outcome.test for outcome in outcomes if outcome.checks}
        idle = [name for name, test in tests.items() if not test.catches]
        if not self.thoroughly:
            idle = [name for name in idle if name not in asserting]
        again = []
        for said, sources, run in runs:
            ran = {outcome.test for outcome in run.outcomes}
            left = tuple(name for name in idle if name not in ran)
            if left:
                again.append((said, self.submit(sources=sources, only=left, limit=limit)))
        self.pool.wait(more for _, more in again)
        for said, more in again:
            for outcome in more.failed:
                tests[outcome.test].catches.append(said.story)

    def find_empty(self, outcomes: list[Outcome]) -> None:
        """Find the tests that pass, but say nothing about the server."""
        idle = {test.test: test for test in self.verdict.in_state("valid") if not test.catches}
        if not idle:
            return
        sources = hollow_sources(self.stage)
        hollow = self.submit(sources=sources, only=tuple(idle), limit=LEAST_LIMIT)
        self.pool.wait([hollow])
        asserting = {outcome.test for outcome in outcomes if outcome.checks}
        without = {outcome.test for outcome in hollow.outcomes if outcome.how == "passed"}
        for name, test in idle.items():
            if name not in asserting:
                test.state = "asserts nothing"
                test.why = (
                    "It makes no assertion, and passes on each of the broken servers. "
                    "If it wants no error to be raised, let it assert something beside that."
                )
            elif name in without:
                test.state = "asks nothing"
                test.why = "It passes even where nothing of this stage is written."

    def judge_own(self, own: Run, reference: Run) -> None:
        """Tell how the learner's own code stands."""
        said = self.verdict.own
        problem = own.problem or reference.problem
        if problem is not None:
            where = f"{problem.file}, line {problem.line}: " if problem.line else ""
            said.problem = f"{where}{problem.error}: {problem.message}"
            return
        valid = {test.test for test in self.verdict.in_state("valid")}
        said.total = len(valid)
        said.fails = [self.failing(outcome) for outcome in own.failed if outcome.test in valid]
        ended = {outcome.test for outcome in own.outcomes}
        said.passed = len(valid & ended) - len(said.fails)
        said.requirements = len(reference.tests)
        said.violates = [self.failing(outcome) for outcome in reference.failed]
        said.met = len(reference.outcomes) - len(said.violates)
        said.not_run = len(valid - ended) + len(reference.tests) - len(reference.outcomes)
        for outcome in [*own.failed, *reference.failed]:
            unwritten = UNWRITTEN.fullmatch(outcome.message)
            if unwritten and outcome.error != "FailTest" and outcome.message not in said.unwritten:
                said.unwritten.append(outcome.message)

    def judge_stages_before(self) -> None:
        """Run the tests of the stages before that concern the modules that this stage changes."""
        runs = [
            (stage, self.pool.submit(Job(stage.number, "exercises.myhttp", limit=LEAST_LIMIT)))
            for stage in STAGES[: self.stage.number - 1]
            if set(stage.writes) & set(self.stage.writes)
        ]
        self.pool.wait(run for _, run in runs)
        for stage, run in runs:
            self.texts = {test.test: test.text for test in tests_in(stage.contract)}
            for outcome in run.failed:
                failing = self.failing(outcome)
                failing.test = f"stage {stage.number}'s {short(outcome.test)}"
                self.verdict.own.breaks.append(failing)

    def failing(self, outcome: Outcome) -> Failing:
        """Describe a test that fails."""
        why = f"{outcome.error}: {outcome.message}" if outcome.error else outcome.message
        return Failing(outcome.test, self.texts.get(outcome.test, ""), why)
