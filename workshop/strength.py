"""How strong the tests are: which mutants of the solutions do they not notice.

``python -m workshop.strength 1 2 3`` prints those of some stages, and without numbers of
all. A module is mutated in the stage that writes it, and run with the tests of that stage;
with those of the stages before, too, if they use it.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from exercises.manifest import STAGES, Stage

from .jobs import Job
from .mutation import Mutant, mutants
from .pool import Pool, Run

LIMIT = 1.0  # seconds for a test: a thousand times what most of them take


@dataclass(frozen=True)
class Strength:
    """What the tests of a stage did to the mutants of its modules.

    :ivar stage: the stage's number.
    :ivar made: how many mutants there were.
    :ivar survivors: those that no test noticed.
    """

    stage: int
    made: int
    survivors: list[Mutant]


def strength(pool: Pool, *stages: Stage, only: Collection[str] | None = None) -> list[Strength]:
    """Run the tests of stages against the mutants of what these stages write.

    :param only: the keys of the mutants that are run; ``None`` for all.
    """
    found = []
    for stage in stages:
        made: list[Mutant] = []
        survivors: list[Mutant] = []
        for module in stage.writes:
            path = solution_of(stage, module)
            these = mutants(path.name, path.read_text(encoding="utf-8"))
            if only is not None:
                these = [mutant for mutant in these if mutant.key in only]
            made += these
            for number in quickest_first(pool, stage, testing(stage, module)):
                these = unnoticed(pool, stage, number, these)
            survivors += these
        found.append(Strength(stage.number, len(made), survivors))
    return found


def solution_of(stage: Stage, module: str) -> Path:
    """Return the file of a module that a stage writes."""
    return STAGES[0].folder.parent.parent / "solutions" / stage.folder.name / f"{module}.py"


def testing(stage: Stage, module: str) -> list[int]:
    """Return the stages whose tests use a module: this one, and those before it."""
    uses = re.compile(rf"^from exercises\.myhttp\.{module} import", re.MULTILINE)
    return [stage.number] + [
        other.number
        for other in STAGES[: stage.number - 1]
        if any(uses.search(path.read_text("utf-8")) for path in other.contract.glob("test_*.py"))
    ]


def quickest_first(pool: Pool, stage: Stage, numbers: list[int]) -> list[int]:
    """Sort stages by the time that their tests take on the solution of a stage."""
    server = f"solutions.stage{stage.number}"
    runs = {number: pool.submit(Job(number, server)) for number in numbers}
    pool.wait(runs.values())
    took = {number: sum(test.seconds for test in runs[number].outcomes) for number in numbers}
    return sorted(numbers, key=lambda number: took[number])


def unnoticed(pool: Pool, stage: Stage, number: int, these: list[Mutant]) -> list[Mutant]:
    """Return those of the mutants of a stage that the tests of this stage or another pass."""
    server = f"solutions.stage{stage.number}"
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
    return [] if run.problem is not None else [mutant]


def main(*words: str) -> None:
    """Print the mutants that are not noticed, and the share of the others."""
    chosen = [stage for stage in STAGES if not words or str(stage.number) in words]
    with Pool() as pool:
        for found in strength(pool, *chosen):
            print(f"stage {found.stage}: {found.made - len(found.survivors)} of {found.made}")
            for mutant in found.survivors:
                print(f"    line {mutant.line}: {mutant.key}")


if __name__ == "__main__":
    main(*sys.argv[1:])
