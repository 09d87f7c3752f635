"""Run the tests of some stages against a server, and those of a stage against its bugs."""

from __future__ import annotations

from solutions.broken import broken_servers, sources_with

from .jobs import Job, Outcome
from .pool import Pool, Run

LIMIT = 10.0  # seconds for each test: more than the tests allow themselves


def run_suites(*suites: tuple[str, int]) -> list[list[Outcome]]:
    """Run the tests of stages against servers.

    :param suites: pairs of a package with the modules of ``exercises.myhttp``, and a stage.
    :returns: the outcomes for each, in the same order.
    """
    with Pool() as pool:
        runs = [pool.submit(Job(stage, server, limit=LIMIT)) for server, stage in suites]
        pool.wait(runs)
    return [outcomes_of(run) for run in runs]


def run_suite(server: str, *stages: int) -> list[Outcome]:
    """Run the tests of some stages against a server.

    :param server: the name of a package with the modules of ``exercises.myhttp``.
    :param stages: the stages' numbers.
    """
    found = run_suites(*[(server, stage) for stage in stages])
    return [outcome for outcomes in found for outcome in outcomes]


def run_broken(stage: int) -> list[list[Outcome]]:
    """Run the tests of a stage against each of its broken servers.

    :returns: the outcomes for each, in the order of ``solutions/stageN/broken.py``.
    """
    server = f"solutions.stage{stage}"
    with Pool() as pool:
        jobs = [
            Job(stage, server, sources=sources_with(stage, bug), limit=LIMIT)
            for bug in broken_servers(stage)
        ]
        runs = [pool.submit(job) for job in jobs]
        pool.wait(runs)
    return [outcomes_of(run) for run in runs]


def outcomes_of(run: Run) -> list[Outcome]:
    """Return how the tests ended; a file that was not imported is an outcome without a name."""
    problems = [run.problem, *run.unloaded.values()]
    failed = [
        Outcome("", "error", each.error, each.message) for each in problems if each is not None
    ]
    return failed + run.outcomes
