"""Tell from the runs on the correct servers in which state a test is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .jobs import Outcome
from .pool import Run
from .verdict import TestVerdict

UNWRITTEN = re.compile(r"Stage \d+: .+ is not written yet\.")

DEBUG_HINT = " (set twisted.internet.base.DelayedCall.debug = True to debug)"


@dataclass(frozen=True)
class Correct:
    """The run of the tests on a correct server.

    :ivar run: the run.
    :ivar meaning: what it means that a test fails there, in words.
    """

    run: Run
    meaning: str


def state_of(test: str, correct: list[Correct], where: str) -> TestVerdict:
    """Tell in which state a test is.

    :param correct: the runs; that on the solution comes first.
    :param where: where the test begins.
    """
    found = [(server, _outcome(test, server.run)) for server in correct]
    ran = [(server, outcome) for server, outcome in found if outcome is not None]
    if not ran:
        return TestVerdict(test, "was not run", "Too many tests before it hang.", where)
    for server, outcome in ran:
        if outcome.how != "passed":
            meaning = server.meaning
            if found[0][1] is None:  # then nobody knows whether that is all that it asks for
                meaning = "It fails with a server that is correct"
            if outcome.line:
                where = f"{outcome.module.rpartition('.')[2]}.py:{outcome.line}"
            return TestVerdict(test, *_in_words(outcome, meaning), where)
    return TestVerdict(test, "valid", "", where)


def _outcome(test: str, run: Run) -> Outcome | None:
    """Return how a test ended in a run; ``None`` if it was not run."""
    if run.problem is not None:
        return Outcome(test, "error", run.problem.error, run.problem.message)
    return next((outcome for outcome in run.outcomes if outcome.test == test), None)


def _in_words(outcome: Outcome, meaning: str) -> tuple[str, str]:
    """Return the state of a test that does not pass on a correct server, and why."""
    message = outcome.message
    text = ": ".join(part for part in (outcome.error, message) if part)
    if outcome.how == "failed" and UNWRITTEN.fullmatch(message):
        return "not written", message
    if outcome.how == "failed":
        return "asks for too much", f"{meaning}: {message}"
    if outcome.how == "error":
        return "raises", f"{meaning}: {text}"
    if outcome.how == "logged":
        return "logs an error", f"{meaning}: {text}. flushLoggedErrors() takes what is logged."
    if outcome.how == "hung" and outcome.error != "TimeLimit":
        seconds = message.rpartition(" at ")[2].replace("secs", "seconds")
        return "hangs", f"The Deferred that it waits for has not fired after {seconds}."
    if outcome.how == "dirty":
        left = message.replace(DEBUG_HINT, "").partition("\n")[2] or message
        return "leaves the reactor dirty", left
    states = {
        "died": "ends the process",
        "hung": "hangs",
        "skipped": "is skipped",
        "todo": "is todo",
    }
    return states.get(outcome.how, outcome.how), message
