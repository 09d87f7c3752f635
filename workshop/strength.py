"""How strong the tests are: which small changes to right servers do they not notice.

``python -m workshop.strength`` mutates the solutions, ``toyhttp`` and whatever other complete
server there is, runs the tests, and compares the mutants that pass them with the right servers,
by :mod:`workshop.fuzz`. One that can be told apart is a gap in the tests. ``docs/strength.md``
says more.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from exercises.manifest import STAGES, Stage

from . import equivalent
from .environment import ROOT
from .fuzz import COMPLETE
from .fuzz.comparison import Comparison
from .jobs import Job
from .mutation import Mutant, mutants
from .pool import Pool, Run

LIMIT = 1.0  # seconds for a test: a thousand times what most of them take
LONGEST = 600  # characters of an input that are shown
SOLUTIONS = "solutions"
FUZZER = "workshop.fuzz.worker"
SAMPLE = 8  # without --full one mutant of so many is tried
SHARE = 0.2  # and so many of the inputs

Uses = dict[str, tuple[str, ...]]
ENTRIES: Uses = {
    "request": ("request",),
    "response": ("response",),
    "reader": ("reader", "request"),
    "channel": ("channel", "files", "request", "response"),
    "loopback": ("loopback",),
    "files": ("files", "channel"),
    "client": ("client",),
}
"""The modules that the inputs of each kind are tried on."""


@dataclass(frozen=True)
class Subject:
    """A module whose mutants are tried.

    :ivar server: the package that it belongs to.
    :ivar stage: the stage that it belongs to; 0 for a server that is complete.
    :ivar path: its file.
    :ivar suites: the stages whose tests use it.
    :ivar kinds: the kinds of inputs that it can be told apart by, with their levels.
    """

    server: str
    stage: int
    path: Path
    suites: tuple[int, ...]
    kinds: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed.

    :ivar mutant: the mutant.
    :ivar inputs: how many inputs were tried.
    :ivar given: the one that tells it from the right servers, and what came; or nothing.
    """

    mutant: Mutant
    inputs: int
    given: str

    @property
    def is_gap(self) -> bool:
        """Whether a test should have noticed it."""
        return self.given != ""


@dataclass
class Strength:
    """What the tests did to the mutants of a module.

    :ivar subject: the module.
    :ivar made: how many mutants there were.
    :ivar survivors: those that no test noticed.
    :ivar seconds: how long it took.
    """

    subject: Subject
    made: int = 0
    survivors: list[Survivor] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def gaps(self) -> list[Survivor]:
        """The survivors that can be told from the right servers."""
        return [survivor for survivor in self.survivors if survivor.is_gap]


def subjects(server: str, stages: Iterable[Stage] = STAGES) -> list[Subject]:
    """Return the modules of a server; of the solutions, those of some stages."""
    if server == SOLUTIONS:
        return [of_solution(stage, module) for stage in stages for module in stage.writes]
    return of_complete(server)


def of_solution(stage: Stage, module: str) -> Subject:
    """Return a module that a stage writes."""
    name = f"solutions.stage{stage.number}"
    path = ROOT / "solutions" / stage.folder.name / f"{module}.py"
    kinds = [(module, stage.number)]
    if stage.number == 9 and module == "channel":
        kinds.append(("files", 9))
    return Subject(name, stage.number, path, tuple(testing(stage, module)), tuple(kinds))


def of_complete(server: str) -> list[Subject]:
    """Return the modules of a complete server that tests of the stages use."""
    spec = find_spec(server)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"There is no package {server}.")
    folder = Path(spec.submodule_search_locations[0])
    paths = {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}
    imports = {name: imported(path) & set(paths) for name, path in paths.items()}
    found = []
    for name, path in paths.items():
        users = reaching(name, imports)
        suites = [stage.number for stage in STAGES if entries(stage) & users]
        kinds = [(kind, level(kind)) for kind, uses in ENTRIES.items() if {*uses} & users]
        if suites and not name.startswith("test_"):
            found.append(Subject(server, 0, path, tuple(suites), tuple(kinds)))
    return found


def level(kind: str) -> int:
    """Return the last stage that says something about a kind."""
    return max(stage.number for stage in STAGES if kind in stage.writes)


def imported(path: Path) -> set[str]:
    """Return the modules of its own package that a module imports."""
    return set(re.findall(r"^\s*from \.(\w+) import", path.read_text("utf-8"), re.MULTILINE))


def entries(stage: Stage) -> set[str]:
    """Return the modules that the tests of a stage import."""
    texts = [path.read_text("utf-8") for path in stage.contract.glob("test_*.py")]
    found = [re.findall(r"^from exercises\.myhttp\.(\w+) import", text, re.M) for text in texts]
    return {name for names in found for name in names}


def reaching(name: str, imports: dict[str, set[str]]) -> set[str]:
    """Return the modules that use a module, itself included."""
    users = {name}
    while more := {user for user, used in imports.items() if used & users} - users:
        users |= more
    return users


def testing(stage: Stage, module: str) -> list[int]:
    """Return the stages whose tests use a module: this one, and those before it."""
    before = STAGES[: stage.number - 1]
    return [stage.number, *(each.number for each in before if module in entries(each))]


def mutants_of(subject: Subject) -> list[Mutant]:
    """Return all mutants of a module."""
    return mutants(subject.path.name, subject.path.read_text(encoding="utf-8"))


def strength(
    testers: Pool, fuzzers: Pool, subject: Subject, these: list[Mutant], share: float = 1.0
) -> Strength:
    """Run the tests against mutants of a module; compare those that pass.

    :param testers: workers that run tests.
    :param fuzzers: workers that compare.
    :param share: how many of the inputs of a full run are tried.
    """
    begun = time.monotonic()
    found = Strength(subject, len(these))
    if these:
        for number in quickest_first(testers, subject):
            these = unnoticed(testers, subject.server, number, these)
        found.survivors = compared(fuzzers, subject, these, share)
    found.seconds = time.monotonic() - begun
    return found


def in_sample(mutant: Mutant, size: int) -> bool:
    """Tell whether a mutant is in the sample, which has one of so many."""
    return zlib.crc32(mutant.key.encode()) % size == 0


def quickest_first(pool: Pool, subject: Subject) -> list[int]:
    """Sort the stages that use a module by the time that their tests take."""
    runs = {number: pool.submit(Job(number, subject.server)) for number in subject.suites}
    pool.wait(runs.values())
    took = {
        number: sum(test.seconds for test in runs[number].outcomes) for number in subject.suites
    }
    return sorted(subject.suites, key=lambda number: took[number])


def unnoticed(pool: Pool, server: str, number: int, these: list[Mutant]) -> list[Mutant]:
    """Return those of the mutants of a server that the tests of a stage pass."""
    kills: defaultdict[str, float] = defaultdict(float)  # for each second that they took
    waiting: list[tuple[Mutant, Run]] = []
    left: list[Mutant] = []
    for mutant in these:
        first = tuple(name for name, _ in sorted(kills.items(), key=lambda kill: -kill[1]))
        sources = {mutant.file: mutant.source}
        job = Job(number, server, sources=sources, first=first, stop=True, share=True, limit=LIMIT)
        waiting.append((mutant, pool.submit(job)))
        if len(waiting) > 4:
            left += _take(pool, waiting, kills)
    while waiting:
        left += _take(pool, waiting, kills)
    return left


def _take(
    pool: Pool, waiting: list[tuple[Mutant, Run]], kills: defaultdict[str, float]
) -> list[Mutant]:
    """Wait for the oldest of some runs; return its mutant if it was not noticed."""
    mutant, run = waiting.pop(0)
    pool.wait([run])
    if run.failed:
        kill = run.failed[0]
        kills[kill.test] += 1 / max(kill.seconds, 0.0005)
        return []
    return [] if run.problem is not None or run.unloaded else [mutant]


def compared(pool: Pool, subject: Subject, these: Iterable[Mutant], share: float) -> list[Survivor]:
    """Compare mutants with the right servers."""
    kinds = tuple(kind for kind, _ in subject.kinds)
    levels = tuple(level for _, level in subject.kinds)
    runs = {}
    for mutant in these:
        job = Comparison(
            max(subject.stage, 1),
            subject.server,
            sources={mutant.file: mutant.source},
            limit=3.0,
            kinds=kinds,
            levels=levels,
            share_of_inputs=share,
        )
        runs[mutant.key] = (mutant, pool.submit(job))
    pool.wait([run for _, run in runs.values()])
    return [survivor(mutant, run) for mutant, run in runs.values()]


def survivor(mutant: Mutant, run: Run) -> Survivor:
    """Say what came of a comparison."""
    if run.problem is not None:
        return Survivor(mutant, 0, f"{run.problem.error}: {run.problem.message}")
    inputs = sum(outcome.checks for outcome in run.outcomes)
    for outcome in run.failed:
        text = outcome.message or f"{outcome.how} while given inputs of the kind {outcome.test}"
        return Survivor(mutant, inputs, f"{outcome.test}: {text}")
    return Survivor(mutant, inputs, "")


def shortened(text: str) -> str:
    """Return a text without what nobody can read: the same character again and again."""
    text = re.sub(r"(.{1,4}?)\1{20,}", r"\1\1…", text)
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def show(found: Strength) -> None:
    """Print what came of a module."""
    subject, gaps = found.subject, found.gaps
    withstood = [each for each in found.survivors if not each.is_gap]
    listed = equivalent.listed(subject.stage, subject.path.name)
    new = [each for each in withstood if each.mutant.key not in listed]
    place = subject.path.relative_to(ROOT)
    killed = found.made - len(found.survivors)
    inputs = min((each.inputs for each in withstood), default=0)
    print(
        f"{place}: {found.made} mutants, {killed} killed, {len(gaps)} gaps,"
        f" {len(withstood)} withstood {inputs} inputs ({len(new)} of them not listed),"
        f" {found.seconds:.0f} s",
        flush=True,
    )
    for each in gaps:
        print(f"    gap: {place}:{each.mutant.line}: {each.mutant.key}")
        for line in each.given.splitlines():
            print(f"        {shortened(line)}")
    if subject.stage:
        for each in new:
            print(f"    not told apart: {place}:{each.mutant.line}: {each.mutant.key}")


def write(found: Strength) -> None:
    """Note what came of all mutants of a module of a solution."""
    equivalent.note(
        found.subject.stage,
        found.subject.path.name,
        {each.mutant.key: each.inputs for each in found.survivors if not each.is_gap},
        [each.mutant.key for each in found.gaps],
    )


def main(*words: str) -> None:
    """Print the mutants that are not noticed, and can be told apart; and how many others."""
    parser = argparse.ArgumentParser(prog="python -m workshop.strength", description=__doc__)
    servers = (SOLUTIONS, *COMPLETE)
    parser.add_argument("--server", nargs="+", choices=servers, default=list(servers))
    parser.add_argument("--stage", nargs="+", type=int, help="of the solutions: some stages alone")
    parser.add_argument("--module", nargs="+", help="some modules alone, such as reader")
    parser.add_argument("--full", action="store_true", help="all mutants, and all inputs")
    parser.add_argument("--share", type=float, help="how many of the inputs: 1.0 is all")
    parser.add_argument(
        "--write", action="store_true", help="with --full: note what has withstood, and the gaps"
    )
    chosen = parser.parse_args(words)
    if chosen.write and not chosen.full:
        parser.error("--write needs --full")
    if chosen.stage:
        chosen.server = [SOLUTIONS]
    stages = [stage for stage in STAGES if not chosen.stage or stage.number in chosen.stage]
    sample, share = (1, 1.0) if chosen.full else (SAMPLE, SHARE)
    share = chosen.share or share
    for server in chosen.server:
        done = []
        with Pool() as testers, Pool(module=FUZZER) as fuzzers:
            for subject in subjects(server, stages):
                if not chosen.module or subject.path.stem in chosen.module:
                    these = [one for one in mutants_of(subject) if in_sample(one, sample)]
                    found = strength(testers, fuzzers, subject, these, share)
                    done.append(found)
                    show(found)
                    if chosen.write and subject.stage:
                        write(found)
        made, left = sum(each.made for each in done), sum(len(each.survivors) for each in done)
        gaps = sum(len(each.gaps) for each in done)
        killed = made - left
        told = 100 * killed / max(1, killed + gaps)
        print(f"{server}: {made} mutants, {killed} killed, {gaps} gaps: {told:.1f} %")


if __name__ == "__main__":
    main(*sys.argv[1:])
