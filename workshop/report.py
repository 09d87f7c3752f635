"""The verdict of the judge, for people."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Protocol

from .verdict import HARMLESS, OWN, BugVerdict, Failing, Verdict, short

BAR = 20  # characters
LINES = 5  # of an error's message, and of what it means
STATEMENT = 200  # characters of one that has failed
HOW = {"hung": " (that test does not end in time)", "died": " (it ends the process)"}
LONG = 0.5  # seconds: a test that takes so many waits for something


class Console(Protocol):
    """Where a report is printed."""

    @property
    def width(self) -> int:
        """How many characters a line has."""

    @property
    def encoding(self) -> str:
        """The encoding of the text."""

    def line(self, before: str, text: str, style: str) -> None:
        """Print a line.

        :param style: how to print the text, such as ``"bold green"``, if that can be done.
        """


class PlainConsole:
    """A file, or a pipe: no colours, and nothing that must be imported for them."""

    def __init__(self) -> None:
        self.width = shutil.get_terminal_size().columns
        self.encoding = sys.stdout.encoding or "ascii"

    def line(self, before: str, text: str, style: str) -> None:
        """Print a line."""
        print(f"{before}{text}")


class RichConsole:
    """A terminal, which may have colours."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self.width = self._console.width
        self.encoding = self._console.encoding

    def line(self, before: str, text: str, style: str) -> None:
        """Print a line."""
        from rich.text import Text

        self._console.print(Text.assemble((before, "dim"), (text, style)), soft_wrap=True)


class Report:
    """Prints a verdict.

    :param console: where to; it knows whether that has colours.
    :param idle: whether to name the tests that catch nothing.
    :param reveal: whether to tell all survivors, and all that the learner's code violates.
    :param caught: whether to list the bugs that are caught, and the tests that caught them.
    """

    def __init__(
        self, console: Console, idle: bool = False, reveal: bool = False, caught: bool = False
    ) -> None:
        self._console = console
        self._caught = caught
        self._idle = idle
        self._reveal = reveal

    def show(self, verdict: Verdict) -> None:
        """Print all that there is to say; last, what survived, and what to do next."""
        self._say(0, f"Stage {verdict.stage}: {verdict.title}", "bold")
        self._say(0, f"Your tests are in {verdict.folder}.")
        if verdict.only:
            self._say(0, f"Only these are judged: {', '.join(map(short, verdict.only))}.")
        self._say(0, "")
        if verdict.problem is not None:
            self._show_problem(verdict)
        else:
            self._show_own(verdict)
            self._show_tests(verdict)
            self._show_bugs(verdict)
        good = verdict.valid and verdict.thorough
        self._say(0, "")
        self._say(0, verdict.summary, "bold green" if good else "bold")

    def _say(self, indent: int, text: str, style: str = "", label: str = "", tab: int = 0) -> None:
        """Print a text, in lines that begin below each other, behind a label."""
        margin = " " * (indent + tab)
        lines = [
            line
            for part in printable(text).split("\n")
            for line in textwrap.wrap(part, max(40, self._console.width - len(margin))) or [""]
        ]
        for number, line in enumerate(lines):
            before = f"{' ' * indent}{printable(label):<{tab}}" if number == 0 else margin
            self._console.line(before, line, style)

    def _head(self, question: str, answer: str, good: bool) -> None:
        self._say(0, answer, "green" if good else "yellow", question, 13)

    def _say_why(self, statement: str, why: str) -> None:
        """Print the statement that failed, and the message below it."""
        if statement:
            text = textwrap.shorten(printable(statement), STATEMENT, placeholder=" …")
            self._say(5, text, label=">", tab=2)
        self._say(5, _some_lines(why))

    def _show_problem(self, verdict: Verdict) -> None:
        problem = verdict.problem
        assert problem is not None
        where = f"{problem.file}, line {problem.line}: " if problem.line else ""
        where = where or (f"{problem.file}: " if problem.file else "")
        self._head("Valid?", "The tests cannot be run.", False)
        error = "" if problem.error == "NoTests" else f"{problem.error}: "
        self._say(2, f"{where}{error}{_some_lines(problem.message)}")

    def _show_tests(self, verdict: Verdict) -> None:
        tests = verdict.tests
        valid = verdict.in_state("valid")
        unwritten = verdict.in_state("not written")
        counts = [f"{len(valid)} of {_number(len(tests), 'test')} pass on every correct server."]
        if len(valid) == 1:
            counts = [f"1 of {_number(len(tests), 'test')} passes on every correct server."]
        if unwritten:
            verb = "is" if len(unwritten) == 1 else "are"
            counts.append(f"{len(unwritten)} of {len(tests)} {verb} not written yet.")
        if len(unwritten) == len(tests):
            del counts[0]
        self._head("Valid?", " ".join(counts), verdict.valid)
        not_run = verdict.in_state("was not run")
        for test in verdict.in_state(OWN):
            self._say(2, f"{short(test.test)} {OWN}: it is run with that alone ({test.where})")
            self._say(5, _some_lines(test.why))
        for test in tests:
            if test not in [*valid, *unwritten, *not_run, *verdict.in_state(OWN)]:
                self._say(2, f"{short(test.test)} {test.state} ({test.where})", "red")
                self._say_why(test.statement, test.why or "It gives no reason.")

        for test in valid:
            if test.seconds >= LONG:
                waits = f"takes {test.seconds:.1f} s. Does it wait? A Clock would not."
                self._say(2, f"{short(test.test)} {waits}", "yellow")
        if not_run:
            names = ", ".join(short(test.test) for test in not_run)
            self._say(2, f"not run, as too many before them hang: {names}", "red")

    def _show_bugs(self, verdict: Verdict) -> None:
        bugs, survivors = verdict.bugs, verdict.survivors
        valid = verdict.in_state("valid")
        caught = len(bugs) - len(survivors)
        full, empty = ("█", "░") if self._has_blocks() else ("#", "-")
        done = BAR * caught // max(1, len(bugs))
        bar = f"{full * done}{empty * (BAR - done)}"
        self._head("Thorough?", f"caught {caught} of {len(bugs)}  {bar}", verdict.thorough)
        width = max((len(short(bug.caught_by)) for bug in bugs if bug.caught_by), default=0) + 2
        if self._caught and caught:
            self._say(2, "caught:")
            for bug in bugs:
                if bug.caught_by is not None:
                    label = short(bug.caught_by)
                    self._say(4, f"{bug.story}{HOW.get(bug.how, '')}", label=label, tab=width)
        idle = [short(test.test) for test in valid if not test.catches]
        if self._idle and idle and caught:
            self._say(2, f"catches none of the known bugs: {', '.join(idle)}")
        self._show_survivors(verdict, survivors if valid else [])

    def _show_survivors(self, verdict: Verdict, survivors: list[BugVerdict]) -> None:
        """Print what survived the valid tests, and what the others have to do with it."""
        survivors = survivors or [bug for bug in verdict.survivors if bug.not_counted]
        if not survivors:
            return
        self._say(2, "survived:")
        unwritten = {test.test for test in verdict.in_state("not written")}
        later = [bug for bug in survivors if bug.violates in unwritten and not bug.not_counted]
        if later:
            self._say(4, f"{_number(len(later), 'bug')} against what is not written yet")
        told = [bug for bug in survivors if bug not in later]
        untold = [] if self._reveal or not verdict.spoils else told[1:]
        told = told[: len(told) - len(untold)]
        for bug in told:
            self._say(4, bug.story, "red")
            self._say(7, f"violates: {bug.description}")
            if bug.not_counted:
                name = short(bug.not_counted)
                self._say(7, f"{name} fails on it, but does not count until it is valid.")
        if untold:
            self._say(4, f"and {_number(len(untold), 'bug')} more: --reveal tells what they do.")
        harmless = {*HARMLESS, "not written", "was not run"}
        said = {bug.not_counted for bug in told}
        others = [
            short(test.test)
            for test in verdict.tests
            if test.state not in harmless and test.test not in said
        ]
        if others:
            self._say(2, f"Until they are valid, these do not count: {', '.join(others)}.")

    def _show_own(self, verdict: Verdict) -> None:
        own = verdict.own
        if own.problem:
            self._head("Your code", f"cannot be run: {_some_lines(own.problem)}", False)
            return
        parts = [f"meets {own.met} of {own.requirements} requirements."]
        if own.total:
            parts.insert(0, f"passes {own.passed} of your {_number(own.total, 'test')}, and")
        if own.not_run:
            parts.append(f"Not run, as too many before them hang: {_number(own.not_run, 'test')}.")
        if own.unwritten and not own.met:
            parts = ["is not written yet."]
        good = not (own.unwritten or own.fails or own.violates or own.breaks or own.flaky)
        self._head("Your code", " ".join(parts), good)
        for sentence in own.unwritten:
            self._say(2, sentence)
        violates = own.violates if self._reveal else own.told
        known = [(failing.test, failing.why, failing.where) for failing in own.fails]
        for failing in own.fails:
            self._say_failing(verdict, f"fails your {_place(failing)}: ", failing)
        for failing in violates:
            # In Part I the requirements are the learner's tests.
            if (failing.test, failing.why, failing.where) not in known:
                self._say_failing(verdict, "does not meet a requirement: ", failing)
        for failing in own.breaks:
            self._say_failing(verdict, f"breaks {short(failing.test)}: ", failing)
        untold = len(own.violates) - len(violates)
        if untold and own.met:
            number = _number(untold, "requirement")
            self._say(2, f"does not meet {number} for which you have no test yet.")
        if own.flaky:
            names = ", ".join(short(test) for test in own.flaky)
            self._say(2, f"passes at times, and at times does not: {names}", "yellow")

    def _say_failing(self, verdict: Verdict, label: str, failing: Failing) -> None:
        """Print what the learner's code fails, unless it is not written yet."""
        if not any(sentence in failing.why for sentence in verdict.own.unwritten):
            text = failing.description or short(failing.test)
            self._say(2, f"{label}{text}", "red")
            self._say_why(failing.statement, failing.why)

    def _has_blocks(self) -> bool:
        """Tell whether the bar can be drawn with blocks."""
        try:
            "█░".encode(self._console.encoding)
        except (LookupError, UnicodeEncodeError):
            return False
        return True


def show(verdict: Verdict, idle: bool = False, reveal: bool = False, caught: bool = False) -> None:
    """Print a verdict on the standard output.

    :param idle: whether to name the tests that catch nothing.
    :param reveal: whether to tell all survivors, and all that the learner's code violates.
    :param caught: whether to list the bugs that are caught.
    """
    console = RichConsole() if sys.stdout.isatty() else PlainConsole()
    Report(console, idle, reveal, caught).show(verdict)


def _place(failing: Failing) -> str:
    """Return the name of a test, and where it failed."""
    return short(failing.test) + (f" ({failing.where})" if failing.where else "")


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Escape what a terminal would not print, but obey; line ends are kept."""
    return "".join(
        char if char.isprintable() or char == "\n" else ascii(char)[1:-1]
        for char in text.replace("\t", " ")
    )


def _some_lines(text: str) -> str:
    """Return the first lines of a text."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > LINES:
        lines[LINES:] = ["…"]
    return "\n".join(lines)
