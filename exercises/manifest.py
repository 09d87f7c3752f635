"""The stages of the workshop, in their order, and routes through them: the one place for both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .order import test_files

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Stage:
    """One stage.

    :ivar number: its place in the order, from 1.
    :ivar title: its name in every list.
    :ivar part: ``"I"``, the tests are given; ``"II"``, they are described;
        ``"III"``, the learner makes the list.
    :ivar minutes: the time planned for it, for its core and its hardening; ``None`` is the
        rest of the day.
    :ivar writes: the names that the learner writes, by module of ``myhttp``.
    :ivar lesson: what it teaches, in one sentence.
    """

    number: int
    title: str
    part: str
    minutes: int | None
    writes: dict[str, tuple[str, ...]]
    lesson: str

    @property
    def package(self) -> str:
        """The name under which Trial runs it, such as ``exercises.stage1``."""
        return f"exercises.stage{self.number}"

    @property
    def folder(self) -> Path:
        """Where its README and its tests are: in Parts II and III the learner's."""
        return HERE / f"stage{self.number}"

    @property
    def contract(self) -> Path:
        """The folder of the tests that every server must pass.

        In Part I they are given; in the others they are those of the solution.
        """
        if self.part == "I":
            return self.folder
        return HERE.parent / "solutions" / self.folder.name / "tests"

    @property
    def rules(self) -> Path:
        """The table of its rules: each sentence, and the tests that stand for it."""
        return HERE.parent / "solutions" / self.folder.name / "rules.md"

    @property
    def test_modules(self) -> list[str]:
        """The dotted names of its test modules, that of the hardening last."""
        return [f"{self.package}.{path.stem}" for path in test_files(self.folder)]


STAGES = (
    Stage(
        1,
        "A request is bytes",
        "I",
        25,
        {"request": ("BadRequest", "Request", "parse_request")},
        "Test a pure function before anything with a network in it.",
    ),
    Stage(
        2,
        "A response is bytes",
        "I",
        15,
        {"response": ("Response", "render_response")},
        "Assert exact bytes; the time is an argument.",
    ),
    Stage(
        3,
        "Any chunks",
        "I",
        30,
        {"reader": ("RequestReader",)},
        "TCP keeps no message boundaries.",
    ),
    Stage(
        4,
        "A protocol without a network",
        "I",
        25,
        {"channel": ("HTTPChannel", "HTTPFactory")},
        "A transport in memory shows all that a protocol does.",
    ),
    Stage(
        5,
        "Not yet",
        "I",
        15,
        {"channel": ("HTTPChannel",)},
        "An answer may come later.",
    ),
    Stage(
        6,
        "Two hours in a millisecond",
        "I",
        25,
        {"channel": ("HTTPChannel", "HTTPFactory")},
        "Timeouts matter, but no test may wait for one.",
    ),
    Stage(
        7,
        "The wire is cut",
        "I",
        15,
        {"channel": ("HTTPChannel",)},
        "A connection can break after every byte.",
    ),
    Stage(
        8,
        "How to disconnect, really",
        "I",
        35,
        {"loopback": ("Loopback", "connect", "connection_lost")},
        "A test that really connects waits for three things to go away.",
    ),
    Stage(
        9,
        "Serve files",
        "II",
        45,
        {"files": ("FileHandler",), "channel": ("HTTPChannel",)},
        "Write tests from a list of descriptions.",
    ),
    Stage(
        10,
        "Keep the connection",
        "II",
        45,
        {"channel": ("HTTPChannel", "HTTPFactory")},
        "Answers keep the order of the requests.",
    ),
    Stage(
        11,
        "Your list",
        "III",
        None,
        {"client": ("get",)},
        "Make the list of tests yourself.",
    ),
)
"""All stages, the first one first."""


@dataclass(frozen=True)
class Step:
    """A stage on a route.

    :ivar stage: its number.
    :ivar minutes: the time planned for it.
    :ivar part: what of it is done; empty for all of it.
    """

    stage: int
    minutes: int
    part: str = ""


@dataclass(frozen=True)
class Sitting:
    """What is done without going home.

    :ivar steps: the stages, in their order.
    :ivar talk: the minutes for a lecture and for breaks.
    """

    steps: tuple[Step, ...]
    talk: int

    @property
    def minutes(self) -> int:
        """All that it takes."""
        return sum(step.minutes for step in self.steps) + self.talk


@dataclass(frozen=True)
class Route:
    """A way through the stages. Who leaves one out copies its solution.

    :ivar title: for whom it is.
    :ivar sittings: the first one first.
    """

    title: str
    sittings: tuple[Sitting, ...]

    @property
    def steps(self) -> list[Step]:
        """The steps of all sittings."""
        return [step for sitting in self.sittings for step in sitting.steps]

    @property
    def skipped(self) -> tuple[int, ...]:
        """The numbers of the stages that it leaves out."""
        taken = {step.stage for step in self.steps}
        return tuple(stage.number for stage in STAGES if stage.number not in taken)


def _whole(*numbers: int) -> tuple[Step, ...]:
    """Return steps that do all of these stages."""
    return tuple(Step(number, STAGES[number - 1].minutes or 0) for number in numbers)


ROUTES = (
    Route(
        "A class of three hours and twenty minutes",
        (
            Sitting(
                (
                    *_whole(1, 3, 4, 6, 7),
                    Step(9, 25, "five of its sentences"),
                    Step(11, 25, "the list, and its first tests"),
                ),
                talk=25,
            ),
        ),
    ),
    Route(
        "Two half days",
        (
            Sitting(_whole(1, 2, 3, 4, 5, 6, 7), talk=40),
            Sitting((*_whole(8, 9, 10), Step(11, 60)), talk=15),
        ),
    ),
    Route(
        "One person alone",
        (
            Sitting(_whole(1, 2, 3), talk=0),
            Sitting(_whole(4, 5, 6), talk=0),
            Sitting(_whole(7, 8), talk=0),
            Sitting(_whole(9), talk=0),
            Sitting(_whole(10), talk=0),
            Sitting((Step(11, 90),), talk=0),
        ),
    ),
)
"""Routes for those who have so much time and no more."""
