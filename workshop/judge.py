"""The judge says whether the tests of a stage are valid, and whether they are thorough.

*Valid*: they pass on every correct server: the solution of the stage, ``toyhttp``, and
servers that do in another way what the specification leaves open. *Thorough*: each broken
server is caught by a test that is valid. Beside that it tells how the learner's own code
stands, which has no influence on the exit code.

This module, like all that runs in the process of the command, does not import Twisted:
the workers import it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exercises.manifest import STAGES, Stage
from solutions.broken import Broken, Freedom, broken_servers, freedoms, sources_with

from .descriptions import Description, UnreadableError, hidden, statement_at, tests_in
from .environment import ROOT
from .hollow import hollow_sources
from .jobs import FAILED, Job, Outcome, Problem
from .pool import Pool, Run
from .validity import IMPORT_ERRORS, SOME_SERVER, Correct, state_of
from .verdict import OWN, BugVerdict, Failing, TestVerdict, Verdict, short

LEARNER = "exercises.myhttp"
FIRST_LIMIT = 5.0  # seconds for a test on a correct server
LEAST_LIMIT = 3.0  # seconds for a test on any other, or ten times what it took before
MEANING = "It is over-specified: the specification leaves open {}"


class UsageError(ValueError):
    """There is no such stage, folder or description."""


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
    only: Sequence[str] = (),
) -> Verdict:
    """Judge the tests of a stage.

    :param number: the stage's number.
    :param folder: where the tests are; without one, in ``exercises/stageN``.
    :param pool: the workers; without them, two are started.
    :param thoroughly: whether each test that has caught nothing so far is run against all
        broken servers, so that all are known that catch nothing.
    :param only: the names of descriptions: then only their tests are judged, and only
        against the broken servers that violate them.
    :raises UsageError: if there is no such stage, folder or description.
    """
    stage = stage_of(number)
    if folder is not None and not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    chosen = described_as(stage, only) if only else None
    if pool is None:
        with Pool(2) as pool:
            return judge(number, folder, pool, thoroughly, only)
    folder = (folder or stage.folder).resolve()
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    verdict = Verdict(number, stage.title, shown.as_posix(), only=sorted(chosen or ()))
    _Judging(stage, folder, pool, verdict, thoroughly, chosen).judge()
    pool.forget()
    return verdict


def described_as(stage: Stage, names: Sequence[str]) -> set[str]:
    """Return the full names of descriptions of a stage.

    :param names: their names, with or without that of the test case.
    :raises UsageError: if one is that of no description.
    """
    if stage.part == "III":
        raise UsageError(f"Stage {stage.number} describes no tests: its list is yours.")
    known = [test.test for folder in (stage.contract, stage.folder) for test in tests_in(folder)]
    chosen = set()
    for name in names:
        found = {test for test in known if name in (test, short(test))}
        if not found:
            said = ", ".join(dict.fromkeys(short(test.test) for test in tests_in(stage.folder)))
            raise UsageError(f"Stage {stage.number} describes no {name}. It describes: {said}.")
        chosen |= found
    return chosen


@dataclass
class _Trial:
    """A broken server, and what the tests say about it."""

    said: BugVerdict
    bug: Broken
    sources: dict[str, str] = field(default_factory=dict)
    run: Run = field(init=False)
    ran: set[str] = field(default_factory=set)


def compatible(stage: int, changes: Iterable[Freedom]) -> list[list[Freedom]]:
    """Put changes together that can be made in one server: none in what another has changed."""
    groups: list[list[Freedom]] = []
    for change in changes:
        for group in groups:
            try:
                sources_with(stage, *group, change)
            except ValueError:
                continue
            group.append(change)
            break
        else:
            groups.append([change])
    return groups


def statement_in(folder: Path, where: str) -> str:
    """Return the statement in a line of a folder's test module, such as ``test_files.py:57``."""
    file, _, line = where.rpartition(":")
    return statement_at(folder / file, int(line)) if file else ""


def _in_words(problem: Problem) -> str:
    return f"{problem.error}: {problem.message}" if problem.error else problem.message


class _Judging:
    """One use of the judge: the jobs that it gives to the workers, and what it makes of them."""

    def __init__(
        self,
        stage: Stage,
        folder: Path,
        pool: Pool,
        verdict: Verdict,
        thoroughly: bool,
        chosen: set[str] | None,
    ) -> None:
        self.thoroughly = thoroughly
        self.stage = stage
        self.folder = folder
        self.pool = pool
        self.verdict = verdict
        self.chosen = chosen
        self.solution = f"solutions.stage{stage.number}"
        self.texts: dict[str, str] = {}
        self.lines: dict[str, str] = {}
        self.hanging: set[str] = set()
        self.not_counted: set[str] = set()

    def judge(self) -> None:
        """Fill in the verdict."""
        try:
            described = tests_in(self.folder)
        except UnreadableError as error:
            self.verdict.problem = error.problem
            return
        self.lines = {test.test: f"{test.file}:{test.line}" for test in described}
        correct = self.run_correct()
        own = self.submit(LEARNER, limit=LEAST_LIMIT, priority=3)
        reference = own
        if self.folder != self.stage.contract:
            reference = self.pool.submit(
                Job(
                    self.stage.number,
                    LEARNER,
                    only=None if self.chosen is None else tuple(self.chosen),
                    limit=LEAST_LIMIT,
                    confirm=True,
                ),
                priority=4,
            )
        self.texts = {test.test: test.text for test in tests_in(self.stage.contract)}
        self.verdict.tests = [
            TestVerdict(
                test.test,
                "is replaced",
                "Another test further down has the same name, so that this one never runs.",
                f"{test.file}:{test.line}",
            )
            for test in hidden(described)
            if self.is_chosen(test.test)
        ]
        self.judge_validity(correct, own, described)
        if self.verdict.problem is not None:
            return
        if not self.verdict.tests:
            message = f"There are no tests in {self.folder}: methods named test_… of a TestCase."
            if self.chosen is not None:
                names = ", ".join(sorted(short(name) for name in self.chosen))
                message = f"No test in {self.folder} is named so: {names}."
            self.verdict.problem = Problem("NoTests", message)
            return
        outcomes = [outcome for server in correct for outcome in server.run.outcomes]
        passed = {o.test for o in correct[0].run.outcomes if o.how == "passed" and not o.dropped}
        self.not_counted = {
            test.test
            for test in self.verdict.in_state("asks for too much", "raises")
            if test.test in passed
        }
        self.judge_bugs(outcomes)
        self.find_empty(outcomes)
        self.pool.wait([own, reference])
        self.texts.update({test.test: test.text for test in described})
        self.judge_own(own, reference)
        if self.chosen is None and not (
            own.failed or reference.failed or own.problem or reference.problem
        ):
            self.judge_stages_before()

    def is_chosen(self, test: str) -> bool:
        """Tell whether a test is judged."""
        if self.chosen is None:
            return True
        return short(test) in {short(name) for name in self.chosen}

    def judge_validity(
        self, correct: list[Correct], own: Run, described: list[Description]
    ) -> None:
        """Tell in which state each test is."""
        self.pool.wait(server.run for server in correct)
        self.explain(correct)
        solution = correct[0].run
        problem = solution.problem
        unloaded = {
            file: problem
            for server in reversed(correct)
            for file, problem in server.run.unloaded.items()
        }
        if unloaded:
            self.pool.wait([own])
        private = {
            file for file, problem in unloaded.items() if self.is_private(file, problem, own)
        }
        if problem is None and not solution.tests and len(private) < len(solution.unloaded):
            problem = next(iter(solution.unloaded.values()))
        self.verdict.problem = problem
        if problem is not None:
            return
        seconds = {outcome.test: outcome.seconds for outcome in solution.outcomes}
        for test, file in {**solution.tests, **own.tests}.items():
            where = self.lines.get(test, file)
            if not self.is_chosen(test):
                continue
            if file in private:
                said = TestVerdict(test, OWN, _in_words(unloaded[file]), where)
            elif test not in solution.tests:
                continue
            else:
                said = state_of(test, correct, where, file)
                if said.state not in ("valid", "not written"):
                    said.statement = statement_in(self.folder, said.where)
                if said.state == "raises" and self.imports_what_is_private(test, correct, own):
                    said = TestVerdict(test, OWN, said.why.partition(": ")[2], where)
            said.seconds = round(seconds.get(test, 0.0), 3)
            self.verdict.tests.append(said)
        for file, problem in solution.unloaded.items():
            if file not in private:
                why = _in_words(problem)
                where = f"{problem.file}:{problem.line}" if problem.line else file
                names = [test.test for test in described if test.file == file] or [file]
                self.verdict.tests += [
                    TestVerdict(name, "cannot be imported", why, where)
                    for name in names
                    if self.is_chosen(name)
                ]

    def is_private(self, file: str, problem: Problem, own: Run) -> bool:
        """Tell whether a file imports what only the learner's own code has."""
        known = own.problem is None and file not in own.unloaded
        return problem.error in IMPORT_ERRORS and known

    def imports_what_is_private(self, test: str, correct: list[Correct], own: Run) -> bool:
        """Tell whether a test imports, when it is run, what only the learner's own code has."""
        self.pool.wait([own])
        outcomes = [outcome for server in correct for outcome in server.run.outcomes]
        if not any(outcome.test == test and outcome.error in IMPORT_ERRORS for outcome in outcomes):
            return False
        mine = next((outcome for outcome in own.outcomes if outcome.test == test), None)
        return mine is not None and mine.error not in IMPORT_ERRORS

    def submit(
        self,
        server: str = "",
        sources: dict[str, str] | None = None,
        priority: int = 0,
        tells: bool = False,
        **details: Any,
    ) -> Run:
        """Have the tests run against a server, without those that hang on a correct one."""
        if self.chosen is not None and "only" not in details:
            names = [test for test in self.lines if self.is_chosen(test)]
            details["only"] = tuple(names)
        job = Job(
            self.stage.number,
            server or self.solution,
            str(self.folder),
            sources or {},
            confirm=True,
            share=bool(sources),
            **details,
        )
        return self.pool.begin(Run(job, self.hanging, tells), priority)

    def run_correct(self) -> list[Correct]:
        """Begin to run the tests on the correct servers; return what a failure on each means."""
        number = self.stage.number
        solution = self.submit(limit=FIRST_LIMIT, tells=True)
        toyhttp = self.submit("toyhttp", limit=FIRST_LIMIT, tells=True)
        found = [
            Correct(solution, f"It fails with the solution of stage {number}, which is correct")
        ]
        for changes in compatible(number, freedoms(number)):
            sources = sources_with(number, *changes)
            run = self.submit(sources=sources, limit=FIRST_LIMIT, tells=True)
            stories = tuple(change.story for change in changes)
            meaning = MEANING.format(stories[0]) if len(stories) == 1 else SOME_SERVER
            found.append(Correct(run, meaning, stories))
        return [*found, Correct(toyhttp, "It fails with toyhttp, which is correct")]

    def explain(self, correct: list[Correct]) -> None:
        """Find out what a test asks for that fails on a server with several freedoms.

        So it is if it fails with the solution, and not on that server. It is run on servers that
        have one of them each. They are put before those that say less.
        """
        singles = []
        wrong = {o.test for o in correct[0].run.outcomes if o.how in FAILED and not o.unwritten}
        for server in [server for server in correct if len(server.freedoms) > 1]:
            failed = tuple(
                outcome.test
                for outcome in server.run.outcomes
                if (outcome.how in FAILED and not outcome.unwritten)
                or (outcome.how == "passed" and outcome.test in wrong)
            )
            for freedom in freedoms(self.stage.number) if failed else ():
                if freedom.story in server.freedoms:
                    sources = sources_with(self.stage.number, freedom)
                    run = self.submit(sources=sources, only=failed, limit=FIRST_LIMIT, tells=True)
                    singles.append(Correct(run, MEANING.format(freedom.story), (freedom.story,)))
        self.pool.wait(server.run for server in singles)
        correct[:] = [
            correct[0],
            *singles,
            *sorted(correct[1:], key=lambda server: len(server.freedoms) > 1),
        ]

    def judge_bugs(self, outcomes: list[Outcome]) -> None:
        """Run the valid tests against the broken servers."""
        slowest = max(
            (outcome.seconds for outcome in outcomes if outcome.how == "passed"), default=0.0
        )
        limit = max(LEAST_LIMIT, 10 * slowest)
        trials = []
        for bug in broken_servers(self.stage.number):
            if self.chosen is None or bug.violates in self.chosen:
                violated = self.texts.get(bug.violates, bug.violates)
                said = BugVerdict(bug.story, bug.violates, violated)
                self.verdict.bugs.append(said)
                trials.append(_Trial(said, bug))
        self.run_trials(trials, limit)
        tests = {test.test: test for test in self.verdict.in_state("valid")}
        asserting = {outcome.test for outcome in outcomes if outcome.checks}
        idle = [name for name, test in tests.items() if not test.catches]
        if not self.thoroughly:
            idle = [name for name in idle if name not in asserting]
        again = []
        for trial in trials:
            left = tuple(name for name in idle if name not in trial.ran)
            if left:
                again.append((trial, self.submit(sources=trial.sources, only=left, limit=limit)))
        self.pool.wait(run for _, run in again)
        for trial, run in again:
            for outcome in run.failed:
                tests[outcome.test].catches.append(trial.said.story)

    def run_trials(self, trials: list[_Trial], limit: float) -> None:
        """Run each broken server until a test catches it, one that is not flaky.

        When no valid test has, those are run that are not valid but pass with the solution.
        """
        while trials:
            tests = {test.test: test for test in self.verdict.in_state("valid")}
            if not tests and not self.not_counted:
                return
            for trial in trials:
                violated = trial.bug.violates
                trial.sources = sources_with(self.stage.number, trial.bug)
                trial.run = self.submit(
                    sources=trial.sources,
                    only=(*tests, *self.not_counted),
                    first=tuple(sorted(tests, key=lambda test: test != violated)),
                    stop=True,
                    limit=limit,
                )
            self.pool.wait(trial.run for trial in trials)
            flaky = self.flaky_on(trials, limit)
            for trial in trials:
                trial.ran |= {outcome.test for outcome in trial.run.outcomes}
                for outcome in trial.run.outcomes:
                    if outcome.dropped and outcome.how == "passed" and outcome.test in tests:
                        tests[outcome.test].dropped = outcome.message
                for outcome in trial.run.failed[:1]:
                    if outcome.test in self.not_counted:
                        trial.said.not_counted = outcome.test
                        continue
                    trial.said.caught_by, trial.said.how = outcome.test, outcome.how
                    tests[outcome.test].catches.append(trial.said.story)
            for name in flaky:
                tests[name].state, tests[name].catches = "is flaky", []
                tests[name].why = "On the same broken server it once failed, and once passed."
            # What a flaky test has caught is tried once more, with the others.
            trials = [trial for trial in trials if trial.said.caught_by in flaky]
            for trial in trials:
                trial.said.caught_by, trial.said.how = None, ""

    def flaky_on(self, trials: list[_Trial], limit: float) -> set[str]:
        """Return the tests that end in two ways on the same broken server, loaded afresh.

        A test that fails first, and then passes, may have met what a test before it left in
        the server. So it is run alone, twice.
        """
        runs = [
            [self.submit(sources=trial.sources, only=(outcome.test,), limit=limit) for _ in "12"]
            for trial in trials
            for outcome in trial.run.outcomes
            if outcome.flaky and outcome.test not in self.not_counted
        ]
        self.pool.wait(run for pair in runs for run in pair)
        ends = [[(o.test, o.how in FAILED, o.flaky) for o in run.outcomes] for run, _ in runs]
        others = [[(o.test, o.how in FAILED, o.flaky) for o in run.outcomes] for _, run in runs]
        return {
            name
            for one, other in zip(ends, others, strict=True)
            if one != other
            for name, _, _ in [*one, *other]
        }

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
            if test.dropped:
                test.state = "asserts nothing"
                test.why = (
                    "An assertion fails on a broken server, in a Deferred that it neither "
                    f"returns nor awaits: {test.dropped}"
                )
            elif name not in asserting:
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
        mine = {test.test for test in self.verdict.in_state("valid", OWN)}
        said.total = len(mine)
        said.fails = [
            self.failing(outcome, self.folder) for outcome in own.failed if outcome.test in mine
        ]
        ended = {outcome.test for outcome in own.outcomes if not outcome.flaky}
        said.passed = len(mine & ended) - len(said.fails)
        asked = [test for test in reference.tests if self.is_chosen(test)]
        said.requirements = len(asked)
        said.violates = [self.failing(outcome, self.stage.contract) for outcome in reference.failed]
        for failing in said.violates:
            failing.tested = self.verdict.is_tested(failing.test)
        flaky = [outcome for outcome in reference.outcomes if outcome.flaky]
        said.met = len(reference.outcomes) - len(said.violates) - len(flaky)
        flaky += [outcome for outcome in own.outcomes if outcome.flaky and outcome.test in mine]
        said.flaky = sorted({outcome.test for outcome in flaky})
        tried = {outcome.test for outcome in own.outcomes}
        said.not_run = len(mine - tried) + len(asked) - len(reference.outcomes)
        for outcome in [*own.failed, *reference.failed]:
            unwritten = outcome.unwritten and outcome.error != "FailTest"
            if unwritten and outcome.message not in said.unwritten:
                said.unwritten.append(outcome.message)

    def judge_stages_before(self) -> None:
        """Run the tests of the stages before that concern the modules that this stage changes."""
        runs = [
            (
                stage,
                self.pool.submit(Job(stage.number, LEARNER, limit=LEAST_LIMIT, confirm=True)),
            )
            for stage in STAGES[: self.stage.number - 1]
            if set(stage.writes) & set(self.stage.writes)
        ]
        self.pool.wait(run for _, run in runs)
        for stage, run in runs:
            self.texts = {test.test: test.text for test in tests_in(stage.contract)}
            for outcome in run.failed:
                failing = self.failing(outcome, stage.contract)
                failing.test = f"stage {stage.number}'s {short(outcome.test)}"
                self.verdict.own.breaks.append(failing)

    def failing(self, outcome: Outcome, folder: Path) -> Failing:
        """Describe a test that fails, of the modules in a folder."""
        why = f"{outcome.error}: {outcome.message}" if outcome.error else outcome.message
        statement = "" if outcome.unwritten else statement_in(folder, outcome.where)
        text = self.texts.get(outcome.test, "")
        return Failing(outcome.test, text, why, where=outcome.where, statement=statement)
