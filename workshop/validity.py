"""Tell from the runs on the correct servers in which state a test is."""

from __future__ import annotations

from dataclasses import dataclass, field

from .jobs import Outcome
from .pool import Run
from .verdict import TestVerdict

DEBUG_HINT = " (set twisted.internet.base.DelayedCall.debug = True to debug)"


SOME_SERVER = "It fails with a server that is correct"

IMPORT_ERRORS = ("ImportError", "ModuleNotFoundError")


@dataclass(frozen=True)
class Correct:
    """The run of the tests on a correct server.

    :ivar run: the run.
    :ivar meaning: what it means that a test fails there, in words.
    :ivar freedoms: what it does in another way than the solution, in words; empty if that
        is more than one can say.
    """

    run: Run
    meaning: str
    freedoms: tuple[str, ...] = field(default=())


def state_of(test: str, correct: list[Correct], where: str, file: str) -> TestVerdict:
    """Tell in which state a test is.

    :param correct: the runs; that on the solution comes first.
    :param where: where the test begins.
    :param file: the name of the file that it is in.
    """
    found = [(server, outcome_of(test, server.run, file)) for server in correct]
    ran = [(server, outcome) for server, outcome in found if outcome is not None]
    if not ran:
        return TestVerdict(test, "was not run", "Too many tests before it hang.", where)
    flaky = next((outcome for _, outcome in ran if outcome.flaky), None)
    if flaky is not None:
        text = ": ".join(part for part in (flaky.error, flaky.message) if part)
        why = f"On the same correct server it once passed, and once did not: {text}"
        return TestVerdict(test, "is flaky", why, where)
    for server, outcome in ran:
        if outcome.how != "passed" or outcome.dropped:
            meaning = server.meaning
            if found[0][1] is None or (server.freedoms and not _is_the_reason(server, ran)):
                meaning = SOME_SERVER
            elif server is correct[0]:
                meaning = _what_the_solution_has_in_one_way(ran) or meaning
            where = outcome.where or where
            return TestVerdict(test, *_in_words(outcome, meaning), where)
    return TestVerdict(test, "valid", "", where)


def _is_the_reason(server: Correct, ran: list[tuple[Correct, Outcome]]) -> bool:
    """Tell whether a test fails on a server for what this one does in another way.

    It does not, if it fails on all that differ from the solution, in whatever way.
    """
    others = [
        outcome.how == "passed"
        for other, outcome in ran
        if len(other.freedoms) == 1 and other is not server
    ]
    return any(others) or not others


def _what_the_solution_has_in_one_way(ran: list[tuple[Correct, Outcome]]) -> str:
    """Say why a test that fails with the solution passes on a server with one freedom, if it does.

    That server differs from the solution in nothing else.
    """
    passed = [server for server, outcome in ran if outcome.how == "passed"]
    return next((server.meaning for server in passed if len(server.freedoms) == 1), "")


def outcome_of(test: str, run: Run, file: str) -> Outcome | None:
    """Return how a test of a file ended in a run; ``None`` if it was not run."""
    problem = run.problem or run.unloaded.get(file)
    if problem is not None:
        return Outcome(test, "error", problem.error, problem.message)
    return next((outcome for outcome in run.outcomes if outcome.test == test), None)


def _in_words(outcome: Outcome, meaning: str) -> tuple[str, str]:
    """Return the state of a test that does not pass on a correct server, and why."""
    message = outcome.message
    text = ": ".join(part for part in (outcome.error, message) if part)
    if outcome.how == "failed" and outcome.unwritten:
        return "not written", message
    if outcome.dropped:
        why = f"An assertion fails in a Deferred that it neither returns nor awaits: {message}"
        return "asserts nothing", why
    if outcome.how == "failed":
        return "asks for too much", f"{meaning}.\n{message}"
    if outcome.how == "error":
        return "raises", f"{meaning}.\n{text}"
    if outcome.how == "logged":
        return "logs an error", f"{meaning}.\n{text}. flushLoggedErrors() takes what is logged."
    if outcome.how == "hung" and outcome.error != "TimeLimit":
        seconds = message.rpartition(" at ")[2].replace("secs", "seconds")
        return "hangs", f"The Deferred that it waits for has not fired after {seconds}."
    if outcome.how == "dirty":
        left = message.replace(DEBUG_HINT, "").partition("\n")[2] or message
        return "leaves the reactor dirty", left
    states = {
        "left": "leaves something running",
        "died": "ends the process",
        "hung": "hangs",
        "skipped": "is skipped",
        "todo": "is todo",
    }
    return states.get(outcome.how, outcome.how), message
